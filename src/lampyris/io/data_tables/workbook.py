"""Workbooks of Excel and OpenDocument: one sheet as a table, and what a reader of its values alone would not see.

The values are read by calamine. What it leaves blank or does not tell - formula errors, hidden rows - is looked up in the
file itself, which .xlsx and .ods allow and .xls does not.
"""

import io
import re
import zipfile
from dataclasses import dataclass, field
from typing import Any
from xml.parsers import expat

from lampyris.core.errors import InputError
from lampyris.core.finding import Finding, Place, Severity
from lampyris.io.data_tables.archives import FAULTS, refuse_bomb
from lampyris.io.data_tables.cells import cell_text
from lampyris.io.data_tables.grid import MAX_CELLS, Grid, letter, refused, table_of
from lampyris.io.data_tables.table import UNSOLVED, DataTable

MAX_EXPANDED_BYTES = 400_000_000
"""A workbook that unpacks to more is not opened."""

_OLE = b"\xd0\xcf\x11\xe0"
_REFERENCE = re.compile(r"([A-Z]{1,3})(\d{1,7})", re.ASCII)
_MEND = "Open it in its program and save it again as .xlsx, or export the sheet as CSV."
_HELD_BACK = "Show them, copy the rows you mean to a new sheet, or filter with --where."


@dataclass(slots=True)
class _Page:
    """What a sheet's own file says beside its values; rows and columns count from 1."""

    name: str
    visible: bool = True
    errors: list[tuple[int, int, str]] = field(default_factory=list)
    unsolved: list[tuple[int, int]] = field(default_factory=list)
    hidden_rows: set[int] = field(default_factory=set)
    hidden_columns: set[int] = field(default_factory=set)
    rows: int = 0
    columns: int = 0


def workbook_table(file: str, data: bytes, /, *, sheet: str = "") -> DataTable:
    """Read a sheet of a workbook.

    Parameters
    ----------
    file : str
        Its name.
    data : bytes
        Its content.
    sheet : str
        Name of the sheet; needed where several hold something.

    Returns
    -------
    DataTable
        Rows and columns are called as the spreadsheet program calls them.

    Raises
    ------
    InputError
        If the file cannot be read or is protected, the sheet is not told, or cells of the header or below it are merged. A
        formula that failed is refused where its column is asked for numbers.
    """
    if data.startswith(_OLE):
        return _old_table(file, data, sheet)
    page = _page(file, data, sheet)
    merged, read = _values(file, data, page.name)
    _told(read, page)
    rows = [(k, [cell_text(value) for value in row]) for k, row in enumerate(read, 1)]
    try:
        table = table_of(Grid(file, rows, ".", [f"read from sheet {page.name!r}"], addressed=True))
    except InputError as error:
        # cells that are merged away may be why no header was found
        raise InputError(str(error.args[0]), [*error.findings, *_merge_faults(file, merged, 0)]) from error
    faults = _merge_faults(file, merged, table.lines[0])
    if faults:
        raise InputError(f"{file}: sheet {page.name!r} cannot be read as a table", faults)
    return _noted(table, page)


def workbook_rows(file: str, data: bytes, /) -> list[list[str]]:
    """Cells of the only sheet that holds something, as words, whatever stands above its numbers.

    Parameters
    ----------
    file : str
        Its name.
    data : bytes
        Its content.

    Returns
    -------
    list of list of str
        A row each, from the first row of the sheet on; "" where a cell is empty.

    Raises
    ------
    InputError
        If the file cannot be read or is protected, or several sheets hold something.
    """
    if data.startswith(_OLE):
        from lampyris.io.data_tables.old_excel import old_sheets

        sheets = old_sheets(file, data)
        read = sheets[_chosen(file, {name: bool(rows) for name, rows in sheets.items()}, "")]
    else:
        page = _page(file, data, "")
        _, read = _values(file, data, page.name)
        _told(read, page)
    return [[cell_text(value) for value in row] for row in read]


def hidden_cells(file: str, data: bytes, /, *, rows: tuple[int, int], columns: int) -> str:
    """Rows and columns of the only filled sheet that are hidden, in words; "" where none are, or an old file does not tell.

    Parameters
    ----------
    file : str
        Its name.
    data : bytes
        Its content.
    rows : tuple of int
        First and last row that is asked for, from 1.
    columns : int
        How many columns.

    Returns
    -------
    str
    """
    if data.startswith(_OLE):
        return ""
    page = _page(file, data, "")
    hidden = [str(row) for row in sorted(page.hidden_rows) if rows[0] <= row <= rows[1]]
    letters = [letter(column - 1) for column in sorted(page.hidden_columns) if column <= columns]
    parts = [(f"{len(hidden)} rows", hidden), (f"{len(letters)} columns", letters)]
    return " and ".join(
        f"{words} ({', '.join(each[:6])}{', ...' if len(each) > 6 else ''})" for words, each in parts if each
    )


def _page(file: str, data: bytes, sheet: str) -> _Page:
    """What a sheet's own file says; looked at before the reader opens it, which takes memory for every cell up to the farthest."""
    refuse_bomb(file, data, MAX_EXPANDED_BYTES, mend=_MEND)
    pages = _surveyed(file, data)
    page = pages[_chosen(file, {name: bool(one.rows) and one.visible for name, one in pages.items()}, sheet)]
    if page.rows * page.columns > MAX_CELLS:
        text = f"sheet {page.name!r} reaches to {_address(page.rows, page.columns)}: more than {MAX_CELLS} cells."
        raise refused(file, "table.too-large", text, "Delete the empty rows and columns behind the table.")
    return page


def _old_table(file: str, data: bytes, sheet: str) -> DataTable:
    from lampyris.io.data_tables.old_excel import old_sheets

    sheets = old_sheets(file, data)
    name = _chosen(file, dict.fromkeys(sheets, True), sheet)
    notes = [
        f"read from sheet {name!r}",
        "formula errors of .xls read as empty cells, and hidden rows are not told: .xlsx shows both",
    ]
    return table_of(Grid(file, list(enumerate(sheets[name], 1)), ".", notes, addressed=True))


def _values(file: str, data: bytes, name: str) -> tuple[list[tuple[tuple[int, int], tuple[int, int]]], list[list[Any]]]:
    """Merged ranges of a sheet, and its values."""
    import python_calamine as calamine

    try:
        with calamine.CalamineWorkbook.from_filelike(io.BytesIO(data)) as book:
            page = book.get_sheet_by_name(name)
            return list(page.merged_cell_ranges or ()), page.to_python(skip_empty_area=False)
    except calamine.PasswordError as error:
        raise refused(file, "table.protected", "is protected by a password.", "Save it without a password.") from error
    except (calamine.CalamineError, OSError, ValueError, OverflowError) as error:
        raise refused(file, "table.unreadable", f"cannot be read as a workbook: {str(error)[:120]}.", _MEND) from error
    except BaseException as error:
        # a panic of the reader written in Rust is no Exception
        if type(error).__name__ != "PanicException":
            raise
        raise refused(file, "table.unreadable", "is a broken workbook.", _MEND) from error


def _chosen(file: str, sheets: dict[str, bool], asked: str) -> str:
    """The sheet that is asked for, or the only one that is shown and holds something."""
    listed = ", ".join(map(repr, sheets))
    if asked:
        same = [name for name in sheets if name.strip().casefold() == asked.strip().casefold()]
        if not same:
            raise refused(file, "table.no-sheet", f"has no sheet {asked!r}.", f"Say --sheet with one of: {listed}.")
        return same[0]
    full = [name for name, holds in sheets.items() if holds]
    if not full:
        raise refused(
            file, "table.empty", f"has no sheet that holds anything ({listed}).", "Give a sheet with a table."
        )
    if len(full) > 1:
        raise refused(file, "table.sheets", f"holds {len(full)} sheets.", f"Say --sheet with one of: {listed}.")
    return full[0]


def _address(row: int, column: int) -> str:
    return f"{letter(column - 1)}{row}"


def _merge_faults(file: str, merged: list[tuple[tuple[int, int], tuple[int, int]]], first: int) -> list[Finding]:
    """Merged cells in the header or below it: only their first holds a value, the others would read as empty."""
    faults = []
    for (top, left), (bottom, right) in merged:
        if bottom + 1 < first - 1 or (top, left) == (bottom, right):
            continue
        where = f"{_address(top + 1, left + 1)}:{_address(bottom + 1, right + 1)}"
        mend = "Unmerge them and fill every cell: a column name each, or the group in each row."
        place = Place(file, top + 1, letter(left))
        faults.append(Finding("table.merged", Severity.ERROR, place, f"cells {where} are merged.", mend))
    return faults


def _told(read: list[list[Any]], seen: _Page) -> None:
    """Put what the reader of values leaves blank into its cells, so that a column of numbers refuses it by address."""
    for row, column, error in seen.errors:
        if row <= len(read) and column <= len(read[row - 1]):
            read[row - 1][column - 1] = error[:20] if error.startswith("#") else f"#{error[:20]}"
    for row, column in seen.unsolved:
        if row <= len(read) and column <= len(read[row - 1]):
            read[row - 1][column - 1] = UNSOLVED


def _noted(table: DataTable, seen: _Page) -> DataTable:
    notes = []
    hidden = sorted(seen.hidden_rows & set(table.lines))
    if hidden:
        shown = ", ".join(map(str, hidden[:6])) + (", ..." if len(hidden) > 6 else "")
        notes.append(f"{len(hidden)} hidden rows are read like all others ({shown}). {_HELD_BACK}")
    columns = [letter(k - 1) for k in sorted(seen.hidden_columns) if letter(k - 1) in table.letters]
    if columns:
        notes.append(f"hidden columns are read like all others: {', '.join(columns[:12])}")
    return table.chosen(list(range(len(table))), *notes) if notes else table


# ---- what the sheet's own file says ------------------------------------------------------------------------------


def _surveyed(file: str, data: bytes) -> dict[str, _Page]:
    """Every sheet as its own file describes it."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = set(archive.namelist())
            if "content.xml" in names:
                watcher = _OpenDocument()
                _parse(archive.read("content.xml"), watcher)
                return watcher.pages
            if "xl/workbook.xml" not in names:
                raise ValueError("it is no .xlsx and no .ods")
            pages = _listed(archive)
            for path, page in pages:
                _parse(archive.read(path), _Excel(page))
            return {page.name: page for _, page in pages}
    except (expat.ExpatError, *FAULTS) as error:
        raise refused(file, "table.unreadable", f"is a broken workbook: {str(error)[:120]}.", _MEND) from error


def _parse(xml: bytes, watcher: Any) -> None:
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartElementHandler = watcher.begin
    parser.EndElementHandler = watcher.end
    parser.CharacterDataHandler = watcher.text
    parser.StartDoctypeDeclHandler = _refuse_doctype
    parser.buffer_text = True
    parser.Parse(xml, True)


def _refuse_doctype(*_: object) -> None:
    raise ValueError("it declares a document type")


def _listed(archive: zipfile.ZipFile) -> list[tuple[str, _Page]]:
    """Sheets of an Excel file with their paths inside it."""
    sheets: list[tuple[str, _Page]] = []
    targets: dict[str, str] = {}

    class Book:
        def begin(self, tag: str, attributes: dict[str, str]) -> None:
            kind = tag.rpartition(" ")[2]
            if kind == "sheet":
                reference = next((v for k, v in attributes.items() if k.rpartition(" ")[2] == "id" and " " in k), "")
                shown = attributes.get("state", "visible") == "visible"
                sheets.append((reference, _Page(attributes.get("name", ""), shown)))
            elif kind == "Relationship" and "worksheet" in attributes.get("Type", ""):
                targets[attributes.get("Id", "")] = attributes.get("Target", "")

        def end(self, tag: str) -> None:
            del tag

        def text(self, words: str) -> None:
            del words

    _parse(archive.read("xl/workbook.xml"), Book())
    _parse(archive.read("xl/_rels/workbook.xml.rels"), Book())
    # a sheet that is a chart alone has no cells
    found = [(targets[reference], page) for reference, page in sheets if reference in targets]
    return [(path.lstrip("/") if path.startswith("/") else f"xl/{path}", page) for path, page in found]


class _Excel:
    """Watches a sheet of .xlsx."""

    def __init__(self, seen: _Page) -> None:
        self.seen = seen
        self.row = self.column = 0
        self.kind = self.held = ""
        self.formula = self.value = self.inside = False

    def begin(self, tag: str, attributes: dict[str, str]) -> None:
        kind = tag.rpartition(" ")[2]
        if kind == "row":
            self.row = int(attributes.get("r", self.row + 1))
            self.column = 0
            if attributes.get("hidden") in ("1", "true"):
                self.seen.hidden_rows.add(self.row)
        elif kind == "c":
            reference = _REFERENCE.fullmatch(attributes.get("r", ""))
            self.column = _number(reference[1]) if reference else self.column + 1
            self.kind, self.held, self.formula, self.value = attributes.get("t", "n"), "", False, False
            self.seen.rows, self.seen.columns = max(self.seen.rows, self.row), max(self.seen.columns, self.column)
        elif kind == "f":
            self.formula = True
        elif kind == "v":
            self.inside = True
        elif kind == "col" and attributes.get("hidden") in ("1", "true"):
            self.seen.hidden_columns.update(range(int(attributes["min"]), min(int(attributes["max"]), 16384) + 1))

    def text(self, words: str) -> None:
        if self.inside:
            self.held += words

    def end(self, tag: str) -> None:
        kind = tag.rpartition(" ")[2]
        if kind == "v":
            self.inside = False
        elif kind == "c":
            if self.kind == "e":
                self.seen.errors.append((self.row, self.column, self.held))
            elif self.formula and not self.held and self.kind not in ("str", "inlineStr"):
                self.seen.unsolved.append((self.row, self.column))


class _OpenDocument:
    """Watches the sheets of .ods."""

    def __init__(self) -> None:
        self.pages: dict[str, _Page] = {}
        self.seen = _Page("")
        self.on = self.filled = False
        self.row = self.column = 0
        self.times = self.wide = 1
        self.full = self.failed = False
        self.held = ""

    def begin(self, tag: str, attributes: dict[str, str]) -> None:
        kind = tag.rpartition(" ")[2]
        plain = {key.rpartition(" ")[2]: value for key, value in attributes.items()}
        if kind == "table":
            self.on, self.row = True, 0
            self.seen = self.pages.setdefault(plain.get("name", ""), _Page(plain.get("name", "")))
        if not self.on:
            return
        if kind == "table-row":
            self.times = int(plain.get("number-rows-repeated", 1))
            if plain.get("visibility") in ("collapse", "filter"):
                self.seen.hidden_rows.update(range(self.row + 1, self.row + 1 + min(self.times, 1000)))
            self.column, self.full = 0, False
        elif kind in ("table-cell", "covered-table-cell"):
            self.wide = int(plain.get("number-columns-repeated", 1))
            self.failed = any(key.endswith("calcext:1.0 value-type") and v == "error" for key, v in attributes.items())
            self.held = ""
            self.filled = "value-type" in plain

    def text(self, words: str) -> None:
        if self.on and len(self.held) < 40:
            self.held += words

    def end(self, tag: str) -> None:
        kind = tag.rpartition(" ")[2]
        if not self.on:
            return
        if kind in ("table-cell", "covered-table-cell"):
            if self.failed or self.held.strip() in ("#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "Err:502"):
                self.seen.errors.append((self.row + 1, self.column + 1, self.held.strip() or "Err"))
            self.column += self.wide
            if self.filled:
                self.full = True
                self.seen.columns = max(self.seen.columns, self.column)
        elif kind == "table-row":
            self.row += self.times
            if self.full:
                self.seen.rows = max(self.seen.rows, self.row)
        elif kind == "table":
            self.on = False


def _number(letters: str) -> int:
    value = 0
    for one in letters:
        value = 26 * value + ord(one) - 64
    return value
