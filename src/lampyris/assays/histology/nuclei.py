"""Nuclei of a fluorescence micrograph, found by classical means: background, seeds, watershed, and a threshold of each one's own.

In the order of use: `background`, `noise_sd`, `find_nuclei`, `roundness`.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

# diameter of a nucleus where nobody says: of most tissues 5 to 10 um
NUCLEUS_UM = 7.0
# darkest and brightest nuclei of a field differ by tens of times at most
FAINT_SHARE = 0.06
# what stands out of the background's noise, in standard deviations after smoothing
NOISE_SDS = 6.0
# the edge of a blurred disc lies where its light has fallen to half
HALF = 0.5
# nuclei smaller or larger than the usual one by so much in area are debris or lumps
SMALLEST, LARGEST = 0.15, 5.0
# two pieces are one nucleus where the light between them is hardly lower than in the fainter one and the whole is convex
SADDLE, CONVEX = 0.9, 0.92
# smoothing against the diameter: for seeds, for outlines
SEED_SMOOTHING, EDGE_SMOOTHING = 0.13, 0.06
BACKGROUND_BLOCK_UM = 2.0
# a nucleus stands out of the ring about it by this share of what the field's brighter ones do
FAINTEST = 0.2
RING_GAP_UM, RING_UM, RING_PIXELS = 0.8, 2.5, 8

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Nuclei:
    """Segmented nuclei.

    Parameters
    ----------
    labels : ndarray of int32, dims (y, x)
        Number of the nucleus at each pixel, from 1; 0 outside.
    y_px, x_px, area_px, level : ndarray, dims (nucleus,)
        Centroid, area, and mean counts above the background.
    edge : ndarray of bool, dims (nucleus,)
        It touches the edge of the image.
    """

    labels: NDArray[np.int32]
    y_px: Floats
    x_px: Floats
    area_px: Floats
    level: Floats
    edge: NDArray[np.bool_]

    @property
    def count(self) -> int:
        """How many."""
        return int(self.y_px.size)


def background(image: Floats, /, *, pixel_um: float, radius_um: float) -> Floats:
    """Smooth light below everything that is narrower than twice a radius.

    Parameters
    ----------
    image : ndarray, dims (y, x)
        Counts.
    pixel_um : float
    radius_um : float
        Larger than what is to stay.

    Returns
    -------
    ndarray, dims (y, x)
        A grey opening of block means, smoothed; on noise it keeps to the mean, not to the minimum.
    """
    block = max(1, round(BACKGROUND_BLOCK_UM / pixel_um))
    coarse = _block_means(image, block)
    coarse = ndimage.gaussian_filter(coarse, 1.0, mode="nearest")
    size = 2 * max(1, round(radius_um / (block * pixel_um))) + 1
    opened = ndimage.grey_opening(coarse, size=(min(size, coarse.shape[0]), min(size, coarse.shape[1])), mode="nearest")
    # the opening of noise lies below its mean; what it takes off flat ground is put back
    opened = ndimage.gaussian_filter(opened, 0.5 * size, mode="nearest")
    flat = coarse - opened
    low = flat < np.percentile(flat, 50)
    weight = ndimage.gaussian_filter(low.astype(float), size, mode="nearest")
    back = ndimage.gaussian_filter(np.where(low, flat, 0.0), size, mode="nearest") / np.maximum(weight, 1e-3)
    return _enlarged(opened + np.where(weight > 1e-3, back, 0.0), block, image.shape)


def _block_means(image: Floats, block: int) -> Floats:
    height, width = (-(-side // block) * block for side in image.shape)
    padded = np.pad(image, ((0, height - image.shape[0]), (0, width - image.shape[1])), mode="edge")
    return np.asarray(padded.reshape(height // block, block, width // block, block).mean(axis=(1, 3)))


def _enlarged(coarse: Floats, block: int, shape: tuple[int, ...]) -> Floats:
    """Coarse values on the fine grid, linear between the blocks' middles."""
    if block == 1:
        return coarse
    rows, columns = ((np.arange(side) + 0.5) / block - 0.5 for side in shape)
    return np.asarray(
        ndimage.map_coordinates(coarse, np.meshgrid(rows, columns, indexing="ij"), order=1, mode="nearest")
    )


def noise_sd(image: Floats, /) -> float:
    """Standard deviation of an image's noise from pixel to pixel, by differences of neighbours.

    Examples
    --------
    >>> import numpy as np
    >>> round(noise_sd(np.random.default_rng(1).normal(0.0, 3.0, (200, 200))))
    3
    """
    if min(image.shape) < 3:
        return 0.0
    second = image[:, 2:] - 2.0 * image[:, 1:-1] + image[:, :-2]
    return float(np.median(np.abs(second)) / 0.6745 / math.sqrt(6.0))


def find_nuclei(image: Floats, /, *, pixel_um: float, nucleus_um: float = NUCLEUS_UM) -> Nuclei:
    """Segment the nuclei of a micrograph.

    Seeds are maxima of the smoothed light and of the distance to the edge together; a watershed parts what touches; within each
    piece the edge lies at half of the piece's own level, so that faint nuclei beside bright ones keep their size.

    Parameters
    ----------
    image : ndarray, dims (y, x)
        Counts of the nuclear stain.
    pixel_um : float
    nucleus_um : float
        Usual diameter, from which sizes of filters follow; nuclei may differ from it by about a factor of two.

    Returns
    -------
    Nuclei
        Ordered by row, then column, of their first pixel.

    References
    ----------
    Meyer 1994, Signal Process 38:113, doi:10.1016/0165-1684(94)90060-4 (watershed).
    """
    from skimage.segmentation import watershed

    flat = image - background(image, pixel_um=pixel_um, radius_um=1.4 * nucleus_um)
    width = nucleus_um / pixel_um
    smooth = ndimage.gaussian_filter(flat, SEED_SMOOTHING * width, mode="nearest")
    fine = ndimage.gaussian_filter(flat, max(EDGE_SMOOTHING * width, 0.6), mode="nearest")
    ground = _ground(smooth, flat, width)
    mask = smooth > ground
    if not mask.any():
        return _measured(np.zeros(image.shape, np.int32), flat)
    # each place against the brightest within a nucleus about it: edges at half height for bright and faint alike
    peak = ndimage.maximum_filter(smooth, size=max(3, 2 * round(0.5 * width) + 1), mode="nearest")
    core = mask & (fine > HALF * peak) & (fine > ground)
    inner = ndimage.distance_transform_edt(ndimage.binary_opening(core) if width > 6 else core)
    relief = _relief(smooth, peak, inner, width)
    seeds = _seeds(relief, mask & (inner > 0), width)
    basins = watershed(-relief, seeds, mask=mask)
    basins = _joined(basins, smooth, fine, width)
    labels = _of_fair_size(_cut_at_half(basins, fine, ground), width)
    return _measured(_standing_out(labels, fine, noise_sd(flat), pixel_um), flat)


def _ground(smooth: Floats, flat: Floats, width: float) -> float:
    """Counts above the background from which light is a nucleus's: above noise, and above a share of the brightest's."""
    sigma = SEED_SMOOTHING * width
    left = noise_sd(flat) / max(2.0 * math.sqrt(math.pi) * sigma, 1.0)
    # tissue glows unevenly, which no smoothing takes away
    below = smooth[smooth < np.median(smooth)]
    uneven = 1.4826 * float(np.median(np.abs(below - np.median(smooth)))) if below.size else 0.0
    bright = float(np.percentile(smooth, 99.5))
    return max(NOISE_SDS * left, 3.0 * uneven, FAINT_SHARE * bright, 1e-9)


def _relief(smooth: Floats, peak: Floats, inner: Floats, width: float) -> Floats:
    """Where nuclei's middles are high: distance to the edge, and light against the brightest nearby."""
    depth = ndimage.gaussian_filter(np.minimum(inner / (0.5 * width), 1.5), 0.08 * width, mode="nearest")
    return np.asarray(depth + 0.7 * smooth / np.maximum(peak, 1e-9))


def _seeds(relief: Floats, where: NDArray[np.bool_], width: float) -> NDArray[np.int32]:
    """Markers: maxima that stand above the passes around them."""
    from skimage.morphology import h_maxima

    tops = h_maxima(np.where(where, relief, 0.0), 0.06)
    markers, _ = ndimage.label((tops > 0) & where, structure=np.ones((3, 3)))
    del width
    return np.asarray(markers, np.int32)


def _joined(basins: NDArray[np.int32], smooth: Floats, fine: Floats, width: float) -> NDArray[np.int32]:
    """Pieces joined that are one nucleus: no dip of light between them, and convex together."""
    from skimage.measure import regionprops

    count = int(basins.max())
    if count < 2:
        return basins
    tops = ndimage.maximum(smooth, basins, np.arange(count + 1))
    saddles = _saddles(basins, smooth)
    parent = np.arange(count + 1)
    size = ndimage.sum_labels(np.ones_like(smooth), basins, np.arange(count + 1))
    most = 1.6 * math.pi / 4.0 * width**2
    for (a, b), pass_level in sorted(
        saddles.items(), key=lambda pair: -pair[1] / min(tops[pair[0][0]], tops[pair[0][1]])
    ):
        a, b = int(parent[a]), int(parent[b])
        if a == b or pass_level < SADDLE * min(tops[a], tops[b]) or min(tops[a], tops[b]) < 0.6 * max(tops[a], tops[b]):
            continue
        both = np.isin(parent[basins], (a, b)) & (basins > 0)
        rows, columns = (slice(int(one.min()), int(one.max()) + 1) for one in np.nonzero(both))
        level = HALF * min(tops[a], tops[b])
        piece = both[rows, columns] & (fine[rows, columns] > level)
        shapes = regionprops(piece.astype(np.uint8))
        if shapes and shapes[0].solidity > CONVEX and shapes[0].area < most and size[a] + size[b] > 0:
            parent[parent == b] = a
            tops[a] = max(tops[a], tops[b])
    return np.asarray(parent[basins], np.int32)


def _saddles(basins: NDArray[np.int32], smooth: Floats) -> dict[tuple[int, int], float]:
    """Brightest place on the border of each two neighbours."""
    found: dict[tuple[int, int], float] = {}
    for first, second in (
        ((slice(None), slice(None, -1)), (slice(None), slice(1, None))),
        ((slice(None, -1), slice(None)), (slice(1, None), slice(None))),
    ):
        a, b = basins[first], basins[second]
        meet = (a != b) & (a > 0) & (b > 0)
        low, high = np.minimum(a[meet], b[meet]), np.maximum(a[meet], b[meet])
        level = np.minimum(smooth[first][meet], smooth[second][meet])
        for pair, value in zip(zip(low.tolist(), high.tolist(), strict=True), level.tolist(), strict=True):
            found[pair] = max(found.get(pair, -math.inf), value)
    return found


def _cut_at_half(basins: NDArray[np.int32], fine: Floats, ground: float) -> NDArray[np.int32]:
    """Each piece down to half of its own level, holes filled, one part each."""
    labels = np.zeros_like(basins)
    number = 0
    for index, box in enumerate(ndimage.find_objects(basins), start=1):
        if box is None:
            continue
        mine = basins[box] == index
        values = fine[box]
        level = float(np.percentile(values[mine], 90))
        # the usual level of the inside, not of its brightest grains
        inside = mine & (values > HALF * level)
        cut = max(HALF * float(np.median(values[inside])), 0.5 * ground) if inside.any() else ground
        parts, count = ndimage.label(mine & (values > cut))
        if count == 0:
            continue
        sizes = np.bincount(parts.ravel())[1:]
        whole = ndimage.binary_fill_holes(parts == 1 + int(np.argmax(sizes)))
        number += 1
        labels[box][whole & mine] = number
    return labels


def _of_fair_size(labels: NDArray[np.int32], width: float) -> NDArray[np.int32]:
    """Without what is too small or large for a nucleus; cut off by the image's edge, smaller ones are fair."""
    count = int(labels.max())
    if count == 0:
        return labels
    area = np.bincount(labels.ravel(), minlength=count + 1)
    usual = math.pi / 4.0 * width**2
    fair = (area >= SMALLEST * usual) & (area <= LARGEST * usual)
    on_edge = _on_edge(labels, count)
    fair |= on_edge & (area >= 0.5 * SMALLEST * usual) & (area <= LARGEST * usual)
    fair[0] = False
    numbers = np.cumsum(fair) * fair
    return np.asarray(numbers[labels], np.int32)


def _standing_out(labels: NDArray[np.int32], fine: Floats, noise: float, pixel_um: float) -> NDArray[np.int32]:
    """Without what hardly stands out of its own surroundings, as swells of the tissue's glow do."""
    from skimage.segmentation import expand_labels

    count = int(labels.max(initial=0))
    if count == 0:
        return labels
    numbers = np.arange(1, count + 1)
    near, far = (expand_labels(labels, reach / pixel_um) for reach in (RING_GAP_UM, RING_UM))
    ring = np.where(near == 0, far, 0)
    inside = np.asarray(ndimage.mean(fine, labels, numbers), float)
    width = np.bincount(ring.ravel(), minlength=count + 1)[1:]
    around = np.zeros(count)
    ringed = width >= RING_PIXELS
    if ringed.any():
        around[ringed] = ndimage.mean(fine, ring, numbers[ringed])
    contrast = inside - around
    usual = float(np.percentile(contrast, 80))
    fair = np.r_[False, contrast >= max(FAINTEST * usual, noise)]
    return np.asarray((np.cumsum(fair) * fair)[labels], np.int32)


def _on_edge(labels: NDArray[np.int32], count: int) -> NDArray[np.bool_]:
    touched = np.zeros(count + 1, bool)
    for line in (labels[0], labels[-1], labels[:, 0], labels[:, -1]):
        touched[line] = True
    touched[0] = False
    return touched


def _measured(labels: NDArray[np.int32], flat: Floats) -> Nuclei:
    count = int(labels.max(initial=0))
    numbers = np.arange(1, count + 1)
    if count == 0:
        none = np.zeros(0)
        return Nuclei(labels, none, none, none, none, np.zeros(0, bool))
    places = np.array(ndimage.center_of_mass(labels > 0, labels, numbers)).reshape(-1, 2)
    return Nuclei(
        labels=labels,
        y_px=places[:, 0],
        x_px=places[:, 1],
        area_px=np.bincount(labels.ravel(), minlength=count + 1)[1:].astype(float),
        level=np.asarray(ndimage.mean(flat, labels, numbers), float),
        edge=_on_edge(labels, count)[1:],
    )


def roundness(nuclei: Nuclei, /) -> Floats:
    """Area over that of the convex hull, dims (nucleus,): near 1 for nuclei, less for lumps of grains."""
    from skimage.measure import regionprops

    return np.array([one.solidity for one in regionprops(nuclei.labels)], float)
