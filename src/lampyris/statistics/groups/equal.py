"""Groups with equal variances: one-way analysis of variance, Tukey-Kramer, Dunnett.

They are what many papers print. Where spread and number of units differ together their error rates are wrong in either
direction; `lampyris.statistics.groups.unequal` has the forms that hold.
"""

import itertools
import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from lampyris.statistics.explained import omega_squared
from lampyris.statistics.groups.samples import (
    Floats,
    OmnibusTest,
    PairTest,
    checked_samples,
    checked_summary,
    summary,
)
from lampyris.statistics.groups.unequal import against_control, simultaneous_pairs

ANOVA = "one-way analysis of variance"
TUKEY_KRAMER = "Tukey-Kramer"
DUNNETT = "Dunnett"


def one_way_anova(samples: Sequence[ArrayLike], /, *, level: float = 0.95) -> OmnibusTest:
    """One-way analysis of variance: equal means, if the variances are equal.

    Parameters
    ----------
    samples : sequence of array_like, dims (animal,)
        Values per group; at least two groups of at least two values.
    level : float
        Coverage of the interval of the effect size.

    Returns
    -------
    OmnibusTest

    Raises
    ------
    ValueError
        If a group has fewer than two values or one that is not finite, or no group has any spread.

    Examples
    --------
    >>> test = one_way_anova([[4.2, 5.6, 5.2], [4.8, 4.2, 4.4], [6.3, 5.1, 5.5]])
    >>> f"F({test.df1:.0f}, {test.df2:.0f}) = {test.statistic:.2f}, p = {test.p:.3f}"
    'F(2, 6) = 3.11, p = 0.118'
    """
    arrays = checked_samples(samples, spread=False)
    # values far from 0 lose no digits once a value of their own is taken off; F does not change
    centred = [array - arrays[0][0] for array in arrays]
    return one_way_anova_from_summary(*summary(centred), level=level)


def one_way_anova_from_summary(
    means: ArrayLike, sds: ArrayLike, ns: ArrayLike, /, *, level: float = 0.95
) -> OmnibusTest:
    """One-way analysis of variance from a printed table; equal to `one_way_anova` of the values behind it.

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
        As `one_way_anova`.

    Examples
    --------
    >>> round(one_way_anova_from_summary([5.0, 4.5, 5.6], [0.7, 0.3, 0.6], [3, 3, 3]).p, 3)
    0.131
    """
    m, s, n = checked_summary(means, sds, ns, spread=False)
    f, df1, df2 = (float(one) for one in anova_f(m, s, n))
    effect = omega_squared(f, df1, df2, int(n.sum()), level=level)
    return OmnibusTest(ANOVA, f, df1, df2, float(special.fdtrc(df1, df2, f)), effect)


def tukey_kramer(samples: Sequence[ArrayLike], /, *, unit: str = "1", level: float = 0.95) -> tuple[PairTest, ...]:
    """Tukey-Kramer comparison of all pairs, if the variances are equal.

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
        As `one_way_anova`.

    References
    ----------
    Kramer 1956, Biometrics 12:307, doi:10.2307/3001469; Hayter 1984, Ann Stat 12:61, doi:10.1214/aos/1176346392.

    Examples
    --------
    >>> pair = tukey_kramer([[24, 23, 31, 51], [34, 18, 18, 26], [17, 68, 59, 7]])[0]
    >>> round(pair.difference.value, 2), round(pair.p, 3)
    (8.25, 0.825)
    """
    return tukey_kramer_from_summary(*summary(checked_samples(samples, spread=False)), unit=unit, level=level)


def tukey_kramer_from_summary(
    means: ArrayLike, sds: ArrayLike, ns: ArrayLike, /, *, unit: str = "1", level: float = 0.95
) -> tuple[PairTest, ...]:
    """Tukey-Kramer comparison from a printed table; equal to `tukey_kramer` of the values behind it.

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
        As `one_way_anova`.
    """
    m, s, n = checked_summary(means, sds, ns, spread=False)
    places = list(itertools.combinations(range(m.size), 2))
    errors, dfs = _common_errors(s, n, places)
    return simultaneous_pairs(m, places, errors, dfs, unit=unit, level=level, method=TUKEY_KRAMER)


def dunnett(
    samples: Sequence[ArrayLike], /, *, control: int = 0, unit: str = "1", level: float = 0.95
) -> tuple[PairTest, ...]:
    """Dunnett's test: every group against one control, if the variances are equal.

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
        As `one_way_anova`.

    References
    ----------
    Dunnett 1955, J Am Stat Assoc 50:1096, doi:10.1080/01621459.1955.10501294.

    Examples
    --------
    >>> pair = dunnett([[7.4, 8.5, 7.2, 8.24, 9.84, 8.32], [9.76, 8.8, 7.68, 9.36], [12.8, 9.68, 12.16, 9.2, 10.55]])[1]
    >>> round(pair.difference.low, 3), round(pair.difference.high, 3), round(pair.p, 5)
    (0.84, 4.416, 0.00583)
    """
    return dunnett_from_summary(
        *summary(checked_samples(samples, spread=False)), control=control, unit=unit, level=level
    )


def dunnett_from_summary(
    means: ArrayLike, sds: ArrayLike, ns: ArrayLike, /, *, control: int = 0, unit: str = "1", level: float = 0.95
) -> tuple[PairTest, ...]:
    """Dunnett's test from a printed table; equal to `dunnett` of the values behind it.

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
        As `one_way_anova`.
    """
    m, s, n = checked_summary(means, sds, ns, spread=False)
    places = [(a, control) for a in range(m.size) if a != control]
    errors, dfs = _common_errors(s, n, places)
    others = np.array([n[a] for a, _ in places])
    loadings = np.sqrt(others / (others + n[control]))
    return against_control(m, places, errors, dfs, loadings, unit=unit, level=level, method=DUNNETT)


def anova_f(means: Floats, sds: Floats, ns: Floats, /) -> tuple[Floats, float, Floats]:
    """F of the one-way analysis of variance and its degrees of freedom, of many data sets at once.

    Parameters
    ----------
    means, sds, ns : ndarray, dims (..., group)
        Mean, standard deviation and number of units.

    Returns
    -------
    f, df1, df2 : ndarray, float, ndarray
        `f` and `df2` have the dims before the last.
    """
    df1, total = float(means.shape[-1] - 1), ns.sum(axis=-1, keepdims=True)
    centre = (ns * means).sum(axis=-1, keepdims=True) / total
    between = (ns * (means - centre) ** 2).sum(axis=-1)
    return between / df1 / error_variance(sds, ns), df1, total[..., 0] - means.shape[-1]


def error_variance(sds: Floats, ns: Floats, /) -> Floats:
    """Pooled variance within groups, dims as `anova_f`."""
    return ((ns - 1) * sds**2).sum(axis=-1) / (ns.sum(axis=-1) - ns.shape[-1])


def _common_errors(sds: Floats, ns: Floats, places: Sequence[tuple[int, int]]) -> tuple[Floats, Floats]:
    variance = float(error_variance(sds, ns))
    errors = np.array([math.sqrt(variance * (1 / ns[a] + 1 / ns[b])) for a, b in places])
    return errors, np.full(len(places), float(ns.sum() - ns.size))
