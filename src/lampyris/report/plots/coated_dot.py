"""Two dots in a medium, and ions that they give off: energy over the gap, share in solution over time."""

import math

import numpy as np

from lampyris.probe.coat import Stability
from lampyris.probe.hazard import Release
from lampyris.report.arms import ARM_COLOURS
from lampyris.report.drawing.axes import Scale, draw_bottom, draw_left, draw_title, draw_up_label, even_ticks
from lampyris.report.drawing.scene import FAINT, INK, SOFT, Note, Pen, Scene, Type

LEFT, RIGHT, FOOT, TOP = 14.0, 86.0, 54.0, 13.0
FLOOR_KT, CEILING_KT = 5.0, 20.0
"""Energies that are always shown: an attraction and a barrier that decide lie inside."""


def stability_figure(found: Stability, /, *, title: str) -> Scene:
    """Energy of two dots over the gap between their coats, with its parts.

    Parameters
    ----------
    found : Stability
        With its energy.
    title : str
        Name of the dot.

    Returns
    -------
    Scene
        88 mm wide, one column of a journal. A gap below 0 means coats that are pressed together.
    """
    energy = found.energy
    scene = Scene(88.0, 66.0)
    first = float(energy.gap_nm.min())
    across = Scale(min(0.0, first), max(10.0, 6 * min(found.debye_nm, 5.0)), LEFT, RIGHT)
    shown = energy.total_kt[energy.gap_nm <= across.high]
    low = min(-FLOOR_KT, -found.well.high * 1.1)
    high = max(CEILING_KT, min(1.1 * float(shown.max()), 60.0))
    up = Scale(low, high, FOOT, TOP)
    scene.line([(LEFT, up(0.0)), (RIGHT, up(0.0))], Pen(FAINT, 0.6, dashes=(2, 2)))
    draw_left(scene, up, LEFT, even_ticks(low, high))
    draw_bottom(scene, across, FOOT, even_ticks(across.low, across.high, most=7), "gap between the coats (nm)")
    draw_up_label(scene, LEFT - 9.5, (FOOT + TOP) / 2, "energy (kT)")
    draw_title(scene, (LEFT, TOP - 6.0), title, width=72.0, most=1)
    scene.text((LEFT, TOP - 2.4), found.verdict, Type(6.5, colour=SOFT))
    # the total first and broad: where one part makes it, that part lies on it
    parts = (
        ("total", energy.total_kt, INK, 2.0),
        ("attraction", energy.attraction_kt, ARM_COLOURS[1], 0.8),
        ("charge", energy.charge_kt, ARM_COLOURS[0], 0.8),
        ("polymer", energy.steric_kt, ARM_COLOURS[2], 0.8),
    )
    for number, (name, values, ink, width) in enumerate(parts):
        kept = [
            (across(gap), up(value))
            for gap, value in zip(energy.gap_nm.tolist(), values.tolist(), strict=True)
            if gap <= across.high and low <= value <= high
        ]
        if len(kept) > 1:
            scene.line(kept, Pen(ink, width), Note(name))
        scene.text((RIGHT - 14.0, TOP + 3.0 + 3.2 * number), name, Type(6.5, colour=ink))
    return scene


def release_figure(found: Release, /, *, title: str) -> Scene:
    """Share of each element in solution over days, with its 95 % interval.

    Parameters
    ----------
    found : Release
        At two times or more.
    title : str
        Name of the dot.

    Returns
    -------
    Scene
        88 mm wide, one column of a journal.

    Raises
    ------
    ValueError
        If there is only one time.
    """
    if len(found.hours) < 2:
        raise ValueError("a curve of ions over time needs two times or more")
    scene = Scene(88.0, 66.0)
    days = (found.hours / 24).tolist()
    across, up = Scale(0.0, max(days), LEFT, RIGHT), Scale(0.0, 1.0, FOOT, TOP)
    draw_left(scene, up, LEFT, even_ticks(0.0, 1.0))
    draw_bottom(scene, across, FOOT, even_ticks(0.0, max(days), most=7), "time (d)")
    draw_up_label(scene, LEFT - 9.5, (FOOT + TOP) / 2, "share in solution")
    draw_title(scene, (LEFT, TOP - 6.0), title, width=72.0, most=1)
    scene.text((LEFT, TOP - 2.4), "speeds and loss of the coat assumed; dashed: 95 % interval", Type(6.5, colour=SOFT))
    for number, symbol in enumerate(found.share):
        ink = ARM_COLOURS[number % len(ARM_COLOURS)]
        for bound in (found.low[symbol], found.high[symbol]):
            scene.line(_points(days, bound, across, up), Pen(ink, 0.5, dashes=(2, 2)))
        shown = _points(days, found.share[symbol], across, up)
        scene.line(shown, Pen(ink, 1.2), Note(symbol))
        for place in shown:
            scene.disc(place, 0.7, Pen(fill=ink))
        scene.text((LEFT + 2.0, TOP + 3.0 + 3.2 * number), symbol, Type(6.5, colour=ink))
    return scene


def _points(days: list[float], values: np.ndarray, across: Scale, up: Scale) -> list[tuple[float, float]]:
    return [
        (across(day), up.clipped(value))
        for day, value in zip(days, values.tolist(), strict=True)
        if math.isfinite(value)
    ]
