"""Lines between two measurements, with intervals: ordinary, and where both columns have errors.

In the order of use: `ordinary_line`, `york_relation` (errors known), `deming_line` (their ratio known), `passing_bablok_line`
(no distribution assumed), `lines_beside`.

An ordinary regression takes x for exact: errors in x make its slope too small by the share of x's variance that is error.
"""

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from lampyris.core.design import Design
from lampyris.core.estimate import Estimate
from lampyris.statistics.relations.columns import finite_column, finite_pair, varies
from lampyris.statistics.relations.lines import LineFit, york_line
from lampyris.statistics.thresholds import half_width

_MOST_PAIRS = 3000
INTERVALS = ("exact", "jackknife")
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class RelationLine:
    """A line y = intercept + slope x with intervals.

    Parameters
    ----------
    method : str
        How it was fitted.
    slope, intercept : Estimate
    covariance : float
        Of slope and intercept; NaN where the method has none.
    degrees : float
        Degrees of freedom of the band; infinite where the errors were known, NaN where there is no band.
    design : Design
    notes : tuple of str
    warnings : tuple of str
    """

    method: str
    slope: Estimate
    intercept: Estimate
    covariance: float
    degrees: float
    design: Design
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    def at(self, x: ArrayLike, /) -> Floats:
        """The line at x."""
        return np.asarray(self.intercept.value + self.slope.value * np.asarray(x, float))

    def band(self, x: ArrayLike, /) -> tuple[Floats, Floats]:
        """Lower and upper end of the line's pointwise interval at x; NaN where the method has no band."""
        at = np.asarray(x, float)
        if not (math.isfinite(self.slope.sd) and math.isfinite(self.intercept.sd)):
            return np.full_like(at, math.nan), np.full_like(at, math.nan)
        variance = self.intercept.sd**2 + 2 * at * self.covariance + at**2 * self.slope.sd**2
        tail = 0.5 * (1 + self.slope.level)
        q = math.nan
        if not math.isnan(self.degrees):
            q = float(special.ndtri(tail) if math.isinf(self.degrees) else special.stdtrit(self.degrees, tail))
        half = q * np.sqrt(np.maximum(variance, 0.0))
        return self.at(at) - half, self.at(at) + half


def ordinary_line(
    x: ArrayLike, y: ArrayLike, /, *, level: float = 0.95, unit: str = "1", experimental_unit: str = "animal"
) -> RelationLine:
    """Least squares of y on x, x taken for exact, with Student's intervals.

    Parameters
    ----------
    x, y : array_like, dims (animal,)
        One finite pair per independent unit, at least three.
    level : float
        Coverage.
    unit : str
        Of y.
    experimental_unit : str
        What was replicated.

    Returns
    -------
    RelationLine

    Raises
    ------
    ValueError
        If there are fewer than three pairs, a value is not finite, or x does not vary.

    Examples
    --------
    >>> found = ordinary_line([1, 2, 3, 4], [2.1, 3.9, 6.2, 7.8])
    >>> f"{found.slope.value:.2f} ({found.slope.low:.2f} to {found.slope.high:.2f})"
    '1.94 (1.55 to 2.33)'
    """
    x, y = _pairs(x, y)
    middle, u = float(x.mean()), x - x.mean()
    spread = float(u @ u)
    slope = float(u @ y) / spread
    intercept = float(y.mean()) - slope * middle
    rest = y - intercept - slope * x
    degrees = x.size - 2
    variance = float(rest @ rest) / degrees
    slope_sd = math.sqrt(variance / spread)
    intercept_sd = math.sqrt(variance * (1 / x.size + middle**2 / spread))
    ends = _t_ends(level, degrees)
    return RelationLine(
        method="ordinary least squares of y on x",
        slope=_estimate(slope, slope_sd, ends, level, "1", "least squares, Student's t"),
        intercept=_estimate(intercept, intercept_sd, ends, level, unit, "least squares, Student's t"),
        covariance=-middle * variance / spread,
        degrees=float(degrees),
        design=Design(experimental_unit, (), (x.size,), rows=x.size),
        notes=("x is taken for exact: where it has errors the slope is too small in size.",),
    )


def york_relation(
    x: ArrayLike,
    y: ArrayLike,
    sd_x: ArrayLike,
    sd_y: ArrayLike,
    /,
    *,
    level: float = 0.95,
    unit: str = "1",
    experimental_unit: str = "animal",
) -> RelationLine:
    """Line with errors of known size in both columns, after York.

    Parameters
    ----------
    x, y : array_like, dims (animal,)
    sd_x, sd_y : array_like, dims (animal,) or one for all
        Standard deviations of each point's errors.
    level, unit, experimental_unit
        As of `ordinary_line`.

    Returns
    -------
    RelationLine
        York's variance of the slope is enlarged where errors in x are large. Where points scatter more than their errors
        allow, the intervals are widened by that excess and its degrees of freedom, and a note says so.

    Raises
    ------
    ValueError
        As `ordinary_line`; or if a point has no error at all.

    References
    ----------
    York et al. 2004, Am J Phys 72:367, doi:10.1119/1.1632486.

    Examples
    --------
    >>> found = york_relation([1, 2, 3, 4], [2.1, 3.9, 6.2, 7.8], 0.1, 0.2)
    >>> f"{found.slope.value:.2f} ({found.slope.low:.2f} to {found.slope.high:.2f})"
    '1.94 (1.70 to 2.19)'
    """
    x, y = _pairs(x, y)
    sd_x, sd_y = (finite_column(np.broadcast_to(np.asarray(sd, float), x.shape), "sd") for sd in (sd_x, sd_y))
    if (sd_x < 0).any() or (sd_y < 0).any():
        raise ValueError("a standard deviation is at least 0")
    try:
        with np.errstate(all="raise", under="ignore"):
            fit = york_line(x, y, sd_x, sd_y)
            grown = _york_growth(fit, x, y, sd_x, sd_y)
    except FloatingPointError as error:
        raise ValueError("these errors give no weights: a flat line needs an error of y at every point") from error
    centre = -fit.covariance / fit.slope_variance
    p = float(special.chdtrc(fit.degrees, fit.chi2))
    excess = math.sqrt(fit.chi2 / fit.degrees)
    widen = p < 0.05 and excess > 1
    factor, degrees = (excess, float(fit.degrees)) if widen else (1.0, math.inf)
    warnings = []
    notes = [
        f"Scatter about the line against the given errors: chi2 = {fit.chi2:.3g}, df = {fit.degrees}, p = {p:.2g}."
    ]
    if widen:
        warnings.append(
            f"Points scatter {excess:.2g} times as much as their errors allow: intervals were widened by that."
        )
    name = "York, widened by the scatter, Student's t" if widen else "York, given errors, normal"
    ends = _t_ends(level, degrees)
    if math.isinf(grown):
        warnings.append("The points differ no more in x than their errors do: the slope is not known.")
    slope_variance = grown * fit.slope_variance
    intercept_variance = fit.intercept_variance + (slope_variance - fit.slope_variance) * centre**2
    sds = [factor * math.sqrt(variance) for variance in (slope_variance, intercept_variance)]
    return RelationLine(
        method="errors of known size in both columns (York)",
        slope=_estimate(fit.slope, sds[0], ends, level, "1", name),
        intercept=_estimate(fit.intercept, sds[1], ends, level, unit, name),
        covariance=-centre * factor**2 * slope_variance,
        degrees=degrees,
        design=Design(experimental_unit, (), (x.size,), rows=x.size),
        notes=tuple(notes),
        warnings=tuple(warnings),
    )


def deming_line(
    x: ArrayLike,
    y: ArrayLike,
    /,
    *,
    variance_ratio: float = 1.0,
    interval: str = "exact",
    level: float = 0.95,
    unit: str = "1",
    experimental_unit: str = "animal",
) -> RelationLine:
    """Line with errors of unknown size, but known ratio, in both columns.

    Parameters
    ----------
    x, y : array_like, dims (animal,)
    variance_ratio : float
        Error variance of y over that of x; 1 is orthogonal regression and only an assumption.
    interval : str
        Of the slope: "exact" (of Creasy; normal errors) or "jackknife" (of Linnet). The intercept's is by jackknife.
    level, unit, experimental_unit
        As of `ordinary_line`.

    Returns
    -------
    RelationLine
        The slope's interval is unbounded where x and y are hardly related.

    Raises
    ------
    ValueError
        As `ordinary_line`; or if x and y do not vary together, or the ratio is not above 0.

    References
    ----------
    Linnet 1993, Clin Chem 39:424, doi:10.1093/clinchem/39.3.424; Creasy 1956, J R Stat Soc B 18:65,
    doi:10.1111/j.2517-6161.1956.tb00211.x.

    Examples
    --------
    >>> found = deming_line([1, 2, 3, 4], [2.1, 3.9, 6.2, 7.8])
    >>> f"{found.slope.value:.2f} ({found.slope.low:.2f} to {found.slope.high:.2f})"
    '1.95 (1.61 to 2.42)'
    """
    x, y = _pairs(x, y)
    if not (math.isfinite(variance_ratio) and variance_ratio > 0):
        raise ValueError(f"the ratio of error variances must be above 0, got {variance_ratio}")
    if interval not in INTERVALS:
        raise ValueError(f"interval is one of {', '.join(INTERVALS)}, got {interval!r}")
    slope, intercept = _deming(x, y, variance_ratio)
    slopes, intercepts = _left_out(x, y, variance_ratio)
    covariance = _jackknife_covariance(slope, intercept, slopes, intercepts)
    sds = np.sqrt(np.diag(covariance))
    ends = _t_ends(level, x.size - 2)
    found = _estimate(slope, float(sds[0]), ends, level, "1", "Deming, jackknife, Student's t")
    if interval == "exact":
        low, high = _creasy(x, y, variance_ratio, level)
        found = replace(found, low=min(low, slope), high=max(high, slope), method="Deming, Creasy's exact interval")
    return RelationLine(
        method=f"Deming, error variances of y and x as {variance_ratio:g} to 1",
        slope=found,
        intercept=_estimate(intercept, float(sds[1]), ends, level, unit, "Deming, jackknife, Student's t"),
        covariance=float(covariance[0, 1]),
        degrees=float(x.size - 2),
        design=Design(experimental_unit, (), (x.size,), rows=x.size),
        notes=("The ratio of the error variances is taken as known; another ratio gives another slope.",),
    )


def passing_bablok_line(
    x: ArrayLike, y: ArrayLike, /, *, level: float = 0.95, unit: str = "1", experimental_unit: str = "animal"
) -> RelationLine:
    """Line by the shifted median of all pairwise slopes: neither outliers nor the shape of the errors matter.

    Parameters
    ----------
    x, y : array_like, dims (animal,)
        Two measurements of the same thing, positively related; errors in the ratio of the slope. At most 3000 pairs.
    level, unit, experimental_unit
        As of `ordinary_line`.

    Returns
    -------
    RelationLine
        Without a band.

    Raises
    ------
    ValueError
        As `ordinary_line`; or if there are too many pairs, or x and y are not positively related.

    References
    ----------
    Passing & Bablok 1983, J Clin Chem Clin Biochem 21:709, doi:10.1515/cclm.1983.21.11.709.

    Examples
    --------
    >>> found = passing_bablok_line([1, 2, 3, 4, 5], [1.1, 2.0, 3.2, 3.9, 5.1])
    >>> f"{found.slope.value:.2f}"
    '0.97'
    """
    x, y = _pairs(x, y)
    n = x.size
    if n > _MOST_PAIRS:
        raise ValueError(f"all pairwise slopes of more than {_MOST_PAIRS} pairs take too much memory, got {n}")
    first, second = np.triu_indices(n, 1)
    dx, dy = x[second] - x[first], y[second] - y[first]
    if np.sign(dx * dy).sum() <= 0:
        raise ValueError("Passing and Bablok's line compares two measurements that rise together; these do not")
    known = (dx != 0) | (dy != 0)
    with np.errstate(divide="ignore"):
        slopes = dy[known] / dx[known]
    # a vertical step counts by the way that y goes
    slopes = np.where(dx[known] == 0, np.copysign(np.inf, dy[known]), slopes)
    slopes = np.sort(slopes[~np.isclose(slopes, -1.0, rtol=1e-12, atol=0.0)])
    shift, count = int((slopes < -1).sum()), slopes.size
    middle = (count - 1) / 2 + shift
    slope = float(0.5 * (slopes[min(math.floor(middle), count - 1)] + slopes[min(math.ceil(middle), count - 1)]))
    reach = half_width(level) * math.sqrt(n * (n - 1) * (2 * n + 5) / 18)
    lower = round((count - reach) / 2)
    ranks = (lower + shift - 1, count - lower + shift)
    low = float(slopes[ranks[0]]) if ranks[0] >= 0 else -math.inf
    high = float(slopes[ranks[1]]) if ranks[1] < count else math.inf
    if not math.isfinite(slope):
        raise ValueError("most steps from point to point are vertical: no line of Passing and Bablok can be drawn")
    intercept = float(np.median(y - slope * x))
    edges = [
        float(np.median(y - end * x)) if math.isfinite(end) else -math.copysign(math.inf, end) for end in (high, low)
    ]
    name = "Passing & Bablok, ranks of pairwise slopes"
    notes = ("Meant for two measurements of the same thing that rise together in a straight line; look at the plot.",)
    return RelationLine(
        method="Passing & Bablok",
        slope=Estimate(slope, math.nan, min(low, slope), max(high, slope), level, "1", name),
        intercept=Estimate(intercept, math.nan, min(*edges, intercept), max(*edges, intercept), level, unit, name),
        covariance=math.nan,
        degrees=math.nan,
        design=Design(experimental_unit, (), (n,), rows=n),
        notes=notes
        if n >= 30
        else (*notes, f"With n = {n} its interval is rough: the method was made for 30 pairs and more."),
    )


def lines_beside(
    x: ArrayLike, y: ArrayLike, /, *, level: float = 0.95, unit: str = "1", experimental_unit: str = "animal"
) -> tuple[RelationLine, ...]:
    """Lines of every method that needs no more than the columns, for comparison: ordinary, Deming, and where it applies
    Passing-Bablok.

    Parameters
    ----------
    x, y, level, unit, experimental_unit
        As of `ordinary_line`.

    Returns
    -------
    tuple of RelationLine
    """
    found = []
    for line in (ordinary_line, deming_line, passing_bablok_line):
        try:
            found.append(line(x, y, level=level, unit=unit, experimental_unit=experimental_unit))
        except ValueError:
            # each has its own demands; a line that cannot be drawn is not shown
            if line is ordinary_line:
                raise
    return tuple(found)


def _york_growth(fit: LineFit, x: Floats, y: Floats, sd_x: ArrayLike, sd_y: ArrayLike) -> float:
    """Factor on York's variance of the slope for the errors that his adjusted points still have.

    York divides by their spread, errors and all; the slope leans on the spread of the true x alone. The factor is 1 where
    x is exact and follows from the expected slope of the estimating equation.
    """
    var_x, var_y = (np.broadcast_to(np.asarray(sd, float) ** 2, x.shape) for sd in (sd_x, sd_y))
    weight = 1 / (var_y + fit.slope**2 * var_x)
    rest = y - fit.intercept - fit.slope * x
    adjusted = x + weight * fit.slope * var_x * rest
    spread = float((weight * (adjusted - np.average(adjusted, weights=weight)) ** 2).sum())
    errors = float((weight**2 * var_x * var_y).sum()) * (x.size - 1) / x.size
    return (spread / (spread - errors)) ** 2 if spread > errors else math.inf


def _pairs(x: ArrayLike, y: ArrayLike) -> tuple[Floats, Floats]:
    a, b = finite_pair(x, y)
    if a.size < 3:
        raise ValueError(f"a line with intervals needs at least three pairs, got {a.size}")
    if not varies(a):
        raise ValueError(f"all x are {a[0]:g}: no line can be drawn")
    return a, b


def _t_ends(level: float, degrees: float) -> float:
    tail = 0.5 * (1 + level)
    return float(special.ndtri(tail) if math.isinf(degrees) else special.stdtrit(degrees, tail))


def _estimate(value: float, sd: float, quantile: float, level: float, unit: str, method: str) -> Estimate:
    return Estimate(value, sd, value - quantile * sd, value + quantile * sd, level, unit, method)


def _moments(x: Floats, y: Floats) -> tuple[float, float, float]:
    u, v = x - x.mean(), y - y.mean()
    return float(u @ u), float(v @ v), float(u @ v)


def _deming(x: Floats, y: Floats, ratio: float) -> tuple[float, float]:
    sxx, syy, sxy = _moments(x, y)
    if sxy == 0:
        raise ValueError("x and y do not vary together: no line with errors in both can be drawn")
    lead = syy - ratio * sxx
    slope = (lead + math.sqrt(lead**2 + 4 * ratio * sxy**2)) / (2 * sxy)
    return slope, float(y.mean()) - slope * float(x.mean())


def _left_out(x: Floats, y: Floats, ratio: float) -> tuple[Floats, Floats]:
    """Slope and intercept without each point in turn, by taking it out of the sums."""
    n, u, v = x.size, x - x.mean(), y - y.mean()
    share = n / (n - 1)
    sxx, syy, sxy = float(u @ u) - share * u * u, float(v @ v) - share * v * v, float(u @ v) - share * u * v
    if (sxy == 0).any():
        raise ValueError(
            "without one of the points x and y do not vary together: too few for a line with errors in both"
        )
    lead = syy - ratio * sxx
    slopes = (lead + np.sqrt(lead**2 + 4 * ratio * sxy**2)) / (2 * sxy)
    return slopes, (y.mean() - v / (n - 1)) - slopes * (x.mean() - u / (n - 1))


def _jackknife_covariance(slope: float, intercept: float, slopes: Floats, intercepts: Floats) -> Floats:
    n = slopes.size
    pseudo = n * np.array([[slope], [intercept]]) - (n - 1) * np.stack([slopes, intercepts])
    return np.cov(pseudo) / n


def _creasy(x: Floats, y: Floats, ratio: float, level: float) -> tuple[float, float]:
    """Slopes whose residuals are uncorrelated with the place along the line, at this level.

    With errors scaled alike, turning the axes by the right angle leaves two uncorrelated coordinates.
    """
    root = math.sqrt(ratio)
    sxx, syy, sxy = _moments(x, y / root)
    degrees = x.size - 2
    t = _t_ends(level, degrees)
    angle = 0.5 * math.atan2(2 * sxy, sxx - syy)
    length = (sxx - syy) ** 2 + 4 * sxy**2
    sine = 2 * t * math.sqrt(max(sxx * syy - sxy**2, 0.0) / (degrees * length)) if length > 0 else math.inf
    if sine > 1:
        return -math.inf, math.inf
    half = 0.5 * math.asin(sine)
    if not -math.pi / 2 < angle - half <= angle + half < math.pi / 2:
        # a vertical line is among those that fit
        return -math.inf, math.inf
    return root * math.tan(angle - half), root * math.tan(angle + half)
