"""Tissue sections: what was counted in each, density per organ, and how the in vivo call holds against it."""

from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from lampyris.core.design import Design
from lampyris.core.estimate import Estimate
from lampyris.core.finding import Finding


class SectionFlag(StrEnum):
    """What to know about a section, or an organ's sections, before trusting the number."""

    OUT_OF_FOCUS = "out of focus"
    SATURATED = "saturated"
    EMPTY = "empty"
    NO_NUCLEI = "no nuclei"
    FEW_NUCLEI = "few nuclei"
    TISSUE_BY_NUCLEI = "tissue by nuclei"
    NO_CONTROLS = "no controls"
    ONE_SECTION = "one section"
    NO_SECTION = "no usable section"
    NOT_REGISTERED = "not registered"


SECTION_FLAG_MEANING: dict[SectionFlag, str] = {
    SectionFlag.OUT_OF_FOCUS: "nuclei have edges wider than the limit: counts and labels are too low; left out of the density",
    SectionFlag.SATURATED: "more than 0.1 % of the tissue stands at the camera's ceiling: levels are lower bounds",
    SectionFlag.EMPTY: "next to nothing but background: left out of the density",
    SectionFlag.NO_NUCLEI: "tissue may be there, no nucleus was found: left out of the density",
    SectionFlag.FEW_NUCLEI: "too few cells to tell the unlabelled ones apart: labels are not called",
    SectionFlag.TISSUE_BY_NUCLEI: "no glass shows in the field: all that lies near nuclei was taken for tissue",
    SectionFlag.NO_CONTROLS: "no section of an unlabelled animal: how many cells are called wrongly is not known",
    SectionFlag.ONE_SECTION: "one section: spread between sections is not in the interval, unless other animals told it",
    SectionFlag.NO_SECTION: "no section could be used",
    SectionFlag.NOT_REGISTERED: "no landmarks, or they do not fit",
}


@dataclass(frozen=True, slots=True)
class SectionRegistration:
    """How a section lies on the image of its organ.

    Parameters
    ----------
    model : str
        ``similarity`` or ``affine``.
    matrix : tuple of ((yy, yx), (xy, xx))
        Organ's place in mm = matrix @ place in the section in mm + shift.
    shift_mm : (float, float)
    mirrored : bool
        The section lies with its other side up.
    residual_mm : float
        Root mean square of what landmarks miss by; NaN where they are just enough to fit.
    sd_mm : float
        Standard uncertainty per axis of the section's middle on the organ; NaN with none left over.
    middle_mm : (float, float)
        Where the section's middle lies on the organ's image, y and x.
    landmarks : tuple of str
        Used.
    organ_file : str
    """

    model: str
    matrix: tuple[tuple[float, float], tuple[float, float]]
    shift_mm: tuple[float, float]
    mirrored: bool
    residual_mm: float
    sd_mm: float
    middle_mm: tuple[float, float]
    landmarks: tuple[str, ...]
    organ_file: str = ""


@dataclass(frozen=True, slots=True)
class SectionResult:
    """One section, counted.

    Parameters
    ----------
    animal, organ, group, section, file : str
    control : bool
        Of an animal without label.
    pixel_um, tissue_mm2 : float
    nuclei, labelled : int
        Cells whose nucleus does not touch the right or lower edge of the image.
    false_expected : float
        Unlabelled cells that are called in as many, by controls; NaN without controls.
    threshold : float
        Score from which a cell is labelled.
    blur_um, saturated_share : float
    registration : SectionRegistration or None
    used : bool
        It counts for the organ's density.
    flags : tuple of str
        Values of `SectionFlag`.
    """

    animal: str
    organ: str
    group: str
    section: str
    file: str
    control: bool
    pixel_um: float
    tissue_mm2: float
    nuclei: int
    labelled: int
    false_expected: float
    threshold: float
    blur_um: float
    saturated_share: float
    registration: SectionRegistration | None
    used: bool
    flags: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class SectionView:
    """What a picture of a section needs.

    Parameters
    ----------
    result : SectionResult
    images : ndarray of float32, dims (channel, y, x)
        Nuclei and label, counts.
    labels : ndarray of int32, dims (y, x)
        Number of the nucleus at each pixel.
    called : ndarray of bool, dims (nucleus,)
        Labelled cells.
    tissue : ndarray of bool, dims (y, x)
    synthetic : bool
        The image says that it was simulated.
    """

    result: SectionResult
    images: NDArray[np.float32]
    labels: NDArray[np.int32]
    called: NDArray[np.bool_]
    tissue: NDArray[np.bool_]
    synthetic: bool


@dataclass(frozen=True, slots=True)
class OrganDensity:
    """Labelled cells of one organ of one animal.

    Parameters
    ----------
    animal, organ, group : str
    sections, nuclei, labelled : int
        Used sections and what they hold.
    tissue_mm2 : float
    cells_per_mm2, labelled_fraction : Estimate
        Cells expected to be called wrongly are taken off; the interval holds the spread between sections.
    p : float
        Of so many called cells in as much unlabelled tissue; NaN without controls.
    positive : bool or None
        Labelled cells are there: p is below the stated level. None where that cannot be told.
    flags : tuple of str
        Values of `SectionFlag`.
    """

    animal: str
    organ: str
    group: str
    sections: int
    nuclei: int
    labelled: int
    tissue_mm2: float
    cells_per_mm2: Estimate
    labelled_fraction: Estimate
    p: float
    positive: bool | None
    flags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class GroupDensity:
    """An organ over the animals of an arm: the animal is what was replicated.

    Parameters
    ----------
    group, organ : str
    cells_per_mm2, labelled_fraction : Estimate
        Means over animals.
    design : Design
    """

    group: str
    organ: str
    cells_per_mm2: Estimate
    labelled_fraction: Estimate
    design: Design


@dataclass(frozen=True, slots=True)
class OrganCall:
    """What the living animal's images said of an organ, and what its sections say.

    Parameters
    ----------
    animal, organ : str
    called : bool or None
        None: not called, for `reason`.
    score : float
        The higher the surer; NaN where there is none.
    truth : bool or None
        By sections; None where they do not tell.
    reason : str
        Why there is no call or no truth; empty where both are known.
    """

    animal: str
    organ: str
    called: bool | None
    score: float
    truth: bool | None
    reason: str


@dataclass(frozen=True, slots=True)
class CallAccuracy:
    """In vivo calls against sections.

    Parameters
    ----------
    sensitivity, specificity : Estimate
        NaN within 0 to 1 where there is no such organ.
    positives, negatives : int
        Organs behind each.
    area : Estimate or None
        Under the ROC curve; None without scores of both kinds.
    curve : tuple of (false positive rate, sensitivity)
    design : Design
    not_called : dict of str to int
        Organs left out by reason.
    notes : tuple of str
    """

    sensitivity: Estimate
    specificity: Estimate
    positives: int
    negatives: int
    area: Estimate | None
    curve: tuple[tuple[float, float], ...]
    design: Design
    not_called: dict[str, int]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Histology:
    """Everything that sections of a study, or single files, gave.

    Parameters
    ----------
    sections : tuple of SectionResult
    organs : tuple of OrganDensity
    groups : tuple of GroupDensity
    calls : tuple of OrganCall
    accuracy : CallAccuracy or None
        None where there are no calls to judge, or fewer than two animals.
    views : tuple of SectionView
        Only where asked for.
    false_positives : float
        Share of unlabelled cells called, by controls; NaN without.
    controls : tuple of (cells, sections, animals)
    detection : Estimate or None
        Share of labelled cells that is called, by which densities are corrected; None where it is not known.
    findings : tuple of Finding
    synthetic : bool
    """

    sections: tuple[SectionResult, ...]
    organs: tuple[OrganDensity, ...] = ()
    groups: tuple[GroupDensity, ...] = ()
    calls: tuple[OrganCall, ...] = ()
    accuracy: CallAccuracy | None = None
    views: tuple[SectionView, ...] = ()
    false_positives: float = float("nan")
    controls: tuple[int, int, int] = (0, 0, 0)
    findings: tuple[Finding, ...] = field(default=())
    synthetic: bool = False
    detection: Estimate | None = None
