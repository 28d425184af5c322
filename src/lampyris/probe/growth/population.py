"""Population balance of growing dots by characteristics: classes that move in radius, and a monomer that closes the balance.

Every class has a radius and a number. Radii follow the growth law, nuclei make new classes, classes that dissolve give their
monomer back. Free monomer is what is left of the total, so that matter is conserved to rounding whatever the step.
"""

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lampyris.core.arrays import frozen_array
from lampyris.core.constants import AVOGADRO_PER_NM3, GAS_J_PER_MOL_K
from lampyris.probe.growth import stepping
from lampyris.probe.growth.batch import Batch, Kinetics
from lampyris.probe.growth.stepping import FEWEST, LEAST_NM, NUCLEATION_PARTS, STEP_TOLERANCE, follow, supplied

Array = NDArray[np.float64]
_SPHERE = stepping.SPHERE
MOST_STEPS = 400_000
LEAST_NMOL_L = 1e-6
"""Dots per volume below which no size is told."""


@dataclass(frozen=True, slots=True, eq=False)
class Population:
    """Classes of dots at one time.

    Parameters
    ----------
    radius_nm, number_per_nm3 : numpy.ndarray, dims (class,)
    """

    radius_nm: Array
    number_per_nm3: Array

    def __post_init__(self) -> None:
        radius = frozen_array("radius_nm", self.radius_nm, ("class",), np.float64)
        number = frozen_array("number_per_nm3", self.number_per_nm3, ("class",), np.float64, radius.shape)
        object.__setattr__(self, "radius_nm", radius)
        object.__setattr__(self, "number_per_nm3", number)

    def volume(self) -> float:
        """Share of the solution that is crystal."""
        return _SPHERE * float(np.sum(self.number_per_nm3 * self.radius_nm**3))

    def mean_nm(self) -> float:
        """Mean radius by number, NaN without dots."""
        total = float(self.number_per_nm3.sum())
        return float(np.sum(self.number_per_nm3 * self.radius_nm) / total) if total > 0 else math.nan

    def sd_nm(self) -> float:
        """Standard deviation of the radius by number."""
        total = float(self.number_per_nm3.sum())
        if not total > 0:
            return math.nan
        mean = self.mean_nm()
        return math.sqrt(float(np.sum(self.number_per_nm3 * (self.radius_nm - mean) ** 2) / total))


@dataclass(frozen=True, slots=True, eq=False)
class Course:
    """A batch over time.

    Parameters
    ----------
    time_s : numpy.ndarray, dims (time,)
    diameter_nm, sd_nm : numpy.ndarray, dims (time,)
        Mean by number and standard deviation; NaN where there are no dots, or fewer than `LEAST_NMOL_L`.
    number_nmol_l : numpy.ndarray, dims (time,)
    monomer_mmol_l : numpy.ndarray, dims (time,)
        Free.
    critical_nm : numpy.ndarray, dims (time,)
        Diameter that neither grows nor dissolves; infinite where the solution is not above its solubility.
    end : Population
    steps : int
    precursor_mmol_l : numpy.ndarray, dims (time,)
        Not yet converted to monomer.
    """

    time_s: Array
    diameter_nm: Array
    sd_nm: Array
    number_nmol_l: Array
    monomer_mmol_l: Array
    critical_nm: Array
    end: Population
    steps: int = 0
    precursor_mmol_l: Array = field(default_factory=lambda: np.zeros(0))

    @property
    def spread(self) -> Array:
        """Standard deviation over mean, dims (time,)."""
        return self.sd_nm / self.diameter_nm


def growth_rate(
    radius_nm: ArrayLike, monomer_per_nm3: float, kinetics: Kinetics, temperature_k: float, /, *, linear: bool = False
) -> Array:
    """Speed of the surface in nm/s, where diffusion to it and reaction on it stand in series.

    Parameters
    ----------
    radius_nm : array_like, dims (class,)
    monomer_per_nm3 : float
        Far from the dots.
    kinetics : Kinetics
    temperature_k : float
    linear : bool
        Gibbs and Thomson's rule to first order, as the laws of ripening take it.

    Returns
    -------
    numpy.ndarray, dims (class,)
        v (c - c_r) / (r / D + 1 / k), with c_r the solubility of a dot of that radius.

    References
    ----------
    Talapin, Rogach, Haase and Weller, J. Phys. Chem. B 105, 12278 (2001), DOI 10.1021/jp012229m.
    """
    radius = np.asarray(radius_nm, np.float64)
    diffusion, reaction, solubility = kinetics.at(temperature_k)
    reach = kinetics.capillary_nm(temperature_k) / radius
    own = solubility * (1.0 + reach if linear else np.exp(np.minimum(reach, 60.0)))
    return kinetics.monomer_nm3 * (monomer_per_nm3 - own) / (radius / diffusion + 1.0 / reaction)


def nucleation_rate(monomer_per_nm3: float, kinetics: Kinetics, temperature_k: float, /) -> tuple[float, float]:
    """Nuclei per nm3 and second by the classical law, and their radius in nm.

    Parameters
    ----------
    monomer_per_nm3 : float
    kinetics : Kinetics
    temperature_k : float

    Returns
    -------
    float, float
        0 and infinity where the solution is not supersaturated. Nuclei start a tenth above the critical radius.
    """
    _, _, solubility = kinetics.at(temperature_k)
    supersaturation = monomer_per_nm3 / solubility
    if supersaturation <= 1.0:
        return 0.0, math.inf
    capillary = kinetics.capillary_nm(temperature_k)
    critical = capillary / math.log(supersaturation)
    # the barrier 4 pi gamma r^2 / 3 over kT, with gamma / kT = capillary / (2 v)
    barrier = 4.0 * math.pi / 3.0 * critical**2 * capillary / (2.0 * kinetics.monomer_nm3)
    return kinetics.nucleation_per_l_s * 1e-24 * math.exp(-min(barrier, 700.0)), 1.1 * critical


def grow(
    batch: Batch,
    kinetics: Kinetics,
    times_s: ArrayLike,
    /,
    *,
    nucleation: bool = True,
    linear: bool = False,
    dissolves_at_nm: float = LEAST_NM,
) -> Course:
    """Follow a batch.

    Parameters
    ----------
    batch : Batch
    kinetics : Kinetics
    times_s : array_like, dims (time,)
        Rising from 0 or later.
    nucleation : bool
        Whether dots may form; without, only the seeds grow.
    linear : bool
        As of `growth_rate`.
    dissolves_at_nm : float
        Radius at which a dot counts as dissolved.

    Returns
    -------
    Course

    Raises
    ------
    ValueError
        If the times do not rise from 0 on, or the steps grow too many.

    Notes
    -----
    Heun's rule on the cubes of radii, of second order, with a bound on the relative error of every radius in a step; the nuclei
    of a step are one class, by the mean of the rates at its ends. Monomer is what crystals and precursor leave of the total, so
    that matter is kept to rounding. Steps end at injections and at knots of the temperature.
    """
    times = np.asarray(times_s, np.float64)
    if times.ndim != 1 or not times.size or times[0] < 0 or not (np.diff(times) > 0).all():
        raise ValueError("times must rise, from 0 on")
    constants = _constants(batch, kinetics, linear=linear, dissolves_at_nm=dissolves_at_nm)
    knots = batch.knots_k()
    seeds = np.array(batch.seeds, np.float64).reshape(-1, 2)
    population = np.stack([seeds[:, 0] ** 3, seeds[:, 1] * 1e-9 * AVOGADRO_PER_NM3])
    there, to_come = _SPHERE * float(np.dot(*population)) / kinetics.monomer_nm3, 0.0
    added = {0.0: batch.monomer_mmol_l}
    for one in batch.injections:
        added[one.time_s] = added.get(one.time_s, 0.0) + one.monomer_mmol_l
    asked = set(times.tolist())
    now, proposal, steps = 0.0, 1e-4, 0
    rows: list[tuple[float, ...]] = []
    for stop in sorted({*asked, *(at for at in (*added, *knots[0].tolist()) if at <= times[-1])}):
        supply = np.array([there, to_come])
        if stop > now:
            limits = np.array([proposal, float(nucleation), float(MOST_STEPS - steps)])
            population, proposal, taken = follow(population, np.array([now, stop]), supply, constants, knots, limits)
            if taken < 0:
                raise ValueError(f"more than {MOST_STEPS} steps to {proposal:.3g} s: the constants are too far apart")
            there, steps = float(supplied(supply, stop - now, constants)), steps + taken
            to_come = supply[0] + supply[1] - there
            now = stop
        if stop in added:
            amount, proposal = added[stop] * 1e-3 * AVOGADRO_PER_NM3, 1e-4
            there, to_come = (there, to_come + amount) if batch.conversion_s > 0 else (there + amount, to_come)
        if stop in asked:
            monomer = there - _SPHERE * float(np.dot(*population)) / kinetics.monomer_nm3
            rows.append(_row(population, monomer, to_come, kinetics, batch.temperature_k(stop)))
    diameter, sd, number, free, precursor, critical = np.array(rows).T
    end = Population(np.cbrt(population[0]), population[1])
    return Course(times, diameter, sd, number, free, critical, end, steps, precursor)


def _constants(batch: Batch, kinetics: Kinetics, *, linear: bool, dissolves_at_nm: float) -> Array:
    """Constants as the compiled steps take them."""
    own = np.empty(stepping.CONSTANTS)
    per_kj = 1000.0 / GAS_J_PER_MOL_K
    own[stepping.VOLUME] = kinetics.monomer_nm3
    own[stepping.DIFFUSION] = kinetics.diffusion_m2_s * 1e18
    own[stepping.REACTION] = kinetics.reaction_m_s * 1e9
    own[stepping.SOLUBILITY] = kinetics.solubility_mmol_l * 1e-3 * AVOGADRO_PER_NM3
    own[stepping.CAPILLARY_K] = kinetics.capillary_nm(1.0)
    own[stepping.PREFACTOR] = kinetics.nucleation_per_l_s * 1e-24
    own[stepping.DIFFUSION_K] = kinetics.diffusion_kj_mol * per_kj
    own[stepping.REACTION_K] = kinetics.reaction_kj_mol * per_kj
    own[stepping.SOLUTION_K] = kinetics.solution_kj_mol * per_kj
    own[stepping.REFERENCE_K] = kinetics.reference_k
    own[stepping.DISSOLVES] = dissolves_at_nm**3
    own[stepping.LINEAR] = float(linear)
    own[stepping.SUPPLY_S] = batch.conversion_s
    own[stepping.TOLERANCE], own[stepping.PARTS] = STEP_TOLERANCE, NUCLEATION_PARTS
    # a few seeds are what they are; many stand for a distribution
    own[stepping.SPLIT_BELOW] = FEWEST if not 0 < len(batch.seeds) < 12 else 0.0
    return own


def _row(
    population: Array, monomer: float, to_come: float, kinetics: Kinetics, temperature_k: float
) -> tuple[float, ...]:
    number = float(population[1].sum()) / AVOGADRO_PER_NM3 * 1e9
    # of fewer than any instrument sees, a mean size says nothing
    seen = number >= LEAST_NMOL_L
    dots = Population(np.cbrt(population[0]), population[1])
    _, _, solubility = kinetics.at(temperature_k)
    above = math.log(monomer / solubility) if monomer > solubility else 0.0
    critical = 2.0 * kinetics.capillary_nm(temperature_k) / above if above > 0 else math.inf
    return (
        2.0 * dots.mean_nm() if seen else math.nan,
        2.0 * dots.sd_nm() if seen else math.nan,
        number,
        monomer / AVOGADRO_PER_NM3 * 1e3,
        to_come / AVOGADRO_PER_NM3 * 1e3,
        critical,
    )
