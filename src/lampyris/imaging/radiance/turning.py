"""Images of animals that do not lie head up in their file: turned for the analysis, and places turned there and back."""

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from lampyris.core.study import ViewResult

Corners = tuple[tuple[float, float], ...]
Scalar = TypeVar("Scalar", bound=np.generic)
# quarter turns to the left that put the head up, by the side to which it points
_TURNS = {"up": 0, "right": 1, "down": 2, "left": 3}


def head_up(image: NDArray[Scalar], head: str, /) -> NDArray[Scalar]:
    """Turn an image, or a stack of them, so that heads point up.

    Parameters
    ----------
    image : ndarray, dims (..., y, x)
    head : str
        Side to which heads point: ``up``, ``down``, ``left`` or ``right``.

    Examples
    --------
    >>> head_up(np.array([[1, 0], [1, 0], [1, 0]]), "left").tolist()
    [[1, 1, 1], [0, 0, 0]]
    """
    return np.rot90(image, _TURNS[head], axes=(-2, -1))


def view_corners(corners_px: Corners, view: ViewResult, head: str, /) -> Corners:
    """Corners of an image file as corners of a view: turned head up, then counted from where the view begins.

    Parameters
    ----------
    corners_px : tuple of (y, x)
        From the first pixel's centre of the image as it lies in its file.
    view : ViewResult
        With the shape of that file, and where in it the view begins.
    head : str
        Side of the file to which heads point.

    Returns
    -------
    tuple of (y, x)
        From the view's first pixel's centre.

    Raises
    ------
    ValueError
        If the image was turned and the view does not know the file's shape.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> view = SimpleNamespace(origin_px=(1, 1), file_shape=(5, 9))
    >>> view_corners(((2.0, 1.0),), view, "left")
    ((0.0, 1.0),)
    >>> file_corners(((0.0, 1.0),), view, "left")
    ((2.0, 1.0),)
    """
    top, left = view.origin_px
    turned = _turned(corners_px, _known_shape(view, head), _TURNS[head])
    return tuple((y - top, x - left) for y, x in turned)


def file_corners(corners_px: Corners, view: ViewResult, head: str, /) -> Corners:
    """Corners of a view as corners of its image file: the way back of `view_corners`."""
    top, left = view.origin_px
    rows, columns = _known_shape(view, head)
    turns = _TURNS[head]
    whole = tuple((y + top, x + left) for y, x in corners_px)
    return _turned(whole, (columns, rows) if turns % 2 else (rows, columns), -turns % 4)


def _turned(corners: Corners, shape: tuple[int, int], turns: int) -> Corners:
    """Corners of an image of this shape after so many quarter turns of it to the left."""
    for _ in range(turns):
        corners = tuple((shape[1] - 1 - x, y) for y, x in corners)
        shape = shape[::-1]
    return corners


def _known_shape(view: ViewResult, head: str) -> tuple[int, int]:
    if _TURNS[head] and not all(view.file_shape):
        raise ValueError(f"the image was turned from head {head}: the shape of its file is needed")
    return view.file_shape
