"""CRC32C, compiled: Python has only the CRC of zip files."""

import numpy as np
from numba import njit
from numpy.typing import NDArray

_POLYNOMIAL = np.uint32(0x82F63B78)


def _table() -> NDArray[np.uint32]:
    """CRC of every byte, reflected."""
    values = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        values = np.where(values & 1, values >> 1 ^ _POLYNOMIAL, values >> 1).astype(np.uint32)
    return values


_TABLE = _table()


@njit(cache=True, nogil=True)
def _run(data: NDArray[np.uint8], table: NDArray[np.uint32]) -> int:
    state = np.uint32(0xFFFFFFFF)
    for byte in data:
        state = table[(state ^ byte) & np.uint32(0xFF)] ^ (state >> np.uint32(8))
    return int(state ^ np.uint32(0xFFFFFFFF))


def crc32c_of(data: NDArray[np.uint8], /) -> int:
    """CRC32C of bytes as an array; see `lampyris.io.images.zarr_codecs.crc32c`."""
    return int(_run(data, _TABLE))
