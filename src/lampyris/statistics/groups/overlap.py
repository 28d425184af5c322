"""Probability that a unit of one group exceeds one of another, and Cliff's delta, with a studentised permutation interval."""

import itertools
import math
from dataclasses import replace
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from lampyris.core.estimate import Estimate
from lampyris.statistics.groups.samples import Floats
from lampyris.statistics.roots import sign_change
from lampyris.statistics.thresholds import half_width

# splits of the units that are counted one by one, random splits otherwise, and units beyond which the normal quantile serves
MOST_COUNTED = 13_000
RANDOM_SPLITS = 4_999
MOST_UNITS = 100
SEED = 20_161
METHOD = "probability of superiority, studentised permutation interval"
APART = "groups do not overlap: largest variance that can be"


def superiority(a: ArrayLike, b: ArrayLike, /, *, level: float = 0.95) -> Estimate:
    """Probability that a unit of one group exceeds one of another, ties counted half.

    Parameters
    ----------
    a, b : array_like, dims (animal,)
        Values of two groups.
    level : float
        Coverage of the interval.

    Returns
    -------
    Estimate
        0.5 where neither tends to be larger; Cliff's delta is ``2 p - 1``. The standard error is that of Brunner and Munzel, which
        allows unequal spread; NaN where the groups do not overlap.

    Raises
    ------
    ValueError
        If a group has fewer than two values.

    Notes
    -----
    The interval holds every p for which ``|v - p| <= q sqrt(k p (1 - p))``, v being the estimate, k the variance of v over
    v (1 - v). It is Brunner and Munzel's variance, but no less than that of Newcombe's method 5 at p: with few
    overlaps the data say little of it. Where groups do not overlap they say nothing, and k is the largest that can be, 1 over
    the units of the smaller group (Birnbaum and Klose), with the fewest degrees of freedom. q is such that the statistic, taken
    to the normal scale by Student's t with Welch's degrees of freedom, exceeds it in as many splits of the pooled units as the
    level leaves (Neubert and Brunner; Pauly and others for the interval); with more than 100 units q is the normal quantile.

    In simulation with 4 to 20 units per group and spreads up to threefold apart a 95 % interval covers 0.92 to 0.99
    (the accuracy table "nulls"). Where groups are apart by chance more often than an end may miss (2.5 %), that end never
    misses, since it could only miss in all of those draws: coverage is then 0.96 to 0.98. The estimate of few units takes few
    values: of three against three even full separation comes by chance once in ten times, so that 0.5 is never outside and is
    covered always. With four in the smaller group 0.5 is not outside by full separation alone: if that group spreads widely
    about the other, all four lie to one side of it once in eight times.

    References
    ----------
    Brunner & Munzel 2000, Biom J 42:17, doi:10.1002/(SICI)1521-4036(200001)42:1<17::AID-BIMJ17>3.0.CO;2-U; Neubert & Brunner
    2007, Comput Stat Data Anal 51:5192, doi:10.1016/j.csda.2006.05.024; Pauly, Asendorf & Konietschke 2016, Biom J 58:1319,
    doi:10.1002/bimj.201500105; Newcombe 2006, Stat Med 25:559, doi:10.1002/sim.2324; Birnbaum & Klose 1957, Ann Math Stat 28:933
    (and its use for this purpose: Schüürhuis, Konietschke & Brunner 2025, arXiv:2504.01796);
    Cliff 1993, Psychol Bull 114:494, doi:10.1037/0033-2909.114.3.494.

    Examples
    --------
    >>> e = superiority([5.1, 4.8, 6.0, 5.5], [4.0, 4.9, 4.1, 5.0])
    >>> f"{e.value:.3f} ({e.low:.2f} to {e.high:.2f})"
    '0.875 (0.49 to 0.98)'
    """
    x, y = (np.asarray(sample, dtype=np.float64) for sample in (a, b))
    if min(x.size, y.size) < 2 or x.ndim != 1 or y.ndim != 1 or not np.isfinite([*x, *y]).all():
        raise ValueError(f"needs two groups of at least two finite values, got shapes {x.shape} and {y.shape}")
    above, below = _placements(x, y), _placements(y, x)
    value, share, df, apart = (float(one[0]) for one in _moments(above[None], below[None]))
    error = math.sqrt(float(above.var(ddof=1)) / x.size + float(below.var(ddof=1)) / y.size)
    quantile = -float(special.stdtrit(df, special.ndtr(-_critical(x, y, level))))
    low, high = _ends(value, share, quantile, x.size, y.size)
    method = f"{METHOD} ({APART})" if apart else METHOD
    return Estimate(value, math.nan if apart else error, min(low, value), max(high, value), level, "1", method)


def cliffs_delta(a: ArrayLike, b: ArrayLike, /, *, level: float = 0.95) -> Estimate:
    """Cliff's delta: how much more often a unit of one group exceeds one of the other than falls below it.

    Parameters
    ----------
    a, b : array_like, dims (animal,)
        Values of two groups.
    level : float
        Coverage of the interval.

    Returns
    -------
    Estimate
        From -1 to 1: twice the probability of `superiority` less 1.

    Raises
    ------
    ValueError
        As `superiority`.

    Examples
    --------
    >>> cliffs_delta([5.1, 4.8, 6.0, 5.5], [4.0, 4.9, 4.1, 5.0]).value
    0.75
    """
    p = superiority(a, b, level=level)
    method = p.method.replace("probability of superiority", "Cliff's delta")
    return replace(p, value=2 * p.value - 1, sd=2 * p.sd, low=2 * p.low - 1, high=2 * p.high - 1, method=method)


def _placements(x: Floats, y: Floats) -> Floats:
    """Share of y below each value of x, ties half."""
    ordered = np.sort(y)
    return 0.5 * (np.searchsorted(ordered, x, "left") + np.searchsorted(ordered, x, "right")) / y.size


def _moments(above: Floats, below: Floats) -> tuple[Floats, Floats, Floats, NDArray[np.bool_]]:
    """Estimate, variance of it over v (1 - v), degrees of freedom, and whether groups are apart; dims (set, unit) to (set,)."""
    m, n = above.shape[1], below.shape[1]
    value = above.mean(axis=1)
    first, second = above.var(axis=1, ddof=1) / m, below.var(axis=1, ddof=1) / n
    least = min(m, n)
    apart = (first + second <= 0) | (value <= 0) | (value >= 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(apart, 1 / least, (first + second) / (value * (1 - value)))
        df = np.where(apart, least - 1, (first + second) ** 2 / (first**2 / (m - 1) + second**2 / (n - 1)))
    return value, share, df, apart


def _newcombe_share(p: float, m: int, n: int) -> float:
    """Variance of the estimate over p (1 - p) by Newcombe's method 5."""
    pairs = 0.5 * (m + n)
    return (1 + (pairs - 1) * ((1 - p) / (2 - p) + p / (1 + p))) / (m * n)


def _ends(value: float, share: float, quantile: float, m: int, n: int) -> tuple[float, float]:
    # a fixed share gives Wilson's interval; the smaller of the shares never reaches further
    spread = quantile**2 * share
    middle = (value + 0.5 * spread) / (1 + spread)
    half = math.sqrt(max(spread * (value * (1 - value) + 0.25 * spread), 0.0)) / (1 + spread)

    def excess(p: float) -> float:
        return (p - value) ** 2 - quantile**2 * p * (1 - p) * _newcombe_share(p, m, n)

    # at 0 and 1 the spread is 0 too, which is no end of the interval
    low = sign_change(excess, 0.0, min(value, 1 - 1e-9)) if value > 0 else 0.0
    high = sign_change(excess, max(value, 1e-9), 1.0) if value < 1 else 1.0
    return max(min(low, middle - half), 0.0), min(max(high, middle + half), 1.0)


def _critical(x: Floats, y: Floats, level: float) -> float:
    """What the statistic at one half exceeds, on the normal scale, in as many splits of the pooled units as the level leaves."""
    _, sizes = np.unique(np.concatenate([x, y]), return_counts=True)
    if sizes.size == 1 or x.size + y.size > MOST_UNITS:
        return half_width(level)
    # a split and its mirror have one statistic: both orders share an entry, and groups that change places mirrored intervals
    ties = tuple(int(one) for one in sizes)
    splits = _split_statistics(min(x.size, y.size), max(x.size, y.size), min(ties, ties[::-1]))
    return float(splits[math.ceil(level * splits.size) - 1]) * (1 + 1e-9)


@lru_cache(maxsize=64)
def _split_statistics(m: int, n: int, ties: tuple[int, ...]) -> Floats:
    """The statistic at one half, rising, of splits of units with these ties into groups of m and n."""
    total = m + n
    if math.comb(total, m) <= MOST_COUNTED:
        chosen = np.array(list(itertools.combinations(range(total), m)), dtype=np.intp)
    else:
        order = np.random.default_rng([SEED, m, n]).random((RANDOM_SPLITS, total))
        chosen = np.argsort(order, axis=1)[:, :m]
    first = np.zeros((len(chosen), total), dtype=bool)
    np.put_along_axis(first, chosen, values=True, axis=1)
    ends = np.cumsum(ties)
    block = np.repeat(np.arange(len(ties)), ties)
    shares = []
    for own in (first, ~first):
        passed = np.concatenate([np.zeros((len(own), 1)), np.cumsum(~own, axis=1)], axis=1)
        others = 0.5 * (passed[:, (ends - ties)[block]] + passed[:, ends[block]])
        shares.append(others[own].reshape(len(own), -1) / (total - own[0].sum()))
    value, share, df, _ = _moments(*shares)
    t = np.abs(value - 0.5) / np.sqrt(0.25 * np.maximum(share, _newcombe_share(0.5, m, n)))
    found = np.sort(-special.ndtri(special.stdtr(df, -t)))
    found.setflags(write=False)
    return found
