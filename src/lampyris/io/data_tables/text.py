"""Tables as text: comma, semicolon or tab between cells, in any encoding that a spreadsheet program writes."""

import codecs
import csv
import io
import itertools
import re
from collections import Counter

from lampyris.io.data_tables.grid import MAX_CELLS, Grid, refused
from lampyris.io.encodings import unmarked_utf16

MAX_BYTES = 64_000_000
"""A text table above this is not read."""

_SEPARATORS = (";", "\t", ",")
_COMMA = re.compile(r"[+-]?\d*,\d+([eE][+-]?\d+)?", re.ASCII)
_POINT = re.compile(r"[+-]?\d*\.\d+([eE][+-]?\d+)?", re.ASCII)
_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}", re.ASCII)
_LOOKED_AT, _LOOKED_AT_LETTERS = 200, 200_000
_AS_CSV = "Save it from its program as CSV (UTF-8)."


def text_grid(file: str, data: bytes, /, *, decimal: str = "") -> Grid:
    """Rows of a text table.

    Parameters
    ----------
    file : str
        Its name.
    data : bytes
        Its content.
    decimal : str
        Decimal mark; found where empty.

    Returns
    -------
    Grid

    Raises
    ------
    InputError
        If it is no text, a quote is never closed, or its decimal mark cannot be told.
    """
    text, notes = _decoded(file, data)
    separator = _separator(text)
    rows: list[tuple[int, list[str]]] = []
    # a blank after the separator is no part of a cell, and a quote behind it begins one
    reader = csv.reader(
        io.StringIO(text, newline=""), delimiter=separator, strict=True, skipinitialspace=separator != "\t"
    )
    cells = 0
    start = 1
    try:
        for row in reader:
            # a quoted cell may run over lines: a row is called by its first
            rows.append((start, row))
            start = reader.line_num + 1
            cells += len(row)
            if cells > MAX_CELLS:
                raise refused(file, "table.too-large", f"holds more than {MAX_CELLS} cells.", "Split the table.")
    except csv.Error as error:
        seen = f"cannot be read from here on: {error}."
        mend = "Close every quote, and double a quote inside a cell."
        raise refused(file, "table.quotes", seen, mend, row=start) from error
    mark = decimal or _decimal(file, rows, separator)
    return Grid(file, rows, mark, notes)


def _decoded(file: str, data: bytes) -> tuple[str, list[str]]:
    for mark, encoding in (
        (codecs.BOM_UTF8, "utf-8-sig"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):
        if data.startswith(mark):
            try:
                return _clean(file, data.decode(encoding)), []
            except UnicodeDecodeError as error:
                seen = f"begins as {encoding} and breaks off or goes wrong: {error.reason}."
                raise refused(file, "table.encoding", seen, _AS_CSV) from error
    wide = unmarked_utf16(data)
    if wide:
        return _clean(file, data.decode(wide)), []
    if b"\0" in data:
        raise refused(file, "table.unreadable", "is no text table: it holds binary data.", _AS_CSV)
    try:
        return _clean(file, data.decode("utf-8")), []
    except UnicodeDecodeError:
        pass
    try:
        text = data.decode("cp1252")
    except UnicodeDecodeError as error:
        seen = f"is neither UTF-8 nor Windows-1252: byte {error.start}."
        raise refused(file, "table.encoding", seen, _AS_CSV) from error
    return _clean(file, text), ["read as Windows-1252, which is not UTF-8: check letters beyond ASCII"]


def _clean(file: str, text: str) -> str:
    if "\0" in text:
        raise refused(file, "table.unreadable", "is no text table: it holds binary data.", _AS_CSV)
    if re.match(r"\s*<(!doctype|html|table|\?xml)", text[:200], re.IGNORECASE):
        seen = "is a page in HTML or XML, whatever its name says."
        raise refused(file, "table.unreadable", seen, "Open it in a spreadsheet program and save it as .xlsx or CSV.")
    # some programs say how cells are separated in a first line of their own
    return "\n" + text.partition("\n")[2] if re.match(r"sep=.\r?\n", text) else text


def _separator(text: str) -> str:
    """The mark by which most lines fall into the same number of cells."""
    head = io.StringIO(text[:_LOOKED_AT_LETTERS], newline="")
    best, found = (0.0, 0), ","
    for mark in _SEPARATORS:
        try:
            head.seek(0)
            read = itertools.islice(csv.reader(head, delimiter=mark, skipinitialspace=mark != "\t"), _LOOKED_AT)
            rows = [row for row in read if any(cell.strip() for cell in row)]
        except csv.Error:
            continue
        widths = Counter(len(row) for row in rows if len(row) > 1)
        if not widths:
            continue
        width, often = max(widths.items(), key=lambda entry: (entry[1], entry[0]))
        score = (often / len(rows), width)
        # a little better is no better: commas of decimals and titles are not what separates cells
        if score[0] > best[0] + 0.05 or (abs(score[0] - best[0]) <= 0.05 and not best[1]):
            best, found = score, mark
    return found


def _decimal(file: str, rows: list[tuple[int, list[str]]], separator: str) -> str:
    """The decimal mark of a table; refused where a comma could be either."""
    if separator == ",":
        return "."
    commas, points, thousands = 0, 0, None
    for line, row in rows:
        for cell in row:
            text = cell.strip()
            if _COMMA.fullmatch(text):
                commas += 1
                if thousands is None and _THOUSANDS.fullmatch(text):
                    thousands = (line, text)
                elif not _THOUSANDS.fullmatch(text):
                    thousands = (0, "")
            elif _POINT.fullmatch(text):
                points += 1
    if not commas:
        return "."
    if points:
        # the rarer way is refused cell by cell, where a column is asked for numbers
        return "," if commas >= points else "."
    if thousands is not None and thousands[0]:
        seen = f"{thousands[1]!r} may be a thousand or a fraction, and every comma of the table stands so."
        mend = "Say --decimal comma or --decimal point, or write numbers without thousands separators."
        raise refused(file, "table.decimal", seen, mend, row=thousands[0])
    return ","
