"""LZW and PackBits of TIFF, decoded to a declared size and not a byte further.

Plain Python: such files are rare and small, and a compiler is loaded nowhere in reading. Hence the cap `MAX_BYTES`, above which
`lampyris.io.images.tiff` refuses them.

References
----------
TIFF 6.0 specification (Aldus, 1992), sections 9 and 13.
"""

MAX_BYTES = {"lzw": 10_000_000, "packbits": 40_000_000}
"""Most that is decoded of one file, which takes seconds; 2048 x 2048 pixels of 16 bits are eight million bytes."""

_CLEAR = 256
_END = 257
_CODES = 4096
_SINGLE = [bytes([value]) for value in range(256)] + [b"", b""]


def decoded_segment(compression: str, stored: bytes | memoryview, size: int, /) -> bytes:
    """Decode a strip or tile.

    Parameters
    ----------
    compression : str
        ``lzw`` or ``packbits``.
    stored : bytes
        The strip as it stands in the file; damaged ones may hold anything.
    size : int
        Bytes to decode.

    Returns
    -------
    bytes
        `size` of them, or fewer where the strip is damaged or ends.

    Examples
    --------
    >>> decoded_segment("packbits", bytes([2, 7, 8, 9, 254, 5]), 6)
    b'\\x07\\x08\\t\\x05\\x05\\x05'
    """
    # neither method makes data twice as long, so what lies behind cannot belong to it
    source = bytes(stored[: 2 * size + 4096])
    out = _lzw(source, size) if compression == "lzw" else _packbits(source, size)
    return bytes(out[:size])


def _packbits(source: bytes, size: int) -> bytearray:
    """At least `size` bytes, or fewer where the source ends."""
    out = bytearray()
    at = 0
    while at < len(source) and len(out) < size:
        head = source[at]
        if head < 128:
            out += source[at + 1 : at + 2 + head]
            at += 2 + head
        elif head > 128:
            out += source[at + 1 : at + 2] * (257 - head)
            at += 2
        else:
            at += 1
    return out


def _lzw(source: bytes, size: int) -> bytearray:
    """At least `size` bytes, or fewer where the source ends or names a code that does not exist."""
    out = bytearray()
    table = _SINGLE.copy()
    width, bits, held = 9, 0, 0
    before = b""
    for byte in source:
        bits = (bits << 8) | byte
        held += 8
        if held < width:
            continue
        held -= width
        code = bits >> held
        bits &= (1 << held) - 1
        if code == _CLEAR:
            del table[_END + 1 :]
            width, before = 9, b""
            continue
        free = len(table)
        # a code that is just being made begins as the one before, and ends with its first byte
        entry = table[code] if code < free else before + before[:1]
        if code == _END or code > free or not entry:
            break
        out += entry
        if len(out) >= size:
            break
        if before and free < _CODES:
            table.append(before + entry[:1])
            # the width grows one code early, as the specification has it
            if free + 2 >= 1 << width and width < 12:
                width += 1
        before = entry
    return out
