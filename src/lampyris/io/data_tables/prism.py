"""Tables of GraphPad Prism's projects: .pzfx (XML) and .prism (an archive of JSON and CSV).

A column table of Prism holds a column per group; grouped and XY tables hold replicates side by side, which become columns
of one title. Summaries (mean, SD or SEM, n) become columns that say so. Values excluded in Prism are left out and counted.
"""

import csv
import io
import json
import re
import zipfile
from dataclasses import dataclass, field
from typing import Any
from xml.parsers import expat

from lampyris.io.data_tables.archives import FAULTS, refuse_bomb
from lampyris.io.data_tables.grid import MAX_CELLS, refused
from lampyris.io.data_tables.table import DataTable

MAX_EXPANDED_BYTES = 200_000_000
"""A project that unpacks to more is not opened."""

_EXPORT = "In Prism choose File, Export, and save the table as CSV."
# what stands beside a mean where a table holds summaries
_SUMMARIES = {
    "SDN": ("mean", "SD", "n"),
    "SEN": ("mean", "SEM", "n"),
    "CVN": ("mean", "CV", "n"),
    "SD": ("mean", "SD"),
    "SE": ("mean", "SEM"),
    "CV": ("mean", "CV"),
    "low-high": ("mean", "+error", "-error"),
    "upper-lower-limits": ("mean", "upper limit", "lower limit"),
}
_COMMA = re.compile(r"[+-]?\d*,\d+([eE][+-]?\d+)?", re.ASCII)


@dataclass(slots=True)
class _Column:
    kind: str
    title: str = ""
    cells: list[list[tuple[str, bool]]] = field(default_factory=list)


@dataclass(slots=True)
class _Page:
    """A table of a project."""

    title: str = ""
    kind: str = ""
    format: str = ""
    columns: list[_Column] = field(default_factory=list)


def prism_table(file: str, data: bytes, /, *, table: str = "") -> DataTable:
    """Read a table of a Prism project.

    Parameters
    ----------
    file : str
        Its name.
    data : bytes
        Its content.
    table : str
        Title of the table; needed where several hold something.

    Returns
    -------
    DataTable
        Rows count from 1 as in Prism.

    Raises
    ------
    InputError
        If the project cannot be read, or the table is not told.
    """
    pages = _archived(file, data) if data.startswith(b"PK") else _pages(file, data)
    kept = [page for page in pages if any(cells for column in page.columns for cells in column.cells)]
    titles = ", ".join(repr(page.title) for page in kept)
    if not kept:
        raise refused(file, "table.empty", "holds no table with values.", _EXPORT)
    if table:
        kept = [page for page in kept if page.title.strip().casefold() == table.strip().casefold()]
        if len(kept) != 1:
            seen = f"has {len(kept) or 'no'} table{'s' * bool(kept)} {table!r}."
            raise refused(file, "table.no-sheet", seen, f"Say --table with one of: {titles}.")
    if len(kept) > 1:
        raise refused(file, "table.sheets", f"holds {len(kept)} tables.", f"Say --table with one of: {titles}.")
    return _table(file, kept[0])


def _table(file: str, page: _Page) -> DataTable:
    columns: dict[str, tuple[str, ...]] = {}
    titles: list[str] = []
    excluded: list[str] = []
    height = max(len(cells) for column in page.columns for cells in column.cells)
    for number, column in enumerate(page.columns):
        for k, cells in enumerate(column.cells):
            title = _title(page, column, number, k)
            if not any(text for text, _ in cells):
                continue
            name, same = title, titles.count(title)
            name = f"{title} ({same + 1})" if same else title
            while name in columns:
                name += "'"
            out = [row for row, (text, off) in enumerate(cells, 1) if off and text]
            excluded += [f"{name} row {row}" for row in out]
            filled = ["" if off else text for text, off in cells]
            columns[name] = tuple(filled + [""] * (height - len(filled)))
            titles.append(title)
    rows = [k for k in range(height) if any(cells[k] for cells in columns.values())]
    notes = [f"read from table {page.title!r}"]
    if excluded:
        shown = ", ".join(excluded[:6]) + (", ..." if len(excluded) > 6 else "")
        notes.append(f"{len(excluded)} values excluded in Prism are left out: {shown}")
    if len(rows) < height:
        notes.append(f"{height - len(rows)} empty rows hold no value")
    decimal = "," if any(_COMMA.fullmatch(cell) for column in columns.values() for cell in column) else "."
    wide = page.kind == "OneWay" and page.format in ("", "replicates")
    table = DataTable(file, columns, tuple(range(1, height + 1)), decimal, tuple(notes), tuple(titles), (), wide)
    return table.chosen(rows)


def _title(page: _Page, column: _Column, number: int, k: int) -> str:
    if column.kind == "RowTitlesColumn":
        return column.title or "row"
    if column.kind != "YColumn":
        return column.title or "X"
    # Prism calls a column without a title by its letter
    before = sum(1 for other in page.columns[:number] if other.kind == "YColumn")
    title = column.title or (chr(65 + before) if before < 26 else f"column {before + 1}")
    parts = _SUMMARIES.get(page.format)
    return f"{title} {parts[k]}" if parts and k < len(parts) else title


# ---- .pzfx -------------------------------------------------------------------------------------------------------


def _pages(file: str, data: bytes) -> list[_Page]:
    reader = _Reader()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartElementHandler, parser.EndElementHandler = reader.begin, reader.end
    parser.CharacterDataHandler = reader.text
    parser.StartDoctypeDeclHandler = _refuse_doctype
    parser.buffer_text = True
    try:
        parser.Parse(data, True)
    except (expat.ExpatError, ValueError, LookupError) as error:
        raise refused(file, "table.unreadable", f"is a broken Prism project: {error}.", _EXPORT) from error
    return reader.pages


def _refuse_doctype(*_: object) -> None:
    raise ValueError("it declares a document type")


class _Reader:
    """Gathers the tables of a .pzfx as it is parsed."""

    _COLUMNS = frozenset(("XColumn", "XAdvancedColumn", "YColumn", "RowTitlesColumn"))

    def __init__(self) -> None:
        self.pages: list[_Page] = []
        self.page: _Page | None = None
        self.column: _Column | None = None
        self.words: list[str] | None = None
        self.off = False
        self.cells = 0

    def begin(self, tag: str, attributes: dict[str, str]) -> None:
        kind = tag.rpartition(" ")[2]
        if kind in ("Table", "HugeTable"):
            format_ = attributes.get("YFormat", "")
            self.page = _Page("", attributes.get("TableType", ""), format_)
            self.pages.append(self.page)
        elif self.page is None:
            return
        elif kind in self._COLUMNS:
            self.column = _Column(kind)
            self.page.columns.append(self.column)
        elif kind == "Subcolumn" and self.column is not None:
            self.column.cells.append([])
        elif kind in ("Title", "d"):
            self.words, self.off = [], attributes.get("Excluded") == "1"

    def text(self, words: str) -> None:
        if self.words is not None:
            self.words.append(words)

    def end(self, tag: str) -> None:
        kind = tag.rpartition(" ")[2]
        if kind in ("Table", "HugeTable"):
            self.page = None
        elif kind in self._COLUMNS:
            self.column = None
        elif self.words is not None and self.page is not None and kind in ("Title", "d"):
            text = " ".join("".join(self.words).split())
            self.words = None
            if kind == "Title" and self.column is None:
                self.page.title = text
            elif kind == "Title" and self.column is not None:
                self.column.title = text
            elif self.column is not None and self.column.cells:
                self.column.cells[-1].append((text.rstrip("*"), self.off or text.endswith("*")))
                self.cells += 1
                if self.cells > MAX_CELLS:
                    raise ValueError(f"it holds more than {MAX_CELLS} cells")


# ---- .prism ------------------------------------------------------------------------------------------------------


def _archived(file: str, data: bytes) -> list[_Page]:
    """Tables of a .prism archive; refused where its parts do not fit together as expected."""
    refuse_bomb(file, data, MAX_EXPANDED_BYTES, mend=_EXPORT)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            document = _json(archive, "document.json")
            return [_sheet(archive, str(key)) for key in document["sheets"]["data"]]
    except (*FAULTS, TypeError, IndexError, AttributeError, csv.Error, RecursionError) as error:
        seen = f"is a .prism project that is built otherwise than expected ({str(error)[:80]})."
        raise refused(file, "table.unreadable", seen, _EXPORT) from error


def _json(archive: zipfile.ZipFile, name: str) -> Any:
    return json.loads(archive.read(name).decode("utf-8"))


def _sheet(archive: zipfile.ZipFile, key: str) -> _Page:
    sheet = _json(archive, f"data/sheets/{key}/sheet.json")
    described = sheet["table"]
    content = archive.read(f"data/tables/{described['uid']}/data.csv").decode("utf-8-sig")
    rows = [row for row in csv.reader(io.StringIO(content, newline=""))]
    columns: list[tuple[str, str]] = []
    for part, kind in (("rowTitlesDataSet", "RowTitlesColumn"), ("xDataSet", "XColumn")):
        if described.get(part):
            columns.append((kind, _set_title(_json(archive, f"data/sets/{described[part]}.json"))))
    for one in described["dataSets"]:
        entry = _json(archive, f"data/sets/{one}.json")
        columns += [("YColumn", _set_title(entry))] * _replicates(entry)
    width = max((len(row) for row in rows), default=0)
    if width != len(columns):
        raise ValueError(f"table {sheet['title']!r} has {width} columns and titles for {len(columns)}")
    made = []
    for k, (kind, title) in enumerate(columns):
        cells = [(row[k].strip() if k < len(row) else "") for row in rows]
        made.append(_Column(kind, title, [[(cell.rstrip("*"), cell.endswith("*")) for cell in cells]]))
    kinds = [kind for kind, _ in columns]
    distinct = len({title for kind, title in columns if kind == "YColumn"}) == kinds.count("YColumn")
    shape = "OneWay" if "XColumn" not in kinds and distinct else ""
    return _Page(_set_title(sheet), shape, "", made)


def _set_title(entry: dict[str, Any]) -> str:
    title = entry.get("title", "")
    return " ".join(str(title.get("string", "") if isinstance(title, dict) else title).split())


def _replicates(entry: dict[str, Any]) -> int:
    """How many columns of the content a data set takes; another form than replicates is not known here."""
    form = str(entry.get("format", ""))
    if form not in ("", "y_single", "y_replicates"):
        raise ValueError(f"data of the form {form!r}")
    if form != "y_replicates":
        return 1
    ranges = entry.get("replicate ranges") or entry.get("replicatesCount")
    if isinstance(ranges, int):
        return ranges
    found = [int(number) for number in re.findall(r"\d+", json.dumps([one["range"] for one in ranges or ()]))]
    return max(found) + 1 if found else 1
