"""Straight lines with errors in both variables, the scatter about them, and what a new response says of its amount.

In the order of use: `york_line` (known standard deviations), `scatter_about_line` (unknown ones, by restricted likelihood),
`line_with_scatter` (both), `scatter_degrees`, `lack_of_fit`, `quadratic_term`, `inverse_prediction`, `ratio_interval`.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from lampyris.core.estimate import Estimate
from lampyris.statistics.fitting import LogLikelihood, Parameter, fit_likelihood
from lampyris.statistics.thresholds import half_width

_ROUNDS = 200
# scatter is sought between these shares of the largest response; finer than the first is no scatter
_LEAST_SHARE, _MOST_SHARE = 1e-6, 1.0
# with fewer degrees of freedom two scatters cannot be told apart: their ratio is then held at this
_LEAST_DEGREES = 4
_ASSUMED_RELATIVE, _ASSUMED_ABSOLUTE = 0.05, 0.005


@dataclass(frozen=True, slots=True)
class LineFit:
    """A fitted line, response = intercept + slope times amount.

    Parameters
    ----------
    intercept, slope : float
    intercept_variance, slope_variance, covariance : float
    degrees : int
        Points less 2.
    chi2 : float
        Weighted sum of squared distances.
    """

    intercept: float
    slope: float
    intercept_variance: float
    slope_variance: float
    covariance: float
    degrees: int
    chi2: float

    def at(self, x: ArrayLike, /) -> NDArray[np.float64]:
        """Response on the line."""
        return np.asarray(self.intercept + self.slope * np.asarray(x, float))

    def variance_at(self, x: ArrayLike, /) -> NDArray[np.float64]:
        """Variance of the line itself."""
        amount = np.asarray(x, float)
        return np.asarray(self.intercept_variance + 2 * amount * self.covariance + amount**2 * self.slope_variance)


def york_line(x: ArrayLike, y: ArrayLike, sd_x: ArrayLike, sd_y: ArrayLike, /) -> LineFit:
    """Least squares with independent errors of known size in both variables.

    Parameters
    ----------
    x, y : array_like, dims (point,)
    sd_x, sd_y : array_like, dims (point,)
        Standard deviations; of each point at least one above 0.

    Returns
    -------
    LineFit
        Variances follow from the given standard deviations, not from the scatter.

    Raises
    ------
    ValueError
        If there are fewer than two different x, or a point has no error at all.

    References
    ----------
    York, Evensen, Martinez & De Basabe Delgado 2004, Am J Phys 72:367, doi:10.1119/1.1632486, eq. 13.

    Examples
    --------
    >>> fit = york_line([0.0, 1.0, 2.0], [1.0, 3.0, 5.0], 0.0, 1.0)
    >>> round(fit.intercept, 9), round(fit.slope, 9), round(fit.slope_variance, 9)
    (1.0, 2.0, 0.5)
    """
    x, y = np.asarray(x, float), np.asarray(y, float)
    sd_x, sd_y = np.broadcast_to(np.asarray(sd_x, float), x.shape), np.broadcast_to(np.asarray(sd_y, float), x.shape)
    if np.unique(x).size < 2:
        raise ValueError(f"a line needs two different amounts, got {np.unique(x)!r}")
    if not ((sd_x > 0) | (sd_y > 0)).all():
        raise ValueError("every point needs a standard deviation above 0 of x or of y")
    slope = float(np.polyfit(x, y, 1)[0])
    for _ in range(_ROUNDS):
        weight = 1.0 / (sd_y**2 + slope**2 * sd_x**2)
        middle_x, middle_y = np.average(x, weights=weight), np.average(y, weights=weight)
        u, v = x - middle_x, y - middle_y
        beta = weight * (u * sd_y**2 + slope * v * sd_x**2)
        before, slope = slope, float((weight * beta * v).sum() / (weight * beta * u).sum())
        if abs(slope - before) <= 1e-15 * abs(slope):
            break
    intercept = float(middle_y - slope * middle_x)
    adjusted = middle_x + beta
    centre = float(np.average(adjusted, weights=weight))
    slope_variance = float(1.0 / (weight * (adjusted - centre) ** 2).sum())
    return LineFit(
        intercept=intercept,
        slope=slope,
        intercept_variance=float(1.0 / weight.sum() + centre**2 * slope_variance),
        slope_variance=slope_variance,
        covariance=-centre * slope_variance,
        degrees=x.size - 2,
        chi2=float((weight * (y - intercept - slope * x) ** 2).sum()),
    )


def scatter_about_line(
    x: ArrayLike, y: ArrayLike, sd_x: ArrayLike, sd_y: ArrayLike, /, *, slope: float | None = None
) -> tuple[float, float]:
    """Absolute and relative scatter of responses about their line, by restricted likelihood.

    The variance of a response is ``sd_y**2 + absolute**2 + (relative slope x)**2``, and ``(slope sd_x)**2`` comes from its amount.

    Parameters
    ----------
    x, y, sd_x, sd_y : array_like, dims (point,)
        As of `york_line`; here all standard deviations may be 0.
    slope : float, optional
        Of the line, for the variances; by least squares otherwise.

    Returns
    -------
    absolute : float
        In the unit of y.
    relative : float
        Pure number.

    Notes
    -----
    With fewer than four degrees of freedom the two cannot be told apart; their ratio is then held at 5 % of a response to 0.5 %
    of the largest.
    """
    x, y = np.asarray(x, float), np.asarray(y, float)
    known = np.broadcast_to(np.asarray(sd_y, float), x.shape) ** 2
    sd_x = np.broadcast_to(np.asarray(sd_x, float), x.shape)
    largest = float(np.abs(y).max())
    if not largest > 0:
        return 0.0, 0.0
    slope = float(np.polyfit(x, y, 1)[0]) if slope is None else slope
    known = known + (slope * sd_x) ** 2
    ends = (math.log10(_LEAST_SHARE), math.log10(_MOST_SHARE))
    absolute_grid = relative_grid = np.linspace(*ends, 25)
    if x.size - 2 < _LEAST_DEGREES:
        return _joint_scatter(x, y, known, slope, largest)
    for _ in range(3):
        s, r = (grid.ravel() for grid in np.meshgrid(absolute_grid, relative_grid, indexing="ij"))
        variance = known + (largest * 10.0**s)[:, None] ** 2 + (10.0**r)[:, None] ** 2 * (slope * x) ** 2
        deviance = _restricted(x, y, variance)
        weight = np.exp(-0.5 * (deviance - deviance.min())) * 10.0 ** (s + r)
        absolute_grid, relative_grid = (_likely(at, weight) for at in (s, r))
    # the mean logarithm over what is likely, flat in both scatters: the likeliest alone is too often none at all
    weight /= weight.sum()
    absolute, relative = (10.0 ** float(weight @ at) for at in (s, r))
    return largest * absolute, relative


def _likely(values: NDArray[np.float64], weight: NDArray[np.float64], /) -> NDArray[np.float64]:
    """A grid over the part of an even one that holds any weight worth counting."""
    marks, place = np.unique(values, return_inverse=True)
    share = np.bincount(place, weight)
    held = np.flatnonzero(share > 1e-4 * share.max())
    return np.linspace(marks[max(held[0] - 1, 0)], marks[min(held[-1] + 1, marks.size - 1)], 25)


def _joint_scatter(
    x: NDArray[np.float64], y: NDArray[np.float64], known: NDArray[np.float64], slope: float, largest: float
) -> tuple[float, float]:
    pattern = (_ASSUMED_ABSOLUTE * largest) ** 2 + (_ASSUMED_RELATIVE * slope * x) ** 2

    def log_likelihood(p: NDArray[np.float64]) -> NDArray[np.float64]:
        return -0.5 * _restricted(x, y, known + (10.0 ** p[0]) ** 2 * pattern[None])

    # where all is known already the likelihood ends at the lower bound: no scatter
    share = Parameter("log10_scatter", 0.0, low=math.log10(_LEAST_SHARE), high=2.0, scale=0.3, grid=(-2.0, 1.0))
    best = fit_likelihood(LogLikelihood(log_likelihood), [share])["log10_scatter"].value
    return _ASSUMED_ABSOLUTE * largest * 10.0**best, _ASSUMED_RELATIVE * 10.0**best


def _restricted(x: NDArray[np.float64], y: NDArray[np.float64], variance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Minus twice the restricted log likelihood of a line, dims (candidate,), for variances of dims (candidate, point)."""
    weight = 1.0 / variance
    total = weight.sum(axis=1)
    middle_x, middle_y = (weight @ x) / total, (weight @ y) / total
    dx, dy = x - middle_x[:, None], y - middle_y[:, None]
    spread = (weight * dx**2).sum(axis=1)
    slope = (weight * dx * dy).sum(axis=1) / spread
    rest = (weight * (dy - slope[:, None] * dx) ** 2).sum(axis=1)
    return np.asarray(np.log(variance).sum(axis=1) + np.log(total * spread) + rest)


def line_with_scatter(x: ArrayLike, y: ArrayLike, sd_x: ArrayLike, sd_y: ArrayLike, /) -> tuple[LineFit, float, float]:
    """The line and the scatter about it, each fitted with the other until they agree.

    Parameters
    ----------
    x, y, sd_x, sd_y : array_like, dims (point,)
        As of `scatter_about_line`.

    Returns
    -------
    line : LineFit
    absolute, relative : float
        Scatter beyond the given standard deviations.
    """
    x, y = np.asarray(x, float), np.asarray(y, float)
    slope = float(np.polyfit(x, y, 1)[0])
    for _ in range(3):
        absolute, relative = scatter_about_line(x, y, sd_x, sd_y, slope=slope)
        fit = york_line(x, y, sd_x, response_sd(x, sd_y, slope, absolute, relative))
        if abs(fit.slope - slope) < 1e-6 * abs(fit.slope):
            break
        slope = fit.slope
    return fit, absolute, relative


def response_sd(
    x: ArrayLike, sd_y: ArrayLike, slope: float, absolute: float, relative: float, /
) -> NDArray[np.float64]:
    """Standard deviation of single responses from their own and from the scatter; never 0."""
    x = np.asarray(x, float)
    # an exact line has no scatter, and yet every point must have some weight
    floor = 1e-9 * max(abs(slope) * float(np.abs(x).max(initial=0.0)), 1e-300)
    return np.sqrt(np.asarray(sd_y, float) ** 2 + absolute**2 + (relative * slope * x) ** 2 + floor**2)


def scatter_degrees(
    x: ArrayLike,
    sd_y: ArrayLike,
    slope: float,
    absolute: float,
    relative: float,
    /,
    *,
    at: float,
) -> float:
    """Degrees of freedom behind the scatter of a new response at one amount, after Satterthwaite.

    Parameters
    ----------
    x, sd_y : array_like, dims (point,)
        Points that the scatter was estimated from; `sd_y` also holds what their amounts' errors add.
    slope, absolute, relative : float
        As fitted.
    at : float
        Amount.

    Returns
    -------
    float
        2 V^2 over the variance of V, which is taken from the likelihood's expected information.

    References
    ----------
    Satterthwaite 1946, Biometrics Bull 2:110, doi:10.2307/3002019.
    """
    x = np.asarray(x, float)
    degrees = float(x.size - 2)
    if degrees < _LEAST_DEGREES:
        return max(degrees, 1.0)
    parts = np.stack([np.ones_like(x), (slope * x) ** 2])
    weight = 1.0 / response_sd(x, sd_y, slope, absolute, relative) ** 2
    information = 0.5 * (parts * weight**2) @ parts.T * degrees / x.size
    new = np.array([1.0, (slope * at) ** 2])
    total = float(new @ (absolute**2, relative**2))
    # amounts span decades: scaled, so that the inverse is well behaved
    scale = np.sqrt(np.diag(information))
    doubt = float((new / scale) @ np.linalg.pinv(information / np.outer(scale, scale)) @ (new / scale))
    return float(np.clip(2.0 * total**2 / doubt, 1.0, degrees))


def lack_of_fit(x: ArrayLike, y: ArrayLike, variance: ArrayLike, fit: LineFit, /) -> float:
    """p of the test whether means scatter about the line more than replicates about their means.

    Parameters
    ----------
    x, y : array_like, dims (point,)
        Replicates have the same x.
    variance : array_like, dims (point,)
        Of the responses, up to a common factor.
    fit : LineFit

    Returns
    -------
    float
        NaN with fewer than three different x or without replicates.
    """
    x, y = np.asarray(x, float), np.asarray(y, float)
    weight = 1.0 / np.asarray(variance, float)
    amounts, place = np.unique(x, return_inverse=True)
    between, within = amounts.size - 2, x.size - amounts.size
    if between < 1 or within < 1:
        return math.nan
    total = np.bincount(place, weight)
    mean = np.bincount(place, weight * y) / total
    pure = float((weight * (y - mean[place]) ** 2).sum())
    lack = float((total * (mean - fit.at(amounts)) ** 2).sum())
    if pure <= 0:
        return 1.0 if lack <= 0 else 0.0
    return float(special.fdtrc(between, within, (lack / between) / (pure / within)))


def quadratic_term(x: ArrayLike, y: ArrayLike, variance: ArrayLike, /) -> float:
    """p of a quadratic term beside the line; NaN with fewer than four points or three different x."""
    x, y = np.asarray(x, float), np.asarray(y, float)
    degrees = x.size - 3
    if degrees < 1 or np.unique(x).size < 3:
        return math.nan
    root = 1.0 / np.sqrt(np.asarray(variance, float))
    scaled = x / np.abs(x).max()
    design = root[:, None] * np.stack([np.ones_like(x), scaled, scaled**2], axis=1)
    values = np.linalg.lstsq(design, root * y, rcond=None)[0]
    rest = root * y - design @ values
    spread = float(rest @ rest) / degrees * float(np.linalg.inv(design.T @ design)[2, 2])
    if spread <= 0:
        return 1.0
    return float(2.0 * special.stdtr(degrees, -abs(values[2]) / math.sqrt(spread)))


def inverse_prediction(
    fit: LineFit,
    response: float,
    response_sd: float,
    /,
    *,
    unit: str,
    level: float = 0.95,
    slope_relative_sd: float = 0.0,
    through_zero: bool = False,
    response_degrees: float = math.inf,
) -> Estimate:
    """Amount behind a new response, with Fieller's interval: the line's own uncertainty is in it.

    Parameters
    ----------
    fit : LineFit
    response, response_sd : float
        New response and its standard deviation.
    unit : str
        Of the amount.
    level : float
        Coverage.
    slope_relative_sd : float
        Uncertainty of the slope besides the fit's: between days, or from the stock.
    through_zero : bool
        The response has no background: the intercept is not taken off.
    response_degrees : float
        Degrees of freedom behind `response_sd`, see `scatter_degrees`; infinite where it is known.

    Returns
    -------
    Estimate
        Unbounded where the slope is not told from 0 at this level.

    References
    ----------
    Fieller 1954, J R Stat Soc B 16:175, doi:10.1111/j.2517-6161.1954.tb00159.x; the degrees of freedom are those of
    Welch 1947, doi:10.1093/biomet/34.1-2.28.

    Examples
    --------
    >>> fit = york_line([0.0, 1.0, 2.0], [0.0, 2.0, 4.0], 0.0, 0.1)
    >>> found = inverse_prediction(fit, 2.0, 0.1, unit="pmol")
    >>> f"{found.value:.3f} {found.sd:.4f}"
    '1.000 0.0577'
    """
    a, va, c = (0.0, 0.0, 0.0) if through_zero else (fit.intercept, fit.intercept_variance, fit.covariance)
    b, vb = fit.slope, fit.slope_variance + (fit.slope * slope_relative_sd) ** 2
    net = response - a
    x = net / b
    own, known = response_sd**2, (x * b * slope_relative_sd) ** 2
    line = max(va + 2 * x * c + x**2 * fit.slope_variance, 0.0)
    sd = math.sqrt(own + known + line) / abs(b)
    shares = ((own, response_degrees), (line, fit.degrees or math.inf))
    doubt = sum(part**2 / degrees for part, degrees in shares)
    degrees = (own + known + line) ** 2 / doubt if doubt > 0 else math.inf
    t = float(special.stdtrit(min(degrees, 1e9), 0.5 * (1 + level)))
    ends = _fieller_ends((net, own + va), (b, vb), c, t)
    if ends is None:
        return Estimate(x, sd, -math.inf, math.inf, level, unit, "inverse prediction: the slope is not told from 0")
    low, high = ends
    return Estimate(x, sd, min(low, x), max(high, x), level, unit, "inverse prediction, Fieller's interval")


def _fieller_ends(
    numerator: tuple[float, float], denominator: tuple[float, float], covariance: float, quantile: float
) -> tuple[float, float] | None:
    """Fieller's ends of a ratio of (value, variance), the covariance signed as of a difference; None where the denominator may be 0."""
    (a, va), (b, vb) = numerator, denominator
    lead = b**2 - quantile**2 * vb
    if not lead > 0:
        return None
    half = a * b + quantile**2 * covariance
    root = math.sqrt(max(half**2 - lead * (a**2 - quantile**2 * va), 0.0))
    return (half - root) / lead, (half + root) / lead


def ratio_interval(
    numerator: tuple[float, float],
    denominator: tuple[float, float],
    /,
    *,
    unit: str = "1",
    level: float = 0.95,
    quantile: float | None = None,
) -> Estimate:
    """Ratio of two independent numbers (value, standard deviation) with Fieller's interval.

    Parameters
    ----------
    numerator, denominator : (float, float)
    unit : str
    level : float
    quantile : float, optional
        Standard deviations on each side at that level, such as Student's; of normal numbers otherwise.

    Returns
    -------
    Estimate
        Unbounded where the denominator is not told from 0 at this level.

    References
    ----------
    Fieller 1954, J R Stat Soc B 16:175, doi:10.1111/j.2517-6161.1954.tb00159.x.

    Examples
    --------
    >>> found = ratio_interval((2.0, 0.02), (4.0, 0.0))
    >>> f"{found.value} {found.sd:.3f} {found.low:.4f}"
    '0.5 0.005 0.4902'
    """
    (a, sa), (b, sb) = numerator, denominator
    value, sd = a / b, math.hypot(sa, a / b * sb) / abs(b)
    ends = _fieller_ends((a, sa**2), (b, sb**2), 0.0, half_width(level) if quantile is None else quantile)
    if ends is None:
        return Estimate(value, sd, -math.inf, math.inf, level, unit, "ratio: the denominator is not told from 0")
    return Estimate(value, sd, min(ends[0], value), max(ends[1], value), level, unit, "ratio, Fieller's interval")
