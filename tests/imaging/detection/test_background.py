"""Background terms and the joint fit: terms come back with spots present, outliers are held, amplitudes stay positive."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from lampyris.core.images import AbundanceMap
from lampyris.imaging.detection.background import background_terms, joint_fit

SHAPE = (80, 60)
PIXEL = 0.5
ERRORS = {"spot_error": 0.5, "organ_error": 0.3}


@pytest.fixture(scope="module")
def body():
    y, x = np.indices(SHAPE)
    return ((y - 40) / 37) ** 2 + ((x - 30) / 26) ** 2 <= 1


@pytest.fixture(scope="module")
def terms(body):
    rng = np.random.default_rng(1)
    glow = 100.0 * np.exp(0.3 * gaussian_filter(rng.standard_normal(SHAPE), 5.0) * 18.0)
    leak = 20.0 * (1.0 + 0.5 * np.cos(np.indices(SHAPE)[1] / 9.0))
    values = np.stack([np.zeros(SHAPE), glow, leak])
    abundance = AbundanceMap(
        values,
        np.ones_like(values),
        values,
        np.zeros(SHAPE, np.uint16),
        ("probe", "autofluorescence", "leakage"),
        PIXEL,
    )
    y, x = np.indices(SHAPE)
    liver = np.exp(-0.5 * (((y - 35) / 9) ** 2 + ((x - 26) / 10) ** 2))
    return background_terms(abundance, body, {"liver": liver / liver.sum(), "tail": np.zeros(SHAPE)})


def spot(y0, x0, sigma=2.0):
    y, x = np.indices(SHAPE)
    return np.exp(-0.5 * ((y - y0) ** 2 + (x - x0) ** 2) / sigma**2)


def draw(terms, body, rng, *, spots=(), organ=0.0, noise=1.0):
    coefficients = np.array([3.0, -2.0, 1.5, 0.7, 4.0, -2.0])
    background = np.tensordot(coefficients, terms.free, 1) + organ * terms.uptake[0]
    data = background + sum((height * one for height, one in spots), np.zeros(SHAPE)) + rng.normal(0, noise, SHAPE)
    return background, data


def test_terms_are_constant_slopes_and_the_other_components(terms, body):
    assert terms.free.shape == (6, *SHAPE)
    assert (terms.free[:, ~body] == 0).all()
    assert (terms.free[0][body] == 1).all()
    # an organ that casts no light on this view is left out
    assert terms.organs == ("liver",)
    assert np.isfinite(terms.free).all()
    # columns that are told apart: the fit is well posed
    columns = terms.free[:, body]
    unit = columns / np.linalg.norm(columns, axis=1)[:, None]
    assert np.linalg.cond(unit @ unit.T) < 1e4


def test_a_bright_spot_in_the_autofluorescence_image_does_not_become_a_term(body):
    rng = np.random.default_rng(2)
    glow = 100.0 + gaussian_filter(rng.standard_normal(SHAPE), 4.0) * 50.0
    stacks = []
    for height in (0.0, 5000.0):
        values = np.stack([np.zeros(SHAPE), glow + height * spot(40, 30)])
        abundance = AbundanceMap(
            values, np.ones_like(values), values, np.zeros(SHAPE, np.uint16), ("probe", "autofluorescence"), PIXEL
        )
        stacks.append(background_terms(abundance, body, {}).free[-1])
    # clipped at 2.5 medians instead of standing 50 medians tall
    assert stacks[1].max() < 2.6
    assert (
        np.abs(stacks[1] - stacks[0])[~(np.hypot(*(np.indices(SHAPE) - np.array([40, 30])[:, None, None])) < 14)].max()
        < 0.1
    )


def test_without_noise_the_background_is_exact(terms, body):
    background, data = draw(terms, body, np.random.default_rng(3), organ=2000.0, noise=0.0)
    fit = joint_fit(data, np.full(SHAPE, 1e-6), body, terms, np.zeros((0, *SHAPE)), **ERRORS)
    # the whisper of shrinkage, 1e-9, times the columns' correlation
    assert np.abs(fit.background - background)[body].max() < 1e-4 * np.ptp(background[body])
    assert fit.organ_flux == pytest.approx([2000.0], rel=1e-4)
    assert fit.amplitudes.shape == (0,)


def test_background_and_spots_come_back_together(terms, body):
    rng = np.random.default_rng(4)
    columns = np.stack([spot(25, 20), spot(50, 38), spot(60, 22)])
    errors, amplitudes, organs = [], [], []
    for _ in range(20):
        background, data = draw(
            terms, body, rng, spots=[(60.0, columns[0]), (20.0, columns[1]), (8.0, columns[2])], organ=3000.0
        )
        fit = joint_fit(data, np.ones(SHAPE), body, terms, columns, **ERRORS)
        errors.append((fit.background - background)[body])
        amplitudes.append(fit.amplitudes)
        organs.append(float(fit.organ_flux[0]))
    # seven smooth terms from 3000 pixels of unit noise: sd 0.05 per pixel on average
    assert np.sqrt(np.mean(np.square(errors))) < 0.1
    # peaks over unit noise with 12 effective pixels: sd 0.3 per draw, 0.07 over 20
    assert np.mean(amplitudes, axis=0) == pytest.approx([60.0, 20.0, 8.0], abs=0.35)
    assert np.mean(organs) == pytest.approx(3000.0, rel=0.1)
    # and if the spots were not fitted the background would swallow some of them
    alone = joint_fit(data, np.ones(SHAPE), body, terms, np.zeros((0, *SHAPE)), **ERRORS)
    assert np.abs(alone.background - background)[body].max() > np.abs(fit.background - background)[body].max()


def test_a_spot_not_yet_fitted_moves_the_background_little(terms, body):
    background, data = draw(terms, body, np.random.default_rng(5), spots=[(200.0, spot(40, 30))])
    fit = joint_fit(data, np.ones(SHAPE), body, terms, np.zeros((0, *SHAPE)), **ERRORS)
    # a least-squares fit without robust weights is off by tens; one tells 0.2 apart
    far = body & (np.hypot(*(np.indices(SHAPE) - np.array([40, 30])[:, None, None])) > 12)
    assert np.abs(fit.background - background)[far].mean() < 1.0


def test_amplitudes_of_organs_and_spots_are_never_negative(terms, body):
    _, data = draw(terms, body, np.random.default_rng(6), spots=[(-30.0, spot(40, 30))], organ=-5000.0)
    fit = joint_fit(data, np.ones(SHAPE), body, terms, spot(40, 30)[None], **ERRORS)
    assert (fit.amplitudes == 0).all()
    assert (fit.organ_flux == 0).all()
    assert (fit.uptake == 0).all()


def test_free_terms_may_be_negative(terms, body):
    data = -50.0 * terms.free[0] - 4.0 * terms.free[1]
    fit = joint_fit(data, np.full(SHAPE, 0.01), body, terms, np.zeros((0, *SHAPE)), **ERRORS)
    assert fit.background[body] == pytest.approx(data[body], rel=1e-5)


@pytest.mark.parametrize("structure", [0.0, 2.0])
def test_pixel_sd_is_the_scatter_beyond_the_frames_noise(terms, body, structure):
    rng = np.random.default_rng(7)
    _, data = draw(terms, body, rng)
    data = data + rng.normal(0.0, structure, SHAPE)
    fit = joint_fit(data, np.ones(SHAPE), body, terms, np.zeros((0, *SHAPE)), **ERRORS)
    # robust sd of 3000 pixels: 2 % of the total; below a fifth of the noise nothing can be told
    if structure:
        assert fit.pixel_sd == pytest.approx(structure, rel=0.08)
    else:
        assert fit.pixel_sd < 0.25
    # the weight is the inverse of both
    assert fit.weight[40, 30] == pytest.approx(1.0 / (1.0 + fit.pixel_sd**2), rel=1e-9)
    assert (fit.weight[~body] == 0).all()


def test_organ_uncertainty_is_the_scatter_of_the_fit(terms, body):
    rng = np.random.default_rng(8)
    found, stated = [], []
    for _ in range(60):
        _, data = draw(terms, body, rng, organ=2000.0)
        fit = joint_fit(data, np.ones(SHAPE), body, terms, np.zeros((0, *SHAPE)), **ERRORS)
        found.append(float(fit.organ_flux[0]))
        stated.append(float(fit.organ_sd[0]))
    # sd of 60 draws is known to 9 %; the stated one holds the organ's shape error besides, which draws here do not have
    assert 0.6 < np.std(found) / np.mean(stated) < 1.25


def test_data_scale_does_not_matter(terms, body):
    # radiances are of the order of 1e8
    _, data = draw(terms, body, np.random.default_rng(9), spots=[(30.0, spot(30, 30))])
    one = joint_fit(data, np.ones(SHAPE), body, terms, spot(30, 30)[None], **ERRORS)
    big = joint_fit(data * 1e8, np.full(SHAPE, 1e16), body, terms, spot(30, 30)[None], **ERRORS)
    assert big.amplitudes == pytest.approx(one.amplitudes * 1e8, rel=1e-6)
    assert big.pixel_sd == pytest.approx(one.pixel_sd * 1e8, rel=1e-6)
