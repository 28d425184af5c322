"""Photographs of another scale, on the grid of the image that they belong to."""

import math

import numpy as np
from numpy.typing import NDArray

from lampyris.core.errors import ImageError
from lampyris.core.finding import Finding, Place, Severity

# photographs of one field with more pixels than the image differ from it by a rounding at the edges
ASPECT_TOLERANCE = 0.02
SAME_FIELD = 1e-3
# less of the image than this in the photograph is another field of view
LEAST_COVERED = 0.6
PHOTO_MEND = (
    "Export the photograph uncut, unturned and of the image's field, or as OME-TIFF with its pixel size; check pixel_mm in "
    "study.toml."
)


def photograph_on_grid(
    photo: NDArray[np.generic],
    shape: tuple[int, int],
    /,
    *,
    pixel_mm: float,
    photo_pixel_mm: float = math.nan,
    file: str = "",
) -> NDArray[np.float64]:
    """Resample a photograph to an image's pixels: each holds the mean of what the photograph shows over its area.

    Both look along one axis: their middles show the same place. Where the photograph's pixel is not known, it shows the
    image's own field. Beyond its edge its last pixels are repeated.

    Parameters
    ----------
    photo : ndarray, dims (y, x)
        Of any scale.
    shape : (y, x)
        The image's pixels.
    pixel_mm : float
        The image's pixel pitch.
    photo_pixel_mm : float
        The photograph's; NaN where not known.
    file : str
        Named in the error.

    Returns
    -------
    ndarray, dims (y, x)

    Raises
    ------
    ImageError
        If the photograph's sides have another ratio than the image's and its pixel is not known, or if it shows little
        of the image.

    Examples
    --------
    >>> fine = np.array([[1.0, 3.0, 5.0, 5.0], [1.0, 3.0, 7.0, 7.0]])
    >>> photograph_on_grid(fine, (1, 2), pixel_mm=0.5).tolist()
    [[2.0, 6.0]]
    """
    values = np.asarray(photo, np.float64)
    own = (values.shape[0], values.shape[1])
    fault = photograph_fault(own, shape, pixel_mm=pixel_mm, photo_pixel_mm=photo_pixel_mm)
    if fault:
        finding = Finding("image.photo-field", Severity.ERROR, Place(file), f"the photograph {fault}.", PHOTO_MEND)
        raise ImageError(f"{file}: the photograph does not fit its image", [finding])
    steps = _steps(own, shape, pixel_mm, photo_pixel_mm)
    if own == shape and all(math.isclose(step, 1.0, rel_tol=1e-3) for step in steps):
        return values
    rows = _area_means(values, shape[0], steps[0])
    return _area_means(rows.T, shape[1], steps[1]).T


def photograph_fault(
    own: tuple[int, int], shape: tuple[int, int], /, *, pixel_mm: float, photo_pixel_mm: float = math.nan
) -> str:
    """Say why a photograph of `own` pixels cannot be laid on an image of `shape`; "" where it can.

    Examples
    --------
    >>> photograph_fault((48, 40), (24, 20), pixel_mm=0.4)
    ''
    >>> photograph_fault((40, 48), (24, 20), pixel_mm=0.4)
    'has 40 x 48 pixels, the image 24 x 20: their sides have another ratio, and its pixel size is not known'
    """
    steps = _steps(own, shape, pixel_mm, photo_pixel_mm)
    pixels = f"has {own[0]} x {own[1]} pixels, the image {shape[0]} x {shape[1]}"
    if abs(steps[0] - steps[1]) > ASPECT_TOLERANCE * max(steps):
        return f"{pixels}: their sides have another ratio, and its pixel size is not known"
    covered = min(size / (count * step) for size, count, step in zip(own, shape, steps, strict=True))
    if covered < LEAST_COVERED:
        return (
            f"{pixels}: with pixels of {photo_pixel_mm:g} mm it shows {100 * covered:.0f} % of the image's field only"
        )
    return ""


def _steps(own: tuple[int, int], shape: tuple[int, int], pixel_mm: float, photo_pixel_mm: float) -> tuple[float, float]:
    """Pixels of the photograph to one of the image, along y and x."""
    whole = own[0] / shape[0], own[1] / shape[1]
    step = pixel_mm / photo_pixel_mm if photo_pixel_mm > 0 else math.nan
    # files round lengths; of one field, the counts of pixels say it exactly
    if math.isnan(step) or all(math.isclose(step, one, rel_tol=SAME_FIELD) for one in whole):
        return whole
    return step, step


def _area_means(values: NDArray[np.float64], count: int, step: float) -> NDArray[np.float64]:
    """Means over `count` spans of `step` rows each, about the middle, dims (count, x): differences of the running sum."""
    size = values.shape[0]
    edges = 0.5 * size + (np.arange(count + 1) - 0.5 * count) * step
    total = np.concatenate([np.zeros((1, values.shape[1])), np.cumsum(values, axis=0)])
    inner = np.clip(edges, 0.0, size)
    below = np.minimum(inner.astype(int), size - 1)
    at_edge = total[below] + (inner - below)[:, None] * values[below]
    # beyond its edge the photograph goes on as it ends
    at_edge += np.minimum(edges, 0.0)[:, None] * values[0] + np.maximum(edges - size, 0.0)[:, None] * values[-1]
    return np.asarray(np.diff(at_edge, axis=0) / step)
