"""Where a dose goes: organs over time, each with its band."""

import math

from lampyris.core.estimate import Estimate
from lampyris.probe.fate.dosing import SHORTEST_H
from lampyris.probe.fate.predict import Fate, OrganCourse
from lampyris.report.arms import ARM_COLOURS, NEUTRAL
from lampyris.report.drawing.axes import Scale, draw_bottom, draw_left, draw_title, draw_up_label, log_ticks
from lampyris.report.drawing.scene import SOFT, Note, Pen, Scene, Type
from lampyris.report.numbers import estimate_text, number

# a panel each, so that bands do not hide one another
_DRAWN = ("plasma", "liver", "spleen", "kidney", "lung", "tumour")
_WIDTH_MM, _PANEL_MM, _HEIGHT_MM = 179.0, 55.0, 36.0
_LEFT_MM, _TOP_MM = 13.0, 18.0
_MOST_DECADES = 5.0
_LEAST_PERCENT = 0.01


def fate_figure(result: Fate, /) -> Scene:
    """Percent of the dose per gram over time, on logarithmic scales.

    Parameters
    ----------
    result : Fate

    Returns
    -------
    Scene
        179 mm wide, two columns of a journal: a panel per organ on common axes, the mean animal as a line and the 95 % interval
        as a band.
    """
    shown = [result.organ(name) for name in _DRAWN if any(one.organ == name for one in result.organs)]
    rows = math.ceil(len(shown) / 3)
    scene = Scene(_WIDTH_MM, _TOP_MM + rows * (_HEIGHT_MM + 13.0))
    most = max(float(one.high[1:].max()) for one in shown)
    least = min(float(one.low[result.hours >= SHORTEST_H].min()) for one in shown)
    low, high = max(least / 1.6, most * 10.0**-_MOST_DECADES), most * 1.6
    question = result.question
    ligand = f" with {question.ligand}" if question.ligand else ""
    title = f"{question.diameter_nm:g} nm, {result.coat.name}{ligand}, in the {question.species}"
    draw_title(scene, (_LEFT_MM, 5.0), title, width=_WIDTH_MM - _LEFT_MM, most=1)
    scene.text((_LEFT_MM, 9.2), _words(result), Type(6.5, colour=SOFT))
    colours = dict(zip(_DRAWN, (NEUTRAL, *ARM_COLOURS), strict=False))
    for place, course in enumerate(shown):
        left = _LEFT_MM + (place % 3) * _PANEL_MM
        top = _TOP_MM + (place // 3) * (_HEIGHT_MM + 13.0)
        across = Scale(SHORTEST_H, float(result.hours[-1]), left, left + _PANEL_MM - 6.0, logarithmic=True)
        up = Scale(low, high, top + _HEIGHT_MM, top, logarithmic=True)
        _panel(scene, result, course, across, up, colours[course.organ], named=place % 3 == 0)
    return scene


def urine_text(percent: Estimate, /) -> str:
    """Share of the dose in the urine; of what nobody could weigh only the bound.

    Examples
    --------
    >>> urine_text(Estimate(2.4e-6, math.nan, 0.0, 0.03, 0.95, "%", "draws"))
    'at most 0.030 %'
    >>> urine_text(Estimate(12.0, math.nan, 8.0, 17.0, 0.95, "%", "draws"))
    '12 (8–17) %'
    """
    if percent.value < _LEAST_PERCENT:
        return f"at most {number(max(percent.high, _LEAST_PERCENT))} %"
    return f"{estimate_text(percent, unit=False)} %"


def _words(result: Fate) -> str:
    dosing = result.question.dosing
    words = [
        f"{dosing.doses} × {dosing.amount:.3g} {dosing.unit}"
        if dosing.doses > 1
        else f"{dosing.amount:.3g} {dosing.unit}"
    ]
    half = result.half_life_h
    if math.isfinite(half.value):
        words.append(f"half-life {number(half.value)} h ({number(half.low)}–{number(half.high)})")
    words.append(f"in urine {urine_text(result.renal_percent)}")
    words.append(f"band: 95 % of {result.draws} draws")
    return "; ".join(words)


def _panel(scene: Scene, result: Fate, course: OrganCourse, across: Scale, up: Scale, ink: str, *, named: bool) -> None:
    labels, minor = log_ticks(up.low, up.high)
    draw_left(scene, up, across.start, labels if named else [(value, "") for value, _ in labels], minor=minor)
    draw_bottom(scene, across, up.start, log_ticks(across.low, across.high)[0], "hours after the first dose")
    if named:
        draw_up_label(scene, across.start - 9.5, (up.start + up.end) / 2, "% of all doses per g")
    scene.text(
        (across.start + 1.0, up.end - 1.2),
        "plasma, per ml" if course.organ == "plasma" else course.organ,
        Type(7.0, bold=True),
    )
    seen = [place for place, hour in enumerate(result.hours) if hour >= across.low]
    xs = [across(float(result.hours[place])) for place in seen]
    lower = [(x, up.clipped(float(course.low[place]))) for x, place in zip(xs, seen, strict=True)]
    upper = [(x, up.clipped(float(course.high[place]))) for x, place in zip(xs, seen, strict=True)]
    scene.area([*lower, *reversed(upper)], Pen(fill=ink, opacity=0.18))
    last = seen[-1]
    note = Note(
        f"{course.organ}: {number(float(course.percent_per_g[last]))} % per g at {result.hours[last]:.3g} h "
        f"({number(float(course.low[last]))}–{number(float(course.high[last]))})"
    )
    line = [(x, up.clipped(float(course.percent_per_g[place]))) for x, place in zip(xs, seen, strict=True)]
    scene.line(line, Pen(ink, 1.2), note)
