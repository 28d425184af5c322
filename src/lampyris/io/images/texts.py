"""What image files say in words beside their pixels: tags of TIFF, headers and descriptions of camera files.

Nothing is understood here, and no file is refused: this finds words that should not be there. Files of a folder, such as those of
OME-Zarr, are texts themselves.
"""

import struct
from collections.abc import Iterator
from pathlib import Path

from lampyris.core.errors import ImageError
from lampyris.io.images.cameras.andor_sif import sif_layout
from lampyris.io.images.cameras.princeton_spe import spe_layout
from lampyris.io.images.tiff import FileBytes, opened_file

_ASCII = 2
_BYTE_KINDS = (1, 2, 6, 7)
# texts that are stored as bytes: XMP, a comment of Exif, titles and comments of Windows, metadata of ImageJ
_TEXT_TAGS = frozenset({700, 37510, 40091, 40092, 40093, 40094, 40095, 50839})
# directories below a page: SubIFDs, Exif
_BELOW = frozenset({330, 34665})
_SIZES = {3: 2, 4: 4, 13: 4, 16: 8, 18: 8}
_CODES = {2: "H", 4: "I", 8: "Q"}
_MOST_DIRECTORIES = 1_000_000
_MOST_TAGS = 4096
_LONGEST = 1 << 24
_ANY = 1 << 40
_HEAD_BYTES = 1 << 18


def image_texts(path: Path, /) -> Iterator[str]:
    """Give every text that an image file carries beside its pixels.

    Parameters
    ----------
    path : Path
        Any file: one that is no TIFF, ``.sif`` or ``.spe`` gives nothing.

    Yields
    ------
    str
        As Latin letters; zero bytes are line ends, and once more left out, as UTF-16 is met, too.
    """
    with opened_file(path, path.name) as data:
        for stored in _stored_texts(path, data):
            text = _decoded(stored)
            yield text.replace("\0", "\n")
            if "\0" in text:
                yield text.replace("\0", "")


def _decoded(stored: bytes) -> str:
    try:
        return stored.decode("utf-8")
    except UnicodeDecodeError:
        return stored.decode("cp1252", "replace")


def _stored_texts(path: Path, data: FileBytes) -> Iterator[bytes]:
    head = data.read(0, min(len(data), 16))
    suffix = path.suffix.casefold()
    if head[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
        try:
            yield from _tiff_texts(data, head)
        except (ImageError, struct.error):
            # a file that is cut holds no more text; readers refuse it
            return
    elif suffix in (".sif", ".spe"):
        opened = sif_layout if suffix == ".sif" else spe_layout
        try:
            layout = opened(path, max_pixels=_ANY, max_pages=_ANY, file=path.name)
        except ImageError:
            yield data.read(0, min(len(data), _HEAD_BYTES))
            return
        yield data.read(0, layout.offset)
        end = min(layout.offset + layout.count * layout.stride, len(data))
        yield data.read(end, min(len(data) - end, _LONGEST))


def _tiff_texts(data: FileBytes, head: bytes) -> Iterator[bytes]:
    """Texts of all directories, thumbnails and those below pages included."""
    order, big = ("<" if head[:2] == b"II" else ">"), head[2:4] in (b"+\0", b"\0+")
    word, count_code, width = ("Q", "Q", 8) if big else ("I", "H", 4)
    open_, seen = [struct.unpack_from(order + word, head, width)[0]], set[int]()
    while open_:
        offset = open_.pop()
        if not offset or offset in seen or len(seen) >= _MOST_DIRECTORIES:
            continue
        seen.add(offset)
        start = offset + struct.calcsize(count_code)
        if start > len(data):
            continue
        (count,) = struct.unpack(order + count_code, data.read(offset, start - offset))
        size = 4 + 2 * width
        end = start + count * size
        stored = data.read(start, min(count, _MOST_TAGS, (len(data) - start) // size) * size)
        if end + width <= len(data):
            open_ += struct.unpack(order + word, data.read(end, width))
        for entry in range(0, len(stored), size):
            code, kind = struct.unpack_from(f"{order}HH", stored, entry)
            (number,) = struct.unpack_from(order + word, stored, entry + 4)
            here = stored[entry + 4 + width : entry + size]
            if kind == _ASCII or (kind in _BYTE_KINDS and code in _TEXT_TAGS):
                yield _values(data, here, number, order + word)
            elif code in _BELOW and kind in _SIZES:
                each = _SIZES[kind]
                values = _values(data, here, number * each, order + word)
                open_ += struct.unpack(f"{order}{len(values) // each}{_CODES[each]}", values)


def _values(data: FileBytes, here: bytes, size: int, code: str) -> bytes:
    """Bytes of a tag, which stand in the entry itself or where it points."""
    if size <= len(here):
        return here[:size]
    (start,) = struct.unpack(code, here)
    return data.read(start, min(size, _LONGEST, len(data) - start)) if start < len(data) else b""
