"""A tray image by itself: what lies on it and how brightly it shines; whose it is and what it amounts to only a study tells."""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt

from lampyris.assays.exvivo.names import place_order
from lampyris.assays.exvivo.outlines import find_organs, touches
from lampyris.core.errors import ImageError
from lampyris.core.finding import Finding, Place, Severity
from lampyris.core.images import RawImage
from lampyris.core.settings import Limits
from lampyris.imaging.detection.outlines import closed_outline
from lampyris.imaging.radiance.photographs import photograph_on_grid
from lampyris.io.images.frames import mean_image

# light is summed a little beyond the outline, where the lens carries it; the tray's own is taken from beyond that
BESIDE_MM, TRAY_MM = 0.9, 4.0


@dataclass(frozen=True, slots=True)
class LoneOrgan:
    """An outline on a tray of which nothing else is known.

    Parameters
    ----------
    place : int
        Row by row from the top left, as in organs.csv, from 1; by height where there are no clear rows.
    area_mm2, y_mm, x_mm : float
    light : float
        Sum over its pixels and all channels, the tray beside it taken off: counts per second, or counts where the file gives no
        exposure. No radiance: the camera's gain is not known.
    share : float
        Of the light of all outlines.
    touching, full : bool
        Against another; holds the highest count that the file can.
    outline_px : tuple of (float, float)
    """

    place: int
    area_mm2: float
    y_mm: float
    x_mm: float
    light: float
    share: float
    touching: bool
    full: bool
    outline_px: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class LoneTray:
    """A tray image without a study.

    Parameters
    ----------
    file : str
    pixel_mm : float
    unit : str
        Of the light: ``counts s-1`` or ``counts``.
    synthetic : bool
        The file says that it was simulated.
    organs : tuple of LoneOrgan
    photographed : bool
        A photograph gave the outlines, not the light.
    """

    file: str
    pixel_mm: float
    unit: str
    synthetic: bool
    organs: tuple[LoneOrgan, ...]
    photographed: bool = False


def lone_tray(
    path: Path, /, *, photo: Path | None = None, pixel_mm: float = math.nan, limits: Limits | None = None
) -> LoneTray:
    """Outline what lies on a tray and sum its light.

    Parameters
    ----------
    path : Path
        An image.
    photo : Path, optional
        Its photograph, which gives the outlines; that which the file brings along where left out, and without one the light.
    pixel_mm : float, optional
        Pixel pitch at the stage; that of the file where left out.
    limits : Limits, optional
        Caps on what is read.

    Returns
    -------
    LoneTray

    Raises
    ------
    ImageError
        If a file cannot be read, image and photograph are not of one field, the pixel size is not known, or nothing stands out from
        the tray.
    """
    image = mean_image(path, limits or Limits(), file=path.name)
    pixel = pixel_mm if math.isfinite(pixel_mm) else image.pixel_mm
    if not pixel > 0:
        seen = "neither the file nor --pixel-um says how wide a pixel is."
        finding = Finding("exvivo.no-pixel", Severity.ERROR, Place(path.name), seen, "Give it: --pixel-um 450.")
        raise ImageError(f"{path.name} has no pixel size", [finding])
    counts = np.asarray(image.counts, np.float64)
    exposure = np.array(image.exposure_s)
    known = bool(np.all(exposure > 0))
    light = (counts / exposure[:, None, None] if known else counts).sum(axis=0)
    looks = _looks(image, photo, (light.shape[0], light.shape[1]), pixel, limits or Limits(), path.name)
    photographed = looks is not None
    looks = light if looks is None else looks
    found = find_organs(looks, pixel_mm=pixel, glow=light, file=path.name)
    found = tuple(found[index] for index in place_order(found))
    masks = np.stack([one.mask for one in found])
    away = np.stack([distance_transform_edt(~mask) for mask in masks]) * pixel
    nearest, own = away.min(axis=0), np.argmin(away, axis=0)
    stored = image.counts.dtype
    most = 2.0 ** (8 * stored.itemsize) - 1.0 if stored.kind == "u" else math.inf
    full = counts.max(axis=0) >= most
    sums = []
    for index in range(len(found)):
        ring = (nearest > 2 * BESIDE_MM) & (away[index] < TRAY_MM)
        beside = float(np.median(light[ring])) if ring.any() else float(np.median(light[nearest > BESIDE_MM]))
        sums.append(float((light - beside)[(own == index) & (nearest <= BESIDE_MM)].sum()))
    whole = math.fsum(max(one, 0.0) for one in sums)
    organs = []
    for index, one in enumerate(found):
        y, x = one.centroid_px()
        others = np.asarray(np.delete(masks, index, axis=0).any(axis=0))
        organs.append(
            LoneOrgan(
                place=index + 1,
                area_mm2=float(one.mask.sum()) * pixel**2,
                y_mm=y * pixel,
                x_mm=x * pixel,
                light=sums[index],
                share=max(sums[index], 0.0) / whole if whole > 0 else math.nan,
                touching=one.touching or touches(one.mask, others),
                full=bool(full[one.mask].any()),
                outline_px=closed_outline(one.mask, pixel_mm=1.0),
            )
        )
    return LoneTray(path.name, pixel, "counts s-1" if known else "counts", image.synthetic, tuple(organs), photographed)


def _looks(
    image: RawImage, photo: Path | None, shape: tuple[int, int], pixel_mm: float, limits: Limits, file: str
) -> NDArray[np.float64] | None:
    """The tray's photograph on the image's grid, dims (y, x), as a study takes it; None where there is none."""
    shown, shown_pixel_mm = image.photo, image.photo_pixel_mm
    if photo is not None:
        its = mean_image(photo, limits, file=photo.name)
        shown, shown_pixel_mm = its.photo, its.photo_pixel_mm
        if shown is None:
            shown, shown_pixel_mm = np.asarray(its.counts, np.float64).mean(axis=0), its.pixel_mm
    if shown is None:
        return None
    name = file if photo is None else photo.name
    return photograph_on_grid(shown, shape, pixel_mm=pixel_mm, photo_pixel_mm=shown_pixel_mm, file=name)
