"""Draws the camera and its frames: the only place where noise is put on an expected frame."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lampyris.camera.camera import Camera, predict_counts, predict_electrons
from lampyris.core.seeds import seed_sequence
from lampyris.imaging.forward import expected_frame
from lampyris.probe.probe import photon_irradiance_per_mm2
from lampyris.virtual.design import Design

FULL_SHARE = 0.6


@dataclass(frozen=True, slots=True, eq=False)
class DrawnCamera:
    """The camera as it was drawn.

    Parameters
    ----------
    camera : Camera
        True flat, dark, calibration factor.
    probe_factor, autofluorescence_factor, leakage_factor : ndarray, dims (channel,)
        True response of each band to each component's colour, relative to the nominal one.
    """

    camera: Camera
    probe_factor: NDArray[np.float64]
    autofluorescence_factor: NDArray[np.float64]
    leakage_factor: NDArray[np.float64]


def draw_camera(design: Design, /, *, seed: int) -> DrawnCamera:
    """Draw vignetting, gain spread, hot pixels, the calibration error and the bands' mismatch."""
    rng = np.random.default_rng(seed_sequence("virtual", design.name, "camera", seed))
    draw, instrument = design.camera, design.instrument
    bands, shape = len(instrument.bands), draw.pixels
    y, x = (np.linspace(-1.0, 1.0, count) for count in shape)
    vignette = 1.0 - draw.vignetting * (y[:, None] ** 2 + x[None, :] ** 2) / 2.0
    pixel_gain = 1.0 + rng.normal(0.0, draw.gain_spread, shape)
    dark = np.full(shape, draw.dark_e_per_s)
    hot = rng.random(shape) < draw.hot_share
    dark[hot] += rng.exponential(draw.hot_e_per_s, int(hot.sum()))
    camera = Camera(
        shape=shape,
        pixel_mm=instrument.pixel_mm,
        blur_mm=instrument.blur_mm,
        gain_e_per_count=instrument.gain_e_per_count,
        read_noise_e=instrument.read_noise_e,
        offset_counts=draw.offset_counts,
        full_scale_counts=instrument.full_scale_counts,
        radiance_per_rate=instrument.radiance_per_rate
        * float(np.exp(rng.normal(0.0, instrument.radiance_relative_sd))),
        transmission=np.array([band.transmission for band in instrument.bands]),
        flat=np.broadcast_to(vignette * pixel_gain, (bands, *shape)).copy(),
        dark_e_per_s=dark,
    )
    factors = 1.0 + rng.normal(0.0, draw.band_mismatch, (3, bands))
    return DrawnCamera(camera, factors[0], factors[1], factors[2])


def leakage_radiance(design: Design, /) -> NDArray[np.float64]:
    """Radiance of leaked excitation per unit reflectance, dims (channel,)."""
    instrument = design.instrument
    lamp = photon_irradiance_per_mm2(instrument.excitation_mw_per_cm2, instrument.excitation_nm)
    leak = np.array([band.leakage for band in instrument.bands])
    return lamp * 100.0 / np.pi * 10.0**-design.camera.leak_od * leak


def choose_exposures(
    camera: Camera, radiance: NDArray[np.float64], choices: tuple[float, ...], /
) -> NDArray[np.float64]:
    """Longest exposure per channel that keeps the brightest expected pixel below 60 % of full scale, as an operator would.

    Parameters
    ----------
    camera : Camera
    radiance : ndarray, dims (channel, y, x)
    choices : tuple of float
        Exposures in s.

    Returns
    -------
    ndarray, dims (channel,)
    """
    per_second = predict_electrons(camera, radiance, exposure_s=np.ones(radiance.shape[0])).max(axis=(1, 2))
    room = FULL_SHARE * camera.full_scale_counts * camera.gain_e_per_count
    ordered = np.sort(np.asarray(choices))
    index = np.searchsorted(ordered, room / per_second, side="right") - 1
    return ordered[np.maximum(index, 0)]


def draw_counts(
    camera: Camera,
    radiance: NDArray[np.float64],
    exposure_s: NDArray[np.float64],
    rng: np.random.Generator,
    /,
    *,
    cosmic_per_s: float,
) -> NDArray[np.uint16]:
    """One frame: photon noise, read noise, cosmic rays, saturation, rounding.

    Parameters
    ----------
    camera : Camera
    radiance : ndarray, dims (channel, y, x)
        In ph s-1 cm-2 sr-1.
    exposure_s : ndarray, dims (channel,)
    rng : numpy.random.Generator
    cosmic_per_s : float
        Rays that hit the sensor.

    Returns
    -------
    ndarray of uint16, dims (channel, y, x)
    """
    expected = expected_frame(camera, radiance, exposure_s=exposure_s)
    electrons = rng.poisson(expected.electrons).astype(float)
    electrons += rng.normal(0.0, camera.read_noise_e, electrons.shape)
    for channel, exposure in enumerate(exposure_s):
        for _ in range(rng.poisson(cosmic_per_s * exposure)):
            y, x = (int(rng.integers(count)) for count in camera.shape)
            electrons[channel, y, x] += rng.exponential(15000.0) + 2000.0
    counts = predict_counts(camera, electrons)
    return np.clip(np.rint(counts), 0, camera.full_scale_counts).astype(np.uint16)


def draw_dark(camera: Camera, exposure_s: float, rng: np.random.Generator, /, *, frames: int) -> NDArray[np.uint16]:
    """Mean of dark frames of one exposure, rounded, dims (1, y, x)."""
    electrons = rng.poisson(camera.dark_e_per_s * exposure_s * frames) / frames
    electrons = electrons + rng.normal(0.0, camera.read_noise_e / np.sqrt(frames), camera.shape)
    counts = camera.offset_counts + electrons / camera.gain_e_per_count
    return np.clip(np.rint(counts), 0, camera.full_scale_counts).astype(np.uint16)[None]


def draw_flat(camera: Camera, channel: int, rng: np.random.Generator, /, *, electrons: float) -> NDArray[np.uint16]:
    """Normalised, dark-subtracted flat field with the noise of its collected light, dims (1, y, x)."""
    field = camera.flat[channel]
    noisy = field + rng.normal(0.0, 1.0, field.shape) * np.sqrt(field / electrons)
    return np.rint(noisy * 30000.0).astype(np.uint16)[None]
