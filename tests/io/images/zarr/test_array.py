"""Arrays of one chunk: the same bytes as the zarr library writes, and nothing else is read."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
import zarr
from zarr.codecs import ZstdCodec

from lampyris.io.durable import sha256_tree
from lampyris.io.images.zarr.array import read_array, read_group, write_array, write_group

RNG = np.random.default_rng(9)
ARRAYS = {
    "image": RNG.normal(size=(3, 20, 30)).astype(np.float32),
    "labels": RNG.integers(0, 4, (20, 30)).astype(np.uint16),
    "one pixel": np.ones((1, 1), np.uint16),
    "blank": np.zeros((2, 40, 50), np.float32),
    "not finite": np.array([[[np.nan, np.inf, -0.0]]], np.float32),
}


@pytest.mark.parametrize("name", ARRAYS)
def test_bytes_are_those_of_the_zarr_library(tmp_path: Path, name: str) -> None:
    values, dims = ARRAYS[name], ("c", "y", "x")[-ARRAYS[name].ndim :]
    attributes = {"ome": {"version": "0.5", "name": "Mäuse µm"}, "lampyris": {"pose": [1.5, None]}}
    group = zarr.open_group(tmp_path / "theirs", mode="w", zarr_format=3, attributes=attributes)
    array = group.create_array(
        "0",
        shape=values.shape,
        chunks=values.shape,
        dtype=values.dtype,
        compressors=ZstdCodec(level=1, checksum=True),
        fill_value=math.nan if values.dtype.kind == "f" else 0,
        dimension_names=dims,
        config={"write_empty_chunks": True},
    )
    array[...] = values
    write_group(tmp_path / "ours", attributes)
    write_array(tmp_path / "ours" / "0", values, dims)
    assert sha256_tree(tmp_path / "ours") == sha256_tree(tmp_path / "theirs")
    assert read_group(tmp_path / "ours") == attributes
    back = read_array(tmp_path / "ours" / "0", values.dtype, values.ndim, max_pixels=values.size)
    assert back.tobytes() == values.tobytes()
    assert back.flags.writeable


@pytest.mark.parametrize("values", [np.asfortranarray(ARRAYS["image"]), ARRAYS["image"].astype(">f4")])
def test_order_in_memory_does_not_show(tmp_path: Path, values: np.ndarray) -> None:
    write_array(tmp_path / "one", values, ("c", "y", "x"))
    write_array(tmp_path / "two", ARRAYS["image"], ("c", "y", "x"))
    assert sha256_tree(tmp_path / "one") == sha256_tree(tmp_path / "two")


CHANGES = {
    "type": {"data_type": "uint8"},
    "shape": {"shape": [20, 31]},
    "negative shape": {"shape": [-20, -30]},
    "no pixel": {"shape": [0, 30]},
    "shape of text": {"shape": ["20", "30"]},
    "other chunks": {"chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [10, 30]}}},
    "other codec": {"codecs": []},
    "fewer rows than stored": {
        "shape": [19, 30],
        "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [19, 30]}},
    },
    "too large": {
        "shape": [1 << 20, 1 << 20],
        "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [1 << 20, 1 << 20]}},
    },
    "a group": {"node_type": "group"},
    "zarr 2": {"zarr_format": 2},
}


@pytest.mark.parametrize("change", CHANGES)
def test_another_array_than_asked_for_is_refused(tmp_path: Path, change: str) -> None:
    write_array(tmp_path, ARRAYS["labels"], ("y", "x"))
    document = json.loads((tmp_path / "zarr.json").read_text())
    (tmp_path / "zarr.json").write_text(json.dumps(document | CHANGES[change]))
    with pytest.raises(ValueError):
        read_array(tmp_path, np.dtype("uint16"), 2, max_pixels=1000)
