"""From counts to radiance, with variance and flags carried.

Two fluxes are kept apart by name throughout the package: Lambertian (pi times radiance times area, what leaves a
diffuse surface) and the vendor's "total flux" (4 pi times radiance times area).
"""

import math
from collections.abc import Sequence
from functools import lru_cache
from itertools import product
from statistics import median

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation, maximum_filter

from lampyris.camera.camera import variance_counts
from lampyris.core.errors import ImageError
from lampyris.core.finding import Finding, Place, Severity
from lampyris.core.flags import PixelFlag
from lampyris.core.images import Radiance
from lampyris.core.settings import Instrument
from lampyris.imaging.inputs import ViewInput

SATURATED_SHARE = 0.99
LOW_FLAT_SHARE = 0.2
HOT_SIGMAS = 8.0
COSMIC_SIGMAS = 7.0
_NEIGHBOURHOOD = np.ones((3, 3), bool)
_RING = np.array([[1, 1, 1], [1, 0, 1], [1, 1, 1]], bool)
# place of the third brightest neighbour among a peak and its neighbours: two may share a point of light with the peak
_THIRD_NEIGHBOUR = 4


def radiance_from_counts(view: ViewInput, instrument: Instrument, /, *, may_be_dark: bool = False) -> Radiance:
    """Calibrate one view: dark subtracted, flat divided, exposure and filter removed.

    Where the files bring their own coefficients, these stand in place of `radiance_per_rate` and of the band's transmission: they
    were measured through the filter, for light at the lens. The flat is divided out either way.

    Parameters
    ----------
    view : ViewInput
        Counts with their dark and flat fields, dims (channel, y, x), and their own coefficients if any.
    instrument : Instrument
        Gain, read noise, full scale, and the radiance that one electron per second stands for.
    may_be_dark : bool
        An image without any signal is no fault, as that of a blank well.

    Returns
    -------
    Radiance
        ph s-1 cm-2 sr-1. Variance holds photon and read noise of the frame and of the dark, not the common
        uncertainty of the calibration factor. Hot and cosmic pixels hold the median of their good neighbours.

    Raises
    ------
    ImageError
        If dark or flat do not fit the image, or the image holds no signal and should.
    """
    counts = view.image.counts.astype(np.float64)
    _refuse_misfits(view, counts)
    dark = view.dark.astype(np.float64)
    flat = normalised_flat(view.flat, view.flat_level)
    finite = np.isfinite(counts)
    levels = np.sort(dark.reshape(len(dark), -1), axis=1)
    flags = _flags(counts, dark, flat, finite, levels, full_scale=instrument.full_scale_counts)
    if view.not_own is not None:
        flags[:, view.not_own] |= np.uint16(PixelFlag.NOT_OWN)
    gain = instrument.gain_e_per_count
    values = counts - dark
    values[~finite] = 0.0
    electrons = values * gain
    # the dark frame brings its own dark current and read noise into the difference
    own_dark = _dark_electrons(dark, levels, gain)
    variance = variance_counts(
        np.maximum(electrons, 0.0) + own_dark, gain_e_per_count=gain, read_noise_e=instrument.read_noise_e
    )
    # the mean of several frames has the noise of one divided by their number; the dark frame is the same for all
    variance /= view.image.frames
    variance += variance_counts(own_dark, gain_e_per_count=gain, read_noise_e=instrument.read_noise_e)
    factor = radiance_per_count(view, flat, instrument)
    values *= factor
    factor *= factor
    variance *= factor
    blur_px = instrument.blur_mm / instrument.pixel_mm
    flags = flags | _cosmic(values, variance, flags, blur_px=blur_px)
    values, variance = _mend(values, variance, flags)
    if not (may_be_dark or ((values > 0) & (values * values > 25.0 * variance)).any()):
        seen = "no pixel exceeds the dark frame by five standard deviations."
        mend = "Check shutter, lamp and which dark frame the sheet names."
        raise ImageError(
            f"{view.file}: the image holds no signal above its dark frame", [_fault(view, "image.empty", seen, mend)]
        )
    return Radiance(values, variance, flags, view.image.channels, instrument.pixel_mm)


def flat_levels(flat: NDArray[np.generic], /) -> tuple[float, ...]:
    """Level of each band's flat field in the middle of the frame, for which `radiance_per_rate` holds.

    Parameters
    ----------
    flat : ndarray, dims (channel, y, x)

    Examples
    --------
    >>> flat_levels(np.full((2, 5, 5), 3.0))
    (3.0, 3.0)
    """
    return tuple(np.median(_centre(flat.astype(np.float64)), axis=(1, 2)).tolist())


def radiance_per_count_rate(instrument: Instrument, own: Sequence[float] = (), /) -> NDArray[np.float64]:
    """Radiance that one count per second above the dark stands for in the flat's middle, dims (channel,).

    Parameters
    ----------
    instrument : Instrument
        Its bands are the channels.
    own : sequence of float
        The files' own coefficients, which stand in place of the settings'; empty where there are none.
    """
    if len(own):
        return np.asarray(own, float)
    transmission = np.array([band.transmission for band in instrument.bands])
    return np.asarray(instrument.radiance_per_rate * instrument.gain_e_per_count / transmission)


def radiance_per_count(view: ViewInput, flat: NDArray[np.float64], instrument: Instrument, /) -> NDArray[np.float64]:
    """Radiance that one count above the dark stands for in each pixel: the one factor of every calibration.

    Parameters
    ----------
    view : ViewInput
        Its exposures, and its files' own coefficients if any.
    flat : ndarray, dims (channel, y, x)
        From `normalised_flat`.
    instrument : Instrument

    Returns
    -------
    ndarray, dims (channel, y, x)
        ph s-1 cm-2 sr-1.
    """
    per_count = radiance_per_count_rate(instrument, view.radiance_per_count_rate) / np.asarray(view.exposure_s, float)
    return np.asarray(per_count[:, None, None] / np.maximum(flat, 0.01))


def lambertian_flux(radiance_sum: float, pixel_mm: float, /) -> float:
    """Photons per second that leave a Lambertian surface: pi times the sum of radiance times pixel area.

    Examples
    --------
    >>> round(lambertian_flux(1.0, 10.0), 4)
    3.1416
    """
    return float(np.pi * radiance_sum * (pixel_mm / 10.0) ** 2)


def vendor_4pi_flux(radiance_sum: float, pixel_mm: float, /) -> float:
    """ "Total flux" as vendor programs print it: 4 pi times the sum of radiance times pixel area.

    Examples
    --------
    >>> round(vendor_4pi_flux(1.0, 10.0) / lambertian_flux(1.0, 10.0), 9)
    4.0
    """
    return 4.0 * lambertian_flux(radiance_sum, pixel_mm)


def _fault(view: ViewInput, rule: str, seen: str, mend: str) -> Finding:
    return Finding(rule, Severity.ERROR, Place(file=view.file), seen, mend)


def _refuse_misfits(view: ViewInput, counts: NDArray[np.float64]) -> None:
    shapes = {"dark frame": view.dark.shape, "flat field": view.flat.shape}
    if view.photo is not None:
        shapes["photograph"] = view.photo.shape
    faults = []
    for name, shape in shapes.items():
        expected = counts.shape[1:] if name == "photograph" else counts.shape
        if shape != expected:
            seen = f"the {name} has shape {shape}, the image needs {expected}."
            faults.append(_fault(view, "image.shape", seen, f"Record the {name} with the image's binning and bands."))
    for name, frame in (("dark frame", view.dark), ("flat field", view.flat)):
        if not np.isfinite(frame).all():
            faults.append(
                _fault(view, "image.not-finite", f"the {name} holds pixels that are no number.", "Export it again.")
            )
    if view.flat.shape == counts.shape and min(view.flat_level or flat_levels(view.flat)) <= 0:
        seen = "the flat field is not above zero in the middle of the frame."
        faults.append(_fault(view, "image.flat", seen, "Check which flat field study.toml names."))
    if not np.isfinite(counts).any():
        faults.append(_fault(view, "image.not-finite", "no pixel is a finite number.", "Export the image again."))
    if faults:
        raise ImageError(f"{view.file}: cannot be calibrated", faults)


def normalised_flat(flat: NDArray[np.floating], level: tuple[float, ...] = (), /) -> NDArray[np.float64]:
    """Flat field of any scale, as 1 in the middle of the frame, dims (channel, y, x).

    Parameters
    ----------
    flat : ndarray, dims (channel, y, x)
    level : tuple of float
        Of the middle of the whole frame where `flat` is a piece of it; empty for the flat's own.
    """
    return np.asarray(flat / np.reshape(level or flat_levels(flat), (-1, 1, 1)), np.float64)


def _centre(field: NDArray[np.floating]) -> NDArray[np.floating]:
    """The middle fifth of a frame along either axis, dims (channel, y, x)."""
    height, width = field.shape[1:]
    return field[:, height * 2 // 5 : height * 3 // 5 + 1, width * 2 // 5 : width * 3 // 5 + 1]


def _dark_electrons(dark: NDArray[np.float64], levels: NDArray[np.float64], gain: float) -> NDArray[np.float64]:
    """Dark current's electrons above the bias, for its photon noise; the bias is the frame's low percentile."""
    above = dark - _quantile(levels, 0.05)[:, None, None]
    np.maximum(above, 0.0, out=above)
    above *= gain
    return above


def _quantile(ordered: NDArray[np.float64], share: float) -> NDArray[np.float64]:
    """Quantile of each row of ordered values, linear between neighbours: a sort serves several of them."""
    place = share * (ordered.shape[1] - 1)
    below = int(place)
    low, high = ordered[:, below], ordered[:, min(below + 1, ordered.shape[1] - 1)]
    return np.asarray(low + (high - low) * (place - below))


def _flags(
    counts: NDArray[np.float64],
    dark: NDArray[np.float64],
    flat: NDArray[np.float64],
    finite: NDArray[np.bool_],
    levels: NDArray[np.float64],
    *,
    full_scale: float,
) -> NDArray[np.uint16]:
    flags = np.zeros(counts.shape, np.uint16)
    flags[~finite] |= np.uint16(PixelFlag.NOT_FINITE)
    saturated = finite & (counts >= SATURATED_SHARE * full_scale)
    # a lone full pixel is a cosmic ray or a hot pixel, found below; a lens spreads true light over several
    for channel in np.nonzero(saturated.any(axis=(1, 2)))[0]:
        mask = saturated[channel]
        crowd = mask & (binary_dilation(mask, _RING))
        flags[channel][crowd] |= np.uint16(PixelFlag.SATURATED)
        flags[channel][binary_dilation(crowd, _NEIGHBOURHOOD) & ~crowd] |= np.uint16(PixelFlag.BLOOM)
        flags[channel][mask & ~crowd] |= np.uint16(PixelFlag.COSMIC)
    level = _quantile(levels, 0.5)
    deviation = np.sort(np.abs(levels - level[:, None]), axis=1)
    above = HOT_SIGMAS * np.maximum(1.4826 * _quantile(deviation, 0.5), 0.5)
    for place in _places(dark > (level + above)[:, None, None]):
        # a dark frame may glow at an edge: a hot pixel stands above its own surroundings
        if dark[place] - _median(_window(dark, place)) > above[place[0]]:
            flags[place] |= np.uint16(PixelFlag.HOT)
    flags[flat < LOW_FLAT_SHARE] |= np.uint16(PixelFlag.LOW_FLAT)
    return flags


def _cosmic(
    values: NDArray[np.float64], variance: NDArray[np.float64], flags: NDArray[np.uint16], *, blur_px: float
) -> NDArray[np.uint16]:
    """Flag spikes sharper than the lens can make: a point of light shares its peak with its neighbours, a cosmic ray does not."""
    least_share = _least_neighbour_share(blur_px)
    flagged = np.zeros(values.shape, np.uint16)
    ring = maximum_filter(values, footprint=_RING[None], mode="constant", cval=-np.inf)
    peaks = (values > ring + 3.0 * np.sqrt(variance)) & (flags & PixelFlag.SATURATED == 0)
    for place in _places(peaks):
        around = sorted(_window(values, place, reach=1).ravel().tolist())[-_THIRD_NEIGHBOUR]
        beyond = _median(_window(values, place))
        noise = math.sqrt(_median(_window(variance, place, reach=1)))
        # what light could at most put here: the lens gives a point's neighbours their share above what lies beyond
        allowed = beyond + max(around - beyond, 0.0) / max(least_share, 0.2)
        if values[place] - allowed > COSMIC_SIGMAS * noise:
            flagged[place] = PixelFlag.COSMIC
    return flagged


@lru_cache(maxsize=8)
def _least_neighbour_share(blur_px: float) -> float:
    """What a point of light gives its third brightest neighbour of its own height above the surroundings, wherever on the
    pixels it falls."""
    offsets, width = np.arange(-2.0, 3.0), max(blur_px, 0.1)
    shares = []
    for shift_y, shift_x in product(np.linspace(0.0, 0.5, 6), repeat=2):
        lines = (np.exp(-0.5 * ((offsets - shift) / width) ** 2) for shift in (shift_y, shift_x))
        spread = np.outer(*lines)
        beyond, third = np.median(spread), np.sort(spread[1:4, 1:4], axis=None)[-_THIRD_NEIGHBOUR]
        shares.append((third - beyond) / (spread[2, 2] - beyond))
    return float(min(shares))


def _places(mask: NDArray[np.bool_]) -> list[tuple[int, ...]]:
    """Indices of the few true pixels."""
    return list(zip(*(axis.tolist() for axis in np.unravel_index(np.flatnonzero(mask), mask.shape)), strict=True))


def _window(image: NDArray[np.float64], place: tuple[int, ...], *, reach: int = 2) -> NDArray[np.float64]:
    """Values around a pixel of one channel, cut at the frame."""
    channel, y, x = place
    return image[channel, max(y - reach, 0) : y + reach + 1, max(x - reach, 0) : x + reach + 1]


def _median(values: NDArray[np.float64]) -> float:
    """Median of a few values, for which NumPy's takes ten times as long."""
    return median(values.ravel().tolist())


def _mend(
    values: NDArray[np.float64], variance: NDArray[np.float64], flags: NDArray[np.uint16]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    bad = (flags & (PixelFlag.HOT | PixelFlag.COSMIC | PixelFlag.NOT_FINITE)) != 0
    if not bad.any():
        return values, variance
    mended, spread = values.copy(), variance.copy()
    for channel, y, x in _places(bad):
        window = (channel, slice(max(y - 2, 0), y + 3), slice(max(x - 2, 0), x + 3))
        good = ~bad[window]
        mended[channel, y, x] = _median(values[window][good]) if good.any() else 0.0
        spread[channel, y, x] = _median(variance[window][good]) if good.any() else np.max(variance[channel])
    return mended, spread
