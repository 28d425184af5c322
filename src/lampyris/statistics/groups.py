"""Comparison of groups with unequal variances: Welch's analysis of variance, Games-Howell, Holm.

Every function takes one value per experimental unit (or mean, standard deviation and number of units). Equal variances
are never assumed: with few animals they cannot be checked, and where they hold little power is lost [1]_.

References
----------
.. [1] Delacre et al. 2019, Int Rev Soc Psychol 32:13, doi:10.5334/irsp.198.
"""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import optimize, special

from lampyris.core.estimate import Estimate


@dataclass(frozen=True, slots=True)
class OmnibusTest:
    """Whether any group differs.

    Parameters
    ----------
    name : str
        Name of the test.
    statistic, df1, df2, p : float
        F, its degrees of freedom, and the probability of a larger F if all means are equal.
    effect_size : Estimate
        Omega squared: share of the variance that the groups explain, with its interval.
    """

    name: str
    statistic: float
    df1: float
    df2: float
    p: float
    effect_size: Estimate


@dataclass(frozen=True, slots=True)
class PairTest:
    """How two groups differ.

    Parameters
    ----------
    a, b : int
        Places of the two groups in the input.
    difference : Estimate
        Mean of a minus mean of b; its interval is simultaneous over all pairs, `sd` is the standard error.
    p : float
        Adjusted for all pairs.
    """

    a: int
    b: int
    difference: Estimate
    p: float


def welch_anova(samples: Sequence[ArrayLike], /, *, level: float = 0.95) -> OmnibusTest:
    """Welch's analysis of variance: equal means without equal variances.

    Parameters
    ----------
    samples : sequence of array_like, dims (animal,)
        Values per group; at least two groups of at least two values that differ.
    level : float
        Coverage of the interval of the effect size.

    Returns
    -------
    OmnibusTest
        Statistic and p from SciPy.

    Raises
    ------
    ValueError
        If a group has fewer than two values, no spread, or a value that is not finite.

    References
    ----------
    Welch 1951, Biometrika 38:330, doi:10.1093/biomet/38.3-4.330.

    Examples
    --------
    >>> test = welch_anova([[4.2, 5.6, 5.2], [4.8, 4.2, 4.4], [6.3, 5.1, 5.5]])
    >>> f"F({test.df1:.0f}, {test.df2:.2f}) = {test.statistic:.2f}, p = {test.p:.3f}"
    'F(2, 3.47) = 3.86, p = 0.131'
    """
    arrays = _samples(samples)
    means, sds, ns = _summary(arrays)
    from scipy import stats  # takes more than half a second to import

    answer = stats.f_oneway(*arrays, equal_var=False)
    _, df1, df2 = _welch(means, sds, ns)
    return _omnibus(float(answer.statistic), df1, df2, float(answer.pvalue), int(ns.sum()), level)


def welch_anova_from_summary(means: ArrayLike, sds: ArrayLike, ns: ArrayLike, /, *, level: float = 0.95) -> OmnibusTest:
    """Welch's analysis of variance from a printed table; equal to `welch_anova` of the values behind it.

    Parameters
    ----------
    means, sds, ns : array_like, dims (group,)
        Mean, standard deviation (divisor n - 1) and number of units per group.
    level : float
        Coverage of the interval of the effect size.

    Returns
    -------
    OmnibusTest

    Raises
    ------
    ValueError
        As `welch_anova`.

    Examples
    --------
    >>> test = welch_anova_from_summary([5.0, 4.5, 5.6], [0.7, 0.3, 0.6], [3, 3, 3])
    >>> round(test.p, 3)
    0.144
    """
    m, s, n = _checked_summary(means, sds, ns)
    f, df1, df2 = _welch(m, s, n)
    return _omnibus(f, df1, df2, float(special.fdtrc(df1, df2, f)), int(n.sum()), level)


def games_howell(samples: Sequence[ArrayLike], /, *, unit: str = "1", level: float = 0.95) -> tuple[PairTest, ...]:
    """Games-Howell comparison of all pairs, without equal variances or sizes.

    Parameters
    ----------
    samples : sequence of array_like, dims (animal,)
        Values per group.
    unit : str
        Unit of the values.
    level : float
        Simultaneous coverage of the intervals.

    Returns
    -------
    tuple of PairTest
        In the order (0, 1), (0, 2), ..., from SciPy.

    Raises
    ------
    ValueError
        As `welch_anova`.

    References
    ----------
    Games & Howell 1976, J Educ Stat 1:113, doi:10.3102/10769986001002113.

    Examples
    --------
    >>> pair = games_howell([[24, 23, 31, 51], [34, 18, 18, 26]])[0]
    >>> round(pair.difference.value, 2), round(pair.p, 3)
    (8.25, 0.325)
    """
    arrays = _samples(samples)
    means, sds, ns = _summary(arrays)
    from scipy import stats  # takes more than half a second to import

    answer = stats.tukey_hsd(*arrays, equal_var=False)
    interval = answer.confidence_interval(confidence_level=level)
    pairs = []
    for a, b in itertools.combinations(range(len(arrays)), 2):
        error, _ = _pair_error(sds, ns, a, b)
        difference = Estimate(
            float(means[a] - means[b]), error, float(interval.low[a, b]), float(interval.high[a, b]), level, unit, GH
        )
        pairs.append(PairTest(a, b, difference, float(answer.pvalue[a, b])))
    return tuple(pairs)


def games_howell_from_summary(
    means: ArrayLike, sds: ArrayLike, ns: ArrayLike, /, *, unit: str = "1", level: float = 0.95
) -> tuple[PairTest, ...]:
    """Games-Howell comparison from a printed table; equal to `games_howell` of the values behind it.

    Parameters
    ----------
    means, sds, ns : array_like, dims (group,)
        Mean, standard deviation (divisor n - 1) and number of units per group.
    unit : str
        Unit of the means.
    level : float
        Simultaneous coverage of the intervals.

    Returns
    -------
    tuple of PairTest
        In the order (0, 1), (0, 2), ...

    Raises
    ------
    ValueError
        As `welch_anova`.
    """
    from scipy import stats  # takes more than half a second to import

    m, s, n = _checked_summary(means, sds, ns)
    pairs = []
    for a, b in itertools.combinations(range(m.size), 2):
        error, df = _pair_error(s, n, a, b)
        value = float(m[a] - m[b])
        p = float(stats.studentized_range.sf(abs(value) / error * math.sqrt(2), m.size, df))
        half = float(stats.studentized_range.ppf(level, m.size, df)) * error / math.sqrt(2)
        pairs.append(PairTest(a, b, Estimate(value, error, value - half, value + half, level, unit, GH), p))
    return tuple(pairs)


def omega_squared(f: float, df1: float, df2: float, n: int, /, *, level: float = 0.95) -> Estimate:
    """Share of the variance that the groups explain, from F, with the interval of the noncentral F distribution.

    Parameters
    ----------
    f, df1, df2 : float
        Statistic and its degrees of freedom.
    n : int
        Number of units over all groups.
    level : float
        Coverage of the two-sided interval.

    Returns
    -------
    Estimate
        Between 0 and 1. The point estimate is ``df1 (F - 1) / (df1 (F - 1) + n)``, set to 0 where negative; the interval
        is ``lambda / (lambda + n)`` at both ends of the noncentrality. After Welch's test it is an approximation.

    References
    ----------
    Steiger 2004, Psychol Methods 9:164, doi:10.1037/1082-989X.9.2.164.

    Examples
    --------
    >>> e = omega_squared(4.846, 2, 27, 30)
    >>> f"{e.value:.3f} ({e.low:.3f} to {e.high:.3f})"
    '0.204 (0.010 to 0.464)'
    """
    tail = 0.5 * (1 - level)
    low, high = (_noncentrality(f, df1, df2, p) for p in (1 - tail, tail))
    value = max(0.0, df1 * (f - 1) / (df1 * (f - 1) + n))
    ends = (low / (low + n), high / (high + n))
    # with few units the adjusted point estimate may fall outside the inverted test's interval by a hair
    return Estimate(
        value, math.nan, min(ends[0], value), max(ends[1], value), level, "1", "omega squared, noncentral F interval"
    )


def holm(p_values: ArrayLike, /) -> NDArray[np.float64]:
    """Holm's adjustment of p values for the number of tests; NaN (no test made) is passed over.

    Parameters
    ----------
    p_values : array_like, dims (test,)
        Unadjusted p values.

    Returns
    -------
    ndarray, dims (test,)
        Adjusted p values, at most 1.

    References
    ----------
    Holm 1979, Scand J Stat 6:65.

    Examples
    --------
    >>> [round(float(p), 4) for p in holm([0.01, 0.04, 0.03])]
    [0.03, 0.06, 0.06]
    """
    p = np.asarray(p_values, dtype=np.float64)
    adjusted = np.full(p.shape, np.nan)
    made = np.flatnonzero(np.isfinite(p))
    order = made[np.argsort(p[made], kind="stable")]
    steps = p[order] * np.arange(order.size, 0, -1)
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return adjusted


def why_no_test(samples: Sequence[ArrayLike], /, *, least: int = 3) -> str:
    """Say why these groups cannot be tested; "" where they can.

    Parameters
    ----------
    samples : sequence of array_like, dims (animal,)
        Values per group.
    least : int
        Fewest units per group.

    Returns
    -------
    str
        A clause such as "a group has 2 animals and 3 are the least".

    Examples
    --------
    >>> why_no_test([[1.0, 2.0, 3.0], [2.0, 4.0]])
    'a group has 2 values, and a test needs 3 in each'
    """
    if len(samples) < 2:
        return f"a test needs two groups, and there is {len(samples)}" if samples else "there is no group to test"
    arrays = [np.asarray(sample, dtype=np.float64) for sample in samples]
    fewest = min(array.size for array in arrays)
    if fewest < least:
        return f"a group has {fewest} value{'' if fewest == 1 else 's'}, and a test needs {least} in each"
    if any(_has_no_spread(array) for array in arrays):
        return "the values of a group do not differ, so their spread is unknown"
    return ""


GH = "Games-Howell"


def _has_no_spread(array: NDArray[np.float64]) -> bool:
    # np.ptp is exact where the standard deviation of equal values may be a rounding error above zero
    return bool(np.ptp(array) == 0)


def _samples(samples: Sequence[ArrayLike]) -> list[NDArray[np.float64]]:
    arrays = [np.asarray(sample, dtype=np.float64) for sample in samples]
    faults = [] if len(arrays) >= 2 else [f"needs at least two groups, got {len(arrays)}"]
    for place, array in enumerate(arrays):
        if array.ndim != 1 or array.size < 2:
            faults.append(f"group {place} needs at least two values in one dimension, has shape {array.shape}")
        elif not np.isfinite(array).all():
            faults.append(f"group {place} holds values that are not finite")
        elif _has_no_spread(array):
            faults.append(f"group {place} has no spread: all values are {array[0]}")
    if faults:
        raise ValueError("; ".join(faults))
    return arrays


def _summary(
    arrays: list[NDArray[np.float64]],
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    return (
        np.array([array.mean() for array in arrays]),
        np.array([array.std(ddof=1) for array in arrays]),
        np.array([array.size for array in arrays], dtype=np.float64),
    )


def _checked_summary(
    means: ArrayLike, sds: ArrayLike, ns: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    m, s, n = (np.asarray(values, dtype=np.float64) for values in (means, sds, ns))
    if m.ndim != 1 or m.size < 2 or m.shape != s.shape or m.shape != n.shape:
        raise ValueError(f"needs mean, sd and n of at least two groups, got shapes {m.shape}, {s.shape}, {n.shape}")
    if not (np.isfinite(m).all() and np.isfinite(s).all() and (s > 0).all() and (n >= 2).all()):
        raise ValueError(f"every group needs a finite mean, sd above 0 and n of at least 2, got {m}, {s}, {n}")
    return m, s, n


def _welch(means: NDArray[np.float64], sds: NDArray[np.float64], ns: NDArray[np.float64]) -> tuple[float, float, float]:
    k = means.size
    weights = ns / sds**2
    total = weights.sum()
    centre = (weights * means).sum() / total
    between = (weights * (means - centre) ** 2).sum() / (k - 1)
    spread = ((1 - weights / total) ** 2 / (ns - 1)).sum()
    f = between / (1 + 2 * (k - 2) * spread / (k * k - 1))
    return float(f), float(k - 1), float((k * k - 1) / (3 * spread))


def _pair_error(sds: NDArray[np.float64], ns: NDArray[np.float64], a: int, b: int) -> tuple[float, float]:
    """Standard error of a difference and its Welch-Satterthwaite degrees of freedom."""
    va, vb = sds[a] ** 2 / ns[a], sds[b] ** 2 / ns[b]
    df = (va + vb) ** 2 / (va**2 / (ns[a] - 1) + vb**2 / (ns[b] - 1))
    return math.sqrt(va + vb), float(df)


def _omnibus(f: float, df1: float, df2: float, p: float, n: int, level: float) -> OmnibusTest:
    return OmnibusTest("Welch's analysis of variance", f, df1, df2, p, omega_squared(f, df1, df2, n, level=level))


def _noncentrality(f: float, df1: float, df2: float, p: float) -> float:
    """Noncentrality at which F falls below `f` with probability `p`; 0 where even the central F does so less often."""

    def excess(nc: float) -> float:
        return float(special.ncfdtr(df1, df2, nc, f)) - p

    if f <= 0 or excess(0.0) <= 0:
        return 0.0
    high = 10.0 * df1 * max(f, 1.0) + 10.0
    while excess(high) > 0:
        high *= 2
    return float(optimize.brentq(excess, 0.0, high, xtol=1e-10, rtol=1e-12))
