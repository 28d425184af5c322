"""Power of tests of means: two groups, pairs, several groups, ranks, equivalence, and correlation.

References
----------
Cohen 1988, Statistical Power Analysis for the Behavioral Sciences, doi:10.4324/9780203771587.
Welch 1938, Biometrika 29:350, doi:10.1093/biomet/29.3-4.350: degrees of freedom with unequal spread.
Schuirmann 1987, J Pharmacokinet Biopharm 15:657, doi:10.1007/BF01068419: two one-sided tests.
Lehmann 2006, Nonparametrics, ISBN 978-0-387-35212-1: efficiency of rank tests.
"""

import math
from collections.abc import Sequence

import numpy as np
from scipy import special

# efficiency of rank tests against F: 3/pi where values are normal, and never below 0.864 whatever the law
RANK_EFFICIENCY = 3 / math.pi
WORST_RANK_EFFICIENCY = 0.864


def t_power(noncentrality: float, df: float, /, *, alpha: float = 0.05, two_sided: bool = True) -> float:
    """Power of a t test.

    Parameters
    ----------
    noncentrality : float
        Difference over its standard error.
    df : float
        Degrees of freedom.
    alpha : float
        Of the test.
    two_sided : bool

    Returns
    -------
    float
    """
    tail = alpha / 2 if two_sided else alpha
    critical = float(special.stdtrit(df, 1 - tail))
    upper = 1.0 - _nct_cdf(df, noncentrality, critical)
    lower = _nct_cdf(df, noncentrality, -critical) if two_sided else 0.0
    return min(max(upper + lower, 0.0), 1.0)


def _nct_cdf(df: float, noncentrality: float, t: float) -> float:
    """Noncentral t; far out, where the series fails, by the normal law of its square-root form."""
    value = float(special.nctdtr(df, noncentrality, t)) if abs(noncentrality) < 37 else math.nan
    if math.isfinite(value):
        return value
    return float(special.ndtr((t * (1 - 1 / (4 * df)) - noncentrality) / math.sqrt(1 + t * t / (2 * df))))


def two_sample_power(
    n: tuple[float, float],
    difference: float,
    sd: float | tuple[float, float],
    /,
    *,
    alpha: float = 0.05,
    two_sided: bool = True,
) -> float:
    """Power of a test of two means.

    Parameters
    ----------
    n : (float, float)
        Units per group, at least 2; need not be equal.
    difference : float
        Of the means.
    sd : float or (float, float)
        One spread for both: Student's test. Two: Welch's, with the degrees of freedom of the true spreads.
    alpha : float
    two_sided : bool

    Returns
    -------
    float

    Examples
    --------
    >>> round(two_sample_power((20, 20), 0.5, 1.0), 6)
    0.337939
    """
    first, second = sd if isinstance(sd, tuple) else (sd, sd)
    a, b = first**2 / n[0], second**2 / n[1]
    if isinstance(sd, tuple):
        df = (a + b) ** 2 / (a**2 / (n[0] - 1) + b**2 / (n[1] - 1))
        error = math.sqrt(a + b)
    else:
        df = n[0] + n[1] - 2
        error = sd * math.sqrt(1 / n[0] + 1 / n[1])
    return t_power(difference / error, df, alpha=alpha, two_sided=two_sided)


def paired_power(n: float, difference: float, sd: float, /, *, alpha: float = 0.05, two_sided: bool = True) -> float:
    """Power of a paired test.

    Parameters
    ----------
    n : float
        Pairs, at least 2.
    difference, sd : float
        Mean and spread of the differences within pairs.
    alpha : float
    two_sided : bool

    Returns
    -------
    float

    Examples
    --------
    >>> round(paired_power(34, 0.5, 1.0), 3)
    0.808
    """
    return t_power(difference / (sd / math.sqrt(n)), n - 1, alpha=alpha, two_sided=two_sided)


def anova_power(n: Sequence[float], means: Sequence[float], sd: float, /, *, alpha: float = 0.05) -> float:
    """Power of a one-way analysis of variance.

    Parameters
    ----------
    n : sequence of float
        Units per group.
    means : sequence of float
        Per group.
    sd : float
        Spread within every group.
    alpha : float

    Returns
    -------
    float

    Examples
    --------
    >>> round(anova_power([10] * 3, [0.0, 0.5, 1.0], 1.0), 3)
    0.458
    """
    sizes, m = np.asarray(n, dtype=np.float64), np.asarray(means, dtype=np.float64)
    total = float(sizes.sum())
    centre = float(sizes @ m) / total
    noncentrality = float(sizes @ (m - centre) ** 2) / sd**2
    return f_power(noncentrality, m.size - 1, total - m.size, alpha=alpha)


def f_power(noncentrality: float, df1: float, df2: float, /, *, alpha: float = 0.05) -> float:
    """Power of an F test."""
    critical = float(special.fdtri(df1, df2, 1 - alpha))
    if noncentrality == 0:
        return alpha
    return min(max(1.0 - float(special.ncfdtr(df1, df2, noncentrality, critical)), 0.0), 1.0)


def kruskal_power(
    n: Sequence[float],
    means: Sequence[float],
    sd: float,
    /,
    *,
    alpha: float = 0.05,
    efficiency: float = RANK_EFFICIENCY,
) -> float:
    """Power of the Kruskal-Wallis test, from the analysis of variance of as many fewer units as ranks are less efficient.

    Parameters
    ----------
    n, means, sd, alpha
        As `anova_power`.
    efficiency : float
        3/pi for normal values; `WORST_RANK_EFFICIENCY` bounds it from below for shifts of any law.

    Returns
    -------
    float
        A large-sample figure; `simulated_power` checks it.
    """
    sizes, m = np.asarray(n, dtype=np.float64), np.asarray(means, dtype=np.float64)
    total = float(sizes.sum())
    centre = float(sizes @ m) / total
    noncentrality = efficiency * float(sizes @ (m - centre) ** 2) / sd**2
    return f_power(noncentrality, m.size - 1, total - m.size, alpha=alpha)


def correlation_power(n: float, r: float, /, *, alpha: float = 0.05) -> float:
    """Power of a two-sided test of no correlation.

    Parameters
    ----------
    n : float
        Units, at least 4.
    r : float
        True correlation.
    alpha : float

    Returns
    -------
    float
        By Fisher's transformation with its bias, and the critical r of Student's t.

    Examples
    --------
    >>> round(correlation_power(20, 0.5), 4)
    0.6379
    """
    t = float(special.stdtrit(n - 2, 1 - alpha / 2))
    critical = math.atanh(math.sqrt(t * t / (t * t + n - 2)))
    centre = math.atanh(abs(r)) + abs(r) / (2 * (n - 1))
    root = math.sqrt(n - 3)
    return float(special.ndtr((centre - critical) * root) + special.ndtr((-centre - critical) * root))


def equivalence_power(
    n: tuple[float, float], margin: float, sd: float, /, *, difference: float = 0.0, alpha: float = 0.05
) -> float:
    """Power to show that two means differ by less than a margin: two one-sided tests, exact.

    Parameters
    ----------
    n : (float, float)
        Units per group.
    margin : float
        Largest difference that does not matter; above 0.
    sd : float
        Spread within both groups.
    difference : float
        True difference, within the margin.
    alpha : float
        Of each of the two tests.

    Returns
    -------
    float

    Examples
    --------
    >>> round(equivalence_power((20, 20), 1.0, 1.0), 3)
    0.856
    """
    error = sd * math.sqrt(1 / n[0] + 1 / n[1])
    df = n[0] + n[1] - 2
    t = float(special.stdtrit(df, 1 - alpha))
    # given the estimated spread the difference must lie in a window of known width: the mean over that spread
    nodes, weights = np.polynomial.legendre.leggauss(200)
    ranks = 0.5 * (nodes + 1)
    spread = np.sqrt(special.chdtri(df, 1 - ranks) / df)
    half = np.maximum(margin / error - t * spread, 0.0)
    inside = special.ndtr(half - difference / error) - special.ndtr(-half - difference / error)
    return float((0.5 * weights * inside).sum())
