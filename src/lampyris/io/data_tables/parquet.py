"""Tables in Parquet, such as the package's own results."""

import io
from typing import Any

from lampyris.io.data_tables.grid import MAX_CELLS, refused
from lampyris.io.data_tables.table import DataTable


def parquet_table(file: str, data: bytes, /) -> DataTable:
    """Read a Parquet file as a table of text cells.

    Parameters
    ----------
    file : str
        Its name.
    data : bytes
        Its content.

    Returns
    -------
    DataTable
        Rows count from 1.

    Raises
    ------
    InputError
        If it cannot be read, or holds more cells than a table has.
    """
    import pyarrow as pa
    from pyarrow import parquet

    try:
        source = parquet.ParquetFile(io.BytesIO(data))
        cells = source.metadata.num_rows * source.metadata.num_columns
        if not 0 < cells <= MAX_CELLS:
            seen = f"holds {cells} cells, and 1 to {MAX_CELLS} are read."
            raise refused(file, "table.too-large" if cells else "table.empty", seen, "Give fewer rows or columns.")
        read = source.read()
        nested = [
            field.name for field in read.schema if pa.types.is_nested(field.type) or pa.types.is_binary(field.type)
        ]
        columns = {
            name: [_cell(v) for v in read.column(name).to_pylist()] for name in read.column_names if name not in nested
        }
    # a damaged file ends in several kinds of error there
    except (pa.ArrowException, OSError, ValueError, OverflowError, MemoryError, KeyError) as error:
        seen = f"cannot be read as Parquet: {str(error).splitlines()[0][:120] if str(error) else 'broken file'}."
        raise refused(file, "table.unreadable", seen, "Write it again, or give the CSV beside it.") from error
    notes = tuple(f"column {name!r} holds lists and is left out" for name in nested)
    lines = tuple(range(1, read.num_rows + 1))
    return DataTable(file, {k: tuple(v) for k, v in columns.items()}, lines, ".", notes, tuple(columns))


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return "" if value != value else repr(value)
    return str(value).strip()
