"""Outcomes of animals and comparison of arms, by hand-made sessions with known answers."""

import math

import numpy as np
import pytest
from cheap_step import detection, flux_of, lesion, limit, sighting, view_result
from scipy import stats

from lampyris.core.study import AnimalOutcome, SessionResult, ViewTotal
from lampyris.study.outcomes import animal_outcome, compare_groups, session_limit, sum_fluxes

GROUPS = {
    "targeted": {"title": "Targeted", "role": "labelled", "probe": "qd"},
    "dye": {"title": "Dye", "role": "labelled", "probe": "dye"},
    "none": {"title": "None", "role": "control", "probe": ""},
}


def session(*views, day=0.0, name="d00", animal="m01", group="targeted"):
    """Each view is a pair of detections and limits."""
    image = np.ones((1, 8, 8), np.float32)
    results = tuple(
        view_result(side, image, channels=("b1",), detections=tuple(found), limits=tuple(limits))
        for side, (found, limits) in zip(("dorsal", "ventral"), views, strict=False)
    )
    return SessionResult(animal, name, day, "", group, "qd", results)


def outcome(animal, group, fluxes, *, days=(0.0, 14.0), below=None, status="done", reason=""):
    totals = tuple(flux_of(value) for value in fluxes)
    flags = tuple(below) if below else (False,) * len(totals)
    views = tuple((ViewTotal("dorsal", total, flag),) for total, flag in zip(totals, flags, strict=True))
    counts = tuple(0 if flag else 1 for flag in flags)
    return AnimalOutcome(animal, group, status, reason, tuple(days), totals, flags, counts, views)


def arm(group, values, **options):
    return [outcome(f"{group}{place}", group, (1e4, value), **options) for place, value in enumerate(values)]


def test_the_brighter_view_counts_and_views_are_not_added():
    result = animal_outcome([session(([detection(1, 100.0)], []), ([detection(1, 300.0), detection(2, 50.0)], []))])
    assert result.total_flux[0].value == 350.0
    assert (result.below_limit, result.lesion_count) == ((False,), (2,))


def test_an_injection_site_is_no_lesion():
    found = [detection(1, 9e9, kind="injection site"), detection(2, 100.0)]
    result = animal_outcome([session((found, []))])
    assert result.total_flux[0].value == 100.0
    assert result.lesion_count == (1,)


def followed(kind, *detections, name="d00"):
    return lesion(1, [sighting(name, 0.0, detections)], kind=kind)


@pytest.mark.parametrize(
    ("lesions", "expected"),
    [
        ((), 100.0),
        # what the animal's step says of a detection counts more than what the session's said
        ((followed("gut and food", ("dorsal", 2)),), 0.0),
        ((followed("primary", ("dorsal", 1)),), 900.0 + 100.0),
        # of a spot that two share, one is tumour
        ((followed("halo of the primary", ("dorsal", 1)), followed("lesion", ("dorsal", 1))), 1000.0),
        # a sighting in another session, or another view, is not this one's
        ((followed("lesion", ("dorsal", 1), name="d07"), followed("lesion", ("ventral", 1))), 100.0),
    ],
    ids=["none", "other kind", "tumour", "shared", "elsewhere"],
)
def test_flux_is_of_what_lesions_of_tumour_own(lesions, expected):
    found = [detection(1, 900.0, kind="injection site"), detection(2, 100.0)]
    result = animal_outcome([session((found, [limit("liver", 50.0)]))], lesions=lesions)
    assert result.below_limit == (expected == 0,)
    assert result.total_flux[0].value == (expected or 50.0)
    assert result.lesions == lesions


def test_one_lesion_keeps_its_interval():
    spot = detection(1, 100.0)
    assert sum_fluxes([spot]) == spot.flux


def test_own_uncertainty_adds_in_quadrature_and_shared_linearly():
    # sd 10 each; own part 100/12.5 = 8, so the shared part is 6
    spots = [detection(1, 100.0, snr=12.5), detection(2, 100.0, snr=12.5)]
    total = sum_fluxes(spots)
    assert total.sd == pytest.approx(math.hypot(math.hypot(8, 8), 12), rel=1e-12)
    assert total.high - total.value == pytest.approx(1.96 * total.sd, rel=1e-12)
    assert total.value - total.low == pytest.approx(1.96 * total.sd, rel=1e-12)


@pytest.mark.parametrize(("snr", "expected"), [(10.0, math.hypot(10, 10)), (1e12, 20.0), (math.inf, 20.0)])
def test_limits_of_the_combination(snr, expected):
    """All own: quadrature; all shared: linear."""
    total = sum_fluxes([detection(1, 100.0, snr=snr), detection(2, 100.0, snr=snr)])
    assert total.sd == pytest.approx(expected, rel=1e-9)


def test_nothing_found_gives_the_limit():
    result = animal_outcome(
        [
            session(
                ([], [limit("liver", 300.0), limit("lung", 900.0)]),
                ([detection(1, 5.0, kind="injection site")], [limit("liver", 200.0), limit("lung", 1000.0)]),
            )
        ]
    )
    total = result.total_flux[0]
    # liver is seen down to 200 by one view, lung to 900 by the other; the lesion may be in the lung
    assert (total.low, total.value, total.high) == (0.0, 900.0, 900.0)
    assert result.below_limit == (True,)
    assert result.lesion_count == (0,)


def test_no_finite_limit_is_not_zero():
    total = session_limit(session(([], [])))
    assert math.isnan(total.value)
    only_infinite = limit("lung", 1.0)
    object.__setattr__(
        only_infinite, "flux", type(only_infinite.flux)(math.inf, math.nan, 0, math.inf, 0.95, "ph s-1", "")
    )
    assert math.isnan(session_limit(session(([], [only_infinite]))).value)


def test_sessions_are_sorted_by_day():
    late, early = session(([detection(1, 2.0)], []), day=7.0, name="d07"), session(([detection(1, 1.0)], []))
    result = animal_outcome([late, early])
    assert result.days == (0.0, 7.0)
    assert [total.value for total in result.total_flux] == [1.0, 2.0]


def test_sessions_of_two_animals_are_refused():
    with pytest.raises(ValueError, match="one animal"):
        animal_outcome([session(([], [])), session(([], []), animal="m02")])
    with pytest.raises(ValueError, match="one animal"):
        animal_outcome([])


A, B = (1e5, 2e5, 4e5, 3e5), (2e4, 1e4, 5e4, 3e4)


def test_labelled_arms_are_tested_on_both_endpoints():
    flux, ratio = compare_groups([*arm("targeted", A), *arm("dye", B), *arm("none", (1e3, 2e3, 3e3))], GROUPS)
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


def test_holm_is_in_the_notes():
    flux, ratio = compare_groups([*arm("targeted", A), *arm("dye", B)], GROUPS)
    for comparison in (flux, ratio):
        assert any(note == f"Holm-adjusted over 2 endpoints: p = {2 * flux.p:.3g}." for note in comparison.notes)


def test_a_comparison_carries_its_design_and_what_stands_beside_it():
    flux, _ = compare_groups([*arm("targeted", A), *arm("dye", B)], GROUPS)
    assert flux.design.experimental_unit == "animal"
    assert flux.design.n == tuple(group.n for group in flux.groups)
    assert sum(flux.design.n) == flux.design.rows == 8
    assert [test.role for test in flux.tests[:2]] == ["primary", "assumption"]
    assert flux.tests[0].p == flux.p
    assert {group.letters for group in flux.groups if group.n} <= {"a", "b"}
    assert all(len(group.units) == group.n for group in flux.groups)
    assert flux.p_adjusted == pytest.approx(2 * flux.p)
    assert flux.adjustment == "Holm over 2 endpoints"
    assert flux.pairs[0].effect_size.value > 0


def test_two_animals_are_described_not_tested():
    flux = compare_groups([*arm("targeted", A[:2]), *arm("dye", B)], GROUPS)[0]
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
    two = compare_groups([*arm("targeted", A), *arm("dye", B)], GROUPS)[0]
    three = compare_groups([*arm("targeted", A), *arm("dye", B), *third], THIRD)[0]
    assert (three.endpoint, three.p, three.pairs) == (two.endpoint, two.p, two.pairs)
    assert {group.group: group.n for group in three.groups} == {"targeted": 4, "dye": 4, "none": 0, "free": n}
    assert any(note.startswith("Left out of the test: free (") and why in note for note in three.notes)


def test_equal_values_are_not_tested():
    flux = compare_groups([*arm("targeted", (1e5,) * 4), *arm("dye", B)], GROUPS)[0]
    assert math.isnan(flux.p)
    assert "targeted (its values do not differ" in flux.notes[1]


def test_the_last_day_is_one_that_all_labelled_arms_share():
    early = [outcome(f"dye{k}", "dye", (1e4, value), days=(0.0, 7.0)) for k, value in enumerate(B)]
    late = [outcome(f"t{k}", "targeted", (1e4, v, 9e9), days=(0.0, 7.0, 14.0)) for k, v in enumerate(A)]
    flux, ratio = compare_groups([*early, *late], GROUPS)
    assert flux.endpoint.endswith("day 7")
    assert ratio.endpoint.endswith("day 7 to day 0")
    assert max(flux.groups[0].values) < 6


def test_no_shared_day_is_described_not_tested():
    early = [outcome(f"dye{k}", "dye", (value,), days=(7.0,)) for k, value in enumerate(B)]
    flux = compare_groups([*early, *arm("targeted", A)], GROUPS)[0]
    assert flux.endpoint.endswith("day 14")
    assert math.isnan(flux.p)
    assert [group.n for group in flux.groups] == [4, 0, 0]
    assert any("share no day" in note for note in flux.notes)


def test_a_single_arm_and_controls_alone_are_described():
    flux = compare_groups(arm("targeted", A), GROUPS)[0]
    assert [group.n for group in flux.groups] == [4, 0, 0]
    controls = compare_groups(arm("none", A), GROUPS)[0]
    assert [group.n for group in controls.groups] == [0, 0, 4]
    for comparison in (flux, controls):
        assert math.isnan(comparison.p)
        assert any("Fewer than two labelled arms" in note for note in comparison.notes)
    assert compare_groups([], GROUPS) == ()


def test_one_day_gives_one_endpoint():
    outcomes = [
        outcome(f"{g}{k}", g, (v,), days=(3.0,)) for g, vs in (("dye", B), ("targeted", A)) for k, v in enumerate(vs)
    ]
    assert len(compare_groups(outcomes, GROUPS)) == 1


def test_censored_animals_stand_at_their_limit_and_are_named():
    dye = [outcome(f"dye{k}", "dye", (1e4, v), below=(False, k == 0)) for k, v in enumerate(B)]
    flux, _ = compare_groups([*arm("targeted", A), *dye], GROUPS)
    assert flux.groups[1].censored == (True, False, False, False)
    assert flux.groups[1].values[0] == pytest.approx(math.log10(B[0]))
    note = next(note for note in flux.notes if "detection limit" in note)
    assert "1 of 4 in dye" in note
    assert "mean is too high" in note


def test_limit_over_limit_is_left_out():
    dye = [outcome(f"dye{k}", "dye", (1e4, v), below=(k == 0, k == 0)) for k, v in enumerate(B)]
    flux, ratio = compare_groups([*arm("targeted", A), *dye], GROUPS)
    assert (flux.groups[1].n, ratio.groups[1].n) == (4, 3)
    assert any("dye0 (dye)" in note for note in ratio.notes)


def test_failed_and_excluded_animals_are_named_not_used():
    lost = [
        outcome("x1", "dye", (), days=(), status="failed", reason="cut short"),
        outcome("x2", "dye", (), days=(), status="excluded", reason="died"),
    ]
    flux = compare_groups([*arm("targeted", A), *arm("dye", B), *lost], GROUPS)[0]
    assert flux.groups[1].n == 4
    assert "Excluded: x2 (dye)." in flux.notes
    assert "Not analysed: x1 (dye)." in flux.notes


def test_order_of_animals_does_not_matter():
    outcomes = [
        outcome(f"{g}{k}", g, (v,), days=(3.0,)) for g, vs in (("dye", B), ("targeted", A)) for k, v in enumerate(vs)
    ]
    assert repr(compare_groups(outcomes, GROUPS)) == repr(compare_groups(outcomes[::-1], GROUPS))


def both_views(day, dorsal, ventral):
    """A session with one lesion per view, or None for a view with nothing above its limit of 10."""
    sides = [([] if value is None else [detection(1, value)], [limit("lung", 10.0)]) for value in (dorsal, ventral)]
    return session(*sides, day=day, name=f"d{day:g}")


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
    ratio = compare_groups([animal], GROUPS)[1]
    assert any("within one view" in note for note in ratio.notes)
    if expected is None:
        assert ratio.groups[0].n == 0
    else:
        assert 10 ** ratio.groups[0].values[0] == pytest.approx(expected)
        assert ratio.groups[0].censored == (censored,)


def test_ratio_takes_a_view_that_both_days_have():
    only_ventral = SessionResult("m01", "d14", 14.0, "", "targeted", "qd", both_views(14.0, 1.0, 300.0).views[1:])
    ratio = compare_groups([animal_outcome([both_views(0.0, 100.0, 50.0), only_ventral])], GROUPS)[1]
    assert 10 ** ratio.groups[0].values[0] == pytest.approx(6.0)


@pytest.mark.parametrize("value", [0.0, -40.0, math.nan])
def test_lesions_without_flux_enter_at_the_limit_with_their_reason(value):
    animal = animal_outcome([session(([detection(1, value)], [limit("liver", 30.0)]))])
    assert (animal.below_limit, animal.lesion_count) == ((True,), (1,))
    assert animal.total_flux[0].value == 30.0
    assert animal.total_flux[0].method.startswith("found without flux above 0: limit (liver")
    flux = compare_groups([animal], GROUPS)[0]
    assert flux.groups[0].censored == (True,)
    assert any("sums to no more than 0: m01 (targeted) on day 0." in note for note in flux.notes)


def test_seen_and_unseen_are_told_apart():
    """Where nothing was found the reason for lesions without flux is not given."""
    flux = compare_groups([animal_outcome([session(([], [limit("liver", 30.0)]))])], GROUPS)[0]
    assert not any("sums to no more than 0" in note for note in flux.notes)


@pytest.mark.parametrize("level", [0.8, 0.95, 0.99])
def test_a_limit_bears_the_interval_level_and_covers_it(level):
    """The flux at the interval's end is missed with probability 1 - level at most, whatever the threshold (2 or more)."""
    power, sigma = 0.95, 7.0
    for threshold in (2.0, 4.5, 9.0):
        value = (threshold + stats.norm.ppf(power)) * sigma
        total = session_limit(session(([], [limit("liver", value)])), level=level)
        assert (total.level, total.low, total.value) == (level, 0.0, value)
        assert stats.norm.cdf(threshold - total.high / sigma) <= 1 - level + 1e-12
        assert "found with probability 0.95" in total.method
    assert animal_outcome([session(([], [limit("liver", 5.0)]))], level=level).total_flux[0].level == level
