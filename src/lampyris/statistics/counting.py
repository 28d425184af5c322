"""Interval of a mean number that was counted above a background, exact where few were counted."""

import math

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln, xlogy

from lampyris.statistics.roots import sign_change
from lampyris.statistics.thresholds import half_width

Array = NDArray[np.float64]
# standard deviations beyond what was counted that are searched, means that are tried there, and halvings between two of them
_REACH, _TRIED, _HALVINGS = 6.0, 400, 30
_SAME = 1e-9


def counted_interval(counted: int, background: float = 0.0, /, *, level: float = 0.95) -> tuple[float, float]:
    """Interval of the mean number above a known background, by the unified ordering of Feldman and Cousins.

    Parameters
    ----------
    counted : int
        Background included.
    background : float
        Its mean number.
    level : float
        Coverage, which is nowhere lower.

    Returns
    -------
    (float, float)
        Lowest and highest mean above the background that holds `counted` among its likeliest numbers, relative to the best mean
        for each of them; from 0 on.

    References
    ----------
    Feldman & Cousins 1998, Phys Rev D 57:3873, doi:10.1103/PhysRevD.57.3873, section IV.A.

    Examples
    --------
    >>> [tuple(round(one, 2) for one in counted_interval(n)) for n in (0, 1, 3)]
    [(0.0, 3.09), (0.05, 5.14), (0.82, 8.25)]
    """
    most = counted + _REACH * math.sqrt(counted + background + 4.0) + 6.0
    tried = np.linspace(0.0, most, _TRIED)
    held = np.flatnonzero(_accepted(counted, background, tried, level))
    ends = []
    for inside, outside in ((int(held[0]), int(held[0]) - 1), (int(held[-1]), int(held[-1]) + 1)):
        if not 0 <= outside < tried.size:
            ends.append(float(tried[inside]))
            continue
        good, bad = float(tried[inside]), float(tried[outside])
        for _ in range(_HALVINGS):
            middle = 0.5 * (good + bad)
            good, bad = (
                (middle, bad) if _accepted(counted, background, np.array([middle]), level)[0] else (good, middle)
            )
        ends.append(good)
    return ends[0], ends[1]


def _accepted(counted: int, background: float, means: Array, level: float) -> NDArray[np.bool_]:
    """Whether the numbers that a mean ranks before what was counted hold less than the level, dims (mean,)."""
    totals = means[:, None] + background
    numbers = np.arange(int(totals.max() + 10.0 * math.sqrt(totals.max() + 1.0)) + counted + 10)
    best = np.maximum(numbers - background, 0.0) + background
    log_chance = xlogy(numbers, totals) - totals - gammaln(numbers + 1.0)
    rank = log_chance - (xlogy(numbers, best) - best - gammaln(numbers + 1.0))
    before = rank > rank[:, counted : counted + 1] + _SAME
    return np.asarray((np.exp(log_chance) * before).sum(axis=1) < level)


def counting_factors(counted: float, background: float = 0.0, /, *, level: float = 0.95) -> tuple[float, float]:
    """By how much the likelihood's distances from the estimate to either end fall short of those of `counted_interval`.

    Parameters
    ----------
    counted, background : float
        As there; between whole numbers what lies between their factors.
    level : float

    Returns
    -------
    (float, float)
        Of the lower and the upper end; 1 where many were counted, and of an end that both have at none.

    Examples
    --------
    >>> [tuple(round(one, 2) for one in counting_factors(n)) for n in (0, 1, 100)]
    [(1.0, 1.61), (1.01, 1.22), (1.02, 1.02)]
    """
    low = math.floor(counted)
    if counted == low:
        return _factors(low, background, level)
    share = counted - low
    ends = _factors(low, background, level), _factors(low + 1, background, level)
    return (1.0 - share) * ends[0][0] + share * ends[1][0], (1.0 - share) * ends[0][1] + share * ends[1][1]


def _factors(counted: int, background: float, level: float) -> tuple[float, float]:
    best = max(counted - background, 0.0)
    asked = half_width(level) ** 2

    def rise(mean: float) -> float:
        total, least = mean + background, best + background
        return float(2.0 * (total - least - xlogy(counted, total) + xlogy(counted, least)))

    exact = counted_interval(counted, background, level=level)
    found = []
    for end, far in ((exact[0], 0.0), (exact[1], exact[1] + 20.0 * (exact[1] - best + 1.0))):
        if best == far or rise(far) <= asked:
            found.append(1.0)
            continue
        likely = sign_change(lambda mean: rise(mean) - asked, *sorted((best, far)))
        found.append((end - best) / (likely - best))
    return found[0], found[1]
