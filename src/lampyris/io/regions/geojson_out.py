"""Outlines of one image as GeoJSON that QuPath and napari open: pixels of the image file, x to the right and y down.

Zero is the upper left corner of the first pixel, as in QuPath; the collection says so. napari counts from that pixel's centre:
subtract half a pixel there.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

# thousandths of a pixel: finer than any outline along pixel edges
_DECIMALS = 3


@dataclass(frozen=True, slots=True)
class Outline:
    """A closed outline with what is known of it.

    Parameters
    ----------
    corners_px : tuple of (float, float)
        (y, x) in pixels from the centre of the file's first pixel, without repeating the first corner.
    name, kind : str
        What viewers write beside it, and the class by which they colour it.
    colour : tuple of int
        Red, green, blue, 0 to 255.
    properties : mapping
        What JSON holds; numbers that are not finite become null.
    """

    corners_px: tuple[tuple[float, float], ...]
    name: str
    kind: str
    colour: tuple[int, int, int]
    properties: Mapping[str, Any] = field(default_factory=dict)


def outlines_text(outlines: Iterable[Outline], /, *, about: Mapping[str, Any] | None = None) -> str:
    """A FeatureCollection of outlines; the same text for the same outlines.

    Parameters
    ----------
    outlines : iterable of Outline
    about : mapping, optional
        Members of the collection itself.

    Returns
    -------
    str
        GeoJSON.

    References
    ----------
    Butler et al. 2016, RFC 7946, doi:10.17487/RFC7946; coordinates are pixels, as programs for microscopy write them.

    Examples
    --------
    >>> square = Outline(((-0.5, -0.5), (-0.5, 0.5), (0.5, 0.5), (0.5, -0.5)), "L1", "lesion", (230, 159, 0))
    >>> json.loads(outlines_text([square]))["features"][0]["geometry"]["coordinates"]
    [[[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0], [0.0, 0.0]]]
    """
    features = []
    for one in outlines:
        ring = [[round(x + 0.5, _DECIMALS) + 0.0, round(y + 0.5, _DECIMALS) + 0.0] for y, x in one.corners_px]
        properties = {
            "objectType": "annotation",
            "name": one.name,
            "classification": {"name": one.kind, "color": list(one.colour)},
            **_finite(one.properties),
        }
        geometry = {"type": "Polygon", "coordinates": [[*ring, ring[0]]]}
        features.append({"type": "Feature", "geometry": geometry, "properties": properties})
    collection = {"type": "FeatureCollection", "pixel_origin": "corner", **_finite(about or {}), "features": features}
    return json.dumps(collection, ensure_ascii=False, allow_nan=False) + "\n"


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _finite(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(entry) for entry in value]
    if isinstance(value, float) and not -float("inf") < value < float("inf"):
        return None
    return value
