"""Values over days: a thin line per subject, means of groups with intervals, and how many were measured on each day."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lampyris.core.analyses import DayMean
from lampyris.report.drawing.axes import LABEL_PT, Scale, day_ticks, draw_bottom, draw_up_label
from lampyris.report.drawing.scene import INK, PAPER, Note, Pen, Scene, Type, figure_text, text_width_mm
from lampyris.report.levels import level_text
from lampyris.report.links import Link
from lampyris.report.numbers import day_text, number
from lampyris.report.plots.frame import (
    LINE_MM,
    NAME_PT,
    PLAIN_STYLE,
    GroupStyle,
    draw_foot,
    draw_up_axis,
    foot_height,
    foot_lines,
    interval_bar,
    left_margin,
    value_scale,
)

_PANEL_MM, _SMALL_MM = 52.0, 38.0
_ALONE = "#0072B2"
MOST_TOGETHER = 4
"""More groups are drawn in a panel each."""

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
    animal : str
        By which the report's page finds the subject's pictures; empty for none.
    """

    subject: str
    group: str
    days: tuple[float, ...]
    values: tuple[float, ...]
    below: tuple[bool, ...] = ()
    animal: str = ""


def longitudinal_plot(
    courses: Sequence[Course],
    means: Sequence[DayMean],
    /,
    *,
    label: str,
    day_label: str = "day",
    notes: Sequence[str] = (),
    style: GroupStyle = PLAIN_STYLE,
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
    notes : sequence of str
        Paragraphs at the foot, such as the test.
    style : GroupStyle

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
    if style.logarithmic and any(value <= 0 for one in courses for value in one.values):
        raise ValueError("a logarithmic axis needs values above 0")
    groups = list(dict.fromkeys(one.group for one in courses))
    inks = style.inks(groups)
    drawn = _Drawn(
        tuple(courses),
        tuple(means),
        tuple(groups),
        tuple(ends),
        label,
        day_label,
        style.logarithmic,
        style.width_mm,
        inks,
    )
    foot = foot_lines([_said(means), *notes], style.width_mm - 2.0) if style.footed else []
    if len(groups) > MOST_TOGETHER:
        scene = _apart(drawn, foot, dict(style.colours or {}))
    else:
        scene = _together(drawn, foot)
    scene.title = f"{label} over {day_label}"
    scene.description = _spoken(courses, means, groups)
    return scene


@dataclass(frozen=True, slots=True)
class _Drawn:
    """What a plot over days draws, and on which axes."""

    courses: tuple[Course, ...]
    means: tuple[DayMean, ...]
    groups: tuple[str, ...]
    ends: tuple[float, ...]
    label: str
    day_label: str
    logarithmic: bool
    width_mm: float
    colours: dict[str, str]

    def days(self) -> list[float]:
        """Every day, in order."""
        return sorted({day for one in self.courses for day in one.days})

    def count(self, group: str, day: float) -> int:
        """Subjects of a group with a value on a day."""
        return sum(
            1
            for one in self.courses
            if one.group == group
            and any(d == day and math.isfinite(v) for d, v in zip(one.days, one.values, strict=True))
        )


def _together(drawn: _Drawn, foot: Sequence[str]) -> Scene:
    """All groups in one panel, told apart by colour and dashes."""
    groups, width = drawn.groups, drawn.width_mm
    legend = _legend_rows(groups, width)
    above = 2.0 + LINE_MM * 1.15 * len(legend)
    scale = value_scale(drawn.ends, above + _PANEL_MM, above, logarithmic=drawn.logarithmic)
    names = 3.0 + min(max(text_width_mm(group, NAME_PT) for group in groups), 0.25 * width)
    left = max(left_margin(scale, drawn.label), names)
    below = 8.5 + LINE_MM * (len(groups) + 1)
    scene = Scene(width, scale.start + below + foot_height(foot))
    across = _across(drawn.days(), left, width - 2.0)
    colours = drawn.colours
    ticks = day_ticks(drawn.days(), across)
    draw_up_axis(scene, scale, left, drawn.label)
    draw_bottom(scene, across, scale.start, ticks, drawn.day_label)
    _draw_legend(scene, legend, groups, colours)
    for one in drawn.courses:
        _draw_course(scene, one, across, scale, colours[one.group])
    for k, group in enumerate(groups):
        own = [mean for mean in drawn.means if mean.group == group]
        _draw_means(scene, own, (across, scale), colours[group], k, len(groups))
    _draw_counts(scene, drawn, across, [day for day, _ in ticks], scale.start + 8.5)
    draw_foot(scene, foot, (1.0, scale.start + below))
    return scene


def _apart(drawn: _Drawn, foot: Sequence[str], colours: Mapping[str, str]) -> Scene:
    """A small panel per group on shared axes: more groups in one panel would hide each other."""
    rows = math.ceil(len(drawn.groups) / max(2, int(drawn.width_mm // 42.0)))
    columns = math.ceil(len(drawn.groups) / rows)
    edge = 5.0
    wide = (drawn.width_mm - edge) / columns
    bottom = _SMALL_MM * rows
    scene = Scene(drawn.width_mm, bottom + 4.0 + foot_height(foot))
    for k, group in enumerate(drawn.groups):
        x, y = edge + wide * (k % columns), _SMALL_MM * (k // columns)
        scale = value_scale(drawn.ends, y + _SMALL_MM - 8.5, y + 5.0, logarithmic=drawn.logarithmic)
        left = x + left_margin(scale, "")
        across = _across(drawn.days(), left, x + wide - 1.5)
        ticks = day_ticks(drawn.days(), across)
        draw_up_axis(scene, scale, left, "")
        draw_bottom(scene, across, scale.start, ticks)
        longest = max(4, int((x + wide - left) / text_width_mm("x", NAME_PT)))
        scene.text((left + 1.0, y + 3.6), figure_text(group, longest=longest), Type(NAME_PT, bold=True))
        for one in drawn.courses:
            if one.group == group:
                _draw_course(scene, one, across, scale, colours.get(group, _ALONE))
        own = [mean for mean in drawn.means if mean.group == group]
        _draw_means(scene, own, (across, scale), colours.get(group, _ALONE), 0, 1)
        scene.text((x + 1.0, scale.start + 6.4), "n", Type(NAME_PT))
        for day, _ in ticks:
            count = drawn.count(group, day)
            scene.text((across(day), scale.start + 6.4), str(count), Type(NAME_PT, "middle"))
    longest = max(8, int(bottom / text_width_mm("x", LABEL_PT)))
    draw_up_label(scene, 2.6, bottom / 2, figure_text(drawn.label, longest=longest))
    scene.text((drawn.width_mm / 2, bottom + 2.4), drawn.day_label, Type(LABEL_PT, "middle"))
    draw_foot(scene, foot, (1.0, bottom + 4.0))
    return scene


def _across(days: Sequence[float], start: float, end: float) -> Scale:
    air = 0.05 * (days[-1] - days[0]) or 0.5
    return Scale(days[0] - air, days[-1] + air, start, end)


def _legend_rows(groups: Sequence[str], width_mm: float) -> list[list[str]]:
    """Groups in rows that fit the width."""
    rows: list[list[str]] = [[]]
    free = width_mm - 2.0
    for group in groups:
        need = 9.0 + text_width_mm(figure_text(group, longest=40), NAME_PT)
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
            x += 9.0 + text_width_mm(name, NAME_PT)


def _draw_course(scene: Scene, one: Course, across: Scale, scale: Scale, colour: str) -> None:
    kept = [k for k, value in enumerate(one.values) if math.isfinite(value)]
    points = [(across(one.days[k]), scale.clipped(one.values[k])) for k in kept]
    linked = bool(one.animal)
    whole = Note(f"{one.group}: {one.subject}", Link(one.animal).pairs if linked else (), "course" if linked else "")
    if len(points) > 1:
        scene.line(points, Pen(colour, 0.5, opacity=0.4), whole)
    for k, place in zip(kept, points, strict=True):
        limited = bool(one.below) and one.below[k]
        words = f"{one.subject}, day {day_text(one.days[k])}: {'below ' if limited else ''}{number(one.values[k], digits=3)}"
        note = Note(words, Link(one.animal, (), one.days[k]).pairs, "point") if linked else Note(words)
        if limited:
            scene.triangle(place, 0.7, Pen(colour, 0.6, PAPER), note)
        else:
            scene.disc(place, 0.4, Pen(fill=colour, opacity=0.5), note)


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


def _draw_counts(scene: Scene, drawn: _Drawn, across: Scale, days: Sequence[float], y: float) -> None:
    """Subjects with a value per group and day."""
    scene.text((1.0, y + LINE_MM), "n", Type(NAME_PT, bold=True))
    longest = max(4, int((across.start - 2.0) / text_width_mm("x", NAME_PT)))
    for row, group in enumerate(drawn.groups, 1):
        scene.text((1.0, y + LINE_MM * (row + 1)), figure_text(group, longest=longest), Type(NAME_PT))
        for day in days:
            text = str(drawn.count(group, day))
            scene.text((across(day), y + LINE_MM * (row + 1)), text, Type(NAME_PT, "middle"))


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
