"""Any table of a user's own: columns with a header, read without being told their meaning.

`lampyris.io.sheets` reads the study's sheets, whose columns are known beforehand; here the caller asks for a column by name.
"""

import csv
import difflib
import io
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lampyris.core.errors import InputError
from lampyris.core.finding import Finding, Place, Severity

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,4})?", re.ASCII)


@dataclass(frozen=True, slots=True, eq=False)
class DataTable:
    """A table as read: text cells by column.

    Parameters
    ----------
    file : str
        Name of the file, for messages.
    columns : dict of str to tuple of str
        Cells per column, stripped; an empty cell is "".
    lines : tuple of int
        Line (or row of a spreadsheet) of each row in the file.
    decimal : str
        Decimal mark of its numbers.
    """

    file: str
    columns: dict[str, tuple[str, ...]]
    lines: tuple[int, ...]
    decimal: str = "."

    def __len__(self) -> int:
        return len(self.lines)

    def words(self, name: str, /) -> tuple[str, ...]:
        """Cells of a column as text.

        Raises
        ------
        InputError
            If there is no such column; the nearest name is offered.
        """
        if name not in self.columns:
            near = difflib.get_close_matches(name, self.columns, 1)
            mend = f"Did you mean {near[0]!r}? " if near else ""
            place = Place(self.file, None, name)
            seen = f"there is no column {name!r}."
            mend += f"Columns are: {', '.join(self.columns)}."
            raise InputError(f"{self.file}: {seen}", (Finding("table.no-column", Severity.ERROR, place, seen, mend),))
        return self.columns[name]

    def numbers(self, name: str, /) -> NDArray[np.float64]:
        """Cells of a column as numbers; empty cells, "NA" and "NaN" are NaN.

        Raises
        ------
        InputError
            If a cell holds anything else; every such cell is named with its row.
        """
        values = np.empty(len(self.lines))
        faults = []
        for k, (line, cell) in enumerate(zip(self.lines, self.words(name), strict=True)):
            text = cell.replace(self.decimal, ".") if self.decimal != "." else cell
            if _NUMBER.fullmatch(text):
                values[k] = float(text)
            elif text.lower() in ("", "na", "nan", "n/a", "#n/a"):
                values[k] = math.nan
            else:
                seen = f"{cell[:60]!r} is no number."
                mend = "Write a number with a decimal point, or leave the cell empty where there is no value."
                faults.append(Finding("table.no-number", Severity.ERROR, Place(self.file, line, name), seen, mend))
        if faults:
            message = f"{self.file}: column {name!r} holds text in {len(faults)} of {len(values)} rows"
            raise InputError(message, tuple(faults))
        return values


def read_table(path: Path | str, /) -> DataTable:
    """Read a table with a header row.

    Parameters
    ----------
    path : path
        CSV in UTF-8: comma, semicolon (then with a decimal comma) or tab between cells.

    Returns
    -------
    DataTable

    Raises
    ------
    InputError
        If the file cannot be read as a table.
    """
    file = Path(path)
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        finding = Finding("table.unreadable", Severity.ERROR, Place(file.name), str(error), "Save it as CSV in UTF-8.")
        raise InputError(f"{file.name} cannot be read: {error}", (finding,)) from error
    return _table(file.name, text)


def _table(file: str, text: str) -> DataTable:
    first = text.partition("\n")[0]
    separator = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    header: list[str] = []
    rows: list[Sequence[str]] = []
    lines = []
    for cells in reader:
        if not any(cell.strip() for cell in cells):
            continue
        if not header:
            header = [cell.strip() for cell in cells]
            continue
        rows.append([cell.strip() for cell in cells] + [""] * (len(header) - len(cells)))
        lines.append(reader.line_num)
    columns = {name: tuple(row[k] for row in rows) for k, name in enumerate(header) if name}
    return DataTable(file, columns, tuple(lines), "," if separator == ";" else ".")
