"""What the answers about relations share: their parts as printed, and the stable keys of their JSON."""

import argparse
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from lampyris.cli.entries import estimate_entry
from lampyris.cli.relations.columns import MISSING, Columns
from lampyris.core.finding import Finding, Place, Severity
from lampyris.report.drawing.scene import Scene
from lampyris.statistics.relations.regression import RelationLine

# columns that usually name what was replicated
SUBJECT_NAMES = frozenset(
    (
        "animal",
        "animal_id",
        "mouse",
        "mouse_id",
        "subject",
        "subject_id",
        "rat",
        "fish",
        "patient",
        "id",
        "sample",
        "donor",
    )
)
Rows = list[tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Answer:
    """An analysis in the parts that are printed.

    Parameters
    ----------
    sentence : str
        To paste into a paper.
    rows : list of tuple
        Table; the first row is its header.
    document : dict
        Stable keys of ``--json``.
    notes : tuple of str
    warnings : tuple of Finding
    draw : callable
        From a width in mm to the plot; None where there is none.
    """

    sentence: str
    rows: Rows
    document: dict[str, Any]
    notes: tuple[str, ...]
    warnings: tuple[Finding, ...] = ()
    draw: Callable[[float], Scene] | None = field(default=None)


def unit_of(options: argparse.Namespace, /) -> str:
    """What was replicated: as said, else as the column of subjects is called, else "row"."""
    return str(options.unit_of_replication or options.subject or "row")


def independent_note(options: argparse.Namespace, /) -> tuple[str, ...]:
    """That rows were taken for units, where no subject was named."""
    if options.subject:
        return ()
    return ("Every row was taken for an independent unit; where one animal has several rows, name it with --subject.",)


def warnings_of(columns: Columns, options: argparse.Namespace, words: Iterable[str], /) -> tuple[Finding, ...]:
    """Warnings of the analysis, and of a column that looks like a subject but was not named."""
    file = columns.table.file
    found = [Finding("relation.doubt", Severity.WARNING, Place(file), said, "") for said in words]
    for name, cells in columns.table.columns.items():
        if options.subject or name.lower().replace(" ", "_") not in SUBJECT_NAMES:
            continue
        used = [cells[k] for k in columns.rows if cells[k].lower() not in MISSING]
        if len(set(used)) < len(used):
            seen = f"{len(used)} rows come from {len(set(used))} of {name!r}, and each was counted as independent."
            mend = f"Rows of one {name} are alike (pseudo-replication): add --subject {name!r}."
            found.append(Finding("relation.pseudo-replication", Severity.WARNING, Place(file, None, name), seen, mend))
    return tuple(found)


def line_entry(line: RelationLine, /) -> dict[str, Any]:
    """A line in JSON."""
    return {
        "method": line.method,
        "slope": estimate_entry(line.slope),
        "intercept": estimate_entry(line.intercept),
        "notes": (*line.notes, *line.warnings),
    }
