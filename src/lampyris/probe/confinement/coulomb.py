"""Coulomb energy of electron and hole in a layered sphere, and the polarisation of its surface.

For s states the field of one charge at r is that of the charge within r, so that both the pair's energy and its dependence on
the layers' permittivities are exact: ``J = -e^2/(4 pi eps0) integral Qe(r) Qh(r) / (eps(r) r^2) dr``. The image charges of
order zero cancel between the pair's energy and the two self-energies; those of higher order do not enter the pair's energy of
s states and leave the self-energies (Brus 1984).

References
----------
Brus 1984 doi:10.1063/1.447218; Haken 1956 doi:10.1007/BF02746073 (screening between optical and static permittivity).
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from lampyris.core.constants import E2_PER_4PI_EPS0_EV_NM, HBAR2_PER_2M0_EV_NM2
from lampyris.probe.confinement.bands import Bands
from lampyris.probe.confinement.radial import Level, RadialGrid

BRUS_COEFFICIENT = 1.786
"""Of the Coulomb term of two s states behind an infinite barrier."""
MULTIPOLES = 24
SURFACE_LAYER_NM = 0.15
"""Half a bond: nearer to the surface a sharp step of the permittivity has no meaning."""


def screened_permittivity(bands: Bands, electron: Level, hole: Level, grid: RadialGrid, /) -> NDArray[np.float64]:
    """Permittivity of each layer between optical and static, by Haken's potential at the carriers' mean distance.

    The lattice follows a carrier only beyond its polaron radius ``sqrt(hbar^2 / 2 m E_LO)``; in a dot the carriers are closer.
    """
    distance = float(np.sqrt(np.sum(grid.weight * grid.radius_nm**2 * (electron.density + hole.density))))
    found = []
    for one in bands.layers:
        radii = [np.sqrt(HBAR2_PER_2M0_EV_NM2 / (mass * one.phonon_ev)) for mass in (one.electron_mass, one.hole_mass)]
        lag = 0.5 * sum(np.exp(-distance / radius) for radius in radii)
        optical, static = 1 / one.permittivity_optical, 1 / max(one.permittivity_static, one.permittivity_optical)
        found.append(1.0 / (optical - (optical - static) * (1.0 - lag)))
    return np.array(found)


def enclosed_charge(grid: RadialGrid, density: NDArray[np.float64], /) -> NDArray[np.float64]:
    """Share of a carrier within the radius of each point of quadrature, dims (element, point).

    Within an element the density is integrated as the polynomial through its points, hence exactly to its degree.
    """
    to_integral = _running_integral(density.shape[1])
    half = np.diff(grid.ends_nm)[:, None] / 2
    whole = np.sum(grid.weight * density, axis=1)
    before = np.concatenate([[0.0], np.cumsum(whole)[:-1]])
    return before[:, None] + half * ((density * grid.radius_nm**2) @ to_integral.T)


def coulomb_energy(
    grid: RadialGrid, electron: NDArray[np.float64], hole: NDArray[np.float64], permittivity: NDArray[np.float64], /
) -> float:  # fmt: skip
    """Energy of the pair in eV, negative: densities dims (element, point), permittivity dims (region,)."""
    product = enclosed_charge(grid, electron) * enclosed_charge(grid, hole)
    within = np.sum(grid.weight * product / grid.radius_nm**4 / permittivity[grid.region][:, None])
    return -E2_PER_4PI_EPS0_EV_NM * float(within + 1.0 / (permittivity[-1] * grid.ends_nm[-1]))


def potential_of(
    grid: RadialGrid, density: NDArray[np.float64], permittivity: NDArray[np.float64], /
) -> NDArray[np.float64]:
    """Attraction in eV, negative, that a carrier of the given density exerts on the other at the points of quadrature."""
    field = enclosed_charge(grid, density) / (permittivity[grid.region][:, None] * grid.radius_nm**2)
    half = np.diff(grid.ends_nm)[:, None] / 2
    # grid.weight holds r^2, which the field does not want
    whole = np.sum(grid.weight / grid.radius_nm**2 * field, axis=1)
    beyond = np.concatenate([np.cumsum(whole[::-1])[::-1][1:], [0.0]]) + 1.0 / (permittivity[-1] * grid.ends_nm[-1])
    inside = whole[:, None] - half * (field @ _running_integral(density.shape[1]).T)
    return -E2_PER_4PI_EPS0_EV_NM * (beyond[:, None] + inside)


def polarisation_energy(
    grid: RadialGrid, electron: NDArray[np.float64], hole: NDArray[np.float64], radius_nm: float, inside: float, outside: float, /
) -> float:  # fmt: skip
    """Self-energies of both carriers by the images of order one and higher, in eV, positive in a medium of low permittivity."""
    order = np.arange(1, MULTIPOLES + 1)
    strength = (inside - outside) * (order + 1) / (inside * (outside * (order + 1) + inside * order))
    rho = np.minimum(grid.radius_nm, radius_nm - SURFACE_LAYER_NM) / radius_nm
    series = np.polynomial.polynomial.polyval(rho**2, np.concatenate([[0.0], strength]))
    self_energy = 0.5 * E2_PER_4PI_EPS0_EV_NM / radius_nm * series
    return float(np.sum(grid.weight * (electron + hole) * self_energy))


@lru_cache(maxsize=8)
def _running_integral(points: int) -> NDArray[np.float64]:
    """Matrix from values at the points of quadrature to the integral from -1 to each."""
    nodes, _ = np.polynomial.legendre.leggauss(points)
    degree = points - 1
    coefficients = np.linalg.inv(np.polynomial.legendre.legvander(nodes, degree))
    columns = [
        np.polynomial.legendre.legval(nodes, np.polynomial.legendre.legint(column, lbnd=-1))
        for column in coefficients.T
    ]
    return np.stack(columns, axis=1)
