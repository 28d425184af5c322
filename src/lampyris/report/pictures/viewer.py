"""What the viewer's script needs besides the packed pictures: names, scale, lesions in words, places and outlines."""

import base64
import math
from typing import Any

from lampyris.core.flags import PIXEL_FLAG_MEANING, DetectionKind
from lampyris.core.images import RADIANCE_UNIT, Pose
from lampyris.core.lesions import Lesion
from lampyris.core.results import Detection
from lampyris.core.study import StudyResults, ViewResult
from lampyris.report.arms import Arm
from lampyris.report.drawing.colours import PALETTES, palette
from lampyris.report.identities import (
    Identity,
    identities_of,
    is_tumour,
    lesion_lines,
    short_name,
    sighting_text,
)
from lampyris.report.numbers import day_text, estimate_text, number, unit_text
from lampyris.report.pictures.films import flag_words, mark, outline_path, thinned
from lampyris.report.pictures.packing import AnimalPack, Frame
from lampyris.report.pictures.registered import (
    FIRST_MM,
    HALF_WIDTH_MM,
    LAST_MM,
    STATION_MM,
    mesh,
    nominal_pixels,
    study_poses,
)
from lampyris.report.pictures.scale import Window
from lampyris.report.spread.bodymap import ELSEWHERE
from lampyris.report.spread.mouse import body_outline
from lampyris.tissue.anatomy import organ_names

# for the help of the viewer
KEYS: tuple[tuple[tuple[str, ...], str], ...] = (
    (("←", "→"), "earlier and later day"),
    (("↑", "↓"), "previous and next animal; also A and Z"),
    (("V",), "the other view"),
    (("B",), "probe, autofluorescence, and each band in turn"),
    (("L",), "logarithmic or linear"),
    (("O",), "overlay on and off"),
    (("X",), "outlines on and off"),
    (("R",), "as photographed, or registered to the nominal mouse"),
    (("+", "−"), "larger and smaller; also the wheel, two fingers, or a double tap"),
    (("0",), "whole picture and full window"),
    (("Shift with arrows",), "move the read-out by a pixel"),
    (("Drag",), "move the enlarged picture"),
    (("?",), "this list"),
    (("Esc",), "close"),
)


def viewer_data(
    results: StudyResults,
    arms: dict[str, Arm],
    frames: dict[tuple[int, int], Frame],
    window: Window,
    packs: dict[str, AnimalPack],
    windows: dict[str, Window],
    /,
) -> dict[str, Any]:
    """What the script needs besides the packed pictures, ready for JSON.

    Parameters
    ----------
    results : StudyResults
        The study.
    arms : dict of str to Arm
        From `arms_of`.
    frames : dict
        From `common_frames`.
    window : Window
        The shared scale.
    packs : dict of str to AnimalPack
        From `packed_within`.
    windows : dict of str to Window
        From `layer_windows`.

    Returns
    -------
    dict
        Names, scale, colours, flags in words, lesions of each animal, and per picture its place, layers and outlines.
    """
    names, poses, order = identities_of(results), study_poses(results), {name: k for k, name in enumerate(packs)}
    groups = {session.animal: session.group for session in results.sessions}
    pictures: list[dict[str, Any]] = []
    for s, session in enumerate(results.sessions):
        who = {
            "animal": order[session.animal],
            "arm": arms[session.group].title,
            "session": session.session,
            "day": session.day,
        }
        for v, view in enumerate(session.views):
            place = packs[session.animal].places[s, v]
            found = [(d, names.of(session.animal, session.session, view.view, d)) for d in view.detections]
            pictures.append({**who, **_picture(view, frames[s, v], poses[s, v], session.session, found), **place})
    return {
        "animals": list(packs),
        # in the order of the films: arm by arm
        "order": sorted(range(len(packs)), key=lambda k: (list(arms).index(groups[list(packs)[k]]), k)),
        "lesions": [[_lesion(lesion) for lesion in names.animals.get(animal, ())] for animal in packs],
        "window": [window.low, window.high],
        "windows": {name: [own.low, own.high] for name, own in windows.items()},
        "unit": unit_text(RADIANCE_UNIT),
        "colours": {name: _packed(palette(name)) for name in PALETTES},
        "kinds": [str(kind) for kind in DetectionKind],
        "organs": [*organ_names(), ELSEWHERE],
        "flags": {str(int(flag)): meaning.partition(":")[0] for flag, meaning in PIXEL_FLAG_MEANING.items()},
        "frame": {"first": FIRST_MM, "last": LAST_MM, "half": HALF_WIDTH_MM, "step": STATION_MM},
        "outline": [[round(x, 1), round(min(y, LAST_MM), 1)] for x, y in body_outline()],
        "pictures": pictures,
    }


def _picture(
    view: ViewResult, frame: Frame, pose: Pose, session: str, found: list[tuple[Detection, Identity]]
) -> dict[str, Any]:
    """A picture's frame, how the animal lies in it, and its outlines."""
    return {
        "view": view.view,
        "file": view.file,
        # where the view begins in its file, which may show several animals
        "top": view.origin_px[0],
        "left": view.origin_px[1],
        "pixel": view.pixel_mm,
        "y": frame.y,
        "x": frame.x,
        "h": frame.height,
        "w": frame.width,
        "channels": list(view.channels),
        "mesh": mesh(pose, frame, view.pixel_mm),
        "marks": [_mark(detection, identity, session, frame, view, pose) for detection, identity in found],
    }


def _packed(colours: Any) -> str:
    return base64.b64encode(colours.tobytes()).decode()


def _lesion(lesion: Lesion) -> dict[str, Any]:
    """A lesion in words, its place in the nominal animal, and what each session says of it."""
    _, y, x = lesion.position_mm
    known = math.isfinite(y.value) and math.isfinite(x.value)
    return {
        "number": lesion.number,
        "name": short_name(lesion),
        "kind": lesion.kind,
        "style": "lesion" if is_tumour(lesion.kind) else "other",
        "lines": lesion_lines(lesion),
        # half a width of the interval along and across, for the cross at its place
        "at": [round(value, 2) for value in (y.value, x.value, _half(y.low, y.high), _half(x.low, x.high))]
        if known
        else [],
        "days": {
            sighting.session: [bool(sighting.seen), f"day {day_text(sighting.day)}: {sighting_text(lesion, sighting)}"]
            for sighting in lesion.sightings
        },
    }


def _half(low: float, high: float) -> float:
    return (high - low) / 2 if math.isfinite(high - low) else 0.0


def _mark(
    detection: Detection, identity: Identity, session: str, frame: Frame, view: ViewResult, pose: Pose
) -> dict[str, Any]:
    drawn = mark(detection, identity, session, frame, view.pixel_mm)
    laid = nominal_pixels(pose, thinned(detection.outline_mm), view.pixel_mm)
    centre = nominal_pixels(pose, [(detection.y_mm, detection.x_mm)], view.pixel_mm)[0]
    return {
        "number": detection.number,
        "name": drawn.name,
        "style": drawn.style,
        "kind": drawn.kind,
        "lesions": [lesion.number for lesion in identity.lesions],
        "path": drawn.path,
        "x": drawn.corner[0],
        "y": drawn.corner[1],
        "laid": outline_path(laid) if len(laid) > 2 else "",
        "laidX": round(max((x for x, _ in laid), default=centre[0]), 1),
        "laidY": round(min((y for _, y in laid), default=centre[1]), 1),
        "region": detection.region,
        # ties a correction to it, even after its number has changed
        "at": [round(detection.y_mm, 3), round(detection.x_mm, 3)],
        "flux": estimate_text(detection.flux),
        "z": f"z {number(detection.z, digits=3)}, threshold {number(detection.z_threshold, digits=3)}",
        "flags": flag_words(detection.flags),
    }
