"""A study's sheets, read: what every rule is given, and what the sheets are called."""

from dataclasses import dataclass
from pathlib import Path

from lampyris.core.schemas import (
    AnimalRow,
    AssayRow,
    BenchRow,
    CurationRow,
    LandmarkRow,
    OrganRow,
    RegionRow,
    SampleRow,
    StandardRow,
)
from lampyris.core.settings import StudySettings

SETTINGS = "study.toml"
SHEET = "samplesheet.csv"
SHEET_ANIMALS = "animals.csv"
SHEET_LANDMARKS = "landmarks.csv"
SHEET_REGIONS = "regions.csv"
SHEET_STANDARDS = "standards.csv"
SHEET_ASSAYS = "assays.csv"
SHEET_ORGANS = "organs.csv"
SHEET_BENCH = "bench.csv"
SHEET_SECTION_LANDMARKS = "section_landmarks.csv"


@dataclass(frozen=True, slots=True)
class Sheets:
    """A study's sheets, read.

    Parameters
    ----------
    study : Path
        The study's directory.
    settings : StudySettings or None
        None where study.toml is not valid.
    samples : tuple of SampleRow
        Valid rows of samplesheet.csv.
    animals : tuple of AnimalRow
        Valid rows of animals.csv.
    whole : bool
        Whether every row of the sheets is valid.
    landmarks : tuple of LandmarkRow
        Valid rows of landmarks.csv.
    standards : tuple of StandardRow
        Valid rows of standards.csv.
    curation : tuple of CurationRow
        Valid rows of curation.csv.
    regions : tuple of RegionRow
        Valid rows of regions.csv.
    assays : tuple of AssayRow
        Valid rows of assays.csv.
    organs : tuple of OrganRow
        Valid rows of organs.csv.
    bench : tuple of BenchRow
        Valid rows of bench.csv.
    """

    study: Path
    settings: StudySettings | None
    samples: tuple[SampleRow, ...]
    animals: tuple[AnimalRow, ...]
    whole: bool
    landmarks: tuple[LandmarkRow, ...] = ()
    standards: tuple[StandardRow, ...] = ()
    curation: tuple[CurationRow, ...] = ()
    regions: tuple[RegionRow, ...] = ()
    assays: tuple[AssayRow, ...] = ()
    organs: tuple[OrganRow, ...] = ()
    bench: tuple[BenchRow, ...] = ()
