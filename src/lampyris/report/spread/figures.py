"""Figures of what was followed: cells of each lesion and organ, when organs were reached, and how long signal lasts."""

import math
from collections.abc import Sequence

from lampyris.core.estimate import Estimate
from lampyris.core.study import StudyResults
from lampyris.report.arms import Arm
from lampyris.report.curves import AnimalCurve
from lampyris.report.drawing.axes import (
    Scale,
    day_ticks,
    draw_bottom,
    draw_left,
    draw_title,
    draw_up_label,
    even_ticks,
    log_ends,
    log_ticks,
)
from lampyris.report.drawing.scene import (
    FAINT,
    INK,
    PAPER,
    SOFT,
    Note,
    Pen,
    Point,
    Scene,
    Type,
    figure_text,
    text_width_mm,
)
from lampyris.report.figures import day_panel, day_scale, draw_curve
from lampyris.report.identities import CELLS_UNIT, animals_done, interval_text, is_lower_bound
from lampyris.report.links import Link
from lampyris.report.numbers import day_text
from lampyris.report.spread.bodymap import tint
from lampyris.report.spread.reach import (
    ANY,
    Course,
    arm_reach,
    organ_title,
    reach_words,
    reached_organs,
    reached_text,
)

_AT_RISK_MM = 3.2
# of organs that have a panel of their own; the table holds all
MOST_ORGANS = 8


def organ_curves_figure(
    organ: str, curves: Sequence[tuple[Arm, AnimalCurve]], every: Sequence[AnimalCurve], /
) -> Scene:
    """Cells of each lesion in an organ over days, a line per lesion in its arm's colour.

    Parameters
    ----------
    organ : str
        Which.
    curves : sequence of (Arm, AnimalCurve)
        Its lesions.
    every : sequence of AnimalCurve
        Lesions of all organs: they set the shared axes.

    Returns
    -------
    Scene
    """
    scene, across, up = day_panel(f"{organ}, n\u00a0=\u00a0{len(curves)}", CELLS_UNIT, every)
    for arm, curve in curves:
        draw_curve(scene, curve, across, up, arm.colour, CELLS_UNIT)
    return scene


def _steps(days: Sequence[float], values: Sequence[float], across: Scale, up: Scale) -> list[Point]:
    """A curve that rises on the day of a session and holds until the next."""
    points = [(across(days[0]), up(0.0))]
    for day, value in zip(days, values, strict=True):
        points += [(across(day), points[-1][1]), (across(day), up(value))]
    return [*points, (across.end, points[-1][1])]


def _draw_onset(scene: Scene, arm: Arm, course: Course, across: Scale, level: Scale, dodge: float) -> None:
    # lines and intervals of the arms stand a little apart, so that equal ones do not hide each other
    up = Scale(level.low, level.high, level.start - 0.3 * dodge, level.end - 0.3 * dodge)
    across = Scale(across.low, across.high, across.start + dodge, across.end + dodge)
    row = course.row
    seen = [share.value for share in row.reached]
    may = [max(p, s) if math.isfinite(p) else s for p, s in zip(row.possible, seen, strict=True)]
    lower, upper = _steps(row.days, seen, across, up), _steps(row.days, may, across, up)
    scene.area([*upper, *reversed(lower)], Pen(fill=arm.colour, opacity=0.16))
    scene.line(lower, Pen(arm.colour, 1.4))
    for day, share in zip(row.days, row.reached, strict=True):
        x = across(day)
        note = Note(reach_words(course, arm.title, day))
        scene.line([(x, up(share.low)), (x, up(share.high))], Pen(arm.colour, 0.7, opacity=0.7), note)
        scene.disc((x, up(share.value)), 0.6, Pen(fill=arm.colour), note)


def onset_figure(results: StudyResults, arms: Sequence[Arm], organ: str, /) -> Scene | None:
    """Share of animals in which an organ was reached, a step curve per arm, with numbers below.

    Parameters
    ----------
    results : StudyResults
        Its `reach` rows are drawn: seen by a day as a line, what may have been reached unseen as a band above it.
    arms : sequence of Arm
        Those with animals.
    organ : str
        Organ, or ``any``.

    Returns
    -------
    Scene or None
        None where no arm has a row of that organ.
    """
    courses = [(arm, arm_reach(results, arm.key).get(organ)) for arm in arms]
    known = [(arm, course) for arm, course in courses if course is not None]
    if not known:
        return None
    days = sorted({day for _, course in known for day in course.row.days})
    scene = Scene(88.0, 58.0 + _AT_RISK_MM * (len(known) + 1))
    across = day_scale(days, 26.0, scene.width - 1.0)
    up = Scale(0.0, 1.0, 46.0, 8.0)
    draw_left(scene, up, across.start, even_ticks(0.0, 1.0))
    draw_bottom(scene, across, up.start, day_ticks(days, across), "days since inoculation")
    draw_up_label(scene, 16.0, (up.start + up.end) / 2, "share of animals reached")
    draw_title(scene, (across.start, 4.5), organ_title(organ), width=60.0, most=1)
    scene.text((0.5, up.start + 12.5), "reached / under observation", Type(6.0, colour=SOFT))
    for k, (arm, course) in enumerate(known):
        _draw_onset(scene, arm, course, across, up, 0.9 * (k - 0.5 * (len(known) - 1)))
        y = up.start + 12.5 + _AT_RISK_MM * (k + 1)
        scene.box((0.5, y - 1.6), (1.6, 1.6), Pen(fill=arm.colour))
        scene.text((2.8, y), figure_text(arm.title, longest=19), Type(6.0))
        ticks = {day for day, _ in day_ticks(days, across)}
        for i, day in enumerate(course.row.days):
            if day in ticks:
                scene.text((across(day), y), f"{course.count(i)}/{course.observed[i]}", Type(6.0, "middle"))
    return scene


def onset_label(results: StudyResults, arms: Sequence[Arm], organ: str, /) -> str:
    """An onset figure in words."""
    parts = []
    for arm in arms:
        course = arm_reach(results, arm.key).get(organ)
        if course is not None:
            parts.append(f"{arm.title} {reached_text(course)}")
    return f"{organ_title(organ)}: share of animals reached over days. {'; '.join(parts)}"


def onset_organs(results: StudyResults, /) -> list[str]:
    """Organs with a panel: any organ, then those that were reached."""
    known = {row.organ for row in results.reach if row.days}
    return [organ for organ in (ANY, *reached_organs(results)[:MOST_ORGANS]) if organ in known]


def _on_paper(colour: str, opacity: float) -> str:
    """Black or white, whichever is read better on a tint; the page's ink where there is next to none."""
    red, green, blue = (int(colour[k : k + 2], 16) for k in (1, 3, 5))
    light = 255 * (1 - opacity) + opacity * (0.299 * red + 0.587 * green + 0.114 * blue)
    return INK if opacity < 0.1 else "#ffffff" if light < 128 else "#000000"


def reach_figure(results: StudyResults, arm: Arm, /) -> Scene | None:
    """Animals of an arm in which each organ was reached by each day, as a tinted table for paper.

    Parameters
    ----------
    results : StudyResults
        The study.
    arm : Arm
        Whose animals.

    Returns
    -------
    Scene or None
        None where no organ was reached.
    """
    courses = [
        c
        for organ, c in arm_reach(results, arm.key).items()
        if organ == ANY or any(map(c.count, range(len(c.row.days))))
    ]
    if not courses or not any(courses[0].count(k) for k in range(len(courses[0].row.days))):
        return None
    days = courses[0].row.days
    names = [figure_text(organ_title(course.row.organ), longest=24) for course in courses]
    left, row = 2.0 + max(text_width_mm(name, 6.5) for name in names), 4.6
    step = min(14.0, (88.0 - left) / len(days))
    scene = Scene(88.0, 16.0 + row * len(courses))
    draw_title(scene, (0.0, 4.5), f"{arm.title}: animals reached by day", width=88.0, most=1)
    for r, (course, name) in enumerate(zip(courses, names, strict=True)):
        y = 7.0 + row * r
        scene.text((left - 1.2, y + 0.5 * row + 0.8), name, Type(6.5, "end"))
        for d, day in enumerate(days):
            k = course.at(day)
            share = course.row.reached[k].value if k >= 0 else 0.0
            scene.box((left + step * d + 0.2, y + 0.2), (step - 0.4, row - 0.4), Pen(FAINT, 0.4))
            scene.box(
                (left + step * d + 0.2, y + 0.2), (step - 0.4, row - 0.4), Pen(fill=arm.colour, opacity=tint(share))
            )
            shown = f"{course.count(k)}/{course.observed[k]}" if k >= 0 else "–"
            paper = _on_paper(arm.colour, tint(share))
            scene.text((left + step * (d + 0.5), y + 0.5 * row + 0.75), shown, Type(6.0, "middle", colour=paper))
    bottom = 7.0 + row * len(courses)
    for d, day in enumerate(days):
        scene.text((left + step * (d + 0.5), bottom + 3.2), day_text(day), Type(6.5, "middle"))
    scene.text((left + step * len(days) / 2, bottom + 7.0), "days since inoculation", Type(7.0, "middle"))
    return scene


def lasting_figure(
    results: StudyResults, arms: Sequence[Arm], title: str, values: dict[str, Estimate], /, *, logarithmic: bool
) -> Scene | None:
    """One value per animal with its interval, by arm.

    Parameters
    ----------
    results : StudyResults
        The study.
    arms : sequence of Arm
        Those with animals.
    title : str
        What is shown, with its unit.
    values : dict of str to Estimate
        By animal; lower bounds are drawn as open bars, those without a number not at all.
    logarithmic : bool
        Of the axis.

    Returns
    -------
    Scene or None
        None where no animal has a value.
    """
    known = {animal: v for animal, v in values.items() if math.isfinite(v.value) or is_lower_bound(v)}
    ends = [e for value in known.values() for e in (value.low, value.value, value.high) if math.isfinite(e)]
    if not known:
        return None
    shown = [(arm, [o.animal for o in animals_done(results, arm.key)]) for arm in arms]
    shown = [(arm, animals) for arm, animals in shown if any(animal in known for animal in animals)]
    names = [f"{figure_text(arm.title, longest=22)}, n = {sum(a in known for a in animals)}" for arm, animals in shown]
    rows = sum(1 + sum(animal in known for animal in animals) for _, animals in shown)
    scene = Scene(88.0, 20.0 + 3.6 * rows)
    left = min(30.0, 4.0 + max(text_width_mm(figure_text(animal, longest=14), 6.5) for animal in known))
    low, high = log_ends(ends) if logarithmic else (min(0.0, *ends), max(ends) * 1.05 or 1.0)
    across = Scale(low, high, left, scene.width - 2.0, logarithmic)
    draw_title(scene, (0.5, 4.5), title, width=scene.width, most=1)
    y = 8.0
    for (arm, animals), name in zip(shown, names, strict=True):
        scene.box((0.5, y - 0.4), (1.6, 1.6), Pen(fill=arm.colour))
        scene.text((2.8, y + 1.0), name, Type(6.5, bold=True))
        y += 3.6
        for animal in (animal for animal in animals if animal in known):
            _draw_lasting(scene, animal, known[animal], across, y, arm)
            y += 3.6
    ticks = log_ticks(low, high)[0] if logarithmic else even_ticks(low, high)
    draw_bottom(scene, across, y, ticks)
    return scene


def _draw_lasting(scene: Scene, animal: str, value: Estimate, across: Scale, y: float, arm: Arm) -> None:
    scene.line([(across.start, y), (across.end, y)], Pen(FAINT, 0.3))
    scene.text((across.start - 1.5, y + 0.8), figure_text(animal, longest=14), Type(6.5, "end"))
    words = f"{animal}, {arm.title}: {interval_text(value, value.unit if value.unit != '1' else '')}"
    note = Note(words, Link(animal).pairs, "point")
    if is_lower_bound(value):
        place = across.clipped(value.low)
        scene.line([(place, y), (across.end, y)], Pen(arm.colour, 1.2, dashes=(2, 2)), note)
        scene.line([(place, y - 0.9), (place, y + 0.9)], Pen(arm.colour, 1.2), note)
        return
    if math.isfinite(value.high - value.low):
        ends = across.clipped(value.low), across.clipped(value.high)
        scene.line([(ends[0], y), (ends[1], y)], Pen(arm.colour, 1.2), note)
    scene.disc((across.clipped(value.value), y), 0.75, Pen(PAPER, 0.4, arm.colour), note)
