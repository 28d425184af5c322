"""One line alone: its place and width, where no phase is known; and what the instrument makes of a sharp one."""

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from lampyris.bench.xrd.crystals import inverse_lengths, phases, reflections
from lampyris.bench.xrd.dot_lines import DotLines, predict_dot_lines
from lampyris.bench.xrd.infer import (
    SPHERE_BELOW_A,
    STRAIN_UNIT,
    LineFit,
    Recorded,
    farthest_q,
    fitted_twice,
    reach_along,
    shape_of,
)
from lampyris.bench.xrd.match import envelope_of
from lampyris.bench.xrd.pattern import (
    Resolution,
    breadth_over_width,
    line_widths,
    predict_lines,
    pseudo_voigt,
    pseudo_voigt_of,
    q_of,
    two_theta_of,
    voigt_parts,
)
from lampyris.core.estimate import Estimate
from lampyris.statistics.fitting import DataSet, Fit, Parameter, derived, fit_least_squares

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class SingleLine:
    """The strongest line of a pattern.

    Parameters
    ----------
    fit : Fit
    two_theta_deg, width_deg : Estimate
        Place of its top for the first wavelength, and full width at half maximum as recorded.
    column_nm : Estimate
        By Scherrer's equation from the integral breadth, the instrument's width removed; an apparent size where there is strain.
    inside : numpy.ndarray of bool, dims (point,)
        Points that were fitted.
    expected : numpy.ndarray, dims (inside,)
    """

    fit: Fit
    two_theta_deg: Estimate
    width_deg: Estimate
    column_nm: Estimate
    inside: NDArray[np.bool_]
    expected: Array


def infer_single(recorded: Recorded, /, *, near_deg: float | None = None, column_a: float = 40.0) -> SingleLine:
    """Fit the strongest line with a straight background about it.

    Parameters
    ----------
    recorded : Recorded
    near_deg : float, optional
        About where it lies; the highest point over a coarse background by default.
    column_a : float
        Length of columns from which the search starts.

    Raises
    ------
    ValueError
        If nothing stands above the background.
    """
    x, y = recorded.two_theta_deg, recorded.signal
    top = near_deg if near_deg is not None else _highest(x, y)
    start = math.degrees(recorded.beam.mean_a / column_a / math.cos(math.radians(top) / 2.0))
    inside = np.abs(x - top) < max(2.2 * start, 12.0 * float(np.median(np.diff(x))))
    if inside.sum() < 12:
        raise ValueError("too few points lie about the strongest line")
    few = replace(recorded, two_theta_deg=x[inside], signal=y[inside], sd=recorded.sd[inside])
    at = few.two_theta_deg
    middle, half = 0.5 * float(at[0] + at[-1]), 0.5 * float(at[-1] - at[0])

    def expected(p: Array) -> Array:
        place, width, share, height, level, slope = p.tolist()
        total = np.zeros(at.size)
        first = recorded.beam.wavelengths_a[0]
        for wavelength, weight in zip(recorded.beam.wavelengths_a, recorded.beam.weights, strict=True):
            moved = float(two_theta_of(q_of(place, first), wavelength))
            total += (
                weight * height * pseudo_voigt(((at - moved) / width) ** 2, share) / pseudo_voigt(np.zeros(1), share)
            )
        return np.asarray(total + level + slope * (at - middle) / half)

    ground = float(np.quantile(few.signal, 0.1))
    height = max(float(few.signal.max()) - ground, 1e-12)
    parameters = [
        Parameter("place", top, top - start, top + start, unit="deg", scale=0.02 * start),
        Parameter("width", start, 0.02 * start, 6.0 * start, unit="deg", scale=0.02 * start),
        Parameter("share", 0.4, 0.0, 1.0, scale=0.05),
        Parameter("height", height, 0.0, scale=0.02 * height),
        Parameter("level", ground, scale=0.02 * height),
        Parameter("slope", 0.0, scale=0.02 * height),
    ]
    data = DataSet(expected, few.signal, sd=few.sd, parameters=tuple(one.name for one in parameters))
    fit = fitted_twice(data, [], parameters, told=("place", "width")).fit
    if not fit["height"].value > 5.0 * float(np.median(few.sd)):
        raise ValueError("no line stands above the background")
    return SingleLine(fit, fit["place"], fit["width"], _column(fit, recorded), inside, np.asarray(fit.fitted[0]))


def _highest(x: Array, y: Array) -> float:
    """Angle of the highest point over a line that falls and rises with the lowest ones."""
    size = max(3, y.size // 12)
    low = np.array([y[max(0, k - size) : k + size + 1].min() for k in range(y.size)])
    kernel = np.ones(9) / 9.0
    return float(x[int(np.argmax(np.convolve(y - low, kernel, mode="same")))])


def _column(fit: Fit, recorded: Recorded) -> Estimate:
    def own(p: Array) -> float:
        place, width, share = p[:3].tolist()
        gauss, lorentz = voigt_parts(width, share)
        sharp = voigt_parts(recorded.resolution.width_deg(place), recorded.resolution.share)
        left = pseudo_voigt_of(
            math.sqrt(max(float(gauss) ** 2 - float(sharp[0]) ** 2, 1e-8)), max(float(lorentz) - float(sharp[1]), 0.0)
        )
        breadth = float(left[0] * breadth_over_width(left[1]))
        return 0.1 * recorded.beam.mean_a / (math.radians(breadth) * math.cos(math.radians(place) / 2.0))

    return derived(fit, own, unit="nm")


@dataclass(frozen=True, slots=True, eq=False)
class _Group:
    """One group of a phase's reflections, with the rest of what the joint fit found."""

    recorded: Recorded
    lines: LineFit
    value: dict[str, float]
    inverse: Array
    weight: Array
    reach: Array
    sharp: Resolution
    envelope: tuple[Array, Array]
    dots: DotLines

    def curve(self, x: Array, breadth: float, moved: float, strain2: float) -> Array:
        """Lines of a mean breadth in q, and of a strain, their places moved by a factor."""
        inverse, shift, beam = self.inverse * moved, self.value["shift"], self.recorded.beam
        column = 2.0 * math.pi / breadth
        if self.lines.of_dots:
            shape = replace(shape_of(self.value), column_a=column, strain2=strain2)
            return predict_dot_lines(x, beam, self.sharp, inverse, self.dots, shape, shift_deg=shift)[:, 0]
        widths = line_widths(
            inverse, beam, self.sharp, column_a=column * self.reach, share=self.lines.share, strain2=strain2
        )
        return np.asarray(
            predict_lines(x, beam, inverse, widths, shift_deg=shift, envelope=self.envelope) @ self.weight
        )


def _group(recorded: Recorded, lines: LineFit, group: int) -> _Group:
    value = dict(zip(lines.fit.names, lines.fit.values.tolist(), strict=True))
    own = list(lines.groups[group])
    cell = phases()[lines.phase].cell(value["a"], value.get("c", math.nan))
    hkl, weight = lines.lines.hkl[own], lines.lines.strength[own]
    envelope = envelope_of(lines.phase, farthest_q(recorded))
    most = 3.0 * min(2.0 * math.pi / value["breadth"], SPHERE_BELOW_A) + 10.0
    return _Group(
        recorded,
        lines,
        value,
        inverse_lengths(hkl, cell),
        weight,
        reach_along(lines.phase, hkl, value["form"], value["facets"]),
        recorded.resolution.scaled(value["instrument"]),
        envelope,
        DotLines(lines.phase, hkl, weight[:, None], envelope, most),
    )


def infer_breadth(recorded: Recorded, lines: LineFit, group: int, /) -> tuple[float, Estimate]:
    """Integral breadth of one line of a phase, with the rest of the pattern as all lines together have it.

    Parameters
    ----------
    recorded : Recorded
    lines : LineFit
        All lines of the phase, fitted to the pattern.
    group : int
        Of `lines.groups`.

    Returns
    -------
    float
        Its place in q in 1/A.
    Estimate
        Its breadth in q in 1/A, the instrument's width removed: 2 pi over the column where there is no strain.

    Raises
    ------
    ValueError
        If the line has no top in the pattern.

    Notes
    -----
    The feet of a dot's line reach under its neighbours. A line that is fitted with a background of its own, in a window that is
    not far wider than the line, gives its feet to that background and comes out too narrow by a fifth or more. So background,
    neighbours, shift and shape are taken from the joint fit, and only place, height and breadth are the line's own.
    """
    one, x = _group(recorded, lines, group), recorded.two_theta_deg
    start, height = one.value["breadth"], float(lines.strengths[group])
    joint = height * one.curve(x, start, 1.0, one.value["strain2"] * STRAIN_UNIT)
    top = float(joint.max())
    near = joint > 0.15 * top
    if near.sum() < 8 or not 0 < int(np.argmax(joint)) < x.size - 1:
        raise ValueError("the line does not stand in the pattern")
    left = (recorded.signal - lines.expected + joint)[near]
    parameters = [
        Parameter("breadth", start, 0.05 * start, 8.0 * start, unit="1/A", scale=0.02 * start),
        Parameter("moved", 1.0, 0.98, 1.02, scale=1e-3),
        Parameter("strength", height, 0.0, scale=0.02 * height),
    ]
    data = DataSet(
        lambda p: p[2] * one.curve(x[near], float(p[0]), float(p[1]), 0.0), left, sd=recorded.sd[near] * lines.widening
    )
    fit = fit_least_squares(data, parameters, scatter="known")
    # along the strongest line of the group
    strongest = int(np.argmax(one.weight))
    mean, reach = fit["breadth"], float(one.reach[strongest])
    breadth = replace(mean, **{name: getattr(mean, name) / reach for name in ("value", "sd", "low", "high")})
    return float(one.inverse[strongest] * fit["moved"].value), breadth


def infer_resolution(recorded: Recorded, phase: str, /) -> Resolution:
    """Width of the instrument's lines from a powder whose own lines are sharp.

    Parameters
    ----------
    recorded : Recorded
        Pattern of the standard.
    phase : str
        Of `phases`, such as "LaB6 powder".

    Raises
    ------
    ValueError
        If fewer than three of its lines can be measured.
    """
    x = recorded.two_theta_deg
    own = reflections(phase, round(float(q_of(x[-1:], min(recorded.beam.wavelengths_a))[0]), 2))
    places = two_theta_of(own.inverse, recorded.beam.wavelengths_a[0])
    angles, squares, shares = [], [], []
    for place in places[(places > x[0] + 1.0) & (places < x[-1] - 1.0)].tolist():
        try:
            line = infer_single(replace(recorded, resolution=Resolution()), near_deg=place, column_a=400.0)
        except ValueError:
            continue
        if line.width_deg.sd < 0.2 * line.width_deg.value:
            angles.append(line.two_theta_deg.value)
            squares.append(line.width_deg.value**2)
            shares.append(line.fit["share"].value)
    if len(angles) < 3:
        raise ValueError(f"{len(angles)} lines of {phase} can be measured, at least 3 are needed")
    tangent = np.tan(np.radians(angles) / 2.0)
    degree = 2 if len(angles) >= 6 else 0
    u, v, w = ([0.0, 0.0] if degree == 0 else []) + np.polyfit(tangent, squares, degree).tolist()
    return Resolution(u=u, v=v, w=w, share=float(np.clip(np.median(shares), 0.0, 1.0)))
