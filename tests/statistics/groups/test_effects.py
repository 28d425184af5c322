"""Effect sizes against closed forms, SciPy's noncentral distributions and each other."""

import itertools
import math

import numpy as np
import pytest
from scipy import special, stats

from lampyris.statistics.groups import (
    cliffs_delta,
    epsilon_squared,
    eta_squared,
    geometric_mean_ratio,
    hedges_g,
    hedges_g_from_summary,
    kruskal_wallis,
    mean_difference,
    mean_difference_from_summary,
    mean_ratio,
    mean_ratio_from_summary,
    omega_squared,
    one_way_anova,
    paired_t,
    superiority,
)
from lampyris.statistics.groups.effects import noncentral_shift

A, B = [5.1, 4.8, 6.0, 5.5, 7.2], [4.0, 4.6, 4.1, 5.0]


def summary(*samples):
    arrays = [np.asarray(sample) for sample in samples]
    return [a.mean() for a in arrays], [a.std(ddof=1) for a in arrays], [a.size for a in arrays]


def test_summary_equals_raw():
    for raw, printed in (
        (hedges_g, hedges_g_from_summary),
        (mean_difference, mean_difference_from_summary),
        (mean_ratio, mean_ratio_from_summary),
    ):
        one, other = raw(A, B), printed(*summary(A, B))
        for field in ("value", "sd", "low", "high"):
            assert getattr(other, field) == pytest.approx(getattr(one, field), rel=1e-12)


def test_mean_difference_is_welchs():
    expected = stats.ttest_ind(A, B, equal_var=False).confidence_interval(0.9)
    found = mean_difference(A, B, level=0.9, unit="g")
    assert (found.low, found.high, found.unit) == (
        pytest.approx(expected.low, rel=1e-12),
        pytest.approx(expected.high, rel=1e-12),
        "g",
    )


def test_hedges_g_inverts_the_noncentral_t():
    g = hedges_g(A, B, level=0.9)
    pooled = math.sqrt((4 * np.var(A, ddof=1) + 3 * np.var(B, ddof=1)) / 7)
    d = (np.mean(A) - np.mean(B)) / pooled
    # the exact factor at 7 degrees of freedom
    assert g.value == pytest.approx(d * math.gamma(3.5) / math.gamma(3) / math.sqrt(3.5), rel=1e-12)
    scale = math.sqrt(1 / 5 + 1 / 4)
    assert special.nctdtr(7, g.low / scale, d / scale) == pytest.approx(0.95, abs=1e-9)
    assert special.nctdtr(7, g.high / scale, d / scale) == pytest.approx(0.05, abs=1e-9)


@pytest.mark.parametrize("df", [3.0, 8.0, 27.0, 500.0])
@pytest.mark.parametrize("t", [-30.0, -3.0, 0.0, 0.7, 40.0])
def test_noncentral_shift_inverts(df, t):
    for p in (0.025, 0.5, 0.975):
        assert special.nctdtr(df, noncentral_shift(t, df, p), t) == pytest.approx(p, abs=1e-9)


def test_effect_sizes_of_any_size_have_an_interval():
    for scale in (1e2, 1e5, 1e9):
        rng = np.random.default_rng(1)
        a, b = rng.normal(scale, 1, 30), rng.normal(0, 1, 9)
        g = hedges_g(a, b)
        assert 0 < g.low < g.value < g.high < 3 * g.value
        omega = one_way_anova([a, b]).effect_size
        assert 0.9 < omega.low <= omega.value <= omega.high <= 1


def test_difference_of_logarithms_is_a_ratio():
    ratio = geometric_mean_ratio(A, B)
    logs = mean_difference(np.log(A), np.log(B))
    assert (ratio.value, ratio.low, ratio.high) == pytest.approx(
        tuple(math.exp(one) for one in (logs.value, logs.low, logs.high)), rel=1e-12
    )


def test_ratios_turn_over():
    for function in (geometric_mean_ratio, mean_ratio):
        one, other = function(A, B), function(B, A)
        assert (other.value, other.low, other.high) == pytest.approx(
            (1 / one.value, 1 / one.high, 1 / one.low), rel=1e-12
        )


def test_superiority_is_u_over_the_pairs():
    a, b = [1, 2, 2, 5, 7], [2, 3, 3, 0]
    found = superiority(a, b)
    assert found.value == pytest.approx(stats.mannwhitneyu(a, b).statistic / 20, rel=1e-15)
    assert found.sd == pytest.approx(brunner_munzel_error(a, b), rel=1e-12)
    turned = superiority(b, a)
    assert (turned.low, turned.high) == pytest.approx((1 - found.high, 1 - found.low), rel=1e-12)
    delta = cliffs_delta(a, b)
    assert (delta.value, delta.low, delta.high) == pytest.approx(
        tuple(2 * one - 1 for one in (found.value, found.low, found.high)), rel=1e-12
    )


def brunner_munzel_error(a, b):
    """From SciPy's statistic, which is the difference from one half over this error."""
    return (0.5 - stats.mannwhitneyu(a, b).statistic / (len(a) * len(b))) / stats.brunnermunzel(a, b).statistic


def test_groups_that_do_not_overlap_have_an_open_interval():
    found = superiority([5, 6, 7, 8, 9], [1, 2, 3, 4])
    assert found.value == found.high == 1
    assert 0.4 < found.low < 0.95
    assert "do not overlap" in found.method
    flat = superiority([1, 1, 1], [1, 1])
    assert flat.value == 0.5
    assert flat.low < 0.2 < 0.8 < flat.high


def test_the_interval_of_superiority_inverts_the_studentised_permutation_test():
    # ties, and every split by plain loops
    a, b = np.array([1.0, 4.0, 5.0, 5.0, 7.0]), np.array([2.0, 2.0, 0.0, 4.0])
    pooled = np.concatenate([a, b])

    def normal_scale(x, y, p):
        above, below = (np.array([np.mean((v < one) + 0.5 * (v == one)) for one in u]) for u, v in ((x, y), (y, x)))
        value, parts = above.mean(), np.array([above.var(ddof=1) / x.size, below.var(ddof=1) / y.size])
        newcombe = (1 + (0.5 * (x.size + y.size) - 1) * ((1 - p) / (2 - p) + p / (1 + p))) / (x.size * y.size)
        share, df = 1 / min(x.size, y.size), min(x.size, y.size) - 1
        if parts.sum() > 0 and 0 < value < 1:
            share = parts.sum() / (value * (1 - value))
            df = parts.sum() ** 2 / (parts**2 / np.array([x.size - 1, y.size - 1])).sum()
        t = abs(value - p) / math.sqrt(max(share, newcombe) * p * (1 - p))
        return stats.norm.isf(stats.t.sf(t, df))

    splits = []
    for chosen in itertools.combinations(range(9), 5):
        inside = np.isin(np.arange(9), chosen)
        splits.append(normal_scale(pooled[inside], pooled[~inside], 0.5))
    critical = np.sort(splits)[math.ceil(0.95 * len(splits)) - 1]
    found = superiority(a, b)
    for end in (found.low, found.high):
        assert normal_scale(a, b, end) == pytest.approx(critical, rel=1e-6)


def test_shares_of_variance():
    groups = [[4.2, 5.6, 5.2], [4.8, 4.2, 4.4], [6.3, 5.1, 5.5]]
    test = one_way_anova(groups)
    pooled = np.concatenate(groups)
    between = sum(3 * (np.mean(group) - pooled.mean()) ** 2 for group in groups)
    total = ((pooled - pooled.mean()) ** 2).sum()
    within = (total - between) / 6
    eta = eta_squared(test.statistic, 2, 6, 9)
    assert eta.value == pytest.approx(between / total, rel=1e-12)
    assert test.effect_size.value == pytest.approx((between - 2 * within) / (total + within), rel=1e-12)
    assert (eta.low, eta.high) == (test.effect_size.low, test.effect_size.high)
    assert omega_squared(0.3, 2, 6, 9).value == 0


def test_epsilon_squared_is_eta_squared_of_ranks():
    groups = [[1, 2, 4, 9], [3, 5, 6, 8], [7, 10, 11, 12]]
    ranks = one_way_anova(groups)
    found = kruskal_wallis(groups).effect_size
    expected = eta_squared(ranks.statistic, 2, 9, 12)
    assert (found.value, found.low, found.high) == pytest.approx(
        (expected.value, expected.low, expected.high), rel=1e-9
    )
    assert epsilon_squared(11.0, 3, 12).value == 1.0


def test_paired_t_equals_scipy():
    a, b = [5.1, 4.8, 6.0, 5.5], [4.0, 4.6, 4.1, 5.0]
    expected = stats.ttest_rel(a, b)
    found = paired_t(a, b, level=0.9)
    assert (found.test.statistic, found.test.p) == pytest.approx((expected.statistic, expected.pvalue), rel=1e-12)
    interval = expected.confidence_interval(0.9)
    assert (found.difference.low, found.difference.high) == pytest.approx((interval.low, interval.high), rel=1e-12)
    low = found.effect_size.low * 2
    assert special.nctdtr(3, low, expected.statistic) == pytest.approx(0.95, abs=1e-9)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: hedges_g([1, 1], [2, 2]), "no group has any spread"),
        (lambda: hedges_g_from_summary([1, 2, 3], [1, 1, 1], [3, 3, 3]), "two groups, got 3"),
        (lambda: mean_ratio([-1, 2, -3], [1, 2, 3]), "means above 0"),
        (lambda: geometric_mean_ratio([0, 2], [1, 2]), "values above 0"),
        (lambda: superiority([1], [1, 2]), "at least two finite values"),
        (lambda: paired_t([1, 2, 3], [2, 3, 4]), "not all equal"),
    ],
)
def test_faults_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
