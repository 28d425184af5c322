"""Groups side by side: every unit as a point, mean with interval, exact p of pairs as brackets or letters."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from lampyris.core.comparison import Comparison, GroupSummary, PairDifference
from lampyris.core.estimate import Estimate
from lampyris.report.drawing.axes import Scale, draw_title
from lampyris.report.drawing.scene import INK, PAPER, Note, Pen, Scene, Type, text_width_mm
from lampyris.report.levels import level_text
from lampyris.report.numbers import number, unit_text
from lampyris.report.plots.frame import (
    NAME_PT,
    PLAIN_STYLE,
    GroupStyle,
    Names,
    base_line,
    draw_foot,
    draw_names,
    draw_up_axis,
    foot_height,
    foot_lines,
    interval_bar,
    left_margin,
    names_in,
    swarm,
    value_scale,
)
from lampyris.report.sentences import comparison_sentence, p_words, plural, reported

_PANEL_MM = 48.0
_BRACKET_MM = 4.3
_LETTER_MM = 4.0
_TITLE_MM = 4.5
# more brackets than this hide the values: letters, or the table, serve better
MOST_BRACKETS = 6


@dataclass(frozen=True, slots=True)
class _Shown:
    """A comparison as drawn: on its own axis, or back from logarithms."""

    groups: tuple[GroupSummary, ...]
    logarithmic: bool
    label: str

    def ends(self) -> list[float]:
        """Every number that the axis must hold."""
        means = [end for group in self.groups for end in (group.mean.value, group.mean.low, group.mean.high)]
        # an interval may be far wider than the values, but never hides where it ends
        return [*(value for group in self.groups for value in group.values), *means]


def groups_plot(
    comparison: Comparison,
    /,
    *,
    title: str = "",
    label: str = "",
    powers: bool = False,
    marks: str = "auto",
    style: GroupStyle = PLAIN_STYLE,
) -> Scene:
    """Every unit as a point per group, mean with interval, and exact p of the pairs.

    Parameters
    ----------
    comparison : Comparison
        Its groups are drawn in their order. Censored values are drawn as limits (triangles that point to where the value lies).
    title : str
        Above the plot; none by default, as journals want it.
    label : str
        Of the axis; endpoint and unit by default.
    powers : bool
        Values are log10: they are drawn as their powers on a logarithmic axis, the mean as geometric mean.
    marks : str
        "brackets" with exact p, "letters" (groups without a common one differ), "none"; "auto" takes brackets for up to
        six pairs, then letters where the comparison has them.
    style : GroupStyle

    Returns
    -------
    Scene
        With title and description for screen readers, and the test, correction and n in its foot.

    Raises
    ------
    ValueError
        If a value cannot stand on a logarithmic axis, or `marks` is none of the above.
    """
    if marks not in ("auto", "brackets", "letters", "none"):
        raise ValueError(f"marks is auto, brackets, letters or none, got {marks!r}")
    shown = _shown(comparison, powers=powers, logarithmic=style.logarithmic)
    shown = replace(shown, label=label) if label else shown
    chosen = _chosen_marks(comparison, marks)
    rows = _bracket_rows(comparison) if chosen == "brackets" else []
    above = (
        2.0 + (_TITLE_MM if title else 0.0) + _BRACKET_MM * _levels(rows) + (_LETTER_MM if chosen == "letters" else 0.0)
    )
    foot = foot_lines(_foot_words(comparison, shown, chosen), style.width_mm - 2.0) if style.footed else []
    scale = value_scale(shown.ends(), above + _PANEL_MM, above, logarithmic=shown.logarithmic)
    left = left_margin(scale, shown.label)
    slot = (style.width_mm - 1.0 - left) / len(shown.groups)
    names = names_in([group.group for group in shown.groups], slot)
    below = names.room()
    scene = Scene(style.width_mm, scale.start + below + foot_height(foot))
    places = [left + slot * (k + 0.5) for k in range(len(shown.groups))]
    _draw_axes(scene, scale, left, shown, names, places)
    inks = style.inks([group.group for group in shown.groups])
    unit = power_unit(comparison.unit) if powers else comparison.unit
    for group, x in zip(shown.groups, places, strict=True):
        draw_group(scene, group, x, scale, colour=inks[group.group], room=0.72 * slot, unit=unit)
    for pair, a, b, level in rows:
        _draw_bracket(scene, pair, (places[a], places[b]), scale.end - 0.6 - _BRACKET_MM * level)
    if chosen == "letters":
        for group, x in zip(shown.groups, places, strict=True):
            scene.text((x, scale.end - 1.2), group.letters, Type(NAME_PT, "middle"))
    if title:
        draw_title(scene, (left, 4.0), title, width=style.width_mm - left, most=1)
    draw_foot(scene, foot, (1.0, scale.start + below))
    scene.title = title or f"{comparison.endpoint} by group"
    scene.description = _spoken(comparison)
    return scene


def draw_group(
    scene: Scene, group: GroupSummary, x: float, scale: Scale, /, *, colour: str, room: float, unit: str
) -> None:
    """Points of a group as a swarm, and its mean with interval over them.

    Parameters
    ----------
    scene : Scene
    group : GroupSummary
        Without values only mean and interval are drawn.
    x : float
        Place of the group, in mm.
    scale : Scale
        Of the values.
    colour : str
    room : float
        Width that the points may take, in mm.
    unit : str
        For hover words.
    """
    radius = 0.75 if group.n <= 20 else 0.6 if group.n <= 60 else 0.42
    kept = [k for k, value in enumerate(group.values) if math.isfinite(value)]
    heights = [scale.clipped(group.values[k]) for k in kept]
    shifts = swarm(heights, 2.05 * radius, room)
    for k, y, shift in zip(kept, heights, shifts, strict=True):
        named = f"{group.units[k]}, " if group.units else ""
        up = bool(group.above) and group.above[k]
        limit = ("above" if up else "below") + " the limit of " if group.censored[k] else ""
        note = Note(f"{group.group}: {named}{limit}{number(group.values[k], digits=3)} {unit_text(unit)}".rstrip())
        if group.censored[k]:
            scene.triangle((x + shift, y), 1.2 * radius, Pen(colour, 0.8, PAPER), note, up=up)
        else:
            scene.disc((x + shift, y), radius, Pen(PAPER, 0.25, colour, 0.9), note)
    mean = group.mean
    if math.isnan(mean.value) or (scale.logarithmic and mean.value <= 0):
        return
    half = min(0.36 * room, 5.0)
    y = scale.clipped(mean.value)
    kind = "geometric mean" if mean.method.startswith("geometric") else "mean"
    ends = f"{level_text([mean])} {number(mean.low, digits=3)} to {number(mean.high, digits=3)}"
    words = f"{group.group}: {kind} {number(mean.value, digits=3)} ({ends}) {unit_text(unit)}".rstrip()
    scene.line([(x - half, y), (x + half, y)], Pen(INK, 1.4), Note(f"{words}, n = {group.n}"))
    if math.isfinite(mean.low) and math.isfinite(mean.high):
        interval_bar(scene, x, (scale.clipped(mean.low), scale.clipped(mean.high)), half_mm=min(0.18 * room, 1.4))


def power_unit(unit: str, /) -> str:
    """Unit of what a logarithm was taken of.

    Examples
    --------
    >>> power_unit("log10(ph s-1)"), power_unit("log10 ph s-1"), power_unit("1")
    ('ph s-1', 'ph s-1', '1')
    """
    if unit.startswith("log10("):
        return unit.removeprefix("log10(").removesuffix(")")
    return unit.removeprefix("log10 ")


def _shown(comparison: Comparison, *, powers: bool, logarithmic: bool) -> _Shown:
    unit = unit_text(comparison.unit)
    endpoint = comparison.endpoint
    if not powers:
        values = [value for group in comparison.groups for value in group.values]
        if logarithmic and any(value <= 0 for value in values):
            raise ValueError(f"a logarithmic axis needs values above 0, got {min(values):g}")
        known = unit and unit not in endpoint
        return _Shown(comparison.groups, logarithmic, f"{endpoint} ({unit})" if known else endpoint)
    groups = tuple(
        GroupSummary(
            group.group,
            group.n,
            tuple(10**value for value in group.values),
            group.censored,
            _power(group.mean),
            math.nan,
            group.units,
            group.letters,
            group.above,
        )
        for group in comparison.groups
    )
    return _Shown(groups, True, endpoint.removeprefix("log10 "))


def _power(mean: Estimate) -> Estimate:
    return Estimate(10**mean.value, math.nan, 10**mean.low, 10**mean.high, mean.level, "1", f"geometric {mean.method}")


def _chosen_marks(comparison: Comparison, marks: str) -> str:
    lettered = all(group.letters for group in comparison.groups)
    if marks != "auto":
        return marks if marks != "letters" or lettered else "none"
    if 0 < len(comparison.pairs) <= MOST_BRACKETS:
        return "brackets"
    return "letters" if lettered and comparison.pairs else "none"


def _bracket_rows(comparison: Comparison) -> list[tuple[PairDifference, int, int, int]]:
    """Pairs with the places of their groups and the level of their bracket: short ones low, none over another."""
    place = {group.group: k for k, group in enumerate(comparison.groups)}
    spans = [
        (pair, min(ends), max(ends))
        for pair in comparison.pairs
        for ends in [(place.get(pair.a, -1), place.get(pair.b, -1))]
        if min(ends) >= 0
    ]
    taken: list[list[tuple[int, int]]] = []
    rows = []
    for pair, a, b in sorted(spans, key=lambda span: (span[2] - span[1], span[1])):
        # brackets that meet at a group would touch: they may share a level only apart
        level = next((k for k, row in enumerate(taken) if all(b <= c or d <= a for c, d in row)), len(taken))
        if level == len(taken):
            taken.append([])
        taken[level].append((a, b))
        rows.append((pair, a, b, level))
    return rows


def _levels(rows: Sequence[tuple[PairDifference, int, int, int]]) -> int:
    return 1 + max((level for *_, level in rows), default=-1)


def _draw_bracket(scene: Scene, pair: PairDifference, ends: tuple[float, float], y: float) -> None:
    left, right = ends[0] + 0.7, ends[1] - 0.7
    note = Note(f"{pair.a} and {pair.b}: {p_words(pair.p)}")
    scene.line([(left, y + 0.9), (left, y), (right, y), (right, y + 0.9)], Pen(INK, 0.5), note)
    scene.text(((left + right) / 2, y - 0.7), p_words(pair.p).replace("p = ", ""), Type(6.0, "middle"))


def _draw_axes(scene: Scene, scale: Scale, left: float, shown: _Shown, names: Names, places: Sequence[float]) -> None:
    draw_up_axis(scene, scale, left, shown.label)
    base_line(scene, left, scene.width - 1.0, scale.start)
    draw_names(scene, names, places, scale.start)
    slot = (scene.width - 1.0 - left) / len(places)
    for x, group in zip(places, shown.groups, strict=True):
        text = f"n = {group.n}" if text_width_mm(f"n = {group.n}", NAME_PT) < slot else str(group.n)
        scene.text((x, names.count_place(scale.start)), text, Type(NAME_PT, "middle"))


def _foot_words(comparison: Comparison, shown: _Shown, chosen: str) -> list[str]:
    """What the marks are, which test was made, and how pairs were adjusted."""
    unit = plural(comparison.experimental_unit)
    pointed = any(group.values for group in shown.groups)
    mean = "geometric mean" if comparison.endpoint.startswith("log10 ") and shown.logarithmic else "mean"
    words = [
        f"{f'Points: {unit}. ' if pointed else ''}Bars: {mean} with {level_text([shown.groups[0].mean])} interval."
    ]
    if any(any(group.censored) for group in shown.groups):
        sides = {up for group in shown.groups for up in group.above} or {False}
        side = " or ".join(name for up, name in ((False, "below"), (True, "above")) if up in sides)
        words[0] += (
            f" Triangles: {'' if side == 'below' else 'known only to lie '}{side} the detection limit, drawn at it."
        )
    words.append(comparison_sentence(comparison, counts=False))
    words += [f"{reported(test)}." for test in comparison.tests if test.role == "primary"][1:]
    if chosen == "brackets":
        words.append(f"Brackets: p, {comparison.post_hoc}.")
    elif chosen == "letters":
        words.append(
            f"Groups without a common letter differ, those with one were not told apart ({comparison.post_hoc})."
        )
    return words


def _spoken(comparison: Comparison) -> str:
    parts = [comparison_sentence(comparison)]
    for group in comparison.groups:
        mean = group.mean
        ends = f"{level_text([mean])} interval {number(mean.low, digits=3)} to {number(mean.high, digits=3)}"
        parts.append(f"{group.group}: n = {group.n}, mean {number(mean.value, digits=3)}, {ends}.")
    parts += [f"{pair.a} and {pair.b}: {p_words(pair.p)}." for pair in comparison.pairs]
    return " ".join(parts)
