"""Ligands on a dot: how many, how many of them bind, and what a second bond gains."""

import math
from dataclasses import dataclass

from lampyris.core.constants import AVOGADRO_PER_MOL
from lampyris.core.estimate import Estimate
from lampyris.core.finding import Finding
from lampyris.probe.coat.kinds import Ligand, Orientation
from lampyris.probe.refusals import outside, refuse

SHOWN_COUNTS = 21
"""Numbers of ligands per dot that are tabulated: 0 to 20; the rest is in the last."""
CONTACT_SHARE = 0.25
"""Share of a dot's ligands that can reach one patch of a cell's surface at once: about a quarter of a sphere; assumed."""
TETHER_NM = 3.0
"""How far a held ligand reaches around its place: assumed, the length of a short linker."""


@dataclass(frozen=True, slots=True)
class Conjugation:
    """Dots with a mean number of ligands, spread by chance.

    Parameters
    ----------
    ligand : str
        Name of the ligand.
    orientation : str
        ``random`` or ``oriented``.
    mean : float
        Ligands per dot.
    shares : tuple of float
        Share of dots with 0, 1, 2, ... ligands; the last entry holds all above.
    none : float
        Share of dots without any ligand.
    active : Estimate
        Ligands per dot that can bind.
    active_sites : Estimate
        Binding sites per dot that can bind.
    silent : Estimate
        Share of dots without any ligand that can bind.
    multivalent : Estimate
        Share of dots with two such ligands or more.
    """

    ligand: str
    orientation: Orientation
    mean: float
    shares: tuple[float, ...]
    none: float
    active: Estimate
    active_sites: Estimate
    silent: Estimate
    multivalent: Estimate


@dataclass(frozen=True, slots=True)
class Avidity:
    """What a second bond gains.

    Parameters
    ----------
    bonds_weight : float
        Sites that face the cell, times receptors in reach, times the weight of one bond (effective concentration over Kd).
    gain : float
        Binding constant of the dots with up to two bonds over that with one.
    apparent_kd_nmol_l : Estimate
        Kd of a facing site so strengthened, with the interval that the active share gives.
    receptors_in_reach : float
        Receptors that one dot's patch of the cell holds on average.
    two_in_reach : float
        Share of patches with two receptors or more, where receptors lie at random and do not move.
    """

    bonds_weight: float
    gain: float
    apparent_kd_nmol_l: Estimate
    receptors_in_reach: float
    two_in_reach: float


def conjugated(ligand: Ligand, mean: float, /, *, orientation: Orientation = "random") -> Conjugation:
    """Spread of ligands over dots, and how many of them can bind.

    Ligands fall on dots independently: their number per dot is Poisson, and so is that of those that can bind,
    with the mean times the share that can (thinning).

    Parameters
    ----------
    ligand : Ligand
        What is bound to the dot.
    mean : float
        Ligands per dot, over all dots.
    orientation : {'random', 'oriented'}
        Held anywhere, or by one chosen end.

    Raises
    ------
    InputError
        If the mean is negative or above 1000.

    References
    ----------
    Pons, Medintz, Wang, English & Mattoussi (2006) J. Am. Chem. Soc. 128, 15324; doi:10.1021/ja0657253: Poisson spread of proteins on dots.

    Examples
    --------
    >>> from lampyris.probe.coat.kinds import ligand_named
    >>> found = conjugated(ligand_named("scFv"), 3.0, orientation="oriented")
    >>> round(found.none, 4), round(found.active.value, 2)
    (0.0498, 2.4)
    """
    refuse(
        outside("ligands_per_particle", mean, low=0, high=1000, unit="1", basis="more do not fit on a dot"),
        what="The coat",
    )
    share = ligand.active(orientation)
    shares = [_poisson(mean, count) for count in range(SHOWN_COUNTS - 1)]
    ends = (share.low, share.value, share.high)
    return Conjugation(
        ligand=ligand.name,
        orientation=orientation,
        mean=mean,
        shares=(*shares, max(0.0, 1.0 - math.fsum(shares))),
        none=math.exp(-mean),
        active=_of(tuple(mean * end for end in ends)),
        active_sites=_of(tuple(mean * end * ligand.sites for end in ends)),
        silent=_of(tuple(math.exp(-mean * end) for end in ends)),
        multivalent=_of(tuple(1 - math.exp(-mean * end) * (1 + mean * end) for end in ends)),
    )


def avidity(
    found: Conjugation,
    ligand: Ligand,
    /,
    *,
    kd_nmol_l: float,
    receptors_per_cell: float,
    cell_diameter_um: float,
    dot_diameter_nm: float,
) -> Avidity:
    """Gain by a second bond on a cell with receptors at random places that may move, at equilibrium.

    Of a Poisson number of active sites a share faces the cell, on average k; each may hold one of the m receptors in reach with the weight
    x = 1 / (Kd N_A v), v the half-sphere that a tethered ligand sweeps. One bond weighs k m x, two weigh (k m x)^2 / 2 on average over
    Poisson numbers of both: the gain is 1 + k m x / 2. More than two bonds are not counted: the true gain may be larger, or smaller where
    receptors cannot move or the dot is stiff.

    Parameters
    ----------
    found : Conjugation
        Of the dots.
    ligand : Ligand
        Its ligand.
    kd_nmol_l : float
        Of one ligand and one receptor.
    receptors_per_cell, cell_diameter_um : float
        Which give the receptors per area; the cell is a sphere.
    dot_diameter_nm : float
        Hydrodynamic, which gives the patch in reach.

    Raises
    ------
    InputError
        If a number is outside of its bounds.

    References
    ----------
    Martinez-Veracoechea & Frenkel (2011) PNAS 108, 10963; doi:10.1073/pnas.1105351108: partition function of multivalent binding.
    """
    refuse(_target_faults(kd_nmol_l, receptors_per_cell, cell_diameter_um, dot_diameter_nm), what="The target")
    density_nm2 = receptors_per_cell / (math.pi * (1000 * cell_diameter_um) ** 2)
    reach = TETHER_NM + 2 * ligand.radius_nm
    # the cap of a sphere that lies within the reach of a wall which it touches
    patch_nm2 = math.pi * dot_diameter_nm * reach
    receptors = density_nm2 * patch_nm2
    litres = 2 / 3 * math.pi * reach**3 * 1e-24
    weight = 1 / (kd_nmol_l * 1e-9 * AVOGADRO_PER_MOL * litres)
    weights = tuple(CONTACT_SHARE * end * ligand.sites * receptors * weight for end in _ends(found.active))
    low, middle, high = (kd_nmol_l / _gain(one) for one in reversed(weights))
    return Avidity(
        bonds_weight=weights[1],
        gain=_gain(weights[1]),
        apparent_kd_nmol_l=Estimate(middle, math.nan, low, high, 0.95, "nmol/l", "interval from the active share only"),
        receptors_in_reach=receptors,
        two_in_reach=-math.expm1(-receptors) - receptors * math.exp(-receptors),
    )


def _target_faults(kd: float, receptors: float, cell_um: float, dot_nm: float) -> tuple[Finding, ...]:
    return (
        *outside("kd_nmol_l", kd, low=1e-6, high=1e9, unit="nmol/l", basis="from biotin to no binding"),
        *outside("receptors_per_cell", receptors, low=0, high=1e8, unit="1", basis="a cell's surface"),
        *outside("cell_um", cell_um, low=1, high=200, unit="um", basis="cells"),
        *outside("dot diameter", dot_nm, low=1, high=500, unit="nm", basis="dots and clusters"),
    )


def _gain(weight: float) -> float:
    """Up to two bonds over one."""
    return 1 + weight / 2


def _ends(value: Estimate) -> tuple[float, float, float]:
    return value.low, value.value, value.high


def _of(ends: tuple[float, ...]) -> Estimate:
    low, value, high = ends
    low, high = min(low, high), max(low, high)
    return Estimate(
        value, (high - low) / math.sqrt(12), low, high, 0.95, "1", "Poisson, interval from the active share"
    )


def _poisson(mean: float, count: int) -> float:
    if mean == 0:
        return float(count == 0)
    return math.exp(count * math.log(mean) - mean - math.lgamma(count + 1))
