"""Regions that a person drew: the light in them, with and without background, beside what was detected there."""

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation, distance_transform_edt
from scipy.special import stdtrit

from lampyris.core.errors import ImageError
from lampyris.core.estimate import Estimate
from lampyris.core.finding import Finding, Place, Severity
from lampyris.core.flags import PixelFlag
from lampyris.core.images import FLUX_UNIT, RADIANCE_UNIT
from lampyris.core.regions import RegionResult, TiedRegion
from lampyris.core.settings import StudySettings
from lampyris.core.study import ViewResult
from lampyris.imaging.detection.photometry import aperture_noise
from lampyris.imaging.radiance.calibrate import lambertian_flux
from lampyris.statistics.thresholds import half_width

# between a region and the ring that says how bright its surroundings are, and the ring's least width
GAP_MM, RING_MM = 1.0, 2.0
LEAST_RING_PIXELS = 12
VENDOR_OVER_LAMBERT = 4.0

Corners = tuple[tuple[float, float], ...]


def polygon_mask(outline_px: Corners, shape: tuple[int, int], /) -> NDArray[np.bool_]:
    """Pixels whose centres lie inside a polygon.

    Parameters
    ----------
    outline_px : tuple of (y, x)
        Corners in pixels from the first pixel's centre; they may lie off the image.
    shape : (y, x)

    Returns
    -------
    ndarray of bool, dims (y, x)

    Examples
    --------
    >>> int(polygon_mask(((0.5, 0.5), (0.5, 3.5), (2.5, 3.5), (2.5, 0.5)), (5, 5)).sum())
    6
    """
    height, width = shape
    y0, x0 = np.array(outline_px, float).T
    y1, x1 = np.roll(y0, -1), np.roll(x0, -1)
    # rows that an edge crosses: from its upper end, which belongs to it, to its lower, which does not
    first = np.clip(np.ceil(np.minimum(y0, y1)), 0, height).astype(int)
    last = np.clip(np.ceil(np.maximum(y0, y1)), 0, height).astype(int)
    count = last - first
    edge = np.repeat(np.arange(len(y0)), count)
    rows = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count) + first[edge]
    at = x0[edge] + (rows - y0[edge]) * (x1[edge] - x0[edge]) / (y1[edge] - y0[edge])
    crossings = np.zeros((height, width + 1), np.int64)
    np.add.at(crossings, (rows, np.clip(np.ceil(at), 0, width).astype(int)), 1)
    return np.asarray(np.cumsum(crossings, axis=1)[:, :-1] % 2 == 1)


def crosses_itself(outline_px: Corners, /) -> bool:
    """Whether two edges of a closed outline cross; edges that only touch do not.

    Examples
    --------
    >>> crosses_itself(((0, 0), (0, 4), (4, 4), (4, 0))), crosses_itself(((0, 0), (4, 4), (0, 4), (4, 0)))
    (False, True)
    """
    start = np.array(outline_px, float)
    end = np.roll(start, -1, axis=0)
    low, high = np.minimum(start[:, 1], end[:, 1]), np.maximum(start[:, 1], end[:, 1])
    order = np.argsort(low, kind="stable")
    start, end, low, high = start[order], end[order], low[order], high[order]
    reach = np.searchsorted(low, high, side="right")
    for index in range(len(start)):
        others = slice(index + 1, reach[index])
        a, b, c, d = start[index], end[index], start[others], end[others]
        parted = _side(c, d, a) * _side(c, d, b) < 0
        if (parted & (_side(a, b, c) * _side(a, b, d) < 0)).any():
            return True
    return False


def _side(a: NDArray[np.float64], b: NDArray[np.float64], point: NDArray[np.float64]) -> NDArray[np.float64]:
    """On which side of the lines from a to b the points lie, by sign."""
    ab, ap = b - a, point - a
    return np.asarray(np.sign(ab[..., 0] * ap[..., 1] - ab[..., 1] * ap[..., 0]))


def measure_region(tied: TiedRegion, outline_px: Corners, view: ViewResult, settings: StudySettings, /) -> RegionResult:
    """Measure a drawn region on its view.

    Parameters
    ----------
    tied : TiedRegion
        The region; its own outline is in pixels of the image file.
    outline_px : tuple of (y, x)
        Its corners in pixels of the view.
    view : ViewResult
        With its images.
    settings : StudySettings

    Returns
    -------
    RegionResult

    Raises
    ------
    ImageError
        If the outline crosses itself, leaves the image or holds no pixel.
    """
    height, width = view.body.shape
    y, x = np.array(outline_px, float).T
    if y.min() < -0.5 or x.min() < -0.5 or y.max() > height - 0.5 or x.max() > width - 0.5:
        reach = f"from y {y.min():.0f}, x {x.min():.0f} to y {y.max():.0f}, x {x.max():.0f}"
        seen = f"it reaches {reach}; the view has {height} x {width} pixels."
        mend = "Draw on the image file that the sheet names, in its own pixels, not on a scaled or cropped copy."
        raise _refusal(tied, "regions.off-image", seen, mend)
    if crosses_itself(outline_px):
        raise _refusal(tied, "regions.crosses-itself", "its outline crosses itself.", "Draw it anew without a loop.")
    inside = polygon_mask(outline_px, (height, width))
    if not inside.any():
        raise _refusal(tied, "regions.no-pixel", "it holds no pixel's centre.", "Draw it larger.")
    return _measured(tied, outline_px, view, inside, settings)


def _refusal(tied: TiedRegion, rule: str, seen: str, mend: str) -> ImageError:
    name = tied.region.name
    finding = Finding(rule, Severity.WARNING, Place(tied.file), f"the region {name!r} was not measured: {seen}", mend)
    return ImageError(f"{tied.file}: {name} cannot be measured", [finding])


def _measured(
    tied: TiedRegion, outline_px: Corners, view: ViewResult, inside: NDArray[np.bool_], settings: StudySettings
) -> RegionResult:
    pixel, level = view.pixel_mm, settings.analysis.interval_level
    count = int(inside.sum())
    light = np.asarray(view.radiance, float).sum(axis=0)[inside]
    noise = float(np.sqrt(np.asarray(view.total_variance, float)[inside].sum()))
    scale = settings.instrument.radiance_relative_sd
    whole = _estimate(float(light.sum()), noise, scale, level, half_width(level), "sum over the region")
    above = _above_surroundings(view, inside, settings)
    labels = np.asarray(view.lesions)
    numbers = tuple(int(number) for number in np.unique(labels[inside]) if number)
    found = np.isin(labels, numbers) & (labels > 0)
    shared = float((found & inside).sum() / (found | inside).sum()) if numbers else 0.0
    fluxes = [one.flux for one in view.detections if one.number in numbers]
    per_pixel, area = 1.0 / count, lambertian_flux(1.0, pixel)
    return RegionResult(
        tied=tied,
        outline_mm=tuple((y * pixel, x * pixel) for y, x in outline_px),
        pixels=count,
        area_mm2=count * pixel**2,
        saturated_share=float((np.asarray(view.flags)[inside] & (PixelFlag.SATURATED | PixelFlag.BLOOM) != 0).mean()),
        on_body_share=float(np.asarray(view.body)[inside].mean()),
        radiance=_scaled(whole, per_pixel, RADIANCE_UNIT),
        flux=_scaled(whole, area, FLUX_UNIT),
        flux_vendor_4pi=_scaled(whole, VENDOR_OVER_LAMBERT * area, FLUX_UNIT),
        probe_radiance=_scaled(above, per_pixel, RADIANCE_UNIT),
        probe_flux=_scaled(above, area, FLUX_UNIT),
        probe_flux_vendor_4pi=_scaled(above, VENDOR_OVER_LAMBERT * area, FLUX_UNIT),
        detections=numbers,
        overlap=shared,
        detected_flux=_summed(fluxes, level) if fluxes else None,
    )


def _above_surroundings(view: ViewResult, inside: NDArray[np.bool_], settings: StudySettings) -> Estimate:
    """Summed probe radiance above the ring around a region, with the structure of equal areas elsewhere on the animal."""
    pixel, level = view.pixel_mm, settings.analysis.interval_level
    probe, body = np.asarray(view.probe, float), np.asarray(view.body)
    count = float(inside.sum())
    away = distance_transform_edt(~inside) * pixel
    wide = GAP_MM + max(RING_MM, float(np.sqrt(count / np.pi)) * pixel)
    free = body & ~inside & (np.asarray(view.lesions) == 0)
    ring = free & (away > GAP_MM) & (away <= wide)
    if ring.sum() < LEAST_RING_PIXELS:
        nan = float("nan")
        return Estimate(nan, nan, nan, nan, level, RADIANCE_UNIT, "too little of the animal around the region")
    surroundings = float(np.median(probe[ring]))
    value = float((probe[inside] - surroundings).sum())
    avoid = binary_dilation(~free & body, iterations=2)
    structure, freedom = aperture_noise(np.where(body, probe - np.median(probe[body]), 0.0), body, avoid, count)
    own = float(np.hypot(structure, np.sqrt(np.asarray(view.probe_variance, float)[inside].sum())))
    common = float(np.hypot(settings.instrument.radiance_relative_sd, settings.analysis.spectral_error))
    quantile = float(stdtrit(freedom, 0.5 * (1.0 + level)))
    return _estimate(value, own, common, level, quantile, "sum over the region above the median of the ring around it")


def _estimate(value: float, own: float, common: float, level: float, quantile: float, method: str) -> Estimate:
    """A value with its own uncertainty, in so many standard deviations, and the relative one that all values share."""
    shared = abs(value) * common
    half = float(np.hypot(quantile * own, half_width(level) * shared))
    return Estimate(value, float(np.hypot(own, shared)), value - half, value + half, level, RADIANCE_UNIT, method)


def _scaled(one: Estimate, factor: float, unit: str) -> Estimate:
    value, sd, low, high = (factor * part for part in (one.value, one.sd, one.low, one.high))
    return Estimate(value, sd, low, high, one.level, unit, one.method)


def _summed(fluxes: list[Estimate], level: float) -> Estimate:
    """Sum of what was detected; uncertainties are added as if they moved together, which is the widest they can be."""
    value, sd, low, high = (sum(getattr(one, name) for one in fluxes) for name in ("value", "sd", "low", "high"))
    return Estimate(value, sd, low, high, level, FLUX_UNIT, f"sum of {len(fluxes)} detections")
