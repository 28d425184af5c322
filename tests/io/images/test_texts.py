"""Words beside the pixels of any image file, whole or damaged."""

import io
import struct
import sys
from pathlib import Path

import numpy as np
import pytest
import tifffile

from lampyris.io.images.texts import image_texts

sys.path.insert(0, str(Path(__file__).parent))
from camera_bytes import counts, sif_bytes, spe2_bytes, spe3_bytes


def tiff(**fields):
    stream = io.BytesIO()
    tifffile.imwrite(stream, np.zeros((4, 4), np.uint16), photometric="minisblack", metadata=None, **fields)
    return stream.getvalue()


def directory(*tags, following=0, count=None):
    """A TIFF of one directory with these tags: code, kind, number, value."""
    entries = b"".join(struct.pack("<HHII", *tag) for tag in tags)
    count = len(tags) if count is None else count
    return b"II*\0" + struct.pack("<IH", 8, count) + entries + struct.pack("<I", following)


def texts(path, data):
    path.write_bytes(data)
    return "|".join(image_texts(path))


FOUND = {
    "classic": ("x.tif", tiff(description="the words")),
    "big, other order": ("x.tif", tiff(description="the words", bigtiff=True, byteorder=">")),
    "whatever its name": ("x.bin", tiff(software="the words")),
    "UTF-16": ("x.tif", tiff(extratags=[(40095, 1, None, "the words".encode("utf-16-le"), True)])),
    "SIF": ("x.sif", sif_bytes(counts(), note=b"the words")),
    "cut SIF": ("x.sif", sif_bytes(counts(), note=b"the words")[:-2000]),
    "SPE 2": ("x.spe", spe2_bytes(counts()).replace(b"\0" * 80, b"the words".ljust(80, b"\0"), 1)),
    "SPE 3": ("x.spe", spe3_bytes(counts()).replace(b"</SpeFormat>", b"<!--the words--></SpeFormat>")),
}


@pytest.mark.parametrize("case", FOUND)
def test_words_are_found(tmp_path, case):
    name, data = FOUND[case]
    assert "the words" in texts(tmp_path / name, data)


DAMAGED = {
    "a circle": directory((270, 2, 4, int.from_bytes(b"abc\0", "little")), following=8),
    "a directory beyond the end": directory(following=1 << 31),
    "more tags than bytes": directory((256, 3, 1, 4), count=60_000),
    "a text beyond the end": directory((270, 2, 1 << 30, 1 << 31)),
    "a text longer than the file": directory((270, 2, 1 << 30, 8)),
    "directories below, beyond the end": directory((330, 4, 1 << 29, 8), (34665, 4, 1, 1 << 31)),
    "a big directory beyond all": b"II+\0\x08\0\0\0" + b"\xff" * 8,
    "a big count": b"II+\0\x08\0\0\0" + struct.pack("<QQ", 16, (1 << 64) - 1) + b"\0" * 40,
    "a header alone": b"II*\0",
    "nothing": b"",
}


@pytest.mark.parametrize("case", DAMAGED)
def test_damage_ends_the_search(tmp_path, case):
    assert "the words" not in texts(tmp_path / "x.tif", DAMAGED[case])


def test_pixels_are_no_words(tmp_path):
    assert texts(tmp_path / "x.raw", b"the words" * 100) == ""
    pixels = np.frombuffer(b"the words " * 16, np.uint16).reshape(1, 8, 10)
    for name, data in (("x.spe", spe2_bytes(pixels)), ("x.sif", sif_bytes(pixels.view("<f4")))):
        assert "the words" not in texts(tmp_path / name, data)
