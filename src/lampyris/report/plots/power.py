"""Power over the number of animals."""

import math

from lampyris.core.power import PowerResult
from lampyris.report.arms import ARM_COLOURS
from lampyris.report.drawing.axes import Scale, draw_bottom, draw_left, draw_title, draw_up_label, even_ticks
from lampyris.report.drawing.scene import FAINT, SOFT, Note, Pen, Scene, Type
from lampyris.report.numbers import number


def power_figure(result: PowerResult, /) -> Scene:
    """Power over units per group, with the size at hand.

    Parameters
    ----------
    result : PowerResult
        With its curve.

    Returns
    -------
    Scene
        88 mm wide, one column of a journal. Where the spread is from a pilot, the bar at the size at hand spans the power
        between the ends of what the pilot leaves open.

    Raises
    ------
    ValueError
        If there is no curve.
    """
    if not result.curve:
        raise ValueError(f"{result.kind} has no power curve")
    scene = Scene(88.0, 66.0)
    left, foot, top = 14.0, 54.0, 13.0
    sizes = [n for n, _ in result.curve]
    across, up = Scale(min(sizes) - 0.5, max(sizes) + 0.5, left, 86.0), Scale(0.0, 1.0, foot, top)
    # animals are whole
    ticks = [tick for tick in even_ticks(min(sizes), max(sizes), most=7) if float(tick[0]).is_integer()]
    scene.line([(left, up(0.8)), (across.end, up(0.8))], Pen(FAINT, 0.6, dashes=(2, 2)))
    draw_left(scene, up, left, even_ticks(0.0, 1.0))
    draw_bottom(scene, across, foot, ticks, "units per group" if len(result.n) > 1 else result.groups[0])
    draw_up_label(scene, left - 9.5, (foot + top) / 2, "power")
    draw_title(scene, (left, top - 6.0), f"Power: {result.test}", width=72.0, most=1)
    effect = f"{result.effect_name} {number(result.effect, digits=3)}, alpha {number(result.alpha)}"
    scene.text((left, top - 2.4), effect, Type(6.5, colour=SOFT))
    ink = ARM_COLOURS[0]
    scene.line([(across(n), up.clipped(power)) for n, power in result.curve], Pen(ink, 1.2))
    for n, power in result.curve:
        scene.disc((across(n), up.clipped(power)), 0.5, Pen(fill=ink), Note(f"n = {n}: power {number(power)}"))
    here = across(result.n[0])
    if result.power_range:
        low, high = result.power_range
        scene.line([(here, up.clipped(low)), (here, up.clipped(high))], Pen(ARM_COLOURS[1], 1.4))
    if math.isfinite(result.power):
        words = f"n = {', '.join(map(str, result.n))}: power {number(result.power)}"
        scene.diamond((here, up.clipped(result.power)), 1.3, Pen("#fefefe", 0.5, ARM_COLOURS[1]), Note(words))
    return scene
