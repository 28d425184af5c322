"""The whole analysis: what is said, what is left out, and the short form of the accuracy table."""

import dataclasses
import math
from pathlib import Path

import numpy as np
import pytest

from lampyris.core.design import Exclusion
from lampyris.statistics.multiplicity import holm
from lampyris.statistics.onset import OnsetOptions, OnsetTimes, onset_analysis, organ_onset, times_of_events

INF = math.inf
RIGHT = times_of_events([3, 5, 8, 9, 12, 15, 20, 20, 11, 14], [1, 1, 1, 0, 1, 1, 0, 0, 1, 1])
GROUPS = list("aaaaabbbbb")
INTERVALS = OnsetTimes([0, 0, 3, 3, 7, 3, 7, 7, 14, 14], [3, 7, 7, 7, 14, 7, 14, INF, INF, INF])


def test_right_censored_times():
    found = onset_analysis(
        RIGHT, GROUPS, covariates={"weight_g": [20, 21, 19, 22, 20, 23, 21, 20, 19, 22], "cage": list("xyxyxyxyxy")}
    )
    assert found.censoring == "right"
    assert [test.name for test in found.tests] == ["Log-rank test", "Peto-Peto test"]
    assert [test.role for test in found.tests] == ["primary", "beside"]
    assert [model.name.split(",")[0] for model in found.models] == ["Cox", "Weibull"]
    assert [effect.term for effect in found.models[0].effects] == ["b against a", "weight_g", "cage y against x"]
    assert found.design.covariates == ("weight_g", "cage") and found.design.n == (5, 5)
    assert any("events for 3 terms" in note for note in found.notes)
    # the horizon is the last day of the group that ends first
    assert "up to 14" in found.arms[0].restricted_mean.method or "up to 12" in found.arms[0].restricted_mean.method


def test_ratios_of_several_groups_are_said_to_be_unadjusted():
    notes = [onset_analysis(RIGHT, list(groups)).notes for groups in ("aaaaabbbbb", "aaaabbbccc")]
    assert [any("not adjusted for their number" in note for note in own) for own in notes] == [False, True]


def test_intervals():
    found = onset_analysis(INTERVALS, GROUPS, options=OnsetOptions(event="metastasis", seed=3))
    assert found.censoring == "interval" and found.event == "metastasis"
    assert "permutation" in found.tests[0].name and "large-sample" in found.tests[1].name
    assert [arm.events for arm in found.arms] == [5, 2]
    assert found.arms[0].at_risk == (4 - 1, 1, 0) and found.arms[0].days == (3, 7, 14)
    assert found.models[0].shape.low < found.models[0].shape.value
    assert any("used as intervals" in note for note in found.notes)


@pytest.mark.parametrize(
    ("times", "groups", "said"),
    [
        (OnsetTimes([7] * 4, [INF] * 4), "aabb", "No event was seen in any group"),
        (OnsetTimes([0, 3, 7], [3, 7, 14]), "aaa", "One group"),
        (OnsetTimes([0, 3, 7, 7], [3, 7, 14, INF]), "aabb", "Fewer than 5 units in a (2), b (2)"),
        (OnsetTimes([0, 3, 7, 7], [3, 7, INF, INF]), "aabb", "No event in b."),
        (OnsetTimes([0] * 4, [7] * 4), "aabb", "do not say how steeply"),
        (OnsetTimes([0, 3, 3, 7], [3, 7, INF, INF]), "aabb", "last looked at before others"),
        (OnsetTimes([0, 1, 2, 0, 7], [1, 2, 3, 7, 14]), "aaabb", "mean interval a 1, b 7"),
        (times_of_events([3, 3, 3, 3], [1, 1, 1, 1]), "aabb", "Fewer than"),
        (OnsetTimes([0], [7]), "a", "One group"),
    ],
)
def test_what_cannot_be_said_is_said(times, groups, said):
    found = onset_analysis(times, list(groups))
    assert any(said in note for note in found.notes), found.notes


def test_a_covariate_that_follows_from_the_groups():
    found = onset_analysis(RIGHT, GROUPS, covariates={"batch": ["one"] * 5 + ["two"] * 5})
    assert found.models == () and any("follows from the groups" in note for note in found.notes)


def test_more_terms_than_events():
    few = times_of_events([3, 5, 8, 9, 12, 15], [1, 1, 0, 0, 0, 0])
    found = onset_analysis(few, list("aabbcc"), covariates={"w": [20, 21, 19, 22, 18, 23]})
    assert found.models == () and any("2 events cannot tell 3 terms apart" in note for note in found.notes)


def test_a_covariate_that_does_not_differ_within_strata():
    found = onset_analysis(RIGHT, GROUPS, strata=["one"] * 5 + ["two"] * 5)
    assert math.isnan(found.tests[0].p)
    assert [model.name for model in found.models] == ["Weibull, right-censored"]
    assert any("No Cox model" in note for note in found.notes)


def test_small_tables_of_every_kind_are_answered():
    """Nothing that can stand in a table ends in an unexpected error or a warning of numbers."""
    for seed in range(12):
        rng = np.random.default_rng(seed)
        n = int(rng.integers(1, 10))
        low = rng.choice([0.0, 3.0, 7.0], n)
        high = np.where(rng.random(n) < 0.4, INF, low + rng.choice([1.0, 4.0], n))
        exact = (rng.random(n) < seed % 3 / 2) & np.isfinite(high)
        groups = [str(one) for one in rng.integers(0, 3, n)]
        found = onset_analysis(
            OnsetTimes(np.where(exact, high, low), high), groups, options=OnsetOptions(permutations=19)
        )
        assert sum(arm.n for arm in found.arms) == n


@pytest.mark.parametrize("values", [[1.0] * 9, [math.nan] + [1.0] * 9])
def test_faulty_covariates(values):
    with pytest.raises(ValueError, match=r"each of 10 units|not finite"):
        onset_analysis(RIGHT, GROUPS, covariates={"w": values})


def test_organs():
    organs = ["liver"] * 8 + ["lung"] * 8 + ["bone"] * 8
    animals = [f"m{k}" for k in range(8)] * 3
    groups = list("aaaabbbb") * 3
    after = [0, 0, 3, 3, 14, 14, 7, 14] + [-INF, 3, 7, 0, 3, 0, 3, 7] + [14] * 7 + [-INF]
    by = [3, 3, 7, 7, INF, INF, 14, INF] + [3, 7, 14, 3, 7, 3, 7, INF] + [INF] * 8
    found = organ_onset(organs, animals, groups, after, by)
    assert [one.event for one in found] == ["metastasis in bone", "metastasis in liver", "metastasis in lung"]
    bone, liver, lung = found
    assert bone.tests == () and math.isnan(bone.p_adjusted)
    assert bone.design.exclusions == (Exclusion("m7", "b", "was never looked at there"),) and bone.design.n == (4, 3)
    assert [liver.p_adjusted, lung.p_adjusted] == pytest.approx(list(holm([liver.tests[0].p, lung.tests[0].p])))
    assert organ_onset(organs, animals, groups, after, by, group_order=("b", "a"))[1].design.groups == ("b", "a")
    with pytest.raises(ValueError, match="one length"):
        organ_onset(organs, animals, groups, after, by[:-1])
    with pytest.raises(ValueError, match="m0 has liver twice; animal m1 has liver twice; animal m1 is in a and in b"):
        organ_onset(["liver"] * 4, ["m0", "m0", "m1", "m1"], list("aaab"), [0] * 4, [3] * 4)


def test_results_are_storable_and_the_same_twice():
    one, other = (onset_analysis(INTERVALS, GROUPS) for _ in range(2))
    # NaN is not equal to itself, its text is
    assert repr(one) == repr(other)

    def plain(value):
        if dataclasses.is_dataclass(value):
            return all(plain(getattr(value, field.name)) for field in dataclasses.fields(value))
        if isinstance(value, tuple):
            return all(map(plain, value))
        return value is None or type(value) in (float, int, str)

    assert plain(one) and plain(onset_analysis(RIGHT, GROUPS))


def test_short_form_of_the_accuracy_table(monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parents[3]))
    from accuracy.statistics import onset as accuracy

    # of few sets a rate of 0.05 may be off by three standard deviations, which the goals are given
    found = [accuracy.shown(arm, measure, 20, one, goal) for arm, measure, one, goal in accuracy.MEASURES]
    assert [line for line in found if line.held is False] == []
    naive = [line.value for line in found if line.arm == "naive" and "coverage" in line.measure]
    assert naive[0] < 0.9
