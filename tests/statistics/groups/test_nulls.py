"""False-positive rates and coverage over simulated data sets: the short form of python -m accuracy nulls."""

import sys
from pathlib import Path

import numpy as np
import pytest

from lampyris.statistics.groups import (
    ComparisonPlan,
    compare_groups,
    dunnett_unequal,
    games_howell,
    kruskal_wallis,
    one_way_anova,
    welch_anova,
)

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def nulls():
    sys.path.insert(0, str(ROOT))
    try:
        from accuracy.statistics import nulls

        return nulls
    finally:
        sys.path.remove(str(ROOT))


@pytest.fixture(scope="module")
def figures(nulls):
    return {(one.arm, one.measure): one for one in nulls.tables(quick=True)}


def test_false_positives_and_coverage_are_as_stated(figures):
    missed = {key: one.value for key, one in figures.items() if one.held is False}
    assert missed == {}
    assert sum(one.held is True for one in figures.values()) >= 18
    assert all(one.n >= 5000 for key, one in figures.items() if key[1].endswith("positives"))
    # at 0.814 the estimate is 1 more often than an end may miss, so that only the upper end can; at 0.5 and 0.7 both do
    arm = "7 and 12 units, spread 3 and 1.5"
    assert figures[arm, "superiority_of_0.814_estimated_1_share"].low > 0.025
    assert [figures[arm, f"superiority_of_{one}_coverage"].goal for one in (0.5, 0.7)] == [">= 0.93, <= 0.97"] * 2


@pytest.mark.parametrize(
    ("arm", "measure", "least"),
    [
        # what is refused or advised against finds differences that are not there
        ("regions nested in animals", "regions_as_replicates_false_positives", 0.3),
        ("unequal spread and n", "classic_anova_false_positives", 0.1),
        ("unequal spread and n", "tukey_kramer_any_pair_false_positives", 0.1),
        ("unequal spread and n", "dunnett_any_pair_false_positives", 0.1),
    ],
)
def test_the_naive_test_fails(figures, arm, measure, least):
    assert figures[arm, measure].value > least


def test_the_many_at_once_are_the_tests_themselves(nulls):
    samples = [own[:60] for own in nulls.draws(nulls.UNEQUAL, 60)]
    m, s, n = nulls._summaries(tuple(samples), nulls.UNEQUAL)
    p = {
        "welch": nulls._p_f(*nulls.welch_f(m, s, n)),
        "anova": nulls._p_f(*nulls.anova_f(m, s, n)),
    }
    ranks = nulls.kruskal_rejections(tuple(samples))
    pairs = nulls._any_range(*nulls._welch_pairs(m, s, n, [(0, 1), (0, 2), (1, 2)])[:2], 3)
    control = nulls._any_against(*nulls._welch_pairs(m, s, n, [(1, 0), (2, 0)]))
    for k in range(60):
        groups = [own[k] for own in samples]
        assert welch_anova(groups).p == pytest.approx(p["welch"][k], rel=1e-10)
        assert one_way_anova(groups).p == pytest.approx(p["anova"][k], rel=1e-10)
        assert (kruskal_wallis(groups).p < 0.05) == ranks[k]
        if k < 6:
            assert any(pair.p < 0.05 for pair in games_howell(groups)) == pairs[k]
            assert any(pair.p < 0.05 for pair in dunnett_unequal(groups)) == control[k]


def test_the_means_per_animal_are_what_the_comparison_takes():
    rng = np.random.default_rng(7)
    animals = np.repeat(np.arange(18), 5)
    group = animals // 6
    y = rng.normal(size=18)[animals] + rng.normal(size=90)
    found = compare_groups(y, group, animals, plan=ComparisonPlan(nested="mean"))
    means = y.reshape(3, 6, 5).mean(axis=2)
    assert found.p == pytest.approx(welch_anova(list(means)).p, rel=1e-10)
    assert found.design.n == (6, 6, 6)
