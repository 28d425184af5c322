"""Means over models, and what residuals that follow each other make of a standard error."""

import math
from dataclasses import replace

import numpy as np
import pytest

from lampyris.core.estimate import Estimate
from lampyris.statistics.averaging import akaike_weights, averaged_estimate, following, widened, widening


def estimate(value, sd, low=None):
    return Estimate(value, sd, value - 2 * sd if low is None else low, value + 2 * sd, 0.95, "nm", "fit")


def followed(rng, r, count):
    """Deviates of standard deviation 1 of which each holds a share of the one before."""
    noise = math.sqrt(1 - r * r) * rng.standard_normal(count)
    noise[0] = rng.standard_normal()
    for k in range(1, count):
        noise[k] += r * noise[k - 1]
    return noise


def test_weights_are_likelihoods_of_models():
    # a difference of 2 log 3 in the criterion is a ratio of 3
    np.testing.assert_allclose(akaike_weights([5.0, 5.0 + 2 * math.log(3)]), [0.75, 0.25])
    assert akaike_weights([1.0, np.inf]).tolist() == [1.0, 0.0]
    assert akaike_weights([np.nan, np.inf]).tolist() == [0.5, 0.5]


def test_the_mean_holds_the_spread_of_the_models():
    one = averaged_estimate([estimate(10.0, 1.0), estimate(14.0, 2.0)], [0.75, 0.25])
    assert one.value == pytest.approx(11.0)
    assert one.sd == pytest.approx(math.sqrt(0.75 * (1 + 1) + 0.25 * (4 + 9)))
    assert one.high - one.value == pytest.approx(2 * one.sd)
    two = [estimate(1.0, 1.0, low=0.0), estimate(9.0, 1.0)]
    # what cannot be negative stays so; a difference, which can, is not cut
    assert averaged_estimate(two, [0.6, 0.4], least=0.0).low == 0.0
    assert averaged_estimate(two, [0.6, 0.4]).low < 0.0


def test_uneven_intervals_keep_their_sides():
    limit, clear = Estimate(0.0, 0.5, 0.0, 1.0, 0.95, "1", "limit"), Estimate(2.0, 0.5, 1.0, 3.5, 0.95, "1", "profile")
    same = averaged_estimate([limit, clear], [1.0, 0.0], least=0.0, uneven=True)
    # a limit alone stays what it is: half its width on either side would be too short above
    assert (same.value, same.low, same.high) == (0.0, 0.0, 1.0)
    both = averaged_estimate([limit, clear], [0.5, 0.5], uneven=True)
    apart = 1.96**2 * 1.0
    assert both.high - both.value == pytest.approx(math.sqrt(0.5 * (1.0 + 1.5**2) + apart), rel=1e-4)
    assert both.value - both.low == pytest.approx(math.sqrt(0.5 * (0.0 + 1.0) + apart), rel=1e-4)


def test_models_without_an_error_are_left_out():
    known, unknown = estimate(10.0, 1.0), Estimate(12.0, math.nan, 11.0, math.inf, 0.95, "nm", "fit")
    assert averaged_estimate([known, unknown], [0.9, 0.1]) is known
    assert averaged_estimate([known, unknown], [0.1, 0.9]) is unknown


def test_independent_residuals_follow_by_chance_only():
    rng = np.random.default_rng(1)
    # two standard deviations on one side: 2.3 of 100, of which 8 or more come in less than 1 of 300
    assert sum(following(rng.standard_normal(400)) > 0 for _ in range(100)) < 8
    assert following(np.zeros(9)) == 0.0


def test_errors_of_a_mean_are_widened_as_much_as_they_are_too_small():
    rng = np.random.default_rng(2)
    r, count = 0.5, 400
    rows = [followed(rng, r, count) for _ in range(600)]
    found = np.mean([following(row) for row in rows])
    # the mean of 600 correlations of standard deviation 0.04
    assert found == pytest.approx(r, abs=0.02)
    means = np.std([row.mean() for row in rows]) * math.sqrt(count)
    # 600 means tell their spread to 3 %
    assert widening(r) == pytest.approx(means, rel=0.1)


def test_widening_says_why():
    wide = widened(estimate(10.0, 1.0), 3.0, why="baseline")
    assert (wide.low, wide.high, wide.sd, wide.method) == (4.0, 16.0, 3.0, "fit, baseline")
    assert widened(wide, 1.0) is wide


def test_models_of_the_same_data_differ_by_chance():
    sure = Estimate(10.0, 1.0, 8.04, 11.96, 0.95, "ns", "fit")
    free = replace(sure, value=11.0, sd=2.0, low=7.08, high=14.92)
    far = replace(free, value=14.0, low=10.08, high=17.92)
    weights = [0.6, 0.4]
    # a difference of 1 where chance makes one of 3^1/2: nothing beyond the own errors
    assert averaged_estimate([sure, free], weights, same_data=True).sd == pytest.approx(math.sqrt(0.6 + 0.4 * 4.0))
    assert averaged_estimate([sure, free], weights).sd == pytest.approx(math.sqrt(0.6 + 1.6 + 0.24))
    # one of 4, whose square is 13 more than chance makes
    found = averaged_estimate([sure, far], weights, same_data=True)
    assert found.value == pytest.approx(11.6)
    assert found.sd == pytest.approx(math.sqrt(2.2 + 0.24 * 13.0))
