"""How deep a true lesion lies."""

import numpy as np

from lampyris.imaging.forward import SIDE_OF_VIEW
from lampyris.tissue.anatomy import Anatomy, Vector

# far enough to even out the voxels' steps, near enough for a quadric to follow the body's curve
PATCH_MM = 2.5
# coefficients of a quadric
LEAST_COLUMNS = 6


def true_depth_mm(anatomy: Anatomy, position_mm: Vector, /, *, view: str) -> float:
    """Depth of a point below the surface that a view sees.

    The surface above the point is a quadric through the outer faces of the columns around it: a voxel's own depth would
    be off by up to half a voxel.

    Parameters
    ----------
    anatomy : Anatomy
    position_mm : (z, y, x)
        In the animal's own frame.
    view : str

    Returns
    -------
    float
        In mm; NaN where too few columns of the animal lie around the point.

    Examples
    --------
    >>> from lampyris.tissue.anatomy import build_anatomy
    >>> mouse = build_anatomy(voxel_mm=1.0)
    >>> both = [true_depth_mm(mouse, (0.0, 50.0, 0.0), view=view) for view in ("dorsal", "ventral")]
    >>> bool(abs(both[0] - both[1]) < 0.01)
    True
    """
    z, y, x = anatomy.coordinates()
    sign = 1.0 if SIDE_OF_VIEW[view] == "top" else -1.0
    apart = np.stack(np.meshgrid(y - position_mm[1], x - position_mm[2], indexing="ij"))
    near = np.hypot(*apart) <= max(PATCH_MM, 2.0 * anatomy.voxel_mm)
    near &= anatomy.inside.any(axis=0)
    if near.sum() < LEAST_COLUMNS:
        return float("nan")
    faces = np.where(anatomy.inside[:, near], sign * z[:, None], -np.inf).max(axis=0) + 0.5 * anatomy.voxel_mm
    along, across = apart[:, near]
    terms = np.stack([np.ones_like(along), along, across, along**2, along * across, across**2], axis=1)
    surface = np.linalg.lstsq(terms, faces, rcond=None)[0][0]
    return float(surface - sign * position_mm[0])
