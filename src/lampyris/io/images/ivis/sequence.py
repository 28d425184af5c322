"""IVIS (Living Image) sequence folders ``*_SEQ``: a click per pair of filters becomes one image with a channel per click."""

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from lampyris.core.errors import UnsafeFileError
from lampyris.core.images import RawImage
from lampyris.io.images.ivis.click import (
    INFO_FILES,
    UNMIXED,
    Budget,
    ClickMetadata,
    click_image,
    click_metadata,
    folder_files,
    info_text,
    refuse_unmixed,
)
from lampyris.io.images.tiff import refuse

SEQUENCE_FILE = "sequenceinfo.txt"
"""Text file of a sequence, in lower case."""
MAX_CLICKS = 512
"""Most clicks of a sequence."""

_MEND = "Copy the whole sequence folder anew from the instrument's computer."


def sequence_clicks(path: Path, /, *, file: str = "") -> tuple[str, ...]:
    """Names of the click folders of a sequence, in its order.

    Parameters
    ----------
    path : Path
        The sequence folder.
    file : str
        The folder as the user knows it, for messages; its bare name by default.

    Returns
    -------
    tuple of str
        As ``SequenceInfo.txt`` lists them, unmixed ones left out; without that file all click folders within, sorted.

    Raises
    ------
    ImageError
        If it is unmixed, holds no click, or lacks one that is listed.
    """
    path = Path(path)
    file = file or path.name
    refuse_unmixed(path.name, file)
    names = folder_files(path, file=file)
    folders = folder_files(path, file=file, folders=True)
    if SEQUENCE_FILE in names:
        text = info_text(path / names[SEQUENCE_FILE], file=f"{file}/{names[SEQUENCE_FILE]}")
        listed = [section.file for section in text.named("clicknumber")]
        listed += [entry.value for entry in text.entries() if entry.key.startswith("clicknumber")]
        found = [_folder_of(entry, folders, file) for entry in listed if entry and not UNMIXED.search(entry)]
    else:
        if unmixed := [name for key, name in names.items() if key.endswith(SEQUENCE_FILE) and UNMIXED.search(key)]:
            refuse_unmixed(unmixed[0], file)
        inner = [name for name in folders.values() if not UNMIXED.search(name)]
        found = [name for name in inner if set(INFO_FILES) & set(folder_files(path / name, file=f"{file}/{name}"))]
    clicks = tuple(dict.fromkeys(found))
    if not clicks:
        refuse(file, "image.empty", "is a sequence without clicks.", _MEND)
    if len(clicks) > MAX_CLICKS:
        refuse(file, "image.files", f"lists {len(clicks)} clicks, above {MAX_CLICKS}.", _MEND, UnsafeFileError)
    return clicks


def channel_names(clicks: Sequence[ClickMetadata], /) -> tuple[str, ...]:
    """A distinct name per click: the emission filter, with the excitation where that alone is not distinct.

    Parameters
    ----------
    clicks : sequence of ClickMetadata
        Of one sequence.

    Returns
    -------
    tuple of str
        Such as "780", or "780 ex 675"; what is still not distinct is numbered.
    """
    plain = [click.channel for click in clicks]
    excitations = [
        f"{click.excitation_nm:g}" if click.excitation_nm > 0 else click.excitation or "none" for click in clicks
    ]
    twice = {name for name, count in Counter(plain).items() if count > 1}
    names = [
        f"{name} ex {excitation}" if name in twice else name
        for name, excitation in zip(plain, excitations, strict=True)
    ]
    twice = {name for name, count in Counter(names).items() if count > 1}
    return tuple(f"{name} #{number}" if name in twice else name for number, name in enumerate(names, 1))


def read_ivis_sequence(path: Path, /, *, max_pixels: int, max_pages: int, max_bytes: int, file: str = "") -> RawImage:
    """Read a sequence folder that nobody vouches for: a channel per click.

    Parameters
    ----------
    path : Path
        The folder ``*_SEQ``.
    max_pixels, max_pages, max_bytes : int
        Caps: pixels of all images together, clicks, bytes of all files together.
    file : str
        The folder as the user knows it, for messages; its bare name by default.

    Returns
    -------
    RawImage
        Dark and coefficients only where every click has them; the photograph, time and labels of the first that has one.

    Raises
    ------
    ImageError
        If a click is missing or damaged, or the clicks differ in size, field of view or binning.
    UnsafeFileError
        If a file declares more than the caps.
    """
    path = Path(path)
    file = file or path.name
    names = sequence_clicks(path, file=file)
    if len(names) > max_pages:
        mend = "If the folder is trusted, raise the cap in [limits] of study.toml."
        refuse(file, "image.pages", f"has more than {max_pages} clicks.", mend, UnsafeFileError)
    files = [f"{file}/{name}" for name in names]
    clicks = [click_metadata(path / name, file=inner) for name, inner in zip(names, files, strict=True)]
    for click, inner in zip(clicks, files, strict=True):
        _refuse_other(click, clicks[0], inner, files[0])
    budget = Budget(max_pixels, max_pages, max_bytes)
    images: list[RawImage] = []
    for name, click, inner in zip(names, clicks, files, strict=True):
        with_photo = all(image.photo is None for image in images)
        images.append(click_image(path / name, click, budget, file=inner, with_photo=with_photo))
        shape, first = images[-1].counts.shape[1:], images[0].counts.shape[1:]
        if shape != first:
            seen = f"has {shape[0]} x {shape[1]} pixels, {files[0]} has {first[0]} x {first[1]}."
            refuse(inner, "image.mixed", seen, "Name each click by itself in the sheet.")
    return _together(images, channel_names(clicks))


def _together(images: list[RawImage], channels: tuple[str, ...]) -> RawImage:
    """One image of all clicks."""
    darks = [image.dark for image in images if image.dark is not None]
    photo = next((image for image in images if image.photo is not None), images[0])
    per_rate = tuple(value for image in images for value in image.radiance_per_count_rate)
    labels: dict[str, str] = {}
    for image in images:
        labels = dict(sorted({**image.labels, **labels}.items()))
    return RawImage(
        counts=np.concatenate([image.counts for image in images]),
        channels=channels,
        pixel_mm=images[0].pixel_mm,
        exposure_s=tuple(image.exposure_s[0] for image in images),
        excitation_nm=tuple(image.excitation_nm[0] for image in images),
        emission_nm=tuple(image.emission_nm[0] for image in images),
        acquired=next((image.acquired for image in images if image.acquired), ""),
        synthetic=any(image.synthetic for image in images),
        dark=np.concatenate(darks) if len(darks) == len(images) else None,
        photo=photo.photo,
        photo_pixel_mm=photo.photo_pixel_mm,
        radiance_per_count_rate=per_rate if len(per_rate) == len(images) else (),
        labels=labels,
    )


def _folder_of(entry: str, folders: dict[str, str], file: str) -> str:
    """The folder in the sequence that an entry names, by its last part, or by its number alone."""
    last = entry.replace("\\", "/").rstrip("/").rpartition("/")[2].lower()
    fitting = [folders[last]] if last in folders else []
    if not fitting and last.isascii() and last.isdigit():
        fitting = [name for key, name in folders.items() if re.search(rf"_0*{int(last[:9])}$", key)]
    if len(fitting) != 1:
        refuse(file, "image.missing", f"lists the click {entry[:80]!r}, which does not lie in it.", _MEND)
    return fitting[0]


def _refuse_other(click: ClickMetadata, first: ClickMetadata, file: str, other: str) -> None:
    """Clicks of one image share field of view and binning."""
    for name, unit in (("field_of_view_cm", "cm"), ("binning", "")):
        mine, theirs = getattr(click, name), getattr(first, name)
        # NaN differs from itself; its text does not
        if repr(mine) != repr(theirs):
            what = name.removesuffix("_cm").replace("_", " ")
            seen = f"has {what} {mine:g} {unit}".rstrip() + f", {other} has {theirs:g} {unit}".rstrip() + "."
            refuse(file, "image.mixed", seen, "Name each click by itself in the sheet.")
