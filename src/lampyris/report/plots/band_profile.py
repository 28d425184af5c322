"""Level diagram of a dot: band edges over the radius, and where its electron and hole are."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lampyris.report.arms import ARM_COLOURS
from lampyris.report.drawing.axes import LABEL_PT, Scale, draw_bottom, draw_left, draw_title, draw_up_label, even_ticks
from lampyris.report.drawing.scene import FAINT, INK, SOFT, Note, Pen, Point, Scene, Type, text_width_mm

ELECTRON, HOLE = ARM_COLOURS[0], ARM_COLOURS[1]
_LEFT, _RIGHT, _TOP, _FOOT = 15.0, 118.0, 17.0, 76.0
# energy above the highest and below the lowest edge that is shown: walls of water and ligands reach further
_AIR_EV = 0.4
_TINTS = (0.35, 0.18)


@dataclass(frozen=True, slots=True, eq=False)
class BandProfile:
    """What the level diagram draws; all energies on one scale.

    Parameters
    ----------
    layers : tuple of (str, float)
        Name of each layer from the core outwards, and the radius in nm where it ends.
    radius_nm : ndarray
        Dims (radius,).
    conduction_ev, valence_ev : ndarray
        Band edges, dims (radius,).
    electron_ev, hole_ev : float
        Energies of the two levels.
    electron, hole : ndarray
        Probability per nm of radius, dims (radius,).
    transition : str
        What stands beside the arrow, such as the energy and the wavelength.
    title, below : str
        Above the diagram.
    """

    layers: tuple[tuple[str, float], ...]
    radius_nm: NDArray[np.float64]
    conduction_ev: NDArray[np.float64]
    valence_ev: NDArray[np.float64]
    electron_ev: float
    hole_ev: float
    electron: NDArray[np.float64]
    hole: NDArray[np.float64]
    transition: str
    title: str
    below: str = ""


def band_figure(profile: BandProfile, /) -> Scene:
    """Draw a level diagram.

    Parameters
    ----------
    profile : BandProfile

    Returns
    -------
    Scene
        122 mm wide. Walls that reach beyond the diagram are cut at its edge.
    """
    scene = Scene(122.0, 88.0, title=profile.title, description=profile.below)
    outer = profile.layers[-1][1]
    end = min(float(profile.radius_nm[-1]), 1.22 * outer)
    across, up = Scale(0.0, end, _LEFT, _RIGHT), _energies(profile, outer)
    _draw_layers(scene, profile, across)
    shown = profile.radius_nm <= end
    for edge, name in ((profile.conduction_ev, "conduction edge"), (profile.valence_ev, "valence edge")):
        steps = _steps(profile.radius_nm[shown], edge[shown])
        scene.line([(across(r), up.clipped(e)) for r, e in steps], Pen(INK, 1.1), Note(name))
    _draw_state(scene, profile, across, up, electron=True)
    _draw_state(scene, profile, across, up, electron=False)
    _draw_arrow(scene, profile, across, up)
    draw_left(scene, up, _LEFT, even_ticks(min(up.low, up.high), max(up.low, up.high), most=6))
    draw_bottom(scene, across, _FOOT, even_ticks(0.0, end, most=7), "distance from the centre (nm)")
    draw_up_label(scene, _LEFT - 10.5, (_TOP + _FOOT) / 2, "energy against vacuum (eV)")
    draw_title(scene, (_LEFT, 5.0), profile.title, width=_RIGHT - _LEFT, most=1)
    scene.text((_LEFT, 9.2), profile.below, Type(6.5, colour=SOFT))
    return scene


def _energies(profile: BandProfile, outer: float) -> Scale:
    """Axis that holds both bands of every layer and both levels."""
    inside = profile.radius_nm <= outer
    low = min(float(profile.valence_ev[inside].min()), profile.hole_ev) - _AIR_EV
    high = max(float(profile.conduction_ev[inside].max()), profile.electron_ev) + _AIR_EV
    return Scale(low, high, _FOOT, _TOP)


def _draw_layers(scene: Scene, profile: BandProfile, across: Scale) -> None:
    start, free = 0.0, -math.inf
    for number, (name, outer) in enumerate(profile.layers):
        left, right = across(start), across(outer)
        tint = _TINTS[number % 2]
        scene.box((left, _TOP), (right - left, _FOOT - _TOP), Pen(fill=FAINT, opacity=tint))
        half = text_width_mm(name, LABEL_PT) / 2
        # a name wider than its thin layer moves aside rather than over its neighbour
        place = max((left + right) / 2, free + half + 1.0)
        scene.text((place, _TOP - 1.6), name, Type(LABEL_PT, "middle", bold=True))
        start, free = outer, place + half
    if across.high > profile.layers[-1][1]:
        middle = (across(start) + _RIGHT) / 2
        if middle - free > 8.0:
            scene.text((middle, _TOP - 1.6), "outside", Type(LABEL_PT, "middle", colour=SOFT))


def _steps(radius: NDArray[np.float64], edge: NDArray[np.float64]) -> list[Point]:
    """Corners of an edge that is flat in each layer: sloping sides of a jump between two grid points stand upright."""
    points = [(float(radius[0]), float(edge[0]))]
    for k in range(1, len(radius)):
        if edge[k] != edge[k - 1]:
            middle = float(radius[k - 1] + radius[k]) / 2
            points += [(middle, float(edge[k - 1])), (middle, float(edge[k]))]
    points.append((float(radius[-1]), float(edge[-1])))
    return points


def _draw_state(scene: Scene, profile: BandProfile, across: Scale, up: Scale, *, electron: bool) -> None:
    """Level as a line, and the probability over the radius standing on it (hanging from it for the hole)."""
    density, level = (profile.electron, profile.electron_ev) if electron else (profile.hole, profile.hole_ev)
    colour, name = (ELECTRON, "electron") if electron else (HOLE, "hole")
    end = across.high
    base, most = up(level), float(np.max(density)) or 1.0
    # as tall as the panel leaves room, so that no curve runs over the names above or the axis below
    room = base - _TOP if electron else _FOOT - base
    tall = (1.0 if electron else -1.0) * min(12.0, 0.92 * room)
    shown = profile.radius_nm <= end
    curve = [
        (across(float(r)), base - tall * float(d) / most)
        for r, d in zip(profile.radius_nm[shown], density[shown], strict=True)
    ]
    scene.area([(across(0.0), base), *curve, (curve[-1][0], base)], Pen(fill=colour, opacity=0.22))
    scene.line(curve, Pen(colour, 0.9), Note(f"where the {name} is: probability per nm of radius"))
    scene.line([(across.start, base), (across.end, base)], Pen(colour, 0.7, dashes=(3, 2)))
    words = f"{name} {level:.2f} eV".replace("-", "−")
    # on the gap's side of the level: there is nothing outside the dot
    scene.text((across.end - 0.6, base + 3.0 if electron else base - 1.2), words, Type(6.5, "end", colour=colour))


def _draw_arrow(scene: Scene, profile: BandProfile, across: Scale, up: Scale) -> None:
    """The transition between the two levels, at three quarters of the dot's radius."""
    x = across(0.72 * profile.layers[-1][1])
    top, foot = up(profile.electron_ev), up(profile.hole_ev)
    scene.line([(x, top), (x, foot - 1.6)], Pen(INK, 0.8))
    scene.area([(x - 0.9, foot - 2.0), (x + 0.9, foot - 2.0), (x, foot)], Pen(fill=INK))
    scene.text((x + 1.6, (top + foot) / 2 + 0.9), profile.transition, Type(LABEL_PT, bold=True))
