"""Looks through a bare folder: what can be read, what it says of itself, and what of its pixels a draft needs.

Every image is decoded once and let go. A file that cannot be read is remarked on and left aside; the look goes on.
"""

import math
import os
import stat
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lampyris.camera.photon_transfer import NoiseSamples, noise_samples
from lampyris.core.errors import ImageError, InputError, LampyrisError
from lampyris.core.finding import Finding, Place, Severity
from lampyris.core.images import RawImage
from lampyris.core.settings import Limits, Stage
from lampyris.imaging.body.animal import otsu_threshold
from lampyris.imaging.body.lanes import find_bodies
from lampyris.io.images.frames import mean_image
from lampyris.io.images.readers import format_of, known_suffixes
from lampyris.study.draft.names import NameSays, natural_key, plain_text, read_name

Progress = Callable[[int, int, str], None]

MOST_FILES = 200_000
"""A folder of more files than this is no study."""
MOST_DEPTH = 12
BODY_PIXEL_MM = 0.5
LEAST_FIELD_MM = 15.0
# squares kept of each plane: enough for a line, little enough to keep of thousands of images
_KEPT_BLOCKS = 400
# folders that hold results or belong to programs
_PASSED_OVER = frozenset({"results", "drafted", "__macosx", "$recycle.bin", "system volume information"})


@dataclass(frozen=True, slots=True, eq=False)
class Plane:
    """What is kept of one channel's pixels.

    Parameters
    ----------
    low, median, highest : float
        First percentile, median and largest count.
    at_highest : int
        Pixels that hold exactly the largest count.
    stage, body : float
        Median count of the dark surroundings and of what glows.
    noise : NoiseSamples
        Mean and variance of squares.
    """

    low: float
    median: float
    highest: float
    at_highest: int
    stage: float
    body: float
    noise: NoiseSamples


@dataclass(frozen=True, slots=True, eq=False)
class FoundImage:
    """An image of the folder.

    Parameters
    ----------
    path : str
        Relative to the folder, with forward slashes, as the file system has it.
    says : NameSays
        What its name says.
    image : RawImage
        What it says of itself, its pixels let go: an empty array of their type.
    shape : tuple of int
        Rows and columns.
    planes : tuple of Plane
        Per channel.
    dark : tuple of float
        Per channel the median of the dark frame that it brings along; empty where it brings none.
    photo : bool
        It brings a photograph along.
    bodies : int
        Animals that its photograph or, without one, its own light shows; 0 where they cannot be counted.
    photo_contrast : float
        How much brighter animals are than the stage in that photograph; NaN where it brings none.
    """

    path: str
    says: NameSays
    image: RawImage
    shape: tuple[int, int]
    planes: tuple[Plane, ...]
    dark: tuple[float, ...] = ()
    photo: bool = False
    bodies: int = 0
    photo_contrast: float = math.nan


@dataclass(frozen=True, slots=True, eq=False)
class Scan:
    """What a folder holds.

    Parameters
    ----------
    images : tuple of FoundImage
        In natural order of their paths.
    findings : tuple of Finding
        Files that could not be read, each with its reason.
    other : int
        Files of no known format.
    """

    images: tuple[FoundImage, ...]
    findings: tuple[Finding, ...] = field(default=())
    other: int = 0


def scan_folder(
    folder: Path, /, *, limits: Limits | None = None, progress: Progress | None = None, apart: Iterable[Path] = ()
) -> Scan:
    """Read every image below a folder.

    Parameters
    ----------
    folder : Path
        Any folder of images; nothing in it is changed.
    limits : Limits, optional
        Caps on what a file may declare; the defaults of study.toml.
    progress : callable, optional
        Called with the number read, the total and a name.
    apart : iterable of Path
        Folders below it that are not looked into.

    Returns
    -------
    Scan
        Faults of single files are its findings.

    Raises
    ------
    InputError
        If there is no such folder, or it holds too many files.
    """
    folder, limits = Path(folder), limits or Limits()
    if not folder.is_dir():
        raise _refused(folder, "is no folder.", "Name the folder that holds the images.")
    suffixes = known_suffixes()
    passed = {path.resolve() for path in apart}
    paths, other = [], 0
    findings: list[Finding] = []
    for path, known in _entries(folder, suffixes, passed, findings):
        paths += [path] if known else []
        other += not known
    paths.sort(key=natural_key)
    images: list[FoundImage] = []
    for count, path in enumerate(paths, start=1):
        try:
            images.append(_look_at(folder, path, read_name(path, suffixes=suffixes), limits))
        except LampyrisError as error:
            clicks = (
                []
                if not (folder / path).is_dir()
                else [one for one, known in _entries(folder / path, suffixes, passed, []) if known]
            )
            findings += [] if clicks else _left_aside(path, error)
            # a sequence whose clicks do not make one image: each of them may be one
            for one in sorted((f"{path}/{click}" for click in clicks), key=natural_key):
                try:
                    images.append(_look_at(folder, one, read_name(one, suffixes=suffixes), limits))
                except LampyrisError as fault:
                    findings += _left_aside(one, fault)
        if progress is not None:
            progress(count, len(paths), plain_text(path))
    return Scan(tuple(images), tuple(findings), other)


def is_image(path: Path, /, *, suffixes: Iterable[str]) -> bool:
    """Whether a reader knows a file or folder by its name or by what lies in it."""
    return format_of(path) is not None or (path.is_file() and path.name.lower().endswith(tuple(suffixes)))


def _entries(
    folder: Path, suffixes: tuple[str, ...], apart: set[Path], findings: list[Finding]
) -> Iterator[tuple[str, bool]]:
    """Relative paths of files and image folders, and whether a reader knows them; what is not looked into goes to `findings`."""
    count = 0
    for parent, names, files in os.walk(folder):
        here = Path(parent)
        names.sort()
        for name in list(names):
            path = here / name
            if path.is_symlink():
                names.remove(name)
                findings.append(_not_entered(folder, path, "is a link to another folder, which is not followed."))
            elif name.startswith(".") or name.casefold() in _PASSED_OVER or path.resolve() in apart:
                names.remove(name)
            elif is_image(path, suffixes=suffixes):
                names.remove(name)
                yield path.relative_to(folder).as_posix(), True
        if len(here.relative_to(folder).parts) >= MOST_DEPTH and names:
            names.clear()
            findings.append(
                _not_entered(folder, here, f"lies {MOST_DEPTH} folders deep: none below it is looked into.")
            )
        for name in sorted(files):
            path = here / name
            if name.startswith("."):
                continue
            count += 1
            if count > MOST_FILES:
                raise _refused(folder, f"holds more than {MOST_FILES} files.", "Name the folder of one study.")
            regular = path.exists() and stat.S_ISREG(path.stat().st_mode)
            yield path.relative_to(folder).as_posix(), regular and is_image(path, suffixes=suffixes)


def _not_entered(folder: Path, path: Path, seen: str) -> Finding:
    place = Place(plain_text(path.relative_to(folder).as_posix()))
    return Finding(
        "draft.left-aside", Severity.WARNING, place, seen, "Copy the images there if they belong to the study."
    )


def _refused(folder: Path, seen: str, mend: str) -> InputError:
    finding = Finding("draft.folder", Severity.ERROR, Place(folder.name), seen, mend)
    return InputError(f"{folder.name or folder} cannot be drafted from", [finding])


def _left_aside(path: str, error: LampyrisError) -> list[Finding]:
    """The error's findings as warnings: a draft goes on without the file."""
    shown = plain_text(path)
    told = error.findings or (Finding("draft.unreadable", Severity.WARNING, Place(shown), f"{error}.", ""),)
    return [Finding("draft.left-aside", Severity.WARNING, Place(shown), one.seen, one.mend) for one in told]


def _look_at(folder: Path, path: str, says: NameSays, limits: Limits) -> FoundImage:
    opened = mean_image(folder / path, limits, file=plain_text(path))
    if not opened.counts.size:
        finding = Finding("image.empty", Severity.ERROR, Place(plain_text(path)), "has no pixel.", "Export it again.")
        raise ImageError("an image is empty", [finding])
    body = _glowing(opened.counts)
    height, width = opened.counts.shape[1:]
    kept = replace(opened, counts=np.empty((len(opened.channels), 0, 0), opened.counts.dtype), dark=None, photo=None)
    return FoundImage(
        path=path,
        says=says,
        image=kept,
        shape=(height, width),
        planes=tuple(_plane(plane, body, opened.frames) for plane in opened.counts),
        dark=() if opened.dark is None else tuple(float(np.median(plane)) for plane in opened.dark),
        photo=opened.photo is not None,
        bodies=_count_bodies(opened),
        photo_contrast=math.nan if opened.photo is None else _contrast(np.asarray(opened.photo, np.float64)),
    )


def _contrast(photo: NDArray[np.float64]) -> float:
    body = _glowing(photo[None])
    stage = float(np.median(photo[~body])) if not body.all() else 0.0
    return float(np.median(photo[body])) / stage if body.any() and stage > 0 else math.nan


def _count_bodies(image: RawImage) -> int:
    """Animals in the photograph, or in the light of all channels; pixels are joined to about half a millimetre first."""
    seen = image.counts.sum(axis=0, dtype=np.float64) if image.photo is None else np.asarray(image.photo, np.float64)
    own = image.photo_pixel_mm if image.photo is not None and image.photo_pixel_mm > 0 else math.nan
    if math.isnan(own):
        own = image.pixel_mm * image.counts.shape[2] / seen.shape[1]
    if not (own > 0 and math.isfinite(own)):
        return 0
    joined = max(1, int(BODY_PIXEL_MM / own))
    height, width = (size // joined * joined for size in seen.shape)
    # a lane is wider than this, and a frame that is narrower shows no animal
    if min(height, width) * own < LEAST_FIELD_MM:
        return 0
    small = seen[:height, :width].reshape(height // joined, joined, width // joined, joined).mean(axis=(1, 3))
    return len(find_bodies(small, pixel_mm=own * joined, stage=Stage()).animals)


def _glowing(counts: NDArray[np.generic]) -> NDArray[np.bool_]:
    """Pixels that are brighter than the stage: the animals, however little of the image they fill.

    The split is that of a logarithm, whose unit is how much the darker quarter varies: bright lesions do not draw it up.
    """
    total = np.asarray(counts, np.float64).sum(axis=0)
    lowest, quarter = np.quantile(total, (0.01, 0.25))
    unit = quarter - lowest if quarter > lowest else 1.0
    light = np.log1p(np.maximum(total - lowest, 0.0) / unit)
    return np.asarray(light > otsu_threshold(light))


def _plane(plane: NDArray[Any], body: NDArray[np.bool_], frames: int) -> Plane:
    low, median = (float(value) for value in np.quantile(np.asarray(plane, np.float64), (0.01, 0.5)))
    highest = float(plane.max())
    noise = noise_samples(plane, highest=highest if highest > low else math.inf)
    step = max(1, noise.mean.size // _KEPT_BLOCKS)
    return Plane(
        low=low,
        median=median,
        highest=highest,
        at_highest=int(np.count_nonzero(plane == plane.max())),
        stage=float(np.median(plane[~body])) if not body.all() else median,
        body=float(np.median(plane[body])) if body.any() else median,
        # a mean of frames is as much quieter than a frame
        noise=NoiseSamples(noise.mean[::step], noise.variance[::step] * frames),
    )
