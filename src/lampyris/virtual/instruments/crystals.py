"""Shapes of drawn crystals: the faces that bound them, and how they lie under the beam."""

import itertools
import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
_GOLDEN = 0.5 * (1.0 + math.sqrt(5.0))
CRYSTALS = (
    "cut cube", "cuboctahedron", "cut octahedron", "icosahedron", "rhombic dodecahedron", "dodecahedron", "octahedron",
    "cube", "tetrahedron", "hexagonal prism", "blunted cube", "cut tetrahedron",
)  # fmt: skip
"""Names that `crystal` knows."""


@dataclass(frozen=True, slots=True, eq=False)
class Crystal:
    """A convex body as what lies within its faces.

    Parameters
    ----------
    normals : numpy.ndarray, dims (face, 3)
        Of length 1.
    distances : numpy.ndarray, dims (face,)
        Of each face from the centre, relative.
    """

    normals: Array
    distances: Array

    def lying(self, face: int, turn: float, /) -> "Crystal":
        """The same with a face towards the beam (the third axis), turned about it by an angle in radians."""
        third = np.array([0.0, 0.0, 1.0])
        own = self.normals[face]
        axis, cosine = np.cross(own, third), float(own @ third)
        cross = np.array([[0.0, -axis[2], axis[1]], [axis[2], 0.0, -axis[0]], [-axis[1], axis[0], 0.0]])
        upright = np.eye(3) + cross + cross @ cross / (1.0 + cosine) if cosine > -0.999 else np.diag([1.0, -1.0, -1.0])
        spin = np.array(
            [[math.cos(turn), -math.sin(turn), 0.0], [math.sin(turn), math.cos(turn), 0.0], [0.0, 0.0, 1.0]]
        )
        return Crystal(self.normals @ (spin @ upright).T, self.distances)

    def turned(self, axes: Array, /) -> "Crystal":
        """The same in axes anyhow turned, dims (3, 3)."""
        return Crystal(self.normals @ axes, self.distances)


@lru_cache(maxsize=len(CRYSTALS))
def crystal(name: str, /) -> Crystal:
    """A crystal by its name, one of `CRYSTALS`.

    Examples
    --------
    >>> len(crystal("icosahedron").distances)
    20
    """
    corners = np.array(list(itertools.product((-1.0, 1.0), repeat=3)))
    golden = [(0.0, a, b * _GOLDEN) for a in (-1.0, 1.0) for b in (-1.0, 1.0)]
    inverse = [(0.0, a / _GOLDEN, b * _GOLDEN) for a in (-1.0, 1.0) for b in (-1.0, 1.0)]
    cube = np.vstack([np.eye(3), -np.eye(3)])
    edges = [one for one in itertools.product((-1.0, 0.0, 1.0), repeat=3) if sum(map(abs, one)) == 2.0]
    tetrahedron = np.array([(1.0, 1.0, 1.0), (1.0, -1.0, -1.0), (-1.0, 1.0, -1.0), (-1.0, -1.0, 1.0)])
    sides = [(math.cos(k * math.pi / 3.0), math.sin(k * math.pi / 3.0), 0.0) for k in range(6)]
    match name:
        case "cut cube" | "cuboctahedron" | "cut octahedron" | "blunted cube":
            # how far out the octahedron's faces lie where the cube's lie at 1
            further = {"cuboctahedron": 2.0 / math.sqrt(3.0), "cut octahedron": 0.5 * math.sqrt(3.0), "cut cube": 1.12}
            parts = [(cube, 1.0), (corners, further.get(name, 1.4))]
        case "icosahedron":
            parts = [(corners, 1.0), (_cycled(inverse), 1.0)]
        case "dodecahedron":
            parts = [(_cycled(golden), 1.0)]
        case "rhombic dodecahedron":
            parts = [(np.array(edges), 1.0)]
        case "octahedron":
            parts = [(corners, 1.0)]
        case "cube":
            parts = [(cube, 1.0)]
        case "tetrahedron":
            parts = [(tetrahedron, 1.0)]
        case "cut tetrahedron":
            parts = [(tetrahedron, 1.0), (-tetrahedron, 1.8)]
        case "hexagonal prism":
            parts = [(np.array([*sides, (0.0, 0.0, 1.0), (0.0, 0.0, -1.0)]), 1.0)]
        case _:
            raise ValueError(f"no crystal {name!r}: there are {', '.join(CRYSTALS)}")
    normals = np.vstack([own / np.linalg.norm(own, axis=1)[:, None] for own, _ in parts])
    return Crystal(normals, np.concatenate([np.full(len(own), distance) for own, distance in parts]))


def _cycled(points: list[tuple[float, float, float]]) -> Array:
    """Points with their coordinates moved round."""
    return np.vstack([np.roll(np.array(points), shift, axis=1) for shift in range(3)])
