"""The whole content of a file that nobody vouches for, up to a cap."""

import stat
from dataclasses import dataclass
from pathlib import Path

from lampyris.io.images.tiff import refuse


@dataclass(frozen=True, slots=True)
class Wording:
    """How a refused file is spoken of.

    Parameters
    ----------
    kind : str
        First part of the rules' names, such as ``image``.
    irregular : str
        What a folder or device is.
    name, shrink, find : str
        What to do of a folder or device, of a file above the cap, and of one that cannot be opened.
    """

    kind: str
    irregular: str
    name: str
    shrink: str
    find: str


_IMAGE = Wording(
    "image",
    "is no file but a directory or device.",
    "Name the image file itself.",
    "If it is the right file, raise max_file_mb in [limits] of study.toml.",
    "Check the path in the sheet, and that the file is there and readable.",
)


def file_bytes(path: Path, /, *, max_bytes: int, file: str, wording: Wording = _IMAGE) -> bytes:
    """Whole content of a regular file that is not too large.

    Parameters
    ----------
    path : Path
        The file.
    max_bytes : int
        Cap.
    file : str
        Its name for messages.
    wording : Wording
        How it is spoken of there; as an image of a study by default.

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
            refuse(file, f"{wording.kind}.missing", wording.irregular, wording.name)
        if status.st_size > max_bytes:
            seen = f"has {status.st_size} bytes, above the cap of {max_bytes}."
            refuse(file, f"{wording.kind}.size", seen, wording.shrink)
        with path.open("rb") as stream:
            # not read(max_bytes), which would first allocate that much
            return stream.read(status.st_size)
    except OSError as error:
        seen = f"cannot be opened: {error.strerror or error}."
        refuse(file, f"{wording.kind}.missing", seen, wording.find)
