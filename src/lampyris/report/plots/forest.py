"""Effects with their intervals, one below the other: a forest plot."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from lampyris.core.estimate import Estimate
from lampyris.report.drawing.axes import Scale, draw_bottom
from lampyris.report.drawing.scene import FAINT, INK, Note, Pen, Scene, Type, figure_text, text_width_mm
from lampyris.report.levels import level_text
from lampyris.report.numbers import number
from lampyris.report.plots.frame import (
    COLUMN_MM,
    LINE_MM,
    NAME_PT,
    PAGE_MM,
    draw_foot,
    foot_height,
    foot_lines,
    scale_ticks,
    value_scale,
)
from lampyris.report.sentences import p_words

_ROW_MM = 5.0
_ABOVE_MM = 5.5
_LONGEST = 64
# of the width that labels may take: over two columns of a journal there is room for more
_LABEL_SHARE, _WIDE_LABEL_SHARE = 0.42, 0.48


@dataclass(frozen=True, slots=True)
class Effect:
    """A row of a forest plot.

    Parameters
    ----------
    label : str
        What it is the effect of, such as "liver: dots - dye".
    estimate : Estimate
        Value with interval.
    p : float
        NaN where none belongs to it.
    """

    label: str
    estimate: Estimate
    p: float = math.nan


def forest_plot(
    effects: Sequence[Effect],
    /,
    *,
    label: str,
    null: float = 0.0,
    logarithmic: bool = False,
    width_mm: float = COLUMN_MM,
    notes: Sequence[str] = (),
) -> Scene:
    """Effects with intervals and exact p, one below the other.

    Parameters
    ----------
    effects : sequence of Effect
        At least one, in their order.
    label : str
        Of the axis, with its unit.
    null : float
        Value of no effect, drawn as a line: 0 for differences, 1 for ratios.
    logarithmic : bool
        For ratios.
    width_mm : float
        85 for one column of a journal, 180 for two.
    notes : sequence of str
        Paragraphs at the foot, such as how p was adjusted.

    Returns
    -------
    Scene

    Raises
    ------
    ValueError
        If there is no effect, or one cannot stand on a logarithmic axis.
    """
    if not effects:
        raise ValueError("a forest plot needs at least one effect")
    estimates = [effect.estimate for effect in effects]
    if logarithmic and (null <= 0 or any(one.value <= 0 for one in estimates)):
        raise ValueError("a logarithmic axis needs effects and a null above 0")
    names = [figure_text(effect.label, longest=_LONGEST) for effect in effects]
    texts = [_numbers(effect) for effect in effects]
    share = _LABEL_SHARE if width_mm < PAGE_MM else _WIDE_LABEL_SHARE
    left = min(1.5 + max(text_width_mm(name, NAME_PT) for name in names), share * width_mm)
    right = width_mm - 2.0 - max(text_width_mm(text, NAME_PT) for text in texts)
    if right - left < 0.22 * width_mm:
        # too narrow for three columns: numbers go below their names
        return _stacked(effects, label=label, null=null, logarithmic=logarithmic, width_mm=width_mm, notes=notes)
    bottom = _ABOVE_MM + _ROW_MM * len(effects)
    across = _across(estimates, null, left + 2.0, right - 2.0, logarithmic=logarithmic)
    scene, foot = _begun(effects, across, bottom, label, null, width_mm, notes)
    cut = int((left - 1.5) / text_width_mm("x", NAME_PT))
    for k, (effect, name, text) in enumerate(zip(effects, names, texts, strict=True)):
        y = _ABOVE_MM + _ROW_MM * (k + 0.5)
        scene.text((1.0, y + 0.8), figure_text(name, longest=max(cut, 4)), Type(NAME_PT))
        scene.text((width_mm - 1.0, y + 0.8), text, Type(NAME_PT, "end"))
        _draw_effect(scene, effect, across, y)
    scene.text((width_mm - 1.0, 3.4), f"{level_text(estimates)} interval, p", Type(NAME_PT, "end", bold=True))
    draw_foot(scene, foot, (1.0, bottom + 8.5))
    return scene


def _stacked(
    effects: Sequence[Effect],
    *,
    label: str,
    null: float,
    logarithmic: bool,
    width_mm: float,
    notes: Sequence[str],
) -> Scene:
    """Each effect with its name and numbers below each other to the left."""
    estimates = [effect.estimate for effect in effects]
    left = 0.5 * width_mm
    texts = [_numbers(effect).partition(", ") for effect in effects]
    split = any(text_width_mm("".join(parts), NAME_PT) > left - 2.0 for parts in texts)
    row = (3.7 if split else 2.6) * LINE_MM
    bottom = _ABOVE_MM + row * len(effects)
    across = _across(estimates, null, left + 2.0, width_mm - 2.0, logarithmic=logarithmic)
    scene, foot = _begun(effects, across, bottom, label, null, width_mm, notes)
    cut = int((left - 2.0) / text_width_mm("x", NAME_PT))
    for k, effect in enumerate(effects):
        y = _ABOVE_MM + row * (k + 0.5)
        top = y - (0.7 if split else 0.2) * LINE_MM / 2
        scene.text((1.0, top), figure_text(effect.label, longest=cut), Type(NAME_PT, bold=True))
        lines = [texts[k][0], texts[k][2]] if split else ["".join(texts[k])]
        for below, line in enumerate(lines, 1):
            scene.text((1.0, top + LINE_MM * below), line, Type(NAME_PT))
        _draw_effect(scene, effect, across, y)
    draw_foot(scene, foot, (1.0, bottom + 8.5))
    return scene


def _across(estimates: Sequence[Estimate], null: float, start: float, end: float, *, logarithmic: bool) -> Scale:
    ends = [number for one in estimates for number in (one.value, one.low, one.high)]
    return value_scale(
        [*(value for value in ends if not logarithmic or value > 0), null], start, end, logarithmic=logarithmic
    )


def _begun(
    effects: Sequence[Effect],
    across: Scale,
    bottom: float,
    label: str,
    null: float,
    width_mm: float,
    notes: Sequence[str],
) -> tuple[Scene, list[str]]:
    """The scene with axis and line of no effect, and the lines of its foot."""
    level = level_text([effect.estimate for effect in effects])
    foot = foot_lines([f"Squares: estimate with {level} interval.", *notes], width_mm - 2.0)
    scene = Scene(width_mm, bottom + 8.5 + foot_height(foot))
    ticks, _ = scale_ticks(across)
    draw_bottom(scene, across, bottom, _apart(ticks, across), label)
    x = across(null)
    scene.line([(x, _ABOVE_MM - 1.0), (x, bottom)], Pen(FAINT, 0.7, dashes=(2, 2)))
    scene.title = f"Effects on {label}"
    scene.description = " ".join(f"{effect.label}: {_numbers(effect)}." for effect in effects)
    return scene, foot


def _apart(ticks: Sequence[tuple[float, str]], across: Scale) -> list[tuple[float, str]]:
    """Ticks whose labels do not touch."""
    kept: list[tuple[float, str]] = []
    free = -math.inf
    for value, text in ticks:
        half = text_width_mm(text, 6.5) / 2
        if across(value) - half >= free:
            kept.append((value, text))
            free = across(value) + half + 0.8
    return kept


def _draw_effect(scene: Scene, effect: Effect, across: Scale, y: float) -> None:
    one = effect.estimate
    if math.isnan(one.value):
        return
    note = Note(f"{effect.label}: {_numbers(effect)}")
    low = one.low if not across.logarithmic or one.low > 0 else across.low
    if math.isfinite(low) and math.isfinite(one.high):
        scene.line([(across.clipped(low), y), (across.clipped(one.high), y)], Pen(INK, 1.0), note)
    scene.box((across(one.value) - 0.8, y - 0.8), (1.6, 1.6), Pen(fill="#0072B2"), note)


def _numbers(effect: Effect) -> str:
    one = effect.estimate
    text = f"{number(one.value, digits=3)} ({number(one.low, digits=3)} to {number(one.high, digits=3)})"
    return text if math.isnan(effect.p) else f"{text}, {p_words(effect.p)}"
