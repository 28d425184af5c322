"""Size of a dot from its whole pattern by Debye's sum: for lines so broad that they run into each other."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lampyris.bench.xrd.crystals import DEBYE_WALLER_A2, extent_of, form_factor, phases
from lampyris.bench.xrd.debye import PairShells, pair_shells
from lampyris.bench.xrd.facets import powder_overlaps, uniaxial_terms
from lampyris.bench.xrd.infer import (
    FACETS_SD,
    FORM_SD,
    MOST_FORM,
    SPHERE,
    SPREAD,
    SPREAD_SD,
    STRAIN_UNIT,
    Recorded,
    fitted_twice,
    joined_points,
    misfit_of,
    strain_of,
)
from lampyris.bench.xrd.match import Match
from lampyris.bench.xrd.pattern import Resolution, chebyshev, predict_polarisation, pseudo_voigt, q_of
from lampyris.core.estimate import Estimate
from lampyris.statistics.fitting import DataSet, Fit, Parameter

Array = NDArray[np.float64]

LARGEST_NM = 9.0
"""Diameters above are left to single lines."""
_BENT = ("a", "diameter", "spread", "strain2", "shift", "instrument", "damping", "form", "facets")
_NODES, _WEIGHTS = np.polynomial.hermite.hermgauss(5)
_WITHIN = (np.arange(8) + 0.5) / 8 - 0.5
"""Places within what each point is a mean of."""
_REMEMBERED = 32


@dataclass(frozen=True, slots=True, eq=False)
class WholeFit:
    """A dot's whole pattern fitted.

    Parameters
    ----------
    phase : str
    fit : Fit
    expected, background : numpy.ndarray, dims (point,)
    size_nm : Estimate
        Diameter of the sphere whose column is the powder's volume-weighted one.
    lattice_a : Estimate
    strain : Estimate
    widening : float
    settled : bool
    noise : mapping of str to float
    misfit : float
        As of `LineFit`.
    """

    phase: str
    fit: Fit
    expected: Array
    background: Array
    size_nm: Estimate
    lattice_a: Estimate
    strain: Estimate
    widening: float
    settled: bool
    noise: dict[str, float]
    misfit: float


@dataclass(frozen=True, slots=True, eq=False)
class _Sum:
    """Debye's sum of a phase with all that does not change in a fit computed once."""

    recorded: Recorded
    shells: PairShells
    first_a: float
    q: Array
    waves: tuple[Array, ...]
    directed: tuple[Array, ...]
    factors: tuple[Array, ...]
    alone: Array
    angles: Array
    polarisation: Array
    terms: int
    ends: tuple[float, float]
    summed: dict[tuple[float, ...], Array]

    def curve(self, p: Array) -> Array:
        from scipy.interpolate import CubicSpline

        a, _, _, strain2, shift, instrument, damping, _, _ = p[: len(_BENT)].tolist()
        stretch = a / self.first_a
        debye_waller = np.exp(-2.0 * damping * (self.q / (4.0 * math.pi)) ** 2)
        total = self.alone.copy()
        sd = math.sqrt(abs(strain2) * STRAIN_UNIT)
        places = np.clip(self.q[:, None] * stretch * (1.0 + sd * math.sqrt(2.0) * _NODES), self.q[0], self.q[-1])
        # a lattice that is larger by a share shrinks the pattern in q by that share
        each = CubicSpline(self.q, self._singles(p))(places)
        blurred = np.einsum("qnp,n->qp", each, _WEIGHTS) / math.sqrt(math.pi)
        if strain2 < 0:
            # a squared strain below zero, which noise may give, goes on as it came
            blurred = 2.0 * each[:, _NODES.size // 2] - blurred
        total += debye_waller * np.einsum("qp,pq->q", blurred, np.array(self.factors))
        beam = self.recorded.beam
        seen = np.zeros(self.angles.size)
        smooth = CubicSpline(self.q, total)
        unit = q_of(self.angles, 1.0, shift_deg=shift)
        for wavelength, weight in zip(beam.wavelengths_a, beam.weights, strict=True):
            seen += weight * smooth(np.clip(unit / wavelength, self.q[0], self.q[-1]))
        return np.asarray(self._blurred(seen * self.polarisation, instrument))

    def _singles(self, p: Array) -> Array:
        """Waves of each pair of elements, added up over a dot's pairs, dims (q, pair)."""
        a, diameter, spread, _, _, _, _, form, facets = p[: len(_BENT)].tolist()
        # slopes by what comes after, strain and instrument, ask for the same sum again
        key = (a, diameter, spread, form, facets)
        if key not in self.summed:
            if len(self.summed) >= _REMEMBERED:
                self.summed.pop(next(iter(self.summed)))
            overlaps = self._overlaps(diameter, spread, a / self.first_a, form, facets)
            self.summed[key] = np.column_stack(
                [wave @ overlap for wave, overlap in zip(self.waves, overlaps, strict=True)]
            )
        return self.summed[key]

    def _overlaps(self, diameter: float, spread: float, stretch: float, form: float, facets: float) -> list[Array]:
        """How far dots overlap with themselves, moved by each shell of each pair, in the mean over the shell's directions."""
        shells = self.shells
        own = powder_overlaps(10.0 * diameter, spread, facets, cubic=bool(shells.cubic))

        def at(reach: Array, terms: Array) -> Array:
            return np.asarray(np.einsum("st,st->s", own(np.minimum(reach, own.x[-1])), terms))

        if shells.cubic:
            return [at(stretch * d, terms) for d, terms in zip(shells.distance_a, shells.cubic, strict=True)]
        found = []
        for distance, shell, harmonic, share, terms in zip(
            shells.distance_a, shells.shell, shells.harmonic, shells.share, self.directed, strict=True
        ):
            each = at(stretch * distance[shell] / extent_of(harmonic, form), terms)
            found.append(np.asarray(np.bincount(shell, share * each, minlength=distance.size), np.float64))
        return found

    def _blurred(self, seen: Array, instrument: float) -> Array:
        resolution = self.recorded.resolution
        width = instrument * float(resolution.width_deg(0.5 * (self.ends[0] + self.ends[1])))
        step = float(self.angles[1] - self.angles[0])
        half = _reach(resolution, step)
        reach = np.arange(-half, half + 1, dtype=np.float64) * step
        x2 = (reach / max(width, 0.3 * step)) ** 2
        line = pseudo_voigt(x2, resolution.share)
        blurred = np.convolve(seen, line / line.sum(), mode="valid")
        within = self.recorded.two_theta_deg[:, None] + resolution.window_deg * _WITHIN
        return np.interp(within, self.angles[half : self.angles.size - half], blurred).mean(axis=1)

    def background(self, two_theta: Array) -> Array:
        return chebyshev(two_theta, self.terms, ends=self.ends)

    def joined(self, p: Array) -> tuple[Array, Array, Array]:
        """Strength and background that suit a curve best, the curves weighted, and an orthonormal basis of them."""
        few = self.recorded
        design = np.column_stack([self.curve(p), self.background(few.two_theta_deg)]) / few.sd[:, None]
        span, triangle = np.linalg.qr(design)
        return np.linalg.solve(triangle, span.T @ (few.signal / few.sd)), design, span

    def expected(self, p: Array) -> Array:
        linear, design, _ = self.joined(p)
        return np.asarray(self.recorded.sd * (design @ linear))

    def jacobian(self, p: Array, parameters: Sequence[Parameter]) -> Array:
        # what the linear ones take up of a change is no change (Kaufman 1975, BIT 15, 49, DOI 10.1007/BF01932995)
        linear, _, span = self.joined(p)
        sd = self.recorded.sd
        slopes = np.zeros((sd.size, p.size))
        for k, one in enumerate(parameters):
            if one.fixed:
                continue
            up, down = p.copy(), p.copy()
            up[k] += 0.02 * one.scale
            down[k] = max(down[k] - 0.02 * one.scale, one.low)
            slopes[:, k] = linear[0] * (self.curve(up) - self.curve(down)) / (up[k] - down[k]) / sd
        return np.asarray((slopes - span @ (span.T @ slopes)) * sd[:, None])


def _reach(resolution: Resolution, step: float) -> int:
    return int((1.0 + 40.0 * math.sqrt(abs(resolution.u) + abs(resolution.v) + abs(resolution.w))) / step)


def infer_whole(
    recorded: Recorded, start: Match, /, *, terms: int = 8, spread: tuple[float, float] = (SPREAD, SPREAD_SD)
) -> WholeFit:
    """Fit Debye's sum of spheres of a phase to a pattern.

    Parameters
    ----------
    recorded : Recorded
    start : Match
    terms : int
        Of the background.
    spread : (float, float)
        Standard deviation of the logarithm of diameters, and of that number.

    Returns
    -------
    WholeFit

    Raises
    ------
    ValueError
        If the dot is larger than `LARGEST_NM`.
    """
    diameter = 0.1 * start.column_a * SPHERE
    if diameter > LARGEST_NM:
        raise ValueError(f"a diameter of about {diameter:.1f} nm is above {LARGEST_NM:g} nm")
    few = joined_points(recorded, start)
    model = _summed(few, start, terms, recorded)
    parameters = _parameters(model, start, diameter, spread)
    known = [
        DataSet(lambda p: p, [value], sd=[sd], parameters=(name,), name=name)
        for name, value, sd in (
            ("shift", 0.0, few.shift_sd_deg),
            ("instrument", 1.0, few.resolution_sd),
            ("spread", *spread),
            ("damping", DEBYE_WALLER_A2, 0.5 * DEBYE_WALLER_A2),
            ("form", 0.0, FORM_SD),
            ("facets", 0.0, FACETS_SD),
        )
    ]
    names = tuple(one.name for one in parameters)
    data = DataSet(
        model.expected, few.signal, sd=few.sd, jacobian=lambda p: model.jacobian(p, parameters), parameters=names
    )
    found = fitted_twice(data, known, parameters, told=("a", "diameter", "strain2"))
    fit = found.fit
    linear, _, _ = model.joined(fit.values)
    ground = model.background(recorded.two_theta_deg) @ linear[1:]
    own = linear[0] * model.curve(fit.values)
    lines = np.interp(recorded.two_theta_deg, few.two_theta_deg, own)
    if not linear[0] > 0:
        raise ValueError(f"no pattern of {start.phase} stands above the background")
    return WholeFit(
        start.phase,
        fit,
        lines + ground,
        ground,
        fit["diameter"],
        fit["a"],
        strain_of(fit["strain2"]),
        found.widening,
        found.settled,
        found.noise,
        misfit_of(fit.residuals[0], few.sd, float(own.max())),
    )


def _summed(few: Recorded, start: Match, terms: int, whole: Recorded) -> _Sum:
    x = few.two_theta_deg
    reach = 10.0 * math.ceil(0.17 * start.column_a * SPHERE + 1.0)
    shells = pair_shells(start.phase, reach)
    q = np.arange(0.1, 1.1 * float(q_of(x[-1:], min(few.beam.wavelengths_a))[0]) + 0.3, 0.01)
    waves = []
    for distance, count in zip(shells.distance_a, shells.count, strict=True):
        phase = np.outer(q, distance)
        waves.append(np.sin(phase) / phase * count)
    factors = {element: form_factor(element, q) for element in shells.atoms}
    alone = sum((number * factors[element] ** 2 for element, number in shells.atoms.items()), np.zeros(q.size))
    step = 0.05
    margin = _reach(few.resolution, step) * step
    angles = np.arange(x[0] - margin, x[-1] + margin + step, step)
    ends = (float(whole.two_theta_deg[0]), float(whole.two_theta_deg[-1]))
    return _Sum(
        few,
        shells,
        phases()[start.phase].lengths_a[0],
        q,
        tuple(waves),
        () if shells.cubic else tuple(uniaxial_terms(one) for one in shells.harmonic),
        tuple(factors[first] * factors[second] for first, second in shells.pairs),
        alone,
        angles,
        predict_polarisation(angles, few.beam.monochromator_deg),
        terms,
        ends,
        {},
    )


def _parameters(model: _Sum, start: Match, diameter: float, spread: tuple[float, float]) -> Sequence[Parameter]:
    a, phase = model.first_a, phases()[start.phase]
    return [
        Parameter("a", a * start.scale, 0.95 * a, 1.05 * a, unit="A", scale=1e-3 * a),
        Parameter("diameter", diameter, 0.5 * diameter, 1.7 * diameter, unit="nm", scale=0.02 * diameter),
        Parameter("spread", spread[0], 0.0, 0.5, scale=0.02),
        Parameter("strain2", 0.1, -3.0, 30.0, scale=0.1),
        Parameter("shift", 0.0, -1.0, 1.0, unit="deg", scale=0.01),
        Parameter("instrument", 1.0, 0.05, 4.0, scale=0.1),
        Parameter("damping", DEBYE_WALLER_A2, 0.0, 6.0, unit="A2", scale=0.05),
        Parameter("form", 0.0, -MOST_FORM, MOST_FORM, fixed=not phase.uniaxial, scale=0.05),
        Parameter("facets", 0.0, -1.0, 1.0, scale=0.02),
    ]
