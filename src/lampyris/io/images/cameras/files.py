"""What camera formats of a header and raw frames have in common: checked once, then read frame by frame.

The readers of such formats are our own and not packages': a header is a hundred bytes that matter, while the packages that read
them hang on a file that is cut short, or take sizes from it without a check.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lampyris.core.errors import UnsafeFileError
from lampyris.core.frames import FrameStream
from lampyris.core.images import RawImage
from lampyris.io.images.counts import counts_of
from lampyris.io.images.tiff import FileBytes, opened_file, refuse

MEND_COPY = "Copy the file anew from the instrument; its copy was cut short or damaged."
MEND_EXPORT = "Export it from the camera's program as a 16-bit TIFF."
MEND_SERIES = "Record a series of single exposures instead: its frames are averaged here."
"""For frames that are sums: neither read noise nor full scale of a sum are a frame's."""
_MEND_LIMITS = "If the file is trusted, raise the cap in [limits] of study.toml."


@dataclass(frozen=True, slots=True)
class CameraFile:
    """Where the frames of a file stand, and what its header says of them.

    Parameters
    ----------
    size : tuple of int
        Height and width.
    dtype : numpy.dtype
        Of the stored numbers, byte order included.
    count : int
        Frames.
    offset, stride : int
        Bytes before the first frame, and from one to the next.
    exposure_s : float
        NaN where it is not told.
    acquired : str
        ISO 8601, or "".
    times_s : tuple of float
        Of each frame; empty where it is not told.
    numbers : tuple of int
        The camera's count of each frame; empty where it is not told.
    """

    size: tuple[int, int]
    dtype: np.dtype[Any]
    count: int
    offset: int
    stride: int
    exposure_s: float = math.nan
    acquired: str = ""
    times_s: tuple[float, ...] = ()
    numbers: tuple[int, ...] = field(default=())

    def check(self, data: FileBytes, /, *, max_pixels: int, max_pages: int, file: str) -> None:
        """Compare what the header declares with the caps and with the file.

        Raises
        ------
        ImageError
            If there is no frame, or the file ends before the last one.
        UnsafeFileError
            If a frame, or the number of frames, is above its cap.
        """
        pixels = math.prod(self.size)
        if not pixels or self.count < 1:
            seen = f"declares {self.count} frames of {self.size[1]} x {self.size[0]} pixels."
            refuse(file, "image.empty", seen, MEND_COPY)
        if pixels > max_pixels:
            seen = f"declares {pixels} pixels, above the cap of {max_pixels}."
            refuse(file, "image.pixels", seen, _MEND_LIMITS, UnsafeFileError)
        if self.count > max_pages:
            refuse(file, "image.pages", f"has more than {max_pages} frames.", _MEND_LIMITS, UnsafeFileError)
        end = self.offset + (self.count - 1) * self.stride + pixels * self.dtype.itemsize
        if end > len(data):
            seen = f"ends at byte {len(data)}, before the end of its pixels at byte {end}."
            refuse(file, "image.truncated", seen, MEND_COPY)

    def frame(self, data: FileBytes, number: int, file: str, /) -> NDArray[Any]:
        """Pixels of one frame, dims (channel, y, x)."""
        stored = data.read(self.offset + number * self.stride, math.prod(self.size) * self.dtype.itemsize)
        values = np.frombuffer(stored, self.dtype).reshape(1, *self.size)
        return counts_of(file, values.astype(self.dtype.newbyteorder("="), copy=False))


def camera_stream(path: Path, found: CameraFile, file: str, /) -> FrameStream:
    """Frames of a checked file, as a stream of one channel."""

    def frames() -> Iterator[NDArray[Any]]:
        with opened_file(path, file) as data:
            for number in range(found.count):
                yield found.frame(data, number, file)

    return FrameStream(
        file=file,
        shape=(1, *found.size),
        dtype=np.dtype(found.dtype.newbyteorder("=").str.replace("i", "u")),
        count=found.count,
        channels=("0",),
        pixel_mm=math.nan,
        exposure_s=(found.exposure_s,),
        excitation_nm=(math.nan,),
        emission_nm=(math.nan,),
        opened=frames,
        acquired=found.acquired,
        times_s=np.array(found.times_s),
        numbers=np.array(found.numbers, np.int64),
    )


def camera_image(path: Path, found: CameraFile, file: str, /, *, max_bytes: int) -> RawImage:
    """The only frame of a checked file.

    Raises
    ------
    ImageError
        If there are several.
    UnsafeFileError
        If the file is longer than the cap.
    """
    if found.count > 1:
        mend = "Give it as a sequence in time, or export one frame."
        refuse(file, "image.axes", f"holds {found.count} frames; an image has one.", mend)
    with opened_file(path, file) as data:
        if len(data) > max_bytes:
            seen = f"has {len(data)} bytes, above the cap of {max_bytes}."
            mend = "If it is the right file, raise max_file_mb in [limits] of study.toml."
            refuse(file, "image.size", seen, mend, UnsafeFileError)
        counts = found.frame(data, 0, file)
    unknown = (math.nan,)
    return RawImage(counts, ("0",), math.nan, (found.exposure_s,), unknown, unknown, acquired=found.acquired)
