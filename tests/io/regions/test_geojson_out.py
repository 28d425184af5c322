"""Outlines as GeoJSON: what QuPath's form asks for, exact corners, nothing that JSON has no word for."""

import json
import math

from lampyris.io.regions.geojson_out import Outline, outlines_text

SQUARE = ((2.5, 3.5), (2.5, 5.5), (4.5, 5.5), (4.5, 3.5))


def test_a_feature_as_qupath_reads_it():
    data = json.loads(outlines_text([Outline(SQUARE, "L1 liver", "lesion", (230, 159, 0), {"flux": 2.0})]))
    assert (data["type"], data["pixel_origin"]) == ("FeatureCollection", "corner")
    (feature,) = data["features"]
    # x first, from the corner of the first pixel, closed
    assert feature["geometry"] == {
        "type": "Polygon",
        "coordinates": [[[4.0, 3.0], [6.0, 3.0], [6.0, 5.0], [4.0, 5.0], [4.0, 3.0]]],
    }
    assert feature["properties"]["objectType"] == "annotation"
    assert feature["properties"]["classification"] == {"name": "lesion", "color": [230, 159, 0]}
    assert feature["properties"]["flux"] == 2.0


def test_no_outline_is_an_empty_collection():
    assert json.loads(outlines_text([]))["features"] == []


def test_what_is_not_finite_is_null():
    odd = {"a": math.nan, "b": [math.inf, 1.0], "c": {"d": -math.inf}}
    text = outlines_text([Outline(SQUARE, "", "", (0, 0, 0), odd)], about={"e": math.nan})
    data = json.loads(text, parse_constant=lambda name: 1 / 0)
    properties = data["features"][0]["properties"]
    assert (properties["a"], properties["b"], properties["c"], data["e"]) == (None, [None, 1.0], {"d": None}, None)
