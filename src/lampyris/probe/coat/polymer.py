"""PEG as a layer: coil size from the molar mass, mushroom and brush on a small sphere."""

import math
from dataclasses import dataclass

from lampyris.probe.refusals import outside, refuse

MONOMER_G_MOL = 44.053
"""Molar mass of C2H4O."""
MONOMER_NM = 0.35
"""Length of one unit in the Flory radius; read in texts that quote it."""
MOLAR_MASS_RANGE = (300.0, 10000.0)
GRAFTING_PER_NM2 = 0.25
GRAFTING_FACTOR = 2.0
"""Chains per nm2 where none are given, and a factor either way (one standard uncertainty): assumed."""
MODEL_RELATIVE_SD = 0.15
"""Of a thickness by scaling laws, whose prefactors are of order one: assumed."""
MONOMER_VOLUME_NM3 = 0.065
"""Of a unit without water, from PEG's density of 1.12 g/cm3."""


@dataclass(frozen=True, slots=True)
class PolymerLayer:
    """Grafted PEG on a sphere.

    Parameters
    ----------
    thickness_nm, thickness_sd_nm : float
        Height of the layer, and its uncertainty from grafting and model.
    flory_radius_nm : float
        Size of the free coil.
    regime : str
        ``mushroom`` where chains do not touch, ``brush`` where they do.
    chains : float
        Chains on the sphere.
    dry_nm : float
        Thickness that is left when all water is squeezed out.
    """

    thickness_nm: float
    thickness_sd_nm: float
    flory_radius_nm: float
    regime: str
    chains: float
    dry_nm: float


def flory_radius_nm(molar_mass_g_mol: float, /) -> float:
    """Radius of a swollen PEG coil, R = a N^(3/5) with a = 0.35 nm.

    References
    ----------
    de Gennes (1980) Macromolecules 13, 1069; doi:10.1021/ma60077a009.

    Examples
    --------
    >>> round(flory_radius_nm(5000.0), 2)
    5.99
    """
    return MONOMER_NM * (molar_mass_g_mol / MONOMER_G_MOL) ** 0.6


def brush_height_nm(molar_mass_g_mol: float, /, *, grafting_per_nm2: float, radius_nm: float) -> float:
    """Height of grafted PEG on a sphere (Daoud and Cotton); on a flat wall the Alexander-de Gennes brush N a (sigma a^2)^(1/3).

    Below one chain per squared Flory radius chains do not touch: the height is then that at this density, whatever the density.

    References
    ----------
    Daoud & Cotton (1982) J. Phys. France 43, 531; doi:10.1051/jphys:01982004303053100. Alexander (1977) J. Phys. France 38, 983.

    Examples
    --------
    >>> round(brush_height_nm(2000.0, grafting_per_nm2=0.25, radius_nm=3.4), 2)
    3.73
    """
    units = molar_mass_g_mol / MONOMER_G_MOL
    density = max(grafting_per_nm2, flory_radius_nm(molar_mass_g_mol) ** -2)
    flat = units * MONOMER_NM * (density * MONOMER_NM**2) ** (1 / 3)
    return float(radius_nm * ((1 + 5 * flat / (3 * radius_nm)) ** 0.6 - 1))


def polymer_layer(
    molar_mass_g_mol: float, /, *, radius_nm: float, grafting_per_nm2: float | None = None
) -> PolymerLayer:
    """PEG of a molar mass on a sphere of a radius.

    Parameters
    ----------
    molar_mass_g_mol : float
        Of one chain, between 300 and 10000.
    radius_nm : float
        Of the surface that the chains stand on.
    grafting_per_nm2 : float, optional
        Chains per nm2; left out, 0.25 with a factor of 2 either way.

    Raises
    ------
    InputError
        If a number is outside of what the model holds for.
    """
    density = GRAFTING_PER_NM2 if grafting_per_nm2 is None else grafting_per_nm2
    low, high = MOLAR_MASS_RANGE
    chain = "below, too few units for a coil; above, no coat of dots is in the table"
    refuse(
        (
            *outside("PEG molar mass", molar_mass_g_mol, low=low, high=high, unit="g/mol", basis=chain),
            *outside("radius_nm", radius_nm, low=0.5, high=100, unit="nm", basis="dots and small clusters"),
            *outside("grafting_per_nm2", density, low=0.01, high=3, unit="1/nm2", basis="at most a close-packed layer"),
        ),
        what="The coat",
    )
    height = brush_height_nm(molar_mass_g_mol, grafting_per_nm2=density, radius_nm=radius_nm)
    factor = GRAFTING_FACTOR if grafting_per_nm2 is None else 1.2
    more, less = (
        brush_height_nm(molar_mass_g_mol, grafting_per_nm2=density * by, radius_nm=radius_nm)
        for by in (factor, 1 / factor)
    )
    touching = density * flory_radius_nm(molar_mass_g_mol) ** 2 > 1
    dry = density * molar_mass_g_mol / MONOMER_G_MOL * MONOMER_VOLUME_NM3
    return PolymerLayer(
        thickness_nm=height,
        thickness_sd_nm=math.hypot((more - less) / 2, MODEL_RELATIVE_SD * height),
        flory_radius_nm=flory_radius_nm(molar_mass_g_mol),
        regime="brush" if touching else "mushroom",
        chains=density * 4 * math.pi * radius_nm**2,
        dry_nm=radius_nm * ((1 + 3 * dry / radius_nm) ** (1 / 3) - 1),
    )
