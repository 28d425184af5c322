"""Debye's sum of a nanocrystal: every pair of atoms, without lattice planes and lines."""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from lampyris.bench.xrd.crystals import DEBYE_WALLER_A2, Phase, form_factor, phases
from lampyris.bench.xrd.facets import cubic_terms

Array = NDArray[np.float64]
_BIN_A = 0.03
_DIRECTIONS = 8


@dataclass(frozen=True, slots=True, eq=False)
class PairShells:
    """Distances between atoms of an endless crystal, seen from the atoms of one cell.

    Parameters
    ----------
    pairs : tuple of (str, str)
        Elements, alphabetically.
    distance_a : tuple of numpy.ndarray
        Mean distances of each pair's shells, rising.
    count : tuple of numpy.ndarray
        Pairs per shell.
    atoms : mapping of str to int
        Of the cell.
    reach_a : float
    shell, harmonic, share : tuple of numpy.ndarray
        Directions of each pair's shells, by `Phase.harmonic`: the shell, its value, and its share of the shell's pairs.
    cubic : tuple of numpy.ndarray, dims (shell, term)
        Mean `cubic_terms` of each pair's shells; empty of a phase that is not cubic.
    """

    pairs: tuple[tuple[str, str], ...]
    distance_a: tuple[Array, ...]
    count: tuple[Array, ...]
    atoms: dict[str, int]
    reach_a: float
    shell: tuple[NDArray[np.intp], ...]
    harmonic: tuple[Array, ...]
    share: tuple[Array, ...]
    cubic: tuple[Array, ...]


@lru_cache(maxsize=16)
def pair_shells(name: str, reach_a: float, /) -> PairShells:
    """Shells of a phase up to a distance."""
    phase = phases()[name]
    cell = phase.cell()
    heights = 1.0 / np.linalg.norm(np.linalg.inv(cell), axis=0)
    most = [int(reach_a / height) + 1 for height in heights]
    grid = np.stack(np.meshgrid(*[np.arange(-m, m + 1) for m in most], indexing="ij"), axis=-1).reshape(-1, 3) @ cell
    places = phase.sites @ cell
    bins = int(reach_a / _BIN_A) + 1
    # of each shell and each range of directions: pairs, their distances, and their harmonics
    sums: dict[tuple[str, str], Array] = {}
    cubic: dict[tuple[str, str], Array] = {}
    for i, first in enumerate(phase.elements):
        for j, second in enumerate(phase.elements):
            away = grid + places[j] - places[i]
            distance = np.linalg.norm(away, axis=1)
            inside = (distance > 0.1) & (distance < reach_a)
            distance, away = distance[inside], away[inside]
            harmonic = phase.harmonic(away)
            at = (distance / _BIN_A).astype(np.intp)
            pair = (min(first, second), max(first, second))
            if phase.cubic:
                terms = [np.bincount(at, weights=one, minlength=bins) for one in cubic_terms(away).T]
                cubic[pair] = np.array(terms) + cubic.get(pair, np.zeros((len(terms), bins)))
            at *= _DIRECTIONS
            # the harmonic lies between -1/3 and 2/3
            at += np.clip(_DIRECTIONS * (harmonic + 1.0 / 3.0), 0, _DIRECTIONS - 1).astype(np.intp)
            own = sums.setdefault(pair, np.zeros((3, bins * _DIRECTIONS)))
            for row, weights in enumerate((np.ones(distance.size), distance, harmonic)):
                own[row] += np.bincount(at, weights=weights, minlength=bins * _DIRECTIONS)
    pairs = tuple(sorted(sums))
    counts = [sums[pair].reshape(3, bins, _DIRECTIONS) for pair in pairs]
    each = [one[:, one[0].sum(axis=1) > 0] for one in counts]
    parts = [one[0] > 0 for one in each]
    return PairShells(
        pairs,
        tuple(one[1].sum(axis=1) / one[0].sum(axis=1) for one in each),
        tuple(one[0].sum(axis=1) for one in each),
        {element: phase.elements.count(element) for element in sorted(set(phase.elements))},
        reach_a,
        tuple(np.nonzero(part)[0] for part in parts),
        tuple(one[2][part] / one[0][part] for one, part in zip(each, parts, strict=True)),
        tuple((one[0] / one[0].sum(axis=1, keepdims=True))[part] for one, part in zip(each, parts, strict=True)),
        tuple(_means(cubic[pair]) for pair in pairs) if phase.cubic else (),
    )


def _means(sums: Array) -> Array:
    held = sums[:, sums[0] > 0]
    return np.asarray((held / held[0]).T)


def sphere_overlap(distance_a: Array, diameter_a: float, /) -> Array:
    """Share of a sphere that overlaps with itself, moved by a distance."""
    x = np.minimum(distance_a / diameter_a, 1.0)
    return 1.0 - 1.5 * x + 0.5 * x**3


def predict_debye(
    q: Array, shells: PairShells, diameters_a: Array, weights: Array, /, *, scale: float = 1.0, strain: float = 0.0
) -> Array:
    """Scattering of spheres cut from a crystal about every possible centre, per cell.

    Parameters
    ----------
    q : numpy.ndarray, dims (point,)
        In 1/A.
    shells : PairShells
        That reach as far as the largest diameter.
    diameters_a, weights : numpy.ndarray, dims (size,)
        Diameters, and the share of the volume that each has.
    scale : float
        Of the lattice.
    strain : float
        Root mean square of relative changes of the lattice from dot to dot.

    Returns
    -------
    numpy.ndarray, dims (point,)
        In electrons^2 per cell.

    References
    ----------
    Debye, Ann. Phys. 351, 809 (1915), DOI 10.1002/andp.19153510606; the overlap of a sphere as its shape function: Guinier, X-Ray
    Diffraction, Freeman 1963.
    """
    factors = {element: form_factor(element, q) for element in shells.atoms}
    total = np.zeros(q.size)
    for element, number in shells.atoms.items():
        total += number * factors[element] ** 2
    damping = np.exp(-2.0 * DEBYE_WALLER_A2 * (q / (4.0 * math.pi)) ** 2)
    for (first, second), distance, count in zip(shells.pairs, shells.distance_a, shells.count, strict=True):
        r = scale * distance
        overlap = np.zeros(r.size)
        for diameter, weight in zip(diameters_a.tolist(), weights.tolist(), strict=True):
            overlap += weight * sphere_overlap(r, diameter)
        keep = overlap > 0
        phase = np.outer(q, r[keep])
        wave = np.sin(phase) / phase
        if strain:
            wave *= np.exp(-0.5 * (strain * phase) ** 2)
        total += factors[first] * factors[second] * damping * (wave @ (count[keep] * overlap[keep]))
    return total


def sphere_atoms(phase: Phase, diameter_a: float, centre: Array, /) -> tuple[Array, tuple[str, ...]]:
    """Atoms within a sphere.

    Parameters
    ----------
    phase : Phase
    diameter_a : float
    centre : numpy.ndarray, dims (3,)
        As shares of the cell.

    Returns
    -------
    places : numpy.ndarray, dims (atom, 3)
        In A.
    elements : tuple of str, dims (atom,)
    """
    cell = phase.cell()
    heights = 1.0 / np.linalg.norm(np.linalg.inv(cell), axis=0)
    most = [int(0.5 * diameter_a / height) + 2 for height in heights]
    grid = np.stack(np.meshgrid(*[np.arange(-m, m + 1) for m in most], indexing="ij"), axis=-1).reshape(-1, 3)
    places = ((grid[:, None, :] + phase.sites[None] - centre) @ cell).reshape(-1, 3)
    inside = np.einsum("ij,ij->i", places, places) <= (0.5 * diameter_a) ** 2
    names = np.tile(np.array(phase.elements), grid.shape[0])
    return places[inside], tuple(names[inside].tolist())
