"""What follows from fitted parameters: sums, ratios, areas, with the uncertainty that the covariance gives them."""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from lampyris.core.estimate import Estimate
from lampyris.statistics.fitting.differences import slopes
from lampyris.statistics.fitting.result import ERROR_KINDS, Fit

# of a standard error: the step of the slopes, small enough that what bends does not count
_STEP = 0.01


def derived(
    fit: Fit, of: Callable[[NDArray[np.float64]], float], /, *, unit: str = "1", level: float | None = None
) -> Estimate:
    """A number that follows from the parameters, with a symmetric interval by the delta method.

    Parameters
    ----------
    fit : Fit
    of : callable
        Takes all parameters, dims (parameter,), in the order of `fit.names`.
    unit : str
        Of the number.
    level : float, optional
        Coverage; the fit's otherwise.

    Returns
    -------
    Estimate
        Parameters that are fixed or at a bound count as known. Where it bends within its error, make the number a parameter and
        ask for its profile.

    Examples
    --------
    >>> from lampyris.statistics.fitting import DataSet, Parameter, fit_least_squares
    >>> x = np.array([0.0, 1.0, 2.0, 3.0])
    >>> line = fit_least_squares(
    ...     DataSet(lambda p: p[0] + p[1] * x, [1.0, 2.9, 5.1, 7.0], sd=0.1), [Parameter("a", 0.0), Parameter("b", 1.0)]
    ... )
    >>> crossing = derived(line, lambda p: -p[0] / p[1])
    >>> f"{crossing.value:.3f} {crossing.sd:.3f}"
    '-0.480 0.050'
    """
    values = fit.values
    level = fit.level if level is None else level
    own = np.sqrt(np.diag(fit.covariance))
    # the covariance of those that are held is 0, and so is their share
    moving = np.flatnonzero(own > 0)
    words = f"{fit.method}, delta method, {ERROR_KINDS[fit.error_kind]}"
    at = float(of(values))
    if not np.isfinite(own[moving]).all():
        return Estimate(at, math.inf, -math.inf, math.inf, level, unit, words)

    def moved(part: NDArray[np.float64]) -> NDArray[np.float64]:
        full = values.copy()
        full[moving] = part
        return np.array([float(of(full))])

    bounds = [
        (fit.objective.frame.parameters[place].low, fit.objective.frame.parameters[place].high) for place in moving
    ]
    low, high = np.array(bounds).reshape(-1, 2).T
    slope = slopes(moved, values[moving], _STEP * own[moving], low, high, order=4).reshape(-1)
    variance = float(slope @ fit.covariance[np.ix_(moving, moving)] @ slope) if moving.size else 0.0
    if variance < 0.0 or math.isnan(variance):
        # parameters that the data hardly tell apart: rounding has eaten the variance, so it is unknown, not small
        return Estimate(at, math.inf, -math.inf, math.inf, level, unit, words)
    sd = math.sqrt(variance)
    half = fit.quantile(level) * sd if sd else 0.0
    return Estimate(at, sd, at - half, at + half, level, unit, words)
