"""Comparison of groups with unequal variances: Welch's analysis of variance, Games-Howell.

Every function takes one value per experimental unit (or mean, standard deviation and number of units). Equal variances
are never assumed: with few animals they cannot be checked, and where they hold little power is lost [1]_.

References
----------
.. [1] Delacre et al. 2019, Int Rev Soc Psychol 32:13, doi:10.5334/irsp.198.
"""

import itertools
import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from lampyris.core.estimate import Estimate
from lampyris.statistics.groups.effects import omega_squared
from lampyris.statistics.groups.samples import OmnibusTest, PairTest, checked_samples, checked_summary, summary

GH = "Games-Howell"


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
    arrays = checked_samples(samples)
    means, sds, ns = summary(arrays)
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
    m, s, n = checked_summary(means, sds, ns)
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
    arrays = checked_samples(samples)
    means, sds, ns = summary(arrays)
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

    m, s, n = checked_summary(means, sds, ns)
    pairs = []
    for a, b in itertools.combinations(range(m.size), 2):
        error, df = _pair_error(s, n, a, b)
        value = float(m[a] - m[b])
        p = float(stats.studentized_range.sf(abs(value) / error * math.sqrt(2), m.size, df))
        half = float(stats.studentized_range.ppf(level, m.size, df)) * error / math.sqrt(2)
        pairs.append(PairTest(a, b, Estimate(value, error, value - half, value + half, level, unit, GH), p))
    return tuple(pairs)


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
