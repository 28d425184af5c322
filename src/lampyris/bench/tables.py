"""Tables of constants of this room: rows of CSV sheets in ``bench/data``, each with its source and mark."""

from lampyris.io.package_tables import rows_of


def table_rows(name: str, /) -> tuple[dict[str, str], ...]:
    """Rows of ``bench/data/NAME`` in its order; lines that begin with ``#`` are remarks."""
    return rows_of("lampyris.bench", "data", name)
