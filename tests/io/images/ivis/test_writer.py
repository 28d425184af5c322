"""Click and sequence folders that are written read back to the same image, whatever the encoding."""

import math
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lampyris.core.images import RawImage
from lampyris.io.images.ivis.click import read_ivis_click
from lampyris.io.images.ivis.sequence import read_ivis_sequence
from lampyris.io.images.ivis.writer import click_files, sequence_files

RNG = np.random.default_rng(11)
CLICK = RawImage(
    counts=RNG.integers(0, 65536, (1, 12, 10), dtype=np.uint16),
    channels=("780",),
    pixel_mm=10 * 22.5 / 12,
    exposure_s=(60.0,),
    excitation_nm=(675.0,),
    emission_nm=(780.0,),
    acquired="2026-11-25T09:05:07",
    synthetic=True,
    dark=RNG.integers(90, 110, (1, 12, 10), dtype=np.uint16),
    photo=RNG.integers(0, 4096, (48, 40), dtype=np.uint16),
    photo_pixel_mm=10 * 22.5 / 48,
    radiance_per_count_rate=(2.213e7 / 16,),
    labels={
        "animal": "m01",
        "comment": "37 °C, 2 cm²",
        "instrument": "IVIS Spectrum",
        "saturated": "1",
        "view": "dorsal",
    },
)
CAPS: dict[str, Any] = {"max_pixels": 10_000, "max_pages": 16, "max_bytes": 1_000_000}


def written(files: dict[str, bytes], root: Path) -> Path:
    """Put the files below a directory; the folder that holds them all."""
    for path, data in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(data)
    return root / next(iter(files)).partition("/")[0]


def assert_same(got: RawImage, expected: RawImage) -> None:
    for field in fields(RawImage):
        a, b = getattr(got, field.name), getattr(expected, field.name)
        if isinstance(b, np.ndarray):
            np.testing.assert_array_equal(a, b)
        elif isinstance(b, float) and not math.isnan(b):
            # pixel = field / number of pixels, rounded once each way
            assert a == pytest.approx(b, rel=1e-12), field.name
        elif isinstance(b, dict):
            assert a == b
        else:
            assert repr(a) == repr(b), field.name


@pytest.mark.parametrize("encoding", ["cp1252", "utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("signed", [False, True])
def test_click_reads_back(tmp_path: Path, encoding: str, signed: bool) -> None:
    files = click_files(
        CLICK, name="Maus 01 (Größe)", field_of_view_cm=22.5, f_number=2, binning=4, encoding=encoding, signed=signed
    )
    assert_same(read_ivis_click(written(files, tmp_path), **CAPS), CLICK)


@pytest.mark.parametrize(
    "change",
    [
        {"dark": None},
        {"dark": np.full((1, 12, 10), 101.5, np.float32)},
        {"photo": None, "photo_pixel_mm": math.nan},
        {"photo_pixel_mm": math.nan},
        {"radiance_per_count_rate": ()},
        {"labels": {}},
        {"acquired": "2026-02-03"},
        {"acquired": ""},
        {"synthetic": False},
        {"excitation_nm": (math.nan,)},
        {"channels": ("Open",), "emission_nm": (math.nan,)},
        {"pixel_mm": 0.45},
    ],
    ids=lambda change: " ".join(change),
)
def test_what_is_missing_stays_missing(tmp_path: Path, change: dict[str, Any]) -> None:
    image = replace(CLICK, **change)
    assert_same(read_ivis_click(written(click_files(image, name="a", binning=8), tmp_path), **CAPS), image)


def test_sequence_reads_back(tmp_path: Path) -> None:
    image = replace(
        CLICK,
        counts=RNG.integers(0, 65536, (3, 12, 10), dtype=np.uint16),
        channels=("780", "810", "840"),
        exposure_s=(60.0, 30.0, 0.5),
        excitation_nm=(675.0,) * 3,
        emission_nm=(780.0, 810.0, 840.0),
        dark=RNG.integers(90, 110, (3, 12, 10), dtype=np.uint16),
        radiance_per_count_rate=(1.0e6, 1.1e6, 1.3e6),
    )
    files = sequence_files(image, name="d07", field_of_view_cm=22.5, binning=4)
    assert [path for path in files if path.count("/") == 1] == ["d07_SEQ/SequenceInfo.txt"]
    assert_same(read_ivis_sequence(written(files, tmp_path), **CAPS), image)


def test_same_image_same_bytes_and_synthetic_is_said() -> None:
    files = click_files(CLICK, name="a")
    assert click_files(replace(CLICK, counts=np.asfortranarray(CLICK.counts)), name="a") == files
    assert files["a/ClickInfo.txt"].startswith(b"# Synthetic")
    assert b"Synthetic" not in click_files(replace(CLICK, synthetic=False), name="a")["a/ClickInfo.txt"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"counts": np.ones((1, 12, 10))}, "float64, not uint16"),
        ({"dark": np.linspace(1, 2, 120).reshape(1, 12, 10)}, "dark is float64"),
        ({"acquired": "yesterday"}, "acquired"),
        ({"labels": {"comment": "two\nlines"}}, "one line"),
        ({"labels": {"comment": "蛍"}}, "cp1252 cannot hold"),
        ({"labels": {"comment": "Ã©"}}, "another encoding"),
        ({"channels": ("red",)}, "read back as '780'"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_the_format_cannot_hold_is_refused(change: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        click_files(replace(CLICK, **change), name="a")


@pytest.mark.parametrize("name", ["", "a/b", "..", "a\\b", "a.", "a\nb", "x" * 300])
def test_names_stay_inside(name: str) -> None:
    with pytest.raises(ValueError, match="no folder name"):
        click_files(CLICK, name=name)
