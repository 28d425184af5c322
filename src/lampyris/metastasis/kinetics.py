"""How fast a signal falls: a straight line through its logarithm, and what of it is left.

A factor that all days share (label per cell, optics, place) moves the line and leaves its slope, so that only what each day
adds of its own counts as uncertainty here.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import chdtrc, stdtrit

from lampyris.core.estimate import Estimate
from lampyris.statistics.thresholds import half_width

# two points have no residual: a slip of one day could not be seen
LEAST_POINTS = 3
# assumed: an animal that is laid down anew does not give the same light back to better than this, whatever the photons say
LEAST_LOG_SD = 0.03
# chance of residuals as large as these below which the stated uncertainties are not believed
DOUBTED = 0.05


@dataclass(frozen=True, slots=True)
class _Slope:
    """Rate of fall per day, with the quantile that goes with its standard error."""

    rate: float
    se: float
    quantile: float
    method: str


def half_life(
    days: ArrayLike,
    values: ArrayLike,
    relative_sds: ArrayLike,
    /,
    *,
    shared_relative_sd: float = 0.0,
    level: float = 0.95,
) -> Estimate:
    """Days over which a signal halves.

    Weighted least squares of the logarithm on the day. The interval is that of the stated uncertainties; where the residuals
    contradict them (chi-squared, p < 0.05), as those of a signal that does not fall exponentially do, it is Student's, from the
    residuals. Where the interval of the slope holds 0, the fall is not significant: no value is given, and `low` alone bounds
    the half-life, at ``(1 + level) / 2``, so that one rule serves both cases and neither covers less than `level`.

    Parameters
    ----------
    days : array_like, dims (session,)
    values : array_like, dims (session,)
        Signal in any unit; what is not above 0, or not finite, is left out, as it has no logarithm.
    relative_sds : array_like, dims (session,)
        Standard uncertainty of each value over the value: the session's own. Taken as 0.03 at least.
    shared_relative_sd : float
        Part of `relative_sds` that moves all sessions together, taken out in quadrature.
    level : float
        Coverage of the interval.

    Returns
    -------
    Estimate
        In days. Value and `high` are NaN and inf where the fall is not significant, all NaN where fewer than three sessions on
        two days say something or the signal rises.

    Raises
    ------
    ValueError
        If the three do not have the same length, or an uncertainty is negative.

    Examples
    --------
    >>> fall = half_life([0.0, 5.0, 10.0], [4.0, 2.0, 1.0], [0.03, 0.03, 0.03])
    >>> f"{fall.value:.2f} ({fall.low:.2f} to {fall.high:.2f}) {fall.unit}"
    '5.00 (4.72 to 5.32) days'
    """
    x, y, sd = _checked(days, values, relative_sds, shared_relative_sd)
    if x.size < LEAST_POINTS or np.ptp(x) == 0:
        return _unknown(level, f"needs {LEAST_POINTS} sessions that show it on at least two days, has {x.size}")
    slope = _fall(x, y, sd, level)
    reach = slope.quantile * slope.se
    if slope.rate + reach <= 0:
        return _unknown(level, "the signal rises")
    low = math.log(2.0) / (slope.rate + reach)
    if slope.rate - reach <= 0:
        method = f"{slope.method}; the fall is not significant: a lower limit"
        return Estimate(math.nan, math.nan, low, math.inf, level, "days", method)
    value = math.log(2.0) / slope.rate
    return Estimate(
        value,
        value * slope.se / slope.rate,
        low,
        math.log(2.0) / (slope.rate - reach),
        level,
        "days",
        f"{slope.method}, {x.size} sessions",
    )


def share_left(first: tuple[float, float], last: tuple[float, float], /, *, level: float = 0.95) -> Estimate:
    """Share of a signal that is left: the ratio of two values with log-normal errors.

    Parameters
    ----------
    first, last : (value, relative standard deviation)
        The values above 0; only what is not common to the two counts as uncertainty.
    level : float
        Coverage of the interval.

    Returns
    -------
    Estimate
        Unit "1"; NaN where a value is not above 0.

    Examples
    --------
    >>> left = share_left((100.0, 0.1), (20.0, 0.1))
    >>> f"{left.value:.2f} ({left.low:.2f} to {left.high:.2f})"
    '0.20 (0.15 to 0.26)'
    """
    if not (first[0] > 0 and last[0] > 0 and first[1] >= 0 and last[1] >= 0):
        return Estimate.unknown(level, "1", "no signal to compare")
    sd = math.hypot(log_sd(first[1]), log_sd(last[1]))
    share = last[0] / first[0]
    factor = math.exp(half_width(level) * sd)
    return Estimate(share, share * sd, share / factor, share * factor, level, "1", "ratio of two log-normal values")


def log_sd(relative_sd: float, /) -> float:
    """Standard deviation of the logarithm of a log-normal value from its relative standard deviation.

    Examples
    --------
    >>> round(log_sd(1.0) ** 2, 4)
    0.6931
    """
    return math.sqrt(math.log1p(relative_sd**2))


def _checked(
    days: ArrayLike, values: ArrayLike, relative_sds: ArrayLike, shared: float
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Days, logarithms and their standard deviations of the points that say something."""
    x, v, r = (np.atleast_1d(np.asarray(one, dtype=np.float64)) for one in (days, values, relative_sds))
    if not x.shape == v.shape == r.shape or x.ndim != 1:
        raise ValueError(f"days, values and relative_sds must be of one length, got {x.shape}, {v.shape}, {r.shape}")
    if (r < 0).any() or shared < 0:
        raise ValueError(f"uncertainties must not be negative, got {r.tolist()} and {shared}")
    says = np.isfinite(x) & np.isfinite(v) & (v > 0) & np.isfinite(r)
    own = np.sqrt(np.log1p(np.maximum(r[says] ** 2 - shared**2, 0.0)))
    return x[says], np.log(v[says]), np.maximum(own, LEAST_LOG_SD)


def _fall(x: NDArray[np.float64], y: NDArray[np.float64], sd: NDArray[np.float64], level: float) -> _Slope:
    weight = sd**-2
    centre = float(weight @ x / weight.sum())
    middle = float(weight @ y / weight.sum())
    spread = float(weight @ (x - centre) ** 2)
    slope = float(weight @ ((x - centre) * (y - middle))) / spread
    free = x.size - 2
    chi_squared = float(weight @ (y - middle - slope * (x - centre)) ** 2)
    se = spread**-0.5
    if chdtrc(free, chi_squared) < DOUBTED:
        scatter = math.sqrt(chi_squared / free)
        quantile = float(stdtrit(free, 0.5 * (1.0 + level)))
        return _Slope(-slope, se * scatter, quantile, "log-linear fit, Student's t from a scatter beyond that stated")
    return _Slope(-slope, se, half_width(level), "log-linear fit")


def _unknown(level: float, reason: str) -> Estimate:
    return Estimate.unknown(level, "days", reason)
