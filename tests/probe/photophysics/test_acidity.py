"""Emission and pH: the curve, its inverse with interval, and its calibration."""

import math

import numpy as np
import pytest

from lampyris.core.errors import InputError
from lampyris.core.estimate import Estimate
from lampyris.probe.photophysics import AcidityResponse, fit_acidity_response, ph_from_signal, response, signal_at_ph


def number(value, sd=0.0):
    return Estimate(value, sd, value - 2 * sd, value + 2 * sd, 0.95, "1", "given")


def curve(sd=0.0, **options):
    return AcidityResponse(number(1.0, sd), number(3.0, sd), number(6.5, sd), number(1.0, sd), **options)


def test_curve_is_henderson_and_hasselbalchs():
    # one unit above pK ten of eleven groups have lost their proton
    assert response(7.5, 0.0, 1.0, 6.5, 1.0) == pytest.approx(10.0 / 11.0, rel=1e-12)
    assert response(6.5, 1.0, 3.0, 6.5, 2.0) == 2.0
    assert response([-1.0, 15.0], 1.0, 3.0, 6.5, 9.0) == pytest.approx([1.0, 3.0], abs=1e-12)


@pytest.mark.parametrize("ph", [3.0, 5.0, 6.5, 7.4, 9.5])
def test_reading_is_the_inverse_of_predicting(ph):
    signal = signal_at_ph(curve(), ph)
    assert ph_from_signal(curve(), signal).value == pytest.approx(ph, abs=1e-9)


def test_a_falling_response_is_read_as_well():
    falling = AcidityResponse(number(3.0), number(1.0), number(6.5), number(1.0))
    assert ph_from_signal(falling, signal_at_ph(falling, 7.0)).value == pytest.approx(7.0, abs=1e-9)


def test_interval_widens_towards_the_flat_ends():
    widths = [
        (found.high - found.low)
        for found in (ph_from_signal(curve(0.02), number(one, 0.02)) for one in (2.0, 2.5, 2.9, 2.97))
    ]
    assert widths == sorted(widths)
    near_end = ph_from_signal(curve(0.02), number(2.99, 0.02))
    # a draw beyond the plateau counts as the end of the calibration
    assert near_end.high == 12.0


def test_interval_holds_the_truth_as_often_as_it_says():
    rng = np.random.default_rng(11)
    held = 0
    for _ in range(200):
        seen = float(response(7.0, 1.0, 3.0, 6.5, 1.0)) + 0.05 * rng.standard_normal()
        found = ph_from_signal(curve(), number(seen, 0.05), seed=1, draws=2000)
        held += found.low <= 7.0 <= found.high
    # 95 % of 200 with a binomial standard deviation of 3
    assert 180 <= held <= 199


def test_same_seed_same_interval():
    assert ph_from_signal(curve(0.02), 2.0, seed=4) == ph_from_signal(curve(0.02), 2.0, seed=4)


def test_calibration_finds_the_curve_that_made_it():
    rng = np.random.default_rng(5)
    ph = np.repeat(np.arange(4.0, 10.1, 0.5), 3)
    signal = response(ph, 100.0, 340.0, 6.8, 0.9) + 4.0 * rng.standard_normal(ph.size)
    found, fit = fit_acidity_response(ph, signal, unit="counts")
    for one, truth in ((found.acid, 100.0), (found.base, 340.0), (found.midpoint, 6.8), (found.steepness, 0.9)):
        # one fixed draw of noise: within three standard errors
        assert abs(one.value - truth) < 3 * one.sd
    assert (found.low_ph, found.high_ph) == (4.0, 10.0)
    assert fit["midpoint"].unit == "pH"


def test_calibration_without_noise_is_exact_also_when_falling():
    ph = np.arange(4.0, 10.1, 0.5)
    found, _ = fit_acidity_response(ph, response(ph, 340.0, 100.0, 6.2, 1.0), hill=False)
    assert found.midpoint.value == pytest.approx(6.2, abs=1e-5)
    assert found.steepness.value == 1.0


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: signal_at_ph(curve(low_ph=4.0, high_ph=9.0), 3.0), "range of the calibration"),
        (lambda: signal_at_ph(curve(), math.nan), "ph must be"),
        (lambda: ph_from_signal(curve(low_ph=4.0, high_ph=9.0), 1.0), "lies outside"),
        (lambda: ph_from_signal(curve(), 5.0), "lies outside"),
        (lambda: ph_from_signal(curve(), math.nan), "lies outside"),
        (lambda: AcidityResponse(number(1.0), number(1.0), number(6.5), number(1.0)), "nothing depends on pH"),
        (lambda: AcidityResponse(number(1.0), number(2.0), number(6.5), number(0.0)), "steepness must be above 0"),
        (lambda: curve(low_ph=9.0, high_ph=4.0), "high_ph must be"),
        (lambda: fit_acidity_response([], []), "holds no value"),
        (lambda: fit_acidity_response([5, 6, 7], [1, 2, 3]), "points or more are needed"),
        (lambda: fit_acidity_response([5, 6, 7, 8, 9], [2, 2, 2, 2, 2]), "all signals are 2"),
        (lambda: fit_acidity_response([5, 6, 7, 8, np.nan], [1, 2, 3, 4, 5]), "1 of 5 values of ph"),
        (lambda: fit_acidity_response([5, 6, 7, 8, 9], [1, 2, np.nan, 4, 5]), "1 of 5 values of signal"),
        (lambda: fit_acidity_response([5, 6, 7, 8, 90], [1, 2, 3, 4, 5]), "1 of 5 values of ph"),
    ],
)
def test_what_cannot_be_is_refused(call, words):
    with pytest.raises(InputError, match=words):
        call()
