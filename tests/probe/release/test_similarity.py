"""f1, f2 with their rules, and what a condition changes."""

import math

import numpy as np
import pytest
from scipy import stats

from lampyris.probe.release import (
    ReleaseProfile,
    compare_conditions,
    compare_profiles,
    difference_factor,
    similarity_factor,
)

HOURS = np.array([0.5, 1.0, 2.0, 4.0, 8.0, 12.0])
CURVE = np.array([20.0, 35.0, 55.0, 75.0, 88.0, 95.0])


def curves(name, mean, *, vessels=12, spread=1.0, seed=1, hours=HOURS):
    rng = np.random.default_rng(seed)
    rows = mean + spread * rng.standard_normal((vessels, 1)) + 0.5 * rng.standard_normal((vessels, len(mean)))
    names = tuple(str(k) for k in range(vessels) for _ in hours)
    return ReleaseProfile(name, np.tile(hours, vessels), rows.reshape(-1), names)


def compared(*profiles, seed=0, **options):
    return compare_profiles(*profiles, rng=np.random.default_rng(seed), **options)


def test_factors_by_hand():
    test = CURVE + np.array([2.0, -4.0, 4.0, 0.0, 6.0, 2.0])
    assert difference_factor(CURVE, test) == pytest.approx(100 * 18 / 368)
    assert similarity_factor(CURVE, test) == pytest.approx(50 * math.log10(100 / math.sqrt(1 + 76 / 6)))


@pytest.mark.parametrize(("shift", "expected"), [(0, 100), (2, 82.5), (5, 64.6), (10, 49.9), (20, 34.9)])
def test_f2_of_equal_differences(shift, expected):
    # the well-known values of a difference that is the same at every time
    assert round(similarity_factor(CURVE, CURVE + shift), 1) == expected


def test_one_time_past_85_percent_counts():
    found = compared(curves("a", CURVE), curves("b", CURVE - 3, seed=2))
    # 8 h: 88 and 85 %; the means of twelve vessels are close to that
    assert found.times_h in {(0.5, 1, 2, 4, 8), (0.5, 1, 2, 4, 8, 12)}
    far = compared(curves("a", CURVE), curves("b", CURVE - 1, seed=2))
    assert far.times_h == (0.5, 1, 2, 4, 8)
    assert any("1 later times are left out" in note for note in far.notes)


def test_verdicts_follow_the_interval():
    reference = curves("a", CURVE)
    alike = compared(reference, curves("b", CURVE - 3, seed=2))
    assert (alike.verdict, alike.vessels) == ("similar", (12, 12))
    assert 50 < alike.f2.low < alike.f2.value < alike.f2.high < 100
    apart = compared(reference, curves("b", CURVE - 20, seed=2))
    assert apart.verdict == "different"
    between = compared(reference, curves("b", CURVE - 10, seed=2, spread=6.0))
    assert between.verdict == "undecided"


def test_the_bootstrap_is_reproducible():
    pair = (curves("a", CURVE), curves("b", CURVE - 5, seed=2))
    assert compared(*pair).f2 == compared(*pair).f2
    assert compared(*pair).f2 != compared(*pair, seed=1).f2


@pytest.mark.parametrize(
    ("test", "said"),
    [
        (curves("b", CURVE - 3, vessels=3), "the rules ask for 12 units of each, and there are 12 and 3"),
        (curves("b", CURVE - 3, vessels=1), "without replicate vessels f2 has no interval"),
        (curves("b", CURVE - 3, spread=9.0), "vessels vary by more than the rules allow"),
        (curves("b", CURVE[:4], hours=HOURS[:4]), "times that only one of the curves has"),
        (curves("b", CURVE[:2], hours=HOURS[:2]), "2 times can be compared, and f1 and f2 need 3"),
    ],
)
def test_rules_that_are_not_met_are_said(test, said):
    found = compared(curves("a", CURVE), test)
    assert any(said in note for note in found.notes)
    if "need 3" in said:
        assert math.isnan(found.f1)
        assert math.isnan(found.f2.value)


def test_rapid_release_needs_no_f2():
    hours = np.array([0.1, 0.25, 1.0])
    found = compared(*(curves(name, np.array([90.0, 95.0, 99.0]), hours=hours) for name in "ab"))
    assert any("within 15 min" in note for note in found.notes)


def test_a_vessel_without_a_time_is_not_drawn():
    whole = curves("b", CURVE - 3)
    short = whole.kept(np.array([not (v == "4" and t == 2.0) for v, t in zip(whole.vessel, whole.time_h, strict=True)]))
    found = compared(curves("a", CURVE), short)
    assert found.vessels == (12, 11)
    assert any("1 vessels lack a time" in note for note in found.notes)


def test_conditions_are_compared_by_welch():
    rest, acid = curves("7.4", 0.4 * CURVE, vessels=4), curves("5.0", CURVE, vessels=5, seed=2, spread=3.0)
    found = compare_conditions(rest, acid, at_h=4.0)
    welch = stats.ttest_ind(acid.released[acid.time_h == 4], rest.released[rest.time_h == 4], equal_var=False)
    interval = welch.confidence_interval(0.95)
    assert (found.difference.low, found.difference.high) == pytest.approx(tuple(interval), rel=1e-10)
    assert (found.verdict, found.at_h) == ("more", 4.0)
    assert compare_conditions(acid, rest, at_h=4.0).verdict == "less"


def test_the_last_shared_time_is_taken_and_said():
    found = compare_conditions(curves("7.4", CURVE[:4], hours=HOURS[:4]), curves("5.0", CURVE, seed=2))
    assert found.at_h == 4.0
    assert any("last shared time, 4 h" in note for note in found.notes)


def test_one_vessel_gives_no_verdict():
    found = compare_conditions(curves("7.4", CURVE, vessels=1), curves("5.0", CURVE + 4, vessels=1))
    assert found.verdict == "not told apart"
    assert math.isinf(found.difference.high)
    assert any("one vessel" in note for note in found.notes)


def test_a_time_that_is_not_shared():
    with pytest.raises(ValueError, match=r"do not share 5 h; times of both in h: 0.5, 1, 2"):
        compare_conditions(curves("7.4", CURVE), curves("5.0", CURVE), at_h=5.0)
