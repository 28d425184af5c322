"""Intervals by profile likelihood: how far a parameter can go, the others fitted anew, before the fit is clearly worse."""

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lampyris.core.estimate import Estimate
from lampyris.statistics.fitting.objective import Array
from lampyris.statistics.fitting.result import Fit, FitFlag
from lampyris.statistics.fitting.solve import scored

_DOUBLINGS = 40
# a profile that climbs by less than this over a doubling of the distance has come to a plateau
_PLATEAU = 1e-3
_ROUNDS = 100
# a rise of 4 wants no more digits
_DONE = 1e-8
# of a rise, which is none at the lowest minimum
_LOWER = -1e-6


def profile_rise(fit: Fit, name: str, values: ArrayLike, /) -> NDArray[np.float64]:
    """Rise of the deviance over the fit's along one parameter, all others fitted anew.

    Parameters
    ----------
    fit : Fit
    name : str
        A parameter that was free.
    values : array_like, dims (value,)
        Where.

    Returns
    -------
    ndarray, dims (value,)
        In units of the squared scatter where that was estimated.

    Raises
    ------
    ValueError
        If the parameter was fixed.

    Examples
    --------
    >>> from lampyris.statistics.fitting import DataSet, Parameter, fit_least_squares
    >>> seen = DataSet(lambda p: p[0] + 0.0 * np.ones(4), [1.0, 2.0, 3.0, 4.0], sd=0.5)
    >>> found = fit_least_squares(seen, [Parameter("mean", 1.0)])
    >>> profile_rise(found, "mean", [2.5, 2.75]).round(9).tolist()
    [0.0, 1.0]
    """
    path = _path(fit, name)
    return np.array([path(float(one))[0] for one in np.atleast_1d(np.asarray(values, dtype=np.float64))])


def profile_interval(
    fit: Fit, name: str, /, *, level: float | None = None, rise: float | None = None, method: str = ""
) -> Estimate:
    """A parameter with its profile-likelihood interval.

    Parameters
    ----------
    fit : Fit
    name : str
    level : float, optional
        Coverage; the fit's otherwise.
    rise : float, optional
        Rise of the deviance at the ends; otherwise the squared quantile of Student's t (scatter estimated, which is exact for
        linear models) or of the normal distribution (chi-squared with one degree of freedom).
    method : str
        Words for the estimate in place of the engine's.

    Returns
    -------
    Estimate
        An end that the likelihood does not close is a bound or infinite, as both are where the scatter is unknown.

    References
    ----------
    Venzon & Moolgavkar 1988, Appl Stat 37:87, doi:10.2307/2347496; Bates & Watts 1988, Nonlinear Regression Analysis,
    doi:10.1002/9780470316757, section 6.1.
    """
    return _profiled(fit, name, fit.level if level is None else level, rise, method)[0]


def with_profiles(fit: Fit, /, *names: str) -> Fit:
    """The fit with profile-likelihood intervals in place of the symmetric ones, of the named parameters or of all free ones.

    A lower minimum that a profile meets is flagged.
    """
    chosen = names or tuple(fit.names[place] for place in fit.objective.frame.free)
    found = {name: _profiled(fit, name, fit.level, None, "") for name in chosen}
    lower = any(least < _LOWER for _, least in found.values()) and FitFlag.LOWER_FOUND not in fit.flags
    estimates = tuple(
        found[name][0] if name in found else old for name, old in zip(fit.names, fit.estimates, strict=True)
    )
    return replace(fit, estimates=estimates, flags=(*fit.flags, FitFlag.LOWER_FOUND) if lower else fit.flags)


def _profiled(fit: Fit, name: str, level: float, rise: float | None, method: str) -> tuple[Estimate, float]:
    """A parameter with its interval, and the lowest rise that the profile met."""
    asked = fit.quantile(level) if rise is None else math.sqrt(rise)
    path = _path(fit, name)
    estimate = fit[name]
    words = method or f"{fit.method}, profile likelihood"
    parameter = fit.objective.frame.parameters[fit.names.index(name)]
    if not math.isfinite(asked):
        unknown = replace(
            estimate, low=parameter.low, high=parameter.high, level=level, method=f"{words}: scatter unknown"
        )
        return unknown, 0.0
    met = [0.0]

    def rises(where: float) -> float:
        met.append(path(where)[0])
        return met[-1]

    reach = estimate.sd if 0 < estimate.sd < math.inf else 0.01 * max(abs(estimate.value), parameter.scale, 1e-3)
    low = _end(rises, estimate.value, -reach, asked, parameter.low)
    high = _end(rises, estimate.value, reach, asked, parameter.high)
    low, high = min(low, estimate.value), max(high, estimate.value)
    return replace(estimate, low=low, high=high, level=level, method=words), min(met)


Path = Callable[[float], tuple[float, Array]]


def _path(fit: Fit, name: str) -> Path:
    """Rise of the deviance at a value of one parameter; each search starts where the nearest one before it ended."""
    if name not in fit.names:
        raise ValueError(f"there is no parameter {name!r}; there are {', '.join(fit.names)}")
    frame, place = fit.objective.frame, fit.names.index(name)
    if place not in frame.free:
        raise ValueError(f"{name} was held: it has no profile")
    best = fit.values
    value = fit.objective.value(best[frame.free])
    others = frame.free[frame.free != place]
    own = fit.covariance[place, place]
    with np.errstate(invalid="ignore"):
        along = fit.covariance[others, place] / own if own > 0 else np.zeros(others.size)
    along = np.where(np.isfinite(along), along, 0.0)
    unit = 0.5 * fit.scatter**2 if not fit.scatter_known else 0.5
    known: dict[float, Array] = {float(best[place]): best[others]}

    def at(where: float) -> tuple[float, Array]:
        held = fit.objective.moved(frame.holding(place, where, best))
        nearest = min(known, key=lambda one: abs(one - where))
        tries = [known[nearest] + along * (where - nearest), known[nearest]]
        tries = [np.clip(one, held.frame.low, held.frame.high) for one in tries]
        start, other = sorted(tries, key=held.value)
        found = scored(held, start, rounds=_ROUNDS, done=_DONE)
        if not found.converged:
            found = min(found, scored(held, other, rounds=_ROUNDS, done=_DONE), key=lambda one: one.value)
        if not math.isfinite(found.value):
            return math.inf, start
        known[where] = found.theta
        return (found.value - value) / unit, found.theta

    return at


def _end(rises: Callable[[float], float], best: float, reach: float, asked: float, bound: float) -> float:
    """Where the signed root of the rise comes to `asked`; the bound or infinity where it never does."""

    def root(where: float) -> float:
        return math.sqrt(max(rises(where), 0.0))

    sign = math.copysign(1.0, reach)
    if sign * (bound - best) <= 0:
        return bound
    inner, inner_root = best, 0.0
    step = abs(reach) * asked
    still = 0
    for _ in range(_DOUBLINGS):
        outer = best + sign * step
        outer = sign * min(sign * outer, sign * bound)
        outer_root = root(outer)
        if outer_root >= asked:
            return _between(root, inner, inner_root, outer, outer_root, asked)
        if outer == bound:
            return bound
        still = still + 1 if outer_root - inner_root < _PLATEAU * asked else 0
        if still >= 4:
            break
        inner, inner_root = outer, outer_root
        step *= 2.0
    return sign * math.inf


def _between(
    root: Callable[[float], float], inner: float, inner_root: float, outer: float, outer_root: float, asked: float
) -> float:
    """Regula falsi (Illinois): the root of the rise is nearly straight, so that few refits suffice."""
    low, high = inner_root - asked, outer_root - asked
    start = abs(outer - inner)
    side = 0
    for _ in range(60):
        if math.isfinite(high):
            middle = (inner * high - outer * low) / (high - low)
        else:
            middle = 0.5 * (inner + outer)
        found = root(middle) - asked
        if abs(found) < 1e-7 * asked or abs(outer - inner) <= 1e-12 * start:
            return middle
        if found < 0:
            inner, low = middle, found
            high = high * 0.5 if side < 0 and math.isfinite(high) else high
            side = -1
        else:
            outer, high = middle, found
            low = low * 0.5 if side > 0 else low
            side = 1
    return middle
