"""Numbers at a stated place of a binary file, checked against its length before anything is made of them."""

import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lampyris.io.instruments.files import refuse

MAX_POINTS = 10_000_000
"""Points of one curve; more are refused."""

_CUT = "The file is cut short or damaged: copy or export it again."


def unpacked(content: bytes, form: str, offset: int, /, *, file: str, what: str) -> tuple[Any, ...]:
    """Values of a structure.

    Parameters
    ----------
    content : bytes
    form : str
        As of `struct`, with its byte order.
    offset : int
    file, what : str
        File and part, for the message.

    Raises
    ------
    ImageError
        If it does not lie within the content.
    """
    if offset < 0 or offset + struct.calcsize(form) > len(content):
        seen = f"ends at byte {len(content)}; its {what} should lie at {offset}."
        refuse(file, "instrument.truncated", seen, _CUT)
    return struct.unpack_from(form, content, offset)


def array_at(content: bytes, kind: str, offset: int, count: int, /, *, file: str, what: str) -> NDArray[np.float64]:
    """Array of numbers as float64, dims (point,).

    Parameters
    ----------
    content : bytes
    kind : str
        Type of numpy with byte order, such as ``<f4``.
    offset, count : int
    file, what : str

    Raises
    ------
    ImageError
        If it does not lie within the content, is empty, or holds a number that is infinite.
    """
    size = np.dtype(kind).itemsize
    _checked_count(count, what, file)
    if offset < 0 or offset + size * count > len(content):
        seen = f"ends at byte {len(content)}; its {what} should reach from {offset} to {offset + size * count}."
        refuse(file, "instrument.truncated", seen, _CUT)
    with np.errstate(invalid="ignore"):
        values = np.frombuffer(content, kind, count, offset).astype(np.float64)
    if not np.isfinite(values).all() or float(np.abs(values).max()) > 1e30:
        refuse(file, "instrument.number", f"holds numbers in its {what} that no instrument gives.", _CUT)
    return values


def even_axis(first: float, last: float, count: int, /, *, file: str) -> NDArray[np.float64]:
    """Evenly spaced axis, dims (point,), rising or falling.

    Raises
    ------
    ImageError
        If it has too few or too many points, or its ends are no numbers, or the same.
    """
    _checked_count(count, "its axis", file)
    if not (np.isfinite(first) and np.isfinite(last) and max(abs(first), abs(last)) < 1e30) or (
        count > 1 and not abs(last - first) > 1e-9 * max(abs(first), abs(last))
    ):
        refuse(file, "instrument.axis", f"says that its axis reaches from {first:g} to {last:g}.", _CUT)
    return np.linspace(first, last, count)


def _checked_count(count: int, what: str, file: str) -> None:
    if not 1 <= count <= MAX_POINTS:
        refuse(file, "instrument.points", f"says {count} points of {what}; 1 to {MAX_POINTS} can be read.", _CUT)


def words_at(content: bytes, offset: int, length: int, /) -> str:
    """Text up to its first zero, as Latin-1."""
    return content[offset : offset + length].split(b"\0")[0].decode("latin-1").strip()
