"""Background of a micrograph: a smooth surface through what no particle covers, and the noise about it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.float32]

# side of the reduced image on which the surface is sought
_BLOCKS = 256
_CLIP = 2.5
_FINE_BLOCK = 8
# ranges of four neighbours by which a spike leaves them: beyond ten standard deviations of noise
_SPIKE = 4.0


@dataclass(frozen=True, slots=True, eq=False)
class Flattened:
    """A micrograph without its background.

    Parameters
    ----------
    contrast : numpy.ndarray of float32, dims (y, x)
        Particles above 0, in grey levels.
    pixel_sd : float
        Noise of one pixel.
    area_sd : float
        Noise of one pixel as areas of 8 x 8 pixels see it: larger than `pixel_sd` where neighbours go together.
    clear : numpy.ndarray of bool, dims (block y, block x)
        Blocks of 8 x 8 pixels without particles.
    levels : tuple of float
        Least and largest of the background.
    """

    contrast: Image
    pixel_sd: float
    area_sd: float
    clear: NDArray[np.bool_]
    levels: tuple[float, float]


def without_spikes(pixels: NDArray[np.generic], /) -> tuple[NDArray[np.generic], float]:
    """A micrograph without single pixels that stand far out of their four neighbours: dead ones, hot ones, X-rays.

    Parameters
    ----------
    pixels : numpy.ndarray, dims (y, x)

    Returns
    -------
    pixels : numpy.ndarray, dims (y, x)
        Each spike at the mean of its neighbours' middle two; the same array where there is none.
    share : float
        Of pixels that were spikes.
    """
    rim = np.pad(pixels, 1, mode="reflect")
    sides = (rim[:-2, 1:-1], rim[2:, 1:-1], rim[1:-1, :-2], rim[1:-1, 2:])
    low, high = np.minimum.reduce(sides), np.maximum.reduce(sides)
    usual = float(np.median(high[::7, ::7].astype(np.float32) - low[::7, ::7]))
    if pixels.dtype.kind in "ui":
        usual = max(usual, 1.0)
    elif usual <= 0.0:
        # more than half of it is even: what noise is cannot be told
        return pixels, 0.0
    far = np.float32(_SPIKE * usual)
    spikes = (pixels > high + far) | (pixels < low - far)
    share = float(spikes.mean())
    if not share:
        return pixels, 0.0
    middle = 0.5 * (sum(side[spikes].astype(np.float64) for side in sides) - low[spikes] - high[spikes])
    kept = pixels.copy()
    kept[spikes] = middle.astype(pixels.dtype)
    return kept, share


def flattened(pixels: NDArray[np.generic], /, *, brighter: bool) -> Flattened:
    """Take the background off.

    Parameters
    ----------
    pixels : numpy.ndarray, dims (y, x)
    brighter : bool
        Particles are brighter than the background.

    Returns
    -------
    Flattened

    Notes
    -----
    On an image reduced to about 256 blocks a side: a surface of second degree through what lies within 2.5 standard deviations
    of it, the deviation told from the side where no particle lies; then the mean of blocks within 2.5 of that, smoothed over a
    sixteenth of the image with particles left out.
    """
    step = max(1, min(pixels.shape) // _BLOCKS)
    small = _block_means(pixels, step)
    if not brighter:
        small = -small
    surface = _surface(small)
    surface = _smoothed(small, surface)
    ground = _enlarged(surface, step, pixels.shape)
    contrast = pixels.astype(np.float32)
    if brighter:
        contrast -= ground
    else:
        contrast *= -1.0
        contrast -= ground
    pixel_sd, area_sd, clear = _noise(contrast)
    ends = sorted((float(abs(surface.min())), float(abs(surface.max()))))
    return Flattened(contrast, pixel_sd, area_sd, clear, (ends[0], ends[1]))


def _block_means(pixels: NDArray[np.generic], step: int) -> Image:
    rows, columns = pixels.shape[0] // step, pixels.shape[1] // step
    cut = pixels[: rows * step, : columns * step].reshape(rows, step, columns, step)
    return cut.mean(axis=(1, 3), dtype=np.float32)


def _surface(small: Image) -> Image:
    y, x = np.meshgrid(*(np.linspace(-1.0, 1.0, n, dtype=np.float32) for n in small.shape), indexing="ij")
    terms = np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], axis=-1).reshape(-1, 6)
    values = small.reshape(-1)
    # particles lie above: what lies low is background
    used = values <= np.quantile(values, 0.6)
    for _ in range(25):
        found = np.linalg.lstsq(terms[used], values[used], rcond=None)[0]
        off = values - terms @ found
        below = -off[off < 0]
        sd = 1.4826 * float(np.median(below)) if below.size else 0.0
        again = np.abs(off) <= _CLIP * max(sd, 1e-6)
        if again.sum() < 12 or (again == used).all():
            break
        used = again
    return (terms @ found).reshape(small.shape).astype(np.float32)


def _smoothed(small: Image, surface: Image) -> Image:
    from scipy.ndimage import binary_dilation, gaussian_filter

    width = max(small.shape) / 16.0
    for _ in range(2):
        off = small - surface
        below = -off[off < 0]
        sd = 1.4826 * float(np.median(below)) if below.size else 0.0
        covered = binary_dilation(off > _CLIP * sd, iterations=2)
        free = (~covered & (off > -2 * _CLIP * sd)).astype(np.float32)
        weight = gaussian_filter(free, width, mode="nearest")
        moved = gaussian_filter(np.where(free > 0, off, 0.0).astype(np.float32), width, mode="nearest")
        # where hardly anything is free the surface of second degree stands
        surface = surface + np.where(weight > 0.05, moved / np.maximum(weight, 1e-6), 0.0).astype(np.float32)
    return surface


def _enlarged(surface: Image, step: int, shape: tuple[int, ...]) -> Image:
    if step == 1:
        return surface
    out = surface
    for axis, size in enumerate(shape):
        place = np.clip((np.arange(size) + 0.5) / step - 0.5, 0.0, surface.shape[axis] - 1.0)
        low = np.minimum(place.astype(np.intp), surface.shape[axis] - 2)
        share = (place - low).astype(np.float32).reshape((-1, 1) if axis == 0 else (1, -1))
        out = np.take(out, low, axis) * (1 - share) + np.take(out, low + 1, axis) * share
    return out


def _noise(contrast: Image) -> tuple[float, float, NDArray[np.bool_]]:
    from scipy.ndimage import maximum_filter

    block = _FINE_BLOCK
    means = _block_means(contrast, block)
    low = means[means < 0]
    sd = 1.4826 * float(np.median(-low)) if low.size else 0.0
    clear = maximum_filter(means, 3) <= max(3.0 * sd, 1e-12)
    if clear.sum() < 8:
        clear = means <= np.quantile(means, 0.3)
    rows, columns = means.shape
    cut = contrast[: rows * block, : columns * block].reshape(rows, block, columns, block).transpose(0, 2, 1, 3)
    inside = cut[clear]
    own = inside.reshape(inside.shape[0], -1)
    pixel = float(np.sqrt(np.mean(np.var(own, axis=1, ddof=1))))
    area = block * float(np.std(own.mean(axis=1)))
    return max(pixel, 1e-6), max(area, pixel, 1e-6), clear
