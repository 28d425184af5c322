"""Bend one photograph onto another: a similarity from moments, then cubic B-splines, from coarse to fine.

1. `register_images` returns the field that says where each pixel of one image lies in the other;
2. `block_sums` and `spline_system` are its kernels, each with a plain twin (``_plain``) that says the same in NumPy.

The splines are fitted by Gauss-Newton on the difference of the two images. What pixels say is summed over small blocks first, over
which a smooth field hardly changes: the cost goes with pixels for reading and with blocks for algebra.
"""

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve
from scipy.ndimage import binary_dilation, map_coordinates

from lampyris.core.arrays import frozen_array
from lampyris.imaging.body.animal import otsu_threshold

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]

# the shorter side of the coarsest level, about
COARSEST_PX = 128
BLOCK = 4
# rounds on each level from the coarsest: the finest would add the sensor's noise and nothing else
ROUNDS = (30, 8, 5)
# residuals beyond so many of their root mean square count for little: limbs, tags, folds
OUTLIER = 3.0
# share of the images' own information that the bending of the field is held with, on each level
STIFFNESS = (0.02, 0.003, 0.001)
# pixels of the coarsest level beside the animal that are compared too
BESIDE = 3
LEAST_PX = 64


@dataclass(frozen=True, slots=True, eq=False)
class Deformation:
    """Where the pixels of one image lie in another.

    Parameters
    ----------
    displacement_px : ndarray of float32, dims (axis, y, x)
        ``moving[p + displacement[p]]`` shows what ``fixed[p]`` shows.
    matrix : ndarray, dims (axis, axis)
        Linear part of the affine map nearest to it on the animal.
    correlation : float
        Of the two images inside the body, once bent.
    """

    displacement_px: Singles
    matrix: Floats
    correlation: float

    def __post_init__(self) -> None:
        shape = np.shape(self.displacement_px)
        field = frozen_array("displacement_px", self.displacement_px, ("axis", "y", "x"), np.float32, shape)
        object.__setattr__(self, "displacement_px", field)
        object.__setattr__(self, "matrix", frozen_array("matrix", self.matrix, ("axis", "axis"), np.float64, (2, 2)))

    @property
    def scale(self) -> float:
        """Of the similarity nearest to the affine map."""
        return float(np.hypot(*self._similarity))

    @property
    def angle_rad(self) -> float:
        """Turn of the similarity nearest to the affine map, from +y towards +x."""
        cos, sin = self._similarity
        return float(np.arctan2(sin, cos))

    @property
    def _similarity(self) -> tuple[float, float]:
        (yy, yx), (xy, xx) = self.matrix
        return 0.5 * float(yy + xx), 0.5 * float(xy - yx)


@dataclass(frozen=True, slots=True, eq=False)
class _Level:
    """Both images at one resolution, and the blocks of the fixed one that show the animal."""

    fixed: Singles
    moving: Singles
    factor: int
    blocks: NDArray[np.int64]

    def full(self, index: Floats) -> Floats:
        """Full-resolution pixel coordinate of an index on this level."""
        return (index + 0.5) * self.factor - 0.5

    @property
    def lattice(self) -> tuple[Floats, Floats]:
        """Full-resolution coordinates of the blocks' corners along y and x."""
        y, x = (self.full(np.arange(count // BLOCK + 1, dtype=np.float64) * BLOCK) for count in self.fixed.shape)
        return y, x

    @property
    def centres(self) -> Floats:
        """Of the blocks in use, dims (block, axis)."""
        return self.full(np.asarray((self.blocks + 0.5) * BLOCK - 0.5, dtype=np.float64))


@dataclass(frozen=True, slots=True, eq=False)
class _Field:
    """A similarity and the splines upon it."""

    middle: Floats
    shift: Floats
    linear: Floats
    nodes: Floats
    spacing: float
    first: Floats

    def on(self, y: Floats, x: Floats) -> Floats:
        """Displacement on the grid of coordinates y and x, dims (axis, y, x)."""
        dy, dx = (y - self.middle[0])[:, None], (x - self.middle[1])[None, :]
        straight = self.shift[:, None, None] + self.linear[:, :1, None] * dy + self.linear[:, 1:, None] * dx
        if not self.nodes.any():
            return np.asarray(straight)
        rows, columns = (
            basis_matrix((axis - first) / self.spacing, count)
            for axis, first, count in zip((y, x), self.first, self.nodes.shape[1:], strict=True)
        )
        return np.asarray(straight + rows @ self.nodes @ columns.T)


@dataclass(frozen=True, slots=True)
class _Match:
    """Gain and offset that bring the moving image's values to the fixed one's, and the size of what remains."""

    gain: float
    offset: float
    spread: float
    correlation: float


def register_images(
    fixed: NDArray[np.floating], moving: NDArray[np.floating], /, *, spacing: float = 0.12
) -> Deformation:
    """Find where each pixel of one photograph of an animal lies in another of the same animal.

    Parameters
    ----------
    fixed, moving : ndarray, dims (y, x)
        An animal brighter than its stage; of one shape. One gain and offset between them is taken up.
    spacing : float
        Of the splines' nodes, as a share of the animal's length: the finest bend that is followed.

    Returns
    -------
    Deformation
        Smooth everywhere, but measured on the animal only.

    Raises
    ------
    ValueError
        If the shapes differ, are smaller than `LEAST_PX`, or an image shows nothing.

    References
    ----------
    Rueckert et al. 1999, doi:10.1109/42.796284, for the splines; Baker and Matthews 2004,
    doi:10.1023/B:VISI.0000011205.11775.fd, for Gauss-Newton on images.
    """
    shape = np.shape(fixed)
    if len(shape) != 2 or shape != np.shape(moving) or min(shape) < LEAST_PX:
        raise ValueError(
            f"two images of one shape, {LEAST_PX} pixels or more each way, are expected; got {shape} and {np.shape(moving)}"
        )
    levels = _levels(fixed, moving)
    field, match = _placed(levels[0], shape)
    field = _with_nodes(field, levels[-1], spacing)
    bending = _bending(field.nodes.shape[1:])
    for level, rounds, stiffness in zip(levels, ROUNDS, STIFFNESS, strict=False):
        penalty = stiffness * bending
        for _ in range(rounds):
            field, match = _spline_round(level, field, match, penalty)
    y, x = (np.arange(count, dtype=np.float64) for count in shape)
    return Deformation(field.on(y, x).astype(np.float32), _overall(field, levels[0]), match.correlation)


# --- levels and starts -------------------------------------------------------------------------------------------------


def _levels(fixed: NDArray[np.floating], moving: NDArray[np.floating]) -> list[_Level]:
    """Coarsest first, each the mean of four pixels of the next; as many as there are rounds for, or the image has."""
    halvings = max(round(np.log2(min(np.shape(fixed)) / COARSEST_PX)), 0)
    pyramids = []
    for name, image in (("fixed", fixed), ("moving", moving)):
        stack = [np.ascontiguousarray(np.nan_to_num(image), dtype=np.float32)]
        for _ in range(halvings):
            stack.append(_halved(stack[-1]))
        if np.ptp(stack[-1]) == 0:
            raise ValueError(f"the {name} image is even: there is nothing to register")
        pyramids.append(stack[::-1][: len(ROUNDS)])
    coarse = pyramids[0][0]
    body = coarse > otsu_threshold(coarse.astype(np.float64))
    # the stage beside the animal says as much as the animal
    body = binary_dilation(body, iterations=BESIDE)
    return [
        _Level(one, other, 2 ** (halvings - number), _blocks(body, 2**number, one.shape))
        for number, (one, other) in enumerate(zip(*pyramids, strict=True))
    ]


def _halved(image: Singles) -> Singles:
    rows, columns = image.shape[0] // 2 * 2, image.shape[1] // 2 * 2
    whole = image[:rows, :columns]
    return 0.25 * (whole[::2, ::2] + whole[1::2, ::2] + whole[::2, 1::2] + whole[1::2, 1::2])


def _blocks(body: NDArray[np.bool_], finer: int, shape: tuple[int, ...]) -> NDArray[np.int64]:
    """Rows and columns of the blocks whose centre lies on the body, dims (block, axis)."""
    y, x = (
        np.minimum(((np.arange(count // BLOCK) + 0.5) * BLOCK / finer).astype(int), size - 1)
        for count, size in zip(shape, body.shape, strict=True)
    )
    return np.argwhere(body[np.ix_(y, x)])


def _placed(level: _Level, shape: tuple[int, ...]) -> tuple[_Field, _Match]:
    """Similarity from the moments of both animals; of the two ways round the one that fits better."""
    moments = [_moments(image, level) for image in (level.fixed, level.moving)]
    (centre, size, angle), (there, other_size, other_angle) = moments
    scale = other_size / size
    middle = (np.array(shape) - 1.0) / 2.0
    rivals = []
    for turn in (other_angle - angle, other_angle - angle + np.pi):
        cos, sin = scale * np.cos(turn), scale * np.sin(turn)
        matrix = np.array([[cos, -sin], [sin, cos]])
        shift = there - centre + (matrix - np.eye(2)) @ (middle - centre)
        field = _Field(middle, shift, matrix - np.eye(2), np.zeros((2, 1, 1)), 1.0, np.zeros(2))
        _, match = _sums(level, field, _Match(1.0, 0.0, np.inf, 0.0))
        rivals.append((match.correlation, field, match))
    _, field, match = max(rivals, key=lambda rival: rival[0])
    return field, match


def _overall(field: _Field, level: _Level) -> Floats:
    """Matrix of the affine map nearest to a field over the animal."""
    y, x = level.lattice
    places = np.stack([y[level.blocks[:, 0]], x[level.blocks[:, 1]]])
    moved = places + field.on(y, x)[:, level.blocks[:, 0], level.blocks[:, 1]]
    apart, after = (one - one.mean(axis=1, keepdims=True) for one in (places, moved))
    return np.asarray(after @ apart.T @ np.linalg.inv(apart @ apart.T))


def _moments(image: Singles, level: _Level) -> tuple[Floats, float, float]:
    """Centroid in full pixels, spread, and turn of the long axis."""
    y, x = np.nonzero(image > otsu_threshold(image.astype(np.float64)))
    places = level.full(np.stack([y, x]).astype(np.float64))
    spread, axes = np.linalg.eigh(np.cov(places))
    long = axes[:, 1] * (1.0 if axes[0, 1] >= 0 else -1.0)
    return places.mean(axis=1), float(np.sqrt(spread.sum())), float(np.arctan2(long[1], long[0]))


# --- rounds ------------------------------------------------------------------------------------------------------------


def _sums(level: _Level, field: _Field, match: _Match) -> tuple[Floats, _Match]:
    """What the blocks say under a field, and the match of values for the next round."""
    lattice = np.ascontiguousarray(field.on(*level.lattice))
    limit = OUTLIER * match.spread
    sums, totals = block_sums(
        level.fixed, level.moving, lattice, level.blocks, level.factor, match.gain, match.offset, limit
    )
    # an animal's edge is far steeper than its skin, and would else decide alone
    steep = sums[:, 0] + sums[:, 2]
    return sums / (steep + np.median(steep) + 1e-30)[:, None], _matched(totals)


def _matched(totals: Floats) -> _Match:
    """Regression of the fixed values on the moving ones from their sums."""
    moving, fixed, moving2, cross, fixed2 = totals[1:] / max(totals[0], 1.0)
    variance, shared, own = moving2 - moving**2, cross - moving * fixed, fixed2 - fixed**2
    if variance <= 0 or own <= 0:
        return _Match(1.0, fixed - moving, np.inf, 0.0)
    gain = max(shared / variance, 0.0) or 1.0
    left = max(own - 2.0 * gain * shared + gain**2 * variance, 1e-12 * own)
    return _Match(gain, fixed - gain * moving, float(np.sqrt(left)), float(shared / np.sqrt(variance * own)))


def _with_nodes(field: _Field, level: _Level, spacing: float) -> _Field:
    """Splines over the animal, all zero: nodes from one spacing before its box to one and a half beyond."""
    low, high = level.centres.min(axis=0), level.centres.max(axis=0)
    spacing = spacing * float((high - low).max())
    counts = np.ceil((high - low) / spacing).astype(int) + 4
    return _Field(field.middle, field.shift, field.linear, np.zeros((2, *counts)), spacing, low - 1.5 * spacing)


def _spline_round(level: _Level, field: _Field, match: _Match, penalty: Floats) -> tuple[_Field, _Match]:
    sums, after = _sums(level, field, match)
    where = (level.centres - field.first) / field.spacing
    shape = field.nodes.shape[1:]
    normal, pull = spline_system(sums, where, shape)
    count = shape[0] * shape[1]
    typical = np.trace(normal) / (2 * count)
    for start in (0, count):
        own = slice(start, start + count)
        normal[own, own] += typical * penalty
        pull[own] += typical * (penalty @ field.nodes.reshape(-1)[own])
    step = cho_solve(cho_factor(normal, lower=True, check_finite=False), pull, check_finite=False)
    moved = field.nodes - step.reshape(field.nodes.shape)
    return _Field(field.middle, field.shift, field.linear, moved, field.spacing, field.first), after


def _bending(shape: tuple[int, ...]) -> Floats:
    """Squared second differences of a grid of nodes, dims (node, node), and a trace of the nodes themselves."""
    rows, columns = (np.diff(np.eye(count), n=2, axis=0) for count in shape)
    along = np.kron(rows.T @ rows, np.eye(shape[1])) + np.kron(np.eye(shape[0]), columns.T @ columns)
    slope = [np.diff(np.eye(count), axis=0) for count in shape]
    mixed = np.kron(slope[0].T @ slope[0], slope[1].T @ slope[1])
    # what lies off the animal is held by nothing else
    return np.asarray(along + 2.0 * mixed + 1e-4 * np.eye(shape[0] * shape[1]))


# --- kernels -----------------------------------------------------------------------------------------------------------


def basis_matrix(at: Floats, count: int, /) -> Floats:
    """Cubic B-splines of `count` nodes at places in units of the spacing from the first node, dims (place, node).

    Examples
    --------
    >>> basis_matrix(np.array([1.0]), 3).round(4).tolist()
    [[0.1667, 0.6667, 0.1667]]
    """
    apart = np.abs(at[:, None] - np.arange(count)[None, :])
    near, far = 2.0 / 3.0 - apart**2 + 0.5 * apart**3, np.maximum(2.0 - apart, 0.0) ** 3 / 6.0
    return np.where(apart < 1.0, near, far)


@njit(cache=True, nogil=True)
def block_sums(
    fixed: Singles,
    moving: Singles,
    lattice: Floats,
    blocks: NDArray[np.int64],
    factor: int,
    gain: float,
    offset: float,
    limit: float,
) -> tuple[Floats, Floats]:
    """Gauss-Newton sums over blocks of pixels under a displacement given at the blocks' corners.

    Parameters
    ----------
    fixed, moving : ndarray of float32, dims (y, x)
    lattice : ndarray, dims (axis, y, x)
        Displacement in full pixels at every `BLOCK` pixels, linear in between.
    blocks : ndarray of int, dims (block, axis)
        Blocks to sum.
    factor : int
        Full pixels per pixel.
    gain, offset : float
        Bring the moving image's values to the fixed one's.
    limit : float
        Residual from which on a pixel's weight falls below a half.

    Returns
    -------
    sums : ndarray, dims (block, term)
        Of gradient products yy, yx, xx, and of gradients times residual, y and x, per full pixel.
    totals : ndarray, dims (6,)
        Weights, moving, fixed, moving squared, product, fixed squared.
    """
    height, width = moving.shape
    sums = np.zeros((blocks.shape[0], 5))
    totals = np.zeros(6)
    for number in range(blocks.shape[0]):
        row, column = blocks[number, 0], blocks[number, 1]
        for i in range(BLOCK):
            down = i / BLOCK
            for j in range(BLOCK):
                across = j / BLOCK
                y, x = row * BLOCK + i, column * BLOCK + j
                a, b = (1.0 - down) * (1.0 - across), (1.0 - down) * across
                c, d = down * (1.0 - across), down * across
                move_y = (
                    a * lattice[0, row, column]
                    + b * lattice[0, row, column + 1]
                    + c * lattice[0, row + 1, column]
                    + d * lattice[0, row + 1, column + 1]
                )
                move_x = (
                    a * lattice[1, row, column]
                    + b * lattice[1, row, column + 1]
                    + c * lattice[1, row + 1, column]
                    + d * lattice[1, row + 1, column + 1]
                )
                at_y, at_x = y + move_y / factor, x + move_x / factor
                if not (at_y >= 0.0 and at_x >= 0.0 and at_y < height - 1 and at_x < width - 1):
                    continue
                top, left = int(at_y), int(at_x)
                fy, fx = at_y - top, at_x - left
                m00, m01 = moving[top, left], moving[top, left + 1]
                m10, m11 = moving[top + 1, left], moving[top + 1, left + 1]
                upper, lower = m00 + fx * (m01 - m00), m10 + fx * (m11 - m10)
                value = upper + fy * (lower - upper)
                slope_y = gain * (lower - upper) / factor
                slope_x = gain * ((1.0 - fy) * (m01 - m00) + fy * (m11 - m10)) / factor
                here = fixed[y, x]
                residual = gain * value + offset - here
                weight = 1.0 / (1.0 + (residual / limit) ** 2)
                sums[number, 0] += weight * slope_y * slope_y
                sums[number, 1] += weight * slope_y * slope_x
                sums[number, 2] += weight * slope_x * slope_x
                sums[number, 3] += weight * slope_y * residual
                sums[number, 4] += weight * slope_x * residual
                totals[0] += weight
                totals[1] += weight * value
                totals[2] += weight * here
                totals[3] += weight * value * value
                totals[4] += weight * value * here
                totals[5] += weight * here * here
    return sums, totals


def block_sums_plain(
    fixed: Singles,
    moving: Singles,
    lattice: Floats,
    blocks: NDArray[np.int64],
    factor: int,
    gain: float,
    offset: float,
    limit: float,
) -> tuple[Floats, Floats]:
    """What `block_sums` returns, in NumPy."""
    inner = np.arange(BLOCK)
    y = (blocks[:, 0, None, None] * BLOCK + inner[:, None]) + np.zeros((1, 1, BLOCK))
    x = (blocks[:, 1, None, None] * BLOCK + inner[None, :]) + np.zeros((1, BLOCK, 1))
    moves = [map_coordinates(one, [y / BLOCK, x / BLOCK], order=1, mode="nearest") for one in lattice]
    at_y, at_x = y + moves[0] / factor, x + moves[1] / factor
    held = (at_y >= 0) & (at_x >= 0) & (at_y < moving.shape[0] - 1) & (at_x < moving.shape[1] - 1)
    top, left = (np.where(held, at, 0).astype(int) for at in (at_y, at_x))
    fy, fx = at_y - top, at_x - left
    corner = moving.astype(np.float64)
    m00, m01 = corner[top, left], corner[top, left + 1]
    m10, m11 = corner[top + 1, left], corner[top + 1, left + 1]
    upper, lower = m00 + fx * (m01 - m00), m10 + fx * (m11 - m10)
    value = upper + fy * (lower - upper)
    slope_y = gain * (lower - upper) / factor
    slope_x = gain * ((1.0 - fy) * (m01 - m00) + fy * (m11 - m10)) / factor
    here = fixed[y.astype(int), x.astype(int)].astype(np.float64)
    residual = gain * value + offset - here
    weight = held / (1.0 + (residual / limit) ** 2)
    terms = (slope_y**2, slope_y * slope_x, slope_x**2, slope_y * residual, slope_x * residual)
    sums = np.stack([(weight * term).sum(axis=(1, 2)) for term in terms], axis=1)
    values = (np.ones_like(value), value, here, value**2, value * here, here**2)
    return sums, np.array([(weight * one).sum() for one in values])


def spline_system(sums: Floats, where: Floats, shape: tuple[int, ...], /) -> tuple[Floats, Floats]:
    """Normal equations of the splines' nodes.

    Parameters
    ----------
    sums : ndarray, dims (block, term)
        Of `block_sums`.
    where : ndarray, dims (block, axis)
        The blocks' centres in units of the spacing from the first node.
    shape : (y, x)
        Of the nodes.

    Returns
    -------
    normal : ndarray, dims (node, node)
        Nodes of the displacement along y, then along x.
    pull : ndarray, dims (node,)
    """
    count = shape[0] * shape[1]
    normal, pull = np.zeros((2 * count, 2 * count)), np.zeros(2 * count)
    _assemble(sums, where, shape[0], shape[1], normal, pull)
    lower = np.tril_indices(2 * count, -1)
    normal[lower[1], lower[0]] = normal[lower]
    return normal, pull


def spline_system_plain(sums: Floats, where: Floats, shape: tuple[int, ...], /) -> tuple[Floats, Floats]:
    """What `spline_system` returns, in NumPy."""
    rows, columns = (basis_matrix(where[:, axis], shape[axis]) for axis in (0, 1))
    basis = (rows[:, :, None] * columns[:, None, :]).reshape(len(sums), -1)
    yy, yx, xx, ry, rx = sums.T
    cross = (basis.T * yx) @ basis
    normal = np.block([[(basis.T * yy) @ basis, cross], [cross.T, (basis.T * xx) @ basis]])
    return normal, np.concatenate([basis.T @ ry, basis.T @ rx])


@njit(cache=True, nogil=True)
def _assemble(sums: Floats, where: Floats, rows: int, columns: int, normal: Floats, pull: Floats) -> None:
    """Lower triangle of the normal equations; each block touches sixteen nodes."""
    count = rows * columns
    nodes = np.zeros(16, np.int64)
    basis = np.zeros(16)
    for number in range(sums.shape[0]):
        if sums[number, 0] + sums[number, 2] == 0.0:
            continue
        first_y, first_x = int(np.floor(where[number, 0])) - 1, int(np.floor(where[number, 1])) - 1
        held = 0
        for i in range(first_y, first_y + 4):
            down = abs(where[number, 0] - i)
            along = 2.0 / 3.0 - down**2 + 0.5 * down**3 if down < 1.0 else max(2.0 - down, 0.0) ** 3 / 6.0
            for j in range(first_x, first_x + 4):
                if i < 0 or j < 0 or i >= rows or j >= columns:
                    continue
                side = abs(where[number, 1] - j)
                across = 2.0 / 3.0 - side**2 + 0.5 * side**3 if side < 1.0 else max(2.0 - side, 0.0) ** 3 / 6.0
                nodes[held] = i * columns + j
                basis[held] = along * across
                held += 1
        for a in range(held):
            one = nodes[a]
            pull[one] += basis[a] * sums[number, 3]
            pull[one + count] += basis[a] * sums[number, 4]
            for b in range(held):
                other = nodes[b]
                both = basis[a] * basis[b]
                # the cross terms lie in the lower triangle whatever the nodes
                normal[one + count, other] += both * sums[number, 1]
                if other <= one:
                    normal[one, other] += both * sums[number, 0]
                    normal[one + count, other + count] += both * sums[number, 2]
