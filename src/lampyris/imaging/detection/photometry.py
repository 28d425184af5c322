"""How strong each spot is: flux inside its outline, with everything that makes it uncertain.

The flux is summed from the data, not read off the fitted shape: background and neighbours are subtracted, and the
uncertainty holds the frames' noise, the background's structure as measured in equal areas elsewhere on the animal, the error
of what was subtracted, the colour of the tissue, and the camera's calibration.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft2, next_fast_len, rfft2
from scipy.ndimage import binary_dilation, distance_transform_edt, gaussian_filter, label
from scipy.special import stdtrit

from lampyris.core.estimate import Estimate
from lampyris.core.flags import DetectionFlag, PixelFlag
from lampyris.core.images import FLUX_UNIT
from lampyris.core.settings import AnalysisOptions
from lampyris.imaging.detection.detect import FieldFit, SpotSearch, spot_distance
from lampyris.imaging.radiance.calibrate import lambertian_flux, vendor_4pi_flux
from lampyris.statistics.thresholds import half_width, robust_sd

OUTLINE_FROM_DATA_Z = 30.0
NEIGHBOUR_ERROR = 0.15
WIDE_MM = 6.0
FAINT_SDS = 2.0


@dataclass(frozen=True, slots=True, eq=False)
class SpotPhotometry:
    """Numbers of one spot.

    Parameters
    ----------
    outline : ndarray of bool, dims (y, x)
        Pixels summed.
    flux : Estimate
        Lambertian, ph s-1.
    flux_vendor_4pi : float
        ph s-1.
    area_mm2, width_mm, snr, contrast, position_sd_mm : float
    tumour_to_background : Estimate
    flags : DetectionFlag
    """

    outline: NDArray[np.bool_]
    flux: Estimate
    flux_vendor_4pi: float
    area_mm2: float
    width_mm: float
    snr: float
    contrast: float
    position_sd_mm: float
    tumour_to_background: Estimate
    flags: DetectionFlag


@dataclass(frozen=True, slots=True, eq=False)
class ViewImages:
    """The images that photometry reads besides the fit.

    Parameters
    ----------
    total : ndarray, dims (y, x)
        Radiance summed over the bands, all components.
    total_variance : ndarray, dims (y, x)
    flags : ndarray of uint16, dims (y, x)
        `PixelFlag` bits.
    calibration_relative_sd : float
        Of the radiance scale.
    """

    total: NDArray[np.float64]
    total_variance: NDArray[np.float64]
    flags: NDArray[np.uint16]
    calibration_relative_sd: float


def measure_spots(
    search: SpotSearch,
    field: FieldFit,
    images: ViewImages,
    /,
    *,
    nearest: bool = False,
    apart: Mapping[int, NDArray[np.bool_]] | None = None,
) -> tuple[SpotPhotometry, ...]:
    """Photometry of every spot of a view, in the order of ``field.spots``.

    Parameters
    ----------
    search : SpotSearch
        Data, body and options.
    field : FieldFit
        What was found.
    images : ViewImages
    nearest : bool
        Pixels that outlines share go to the nearest spot and their light is divided as fitted, as where a person parted one;
        else the brighter keeps pixels and light.
    apart : mapping of int to ndarray of bool, dims (y, x)
        Pixels that a spot of the field holds besides those around its peak, as where two were joined that do not touch.

    Returns
    -------
    tuple of SpotPhotometry
    """
    outlines = [spot_outline(search, field, index) for index in range(len(field.spots))]
    for index, more in (apart or {}).items():
        outlines[index] = outlines[index] | more
    if nearest and outlines:
        closest = np.argmin([spot_distance(search, (spot,)) for spot in field.spots], axis=0)
        held = np.stack(outlines)
        # a pixel that lies in one outline only stays with it, however near another spot is
        alone = held.sum(axis=0) == 1
        parted = [mask & (alone | (closest == index)) for index, mask in enumerate(held)]
        # the light of shared pixels is divided as fitted, else the skirts of one spot under the other would count for neither
        return tuple(_measure(search, field, images, index, parted, held[index]) for index in range(len(parted)))
    taken = np.zeros(search.body.shape, bool)
    # the brighter spot keeps the pixels that two outlines share
    order = sorted(range(len(outlines)), key=lambda index: -float(field.images[index].max()))
    for index in order:
        outlines[index] = outlines[index] & ~taken
        taken |= outlines[index]
    return tuple(_measure(search, field, images, index, outlines, outlines[index]) for index in range(len(outlines)))


def fitted_width(image: NDArray[np.float64], /, *, pixel_mm: float) -> float:
    """Full width at half maximum of a fitted spot: of a circle with the area of the pixels above half the peak.

    Examples
    --------
    >>> round(fitted_width(np.ones((10, 10)), pixel_mm=1.0), 2)
    11.28
    """
    area = float((image >= 0.5 * image.max()).sum()) * pixel_mm**2
    return float(2.0 * np.sqrt(area / np.pi))


def aperture_noise(
    residual: NDArray[np.float64], body: NDArray[np.bool_], avoid: NDArray[np.bool_], area_px: float, /
) -> tuple[float, float]:
    """Standard deviation of the sum over an aperture where nothing is, and its degrees of freedom.

    Parameters
    ----------
    residual : ndarray, dims (y, x)
        Image with background and spots removed.
    body, avoid : ndarray of bool, dims (y, x)
        Where apertures may lie, and what they must not be centred on.
    area_px : float
        Size of the aperture in pixels.

    Returns
    -------
    sd, degrees_of_freedom : float
    """
    radius = np.sqrt(max(area_px, 1.0) / np.pi)
    reach = int(np.ceil(radius))
    y, x = np.ogrid[-reach : reach + 1, -reach : reach + 1]
    disc = (y * y + x * x <= max(radius, 0.5) ** 2).astype(float)
    filled, sums = _sums_under(np.stack([body, np.where(body, residual, 0.0)]), disc)
    share = filled / disc.sum()
    sums /= np.maximum(share, 0.3)
    places = body & ~avoid & (share > 0.6)
    if places.sum() < 4 * disc.sum():
        places = body & (share > 0.6)
    if places.sum() < 2:
        return float(robust_sd(residual[body]) * area_px), 1.0
    freedom = max(float(places.sum()) / (2.0 * disc.sum()) - 1.0, 3.0)
    return robust_sd(sums[places]) * area_px / disc.sum(), freedom


def _sums_under(images: NDArray[np.float64], disc: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sum of each image under a disc around every place, nothing beyond the frame; dims (image, y, x)."""
    height, width = images.shape[1:]
    reach = disc.shape[0] // 2
    padded = [next_fast_len(count + 2 * reach, real=True) for count in (height, width)]
    spectrum = rfft2(disc, padded)
    sums = np.stack([irfft2(rfft2(image, padded) * spectrum, padded) for image in images])
    return sums[:, reach : reach + height, reach : reach + width]


def spot_outline(search: SpotSearch, field: FieldFit, index: int, /) -> NDArray[np.bool_]:
    """Connected pixels above a share of the fitted peak; from the data where it is strong, else from the fitted shape.

    Parameters
    ----------
    search : SpotSearch
    field : FieldFit
    index : int
        Of the spot in ``field.spots``.

    Returns
    -------
    ndarray of bool, dims (y, x)
    """
    spot, image = field.spots[index], field.images[index]
    level = search.options.outline_fraction * image.max()
    shown = image
    if spot.z > OUTLINE_FROM_DATA_Z:
        shown = gaussian_filter(np.where(search.body, image + field.residual, 0.0), 0.7)
    mask = (shown > level) & search.body
    pieces, _ = label(mask)
    # the peak rather than the fitted centre, which may lie on the animal's edge
    peak = np.unravel_index(int(np.argmax(np.where(search.body, image, -np.inf))), image.shape)
    return pieces == pieces[peak] if pieces[peak] else np.zeros_like(mask)


def _measure(
    search: SpotSearch,
    field: FieldFit,
    images: ViewImages,
    index: int,
    outlines: list[NDArray[np.bool_]],
    aperture: NDArray[np.bool_],
) -> SpotPhotometry:
    """Numbers of one spot: its flux is summed over the aperture, all else is said of the pixels of its outline."""
    options, spot, outline = search.options, field.spots[index], outlines[index]
    others = np.delete(field.images, index, axis=0).sum(axis=0)
    signal = np.where(aperture, search.data - field.fit.background - others, 0.0)
    flux = lambertian_flux(float(signal.sum()), search.pixel_mm)
    avoid = binary_dilation(np.logical_or.reduce(outlines), iterations=2)
    structure, freedom = aperture_noise(field.residual, search.body, avoid, float(aperture.sum()))
    frame = float(np.sqrt(search.variance[aperture].sum()))
    subtracted = NEIGHBOUR_ERROR * float(others[aperture].sum()) + options.organ_model_error * float(
        field.fit.uptake[aperture].sum()
    )
    # the measured structure holds the frames' noise of dark places already; a bright spot has more of its own
    quiet = float(np.median(search.variance[search.body])) * float(aperture.sum())
    own = lambertian_flux(
        float(np.sqrt(max(structure, 0.0) ** 2 + max(frame**2 - quiet, 0.0) + subtracted**2)), search.pixel_mm
    )
    width = fitted_width(field.images[index], pixel_mm=search.pixel_mm)
    # probe freed around a lesion, and background, merge with a spot the more the wider it is
    merged = options.wide_spot_error * width**2 / (width**2 + WIDE_MM**2)
    flags = _flags(search, field, images, index, outlines)
    # at the edge the surface turns away, and light from the other side comes round it
    edge = options.edge_error if flags & DetectionFlag.EDGE else 0.0
    shares = np.array([options.spectral_error, images.calibration_relative_sd, merged, edge])
    common = abs(flux) * float(np.sqrt(np.sum(shares**2)))
    sd = float(np.hypot(own, common))
    half = float(stdtrit(freedom, 0.5 * (1.0 + options.interval_level))) * own
    half = float(np.hypot(half, half_width(options.interval_level) * common))
    around = _ring(search, outline, np.logical_or.reduce(outlines))
    if flux < FAINT_SDS * own:
        flags |= DetectionFlag.FAINT_AFTER_FIT
    level = robust_sd(field.residual[around]) if around.sum() > 8 else field.fit.pixel_sd
    peak = float(signal[outline].max()) if outline.any() else 0.0
    return SpotPhotometry(
        outline=outline,
        flux=Estimate(
            flux,
            sd,
            flux - half,
            flux + half,
            options.interval_level,
            FLUX_UNIT,
            "aperture sum; structure measured on the animal",
        ),
        flux_vendor_4pi=vendor_4pi_flux(float(signal.sum()), search.pixel_mm),
        area_mm2=float(outline.sum()) * search.pixel_mm**2,
        width_mm=width,
        snr=flux / own if own > 0 else float("inf"),
        contrast=peak / level if level > 0 else float("inf"),
        # a Gaussian's position from a matched filter, and a floor for the pixel grid and for a skewed shape
        position_sd_mm=float(np.hypot(width / 2.355 / max(spot.z, 1.0), 0.05 * width + 0.1 * search.pixel_mm)),
        tumour_to_background=_ratio(images, outline, around, options),
        flags=flags,
    )


def _ring(search: SpotSearch, outline: NDArray[np.bool_], all_outlines: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Reference region: the body between one and two outline radii from the edge of the outline, without other spots."""
    radius = max(np.sqrt(outline.sum() / np.pi), 2.0)
    distance = distance_transform_edt(~outline)
    return (distance > radius) & (distance <= 2.0 * radius + 2.0) & search.body & ~all_outlines


def _ratio(
    images: ViewImages, outline: NDArray[np.bool_], around: NDArray[np.bool_], options: AnalysisOptions
) -> Estimate:
    """Mean radiance of all light inside over around, with its interval (error propagation; the calibration cancels)."""
    method = "mean radiance in outline over ring"
    if not outline.any() or not around.any():
        return Estimate.unknown(options.interval_level, "1", method)
    inside, outside = float(images.total[outline].mean()), float(images.total[around].mean())
    inside_sd = float(np.sqrt(images.total_variance[outline].sum()) / outline.sum())
    # the ring's own unevenness, not its photon noise, says how well it stands for the place under the spot
    outside_sd = float(images.total[around].std())
    ratio = inside / outside
    sd = abs(ratio) * float(np.hypot(inside_sd / inside, outside_sd / outside))
    half = half_width(options.interval_level) * sd
    return Estimate(ratio, sd, ratio - half, ratio + half, options.interval_level, "1", method)


def _flags(
    search: SpotSearch, field: FieldFit, images: ViewImages, index: int, outlines: list[NDArray[np.bool_]]
) -> DetectionFlag:
    outline, spot = outlines[index], field.spots[index]
    flags = DetectionFlag.GOOD
    if (images.flags[outline] & (PixelFlag.SATURATED | PixelFlag.BLOOM)).any():
        flags |= DetectionFlag.SATURATED
    if (binary_dilation(outline) & ~search.body).any():
        flags |= DetectionFlag.EDGE
    widths = [fitted_width(image, pixel_mm=search.pixel_mm) for image in field.images]
    for other, place in enumerate(field.spots):
        apart = np.hypot(place.y - spot.y, place.x - spot.x) * search.pixel_mm
        if other != index and apart < max(widths[index], widths[other]):
            flags |= DetectionFlag.BLENDED
    if widths[index] >= 0.95 * search.profiles.fwhm_mm[-1]:
        flags |= DetectionFlag.WIDE
    return flags
