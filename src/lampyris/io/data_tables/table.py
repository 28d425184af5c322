"""What every source of a table becomes: text cells by column, with the row of each in its file."""

import difflib
import math
import re
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from lampyris.core.errors import InputError
from lampyris.core.finding import Finding, Place, Severity

NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,4})?", re.ASCII)
MISSING = frozenset(("", "na", "nan", "n/a", "#n/a", "n.a.", "none", "null", "."))
"""What a cell without a value may hold, in lower case."""

UNSOLVED = "#no result"
"""What stands for a formula whose result is not in the file."""

MOST_NAMED = 20
"""Cells of a column that are named one by one where it holds text."""

_BELOW = re.compile(r"(<|≤|<=|below)\s*(?P<limit>.+)", re.IGNORECASE)
_THOUSANDS = re.compile(r"[+-]?\d{1,3}(?P<mark>[,.'’\s\u00a0\u202f])\d{3}(?P=mark)?.*")
_NOT_SEEN = re.compile(
    r"[<≤ ]*(n\.? ?d\.?|b\.?d\.?l\.?|b?lod|b?lloq|b?loq|u\.?d\.?|undetected|undetectable|not detected|not seen|negative)",
    re.I,
)
_WITH_UNIT = re.compile(r"[+-]?\d+([.,]\d+)?\s*(?P<unit>[^\d\s.,].*)")
_SHOWN = 60


@dataclass(frozen=True, slots=True, eq=False)
class DataTable:
    """A table as read: text cells by column.

    Parameters
    ----------
    file : str
        Name of the file, for messages.
    columns : dict of str to tuple of str
        Cells per column, stripped; an empty cell is "". A name that stands twice gets " (2)" behind it the second time.
    lines : tuple of int
        Line (or row of a spreadsheet) of each row in the file.
    decimal : str
        Decimal mark of its numbers.
    notes : tuple of str
        What was passed over, found or guessed while reading: nothing is left out in silence.
    titles : tuple of str
        Header cells as they stand in the file, one per column; "" where a column had none.
    letters : tuple of str
        Letters of the columns in a spreadsheet; empty elsewhere.
    wide : bool
        Known to hold a column per group, as Prism's column tables do.
    """

    file: str
    columns: dict[str, tuple[str, ...]]
    lines: tuple[int, ...]
    decimal: str = "."
    notes: tuple[str, ...] = ()
    titles: tuple[str, ...] = ()
    letters: tuple[str, ...] = ()
    wide: bool = False

    def __len__(self) -> int:
        return len(self.lines)

    def words(self, name: str, /) -> tuple[str, ...]:
        """Cells of a column as text.

        Raises
        ------
        InputError
            If there is no such column, or two; the nearest name is offered.
        """
        if name not in self.columns:
            folded = {column.casefold(): column for column in self.columns}
            near = difflib.get_close_matches(name.casefold(), folded, 1)
            mend = f"Did you mean {folded[near[0]]!r}? " if near else ""
            mend += f"Columns are: {', '.join(self.columns)}."
            raise self.refusal("table.no-column", None, name, f"there is no column {name!r}.", mend)
        if self.titles.count(name) > 1:
            mend = f"Give each column a name of its own; a column per group is read with --wide. {', '.join(self.columns)}."
            raise self.refusal("table.repeated-column", None, name, f"two columns are called {name!r}.", mend)
        return self.columns[name]

    def numbers(self, name: str, /) -> NDArray[np.float64]:
        """Cells of a column as numbers; empty cells, "NA" and "NaN" are NaN.

        Raises
        ------
        InputError
            If a cell holds anything else; every such cell is named with its row.
        """
        values, below, faults = self._converted(name)
        for k in np.flatnonzero(below):
            seen = f"{self._cell(int(k), name)} lies below a limit."
            mend = (
                "compare takes it as censored with --limit cells, never as zero or as the limit itself; no other verb can, and "
                "there the cell is left empty and such values are counted in the paper."
            )
            faults.append(
                Finding("table.below-limit", Severity.ERROR, Place(self.file, self.lines[k], name), seen, mend)
            )
        self._refuse(name, faults)
        return values

    def limited_numbers(self, name: str, /) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Cells of a column where "<0.5" says that a value lies below 0.5.

        Returns
        -------
        values : ndarray, dims (row,)
            The value, or the limit that it lies below.
        below : ndarray, dims (row,), bool
            Whether it lies below.

        Raises
        ------
        InputError
            As `numbers`.
        """
        values, below, faults = self._converted(name)
        self._refuse(name, faults)
        return values, below

    def is_numeric(self, name: str, /) -> bool:
        """Whether a column holds numbers and empty cells alone, and at least one number."""
        values, _, faults = self._converted(name, checked=False)
        return not faults and bool(np.isfinite(values).any())

    def chosen(self, rows: NDArray[np.int64] | list[int], /, *notes: str) -> "DataTable":
        """The table with some of its rows; `notes` say why."""
        places = [int(row) for row in rows]
        columns = {name: tuple(cells[k] for k in places) for name, cells in self.columns.items()}
        return replace(self, columns=columns, lines=tuple(self.lines[k] for k in places), notes=(*self.notes, *notes))

    def refusal(self, rule: str, row: int | None, column: str, seen: str, mend: str, /) -> InputError:
        """An error at a place of this table."""
        finding = Finding(rule, Severity.ERROR, Place(self.file, row, column), seen, mend)
        return InputError(f"{self.file}: {seen}", (finding,))

    def _converted(
        self, name: str, *, checked: bool = True
    ) -> tuple[NDArray[np.float64], NDArray[np.bool_], list[Finding]]:
        cells = self.words(name) if checked else self.columns[name]
        values, below = np.full(len(cells), np.nan), np.zeros(len(cells), np.bool_)
        faults = []
        for k, cell in enumerate(cells):
            text = _pointed(cell, self.decimal)
            if NUMBER.fullmatch(text):
                values[k] = float(text)
            elif text.casefold() not in MISSING:
                limit = _BELOW.fullmatch(cell)
                bound = _pointed(limit["limit"], self.decimal) if limit else ""
                if NUMBER.fullmatch(bound):
                    values[k], below[k] = float(bound), True
                else:
                    faults.append(self._fault(k, name, cell))
            if math.isinf(values[k]):
                faults.append(self._fault(k, name, cell))
        return values, below, faults

    def _fault(self, k: int, name: str, cell: str) -> Finding:
        mend = _mend(cell, self.decimal)
        place = Place(self.file, self.lines[k], name)
        return Finding("table.no-number", Severity.ERROR, place, f"{self._cell(k, name)} is no number.", mend)

    def _cell(self, k: int, name: str) -> str:
        cell = self.columns[name][k]
        shown = repr(cell if len(cell) <= _SHOWN else cell[: _SHOWN - 3] + "...")
        if not self.letters:
            return shown
        return f"cell {self.letters[list(self.columns).index(name)]}{self.lines[k]}, {shown},"

    def _refuse(self, name: str, faults: list[Finding]) -> None:
        if faults:
            rows = len({fault.place.row for fault in faults})
            message = f"{self.file}: column {name!r} holds text in {rows} of {len(self)} rows"
            if len(faults) > MOST_NAMED:
                message += f"; the first {MOST_NAMED} are listed"
            raise InputError(message, sorted(faults, key=lambda fault: fault.place.row or 0)[:MOST_NAMED])


def _pointed(cell: str, decimal: str) -> str:
    """The cell with a decimal point; one that holds a point beside decimal commas is made unreadable."""
    text = cell.strip().replace("−", "-")
    if decimal == ".":
        return text
    # 1.500 would be fifteen hundred to one reader and 1.5 to another
    return "?" if "." in text and text.casefold() not in MISSING else text.replace(decimal, ".")


def _mend(cell: str, decimal: str) -> str:
    """What to write instead of a cell that is no number."""
    if cell == UNSOLVED:
        return "The formula has no stored result: open the file in a spreadsheet program and save it."
    if cell.startswith("#"):
        return "Mend the formula, or clear the cell where there is no value."
    other = "," if decimal == "." else "."
    if cell.count(",") + cell.count(".") == 1 and NUMBER.fullmatch(cell.replace(",", ".")):
        named = {",": "comma", ".": "point"}
        whole = f"{cell} may be a thousand or a fraction: " if _THOUSANDS.fullmatch(cell) else ""
        return (
            f"{whole.capitalize()}this table's decimal mark is the {named[decimal]}. Write all numbers in one way "
            f"without thousands separators, or say --decimal {named[other]}."
        )
    if _THOUSANDS.fullmatch(cell):
        return "Write the number without thousands separators."
    if cell.startswith((">", "≥")):
        return "A value above the range is not known: measure it again, diluted or shorter exposed, or leave the cell empty and say so."
    if _NOT_SEEN.fullmatch(cell):
        return (
            "If it lies below the detection limit, write <LIMIT with the limit's number (<150); if it was not measured, leave the "
            "cell empty."
        )
    if _WITH_UNIT.fullmatch(cell):
        return "Write the number alone; its unit goes into the column's name or --unit."
    if cell.casefold() in ("inf", "-inf", "+inf", "∞", "-∞", "infinity"):
        return "Leave the cell empty where there is no value; a value beyond a limit is written as <LIMIT."
    named_mark = "comma" if decimal == "," else "point"
    return f"Write a number with a decimal {named_mark}, or leave the cell empty where there is no value."
