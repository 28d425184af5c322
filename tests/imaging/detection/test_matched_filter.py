"""The filter: planted spots come back, levels and edges do not matter, white noise has the stated spread."""

import numpy as np
import pytest

from lampyris.imaging.detection.matched_filter import filter_bank, filter_bound, filter_flux, filter_weights
from lampyris.imaging.light.spots import spot_profiles

PIXEL = 0.5
SHAPE = (90, 70)
DEPTHS = (0.5, 2.0, 4.0, 7.0)


@pytest.fixture(scope="module")
def profiles():
    return spot_profiles(DEPTHS, absorption=0.035, reduced_scattering=0.7, refractive_index=1.4, blur_mm=0.35)


@pytest.fixture(scope="module")
def bank(profiles):
    return filter_bank(profiles, SHAPE, pixel_mm=PIXEL)


@pytest.fixture(scope="module")
def body():
    y, x = np.indices(SHAPE)
    return ((y - 45) / 42) ** 2 + ((x - 35) / 32) ** 2 <= 1


def flux_map(bank, template, data, weight, body):
    weights = filter_weights(bank, template, bank.transform(weight), body)
    return weights, filter_flux(bank, template, weights, bank.transform(weight * data))


def spot_image(profiles, template, place, flux):
    y, x = np.indices(SHAPE, dtype=float)
    return flux * profiles.image(template, np.hypot(y - place[0], x - place[1]) * PIXEL)


@pytest.mark.parametrize("template", range(len(DEPTHS)))
@pytest.mark.parametrize("place", [(45, 35), (45, 8), (10, 30)], ids=["middle", "flank", "head"])
def test_a_planted_spot_has_its_true_flux(profiles, bank, body, template, place):
    rng = np.random.default_rng(1)
    weight = body * rng.uniform(0.5, 2.0, SHAPE)
    data = spot_image(profiles, template, place, 37.0) + 5.0
    _, flux = flux_map(bank, template, data, weight, body)
    # rounding of the transforms: sums of 5 times 4000 against a peak of a few
    assert flux[place] == pytest.approx(37.0, rel=1e-8)


def test_the_filter_is_the_weighted_least_squares_fit_in_its_window(profiles, bank, body):
    # the same by an explicit fit of shape and level at a few places, the body's edge included
    rng = np.random.default_rng(2)
    weight = body * rng.uniform(0.5, 2.0, SHAPE)
    data = rng.normal(0.0, 1.0, SHAPE)
    template = 1
    weights, flux = flux_map(bank, template, data, weight, body)
    y, x = np.indices(SHAPE, dtype=float)
    reach = 1.5 * profiles.fwhm_mm[template] + 1.5
    for place in ((45, 35), (45, 4), (5, 35), (80, 50)):
        distance = np.hypot(y - place[0], x - place[1]) * PIXEL
        held = (distance <= reach) & (weight > 0)
        columns = np.stack([profiles.image(template, distance[held]), np.ones(held.sum())])
        normal = (columns * weight[held]) @ columns.T
        expected = np.linalg.solve(normal, (columns * weight[held]) @ data[held])[0]
        assert flux[place] == pytest.approx(expected, rel=1e-8, abs=1e-9)
        assert weights.white[place] == pytest.approx(np.sqrt(np.linalg.inv(normal)[0, 0]), rel=1e-8)


@pytest.mark.parametrize("template", range(len(DEPTHS)))
def test_white_is_the_spread_of_the_flux_in_white_noise(bank, body, template):
    rng = np.random.default_rng(3)
    sd = rng.uniform(0.5, 1.5, SHAPE)
    weight = body / sd**2
    draws = []
    for _ in range(60):
        weights, flux = flux_map(bank, template, rng.normal(0.0, 1.0, SHAPE) * sd, weight, body)
        draws.append((flux / weights.white)[body])
    # 60 draws of at least 20 independent places: 1/sqrt(2 x 1200) = 2 %, three of them
    assert np.std(draws) == pytest.approx(1.0, abs=0.06)
    assert abs(np.mean(draws)) < 0.1


def test_flux_is_linear_and_blind_to_a_level(bank, body):
    rng = np.random.default_rng(4)
    weight = body * 1.0
    one, two = rng.normal(0, 1, (2, *SHAPE))
    fluxes = [flux_map(bank, 2, data, weight, body)[1] for data in (one, two, 3 * one - 2 * two + 50.0)]
    assert fluxes[2] == pytest.approx(3 * fluxes[0] - 2 * fluxes[1], rel=1e-7, abs=1e-6)


def test_nothing_is_said_off_the_body(bank, body):
    weights, flux = flux_map(bank, 0, np.ones(SHAPE), body * 1.0, body)
    assert np.isinf(weights.white[~body]).all()
    assert (flux[~body] == 0).all()
    # where the window holds no weight at all there is no flux either
    nowhere, flux = flux_map(bank, 0, np.ones(SHAPE), np.zeros(SHAPE), body)
    assert not nowhere.usable.any()
    assert (flux == 0).all()
    assert np.isinf(filter_bound(bank, 0, nowhere, bank.transform(np.zeros(SHAPE)))).all()


def test_no_wrap_around_the_frame(profiles, bank):
    # a bright spot at one edge must not be felt at the other
    everywhere = np.ones(SHAPE, bool)
    data = spot_image(profiles, 0, (1, 35), 1e3)
    _, flux = flux_map(bank, 0, data, np.ones(SHAPE), everywhere)
    assert flux[1, 35] == pytest.approx(1e3, rel=1e-6)
    assert np.abs(flux[-8:]).max() < 1e-3 * 1e3


def test_the_bound_holds_what_an_error_of_one_sign_may_feign(profiles, bank, body):
    # any image between 0 and the error feigns at most the bound (without a free level, which only lowers it)
    rng = np.random.default_rng(5)
    error = spot_image(profiles, 2, (45, 35), 20.0) * body
    weight = body * 1.0
    weights = filter_weights(bank, 1, bank.transform(weight), body)
    bound = filter_bound(bank, 1, weights, bank.transform(weight * error))
    feigned = filter_flux(bank, 1, weights, bank.transform(weight * error * rng.random(SHAPE)))
    shape_only = bank.correlate(bank.transform(weight * error * rng.random(SHAPE)), 1, 1) / np.maximum(
        weights.shape_shape, 1e-300
    )
    assert (shape_only[body] <= bound[body] * (1 + 1e-9)).all()
    assert feigned[45, 35] < bound[45, 35]
    assert (bound[body] >= 0).all()


@pytest.mark.parametrize("shape", [(12, 9), (200, 31)], ids=["smaller than the window", "narrow"])
def test_any_image_size(profiles, shape):
    bank = filter_bank(profiles, shape, pixel_mm=PIXEL)
    y, x = np.indices(shape, dtype=float)
    data = 3.0 * profiles.image(3, np.hypot(y - 5, x - 4) * PIXEL) + 1.0
    weights = filter_weights(bank, 3, bank.transform(np.ones(shape)), np.ones(shape, bool))
    flux = filter_flux(bank, 3, weights, bank.transform(data))
    # a window with little of the spot in it is close to a level: digits are lost to that
    assert flux[5, 4] == pytest.approx(3.0, rel=1e-6)
