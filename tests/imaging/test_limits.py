"""The detection limit: closed form, monotone, and found as often as it says."""

import numpy as np
import pytest
from scipy.stats import norm

from lampyris.imaging.limits import detection_limit


@pytest.mark.parametrize(("power", "margin"), [(0.5, 0.0), (0.95, 1.6448536), (0.99, 2.3263479)])
def test_closed_form(power, margin):
    # Currie's eq. 6 with constant noise: critical level plus the quantile of the wanted power
    found = detection_limit([2.0, 3.0], threshold=4.0, power=power, bias=[0.0, 7.0])
    assert found == pytest.approx([2.0 * (4.0 + margin), 3.0 * (4.0 + margin) + 7.0], rel=1e-7)


def test_a_signal_at_the_limit_is_found_with_the_stated_power():
    rng = np.random.default_rng(1)
    limit = float(detection_limit(1.7, threshold=4.5, power=0.9, bias=2.0))
    seen = limit + rng.normal(0.0, 1.7, 100_000) - 2.0 > 4.5 * 1.7
    assert seen.mean() == pytest.approx(0.9, abs=5 * np.sqrt(0.09 / 100_000))


def test_monotone_in_all_that_hinders():
    base = float(detection_limit(1.0, threshold=5.0, power=0.9))
    assert float(detection_limit(1.1, threshold=5.0, power=0.9)) > base
    assert float(detection_limit(1.0, threshold=5.5, power=0.9)) > base
    assert float(detection_limit(1.0, threshold=5.0, power=0.95)) > base
    assert float(detection_limit(1.0, threshold=5.0, power=0.9, bias=0.1)) == pytest.approx(base + 0.1)


def test_units_carry_through():
    assert detection_limit(3e6, threshold=5.0, power=0.95, bias=1e6) == pytest.approx(
        1e6 * detection_limit(3.0, threshold=5.0, power=0.95, bias=1.0)
    )


def test_shapes_broadcast_and_infinite_noise_stays_infinite():
    found = detection_limit(np.array([[1.0], [np.inf]]), threshold=5.0, power=0.95, bias=np.zeros(3))
    assert found.shape == (2, 3)
    assert np.isinf(found[1]).all()
    assert np.isfinite(found[0]).all()
    assert detection_limit([], threshold=5.0, power=0.95).shape == (0,)


def test_no_noise_leaves_the_bias():
    assert float(detection_limit(0.0, threshold=5.0, power=norm.cdf(1.0), bias=4.0)) == 4.0


@pytest.mark.parametrize("power", [0.0, 1.0, -0.1, 1.5, float("nan")])
def test_power_must_be_a_probability(power):
    with pytest.raises(ValueError, match="power"):
        detection_limit(1.0, threshold=5.0, power=power)


@pytest.mark.parametrize(("noise", "bias"), [(-1.0, 0.0), (1.0, -1.0), ([1.0, -2.0], 0.0)])
def test_negative_noise_and_bias_are_refused(noise, bias):
    with pytest.raises(ValueError, match="0 or more"):
        detection_limit(noise, threshold=5.0, power=0.95, bias=bias)
