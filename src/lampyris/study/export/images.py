"""Views as OME-Zarr 0.5 with the animal and its lesions as labels that other programs colour and name."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from lampyris.core.lesions import Lesion, Sighting
from lampyris.core.study import AnimalOutcome, SessionResult, ViewResult
from lampyris.io.images.ome.zarr import LabelDescription, read_view, write_view
from lampyris.study.export.colours import GREY, kind_colour, lesion_colour
from lampyris.study.graph.store import LABELS, automatic_folder, corrected_labels, view_folder
from lampyris.study.outcomes import owners

_OPAQUE, _FAINT = 255, 64
DETECTIONS = "detections"


def export_view(
    stored: Path,
    target: Path,
    session: SessionResult,
    view: ViewResult,
    outcome: AnimalOutcome | None,
    about: Mapping[str, Any],
) -> None:
    """Write one view; the pixels are those of the results.

    Parameters
    ----------
    stored : Path
        The session's folder in the results, as found automatically or as corrected.
    target : Path
        New directory, by custom ending ``.ome.zarr``.
    session, view : SessionResult, ViewResult
        Without images.
    outcome : AnimalOutcome or None
        Of the animal, with its lesions.
    about : mapping
        Further attributes of the image.
    """
    automatic = Path(automatic_folder(stored.as_posix()))
    arrays, metadata = read_view(automatic / view_folder(view.view))
    arrays |= corrected_labels(stored, view.view)
    numbers = np.zeros(max((one.number for one in view.detections), default=0) + 1, np.uint16)
    owned = owners(outcome.lesions) if outcome is not None else {}
    for detection in view.detections:
        lesions = owned.get((session.session, view.view, detection.number), ())
        # where several share a spot its pixels are the first's; the properties name the others
        numbers[detection.number] = lesions[0].number if lesions else 0
    spots = arrays["lesions"]
    labels = {name: arrays[name] for name in LABELS} | {"lesions": numbers[spots], DETECTIONS: spots}
    described = {
        "body": LabelDescription({1: (*GREY, _FAINT)}, {1: {"name": session.animal}}),
        "lesions": _lesions(session, view, outcome),
        DETECTIONS: _detections(view),
    }
    attributes = {
        "animal": session.animal,
        "session": session.session,
        "day": session.day,
        "date": session.date,
        "group": session.group,
        "probe": session.probe,
        "view": view.view,
        "file": view.file,
        "origin_px": list(view.origin_px),
        **about,
    }
    named = replace(metadata, name=f"{session.animal} {session.session} {view.view}", attributes=attributes)
    target.parent.mkdir(parents=True, exist_ok=True)
    write_view(target, arrays["image"], labels, named, described=described)


def _lesions(session: SessionResult, view: ViewResult, outcome: AnimalOutcome | None) -> LabelDescription:
    colours, properties = {}, {}
    for lesion in outcome.lesions if outcome is not None else ():
        sighting = next((one for one in lesion.sightings if one.session == session.session), None)
        if sighting is not None and any(name == view.view for name, _ in sighting.detections):
            colours[lesion.number] = (*lesion_colour(lesion.number), _OPAQUE)
            properties[lesion.number] = _lesion(lesion, sighting)
    return LabelDescription(colours, properties)


def _lesion(lesion: Lesion, sighting: Sighting) -> dict[str, Any]:
    return {
        "name": f"L{lesion.number} {lesion.organ}",
        "kind": str(lesion.kind),
        "organ": lesion.organ,
        "organ_probability": lesion.organs.get(lesion.organ),
        "flux": sighting.flux.value,
        "flux_low": sighting.flux.low,
        "flux_high": sighting.flux.high,
        "flux_unit": sighting.flux.unit,
        "cells": sighting.cells.value,
        "cells_low": sighting.cells.low,
        "cells_high": sighting.cells.high,
        "shared_with": list(sighting.shared_with),
    }


def _detections(view: ViewResult) -> LabelDescription:
    colours = {one.number: (*kind_colour(str(one.kind)), _OPAQUE) for one in view.detections}
    properties = {
        one.number: {
            "name": f"{one.number} {one.kind}",
            "kind": str(one.kind),
            "region": one.region,
            "z": one.z,
            "flux": one.flux.value,
            "flux_low": one.flux.low,
            "flux_high": one.flux.high,
            "flux_unit": one.flux.unit,
        }
        for one in view.detections
    }
    return LabelDescription(colours, properties)
