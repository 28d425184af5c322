"""CRC32C (Castagnoli), by NumPy over many pieces of the data at once: Python has only the CRC of zip files.

A CRC is linear: that of two pieces, one after the other, is the first one's state pushed on by as many zeros as the second is
long, added to the second one's own.
"""

import numpy as np
from numpy.typing import NDArray

_POLYNOMIAL = np.uint32(0x82F63B78)
_FULL = 0xFFFFFFFF


def _table() -> NDArray[np.uint32]:
    """State after one byte, from a state of nothing."""
    values = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        values = np.where(values & 1, values >> 1 ^ _POLYNOMIAL, values >> 1).astype(np.uint32)
    return values


_TABLE = _table()


def crc32c(data: bytes, /) -> int:
    """CRC32C of some bytes.

    References
    ----------
    RFC 3720, appendix B.4: 32 bytes of zero give 0x8a9136aa.

    Examples
    --------
    >>> hex(crc32c(bytes(32)))
    '0x8a9136aa'
    """
    values = np.frombuffer(data, np.uint8)
    # as many pieces as each has bytes: a step costs the same for one piece as for hundreds
    length = int(np.sqrt(values.size))
    pieces = values.size // length if length else 0
    states = np.zeros(pieces, np.uint32)
    zeros = np.uint32(1) << np.arange(32, dtype=np.uint32)
    for column in values[: pieces * length].reshape(pieces, length).T:
        states = _TABLE[(states ^ column) & 0xFF] ^ states >> 8
        zeros = _TABLE[zeros & 0xFF] ^ zeros >> 8
    pushed = [int(value) for value in zeros]
    state = _FULL
    for own in states.tolist():
        moved = own
        for bit in range(32):
            if state >> bit & 1:
                moved ^= pushed[bit]
        state = moved
    for value in values[pieces * length :].tolist():
        state = int(_TABLE[(state ^ value) & 0xFF]) ^ state >> 8
    return state ^ _FULL
