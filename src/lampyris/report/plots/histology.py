"""Plots of tissue sections: a section with its outlines, for a person to accept or mend, and labelled cells per organ."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from lampyris.core.histology import GroupDensity, OrganDensity, SectionView
from lampyris.report.arms import NEUTRAL
from lampyris.report.drawing.axes import FRAME, Scale, draw_left, draw_title, draw_up_label, even_ticks
from lampyris.report.drawing.colours import palette
from lampyris.report.drawing.scene import INK, PAPER, SOFT, Note, Pen, Raster, Scene, Type, figure_text, text_width_mm
from lampyris.report.levels import level_text
from lampyris.report.numbers import number

PAGE_MM = 180.0
_TOP_MM, _FOOT_MM, _GAP_MM = 7.0, 12.0, 3.0
_UNLABELLED, _LABELLED, _TISSUE = (86, 180, 233), (240, 228, 66), (0, 158, 115)
_SLOT_MM = 22.0
# finer pictures than a page can show are thinned
_MOST_PIXELS = 1400


def section_figure(view: SectionView, /) -> Scene:
    """Nuclei and label of a section side by side: cells outlined, labelled ones in another colour, the tissue's edge.

    Parameters
    ----------
    view : SectionView

    Returns
    -------
    Scene
        180 mm wide.
    """
    height, width = view.labels.shape
    each = (PAGE_MM - _GAP_MM) / 2
    tall = each * height / width
    scene = Scene(PAGE_MM, _TOP_MM + tall + _FOOT_MM)
    step = max(1, -(-max(height, width) // _MOST_PIXELS))
    outlines = _outlines(view)[::step, ::step]
    for k, name in enumerate(("gray", "inferno")):
        left = k * (each + _GAP_MM)
        scene.marks.append(Raster(left, _TOP_MM, each, tall, _picture(view.images[k][::step, ::step], outlines, name)))
    one = view.result
    where = " ".join(part for part in (one.animal, one.organ, one.section and f"section {one.section}") if part)
    mark = "SYNTHETIC: simulated, no animal was imaged" if view.synthetic else ""
    draw_title(scene, (0.0, _TOP_MM - 2.0), f"{where}   {mark}".strip(), width=PAGE_MM, most=1)
    bottom = _TOP_MM + tall
    bar_um = _bar_um(width * one.pixel_um)
    bar = bar_um / (width * one.pixel_um) * each
    scene.line([(1.0, bottom + 2.0), (1.0 + bar, bottom + 2.0)], Pen(INK, 1.2))
    scene.text((2.0 + bar, bottom + 2.8), f"{bar_um:g} µm   nuclei", Type(6.0))
    scene.text((each + _GAP_MM, bottom + 2.8), "label", Type(6.0))
    _key(scene, bottom + 6.4)
    words = f"{one.nuclei} nuclei, {one.labelled} labelled, {one.tissue_mm2:.3g} mm² of tissue"
    if math.isfinite(one.false_expected):
        words += f"; of unlabelled tissue {one.false_expected:.2g} would be called"
    words += f"; {', '.join(one.flags)}" if one.flags else ""
    scene.text((0.0, bottom + 10.4), words, Type(6.0, colour=SOFT))
    return scene


def _key(scene: Scene, y: float) -> None:
    x = 0.0
    for colour, words in ((_UNLABELLED, "cell"), (_LABELLED, "labelled cell"), (_TISSUE, "edge of the tissue")):
        scene.line([(x, y - 0.8), (x + 3.0, y - 0.8)], Pen(f"#{colour[0]:02x}{colour[1]:02x}{colour[2]:02x}", 1.6))
        scene.text((x + 4.0, y), words, Type(6.0))
        x += 8.0 + text_width_mm(words, 6.0)


def _bar_um(width_um: float) -> float:
    """A round length of about a fifth of the field."""
    power = 10.0 ** math.floor(math.log10(0.2 * width_um))
    return max(step * power for step in (1, 2, 5) if step * power <= 0.2 * width_um)


def _picture(image: NDArray[np.float32], outlines: NDArray[np.uint8], colours: str) -> NDArray[np.uint8]:
    low, high = (float(one) for one in np.percentile(image, (1.0, 99.7)))
    share = np.sqrt(np.clip((image - low) / max(high - low, 1e-9), 0.0, 1.0))
    levels = (255 * share).astype(np.uint8)
    picture = np.repeat(levels[..., None], 3, axis=2) if colours == "gray" else palette(colours)[levels].copy()
    for kind, colour in ((1, _UNLABELLED), (2, _LABELLED), (3, _TISSUE)):
        picture[outlines == kind] = colour
    return np.asarray(picture, np.uint8)


def _outlines(view: SectionView) -> NDArray[np.uint8]:
    """1 on the outline of a cell, 2 on that of a labelled one, 3 on the tissue's edge; 0 elsewhere."""
    called = np.r_[False, view.called]
    found = np.where(_border(view.tissue.astype(np.int32)), 3, 0).astype(np.uint8)
    edge = _border(view.labels)
    found[edge] = np.where(called[view.labels[edge]], 2, 1)
    return found


def _border(labels: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Pixels of something with another thing beside them; the image's edge is no border."""
    padded = np.pad(labels, 1, mode="edge")
    middle = padded[1:-1, 1:-1]
    beside = (padded[:-2, 1:-1], padded[2:, 1:-1], padded[1:-1, :-2], padded[1:-1, 2:])
    return np.asarray((middle > 0) & np.any([middle != one for one in beside], axis=0))


def density_figure(
    organs: Sequence[OrganDensity],
    groups: Sequence[GroupDensity],
    colours: Mapping[str, str],
    /,
    *,
    synthetic: bool = False,
) -> Scene:
    """Labelled cells per mm2 of each organ: a point per animal with its interval, a bar at the arm's mean.

    Parameters
    ----------
    organs : sequence of OrganDensity
        Those without a usable section are left out.
    groups : sequence of GroupDensity
    colours : mapping of group to str
    synthetic : bool
        Say that the images were simulated.

    Returns
    -------
    Scene
    """
    told = [one for one in organs if math.isfinite(one.cells_per_mm2.value)]
    names = list(dict.fromkeys(one.organ for one in told))
    scene = Scene(max(70.0, 18.0 + _SLOT_MM * len(names)), 74.0)
    high = max((min(one.cells_per_mm2.high, 3 * one.cells_per_mm2.value + 1e3) for one in told), default=1.0)
    up = Scale(0.0, max(1.05 * high, 1e-6), scene.height - 18.0, 9.0)
    draw_left(scene, up, 16.0, even_ticks(up.low, up.high))
    draw_up_label(scene, 2.6, (up.start + up.end) / 2, "labelled cells per mm² of tissue")
    right = scene.width - 1.0
    scene.line([(16.0, up.start), (right, up.start)], FRAME)
    slot = (right - 16.0) / max(len(names), 1)
    for index, name in enumerate(names):
        middle = 16.0 + slot * (index + 0.5)
        scene.text((middle, up.start + 3.6), figure_text(name or "field", longest=14), Type(6.5, "middle"))
        mine = [one for one in told if one.organ == name]
        arms = list(dict.fromkeys(one.group for one in mine))
        step = 0.84 * slot / max(len(mine), 1)
        start = middle - 0.5 * step * (len(mine) - 1)
        placed = 0
        for arm in arms:
            animals = [one for one in mine if one.group == arm]
            first = start + step * placed
            _mean_bar(
                scene, up, first, first + step * (len(animals) - 1), _of(groups, arm, name), colours.get(arm, NEUTRAL)
            )
            for k, one in enumerate(animals):
                _point(scene, first + step * k, up, one, colours.get(arm, NEUTRAL))
            placed += len(animals)
        counts = ", ".join(str(sum(one.group == arm for one in mine)) for arm in arms)
        scene.text((middle, up.start + 6.6), f"n = {counts} animals", Type(5.5, "middle", colour=SOFT))
    _legend(scene, told, colours, up.start + 10.4)
    title = "Cells in sections" + (" (SYNTHETIC)" if synthetic else "")
    draw_title(scene, (16.0, 6.0), title, width=right - 16.0, most=1)
    level = level_text([one.cells_per_mm2 for one in told]) if told else ""
    scene.text((16.0, scene.height - 3.6), f"a point per animal, bars {level} interval", Type(5.0, colour=SOFT))
    foot = "line: mean of animals; hollow: not told from controls"
    scene.text((16.0, scene.height - 1.2), foot, Type(5.0, colour=SOFT))
    return scene


def _of(groups: Sequence[GroupDensity], arm: str, organ: str) -> GroupDensity | None:
    return next((one for one in groups if (one.group, one.organ) == (arm, organ)), None)


def _mean_bar(scene: Scene, up: Scale, left: float, right: float, group: GroupDensity | None, colour: str) -> None:
    if group is None or not math.isfinite(group.cells_per_mm2.value):
        return
    mean = group.cells_per_mm2
    note = Note(
        f"{group.group} {group.organ}: mean {number(mean.value)} ({number(mean.low)}–{number(mean.high)}) per mm², {mean.method}"
    )
    y = up.clipped(mean.value)
    scene.line([(left - 1.2, y), (right + 1.2, y)], Pen(colour, 1.6, opacity=0.45), note)


def _point(scene: Scene, x: float, up: Scale, organ: OrganDensity, colour: str) -> None:
    density = organ.cells_per_mm2
    scene.line([(x, up.clipped(density.low)), (x, up.clipped(density.high))], Pen(colour, 0.9))
    words = f"{organ.animal} {organ.organ}: {number(density.value)} ({number(density.low)}–{number(density.high)}) per mm², "
    words += f"{organ.labelled} of {organ.nuclei} cells in {organ.sections} sections"
    pen = Pen(fill=colour) if organ.positive else Pen(colour, 0.7, PAPER)
    scene.disc((x, up.clipped(density.value)), 0.9, pen, Note(words))


def _legend(scene: Scene, organs: Sequence[OrganDensity], colours: Mapping[str, str], y: float) -> None:
    x = 16.0
    for group in dict.fromkeys(one.group for one in organs):
        scene.disc((x + 1.0, y - 0.8), 0.85, Pen(fill=colours.get(group, NEUTRAL)))
        scene.text((x + 2.6, y), group or "no arm", Type(6.0))
        x += 5.0 + text_width_mm(group or "no arm", 6.0)
