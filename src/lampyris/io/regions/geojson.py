"""Regions as GeoJSON in pixels of an image: read as QuPath and napari's plugin write them, and written alike.

Corners are (x, y) pairs, x to the right and y down. Their zero is the upper left corner of the first pixel (QuPath), unless the
collection says ``"pixel_origin": "centre"`` (napari), where it is that pixel's centre.

References
----------
Butler et al. 2016, RFC 7946, doi:10.17487/RFC7946. Bankhead et al. 2017, Sci Rep 7:16878, doi:10.1038/s41598-017-17204-5 (QuPath).
"""

import json
import math
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NoReturn

from lampyris.core.regions import DrawnRegion, TiedRegion
from lampyris.io.regions.refusals import MOST_CORNERS, MOST_REGIONS, read_capped, refusal, unsafe

CENTRE, CORNER = "centre", "corner"
ORIGIN = "pixel_origin"
_EXPORT = "Export it anew as GeoJSON in pixels, as QuPath does."
# no drawn region is narrower; longitudes and latitudes of one animal always are
_DEGREES_PX = 1.0


def read_geojson(path: Path, /, *, file: str = "") -> tuple[TiedRegion, ...]:
    """Read the areas of a GeoJSON file; points and lines are passed over.

    Parameters
    ----------
    path : Path
        A FeatureCollection, a list of features, or one.
    file : str
        Path inside the study, for messages; the file's name by default.

    Returns
    -------
    tuple of TiedRegion
        In the order of the file; animal, session, view and meaning from the features' properties.

    Raises
    ------
    InputError
        If it is no GeoJSON, is not in pixels, or an area is empty, has a hole, or a corner that is no finite number.
    UnsafeFileError
        If it declares too much.
    """
    file = file or path.name
    try:
        data = json.loads(read_capped(path, file).decode("utf-8-sig"), parse_constant=_not_finite)
    except (ValueError, RecursionError) as error:
        raise refusal(file, "regions.no-json", f"is no JSON: {str(error)[:120]}.", _EXPORT) from error
    features, origin = _features(data, file)
    if len(features) > MOST_REGIONS:
        raise unsafe(file, f"holds {len(features)} features; at most {MOST_REGIONS} are read.")
    shift = 0.0 if origin == CENTRE else -0.5
    regions = [region for number, feature in enumerate(features, 1) for region in _areas(feature, number, shift, file)]
    if not regions:
        raise refusal(
            file, "regions.none", "holds no area.", "Draw polygons; points and lines have no area to measure."
        )
    _refuse_degrees(regions, file)
    return tuple(regions)


def geojson_text(regions: Iterable[TiedRegion], /) -> str:
    """Regions as a GeoJSON FeatureCollection that QuPath opens and `read_geojson` reads back.

    Parameters
    ----------
    regions : iterable of TiedRegion
        Outlines in pixels of the image file.

    Returns
    -------
    str
        The same text for the same regions; coordinates to a thousandth of a pixel.

    Examples
    --------
    >>> square = DrawnRegion("ROI 1", "", "", ((0.0, 0.0), (0.0, 4.0), (3.0, 4.0)), "polygon")
    >>> "[0.5, 0.5]" in geojson_text([TiedRegion(square, animal="m01")])
    True
    """
    features = []
    for one in regions:
        ring = [[round(x + 0.5, 3), round(y + 0.5, 3)] for y, x in one.region.outline_px]
        said = {
            "name": one.region.name,
            "label": one.region.label,
            "image": one.region.image,
            "animal": one.animal,
            "session": one.session,
            "view": one.view,
            "meaning": one.meaning,
        }
        properties = {"objectType": "annotation", **{key: value for key, value in said.items() if value}}
        geometry = {"type": "Polygon", "coordinates": [[*ring, ring[0]]]}
        features.append({"type": "Feature", "geometry": geometry, "properties": properties})
    collection = {"type": "FeatureCollection", ORIGIN: CORNER, "features": features}
    return json.dumps(collection, ensure_ascii=False, allow_nan=False) + "\n"


def _not_finite(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")


def _features(data: Any, file: str) -> tuple[list[Any], str]:
    """Features of any of the three forms in use, and where pixels are counted from."""
    if isinstance(data, list):
        return data, CORNER
    if not isinstance(data, dict):
        raise refusal(file, "regions.no-geojson", "holds no features.", _EXPORT)
    crs = data.get("crs")
    if crs:
        seen = f"names a coordinate system of the earth: {json.dumps(crs)[:80]}."
        raise refusal(file, "regions.not-pixels", seen, f"{_EXPORT} Its corners must be pixels of the image.")
    origin = data.get(ORIGIN, CORNER)
    if origin not in (CENTRE, CORNER):
        raise refusal(file, "regions.origin", f"{ORIGIN} is {origin!r}.", f'Write "{CORNER}" or "{CENTRE}".')
    if data.get("type") == "FeatureCollection" and isinstance(data.get("features"), list):
        return data["features"], origin
    if data.get("type") == "Feature":
        return [data], origin
    raise refusal(file, "regions.no-geojson", "is neither a FeatureCollection nor a Feature.", _EXPORT)


def _areas(feature: Any, number: int, shift: float, file: str) -> Iterator[TiedRegion]:
    geometry = feature.get("geometry") if isinstance(feature, dict) else None
    if not isinstance(geometry, dict):
        raise refusal(file, "regions.no-geometry", f"feature {number} has no geometry.", _EXPORT)
    kind, coordinates = geometry.get("type"), geometry.get("coordinates")
    if kind == "GeometryCollection":
        raise refusal(file, "regions.collection", f"feature {number} is a GeometryCollection.", "Export single shapes.")
    if kind not in ("Polygon", "MultiPolygon"):
        return
    given = feature.get("properties")
    said = {key: value for key, value in given.items() if isinstance(value, str)} if isinstance(given, dict) else {}
    classified = given.get("classification") if isinstance(given, dict) else None
    label = said.get("label", "")
    if not label and isinstance(classified, dict) and isinstance(classified.get("name"), str):
        label = classified["name"]
    name = said.get("name") or label or f"region {number}"
    polygons = [coordinates] if kind == "Polygon" else coordinates
    if not isinstance(polygons, list) or not polygons or len(polygons) > MOST_REGIONS:
        raise refusal(file, "regions.empty", f"{name!r} has no corners.", _EXPORT)
    for part, rings in enumerate(polygons, 1):
        own = name if len(polygons) == 1 else f"{name} ({part})"
        outline = _outline(rings, own, shift, file)
        region = DrawnRegion(own, label, said.get("image", ""), outline, "polygon")
        ties = {key: said.get(key, "") for key in ("animal", "session", "view", "meaning")}
        yield TiedRegion(region, file, **ties)


def _outline(rings: Any, name: str, shift: float, file: str) -> tuple[tuple[float, float], ...]:
    if not isinstance(rings, list) or not rings or not isinstance(rings[0], list):
        raise refusal(file, "regions.empty", f"{name!r} has no corners.", _EXPORT)
    if len(rings) > 1:
        seen = f"{name!r} has a hole, which is not measured."
        raise refusal(file, "regions.hole", seen, "Draw it without, or as two regions whose numbers you subtract.")
    ring = rings[0]
    if len(ring) > MOST_CORNERS:
        raise unsafe(file, f"{name!r} has {len(ring)} corners; at most {MOST_CORNERS} are read.")
    corners = [_corner(pair, name, shift, file) for pair in ring]
    if len(corners) > 1 and corners[0] == corners[-1]:
        corners.pop()
    if len(corners) < 3:
        seen = f"{name!r} has {len(corners)} corner{'' if len(corners) == 1 else 's'}; an area needs three."
        raise refusal(file, "regions.empty", seen, "Draw it anew or remove it.")
    return tuple(corners)


def _corner(pair: Any, name: str, shift: float, file: str) -> tuple[float, float]:
    numbers: list[Any] = pair if isinstance(pair, list) and len(pair) >= 2 else [None, None]
    x, y = numbers[0], numbers[1]
    if any(isinstance(value, bool) or not isinstance(value, int | float) for value in (x, y)):
        raise refusal(
            file, "regions.corner", f"{name!r} has the corner {str(pair)[:60]}, which is no pair of numbers.", _EXPORT
        )
    if not (abs(x) < 1e9 and abs(y) < 1e9 and math.isfinite(x) and math.isfinite(y)):
        raise refusal(file, "regions.corner", f"{name!r} has the corner {x}, {y}, which lies in no image.", _EXPORT)
    return float(y) + shift, float(x) + shift


def _refuse_degrees(regions: list[TiedRegion], file: str) -> None:
    corners = [corner for one in regions for corner in one.region.outline_px]
    wide = max(max(values) - min(values) for values in zip(*corners, strict=True))
    if wide < _DEGREES_PX:
        seen = (
            f"all corners lie within {wide:.2g} pixels: they look like degrees of longitude and latitude, or like mm."
        )
        raise refusal(file, "regions.not-pixels", seen, f"{_EXPORT} Its corners must be pixels of the image.")
