"""Outlines of what was found in a view, in pixels of the image file."""

from typing import Any

from lampyris.core.lesions import Lesion
from lampyris.core.results import Detection
from lampyris.core.study import AnimalOutcome, SessionResult, ViewResult
from lampyris.imaging.radiance.turning import Corners, file_corners
from lampyris.io.regions.geojson_out import Outline, outlines_text
from lampyris.study.export.colours import kind_colour, lesion_colour
from lampyris.study.outcomes import owners


def view_outlines(
    session: SessionResult,
    view: ViewResult,
    outcome: AnimalOutcome | None,
    /,
    *,
    head: str,
    synthetic: bool,
) -> str:
    """GeoJSON of one view.

    Parameters
    ----------
    session, view : SessionResult, ViewResult
    outcome : AnimalOutcome or None
        With the animal's lesions.
    head : str
        Side of the image file to which heads point.
    synthetic : bool
        Said in the file.

    Returns
    -------
    str
    """
    owned = owners(outcome.lesions) if outcome is not None else {}
    outlines = []
    for detection in view.detections:
        if len(detection.outline_mm) < 3:
            continue
        lesions = owned.get((session.session, view.view, detection.number), ())
        ring = tuple((y / view.pixel_mm, x / view.pixel_mm) for y, x in _open_ring(detection.outline_mm))
        corners = file_corners(ring, view, head)
        outlines.append(_outline(session, view, detection, lesions, corners))
    about: dict[str, Any] = {
        "image": view.file,
        "animal": session.animal,
        "session": session.session,
        "day": session.day,
        "view": view.view,
        "pixel_mm": view.pixel_mm,
        "origin_px": [view.origin_px[1], view.origin_px[0]],
        "synthetic": synthetic,
    }
    return outlines_text(outlines, about=about)


def _open_ring(outline_mm: Corners) -> Corners:
    """The corners once: some outlines repeat the first."""
    return outline_mm[:-1] if len(outline_mm) > 3 and outline_mm[0] == outline_mm[-1] else outline_mm


def _outline(
    session: SessionResult, view: ViewResult, detection: Detection, lesions: tuple[Lesion, ...], corners: Corners
) -> Outline:
    first = lesions[0] if lesions else None
    kind = str(first.kind if first else detection.kind)
    name = "+".join(f"L{one.number}" for one in lesions) + f" {first.organ}" if first else f"{detection.number} {kind}"
    properties = {
        "animal": session.animal,
        "session": session.session,
        "day": session.day,
        "view": view.view,
        "image": view.file,
        "label": kind,
        "kind": kind,
        "detection": detection.number,
        "lesions": [one.number for one in lesions],
        "lesion": first.number if first else None,
        "organ": first.organ if first else None,
        "organ_probability": first.organs.get(first.organ) if first else None,
        "region": detection.region,
        "flux": detection.flux.value,
        "flux_low": detection.flux.low,
        "flux_high": detection.flux.high,
        "flux_level": detection.flux.level,
        "flux_unit": detection.flux.unit,
        "position_mm": [detection.x_mm, detection.y_mm],
        "area_mm2": detection.area_mm2,
    }
    return Outline(corners, name, kind, lesion_colour(first.number) if first else kind_colour(kind), properties)
