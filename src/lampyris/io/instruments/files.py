"""Opening a file of an instrument, and refusing one."""

import stat
from pathlib import Path
from typing import NoReturn

from lampyris.core.errors import ImageError
from lampyris.core.finding import Finding, Place, Severity


def refuse(file: str, rule: str, seen: str, mend: str, /, *, row: int | None = None, column: str = "") -> NoReturn:
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
    """
    raise ImageError(f"{file} cannot be read.", [Finding(rule, Severity.ERROR, Place(file, row, column), seen, mend)])


def content(path: Path, /, *, max_bytes: int, file: str) -> bytes:
    """Whole content of a regular file that is not too large.

    Raises
    ------
    ImageError
        If it is missing, cannot be opened, is no regular file or exceeds the cap.
    """
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            refuse(file, "instrument.missing", "is a folder or device, not a file.", "Name the file itself.")
        if status.st_size > max_bytes:
            seen = f"has {status.st_size} bytes, above the cap of {max_bytes}."
            refuse(file, "instrument.size", seen, "If it is the right file, raise max_file_mb.")
        with path.open("rb") as stream:
            return stream.read(status.st_size)
    except OSError as error:
        seen = f"cannot be opened: {error.strerror or error}."
        refuse(file, "instrument.missing", seen, "Check the path, and that the file is there and readable.")
