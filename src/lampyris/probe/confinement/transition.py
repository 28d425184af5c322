"""First transition of a dot: energy with its uncertainty, overlap, kind of band alignment, radiative lifetime."""

import math
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from lampyris.core.constants import (
    ELECTRON_MASS_KG,
    ELEMENTARY_CHARGE_C,
    EV_NM,
    HBAR_J_S,
    LIGHT_M_PER_S,
    VACUUM_PERMITTIVITY_F_PER_M,
)
from lampyris.core.estimate import Estimate
from lampyris.core.finding import Finding, Place, Severity
from lampyris.probe.confinement.bands import Bands, bands
from lampyris.probe.confinement.coulomb import (
    coulomb_energy,
    polarisation_energy,
    potential_of,
    screened_permittivity,
)
from lampyris.probe.confinement.radial import Inverse, Level, RadialGrid, lowest_level, radial_grid
from lampyris.probe.refusals import refused
from lampyris.probe.structure import Structure
from lampyris.statistics.intervals import NORMAL_95, normal_interval

Kind = Literal["type I", "quasi-type II", "type II", "inverted type I"]
LOCALISED = 0.65
"""Share of a carrier in one layer from which it counts as localised there."""
MODEL_CONFINEMENT_SD = 0.12
"""Spread of the model about published sizing curves, as a share of the energy above the bulk edge (accuracy table ``sizing``)."""
MODEL_RELATIVE_SD = 0.03
"""And as a share of the whole energy: CdS lies as a whole below its curve."""
CALIBRATED_CONFINEMENT_SD = 0.3
"""What one calibrating sample leaves of it, per natural logarithm of the ratio of diameters (same table)."""
COHERENCE_SD = 0.29
"""Uncertainty of the share of misfit that is strain: even between relaxed and coherent, for nobody measured the dot at hand."""
LEAKING = 0.1
"""Share of a carrier outside the dot from which ligand and medium, whose edges are rough, decide its level."""
LIFETIME_FACTOR = 2.0
"""One standard deviation of the lifetime as a factor: its fine structure is averaged, not resolved."""
PERMEABLE = 1.5
"""Refractive index of what is around the dot for the density of light modes, ligand and medium together."""


def wavelength_of(energy_ev: Estimate, /) -> Estimate:
    """Wavelength in nm of an energy: its interval is that of the energy, its standard deviation to first order."""
    e = energy_ev
    value = EV_NM / e.value
    low, high = EV_NM / e.high, EV_NM / e.low if e.low > 0 else math.inf
    return Estimate(value, value * e.sd / e.value, low, high, e.level, "nm", e.method)


@dataclass(frozen=True, slots=True, eq=False)
class Transition:
    """First transition of a dot.

    Parameters
    ----------
    energy_ev : Estimate
        Energy of the first absorption peak.
    electron_ev, hole_ev : float
        Levels of electron and hole against vacuum.
    coulomb_ev, polarisation_ev : float
        Energy of the pair, negative, and of the polarisation of the surface.
    overlap : float
        ``(integral Re Rh r^2 dr)^2``, between 0 and 1.
    kind : str
        "type I", "quasi-type II", "type II" or "inverted type I", from where the carriers are.
    radiative_lifetime_ns : Estimate
        At room temperature, all states of the level equally filled.
    radius_nm, electron, hole : ndarray (point,)
        Radial grid, and envelopes ``R(r)`` in nm^-3/2.
    conduction_ev, valence_ev : ndarray (point,)
        Edges at these points, against vacuum.
    electron_share, hole_share : ndarray (region,)
        Probability in each layer and, last, outside.
    strain : ndarray (layer,)
        Relative change of volume of each layer.
    findings : tuple of Finding
        What limits the answer.
    """

    energy_ev: Estimate
    electron_ev: float
    hole_ev: float
    coulomb_ev: float
    polarisation_ev: float
    overlap: float
    kind: Kind
    radiative_lifetime_ns: Estimate
    radius_nm: NDArray[np.float64]
    electron: NDArray[np.float64]
    hole: NDArray[np.float64]
    conduction_ev: NDArray[np.float64]
    valence_ev: NDArray[np.float64]
    electron_share: NDArray[np.float64]
    hole_share: NDArray[np.float64]
    strain: NDArray[np.float64]
    findings: tuple[Finding, ...] = ()

    @property
    def wavelength_nm(self) -> Estimate:
        """Wavelength of the energy, with the interval of it."""
        return wavelength_of(self.energy_ev)


@dataclass(frozen=True, slots=True, eq=False)
class Pair:
    """Electron and hole of a dot, solved."""

    bands: Bands
    grid: RadialGrid
    electron: Level
    hole: Level
    permittivity: NDArray[np.float64]
    coulomb_ev: float
    polarisation_ev: float
    energy_ev: float


def first_transition(
    structure: Structure, /, *, temperature_k: float = 295.0, medium: str = "water", coherence: float = 0.5,
    self_consistent: bool = False,
) -> Transition:  # fmt: skip
    """First transition of a layered sphere.

    Parameters
    ----------
    structure : Structure
        Layers from the core outwards.
    temperature_k : float
        Temperature, within the range of the gaps' temperature laws.
    medium : str
        Around the dot: water, buffer, toluene, hexane, chloroform, tetrachloroethylene, polymer or vacuum.
    coherence : float
        Share of the lattice misfit that is strain, from 0 (relaxed) to 1 (coherent); the uncertainty covers both ends.
    self_consistent : bool
        Solve each carrier in the other's field in turn, in place of first order.

    Returns
    -------
    Transition
        Energy, levels, envelopes, overlap, kind and lifetime.

    Raises
    ------
    InputError
        If a size is outside validity, or a material, medium or temperature is unknown or outside its range.

    Notes
    -----
    The uncertainty joins the spread of the constants, to first order by the Hellmann-Feynman theorem, with that of the model.

    Examples
    --------
    >>> from lampyris.probe.structure import Layer
    >>> found = first_transition(Structure((Layer("CdTe", 2.2), Layer("CdSe", 1.2))))
    >>> found.kind, 1.3 < found.energy_ev.value < 2.0
    ('type II', True)
    """
    pair = solved_pair(
        structure, temperature_k=temperature_k, medium=medium, coherence=coherence, self_consistent=self_consistent
    )
    sd = _energy_sd(structure, pair, temperature_k=temperature_k, medium=medium, coherence=coherence)
    return _described(pair, sd, _findings(structure, pair))


def first_transition_ev(
    structure: Structure, /, *, temperature_k: float = 295.0, medium: str = "water", coherence: float = 0.5
) -> float:
    """Energy of the first transition in eV: the point value of `first_transition`, for searches (about a millisecond)."""
    return solved_pair(structure, temperature_k=temperature_k, medium=medium, coherence=coherence).energy_ev


def solved_pair(
    structure: Structure, /, *, temperature_k: float = 295.0, medium: str = "water", coherence: float = 0.5,
    self_consistent: bool = False,
) -> Pair:  # fmt: skip
    """Levels, Coulomb and polarisation energies of a structure."""
    if not 0.0 <= coherence <= 1.0:
        seen = f"{coherence:g} is outside 0 to 1: it is the share of the misfit that is strain"
        raise refused("confinement.coherence", "coherence", seen, "Give a share from 0 to 1.")
    found = bands(structure, temperature_k=temperature_k, medium=medium, coherence=coherence)
    return pair_of_bands(found, self_consistent=self_consistent)


def pair_of_bands(found: Bands, /, *, self_consistent: bool = False, per_layer: int = 4) -> Pair:
    """Levels and energies of given bands."""
    grid = radial_grid(found.thickness_nm, per_layer=per_layer)
    electron = lowest_level(grid, found.conduction_ev, found.electron_inverse_mass)
    hole = lowest_level(grid, -found.valence_ev, found.hole_inverse_mass)
    inner = screened_permittivity(found, electron, hole, grid)
    # the mismatch at the surface is the polarisation's: the pair sees the last layer's permittivity outside too
    permittivity = np.append(inner, inner[-1])
    coulomb = coulomb_energy(grid, electron.density, hole.density, permittivity)
    levels = electron.energy_ev + hole.energy_ev
    if self_consistent:
        electron, hole, levels, coulomb = _self_consistent(found, grid, electron, hole, permittivity)
    volumes = np.diff(np.concatenate([[0.0], np.cumsum(found.thickness_nm)]) ** 3)
    mean = float(np.sum(volumes * inner) / np.sum(volumes))
    polarisation = polarisation_energy(
        grid, electron.density, hole.density, found.radius_nm, mean, found.outside.permittivity
    )
    return Pair(found, grid, electron, hole, permittivity, coulomb, polarisation, levels + coulomb + polarisation)


def edge_ev(found: Bands, /) -> float:
    """Bulk edge of a structure: from its highest valence to its lowest conduction edge, over all layers."""
    return float(found.conduction_ev[:-1].min() - found.valence_ev[:-1].max())


def _self_consistent(
    found: Bands, grid: RadialGrid, electron: Level, hole: Level, permittivity: NDArray[np.float64]
) -> tuple[Level, Level, float, float]:
    """Each carrier in the other's field until the pair's energy stands still: Hartree for one electron and one hole."""
    total, seen_e, seen_h = math.inf, 0.0, 0.0
    for _ in range(50):
        attraction = grid.potential_matrix(potential_of(grid, hole.density, permittivity))
        # the attraction moves all bands alike: the mass goes with the energy above it
        electron = lowest_level(
            grid, found.conduction_ev, partial(_shifted, found.electron_inverse_mass, seen_e), added=attraction
        )
        seen_e = _mean(electron, attraction)
        attraction = grid.potential_matrix(potential_of(grid, electron.density, permittivity))
        hole = lowest_level(
            grid, -found.valence_ev, partial(_shifted, found.hole_inverse_mass, seen_h), added=attraction
        )
        seen_h = _mean(hole, attraction)
        # each level holds the attraction, the pair has it once
        levels = electron.energy_ev - seen_e + hole.energy_ev - seen_h
        if abs(levels + seen_h - total) < 1e-9:
            break
        total = levels + seen_h
    electron = replace(electron, energy_ev=electron.energy_ev - seen_e)
    hole = replace(hole, energy_ev=hole.energy_ev - seen_h)
    return electron, hole, electron.energy_ev + hole.energy_ev, seen_h


def _shifted(inverse: Inverse, by: float, energy_ev: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    return inverse(energy_ev - by)


def _mean(level: Level, matrix: NDArray[np.float64]) -> float:
    return float(level.state @ matrix @ level.state)


def _described(pair: Pair, sd: float, findings: tuple[Finding, ...]) -> Transition:
    grid = pair.grid
    electron, hole = grid.at_points(pair.electron.state), grid.at_points(pair.hole.state)
    overlap = float(np.sum(grid.weight * electron * hole)) ** 2
    kind = _kind(pair)
    energy = pair.energy_ev
    method = "radial envelopes, spread of constants and model; normal"
    conduction, valence = (
        edges[grid.region][:, None] + 0 * grid.radius_nm for edges in (pair.bands.conduction_ev, pair.bands.valence_ev)
    )
    # the sign of an eigenvector is free; an s state has none to show
    return Transition(
        energy_ev=normal_interval(energy, sd, unit="eV", method=method),
        electron_ev=pair.electron.energy_ev,
        hole_ev=-pair.hole.energy_ev,
        coulomb_ev=pair.coulomb_ev,
        polarisation_ev=pair.polarisation_ev,
        overlap=min(overlap, 1.0),
        kind=kind,
        radiative_lifetime_ns=_lifetime_ns(pair, overlap),
        radius_nm=grid.radius_nm.ravel(),
        electron=np.abs(electron).ravel(),
        hole=np.abs(hole).ravel(),
        conduction_ev=conduction.ravel(),
        valence_ev=valence.ravel(),
        electron_share=pair.electron.share,
        hole_share=pair.hole.share,
        strain=pair.bands.strain,
        findings=findings,
    )


def _kind(pair: Pair) -> Kind:
    # neighbours of one material are one layer to a carrier
    names = [one.name for one in pair.bands.layers]
    starts = [number for number, name in enumerate(names) if number == 0 or name != names[number - 1]]
    electron, hole = (
        np.add.reduceat(level.share[:-1], starts) / level.share[:-1].sum() for level in (pair.electron, pair.hole)
    )
    at_e, at_h = int(np.argmax(electron)), int(np.argmax(hole))
    both = electron[at_e] >= LOCALISED and hole[at_h] >= LOCALISED
    if at_e != at_h:
        return "type II" if both else "quasi-type II"
    if both:
        return "type I" if at_e == 0 else "inverted type I"
    return "quasi-type II"


def energy_terms(
    structure: Structure, pair: Pair, /, *, temperature_k: float = 295.0, medium: str = "water", coherence: float = 0.5
) -> dict[str, float]:
    """Change of the energy in eV by one standard deviation of each constant, to first order, and of the model itself.

    Parameters
    ----------
    structure : Structure
        Layers from the core outwards.
    pair : Pair
        Its levels.
    temperature_k, medium, coherence
        Those that the pair was solved with.

    Returns
    -------
    dict of str to float
        By constant and material, such as ``gap CdTe``; ``strain`` for the share of misfit that is strain, and ``model``. Two
        dots that share a key share that error.
    """
    above = pair.energy_ev - edge_ev(pair.bands)
    terms = {"model": math.hypot(MODEL_CONFINEMENT_SD * above, MODEL_RELATIVE_SD * pair.energy_ev)}
    electron, hole = pair.electron, pair.hole
    from_e, from_h = 1.0 / (1.0 - electron.slope), 1.0 / (1.0 - hole.slope)
    for at, one in enumerate(pair.bands.layers):
        in_e, in_h = float(electron.share[at]) * from_e, float(hole.share[at]) * from_h
        # layers of one material, and compositions of one alloy, share their constants' errors
        name = one.name.split("(")[0]
        for key, term in (
            ("gap", one.gap_sd_ev * in_e),
            ("valence edge", one.valence_sd_ev * (in_e - in_h)),
            ("electron mass", -one.electron_mass_sd / one.electron_mass * float(electron.kinetic_ev[at]) * from_e),
            ("hole mass", -one.hole_mass_sd / one.hole_mass * float(hole.kinetic_ev[at]) * from_h),
            ("permittivity", -one.permittivity_relative_sd * pair.coulomb_ev * float(electron.share[at] + hole.share[at]) / 2),
        ):  # fmt: skip
            terms[f"{key} {name}"] = terms.get(f"{key} {name}", 0.0) + term
    outside = pair.bands.outside
    terms["outside conduction"] = outside.edge_sd_ev * float(electron.share[-1]) * from_e
    terms["outside valence"] = -outside.edge_sd_ev * float(hole.share[-1]) * from_h
    kinetic = float(electron.kinetic_ev[-1]) * from_e + float(hole.kinetic_ev[-1]) * from_h
    terms["outside mass"] = -outside.mass_sd / outside.mass * kinetic
    if len(pair.bands.layers) > 1:
        away = coherence - 0.5 if coherence > 0.5 else coherence + 0.5
        other = first_transition_ev(structure, temperature_k=temperature_k, medium=medium, coherence=away)
        terms["strain"] = (other - pair.energy_ev) / (away - coherence) * COHERENCE_SD
    return terms


def _energy_sd(structure: Structure, pair: Pair, /, *, temperature_k: float, medium: str, coherence: float) -> float:
    """Spread of the constants to first order, joined with that of the model."""
    terms = energy_terms(structure, pair, temperature_k=temperature_k, medium=medium, coherence=coherence)
    return math.sqrt(math.fsum(term * term for term in terms.values()))


def _lifetime_ns(pair: Pair, overlap: float) -> Estimate:
    """Spontaneous emission with the local field of a sphere, averaged over the level's states.

    ``1/tau = g n omega e^2 Ep F^2 overlap / (12 pi eps0 m0 hbar c^3)``: with one orbital of the conduction band and the four
    states of the valence band's edge g is 1, at the four valleys of lead salts 3/4 (16 of 64 states couple).
    """
    inside_share = pair.electron.share[:-1] * pair.hole.share[:-1]
    weights = inside_share / inside_share.sum()
    layers = pair.bands.layers
    kane = float(sum(w * one.kane_ev for w, one in zip(weights, layers, strict=True)))
    optical = float(sum(w * one.permittivity_optical for w, one in zip(weights, layers, strict=True)))
    if kane == 0 or pair.energy_ev <= 0 or any(one.indirect for one in layers):
        return Estimate.unknown(0.95, "ns", "not defined: indirect gap")
    paired = any(one.hole_kane_ev > 0 for one in layers)
    around = pair.bands.outside.permittivity
    local = (3 * around / (2 * around + optical)) ** 2
    e, hbar = ELEMENTARY_CHARGE_C, HBAR_J_S
    omega = pair.energy_ev * e / hbar
    vacuum = 12 * math.pi * VACUUM_PERMITTIVITY_F_PER_M * ELECTRON_MASS_KG * hbar * LIGHT_M_PER_S**3
    rate = PERMEABLE * omega * e**2 * kane * e * local * overlap / vacuum
    value = 1e9 / (rate * (0.75 if paired else 1.0))
    spread = LIFETIME_FACTOR**NORMAL_95
    return Estimate(
        value,
        value * (LIFETIME_FACTOR - 1),
        value / spread,
        value * spread,
        0.95,
        "ns",
        "Kane energy, overlap; within a factor 2",
    )


def _findings(structure: Structure, pair: Pair) -> tuple[Finding, ...]:
    found = []

    def note(rule: str, seen: str, mend: str, severity: Severity = Severity.WARNING) -> None:
        found.append(Finding(f"confinement.{rule}", severity, Place(column="layers"), seen, mend))

    if any(one.indirect for one in pair.bands.layers):
        note(
            "indirect-gap",
            f"{structure.label} has a layer of indirect gap.",
            "Take its energy as that of a weak edge, not of a peak.",
        )
    if structure.core_diameter_nm < 2.0:
        note(
            "small-core",
            f"The core of {structure.core_diameter_nm:g} nm holds few unit cells.",
            "Compare with a sizing curve.",
        )
    outside = max(float(pair.electron.share[-1]), float(pair.hole.share[-1]))
    if outside > LEAKING:
        seen = f"A carrier is outside the dot with a probability of {100 * outside:.0f} %."
        note(
            "leaks",
            seen,
            "Its level hangs on the barrier of ligand and medium, which is roughly known: take a larger dot.",
        )
    worst = float(np.abs(pair.bands.strain).max())
    if worst > 0.06:
        note(
            "large-strain",
            f"Coherent growth would change a layer's volume by {100 * worst:.0f} %.",
            "Shells this strained relax: compare with coherence=0.",
        )
    if pair.energy_ev <= 0.05:
        note(
            "no-gap",
            f"The transition is at {pair.energy_ev:.3f} eV.",
            "The layers' bands overlap: choose other materials.",
        )
    return tuple(found)
