"""PNG of pictures, written byte by byte: no date, no software name, the same bytes every time."""

import struct
import zlib

import numpy as np
from numpy.typing import NDArray

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_INDEXED, _COLOUR = 3, 2
_PALETTE = 256


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _file(size: tuple[int, int], colour: int, palette: bytes, rows: bytes, effort: int) -> bytes:
    header = struct.pack(">IIBBBBB", size[1], size[0], 8, colour, 0, 0, 0)
    chunks = [_chunk(b"IHDR", header)]
    if palette:
        chunks.append(_chunk(b"PLTE", palette))
    return b"".join([_SIGNATURE, *chunks, _chunk(b"IDAT", zlib.compress(rows, effort)), _chunk(b"IEND", b"")])


def indexed_png(indices: NDArray[np.uint8], palette: NDArray[np.uint8], /, *, effort: int = 9) -> bytes:
    """Encode an indexed picture.

    Parameters
    ----------
    indices : ndarray, dims (y, x), uint8
        Palette index of each pixel.
    palette : ndarray, dims (index, rgb), uint8
        At most 256 colours.
    effort : int
        Of the deflation, 1 to 9.

    Returns
    -------
    bytes
        A PNG file.

    Raises
    ------
    ValueError
        If an index has no colour or the picture is empty.
    """
    if not indices.size or int(indices.max()) >= len(palette):
        raise ValueError(f"picture of shape {indices.shape} needs pixels, each below the palette's {len(palette)}")
    # a leading 0 per row: no filter, which suits indices
    rows = np.zeros((indices.shape[0], indices.shape[1] + 1), np.uint8)
    rows[:, 1:] = indices
    return _file(indices.shape, _INDEXED, palette.astype(np.uint8).tobytes(), rows.tobytes(), effort)


def _codes(colours: NDArray[np.uint8]) -> NDArray[np.uint32]:
    """Each colour as one number; dims (pixel, rgb) to (pixel,)."""
    red, green, blue = (colours[:, k].astype(np.uint32) for k in range(3))
    return np.asarray(red << 16 | green << 8 | blue)


def colour_png(pixels: NDArray[np.uint8], /) -> bytes:
    """Encode a picture in colours; one of at most 256 is stored with a palette, which is several times smaller.

    Parameters
    ----------
    pixels : ndarray, dims (y, x, rgb), uint8

    Returns
    -------
    bytes
        A PNG file.
    """
    # a thin sample tells most pictures that have too many colours at the cost of a few
    flat = pixels.reshape(-1, 3)
    if np.unique(_codes(flat[:: max(1, len(flat) // 65536)])).size <= _PALETTE:
        codes = _codes(flat)
        present = np.zeros(1 << 24, np.bool_)
        present[codes] = True
        colours = np.flatnonzero(present)
        if 0 < colours.size <= _PALETTE:
            place = np.zeros(1 << 24, np.uint8)
            place[colours] = np.arange(colours.size)
            palette = np.stack([colours >> 16, colours >> 8 & 255, colours & 255], axis=1).astype(np.uint8)
            return indexed_png(place[codes].reshape(pixels.shape[:2]), palette, effort=6)
    height, width = pixels.shape[:2]
    rows = np.zeros((height, 1 + 3 * width), np.uint8)
    rows[:, 1:] = pixels.reshape(height, -1)
    # more effort takes twice the time for a tenth of the size
    return _file((height, width), _COLOUR, b"", rows.tobytes(), 3)
