"""Outlines of pixel sets as closed polygons along pixel edges."""

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import label


def closed_outline(mask: NDArray[np.bool_], /, *, pixel_mm: float) -> tuple[tuple[float, float], ...]:
    """Outer outline of the largest connected piece, following pixel edges.

    Parameters
    ----------
    mask : ndarray of bool, dims (y, x)
    pixel_mm : float

    Returns
    -------
    tuple of (y, x)
        Corners in mm from the first pixel's centre, without repeating the first; empty for an empty mask.

    Examples
    --------
    >>> closed_outline(np.array([[True]]), pixel_mm=1.0)
    ((-0.5, -0.5), (-0.5, 0.5), (0.5, 0.5), (0.5, -0.5))
    """
    if not mask.any():
        return ()
    pieces, _ = label(mask)
    largest = 1 + int(np.argmax(np.bincount(pieces.ravel())[1:]))
    filled = np.pad(pieces == largest, 1)
    row, column = (int(value) for value in np.argwhere(filled)[0])
    # walk the edges with the piece on the right hand, from the top left corner eastwards
    corner, heading = (row, column), (0, 1)
    start = (corner, heading)
    corners = []
    while True:
        corner = (corner[0] + heading[0], corner[1] + heading[1])
        turned = _turn(filled, corner, heading)
        if turned != heading:
            corners.append(corner)
        heading = turned
        if (corner, heading) == start:
            break
    corners = [corners[-1], *corners[:-1]]
    return tuple(((y - 1.5) * pixel_mm, (x - 1.5) * pixel_mm) for y, x in corners)


def _turn(filled: NDArray[np.bool_], corner: tuple[int, int], heading: tuple[int, int]) -> tuple[int, int]:
    """Next heading at a corner: left if the pixel ahead on the left is filled, straight if only the right one is, else right."""
    dy, dx = heading
    y, x = corner
    # pixels ahead of the corner, on the left and right hand; pixel (i, j) spans corners (i, j) to (i + 1, j + 1)
    left = (y + min(dy - dx, 0), x + min(dx + dy, 0)) if dy == 0 else (y + min(dy, 0), x + (0 if dy > 0 else -1))
    right = (y + (0 if dx > 0 else -1), x + min(dx, 0)) if dy == 0 else (y + min(dy, 0), x + (-1 if dy > 0 else 0))
    if filled[left]:
        return (-dx, dy)
    if filled[right]:
        return heading
    return (dx, -dy)
