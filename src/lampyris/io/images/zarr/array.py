"""Zarr 3 groups and arrays of one chunk, written and read as files.

The format of one group or array is a JSON document, and of its only chunk a Zstandard frame with a checksum. The zarr library
spends most of its time on what such files do not need (an event loop, chunk grids, stores); the tests read what is written
here with it, byte for byte what it would have written itself.
"""

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

DOCUMENT = "zarr.json"
_LEVEL = 1
_CODECS = [
    {"name": "bytes", "configuration": {"endian": "little"}},
    {"name": "zstd", "configuration": {"level": _LEVEL, "checksum": True}},
]


def write_group(directory: Path, attributes: Mapping[str, Any], /) -> None:
    """Write a group's document into a directory, which is made.

    Parameters
    ----------
    directory : Path
    attributes : mapping
        What JSON holds.
    """
    _write_document(directory, {"attributes": dict(attributes), "zarr_format": 3, "node_type": "group"})


def read_group(directory: Path, /) -> dict[str, Any]:
    """Return a group's attributes.

    Raises
    ------
    ValueError
        If the document is of another kind.
    OSError
        If it is missing.
    """
    document = _read_document(directory, "group")
    attributes = document.get("attributes")
    if not isinstance(attributes, dict):
        raise ValueError(f"{DOCUMENT} holds no attributes")
    return attributes


def write_array(directory: Path, values: NDArray[Any], dims: Sequence[str], /) -> None:
    """Write an array of one chunk into a directory, which is made.

    Parameters
    ----------
    directory : Path
    values : ndarray
        Numbers; in C order in the file.
    dims : sequence of str
        Name of each axis.
    """
    from numcodecs.zstd import compress

    document = {
        "shape": list(values.shape),
        "data_type": values.dtype.name,
        "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": list(values.shape)}},
        "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}},
        # an absent image chunk then shows as NaN in other programs too
        "fill_value": "NaN" if values.dtype.kind == "f" else 0,
        "codecs": _CODECS,
        "attributes": {},
        "dimension_names": list(dims),
        "zarr_format": 3,
        "node_type": "array",
        "storage_transformers": [],
    }
    _write_document(directory, document)
    chunk = directory / chunk_name(values.ndim)
    chunk.parent.mkdir(parents=True)
    stored = np.ascontiguousarray(values, values.dtype.newbyteorder("<"))
    chunk.write_bytes(compress(stored, _LEVEL, True))


def read_array(directory: Path, dtype: np.dtype[Any], ndim: int, /, *, max_pixels: int) -> NDArray[Any]:
    """Read an array of one chunk, which must be there.

    Parameters
    ----------
    directory : Path
    dtype : numpy.dtype
        As it must be.
    ndim : int
        As it must be.
    max_pixels : int
        Largest size.

    Returns
    -------
    ndarray

    Raises
    ------
    ValueError
        If the array is another, or larger, than asked for.
    OSError
        If a file is missing.
    RuntimeError
        If the chunk is damaged.
    """
    from numcodecs.zstd import decompress

    document = _read_document(directory, "array")
    shape = tuple(document["shape"])
    if document["data_type"] != dtype.name or len(shape) != ndim or not all(type(n) is int and n > 0 for n in shape):
        raise ValueError(f"is {document['data_type']} of shape {shape}, not as written")
    if document["chunk_grid"]["configuration"]["chunk_shape"] != list(shape) or document["codecs"] != _CODECS:
        raise ValueError("is chunked or coded otherwise than written")
    if math.prod(shape) > max_pixels:
        raise ValueError(f"declares more than {max_pixels} pixels")
    data = decompress((directory / chunk_name(ndim)).read_bytes())
    # a frame of another size does not take the shape
    return np.frombuffer(data, dtype.newbyteorder("<")).reshape(shape).astype(dtype)


def chunk_name(ndim: int, /) -> str:
    """Name of the only chunk of an array, inside the array's directory.

    Examples
    --------
    >>> chunk_name(2)
    'c/0/0'
    """
    return "c/" + "/".join("0" * ndim)


def _write_document(directory: Path, document: Mapping[str, Any]) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    text = json.dumps(document, indent=2, allow_nan=False)
    (directory / DOCUMENT).write_bytes(text.encode("ascii"))


def _read_document(directory: Path, kind: str) -> dict[str, Any]:
    document = json.loads((directory / DOCUMENT).read_text(encoding="utf-8"))
    if not isinstance(document, dict) or document.get("node_type") != kind or document.get("zarr_format") != 3:
        raise ValueError(f"{DOCUMENT} describes no Zarr 3 {kind}")
    return document
