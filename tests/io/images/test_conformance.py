"""Every reader of the registry passes the conformance test, and the test sees what a reader may not do."""

import os
import time
import warnings
from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lampyris.core.errors import ImageError, LampyrisError, UnsafeFileError
from lampyris.core.finding import Finding, Place, Severity
from lampyris.core.images import RawImage
from lampyris.io.images.conformance import check_reader
from lampyris.io.images.ivis.writer import click_files, sequence_files
from lampyris.io.images.ome.tiff import write_ome_tiff
from lampyris.io.images.readers import FORMATS

RNG = np.random.default_rng(2)
IMAGE = RawImage(
    counts=RNG.integers(0, 65536, (2, 12, 10), dtype=np.uint16),
    channels=("780", "810"),
    pixel_mm=0.5,
    exposure_s=(60.0, 30.0),
    excitation_nm=(675.0, 675.0),
    emission_nm=(780.0, 810.0),
    acquired="2026-11-25T09:05:07",
    synthetic=True,
    dark=RNG.integers(90, 110, (2, 12, 10), dtype=np.uint16),
    photo=RNG.integers(0, 256, (24, 20), dtype=np.uint8),
    photo_pixel_mm=0.25,
    radiance_per_count_rate=(1.0e6, 1.1e6),
    labels={"animal": "m01", "comment": "37 °C"},
)


def ome_tiff(folder: Path) -> Path:
    write_ome_tiff(folder / "m01.ome.tif", IMAGE)
    return folder / "m01.ome.tif"


def ivis_click(folder: Path) -> Path:
    one = slice(0, 1)
    image = replace(
        IMAGE, counts=IMAGE.counts[one], channels=IMAGE.channels[one], exposure_s=IMAGE.exposure_s[one],
        excitation_nm=IMAGE.excitation_nm[one], emission_nm=IMAGE.emission_nm[one],
        dark=None if IMAGE.dark is None else IMAGE.dark[one], radiance_per_count_rate=(1.0e6,),
    )  # fmt: skip
    return put(folder, click_files(image, name="m01", binning=4))


def ivis_sequence(folder: Path) -> Path:
    # a constant dark is a line of text, not a file: fewer files to cut
    return put(folder, sequence_files(replace(IMAGE, dark=np.full((2, 12, 10), 100, np.uint16)), name="m01", binning=4))


def put(folder: Path, files: dict[str, bytes]) -> Path:
    for path, data in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    return folder / next(iter(files)).partition("/")[0]


def ome_zarr(folder: Path) -> Path:
    writer = import_module("lampyris.io.images.ome.zarr_image")
    # dark and photograph are images of their own in this format
    files = writer.ome_zarr_files(replace(IMAGE, dark=None, photo=None))
    return put(folder, {f"m01.ome.zarr/{path}": data for path, data in files.items()})


def camera_file(suffix: str, maker: str) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        spec = spec_from_file_location("camera_bytes", Path(__file__).with_name("camera_bytes.py"))
        assert spec is not None
        assert spec.loader is not None
        module = module_from_spec(spec)
        spec.loader.exec_module(module)
        (folder / f"m01{suffix}").write_bytes(getattr(module, maker)(module.counts(1, (6, 7))))
        return folder / f"m01{suffix}"

    return write


# a small example of each format of the registry; a new format needs one line here
EXAMPLES: dict[str, Callable[[Path], Path]] = {
    "ome-tiff": ome_tiff,
    "ivis-click": ivis_click,
    "ivis-sequence": ivis_sequence,
    "ome-zarr": ome_zarr,
    "andor-sif": camera_file(".sif", "sif_bytes"),
    "princeton-spe": camera_file(".spe", "spe3_bytes"),
}


@pytest.mark.parametrize("known", FORMATS, ids=lambda known: known.name)
def test_every_reader_conforms(tmp_path: Path, known: Any) -> None:
    module, _, function = known.target.partition(":")
    assert known.name in EXAMPLES, f"give an example of {known.name} in EXAMPLES"
    example = EXAMPLES[known.name](tmp_path)
    report = check_reader(getattr(import_module(module), function), example, seed=7)
    assert report.passed, str(report)
    assert report.cases > 1200


# what a reader may not do; each wraps the good one below


def refusal(file: str, kind: type[LampyrisError] = ImageError, **changes: Any) -> LampyrisError:
    finding = {
        "rule": "image.x",
        "severity": Severity.ERROR,
        "place": Place(file),
        "seen": "is broken.",
        "mend": "Mend it.",
    }
    return kind("cannot be read", [Finding(**(finding | changes))])


def good(path: Path, *, max_pixels: int, max_pages: int, max_bytes: int, file: str) -> RawImage:
    """A format of its own: two bytes of shape, then counts."""
    if not path.is_file():
        raise refusal(file)
    data = path.read_bytes()
    if len(data) > max_bytes:
        raise refusal(file)
    if len(data) < 2 or not data[0] * data[1]:
        raise refusal(file)
    height, width = data[:2]
    if height * width > max_pixels:
        raise refusal(file, UnsafeFileError)
    if len(data) < 2 + height * width:
        raise refusal(file)
    counts = np.frombuffer(data, np.uint8, height * width, 2).reshape(1, height, width)
    return RawImage(counts, ("a",), 1.0, (1.0,), (660.0,), (800.0,))


def no_caps(path: Path, **options: Any) -> RawImage:
    return good(path, **(options | {"max_pixels": 10**9, "max_bytes": 10**9}))


def untyped(path: Path, **options: Any) -> RawImage:
    return good(path, **options) if len(path.read_bytes()) > 3 else [][0]


def nameless(path: Path, **options: Any) -> RawImage:
    return good(path, **(options | {"file": "elsewhere"}))


def mendless(path: Path, **options: Any) -> RawImage:
    try:
        return good(path, **options)
    except UnsafeFileError:
        raise
    except ImageError as error:
        raise refusal(options["file"], mend="") from error


def findingless(path: Path, **options: Any) -> RawImage:
    try:
        return good(path, **options)
    except UnsafeFileError:
        raise
    except ImageError as error:
        raise ImageError("cannot be read") from error


def sleeping(path: Path, **options: Any) -> RawImage:
    image = good(path, **options)
    if set(path.read_bytes()[2:]) != {5}:
        time.sleep(60)
    return image


def slow(path: Path, **options: Any) -> RawImage:
    image = good(path, **options)
    if set(path.read_bytes()[2:]) != {5}:
        time.sleep(0.3)
    return image


def crashing(path: Path, **options: Any) -> RawImage:
    image = good(path, **options)
    if set(path.read_bytes()[2:]) != {5}:
        os._exit(9)
    return image


def hungry(path: Path, **options: Any) -> RawImage:
    image = good(path, **options)
    if set(path.read_bytes()[2:]) != {5}:
        np.ones(10**8)
    return image


def talking(path: Path, **options: Any) -> RawImage:
    print("reading", path.name)
    return good(path, **options)


def warning(path: Path, **options: Any) -> RawImage:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("hm", UserWarning, stacklevel=1)
    return good(path, **options)


def changed(**changes: Any) -> Callable[..., RawImage]:
    return lambda path, **options: replace(good(path, **options), **changes)


BAD: dict[str, tuple[Callable[..., Any], str]] = {
    "ignores caps": (no_caps, "must come"),
    "raises what it likes": (untyped, "IndexError"),
    "names another file": (nameless, "names 'elsewhere'"),
    "gives no mend": (mendless, "no mend"),
    "gives no finding": (findingless, "has no finding"),
    "hangs": (sleeping, "not finished"),
    "takes long": (slow, "above 0.2 s"),
    "crashes": (crashing, "exit code 9"),
    "takes memory": (hungry, "MemoryError"),
    "prints": (talking, "prints nothing"),
    "warns": (warning, "prints nothing"),
    "returns an array": (lambda path, **options: good(path, **options).counts, "ndarray, not RawImage"),
    "signed counts": (changed(counts=np.ones((1, 2, 2), np.int16)), "int16"),
    "infinite counts": (changed(counts=np.full((1, 2, 2), np.inf)), "NaN or infinity"),
    "foreign order": (changed(counts=np.ones((1, 2, 2), np.dtype("u2").newbyteorder())), "byte order"),
    "no pixels": (changed(counts=np.ones((1, 0, 2), np.uint8)), "no pixel"),
    "negative exposure": (changed(exposure_s=(-1.0,)), "exposure_s is -1"),
    "infinite pixels": (changed(pixel_mm=np.inf), "pixel_mm is inf"),
    "nameless channel": (changed(channels=("",)), "distinct names"),
    "clock of its own": (changed(acquired="noon"), "no ISO 8601"),
    "zero coefficient": (changed(radiance_per_count_rate=(0.0,)), "radiance_per_count_rate is 0"),
    "NaN in the dark": (changed(dark=np.full((1, 4, 4), np.nan), counts=np.ones((1, 4, 4), np.uint8)), "dark hold NaN"),
}


@pytest.fixture
def example(tmp_path: Path) -> Path:
    (tmp_path / "a.two").write_bytes(bytes([4, 4, *[5] * 16]))
    return tmp_path / "a.two"


def test_a_good_reader_passes(example: Path) -> None:
    report = check_reader(good, example, truncations=18, mutations=50)
    assert report.passed, str(report)
    # as it is, two caps, no file, a folder, 18 cuts, 50 changes
    assert report.cases == 1 + 2 + 2 + 18 + 50
    assert report.read + report.refused == report.cases


@pytest.mark.parametrize("name", BAD)
def test_what_a_reader_may_not_do_is_seen(example: Path, name: str) -> None:
    reader, words = BAD[name]
    options: dict[str, Any] = {"max_seconds": 0.2, "mutations": 4} if name in ("hangs", "takes long") else {}
    report = check_reader(reader, example, **({"truncations": 4, "mutations": 20} | options))
    assert not report.passed
    assert words in str(report), str(report)


def test_the_example_itself_must_be_read(example: Path) -> None:
    example.write_bytes(b"")
    report = check_reader(good, example, truncations=4, mutations=4)
    assert "refused it" in str(report.violations[0])


def first_of(path: Path, *, file: str, follow: bool, **_caps: int) -> RawImage:
    """A folder whose counts stand in the file "counts"."""
    inner = path / "counts"
    if not inner.exists() or (inner.is_symlink() and not follow) or path.is_file():
        raise refusal(file)
    return good(inner, file=file, **_caps)


@pytest.mark.parametrize("follow", [False, True])
def test_following_a_link_out_of_a_folder_is_seen(tmp_path: Path, follow: bool) -> None:
    put(tmp_path, {"a/counts": bytes([4, 4, *[5] * 16])})

    def read(path: Path, **options: Any) -> RawImage:
        return first_of(path, follow=follow, **options)

    report = check_reader(read, tmp_path / "a", truncations=18, mutations=20)
    assert [str(one) for one in report.violations] == (["counts a link that leads out: followed it"] if follow else [])


def test_the_same_seed_gives_the_same_report(example: Path) -> None:
    one, two = (check_reader(untyped, example, seed=3, truncations=4, mutations=20) for _ in range(2))
    assert one.violations == two.violations
