"""Regions drawn by hand: what other programs write reads back as drawn; hostile and broken files are refused with a mend."""

import io
import json
import math
import struct
import zipfile

import numpy as np
import pytest

from lampyris.core.errors import InputError, LampyrisError, UnsafeFileError
from lampyris.core.regions import DrawnRegion, TiedRegion
from lampyris.io.regions.geojson import geojson_text, read_geojson
from lampyris.io.regions.readers import read_regions

SQUARE = [[2, 3], [6, 3], [6, 8], [2, 8], [2, 3]]


def collection(*rings, properties=None, **more):
    features = [
        {"type": "Feature", "geometry": {"type": "Polygon", "coordinates": [ring]}, "properties": properties or {}}
        for ring in rings
    ]
    return {"type": "FeatureCollection", "features": features, **more}


def put(tmp_path, data, name="r.geojson"):
    path = tmp_path / name
    path.write_bytes(data if isinstance(data, bytes) else json.dumps(data).encode())
    return path


def roi(kind, corners=(), *, box=(3, 2, 8, 6), name="", finer=False, size=None, shapes=0):
    """A region as ImageJ lays it out; box is top, left, bottom, right, corners are (x, y)."""
    count = len(corners) if size is None else size
    head = bytearray(64)
    struct.pack_into(">4shB", head, 0, b"Iout", 228, kind)
    struct.pack_into(">4hH", head, 8, *box, count)
    struct.pack_into(">i", head, 36, shapes)
    struct.pack_into(">H", head, 50, 128 if finer else 0)
    if finer and kind in (1, 2):
        struct.pack_into(">4f", head, 18, box[1] + 0.25, box[0], box[3] - box[1], box[2] - box[0])
    whole = [round(x) - box[1] for x, _ in corners] + [round(y) - box[0] for _, y in corners]
    body = struct.pack(f">{len(whole)}h", *whole)
    if finer and corners:
        exact = [x for x, _ in corners] + [y for _, y in corners]
        body += struct.pack(f">{len(exact)}f", *exact)
    if name:
        second = 64 + len(body)
        struct.pack_into(">i", head, 60, second)
        body += struct.pack(">4x3i2i40x", 0, 0, 0, second + 64, len(name)) + name.encode("utf-16-be")
    return bytes(head) + body


def zipped(entries, **options):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, **options) as archive:
        for name, data in entries:
            archive.writestr(name, data)
    return stream.getvalue()


def test_qupath_counts_from_the_corner_and_napari_from_the_centre(tmp_path):
    (one,) = read_geojson(put(tmp_path, collection(SQUARE)))
    assert one.region.outline_px == ((2.5, 1.5), (2.5, 5.5), (7.5, 5.5), (7.5, 1.5))
    (other,) = read_geojson(put(tmp_path, collection(SQUARE, pixel_origin="centre")))
    assert other.region.outline_px[0] == (3.0, 2.0)


def test_names_and_ties_come_from_properties(tmp_path):
    said = {"name": "T1", "classification": {"name": "Tumor"}, "animal": "m01", "session": "d07", "view": "dorsal"}
    (one,) = read_geojson(put(tmp_path, collection(SQUARE, properties=said)), file="regions/r.geojson")
    assert (one.region.name, one.region.label, one.animal, one.session, one.view, one.file) == (
        "T1", "Tumor", "m01", "d07", "dorsal", "regions/r.geojson"
    )  # fmt: skip


def test_list_of_features_and_many_polygons(tmp_path):
    many = {"type": "Feature", "geometry": {"type": "MultiPolygon", "coordinates": [[SQUARE], [SQUARE]]}}
    point = {"type": "Feature", "geometry": {"type": "Point", "coordinates": [1, 1]}, "properties": None}
    found = read_geojson(put(tmp_path, [many, point]))
    assert [one.region.name for one in found] == ["region 1 (1)", "region 1 (2)"]


def test_written_reads_back(tmp_path):
    drawn = [
        TiedRegion(DrawnRegion("Ünï <b>", "liver", "a.tif", ((0.125, 0.5), (0.25, 9.0), (7.0, 3.0)), "polygon"),
                   animal="m01", session="d07", view="ventral", meaning="tumour"),
        TiedRegion(DrawnRegion("2", "", "", ((-0.5, -0.5), (-0.5, 3.5), (3.5, 3.5)), "polygon")),
    ]  # fmt: skip
    text = geojson_text(drawn)
    path = put(tmp_path, text.encode())
    assert list(read_geojson(path, file="")) == [
        TiedRegion(one.region, "r.geojson", one.animal, one.session, one.view, one.meaning) for one in drawn
    ]
    assert geojson_text(read_geojson(path)) == text


BAD_JSON = {
    "cut short": (json.dumps(collection(SQUARE))[:-40].encode(), "regions.no-json"),
    "NaN": (json.dumps(collection([[2, 3], [float("nan"), 3], [6, 8]])).encode(), "regions.no-json"),
    "infinite": (b'{"type":"Feature","geometry":{"type":"Polygon","coordinates":[[[1e999,1],[2,2],[3,1]]]}}', "regions.corner"),
    "binary": (b"\xff\xfe\x00\x01", "regions.no-json"),
    "too deep": (b"[" * 200_000, "regions.no-json"),
    "number": (b"3", "regions.no-geojson"),
    "other object": (b'{"type": "Topology"}', "regions.no-geojson"),
    "text for a number": (json.dumps(collection([["a", 3], [6, 3], [6, 8]])).encode(), "regions.corner"),
    "two corners": (json.dumps(collection([[2, 3], [6, 3], [2, 3]])).encode(), "regions.empty"),
    "no ring": (b'{"type":"Feature","geometry":{"type":"Polygon","coordinates":[]}}', "regions.empty"),
    "points only": (b'{"type":"Feature","geometry":{"type":"Point","coordinates":[1,1]}}', "regions.none"),
    "a hole": (
        b'{"type":"Feature","geometry":{"type":"Polygon","coordinates":[[[0,0],[9,0],[9,9]],[[4,3],[5,3],[5,4]]]}}',
        "regions.hole",
    ),
    "earth's coordinates": (
        json.dumps(collection(SQUARE, crs={"type": "name", "properties": {"name": "EPSG:4326"}})).encode(),
        "regions.not-pixels",
    ),
    "degrees": (
        json.dumps(collection([[8.5417, 47.3769], [8.5419, 47.3769], [8.5419, 47.3771]])).encode(), "regions.not-pixels",
    ),
    "other origin": (json.dumps(collection(SQUARE, pixel_origin="middle")).encode(), "regions.origin"),
    "no geometry": (b'{"type":"FeatureCollection","features":[{"type":"Feature","geometry":null}]}', "regions.no-geometry"),
}  # fmt: skip


@pytest.mark.parametrize(("data", "rule"), BAD_JSON.values(), ids=BAD_JSON)
def test_bad_geojson_is_refused(tmp_path, data, rule):
    with pytest.raises(InputError) as caught:
        read_regions(put(tmp_path, data), file="regions/r.geojson")
    (finding,) = caught.value.findings
    assert (finding.rule, finding.place.file) == (rule, "regions/r.geojson") and finding.mend


def test_a_million_corners_are_refused(tmp_path):
    turns = np.linspace(0, 2 * math.pi, 1000, endpoint=False)
    ring = np.stack([500 + 400 * np.cos(turns), 500 + 400 * np.sin(turns)], axis=1).round(1).tolist()
    # a thousand times around, written as text
    once = json.dumps(ring)
    text = json.dumps(collection(ring)).replace(once, "[" + ",".join([once[1:-1]] * 1000) + "]")
    with pytest.raises(UnsafeFileError, match="too large") as caught:
        read_geojson(put(tmp_path, text.encode()))
    assert "1000000 corners" in caught.value.findings[0].seen


CORNERS = [(2.0, 3.0), (6.0, 3.0), (5.0, 8.0)]


@pytest.mark.parametrize("kind", [0, 7, 8], ids=["polygon", "freehand", "traced"])
def test_fiji_outlines(tmp_path, kind):
    (one,) = read_regions(put(tmp_path, roi(kind, CORNERS, name="tümor 1"), "0001-a.roi"))
    assert one.region.name == "tümor 1"
    assert one.region.outline_px == ((2.5, 1.5), (2.5, 5.5), (7.5, 4.5))
    exact = [(2.25, 3.5), (6.75, 3.25), (5.5, 8.0)]
    (finer,) = read_regions(put(tmp_path, roi(kind, exact, finer=True), "0001-a.roi"))
    assert finer.region.outline_px == ((3.0, 1.75), (2.75, 6.25), (7.5, 5.0))
    assert finer.region.name == "0001-a"


def test_fiji_rectangle_and_oval(tmp_path):
    (square,) = read_regions(put(tmp_path, roi(1), "a.roi"))
    assert square.region.outline_px == ((2.5, 1.5), (2.5, 5.5), (7.5, 5.5), (7.5, 1.5))
    (oval,) = read_regions(put(tmp_path, roi(2), "a.roi"))
    corners = np.array(oval.region.outline_px)
    assert corners.min(axis=0) == pytest.approx((2.5, 1.5)) and corners.max(axis=0) == pytest.approx((7.5, 5.5))
    y, x = corners.T
    area = 0.5 * abs(np.sum(y * np.roll(x, 1) - x * np.roll(y, 1)))
    # a polygon of 144 corners lies inside its ellipse
    assert area == pytest.approx(math.pi * 2.5 * 2.0, rel=1e-3)
    (finer,) = read_regions(put(tmp_path, roi(1, finer=True), "a.roi"))
    assert finer.region.outline_px[0] == (2.5, 1.75)


def test_fiji_zip_passes_over_what_has_no_area(tmp_path):
    data = zipped([("a.roi", roi(0, CORNERS)), ("line.roi", roi(3)), ("notes.txt", b"?"), ("dir/b.roi", roi(1))])
    assert [one.region.name for one in read_regions(put(tmp_path, data, "RoiSet.zip"))] == ["a", "b"]


def test_a_cut_roi_is_refused_wherever_it_is_cut(tmp_path):
    whole = roi(0, CORNERS, name="tumour")
    for size in range(len(whole)):
        try:
            (found,) = read_regions(put(tmp_path, whole[:size], "a.roi"))
        except InputError as error:
            assert error.findings[0].rule in {"regions.damaged", "regions.no-roi"}
        else:
            # what is cut is the name alone
            assert found.region.outline_px == ((2.5, 1.5), (2.5, 5.5), (7.5, 4.5)) and size >= 76


def test_mutated_files_give_regions_or_typed_errors(tmp_path):
    rng = np.random.default_rng(3)
    zip_bytes = zipped([("a.roi", roi(0, CORNERS)), ("b.roi", roi(2))])
    json_bytes = json.dumps(collection(SQUARE, SQUARE)).encode()
    for name, whole in (
        ("a.roi", roi(7, CORNERS, name="x", finer=True)),
        ("a.zip", zip_bytes),
        ("a.geojson", json_bytes),
    ):
        for _ in range(300):
            data = bytearray(whole)
            for place in rng.integers(0, len(data), rng.integers(1, 5)):
                data[place] = rng.integers(0, 256)
            try:
                read_regions(put(tmp_path, bytes(data), name))
            except LampyrisError as error:
                assert error.findings


def test_a_zip_that_expands_is_not_expanded(tmp_path):
    bomb = zipped([("a.roi", b"Iout" + bytes(60_000_000))], compresslevel=9)
    assert len(bomb) < 100_000
    with pytest.raises(UnsafeFileError, match="too large"):
        read_regions(put(tmp_path, bomb, "a.zip"))
    many = zipped([(f"{k}.roi", roi(1)) for k in range(2001)])
    with pytest.raises(UnsafeFileError):
        read_regions(put(tmp_path, many, "a.zip"))


BAD_ROI = {
    "declares more corners than it has": (roi(0, CORNERS, size=500), InputError, "regions.damaged"),
    "declares a million corners": (roi(0, [], size=60000), UnsafeFileError, "regions.too-large"),
    "not finite": (
                   roi(0, CORNERS, finer=True).replace(struct.pack(">f", 6.0), struct.pack(">f", math.nan)),
                   InputError, "regions.corner"),
    "unknown type": (roi(77), InputError, "regions.damaged"),
    "composite": (roi(1, shapes=40), InputError, "regions.composite"),
    "a point": (roi(10), InputError, "regions.none"),
    "no region": (b"GIF89a" + bytes(100), InputError, "regions.no-roi"),
}  # fmt: skip


@pytest.mark.parametrize(("data", "error", "rule"), BAD_ROI.values(), ids=BAD_ROI)
def test_bad_roi_is_refused(tmp_path, data, error, rule):
    with pytest.raises(error) as caught:
        read_regions(put(tmp_path, data, "a.roi"))
    assert caught.value.findings[0].rule == rule


def test_unknown_and_missing_files(tmp_path):
    with pytest.raises(InputError) as caught:
        read_regions(put(tmp_path, b"", "a.svg"))
    assert caught.value.findings[0].rule == "regions.unknown-format"
    with pytest.raises(InputError) as caught:
        read_regions(tmp_path / "none.roi")
    assert caught.value.findings[0].rule == "regions.unreadable"
