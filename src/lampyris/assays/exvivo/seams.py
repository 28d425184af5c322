"""Where two organs that touch end: the cheapest seam between them, short, and along the dark line or the step that the photograph shows.

A watershed of the distance to the tray puts a border where the shape is narrowest along its ridge, which for a long organ lying against
a large one may be well inside the long one. The seam is looked for anew between the middles of the two.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt, gaussian_filter, grey_closing

Mask = NDArray[np.bool_]

# a seam is looked for so near to both organs
REACH_MM = 6.0
# what of an organ is surely its own: deeper than this share of its deepest point
CORE_SHARE = 0.6
# a seam of two rounded organs is a dark line narrower than this
SEAM_MM = 1.0
# relative depth of a dark line, or height of a step, that makes a seam e times cheaper; mottled organs vary by half of it
SOFTNESS = 0.15
# what a pixel of seam costs where nothing speaks against it: of two dark ways the shorter is taken
FLOOR = 0.1
# weights of an edge that crosses a pixel's side or corner, by which a cut's cost is nearly its length (Cauchy-Crofton)
SIDE, CORNER = 0.5, 0.35
_UNIT, _MOST = 1000, 2**28
_SMOOTH_PX = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """Two organs and what surely belongs to each, dims (y, x) of a window."""

    both: Mask
    own: tuple[Mask, Mask]
    values: tuple[NDArray[np.float64], ...]


def with_seams(
    labels: NDArray[np.int32],
    pairs: Sequence[tuple[int, int]],
    contrasts: Sequence[NDArray[np.float64]],
    /,
    *,
    pixel_mm: float,
) -> NDArray[np.int32]:
    """Organs with the borders between touching ones put on their seams.

    Parameters
    ----------
    labels : ndarray of int, dims (y, x)
        Number of the organ at each pixel, 0 on the tray.
    pairs : sequence of (int, int)
        Organs that touch.
    contrasts : sequence of ndarray, dims (y, x)
        How far each pixel stands from the tray's level, in each picture that may show a seam.
    pixel_mm : float

    Returns
    -------
    ndarray of int, dims (y, x)
        Pixels only change hands between the two organs of a pair.

    References
    ----------
    Boykov and Kolmogorov 2003, doi:10.1109/ICCV.2003.1238310: cuts of a graph as shortest borders.
    """
    out = labels.copy()
    smooth = [gaussian_filter(contrast, _SMOOTH_PX) for contrast in contrasts]
    for a, b in pairs:
        window = _window(out == a, out == b, pixel_mm)
        if window is None:
            continue
        part = _part(out == a, out == b, smooth, window, pixel_mm)
        if all(own.any() for own in part.own):
            side = _cut(part, pixel_mm)
            out[window] = np.where(part.both, np.where(side, a, b), out[window])
    return out


def _window(one: Mask, other: Mask, pixel_mm: float) -> tuple[slice, slice] | None:
    """Rows and columns of what of two organs lies near both."""
    if not (one.any() and other.any()):
        return None
    away = [distance_transform_edt(~own) * pixel_mm for own in (one, other)]
    rows, columns = np.nonzero((one | other) & (np.maximum(*away) < REACH_MM))
    if not rows.size:
        return None
    return slice(rows.min(), rows.max() + 1), slice(columns.min(), columns.max() + 1)


def _part(
    one: Mask, other: Mask, smooth: Sequence[NDArray[np.float64]], window: tuple[slice, slice], pixel_mm: float
) -> _Part:
    own = []
    for mine, theirs in ((one, other), (other, one)):
        depth = distance_transform_edt(np.pad(mine, 1))[1:-1, 1:-1]
        far = distance_transform_edt(~theirs) * pixel_mm >= REACH_MM
        own.append((mine & ((depth > CORE_SHARE * depth.max()) | far))[window])
    both = (one | other)[window]
    return _Part(both, (own[0], own[1]), tuple(np.where(both, one[window], 0.0) for one in smooth))


def _cut(part: _Part, pixel_mm: float) -> Mask:
    """What is on the first organ's side of the cheapest cut, dims (y, x)."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import breadth_first_order, maximum_flow

    both = part.both
    valleys = [_valley(values, both, pixel_mm) for values in part.values]
    number = np.full(both.shape, -1)
    number[both] = np.arange(both.sum())
    count = int(both.sum())
    starts, ends, costs = [], [], []
    for p, q, corner in _neighbours():
        held = (number[p] >= 0) & (number[q] >= 0)
        length = math.sqrt(2.0) if corner else 1.0
        shown = [
            0.5 * (valley[p] + valley[q]) + _step(values[p], values[q]) / length
            for valley, values in zip(valleys, part.values, strict=True)
        ]
        seen = np.maximum.reduce(shown)
        cost = (np.exp(-seen / SOFTNESS) + FLOOR) * (CORNER if corner else SIDE)
        starts.append(number[p][held])
        ends.append(number[q][held])
        costs.append(np.rint(_UNIT * cost[held]))
    for index, own in enumerate(part.own):
        inner = number[own]
        outer = np.full(inner.size, count + index)
        starts.append(inner if index else outer)
        ends.append(outer if index else inner)
        costs.append(np.full(inner.size, _MOST))
    tail, head, cost = (np.concatenate(one) for one in (starts, ends, costs))
    back = (tail < count) & (head < count)
    entries = np.concatenate([cost, cost[back]]).astype(np.int32)
    places = np.concatenate([tail, head[back]]), np.concatenate([head, tail[back]])
    graph = coo_array((entries, places), shape=(count + 2, count + 2)).tocsr()
    left = graph - maximum_flow(graph, count, count + 1).flow
    left.data = np.maximum(left.data, 0)
    left.eliminate_zeros()
    side = np.zeros(count + 2, bool)
    side[breadth_first_order(left, count, return_predecessors=False)] = True
    return np.asarray(both & side[np.maximum(number, 0)])


def _valley(values: NDArray[np.float64], both: Mask, pixel_mm: float) -> NDArray[np.float64]:
    """How far each pixel lies below what is on both sides of it, relative, dims (y, x)."""
    size = 2 * round(SEAM_MM / pixel_mm) + 1
    filled = grey_closing(np.where(both, values, values[both].max()), size=(size, size), mode="nearest")
    return np.where(both, np.clip(1.0 - values / np.maximum(filled, 1e-12), 0.0, 1.0), 0.0)


def _step(one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    """How differently pixels shine, relative to the brighter."""
    return np.asarray(np.abs(one - other) / np.maximum(np.maximum(one, other), 1e-12))


def _neighbours() -> list[tuple[tuple[slice, slice], tuple[slice, slice], bool]]:
    """Windows of an image against each other, by which each pixel meets its neighbours once; and whether at a corner."""
    first, last, whole = slice(None, -1), slice(1, None), slice(None)
    return [
        ((whole, first), (whole, last), False),
        ((first, whole), (last, whole), False),
        ((first, first), (last, last), True),
        ((first, last), (last, first), True),
    ]
