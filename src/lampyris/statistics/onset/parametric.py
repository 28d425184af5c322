"""Weibull, exponential, log-normal and log-logistic regression of times that may be intervals, by maximum likelihood.

With ``z = a log t - x g`` every one of these is a location-scale law of the logarithm of time whose density is
log-concave, so that the likelihood of exact, interval- and right-censored times is concave in (a, g) [1]_: one
maximum, which Newton's steps find. ``exp(-g)`` is the hazard ratio of a Weibull law, ``exp(g / a)`` the ratio of times.

References
----------
.. [1] Burridge 1981, J R Stat Soc B 43:41, doi:10.1111/j.2517-6161.1981.tb01147.x.
.. [2] Odell, Anderson & D'Agostino 1992, Biometrics 48:951, doi:10.2307/2532360: Weibull law with intervals.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import optimize, special

from lampyris.core.estimate import Estimate
from lampyris.statistics.onset.times import Floats, OnsetTimes

LAWS = {"weibull": "Weibull", "exponential": "exponential", "log-normal": "log-normal", "log-logistic": "log-logistic"}
# a log ratio beyond this is not told from infinity by any data
_BEYOND = 15.0
_STEPS = 100
# a law this steep puts the middle half of its events within a tenth of the time: no data of few days say so
_STEEP = 20.0


@dataclass(frozen=True, slots=True, eq=False)
class OnsetFit:
    """A parametric regression of an onset.

    Parameters
    ----------
    law : str
        Key of `LAWS`.
    names : tuple of str
        Of the covariates, without the constant.
    shape : float
        a: shape of a Weibull or log-logistic law, 1 over the standard deviation of log time of a log-normal one.
    coefficients : ndarray, dims (1 + covariate,)
        g, the constant first.
    covariance : ndarray
        Of (a, g), from the observed information; of g alone for the exponential law.
    log_likelihood : float
        At its maximum.
    lost : str
        What the data set no end to: ``term`` where a coefficient runs away, as for a group without an event; ``law`` where
        the days are too few to say how steeply the event comes; empty where all is found.
    times : OnsetTimes
    covariates : ndarray, dims (animal, 1 + covariate)
    """

    law: str
    names: tuple[str, ...]
    shape: float
    coefficients: Floats
    covariance: Floats
    log_likelihood: float
    lost: str
    times: OnsetTimes = field(repr=False)
    covariates: Floats = field(repr=False)


@dataclass(frozen=True, slots=True, eq=False)
class _Problem:
    """Ends of all animals as linear forms of the parameters: z = rows @ theta + offset."""

    law: str
    low: Floats
    high: Floats
    offset_low: Floats
    offset_high: Floats
    # animals whose low end is day 0, whose event is exact, and whose high end is open
    from_start: NDArray[np.bool_]
    exact: NDArray[np.bool_]
    open_end: NDArray[np.bool_]
    # place of the shape among the parameters, -1 where it is given
    shape_at: int
    constant: float


def onset_regression(
    times: OnsetTimes, covariates: ArrayLike | None = None, /, *, law: str = "weibull", names: tuple[str, ...] = ()
) -> OnsetFit:
    """Fit a law of the time to an event.

    Parameters
    ----------
    times : OnsetTimes
        Exact days, intervals and animals without the event in any mixture.
    covariates : array_like, dims (animal, covariate), optional
        Finite; the constant is added.
    law : {"weibull", "exponential", "log-normal", "log-logistic"}
        Of the times.
    names : tuple of str
        Of the covariates.

    Returns
    -------
    OnsetFit

    Raises
    ------
    ValueError
        If no animal had the event, covariates do not fit the animals, are not finite, or one follows from the others.

    Examples
    --------
    >>> from lampyris.statistics.onset.times import OnsetTimes
    >>> fit = onset_regression(OnsetTimes([0, 3, 3, 7, 7, 14], [3, 7, 7, 14, 14, float("inf")]))
    >>> round(fit.shape, 2), round(quantile(fit, 0.5).value, 1)
    (1.46, 7.2)
    """
    if law not in LAWS:
        raise ValueError(f"law is one of {', '.join(LAWS)}, got {law!r}")
    x = _with_constant(times, covariates)
    if not times.seen.any():
        raise ValueError("no animal had the event: nothing says when it comes")
    problem = _problem(times, x, law)
    theta, value, converged = _maximise(problem, _start(times, x, law))
    shape, g = (1.0, theta) if law == "exponential" else (float(theta[0]), theta[1:])
    information = -_derivatives(problem, theta)[2]
    lost = _lost(information / len(times), problem.shape_at, x.shape[1] - 1)
    if not lost and (not converged or np.abs(g[1:]).max(initial=0.0) > _BEYOND):
        lost = "term" if x.shape[1] > 1 else "law"
    if lost and shape > _STEEP:
        lost = "law"
    covariance = _inverse(information)
    named = names or tuple(f"x{k + 1}" for k in range(x.shape[1] - 1))
    return OnsetFit(law, named, shape, g, covariance, value, lost, times, x)


def _lost(information: Floats, shape_at: int, terms: int) -> str:
    """Which way the likelihood is flat: along a term alone, or along the shape."""
    if not np.isfinite(information).all():
        return "law"
    values, vectors = np.linalg.eigh(information)
    if values[0] > 1e-6:
        return ""
    along_shape = shape_at >= 0 and abs(float(vectors[shape_at, 0])) > 0.1
    return "law" if along_shape or not terms else "term"


def _with_constant(times: OnsetTimes, covariates: ArrayLike | None) -> Floats:
    n = len(times)
    if covariates is None:
        return np.ones((n, 1))
    x = np.asarray(covariates, dtype=np.float64)
    if x.ndim != 2 or x.shape[0] != n or not np.isfinite(x).all():
        raise ValueError(f"covariates need one finite row for each of {n} animals, got shape {x.shape}")
    x = np.column_stack([np.ones(n), x])
    if np.linalg.matrix_rank(x) < x.shape[1]:
        raise ValueError("a covariate is constant or follows from the others: leave it out")
    return x


def _problem(times: OnsetTimes, x: Floats, law: str, *, time_ratio: tuple[int, float] | None = None) -> _Problem:
    """The whole problem, or that with the log time ratio of one covariate given."""
    high = np.where(times.seen, times.high, 1.0)
    low = np.where(times.low > 0, times.low, 1.0)
    log_low, log_high = np.log(low), np.log(high)
    constant = -float(np.log(times.high[times.exact]).sum())
    free = x
    if time_ratio is not None:
        k, beta = time_ratio
        log_low, log_high = log_low - beta * x[:, k], log_high - beta * x[:, k]
        free = np.delete(x, k, axis=1)
    none = np.zeros(len(times))
    if law == "exponential":
        rows = (-free, -free, log_low, log_high)
    else:
        rows = (np.column_stack([log_low, -free]), np.column_stack([log_high, -free]), none, none)
    shape_at = -1 if law == "exponential" else 0
    return _Problem(law, *rows, times.low <= 0, times.exact, ~times.seen, shape_at, constant)


def _start(times: OnsetTimes, x: Floats, law: str) -> Floats:
    """A law without covariates from the middles of the intervals."""
    middle = np.where(times.seen, np.where(times.seen, 0.5 * (times.low + times.high), 0.0), times.low)
    log = np.log(np.maximum(middle, 1e-3 * max(float(middle.max()), 1e-3)))
    seen = times.seen
    if law == "exponential":
        theta = np.zeros(x.shape[1])
        theta[0] = math.log(max(float(middle.sum()), 1e-300) / seen.sum())
        return theta
    spread = float(log.std()) or 0.5
    theta = np.zeros(1 + x.shape[1])
    theta[0] = 1.0 / max(spread, 0.2)
    theta[1] = theta[0] * (float(log.mean()) + 0.3)
    return theta


# ---- laws: log survival, log density and their slopes in z ----


def _log_free(law: str, z: Floats) -> tuple[Floats, Floats, Floats]:
    """log S with its first and second derivative."""
    if law in ("weibull", "exponential"):
        e = np.exp(np.minimum(z, 600.0))
        return -e, -e, -e
    if law == "log-logistic":
        p = special.expit(z)
        return special.log_expit(-z), -p, -p * (1 - p)
    log = special.log_ndtr(-z)
    h = np.exp(-0.5 * z * z - 0.5 * math.log(2 * math.pi) - log)
    return log, -h, -h * (h - z)


def _log_density(law: str, z: Floats) -> tuple[Floats, Floats, Floats]:
    if law in ("weibull", "exponential"):
        e = np.exp(np.minimum(z, 600.0))
        return z - e, 1 - e, -e
    if law == "log-logistic":
        p = special.expit(z)
        return special.log_expit(z) + special.log_expit(-z), 1 - 2 * p, -2 * p * (1 - p)
    return -0.5 * z * z - 0.5 * math.log(2 * math.pi), -z, np.full_like(z, -1.0)


def _derivatives(problem: _Problem, theta: Floats) -> tuple[float, Floats, Floats]:
    """Log likelihood, its gradient and Hessian; not finite where the parameters are beyond what numbers hold."""
    # a trial step may land there; it is refused
    with np.errstate(all="ignore"):
        return _summed(problem, theta)


def _summed(problem: _Problem, theta: Floats) -> tuple[float, Floats, Floats]:
    zl = problem.low @ theta + problem.offset_low
    zh = problem.high @ theta + problem.offset_high
    law, exact, open_end = problem.law, problem.exact, problem.open_end
    log_l, dl, ddl = _log_free(law, zl)
    log_l, dl, ddl = (np.where(problem.from_start, 0.0, part) for part in (log_l, dl, ddl))
    log_h, dh, ddh = _log_free(law, zh)
    interval = ~exact & ~open_end
    # log(S_l - S_h) = log S_l + log(1 - r), r = S_h / S_l; its slopes with w = r / (1 - r)
    gap = np.where(interval, log_h - log_l, -1.0)
    w = 1.0 / np.expm1(-gap)
    log_rest = np.log(-np.expm1(gap))
    value = np.where(open_end, log_l, log_l + log_rest)
    gl, gh = np.where(open_end, dl, (1 + w) * dl), np.where(open_end, 0.0, -w * dh)
    # second derivatives of log(S_l - S_h)
    hll = np.where(open_end, ddl, (1 + w) * ddl - w * (1 + w) * dl * dl)
    hhh = np.where(open_end, 0.0, -w * ddh - w * (1 + w) * dh * dh)
    hlh = np.where(open_end, 0.0, w * (1 + w) * dl * dh)
    f, df, ddf = _log_density(law, zh)
    value, gh, hhh = np.where(exact, f, value), np.where(exact, df, gh), np.where(exact, ddf, hhh)
    gl, hll, hlh = (np.where(exact, 0.0, part) for part in (gl, hll, hlh))
    low, high = problem.low, problem.high
    total = float(value.sum()) + problem.constant
    gradient = low.T @ gl + high.T @ gh
    cross = low.T @ (hlh[:, None] * high)
    hessian = low.T @ (hll[:, None] * low) + high.T @ (hhh[:, None] * high) + cross + cross.T
    events = float(exact.sum())
    if problem.shape_at >= 0 and events:
        a = theta[problem.shape_at]
        total += events * math.log(a) if a > 0 else -math.inf
        gradient[problem.shape_at] += events / a
        hessian[problem.shape_at, problem.shape_at] -= events / a**2
    if problem.shape_at >= 0 and theta[problem.shape_at] <= 0:
        total = -math.inf
    return total, gradient, hessian


def _maximise(problem: _Problem, theta: Floats) -> tuple[Floats, float, bool]:
    """Damped Newton steps; whether they ended at a maximum."""
    value, gradient, hessian = _derivatives(problem, theta)
    for _ in range(_STEPS):
        step = _solved(hessian, gradient)
        rise = float(gradient @ step)
        if rise < 1e-11 * (1.0 + abs(value)):
            return theta, value, True
        length = 1.0
        for _ in range(50):
            trial = theta + length * step
            found = _derivatives(problem, trial) if np.isfinite(trial).all() else (-math.inf, gradient, hessian)
            if found[0] >= value + 1e-4 * length * rise and np.isfinite(found[1]).all() and np.isfinite(found[2]).all():
                break
            length *= 0.5
        else:
            return theta, value, rise < 1e-6
        theta, (value, gradient, hessian) = trial, found
        if np.abs(theta).max() > 1e4:
            break
    return theta, value, False


def _solved(hessian: Floats, gradient: Floats) -> Floats:
    """Newton's step; where the curvature is lost, one along the gradient's scale."""
    scale = np.sqrt(np.maximum(-np.diag(hessian), 1e-12))
    matrix = -hessian / np.outer(scale, scale) + 1e-12 * np.eye(scale.size)
    try:
        return np.asarray(np.linalg.solve(matrix, gradient / scale) / scale)
    except np.linalg.LinAlgError:
        return gradient / scale**2


def _inverse(matrix: Floats) -> Floats:
    try:
        return np.asarray(np.linalg.inv(matrix))
    except np.linalg.LinAlgError:
        return np.full_like(matrix, math.nan)


# ---- what a fit says ----


def profile_ends(
    profile: Callable[[float], float], top: float, at: float, step: float, level: float, /, *, beyond: float = math.inf
) -> tuple[float, float]:
    """Where a profile log likelihood falls below its top by half the chi-square quantile, on both sides.

    Parameters
    ----------
    profile : callable
        Highest log likelihood at a value of the parameter.
    top, at : float
        Its maximum, and where.
    step : float
        First step, such as the standard error.
    level : float
        Coverage.
    beyond : float
        No end is sought farther from 0 than this: there it is infinite.

    Returns
    -------
    (float, float)
        -inf or inf where the likelihood never falls so far.
    """
    drop = 0.5 * float(special.chdtri(1, 1 - level))

    def excess(value: float) -> float:
        # beyond what numbers hold the likelihood is 0, and a search needs a finite value
        return min(top - drop - profile(value), 1e6)

    if not excess(at) < 0:
        # no interval can be found around a place that is itself refused: nothing is claimed
        return -math.inf, math.inf
    ends = []
    for sign in (-1.0, 1.0):
        inner, far = at, at + sign * step
        while excess(far) < 0 and abs(far) < beyond:
            inner, far = far, at + 1.6 * (far - at)
        out = abs(far) >= beyond and excess(far) < 0
        ends.append(
            sign * math.inf
            if out
            else float(optimize.brentq(excess, *sorted((inner, far)), xtol=1e-7 * (1 + abs(far))))
        )
    return ends[0], ends[1]


def hazard_ratio(fit: OnsetFit, k: int, /, *, level: float = 0.95) -> tuple[Estimate, float]:
    """Hazard ratio of a covariate of a Weibull or exponential law, with its profile-likelihood interval and p.

    Parameters
    ----------
    fit : OnsetFit
    k : int
        Place of the covariate, from 0.
    level : float
        Coverage.

    Returns
    -------
    (Estimate, float)
        p of a ratio of 1, by likelihood ratio.

    Raises
    ------
    ValueError
        If the law has no proportional hazards.
    """
    if fit.law not in ("weibull", "exponential"):
        raise ValueError(f"a {fit.law} law has no one hazard ratio; ask for its time ratio")
    rows = _problem(fit.times, fit.covariates, fit.law)
    place = 1 + k + (rows.shape_at + 1)

    def profile(log_ratio: float) -> float:
        return _maximise(_held(rows, place, -log_ratio), np.delete(_theta(fit), place))[1]

    value = -float(fit.coefficients[1 + k])
    return _ratio(fit, profile, value, _error(fit, place), level, "hazard ratio")


def time_ratio(fit: OnsetFit, k: int, /, *, level: float = 0.95) -> tuple[Estimate, float]:
    """How many times later the event comes per unit of a covariate, with its profile-likelihood interval and p."""
    if fit.law == "exponential":
        ratio, p = hazard_ratio(fit, k, level=level)
        method = ratio.method.replace("hazard ratio", "time ratio")
        value, low, high = (1 / end if end > 0 else math.inf for end in (ratio.value, ratio.high, ratio.low))
        sd = ratio.sd * value**2 if math.isfinite(value) else math.nan
        return Estimate(value, sd, low, high, level, "1", method), p
    start = np.delete(_theta(fit), 2 + k)

    def profile(log_ratio: float) -> float:
        return _maximise(_problem(fit.times, fit.covariates, fit.law, time_ratio=(1 + k, log_ratio)), start)[1]

    a, g = fit.shape, float(fit.coefficients[1 + k])
    slope = np.array([-g / a**2, 1 / a])
    block = fit.covariance[np.ix_([0, 2 + k], [0, 2 + k])]
    error = math.sqrt(max(float(slope @ block @ slope), 0.0)) if np.isfinite(block).all() else math.nan
    return _ratio(fit, profile, g / a, error, level, "time ratio")


def _ratio(
    fit: OnsetFit, profile: Callable[[float], float], value: float, error: float, level: float, name: str
) -> tuple[Estimate, float]:
    step = error if math.isfinite(error) and 0 < error < 5 else 1.0
    away = bool(fit.lost) and abs(value) > 5
    at = math.copysign(min(abs(value), 0.9 * _BEYOND), value)
    low, high = profile_ends(profile, fit.log_likelihood, at, step, level, beyond=_BEYOND)
    drop = 2 * (fit.log_likelihood - profile(0.0))
    p = float(special.chdtrc(1, max(drop, 0.0)))
    if away:
        value, low, high = (
            math.copysign(math.inf, value),
            low if value > 0 else -math.inf,
            math.inf if value > 0 else high,
        )
    ratio = _exp(value)
    sd = ratio * error if math.isfinite(ratio) and ratio > 0 and math.isfinite(error) else math.nan
    method = f"{name}, {LAWS[fit.law]} law, profile likelihood"
    return Estimate(ratio, sd, min(_exp(low), ratio), max(_exp(high), ratio), level, "1", method), p


def _exp(value: float) -> float:
    return math.exp(value) if value < 700 else math.inf


def _theta(fit: OnsetFit) -> Floats:
    return fit.coefficients if fit.law == "exponential" else np.concatenate([[fit.shape], fit.coefficients])


def _error(fit: OnsetFit, place: int) -> float:
    variance = float(fit.covariance[place, place])
    return math.sqrt(variance) if variance > 0 else math.nan


def _held(problem: _Problem, place: int, value: float) -> _Problem:
    """The problem with one parameter given."""
    return _Problem(
        problem.law,
        np.delete(problem.low, place, axis=1),
        np.delete(problem.high, place, axis=1),
        problem.offset_low + value * problem.low[:, place],
        problem.offset_high + value * problem.high[:, place],
        problem.from_start,
        problem.exact,
        problem.open_end,
        # the shape comes first and is never what is given here
        -1 if place == problem.shape_at else problem.shape_at,
        problem.constant,
    )


def shape_estimate(fit: OnsetFit, /, *, level: float = 0.95) -> Estimate:
    """Shape of the law with its profile-likelihood interval; above 1 the hazard of a Weibull law rises."""
    if fit.law == "exponential":
        return Estimate(1.0, 0.0, 1.0, 1.0, level, "1", "given by the law")
    whole = _problem(fit.times, fit.covariates, fit.law)
    events = float(whole.exact.sum())
    start = np.delete(_theta(fit), 0)

    def profile(log_shape: float) -> float:
        shape = math.exp(log_shape)
        return _maximise(_held(whole, 0, shape), start)[1] + events * log_shape

    error = _error(fit, 0) / fit.shape
    step = error if math.isfinite(error) and error < 2 else 0.5
    low, high = profile_ends(profile, fit.log_likelihood, math.log(fit.shape), step, level, beyond=math.log(1e4))
    ends = min(_exp(low), fit.shape), max(_exp(high), fit.shape)
    return Estimate(fit.shape, _error(fit, 0), *ends, level, "1", f"{LAWS[fit.law]} law, profile likelihood")


def quantile(fit: OnsetFit, share: float, row: ArrayLike = (), /, *, level: float = 0.95, unit: str = "d") -> Estimate:
    """Day by which the event comes in a share of the animals with given covariates.

    Parameters
    ----------
    fit : OnsetFit
    share : float
        Between 0 and 1; 0.5 for the median.
    row : array_like, dims (covariate,)
        Covariates without the constant.
    level : float
        Coverage of the profile-likelihood interval.
    unit : str
        Of the times.

    Returns
    -------
    Estimate
    """
    x = np.concatenate([[1.0], np.asarray(row, dtype=np.float64)])
    z = _z_at(fit.law, share)
    log_time = (z + float(x @ fit.coefficients)) / fit.shape
    # covariates from those of the row, so that the constant alone sets this quantile
    shifted = fit.covariates.copy()
    shifted[:, 1:] -= x[1:]
    moved = _problem(fit.times, shifted, fit.law)
    place = moved.shape_at + 1
    start = np.concatenate([[fit.shape] if moved.shape_at >= 0 else [], fit.coefficients[1:]])

    def profile(value: float) -> float:
        # z = a (log t - value) + z_share - ...: the constant is a value - z_share
        held = _held(moved, place, -z)
        if moved.shape_at >= 0:
            held.low[:, 0] -= value
            held.high[:, 0] -= value
            return _maximise(held, start)[1]
        return (
            _maximise(_held(moved, place, value - z), start)[1]
            if start.size
            else _derivatives(_held(moved, place, value - z), start)[0]
        )

    slope = np.concatenate([[-log_time / fit.shape] if fit.law != "exponential" else [], x / fit.shape])
    variance = float(slope @ fit.covariance @ slope)
    error = math.sqrt(variance) if variance > 0 else math.nan
    step = error if math.isfinite(error) and error < 2 else 0.5
    low, high = profile_ends(profile, fit.log_likelihood, log_time, step, level, beyond=_BEYOND + abs(log_time))
    value = _exp(log_time)
    method = f"{LAWS[fit.law]} law, profile likelihood"
    return Estimate(value, value * error, min(_exp(low), value), max(_exp(high), value), level, unit, method)


def _z_at(law: str, share: float) -> float:
    if law == "log-normal":
        return float(special.ndtri(share))
    if law == "log-logistic":
        return float(special.logit(share))
    return math.log(-math.log1p(-share))
