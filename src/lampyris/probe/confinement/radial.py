"""Lowest spherical level of a layered dot: finite elements for the radial envelope.

The envelope R(r) of an s state obeys ``-(hbar^2/2) r^-2 d/dr (r^2/m dR/dr) + V R = E R`` with R and ``(1/m) dR/dr``
continuous across an interface (BenDaniel and Duke). In weak form both conditions hold by themselves when the elements end
at the interfaces, and the energy is variational: it falls with refinement, as h^(2p) for elements of degree p.

A mass that depends on the energy makes the problem nonlinear: it is solved by Newton's method on ``lambda(E) - E``, where
``lambda(E)`` is the lowest eigenvalue with the masses held at E; its slope is exact by the Hellmann-Feynman theorem.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh

from lampyris.core.constants import HBAR2_PER_2M0_EV_NM2
from lampyris.core.errors import LampyrisError
from lampyris.core.finding import Finding, Place, Severity

DEGREE = 3
"""Degree of the elements."""
OUTSIDE_NM = (0.12, 0.28, 0.8)
"""Elements outside the dot: a level some eV below the barrier decays within 0.1 nm."""

Inverse = Callable[[float], tuple[NDArray[np.float64], NDArray[np.float64]]]
"""Of an energy in eV: inverse mass of each region in 1/m0 and its slope in 1/(m0 eV)."""


@dataclass(frozen=True, slots=True, eq=False)
class RadialGrid:
    """Elements from the centre outwards, each within one region.

    Parameters
    ----------
    ends_nm : ndarray (element + 1,)
        Ends of the elements; the envelope is zero at the last.
    region : ndarray of int (element,)
        Region of each: layers of the dot, then the outside.
    degree : int
        Of the polynomials.
    radius_nm, weight : ndarray (element, point)
        Points of quadrature, and their weights times r2.
    values, slopes : ndarray (point, function) and (element, point, function)
        Basis functions and their derivatives in 1/nm.
    stiffness, overlap : ndarray (region, n, n)
        Of each region, in the basis in which the overlap of all regions is the unit matrix.
    to_nodes : ndarray (node, n)
        From that basis to the values at the nodes.
    """

    ends_nm: NDArray[np.float64]
    region: NDArray[np.int64]
    degree: int
    radius_nm: NDArray[np.float64]
    weight: NDArray[np.float64]
    values: NDArray[np.float64]
    slopes: NDArray[np.float64]
    stiffness: NDArray[np.float64]
    overlap: NDArray[np.float64]
    to_nodes: NDArray[np.float64]

    def potential_matrix(self, potential_ev: NDArray[np.float64], /) -> NDArray[np.float64]:
        """Matrix of a potential given at the points of quadrature, dims (element, point)."""
        local = np.einsum("eq,qi,qj->eij", self.weight * potential_ev, self.values, self.values, optimize=True)
        full = _assembled(local, np.zeros_like(self.region), 1, self.degree)[0]
        return self.to_nodes[:-1].T @ full @ self.to_nodes[:-1]

    def at_points(self, state: NDArray[np.float64], /) -> NDArray[np.float64]:
        """Envelope at the points of quadrature, dims (element, point), in nm^-3/2."""
        nodes = self.to_nodes @ state
        return np.einsum("ei,qi->eq", nodes[_connectivity(len(self.region), self.degree)], self.values)


@dataclass(frozen=True, slots=True, eq=False)
class Level:
    """Lowest level of one carrier.

    Parameters
    ----------
    energy_ev : float
        Energy on the scale of the potential.
    state : ndarray (n,)
        In the grid's orthonormal basis.
    density : ndarray (element, point)
        ``R^2`` at the points of quadrature, in nm^-3, with ``sum(weight * density) = 1``.
    share : ndarray (region,)
        Probability in each region.
    kinetic_ev : ndarray (region,)
        Kinetic energy in each region.
    slope : float
        ``d lambda / d E`` of the nonlinear problem, 0 for masses that do not depend on energy; it divides sensitivities by
        ``1 - slope``.
    """

    energy_ev: float
    state: NDArray[np.float64]
    density: NDArray[np.float64]
    share: NDArray[np.float64]
    kinetic_ev: NDArray[np.float64]
    slope: float


def radial_grid(
    layers_nm: tuple[float, ...],
    /,
    *,
    per_layer: int = 4,
    degree: int = DEGREE,
    outside_nm: tuple[float, ...] = OUTSIDE_NM,
) -> RadialGrid:
    """Grid for layers of the given thickness, from the core outwards, aligned on their interfaces.

    Parameters
    ----------
    layers_nm : tuple of float
        Radius of the core, then thickness of each shell.
    per_layer : int
        Elements in the core; thin shells take fewer, never less than two.
    degree : int
        Of the elements.
    outside_nm : tuple of float
        Lengths of the elements outside; empty puts an infinite barrier on the surface.
    """
    return _radial_grid(tuple(layers_nm), per_layer, degree, tuple(outside_nm))


@lru_cache(maxsize=256)
def _radial_grid(
    layers_nm: tuple[float, ...], per_layer: int, degree: int, outside_nm: tuple[float, ...]
) -> RadialGrid:
    lengths: list[float] = []
    regions: list[int] = []
    for number, thickness in enumerate(layers_nm):
        # a shell needs elements no longer than the core's
        count = per_layer if number == 0 else max(2, round(per_layer * min(1.0, thickness / layers_nm[0])))
        lengths += [thickness / count] * count
        regions += [number] * count
    lengths += outside_nm
    regions += [len(layers_nm)] * len(outside_nm)
    ends, region = np.concatenate([[0.0], np.cumsum(lengths)]), np.array(regions)
    points, weights, values, derivatives = _reference(degree)
    h = np.diff(ends)[:, None]
    radius = ends[:-1, None] + h * (points + 1) / 2
    weight = radius**2 * weights * h / 2
    slopes = derivatives[None] * (2 / h)[:, :, None]
    count = len(layers_nm) + 1
    stiffness = _assembled(np.einsum("eq,eqi,eqj->eij", weight, slopes, slopes, optimize=True), region, count, degree)
    overlap = _assembled(np.einsum("eq,qi,qj->eij", weight, values, values, optimize=True), region, count, degree)
    lower = np.linalg.cholesky(overlap.sum(axis=0))
    inverse = np.linalg.inv(lower)
    to_nodes = np.vstack([inverse.T, np.zeros(len(lower))])
    return RadialGrid(
        ends, region, degree, radius, weight, values, slopes,
        HBAR2_PER_2M0_EV_NM2 * inverse @ stiffness @ inverse.T, inverse @ overlap @ inverse.T, to_nodes,
    )  # fmt: skip


def lowest_level(
    grid: RadialGrid, potential_ev: NDArray[np.float64], inverse_mass: NDArray[np.float64] | Inverse, /,
    *, added: NDArray[np.float64] | None = None,
) -> Level:  # fmt: skip
    """Lowest s level.

    Parameters
    ----------
    grid : RadialGrid
        Elements.
    potential_ev : ndarray (region,)
        Band edge of each region, the outside last.
    inverse_mass : ndarray (region,) or callable
        Inverse mass in 1/m0, or a function of the energy that gives it with its slope.
    added : ndarray (n, n) or None
        Matrix of a further potential, of `RadialGrid.potential_matrix`.

    Raises
    ------
    LampyrisError
        If the nonlinear problem does not settle, which a mass that changes sign within the barrier would cause.
    """
    fixed = np.tensordot(potential_ev[: len(grid.overlap)], grid.overlap, 1)
    if added is not None:
        fixed = fixed + added
    if not callable(inverse_mass):
        return _level(grid, *_lowest(np.tensordot(inverse_mass, grid.stiffness, 1) + fixed), inverse_mass, 0.0)
    energy = float(potential_ev.min())
    for _ in range(60):
        inverse, change = inverse_mass(energy)
        value, state = _lowest(np.tensordot(inverse, grid.stiffness, 1) + fixed)
        slope = float(state @ np.tensordot(change, grid.stiffness, 1) @ state)
        step = (value - energy) / (1.0 - min(slope, 0.0))
        energy += step
        if abs(step) < 1e-9:
            return _level(grid, value, state, inverse, slope)
    raise LampyrisError(
        "the level of an energy-dependent mass did not settle",
        [
            Finding(
                "confinement.unsettled",
                Severity.ERROR,
                Place(),
                f"The last step was {step:.2g} eV.",
                "Use larger layers.",
            )
        ],
    )


def _level(
    grid: RadialGrid, energy: float, state: NDArray[np.float64], inverse: NDArray[np.float64], slope: float
) -> Level:
    envelope = grid.at_points(state)
    share = np.einsum("i,rij,j->r", state, grid.overlap, state)
    kinetic = inverse * np.einsum("i,rij,j->r", state, grid.stiffness, state)
    return Level(float(energy), state, envelope**2, share, kinetic, slope)


def _lowest(matrix: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
    values, vectors = eigh(matrix, subset_by_index=(0, 0), driver="evr", check_finite=False, overwrite_a=True)
    return float(values[0]), vectors[:, 0]


@lru_cache(maxsize=8)
def _reference(
    degree: int,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    points, weights = np.polynomial.legendre.leggauss(degree + 2)
    # Chebyshev-Lobatto nodes hold the ends and keep high degrees well conditioned
    nodes = -np.cos(np.pi * np.arange(degree + 1) / degree)
    coefficients = np.linalg.inv(np.polynomial.legendre.legvander(nodes, degree))
    values = np.polynomial.legendre.legvander(points, degree) @ coefficients
    derivatives = np.stack(
        [np.polynomial.legendre.legval(points, np.polynomial.legendre.legder(column)) for column in coefficients.T],
        axis=1,
    )
    return points, weights, values, np.asarray(derivatives, dtype=np.float64)


@lru_cache(maxsize=64)
def _connectivity(elements: int, degree: int) -> NDArray[np.int64]:
    return np.arange(elements)[:, None] * degree + np.arange(degree + 1)[None]


def _assembled(local: NDArray[np.float64], region: NDArray[np.int64], count: int, degree: int) -> NDArray[np.float64]:
    """Global matrix of each region without the last node, where the envelope is zero."""
    nodes = _connectivity(len(local), degree)
    size = len(local) * degree + 1
    full = np.zeros((count, size, size))
    np.add.at(full, (region[:, None, None], nodes[:, :, None], nodes[:, None, :]), local)
    return full[:, :-1, :-1]
