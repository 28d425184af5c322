"""A batch over time: mean diameter with its band, and the relative spread below."""

from collections.abc import Sequence

import numpy as np

from lampyris.core.bench import BenchCurve
from lampyris.probe.growth import Course
from lampyris.probe.growth.advice import band
from lampyris.report.plots.bench import curve_panel
from lampyris.report.plots.frame import COLUMN_MM
from lampyris.report.scene import Scene


def growth_plot(course: Course, courses: Sequence[Course] = (), /, *, title: str, width_mm: float = COLUMN_MM) -> Scene:
    """Mean diameter and relative spread against time.

    Parameters
    ----------
    course : Course
    courses : sequence of Course
        With drawn constants; their middle 95 % is dashed.
    title : str
    width_mm : float
        85 for one column of a journal.

    Returns
    -------
    Scene
    """
    minutes = course.time_s / 60.0
    ends = dict(zip(("low", "high"), band(courses, "diameter_nm"), strict=True)) if courses else {}
    none = np.full(minutes.size, np.nan)
    size = BenchCurve(title, "time (min)", "diameter (nm)", minutes, none, course.diameter_nm, parts=ends, x_log=True)
    spread = BenchCurve(
        "relative spread", "time (min)", "sd / mean (%)", minutes, none, 100.0 * course.spread, x_log=True
    )
    panels = [curve_panel(one, width_mm=width_mm) for one in (size, spread)]
    scene = Scene(width_mm, sum(panel.height for panel in panels), title=title)
    scene.paste(panels[0], (0.0, 0.0))
    scene.paste(panels[1], (0.0, panels[0].height))
    return scene
