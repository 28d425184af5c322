"""Tables of results, written twice: CSV for people and spreadsheets, Parquet with types and units for programs."""

import csv
import io
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

from lampyris.io.durable import write_bytes, write_text

ColumnType = Literal["text", "number", "integer", "flag"]

# a spreadsheet takes text that begins so for a formula
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def write_table(
    directory: Path,
    stem: str,
    columns: Mapping[str, Sequence[Any] | np.ndarray[Any, Any]],
    /,
    *,
    units: Mapping[str, str],
    types: Mapping[str, ColumnType] | None = None,
) -> tuple[str, str]:
    """Write a table as ``stem.csv`` and ``stem.parquet``, durably and with the same bytes for the same table.

    Parameters
    ----------
    directory : Path
        Where to; made if missing.
    stem : str
        File name without suffix.
    columns : mapping of str to sequence
        Columns of equal length, in order; None and NaN are missing values.
    units : mapping of str to str
        Unit of each column that has one; stored in the Parquet fields.
    types : mapping of str to str, optional
        ``text``, ``number``, ``integer`` or ``flag`` of columns whose values do not tell, as in an empty table.

    Returns
    -------
    tuple of str
        The two file names, relative to `directory`.

    Raises
    ------
    ValueError
        If columns differ in length, hold values of another type, or units or types name no column.
    LampyrisError
        If a file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     names = write_table(Path(folder), "flux", {"animal": ["m01"], "flux": [1.5e9]}, units={"flux": "ph s-1"})
    ...     print(names, (Path(folder) / "flux.csv").read_text().split())
    ('flux.csv', 'flux.parquet') ['animal,flux', 'm01,1500000000.0']
    """
    plain, kinds = _checked(columns, units, types or {})
    names = (f"{stem}.csv", f"{stem}.parquet")
    write_text(Path(directory) / names[0], csv_text(plain, zip(*plain.values(), strict=True)))
    write_bytes(Path(directory) / names[1], _parquet_bytes(plain, kinds, units))
    return names


def _checked(
    columns: Mapping[str, Any], units: Mapping[str, str], types: Mapping[str, ColumnType]
) -> tuple[dict[str, list[Any]], dict[str, ColumnType]]:
    """Columns as lists of Python values with None for what is missing, and the type of each."""
    lists = {
        name: np.asarray(values).tolist() if isinstance(values, np.ndarray) else list(values)
        for name, values in columns.items()
    }
    faults = [
        f"{what} names no column {name!r}"
        for what, names in (("units", units), ("types", types))
        for name in names
        if name not in lists
    ]
    lengths = {name: len(values) for name, values in lists.items()}
    if len(set(lengths.values())) > 1:
        faults.append(f"columns differ in length: {lengths}")
    plain, kinds = {}, {}
    for name, values in lists.items():
        plain[name] = [_plain(value) for value in values]
        kinds[name] = types.get(name) or _kind(plain[name])
        if wrong := [value for value in plain[name] if value is not None and not _fits(value, kinds[name])]:
            faults.append(f"column {name!r} of type {kinds[name]} holds {wrong[0]!r}")
        elif kinds[name] == "number":
            plain[name] = [None if value is None else float(value) for value in plain[name]]
    if faults:
        raise ValueError("; ".join(faults))
    return plain, kinds


def _plain(value: Any) -> Any:
    """Python value of a cell; None where it is missing."""
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and math.isnan(value) else value


def _kind(values: list[Any]) -> ColumnType:
    """Type of a column by its values; number where there are none to tell."""
    given = [value for value in values if value is not None]
    if given and all(isinstance(value, bool) for value in given):
        return "flag"
    if given and all(isinstance(value, int) and not isinstance(value, bool) for value in given):
        return "integer"
    return "text" if any(isinstance(value, str) for value in given) else "number"


def _fits(value: object, kind: ColumnType) -> bool:
    if kind == "text":
        return isinstance(value, str)
    if kind == "flag":
        return isinstance(value, bool)
    number = int if kind == "integer" else int | float
    return isinstance(value, number) and not isinstance(value, bool)


def csv_text(names: Iterable[str], rows: Iterable[Iterable[Any]], /) -> str:
    """RFC 4180 text of a table, its cells as `cell_text` writes them.

    Examples
    --------
    >>> csv_text(("animal", "flux"), [("m01", 1.5), ("=m02", None)])
    "animal,flux\\r\\nm01,1.5\\r\\n'=m02,\\r\\n"
    """
    stream = io.StringIO(newline="")
    csv.writer(stream).writerows([cell_text(value) for value in row] for row in (names, *rows))
    return stream.getvalue()


def cell_text(value: Any) -> str:
    """Text of a cell of CSV: exact numbers, and no text that a spreadsheet would run."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        # str() also of an enumeration's member
        return f"'{value}" if value.startswith(_FORMULA) else str(value)
    return repr(value)


def _parquet_bytes(
    columns: Mapping[str, list[Any]], kinds: Mapping[str, ColumnType], units: Mapping[str, str]
) -> bytes:
    """Parquet of the table, the unit of each column in its field's metadata."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    arrow = {"text": pa.string(), "number": pa.float64(), "integer": pa.int64(), "flag": pa.bool_()}
    fields = [
        pa.field(name, arrow[kinds[name]], metadata={"unit": units[name]} if units.get(name) else None)
        for name in columns
    ]
    arrays = [pa.array(values, field.type) for values, field in zip(columns.values(), fields, strict=True)]
    sink = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_arrays(arrays, schema=pa.schema(fields)), sink, compression="zstd")
    data: bytes = sink.getvalue().to_pybytes()
    return data
