"""A technique of the bench as one would print it: a panel per curve with raw points, fit and residual, and its micrographs."""

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from lampyris.core.bench import BenchCurve, BenchPicture, BenchRecord, BenchResult
from lampyris.core.estimate import Estimate
from lampyris.report.arms import ARM_COLOURS
from lampyris.report.drawing.axes import FRAME, Scale, draw_bottom, draw_title, even_ticks, log_ticks, title_height
from lampyris.report.drawing.scene import FAINT, INK, PAPER, SOFT, Pen, Raster, Scene, Type, figure_text, text_width_mm
from lampyris.report.numbers import precise_interval, with_unit
from lampyris.report.plots.frame import (
    COLUMN_MM,
    FOOT_LINE_MM,
    PAGE_MM,
    draw_foot,
    draw_key,
    draw_up_axis,
    foot_height,
    foot_lines,
    key_rows,
    left_margin,
)

PANEL_MM, RESIDUAL_MM, GAP_MM = 48.0, 11.0, 4.0
MOST_CURVES = 12
"""Panels of one figure; more would not be read."""
_MOST_POINTS = 1500
_FEW_POINTS = 20
"""So few are drawn larger, and clear of the frame."""
_MARK_MM = 2.6
_RAW = "#0072B2"
_FIT_PEN = Pen("#D55E00", 1.0)
_DASHES = ((3.0, 1.6), (1.2, 0.9), (5.0, 1.2), (0.5, 0.9), (4.0, 1.0, 0.8, 1.0))
_KINDS = {
    "measured": Pen("#56B4E9", 0.7),
    "edge": Pen("#E69F00", 0.7, dashes=(2.2, 1.1)),
    "cluster": Pen("#CC79A7", 0.7, dashes=(1.1, 0.8)),
    "rejected": Pen("#7A7A7A", 0.7, dashes=(0.5, 0.7)),
}
_OTHER = Pen(SOFT, 0.7)
_SIGNS = {"(us)": "(\u00b5s)", "1/A)": "1/\u00c5)", "(1/cm)": "(cm\u207b\u00b9)"}
"""How print writes the units of axes."""
_FALLING = "wavenumber"
"""What infrared spectra are printed against from right to left."""


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
    # what holds all records together is read first
    records = result.records if result.pooled in result.records else (result.pooled, *result.records)
    count = sum(len(record.curves) + len(record.pictures) for record in records)
    columns = 2 if width_mm > 1.5 * COLUMN_MM and count > 1 else 1
    room = (width_mm - GAP_MM * (columns - 1)) / columns
    several = len(result.records) > 1
    panels = [
        curve_panel(
            curve,
            width_mm=room,
            name=record.name if several and record is not result.pooled and not _names(curve, record) else "",
        )
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


def _names(curve: BenchCurve, record: BenchRecord) -> bool:
    """Whether a curve's title holds its record's name."""
    return f" {record.name} " in f" {curve.title} "


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
    parts = [f"{key} {_number(one)}" for key, one in record.values.items() if math.isfinite(one.value)]
    parts += [f"{key} {word}" for key, word in record.words.items() if word]
    parts += [f"flags {', '.join(record.flags)}"] if record.flags else []
    return "; ".join(parts)


def _number(one: Estimate) -> str:
    """A number with its interval; of one that has none, as of what was counted, all digits that tell."""
    text = f"{one.value:.6g}" if one.low == one.high else precise_interval(one.value, one.low, one.high)
    return with_unit(text, one.unit)


def curve_panel(curve: BenchCurve, /, *, width_mm: float = COLUMN_MM, name: str = "") -> Scene:
    """Panel of one curve: points or bars, fit, parts, marks, and below them the residual in standard deviations."""
    shown = thinned(curve, _MOST_POINTS)
    x = shown.x
    lines = ([] if shown.fit is None else [shown.fit]) + list(shown.parts.values())
    values = np.concatenate([shown.y, *lines])
    margin = left_margin(_up(values, curve, 0.0), curve.y_label)
    few = x.size <= _FEW_POINTS and not curve.steps
    ends = margin, width_mm - 2.0
    if curve.x_label.startswith(_FALLING):
        ends = ends[::-1]
    across = _scale(_ends(x) if curve.steps else x, *ends, logarithmic=curve.x_log, air=few)
    key, marks = key_rows(_key(shown), width_mm - margin - 2.0), _mark_rows(across, curve.marks)
    title = f"{name}: {curve.title}" if name else curve.title
    below = title_height(title, width=width_mm - margin, most=2)
    head = below + 2.2 + FOOT_LINE_MM * len(key)
    top = head + _MARK_MM * len(marks)
    base = top + PANEL_MM
    height = base + (RESIDUAL_MM + 2.0 if shown.residual is not None else 0.0) + 11.0
    scene = Scene(width_mm, height, title=curve.title)
    up = _up(values, curve, top)
    draw_title(scene, (margin, below), title, width=width_mm - margin, most=2)
    draw_key(scene, key, (margin, below + 3.2))
    draw_up_axis(scene, up, margin, _printed(curve.y_label))
    _draw_points(scene, across, up, x, shown.y, steps=curve.steps)
    # a distribution over decades has edges that no spline may round off
    drawn = _smooth if curve.steps and not curve.x_log else _as_it_is
    for part, pen in zip(shown.parts.values(), _part_pens(), strict=False):
        _draw_line(scene, across, up, *drawn(x, part), pen)
    if shown.fit is not None:
        _draw_line(scene, across, up, *drawn(x, shown.fit), _FIT_PEN)
    _draw_marks(scene, marks, head, base)
    if shown.residual is not None:
        base = _draw_residual(scene, across, base + 2.0, x, shown.residual, margin)
    else:
        scene.line([(across.start, base), (across.end, base)], FRAME)
    draw_bottom(scene, across, base, _ticks(across), _printed(curve.x_label))
    return scene


def _printed(label: str) -> str:
    for plain, sign in _SIGNS.items():
        label = label.replace(plain, sign)
    return label


def _ends(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Where the first bar begins and the last ends."""
    if x.size < 2:
        return x
    return np.array([x[0] - 0.5 * (x[1] - x[0]), x[-1] + 0.5 * (x[-1] - x[-2])])


def _as_it_is(x: NDArray[np.float64], values: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    return x, values


def _smooth(x: NDArray[np.float64], values: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """A law told at the middles of bars, as the smooth curve that it is; it stays above 0."""
    if x.size < 4 or not np.isfinite(values).all():
        return x, values
    from scipy.interpolate import CubicSpline

    fine = np.linspace(x[0], x[-1], 8 * x.size)
    return fine, np.maximum(CubicSpline(x, values)(fine), 0.0)


def thinned(curve: BenchCurve, most: int, /) -> BenchCurve:
    """The curve with every k-th of its points, so that at most so many are left."""
    step = max(1, math.ceil(curve.x.size / most))
    return replace(
        curve,
        x=curve.x[::step],
        y=curve.y[::step],
        fit=None if curve.fit is None else curve.fit[::step],
        parts={name: values[::step] for name, values in curve.parts.items()},
        residual=None if curve.residual is None else curve.residual[::step],
    )


def _key(curve: BenchCurve) -> list[tuple[str, Pen]]:
    """What points and lines are; points alone are what the axis says."""
    lines = [("fit", _FIT_PEN)] if curve.fit is not None else []
    lines += zip(curve.parts, _part_pens(), strict=False)
    points = [("data", Pen(fill=_RAW, opacity=0.6))] if np.isfinite(curve.y).any() else []
    return [*points, *lines] if lines else []


def _part_pens() -> Iterator[Pen]:
    """Told apart by colour and by dashes."""
    colours = (*ARM_COLOURS[2:], *ARM_COLOURS[:2])
    for colour, dashes in zip(itertools.cycle(colours), itertools.cycle(_DASHES), strict=False):
        yield Pen(colour, 0.8, dashes=dashes)


def _up(values: NDArray[np.float64], curve: BenchCurve, top: float) -> Scale:
    return _scale(values, top + PANEL_MM, top, logarithmic=curve.y_log, standing=curve.steps)


def _scale(
    values: NDArray[np.float64],
    start: float,
    end: float,
    *,
    logarithmic: bool,
    air: bool = True,
    standing: bool = False,
) -> Scale:
    """Axis that holds the values, with air about them; bars that stand on it begin at 0."""
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
    return Scale(0.0 if standing and low >= 0 else low - edge, high + edge, start, end)


def _ticks(scale: Scale) -> list[tuple[float, str]]:
    return log_ticks(scale.low, scale.high)[0] if scale.logarithmic else even_ticks(scale.low, scale.high)


def _draw_points(
    scene: Scene, across: Scale, up: Scale, x: NDArray[np.float64], y: NDArray[np.float64], *, steps: bool
) -> None:
    floor = up.start if up.logarithmic else up.clipped(0.0)
    radius = 0.8 if np.isfinite(y).sum() <= _FEW_POINTS else 0.45
    for k in range(x.size):
        if not math.isfinite(y[k]) or (up.logarithmic and y[k] <= 0):
            continue
        if steps:
            half = 0.46 * (x[k + 1] - x[k] if k + 1 < x.size else x[k] - x[k - 1] if k else 1.0)
            left, right = across.clipped(x[k] - half), across.clipped(x[k] + half)
            scene.box((left, up.clipped(y[k])), (right - left, floor - up.clipped(y[k])), Pen(fill=_RAW, opacity=0.55))
        else:
            scene.disc((across(float(x[k])), up.clipped(float(y[k]))), radius, Pen(fill=_RAW, opacity=0.6))


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


def _mark_rows(across: Scale, marks: Sequence[tuple[float, str]]) -> list[list[tuple[float, float, str]]]:
    """Marks in rows above the panel: place in mm, start of the name, and the name; names do not touch."""
    rows: list[list[tuple[float, float, str]]] = []
    ends: list[float] = []
    for x, label in sorted((across(place), label) for place, label in marks if across.low <= place <= across.high):
        words = figure_text(label, longest=28)
        long = text_width_mm(words, 5.5)
        start = x + 0.8 if x + 0.8 + long < max(across.start, across.end) else x - 0.8 - long
        row = next((k for k, end in enumerate(ends) if end < min(x, start)), len(ends))
        if row == len(ends):
            rows.append([])
            ends.append(0.0)
        rows[row].append((x, start, words))
        ends[row] = start + long + 0.8
    return rows


def _draw_marks(scene: Scene, rows: Sequence[Sequence[tuple[float, float, str]]], top: float, base: float) -> None:
    """A line per mark from its name down; names lie over the lines that pass them."""
    placed = [(top + _MARK_MM * k, *mark) for k, row in enumerate(rows) for mark in row]
    for y, x, _, _ in placed:
        scene.line([(x, y), (x, base)], Pen(SOFT, 0.5, dashes=(1.5, 1.5)))
    for y, _, start, words in placed:
        scene.box((start - 0.3, y), (text_width_mm(words, 5.5) + 0.6, 2.5), Pen(fill=PAPER))
        scene.text((start, y + 1.9), words, Type(5.5, colour=INK))


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
    """A micrograph with outlines by what became of each particle, told by colour and dashes, and a scale bar."""
    rows, columns = picture.pixels.shape
    top, per_pixel = 7.0, (width_mm - 2.0) / columns
    scene = Scene(width_mm, top + rows * per_pixel + 6.0, title=picture.title)
    draw_title(scene, (1.0, top - 2.2), picture.title, width=width_mm - 2.0, most=1)
    pixels = np.repeat(picture.pixels[:, :, None], 3, axis=2)
    scene.marks.append(Raster(1.0, top, columns * per_pixel, rows * per_pixel, pixels))
    for outline, kind in zip(picture.outlines, picture.kinds, strict=True):
        points = [(1.0 + per_pixel * float(px), top + per_pixel * float(py)) for px, py in outline]
        if len(points) > 2:
            scene.area(points, _KINDS.get(kind, _OTHER))
    _draw_scale_bar(scene, picture, per_pixel, top + rows * per_pixel)
    x = 1.0
    for kind in dict.fromkeys(picture.kinds):
        label = f"{kind} {picture.kinds.count(kind)}"
        y = top + rows * per_pixel + 4.0
        scene.line([(x, y - 0.7), (x + 5.0, y - 0.7)], _KINDS.get(kind, _OTHER))
        scene.text((x + 6.0, y), label, Type(5.5, colour=INK))
        x += 6.0 + text_width_mm(label, 5.5) + 3.0
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
