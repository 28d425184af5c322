"""PNG of indexed pictures, written byte by byte: no date, no software name, the same bytes every time."""

import struct
import zlib

import numpy as np
from numpy.typing import NDArray

_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def indexed_png(indices: NDArray[np.uint8], palette: NDArray[np.uint8], /) -> bytes:
    """Encode an indexed picture.

    Parameters
    ----------
    indices : ndarray, dims (y, x), uint8
        Palette index of each pixel.
    palette : ndarray, dims (index, rgb), uint8
        At most 256 colours.

    Returns
    -------
    bytes
        A PNG file.

    Raises
    ------
    ValueError
        If an index has no colour or the picture is empty.
    """
    height, width = indices.shape
    if not indices.size or int(indices.max()) >= len(palette):
        raise ValueError(f"picture of shape {indices.shape} needs pixels, each below the palette's {len(palette)}")
    # a leading 0 per row: no filter, which suits indices
    rows = np.concatenate([np.zeros((height, 1), np.uint8), indices], axis=1)
    header = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    return b"".join(
        [
            _SIGNATURE,
            _chunk(b"IHDR", header),
            _chunk(b"PLTE", palette.astype(np.uint8).tobytes()),
            _chunk(b"IDAT", zlib.compress(rows.tobytes(), 9)),
            _chunk(b"IEND", b""),
        ]
    )
