"""Plots of two measurements: scatter with its line, difference against mean with limits, and the ROC curve.

In the order of use: `scatter_plot`, `agreement_plot`, `roc_plot`.
"""

import math
from collections.abc import Sequence

from lampyris.core.estimate import Estimate
from lampyris.report.arms import ARM_COLOURS
from lampyris.report.drawing.axes import (
    LABEL_PT,
    TICK_PT,
    Scale,
    draw_bottom,
    draw_left,
    draw_up_label,
    even_ticks,
)
from lampyris.report.drawing.scene import (
    FAINT,
    INK,
    POINT_MM,
    SOFT,
    Note,
    Pen,
    Point,
    Scene,
    Type,
    figure_text,
    text_width_mm,
)
from lampyris.report.levels import level_text
from lampyris.report.numbers import p_text, value_interval
from lampyris.statistics.relations.bland_altman import Agreement
from lampyris.statistics.relations.coefficient import Correlation
from lampyris.statistics.relations.regression import RelationLine
from lampyris.statistics.relations.roc import Roc

COLUMN_MM = 85.0
_HEIGHT_MM = 66.0
_ABOVE_MM, _BELOW_MM, _RIGHT_MM = 6.0, 10.0, 2.0
_FOOT_PT = 6.0
_POINT_MM = 0.75
_COLOUR, _BAND = "#0072B2", 0.16
_STEPS = 48


def scatter_plot(
    x: Sequence[float],
    y: Sequence[float],
    correlation: Correlation,
    /,
    *,
    labels: tuple[str, str],
    line: RelationLine | None = None,
    subject: Sequence[str] | None = None,
    width_mm: float = COLUMN_MM,
) -> Scene:
    """Every row as a point, with the line and its band, or with the common slope through each subject.

    Parameters
    ----------
    x, y : sequence of float, dims (row,)
    correlation : Correlation
        Stated at the head; of repeated measures its slope is drawn through each subject.
    labels : (str, str)
        Of the axes.
    line : RelationLine, optional
        Drawn with its pointwise band, of rows that are independent.
    subject : sequence of str, optional
        Of each row, for colours.
    width_mm : float
        85 for one column of a journal, 180 for two.

    Returns
    -------
    Scene
    """
    across_ends, up_ends = _airy(x), _airy(y)
    e = correlation.r
    head = f"{_symbol(correlation)} = {value_interval(e.value, e.low, e.high)}, {p_text(correlation.p)}, n = {correlation.n}"
    foot = [correlation.design.sentence()]
    if line is not None:
        foot.append(f"Line: {line.method}; band: {level_text([line.slope])} interval of the line.")
    if correlation.method == "repeated":
        foot.append("Lines: the common slope within subjects, through each subject's mean.")
    scene, across, up = _panel(across_ends, up_ends, labels, head, foot, width_mm)
    if line is not None:
        _draw_line(scene, line, across, up)
    names = list(dict.fromkeys(subject or ()))
    colours = {name: ARM_COLOURS[k % len(ARM_COLOURS)] for k, name in enumerate(names)}
    if correlation.method == "repeated" and correlation.slope is not None and subject is not None:
        for name in names:
            own = [(a, b) for a, b, s in zip(x, y, subject, strict=True) if s == name]
            _draw_subject(scene, own, correlation.slope.value, across, up, colours[name])
    for k, (a, b) in enumerate(zip(x, y, strict=True)):
        colour = colours[subject[k]] if subject is not None and correlation.method == "repeated" else _COLOUR
        said = f"{subject[k]}: " if subject is not None else ""
        note = Note(f"{said}{labels[0]} {a:.4g}, {labels[1]} {b:.4g}")
        scene.disc((across(a), up(b)), _POINT_MM, Pen(fill=colour, opacity=0.75), note)
    return scene


def agreement_plot(agreement: Agreement, /, *, names: tuple[str, str], width_mm: float = COLUMN_MM) -> Scene:
    """Difference (or ratio) against mean, with bias and limits of agreement and the intervals of all three.

    Parameters
    ----------
    agreement : Agreement
    names : (str, str)
        Of the two measurements.
    width_mm : float
        85 for one column of a journal, 180 for two.

    Returns
    -------
    Scene
    """
    ratio = agreement.scale == "ratio"
    a, b = names
    kind = "geometric mean" if ratio else "mean"
    below = f"{kind} of {a} and {b}"
    labels = (
        below if text_width_mm(below, LABEL_PT) < width_mm - 30 else f"{kind} of both",
        f"{a} {'/' if ratio else '−'} {b}",
    )
    lines = (agreement.lower, agreement.bias, agreement.upper)
    ends = [end for e in lines for end in (e.value, e.low, e.high) if math.isfinite(end)]
    none = 1.0 if ratio else 0.0
    head = f"bias {value_interval(agreement.bias.value, agreement.bias.low, agreement.bias.high)}, n = {agreement.design.n[0]}"
    foot = [
        f"Limits of agreement {_value(agreement.lower)} and {_value(agreement.upper)}; shaded: {level_text(lines)} intervals.",
        agreement.design.sentence(),
    ]
    up_ends = _airy([*agreement.difference, *ends, none])
    scene, across, up = _panel(_airy(agreement.mean), up_ends, labels, head, foot, width_mm, room=13.0)
    scene.line([(across.start, up(none)), (across.end, up(none))], Pen(FAINT, 0.6))
    for e, colour, dashes in zip(lines, (SOFT, INK, SOFT), ((3.0, 2.0), (), (3.0, 2.0)), strict=True):
        low, high = up.clipped(e.low), up.clipped(e.high)
        pen = Pen(fill=colour, opacity=_BAND)
        scene.box((across.start, high), (across.end - across.start, low - high), pen)
        scene.line([(across.start, up(e.value)), (across.end, up(e.value))], Pen(colour, 0.9, dashes=dashes))
        scene.text((across.end + 0.8, up(e.value) + 0.8), f"{e.value:.3g}".replace("-", "−"), Type(TICK_PT))
    for mean, difference in zip(agreement.mean, agreement.difference, strict=True):
        note = Note(f"{labels[0]} {mean:.4g}, {labels[1]} {difference:.4g}")
        scene.disc((across(mean), up(difference)), _POINT_MM, Pen(fill=_COLOUR, opacity=0.75), note)
    return scene


def roc_plot(curve: Roc, /, *, label: str = "", width_mm: float = COLUMN_MM) -> Scene:
    """Sensitivity against false calls at every threshold, with the best threshold and its intervals marked.

    Parameters
    ----------
    curve : Roc
    label : str
        Of the score.
    width_mm : float
        85 for one column of a journal, 180 for two.

    Returns
    -------
    Scene
    """
    e, best = curve.auc, curve.best
    head = f"area {value_interval(e.value, e.low, e.high)}, {p_text(curve.test.p)}"
    foot = [
        f"Marked: {label or 'score'} of at least {curve.best_threshold:.3g}, sensitivity {_value(best.sensitivity)}, "
        f"specificity {_value(best.specificity)}; chosen on these data.",
        curve.design.sentence(),
    ]
    labels = ("1 − specificity", f"sensitivity of {label}" if label else "sensitivity")
    scene, across, up = _panel((0.0, 1.0), (0.0, 1.0), labels, head, foot, width_mm)
    scene.line([(across(0.0), up(0.0)), (across(1.0), up(1.0))], Pen(FAINT, 0.6, dashes=(2.0, 2.0)))
    places = [(across(a), up(b)) for a, b in zip(curve.false_positive_rate, curve.sensitivity, strict=True)]
    scene.line(places, Pen(_COLOUR, 1.4))
    x, y = across(1 - best.specificity.value), up(best.sensitivity.value)
    scene.line([(across(1 - best.specificity.high), y), (across(1 - best.specificity.low), y)], Pen(INK, 0.8))
    scene.line([(x, up(best.sensitivity.low)), (x, up(best.sensitivity.high))], Pen(INK, 0.8))
    scene.disc((x, y), 1.0, Pen(fill=INK), Note(foot[0]))
    return scene


def _panel(
    across_ends: tuple[float, float],
    up_ends: tuple[float, float],
    labels: tuple[str, str],
    head: str,
    foot: Sequence[str],
    width_mm: float,
    *,
    room: float = 0.0,
) -> tuple[Scene, Scale, Scale]:
    """An empty panel with axes, a line above and lines below; `room` is kept free at the right."""
    lines = [part for words in foot for part in _broken(words, width_mm - 2.0)]
    step = 1.25 * _FOOT_PT * POINT_MM
    floor = _ABOVE_MM + _HEIGHT_MM
    scene = Scene(width_mm, floor + _BELOW_MM + step * len(lines) + 1.0)
    ticks = even_ticks(*up_ends)
    left = 5.0 + max(text_width_mm(text, TICK_PT) for _, text in ticks) + 2.0
    up = Scale(*up_ends, floor, _ABOVE_MM)
    across = Scale(*across_ends, left, width_mm - _RIGHT_MM - room)
    draw_left(scene, up, left, ticks)
    draw_bottom(scene, across, floor, even_ticks(*across_ends), _fit(labels[0], across.end - left))
    draw_up_label(scene, 2.8, (up.start + up.end) / 2, _fit(labels[1], _HEIGHT_MM))
    size = min(LABEL_PT, LABEL_PT * (width_mm - left - 1.0) / text_width_mm(head, LABEL_PT))
    scene.text((left, _ABOVE_MM - 2.2), head, Type(round(size, 2), bold=True))
    for k, part in enumerate(lines):
        scene.text((1.0, floor + _BELOW_MM + step * (k + 0.7)), part, Type(_FOOT_PT, colour=SOFT))
    return scene, across, up


def _draw_line(scene: Scene, line: RelationLine, across: Scale, up: Scale) -> None:
    """A line with its band, cut at the panel."""
    at = [across.low + (across.high - across.low) * k / _STEPS for k in range(_STEPS + 1)]
    low, high = line.band(at)
    if math.isfinite(float(low[0])):
        upper = [(across(a), up.clipped(float(b))) for a, b in zip(at, high, strict=True)]
        lower = [(across(a), up.clipped(float(b))) for a, b in zip(at, low, strict=True)]
        scene.area([*upper, *reversed(lower)], Pen(fill=_COLOUR, opacity=_BAND))
    places = _inside([(a, float(b)) for a, b in zip(at, line.at(at), strict=True)], up)
    scene.line([(across(a), up(b)) for a, b in places], Pen(INK, 1.0))


def _draw_subject(scene: Scene, own: Sequence[Point], slope: float, across: Scale, up: Scale, colour: str) -> None:
    """The common slope through the mean of one subject's points."""
    middle = tuple(sum(part) / len(own) for part in zip(*own, strict=True))
    first, last = min(a for a, _ in own), max(a for a, _ in own)
    steps = [first + (last - first) * k / _STEPS for k in range(_STEPS + 1)]
    places = _inside([(a, middle[1] + slope * (a - middle[0])) for a in steps], up)
    scene.line([(across(a), up(b)) for a, b in places], Pen(colour, 0.8, opacity=0.8))


def _inside(places: Sequence[Point], up: Scale) -> list[Point]:
    kept = [(a, b) for a, b in places if up.low <= b <= up.high]
    return kept if len(kept) > 1 else list(places[:1]) * 2


def _airy(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    air = 0.06 * (high - low) or 0.1 * abs(high) or 0.5
    return low - air, high + air


def _symbol(correlation: Correlation) -> str:
    return {"spearman": "ρ", "kendall": "τ", "repeated": "r within subjects", "partial": "partial r"}.get(
        correlation.method, "r"
    )


def _value(e: Estimate) -> str:
    return value_interval(e.value, e.low, e.high)


def _fit(label: str, room_mm: float) -> str:
    return figure_text(label, longest=max(8, int(room_mm / text_width_mm("x", LABEL_PT))))


def _broken(words: str, width_mm: float) -> list[str]:
    """Lines that fit a width."""
    lines = [""]
    for word in words.split(" "):
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and text_width_mm(longer, _FOOT_PT) > width_mm:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines
