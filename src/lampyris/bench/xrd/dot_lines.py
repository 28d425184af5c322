"""Lines of dots as their shape makes them: each the transform of how far a dot overlaps with itself along its direction."""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from lampyris.bench.xrd.crystals import extent_of, phases
from lampyris.bench.xrd.facets import cubic_terms, powder_overlaps, uniaxial_terms
from lampyris.bench.xrd.pattern import Beam, Resolution, instrument_parts, predict_polarisation, q_of
from lampyris.core.constants import FWHM_PER_SD

Array = NDArray[np.float64]

_STEP_A, _STEP_Q, _MARGIN = 0.45, 0.02, 6
SPHERE = 4.0 / 3.0
"""Diameter of a sphere over its volume-weighted column."""


@dataclass(frozen=True, slots=True)
class DotShape:
    """What a dot's lines follow.

    Parameters
    ----------
    column_a : float
        Volume-weighted column of the powder in A, in the mean over directions.
    spread : float
        Standard deviation of the diameters' logarithm.
    form : float
        Of `extent_of`.
    facets : float
        Of `cut_sphere_overlaps`.
    strain2 : float
        Mean square of relative changes of the lattice; one below 0, which noise may give, goes on as it came.
    """

    column_a: float
    spread: float
    form: float
    facets: float
    strain2: float


@dataclass(frozen=True, slots=True, eq=False)
class DotLines:
    """Reflections of a phase as dots have them.

    Parameters
    ----------
    phase : str
    hkl : numpy.ndarray of int, dims (reflection, 3)
    weights : numpy.ndarray, dims (reflection, curve)
        How strong each is in each curve.
    envelope : (numpy.ndarray, numpy.ndarray)
        Of `predict_lines`.
    most_a : float
        Distances up to which dots may overlap with themselves.
    """

    phase: str
    hkl: NDArray[np.int64]
    weights: Array
    envelope: tuple[Array, Array]
    most_a: float


@lru_cache(maxsize=4)
def _waves(low: int, high: int, far: int) -> tuple[Array, Array, Array, Array]:
    """Places in q, distances, and the waves of both, each weighted for the sum over distances."""
    q: Array = _STEP_Q * np.arange(low, high, dtype=np.float64)
    distance: Array = _STEP_A * np.arange(far, dtype=np.float64)
    weight = np.full(far, _STEP_A / math.pi)
    weight[0] *= 0.5
    phase = np.outer(q, distance)
    return q, distance, np.cos(phase) * weight, np.sin(phase) * weight


def predict_dot_lines(
    two_theta_deg: Array,
    beam: Beam,
    resolution: Resolution,
    inverse: Array,
    lines: DotLines,
    shape: DotShape,
    /,
    *,
    shift_deg: float = 0.0,
) -> Array:
    """Curves of lines as they are recorded, dims (point, curve).

    Parameters
    ----------
    two_theta_deg : numpy.ndarray, dims (point,)
    beam, resolution
    inverse : numpy.ndarray, dims (reflection,)
        Reciprocal lengths in 1/A.
    lines : DotLines
    shape : DotShape
    shift_deg : float
        Of `q_of`.

    References
    ----------
    Lines as transforms of what dots of a law of sizes overlap with themselves: Scardi and Leoni, Acta Cryst. A58, 190 (2002), DOI
    10.1107/S0108767301021298.
    """
    from scipy.interpolate import CubicSpline

    # a sample beside the axis moves lines by less than the margin
    ends = [
        float(q_of(two_theta_deg[at], wavelength)) / _STEP_Q
        for at, wavelength in ((0, max(beam.wavelengths_a)), (-1, min(beam.wavelengths_a)))
    ]
    q, distance, even, odd = _waves(
        max(1, int(ends[0]) - _MARGIN), int(ends[1]) + _MARGIN, int(lines.most_a / _STEP_A) + 1
    )
    overlap = _overlaps(distance, lines, shape)
    gauss, lorentz = instrument_parts(inverse, beam, resolution)
    strained = 0.5 * shape.strain2 * inverse[:, None] ** 2 * distance**2
    overlap *= np.where(strained < 0, 2.0 - np.exp(-np.abs(strained)), np.exp(-np.abs(strained)))
    overlap *= np.exp(-0.5 * lorentz[:, None] * distance - 0.5 * (gauss[:, None] / FWHM_PER_SD * distance) ** 2)
    overlap /= (inverse * np.interp(inverse, *lines.envelope))[:, None]
    moved = np.outer(inverse, distance)
    each = even @ ((np.cos(moved) * overlap).T @ lines.weights) + odd @ ((np.sin(moved) * overlap).T @ lines.weights)
    curve = CubicSpline(q, each * (np.interp(q, *lines.envelope) / q)[:, None])
    total = sum(
        (
            weight * curve(q_of(two_theta_deg, wavelength, shift_deg=shift_deg))
            for wavelength, weight in zip(beam.wavelengths_a, beam.weights, strict=True)
        ),
        np.zeros((two_theta_deg.size, lines.weights.shape[1])),
    )
    return np.asarray(total * predict_polarisation(two_theta_deg, beam.monochromator_deg)[:, None])


def _overlaps(distance: Array, lines: DotLines, shape: DotShape) -> Array:
    """How far dots overlap with themselves along each reflection, dims (reflection, distance)."""
    crystal = phases()[lines.phase]
    directions = lines.hkl @ np.linalg.inv(crystal.cell()).T
    harmonic = crystal.harmonic(directions)
    own = powder_overlaps(SPHERE * shape.column_a, shape.spread, shape.facets, cubic=crystal.cubic)
    if crystal.cubic:
        return np.asarray(cubic_terms(directions) @ own(np.minimum(distance, own.x[-1])).T)
    places = np.minimum(distance / extent_of(harmonic, shape.form)[:, None], own.x[-1])
    return np.asarray(np.einsum("rdt,rt->rd", own(places), uniaxial_terms(harmonic)))
