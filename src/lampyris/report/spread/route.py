"""The route of spread: arrows from where the cells were put to the organs that they reached, with the days of arrival."""

import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lampyris.core.lesions import Passage
from lampyris.core.study import AnimalOutcome, StudyResults
from lampyris.report.arms import Arm
from lampyris.report.drawing.axes import Scale, day_ticks, draw_bottom, draw_title
from lampyris.report.drawing.scene import FAINT, INK, PAPER, SOFT, Note, Pen, Point, Scene, Type, figure_text, wrapped
from lampyris.report.identities import SURE, animals_done, arrival_text, interval_text, share
from lampyris.report.links import NOTHING, Link
from lampyris.report.numbers import day_text, share_text

_WIDTH_MM = 98.0
_SOURCE_MM, _TARGET_MM, _TIME_MM, _COUNT_MM = 21.5, 32.0, 58.0, 12.0
_SPAN_MM, _ROW_MM = 1.5, 5.4
_TOP_MM, _AXIS_MM = 11.0, 9.0


@dataclass(frozen=True, slots=True)
class Span:
    """One arrival: days that bound it, the probability of its organ, and its words."""

    after_day: float
    by_day: float
    probability: float
    words: str
    link: Link = NOTHING


@dataclass(frozen=True, slots=True)
class RouteRow:
    """An arrow.

    Parameters
    ----------
    source, target : str
        What stands at its ends.
    count : str
        What stands at the end of the row.
    weight : float
        Share of animals, for the arrow's width.
    spans : tuple of Span
        Arrivals, the earliest first.
    """

    source: str
    target: str
    count: str
    weight: float
    spans: tuple[Span, ...]


def _span(animal: str, passage: Passage) -> Span:
    words = f"{animal} L{passage.lesion}, {passage.source} to {passage.target}: arrived "
    words += f"{arrival_text(passage.after_day, passage.by_day)}, organ {share(passage.probability)}"
    words += " (not sure)" if passage.probability < SURE else ""
    if math.isfinite(passage.distance_mm.value):
        words += f", {interval_text(passage.distance_mm, 'mm')} away"
    link = Link(animal, (passage.lesion,), passage.by_day)
    return Span(passage.after_day, passage.by_day, passage.probability, words, link)


def arm_rows(outcomes: Iterable[AnimalOutcome], n: int, /) -> list[RouteRow]:
    """Arrows of an arm: one per source and organ, with every animal's first arrival there.

    Parameters
    ----------
    outcomes : iterable of AnimalOutcome
        Animals of the arm.
    n : int
        Animals it is counted against.

    Returns
    -------
    list of RouteRow
        By source, then the most often reached first.
    """
    arrivals: dict[tuple[str, str], dict[str, Span]] = {}
    for outcome in outcomes:
        for passage in outcome.endpoints.route if outcome.endpoints else ():
            own = arrivals.setdefault((passage.source, passage.target), {})
            span = _span(outcome.animal, passage)
            if outcome.animal not in own or span.by_day < own[outcome.animal].by_day:
                own[outcome.animal] = span
    rows = [
        RouteRow(source, target, share_text(len(own), n), len(own) / max(n, 1), _by_day(own.values()))
        for (source, target), own in arrivals.items()
    ]
    return sorted(rows, key=lambda row: (row.source, -len(row.spans), row.target))


def animal_rows(outcome: AnimalOutcome, /) -> list[RouteRow]:
    """Arrows of one animal: one per lesion other than the primary."""
    route = outcome.endpoints.route if outcome.endpoints else ()
    return [
        RouteRow(p.source, f"L{p.lesion} {p.target}", share(p.probability), p.probability, (_span(outcome.animal, p),))
        for p in route
    ]


def _by_day(spans: Iterable[Span]) -> tuple[Span, ...]:
    return tuple(sorted(spans, key=lambda span: (span.by_day, span.after_day)))


def _opacity(probability: float) -> float:
    return 0.25 + 0.75 * min(max(probability, 0.0), 1.0) if math.isfinite(probability) else 0.25


def _row_height(row: RouteRow) -> float:
    return max(_ROW_MM, _SPAN_MM * len(row.spans) + 2.0)


def _heights(rows: Sequence[RouteRow]) -> list[float]:
    """Heights of the rows; those of a source are together as high as its box, which meets no other."""
    heights = [_row_height(row) for row in rows]
    for source in dict.fromkeys(row.source for row in rows):
        own = [k for k, row in enumerate(rows) if row.source == source]
        missing = _source_height(_source_lines(source)) + 1.0 - sum(heights[k] for k in own)
        for k in own:
            heights[k] += max(missing, 0.0) / len(own)
    return heights


def _source_lines(source: str) -> list[str]:
    return list(wrapped(source, width=13, longest=38)[:3])


def _source_height(lines: Sequence[str]) -> float:
    return 2.9 * len(lines) + 2.0


def _curve(start: Point, end: Point) -> list[Point]:
    """A line that leaves and arrives level."""
    points = []
    for k in range(17):
        t = k / 16
        ease = t * t * (3 - 2 * t)
        points.append((start[0] + (end[0] - start[0]) * t, start[1] + (end[1] - start[1]) * ease))
    return points


def _draw_arrow(scene: Scene, start: Point, end: Point, row: RouteRow, colour: str) -> None:
    probability = statistics.fmean(span.probability for span in row.spans)
    opacity = _opacity(probability)
    words = f"{row.source} to {row.target}: {row.count}, mean probability of the organ {share(probability)}"
    pen = Pen(colour, 0.7 + 1.8 * row.weight, opacity=opacity)
    scene.line(_curve(start, (end[0] - 1.6, end[1])), pen, Note(words))
    x, y = end
    scene.area([(x, y), (x - 2.0, y - 1.05), (x - 2.0, y + 1.05)], Pen(fill=colour, opacity=opacity), Note(words))


def _draw_spans(scene: Scene, row: RouteRow, across: Scale, y: float, colour: str) -> None:
    """Each arrival as a bar over the days that bound it, closed on the day it was seen."""
    first = y - 0.5 * _SPAN_MM * (len(row.spans) - 1)
    for k, span in enumerate(row.spans):
        level, pen = first + k * _SPAN_MM, Pen(colour, 1.4, opacity=_opacity(span.probability))
        # a bar that starts at the axis' own end had no session before
        start = across.clipped(span.after_day) if math.isfinite(span.after_day) else across.start
        end = across.clipped(span.by_day) if math.isfinite(span.by_day) else across.end
        note = Note(span.words, span.link.pairs, "point")
        scene.line([(start, level), (end, level)], pen, note)
        if math.isfinite(span.by_day):
            scene.disc((end, level), 0.55, Pen(fill=colour, opacity=_opacity(span.probability)), note)


def _draw_source(scene: Scene, source: str, middle: float) -> Point:
    lines = _source_lines(source)
    height = _source_height(lines)
    scene.box((0.6, middle - height / 2), (_SOURCE_MM - 0.6, height), Pen(INK, 0.6, PAPER))
    for k, line in enumerate(lines):
        place = (0.6 + 0.5 * (_SOURCE_MM - 0.6), middle + 2.9 * (k - 0.5 * (len(lines) - 1)) + 0.85)
        scene.text(place, line, Type(6.5, "middle"))
    return _SOURCE_MM, middle


def route_scene(
    rows: Sequence[RouteRow], days: Sequence[float], colour: str, title: str, /, *, head: str = "animals"
) -> Scene:
    """Arrows on the left, days of arrival on the right.

    Parameters
    ----------
    rows : sequence of RouteRow
        From `arm_rows` or `animal_rows`, grouped by source.
    days : sequence of float
        Of the sessions: the axis.
    colour : str
        Of the arm.
    title : str
        Of the panel.
    head : str
        What the last column counts.

    Returns
    -------
    Scene
        98 mm wide.
    """
    heights = _heights(rows)
    scene = Scene(_WIDTH_MM, _TOP_MM + sum(heights) + _AXIS_MM)
    first, last = min(days, default=0.0), max(days, default=1.0)
    margin = 0.08 * max(last - first, 1.0)
    across = Scale(first - margin, last + margin, _TIME_MM, _WIDTH_MM - _COUNT_MM)
    draw_title(scene, (0.6, 4.0), title, width=_WIDTH_MM - 2, most=1)
    scene.text((_WIDTH_MM - 0.5, _TOP_MM - 2.0), head, Type(6.5, "end", colour=SOFT))
    scene.text((_TIME_MM, _TOP_MM - 2.0), "arrived between", Type(6.5, colour=SOFT))
    bottom = _TOP_MM + sum(heights)
    for day in sorted(set(days)):
        scene.line([(across(day), _TOP_MM), (across(day), bottom)], Pen(FAINT, 0.4))
    middles, y = [], _TOP_MM
    for height in heights:
        middles.append(y + height / 2)
        y += height
    for source in dict.fromkeys(row.source for row in rows):
        own = [k for k, row in enumerate(rows) if row.source == source]
        start = _draw_source(scene, source, statistics.fmean(middles[k] for k in own))
        for k in own:
            _draw_arrow(scene, start, (_TARGET_MM - 0.8, middles[k]), rows[k], colour)
            scene.text((_TARGET_MM, middles[k] + 0.85), figure_text(rows[k].target, longest=20), Type(7))
            scene.text((_WIDTH_MM - 0.5, middles[k] + 0.85), rows[k].count, Type(7, "end"))
            _draw_spans(scene, rows[k], across, middles[k], colour)
    draw_bottom(scene, across, bottom, day_ticks(days, across), "days since inoculation")
    return scene


def arm_route(results: StudyResults, arm: Arm, /) -> Scene | None:
    """Route of spread of an arm; None where nothing spread."""
    animals = animals_done(results, arm.key)
    rows = arm_rows(animals, len(animals))
    days = sorted({day for outcome in results.outcomes for day in outcome.days})
    return route_scene(rows, days, arm.colour, f"{arm.title} (n = {len(animals)})") if rows else None


def animal_route(outcome: AnimalOutcome, arm: Arm, /) -> Scene | None:
    """Route of spread of one animal; None where nothing spread."""
    rows = animal_rows(outcome)
    title = f"{outcome.animal}: days of arrival"
    return route_scene(rows, outcome.days, arm.colour, title, head="organ p") if rows else None


def route_label(arm_title: str, rows: Sequence[RouteRow], /) -> str:
    """A route in words, for those who do not see the picture."""
    parts = []
    for row in rows:
        days = [span.by_day for span in row.spans if math.isfinite(span.by_day)]
        when = f" by day {day_text(min(days))}" if days else ""
        when += f" to {day_text(max(days))}" if days and max(days) > min(days) else ""
        parts.append(f"{row.source} to {row.target} in {row.count}{when}")
    return f"{arm_title}: route of spread. {'; '.join(parts)}"
