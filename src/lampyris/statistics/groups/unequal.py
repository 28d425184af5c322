"""Groups with unequal variances: Welch's analysis of variance, Games-Howell, Dunnett's test without equal variances.

Every function takes one value per experimental unit (or mean, standard deviation and number of units). Equal variances
are never assumed: with few animals they cannot be checked, and where they hold little power is lost [1]_. The forms that take
values reduce them to mean, standard deviation and n first, so that both forms agree.

References
----------
.. [1] Delacre et al. 2019, Int Rev Soc Psychol 32:13, doi:10.5334/irsp.198.
"""

import itertools
import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from lampyris.core.estimate import Estimate
from lampyris.statistics.explained import omega_squared
from lampyris.statistics.groups.effects import welch_error
from lampyris.statistics.groups.samples import (
    Floats,
    OmnibusTest,
    PairTest,
    checked_samples,
    checked_summary,
    summary,
)
from lampyris.statistics.groups.simultaneous import (
    many_to_one_quantile,
    many_to_one_sf,
    studentised_range_quantile,
    studentised_range_sf,
)

WELCH = "Welch's analysis of variance"
GAMES_HOWELL = "Games-Howell"
DUNNETT_UNEQUAL = "Dunnett without equal variances"


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
    return welch_anova_from_summary(*summary(checked_samples(samples)), level=level)


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
    f, df1, df2 = (float(one) for one in welch_f(m, s, n))
    effect = omega_squared(f, df1, df2, int(n.sum()), level=level)
    return OmnibusTest(WELCH, f, df1, df2, float(special.fdtrc(df1, df2, f)), effect)


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
        In the order (0, 1), (0, 2), ...

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
    return games_howell_from_summary(*summary(checked_samples(samples)), unit=unit, level=level)


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
    m, s, n = checked_summary(means, sds, ns)
    places = list(itertools.combinations(range(m.size), 2))
    errors, dfs = np.array([_pair_error(s, n, a, b) for a, b in places]).T
    return simultaneous_pairs(m, places, errors, dfs, unit=unit, level=level)


def dunnett_unequal(
    samples: Sequence[ArrayLike], /, *, control: int = 0, unit: str = "1", level: float = 0.95
) -> tuple[PairTest, ...]:
    """Every group against one control, without equal variances or sizes.

    Parameters
    ----------
    samples : sequence of array_like, dims (animal,)
        Values per group.
    control : int
        Place of the control.
    unit : str
        Unit of the values.
    level : float
        Simultaneous coverage of the intervals.

    Returns
    -------
    tuple of PairTest
        Per other group in order: that group minus the control.

    Raises
    ------
    ValueError
        As `welch_anova`.

    References
    ----------
    Hasler & Hothorn 2008, Biom J 50:793, doi:10.1002/bimj.200710466: per comparison the multivariate t with Welch's degrees of
    freedom and correlations from the estimated variances.

    Examples
    --------
    >>> pair = dunnett_unequal([[24, 23, 31, 51], [34, 18, 18, 26], [17, 68, 59, 7]])[0]
    >>> pair.a, pair.b, round(pair.p, 3)
    (1, 0, 0.509)
    """
    return dunnett_unequal_from_summary(*summary(checked_samples(samples)), control=control, unit=unit, level=level)


def dunnett_unequal_from_summary(
    means: ArrayLike, sds: ArrayLike, ns: ArrayLike, /, *, control: int = 0, unit: str = "1", level: float = 0.95
) -> tuple[PairTest, ...]:
    """Every group against one control from a printed table; equal to `dunnett_unequal` of the values behind it.

    Parameters
    ----------
    means, sds, ns : array_like, dims (group,)
        Mean, standard deviation (divisor n - 1) and number of units per group.
    control : int
        Place of the control.
    unit : str
        Unit of the means.
    level : float
        Simultaneous coverage of the intervals.

    Returns
    -------
    tuple of PairTest
        Per other group in order: that group minus the control.

    Raises
    ------
    ValueError
        As `welch_anova`.
    """
    m, s, n = checked_summary(means, sds, ns)
    places = [(a, control) for a in range(m.size) if a != control]
    errors, dfs = np.array([_pair_error(s, n, a, b) for a, b in places]).T
    loadings = s[control] / math.sqrt(n[control]) / errors
    return against_control(m, places, errors, dfs, loadings, unit=unit, level=level, method=DUNNETT_UNEQUAL)


def simultaneous_pairs(
    means: Floats, places: Sequence[tuple[int, int]], errors: Floats, dfs: Floats, /,
    *, unit: str, level: float, method: str = GAMES_HOWELL,
) -> tuple[PairTest, ...]:  # fmt: skip
    """All pairs from differences, standard errors and degrees of freedom, by the studentised range.

    Parameters
    ----------
    means : ndarray, dims (group,)
        Means.
    places : sequence of tuple of int
        The pairs.
    errors, dfs : ndarray, dims (pair,)
        Standard error of each difference and its degrees of freedom.
    unit, level, method : str, float, str
        Of the intervals.

    Returns
    -------
    tuple of PairTest
    """
    values = np.array([means[a] - means[b] for a, b in places])
    if means.size == 2:
        return _two(places, values, errors, dfs, unit=unit, level=level, method=method)
    root2 = math.sqrt(2)
    p = studentised_range_sf(root2 * np.abs(values) / errors, means.size, dfs)
    half = studentised_range_quantile(level, means.size, dfs) / root2 * errors
    return _pairs(places, (values, errors, dfs, p, half), unit=unit, level=level, method=method)


def against_control(
    means: Floats, places: Sequence[tuple[int, int]], errors: Floats, dfs: Floats, loadings: Floats, /,
    *, unit: str, level: float, method: str,
) -> tuple[PairTest, ...]:  # fmt: skip
    """Differences to one control by the many-to-one t; parameters as `simultaneous_pairs` and `many_to_one_sf`."""
    values = np.array([means[a] - means[b] for a, b in places])
    if means.size == 2:
        return _two(places, values, errors, dfs, unit=unit, level=level, method=method)
    p = many_to_one_sf(np.abs(values) / errors, loadings, dfs)
    half = many_to_one_quantile(level, loadings, dfs) * errors
    return _pairs(places, (values, errors, dfs, p, half), unit=unit, level=level, method=method)


def _two(
    places: Sequence[tuple[int, int]], values: Floats, errors: Floats, dfs: Floats, /,
    *, unit: str, level: float, method: str,
) -> tuple[PairTest, ...]:  # fmt: skip
    """The one pair of two groups, by Student's t."""
    p = 2 * special.stdtr(dfs, -np.abs(values) / errors)
    half = special.stdtrit(dfs, 0.5 * (1 + level)) * errors
    return _pairs(places, (values, errors, dfs, p, half), unit=unit, level=level, method=method)


def _pairs(
    places: Sequence[tuple[int, int]],
    numbers: tuple[Floats, Floats, Floats, Floats, Floats],
    *,
    unit: str,
    level: float,
    method: str,
) -> tuple[PairTest, ...]:
    """Pairs from differences, standard errors, degrees of freedom, p and half widths."""
    return tuple(
        PairTest(
            a,
            b,
            Estimate(float(v), float(e), float(v - h), float(v + h), level, unit, method),
            float(q),
            float(v / e),
            float(df),
        )
        for (a, b), v, e, df, q, h in zip(places, *numbers, strict=True)
    )


def welch_f(means: Floats, sds: Floats, ns: Floats, /) -> tuple[Floats, float, Floats]:
    """Welch's F and its degrees of freedom, of many data sets at once.

    Parameters
    ----------
    means, sds, ns : ndarray, dims (..., group)
        Mean, standard deviation above 0 and number of units.

    Returns
    -------
    f, df1, df2 : ndarray, float, ndarray
        `f` and `df2` have the dims before the last.
    """
    k = means.shape[-1]
    weights = ns / sds**2
    total = weights.sum(axis=-1, keepdims=True)
    centre = (weights * means).sum(axis=-1, keepdims=True) / total
    between = (weights * (means - centre) ** 2).sum(axis=-1) / (k - 1)
    spread = ((1 - weights / total) ** 2 / (ns - 1)).sum(axis=-1)
    f = between / (1 + 2 * (k - 2) * spread / (k * k - 1))
    return f, float(k - 1), (k * k - 1) / (3 * spread)


def _pair_error(sds: Floats, ns: Floats, a: int, b: int) -> tuple[float, float]:
    both = [a, b]
    return welch_error(sds[both] ** 2 / ns[both], ns[both])
