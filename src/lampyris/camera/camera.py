"""Expectation and variance of a frame: lens, filters, sensor.

One type with different instances: a simulation holds the camera as it was drawn (hot pixels, gain spread, true band
responses); the analysis holds what darks, flats and the data sheet say of it.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from lampyris.core.settings import Instrument


@dataclass(frozen=True, slots=True, eq=False)
class Camera:
    """A camera with its lens and emission filters.

    Parameters
    ----------
    shape : (y, x)
        Pixels after binning.
    pixel_mm : float
        Pixel pitch at the stage.
    blur_mm : float
        Standard deviation of the lens blur at the stage.
    gain_e_per_count : float
        Electrons per count.
    read_noise_e : float
        Read noise per pixel and frame in electrons.
    offset_counts : float
        Bias level.
    full_scale_counts : float
        Largest count.
    radiance_per_rate : float
        Radiance (ph s-1 cm-2 sr-1) that gives one electron per second at the flat field's centre at transmission 1.
    transmission : ndarray, dims (channel,)
        Of each band's filter.
    flat : ndarray, dims (channel, y, x)
        Vignetting times pixel gain, 1 at the centre.
    dark_e_per_s : ndarray, dims (y, x)
        Dark current, hot pixels included.
    """

    shape: tuple[int, int]
    pixel_mm: float
    blur_mm: float
    gain_e_per_count: float
    read_noise_e: float
    offset_counts: float
    full_scale_counts: float
    radiance_per_rate: float
    transmission: NDArray[np.float64]
    flat: NDArray[np.float64]
    dark_e_per_s: NDArray[np.float64]


def nominal_camera(instrument: Instrument, shape: tuple[int, int], /) -> Camera:
    """Camera as its data sheet gives it: flat field of one, no dark current, no offset."""
    bands = len(instrument.bands)
    return Camera(
        shape=shape,
        pixel_mm=instrument.pixel_mm,
        blur_mm=instrument.blur_mm,
        gain_e_per_count=instrument.gain_e_per_count,
        read_noise_e=instrument.read_noise_e,
        offset_counts=0.0,
        full_scale_counts=instrument.full_scale_counts,
        radiance_per_rate=instrument.radiance_per_rate,
        transmission=np.array([band.transmission for band in instrument.bands]),
        flat=np.ones((bands, *shape)),
        dark_e_per_s=np.zeros(shape),
    )


def lens_blur(image: NDArray[np.float64], /, *, sigma_px: float) -> NDArray[np.float64]:
    """Blur the last two axes with the lens' point spread, a Gaussian; the sum is kept inside the frame.

    Parameters
    ----------
    image : ndarray, dims (..., y, x)
        Radiance.
    sigma_px : float
        Standard deviation in pixels.
    """
    if sigma_px <= 0:
        return image
    return gaussian_filter(image, sigma_px, axes=(-2, -1), mode="nearest", truncate=5.0)


def predict_electrons(
    camera: Camera, radiance: NDArray[np.float64], /, *, exposure_s: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Expected electrons of a frame, dark current included, before saturation.

    Parameters
    ----------
    camera : Camera
    radiance : ndarray, dims (channel, y, x)
        In-band radiance at the lens in ph s-1 cm-2 sr-1, not yet blurred.
    exposure_s : ndarray, dims (channel,)
        Exposure of each channel.

    Returns
    -------
    ndarray, dims (channel, y, x)
        Electrons.
    """
    seen = lens_blur(radiance, sigma_px=camera.blur_mm / camera.pixel_mm)
    rate = seen * camera.flat * (camera.transmission / camera.radiance_per_rate)[:, None, None]
    return (rate + camera.dark_e_per_s) * exposure_s[:, None, None]


def predict_counts(camera: Camera, electrons: NDArray[np.float64], /) -> NDArray[np.float64]:
    """Expected counts: offset plus electrons over gain, clipped at full scale."""
    return np.minimum(camera.offset_counts + electrons / camera.gain_e_per_count, camera.full_scale_counts)


def variance_counts(
    electrons: NDArray[np.float64], /, *, gain_e_per_count: float, read_noise_e: float
) -> NDArray[np.float64]:
    """Variance of a frame in counts squared: photon noise, read noise and rounding (photon transfer).

    Parameters
    ----------
    electrons : ndarray
        Expected electrons, dark current included; negative values count as none.
    gain_e_per_count, read_noise_e : float
        Of the sensor.

    References
    ----------
    Janesick, Photon Transfer, SPIE Press 2007, doi:10.1117/3.725073.

    Examples
    --------
    >>> float(variance_counts(np.array([100.0]), gain_e_per_count=2.0, read_noise_e=0.0)[0]).__round__(6)
    25.083333
    """
    return (np.maximum(electrons, 0.0) + read_noise_e**2) / gain_e_per_count**2 + 1.0 / 12.0
