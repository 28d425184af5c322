"""Gain and read noise from ordinary frames of known cameras: inside the stated uncertainty, and none where nothing shows."""

import numpy as np
import pytest

from lampyris.camera.camera import nominal_camera, predict_electrons
from lampyris.camera.photon_transfer import NoiseSamples, noise_samples, sensor_noise
from lampyris.core.settings import Band, Instrument

SHAPE = (256, 208)
OFFSET = 300.0


def frames(*, gain, read, count=6, seed=1, exposure=2.0):
    """Frames of a smooth glowing body on a dim stage, drawn through the package's own camera."""
    band = Band(channel="a", centre_nm=800, width_nm=20)
    instrument = Instrument(
        pixel_mm=0.45,
        gain_e_per_count=gain,
        read_noise_e=read,
        radiance_per_rate=1e5,
        excitation_nm=710,
        excitation_mw_per_cm2=1.0,
        bands=(band,),
    )
    camera = nominal_camera(instrument, SHAPE)
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    body = np.exp(-((((y - 128) / 100) ** 2 + ((x - 104) / 45) ** 2) ** 2))
    rng = np.random.default_rng(seed)
    out = []
    for number in range(count):
        texture = 1 + 0.1 * np.sin(x / 9 + number) * np.cos(y / 11)
        radiance = 1e5 * (20 + 3000 * body * texture)
        electrons = predict_electrons(camera, radiance[None], exposure_s=np.array([exposure]))[0]
        noisy = rng.poisson(electrons) + rng.normal(0, read, SHAPE)
        out.append(np.clip(np.rint(OFFSET + noisy / gain), 0, 65535).astype(np.uint16))
    return out


CASES = {"low gain": (0.4, 5.0), "one": (1.2, 5.0), "high gain": (4.0, 12.0)}


@pytest.mark.parametrize("case", CASES)
def test_a_known_camera_is_found_within_the_stated_uncertainty(case):
    gain, read = CASES[case]
    samples = [noise_samples(frame, highest=65535) for frame in frames(gain=gain, read=read)]
    found = sensor_noise(samples, offset_counts=OFFSET)
    assert found.gain_e_per_count.low < gain < found.gain_e_per_count.high
    assert found.read_noise_e.low <= read <= found.read_noise_e.high
    # a draft is of use where it is better than a factor of 1.3
    assert found.gain_e_per_count.sd < 0.3 * gain


def test_no_frame_changes_by_counting_in_other_units():
    shots = frames(gain=2.0, read=5.0)
    one = sensor_noise([noise_samples(shot) for shot in shots], offset_counts=OFFSET)
    half = sensor_noise([noise_samples(2 * shot.astype(np.uint32)) for shot in shots], offset_counts=2 * OFFSET)
    # but for the rounding of a twelfth of a count squared, twice as many counts mean half the electrons each
    assert half.gain_e_per_count.value == pytest.approx(one.gain_e_per_count.value / 2, rel=0.01)


def test_a_dark_frame_holds_the_read_noise_up():
    # images without a dark place leave the line's foot open
    samples = [noise_samples(frame) for frame in frames(gain=1.0, read=30.0, count=2)]
    dark = np.rint(OFFSET + np.random.default_rng(3).normal(0, 30.0, SHAPE)).astype(np.uint16)
    found = sensor_noise(samples, offset_counts=OFFSET, dark=[noise_samples(dark)])
    assert found.read_noise_e.value == pytest.approx(30.0, rel=0.15)  # its stated standard uncertainty is a tenth


NOTHING = {
    "constant": np.full(SHAPE, 500, np.uint16),
    "too small": np.arange(64, dtype=np.uint16).reshape(8, 8),
    "noise that does not grow": np.random.default_rng(1).normal(500, 3, SHAPE),
    "one row": np.zeros((1, 500), np.uint16),
}


@pytest.mark.parametrize("case", NOTHING)
def test_nothing_is_made_of_nothing(case):
    assert sensor_noise([noise_samples(NOTHING[case])], offset_counts=490.0) is None


def test_no_samples_no_answer():
    assert sensor_noise([], offset_counts=0.0) is None
    assert sensor_noise([NoiseSamples(np.empty(0), np.empty(0))], offset_counts=0.0) is None


def test_saturated_squares_are_left_out():
    shot = frames(gain=1.0, read=5.0, count=1)[0]
    cut = np.minimum(shot, 3000)
    assert noise_samples(cut, highest=3000).mean.max() < 3000
    assert noise_samples(cut, highest=3000).mean.size < noise_samples(cut).mean.size
