"""Images: what is written is valid and reads back; files of others read alike; hostile and broken ones are refused."""

import io
import math
import signal
import struct
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
import pytest
import tifffile

from lampyris.core.errors import ImageError, UnsafeFileError
from lampyris.core.images import RawImage
from lampyris.core.seeds import seed_sequence
from lampyris.io.durable import sha256_file
from lampyris.io.images.ome.tiff import ome_tiff_bytes, read_ome_tiff, write_ome_tiff

NAN = math.nan
COUNTS = np.random.default_rng(3).integers(0, 65536, (3, 20, 30), dtype=np.uint16)
IMAGE = RawImage(
    counts=COUNTS,
    channels=("800 nm", "850 µm", "<&>"),
    pixel_mm=0.21,
    exposure_s=(5.0, 0.05, 1e-6),
    excitation_nm=(660.0, 660.0, NAN),
    emission_nm=(800.0, 850.5, NAN),
    acquired="2025-03-09T14:30:00",
    synthetic=True,
)
FIELDS = ("channels", "pixel_mm", "exposure_s", "excitation_nm", "emission_nm", "acquired", "synthetic")


def encoded(counts: np.ndarray = COUNTS, **options: Any) -> bytes:
    description = options.pop("description", "")
    values: dict[str, Any] = {}
    if counts.shape[0] != 3:
        number = counts.shape[0]
        values |= {"channels": tuple(map(str, range(number)))}
        values |= {name: (1.0,) * number for name in ("exposure_s", "excitation_nm", "emission_nm")}
    return ome_tiff_bytes(replace(IMAGE, counts=counts, **(values | options)), description=description)


def read(path: Path, **caps: int) -> RawImage:
    return read_ome_tiff(path, **({"max_pixels": 100_000, "max_pages": 16, "max_bytes": 10_000_000} | caps))


def read_bytes(tmp_path: Path, data: bytes, **caps: int) -> RawImage:
    (tmp_path / "a.ome.tif").write_bytes(data)
    return read(tmp_path / "a.ome.tif", **caps)


def refusal(tmp_path: Path, data: bytes, **caps: int) -> ImageError:
    """The typed error that a file raises, its finding checked."""
    with pytest.raises(ImageError) as caught:
        read_bytes(tmp_path, data, **caps)
    (finding,) = caught.value.findings
    assert finding.place.file == "a.ome.tif"
    assert finding.rule.startswith("image.")
    assert finding.seen
    assert finding.mend
    return caught.value


def foreign(counts: np.ndarray, *, name: str = "a.tif", **options: Any) -> bytes:
    """The same pixels as another program writes them."""
    stream = io.BytesIO()
    with tifffile.TiffWriter(
        stream,
        byteorder=options.pop("byteorder", "<"),
        bigtiff=options.pop("bigtiff", False),
        ome=name.endswith("ome.tif"),
    ) as writer:
        writer.write(counts, photometric=options.pop("photometric", "minisblack"), **options)
    return stream.getvalue()


# writing


def test_reads_back_what_was_written(tmp_path: Path) -> None:
    write_ome_tiff(tmp_path / "a.ome.tif", IMAGE, description="simulated & drawn")
    back = read(tmp_path / "a.ome.tif")
    np.testing.assert_array_equal(back.counts, COUNTS)
    assert back.counts.dtype == np.uint16
    for name in FIELDS:
        # NaN differs from itself; its text does not
        assert repr(getattr(back, name)) == repr(getattr(IMAGE, name))


@pytest.mark.parametrize("dtype", ["u1", "u2", "u4", "f4", "f8"])
@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 5, 7), (4, 5, 7)])
def test_every_type_and_shape_reads_back(tmp_path: Path, dtype: str, shape: tuple[int, int, int]) -> None:
    counts = np.arange(math.prod(shape)).reshape(shape).astype(dtype)
    back = read_bytes(tmp_path, encoded(counts))
    np.testing.assert_array_equal(back.counts, counts)
    assert back.counts.dtype == np.dtype(dtype)


def test_same_image_same_bytes(tmp_path: Path) -> None:
    data = encoded()
    assert encoded(np.asfortranarray(COUNTS)) == data
    write_ome_tiff(tmp_path / "a.ome.tif", IMAGE)
    (tmp_path / "b.ome.tif").write_bytes(data)
    assert sha256_file(tmp_path / "a.ome.tif") == sha256_file(tmp_path / "b.ome.tif")


def test_other_readers_agree() -> None:
    with tifffile.TiffFile(io.BytesIO(encoded())) as tiff:
        assert tiff.is_ome
        np.testing.assert_array_equal(tiff.series[0].asarray(), COUNTS)
        assert tiff.series[0].axes == "CYX"
        image = tifffile.xml2dict(tiff.ome_metadata)["OME"]["Image"]
    assert image["Pixels"]["PhysicalSizeXUnit"] == "mm"
    assert image["Pixels"]["Plane"][1]["ExposureTime"] == 0.05
    assert image["Pixels"]["Channel"][1]["EmissionWavelength"] == 850.5
    assert image["AcquisitionDate"] == IMAGE.acquired


def test_synthetic_mark_is_there_only_when_asked_for(tmp_path: Path) -> None:
    plain = encoded(synthetic=False)
    assert b"synthetic" in encoded()
    assert b"synthetic" not in plain
    assert not read_bytes(tmp_path, plain).synthetic


def test_a_date_becomes_midnight(tmp_path: Path) -> None:
    assert read_bytes(tmp_path, encoded(acquired="2025-03-09")).acquired == "2025-03-09T00:00:00"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"channels": ("a", "b", "c\0")}, "control character"),
        ({"description": "\x1b[31m"}, "control character"),
        ({"acquired": "yesterday"}, "ISO 8601"),
        ({"pixel_mm": 0.0}, "no positive"),
        ({"exposure_s": (1.0, math.inf, 1.0)}, "no positive"),
        ({"exposure_s": (1.0,)}, "1 entries for 3 channels"),
    ],
)
def test_what_the_format_cannot_hold_is_refused(options: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        encoded(**options)
    with pytest.raises(ValueError, match="not in the format"):
        encoded(COUNTS.astype(np.int64))


# files of others

FORMS: dict[str, dict[str, Any]] = {
    "big endian": {"byteorder": ">"},
    "BigTIFF": {"bigtiff": True},
    "big endian BigTIFF": {"bigtiff": True, "byteorder": ">"},
    "strips": {"rowsperstrip": 7},
    "tiles": {"tile": (16, 16)},
    "deflate": {"compression": "zlib"},
    "deflate tiles, big endian": {"compression": "zlib", "tile": (16, 32), "byteorder": ">"},
}


@pytest.mark.parametrize("options", FORMS.values(), ids=FORMS.keys())
def test_plain_tiff_reads_without_metadata(tmp_path: Path, options: dict[str, Any]) -> None:
    back = read_bytes(tmp_path, foreign(COUNTS, metadata=None, **options))
    np.testing.assert_array_equal(back.counts, COUNTS)
    assert back.counts.dtype.isnative
    assert back.channels == ("0", "1", "2")
    assert all(map(math.isnan, (back.pixel_mm, *back.exposure_s, *back.excitation_nm, *back.emission_nm)))
    assert (back.acquired, back.synthetic) == ("", False)


def test_horizontal_prediction_is_undone(tmp_path: Path) -> None:
    counts = COUNTS[0, :4, :4]
    differences = np.diff(counts, axis=1, prepend=np.zeros((4, 1), np.uint16)).astype("<u2")
    tags = small(t317=(3, 1, 2))
    start = 8 + 2 + 12 * len(tags) + 4
    data = tiff(tags | {273: (4, 1, start)}, tail=differences.tobytes())
    np.testing.assert_array_equal(read_bytes(tmp_path, data).counts[0], counts)


@pytest.mark.parametrize("planar", ["contig", "separate"])
def test_colour_photograph_has_a_channel_per_colour(tmp_path: Path, planar: str) -> None:
    colour = COUNTS.astype(np.uint8)
    stored = np.moveaxis(colour, 0, -1) if planar == "contig" else colour
    data = foreign(stored, metadata=None, photometric="rgb", planarconfig=planar, rowsperstrip=6)
    back = read_bytes(tmp_path, data)
    np.testing.assert_array_equal(back.counts, colour)
    assert back.channels == ("0", "1", "2")


def test_thumbnails_are_left_out(tmp_path: Path) -> None:
    stream = io.BytesIO()
    with tifffile.TiffWriter(stream) as writer:
        writer.write(COUNTS[0], photometric="minisblack", metadata=None)
        writer.write(COUNTS[0, ::4, ::4], photometric="minisblack", metadata=None, subfiletype=1)
    np.testing.assert_array_equal(read_bytes(tmp_path, stream.getvalue()).counts, COUNTS[:1])


def test_ome_tiff_of_another_program_reads_with_its_units(tmp_path: Path) -> None:
    metadata = {
        "axes": "CYX",
        "PhysicalSizeX": 210.0,
        "PhysicalSizeXUnit": "µm",
        "PhysicalSizeY": 210.0,
        "PhysicalSizeYUnit": "µm",
        "Channel": {"Name": ["a", "b", "c"], "EmissionWavelength": [800, 850, 900]},
        "Plane": {"ExposureTime": [50.0, 60.0, 70.0], "ExposureTimeUnit": ["ms"] * 3},
    }
    back = read_bytes(tmp_path, foreign(COUNTS, name="a.ome.tif", metadata=metadata))
    np.testing.assert_array_equal(back.counts, COUNTS)
    assert back.channels == ("a", "b", "c")
    assert back.pixel_mm == pytest.approx(0.21, rel=1e-12)
    assert back.exposure_s == pytest.approx((0.05, 0.06, 0.07), rel=1e-12)
    assert back.emission_nm == (800.0, 850.0, 900.0)


def with_xml(change: Callable[[str], str], counts: np.ndarray = COUNTS) -> bytes:
    """A written image with its description changed."""
    with tifffile.TiffFile(io.BytesIO(encoded(counts))) as tiff:
        xml = tiff.pages[0].description
    return foreign(counts, metadata=None, description=change(xml).encode())


def test_planes_follow_their_channel_not_their_page(tmp_path: Path) -> None:
    def swap(xml: str) -> str:
        return xml.replace('IFD="0" FirstC="0"', 'IFD="0" FirstC="2"').replace(
            'IFD="2" FirstC="2"', 'IFD="2" FirstC="0"'
        )

    back = read_bytes(tmp_path, with_xml(swap))
    np.testing.assert_array_equal(back.counts, COUNTS[::-1])
    assert back.channels == IMAGE.channels


def test_renamed_file_knows_itself(tmp_path: Path) -> None:
    def name(file: str, uuid: str = "urn:uuid:1") -> Callable[[str], str]:
        return lambda xml: xml.replace("<OME ", '<OME UUID="urn:uuid:1" ').replace(
            'FirstC="0" PlaneCount="1" />',
            f'FirstC="0" PlaneCount="1"><UUID FileName="{file}">{uuid}</UUID></TiffData>',
        )

    assert read_bytes(tmp_path, with_xml(name("before.ome.tif"))).channels == IMAGE.channels
    assert read_bytes(tmp_path, with_xml(name("a.ome.tif", "urn:uuid:2"))).channels == IMAGE.channels
    error = refusal(tmp_path, with_xml(name("other.ome.tif", "urn:uuid:2")))
    assert isinstance(error, UnsafeFileError)


@pytest.mark.parametrize(
    "name", ["../outside.tif", "/outside.tif", "http://localhost/a.tif", "..\\outside.tif", "b.tif"]
)
def test_pixels_of_another_file_are_never_read(tmp_path: Path, name: str) -> None:
    (tmp_path / "study").mkdir()
    for outside in (tmp_path / "outside.tif", tmp_path / "study" / "b.tif"):
        outside.write_bytes(encoded(COUNTS + 1))
    tag = f'PlaneCount="1"><UUID FileName="{name}">urn:uuid:1</UUID></TiffData>'
    data = with_xml(lambda xml: xml.replace('PlaneCount="1" />', tag))
    error = refusal(tmp_path / "study", data)
    assert isinstance(error, UnsafeFileError)
    assert error.findings[0].rule == "image.other-file"


XML_FAULTS: dict[str, tuple[Callable[[str], str], str]] = {
    "doctype": (lambda xml: xml.replace("?>", '?><!DOCTYPE OME [<!ENTITY a "b">]>', 1), "image.doctype"),
    "outer entity": (lambda xml: xml.replace("?>", '?><!DOCTYPE a SYSTEM "file:///etc/passwd">', 1), "image.doctype"),
    "lower-case entity": (lambda xml: xml.replace("?>", '?><!entity a "b">', 1), "image.doctype"),
    "long": (lambda xml: xml.replace("</OME>", " " * 4_000_000 + "</OME>"), "image.metadata"),
    "cut": (lambda xml: xml[:-30], "image.metadata"),
    "deep": (lambda xml: xml.replace("</OME>", "<a>" * 100_000 + "</OME>"), "image.metadata"),
    "two images": (lambda xml: xml.replace("</Image>", '</Image><Image ID="Image:1" />'), "image.metadata"),
    "other size": (lambda xml: xml.replace('SizeX="30"', 'SizeX="31"'), "image.metadata"),
    "swapped axes": (lambda xml: xml.replace('SizeX="30" SizeY="20"', 'SizeX="20" SizeY="30"'), "image.metadata"),
    "huge size": (lambda xml: xml.replace('SizeX="30"', 'SizeX="999999999999"'), "image.metadata"),
    "negative size": (lambda xml: xml.replace('SizeX="30"', 'SizeX="-30"'), "image.metadata"),
    "times": (lambda xml: xml.replace('SizeT="1"', 'SizeT="3"'), "image.axes"),
    "depths": (lambda xml: xml.replace('SizeC="3" SizeZ="1"', 'SizeC="1" SizeZ="3"'), "image.axes"),
    "page twice": (lambda xml: xml.replace('IFD="1"', 'IFD="0"'), "image.metadata"),
    "page outside": (lambda xml: xml.replace('IFD="1"', 'IFD="7"'), "image.metadata"),
    "many planes": (lambda xml: xml.replace('PlaneCount="1"', 'PlaneCount="999999999"'), "image.metadata"),
    "exposure": (lambda xml: xml.replace('ExposureTime="5.0"', 'ExposureTime="nan"'), "image.metadata"),
    "negative pitch": (lambda xml: xml.replace('PhysicalSizeX="0.21"', 'PhysicalSizeX="-0.21"'), "image.metadata"),
    "oblong pixels": (lambda xml: xml.replace('PhysicalSizeX="0.21"', 'PhysicalSizeX="0.42"'), "image.pixel-size"),
    "same names": (lambda xml: xml.replace('Name="&lt;&amp;&gt;"', 'Name="800 nm"'), "image.channels"),
}


@pytest.mark.parametrize(("change", "rule"), XML_FAULTS.values(), ids=XML_FAULTS.keys())
def test_faulty_description_is_refused(tmp_path: Path, change: Callable[[str], str], rule: str) -> None:
    assert refusal(tmp_path, with_xml(change)).findings[0].rule == rule


def test_unknown_units_are_not_guessed(tmp_path: Path) -> None:
    back = read_bytes(tmp_path, with_xml(lambda xml: xml.replace('Unit="mm"', 'Unit="pixel"')))
    assert math.isnan(back.pixel_mm)


# hostile and broken files


def tiff(tags: dict[int, tuple[int, int, int]], *, following: int = 0, tail: bytes = b"") -> bytes:
    """A classic little-endian TIFF of one directory; each tag is (type, count, value or offset)."""
    entries = b"".join(struct.pack("<HHII", code, *tags[code]) for code in sorted(tags))
    return struct.pack("<2sHIH", b"II", 42, 8, len(tags)) + entries + struct.pack("<I", following) + tail


def small(**changes: tuple[int, int, int]) -> dict[int, tuple[int, int, int]]:
    """Tags of a 4 x 4 image of 16 bits whose pixels stand at byte 8."""
    tags = {256: (4, 1, 4), 257: (4, 1, 4), 258: (3, 1, 16), 259: (3, 1, 1), 262: (3, 1, 1), 273: (4, 1, 8),
            277: (3, 1, 1), 278: (4, 1, 4), 279: (4, 1, 32)}  # fmt: skip
    return tags | {int(name[1:]): value for name, value in changes.items()}


def test_the_small_file_is_good(tmp_path: Path) -> None:
    assert read_bytes(tmp_path, tiff(small())).counts.shape == (1, 4, 4)


BROKEN: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "image.empty"),
    "text": (b"not an image at all", "image.header"),
    "two bytes": (b"II", "image.header"),
    "wrong magic": (b"II\x2b\x01" + bytes(20), "image.header"),
    "damaged BigTIFF": (b"II\x2b\x00\x04\x00\x00\x00" + bytes(20), "image.header"),
    "no directory": (b"II\x2a\x00" + bytes(4), "image.empty"),
    "directory outside": (b"II\x2a\x00\xff\xff\xff\x7f", "image.truncated"),
    "BigTIFF directory outside": (b"MM\x00\x2b\x00\x08\x00\x00" + b"\xff" * 8, "image.truncated"),
    "no tags": (tiff({}), "image.header"),
    "no width": (tiff({code: tag for code, tag in small().items() if code != 256}), "image.header"),
    "no pixels": (tiff({code: tag for code, tag in small().items() if code != 273}), "image.truncated"),
    "zero height": (tiff(small(t257=(4, 1, 0))), "image.empty"),
    "zero samples": (tiff(small(t277=(3, 1, 0))), "image.empty"),
    "zero rows per strip": (tiff(small(t278=(4, 1, 0))), "image.header"),
    "zero tile": (tiff(small(t322=(4, 1, 0), t323=(4, 1, 16))), "image.header"),
    "pixels outside": (tiff(small(t273=(4, 1, 5000))), "image.truncated"),
    "offset at the end of counting": (tiff(small(t273=(4, 1, 0xFFFFFFFF))), "image.truncated"),
    "count beyond the end": (tiff(small(t279=(4, 1, 0xFFFFFFFF))), "image.truncated"),
    "fewer bytes than pixels": (tiff(small(t279=(4, 1, 31))), "image.truncated"),
    "list of offsets outside": (tiff(small(t273=(4, 0xFFFFFFFF, 8))), "image.truncated"),
    "text as offset": (tiff(small(t273=(2, 1, 8))), "image.truncated"),
    "float as width": (tiff(small(t256=(11, 1, 0x7FC00000))), "image.header"),
    "negative width": (tiff(small(t256=(9, 1, 0xFFFFFFFF))), "image.header"),
    "signed": (tiff(small(t339=(3, 1, 2))), "image.dtype"),
    "complex": (tiff(small(t339=(3, 1, 5))), "image.dtype"),
    "12 bits": (tiff(small(t258=(3, 1, 12))), "image.dtype"),
    "half float": (tiff(small(t339=(3, 1, 3))), "image.dtype"),
    "text as bits": (tiff(small(t258=(2, 1, 65))), "image.dtype"),
    "palette": (tiff(small(t262=(3, 1, 3))), "image.dtype"),
    "inverted": (tiff(small(t262=(3, 1, 0))), "image.dtype"),
    "reversed bits": (tiff(small(t266=(3, 1, 2))), "image.dtype"),
    "JPEG": (tiff(small(t259=(3, 1, 7))), "image.compression"),
    "float prediction": (tiff(small(t317=(3, 1, 3))), "image.compression"),
    "no deflate stream": (tiff(small(t259=(3, 1, 8))), "image.truncated"),
}


@pytest.mark.parametrize(("data", "rule"), BROKEN.values(), ids=BROKEN.keys())
def test_broken_file_is_refused(tmp_path: Path, data: bytes, rule: str) -> None:
    assert refusal(tmp_path, data).findings[0].rule == rule


def bomb(width: int, height: int, compressed: bytes) -> bytes:
    """A Deflate image that expands to what its size declares."""
    start = 8 + 2 + 12 * 9 + 4
    tags = small(t256=(4, 1, width), t257=(4, 1, height), t258=(3, 1, 8), t259=(3, 1, 8), t278=(4, 1, height),
                 t273=(4, 1, start), t279=(4, 1, len(compressed)))  # fmt: skip
    return tiff(tags, tail=compressed)


BLANK = zlib.compress(bytes(4_000_000), 9)
GIANT = small(t256=(4, 1, 200_000), t257=(4, 1, 200_000))
LARGEST = small(t256=(4, 1, 0xFFFFFFFF), t257=(4, 1, 0xFFFFFFFF))
PADDED = small(t322=(4, 1, 1 << 20), t323=(4, 1, 1 << 20), t324=(4, 1, 8), t325=(4, 1, 32))
SHARED = small(t257=(4, 1, 8), t273=(4, 2, 122), t279=(4, 2, 130))
UNSAFE: dict[str, tuple[bytes, dict[str, int], str]] = {
    "74 GiB in 139 bytes": (tiff(GIANT), {}, "image.pixels"),
    "all bits set": (tiff(LARGEST), {"max_pixels": 1 << 70}, "image.segments"),
    "samples": (tiff(small(t277=(3, 1, 65535))), {}, "image.pixels"),
    "circle": (tiff(small(), following=8), {}, "image.loop"),
    "pages": (encoded(np.ones((5, 2, 2), np.uint16)), {"max_pages": 4}, "image.pages"),
    "pixels of all pages": (encoded(), {"max_pixels": COUNTS.size - 1}, "image.pixels"),
    "tags": (b"II\x2a\x00\x08\x00\x00\x00\xff\xff" + bytes(70_000 * 12), {}, "image.tags"),
    "bomb": (bomb(2000, 2000, BLANK), {"max_pixels": 10**8}, "image.expansion"),
    "tile padding": (tiff(PADDED), {}, "image.pixels"),
    "shared pixels": (tiff(SHARED, tail=struct.pack("<4I", 8, 8, 100, 100)), {}, "image.expansion"),
}


@pytest.mark.parametrize(("data", "caps", "rule"), UNSAFE.values(), ids=UNSAFE.keys())
def test_unsafe_file_is_refused_before_decoding(tmp_path: Path, data: bytes, caps: dict[str, int], rule: str) -> None:
    tracemalloc.start()
    try:
        error = refusal(tmp_path, data, **caps)
        # the file itself, its tags and messages; nothing of the declared size
        assert tracemalloc.get_traced_memory()[1] < 2 * len(data) + 1_000_000
    finally:
        tracemalloc.stop()
    assert isinstance(error, UnsafeFileError)
    assert error.findings[0].rule == rule


def test_stream_longer_than_declared_stops_at_the_declared_size(tmp_path: Path) -> None:
    (tmp_path / "a.ome.tif").write_bytes(bomb(10, 10, BLANK))
    tracemalloc.start()
    try:
        assert read(tmp_path / "a.ome.tif").counts.shape == (1, 10, 10)
        assert tracemalloc.get_traced_memory()[1] < 500_000
    finally:
        tracemalloc.stop()


def test_file_above_its_cap_is_not_read(tmp_path: Path) -> None:
    assert refusal(tmp_path, encoded(), max_bytes=1000).findings[0].rule == "image.size"


def test_mixed_pages_are_refused(tmp_path: Path) -> None:
    stream = io.BytesIO()
    with tifffile.TiffWriter(stream) as writer:
        for counts in (COUNTS[0], COUNTS[0, :5]):
            writer.write(counts, photometric="minisblack", metadata=None)
    assert refusal(tmp_path, stream.getvalue()).findings[0].rule == "image.mixed"


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_not_finite_pixels_are_counted(tmp_path: Path, bad: float) -> None:
    counts = COUNTS.astype(np.float32)
    counts[1, 2, 3:5] = bad
    error = refusal(tmp_path, encoded(counts))
    assert error.findings[0].rule == "image.not-finite"
    assert "2 pixels" in error.findings[0].seen


def test_missing_file_and_directory(tmp_path: Path) -> None:
    for path in (tmp_path / "none.tif", tmp_path):
        with pytest.raises(ImageError) as caught:
            read_ome_tiff(path, max_pixels=1, max_pages=1, max_bytes=1, file="raw/none.tif")
        assert caught.value.findings[0].place.file == "raw/none.tif"


# truncation and mutation


@contextmanager
def within(seconds: int) -> Iterator[None]:
    """Raise where a call hangs: the bound is the requirement, far above what a call takes."""

    def hang(number: int, frame: FrameType | None) -> None:
        raise TimeoutError(f"{number}: over {seconds} s at {frame}")

    before = signal.signal(signal.SIGALRM, hang)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def check_outcome(path: Path) -> bool:
    """Read a damaged file: a typed error with its finding, or a valid image. True where it was read."""
    with within(10):
        try:
            image = read(path)
        except ImageError as error:
            assert error.findings[0].place.file == path.name
            return False
    assert image.counts.dtype.kind in "uf"
    assert image.counts.size <= 100_000
    assert np.isfinite(image.counts).all()
    return True


CORPUS = {
    "own": encoded(COUNTS[:, :8, :8]),
    "deflate": foreign(COUNTS[:, :8, :8], metadata=None, compression="zlib", rowsperstrip=4),
    "tiled big endian BigTIFF": foreign(COUNTS[0, :8, :8], bigtiff=True, byteorder=">", tile=(16, 16), metadata=None),
    "float": encoded(COUNTS[:1, :8, :8].astype(np.float32)),
}


@pytest.mark.parametrize("name", CORPUS)
def test_truncated_file_is_never_read(tmp_path: Path, name: str, capfd: pytest.CaptureFixture[str]) -> None:
    data = CORPUS[name]
    for size in np.linspace(0, len(data) - 1, 256).astype(int):
        (tmp_path / "a.tif").write_bytes(data[:size])
        was_read = check_outcome(tmp_path / "a.tif")
        # only bytes that belong to no page may be missing
        assert not was_read or size >= end_of_pages(data)
    assert capfd.readouterr() == ("", "")


def end_of_pages(data: bytes) -> int:
    """Where the last byte stands that any page of a good file uses."""
    with tifffile.TiffFile(io.BytesIO(data)) as good:
        ends = [
            offset + count
            for page in good.pages
            for offset, count in zip(page.dataoffsets, page.databytecounts, strict=True)
        ]
        ends += [
            page.offset + (8 + 20 * len(page.tags) + 8 if good.is_bigtiff else 2 + 12 * len(page.tags) + 4)
            for page in good.pages
        ]
        ends += [
            tag.valueoffset + tag.valuebytecount
            for page in good.pages
            for tag in page.tags
            if tag.code not in (282, 283)
        ]
    return max(ends)  # fmt: skip


def mutate(tmp_path: Path, number: int) -> int:
    """Read `number` randomly damaged files; how many were read as an image all the same."""
    rng = np.random.default_rng(seed_sequence("tests", "tiff-mutations"))
    survived = 0
    for turn in range(number):
        data = bytearray(list(CORPUS.values())[turn % len(CORPUS)])
        # a few bytes changed, half of the time to values that stand for limits
        for position in rng.integers(0, len(data), rng.integers(1, 6)):
            data[position] = rng.choice([0, 1, 127, 128, 255]) if rng.random() < 0.5 else rng.integers(256)
        (tmp_path / "a.tif").write_bytes(data)
        survived += check_outcome(tmp_path / "a.tif")
    return survived


def test_mutated_files(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert 0 < mutate(tmp_path, 400) < 400
    assert capfd.readouterr() == ("", "")


@pytest.mark.slow
def test_many_mutated_files(tmp_path: Path) -> None:
    assert 0 < mutate(tmp_path, 5000) < 5000
