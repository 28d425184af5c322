"""Schemas of the study's sheets: column by column, what stands there, its unit and whether it must.

Reading and writing is `lampyris.io.sheets`; rules across rows are `lampyris.study.check`.
"""

import math
from dataclasses import dataclass, field
from typing import Literal

from lampyris.core.flags import DetectionKind

ColumnKind = Literal["text", "name", "number", "integer", "date", "path", "choice", "flag"]


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a sheet.

    Parameters
    ----------
    name : str
        Header, unit included.
    kind : str
        ``text`` free; ``name`` without control characters or slashes; ``number``; ``integer``; ``date`` ISO 8601;
        ``path`` inside the study; ``choice`` of `choices`; ``flag`` yes or no.
    required : bool
        Whether the column and each of its cells must be filled.
    meaning : str
        For the documentation and for error messages.
    low, high : float or None
        Inclusive bounds of a number.
    choices : tuple of str
        Allowed values of a choice.
    """

    name: str
    kind: ColumnKind
    required: bool
    meaning: str
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = field(default=())


VIEWS = ("dorsal", "ventral")
INJECTION_SITES = ("tail vein", "left flank", "right flank", "left mammary fat pad", "right mammary fat pad", "none")

# as many animals as an image may show
MOST_LANES = 10

SAMPLESHEET: tuple[Column, ...] = (
    Column("animal", "name", True, "identity of the animal, as in animals.csv"),
    Column("session", "name", True, "imaging session, e.g. d07; rows of one animal and session belong together"),
    Column("day", "number", True, "days since inoculation", low=0, high=10000),
    Column("date", "date", False, "date, or date and time, of the session"),
    Column("group", "name", True, "arm, a key of [groups] in study.toml"),
    Column("view", "choice", True, "side that faces the camera", choices=VIEWS),
    Column("channel", "name", True, "emission band, a channel of [[instrument.bands]]"),
    Column("excitation_nm", "number", True, "excitation wavelength in nm", low=200, high=2000),
    Column("emission_nm", "number", True, "centre of the emission band in nm", low=200, high=2000),
    Column("exposure_s", "number", True, "exposure in seconds", low=1e-6, high=1e5),
    Column("image", "path", True, "image file or vendor folder, inside the study"),
    Column(
        "lane",
        "integer",
        False,
        "which animal of the image, counted from the left, heads up; required where an image shows several",
        low=1,
        high=MOST_LANES,
    ),
    Column("photo", "path", False, "photograph of the same pose; empty where the image brings its own"),
    Column(
        "background",
        "path",
        False,
        "dark frame of the same exposure and binning; empty only where the image brings its own",
    ),
    Column("probe", "name", False, "key of [probes] in study.toml; empty for unlabelled controls"),
    Column("lot", "text", False, "lot of the probe"),
)

ANIMALS: tuple[Column, ...] = (
    Column("animal", "name", True, "identity of the animal"),
    Column("group", "name", True, "arm, a key of [groups] in study.toml"),
    Column("strain", "text", False, "strain"),
    Column("sex", "choice", False, "sex", choices=("female", "male", "unknown")),
    Column("weight_g", "number", False, "body weight in g", low=5, high=80),
    Column("cage", "text", False, "cage"),
    Column("inoculation", "choice", False, "where the labelled cells were put", choices=INJECTION_SITES),
    Column(
        "injection",
        "choice",
        False,
        "where a needle went in besides: signal there is no lesion",
        choices=INJECTION_SITES,
    ),
    Column("labelled_cells", "number", False, "labelled cells given", low=0, high=1e10),
    Column("excluded", "flag", False, "yes leaves the animal out"),
    Column("exclusion_reason", "text", False, "why; required where excluded is yes"),
    Column("exclusion_author", "text", False, "who excluded it"),
    Column("exclusion_time", "date", False, "when it was excluded"),
)

LANDMARKS: tuple[Column, ...] = (
    Column("animal", "name", True, "identity of the animal, as in samplesheet.csv"),
    Column("session", "name", True, "imaging session, as in samplesheet.csv"),
    Column("view", "choice", True, "side that faces the camera", choices=VIEWS),
    Column("landmark", "name", True, "place on the animal: nose, tail base, or a site of injection"),
    Column("y_mm", "number", True, "where it is, down from the first pixel's centre, in mm", low=0, high=1000),
    Column("x_mm", "number", True, "where it is, to the right of the first pixel's centre, in mm", low=0, high=1000),
)

ACTIONS = (
    "accept",
    "reject",
    "move",
    "split",
    "merge",
    "relabel",
    "add",
    "exclude image",
    "exclude animal",
)

CURATION: tuple[Column, ...] = (
    Column("animal", "name", True, "identity of the animal, as in samplesheet.csv"),
    Column("session", "name", False, "imaging session, as in samplesheet.csv; empty to exclude an animal"),
    Column(
        "view", "choice", False, "side that faces the camera; empty to exclude all views of a session", choices=VIEWS
    ),
    Column("action", "choice", True, "what is to be done", choices=ACTIONS),
    Column("lesion", "integer", False, "number within the animal, as the automatic result numbers it", low=1),
    Column("detection", "integer", False, "number within the view, as the automatic result numbers it", low=1),
    Column(
        "y_mm",
        "number",
        False,
        "down from the view's first pixel: the new place of move, split and add; where it lies for the others",
        low=0,
        high=1000,
    ),
    Column("x_mm", "number", False, "the same, to the right", low=0, high=1000),
    Column("into", "integer", False, "what it is merged into: a lesion's number, or a detection's of the view", low=1),
    Column(
        "kind", "choice", False, "what it is, for relabel and add", choices=tuple(kind.value for kind in DetectionKind)
    ),
    Column("organ", "name", False, "organ it lies in, for relabel and add"),
    Column("reason", "text", True, "why"),
    Column("author", "text", True, "who decided it"),
    Column("time", "date", True, "when it was decided"),
    Column(
        "target_y_mm",
        "number",
        False,
        "for move and split: where it lies in the automatic result; for merge: where what it is merged into lies",
        low=0,
        high=1000,
    ),
    Column("target_x_mm", "number", False, "the same, to the right", low=0, high=1000),
)

REGIONS: tuple[Column, ...] = (
    Column("animal", "name", True, "identity of the animal, as in samplesheet.csv"),
    Column("session", "name", True, "imaging session, as in samplesheet.csv"),
    Column("view", "choice", True, "side that faces the camera", choices=VIEWS),
    Column("file", "path", True, "file of regions inside the study: GeoJSON, Fiji .roi or .zip, or Living Image"),
    Column("name", "text", False, "region of the file that is meant; empty for all of it"),
    Column("meaning", "text", False, "what it is, such as tumour, liver or background"),
)


@dataclass(frozen=True, slots=True)
class SampleRow:
    """A row of samplesheet.csv, converted; `row` is its line in the file. Unfilled text is "", unfilled numbers NaN."""

    row: int
    animal: str
    session: str
    day: float
    date: str
    group: str
    view: str
    channel: str
    excitation_nm: float
    emission_nm: float
    exposure_s: float
    image: str
    photo: str
    background: str
    probe: str
    lot: str
    lane: float = math.nan


@dataclass(frozen=True, slots=True)
class AnimalRow:
    """A row of animals.csv, converted; `row` is its line in the file."""

    row: int
    animal: str
    group: str
    strain: str
    sex: str
    weight_g: float
    cage: str
    inoculation: str
    injection: str
    labelled_cells: float
    excluded: bool
    exclusion_reason: str
    exclusion_author: str
    exclusion_time: str


@dataclass(frozen=True, slots=True)
class LandmarkRow:
    """A row of landmarks.csv, converted; `row` is its line in the file."""

    row: int
    animal: str
    session: str
    view: str
    landmark: str
    y_mm: float
    x_mm: float


@dataclass(frozen=True, slots=True)
class CurationRow:
    """A row of curation.csv, converted; `row` is its line in the file. Unfilled text is "", unfilled numbers NaN."""

    row: int
    animal: str
    session: str
    view: str
    action: str
    lesion: float
    detection: float
    y_mm: float
    x_mm: float
    into: float
    kind: str
    organ: str
    reason: str
    author: str
    time: str
    target_y_mm: float = math.nan
    target_x_mm: float = math.nan


@dataclass(frozen=True, slots=True)
class RegionRow:
    """A row of regions.csv, converted; `row` is its line in the file."""

    row: int
    animal: str
    session: str
    view: str
    file: str
    name: str
    meaning: str
