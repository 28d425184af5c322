"""What an animal's lesions amount to: when each organ was reached, how much there is, by which way, how long it lasts.

Only lesions and the primary count, as their likeliest kind says. The primary stands apart: it is where the cells were put.
Nothing that is not seen is nothing: it is at most its limit, and enters every sum as a range from 0 to it.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from lampyris.core.estimate import Estimate
from lampyris.core.flags import DetectionKind
from lampyris.core.lesions import Endpoints, Lesion, OrganActivity, OrganOnset, Passage, Sighting
from lampyris.metastasis.activity import activities, washout_half_life
from lampyris.metastasis.growth import log_spread
from lampyris.metastasis.kinetics import half_life, share_left
from lampyris.metastasis.reach import reach
from lampyris.statistics.thresholds import half_width

__all__ = ["activities", "endpoints", "reach", "total_cells"]

CELLS_UNIT = "labelled-cell equivalents"
AREA_UNIT = "labelled-cell equivalent days"
# share of the variance of a lesion's log amount that all lesions of an animal have in common. Assumed: label per cell (20-30 %) and
# the body's optics (about 40 %) are common, depth and the tissue above it (about 50 %) are each lesion's own
SHARED_SHARE = 0.5
# more likely than not
REACHED = 0.5
# route of an animal without a primary
INOCULATION = "inoculation"

Interval = tuple[float, float]


@dataclass(frozen=True, slots=True)
class _Arrival:
    """A lesion's days with the probability that it is one, here."""

    probability: float
    after_day: float
    by_day: float


def endpoints(
    lesions: Sequence[Lesion],
    /,
    *,
    days: Sequence[float],
    limits: Mapping[str, Sequence[float]],
    activities: Sequence[OrganActivity] = (),
    injection_days: Sequence[float] | None = None,
    organ_model_error: float = 0.0,
    level: float = 0.95,
) -> Endpoints:
    """What one animal's spread amounts to.

    An organ's probability is ``1 - prod(1 - p)`` over the lesions, with p the probability of being a lesion (not primary,
    halo or anything else) times that of lying in the organ. It is called reached on the first day by which the lesions seen
    until then make that more than one half. The first arrival lies between that day and the earliest day on which any lesion
    with a probability above ``1 - level`` may have come: a lesion that was too faint to be seen may have been first.

    Amounts are summed as log-normal values (Fenton's moments). Half of the variance of each logarithm is taken as common to
    the lesions of an animal and adds up, the other half is each lesion's own and averages out. A lesion that is not seen,
    from the last day on which it would have been, adds its limit to the upper end alone. Lesions that are one spot in a
    session are counted once; one spot with the primary is the primary's, and adds to the upper end alone.

    Parameters
    ----------
    lesions : sequence of Lesion
        Of one animal; every source of light, whatever its kind.
    days : sequence of float
        Of its sessions, in order; each lesion has a sighting for each.
    limits : mapping of organ to sequence of float
        Labelled-cell equivalents that would have been seen, per session; NaN where unknown.
    activities : sequence of OrganActivity
        For injected probes; see `lampyris.metastasis.activity.activities`.
    injection_days : sequence of float, optional
        For injected probes, the days of the doses, none where each session has one of its own; None where the cells were
        labelled before. With an injected probe a lesion may be there long before it is bright enough, so that an organ without
        one is open from the first day, and a signal's fall says nothing of label that is lost.
    organ_model_error : float
        Relative error of an organ's template, which its fluxes on all days share.
    level : float
        Coverage of the intervals.

    Returns
    -------
    Endpoints
        Well-defined for an animal without lesions, limits or sessions: NaN where nothing is known.

    Raises
    ------
    ValueError
        If the days are not in order, or a lesion or limit does not have one entry per day.

    References
    ----------
    Fenton 1960, IRE Trans Commun Syst 8:57, doi:10.1109/TCOM.1960.1097606: sum of log-normal values.

    Examples
    --------
    >>> none = endpoints((), days=(0.0, 7.0), limits={"liver": (2e4, 1e4)})
    >>> none.onsets[0].after_day, none.onsets[0].by_day, none.burden[1].high, none.burden_below
    (7.0, inf, 10000.0, (True, True))
    """
    days = tuple(float(day) for day in days)
    _check(lesions, days, limits)
    spread = sorted((one for one in lesions if one.kind == DetectionKind.LESION), key=lambda one: one.number)
    primaries = [one for one in lesions if one.kind == DetectionKind.PRIMARY]
    injected = injection_days is not None
    known = {organ: -math.inf if injected else _last_known(row, days) for organ, row in limits.items()}
    follows_doses = "the signal of an injected probe follows its doses and the cells' growth"
    burden = tuple(_burden(spread, primaries, limits, number, level) for number in range(len(days)))
    route = _route(spread, primaries, level)
    seen_from = [next((n for n, one in enumerate(lesion.sightings) if one.seen), len(days)) for lesion in spread]
    return Endpoints(
        days=days,
        onsets=_onsets(spread, limits, known, level),
        burden=tuple(total for total, _ in burden),
        burden_below=tuple(below for _, below in burden),
        primary=tuple(_primary(primaries, number, level) for number in range(len(days))),
        sites=tuple(sum(first <= number for first in seen_from) for number in range(len(days))),
        burden_area=_area(days, burden, level),
        half_life_days=Estimate.unknown(level, "days", follows_doses)
        if injected
        else _primary_half_life(primaries, days, level),
        persistence=Estimate.unknown(level, "1", follows_doses) if injected else _persistence(primaries, level),
        first_spread=_first_spread(spread, known, level),
        farthest_mm=_farthest(route, level),
        route=route,
        activities=tuple(activities),
        washout_half_life=washout_half_life(
            activities, injection_days=injection_days or (), organ_model_error=organ_model_error, level=level
        ),
    )


def total_cells(amounts: Sequence[Estimate], /, *, shared_share: float = SHARED_SHARE, level: float = 0.95) -> Estimate:
    """Sum of log-normal amounts that have part of their error in common.

    Parameters
    ----------
    amounts : sequence of Estimate
        At least one, above 0.
    shared_share : float
        Share of the variance of each logarithm that is common to all: 1 adds the errors as they are, 0 in quadrature.
    level : float
        Coverage of the interval.

    Returns
    -------
    Estimate
        Median and interval of the log-normal with the sum's first two moments; one amount keeps its own interval.

    Raises
    ------
    ValueError
        If there is no amount, or one is not above 0.

    References
    ----------
    Fenton 1960, IRE Trans Commun Syst 8:57, doi:10.1109/TCOM.1960.1097606.

    Examples
    --------
    >>> one = Estimate(1e4, 2e3, 7e3, 1.5e4, 0.95, "labelled-cell equivalents", "given")
    >>> alike, own = (total_cells([one, one], shared_share=share) for share in (1.0, 0.0))
    >>> round(alike.high), round(own.high) < 27000
    (29277, True)
    """
    if not amounts or not all(one.value > 0 for one in amounts):
        raise ValueError(f"needs amounts above 0, got {[one.value for one in amounts]}")
    if len(amounts) == 1:
        return amounts[0]
    s = np.array([log_spread(one) for one in amounts])
    means = np.array([one.value for one in amounts]) * np.exp(0.5 * s**2)
    common = np.full((s.size, s.size), shared_share)
    np.fill_diagonal(common, 1.0)
    second = means @ np.exp(common * s[:, None] * s) @ means
    mean = float(means.sum())
    spread = math.sqrt(max(math.log(second / mean**2), 0.0))
    value = mean * math.exp(-0.5 * spread**2)
    factor = math.exp(half_width(level) * spread)
    sd = mean * math.sqrt(math.expm1(spread**2))
    return Estimate(
        value, sd, value / factor, value * factor, level, amounts[0].unit, f"sum of {len(amounts)} log-normal amounts"
    )


def _check(lesions: Sequence[Lesion], days: tuple[float, ...], limits: Mapping[str, Sequence[float]]) -> None:
    if any(later < earlier for earlier, later in pairwise(days)):
        raise ValueError(f"days are expected in order, got {days}")
    for lesion in lesions:
        if tuple(one.day for one in lesion.sightings) != days:
            got = [one.day for one in lesion.sightings]
            raise ValueError(f"lesion {lesion.number} needs a sighting for each of the days {days}, got {got}")
    for organ, row in limits.items():
        if len(row) != len(days):
            raise ValueError(f"limits of {organ} need one entry for each of {len(days)} sessions, got {len(row)}")


def _last_known(row: Sequence[float], days: tuple[float, ...]) -> float:
    """The last session in which something would have been seen."""
    return max((day for day, limit in zip(days, row, strict=True) if math.isfinite(limit)), default=-math.inf)


def _is_lesion(lesion: Lesion) -> float:
    return lesion.kinds.get(DetectionKind.LESION, 0.0)


def _onsets(
    spread: Sequence[Lesion], limits: Mapping[str, Sequence[float]], known: Mapping[str, float], level: float
) -> tuple[OrganOnset, ...]:
    onsets = []
    for organ in sorted({*limits, *(organ for lesion in spread for organ in lesion.organs)}):
        arrivals = [_Arrival(_is_lesion(one) * one.organs.get(organ, 0.0), one.after_day, one.by_day) for one in spread]
        after, by = _first_arrival(arrivals, level)
        if math.isinf(by):
            after = known.get(organ, -math.inf)
        last = limits[organ][-1] if limits.get(organ) else math.nan
        onsets.append(OrganOnset(organ, _any_of(arrivals), after, by, float(last)))
    return tuple(onsets)


def _first_spread(spread: Sequence[Lesion], known: Mapping[str, float], level: float) -> Interval:
    after, by = _first_arrival([_Arrival(_is_lesion(one), one.after_day, one.by_day) for one in spread], level)
    # where no organ was ever sought, nothing says that there was no spread
    return (after, by) if math.isfinite(by) else (min(known.values(), default=-math.inf), math.inf)


def _any_of(arrivals: Sequence[_Arrival]) -> float:
    return 1.0 - math.prod(1.0 - one.probability for one in arrivals)


def _first_arrival(arrivals: Sequence[_Arrival], level: float) -> Interval:
    """(after, by] of the first of several uncertain arrivals; by is inf where they make none likelier than not."""
    for by in sorted({one.by_day for one in arrivals}):
        if _any_of([one for one in arrivals if one.by_day <= by]) > REACHED:
            break
    else:
        return -math.inf, math.inf
    # the likeliest is among them even where each is unlikely
    weighty = max(one.probability for one in arrivals if one.by_day <= by)
    least = min(1.0 - level, weighty)
    return min(one.after_day for one in arrivals if one.probability >= least and one.after_day < by), by


def _groups(lesions: Sequence[Lesion], number: int) -> list[list[Lesion]]:
    """Lesions of a session in spots: those whose light is one spot, over any chain of sharing, together."""
    groups: list[list[Lesion]] = []
    for lesion in lesions:
        mates = set(lesion.sightings[number].shared_with)
        touched = [
            group
            for group in groups
            if any(one.number in mates or lesion.number in one.sightings[number].shared_with for one in group)
        ]
        groups = [group for group in groups if group not in touched]
        groups.append([one for group in touched for one in group] + [lesion])
    return groups


def _amount(group: Sequence[Lesion], number: int) -> Estimate | None:
    """Amount of one spot: that of all its lesions together, which each of them carries."""
    amounts = [one.sightings[number].cells for one in group if one.sightings[number].seen]
    known = [one for one in amounts if one.value > 0 and math.isfinite(one.value)]
    return max(known, key=lambda one: one.value) if known else None


def _most(sighting: Sighting) -> float:
    """The most that an unseen lesion may hold; 0 where nothing is known."""
    high = sighting.cells.high
    return high if math.isfinite(high) and high > 0 else 0.0


def _burden(
    spread: Sequence[Lesion],
    primaries: Sequence[Lesion],
    limits: Mapping[str, Sequence[float]],
    number: int,
    level: float,
) -> tuple[Estimate, bool]:
    """Amount in lesions other than the primary in one session, and whether it is a limit."""
    seen: list[Estimate] = []
    hidden, unknown = 0.0, False
    firsts = {one.number for one in primaries}
    for group in _groups([*spread, *primaries], number):
        amount = _amount(group, number)
        if all(one.number in firsts for one in group):
            continue
        unknown |= amount is None and any(one.sightings[number].seen for one in group)
        if any(one.number in firsts for one in group):
            hidden += amount.high if amount is not None and math.isfinite(amount.high) else 0.0
        elif amount is not None:
            seen.append(amount)
        else:
            # up to after_day it would have been seen
            there = [one.sightings[number] for one in group if one.sightings[number].day > one.after_day]
            hidden += max((_most(one) for one in there), default=0.0)
    if unknown:
        return Estimate.unknown(level, CELLS_UNIT, "a lesion is seen whose amount is not known"), False
    if seen:
        total = total_cells(seen, level=level)
        return replace(total, high=total.high + hidden), False
    # it might lie anywhere, so that of the organs with a limit the worst counts
    organs = [row[number] for row in limits.values() if math.isfinite(row[number])]
    most = max([*organs, hidden], default=0.0)
    if most <= 0.0:
        return Estimate.unknown(level, CELLS_UNIT, "nothing seen; no limit known"), True
    return Estimate(most, math.nan, 0.0, most, level, CELLS_UNIT, "nothing seen: limit of the worst organ"), True


def _primary(primaries: Sequence[Lesion], number: int, level: float) -> Estimate:
    amounts = [_amount(group, number) for group in _groups(primaries, number)]
    seen = [one for one in amounts if one is not None]
    if seen:
        return total_cells(seen, level=level)
    if any(one.sightings[number].seen for one in primaries):
        return Estimate.unknown(level, CELLS_UNIT, "the primary is seen, its amount is not known")
    limits = [one.sightings[number].cells for one in primaries]
    known = [one for one in limits if math.isfinite(one.value)]
    if not known:
        return Estimate.unknown(
            level, CELLS_UNIT, "no primary" if not primaries else "primary not seen; no limit known"
        )
    value, high = sum(one.value for one in known), sum(one.high for one in known)
    return Estimate(value, math.nan, 0.0, high, level, CELLS_UNIT, "primary not seen: its limit")


def _area(days: tuple[float, ...], burden: Sequence[tuple[Estimate, bool]], level: float) -> Estimate:
    """Trapezoids through the sessions with a burden or a limit; errors of the days are taken as common."""
    known = [
        (day, total, below) for day, (total, below) in zip(days, burden, strict=True) if math.isfinite(total.value)
    ]
    if len(known) < 2:
        return Estimate.unknown(level, AREA_UNIT, "needs two sessions with a burden or a limit")
    at = [day for day, _, _ in known]
    none = all(below for _, _, below in known)
    # the middle of a range from 0 to a limit, unless there is nothing but limits
    middle = [total.value * (0.5 if below and not none else 1.0) for _, total, below in known]
    # evenly likely over its range
    sds = [total.high / math.sqrt(12.0) if below else total.sd for _, total, below in known]
    value, sd, low, high = (
        float(np.trapezoid(row, at))
        for row in (middle, sds, [total.low for _, total, _ in known], [total.high for _, total, _ in known])
    )
    what = "limits alone" if none else "limits from 0 to their value"
    method = f"trapezoids, days {at[0]:g} to {at[-1]:g}, {what}"
    return Estimate(value, math.nan if none else sd, min(low, value), max(high, value), level, AREA_UNIT, method)


def _signals(primaries: Sequence[Lesion]) -> list[tuple[int, float, float]]:
    """Per session that shows the primary: its number, the amount, and the relative standard deviation that is the day's own.

    Place, optics and label per cell are the same on all days; what a day adds is its flux's uncertainty.
    """
    rows = []
    for number in range(len(primaries[0].sightings) if primaries else 0):
        seen = [one.sightings[number] for one in primaries if one.sightings[number].seen]
        amounts = [_amount(group, number) for group in _groups(primaries, number)]
        cells = sum(one.value for one in amounts if one is not None)
        flux = sum(one.flux.value for one in seen if math.isfinite(one.flux.value))
        sd = math.sqrt(sum(one.flux.sd**2 for one in seen if math.isfinite(one.flux.sd)))
        if cells > 0 and flux > 0:
            rows.append((number, cells, sd / flux))
    return rows


def _primary_half_life(primaries: Sequence[Lesion], days: tuple[float, ...], level: float) -> Estimate:
    if len(primaries) == 1:
        # one number in two places
        return primaries[0].half_life_days
    if not primaries:
        return Estimate.unknown(level, "days", "no primary")
    rows = _signals(primaries)
    return half_life([days[n] for n, _, _ in rows], [v for _, v, _ in rows], [sd for _, _, sd in rows], level=level)


def _persistence(primaries: Sequence[Lesion], level: float) -> Estimate:
    rows = _signals(primaries)
    if not rows:
        return Estimate.unknown(level, "1", "no primary with a signal")
    (first, amount, sd), (last, left, last_sd) = rows[0], rows[-1]
    end = len(primaries[0].sightings) - 1
    if first == end:
        return Estimate.unknown(level, "1", "the primary's first session is the last")
    if last == end:
        return share_left((amount, sd), (left, last_sd), level=level)
    limit = _primary(primaries, end, level)
    if not math.isfinite(limit.value) or limit.low > 0:
        return Estimate.unknown(level, "1", "the primary was not measured in the last session")
    most = limit.value / amount
    # the limit's place and optics are those of the first signal, so that the first signal's own error is what is left
    high = share_left((amount, sd), (limit.value, 0.0), level=level).high
    return Estimate(
        most, math.nan, 0.0, high, level, "1", "not seen in the last session: its limit over the first signal"
    )


def _route(spread: Sequence[Lesion], primaries: Sequence[Lesion], level: float) -> tuple[Passage, ...]:
    # the first primary is the one that cells can have left earliest
    origin = min(primaries, key=lambda one: (one.by_day, one.number), default=None)
    arrows = [
        Passage(
            source=origin.organ if origin is not None else INOCULATION,
            target=lesion.organ,
            lesion=lesion.number,
            probability=lesion.organs.get(lesion.organ, math.nan),
            after_day=lesion.after_day,
            by_day=lesion.by_day,
            distance_mm=_distance(origin, lesion, level),
        )
        for lesion in spread
    ]
    return tuple(sorted(arrows, key=lambda one: (one.by_day, one.after_day, one.lesion)))


def _distance(origin: Lesion | None, lesion: Lesion, level: float) -> Estimate:
    """Straight line between two uncertain places, errors carried to first order along it."""
    if origin is None:
        return Estimate.unknown(level, "mm", "no primary: the place of injection is not known")
    apart = np.array([a.value - b.value for a, b in zip(lesion.position_mm, origin.position_mm, strict=True)])
    variance = np.array([a.sd**2 + b.sd**2 for a, b in zip(lesion.position_mm, origin.position_mm, strict=True)])
    distance = float(np.sqrt((apart**2).sum()))
    if not math.isfinite(distance):
        return Estimate.unknown(level, "mm", "a place is not known")
    if not np.isfinite(variance).all():
        return Estimate(distance, math.nan, 0.0, math.inf, level, "mm", "straight line; a place has no uncertainty")
    # of two places that coincide no direction is known: the mean over all
    weight = (apart / distance) ** 2 if distance > 0 else np.full(3, 1.0 / 3.0)
    sd = float(np.sqrt(weight @ variance))
    reach = half_width(level) * sd
    return Estimate(distance, sd, max(distance - reach, 0.0), distance + reach, level, "mm", "straight line")


def _farthest(route: Sequence[Passage], level: float) -> Estimate:
    known = [one.distance_mm for one in route if math.isfinite(one.distance_mm.value)]
    return max(
        known,
        key=lambda one: one.value,
        default=Estimate.unknown(level, "mm", "no lesion with a distance from a primary"),
    )
