"""A technique of the bench as one would print it: a panel per curve with raw points, fit and residual, and its micrographs."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lampyris.core.bench import BenchCurve, BenchPicture, BenchRecord, BenchResult
from lampyris.report.arms import ARM_COLOURS
from lampyris.report.axes import FRAME, Scale, draw_bottom, draw_title, even_ticks, log_ticks
from lampyris.report.numbers import precise_interval
from lampyris.report.plots.frame import (
    COLUMN_MM,
    PAGE_MM,
    draw_foot,
    draw_up_axis,
    foot_height,
    foot_lines,
    left_margin,
)
from lampyris.report.scene import FAINT, INK, SOFT, Pen, Raster, Scene, Type, figure_text

PANEL_MM, RESIDUAL_MM, GAP_MM = 48.0, 11.0, 4.0
MOST_CURVES = 12
"""Panels of one figure; more would not be read."""
_MOST_POINTS = 1500
_RAW, _FIT = "#0072B2", "#D55E00"
_KINDS = {"measured": "#56B4E9", "edge": "#E69F00", "cluster": "#CC79A7", "rejected": "#7A7A7A"}


def bench_plot(result: BenchResult, /, *, width_mm: float = PAGE_MM) -> Scene:
    """Figure of a technique's result.

    Parameters
    ----------
    result : BenchResult
    width_mm : float
        85 for one column of a journal, 180 for two; panels stand side by side where they fit.

    Returns
    -------
    Scene
        Panels of at most `MOST_CURVES` curves and pictures, the numbers at the foot.
    """
    records = result.records if result.pooled in result.records else (*result.records, result.pooled)
    columns = 2 if width_mm > 1.5 * COLUMN_MM else 1
    room = (width_mm - GAP_MM * (columns - 1)) / columns
    several = len(result.records) > 1
    panels = [
        curve_panel(curve, width_mm=room, name=record.name if several and record.name != curve.title else "")
        for record in records
        for curve in record.curves
    ]
    panels += [picture_panel(picture, width_mm=room) for record in records for picture in record.pictures]
    left_out = len(panels) - MOST_CURVES
    words = [_numbers(result.pooled), f"Replicated: {result.replicate}.", *result.notes]
    if left_out > 0:
        words.append(f"{left_out} further panels are not shown.")
    foot = foot_lines([word for word in words if word], width_mm - 2)
    return _stacked(panels[:MOST_CURVES], columns, room, foot, width_mm, result.technique)


def _stacked(
    panels: Sequence[Scene], columns: int, room: float, foot: Sequence[str], width_mm: float, technique: str
) -> Scene:
    rows = [panels[k : k + columns] for k in range(0, len(panels), columns)]
    heights = [max(panel.height for panel in row) for row in rows]
    scene = Scene(width_mm, sum(heights) + GAP_MM * len(rows) + foot_height(foot), title=technique)
    y = 0.0
    for row, height in zip(rows, heights, strict=True):
        for k, panel in enumerate(row):
            scene.paste(panel, (k * (room + GAP_MM), y))
        y += height + GAP_MM
    draw_foot(scene, foot, (1.0, y))
    return scene


def _numbers(record: BenchRecord) -> str:
    parts = [
        f"{key} {precise_interval(one.value, one.low, one.high)}{'' if one.unit == '1' else f' {one.unit}'}"
        for key, one in record.values.items()
        if math.isfinite(one.value)
    ]
    parts += [f"{key} {word}" for key, word in record.words.items()]
    return "; ".join(parts)


def curve_panel(curve: BenchCurve, /, *, width_mm: float = COLUMN_MM, name: str = "") -> Scene:
    """Panel of one curve: points or bars, fit, parts, marks, and below them the residual in standard deviations."""
    shown = _thinned(curve)
    x, y = curve.x[shown], curve.y[shown]
    has_residual = curve.residual is not None
    top, bottom = 7.0, 11.0
    height = top + PANEL_MM + (RESIDUAL_MM + 2.0 if has_residual else 0.0) + bottom
    scene = Scene(width_mm, height, title=curve.title)
    lines = [line[shown] for line in ([curve.fit] if curve.fit is not None else []) + list(curve.parts.values())]
    up = _scale(np.concatenate([y, *lines]), top + PANEL_MM, top, logarithmic=curve.y_log)
    margin = left_margin(up, curve.y_label)
    across = _scale(x, margin, width_mm - 2.0, logarithmic=curve.x_log, air=False)
    title = f"{name}: {curve.title}" if name else curve.title
    draw_title(scene, (margin, top - 2.2), title, width=width_mm - margin, most=1)
    draw_up_axis(scene, up, margin, curve.y_label)
    _draw_points(scene, across, up, x, y, steps=curve.steps)
    for k, (label, values) in enumerate(curve.parts.items()):
        colour = ARM_COLOURS[(k + 2) % len(ARM_COLOURS)]
        _draw_line(scene, across, up, x, values[shown], Pen(colour, 0.8, dashes=(3.0, 1.6)))
        scene.text((width_mm - 2.5, top + 2.6 * (k + 1)), label, Type(5.5, "end", colour=colour))
    if curve.fit is not None:
        _draw_line(scene, across, up, x, curve.fit[shown], Pen(_FIT, 1.0))
    _draw_marks(scene, across, top, curve.marks)
    base = top + PANEL_MM
    if curve.residual is not None:
        base = _draw_residual(scene, across, base + 2.0, x, curve.residual[shown], margin)
    else:
        scene.line([(across.start, base), (across.end, base)], FRAME)
    draw_bottom(scene, across, base, _ticks(across), curve.x_label)
    return scene


def _thinned(curve: BenchCurve) -> NDArray[np.intp]:
    """Points that are drawn: all, or every k-th of very many."""
    step = max(1, math.ceil(curve.x.size / _MOST_POINTS))
    return np.arange(0, curve.x.size, step)


def _scale(values: NDArray[np.float64], start: float, end: float, *, logarithmic: bool, air: bool = True) -> Scale:
    known = values[np.isfinite(values)]
    if logarithmic:
        known = known[known > 0]
        if known.size:
            low, high = float(known.min()), float(known.max())
            if high > low:
                # a single zero count must not stretch the axis over decades without points
                return Scale(max(low, high * 1e-8), high * (1.3 if air else 1.0), start, end, logarithmic=True)
            return Scale(low / 2, high * 2, start, end, logarithmic=True)
    low, high = (float(known.min()), float(known.max())) if known.size else (0.0, 1.0)
    edge = (0.06 * (high - low) if air else 0.0) or (0.0 if high > low else 0.1 * abs(high) or 0.5)
    return Scale(low - edge, high + edge, start, end)


def _ticks(scale: Scale) -> list[tuple[float, str]]:
    return log_ticks(scale.low, scale.high)[0] if scale.logarithmic else even_ticks(scale.low, scale.high)


def _draw_points(
    scene: Scene, across: Scale, up: Scale, x: NDArray[np.float64], y: NDArray[np.float64], *, steps: bool
) -> None:
    floor = up.start
    for k in range(x.size):
        if not math.isfinite(y[k]) or (up.logarithmic and y[k] <= 0):
            continue
        if steps:
            half = 0.46 * (x[k + 1] - x[k] if k + 1 < x.size else x[k] - x[k - 1] if k else 1.0)
            left, right = across.clipped(x[k] - half), across.clipped(x[k] + half)
            scene.box((left, up.clipped(y[k])), (right - left, floor - up.clipped(y[k])), Pen(fill=_RAW, opacity=0.55))
        else:
            scene.disc((across(float(x[k])), up.clipped(float(y[k]))), 0.45, Pen(fill=_RAW, opacity=0.6))


def _draw_line(
    scene: Scene, across: Scale, up: Scale, x: NDArray[np.float64], values: NDArray[np.float64], pen: Pen
) -> None:
    """A line broken where it has no value."""
    run: list[tuple[float, float]] = []
    for place, value in zip(x.tolist(), values.tolist(), strict=True):
        if math.isfinite(value) and not (up.logarithmic and value < up.low):
            run.append((across(place), up.clipped(value)))
            continue
        if len(run) > 1:
            scene.line(run, pen)
        run = []
    if len(run) > 1:
        scene.line(run, pen)


def _draw_marks(scene: Scene, across: Scale, top: float, marks: Sequence[tuple[float, str]]) -> None:
    for k, (place, label) in enumerate(marks):
        if not across.low <= place <= across.high:
            continue
        x = across(place)
        scene.line([(x, top), (x, top + PANEL_MM)], Pen(SOFT, 0.5, dashes=(1.5, 1.5)))
        anchor = "end" if x > 0.75 * across.end else "start"
        shift = -0.8 if anchor == "end" else 0.8
        words = figure_text(label, longest=28)
        scene.text((x + shift, top + 2.4 + 2.5 * (k % 4)), words, Type(5.5, anchor, colour=INK))


def _draw_residual(
    scene: Scene, across: Scale, top: float, x: NDArray[np.float64], residual: NDArray[np.float64], margin: float
) -> float:
    """Strip of residuals; its base."""
    known = residual[np.isfinite(residual)]
    most = max(3.0, float(np.quantile(np.abs(known), 0.999)) if known.size else 3.0)
    up = Scale(-most, most, top + RESIDUAL_MM, top)
    scene.line([(across.start, up(0.0)), (across.end, up(0.0))], Pen(FAINT, 0.6))
    for place, value in zip(x.tolist(), residual.tolist(), strict=True):
        if math.isfinite(value):
            scene.disc((across(place), up.clipped(value)), 0.35, Pen(fill=SOFT, opacity=0.7))
    draw_up_axis(scene, up, margin, "residual / sd")
    scene.line([(across.start, up.start), (across.end, up.start)], FRAME)
    return up.start


def picture_panel(picture: BenchPicture, /, *, width_mm: float = COLUMN_MM) -> Scene:
    """A micrograph with outlines coloured by what became of each particle, and a scale bar."""
    rows, columns = picture.pixels.shape
    top, per_pixel = 7.0, (width_mm - 2.0) / columns
    scene = Scene(width_mm, top + rows * per_pixel + 6.0, title=picture.title)
    draw_title(scene, (1.0, top - 2.2), picture.title, width=width_mm - 2.0, most=1)
    pixels = np.repeat(picture.pixels[:, :, None], 3, axis=2)
    scene.marks.append(Raster(1.0, top, columns * per_pixel, rows * per_pixel, pixels))
    for outline, kind in zip(picture.outlines, picture.kinds, strict=True):
        points = [(1.0 + per_pixel * float(px), top + per_pixel * float(py)) for px, py in outline]
        if len(points) > 2:
            scene.area(points, Pen(_KINDS.get(kind, SOFT), 0.7))
    _draw_scale_bar(scene, picture, per_pixel, top + rows * per_pixel)
    x = 1.0
    for kind in dict.fromkeys(picture.kinds):
        label = f"{kind} {picture.kinds.count(kind)}"
        scene.text((x, top + rows * per_pixel + 4.0), label, Type(5.5, colour=_KINDS.get(kind, SOFT)))
        x += 1.6 * len(label) + 3.0
    return scene


def _draw_scale_bar(scene: Scene, picture: BenchPicture, per_pixel: float, base: float) -> None:
    if not math.isfinite(picture.pixel_nm):
        return
    wanted = 0.2 * picture.pixels.shape[1] * picture.pixel_nm
    power = 10.0 ** math.floor(math.log10(wanted))
    length = max(step * power for step in (1.0, 2.0, 5.0) if step * power <= wanted)
    end = 1.0 + picture.pixels.shape[1] * per_pixel - 2.0
    start = end - length / picture.pixel_nm * per_pixel
    scene.box((start - 0.8, base - 5.6), (end - start + 1.6, 4.8), Pen(fill="#FFFFFF", opacity=0.75))
    scene.line([(start, base - 1.8), (end, base - 1.8)], Pen(INK, 1.6))
    scene.text(((start + end) / 2, base - 2.8), f"{length:g} nm", Type(6.0, "middle"))
