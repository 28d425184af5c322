"""How readers of regions refuse a file, and how much they read of one."""

from pathlib import Path

from lampyris.core.errors import ImageError, InputError, UnsafeFileError
from lampyris.core.finding import Finding, Place, Severity
from lampyris.io.images.tiff import opened_file

MAX_BYTES = 64_000_000
"""A file of regions above this is none."""
MOST_CORNERS = 10_000
"""Of one region: an outline drawn by hand has a few hundred."""
MOST_REGIONS = 2_000
"""Of one file."""


def refusal(file: str, rule: str, seen: str, mend: str, /) -> InputError:
    """An error that names the file, what was seen and what to do."""
    return InputError(f"{file} cannot be read as regions", [Finding(rule, Severity.ERROR, Place(file), seen, mend)])


def unsafe(file: str, seen: str, /) -> UnsafeFileError:
    """An error for a file that would take more memory or time than regions need."""
    mend = "Draw with fewer corners, or split the file; if it is no file of regions, remove it."
    return UnsafeFileError(
        f"{file} is too large", [Finding("regions.too-large", Severity.ERROR, Place(file), seen, mend)]
    )


def read_capped(path: Path, file: str, /) -> bytes:
    """Bytes of a file of regions.

    Raises
    ------
    InputError
        If it cannot be read, or is no regular file: a pipe would wait for ever.
    UnsafeFileError
        If it is larger than `MAX_BYTES`.
    """
    try:
        with opened_file(path, file) as stream:
            data = stream.read(0, min(len(stream), MAX_BYTES + 1))
    except ImageError as error:
        seen = next((one.seen for one in error.findings), "cannot be read.")
        raise refusal(file, "regions.unreadable", seen, "Correct the path, or copy the file there.") from error
    if len(data) > MAX_BYTES:
        raise unsafe(file, f"is larger than {MAX_BYTES} bytes.")
    return data
