"""Shares, intervals and calibration of cases that come in animals."""

import math

import numpy as np
import pytest
from scipy.stats import beta

from lampyris.trial.shares import (
    calibration_bins,
    confidence_gap,
    expected_calibration_error,
    median,
    resampled_interval,
    share,
    share_interval,
)


def test_no_case_is_no_figure():
    assert share([]) is None
    assert share_interval([]) is None
    assert expected_calibration_error([]) is None
    assert median([]) is None
    assert median([math.nan]) is None
    assert math.isnan(confidence_gap([]))
    assert resampled_interval([("a", 1.0)], np.mean) is None
    assert calibration_bins([]) == ()


def test_cases_alike_get_the_exact_interval_of_their_animals():
    cases = [(animal, True) for animal in "abcde" for _ in range(7)]
    # Clopper and Pearson: 5 of 5 at 95 % is 0.025**(1/5) to 1
    assert share_interval(cases) == pytest.approx([0.025 ** (1 / 5), 1.0])
    assert share_interval([(animal, False) for animal, _ in cases]) == pytest.approx([0.0, 1 - 0.025 ** (1 / 5)])


def test_the_interval_widens_where_animals_differ():
    rng = np.random.default_rng(1)
    apart = [(str(animal), animal % 2 == 0) for animal in range(40) for _ in range(10)]
    mixed = [(str(animal), bool(rng.random() < 0.5)) for animal in range(40) for _ in range(10)]
    widths = [high - low for low, high in (share_interval(apart), share_interval(mixed))]
    # 40 independent animals against 400 independent cases: sqrt(10) apart
    assert widths[0] == pytest.approx(widths[1] * math.sqrt(10), rel=0.3)


def test_resampling_agrees_with_the_normal_interval():
    rng = np.random.default_rng(2)
    values = rng.normal(5.0, 1.0, 200)
    low, high = resampled_interval([(str(index), value) for index, value in enumerate(values)], np.mean)
    error = 1.96 * values.std() / math.sqrt(200)
    # 2000 draws place a percentile to about 5 % of the interval
    assert (low, high) == pytest.approx((values.mean() - error, values.mean() + error), abs=0.1 * error)


def test_bins_hold_every_statement_once():
    rng = np.random.default_rng(3)
    stated = [(str(index % 7), float(p), bool(rng.random() < p)) for index, p in enumerate(rng.random(500))]
    stated += [("a", 0.0, False), ("b", 1.0, True), ("c", 0.5, True)]
    bins = calibration_bins(stated)
    assert sum(one.n for one in bins) == len(stated)
    assert all(one.low <= one.stated <= one.high for one in bins)
    assert all(one.right_low <= one.right <= one.right_high for one in bins)


def test_true_probabilities_are_calibrated_and_false_ones_are_not():
    p = beta(2, 1).rvs(4000, random_state=4)
    hits = np.random.default_rng(5).random(4000) < p
    honest = [(str(index), float(one), bool(hit)) for index, (one, hit) in enumerate(zip(p, hits, strict=True))]
    bold = [(who, min(1.0, one + 0.2), hit) for who, one, hit in honest]
    # sampling noise of a bin of 400 is 0.025
    assert expected_calibration_error(honest) < 0.03
    assert confidence_gap([one[1:] for one in honest]) < 0.02
    assert expected_calibration_error(bold) > 0.12
    # 0.2, less what is cut off at 1: the mean of max(0, p - 0.8) under beta(2, 1) is 0.0347
    assert confidence_gap([one[1:] for one in bold]) == pytest.approx(0.2 - 0.0347, abs=0.02)


def test_a_gap_may_vanish_where_the_calibration_error_does_not():
    stated = [("a", 0.9, False), ("b", 0.1, True)]
    assert confidence_gap([one[1:] for one in stated]) == pytest.approx(0.0)
    assert expected_calibration_error(stated) == pytest.approx(0.9)
