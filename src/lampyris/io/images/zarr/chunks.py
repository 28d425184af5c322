"""Zarr 2 and 3 arrays in a grid of chunks, as any program writes them, read without trust.

Zarr reads a chunk that is absent as the array's fill value, so a copy that was cut short opens as an image with black
squares. Here an absent chunk is an error, unless the array or its group is declared sparse: ``{"lampyris": {"sparse": true}}``
among its attributes, which a person adds who knows that blank chunks were left out on purpose.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lampyris.core.errors import UnsafeFileError
from lampyris.io.images.tiff import MAX_EXPANSION, MAX_SEGMENTS
from lampyris.io.images.zarr.codecs import (
    COMPRESSORS,
    ChunkError,
    decompressed,
    little_or_big,
    shard_index,
    without_checksum,
)
from lampyris.io.images.zarr.folder import MEND_COPY, MEND_EXPORT, MEND_LIMITS, StoredFile, ZarrFolder

MAX_AXES = 6
_KINDS = ("u1", "u2", "u4", "i1", "i2", "i4", "f4", "f8")
_NAMES = {np.dtype(kind).name: kind for kind in _KINDS}
# a usual chunk may be larger than a small image
_USUAL_CHUNK = 1 << 20
# blank chunks of a photograph's margin compress ten-thousandfold: the ratio is asked only above this decoded size
_SMALL = 1 << 26
_NUMBERS = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
_MEND_CHUNK = (
    "Copy the whole folder anew; if blank chunks were left out on purpose, write it again with all chunks, or add "
    '"lampyris": {"sparse": true} to its attributes.'
)
_ABSENT = np.iinfo(np.uint64).max


@dataclass(frozen=True, slots=True)
class Coding:
    """How the bytes of a chunk become numbers.

    Parameters
    ----------
    chunk : tuple of int
        Its shape.
    dtype : numpy.dtype
        Of the stored numbers, byte order included.
    order : tuple of int
        Axis of the array that each stored axis is, slowest first.
    codecs : tuple of str
        Compressors and ``crc32c``, in the order in which they were put on.
    """

    chunk: tuple[int, ...]
    dtype: np.dtype[Any]
    order: tuple[int, ...]
    codecs: tuple[str, ...]

    def decode(self, data: bytes) -> NDArray[Any]:
        """Numbers of a chunk, in its shape.

        Raises
        ------
        ChunkError
            If the data are damaged.
        """
        size = math.prod(self.chunk) * self.dtype.itemsize
        # what stands before each codec is known in size up to the first compressor
        sizes = [size + 4 * place for place in range(len(self.codecs))]
        for name, before in zip(reversed(self.codecs), reversed(sizes), strict=True):
            data = without_checksum(data) if name == "crc32c" else decompressed(name, data, before)
        if len(data) != size:
            raise ChunkError(f"holds {len(data)} bytes where {size} are needed")
        stored = np.frombuffer(data, self.dtype).reshape([self.chunk[axis] for axis in self.order])
        return stored.transpose(np.argsort(self.order))


@dataclass(frozen=True, slots=True)
class Shard:
    """Several chunks in one file, with an index.

    Parameters
    ----------
    shape : tuple of int
        Of the shard.
    at_start : bool
        The index stands before the chunks.
    checksum : bool
        The index ends with a CRC32C.
    """

    shape: tuple[int, ...]
    at_start: bool
    checksum: bool


@dataclass(frozen=True, slots=True)
class ZarrArray:
    """An array's document, checked against the caps.

    Parameters
    ----------
    path : str
        Inside the folder.
    shape : tuple of int
    coding : Coding
        Of the chunks, the inner ones where there are shards.
    shard : Shard or None
    prefix, separator : str
        Of the files' names.
    fill : float or None
        What absent chunks hold; None where that is not defined.
    sparse : bool
        Absent chunks are meant.
    dims : tuple of str
        Names of the axes where the document has them.
    attributes : dict
    """

    path: str
    shape: tuple[int, ...]
    coding: Coding
    shard: Shard | None
    prefix: str
    separator: str
    fill: float | None
    sparse: bool
    dims: tuple[str, ...]
    attributes: dict[str, Any]


@contextmanager
def understood(folder: ZarrFolder, name: str, /) -> Iterator[None]:
    """Turn whatever a document of the wrong form raises into an error that names it."""
    try:
        yield
    except ChunkError as error:
        folder.refuse("image.metadata", f"has a {name} that {error}, which is not read.", MEND_EXPORT)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError) as error:
        folder.refuse("image.metadata", f"has a {name} of another form ({type(error).__name__}: {error}).", MEND_COPY)


def open_array(folder: ZarrFolder, path: str, /, *, max_pixels: int, sparse: bool = False) -> ZarrArray:
    """Read an array's document and check everything it declares; no chunk is opened.

    Parameters
    ----------
    folder : ZarrFolder
    path : str
        Of the array, inside the folder.
    max_pixels : int
        Cap on a chunk; a chunk of a megapixel is always allowed.
    sparse : bool
        Its group is declared sparse.

    Returns
    -------
    ZarrArray

    Raises
    ------
    ImageError
        If there is no such array, or it is of a kind that is not read.
    UnsafeFileError
        If its chunks are larger than the cap.
    """
    document, name = folder.document(f"{path}/zarr.json"), f"{path}/zarr.json"
    with understood(folder, name):
        if document is not None:
            found = _version_3(path, document)
        else:
            name = f"{path}/.zarray"
            document = folder.document(name)
            if document is None:
                folder.refuse("image.metadata", f"lacks the array {path}, which it names.", MEND_COPY)
            found = _version_2(path, document, folder.document(f"{path}/.zattrs") or {}, name)
        outer = found.shard.shape if found.shard else found.coding.chunk
        for sizes in (found.shape, found.coding.chunk, outer):
            whole = all(type(size) is int and 0 < size < 2**40 for size in sizes)
            if not whole or len(sizes) != len(found.shape) or not 2 <= len(sizes) <= MAX_AXES:
                raise ChunkError(f"declares the shape {sizes!r:.100}")
        if any(large % small for large, small in zip(outer, found.coding.chunk, strict=True)):
            raise ChunkError("has shards that their chunks do not fill")
        if sorted(found.coding.order) != list(range(len(found.shape))):
            raise ChunkError("has axes in an order that is none")
        if sum(name in COMPRESSORS for name in found.coding.codecs) > 1:
            raise ChunkError("is compressed twice")
    if math.prod(found.coding.chunk) > max(max_pixels, _USUAL_CHUNK):
        seen = f"declares chunks of {math.prod(found.coding.chunk)} pixels, above the cap of {max_pixels}."
        folder.refuse("image.pixels", seen, MEND_LIMITS, UnsafeFileError)
    if math.prod(outer) // math.prod(found.coding.chunk) > MAX_SEGMENTS:
        folder.refuse("image.segments", "declares too many chunks in a shard.", MEND_EXPORT, UnsafeFileError)
    return replace(found, sparse=found.sparse or sparse)


def read_region(folder: ZarrFolder, array: ZarrArray, region: tuple[tuple[int, int], ...], /) -> NDArray[Any]:
    """Read a box of an array.

    Parameters
    ----------
    folder : ZarrFolder
    array : ZarrArray
        From `open_array`.
    region : tuple of (int, int)
        First and past-last index along each axis, inside the array.

    Returns
    -------
    ndarray
        In the machine's byte order.

    Raises
    ------
    ImageError
        If a chunk is missing or damaged.
    UnsafeFileError
        If the box needs more chunks than any image has, or more bytes than the folder may give.
    """
    outer = array.shard.shape if array.shard else array.coding.chunk
    spans = [range(low // step, -(-high // step)) for (low, high), step in zip(region, outer, strict=True)]
    inner = [range(low // step, -(-high // step)) for (low, high), step in zip(region, array.coding.chunk, strict=True)]
    if max(math.prod(map(len, spans)), math.prod(map(len, inner))) > MAX_SEGMENTS:
        folder.refuse("image.segments", f"declares over {MAX_SEGMENTS} chunks.", MEND_EXPORT, UnsafeFileError)
    out = np.empty([high - low for low, high in region], array.coding.dtype.newbyteorder("="))
    budget = _Budget(folder, folder.left)
    for place in product(*spans):
        name = array.path + "/" + array.separator.join([*filter(None, [array.prefix]), *map(str, place)])
        with folder.opened(name) as stored:
            try:
                if array.shard is not None and stored is not None:
                    _read_shard(budget, array, array.shard, stored, place, region, out)
                    continue
                chunk = None if stored is None else budget.decoded(array.coding, stored.read(0, stored.size))
            except ChunkError as error:
                folder.refuse("image.truncated", f"has a chunk {name} that {error}.", MEND_COPY)
        if chunk is None:
            chunk = _absent(folder, array, name)
        _put(out, region, chunk, tuple(index * step for index, step in zip(place, outer, strict=True)), outer)
    return out


class _Budget:
    """What came out of the bytes that were read: a few bytes that become very many are no image."""

    def __init__(self, folder: ZarrFolder, left: int) -> None:
        self.folder, self._left, self._decoded = folder, left, 0

    def decoded(self, coding: Coding, data: bytes) -> NDArray[Any]:
        """Numbers of a chunk.

        Raises
        ------
        UnsafeFileError
            If all chunks together expand beyond what counts of a camera do.
        """
        self._decoded += math.prod(coding.chunk) * coding.dtype.itemsize
        read = self._left - self.folder.left
        if self._decoded > max(_SMALL, MAX_EXPANSION * read):
            seen = f"expands from {read} to {self._decoded} bytes, more than {MAX_EXPANSION}-fold."
            self.folder.refuse("image.expansion", seen, MEND_EXPORT, UnsafeFileError)
        return coding.decode(data)


def _read_shard(
    budget: _Budget,
    array: ZarrArray,
    shard: Shard,
    stored: StoredFile,
    place: tuple[int, ...],
    region: tuple[tuple[int, int], ...],
    out: NDArray[Any],
) -> None:
    """Decode those chunks of a shard that the region needs."""
    chunk = array.coding.chunk
    grid = [large // small for large, small in zip(shard.shape, chunk, strict=True)]
    size = 16 * math.prod(grid) + (4 if shard.checksum else 0)
    index = shard_index(
        stored.read(0 if shard.at_start else max(stored.size - size, 0), size),
        math.prod(grid),
        total=stored.size,
        checksum=shard.checksum,
    ).reshape(*grid, 2)
    start = [at * step for at, step in zip(place, shard.shape, strict=True)]
    spans = [
        range(max(low - first, 0) // step, -(-min(high - first, large) // step))
        for (low, high), first, step, large in zip(region, start, chunk, shard.shape, strict=True)
    ]
    for inner in product(*spans):
        offset, count = (int(number) for number in index[inner])
        if offset == count == _ABSENT:
            values = _absent(budget.folder, array, f"{stored.name}, {inner}")
        else:
            values = budget.decoded(array.coding, stored.read(offset, count))
        corner = tuple(first + at * step for first, at, step in zip(start, inner, chunk, strict=True))
        _put(out, region, values, corner, chunk)


def _put(
    out: NDArray[Any],
    region: tuple[tuple[int, int], ...],
    chunk: NDArray[Any],
    corner: tuple[int, ...],
    shape: tuple[int, ...],
) -> None:
    """Copy what of a chunk lies in the region."""
    source, target = [], []
    for (low, high), first, size in zip(region, corner, shape, strict=True):
        start, stop = max(low, first), min(high, first + size)
        source.append(slice(start - first, stop - first))
        target.append(slice(start - low, stop - low))
    out[tuple(target)] = chunk[tuple(source)] if chunk.ndim else chunk


def _absent(folder: ZarrFolder, array: ZarrArray, name: str) -> NDArray[Any]:
    """What an absent chunk holds, where absence is meant."""
    fill, dtype = array.fill, array.coding.dtype.newbyteorder("=")
    if not array.sparse or fill is None:
        folder.refuse("image.chunk-missing", f"lacks the chunk {name}; Zarr would read it as blank.", _MEND_CHUNK)
    if dtype.kind != "f" and not (
        math.isfinite(fill) and fill == int(fill) and np.iinfo(dtype).min <= fill <= np.iinfo(dtype).max
    ):
        folder.refuse("image.metadata", f"has the fill value {fill}, which is no {dtype.name}.", MEND_EXPORT)
    return np.asarray(fill, dtype)


def _is_sparse(attributes: Any) -> bool:
    own = attributes.get("lampyris") if isinstance(attributes, dict) else None
    return isinstance(own, dict) and own.get("sparse") is True


def _version_2(path: str, document: dict[str, Any], attributes: dict[str, Any], name: str) -> ZarrArray:
    """Array of a ``.zarray``."""
    if document["zarr_format"] != 2:
        raise ChunkError(f"has the format {document['zarr_format']!r:.40}")
    text = document["dtype"]
    if not isinstance(text, str) or text[:1] not in "<>|" or text[1:] not in _KINDS:
        raise ChunkError(f"holds numbers of type {text!r:.60}")
    if document.get("filters"):
        raise ChunkError("has filters before its compressor")
    compressor = document.get("compressor")
    codecs = () if compressor is None else (_known(compressor["id"]),)
    order = document.get("order", "C")
    if order not in ("C", "F"):
        raise ChunkError(f"has the order {order!r:.40}")
    axes = tuple(range(len(document["shape"])))
    fill = document["fill_value"]
    return ZarrArray(
        path=path,
        shape=tuple(document["shape"]),
        coding=Coding(tuple(document["chunks"]), np.dtype(text), axes if order == "C" else axes[::-1], codecs),
        shard=None,
        prefix="",
        separator=_separator(document.get("dimension_separator", ".")),
        fill=_fill(fill),
        sparse=_is_sparse(attributes),
        dims=(),
        attributes=attributes,
    )


def _version_3(path: str, document: dict[str, Any]) -> ZarrArray:
    """Array of a ``zarr.json``."""
    if document["zarr_format"] != 3 or document["node_type"] != "array":
        raise ChunkError("describes no Zarr 3 array")
    if document.get("storage_transformers"):
        raise ChunkError("has storage transformers")
    if document["chunk_grid"]["name"] != "regular":
        raise ChunkError("has an irregular grid of chunks")
    shape = tuple(document["shape"])
    chunk = tuple(document["chunk_grid"]["configuration"]["chunk_shape"])
    keys = document["chunk_key_encoding"]
    settings = keys.get("configuration") or {}
    if keys["name"] not in ("default", "v2"):
        raise ChunkError(f"names its chunks by {keys['name']!r:.40}")
    default = keys["name"] == "default"
    attributes = document.get("attributes") or {}
    coding, shard = _codecs(document["codecs"], chunk, _NAMES[document["data_type"]])
    dims = tuple(name for name in document.get("dimension_names") or () if isinstance(name, str))
    return ZarrArray(
        path=path,
        shape=shape,
        coding=coding,
        shard=shard,
        prefix="c" if default else "",
        separator=_separator(settings.get("separator", "/" if default else ".")),
        fill=_fill(document["fill_value"]),
        sparse=_is_sparse(attributes),
        dims=dims,
        attributes=attributes,
    )


def _codecs(codecs: list[Any], chunk: tuple[int, ...], kind: str) -> tuple[Coding, Shard | None]:
    """The chain of a Zarr 3 array: transpositions, then bytes or a shard, then what works on bytes."""
    order = tuple(range(len(chunk)))
    found = [
        (codec["name"], codec.get("configuration") or {}) if isinstance(codec, dict) else (codec, {})
        for codec in codecs
    ]
    while found and found[0][0] == "transpose":
        turn = tuple(found.pop(0)[1]["order"])
        order = tuple(order[axis] for axis in turn)
    if not found:
        raise ChunkError("has no codec that makes bytes")
    (name, settings), *rest = found
    if name == "sharding_indexed":
        if rest or order != tuple(range(len(chunk))):
            raise ChunkError("has codecs around its shards")
        index = [codec["name"] for codec in settings["index_codecs"]]
        if index not in (["bytes"], ["bytes", "crc32c"]) or _endian(settings["index_codecs"][0]) != "<":
            raise ChunkError("codes the index of its shards otherwise")
        coding, nested = _codecs(settings["codecs"], tuple(settings["chunk_shape"]), kind)
        if nested is not None:
            raise ChunkError("has shards within shards")
        where = settings.get("index_location", "end")
        if where not in ("start", "end"):
            raise ChunkError(f"has the index of its shards at {where!r:.40}")
        return coding, Shard(chunk, where == "start", len(index) == 2)
    if name != "bytes":
        raise ChunkError(f"is coded by {name!r:.40}")
    dtype = np.dtype(kind).newbyteorder(little_or_big(settings.get("endian", "little")))
    return Coding(chunk, dtype, order, tuple(_known(name, checksum=True) for name, _ in rest)), None


def _endian(codec: dict[str, Any]) -> str:
    return little_or_big((codec.get("configuration") or {}).get("endian", "little"))


def _known(name: Any, *, checksum: bool = False) -> str:
    if name in COMPRESSORS or (checksum and name == "crc32c"):
        return str(name)
    # written as "numcodecs.zlib" by zarr-python
    if isinstance(name, str) and name.removeprefix("numcodecs.") in COMPRESSORS:
        return name.removeprefix("numcodecs.")
    raise ChunkError(f"is compressed by {name!r:.60}; known are {', '.join(COMPRESSORS)}")


def _separator(text: Any) -> str:
    if text not in ("/", "."):
        raise ChunkError(f"separates the names of its chunks by {text!r:.40}")
    return str(text)


def _fill(value: Any) -> float | None:
    """Fill value; None where it is not defined or not a number."""
    if isinstance(value, str):
        return _NUMBERS.get(value)
    return value if type(value) in (int, float) else None
