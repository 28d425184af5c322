"""Andor SIF and Princeton SPE: synthetic files after the published layout read as they are, damaged ones are typed errors."""

import math
import sys
from pathlib import Path

import numpy as np
import pytest

from lampyris.core.errors import ImageError, LampyrisError, UnsafeFileError
from lampyris.core.settings import Limits
from lampyris.io.images.cameras.andor_sif import read_andor_sif
from lampyris.io.images.cameras.princeton_spe import read_princeton_spe
from lampyris.io.images.frames import mean_image, open_frames

sys.path.insert(0, str(Path(__file__).parent))
from camera_bytes import counts, sif_bytes, spe2_bytes, spe3_bytes

CAPS = {"max_pixels": 1000, "max_pages": 8, "max_bytes": 100_000}
LIMITS = Limits(max_pixels=1000, max_pages=8, max_file_mb=0.1)
ONE, MANY = counts(1), counts(4)
WRITERS = {
    "sif": (sif_bytes, read_andor_sif, ".sif"),
    "spe 2": (spe2_bytes, read_princeton_spe, ".spe"),
    "spe 3": (spe3_bytes, read_princeton_spe, ".spe"),
}


def written(folder, name, frames, **options):
    write, _, suffix = WRITERS[name]
    path = folder / f"x{suffix}"
    path.write_bytes(write(frames, **options))
    return path


def rule_of(caught):
    (finding,) = caught.value.findings
    assert finding.mend
    assert finding.place.file == caught.value.args[0].split()[0]
    return finding.rule


@pytest.mark.parametrize("name", WRITERS)
def test_one_frame(tmp_path, name):
    path = written(tmp_path, name, ONE)
    image = WRITERS[name][1](path, **CAPS)
    np.testing.assert_array_equal(image.counts, ONE)
    assert image.counts.dtype == (np.float32 if name == "sif" else np.uint16)
    assert (image.channels, image.exposure_s) == (("0",), (0.25,))
    assert math.isnan(image.pixel_mm)
    times = {"sif": "2025-06-15T15:06:40Z", "spe 2": "2026-03-09T14:30:00", "spe 3": "2026-03-09T14:30:00+01:00"}
    assert image.acquired == times[name]


@pytest.mark.parametrize("name", WRITERS)
def test_many_frames(tmp_path, name):
    path = written(tmp_path, name, MANY)
    stream = open_frames(path, LIMITS)
    assert (stream.count, stream.shape) == (4, (1, 20, 30))
    for _ in range(2):
        np.testing.assert_array_equal(np.concatenate(list(stream)), MANY)
    if name != "spe 2":
        np.testing.assert_allclose(np.diff(stream.times_s), {"sif": 0.025, "spe 3": 0.25}[name])
    if name == "spe 3":
        assert stream.numbers.tolist() == [1, 2, 3, 4]
    mean = mean_image(path, LIMITS)
    np.testing.assert_array_equal(mean.counts[0], MANY.mean(axis=0))
    assert (mean.frames, mean.exposure_s) == (4, (0.25,))
    with pytest.raises(ImageError) as caught:
        WRITERS[name][1](path, **CAPS)
    assert rule_of(caught) == "image.axes"


@pytest.mark.parametrize("flag", [b"", b"0\n", b"1\n7000000\n8000000\n9000000\n10000000\n"])
@pytest.mark.parametrize("version", [65547, 65558, 65567])
def test_versions_of_sif(tmp_path, flag, version):
    path = written(tmp_path, "sif", MANY, flag=flag, version=version, note=b"65541 a text\nof the user")
    np.testing.assert_array_equal(np.concatenate(list(open_frames(path, LIMITS))), MANY)


@pytest.mark.parametrize(
    ("code", "dtype"), [(0, "f4"), (1, "u4"), (2, "u2"), (3, "u2"), (5, "f8"), (6, "u1"), (8, "u4")]
)
def test_number_types_of_spe(tmp_path, code, dtype):
    frames = ONE % 200
    image = read_princeton_spe(written(tmp_path, "spe 2", frames, code=code), **CAPS)
    np.testing.assert_array_equal(image.counts, frames)
    assert image.counts.dtype == dtype


def test_wide_pixels_of_spe_3(tmp_path):
    frames = ONE.astype("<u4") + 70_000
    image = read_princeton_spe(written(tmp_path, "spe 3", frames, kind="MonochromeUnsigned32"), **CAPS)
    np.testing.assert_array_equal(image.counts, frames)


BAD = {
    "sif, tracks": ("sif", {"tracks": 2}, "image.axes"),
    "sif, sizes that disagree": ("sif", {"top": 21}, "image.header"),
    "sif, no exposure": ("sif", {"exposure_s": 0}, "image.header"),
    "sif, accumulated": ("sif", {"accumulated": 10}, "image.accumulated"),
    "spe, accumulated": ("spe 2", {"accumulated": 10}, "image.accumulated"),
    "spe, several regions": ("spe 2", {"regions": 3}, "image.axes"),
    "spe, unknown numbers": ("spe 2", {"code": 9}, "image.dtype"),
    "spe, more frames than stored": ("spe 2", {"count": 5}, "image.truncated"),
    "spe, no frames": ("spe 2", {"count": 0}, "image.empty"),
    "spe, a million frames": ("spe 2", {"count": 1_000_000}, "image.pages"),
    "spe, no version": ("spe 2", {"version": 0.0}, "image.header"),
    "spe 3, several regions": ("spe 3", {"regions": 2}, "image.axes"),
    "spe 3, unknown pixels": ("spe 3", {"kind": "RGB"}, "image.dtype"),
    "spe 3, entity": ("spe 3", {"doctype": '<!DOCTYPE x [<!ENTITY a "b">]>'}, "image.doctype"),
    "spe 3, frames in the description": ("spe 3", {"count": 5}, "image.truncated"),
    "spe 3, sizes that disagree": ("spe 3", {"size": 7}, "image.metadata"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_does_not_fit_is_refused(tmp_path, case):
    name, options, rule = BAD[case]
    with pytest.raises(ImageError) as caught:
        open_frames(written(tmp_path, name, MANY, **options), LIMITS)
    assert rule_of(caught) == rule


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize(("cap", "value"), [("max_pixels", 599), ("max_bytes", 500)])
def test_caps(tmp_path, name, cap, value):
    path = written(tmp_path, name, ONE)
    with pytest.raises(UnsafeFileError):
        WRITERS[name][1](path, **{**CAPS, cap: value})


def test_negative_counts_and_no_numbers_are_errors(tmp_path):
    with pytest.raises(ImageError) as caught:
        read_princeton_spe(written(tmp_path, "spe 2", -ONE.astype(int), code=1), **CAPS)
    assert rule_of(caught) == "image.dtype"
    with pytest.raises(ImageError) as caught:
        read_andor_sif(written(tmp_path, "sif", ONE * np.float32(np.nan)), **CAPS)
    assert rule_of(caught) == "image.not-finite"


@pytest.mark.parametrize("name", WRITERS)
def test_cut_and_changed_files_are_typed_errors_or_leave_a_whole_image(tmp_path, name):
    path = written(tmp_path, name, ONE)
    whole = path.read_bytes()
    rng = np.random.default_rng(8)
    variants = [whole[:size] for size in np.linspace(0, len(whole) - 1, 256).astype(int)]
    where = np.flatnonzero(np.frombuffer(whole, np.uint8) if name != "sif" else np.ones(len(whole)))
    for _ in range(1000):
        changed = bytearray(whole)
        # where something stands: most of a header of SPE is empty
        for place in rng.choice(where, rng.integers(1, 4)):
            changed[place] = rng.integers(256)
        variants.append(bytes(changed))
    cut = 0
    for number, data in enumerate(variants):
        path.write_bytes(data)
        try:
            image = WRITERS[name][1](path, **CAPS)
        except LampyrisError as error:
            cut += number < 256
            assert all(finding.place.file == path.name for finding in error.findings)
        else:
            assert image.counts.size <= CAPS["max_pixels"]
    # all but what stands behind the pixels is needed
    assert cut >= 255 if name != "sif" else cut >= 254


@pytest.mark.parametrize("name", WRITERS)
def test_no_file(tmp_path, name):
    read = WRITERS[name][1]
    for path in (tmp_path / "none.sif", tmp_path):
        with pytest.raises(ImageError) as caught:
            read(path, **CAPS)
        assert caught.value.findings[0].rule == "image.missing"
