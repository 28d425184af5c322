"""What the statistical plots share: colours, axes, names below the axis, and the lines of text at the foot."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lampyris.report.arms import ARM_COLOURS, NEUTRAL
from lampyris.report.drawing.axes import (
    FRAME,
    LABEL_PT,
    Scale,
    draw_left,
    draw_up_label,
    even_ticks,
    log_ends,
    log_ticks,
)
from lampyris.report.drawing.scene import INK, NONE, POINT_MM, SOFT, Pen, Point, Scene, Type, figure_text, text_width_mm

COLUMN_MM, PAGE_MM = 85.0, 180.0
"""Widths of one and of two columns of a journal."""

NAME_PT, FOOT_PT = 6.5, 6.0
LINE_MM = 1.2 * NAME_PT * POINT_MM
FOOT_LINE_MM = 1.25 * FOOT_PT * POINT_MM
_FOOT_ABOVE_MM, _FOOT_BELOW_MM = 1.6, 1.2
_MOST_LINES = 3
_LONGEST_NAME = 48
_UPWARD_NAME = 26
_SWATCH_MM = 4.0


@dataclass(frozen=True, slots=True)
class GroupStyle:
    """How groups are drawn, whatever is told of them.

    Parameters
    ----------
    width_mm : float
        85 for one column of a journal, 180 for two.
    control : str
        Group drawn in grey.
    logarithmic : bool
        Values on a logarithmic axis; all must be above 0.
    colours : mapping of str to str, optional
        Per group, such as those of a study's arms; by default from `group_colours`.
    footed : bool
        Write what the marks are, the test and its correction below, for a figure that stands alone.
    """

    width_mm: float = COLUMN_MM
    control: str = ""
    logarithmic: bool = False
    colours: Mapping[str, str] | None = None
    footed: bool = True

    def inks(self, groups: Sequence[str], /) -> dict[str, str]:
        """Colour of each group."""
        return group_colours(groups, control=self.control) | dict(self.colours or {})


PLAIN_STYLE = GroupStyle()


def group_colours(groups: Sequence[str], /, *, control: str = "") -> dict[str, str]:
    """A colour per group, safe for the colour-blind; the control is grey.

    Examples
    --------
    >>> group_colours(["PBS", "dots"], control="PBS")
    {'PBS': '#7A7A7A', 'dots': '#0072B2'}
    """
    coloured = [group for group in groups if group != control]
    colours = {group: ARM_COLOURS[k % len(ARM_COLOURS)] for k, group in enumerate(coloured)}
    return {group: colours.get(group, NEUTRAL) for group in groups}


@dataclass(frozen=True, slots=True)
class Names:
    """Names of groups below an axis: lines of each, or one line that reads upwards where they are too long.

    Parameters
    ----------
    lines : tuple of tuple of str
        Per group.
    upwards : bool
    height : float
        Room they take, in mm.
    """

    lines: tuple[tuple[str, ...], ...]
    upwards: bool
    height: float

    def room(self) -> float:
        """Room below the axis for names and the line of n, in mm."""
        return 1.2 + self.height + LINE_MM

    def count_place(self, y: float) -> float:
        """Base line of n below an axis at `y`: below names side by side, above names that read upwards."""
        return y + (LINE_MM if self.upwards else 0.6 + self.height + LINE_MM)


def names_in(groups: Sequence[str], slot_mm: float, /) -> Names:
    """Names that fit side by side into slots of a width, broken into lines; turned upwards where they do not fit."""
    lines = [_broken(name, slot_mm - 1.0) for name in groups]
    if all(lines):
        return Names(tuple(lines), False, LINE_MM * max(len(own) for own in lines))
    short = [figure_text(name, longest=_UPWARD_NAME) for name in groups]
    tall = max(text_width_mm(name, NAME_PT) for name in short)
    return Names(tuple((name,) for name in short), True, tall + 1.0)


def _broken(name: str, width_mm: float) -> tuple[str, ...]:
    """Lines of a name, at most three; none where a word is wider than the room."""
    words = figure_text(name, longest=_LONGEST_NAME).split() or [""]
    lines: list[str] = []
    for word in words:
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and text_width_mm(longer, NAME_PT) <= width_mm:
            lines[-1] = longer
        else:
            lines.append(word)
    fit = len(lines) <= _MOST_LINES and all(text_width_mm(line, NAME_PT) <= width_mm for line in lines)
    return tuple(lines) if fit else ()


def draw_names(scene: Scene, names: Names, places: Sequence[float], y: float, /) -> None:
    """Draw names below an axis that lies at `y`."""
    for x, own in zip(places, names.lines, strict=True):
        if names.upwards:
            scene.text((x + 0.35 * NAME_PT * POINT_MM, y + LINE_MM + 1.0), own[0], Type(NAME_PT, "end", upwards=True))
            continue
        for row, line in enumerate(own):
            scene.text((x, y + LINE_MM * (row + 1)), line, Type(NAME_PT, "middle"))


def value_scale(values: Sequence[float], start: float, end: float, /, *, logarithmic: bool = False) -> Scale:
    """An axis that holds every finite value with some air."""
    known = [value for value in values if math.isfinite(value)]
    if logarithmic:
        low, high = log_ends(known)
        return Scale(low, high, start, end, logarithmic=True)
    low, high = (min(known), max(known)) if known else (0.0, 1.0)
    air = 0.05 * (high - low) or 0.1 * abs(high) or 0.5
    return Scale(low - air, high + air, start, end)


def scale_ticks(scale: Scale, /) -> tuple[list[tuple[float, str]], list[float]]:
    """Labelled and bare ticks of an axis."""
    if scale.logarithmic:
        return log_ticks(scale.low, scale.high)
    return even_ticks(scale.low, scale.high), []


def left_margin(scale: Scale, label: str, /) -> float:
    """Room that a left axis needs for its ticks and label, in mm."""
    ticks, _ = scale_ticks(scale)
    widest = max((text_width_mm(text, 6.5) for _, text in ticks), default=0.0)
    return (4.2 if label else 1.0) + widest + 2.2


def draw_up_axis(scene: Scene, scale: Scale, x: float, label: str, /) -> None:
    """A left axis with ticks and its label at the scene's edge, shortened to the axis."""
    ticks, minor = scale_ticks(scale)
    draw_left(scene, scale, x, ticks, minor=minor)
    room = abs(scale.start - scale.end) + 8.0
    longest = max(8, int(room / text_width_mm("x", LABEL_PT)))
    if label:
        draw_up_label(scene, 2.6, (scale.start + scale.end) / 2, figure_text(label, longest=longest))


def base_line(scene: Scene, start: float, end: float, y: float, /) -> None:
    """The line that groups stand on."""
    scene.line([(start, y), (end, y)], FRAME)


def interval_bar(
    scene: Scene, x: float, ends: tuple[float, float], *, half_mm: float = 0.9, width: float = 1.0
) -> None:
    """A vertical interval with caps, in mm."""
    pen = Pen(INK, width)
    scene.line([(x, ends[0]), (x, ends[1])], pen)
    for y in ends:
        scene.line([(x - half_mm, y), (x + half_mm, y)], pen)


def foot_lines(words: Sequence[str], width_mm: float, /) -> list[str]:
    """Lines of the text at the foot of a plot, each paragraph broken to the width."""
    lines: list[str] = []
    for paragraph in words:
        row = ""
        # a p is not torn from its sign
        for word in paragraph.replace(" = ", "\u00a0=\u00a0").split(" "):
            longer = f"{row} {word}" if row else word
            if row and text_width_mm(longer, FOOT_PT) > width_mm:
                lines.append(row)
                row = word
            else:
                row = longer
        if row:
            lines.append(row)
    return lines


def foot_height(lines: Sequence[str], /) -> float:
    """Room that the foot takes, in mm."""
    return _FOOT_ABOVE_MM + FOOT_LINE_MM * len(lines) + _FOOT_BELOW_MM if lines else _FOOT_BELOW_MM


def draw_foot(scene: Scene, lines: Sequence[str], corner: Point, /) -> None:
    """Draw the lines at the foot from their upper left corner."""
    x, y = corner
    for k, line in enumerate(lines):
        scene.text((x, y + _FOOT_ABOVE_MM + FOOT_LINE_MM * (k + 0.8)), line, Type(FOOT_PT, colour=SOFT))


def key_rows(entries: Sequence[tuple[str, Pen]], width_mm: float, /) -> list[list[tuple[str, Pen]]]:
    """Entries of a key in rows that fit the width; none without entries."""
    rows: list[list[tuple[str, Pen]]] = []
    free = 0.0
    for name, pen in entries:
        need = _key_room(name)
        if not rows or need > free:
            rows.append([])
            free = width_mm
        rows[-1].append((name, pen))
        free -= need
    return rows


def draw_key(scene: Scene, rows: Sequence[Sequence[tuple[str, Pen]]], corner: Point, /) -> None:
    """Draw rows of a key from the left end of the first one's base line: a line, or a box of what is filled, and its name."""
    for k, row in enumerate(rows):
        x, y = corner[0], corner[1] + FOOT_LINE_MM * k
        for name, pen in row:
            if pen.fill == NONE:
                scene.line([(x, y - 0.8), (x + _SWATCH_MM, y - 0.8)], pen)
            else:
                scene.box((x, y - 1.5), (_SWATCH_MM, 1.4), pen)
            scene.text((x + _SWATCH_MM + 1.0, y), figure_text(name, longest=_LONGEST_NAME), Type(FOOT_PT))
            x += _key_room(name)


def _key_room(name: str) -> float:
    return _SWATCH_MM + 4.0 + text_width_mm(figure_text(name, longest=_LONGEST_NAME), FOOT_PT)


def swarm(places: Sequence[float], diameter: float, room: float, /) -> list[float]:
    """Sideways shifts by which points at these heights do not hide each other.

    Parameters
    ----------
    places : sequence of float
        Heights of the points in mm.
    diameter : float
        Of a point, in mm.
    room : float
        Width that they may take in all, in mm; points of a crowded height move closer.

    Returns
    -------
    list of float
        A shift per point in mm, the same for the same input.

    Examples
    --------
    >>> swarm([1.0, 1.0, 5.0], 1.0, 10.0)
    [-0.5, 0.5, 0.0]
    """
    rows: dict[int, list[int]] = {}
    for k in sorted(range(len(places)), key=lambda k: (places[k], k)):
        rows.setdefault(round(places[k] / diameter), []).append(k)
    shifts = [0.0] * len(places)
    for members in rows.values():
        step = min(diameter, room / max(len(members) - 1, 1))
        for rank, k in enumerate(members):
            shifts[k] = step * (rank - (len(members) - 1) / 2)
    return shifts
