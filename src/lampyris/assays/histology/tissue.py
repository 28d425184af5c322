"""Where a micrograph shows tissue, how sharp it is, and how much of it is saturated.

In the order of use: `find_tissue`, `blur_of`, `saturated_share`.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from lampyris.assays.histology.nuclei import Floats, Nuclei, noise_sd

# farther from every nucleus than this, tissue is shown by its glow alone
REACH_UM = 25.0
SMOOTH_UM = 2.0
COARSE_UM = 2.0
# glow between tissue and glass, in standard deviations of the smoothed glass, from which it parts them
CONTRAST_SDS = 6.0
LEAST_GLASS = 0.01
# tissue's own glow is read where the light of nuclei no longer reaches
RING_UM = (4.0, 10.0)
EDGE_UM = 1.5
# blur is read from at most so many nuclei
MOST_EDGES = 400
SATURATED_LEVELS = (255, 4095, 16383, 65535)


@dataclass(frozen=True, slots=True, eq=False)
class Tissue:
    """Tissue of a field.

    Parameters
    ----------
    mask : ndarray of bool, dims (y, x)
    area_mm2 : float
    by_glow : bool
        Told from glass by its own glow; otherwise all that lies near nuclei was taken.
    """

    mask: NDArray[np.bool_]
    area_mm2: float
    by_glow: bool


def find_tissue(images: Floats, nuclei: Nuclei, /, *, pixel_um: float) -> Tissue:
    """Tissue by its own glow where there is glass to compare with, else what lies within reach of nuclei.

    Parameters
    ----------
    images : ndarray, dims (channel, y, x)
        Counts of nuclei and label.
    nuclei : Nuclei
    pixel_um : float

    Returns
    -------
    Tissue
        Without nuclei there is none.
    """
    shape = nuclei.labels.shape
    if nuclei.count == 0:
        return Tissue(np.zeros(shape, bool), 0.0, False)
    apart_um = ndimage.distance_transform_edt(nuclei.labels == 0) * pixel_um
    near = _within_reach(apart_um, pixel_um)
    far = apart_um > REACH_UM
    mask, by_glow = near, False
    if far.mean() >= LEAST_GLASS:
        glow = _glow(images, apart_um, far, pixel_um)
        if glow is not None:
            mask, by_glow = glow | (apart_um <= EDGE_UM), True
    return Tissue(mask, float(mask.sum()) * (1e-3 * pixel_um) ** 2, by_glow)


def _within_reach(apart_um: Floats, pixel_um: float) -> NDArray[np.bool_]:
    """Nuclei and the room between them: a closing by the reach, and half a usual gap about the outermost."""
    inner = REACH_UM - 10.0
    grown = apart_um <= REACH_UM
    back_um = ndimage.distance_transform_edt(np.pad(grown, 1, mode="edge"))[1:-1, 1:-1] * pixel_um
    # the image's edge is no edge of the tissue
    return np.asarray(grown & (back_um > inner) if not grown.all() else grown)


def _glow(images: Floats, apart_um: Floats, far: NDArray[np.bool_], pixel_um: float) -> NDArray[np.bool_] | None:
    """Where the channels' own glow is nearer to the tissue's than to the glass's; None where no glass shows."""
    ring = (apart_um >= RING_UM[0]) & (apart_um <= RING_UM[1])
    best: tuple[float, NDArray[np.bool_]] | None = None
    for image in images:
        smooth = ndimage.gaussian_filter(image, SMOOTH_UM / pixel_um, mode="nearest")
        tissue = float(np.median(smooth[ring])) if ring.any() else math.nan
        glass = float(np.percentile(smooth[far], 5))
        dark = smooth[far & (smooth < 0.5 * (glass + tissue))]
        if not tissue > glass or dark.size < LEAST_GLASS * image.size:
            continue
        level = float(np.median(dark))
        spread = 1.4826 * float(np.median(np.abs(dark - level))) + 1e-9
        contrast = (tissue - level) / spread
        if contrast > CONTRAST_SDS and (best is None or contrast > best[0]):
            best = contrast, smooth > 0.5 * (level + tissue)
    if best is None:
        return None
    smallest = int((20.0 / pixel_um) ** 2)
    mask = _without_small(best[1], smallest)
    return ~_without_small(~mask, smallest)


def _without_small(mask: NDArray[np.bool_], smallest: int) -> NDArray[np.bool_]:
    parts, count = ndimage.label(mask)
    if count == 0:
        return mask
    return np.asarray((np.bincount(parts.ravel()) >= smallest)[parts] & mask)


def blur_of(image: Floats, nuclei: Nuclei, /, *, pixel_um: float) -> float:
    """Blur of the nuclei's edges as the standard deviation of a Gaussian, in um; NaN without nuclei.

    Parameters
    ----------
    image : ndarray, dims (y, x)
        Counts of the nuclear stain.
    nuclei : Nuclei
    pixel_um : float

    Returns
    -------
    float
        Median over nuclei. The edge of a disc of height h that is blurred by s falls by h / (s sqrt(2 pi)) per um at its steepest;
        the smoothing that noise asks for is taken off in quadrature. Real edges are no steps: what is soft by itself is in it.
    """
    if nuclei.count == 0:
        return math.nan
    own = max(0.6 / pixel_um, 1.0)
    smooth = ndimage.gaussian_filter(image, own, mode="nearest")
    slope = np.hypot(ndimage.sobel(smooth, 0), ndimage.sobel(smooth, 1)) / 8.0 / pixel_um
    border = ndimage.grey_dilation(nuclei.labels, size=3) != ndimage.grey_erosion(nuclei.labels, size=3)
    numbers = np.flatnonzero(~nuclei.edge) + 1
    numbers = numbers[:: max(1, numbers.size // MOST_EDGES)]
    if numbers.size == 0:
        return math.nan
    labels = ndimage.grey_dilation(nuclei.labels, size=3)
    found = []
    boxes = ndimage.find_objects(labels)
    noise = noise_sd(image) / own
    outside = float(np.median(smooth[nuclei.labels == 0])) if (nuclei.labels == 0).any() else float(smooth.min())
    for number in numbers:
        box = boxes[number - 1]
        if box is None:
            continue
        mine = (labels[box] == number) & border[box]
        inside = nuclei.labels[box] == number
        steep = float(np.median(slope[box][mine])) if mine.any() else 0.0
        height = float(np.percentile(smooth[box][inside], 85)) - outside
        if steep > 0 and height > 3.0 * noise:
            found.append(height / (steep * math.sqrt(2.0 * math.pi)))
    if not found:
        return math.nan
    return math.sqrt(max(float(np.median(found)) ** 2 - (own * pixel_um) ** 2, 0.0))


def saturated_share(counts: NDArray[np.generic], mask: NDArray[np.bool_], /) -> float:
    """Share of the tissue's pixels that stand at the camera's ceiling.

    Parameters
    ----------
    counts : ndarray, dims (y, x)
    mask : ndarray of bool, dims (y, x)

    Returns
    -------
    float
        The ceiling is the greatest count, where it is a camera's (2^n - 1 for 8, 12, 14 or 16 bits) or many pixels share it.
    """
    inside = np.asarray(counts)[mask] if mask.any() else np.asarray(counts).ravel()
    if inside.size == 0:
        return 0.0
    top = float(inside.max())
    at = int(np.count_nonzero(inside >= top))
    full = top in SATURATED_LEVELS
    heaped = (
        top > 0
        and at >= max(20, 1e-4 * inside.size)
        and at > 3 * np.count_nonzero((inside < top) & (inside > 0.98 * top))
    )
    return at / inside.size if full or heaped else 0.0
