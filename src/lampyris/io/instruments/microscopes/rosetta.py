"""Micrographs as TIA, Velox, HyperSpy and Blockfile store them, read by RosettaSciIO where it is installed."""

import math
from bisect import bisect_right
from itertools import accumulate
from pathlib import Path

import numpy as np

from lampyris.core.instruments import Micrograph
from lampyris.io.instruments.files import refuse
from lampyris.io.instruments.lengths import plausible_pixel
from lampyris.io.instruments.microscopes.pixels import MAX_PIXELS, chosen_page, number_pixels
from lampyris.io.instruments.rosetta import axes_of, numbers, side_nm, signals

_SQUARE = 0.01


def read(path: Path, /, *, max_bytes: int, file: str, page: int | None = None) -> Micrograph:
    """Read one picture of a file.

    Raises
    ------
    MissingExtraError
        If RosettaSciIO is not installed.
    ImageError
        If the file is damaged, holds no picture, or several and none was named.
    """
    pictures = [
        one for one in signals(path, max_bytes=max_bytes, file=file) if len(axes_of(one, navigating=False)) == 2
    ]
    if not pictures:
        refuse(file, "micrograph.none", "holds no picture.", "Give the picture, not a spectrum or a map of spectra.")
    # pictures of one signal, then those of the next
    ends = list(accumulate(math.prod(one["data"].shape[:-2]) for one in pictures))
    place = chosen_page(ends[-1], page, file=file)
    which = bisect_right(ends, place)
    signal = pictures[which]
    data = signal["data"]
    within = np.unravel_index(place - (ends[which - 1] if which else 0), data.shape[:-2]) if data.ndim > 2 else ()
    plane = data[within]
    if plane.dtype.kind not in "uif":
        refuse(file, "micrograph.colours", f"has pixels of {plane.dtype}.", "Export it in grey.")
    pixels = number_pixels(numbers(plane, most=MAX_PIXELS, file=file), file=file)
    along, across = (side_nm(axis) for axis in axes_of(signal, navigating=False))
    # sizes are told by one side: where pixels are no squares, none is right
    known = plausible_pixel(across) and math.isclose(along, across, rel_tol=_SQUARE)
    return Micrograph(
        pixels, across if known else math.nan, "calibration of the file" if known else "", None, Path(path).stem, file
    )
