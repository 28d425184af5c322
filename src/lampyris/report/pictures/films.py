"""The films: for every animal and day its views as still pictures with outlines, each outline with its lesion's name."""

import base64
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from lampyris.core.flags import DETECTION_FLAG_MEANING, DetectionFlag
from lampyris.core.results import Detection
from lampyris.core.study import SessionResult, StudyResults, ViewResult
from lampyris.report.arms import Arm
from lampyris.report.drawing.colours import palette
from lampyris.report.drawing.png import indexed_png
from lampyris.report.identities import Identity, identities_of, lesion_lines, sighting_of, sighting_text
from lampyris.report.links import Link
from lampyris.report.numbers import day_text, estimate_text, number
from lampyris.report.pictures.engine import mapped
from lampyris.report.pictures.packing import Frame, sessions_by_animal
from lampyris.report.pictures.scale import Window, picture_indices, picture_palette


@dataclass(frozen=True, slots=True)
class Mark:
    """An outline on a picture: an SVG path in pixels of the frame, where its name stands, and the hover text.

    Parameters
    ----------
    name : str
        Of its lesions, or the detection's number where it belongs to none.
    style : str
        ``lesion`` for what counts as tumour, ``other`` for the rest.
    kind : str
        What it is taken for.
    path : str
        In pixels from the frame's upper left corner, as are the label's place.
    label_x, label_y : float
        Left end of the name, beside the outline and inside the picture.
    corner : (float, float)
        Upper right corner of the outline (x, y).
    words : str
    lesions : tuple of int
        Numbers of the lesions it shows.
    """

    name: str
    style: str
    kind: str
    path: str
    label_x: float
    label_y: float
    corner: tuple[float, float]
    words: str
    lesions: tuple[int, ...] = ()

    @property
    def label(self) -> str:
        """Its name; of what is no tumour in brackets."""
        return _label(self.name, self.style)


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
    link : Link
        Its animal, day and view.
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
    link: Link

    def link_of(self, mark: Mark, /) -> Link:
        """What one of its marks is about."""
        return replace(self.link, lesions=mark.lesions)


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


def mark_words(detection: Detection, identity: Identity, session: str, /) -> str:
    """An outline in a few lines: which lesion, what, where, how much, how sure."""
    lines = []
    for lesion in identity.lesions:
        lines += lesion_lines(lesion)
        sighting = sighting_of(lesion, session)
        if sighting is not None:
            lines.append(sighting_text(lesion, sighting))
    sure = f"z {number(detection.z, digits=3)} (threshold {number(detection.z_threshold, digits=3)})"
    place = detection.region or "no region"
    head = [] if identity.lesions else [f"{detection.number} · {detection.kind} · {place}"]
    return "\n".join([*lines, *head, f"{estimate_text(detection.flux)}, {sure}"])


def _label(name: str, style: str) -> str:
    return name if style == "lesion" else f"({name})"


def thinned(outline: tuple[tuple[float, float], ...], most: int = 28) -> list[tuple[float, float]]:
    """At most `most` points of an outline, evenly taken: a still picture shows no more."""
    if len(outline) <= most:
        return list(outline)
    return [outline[round(k * len(outline) / most)] for k in range(most)]


def outline_pixels(detection: Detection, frame: Frame, pixel_mm: float, /) -> list[tuple[float, float]]:
    """Outline as (x, y) in pixels of the frame, from its upper left corner."""
    return [(x / pixel_mm - frame.x + 0.5, y / pixel_mm - frame.y + 0.5) for y, x in thinned(detection.outline_mm)]


def outline_path(points: list[tuple[float, float]], /) -> str:
    """SVG path of a closed outline."""
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points) + "Z"


def mark(detection: Detection, identity: Identity, session: str, frame: Frame, pixel_mm: float, /) -> Mark:
    """Outline of a detection in pixels of its frame.

    Parameters
    ----------
    detection : Detection
        Its outline is in mm from the image's first pixel centre.
    identity : Identity
        Which lesion it shows.
    session : str
        In which it lies.
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
        path = outline_path(points)
        left, right, top = min(px for px, _ in points), max(px for px, _ in points), min(py for _, py in points)
    else:
        # no outline: a small ring at the place
        path = f"M{x - 3:.1f} {y:.1f}a3 3 0 1 0 6 0a3 3 0 1 0 -6 0Z"
        left, right, top = x - 3, x + 3, y - 3
    style = "lesion" if identity.tumour else "other"
    # the name's type is a fixed share of the picture's width; it stays inside the picture, on the side that has room
    em = 0.115 * frame.width
    width = 0.68 * em * len(_label(identity.name, style))
    label_x, most = right + 0.15 * em, frame.width - width - 0.1 * em
    if label_x > most:
        label_x = left - 0.15 * em - width if left > width else most
    label_x, label_y = max(label_x, 0.0), min(max(top + 0.2 * em, em), frame.height - 0.2 * em)
    words, corner = mark_words(detection, identity, session), (round(right, 1), round(top, 1))
    lesions = tuple(lesion.number for lesion in identity.lesions)
    return Mark(identity.name, style, identity.kind, path, round(label_x, 1), round(label_y, 1), corner, words, lesions)


def _alt(session: SessionResult, view: ViewResult, found: list[Identity]) -> str:
    lesions = [identity for identity in found if identity.tumour]
    others = len(found) - len(lesions)
    text = f"{session.animal}, day {day_text(session.day)}, {view.view}: "
    text += f"{len(lesions)} lesion{'' if len(lesions) == 1 else 's'}" if lesions else "no lesion"
    if any(identity.lesions for identity in lesions):
        text += f" ({', '.join(identity.name for identity in lesions)})"
    return text + (f", {others} other signal{'' if others == 1 else 's'}" if others else "")


def still_indices(
    sessions: Sequence[SessionResult],
    frames: dict[tuple[int, int], Frame],
    window: Window,
    /,
    *,
    engine: Executor | None = None,
) -> dict[tuple[int, int], NDArray[np.uint8]]:
    """Every view as a still picture: indices of `picture_palette`, dims (y, x), for the page and for the figures."""
    # by number: to go through the sessions would read their images
    own_frames: list[list[Frame]] = [[] for _ in range(len(sessions))]
    for s, v in sorted(frames):
        own_frames[s].append(frames[s, v])
    stills = mapped(partial(_indices, sessions, window), enumerate(own_frames), engine=engine)
    return {(s, v): still for s, own in enumerate(stills) for v, still in enumerate(own)}


def _indices(
    sessions: Sequence[SessionResult], window: Window, own: tuple[int, list[Frame]]
) -> list[NDArray[np.uint8]]:
    s, frames = own
    return [
        picture_indices(frame.cut(view.photo), frame.cut(view.display), window)
        for frame, view in zip(frames, sessions[s].views, strict=True)
    ]


def _still(indices: NDArray[np.uint8], shrink: int) -> tuple[str, int, int]:
    small = indices[::shrink, ::shrink]
    data = base64.b64encode(indexed_png(small, picture_palette(), effort=7)).decode()
    return f"data:image/png;base64,{data}", small.shape[0], small.shape[1]


def film_rows(
    results: StudyResults,
    arms: dict[str, Arm],
    frames: dict[tuple[int, int], Frame],
    stills: dict[tuple[int, int], NDArray[np.uint8]],
    /,
    *,
    budget_bytes: float,
    engine: Executor | None = None,
) -> Films:
    """Still pictures of the whole study, in rows.

    Parameters
    ----------
    results : StudyResults
        The study.
    arms : dict of str to Arm
        From `arms_of`.
    frames : dict
        From `common_frames`.
    stills : dict
        From `still_indices`.
    budget_bytes : float
        Most that the pictures may take; beyond it every second (fourth, eighth) pixel is shown.
    engine : concurrent.futures.Executor, optional
        What deflates them.

    Returns
    -------
    Films
        Rows grouped by arm, failed and excluded animals in their places.
    """
    shrink = 1
    while True:
        made = mapped(partial(_still, shrink=shrink), stills.values(), engine=engine)
        sources = dict(zip(stills, made, strict=True))
        size = sum(len(source) for source, _, _ in sources.values())
        if size <= budget_bytes or shrink >= 8:
            break
        shrink *= 2
    pictures = _pictures(results, frames, sources)
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
    results: StudyResults, frames: dict[tuple[int, int], Frame], sources: dict[tuple[int, int], tuple[str, int, int]]
) -> dict[tuple[int, int], Picture]:
    names = identities_of(results)
    pictures: dict[tuple[int, int], Picture] = {}
    for s, session in enumerate(results.sessions):
        for v, view in enumerate(session.views):
            frame, (source, height, width) = frames[s, v], sources[s, v]
            found = [names.of(session.animal, session.session, view.view, d) for d in view.detections]
            marks = [
                mark(detection, identity, session.session, frame, view.pixel_mm)
                for detection, identity in zip(view.detections, found, strict=True)
            ]
            index, alt = len(pictures), _alt(session, view, found)
            pictures[s, v] = Picture(
                index, view.view, alt, source, height, width, frame.height, frame.width, tuple(reversed(marks)),
                Link(session.animal, (), session.day, view.view),
            )  # fmt: skip
    return pictures


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
    colours = palette("inferno")
    places = [round(k * 255 / 24) for k in range(25)]
    return tuple((round(100 * k / 255, 2), "#" + bytes(colours[k]).hex()) for k in places)
