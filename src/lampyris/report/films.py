"""The films: for every animal and day its views as still pictures with outlines, and the data the viewer opens."""

import base64
from dataclasses import dataclass
from typing import Any

from lampyris.core.flags import DETECTION_FLAG_MEANING, PIXEL_FLAG_MEANING, DetectionFlag, DetectionKind
from lampyris.core.images import RADIANCE_UNIT
from lampyris.core.results import Detection
from lampyris.core.study import SessionResult, StudyResults, ViewResult
from lampyris.report.arms import Arm
from lampyris.report.numbers import day_text, estimate_text, number, unit_text
from lampyris.report.packing import AnimalPack, Frame, sessions_by_animal
from lampyris.report.png import indexed_png
from lampyris.report.scale import Window, inferno, picture_indices, picture_palette, rainbow

_KIND_CLASS = {DetectionKind.LESION: "lesion", DetectionKind.INJECTION_SITE: "injection"}


@dataclass(frozen=True, slots=True)
class Mark:
    """An outline on a picture: an SVG path in pixels of the frame, where its number stands, and the hover text."""

    number: int
    kind: str
    path: str
    label_x: float
    label_y: float
    words: str


@dataclass(frozen=True, slots=True)
class Picture:
    """One view of one session.

    Parameters
    ----------
    index : int
        From 0 over the whole study.
    view, alt, source : str
        View, description, and the still picture as a data address.
    height, width : int
        Of the still picture in pixels.
    frame_height, frame_width : int
        Of the part of the image it shows; marks are in these pixels.
    marks : tuple of Mark
        Outlines, weakest first so that the brightest lie on top.
    """

    index: int
    view: str
    alt: str
    source: str
    height: int
    width: int
    frame_height: int
    frame_width: int
    marks: tuple[Mark, ...]


@dataclass(frozen=True, slots=True)
class FilmRow:
    """An animal: its arm, status, and one tuple of pictures per day column (empty where it was not imaged)."""

    animal: str
    arm: Arm
    status: str
    reason: str
    days: tuple[tuple[Picture, ...], ...]


@dataclass(frozen=True, slots=True)
class Films:
    """All rows, the day columns, and what the script needs.

    Parameters
    ----------
    days : tuple of float
        Columns.
    rows : tuple of FilmRow
        Grouped by arm.
    views : tuple of str
        Views in a cell.
    size : int
        Bytes of the still pictures in base64.
    """

    days: tuple[float, ...]
    rows: tuple[FilmRow, ...]
    views: tuple[str, ...]
    size: int


def flag_words(flags: int, /, *, short: bool = False) -> str:
    """A detection's flags in words; `short` leaves out what follows from them."""
    words = [meaning for flag, meaning in DETECTION_FLAG_MEANING.items() if DetectionFlag(flags) & flag]
    return "; ".join(meaning.partition(":")[0] if short else meaning for meaning in words)


def detection_words(detection: Detection, /) -> str:
    """A detection in one line: what, where, how bright, how sure."""
    return (
        f"{detection.number} · {detection.kind} · {detection.region or 'no region'} · {estimate_text(detection.flux)} · "
        f"z {number(detection.z, digits=3)} (threshold {number(detection.z_threshold, digits=3)})"
    )


def _thinned(outline: tuple[tuple[float, float], ...], most: int = 28) -> list[tuple[float, float]]:
    """At most `most` points of an outline, evenly taken: a still picture shows no more."""
    if len(outline) <= most:
        return list(outline)
    return [outline[round(k * len(outline) / most)] for k in range(most)]


def outline_pixels(detection: Detection, frame: Frame, pixel_mm: float, /) -> list[tuple[float, float]]:
    """Outline as (x, y) in pixels of the frame, from its upper left corner."""
    return [(x / pixel_mm - frame.x + 0.5, y / pixel_mm - frame.y + 0.5) for y, x in _thinned(detection.outline_mm)]


def mark(detection: Detection, frame: Frame, pixel_mm: float, /) -> Mark:
    """Outline of a detection in pixels of its frame.

    Parameters
    ----------
    detection : Detection
        Its outline is in mm from the image's first pixel centre.
    frame : Frame
        What is shown.
    pixel_mm : float
        Pixel pitch.

    Returns
    -------
    Mark
        In coordinates whose origin is the frame's upper left corner.
    """
    points = outline_pixels(detection, frame, pixel_mm)
    x, y = detection.x_mm / pixel_mm - frame.x + 0.5, detection.y_mm / pixel_mm - frame.y + 0.5
    if len(points) > 2:
        path = "M" + "L".join(f"{px:.1f} {py:.1f}" for px, py in points) + "Z"
        right, top = max(px for px, _ in points), min(py for _, py in points)
    else:
        # no outline: a small ring at the place
        path = f"M{x - 3:.1f} {y:.1f}a3 3 0 1 0 6 0a3 3 0 1 0 -6 0Z"
        right, top = x + 3, y - 3
    # the number's type is a fixed share of the picture's width; it stays inside the picture
    em = 0.115 * frame.width
    label_x = min(max(right + 0.1 * em, 0.0), frame.width - 0.75 * em * len(str(detection.number)))
    label_y = min(max(top + 0.2 * em, em), frame.height - 0.2 * em)
    kind = _KIND_CLASS.get(DetectionKind(detection.kind), "lesion")
    return Mark(detection.number, kind, path, round(label_x, 1), round(label_y, 1), detection_words(detection))


def _alt(session: SessionResult, view: ViewResult) -> str:
    lesions = [d for d in view.detections if d.kind == DetectionKind.LESION]
    others = len(view.detections) - len(lesions)
    found = f"{len(lesions)} lesion{'' if len(lesions) == 1 else 's'}" if lesions else "no lesion"
    text = f"{session.animal}, day {day_text(session.day)}, {view.view}: {found}"
    return text + (f", {others} other signal{'' if others == 1 else 's'}" if others else "")


def _still(view: ViewResult, frame: Frame, window: Window, shrink: int) -> tuple[str, int, int]:
    photo, display = frame.cut(view.photo), frame.cut(view.display)
    indices = picture_indices(photo, display, window)[::shrink, ::shrink]
    data = base64.b64encode(indexed_png(indices, picture_palette())).decode()
    return f"data:image/png;base64,{data}", indices.shape[0], indices.shape[1]


def film_rows(
    results: StudyResults,
    arms: dict[str, Arm],
    frames: dict[tuple[int, int], Frame],
    window: Window,
    /,
    *,
    budget_bytes: float,
) -> Films:
    """Still pictures of the whole study, in rows.

    Parameters
    ----------
    results : StudyResults
        The study.
    arms : dict of str to Arm
        From `arms_of`.
    frames : dict
        From `study_frames`.
    window : Window
        The shared scale.
    budget_bytes : float
        Most that the pictures may take; beyond it every second (fourth, eighth) pixel is shown.

    Returns
    -------
    Films
        Rows grouped by arm, failed and excluded animals in their places.
    """
    shrink = 1
    while True:
        pictures = _pictures(results, frames, window, shrink)
        size = sum(len(picture.source) for picture in pictures.values())
        if size <= budget_bytes or shrink >= 8:
            break
        shrink *= 2
    days = tuple(sorted({session.day for session in results.sessions}))
    sessions = sessions_by_animal(results)
    who = {outcome.animal: (outcome.group, outcome.status, outcome.reason) for outcome in results.outcomes}
    who.update({name: (own[0][1].group, "done", "") for name, own in sessions.items() if name not in who})
    rows = []
    for arm in arms.values():
        for animal, (group, status, reason) in who.items():
            if group != arm.key:
                continue
            columns: list[tuple[Picture, ...]] = []
            for day in days:
                own = [s for s, session in sessions.get(animal, []) if session.day == day]
                columns.append(tuple(pictures[s, v] for s in own for v in range(len(results.sessions[s].views))))
            rows.append(FilmRow(animal, arm, status, reason, tuple(columns)))
    views = tuple(dict.fromkeys(view.view for session in results.sessions for view in session.views))
    return Films(days, tuple(rows), views, size)


def _pictures(
    results: StudyResults, frames: dict[tuple[int, int], Frame], window: Window, shrink: int
) -> dict[tuple[int, int], Picture]:
    pictures: dict[tuple[int, int], Picture] = {}
    for s, session in enumerate(results.sessions):
        for v, view in enumerate(session.views):
            frame = frames[s, v]
            source, height, width = _still(view, frame, window, shrink)
            marks = tuple(mark(detection, frame, view.pixel_mm) for detection in reversed(view.detections))
            index, alt = len(pictures), _alt(session, view)
            pictures[s, v] = Picture(index, view.view, alt, source, height, width, frame.height, frame.width, marks)
    return pictures


def viewer_data(
    results: StudyResults,
    arms: dict[str, Arm],
    frames: dict[tuple[int, int], Frame],
    window: Window,
    packs: dict[str, AnimalPack],
    /,
) -> dict[str, Any]:
    """What the script needs besides the packed pictures, ready for JSON.

    Parameters
    ----------
    results, arms, frames, window
        As for `film_rows`.
    packs : dict of str to AnimalPack
        From `packed_within`.

    Returns
    -------
    dict
        Names, scale, colours, flags in words, and per picture its place, layers and detections.
    """
    animals = list(packs)
    pictures: list[dict[str, Any]] = []
    for s, session in enumerate(results.sessions):
        for v, view in enumerate(session.views):
            frame = frames[s, v]
            pictures.append(
                {
                    "animal": animals.index(session.animal),
                    "arm": arms[session.group].title,
                    "session": session.session,
                    "day": session.day,
                    "view": view.view,
                    "pixel": view.pixel_mm,
                    "y": frame.y,
                    "x": frame.x,
                    "h": frame.height,
                    "w": frame.width,
                    "channels": list(view.channels),
                    **packs[session.animal].places[s, v],
                    "marks": [_viewer_mark(detection, frame, view.pixel_mm) for detection in view.detections],
                }
            )
    return {
        "animals": animals,
        "window": [window.low, window.high],
        "unit": unit_text(RADIANCE_UNIT),
        "colours": {"inferno": _packed(inferno()), "rainbow": _packed(rainbow())},
        "flags": {str(int(flag)): meaning.partition(":")[0] for flag, meaning in PIXEL_FLAG_MEANING.items()},
        "pictures": pictures,
    }


def _packed(colours: Any) -> str:
    return base64.b64encode(colours.tobytes()).decode()


def _viewer_mark(detection: Detection, frame: Frame, pixel_mm: float) -> dict[str, Any]:
    drawn = mark(detection, frame, pixel_mm)
    return {
        "number": drawn.number,
        "kind": drawn.kind,
        "name": detection.kind,
        "path": drawn.path,
        "x": drawn.label_x,
        "y": drawn.label_y,
        "region": detection.region,
        "flux": estimate_text(detection.flux),
        "z": f"z {number(detection.z, digits=3)}, threshold {number(detection.z_threshold, digits=3)}",
        "flags": flag_words(detection.flags),
    }


@dataclass(frozen=True, slots=True)
class Tick:
    """A mark of the colour bar: its share of the length in per cent, and its label."""

    x: float
    label: str


def scale_ticks(window: Window, /) -> tuple[Tick, ...]:
    """Labelled ticks of the shared colour bar."""
    return tuple(Tick(round(100 * window.share(value), 2), number(value, digits=1)) for value in window.ticks())


def scale_stops() -> tuple[tuple[float, str], ...]:
    """Stops of the colour bar's gradient: per cent and colour."""
    colours = inferno()
    places = [round(k * 255 / 24) for k in range(25)]
    return tuple((round(100 * k / 255, 2), "#" + bytes(colours[k]).hex()) for k in places)
