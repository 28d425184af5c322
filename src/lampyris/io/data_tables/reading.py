"""Reads a table by what its bytes are, whatever its name says."""

from pathlib import Path

from lampyris.io.data_tables.grid import refused, table_of
from lampyris.io.data_tables.table import DataTable
from lampyris.io.data_tables.text import MAX_BYTES, text_grid

MAX_WORKBOOK_BYTES = 32_000_000
"""A workbook or project above this is not read."""

_ZIP, _OLE, _PARQUET, _OLD_PRISM = b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"PAR1", b"PCFFGRA"


def read_table(path: Path | str, /, *, sheet: str = "", table: str = "", decimal: str = "") -> DataTable:
    """Read a table with a header row.

    Parameters
    ----------
    path : path
        CSV (comma, semicolon or tab between cells; UTF-8, UTF-16 or Windows-1252), Excel (.xlsx, .xls), OpenDocument
        (.ods), GraphPad Prism (.pzfx, .prism) or Parquet.
    sheet : str
        Sheet of a workbook; needed where it has several.
    table : str
        Table of a Prism project; needed where it has several.
    decimal : str
        "." or "," where a text table's decimal mark cannot be told.

    Returns
    -------
    DataTable
        Its `notes` say what was passed over, found or guessed.

    Raises
    ------
    InputError
        If the file cannot be read as a table.
    """
    file = Path(path)
    data = _content(file)
    name = file.name
    if data.startswith((_ZIP, _OLE)) and not _is_prism(data):
        from lampyris.io.data_tables.workbook import workbook_table

        return workbook_table(name, data, sheet=sheet)
    if data.startswith(_ZIP) or b"<GraphPadPrismFile" in data[:2048]:
        from lampyris.io.data_tables.prism import prism_table

        return prism_table(name, data, table=table)
    if data.startswith(_PARQUET):
        from lampyris.io.data_tables.parquet import parquet_table

        return parquet_table(name, data)
    if data.startswith(_OLD_PRISM):
        mend = "Open it in Prism and save it as .pzfx, or export the table as CSV."
        raise refused(name, "table.unreadable", "is an old binary Prism file.", mend)
    return table_of(text_grid(name, data, decimal=decimal))


def _content(file: Path) -> bytes:
    mend = "Give a table: CSV, .xlsx, .xls, .ods, .pzfx, .prism or .parquet."
    try:
        if not file.is_file():
            raise FileNotFoundError(f"there is no file {file.name!r}" if not file.exists() else "it is a folder")
        size = file.stat().st_size
        if size > MAX_BYTES:
            seen = f"has {size / 1e6:.0f} MB, and a table of at most {MAX_BYTES / 1e6:.0f} MB is read."
            raise refused(file.name, "table.too-large", seen, "Split the table, or leave out columns.")
        return file.read_bytes()
    except OSError as error:
        reason = error.strerror or str(error)
        raise refused(file.name, "table.unreadable", f"cannot be read: {reason}.", mend) from error


def _is_prism(data: bytes) -> bool:
    return data.startswith(_ZIP) and b"document.json" in data and b"[Content_Types].xml" not in data
