"""Tables that come with the package: CSV sheets beside the modules that need them, whose lines that begin with ``#`` are remarks."""

import csv
from functools import lru_cache
from importlib import resources


@lru_cache(maxsize=64)
def rows_of(package: str, /, *path: str) -> tuple[dict[str, str], ...]:
    """Rows of a table in its order, read once; they are shared, so leave them as they are.

    Parameters
    ----------
    package : str
        Such as ``lampyris.probe``.
    *path : str
        From the package's folder to the file.

    Examples
    --------
    >>> rows_of("lampyris.probe", "data", "species.csv")[0]["species"]
    'mouse'
    """
    lines = packaged_text(package, *path).splitlines()
    return tuple(csv.DictReader(line for line in lines if line.strip() and not line.startswith("#")))


def packaged_text(package: str, /, *path: str) -> str:
    """Text of a file that comes with the package."""
    return resources.files(package).joinpath(*path).read_text(encoding="utf-8")
