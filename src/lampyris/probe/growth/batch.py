"""What is in the flask: constants of growth of a material, and the temperature and injections of a batch."""

import math
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from lampyris.core.constants import AVOGADRO_PER_NM3, BOLTZMANN_J_PER_K, GAS_J_PER_MOL_K
from lampyris.core.sourced import SourcedValue
from lampyris.probe.materials import material
from lampyris.probe.refusals import fault, outside, refuse
from lampyris.probe.tables import row_named, sourced, table_rows


@dataclass(frozen=True, slots=True)
class Kinetics:
    """Constants of the growth of one material.

    Parameters
    ----------
    material : str
    monomer_nm3 : float
        Volume of a formula unit in the crystal.
    surface_energy_j_m2 : float
    diffusion_m2_s : float
        Of monomer in the hot solvent, at `reference_k`.
    reaction_m_s : float
        Rate constant of the surface, at `reference_k`; infinite for growth that diffusion alone limits.
    solubility_mmol_l : float
        Of the flat crystal, at `reference_k`.
    diffusion_kj_mol, reaction_kj_mol, solution_kj_mol : float
        Activation energies, and enthalpy of solution.
    nucleation_per_l_s : float
        Prefactor of the rate of nucleation.
    reference_k : float
    """

    material: str
    monomer_nm3: float
    surface_energy_j_m2: float
    diffusion_m2_s: float
    reaction_m_s: float
    solubility_mmol_l: float
    diffusion_kj_mol: float = 0.0
    reaction_kj_mol: float = 0.0
    solution_kj_mol: float = 0.0
    nucleation_per_l_s: float = 1e27
    reference_k: float = 573.15

    def __post_init__(self) -> None:
        for name in ("monomer_nm3", "surface_energy_j_m2", "diffusion_m2_s", "reaction_m_s", "solubility_mmol_l"):
            value = getattr(self, name)
            if not (value > 0 and not math.isnan(value)):
                raise ValueError(f"{name} needs a number above 0, got {value}")

    def capillary_nm(self, temperature_k: float, /) -> float:
        """Capillary length 2 gamma v / kT in nm: a dot of that radius is e times as soluble as the flat crystal."""
        volume_m3 = self.monomer_nm3 * 1e-27
        return 2.0 * self.surface_energy_j_m2 * volume_m3 / (BOLTZMANN_J_PER_K * temperature_k) * 1e9

    def at(self, temperature_k: float, /) -> tuple[float, float, float]:
        """Diffusion in nm2/s, surface rate in nm/s and solubility per nm3 at a temperature, by Arrhenius and van 't Hoff."""
        step = (1.0 / self.reference_k - 1.0 / temperature_k) * 1000.0 / GAS_J_PER_MOL_K
        return (
            self.diffusion_m2_s * 1e18 * math.exp(self.diffusion_kj_mol * step),
            self.reaction_m_s * 1e9 * math.exp(self.reaction_kj_mol * step),
            self.solubility_mmol_l * 1e-3 * AVOGADRO_PER_NM3 * math.exp(self.solution_kj_mol * step),
        )


@dataclass(frozen=True, slots=True)
class Injection:
    """Monomer added at a time, in mmol per litre of the batch."""

    time_s: float
    monomer_mmol_l: float


@dataclass(frozen=True, slots=True)
class Batch:
    """What is done in the flask.

    Parameters
    ----------
    monomer_mmol_l : float
        Monomer at the start, free in solution.
    temperature_c : float
        From the start on.
    seeds : tuple of (float, float)
        Dots that are there at the start: radius in nm and number in nmol/l of each class; empty where they must nucleate.
    injections : tuple of Injection
    cool_to_c : float
        Temperature that is approached after the start; NaN where it stays.
    cooling_s : float
        Time constant of that.
    profile : tuple of (float, float)
        Times in s and temperatures in C between which it runs in straight lines, from `temperature_c` at 0 where no knot is there.
    conversion_s : float
        Time constant with which what is put in, at the start and by injections, becomes monomer; 0 for at once.

    Raises
    ------
    InputError
        If a number is out of bounds.
    """

    monomer_mmol_l: float
    temperature_c: float
    seeds: tuple[tuple[float, float], ...] = ()
    injections: tuple[Injection, ...] = ()
    cool_to_c: float = math.nan
    cooling_s: float = 60.0
    profile: tuple[tuple[float, float], ...] = ()
    conversion_s: float = 0.0

    def __post_init__(self) -> None:
        asked = [
            ("monomer_mmol_l", self.monomer_mmol_l, 0.0, 5000.0, "mmol/l", "no flask holds more"),
            ("temperature_c", self.temperature_c, 0.0, 450.0, "C", "water freezes below, organic solvents break above"),
            ("cooling_s", self.cooling_s, 1e-3, 1e6, "s", "a time constant is above 0"),
        ]
        if not math.isnan(self.cool_to_c):
            asked.append(("cool_to_c", self.cool_to_c, 0.0, 450.0, "C", "as of temperature_c"))
        for one in self.injections:
            asked.append(("injections.time_s", one.time_s, 0.0, 1e7, "s", "an injection comes after the start"))
            asked.append(
                ("injections.monomer_mmol_l", one.monomer_mmol_l, 0.0, 5000.0, "mmol/l", "no flask holds more")
            )
        for radius, number in self.seeds:
            asked.append(("seeds.radius_nm", radius, 1e-6, 1000.0, "nm", "a radius is above 0"))
            asked.append(("seeds.number_nmol_l", number, 0.0, 1e9, "nmol/l", "a number of dots is not below 0"))
        for time, temperature in self.profile:
            asked.append(("profile.time_s", time, 0.0, 1e7, "s", "the batch starts at 0"))
            asked.append(("profile.temperature_c", temperature, 0.0, 450.0, "C", "as of temperature_c"))
        asked.append(("conversion_s", self.conversion_s, 0.0, 1e7, "s", "0 is at once"))
        faults = [
            fault
            for field, value, low, high, unit, basis in asked
            for fault in outside(field, value, low=low, high=high, unit=unit, basis=basis)
        ]
        times = [time for time, _ in self.profile]
        if any(later <= earlier for earlier, later in pairwise(times)):
            seen = f"profile.time_s rises from knot to knot, got {', '.join(f'{time:g}' for time in times)}."
            faults.append(fault("probe.bounds", "profile", seen, "Sort the knots."))
        if times and not math.isnan(self.cool_to_c):
            seen = "profile and cool_to_c both say how the temperature runs."
            faults.append(fault("probe.bounds", "profile", seen, "Give one of them."))
        refuse(faults, what="The batch cannot be")

    def knots_k(self) -> NDArray[np.float64]:
        """Temperature as straight lines between knots, dims (time or temperature, knot), in s and K.

        An exponential approach is drawn with twelve knots per time constant, within a thousandth of its range.
        """
        start = self.temperature_c
        knots = [(0.0, start)]
        if self.profile:
            knots = [*(() if self.profile[0][0] == 0.0 else knots), *self.profile]
        elif not math.isnan(self.cool_to_c):
            fall = start - self.cool_to_c
            knots = [(k / 12 * self.cooling_s, self.cool_to_c + fall * math.exp(-k / 12)) for k in range(121)]
        times, temperatures = np.array(knots).T
        return np.stack([times, temperatures + 273.15])

    def temperature_k(self, time_s: float, /) -> float:
        """Temperature at a time."""
        return float(np.interp(time_s, *self.knots_k()))


def kinetics_of(name: str, /) -> tuple[Kinetics, dict[str, SourcedValue]]:
    """Constants of growth of a material, and where each is from.

    Parameters
    ----------
    name : str
        A material of the table of kinetics; others take its row "other", whose spread is wide.

    Returns
    -------
    Kinetics, dict of str to SourcedValue
        The dictionary has the constants that a draw varies, the time constant of a usual precursor (``conversion_s``) among them,
        which is the batch's.

    Raises
    ------
    InputError
        If the material is unknown, or its density or molar mass is not in the table of materials.
    """
    own = material(name)
    density, molar = own.estimate("density").value, own.estimate("molar_mass").value
    rows = table_rows("growth_kinetics.csv")
    row = row_named(rows, name, column="material") or row_named(rows, "other", column="material")
    assert row is not None
    told = {
        column: sourced(row, column, unit, sd=f"{column}_sd", conditions=row["conditions"])
        for column, unit in (
            ("surface_energy_j_m2", "J/m2"),
            ("diffusion_m2_s", "m2/s"),
            ("reaction_m_s", "m/s"),
            ("solubility_mmol_l", "mmol/l"),
            ("conversion_s", "s"),
        )
    }
    kinetics = Kinetics(
        own.name,
        molar / density / AVOGADRO_PER_NM3 * 1e-3,
        told["surface_energy_j_m2"].value,
        told["diffusion_m2_s"].value,
        told["reaction_m_s"].value,
        told["solubility_mmol_l"].value,
        diffusion_kj_mol=float(row["diffusion_kj_mol"]),
        reaction_kj_mol=float(row["reaction_kj_mol"]),
        solution_kj_mol=float(row["solution_kj_mol"]),
        nucleation_per_l_s=float(row["nucleation_per_l_s"]),
        reference_k=float(row["reference_k"]),
    )
    return kinetics, told


def scaled(kinetics: Kinetics, factors: dict[str, float], /) -> Kinetics:
    """Kinetics with some constants multiplied."""
    return replace(kinetics, **{name: getattr(kinetics, name) * factor for name, factor in factors.items()})
