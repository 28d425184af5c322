"""From a file's first bytes to the reader of its correlograms; formats are imported when first needed."""

from importlib import import_module
from pathlib import Path

from lampyris.core.instruments import Correlogram

FORMATS = (
    ("Malvern zmes", b"SQLite format 3\0", "lampyris.io.instruments.zmes"),
    ("ALV", b"ALV", "lampyris.io.instruments.alv"),
)
"""Title, first bytes and module of each format beside text and workbooks, which read whatever is left."""


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
    path = Path(path)
    file = file or path.name
    try:
        with path.open("rb") as stream:
            beginning = stream.read(32)
    except OSError:
        # the reader says why it cannot be opened
        beginning = b""
    for _, magic, module in FORMATS:
        if beginning.startswith(magic):
            curves: tuple[Correlogram, ...] = import_module(module).read(path, max_bytes=max_bytes, file=file)
            return curves
    if path.suffix.lower() == ".zmes":
        import_module("lampyris.io.instruments.zmes").read(path, max_bytes=max_bytes, file=file)
    text = import_module("lampyris.io.instruments.correlogram_text")
    read: tuple[Correlogram, ...] = text.read(
        path, max_bytes=max_bytes, file=file, lag_unit=lag_unit, correlation=correlation
    )
    return read
