"""Columns of numbers in an instrument's text export, found among its preamble and footer, whatever separates them."""

import codecs
import contextlib
import csv
import math
import re
from collections import Counter
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from lampyris.core.errors import ImageError, InputError
from lampyris.io.encodings import unmarked_utf16
from lampyris.io.instruments.files import refuse

MAX_CELLS = 20_000_000
"""Numbers of one file; more are refused."""

# separator and decimal mark that text exports use, the likelier first where two fit equally well; commas that part and mark
# decimals alike are told apart by the quotes about the cells
_FORMS = (("\t", "."), ("\t", ","), (";", "."), (";", ","), (",", "."), (",", ","), (" ", "."), (" ", ","))
_POINT = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eEdD][+-]?\d{1,4})?", re.ASCII)
_COMMA = re.compile(r"[+-]?(\d+,?\d*|,\d+)([eEdD][+-]?\d{1,4})?", re.ASCII)
NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,4}(?!\d))?", re.ASCII)
"""A number with a decimal point, as formats with labels write it."""
_MISSING = frozenset(("", "nan", "na", "n/a", "-", "--", "inf", "-inf", "#n/a", "over", "ovrflw"))
_LOOKED_AT = 4000
_MANY_ROWS = 8
"""Rows of numbers apart from the block that may be a curve of their own."""
# what the first number of a row can begin with
_BEGINS = frozenset("+-.,0123456789")
_WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
"""First bytes of .xlsx and .ods, and of .xls."""


@dataclass(frozen=True, slots=True, eq=False)
class NumericText:
    """The largest block of numbers of a text.

    Parameters
    ----------
    values : numpy.ndarray
        Dims (row, column); NaN where a cell is empty.
    names : tuple of str
        Cell above each column, "" where there is none.
    samples : tuple of str
        Cell above the names, where the export has two lines of them.
    preamble : tuple of str
        Lines above the block, names included.
    rows : numpy.ndarray
        Line of the file of each row, dims (row,).
    decimal : str
        Decimal mark that was found.
    footer : bool
        Whether text follows the block.
    others : int
        Rows of as many numbers that stand apart from the block, and are not in it.
    hidden : str
        Rows and columns that a workbook hides, and that are read like all others; "" where none are.
    """

    values: NDArray[np.float64]
    names: tuple[str, ...]
    samples: tuple[str, ...]
    preamble: tuple[str, ...]
    rows: NDArray[np.int64]
    decimal: str
    footer: bool
    others: int
    hidden: str = ""

    @property
    def remarks(self) -> dict[str, str]:
        """What a noun's words say of the reading: cells that are hidden, and rows that stand apart where they are many."""
        told = {"hidden cells": self.hidden}
        if self.others >= _MANY_ROWS:
            told["rows apart"] = str(self.others)
        return {name: words for name, words in told.items() if words}


def decoded(data: bytes, /, *, file: str) -> str:
    """Text of a file in UTF-8, UTF-16 with its mark or of plain letters, or Windows-1252; of a workbook its cells with tabs between.

    Raises
    ------
    ImageError
        If it holds binary data, is a page in HTML, or a workbook that cannot be read.
    """
    if data[:4] in _WORKBOOKS:
        return _workbook_text(data, file)
    for mark, encoding in (
        (codecs.BOM_UTF8, "utf-8-sig"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):
        if data.startswith(mark):
            try:
                text = data.decode(encoding)
            except UnicodeDecodeError as error:
                seen = f"begins as {encoding} and goes wrong: {error.reason}."
                refuse(file, "instrument.encoding", seen, "Export it again as plain text.")
            break
    else:
        try:
            text = data.decode(unmarked_utf16(data) or "utf-8")
        except UnicodeDecodeError:
            # every byte has a meaning there but five
            text = data.decode("cp1252", errors="replace")
    if "\0" in text:
        mend = (
            "If it is text of 16 bits a letter (UTF-16), save it as UTF-8 in any editor; else export it as text or CSV."
        )
        refuse(file, "instrument.binary", "is no text: it holds bytes that are 0, as binary data does.", mend)
    if re.match(r"\s*<(!doctype|html)", text[:200], re.IGNORECASE):
        refuse(file, "instrument.binary", "is a page in HTML.", "Export it as text or CSV.")
    return text


def _workbook_text(data: bytes, file: str) -> str:
    """Rows of the only filled sheet as lines, so that a line has the number of its row."""
    from lampyris.io.data_tables.workbook import workbook_rows

    try:
        rows = workbook_rows(file, data)
    except InputError as error:
        # which sheet is meant cannot be said here
        mends = {"table.sheets": "Keep one sheet in the file, or export the one you mean as CSV."}
        findings = [replace(one, mend=mends.get(one.rule, one.mend)) for one in error.findings]
        raise ImageError(f"{file} cannot be read.", findings) from error
    return "\n".join("\t".join(" ".join(cell.split()) for cell in row) for row in rows)


def numeric_text(data: bytes, /, *, file: str, columns: int = 2) -> NumericText:
    """Columns of numbers of a text.

    Parameters
    ----------
    data : bytes
        Content of the file.
    file : str
        As the user knows it.
    columns : int
        Fewest columns that make a block.

    Returns
    -------
    NumericText

    Raises
    ------
    ImageError
        If there is no block of numbers, a line that goes on with its axis holds a word (the cell is named), or commas part columns
        and decimals alike.
    """
    lines = decoded(data, file=file).splitlines()
    separator, decimal = _form(lines, columns)
    pattern = _COMMA if decimal == "," else _POINT
    cells = [_cells(line, separator) for line in lines]
    numeric = [_is_row(row, pattern, columns) for row in cells]
    if not any(numeric):
        seen = f"holds no line with {columns} or more numbers."
        refuse(file, "instrument.no-numbers", seen, "Export axis and signal as columns of text.")
    unmeasured = _unmeasured(cells, numeric, pattern)
    blank = [gap or all(cell.lower() in _MISSING for cell in row) for row, gap in zip(cells, unmeasured, strict=True)]
    start, end = _block(numeric, blank)
    _refuse_break(cells, (start, end), pattern, file)
    block = [(number, row) for number, row in enumerate(cells[start:end], start=start + 1) if any(row)]
    width = max(len(row) for _, row in block)
    if width * len(block) > MAX_CELLS:
        refuse(file, "instrument.too-large", f"holds more than {MAX_CELLS} numbers.", "Split the file.")
    values = np.full((len(block), width), math.nan)
    for k, (number, row) in enumerate(block):
        for column, cell in enumerate(row):
            values[k, column] = _number(cell, pattern, decimal, file, number)
    above = [row for row in cells[:start] if not _bare(row, pattern)]
    names, samples = _heads(above, width)
    if separator == "," and decimal == ".":
        _refuse_decimal_commas(block, len([name for name in names if name]), file)
    return NumericText(
        values,
        names,
        samples,
        tuple(line.strip() for line in lines[:start]),
        np.array([number for number, _ in block]),
        decimal,
        any(any(row) for row in cells[end:]),
        sum(row and len(cells[k]) == width for k, row in enumerate(numeric) if not start <= k < end),
        _hidden(data, file, (start + 1, end), width),
    )


def _hidden(data: bytes, file: str, rows: tuple[int, int], width: int) -> str:
    """What a workbook hides of a block of rows, the first and last counted from 1."""
    if data[:4] not in _WORKBOOKS:
        return ""
    from lampyris.io.data_tables.workbook import hidden_cells

    return hidden_cells(file, data, rows=rows, columns=width)


def numbers_in(line: str, /) -> tuple[list[float], str]:
    """Numbers of a line, and what else stands there beside blanks, commas and semicolons.

    Examples
    --------
    >>> numbers_in("1.5, -2;3e1"), numbers_in("1 #2")
    (([1.5, -2.0, 30.0], ''), ([1.0, 2.0], '#'))
    """
    return [float(one) for one in NUMBER.findall(line)], NUMBER.sub("", line).strip(" ,;\t\r\n")


def _cells(line: str, separator: str) -> list[str]:
    if separator == " ":
        return line.split()
    parts = line.split(separator)
    if separator == "," and '"' in line:
        # a quoted cell may hold the separator, as a number with a decimal comma does
        with contextlib.suppress(csv.Error):
            parts = next(csv.reader([line]), [])
    row = [cell.strip().strip('"').strip() for cell in parts]
    # many exports end each line with a separator
    while row and not row[-1]:
        row.pop()
    return row


def _form(lines: list[str], columns: int) -> tuple[str, str]:
    """Separator and decimal mark by which most lines are rows of numbers of one width."""
    best, found = 0, _FORMS[0]
    looked_at = lines if len(lines) <= _LOOKED_AT else lines[: _LOOKED_AT // 2] + lines[-_LOOKED_AT // 2 :]
    most = sum(line.lstrip().lstrip('"').lstrip()[:1] in _BEGINS for line in looked_at)
    for separator, decimal in _FORMS:
        pattern = _COMMA if decimal == "," else _POINT
        rows = (_cells(line, separator) for line in looked_at)
        widths = Counter(len(row) for row in rows if _is_row(row, pattern, columns))
        often = max(widths.values(), default=0)
        if often > best:
            best, found = often, (separator, decimal)
        if best == most:
            # no other form can find more
            break
    return found


def _is_row(row: list[str], pattern: re.Pattern[str], columns: int) -> bool:
    """Axis given, and every other cell a number or a word for none, at least one of them a number."""
    if len(row) < columns or not pattern.fullmatch(row[0]):
        return False
    numbers = 0
    for cell in row[1:]:
        if pattern.fullmatch(cell):
            numbers += 1
        elif cell.lower() not in _MISSING:
            return False
    return numbers > 0


def _unmeasured(cells: list[list[str]], numeric: list[bool], pattern: re.Pattern[str]) -> list[bool]:
    """Lines of an axis alone, between the axes of the filled lines around them: nothing was measured there."""
    starts = [k for k, row in enumerate(cells) if row and pattern.fullmatch(row[0])]
    found = [False] * len(cells)
    for before, k, after in zip(starts, starts[1:], starts[2:], strict=False):
        if numeric[k] or not _bare(cells[k], pattern):
            continue
        low, here, high = (_start(cells[at]) for at in (before, k, after))
        found[k] = low < here < high or low > here > high
    return found


def _refuse_break(cells: list[list[str]], block: tuple[int, int], pattern: re.Pattern[str], file: str) -> None:
    """Refuse a line at an end of the block after which its axis goes on: the block would end there unseen."""
    filled = [k for k, row in enumerate(cells) if any(row)]
    inside = [k for k in filled if block[0] <= k < block[1] and pattern.fullmatch(cells[k][0])]
    if len(inside) < 2:
        return
    for last, before, beyond in (
        (inside[0], inside[1], [k for k in filled if k < block[0]][::-1]),
        (inside[-1], inside[-2], [k for k in filled if k >= block[1]]),
    ):
        step = _start(cells[last]) - _start(cells[before])
        for k in beyond[:2]:
            if len(cells[k]) != len(cells[last]) or not pattern.fullmatch(cells[k][0]):
                continue
            gap = _start(cells[k]) - _start(cells[last])
            broken = cells[beyond[0]]
            word = next((n for n, cell in enumerate(broken) if not _holds(cell, pattern) or (not n and not cell)), -1)
            # an axis of rising steps, or one with a line left out, moves on by somewhat more than the step before
            if word >= 0 and 0 < gap * math.copysign(1.0, step) <= 4 * abs(step):
                seen = f"holds {broken[word][:30]!r} among its numbers, in column {word + 1}."
                mend = "Leave the cell empty where nothing was measured, or write the number."
                refuse(file, "instrument.number", seen, mend, row=beyond[0] + 1)


def _refuse_decimal_commas(block: list[tuple[int, list[str]]], names: int, file: str) -> None:
    """Refuse whole numbers in twice as many columns as there are names, or with zeros before them: halves of decimal commas."""
    cells = [cell for _, row in block for cell in row if cell]
    if any("." in cell for cell in cells):
        return
    width = max(len(row) for _, row in block)
    padded = any(len(cell.lstrip("+-")) > 1 and cell.lstrip("+-")[0] == "0" and cell.isdigit() for cell in cells)
    halves = 2 * names - 1 <= width <= 2 * names and width > names if names > 1 else padded and width > 2
    if halves:
        heads = f"{names} names above rows of {width}" if names > 1 else f"rows of {width}"
        refuse(
            file,
            "instrument.decimal-comma",
            f"holds {heads} whole numbers between commas: commas that mark decimals were split as if they parted columns.",
            "Export it with decimal points, or with semicolons or tabs between the columns.",
            row=block[0][0],
        )


def _bare(row: list[str], pattern: re.Pattern[str]) -> bool:
    """Whether a line is of an axis with nothing measured."""
    return bool(row) and bool(pattern.fullmatch(row[0])) and all(cell.lower() in _MISSING for cell in row[1:])


def _holds(cell: str, pattern: re.Pattern[str]) -> bool:
    """Whether a cell holds a number or a word for none."""
    return bool(pattern.fullmatch(cell)) or cell.lower() in _MISSING


def _start(row: list[str]) -> float:
    return float(row[0].replace(",", ".").replace("D", "E").replace("d", "e"))


def _block(numeric: list[bool], empty: list[bool]) -> tuple[int, int]:
    """Longest run of rows of numbers, over empty lines within it."""
    best = (0, 0)
    most = start = count = 0
    end = -1
    for k, (number, blank) in enumerate(zip([*numeric, False], [*empty, False], strict=True)):
        if number:
            if not count:
                start = k
            count += 1
            end = k + 1
        elif not blank and count:
            if count > most:
                most, best = count, (start, end)
            count = 0
    return best


def _number(cell: str, pattern: re.Pattern[str], decimal: str, file: str, row: int) -> float:
    if not pattern.fullmatch(cell):
        return math.nan
    value = float(cell.replace(decimal, ".").replace("D", "E").replace("d", "e"))
    if math.isinf(value):
        refuse(file, "instrument.number", f"holds {cell[:30]}, beyond what a number can be.", "Mend the cell.", row=row)
    return value


def _heads(above: list[list[str]], width: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names of the columns, and the line of samples above them."""
    lines = [row for row in above if row]
    names = lines[-1] if lines and 2 <= len(lines[-1]) <= width else []
    samples = lines[-2] if names and len(lines) > 1 and 2 <= len(lines[-2]) <= width else []
    return _padded(names, width), _padded(samples, width)


def _padded(row: list[str], width: int) -> tuple[str, ...]:
    return tuple([*row, *[""] * (width - len(row))][:width])
