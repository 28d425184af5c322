"""Views: what is written is valid OME-Zarr 0.5 and reads back; what is lost or damaged is an error, never blank."""

import json
from pathlib import Path

import numpy as np
import pytest
import zarr

from lampyris.core.errors import LampyrisError
from lampyris.io.durable import durable_directory, sha256_tree
from lampyris.io.images.ome.zarr import ViewMetadata, read_view, write_view

RNG = np.random.default_rng(5)
IMAGE = RNG.normal(size=(3, 20, 30)).astype(np.float32)
IMAGE[1, 2, 3] = np.nan
LABELS = {"lesions": RNG.integers(0, 4, (20, 30)).astype(np.uint16), "body": np.ones((20, 30), np.uint16)}
METADATA = ViewMetadata(
    channels=("probe", "variance", "photo"),
    units=("ph s-1 cm-2 sr-1", "ph2 s-2 cm-4 sr-2", "1"),
    pixel_mm=0.2,
    name="m01 d07 dorsal",
    windows=((0.0, 1.0), (0.0, 2.0), (0.0, 1.0)),
    attributes={"animal": "m01", "pose": [1.5, None]},
)


@pytest.fixture
def view(tmp_path: Path) -> Path:
    with durable_directory(tmp_path / "v.ome.zarr") as folder:
        write_view(folder, IMAGE, LABELS, METADATA)
    return tmp_path / "v.ome.zarr"


def test_reads_back_what_was_written(view: Path) -> None:
    arrays, metadata = read_view(view)
    assert metadata == METADATA
    assert list(arrays) == ["image", "body", "lesions"]
    np.testing.assert_array_equal(arrays["image"], IMAGE)
    np.testing.assert_array_equal(arrays["lesions"], LABELS["lesions"])
    assert (arrays["image"].dtype, arrays["body"].dtype) == (np.float32, np.uint16)


def test_metadata_is_ome_zarr(view: Path) -> None:
    group = zarr.open_group(view, mode="r")
    ome = group.attrs.asdict()["ome"]
    assert ome["version"] == "0.5"
    (scales,) = ome["multiscales"]
    assert [(axis["name"], axis["type"], axis.get("unit")) for axis in scales["axes"]] == [
        ("c", "channel", None),
        ("y", "space", "millimeter"),
        ("x", "space", "millimeter"),
    ]
    assert scales["datasets"][0]["coordinateTransformations"] == [{"type": "scale", "scale": [1.0, 0.2, 0.2]}]
    assert [channel["label"] for channel in ome["omero"]["channels"]] == list(METADATA.channels)
    assert ome["omero"]["channels"][1]["window"] == {"min": 0.0, "start": 0.0, "max": 2.0, "end": 2.0}
    assert group["0"].metadata.dimension_names == ("c", "y", "x")
    assert group["labels"].attrs.asdict()["ome"]["labels"] == ["body", "lesions"]
    assert group["labels/body"].attrs.asdict()["ome"]["image-label"] == {"source": {"image": "../../"}}


def test_windows_default_to_the_finite_range(tmp_path: Path) -> None:
    image = np.stack([np.array([[1.0, np.nan, 3.0]]), np.full((1, 3), np.nan), np.full((1, 3), 2.0)]).astype(np.float32)
    write_view(tmp_path / "v", image, {}, ViewMetadata(("a", "b", "c"), ("1",) * 3, 1.0))
    arrays, metadata = read_view(tmp_path / "v")
    assert list(arrays) == ["image"]
    assert metadata.windows == ((1.0, 3.0), (0.0, 1.0), (0.0, 1.0))


def test_same_view_same_bytes(view: Path, tmp_path: Path) -> None:
    shuffled = dict(reversed(LABELS.items()))
    write_view(tmp_path / "again", np.asfortranarray(IMAGE), shuffled, METADATA)
    assert sha256_tree(view) == sha256_tree(tmp_path / "again")


def test_view_is_ten_files(view: Path) -> None:
    assert len([path for path in view.rglob("*") if path.is_file()]) == 10


FILES = ["zarr.json", "0/zarr.json", "0/c/0/0/0", "labels/body/0/zarr.json", "labels/lesions/0/c/0/0"]


@pytest.mark.parametrize("part", FILES)
def test_missing_file_is_an_error(view: Path, part: str) -> None:
    (view / part).unlink()
    with pytest.raises(LampyrisError) as caught:
        read_view(view)
    (finding,) = caught.value.findings
    assert finding.place.file.startswith("v.ome.zarr")
    assert "Run the analysis again" in finding.mend


@pytest.mark.parametrize("part", FILES)
@pytest.mark.parametrize("keep", [0.0, 0.5, 0.99])
def test_cut_file_is_an_error(view: Path, part: str, keep: float) -> None:
    data = (view / part).read_bytes()
    (view / part).write_bytes(data[: int(len(data) * keep)])
    with pytest.raises(LampyrisError):
        read_view(view)


def test_changed_pixels_are_an_error(view: Path) -> None:
    chunk = view / "0/c/0/0/0"
    data = chunk.read_bytes()
    for position in np.linspace(0, len(data) - 1, 40).astype(int):
        changed = bytearray(data)
        changed[position] ^= 0x10
        chunk.write_bytes(bytes(changed))
        try:
            arrays, _ = read_view(view)
        except LampyrisError:
            continue
        # a changed bit that the decoder does not use
        np.testing.assert_array_equal(arrays["image"], IMAGE)


def test_swapped_array_is_an_error(view: Path) -> None:
    declared = view / "labels/body/0/zarr.json"
    document = json.loads(declared.read_text())
    for change in ({"data_type": "uint8"}, {"shape": [1 << 20, 1 << 20]}):
        declared.write_text(json.dumps(document | change))
        with pytest.raises(LampyrisError):
            read_view(view)


def test_other_directories_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(LampyrisError):
        read_view(tmp_path / "none")
    zarr.open_group(tmp_path / "foreign", mode="w", zarr_format=3)
    with pytest.raises(LampyrisError):
        read_view(tmp_path / "foreign")


@pytest.mark.parametrize(
    ("image", "labels", "metadata", "words"),
    [
        (IMAGE.astype(float), {}, METADATA, "float32"),
        (IMAGE[0], {}, METADATA, "float32"),
        (IMAGE, {"body": np.ones((3, 3), np.uint16)}, METADATA, "'body' needs uint16 of shape"),
        (IMAGE, {"image": LABELS["body"]}, METADATA, "other than"),
        (IMAGE, {"../x": LABELS["body"]}, METADATA, "other than"),
        (IMAGE[:2], {}, METADATA, "channels has 3 entries for 2"),
        (IMAGE, {}, ViewMetadata(("a", "b", "c"), ("1",) * 3, 0.0), "pixel_mm"),
    ],
)
def test_misfits_are_refused(
    tmp_path: Path, image: np.ndarray, labels: dict, metadata: ViewMetadata, words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        write_view(tmp_path / "v", image, labels, metadata)
    assert not (tmp_path / "v").exists()


def test_nothing_is_overwritten(view: Path) -> None:
    with pytest.raises(FileExistsError):
        write_view(view, IMAGE, LABELS, METADATA)
