"""Intervals of variance components from the profile of the (restricted) likelihood.

A variance near zero has no symmetric interval; the profile follows the likelihood instead and may end at zero.
"""

import dataclasses
import math
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special

from lampyris.core.estimate import Estimate
from lampyris.statistics.mixed.likelihood import Problem, covariance_slope, state
from lampyris.statistics.mixed.model import MixedModel
from lampyris.statistics.mixed.results import VarianceComponent
from lampyris.statistics.mixed.threads import one_thread

Array = NDArray[np.float64]

# correlations are kept off +-1, where a covariance matrix loses a direction
EDGE = 1.0 - 1e-9
# the search stays within these multiples of the estimates, where the sums of products keep their digits
TINY, HUGE = 1e-2, 1e3
# deviance that no search keeps
BEYOND = 1e12
# standard deviation, in units of the values' own, from which a search sets out at least
OFF_ZERO = 0.02


class _Profile(Protocol):
    def __call__(self, x: float, *, twice: bool = False) -> float: ...


def profile_intervals(model: MixedModel, /) -> tuple[VarianceComponent, ...]:
    """Components of a model with profile-likelihood intervals.

    Parameters
    ----------
    model : MixedModel
        A fitted model.

    Returns
    -------
    tuple of VarianceComponent
        As `MixedModel.components`. An interval ends at 0 (or at -1 or 1, of a correlation) where the likelihood does not
        rule that out; a correlation with a variance of 0 has no interval.

    References
    ----------
    Bates et al. 2015, J Stat Softw 67(1), section 5.1, doi:10.18637/jss.v067.i01 (there of the likelihood, here of the
    restricted likelihood where the model was fitted by it).
    """
    given = model.problem
    scales = _scales(model)
    kinds = [component.name for component in model.components]
    best = np.array([component.estimate.value for component in model.components]) / scales
    whole = np.array([kind == "correlation" for kind in kinds])
    # a correlation without a spread of its own is free: any value gives the same likelihood
    best[whole] = np.clip(np.nan_to_num(best[whole]), -EDGE, EDGE)
    limit = float(special.chdtri(1, 1 - model.level))
    lowest = _deviance(given, best)[0]
    found = []
    for place, component in enumerate(model.components):
        if math.isnan(component.estimate.value):
            found.append(_without(component, model.level))
            continue
        with one_thread():
            low, high = (_end(given, best, kinds, place, lowest, limit, side) for side in (-1, 1))
        scale = scales[place]
        value = component.estimate.value
        estimate = Estimate(
            value, math.nan, min(float(low * scale), value), max(float(high * scale), value), model.level, component.estimate.unit,
            f"profile of the {'restricted ' if model.method == 'REML' else ''}likelihood",
        )  # fmt: skip
        found.append(dataclasses.replace(component, estimate=estimate))
    return tuple(found)


def _without(component: VarianceComponent, level: float) -> VarianceComponent:
    old = component.estimate
    nothing = Estimate(old.value, math.nan, -1.0, 1.0, level, old.unit, "a standard deviation is 0: no correlation")
    return dataclasses.replace(component, estimate=nothing)


def _scales(model: MixedModel) -> Array:
    """Unit of each component, so that the search sees numbers of order one."""
    scales = []
    for piece in model.problem.random.pieces:
        size = model.problem.scale
        steps = {"intercept": 1.0}
        scales += [size * steps.get(name, float(piece.back[-1, -1])) for name in piece.names]
        scales += [1.0] if len(piece.names) == 2 else []
    return np.array([*scales, model.problem.scale])


def _deviance(given: Problem, values: Array) -> tuple[float, Array]:
    """-2 log likelihood, without its constant, with nothing profiled out but the fixed effects; and its gradient."""
    residual = float(values[-1])
    covariances, slopes = [], []
    at = 0
    for piece in given.random.pieces:
        d = len(piece.names)
        covariance, own = _covariance(values[at : at + d * (d + 1) // 2])
        # the slope's standard deviation is in units of the scaled covariate already; what is left is its centre
        undo = np.array([[1.0, -piece.back[0, 1]], [0.0, 1.0]]) if d == 2 else np.eye(1)
        covariances.append(undo @ covariance @ undo.T)
        slopes.append([undo @ slope @ undo.T for slope in own])
        at += d * (d + 1) // 2
    theta = np.concatenate([_triangle(matrix) for matrix in covariances]) / residual
    try:
        found = state(given, theta)
    except np.linalg.LinAlgError:
        # a step of the search to where the sums of products have no digits left
        return BEYOND, np.zeros_like(values)
    value = found.log_h + 2 * given.free * math.log(residual) + found.rest / residual**2
    value += found.log_x if given.restricted else 0.0
    steps = given.random.gathered(covariance_slope(given, found, weight=1 / residual**2))
    gradient = [
        float((step * slope).sum()) / residual**2 for step, own in zip(steps, slopes, strict=True) for slope in own
    ]
    last = sum(float((step * matrix).sum()) for step, matrix in zip(steps, covariances, strict=True))
    gradient.append(2 * given.free / residual - 2 * (last + found.rest) / residual**3)
    return value, np.array(gradient)


def _covariance(values: Array) -> tuple[Array, list[Array]]:
    """Covariance matrix from standard deviations and correlation, and its slope in each."""
    if len(values) == 1:
        return np.array([[values[0] ** 2]]), [np.array([[2 * values[0]]])]
    a, b, rho = values
    matrix = np.array([[a * a, rho * a * b], [rho * a * b, b * b]])
    slopes = [[[2 * a, rho * b], [rho * b, 0.0]], [[0.0, rho * a], [rho * a, 2 * b]], [[0.0, a * b], [a * b, 0.0]]]
    return matrix, [np.array(slope) for slope in slopes]


def _triangle(matrix: Array) -> Array:
    """Lower factor of a covariance matrix, which may be singular."""
    root = math.sqrt(max(float(matrix[0, 0]), 0.0))
    if len(matrix) == 1:
        return np.array([root])
    below = float(matrix[1, 0]) / root if root > 0 else 0.0
    return np.array([root, below, math.sqrt(max(float(matrix[1, 1]) - below**2, 0.0))])


def _profiled(given: Problem, start: Array, kinds: list[str], place: int, lowest: float) -> "_Profile":
    """Smallest deviance with one parameter held; searched for a second time, from the optimum, where that is asked."""
    others = [k for k in range(len(start)) if k != place]
    spreads = np.array([kinds[k] != "correlation" for k in others])
    last = start[others].copy()
    bounds: list[tuple[float, float]] = []
    for k in others:
        if kinds[k] == "correlation":
            bounds.append((-EDGE, EDGE))
        else:
            low = TINY * start[k] if kinds[k] == "residual" else 0.0
            bounds.append((low, HUGE * max(float(start[k]), 1.0)))
    # the estimate itself is the optimum, whatever a search from elsewhere finds there
    known = {float(start[place]): lowest}

    def searched(x: float, first: Array) -> tuple[float, Array]:
        whole = start.copy()
        whole[place] = x

        def inner(rest: Array) -> tuple[float, Array]:
            whole[others] = rest
            value, gradient = _deviance(given, whole)
            return value, gradient[others]

        # the slope vanishes at a standard deviation of 0, so that a search never leaves it
        first = np.where(spreads & (first < OFF_ZERO), OFF_ZERO, first)
        options = {"ftol": 1e-10, "gtol": 1e-5}
        found = optimize.minimize(inner, first, jac=True, method="L-BFGS-B", bounds=bounds, options=options)
        return float(found.fun), np.asarray(found.x)

    def profile(x: float, *, twice: bool = False) -> float:
        if x in known:
            return known[x]
        if not others:
            known[x] = _deviance(given, np.array([x]))[0]
            return known[x]
        value, where = searched(x, last)
        if twice:
            again, other = searched(x, start[others])
            value, where = (again, other) if again < value else (value, where)
        last[:] = where
        known[x] = value
        return value

    return profile


def _end(given: Problem, best: Array, kinds: list[str], place: int, lowest: float, limit: float, side: int) -> float:
    """Where the profile reaches the target on one side of the estimate, or the edge of what is possible."""
    target = lowest + limit
    profile = _profiled(given, best, kinds, place, lowest)
    centre = float(best[place])
    correlation = kinds[place] == "correlation"
    edge = side * EDGE if correlation else (0.0 if side < 0 else math.inf)
    if kinds[place] == "residual" and side < 0:
        edge = TINY * centre
    inside, step = centre, 0.2 if correlation else max(0.25 * abs(centre), 0.05)
    for _ in range(60):
        outside = centre + side * step
        if (edge - outside) * side <= 0:
            outside = edge
        if profile(outside, twice=True) >= target:
            return float(
                optimize.brentq(lambda x: profile(x) - target, inside, outside, xtol=1e-7, rtol=1e-6, maxiter=60)
            )
        if outside == edge:
            return (float(side) if correlation else 0.0) if math.isfinite(edge) else math.inf
        inside, step = outside, 1.6 * step
    return side * math.inf if side > 0 else 0.0
