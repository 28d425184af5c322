"""Becker & Hickl SDT files: decay blocks as they stand, images summed over their pixels.

The layout is that of the maker's published SPC data file structure.
"""

import io
import math
import struct
import zipfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lampyris.core.instruments import Decay
from lampyris.io.data_tables.archives import FAULTS
from lampyris.io.instruments.binary import unpacked
from lampyris.io.instruments.files import content, refuse

_HEADER, _OLD_BLOCK, _BLOCK = "<hihiHihIihhHIHH", "<hiiHhII", "<BBIIHhII"
_TYPES = {0x000: "<u2", 0x100: "<u4", 0x200: "<f8"}
_DECAYS, _IMAGE = (0x00, 0x10), 0x60
_MOST_BLOCKS = 10_000
_MOST_VALUES = 1 << 28
# places in the description of a measurement: range and gain of the converter, its channels, and the time that was asked for
_RANGE, _GAIN, _CHANNELS, _COLLECT = 64, 68, 82, 92
# deflate packs no tighter
_TIGHTEST = 1032


def read(path: Path, /, *, max_bytes: int, file: str) -> tuple[Decay, ...]:
    """Read the decays of an SDT file, one per curve that holds photons.

    Parameters
    ----------
    path : Path
    max_bytes : int
        Largest file that is opened.
    file : str
        As the user knows it.

    Returns
    -------
    tuple of Decay

    Raises
    ------
    ImageError
        If it is damaged or cut short, or holds no decay.
    """
    data = content(Path(path), max_bytes=max_bytes, file=file)
    header = unpacked(data, _HEADER, 0, file=file, what="header")
    revision, first, blocks = header[0], header[5], header[6]
    described, descriptions, length, valid = header[8:12]
    if valid != 0x5555:
        refuse(file, "decay.format", f"is no SDT file: its mark is {valid:#06x}, not 0x5555.", "Export it again.")
    blocks = header[12] if blocks == 0x7FFF else blocks
    if not 0 < blocks <= _MOST_BLOCKS or descriptions < 1 or length < _COLLECT + 4:
        seen = f"says that it holds {blocks} blocks and {descriptions} descriptions of {length} bytes."
        refuse(file, "decay.format", seen, "Export it again.")
    if described < 0 or described + descriptions * length > len(data):
        refuse(file, "decay.cut", "ends before the descriptions of its measurements.", "Copy the file again.")
    decays: list[Decay] = []
    at = first
    for number in range(1, blocks + 1):
        at, kind, which, start, stop, size = _block(data, at, (revision & 0xF) >= 15, number, file)
        if kind & 0xF0 not in (*_DECAYS, _IMAGE):
            continue
        if not 0 <= which < descriptions:
            refuse(file, "decay.format", f"has no description {which} for block {number}.", "Export it again.")
        about = data[described + which * length : described + (which + 1) * length]
        values = _values(data, kind, (start, stop, size), number, file)
        decays += _decays(values, about, kind, number, file)
    if not decays:
        refuse(file, "decay.counts", "holds no decay with photons.", "Check the recording.")
    return tuple(decays)


def _block(data: bytes, at: int, long: bool, number: int, file: str) -> tuple[int, int, int, int, int, int]:
    """Place of the next block, kind, description, start and end of the values, and their bytes once unpacked."""
    found = unpacked(data, _BLOCK if long else _OLD_BLOCK, at, file=file, what=f"block {number}")
    if long:
        start, following = found[2] + (found[0] << 32), found[3] + (found[1] << 32)
    else:
        start, following = found[1:3]
    kind, which, _, size = found[-4:]
    if not 0 <= start <= len(data):
        refuse(file, "decay.cut", f"ends before the counts of block {number}.", "Copy the file again.")
    return following, kind, which, start, min(max(following, start), len(data)), size


def _values(data: bytes, kind: int, span: tuple[int, int, int], number: int, file: str) -> NDArray[np.float64]:
    start, stop, size = span
    code = _TYPES.get(kind & 0xF00)
    if code is None or not 0 < size <= _MOST_VALUES:
        seen = f"has {size} bytes of the kind {kind:#06x} in block {number}."
        refuse(file, "decay.format", seen, "Export it again.")
    if kind & 0x1000:
        raw = _unpacked(data[start:stop], size, number, file)
    else:
        raw = data[start : start + size]
    if len(raw) < size:
        refuse(file, "decay.cut", f"ends within the counts of block {number}.", "Copy the file again.")
    values = np.frombuffer(raw, code, size // np.dtype(code).itemsize).astype(np.float64)
    if not (np.isfinite(values).all() and (values >= 0).all() and (values < 1e15).all()):
        refuse(file, "decay.counts", f"holds numbers that are no counts in block {number}.", "Export it again.")
    return values


def _unpacked(packed: bytes, size: int, number: int, file: str) -> bytes:
    """Values of a block that is packed as a ZIP archive of one file; never more than it says."""
    if size > _TIGHTEST * len(packed):
        seen = f"says that block {number} unpacks to {size} bytes, which its {len(packed)} cannot hold."
        refuse(file, "decay.format", seen, "Export it again.")
    try:
        with zipfile.ZipFile(io.BytesIO(packed)) as archive, archive.open(archive.infolist()[0]) as stream:
            return stream.read(size)
    except FAULTS as error:
        seen = f"has a packed block {number} that cannot be unpacked: {error}."
        refuse(file, "decay.cut", seen, "Copy the file again.")


def _decays(values: NDArray[np.float64], about: bytes, kind: int, number: int, file: str) -> list[Decay]:
    span, gain = struct.unpack_from("<fh", about, _RANGE)
    channels = struct.unpack_from("<H", about, _CHANNELS)[0] or 65536
    width = float(span) / (max(gain, 1) * channels) * 1e9 if math.isfinite(span) else math.nan
    if not 1e-5 <= width <= 1e7:
        refuse(file, "decay.axis", f"says that a channel of block {number} is {width:g} ns long.", "Export it again.")
    if values.size < channels or values.size % channels:
        seen = f"holds {values.size} values in block {number}, no curves of {channels} channels."
        refuse(file, "decay.format", seen, "Export it again.")
    seconds = float(struct.unpack_from("<f", about, _COLLECT)[0])
    collected = seconds if 0 < seconds < 1e9 else math.nan
    curves = values.reshape(-1, channels)
    if kind & 0xF0 == _IMAGE:
        curves = curves.sum(axis=0, keepdims=True)
    several = curves.shape[0] > 1
    return [
        Decay(
            own,
            width,
            name=f"block {number}" + (f" curve {k + 1}" if several else ""),
            file=file,
            acquisition_s=collected,
        )
        for k, own in enumerate(curves)
        if own.any()
    ]
