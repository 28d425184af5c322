"""Release curves: every vessel as points, the means with their standard deviation, and the model that was chosen."""

import math
from collections.abc import Sequence

import numpy as np

from lampyris.probe.release import ReleaseFits
from lampyris.report.drawing.axes import Scale, draw_bottom, even_ticks
from lampyris.report.drawing.scene import FAINT, INK, Note, Pen, Scene, Type, figure_text, text_width_mm
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
)

_PANEL_MM = 56.0
_STEPS = 160
_DASHES: tuple[tuple[float, ...], ...] = ((), (4, 2), (1, 1.5), (6, 1.5, 1, 1.5), (8, 2), (2, 2))


def release_plot(fits: Sequence[ReleaseFits], /, *, width_mm: float = COLUMN_MM, notes: Sequence[str] = ()) -> Scene:
    """Release over time, a colour per curve.

    Parameters
    ----------
    fits : sequence of ReleaseFits
        At least one.
    width_mm : float
        85 for one column of a journal, 180 for two.
    notes : sequence of str
        Paragraphs at the foot, such as that the data are synthetic.

    Returns
    -------
    Scene

    Raises
    ------
    ValueError
        If there is no curve.
    """
    if not fits:
        raise ValueError("a plot of release needs at least one curve")
    colours = group_colours([one.profile.name for one in fits])
    above = 2.5 + 1.15 * LINE_MM * len(fits)
    last = max(float(one.profile.time_h.max()) for one in fits)
    values = [float(value) for one in fits for value in one.profile.released]
    up = Scale(min(0.0, *values), max(100.0, *values) * 1.03, above + _PANEL_MM, above)
    left = left_margin(up, "released (%)")
    across = Scale(0.0, 1.03 * last, left, width_mm - 2.0)
    foot = foot_lines([_said(fits), *notes], width_mm - 2.0)
    scene = Scene(width_mm, up.start + 9.5 + foot_height(foot))
    scene.line([(across.start, up(50.0)), (across.end, up(50.0))], Pen(FAINT, 0.4, dashes=(2, 2)))
    draw_up_axis(scene, up, left, "released (%)")
    draw_bottom(scene, across, up.start, even_ticks(0.0, 1.03 * last), "time (h)")
    for k, one in enumerate(fits):
        _draw_curve(scene, one, (across, up), colours[one.profile.name], k)
        _draw_key(scene, one, colours[one.profile.name], k, width_mm)
    draw_foot(scene, foot, (1.0, up.start + 9.5))
    scene.title = "drug released over time"
    scene.description = " ".join(_spoken(one) for one in fits)
    return scene


def _draw_curve(scene: Scene, one: ReleaseFits, scales: tuple[Scale, Scale], colour: str, k: int) -> None:
    across, up = scales
    profile = one.profile
    for time, share, vessel in zip(profile.time_h, profile.released, profile.vessel, strict=True):
        words = f"{profile.name}, {f'vessel {vessel}, ' if vessel else ''}{time:g} h: {share:.1f} %"
        scene.disc((across(float(time)), up(float(share))), 0.5, Pen(fill=colour, opacity=0.45), Note(words))
    times = np.linspace(0.0, float(profile.time_h.max()), _STEPS)
    best = one.best
    shares = best.curve(times)
    points = [(across(float(t)), up.clipped(float(f))) for t, f in zip(times, shares, strict=True)]
    scene.line(
        points,
        Pen(colour, 1.4, dashes=_DASHES[k % len(_DASHES)]),
        Note(f"{profile.name}: {best.model.title}, Akaike weight {best.weight:.2f}"),
    )
    for mean in one.course:
        if mean.n > 1 and math.isfinite(mean.sd):
            ends = (up.clipped(mean.mean - mean.sd), up.clipped(mean.mean + mean.sd))
            interval_bar(scene, across(mean.time_h), ends, half_mm=0.6, width=0.7)
            words = f"{profile.name}, {mean.time_h:g} h: mean {mean.mean:.1f} %, SD {mean.sd:.1f} %, n = {mean.n}"
            scene.diamond((across(mean.time_h), up(mean.mean)), 0.9, Pen(INK, 0.4, colour), Note(words))


def _draw_key(scene: Scene, one: ReleaseFits, colour: str, k: int, width_mm: float) -> None:
    y = 3.0 + 1.15 * LINE_MM * k
    scene.line([(1.0, y - 0.8), (6.0, y - 0.8)], Pen(colour, 1.6, dashes=_DASHES[k % len(_DASHES)]))
    longest = int((width_mm - 8.0) / text_width_mm("x", NAME_PT))
    words = f"{one.profile.name}, n = {one.design.n[0]}: {one.best.model.title}"
    scene.text((7.0, y), figure_text(words, longest=longest), Type(NAME_PT))


def _said(fits: Sequence[ReleaseFits]) -> str:
    text = "Dots: measured values. Lines: model with the lowest AICc."
    many = any(mean.n > 1 for one in fits for mean in one.course)
    return f"{text} Diamonds: means with standard deviation over vessels." if many else text


def _spoken(one: ReleaseFits) -> str:
    last = one.course[-1]
    return (
        f"{one.profile.name}: {one.best.model.title}, {last.mean:.0f} % released after {last.time_h:g} h, n = {last.n}."
    )
