"""Correlograms of a file in whatever format it is."""

from pathlib import Path

from lampyris.core.instruments import Correlogram
from lampyris.io.instruments.formats import FileFormat, read_as

TEXT = FileFormat("text or workbook", "correlators.text")
FORMATS = (
    FileFormat("Malvern zmes", "correlators.zmes", (".zmes",), rb"SQLite format 3\0"),
    FileFormat("ALV", "correlators.alv", beginning=rb"ALV"),
)
"""Formats beside text and workbooks, which read whatever is left."""


def read_correlograms(
    path: Path,
    /,
    *,
    max_bytes: int = 512_000_000,
    file: str = "",
    lag_unit: str = "",
    correlation: str = "",
) -> tuple[Correlogram, ...]:
    """Read every correlogram of a file, whatever its format.

    Parameters
    ----------
    path : Path
        The file.
    max_bytes : int
        Largest file that is opened.
    file : str
        As the user knows it; the bare name by default.
    lag_unit, correlation : str
        What the columns of a text or workbook are where it does not say; formats that say it keep their word.

    Returns
    -------
    tuple of Correlogram
        At least one.

    Raises
    ------
    ImageError
        If the file cannot be read; the finding names it and the mend.
    """
    curves: tuple[Correlogram, ...] = read_as(
        path, FORMATS, TEXT, max_bytes=max_bytes, file=file, lag_unit=lag_unit, correlation=correlation
    )
    return curves
