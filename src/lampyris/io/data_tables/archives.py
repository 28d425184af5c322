"""What can go wrong in an archive that is broken, or made to be."""

import io
import struct
import zipfile
import zlib

from lampyris.io.data_tables.grid import refused

FAULTS = (
    zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, struct.error, EOFError, LookupError, ValueError, OSError,
    NotImplementedError, RuntimeError,
)  # fmt: skip
"""Errors of a damaged, encrypted or exotic archive."""


def refuse_bomb(file: str, data: bytes, most: int, /, *, mend: str) -> None:
    """Refuse an archive that says it unpacks to more bytes than `most`.

    Raises
    ------
    InputError
        Also if the archive's own list cannot be read.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            size = sum(entry.file_size for entry in archive.infolist())
    except FAULTS as error:
        raise refused(file, "table.unreadable", f"is a broken archive: {str(error)[:80]}.", mend) from error
    if size > most:
        seen = f"unpacks to {size / 1e6:.0f} MB, and at most {most / 1e6:.0f} MB are read."
        raise refused(file, "table.too-large", seen, mend)
