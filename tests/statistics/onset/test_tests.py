"""Tests of an onset: exact answers, null sets, strata, and what says nothing."""

import itertools
import math

import numpy as np
import pytest

from lampyris.statistics.onset import score_test
from lampyris.statistics.onset.logrank import logrank
from lampyris.statistics.onset.score_test import interval_score_test, log_rank_scores
from lampyris.statistics.onset.times import OnsetTimes, times_of_events

INF = math.inf


def test_permutation_of_every_arrangement():
    times = OnsetTimes([0, 0, 3, 3, 7, 7, 7, 3], [3, 3, 7, 7, INF, 14, INF, 14])
    groups = list("aaababbb")
    scores = log_rank_scores(times)
    observed = abs(scores[[k for k, g in enumerate(groups) if g == "a"]].sum())
    sums = [abs(scores[list(chosen)].sum()) for chosen in itertools.combinations(range(8), 4)]
    exact, _ = interval_score_test(times, groups)
    assert exact.note == "all 70 arrangements"
    assert exact.p == pytest.approx(np.mean(np.array(sums) >= observed - 1e-9))


def test_drawn_permutations_agree_with_all(monkeypatch):
    times = OnsetTimes([0, 0, 3, 3, 7, 7, 7, 3], [3, 3, 7, 7, INF, 14, INF, 14])
    groups = list("aaababbb")
    every, _ = interval_score_test(times, groups)
    monkeypatch.setattr(score_test, "MOST_ARRANGEMENTS", 0)
    drawn, _ = interval_score_test(times, groups, permutations=4_000, seed=2)
    again, _ = interval_score_test(times, groups, permutations=4_000, seed=2)
    assert drawn == again and "4000 arrangements drawn from seed 2" in drawn.note
    # three binomial standard deviations of the draws
    assert drawn.p == pytest.approx(every.p, abs=3 * math.sqrt(0.25 / 4_000))


def test_exact_days_give_the_permutation_form_of_log_rank():
    # without censoring the scores are those of Savage's test with ties of the continuous model: their order is that of the days
    scores = log_rank_scores(times_of_events([3, 5, 8, 13], [1, 1, 1, 1]))
    assert (np.diff(scores) < 0).all()
    assert scores.sum() == pytest.approx(0, abs=1e-9)


def test_strata_are_kept_apart():
    # inside each cage the groups are alike; the cages differ, and the groups are unevenly housed
    low = [0] * 6 + [7] * 6
    high = [3] * 6 + [INF] * 6
    groups = list("aaaaab") + list("abbbbb")
    cages = ["one"] * 6 + ["two"] * 6
    apart, _ = interval_score_test(OnsetTimes(low, high), groups, strata=cages)
    together, _ = interval_score_test(OnsetTimes(low, high), groups)
    assert math.isnan(apart.p) and "nothing to test" in apart.note
    assert together.p < 0.1
    right = logrank(times_of_events([3] * 6 + [9] * 6, [1] * 6 + [0] * 6), groups, strata=cages)
    assert right.name.endswith("stratified") and math.isnan(right.p)


def test_three_groups_and_one_that_is_never_at_risk():
    times = times_of_events([1, 1, 5, 6, 7, 8, 9], [0, 0, 1, 1, 0, 1, 1])
    test = logrank(times, list("aabbccc"))
    assert test.df == (1.0,) and "takes no part" in test.note
    assert logrank(times.of(np.arange(2, 7)), list("bbccc")).statistic == pytest.approx(test.statistic)


@pytest.mark.parametrize("test", [logrank, lambda t, g: interval_score_test(t, g)[0]])
def test_no_event_and_one_group(test):
    none = test(times_of_events([5, 6, 7, 8], [0, 0, 0, 0]), list("aabb"))
    assert math.isnan(none.p) and "nothing to test" in none.note
    with pytest.raises(ValueError, match="two groups"):
        test(times_of_events([5, 6], [1, 0]), ["a", "a"])


def test_logrank_refuses_intervals_and_unknown_weights():
    with pytest.raises(ValueError, match="interval_score_test"):
        logrank(OnsetTimes([0, 3], [3, 7]), ["a", "b"])
    with pytest.raises(ValueError, match="log-rank, peto, gehan"):
        logrank(times_of_events([3, 4], [1, 1]), ["a", "b"], weights="best")


def test_unit_and_order_change_nothing():
    time, event, groups = np.array([3, 5, 8, 9, 12, 15]), [1, 1, 0, 1, 1, 0], list("ababab")
    one = logrank(times_of_events(time, event), groups)
    back = np.arange(6)[::-1]
    other = logrank(times_of_events(24 * time[back], np.array(event)[back]), [groups[k] for k in back])
    assert other.statistic == pytest.approx(one.statistic, rel=1e-12)
