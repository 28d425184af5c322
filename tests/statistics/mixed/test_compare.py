"""Comparisons of groups by mixed models: regions, days, what is noted and what is refused."""

import math

import numpy as np
import pytest
from scipy import stats

from lampyris.core.errors import InputError
from lampyris.statistics.mixed import ColumnNames, compare_over_time, mixed_comparison


def regions(groups="abc", animals=5, rows=3, seed=1, names=("p", "q", "r")):
    rng = np.random.default_rng(seed)
    values, group, animal, region = [], [], [], []
    for g in groups:
        for a in range(animals):
            own = rng.standard_normal()
            for r in range(rows):
                values.append(own + 0.5 * rng.standard_normal() + ord(g) - ord("a") + 2 * r)
                group.append(g)
                animal.append(f"{g}{a}")
                region.append(names[r])
    return np.array(values), group, animal, region


def test_two_groups_of_balanced_regions_are_welchs_test():
    y, group, animal, region = regions("ab")
    found = mixed_comparison(y, group, animal, nested=region, names=ColumnNames(unit="ph/s")).comparison
    means = y.reshape(-1, 3).mean(axis=1)
    answer = stats.ttest_ind(means[:5], means[5:], equal_var=False)
    # the variance among animals of each group is free, so that Satterthwaite's degrees of freedom are Welch's
    assert (found.statistic, found.df2) == pytest.approx((answer.statistic**2, answer.df), rel=1e-4)
    assert found.p == pytest.approx(answer.pvalue, rel=1e-4)
    assert found.design.n == (5, 5)
    assert found.design.nested == ("region",)
    assert "fixed effect" in found.notes[0]
    assert found.groups[0].values == pytest.approx(tuple(means[:5]))
    (pair,) = found.pairs
    assert pair.p == pytest.approx(found.p, rel=1e-9)
    assert pair.difference.unit == "ph/s"


@pytest.mark.parametrize("rows", [[4] * 12, [2, 5, 2, 5, 3, 4, 5, 2, 2, 5, 4, 3]])
def test_animals_that_hardly_differ_are_welchs_test_of_their_means_by_rows(rows):
    # nothing between animals: both variances are estimated at zero, where an animal's mean weighs as many rows as it has
    rng = np.random.default_rng(4)
    y = rng.standard_normal(sum(rows)).round(3)
    animal, group = np.repeat(np.arange(12), rows).astype(str), np.repeat(["a", "b"], [sum(rows[:6]), sum(rows[6:])])
    found = mixed_comparison(y, list(group), list(animal))
    assert any("Singular fit" in note for note in found.comparison.notes)
    assert [c.estimate.value for c in found.components[:2]] == [0.0, 0.0]
    middle, error = [], []
    for half in (range(6), range(6, 12)):
        own = [y[animal == str(one)] for one in half]
        total = sum(len(one) for one in own)
        middle.append(np.concatenate(own).mean())
        # the variance of that mean, from how far animals lie from it
        error.append(sum(len(one) * (one.mean() - middle[-1]) ** 2 for one in own) / (5 * total))
    t, df = (middle[0] - middle[1]) / math.sqrt(sum(error)), sum(error) ** 2 / sum(one**2 / 5 for one in error)
    assert (found.comparison.df2, found.comparison.statistic) == pytest.approx((df, t * t), rel=1e-4)
    assert found.comparison.p == pytest.approx(2 * stats.t.sf(abs(t), df), rel=1e-4)


def test_equal_spread_is_students_test_on_request():
    y, group, animal, region = regions("ab")
    found = mixed_comparison(y, group, animal, nested=region, spread="equal")
    means = y.reshape(-1, 3).mean(axis=1)
    assert found.comparison.p == pytest.approx(stats.ttest_ind(means[:5], means[5:]).pvalue, rel=1e-7)
    assert [name for name, _ in found.icc] == ["subject"]
    assert found.components[0].estimate.low < found.components[0].estimate.value < found.components[0].estimate.high


def test_all_pairs_are_simultaneous():
    y, group, animal, region = regions()
    found = mixed_comparison(y, group, animal, nested=region, spread="equal").comparison
    answer = stats.tukey_hsd(*y.reshape(3, 5, 3).mean(axis=2))
    interval = answer.confidence_interval()
    for pair, (a, b) in zip(found.pairs, ((0, 1), (0, 2), (1, 2)), strict=True):
        # balanced, so that the animals' means are all that counts
        assert pair.p == pytest.approx(answer.pvalue[a, b], rel=1e-5)
        assert pair.difference.low == pytest.approx(interval.low[a, b], rel=1e-4)


def test_a_control_is_compared_as_dunnett_does():
    y, group, animal, region = regions()
    found = mixed_comparison(y, group, animal, nested=region, spread="equal", control="a").comparison
    means = y.reshape(3, 5, 3).mean(axis=2)
    answer = stats.dunnett(means[1], means[2], control=means[0], rng=np.random.default_rng(1))
    interval = answer.confidence_interval()
    assert [(pair.a, pair.b) for pair in found.pairs] == [("b", "a"), ("c", "a")]
    # both integrals are of lattice points, good to about 1e-4
    assert [pair.p for pair in found.pairs] == pytest.approx(list(answer.pvalue), abs=1e-3)
    assert [pair.difference.low for pair in found.pairs] == pytest.approx(list(interval.low), abs=0.02)


def test_rows_without_a_value_are_left_out_and_said():
    y, group, animal, _ = regions("ab")
    y[[0, 1, 2, 5]] = math.nan
    found = mixed_comparison(y, group, animal).comparison
    assert found.design.n == (4, 5)
    assert [(one.unit, one.group) for one in found.design.exclusions] == [("a0", "a")]
    assert found.notes[0].startswith("4 rows hold no value")


def test_regions_seen_twice_have_an_effect_of_their_own():
    y, group, animal, region = regions("ab")
    again = y + np.random.default_rng(2).standard_normal(len(y)) * 0.2
    found = mixed_comparison(np.concatenate([y, again]), group * 2, animal * 2, nested=region * 2)
    assert [name for name, _ in found.icc] == ["subject in a", "subject in b", "subject:region"]


@pytest.mark.parametrize(
    ("change", "rules"),
    [
        ({"group": ["a"] * 6}, {"compare.one-group"}),
        ({"animal": list("ppqqrr")}, {"compare.two-groups"}),
        ({"animal": list("pppqqr")}, {"compare.one-subject"}),
        ({"values": [2, 2, 2, 2, 2, 2]}, {"compare.no-spread"}),
        ({"values": [math.inf, 1, 2, 3, 4, 5]}, {"compare.infinite"}),
        ({"values": [math.nan] * 6}, {"compare.no-value"}),
        ({"animal": list("pqrstu")}, {"compare.not-nested"}),
        ({"animal": ["p", "", "q", "r", "r", "s"], "group": ["a", "a", "", "b", "b", "b"]}, {"compare.no-label"}),
    ],
)
def test_faults_of_the_columns_are_named_with_their_rows(change, rules):
    values = change.get("values", [1, 2, 3, 4, 5, 7])
    names = ColumnNames(file="flux.csv", lines=tuple(range(10, 16)))
    with pytest.raises(InputError) as error:
        mixed_comparison(values, change.get("group", list("aaabbb")), change.get("animal", list("ppqrss")), names=names)
    found = error.value.findings
    assert rules <= {finding.rule for finding in found}
    assert all(finding.place.file == "flux.csv" and finding.mend for finding in found)
    rows = [finding.place.row for finding in found if finding.rule in ("compare.infinite", "compare.two-groups")]
    assert all(10 <= row <= 15 for row in rows)


def test_rows_that_are_copies_of_each_other_are_no_repeats():
    y, group, animal, _ = regions("ab", rows=1)
    copies = [list(np.repeat(column, 3)) for column in (y, group, animal)]
    with pytest.raises(InputError, match="do not differ") as error:
        mixed_comparison(*copies)
    assert error.value.findings[0].rule == "compare.no-residual"


def course(seed=1, days=(0, 7, 14), animals=5, groups="ab", jitter=False):
    rng = np.random.default_rng(seed)
    rows = []
    for g in groups:
        for a in range(animals):
            own, tilt = rng.standard_normal(), 0.05 * rng.standard_normal()
            for day in days:
                at = day + (rng.integers(0, 3) + 3 * a if jitter else 0)
                rows.append(
                    (own + (tilt + 0.1 * (g == "b")) * at + 0.3 * rng.standard_normal(), g, f"{g}{a}", float(at))
                )
    y, group, animal, day = zip(*rows, strict=True)
    return np.array(y), group, animal, np.array(day)


def test_shared_days_are_compared_one_by_one():
    found = compare_over_time(*course())
    assert found.time == "factor"
    assert [(mean.group, mean.day, mean.n) for mean in found.means] == [
        (g, d, 5) for g in "ab" for d in (0.0, 7.0, 14.0)
    ]
    assert [pair.day for pair in found.pairs] == [0.0, 7.0, 14.0]
    assert found.pairs[0].method == "holm over 3 contrasts"
    assert all(pair.p >= pair.p_alone for pair in found.pairs)
    assert found.tests[0].name == "mixed model, group x day (Kenward-Roger F)"
    assert found.design.within == ("day",)
    y, _, _, day = course()
    # balanced: the model's means are the cells' own
    assert found.means[2].mean.value == pytest.approx(y[:15][day[:15] == 14].mean(), rel=1e-8)
    assert len(found.traces) == 10
    last = found.changes[1]
    assert (last.group, last.day_from, last.day_to) == ("a", 0.0, 14.0)
    assert last.difference.value == pytest.approx(found.means[2].mean.value - found.means[0].mean.value, rel=1e-9)
    assert last.method == "holm over 4 contrasts"
    assert found.traces[0].days == (0.0, 7.0, 14.0)


def test_two_days_of_two_groups_are_the_t_test_of_the_changes():
    y, group, animal, day = course(days=(0, 7))
    found = compare_over_time(y, group, animal, day)
    change = y.reshape(10, 2) @ [-1, 1]
    answer = stats.ttest_ind(change[:5], change[5:])
    assert (found.tests[0].statistic, found.tests[0].p) == pytest.approx((answer.statistic**2, answer.pvalue), rel=1e-6)


def test_unequal_days_are_a_straight_line_and_said():
    found = compare_over_time(*course(jitter=True))
    assert found.time == "covariate"
    assert any("straight line" in note for note in found.notes)
    assert [slope.name for slope in found.slopes] == ["slope of a", "slope of b"]
    assert math.isnan(found.pairs[0].day)
    gap = found.slopes[0].estimate.value - found.slopes[1].estimate.value
    assert found.pairs[0].difference.value == pytest.approx(gap, rel=1e-9)
    assert found.tests[0].p == pytest.approx(found.pairs[0].p, rel=1e-9)
    # no mean outside the days on which its group was seen
    _, group, _, day = course(jitter=True)
    for mean in found.means:
        own = day[np.array(group) == mean.group]
        assert own.min() <= mean.day <= own.max()


def test_a_curve_is_noticed_where_a_line_was_asked_for():
    y, group, animal, day = course(days=(0, 5, 10, 15, 20))
    found = compare_over_time(y + 0.02 * day**2, group, animal, day, time="covariate")
    bend = next(test for test in found.tests if test.name.startswith("bend"))
    assert bend.p < 0.001
    assert any("does not describe" in note for note in found.notes)


def test_missing_days_are_used_and_counted():
    y, group, animal, day = course()
    y[[1, 20]] = math.nan
    found = compare_over_time(y, group, animal, day)
    assert found.time == "factor"
    assert [mean.n for mean in found.means] == [5, 4, 5, 5, 5, 4]
    assert any(note.startswith("2 of 10 subjects miss a day") for note in found.notes)


@pytest.mark.parametrize("adjust", ["holm", "multivariate t", "none"])
def test_adjusted_p_lie_between_alone_and_bonferroni(adjust):
    found = compare_over_time(*course(groups="abc", animals=4), adjust=adjust)
    assert len(found.pairs) == 9
    for pair in found.pairs:
        assert pair.p_alone - 1e-12 <= pair.p <= min(1.0, 9 * pair.p_alone) + 1e-12
    if adjust == "none":
        assert all(pair.p == pair.p_alone for pair in found.pairs)


def test_organs_of_a_session_are_no_replicates():
    rng = np.random.default_rng(2)
    y, group, animal, day = course(days=(0, 7, 14))
    organs = ["liver", "lung", "node"]
    session = np.repeat(0.4 * rng.standard_normal(len(y)), 3)
    values = np.repeat(y, 3) + session + np.tile([0.0, 2.0, 5.0], len(y)) + 0.2 * rng.standard_normal(3 * len(y))
    many = [list(np.repeat(column, 3)) for column in (group, animal, day)]
    found = compare_over_time(values, *many, nested=organs * len(y))
    assert "(intercept | subject:day)" in found.model
    assert "(intercept | subject:region)" in found.model
    assert found.design.nested == ("region",)
    # rows would give over 100 degrees of freedom
    assert found.tests[0].df[1] < 40


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"day": [3.0] * 6}, "compare.one-day"),
        ({"day": [1.0, math.nan, 1.0, 2.0, 1.0, 2.0]}, "compare.no-day"),
        ({"animal": list("pqrstu")}, "compare.no-repeat"),
        ({"control": "c"}, "compare.no-control"),
    ],
)
def test_faulty_days_are_named(change, rule):
    group, animal = list("aaaabbbb"), change.get("animal", list("ppqqrrss"))
    day = change.get("day", [1.0, 2.0] * 4)
    day, animal = (day * 2)[:8], (animal * 2)[:8] if len(animal) < 8 else animal
    if rule == "compare.no-repeat":
        animal = list("pqrstuvw")
    with pytest.raises(InputError) as error:
        compare_over_time([1, 2, 3, 4, 5, 7, 8, 8], group, animal, day, control=change.get("control", ""))
    assert rule in [finding.rule for finding in error.value.findings]
