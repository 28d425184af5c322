"""What a finished study hands to its report: sessions, animals, groups, and how it was made."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lampyris.core.amounts import Amounts
from lampyris.core.analyses import Analyses
from lampyris.core.arrays import frozen_array
from lampyris.core.assays import ExVivo
from lampyris.core.bench_study import StudyBench
from lampyris.core.checks import CheckVerdict, ReportingItem
from lampyris.core.comparison import Comparison
from lampyris.core.estimate import Estimate
from lampyris.core.finding import Finding
from lampyris.core.histology import Histology
from lampyris.core.images import Pose, Registration
from lampyris.core.lesions import Endpoints, Lesion, Reach
from lampyris.core.regions import RegionResult
from lampyris.core.results import Detection, DetectionLimit, OrganSignal


@dataclass(frozen=True, slots=True, eq=False)
class ViewResult:
    """Everything that one view of one session yields.

    Parameters
    ----------
    view : str
        ``dorsal`` or ``ventral``.
    pixel_mm : float
        Pixel pitch in mm.
    photo : ndarray, dims (y, x), float32
        Photograph scaled to 0-1, on the image's grid.
    radiance : ndarray, dims (channel, y, x), float32
        Calibrated radiance per band, ph s-1 cm-2 sr-1.
    probe : ndarray, dims (y, x), float32
        Unbiased probe radiance summed over the bands, background structure not removed.
    probe_variance : ndarray, dims (y, x), float32
        Its variance.
    total_variance : ndarray, dims (y, x), float32
        Variance of the radiance summed over the bands.
    display : ndarray, dims (y, x), float32
        Non-negative probe radiance for showing.
    autofluorescence : ndarray, dims (y, x), float32
        Unmixed autofluorescence radiance.
    flags : ndarray, dims (y, x), uint16
        `PixelFlag` bits of any band.
    body : ndarray, dims (y, x), bool
        The animal without its tail.
    lesions : ndarray, dims (y, x), uint16
        Number of the detection whose outline holds the pixel, 0 outside.
    channels : tuple of str
        Bands.
    registration : Registration
        How the nominal animal lies on this one, and how well.
    detections : tuple of Detection
        Empty when nothing was found.
    organ_signals : tuple of OrganSignal
        Diffuse uptake.
    limits : tuple of DetectionLimit
        Per region.
    body_flux : Estimate
        Probe flux of the whole animal in this view, background removed.
    window_noise : tuple of tuple of float
        Covariance of the moments of all windows where nothing is, as measured on this image: flux, along, left and spread
        of the narrowest window first; ph s-1 times powers of mm, squared. Empty where it was not measured.
    quality : dict of str to float
        Numbers for the quality table: saturated fraction, background structure in per cent, residual width and others.
    file : str
        Image file inside the study.
    origin_px : tuple of int
        Row and column of that image, turned head up, at which the view begins: an image may show several animals.
    rejected : tuple of Detection
        Found and rejected by a person: they count nowhere, and may be shown apart.
    file_shape : tuple of int
        Rows and columns of that image as it lies in its file; zeros where the view comes from none.
    """

    view: str
    pixel_mm: float
    photo: NDArray[np.float32]
    radiance: NDArray[np.float32]
    probe: NDArray[np.float32]
    probe_variance: NDArray[np.float32]
    total_variance: NDArray[np.float32]
    display: NDArray[np.float32]
    autofluorescence: NDArray[np.float32]
    flags: NDArray[np.uint16]
    body: NDArray[np.bool_]
    lesions: NDArray[np.uint16]
    channels: tuple[str, ...]
    registration: Registration
    detections: tuple[Detection, ...]
    organ_signals: tuple[OrganSignal, ...]
    limits: tuple[DetectionLimit, ...]
    body_flux: Estimate
    quality: dict[str, float]
    window_noise: tuple[tuple[float, ...], ...] = ()
    file: str = ""
    origin_px: tuple[int, int] = (0, 0)
    rejected: tuple[Detection, ...] = ()
    file_shape: tuple[int, int] = (0, 0)

    def __post_init__(self) -> None:
        shape = np.asarray(self.body).shape
        yx = ("y", "x")
        for name in ("photo", "probe", "probe_variance", "total_variance", "display", "autofluorescence"):
            object.__setattr__(self, name, frozen_array(name, getattr(self, name), yx, np.float32, shape))
        object.__setattr__(self, "flags", frozen_array("flags", self.flags, yx, np.uint16, shape))
        object.__setattr__(self, "lesions", frozen_array("lesions", self.lesions, yx, np.uint16, shape))
        object.__setattr__(self, "body", frozen_array("body", self.body, yx, np.bool_, shape))
        size = (len(self.channels), *shape)
        object.__setattr__(
            self, "radiance", frozen_array("radiance", self.radiance, ("channel", "y", "x"), np.float32, size)
        )

    @property
    def pose(self) -> Pose:
        """Where the animal lies."""
        return self.registration.pose


@dataclass(frozen=True, slots=True, eq=False)
class SessionResult:
    """One animal in one session: its views in the order dorsal, ventral."""

    animal: str
    session: str
    day: float
    date: str
    group: str
    probe: str
    views: tuple[ViewResult, ...]
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class ViewTotal:
    """One view of one session: what its lesions sum to, or its limit.

    Parameters
    ----------
    view : str
        ``dorsal`` or ``ventral``.
    flux : Estimate
        Sum of the lesions' fluxes in this view; its limit where `below_limit`.
    below_limit : bool
        Nothing was found in this view, or what was found sums to no flux above 0.
    """

    view: str
    flux: Estimate
    below_limit: bool


@dataclass(frozen=True, slots=True)
class AnimalOutcome:
    """What one animal contributes to the group comparison, one value per endpoint.

    Parameters
    ----------
    animal, group : str
        Who.
    status : str
        ``done``, ``failed`` or ``excluded``.
    reason : str
        Why it is not done; empty where it is.
    days : tuple of float
        Days since inoculation of its sessions.
    total_flux : tuple of Estimate
        Per session: sum of lesion fluxes, the brighter view of each session.
    below_limit : tuple of bool
        Per session: nothing was found, or what was found sums to no flux above 0; `total_flux` is the limit (low = 0).
    lesion_count : tuple of int
        Per session: lesions in the view with most.
    views : tuple of tuple of ViewTotal
        Per session: each view by itself, so that two days can be compared within one view.
    lesions : tuple of Lesion
        Followed over the sessions, by number; empty where nothing was found.
    endpoints : Endpoints or None
        Of its spread; None where the animal is not done.
    registrations : tuple of tuple of Registration
        Per session and view, in the order of the session's views: as used for following, all days seen together.
    """

    animal: str
    group: str
    status: str
    reason: str
    days: tuple[float, ...]
    total_flux: tuple[Estimate, ...]
    below_limit: tuple[bool, ...]
    lesion_count: tuple[int, ...]
    views: tuple[tuple[ViewTotal, ...], ...] = ()
    lesions: tuple[Lesion, ...] = ()
    endpoints: Endpoints | None = None
    registrations: tuple[tuple[Registration, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Correction:
    """A row of curation.csv as it was applied.

    Parameters
    ----------
    animal, session, view, action : str
        As the row says; session and view are empty where it speaks of all.
    target : str
        What it was applied to, in words: ``lesion 2``, ``detection 3``, ``the animal``.
    change : str
        What it did, in words.
    reason, author, time : str
        Why, who and when, as the row says.
    """

    animal: str
    session: str
    view: str
    action: str
    target: str
    change: str
    reason: str
    author: str
    time: str


@dataclass(frozen=True, slots=True, eq=False)
class Corrections:
    """What a person corrected, and what the analysis alone had found there: empty without curation.csv.

    Parameters
    ----------
    rows : tuple of Correction
        Every row that was applied, by animal and time.
    outcomes : tuple of AnimalOutcome
        Of each corrected animal as found automatically, sorted by group, then animal.
    sessions : tuple of SessionResult
        Automatic sessions that were corrected, without images.
    comparisons : tuple of Comparison
        Of the automatic outcomes of all animals.
    analyses : Analyses
        Likewise.
    """

    rows: tuple[Correction, ...] = ()
    outcomes: tuple[AnimalOutcome, ...] = ()
    sessions: tuple[SessionResult, ...] = ()
    comparisons: tuple[Comparison, ...] = ()
    analyses: Analyses = field(default_factory=Analyses)


@dataclass(frozen=True, slots=True)
class RunRecord:
    """How the results were made. No clock time, host or worker count: it is hashed.

    Parameters
    ----------
    lampyris : str
        Version.
    source_hash : str
        SHA-256 of the package's source.
    packages : dict
        Version of each dependency that can change a result.
    options : dict
        Every setting used, defaults included.
    inputs : dict
        SHA-256 of each input file by its path in the study.
    command : str
        What repeats the analysis.
    """

    lampyris: str
    source_hash: str
    packages: dict[str, str]
    options: dict[str, Any]
    inputs: dict[str, str]
    command: str


@dataclass(frozen=True, slots=True, eq=False)
class StudyResults:
    """A finished study, complete: the report prints this and computes nothing.

    Parameters
    ----------
    name, title : str
        From study.toml.
    synthetic : bool
        The images were simulated: said wherever a result appears.
    groups : dict of str to dict
        Per arm key: ``title``, ``role``, ``probe``.
    sessions : tuple of SessionResult
        Sorted by animal, then day.
    outcomes : tuple of AnimalOutcome
        Sorted by group, then animal; failed and excluded animals included.
    comparisons : tuple of Comparison
        Per endpoint.
    findings : tuple of Finding
        Warnings and notes of the checks and of the analysis.
    methods : tuple of str
        Paragraphs of the methods text, ready to paste.
    record : RunRecord
        How it was made.
    reach : tuple of Reach
        Per arm and organ.
    amounts : Amounts or None
        Calibration lines, doses and amounts; None where the study has neither standards nor doses.
    corrections : Corrections
        By hand; everything else here is with them.
    regions : tuple of RegionResult
        Drawn by hand.
    checks : tuple of CheckVerdict
        Of every methods check; empty in results of an older version.
    reporting : tuple of ReportingItem
        What the study states of what guidelines ask for.
    analyses : Analyses
        Courses over days, onsets and relations, and the list of all answers; empty in results of an older version.
    exvivo : ExVivo or None
        Organs on trays and by mass spectrometry; None where the study has neither.
    histology : Histology or None
        Sections; None where the study has none.
    bench : StudyBench or None
        What the bench says of the probes; None where the study has no files of it.
    """

    name: str
    title: str
    synthetic: bool
    groups: dict[str, dict[str, str]]
    sessions: tuple[SessionResult, ...]
    outcomes: tuple[AnimalOutcome, ...]
    comparisons: tuple[Comparison, ...]
    findings: tuple[Finding, ...]
    methods: tuple[str, ...]
    record: RunRecord
    reach: tuple[Reach, ...] = ()
    amounts: Amounts | None = None
    corrections: Corrections = field(default_factory=Corrections)
    regions: tuple[RegionResult, ...] = ()
    checks: tuple[CheckVerdict, ...] = ()
    reporting: tuple[ReportingItem, ...] = ()
    analyses: Analyses = field(default_factory=Analyses)
    exvivo: ExVivo | None = None
    histology: Histology | None = None
    bench: StudyBench | None = None
