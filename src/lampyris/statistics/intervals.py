"""Intervals of a mean and of a share, as `Estimate`s."""

import math
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from lampyris.core.estimate import Estimate
from lampyris.statistics.thresholds import half_width

NORMAL_95 = 1.959963984540054
"""Standard deviations on each side of a normal 95 % interval."""


def normal_interval(
    value: float,
    sd: float,
    /,
    *,
    unit: str,
    method: str,
    low: float = -math.inf,
    high: float = math.inf,
    level: float = 0.95,
) -> Estimate:
    """Estimate with a normal interval, cut at bounds that the number cannot pass.

    Parameters
    ----------
    value, sd : float
        NaN of either gives NaN throughout; an infinite `sd` gives the bounds.
    unit, method : str
        As of `Estimate`.
    low, high : float
        Least and largest value that the number can have; the interval always holds `value`.
    level : float
        Coverage of the interval.

    Returns
    -------
    Estimate

    Examples
    --------
    >>> one = normal_interval(1.0, 1.0, unit="nm", method="two peaks", low=0.0)
    >>> one.low, round(one.high, 2)
    (0.0, 2.96)
    """
    if math.isnan(value) or math.isnan(sd):
        return Estimate.unknown(level, unit, method)
    reach = half_width(level) * sd
    return Estimate(
        value, sd, min(value, max(low, value - reach)), max(value, min(high, value + reach)), level, unit, method
    )


def bounded_interval(one: Estimate, /, *, least: float = 0.0) -> Estimate:
    """An estimate of a number that cannot lie below a bound, though noise may carry its estimate there.

    Parameters
    ----------
    one : Estimate
        As it came, its interval central at its level and not cut at the bound.
    least : float
        The bound.

    Returns
    -------
    Estimate
        Its value no lower than the bound.

    Notes
    -----
    A central interval that is cut at the bound can miss numbers near it on one side alone and holds them too often. Here a number up
    to z standard deviations above its bound (z 1.96 at 0.95) stays in the interval of every estimate that is not above it by more
    than the one-sided quantile, and a number farther up in the central one. Of normal estimates each number is so held in exactly
    `level` of cases, and nobody chooses between a limit and an interval after a look. All estimates at or below the bound have one
    limit, z standard deviations: noise that fell far below makes data no more telling. From the bound up the ends are those of the
    likelihood ratio's ordering, the lower one within 0.3 standard deviations; below the bound that ordering has ever lower limits.

    References
    ----------
    Neyman, Phil. Trans. R. Soc. A 236, 333 (1937), DOI 10.1098/rsta.1937.0005 (the construction); Feldman and Cousins, Phys. Rev. D
    57, 3873 (1998), DOI 10.1103/PhysRevD.57.3873 (the likelihood ratio's ordering); Mandelkern and Schultz, J. Math. Phys. 41, 5701
    (2000), DOI 10.1063/1.533433, arXiv:hep-ex/9910041 (an estimate that is kept inside its bound).

    Examples
    --------
    >>> one = bounded_interval(normal_interval(1.0, 1.0, unit="1", method="fit"))
    >>> one.low, round(one.high, 2)
    (0.0, 2.96)
    >>> round(bounded_interval(normal_interval(-3.0, 1.0, unit="1", method="fit")).high, 2)
    1.96
    """
    if math.isnan(one.value):
        return one
    two_sided, one_sided = half_width(one.level), half_width(2.0 * one.level - 1.0)
    down, up = (one.value - one.low) / two_sided, (one.high - one.value) / two_sided
    value = max(one.value, least)
    reach = one.value - least
    if reach <= (two_sided + one_sided) * down:
        low = max(least, one.value - one_sided * down)
    else:
        low = max(least + two_sided * down, one.low)
    return replace(one, value=value, low=low, high=value + two_sided * up)


def with_error(one: Estimate, sd: float, method: str, /, *, least: float = -math.inf) -> Estimate:
    """An estimate that holds a further error, normal and independent of its own: distances to both ends add in quadrature.

    Parameters
    ----------
    one : Estimate
    sd : float
        Standard deviation of the further error.
    method : str
        Of the result.
    least : float
        Least value that the number can have: the interval is cut there.

    Returns
    -------
    Estimate

    Examples
    --------
    >>> own = normal_interval(810.0, 0.3, unit="nm", method="fit")
    >>> round(with_error(own, 0.4, "fit, wavelength scale").sd, 3)
    0.5
    """
    if math.isnan(one.value):
        return one
    reach = half_width(one.level) * sd
    low, high = (
        one.value - math.hypot(one.value - one.low, reach),
        one.value + math.hypot(one.high - one.value, reach),
    )
    low = min(one.value, max(low, least))
    return Estimate(one.value, math.hypot(one.sd, sd), low, high, one.level, one.unit, method)


def t_interval(values: ArrayLike, /, *, unit: str = "1", level: float = 0.95) -> Estimate:
    """Mean of independent values with Student's interval.

    Parameters
    ----------
    values : array_like, dims (animal,)
        One finite value per experimental unit.
    unit : str
        Unit of the values.
    level : float
        Coverage of the interval.

    Returns
    -------
    Estimate
        `sd` is the standard error of the mean. One value has no spread, so its interval is unbounded;
        no value at all gives NaN throughout.

    Raises
    ------
    ValueError
        If a value is not finite or the values are not one-dimensional.

    Examples
    --------
    >>> e = t_interval([4.0, 5.0, 6.0], unit="mm")
    >>> f"{e.value:.1f} ({e.low:.3f} to {e.high:.3f})"
    '5.0 (2.516 to 7.484)'
    """
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1 or not np.isfinite(array).all():
        raise ValueError(f"values must be one-dimensional and finite, got shape {array.shape}: {array!r}")
    if array.size == 0:
        return Estimate.unknown(level, unit, "no value")
    sd = float(array.std(ddof=1)) if array.size > 1 else math.nan
    return t_interval_from_summary(float(array.mean()), sd, array.size, unit=unit, level=level)


def t_interval_from_summary(mean: float, sd: float, n: int, /, *, unit: str = "1", level: float = 0.95) -> Estimate:
    """Student's interval of a mean from mean, standard deviation and number of units.

    Parameters
    ----------
    mean, sd : float
        Mean and standard deviation (divisor n - 1) of the values.
    n : int
        Number of experimental units, at least 1.
    unit : str
        Unit of both.
    level : float
        Coverage of the interval.

    Returns
    -------
    Estimate
        `sd` is the standard error of the mean; unbounded for n = 1.

    Raises
    ------
    ValueError
        If n is below 1.
    """
    if n < 1:
        raise ValueError(f"n must be at least 1, got {n}")
    if n == 1:
        return Estimate(mean, math.nan, -math.inf, math.inf, level, unit, "one value: no interval")
    error = sd / math.sqrt(n)
    half = float(special.stdtrit(n - 1, 0.5 * (1 + level))) * error
    return Estimate(mean, error, mean - half, mean + half, level, unit, f"mean of {n}, Student's t interval")


def skewed_mean_interval(values: ArrayLike, /, *, unit: str = "1", level: float = 0.95) -> Estimate:
    """Mean of independent values of a skewed law, such as squares, with an interval as uneven as their skewness asks.

    Parameters
    ----------
    values : array_like, dims (unit,)
        One finite value per experimental unit.
    unit : str
        Unit of the values.
    level : float
        Coverage of the interval.

    Returns
    -------
    Estimate
        As of `t_interval`, which it is where the values show no skewness.

    Raises
    ------
    ValueError
        If a value is not finite or the values are not one-dimensional.

    Notes
    -----
    Student's statistic goes with the values' own scatter: few values that lack the long tail have a mean too near to the bulk and
    a scatter too small at once. Of 50 squares of normal values Student's interval holds the mean in 0.92 of cases. Hall's cubic of
    the statistic takes the skewness out of it, and its inverse has one solution everywhere.

    References
    ----------
    Hall, J. R. Stat. Soc. B 54, 221 (1992), DOI 10.1111/j.2517-6161.1992.tb01876.x.

    Examples
    --------
    >>> e = skewed_mean_interval([0.1, 0.2, 0.2, 0.3, 0.4, 2.0])
    >>> e.high - e.value > 2 * (e.value - e.low)
    True
    """
    even = t_interval(values, unit=unit, level=level)
    array = np.asarray(values, dtype=np.float64)
    if array.size < 3 or not even.sd > 0:
        return even
    skew = float(np.mean((array - even.value) ** 3)) / float(array.std()) ** 3 / math.sqrt(array.size)
    if abs(skew) < 1e-9:
        return even
    reach = float(special.stdtrit(array.size - 1, 0.5 * (1.0 + level)))
    high, low = (
        even.value - even.sd * 3.0 / skew * (math.cbrt(1.0 + skew * (sign * reach - skew / 6.0)) - 1.0)
        for sign in (-1.0, 1.0)
    )
    # the cubic also takes out a shift of the statistic, which of very few values is larger than the near end's distance
    low, high = min(low, even.value), max(high, even.value)
    return Estimate(
        even.value, even.sd, low, high, level, unit, f"mean of {array.size}, Hall's interval for skewed values"
    )


def geometric_mean_interval(values: ArrayLike, /, *, unit: str = "1", level: float = 0.95) -> Estimate:
    """Geometric mean of positive values with the back-transformed interval of the mean logarithm.

    Parameters
    ----------
    values : array_like, dims (animal,)
        One positive value per experimental unit.
    unit : str
        Unit of the values.
    level : float
        Coverage of the interval.

    Returns
    -------
    Estimate
        `sd` by the delta method.

    Raises
    ------
    ValueError
        If a value is not positive.

    Examples
    --------
    >>> round(geometric_mean_interval([1e3, 1e5], unit="ph s-1").value)
    10000
    """
    array = np.asarray(values, dtype=np.float64)
    if not (array > 0).all():
        raise ValueError(f"a geometric mean needs positive values, got {array!r}")
    log = t_interval(np.log(array), level=level)
    centre = math.exp(log.value) if array.size else math.nan
    high = math.inf if log.high == math.inf else math.exp(log.high)
    method = log.method.replace("mean of", "geometric mean of")
    return Estimate(centre, centre * log.sd, math.exp(log.low), high, level, unit, method)


def wilson_interval(successes: int, n: int, /, *, level: float = 0.95) -> Estimate:
    """Share of successes with Wilson's score interval: coverage near `level` on average, also for few animals.

    Parameters
    ----------
    successes, n : int
        How many of how many.
    level : float
        Nominal coverage.

    Returns
    -------
    Estimate
        Unit "1".

    Raises
    ------
    ValueError
        If there is no trial or not ``0 <= successes <= n``.

    References
    ----------
    Wilson 1927, J Am Stat Assoc 22:209, doi:10.1080/01621459.1927.10502953.

    Examples
    --------
    >>> e = wilson_interval(4, 5)
    >>> f"{e.value} ({e.low:.2f} to {e.high:.2f})"
    '0.8 (0.38 to 0.96)'
    """
    share = _share(successes, n)
    z = half_width(level)
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    # the closed form meets 0 and 1 exactly only on paper
    low = 0.0 if successes == 0 else centre - half
    high = 1.0 if successes == n else centre + half
    return Estimate(share, math.sqrt(share * (1 - share) / n), low, high, level, "1", f"{successes} of {n}, Wilson")


def clopper_pearson_interval(successes: int, n: int, /, *, level: float = 0.95) -> Estimate:
    """Share of successes with the exact interval: coverage never below `level`.

    Parameters
    ----------
    successes, n : int
        How many of how many.
    level : float
        Guaranteed coverage.

    Returns
    -------
    Estimate
        Unit "1".

    Raises
    ------
    ValueError
        If there is no trial or not ``0 <= successes <= n``.

    References
    ----------
    Clopper & Pearson 1934, Biometrika 26:404, doi:10.1093/biomet/26.4.404.

    Examples
    --------
    >>> e = clopper_pearson_interval(0, 3)
    >>> f"{e.value} ({e.low:.2f} to {e.high:.2f})"
    '0.0 (0.00 to 0.71)'
    """
    share = _share(successes, n)
    tail = 0.5 * (1 - level)
    low = 0.0 if successes == 0 else float(special.betaincinv(successes, n - successes + 1, tail))
    high = 1.0 if successes == n else float(special.betaincinv(successes + 1, n - successes, 1 - tail))
    sd = math.sqrt(share * (1 - share) / n)
    return Estimate(share, sd, low, high, level, "1", f"{successes} of {n}, Clopper-Pearson")


def _share(successes: int, n: int) -> float:
    if n < 1 or not 0 <= successes <= n:
        raise ValueError(f"needs 0 <= successes <= n and n >= 1, got {successes} of {n}")
    return successes / n
