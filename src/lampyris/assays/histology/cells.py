"""Which cells hold label: the label in each nucleus and the ring about it, against cells of the same section, thresholds by controls.

In the order of use: `score_cells`, `threshold_from_controls`.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from lampyris.assays.histology.nuclei import Floats, Nuclei, background

# cytoplasm about a nucleus in which dots are taken for its cell's
RING_UM = 3.0
# share of cells that a labelled one must outshine in controls, and the least score where controls show nothing brighter
FALSE_POSITIVES = 0.003
LEAST_SCORE, SCORE_WITHOUT_CONTROLS = 3.5, 5.0
# one grain of debris may not make a cell: no pixel counts for more than so many standard deviations
CAP_SDS = 8.0
GRAIN_UM = 0.5
# vesicles of a cell lie this near to its nucleus; a cell hidden by more than this share is told by all of its area
SPILL_UM, MOST_SPILT = 2.5, 0.7
# as far as the light of one bright grain reaches
DEBRIS_UM = 1.8
# the tissue's own light is followed at this scale, with what stands out of it left out
LEVEL_UM, CLIPS, CLIP_SDS = 7.0, 4, 2.5
# the narrowest range that holds this share of the cells is taken for those without label
QUIET_SHARE = 0.4


@dataclass(frozen=True, slots=True)
class ScoreScale:
    """What scores of a section are counted in, all in counts of the label's channel.

    Parameters
    ----------
    spread : float
        Of the tissue's pixels, robust: no pixel counts for more than `CAP_SDS` times it.
    quiet, sd : float
        Middle and standard deviation of cells without label.
    """

    spread: float
    quiet: float
    sd: float

    def exceeds(self, ceiling: "ScoreScale", /) -> bool:
        """Whether a part of it is larger than controls have it."""
        return self.spread > ceiling.spread or self.quiet > ceiling.quiet or self.sd > ceiling.sd

    def within(self, ceiling: "ScoreScale", /) -> "ScoreScale":
        """No part of it larger than controls have it."""
        return ScoreScale(min(self.spread, ceiling.spread), min(self.quiet, ceiling.quiet), min(self.sd, ceiling.sd))


def widest_scale(scales: Sequence[ScoreScale], /) -> ScoreScale | None:
    """The largest of each part over control sections; None without any.

    In a section full of labelled cells label passes for tissue and widens what scores are counted in, until none stands out. Sections of
    controls, taken under the same settings, say how wide it can be without label.
    """
    told = [one for one in scales if math.isfinite(one.sd)]
    if not told:
        return None
    return ScoreScale(max(one.spread for one in told), max(one.quiet for one in told), max(one.sd for one in told))


@dataclass(frozen=True, slots=True, eq=False)
class CellScores:
    """Label of each cell.

    Parameters
    ----------
    score : ndarray, dims (nucleus,)
        Mean label above the section's unlabelled cells, in standard deviations of theirs.
    excess : ndarray, dims (nucleus,)
        Mean counts above the local background.
    bleed_through : float
        Share of the nuclear stain's counts that was found in the label's channel and taken off.
    scale : ScoreScale
    """

    score: Floats
    excess: Floats
    bleed_through: float
    scale: ScoreScale = ScoreScale(math.nan, math.nan, math.nan)


@dataclass(frozen=True, slots=True)
class Threshold:
    """From which score a cell counts as labelled.

    Parameters
    ----------
    score : float
    false_positives : float
        Share of unlabelled cells that reach it, each control section judged by the others; NaN without controls.
    cells, sections, animals : int
        Of controls.
    """

    score: float
    false_positives: float
    cells: int
    sections: int
    animals: int


def score_cells(
    label: Floats,
    nuclear: Floats,
    nuclei: Nuclei,
    tissue: NDArray[np.bool_],
    /,
    *,
    pixel_um: float,
    ring_um: float = RING_UM,
    ceiling: ScoreScale | None = None,
) -> CellScores:
    """Label in each cell's area: its nucleus and a ring about it, as far as no other nucleus is nearer.

    Parameters
    ----------
    label, nuclear : ndarray, dims (y, x)
        Counts of both channels.
    nuclei : Nuclei
    tissue : ndarray of bool, dims (y, x)
    pixel_um, ring_um : float
    ceiling : ScoreScale, optional
        Of controls: the section's own scale is taken as far as it does not exceed theirs.

    Returns
    -------
    CellScores
        NaN where a section has fewer than two cells to compare.
    """
    from skimage.segmentation import expand_labels

    count = nuclei.count
    if count == 0:
        return CellScores(np.zeros(0), np.zeros(0), 0.0)
    numbers = np.arange(1, count + 1)
    flat = label - local_level(label, tissue, pixel_um=pixel_um)
    bleed = _bleed_through(flat, nuclei, numbers)
    if bleed > 0:
        flat = flat - bleed * (nuclear - background(nuclear, pixel_um=pixel_um, radius_um=12.0))
        flat = flat - local_level(flat, tissue, pixel_um=pixel_um)
    fine = ndimage.gaussian_filter(flat, GRAIN_UM / pixel_um, mode="nearest")
    here = fine[tissue] if tissue.any() else fine.ravel()
    middle = float(np.median(here))
    own = spread = 1.4826 * float(np.median(np.abs(here - middle))) + 1e-9
    if ceiling is not None:
        spread = min(spread, ceiling.spread)
    capped = np.clip(fine - middle, -CAP_SDS * spread, CAP_SDS * spread)
    cells = expand_labels(nuclei.labels, ring_um / pixel_um)
    areas = _without_brightest(cells, fine, numbers, pixel_um)
    bright = np.asarray(ndimage.mean(capped, areas, numbers), float)
    value = np.asarray(ndimage.mean(capped, _own(areas, nuclei, bright, pixel_um), numbers), float)
    scale = ScoreScale(own, *_quiet(value))
    used = scale if ceiling is None else scale.within(ceiling)
    return CellScores(
        (value - used.quiet) / used.sd, np.asarray(ndimage.mean(flat, cells, numbers), float), bleed, scale
    )


def _without_brightest(
    cells: NDArray[np.int32], fine: Floats, numbers: NDArray[np.intp], pixel_um: float
) -> NDArray[np.int32]:
    """Cell areas without the brightest grain of each: dots come in many vesicles, debris alone."""
    tops = np.array(ndimage.maximum_position(fine, cells, numbers)).reshape(-1, 2).astype(int)
    reach = math.ceil(DEBRIS_UM / pixel_um)
    span = np.arange(-reach, reach + 1)
    disc = np.argwhere(np.hypot(span[:, None], span[None, :]) * pixel_um <= DEBRIS_UM) - reach
    places = (tops[:, None, :] + disc[None]).reshape(-1, 2)
    rows, columns = (np.clip(places[:, k], 0, cells.shape[k] - 1) for k in (0, 1))
    left = cells.copy()
    left[rows, columns] = 0
    gone = np.setdiff1d(numbers, left)
    if gone.size:
        # a cell no larger than a grain keeps all of itself
        whole = np.isin(cells, gone)
        left[whole] = cells[whole]
    return left


def _own(areas: NDArray[np.int32], nuclei: Nuclei, bright: Floats, pixel_um: float) -> NDArray[np.int32]:
    """Cell areas without what lies close to the nucleus of a brighter neighbour: its vesicles reach over."""
    reach = math.ceil(SPILL_UM / pixel_um)
    left = areas.copy()
    boxes = ndimage.find_objects(areas, max_label=bright.size)
    for number, box in enumerate(boxes, start=1):
        if box is None:
            continue
        wide = tuple(slice(max(one.start - reach, 0), one.stop + reach) for one in box)
        near = nuclei.labels[wide]
        brighter = (near > 0) & (near != number)
        if not brighter.any():
            continue
        brighter &= np.r_[False, bright > bright[number - 1]][near]
        if not brighter.any():
            continue
        mine = areas[wide] == number
        lost = mine & (ndimage.distance_transform_edt(~brighter) * pixel_um < SPILL_UM)
        # a cell with next to nothing left keeps its all
        if lost.sum() < MOST_SPILT * mine.sum():
            left[wide][lost] = 0
    return left


def local_level(image: Floats, tissue: NDArray[np.bool_], /, *, pixel_um: float, scale_um: float = LEVEL_UM) -> Floats:
    """The tissue's own light about each place: a local mean that leaves out grains, and what is no tissue.

    Parameters
    ----------
    image : ndarray, dims (y, x)
        Counts.
    tissue : ndarray of bool, dims (y, x)
    pixel_um, scale_um : float
        Standard deviation of the weights.

    Returns
    -------
    ndarray, dims (y, x)
    """
    where = tissue if tissue.any() else np.ones_like(tissue)
    fine = ndimage.gaussian_filter(image, GRAIN_UM / pixel_um, mode="nearest")
    level = np.full(image.shape, float(np.median(fine[where])))
    for _ in range(CLIPS):
        rest = (fine - level)[where]
        spread = 1.4826 * float(np.median(np.abs(rest - np.median(rest)))) + 1e-9
        kept = where & (fine - level < float(np.median(rest)) + CLIP_SDS * spread)
        weight = ndimage.gaussian_filter(kept.astype(float), scale_um / pixel_um, mode="nearest")
        total = ndimage.gaussian_filter(np.where(kept, fine, 0.0), scale_um / pixel_um, mode="nearest")
        level = np.where(weight > 1e-3, total / np.maximum(weight, 1e-3), level)
    return level


def _bleed_through(flat: Floats, nuclei: Nuclei, numbers: NDArray[np.intp]) -> float:
    """Nuclear stain in the label's channel: slope of the one on the other over nuclei, deaf to the labelled few (Theil-Sen in bands)."""
    if nuclei.count < 10:
        return 0.0
    seen = np.asarray(ndimage.median(flat, nuclei.labels, numbers), float)
    order = np.argsort(nuclei.level, kind="stable")
    third = max(nuclei.count // 3, 1)
    low, high = order[:third], order[-third:]
    rise = float(np.median(nuclei.level[high]) - np.median(nuclei.level[low]))
    if not rise > 0:
        return 0.0
    slope = float(np.median(seen[high]) - np.median(seen[low])) / rise
    return min(max(slope, 0.0), 0.5)


def _quiet(value: Floats) -> tuple[float, float]:
    """Middle and standard deviation of the cells without label: the densest part, and its lower side only."""
    if value.size < 2:
        return math.nan, math.nan
    ordered = np.sort(value)
    width = max(int(QUIET_SHARE * ordered.size), 1)
    spans = ordered[width:] - ordered[: ordered.size - width]
    first = int(np.argmin(spans))
    middle = float(np.median(ordered[first : first + width + 1]))
    below = middle - ordered[ordered < middle]
    sd = float(np.median(below)) / 0.6745 if below.size else 0.0
    return middle, sd if sd > 0 else 1e-9


def threshold_from_controls(
    controls: Sequence[tuple[str, Floats]], /, *, false_positives: float = FALSE_POSITIVES
) -> Threshold:
    """Score that only a given share of cells of unlabelled animals reaches.

    Parameters
    ----------
    controls : sequence of (animal, scores)
        A pair per control section.
    false_positives : float
        Share of unlabelled cells that may be called labelled.

    Returns
    -------
    Threshold
        Never below `LEAST_SCORE`. What it leaves is told by each section against the threshold of all others; of a single section by
        itself, which flatters a little.
    """
    told = [(animal, score[np.isfinite(score)]) for animal, score in controls]
    told = [(animal, score) for animal, score in told if score.size]
    if not told:
        return Threshold(SCORE_WITHOUT_CONTROLS, math.nan, 0, 0, 0)
    scores = [score for _, score in told]
    whole = _upper(scores, false_positives)
    over, cells = 0, sum(score.size for score in scores)
    for k, score in enumerate(scores):
        others = scores[:k] + scores[k + 1 :] or scores
        over += int((score >= _upper(others, false_positives)).sum())
    # nothing over it in n cells is no proof of nothing: one third of a cell, the median of what may hide there is 0.7
    return Threshold(whole, max(over, 1 / 3) / cells, cells, len(scores), len({animal for animal, _ in told}))


def _upper(scores: Sequence[Floats], share: float) -> float:
    # sections of more cells do not outvote those of fewer: artefacts come by section
    weights = np.concatenate([np.full(score.size, 1.0 / score.size) for score in scores])
    values = np.concatenate(scores)
    order = np.argsort(values, kind="stable")[::-1]
    above = np.cumsum(weights[order]) / len(scores)
    within = int(np.searchsorted(above, share, side="right"))
    top = float(values[order][min(within, values.size - 1)])
    return max(LEAST_SCORE, float(np.nextafter(top, math.inf)))
