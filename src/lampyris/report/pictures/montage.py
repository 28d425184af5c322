"""The films as figures for a paper: per arm, animals down and days across, both views, outlines and colour bar."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from lampyris.core.images import RADIANCE_UNIT
from lampyris.core.study import SessionResult, StudyResults
from lampyris.report.arms import Arm
from lampyris.report.drawing.axes import draw_title, log_ticks
from lampyris.report.drawing.colours import palette
from lampyris.report.drawing.scene import Label, Pen, Raster, Scene, Type, figure_text, text_width_mm
from lampyris.report.identities import Identities, identities_of
from lampyris.report.numbers import day_text, unit_text
from lampyris.report.pictures.films import outline_pixels
from lampyris.report.pictures.packing import Frame, sessions_by_animal
from lampyris.report.pictures.scale import Window, picture_palette

_WIDTH_MM = 180.0
_LEFT_MM, _RIGHT_MM, _TOP_MM, _BOTTOM_MM = 16.0, 2.0, 11.0, 13.0
_GAP = 3  # pixels between days
_SOLID, _OTHER = Pen("#ffffff", 0.5), Pen("#ffffff", 0.5, dashes=(1.2, 1.2))
_NAME = Type(5.0, bold=True, colour="#ffffff")


def _size(stills: dict[tuple[int, int], NDArray[np.uint8]]) -> tuple[int, int]:
    return max(still.shape[0] for still in stills.values()), max(still.shape[1] for still in stills.values())


@dataclass(frozen=True, slots=True)
class _Sheet:
    """How the pictures of an arm lie: all in one raster of pixels, which is `scale` mm a pixel on paper."""

    scale: float
    top: float

    def place(self, x: float, y: float) -> tuple[float, float]:
        return _LEFT_MM + x * self.scale, self.top + y * self.scale


def _name_label(name: str, points: Sequence[tuple[float, float]], edge: float) -> Label:
    """A lesion's name beside its outline: to the right, or to the left where the picture ends at `edge`."""
    left, right = min(x for x, _ in points), max(x for x, _ in points)
    top = min(y for _, y in points) + 0.8
    if right + 0.2 + text_width_mm(name, _NAME.size) <= edge:
        return Label(right + 0.2, top, name, _NAME)
    return Label(left - 0.2, top, name, replace(_NAME, anchor="end"))


def _outline_session(
    scene: Scene,
    sheet: _Sheet,
    session: SessionResult,
    own: Sequence[Frame],
    corner: tuple[int, int],
    names: Identities,
) -> None:
    """Outlines of a session's views, side by side from `corner`, as on the page: what counts as tumour solid."""
    y, x = corner
    for view, frame in zip(session.views, own, strict=True):
        for detection in view.detections:
            identity = names.of(session.animal, session.session, view.view, detection)
            points = [sheet.place(px + x, py + y) for px, py in outline_pixels(detection, frame, view.pixel_mm)]
            if len(points) > 2:
                scene.area(points, _SOLID if identity.tumour else _OTHER)
                if identity.lesions and identity.tumour:
                    edge = sheet.place(x + frame.width, y)[0]
                    scene.marks.append(_name_label(identity.name, points, edge))
        x += frame.width + 1


def arm_montage(
    results: StudyResults,
    arm: Arm,
    frames: dict[tuple[int, int], Frame],
    stills: dict[tuple[int, int], NDArray[np.uint8]],
    window: Window,
    /,
) -> Scene | None:
    """The films of one arm.

    Parameters
    ----------
    results : StudyResults
        The study.
    arm : Arm
        Which arm.
    frames : dict
        From `common_frames`.
    stills : dict
        From `still_indices`.
    window : Window
        The shared scale.

    Returns
    -------
    Scene or None
        180 mm wide, two columns of a journal; None where the arm has no picture.
    """
    animals = {name: own for name, own in sessions_by_animal(results).items() if own[0][1].group == arm.key}
    if not animals or not frames:
        return None
    names = identities_of(results)
    days = sorted({session.day for session in results.sessions})
    height, width = _size(stills)
    stride = max(len(session.views) for session in results.sessions) * (width + 1) + _GAP
    # between the pictures lies the white of their own palette, so that the sheet keeps to its 256 colours
    paper = int(np.flatnonzero((picture_palette() == 255).all(axis=1))[0])
    indices = np.full((len(animals) * (height + 2) - 2, len(days) * stride - _GAP - 1), paper, np.uint8)
    sheet = _Sheet((_WIDTH_MM - _LEFT_MM - _RIGHT_MM) / indices.shape[1], _TOP_MM)
    high = indices.shape[0] * sheet.scale
    scene = Scene(_WIDTH_MM, high + _TOP_MM + _BOTTOM_MM)
    drawn = Scene(scene.width, scene.height)
    for row, (animal, own) in enumerate(animals.items()):
        middle = sheet.place(0, row * (height + 2) + height / 2)[1]
        scene.text((_LEFT_MM - 1, middle + 0.8), figure_text(animal, longest=12), Type(6.5, "end"))
        for s, session in own:
            y, x = row * (height + 2), days.index(session.day) * stride
            for v in range(len(session.views)):
                still = stills[s, v]
                indices[y : y + still.shape[0], x + v * (width + 1) :][:, : still.shape[1]] = still
            _outline_session(drawn, sheet, session, [frames[s, v] for v in range(len(session.views))], (y, x), names)
    scene.marks.append(Raster(_LEFT_MM, _TOP_MM, indices.shape[1] * sheet.scale, high, picture_palette()[indices]))
    scene.paste(drawn, (0.0, 0.0))
    for k, day in enumerate(days):
        middle = sheet.place(k * stride + (stride - _GAP) / 2, 0)[0]
        scene.text((middle, _TOP_MM - 1.2), f"day {day_text(day)}", Type(6.5, "middle"))
    draw_title(scene, (_LEFT_MM, 4.5), arm.title, width=_WIDTH_MM - _LEFT_MM, most=1)
    _add_bar(scene, window)
    return scene


def _add_bar(scene: Scene, window: Window) -> None:
    """The shared colour bar under the pictures."""
    top, width = scene.height - _BOTTOM_MM + 3.0, 72.0
    scene.marks.append(Raster(_LEFT_MM, top, width, 2.0, palette("inferno")[None]))
    for value, label in log_ticks(window.low, window.high)[0]:
        x = _LEFT_MM + width * window.share(value)
        scene.line([(x, top + 2.0), (x, top + 2.8)], Pen("#010101", 0.6))
        scene.text((x, top + 5.4), label, Type(6.5, "middle"))
    scene.text((_LEFT_MM + width + 3, top + 1.9), f"probe radiance ({unit_text(RADIANCE_UNIT)})", Type(6.5))
