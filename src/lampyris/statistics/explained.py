"""Shares of variance that groups explain, with the interval of the noncentral F distribution."""

import math

from scipy import special

from lampyris.core.estimate import Estimate
from lampyris.statistics.roots import sign_change

# noncentrality beyond which limits are taken
_LARGE = 1e7
EPSILON_SQUARED = "epsilon squared of ranks, noncentral F interval"


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
    value = max(0.0, df1 * (f - 1) / (df1 * (f - 1) + n))
    return _share(value, f, df1, df2, n, level, "omega squared, noncentral F interval")


def eta_squared(f: float, df1: float, df2: float, n: int, /, *, level: float = 0.95) -> Estimate:
    """Share of the sample's variance that the groups explain; too high by chance alone, as `omega_squared` is not.

    Parameters
    ----------
    f, df1, df2 : float
        Statistic and its degrees of freedom; of one factor among several it is the partial share.
    n : int
        Number of units over all groups.
    level : float
        Coverage of the two-sided interval for the share in the population.

    Returns
    -------
    Estimate
        ``df1 F / (df1 F + df2)`` with the interval of `omega_squared`.

    References
    ----------
    Steiger 2004, Psychol Methods 9:164, doi:10.1037/1082-989X.9.2.164.

    Examples
    --------
    >>> round(eta_squared(4.846, 2, 27, 30).value, 3)
    0.264
    """
    return _share(df1 * f / (df1 * f + df2), f, df1, df2, n, level, "eta squared, noncentral F interval")


def epsilon_squared(h: float, groups: int, n: int, /, *, level: float = 0.95) -> Estimate:
    """Share of the variance of the ranks that the groups explain, from the Kruskal-Wallis statistic.

    Parameters
    ----------
    h : float
        Statistic, corrected for ties.
    groups : int
        Number of groups.
    n : int
        Number of units over all groups.
    level : float
        Coverage of the interval.

    Returns
    -------
    Estimate
        ``H / (n - 1)``. As this is eta squared of the ranks, the interval is that of the F ratio of the ranks: approximate.

    References
    ----------
    Kelley 1935, PNAS 21:554, doi:10.1073/pnas.21.9.554; Tomczak & Tomczak 2014, Trends Sport Sci 1:19.

    Examples
    --------
    >>> round(epsilon_squared(7.2, 3, 15).value, 3)
    0.514
    """
    share = min(h / (n - 1), 1 - 1e-12)
    df1, df2 = float(groups - 1), float(n - groups)
    f = share / df1 / ((1 - share) / df2)
    return _share(h / (n - 1), f, df1, df2, n, level, EPSILON_SQUARED)


def _share(value: float, f: float, df1: float, df2: float, n: int, level: float, method: str) -> Estimate:
    tail = 0.5 * (1 - level)
    low, high = (_noncentrality(f, df1, df2, p) for p in (1 - tail, tail))
    ends = (low / (low + n), high / (high + n))
    # with few units the point estimate may fall outside the inverted test's interval by a hair
    return Estimate(value, math.nan, min(ends[0], value), max(ends[1], value), level, "1", method)


def _noncentrality(f: float, df1: float, df2: float, p: float) -> float:
    """Noncentrality at which F falls below `f` with probability `p`; 0 where even the central F does so less often."""

    def excess(nc: float) -> float:
        return float(special.ncfdtr(df1, df2, nc, f)) - p

    if f <= 0 or excess(0.0) <= 0:
        return 0.0
    if df1 * f > _LARGE:
        # F = (noncentral chi-squared / df1) / s^2, and so far from 0 only s varies
        return df1 * f * float(special.chdtri(df2, p)) / df2
    high = 10.0 * df1 * max(f, 1.0) + 10.0
    while excess(high) > 0:
        high *= 2
    return sign_change(excess, 0.0, high)
