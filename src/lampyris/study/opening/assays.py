"""Opens the files that assays.csv names, before anything is measured: faults of each stop that file only."""

from collections.abc import Iterator
from dataclasses import replace

from lampyris.core.errors import ImageError, LampyrisError
from lampyris.core.finding import Finding, Place, Severity
from lampyris.core.settings import StudySettings
from lampyris.study.opening.icp import icp_rows
from lampyris.study.opening.sections import open_section
from lampyris.study.opening.trays import open_tray
from lampyris.study.rules.assays import EXVIVO, ICP_MS
from lampyris.study.rules.histology import sections_of
from lampyris.study.rules.sheets import SHEET_ASSAYS, Sheets


def check_assay_files(sheets: Sheets, settings: StudySettings, /) -> list[Finding]:
    """Open every tray with its dark frame and photograph, every section, and every table of an ICP-MS.

    Parameters
    ----------
    sheets : Sheets
        Valid ones.
    settings : StudySettings

    Returns
    -------
    list of Finding
        Rules ``image.*`` and ``icp.*``: neither stops what rests on other files.
    """
    there = [row for row in sheets.assays if (sheets.study / row.file).exists()]
    found: list[Finding] = []
    for file in dict.fromkeys(row.file for row in there if row.kind == EXVIVO):
        rows = [row for row in there if row.file == file]
        try:
            view = open_tray(sheets.study, rows, settings)
        except LampyrisError as error:
            found += _ruled(error.findings) if error.findings else [_unreadable(file, error, rows[0].row)]
            continue
        if view.image.synthetic and not settings.study.synthetic:
            seen = f"{file} says that it was simulated, and study.toml does not."
            mend = "Write synthetic = true under [study] in study.toml."
            found.append(
                Finding("header.synthetic", Severity.ERROR, Place(SHEET_ASSAYS, rows[0].row, "file"), seen, mend)
            )
    for section in sections_of(there).values():
        try:
            open_section(sheets.study, section, settings.limits)
        except LampyrisError as error:
            found += _ruled(error.findings) if error.findings else [_unreadable(section[0].file, error, section[0].row)]
    known = [row.animal for row in sheets.animals]
    organs = {(row.animal, row.organ): row.weight_g for row in sheets.organs}
    for file in dict.fromkeys(row.file for row in there if row.kind == ICP_MS):
        _, told = icp_rows(sheets.study, file, known, organs)
        found += told
    return found


def _ruled(findings: tuple[Finding, ...]) -> Iterator[Finding]:
    """Findings under a rule that says that they are of one image."""
    for one in findings:
        yield one if one.rule.startswith("image.") else replace(one, rule=f"image.{one.rule.partition('.')[2]}")


def _unreadable(file: str, error: ImageError | LampyrisError, line: int) -> Finding:
    seen = f"{str(error).rstrip('.')} (row {line} of {SHEET_ASSAYS})."
    return Finding("image.unreadable", Severity.ERROR, Place(file), seen, "Export it again.")
