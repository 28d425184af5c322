"""Sequences in time, one frame in memory at a time: TIFF of many pages, folders of numbered TIFFs, OME-Zarr, camera formats.

Caps are asked per frame: `max_pixels` of one frame with all its channels, `max_file_mb` of what one frame is stored in, and
`max_pages` of all pages together, since a long sequence may have more bytes than memory and is never taken into it.
"""

import math
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lampyris.core.errors import UnsafeFileError
from lampyris.core.frames import FrameStream
from lampyris.core.images import RawImage
from lampyris.core.settings import Limits
from lampyris.io.images.counts import counts_of
from lampyris.io.images.ome.tiff import read_ome_tiff
from lampyris.io.images.ome.xml import MAX_BYTES, OmeSequence, ome_sequence, ome_times, plain_metadata
from lampyris.io.images.ome.zarr_image import open_ome_zarr
from lampyris.io.images.readers import read_image
from lampyris.io.images.tiff import Caps, Page, Tiff, opened_file, page_pixels, refuse, tiff_page, tiff_sequence

_TIFF = (".tif", ".tiff")
_CAMERAS = (".sif", ".spe")
_NUMBER = re.compile(r"(?P<before>.*?)(?P<number>\d{1,18})", re.DOTALL)
_MEND_LIMITS = "If the files are trusted, raise the cap in [limits] of study.toml."
_MEND_ALIKE = "Give frames of one setting as a sequence of their own."


def open_frames(path: Path, limits: Limits, /, *, file: str = "") -> FrameStream:
    """Open a sequence; its frames are read one after the other when it is iterated.

    Parameters
    ----------
    path : Path
        A TIFF or OME-TIFF whose pages are frames (of any length, also BigTIFF), an OME-Zarr folder, a folder of numbered
        TIFFs, an Andor ``.sif`` or a Princeton ``.spe``.
    limits : Limits
        Caps from study.toml, asked per frame.
    file : str
        The sequence as the user knows it, for messages; the bare name by default.

    Returns
    -------
    FrameStream
        Of at least one frame.

    Raises
    ------
    ImageError
        If it cannot be read, is damaged, or its frames differ in size, type or exposure.
    UnsafeFileError
        If it declares more than the caps.
    """
    path = Path(path)
    file = file or path.name
    if path.is_dir():
        return _zarr_stream(path, limits, file) if _is_zarr(path) else _folder_stream(path, limits, file)
    name = path.name.lower()
    if name.endswith(_TIFF):
        return _tiff_stream(path, limits, file)
    if not name.endswith(_CAMERAS):
        seen = f"is no sequence of a known format ({', '.join([*_TIFF, *_CAMERAS])}, folders)."
        refuse(file, "image.format", seen, "Export it as OME-TIFF.")
    return _camera_stream(path, limits, file)


def mean_image(path: Path, limits: Limits, /, *, file: str = "", saturation_counts: float = math.inf) -> RawImage:
    """Read an image as `read_image` does, and one of several times as the mean of its frames.

    A plain TIFF of several pages is no sequence here: its pages are channels. One of OME-TIFF, OME-Zarr, ``.sif`` and ``.spe``
    tells which is which, and a folder of numbered TIFFs is one.

    Parameters
    ----------
    path : Path
        File or folder.
    limits : Limits
        Caps from study.toml.
    file : str
        The image as the user knows it, for messages.
    saturation_counts : float
        A pixel that reached this in any frame holds its largest count instead of its mean, so that it is known for saturated.

    Returns
    -------
    RawImage
        Where there are several times, counts are float64 and `RawImage.frames` says of how many they are the mean;
        exposures are those of one frame.

    Raises
    ------
    ImageError, UnsafeFileError
        As `read_image` and `open_frames`.
    """
    path = Path(path)
    file = file or path.name
    if not _has_times(path, limits, file):
        return read_image(path, limits, file=file)
    stream = open_frames(path, limits, file=file)
    if stream.count == 1 and not path.is_dir():
        return read_image(path, limits, file=file)
    total = np.zeros(stream.shape, np.float64)
    largest = np.zeros(stream.shape, stream.dtype)
    for frame in stream:
        # counts are whole numbers far below 2^53 over the number of frames, so that their sum is exact
        total += frame
        np.maximum(largest, frame, out=largest)
    total /= stream.count
    full = largest >= saturation_counts
    total[full] = largest[full]
    return RawImage(
        counts=total,
        channels=stream.channels,
        pixel_mm=stream.pixel_mm,
        exposure_s=stream.exposure_s,
        excitation_nm=stream.excitation_nm,
        emission_nm=stream.emission_nm,
        acquired=stream.acquired,
        synthetic=stream.synthetic,
        frames=stream.count,
        radiance_per_count_rate=stream.radiance_per_count_rate,
    )


def _has_times(path: Path, limits: Limits, file: str) -> bool:
    """Whether an image says that it holds several times; a faulty one does not, so that its reader tells the fault."""
    if path.is_dir():
        if not _is_zarr(path):
            return _numbered(path) is not None
        image = open_ome_zarr(path, max_pixels=limits.max_pixels, max_bytes=_max_bytes(limits), file=file)
        return image.size("t") > 1
    name = path.name.lower()
    if not name.endswith(_TIFF):
        return name.endswith(_CAMERAS)
    with opened_file(path, file) as data:
        _, first, offsets = tiff_sequence(data, caps=_caps(limits), file=file)
    xml = _description(first)
    return bool(xml) and len(offsets) > 1 and ome_times(xml, file=file) > 1


def _is_zarr(path: Path) -> bool:
    return any((path / name).is_file() for name in ("zarr.json", ".zattrs", ".zgroup"))


def _caps(limits: Limits) -> Caps:
    return Caps(limits.max_pixels, limits.max_pages)


def _max_bytes(limits: Limits) -> int:
    return int(limits.max_file_mb * 1e6)


def _description(page: Page) -> bytes:
    """The page's description where it is an OME-XML; an OME description begins within its first few hundred bytes."""
    text = page.description
    return bytes(text[: MAX_BYTES + 1].tobytes()) if b"<OME" in text[:4096].tobytes() else b""


def _tiff_stream(path: Path, limits: Limits, file: str) -> FrameStream:
    caps = _caps(limits)
    with opened_file(path, file) as data:
        tiff, first, offsets = tiff_sequence(data, caps=caps, file=file)
    samples, height, width = first.shape
    xml = _description(first)
    if xml and samples != 1:
        refuse(file, "image.axes", f"stores {samples} samples in a pixel.", "Export channels as pages of their own.")
    if xml:
        found = ome_sequence(xml, shape=(len(offsets), height, width), file=file)
    else:
        pages = tuple((number,) for number in range(len(offsets)))
        found = OmeSequence(plain_metadata(samples), pages, ())
    metadata = found.metadata
    shape = (len(metadata.channels), height, width)
    if math.prod(shape) > limits.max_pixels:
        refuse(file, "image.pixels", f"has frames of {math.prod(shape)} pixels.", _MEND_LIMITS, UnsafeFileError)

    def frames() -> Iterator[NDArray[Any]]:
        with opened_file(path, file) as data:
            here = replace(tiff, data=data)
            for pages in found.pages:
                yield _tiff_frame(here, [int(offsets[page]) for page in pages], caps, first)

    return FrameStream(
        file=file,
        shape=shape,
        dtype=first.dtype.newbyteorder("="),
        count=len(found.pages),
        channels=metadata.channels,
        pixel_mm=metadata.pixel_mm,
        exposure_s=metadata.exposure_s,
        excitation_nm=metadata.excitation_nm,
        emission_nm=metadata.emission_nm,
        opened=frames,
        acquired=metadata.acquired,
        synthetic=metadata.synthetic,
        times_s=np.array(found.times_s),
    )


def _tiff_frame(tiff: Tiff, offsets: list[int], caps: Caps, first: Page) -> NDArray[Any]:
    planes = []
    for offset in offsets:
        page = tiff_page(tiff, offset, caps)
        if (page.shape, page.dtype) != (first.shape, first.dtype):
            refuse(tiff.file, "image.mixed", "changed while it was read.", "Wait until nothing writes it any more.")
        planes.append(page_pixels(tiff, page))
    return counts_of(tiff.file, planes[0] if len(planes) == 1 else np.concatenate(planes))


def _zarr_stream(path: Path, limits: Limits, file: str) -> FrameStream:
    image = open_ome_zarr(path, max_pixels=limits.max_pixels, max_bytes=_max_bytes(limits), file=file)
    count, shape = image.size("t"), (image.size("c"), image.size("y"), image.size("x"))
    if count * shape[0] > limits.max_pages:
        seen = f"has more than {limits.max_pages} frames and channels."
        refuse(file, "image.pages", seen, _MEND_LIMITS, UnsafeFileError)
    # frames that share a chunk are decoded together, where as many fit
    together = image.array.coding.chunk[image.axes.index("t")] if "t" in image.axes else 1
    step = together if together * math.prod(shape) <= limits.max_pixels else 1

    def frames() -> Iterator[NDArray[Any]]:
        for first in range(0, count, step):
            image.folder.left = image.folder.max_bytes
            yield from image.frames(first, min(first + step, count))

    metadata = image.metadata
    dtype = image.array.coding.dtype.newbyteorder("=")
    return FrameStream(
        file=file,
        shape=shape,
        dtype=np.dtype(dtype.str.replace("i", "u")),
        count=count,
        channels=metadata.channels,
        pixel_mm=metadata.pixel_mm,
        exposure_s=metadata.exposure_s,
        excitation_nm=metadata.excitation_nm,
        emission_nm=metadata.emission_nm,
        opened=frames,
        acquired=metadata.acquired,
        synthetic=metadata.synthetic,
        times_s=np.array([] if math.isnan(image.interval_s) else [image.interval_s * n for n in range(count)], float),
        radiance_per_count_rate=image.radiance_per_count_rate,
    )


def _numbered(path: Path) -> list[tuple[int, Path]] | None:
    """TIFFs of a folder by the last number in their names; None where they are no sequence."""
    found: dict[int, Path] = {}
    before = set()
    try:
        entries = sorted(path.iterdir())
    except OSError:
        # whoever reads it says why it cannot be opened
        return None
    for entry in entries:
        stem = entry.name.lower()
        if stem.startswith(".") or not stem.endswith(_TIFF):
            continue
        parts = list(_NUMBER.finditer(stem.rpartition(".")[0].removesuffix(".ome")))
        if not parts or (number := int(parts[-1]["number"])) in found:
            return None
        found[number] = entry
        before.add(stem[: parts[-1].start("number")])
    return sorted(found.items()) if len(before) == 1 else None


def _folder_stream(path: Path, limits: Limits, file: str) -> FrameStream:
    listed = _numbered(path)
    if listed is None:
        seen = "is a folder, but not of TIFFs whose names differ in their last number only."
        refuse(file, "image.format", seen, "Put the frames of one view into a folder of their own, numbered.")
    if len(listed) > limits.max_pages:
        refuse(file, "image.pages", f"has {len(listed)} frames.", _MEND_LIMITS, UnsafeFileError)
    caps = {"max_pixels": limits.max_pixels, "max_pages": limits.max_pages, "max_bytes": _max_bytes(limits)}

    def image(entry: Path) -> RawImage:
        if entry.is_symlink():
            seen = f"reaches {entry.name} through a symbolic link."
            refuse(file, "image.other-file", seen, "Put the file itself in its place.", UnsafeFileError)
        return read_ome_tiff(entry, **caps, file=f"{file}/{entry.name}")

    first = image(listed[0][1])
    setting = first.counts.shape, first.counts.dtype, first.channels, _known(first.exposure_s)

    def frames() -> Iterator[NDArray[Any]]:
        for _, entry in listed:
            one = image(entry)
            here = one.counts.shape, one.counts.dtype, one.channels, _known(one.exposure_s)
            if here != setting:
                seen = f"differs from {listed[0][1].name} in size, type, channels or exposure."
                refuse(f"{file}/{entry.name}", "image.mixed", seen, _MEND_ALIKE)
            yield one.counts

    channels, height, width = first.counts.shape
    return FrameStream(
        file=file,
        shape=(channels, height, width),
        dtype=first.counts.dtype,
        count=len(listed),
        channels=first.channels,
        pixel_mm=first.pixel_mm,
        exposure_s=first.exposure_s,
        excitation_nm=first.excitation_nm,
        emission_nm=first.emission_nm,
        opened=frames,
        acquired=first.acquired,
        synthetic=first.synthetic,
        numbers=np.array([number for number, _ in listed]),
    )


def _known(exposure_s: tuple[float, ...]) -> tuple[float | None, ...]:
    """Exposures to compare; a NaN equals nothing, not even itself."""
    return tuple(None if math.isnan(value) else float(f"{value:.3g}") for value in exposure_s)


def _camera_stream(path: Path, limits: Limits, file: str) -> FrameStream:
    if path.name.lower().endswith(".sif"):
        from lampyris.io.images.cameras.andor_sif import sif_frames as opened
    else:
        from lampyris.io.images.cameras.princeton_spe import spe_frames as opened
    return opened(path, max_pixels=limits.max_pixels, max_pages=limits.max_pages, file=file)
