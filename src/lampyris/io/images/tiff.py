"""Pixels of a TIFF file that nobody vouches for.

Every size, offset and count that the file declares is checked against the file and the caps before anything is
allocated or decoded, and decompression stops at the declared size. Only the file's own bytes are ever read.
Known are classic and BigTIFF of either byte order, strips and tiles, unsigned integers and floats, no compression, LZW,
PackBits or Deflate, with or without horizontal prediction; and, where the caller knows that counts were stored so, signed 16 bits.
"""

import os
import stat
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NoReturn

import numpy as np
from numpy.typing import NDArray

from lampyris.core.errors import ImageError, UnsafeFileError
from lampyris.core.finding import Finding, Place, Severity
from lampyris.io.images.tiff_codecs import MAX_BYTES, decoded_segment

MAX_EXPANSION = 256
"""Largest ratio of decoded to stored size; counts of a camera compress two- to tenfold."""
_SMALL = 1 << 20
# a blank image compresses a thousandfold: the ratio is asked only above this decoded size
MAX_SEGMENTS = 200_000
"""Most strips and tiles in one file."""
MAX_ENTRIES = 256
"""Most tags in one directory; cameras write about twenty."""
# of one tag of a file that is not taken into memory: the offsets of as many strips as are allowed, with room
_LARGE_TAG = 1 << 24

_TYPES: dict[int, str] = {
    1: "u1",
    2: "S1",
    3: "u2",
    4: "u4",
    6: "i1",
    7: "u1",
    8: "i2",
    9: "i4",
    11: "f4",
    12: "f8",
    13: "u4",
    16: "u8",
    17: "i8",
    18: "u8",
}
_COMPRESSIONS = {1: "none", 5: "lzw", 8: "deflate", 32773: "packbits", 32946: "deflate"}
_DTYPES = {(1, 8): "u1", (1, 16): "u2", (1, 32): "u4", (3, 32): "f4", (3, 64): "f8"}
_MEND_COPY = "Copy the file anew from the instrument; its copy was cut short or damaged."
_MEND_EXPORT = "Export it again as an uncompressed 16-bit greyscale TIFF."
_MEND_LIMITS = "If the file is trusted, raise the cap in [limits] of study.toml."


@dataclass(frozen=True, slots=True)
class Caps:
    """What a file may declare at most: pixels of all pages together, and pages."""

    max_pixels: int
    max_pages: int
    signed: bool = False
    """Signed 16-bit samples are counts of 16 bits that a program stored under the wrong type."""


@dataclass(frozen=True, slots=True)
class Page:
    """One image directory of the file, checked against the file's size.

    Parameters
    ----------
    shape : tuple of int
        Samples, height, width.
    dtype : numpy.dtype
        Of the stored bytes, byte order included.
    compression : str
        ``none``, ``lzw``, ``packbits`` or ``deflate``.
    predicted : bool
        Rows are stored as differences.
    interleaved : bool
        Samples of a pixel stand together.
    segment : tuple of int
        Height and width of a strip or tile.
    tiled : bool
        Segments at the right and lower edge are stored whole.
    offsets, counts : ndarray
        Where each segment's bytes stand.
    description : ndarray
        Bytes of the page's description tag, still in the file's memory.
    """

    shape: tuple[int, int, int]
    dtype: np.dtype[Any]
    compression: str
    predicted: bool
    interleaved: bool
    segment: tuple[int, int]
    tiled: bool
    offsets: NDArray[np.uint64]
    counts: NDArray[np.uint64]
    description: NDArray[Any]

    @property
    def decoded_pixels(self) -> int:
        """Pixels in all segments, the padding of tiles included."""
        samples = self.shape[0] if self.interleaved else 1
        return int(self.offsets.size) * self.segment[0] * self.segment[1] * samples


class FileBytes:
    """An open file that is read piece by piece where it is longer than memory.

    Parameters
    ----------
    descriptor : int
        Open for reading; whoever opened it closes it.
    file : str
        Its name for messages.
    """

    __slots__ = ("_descriptor", "_file", "_size")

    def __init__(self, descriptor: int, file: str, /) -> None:
        self._descriptor, self._file, self._size = descriptor, file, os.fstat(descriptor).st_size

    def __len__(self) -> int:
        return self._size

    def read(self, offset: int, size: int, /) -> bytes:
        """Read some bytes.

        Raises
        ------
        ImageError
            If they cannot be read, or the file became shorter.
        """
        try:
            found = os.pread(self._descriptor, size, offset)
        except OSError as error:
            refuse(self._file, "image.missing", f"cannot be read: {error.strerror or error}.", _MEND_COPY)
        if len(found) < size:
            refuse(self._file, "image.truncated", f"ends at byte {offset + len(found)}, while it is read.", _MEND_COPY)
        return found


@contextmanager
def opened_file(path: Path, file: str, /) -> Iterator[FileBytes]:
    """Open a regular file for reading piece by piece.

    Parameters
    ----------
    path : Path
        The file.
    file : str
        Its name for messages.

    Yields
    ------
    FileBytes

    Raises
    ------
    ImageError
        If there is no such file, or it is no regular one.
    """
    descriptor = -1
    try:
        # a pipe would wait for ever
        if not stat.S_ISREG(path.stat().st_mode):
            refuse(file, "image.missing", "is no file but a directory or device.", "Name the image file itself.")
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        seen = f"cannot be opened: {error.strerror or error}."
        refuse(file, "image.missing", seen, "Check the path in the sheet, and that the file is there and readable.")
    try:
        yield FileBytes(descriptor, file)
    finally:
        os.close(descriptor)


@dataclass(frozen=True, slots=True)
class Tiff:
    """A file, in memory or not, and how its numbers are written."""

    data: bytes | FileBytes
    order: Literal["<", ">"]
    big: bool
    file: str

    def at(self, offset: int, size: int) -> bytes | memoryview:
        """Bytes of the file, which the caller knows to be in it."""
        if isinstance(self.data, FileBytes):
            return self.data.read(offset, size)
        return memoryview(self.data)[offset : offset + size]

    def refuse(self, rule: str, seen: str, mend: str, kind: type[ImageError] = ImageError) -> NoReturn:
        """Raise an error about this file."""
        refuse(self.file, rule, seen, mend, kind)


def refuse(file: str, rule: str, seen: str, mend: str, kind: type[ImageError] = ImageError) -> NoReturn:
    """Raise an error about an image file, with its finding.

    Parameters
    ----------
    file : str
        As the user knows it.
    rule, seen, mend : str
        Of the finding.
    kind : type
        Class of the error.

    Raises
    ------
    ImageError
        Always.
    """
    raise kind(f"{file} cannot be read.", [Finding(rule, Severity.ERROR, Place(file), seen, mend)])


def tiff_pages(data: bytes, /, *, caps: Caps, file: str) -> tuple[Tiff, tuple[Page, ...]]:
    """Read the directories of a TIFF and check everything they declare; nothing is decoded yet.

    Parameters
    ----------
    data : bytes
        The whole file.
    caps : Caps
        What it may declare.
    file : str
        Its name for messages.

    Returns
    -------
    tiff : Tiff
        The file.
    pages : tuple of Page
        Full-resolution pages in the order of the file, at least one, all of the same shape and type.

    Raises
    ------
    ImageError
        If the file is empty, cut short, damaged or of an unknown kind.
    UnsafeFileError
        If it declares more than the caps allow, or its directories run in a circle.
    """
    tiff, first = _header(data, file)
    pages: list[Page] = []
    total = 0
    for page, _ in _pages(tiff, first, caps):
        total += page.decoded_pixels
        if total > caps.max_pixels:
            tiff.refuse("image.pixels", f"declares over {caps.max_pixels} pixels.", _MEND_LIMITS, UnsafeFileError)
        pages.append(page)
    _check_together(tiff, pages, total)
    return tiff, tuple(pages)


def tiff_sequence(data: FileBytes, /, *, caps: Caps, file: str) -> tuple[Tiff, Page, NDArray[np.uint64]]:
    """Read the directories of a TIFF of many pages one after the other, keeping only where each stands.

    Parameters
    ----------
    data : FileBytes
        The file, of any length.
    caps : Caps
        What one page may declare, and how many there may be.
    file : str
        Its name for messages.

    Returns
    -------
    tiff : Tiff
        The file.
    first : Page
        Its first full-resolution page.
    offsets : ndarray of uint64
        Where the directory of each full-resolution page stands, for `tiff_page`.

    Raises
    ------
    ImageError, UnsafeFileError
        As `tiff_pages`.
    """
    tiff, start = _header(data, file)
    first: Page | None = None
    offsets: list[int] = []
    stored = decoded = 0
    for page, offset in _pages(tiff, start, caps):
        first = first or page
        if (page.shape, page.dtype) != (first.shape, first.dtype):
            tiff.refuse("image.mixed", "has pages of different size or type.", "Export one image per file.")
        stored += int(page.counts.sum())
        decoded += page.decoded_pixels * page.dtype.itemsize
        _check_expansion(tiff, stored, decoded)
        _check_slow(tiff, [page], page.decoded_pixels)
        offsets.append(offset)
    if first is None:
        tiff.refuse("image.empty", "holds no image.", _MEND_COPY)
    return tiff, first, np.array(offsets, np.uint64)


def tiff_page(tiff: Tiff, offset: int, caps: Caps, /) -> Page:
    """Read the directory at an offset that `tiff_sequence` gave."""
    return _page(tiff, _directory(tiff, offset)[0], caps)


def _pages(tiff: Tiff, offset: int, caps: Caps) -> Iterator[tuple[Page, int]]:
    """Full-resolution pages in the order of the file, each with the offset of its directory; at least one."""
    seen: set[int] = set()
    found = False
    while offset:
        if offset in seen:
            tiff.refuse("image.loop", "its directories run in a circle.", _MEND_COPY, UnsafeFileError)
        seen.add(offset)
        if len(seen) > caps.max_pages:
            tiff.refuse("image.pages", f"has more than {caps.max_pages} pages.", _MEND_LIMITS, UnsafeFileError)
        here = offset
        tags, offset = _directory(tiff, here)
        # bit 0 of NewSubfileType: a thumbnail of another page
        if not _number(tiff, tags, 254, 0) & 1:
            found = True
            yield _page(tiff, tags, caps), here
    if not found:
        tiff.refuse("image.empty", "holds no image.", _MEND_COPY)


def page_pixels(tiff: Tiff, page: Page, /) -> NDArray[np.generic]:
    """Decode one page.

    Parameters
    ----------
    tiff : Tiff
        From `tiff_pages`.
    page : Page
        One of its pages.

    Returns
    -------
    ndarray, dims (sample, y, x)
        In the machine's byte order.

    Raises
    ------
    ImageError
        If a segment is damaged or holds less than declared.
    """
    samples, height, width = page.shape
    planes, depth = (1, samples) if page.interleaved else (samples, 1)
    rows, columns = page.segment
    down, across = -(-height // rows), -(-width // columns)
    out = np.empty((planes, height, width, depth), page.dtype.newbyteorder("="))
    for number in range(planes * down * across):
        plane, rest = divmod(number, down * across)
        y, x = rest // across * rows, rest % across * columns
        tall = rows if page.tiled else min(rows, height - y)
        start = int(page.offsets[number])
        size = tall * columns * depth * page.dtype.itemsize
        # nothing that Deflate makes is much longer than what went in; LZW makes noise longer by half
        stored = tiff.at(start, min(int(page.counts[number]), 2 * size + 4096))
        block = np.frombuffer(_expanded(tiff, page.compression, stored, size), page.dtype, tall * columns * depth)
        block = block.reshape(tall, columns, depth).astype(out.dtype, copy=False)
        if page.predicted:
            block = np.cumsum(block, axis=1, dtype=block.dtype)
        part = out[plane, y : y + rows, x : x + columns]
        part[...] = block[: part.shape[0], : part.shape[1]]
    return np.moveaxis(out, 3, 1).reshape(page.shape)


def _header(data: bytes | FileBytes, file: str) -> tuple[Tiff, int]:
    """The file's byte order and kind, and where its first directory stands."""
    if not len(data):
        refuse(file, "image.empty", "is empty (0 bytes).", _MEND_COPY)
    head = bytes(Tiff(data, "<", False, file).at(0, min(len(data), 16)))
    order: Literal["<", ">"] = ">" if head.startswith(b"MM") else "<"
    if head[:2] not in (b"II", b"MM") or len(head) < 8:
        refuse(file, "image.header", f"is no TIFF: it begins with {head[:4]!r}.", "Give a TIFF or OME-TIFF file.")
    (magic,) = struct.unpack_from(f"{order}H", head, 2)
    tiff = Tiff(data, order, magic == 43, file)
    if magic == 42:
        return tiff, struct.unpack_from(f"{order}I", head, 4)[0]
    if magic != 43 or len(head) < 16 or struct.unpack_from(f"{order}HH", head, 4) != (8, 0):
        tiff.refuse("image.header", "has a damaged TIFF header.", _MEND_COPY)
    return tiff, struct.unpack_from(f"{order}Q", head, 8)[0]


def _directory(tiff: Tiff, offset: int) -> tuple[dict[int, NDArray[Any]], int]:
    """Tags of the directory at an offset, those of unknown type left out, and the next directory's offset."""
    head, entry, tail = ("Q", 20, "Q") if tiff.big else ("H", 12, "I")
    size = len(tiff.data)
    if offset + struct.calcsize(head) > size:
        tiff.refuse("image.truncated", f"ends before its directory at byte {offset}.", _MEND_COPY)
    (count,) = struct.unpack(tiff.order + head, tiff.at(offset, struct.calcsize(head)))
    start = offset + struct.calcsize(head)
    if count > MAX_ENTRIES:
        tiff.refuse("image.tags", f"declares {count} tags in one directory.", _MEND_COPY, UnsafeFileError)
    length = count * entry
    if start + length + struct.calcsize(tail) > size:
        tiff.refuse("image.truncated", f"ends inside its directory at byte {offset}.", _MEND_COPY)
    stored = tiff.at(start, length + struct.calcsize(tail))
    tags = {}
    for position in range(0, length, entry):
        code, kind = struct.unpack_from(f"{tiff.order}HH", stored, position)
        if kind in _TYPES and code in _WANTED:
            tags[code] = _tag(tiff, stored[position + 4 : position + entry], kind, code)
    return tags, struct.unpack_from(tiff.order + tail, stored, length)[0]


def _tag(tiff: Tiff, entry: bytes | memoryview, kind: int, code: int) -> NDArray[Any]:
    """Values of one tag, which stand in the entry itself or where it points."""
    word = "Q" if tiff.big else "I"
    width = struct.calcsize(word)
    (count,) = struct.unpack_from(tiff.order + word, entry)
    dtype = np.dtype(_TYPES[kind]).newbyteorder(tiff.order)
    size = count * dtype.itemsize
    if size <= width:
        return np.frombuffer(entry, dtype, count, width)
    (start,) = struct.unpack_from(tiff.order + word, entry, width)
    if isinstance(tiff.data, FileBytes) and size > _LARGE_TAG:
        tiff.refuse("image.tags", f"declares {size} bytes in its tag {code}.", _MEND_EXPORT, UnsafeFileError)
    if start + size > len(tiff.data):
        tiff.refuse("image.truncated", f"ends before the values of its tag {code}.", _MEND_COPY)
    return np.frombuffer(tiff.at(start, size), dtype, count)


def _number(tiff: Tiff, tags: dict[int, NDArray[Any]], code: int, default: int | None) -> int:
    """First value of a tag that holds a whole number."""
    values = tags.get(code)
    if values is None and default is not None:
        return default
    if values is None or values.size == 0 or values.dtype.kind not in "ui" or int(values[0]) < 0:
        tiff.refuse("image.header", f"lacks a readable {_WANTED[code]} (tag {code}).", _MEND_COPY)
    return int(values[0])


def _numbers(tags: dict[int, NDArray[Any]], code: int) -> NDArray[Any]:
    """Values of a tag that holds whole numbers, 1 where it is absent; empty where it holds anything else."""
    values = tags.get(code, np.ones(1, np.uint16))
    return values if values.dtype.kind in "ui" else values[:0]


_WANTED = {
    254: "page kind",
    256: "width",
    257: "height",
    258: "sample depth",
    259: "compression",
    262: "photometric interpretation",
    266: "bit order",
    270: "description",
    273: "strip offsets",
    277: "samples per pixel",
    278: "rows per strip",
    279: "strip sizes",
    284: "planar configuration",
    317: "prediction",
    322: "tile width",
    323: "tile height",
    324: "tile offsets",
    325: "tile sizes",
    339: "sample format",
}


def _page(tiff: Tiff, tags: dict[int, NDArray[Any]], caps: Caps) -> Page:
    """One page from its tags, checked against the caps and the file."""
    width, height = _number(tiff, tags, 256, None), _number(tiff, tags, 257, None)
    samples = _number(tiff, tags, 277, 1)
    pixels = width * height * samples
    if not pixels:
        tiff.refuse("image.empty", f"declares {width} x {height} pixels of {samples} samples.", _MEND_COPY)
    if pixels > caps.max_pixels:
        seen = f"declares {width} x {height} pixels of {samples} samples, above the cap of {caps.max_pixels}."
        tiff.refuse("image.pixels", seen, _MEND_LIMITS, UnsafeFileError)
    dtype = _sample_type(tiff, tags, samples, caps)
    compression, predicted = _coding(tiff, tags, dtype)
    tiled = 322 in tags
    segment = (
        (_number(tiff, tags, 323, None), _number(tiff, tags, 322, None))
        if tiled
        else (min(_number(tiff, tags, 278, height), height), width)
    )
    if 0 in segment:
        tiff.refuse("image.header", "declares strips or tiles without height or width.", _MEND_COPY)
    interleaved = samples == 1 or _number(tiff, tags, 284, 1) == 1
    number = -(-height // segment[0]) * -(-width // segment[1]) * (1 if interleaved else samples)
    offsets, counts = _segments(tiff, tags, number, tiled=tiled)
    description = tags.get(270, np.zeros(0, "S1"))
    shape = (samples, height, width)
    return Page(shape, dtype, compression, predicted, interleaved, segment, tiled, offsets, counts, description)


def _sample_type(tiff: Tiff, tags: dict[int, NDArray[Any]], samples: int, caps: Caps) -> np.dtype[Any]:
    """Type of the stored samples."""
    bits, formats = ({*_numbers(tags, code)[:samples].tolist()} for code in (258, 339))
    if caps.signed and (formats, bits) == ({2}, {16}):
        formats = {1}
    if len(bits) != 1 or len(formats) != 1 or (min(formats), min(bits)) not in _DTYPES:
        names = {1: "unsigned", 2: "signed", 3: "float"}
        kinds = "/".join(names.get(value, f"format {value}") for value in sorted(formats))
        seen = f"stores {kinds} samples of {'/'.join(map(str, sorted(bits)))} bits; known are unsigned 8, 16, 32 and float 32, 64."
        tiff.refuse("image.dtype", seen, _MEND_EXPORT)
    if _number(tiff, tags, 262, 1) not in (1, 2):
        tiff.refuse("image.dtype", "stores inverted, indexed or converted colours, not counts.", _MEND_EXPORT)
    if _number(tiff, tags, 266, 1) != 1:
        tiff.refuse("image.dtype", "stores its bits in reversed order.", _MEND_EXPORT)
    return np.dtype(_DTYPES[min(formats), min(bits)]).newbyteorder(tiff.order)


def _coding(tiff: Tiff, tags: dict[int, NDArray[Any]], dtype: np.dtype[Any]) -> tuple[str, bool]:
    """Name of the compression, and whether rows are stored as differences."""
    code, predictor = _number(tiff, tags, 259, 1), _number(tiff, tags, 317, 1)
    if code not in _COMPRESSIONS:
        tiff.refuse("image.compression", f"is compressed by method {code}, which is not read.", _MEND_EXPORT)
    if predictor not in (1, 2) or (predictor == 2 and dtype.kind == "f"):
        tiff.refuse("image.compression", f"uses predictor {predictor}, which is not read.", _MEND_EXPORT)
    return _COMPRESSIONS[code], predictor == 2


def _segments(
    tiff: Tiff, tags: dict[int, NDArray[Any]], number: int, *, tiled: bool
) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Offsets and byte counts of a page's strips or tiles, all inside the file."""
    if number > MAX_SEGMENTS:
        tiff.refuse("image.segments", f"declares {number} strips or tiles.", _MEND_EXPORT, UnsafeFileError)
    found = []
    for code in (324, 325) if tiled else (273, 279):
        values = tags.get(code, np.zeros(0, np.uint8))
        if values.size < number or values.dtype.kind != "u":
            seen = f"lists {values.size} {_WANTED[code]} where its size needs {number}."
            tiff.refuse("image.truncated", seen, _MEND_COPY)
        found.append(values[:number].astype(np.uint64))
    offsets, counts = found
    size = np.uint64(len(tiff.data))
    # in this order nothing can wrap around
    if np.any(offsets > size) or np.any(counts > size - offsets):
        tiff.refuse("image.truncated", f"ends at byte {size}, before the end of its pixels.", _MEND_COPY)
    return offsets, counts


def _check_slow(tiff: Tiff, pages: list[Page], total: int) -> None:
    """No more in a compression that is decoded slowly than takes seconds."""
    decoded = total * max(page.dtype.itemsize for page in pages)
    most = min(MAX_BYTES.get(page.compression, decoded) for page in pages)
    if decoded > most:
        seen = f"holds {decoded} bytes of pixels in a slow compression, of which at most {most} are read."
        tiff.refuse("image.compression", seen, _MEND_EXPORT, UnsafeFileError)


def _check_together(tiff: Tiff, pages: list[Page], total: int) -> None:
    """What all pages declare together: one shape and type, and no more than the file can plausibly hold."""
    _check_slow(tiff, pages, total)
    if len({(page.shape, page.dtype) for page in pages}) > 1:
        tiff.refuse("image.mixed", "has pages of different size or type.", "Export one image per file.")
    if sum(page.offsets.size for page in pages) > MAX_SEGMENTS:
        tiff.refuse("image.segments", f"declares over {MAX_SEGMENTS} segments.", _MEND_EXPORT, UnsafeFileError)
    if sum(int(page.counts.sum()) for page in pages) > len(tiff.data):
        seen = "declares pixels that share their bytes with others."
        tiff.refuse("image.expansion", seen, _MEND_EXPORT, UnsafeFileError)
    _check_expansion(tiff, len(tiff.data), total * pages[0].dtype.itemsize)


def _check_expansion(tiff: Tiff, stored: int, decoded: int) -> None:
    """No more than the file can plausibly hold."""
    if decoded > max(_SMALL, MAX_EXPANSION * stored):
        seen = f"would expand from {stored} to {decoded} bytes, more than {MAX_EXPANSION}-fold."
        tiff.refuse("image.expansion", seen, _MEND_EXPORT, UnsafeFileError)


def _expanded(tiff: Tiff, compression: str, stored: bytes | memoryview, size: int) -> bytes | memoryview:
    """Bytes of a segment, exactly `size` of them."""
    data: bytes | memoryview = stored[:size]
    if compression == "deflate":
        try:
            data = zlib.decompressobj().decompress(stored, size)
        except zlib.error as error:
            tiff.refuse("image.truncated", f"has damaged compressed pixels ({error}).", _MEND_COPY)
    elif compression in MAX_BYTES:
        data = decoded_segment(compression, stored, size)
    if len(data) < size:
        tiff.refuse("image.truncated", f"stores {len(data)} bytes of a strip or tile of {size}.", _MEND_COPY)
    return data
