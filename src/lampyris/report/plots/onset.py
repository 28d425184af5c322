"""Courses of an onset: Kaplan-Meier or Turnbull steps with their intervals, and the numbers still without the event beneath."""

import math
from collections.abc import Sequence

from lampyris.core.onset import OnsetArm, OnsetResult
from lampyris.report.arms import ARM_COLOURS, NEUTRAL
from lampyris.report.drawing.axes import LINE_MM, Scale, draw_bottom, draw_left, draw_title, draw_up_label, even_ticks
from lampyris.report.drawing.scene import INK, SOFT, Note, Pen, Scene, Type, figure_text, text_width_mm
from lampyris.report.numbers import day_text, number, p_text

_WIDTH_MM = 88.0
_LEFT_MM, _TOP_MM, _HEIGHT_MM = 15.0, 14.0, 48.0
_ROW_MM = 3.4
_LINE_MM = 3.2


def onset_colours(count: int, /) -> tuple[str, ...]:
    """A colour per group, the same as in the study's report; grey for more than there are."""
    return tuple(ARM_COLOURS[k] if k < len(ARM_COLOURS) else NEUTRAL for k in range(count))


def onset_figure(result: OnsetResult, /, *, colours: Sequence[str] = ()) -> Scene:
    """Share without the event over days.

    Parameters
    ----------
    result : OnsetResult
        One event.
    colours : sequence of str
        Per group; those of the report's arms by default.

    Returns
    -------
    Scene
        88 mm wide, one column of a journal. Events of known days are steps, with the interval as a band and looks without
        the event as ticks. Events between looks are dashed across the interval in which their day is not known, with the
        interval of the share as a bar on each day of a look.
    """
    arms = result.arms
    inks = tuple(colours) or onset_colours(len(arms))
    words = _test_words(result)
    top = _TOP_MM + _LINE_MM * (len(words) - 1)
    foot = top + _HEIGHT_MM
    names = _names(arms)
    left = max(_LEFT_MM, 3.0 + max(text_width_mm(name, 6.5) for name in names))
    scene = Scene(_WIDTH_MM, foot + 13.0 + _ROW_MM * (len(arms) + 1))
    last = max((day for arm in arms for day in arm.days), default=0.0) or 1.0
    across = Scale(0.0, 1.04 * last, left, _WIDTH_MM - 2.0)
    up = Scale(0.0, 1.0, foot, top)
    ticks = even_ticks(0.0, last, most=6)
    draw_left(scene, up, left, even_ticks(0.0, 1.0))
    draw_bottom(scene, across, foot, ticks, f"time ({'days' if result.unit == 'd' else result.unit})")
    draw_up_label(scene, left - 9.5, (foot + top) / 2, "share without the event")
    title = result.event[:1].upper() + result.event[1:]
    draw_title(scene, (left, _TOP_MM - 6.6), title, width=_WIDTH_MM - left, most=1)
    for k, line in enumerate(words):
        scene.text((left, _TOP_MM - 3.0 + _LINE_MM * k), line, Type(6.5, colour=SOFT))
    draw = _draw_steps if result.censoring == "right" else _draw_turnbull
    for k, (arm, ink) in enumerate(zip(arms, inks, strict=True)):
        # bars of groups side by side, so that none hides another
        draw(scene, arm, across, up, ink, 0.9 * (k - 0.5 * (len(arms) - 1)))
    head = "at risk" if result.censoring == "right" else "known to be without it"
    scene.text((left, foot + 12.0), head, Type(6.5, colour=INK))
    _draw_at_risk(scene, arms, names, inks, across, ticks, foot + 12.0)
    return scene


def _names(arms: Sequence[OnsetArm]) -> tuple[str, ...]:
    return tuple(figure_text(arm.group, longest=18) for arm in arms)


def _test_words(result: OnsetResult) -> list[str]:
    """The test, and below it its numbers, with p over all events where it was adjusted."""
    if not result.tests or math.isnan(result.tests[0].p):
        return ["no test: see the notes"]
    test = result.tests[0]
    name = test.name.replace("Interval-censored log-rank test (Finkelstein's score)", "Finkelstein's score test")
    numbers = f"χ² = {number(test.statistic, digits=3)}, df {test.df[0]:g}, {p_text(test.p)}"
    if math.isfinite(result.p_adjusted):
        numbers += f", over all events {p_text(result.p_adjusted)} (Holm)"
    return [name, numbers]


def _draw_steps(scene: Scene, arm: OnsetArm, across: Scale, up: Scale, ink: str, shift: float) -> None:
    days, free = arm.days, arm.free
    end = max(days, default=0.0)
    band_low, band_high, line = [(across(0.0), up(1.0))], [(across(0.0), up(1.0))], [(across(0.0), up(1.0))]
    before = (1.0, 1.0, 1.0)
    for day, share in zip(days, free, strict=True):
        x = across(day)
        # before the first event the band would say nothing but a bound
        now = (share.low, share.high, share.value) if share.value < 1 else (1.0, 1.0, 1.0)
        for points, was, is_now in zip((band_low, band_high, line), before, now, strict=True):
            points += [(x, up(was)), (x, up(is_now))]
        if share.value == before[2]:
            note = Note(f"{arm.group}, day {day_text(day)}: last look without the event")
            scene.line([(x, up(share.value) - 0.9), (x, up(share.value) + 0.9)], Pen(ink, 0.8), note)
        before = now
    scene.area([*band_low, *reversed(band_high)], Pen(fill=ink, opacity=0.14))
    scene.line(line, Pen(ink, 1.4), Note(f"{arm.group}, n = {arm.n}, {arm.events} events up to day {day_text(end)}"))


def _draw_turnbull(scene: Scene, arm: OnsetArm, across: Scale, up: Scale, ink: str, shift: float) -> None:
    solid, dashed = Pen(ink, 1.4), Pen(ink, 0.9, dashes=(1.5, 1.5))
    at, share = 0.0, 1.0
    for after, by, step in arm.steps:
        if math.isinf(by):
            break
        scene.line([(across(at), up(share)), (across(after), up(share))], solid)
        words = f"{arm.group}: {number(step)} of the events between day {day_text(after)} and {day_text(by)}"
        scene.line([(across(after), up(share)), (across(by), up(max(share - step, 0.0)))], dashed, Note(words))
        at, share = by, max(share - step, 0.0)
    end = max(arm.days, default=at)
    if end > at:
        scene.line([(across(at), up(share)), (across(end), up(share))], solid)
    for day, one in zip(arm.days, arm.free, strict=True):
        x = across(day) + shift
        words = f"{arm.group}, day {day_text(day)}: {number(one.value)} without the event ({number(one.low)}–{number(one.high)})"
        scene.line([(x, up(one.low)), (x, up(one.high))], Pen(ink, 0.8, opacity=0.6))
        scene.disc((x, up(one.value)), 0.75, Pen(fill=ink), Note(words))


def _draw_at_risk(
    scene: Scene,
    arms: Sequence[OnsetArm],
    names: Sequence[str],
    inks: Sequence[str],
    across: Scale,
    ticks: Sequence[tuple[float, str]],
    y: float,
) -> None:
    """Numbers of animals without the event and still looked at, below each tick."""
    for row, (arm, name, ink) in enumerate(zip(arms, names, inks, strict=True)):
        line = y + (row + 1) * 0.9 * LINE_MM
        scene.text((across.start - 2.4, line), name, Type(6.5, "end", colour=ink))
        for day, _ in ticks:
            scene.text((across(day), line), str(at_risk(arm, day)), Type(6.5, "middle"))


def at_risk(arm: OnsetArm, day: float, /) -> int:
    """Animals of a group that are known to be without the event, and looked at, on a day or later."""
    if day <= 0:
        return arm.n
    return next((count for own, count in zip(arm.days, arm.at_risk, strict=True) if own >= day), 0)
