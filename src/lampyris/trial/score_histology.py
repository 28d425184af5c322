"""How well sections were counted: nuclei, labelled cells, densities and places against what was drawn.

In the order of use: `match_nuclei`, `score_view`, `section_scores`.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lampyris.core.histology import Histology, SectionView
from lampyris.virtual.section_truth import TrueSection

SAME = 0.5


@dataclass(frozen=True, slots=True)
class SectionScore:
    """One section against its truth.

    Parameters
    ----------
    nuclei, found, matched : int
        Drawn, segmented, and pairs of intersection over union of at least a half.
    crowded, crowded_matched : int
        Of those drawn close to another.
    overlap : float
        Mean intersection over union of the pairs.
    labelled, called, right : int
        Cells drawn with dots, called, and both.
    tissue_error : float
        Relative error of the area.
    place_error_mm, place_sd_mm : float
        Distance of the section's middle on the organ from where it was drawn, and what the fit says per axis; NaN without landmarks.
    """

    nuclei: int
    found: int
    matched: int
    crowded: int
    crowded_matched: int
    overlap: float
    labelled: int
    called: int
    right: int
    tissue_error: float
    place_error_mm: float
    place_sd_mm: float


def match_nuclei(
    drawn: NDArray[np.int32], found: NDArray[np.int32], /
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float64]]:
    """Pairs of drawn and found nuclei by intersection over union, each at most once.

    Parameters
    ----------
    drawn, found : ndarray, dims (y, x)
        Numbers from 1.

    Returns
    -------
    drawn, found : ndarray of int, dims (pair,)
        Numbers less 1.
    overlap : ndarray, dims (pair,)
        At least a half, which no two pairs of one nucleus can have.

    Examples
    --------
    >>> import numpy as np
    >>> one = np.array([[1, 1, 0, 2]])
    >>> match_nuclei(one, np.array([[0, 1, 0, 2]]))[2].tolist()
    [0.5, 1.0]
    """
    both = (drawn > 0) & (found > 0)
    width = int(found.max(initial=0)) + 1
    pairs, shared = np.unique(drawn[both].astype(np.int64) * width + found[both], return_counts=True)
    a, b = pairs // width, pairs % width
    size_a, size_b = np.bincount(drawn.ravel()), np.bincount(found.ravel())
    overlap = shared / (size_a[a] + size_b[b] - shared)
    keep = overlap >= SAME
    # exactly a half may tie: the first counts
    _, first = np.unique(a[keep], return_index=True)
    a, b, overlap = a[keep][first], b[keep][first], overlap[keep][first]
    _, first = np.unique(b, return_index=True)
    return a[first] - 1, b[first] - 1, overlap[first]


def score_view(view: SectionView, truth: TrueSection, /) -> SectionScore:
    """Score one section.

    Parameters
    ----------
    view : SectionView
    truth : TrueSection
        Of the same file.

    Returns
    -------
    SectionScore
    """
    drawn, found, overlap = match_nuclei(truth.labels, view.labels)
    right = int((truth.labelled[drawn] & view.called[found]).sum())
    error, sd = _place(view, truth)
    return SectionScore(
        nuclei=int(truth.labelled.size),
        found=int(view.called.size),
        matched=int(drawn.size),
        crowded=int(truth.crowded.sum()),
        crowded_matched=int(truth.crowded[drawn].sum()),
        overlap=float(overlap.mean()) if overlap.size else math.nan,
        labelled=int(truth.labelled.sum()),
        called=int(view.called.sum()),
        right=right,
        tissue_error=view.result.tissue_mm2 / truth.tissue_mm2 - 1.0 if truth.tissue_mm2 > 0 else math.nan,
        place_error_mm=error,
        place_sd_mm=sd,
    )


def _place(view: SectionView, truth: TrueSection) -> tuple[float, float]:
    found = view.result.registration
    if found is None:
        return math.nan, math.nan
    middle = np.array([0.5e-3 * (side - 1) * truth.pixel_um for side in truth.labels.shape])
    there = np.array(truth.matrix) @ middle + np.array(truth.shift_mm)
    return float(np.linalg.norm(there - np.array(found.middle_mm))), found.sd_mm


def section_scores(found: Histology, truth: Sequence[TrueSection], /) -> tuple[SectionScore, ...]:
    """Score every section that was counted.

    Parameters
    ----------
    found : Histology
        With its views.
    truth : sequence of TrueSection

    Returns
    -------
    tuple of SectionScore
    """
    by_file = {one.file: one for one in truth}
    return tuple(score_view(view, by_file[view.result.file]) for view in found.views)


def density_held(found: Histology, truth: Sequence[TrueSection], /) -> tuple[bool, ...]:
    """Whether each labelled animal's interval holds the density that its organ was drawn with, the scale of organs without any left out.

    Parameters
    ----------
    found : Histology
    truth : sequence of TrueSection

    Returns
    -------
    tuple of bool
    """
    drawn = {(one.animal, one.organ): one.organ_per_mm2 for one in truth}
    told = [one for one in found.organs if math.isfinite(one.cells_per_mm2.value) and drawn[one.animal, one.organ] > 0]
    return tuple(one.cells_per_mm2.low <= drawn[one.animal, one.organ] <= one.cells_per_mm2.high for one in told)
