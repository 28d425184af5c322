"""Population balance of growing dots by characteristics: classes that move in radius, and a monomer that closes the balance.

Every class has a radius and a number. Radii follow the growth law, nuclei make new classes, classes that dissolve give their
monomer back. Free monomer is what is left of the total, so that matter is conserved to rounding whatever the step.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lampyris.core.arrays import frozen_array
from lampyris.probe.growth.batch import AVOGADRO_PER_NM3, Batch, Kinetics

Array = NDArray[np.float64]
_SPHERE = 4.0 * math.pi / 3.0
_TOLERANCE = 2e-4
"""Relative error of a radius that one step may make."""
MOST_STEPS = 400_000
LEAST_NM = 0.25
"""Radius of about a formula unit: below it there is no dot."""


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
        Mean by number and standard deviation; NaN where there are no dots.
    number_nmol_l : numpy.ndarray, dims (time,)
    monomer_mmol_l : numpy.ndarray, dims (time,)
        Free.
    critical_nm : numpy.ndarray, dims (time,)
        Diameter that neither grows nor dissolves; infinite where the solution is not above its solubility.
    end : Population
    steps : int
    """

    time_s: Array
    diameter_nm: Array
    sd_nm: Array
    number_nmol_l: Array
    monomer_mmol_l: Array
    critical_nm: Array
    end: Population
    steps: int = 0

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


class _Flask:
    """State of a batch while it is followed: cubes of radii, numbers, and the total of monomer."""

    __slots__ = ("cubes", "dissolves_at", "kinetics", "linear", "numbers", "steps", "total")

    def __init__(self, batch: Batch, kinetics: Kinetics, linear: bool, dissolves_at: float) -> None:
        seeds = np.array(batch.seeds, np.float64).reshape(-1, 2)
        self.kinetics, self.linear, self.dissolves_at = kinetics, linear, dissolves_at
        self.cubes = seeds[:, 0] ** 3
        self.numbers = seeds[:, 1] * 1e-9 * AVOGADRO_PER_NM3
        self.total = batch.monomer_mmol_l * 1e-3 * AVOGADRO_PER_NM3 + self.crystal()
        self.steps = 0

    def crystal(self) -> float:
        """Monomer in crystals, per nm3."""
        return _SPHERE * float(np.dot(self.numbers, self.cubes)) / self.kinetics.monomer_nm3

    def monomer(self, cubes: Array | None = None) -> float:
        """Free monomer, per nm3."""
        own = self.cubes if cubes is None else cubes
        return self.total - _SPHERE * float(np.dot(self.numbers, own)) / self.kinetics.monomer_nm3

    def speeds(self, cubes: Array, temperature_k: float) -> Array:
        """Rate of the cubes of radii, which stays finite where a dot vanishes."""
        radius = np.cbrt(np.maximum(cubes, self.dissolves_at**3 * 0.125))
        rate = growth_rate(radius, self.monomer(cubes), self.kinetics, temperature_k, linear=self.linear)
        return 3.0 * radius**2 * rate

    def step(self, time_s: float, longest_s: float, temperature: Callable[[float], float]) -> tuple[float, float]:
        """One step of Heun's rule whose error is within bounds; its length, and a proposal for the next."""
        length = longest_s
        first = self.speeds(self.cubes, temperature(time_s))
        scale = max(float(np.average(self.cubes, weights=self.numbers)) if self.cubes.size else 1.0, LEAST_NM**3)
        while True:
            ahead = self.cubes + length * first
            second = self.speeds(np.maximum(ahead, 0.0), temperature(time_s + length))
            # a class that is about to vanish may be as wrong as it is small
            error = np.abs(second - first) * length / 2.0 / (3.0 * np.maximum(self.cubes, 0.3 * scale))
            worst = float(error.max()) if error.size else 0.0
            monomer = self.monomer(self.cubes + length * (first + second) / 2.0)
            # what drives ripening is the small excess over the solubility: the step must not disturb it
            excess = abs(self.monomer() - self.kinetics.at(temperature(time_s))[2]) + 1e-12
            worst = max(worst, _TOLERANCE * abs(self.monomer(ahead) - monomer) / (0.02 * excess))
            if (worst <= _TOLERANCE and monomer >= 0.0) or length < 1e-12:
                break
            length *= max(0.2, 0.85 * math.sqrt(_TOLERANCE / worst)) if worst > _TOLERANCE else 0.3
        self.cubes = self.cubes + length * (first + second) / 2.0
        self.steps += 1
        growth = min(2.0, 0.85 * math.sqrt(_TOLERANCE / worst)) if worst > 0 else 2.0
        return length, length * growth

    def dissolve(self) -> None:
        """Take out the classes that have vanished; their monomer is free by the balance."""
        gone = self.cubes <= self.dissolves_at**3
        if gone.any():
            self.cubes, self.numbers = self.cubes[~gone], self.numbers[~gone]

    def nucleate(self, length: float, temperature_k: float) -> None:
        """Add the nuclei of a step as a class."""
        rate, radius = nucleation_rate(self.monomer(), self.kinetics, temperature_k)
        number = rate * length
        if number <= 1e-9 * max(float(self.numbers.sum()), 1e-15):
            return
        most = 0.2 * self.monomer() * self.kinetics.monomer_nm3 / (_SPHERE * radius**3)
        radius = max(radius, LEAST_NM * 1.01)
        self.cubes = np.append(self.cubes, radius**3)
        self.numbers = np.append(self.numbers, min(number, most))


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
    Heun's rule on the cubes of radii, of second order, with a bound on the relative error of every radius in a step.
    """
    times = np.asarray(times_s, np.float64)
    if times.ndim != 1 or not times.size or times[0] < 0 or not (np.diff(times) > 0).all():
        raise ValueError("times must rise, from 0 on")
    flask = _Flask(batch, kinetics, linear, dissolves_at_nm)
    stops = sorted({*times.tolist(), *(one.time_s for one in batch.injections if one.time_s <= times[-1])})
    now, proposal = 0.0, 1e-4
    rows: list[tuple[float, ...]] = []
    for stop in stops:
        while now < stop:
            if nucleation:
                proposal = min(proposal, _nucleating_s(flask, batch.temperature_k(now)))
            length, proposal = flask.step(now, min(proposal, stop - now), batch.temperature_k)
            if nucleation:
                flask.nucleate(length, batch.temperature_k(now))
            flask.dissolve()
            now = stop if stop - now - length < 1e-12 * stop else now + length
            if flask.steps > MOST_STEPS:
                raise ValueError(f"more than {MOST_STEPS} steps to {now:.3g} s: the constants are too far apart")
        for one in batch.injections:
            if one.time_s == stop:
                added = one.monomer_mmol_l * 1e-3 * AVOGADRO_PER_NM3
                flask.total += added
                proposal = 1e-4
        if stop in times:
            rows.append(_row(flask, batch.temperature_k(stop)))
    diameter, sd, number, monomer, critical = np.array(rows).T
    end = Population(np.cbrt(flask.cubes), flask.numbers)
    return Course(times, diameter, sd, number, monomer, critical, end, flask.steps)


def _nucleating_s(flask: _Flask, temperature_k: float) -> float:
    """Longest step while dots form: the free monomer may fall by no more than a part in 300, so that classes stay fine."""
    monomer = flask.monomer()
    rate, radius = nucleation_rate(monomer, flask.kinetics, temperature_k)
    if rate < 1e-30 or rate * 1e3 < 1e-6 * float(flask.numbers.sum()):
        return math.inf
    volume = rate * max(radius, LEAST_NM) ** 3 + float(np.dot(flask.numbers, flask.speeds(flask.cubes, temperature_k)))
    taken = _SPHERE * abs(volume) / flask.kinetics.monomer_nm3
    return monomer / (300.0 * taken) if taken > 0 else math.inf


def _row(flask: _Flask, temperature_k: float) -> tuple[float, ...]:
    population = Population(np.cbrt(flask.cubes), flask.numbers)
    _, _, solubility = flask.kinetics.at(temperature_k)
    monomer = flask.monomer()
    above = math.log(monomer / solubility) if monomer > solubility else 0.0
    critical = 2.0 * flask.kinetics.capillary_nm(temperature_k) / above if above > 0 else math.inf
    return (
        2.0 * population.mean_nm(),
        2.0 * population.sd_nm(),
        float(population.number_per_nm3.sum()) / AVOGADRO_PER_NM3 * 1e9,
        monomer / AVOGADRO_PER_NM3 * 1e3,
        critical,
    )
