"""Comparisons assembled from columns and from printed tables; bad input; rows of one unit refused as replicates."""

import math
import pickle

import numpy as np
import pytest
from scipy import stats

from lampyris.core.errors import InputError, UsageError
from lampyris.statistics.groups import (
    ComparisonPlan,
    Source,
    compare_factorial,
    compare_groups,
    compare_summary,
    dunn,
    dunnett,
    dunnett_unequal,
    games_howell,
    tukey_kramer,
    welch_anova,
)

SOURCE = Source("flux", "arm", "mouse", "ph/s", "study.csv")
DOTS, DYE, NONE = [5.1, 6.3, 4.9, 7.2, 6.6], [4.0, 3.1, 4.4, 3.9, 4.8, 2.9], [1.2, 2.0, 1.7, 1.1, 2.2]
VALUES = [*DOTS, *DYE, *NONE]
ARMS = ["dots"] * 5 + ["dye"] * 6 + ["none"] * 5
MICE = [f"m{k}" for k in range(16)]


def compare(values=VALUES, arms=ARMS, mice=MICE, **plan):
    return compare_groups(values, arms, mice, source=SOURCE, plan=ComparisonPlan(experimental_unit="animal", **plan))


def summary(*samples):
    arrays = [np.asarray(sample, dtype=float) for sample in samples]
    return [a.mean() for a in arrays], [a.std(ddof=1) for a in arrays], [a.size for a in arrays]


def rules(error):
    return [finding.rule for finding in error.value.findings]


def test_a_comparison_says_what_it_stands_on():
    found = compare()
    test = welch_anova([DOTS, DYE, NONE])
    assert (found.endpoint, found.unit, found.experimental_unit) == ("flux", "ph/s", "animal")
    assert (found.test, found.statistic, found.df1, found.df2, found.p) == (
        "Welch's analysis of variance", test.statistic, test.df1, test.df2, test.p,
    )  # fmt: skip
    assert found.design.sentence() == "Experimental unit: animal; dots n = 5, dye n = 6, none n = 5; 16 values."
    assert [one.group for one in found.groups] == ["dots", "dye", "none"]
    assert found.groups[0].units == tuple(MICE[:5])
    assert found.groups[0].values == tuple(DOTS)
    roles = [one.role for one in found.tests]
    assert roles == ["primary", *["assumption"] * 4, "beside", "beside"]
    assert [one.name for one in found.tests if one.role == "beside"] == [
        "one-way analysis of variance",
        "Kruskal-Wallis",
    ]
    assert found.post_hoc == "Games-Howell"
    assert [pair.p for pair in found.pairs] == [pair.p for pair in games_howell([DOTS, DYE, NONE])]
    assert [one.letters for one in found.groups] == ["a", "b", "c"]
    pair = found.pairs[0]
    assert pair.effect_size.value > 0
    assert 0.5 < pair.superiority.value <= 1
    assert pair.ratio.value == pytest.approx(np.mean(DOTS) / np.mean(DYE), rel=1e-12)
    assert found.warnings == ()
    assert found.notes == ()


def test_checks_of_assumptions_do_not_switch_the_test():
    rng = np.random.default_rng(1)
    values = [*rng.normal(0, 1, 20), *rng.normal(0, 9, 6), *np.exp(rng.normal(0, 2, 8))]
    found = compare(values, ["a"] * 20 + ["b"] * 6 + ["c"] * 8, range(34))
    assert min(one.p for one in found.tests if one.role == "assumption" and not math.isnan(one.p)) < 0.01
    assert found.test == "Welch's analysis of variance"
    assert all(one.note for one in found.tests if one.role == "assumption")


@pytest.mark.parametrize(
    ("plan", "function", "method"),
    [
        ({"pairs": "tukey-kramer"}, tukey_kramer, "Tukey-Kramer"),
        ({"pairs": "dunn"}, dunn, "Dunn, Holm"),
        ({"control": "dots"}, dunnett_unequal, "Dunnett without equal variances"),
        ({"pairs": "dunnett", "control": "dots"}, dunnett, "Dunnett"),
    ],
)
def test_pairs_are_those_of_the_plan(plan, function, method):
    found = compare(**plan)
    assert {pair.method for pair in found.pairs} == {method}
    for pair, expected in zip(found.pairs, function([DOTS, DYE, NONE]), strict=True):
        assert pair.p == expected.p
        assert (pair.difference.low, pair.difference.high) == (expected.difference.low, expected.difference.high)
    assert bool(found.groups[0].letters) == ("control" not in plan)


@pytest.mark.parametrize(
    ("test", "name"), [("anova", "one-way analysis of variance"), ("kruskal-wallis", "Kruskal-Wallis")]
)
def test_the_answer_is_that_of_the_plan(test, name):
    found = compare(test=test)
    assert found.test == found.tests[0].name == name
    assert "Welch's analysis of variance" in [one.name for one in found.tests if one.role == "beside"]


def test_two_groups_are_welchs_t():
    found = compare([*DOTS, *DYE], ARMS[:11], MICE[:11])
    t = stats.ttest_ind(DOTS, DYE, equal_var=False)
    assert found.test == found.post_hoc == "Welch's t test"
    assert (found.statistic, found.df1, found.p) == pytest.approx((t.statistic, t.df, t.pvalue), rel=1e-12)
    assert math.isnan(found.df2)
    assert [one.name for one in found.tests if one.role == "beside"] == ["Student's t test", "Mann-Whitney (exact)"]


def test_summary_equals_raw():
    raw = compare()
    printed = compare_summary(
        ["dots", "dye", "none"],
        *summary(DOTS, DYE, NONE),
        source=SOURCE,
        plan=ComparisonPlan(experimental_unit="animal"),
    )
    assert printed.design.n == raw.design.n
    beside = {one.name: one for one in raw.tests}
    assert "one-way analysis of variance" in [one.name for one in printed.tests]
    for one in printed.tests:
        other = beside[one.name]
        assert (one.statistic, *one.df) == pytest.approx((other.statistic, *other.df), rel=1e-12)
        assert one.p == pytest.approx(other.p, rel=1e-12, nan_ok=True)
    for one, other in zip(printed.pairs, raw.pairs, strict=True):
        for name in ("difference", "effect_size", "ratio"):
            mine, theirs = getattr(one, name), getattr(other, name)
            for field in ("value", "sd", "low", "high"):
                assert getattr(mine, field) == pytest.approx(getattr(theirs, field), rel=1e-12)
        assert one.p == pytest.approx(other.p, rel=1e-12)
        assert one.superiority is None
    for one, other in zip(printed.groups, raw.groups, strict=True):
        assert (one.mean.value, one.mean.low, one.mean.high) == pytest.approx(
            (other.mean.value, other.mean.low, other.mean.high), rel=1e-12
        )
        assert one.letters == other.letters
    assert "From mean, standard deviation and n" in printed.notes[0]


# ---- rows that are no replicates


def regions(count=4, per=3):
    """Rows of several regions per animal: values, arms, animals."""
    rng = np.random.default_rng(2)
    animals = [f"m{k}" for k in range(2 * count) for _ in range(per)]
    arms = ["dots"] * (count * per) + ["dye"] * (count * per)
    return rng.normal(5, 1, 2 * count * per), arms, animals


def test_rows_of_one_animal_are_refused_with_the_right_model():
    with pytest.raises(InputError) as error:
        compare(*regions())
    assert rules(error) == ["compare.pseudo-replication"]
    text = str(error.value)
    for words in ("study.csv", "column mouse", "'m0' has 3 in dots", "8 independent values and not 24",
                  "10.1371/journal.pbio.2005282", "--average", "--mixed", "mixed model"):  # fmt: skip
        assert words in text


def test_many_animals_are_counted_and_the_first_named():
    with pytest.raises(InputError) as error:
        compare(*regions(count=20))
    assert "40 animals" in str(error.value)
    assert "and 30 more" in str(error.value)


def test_averaging_is_asked_for_and_said():
    values, arms, animals = regions()
    found = compare(values, arms, animals, nested="mean", inside="region")
    means = values.reshape(8, 3).mean(axis=1)
    assert found.p == pytest.approx(stats.ttest_ind(means[:4], means[4:], equal_var=False).pvalue, rel=1e-12)
    assert found.design.n == (4, 4)
    assert (found.design.rows, found.design.nested) == (24, ("region",))
    assert found.notes == (
        "Regions were averaged within each animal (3 per animal), every animal weighing alike; n counts animals.",
    )


def test_every_animal_weighs_alike_and_order_does_not_matter():
    values, arms, animals = [1.0, 9.0, 3.0, 2.0, 4.0, 6.0, 8.0, 7.0], list("aaaabbbb"), list("ppqrstuv")
    found = compare(values, arms, animals, nested="mean")
    assert found.groups[0].values == (5.0, 3.0, 2.0)
    turned = compare(values[::-1], arms[::-1], animals[::-1], nested="mean", order=("a", "b"))
    assert turned.p == found.p


def test_a_mixed_model_is_made_where_asked_for():
    pytest.importorskip("lampyris.statistics.mixed")
    values, arms, animals = regions(count=6)
    found = compare(values, arms, animals, nested="mixed", inside="region", order=("dye", "dots"))
    assert found.design.n == (6, 6)
    assert [one.group for one in found.groups] == ["dye", "dots"]
    # balanced: the model agrees with the means per animal
    means = compare(values, arms, animals, nested="mean", order=("dye", "dots"))
    assert found.pairs[0].difference.value == pytest.approx(means.pairs[0].difference.value, rel=1e-6)


def test_an_animal_in_two_groups_is_refused():
    with pytest.raises(InputError) as error:
        compare([1, 2, 3, 4, 5, 6], list("aaabbb"), list("pqrpst"))
    assert rules(error) == ["compare.subject-in-two-groups"]
    assert "'p' in a and b" in str(error.value)
    assert "--paired" in str(error.value)


def test_without_a_subject_column_it_is_said():
    found = compare_groups(VALUES, ARMS, plan=ComparisonPlan(experimental_unit="animal"))
    assert found.p == compare().p
    assert "every row was taken as an independent animal" in found.notes[0]
    assert [one.rule for one in found.warnings] == ["compare.no-subject"]


# ---- paired


def test_paired_conditions():
    a, b = [5.1, 4.8, 6.0, 5.5, 7.0], [4.0, 4.6, 4.1, 5.0, 6.1]
    mice = [*"pqrst", *"tsrqp"]
    found = compare([*a, *b[::-1]], ["before"] * 5 + ["after"] * 5, mice, paired=True)
    expected = stats.ttest_rel(a, b)
    assert (found.test, found.statistic, found.df1, found.p) == (
        "paired t test", pytest.approx(expected.statistic), 4.0, pytest.approx(expected.pvalue),
    )  # fmt: skip
    assert found.groups[0].units == found.groups[1].units == tuple("pqrst")
    assert (found.design.n, found.design.within) == ((5, 5), ("arm",))
    (beside,) = [one for one in found.tests if one.role == "beside"]
    assert beside.p == pytest.approx(stats.wilcoxon(np.subtract(a, b), method="exact").pvalue)
    by_rank = compare([*a, *b[::-1]], ["before"] * 5 + ["after"] * 5, mice, paired=True, test="kruskal-wallis")
    assert by_rank.p == beside.p


def test_a_unit_seen_once_is_left_out_and_named():
    found = compare([1, 2, 3, 4, 2, 4, 4], list("aaaabbb"), list("pqrspqr"), paired=True)
    assert found.design.n == (3, 3)
    assert [(one.unit, one.group, one.reason) for one in found.design.exclusions] == [
        ("s", "a", "seen under one condition only")
    ]
    assert "s (a)" in found.notes[0]


def test_differences_that_rounding_tells_apart_tie():
    """0.5 - 0.4 and 0.4 - 0.3 are both 0.1: signed ranks of -2, 1, 1, 2 in tenths, and a difference of rounding is none."""
    whole = [5, 4, 8, 3, 6, 4, 3, 9, 1, 6]
    tenths = [0.5, 0.4, 0.8, 0.3, 0.1 + 0.2 + 0.3, 0.4, 0.3, 0.9, 0.1, 0.6]
    for values in (whole, tenths):
        found = compare(values, ["a"] * 5 + ["b"] * 5, [*"pqrst"] * 2, paired=True, test="kruskal-wallis")
        assert (found.statistic, found.p, found.tests[0].note) == (8.0, 0.5, "1 difference of 0 left out")


def test_averages_that_rounding_tells_apart_are_equal():
    """A mean of three 0.1 has another last digit than 0.1 itself; such a group has no spread, and its values tie."""
    values = [0.1, 0.1, 0.1, 0.1, 0.1, 0.2, 0.3, 0.1, 0.5, 0.2, 0.4, 0.9]
    arms = ["dots"] * 5 + ["dye"] * 7
    mice = ["p", "p", "p", "q", "r", "s", "s", "s", "t", "u", "v", "w"]
    found = compare(values, arms, mice, nested="mean")
    assert found.groups[0].sd == 0.0
    assert np.isnan(found.p)
    assert [one.values for one in found.groups] == [(0.1, 0.1, 0.1), (0.2, 0.5, 0.2, 0.4, 0.9)]


@pytest.mark.parametrize("size", [1e300, 1e-300])
def test_values_that_cannot_be_squared_are_refused(size):
    with pytest.raises(InputError) as error:
        compare([size * value for value in VALUES])
    assert rules(error) == ["compare.range"]
    with pytest.raises(InputError) as error:
        compare_summary(["a", "b"], [1e300, 1.0], [1.0, 1.0], [5, 5])
    assert rules(error) == ["compare.summary"]


def test_equal_values_have_no_ratio_of_spreads():
    assert [one.name for one in compare([5] * 16).tests if one.role == "assumption"] == []


def test_a_column_that_numbers_the_rows_is_no_group():
    found = compare([1, 2, 3], list("abc"), list("pqr"))
    assert found.warnings[0].rule == "compare.one-each"
    assert "'arm' is the column of the groups" in found.warnings[0].mend


@pytest.mark.parametrize(
    ("values", "arms", "mice", "rule"),
    [
        ([1, 2, 3, 4], list("aabb"), list("pqpq"), "compare.paired-few"),
        ([1, 2, 3, 2, 3, 4], list("aaabbb"), list("pqrpqr"), "compare.paired-spread"),
        # 1.1 - 1.0 and 1.3 - 1.2 differ in their last digit alone
        ([1.1, 1.2, 1.3, 1.0, 1.1, 1.2], list("aaabbb"), list("pqrpqr"), "compare.paired-spread"),
        ([1, 2, 3, 2, 3, 4], list("aabbcc"), list("pqpqpq"), "compare.paired-groups"),
        ([1, 2, 3, 2, 3, 4], list("aaabbb"), None, "compare.paired-subject"),
        ([1, 2, 3, 2, 3, 4, 5], list("aaabbbb"), list("pqrpqrr"), "compare.pseudo-replication"),
    ],
)
def test_paired_faults(values, arms, mice, rule):
    with pytest.raises(InputError) as error:
        compare(values, arms, mice, paired=True)
    assert rules(error) == [rule]


# ---- bad input, stated handling


def test_text_and_infinite_values_are_named_with_their_rows():
    source = Source("flux", "arm", "mouse", "1", "study.csv", tuple(range(2, 8)))
    with pytest.raises(InputError) as error:
        compare_groups(["1", "low", 3, math.inf, 5, 6], list("aaabbb"), list("pqrstu"), source=source)
    places = [(finding.rule, finding.place.row, finding.place.column) for finding in error.value.findings]
    assert places == [("compare.no-number", 3, "flux"), ("compare.not-finite", 5, "flux")]
    assert "'low' is no number" in str(error.value)


def test_missing_values_are_left_out_and_counted():
    values = [*VALUES]
    values[0] = math.nan
    found = compare(values)
    assert found.design.n == (4, 6, 5)
    assert found.design.rows == 15
    assert [(one.unit, one.reason) for one in found.design.exclusions] == [("m0", "no value")]
    assert found.notes == ("Rows without a value were left out: 1 in dots.",)
    assert [one.rule for one in found.warnings] == ["compare.few-units"]


@pytest.mark.parametrize(
    ("arms", "mice", "plan", "expected"),
    [
        (["a"] * 16, MICE, {}, ["compare.one-group"]),
        (["", *ARMS[1:]], MICE, {}, ["compare.no-name"]),
        (ARMS, ["", *MICE[1:]], {}, ["compare.no-name"]),
        (ARMS, MICE, {"control": "dot"}, ["compare.no-group"]),
        (ARMS, MICE, {"order": ("dye", "naive")}, ["compare.no-group"]),
        (["", *ARMS[1:]], MICE, {"control": "dot"}, ["compare.no-name", "compare.no-group"]),
    ],
)
def test_faults_of_the_names(arms, mice, plan, expected):
    with pytest.raises(InputError) as error:
        compare(VALUES, arms, mice, **plan)
    assert rules(error) == expected


def test_a_near_name_is_offered():
    with pytest.raises(InputError, match="Did you mean 'dots'"):
        compare(control="dot")


def test_columns_need_one_length():
    with pytest.raises(ValueError, match="one length"):
        compare(VALUES, ARMS[1:])


def test_one_unit_is_left_out_of_the_test_and_described():
    found = compare([*DOTS, *DYE, 9.0], [*ARMS[:11], "lysed"], MICE[:12])
    assert [one.n for one in found.groups] == [5, 6, 1]
    assert found.notes[0] == "Left out of the test: lysed (n = 1, and 3 are the least)."
    assert found.test == "Welch's t test"
    assert math.isnan(found.groups[2].sd)


def test_a_group_without_any_value_is_shown_empty():
    values = [*DOTS, *DYE, *[math.nan] * 5]
    found = compare(values)
    assert [one.n for one in found.groups] == [5, 6, 0]
    assert len(found.design.exclusions) == 5
    assert found.notes[0].startswith("Left out of the test: none (n = 0")


def test_many_values_have_no_test_of_normality():
    rng = np.random.default_rng(9)
    found = compare_groups(rng.normal(0, 1, 6000), ["a", "b", "c"] * 2000, range(6000))
    assert not [one for one in found.tests if one.name.startswith("Shapiro")]
    assert found.notes[0].startswith("More than 5000 values")


def test_equal_values_are_left_out_of_welchs_test_but_not_of_the_ranks():
    found = compare([*DOTS, *DYE, 0, 0, 0, 0, 0])
    assert found.notes[0] == "Left out of the test: none (all 5 values are 0, so their spread is unknown)."
    (ranks,) = [one for one in found.tests if one.name == "Kruskal-Wallis"]
    assert ranks.df == (2.0,)
    assert "values tie" in ranks.note
    assert "compare.no-spread" in [one.rule for one in found.warnings]


@pytest.mark.parametrize("values", [[1.0] * 16, [0.0] * 5 + [1.0] * 6 + [2.0] * 5])
def test_where_no_test_can_be_made_it_is_said(values):
    found = compare(values)
    assert found.test == ""
    assert math.isnan(found.p)
    assert found.pairs == ()
    assert found.notes[0].startswith("No test was made")
    assert len(found.groups) == 3


def test_a_control_that_cannot_be_compared_is_said():
    found = compare([*DOTS, *DYE, 0, 0, 0, 0, 0], control="none")
    assert found.pairs == ()
    assert found.notes[0] == "No pairs were made: the control none cannot be compared."


def test_integers_and_number_names_are_fine():
    found = compare_groups(np.arange(12) % 7, np.repeat([1, 2], 6), np.arange(12))
    assert [one.group for one in found.groups] == ["1", "2"]
    assert found.p == compare_groups((np.arange(12) % 7).astype(float), ["1"] * 6 + ["2"] * 6, range(12)).p


def test_outliers_and_asked_for_equal_variances_are_pointed_out():
    far = compare([5.0, 5.1, 5.2, 5.1, 9.9, *DYE, *NONE])
    assert [one.rule for one in far.warnings] == ["compare.outlier"]
    assert "animal 'm4' in dots (9.9)" in far.warnings[0].seen
    wide = compare([5, 9, 1, 14, -3, *DYE, *NONE], test="anova", pairs="tukey-kramer")
    assert [one.rule for one in wide.warnings] == ["compare.unequal-spread"]


def test_a_comparison_can_cross_a_process():
    found = compare()
    # NaN is not equal to itself
    assert repr(pickle.loads(pickle.dumps(found))) == repr(found)  # noqa: S301 - bytes of this very test


# ---- printed tables


@pytest.mark.parametrize(
    ("names", "means", "sds", "ns", "column", "words"),
    [
        (["a", "b"], [1, math.nan], [1, 1], [5, 5], "mean", "mean is missing"),
        (["a", "b"], [1, 2], [1, -1], [5, 5], "SD", "not negative"),
        (["a", "b"], [1, 2], [1, 1], [5, 4.5], "n", "whole number"),
        (["a", "a"], [1, 2], [1, 1], [5, 5], "group", "stands twice"),
        (["a", ""], [1, 2], [1, 1], [5, 5], "group", "no name"),
        (["a"], [1], [1], [5], "group", "needs two groups"),
    ],
)
def test_faults_of_a_printed_table(names, means, sds, ns, column, words):
    with pytest.raises(InputError) as error:
        compare_summary(names, means, sds, ns)
    assert error.value.findings[0].place.column == column
    assert words in str(error.value)


@pytest.mark.parametrize(
    "plan", [{"test": "kruskal-wallis"}, {"pairs": "dunn"}, {"nested": "mean"}, {"nested": "mixed"}, {"paired": True}]
)
def test_what_needs_values_is_refused(plan):
    with pytest.raises(UsageError, match="give the values"):
        compare_summary(["a", "b"], [1, 2], [1, 1], [5, 5], plan=ComparisonPlan(**plan))


def test_a_printed_table_takes_the_order_and_n_of_one():
    found = compare_summary(
        ["a", "b", "c"], [1, 2, 3], [1, 1, math.nan], [5, 5, 1], plan=ComparisonPlan(order=("b", "a"))
    )
    assert [one.group for one in found.groups] == ["b", "a", "c"]
    assert "c (n = 1" in found.notes[0]


@pytest.mark.parametrize(
    ("plan", "words"),
    [
        ({"test": "t"}, "test is one of"),
        ({"pairs": "lsd"}, "pairs is one of"),
        ({"nested": "ignore"}, "nested is one of"),
        ({"level": 95}, "between 0 and 1"),
        ({"pairs": "dunnett"}, "name the control"),
        ({"paired": True, "control": "a"}, "no control"),
    ],
)
def test_wrong_plans_are_refused(plan, words):
    with pytest.raises(UsageError, match=words):
        ComparisonPlan(**plan)


# ---- two factors and blocks


def crossed():
    rng = np.random.default_rng(8)
    dose, sex = ["0"] * 12 + ["1"] * 12, (["f"] * 6 + ["m"] * 6) * 2
    cage = [f"c{k % 3}" for k in range(24)]
    return (
        rng.normal(0, 1, 24) + 2 * (np.array(dose) == "1"),
        {"dose": dose, "sex": sex},
        [f"m{k}" for k in range(24)],
        cage,
    )


def test_two_factors_and_a_block():
    y, factors, mice, cage = crossed()
    found = compare_factorial(
        y, factors, mice, blocks={"cage": cage}, source=SOURCE, plan=ComparisonPlan(experimental_unit="animal")
    )
    assert [one.name.partition(",")[0] for one in found.tests[:4]] == ["dose", "sex", "cage", "dose x sex"]
    assert [one.role for one in found.tests[:4]] == ["primary", "primary", "beside", "primary"]
    assert (found.p, found.df2) == (found.tests[0].p, 18.0)
    assert found.design.covariates == ("cage",)
    assert [one.group for one in found.groups] == ["0, f", "0, m", "1, f", "1, m"]
    assert [(pair.a, pair.b) for pair in found.pairs] == [("0, f", "1, f"), ("0, m", "1, m")]
    assert "of type III" in found.notes[0]
    assert "balanced" in found.notes[0]
    assert found.effect_size.method == "partial omega squared of dose, noncentral F interval"
    two = compare_factorial(y, factors, mice, ss_type=2)
    assert "of type II;" in two.notes[0] or "of type II." in two.notes[0]


def test_one_factor_with_a_block_and_missing_values():
    y, factors, mice, cage = crossed()
    y[3] = np.nan
    found = compare_factorial(y, {"dose": factors["dose"]}, mice, blocks={"cage": cage})
    assert found.design.n == (11, 12)
    assert found.test.startswith("dose, one-way analysis of variance")
    unnamed = compare_factorial(y, {"dose": factors["dose"]}, blocks={"cage": cage})
    assert unnamed.p == found.p


def test_rows_of_one_animal_are_refused_in_two_way_designs_too():
    y, factors, mice, cage = crossed()
    twice = [mice[k - k % 2] for k in range(24)]
    with pytest.raises(InputError) as error:
        compare_factorial(y, factors, twice)
    assert rules(error) == ["compare.pseudo-replication"]
    assert compare_factorial(y, factors, twice, plan=ComparisonPlan(nested="mean")).design.n == (3, 3, 3, 3)
    with pytest.raises(InputError) as error:
        compare_factorial(y, factors, [*mice[:12], *mice[:12]])
    assert rules(error) == ["compare.subject-in-two-groups"]
    with pytest.raises(InputError) as error:
        compare_factorial(y, factors, twice, blocks={"cage": cage}, plan=ComparisonPlan(nested="mean"))
    assert rules(error) == ["compare.block"]


@pytest.mark.parametrize(
    ("factors", "rule"),
    [
        ({"dose": ["0"] * 24, "sex": list("fm") * 12}, "compare.one-level"),
        ({"dose": ["", *["0"] * 23], "sex": list("fm") * 12}, "compare.no-name"),
        ({"dose": ["0"] * 12 + ["1"] * 12, "sex": ["f"] * 12 + ["m"] * 12}, "compare.design"),
    ],
)
def test_faults_of_the_factors(factors, rule):
    y, _, mice, _ = crossed()
    with pytest.raises(InputError) as error:
        compare_factorial(y, factors, mice)
    assert rules(error) == [rule]
