"""The registry finds readers by suffix, those of other packages too, and keeps their faults to one image."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from lampyris.core.errors import ImageError, UnsafeFileError
from lampyris.core.images import RawImage
from lampyris.core.settings import Limits
from lampyris.io.images.ivis.writer import click_files, sequence_files
from lampyris.io.images.ome.tiff import write_ome_tiff
from lampyris.io.images.readers import FORMATS, MAX_FILES, format_of, image_files, known_suffixes, read_image

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


def folder(root: Path, files: dict[str, bytes]) -> Path:
    for path, data in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(data)
    return root


@pytest.mark.parametrize(
    ("files", "name"),
    [
        (("CLICKINFO.TXT", "luminescent.tif"), "ivis-click"),
        (("analyzedclickinfo.txt",), "ivis-click"),
        (("sequenceinfo.TXT", "a_001/ClickInfo.txt"), "ivis-sequence"),
        (("ClickInfo.txt", "SequenceInfo.txt"), "ivis-sequence"),
        ((".zattrs", ".zgroup", "0/.zarray"), "ome-zarr"),
        (("zarr.json",), "ome-zarr"),
        (("m01.tif",), None),
        ((), None),
    ],
)
def test_what_lies_in_a_folder_tells_its_format(tmp_path: Path, files: tuple[str, ...], name: str | None) -> None:
    folder(tmp_path, dict.fromkeys(files, b""))
    known = format_of(tmp_path)
    assert (known.name if known else None) == name


@pytest.mark.parametrize(("name", "known"), [("KQ1_SEQ", "ivis-sequence"), ("a.ome.Zarr", "ome-zarr"), ("b", None)])
def test_an_odd_folder_is_told_by_its_name(tmp_path: Path, name: str, known: str | None) -> None:
    (tmp_path / name).mkdir()
    found = format_of(tmp_path / name)
    assert (found.name if found else None) == known


def test_folders_are_read_like_files(tmp_path: Path) -> None:
    folder(tmp_path, click_files(IMAGE, name="a") | sequence_files(IMAGE, name="b"))
    for name in ("a", "b_SEQ"):
        np.testing.assert_array_equal(read_image(tmp_path / name, Limits()).counts, IMAGE.counts)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (("d/x/ClickInfo.txt", b""), ("it holds x", "Name one image in it, such as x")),
        (("d/readme.md", b""), ("it holds readme.md", "Name the image itself")),
        (("d", b"\x89PNG\r\n"), ("it is PNG", "Export it as OME-TIFF")),
        (("d", b"II*\0"), ("TIFF under another name", "ends in .tif")),
        (("d", b"?"), ("no known image format;", "install a package")),
    ],
)
def test_what_no_reader_fits_is_told(tmp_path: Path, make: tuple[str, bytes], words: tuple[str, str]) -> None:
    folder(tmp_path, dict([make]))
    with pytest.raises(ImageError) as caught:
        read_image(tmp_path / "d", Limits(), file="raw/d")
    (finding,) = caught.value.findings
    assert (finding.rule, finding.place.file) == ("image.format", "raw/d")
    assert words[0] in finding.seen
    assert "clickinfo.txt" in finding.seen
    assert words[1] in finding.mend


def test_the_text_of_a_click_points_to_its_folder(tmp_path: Path) -> None:
    folder(tmp_path, click_files(IMAGE, name="a"))
    with pytest.raises(ImageError, match="Name the folder that holds it"):
        read_image(tmp_path / "a" / "ClickInfo.txt", Limits())


def test_files_of_an_image(tmp_path: Path) -> None:
    folder(tmp_path, {"a/b/2": b"", "a/B": b"", "a/b.txt": b"", "c.tif": b""})
    (tmp_path / "a" / "link").symlink_to(tmp_path / "c.tif")
    (tmp_path / "a" / "round").symlink_to(tmp_path / "a")
    assert image_files(tmp_path / "c.tif") == (tmp_path / "c.tif",)
    assert [one.relative_to(tmp_path / "a").as_posix() for one in image_files(tmp_path / "a")] == ["B", "b.txt", "b/2"]
    with pytest.raises(ImageError, match="cannot be opened"):
        image_files(tmp_path / "gone", file="raw/gone")


def test_files_of_an_image_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert MAX_FILES == 100_000
    monkeypatch.setattr("lampyris.io.images.readers.MAX_FILES", 2)
    folder(tmp_path, dict.fromkeys(("a/1", "a/2", "a/3"), b""))
    with pytest.raises(UnsafeFileError):
        image_files(tmp_path / "a")


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
    rooms = "durable, paths, sheets, settings, tables"
    formats = "from lampyris.io.images import readers; from lampyris.io.images.ome import tiff, zarr"
    script = f"import sys; from lampyris.io import {rooms}; {formats}; print(sorted({heavy!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
