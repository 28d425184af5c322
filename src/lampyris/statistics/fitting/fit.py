"""The engine's three doors: least squares, Poisson likelihood, and a likelihood of the caller's own."""

import math
from collections.abc import Sequence
from typing import Literal

import numpy as np
from scipy import special

from lampyris.core.estimate import Estimate
from lampyris.statistics.fitting.covariance import ILL, Spread, spread
from lampyris.statistics.fitting.objective import Array, Counts, Objective, Squares, Units, counts, squares, units
from lampyris.statistics.fitting.problem import DataSet, LogLikelihood, Parameter
from lampyris.statistics.fitting.profile import with_profiles
from lampyris.statistics.fitting.result import ERROR_KINDS, ErrorKind, Fit, FitFlag, Goodness
from lampyris.statistics.fitting.solve import Found, solve

Intervals = Literal["wald", "profile"]


def fit_least_squares(
    data: DataSet | Sequence[DataSet],
    parameters: Sequence[Parameter],
    /,
    *,
    scatter: Literal["residual", "known"] | None = None,
    error: ErrorKind = "expected",
    intervals: Intervals = "wald",
    level: float = 0.95,
    extra_starts: int = 0,
    least_gain: float = 0.0,
) -> Fit:
    """Least squares, of one data set or of several that share parameters by name.

    Parameters
    ----------
    data : DataSet or sequence of DataSet
    parameters : sequence of Parameter
    scatter : str, optional
        ``known``: the data sets' `sd` are standard deviations as they are. ``residual``: they count up to a common factor, which
        the residuals give, and intervals are Student's. Without it: known where every data set has `sd`, else residual.
    error : str
        ``expected``: (J'J)^-1, scaled by the residual variance where that is estimated, as most programs print.
        ``observed``: from the second derivatives, as R's drc prints. ``sandwich``: holds where the stated spread is wrong.
    intervals : str
        ``wald``: symmetric, cut at the bounds. ``profile``: by profile likelihood.
    level : float
        Coverage of the intervals.
    extra_starts : int
        Starts besides the stated ones and their grids, spread by a fixed rule.
    least_gain : float
        Share of the sum of squares that a step must gain for the search to go on; 0 for all digits.

    Returns
    -------
    Fit

    Raises
    ------
    ValueError
        If the data or parameters are at fault, or no start gives a finite model.

    Examples
    --------
    >>> x = np.array([0.0, 1.0, 2.0, 3.0])
    >>> seen = DataSet(lambda p: p[0] * np.exp(-x / p[1]), [8.1, 4.9, 2.9, 1.8])
    >>> found = fit_least_squares(seen, [Parameter("height", 5.0), Parameter("life", 1.0, low=0.0, unit="d")])
    >>> f"{found['life'].value:.3f} ({found['life'].low:.2f} to {found['life'].high:.2f}) {found['life'].unit}"
    '1.973 (1.89 to 2.05) d'
    >>> found["life"].method
    "least squares, standard error from the expected information (J'J), residual variance, Student's t"
    """
    sets = [data] if isinstance(data, DataSet) else list(data)
    if scatter is None:
        scatter = "known" if sets and all(one.sd is not None for one in sets) else "residual"
    if scatter not in ("residual", "known"):
        raise ValueError(f"scatter is 'residual' or 'known', got {scatter!r}")
    bare = [one.name for one in sets if one.sd is None]
    if scatter == "known" and bare:
        raise ValueError(f"the scatter cannot be known without standard deviations: {', '.join(bare)}")
    objective = squares(sets, parameters)
    found = solve(objective, extra_starts, least_gain=least_gain)
    points = objective.sd.size
    degrees = points - found.theta.size
    chi2 = 2.0 * found.value
    known = scatter == "known"
    reduced = chi2 / degrees if degrees > 0 else math.nan
    logs = -float(np.log(objective.sd).sum()) - 0.5 * points * math.log(2.0 * math.pi)
    if known:
        likelihood = logs - 0.5 * chi2
    else:
        likelihood = logs - 0.5 * points * (math.log(chi2 / points) + 1.0) if chi2 > 0 else math.inf
    goodness = Goodness(
        points=points,
        free=found.theta.size,
        degrees=degrees,
        chi2=chi2,
        reduced_chi2=reduced,
        residual_sd=math.sqrt(reduced),
        deviance=chi2,
        log_likelihood=likelihood,
        aicc=_aicc(likelihood, found.theta.size + (not known), points),
        p=float(special.chdtrc(degrees, chi2)) if known and degrees > 0 else math.nan,
    )
    return _made("least squares", objective, found, goodness, error, intervals, level, known=known)


def fit_poisson(
    data: DataSet | Sequence[DataSet],
    parameters: Sequence[Parameter],
    /,
    *,
    error: ErrorKind = "expected",
    intervals: Intervals = "wald",
    level: float = 0.95,
    extra_starts: int = 0,
) -> Fit:
    """Maximum likelihood of counts, also few: a channel with none is no channel without weight.

    Parameters
    ----------
    data : DataSet or sequence of DataSet
        Counts, whole or not (a background that was taken off makes them no counts); `sd` stays empty. The model gives the
        expected count.
    parameters : sequence of Parameter
    error : str
        ``expected``: Fisher's information at the fit; ``observed``: second derivatives; ``sandwich``: holds where counts scatter
        more than Poisson's.
    intervals, level, extra_starts
        As of `fit_least_squares`; symmetric intervals are normal ones.

    Returns
    -------
    Fit

    Raises
    ------
    ValueError
        As `fit_least_squares`, and for negative counts.

    Examples
    --------
    >>> found = fit_poisson(DataSet(lambda p: p[0] * np.ones(4), [3, 5, 4, 8]), [Parameter("rate", 1.0, low=0.0)])
    >>> f"{found['rate'].value:.3f} {found['rate'].sd:.3f}"
    '5.000 1.118'
    """
    sets = [data] if isinstance(data, DataSet) else list(data)
    objective = counts(sets, parameters)
    found = solve(objective, extra_starts)
    points = objective.curves.observed.size
    degrees = points - found.theta.size
    expected = objective.curves.expected(found.theta)
    off = objective.curves.observed - expected
    pearson = float((off[expected > 0] ** 2 / expected[expected > 0]).sum())
    likelihood = objective.log_likelihood(found.theta)
    deviance = 2.0 * found.value
    goodness = Goodness(
        points=points,
        free=found.theta.size,
        degrees=degrees,
        chi2=pearson,
        reduced_chi2=pearson / degrees if degrees > 0 else math.nan,
        residual_sd=math.sqrt(pearson / degrees) if degrees > 0 else math.nan,
        deviance=deviance,
        log_likelihood=likelihood,
        aicc=_aicc(likelihood, found.theta.size, points),
        p=float(special.chdtrc(degrees, deviance)) if degrees > 0 else math.nan,
    )
    return _made("Poisson likelihood", objective, found, goodness, error, intervals, level)


def fit_likelihood(
    terms: LogLikelihood | Sequence[LogLikelihood],
    parameters: Sequence[Parameter],
    /,
    *,
    error: ErrorKind = "observed",
    intervals: Intervals = "wald",
    level: float = 0.95,
    extra_starts: int = 0,
) -> Fit:
    """Maximum of a likelihood that the caller gives unit by unit: censored values, mixtures, event times.

    Parameters
    ----------
    terms : LogLikelihood or sequence of LogLikelihood
    parameters : sequence of Parameter
        Their `scale` should be about the uncertainty, or parameters be chosen so that their own size is.
    error : str
        ``observed`` or ``sandwich``.
    intervals, level, extra_starts
        As of `fit_poisson`.

    Returns
    -------
    Fit
        `fitted` and `residuals` are empty.

    Raises
    ------
    ValueError
        As `fit_least_squares`.

    Examples
    --------
    >>> times = np.array([1.0, 2.0, 6.0])
    >>> life = LogLikelihood(lambda p: -np.log(p[0]) - times / p[0])
    >>> found = fit_likelihood(life, [Parameter("life", 1.0, low=0.0)], intervals="profile")
    >>> f"{found['life'].value:.3f} ({found['life'].low:.2f} to {found['life'].high:.2f})"
    '3.000 (1.16 to 12.06)'
    """
    given = [terms] if isinstance(terms, LogLikelihood) else list(terms)
    objective = units(given, parameters)
    found = solve(objective, extra_starts)
    points = objective.each(found.theta).size
    goodness = Goodness(
        points=points,
        free=found.theta.size,
        degrees=points - found.theta.size,
        chi2=math.nan,
        reduced_chi2=math.nan,
        residual_sd=math.nan,
        deviance=2.0 * found.value,
        log_likelihood=-found.value,
        aicc=_aicc(-found.value, found.theta.size, points),
        p=math.nan,
    )
    return _made("likelihood", objective, found, goodness, error, intervals, level)


def _aicc(log_likelihood: float, free: int, points: int) -> float:
    """Akaike's criterion with the correction for few points; inf where there are too few for it.

    References
    ----------
    Hurvich & Tsai 1989, Biometrika 76:297, doi:10.1093/biomet/76.2.297.
    """
    if points - free - 1 <= 0:
        return math.inf
    return -2.0 * log_likelihood + 2.0 * free + 2.0 * free * (free + 1) / (points - free - 1)


def _made(
    method: str,
    objective: Objective,
    found: Found,
    goodness: Goodness,
    error: ErrorKind,
    intervals: Intervals,
    level: float,
    /,
    *,
    known: bool = True,
) -> Fit:
    if intervals not in ("wald", "profile"):
        raise ValueError(f"intervals are 'wald' or 'profile', got {intervals!r}")
    if not 0 < level < 1:
        raise ValueError(f"level is a probability between 0 and 1, got {level}")
    frame = objective.frame
    scatter = 1.0 if known else goodness.residual_sd
    around = spread(objective, found.theta, error, scatter**2)
    count = len(frame.parameters)
    covariance = np.zeros((count, count))
    covariance[np.ix_(frame.free, frame.free)] = around.covariance
    fitted, residuals = _curves_of(objective, found.theta)
    flags = _flags(found, around, goodness, known)
    fit = Fit(
        method=method,
        names=tuple(one.name for one in frame.parameters),
        estimates=(),
        covariance=covariance,
        error_kind=error,
        goodness=goodness,
        fitted=fitted,
        residuals=residuals,
        at_bound=tuple(
            frame.parameters[place].name for place, held in zip(frame.free, around.held, strict=True) if held
        ),
        condition=around.condition,
        flags=flags,
        scatter=scatter,
        scatter_known=known,
        level=level,
        objective=objective,
    )
    object.__setattr__(fit, "estimates", _estimates(fit, frame.full(found.theta)))
    return with_profiles(fit) if intervals == "profile" else fit


def _estimates(fit: Fit, values: Array) -> tuple[Estimate, ...]:
    quantile = fit.quantile()
    kind = ERROR_KINDS[fit.error_kind]
    law = "normal" if fit.scatter_known else "residual variance, Student's t"
    if fit.error_kind == "sandwich" and not fit.scatter_known:
        law = "Student's t"
    made = []
    for place, parameter in enumerate(fit.objective.frame.parameters):
        value = float(values[place])
        if place not in fit.objective.frame.free:
            made.append(Estimate(value, 0.0, value, value, fit.level, parameter.unit, "held"))
            continue
        if parameter.name in fit.at_bound:
            words = f"{fit.method}, at its bound: no standard error; the interval is all that is allowed"
            made.append(Estimate(value, math.nan, parameter.low, parameter.high, fit.level, parameter.unit, words))
            continue
        variance = float(fit.covariance[place, place])
        sd = math.sqrt(variance) if variance >= 0 else math.nan
        half = quantile * sd if math.isfinite(sd) and math.isfinite(quantile) else math.inf
        low, high = max(value - half, parameter.low), min(value + half, parameter.high)
        made.append(Estimate(value, sd, low, high, fit.level, parameter.unit, f"{fit.method}, {kind}, {law}"))
    return tuple(made)


def _curves_of(objective: Objective, theta: Array) -> tuple[tuple[Array, ...], tuple[Array, ...]]:
    if isinstance(objective, Units):
        return (), ()
    if not isinstance(objective, Squares | Counts):
        raise TypeError(f"an objective is squares, counts or units, got {type(objective).__name__}")
    curves = objective.curves
    expected = curves.expected(theta)
    cuts = np.cumsum([np.size(one.observed) for one in curves.sets])[:-1]
    return tuple(np.split(expected, cuts)), tuple(np.split(curves.observed - expected, cuts))


def _flags(found: Found, around: Spread, goodness: Goodness, known: bool) -> tuple[FitFlag, ...]:
    flags = []
    if not found.converged:
        flags.append(FitFlag.NOT_CONVERGED)
    if around.held.any():
        flags.append(FitFlag.AT_BOUND)
    if not around.positive:
        flags.append(FitFlag.NOT_A_MINIMUM)
    elif around.condition > ILL:
        flags.append(FitFlag.ILL_CONDITIONED)
    if not known and goodness.degrees <= 0:
        flags.append(FitFlag.NO_DEGREES)
    return tuple(flags)
