"""Checks a study before anything is analysed: every fault at once, each with its place and mend."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from lampyris.core.checks import CheckVerdict
from lampyris.core.errors import InputError
from lampyris.core.finding import Finding, Place, Severity
from lampyris.core.schemas import (
    ANIMALS,
    ASSAYS,
    BENCH,
    CURATION,
    LANDMARKS,
    ORGANS,
    REGIONS,
    SAMPLESHEET,
    STANDARDS,
    AnimalRow,
    AssayRow,
    BenchRow,
    Column,
    CurationRow,
    LandmarkRow,
    OrganRow,
    RegionRow,
    SampleRow,
    StandardRow,
)
from lampyris.core.settings import StudySettings
from lampyris.io.settings import read_settings
from lampyris.io.sheets import read_sheet
from lampyris.study.checks.evidence import Evidence, read_records
from lampyris.study.checks.run import check_findings, is_check, methods_checks
from lampyris.study.curation.contradictions import CURATION_SHEET
from lampyris.study.curation.rules import CURATION_RULES
from lampyris.study.draft.rules import check_drafted
from lampyris.study.drawn.gather import check_regions
from lampyris.study.rules.every import RULES
from lampyris.study.rules.sheets import (
    SETTINGS,
    SHEET,
    SHEET_ANIMALS,
    SHEET_ASSAYS,
    SHEET_BENCH,
    SHEET_LANDMARKS,
    SHEET_ORGANS,
    SHEET_REGIONS,
    SHEET_STANDARDS,
    Sheets,
)

# faults of one file: an image stops its animal or its tray, a table of an ICP-MS itself
IMAGE_RULES = ("image.", "icp.")
Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What the check of a study gives.

    Parameters
    ----------
    findings : tuple of Finding
        Errors first, then warnings, then notes; within each by file and row.
    settings : StudySettings or None
        None where study.toml is not valid.
    samples : tuple of SampleRow
        Valid rows of samplesheet.csv.
    animals : tuple of AnimalRow
        Valid rows of animals.csv; empty where there is none.
    landmarks : tuple of LandmarkRow
        Valid rows of landmarks.csv; empty where there is none.
    photographed : frozenset of str
        Images that bring a photograph along; empty where image files were not opened.
    standards : tuple of StandardRow
        Valid rows of standards.csv; empty where there is none.
    curation : tuple of CurationRow
        Valid rows of curation.csv; empty where there is none.
    regions : tuple of RegionRow
        Valid rows of regions.csv; empty where there is none.
    checks : tuple of CheckVerdict
        Of every methods check; what fired is among the findings.
    assays : tuple of AssayRow
        Valid rows of assays.csv; empty where there is none.
    organs : tuple of OrganRow
        Valid rows of organs.csv; empty where there is none.
    bench : tuple of BenchRow
        Valid rows of bench.csv; empty where there is none.
    """

    findings: tuple[Finding, ...]
    settings: StudySettings | None
    samples: tuple[SampleRow, ...]
    animals: tuple[AnimalRow, ...]
    landmarks: tuple[LandmarkRow, ...] = ()
    photographed: frozenset[str] = frozenset()
    standards: tuple[StandardRow, ...] = ()
    curation: tuple[CurationRow, ...] = ()
    regions: tuple[RegionRow, ...] = ()
    checks: tuple[CheckVerdict, ...] = ()
    assays: tuple[AssayRow, ...] = ()
    organs: tuple[OrganRow, ...] = ()
    bench: tuple[BenchRow, ...] = ()

    @property
    def errors(self) -> tuple[Finding, ...]:
        """What stops an analysis, of the study or of one animal, and what the methods checks call a wrong conclusion."""
        return tuple(finding for finding in self.findings if finding.severity == Severity.ERROR)

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """What a reader of the results must know."""
        return tuple(finding for finding in self.findings if finding.severity == Severity.WARNING)

    @property
    def sheet_errors(self) -> tuple[Finding, ...]:
        """Faults of sheets and settings: they stop everything."""
        return tuple(
            finding for finding in self.errors if not (finding.rule.startswith(IMAGE_RULES) or is_check(finding.rule))
        )

    @property
    def image_errors(self) -> tuple[Finding, ...]:
        """Faults of single image files: each stops its animal only."""
        return tuple(finding for finding in self.errors if finding.rule.startswith(IMAGE_RULES))


def check_study(directory: Path | str, /, *, images: bool = True, sessions: bool = True) -> CheckResult:
    """Validate settings, sheets and image files without analysing anything.

    Parameters
    ----------
    directory : path
        The study.
    images : bool
        Open the image files too and compare what they say with the sheet.
    sessions : bool
        False for what needs no living animal, as organs on trays: the sample sheet may then be missing.

    Returns
    -------
    CheckResult
        Nothing is raised for faults of the study: they are its findings.
    """
    study = Path(directory)
    findings: list[Finding] = []
    settings: StudySettings | None = None
    try:
        settings = read_settings(study / SETTINGS)
    except InputError as error:
        findings += error.findings or [_refused(SETTINGS, error)]
    samples, sheet_findings = (read_sheet if sessions else _optional)(study / SHEET, SAMPLESHEET, SampleRow)
    animals, animal_findings = _optional(study / SHEET_ANIMALS, ANIMALS, AnimalRow)
    landmarks, landmark_findings = _optional(study / SHEET_LANDMARKS, LANDMARKS, LandmarkRow)
    curation, curation_findings = _optional(study / CURATION_SHEET, CURATION, CurationRow, may_be_empty=True)
    regions, region_findings = _optional(study / SHEET_REGIONS, REGIONS, RegionRow, may_be_empty=True)
    standards, standard_findings = _optional(study / SHEET_STANDARDS, STANDARDS, StandardRow)
    assays, assay_findings = _optional(study / SHEET_ASSAYS, ASSAYS, AssayRow)
    organs, organ_findings = _optional(study / SHEET_ORGANS, ORGANS, OrganRow)
    bench, bench_findings = _optional(study / SHEET_BENCH, BENCH, BenchRow, may_be_empty=True)
    sheet_findings = (*sheet_findings, *animal_findings, *landmark_findings, *assay_findings, *organ_findings)
    sheet_findings = (*sheet_findings, *curation_findings, *region_findings, *standard_findings, *bench_findings)
    findings += sheet_findings
    whole = not any(finding.severity == Severity.ERROR for finding in sheet_findings)
    sheets = Sheets(
        study, settings, samples, animals, whole, landmarks, standards, curation, regions, assays, organs, bench
    )
    for rule in (*RULES, check_drafted, *CURATION_RULES, check_regions):
        findings += rule(sheets)
    photographed: frozenset[str] = frozenset()
    headers = None
    if images and settings is not None:
        # decoding needs numpy and a TIFF reader, which a look at the sheets alone does not
        from lampyris.study.opening.headers import check_files, open_headers

        headers, unreadable = open_headers(sheets, settings)
        findings += unreadable
        findings += check_files(sheets, settings, headers)
        findings += _check_assays(sheets, settings, whole=whole)
        photographed = frozenset(path for path, header in headers.items() if header is not None and header.photo)
    evidence = Evidence(sheets, headers, tuple(findings), read_records(study))
    checks = methods_checks(evidence)
    findings += check_findings(checks)
    return CheckResult(
        _ordered(findings),
        settings,
        samples,
        animals,
        landmarks,
        photographed,
        standards,
        curation,
        regions,
        checks,
        assays,
        organs,
        bench,
    )


def _check_assays(sheets: Sheets, settings: StudySettings, *, whole: bool) -> list[Finding]:
    """Faults of trays and ICP-MS tables; where sheets are not valid, those are told first."""
    if not sheets.assays or not whole:
        return []
    from lampyris.study.opening.assays import check_assay_files

    return check_assay_files(sheets, settings)


def _optional(
    path: Path, schema: tuple[Column, ...], row_type: type[Row], /, *, may_be_empty: bool = False
) -> tuple[tuple[Row, ...], tuple[Finding, ...]]:
    """Rows and findings of a sheet that need not be there; a template with its header alone is no fault where that may be."""
    if not path.exists():
        return (), ()
    rows, findings = read_sheet(path, schema, row_type)
    if may_be_empty:
        findings = tuple(
            replace(one, severity=Severity.NOTE, mend="") if one.rule == "sheet.empty" else one for one in findings
        )
    return rows, findings


def _refused(file: str, error: InputError) -> Finding:
    return Finding("settings.invalid", Severity.ERROR, Place(file), str(error), "Correct the file.")


def _ordered(findings: list[Finding]) -> tuple[Finding, ...]:
    rank = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.NOTE: 2}
    unique = dict.fromkeys(findings)
    return tuple(
        sorted(unique, key=lambda f: (rank[f.severity], f.place.file, f.place.row or 0, f.place.column, f.rule, f.seen))
    )
