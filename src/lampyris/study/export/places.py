"""Places of a view in pixels of its image file: past the crop of the animal, and past the turn that put its head up."""

from lampyris.core.study import ViewResult

# how many quarter turns to the left put the head up, by the side to which it pointed
_TURNS = {"up": 0, "right": 1, "down": 2, "left": 3}

Corners = tuple[tuple[float, float], ...]


def file_corners(
    view: ViewResult, outline_mm: Corners, /, *, head: str = "up", shape: tuple[int, int] | None = None
) -> Corners:
    """Corners in pixels (y, x) of the image file, from its first pixel's centre.

    Parameters
    ----------
    view : ViewResult
        Pixel pitch, and where it begins in the image turned head up.
    outline_mm : tuple of (float, float)
        (y, x) in mm from the view's first pixel's centre.
    head : str
        Side of the file to which heads point.
    shape : tuple of int, optional
        Rows and columns of the file; needed where heads do not point up.

    Returns
    -------
    tuple of (float, float)

    Raises
    ------
    ValueError
        If the image was turned and its shape is not given.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> view = SimpleNamespace(pixel_mm=0.5, origin_px=(0, 0))
    >>> file_corners(view, ((0.0, 1.0),), head="left", shape=(3, 2))
    ((0.0, 0.0),)
    """
    top, left = view.origin_px
    turned = [(y / view.pixel_mm + top, x / view.pixel_mm + left) for y, x in outline_mm]
    turns = _TURNS[head]
    if turns == 0:
        return tuple(turned)
    if shape is None:
        raise ValueError(f"the image was turned from head {head}: its shape is needed")
    rows, columns = shape
    if turns == 1:
        return tuple((x, columns - 1 - y) for y, x in turned)
    if turns == 2:
        return tuple((rows - 1 - y, columns - 1 - x) for y, x in turned)
    return tuple((rows - 1 - x, y) for y, x in turned)
