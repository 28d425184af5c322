"""Which crystal a pattern is of: each phase of the table against it, with its own intensities, over lattice and size."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from lampyris.bench.xrd.crystals import form_factor, phases, reflections
from lampyris.bench.xrd.pattern import (
    Beam,
    Resolution,
    breadth_over_width,
    chebyshev,
    predict_polarisation,
    pseudo_voigt,
    pseudo_voigt_of,
    q_of,
    voigt_parts,
)

Array = NDArray[np.float64]

LATTICE_SPREAD = 0.004
"""Relative standard deviation by which a dot's lattice is taken to differ from the table's: composition, surface, height of the sample."""
_COLUMNS_A = tuple(10.0 * 1.45**k for k in range(12))
_MOST_POINTS = 400
_TERMS = 6
_GRID = 1500
_WIDE = 0.02
_CLOSE = 6.0


@dataclass(frozen=True, slots=True)
class Match:
    """How well a phase explains a pattern.

    Parameters
    ----------
    phase : str
    scale : float
        Lattice over the table's.
    column_a : float
        Length of columns in A that fits best.
    explained : float
        Share of what stands above the background.
    score : float
        Minus twice a log likelihood with as many independent points as lines could lie apart; the least is the best.
    """

    phase: str
    scale: float
    column_a: float
    explained: float
    score: float


@dataclass(frozen=True, slots=True, eq=False)
class _Reduced:
    """A pattern on few points, its background projected out."""

    two_theta: Array
    weight: Array
    basis: Array
    left: Array
    q: Array
    polarisation: Array
    grid: Array
    sharp: float
    reach: float

    def without_background(self, curves: Array) -> Array:
        weighted = curves * self.weight if curves.ndim == 1 else curves * self.weight[:, None]
        return np.asarray(weighted - self.basis @ (self.basis.T @ weighted))


def match_phases(
    two_theta_deg: Array,
    signal: Array,
    sd: Array,
    beam: Beam,
    resolution: Resolution,
    names: Sequence[str],
    /,
) -> tuple[Match, ...]:
    """Phases in the order of how well they explain a pattern.

    Parameters
    ----------
    two_theta_deg, signal, sd : numpy.ndarray, dims (point,)
    beam, resolution
    names : sequence of str
        Of `phases`.

    Returns
    -------
    tuple of Match
        Phases that are told from the first by less than `close_matches` are as good as it.
    """
    reduced = _reduced(two_theta_deg, signal, sd, beam, resolution)
    found = []
    for name in names:
        one = _searched(reduced, name)
        if one is not None:
            found.append(one)
    if not found:
        return ()
    least = min(rss for _, _, _, rss in found)
    total = float(reduced.left @ reduced.left)
    top = next(one for one in found if one[3] == least)
    apart = _independent(reduced, top[2])
    matches = [
        Match(
            name,
            scale,
            column,
            1.0 - rss / total,
            apart * math.log(rss / least) + ((scale - 1.0) / LATTICE_SPREAD) ** 2,
        )
        for name, scale, column, rss in found
    ]
    return tuple(sorted(matches, key=lambda one: (one.score, one.phase)))


def close_matches(matches: Sequence[Match], /) -> tuple[Match, ...]:
    """The first match and those that the pattern does not tell from it."""
    return tuple(one for one in matches if one.score - matches[0].score < _CLOSE)


def beside(
    two_theta_deg: Array,
    rest: Array,
    sd: Array,
    beam: Beam,
    resolution: Resolution,
    names: Sequence[str],
    /,
) -> Match | None:
    """Phase that explains most of what a fit has left, None where none explains a third of it.

    Parameters
    ----------
    two_theta_deg, rest, sd : numpy.ndarray, dims (point,)
        Recorded less fitted.
    beam, resolution, names
        As `match_phases`.
    """
    found = match_phases(two_theta_deg, rest, sd, beam, resolution, names)
    return found[0] if found and found[0].explained > 1.0 / 3.0 else None


def _reduced(two_theta: Array, signal: Array, sd: Array, beam: Beam, resolution: Resolution) -> _Reduced:
    step = max(1, math.ceil(two_theta.size / _MOST_POINTS))
    size = two_theta.size // step * step
    x, y, v = (one[:size].reshape(-1, step) for one in (two_theta, signal, sd**2))
    x, y, v = x.mean(axis=1), y.mean(axis=1), v.mean(axis=1) / step
    # lines differ by more than noise from any table: strong ones must not rule alone
    weight = 1.0 / np.sqrt(v + (0.03 * (y.max() - y.min())) ** 2)
    basis, _ = np.linalg.qr(chebyshev(x, _TERMS) * weight[:, None])
    q = q_of(x, beam.mean_a)
    grid = np.linspace(max(0.5 * float(q[0]), 0.05), 1.03 * float(q[-1]), _GRID)
    middle = 0.5 * float(x[0] + x[-1])
    coarse = math.hypot(float(resolution.width_deg(middle)), 1.2 * float(x[1] - x[0]))
    sharp = 2.0 * math.pi / beam.mean_a * math.cos(math.radians(middle) / 2.0) * math.radians(coarse)
    polarisation = predict_polarisation(x, beam.monochromator_deg)
    reach = math.ceil(10.0 * float(q[-1])) / 10.0
    bare = _Reduced(x, weight, basis, np.zeros(0), q, polarisation, grid, sharp, reach)
    return replace(bare, left=bare.without_background(y))


def _independent(reduced: _Reduced, column: float) -> float:
    """How many lines could lie beside each other."""
    return float(np.clip((reduced.q[-1] - reduced.q[0]) / (2.0 * math.pi / column), 6.0, 60.0))


def _scales(reduced: _Reduced, column: float) -> list[float]:
    step = float(np.clip(0.35 * (2.0 * math.pi / column) / 3.5, 0.0015, 0.007))
    half = math.ceil(_WIDE / step)
    return [1.0 + step * k for k in range(-half, half + 1)]


def _pattern(reduced: _Reduced, name: str, scale: float, column: float) -> Array:
    """Pattern of a phase, its lines alike in q: sticks on a fine grid, convolved."""
    own = reflections(name, round(1.03 * reduced.reach, 2))
    inverse = own.inverse / scale
    step = reduced.grid[1] - reduced.grid[0]
    sticks = np.zeros(reduced.grid.size)
    place = (inverse - reduced.grid[0]) / step
    inside = (place >= 0) & (place < reduced.grid.size - 1)
    at = place[inside].astype(np.intp)
    part = place[inside] - at
    strength = own.strength[inside] / inverse[inside] / np.interp(inverse[inside], *envelope_of(name, reduced.reach))
    np.add.at(sticks, at, (1.0 - part) * strength)
    np.add.at(sticks, at + 1, part * strength)
    kernel = _kernel(column, float(reduced.sharp), float(step), reduced.grid.size)
    curve = np.fft.irfft(np.fft.rfft(sticks, kernel.shape[0] * 2 - 2) * kernel)[: reduced.grid.size]
    curve = curve * np.interp(reduced.grid, *envelope_of(name, reduced.reach)) / np.maximum(reduced.grid, 0.05)
    return np.interp(reduced.q, reduced.grid, curve) * reduced.polarisation


@lru_cache(maxsize=64)
def _kernel(column: float, sharp: float, step: float, size: int) -> NDArray[np.complex128]:
    """Transform of a line of a size, at least as wide as the points lie apart."""
    width, share = pseudo_voigt_of(
        *np.hypot(voigt_parts(2.0 * math.pi / column / breadth_over_width(0.4), 0.4), (sharp, 0.0))
    )
    full = 2 * size
    x2 = (np.minimum(np.arange(full), full - np.arange(full)) * step / float(width)) ** 2
    line = pseudo_voigt(x2, share)
    return np.asarray(np.fft.rfft(line / line.sum()))


@lru_cache(maxsize=64)
def envelope_of(name: str, reach: float, /) -> tuple[Array, Array]:
    """Squared form factor of a phase's mean atom over q."""
    q = np.linspace(0.05, 1.1 * reach, 400)
    elements = phases()[name].elements
    mean = sum(elements.count(element) * form_factor(element, q) for element in sorted(set(elements))) / len(elements)
    return q, np.asarray(mean) ** 2


def _searched(reduced: _Reduced, name: str) -> tuple[str, float, float, float] | None:
    """Scale and column that leave the least squares, on a grid and then about its best place."""
    total = float(reduced.left @ reduced.left)
    if not reflections(name, round(1.03 * reduced.reach, 2)).inverse.size:
        return None

    def rest(scale: float, column: float) -> float:
        curve = reduced.without_background(_pattern(reduced, name, scale, column))
        norm = float(curve @ curve)
        gain = max(float(curve @ reduced.left), 0.0) ** 2 / norm if norm > 0 else 0.0
        apart = _independent(reduced, column)
        return (total - gain) * math.exp(((scale - 1.0) / LATTICE_SPREAD) ** 2 / apart)

    grid = [(rest(scale, column), scale, column) for column in _COLUMNS_A for scale in _scales(reduced, column)]
    _, scale, column = min(grid)
    for shrink in (0.5, 0.25, 0.125):
        step = shrink * (_scales(reduced, column)[1] - _scales(reduced, column)[0])
        near = [
            (s, c)
            for s in (scale - step, scale, scale + step)
            for c in (column / 1.45**shrink, column, column * 1.45**shrink)
        ]
        _, scale, column = min((rest(s, c), s, c) for s, c in near)
    apart = _independent(reduced, column)
    return name, scale, column, rest(scale, column) * math.exp(-(((scale - 1.0) / LATTICE_SPREAD) ** 2) / apart)
