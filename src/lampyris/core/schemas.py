"""Schemas of the study's sheets: column by column, what stands there, its unit and whether it must.

Reading and writing is `lampyris.io.sheets`; rules across rows are `lampyris.study.check`.
"""

import math
from dataclasses import dataclass, field
from typing import Literal

from lampyris.core.flags import DetectionKind
from lampyris.core.technique_names import TECHNIQUES

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
    Column("dose_syringe_full_g", "number", False, "weight of the full dose syringe in g", low=0.01, high=100),
    Column(
        "dose_syringe_empty_g", "number", False, "weight of the same syringe after injection in g", low=0.01, high=100
    ),
    Column(
        "dose_syringe_sd_g",
        "number",
        False,
        "standard deviation of one weighing in g; 0.0002 where empty",
        low=0,
        high=0.1,
    ),
    Column(
        "dose_concentration_pmol_per_ml",
        "number",
        False,
        "probe in the injected solution; 1 nM is 1 pmol per ml",
        low=1,
        high=1e8,
    ),
    Column(
        "dose_concentration_relative_sd",
        "number",
        False,
        "its relative standard deviation; 0.05 where empty",
        low=0,
        high=1,
    ),
    Column(
        "dose_density_g_per_ml", "number", False, "density of the injected solution; 1 where empty", low=0.6, high=2
    ),
    Column("dose_tail_percent", "number", False, "share of the dose that stayed in the tail", low=0, high=100),
    Column("dose_tail_sd_percent", "number", False, "its standard deviation; 0 where empty", low=0, high=100),
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

STANDARD_KINDS = ("well plate", "phantom", "dose syringe", "dose standard")
AMOUNT_UNITS = ("pmol", "labelled cells", "ng")
# how a standard's signal is written: a flux of lambertian light, a vendor's "total flux", a sum over pixels, or raw counts
SIGNAL_UNITS = ("ph s-1", "vendor ph s-1", "radiance sum", "counts s-1")

STANDARDS: tuple[Column, ...] = (
    Column("standard", "name", True, "name of the standard; measured again, it keeps its name"),
    Column("kind", "choice", True, "what it is", choices=STANDARD_KINDS),
    Column("amount", "number", False, "how much it holds; 0 for a blank; empty for a dose syringe", low=0, high=1e12),
    Column("amount_sd", "number", False, "standard deviation of this standard's own amount", low=0, high=1e12),
    Column("unit", "choice", False, "unit of the amount", choices=AMOUNT_UNITS),
    Column(
        "stock_relative_sd",
        "number",
        False,
        "relative standard deviation that all share from their stock",
        low=0,
        high=1,
    ),
    Column("probe", "name", False, "key of [probes] in study.toml; empty where the study has one"),
    Column("value", "number", False, "its signal; or name an image", low=-1e18, high=1e18),
    Column("value_sd", "number", False, "standard deviation of the signal", low=0, high=1e18),
    Column("value_unit", "choice", False, "unit of value and background_value", choices=SIGNAL_UNITS),
    Column(
        "background_value",
        "number",
        False,
        "signal of a blank, taken off; of the syringe after injection",
        low=-1e18,
        high=1e18,
    ),
    Column("image", "path", False, "image of the standard, inside the study"),
    Column("background", "path", False, "dark frame of that image; empty where the image brings its own"),
    Column("channel", "name", False, "emission band of value or image; empty: all bands of the image together"),
    Column("exposure_s", "number", False, "exposure of the image in seconds", low=1e-6, high=1e5),
    Column(
        "y_mm",
        "number",
        False,
        "centre of the standard in its image, down from the first pixel, in mm",
        low=0,
        high=1000,
    ),
    Column("x_mm", "number", False, "centre, to the right of the first pixel, in mm", low=0, high=1000),
    Column(
        "radius_mm", "number", False, "radius of the circle that holds the standard's light, in mm", low=0.05, high=100
    ),
    Column(
        "depth_mm", "number", False, "depth of the label below a phantom's surface in mm; 0 for wells", low=0, high=100
    ),
    Column("weight_g", "number", False, "weight of the solution in a dose standard in g", low=1e-6, high=100),
    Column("dilution", "number", False, "how many times the injected solution was thinned for it", low=1, high=1e9),
    Column("animal", "name", False, "whose dose; empty: every animal's"),
    Column("replicate", "text", False, "which repeat of the same standard"),
    Column("date", "date", False, "when it was measured"),
    Column("instrument", "text", False, "what measured it; empty: the study's instrument"),
)

ASSAY_KINDS = ("exvivo", "icp-ms", "histology")
# what a channel of a section shows
STAINS = ("nuclei", "label", "tissue", "other")

ASSAYS: tuple[Column, ...] = (
    Column("kind", "choice", True, "which assay the file belongs to", choices=ASSAY_KINDS),
    Column("file", "path", True, "image of a tray or section, or table of an ICP-MS, inside the study"),
    Column(
        "animal",
        "name",
        False,
        "whose, as in animals.csv; empty where the file holds several animals: organs.csv tells",
    ),
    Column("organ", "name", False, "organ of a section; empty for a tray of several"),
    Column("section", "text", False, "which section of the organ, for histology"),
    Column(
        "channel",
        "name",
        False,
        "emission band, a channel of [[instrument.bands]], or channel of a micrograph; empty: all of the file",
    ),
    Column("stain", "choice", False, "what the channel of a section shows", choices=STAINS),
    Column("exposure_s", "number", False, "exposure in seconds; empty where the file says it", low=1e-6, high=1e5),
    Column(
        "background", "path", False, "dark frame of the same exposure and binning; empty where the file brings its own"
    ),
    Column("photo", "path", False, "photograph of the same field; empty where the file brings its own"),
    Column("outlines", "path", False, "outlines drawn by hand on the file; each replaces the automatic one it lies on"),
    Column("pixel_um", "number", False, "pixel pitch in um; empty where the file says it", low=0.01, high=10000),
    Column("probe", "name", False, "key of [probes] in study.toml; empty: that of the animals' arms"),
    Column("lot", "text", False, "lot of the probe"),
    Column("replicate", "text", False, "which repeat of the same sample"),
    Column("date", "date", False, "when it was measured"),
    Column("instrument", "text", False, "what measured it; empty: the study's instrument"),
)

BENCH: tuple[Column, ...] = (
    Column("technique", "choice", True, "what measured it", choices=tuple(TECHNIQUES)),
    Column("file", "path", True, "file of the instrument, inside the study"),
    Column(
        "probe",
        "name",
        False,
        "key of [probes] in study.toml; empty: the study's only one; of a role: that of every measured file",
    ),
    Column("lot", "text", False, "lot of the probe; empty of a role: every lot"),
    Column("replicate", "text", False, "which repeat of the same sample"),
    Column("role", "name", False, "what the file is to the technique, such as response; empty: what is measured"),
    Column("sample", "text", False, "which sample it is of, such as a dye beside the dot; empty: what the file says"),
)

ORGANS: tuple[Column, ...] = (
    Column("animal", "name", True, "whose organ, as in animals.csv"),
    Column("organ", "name", True, "which organ, e.g. liver, spleen, left kidney"),
    Column("weight_g", "number", False, "weight in g; without it there is no %ID/g", low=1e-6, high=1e5),
    Column(
        "weight_sd_g", "number", False, "standard deviation of the weighing in g; 0.0002 where empty", low=0, high=1
    ),
    Column("file", "path", False, "image of the tray that it lies on; empty where the study has one"),
    Column(
        "place", "integer", False, "place on the tray, row by row from the top left, counted from 1", low=1, high=200
    ),
    Column("y_mm", "number", False, "or where it lies, down from the first pixel's centre, in mm", low=0, high=1000),
    Column("x_mm", "number", False, "the same, to the right", low=0, high=1000),
    Column(
        "thickness_mm", "number", False, "thickness as it lies; from weight and outline where empty", low=0.1, high=60
    ),
    Column("tissue", "name", False, "tissue whose optics it has; from the organ's name where empty"),
)

SECTION_LANDMARKS: tuple[Column, ...] = (
    Column("animal", "name", True, "whose section, as in assays.csv"),
    Column("organ", "name", True, "organ of the section, as in assays.csv"),
    Column("section", "text", True, "which section, as in assays.csv"),
    Column("landmark", "name", True, "a place that is seen in both images, e.g. vessel 1 or upper tip"),
    Column(
        "y_um", "number", True, "where it is in the section, down from the first pixel's centre, in um", low=0, high=1e6
    ),
    Column("x_um", "number", True, "the same, to the right", low=0, high=1e6),
    Column("organ_file", "path", False, "image of the organ, e.g. its tray"),
    Column("organ_y_mm", "number", True, "where it is in the organ's image, down, in mm", low=0, high=1000),
    Column("organ_x_mm", "number", True, "the same, to the right", low=0, high=1000),
)

ICP_SAMPLES = ("sample", "blank", "dose")

ICP_MS: tuple[Column, ...] = (
    Column("sample", "choice", True, "an organ, a blank digest, or what one animal was given", choices=ICP_SAMPLES),
    Column("animal", "name", False, "whose; of a blank empty; of a dose empty where it is every animal's"),
    Column("organ", "name", False, "which organ, as in organs.csv"),
    Column(
        "amount_ng", "number", False, "element in the whole digest in ng; or concentration_ppb", low=-1e9, high=1e12
    ),
    Column("amount_sd_ng", "number", False, "its standard deviation", low=0, high=1e12),
    Column("concentration_ppb", "number", False, "element in the measured solution, ng per ml", low=-1e6, high=1e9),
    Column("concentration_sd_ppb", "number", False, "its standard deviation", low=0, high=1e9),
    Column("digest_ml", "number", False, "volume of the digest in ml", low=1e-3, high=1e4),
    Column(
        "dilution", "number", False, "how many times the digest was thinned to measure; 1 where empty", low=1, high=1e9
    ),
    Column(
        "lod_ppb", "number", False, "detection limit in the measured solution; from blanks where empty", low=0, high=1e9
    ),
    Column("below_lod", "flag", False, "yes where the instrument's program gave only 'below the limit'"),
    Column(
        "digested_g", "number", False, "weight that was digested in g; the whole organ where empty", low=1e-6, high=1e4
    ),
    Column("replicate", "text", False, "which repeat of the same digest"),
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
    dose_syringe_full_g: float = math.nan
    dose_syringe_empty_g: float = math.nan
    dose_syringe_sd_g: float = math.nan
    dose_concentration_pmol_per_ml: float = math.nan
    dose_concentration_relative_sd: float = math.nan
    dose_density_g_per_ml: float = math.nan
    dose_tail_percent: float = math.nan
    dose_tail_sd_percent: float = math.nan


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
class StandardRow:
    """A row of standards.csv, converted; `row` is its line in the file."""

    row: int
    standard: str
    kind: str
    amount: float
    amount_sd: float
    unit: str
    stock_relative_sd: float
    probe: str
    value: float
    value_sd: float
    value_unit: str
    background_value: float
    image: str
    background: str
    channel: str
    exposure_s: float
    y_mm: float
    x_mm: float
    radius_mm: float
    depth_mm: float
    weight_g: float
    dilution: float
    animal: str
    replicate: str
    date: str
    instrument: str


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


@dataclass(frozen=True, slots=True)
class AssayRow:
    """A row of assays.csv, converted; `row` is its line in the file. Unfilled text is "", unfilled numbers NaN."""

    row: int
    kind: str
    file: str
    animal: str
    organ: str
    section: str
    channel: str
    stain: str
    exposure_s: float
    background: str
    photo: str
    outlines: str
    pixel_um: float
    probe: str
    lot: str
    replicate: str
    date: str
    instrument: str


@dataclass(frozen=True, slots=True)
class BenchRow:
    """A row of bench.csv, converted; `row` is its line in the file. Unfilled text is ""."""

    row: int
    technique: str
    file: str
    probe: str
    lot: str
    replicate: str
    role: str
    sample: str


@dataclass(frozen=True, slots=True)
class OrganRow:
    """A row of organs.csv, converted; `row` is its line in the file."""

    row: int
    animal: str
    organ: str
    weight_g: float
    weight_sd_g: float
    file: str
    place: float
    y_mm: float
    x_mm: float
    thickness_mm: float
    tissue: str


@dataclass(frozen=True, slots=True)
class IcpRow:
    """A row of an ICP-MS table, converted; `row` is its line in the file."""

    row: int
    sample: str
    animal: str
    organ: str
    amount_ng: float
    amount_sd_ng: float
    concentration_ppb: float
    concentration_sd_ppb: float
    digest_ml: float
    dilution: float
    lod_ppb: float
    below_lod: bool
    digested_g: float
    replicate: str


@dataclass(frozen=True, slots=True)
class SectionLandmarkRow:
    """A row of section_landmarks.csv, converted; `row` is its line in the file."""

    row: int
    animal: str
    organ: str
    section: str
    landmark: str
    y_um: float
    x_um: float
    organ_file: str
    organ_y_mm: float
    organ_x_mm: float
