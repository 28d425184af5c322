"""Paths that sheets and metadata give, held inside the study."""

import re
import unicodedata
from pathlib import Path

from lampyris.core.errors import InputError
from lampyris.core.finding import Finding, Place, Severity

_SCHEME = re.compile(r"[^/]*:")
# also doubly encoded, as %252e
_ENCODED = re.compile(r"%(?:25)*(?:2e|2f|5c|00)", re.IGNORECASE)
PATH_MEND = "Write a path relative to the study folder, with forward slashes, such as raw/m01.ome.tif."
"""What to write instead of a refused path."""


def inside(root: Path, text: str, /, *, place: Place) -> Path:
    """Resolve a path of a sheet or of metadata, and refuse it unless it stays inside the study.

    Whether the file exists is not asked.

    Parameters
    ----------
    root : Path
        The study.
    text : str
        Path relative to it, with forward slashes.
    place : Place
        Where the text stands, for the message.

    Returns
    -------
    Path
        Absolute, symbolic links resolved, below the resolved `root`.

    Raises
    ------
    InputError
        If the path is empty, absolute, climbs with ``..`` (plain or percent-encoded), holds a backslash, colon or
        control character, is too long, or leads out of the study through a symbolic link.

    Examples
    --------
    >>> inside(Path("study"), "raw/m01.ome.tif", place=Place("samplesheet.csv", 2, "image")).name
    'm01.ome.tif'
    >>> path_fault(Path("study"), "../m01.ome.tif")
    "'../m01.ome.tif' climbs out with '..'."
    """
    fault = path_fault(root, text)
    if fault:
        finding = Finding("path.refused", Severity.ERROR, place, fault, PATH_MEND)
        raise InputError("A path is refused.", [finding])
    return (Path(root) / text).resolve()


def path_fault(root: Path, text: str, /) -> str:
    """Say why `inside` would refuse a path; "" where it would not.

    Parameters
    ----------
    root : Path
        The study.
    text : str
        Path relative to it.

    Returns
    -------
    str
        A sentence that shows the text, or "".
    """
    fault = _written_fault(text)
    if fault:
        return f"{_shown(text)} {fault}."
    home = Path(root).resolve()
    try:
        found = (home / text).resolve()
    except (OSError, RuntimeError):
        return f"{_shown(text)} runs in a circle of symbolic links or cannot be followed."
    if found == home:
        return f"{_shown(text)} is the study folder itself, not a file in it."
    if not found.is_relative_to(home):
        return f"{_shown(text)} leads out of the study through a symbolic link."
    return ""


def _written_fault(text: str) -> str:
    """What is wrong with a path as it is written, before any look at the disk."""
    parts = text.split("/")
    faults = (
        (not text.strip(), "is empty"),
        (any(unicodedata.category(letter) in ("Cc", "Cs") for letter in text), "holds a control character"),
        ("\\" in text, "holds a backslash"),
        (_SCHEME.match(text) is not None, "looks like an address or a drive (a colon in its first part)"),
        (text.startswith("/"), "is absolute"),
        (".." in (part.strip() for part in parts), "climbs out with '..'"),
        (_ENCODED.search(text) is not None, "holds a percent-encoded dot, slash or NUL"),
        (any(len(part.encode("utf-8", "replace")) > 255 for part in parts), "has a name longer than 255 bytes"),
        (len(text) > 2000, "is longer than 2000 characters"),
    )
    return next((fault for found, fault in faults if found), "")


def _shown(text: str) -> str:
    return repr(text if len(text) <= 120 else text[:117] + "...")
