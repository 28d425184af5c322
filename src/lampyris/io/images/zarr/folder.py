"""Files of a Zarr folder that nobody vouches for: opened inside the folder only, by name, up to a cap."""

import json
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

from lampyris.core.errors import ImageError, UnsafeFileError
from lampyris.io.images.tiff import refuse
from lampyris.io.paths import path_fault

MAX_DOCUMENT = 4_000_000
"""Longer JSON documents are refused; that of an image takes a few thousand bytes."""
MEND_COPY = "Copy the whole folder anew from where it was written; its copy was cut short or damaged."
MEND_EXPORT = "Export it again as OME-Zarr 0.4 or 0.5 with unsigned integer or float counts."
MEND_LIMITS = "If the folder is trusted, raise the cap in [limits] of study.toml."


class ZarrFolder:
    """A folder, and how many of its bytes may still be read.

    Parameters
    ----------
    root : Path
        The folder.
    file : str
        The image as the user knows it, for messages.
    max_bytes : int
        Of all files together.

    Attributes
    ----------
    left : int
        Bytes that may still be read; a stream sets it anew for each frame.
    """

    def __init__(self, root: Path, file: str, max_bytes: int, /) -> None:
        self.file = file
        self.max_bytes = self.left = max_bytes
        try:
            # the folder itself was checked by whoever named it; below it no link is followed
            self.root = os.path.realpath(root, strict=True)
        except OSError as error:
            seen = f"cannot be opened: {error.strerror or error}."
            self.refuse("image.missing", seen, "Check the path in the sheet, and that the folder is there.")
        if not Path(self.root).is_dir():
            self.refuse("image.missing", "is no folder, as a Zarr image is.", "Name the folder itself.")

    def refuse(self, rule: str, seen: str, mend: str, kind: type[ImageError] = ImageError) -> NoReturn:
        """Raise an error about this folder."""
        refuse(self.file, rule, seen, mend, kind)

    def named(self, *parts: str) -> str:
        """A path that metadata give, put together and held inside the folder.

        Raises
        ------
        UnsafeFileError
            If it is empty, absolute, climbs out or leads out through a link.
        """
        name = "/".join(part for part in parts if part)
        if fault := path_fault(Path(self.root), name):
            self.refuse("image.other-file", f"names an array elsewhere: {fault}", MEND_EXPORT, UnsafeFileError)
        return name

    def holds(self, name: str) -> bool:
        """Whether there is anything of this name."""
        return os.path.lexists(f"{self.root}/{name}")

    @contextmanager
    def opened(self, name: str) -> Iterator["StoredFile | None"]:
        """Open a file for reading; None where there is none.

        Raises
        ------
        ImageError
            If it cannot be opened.
        UnsafeFileError
            If it is reached through a link, or is no regular file.
        """
        path = f"{self.root}/{name}"
        descriptor = -1
        try:
            # a link may lead out of the study; a pipe would wait for ever
            if os.path.realpath(path) != path:
                seen = f"reaches {name} through a symbolic link."
                self.refuse("image.other-file", seen, "Put the file itself in its place.", UnsafeFileError)
            if not stat.S_ISREG(Path(path).stat().st_mode):
                self.refuse("image.other-file", f"has a {name} that is no file.", MEND_COPY, UnsafeFileError)
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except (FileNotFoundError, NotADirectoryError):
            yield None
            return
        except OSError as error:
            seen = f"has a file {name} that cannot be opened: {error.strerror or error}."
            self.refuse("image.missing", seen, "Check that the folder and all its files are readable.")
        try:
            yield StoredFile(self, name, descriptor, os.fstat(descriptor).st_size)
        finally:
            os.close(descriptor)

    def document(self, name: str) -> dict[str, Any] | None:
        """Read a JSON document that holds an object; None where there is none."""
        with self.opened(name) as stored:
            if stored is None:
                return None
            if stored.size > MAX_DOCUMENT:
                seen = f"has a {name} of {stored.size} bytes."
                self.refuse("image.metadata", seen, MEND_EXPORT, UnsafeFileError)
            data = stored.read(0, stored.size)
        try:
            found = json.loads(data.decode("utf-8"))
        except (ValueError, RecursionError) as error:
            self.refuse("image.metadata", f"has a damaged {name} ({error}).", MEND_COPY)
        if not isinstance(found, dict):
            self.refuse("image.metadata", f"has a {name} that holds no object.", MEND_COPY)
        return found


class StoredFile:
    """An open file of the folder.

    Parameters
    ----------
    folder : ZarrFolder
        Whose.
    name : str
        Inside it.
    descriptor : int
        Open for reading.
    size : int
        Bytes in it.
    """

    __slots__ = ("_descriptor", "_folder", "name", "size")

    def __init__(self, folder: ZarrFolder, name: str, descriptor: int, size: int, /) -> None:
        self._folder, self.name, self._descriptor, self.size = folder, name, descriptor, size

    def read(self, offset: int, size: int, /) -> bytes:
        """Read some bytes; fewer where the file ends before.

        Raises
        ------
        UnsafeFileError
            If the folder's cap is reached.
        """
        folder = self._folder
        size = max(min(size, self.size - offset), 0)
        if size > folder.left:
            seen = f"has more than {folder.max_bytes} bytes to read."
            mend = "If it is the right folder, raise max_file_mb in [limits] of study.toml."
            folder.refuse("image.size", seen, mend, UnsafeFileError)
        folder.left -= size
        try:
            return os.pread(self._descriptor, size, offset)
        except OSError as error:
            folder.refuse("image.missing", f"cannot be read at {self.name}: {error.strerror or error}.", MEND_COPY)
