"""Effect sizes with intervals: standardised and plain differences, ratios.

None of the intervals is adjusted for the number of pairs.
"""

import math

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from lampyris.core.estimate import Estimate
from lampyris.statistics.groups.samples import Floats, checked_samples, checked_summary, summary
from lampyris.statistics.roots import sign_change

# depth below the peak, as a natural logarithm, at which sums end; nodes and noncentrality beyond which limits are taken
_DEPTH = 36.0
_MOST_NODES = 20_000


def hedges_g(a: ArrayLike, b: ArrayLike, /, *, level: float = 0.95) -> Estimate:
    """Standardised mean difference, corrected for small samples, with the interval of the noncentral t.

    Parameters
    ----------
    a, b : array_like, dims (animal,)
        Values of two groups.
    level : float
        Coverage of the interval.

    Returns
    -------
    Estimate
        Mean of a minus mean of b over the pooled standard deviation. The interval holds if the spreads are equal.

    Raises
    ------
    ValueError
        If a group has fewer than two values, or neither has any spread.

    References
    ----------
    Hedges 1981, J Educ Stat 6:107, doi:10.3102/10769986006002107; Steiger & Fouladi 1997.

    Examples
    --------
    >>> g = hedges_g([5.1, 4.8, 6.0, 5.5], [4.0, 4.6, 4.1, 5.0])
    >>> f"{g.value:.2f} ({g.low:.2f} to {g.high:.2f})"
    '1.63 (0.10 to 3.56)'
    """
    return hedges_g_from_summary(*summary(checked_samples([a, b], spread=False)), level=level)


def hedges_g_from_summary(means: ArrayLike, sds: ArrayLike, ns: ArrayLike, /, *, level: float = 0.95) -> Estimate:
    """Standardised mean difference from a printed table; equal to `hedges_g` of the values behind it.

    Parameters
    ----------
    means, sds, ns : array_like, dims (2,)
        Mean, standard deviation (divisor n - 1) and number of units of the two groups.
    level : float
        Coverage of the interval.

    Returns
    -------
    Estimate

    Raises
    ------
    ValueError
        As `hedges_g`.
    """
    m, s, n = _two(means, sds, ns)
    df = float(n.sum() - 2)
    pooled = math.sqrt(((n - 1) * s**2).sum() / df)
    scale = math.sqrt((1 / n).sum())
    d = float(m[0] - m[1]) / pooled
    correction = (
        math.exp(math.lgamma(0.5 * df) - math.lgamma(0.5 * (df - 1))) / math.sqrt(0.5 * df) if df > 1 else math.nan
    )
    tail = 0.5 * (1 - level)
    low, high = (noncentral_shift(d / scale, df, p) * scale for p in (1 - tail, tail))
    value = d * correction
    error = math.sqrt(scale**2 + value**2 / (2 * n.sum()))
    return Estimate(
        value, error, min(low, value), max(high, value), level, "1", "Hedges g, noncentral t interval, equal variances"
    )


def mean_difference(a: ArrayLike, b: ArrayLike, /, *, unit: str = "1", level: float = 0.95) -> Estimate:
    """Difference of two means with Welch's interval, equal variances not assumed.

    Parameters
    ----------
    a, b : array_like, dims (animal,)
        Values of two groups.
    unit : str
        Unit of the values.
    level : float
        Coverage of the interval.

    Returns
    -------
    Estimate
        Mean of a minus mean of b.

    Raises
    ------
    ValueError
        If a group has fewer than two values, or neither has any spread.

    Examples
    --------
    >>> e = mean_difference([5.1, 4.8, 6.0, 5.5], [4.0, 4.6, 4.1, 5.0])
    >>> f"{e.value:.2f} ({e.low:.2f} to {e.high:.2f})"
    '0.92 (0.07 to 1.78)'
    """
    return mean_difference_from_summary(*summary(checked_samples([a, b], spread=False)), unit=unit, level=level)


def mean_difference_from_summary(
    means: ArrayLike, sds: ArrayLike, ns: ArrayLike, /, *, unit: str = "1", level: float = 0.95
) -> Estimate:
    """Difference of two means from a printed table; equal to `mean_difference` of the values behind it.

    Parameters
    ----------
    means, sds, ns : array_like, dims (2,)
        Mean, standard deviation (divisor n - 1) and number of units of the two groups.
    unit : str
        Unit of the means.
    level : float
        Coverage of the interval.

    Returns
    -------
    Estimate

    Raises
    ------
    ValueError
        As `mean_difference`.
    """
    m, s, n = _two(means, sds, ns)
    error, df = welch_error(s**2 / n, n)
    value = float(m[0] - m[1])
    half = float(special.stdtrit(df, 0.5 * (1 + level))) * error
    return Estimate(value, error, value - half, value + half, level, unit, "difference of means, Welch t interval")


def mean_ratio(a: ArrayLike, b: ArrayLike, /, *, level: float = 0.95) -> Estimate:
    """Ratio of two means, on the logarithm.

    Parameters
    ----------
    a, b : array_like, dims (animal,)
        Values of two groups whose means are above 0.
    level : float
        Coverage of the interval.

    Returns
    -------
    Estimate
        Mean of a over mean of b. The standard error of its logarithm is that of the first order (delta method), so each mean
        should be several standard errors above 0.

    Raises
    ------
    ValueError
        If a mean is not above 0, a group has fewer than two values, or neither has any spread.

    References
    ----------
    Hedges et al. 1999, Ecology 80:1150, doi:10.1890/0012-9658(1999)080[1150:TMAORR]2.0.CO;2.

    Examples
    --------
    >>> r = mean_ratio([51.0, 48.0, 60.0, 55.0], [40.0, 46.0, 41.0, 50.0])
    >>> f"{r.value:.2f} ({r.low:.2f} to {r.high:.2f})"
    '1.21 (1.01 to 1.44)'
    """
    return mean_ratio_from_summary(*summary(checked_samples([a, b], spread=False)), level=level)


def mean_ratio_from_summary(means: ArrayLike, sds: ArrayLike, ns: ArrayLike, /, *, level: float = 0.95) -> Estimate:
    """Ratio of two means from a printed table; equal to `mean_ratio` of the values behind it.

    Parameters
    ----------
    means, sds, ns : array_like, dims (2,)
        Mean above 0, standard deviation (divisor n - 1) and number of units of the two groups.
    level : float
        Coverage of the interval.

    Returns
    -------
    Estimate

    Raises
    ------
    ValueError
        As `mean_ratio`.
    """
    m, s, n = _two(means, sds, ns)
    if (m <= 0).any():
        raise ValueError(f"a ratio needs means above 0, got {m}")
    error, df = welch_error((s / m) ** 2 / n, n)
    return _ratio(math.log(m[0] / m[1]), error, df, level, "ratio of means, t interval of its logarithm")


def geometric_mean_ratio(a: ArrayLike, b: ArrayLike, /, *, level: float = 0.95) -> Estimate:
    """Ratio of two geometric means: the difference of the mean logarithms, taken back.

    Parameters
    ----------
    a, b : array_like, dims (animal,)
        Values above 0, of two groups.
    level : float
        Coverage of the interval.

    Returns
    -------
    Estimate
        Geometric mean of a over that of b, with Welch's interval.

    Raises
    ------
    ValueError
        If a value is not above 0, a group has fewer than two values, or neither has any spread.

    Examples
    --------
    >>> r = geometric_mean_ratio([51.0, 48.0, 60.0, 55.0], [40.0, 46.0, 41.0, 50.0])
    >>> f"{r.value:.2f} ({r.low:.2f} to {r.high:.2f})"
    '1.21 (1.02 to 1.44)'
    """
    arrays = checked_samples([a, b], spread=False)
    if any((array <= 0).any() for array in arrays):
        raise ValueError("a geometric mean needs values above 0")
    m, s, n = summary([np.log(array) for array in arrays])
    error, df = welch_error(s**2 / n, n)
    return _ratio(float(m[0] - m[1]), error, df, level, "ratio of geometric means, Welch t interval of the logarithm")


def welch_error(variances: Floats, ns: Floats, /) -> tuple[float, float]:
    """Standard error of a difference of two means and its Welch-Satterthwaite degrees of freedom.

    Parameters
    ----------
    variances : ndarray, dims (2,)
        Squared standard error of each mean.
    ns : ndarray, dims (2,)
        Units behind each.

    Returns
    -------
    error, df : float
    """
    total = float(variances.sum())
    return math.sqrt(total), total**2 / float((variances**2 / (ns - 1)).sum())


def noncentral_shift(t: float, df: float, p: float, /) -> float:
    """Noncentrality at which Student's t falls below `t` with probability `p`.

    Parameters
    ----------
    t, df : float
        Statistic and its degrees of freedom.
    p : float
        Between 0 and 1.

    Returns
    -------
    float
    """

    # T = (Z + nc) / s with s the relative error of the standard deviation: P(T < t) = E[Phi(t s - nc)] over s, whose
    # logarithm is summed by the trapezoidal rule
    width = min(0.5 / math.sqrt(df), 0.14, 0.4 / max(abs(t), 1e-9))
    high, low = math.sqrt(_DEPTH / df), -(_DEPTH / df + 0.5 if df < 110 else 1.75 * math.sqrt(_DEPTH / df))
    count = math.ceil((high - low) / width) + 1
    if count > _MOST_NODES:
        # so far from 0 only s varies
        return t * math.sqrt(float(special.chdtri(df, p if t > 0 else 1 - p)) / df)
    u = np.linspace(low, high, count)
    weight = np.exp(df * u - 0.5 * df * np.expm1(2 * u))
    s, weight = np.exp(u), weight / weight.sum()

    def excess(nc: float) -> float:
        return float(weight @ special.ndtr(t * s - nc)) - p

    reach = 10.0 + 10.0 * abs(t)
    return sign_change(excess, t - reach, t + reach)


def _two(means: ArrayLike, sds: ArrayLike, ns: ArrayLike) -> tuple[Floats, Floats, Floats]:
    m, s, n = checked_summary(means, sds, ns, spread=False)
    if m.size != 2:
        raise ValueError(f"needs two groups, got {m.size}")
    return m, s, n


def _ratio(logarithm: float, error: float, df: float, level: float, method: str) -> Estimate:
    half = float(special.stdtrit(df, 0.5 * (1 + level))) * error
    value, low, high = (math.exp(logarithm + step) for step in (0.0, -half, half))
    return Estimate(value, value * error, low, high, level, "1", method)
