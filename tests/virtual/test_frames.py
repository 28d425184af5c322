"""The drawn camera and its frames: keyed chance, honest noise, exposures that fit."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lampyris.camera.camera import predict_counts, predict_electrons, variance_counts
from lampyris.probe.probe import photon_irradiance_per_mm2
from lampyris.virtual.design import default_design
from lampyris.virtual.frames import (
    FULL_SHARE,
    choose_exposures,
    draw_camera,
    draw_counts,
    draw_dark,
    draw_flat,
    leakage_radiance,
)


def small_design():
    plan = default_design()
    return plan.model_copy(update={"camera": plan.camera.model_copy(update={"pixels": (64, 48)})})


@pytest.fixture(scope="module")
def design():
    return small_design()


@pytest.fixture(scope="module")
def drawn(design):
    return draw_camera(design, seed=1)


def test_the_camera_depends_on_design_and_seed_alone(design, drawn):
    draw_camera(design, seed=9)
    again = draw_camera(design, seed=1)
    assert again.camera.flat.tobytes() == drawn.camera.flat.tobytes()
    assert again.probe_factor.tobytes() == drawn.probe_factor.tobytes()
    assert draw_camera(design, seed=2).camera.flat.tobytes() != drawn.camera.flat.tobytes()


def test_the_drawn_camera_departs_from_its_sheet_by_the_stated_amounts(design):
    cameras = [draw_camera(design, seed=seed) for seed in range(60)]
    scale = np.log([one.camera.radiance_per_rate / design.instrument.radiance_per_rate for one in cameras])
    # sd of 60 draws is known to 9 %, of 540 to 3 %; four of each
    assert scale.std() == pytest.approx(design.instrument.radiance_relative_sd, rel=0.36)
    factors = np.stack([[one.probe_factor, one.autofluorescence_factor, one.leakage_factor] for one in cameras])
    assert factors.std() == pytest.approx(design.camera.band_mismatch, rel=0.12)
    assert factors.mean() == pytest.approx(1.0, abs=6e-4)
    hot = np.mean([(one.camera.dark_e_per_s > 10).mean() for one in cameras])
    # 0.0003 of 184320 pixels are 55
    assert hot == pytest.approx(design.camera.hot_share, rel=0.5)


def test_vignetting_falls_towards_the_corners(design, drawn):
    flat = drawn.camera.flat[0]
    corner, middle = flat[:6, :6].mean(), flat[29:35, 21:27].mean()
    assert middle == pytest.approx(1.0, abs=0.01)
    assert corner == pytest.approx(1.0 - design.camera.vignetting, abs=0.05)


# --- exposures ---------------------------------------------------------------------------------------------------------


@settings(max_examples=50, deadline=None)
@given(
    level=st.floats(5.0, 11.0),
    choices=st.lists(st.floats(0.01, 60.0), min_size=1, max_size=6),
    peak=st.floats(1.0, 50.0),
)
def test_exposures_never_saturate_and_are_the_longest_that_fit(level, choices, peak):
    camera = draw_camera(small_design(), seed=1).camera
    radiance = np.full((3, *camera.shape), 10.0**level)
    radiance[:, 30, 20] *= peak
    chosen = choose_exposures(camera, radiance, tuple(choices))
    electrons = predict_electrons(camera, radiance, exposure_s=chosen)
    rate = predict_electrons(camera, radiance, exposure_s=np.ones(3)).max(axis=(1, 2))
    room = FULL_SHARE * camera.full_scale_counts * camera.gain_e_per_count
    for band in range(3):
        assert chosen[band] in choices
        if electrons[band].max() > room * (1 + 1e-9):
            # nothing fits: then the shortest
            assert chosen[band] == min(choices)
        else:
            longer = [seconds for seconds in choices if seconds > chosen[band]]
            assert all(seconds * rate[band] > room * (1 - 1e-9) for seconds in longer)


def test_the_default_choices_leave_room_above_the_signal(design, drawn):
    rng = np.random.default_rng(1)
    radiance = np.full((3, *drawn.camera.shape), 3e8)
    chosen = choose_exposures(drawn.camera, radiance, design.camera.exposures_s)
    counts = draw_counts(drawn.camera, radiance, chosen, rng, cosmic_per_s=0.0)
    assert counts.max() < 0.7 * 65535


def test_dark_scenes_take_the_longest_exposure(design, drawn):
    quiet = dataclasses.replace(drawn.camera, dark_e_per_s=np.zeros(drawn.camera.shape))
    assert choose_exposures(quiet, np.full((3, *quiet.shape), 1.0), (0.2, 10.0, 1.0)).tolist() == [10.0] * 3


# --- frames ------------------------------------------------------------------------------------------------------------


def test_frames_have_the_predicted_mean_and_variance(drawn):
    camera = drawn.camera
    rng = np.random.default_rng(2)
    radiance = 2e7 * np.linspace(0.2, 3.0, camera.shape[1]) * np.ones((3, camera.shape[0], 1))
    seconds = np.array([0.5, 1.0, 2.0])
    frames = np.stack([draw_counts(camera, radiance, seconds, rng, cosmic_per_s=0.0) for _ in range(200)]).astype(float)
    electrons = predict_electrons(camera, radiance, exposure_s=seconds)
    variance = variance_counts(electrons, gain_e_per_count=camera.gain_e_per_count, read_noise_e=camera.read_noise_e)
    pulls = (frames.mean(axis=0) - predict_counts(camera, electrons)) / np.sqrt(variance / 200)
    # 9216 pixels: mean to 0.01, sd to 0.7 %
    assert abs(pulls.mean()) < 0.05
    assert pulls.std() == pytest.approx(1.0, abs=0.04)
    assert (frames.var(axis=0, ddof=1) / variance).mean() == pytest.approx(1.0, abs=0.01)


def test_full_scale_is_never_passed(drawn):
    counts = draw_counts(
        drawn.camera, np.full((3, *drawn.camera.shape), 1e12), np.ones(3), np.random.default_rng(3), cosmic_per_s=0.0
    )
    assert counts.dtype == np.uint16
    assert (counts == 65535).all()


def test_cosmic_rays_come_at_their_rate_and_hit_single_pixels(drawn):
    rng = np.random.default_rng(4)
    camera = dataclasses.replace(drawn.camera, dark_e_per_s=np.zeros(drawn.camera.shape))
    seconds = np.array([1.0, 4.0, 10.0])
    hits = np.zeros(3)
    for _ in range(40):
        counts = draw_counts(camera, np.zeros((3, *camera.shape)), seconds, rng, cosmic_per_s=0.5)
        # 2000 electrons at least, against a read noise of 5
        hits += (counts > 300 + 1500).sum(axis=(1, 2))
    # 20, 80 and 200 expected
    assert np.abs(hits - 20 * seconds).max() < 4.5 * np.sqrt(200)
    assert hits[0] < hits[1] < hits[2]


def test_darks_are_means_of_dark_frames(drawn):
    rng = np.random.default_rng(5)
    camera = dataclasses.replace(drawn.camera, dark_e_per_s=np.full((200, 150), 40.0), shape=(200, 150))
    for frames in (1, 16):
        dark = draw_dark(camera, 2.0, rng, frames=frames)[0].astype(float)
        assert dark.mean() == pytest.approx(300.0 + 80.0 / 1.2, abs=0.1)
        expected = (80.0 + 25.0) / 1.44 / frames + 1 / 12
        # 30000 pixels: 0.8 %, four of them
        assert dark.var() == pytest.approx(expected, rel=0.04)


def test_flats_are_the_camera_s_with_the_noise_of_their_light(drawn):
    rng = np.random.default_rng(6)
    flat = draw_flat(drawn.camera, 0, rng, electrons=1e4)[0] / 30000.0
    residual = flat / drawn.camera.flat[0] - 1.0
    # photon noise of 10000 electrons is 1 %, a little more in the corners; 3072 pixels
    assert residual.std() == pytest.approx(0.01 * np.sqrt(np.mean(1.0 / drawn.camera.flat[0])), rel=0.06)
    assert abs(residual.mean()) < 1e-3


def test_leakage_is_the_lamp_s_light_through_the_blocking_filter(design):
    found = leakage_radiance(design)
    lamp = photon_irradiance_per_mm2(0.5, 710.0) * 100.0
    # OD 6, Lambertian: a millionth of the photons per cm2 over pi
    assert found == pytest.approx(lamp / np.pi * 1e-6 * np.array([1.0, 0.85, 0.8]), rel=1e-12)
