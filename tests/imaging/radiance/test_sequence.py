"""One pass over frames: the numbers are NumPy's, the storage does not show, and each fault is found where it was put."""

import dataclasses
import math

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter, shift

from lampyris.core.errors import ImageError
from lampyris.core.frames import FrameStream
from lampyris.core.images import RawImage
from lampyris.imaging.inputs import ViewInput
from lampyris.imaging.radiance.calibrate import lambertian_flux, radiance_from_counts
from lampyris.imaging.radiance.sequence import RegionLight, clock_findings, reduce_frames, region_light

RNG = np.random.default_rng(12)
SHAPE = (48, 60)


def stream_of(frames, *, times_s=(), numbers=()):
    frames = np.asarray(frames)
    count, channels = frames.shape[:2]
    missing = (math.nan,) * channels
    return FrameStream(
        file="raw/m01.tif",
        shape=frames.shape[1:],
        dtype=frames.dtype,
        count=count,
        channels=tuple(map(str, range(channels))),
        pixel_mm=0.2,
        exposure_s=(0.5,) * channels,
        excitation_nm=missing,
        emission_nm=missing,
        opened=lambda: iter(frames),
        times_s=np.array(times_s, float),
        numbers=np.array(numbers, int),
    )


def noisy(count=12, channels=1, level=400.0):
    return RNG.poisson(level, (count, channels, *SHAPE)).astype(np.uint16)


def textured(seed=3):
    texture = gaussian_filter(np.random.default_rng(seed).normal(size=(120, 140)), 3.0)
    return 2000.0 + 8000.0 * (texture - texture.min())


def rules(findings):
    return [finding.rule for finding in findings]


@pytest.mark.parametrize("dtype", ["u1", "u2", "u4", "f4", "f8"])
def test_mean_and_variance_are_numpys(dtype):
    frames = noisy(40, 2, level=100.0).astype(dtype)
    found = reduce_frames(stream_of(frames))
    exact = frames.astype(np.float64)
    # a few roundings of double precision
    np.testing.assert_allclose(found.mean, exact.mean(axis=0), rtol=1e-13)
    np.testing.assert_allclose(found.variance, exact.var(axis=0, ddof=1), rtol=1e-11)
    np.testing.assert_array_equal(found.largest, exact.max(axis=0))
    assert (found.count, found.flux.shape, found.findings) == (40, (40, 0, 2), ())


def test_a_small_variance_on_a_high_level_is_kept():
    frames = 4e9 + RNG.normal(0.0, 1.0, (50, 1, *SHAPE))
    found = reduce_frames(stream_of(frames))
    np.testing.assert_allclose(found.variance, frames.var(axis=0, ddof=1), rtol=1e-6)


def test_one_frame_has_no_variance():
    found = reduce_frames(stream_of(noisy(1)))
    assert np.isnan(found.variance).all()


def test_noise_of_the_mean_falls_with_the_number_of_frames():
    """Photon transfer: variance of counts at gain 1 is their mean; that of the mean is n times less."""
    frames = noisy(200)
    found = reduce_frames(stream_of(frames))
    # 2880 pixels: 2.6 % of sampling error for a variance, five of them here
    assert found.variance.mean() == pytest.approx(400.0, rel=0.13)
    assert found.mean.var() == pytest.approx(400.0 / 200, rel=0.13)


def test_calibration_of_a_mean_states_the_noise_of_a_mean(instrument):
    """The scatter between means of 16 frames is the variance that the calibration gives to one."""
    bands, frames = len(instrument.bands), 16
    gain, noise = instrument.gain_e_per_count, instrument.read_noise_e
    unknown = (math.nan,) * bands
    dark, flat = np.full((bands, *SHAPE), 300.0), np.ones((bands, *SHAPE))

    def calibrated(counts, number):
        image = RawImage(counts, ("780", "810", "840"), 0.45, unknown, unknown, unknown, frames=number)
        return radiance_from_counts(ViewInput("dorsal", image, (1.0,) * bands, None, dark, flat, "x"), instrument)

    values, variances = [], []
    for _ in range(30):
        electrons = RNG.poisson(800.0, (frames, bands, *SHAPE)) + RNG.normal(0.0, noise, (frames, bands, *SHAPE))
        counts = np.rint(300.0 + electrons / gain).mean(axis=0)
        mean, single = calibrated(counts, frames), calibrated(counts, 1)
        # the dark frame's own noise is in both; here it has none
        of_dark = (frames * mean.variance - single.variance) / (frames - 1)
        assert (of_dark > 0).all()
        values.append(mean.values)
        variances.append(mean.variance - of_dark)
    # 30 values in each of thousands of pixels: the sampling error is below a percent
    assert np.var(values, axis=0, ddof=1).mean() == pytest.approx(np.mean(variances), rel=0.02)
    image = RawImage(counts, ("780", "810", "840"), 0.45, unknown, unknown, unknown)
    with pytest.raises(ValueError, match="frames is 0"):
        dataclasses.replace(image, frames=0)


def test_time_course_is_the_calibrations_flux(instrument):
    bands = len(instrument.bands)
    frames = RNG.poisson(900.0, (5, bands, *SHAPE)).astype(np.uint16)
    labels = np.zeros(SHAPE, np.uint16)
    labels[5:15, 5:15], labels[30:33, 40:50] = 1, 3
    # smooth: the calibration would take single bright pixels for cosmic rays, and mend them
    flat = np.broadcast_to(np.linspace(0.8, 1.2, SHAPE[1]), (bands, *SHAPE))
    unknown = (math.nan,) * bands
    view = ViewInput(
        view="dorsal",
        image=RawImage(frames[0], tuple(map(str, range(bands))), 0.2, unknown, unknown, unknown),
        exposure_s=tuple(0.5 + 0.5 * band for band in range(bands)),
        photo=None,
        dark=np.full((bands, *SHAPE), 300.0),
        flat=flat,
        file="x",
    )
    found = reduce_frames(stream_of(frames), light=region_light(view, labels, instrument))
    assert found.flux.shape == (5, 3, bands)
    assert (found.flux[:, 1] == 0).all()
    for number, frame in enumerate(frames):
        shown = dataclasses.replace(view, image=dataclasses.replace(view.image, counts=frame))
        radiance = radiance_from_counts(shown, instrument)
        for region in (1, 3):
            inside = labels == region
            whole = np.array([lambertian_flux(values[inside].sum(), instrument.pixel_mm) for values in radiance.values])
            np.testing.assert_allclose(found.flux[number, region - 1], whole, rtol=1e-9)
            spread = radiance.variance[:, inside].sum(axis=1) * lambertian_flux(1.0, instrument.pixel_mm) ** 2
            # the calibration adds the read noise and rounding of the dark frame, the same for all frames
            assert (found.flux_variance[number, region - 1] < spread).all()
            assert (found.flux_variance[number, region - 1] > 0.8 * spread).all()


def test_uncertainty_of_a_course_is_its_scatter():
    """Four hundred frames of a steady source: the scatter of the flux is the variance that each frame states."""
    gain, noise = 2.0, 3.0
    electrons = RNG.poisson(500.0, (400, 1, 20, 20)) + RNG.normal(0.0, noise, (400, 1, 20, 20))
    frames = np.rint(100.0 + electrons / gain).astype(np.uint16)
    light = RegionLight(
        np.ones((20, 20), np.uint16), np.full((1, 20, 20), 100.0), np.full((1, 20, 20), 3.0), gain, noise
    )
    found = reduce_frames(stream_of(frames), light=light)
    # the standard deviation of a variance of 400 values is 7 %; three of them
    assert found.flux[:, 0, 0].var(ddof=1) == pytest.approx(found.flux_variance[:, 0, 0].mean(), rel=0.21)
    assert found.flux.mean() == pytest.approx(400 * 250.0 * 3.0, rel=1e-3)


def test_a_coefficient_of_the_file_wins(instrument):
    bands = len(instrument.bands)
    ones = np.ones((bands, *SHAPE))
    unknown = (math.nan,) * bands
    image = RawImage(ones, tuple(map(str, range(bands))), 0.2, unknown, unknown, unknown)
    view = ViewInput(
        "dorsal", image, (2.0,) * bands, None, 0 * ones, ones, "x", radiance_per_count_rate=(10.0,) * bands
    )
    light = region_light(view, np.ones(SHAPE, np.uint16), instrument)
    np.testing.assert_allclose(light.flux_per_count, lambertian_flux(10.0 / 2.0, instrument.pixel_mm))


@pytest.mark.parametrize(("down", "right"), [(0.0, 0.0), (3.0, -5.0), (-2.4, 0.7), (11.0, 8.5)])
def test_drift(down, right):
    scene = textured()
    frames = [RNG.poisson(one)[None] for one in (scene, shift(scene, (down, right), order=3, mode="nearest"))]
    found = reduce_frames(stream_of(np.array(frames, np.uint16)))
    # the window holds the scene's edge still, which draws the peak a little towards zero
    np.testing.assert_allclose(found.shift_px, [(0, 0), (down, right)], atol=0.35)
    assert ("sequence.moved" in rules(found.findings)) == (math.hypot(down, right) > 2.0)


def test_drift_of_a_large_frame_is_told_in_its_pixels():
    scene = np.kron(textured(), np.ones((8, 8)))
    frames = [scene[None, 16:, 16:].astype(np.uint16), scene[None, :-16, :-16].astype(np.uint16)]
    found = reduce_frames(stream_of(frames))
    # a tenth of a pixel of the coarser grid, which is three pixels wide
    np.testing.assert_allclose(found.shift_px[1], (16, 16), atol=1.0)


def test_noise_alone_has_no_place():
    found = reduce_frames(stream_of(noisy()))
    assert np.isnan(found.shift_px[1:]).all()
    assert found.findings == ()


def test_copies_and_blank_frames_are_named():
    frames = noisy(9)
    frames[5], frames[8], frames[3] = frames[4], frames[1], 7
    findings = reduce_frames(stream_of(frames)).findings
    assert rules(findings) == ["sequence.duplicate", "sequence.blank"]
    assert "2 are copies" in findings[0].seen
    assert "frames 6, 9" in findings[0].seen
    assert "frames 4)" in findings[1].seen
    assert all(finding.place.file == "raw/m01.tif" and finding.mend for finding in findings)


CLOCKS = {
    "even": ([0, 1, 2, 3, 4, 5], (), []),
    "a little uneven": ([0, 1.01, 1.99, 3, 4.02, 5], (), []),
    "three dropped": ([0, 1, 2, 5, 6, 8], (), ["sequence.dropped"]),
    "backwards": ([0, 1, 2, 1.5, 3, 4], (), ["sequence.clock"]),
    "summer time": ([0, 1, 2, -3597, -3596, -3595], (), ["sequence.clock"]),
    "equal stamps": ([0, 1, 1, 2, 3, 4], (), ["sequence.stamps"]),
    "no times": ((), (), []),
    "numbers from 8": ((), [8, 9, 10, 11, 12, 13], []),
    "numbers with a gap": ((), [8, 9, 10, 13, 14, 15], ["sequence.dropped"]),
    "numbers in disorder": ((), [8, 10, 9, 11, 12, 13], ["sequence.order", "sequence.dropped"]),
}


@pytest.mark.parametrize("case", CLOCKS)
def test_clock(case):
    times, numbers, expected = CLOCKS[case]
    findings = clock_findings(stream_of(noisy(6), times_s=times, numbers=numbers))
    assert rules(findings) == expected
    if case == "three dropped":
        assert findings[0].seen.startswith("3 frames are missing")


def test_what_does_not_fit_is_refused():
    stream = stream_of(noisy(3))
    short = dataclasses.replace(stream, count=4, numbers=np.arange(4))
    with pytest.raises(ImageError):
        reduce_frames(short)
    with pytest.raises(ImageError):
        reduce_frames(
            dataclasses.replace(stream, count=2, numbers=np.arange(2), opened=lambda: iter([np.ones((1, 2, 2))] * 2))
        )
    light = RegionLight(np.ones((2, 2), np.uint16), np.ones((1, 2, 2)), np.ones((1, 2, 2)), 1.0, 1.0)
    with pytest.raises(ValueError, match="regions have shape"):
        reduce_frames(stream, light=light)
    with pytest.raises(ValueError, match="3 times"):
        stream_of(noisy(2), times_s=[0, 1, 2])
