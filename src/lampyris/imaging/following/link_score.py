"""How well spots of several views and days go together as one source of light: the score that linking maximises.

A lesion keeps its place in its animal, so a chain's spots are draws around one fixed point, with one more fixed offset per
view (light of a deep lesion leaves each side where tissue is thinnest or clearest, not straight above it). The score is the
log-likelihood of "these spots are one lesion" against "each is a false spot of its own", with the places integrated out.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

LimitAt = Callable[[int, str, float, float], float]

# log-fluxes of unrelated spots spread over about two decades
_FLUX_DENSITY = 1.0 / math.log(100.0)
# an unforeseen change of flux (new cells, another posture, fewer counts than thought): sd of its log
_TAIL_SD = 2.0
_HALF_LIVES = 12
# sd of the log of a predicted flux against the limit: the prediction's error and the limit's spread over places
_VISIBILITY_SD = 0.7
# natural log of a lesion's flux in the view that shows it over that in another: mean and sd, from skin to the far side
_OTHER_SIDE = (1.5, 2.0)
# spots that lie within one width of a stronger one are rarely found on their own
_MISS_WHEN_BLENDED = 0.6


@dataclass(frozen=True, slots=True)
class LinkSpot:
    """A detection, as far as linking needs it.

    Parameters
    ----------
    session : int
        Index into the days; sessions are sorted by day.
    view : str
    y_mm, x_mm : float
        Place in the nominal animal's frame.
    sd_mm : float
        Standard uncertainty along each axis, of measurement and registration together. Rather too large than too small:
        half as much again costs next to nothing, two thirds of the truth loses one link in ten.
    width_mm : float
        Full width at half maximum.
    flux, flux_sd : float
        ph s-1; the standard uncertainty is that of comparison between sessions.
    """

    session: int
    view: str
    y_mm: float
    x_mm: float
    sd_mm: float
    width_mm: float
    flux: float
    flux_sd: float


@dataclass(frozen=True, slots=True)
class LinkOptions:
    """What linking takes for granted before it sees the spots.

    Parameters
    ----------
    area_mm2 : float
        Skin of the nominal animal in one view: a mouse of 90 mm by about 25 mm.
    lesions : float
        Sources of light expected per animal; only its order of magnitude matters.
    false_spots : float
        Expected per image: statistical false alarms and passing light (food, urine), which the alarm rate does not count.
    half_life_days : (float, float)
        Of the signal, evenly spread in its logarithm: from fast early loss to a label that outlasts the study.
    rise_share : float
        Of steps from session to session whose flux changes in a way that no half-life explains, so that a rise costs about
        ``-log(rise_share)`` and more, but never breaks a chain alone.
    may_rise : bool
        Injected probes: a flux may rise as well as fall.
    flux_spread : float
        Standard deviation of the log flux between sessions besides its stated uncertainty: posture, distance, filters.
    view_offset : float
        Standard deviation, along each axis and per view, of the brightest point against the lesion, in widths: two views of
        a deep lesion of 10 mm width then differ by 2 mm along each axis.
    present_first : float
        Probability that a lesion that is ever seen has arrived by the first session.
    loss : float
        Probability per session that a lesion goes for good.
    miss : float
        Of a lesion well above the limit: hidden by fur or a fold, or dropped by the fit.
    blend_width : float
        Two sources nearer to each other than this many widths may be one spot.
    bad_registration : float
        Share of images whose whole frame is shifted by more than `LinkSpot.sd_mm` says.
    shift_sd_mm : float
        Of such a shift, along each axis.
    """

    area_mm2: float = 2000.0
    lesions: float = 4.0
    false_spots: float = 0.3
    half_life_days: tuple[float, float] = (0.7, 60.0)
    rise_share: float = 0.1
    may_rise: bool = False
    flux_spread: float = 0.25
    view_offset: float = 0.14
    present_first: float = 0.4
    loss: float = 0.1
    miss: float = 0.05
    blend_width: float = 1.0
    bad_registration: float = 0.02
    shift_sd_mm: float = 5.0

    def __post_init__(self) -> None:
        shares = (self.rise_share, self.present_first, self.loss, self.miss, self.bad_registration)
        sizes = (self.area_mm2, self.lesions, self.false_spots, self.flux_spread, self.shift_sd_mm, self.view_offset)
        if not all(0 < share < 1 for share in shares):
            raise ValueError(f"shares and probabilities are expected between 0 and 1, got {shares}")
        if not all(size > 0 and math.isfinite(size) for size in sizes):
            raise ValueError(f"area, numbers and spreads are expected to be positive, got {sizes}")
        if not 0 < self.half_life_days[0] <= self.half_life_days[1]:
            raise ValueError(f"half_life_days is a range from short to long, got {self.half_life_days}")


@dataclass(frozen=True, slots=True, eq=False)
class ChainScore:
    """Scores sets of spots, at most one per image, as one source of light; remembers what it has scored.

    Callable with the ascending members of a chain.

    Parameters
    ----------
    spots : sequence of LinkSpot
        Sorted by session; sets of spots are given as ascending indices into it.
    days : sequence of float
    images : tuple of (session, view)
        All that were taken.
    log_limit : ndarray, dims (spot, image)
        Natural log of the flux that would have been seen at the spot's place.
    options : LinkOptions
    sessions : tuple of int
        Those that count; in the others nothing was sought.
    """

    spots: Sequence[LinkSpot]
    days: Sequence[float]
    images: tuple[tuple[int, str], ...]
    log_limit: NDArray[np.float64]
    options: LinkOptions
    sessions: tuple[int, ...]
    _memo: dict[tuple[int, ...], float] = field(default_factory=dict)
    _step: dict[tuple[int, int], float] = field(default_factory=dict)
    _views: dict[int, list[tuple[int, str]]] = field(default_factory=dict)
    _found: dict[int, list[int]] = field(default_factory=dict)
    _limit: list[list[float]] = field(default_factory=list)
    _places: dict[tuple[tuple[int, ...], str], tuple[float, float, float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for number, (session, view) in enumerate(self.images):
            self._views.setdefault(session, []).append((number, view))
            self._found[number] = []
        number_of = {image: number for number, image in enumerate(self.images)}
        for index, spot in enumerate(self.spots):
            self._found[number_of[spot.session, spot.view]].append(index)
        self._limit.extend(self.log_limit.tolist())

    def within(self, sessions: tuple[int, ...], /) -> "ChainScore":
        """Score by these sessions alone, as if the others had not been taken."""
        return ChainScore(self.spots, self.days, self.images, self.log_limit, self.options, sessions)

    def __call__(self, members: tuple[int, ...], /) -> float:
        """Log-likelihood ratio of one source against as many false spots; 0 for no spot."""
        if not members:
            return 0.0
        known = self._memo.get(members)
        if known is None:
            options = self.options
            known = self._place_score(members) + self._flux_score(members) + self._presence_score(members)
            known += math.log(options.lesions / options.area_mm2)
            known += len(members) * (math.log1p(-options.miss) - math.log(options.false_spots / options.area_mm2))
            if len(members) == 1:
                # a lone spot may be either
                known = float(np.logaddexp(0.0, known))
            self._memo[members] = known
        return known

    def place(self, members: tuple[int, ...], view: str, /) -> tuple[float, float, float]:
        """Expected place of a chain in a view, from its spots there if it has any: y, x and the variance along each axis."""
        known = self._places.get((members, view))
        if known is not None:
            return known
        options = self.options
        own = [i for i in members if self.spots[i].view == view]
        spots = [self.spots[i] for i in own or members]
        weight = [spot.sd_mm**-2 for spot in spots]
        total = math.fsum(weight)
        y = math.fsum(w * spot.y_mm for w, spot in zip(weight, spots, strict=True)) / total
        x = math.fsum(w * spot.x_mm for w, spot in zip(weight, spots, strict=True)) / total
        offset = 0.0 if own else 2.0 * (options.view_offset * sum(s.width_mm for s in spots) / len(spots)) ** 2
        self._places[members, view] = y, x, 1.0 / total + offset
        return self._places[members, view]

    def missed(self, members: tuple[int, ...], session: int, /) -> float:
        """Probability that a chain that is there shows no spot of its own in those views of a session where it has none."""
        taken = {self.spots[i].view for i in members if self.spots[i].session == session}
        probability = 1.0
        for image, view in self._views.get(session, ()):
            if view not in taken:
                probability *= self._missed_in(members, image, session, view)
        return probability

    def log_flux(self, members: Sequence[int], session: int, view: str, /, *, decline: float | None = None) -> float:
        """Expected log flux in an image, between or beyond the chain's spots of that view; NaN if it has none there.

        Beyond them it changes by `decline` per day; by default it falls at the middle of the options' rates, and was the same
        before, as a falling signal was at least as bright.
        """
        before = after = None
        for i in members:
            spot = self.spots[i]
            if spot.view == view:
                if spot.session <= session:
                    before = spot
                elif after is None:
                    after = spot
        if before is None:
            if after is None:
                return math.nan
            return math.log(after.flux) + (decline or 0.0) * (self.days[after.session] - self.days[session])
        first, days = math.log(before.flux), self.days[session] - self.days[before.session]
        if after is not None:
            span = self.days[after.session] - self.days[before.session]
            share = days / span if span > 0 else 0.5
            return first + share * (math.log(after.flux) - first)
        return first - (self.middle_decline if decline is None else decline) * days

    @property
    def middle_decline(self) -> float:
        """Fall of the log flux per day before anything is known of the label, d-1."""
        low, high = self.options.half_life_days
        return 0.0 if self.options.may_rise else math.log(2.0) / math.sqrt(low * high)

    def _place_score(self, members: tuple[int, ...]) -> float:
        """Log density of the places with one point anywhere, one offset per view, per mm2 for each spot but the first."""
        sums: dict[str, list[float]] = {}
        total = 0.0
        for i in members:
            spot = self.spots[i]
            weight = spot.sd_mm**-2
            s = sums.setdefault(spot.view, [0.0] * 6)
            s[0] += weight
            s[1] += weight * spot.y_mm
            s[2] += weight * spot.x_mm
            s[3] += weight * (spot.y_mm**2 + spot.x_mm**2)
            s[4] += spot.width_mm
            s[5] += 1.0
            total += math.log(weight / (2.0 * math.pi))
        weights = wy = wx = squares = 0.0
        for w, y, x, yy, width, n in sums.values():
            total += math.log(2.0 * math.pi / w) - 0.5 * max(yy - (y * y + x * x) / w, 0.0)
            precision = 1.0 / (1.0 / w + (self.options.view_offset * width / n) ** 2)
            y, x = y / w, x / w
            weights += precision
            wy += precision * y
            wx += precision * x
            squares += precision * (y * y + x * x)
            total += math.log(precision / (2.0 * math.pi))
        return total + math.log(2.0 * math.pi / weights) - 0.5 * max(squares - (wy * wy + wx * wx) / weights, 0.0)

    def _flux_score(self, members: tuple[int, ...]) -> float:
        last: dict[str, int] = {}
        total = 0.0
        for i in members:
            view = self.spots[i].view
            if view in last:
                total += self._flux_step(last[view], i)
            last[view] = i
        return total

    def _flux_step(self, first: int, second: int) -> float:
        """Log density of a change of flux in one view, over that of unrelated spots."""
        known = self._step.get((first, second))
        if known is not None:
            return known
        a, b, options = self.spots[first], self.spots[second], self.options
        change = math.log(b.flux / a.flux)
        days = self.days[b.session] - self.days[a.session]
        variance = (a.flux_sd / a.flux) ** 2 + (b.flux_sd / b.flux) ** 2 + options.flux_spread**2
        if options.may_rise:
            fall = _normal(change, variance + (1.0 if days > 0 else 0.0))
        else:
            low, high = options.half_life_days
            ratio = (high / low) ** (1.0 / (_HALF_LIVES - 1))
            means = (-math.log(2.0) * days / (low * ratio**k) for k in range(_HALF_LIVES))
            fall = sum(_normal(change - mean, variance) for mean in means) / _HALF_LIVES
        density = (1.0 - options.rise_share) * fall + options.rise_share * _normal(change, variance + _TAIL_SD**2)
        # a very long tail in the log is as likely as that of unrelated spots
        known = math.log(max(density, 0.1 * options.rise_share * _FLUX_DENSITY) / _FLUX_DENSITY)
        self._step[first, second] = known
        return known

    def _presence_score(self, members: tuple[int, ...]) -> float:
        """Arrival before the first spot, gaps, and loss after the last, given what would have been seen."""
        options = self.options
        first, last = self.spots[members[0]].session, self.spots[members[-1]].session
        expected = len({self.spots[i].view for i in members})
        held: dict[int, int] = {}
        for i in members:
            session = self.spots[i].session
            held[session] = held.get(session, 0) + 1
        total = 0.0
        missed_before, missed_after = [], []
        for session in self.sessions:
            if held.get(session, 0) >= expected:
                continue
            probability = self.missed(members, session)
            if session < first:
                missed_before.append(probability)
            elif session > last:
                missed_after.append(probability)
            else:
                total += math.log(probability)
        total += math.log(self._arrival(missed_before)) + math.log(_survival(missed_after, options.loss))
        return total + self._dark_score(members)

    def _dark_score(self, members: tuple[int, ...]) -> float:
        """Log-probability that views without any spot of the chain never show it: its light may leave on one side only."""
        shown = {self.spots[i].view for i in members}
        margins: dict[str, float] = {}
        for i in members:
            spot = self.spots[i]
            for image, view in self._views[spot.session]:
                if view not in shown:
                    margin = math.log(spot.flux) - self._limit[i][image]
                    margins[view] = max(margins.get(view, -math.inf), margin)
        mean, sd = _OTHER_SIDE
        spread = math.hypot(sd, _VISIBILITY_SD)
        return sum(math.log1p(-self._seen((margin - mean) / spread)) for margin in margins.values())

    def _seen(self, margin_sd: float) -> float:
        return (1.0 - self.options.miss) * 0.5 * math.erfc(-margin_sd / math.sqrt(2.0))

    def _arrival(self, missed: list[float]) -> float:
        """Probability of a first spot after sessions that missed it, the arrival anywhere up to it."""
        later = (1.0 - self.options.present_first) / max(len(self.sessions) - 1, 1)
        # arrival in the very session of the first spot, then ever earlier
        total, run = 0.0, 1.0
        for index in range(len(missed), -1, -1):
            total += run * (self.options.present_first if index == 0 else later)
            if index:
                run *= missed[index - 1]
        return total

    def _missed_in(self, members: tuple[int, ...], image: int, session: int, view: str) -> float:
        expected = self.log_flux(members, session, view)
        if math.isnan(expected):
            # the lesion may be dark from that side; nothing is known
            return 1.0
        margin = (expected - self._limit[members[len(members) // 2]][image]) / _VISIBILITY_SD
        missed = 1.0 - self._seen(margin)
        if missed < _MISS_WHEN_BLENDED and self._blended(members, image, view):
            return _MISS_WHEN_BLENDED
        return missed

    def _blended(self, members: tuple[int, ...], image: int, view: str) -> bool:
        y, x, _ = self.place(members, view)
        found = (self.spots[i] for i in self._found[image])
        return any(math.hypot(s.y_mm - y, s.x_mm - x) < self.options.blend_width * s.width_mm for s in found)


def _survival(missed: list[float], loss: float) -> float:
    """Probability of no spot in the sessions after the last, the loss anywhere after it."""
    total, run = 0.0, 1.0
    for probability in missed:
        total += run * loss
        run *= (1.0 - loss) * probability
    return total + run


def _normal(deviation: float, variance: float) -> float:
    return math.exp(-0.5 * deviation * deviation / variance) / math.sqrt(2.0 * math.pi * variance)
