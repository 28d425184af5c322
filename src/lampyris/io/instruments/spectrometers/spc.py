"""SPC of Galactic and Thermo GRAMS: the new format (0x4B) with one or many curves, and the old one of DOS programs (0x4D).

References
----------
Galactic Industries, Universal Data Format Specification (SPC.H), 1997: places of the header, exponents and flags.
"""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lampyris.core.instruments import Spectrum
from lampyris.io.instruments.binary import array_at, even_axis, unpacked, words_at
from lampyris.io.instruments.files import content, refuse
from lampyris.io.instruments.spectrometers.axes import as_share, placed

NEW, NEW_BIG, OLD = 0x4B, 0x4C, 0x4D
_MAX_CURVES = 10_000
_SHORT, _MANY, _PAIRS, _HAS_X = 0x01, 0x04, 0x40, 0x80
_HEADER, _OLD_HEADER, _SUBHEADER = 512, 224, 32
_FLOATS = -128
_AXES = {
    1: ("wavenumber", 1.0), 2: ("wavelength", 1000.0), 3: ("wavelength", 1.0), 4: ("time", 1.0), 5: ("time", 60.0),
    13: ("raman_shift", 1.0), 14: ("photon_energy", 1.0),
}  # fmt: skip
_SIGNALS = {
    2: "absorbance", 4: "counts", 10: "absorbance", 11: "unknown", 12: "intensity", 13: "intensity",
    128: "transmittance", 129: "reflectance", 131: "intensity",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Header:
    """What stands above the numbers."""

    flags: int
    exponent: int
    points: int
    first: float
    last: float
    curves: int
    x_kind: int
    y_kind: int
    comment: str
    size: int


def read(path: Path, /, *, max_bytes: int, file: str) -> tuple[Spectrum, ...]:
    """Read every curve of an SPC file.

    Parameters
    ----------
    path : Path
        The file.
    max_bytes : int
        Largest file that is opened.
    file : str
        As the user knows it.

    Returns
    -------
    tuple of Spectrum
        Transmittance and reflectance as shares of 1.

    Raises
    ------
    ImageError
        If it is no SPC file of these two formats, or is cut short.
    """
    data = content(Path(path), max_bytes=max_bytes, file=file)
    version = unpacked(data, "<BB", 0, file=file, what="header")[1]
    if version == NEW:
        return _new(data, _new_header(data, file), file)
    if version != OLD:
        seen = f"is of version 0x{version:02X}{', with its bytes in the other order' if version == NEW_BIG else ''}."
        refuse(file, "spc.version", seen, "Only 0x4B and 0x4D are read: export it as JCAMP-DX or text.")
    return _old(data, file)


def _new_header(data: bytes, file: str) -> _Header:
    flags, _, _, exponent, points, first, last, curves, x_kind, y_kind = unpacked(
        data, "<BBBbiddiBB", 0, file=file, what="header"
    )
    unpacked(data, "<B", _HEADER - 1, file=file, what="header")
    if not 0 <= curves <= _MAX_CURVES:
        refuse(file, "spc.curves", f"says that it holds {curves} curves.", "The file is damaged: export it again.")
    return _Header(
        flags, exponent, points, first, last, max(curves, 1), x_kind, y_kind, words_at(data, 88, 130), _HEADER
    )


def _new(data: bytes, head: _Header, file: str) -> tuple[Spectrum, ...]:
    place = head.size
    shared: NDArray[np.float64] | None = None
    pairs = bool(head.flags & _PAIRS) and bool(head.flags & _MANY)
    if head.flags & _HAS_X and not pairs:
        shared = array_at(data, "<f4", place, head.points, file=file, what="axis")
        place += 4 * head.points
    elif not head.flags & _HAS_X:
        shared = even_axis(head.first, head.last, head.points, file=file)
    found = []
    for number in range(head.curves):
        _, exponent, index = unpacked(data, "<Bbh", place, file=file, what=f"curve {number + 1}")
        own = unpacked(data, "<i", place + 16, file=file, what=f"curve {number + 1}")[0]
        place += _SUBHEADER
        points = own if pairs else head.points
        axis = shared
        if axis is None:
            axis = array_at(data, "<f4", place, points, file=file, what=f"axis of curve {number + 1}")
            place += 4 * points
        scale = exponent if head.flags & _MANY else head.exponent
        kind, factor = _coding(scale, short=bool(head.flags & _SHORT))
        signal = array_at(data, kind, place, points, file=file, what=f"curve {number + 1}") * factor
        place += np.dtype(kind).itemsize * points
        found.append(_spectrum(axis, signal, head, f" {index + 1}" if head.curves > 1 else "", file))
    return tuple(found)


def _old(data: bytes, file: str) -> tuple[Spectrum, ...]:
    flags, _, exponent, points, first, last, x_kind, y_kind = unpacked(data, "<BBhfffBB", 0, file=file, what="header")
    if not (math.isfinite(points) and points == int(points)):
        refuse(file, "spc.points", f"says {points} points.", "The file is damaged: export it again.")
    head = _Header(
        flags, exponent, int(points), first, last, 1, x_kind & 127, y_kind, words_at(data, 64, 130), _OLD_HEADER
    )
    axis = even_axis(first, last, head.points, file=file)
    width = 2 if flags & _SHORT else 4
    found: list[Spectrum] = []
    place = _OLD_HEADER
    while not found or (flags & _MANY and place + _SUBHEADER + width * head.points <= len(data)):
        own = unpacked(data, "<Bb", place, file=file, what="curve")[1]
        place += _SUBHEADER
        signal = _old_ordinates(data, place, head, own if flags & _MANY and own else exponent, file)
        place += width * head.points
        found.append(_spectrum(axis, signal, head, f" {len(found) + 1}" if flags & _MANY else "", file))
    return tuple(found)


def _old_ordinates(data: bytes, place: int, head: _Header, exponent: int, file: str) -> NDArray[np.float64]:
    kind, factor = _coding(_FLOATS if exponent == 128 else exponent, short=bool(head.flags & _SHORT))
    if kind != "<i4":
        return array_at(data, kind, place, head.points, file=file, what="curve") * factor
    # whole numbers of 32 bits stand with their higher half first, each half with its lower byte first
    halves = array_at(data, "<u2", place, 2 * head.points, file=file, what="curve").reshape(-1, 2)
    whole = halves[:, 0] * 65536.0 + halves[:, 1]
    return np.where(whole >= 2.0**31, whole - 2.0**32, whole) * factor


def _coding(exponent: int, *, short: bool) -> tuple[str, float]:
    if exponent == _FLOATS:
        return "<f4", 1.0
    bits = 16 if short else 32
    return f"<i{bits // 8}", 2.0 ** (max(min(exponent, 127), -127) - bits)


def _spectrum(x: NDArray[np.float64], signal: NDArray[np.float64], head: _Header, number: str, file: str) -> Spectrum:
    axis_name, scale = _AXES.get(head.x_kind, ("unknown", 1.0))
    axis, signal, averaged = placed(x * scale, signal, axis_name, file=file)
    name = _SIGNALS.get(head.y_kind, "unknown")
    signal, scaled = as_share(signal, name)
    words = {**averaged, **scaled}
    title = head.comment.splitlines()[0].strip() if head.comment else Path(file).stem
    return Spectrum(axis, signal, axis_name, name, name=f"{title}{number}", file=file, words=words)
