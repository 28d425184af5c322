"""Likelihood and restricted likelihood of a linear mixed model, its gradient, and its optimum.

With y = X b + Z u + e, u ~ N(0, s^2 L L'), e ~ N(0, s^2 I), s^2 and b are profiled out [1]_; what remains is a function of
the relative factor L alone. X is made orthonormal and y is taken as its least-squares residual first, so that large means
and badly scaled columns cost no digits. The optimum is found by a quasi-Newton search and then polished by Newton's method
on the exact gradient, because the value itself is too flat there to give more than half of the digits.

References
----------
.. [1] Bates et al. 2015, J Stat Softw 67(1), doi:10.18637/jss.v067.i01, eqs 34, 41.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import optimize

from lampyris.statistics.mixed.structure import Places, RandomPart

Array = NDArray[np.float64]

# relative standard deviations of the random effects from which the search sets out
STARTS = (1.0, 0.2)
# relative standard deviations to try where zero turns out not to be best
RELEASE = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0)
# beyond this relative standard deviation the residual is rounding
LARGEST = 1e4
# below this relative standard deviation zero is tried
SMALL = 3e-2
# times that a search is begun, and the slope at which its end is taken for one
RESTARTS, STEEP = 5, 1e-3
# a gain of the criterion below this is rounding
GAIN = 1e-9


class NothingLeftError(ValueError):
    """The model fits the values exactly, so that no residual is left to judge it by."""


@dataclass(frozen=True, slots=True, eq=False)
class Problem:
    """Sums of products of a model, in orthonormal columns.

    Parameters
    ----------
    random : RandomPart
        The random part.
    restricted : bool
        REML rather than ML.
    n, p : int
        Rows and independent columns.
    triangle : ndarray, dims (column, column)
        R of X = QR.
    least_squares : ndarray, dims (column,)
        Coefficients of the least-squares fit, in columns of Q.
    scale : float
        Standard deviation of its residuals, by which they are divided.
    own : ndarray, dims (block, effect, effect)
        Z'Z.
    cross : ndarray, dims (block, effect, column + 1)
        Z'[Q, y].
    square : ndarray, dims (column + 1, column + 1)
        [Q, y]'[Q, y].
    """

    random: RandomPart
    restricted: bool
    n: int
    p: int
    triangle: Array
    least_squares: Array
    scale: float
    own: Array
    cross: Array
    square: Array

    @property
    def free(self) -> int:
        """Rows less what the criterion spends on the fixed part."""
        return self.n - self.p if self.restricted else self.n

    @property
    def constant(self) -> float:
        """Part of -2 log likelihood that does not depend on the random part."""
        value = self.free * (1.0 + math.log(2 * math.pi / self.free)) + 2 * self.free * math.log(self.scale)
        if self.restricted:
            value += 2 * float(np.log(np.abs(np.diag(self.triangle))).sum())
        return value


@dataclass(frozen=True, slots=True, eq=False)
class State:
    """Everything that follows from the random part.

    Parameters
    ----------
    weight : ndarray, dims (block, effect, effect)
        U = L (I + L'Z'ZL)^-1 L', so that H^-1 = I - Z U Z'.
    inner : ndarray, dims (block, effect, effect)
        Z'H^-1Z.
    outer : ndarray, dims (block, effect, column + 1)
        Z'H^-1[Q, y].
    product : ndarray, dims (column + 1, column + 1)
        [Q, y]'H^-1[Q, y].
    coefficients : ndarray, dims (column,)
        Of the columns of Q, for the scaled residual.
    rest : float
        Weighted sum of squares that remains.
    log_h, log_x : float
        log det H, log det Q'H^-1Q.
    """

    weight: Array
    inner: Array
    outer: Array
    product: Array
    coefficients: Array
    rest: float
    log_h: float
    log_x: float


def problem(matrix: Array, y: Array, random: RandomPart, /, *, restricted: bool) -> Problem:
    """Sums of products of a model.

    Parameters
    ----------
    matrix : ndarray, dims (row, column)
        Independent columns of the fixed part.
    y : ndarray, dims (row,)
        Values.
    random : RandomPart
        The random part.
    restricted : bool
        REML rather than ML.

    Returns
    -------
    Problem

    Raises
    ------
    NothingLeftError
        If the fixed part alone fits the values exactly.
    """
    basis, triangle = np.linalg.qr(matrix)
    fit = basis.T @ y
    residual = y - basis @ fit
    again = basis.T @ residual
    fit, residual = fit + again, residual - basis @ again
    n, p = matrix.shape
    scale = math.sqrt(float(residual @ residual) / max(n - p, 1))
    if n <= p or not scale > 1e-13 * float(np.abs(y).max()):
        raise NothingLeftError("the fixed part fits the values exactly: nothing is left to tell subjects apart")
    columns = np.column_stack([basis, residual / scale])
    own, cross = random.products(columns)
    return Problem(random, restricted, n, p, triangle, fit, scale, own, cross, columns.T @ columns)


def factors(random: RandomPart, theta: Array, /) -> list[Array]:
    """Lower triangles per piece from the parameters (diagonal ones are not below 0)."""
    found = []
    at = 0
    for piece in random.pieces:
        if len(piece.names) == 1:
            found.append(np.array([[theta[at]]]))
            at += 1
        else:
            found.append(np.array([[theta[at], 0.0], [theta[at + 1], theta[at + 2]]]))
            at += 3
    return found


def state(given: Problem, theta: Array, /) -> State:
    """Everything that follows from the parameters."""
    random = given.random
    factor = random.spread(factors(random, theta))
    a = factor.T @ given.own @ factor + np.eye(random.size)
    weight = factor @ np.linalg.solve(a, np.broadcast_to(factor.T, a.shape))
    return _weighted(given, weight, float(np.linalg.slogdet(a)[1].sum()))


def state_of_covariance(given: Problem, relative: Array, /) -> State:
    """Everything that follows from the relative covariance of a block's effects, which may have negative variances."""
    a = np.eye(given.random.size) + relative @ given.own
    weight = np.linalg.solve(a, np.broadcast_to(relative, a.shape))
    even = np.asarray(0.5 * (weight + np.swapaxes(weight, 1, 2)), dtype=np.float64)
    return _weighted(given, even, float(np.linalg.slogdet(a)[1].sum()))


def _weighted(given: Problem, weight: Array, log_h: float) -> State:
    su = given.own @ weight
    inner = given.own - su @ given.own
    outer = given.cross - su @ given.cross
    product = given.square - summed_product(given.cross, weight @ given.cross)
    x = product[:-1, :-1]
    coefficients = np.asarray(np.linalg.solve(x, product[:-1, -1]), dtype=np.float64)
    rest = float(product[-1, -1] - product[:-1, -1] @ coefficients)
    log_x = float(np.linalg.slogdet(x)[1])
    return State(weight, inner, outer, product, coefficients, rest, log_h, log_x)


def summed_product(left: Array, right: Array, /) -> Array:
    """Sum over blocks of left' right, dims (block, effect, column) to (column, column)."""
    return np.asarray(left.reshape(-1, left.shape[-1]).T @ right.reshape(-1, right.shape[-1]), dtype=np.float64)


def criterion(given: Problem, theta: Array, /) -> tuple[float, Array]:
    """-2 log (restricted) likelihood without its constant, and its gradient.

    Parameters
    ----------
    given : Problem
        The model.
    theta : ndarray, dims (parameter,)
        Relative factor.

    Returns
    -------
    tuple of float and ndarray, dims (parameter,)
    """
    at = state(given, theta)
    if not at.rest > 0:
        return math.inf, np.zeros_like(theta)
    value = at.log_h + given.free * math.log(at.rest) + (at.log_x if given.restricted else 0.0)
    slopes = given.random.gathered(covariance_slope(given, at))
    return value, _chain(given.random, theta, slopes)


def covariance_slopes(given: Problem, theta: Array, /) -> list[Array]:
    """Slope of the criterion in the relative covariance matrix of each piece, dims (effect, effect)."""
    return given.random.gathered(covariance_slope(given, state(given, theta)))


def covariance_slope(given: Problem, at: State, /, *, weight: float | None = None) -> Array:
    """Slope of the criterion in the relative covariance of a block's effects, summed over blocks.

    Parameters
    ----------
    given : Problem
        The model.
    at : State
        Where.
    weight : float, optional
        What the remaining sum of squares is multiplied with; its own inverse, by the rows, where the residual variance is
        profiled out.

    Returns
    -------
    ndarray, dims (effect, effect)
    """
    x, y = at.outer[..., :-1], at.outer[..., -1]
    left = y - x @ at.coefficients
    slope = at.inner.sum(axis=0) - (given.free / at.rest if weight is None else weight) * (left.T @ left)
    if given.restricted:
        tilted = x @ np.linalg.inv(at.product[:-1, :-1])
        slope = slope - np.tensordot(tilted, x, axes=((0, 2), (0, 2)))
    return slope


def _chain(random: RandomPart, theta: Array, slopes: Sequence[Array]) -> Array:
    """From slopes in L L' to slopes in the entries of L."""
    parts = []
    for factor, slope in zip(factors(random, theta), slopes, strict=True):
        gradient = 2 * slope @ factor
        parts.append(gradient[np.tril_indices(factor.shape[0])])
    return np.concatenate(parts)


@dataclass(frozen=True, slots=True, eq=False)
class Optimum:
    """Where the criterion is smallest.

    Parameters
    ----------
    theta : ndarray, dims (parameter,)
        Relative factor.
    value : float
        -2 log (restricted) likelihood, with its constant.
    gradient : float
        Largest slope among the parameters that are not at a bound.
    converged : bool
        Whether the slopes vanish and the bounds are where the criterion wants them.
    """

    theta: Array
    value: float
    gradient: float
    converged: bool


def optimum(given: Problem, /) -> Optimum:
    """Find the best random part.

    Parameters
    ----------
    given : Problem
        The model.

    Returns
    -------
    Optimum
        To about 1e-9 of the parameters.

    Raises
    ------
    NothingLeftError
        If values of the same level of a random term hardly differ, so that the residual is rounding.
    """
    low = _lower(given.random)
    best, value = np.zeros(low.size), math.inf
    for start in STARTS:
        found, reached = _searched(given, np.where(low == 0, start, 0.0))
        if reached < value - GAIN:
            best, value = found, reached
    without_residual = criterion(given, np.where(low == 0, LARGEST, 0.0))[0]
    if float(np.abs(best).max()) > 0.9 * LARGEST or without_residual <= value:
        raise NothingLeftError("values of the same level of a random term do not differ: nothing is left as residual")
    best = _settled(given, best)
    held = _bounds_hold(given, best)
    for _ in range(low.size + 1):
        if held:
            break
        before, moved = criterion(given, best)[0], _released(given, best)
        best = _settled(given, _searched(given, moved)[0])
        gain = before - min(criterion(given, one)[0] for one in (moved, best))
        # a slope along which nothing beyond rounding is gained is none
        held = gain <= GAIN or _bounds_hold(given, best)
    free = _free(given.random, best)
    best = _polished(given, best, free)
    value, gradient = criterion(given, best)
    steepest = float(np.abs(gradient[free]).max(initial=0.0))
    held = held or _bounds_hold(given, best)
    return Optimum(best, value + given.constant, steepest, bool(steepest < 1e-5 and held))


def _searched(given: Problem, start: Array) -> tuple[Array, float]:
    """A local optimum and its value, by a quasi-Newton search."""
    low = np.maximum(_lower(given.random), -LARGEST)
    return descended(lambda theta: criterion(given, theta), start, low, np.full(low.size, LARGEST))


def descended(
    function: Callable[[Array], tuple[float, Array]], start: Array, low: Array, high: Array, /
) -> tuple[Array, float]:
    """Where a function with its gradient is smallest near a start, within bounds, and how small.

    The search is begun anew from where it ends as long as the function still falls there: one step that was too short looks
    to it like an end.
    """
    at = start
    for _ in range(RESTARTS):
        found = optimize.minimize(
            function,
            at,
            jac=True,
            method="L-BFGS-B",
            bounds=list(zip(low, high, strict=True)),
            options={"ftol": 1e-13, "gtol": 1e-7, "maxiter": 500},
        )
        at = np.asarray(found.x)
        if float(np.abs(at - np.clip(at - found.jac, low, high)).max()) < STEEP:
            break
    return at, float(found.fun)


def _released(given: Problem, theta: Array) -> Array:
    """Parameters with those at zero moved off it, where the criterion falls most: its slope vanishes there by symmetry."""
    best = theta
    value = criterion(given, theta)[0]
    for k in np.flatnonzero((_lower(given.random) == 0) & (theta == 0)):
        for step in RELEASE:
            tried = theta.copy()
            tried[k] = step
            found = criterion(given, tried)[0]
            if found < value:
                best, value = tried, found
    return best


def _lower(random: RandomPart) -> Array:
    low: list[float] = []
    for piece in random.pieces:
        low += [0.0] if len(piece.names) == 1 else [0.0, -math.inf, 0.0]
    return np.array(low)


def _settled(given: Problem, theta: Array) -> Array:
    """Parameters with those set to zero that gain nothing by being above it."""
    best = theta.copy()
    value = criterion(given, best)[0]
    for k in np.flatnonzero((_lower(given.random) == 0) & (best < SMALL)):
        tried = best.copy()
        tried[k] = 0.0
        if _first_of_pair(given.random, int(k)):
            # without an intercept's spread the slope has one parameter
            tried[k + 2], tried[k + 1] = math.hypot(tried[k + 1], tried[k + 2]), 0.0
        found = criterion(given, tried)[0]
        if found <= value + GAIN:
            best, value = tried, min(found, value)
    return best


def _first_of_pair(random: RandomPart, place: int) -> bool:
    at = 0
    for piece in random.pieces:
        if at == place and len(piece.names) == 2:
            return True
        at += 1 if len(piece.names) == 1 else 3
    return False


def _free(random: RandomPart, theta: Array) -> NDArray[np.bool_]:
    free = (theta > 0) | (_lower(random) < 0)
    for k in np.flatnonzero(theta == 0):
        if _first_of_pair(random, int(k)):
            free[k + 1] = False
    return np.asarray(free)


def _polished(given: Problem, theta: Array, free: NDArray[np.bool_]) -> Array:
    """Newton's method on the exact gradient, in the free parameters."""
    places = np.flatnonzero(free)
    best = theta.copy()
    gradient = criterion(given, best)[1][places]
    for _ in range(12):
        if not places.size or float(np.abs(gradient).max()) < 1e-11:
            break
        step = _newton_step(given, best, places, gradient)
        if step is None:
            break
        for share in (1.0, 0.5, 0.25, 0.05):
            tried = best.copy()
            tried[places] -= share * step
            slope = criterion(given, tried)[1][places]
            inside = (tried[places] > 0) | (_lower(given.random)[places] < 0)
            if inside.all() and float(np.abs(slope).max()) < float(np.abs(gradient).max()):
                break
        else:
            break
        moved = float(np.abs(share * step).max() / (1.0 + np.abs(best).max()))
        best, gradient = tried, slope
        if moved < 1e-12:
            break
    return best


def _newton_step(given: Problem, theta: Array, places: Places, gradient: Array) -> Array | None:
    """Step towards vanishing slopes; None where the criterion is no bowl."""
    curvature = np.empty((places.size, places.size))
    for row, k in enumerate(places):
        width = 1e-5 * (1.0 + abs(theta[k]))
        ends = []
        for sign in (1.0, -1.0):
            moved = theta.copy()
            moved[k] += sign * width
            ends.append(criterion(given, moved)[1][places])
        curvature[row] = (ends[0] - ends[1]) / (2 * width)
    curvature = 0.5 * (curvature + curvature.T)
    if not np.isfinite(curvature).all() or float(np.linalg.eigvalsh(curvature)[0]) <= 0:
        return None
    return np.asarray(np.linalg.solve(curvature, gradient), dtype=np.float64)


def _bounds_hold(given: Problem, theta: Array) -> bool:
    """Whether no covariance matrix that is singular gains by growing where it has no spread."""
    slopes = covariance_slopes(given, theta)
    for factor, slope in zip(factors(given.random, theta), slopes, strict=True):
        missing = np.flatnonzero(np.linalg.norm(factor, axis=0) == 0)
        if not missing.size:
            continue
        left, sizes, _ = np.linalg.svd(factor)
        empty = left[:, sizes <= 1e-12 * max(float(sizes[0]), 1e-300)]
        if float(np.linalg.eigvalsh(empty.T @ slope @ empty)[0]) < -1e-4:
            return False
    return True
