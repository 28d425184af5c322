"""From a file's name and first bytes to its reader; the module of a format is imported when first needed."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

_LOOKED_AT = 4096


@dataclass(frozen=True, slots=True)
class FileFormat:
    """A format of instruments' files.

    Parameters
    ----------
    title : str
        As a person calls it.
    module : str
        Module of this package with its ``read``.
    suffixes : tuple of str
        Endings of its files, in lower case.
    beginning : bytes
        Regular expression of the first bytes that tell it whatever the name; they win over the ending. Empty where none do.
    """

    title: str
    module: str
    suffixes: tuple[str, ...] = ()
    beginning: bytes = b""

    def read(self, path: Path, /, **options: Any) -> Any:
        """Read a file of this format."""
        return import_module(f"{__package__}.{self.module}").read(path, **options)


def format_of(path: Path, formats: Iterable[FileFormat], /) -> FileFormat | None:
    """Format of a file by its first bytes, then by its ending; None where neither tells one.

    Parameters
    ----------
    path : Path
        The file; one that cannot be opened is told by its ending, and its reader says why it cannot.
    formats : iterable of FileFormat
        Those that it may be of.

    Returns
    -------
    FileFormat or None

    Examples
    --------
    >>> pictures = (FileFormat("PNG", "microscopes.picture", (".png",), rb"\\x89PNG"), FileFormat("MRC", "microscopes.mrc", (".mrc",)))
    >>> format_of(Path("none.MRC"), pictures).title, format_of(Path("none.txt"), pictures) is None
    ('MRC', True)
    """
    start = b""
    try:
        # opening a pipe would wait for ever
        if path.is_file():
            with path.open("rb") as stream:
                start = stream.read(_LOOKED_AT)
    except OSError:
        pass
    known = tuple(formats)
    told = next((one for one in known if one.beginning and re.match(one.beginning, start, re.DOTALL)), None)
    return told or next((one for one in known if path.suffix.lower() in one.suffixes), None)


def read_as(
    path: Path, formats: Iterable[FileFormat], text: FileFormat, /, *, max_bytes: int, file: str, **words: Any
) -> Any:
    """Read a file by the format that it is told to be of, else as text.

    Parameters
    ----------
    path : Path
        The file.
    formats : iterable of FileFormat
        Those that it may be of.
    text : FileFormat
        What reads whatever is left.
    max_bytes : int
        Largest file that is opened.
    file : str
        As the user knows it; the bare name where empty.
    **words
        The user's word on what a text does not say; formats that say it keep theirs.

    Returns
    -------
    tuple
        What the format's ``read`` gives.
    """
    path = Path(path)
    file = file or path.name
    found = format_of(path, formats)
    if found is not None:
        return found.read(path, max_bytes=max_bytes, file=file)
    return text.read(path, max_bytes=max_bytes, file=file, **words)
