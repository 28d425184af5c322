"""From a file's name to the function that reads it; formats are imported when first needed.

What a reader may return
------------------------
A reader is called as ``read(path, max_pixels=..., max_pages=..., max_bytes=..., file=...)``, where ``file`` is the image as
the user knows it, and returns one `lampyris.core.images.RawImage`: counts as stored, dims (channel, y, x), unsigned
integer or finite float, in the machine's byte order; a distinct name per channel; lengths in mm, times in s, wavelengths
in nm, and NaN or "" where the file does not say. It guesses nothing, opens no file but the one it is given, and
prints nothing. What it cannot read it refuses with `ImageError`, and what declares more than the caps with
`UnsafeFileError`, each with a finding that names ``file`` and the mend.

Another package adds a reader with an entry point of group ``lampyris.readers`` whose name is the suffix it reads::

    [project.entry-points."lampyris.readers"]
    ".sif" = "my_package.sif:read_sif"

Suffixes known here cannot be taken over.
"""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

from lampyris.core.errors import ImageError, LampyrisError
from lampyris.core.finding import Finding, Place, Severity
from lampyris.core.images import RawImage
from lampyris.core.settings import Limits

GROUP = "lampyris.readers"
"""Entry-point group of readers that other packages bring."""

Reader = Callable[..., RawImage]


@dataclass(frozen=True, slots=True)
class Format:
    """A known file format.

    Parameters
    ----------
    name : str
        Of the format.
    suffixes : tuple of str
        Endings of its files, in lower case.
    target : str
        ``module:function`` of its reader.
    """

    name: str
    suffixes: tuple[str, ...]
    target: str


FORMATS: tuple[Format, ...] = (
    Format("ome-tiff", (".ome.tif", ".ome.tiff", ".tif", ".tiff"), "lampyris.io.images.ome_tiff:read_ome_tiff"),
)


def read_image(path: Path, limits: Limits, /, *, file: str = "") -> RawImage:
    """Read an image with the reader of its suffix.

    Parameters
    ----------
    path : Path
        The file.
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
        If no reader knows the suffix, or the reader refuses the file.
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


def image_files(path: Path, /) -> tuple[Path, ...]:
    """Every file of an image: the file itself, or all below a vendor's folder.

    Parameters
    ----------
    path : Path
        File or folder.

    Returns
    -------
    tuple of Path
        Sorted; symbolic links to folders are not followed.
    """
    if not path.is_dir():
        return (path,)
    return tuple(sorted(one for one in path.rglob("*") if one.is_file()))


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


def _reader_of(path: Path, file: str) -> tuple[str, Reader]:
    """Where the reader of a file's suffix comes from, and the reader; the longest suffix wins."""
    name = path.name.lower()
    targets: dict[str, str | EntryPoint] = {suffix: one.target for one in FORMATS for suffix in one.suffixes}
    fitting = [suffix for suffix in targets if name.endswith(suffix)]
    if not fitting:
        # looking through what is installed takes milliseconds, which a known format need not pay for every image
        targets = {**{entry.name.lower(): entry for entry in _foreign()}, **targets}
        fitting = [suffix for suffix in targets if name.endswith(suffix)]
    if not fitting:
        seen = f"has no known image format; known suffixes are {', '.join(sorted(targets))}."
        mend = "Export it as OME-TIFF, or install a package that reads it."
        raise _refusal(file, "image.format", seen, mend)
    target = targets[max(fitting, key=len)]
    if isinstance(target, str):
        module, _, function = target.partition(":")
        return target, getattr(import_module(module), function)
    try:
        return target.value, target.load()
    except Exception as error:
        seen = f"needs the reader {target.value}, which cannot be imported: {error}."
        raise _refusal(file, "image.reader", seen, "Mend or remove the package that brings it.") from error


def _foreign() -> tuple[EntryPoint, ...]:
    """Readers of other packages, in an order that does not depend on how they were installed."""
    return tuple(sorted(entry_points(group=GROUP), key=lambda entry: (entry.name, entry.value)))


def _refusal(file: str, rule: str, seen: str, mend: str) -> ImageError:
    return ImageError(f"{file} cannot be read.", [Finding(rule, Severity.ERROR, Place(file), seen, mend)])
