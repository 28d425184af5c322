"""Calibration: the inverse of the camera, honest variance, flags for what is no light."""

import dataclasses

import numpy as np
import pytest

from lampyris.camera.camera import nominal_camera, predict_counts, predict_electrons
from lampyris.core.errors import ImageError
from lampyris.core.flags import PixelFlag
from lampyris.core.images import RawImage
from lampyris.imaging.inputs import ViewInput
from lampyris.imaging.radiance.calibrate import (
    lambertian_flux,
    normalised_flat,
    radiance_from_counts,
    radiance_per_count,
    radiance_per_count_rate,
    vendor_4pi_flux,
)
from lampyris.imaging.radiance.sequence import region_light

SHAPE = (48, 40)
EXPOSURE = (2.0, 1.0, 0.5)
FULL = 65535.0


def view_of(counts, *, dark=None, flat=None, photo=None, exposure=EXPOSURE):
    counts = np.asarray(counts)
    missing = (float("nan"),) * 3
    return ViewInput(
        view="dorsal",
        image=RawImage(counts, ("780", "810", "840"), 0.45, exposure, missing, missing),
        exposure_s=exposure,
        photo=np.zeros(counts.shape[1:]) if photo is None else photo,
        dark=np.full(counts.shape, 300.0) if dark is None else dark,
        flat=np.ones(counts.shape) if flat is None else flat,
        file="raw/m01/d00_dorsal.ome.tiff",
    )


@pytest.fixture(scope="module")
def camera(instrument):
    rng = np.random.default_rng(2)
    y, x = (np.linspace(-1, 1, count) for count in SHAPE)
    vignette = 1.0 - 0.25 * (y[:, None] ** 2 + x[None] ** 2) / 2
    return dataclasses.replace(
        nominal_camera(instrument, SHAPE),
        offset_counts=300.0,
        flat=vignette * rng.uniform(0.99, 1.01, (3, *SHAPE)),
        dark_e_per_s=np.full(SHAPE, 0.5),
    )


def dark_of(camera):
    electrons = predict_electrons(camera, np.zeros((3, *SHAPE)), exposure_s=np.array(EXPOSURE))
    return predict_counts(camera, electrons)


def scaled_flat(camera):
    """The flat as it comes back normalised: to the median of its central fifth."""
    height, width = SHAPE
    centre = camera.flat[:, height * 2 // 5 : height * 3 // 5 + 1, width * 2 // 5 : width * 3 // 5 + 1]
    return camera.flat / np.median(centre, axis=(1, 2))[:, None, None]


def flat_counts(level, *, seed=0, sd=30.0):
    rng = np.random.default_rng(seed)
    return level + rng.normal(0.0, sd, (3, *SHAPE))


@pytest.mark.parametrize("scale", [1.0, 30000.0], ids=["flat around one", "flat in counts"])
def test_calibration_inverts_the_camera(camera, instrument, scale):
    camera = dataclasses.replace(camera, blur_mm=0.0, flat=scaled_flat(camera))
    rng = np.random.default_rng(7)
    y = np.linspace(0, 3, SHAPE[0])[:, None]
    radiance = 5e8 * (1.2 + np.sin(y + np.array([0, 1, 2])[:, None, None])) * np.ones((3, *SHAPE))
    radiance *= rng.uniform(0.999, 1.001, radiance.shape)
    counts = predict_counts(camera, predict_electrons(camera, radiance, exposure_s=np.array(EXPOSURE)))
    found = radiance_from_counts(view_of(counts, dark=dark_of(camera), flat=camera.flat * scale), instrument)
    # rounding of sums of ten thousand counts
    assert found.values == pytest.approx(radiance, rel=1e-11)
    assert (found.flags == 0).all()
    assert found.channels == ("780", "810", "840")


@pytest.mark.parametrize("own", [(), (7.0, 8.0, 9.0)], ids=["settings", "the file's own"])
def test_one_factor_for_images_and_sequences(camera, instrument, own):
    rate = radiance_per_count_rate(instrument, own)
    for band, value in zip(instrument.bands, rate, strict=True):
        assert own or value == pytest.approx(
            instrument.gain_e_per_count * instrument.radiance_per_rate / band.transmission, rel=1e-12
        )
    counts = 1300.0 + np.zeros((3, *SHAPE))
    view = dataclasses.replace(view_of(counts, flat=camera.flat), radiance_per_count_rate=own)
    factor = radiance_per_count(view, normalised_flat(camera.flat), instrument)
    # 4e-16 of rounding in a product of four
    assert factor == pytest.approx((rate / EXPOSURE)[:, None, None] / scaled_flat(camera), rel=1e-12)
    assert radiance_from_counts(view, instrument).values == pytest.approx(1000.0 * factor, rel=1e-12)
    light = region_light(view, np.ones(SHAPE, np.uint16), instrument)
    assert light.flux_per_count == pytest.approx(lambertian_flux(1.0, instrument.pixel_mm) * factor, rel=1e-12)


def test_a_dark_image_may_be_a_blank(instrument):
    counts = flat_counts(300.0, sd=2.0)
    with pytest.raises(ImageError, match="no signal"):
        radiance_from_counts(view_of(counts), instrument)
    found = radiance_from_counts(view_of(counts), instrument, may_be_dark=True)
    assert abs(found.values.mean()) < np.sqrt(found.variance).max()


def test_the_unit_is_the_one_that_is_stated(instrument):
    # one electron per second at transmission 1 is radiance_per_rate: 1000 counts x 1.2 e / (2 s x 0.9)
    found = radiance_from_counts(view_of(np.full((3, *SHAPE), 1300.0)), instrument)
    assert found.values[0] == pytest.approx(1000 * 1.2 / (2.0 * 0.9) * 1.2e5, rel=1e-12)
    assert found.values[2] == pytest.approx(1000 * 1.2 / (0.5 * 0.6) * 1.2e5, rel=1e-12)


@pytest.mark.parametrize("level_e", [40.0, 900.0, 30_000.0], ids=["read noise", "both", "photons"])
def test_variance_is_that_of_drawn_frames(instrument, level_e):
    rng = np.random.default_rng(13)
    gain, read, bias, dark_e = 1.2, 5.0, 300.0, 25.0
    shape = (3, 150, 150)

    def frame(light):
        return np.rint(bias + (rng.poisson(light, shape) + rng.normal(0, read, shape)) / gain)

    # an edge of the sensor is cold, so that the bias can be told from the dark current
    hotness = np.where(np.arange(150) < 12, 0.0, dark_e)[None, None]
    counts, dark = frame(level_e + hotness), frame(hotness + np.zeros(shape))
    found = radiance_from_counts(view_of(counts, dark=dark), instrument)
    truth = level_e / (np.array([0.9, 0.9, 0.6]) * np.array(EXPOSURE)) * 1.2e5
    good = (found.flags == 0)[:, :, 20:]
    pulls = ((found.values - truth[:, None, None]) / np.sqrt(found.variance))[:, :, 20:][good]
    # 60000 pulls: their sd is known to 0.3 %. The variance is taken at the measured count, and the dark's level of a single
    # noisy frame above its low percentile: in the dimmest case the two make it up to 12 % too large, never too small
    assert 0.88 < pulls.std() < 1.02
    if level_e > 500:
        assert pulls.std() == pytest.approx(1.0, abs=0.02)
    # the mean is unbiased: rounding cancels
    assert abs(pulls.mean()) < 5.0 / np.sqrt(pulls.size)


def test_dark_noise_counts_twice_where_nothing_shines(instrument):
    counts = np.full((3, *SHAPE), 300.0)
    counts[:, :4] = 5000.0
    found = radiance_from_counts(view_of(counts), instrument)
    factor = 1.2e5 / (0.9 * 2.0)
    # read noise of the frame and of the dark, and the rounding of both
    expected = 2.0 * (25.0 + 1.2**2 / 12.0) * factor**2
    assert found.variance[0, 30, 20] == pytest.approx(expected, rel=1e-12)


def test_the_variance_scales_with_the_flat(instrument):
    flat = np.ones((3, *SHAPE))
    flat[:, :10] = 0.5
    counts = np.full((3, *SHAPE), 300.0)
    counts[:, 20:30] = 9000.0
    found = radiance_from_counts(view_of(counts, flat=flat), instrument)
    assert found.variance[0, 2, 2] == pytest.approx(4.0 * found.variance[0, 14, 2], rel=1e-12)


# --- flags -------------------------------------------------------------------------------------------------------------


def test_saturation_and_its_rim(instrument):
    counts = flat_counts(5000.0)
    counts[1, 20:23, 10:12] = FULL
    found = radiance_from_counts(view_of(counts), instrument)
    saturated = found.flags & PixelFlag.SATURATED != 0
    assert set(zip(*np.nonzero(saturated), strict=True)) == {(1, y, x) for y in (20, 21, 22) for x in (10, 11)}
    bloom = found.flags[1] & PixelFlag.BLOOM != 0
    assert bloom.sum() == 5 * 4 - 6
    assert bloom[19, 9]
    assert not bloom[18, 9]
    # a saturated pixel keeps its lower bound, it is not smoothed away
    assert found.values[1, 21, 11] > 5.0 * np.median(found.values[1])


@pytest.mark.parametrize("share", [0.992, 0.985])
def test_saturation_starts_at_99_per_cent(instrument, share):
    counts = flat_counts(5000.0, sd=0.0)
    counts[0, 10:14, 10:14] = share * FULL
    flags = radiance_from_counts(view_of(counts), instrument).flags
    assert (flags[0, 11, 11] & PixelFlag.SATURATED != 0) == (share > 0.99)


def test_a_wholly_saturated_image_says_so_on_every_pixel(instrument):
    flags = radiance_from_counts(view_of(np.full((3, *SHAPE), FULL)), instrument).flags
    assert (flags & PixelFlag.SATURATED != 0).all()


def test_a_lone_full_pixel_is_a_cosmic_ray(instrument):
    counts = flat_counts(5000.0)
    counts[2, 30, 30] = FULL
    found = radiance_from_counts(view_of(counts), instrument)
    assert found.flags[2, 30, 30] & PixelFlag.COSMIC
    assert not (found.flags & PixelFlag.SATURATED).any()
    assert found.values[2, 30, 30] == pytest.approx(np.median(found.values[2]), rel=0.02)


def test_hot_pixels_are_flagged_mended_and_kept_to_themselves(instrument):
    rng = np.random.default_rng(1)
    dark = 300.0 + rng.normal(0.0, 1.5, (3, *SHAPE))
    dark[:, 12, 17] += 400.0
    # twice as hot in the image as in the dark frame: subtraction alone would leave a star
    counts = flat_counts(2000.0, sd=20.0)
    counts[:, 12, 17] += 800.0
    found = radiance_from_counts(view_of(counts, dark=dark), instrument)
    hot = found.flags & PixelFlag.HOT != 0
    assert np.argwhere(hot).tolist() == [[channel, 12, 17] for channel in range(3)]
    for channel in range(3):
        assert found.values[channel, 12, 17] == pytest.approx(np.median(found.values[channel]), rel=0.03)


def test_a_glowing_corner_of_the_dark_is_not_hot(instrument):
    y, x = np.indices(SHAPE)
    dark = np.broadcast_to(300.0 + 200.0 * np.exp(-np.hypot(y, x) / 10.0), (3, *SHAPE))
    found = radiance_from_counts(view_of(flat_counts(3000.0), dark=dark), instrument)
    assert not (found.flags & PixelFlag.HOT).any()


@pytest.mark.parametrize(
    ("level", "strike"),
    [(2000.0, 20_000.0), (2000.0, 800.0), (20_000.0, 2500.0)],
    ids=["strong", "faint", "faint on bright"],
)
def test_cosmic_rays_are_found(instrument, level, strike):
    rng = np.random.default_rng(21)
    counts = rng.poisson(level * 1.2, (3, *SHAPE)) / 1.2 + 300.0
    places = [(0, 5, 5), (0, 30, 22), (1, 40, 10), (2, 0, 0), (2, 47, 39)]
    for place in places:
        counts[place] += strike
    found = radiance_from_counts(view_of(counts), instrument)
    flagged = {tuple(place) for place in np.argwhere(found.flags & PixelFlag.COSMIC != 0).tolist()}
    assert flagged == set(places)
    for channel, y, x in places:
        # the median of its neighbours: photon noise of 2000 counts is 2 %
        assert found.values[channel, y, x] == pytest.approx(np.median(found.values[channel]), rel=0.06)


def test_noise_alone_is_no_cosmic_ray(instrument):
    rng = np.random.default_rng(22)
    counts = 300.0 + (rng.poisson(500.0, (3, 200, 200)) + rng.normal(0, 5, (3, 200, 200))) / 1.2
    found = radiance_from_counts(view_of(counts), instrument)
    # seven standard deviations above the neighbours' median, over 120000 pixels
    assert not (found.flags & PixelFlag.COSMIC).any()


@pytest.mark.parametrize("peak", [3e3, 5e4], ids=["faint", "bright"])
@pytest.mark.parametrize("shift", [(0.0, 0.0), (0.25, 0.25), (0.4, 0.4), (0.5, 0.0), (0.1, 0.45)])
def test_a_point_of_light_through_the_lens_is_no_cosmic_ray(instrument, peak, shift):
    # the lens' Gaussian, sampled at pixel centres, wherever its centre falls between them
    sigma = instrument.blur_mm / instrument.pixel_mm
    y, x = np.indices(SHAPE)
    counts = np.full((3, *SHAPE), 600.0)
    for row, column in ((12, 12), (30, 25)):
        squared = (y - row - shift[0]) ** 2 + (x - column - shift[1]) ** 2
        counts += peak * np.exp(-0.5 * squared / sigma**2)
    found = radiance_from_counts(view_of(counts), instrument)
    assert not (found.flags & PixelFlag.COSMIC).any()


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_no_number_is_flagged_and_mended(instrument, value):
    counts = flat_counts(4000.0)
    counts[1, 8, 9] = value
    found = radiance_from_counts(view_of(counts), instrument)
    assert np.argwhere(found.flags & PixelFlag.NOT_FINITE != 0).tolist() == [[1, 8, 9]]
    assert np.isfinite(found.values).all()
    assert np.isfinite(found.variance).all()
    assert found.values[1, 8, 9] == pytest.approx(np.median(found.values[1]), rel=0.03)


def test_a_block_without_good_neighbours_is_still_finite(instrument):
    counts = flat_counts(4000.0)
    counts[0, 10:20, 10:20] = np.nan
    found = radiance_from_counts(view_of(counts), instrument)
    assert np.isfinite(found.values).all()
    # what cannot be known is given the largest variance of the band, not a small one
    assert found.variance[0, 15, 15] >= np.quantile(found.variance[0], 0.99)


def test_dim_corners_of_the_flat_are_flagged(instrument):
    flat = np.ones((3, *SHAPE))
    flat[:, 0, 0], flat[:, 0, 5] = 0.15, 0.25
    counts = 300.0 + 5000.0 * flat
    found = radiance_from_counts(view_of(counts, flat=flat), instrument)
    assert (found.flags[:, 0, 0] & PixelFlag.LOW_FLAT).all()
    assert (found.flags[:, 0, 5] & PixelFlag.LOW_FLAT == 0).all()


# --- refusals ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"dark": np.zeros((3, 48, 41))}, "dark frame"),
        ({"dark": np.zeros((1, 48, 40))}, "dark frame"),
        ({"flat": np.ones((3, 40, 48))}, "flat field"),
        ({"photo": np.zeros((24, 20))}, "photograph"),
    ],
    ids=["dark wider", "dark of one band", "flat turned", "photograph binned"],
)
def test_misfits_are_refused_with_their_name_and_both_shapes(instrument, change, word):
    with pytest.raises(ImageError) as error:
        radiance_from_counts(view_of(flat_counts(2000.0), **change), instrument)
    (finding,) = error.value.findings
    assert finding.rule == "image.shape"
    assert word in finding.seen
    assert "48" in finding.seen
    assert finding.place.file == "raw/m01/d00_dorsal.ome.tiff"
    assert finding.mend


def test_all_misfits_are_named_at_once(instrument):
    wrong = view_of(flat_counts(2000.0), dark=np.zeros((3, 1, 1)), flat=np.ones((3, 1, 1)), photo=np.zeros((1, 1)))
    with pytest.raises(ImageError) as error:
        radiance_from_counts(wrong, instrument)
    assert len(error.value.findings) == 3


@pytest.mark.parametrize(
    ("counts", "rule"),
    [
        (np.full((3, *SHAPE), 300.0), "image.empty"),
        (np.zeros((3, *SHAPE)), "image.empty"),
        (np.full((3, *SHAPE), np.nan), "image.not-finite"),
    ],
    ids=["as dark", "zeros", "no number"],
)
def test_images_without_signal_are_refused(instrument, counts, rule):
    with pytest.raises(ImageError) as error:
        radiance_from_counts(view_of(counts), instrument)
    assert [finding.rule for finding in error.value.findings] == [rule]


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"flat": np.zeros((3, *SHAPE))}, "flat field"),
        ({"flat": np.full((3, *SHAPE), np.nan)}, "flat field"),
        ({"dark": np.full((3, *SHAPE), np.nan)}, "dark frame"),
    ],
    ids=["flat of zeros", "flat without numbers", "dark without numbers"],
)
def test_useless_calibration_frames_are_refused(instrument, change, word):
    with pytest.raises(ImageError) as error:
        radiance_from_counts(view_of(flat_counts(2000.0), **change), instrument)
    assert any(word in finding.seen for finding in error.value.findings)


# --- the two fluxes ----------------------------------------------------------------------------------------------------


def test_lambertian_and_vendor_flux_are_kept_apart():
    # a 2 cm2 patch of radiance 5: pi L A and 4 pi L A
    pixels, pixel_mm = 200, 1.0
    assert lambertian_flux(5.0 * pixels, pixel_mm) == pytest.approx(np.pi * 5.0 * 2.0)
    assert vendor_4pi_flux(5.0 * pixels, pixel_mm) == pytest.approx(4 * np.pi * 5.0 * 2.0)


def test_flux_does_not_depend_on_binning():
    # half the pitch, four times the pixels
    assert lambertian_flux(7.0 * 400, 0.5) == pytest.approx(lambertian_flux(7.0 * 100, 1.0))
