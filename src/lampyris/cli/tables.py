"""Tables of a user's own, as options say that they are read and which of their rows are kept."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from lampyris.cli.arguments import MARKS
from lampyris.core.errors import UsageError

if TYPE_CHECKING:
    from lampyris.io.data_tables import DataTable


def table_read(path: Path, options: argparse.Namespace, /) -> "DataTable":
    """The table that the options of reading name, before any row is left out.

    Raises
    ------
    InputError
        If it cannot be read.
    """
    from lampyris.io.data_tables import read_table  # needed here only, and slow to import

    decimal = MARKS.get(options.decimal or "", "")
    return read_table(path, sheet=options.sheet, table=options.prism_table, decimal=decimal)


def rows_where(table: "DataTable", condition: str, /) -> "DataTable":
    """Rows that fulfil ``COLUMN=VALUE`` or ``COLUMN!=VALUE``; numbers are equal where their values are.

    Raises
    ------
    UsageError
        If it is no condition.
    InputError
        If there is no such column, or no row is left.
    """
    mark = "!=" if "!=" in condition else "="
    name, found, wanted = (part.strip() for part in condition.partition(mark))
    if not found or not name:
        raise UsageError(f"--where needs COLUMN=VALUE, got {condition!r}")
    cells = table.words(name)
    same = [_same(cell, wanted) for cell in cells]
    kept = [k for k, one in enumerate(same) if one == (mark == "=")]
    if not kept:
        held = ", ".join(list(dict.fromkeys(cells))[:12])
        seen = f"no row is left by --where {condition}."
        raise table.refusal("compare.no-rows", None, name, seen, f"The column holds: {held}.")
    return table.chosen(kept, f"{len(kept)} of {len(cells)} rows are kept by --where {condition}")


def _same(cell: str, wanted: str) -> bool:
    if cell == wanted:
        return True
    try:
        return float(cell) == float(wanted)
    except ValueError:
        return False
