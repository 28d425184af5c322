"""Plots of excised organs: the tray with its outlines and names, for a person to accept or mend, and %ID/g per organ."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from lampyris.core.assays import OrganAgreement, OrganFlag, OrganPair, OrganResult, TrayView
from lampyris.core.estimate import Estimate
from lampyris.core.images import RADIANCE_UNIT
from lampyris.report.arms import ARM_COLOURS, NEUTRAL
from lampyris.report.drawing.axes import (
    FRAME,
    LABEL_PT,
    Scale,
    draw_left,
    draw_title,
    draw_up_label,
    log_ends,
    log_ticks,
)
from lampyris.report.drawing.colours import palette
from lampyris.report.drawing.scene import (
    FAINT,
    INK,
    PAPER,
    SOFT,
    Note,
    Pen,
    Raster,
    Scene,
    Type,
    figure_text,
    text_width_mm,
    wrapped,
)
from lampyris.report.levels import level_text
from lampyris.report.numbers import number, unit_text

PAGE_MM, PANEL_MM = 180.0, 88.0
_TOP_MM, _FOOT_MM, _GAP_MM = 7.0, 13.0, 4.0
_DRAWN = Pen("#ffffff", 0.9, dashes=(2.0, 1.2))
_BAR_MM = 10.0
_NAME_PT = 5.0
_SLOT_MM = 17.0


def tray_figure(tray: TrayView, /) -> Scene:
    """A tray's photograph and its probe light side by side, each organ outlined, numbered and named.

    Parameters
    ----------
    tray : TrayView

    Returns
    -------
    Scene
        180 mm wide.
    """
    height, width = tray.photo.shape
    each = (PAGE_MM - _GAP_MM) / 2
    per_px = each / width
    scene = Scene(PAGE_MM, _TOP_MM + height * per_px + _FOOT_MM)
    grey = np.repeat((np.sqrt(tray.photo) * 255).astype(np.uint8)[..., None], 3, axis=2)
    scene.marks.append(Raster(0.0, _TOP_MM, each, height * per_px, grey))
    shown, high = _light(tray)
    scene.marks.append(Raster(each + _GAP_MM, _TOP_MM, each, height * per_px, shown))
    animals = list(dict.fromkeys(organ.animal for organ in tray.organs))
    for left in (0.0, each + _GAP_MM):
        for organ in tray.organs:
            colour = ARM_COLOURS[animals.index(organ.animal) % len(ARM_COLOURS)]
            _outline(scene, organ, tray, per_px, left, colour, named=left == 0.0)
    _names(scene, tray.organs, per_px / tray.pixel_mm, each)
    _key(scene, animals, _TOP_MM + height * per_px + 6.6)
    mark = "SYNTHETIC: simulated, no animal was imaged" if tray.synthetic else ""
    draw_title(scene, (0.0, _TOP_MM - 2.0), f"{tray.file}   {mark}".strip(), width=PAGE_MM, most=1)
    bottom = _TOP_MM + height * per_px
    bar = _BAR_MM / tray.pixel_mm * per_px
    scene.line([(1.0, bottom + 2.0), (1.0 + bar, bottom + 2.0)], Pen(INK, 1.2))
    scene.text((2.0 + bar, bottom + 2.8), f"{_BAR_MM:g} mm", Type(6.0))
    words = f"probe radiance, 0 to {number(high)} {unit_text(RADIANCE_UNIT)}, square root; tray light removed"
    scene.text((each + _GAP_MM, bottom + 2.8), words, Type(6.0))
    scene.text((0.0, bottom + 10.6), _foot(tray), Type(6.0, colour=SOFT))
    return scene


def tray_panels(tray: TrayView, colours: Mapping[str, str], high: float, /) -> tuple[Scene, Scene]:
    """A tray for the page, cut to its organs: photograph with outlines, places and names, and probe light, a panel each.

    Parameters
    ----------
    tray : TrayView
    colours : mapping of group to str
        Outlines have their arm's colour; the foot says which places are whose.
    high : float
        Probe radiance that is shown brightest: the same for all trays of a study, see `tray_high`.

    Returns
    -------
    photograph, light : Scene
        88 mm wide.
    """
    tray = _cut(tray)
    height, width = tray.photo.shape
    per_px = PANEL_MM / width
    bottom = _TOP_MM + height * per_px
    words = f"probe radiance, 0 to {number(high)} {unit_text(RADIANCE_UNIT)}, square root"
    shown, _ = _light(tray, high)
    grey = np.repeat((np.sqrt(tray.photo) * 255).astype(np.uint8)[..., None], 3, axis=2)
    scenes = []
    for pixels, title, foot in ((grey, tray.file, _whose(tray.organs)), (shown, "Probe light", [words])):
        scene = Scene(PANEL_MM, bottom + 5.0 + 2.7 * len(foot))
        scene.marks.append(Raster(0.0, _TOP_MM, PANEL_MM, height * per_px, pixels))
        for organ in tray.organs:
            _outline(scene, organ, tray, per_px, 0.0, colours.get(organ.group, NEUTRAL), named=pixels is grey)
        if pixels is grey:
            _names(scene, tray.organs, per_px / tray.pixel_mm, PANEL_MM)
        draw_title(scene, (0.0, _TOP_MM - 2.0), title, width=PANEL_MM, most=1)
        bar = _BAR_MM / tray.pixel_mm * per_px
        scene.line([(0.0, bottom + 1.8), (bar, bottom + 1.8)], Pen(INK, 1.2))
        scene.text((1.0 + bar, bottom + 2.6), f"{_BAR_MM:g} mm", Type(6.0))
        for k, line in enumerate(foot):
            scene.text((0.0, bottom + 6.4 + 2.7 * k), line, Type(6.0, colour=SOFT))
        scenes.append(scene)
    return scenes[0], scenes[1]


def tray_high(trays: Sequence[TrayView], /) -> float:
    """Probe radiance to show brightest on all of these trays."""
    return max((float(np.percentile(tray.probe, 99.8)) for tray in trays), default=0.0) or 1.0


def _cut(tray: TrayView) -> TrayView:
    """A tray cut to its organs with some room for names, their places moved with it."""
    margin, pixel = 7.0, tray.pixel_mm
    corners = [point for organ in tray.organs for point in organ.outline_mm]
    if not corners:
        return tray
    spans = []
    for axis, count in enumerate(tray.photo.shape):
        places = [(point[axis] - tray.first_mm) / pixel for point in corners]
        low, high = math.floor(min(places) - margin / pixel), math.ceil(max(places) + margin / pixel)
        spans.append((max(low, 0), min(high, count)))
    (top, bottom), (left, right) = spans
    # both frames move alike, so that one first_mm serves both directions
    dy, dx = top * pixel, left * pixel
    organs = tuple(
        replace(
            one,
            outline_mm=tuple((y - dy, x - dx) for y, x in one.outline_mm),
            y_mm=one.y_mm - dy,
            x_mm=one.x_mm - dx,
        )
        for one in tray.organs
    )
    return replace(
        tray, photo=tray.photo[top:bottom, left:right], probe=tray.probe[top:bottom, left:right], organs=organs
    )


def _whose(organs: Sequence[OrganResult]) -> list[str]:
    """Which places are whose, in lines that fit a panel."""
    places: dict[str, list[int]] = {}
    for organ in organs:
        places.setdefault(organ.animal, []).append(organ.place)
    words = [f"{animal}: {_runs(mine)}" for animal, mine in places.items()]
    return wrapped("; ".join(words), width=60, longest=240)


def _runs(places: Sequence[int]) -> str:
    """Places in a row as their ends."""
    runs: list[list[int]] = []
    for place in sorted(places):
        if runs and place == runs[-1][-1] + 1:
            runs[-1].append(place)
        else:
            runs.append([place])
    return ", ".join(f"{run[0]}–{run[-1]}" if len(run) > 1 else str(run[0]) for run in runs)


def _key(scene: Scene, animals: Sequence[str], y: float) -> None:
    """Colour of each animal's outlines."""
    x = 0.0
    for k, animal in enumerate(animals):
        scene.line([(x, y - 0.8), (x + 3.0, y - 0.8)], Pen(ARM_COLOURS[k % len(ARM_COLOURS)], 1.2))
        scene.text((x + 4.0, y), animal, Type(6.0))
        x += 8.0 + text_width_mm(animal, 6.0)


def _foot(tray: TrayView) -> str:
    touching = sum(OrganFlag.TOUCHING in organ.flags for organ in tray.organs)
    drawn = sum(OrganFlag.DRAWN in organ.flags for organ in tray.organs)
    words = f"{len(tray.organs)} organs, {touching} touch another, {drawn} outlined by hand (dashed)."
    return f"{words} Wrong? Name a file of your outlines in assays.csv, column outlines."


def _light(tray: TrayView, high: float = 0.0) -> tuple[np.ndarray, float]:
    high = high or tray_high([tray])
    share = np.sqrt(np.clip(tray.probe / high, 0.0, 1.0))
    return palette("inferno")[(share * 255).astype(np.uint8)], high


def _outline(
    scene: Scene, organ: OrganResult, tray: TrayView, per_px: float, left: float, colour: str, *, named: bool
) -> None:
    scale = per_px / tray.pixel_mm
    corner = 0.5 * tray.pixel_mm - tray.first_mm
    points = [(left + (x + corner) * scale, _TOP_MM + (y + corner) * scale) for y, x in organ.outline_mm]
    if len(points) < 3:
        return
    scene.area(points, Pen(colour, 0.9), Note(f"{organ.place}: {organ.animal} {organ.organ}"))
    if OrganFlag.DRAWN in organ.flags:
        scene.area(points, _DRAWN)
    if named:
        x, y = left + (organ.x_mm + corner) * scale, _TOP_MM + (organ.y_mm + corner) * scale
        scene.disc((x, y), 1.3, Pen(fill="#000000", opacity=0.6))
        scene.text((x, y + 0.6), str(organ.place), Type(_NAME_PT, "middle", bold=True, colour="#ffffff"))


def _names(scene: Scene, organs: Sequence[OrganResult], per_mm: float, width: float) -> None:
    """Each organ's name above it; below it, or farther off, where another name is in the way."""
    taken: list[tuple[float, float, float, float]] = []
    for organ in organs:
        rows = [y for y, _ in organ.outline_mm]
        words = figure_text(organ.organ, longest=18)
        half = text_width_mm(words, _NAME_PT) / 2
        x = min(max(organ.x_mm * per_mm, half), width - half)
        top, bottom = (_TOP_MM + at * per_mm for at in (min(rows), max(rows)))
        choices = [top - 0.7, bottom + 2.4, top - 2.7, bottom + 4.4]
        boxes = [(x - half, y - 1.7, x + half, y) for y in choices]
        free = [k for k, box in enumerate(boxes) if not any(_meet(box, other) for other in taken)]
        k = free[0] if free else 0
        taken.append(boxes[k])
        scene.text((x, max(choices[k], _TOP_MM + 1.8)), words, Type(_NAME_PT, "middle", colour="#ffffff"))


def _meet(a: tuple[float, float, float, float], b: tuple[float, float, float, float]) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def organs_figure(
    organs: Sequence[OrganResult],
    colours: Mapping[str, str],
    /,
    *,
    uncorrected: bool = False,
    synthetic: bool = False,
    titles: Mapping[str, str] | None = None,
    every: Sequence[OrganResult] = (),
    title: str = "Excised organs",
) -> Scene:
    """%ID/g per organ: a point per animal with its interval, on a logarithmic axis; what is a bound points down.

    Parameters
    ----------
    organs : sequence of OrganResult
        Those without a share per gram are left out.
    colours : mapping of group to str
    uncorrected : bool
        Show the values as if nothing were absorbed, as hollow rings beside.
    synthetic : bool
        Say that the images were simulated.
    titles : mapping of group to str, optional
        What the legend calls an arm.
    every : sequence of OrganResult
        Organs of all panels of a figure: they set the axis. Those drawn by default.
    title : str

    Returns
    -------
    Scene
    """
    told = [one for one in organs if math.isfinite(one.percent_dose_per_gram.high)]
    names = list(dict.fromkeys(one.organ for one in told))
    scene = Scene(max(60.0, 16.0 + _SLOT_MM * len(names)), 74.0)
    low, high = log_ends([part for one in every or told for part in _ends(one.percent_dose_per_gram)])
    up = Scale(low, high, scene.height - 18.0, 9.0, logarithmic=True)
    ticks, minor = log_ticks(low, high)
    draw_left(scene, up, 14.0, ticks, minor=minor)
    draw_up_label(scene, 2.6, (up.start + up.end) / 2, "injected dose per gram, %ID/g")
    right = scene.width - 1.0
    scene.line([(14.0, up.start), (right, up.start)], FRAME)
    slot = (right - 14.0) / max(len(names), 1)
    for index, name in enumerate(names):
        middle = 14.0 + slot * (index + 0.5)
        scene.text((middle, up.start + 3.6), figure_text(name, longest=14), Type(6.5, "middle"))
        mine = [one for one in told if one.organ == name]
        scene.text((middle, up.start + 6.6), f"n = {len(mine)}", Type(5.5, "middle", colour=SOFT))
        step = 0.7 * slot / max(len(mine), 1)
        for k, one in enumerate(mine):
            x = middle + step * (k - (len(mine) - 1) / 2)
            _point(scene, x, up, one, colours.get(one.group, NEUTRAL), uncorrected)
    _legend(scene, told, colours, titles or {}, up.start + 10.4)
    title += " (SYNTHETIC: simulated)" if synthetic else ""
    draw_title(scene, (14.0, 6.0), title, width=right - 14.0, most=1)
    level = level_text([one.percent_dose_per_gram for one in told]) if told else ""
    foot = f"a point per animal, bars {level} interval" + (
        "; rings: not corrected for absorption" if uncorrected else ""
    )
    scene.text((14.0, scene.height - 1.2), foot, Type(5.5, colour=SOFT))
    return scene


def _ends(estimate: Estimate) -> list[float]:
    return [one for one in (estimate.value, estimate.low, estimate.high) if math.isfinite(one) and one > 0]


def _point(scene: Scene, x: float, up: Scale, organ: OrganResult, colour: str, uncorrected: bool) -> None:
    share = organ.percent_dose_per_gram
    words = f"{organ.animal} {organ.organ}: "
    if not share.value > 0 or OrganFlag.FAINT in organ.flags:
        note = Note(f"{words}below {number(share.high)} %ID/g")
        scene.triangle((x, up.clipped(share.high)), 0.9, Pen(colour, 0.6, PAPER), note)
        return
    scene.line([(x, up.clipped(max(share.low, up.low))), (x, up.clipped(share.high))], Pen(colour, 1.0))
    note = Note(f"{words}{number(share.value)} ({number(share.low)}–{number(share.high)}) %ID/g")
    scene.disc((x, up.clipped(share.value)), 0.85, Pen(fill=colour), note)
    plain = organ.surface_percent_dose_per_gram.value
    if uncorrected and plain > 0:
        scene.disc((x, up.clipped(plain)), 0.75, Pen(colour, 0.6))


def _legend(
    scene: Scene, organs: Sequence[OrganResult], colours: Mapping[str, str], titles: Mapping[str, str], y: float
) -> None:
    x = 14.0
    for group in dict.fromkeys(one.group for one in organs):
        name = figure_text(titles.get(group, group), longest=28)
        scene.disc((x + 1.0, y - 0.8), 0.85, Pen(fill=colours.get(group, NEUTRAL)))
        scene.text((x + 2.6, y), name, Type(6.0))
        x += 5.0 + text_width_mm(name, 6.0)


def pairs_figure(
    pairs: Sequence[OrganPair],
    colours: Mapping[str, str],
    names: tuple[str, str],
    /,
    *,
    synthetic: bool = False,
    line: OrganAgreement | None = None,
    equal: bool = True,
    title: str = "Same organs, two ways",
) -> Scene:
    """Two measurements of the same organs, one against the other, with the line of equality and both intervals.

    Parameters
    ----------
    pairs : sequence of OrganPair
    colours : mapping of group to str
    names : (str, str)
        Labels of a (upwards) and b, with their units.
    synthetic : bool
    line : OrganAgreement, optional
        Its line with errors in both is drawn.
    equal : bool
        Draw the line on which both are equal.
    title : str

    Returns
    -------
    Scene
        85 mm wide.
    """
    scene = Scene(85.0, 82.0)
    told = [pair for pair in pairs if pair.a.value > 0 and pair.b.value > 0]
    bounds = [pair for pair in pairs if (pair.a.value > 0) != (pair.b.value > 0)]
    up_ends, across_ends = (
        log_ends([part for pair in (*told, *bounds) for part in _ends(getattr(pair, side))]) for side in ("a", "b")
    )
    up = Scale(*up_ends, 68.0, 9.0, logarithmic=True)
    across = Scale(*across_ends, 15.0, 84.0, logarithmic=True)
    ticks, minor = log_ticks(*up_ends)
    draw_left(scene, up, 15.0, ticks, minor=minor)
    draw_up_label(scene, 2.6, 38.0, names[0])
    scene.line([(15.0, 68.0), (84.0, 68.0)], FRAME)
    for value, text in log_ticks(*across_ends)[0]:
        scene.line([(across(value), 68.0), (across(value), 68.9)], FRAME)
        scene.text((across(value), 71.6), text, Type(6.5, "middle"))
    scene.text((49.5, 75.4), names[1], Type(LABEL_PT, "middle"))
    low, high = max(up_ends[0], across_ends[0]), min(up_ends[1], across_ends[1])
    if equal and low < high:
        scene.line([(across(low), up(low)), (across(high), up(high))], Pen(SOFT, 0.6, dashes=(2, 2)))
    drawn = line is not None and math.isfinite(line.slope.value) and bool(told)
    if line is not None and drawn:
        ends = [min(pair.b.value for pair in told), max(pair.b.value for pair in told)]
        heights = [10.0 ** (line.intercept.value + line.slope.value * math.log10(end)) for end in ends]
        scene.line([(across(x), up.clipped(y)) for x, y in zip(ends, heights, strict=True)], Pen(INK, 0.9))
    for pair in told:
        x, y = across(pair.b.value), up(pair.a.value)
        pen = Pen(colours.get(pair.group, NEUTRAL), 0.6, opacity=0.6)
        if pair.a.low > 0 and math.isfinite(pair.a.high):
            scene.line([(x, up.clipped(pair.a.low)), (x, up.clipped(pair.a.high))], pen)
        if pair.b.low > 0 and math.isfinite(pair.b.high):
            scene.line([(across.clipped(pair.b.low), y), (across.clipped(pair.b.high), y)], pen)
        scene.disc((x, y), 0.8, Pen(fill=colours.get(pair.group, NEUTRAL)), Note(f"{pair.animal} {pair.organ}"))
    for pair in bounds:
        _bound_mark(scene, pair, across, up, Pen(colours.get(pair.group, NEUTRAL), 0.6, PAPER))
    draw_title(scene, (15.0, 6.0), title + (" (SYNTHETIC)" if synthetic else ""), width=68.0, most=1)
    parts = [f"{len(told)} organs of {len({pair.animal for pair in told})} animals"]
    parts += ["solid: errors in both"] if drawn else []
    parts += ["dashed: equal"] if equal else []
    parts += ["triangles: bounds"] if bounds else []
    scene.text((15.0, 79.6), "; ".join(parts), Type(5.5, colour=SOFT))
    return scene


def _bound_mark(scene: Scene, pair: OrganPair, across: Scale, up: Scale, pen: Pen) -> None:
    """A pair of which one is a bound: a triangle that points to where the true value lies."""
    if not (math.isfinite(pair.a.high) and math.isfinite(pair.b.high)):
        return
    note, r = Note(f"{pair.animal} {pair.organ}: a bound"), 0.9
    if pair.b.value > 0:
        scene.triangle((across(pair.b.value), up.clipped(pair.a.high)), r, pen, note)
    else:
        x, y = across.clipped(pair.b.high), up(pair.a.value)
        scene.area([(x + 0.8 * r, y - r), (x + 0.8 * r, y + r), (x - r, y)], pen, note)


def ratios_figure(
    pairs: Sequence[OrganPair],
    agreement: OrganAgreement,
    colours: Mapping[str, str],
    names: tuple[str, str],
    /,
    *,
    synthetic: bool = False,
) -> Scene:
    """Ratio of two measurements against their geometric mean, with its mean and limits of agreement (Bland and Altman).

    Parameters
    ----------
    pairs : sequence of OrganPair
        In the same unit.
    agreement : OrganAgreement
        Of all of them.
    colours : mapping of group to str
    names : (str, str)
        Of a and b, without unit.
    synthetic : bool

    Returns
    -------
    Scene
        85 mm wide.
    """
    scene = Scene(85.0, 82.0)
    told = [pair for pair in pairs if pair.a.value > 0 and pair.b.value > 0]
    ratios = [pair.a.value / pair.b.value for pair in told]
    means = [math.sqrt(pair.a.value * pair.b.value) for pair in told]
    lines = [one for one in (agreement.lower, agreement.ratio, agreement.upper) if math.isfinite(one.value)]
    up_ends = log_ends([*ratios, 1.0, *(end for one in lines for end in _ends(one))])
    up = Scale(*up_ends, 68.0, 9.0, logarithmic=True)
    across = Scale(*log_ends(means), 15.0, 72.0, logarithmic=True)
    ticks, minor = log_ticks(*up_ends)
    draw_left(scene, up, 15.0, ticks, minor=minor)
    draw_up_label(scene, 2.6, 38.0, f"{names[0]} / {names[1]}")
    scene.line([(15.0, 68.0), (72.0, 68.0)], FRAME)
    for value, text in log_ticks(across.low, across.high)[0]:
        scene.line([(across(value), 68.0), (across(value), 68.9)], FRAME)
        scene.text((across(value), 71.6), text, Type(6.5, "middle"))
    scene.text((43.5, 75.4), "geometric mean of both, %ID/g", Type(LABEL_PT, "middle"))
    scene.line([(15.0, up(1.0)), (72.0, up(1.0))], Pen(FAINT, 0.6))
    for one in lines:
        middle = one is agreement.ratio
        if math.isfinite(one.low) and one.low > 0 and math.isfinite(one.high):
            top, floor = up.clipped(one.high), up.clipped(one.low)
            scene.box((15.0, top), (57.0, floor - top), Pen(fill=INK if middle else SOFT, opacity=0.14))
        pen = Pen(INK, 0.9) if middle else Pen(SOFT, 0.8, dashes=(3.0, 2.0))
        scene.line([(15.0, up(one.value)), (72.0, up(one.value))], pen)
        scene.text((72.8, up(one.value) + 0.8), number(one.value), Type(6.5))
    for pair, ratio, mean in zip(told, ratios, means, strict=True):
        words = f"{pair.animal} {pair.organ}: {number(ratio)}"
        scene.disc((across(mean), up(ratio)), 0.8, Pen(fill=colours.get(pair.group, NEUTRAL)), Note(words))
    draw_title(scene, (15.0, 6.0), "How they agree" + (" (SYNTHETIC)" if synthetic else ""), width=68.0, most=1)
    foot = f"mean ratio and limits of agreement, shaded {level_text([agreement.ratio])} intervals"
    scene.text((15.0, 79.6), foot, Type(5.5, colour=SOFT))
    return scene
