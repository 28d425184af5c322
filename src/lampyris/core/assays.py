"""Excised organs: what each shines on its tray and amounts to, beside mass spectrometry and the living animal."""

from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from lampyris.core.arrays import frozen_array
from lampyris.core.comparison import Comparison
from lampyris.core.design import Exclusion
from lampyris.core.estimate import Estimate
from lampyris.core.finding import Finding


class OrganFlag(StrEnum):
    """What to know about an excised organ before trusting its number."""

    SATURATED = "saturated"
    EDGE = "edge"
    TOUCHING = "touching"
    BORDER_UNSURE = "border unsure"
    DRAWN = "drawn by hand"
    UNEVEN = "uneven"
    FAINT = "faint"
    NO_WEIGHT = "no weight"
    NO_DOSE = "no dose"
    ASSUMED_BRIGHTNESS = "assumed brightness"
    PROXY_OPTICS = "proxy optics"
    SHAPE_ASSUMED = "shape assumed"
    UNLIKELY_SHAPE = "unlikely shape"
    NAME_UNSURE = "name unsure"
    THICK = "thick"
    OUTSIDE_LINE = "outside the line"
    BELOW_LOD = "below detection limit"
    LIMIT_ASSUMED = "limit assumed"


ORGAN_FLAG_MEANING: dict[OrganFlag, str] = {
    OrganFlag.SATURATED: "holds saturated pixels: flux and amount are lower bounds",
    OrganFlag.EDGE: "touches the edge of the image: light beyond it is not seen",
    OrganFlag.TOUCHING: "touches another organ: where one ends was found by the neck between them",
    OrganFlag.BORDER_UNSURE: "part of it may be its neighbour's: that part's light is in the interval",
    OrganFlag.DRAWN: "outlined by a person",
    OrganFlag.UNEVEN: "brighter in places than evenly spread probe would be: how deep those lie is not known, the interval says so",
    OrganFlag.FAINT: "not told from nothing: only the upper bound counts",
    OrganFlag.NO_WEIGHT: "no weight: no amount per gram, thickness taken from the outline",
    OrganFlag.NO_DOSE: "no dose of this animal in the amount's unit: no share of it",
    OrganFlag.ASSUMED_BRIGHTNESS: "no line of wells: the label's brightness is that of study.toml",
    OrganFlag.PROXY_OPTICS: "the tissue has no optics of its own, a named proxy stands in",
    OrganFlag.SHAPE_ASSUMED: "thickness is not measured: from weight, or from the outline alone",
    OrganFlag.UNLIKELY_SHAPE: "outline and weight hardly fit an organ as it lies: the interval says what a wrong one of the two would do",
    OrganFlag.NAME_UNSURE: "it may be another organ: parted otherwise, rows exchanged, one organ more or fewer: light is told, no amount",
    OrganFlag.THICK: "less than a third of its light leaves it upwards as from a thin clear layer: the correction is large",
    OrganFlag.OUTSIDE_LINE: "brighter or fainter than the line of wells holds for: a bound",
    OrganFlag.BELOW_LOD: "below the detection limit of the mass spectrometer: censored, not zero",
    OrganFlag.LIMIT_ASSUMED: "no limit and fewer than three blanks: the detection limit is assumed",
}


@dataclass(frozen=True, slots=True)
class OrganResult:
    """One excised organ, measured.

    Parameters
    ----------
    animal, organ, group, probe, file : str
        `probe` is empty for unlabelled controls.
    place : int
        On its tray, row by row, from 1.
    tissue : str
        Whose optics were used.
    outline_mm : tuple of (float, float)
        Corners (y, x) on the tray's image, from its first pixel's centre.
    area_mm2, y_mm, x_mm : float
        Of the outline, and its centroid.
    weight_g : Estimate
        NaN where it was not weighed.
    thickness_mm : float
        Mean height of the organ as it lies.
    flux : Estimate
        Probe light, Lambertian, ph s-1: tray light, neighbours' light and colour of the tissue removed.
    tray_flux : float
        What was removed as the tray's own light, ph s-1.
    escape : Estimate
        Light that the camera's side sends out, per photon that the same amount would emit in a thin clear layer.
    amount : Estimate
        In `unit`, corrected by `escape`.
    unit : str
        ``pmol`` or ``labelled cells``.
    percent_dose, percent_dose_per_gram : Estimate
        Of the animal's dose, %ID and %ID/g; NaN where dose or weight are not known.
    surface_percent_dose_per_gram : Estimate
        The same as if nothing were absorbed in the organ, which is how regions on trays are usually told.
    flags : tuple of str
        Values of `OrganFlag`.
    """

    animal: str
    organ: str
    group: str
    probe: str
    file: str
    place: int
    tissue: str
    outline_mm: tuple[tuple[float, float], ...]
    area_mm2: float
    y_mm: float
    x_mm: float
    weight_g: Estimate
    thickness_mm: float
    flux: Estimate
    tray_flux: float
    escape: Estimate
    amount: Estimate
    unit: str
    percent_dose: Estimate
    percent_dose_per_gram: Estimate
    surface_percent_dose_per_gram: Estimate
    flags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OrganReference:
    """One organ by mass spectrometry.

    Parameters
    ----------
    animal, organ : str
    amount_ng : Estimate
        Of the element in the whole organ, blanks taken off. Below the limit without value, from 0 to the limit.
    limit_ng : float
        Detection limit of the digest.
    percent_dose, percent_dose_per_gram : Estimate
        NaN where dose or weight are not known; of a censored amount bounds.
    replicates : int
    flags : tuple of str
        Values of `OrganFlag`.
    """

    animal: str
    organ: str
    amount_ng: Estimate
    limit_ng: float
    percent_dose: Estimate
    percent_dose_per_gram: Estimate
    replicates: int
    flags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Balance:
    """How much of an animal's dose its organs hold together.

    Parameters
    ----------
    animal, group : str
    percent_dose : Estimate
        Sum over the organs; what they share in error is added as it is, not averaged away.
    organs : tuple of str
        Summed.
    missing : tuple of str
        Without a share of the dose: not in the sum.
    source : str
        ``light`` or ``icp-ms``.
    """

    animal: str
    group: str
    percent_dose: Estimate
    organs: tuple[str, ...]
    missing: tuple[str, ...]
    source: str


@dataclass(frozen=True, slots=True)
class OrganPair:
    """Two measurements of one organ of one animal.

    Parameters
    ----------
    animal, organ, group : str
    a, b : Estimate
    """

    animal: str
    organ: str
    group: str
    a: Estimate
    b: Estimate


@dataclass(frozen=True, slots=True)
class OrganAgreement:
    """How two ways of measuring organs agree.

    Parameters
    ----------
    a, b : str
        What is compared, e.g. ``exvivo`` with ``icp-ms`` or ``in vivo``.
    organ : str
        Of which organ; empty for all of an animal together.
    animals, pairs : int
        Animals are the unit of replication.
    pairs_censored : int
        Pairs left out since one of the two is a bound.
    ratio : Estimate
        Geometric mean of a over b; NaN where the units differ.
    lower, upper : Estimate
        Limits of agreement: 95 % of single ratios are expected between them (Bland and Altman); NaN with fewer than three animals.
    concordance : Estimate
        Lin's coefficient on logarithms; NaN with fewer than four animals.
    slope, intercept : Estimate
        Of log10 a against log10 b, errors in both; slope 1 is proportional.
    notes : tuple of str
    """

    a: str
    b: str
    organ: str
    animals: int
    pairs: int
    pairs_censored: int
    ratio: Estimate
    lower: Estimate
    upper: Estimate
    concordance: Estimate
    slope: Estimate
    intercept: Estimate
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class TrayView:
    """What a picture of a tray needs.

    Parameters
    ----------
    file : str
    pixel_mm : float
    photo, probe : ndarray, dims (y, x), float32
        Photograph scaled to 0-1 (its glow where there is none), and probe radiance for showing.
    synthetic : bool
        The image says that it was simulated.
    organs : tuple of OrganResult
    first_mm : float
        Where the first pixel's centre lies in the frame of the outlines, in both directions: not at 0 where pixels were joined.
    """

    file: str
    pixel_mm: float
    photo: NDArray[np.float32]
    probe: NDArray[np.float32]
    synthetic: bool
    organs: tuple[OrganResult, ...]
    first_mm: float = 0.0

    def __post_init__(self) -> None:
        photo = frozen_array("photo", self.photo, ("y", "x"), np.float32)
        object.__setattr__(self, "photo", photo)
        object.__setattr__(self, "probe", frozen_array("probe", self.probe, ("y", "x"), np.float32, photo.shape))


@dataclass(frozen=True, slots=True)
class ExVivo:
    """Everything ex vivo of a study.

    Parameters
    ----------
    trays : tuple of TrayView
        By file, with their organs by place.
    references : tuple of OrganReference
        By animal and organ.
    balances : tuple of Balance
    pairs : dict of str to tuple of OrganPair
        By what is compared: the joined tables behind `agreements`.
    agreements : tuple of OrganAgreement
    findings : tuple of Finding
    comparisons : tuple of Comparison
        Of %ID/g between the arms, one per organ, adjusted for the number of organs.
    exclusions : tuple of Exclusion
        Animals whose organs were measured and are in no sum, agreement or comparison.
    """

    trays: tuple[TrayView, ...] = ()
    references: tuple[OrganReference, ...] = ()
    balances: tuple[Balance, ...] = ()
    pairs: dict[str, tuple[OrganPair, ...]] = field(default_factory=dict)
    agreements: tuple[OrganAgreement, ...] = ()
    findings: tuple[Finding, ...] = ()
    comparisons: tuple[Comparison, ...] = ()
    exclusions: tuple[Exclusion, ...] = ()

    @property
    def organs(self) -> tuple[OrganResult, ...]:
        """Every organ of every tray."""
        return tuple(organ for tray in self.trays for organ in tray.organs)
