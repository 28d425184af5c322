"""Columns of a table for the verbs about relations: numbers, categories, yes or no, subjects; every fault with its place."""

import argparse
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lampyris.cli.tables import rows_where, table_read
from lampyris.core.errors import InputError
from lampyris.core.finding import Finding, Place, Severity
from lampyris.io.data_tables import DataTable

YES = frozenset(("1", "yes", "y", "true", "t", "positive", "pos", "+"))
NO = frozenset(("0", "no", "n", "false", "f", "negative", "neg", "-"))
MISSING = frozenset(("", "na", "nan", "n/a", "#n/a"))
_MOST_ROWS_NAMED = 8


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """Rows that are complete in every column asked for.

    Parameters
    ----------
    table : DataTable
    values : dict of str to ndarray, dims (row,)
        Columns of numbers.
    words : dict of str to tuple of str
        Columns of text.
    rows : ndarray of int
        Their rows in the table.
    notes : tuple of str
        What was found while reading, and what was left out.
    """

    table: DataTable
    values: dict[str, NDArray[np.float64]]
    words: dict[str, tuple[str, ...]]
    rows: NDArray[np.intp]
    notes: tuple[str, ...]

    def lines(self) -> list[int]:
        """Line of each row in the file."""
        return [self.table.lines[k] for k in self.rows]


def asked_table(options: argparse.Namespace, /) -> DataTable:
    """The table that the options name, with the rows that they keep.

    Raises
    ------
    UsageError
        If a condition is none.
    InputError
        If it cannot be read, or no row is left.
    """
    table = table_read(options.table, options)
    for condition in options.where:
        table = rows_where(table, condition)
    return table


def complete_rows(
    table: DataTable, numbers: Sequence[str], words: Sequence[str] = (), /, *, subject: str = ""
) -> Columns:
    """Keep the rows of a table that have a value in every column.

    Parameters
    ----------
    table : DataTable
    numbers, words : sequence of str
        Columns of numbers and of text that are needed.
    subject : str
        Column of the subject; a row with values but without a subject is a fault.

    Returns
    -------
    Columns

    Raises
    ------
    InputError
        With all faults of all columns.
    """
    faults: list[Finding] = []
    values: dict[str, NDArray[np.float64]] = {}
    texts: dict[str, tuple[str, ...]] = {}
    for name in dict.fromkeys(numbers):
        try:
            values[name] = _finite(table, name)
        except InputError as error:
            faults.extend(error.findings)
    for name in dict.fromkeys((*words, *([subject] if subject else []))):
        try:
            texts[name] = table.words(name)
        except InputError as error:
            faults.extend(error.findings)
    if not faults and not len(table):
        place = Place(table.file)
        faults.append(
            Finding("table.empty", Severity.ERROR, place, "the table has no row.", "Add rows below the header.")
        )
    if faults:
        raise InputError(f"{table.file}: {len(faults)} fault{'s' if len(faults) > 1 else ''}", faults)
    known = np.ones(len(table), bool)
    for column in values.values():
        known &= ~np.isnan(column)
    for name in words:
        known &= np.array([cell.lower() not in MISSING for cell in texts[name]], bool)
    if subject:
        _refuse_nameless(table, texts[subject], known, subject)
    rows = np.flatnonzero(known)
    return Columns(
        table,
        {name: column[rows] for name, column in values.items()},
        {name: tuple(cells[k] for k in rows) for name, cells in texts.items()},
        rows,
        (*table.notes, *_left_out(table, known)),
    )


def yes_or_no(columns: Columns, name: str, /) -> NDArray[np.bool_]:
    """A column of text as true and false.

    Raises
    ------
    InputError
        If a cell is neither yes nor no; every such cell is named.
    """
    cells = columns.words[name]
    faults = []
    for line, cell in zip(columns.lines(), cells, strict=True):
        if cell.lower() not in YES | NO:
            seen = f"{cell[:60]!r} is neither yes nor no."
            mend = "Write 1 or 0 (or yes or no, positive or negative)."
            faults.append(
                Finding("table.no-yes-or-no", Severity.ERROR, Place(columns.table.file, line, name), seen, mend)
            )
    if faults:
        raise InputError(f"{columns.table.file}: column {name!r} is not of yes or no", faults)
    return np.array([cell.lower() in YES for cell in cells], bool)


def is_yes_or_no(columns: Columns, name: str, /) -> bool:
    """Whether every cell of a column is yes or no."""
    return all(cell.lower() in YES | NO for cell in columns.words[name])


def are_numbers(table: DataTable, name: str, /) -> bool:
    """Whether a column holds numbers only."""
    try:
        return bool(np.isfinite(table.numbers(name)).any())
    except InputError:
        return False


def logarithms(columns: Columns, name: str, /) -> NDArray[np.float64]:
    """Base-10 logarithms of a column.

    Raises
    ------
    InputError
        If a value is not above 0; every such cell is named.
    """
    values = columns.values[name]
    faults = []
    for line, value in zip(columns.lines(), values, strict=True):
        if not value > 0:
            seen = f"{value:g} has no logarithm."
            mend = "Leave out --log, or give what lies below a detection limit as censored, not as zero."
            faults.append(
                Finding("table.no-logarithm", Severity.ERROR, Place(columns.table.file, line, name), seen, mend)
            )
    if faults:
        raise InputError(f"{columns.table.file}: column {name!r} has values not above 0", faults)
    return np.log10(values)


def refuse_not_above_zero(columns: Columns, names: Sequence[str], /) -> None:
    """Refuse columns of which a ratio cannot be taken.

    Raises
    ------
    InputError
        If a value is not above 0; every such cell is named.
    """
    mend = "Correct it, leave out --ratio, or leave the cell empty where nothing was seen, and count such rows in the paper."
    faults = [
        Finding(
            "relation.no-ratio", Severity.ERROR, Place(columns.table.file, line, name), f"{value:g} has no ratio.", mend
        )
        for name in names
        for line, value in zip(columns.lines(), columns.values[name], strict=True)
        if not value > 0
    ]
    if faults:
        raise InputError(f"{columns.table.file}: a ratio needs values above 0", faults)


def refuse(columns: Columns, rule: str, seen: str, mend: str, column: str = "") -> InputError:
    """An error about a whole column or table."""
    place = Place(columns.table.file, None, column)
    return InputError(
        f"{columns.table.file}: {seen.partition(':')[0].rstrip('.')}",
        (Finding(rule, Severity.ERROR, place, seen, mend),),
    )


def refuse_equal(columns: Columns, names: Sequence[str], /) -> None:
    """Refuse columns that do not vary.

    Raises
    ------
    InputError
        With every such column.
    """
    faults = []
    for name in names:
        values = columns.values[name]
        if np.ptp(values) <= 1e-13 * np.abs(values).max():
            seen = f"all {values.size} values are equal ({values[0]:g})."
            mend = "Choose a column that varies; values set to a limit or to zero are censored, not equal."
            place = Place(columns.table.file, None, name)
            faults.append(Finding("relation.all-equal", Severity.ERROR, place, seen, mend))
    if faults:
        raise InputError(f"{columns.table.file}: nothing to relate", faults)


def refuse_few(columns: Columns, units: int, least: int, unit: str, /) -> None:
    """Refuse too few units.

    Raises
    ------
    InputError
        If there are fewer than `least`.
    """
    if units < least:
        seen = f"{units} {unit}{'' if units == 1 else 's'} with values in all columns; at least {least} are needed."
        mend = f"Measure more {unit}s; with fewer no interval can be given."
        raise refuse(columns, "relation.too-few", seen, mend)


def _finite(table: DataTable, name: str) -> NDArray[np.float64]:
    values = table.numbers(name)
    faults = [
        Finding(
            "table.no-number", Severity.ERROR, Place(table.file, line, name), f"{cell!r} is beyond any measurement.",
            "Correct it, or leave the cell empty.",
        )
        for line, cell, value in zip(table.lines, table.words(name), values, strict=True)
        if math.isinf(value)
    ]  # fmt: skip
    if faults:
        raise InputError(f"{table.file}: column {name!r} holds infinite values", faults)
    return values


def _refuse_nameless(table: DataTable, cells: Sequence[str], known: NDArray[np.bool_], subject: str) -> None:
    faults = [
        Finding(
            "relation.no-subject", Severity.ERROR, Place(table.file, table.lines[k], subject),
            "this row has values but no subject.", "Name the subject, or take the row out.",
        )
        for k in np.flatnonzero(known).tolist()
        if cells[k].lower() in MISSING
    ]  # fmt: skip
    if faults:
        raise InputError(f"{table.file}: {len(faults)} rows have no subject", faults)


def _left_out(table: DataTable, known: NDArray[np.bool_]) -> tuple[str, ...]:
    lines = [table.lines[k] for k in np.flatnonzero(~known)]
    if not lines:
        return ()
    shown = ", ".join(map(str, lines[:_MOST_ROWS_NAMED])) + (", ..." if len(lines) > _MOST_ROWS_NAMED else "")
    return (f"{len(lines)} of {len(table)} rows lack a value and were left out (row {shown}).",)
