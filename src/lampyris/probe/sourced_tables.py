"""Tables of constants of this room: rows with a value, its uncertainty, unit, conditions, source and mark."""

import csv
import io
from functools import lru_cache
from importlib import resources

from lampyris.core.sourced import SourcedValue


@lru_cache(maxsize=16)
def table_rows(name: str, /) -> tuple[dict[str, str], ...]:
    """Rows of ``data/NAME``, a CSV file with remarks after ``#``."""
    text = resources.files("lampyris.probe").joinpath("data", name).read_text(encoding="utf-8")
    lines = [line for line in io.StringIO(text) if line.strip() and not line.startswith("#")]
    return tuple(csv.DictReader(lines))


def sourced(row: dict[str, str], /) -> SourcedValue:
    """Constant of a row with the columns value, sd, unit, conditions, source and mark."""
    return SourcedValue(
        float(row["value"]), float(row["sd"]), row["unit"], row["conditions"], row["source"], row["mark"]
    )
