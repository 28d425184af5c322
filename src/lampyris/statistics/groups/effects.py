"""Effect sizes with intervals."""

import math

from scipy import optimize, special

from lampyris.core.estimate import Estimate


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
