"""Finding particles: what stands out of the noise, and where touching ones are parted."""

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from lampyris.bench.micrographs.background import Flattened

SIGMAS = 5.0
"""A pixel of the smoothed image belongs to a particle from so many standard deviations of its background."""
LOCAL_SHARE = 0.4
"""And from this share of the height of the thing that it belongs to."""
LEAST_DIP, LEAST_DIP_SHARE = 0.75, 0.12
"""A neck parts two particles where it is narrower than both by this many pixels of half width, and by this share of it."""
_SMOOTHINGS = (1.0, 1.5, 2.0, 3.0, 4.0)
# in standard deviations: how high the usual particle stands over the noise before smoothing is enough
_CLEAR_HEIGHT = 9.0
_LEAST_AREA_PX = 6
MOST_OBJECTS = 200_000


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """First guesses of particles.

    Parameters
    ----------
    particles : numpy.ndarray, dims (particle, 7)
        Columns of `shapes.COLUMNS`.
    together : numpy.ndarray of int, dims (particle,)
        Particles of the same number stood in one piece.
    smoothing_px : float
        Standard deviation of the smoothing that finding used.
    threshold : float
        Of the smoothed contrast, in grey levels.
    covered : float
        Share of the image above the threshold.
    """

    particles: NDArray[np.float64]
    together: NDArray[np.int64]
    smoothing_px: float
    threshold: float
    covered: float


def find_particles(flat: Flattened, /, *, ignored: NDArray[np.bool_] | None = None, sigmas: float = SIGMAS) -> Found:
    """First guesses of all particles of an image.

    Parameters
    ----------
    flat : Flattened
    ignored : numpy.ndarray of bool, dims (y, x), optional
        Pixels of scale bars and texts.
    sigmas : float
        As `SIGMAS`.

    Returns
    -------
    Found
    """
    from scipy.ndimage import find_objects, label

    smooth, smoothing, sd = _smoothed(flat)
    if ignored is not None:
        smooth[ignored] = 0.0
    threshold = sigmas * sd
    mask = smooth > threshold
    covered = float(mask.mean())
    labels, count = label(mask)
    del mask
    if count > MOST_OBJECTS:
        raise ValueError(f"more than {MOST_OBJECTS} things stand out: this is noise or texture, not particles")
    rows: list[tuple[float, ...]] = []
    together: list[int] = []
    for number, place in enumerate(find_objects(labels), start=1):
        own = labels[place] == number
        if own.sum() < _LEAST_AREA_PX:
            continue
        heights = np.where(own, smooth[place], 0.0)
        found = _parted(heights, threshold)
        for y, x, area, height in found:
            rows.append((x + place[1].start, y + place[0].start, np.sqrt(area / np.pi) * 1.1, 0.0, 0.0, height, 0.0))
            together.append(number)
    particles = np.array(rows, np.float64).reshape(-1, 7)
    return Found(particles, np.array(together, np.int64), smoothing, threshold, covered)


def _smoothed(flat: Flattened) -> tuple[NDArray[np.float32], float, float]:
    """Image smoothed as little as the noise allows, the smoothing, and the noise that is left."""
    from scipy.ndimage import gaussian_filter

    clear = np.repeat(np.repeat(flat.clear, 8, axis=0), 8, axis=1)
    for width in _SMOOTHINGS:
        smooth = gaussian_filter(flat.contrast, width, truncate=3.0)
        inside = smooth[: clear.shape[0], : clear.shape[1]][clear]
        sd = float(np.std(inside)) if inside.size else 1.0
        above = smooth[smooth > SIGMAS * sd]
        # the upper part of what stands out is the inner part of particles
        if above.size > _LEAST_AREA_PX and np.quantile(above, 0.6) > _CLEAR_HEIGHT * sd:
            break
    return smooth, width, max(sd, 1e-9)


def _parted(heights: NDArray[np.float32], threshold: float) -> list[tuple[float, float, float, float]]:
    """Row, column, area and height of each particle of one piece."""
    from scipy.ndimage import distance_transform_edt, label

    inner = heights[heights > 0]
    level = max(threshold, LOCAL_SHARE * float(np.quantile(inner, 0.95)))
    pieces, count = label(np.pad(heights > level, 1))
    found = []
    if not count:
        return []
    distance = distance_transform_edt(pieces > 0)
    order = np.argsort(-distance, axis=None, kind="stable")[: int((distance > 0).sum())]
    basin = part_basins(distance, order.astype(np.int64), LEAST_DIP, LEAST_DIP_SHARE)[1:-1, 1:-1]
    inside = basin > 0
    if not inside.any():
        return []
    numbers = np.unique(basin[inside])
    compact = np.searchsorted(numbers, basin[inside])
    y, x = np.nonzero(inside)
    area = np.bincount(compact)
    tall = np.zeros(numbers.size)
    np.maximum.at(tall, compact, heights[inside])
    rows, columns = np.bincount(compact, y) / area, np.bincount(compact, x) / area
    for k in range(numbers.size):
        if area[k] >= _LEAST_AREA_PX:
            found.append((float(rows[k]), float(columns[k]), float(area[k]), float(tall[k])))
    return found


@njit(cache=True, nogil=True)
def part_basins(distance, order, least, least_share):  # type: ignore[no-untyped-def]  # pragma: no cover - compiled
    """Number of the basin of each pixel, 0 outside; pixels are taken from the highest down.

    Two basins that meet stay apart where the lower of their tops rises by `least` and by `least_share` of itself over the
    place where they meet; otherwise they become one.
    """
    height, width = distance.shape
    flat = distance.ravel()
    basin = np.zeros(flat.size, np.int64)
    parent = np.zeros(order.size + 1, np.int64)
    top = np.zeros(order.size + 1)
    count = 0
    for place in order:
        value = flat[place]
        v, u = place // width, place % width
        best = 0
        for dv in range(-1, 2):
            for du in range(-1, 2):
                a, b = v + dv, u + du
                if (dv == 0 and du == 0) or a < 0 or b < 0 or a >= height or b >= width:
                    continue
                other = basin[a * width + b]
                if other == 0:
                    continue
                while parent[other] != other:
                    parent[other] = parent[parent[other]]
                    other = parent[other]
                if best == 0:
                    best = other
                elif other != best:
                    low, high = (other, best) if top[other] <= top[best] else (best, other)
                    dip = top[low] - value
                    if dip < least or dip < least_share * top[low]:
                        parent[low] = high
                    best = high
        if best == 0:
            count += 1
            best = count
            parent[count] = count
            top[count] = value
        basin[place] = best
    for place in order:
        other = basin[place]
        while parent[other] != other:
            other = parent[other]
        basin[place] = other
    return basin.reshape(distance.shape)
