"""OME-Zarr as raw input: what other programs write reads as it is, and what is lost, damaged or hostile is an error.

The folders are synthetic; zarr-python writes them, and yaozarrs judges our own.
"""

import json
import math
import os
import shutil
import zlib

import numpy as np
import pytest
import zarr
from zarr.codecs import BloscCodec, BytesCodec, Crc32cCodec, GzipCodec, TransposeCodec, ZstdCodec

from lampyris.core.errors import ImageError, LampyrisError, UnsafeFileError
from lampyris.core.images import RawImage
from lampyris.io.images.ome.zarr_image import ome_zarr_files, read_ome_zarr_image, write_ome_zarr_image

RNG = np.random.default_rng(3)
COUNTS = RNG.integers(90, 40000, (2, 50, 60)).astype(np.uint16)
IMAGE = RawImage(
    counts=COUNTS,
    channels=("780", "b & 820"),
    pixel_mm=0.2,
    exposure_s=(1.0, 2.5),
    excitation_nm=(745.0, 745.0),
    emission_nm=(780.0, math.nan),
    acquired="2026-03-09T14:30:00",
    synthetic=True,
    radiance_per_count_rate=(2.5e7, 3e7),
    labels={"animal": "m01", "view": "dorsal"},
)
CAPS = {"max_pixels": 10_000, "max_pages": 8, "max_bytes": 2_000_000}
AXES = {"t": "time", "c": "channel", "z": "space", "y": "space", "x": "space"}


def read(path, **changes):
    return read_ome_zarr_image(path, **{**CAPS, **changes})


def described(axes="cyx", *, version="0.5", scale=None, units=None, labels=("780", "820"), **more):
    """What a program says of an image."""
    units = units or {"y": "micrometer", "x": "micrometer"}
    listed = [{"name": axis, "type": AXES[axis], **({"unit": units[axis]} if axis in units else {})} for axis in axes]
    steps = [{"type": "scale", "scale": scale or [100.0 if axis in "yx" else 1.0 for axis in axes]}]
    scales = {"name": "x", "axes": listed, "datasets": [{"path": "0", "coordinateTransformations": steps}], **more}
    omero = {"channels": [{"label": label, "color": "FFFFFF", "window": {}} for label in labels]}
    if version == "0.5":
        return {"ome": {"version": "0.5", "multiscales": [scales], "omero": omero}}
    return {"multiscales": [{"version": version, **scales}], "omero": omero}


def foreign(path, counts=COUNTS, *, axes="cyx", zarr_format=3, attributes=None, **array):
    """An image as zarr-python writes it."""
    attributes = attributes or described(axes, version={2: "0.4", 3: "0.5"}[zarr_format])
    group = zarr.open_group(path, mode="w", zarr_format=zarr_format, attributes=attributes)
    array = {"shape": counts.shape, "chunks": (*[1] * (len(axes) - 2), 16, 32), "dtype": counts.dtype, **array}
    group.create_array("0", **array)[...] = counts
    return path


def rule_of(error):
    (finding,) = error.value.findings
    assert finding.mend
    return finding.rule


@pytest.mark.parametrize("version", ["0.4", "0.5"])
@pytest.mark.parametrize("dtype", ["u1", "u2", "u4", "f4", "f8"])
def test_reads_back_what_was_written(tmp_path, version, dtype):
    counts = COUNTS.astype(dtype)
    image = RawImage(**{**{name: getattr(IMAGE, name) for name in IMAGE.__dataclass_fields__}, "counts": counts})
    write_ome_zarr_image(tmp_path / "m01.ome.zarr", image, version=version)
    back = read(tmp_path / "m01.ome.zarr")
    np.testing.assert_array_equal(back.counts, counts)
    assert back.counts.dtype == counts.dtype
    for name in set(IMAGE.__dataclass_fields__) - {"counts", "emission_nm", "photo_pixel_mm"}:
        assert getattr(back, name) == getattr(IMAGE, name), name
    np.testing.assert_array_equal(back.emission_nm, IMAGE.emission_nm)
    group = zarr.open_group(tmp_path / "m01.ome.zarr", mode="r")
    np.testing.assert_array_equal(group["0"][...], counts)


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_another_program_finds_it_valid(tmp_path, version):
    yaozarrs = pytest.importorskip("yaozarrs", reason="yaozarrs is not installed")
    write_ome_zarr_image(tmp_path / "m01.ome.zarr", IMAGE, version=version)
    path = tmp_path / "m01.ome.zarr"
    yaozarrs.validate_zarr_store(path)
    document = json.loads((path / {"0.4": ".zattrs", "0.5": "zarr.json"}[version]).read_bytes())
    found = yaozarrs.validate_ome_object(document if version == "0.4" else document["attributes"]["ome"])
    assert [axis.name for axis in found.multiscales[0].axes] == ["c", "y", "x"]


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_same_bytes_and_nothing_unknown_is_written(version):
    bare = RawImage(COUNTS, ("a", "b"), math.nan, (math.nan,) * 2, (math.nan,) * 2, (math.nan,) * 2)
    files = ome_zarr_files(bare, version=version)
    unknown = (math.nan, math.nan)
    turned = RawImage(np.asfortranarray(COUNTS), ("a", "b"), math.nan, unknown, unknown, unknown)
    assert files == ome_zarr_files(turned, version=version)
    text = files[".zattrs" if version == "0.4" else "zarr.json"].decode()
    assert all(word not in text for word in ("exposure_s", "unit", "synthetic", "NaN"))
    assert len(files) == {"0.4": 5, "0.5": 4}[version]


@pytest.mark.parametrize(("version", "counts"), [("0.3", COUNTS), ("0.5", COUNTS.astype("i2")), ("0.4", COUNTS[:, :0])])
def test_what_the_format_cannot_hold_is_refused(version, counts):
    image = RawImage(counts, ("a", "b"), 0.1, (1.0, 1.0), (1.0, 1.0), (1.0, 1.0))
    with pytest.raises(ValueError, match=r"version is|not in the format"):
        ome_zarr_files(image, version=version)


FOREIGN = {
    "3, default": {},
    "3, blosc lz4": {"compressors": BloscCodec(cname="lz4")},
    "3, blosc zstd, bits shuffled": {"compressors": BloscCodec(cname="zstd", shuffle="bitshuffle")},
    "3, gzip": {"compressors": GzipCodec(level=3)},
    "3, zstd with checksum": {"compressors": ZstdCodec(level=3, checksum=True)},
    "3, crc32c over zstd": {"compressors": [ZstdCodec(), Crc32cCodec()]},
    "3, crc32c under zstd": {"compressors": [Crc32cCodec(), ZstdCodec()]},
    "3, none": {"compressors": None},
    "3, big endian": {"serializer": BytesCodec(endian="big"), "compressors": None},
    "3, transposed": {"filters": [TransposeCodec(order=(2, 0, 1))]},
    "3, dots": {"chunk_key_encoding": {"name": "default", "separator": "."}},
    "3, names of version 2": {"chunk_key_encoding": {"name": "v2", "separator": "."}},
    "3, shards": {"shards": (1, 64, 64)},
    "3, shards of all channels, compressed": {"shards": (2, 32, 64), "compressors": BloscCodec(cname="lz4")},
    "2, default": {"zarr_format": 2},
    "2, slashes": {"zarr_format": 2, "chunk_key_encoding": {"name": "v2", "separator": "/"}},
    "2, big endian": {"zarr_format": 2, "dtype": ">u2"},
    "2, none, Fortran order": {"zarr_format": 2, "compressors": None, "order": "F"},
    "2, one chunk": {"zarr_format": 2, "chunks": COUNTS.shape},
}
V2 = ["zlib", "gzip", "bz2", "lz4", "zstd", "blosc"]


@pytest.mark.filterwarnings("ignore:.*order.*:")
@pytest.mark.parametrize("case", FOREIGN)
def test_reads_what_zarr_python_writes(tmp_path, case):
    path = foreign(tmp_path / "x.ome.zarr", **FOREIGN[case])
    back = read(path)
    np.testing.assert_array_equal(back.counts, COUNTS)
    assert back.counts.dtype == np.uint16
    assert (back.channels, back.pixel_mm) == (("780", "820"), pytest.approx(0.1))
    assert np.isnan(back.exposure_s).all()


@pytest.mark.parametrize("codec", V2)
def test_reads_every_compressor_of_version_2(tmp_path, codec):
    import numcodecs

    path = foreign(tmp_path / "x.zarr", zarr_format=2, compressors=numcodecs.get_codec({"id": codec}))
    np.testing.assert_array_equal(read(path).counts, COUNTS)


@pytest.mark.parametrize("size", [0, 1, 2, 3, 31, 255, 256, 1000, 65_537])
def test_crc32c_is_the_usual_one(size):
    import google_crc32c

    from lampyris.io.images.crc import crc32c

    data = RNG.bytes(size)
    assert crc32c(data) == google_crc32c.value(data)


def test_reads_a_zstandard_frame_that_does_not_say_its_size(tmp_path):
    """As streaming writers make it."""
    import pyarrow

    path = foreign(tmp_path / "x.zarr", chunks=COUNTS.shape)
    sink = pyarrow.BufferOutputStream()
    with pyarrow.CompressedOutputStream(sink, "zstd") as stream:
        stream.write(COUNTS.tobytes())
    (path / "0/c/0/0/0").write_bytes(sink.getvalue().to_pybytes())
    np.testing.assert_array_equal(read(path).counts, COUNTS)
    (path / "0/c/0/0/0").write_bytes(sink.getvalue().to_pybytes()[:-300])
    with pytest.raises(ImageError):
        read(path)


@pytest.mark.parametrize(
    ("axes", "shape"), [("tczyx", (1, 2, 1, 50, 60)), ("czyx", (2, 1, 50, 60)), ("zyx", (1, 50, 60)), ("yx", (50, 60))]
)
def test_axes(tmp_path, axes, shape):
    counts = COUNTS.ravel()[: math.prod(shape)].reshape(shape)
    labels = ("780", "820") if "c" in axes else ("780",)
    path = foreign(tmp_path / "x.zarr", counts, axes=axes, attributes=described(axes, labels=labels))
    back = read(path)
    np.testing.assert_array_equal(back.counts, counts.reshape(-1, 50, 60))
    assert back.channels == labels


def test_layout_of_bioformats2raw(tmp_path):
    """A group of groups, its image in 0, with an OME-XML beside it that tells exposures."""
    from lampyris.io.images.ome.xml import ome_description

    for zarr_format, bare in (
        (2, {"bioformats2raw.layout": 3}),
        (3, {"ome": {"version": "0.5", "bioformats2raw.layout": 3}}),
    ):
        path = tmp_path / f"{zarr_format}.zarr"
        zarr.open_group(path, mode="w", zarr_format=zarr_format, attributes=bare)
        attributes = described("tczyx", version={2: "0.4", 3: "0.5"}[zarr_format])
        foreign(path / "0", COUNTS[None, :, None], axes="tczyx", zarr_format=zarr_format, attributes=attributes)
        (path / "OME").mkdir(exist_ok=True)
        (path / "OME/METADATA.ome.xml").write_text(ome_description(IMAGE))
        back = read(path)
        np.testing.assert_array_equal(back.counts, COUNTS)
        assert (back.exposure_s, back.channels, back.synthetic) == ((1.0, 2.5), ("780", "820"), True)
        assert back.pixel_mm == pytest.approx(0.1)
        shutil.copytree(path / "0", path / "1")
        with pytest.raises(ImageError, match="several images"):
            read(path)


@pytest.mark.parametrize(
    ("units", "scale", "pixel_mm"),
    [
        ({"y": "millimeter", "x": "millimeter"}, [1.0, 0.2, 0.2], 0.2),
        ({"y": "nanometer", "x": "micrometer"}, [1.0, 5e4, 50.0], 0.05),
        ({"y": "millimeter"}, [1.0, 0.2, 0.2], math.nan),
        ({"c": "x"}, [1.0, 0.2, 0.2], math.nan),
        ({"y": "parsec", "x": "parsec"}, [1.0, 0.2, 0.2], math.nan),
    ],
)
def test_pixel_pitch(tmp_path, units, scale, pixel_mm):
    path = foreign(tmp_path / "x.zarr", attributes=described(units=units, scale=scale))
    assert read(path).pixel_mm == pytest.approx(pixel_mm, nan_ok=True)


def test_scalings_of_level_and_image_multiply(tmp_path):
    outer = {"coordinateTransformations": [{"type": "scale", "scale": [1.0, 2.0, 2.0]}]}
    assert read(foreign(tmp_path / "x.zarr", attributes=described(**outer))).pixel_mm == pytest.approx(0.2)


def test_signed_numbers_without_a_negative_are_counts(tmp_path):
    counts = COUNTS.astype("i4")
    assert read(foreign(tmp_path / "a.zarr", counts)).counts.dtype == np.uint32
    counts[0, 0, 0] = -1
    with pytest.raises(ImageError) as caught:
        read(foreign(tmp_path / "b.zarr", counts))
    assert rule_of(caught) == "image.dtype"


BAD = {
    "anisotropic": (described(scale=[1.0, 100.0, 200.0]), "image.pixel-size"),
    "several times": (described("tyx", labels=("780",)), "image.axes"),
    "several depths": (described("zyx"), "image.axes"),
    "axes turned": (described("cxy"), "image.metadata"),
    "two axes": (described("yx"), "image.metadata"),
    "one name twice": (described(labels=("a", "a")), "image.channels"),
    "a name too many": (described(labels=("a", "b", "c")), "image.metadata"),
    "later version": (described(version="0.6"), "image.metadata"),
    "no multiscales": ({"ome": {"version": "0.5"}}, "image.metadata"),
    "a plate": ({"ome": {"version": "0.5", "plate": {}}}, "image.metadata"),
    "negative scale": (described(scale=[1.0, -100.0, -100.0]), "image.metadata"),
    "rotated": (described(coordinateTransformations=[{"type": "rotation"}]), "image.metadata"),
    "multiscales a text": ({"ome": {"version": "0.5", "multiscales": "x"}}, "image.metadata"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_does_not_fit_is_refused(tmp_path, case):
    attributes, rule = BAD[case]
    path = foreign(tmp_path / "x.zarr", attributes=attributes)
    with pytest.raises(ImageError) as caught:
        read(path)
    assert rule_of(caught) == rule


@pytest.mark.parametrize("zarr_format", [2, 3])
def test_a_missing_chunk_is_an_error_unless_declared(tmp_path, zarr_format):
    counts = COUNTS.copy()
    counts[1, :16, :32] = 0
    # what zarr-python leaves out by default, as it equals the fill value
    path = foreign(tmp_path / "x.zarr", counts, zarr_format=zarr_format)
    with pytest.raises(ImageError) as caught:
        read(path)
    assert rule_of(caught) == "image.chunk-missing"
    assert "sparse" in caught.value.findings[0].mend
    zarr.open_group(path, mode="a").attrs["lampyris"] = {"sparse": True}
    np.testing.assert_array_equal(read(path).counts, counts)


def test_a_missing_chunk_within_a_shard_is_an_error(tmp_path):
    counts = COUNTS.copy()
    counts[1, :16, :32] = 0
    path = foreign(tmp_path / "x.zarr", counts, shards=(1, 64, 64))
    with pytest.raises(ImageError) as caught:
        read(path)
    assert rule_of(caught) == "image.chunk-missing"
    zarr.open_group(path, mode="a")["0"].attrs["lampyris"] = {"sparse": True}
    np.testing.assert_array_equal(read(path).counts, counts)


def test_a_lost_folder_of_chunks_is_an_error(tmp_path):
    path = foreign(tmp_path / "x.zarr")
    shutil.rmtree(path / "0/c/1")
    with pytest.raises(ImageError, match=r"lacks the chunk 0/c/1/0/0"):
        read(path)


def _edit(path, name, **changes):
    document = json.loads((path / name).read_text())
    (path / name).write_text(json.dumps(document | changes))


def _level(path, target):
    document = json.loads((path / "zarr.json").read_text())
    document["attributes"]["ome"]["multiscales"][0]["datasets"][0]["path"] = target
    (path / "zarr.json").write_text(json.dumps(document))


def _link_chunk(path):
    outside = path.parent / "outside"
    shutil.move(path / "0/c/0/0/0", outside)
    (path / "0/c/0/0/0").symlink_to(outside)


def _link_array(path):
    shutil.move(path / "0", path.parent / "elsewhere")
    (path / "0").symlink_to(path.parent / "elsewhere")


def _pipe(path):
    (path / "0/c/0/0/0").unlink()
    os.mkfifo(path / "0/c/0/0/0")


def _bomb(path):
    """A gigabyte of zeros in a kilobyte, where 6 kB belong."""
    _edit(path, "0/zarr.json", codecs=[{"name": "bytes", "configuration": {"endian": "little"}}, {"name": "gzip"}])
    packer = zlib.compressobj(9, wbits=31)
    data = b"".join(packer.compress(bytes(1 << 20)) for _ in range(64)) + packer.flush()
    (path / "0/c/0/0/0").write_bytes(data)


HOSTILE = {
    "array elsewhere": (lambda path: _level(path, "../y.zarr/0"), UnsafeFileError),
    "array at the root": (lambda path: _level(path, "/etc"), UnsafeFileError),
    "encoded climb": (lambda path: _level(path, "%2e%2e/0"), UnsafeFileError),
    "address": (lambda path: _level(path, "http://x/0"), UnsafeFileError),
    "NUL": (lambda path: _level(path, "0\0"), UnsafeFileError),
    "chunk through a link": (_link_chunk, UnsafeFileError),
    "array through a link": (_link_array, UnsafeFileError),
    "pipe for a chunk": (_pipe, UnsafeFileError),
    "huge shape": (lambda path: _edit(path, "0/zarr.json", shape=[2, 1 << 20, 1 << 20]), UnsafeFileError),
    "shape beyond numbers": (lambda path: _edit(path, "0/zarr.json", shape=[2, 1 << 70, 60]), ImageError),
    "no extent": (lambda path: _edit(path, "0/zarr.json", shape=[2, 0, 60]), ImageError),
    "shape of texts": (lambda path: _edit(path, "0/zarr.json", shape=["2", "50", "60"]), ImageError),
    "huge chunk": (
        lambda path: _edit(
            path, "0/zarr.json", chunk_grid={"name": "regular", "configuration": {"chunk_shape": [1, 1 << 30, 1]}}
        ),
        UnsafeFileError,
    ),
    "bomb": (_bomb, ImageError),
    "deep document": (lambda path: (path / "zarr.json").write_text("[" * 100_000), ImageError),
    "long document": (lambda path: (path / "zarr.json").write_text(" " * 5_000_000 + "{}"), UnsafeFileError),
    "codec unknown": (
        lambda path: _edit(path, "0/zarr.json", codecs=[{"name": "bytes"}, {"name": "pickle"}]),
        ImageError,
    ),
    "complex numbers": (lambda path: _edit(path, "0/zarr.json", data_type="complex64"), ImageError),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_folders_are_refused(tmp_path, case):
    path = foreign(tmp_path / "x.zarr")
    spoil, kind = HOSTILE[case]
    spoil(path)
    with pytest.raises(kind) as caught:
        read(path)
    assert caught.value.findings[0].place.file == "x.zarr"


@pytest.mark.parametrize(
    ("caps", "rule"),
    [({"max_pixels": 5999}, "image.pixels"), ({"max_pages": 1}, "image.pages"), ({"max_bytes": 5000}, "image.size")],
)
def test_caps(tmp_path, caps, rule):
    path = foreign(tmp_path / "x.zarr")
    with pytest.raises(UnsafeFileError) as caught:
        read(path, **caps)
    assert rule_of(caught) == rule


def test_not_finite_is_an_error(tmp_path):
    counts = COUNTS.astype(np.float32)
    counts[0, 1, 2] = np.nan
    with pytest.raises(ImageError) as caught:
        read(foreign(tmp_path / "x.zarr", counts))
    assert rule_of(caught) == "image.not-finite"


@pytest.mark.parametrize("part", ["zarr.json", "0/zarr.json", "0/c/1/0/0"])
def test_missing_file(tmp_path, part):
    path = foreign(tmp_path / "x.zarr")
    (path / part).unlink()
    with pytest.raises(ImageError):
        read(path)
    with pytest.raises(ImageError):
        read(tmp_path / "none.zarr")
    (tmp_path / "file.zarr").write_text("x")
    with pytest.raises(ImageError):
        read(tmp_path / "file.zarr")


MUTATED = {
    "zlib, 2": {"zarr_format": 2, "compressors": "zlib"},
    "blosc lz4": {"compressors": BloscCodec(cname="lz4")},
    "blosc zstd": {"compressors": BloscCodec(cname="zstd")},
    "zstd": {"compressors": ZstdCodec()},
    "gzip": {"compressors": GzipCodec()},
    "none": {"compressors": None},
    "shards": {"shards": (1, 64, 64)},
}


@pytest.mark.parametrize("case", MUTATED)
def test_cut_and_changed_files_are_typed_errors_or_leave_a_whole_image(tmp_path, case):
    """Whatever byte is lost or changed, the reader ends with an image or an error of ours that names the folder."""
    options = dict(MUTATED[case])
    if options.get("compressors") == "zlib":
        import numcodecs

        options["compressors"] = numcodecs.Zlib()
    path = foreign(tmp_path / "x.zarr", **options)
    files = sorted(file for file in path.rglob("*") if file.is_file())
    documents = [file for file in files if "json" in file.name or file.name.startswith(".z")]
    rng = np.random.default_rng(7)
    for file in [*documents, next(file for file in files if file not in documents)]:
        whole = file.read_bytes()
        cuts = [whole[:size] for size in np.linspace(0, len(whole) - 1, 12).astype(int)]
        for _ in range(40):
            changed = bytearray(whole)
            changed[rng.integers(len(whole))] = rng.integers(256)
            cuts.append(bytes(changed))
        for data in cuts:
            file.write_bytes(data)
            try:
                image = read(path)
            except LampyrisError as error:
                assert all(finding.place.file == "x.zarr" for finding in error.findings)
            else:
                assert image.counts.size <= CAPS["max_pixels"]
        file.write_bytes(whole)
    np.testing.assert_array_equal(read(path).counts, COUNTS)
