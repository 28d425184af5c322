"""Rows of cells as they stand in a file, and the header found among them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from lampyris.core.errors import InputError
from lampyris.core.finding import Finding, Place, Severity
from lampyris.io.data_tables.table import NUMBER, DataTable

MAX_CELLS = 5_000_000
"""A table with more cells is not read: it is no table that a person made."""

# how far down a header may stand below titles and an instrument's own lines
_HEADER_WITHIN = 60
_SUMMARY = re.compile(
    r"(grand )?(mean|average|sum|total|median|sd|std\.? ?dev\.?|sem|s\.e\.m\.|n|count)", re.IGNORECASE
)
_PROTECTED = re.compile(r"'+(?=[=+\-@])")


@dataclass(slots=True)
class Grid:
    """Rows of a file.

    Parameters
    ----------
    file : str
        Its name.
    rows : list of (int, list of str)
        Line and cells; blank rows are kept.
    decimal : str
        Decimal mark.
    notes : list of str
        What a reader must know.
    addressed : bool
        Cells have addresses as in a spreadsheet.
    """

    file: str
    rows: list[tuple[int, list[str]]]
    decimal: str = "."
    notes: list[str] = field(default_factory=list)
    addressed: bool = False


def refused(file: str, rule: str, seen: str, mend: str, /, *, row: int | None = None, column: str = "") -> InputError:
    """An error at a place of a file that is not a table yet."""
    finding = Finding(rule, Severity.ERROR, Place(file, row, column), seen, mend)
    return InputError(f"{file}: {seen}", (finding,))


def letter(place: int, /) -> str:
    """Letters of a spreadsheet's column.

    Examples
    --------
    >>> letter(0), letter(25), letter(26), letter(702)
    ('A', 'Z', 'AA', 'AAA')
    """
    name = ""
    place += 1
    while place:
        place, rest = divmod(place - 1, 26)
        name = chr(65 + rest) + name
    return name


def table_of(grid: Grid, /) -> DataTable:
    """Find the header and make the table.

    Parameters
    ----------
    grid : Grid

    Returns
    -------
    DataTable
        With a note for whatever stood above the header, and for every empty row.

    Raises
    ------
    InputError
        If there is no row, no header, or a row has more cells than the header.
    """
    rows = [(line, [_PROTECTED.sub("", cell.strip()) for cell in cells]) for line, cells in grid.rows]
    comments = [line for line, cells in rows if cells and cells[0].startswith("#") and not _is_error(cells[0])]
    commented = set(comments)
    filled = [(line, cells) for line, cells in rows if any(cells) and line not in commented]
    if not filled:
        raise refused(grid.file, "table.empty", "holds no rows.", "Give a table with a header and a row per value.")
    at = _header_place(grid, filled)
    header_line, header = filled[at]
    below = filled[at + 1 :]
    if not below:
        seen = f"row {header_line} looks like the header, and nothing stands below it."
        raise refused(grid.file, "table.empty", seen, "Give a row per value below the header.", row=header_line)
    header, below = _squared(grid, header_line, header, below)
    notes = [*grid.notes, *_notes(filled[:at], comments, header_line, rows, below)]
    names, titles, kept = _names(header, below, notes)
    columns = {name: tuple(cells[k] for _, cells in below) for name, k in zip(names, kept, strict=True)}
    return DataTable(
        grid.file,
        columns,
        tuple(line for line, _ in below),
        grid.decimal,
        tuple(notes),
        titles,
        tuple(letter(k) for k in kept) if grid.addressed else (),
    )


def _is_error(cell: str) -> bool:
    return cell.upper().startswith(("#N/A", "#NO RESULT", "#DIV", "#VALUE", "#REF", "#NAME", "#NUM", "#NULL"))


def _count(cells: Sequence[str]) -> int:
    return sum(1 for cell in cells if cell)


def _number_like(cell: str) -> bool:
    return bool(NUMBER.fullmatch(cell.replace(",", ".")))


def _header_place(grid: Grid, filled: list[tuple[int, list[str]]]) -> int:
    """Place of the header: the first row with as many cells as any row near it, or one fewer where its first is empty."""
    near = filled[:_HEADER_WITHIN]
    most = max(_count(cells) for _, cells in near)
    k = next(k for k, (_, cells) in enumerate(near) if _count(cells) == most or _lacks_first(cells, most))
    line, cells = near[k]
    numbers = sum(map(_number_like, cells))
    if numbers == _count(cells):
        seen = f"row {line} is the first full row and holds numbers, so it is no header."
        mend = "Give every column a name in one row above the values."
        raise refused(grid.file, "table.no-header", seen, mend, row=line)
    above = next((other for other in near[:k] if _count(other[1]) > 1), None)
    if k and (numbers or (above and k + 1 == len(filled))):
        first, names = above or near[0]
        seen = f"row {line} has more filled cells than the rows above it, such as row {first} ({names[0][:40]!r})."
        mend = (
            f"If row {first} is the header, name every column there and put cells that hold the separator in quotes; a "
            "decimal comma needs ; or tab between cells. Nothing but titles may stand above a header."
        )
        raise refused(grid.file, "table.ragged", seen, mend, row=line)
    return k


def _lacks_first(cells: list[str], most: int) -> bool:
    """Whether only the rows' own names have no header, as some programs write them."""
    return 0 < _count(cells) == most - 1 and not cells[0]


def _squared(
    grid: Grid, line: int, header: list[str], below: list[tuple[int, list[str]]]
) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """Header and rows of one width."""
    width = len(header)
    faults = []
    square = []
    for at, cells in below:
        spare = next((cell for cell in cells[width:] if cell), "")
        if spare:
            seen = f"has more cells than the header in row {line}, such as {spare[:60]!r}."
            mend = (
                "Name every column (row names too). A decimal comma needs ; or tab between cells, and text with the "
                "separator inside needs quotes."
            )
            faults.append(Finding("table.ragged", Severity.ERROR, Place(grid.file, at), seen, mend))
        square.append((at, [*cells[:width], *[""] * (width - len(cells))]))
    if faults:
        raise InputError(f"{grid.file}: {len(faults)} rows have more cells than the header", faults)
    return header, square


def _notes(
    above: list[tuple[int, list[str]]],
    comments: list[int],
    header_line: int,
    rows: list[tuple[int, list[str]]],
    below: list[tuple[int, list[str]]],
) -> list[str]:
    notes = []
    if above:
        shown = next(cell for cell in above[0][1] if cell)
        stand = "stands" if len(above) == 1 else "stand"
        notes.append(
            f"{_rows([line for line, _ in above])} {stand} above the header and {_are(above)} passed over: {shown[:40]!r}"
        )
    if comments:
        notes.append(
            f"{_rows(comments)} {'begins' if len(comments) == 1 else 'begin'} with # and {_are(comments)} passed over"
        )
    last = below[-1][0]
    blank = [line for line, cells in rows if not any(cells) and header_line < line < last]
    if blank:
        notes.append(f"{_rows(blank)} {_are(blank)} empty; the rows below were read too")
    summary = [line for line, cells in below if _SUMMARY.fullmatch(next(cell for cell in cells if cell))]
    if summary:
        notes.append(
            f"{_rows(summary)} {'begins' if len(summary) == 1 else 'begin'} like a summary (mean, SD, n) and "
            "counts as data: remove it from the table if it is one"
        )
    return notes


def _are(things: Sequence[object]) -> str:
    return "is" if len(things) == 1 else "are"


def _rows(lines: Sequence[int]) -> str:
    """Rows named: "row 4", "rows 2, 3 and 9", "12 rows from 3 to 90"."""
    if len(lines) == 1:
        return f"row {lines[0]}"
    if len(lines) <= 4:
        return f"rows {', '.join(map(str, lines[:-1]))} and {lines[-1]}"
    return f"{len(lines)} rows from {lines[0]} to {lines[-1]}"


def _names(
    header: list[str], below: list[tuple[int, list[str]]], notes: list[str]
) -> tuple[list[str], tuple[str, ...], list[int]]:
    """Names that are all different, header cells, and places of the columns that hold anything."""
    names: list[str] = []
    titles: list[str] = []
    kept: list[int] = []
    for k, title in enumerate(header):
        if not title and not any(cells[k] for _, cells in below):
            continue
        title = " ".join(title.split())
        name = title or f"column {letter(k)}"
        if not title:
            notes.append(f"column {letter(k)} has no name; it is called {name!r} here")
        same = titles.count(title) if title else 0
        name = f"{name} ({same + 1})" if same else name
        while name in names:
            name += "'"
        names.append(name)
        titles.append(title)
        kept.append(k)
    return names, tuple(titles), kept
