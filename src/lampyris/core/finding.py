"""`Finding`: what a check or a reader remarks, where, and how to mend it."""

from dataclasses import dataclass
from enum import StrEnum

TABLES = (".csv", ".tsv", ".txt", ".xlsx", ".xlsm", ".xls", ".ods", ".pzfx", ".prism", ".parquet")
"""Endings of files that have columns; others have keys."""


class Severity(StrEnum):
    """How much a finding matters: an error stops, a warning is shown, a note informs."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Place:
    """Where something was seen: a file, and in a sheet its row and column.

    Parameters
    ----------
    file : str
        Path relative to the study, with forward slashes.
    row : int or None
        Line number as an editor shows it (the header is line 1).
    column : str
        Column name, or dotted key of a settings file.
    """

    file: str = ""
    row: int | None = None
    column: str = ""

    def __str__(self) -> str:
        parts = [self.file] if self.file else []
        if self.row is not None:
            parts.append(f"row {self.row}")
        if self.column:
            # a settings file has keys, a sheet has columns
            parts.append(f"column {self.column}" if self.file.lower().endswith(TABLES) else self.column)
        return ", ".join(parts)


@dataclass(frozen=True, slots=True)
class Finding:
    """A remark of a check or a reader.

    Parameters
    ----------
    rule : str
        Stable name of the check, e.g. ``sheet.unknown-column``.
    severity : Severity
        Error, warning or note.
    place : Place
        File, row and column.
    seen : str
        What was expected and what came.
    mend : str
        What the user does about it.
    """

    rule: str
    severity: Severity
    place: Place
    seen: str
    mend: str

    def __str__(self) -> str:
        where = f"{self.place}: " if str(self.place) else ""
        return f"{where}{self.seen} {self.mend}".rstrip()
