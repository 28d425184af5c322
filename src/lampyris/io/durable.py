"""Files that are complete or absent: written beside their name, synced, renamed; and the hashes and lock that go with it.

In the order of use: `StudyLock`, `sweep`, `write_bytes`, `write_text`, `write_json`, `durable_directory`, `passing_directory`,
`sha256_file`, `sha256_tree`.

Everything unfinished is named ``.lampyris-*.partial`` (being written) or ``.lampyris-*.old`` (replaced, about to be
deleted), so that `sweep` can tell it from results. A power cut or SIGKILL at any moment leaves the old content or the new.
"""

import fcntl
import hashlib
import itertools
import json
import math
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np

from lampyris.core.errors import LampyrisError
from lampyris.core.finding import Finding, Place, Severity

POINTS = ("written", "synced", "aside", "renamed")
"""Moments at which `reach` is called; "aside" only where `durable_directory` replaces an older directory."""

LOCK_NAME = ".lampyris.lock"
_PREFIX = ".lampyris-"
_PARTIAL = ".partial"
_OLD = ".old"
_serial = itertools.count()


def reach(point: str) -> None:
    """Do nothing; called at each of `POINTS`, so that a test can end the process there.

    Parameters
    ----------
    point : str
        One of `POINTS`.
    """


def write_bytes(path: Path, data: bytes, /) -> None:
    """Write a file that is complete or, after a kill, unchanged.

    Parameters
    ----------
    path : Path
        Final name; missing parent directories are made.
    data : bytes
        Whole content.

    Raises
    ------
    LampyrisError
        If the disk is full, read-only or refuses; what stood at `path` before is untouched.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_bytes(Path(folder) / "a.bin", b"glow")
    ...     (Path(folder) / "a.bin").read_bytes()
    b'glow'
    """
    path = Path(path)
    with _naming_the_fault(path):
        _make_parents(path)
        beside = _beside(path, _PARTIAL)
        try:
            descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
            with os.fdopen(descriptor, "wb", buffering=0) as stream:
                view = memoryview(data)
                while view:
                    view = view[stream.write(view) :]
                reach("written")
                os.fsync(stream.fileno())
            reach("synced")
            beside.replace(path)
        except BaseException:
            beside.unlink(missing_ok=True)
            raise
        reach("renamed")
        _sync_directory(path.parent)


def write_text(path: Path, text: str, /) -> None:
    """Write text as UTF-8, durably; line ends stay as they are.

    Parameters
    ----------
    path : Path
        Final name.
    text : str
        Whole content.

    Raises
    ------
    LampyrisError
        As `write_bytes`.
    """
    write_bytes(path, text.encode("utf-8"))


def write_json(path: Path, value: object, /, *, not_finite: Literal["refuse", "null"] = "refuse") -> None:
    """Write `canonical_json` of a value, durably.

    Parameters
    ----------
    path : Path
        Final name.
    value : object
        See `canonical_json`.
    not_finite : {"refuse", "null"}
        See `canonical_json`.

    Raises
    ------
    LampyrisError
        As `write_bytes`.
    """
    write_text(path, canonical_json(value, not_finite=not_finite))


def canonical_json(value: object, /, *, not_finite: Literal["refuse", "null"] = "refuse") -> str:
    """Return the one JSON text of a value: sorted keys, two-space indent, exact numbers, a newline at the end.

    Parameters
    ----------
    value : object
        Mappings with text keys, sequences, numpy arrays and scalars, text, numbers, booleans, None.
    not_finite : {"refuse", "null"}
        What becomes of NaN and infinity, which JSON does not know.

    Returns
    -------
    str
        JSON, UTF-8 safe.

    Raises
    ------
    ValueError
        For NaN or infinity where they are refused; names the key.
    TypeError
        For a key that is no text, or a value that JSON cannot hold; names the key.

    Examples
    --------
    >>> canonical_json({"b": 1, "a": [0.1, float("nan")]}, not_finite="null").split()
    ['{', '"a":', '[', '0.1,', 'null', '],', '"b":', '1', '}']
    """
    plain = _plain(value, "value", null=not_finite == "null")
    return json.dumps(plain, sort_keys=True, ensure_ascii=False, allow_nan=False, indent=2) + "\n"


def _plain(value: object, where: str, *, null: bool) -> Any:
    """Value in JSON's own types; `where` is the dotted key for the message."""
    if isinstance(value, np.generic | np.ndarray):
        value = value.tolist()
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        if math.isfinite(value):
            return value
        if null:
            return None
        raise ValueError(f"{where}: JSON holds no {value}; choose not_finite='null' or leave it out")
    if isinstance(value, Mapping):
        wrong = [key for key in value if not isinstance(key, str)]
        if wrong:
            raise TypeError(f"{where}: keys must be text, got {wrong[0]!r}")
        return {str(key): _plain(entry, f"{where}.{key}", null=null) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(entry, f"{where}[{number}]", null=null) for number, entry in enumerate(value)]
    raise TypeError(f"{where}: JSON holds no {type(value).__name__}")


@contextmanager
def durable_directory(path: Path, /) -> Iterator[Path]:
    """Fill a directory that appears complete or not at all.

    Yields a hidden directory beside `path`; when the block ends, its files are synced and it is renamed to `path`.
    An older directory of that name is moved aside first and deleted last: between the two renames neither is at
    `path`, and `sweep` puts the old one back. If the block raises, nothing at `path` has changed.

    Parameters
    ----------
    path : Path
        Final name.

    Yields
    ------
    Path
        Where to write; plain writes will do.

    Raises
    ------
    LampyrisError
        If the disk is full, read-only or refuses.
    """
    path = Path(path)
    with _naming_the_fault(path):
        _make_parents(path)
        beside = _beside(path, _PARTIAL)
        beside.mkdir()
    try:
        yield beside
        with _naming_the_fault(path):
            reach("written")
            _sync_tree(beside)
            reach("synced")
            _put_in_place(beside, path)
    except BaseException:
        shutil.rmtree(beside, ignore_errors=True)
        raise


@contextmanager
def passing_directory(parent: Path, /) -> Iterator[Path]:
    """A hidden directory for what a run needs only while it lasts; `sweep` deletes what a killed run leaves of it.

    Parameters
    ----------
    parent : Path
        Where it is made.

    Yields
    ------
    Path
        The directory, which is deleted at the end.

    Raises
    ------
    LampyrisError
        If the disk refuses.
    """
    with _naming_the_fault(parent):
        passing = _beside(Path(parent) / "passing", _PARTIAL)
        passing.mkdir()
    try:
        yield passing
    finally:
        shutil.rmtree(passing, ignore_errors=True)


def _put_in_place(beside: Path, path: Path) -> None:
    """Rename a finished directory to its name, an older one aside and away."""
    aside = None
    if os.path.lexists(path):
        # the old one keeps its own name inside a hidden directory, so that sweep knows where it belongs
        aside = _beside(path, _OLD)
        aside.mkdir()
        path.rename(aside / path.name)
        reach("aside")
    try:
        beside.rename(path)
    except BaseException:
        if aside is not None:
            (aside / path.name).rename(path)
            aside.rmdir()
        raise
    reach("renamed")
    _sync_directory(path.parent)
    if aside is not None:
        _remove(aside)


def sweep(directory: Path, /) -> tuple[str, ...]:
    """Clear what killed runs left below a directory; call it with the study locked.

    Half-written files and directories are deleted. A directory that was moved aside goes back to its place if
    nothing has taken it, else it is deleted.

    Parameters
    ----------
    directory : Path
        Searched with all directories below; symbolic links are not followed.

    Returns
    -------
    tuple of str
        Sorted relative names of what was cleared or put back.

    Raises
    ------
    LampyrisError
        If something cannot be removed.
    """
    directory = Path(directory)
    cleared = []
    with _naming_the_fault(directory):
        for parent, names, files in os.walk(directory):
            for name in [*names, *files]:
                if not name.startswith(_PREFIX) or not name.endswith((_PARTIAL, _OLD)):
                    continue
                leftover = Path(parent) / name
                if name.endswith(_OLD) and leftover.is_dir():
                    _put_back(leftover)
                _remove(leftover)
                cleared.append(leftover.relative_to(directory).as_posix())
            names[:] = [name for name in names if (Path(parent) / name).exists()]
    return tuple(sorted(cleared))


def _put_back(aside: Path) -> None:
    """Return an older directory to a name that nothing has taken."""
    for entry in aside.iterdir():
        home = aside.parent / entry.name
        if not os.path.lexists(home):
            entry.rename(home)
            _sync_directory(home.parent)


def _remove(path: Path) -> None:
    """Delete a file, link or directory."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _beside(path: Path, ending: str) -> Path:
    """Fresh hidden name in the same directory; short whatever the length of the final name."""
    return path.parent / f"{_PREFIX}{os.getpid()}-{next(_serial)}-{os.urandom(4).hex()}{ending}"


def _make_parents(path: Path) -> None:
    """Make missing parent directories and sync their entries."""
    missing = []
    parent = path.parent
    while not parent.exists():
        missing.append(parent)
        parent = parent.parent
    for directory in reversed(missing):
        directory.mkdir(exist_ok=True)
        _sync_directory(directory.parent)


def _sync_directory(path: Path) -> None:
    """Sync a directory's entries."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sync_tree(top: Path) -> None:
    """Sync every file and directory below `top`, and `top` itself.

    All files are written before the first is synced: the journal then takes most of them in one go.
    """
    for parent, _, files in os.walk(top):
        for name in files:
            descriptor = os.open(os.path.join(parent, name), os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)  # noqa: PTH118
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        _sync_directory(Path(parent))


@contextmanager
def _naming_the_fault(path: Path) -> Iterator[None]:
    """Turn an operating system's refusal into an error that names the file and the mend."""
    try:
        yield
    except OSError as error:
        finding = Finding(
            "store.write",
            Severity.ERROR,
            Place(path.name),
            f"cannot be written: {error.strerror or error}.",
            "Check free space and permissions, then run again; what was complete before is kept.",
        )
        raise LampyrisError(f"Cannot write {path}.", [finding]) from error


def sha256_file(path: Path, /) -> str:
    """SHA-256 of a file's content, in hexadecimal.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    str
        64 hexadecimal digits.
    """
    with Path(path).open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def sha256_tree(directory: Path, /) -> str:
    """SHA-256 over the relative names and contents of all files below a directory.

    Times, permissions, the directory's own name and empty directories do not count; a symbolic link counts by its target's text.

    Parameters
    ----------
    directory : Path
        The tree.

    Returns
    -------
    str
        64 hexadecimal digits.

    Raises
    ------
    NotADirectoryError
        If there is no such directory.
    """
    directory = Path(directory)
    if not directory.is_dir():
        raise NotADirectoryError(f"{directory} is no directory")
    entries = []
    for parent, names, files in os.walk(directory):
        links = [name for name in names if (Path(parent) / name).is_symlink()]
        for name in [*files, *links]:
            path = Path(parent) / name
            relative = os.fsencode(path.relative_to(directory).as_posix())
            if path.is_symlink():
                entries.append((relative, b"L", hashlib.sha256(os.fsencode(path.readlink())).digest()))
            else:
                entries.append((relative, b"F", bytes.fromhex(sha256_file(path))))
    total = hashlib.sha256()
    for relative, kind, digest in sorted(entries):
        total.update(len(relative).to_bytes(8, "big") + relative + kind + digest)
    return total.hexdigest()


class StudyLock:
    """Hold a study for one process: ``with StudyLock(study): ...``.

    The lock is the kernel's own and ends with the process, so a killed run leaves none behind; the file
    ``.lampyris.lock`` that it may leave is no lock by itself. A worker process made by fork does not hold it on.

    Parameters
    ----------
    directory : Path
        The study.

    Raises
    ------
    LampyrisError
        On entering, if another process holds the study or the directory cannot be written.
    """

    __slots__ = ("_descriptor", "_directory")

    def __init__(self, directory: Path, /) -> None:
        self._directory = Path(directory)
        self._descriptor: int | None = None

    def __enter__(self) -> Self:
        path = self._directory / LOCK_NAME
        if self._descriptor is not None:
            raise self._refusal(os.getpid())
        while True:
            with _naming_the_fault(path):
                descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o666)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                holder = os.pread(descriptor, 20, 0).decode("ascii", "replace").strip()
                os.close(descriptor)
                if isinstance(error, BlockingIOError):
                    raise self._refusal(holder) from None
                with _naming_the_fault(path):
                    raise
            if _is_still(path, descriptor):
                break
            # the holder before us deleted the file between our open and our lock: lock the new one
            os.close(descriptor)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode("ascii"), 0)
        self._descriptor = descriptor
        _held.add(descriptor)
        return self

    def __exit__(self, *reason: object) -> None:
        descriptor, self._descriptor = self._descriptor, None
        if descriptor in _held:
            _held.discard(descriptor)
            with suppress(OSError):
                (self._directory / LOCK_NAME).unlink()
            os.close(descriptor)

    def _refusal(self, holder: object) -> LampyrisError:
        finding = Finding(
            "study.locked",
            Severity.ERROR,
            Place(LOCK_NAME),
            f"process {holder} is working on this study." if holder else "another process is working on this study.",
            "Wait until it ends, or end it; the lock goes with it.",
        )
        return LampyrisError(f"The study {self._directory.name} is in use.", [finding])


_held: set[int] = set()


def _is_still(path: Path, descriptor: int) -> bool:
    """Whether the open file is the one that bears the name now."""
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def _let_go_in_child() -> None:
    """Close inherited locks in a forked worker, which would else outlive a killed run in its orphans."""
    for descriptor in _held:
        with suppress(OSError):
            os.close(descriptor)
    _held.clear()


os.register_at_fork(after_in_child=_let_go_in_child)
