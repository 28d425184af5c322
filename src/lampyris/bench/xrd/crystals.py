"""Crystals that dots are made of: cells, sites, reflections and form factors, from the tables of this room."""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from lampyris.bench.tables import table_rows
from lampyris.core.sourced import SourcedValue

Array = NDArray[np.float64]

DEBYE_WALLER_A2 = 1.0
"""Debye-Waller factor B of every atom at room temperature, assumed: it only tilts intensities."""


@dataclass(frozen=True, slots=True)
class Anode:
    """K alpha lines of a tube.

    Parameters
    ----------
    name : str
        Element.
    alpha1, alpha2 : SourcedValue
        Wavelengths in A.
    ratio : float
        Intensity of the second over that of the first.
    """

    name: str
    alpha1: SourcedValue
    alpha2: SourcedValue
    ratio: float


@lru_cache(maxsize=1)
def anodes() -> dict[str, Anode]:
    """Anodes by element."""
    found = {}
    for row in table_rows("anodes.csv"):
        lines = [
            SourcedValue(float(row[key]), float(row["sd_A"]), "A", "", row["source"], row["mark"])
            for key in ("alpha1_A", "alpha2_A")
        ]
        found[row["anode"]] = Anode(row["anode"], lines[0], lines[1], float(row["ratio"]))
    return found


@dataclass(frozen=True, slots=True, eq=False)
class Phase:
    """A crystal phase.

    Parameters
    ----------
    name, structure, space_group : str
    elements : tuple of str
        Of each site, dims (site,).
    sites : numpy.ndarray
        All sites of the cell as shares of its axes, dims (site, 3).
    lengths_a : tuple of float
        Axes in A.
    beta_deg, gamma_deg : float
        Angles; alpha is 90 deg.
    sd_a : float
        How far sources differ in the first axis.
    kind : str
        ``dot``, ``metal`` or ``standard``.
    source, mark : str
        Where cell and sites were read.
    """

    name: str
    structure: str
    space_group: str
    elements: tuple[str, ...]
    sites: Array
    lengths_a: tuple[float, float, float]
    beta_deg: float
    gamma_deg: float
    sd_a: float
    kind: str
    source: str
    mark: str

    @property
    def free_axes(self) -> int:
        """Axes that are fitted: 1 of a cubic cell, 2 of a hexagonal or tetragonal one; lower ones keep their shape."""
        a, b, c = self.lengths_a
        return 1 if a == b == c or a != b else 2

    @property
    def uniaxial(self) -> bool:
        """One axis stands out and the two across it are alike."""
        a, b, c = self.lengths_a
        return a == b != c

    @property
    def cubic(self) -> bool:
        """Three equal axes at right angles."""
        return len(set(self.lengths_a)) == 1 and self.beta_deg == self.gamma_deg == 90.0

    def harmonic(self, directions: Array, /) -> Array:
        """What a dot's extent along a direction follows first where one axis stands out; 0 in the mean over all directions.

        For cubic and lower symmetries this is 0: facets of a cubic dot change how it overlaps with itself more than how far it reaches.

        Parameters
        ----------
        directions : numpy.ndarray, dims (direction, 3)
            Of any length but 0, in the frame of `cell`.

        Returns
        -------
        numpy.ndarray, dims (direction,)
            Squared cosine to the axis, less 1/3.
        """
        if not self.uniaxial:
            return np.zeros(directions.shape[:-1])
        return np.asarray(directions[..., 2] ** 2 / np.sum(directions**2, axis=-1) - 1.0 / 3.0)

    def cell(self, a: float = math.nan, c: float = math.nan, /) -> Array:
        """Axes as rows in A, dims (axis, 3); with `a` alone all lengths are scaled alike."""
        own, b, long = self.lengths_a
        first = own if math.isnan(a) else a
        third = long * first / own if math.isnan(c) else c
        beta, gamma = math.radians(self.beta_deg), math.radians(self.gamma_deg)
        return np.array(
            [
                [first, 0.0, 0.0],
                [b * first / own * math.cos(gamma), b * first / own * math.sin(gamma), 0.0],
                [third * math.cos(beta), 0.0, third * math.sin(beta)],
            ]
        )


def extent_of(harmonic: Array, form: float, /) -> Array:
    """Columns of a dot along directions over their mean over all: exp(form times harmonic), dims as `harmonic`.

    Parameters
    ----------
    harmonic : numpy.ndarray
        Of `Phase.harmonic`.
    form : float
        Logarithm of the ratio of columns along and across the axis.

    Examples
    --------
    >>> extent_of(np.array([-1.0, 2.0]) / 3.0, 0.22).round(2).tolist()
    [0.93, 1.16]
    """
    # the mean square of the harmonic over all directions is 4 / 45
    return np.asarray(np.exp(form * harmonic) / (1.0 + 2.0 / 45.0 * form**2))


@lru_cache(maxsize=1)
def phases() -> dict[str, Phase]:
    """Phases by name, in the order of the table."""
    places: dict[str, list[tuple[int, tuple[float, float, float]]]] = {}
    for row in table_rows("phase_sites.csv"):
        at = (float(row["x"]), float(row["y"]), float(row["z"]))
        places.setdefault(row["structure"], []).append((int(row["role"]), at))
    found = {}
    for row in table_rows("phases.csv"):
        elements = row["elements"].split()
        sites = places[row["structure"]]
        found[row["phase"]] = Phase(
            row["phase"],
            row["structure"],
            row["space_group"],
            tuple(elements[role - 1] for role, _ in sites),
            np.array([at for _, at in sites]),
            (float(row["a_A"]), float(row["b_A"]), float(row["c_A"])),
            float(row["beta_deg"]),
            120.0 if row["structure"] == "wurtzite" else 90.0,
            float(row["sd_A"]),
            row["kind"],
            row["source"],
            row["mark"],
        )
    return found


@lru_cache(maxsize=1)
def _coefficients() -> dict[str, Array]:
    names = ("a1", "a2", "a3", "a4", "a5", "c", "b1", "b2", "b3", "b4", "b5")
    return {row["element"]: np.array([float(row[name]) for name in names]) for row in table_rows("form_factors.csv")}


def form_factor(element: str, q: Array, /) -> Array:
    """Electrons that an atom scatters with, without anomalous terms.

    Parameters
    ----------
    element : str
    q : numpy.ndarray
        4 pi sin(theta) / wavelength in 1/A.

    Returns
    -------
    numpy.ndarray
        As `q`.

    Examples
    --------
    >>> round(float(form_factor("Cd", np.zeros(1))[0]), 1)
    47.7
    """
    own = _coefficients()[element]
    s2 = (np.asarray(q, np.float64) / (4.0 * math.pi)) ** 2
    return np.asarray(own[5] + np.sum(own[:5] * np.exp(-own[6:] * s2[..., None]), axis=-1))


@dataclass(frozen=True, slots=True, eq=False)
class Reflections:
    """Reflections of a phase, those of one length joined.

    Parameters
    ----------
    hkl : numpy.ndarray of int, dims (reflection, 3)
        One of the family.
    inverse : numpy.ndarray, dims (reflection,)
        Length of the reciprocal vector times 2 pi in 1/A, rising, of the table's cell.
    strength : numpy.ndarray, dims (reflection,)
        Multiplicity times the squared structure factor, with Debye-Waller factor, over the squared volume, in electrons^2/A^6.
    """

    hkl: NDArray[np.int64]
    inverse: Array
    strength: Array


@lru_cache(maxsize=64)
def reflections(name: str, q_max: float, /) -> Reflections:
    """Reflections of a phase up to a length.

    Parameters
    ----------
    name : str
        Of `phases`.
    q_max : float
        In 1/A.

    Returns
    -------
    Reflections
        Those weaker than a 1000th of the strongest are left out.
    """
    phase = phases()[name]
    cell = phase.cell()
    most = [max(1, int(q_max * length / (2.0 * math.pi)) + 1) for length in phase.lengths_a]
    grid = np.stack(np.meshgrid(*[np.arange(-m, m + 1) for m in most], indexing="ij"), axis=-1).reshape(-1, 3)
    length = inverse_lengths(grid, cell)
    inside = (length > 1e-6) & (length <= q_max)
    grid, length = grid[inside], length[inside]
    amplitude = np.zeros(length.size, np.complex128)
    for element in sorted(set(phase.elements)):
        own = phase.sites[[k for k, one in enumerate(phase.elements) if one == element]]
        amplitude += form_factor(element, length) * np.exp(2j * math.pi * grid @ own.T).sum(axis=1)
    damping = np.exp(-2.0 * DEBYE_WALLER_A2 * (length / (4.0 * math.pi)) ** 2)
    single = np.abs(amplitude) ** 2 * damping / np.linalg.det(cell) ** 2
    # a powder does not tell reflections of one length apart
    _, first, inverse = np.unique(np.round(length, 6), return_index=True, return_inverse=True)
    strength = np.bincount(inverse.ravel(), weights=single)
    names = np.array([_named(grid[inverse.ravel() == k]) for k in range(first.size)]).reshape(-1, 3)
    keep = strength > 1e-3 * strength.max()
    order = np.argsort(length[first][keep], kind="stable")
    return Reflections(names[keep][order], length[first][keep][order], strength[keep][order])


def _named(family: NDArray[np.int64]) -> NDArray[np.int64]:
    """Index that stands for a family: the most that is positive, then the first rising."""
    best = max(family.tolist(), key=lambda one: (sum(k >= 0 for k in one), one[0], one[1], one[2]))
    return np.array(best)


def inverse_lengths(hkl: NDArray[np.int64], cell: Array, /) -> Array:
    """Lengths of reciprocal vectors times 2 pi in 1/A, dims (reflection,)."""
    return 2.0 * math.pi * np.linalg.norm(hkl @ np.linalg.inv(cell).T, axis=1)
