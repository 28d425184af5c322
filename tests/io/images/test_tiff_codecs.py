"""LZW and PackBits as other programs write them, and what damage does to them."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from lampyris.core.errors import ImageError, UnsafeFileError
from lampyris.io.images.conformance import check_reader
from lampyris.io.images.ome.tiff import read_ome_tiff
from lampyris.io.images.tiff import Caps, opened_file, tiff_sequence
from lampyris.io.images.tiff_codecs import decoded_segment

RNG = np.random.default_rng(8)
PICTURES: dict[str, np.ndarray] = {
    "noise": RNG.integers(0, 65536, (90, 70), dtype=np.uint16),
    "much noise": RNG.integers(0, 65536, (200, 300), dtype=np.uint16),
    "smooth": np.add.outer(np.arange(90), np.arange(70)).astype(np.uint16),
    "blank": np.zeros((90, 70), np.uint16),
    "counts": RNG.poisson(400, (200, 300)).astype(np.uint16),
    "bytes": RNG.integers(0, 4, (90, 70), dtype=np.uint8),
}


def encoded(picture: np.ndarray, compression: str, **info: Any) -> bytes:
    """The picture as libtiff writes it."""
    stream = io.BytesIO()
    Image.fromarray(picture).save(stream, "TIFF", compression=compression, tiffinfo=info.get("tiffinfo", {}))
    return stream.getvalue()


def read(path: Path) -> np.ndarray:
    return read_ome_tiff(path, max_pixels=100_000, max_pages=9, max_bytes=1_000_000).counts[0]


@pytest.mark.parametrize("compression", ["tiff_lzw", "packbits"])
@pytest.mark.parametrize("name", PICTURES)
def test_reads_what_others_write(tmp_path: Path, compression: str, name: str) -> None:
    (tmp_path / "a.tif").write_bytes(encoded(PICTURES[name], compression))
    np.testing.assert_array_equal(read(tmp_path / "a.tif"), PICTURES[name])


@pytest.mark.parametrize("name", ["noise", "smooth", "counts"])
def test_rows_stored_as_differences(tmp_path: Path, name: str) -> None:
    (tmp_path / "a.tif").write_bytes(encoded(PICTURES[name], "tiff_lzw", tiffinfo={317: 2}))
    np.testing.assert_array_equal(read(tmp_path / "a.tif"), PICTURES[name])


@pytest.mark.parametrize("compression", ["lzw", "packbits"])
def test_any_bytes_fill_no_more_than_is_asked(compression: str) -> None:
    for size in (0, 1, 7, 300):
        for length in (0, 1, 2, 50, 2000):
            assert len(decoded_segment(compression, RNG.bytes(length), size)) <= size


def test_a_code_that_does_not_exist_ends_the_strip() -> None:
    # clear (256), then 300: nine bits each
    assert decoded_segment("lzw", (256 << 23 | 300 << 14).to_bytes(4, "big"), 10) == b""


@pytest.mark.parametrize("compression", ["tiff_lzw", "packbits"])
def test_damaged_files_are_refused_or_read(tmp_path: Path, compression: str) -> None:
    (tmp_path / "a.tif").write_bytes(encoded(PICTURES["bytes"][:20, :20], compression))
    report = check_reader(read_ome_tiff, tmp_path / "a.tif", seed=1, mutations=300)
    assert report.passed, str(report)


def test_a_strip_that_ends_early_is_refused(tmp_path: Path) -> None:
    data = encoded(PICTURES["noise"], "packbits")
    # 128 means nothing, so that the strips, which stand behind the header, hold nothing
    (tmp_path / "a.tif").write_bytes(data[:8] + b"\x80" * 9000 + data[9008:])
    with pytest.raises(ImageError, match="of a strip or tile"):
        read(tmp_path / "a.tif")


def test_large_slow_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.tif").write_bytes(encoded(np.ones((2300, 2300), np.uint16), "tiff_lzw"))
    with opened_file(tmp_path / "a.tif", "a.tif") as data, pytest.raises(UnsafeFileError, match="slow compression"):
        tiff_sequence(data, caps=Caps(10**8, 9), file="a.tif")
    with pytest.raises(UnsafeFileError, match="slow compression"):
        read_ome_tiff(tmp_path / "a.tif", max_pixels=10**8, max_pages=9, max_bytes=10**8)
