"""Every estimate and test against lifelines, statsmodels and SciPy, on over 500 random data sets; and against R's printed answers."""

import json
import warnings
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from scipy import stats

from lampyris.statistics.onset.cox import cox, proportional_hazards
from lampyris.statistics.onset.kaplan_meier import free_estimates, kaplan_meier, median, restricted_mean
from lampyris.statistics.onset.logrank import logrank
from lampyris.statistics.onset.parametric import onset_regression, quantile
from lampyris.statistics.onset.times import OnsetTimes, times_of_events
from lampyris.statistics.onset.turnbull import reached_by, turnbull

ORACLES = Path(__file__).parents[2] / "data" / "statistics" / "onset_and_power_oracles.json"


@pytest.fixture(scope="module")
def peers():
    with warnings.catch_warnings():
        # of the packages themselves, at import
        warnings.simplefilter("ignore")
        import lifelines
        import pandas as pd
        from lifelines import statistics, utils
        from statsmodels.duration.survfunc import survdiff
    return SimpleNamespace(lifelines=lifelines, tests=statistics, utils=utils, pd=pd, survdiff=survdiff)


def quietly(call, *args, **kwargs):
    """A peer's answer without its advice."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return call(*args, **kwargs)


def drawn(seed, *, ties):
    """Right-censored times of up to 40 animals in three groups and two strata."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(12, 40))
    group = rng.integers(0, 3, n)
    weight = rng.normal(20, 2, n)
    time = 12 * rng.weibull(1.5, n) * np.exp(0.3 * (group == 1) - 0.08 * (weight - 20))
    last = rng.uniform(5, 30, n)
    event = time <= last
    time = np.minimum(time, last)
    return np.ceil(time / 3) * 3 if ties else time, event.astype(float), group, weight, rng.integers(0, 2, n)


@pytest.mark.parametrize(
    "case", json.loads(ORACLES.read_text("utf-8"))["logrank"]["cases"], ids=lambda case: f"{case['chi2']:.3f}"
)
def test_logrank_equals_r(case):
    time = [t for side in ("x", "y") for part in case[side] for t in part]
    event = [e for side in ("x", "y") for part, e in zip(case[side], (1, 0), strict=True) for _ in part]
    groups = ["x"] * sum(map(len, case["x"])) + ["y"] * sum(map(len, case["y"]))
    test = logrank(times_of_events(time, event), groups)
    # to the digits that R prints
    assert test.statistic == pytest.approx(case["chi2"], rel=1e-10)
    assert test.p == pytest.approx(case["p"], rel=1e-9)


def test_kaplan_meier_equals_lifelines(peers):
    for seed in range(100):
        time, event, *_ = drawn(seed, ties=seed % 2 == 0)
        peer = quietly(peers.lifelines.KaplanMeierFitter().fit, time, event)
        course = kaplan_meier(times_of_events(time, event))
        found = free_estimates(course)
        ends = peer.confidence_interval_.to_numpy()[1:]
        np.testing.assert_allclose(course.free, peer.survival_function_.to_numpy()[1:, 0], atol=1e-12)
        # where the peer's interval has no width ours is wider on purpose
        told = (course.free > 0) & (course.free < 1)
        np.testing.assert_allclose(
            [one.low for one in found], np.where(told, ends[:, 0], [one.low for one in found]), atol=1e-9
        )
        np.testing.assert_allclose(
            [one.high for one in found], np.where(told, ends[:, 1], [one.high for one in found]), atol=1e-9
        )
        middle = median(course)
        low, high = quietly(peers.utils.median_survival_times, peer.confidence_interval_).to_numpy()[0]
        if not np.isclose(course.free, 0.5, atol=1e-9).any():
            # a share that is one half but for rounding the peer takes for more
            assert middle.value == peer.median_survival_time_
            # no share of 1 or 0 bounds the peer's interval
            if np.isfinite(low) and course.free[course.days == low] < 1 and course.at_risk[0] > 5:
                assert middle.low == low
            if np.isinf(high) or course.free[course.days == high] > 0:
                assert middle.high == high
        if seed < 20:
            assert restricted_mean(course, 12.0).value == pytest.approx(
                peers.utils.restricted_mean_survival_time(peer, t=12), rel=1e-9
            )


def test_two_groups_and_courses_equal_scipy():
    for seed in range(250):
        time, event, group, *_ = drawn(8_000 + seed, ties=seed % 2 == 0)
        group = group > 0
        group[:2] = True, False
        times = times_of_events(time, event)
        first, second = (
            stats.CensoredData(uncensored=time[side & (event == 1)], right=time[side & (event == 0)])
            for side in (group, ~group)
        )
        peer = stats.logrank(first, second)
        test = logrank(times, list(map(str, group)))
        assert test.statistic == pytest.approx(peer.statistic**2, rel=1e-9, abs=1e-12)
        assert test.p == pytest.approx(peer.pvalue, rel=1e-8)
        course = kaplan_meier(times)
        free = stats.ecdf(stats.CensoredData(uncensored=time[event == 1], right=time[event == 0])).sf
        np.testing.assert_allclose(course.free, free.evaluate(course.days), atol=1e-12)


@pytest.mark.parametrize(("weights", "peer"), [("log-rank", None), ("peto", "peto"), ("gehan", "wilcoxon")])
def test_weighted_tests_equal_lifelines(peers, weights, peer):
    for seed in range(15):
        time, event, group, *_ = drawn(1_000 + seed, ties=seed % 2 == 0)
        test = logrank(times_of_events(time, event), list(map(str, group)), weights=weights)
        other = quietly(peers.tests.multivariate_logrank_test, time, group, event, weightings=peer)
        assert test.statistic == pytest.approx(other.test_statistic, rel=1e-9, abs=1e-12)
        assert test.p == pytest.approx(other.p_value, rel=1e-8)


def test_stratified_test_equals_statsmodels(peers):
    for seed in range(100):
        time, event, group, _, strata = drawn(2_000 + seed, ties=seed % 2 == 0)
        test = logrank(times_of_events(time, event), list(map(str, group)), strata=list(map(str, strata)))
        statistic, p = quietly(peers.survdiff, time, event, group, strata=strata)
        assert test.statistic == pytest.approx(statistic, rel=1e-8)
        assert test.p == pytest.approx(p, rel=1e-7)


def test_cox_equals_lifelines(peers):
    compared = 0
    for seed in range(20):
        time, event, group, weight, strata = drawn(3_000 + seed, ties=seed % 2 == 0)
        x = np.column_stack([group == 1, weight]).astype(float)
        layers = list(map(str, strata)) if seed % 3 == 0 else None
        fit = cox(times_of_events(time, event), x, strata=layers)
        if fit.penalised:
            continue
        frame = peers.pd.DataFrame({"t": time, "e": event, "x": x[:, 0], "w": weight, "s": strata})
        frame = frame if layers else frame.drop(columns="s")
        peer = quietly(peers.lifelines.CoxPHFitter().fit, frame, "t", "e", strata=["s"] if layers else None)
        # the peer stops when its steps are small; ours is never less likely
        np.testing.assert_allclose(fit.coefficients, peer.params_.to_numpy(), atol=2e-3)
        np.testing.assert_allclose(np.sqrt(np.diag(fit.covariance)), peer.standard_errors_.to_numpy(), rtol=2e-3)
        assert fit.log_likelihood == pytest.approx(peer.log_likelihood_, abs=1e-5)
        compared += 1
    assert compared >= 17


def test_proportional_hazards_equal_lifelines(peers):
    for seed in range(6):
        time, event, group, weight, _ = drawn(4_000 + seed, ties=seed % 2 == 0)
        times = times_of_events(time, event)
        fit = cox(times, np.column_stack([group == 1, weight]).astype(float))
        frame = peers.pd.DataFrame({"t": time, "e": event, "x": (group == 1).astype(float), "w": weight})
        peer = quietly(peers.lifelines.CoxPHFitter().fit, frame, "t", "e")
        course = kaplan_meier(times)

        def before(days, *rest, course=course):
            place = np.searchsorted(course.days, days, side="left") - 1
            return peers.pd.Series(1 - np.where(place >= 0, course.free[np.maximum(place, 0)], 1.0))

        other = quietly(peers.tests.proportional_hazard_test, peer, frame, time_transform=before)
        ours = [test.statistic for test in proportional_hazards(fit)]
        # as far as the peer's coefficients are the maximum
        np.testing.assert_allclose(ours, other.test_statistic, rtol=5e-3, atol=1e-4)


def in_sessions(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(10, 30))
    onset = 12 * rng.weibull(1.5, n)
    low, high = np.empty(n), np.empty(n)
    common = np.array([0.0, 3.0, 7.0, 10.0, 14.0, 21.0])
    for k, day in enumerate(onset):
        looks = common if seed % 2 else np.concatenate([[0.0], np.sort(rng.uniform(1, 25, 5))])
        place = int(np.searchsorted(looks, day))
        low[k], high[k] = looks[place - 1], looks[place] if place < looks.size else np.inf
    return low, high


def test_turnbull_equals_lifelines(peers):
    for seed in range(12):
        low, high = in_sessions(5_000 + seed)
        fit = turnbull(OnsetTimes(low, high))
        # the peer's intervals are closed on both sides: a hair keeps looks of one day apart
        peer = quietly(
            peers.lifelines.KaplanMeierFitter().fit_interval_censoring, low + 1e-7 * (low > 0), high, tol=1e-9
        )
        table = peer.survival_function_
        for day in np.unique(high[np.isfinite(high)]):
            least, _ = reached_by(fit, day)
            place = int(np.searchsorted(table.index.to_numpy(), day + 1e-9, side="right")) - 1
            # the peer's iteration ends before its shares of nothing reach zero
            assert min(abs(1 - least - end) for end in table.iloc[place]) < 2e-3


@pytest.mark.parametrize(
    ("law", "name"),
    [("weibull", "WeibullFitter"), ("log-normal", "LogNormalFitter"), ("log-logistic", "LogLogisticFitter")],
)
def test_laws_equal_lifelines(peers, law, name):
    for seed in range(3 if law == "weibull" else 1):
        low, high = in_sessions(6_000 + seed)
        fit = onset_regression(OnsetTimes(low, high), law=law)
        peer = quietly(getattr(peers.lifelines, name)().fit_interval_censoring, low, high)
        assert fit.log_likelihood == pytest.approx(peer.log_likelihood_, abs=1e-4)
        assert fit.log_likelihood >= peer.log_likelihood_ - 1e-9
        assert quantile(fit, 0.5).value == pytest.approx(peer.median_survival_time_, rel=1e-3)


def test_regression_equals_lifelines(peers):
    for seed in range(2):
        time, event, group, weight, _ = drawn(7_000 + seed, ties=False)
        x = np.column_stack([group == 1, weight]).astype(float)
        fit = onset_regression(times_of_events(time, event), x)
        frame = peers.pd.DataFrame({"t": time, "e": event, "x": x[:, 0], "w": weight})
        peer = quietly(peers.lifelines.WeibullAFTFitter().fit, frame, "t", "e")
        assert fit.log_likelihood == pytest.approx(peer.log_likelihood_, abs=1e-4)
        times = fit.coefficients[1:] / fit.shape
        np.testing.assert_allclose(times, peer.params_["lambda_"][["x", "w"]].to_numpy(), atol=2e-3)
