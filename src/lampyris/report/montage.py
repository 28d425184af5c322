"""The films as figures for a paper: per arm, animals down and days across, both views, outlines and colour bar."""

from collections.abc import Sequence

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.collections import LineCollection
from matplotlib.colors import ListedColormap, LogNorm
from matplotlib.figure import Figure
from numpy.typing import NDArray

from lampyris.core.flags import DetectionKind
from lampyris.core.images import RADIANCE_UNIT
from lampyris.core.study import SessionResult, StudyResults
from lampyris.report.arms import Arm
from lampyris.report.figures import INK, MM, Drawing, figure_text, power_ticks
from lampyris.report.films import outline_pixels
from lampyris.report.numbers import day_text, unit_text
from lampyris.report.packing import Frame, sessions_by_animal
from lampyris.report.scale import Window, inferno, picture_indices, picture_palette

_WIDTH_MM = 180.0
_LEFT_MM, _RIGHT_MM, _TOP_MM, _BOTTOM_MM = 16.0, 2.0, 9.0, 13.0
_GAP = 3  # pixels between days
# as on the page: lesions solid, injection sites dotted
_LINE = {DetectionKind.LESION: "solid", DetectionKind.INJECTION_SITE: "dotted"}


def _size(frames: dict[tuple[int, int], Frame]) -> tuple[int, int]:
    return max(frame.height for frame in frames.values()), max(frame.width for frame in frames.values())


def _paste(
    sheet: NDArray[np.uint8], session: SessionResult, frames: Sequence[Frame], window: Window, corner: tuple[int, int]
) -> list[tuple[DetectionKind, list[tuple[float, float]]]]:
    """Put a session's views side by side into the sheet; returns kinds and outlines in the sheet's pixels."""
    y, x = corner
    outlines = []
    for view, frame in zip(session.views, frames, strict=True):
        indices = picture_indices(frame.cut(view.photo), frame.cut(view.display), window)
        sheet[y : y + frame.height, x : x + frame.width] = picture_palette()[indices]
        for detection in view.detections:
            points = outline_pixels(detection, frame, view.pixel_mm)
            # pixel centres lie at whole numbers in an image drawn by matplotlib
            line = [(px + x - 0.5, py + y - 0.5) for px, py in [*points, *points[:1]]]
            outlines.append((DetectionKind(detection.kind), line))
        x += frame.width + 1
    return outlines


def arm_montage(
    results: StudyResults, arm: Arm, frames: dict[tuple[int, int], Frame], window: Window, /
) -> Drawing | None:
    """The films of one arm.

    Parameters
    ----------
    results : StudyResults
        The study.
    arm : Arm
        Which arm.
    frames : dict
        From `study_frames`.
    window : Window
        The shared scale.

    Returns
    -------
    Drawing or None
        180 mm wide, two columns of a journal; None where the arm has no picture.
    """
    animals = {name: own for name, own in sessions_by_animal(results).items() if own[0][1].group == arm.key}
    if not animals or not frames:
        return None
    days = sorted({session.day for session in results.sessions})
    views = max(len(session.views) for session in results.sessions)
    height, width = _size(frames)
    stride = views * (width + 1) + _GAP
    sheet = np.full((len(animals) * (height + 2) - 2, len(days) * stride - _GAP - 1, 3), 255, np.uint8)
    outlines: dict[DetectionKind, list[list[tuple[float, float]]]] = {kind: [] for kind in _LINE}
    for row, own in enumerate(animals.values()):
        for s, session in own:
            corner = (row * (height + 2), days.index(session.day) * stride)
            own_frames = [frames[s, v] for v in range(len(session.views))]
            for kind, outline in _paste(sheet, session, own_frames, window, corner):
                outlines[kind].append(outline)
    # places are fixed in mm, since every size is known; the figure is as high as its pictures need at that width
    inner = _WIDTH_MM - _LEFT_MM - _RIGHT_MM
    across = inner * sheet.shape[0] / sheet.shape[1]
    high = across + _TOP_MM + _BOTTOM_MM
    drawing = Drawing(Figure(figsize=(_WIDTH_MM * MM, high * MM)))
    axes = drawing.figure.add_axes((_LEFT_MM / _WIDTH_MM, _BOTTOM_MM / high, inner / _WIDTH_MM, across / high))
    axes.imshow(sheet, interpolation="none", aspect="auto")
    for kind, lines in outlines.items():
        axes.add_collection(LineCollection(lines, colors="#ffffff", linewidths=0.5, linestyles=_LINE[kind]))
    axes.set_xlim(-0.5, sheet.shape[1] - 0.5)
    axes.set_ylim(sheet.shape[0] - 0.5, -0.5)
    axes.set_xticks([k * stride + (stride - _GAP) / 2 for k in range(len(days))], [f"day {day_text(d)}" for d in days])
    axes.xaxis.tick_top()
    rows = [row * (height + 2) + height / 2 for row in range(len(animals))]
    axes.set_yticks(rows, [figure_text(name, longest=14) for name in animals])
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.set_title(figure_text(arm.title), loc="left", color=INK)
    _add_bar(drawing, window, high)
    return drawing


def _add_bar(drawing: Drawing, window: Window, high_mm: float) -> None:
    """The shared colour bar under the pictures."""
    colours = ScalarMappable(LogNorm(window.low, window.high), ListedColormap(inferno() / 255.0))
    place = (_LEFT_MM / _WIDTH_MM, (_BOTTOM_MM - 4) / high_mm, 0.4, 2 / high_mm)
    bar = drawing.figure.colorbar(colours, cax=drawing.figure.add_axes(place), orientation="horizontal")
    bar.set_label(f"probe radiance ({unit_text(RADIANCE_UNIT)})")
    power_ticks(bar.ax.xaxis, window.low, window.high)
    bar.ax.set_xlim(window.low, window.high)
    bar.outline.set_visible(False)
