"""The study's sheets read with every fault placed and mended, and written so that they read back the same.

A sheet is a text table as a spreadsheet program saves it: comma, semicolon (then with a decimal comma) or tab between
cells, UTF-8. Columns are the schemas of `lampyris.core.schemas`; rules across rows are `lampyris.study.check`.
"""

import csv
import datetime
import io
import math
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from lampyris.core.errors import LampyrisError
from lampyris.core.finding import Finding, Place, Severity
from lampyris.core.schemas import Column
from lampyris.io.durable import write_text
from lampyris.io.mends import LONG_EXPOSURE_S, did_you_mean, unit_hint
from lampyris.io.paths import PATH_MEND, path_fault

Row = TypeVar("Row")

MAX_BYTES = 64_000_000
"""A sheet above this is no sheet."""

# "sub-" and "ses-" before a name must still make a file name of at most 255 bytes
_NAME_BYTES = 200
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,4})?", re.ASCII)
_LEADING_NUMBER = re.compile(r"[+-]?\d+([.,]\d+)?\s*(?P<unit>[^\d\s.,].*)", re.ASCII)
_DATE = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:\d\d)?)?", re.ASCII)
# marks that turn or hide text: two names that look alike would differ
_UNSEEN = frozenset("\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")
_FORMULA = re.compile(r"'*[=+\-@]")
_PROTECTED = re.compile(r"'+[=+\-@]")
_SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab"}


def read_sheet(
    path: Path, schema: tuple[Column, ...], row_type: type[Row], /
) -> tuple[tuple[Row, ...], tuple[Finding, ...]]:
    """Read a sheet and remark on everything that is wrong with it.

    Parameters
    ----------
    path : Path
        The sheet, in the study's folder: paths in its cells are held inside that folder.
    schema : tuple of Column
        What may stand in it.
    row_type : type
        Dataclass with a field ``row`` and one per column.

    Returns
    -------
    rows : tuple of row_type
        Rows without an error, in the order of the file. Unfilled text is "", unfilled numbers are NaN, unfilled flags False.
    findings : tuple of Finding
        In the order of the file; with an error among them the sheet is not to be analysed.
    """
    sheet = _Sheet(Path(path))
    text = _decoded(sheet)
    records = _records(sheet, text) if text is not None else []
    rows: list[Row] = []
    if records:
        sheet.header_row = records[0][0]
        positions = _positions(sheet, schema, records[0][1])
        # spreadsheet programs leave columns without a name at the end
        named = frozenset(position for position, name in enumerate(records[0][1]) if name.strip())
        for line, cells in records[1:] if positions else ():
            values = _row_values(sheet, schema, positions, named, line, cells)
            if values is not None:
                rows.append(row_type(row=line, **values))  # type: ignore[call-arg]
        _check_decimals(sheet)
    if text is not None and len(records) < 2 and not sheet.findings:
        sheet.error("sheet.empty", None, "", "holds no rows.", "Fill in one row per entry below the header.")
    return tuple(rows), tuple(sorted(sheet.findings, key=lambda finding: finding.place.row or 0))


def write_sheet(path: Path, schema: tuple[Column, ...], rows: Iterable[object], /) -> None:
    """Write a sheet durably: UTF-8, commas, decimal points; `read_sheet` returns the same rows.

    Text that a spreadsheet would take for a formula gets a leading apostrophe, which `read_sheet` takes off.

    Parameters
    ----------
    path : Path
        Final name.
    schema : tuple of Column
        Columns, in their order.
    rows : iterable
        Objects with one attribute per column; their ``row`` is not written.

    Raises
    ------
    LampyrisError
        If the file cannot be written.
    """
    write_text(path, sheet_text(schema, rows))


def sheet_text(schema: tuple[Column, ...], rows: Iterable[object], /) -> str:
    """Return the text that `write_sheet` writes.

    Parameters
    ----------
    schema : tuple of Column
        Columns, in their order.
    rows : iterable
        Objects with one attribute per column.

    Returns
    -------
    str
        CSV after RFC 4180.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> sheet_text((Column("animal", "name", True, ""), Column("day", "number", True, "")), [SimpleNamespace(animal="m01", day=7.0)])
    'animal,day\\r\\nm01,7\\r\\n'
    """
    stream = io.StringIO(newline="")
    writer = csv.writer(stream)
    writer.writerow([column.name for column in schema])
    for row in rows:
        writer.writerow([_cell_text(getattr(row, column.name)) for column in schema])
    return stream.getvalue()


def raise_errors(findings: Iterable[Finding], /, *, error: type[LampyrisError], message: str) -> None:
    """Raise one error that carries all findings of severity error, if there are any.

    Parameters
    ----------
    findings : iterable of Finding
        What was remarked.
    error : type
        Class to raise.
    message : str
        Its sentence.

    Raises
    ------
    LampyrisError
        Of the class given.
    """
    errors = [finding for finding in findings if finding.severity is Severity.ERROR]
    if errors:
        raise error(message, errors)


@dataclass(slots=True)
class _Sheet:
    """A sheet while it is read: its place, how it is written, and what was remarked so far."""

    path: Path
    separator: str = ","
    header_row: int = 1
    findings: list[Finding] = field(default_factory=list)
    path_faults: dict[str, str] = field(default_factory=dict)
    with_point: list[tuple[int, str, str]] = field(default_factory=list)
    with_comma: bool = False

    def error(self, rule: str, row: int | None, column: str, seen: str, mend: str) -> None:
        self.findings.append(Finding(rule, Severity.ERROR, Place(self.path.name, row, column), seen, mend))

    def warn(self, rule: str, row: int | None, column: str, seen: str, mend: str) -> None:
        self.findings.append(Finding(rule, Severity.WARNING, Place(self.path.name, row, column), seen, mend))


def _decoded(sheet: _Sheet) -> str | None:
    """Text of the file; None where it cannot be read."""
    try:
        size = sheet.path.stat().st_size
        data = sheet.path.read_bytes() if size <= MAX_BYTES else b""
    except OSError as error:
        mend = "Put the sheet into the study's folder; `lampyris simulate` writes an example."
        sheet.error("sheet.missing", None, "", f"cannot be read: {error.strerror}.", mend)
        return None
    if size > MAX_BYTES:
        sheet.error("sheet.size", None, "", f"is larger than {MAX_BYTES} bytes.", "Is it the right file?")
        return None
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return _decoded_utf16(sheet, data)
    if b"\0" in data[:32]:
        seen = "looks like UTF-16 without its mark, or is no text."
        sheet.error("sheet.encoding", None, "", seen, "Save it as 'CSV UTF-8'.")
        return None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        row = data.count(b"\n", 0, error.start) + 1
        mend = "Save the sheet as 'CSV UTF-8' and look at its accented letters."
        try:
            text = data.decode("cp1252")
        except UnicodeDecodeError:
            sheet.error("sheet.encoding", row, "", f"is not UTF-8: byte 0x{data[error.start]:02x}.", mend)
            return None
        seen = f"is not UTF-8 but looks like Windows-1252: {text.split(chr(10))[row - 1].strip()[:60]!r}."
        sheet.error("sheet.encoding", row, "", seen, mend)
        return text


def _decoded_utf16(sheet: _Sheet, data: bytes) -> str | None:
    try:
        text = data.decode("utf-16")
    except UnicodeDecodeError:
        sheet.error("sheet.encoding", None, "", "begins as UTF-16 but is cut or damaged.", "Save it as 'CSV UTF-8'.")
        return None
    sheet.warn("sheet.encoding", None, "", "is UTF-16, which was read.", "Save it as 'CSV UTF-8' for other programs.")
    return text


def _records(sheet: _Sheet, text: str) -> list[tuple[int, list[str]]]:
    """Line number and stripped cells of every record that is not blank; the first is the header."""
    lines = text.splitlines() or [""]
    first = 0
    if re.fullmatch(r"sep=[,;\t]", lines[0]):
        # a line that tells a spreadsheet program the separator
        sheet.separator, first = lines[0][4], 1
    else:
        header = next((line for line in lines if line.strip()), "")
        sheet.separator = max(_SEPARATORS, key=lambda mark: _outside_quotes(header).count(mark))
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=sheet.separator, strict=True)
    records = []
    line = 1
    try:
        for cells in reader:
            if line > first and any(cell.strip() for cell in cells):
                records.append((line, cells))
            line = reader.line_num + 1
    except csv.Error as error:
        mend = "Close every quote, and double quotes inside a quoted cell."
        sheet.error("sheet.quotes", line, "", f"cannot be taken apart from here on: {error}.", mend)
    return records


def _outside_quotes(line: str) -> str:
    return re.sub(r'"[^"]*"', "", line)


def _positions(sheet: _Sheet, schema: tuple[Column, ...], header: Sequence[str]) -> dict[str, int]:
    """Where each known column stands; remarks on unknown, doubled and missing ones."""
    known = [column.name for column in schema]
    row = sheet.header_row
    names = [cell.strip() for cell in header]
    if not any(column.name in names for column in schema if column.required):
        mend = f"Begin with a line of column names: {', '.join(known)}."
        sheet.error("sheet.header", row, "", "holds none of the required column names.", mend)
        return {}
    positions: dict[str, int] = {}
    for position, name in enumerate(names):
        if name in positions:
            sheet.error("sheet.doubled-column", row, name, f"{name!r} stands twice in the header.", "Keep one of them.")
        elif name in known:
            positions[name] = position
        elif name:
            near = did_you_mean(name, [entry for entry in known if entry not in names])
            mend = f"Did you mean {near}?" if near else f"Remove it; known are {', '.join(known)}."
            sheet.error("sheet.unknown-column", row, name, f"{_shown(name)} is no known column.", mend)
    for column in schema:
        if column.required and column.name not in positions:
            mend = f"Add a column {column.name}: {column.meaning}."
            sheet.error("sheet.missing-column", row, column.name, f"column {column.name!r} is missing.", mend)
    return positions


def _row_values(
    sheet: _Sheet,
    schema: tuple[Column, ...],
    positions: dict[str, int],
    named: frozenset[int],
    line: int,
    cells: Sequence[str],
) -> dict[str, Any] | None:
    """Converted cells of one row by column; None where one is wrong."""
    before = len(sheet.findings)
    width = max(named, default=-1) + 1
    spare = [cell for position, cell in enumerate(cells) if position not in named and cell.strip()]
    if spare:
        mend = f"Quote cells that hold a {_SEPARATORS[sheet.separator]}, or remove what has no header."
        sheet.error("sheet.ragged", line, "", f"has cells without a header, such as {_shown(spare[0])}.", mend)
    if width > len(cells):
        seen = f"has {len(cells)} cells where the header has {width}."
        sheet.error("sheet.ragged", line, "", seen, "Fill in the row; leave cells empty between separators.")
    values = {}
    for column in schema:
        position = positions.get(column.name, -1)
        given = 0 <= position < len(cells)
        values[column.name] = _converted(sheet, column, line, cells[position]) if given else _unfilled(column)
    errors = [finding for finding in sheet.findings[before:] if finding.severity is Severity.ERROR]
    complete = all(column.name in positions for column in schema if column.required)
    return values if complete and not errors else None


def _unfilled(column: Column) -> Any:
    """Value of an empty cell."""
    return {"number": math.nan, "integer": math.nan, "flag": False}.get(column.kind, "")


def _converted(sheet: _Sheet, column: Column, line: int, cell: str) -> Any:
    """Value of a cell; remarks on what is wrong with it and then returns the empty value."""
    bad = next((letter for letter in cell if unicodedata.category(letter) in ("Cc", "Cs")), "")
    if bad:
        seen = f"{_shown(cell)} holds the control character U+{ord(bad):04X}."
        sheet.error("sheet.control-character", line, column.name, seen, "Type the cell anew, in one line.")
        return _unfilled(column)
    text = cell.strip()
    if _PROTECTED.match(text):
        text = text[1:]
    if not text:
        if column.required:
            seen, mend = "is empty.", f"Fill in {column.name}: {column.meaning}."
            sheet.error("sheet.empty-cell", line, column.name, seen, mend)
        return _unfilled(column)
    return _CONVERSIONS[column.kind](sheet, column, line, text)


def _as_text(sheet: _Sheet, column: Column, line: int, text: str) -> str:
    del sheet, column, line
    return text


def _as_name(sheet: _Sheet, column: Column, line: int, text: str) -> str:
    """A name that can become part of a file's name."""
    faults = (
        ("/" in text or "\\" in text, "holds a slash"),
        (text in (".", ".."), "is a directory's own name"),
        (not _UNSEEN.isdisjoint(text), "holds an invisible mark"),
        (len(text.encode("utf-8")) > _NAME_BYTES, f"is longer than {_NAME_BYTES} bytes"),
    )
    for found, fault in faults:
        if found:
            mend = "Use letters, digits, spaces, - and _."
            sheet.error("sheet.name", line, column.name, f"{_shown(text)} {fault}.", mend)
            return ""
    return text


def _as_number(sheet: _Sheet, column: Column, line: int, text: str) -> float:
    """A number inside its column's bounds; a decimal comma is one only where cells are not separated by commas."""
    plain = text
    if sheet.separator == ";" and re.fullmatch(r"[+-]?\d*,\d+([eE][+-]?\d+)?", text, re.ASCII):
        plain, sheet.with_comma = text.replace(",", "."), True
    elif "." in text:
        sheet.with_point.append((line, column.name, text))
    value = float(plain) if _NUMBER.fullmatch(plain) else math.nan
    if column.kind == "integer" and math.isfinite(value) and value != int(value):
        sheet.error("sheet.number", line, column.name, f"{text!r} is no whole number.", "Write a whole number.")
        return math.nan
    if not math.isfinite(value):
        sheet.error("sheet.number", line, column.name, f"{_shown(text)} is no number.", _number_mend(column, text))
        return math.nan
    low, high = column.low, column.high
    if (low is not None and value < low) or (high is not None and value > high):
        seen = f"{text} is outside {'' if low is None else f'{low:g}'} to {'' if high is None else f'{high:g}'}."
        hint = unit_hint(column.name, value, low=low, high=high)
        mend = hint or f"Correct it: {column.meaning}."
        sheet.error("sheet.out-of-bounds", line, column.name, seen, mend)
        return math.nan
    if column.name == "exposure_s" and value > LONG_EXPOSURE_S:
        seen = f"{text} s is a very long exposure; it looks like milliseconds."
        sheet.warn("sheet.unit", line, column.name, seen, f"Write {value / 1000:g} if it was milliseconds.")
    return value


def _number_mend(column: Column, text: str) -> str:
    """What to write instead of a cell that is no number."""
    unit = _LEADING_NUMBER.fullmatch(text)
    if text.casefold() in ("nan", "na", "n/a", "n.a.", "none", "null", "-", "?", "inf", "-inf"):
        return "Fill in a number." if column.required else "Leave the cell empty where the number is not known."
    if unit:
        return f"Write the number alone; its unit stands in the column's name ({column.name})."
    if re.fullmatch(r"[+-]?\d+,\d+", text):
        return f"Write the decimal point as '.': {text.replace(',', '.')}."
    return "Write a number such as 12.5, without spaces or thousands separators."


def _check_decimals(sheet: _Sheet) -> None:
    """Refuse points beside decimal commas: 1.500 would then be fifteen hundred to one reader and 1.5 to another."""
    if sheet.with_comma:
        for line, name, text in sheet.with_point:
            seen = f"{text!r} has a point where other cells have a decimal comma."
            sheet.error("sheet.mixed-decimals", line, name, seen, "Write all numbers of the sheet in one way.")


def _as_integer(sheet: _Sheet, column: Column, line: int, text: str) -> float:
    value = _as_number(sheet, column, line, text)
    return int(value) if math.isfinite(value) else value


def _as_date(sheet: _Sheet, column: Column, line: int, text: str) -> str:
    """A date or date and time that exists."""
    try:
        if not _DATE.fullmatch(text):
            raise ValueError("another form")
        datetime.datetime.fromisoformat(text)
    except ValueError:
        mend = "Write year-month-day, as 2025-03-09 or 2025-03-09T14:30."
        sheet.error("sheet.date", line, column.name, f"{_shown(text)} is no date.", mend)
        return ""
    return text


def _as_path(sheet: _Sheet, column: Column, line: int, text: str) -> str:
    """A path that stays inside the study."""
    if text not in sheet.path_faults:
        sheet.path_faults[text] = path_fault(sheet.path.parent, text)
    fault = sheet.path_faults[text]
    if fault:
        sheet.error("path.refused", line, column.name, fault, PATH_MEND)
    return "" if fault else text


def _as_choice(sheet: _Sheet, column: Column, line: int, text: str) -> str:
    if text in column.choices:
        return text
    near = did_you_mean(text.replace("_", " "), column.choices) or did_you_mean(text, column.choices)
    seen = f"{_shown(text)} is none of {', '.join(column.choices)}."
    sheet.error("sheet.choice", line, column.name, seen, f"Did you mean {near}?" if near else "Choose one of them.")
    return ""


def _as_flag(sheet: _Sheet, column: Column, line: int, text: str) -> bool:
    if text.casefold() not in ("yes", "no"):
        sheet.error("sheet.flag", line, column.name, f"{_shown(text)} is neither yes nor no.", "Write yes or no.")
    return text.casefold() == "yes"


_CONVERSIONS = {
    "text": _as_text,
    "name": _as_name,
    "number": _as_number,
    "integer": _as_integer,
    "date": _as_date,
    "path": _as_path,
    "choice": _as_choice,
    "flag": _as_flag,
}


def _cell_text(value: object) -> str:
    """Cell that reads back as the value."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        if math.isnan(value):
            return ""
        return repr(float(value)).removesuffix(".0") if isinstance(value, float) else str(value)
    text = str(value)
    return f"'{text}" if _FORMULA.match(text) else text


def _shown(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:57] + "...")
