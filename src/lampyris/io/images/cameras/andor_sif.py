"""Andor ``.sif`` (Solis): a header of text whose lines differ between versions, then frames of 32-bit floats.

The lines between the exposure and the size of the frames changed a dozen times; what is read here is the first lines, which did not, and
the line of the sizes, which is found by its form and by numbers that must agree with each other. Rows are given as they are
stored; Solis shows the first one at the bottom. One track of the whole chip is read, not several.

References
----------
M. Leutenegger, "Andor SIF image reader", MATLAB Central File Exchange 11224 (2006): the layout as it was found out there.
"""

import re
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from lampyris.core.frames import FrameStream
from lampyris.core.images import RawImage
from lampyris.io.images.cameras.files import (
    MEND_COPY,
    MEND_EXPORT,
    MEND_SERIES,
    CameraFile,
    camera_image,
    camera_stream,
)
from lampyris.io.images.tiff import FileBytes, opened_file, refuse

_MAGIC = b"Andor Technology Multi-Channel File\n"
# a user may write a page of text into the header
_HEADER_BYTES = 1 << 18
_STAMP_BYTES = 24
# code x0 y1 x1 y0 images tracks total-length image-length, then code x0 y1 x1 y0 ybin xbin
_SIZES = re.compile(rb"(65\d{3})((?: +\d{1,10}){8}) *\n(65\d{3})((?: +\d{1,10}){6,8}) *\n")
# version, three flags, seconds since 1970, temperature
_THIRD = re.compile(rb"65\d{3} +\S{1,9} +\S{1,9} +\S{1,9} +(\d{1,10}) +\S{1,20} ")
_SECONDS = 1e-6
# later, as an exposure or a date, is no camera's
_LONGEST_S = 1e6


def read_andor_sif(path: Path, /, *, max_pixels: int, max_pages: int, max_bytes: int, file: str = "") -> RawImage:
    """Read the only frame of a ``.sif`` that nobody vouches for.

    Parameters
    ----------
    path : Path
        The file.
    max_pixels, max_pages, max_bytes : int
        Caps: pixels of a frame, frames, and bytes of the file.
    file : str
        The image as the user knows it, for messages; the bare file name by default.

    Returns
    -------
    RawImage
        Counts as stored, float32; one channel "0".

    Raises
    ------
    ImageError
        If the file is missing, cut short, damaged, or holds several frames, tracks, NaN or infinity.
    UnsafeFileError
        If it declares more than the caps.
    """
    path = Path(path)
    file = file or path.name
    return camera_image(
        path, sif_layout(path, max_pixels=max_pixels, max_pages=max_pages, file=file), file, max_bytes=max_bytes
    )


def sif_frames(path: Path, /, *, max_pixels: int, max_pages: int, file: str) -> FrameStream:
    """Open the frames of a ``.sif``; caps and errors as `read_andor_sif`."""
    return camera_stream(path, sif_layout(path, max_pixels=max_pixels, max_pages=max_pages, file=file), file)


def sif_layout(path: Path, /, *, max_pixels: int, max_pages: int, file: str) -> CameraFile:
    """Where the frames of a ``.sif`` stand; caps and errors as `read_andor_sif`."""
    with opened_file(path, file) as data:
        head = data.read(0, min(len(data), _HEADER_BYTES))
        if not head.startswith(_MAGIC):
            refuse(
                file, "image.header", f"is no Andor SIF: it begins with {head[:16]!r}.", "Give a .sif file of Solis."
            )
        exposure_s, acquired = _settings(head, file)
        found = _SIZES.search(head)
        if found is None:
            refuse(file, "image.header", "has no line that tells the size of its frames.", MEND_COPY)
        area, sizes = ([int(word) for word in found[group].split()] for group in (2, 4))
        images, tracks, total, length = area[4:]
        left, top, right, bottom, bin_y, bin_x = sizes[:6]
        if tracks != 1:
            refuse(file, "image.axes", f"holds {tracks} tracks; an image has one.", MEND_EXPORT)
        width, height = (
            (1 + high - low) // max(step, 1) for low, high, step in ((left, right, bin_x), (bottom, top, bin_y))
        )
        if min(width, height) < 1 or width * height != length or length * images != total:
            seen = f"declares {images} frames of {width} x {height} pixels, but {length} each and {total} together."
            refuse(file, "image.header", seen, MEND_COPY)
        # before anything is read by their number
        layout = CameraFile((height, width), np.dtype("<f4"), images, found.end(), 4 * length, exposure_s, acquired)
        layout.check(data, max_pixels=max_pixels, max_pages=max_pages, file=file)
        offset, stamps = _stamps(data, found.end(), images, file)
        times = tuple(stamp * _SECONDS for stamp in stamps)
        layout = CameraFile((height, width), layout.dtype, images, offset, 4 * length, exposure_s, acquired, times)
        layout.check(data, max_pixels=max_pixels, max_pages=max_pages, file=file)
        return layout


def _settings(head: bytes, file: str) -> tuple[float, str]:
    """Exposure and time of the experiment, from the third line."""
    third = _THIRD.match(head, head.find(b"\n", len(_MAGIC)) + 1)
    # ten bytes of five flags, which may be anything, then a word, then the exposure
    words = head[third.end() + 10 :][:200].split(maxsplit=5) if third else []
    exposure_s = _number(words[1]) if third and len(words) == 6 else 0.0
    if third is None or not 0 < exposure_s < _LONGEST_S:
        refuse(file, "image.header", "has a damaged third line: it tells no exposure.", MEND_COPY)
    # the time of a cycle and of one accumulated come between
    accumulated = _number(words[4])
    if accumulated > 1:
        seen = f"sums {accumulated:g} accumulated exposures of {exposure_s:g} s into each frame."
        refuse(file, "image.accumulated", seen, MEND_SERIES)
    started = int(third[1])
    return exposure_s, datetime.fromtimestamp(started, UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if started else ""


def _number(word: bytes) -> float:
    """A number; 0 where it is none."""
    try:
        return float(word)
    except ValueError:
        return 0.0


def _stamps(data: FileBytes, start: int, images: int, file: str) -> tuple[int, tuple[int, ...]]:
    """Where the pixels begin, and the time of each frame in microseconds."""
    text = data.read(start, min(len(data) - start, _STAMP_BYTES * (2 * images + 2)))
    lines: list[int] = []
    position = 0
    while len(lines) < images and (match := re.compile(rb"[ \n]*(-?\d{1,20}) *\n").match(text, position)):
        lines.append(int(match[1]))
        position = match.end()
    if len(lines) < images:
        refuse(file, "image.header", f"tells the times of {len(lines)} frames of {images}.", MEND_COPY)
    # later versions put a 0 here, or a 1 and a number for each frame
    if text.startswith(b"0\n", position):
        position += 2
    elif text.startswith(b"1\n", position) and (
        match := re.compile(rb"1\n(?:\d{1,20} *\n){%d}" % images).match(text, position)
    ):
        position = match.end()
    return start + position, tuple(lines)
