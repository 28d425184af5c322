"""Decoding of Zarr chunks that nobody vouches for: each codec is told beforehand how many bytes must come out.

Compressed formats name their decoded size in a header that anyone can forge, so it is compared with what the array's shape
needs before anything is allocated, and formats that do not name it are decompressed only as far as that.
"""

import bz2
import struct
import zlib
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from lampyris.io.images.crc import crc32c

_ZSTD_MAGIC = 0xFD2FB528
_BLOSC_HEADER = 16


class ChunkError(ValueError):
    """A chunk is damaged, or coded in a way that is not read; the message is a half sentence."""


def decompressed(name: str, data: bytes, size: int, /) -> bytes:
    """Undo one compressor.

    Parameters
    ----------
    name : str
        ``zlib``, ``gzip``, ``bz2``, ``zstd``, ``lz4`` or ``blosc``.
    data : bytes
        As stored.
    size : int
        Bytes that must come out.

    Returns
    -------
    bytes
        Exactly `size` of them.

    Raises
    ------
    ChunkError
        If the data are damaged, or hold more or less.
    """
    try:
        found = _DECODERS[name](data, size)
    except ChunkError:
        raise
    except Exception as error:
        # numcodecs raises RuntimeError or ValueError as it likes, pyarrow an OSError
        raise ChunkError(f"has damaged {name} data ({type(error).__name__}: {error})") from error
    if len(found) != size:
        raise ChunkError(f"holds {len(found)} bytes after {name} where {size} are needed")
    return found


def _zlib(data: bytes, size: int) -> bytes:
    return _inflate(data, size, zlib.MAX_WBITS)


def _gzip(data: bytes, size: int) -> bytes:
    return _inflate(data, size, zlib.MAX_WBITS | 16)


def _inflate(data: bytes, size: int, bits: int) -> bytes:
    stream = zlib.decompressobj(wbits=bits)
    found = stream.decompress(data, size + 1)
    # the checksum stands at the end: a stream that has not come to it was never checked
    if len(found) == size and not stream.eof:
        stream.decompress(stream.unconsumed_tail, 1)
        if not stream.eof:
            raise ChunkError("is cut short")
    return found


def _bz2(data: bytes, size: int) -> bytes:
    stream = bz2.BZ2Decompressor()
    found = stream.decompress(data, size + 1)
    if len(found) == size and not stream.eof:
        found += stream.decompress(b"", 1)
        if not stream.eof:
            raise ChunkError("is cut short")
    return found


def _zstd(data: bytes, size: int) -> bytes:
    declared = _zstd_size(data)
    if declared is None:
        import pyarrow

        with pyarrow.CompressedInputStream(pyarrow.py_buffer(data), "zstd") as stream:
            return bytes(stream.read(size + 1))
    if declared != size:
        raise ChunkError(f"declares {declared} bytes where {size} are needed")
    from numcodecs.zstd import decompress

    return bytes(decompress(data))


def _zstd_size(data: bytes) -> int | None:
    """Decoded size that a Zstandard frame declares (RFC 8878, section 3.1.1.1); None where it does not say."""
    if len(data) < 6 or struct.unpack_from("<I", data)[0] != _ZSTD_MAGIC:
        raise ChunkError("does not begin with a Zstandard frame")
    flags = data[4]
    single, code = flags >> 5 & 1, flags >> 6
    width = (1 if single else 0, 2, 4, 8)[code]
    if not width:
        return None
    start = 5 + (0 if single else 1) + (0, 1, 2, 4)[flags & 3]
    field = data[start : start + width]
    if len(field) < width:
        raise ChunkError("is cut short")
    return int.from_bytes(field, "little") + (256 if width == 2 else 0)


def _lz4(data: bytes, size: int) -> bytes:
    from numcodecs.lz4 import decompress

    if len(data) < 4 or struct.unpack_from("<i", data)[0] != size:
        raise ChunkError(f"does not declare the {size} bytes that are needed")
    return bytes(decompress(data))


def _blosc(data: bytes, size: int) -> bytes:
    from numcodecs.blosc import decompress

    if len(data) < _BLOSC_HEADER:
        raise ChunkError("is cut short")
    declared, block, stored = struct.unpack_from("<III", data, 4)
    if declared != size or stored != len(data) or not 0 < block <= max(size, 1):
        raise ChunkError(f"declares {declared} bytes in {stored}, where {size} in {len(data)} are needed")
    return bytes(decompress(data))


_DECODERS = {"zlib": _zlib, "gzip": _gzip, "bz2": _bz2, "zstd": _zstd, "lz4": _lz4, "blosc": _blosc}
COMPRESSORS = tuple(_DECODERS)
"""Compressors that are read."""


def without_checksum(data: bytes, /) -> bytes:
    """Check and take off the CRC32C (Castagnoli) that the last four bytes hold.

    Raises
    ------
    ChunkError
        If it does not fit.
    """
    if len(data) < 4:
        raise ChunkError("is cut short")
    body, stored = data[:-4], struct.unpack_from("<I", data, len(data) - 4)[0]
    if crc32c(body) != stored:
        raise ChunkError("does not fit its checksum")
    return body


def shard_index(stored: bytes, number: int, /, *, total: int, checksum: bool) -> NDArray[np.uint64]:
    """Where a shard's inner chunks stand.

    Parameters
    ----------
    stored : bytes
        The index as the shard holds it.
    number : int
        Inner chunks.
    total : int
        Bytes of the shard.
    checksum : bool
        The index ends with a CRC32C.

    Returns
    -------
    ndarray, dims (chunk, 2), uint64
        Offset and size; both are the largest number where a chunk is absent.

    Raises
    ------
    ChunkError
        If the index is damaged, or points out of the shard.
    """
    if len(stored) < 16 * number + (4 if checksum else 0):
        raise ChunkError("is cut short before its index")
    index = np.frombuffer(without_checksum(stored) if checksum else stored, "<u8").reshape(number, 2)
    absent = (index == np.iinfo(np.uint64).max).all(axis=1)
    offset, count = index[~absent].T
    size = np.uint64(total)
    # in this order nothing can wrap around
    if np.any(offset > size) or np.any(count > size - offset):
        raise ChunkError("has an index that points out of it")
    return index


def little_or_big(name: Any, /) -> Literal["<", ">"]:
    """Byte-order sign of a Zarr 3 ``endian``.

    Raises
    ------
    ChunkError
        If it is neither.
    """
    if name not in ("little", "big"):
        raise ChunkError(f"has the byte order {name!r}")
    return "<" if name == "little" else ">"
