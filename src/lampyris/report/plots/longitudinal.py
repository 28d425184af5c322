"""Values over days: a thin line per subject, means of groups with intervals, and how many were measured on each day."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from lampyris.core.estimate import Estimate
from lampyris.report.axes import Scale, day_ticks, draw_bottom
from lampyris.report.levels import level_text
from lampyris.report.numbers import day_text, number
from lampyris.report.plots.frame import (
    COLUMN_MM,
    LINE_MM,
    NAME_PT,
    draw_foot,
    draw_up_axis,
    foot_height,
    foot_lines,
    group_colours,
    interval_bar,
    left_margin,
    value_scale,
)
from lampyris.report.scene import INK, PAPER, Note, Pen, Scene, Type, figure_text, text_width_mm

_PANEL_MM = 52.0
# line patterns tell groups apart in print without colour
_DASHES: tuple[tuple[float, ...], ...] = ((), (4, 2), (1, 1.5), (6, 1.5, 1, 1.5), (8, 2), (2, 2))


@dataclass(frozen=True, slots=True)
class Course:
    """One subject over days.

    Parameters
    ----------
    subject, group : str
    days, values : tuple of float
        In the order of days; a value that is not finite is passed over.
    below : tuple of bool
        Whether a value is a limit that the true one lies below; empty where none is.
    """

    subject: str
    group: str
    days: tuple[float, ...]
    values: tuple[float, ...]
    below: tuple[bool, ...] = ()


@dataclass(frozen=True, slots=True)
class DayMean:
    """Mean of a group on a day.

    Parameters
    ----------
    group : str
    day : float
    n : int
        Subjects measured then.
    mean : Estimate
        With its interval.
    """

    group: str
    day: float
    n: int
    mean: Estimate


def longitudinal_plot(
    courses: Sequence[Course],
    means: Sequence[DayMean],
    /,
    *,
    label: str,
    day_label: str = "day",
    logarithmic: bool = False,
    control: str = "",
    width_mm: float = COLUMN_MM,
    notes: Sequence[str] = (),
) -> Scene:
    """Every subject as a thin line over days, and the groups' means with intervals.

    Parameters
    ----------
    courses : sequence of Course
        At least one.
    means : sequence of DayMean
        Of a model or of the values; empty where none is to be drawn.
    label : str
        Of the values, with their unit.
    day_label : str
        Of the axis of time.
    logarithmic : bool
        Values on a logarithmic axis; all must be above 0.
    control : str
        Group drawn in grey.
    width_mm : float
        85 for one column of a journal, 180 for two.
    notes : sequence of str
        Paragraphs at the foot, such as the test.

    Returns
    -------
    Scene
        With the number of subjects per group and day below the axis.

    Raises
    ------
    ValueError
        If there is no course, or a value cannot stand on a logarithmic axis.
    """
    if not courses:
        raise ValueError("a plot over days needs at least one subject")
    ends = [v for one in courses for v in one.values] + [
        e for m in means for e in (m.mean.low, m.mean.high, m.mean.value)
    ]
    if logarithmic and any(value <= 0 for one in courses for value in one.values):
        raise ValueError("a logarithmic axis needs values above 0")
    groups = list(dict.fromkeys(one.group for one in courses))
    legend = _legend_rows(groups, width_mm)
    above = 2.0 + LINE_MM * 1.15 * len(legend)
    scale = value_scale(ends, above + _PANEL_MM, above, logarithmic=logarithmic)
    left = max(left_margin(scale, label), 3.0 + min(max(text_width_mm(g, NAME_PT) for g in groups), 0.25 * width_mm))
    foot = foot_lines([_said(means), *notes], width_mm - 2.0)
    below = 8.5 + LINE_MM * (len(groups) + 1)
    scene = Scene(width_mm, scale.start + below + foot_height(foot))
    days = sorted({day for one in courses for day in one.days})
    across = _across(days, left, width_mm - 2.0)
    colours = group_colours(groups, control=control)
    ticks = day_ticks(days, across)
    draw_up_axis(scene, scale, left, label)
    draw_bottom(scene, across, scale.start, ticks, day_label)
    _draw_legend(scene, legend, groups, colours)
    for one in courses:
        _draw_course(scene, one, across, scale, colours[one.group])
    for k, group in enumerate(groups):
        _draw_means(scene, [m for m in means if m.group == group], (across, scale), colours[group], k, len(groups))
    _draw_counts(scene, courses, groups, across, [day for day, _ in ticks], scale.start + 8.5)
    draw_foot(scene, foot, (1.0, scale.start + below))
    scene.title = f"{label} over {day_label}"
    scene.description = _spoken(courses, means, groups)
    return scene


def _across(days: Sequence[float], start: float, end: float) -> Scale:
    air = 0.05 * (days[-1] - days[0]) or 0.5
    return Scale(days[0] - air, days[-1] + air, start, end)


def _legend_rows(groups: Sequence[str], width_mm: float) -> list[list[str]]:
    """Groups in rows that fit the width."""
    rows: list[list[str]] = [[]]
    free = width_mm - 2.0
    for group in groups:
        need = 8.0 + text_width_mm(figure_text(group, longest=40), NAME_PT)
        if rows[-1] and need > free:
            rows.append([])
            free = width_mm - 2.0
        rows[-1].append(group)
        free -= need
    return rows


def _draw_legend(scene: Scene, rows: Sequence[Sequence[str]], groups: Sequence[str], colours: dict[str, str]) -> None:
    for r, row in enumerate(rows):
        x, y = 1.0, 3.0 + LINE_MM * 1.15 * r
        for group in row:
            pen = Pen(colours[group], 1.6, dashes=_DASHES[groups.index(group) % len(_DASHES)])
            scene.line([(x, y - 0.8), (x + 5.0, y - 0.8)], pen)
            name = figure_text(group, longest=40)
            scene.text((x + 6.0, y), name, Type(NAME_PT))
            x += 8.0 + text_width_mm(name, NAME_PT)


def _draw_course(scene: Scene, one: Course, across: Scale, scale: Scale, colour: str) -> None:
    kept = [k for k, value in enumerate(one.values) if math.isfinite(value)]
    points = [(across(one.days[k]), scale.clipped(one.values[k])) for k in kept]
    note = Note(f"{one.group}: {one.subject}")
    if len(points) > 1:
        scene.line(points, Pen(colour, 0.5, opacity=0.4), note)
    for k, place in zip(kept, points, strict=True):
        limited = bool(one.below) and one.below[k]
        words = f"{one.subject}, day {day_text(one.days[k])}: {'below ' if limited else ''}{number(one.values[k], digits=3)}"
        if limited:
            scene.triangle(place, 0.7, Pen(colour, 0.6, PAPER), Note(words))
        else:
            scene.disc(place, 0.4, Pen(fill=colour, opacity=0.5), Note(words))


def _draw_means(
    scene: Scene, means: Sequence[DayMean], scales: tuple[Scale, Scale], colour: str, k: int, of: int
) -> None:
    """Means joined by a thick line, groups side by side so that intervals do not hide each other."""
    across, scale = scales
    shift = (k - (of - 1) / 2) * min(1.0, 4.0 / of)
    kept = [one for one in sorted(means, key=lambda one: one.day) if math.isfinite(one.mean.value)]
    kept = [one for one in kept if not scale.logarithmic or one.mean.value > 0]
    points = [(across(one.day) + shift, scale.clipped(one.mean.value)) for one in kept]
    if len(points) > 1:
        scene.line(points, Pen(colour, 1.6, dashes=_DASHES[k % len(_DASHES)]))
    for one, place in zip(kept, points, strict=True):
        mean = one.mean
        if math.isfinite(mean.low) and math.isfinite(mean.high):
            interval_bar(scene, place[0], (scale.clipped(mean.low), scale.clipped(mean.high)), half_mm=0.6, width=0.8)
        words = f"{one.group}, day {day_text(one.day)}: mean {number(mean.value, digits=3)} "
        words += f"({level_text([mean])} {number(mean.low, digits=3)} to {number(mean.high, digits=3)}), n = {one.n}"
        scene.diamond(place, 1.0, Pen(INK, 0.4, colour), Note(words))


def _draw_counts(
    scene: Scene, courses: Sequence[Course], groups: Sequence[str], across: Scale, days: Sequence[float], y: float
) -> None:
    """Subjects with a value per group and day."""
    scene.text((1.0, y + LINE_MM), "n", Type(NAME_PT, bold=True))
    longest = max(4, int((across.start - 2.0) / text_width_mm("x", NAME_PT)))
    for row, group in enumerate(groups, 1):
        scene.text((1.0, y + LINE_MM * (row + 1)), figure_text(group, longest=longest), Type(NAME_PT))
        for day in days:
            count = sum(
                1
                for one in courses
                if one.group == group
                and any(d == day and math.isfinite(v) for d, v in zip(one.days, one.values, strict=True))
            )
            scene.text((across(day), y + LINE_MM * (row + 1)), str(count), Type(NAME_PT, "middle"))


def _said(means: Sequence[DayMean]) -> str:
    text = "Thin lines: subjects."
    return f"{text} Diamonds: mean with {level_text([one.mean for one in means])} interval." if means else text


def _spoken(courses: Sequence[Course], means: Sequence[DayMean], groups: Sequence[str]) -> str:
    counts = ", ".join(f"{group} {sum(one.group == group for one in courses)}" for group in groups)
    parts = [f"Subjects: {counts}."]
    parts += [
        f"{one.group}, day {day_text(one.day)}: mean {number(one.mean.value, digits=3)}, n = {one.n}." for one in means
    ]
    return " ".join(parts)
