"""Checks of assumptions against NIST, R and SciPy; they inform and say what they mean."""

import math

import numpy as np
import pytest
from scipy import stats

from lampyris.statistics.groups import bartlett, bartlett_from_summary, levene, outliers, sd_ratio, shapiro_wilk


@pytest.mark.parametrize(("center", "name"), [("median", "median"), ("mean", "mean"), ("trimmed", "trim025")])
def test_levene_of_nists_gears(center, name, published):
    case = published["nist_gear"]
    expected = case[f"levene_{name}"]
    test = levene(case["groups"], center=center)
    # the deviations are differences of nearly equal numbers
    assert test.statistic == pytest.approx(expected["W"], rel=1e-9)
    assert test.p == pytest.approx(expected["p"], rel=1e-9)
    assert test.role == "assumption"


def test_bartlett_of_nists_gears(published):
    case = published["nist_gear"]
    test = bartlett(case["groups"])
    assert (test.statistic, test.p) == pytest.approx((case["bartlett"]["T"], case["bartlett"]["p"]), rel=1e-9)
    sds, ns = [np.std(group, ddof=1) for group in case["groups"]], [10] * 10
    assert bartlett_from_summary(sds, ns).p == pytest.approx(test.p, rel=1e-12)


def test_bartlett_takes_integers(insect_sprays, published):
    statistic, df, p = published["kruskal_dunn"]["InsectSprays"]["bartlett"]
    test = bartlett([np.asarray(group, dtype=np.int64) for group in insect_sprays])
    assert test.statistic == pytest.approx(statistic, abs=5e-3)
    assert test.df == (df,)
    assert test.p == pytest.approx(p, rel=5e-4)


def test_shapiro_wilk_equals_r(published):
    for case in published["shapiro_wilk"]["cases"]:
        test = shapiro_wilk([case["x"]])
        assert test.statistic == pytest.approx(case["W"], abs=1e-7)
        assert test.p == pytest.approx(case["p"], rel=1e-5)


@pytest.mark.parametrize("n", [3, 4, 5, 6, 11, 12, 50, 5000])
def test_shapiro_wilk_at_every_branch(n):
    x = np.random.default_rng(n).standard_t(4, n)
    expected = stats.shapiro(x)
    test = shapiro_wilk([x])
    # SciPy's routine works in single precision constants
    assert test.statistic == pytest.approx(expected.statistic, rel=1e-7)
    assert test.p == pytest.approx(expected.pvalue, rel=1e-4, abs=1e-12)
    # residuals know no origin and no scale
    assert shapiro_wilk([1e6 + 1e3 * x]).statistic == pytest.approx(test.statistic, rel=1e-8)


def test_residuals_are_taken_per_group():
    rng = np.random.default_rng(2)
    far = [rng.normal(mean, 1, 12) for mean in (0, 50, 100)]
    assert shapiro_wilk(far).p > 0.05
    assert shapiro_wilk([np.concatenate(far)]).p < 1e-3


@pytest.mark.parametrize(
    ("sds", "ns", "words"),
    [
        ([1, 1.5], [5, 9], "alike within a factor of two"),
        ([1, 3], [5, 5], "equal size"),
        ([1, 3], [9, 5], "finds too much"),
        ([1, 3], [5, 9], "finds too little"),
    ],
)
def test_the_ratio_of_spreads_says_what_it_does(sds, ns, words):
    assert words in sd_ratio(sds, ns).note
    assert math.isnan(sd_ratio(sds, ns).p)


def test_a_group_without_spread_has_an_infinite_ratio():
    assert sd_ratio([0.0, 3.0], [5, 9]).statistic == math.inf


def test_outliers_are_named_and_only_they():
    groups = [[4.1, 4.4, 4.2, 4.3], [5.0, 5.2, 5.1, 9.9, 5.3], [1.0, 1.0, 1.0]]
    (found,) = outliers(groups)
    assert (found.group, found.place, found.value) == (1, 3, 9.9)
    others = np.array([5.0, 5.2, 5.1, 5.3])
    t = (9.9 - others.mean()) / (others.std(ddof=1) * math.sqrt(1 + 1 / 4))
    assert found.t == pytest.approx(t, rel=1e-9)
    assert found.p == pytest.approx(2 * 12 * stats.t.sf(t, 3), rel=1e-9)


def test_outliers_of_normal_values_are_rare():
    rng = np.random.default_rng(5)
    found = sum(bool(outliers([rng.normal(0, sd, n) for sd, n in ((1, 6), (2, 9), (1, 5))])) for _ in range(1000))
    # at most 5 % of data sets hold one: four binomial standard deviations above
    assert found < 78


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: levene([[1, 2], [3, 4]], center="mode"), "median, mean or trimmed"),
        (lambda: bartlett([[1, 1], [3, 4]]), "no spread"),
        (lambda: shapiro_wilk([[1, 2]]), "3 to 5000"),
        (lambda: shapiro_wilk([[1, 1, 1], [2, 2]]), "that differ"),
    ],
)
def test_faults_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
