"""Whether coated dots stay apart in a medium: attraction, charge and polymer (DLVO with a steric term), and the limits of that."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lampyris.core.constants import (
    AVOGADRO_PER_MOL,
    BOLTZMANN_J_PER_K,
    ELEMENTARY_CHARGE_C,
    VACUUM_PERMITTIVITY_F_PER_M,
)
from lampyris.core.estimate import Estimate
from lampyris.core.finding import Finding
from lampyris.core.sourced import SourcedValue
from lampyris.probe.coat.kinds import Layer
from lampyris.probe.propagation import of_draws
from lampyris.probe.refusals import outside, refuse
from lampyris.probe.tables import row_named, sourced, table_rows
from lampyris.statistics.intervals import normal_interval

CLOSEST_NM = 0.3
"""Gap between hard surfaces that a layer of water leaves: assumed."""
STICKS_KT = 1.5
"""Attraction above which two dots that touch stay together: the mean thermal energy; convention."""
HOLDS_KT = 15.0
"""Barrier above which dots stay apart for months; below 5, for minutes: convention of colloid science."""
DRAWS = 200
LIMITS = (
    "DLVO takes a dot of a few nm for a smooth sphere of bulk crystal in water without structure: a barrier is right to a factor",
    "the Hamaker constant is known to 30-40 %, for small crystals less",
    "zeta potential stands in for the surface's; above 0.15 mol/l of salt, ions have sizes that the theory does not know",
    "proteins of serum, calcium and light-driven loss of the coat are not in it: they decide in blood and cell medium",
)


@dataclass(frozen=True, slots=True)
class PairEnergy:
    """Energy of two equal dots against the gap between their outer surfaces.

    Parameters
    ----------
    gap_nm : ndarray of float, dims (gap,)
        Between the uncompressed coats; negative where they are pressed together.
    attraction_kt, charge_kt, steric_kt : ndarray of float, dims (gap,)
        The three terms in units of kT.
    """

    gap_nm: NDArray[np.float64]
    attraction_kt: NDArray[np.float64]
    charge_kt: NDArray[np.float64]
    steric_kt: NDArray[np.float64]

    @property
    def total_kt(self) -> NDArray[np.float64]:
        """Sum of the terms."""
        return self.attraction_kt + self.charge_kt + self.steric_kt


@dataclass(frozen=True, slots=True)
class Medium:
    """What coated dots stand in, and what was measured of them there.

    Parameters
    ----------
    ionic_strength_m : float
        In mol/l; 0.15 is that of saline.
    temperature_k : float
        273.15 to 373.15 K.
    zeta_mv : float, optional
        Measured, taken as known to 4 mV; left out, that of the coat's outermost layer in the table.
    hamaker_zj : float, optional
        In place of the table's, taken as known to 10 %.
    """

    ionic_strength_m: float = 0.15
    temperature_k: float = 298.15
    zeta_mv: float | None = None
    hamaker_zj: float | None = None

    def faults(self) -> tuple[Finding, ...]:
        """Numbers outside of their bounds."""
        water = "liquid water, for which the permittivity is known"
        return (
            *outside("ionic_strength_m", self.ionic_strength_m, low=0, high=5, unit="mol/l", basis="salt in water"),
            *outside("temperature_k", self.temperature_k, low=273.15, high=373.15, unit="K", basis=water),
            *outside("zeta_mv", self.zeta_mv or 0.0, low=-200, high=200, unit="mV", basis="more was never measured"),
            *outside("hamaker_zj", self.hamaker_zj or 1.0, low=0.1, high=500, unit="zJ", basis="from oil to metal"),
        )

    @property
    def debye_nm(self) -> float:
        """Length over which its salt screens charge."""
        return debye_length_nm(self.ionic_strength_m, temperature_k=self.temperature_k)


@dataclass(frozen=True, slots=True)
class Stability:
    """Whether coated dots stay apart.

    Parameters
    ----------
    debye_nm : float
        Length over which salt screens charge.
    hamaker : SourcedValue
        In zJ, across water.
    zeta : Estimate
        In mV.
    charge_e : Estimate
        Elementary charges inside of the plane of slip that the zeta potential means.
    barrier : Estimate
        Highest energy on the way to touching, in kT.
    well : Estimate
        Depth of the deepest attraction that the coat allows, in kT.
    verdict : str
        ``stable``, ``slow clustering``, ``unstable`` or ``cannot tell``.
    reason : str
        Why.
    without_coat_kt : float
        Attraction of two bare crystals that touch, in kT: what waits where the coat comes off.
    energy : PairEnergy
        Of the middle of all estimates.
    limits : tuple of str
        What the model does not know.
    """

    debye_nm: float
    hamaker: SourcedValue
    zeta: Estimate
    charge_e: Estimate
    barrier: Estimate
    well: Estimate
    verdict: str
    reason: str
    without_coat_kt: float
    energy: PairEnergy
    limits: tuple[str, ...] = LIMITS


def water_permittivity(temperature_k: float, /) -> float:
    """Relative permittivity of water, 0-100 C.

    References
    ----------
    Malmberg & Maryott (1956) J. Res. Natl. Bur. Stand. 56, 1; doi:10.6028/jres.056.001.

    Examples
    --------
    >>> round(water_permittivity(298.15), 2)
    78.3
    """
    celsius = temperature_k - 273.15
    return 87.740 - 0.40008 * celsius + 9.398e-4 * celsius**2 - 1.410e-6 * celsius**3


def debye_length_nm(ionic_strength_m: float, /, *, temperature_k: float = 298.15) -> float:
    """Debye length in water, sqrt(eps kT / (2 N_A e^2 I)); infinite without ions.

    Parameters
    ----------
    ionic_strength_m : float
        In mol/l.
    temperature_k : float

    Returns
    -------
    float

    Examples
    --------
    >>> round(debye_length_nm(0.15), 3)
    0.784
    """
    if ionic_strength_m == 0:
        return math.inf
    permittivity = water_permittivity(temperature_k) * VACUUM_PERMITTIVITY_F_PER_M
    ions = 2 * AVOGADRO_PER_MOL * ELEMENTARY_CHARGE_C**2 * 1000 * ionic_strength_m
    return 1e9 * math.sqrt(permittivity * BOLTZMANN_J_PER_K * temperature_k / ions)


def charge_of_zeta_e(zeta_mv: float, /, *, radius_nm: float, debye_nm: float, temperature_k: float = 298.15) -> float:
    """Elementary charges of a sphere with a zeta potential, 4 pi eps r (1 + r / Debye length) zeta (Debye and Hueckel).

    Good to a few per cent up to 25 mV, to a fifth at 50 mV; no more than the net charge inside of the plane of slip.

    Examples
    --------
    >>> round(charge_of_zeta_e(-30.0, radius_nm=7.4, debye_nm=0.784), 1)
    -126.0
    """
    farad_per_nm = 4 * math.pi * water_permittivity(temperature_k) * VACUUM_PERMITTIVITY_F_PER_M * 1e-9
    return farad_per_nm * radius_nm * (1 + radius_nm / debye_nm) * zeta_mv * 1e-3 / ELEMENTARY_CHARGE_C


def hamaker_constant(material: str, /) -> SourcedValue:
    """Hamaker constant of a material across water in zJ; of one without a row that of ``other``, which is assumed.

    Examples
    --------
    >>> hamaker_constant("CdTe").mark
    'assumed'
    """
    rows = table_rows("hamaker.csv")
    row = row_named(rows, material, column="material") or row_named(rows, "other", column="material")
    assert row is not None  # the table's own row
    return sourced(row, "hamaker_zj", "zJ", sd="sd_zj", conditions=f"{row['material']} across water, 298 K")


def sphere_attraction_kt(
    gap_nm: NDArray[np.float64], /, *, radius_nm: float, hamaker_zj: float, temperature_k: float
) -> NDArray[np.float64]:
    """Attraction of two equal spheres in kT (Hamaker's full expression), gap between their surfaces.

    References
    ----------
    Hamaker (1937) Physica 4, 1058; doi:10.1016/S0031-8914(37)80203-7.
    """
    square = (gap_nm + 2 * radius_nm) ** 2
    near = square - 4 * radius_nm**2
    terms = 2 * radius_nm**2 / near + 2 * radius_nm**2 / square + np.log(near / square)
    return -hamaker_zj * 1e-21 / (6 * BOLTZMANN_J_PER_K * temperature_k) * terms


def charge_repulsion_kt(
    gap_nm: NDArray[np.float64], /, *, radius_nm: float, zeta_mv: float, debye_nm: float, temperature_k: float
) -> NDArray[np.float64]:
    """Repulsion of two equal charged spheres in kT (linear superposition), in a 1:1 salt.

    References
    ----------
    Bell, Levine & McCartney (1970) J. Colloid Interface Sci. 33, 335; doi:10.1016/0021-9797(70)90228-6.
    """
    thermal_v = BOLTZMANN_J_PER_K * temperature_k / ELEMENTARY_CHARGE_C
    potential = 4 * math.tanh(zeta_mv * 1e-3 / thermal_v / 4)
    permittivity = water_permittivity(temperature_k) * VACUUM_PERMITTIVITY_F_PER_M
    scale = 4 * math.pi * permittivity * thermal_v**2 * potential**2 * 1e-9 / (BOLTZMANN_J_PER_K * temperature_k)
    decay = np.exp(-gap_nm / debye_nm) if math.isfinite(debye_nm) else np.ones_like(gap_nm)
    return scale * radius_nm**2 / (2 * radius_nm + gap_nm) * decay


def brush_repulsion_kt(
    gap_nm: NDArray[np.float64], /, *, radius_nm: float, height_nm: float, grafting_per_nm2: float
) -> NDArray[np.float64]:
    """Repulsion of two grafted brushes in kT (Alexander and de Gennes, by Derjaguin's approximation); 0 where they do not touch.

    Parameters
    ----------
    gap_nm : ndarray of float, dims (gap,)
        Between the surfaces that the chains stand on.
    radius_nm : float
        Of those surfaces.
    height_nm, grafting_per_nm2 : float
        Of one brush.

    References
    ----------
    de Gennes (1987) Adv. Colloid Interface Sci. 27, 189; doi:10.1016/0001-8686(87)85003-0. The integral is recomputed here.
    """
    squeezed = np.clip(gap_nm / (2 * height_nm), 1e-6, 1.0)
    bracket = 3.2 * (squeezed**-0.25 - 1) - 48 / 35 * (1 - squeezed) + 16 / 77 * (1 - squeezed**2.75)
    return 4 * math.pi * radius_nm * height_nm**2 * grafting_per_nm2**1.5 * bracket


def pair_energy(
    layers: tuple[Layer, ...],
    /,
    *,
    inorganic_nm: float,
    hamaker_zj: float,
    zeta_mv: float,
    ionic_strength_m: float,
    temperature_k: float = 298.15,
    scale: float = 1.0,
) -> PairEnergy:
    """Energy of two coated dots from touching hard cores to far apart.

    Crystal attracts crystal across the coats; charge sits at the outer surface; a PEG layer repels when squeezed.

    Parameters
    ----------
    layers : tuple of Layer
        Of the coat.
    inorganic_nm : float
        Diameter of the crystal.
    hamaker_zj : float
        Of crystal against crystal across water, in 1e-21 J.
    zeta_mv : float
        Potential of the outer surface.
    ionic_strength_m : float
        In mol/l.
    temperature_k : float
    scale : float
        Factor on all thicknesses of the coat, to carry their uncertainty.

    Returns
    -------
    PairEnergy
    """
    radius = inorganic_nm / 2
    thickness = scale * math.fsum(layer.thickness.value for layer in layers)
    hard = min(thickness, scale * math.fsum(layer.hard_nm for layer in layers))
    # fine where terms are steep, out to where nothing is left
    closest = CLOSEST_NM - 2 * (thickness - hard)
    gap = closest + np.concatenate([[0.0], np.geomspace(0.01, 80.0, 300)])
    debye = debye_length_nm(ionic_strength_m, temperature_k=temperature_k)
    attraction = sphere_attraction_kt(
        gap + 2 * thickness, radius_nm=radius, hamaker_zj=hamaker_zj, temperature_k=temperature_k
    )
    # charge at the surface of soft layers moves with it: pressed together, it is taken as at the surface of the hard part
    charge = charge_repulsion_kt(
        np.maximum(gap, 0.0), radius_nm=radius + thickness, zeta_mv=zeta_mv, debye_nm=debye, temperature_k=temperature_k
    )
    steric = np.zeros_like(gap)
    below = radius
    for layer in layers:
        if math.isfinite(layer.peg_g_mol):
            height = scale * layer.thickness.value
            base = gap + 2 * (thickness - (below - radius))
            steric = steric + brush_repulsion_kt(
                base, radius_nm=below, height_nm=height, grafting_per_nm2=layer.grafting_per_nm2
            )
        below += scale * layer.thickness.value
    return PairEnergy(gap, attraction, charge, steric)


def colloidal_stability(
    layers: tuple[Layer, ...],
    /,
    *,
    inorganic_nm: float,
    material: str,
    medium: Medium | None = None,
    rng: np.random.Generator,
) -> Stability:
    """Barrier and well of two equal coated dots, with the uncertainty of Hamaker constant, zeta potential and coat.

    Parameters
    ----------
    layers : tuple of Layer
        Of the coat, from the dot outwards; empty for bare crystals.
    inorganic_nm : float
        Diameter of the crystal.
    material : str
        Of its outermost layer.
    medium : Medium, optional
        Left out, saline at 25 C.
    rng : numpy.random.Generator
        Draws what is uncertain.

    Raises
    ------
    InputError
        If a number is outside of its bounds.
    """
    around = medium or Medium()
    refuse(around.faults(), what="The medium")
    hamaker = hamaker_constant(material)
    if around.hamaker_zj is not None:
        sd = 0.1 * around.hamaker_zj
        hamaker = SourcedValue(around.hamaker_zj, sd, "zJ", "as given", "given by the user", "quoted")
    zeta = _zeta(layers, around.zeta_mv)
    middle, barrier, well = _energies(layers, inorganic_nm, hamaker, zeta, around, rng)
    verdict, reason = _verdict(barrier, well)
    touching = -sphere_attraction_kt(
        np.array([CLOSEST_NM]), radius_nm=inorganic_nm / 2, hamaker_zj=hamaker.value, temperature_k=around.temperature_k
    )[0]
    if verdict == "stable" and any(layer.small_molecule for layer in layers) and touching > STICKS_KT:
        reason += f", as long as its small molecules stay on: bare crystals attract by {touching:.1f} kT"
    radius = inorganic_nm / 2 + math.fsum(layer.thickness.value for layer in layers)
    charge, charge_sd = (
        charge_of_zeta_e(one, radius_nm=radius, debye_nm=around.debye_nm, temperature_k=around.temperature_k)
        for one in (zeta.value, zeta.sd)
    )
    return Stability(
        debye_nm=around.debye_nm,
        hamaker=hamaker,
        zeta=zeta,
        charge_e=normal_interval(charge, charge_sd, unit="1", method="Debye and Hueckel"),
        barrier=barrier,
        well=well,
        verdict=verdict,
        reason=reason,
        without_coat_kt=float(touching),
        energy=middle,
    )


def _energies(
    layers: tuple[Layer, ...],
    inorganic_nm: float,
    hamaker: SourcedValue,
    zeta: Estimate,
    medium: Medium,
    rng: np.random.Generator,
) -> tuple[PairEnergy, Estimate, Estimate]:
    """Energy of the middle of all estimates, and barrier and well with the intervals that drawing gives."""
    total = math.fsum(layer.thickness.value for layer in layers)
    coat_sd = math.sqrt(math.fsum(layer.thickness.sd**2 for layer in layers)) / total if total else 0.0

    def at(first: float, second: float, third: float) -> PairEnergy:
        return pair_energy(
            layers,
            inorganic_nm=inorganic_nm,
            hamaker_zj=hamaker.value * math.exp(first * hamaker.sd / hamaker.value),
            zeta_mv=zeta.value + second * zeta.sd,
            ionic_strength_m=medium.ionic_strength_m,
            temperature_k=medium.temperature_k,
            scale=math.exp(third * coat_sd),
        )

    middle = at(0.0, 0.0, 0.0)
    barriers, wells = np.array([_barrier_and_well(at(*row)) for row in rng.standard_normal((DRAWS, 3)).tolist()]).T
    barrier, well = _barrier_and_well(middle)
    method = "DLVO and steric term, drawn"
    return (
        middle,
        of_draws(barrier, barriers, unit="kT", method=method),
        of_draws(well, wells, unit="kT", method=method),
    )


def _zeta(layers: tuple[Layer, ...], measured: float | None) -> Estimate:
    if measured is not None:
        return normal_interval(measured, 4.0, unit="mV", method="measured, to 4 mV")
    if not layers:
        return normal_interval(0.0, 10.0, unit="mV", method="a bare crystal's is not known")
    return normal_interval(
        layers[-1].zeta.value, layers[-1].zeta.sd, unit="mV", method=f"table of coats, {layers[-1].zeta.mark}"
    )


def _barrier_and_well(energy: PairEnergy) -> tuple[float, float]:
    """Highest energy over all gaps, and the depth of the deepest one."""
    total = energy.total_kt
    return float(max(0.0, total.max())), float(max(0.0, -total.min()))


def _verdict(barrier: Estimate, well: Estimate) -> tuple[str, str]:
    if well.high < STICKS_KT:
        return "stable", f"the coat keeps crystals so far apart that they attract by less than {STICKS_KT:g} kT"
    if barrier.low > HOLDS_KT:
        return "stable", f"the barrier is above {HOLDS_KT:g} kT"
    if well.low > STICKS_KT and barrier.high < 5:
        return "unstable", "dots attract each other and no barrier of 5 kT keeps them apart"
    if well.low > STICKS_KT and barrier.high < HOLDS_KT:
        return "slow clustering", f"dots attract each other, and the barrier is below {HOLDS_KT:g} kT"
    return "cannot tell", "the interval of barrier and attraction holds both stable and unstable dots"
