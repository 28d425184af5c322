"""The body map: a mouse from the back and from the belly per arm, organs tinted by the share of animals reached."""

import math
from collections.abc import Sequence
from typing import Any

from lampyris.core.lesions import Lesion
from lampyris.core.study import StudyResults
from lampyris.report.arms import Arm
from lampyris.report.drawing.axes import draw_title
from lampyris.report.drawing.scene import INK, NONE, PAPER, SOFT, Note, Pen, Point, Scene, Type
from lampyris.report.identities import animals_done, arrival_text, call_text, interval_text, is_tumour, short_name
from lampyris.report.links import Link
from lampyris.report.spread.mouse import VIEWS, across_picture, body_outline, facing, organs_facing
from lampyris.report.spread.reach import ANY, Course, arm_reach, reach_words

ELSEWHERE = "subcutis"
_SCALE = 0.56
_WIDTH_MM, _MOUSE_MM, _TOP_MM = 46.0, 21.5, 10.0
_HEIGHT_MM = _TOP_MM + 0.56 * 112.0
# a lesion on the far side of the body shines through
_FAR = 0.3


def tint(share: float, /) -> float:
    """Opacity of an organ's tint for the share of animals reached; nothing for none."""
    return round(0.18 + 0.72 * share, 3) if share > 0 else 0.0


class _Mouse:
    """One view of an arm's panel: from nominal mm to the panel."""

    def __init__(self, scene: Scene, view: str, left: float) -> None:
        self.scene, self.view, self.left = scene, view, left

    def place(self, across: float, along: float) -> Point:
        return self.left + 0.5 * _MOUSE_MM + _SCALE * across, _TOP_MM + _SCALE * along

    def places(self, points: Sequence[Point]) -> list[Point]:
        return [self.place(x, y) for x, y in points]


def _draw_mouse(mouse: _Mouse, arm: Arm, rows: dict[str, Course], day: float) -> None:
    scene, body = mouse.scene, mouse.places(body_outline())
    scene.text((mouse.left + 0.5 * _MOUSE_MM, _TOP_MM - 1.8), mouse.view, Type(6.5, "middle", colour=SOFT))
    _draw_tint(scene, body, arm, rows.get(ELSEWHERE), day, False)
    scene.area(body, Pen(INK, 0.8))
    seen: set[str] = set()
    for shape in organs_facing(mouse.view):
        outline = mouse.places(shape.outline(mouse.view))
        scene.area(outline, Pen(SOFT, 0.4))
        focus = facing(shape.organ) == mouse.view and shape.organ not in seen
        seen |= {shape.organ} if focus else set()
        _draw_tint(scene, outline, arm, rows.get(shape.organ), day, focus)


def _draw_tint(scene: Scene, outline: list[Point], arm: Arm, course: Course | None, day: float, focus: bool) -> None:
    if course is None:
        return
    k = course.at(day)
    share = course.row.reached[k].value if k >= 0 else 0.0
    data = (("organ", course.row.organ), ("arm", str(arm.index)))
    note = Note(reach_words(course, arm.title, day), data, "tint", focus)
    scene.area(outline, Pen(NONE, 0.0, arm.colour, tint(share)), note)


def lesion_words(animal: str, lesion: Lesion, /) -> str:
    """A dot of the map in words."""
    place = ", ".join(interval_text(value, "mm") for value in lesion.position_mm[1:2])
    return (
        f"{animal} {short_name(lesion)} · {call_text(lesion.kind, lesion.kinds)} · {call_text(lesion.organ, lesion.organs)} · "
        f"{place} from the nose · appeared {arrival_text(lesion.after_day, lesion.by_day)}"
    )


def _draw_dots(mouse: _Mouse, found: list[tuple[str, Lesion]], day: float) -> None:
    for animal, lesion in found:
        z, y, x = (value.value for value in lesion.position_mm)
        near = math.isnan(z) or (z >= 0) == (mouse.view == "dorsal")
        place = mouse.place(across_picture(x, mouse.view), y)
        hidden = "dot later" if lesion.by_day > day else "dot"
        data = (("by", f"{lesion.by_day:g}"), *Link(animal, (lesion.number,), lesion.by_day).pairs)
        note = Note(lesion_words(animal, lesion), data, hidden)
        opacity = 1.0 if near else _FAR
        if is_tumour(lesion.kind):
            mouse.scene.disc(place, 0.62, Pen(PAPER, 0.5, INK, opacity), note)
        else:
            mouse.scene.disc(place, 0.55, Pen(SOFT, 0.7, PAPER, opacity, (1.0, 0.8)), note)


def placed_lesions(results: StudyResults, group: str, /) -> list[tuple[str, Lesion]]:
    """Lesions of an arm that have a place and a day, with their animals."""
    return [
        (outcome.animal, lesion)
        for outcome in animals_done(results, group)
        for lesion in outcome.lesions
        if math.isfinite(lesion.by_day) and all(math.isfinite(value.value) for value in lesion.position_mm[1:])
    ]


def map_scene(results: StudyResults, arm: Arm, day: float, /, *, later: bool = False) -> Scene:
    """The body map of one arm on one day.

    Parameters
    ----------
    results : StudyResults
        The study.
    arm : Arm
        Whose animals.
    day : float
        Which day.
    later : bool
        Draw lesions that appear later too, for the page's script to show on their day.

    Returns
    -------
    Scene
        46 mm wide.
    """
    rows = arm_reach(results, arm.key)
    found = placed_lesions(results, arm.key)
    found = found if later else [(animal, lesion) for animal, lesion in found if lesion.by_day <= day]
    scene = Scene(_WIDTH_MM, _HEIGHT_MM)
    n = max((course.row.n for course in rows.values()), default=len(animals_done(results, arm.key)))
    draw_title(scene, (1.0, 4.0), f"{arm.title} (n = {n})", width=_WIDTH_MM - 2, most=1)
    for k, view in enumerate(VIEWS):
        mouse = _Mouse(scene, view, 1.0 + k * (_MOUSE_MM + 1.0))
        _draw_mouse(mouse, arm, rows, day)
        _draw_dots(mouse, found, day)
    return scene


def legend_scene() -> Scene:
    """What the tints and dots mean."""
    scene = Scene(88.0, 6.0)
    scene.text((0.0, 4.2), "share of animals reached", Type(6.5))
    for k, share in enumerate((0.0, 0.25, 0.5, 0.75, 1.0)):
        x = 31.0 + 6.0 * k
        scene.box((x, 1.6), (6.0, 3.2), Pen(SOFT, 0.4))
        scene.box((x, 1.6), (6.0, 3.2), Pen(NONE, 0.0, SOFT, tint(share)))
        dark = tint(share) > 0.5
        scene.text((x + 3.0, 4.1), f"{share:g}", Type(6.0, "middle", colour=PAPER if dark else INK))
    scene.disc((66.0, 3.2), 0.62, Pen(PAPER, 0.5, INK))
    scene.text((67.4, 4.1), "lesion", Type(6.5))
    scene.disc((76.0, 3.2), 0.55, Pen(SOFT, 0.7, PAPER, 1.0, (1.0, 0.8)))
    scene.text((77.4, 4.1), "other", Type(6.5))
    return scene


def map_data(results: StudyResults, arms: Sequence[Arm], days: Sequence[float], /) -> dict[str, Any]:
    """Tints and words of every arm, organ and day, for the page's script.

    Parameters
    ----------
    results : StudyResults
        The study.
    arms : sequence of Arm
        Those shown.
    days : sequence of float
        Of the slider.

    Returns
    -------
    dict
        ``days``, and per arm's colour index the organs with ``tint`` and ``words`` per day.
    """
    by_arm: dict[str, dict[str, Any]] = {}
    for arm in arms:
        organs = {}
        for organ, course in arm_reach(results, arm.key).items():
            places = [course.at(day) for day in days]
            organs[organ] = {
                "tint": [tint(course.row.reached[k].value) if k >= 0 else 0.0 for k in places],
                "words": [reach_words(course, arm.title, day) for day in days],
            }
        by_arm[str(arm.index)] = organs
    return {"days": list(days), "arms": by_arm, "any": ANY}
