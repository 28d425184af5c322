"""Regions that a person drew on an image with another program."""

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DrawnRegion:
    """An outline on one image, whatever program it was drawn with.

    Parameters
    ----------
    name : str
        As the program calls it, e.g. "ROI 1".
    label : str
        What the person wrote to it, or "".
    image : str
        File that it was drawn on, or "".
    outline_px : tuple of (float, float)
        Corners (y, x) in pixels of that image, from the centre of its first pixel; closed without repeating the first.
    kind : str
        Shape as it was drawn: "square", "ellipse", "polygon", ...

    Raises
    ------
    ValueError
        With fewer than three corners, or one that is not finite.

    Examples
    --------
    >>> DrawnRegion("ROI 1", "liver", "m01.tif", ((0.0, 0.0), (0.0, 4.0), (3.0, 4.0)), "polygon").label
    'liver'
    """

    name: str
    label: str
    image: str
    outline_px: tuple[tuple[float, float], ...]
    kind: str

    def __post_init__(self) -> None:
        if len(self.outline_px) < 3:
            raise ValueError(f"outline_px of {self.name!r} has {len(self.outline_px)} corners; an area needs three")
        if wrong := [corner for corner in self.outline_px if not all(map(math.isfinite, corner))]:
            raise ValueError(f"outline_px of {self.name!r} has the corner {wrong[0]}, which is not finite")
