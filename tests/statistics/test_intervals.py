"""Intervals against closed forms, R and coverage by enumeration."""

import math

import numpy as np
import pytest
from scipy import special, stats

from lampyris.statistics.intervals import (
    bounded_interval,
    clopper_pearson_interval,
    geometric_mean_interval,
    normal_interval,
    skewed_mean_interval,
    t_interval,
    t_interval_from_summary,
    wilson_interval,
    with_error,
)


def test_t_interval_equals_scipy():
    values = [4.17, 5.58, 5.18, 6.11, 4.50]
    expected = stats.ttest_1samp(values, 0).confidence_interval(0.9)
    e = t_interval(values, unit="g", level=0.9)
    assert (e.low, e.high) == pytest.approx((expected.low, expected.high), rel=1e-12)
    assert e.unit == "g"
    summary = t_interval_from_summary(np.mean(values), np.std(values, ddof=1), 5, unit="g", level=0.9)
    assert summary == e


def test_a_mean_of_skewed_values_is_held_as_often_as_is_said():
    rng = np.random.default_rng(3)
    held = []
    for _ in range(1000):
        values = rng.chisquare(1, 40)
        even, one = t_interval(values), skewed_mean_interval(values)
        held.append((even.low < 1 < even.high, one.low < 1 < one.high))
    # three standard errors of 1000 are 0.02; by simulation of 20,000 Student's holds 0.92
    assert np.mean(held, axis=0) == pytest.approx([0.92, 0.95], abs=0.02)
    assert skewed_mean_interval([1.0, 2.0, 3.0]) == t_interval([1.0, 2.0, 3.0])
    assert skewed_mean_interval([3.0]).high == math.inf
    mirrored = skewed_mean_interval(-values)
    assert (mirrored.low, mirrored.high) == pytest.approx((-one.high, -one.low))


def test_one_value_has_an_unbounded_interval():
    e = t_interval([3.0])
    assert (e.value, e.low, e.high) == (3.0, -math.inf, math.inf)
    assert math.isnan(e.sd)


def test_no_value_is_nan():
    e = t_interval([])
    assert all(math.isnan(x) for x in (e.value, e.sd, e.low, e.high))


@pytest.mark.parametrize("values", [[1.0, math.nan], [[1.0, 2.0]], [math.inf]])
def test_t_interval_refuses(values):
    with pytest.raises(ValueError, match="finite"):
        t_interval(values)


def test_a_further_error_adds_in_quadrature_and_keeps_an_uneven_interval():
    own = normal_interval(2.0, 3.0, unit="nm", method="fit", low=0.0)
    e = with_error(own, 4.0, "with scale")
    reach = stats.norm.ppf(0.975) * np.array([3.0, 4.0])
    assert e.sd == pytest.approx(5.0)
    assert e.high == pytest.approx(2.0 + np.hypot(*reach))
    assert e.low == pytest.approx(2.0 - math.hypot(2.0, reach[1]))
    assert (e.unit, e.method) == ("nm", "with scale")
    nothing = normal_interval(math.nan, 1.0, unit="nm", method="no fit")
    assert with_error(nothing, 4.0, "with scale") is nothing
    assert with_error(t_interval([3.0]), 4.0, "with scale").high == math.inf


def test_geometric_mean():
    values = np.array([2e3, 8e3, 4e3, 1.6e4])
    log = t_interval(np.log(values))
    e = geometric_mean_interval(values, unit="ph s-1")
    assert e.value == pytest.approx(stats.gmean(values), rel=1e-12)
    assert (e.low, e.high) == pytest.approx((math.exp(log.low), math.exp(log.high)), rel=1e-12)
    assert geometric_mean_interval([5.0]).high == math.inf
    assert math.isnan(geometric_mean_interval([]).value)
    with pytest.raises(ValueError, match="positive"):
        geometric_mean_interval([1.0, 0.0])


@pytest.mark.parametrize(("function", "method"), [(wilson_interval, "wilson"), (clopper_pearson_interval, "exact")])
@pytest.mark.parametrize(("successes", "n"), [(0, 3), (4, 5), (5, 5), (0, 1), (17, 40), (1, 1000)])
def test_share_equals_scipy(function, method, successes, n):
    expected = stats.binomtest(successes, n).proportion_ci(0.95, method=method)
    e = function(successes, n, level=0.95)
    assert (e.low, e.high) == pytest.approx((expected.low, expected.high), rel=1e-9, abs=1e-12)
    assert 0 <= e.low <= e.value <= e.high <= 1


def test_exact_interval_never_undercovers():
    n = 12
    intervals = [clopper_pearson_interval(k, n, level=0.9) for k in range(n + 1)]
    for p in np.linspace(0.01, 0.99, 99):
        weights = stats.binom.pmf(np.arange(n + 1), n, p)
        covered = sum(w for w, e in zip(weights, intervals, strict=True) if e.low <= p <= e.high)
        assert covered >= 0.9 - 1e-12


@pytest.mark.parametrize(("successes", "n"), [(1, 0), (-1, 3), (4, 3)])
def test_share_refuses(successes, n):
    for function in (wilson_interval, clopper_pearson_interval):
        with pytest.raises(ValueError, match="successes"):
            function(successes, n)


NORMAL = {
    "plain": ((5.0, 1.0), {}, (5.0 - 1.959964, 5.0 + 1.959964)),
    "cut below": ((1.0, 1.0), {"low": 0.0}, (0.0, 2.959964)),
    "cut above": ((0.9, 0.2), {"low": 0.0, "high": 1.0}, (0.508007, 1.0)),
    "a value beyond its bound stays inside": ((-0.1, 0.2), {"low": 0.0}, (-0.1, 0.291993)),
    "unknown error": ((1.0, math.inf), {"low": 0.0}, (0.0, math.inf)),
    "another level": ((0.0, 1.0), {"level": 0.9}, (-1.644854, 1.644854)),
}


@pytest.mark.parametrize(("given", "options", "ends"), NORMAL.values(), ids=NORMAL.keys())
def test_normal_interval(given, options, ends):
    found = normal_interval(*given, unit="nm", method="a", **options)
    # the expected ends are tabulated to six decimals
    assert (found.low, found.high) == pytest.approx(ends, abs=2e-6)
    assert (found.value, found.sd, found.unit) == (*given, "nm")


@pytest.mark.parametrize("given", [(math.nan, 1.0), (1.0, math.nan)])
def test_normal_interval_of_what_is_not_known(given):
    assert math.isnan(normal_interval(*given, unit="nm", method="a").value)


def test_from_its_bound_up_a_bounded_interval_is_near_that_of_the_likelihood_ratio():
    # an estimate above 0 is its own best mean, and one below 0 has 0 as its best
    mean, far = np.meshgrid(np.arange(0.01, 6.0, 0.01), np.arange(1.6, 3.9, 0.005), indexing="ij")
    lower = np.where(far <= mean, mean - far, (mean**2 - far**2) / (2.0 * mean))
    first = (special.ndtr(far) - special.ndtr(lower - mean) >= 0.95).argmax(axis=1)
    accepted = [(one[k], top) for one, k, top in zip(lower, first, (mean + far)[range(first.size), first], strict=True)]

    def likelihood_ratio(x):
        held = [one for one, (low, high) in zip(mean[:, 0], accepted, strict=True) if low <= x <= high]
        return min(held), max(held)

    # Feldman and Cousins 1998, Table X, 95 %: 0.42 and 1.96
    assert [likelihood_ratio(x)[1] for x in (-3.0, 0.0)] == pytest.approx([0.42, 1.96], abs=0.011)
    for x in (0.5, 1.0, 1.5, 2.0, 3.0, 3.5):
        found, ends = bounded_interval(normal_interval(x, 1.0, unit="1", method="a")), likelihood_ratio(x)
        # means lie 0.01 apart; the lower end may lie farther up by what one quantile has over the other
        assert found.high == pytest.approx(ends[1], abs=0.011)
        assert -0.02 <= found.low - ends[0] <= 1.96 - 1.645


@pytest.mark.parametrize("level", [0.6827, 0.95])
def test_a_bounded_number_is_held_as_often_as_is_said_wherever_it_lies(level):
    x, step = np.linspace(-6.0, 11.0, 3401, retstep=True)
    ends = [bounded_interval(normal_interval(one, 1.0, unit="1", method="a", level=level)) for one in x.tolist()]
    low, high = np.array([(one.low, one.high) for one in ends]).T
    for mean in (0.0, 0.3, 1.0, 1.9, 2.0, 3.7, 5.0):
        held = stats.norm.pdf(x - mean)[(low <= mean) & (mean <= high)].sum() * step
        # ends fall between the points of the grid
        assert held == pytest.approx(level, abs=step)
