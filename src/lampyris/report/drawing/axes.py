"""Axes of a panel: scales from data to millimetres, ticks that stand on round numbers, frame and titles."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from lampyris.report.drawing.scene import INK, POINT_MM, Pen, Point, Scene, Type, text_width_mm, wrapped
from lampyris.report.numbers import number, superscript

TICK_MM = 0.9
TICK_PT = 6.5
LABEL_PT = 7.0
TITLE_PT = 8.0
LINE_MM = 1.25 * TITLE_PT * POINT_MM
FRAME = Pen(INK, 0.6)
Tick = tuple[float, str]


@dataclass(frozen=True, slots=True)
class Scale:
    """A scale from data to millimetres.

    Parameters
    ----------
    low, high : float
        Ends in data; both positive on a logarithmic scale.
    start, end : float
        Where they lie, in mm.
    logarithmic : bool
    """

    low: float
    high: float
    start: float
    end: float
    logarithmic: bool = False

    def __call__(self, value: float, /) -> float:
        """Place of a value in mm; beyond the ends for values beyond them."""
        low, high, at = self.low, self.high, value
        if self.logarithmic:
            low, high, at = math.log10(low), math.log10(high), math.log10(max(value, 1e-300))
        return self.start + (self.end - self.start) * (at - low) / (high - low)

    def clipped(self, value: float, /) -> float:
        """Place of a value, or of the end that it lies beyond."""
        return self(min(max(value, self.low), self.high))


def log_ends(values: Sequence[float], /) -> tuple[float, float]:
    """Ends of a logarithmic axis that hold every positive value with some air; 1 to 10 where there is none."""
    known = [value for value in values if value > 0 and math.isfinite(value)]
    return (min(known) / 1.6, max(known) * 1.6) if known else (1.0, 10.0)


def log_ticks(low: float, high: float, /) -> tuple[list[Tick], list[float]]:
    """Labelled and bare ticks of a logarithmic axis: powers of ten, and 2 and 5 where fewer than two powers are in it."""
    exponents = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    stride = max(1, math.ceil(len(exponents) / 6))
    powers = [n for n in exponents if n % stride == 0 and low <= 10.0**n <= high]
    # near one, powers read as plain numbers
    plain = low >= 0.01 and high < 1e4
    ticks = [(10.0**n, f"{10.0**n:g}" if plain else f"10{superscript(n)}") for n in powers]
    minor = [m * 10.0**n for n in exponents for m in range(2, 10)] if stride == 1 else []
    if len(ticks) < 2:
        between = [m * 10.0**n for n in exponents for m in (2, 5)]
        ticks += [(value, number(value, digits=1).replace("\u202f", "")) for value in between if low <= value <= high]
    return sorted(ticks), [value for value in minor if low <= value <= high]


def even_ticks(low: float, high: float, /, *, most: int = 5) -> list[Tick]:
    """Round numbers inside an axis, at most about `most`.

    Examples
    --------
    >>> [(round(value, 3), label) for value, label in even_ticks(0.0, 1.0)]
    [(0.0, '0'), (0.2, '0.2'), (0.4, '0.4'), (0.6, '0.6'), (0.8, '0.8'), (1.0, '1')]
    """
    span = high - low
    if not span > 0 or not math.isfinite(span):
        return [(low, f"{low:g}")]
    power = 10.0 ** math.floor(math.log10(span / most))
    step = next(m * power for m in (1, 2, 2.5, 5, 10, 20) if span / (m * power) <= most)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [(k * step, f"{k * step + 0.0:.6g}".replace("-", "−")) for k in range(first, last + 1)]


def day_ticks(days: Sequence[float], across: Scale, /) -> list[Tick]:
    """Days as ticks, leaving out those whose labels would touch the one before."""
    ticks: list[Tick] = []
    free = -math.inf
    for day in sorted(set(days)):
        label = f"{day:g}"
        half = text_width_mm(label, TICK_PT) / 2
        if across(day) - half >= free:
            ticks.append((day, label))
            free = across(day) + half + 0.6
    return ticks


def draw_bottom(scene: Scene, across: Scale, y: float, ticks: Sequence[Tick], label: str = "") -> None:
    """An axis below, its ticks and its label."""
    scene.line([(across.start, y), (across.end, y)], FRAME)
    for value, text in ticks:
        place = across(value)
        scene.line([(place, y), (place, y + TICK_MM)], FRAME)
        scene.text((place, y + TICK_MM + 2.6), text, Type(TICK_PT, "middle"))
    if label:
        scene.text(((across.start + across.end) / 2, y + TICK_MM + 6.0), label, Type(LABEL_PT, "middle"))


def draw_left(scene: Scene, up: Scale, x: float, ticks: Sequence[Tick], *, minor: Sequence[float] = ()) -> None:
    """An axis to the left with its ticks; its label is set by `draw_up_label`."""
    scene.line([(x, up.start), (x, up.end)], FRAME)
    for value in minor:
        scene.line([(x - 0.5 * TICK_MM, up(value)), (x, up(value))], FRAME)
    for value, text in ticks:
        scene.line([(x - TICK_MM, up(value)), (x, up(value))], FRAME)
        scene.text((x - TICK_MM - 0.7, up(value) + 0.8), text, Type(TICK_PT, "end"))


def draw_up_label(scene: Scene, x: float, middle: float, label: str) -> None:
    """A label that reads upwards."""
    scene.text((x, middle), label, Type(LABEL_PT, "middle", upwards=True))


def _title_lines(title: str, *, width: float, most: int) -> list[str]:
    per_line = max(8, int(width / (0.57 * TITLE_PT * POINT_MM)))
    return wrapped(title, width=per_line, longest=per_line * most - (2 if most > 1 else 0))[:most]


def title_height(title: str, /, *, width: float, most: int = 3) -> float:
    """Where the last line of a title stands below the top of its panel, in mm."""
    return 4.8 + LINE_MM * (len(_title_lines(title, width=width, most=most)) - 1)


def draw_title(scene: Scene, place: Point, title: str, *, width: float, most: int = 3) -> None:
    """A title of up to `most` lines, the last of which stands on `place`."""
    lines = _title_lines(title, width=width, most=most)
    for k, line in enumerate(lines):
        scene.text((place[0], place[1] - (len(lines) - 1 - k) * LINE_MM), line, Type(TITLE_PT, bold=True))
