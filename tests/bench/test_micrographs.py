"""Contrast, shapes, parting and laws of size, against what is known of them."""

import math

import numpy as np
import pytest
from scipy.ndimage import distance_transform_edt, gaussian_filter
from scipy.optimize import least_squares

from lampyris.bench.micrographs.background import without_spikes
from lampyris.bench.micrographs.contrast import blended, predict_image, predict_profile
from lampyris.bench.micrographs.corners import Ripples, corner_size, corners, hidden_taper
from lampyris.bench.micrographs.find import part_basins
from lampyris.bench.micrographs.legend import legend_rows, scale_bar
from lampyris.bench.micrographs.measure import measure_particles
from lampyris.bench.micrographs.shape_means import Shapes, mean_aspect, mean_circularity
from lampyris.bench.micrographs.shapes import SHAPE_SD, Known, fit_particles, take_off
from lampyris.bench.micrographs.sizes import (
    Diameters,
    fit_sizes,
    geometric,
    mean_interval,
    moments,
    over_images,
    particles_needed,
    spread_interval,
    two_kinds,
    with_common,
)
from lampyris.core.estimate import Estimate
from lampyris.statistics.fitting import FitFlag


@pytest.mark.parametrize("flatness", [0.0, 1.0])
def test_the_profile_is_the_blurred_shape(flatness):
    radius, blur = 100.0, 20.0
    v, u = np.mgrid[-220:221, -220:221]
    inside = np.maximum(1.0 - (u**2 + v**2) / radius**2, 0.0)
    shape = np.sqrt(inside) if flatness == 0 else (inside > 0).astype(float)
    wanted = gaussian_filter(shape, blur, truncate=6.0)[220, 220:]
    found = predict_profile(np.arange(221) / radius, blur / radius, flatness)
    # pixels of a hundredth of the radius
    np.testing.assert_allclose(found, wanted, atol=3e-3)


@pytest.mark.parametrize(("flatness", "blur"), [(0.0, 1.0), (1.0, 1.0), (0.5, 2.5)])
def test_diameters_hang_on_neither_blur_nor_kind(flatness, blur):
    rng = np.random.default_rng(2)
    grid = np.array([(x, y) for x in range(30, 250, 38) for y in range(30, 250, 38)], float)
    radius = rng.normal(9.0, 1.0, len(grid))
    zero = np.zeros(len(grid))
    particles = np.column_stack([grid + rng.uniform(-3, 3, grid.shape), radius, zero, zero, zero + 60.0])
    image = predict_image((256, 256), particles, blur_px=blur, flatness=flatness, background=200.0)
    found = measure_particles((image + rng.normal(0, 2.0, image.shape)).astype(np.float32), brighter=False)
    assert found.used().all() and len(found.kinds) == len(grid)
    order = [int(np.argmin(np.hypot(*(found.parameters[:, :2] - one[:2]).T))) for one in particles]
    # kinks and single precision in a profile stop a search before its end
    assert found.edge.fit is not None and FitFlag.NOT_CONVERGED not in found.edge.fit.flags
    # 36 particles of sd 0.02 px or less each, and an edge known to about 0.3 %
    assert np.mean(found.diameter_px[order] / (2 * radius)) == pytest.approx(1.0, abs=0.01)
    assert np.std(found.diameter_px[order] / (2 * radius)) < 0.01
    # of circles 1; waves that noise adds are taken off
    assert np.mean(found.round.circularity) == pytest.approx(1.0, abs=0.002)
    assert found.corners == "none" and found.edge.fringe() == 0.0


def test_a_particle_is_fitted_as_an_independent_solver_fits_it():
    blur, flatness, pixel_sd, offset_sd = 1.2, 0.15, 6.0, 2.0
    begun = np.array([20.0, 20.0, 7.0, 0.0, 0.0, 90.0, 0.0])

    def image(p):
        return predict_image((41, 41), p[:6], blur_px=blur, flatness=flatness, background=0.0, darker=False)

    noise = np.random.default_rng(3).normal(0.0, pixel_sd, (41, 41))
    seen = (image(np.array([20.4, 19.7, 8.0, 0.1, -0.05, 100.0, 0.0])) + noise).astype(np.float32)
    profile = blended(blur, flatness)
    particles, left = begun[None].copy(), seen.copy()
    take_off(left, particles, profile)
    (told,) = fit_particles(left, particles, np.array([0]), profile, Known(pixel_sd, offset_sd), 50)

    v, u = np.mgrid[:41, :41]
    inside = np.hypot(u - begun[0], v - begun[1]) <= begun[2] + 3.0 * blur + 3.0

    def off(p):
        known = np.array([p[3], p[4], p[6]]) / (SHAPE_SD, SHAPE_SD, offset_sd)
        return np.append(((seen - image(p) - p[6]) / pixel_sd)[inside], known)

    fit = least_squares(off, begun, x_scale=[0.1, 0.1, 0.1, 0.01, 0.01, 1.0, 1.0], diff_step=1e-5)
    inverse = np.linalg.inv(fit.jac.T @ fit.jac)
    # the compiled form draws straight lines between the steps of its table
    assert np.abs((particles[0] - fit.x) / np.sqrt(np.diag(inverse))).max() < 0.05
    assert told[0] * pixel_sd**2 == pytest.approx(inverse[2, 2] / fit.x[2] ** 2, rel=0.03)
    assert told[3] * pixel_sd**2 == pytest.approx(0.5 * (inverse[3, 3] + inverse[4, 4]), rel=0.03)
    assert told[2] == 0.0


def test_necks_part_and_a_single_disc_stays_whole():
    v, u = np.mgrid[:60, :90]

    def pieces(*centres):
        mask = np.zeros(u.shape, bool)
        for x in centres:
            mask |= (u - x) ** 2 + (v - 30) ** 2 < 15**2
        distance = distance_transform_edt(mask)
        order = np.argsort(-distance, axis=None, kind="stable")[: int(mask.sum())].astype(np.int64)
        return np.unique(part_basins(distance, order, 0.75, 0.12)).size - 1

    assert [pieces(30), pieces(30, 55), pieces(30, 36)] == [1, 2, 1]


def test_legend_and_bar_are_found_and_particles_are_not():
    rng = np.random.default_rng(5)
    pixels = rng.integers(60, 200, (200, 300)).astype(np.uint8)
    assert (legend_rows(pixels), scale_bar(pixels)) == (0, None)
    legend = np.zeros((24, 300), np.uint8)
    legend[8:12, 20:110] = 255
    assert legend_rows(np.vstack([pixels, legend])) == 24
    assert scale_bar(np.vstack([pixels, legend]), legend=24).length_px == 90
    pixels[180:184, 150:210] = 0
    assert scale_bar(pixels).length_px == 60


def drawn(rng, count, *, mean=7.0, sd=0.9, noise=0.0):
    nm = rng.normal(mean, sd, count) + rng.normal(0, noise, count)
    return Diameters(nm, np.full(count, noise), np.ones(count))


def test_spreads_hold_whatever_the_law():
    rng = np.random.default_rng(8)
    held = []
    for _ in range(300):
        nm = rng.lognormal(2.0, 0.4, 60)
        one = Diameters(nm, np.zeros(60), np.ones(60))
        width, (middle, factor) = spread_interval(one), geometric(one)
        true = math.exp(2.08) * math.sqrt(math.expm1(0.16))
        held.append(
            (
                width.low < true < width.high,
                middle.low < math.exp(2) < middle.high,
                factor.low < math.exp(0.4) < factor.high,
            )
        )
    # of 300 at 0.95 four standard errors are 0.05; the chi-squared interval of a normal law holds 0.80 of such spreads
    assert np.mean(held, axis=0) == pytest.approx([0.93, 0.95, 0.95], abs=0.05)
    nm = rng.normal(7.0, 0.9, 4000) + rng.normal(0.0, 0.7, 4000)
    assert spread_interval(Diameters(nm, np.full(4000, 0.7), np.ones(4000))).value == pytest.approx(0.9, abs=0.06)


def test_where_one_particle_has_the_weight_no_spread_is_told():
    nm = np.random.default_rng(12).normal(7.0, 0.9, 10)
    for heaviest in (8.0, 30.0):
        one = Diameters(nm, np.full(10, 0.1), np.append(np.ones(9), heaviest))
        spread = spread_interval(one)
        assert spread.value > 0
        assert (spread.low, spread.high) == (0.0, math.inf)
        assert geometric(one)[1].high == math.inf


def test_particles_that_touch_are_one_unit():
    rng = np.random.default_rng(14)
    held = []
    for _ in range(400):
        # pieces of three of like size
        nm = np.repeat(rng.normal(7.0, 0.8, 20), 3) + rng.normal(0.0, 0.5, 60)
        alone = Diameters(nm, np.zeros(60), np.ones(60))
        pieces = Diameters(nm, np.zeros(60), np.ones(60), np.repeat(np.arange(20), 3))
        every = [mean_interval(alone), mean_interval(pieces), spread_interval(alone), spread_interval(pieces)]
        held.append([one.low < true < one.high for one, true in zip(every, (7, 7, 0.943, 0.943), strict=True)])
    alone_mean, mean, alone_sd, sd = np.mean(held, axis=0)
    # of 400 at 0.95 four standard errors are 0.044
    assert (mean, sd) == pytest.approx((0.95, 0.95), abs=0.045)
    assert alone_mean < 0.88 and alone_sd < sd - 0.03
    # a picture's pieces are its own
    assert set(pieces.joined([pieces]).pieces()) == set(range(40))
    # where all alone, or in hardly any piece, particles are the units
    one = Diameters(nm, np.zeros(60), np.ones(60), np.zeros(60, int))
    assert mean_interval(one).high == pytest.approx(mean_interval(alone).high)


def test_an_error_of_scale_takes_no_spread_below_none():
    none = Estimate(0.3, 0.1, 0.0, 0.6, 0.95, "nm", "")
    assert with_common(none, 0.06, "scale").low == 0.0


def shapes(aspect, noise, **given):
    aspect = np.asarray(aspect, float)
    zero = np.zeros(aspect.shape)
    return Shapes(**{"circularity": zero, "aspect": aspect, "tilt_sd": zero + noise, "shared_sd": zero} | given)


def test_the_mean_aspect_is_without_noise():
    rng = np.random.default_rng(9)
    # half-normal logarithms of aspect, noise of either number twice as large as they are
    tilt = np.sinh(np.abs(rng.normal(0.0, 0.05, 4000)))
    seen = np.hypot(tilt + rng.normal(0.0, 0.1, 4000), rng.normal(0.0, 0.1, 4000))
    found = mean_aspect([shapes(np.sqrt(1.0 + seen**2) + seen, 0.1)])
    assert np.mean(np.sqrt(1.0 + seen**2) + seen) > 1.12
    assert found.low < 1.041 < found.high and found.high < 1.09
    # noise as large as the shape leaves a mean of at least 1
    rough = np.hypot(*np.random.default_rng(13).normal(0.0, 0.5, (2, 200)))
    found = mean_aspect([shapes(rough + np.sqrt(1.0 + rough**2), 0.52)])
    assert found.low == 1.0 <= found.value


def test_the_mean_circularity_is_held_next_to_its_bound():
    rng = np.random.default_rng(14)
    # what is off 1 goes with squares of normal numbers
    ends = []
    for noise in (1e-4, 3e-3):
        for _ in range(300):
            values = 1.0 - 1e-3 * rng.chisquare(1, 45) + rng.normal(0.0, noise, 45)
            found = mean_circularity([shapes(np.ones(45), 0.0, circularity=values)])
            assert found.low < found.value <= found.high <= 1.0
            ends.append((found.low, found.high))
    low, high = np.reshape(ends, (2, 300, 2)).transpose(2, 0, 1)
    # Student's interval holds 0.92 without noise; four standard errors of 300 are 0.05
    assert np.mean((low < 0.999) & (high >= 0.999), axis=1) == pytest.approx([0.95, 0.95], abs=0.05)
    one = mean_circularity([shapes(np.ones(45), 0.0, circularity=values, shared_sd=np.full(45, 0.01))])
    assert one.low < found.low - 0.015


def ripples(rng, corner=(0.0,) * 6, *, noise, count=60, shared=0.0):
    """Squares of two numbers a wave: corners of crystals turned at random, and noise."""
    scale = np.sqrt(noise + 2.0 * np.square(corner) * rng.random((count, 6)))
    power = 0.5 * (rng.normal(size=(2, count, 6)) ** 2).sum(axis=0) * scale**2
    full = np.full((count, 6), noise)
    return Ripples(power - noise, full, shared * full)


def test_corners_are_told_from_noise():
    rng = np.random.default_rng(10)
    assert corners(ripples(rng, noise=2e-4, count=100)) == "none"
    assert corners(ripples(rng, noise=2e-3)) == "open"
    assert corners(ripples(rng, noise=2e-4, count=3)) == "open"
    seen = [corners(ripples(rng, noise=6e-4)) == "seen" for _ in range(400)]
    # one in 44, and of 400 at that four standard errors
    assert np.mean(seen) == pytest.approx(1 / 44, abs=0.03)
    # as of cut cubes anyhow turned, whose noise is known well or hardly
    turned = (0, 0.026, 0, 0.014, 0, 0)
    cubes = [ripples(rng, turned, noise=5e-4) for _ in range(40)]
    assert np.mean([corners(one) == "seen" for one in cubes]) > 0.9
    assert corners(ripples(rng, turned, noise=5e-4, shared=0.5)) == "open"
    assert corner_size(cubes[0].joined(cubes[1:])) == pytest.approx(math.hypot(0.026, 0.014), rel=0.1)


def test_one_odd_particle_makes_no_sample_faceted():
    round_ones = ripples(np.random.default_rng(11), noise=2e-4)
    odd = Ripples(np.full((1, 6), 0.05), np.full((1, 6), 2e-4), np.zeros((1, 6)))
    assert corners(round_ones) == "none"
    assert corners(round_ones.joined([odd])) != "seen"


def test_facets_hide_between_nothing_and_the_blur():
    taper = hidden_taper(1.2, 10.0, 0.1, 0.03)
    assert taper.most == pytest.approx(0.12)
    assert taper.usual == pytest.approx(1.8 * 0.03)
    # 95 % of it holds all that may be hidden
    reach = 1.96 * taper.relative_sd() * (1.0 + taper.usual)
    assert reach > max(taper.usual, taper.most - taper.usual)
    assert hidden_taper(1.2, 10.0, 0.1, 0.2).usual == pytest.approx(0.12)
    assert hidden_taper(1.2, 10.0, 1.0, 0.03).most == 0.0


def test_spikes_are_taken_off_and_particles_are_not():
    rng = np.random.default_rng(11)
    pixels = rng.poisson(400, (128, 128)).astype(np.uint16)
    assert without_spikes(pixels)[0] is pixels
    hot = pixels.copy()
    hot[0, 5], hot[40, 60], hot[80, 80] = 60_000, 60_000, 0
    mended, share = without_spikes(hot)
    assert share == 3 / 128**2
    assert abs(mended.astype(float) - 400).max() < 150
    # a picture of shares of the full scale, and one that is even
    shares, share = without_spikes((hot / 65_535).astype(np.float32))
    assert share == 3 / 128**2
    assert abs(65_535 * shares.astype(float) - 400).max() < 150
    assert without_spikes(np.where(hot > 1000, 0.5, 0.0))[1] == 0.0


def test_measuring_noise_is_taken_out_of_the_spread():
    found = fit_sizes(drawn(np.random.default_rng(1), 4000, noise=0.7))[0]
    # standard error of the spread: 0.9 / sqrt(2 n) times (1 + 0.7^2 / 0.9^2), 0.016
    assert found.sd_nm.value == pytest.approx(0.9, abs=0.05)
    assert found.sd_nm.low < 0.9 < found.sd_nm.high


def test_the_law_is_told_and_is_that_of_an_independent_program():
    rng = np.random.default_rng(4)
    nm = rng.lognormal(2.0, 0.4, 800)
    found = fit_sizes(Diameters(nm, np.zeros(800), np.ones(800)))
    assert [one.law for one in found] == ["lognormal", "normal"]
    logs = np.log(nm)
    assert found[0].mean_nm.value == pytest.approx(math.exp(logs.mean() + logs.var() / 2), rel=1e-4)
    assert found[1].sd_nm.value == pytest.approx(nm.std(ddof=1), rel=1e-4)


def test_two_kinds_are_told_only_where_they_are():
    rng = np.random.default_rng(6)
    one = drawn(rng, 200)
    assert two_kinds(one, fit_sizes(one)[0]) is None
    both = one.joined([drawn(rng, 100, mean=12.0, sd=0.8)])
    found = two_kinds(both, fit_sizes(both)[0])
    np.testing.assert_allclose(found.means_nm, [7.0, 12.0], rtol=0.05)
    assert found.shares[1] == pytest.approx(1 / 3, abs=0.05)


def test_the_picture_is_the_unit_over_pictures():
    rng = np.random.default_rng(7)
    shifts = rng.normal(0.0, 1.0, 6)
    images = [drawn(rng, 100, mean=20.0 + shift) for shift in shifts]
    mean, sd = over_images(images)
    every = np.concatenate([one.nm for one in images])
    assert mean.value == pytest.approx(every.mean())
    # of equal pictures leaving one out gives the standard error of their means
    means = [one.nm.mean() for one in images]
    assert mean.sd == pytest.approx(np.std(means, ddof=1) / math.sqrt(6), rel=1e-6)
    assert sd.value == pytest.approx(moments(images[0].joined(images[1:]))[1])


def test_how_many_particles_a_mean_needs():
    # (1.96 * 0.9 / 6.8 / 0.02)^2 = 168.2
    assert particles_needed(6.8, 0.9, 2.0) == 169
