"""Regions that a person drew on an image with another program."""

import math
from dataclasses import dataclass

from lampyris.core.estimate import Estimate


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


@dataclass(frozen=True, slots=True)
class TiedRegion:
    """A region that a person drew, and the view that it belongs to as far as its file or the sheet says.

    Parameters
    ----------
    region : DrawnRegion
    file : str
        File of the region inside the study, or "".
    animal, session, view : str
        Empty where nothing is said.
    meaning : str
        What it is, such as tumour or background; empty where nothing is said.
    """

    region: DrawnRegion
    file: str = ""
    animal: str = ""
    session: str = ""
    view: str = ""
    meaning: str = ""


@dataclass(frozen=True, slots=True)
class RegionResult:
    """A drawn region on its view, measured, beside what the automatic detection says there.

    Parameters
    ----------
    tied : TiedRegion
        Animal, session and view filled in; outline in pixels of the image file.
    outline_mm : tuple of (float, float)
        Corners (y, x) on the view, from its first pixel's centre.
    pixels : int
        Whose centres lie inside.
    area_mm2 : float
    saturated_share : float
        Of its pixels.
    on_body_share : float
        Of its pixels that lie on the animal.
    radiance : Estimate
        Mean of the light of all bands, ph s-1 cm-2 sr-1, background not removed.
    flux : Estimate
        Of that light under Lambert's law, ph s-1.
    flux_vendor_4pi : Estimate
        The same radiance times 4 pi, as Living Image prints "Total Flux"; ph s-1.
    probe_radiance : Estimate
        Mean unmixed probe radiance above that of the ring around the region.
    probe_flux, probe_flux_vendor_4pi : Estimate
        Of that; NaN where the ring holds too little of the animal.
    detections : tuple of int
        Of the view whose outlines meet the region.
    overlap : float
        Shared over joint area of the region and those outlines together (Jaccard's index), 0 where there are none.
    detected_flux : Estimate or None
        Sum of those detections' fluxes; None where there are none.
    """

    tied: TiedRegion
    outline_mm: tuple[tuple[float, float], ...]
    pixels: int
    area_mm2: float
    saturated_share: float
    on_body_share: float
    radiance: Estimate
    flux: Estimate
    flux_vendor_4pi: Estimate
    probe_radiance: Estimate
    probe_flux: Estimate
    probe_flux_vendor_4pi: Estimate
    detections: tuple[int, ...]
    overlap: float
    detected_flux: Estimate | None
