"""Cox's regression with Efron's ties, its check of proportional hazards, and Firth's penalty where it runs away.

References
----------
.. [1] Cox 1972, J R Stat Soc B 34:187, doi:10.1111/j.2517-6161.1972.tb00899.x.
.. [2] Efron 1977, J Am Stat Assoc 72:557, doi:10.1080/01621459.1977.10480613: ties.
.. [3] Heinze & Schemper 2001, Biometrics 57:114, doi:10.1111/j.0006-341X.2001.00114.x: Firth's penalty.
.. [4] Grambsch & Therneau 1994, Biometrika 81:515, doi:10.1093/biomet/81.3.515: check of proportional hazards.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from lampyris.core.design import TestResult
from lampyris.core.estimate import Estimate
from lampyris.statistics.onset.kaplan_meier import kaplan_meier
from lampyris.statistics.onset.parametric import profile_ends
from lampyris.statistics.onset.times import Floats, OnsetTimes

# standard deviations of a covariate times its coefficient beyond which no data tell it from infinity
_BEYOND = 15.0
_STEPS = 60
# of the curvature at no effect: an effect of six standard deviations of its covariate leaves more, a maximum at infinity less
_FLAT = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class CoxFit:
    """A Cox regression.

    Parameters
    ----------
    names : tuple of str
        Of the covariates.
    coefficients : ndarray, dims (covariate,)
        Log hazard ratios.
    covariance : ndarray, dims (covariate, covariate)
        From the observed information.
    log_likelihood, null_log_likelihood : float
        Partial log likelihood at the estimates and at none; penalised where `penalised`.
    penalised : bool
        Firth's penalty was taken because a coefficient ran away without it.
    strata : tuple of _Stratum
        What the partial likelihood was summed over.
    x : ndarray, dims (animal, covariate)
    times : OnsetTimes
    """

    names: tuple[str, ...]
    coefficients: Floats
    covariance: Floats
    log_likelihood: float
    null_log_likelihood: float
    penalised: bool
    strata: tuple["_Stratum", ...] = field(repr=False)
    x: Floats = field(repr=False)
    times: OnsetTimes = field(repr=False)


@dataclass(frozen=True, slots=True, eq=False)
class _Stratum:
    """Animals of a stratum, latest end first, and the events day by day.

    Parameters
    ----------
    x : ndarray, dims (animal, covariate)
        Centred.
    order : ndarray, dims (animal,)
        Places of the animals in the whole.
    risk : ndarray, dims (event,)
        Animals at risk at each event, which are the first so many rows.
    first, tied : ndarray, dims (event,)
        Row of the first event on that day, and how many there are.
    share : ndarray, dims (event,)
        Efron's share of the tied animals that is taken from those at risk: 0, 1/d, 2/d, ...
    """

    x: Floats
    order: np.ndarray
    risk: np.ndarray
    first: np.ndarray
    tied: np.ndarray
    share: Floats
    events: np.ndarray


def cox(
    times: OnsetTimes,
    covariates: ArrayLike,
    /,
    *,
    names: Sequence[str] = (),
    strata: Sequence[str] | None = None,
    firth: bool | None = None,
) -> CoxFit:
    """Fit hazard ratios.

    Parameters
    ----------
    times : OnsetTimes
        Exact or right-censored.
    covariates : array_like, dims (animal, covariate)
        Finite.
    names : sequence of str
        Of the covariates.
    strata : sequence of str, optional
        Each stratum has a hazard of its own.
    firth : bool, optional
        Whether to penalise; by default only where a coefficient runs away, as where a group has no event.

    Returns
    -------
    CoxFit

    Raises
    ------
    ValueError
        If events lie in intervals, there is none, or the covariates are unfit.

    Examples
    --------
    >>> from lampyris.statistics.onset.times import times_of_events
    >>> times = times_of_events([6, 7, 10, 15, 19, 25], [1, 0, 1, 1, 0, 1])
    >>> round(float(cox(times, [[1], [1], [1], [0], [0], [0]]).coefficients[0]), 3)
    2.323
    """
    x = np.asarray(covariates, dtype=np.float64)
    _check(times, x)
    scale = x.std(axis=0)
    z = (x - x.mean(axis=0)) / scale
    layers = np.asarray(list(strata) if strata is not None else [""] * len(times))
    parts = tuple(_stratum(times, z, np.flatnonzero(layers == layer)) for layer in np.unique(layers))
    at_zero = -_partial(parts, np.zeros(z.shape[1]))[2]
    if np.linalg.matrix_rank(at_zero, tol=1e-9) < z.shape[1]:
        raise ValueError("a covariate does not differ among the animals at risk when an event came: leave it out")
    beta, value, converged = _maximise(parts, np.zeros(z.shape[1]), penalised=False)
    penalised = firth if firth is not None else not converged or _run_away(-_partial(parts, beta)[2], at_zero)
    if penalised:
        beta, value, converged = _maximise(parts, np.zeros(z.shape[1]), penalised=True)
    information = -_partial(parts, beta)[2]
    covariance = np.linalg.pinv(information) / np.outer(scale, scale)
    null = _objective(parts, np.zeros_like(beta), penalised)
    named = tuple(names) or tuple(f"x{k + 1}" for k in range(x.shape[1]))
    return CoxFit(named, beta / scale, covariance, value, null, penalised, parts, x, times)


def _run_away(information: Floats, at_zero: Floats) -> bool:
    """Whether the likelihood is flat where the steps ended: it rises for ever, until nothing is left of its curvature."""
    least, first = (float(np.linalg.eigvalsh(matrix).min()) for matrix in (information, at_zero))
    return not least > _FLAT * first


def _check(times: OnsetTimes, x: Floats) -> None:
    n = len(times)
    if not times.right_censored_only:
        raise ValueError("events lie in intervals: use `onset_regression`")
    if not times.seen.any():
        raise ValueError("no animal had the event: nothing says when it comes")
    if x.ndim != 2 or x.shape[0] != n or x.shape[1] < 1 or not np.isfinite(x).all():
        raise ValueError(f"covariates need one finite row for each of {n} animals, got shape {x.shape}")
    if np.linalg.matrix_rank(np.column_stack([np.ones(n), x])) < x.shape[1] + 1:
        raise ValueError("a covariate is constant or follows from the others: leave it out")


def _stratum(times: OnsetTimes, z: Floats, chosen: np.ndarray) -> _Stratum:
    part = times.of(chosen)
    ends = np.where(part.seen, part.high, part.low)
    # latest first; on one day the animals that were only looked at come before those with the event
    order = np.lexsort((part.seen, -ends))
    ends, seen = ends[order], part.seen[order]
    events = np.flatnonzero(seen)
    risk = np.searchsorted(-ends, -ends[events], side="right")
    _, first, inverse, tied = np.unique(-ends[events], return_index=True, return_inverse=True, return_counts=True)
    rank = np.arange(events.size) - first[inverse]
    return _Stratum(
        z[chosen][order], chosen[order], risk, events[first][inverse], tied[inverse], rank / tied[inverse], events
    )


def _moments(part: _Stratum, beta: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """Log of the sum of hazards at each event, its mean covariates and mean products; and the events' linear predictor."""
    x = part.x
    eta = x @ beta
    e = np.exp(eta - eta.max(initial=0.0))
    products = x[:, :, None] * x[:, None, :]
    sums = []
    for weight in (e, e[:, None] * x, e[:, None, None] * products):
        running = np.concatenate([np.zeros((1, *weight.shape[1:])), np.cumsum(weight, axis=0)])
        own = running[part.first + part.tied] - running[part.first]
        share = part.share.reshape((-1,) + (1,) * (weight.ndim - 1))
        sums.append(running[part.risk] - share * own)
    mean = sums[1] / sums[0][:, None]
    return np.log(sums[0]) + eta.max(initial=0.0), mean, sums[2] / sums[0][:, None, None], eta[part.events]


def _partial(parts: Sequence[_Stratum], beta: Floats) -> tuple[float, Floats, Floats]:
    """Log partial likelihood, its gradient and Hessian; not finite where the hazards are beyond what numbers hold."""
    # a trial step may land there; it is refused
    with np.errstate(all="ignore"):
        return _summed(parts, beta)


def _summed(parts: Sequence[_Stratum], beta: Floats) -> tuple[float, Floats, Floats]:
    value, gradient, hessian = 0.0, np.zeros_like(beta), np.zeros((beta.size, beta.size))
    for part in parts:
        if part.events.size == 0:
            continue
        log, mean, second, eta = _moments(part, beta)
        value += float((eta - log).sum())
        gradient += (part.x[part.events] - mean).sum(axis=0)
        hessian -= second.sum(axis=0) - mean.T @ mean
    return value, gradient, hessian


def _objective(parts: Sequence[_Stratum], beta: Floats, penalised: bool) -> float:
    value, _, hessian = _partial(parts, beta)
    if not (math.isfinite(value) and np.isfinite(hessian).all()):
        return -math.inf
    if not penalised:
        return value
    sign, log = np.linalg.slogdet(-hessian)
    return value + 0.5 * float(log) if sign > 0 else -math.inf


def _maximise(
    parts: Sequence[_Stratum], beta: Floats, *, penalised: bool, held: int = -1
) -> tuple[Floats, float, bool]:
    """Newton's steps over all coefficients but the one that is held; whether they ended at a maximum."""
    free = np.array([k for k in range(beta.size) if k != held], dtype=np.intp)
    value = _objective(parts, beta, penalised)
    # with the penalty the steps are Fisher's, which end more slowly; what is left of the likelihood is of this size
    enough = 1e-8 if penalised else 1e-11
    if free.size == 0:
        return beta, value, True
    for _ in range(_STEPS):
        _, gradient, hessian = _partial(parts, beta)
        if penalised:
            gradient[free] += _penalty_slope(parts, beta, free)
        matrix = -hessian[np.ix_(free, free)]
        step = np.zeros_like(beta)
        step[free] = np.linalg.lstsq(matrix, gradient[free], rcond=1e-14)[0]
        rise = float(gradient @ step)
        if rise < enough * (1 + abs(value)) and np.abs(step).max() < 1e-3:
            return beta, value, True
        # never more than a few standard deviations at once
        length = min(1.0, 3.0 / max(float(np.abs(step).max()), 1e-300))
        for _ in range(40):
            trial = _objective(parts, beta + length * step, penalised)
            if trial >= value and math.isfinite(trial):
                break
            length *= 0.5
        else:
            return beta, value, rise < 1e-6
        beta, value = beta + length * step, trial
        if np.abs(beta).max() > _BEYOND:
            return beta, value, False
    return beta, value, False


def _penalty_slope(parts: Sequence[_Stratum], beta: Floats, free: NDArray[np.intp]) -> Floats:
    """Slope of half the log determinant of the information, by central differences: exact to about 1e-9."""
    slope = np.zeros(free.size)
    for place, k in enumerate(free):
        step = np.zeros_like(beta)
        step[k] = 1e-5
        logs = [float(np.linalg.slogdet(-_partial(parts, beta + sign * step)[2])[1]) for sign in (1.0, -1.0)]
        slope[place] = 0.5 * (logs[0] - logs[1]) / 2e-5
    return slope


def cox_ratio(fit: CoxFit, k: int, /, *, level: float = 0.95) -> tuple[Estimate, float]:
    """Hazard ratio of a covariate with its profile-likelihood interval, and p of a ratio of 1 by likelihood ratio."""
    scale = float(fit.x[:, k].std())

    def profile(log_ratio: float) -> float:
        start = fit.coefficients * fit.x.std(axis=0)
        start[k] = log_ratio * scale
        return _maximise(fit.strata, start, penalised=fit.penalised, held=k)[1]

    value = float(fit.coefficients[k])
    error = math.sqrt(max(float(fit.covariance[k, k]), 0.0))
    step = error if 0 < error * scale < 5 else 1.0 / scale
    low, high = profile_ends(profile, fit.log_likelihood, value, step, level, beyond=_BEYOND / scale)
    p = float(special.chdtrc(1, max(2 * (fit.log_likelihood - profile(0.0)), 0.0)))
    kind = "penalised profile likelihood (Firth)" if fit.penalised else "profile likelihood"
    ratio, a, b = (math.exp(end) if end < 700 else math.inf for end in (value, low, high))
    return Estimate(ratio, ratio * error, min(a, ratio), max(b, ratio), level, "1", f"hazard ratio, Cox, {kind}"), p


def likelihood_ratio(fit: CoxFit, /) -> TestResult:
    """Whether any covariate has to do with the event."""
    statistic = max(2 * (fit.log_likelihood - fit.null_log_likelihood), 0.0)
    df = float(fit.coefficients.size)
    name = "Likelihood ratio of the Cox model" + (", penalised" if fit.penalised else "")
    return TestResult(name, "chi2", statistic, (df,), float(special.chdtrc(df, statistic)), "all hazard ratios are 1")


def proportional_hazards(fit: CoxFit, /) -> tuple[TestResult, ...]:
    """Whether each hazard ratio keeps its value over time: scaled Schoenfeld residuals against one minus Kaplan-Meier.

    Returns
    -------
    tuple of TestResult
        One per covariate; NaN where there are fewer than three events on different days. A large p does not show that
        hazards are proportional: with few events the check sees little.
    """
    residuals, days = _schoenfeld(fit)
    course = kaplan_meier(fit.times)
    # before each day, as survival programs transform time
    place = np.searchsorted(course.days, days, side="left") - 1
    g = 1.0 - np.where(place >= 0, course.free[np.maximum(place, 0)], 1.0)
    spread = g - g.mean()
    scaled = days.size * residuals @ fit.covariance
    found = []
    for k, name in enumerate(fit.names):
        note = "a check that informs; with few events it sees little"
        if np.unique(days).size < 3 or not spread @ spread > 0:
            statistic = p = math.nan
            note = "too few events to check"
        else:
            statistic = float((spread @ scaled[:, k]) ** 2 / (days.size * fit.covariance[k, k] * (spread @ spread)))
            p = float(special.chdtrc(1, statistic))
        null = f"the hazard ratio of {name} does not change over time"
        found.append(
            TestResult(f"Proportional hazards, {name}", "chi2", statistic, (1.0,), p, null, "assumption", note)
        )
    return tuple(found)


def _schoenfeld(fit: CoxFit) -> tuple[Floats, Floats]:
    """Residuals of each event on the covariates' own scale, and its day, by day."""
    scale = fit.x.std(axis=0)
    beta = fit.coefficients * scale
    ends = np.where(fit.times.seen, fit.times.high, fit.times.low)
    rows, days = [], []
    for part in fit.strata:
        if part.events.size:
            mean = _moments(part, beta)[1]
            # tied events share the mean of their day
            for start in np.unique(part.first):
                own = part.first == start
                mean[own] = mean[own].mean(axis=0)
            rows.append((part.x[part.events] - mean) * scale)
            days.append(ends[part.order[part.events]])
    residuals, when = np.concatenate(rows), np.concatenate(days)
    order = np.argsort(when, kind="stable")
    return residuals[order], when[order]
