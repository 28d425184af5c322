"""The same units under two or more conditions: a line per unit, and the differences beside it."""

import math

from lampyris.core.comparison import Comparison, GroupSummary
from lampyris.report.drawing.axes import Scale
from lampyris.report.drawing.scene import FAINT, INK, PAPER, Note, Pen, Scene, Type, figure_text
from lampyris.report.levels import level_text
from lampyris.report.numbers import number, unit_text
from lampyris.report.plots.frame import (
    COLUMN_MM,
    LINE_MM,
    NAME_PT,
    base_line,
    draw_foot,
    draw_names,
    draw_up_axis,
    foot_height,
    foot_lines,
    interval_bar,
    left_margin,
    names_in,
    swarm,
    value_scale,
)
from lampyris.report.sentences import comparison_sentence, p_words, plural

_PANEL_MM = 48.0
_ABOVE_MM = 4.0
_COLOUR, _OTHER = "#0072B2", "#D55E00"


def paired_plot(comparison: Comparison, /, *, width_mm: float = COLUMN_MM) -> Scene:
    """A line per unit from condition to condition; of two conditions also the differences with their interval.

    Parameters
    ----------
    comparison : Comparison
        Its groups are the conditions and name their units.
    width_mm : float
        85 for one column of a journal, 180 for two.

    Returns
    -------
    Scene

    Raises
    ------
    ValueError
        If units have no names, or none is in two conditions.
    """
    groups = comparison.groups
    shared = _shared(groups)
    two = len(groups) == 2 and bool(comparison.pairs)
    foot = foot_lines(_foot_words(comparison, two), width_mm - 2.0)
    values = [end for group in groups for end in (*group.values, group.mean.low, group.mean.high)]
    scale = value_scale(values, _ABOVE_MM + _PANEL_MM, _ABOVE_MM)
    unit = unit_text(comparison.unit)
    label = f"{comparison.endpoint} ({unit})" if unit and unit not in comparison.endpoint else comparison.endpoint
    left = left_margin(scale, label)
    share = 0.62 if two else 1.0
    right = left + share * (width_mm - 1.0 - left)
    slot = (right - left) / len(groups)
    names = names_in([group.group for group in groups], slot)
    below = names.room()
    scene = Scene(width_mm, scale.start + below + foot_height(foot))
    places = [left + slot * (k + 0.5) for k in range(len(groups))]
    draw_up_axis(scene, scale, left, label)
    base_line(scene, left, right, scale.start)
    draw_names(scene, names, places, scale.start)
    for x, group in zip(places, groups, strict=True):
        scene.text((x, names.count_place(scale.start)), f"n = {group.n}", Type(NAME_PT, "middle"))
    _draw_lines(scene, groups, shared, places, scale)
    if two:
        _draw_differences(scene, comparison, shared, (right, width_mm - 1.0))
    draw_foot(scene, foot, (1.0, scale.start + below))
    scene.title = f"{comparison.endpoint} under {' and '.join(group.group for group in groups)}, paired"
    scene.description = comparison_sentence(comparison)
    return scene


def _shared(groups: tuple[GroupSummary, ...]) -> list[str]:
    if not all(group.units for group in groups):
        raise ValueError("a paired plot needs the name of every unit")
    counts = {unit: sum(unit in group.units for group in groups) for group in groups for unit in group.units}
    shared = [unit for unit, count in counts.items() if count > 1]
    if not shared:
        raise ValueError("no unit is in two conditions")
    return shared


def _draw_lines(
    scene: Scene, groups: tuple[GroupSummary, ...], shared: list[str], places: list[float], scale: Scale
) -> None:
    held = [dict(zip(group.units, group.values, strict=True)) for group in groups]
    inner = [x + (1.6 if k == 0 else -1.6 if k == len(places) - 1 else 0.0) for k, x in enumerate(places)]
    for unit in shared:
        points = [(x, scale(own[unit])) for x, own in zip(inner, held, strict=True) if unit in own]
        rises = points[-1][1] < points[0][1]
        scene.line(
            points, Pen(_COLOUR if rises else _OTHER, 0.6, opacity=0.65, dashes=() if rises else (2, 1)), Note(unit)
        )
    for group, x, outer in zip(groups, inner, places, strict=True):
        for unit, value in zip(group.units, group.values, strict=True):
            scene.disc((x, scale(value)), 0.65, Pen(PAPER, 0.25, "#404040"), Note(f"{unit}: {number(value, digits=3)}"))
        shift = -2.2 if x > outer else 2.2 if x < outer else 2.6
        if math.isfinite(group.mean.low):
            interval_bar(
                scene, outer + shift, (scale.clipped(group.mean.low), scale.clipped(group.mean.high)), half_mm=0.7
            )
        scene.diamond((outer + shift, scale.clipped(group.mean.value)), 0.95, Pen(PAPER, 0.5, INK))


def _draw_differences(scene: Scene, comparison: Comparison, shared: list[str], ends: tuple[float, float]) -> None:
    """Differences of the pairs on an axis of their own with zero marked."""
    pair = comparison.pairs[0]
    held = {group.group: dict(zip(group.units, group.values, strict=True)) for group in comparison.groups}
    differences = [held[pair.a][unit] - held[pair.b][unit] for unit in shared]
    top, bottom = _ABOVE_MM, _ABOVE_MM + _PANEL_MM
    scale = value_scale([*differences, pair.difference.low, pair.difference.high, 0.0], bottom, top)
    left = ends[0] + left_margin(scale, "")
    middle = (left + ends[1]) / 2
    draw_up_axis(scene, scale, left, "")
    base_line(scene, left, ends[1], bottom)
    scene.line([(left, scale(0.0)), (ends[1], scale(0.0))], Pen(FAINT, 0.6, dashes=(2, 2)))
    heights = [scale(value) for value in differences]
    shifts = swarm(heights, 1.45, 0.5 * (ends[1] - left))
    for unit, value, y, shift in zip(shared, differences, heights, shifts, strict=True):
        note = Note(f"{unit}: {number(value, digits=3)}")
        scene.disc((middle - 1.2 + shift, y), 0.7, Pen(PAPER, 0.25, "#404040"), note)
    x = ends[1] - 1.6
    interval_bar(scene, x, (scale(pair.difference.low), scale(pair.difference.high)), half_mm=0.8)
    scene.diamond((x, scale(pair.difference.value)), 1.0, Pen(PAPER, 0.5, INK))
    longest = max(6, int((ends[1] - ends[0]) / 1.3 / 2))
    for row, line in enumerate((f"{figure_text(pair.a, longest=longest)} −", figure_text(pair.b, longest=longest))):
        scene.text((middle, bottom + LINE_MM * (row + 1)), line, Type(NAME_PT, "middle"))


def _foot_words(comparison: Comparison, two: bool) -> list[str]:
    level = level_text([comparison.groups[0].mean])
    words = [
        f"Lines: {plural(comparison.experimental_unit)}; solid where the value rises, dashed where it falls. "
        f"Diamonds: mean with {level} interval.",
        comparison_sentence(comparison, counts=False),
    ]
    if two:
        pair = comparison.pairs[0]
        ends = f"{number(pair.difference.low, digits=3)} to {number(pair.difference.high, digits=3)}"
        value = number(pair.difference.value, digits=3)
        words.append(f"Right: differences {pair.a} − {pair.b}; mean {value} ({level} {ends}), {p_words(pair.p)}.")
    return words
