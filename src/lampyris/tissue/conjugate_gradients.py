"""Conjugate gradients for seven-point systems, many right-hand sides at once.

1. `incomplete_factor` scales a symmetric matrix on a compact list of voxels and factorises it without fill;
2. `solve_block` solves one block of columns with it.
"""

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Rows = NDArray[np.int32]

# share of the dropped fill that goes back to the diagonal of the incomplete factorisation: 0 needs twice the
# iterations, 1 leaves no margin for a positive pivot in a body that hardly absorbs
_FILL_SHARE = 0.98
_MAX_RESTARTS = 4


@dataclass(frozen=True, slots=True, eq=False)
class IncompleteFactor:
    """Modified incomplete Cholesky factor (I + L)(I + L^T) of the matrix after scaling, without fill.

    Rows of voxels are counted from 1, so that rows 0 and voxel + 1 can stand for the outside.

    Parameters
    ----------
    scale : ndarray, dims (voxel,)
        Inverse square roots of the pivots: the matrix is scaled by it from both sides.
    excess : ndarray, dims (voxel,)
        Scaled diagonal minus 2.
    lower, upper : ndarray, dims (voxel, axis)
        Scaled entries towards the neighbours at smaller and greater z, y, x.
    lower_row, upper_row : ndarray of int32, dims (voxel, axis)
        Rows of the z and y neighbours; the x neighbour is the row before or after.
    """

    scale: Floats
    excess: Floats
    lower: Floats
    upper: Floats
    lower_row: Rows
    upper_row: Rows


def incomplete_factor(diagonal: Floats, coupling: Floats, neighbour: Rows) -> IncompleteFactor:
    """Return the preconditioner of a matrix."""
    pivot = _pivots(diagonal, coupling, neighbour, _FILL_SHARE)
    if not np.all(pivot > 0.0):
        raise ValueError("a part of the body neither absorbs light nor lets it out; give it absorption")
    scale = 1.0 / np.sqrt(pivot)
    scaled = coupling * scale[:, None] * scale[neighbour]
    rows = neighbour + 1
    return IncompleteFactor(
        scale=scale,
        excess=diagonal / pivot - 2.0,
        lower=np.ascontiguousarray(scaled[:, 0::2]),
        upper=np.ascontiguousarray(scaled[:, 1::2]),
        lower_row=np.ascontiguousarray(rows[:, 0:3:2]),
        upper_row=np.ascontiguousarray(rows[:, 1:4:2]),
    )


@njit(cache=True, nogil=True)
def _pivots(diagonal: Floats, coupling: Floats, neighbour: Rows, fill_share: float) -> Floats:
    """Return the diagonal of the modified incomplete factorisation without fill."""
    pivot = np.empty(diagonal.size)
    for i in range(diagonal.size):
        value = diagonal[i]
        for axis in range(3):
            j = neighbour[i, 2 * axis]
            if j >= 0:
                entry = coupling[i, 2 * axis]
                dropped = 0.0
                for other in range(3):
                    if other != axis:
                        dropped += coupling[j, 2 * other + 1]
                value -= entry * (entry + fill_share * dropped) / pivot[j]
        pivot[i] = value
    return pivot


def solve_block(
    factor: IncompleteFactor,
    diagonal: Floats,
    coupling: Floats,
    neighbour: Rows,
    source: Floats,
    tolerance: float,
    max_iterations: int,
) -> tuple[Floats, tuple[int, float] | None]:
    """Return the fluence of one block, and the first column that missed the tolerance with its residual."""
    lanes = (0,) * source.shape[1]
    size = np.sqrt(np.einsum("ij,ij->j", source, source))
    goal = tolerance * size
    fluence = np.zeros_like(source)
    residual, left = source, size
    for _ in range(_MAX_RESTARTS):
        open_ = left > goal
        if not open_.any():
            return fluence, None
        # the iteration watches the residual in the factor's norm; the true one is looked at afterwards, and columns
        # that fell short go on from where they are
        reduction = np.where(open_, goal / np.where(open_, left, 1.0), 1.0)
        residual = np.where(open_, residual, 0.0)
        step, max_iterations = _iterate(factor, residual, lanes, reduction, max_iterations)
        fluence += step
        residual = np.empty_like(source)
        _true_residual(diagonal, coupling, neighbour, source, fluence, residual, lanes)
        left = np.sqrt(np.einsum("ij,ij->j", residual, residual))
        if max_iterations <= 0:
            break
    missed = np.flatnonzero(left > goal)
    if missed.size:
        return fluence, (int(missed[0]), float(left[missed[0]] / size[missed[0]]))
    return fluence, None


def _iterate(
    factor: IncompleteFactor, source: Floats, lanes: tuple[int, ...], reduction: Floats, max_iterations: int
) -> tuple[Floats, int]:
    """Return the solution whose residual fell by `reduction` in the factor's norm, and the steps left."""
    solution = np.zeros_like(source)
    residual, direction, back, forth = np.zeros((4, source.shape[0] + 2, source.shape[1]))
    square = np.zeros(source.shape[1])
    curvature, alpha, beta = np.zeros_like(square), np.zeros_like(square), np.zeros_like(square)
    _begin(factor.scale, factor.lower, factor.lower_row, source, residual, square, lanes)
    goal = reduction**2 * square
    while max_iterations > 0 and np.any(square > goal):
        max_iterations -= 1
        _sweep_back(factor.upper, factor.upper_row, residual, beta, direction, back, lanes)
        _sweep_forth(factor.lower, factor.lower_row, factor.excess, direction, back, forth, curvature, lanes)
        active = square > goal
        alpha = np.where(active, square / np.where(active, curvature, 1.0), 0.0)
        before = square.copy()
        _advance(alpha, back, forth, solution, residual, square, lanes)
        beta = np.where(active, square / np.where(active, before, 1.0), 0.0)
    solution *= factor.scale[:, None]
    return solution, max_iterations


# The kernels work on (row, column) arrays. `lanes` is a tuple as long as a row: its length is known when the kernel is
# compiled, which turns the inner loops into vector instructions. Sums run over rows in order, one per column.


@njit(cache=True, nogil=True)
def _begin(
    scale: Floats,
    lower: Floats,
    lower_row: Rows,
    source: Floats,
    residual: Floats,
    square: Floats,
    lanes: tuple[int, ...],
) -> None:
    """Put (I + L)^-1 of the scaled source into `residual`, its squares into `square`."""
    for c in range(len(lanes)):
        square[c] = 0.0
    for i in range(scale.size):
        z, y, x = lower[i, 0], lower[i, 1], lower[i, 2]
        row_z, row_y = lower_row[i, 0], lower_row[i, 1]
        for c in range(len(lanes)):
            value = scale[i] * source[i, c] - z * residual[row_z, c] - y * residual[row_y, c]
            residual[i + 1, c] = value - x * residual[i, c]
        for c in range(len(lanes)):
            square[c] += residual[i + 1, c] * residual[i + 1, c]


@njit(cache=True, nogil=True)
def _sweep_back(
    upper: Floats,
    upper_row: Rows,
    residual: Floats,
    beta: Floats,
    direction: Floats,
    back: Floats,
    lanes: tuple[int, ...],
) -> None:
    """Renew the direction and put (I + L^T)^-1 of it into `back`."""
    for row in range(upper.shape[0], 0, -1):
        z, y, x = upper[row - 1, 0], upper[row - 1, 1], upper[row - 1, 2]
        row_z, row_y = upper_row[row - 1, 0], upper_row[row - 1, 1]
        for c in range(len(lanes)):
            direction[row, c] = residual[row, c] + beta[c] * direction[row, c]
        for c in range(len(lanes)):
            value = direction[row, c] - z * back[row_z, c] - y * back[row_y, c]
            back[row, c] = value - x * back[row + 1, c]


@njit(cache=True, nogil=True)
def _sweep_forth(
    lower: Floats,
    lower_row: Rows,
    excess: Floats,
    direction: Floats,
    back: Floats,
    forth: Floats,
    curvature: Floats,
    lanes: tuple[int, ...],
) -> None:
    """Put the second half of the matrix product into `forth`: the product is `back` + `forth`."""
    for c in range(len(lanes)):
        curvature[c] = 0.0
    for row in range(1, lower.shape[0] + 1):
        z, y, x = lower[row - 1, 0], lower[row - 1, 1], lower[row - 1, 2]
        row_z, row_y = lower_row[row - 1, 0], lower_row[row - 1, 1]
        middle = excess[row - 1]
        for c in range(len(lanes)):
            value = direction[row, c] + middle * back[row, c] - z * forth[row_z, c] - y * forth[row_y, c]
            forth[row, c] = value - x * forth[row - 1, c]
        for c in range(len(lanes)):
            curvature[c] += direction[row, c] * (back[row, c] + forth[row, c])


@njit(cache=True, nogil=True)
def _advance(
    alpha: Floats,
    back: Floats,
    forth: Floats,
    solution: Floats,
    residual: Floats,
    square: Floats,
    lanes: tuple[int, ...],
) -> None:
    """Step along the direction and put the squares of the new residual into `square`."""
    for c in range(len(lanes)):
        square[c] = 0.0
    for i in range(solution.shape[0]):
        for c in range(len(lanes)):
            solution[i, c] += alpha[c] * back[i + 1, c]
        for c in range(len(lanes)):
            residual[i + 1, c] -= alpha[c] * (back[i + 1, c] + forth[i + 1, c])
        for c in range(len(lanes)):
            square[c] += residual[i + 1, c] * residual[i + 1, c]


@njit(cache=True, nogil=True)
def _true_residual(
    diagonal: Floats,
    coupling: Floats,
    neighbour: Rows,
    source: Floats,
    fluence: Floats,
    residual: Floats,
    lanes: tuple[int, ...],
) -> None:
    """Put source minus matrix times fluence into `residual`."""
    for i in range(diagonal.size):
        for c in range(len(lanes)):
            residual[i, c] = source[i, c] - diagonal[i] * fluence[i, c]
        for face in range(6):
            j = neighbour[i, face]
            if j >= 0:
                entry = coupling[i, face]
                for c in range(len(lanes)):
                    residual[i, c] -= entry * fluence[j, c]
