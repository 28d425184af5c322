"""The registry finds readers by suffix, those of other packages too, and keeps their faults to one image."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from lampyris.core.errors import ImageError, UnsafeFileError
from lampyris.core.images import RawImage
from lampyris.core.settings import Limits
from lampyris.io.images.ome_tiff import write_ome_tiff
from lampyris.io.images.readers import FORMATS, known_suffixes, read_image

IMAGE = RawImage(np.ones((1, 4, 5), np.uint16), ("800",), 0.2, (1.0,), (660.0,), (800.0,))


@pytest.mark.parametrize("suffix", [".ome.tif", ".ome.tiff", ".tif", ".TIFF", ".Ome.Tif"])
def test_suffix_finds_its_reader(tmp_path: Path, suffix: str) -> None:
    write_ome_tiff(tmp_path / f"m01{suffix}", IMAGE)
    assert read_image(tmp_path / f"m01{suffix}", Limits()).channels == ("800",)


@pytest.mark.parametrize(
    ("limits", "rule"),
    [
        (Limits(max_pixels=19), "image.pixels"),
        (Limits(max_file_mb=0.0001), "image.size"),
    ],
)
def test_limits_of_the_study_hold(tmp_path: Path, limits: Limits, rule: str) -> None:
    write_ome_tiff(tmp_path / "a.tif", IMAGE)
    with pytest.raises(ImageError) as caught:
        read_image(tmp_path / "a.tif", limits, file="raw/a.tif")
    assert (caught.value.findings[0].rule, caught.value.findings[0].place.file) == (rule, "raw/a.tif")


def test_page_limit_holds(tmp_path: Path) -> None:
    image = RawImage(np.ones((2, 4, 5), np.uint16), ("a", "b"), 0.2, (1.0,) * 2, (660.0,) * 2, (800.0,) * 2)
    write_ome_tiff(tmp_path / "a.tif", image)
    with pytest.raises(UnsafeFileError):
        read_image(tmp_path / "a.tif", Limits(max_pages=1))


@pytest.mark.parametrize("name", ["a.png", "a", "tif", "a.tif.exe"])
def test_unknown_format_lists_the_known_ones(tmp_path: Path, name: str) -> None:
    with pytest.raises(ImageError) as caught:
        read_image(tmp_path / name, Limits())
    (finding,) = caught.value.findings
    assert finding.rule == "image.format"
    assert all(suffix in finding.seen for suffix in (".ome.tif", ".tiff"))
    assert "OME-TIFF" in finding.mend


READER = """
import numpy as np
from lampyris.core.images import RawImage

def good(path, *, max_pixels, max_pages, max_bytes, file):
    return RawImage(np.full((1, 1, 1), len(path.name), np.uint16), (file,), 1.0, (1.0,), (1.0,), (1.0,))

def broken(path, **caps):
    raise IndexError("list index out of range")

def other(path, **caps):
    return np.zeros((1, 1, 1))
"""


@pytest.fixture
def outsider(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package of somebody else, installed."""
    site = tmp_path / "site"
    info = site / "firefly_formats-1.0.dist-info"
    info.mkdir(parents=True)
    (site / "firefly_formats.py").write_text(READER)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: firefly-formats\nVersion: 1.0\n")
    points = {".fly": "good", ".brk": "broken", ".oth": "other", ".gone": "gone", ".tif": "broken"}
    lines = [f"{suffix} = firefly_formats:{function}" for suffix, function in points.items()]
    (info / "entry_points.txt").write_text("\n".join(["[lampyris.readers]", *lines, ""]))
    monkeypatch.syspath_prepend(str(site))


@pytest.mark.usefixtures("outsider")
def test_other_packages_add_readers(tmp_path: Path) -> None:
    image = read_image(tmp_path / "ab.FLY", Limits(), file="raw/ab.FLY")
    assert image.counts.item() == 6
    assert image.channels == ("raw/ab.FLY",)
    assert {".fly", ".ome.tif"} <= set(known_suffixes())


@pytest.mark.usefixtures("outsider")
@pytest.mark.parametrize(
    ("suffix", "words"), [(".brk", "IndexError"), (".oth", "not RawImage"), (".gone", "cannot be imported")]
)
def test_faults_of_other_packages_are_typed(tmp_path: Path, suffix: str, words: str) -> None:
    with pytest.raises(ImageError, match=words) as caught:
        read_image(tmp_path / f"a{suffix}", Limits())
    assert "firefly_formats" in caught.value.findings[0].seen


@pytest.mark.usefixtures("outsider")
def test_known_suffixes_cannot_be_taken_over(tmp_path: Path) -> None:
    write_ome_tiff(tmp_path / "a.tif", IMAGE)
    np.testing.assert_array_equal(read_image(tmp_path / "a.tif", Limits()).counts, IMAGE.counts)


def test_formats_are_imported_when_needed() -> None:
    modules = {format_.target.partition(":")[0] for format_ in FORMATS} | {"tifffile", "zarr", "pyarrow", "matplotlib"}
    script = f"import sys, lampyris.io.images.readers; print(sorted({modules!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_reading_and_writing_load_no_heavy_library() -> None:
    heavy = {"tifffile", "zarr", "pyarrow", "matplotlib", "pandas", "xarray"}
    rooms = "durable, paths, sheets, settings, tables; from lampyris.io.images import ome_tiff, ome_zarr, readers"
    script = f"import sys; from lampyris.io import {rooms}; print(sorted({heavy!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
