"""Finding the minimum: SciPy's least squares for squares, damped scoring for counts and likelihoods, and its last digits."""

import itertools
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lampyris.statistics.fitting.objective import Array, Frame, Objective, Squares

MOST_STARTS = 1000
_ROUNDS = 500
# what a full step would still gain, in units of the objective, when all is found
DONE = 1e-20
# from here on a value has too few digits to judge a step, and slopes must be good
_NEAR = 1e-10
_ROUGH = 1e-4
# distance to a bound, over a parameter's size, that is none
_AT_BOUND = 1e-6
# and at which rounding may be blamed if nothing lower is found
_ROUNDED = 1e-9
# squared residual over squared value that no scatter makes
_EXACT = 1e-22
# rows per column from which a turn into few rows pays
_TALL = 8
_LEAST_DAMPING, _MOST_DAMPING = 1e-14, 1e16


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """A minimum.

    Parameters
    ----------
    theta : ndarray, dims (free,)
    value : float
        Of the objective; inf where no start gave a finite one.
    converged : bool
    rounds : int
        Steps taken.
    """

    theta: Array
    value: float
    converged: bool
    rounds: int


def starts(frame: Frame, extra: int, /) -> list[Array]:
    """Stated starts, all combinations of the grids, then `extra` ones spread evenly; nothing is drawn.

    The extra starts lie between the bounds where both are finite and else within a factor of ten of the stated start, after
    the additive recurrence of Niederreiter 1992, doi:10.1137/1.9781611970081, chapter 3.

    Raises
    ------
    ValueError
        If the grids have more than 1000 combinations.
    """
    free = [frame.parameters[place] for place in frame.free]
    number = math.prod(1 + len(one.grid) for one in free)
    if number > MOST_STARTS:
        raise ValueError(f"the grids of starts have {number} combinations, and {MOST_STARTS} are the most")
    found = [np.array(each, dtype=np.float64) for each in itertools.product(*((one.start, *one.grid) for one in free))]
    if not free or not extra:
        return found
    root = 2.0
    for _ in range(60):
        root = (1.0 + root) ** (1.0 / (len(free) + 1))
    for number in range(1, extra + 1):
        share = (0.5 + number * root ** -np.arange(1.0, len(free) + 1.0)) % 1.0
        spread = []
        for one, part in zip(free, share, strict=True):
            if math.isfinite(one.low) and math.isfinite(one.high):
                value = one.low + part * (one.high - one.low)
            elif one.start:
                value = one.start * 10.0 ** (2.0 * part - 1.0)
            else:
                value = (one.scale or 1.0) * 10.0 * (2.0 * part - 1.0)
            spread.append(min(max(value, one.low), one.high))
        found.append(np.array(spread))
    return found


def solve(objective: Objective, extra: int, /, *, least_gain: float = 0.0) -> Found:
    """The lowest minimum of all starts, each searched until a step gains less than a share of what is left.

    Raises
    ------
    ValueError
        If the model is not finite at any start.
    """
    best: Found | None = None
    tried = starts(objective.frame, extra)
    for start in tried:
        if not math.isfinite(objective.value(start)):
            continue
        near = _by_scipy(objective, start, least_gain) if isinstance(objective, Squares) and start.size else start
        found = scored(objective, near, done=max(DONE, least_gain), near=isinstance(objective, Squares))
        if best is None or (found.value, not found.converged) < (best.value * (1 - 1e-12), not best.converged):
            best = found
    if best is None:
        names = ", ".join(objective.frame.parameters[place].name for place in objective.frame.free)
        raise ValueError(
            f"the model gives no finite likelihood at {'the start' if len(tried) == 1 else f'any of {len(tried)} starts'} "
            f"of {names} ({', '.join(f'{one:g}' for one in tried[0])}): start where the model can hold"
        )
    return best


def _by_scipy(objective: Squares, start: Array, least_gain: float) -> Array:
    """Where SciPy's least squares ends, or the start where that is no better."""
    from scipy.optimize import least_squares

    low, high = objective.frame.low, objective.frame.high
    bounded = bool(np.isfinite(low).any() or np.isfinite(high).any())
    few = objective.sd.size < start.size
    huge = 1e150

    def residuals(theta: Array) -> Array:
        off = objective.residuals(theta)
        return off if np.isfinite(off).all() else np.nan_to_num(off, nan=huge, posinf=huge, neginf=-huge)

    def leaning(theta: Array) -> Array:
        slope = objective.slopes_of_residuals(theta)
        return slope if np.isfinite(slope).all() else np.nan_to_num(slope, nan=0.0, posinf=huge, neginf=-huge)

    tight = 4.0 * np.finfo(float).eps
    with np.errstate(all="ignore"):
        answer = least_squares(
            residuals,
            start,
            leaning,
            bounds=(low, high),
            method="trf" if bounded or few else "lm",
            x_scale="jac",
            ftol=max(1e-14, least_gain),
            xtol=tight,
            gtol=tight,
            max_nfev=_ROUNDS,
        )
    end = np.clip(answer.x, low, high)
    return end if objective.value(end) <= objective.value(start) else start


def scored(
    objective: Objective, theta: Array, /, *, rounds: int = _ROUNDS, done: float = DONE, near: bool = False
) -> Found:
    """Levenberg and Marquardt's damped steps on the objective's own curvature, within bounds.

    A parameter at a bound stays there as long as the slope pushes it out. The search ends where a full step would gain less than
    `done` (in units of the squared scatter of one value), or no longer less than the step before. `near` says that the start is
    close: slopes are good from the first step on.

    References
    ----------
    Marquardt 1963, J Soc Ind Appl Math 11:431, doi:10.1137/0111030; scoring of counts: Laurence & Chromy 2010, Nat Methods 7:338,
    doi:10.1038/nmeth0510-338.
    """
    # far from the minimum a square may be larger than numbers go: it is then no lower
    with np.errstate(over="ignore", invalid="ignore"):
        found = _search(objective, np.clip(theta, objective.frame.low, objective.frame.high), rounds, done, near)
        at_bound = _at_bound(objective, found)
        if at_bound is None:
            return found
        again = _search(objective, at_bound, rounds, done, True)
    return Found(again.theta, again.value, again.converged, found.rounds + again.rounds)


def _at_bound(objective: Objective, found: Found) -> Array | None:
    """The minimum with parameters put on the bounds that they come ever closer to; None where there are none.

    The curvature of counts grows without end where a model expects none, and steps towards there shrink.
    """
    low, high = objective.frame.low, objective.frame.high
    close = _AT_BOUND * objective.frame.typical(found.theta)
    put = np.where(found.theta - low <= close, low, np.where(high - found.theta <= close, high, found.theta))
    if (put == found.theta).all() or not objective.value(put) <= found.value:
        return None
    return put


def _search(objective: Objective, theta: Array, rounds: int, done: float, near: bool) -> Found:
    low, high = objective.frame.low, objective.frame.high
    value = objective.value(theta)
    if not theta.size or not math.isfinite(value):
        return Found(theta, value, math.isfinite(value), 0)
    damping, before = 1e-4, 0.0 if near else math.inf
    least = least_unit(objective)
    unit = _unit(objective, value, least)
    for number in range(rounds):
        a, b = objective.quadratic(theta, rough=before > _ROUGH * unit)
        if not (np.isfinite(a).all() and np.isfinite(b).all()):
            return Found(theta, value, False, number)
        a, b = _short(a, b)
        free = _moving(theta, -(a.T @ b), low, high)
        if not free.any():
            return Found(theta, value, True, number)
        scale = np.linalg.norm(a[:, free], axis=0)
        # a parameter that the data do not see stays where it is
        scale[scale == 0] = 1.0
        left, size, right = np.linalg.svd(a[:, free] / scale, full_matrices=False)
        part = left.T @ b
        gain = 0.5 * float((part[size > 1e-13 * size[0]] ** 2).sum()) if size[0] > 0 else 0.0
        unit = _unit(objective, value, least)
        stale = number > 0 and gain <= _NEAR * unit and gain > 0.3 * before
        if gain <= done * unit or stale or size[0] == 0:
            return Found(theta, value, True, number)
        moved = False
        while damping < _MOST_DAMPING:
            step = np.zeros_like(theta)
            step[free] = right.T @ (size * part / (size**2 + damping)) / scale
            trial = np.clip(theta + step, low, high)
            there = objective.value(trial)
            if there < value or (gain <= _NEAR * unit and there <= value + 1e-13 * abs(value)):
                moved = True
                break
            if (np.abs(trial - theta) <= 4e-16 * np.abs(theta)).all():
                break
            damping *= 8.0
        if not moved:
            # no lower value: either it is the minimum to the last digit, or something is wrong
            return Found(theta, value, gain <= _ROUNDED * unit, number + 1)
        step = trial - theta
        promised = float(b @ (a @ step)) - 0.5 * float(((a @ step) ** 2).sum())
        ratio = (value - there) / promised if promised > 0 else 0.0
        damping = max(damping * (0.1 if ratio > 0.75 else 1.0 if ratio > 0.25 else 4.0), _LEAST_DAMPING)
        theta, value, before = trial, there, gain
    return Found(theta, value, False, rounds)


def _short(a: Array, b: Array) -> tuple[Array, Array]:
    """The same normal equations in as few rows as there are columns and one more: a turn of tall `a` and `b` changes no step."""
    if a.shape[0] < _TALL * a.shape[1]:
        return a, b
    turned: Array = np.asarray(np.linalg.qr(np.column_stack([a, b]), mode="r"))
    return turned[:, :-1], turned[:, -1]


def _unit(objective: Objective, value: float, least: float) -> float:
    # the sum of squares itself, as the scatter may not be known
    return max(2.0 * value, least) if isinstance(objective, Squares) else 1.0


def least_unit(objective: Objective) -> float:
    """Sum of squares that is rounding alone: of data without scatter."""
    if not isinstance(objective, Squares):
        return 1.0
    with np.errstate(over="ignore"):
        return max(_EXACT * float(((objective.curves.observed / objective.sd) ** 2).sum()), 1e-300)


def _moving(theta: Array, slope: Array, low: Array, high: Array) -> NDArray[np.bool_]:
    return ~(((theta <= low) & (slope >= 0)) | ((theta >= high) & (slope <= 0)))
