"""Figures of the study as scenes: fluxes over days, and what could not have been seen."""

import math
from collections.abc import Sequence

from lampyris.core.estimate import Estimate
from lampyris.report.arms import Arm
from lampyris.report.curves import AnimalCurve, ArmDay
from lampyris.report.drawing.axes import (
    Scale,
    day_ticks,
    draw_bottom,
    draw_left,
    draw_title,
    draw_up_label,
    log_ends,
    log_ticks,
)
from lampyris.report.drawing.colours import colour_map
from lampyris.report.drawing.scene import PAPER, Note, Pen, Scene, Type, text_width_mm, wrapped
from lampyris.report.levels import level_text
from lampyris.report.limits import LimitCell, LimitGrid
from lampyris.report.links import Link
from lampyris.report.numbers import day_text, number, unit_text

_THIN, _THICK = 0.6, 1.6
_PANEL_MM = (58.0, 55.0)


def whiskers(scene: Scene, x: float, up: Scale, estimate: Estimate, colour: str) -> None:
    """The interval of an estimate as a bar, where it can be drawn."""
    if math.isfinite(estimate.high - estimate.low) and (estimate.low > 0 or not up.logarithmic):
        scene.line([(x, up.clipped(estimate.low)), (x, up.clipped(estimate.high))], Pen(colour, _THICK))


def draw_curve(scene: Scene, curve: AnimalCurve, across: Scale, up: Scale, colour: str, unit: str) -> None:
    """One animal or lesion: a thin line, dotted where a limit stands in, and a mark per day; limits point down."""
    places = [(across(day), up.clipped(value)) for day, value in zip(curve.days, curve.values, strict=True)]
    lesions = (curve.lesion,) if curve.lesion else ()
    whole = Note(data=Link(curve.animal, lesions).pairs, style="course")
    for k in range(len(places) - 1):
        limited = curve.limited[k] or curve.limited[k + 1]
        pen = Pen(colour, 0.5, opacity=0.45, dashes=(1, 2)) if limited else Pen(colour, _THIN, opacity=0.6)
        scene.line(places[k : k + 2], pen, whole)
    for place, day, value, limited in zip(places, curve.days, curve.values, curve.limited, strict=True):
        sort = "below the limit, " if limited else ""
        words = f"{curve.name}, day {day_text(day)}: {sort}{number(value)} {unit_text(unit)}"
        note = Note(words, Link(curve.animal, lesions, day).pairs, "point")
        if limited:
            scene.triangle(place, 0.65, Pen(colour, _THIN, PAPER), note)
        else:
            scene.disc(place, 0.5, Pen(fill=colour, opacity=0.8), note)


def _draw_mean(scene: Scene, arm: Arm, mean: ArmDay, unit: str, x: float, up: Scale) -> None:
    """An arm's mean with its interval, or, where it is an upper bound, as a limit."""
    estimate = mean.estimate
    words = f"{arm.title}, day {day_text(mean.day)}: geometric mean "
    if mean.upper_bound:
        words += f"at most {number(estimate.value)} {unit_text(unit)}; {mean.limited} of {mean.n} below their limit"
        scene.triangle((x, up.clipped(estimate.value)), 1.15, Pen(arm.colour, 1.2, PAPER), Note(words))
        return
    words += f"{number(estimate.value)} ({level_text([estimate])} {number(estimate.low)}–{number(estimate.high)})"
    whiskers(scene, x, up, estimate, arm.colour)
    note = Note(f"{words} {unit_text(unit)}, n = {mean.n}")
    scene.diamond((x, up.clipped(estimate.value)), 1.0, Pen(PAPER, 0.6, arm.colour), note)


def day_scale(days: Sequence[float], left: float, right: float, /) -> Scale:
    """Days from `left` to `right` in mm, with some air at both ends."""
    first, last = min(days, default=0.0), max(days, default=1.0)
    margin = 0.07 * max(last - first, 1.0)
    return Scale(first - margin, last + margin, left, right)


def day_panel(title: str, label: str, every: Sequence[AnimalCurve], /) -> tuple[Scene, Scale, Scale]:
    """An empty panel of values over days.

    Parameters
    ----------
    title : str
        Of up to two lines.
    label : str
        Of the logarithmic axis, with its unit.
    every : sequence of AnimalCurve
        Curves of all panels of the figure: they set the shared axes.

    Returns
    -------
    (Scene, Scale, Scale)
        With its axes drawn; the scale of days and that of values.
    """
    scene = Scene(*_PANEL_MM)
    days = sorted({day for curve in every for day in curve.days})
    low, high = log_ends([value for curve in every for value in curve.values])
    across = day_scale(days, 14.5, scene.width - 1.0)
    up = Scale(low, high, scene.height - 9.0, 11.0, logarithmic=True)
    ticks, minor = log_ticks(low, high)
    draw_left(scene, up, across.start, ticks, minor=minor)
    draw_bottom(scene, across, up.start, day_ticks(days, across), "days since inoculation")
    draw_up_label(scene, 2.6, (up.start + up.end) / 2, label)
    draw_title(scene, (across.start, 7.5), title, width=scene.width - across.start, most=2)
    return scene, across, up


def curves_figure(
    arm: Arm,
    curves: dict[str, list[AnimalCurve]],
    means: dict[str, list[ArmDay]],
    unit: str,
    /,
    *,
    label: str = "",
) -> Scene:
    """One arm's values over days: a line per animal, and the arm's geometric mean with its interval.

    Parameters
    ----------
    arm : Arm
        Whose panel.
    curves, means : dict by arm
        From `lampyris.report.curves`, of all arms: they set the shared axes.
    unit : str
        Of the values.
    label : str
        Of the axis; total lesion flux with its unit by default.

    Returns
    -------
    Scene
    """
    every = [curve for own in curves.values() for curve in own]
    scene, across, up = day_panel(arm.title, label or f"total lesion flux ({unit_text(unit)})", every)
    for curve in curves.get(arm.key, []):
        draw_curve(scene, curve, across, up, arm.colour, unit)
    # beside the animals' points, so that neither hides the other
    own, shift = means.get(arm.key, []), 0.02 * (across.end - across.start)
    sure = [(across(m.day) + shift, up.clipped(m.estimate.value)) for m in own if not m.upper_bound]
    if len(sure) > 1:
        scene.line(sure, Pen(arm.colour, _THICK))
    for mean in own:
        _draw_mean(scene, arm, mean, unit, across(mean.day) + shift, up)
    return scene


def limits_figure(grid: LimitGrid, /) -> Scene:
    """What could have been seen, by region and day, as a heat map with its numbers.

    Parameters
    ----------
    grid : LimitGrid
        One view.

    Returns
    -------
    Scene
        88 mm wide for up to six days.
    """
    names = {region: wrapped(region, width=200, longest=24)[0] for region in grid.regions}
    left = 2.0 + max(text_width_mm(name, 6.5) for name in names.values())
    step, row = max(10.0, (88.0 - left) / max(len(grid.days), 1)), 5.2
    scene = Scene(left + step * len(grid.days), 18 + row * len(grid.regions))
    low, high = grid.log_range
    colours = colour_map("cividis")
    for r, region in enumerate(grid.regions):
        y = 7.0 + row * r
        scene.text((left - 1.2, y + 0.5 * row + 0.8), names[region], Type(6.5, "end"))
        for d, day in enumerate(grid.days):
            cell = grid.cells.get((region, day))
            if cell is None or not 0 < cell.flux.value < math.inf:
                continue
            share = (math.log10(cell.flux.value) - low) / (high - low) if high > low else 0.5
            face = colours[round(255 * (1 - share))]
            colour = "#" + bytes(face).hex()
            note = Note(_limit_words(region, day, cell, grid.unit))
            scene.box((left + step * d + 0.2, y + 0.2), (step - 0.4, row - 0.4), Pen(fill=colour), note)
            dark = 0.299 * face[0] + 0.587 * face[1] + 0.114 * face[2] < 115
            place = (left + step * (d + 0.5), y + 0.5 * row + 0.75)
            shown = number(cell.flux.value).replace("\u202f", "")
            scene.text(place, shown, Type(6.0, "middle", colour="#ffffff" if dark else "#000000"))
    bottom = 7.0 + row * len(grid.regions)
    for d, day in enumerate(grid.days):
        scene.text((left + step * (d + 0.5), bottom + 3.2), day_text(day), Type(6.5, "middle"))
    scene.text((left + step * len(grid.days) / 2, bottom + 7.2), "days since inoculation", Type(7, "middle"))
    title = f"{grid.view}: limit inside the outline ({unit_text(grid.unit)})"
    draw_title(scene, (0.0, 4.5), title, width=scene.width, most=1)
    return scene


def _limit_words(region: str, day: float, cell: LimitCell, unit: str) -> str:
    ends = f"{level_text([cell.flux])} {number(cell.flux.low)}–{number(cell.flux.high)}"
    flux = f"{number(cell.flux.value)} ({ends}) {unit_text(unit)} inside the outline"
    return f"{region}, day {day_text(day)}: {flux}, median of {cell.n} animals"
