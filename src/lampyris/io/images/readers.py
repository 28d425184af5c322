"""From a file's or folder's name to the function that reads it; formats are imported when first needed.

What a reader may return
------------------------
A reader is called as ``read(path, max_pixels=..., max_pages=..., max_bytes=..., file=...)``, where ``file`` is the image as
the user knows it, and returns one `lampyris.core.images.RawImage`: counts as stored, dims (channel, y, x), unsigned
integer or finite float, in the machine's byte order; a distinct name per channel; lengths in mm, times in s, wavelengths
in nm, and NaN or "" where the file does not say. Dark, photograph, coefficients and labels come along where the file has
them. It guesses nothing, opens no file but the one it is given (of a folder, those within, never through a symbolic
link), and prints nothing. What it cannot read it refuses with `ImageError`, and what declares more than the caps with
`UnsafeFileError`, each with a finding that names ``file`` and the mend.

Another package adds a reader with an entry point of group ``lampyris.readers`` whose name is the suffix it reads::

    [project.entry-points."lampyris.readers"]
    ".sif" = "my_package.sif:read_sif"

Suffixes known here cannot be taken over. `lampyris.io.images.conformance` tests a reader against all of this.
"""

import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from itertools import islice
from pathlib import Path

from lampyris.core.errors import ImageError, LampyrisError, UnsafeFileError
from lampyris.core.finding import Finding, Place, Severity
from lampyris.core.images import RawImage
from lampyris.core.settings import Limits

GROUP = "lampyris.readers"
"""Entry-point group of readers that other packages bring."""

Reader = Callable[..., RawImage]


@dataclass(frozen=True, slots=True)
class Format:
    """A known format of files, or of folders that make up one image.

    Parameters
    ----------
    name : str
        Of the format.
    title : str
        As a person calls it.
    suffixes : tuple of str
        Endings of its files, in lower case; empty for a format of folders.
    target : str
        ``module:function`` of its reader.
    folders : tuple of str
        Endings of its folders' names, in lower case.
    members : tuple of str
        Files of which one tells its folders, in lower case.
    """

    name: str
    title: str
    suffixes: tuple[str, ...]
    target: str
    folders: tuple[str, ...] = ()
    members: tuple[str, ...] = ()


# of folders the first that fits counts: a sequence holds clicks
FORMATS: tuple[Format, ...] = (
    Format(
        "ome-tiff",
        "OME-TIFF or TIFF",
        (".ome.tif", ".ome.tiff", ".tif", ".tiff"),
        "lampyris.io.images.ome.tiff:read_ome_tiff",
    ),
    Format("andor-sif", "Andor SIF", (".sif",), "lampyris.io.images.cameras.andor_sif:read_andor_sif"),
    Format("princeton-spe", "Princeton SPE", (".spe",), "lampyris.io.images.cameras.princeton_spe:read_princeton_spe"),
    Format(
        "ivis-sequence",
        "IVIS sequence folder",
        (),
        "lampyris.io.images.ivis.sequence:read_ivis_sequence",
        ("_seq",),
        ("sequenceinfo.txt",),
    ),
    Format(
        "ivis-click",
        "IVIS click folder",
        (),
        "lampyris.io.images.ivis.click:read_ivis_click",
        (),
        ("clickinfo.txt", "analyzedclickinfo.txt"),
    ),
    Format(
        "ome-zarr",
        "OME-Zarr folder",
        (),
        "lampyris.io.images.ome.zarr_image:read_ome_zarr_image",
        (".ome.zarr", ".zarr"),
        ("zarr.json", ".zattrs", ".zgroup"),
    ),
)

MAX_FILES = 100_000
"""Most files in a folder that makes up one image."""


def read_image(path: Path, limits: Limits, /, *, file: str = "") -> RawImage:
    """Read an image with the reader of its format.

    Parameters
    ----------
    path : Path
        The file, or the folder of an image that is one.
    limits : Limits
        Caps from study.toml.
    file : str
        The image as the user knows it, for messages; the bare file name by default.

    Returns
    -------
    RawImage
        What the file holds.

    Raises
    ------
    ImageError
        If no reader knows the format, or the reader refuses the file.
    """
    path = Path(path)
    file = file or path.name
    source, reader = _reader_of(path, file)
    caps = {"max_pixels": limits.max_pixels, "max_pages": limits.max_pages}
    try:
        image = reader(path, **caps, max_bytes=int(limits.max_file_mb * 1e6), file=file)
    except LampyrisError:
        raise
    except Exception as error:
        # a reader of another package may raise anything; one image must not stop the study
        seen = f"made the reader {source} fail: {type(error).__name__}: {error}."
        raise _refusal(file, "image.reader", seen, "Tell the authors of that reader.") from error
    if not isinstance(image, RawImage):
        seen = f"made the reader {source} return {type(image).__name__}, not RawImage."
        raise _refusal(file, "image.reader", seen, "Tell the authors of that reader.")
    return image


def known_suffixes() -> tuple[str, ...]:
    """Suffixes that can be read, those of other packages included.

    Returns
    -------
    tuple of str
        Sorted, in lower case.

    Examples
    --------
    >>> ".ome.tif" in known_suffixes()
    True
    """
    own = (suffix for format_ in FORMATS for suffix in format_.suffixes)
    return tuple(sorted({*own, *(entry.name.lower() for entry in _foreign())}))


def image_files(path: Path, /, *, file: str = "") -> tuple[Path, ...]:
    """All files that an image consists of: itself, or what lies in its folder; these are hashed as its content.

    Parameters
    ----------
    path : Path
        File or folder.
    file : str
        The image as the user knows it, for messages; the bare name by default.

    Returns
    -------
    tuple of Path
        Regular files, sorted by their path within; symbolic links in the folder are left out.

    Raises
    ------
    ImageError
        If there is none, or the folder cannot be read.
    UnsafeFileError
        If the folder holds more than `MAX_FILES`.
    """
    path = Path(path)
    file = file or path.name
    try:
        if not stat.S_ISDIR(path.stat().st_mode):
            return (path,)
        found: list[Path] = []
        for one in _walk(path):
            found.append(one)
            if len(found) > MAX_FILES:
                seen = f"holds more than {MAX_FILES} files."
                raise _refusal(file, "image.files", seen, "Name the folder of one image.", UnsafeFileError)
    except OSError as error:
        seen = f"cannot be opened: {error.strerror or error}."
        mend = "Check the path in the sheet, and that it is there and readable."
        raise _refusal(file, "image.missing", seen, mend) from error
    return tuple(sorted(found, key=lambda one: one.relative_to(path).as_posix()))


def _walk(folder: Path) -> Iterator[Path]:
    """Regular files below a folder, no symbolic link followed; one that cannot be listed is an error."""
    folders = [folder]
    while folders:
        with os.scandir(folders.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    folders.append(Path(entry.path))
                elif entry.is_file(follow_symlinks=False):
                    yield Path(entry.path)


def format_of(path: Path, /) -> Format | None:
    """The known format of a file by its name, or of a folder by what lies in it, then by its name.

    Parameters
    ----------
    path : Path
        File or folder.

    Returns
    -------
    Format or None
        None where none fits; readers of other packages are not asked.
    """
    path = Path(path)
    name = path.name.lower()
    if path.is_dir():
        members = {member.lower() for member in _members(path)}
        told = [one for one in FORMATS if members & set(one.members)]
        return next(iter([*told, *(one for one in FORMATS if name.endswith(one.folders))]), None)
    fitting = [(suffix, one) for one in FORMATS for suffix in one.suffixes if name.endswith(suffix)]
    return max(fitting, key=lambda pair: len(pair[0]))[1] if fitting else None


def _members(folder: Path) -> list[str]:
    """Names in a folder, sorted; empty where it cannot be listed."""
    try:
        with os.scandir(folder) as entries:
            return sorted(entry.name for entry in islice(entries, MAX_FILES))
    except OSError:
        return []


def _reader_of(path: Path, file: str) -> tuple[str, Reader]:
    """Where the reader of a file or folder comes from, and the reader; the longest suffix wins."""
    known = format_of(path)
    if known is not None:
        module, _, function = known.target.partition(":")
        return known.target, getattr(import_module(module), function)
    # looking through what is installed takes milliseconds, which a known format need not pay for every image
    foreign = _foreign()
    fitting = [entry for entry in foreign if path.name.lower().endswith(entry.name.lower())]
    if not fitting:
        raise _unknown(path, file, foreign)
    entry = max(fitting, key=lambda entry: len(entry.name))
    try:
        return entry.value, entry.load()
    except Exception as error:
        seen = f"needs the reader {entry.value}, which cannot be imported: {error}."
        raise _refusal(file, "image.reader", seen, "Mend or remove the package that brings it.") from error


_BEGINNINGS = (
    (b"\x89PNG", "PNG, a picture for looking at"),
    (b"\xff\xd8\xff", "JPEG, a picture for looking at"),
    (b"II*\0", "TIFF under another name"),
    (b"MM\0*", "TIFF under another name"),
    (b"PK\x03\x04", "a ZIP archive"),
    (b"\x89HDF", "HDF5"),
    (b"%PDF", "PDF"),
)


def _unknown(path: Path, file: str, foreign: tuple[EntryPoint, ...]) -> ImageError:
    """What was seen, what is known and what to do where no reader fits."""
    suffixes = sorted({suffix for one in FORMATS for suffix in one.suffixes} | {entry.name for entry in foreign})
    folders = [f"{one.title} (told by {' or '.join(one.members)})" for one in FORMATS if one.members]
    known = f"known suffixes are {', '.join(suffixes)}, known folders {', '.join(folders)}"
    name = path.name.lower()
    if path.is_dir():
        names = _members(path)
        shown = ", ".join(names[:6]) + (f" and {len(names) - 6} more" if len(names) > 6 else "")
        seen = f"is a folder of no known image format: it holds {shown or 'nothing'}; {known}."
        inner = [one for one in names[:100] if (path / one).is_dir() and format_of(path / one) is not None]
        mend = (
            f"Name one image in it, such as {inner[0]}."
            if inner
            else "Name the image itself, a file or its own folder."
        )
    elif owner := next((one for one in FORMATS if name in one.members), None):
        seen = f"is a text that belongs to an {owner.title}, not the image; {known}."
        mend = "Name the folder that holds it."
    else:
        beginning = _beginning(path)
        kind = next((kind for magic, kind in _BEGINNINGS if beginning.startswith(magic)), "")
        seen = f"has no known image format{f' (it is {kind})' if kind else ''}; {known}."
        mend = "Export it as OME-TIFF, or install a package that reads it."
        if "another name" in kind:
            mend = "Rename it so that it ends in .tif."
    return _refusal(file, "image.format", seen, mend)


def _beginning(path: Path) -> bytes:
    """First bytes of a regular file, none where it cannot be opened."""
    try:
        if path.is_file():
            with path.open("rb") as stream:
                return stream.read(16)
    except OSError:
        pass
    return b""


def _foreign() -> tuple[EntryPoint, ...]:
    """Readers of other packages, in an order that does not depend on how they were installed."""
    return tuple(sorted(entry_points(group=GROUP), key=lambda entry: (entry.name, entry.value)))


def _refusal(file: str, rule: str, seen: str, mend: str, kind: type[ImageError] = ImageError) -> ImageError:
    return kind(f"{file} cannot be read.", [Finding(rule, Severity.ERROR, Place(file), seen, mend)])
