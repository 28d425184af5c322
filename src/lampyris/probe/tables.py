"""The room's tables: sheets in ``probe/data`` whose every row names its source and how far it is to be trusted."""

from lampyris.core.sourced import SourcedValue
from lampyris.io.package_tables import rows_of


def table_rows(name: str, /) -> tuple[dict[str, str], ...]:
    """Rows of a table of ``probe/data``, in its order; lines that begin with ``#`` are remarks.

    Parameters
    ----------
    name : str
        Name of the file, such as ``coats.csv``.

    Examples
    --------
    >>> table_rows("species.csv")[0]["species"]
    'mouse'
    """
    return rows_of("lampyris.probe", "data", name)


def constant(row: dict[str, str], /) -> SourcedValue:
    """Constant of a row with the columns value, unit, conditions, source, mark and, where it is told, sd."""
    sd = float(row["sd"]) if "sd" in row else 0.0
    return SourcedValue(float(row["value"]), sd, row["unit"], row["conditions"], row["source"], row["mark"])


def sourced(row: dict[str, str], column: str, unit: str, /, *, sd: str = "", conditions: str = "") -> SourcedValue:
    """A row's value with the row's own source and mark; `sd` is the column of its uncertainty."""
    return SourcedValue(float(row[column]), float(row[sd]) if sd else 0.0, unit, conditions, row["source"], row["mark"])


def plain(word: str, /) -> str:
    """A name without what people write differently: case, blanks, hyphens and underscores.

    Examples
    --------
    >>> plain("Single-chain Fragment")
    'singlechainfragment'
    """
    return "".join(letter for letter in word.lower() if letter not in " -_")


def row_named(rows: tuple[dict[str, str], ...], name: str, /, *, column: str = "name") -> dict[str, str] | None:
    """The row of a name or of one of its aliases; None where there is none."""
    wanted = plain(name)
    for row in rows:
        words = (row[column], *row.get("aliases", "").split(";"))
        if wanted in {plain(word) for word in words if word}:
            return row
    return None
