"""Tables of constants of this room: rows of CSV sheets in ``bench/data``, each with its source and mark."""

import csv
from functools import lru_cache
from importlib import resources


@lru_cache(maxsize=16)
def table_rows(name: str, /) -> tuple[dict[str, str], ...]:
    """Rows of ``bench/data/NAME`` in its order; lines that begin with ``#`` are remarks."""
    text = resources.files("lampyris.bench").joinpath("data", name).read_text(encoding="utf-8")
    return tuple(csv.DictReader(line for line in text.splitlines() if line and not line.startswith("#")))
