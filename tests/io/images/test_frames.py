"""Sequences: each frame once, in order, none of them held; what changes or is damaged on the way is an error."""

import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import tifffile
import zarr

from lampyris.core.errors import ImageError, UnsafeFileError
from lampyris.core.images import RawImage
from lampyris.core.settings import Limits
from lampyris.io.images.frames import mean_image, open_frames
from lampyris.io.images.ome.tiff import write_ome_tiff
from lampyris.io.images.ome.zarr_image import write_ome_zarr_image

FRAMES = np.random.default_rng(6).integers(90, 4000, (6, 2, 20, 30)).astype(np.uint16)
LIMITS = Limits(max_pixels=1200, max_pages=12, max_file_mb=0.1)
OME = {
    "axes": "TCYX",
    "Channel": {"Name": ["780", "820"]},
    "PhysicalSizeX": 200.0,
    "PhysicalSizeXUnit": "µm",
    "PhysicalSizeY": 200.0,
    "PhysicalSizeYUnit": "µm",
    "Plane": {"ExposureTime": [0.5] * 12, "DeltaT": [float(number // 2) for number in range(12)]},
}


def image(counts, **changes):
    fields = {"counts": counts, "channels": ("780", "820"), "pixel_mm": 0.2, "exposure_s": (0.5, 0.5)}
    return RawImage(**{**fields, "excitation_nm": (745.0,) * 2, "emission_nm": (780.0, 820.0), **changes})


def ome_tiff(folder, **options):
    path = folder / "x.ome.tif"
    tifffile.imwrite(path, FRAMES, metadata=OME, photometric="minisblack", **options)
    return path


def ome_zarr(folder, said=None, **options):
    axes = [{"name": name, "type": kind} for name, kind in (("t", "time"), ("c", "channel"))]
    axes[0]["unit"] = "second"
    axes += [{"name": name, "type": "space", "unit": "millimeter"} for name in "yx"]
    level = {"path": "0", "coordinateTransformations": [{"type": "scale", "scale": [1.0, 1.0, 0.2, 0.2]}]}
    omero = {"channels": [{"label": "780"}, {"label": "820"}]}
    raw = {"exposure_s": [0.5, 0.5], **(said or {})}
    ome = {"version": "0.5", "multiscales": [{"axes": axes, "datasets": [level]}], "omero": omero}
    group = zarr.open_group(folder / "x.ome.zarr", mode="w", attributes={"ome": ome, "lampyris": {"raw": raw}})
    options = {"chunks": (1, 1, 20, 30), **options}
    group.create_array("0", shape=FRAMES.shape, dtype=FRAMES.dtype, **options)[...] = FRAMES
    return folder / "x.ome.zarr"


def numbered(folder):
    path = folder / "x"
    for number, frame in enumerate(FRAMES):
        write_ome_tiff(path / f"m01 {number + 8}.ome.tif", image(frame))
    (path / "notes.txt").write_text("not an image")
    return path


KINDS = {
    "OME-TIFF": ome_tiff,
    "BigTIFF, tiled, compressed": lambda folder: ome_tiff(
        folder, bigtiff=True, tile=(16, 16), compression="zlib", predictor=True
    ),
    "big endian": lambda folder: ome_tiff(folder, byteorder=">"),
    "OME-Zarr": ome_zarr,
    "OME-Zarr, frames share chunks": lambda folder: ome_zarr(folder, chunks=(4, 2, 16, 16)),
    "OME-Zarr, shards": lambda folder: ome_zarr(folder, chunks=(1, 1, 10, 15), shards=(3, 2, 20, 30)),
    "numbered TIFFs": numbered,
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_frame_once_and_again(tmp_path, kind):
    stream = open_frames(KINDS[kind](tmp_path), LIMITS)
    assert (stream.count, len(stream), stream.shape, stream.dtype) == (6, 6, (2, 20, 30), np.uint16)
    for _ in range(2):
        frames = list(stream)
        np.testing.assert_array_equal(frames, FRAMES)
        assert all(frame.dtype == stream.dtype for frame in frames)
    assert (stream.channels, stream.exposure_s) == (("780", "820"), (0.5, 0.5))
    assert stream.pixel_mm == pytest.approx(0.2)
    if kind == "numbered TIFFs":
        assert stream.numbers.tolist() == [8, 9, 10, 11, 12, 13]
    else:
        assert stream.times_s.tolist() == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize("kind", KINDS)
def test_mean_image(tmp_path, kind):
    path = KINDS[kind](tmp_path)
    found = mean_image(path, LIMITS)
    np.testing.assert_allclose(found.counts, FRAMES.mean(axis=0), rtol=1e-15)
    assert (found.frames, found.exposure_s, found.channels) == (6, (0.5, 0.5), ("780", "820"))
    level = int(FRAMES[2, 1, 3, 4])
    held = mean_image(path, LIMITS, saturation_counts=level)
    full = FRAMES.max(axis=0) >= level
    np.testing.assert_array_equal(held.counts[full], FRAMES.max(axis=0)[full])
    np.testing.assert_array_equal(held.counts[~full], found.counts[~full])


def test_a_mean_keeps_the_files_own_coefficients(tmp_path):
    """Without them the light of a sequence would be scaled by the settings instead."""
    path = ome_zarr(tmp_path, {"radiance_per_count_rate": [5.0, 7.0]})
    assert mean_image(path, LIMITS).radiance_per_count_rate == (5.0, 7.0)


@pytest.mark.parametrize("suffix", [".ome.tif", ".tif"])
def test_an_image_of_one_time_stays_what_it_is(tmp_path, suffix):
    write_ome_tiff(tmp_path / "x.ome.tif", image(FRAMES[0]))
    tifffile.imwrite(tmp_path / "x.tif", FRAMES[0], photometric="minisblack")
    found = mean_image(tmp_path / f"x{suffix}", LIMITS)
    np.testing.assert_array_equal(found.counts, FRAMES[0])
    assert (found.frames, found.counts.dtype) == (1, np.uint16)


def test_pages_of_a_plain_tiff_are_frames_where_frames_are_asked_for(tmp_path):
    path = tmp_path / "x.tif"
    tifffile.imwrite(path, FRAMES[:, 0], photometric="minisblack")
    stream = open_frames(path, LIMITS)
    assert (stream.count, stream.shape, stream.times_s.size) == (6, (1, 20, 30), 0)
    np.testing.assert_array_equal(np.concatenate(list(stream)), FRAMES[:, 0])


def test_order_of_dimensions(tmp_path):
    """Times first, then channels: the pages are sorted into frames by what the file says."""
    path = tmp_path / "x.ome.tif"
    metadata = {**OME, "axes": "CTYX", "Plane": {"DeltaT": [0.0] * 12}}
    tifffile.imwrite(path, FRAMES.transpose(1, 0, 2, 3), metadata=metadata, photometric="minisblack")
    np.testing.assert_array_equal(list(open_frames(path, LIMITS)), FRAMES)


def test_memory_does_not_grow_with_length(tmp_path):
    """A page in the file costs its offset, a frame nothing once the next is asked for."""
    peaks = {}
    frame = np.random.default_rng(1).integers(0, 4000, (128, 128)).astype(np.uint16)
    limits = Limits(max_pixels=20_000, max_pages=1000)
    for count in (20, 400):
        path = tmp_path / f"{count}.tif"
        with tifffile.TiffWriter(path, bigtiff=True) as writer:
            for number in range(count):
                writer.write(frame + np.uint16(number), contiguous=False, metadata=None)
        tracemalloc.start()
        total = sum(int(one[0, 0, 0]) for one in open_frames(path, limits))
        peaks[count] = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert total == count * int(frame[0, 0]) + count * (count - 1) // 2
    # 380 frames more are 12 MB more; a hundred bytes a page are kept
    assert peaks[400] - peaks[20] < 100_000


@pytest.mark.parametrize(
    ("limits", "rule"),
    [
        (Limits(max_pixels=1199, max_pages=12), "image.pixels"),
        (Limits(max_pixels=1200, max_pages=11), "image.pages"),
    ],
)
@pytest.mark.parametrize("kind", ["OME-TIFF", "OME-Zarr"])
def test_caps(tmp_path, kind, limits, rule):
    with pytest.raises(UnsafeFileError) as caught:
        open_frames(KINDS[kind](tmp_path), limits)
    assert caught.value.findings[0].rule == rule


def test_a_cap_on_bytes_is_asked_per_frame(tmp_path):
    path = ome_zarr(tmp_path, compressors=None)
    assert len(list(open_frames(path, Limits(max_pixels=1200, max_file_mb=0.005)))) == 6
    with pytest.raises(UnsafeFileError):
        list(open_frames(path, Limits(max_pixels=1200, max_file_mb=0.002)))


@pytest.mark.parametrize("kind", ["OME-TIFF", "OME-Zarr", "numbered TIFFs"])
def test_a_sequence_that_is_cut_short_is_an_error(tmp_path, kind):
    path = KINDS[kind](tmp_path)
    victim = {"OME-TIFF": path, "OME-Zarr": path / "0/c/4/1/0/0", "numbered TIFFs": path / "m01 11.ome.tif"}[kind]
    data = victim.read_bytes()
    for keep in (0.0, 0.3, 0.7, 0.95):
        victim.write_bytes(data[: int(len(data) * keep)])
        with pytest.raises(ImageError):
            list(open_frames(path, LIMITS))
    victim.write_bytes(data)
    assert len(list(open_frames(path, LIMITS))) == 6


def test_exposures_that_change_are_an_error(tmp_path):
    metadata = {**OME, "Plane": {"ExposureTime": [0.5] * 10 + [0.7] * 2}}
    tifffile.imwrite(tmp_path / "x.ome.tif", FRAMES, metadata=metadata, photometric="minisblack")
    with pytest.raises(ImageError) as caught:
        open_frames(tmp_path / "x.ome.tif", LIMITS)
    assert caught.value.findings[0].rule == "sequence.exposure"
    path = numbered(tmp_path)
    write_ome_tiff(path / "m01 11.ome.tif", image(FRAMES[3], exposure_s=(0.5, 0.7)))
    with pytest.raises(ImageError) as caught:
        list(open_frames(path, LIMITS))
    assert (caught.value.findings[0].rule, caught.value.findings[0].place.file) == ("image.mixed", "x/m01 11.ome.tif")


def test_pages_of_different_size_are_an_error(tmp_path):
    with tifffile.TiffWriter(tmp_path / "x.tif") as writer:
        writer.write(FRAMES[0, 0], metadata=None)
        writer.write(FRAMES[0, 0, :10], metadata=None)
    with pytest.raises(ImageError) as caught:
        open_frames(tmp_path / "x.tif", LIMITS)
    assert caught.value.findings[0].rule == "image.mixed"


@pytest.mark.parametrize("names", [("a1.tif", "b1.tif"), ("a1.tif", "a01.tif"), ("a.tif", "b.tif"), ("a.txt",), ()])
def test_a_folder_that_is_no_sequence(tmp_path, names):
    folder = tmp_path / "x"
    folder.mkdir()
    for name in names:
        tifffile.imwrite(folder / name, FRAMES[0, 0]) if name.endswith("tif") else (folder / name).write_text("")
    with pytest.raises(ImageError) as caught:
        open_frames(folder, LIMITS)
    assert caught.value.findings[0].rule == "image.format"


def test_a_folder_of_another_kind_is_no_sequence_for_an_image(tmp_path):
    """An instrument's own folder holds TIFFs without numbers: its reader is asked, not this one."""
    folder = tmp_path / "click"
    folder.mkdir()
    for name in ("luminescent.TIF", "photograph.TIF"):
        tifffile.imwrite(folder / name, FRAMES[0, 0])
    with pytest.raises(ImageError) as caught:
        mean_image(folder, LIMITS)
    assert caught.value.findings[0].rule == "image.format"
    with pytest.raises(ImageError):
        mean_image(tmp_path / "none", LIMITS)


def test_links_and_other_formats_are_refused(tmp_path):
    path = numbered(tmp_path)
    (path / "m01 11.ome.tif").rename(tmp_path / "outside.tif")
    (path / "m01 11.ome.tif").symlink_to(tmp_path / "outside.tif")
    with pytest.raises(UnsafeFileError):
        list(open_frames(path, LIMITS))
    (tmp_path / "x.avi").write_text("")
    for other in (tmp_path / "x.avi", tmp_path / "none.tif"):
        with pytest.raises(ImageError):
            open_frames(other, LIMITS)


def test_a_zarr_image_of_one_time_is_read_as_such(tmp_path):
    write_ome_zarr_image(tmp_path / "x.ome.zarr", image(FRAMES[0]))
    stream = open_frames(Path(tmp_path / "x.ome.zarr"), LIMITS)
    np.testing.assert_array_equal(list(stream), FRAMES[:1])
    assert stream.count == 1
