"""Micrographs as microscopes write them: pixels and scale, an independent reader, and whatever bytes come."""

import io
import struct

import numpy as np
import pytest

from lampyris.core.errors import ImageError
from lampyris.io.images.conformance import check_text_reader
from lampyris.io.instruments.micrographs import read_micrograph
from lampyris.virtual.instruments.micrographs import dm_bytes, tiff_bytes

PIXELS = np.random.default_rng(3).integers(0, 60000, (18, 21)).astype(np.uint16)
PIXEL_NM = 0.25


def mrc_bytes(pixels, pixel_nm, mode=6, sections=1):
    head = bytearray(1024)
    rows, columns = pixels.shape
    struct.pack_into("<4i", head, 0, columns, rows, sections, mode)
    struct.pack_into("<3i", head, 28, columns, rows, sections)
    struct.pack_into("<3f", head, 40, 10 * pixel_nm * columns, 10 * pixel_nm * rows, 1.0)
    head[208:216] = b"MAP DD\0\0"
    return bytes(head) + pixels[::-1].tobytes() * sections


def picture_bytes(pixels, kind):
    from PIL import Image

    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, kind)
    return stream.getvalue()


FILES = {
    "ImageJ": ("a.tif", tiff_bytes(PIXELS, PIXEL_NM, "imagej"), "ImageJ's unit and resolution"),
    "FEI": ("a.tif", tiff_bytes(PIXELS, PIXEL_NM, "fei"), "tag 34682 (FEI)"),
    "Zeiss": ("a.tif", tiff_bytes(PIXELS, PIXEL_NM, "zeiss"), "tag 34118 (Zeiss)"),
    "DigitalMicrograph's TIFF": (
        "a.tif", tiff_bytes(PIXELS, PIXEL_NM, "digital_micrograph"), "tag 65009 (DigitalMicrograph)"
    ),
    "DM3": ("a.dm3", dm_bytes(PIXELS, PIXEL_NM, version=3), "calibration of the file"),
    "DM4": ("a.dm4", dm_bytes(PIXELS, PIXEL_NM, version=4), "calibration of the file"),
    "MRC": ("a.mrc", mrc_bytes(PIXELS, PIXEL_NM), "cell of the header"),
}  # fmt: skip


@pytest.mark.parametrize(("name", "data", "source"), FILES.values(), ids=FILES.keys())
def test_pixels_and_scale_come_back(tmp_path, name, data, source):
    (tmp_path / name).write_bytes(data)
    found = read_micrograph(tmp_path / name)
    np.testing.assert_array_equal(found.pixels, PIXELS)
    # single precision holds the scale to 1e-7
    assert found.pixel_nm == pytest.approx(PIXEL_NM, rel=1e-6)
    assert found.scale_source == source


KINDS = {np.dtype(kind).name: kind for kind in (np.uint8, np.int16, np.int32, np.float32)}


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS.keys())
def test_an_independent_reader_agrees(tmp_path, kind):
    from rsciio.digitalmicrograph import file_reader

    pixels = (PIXELS // 300).astype(kind)
    for version in (3, 4):
        path = tmp_path / f"a.dm{version}"
        path.write_bytes(dm_bytes(pixels, PIXEL_NM, version=version))
        (theirs,) = file_reader(str(path))
        ours = read_micrograph(path)
        np.testing.assert_array_equal(ours.pixels, theirs["data"])
        assert ours.pixel_nm == pytest.approx(theirs["axes"][0]["scale"], rel=1e-6)


def test_text_files_beside_the_picture_tell_the_scale(tmp_path):
    (tmp_path / "a.tif").write_bytes(tiff_bytes(PIXELS, PIXEL_NM, "plain"))
    assert np.isnan(read_micrograph(tmp_path / "a.tif").pixel_nm)
    (tmp_path / "a.txt").write_text("[SemImageFile]\nPixelSize=0.4961\n")
    assert read_micrograph(tmp_path / "a.tif").pixel_nm == 0.4961
    (tmp_path / "a.txt").write_text("$CM_MAG 100000\n$$SM_MICRON_BAR 200\n$$SM_MICRON_MARKER 0.1um\n")
    assert read_micrograph(tmp_path / "a.tif").pixel_nm == pytest.approx(0.5)


def written_tiff(tmp_path, array, **options):
    import tifffile

    tifffile.imwrite(tmp_path / "a.tif", array, metadata=None, **options)
    return tmp_path / "a.tif"


def test_other_ways_to_store_grey(tmp_path):
    eight = (PIXELS // 256).astype(np.uint8)
    ramp = np.repeat(np.arange(256, dtype=np.uint16)[None] * 257, 3, axis=0)
    path = written_tiff(tmp_path, eight, photometric="palette", colormap=ramp)
    np.testing.assert_array_equal(read_micrograph(path).pixels, eight)
    path = written_tiff(tmp_path, eight, photometric="miniswhite")
    np.testing.assert_array_equal(read_micrograph(path).pixels, 255 - eight)
    path = written_tiff(tmp_path, np.repeat(eight[..., None], 3, axis=2), photometric="rgb")
    np.testing.assert_array_equal(read_micrograph(path).pixels, eight)
    # what is above 32767 becomes negative
    signed = PIXELS.astype(np.int16)
    path = written_tiff(tmp_path, signed, photometric="minisblack")
    np.testing.assert_array_equal(read_micrograph(path).pixels, signed)


def test_pictures_without_scale(tmp_path):
    eight = (PIXELS // 256).astype(np.uint8)
    (tmp_path / "a.png").write_bytes(picture_bytes(eight, "png"))
    found = read_micrograph(tmp_path / "a.png")
    np.testing.assert_array_equal(found.pixels, eight)
    assert np.isnan(found.pixel_nm)
    (tmp_path / "a.jpg").write_bytes(picture_bytes(eight, "jpeg"))
    assert read_micrograph(tmp_path / "a.jpg").words["lossy"] == "JPEG"


REFUSED = {
    "several pages": (np.stack([PIXELS, PIXELS]), {"photometric": "minisblack"}, "micrograph.pages", "--page"),
    "colour": (
        np.random.default_rng(1).integers(0, 255, (18, 21, 3)).astype(np.uint8), {"photometric": "rgb"},
        "micrograph.colour", "grey",
    ),
    "a thumbnail": (PIXELS[:10], {}, "micrograph.small", "thumbnail"),
    "no numbers": (np.full((18, 21), np.nan, np.float32), {}, "micrograph.not-finite", "raw"),
}  # fmt: skip


@pytest.mark.parametrize(("array", "options", "rule", "mend"), REFUSED.values(), ids=REFUSED.keys())
def test_refused_with_a_mend(tmp_path, array, options, rule, mend):
    path = written_tiff(tmp_path, array, **options)
    with pytest.raises(ImageError) as caught:
        read_micrograph(path)
    (finding,) = caught.value.findings
    assert finding.rule == rule
    assert mend in finding.mend
    if rule == "micrograph.pages":
        np.testing.assert_array_equal(read_micrograph(path, page=2).pixels, PIXELS)


def test_a_file_of_no_known_kind_is_refused(tmp_path):
    (tmp_path / "a.svg").write_text("<svg/>")
    with pytest.raises(ImageError) as caught:
        read_micrograph(tmp_path / "a.svg")
    assert caught.value.findings[0].rule == "micrograph.format"
    with pytest.raises(ImageError, match="is a folder"):
        read_micrograph(tmp_path)


SMALL = PIXELS[:16, :16]
BYTES = {
    "tif": tiff_bytes(SMALL, PIXEL_NM, "fei"),
    "dm3": dm_bytes(SMALL, PIXEL_NM, version=3),
    "dm4": dm_bytes(SMALL, PIXEL_NM, version=4),
    "mrc": mrc_bytes(SMALL, PIXEL_NM),
    "png": picture_bytes((SMALL // 256).astype(np.uint8), "png"),
    "jpg": picture_bytes((SMALL // 256).astype(np.uint8), "jpeg"),
}


@pytest.mark.parametrize("ending", BYTES)
def test_whatever_bytes_come(tmp_path, ending):
    path = tmp_path / f"a.{ending}"
    path.write_bytes(BYTES[ending])
    if ending in ("png", "jpg"):
        # its plugins are loaded before memory is limited
        read_micrograph(path)
    report = check_text_reader(
        lambda p, file: read_micrograph(p, max_bytes=10**7, file=file), path, truncations=256, mutations=1000, seed=1
    )
    assert report.passed, str(report)
