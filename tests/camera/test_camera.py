"""The camera: photon transfer, blur, clipping, linearity."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lampyris.camera.camera import Camera, lens_blur, nominal_camera, predict_counts, predict_electrons, variance_counts
from lampyris.core.settings import Band, Instrument

SHAPE = (24, 20)


@pytest.fixture(scope="module")
def instrument():
    return Instrument(
        pixel_mm=0.5,
        gain_e_per_count=1.3,
        read_noise_e=4.0,
        radiance_per_rate=2e5,
        blur_mm=0.4,
        excitation_nm=710,
        excitation_mw_per_cm2=0.5,
        bands=(
            Band(channel="a", centre_nm=780, width_nm=20, transmission=0.9, autofluorescence=1.0),
            Band(channel="b", centre_nm=820, width_nm=20, transmission=0.5, autofluorescence=1.0),
        ),
    )


@pytest.fixture(scope="module")
def camera(instrument):
    rng = np.random.default_rng(3)
    plain = nominal_camera(instrument, SHAPE)
    return dataclasses.replace(
        plain,
        offset_counts=250.0,
        flat=rng.uniform(0.5, 1.0, (2, *SHAPE)),
        dark_e_per_s=rng.uniform(0.0, 3.0, SHAPE),
    )


@pytest.mark.parametrize(
    ("electrons", "gain", "read_noise"),
    [(0.0, 1.2, 5.0), (30.0, 1.0, 0.0), (400.0, 2.5, 3.0), (20000.0, 0.8, 12.0)],
    ids=["dark", "few photons", "read noise and photons", "bright"],
)
def test_photon_transfer(electrons, gain, read_noise):
    # the sensor, drawn: photons, read noise, conversion, rounding
    rng = np.random.default_rng(1)
    draws = 400_000
    counts = np.rint(300.0 + (rng.poisson(electrons, draws) + rng.normal(0.0, read_noise, draws)) / gain)
    expected = variance_counts(np.array(electrons), gain_e_per_count=gain, read_noise_e=read_noise)
    # the sample variance of n values has a relative standard deviation of sqrt(2/n), a little more for few photons
    assert counts.var() == pytest.approx(float(expected), rel=5.0 * np.sqrt(2.1 / draws))


def test_the_transfer_curve_gives_the_gain_back():
    electrons = np.array([1e3, 5e4])
    variance = variance_counts(electrons, gain_e_per_count=1.7, read_noise_e=9.0)
    slope = np.diff(variance) / np.diff(electrons / 1.7)
    # variance over mean in counts is one over the gain
    assert slope == pytest.approx(1.0 / 1.7, rel=1e-12)


def test_negative_electrons_have_read_noise_only():
    low, none = (variance_counts(np.array([e]), gain_e_per_count=2.0, read_noise_e=6.0) for e in (-50.0, 0.0))
    assert low == none == pytest.approx(9.0 + 1.0 / 12.0)


def test_blur_keeps_the_sum_away_from_edges():
    image = np.zeros((61, 61))
    image[30, 30] = 7.0
    image[25, 33] = 2.0
    blurred = lens_blur(image, sigma_px=2.0)
    # rounding of a normalised kernel
    assert blurred.sum() == pytest.approx(9.0, rel=1e-12)
    assert (blurred >= 0).all()


def test_blur_is_a_gaussian_of_the_stated_width():
    image = np.zeros((61, 61))
    image[30, 30] = 1.0
    blurred = lens_blur(image, sigma_px=2.5)
    offset = np.arange(61) - 30.0
    # second moment along y; a sampled Gaussian cut at five sigma loses less than 1e-4 of it
    assert (blurred.sum(axis=1) * offset**2).sum() == pytest.approx(2.5**2, rel=1e-3)
    assert blurred[30, 35] / blurred[30, 30] == pytest.approx(np.exp(-0.5 * (5 / 2.5) ** 2), rel=1e-9)


def test_blur_leaves_an_even_field_and_the_channels_apart():
    field = np.stack([np.full((9, 9), 3.0), np.zeros((9, 9))])
    blurred = lens_blur(field, sigma_px=1.0)
    assert blurred[0] == pytest.approx(3.0, rel=1e-12)
    assert (blurred[1] == 0).all()
    assert lens_blur(field, sigma_px=0.0) is field


@settings(max_examples=25, deadline=None)
@given(a=st.floats(0.0, 1e3), b=st.floats(0.0, 1e3))
def test_electrons_are_linear_in_radiance(a, b):
    rng = np.random.default_rng(4)
    camera = Camera(
        (6, 5),
        0.5,
        0.4,
        1.0,
        3.0,
        100.0,
        65535.0,
        1e5,
        np.array([0.9]),
        rng.uniform(0.3, 1, (1, 6, 5)),
        np.ones((6, 5)),
    )
    one, two = rng.random((2, 1, 6, 5)) * 1e7
    seconds = np.array([2.0])
    dark = predict_electrons(camera, np.zeros((1, 6, 5)), exposure_s=seconds)
    signal = [predict_electrons(camera, image, exposure_s=seconds) - dark for image in (one, two, a * one + b * two)]
    # rounding of sums of 200 million electrons at most
    assert signal[2] == pytest.approx(a * signal[0] + b * signal[1], rel=1e-9, abs=1e-6)


def test_electrons_of_an_even_field_follow_the_definition(camera):
    radiance = np.full((2, *SHAPE), 6e5)
    seconds = np.array([0.5, 4.0])
    electrons = predict_electrons(camera, radiance, exposure_s=seconds)
    for band, transmission in enumerate((0.9, 0.5)):
        expected = (6e5 * transmission / 2e5 * camera.flat[band] + camera.dark_e_per_s) * seconds[band]
        assert electrons[band] == pytest.approx(expected, rel=1e-12)


def test_dark_current_grows_with_exposure_and_is_not_blurred(camera):
    nothing = np.zeros((2, *SHAPE))
    electrons = predict_electrons(camera, nothing, exposure_s=np.array([1.0, 10.0]))
    assert electrons[0] == pytest.approx(camera.dark_e_per_s)
    assert electrons[1] == pytest.approx(10.0 * camera.dark_e_per_s)


def test_counts_start_at_the_offset_and_stop_at_full_scale(camera):
    electrons = np.array([0.0, 1.3, 1.3e3, 1e9])
    assert predict_counts(camera, electrons) == pytest.approx([250.0, 251.0, 1250.0, 65535.0])


def test_nan_radiance_stays_visible(camera):
    radiance = np.full((2, *SHAPE), 1e5)
    radiance[0, 3, 3] = np.nan
    counts = predict_counts(camera, predict_electrons(camera, radiance, exposure_s=np.ones(2)))
    assert np.isnan(counts[0, 3, 3])
    assert np.isfinite(counts[1]).all()


def test_the_nominal_camera_is_the_data_sheet(instrument):
    camera = nominal_camera(instrument, SHAPE)
    assert (camera.flat == 1).all()
    assert (camera.dark_e_per_s == 0).all()
    assert camera.transmission == pytest.approx([0.9, 0.5])
    assert (camera.gain_e_per_count, camera.read_noise_e, camera.full_scale_counts) == (1.3, 4.0, 65535.0)
