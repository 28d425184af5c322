"""Opening a file of an instrument, and refusing one."""

from pathlib import Path
from typing import NoReturn

from lampyris.core.errors import ImageError
from lampyris.core.finding import Finding, Place, Severity
from lampyris.io.images.whole_file import Wording, file_bytes

_WORDING = Wording(
    "instrument",
    "is a folder or device, not a file.",
    "Name the file itself.",
    "If it is the right file, raise max_file_mb.",
    "Check the path, and that the file is there and readable.",
)


def refuse(
    file: str,
    rule: str,
    seen: str,
    mend: str,
    /,
    *,
    row: int | None = None,
    column: str = "",
    kind: type[ImageError] = ImageError,
) -> NoReturn:
    """Raise the error of a file that cannot be read.

    Parameters
    ----------
    file : str
        As the user knows it.
    rule : str
        Stable name, such as ``spectrum.axis``.
    seen, mend : str
        What came, and what to do.
    row : int, optional
        Line of a text file.
    column : str
        Column or field.
    kind : type
        Class of the error.
    """
    raise kind(f"{file} cannot be read.", [Finding(rule, Severity.ERROR, Place(file, row, column), seen, mend)])


def content(path: Path, /, *, max_bytes: int, file: str) -> bytes:
    """Whole content of a regular file that is not too large.

    Raises
    ------
    ImageError
        If it is missing, cannot be opened, is no regular file or exceeds the cap.
    """
    return file_bytes(path, max_bytes=max_bytes, file=file, wording=_WORDING)
