"""Means by volume and by number: populations of light as lognormal laws, each sphere's light divided out."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from lampyris.bench.dls.cumulants import Cumulants
from lampyris.bench.dls.inversion import Distribution
from lampyris.bench.dls.light import Optics
from lampyris.bench.dls.scattering import scattered_intensity
from lampyris.core.estimate import Estimate
from lampyris.statistics.roots import sign_change
from lampyris.statistics.thresholds import half_width

Weighting = Literal["volume", "number"]
_POINTS = 400
_REACH = 9.0
_LEAST_NM, _MOST_NM = 0.01, 1e5
_WIDEST = 0.9
"""Standard deviation of the logarithm of a size beyond which a lognormal law of the light says nothing of numbers."""
MOST_SPAN = 4.0
"""Upper over lower end of a mean's interval beyond which the run does not tell it; assumed."""
MOST_BY_SHAPE = 1.25
"""Factor between the means of two laws of the sizes beyond which the law decides; assumed."""
_DECIDED = 2.0
"""Factor by which a population that may not be there moves a mean that is then withheld."""


@dataclass(frozen=True, slots=True)
class Part:
    """A population by its scattered light.

    Parameters
    ----------
    mean_nm, low_nm, high_nm : float
        Diameter of the mean decay rate, and its interval.
    spread, narrowest, widest : float
        Standard deviation of the logarithm of its sizes, and its interval.
    correlation : float
        Of the errors of diameter and spread.
    area, area_sd : float
        Share of the light.
    even : bool
        Sizes fill a span evenly in their logarithm, instead of lognormal ones.
    evened : Part, optional
        The even one of which the run would be the same, where that is known.
    """

    mean_nm: float
    low_nm: float
    high_nm: float
    spread: float
    narrowest: float
    widest: float
    correlation: float = 0.0
    area: float = 1.0
    area_sd: float = 0.0
    even: bool = False
    evened: "Part | None" = None


def parts_of(cumulants: Cumulants, distribution: Distribution, /) -> tuple[Part, ...]:
    """Populations behind a run: one by its cumulants, several by the peaks of the distribution.

    Parameters
    ----------
    cumulants : Cumulants
    distribution : Distribution

    Returns
    -------
    tuple of Part

    Notes
    -----
    The regularised distribution of a single population is broader than the sample by what the noise blurs, and the sixth power makes
    small sizes of that which are not there. Cumulants are not blurred. Several peaks have no cumulants of their own: each is between
    sharp and as broad as it is seen.
    """
    if len(distribution.peaks) < 2:
        return (lone_part(cumulants),)
    made = []
    for one in distribution.peaks:
        mean, width, area = one.mean_nm, one.sd_nm, one.area
        spread, widest = (_log_sd((wide / mean.value) ** 2) for wide in (width.value, width.high))
        made.append(
            Part(mean.value, max(mean.low, _LEAST_NM), mean.high, spread, 0.0, widest, 0.0, area.value, area.sd)
        )
    return tuple(made)


def lone_part(cumulants: Cumulants, /) -> Part:
    """The population behind runs of a single one."""
    size, law, fitted = cumulants.z_average_nm, cumulants.law, cumulants.pdi.value
    low, common = max(size.low, _LEAST_NM), law.correlation_at(fitted)
    spreads = np.array([cumulants.lognormal_pdi, *cumulants.spread_ends])
    alike = np.interp(spreads, law.true, law.even)
    spread, least, most = map(_log_sd, spreads.tolist())
    even, sharp, broad = map(_log_sd, alike.tolist())
    moved = (1.0 + law.at(fitted, law.even_shift)) / (1.0 + law.at(fitted, law.shift))
    mean = cumulants.lognormal_nm
    evened = Part(moved * mean, moved * low, moved * size.high, even, sharp, broad, correlation=common, even=True)
    return Part(mean, low, size.high, spread, least, most, correlation=common, evened=evened)


def _log_sd(variance: float) -> float:
    """Of a lognormal law of that relative variance."""
    return min(math.sqrt(math.log1p(max(variance, 0.0))), _WIDEST)


def weighted_mean(
    parts: Sequence[Part],
    optics: Optics,
    weighting: Weighting,
    /,
    *,
    particle_index: complex | None = None,
    level: float = 0.95,
) -> Estimate:
    """Mean diameter by volume or number.

    Parameters
    ----------
    parts : sequence of Part
    optics : Optics
    weighting : {"volume", "number"}
    particle_index : complex, optional
        As of `scattered_intensity`.
    level : float

    Returns
    -------
    Estimate
        Of lognormal populations. The interval runs from the widest to the narrowest that each can be, and holds the errors of means and
        areas, all on the scale of the logarithm; a run tells a mean and a spread but hardly a shape, so sizes that fill a span evenly are
        taken for as likely. Without a value, its interval kept, where a population decides the mean whose share of the light may
        be none, or the law is as broad as it can be.
    """
    log_mean = _mean_of(parts, optics, weighting, particle_index)
    at = log_mean(parts)
    reach = half_width(level)
    # no sizes with one top begin at larger ones than such as fill a span evenly, and a run hardly tells these from lognormal ones
    laws = [parts, _evened(parts)]
    low, high = _of_equal_odds([(log_mean(own), *_ends(own, log_mean, reach)) for own in laws], level, reach)
    faint = max(map(abs, _absent(parts, log_mean, reach)), default=0.0) > math.log(_DECIDED)
    value, below, above = math.exp(at), max(at - low, 0.0), max(high - at, 0.0)
    words = "lognormal" if len(parts) == 1 else f"{len(parts)} lognormal populations"
    if faint or any(one.spread >= _WIDEST for one in parts):
        why = "a population that may not be there decides it" if faint else "sizes spread too widely"
        ends = value * math.exp(-below), value * math.exp(above)
        return Estimate(math.nan, math.nan, *ends, level, "nm", f"withheld, by {weighting}: {why}")
    return Estimate(
        value,
        value * 0.5 * (below + above) / reach,
        value * math.exp(-below),
        value * math.exp(above),
        level,
        "nm",
        f"{words} of the scattered light, by {weighting}; widths and means within their errors",
    )


def shape_factor(
    parts: Sequence[Part], optics: Optics, weighting: Weighting, /, *, particle_index: complex | None = None
) -> float:
    """Mean of sizes that fill spans evenly over that of lognormal ones of the same mean rates and spreads.

    Parameters
    ----------
    parts, optics, weighting, particle_index
        As of `weighted_mean`.

    Returns
    -------
    float
    """
    log_mean = _mean_of(parts, optics, weighting, particle_index)
    return math.exp(log_mean(_evened(parts)) - log_mean(parts))


def _evened(parts: Sequence[Part]) -> list[Part]:
    return [one.evened or replace(one, even=True) for one in parts]


def _mean_of(
    parts: Sequence[Part], optics: Optics, weighting: Weighting, particle_index: complex | None
) -> Callable[[Sequence[Part]], float]:
    """Logarithm of the mean as a function of populations near some."""
    middles = [one.mean_nm * math.exp(0.5 * one.spread**2) for one in parts]
    grid = np.geomspace(min(middles) * math.exp(-_REACH), max(middles) * math.exp(0.5 * _REACH), _POINTS)
    light = np.log(np.maximum(scattered_intensity(grid, optics, particle_index=particle_index), 1e-300))
    law = np.log(grid), light
    return lambda own: _log_mean(own, law, 3.0 if weighting == "volume" else 0.0)


def _ends(parts: Sequence[Part], log_mean: Callable[[Sequence[Part]], float], reach: float) -> tuple[float, float]:
    """Ends of the logarithm of the mean, from the widest to the narrowest that each population can be."""
    at = log_mean(parts)
    below, above = 0.0, 0.0
    for k, one in enumerate(parts):
        smaller, larger = (
            log_mean(_with(parts, k, replace(one, mean_nm=end))) - at
            for end in (one.low_nm, min(one.high_nm, _MOST_NM))
        )
        broad, sharp = (log_mean(_with(parts, k, replace(one, spread=end))) - at for end in (one.widest, one.narrowest))
        # a spread taken too wide makes the mean too small: where that comes with a diameter taken too small, both add
        below += smaller**2 + broad**2 - 2.0 * one.correlation * smaller * broad
        above += larger**2 + sharp**2 - 2.0 * one.correlation * larger * sharp
        if one.area_sd > 0:
            more = reach * abs(log_mean(_with(parts, k, replace(one, area=one.area + one.area_sd))) - at)
            below, above = below + more**2, above + more**2
    absent = _absent(parts, log_mean, reach)
    below, above = (
        end + max((max(sign * move, 0.0) for move in absent), default=0.0) ** 2
        for end, sign in ((below, -1.0), (above, 1.0))
    )
    return at - math.sqrt(max(below, 0.0)), at + math.sqrt(max(above, 0.0))


def _of_equal_odds(laws: Sequence[tuple[float, float, float]], level: float, reach: float) -> tuple[float, float]:
    """Ends between which a number lies at a level, where several laws are as likely as one another.

    Each law tells the middle and the ends of its own interval at that level, taken for normal on either side.
    """
    from scipy.special import ndtr

    found = []
    for side, place in ((-1.0, 1), (1.0, 2)):
        own = [(one[0], max(side * (one[place] - one[0]) / reach, 1e-9)) for one in laws]

        def beyond(x: float, side: float = side, own: Sequence[tuple[float, float]] = own) -> float:
            return float(np.mean([ndtr(-side * (x - middle) / sd) for middle, sd in own])) - 0.5 * (1.0 - level)

        least, most = min(one[place] for one in laws), max(one[place] for one in laws)
        found.append(sign_change(beyond, least - 1e-6, most + 1e-6))
    return found[0], found[1]


def _absent(parts: Sequence[Part], log_mean: Callable[[Sequence[Part]], float], reach: float) -> list[float]:
    """How far the logarithm of the mean moves without each population that may not be there."""
    at = log_mean(parts)
    return [
        log_mean([*parts[:k], *parts[k + 1 :]]) - at
        for k, one in enumerate(parts)
        if len(parts) > 1 and one.area <= reach * one.area_sd
    ]


def _with(parts: Sequence[Part], k: int, one: Part, /) -> list[Part]:
    return [*parts[:k], one, *parts[k + 1 :]]


def _sizes(one: Part) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Logarithms of a population's sizes, and of their shares of its light, which need not sum to 1."""
    if not one.spread > 0:
        return np.array([math.log(one.mean_nm)]), np.zeros(1)
    if one.even:
        half = _half_span(math.expm1(one.spread**2))
        # middles of steps, so that each stands for its own
        u = half * (np.arange(-100, 101) / 100.5)
        return math.log(one.mean_nm * math.sinh(half) / half) + u, np.zeros(u.size)
    # the mean rate of a lognormal law lies above that of its middle
    t = np.linspace(-_REACH, 0.5 * _REACH, 271)
    return math.log(one.mean_nm) + 0.5 * one.spread**2 + one.spread * t, -0.5 * t**2


def _half_span(variance: float) -> float:
    """Half of the span of the logarithm that rates fill evenly, of that variance over the square of their mean.

    Their mean is sinh(h)/h and that of their squares sinh(2h)/(2h), so the variance is h coth(h) - 1.
    """
    # below that it is rounding
    known = max(variance, 1e-12)
    return sign_change(lambda half: half / math.tanh(half) - 1.0 - known, 1e-7, known + 2.0)


def _log_mean(parts: Sequence[Part], law: tuple[NDArray[np.float64], NDArray[np.float64]], power: float) -> float:
    """Logarithm of the mean diameter over all populations, each weighed by its light over that of a sphere."""
    logs, totals = [], []
    for one in parts:
        size, own = _sizes(one)
        weight = own - np.interp(size, *law) + power * size
        top = float(weight.max())
        share = np.exp(weight - top)
        light = float(np.exp(own).sum())
        logs.append(top + math.log(float(share.sum()) / light * max(one.area, 1e-9)))
        totals.append(float(share @ np.exp(size) / share.sum()))
    most = max(logs)
    shares = [math.exp(one - most) for one in logs]
    return math.log(math.fsum(s * m for s, m in zip(shares, totals, strict=True)) / math.fsum(shares))
