"""Repeated measures against printed answers, and what is refused."""

import csv
import math
from pathlib import Path

import numpy as np
import pytest

from lampyris.core.errors import InputError
from lampyris.statistics.mixed import repeated_measures

DATA = Path(__file__).parents[2] / "data" / "statistics"
# R ez::ezANOVA, from statsmodels' tests: numerator and denominator df, F, p
EZ = {
    "one factor": (16, ("B",), [(1, 7, 22.4, 0.002125452)]),
    "two factors": (
        48,
        ("A", "B"),
        [(1, 7, 40.14159, 0.0003905263), (2, 14, 29.21739, 1.007549e-05), (2, 14, 17.10545, 0.0001741322)],
    ),
}


def days(y, subjects=4, levels=3):
    return y, [f"s{k // levels}" for k in range(subjects * levels)], {"day": [str(k) for k in range(levels)] * subjects}


@pytest.mark.parametrize("name", EZ)
def test_answers_are_those_of_ez(name):
    count, factors, answers = EZ[name]
    with (DATA / "statsmodels_anova_rm.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))[:count]
    within = {factor: [row[factor] for row in rows] for factor in factors}
    found = repeated_measures([float(row["DV"]) for row in rows], [row["id"] for row in rows], within)
    for effect, (df1, df2, f, p) in zip(found.effects, answers, strict=True):
        assert (effect.df1, effect.df2) == (df1, df2)
        # seven digits are printed
        assert (effect.statistic, effect.p) == pytest.approx((f, p), rel=5e-7)


def test_two_levels_are_the_paired_t_test():
    from scipy import stats

    y = np.array([1.0, 2.0, 2.0, 2.5, 3.0, 3.1, 1.5, 2.9])
    found = repeated_measures(*days(y, 4, 2))
    answer = stats.ttest_rel(y[1::2], y[::2])
    effect = found.effects[0]
    assert (effect.statistic, effect.p) == pytest.approx((answer.statistic**2, answer.pvalue), rel=1e-10)
    assert (effect.greenhouse_geisser, effect.huynh_feldt) == (1.0, 1.0)
    assert math.isnan(effect.mauchly)
    assert found.friedman is None


def test_friedman_stands_beside():
    from scipy import stats

    y = np.array([1.0, 2.0, 3.5, 2.0, 2.5, 3.0, 3.1, 1.5, 2.9, 0.1, 0.5, 0.7])
    found = repeated_measures(*days(y))
    answer = stats.friedmanchisquare(*y.reshape(4, 3).T)
    assert found.friedman.p == pytest.approx(answer.pvalue, rel=1e-12)
    assert found.friedman.role == "beside"
    assert found.tests()[0].df == pytest.approx(
        (2 * found.effects[0].greenhouse_geisser, 6 * found.effects[0].greenhouse_geisser)
    )


def test_groups_of_unequal_size_have_two_sums_of_squares():
    rng = np.random.default_rng(6)
    y, subjects, within = days(rng.standard_normal(21), 7, 3)
    group = ["a" if s in ("s0", "s1") else "b" for s in subjects]
    two, three = (repeated_measures(y, subjects, within, between=group, sums=sums) for sums in ("II", "III"))
    assert two.design.n == (2, 5)
    assert two.effects[1].statistic != pytest.approx(three.effects[1].statistic)
    assert two.effects[2].statistic == pytest.approx(three.effects[2].statistic)
    assert any("type II" in note for note in two.notes)
    # balanced groups leave no choice
    group = ["a" if s in ("s0", "s1", "s2") else "b" for s in subjects[:18]]
    within = {"day": within["day"][:18]}
    two, three = (repeated_measures(y[:18], subjects[:18], within, between=group, sums=sums) for sums in ("II", "III"))
    assert two.effects[1].statistic == pytest.approx(three.effects[1].statistic)


def test_several_values_of_a_cell_are_averaged_and_said():
    y, subjects, within = days([7, 8, 9, 3, 5, 6, 6, 6, 9, 6, 9, 10])
    doubled = repeated_measures([*y, *y], subjects * 2, {"day": within["day"] * 2})
    assert doubled.effects == repeated_measures(y, subjects, within).effects
    assert "averaged" in doubled.notes[0]


def test_incomplete_subjects_are_named_with_the_model_that_uses_them():
    y, subjects, within = days([7.0, math.nan, 9, 3, 5, 6, 6, 6, 9, 6, 9, math.nan])
    with pytest.raises(InputError) as error:
        repeated_measures(y, subjects, within)
    seen = [(finding.rule, finding.seen) for finding in error.value.findings]
    assert seen == [
        ("repeated.incomplete", "subject 's0' has no value at 1."),
        ("repeated.incomplete", "subject 's3' has no value at 2."),
    ]
    assert "compare_over_time" in error.value.findings[0].mend


@pytest.mark.parametrize(
    ("y", "between", "rule"),
    [
        ([5.0] * 12, None, "compare.no-spread"),
        (list(range(12)), ["a"] * 9 + ["b"] * 3, "compare.one-subject"),
        (list(range(12)), ["a"] * 5 + ["b"] * 7, "compare.two-groups"),
    ],
)
def test_faults_are_named(y, between, rule):
    values, subjects, within = days(y)
    with pytest.raises(InputError) as error:
        repeated_measures(values, subjects, within, between=between)
    assert rule in [finding.rule for finding in error.value.findings]
