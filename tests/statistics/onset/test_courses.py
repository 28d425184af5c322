"""Courses of an onset: closed forms, intervals where no program gives one, and what cannot be said."""

import math

import numpy as np
import pytest
from scipy import optimize, stats

from lampyris.statistics.onset.kaplan_meier import free_estimates, kaplan_meier, median, restricted_mean
from lampyris.statistics.onset.times import OnsetTimes, times_of_events
from lampyris.statistics.onset.turnbull import (
    innermost_intervals,
    profile_log_likelihood,
    reached_by,
    reached_interval,
    turnbull,
    turnbull_median,
)

INF = math.inf


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        ([1, 2], [2], "one length"),
        ([-1.0], [2.0], "animal 0: low -1 is negative"),
        ([0.0, 3.0], [1.0, 2.0], "animal 1: low 3 is above high 2"),
        ([math.nan], [2.0], "animal 0: low is nan"),
        ([0.0], [math.nan], "animal 0: high is not a number"),
        ([INF], [INF], "animal 0: low is inf"),
        ([0.0], [0.0], "the event is on day 0"),
    ],
)
def test_faults_of_times_are_named(low, high, said):
    with pytest.raises(ValueError, match=said):
        OnsetTimes(low, high)


def test_all_faults_at_once():
    with pytest.raises(ValueError, match=r"animal 0: low -1.*; animal 1: low 3"):
        OnsetTimes([-1, 3], [2, 2])


def test_events_are_0_or_1_and_integers_are_fine():
    assert times_of_events(np.array([3, 5]), np.array([1, 0])).seen.tolist() == [True, False]
    with pytest.raises(ValueError, match="animal 1: event is 2"):
        times_of_events([3, 5], [1, 2])


def test_a_share_of_one_or_zero_has_an_interval():
    course = free_estimates(kaplan_meier(times_of_events([5, 9, 9, 9], [0, 1, 1, 1])))
    # four animals without an event: Clopper and Pearson's bound
    assert course[0].low == pytest.approx(0.025**0.25)
    assert course[1].value == 0 and course[1].high == 1.0
    with pytest.raises(ValueError, match="at least one animal"):
        kaplan_meier(times_of_events([], []))
    with pytest.raises(ValueError, match="use `turnbull`"):
        kaplan_meier(OnsetTimes([0], [3]))


def test_median_of_known_times():
    found = median(kaplan_meier(times_of_events([1, 2, 3, 4], [1, 1, 1, 1])))
    assert found.value == 2
    assert median(kaplan_meier(times_of_events([1, 2, 3], [1, 0, 0]))).value == INF


@pytest.mark.parametrize(
    ("days", "events", "ends"),
    [
        # one animal tells nothing of the median; of five all may have been late, or early, with probability 1/32 each
        ([4], [1], (0.0, INF)),
        ([1, 2, 3, 4, 5], [1, 1, 1, 1, 1], (0.0, INF)),
        # the sign test of six: 1 - 2/64
        ([1, 2, 3, 4, 5, 6], [1, 1, 1, 1, 1, 1], (1.0, 6.0)),
        # none of three by day 21 leaves 0.29 as the least share without the event, none of eight 0.63
        ([21] * 3, [0] * 3, (0.0, INF)),
        ([21] * 8, [0] * 8, (21.0, INF)),
    ],
)
def test_the_median_of_few_animals_is_open_where_they_do_not_bound_it(days, events, ends):
    found = median(kaplan_meier(times_of_events(days, events)))
    assert (found.low, found.high) == ends


def test_the_median_of_few_animals_is_covered():
    """The log-log interval alone, with ends of no width where the share is 1 or 0, holds it in 0.63, 0.87 and 0.92."""
    rng = np.random.default_rng(1)
    held = 0
    for n in (3, 5, 6) * 200:
        day, end = rng.exponential(10.0, n), rng.uniform(0.0, 24.0, n)
        found = median(kaplan_meier(times_of_events(np.minimum(day, end), day <= end)))
        held += found.low <= 10 * np.log(2) <= found.high
    assert held / 600 > 0.97


def test_restricted_mean_without_loss_is_the_mean():
    days = np.array([2.0, 5.0, 6.0, 11.0, 13.0])
    found = restricted_mean(kaplan_meier(times_of_events(days, np.ones(5))), 20.0)
    assert found.value == pytest.approx(days.mean())
    # the restricted mean's error is that of a mean with divisor n
    assert found.sd == pytest.approx(days.std() / math.sqrt(5))
    early = restricted_mean(kaplan_meier(times_of_events([7, 8, 9], [1, 1, 1])), 5.0)
    assert (early.value, early.high) == (5.0, 5.0) and 0 < early.low < 5


def test_turnbull_of_looks_on_common_days_is_the_share():
    low, high = [0, 0, 3, 3, 7, 14], [3, 3, 7, 14, 14, INF]
    fit = turnbull(OnsetTimes(low, high))
    assert list(fit.after) == [0, 3, 7, 14] and list(fit.by) == [3, 7, 14, INF]
    # the animal with (3, 14] divides as the others do: p1 = 1/3, p2 = (1 + p2 / (p2 + p3)) / 6, p3 likewise
    assert fit.share == pytest.approx([1 / 3, 1 / 4, 1 / 4, 1 / 6], abs=1e-9)
    assert reached_by(fit, 7.0) == pytest.approx((7 / 12, 7 / 12))
    assert reached_by(fit, 5.0) == pytest.approx((1 / 3, 7 / 12))


def test_turnbull_of_exact_days_is_kaplan_meier():
    times = times_of_events([3, 4, 4, 6, 8, 9], [1, 0, 1, 1, 0, 1])
    course, fit = kaplan_meier(times), turnbull(times)
    for day, free in zip(course.days, course.free, strict=True):
        assert 1 - reached_by(fit, day)[0] == pytest.approx(free, abs=1e-8)


def test_turnbull_is_the_maximum():
    rng = np.random.default_rng(3)
    low = rng.integers(0, 8, 14).astype(float)
    times = OnsetTimes(low, np.where(rng.random(14) < 0.2, INF, low + rng.integers(1, 6, 14)))
    fit = turnbull(times)
    assert fit.share.sum() == pytest.approx(1) and (fit.share >= 0).all()
    # no direction leads up: the slope is n where there are events and at most n elsewhere
    slope = fit.members.T @ (1 / (fit.members @ fit.share))
    assert slope[fit.share > 1e-6] == pytest.approx(14, rel=1e-6)
    assert (slope <= 14 * (1 + 1e-6)).all()


def test_intervals_touch_without_sharing_a_day():
    after, by = innermost_intervals(OnsetTimes([0, 7, 7], [7, 14, 7]))
    assert list(zip(after, by, strict=True)) == [(7.0, 7.0), (7.0, 14.0)]


def test_reached_interval_is_that_of_a_binomial():
    # one look, 4 of 12: the likelihood ratio of a share
    fit = turnbull(OnsetTimes([0] * 4 + [7] * 8, [7] * 4 + [INF] * 8))
    found = reached_interval(fit, 7.0)

    def excess(share):
        return stats.binom.logpmf(4, 12, 1 / 3) - stats.binom.logpmf(4, 12, share) - 0.5 * stats.chi2.ppf(0.95, 1)

    assert found.low == pytest.approx(optimize.brentq(excess, 0.01, 1 / 3), abs=1e-5)
    assert found.high == pytest.approx(optimize.brentq(excess, 1 / 3, 0.9), abs=1e-5)


def test_nothing_and_everything_have_bounds():
    none = reached_interval(turnbull(OnsetTimes([7] * 5, [INF] * 5)), 7.0)
    every = reached_interval(turnbull(OnsetTimes([0] * 5, [7] * 5)), 7.0)
    bound = 1 - math.exp(-0.5 * stats.chi2.ppf(0.95, 1) / 5)
    assert (none.low, none.value) == (0, 0) and none.high == pytest.approx(bound, abs=1e-5)
    assert (every.high, every.value) == (1, 1) and every.low == pytest.approx(1 - bound, abs=1e-5)


def test_profile_is_the_best_of_a_grid():
    fit = turnbull(OnsetTimes([0, 0, 3, 3, 7, 14], [3, 7, 7, 14, 14, INF]))
    assert fit.after.size == 4
    grid = np.linspace(0.0125, 0.9875, 79)
    first, second = (part.ravel() for part in np.meshgrid(grid, grid))
    share = np.array([0.6 * first, 0.6 * (1 - first), 0.4 * second, 0.4 * (1 - second)])
    best = float(np.log(fit.members @ share).sum(axis=0).max())
    found = profile_log_likelihood(fit, fit.by <= 7, 0.6)
    assert found >= best - 1e-12
    # a grid step of 0.0125 leaves a little
    assert found == pytest.approx(best, abs=2e-3)


def test_median_between_looks():
    found = turnbull_median(turnbull(OnsetTimes([0, 3, 3, 7], [3, 7, 7, 14])))
    # half of the way lies in the second interval, a third of the way in from its beginning
    assert found.value == pytest.approx(3 + 4 * 0.25 / 0.5)
    assert turnbull_median(turnbull(OnsetTimes([7] * 6, [INF] * 6))).value == INF
    assert turnbull_median(turnbull(OnsetTimes([7] * 6, [INF] * 6))).low == 7.0
