"""Equivalence against pingouin and by hand; what it refuses; how often it is wrong at the margin."""

import math

import numpy as np
import pytest
from scipy import stats

from lampyris.statistics.relations.equivalence import (
    equivalence_from_summary,
    equivalence_one_sample,
    equivalence_paired,
    equivalence_welch,
    noninferiority_from_summary,
    noninferiority_welch,
)


def summary(values):
    return float(np.mean(values)), float(np.std(values, ddof=1)), len(values)


def test_ninety_random_sets_agree_with_pingouin(pingouin):
    rng = np.random.default_rng(1)
    for k in range(90):
        a, b = rng.normal(0, 1, 6 + k % 5), rng.normal(0.2, 2, 6 + k % 5)
        paired = k % 3 == 0
        expected = pingouin.tost(a, b, bound=1.5, paired=paired, correction=True)
        found = (equivalence_paired if paired else equivalence_welch)(a, b, margin=1.5)
        assert found.p == pytest.approx(expected["pval"].iloc[0], rel=1e-8)
        assert found.tests[0].df[0] == pytest.approx(expected["dof"].iloc[0], rel=1e-9)
        # the interval of 90 % lies inside the margin where both tests reject, and only there
        assert found.shown == (found.effect.low > -1.5 and found.effect.high < 1.5)


@pytest.mark.parametrize("scale", ["difference", "ratio", "geometric ratio"])
def test_raw_and_summary_agree(scale):
    rng = np.random.default_rng(2)
    a, b = np.exp(rng.normal(2, 0.1, 8)), np.exp(rng.normal(2, 0.2, 11))
    shown = (np.log(a), np.log(b)) if scale == "geometric ratio" else (a, b)
    margin = 2.0 if scale == "difference" else 1.25
    raw = equivalence_welch(a, b, margin=margin, scale=scale)
    other = equivalence_from_summary(summary(shown[0]), summary(shown[1]), margin=margin, scale=scale)
    assert other.p == pytest.approx(raw.p, rel=1e-12)
    assert [other.effect.low, other.effect.high] == pytest.approx([raw.effect.low, raw.effect.high], rel=1e-12)
    lows = noninferiority_welch(a, b, margin=2.0, higher_is_better=True)
    assert noninferiority_from_summary(summary(a), summary(b), margin=2.0, higher_is_better=True).p == pytest.approx(
        lows.p, rel=1e-12
    )


def test_the_interval_of_a_ratio_is_where_its_tests_turn():
    rng = np.random.default_rng(3)
    for _ in range(20):
        a, b = rng.normal(10, 1, 7), rng.normal(9, 2, 9)
        found = equivalence_welch(a, b, margin=(0.5, 2.0), scale="ratio")
        low, high = found.effect.low, found.effect.high
        if low < 1:
            assert equivalence_welch(a, b, margin=(low, 2.0), scale="ratio").tests[0].p == pytest.approx(0.05, abs=1e-9)
        if high > 1:
            assert equivalence_welch(a, b, margin=(0.5, high), scale="ratio").tests[1].p == pytest.approx(
                0.05, abs=1e-9
            )


def test_a_ratio_by_hand():
    """Sasabuchi: t = (mean_a - r mean_b) / sqrt(v_a + r^2 v_b)."""
    a, b = np.array([9.0, 10, 11, 12]), np.array([10.0, 10.5, 11, 9.5])
    found = equivalence_welch(a, b, margin=1.25, scale="ratio")
    va, vb = a.var(ddof=1) / 4, b.var(ddof=1) / 4
    assert found.margin == pytest.approx((0.8, 1.25))
    expected = (a.mean() - 0.8 * b.mean()) / math.sqrt(va + 0.64 * vb)
    assert found.tests[0].statistic == pytest.approx(expected, rel=1e-12)
    assert found.effect.value == pytest.approx(a.mean() / b.mean())


def test_one_sample_by_scipy():
    values = [4.8, 5.1, 5.0, 5.3, 4.9]
    found = equivalence_one_sample(values, 5.0, margin=0.4)
    lower = stats.ttest_1samp(values, 4.6, alternative="greater").pvalue
    upper = stats.ttest_1samp(values, 5.4, alternative="less").pvalue
    assert [test.p for test in found.tests[:2]] == pytest.approx([lower, upper], rel=1e-10)
    assert found.p == max(found.tests[0].p, found.tests[1].p)


def test_noninferiority_looks_one_way():
    rng = np.random.default_rng(4)
    a, b = rng.normal(12, 1, 10), rng.normal(10, 1, 10)
    better = noninferiority_welch(a, b, margin=0.5, higher_is_better=True)
    assert better.shown
    assert len(better.tests) == 2
    assert better.effect.level == pytest.approx(0.95)
    worse = noninferiority_welch(a, b, margin=0.5, higher_is_better=False)
    assert not worse.shown
    expected = stats.ttest_ind(np.array(a) + 0.5, b, equal_var=False, alternative="greater").pvalue
    assert better.p == pytest.approx(expected, rel=1e-9)


def test_no_difference_is_no_proof():
    """Four noisy animals: no test of difference would call them unlike, and none may call them alike."""
    found = equivalence_welch([1.0, 9.0, 4.0, 6.0], [5.0, 2.0, 8.0, 3.0], margin=1.0)
    assert found.tests[-1].p > 0.05
    assert found.tests[-1].role == "beside"
    assert not found.shown
    notes = " ".join(found.notes)
    assert "above 0.05 in a test of difference does not show" in notes
    assert "Not shown is not disproved" in notes


def test_a_difference_may_be_small_enough():
    rng = np.random.default_rng(5)
    found = equivalence_welch(rng.normal(10.2, 0.1, 40), rng.normal(10, 0.1, 40), margin=1.0)
    assert found.shown
    assert "both can be true" in " ".join(found.notes)


@pytest.mark.parametrize(
    ("a", "b", "options", "said"),
    [
        ([1], [1, 2], {"margin": 1.0}, "at least 2 units"),
        ([1, 1], [2, 2], {"margin": 1.0}, "all equal"),
        ([0.1 + 0.2, 0.3], [2, 2], {"margin": 1.0}, "all equal"),
        ([1, math.nan], [2, 3], {"margin": 1.0}, "finite"),
        ([1, 2], [2, 3], {"margin": 0.0}, "both sides of 0"),
        ([1, 2], [2, 3], {"margin": (0.1, 1.0)}, "both sides of 0"),
        ([1, 2], [2, 3], {"margin": 1.0, "scale": "ratio"}, "both sides of 1"),
        ([1, 2], [2, 3], {"margin": math.inf}, "both sides of 0"),
        ([-1, 2], [2, 3], {"margin": 1.2, "scale": "geometric ratio"}, "above 0"),
        ([1, 2], [2, 3], {"margin": 1.0, "alpha": 0.6}, "alpha"),
        ([1, 2], [2, 3], {"margin": 1.0, "scale": "log"}, "scale is one of"),
    ],
)
def test_what_cannot_be_asked_is_refused(a, b, options, said):
    with pytest.raises(ValueError, match=said):
        equivalence_welch(a, b, **options)


def test_pairs_that_differ_by_rounding_alone_are_no_spread():
    with pytest.raises(ValueError, match="no spread"):
        equivalence_paired([0.1 + 0.2, 0.6, 1.3], [0.3, 0.6, 1.3], margin=1.0)


def test_a_margin_must_be_given():
    with pytest.raises(TypeError, match="margin"):
        equivalence_welch([1, 2], [2, 3])


def test_whole_numbers_are_fine():
    one, other = (
        equivalence_welch([1, 2, 3], [2, 2, 4], margin=5),
        equivalence_welch([1.0, 2, 3], [2.0, 2, 4], margin=5.0),
    )
    assert one.p == other.p


@pytest.mark.parametrize("scale", ["difference", "ratio"])
def test_at_the_margin_it_errs_in_at_most_one_of_twenty(scale):
    """1000 sets, unequal spread and size; 0.05 and two standard errors of 0.007."""
    rng = np.random.default_rng(6)
    centre, margin = (12.0, 2.0) if scale == "difference" else (12.5, 1.25)
    shown = 0
    for _ in range(1000):
        a, b = rng.normal(centre, 1, 8), rng.normal(10, 0.4, 12)
        shown += equivalence_welch(a, b, margin=margin, scale=scale).shown
    assert 0.03 <= shown / 1000 <= 0.065
