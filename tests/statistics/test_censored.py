"""Values below a detection limit: against closed forms, an independent maximum, independent survival programs, and simulation."""

import itertools
import math
import warnings

import numpy as np
import pytest
from scipy import optimize, special, stats

from lampyris.core.design import Exclusion
from lampyris.statistics.censored import (
    as_comparison,
    censored_quantile,
    censored_summary,
    compare_censored,
    rank_test_censored,
)
from lampyris.statistics.intervals import geometric_mean_interval, t_interval

NONE = [False] * 6
PLAIN = [6.1, 6.4, 5.9, 6.8, 6.3, 5.2]
# limits that differ, one of them above values that were seen
X = np.array([2.0, 2.0, 3.0, 2.4, 2.9, 3.6, 4.4, 5.0, 3.3, 2.6])
BELOW = np.array([1, 1, 1, 0, 0, 0, 0, 0, 0, 0], dtype=bool)


@pytest.fixture(scope="module")
def survival():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import lifelines
        from statsmodels.duration.survfunc import survdiff

    return lifelines, survdiff


def minus_log_likelihood(p, x, below):
    normal = stats.norm(p[0], math.exp(p[1]))
    return -float(np.where(below, normal.logcdf(x), normal.logpdf(x)).sum())


def test_without_limits_it_is_students_interval():
    found = censored_summary(PLAIN, NONE, unit="mm")
    usual = t_interval(PLAIN, unit="mm")
    # the profile's ends are found to 1e-7 of the quantile
    assert [found.mean.value, found.mean.sd, found.mean.low, found.mean.high] == pytest.approx(
        [usual.value, usual.sd, usual.low, usual.high], rel=1e-6
    )
    assert found.sd.value == pytest.approx(np.std(PLAIN, ddof=1), rel=1e-7)
    assert (found.n, found.below, found.mean.unit) == (6, 0, "mm")


def test_log_normal_values_give_the_geometric_mean():
    values = np.exp(PLAIN)
    found = censored_summary(values, NONE, distribution="lognormal", unit="ph s-1")
    usual = geometric_mean_interval(values)
    assert [found.mean.value, found.mean.low, found.mean.high] == pytest.approx(
        [usual.value, usual.low, usual.high], rel=1e-5
    )
    assert found.sd.value == pytest.approx(np.std(PLAIN, ddof=1), rel=1e-7)
    assert found.sd.unit == "1"


def test_maximum_and_profile_are_those_of_an_independent_search():
    found = censored_summary(X, BELOW)
    best = optimize.minimize(
        minus_log_likelihood, [3.0, 0.0], (X, BELOW), method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-12}
    )
    assert found.mean.value == pytest.approx(best.x[0], abs=1e-6)
    assert found.sd.value == pytest.approx(math.exp(best.x[1]) * math.sqrt(10 / 9), abs=1e-6)
    t = stats.t.ppf(0.975, 9)
    for end in (found.mean.low, found.mean.high):
        held = optimize.minimize_scalar(
            lambda s, end=end: minus_log_likelihood((end, s), X, BELOW),
            bounds=(-3, 3),
            method="bounded",
            options={"xatol": 1e-10},
        )
        assert 2 * (held.fun - best.fun) == pytest.approx(10 * math.log1p(t * t / 9), rel=1e-5)


@pytest.mark.parametrize("factor", [1e-6, 1e6])
def test_units_do_not_matter(factor):
    plain, other = censored_summary(X, BELOW), censored_summary(factor * X, BELOW)
    for name in ("mean", "sd"):
        a, b = getattr(plain, name), getattr(other, name)
        assert [b.value, b.sd, b.low, b.high] == pytest.approx(
            [factor * one for one in (a.value, a.sd, a.low, a.high)], rel=1e-5
        )


def test_integers_are_fine():
    assert censored_summary([2, 3, 5, 9], [1, 0, 0, 0]) == censored_summary(
        [2.0, 3.0, 5.0, 9.0], [True, False, False, False]
    )


def test_the_distribution_is_that_of_an_independent_program(survival):
    lifelines, _ = survival
    fitter = lifelines.KaplanMeierFitter().fit_left_censoring(X, ~BELOW)
    cumulative = fitter.cumulative_density_["KM_estimate"]
    for probability in (0.3, 0.4, 0.55, 0.75, 0.95):
        found = censored_quantile(X, BELOW, probability=probability)
        # the smallest value that this share lies at or below
        seen = [value for value in np.unique(X[~BELOW]) if cumulative.loc[value] >= probability - 1e-12]
        assert found.value == seen[0]


@pytest.mark.parametrize(("n", "low", "high"), [(5, None, None), (6, 0, 5), (9, 1, 7), (20, 5, 14)])
def test_without_limits_the_interval_is_that_of_order_statistics(n, low, high):
    # of the median at 95 %: Conover, Practical Nonparametric Statistics, table A3
    found = censored_quantile(np.arange(n), np.zeros(n, bool))
    assert found.value == np.median(np.arange(n))
    assert found.low == (-math.inf if low is None else low)
    assert found.high == (math.inf if high is None else high)


def test_a_quantile_among_what_was_not_seen_is_bounded_by_the_limit():
    found = censored_quantile([1.0, 1.5, 1.0, 2.0, 3.0], [1, 1, 1, 0, 0])
    assert math.isnan(found.value)
    assert found.low == -math.inf
    assert found.high == math.inf
    many = censored_quantile([1.0] * 30 + [2.0, 3.0], [1] * 30 + [0, 0])
    assert (math.isnan(many.value), many.high) == (True, 2.0)


def test_a_group_of_which_nothing_is_seen_is_bounded():
    found = censored_summary([5.0, 5.0, 4.0, 5.0], [True] * 4, group="dye")
    assert math.isnan(found.mean.value)
    assert (found.mean.low, found.mean.high) == (-math.inf, 5.0)
    # four values below the median by chance: one in sixteen
    assert found.mean.level == pytest.approx(15 / 16)
    assert "nothing was seen in any of 4" in found.note


@pytest.mark.parametrize(
    ("values", "marks"), [([], []), ([5.0], [0]), ([5.0, 5.0, 5.0], [0, 0, 0]), ([3.0, 3.0, 6.0], [1, 1, 0])]
)
def test_too_little_to_know_a_spread_gives_no_interval(values, marks):
    found = censored_summary(values, marks)
    assert not math.isfinite(found.mean.high - found.mean.low)
    assert math.isnan(found.sd.value)


def test_uncensored_ranks_are_those_of_kruskal_and_wallis():
    rng = np.random.default_rng(2)
    groups = {name: rng.integers(0, 8, n) for name, n in (("a", 5), ("b", 6), ("c", 4))}
    found = compare_censored(
        groups, {name: np.zeros(one.size, bool) for name, one in groups.items()}, rng=rng, permutations=99
    )
    rank = next(one for one in found.tests if "permutation" in one.name)
    assert rank.statistic == pytest.approx(stats.kruskal(*groups.values()).statistic, rel=1e-9)


def test_asymptotic_ranks_are_those_of_an_independent_program(survival):
    _, survdiff = survival
    rng = np.random.default_rng(3)
    for _ in range(500):
        sizes = rng.integers(4, 9, rng.integers(2, 4))
        values = {str(place): np.round(rng.normal(0.3 * place, 1, n), 1) for place, n in enumerate(sizes)}
        limits = {name: rng.choice([-0.8, -0.2], one.size) for name, one in values.items()}
        marks = {name: one < limits[name] for name, one in values.items()}
        values = {name: np.where(marks[name], limits[name], one) for name, one in values.items()}
        rank = next(iter(rank_test_censored(values, marks, exact=False)), None)
        x = np.concatenate(list(values.values()))
        seen = ~np.concatenate(list(marks.values()))
        if rank is None:
            assert not seen.any()
            continue
        # the independent program takes the logarithm of a share of 0 and gives it no weight
        with np.errstate(divide="ignore", invalid="ignore"):
            statistic, p = survdiff(-x, seen, np.repeat(np.arange(sizes.size), sizes), weight_type="fh", fh_p=1)
        assert rank.statistic == pytest.approx(statistic, rel=1e-8)
        assert rank.p == pytest.approx(p, rel=1e-7)


def test_the_exact_p_counts_every_split():
    a, b = [1.0, 2.0, 3.0], [2.5, 4.0, 5.0, 6.0]
    found = compare_censored({"a": a, "b": b}, {"a": [1, 0, 0], "b": [0] * 4})
    rank = next(one for one in found.tests if "exact" in one.name)
    ranks = stats.rankdata([*a, *b])
    observed = abs(ranks[:3].sum() - 12)
    larger = [abs(ranks[list(one)].sum() - 12) >= observed - 1e-9 for one in itertools.combinations(range(7), 3)]
    # one limit below all that is seen: scores are linear in ranks
    assert rank.p == pytest.approx(np.mean(larger), abs=1e-12)
    assert "35 splits" in rank.note


def test_without_limits_the_likelihood_test_is_students_where_spreads_are_one():
    a = np.array([1.0, 2.0, 4.0, 5.5])
    b = a + 2.0
    found = compare_censored({"a": a, "b": b}, {"a": [0] * 4, "b": [0] * 4})
    test, pair = found.tests[0], found.pairs[0].difference
    usual = stats.ttest_ind(a, b)
    assert test.role == "primary"
    assert test.p == pytest.approx(usual.pvalue, rel=1e-6)
    ends = usual.confidence_interval()
    assert [pair.value, pair.low, pair.high] == pytest.approx([-2.0, ends.low, ends.high], rel=1e-5)
    assert found.design.n == (4, 4)


def test_likelihood_ratio_and_difference_meet_an_independent_search():
    values = {"dots": np.array([6.1, 6.4, 5.9, 6.8, 6.3]), "dye": np.array([5.0, 5.0, 5.4, 5.2, 5.7])}
    marks = {"dots": np.zeros(5, bool), "dye": np.array([1, 1, 0, 0, 0], bool)}
    found = compare_censored(values, marks, unit="log10(ph s-1)")
    each = [
        optimize.minimize(
            minus_log_likelihood,
            [6.0, -1.0],
            (values[key], marks[key]),
            method="Nelder-Mead",
            options={"xatol": 1e-9, "fatol": 1e-12},
        )
        for key in values
    ]
    both = optimize.minimize(
        lambda p: sum(
            minus_log_likelihood((p[0], p[place + 1]), values[key], marks[key]) for place, key in enumerate(values)
        ),
        [5.8, 0.0, 0.0],
        method="Nelder-Mead",
        options={"xatol": 1e-9, "fatol": 1e-12, "maxiter": 5000, "maxfev": 5000},
    )
    ratio = 2 * (both.fun - each[0].fun - each[1].fun)
    variance = np.array([math.exp(2 * one.x[1]) / 4 for one in each])
    degrees = variance.sum() ** 2 / (variance**2 / 4).sum()
    statistic = degrees * math.expm1(ratio / (degrees * 10 / 8))
    assert found.tests[0].statistic == pytest.approx(statistic, rel=1e-5)
    assert found.tests[0].p == pytest.approx(float(special.fdtrc(1, degrees, statistic)), rel=1e-5)
    assert found.pairs[0].difference.value == pytest.approx(each[0].x[0] - each[1].x[0], abs=1e-6)
    assert found.pairs[0].p == pytest.approx(found.tests[0].p, rel=1e-6)
    assert found.design.below_limit == (0, 2)


@pytest.mark.parametrize("turned", [False, True])
def test_a_group_of_which_nothing_is_seen_bounds_the_difference(turned):
    values = {"dots": [6.1, 6.4, 5.9, 6.8, 6.3], "dye": [5.0] * 5}
    marks = {"dots": [0] * 5, "dye": [1] * 5}
    names = ["dye", "dots"] if turned else ["dots", "dye"]
    found = compare_censored({name: values[name] for name in names}, {name: marks[name] for name in names})
    pair = found.pairs[0]
    assert math.isnan(pair.difference.value)
    ends = (pair.difference.low, pair.difference.high)
    inner = -ends[1] if turned else ends[0]
    # the unseen spread as widely as can be: one half each where their mean lies above the limit, and else anywhere below it,
    # so that the other mean's own profile, as far as one half each lets it rise at 4 degrees of freedom, ends above the limit
    rise = 5 * math.log1p(stats.t.ppf(0.975, 4) ** 2 / 4)
    assert rise < 10 * math.log(2)
    own = np.array(values["dots"])
    t = math.sqrt(4 * math.expm1(rise / 5))
    assert inner == pytest.approx(own.mean() - t * own.std(ddof=1) / math.sqrt(5) - 5.0, rel=1e-5)
    assert math.inf in (ends[1], -ends[0])
    p = float(special.fdtrc(1, 4, 4 * math.expm1(10 * math.log(2) / 5)))
    # as wide as can be is a spread of e^6 times the common one
    assert (found.tests[0].p, pair.p) == pytest.approx((p, p), rel=1e-5)
    assert "as wide as can be" in found.tests[0].note
    # ranks ask something else, and stand beside
    assert [(one.role, one.p) for one in found.tests if "exact" in one.name] == [("beside", pytest.approx(2 / 252))]


def test_four_of_which_nothing_is_seen_may_spread_about_any_mean():
    found = compare_censored({"a": [6.1, 6.4, 5.9, 6.8], "b": [5.0] * 4}, {"a": [0] * 4, "b": [1] * 4})
    assert found.pairs[0].difference.low == -math.inf
    assert found.pairs[0].p > 0.05
    # of three groups too, and of groups whose mean lies below the limit of the unseen nothing is lost at all
    low = [4.1, 4.6, 4.3, 5.2]
    two = compare_censored({"a": low, "b": [5.0] * 4}, {"a": [0] * 4, "b": [1] * 4}).tests[0]
    assert two.p == pytest.approx(1.0)
    three = compare_censored({"a": low, "b": [5.0] * 4, "c": low}, {"a": [0] * 4, "b": [1] * 4, "c": [0] * 4}).tests[0]
    assert (three.symbol, three.p) == ("F", pytest.approx(1.0))


@pytest.mark.parametrize("lone", [[5.5], [5.5, 5.5]])
def test_ranks_answer_where_a_group_has_no_spread_at_all(lone):
    found = compare_censored({"a": [6.1, 6.4, 5.9], "b": lone}, {"a": [0] * 3, "b": [0] * len(lone)})
    assert "exact" in found.tests[0].name
    assert found.pairs[0].p == found.tests[0].p
    assert "one spread for all" in found.tests[-1].note


def test_nothing_seen_at_all_is_said_and_not_tested():
    found = compare_censored({"a": [5.0, 5.0], "b": [4.0, 4.0]}, {"a": [1, 1], "b": [1, 1]})
    assert found.tests == ()
    assert math.isnan(found.pairs[0].p)
    assert "No test was made" in found.notes[-1]


def test_it_becomes_the_reports_comparison():
    values, marks = {"a": [6.1, 6.4, 5.9], "b": [5, 5, 5]}, {"a": [0, 0, 0], "b": [1, 1, 1]}
    found = compare_censored(values, marks, unit="log10(ph s-1)")
    noun = as_comparison(found, values, marks, endpoint="flux")
    assert (noun.test, noun.p, noun.df1) == (found.tests[0].name, found.tests[0].p, 1.0)
    assert noun.groups[1].censored == (True, True, True)
    assert noun.groups[1].mean.high == 5.0
    assert noun.design is found.design
    nothing = compare_censored({"a": [5.0], "b": [5.0]}, {"a": [1], "b": [1]})
    empty = as_comparison(nothing, {"a": [5.0], "b": [5.0]}, {"a": [1], "b": [1]}, endpoint="flux")
    assert empty.test == ""
    assert math.isnan(empty.p)


def test_what_was_left_out_is_in_the_design():
    out = Exclusion("m07", "dye", "died")
    found = compare_censored(
        {"a": PLAIN, "b": PLAIN}, {"a": NONE, "b": NONE}, experimental_unit="fish", exclusions=[out]
    )
    assert found.design.exclusions == (out,)
    assert "fish" in found.design.sentence()


@pytest.mark.parametrize(
    ("values", "marks", "said"),
    [
        ({"a": [1.0]}, {"a": [0]}, "two groups"),
        ({"a": [1.0], "b": [2.0]}, {"a": [0]}, "values or marks alone: b"),
        ({"a": [1.0, 2.0], "b": [2.0]}, {"a": [0], "b": [0]}, "a: values and censored must be of one length"),
        ({"a": [1.0, math.nan], "b": [2.0]}, {"a": [0, 0], "b": [0]}, r"a: values at places \[1\] are not finite"),
        ({"a": [1.0, 2.0], "b": []}, {"a": [0, 0], "b": []}, "b has no value"),
        ({"a": [1.0, 2.0], "b": [3.0]}, {"a": [0, 2], "b": [0]}, "true or false"),
    ],
)
def test_bad_groups_are_refused_with_the_reason(values, marks, said):
    with pytest.raises(ValueError, match=said):
        compare_censored(values, marks)


def test_other_bad_input_is_refused():
    with pytest.raises(ValueError, match="positive values"):
        censored_summary([1.0, -1.0], [0, 0], distribution="lognormal")
    with pytest.raises(ValueError, match="'normal' or 'lognormal'"):
        censored_summary([1.0, 2.0], [0, 0], distribution="weibull")
    with pytest.raises(ValueError, match="between 0 and 1"):
        censored_quantile([1.0, 2.0], [0, 0], probability=1.0)


def test_intervals_cover_and_substitution_is_off():
    # the accuracy table "censoring" has the long form
    rng = np.random.default_rng(7)
    draws, held, zero, half = 100, 0, [], []
    for _ in range(draws):
        x = rng.normal(3.0, 1.0, 10)
        below = x < 2.6
        found = censored_summary(np.where(below, 2.6, x), below)
        held += found.mean.low <= 3.0 <= found.mean.high
        zero.append(np.where(below, 0.0, x).mean())
        half.append(np.where(below, 1.3, x).mean())
    # 0.95 within three standard errors of 0.022
    assert held / draws >= 0.88
    assert np.mean(zero) < 2.5
    assert np.mean(half) < 2.85
