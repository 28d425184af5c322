"""Facets of dots: how far a sphere that is cut by planes of its crystal overlaps with itself, direction by direction."""

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline

Array = NDArray[np.float64]

MOST_CUT = 0.42
"""Deepest cut over the sphere's radius: little is left of it then but a cube, an octahedron, a prism or a double pyramid."""
NODES = np.array([-1.0, -0.64, -0.36, -0.16, -0.04, 0.0, 0.04, 0.16, 0.36, 0.64, 1.0])
"""Facets for which overlaps are computed; see `cut_sphere_overlaps`."""
FAR = np.linspace(0.0, 1.7, 681)
"""Distances over the diameter of the sphere of the same mean column."""
_COARSE = FAR[::8]
_SIZES = np.linspace(-3.5, 3.5, 17)
"""Diameters of a law, in its standard deviations about those that scatter most."""
_OVERLAPS = 400
WURTZITE_AXES = 1.633
"""c over a, ideal, for the slope of pyramids."""
_DIRECTIONS, _RAYS = 80, 700


def cubic_terms(directions: Array, /) -> Array:
    """Functions of a direction that no symmetry of a cube changes, up to the twelfth degree.

    Parameters
    ----------
    directions : numpy.ndarray, dims (direction, 3)
        Of any length but 0, along the axes of the cell.

    Returns
    -------
    numpy.ndarray, dims (direction, term)
        Without unit. The first is 1.

    Examples
    --------
    >>> cubic_terms(np.array([[1.0, 0.0, 0.0]]))[0, :2].round(3).tolist()
    [1.0, 0.4]
    """
    square = directions**2 / np.sum(directions**2, axis=-1, keepdims=True)
    # both are 0 in the mean over all directions
    fourth = np.sum(square**2, axis=-1) - 3.0 / 5.0
    sixth = 50.0 * (np.prod(square, axis=-1) - 1.0 / 105.0)
    one = np.ones(fourth.shape)
    return np.stack([one, fourth, sixth, fourth**2, fourth * sixth, fourth**3, sixth**2], axis=-1)


def uniaxial_terms(harmonic: Array, /) -> Array:
    """Powers of `Phase.harmonic` up to the fifth, dims (direction, term)."""
    return np.asarray(harmonic[:, None] ** np.arange(6))


def _planes(cubic: bool) -> tuple[Array, Array, Array]:
    """Normals of facets: of cubes or prisms; of octahedra or pyramids; and of those that blunt the latter."""
    if cubic:
        diagonals = np.array([[1, 1, 1], [1, 1, -1], [1, -1, 1], [-1, 1, 1]]) / math.sqrt(3.0)
        return np.eye(3), diagonals, np.eye(3)
    turns = math.pi / 3.0 * np.arange(6)
    around = np.column_stack([np.cos(turns), np.sin(turns), 0.0 * turns])
    slope = 2.0 / math.sqrt(3.0) * WURTZITE_AXES
    base = np.array([[0.0, 0.0, 1.0]])
    return np.vstack([around[:3], base]), (slope * around + base) / math.hypot(slope, 1.0), base


def _evenly(number: int) -> Array:
    """Directions that lie evenly over half a sphere, by the golden angle."""
    height = (np.arange(number) + 0.5) / number
    angle = math.pi * (3.0 - math.sqrt(5.0)) * np.arange(number)
    across = np.sqrt(1.0 - height**2)
    return np.column_stack([across * np.cos(angle), across * np.sin(angle), height])


def _chords(direction: Array, normals: Array, distances: Array) -> Array:
    """Lengths inside the cut sphere of unit radius of rays along a direction, each for as large a share of its cross-section.

    A plane holds on both sides of the middle.
    """
    first = np.cross(direction, np.eye(3)[int(np.argmin(np.abs(direction)))])
    first /= np.linalg.norm(first)
    square = (np.arange(_RAYS) + 0.5) / _RAYS
    turn = math.pi * (3.0 - math.sqrt(5.0)) * np.arange(_RAYS)
    at = np.sqrt(square)[:, None] * np.column_stack([np.cos(turn), np.sin(turn)])
    half = np.sqrt(1.0 - (at**2).sum(axis=1))
    slopes = normals @ direction
    slopes = np.copysign(np.maximum(np.abs(slopes), 1e-9), slopes)
    places = at @ np.stack([first, np.cross(direction, first)]) @ normals.T
    ends = (-distances - places) / slopes, (distances - places) / slopes
    low = np.maximum(-half, np.minimum(*ends).max(axis=1))
    chords = np.minimum(half, np.maximum(*ends).min(axis=1)) - low
    return np.asarray(chords[chords > 0])


@lru_cache(maxsize=2)
def cut_sphere_overlaps(*, cubic: bool) -> CubicSpline:
    """Overlap of cut spheres with themselves, moved, over facets from -1 to 1: weights of the terms at `FAR`, dims (term, far).

    Facets above 0 are {100}, or {10-10} and {0001}; those below are {111} with {100} half as deep, or {10-11} with {0001} half as
    deep. Their depth is `MOST_CUT` of the radius at 1, and its square goes in proportion: what a shallow facet takes off does so too.
    Distances are over the diameter of the sphere with the same mean column.

    Parameters
    ----------
    cubic : bool
        `cubic_terms`, or else `uniaxial_terms`.

    References
    ----------
    The overlap of a body with itself from its chords: Guinier, X-Ray Diffraction, Freeman 1963.
    """
    directions = _evenly(_DIRECTIONS)
    terms = cubic_terms(directions) if cubic else uniaxial_terms(directions[:, 2] ** 2 - 1.0 / 3.0)
    upright, slanted, blunting = _planes(cubic)
    tables = []
    for facets in NODES.tolist():
        depth = MOST_CUT * math.sqrt(abs(facets))
        if facets > 0:
            normals, distances = upright, np.full(upright.shape[0], 1.0 - depth)
        else:
            normals = np.vstack([slanted, blunting])
            distances = np.repeat([1.0 - depth, 1.0 - 0.5 * depth], [slanted.shape[0], blunting.shape[0]])
        each = [_chords(direction, normals, distances) for direction in directions]
        # the mean column is three quarters of a sphere's diameter
        size = float(np.mean([(one**2).sum() / one.sum() for one in each])) / 0.75
        overlap = np.array([np.maximum(one[:, None] - size * _COARSE, 0.0).sum(axis=0) / one.sum() for one in each])
        # lines between coarse places would give a fit's slopes steps
        tables.append(CubicSpline(_COARSE, np.linalg.lstsq(terms, overlap, rcond=None)[0], axis=1)(FAR))
    return CubicSpline(NODES, np.array(tables))


@lru_cache(maxsize=2)
def _column_terms(*, cubic: bool) -> CubicSpline:
    table = cut_sphere_overlaps(cubic=cubic)(NODES)
    return CubicSpline(NODES, np.trapezoid(table, FAR, axis=-1) / 0.375)


def cut_columns(terms: Array, facets: float, /, *, cubic: bool) -> Array:
    """Columns of cut spheres along directions over their mean over all, dims (direction,).

    Parameters
    ----------
    terms : numpy.ndarray, dims (direction, term)
        Of the directions, by `cubic_terms` or `uniaxial_terms`.
    facets : float
        Of `cut_sphere_overlaps`.
    cubic : bool

    Examples
    --------
    >>> cut_columns(cubic_terms(np.array([[1.0, 0.0, 0.0], [1.0, 1.0, 1.0]])), 0.2, cubic=True).round(2).tolist()
    [1.04, 0.98]
    """
    return np.asarray(terms @ _column_terms(cubic=cubic)(facets))


@lru_cache(maxsize=16)
def powder_overlaps(diameter_a: float, spread: float, facets: float, /, *, cubic: bool) -> CubicSpline:
    """Overlap of dots with themselves over how far they are moved in A, in the mean over a lognormal law of diameters.

    The spline gives weights of the terms, dims (far, term), up to its last place, beyond which nothing is left.

    Parameters
    ----------
    diameter_a : float
        Diameter of the sphere whose column is the powder's volume-weighted one: fourth moment of the diameters over the third.
    spread : float
        Standard deviation of the diameters' logarithm.
    facets : float
        Of `cut_sphere_overlaps`.
    cubic : bool
    """
    # of a lognormal law of diameters the fourth moment over the third lies at the median times exp(3.5 sd^2)
    middle = diameter_a * math.exp(-3.5 * spread**2)
    # what a dot scatters rises with the third power of its diameter, and the top of its lines with the fourth
    away = _SIZES + 4.0 * spread
    sizes = middle * np.exp(spread * away)
    weights = np.exp(-0.5 * away**2) * sizes**3
    far = np.linspace(0.0, FAR[-1] * float(sizes.max()), _OVERLAPS)
    table = CubicSpline(FAR, cut_sphere_overlaps(cubic=cubic)(facets), axis=1)
    each = table(np.minimum(far[:, None] / sizes, FAR[-1]))
    return CubicSpline(far, np.einsum("tfs,s->ft", each, weights / weights.sum()))
