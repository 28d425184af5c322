"""A relation between two endpoints: every animal as a point in its arm's colour."""

import math
from collections.abc import Mapping

from lampyris.core.analyses import Relation
from lampyris.report.arms import Arm
from lampyris.report.drawing.axes import LABEL_PT, Scale, draw_bottom, draw_left, draw_up_label, even_ticks
from lampyris.report.drawing.scene import PAPER, SOFT, Note, Pen, Scene, Type, figure_text, text_width_mm, wrapped
from lampyris.report.links import Link
from lampyris.report.numbers import number, value_interval
from lampyris.report.sentences import p_words

_WIDTH_MM = 88.0
_LEFT_MM, _TOP_MM, _FOOT_MM = 16.0, 12.0, 9.0
_PANEL_MM, _LEGEND_MM = 46.0, 3.6


def relation_scene(relation: Relation, arms: Mapping[str, Arm], /) -> Scene:
    """Every animal as a point, with r, its interval, p and n above.

    Parameters
    ----------
    relation : Relation
    arms : mapping of str to Arm
        Colours.

    Returns
    -------
    Scene
        88 mm wide, one column of a journal.
    """
    legend = _legend([arms[group] for group in dict.fromkeys(relation.groups)])
    base = _TOP_MM + _PANEL_MM
    scene = Scene(_WIDTH_MM, base + _FOOT_MM + _LEGEND_MM * (1 + max(row for row, _, _ in legend)) + 1.0)
    across = _scale(relation.x_values, _LEFT_MM, _WIDTH_MM - 2.0)
    up = _scale(relation.y_values, base, _TOP_MM)
    draw_left(scene, up, across.start, even_ticks(up.low, up.high))
    longest = int((_WIDTH_MM - _LEFT_MM) / text_width_mm("x", LABEL_PT))
    draw_bottom(scene, across, up.start, even_ticks(across.low, across.high), figure_text(relation.x, longest=longest))
    for k, line in enumerate(wrapped(relation.y, width=int((base + 4.0) / text_width_mm("x", LABEL_PT)))[:2]):
        draw_up_label(scene, 2.8 + 3.0 * k, (up.start + up.end) / 2, line)
    r, test = relation.r, relation.tests[0]
    where = "within arms" if not relation.group else arms[relation.group].title
    head = f"r = {value_interval(r.value, r.low, r.high)}, {p_words(test.p)}, n = {len(relation.animals)}"
    scene.text((_LEFT_MM, 4.0), figure_text(head, longest=80), Type(7.0, bold=True))
    words = figure_text(where, longest=30)
    if math.isfinite(relation.p_adjusted):
        words += f"; adjusted over the relations {p_words(relation.p_adjusted)}"
    scene.text((_LEFT_MM, 7.4), words, Type(6.5, colour=SOFT))
    points = zip(relation.animals, relation.groups, relation.x_values, relation.y_values, strict=True)
    for animal, group, x, y in points:
        note = Note(
            f"{animal} ({arms[group].title}): {number(x, digits=3)}, {number(y, digits=3)}", Link(animal).pairs, "point"
        )
        scene.disc((across(x), up(y)), 0.9, Pen(PAPER, 0.3, arms[group].colour, 0.9), note)
    for row, x, arm in legend:
        y = base + _FOOT_MM + _LEGEND_MM * (row + 1)
        scene.disc((x, y - 0.8), 0.9, Pen(PAPER, 0.3, arm.colour, 0.9))
        scene.text((x + 1.8, y), figure_text(arm.title, longest=40), Type(6.5))
    return scene


def _legend(arms: list[Arm]) -> list[tuple[int, float, Arm]]:
    """Row and place of each arm's name, in rows that fit the width."""
    places = []
    row, x = 0, _LEFT_MM
    for arm in arms:
        need = 5.0 + text_width_mm(figure_text(arm.title, longest=40), 6.5)
        if x > _LEFT_MM and x + need > _WIDTH_MM:
            row, x = row + 1, _LEFT_MM
        places.append((row, x, arm))
        x += need
    return places


def _scale(values: tuple[float, ...], start: float, end: float) -> Scale:
    low, high = min(values), max(values)
    air = 0.07 * (high - low) or 0.1 * abs(high) or 0.5
    return Scale(low - air, high + air, start, end)
