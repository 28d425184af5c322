"""The sheets of a study's ex vivo part, checked, and what of them belongs to one tray."""

from dataclasses import dataclass
from pathlib import Path

from lampyris.core.errors import InputError
from lampyris.core.finding import Finding, Place, Severity
from lampyris.core.schemas import AssayRow, OrganRow
from lampyris.core.settings import StudySettings
from lampyris.study.check import CheckResult, check_study
from lampyris.study.rules.assays import EXVIVO, tray_of
from lampyris.study.rules.sheets import SHEET_ASSAYS


@dataclass(frozen=True, slots=True)
class ExVivoSheets:
    """The sheets that the ex vivo part reads, checked.

    Parameters
    ----------
    study : Path
    settings : StudySettings
    check : CheckResult
    """

    study: Path
    settings: StudySettings
    check: CheckResult

    @property
    def trays(self) -> dict[str, tuple[AssayRow, ...]]:
        """Rows of each tray's image, by file."""
        found: dict[str, list[AssayRow]] = {}
        for row in self.check.assays:
            if row.kind == EXVIVO:
                found.setdefault(row.file, []).append(row)
        return {file: tuple(found[file]) for file in sorted(found)}

    def organs_on(self, file: str, /) -> tuple[OrganRow, ...]:
        """Organs that lie on a tray."""
        trays = set(self.trays)
        return tuple(row for row in self.check.organs if tray_of(row, trays) == file)


def read_exvivo(directory: Path | str, /) -> ExVivoSheets:
    """Read and check what the ex vivo part of a study needs; images of living animals need not be there.

    Parameters
    ----------
    directory : path
        The study.

    Returns
    -------
    ExVivoSheets

    Raises
    ------
    InputError
        With every fault of settings and sheets.
    """
    study = Path(directory)
    check = check_study(study, images=False, sessions=False)
    errors = list(check.sheet_errors)
    if not (study / SHEET_ASSAYS).exists():
        seen = "there is no assays.csv."
        mend = "Write a row per image of a tray: kind exvivo, file, channel, exposure_s, background, photo."
        errors.insert(0, Finding("assays.missing", Severity.ERROR, Place(SHEET_ASSAYS), seen, mend))
    if errors or check.settings is None:
        raise InputError(f"{study}: nothing was analysed", errors)
    return ExVivoSheets(study, check.settings, check)
