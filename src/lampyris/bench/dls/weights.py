"""Means by volume and by number: populations of light as lognormal laws, each sphere's light divided out."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from lampyris.bench.dls.cumulants import Cumulants
from lampyris.bench.dls.inversion import Distribution
from lampyris.bench.dls.light import Optics
from lampyris.bench.dls.scattering import scattered_intensity
from lampyris.core.estimate import Estimate
from lampyris.statistics.thresholds import half_width

Weighting = Literal["volume", "number"]
_POINTS = 400
_REACH = 9.0
_LEAST_NM, _MOST_NM = 0.01, 1e5
_WIDEST = 0.9
"""Standard deviation of the logarithm of a size beyond which a lognormal law of the light says nothing of numbers."""
MOST_SPAN = 4.0
"""Upper over lower end of a mean's interval beyond which the run does not tell it; assumed."""
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
        size, pdi = cumulants.z_average_nm, cumulants.pdi
        spread, least, most = (_log_sd(one) for one in (cumulants.lognormal_pdi, pdi.low, pdi.high))
        low, common = max(size.low, _LEAST_NM), cumulants.law.correlation_at(pdi.value)
        return (Part(cumulants.lognormal_nm, low, size.high, spread, least, most, correlation=common),)
    made = []
    for one in distribution.peaks:
        mean, width, area = one.mean_nm, one.sd_nm, one.area
        spread, widest = (_log_sd((wide / mean.value) ** 2) for wide in (width.value, width.high))
        made.append(
            Part(mean.value, max(mean.low, _LEAST_NM), mean.high, spread, 0.0, widest, 0.0, area.value, area.sd)
        )
    return tuple(made)


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
        The interval runs from the widest to the narrowest that each population can be, and holds the errors of means and areas, all on
        the scale of the logarithm. Without a value, its interval kept, where a population decides the mean whose share of the light may
        be none, or the law is as broad as it can be.
    """
    middles = [one.mean_nm * math.exp(0.5 * one.spread**2) for one in parts]
    grid = np.geomspace(min(middles) * math.exp(-_REACH), max(middles) * math.exp(0.5 * _REACH), _POINTS)
    light = np.log(np.maximum(scattered_intensity(grid, optics, particle_index=particle_index), 1e-300))

    def log_mean(own: Sequence[Part]) -> float:
        return _log_mean(own, (np.log(grid), light), 3.0 if weighting == "volume" else 0.0)

    at = log_mean(parts)
    reach = half_width(level)
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
    absent = [
        log_mean([*parts[:k], *parts[k + 1 :]]) - at
        for k, one in enumerate(parts)
        if len(parts) > 1 and one.area <= reach * one.area_sd
    ]
    below, above = (
        end + max((max(sign * move, 0.0) for move in absent), default=0.0) ** 2
        for end, sign in ((below, -1.0), (above, 1.0))
    )
    value, below, above = math.exp(at), math.sqrt(max(below, 0.0)), math.sqrt(max(above, 0.0))
    words = "lognormal" if len(parts) == 1 else f"{len(parts)} lognormal populations"
    faint = max(map(abs, absent), default=0.0) > math.log(_DECIDED)
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


def _with(parts: Sequence[Part], k: int, one: Part, /) -> list[Part]:
    return [*parts[:k], one, *parts[k + 1 :]]


def _log_mean(parts: Sequence[Part], law: tuple[NDArray[np.float64], NDArray[np.float64]], power: float) -> float:
    """Logarithm of the mean diameter over all populations, each weighed by its light over that of a sphere."""
    logs, totals = [], []
    for one in parts:
        # the mean rate of a lognormal law lies above that of its middle
        t = np.linspace(-_REACH, 0.5 * _REACH, 271) if one.spread > 0 else np.zeros(1)
        size = math.log(one.mean_nm) + 0.5 * one.spread**2 + one.spread * t
        weight = -0.5 * t**2 - np.interp(size, *law) + power * size
        top = float(weight.max())
        share = np.exp(weight - top)
        light = float(np.exp(-0.5 * t**2).sum())
        logs.append(top + math.log(float(share.sum()) / light * max(one.area, 1e-9)))
        totals.append(float(share @ np.exp(size) / share.sum()))
    most = max(logs)
    shares = [math.exp(one - most) for one in logs]
    return math.log(math.fsum(s * m for s, m in zip(shares, totals, strict=True)) / math.fsum(shares))
