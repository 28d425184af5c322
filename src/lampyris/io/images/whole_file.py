"""The whole content of a file that nobody vouches for, up to a cap."""

import stat
from pathlib import Path

from lampyris.io.images.tiff import refuse


def file_bytes(path: Path, /, *, max_bytes: int, file: str) -> bytes:
    """Whole content of a regular file that is not too large.

    Parameters
    ----------
    path : Path
        The file.
    max_bytes : int
        Cap.
    file : str
        Its name for messages.

    Returns
    -------
    bytes
        Content.

    Raises
    ------
    ImageError
        If it is missing, cannot be opened, is no regular file or exceeds the cap.
    """
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            refuse(file, "image.missing", "is no file but a directory or device.", "Name the image file itself.")
        if status.st_size > max_bytes:
            seen = f"has {status.st_size} bytes, above the cap of {max_bytes}."
            refuse(file, "image.size", seen, "If it is the right file, raise max_file_mb in [limits] of study.toml.")
        with path.open("rb") as stream:
            # not read(max_bytes), which would first allocate that much
            return stream.read(status.st_size)
    except OSError as error:
        seen = f"cannot be opened: {error.strerror or error}."
        refuse(file, "image.missing", seen, "Check the path in the sheet, and that the file is there and readable.")
