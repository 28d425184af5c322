"""Micrographs as MRC: a header of 1,024 bytes, sides of the cell in angstrom, then counts.

References
----------
Cheng et al., J. Struct. Biol. 192, 146 (2015), DOI 10.1016/j.jsb.2015.04.002 (MRC2014).
"""

import math
import struct
from pathlib import Path

import numpy as np

from lampyris.core.instruments import Micrograph
from lampyris.io.instruments.files import content, refuse
from lampyris.io.instruments.lengths import plausible_pixel
from lampyris.io.instruments.microscopes.pixels import MAX_PIXELS, chosen_page, number_pixels

_HEAD = 1024
_MODES = {0: "i1", 1: "i2", 2: "f4", 6: "u2", 12: "f2"}


def read(path: Path, /, *, max_bytes: int, file: str, page: int | None = None) -> Micrograph:
    """Read a micrograph or one section of a stack.

    Raises
    ------
    ImageError
        If it is damaged, of a kind that is not read, or holds several pictures and none was named.
    """
    data = content(path, max_bytes=max_bytes, file=file)
    if len(data) < _HEAD:
        refuse(file, "micrograph.truncated", f"ends within its header, after {len(data)} bytes.", "Copy it anew.")
    order = ">" if data[212:214] == b"\x11\x11" else "<"
    columns, rows, sections, mode = struct.unpack_from(order + "4i", data, 0)
    intervals = struct.unpack_from(order + "3i", data, 28)
    cell = struct.unpack_from(order + "3f", data, 40)
    (extended,) = struct.unpack_from(order + "i", data, 92)
    if mode not in _MODES or data[208:211] != b"MAP":
        seen = f"has mode {mode} and the mark {data[208:212]!r}."
        refuse(file, "micrograph.header", seen, "Give an MRC2014 file of modes 0, 1, 2, 6 or 12.")
    if not (0 < columns <= MAX_PIXELS and 0 < rows <= MAX_PIXELS // columns and 0 < sections <= 100_000):
        refuse(file, "micrograph.header", f"declares {columns} x {rows} x {sections} pixels.", "Copy it anew.")
    place = chosen_page(sections, page, file=file)
    dtype = np.dtype(order + _MODES[mode])
    size = rows * columns
    start = _HEAD + max(extended, 0) + place * size * dtype.itemsize
    if extended < 0 or start + size * dtype.itemsize > len(data):
        refuse(file, "micrograph.truncated", f"ends at byte {len(data)}, before its pixels do.", "Copy it anew.")
    # the first row of the file is the lowest
    pixels = number_pixels(np.frombuffer(data, dtype, size, start).reshape(rows, columns)[::-1], file=file)
    pixel = cell[0] / intervals[0] / 10.0 if intervals[0] > 0 else math.nan
    known = plausible_pixel(pixel)
    return Micrograph(
        pixels, pixel if known else math.nan, "cell of the header" if known else "", None, Path(file).stem, file
    )
