"""A batch over time: mean diameter and, below, the relative spread, each with its band."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lampyris.probe.growth import Course
from lampyris.probe.growth.advice import band
from lampyris.report.arms import ARM_COLOURS
from lampyris.report.drawing.axes import Scale, draw_bottom, draw_title, log_ticks
from lampyris.report.drawing.scene import Note, Pen, Scene
from lampyris.report.plots.frame import COLUMN_MM, draw_key, draw_up_axis, key_rows, left_margin

_PANEL_MM, _TOP_MM, _GAP_MM, _FOOT_MM = 40.0, 12.0, 4.0, 11.0
_LINE, _BAND = Pen(ARM_COLOURS[0], 1.2), Pen(fill=ARM_COLOURS[0], opacity=0.2)


def growth_plot(course: Course, courses: Sequence[Course] = (), /, *, title: str, width_mm: float = COLUMN_MM) -> Scene:
    """Mean diameter and relative spread against time.

    Parameters
    ----------
    course : Course
    courses : sequence of Course
        With drawn constants; their middle 95 % is shaded.
    title : str
    width_mm : float
        85 for one column of a journal.

    Returns
    -------
    Scene
    """
    scene = Scene(width_mm, _TOP_MM + 2 * _PANEL_MM + _GAP_MM + _FOOT_MM, title=title)
    panels = [
        (label, factor * getattr(course, name), tuple(factor * end for end in band(courses, name)) if courses else ())
        for label, factor, name in (("mean diameter (nm)", 1.0, "diameter_nm"), ("sd / mean (%)", 100.0, "spread"))
    ]
    tops = (_TOP_MM, _TOP_MM + _PANEL_MM + _GAP_MM)
    ups = [_up(values, ends, top) for (_, values, ends), top in zip(panels, tops, strict=True)]
    left = max(left_margin(up, label) for up, (label, _, _) in zip(ups, panels, strict=True))
    minutes = course.time_s / 60.0
    across = Scale(float(minutes[0]), float(minutes[-1]), left, width_mm - 2.0, logarithmic=True)
    draw_title(scene, (left, 4.8), title, width=width_mm - left, most=1)
    entries = [("constants as tabled or fitted", _LINE)] + (
        [(f"95 % of {len(courses)} draws", _BAND)] if courses else []
    )
    draw_key(scene, key_rows(entries, width_mm - left), (left, 8.6))
    for (label, values, ends), up in zip(panels, ups, strict=True):
        draw_up_axis(scene, up, left, label)
        draw_bottom(scene, across, up.start, [(at, "") for at, _ in log_ticks(across.low, across.high)[0]])
        low, high = [_points(minutes, end, across, up) for end in ends] or ([], [])
        # a flask without dots has neither band nor line
        if low:
            scene.area([*low, *reversed(high)], _BAND)
        if line := _points(minutes, values, across, up):
            scene.line(line, _LINE, Note(label))
    draw_bottom(scene, across, ups[-1].start, log_ticks(across.low, across.high)[0], "time (min)")
    return scene


def _up(values: NDArray[np.float64], ends: Sequence[NDArray[np.float64]], top: float) -> Scale:
    known = np.concatenate([values, *ends])
    most = float(np.nanmax(known)) if np.isfinite(known).any() else 1.0
    return Scale(0.0, 1.06 * most, top + _PANEL_MM, top)


def _points(
    minutes: NDArray[np.float64], values: NDArray[np.float64], across: Scale, up: Scale
) -> list[tuple[float, float]]:
    """Where there are dots; before, there is nothing to draw."""
    return [
        (across(at), up(value))
        for at, value in zip(minutes.tolist(), values.tolist(), strict=True)
        if math.isfinite(value)
    ]
