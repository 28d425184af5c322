"""Spectra of a dot against the windows in which tissue lets light through."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lampyris.report.arms import ARM_COLOURS
from lampyris.report.drawing.axes import (
    Scale,
    draw_bottom,
    draw_left,
    draw_title,
    draw_up_label,
    even_ticks,
    log_ends,
    log_ticks,
)
from lampyris.report.drawing.scene import FAINT, INK, SOFT, Note, Pen, Scene, Type, text_width_mm
from lampyris.report.plots.frame import draw_key, key_rows

WINDOWS_NM = (("near-infrared I", 650.0, 950.0), ("near-infrared II", 1000.0, 1350.0))
"""Windows between haemoglobin and water, as they are widely drawn."""

ABSORBED, EMITTED = ARM_COLOURS[0], ARM_COLOURS[1]
_TISSUES = (ARM_COLOURS[2], ARM_COLOURS[3], ARM_COLOURS[4], ARM_COLOURS[5])
_LEFT, _RIGHT = 15.0, 118.0


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """A named curve over wavelength.

    Parameters
    ----------
    name : str
    wavelength_nm, value : ndarray
        Dims (wavelength,).
    """

    name: str
    wavelength_nm: NDArray[np.float64]
    value: NDArray[np.float64]


def spectra_figure(
    absorption: Curve,
    emission: Curve,
    tissues: Sequence[Curve] = (),
    /,
    *,
    measured_nm: Sequence[tuple[str, float]] = (),
    excitation_nm: float | None = None,
    title: str = "Spectra and the windows of tissue",
) -> Scene:
    """Draw absorption and emission, each on its greatest value, and below them what tissue absorbs.

    Parameters
    ----------
    absorption, emission : Curve
        Of the dot; absorption with its first peak as 1; what is above 1.5 is not drawn.
    tissues : sequence of Curve
        Absorption coefficients in 1/mm; drawn only where their tables hold.
    measured_nm : sequence of (str, float)
        Measured peaks, marked on the axis.
    excitation_nm : float, optional
        Excitation wavelength.
    title : str

    Returns
    -------
    Scene
        122 mm wide.
    """
    low = float(min(absorption.wavelength_nm[0], 640.0))
    high = float(max(emission.wavelength_nm[-1], 1360.0))
    across = Scale(low, high, _LEFT, _RIGHT)
    tall = 100.0 if tissues else 64.0
    scene = Scene(122.0, tall, title=title, description="normalised spectra over wavelength")
    first_foot, second_top, second_foot = 47.0, 55.0, 88.0
    _draw_windows(scene, across, 13.0, second_foot if tissues else first_foot)
    # the first peak stands at 1; the rise to the blue may go on to half as much again
    top = 1.5
    up = Scale(0.0, top, first_foot, 13.0)
    for curve, colour, filled in ((absorption, ABSORBED, False), (emission, EMITTED, True)):
        _draw_curve(scene, curve, across, up, colour, filled=filled)
    for name, place in measured_nm:
        scene.triangle(
            (across.clipped(place), up(0.0) - 1.4), 1.3, Pen(fill=INK), Note(f"{name}: measured {place:g} nm")
        )
    if excitation_nm is not None:
        x = across.clipped(excitation_nm)
        scene.line(
            [(x, up(0.0)), (x, up(top))], Pen(SOFT, 0.6, dashes=(2, 2)), Note(f"excitation {excitation_nm:g} nm")
        )
    draw_left(scene, up, _LEFT, even_ticks(0.0, 1.5, most=3))
    draw_up_label(scene, _LEFT - 10.5, (first_foot + 13.0) / 2, "relative")
    if tissues:
        scene.line([(_LEFT, first_foot), (_RIGHT, first_foot)], Pen(INK, 0.6))
        _draw_tissues(scene, tissues, across, second_top, second_foot)
    draw_bottom(scene, across, second_foot if tissues else first_foot, even_ticks(low, high, most=8), "wavelength (nm)")
    draw_title(scene, (_LEFT, 4.0), title, width=_RIGHT - _LEFT, most=1)
    _draw_legend(scene, [(absorption.name, ABSORBED), (emission.name, EMITTED)], 9.0)
    return scene


def _draw_windows(scene: Scene, across: Scale, top: float, foot: float) -> None:
    for name, start, end in WINDOWS_NM:
        left, right = across.clipped(start), across.clipped(end)
        if right > left:
            scene.box((left, top), (right - left, foot - top), Pen(fill=FAINT, opacity=0.32), Note(name))
            if right - left > text_width_mm(name, 6.0):
                scene.text(((left + right) / 2, top - 0.8), name, Type(6.0, "middle", colour=SOFT))


def _draw_curve(scene: Scene, curve: Curve, across: Scale, up: Scale, colour: str, *, filled: bool) -> None:
    # a line along the axis would hide it
    inside = (curve.wavelength_nm >= across.low) & (curve.wavelength_nm <= across.high) & (curve.value > 2e-3)
    places = curve.wavelength_nm[inside]
    points = [(across(float(x)), up.clipped(float(y))) for x, y in zip(places, curve.value[inside], strict=True)]
    if not points:
        return
    if filled:
        scene.area([(points[0][0], up(0.0)), *points, (points[-1][0], up(0.0))], Pen(fill=colour, opacity=0.25))
    # what leaves the panel at its top leaves it: a flat line there would read as a plateau
    top = up(up.high)
    piece: list[tuple[float, float]] = []
    for place in [*points, (math.nan, top)]:
        if place[1] > top + 1e-9:
            piece.append(place)
        else:
            if len(piece) > 1:
                scene.line(piece, Pen(colour, 1.1), Note(curve.name))
            piece = []


def _draw_tissues(scene: Scene, tissues: Sequence[Curve], across: Scale, top: float, foot: float) -> None:
    values = [float(value) for curve in tissues for value in curve.value]
    low, high = log_ends(values)
    up = Scale(low, high, foot, top, logarithmic=True)
    for curve, colour in zip(tissues, _TISSUES, strict=False):
        points = [(across(float(x)), up(float(y))) for x, y in zip(curve.wavelength_nm, curve.value, strict=True)]
        scene.line(points, Pen(colour, 1.0), Note(f"{curve.name}: absorption per mm"))
    ticks, minor = log_ticks(low, high)
    draw_left(scene, up, _LEFT, ticks, minor=minor)
    draw_up_label(scene, _LEFT - 10.5, (top + foot) / 2, "absorption (1/mm)")
    _draw_legend(scene, [(curve.name, colour) for curve, colour in zip(tissues, _TISSUES, strict=False)], top - 2.6)
    ends = max(float(curve.wavelength_nm[-1]) for curve in tissues)
    if ends < across.high:
        scene.text((across(ends) + 1.2, foot - 1.6), f"the tables end at {ends:g} nm", Type(6.0, colour=SOFT))


def _draw_legend(scene: Scene, entries: Sequence[tuple[str, str]], y: float) -> None:
    named = [(name, Pen(colour, 1.2)) for name, colour in entries]
    draw_key(scene, key_rows(named, _RIGHT - _LEFT), (_LEFT, y))
