"""Arms compared on a study's endpoints: known answers, limits as censored values, what is left out and said."""

import math
from dataclasses import replace

import numpy as np
import pytest
from cheap_step import detection, limit
from made_outcomes import GROUPS, arm, both_views, outcome, session
from scipy import stats

from lampyris.core.study import SessionResult
from lampyris.report.sentences import comparison_sentence
from lampyris.statistics.censored import compare_censored
from lampyris.study.checks.run import comparison_checks
from lampyris.study.outcomes import animal_outcome
from lampyris.study.statistics import compare_arms

A, B = (1e5, 2e5, 4e5, 3e5), (2e4, 1e4, 5e4, 3e4)


def test_labelled_arms_are_tested_on_both_endpoints():
    flux, ratio = compare_arms([*arm("targeted", A), *arm("dye", B), *arm("none", (1e3, 2e3, 3e3))], GROUPS)
    expected = stats.f_oneway(np.log10(A), np.log10(B), equal_var=False)
    assert flux.endpoint == "log10 total lesion flux on day 14"
    assert flux.p == pytest.approx(expected.pvalue, rel=1e-9)
    # every animal began with the same flux: the ratio differs by a constant only
    assert ratio.p == pytest.approx(expected.pvalue, rel=1e-9)
    assert flux.experimental_unit == "animal"
    assert [group.group for group in flux.groups] == list(GROUPS)
    assert [(pair.a, pair.b) for pair in flux.pairs] == [("targeted", "dye")]
    assert flux.pairs[0].difference.value == pytest.approx(np.log10(A).mean() - np.log10(B).mean())
    assert flux.effect_size is not None
    assert 0 < flux.effect_size.low < flux.effect_size.value < flux.effect_size.high < 1


def test_a_comparison_carries_its_design_and_what_stands_beside_it():
    flux, _ = compare_arms([*arm("targeted", A), *arm("dye", B)], GROUPS)
    assert flux.design.experimental_unit == "animal"
    assert flux.design.n == tuple(group.n for group in flux.groups[:2])
    assert sum(flux.design.n) == flux.design.rows == 8
    assert [test.role for test in flux.tests[:2]] == ["primary", "assumption"]
    assert flux.tests[0].p == flux.p
    assert {group.letters for group in flux.groups if group.n} <= {"a", "b"}
    assert all(len(group.units) == group.n for group in flux.groups)
    assert flux.pairs[0].effect_size.value > 0


def test_controls_that_are_described_are_no_part_of_a_test():
    """Neither in the design, nor in the sentence for screen readers, nor for the check of small numbers."""
    controls = arm("none", (1e3, 2e3))
    lost = outcome("none9", "none", (), days=(), status="excluded", reason="died")
    flux, _ = compare_arms([*arm("targeted", A), *arm("dye", B), *controls, lost], GROUPS)
    assert [group.n for group in flux.groups] == [4, 4, 2]
    assert (flux.design.groups, flux.design.n, flux.design.rows) == (("targeted", "dye"), (4, 4), 8)
    assert flux.design.exclusions == () and "Excluded: none9 (none)." in flux.notes
    sentence = comparison_sentence(flux)
    assert "n = 4, 4 animals (targeted, dye)" in sentence and "not tested: none (n = 2)" in sentence
    said = {one.check: one.seen for one in comparison_checks([flux])}
    assert "tested with n = 2" not in said["L08"]
    # nothing is tested: all are described
    flux = compare_arms([*arm("targeted", A), *controls], GROUPS)[0]
    assert flux.design.groups == tuple(GROUPS)


def test_two_animals_are_described_not_tested():
    flux = compare_arms([*arm("targeted", A[:2]), *arm("dye", B)], GROUPS)[0]
    assert (flux.test, flux.post_hoc, flux.pairs) == ("", "", ())
    assert math.isnan(flux.p)
    assert flux.notes[0] == (
        "No test was made: two labelled arms with 3 values that differ are needed, and dye alone has them."
    )
    assert flux.notes[1] == "Left out of the test: targeted (2 values, 3 are the least)."
    assert [group.n for group in flux.groups] == [2, 4, 0]
    assert flux.groups[0].mean.value == pytest.approx(np.log10(A[:2]).mean())


THIRD = {**GROUPS, "free": {"title": "Free", "role": "labelled", "probe": "qd"}}


@pytest.mark.parametrize(
    ("third", "n", "why"),
    [
        ([], 0, "0 values"),
        (arm("free", A[:2]), 2, "2 values"),
        (arm("free", (1e5,) * 4), 4, "do not differ"),
        # its one animal was imaged on another day only, which must not decide the days of the others
        ([outcome("free0", "free", (1e4,), days=(3.0,))], 0, "0 values"),
        ([outcome("free0", "free", (), days=(), status="failed", reason="cut short")], 0, "0 values"),
    ],
    ids=["empty", "thin", "no spread", "other day", "failed"],
)
def test_one_bad_arm_does_not_cancel_the_test_of_the_others(third, n, why):
    two = compare_arms([*arm("targeted", A), *arm("dye", B)], GROUPS)[0]
    three = compare_arms([*arm("targeted", A), *arm("dye", B), *third], THIRD)[0]
    assert (three.endpoint, three.p, three.pairs) == (two.endpoint, two.p, two.pairs)
    assert {group.group: group.n for group in three.groups} == {"targeted": 4, "dye": 4, "none": 0, "free": n}
    assert any(note.startswith("Left out of the test: free (") and why in note for note in three.notes)


def test_equal_values_are_not_tested():
    flux = compare_arms([*arm("targeted", (1e5,) * 4), *arm("dye", B)], GROUPS)[0]
    assert math.isnan(flux.p)
    assert "targeted (its values do not differ" in flux.notes[1]


def test_the_last_day_is_one_that_all_labelled_arms_share():
    early = [outcome(f"dye{k}", "dye", (1e4, value), days=(0.0, 7.0)) for k, value in enumerate(B)]
    late = [outcome(f"t{k}", "targeted", (1e4, v, 9e9), days=(0.0, 7.0, 14.0)) for k, v in enumerate(A)]
    flux, ratio = compare_arms([*early, *late], GROUPS)
    assert flux.endpoint.endswith("day 7")
    assert ratio.endpoint.endswith("day 7 to day 0")
    assert max(flux.groups[0].values) < 6


def test_no_shared_day_is_described_not_tested():
    early = [outcome(f"dye{k}", "dye", (value,), days=(7.0,)) for k, value in enumerate(B)]
    flux = compare_arms([*early, *arm("targeted", A)], GROUPS)[0]
    assert flux.endpoint.endswith("day 14")
    assert math.isnan(flux.p)
    assert [group.n for group in flux.groups] == [4, 0, 0]
    assert any("share no day" in note for note in flux.notes)


def test_a_single_arm_and_controls_alone_are_described():
    flux = compare_arms(arm("targeted", A), GROUPS)[0]
    assert [group.n for group in flux.groups] == [4, 0, 0]
    controls = compare_arms(arm("none", A), GROUPS)[0]
    assert [group.n for group in controls.groups] == [0, 0, 4]
    for comparison in (flux, controls):
        assert math.isnan(comparison.p)
        assert any("Fewer than two labelled arms" in note for note in comparison.notes)
    assert compare_arms([], GROUPS) == ()


def test_one_day_gives_one_endpoint():
    outcomes = [
        outcome(f"{g}{k}", g, (v,), days=(3.0,)) for g, vs in (("dye", B), ("targeted", A)) for k, v in enumerate(vs)
    ]
    assert len(compare_arms(outcomes, GROUPS)) == 1


def test_limits_are_censored_not_values():
    dye = [outcome(f"dye{k}", "dye", (1e4, v), below=(False, k == 0)) for k, v in enumerate(B)]
    flux, ratio = compare_arms([*arm("targeted", A), *dye], GROUPS)
    assert flux.groups[1].censored == (True, False, False, False)
    assert flux.groups[1].values[0] == pytest.approx(math.log10(B[0]))
    own = {"targeted": np.log10(A), "dye": np.log10(B)}
    marks = {"targeted": [False] * 4, "dye": [True, False, False, False]}
    expected = compare_censored(own, marks)
    assert (flux.test, flux.p) == (expected.tests[0].name, pytest.approx(expected.tests[0].p))
    assert flux.pairs[0].difference.value == pytest.approx(expected.pairs[0].difference.value)
    assert [one.mean.value for one in flux.groups[:2]] == pytest.approx([one.mean.value for one in expected.groups])
    assert flux.groups[1].mean.value < np.log10(B).mean()
    note = next(note for note in flux.notes if "detection limit" in note)
    assert "1 of 4 in dye" in note and "neither as zero, nor as the limit" in note
    assert not any("Welch" in test.name for test in flux.tests)
    assert flux.design.below_limit == (0, 1)
    assert sorted(one.letters for one in flux.groups) == ["", "a", "b"]
    # the limit stands on the last day: the ratio lies below what stands there, and begins with the same flux everywhere
    assert ratio.p == pytest.approx(flux.p, rel=1e-6)
    assert ratio.groups[1].above == ()


def test_a_limit_on_the_first_day_bounds_the_ratio_from_below():
    dye = [outcome(f"dye{k}", "dye", (1e4, v), below=(k == 1, False)) for k, v in enumerate(B)]
    flux, ratio = compare_arms([*arm("targeted", A), *dye], GROUPS)
    assert "Welch" in flux.test and flux.groups[1].above == ()
    assert ratio.groups[1].above == (False, True, False, False)
    assert "censored" in ratio.test
    # the lowest value may be any that is higher, so the mean rises
    assert ratio.groups[1].mean.value > np.mean(ratio.groups[1].values)
    plain = np.mean(ratio.groups[0].values) - np.mean(ratio.groups[1].values)
    assert ratio.pairs[0].difference.low < ratio.pairs[0].difference.value < plain


def test_an_arm_of_limits_on_the_first_day_has_a_lower_bound_in_its_notes_too():
    dye = [outcome(f"dye{k}", "dye", (1e4, v), below=(True, False)) for k, v in enumerate((2e5, 3e5, 4e5, 8e5, 9e5))]
    ratio = compare_arms([*arm("targeted", A), *dye], GROUPS, study="s")[1]
    dark = ratio.groups[1]
    assert math.isnan(dark.mean.value) and dark.mean.low == pytest.approx(math.log10(20))
    note = next(note for note in ratio.notes if note.startswith("dye: "))
    assert note.startswith("dye: all 5 values lie above their limits: the mean lies above 1.30103 as far as")
    ranks = [test.name for test in ratio.tests if "Peto-Peto" in test.name]
    assert ranks and all("right-censored" in name for name in ranks)
    assert ratio.pairs[0].difference.low == -math.inf and math.isfinite(ratio.pairs[0].difference.high)


def test_limits_to_both_sides_are_described_not_tested():
    dye = [outcome(f"dye{k}", "dye", (1e4, v), below=(k == 1, k == 2)) for k, v in enumerate(B)]
    ratio = compare_arms([*arm("targeted", A), *dye], GROUPS)[1]
    assert math.isnan(ratio.p) and ratio.pairs == ()
    assert "others only above" in ratio.notes[0]
    assert math.isnan(ratio.groups[1].mean.value)


def test_an_arm_of_which_nothing_is_seen_is_tested_with_a_spread_as_wide_as_can_be():
    dye = [outcome(f"dye{k}", "dye", (1e4, 5e3), below=(False, True)) for k in range(5)]
    flux = compare_arms([*arm("targeted", A), *dye], GROUPS, study="s")[0]
    # five of which nothing is seen: F is 4 (2^2 - 1) with 1 and 4 degrees of freedom
    assert "likelihood" in flux.test and flux.p == pytest.approx(0.02572, abs=1e-5)
    assert any("the spread of dye as wide as can be" in note for note in flux.notes)
    dark = flux.groups[1]
    assert math.isnan(dark.mean.value) and dark.mean.high == pytest.approx(math.log10(5e3))
    assert math.isnan(flux.pairs[0].difference.value) and flux.pairs[0].difference.low > 0
    assert (flux.groups[0].letters, dark.letters) == ("a", "b")
    assert comparison_checks([replace(flux, p_adjusted=flux.p, adjustment="Holm")])[3].outcome == "passed"


def test_limit_over_limit_is_left_out():
    dye = [outcome(f"dye{k}", "dye", (1e4, v), below=(k == 0, k == 0)) for k, v in enumerate(B)]
    flux, ratio = compare_arms([*arm("targeted", A), *dye], GROUPS)
    assert (flux.groups[1].n, ratio.groups[1].n) == (4, 3)
    assert any("dye0 (dye)" in note for note in ratio.notes)


def test_failed_and_excluded_animals_are_named_not_used():
    lost = [
        outcome("x1", "dye", (), days=(), status="failed", reason="cut short"),
        outcome("x2", "dye", (), days=(), status="excluded", reason="died"),
    ]
    flux = compare_arms([*arm("targeted", A), *arm("dye", B), *lost], GROUPS)[0]
    assert flux.groups[1].n == 4
    assert "Excluded: x2 (dye)." in flux.notes
    assert [(one.unit, one.reason) for one in flux.design.exclusions] == [("x1", "cut short"), ("x2", "died")]
    assert "Not analysed: x1 (dye)." in flux.notes


def test_order_of_animals_does_not_matter():
    outcomes = [
        outcome(f"{g}{k}", g, (v,), days=(3.0,)) for g, vs in (("dye", B), ("targeted", A)) for k, v in enumerate(vs)
    ]
    assert repr(compare_arms(outcomes, GROUPS)) == repr(compare_arms(outcomes[::-1], GROUPS))


@pytest.mark.parametrize(
    ("first", "last", "expected", "censored"),
    [
        # the brighter view changes from dorsal to ventral: the ratio stays in the dorsal one
        ((100.0, 50.0), (200.0, 800.0), 2.0, False),
        ((50.0, 100.0), (800.0, 200.0), 2.0, False),
        ((100.0, 50.0), (None, 800.0), 0.1, True),
        ((None, None), (None, 800.0), 80.0, True),
        ((None, None), (None, None), None, None),
    ],
)
def test_ratio_stays_within_one_view(first, last, expected, censored):
    animal = animal_outcome([both_views(0.0, *first), both_views(14.0, *last)])
    ratio = compare_arms([animal], GROUPS)[1]
    assert any("within one view" in note for note in ratio.notes)
    if expected is None:
        assert ratio.groups[0].n == 0
    else:
        assert 10 ** ratio.groups[0].values[0] == pytest.approx(expected)
        assert ratio.groups[0].censored == (censored,)


def test_ratio_takes_a_view_that_both_days_have():
    only_ventral = SessionResult("m01", "d14", 14.0, "", "targeted", "qd", both_views(14.0, 1.0, 300.0).views[1:])
    ratio = compare_arms([animal_outcome([both_views(0.0, 100.0, 50.0), only_ventral])], GROUPS)[1]
    assert 10 ** ratio.groups[0].values[0] == pytest.approx(6.0)


@pytest.mark.parametrize("value", [0.0, -40.0, math.nan])
def test_lesions_without_flux_enter_at_the_limit_with_their_reason(value):
    animal = animal_outcome([session(([detection(1, value)], [limit("liver", 30.0)]))])
    assert (animal.below_limit, animal.lesion_count) == ((True,), (1,))
    assert animal.total_flux[0].value == 30.0
    assert animal.total_flux[0].method.startswith("found without flux above 0: limit (liver")
    flux = compare_arms([animal], GROUPS)[0]
    assert flux.groups[0].censored == (True,)
    assert any("sums to no more than 0: m01 (targeted) on day 0." in note for note in flux.notes)


def test_seen_and_unseen_are_told_apart():
    """Where nothing was found the reason for lesions without flux is not given."""
    flux = compare_arms([animal_outcome([session(([], [limit("liver", 30.0)]))])], GROUPS)[0]
    assert not any("sums to no more than 0" in note for note in flux.notes)
