"""Rules of sections in assays.csv and of section_landmarks.csv: whose they are, a channel of nuclei and one of label, landmarks."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from lampyris.core.finding import Finding, Place, Severity
from lampyris.core.schemas import SECTION_LANDMARKS, AssayRow, SectionLandmarkRow
from lampyris.io.mends import did_you_mean
from lampyris.io.sheets import read_sheet
from lampyris.study.rules.assays import HISTOLOGY
from lampyris.study.rules.sheets import SHEET_ASSAYS, SHEET_SECTION_LANDMARKS, Sheets

NUCLEI, LABEL = "nuclei", "label"
SectionKey = tuple[str, str, str]


def sections_of(rows: Sequence[AssayRow], /) -> dict[SectionKey, tuple[AssayRow, ...]]:
    """Rows of each section, by animal, organ and section, in the sheet's order."""
    found: dict[SectionKey, list[AssayRow]] = defaultdict(list)
    for row in rows:
        if row.kind == HISTOLOGY:
            found[row.animal, row.organ, row.section].append(row)
    return {key: tuple(rows) for key, rows in found.items()}


def check_histology(sheets: Sheets, /) -> Iterator[Finding]:
    """Sections name animal, organ and channels; landmarks name a section that is there, three of them at least."""
    sections = sections_of(sheets.assays)
    for (animal, organ, section), rows in sections.items():
        for column, value in (("animal", animal), ("organ", organ)):
            if not value:
                seen = f"{rows[0].file} is a section of no {column}."
                yield _error("histology.whose", SHEET_ASSAYS, rows[0].row, column, seen, f"Write the {column}.")
        if animal and organ:
            yield from _check_stains(f"section {section or '1'} of {organ} of {animal}", rows)
    landmarks, findings = read_landmarks(sheets)
    yield from findings
    if not any(one.severity is Severity.ERROR for one in findings):
        yield from _check_landmarks(landmarks, sections)


def read_landmarks(sheets: Sheets, /) -> tuple[tuple[SectionLandmarkRow, ...], tuple[Finding, ...]]:
    """Rows of section_landmarks.csv with what is wrong with them; none where there is no such sheet."""
    path = sheets.study / SHEET_SECTION_LANDMARKS
    return read_sheet(path, SECTION_LANDMARKS, SectionLandmarkRow) if path.exists() else ((), ())


def _error(rule: str, file: str, row: int | None, column: str, seen: str, mend: str) -> Finding:
    return Finding(rule, Severity.ERROR, Place(file, row, column), seen, mend)


def _check_stains(name: str, rows: Sequence[AssayRow]) -> Iterator[Finding]:
    if len(rows) == 1 and not rows[0].stain:
        # one file whose channels' own names must tell
        return
    for row in rows:
        if not row.stain:
            seen = f"{name} has {len(rows)} rows, and this one does not say what it shows."
            mend = "Write nuclei or label in the column stain; the same name of section marks rows of one field."
            yield _error("histology.stain", SHEET_ASSAYS, row.row, "stain", seen, mend)
    for stain in (NUCLEI, LABEL):
        mine = [row for row in rows if row.stain == stain]
        if not mine and all(row.stain for row in rows):
            seen = f"{name} has no row for the {stain}."
            mend = f"Add a row with stain {stain}: its file, and its channel where the file has several."
            yield _error("histology.stain", SHEET_ASSAYS, rows[0].row, "stain", seen, mend)
        for row in mine[1:]:
            seen = f"{name} has two rows for the {stain}: {mine[0].row} and {row.row}."
            mend = "Give each field its own name in the column section."
            yield _error("histology.stain", SHEET_ASSAYS, row.row, "section", seen, mend)


def _check_landmarks(
    landmarks: Sequence[SectionLandmarkRow], sections: dict[SectionKey, tuple[AssayRow, ...]]
) -> Iterator[Finding]:
    known = {" / ".join(key) for key in sections}
    first: dict[tuple[str, ...], int] = {}
    for row in landmarks:
        name = " / ".join((row.animal, row.organ, row.section))
        if name not in known:
            near = did_you_mean(name, known)
            mend = f"Did you mean {near}?" if near else f"Name a section of {SHEET_ASSAYS}."
            seen = f"there is no section {name}."
            yield _error("histology.landmark-section", SHEET_SECTION_LANDMARKS, row.row, "section", seen, mend)
        line = first.setdefault((name, row.landmark.casefold()), row.row)
        if line != row.row:
            seen = f"{row.landmark} of {name} stands on row {line} already."
            mend = "Give each landmark of a section its own name."
            yield _error("histology.landmark", SHEET_SECTION_LANDMARKS, row.row, "landmark", seen, mend)
