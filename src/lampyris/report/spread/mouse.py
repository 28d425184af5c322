"""The nominal mouse as outlines: its body and its organs seen from the back and from the belly, in mm.

In both pictures the head is up. Seen from the back the animal's left is on the left, seen from the belly on the right,
as the two views of a session lie.
"""

import functools
import math
from dataclasses import dataclass

import numpy as np

from lampyris.tissue.anatomy import build_anatomy, organ_parts

VIEWS = ("dorsal", "ventral")
# fine enough for a smooth outline of 14 mm half width
_VOXEL_MM = 0.5
_STEP_MM = 2.0
_CORNERS = 40

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class OrganShape:
    """One piece of an organ as an ellipse of the nominal animal: centre and semi-axes (across, along) in mm."""

    organ: str
    left_mm: float
    along_mm: float
    across_semi: float
    along_semi: float
    height_mm: float

    def outline(self, view: str, /) -> list[Point]:
        """Closed outline as (across, along), across counted to the right of the picture."""
        angle = np.linspace(0, 2 * math.pi, _CORNERS, endpoint=False)
        centre = across_picture(self.left_mm, view)
        return [(centre + self.across_semi * math.cos(a), self.along_mm + self.along_semi * math.sin(a)) for a in angle]


def across_picture(left_mm: float, view: str, /) -> float:
    """Place across the picture, to its right, of something that lies `left_mm` to the animal's left."""
    return -left_mm if view == "dorsal" else left_mm


@functools.cache
def body_outline() -> tuple[Point, ...]:
    """Outline of the nominal animal with its tail as (across, along) in mm, symmetric about the midline."""
    anatomy = build_anatomy(voxel_mm=_VOXEL_MM)
    _, along, _ = anatomy.coordinates()
    width = anatomy.inside.any(axis=0).sum(axis=1) * anatomy.voxel_mm / 2
    last = float(along[width > 0][-1])
    stations = np.append(np.arange(0.5, last, _STEP_MM), last)
    # a mean over a few slices takes the voxels' steps away
    half = [float(width[np.abs(along - y) <= 0.75 * _STEP_MM].mean()) for y in stations]
    half[0] = min(half[0], 1.5)
    right = [(round(w, 2), round(float(y), 2)) for w, y in zip(half, stations, strict=True)]
    return (*right, *((-w, y) for w, y in reversed(right)))


@functools.cache
def organ_shapes() -> tuple[OrganShape, ...]:
    """Every piece of every organ, from the belly upwards."""
    shapes = []
    for part in organ_parts():
        z, y, x = part.centre_mm
        _, along, across = part.semi_axes_mm
        shapes.append(OrganShape(part.organ, x, y, across, along, z))
    return tuple(sorted(shapes, key=lambda shape: shape.height_mm))


def organs_facing(view: str, /) -> tuple[OrganShape, ...]:
    """Organ pieces in painting order for a view: what lies nearest comes last."""
    shapes = organ_shapes()
    return shapes if view == "dorsal" else shapes[::-1]


@functools.cache
def facing(organ: str, /) -> str:
    """The view that an organ lies nearer to, by the mean height of its pieces."""
    heights = [shape.height_mm for shape in organ_shapes() if shape.organ == organ]
    return "dorsal" if sum(heights) >= len(heights) else "ventral"
