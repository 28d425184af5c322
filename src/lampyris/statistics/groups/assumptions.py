"""Checks of assumptions. They inform: no test is chosen by them.

A test that is switched by a check of the same values no longer has its error rate, and with few animals a check that sees
nothing proves nothing [1]_. Each result has the role "assumption" and a sentence of what it means.

References
----------
.. [1] Zimmerman 2004, Br J Math Stat Psychol 57:173, doi:10.1348/000711004849222.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from lampyris.core.design import TestResult
from lampyris.statistics.groups.samples import Floats, checked_samples, checked_summary, has_no_spread, summary

# convention: a check is remarked upon below this
REMARKED = 0.05
# convention: a standard deviation twice another's (variance fourfold) is remarked upon
REMARKED_RATIO = 2.0
# of each group's values on either side, of the trimmed form of Levene's test
TRIM = 0.25
# residuals for which the approximation of p is made
MOST_RESIDUALS = 5000


@dataclass(frozen=True, slots=True)
class Outlier:
    """A value far from the others of its group.

    Parameters
    ----------
    group, place : int
        Place of the group and of the value in it.
    value : float
        The value.
    t : float
        Its distance from the mean of the group's others, in standard errors (studentised deleted residual).
    p : float
        Probability of so far a value in a normal sample, times the number of all values (Bonferroni).
    """

    group: int
    place: int
    value: float
    t: float
    p: float


def levene(samples: Sequence[ArrayLike], /, *, center: str = "median", trim: float = TRIM) -> TestResult:
    """Levene's test of equal variances; about the median it is Brown and Forsythe's.

    Parameters
    ----------
    samples : sequence of array_like, dims (animal,)
        Values per group.
    center : {"median", "mean", "trimmed"}
        About what deviations are taken; ``trimmed`` is the mean without `trim` of the values on either side.
    trim : float
        From 0 to below 0.5.

    Returns
    -------
    TestResult

    Raises
    ------
    ValueError
        If a group has fewer than two values, no group has any spread, or the centre is unknown.

    References
    ----------
    Brown & Forsythe 1974, J Am Stat Assoc 69:364, doi:10.1080/01621459.1974.10482955.

    Examples
    --------
    >>> test = levene([[8.9, 8.8, 8.7, 9.1], [8.6, 9.5, 7.9, 9.9], [9.0, 9.2, 9.1, 8.8]])
    >>> round(test.statistic, 3), round(test.p, 4)
    (10.733, 0.0041)
    """
    arrays = checked_samples(samples, spread=False)
    if center == "median":
        deviations, name = [np.abs(x - np.median(x)) for x in arrays], "Brown-Forsythe (Levene about the median)"
    elif center == "mean":
        deviations, name = [np.abs(x - x.mean()) for x in arrays], "Levene about the mean"
    elif center == "trimmed":
        centres = [np.sort(x)[int(trim * x.size) : x.size - int(trim * x.size)].mean() for x in arrays]
        deviations = [np.abs(x - middle) for x, middle in zip(arrays, centres, strict=True)]
        name = f"Levene about the mean trimmed by {trim:g} on either side"
    else:
        raise ValueError(f"center is median, mean or trimmed, got {center!r}")
    m, s, n = summary(deviations)
    df1, df2 = float(m.size - 1), float(n.sum() - m.size)
    within = float(((n - 1) * s**2).sum())
    between = float((n * (m - (n * m).sum() / n.sum()) ** 2).sum())
    # two values lie equally far from their median
    w = between / df1 / (within / df2) if within > 1e-20 * between > 0 else (math.inf if between > 0 else 0.0)
    p = float(special.fdtrc(df1, df2, w))
    return TestResult(name, "F", w, (df1, df2), p, "all variances are equal", "assumption", _spread_note(p, n))


def bartlett(samples: Sequence[ArrayLike], /) -> TestResult:
    """Bartlett's test of equal variances, for normal values; it takes long tails for unequal variances.

    Parameters
    ----------
    samples : sequence of array_like, dims (animal,)
        Values per group; integers are fine.

    Returns
    -------
    TestResult

    Raises
    ------
    ValueError
        If a group has fewer than two values or no spread.

    References
    ----------
    Bartlett 1937, Proc R Soc A 160:268, doi:10.1098/rspa.1937.0109.

    Examples
    --------
    >>> round(bartlett([[8, 9, 7, 9], [8, 15, 3, 11], [9, 9, 10, 8]]).p, 4)
    0.0064
    """
    _, sds, ns = summary(checked_samples(samples))
    return bartlett_from_summary(sds, ns)


def bartlett_from_summary(sds: ArrayLike, ns: ArrayLike, /) -> TestResult:
    """Bartlett's test from a printed table; equal to `bartlett` of the values behind it.

    Parameters
    ----------
    sds, ns : array_like, dims (group,)
        Standard deviation (divisor n - 1) and number of units per group.

    Returns
    -------
    TestResult

    Raises
    ------
    ValueError
        As `bartlett`.
    """
    _, s, n = checked_summary(np.zeros(np.shape(sds)), sds, ns)
    freedom = n - 1
    total = freedom.sum()
    logs = np.log(s**2)
    pooled = math.log(float((freedom * s**2).sum() / total))
    correction = 1 + ((1 / freedom).sum() - 1 / total) / (3 * (s.size - 1))
    statistic = max(0.0, float((total * pooled - (freedom * logs).sum()) / correction))
    df = float(s.size - 1)
    p = float(special.chdtrc(df, statistic))
    note = _spread_note(p, n) + " It assumes normal values."
    return TestResult("Bartlett", "chi2", statistic, (df,), p, "all variances are equal", "assumption", note)


def sd_ratio(sds: ArrayLike, ns: ArrayLike, /) -> TestResult:
    """Largest over smallest standard deviation.

    Parameters
    ----------
    sds, ns : array_like, dims (group,)
        Standard deviation and number of units per group.

    Returns
    -------
    TestResult
        Without p; infinite where a group has no spread.

    Examples
    --------
    >>> sd_ratio([1.0, 3.0], [5, 9]).statistic
    3.0
    """
    s, n = np.asarray(sds, dtype=np.float64), np.asarray(ns)
    ratio = float(s.max() / s.min()) if s.min() > 0 else math.inf
    if ratio <= REMARKED_RATIO:
        note = "The spreads are alike within a factor of two."
    elif n.min() == n.max():
        note = "The spreads differ more than twofold; groups of equal size bear that better. Welch's test does not assume them equal."
    else:
        larger = bool(n[s.argmax()] > n[s.argmin()])
        note = (
            "The spreads differ more than twofold and the groups differ in size: a classic analysis of variance finds "
            + (
                "too little, as the larger group spreads more. "
                if larger
                else "too much, as the smaller group spreads more. "
            )
            + "Welch's test does not assume equal spread."
        )
    name = "ratio of the largest to the smallest standard deviation"
    return TestResult(name, "ratio", ratio, (), math.nan, "all variances are equal", "assumption", note)


def shapiro_wilk(samples: Sequence[ArrayLike], /) -> TestResult:
    """Shapiro-Wilk test of the residuals: each value less the mean of its group.

    Parameters
    ----------
    samples : sequence of array_like, dims (animal,)
        Values per group, or one group; from 3 to 5000 values that differ.

    Returns
    -------
    TestResult

    Raises
    ------
    ValueError
        If there are fewer or more values, they do not differ, or one is not finite.

    References
    ----------
    Shapiro & Wilk 1965, Biometrika 52:591, doi:10.1093/biomet/52.3-4.591; weights and p of Royston 1995, J R Stat Soc C 44:547,
    doi:10.2307/2986146.

    Examples
    --------
    >>> round(shapiro_wilk([[148, 154, 158, 160, 161, 162, 166, 170, 182, 195, 236]]).statistic, 4)
    0.7888
    """
    arrays = [np.asarray(sample, dtype=np.float64) for sample in samples]
    x = np.sort(np.concatenate([array - array.mean() for array in arrays if array.size]))
    if not np.isfinite(x).all() or not 3 <= x.size <= MOST_RESIDUALS or np.ptp(x) == 0:
        raise ValueError(f"needs 3 to {MOST_RESIDUALS} finite residuals that differ, got {x.size}")
    # residuals may be far below the values; a common scale keeps the sums in range
    x = (x - x.mean()) / np.ptp(x)
    weights = _shapiro_weights(x.size)
    w = min(1.0, float((weights @ x) ** 2 / (weights @ weights) / (x @ x)))
    p = _shapiro_p(w, x.size)
    note = (
        "The residuals are not those of normal values: look at them before the means; a logarithm or a rank test may fit."
        if p < REMARKED
        else f"No departure from normal residuals was seen; with {x.size} of them only a strong one would be."
    )
    return TestResult("Shapiro-Wilk of residuals", "W", w, (), p, "residuals are normal", "assumption", note)


def outliers(samples: Sequence[ArrayLike], /, *, bound: float = REMARKED) -> tuple[Outlier, ...]:
    """Values too far from the others of their group for a normal sample; to be looked at, never left out for that alone.

    Parameters
    ----------
    samples : sequence of array_like, dims (animal,)
        Values per group; groups of fewer than three values are passed over.
    bound : float
        Largest p, Bonferroni-adjusted over all values.

    Returns
    -------
    tuple of Outlier
        Farthest first.

    References
    ----------
    Grubbs 1950, Ann Math Stat 21:27, doi:10.1214/aoms/1177729885.

    Examples
    --------
    >>> [(o.group, o.value) for o in outliers([[4.1, 4.4, 4.2, 4.3], [5.0, 5.2, 5.1, 9.9, 5.3]])]
    [(1, 9.9)]
    """
    arrays = [np.asarray(sample, dtype=np.float64) for sample in samples]
    total = sum(array.size for array in arrays)
    found = []
    for group, x in enumerate(arrays):
        if x.size < 3 or has_no_spread(x):
            continue
        n, deviation = x.size, x - x.mean()
        error = (deviation @ deviation - deviation**2 * n / (n - 1)) / (n - 2)
        with np.errstate(divide="ignore", invalid="ignore"):
            t = deviation * math.sqrt(n / (n - 1)) / np.sqrt(np.maximum(error, 0.0))
        p = np.minimum(1.0, 2 * total * special.stdtr(n - 2, -np.abs(t)))
        found += [Outlier(group, int(k), float(x[k]), float(t[k]), float(p[k])) for k in np.flatnonzero(p < bound)]
    return tuple(sorted(found, key=lambda one: (one.p, one.group, one.place)))


def _spread_note(p: float, ns: Floats) -> str:
    if p < REMARKED:
        return "The spread differs between groups; Welch's test and Games-Howell do not assume it equal."
    return f"No difference in spread was seen; with {ns.min():.0f} in the smallest group only a large one would be."


def _shapiro_weights(n: int) -> Floats:
    if n == 3:
        return np.array([-math.sqrt(0.5), 0.0, math.sqrt(0.5)])
    m = special.ndtri((np.arange(1, n + 1) - 0.375) / (n + 0.25))
    squares, root = float(m @ m), 1 / math.sqrt(n)
    last = np.polyval([-2.706056, 4.434685, -2.07119, -0.147981, 0.221157, 0.0], root) + m[-1] / math.sqrt(squares)
    weights = m.copy()
    if n > 5:
        second = np.polyval([-3.582633, 5.682633, -1.752461, -0.293762, 0.042981, 0.0], root) + m[-2] / math.sqrt(
            squares
        )
        rest = (squares - 2 * m[-1] ** 2 - 2 * m[-2] ** 2) / (1 - 2 * last**2 - 2 * second**2)
        weights /= math.sqrt(rest)
        weights[-2], weights[1] = second, -second
    else:
        weights /= math.sqrt((squares - 2 * m[-1] ** 2) / (1 - 2 * last**2))
    weights[-1], weights[0] = last, -last
    return weights


def _shapiro_p(w: float, n: int) -> float:
    if n == 3:
        return min(1.0, max(0.0, 6 / math.pi * (math.asin(math.sqrt(w)) - math.asin(math.sqrt(0.75)))))
    if w >= 1:
        return 1.0
    y, size = math.log1p(-w), math.log(n)
    if n <= 11:
        bound = 0.459 * n - 2.273
        if y >= bound:
            return 0.0
        y = -math.log(bound - y)
        mean = np.polyval([-6.714e-4, 0.025054, -0.39978, 0.544], n)
        sd = math.exp(np.polyval([-0.0020322, 0.062767, -0.77857, 1.3822], n))
    else:
        mean = np.polyval([0.0038915, -0.083751, -0.31082, -1.5861], size)
        sd = math.exp(np.polyval([0.0030302, -0.082676, -0.4803], size))
    return float(special.ndtr((mean - y) / sd))
