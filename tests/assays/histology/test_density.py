"""Density over nested sections, and the in vivo call judged by it."""

import math
from dataclasses import replace

import pytest

from lampyris.assays.histology.calls import (
    HIGH_LIMIT,
    NO_LIMIT,
    NO_TRUTH,
    NOT_IMAGED,
    NOT_SOUGHT,
    call_from_onset,
    judge_calls,
    match_calls,
)
from lampyris.assays.histology.cells import Threshold
from lampyris.assays.histology.density import group_densities, organ_densities, section_spread
from lampyris.core.histology import OrganCall, SectionFlag, SectionResult
from lampyris.statistics.relations.calls import sensitivity_specificity

CONTROLS = Threshold(4.0, 0.005, 4000, 8, 2)
NONE = Threshold(5.0, math.nan, 0, 0, 0)
INF, NAN = math.inf, math.nan


def section(animal, organ, number, labelled, *, nuclei=400, area=0.1, used=True, group="dots", flags=()):
    return SectionResult(
        animal, organ, group, str(number), f"{animal}{organ}{number}", False, 0.65, area, nuclei, labelled, 0.005 * nuclei, 4.0,
        0.9, 0.0, None, used, flags,
    )  # fmt: skip


def only(rows, threshold=CONTROLS):
    (found,) = organ_densities(rows, threshold)
    return found


def test_counts_less_those_called_wrongly_over_area_and_cells():
    found = only([section("m1", "liver", 1, 20), section("m1", "liver", 2, 24)])
    assert (found.sections, found.nuclei, found.labelled) == (2, 800, 44)
    assert found.cells_per_mm2.value == pytest.approx((44 - 4) / 0.2)
    assert found.labelled_fraction.value == pytest.approx(40 / 800)
    assert found.positive is True and found.p < 1e-9
    assert found.cells_per_mm2.low < found.cells_per_mm2.value < found.cells_per_mm2.high


def test_as_many_as_in_controls_is_not_positive_and_nothing_has_an_upper_bound():
    few = only([section("m1", "liver", 1, 3), section("m1", "liver", 2, 1)])
    assert few.positive is False and few.cells_per_mm2.low == 0.0
    none = only([section("m1", "liver", 1, 0), section("m1", "liver", 2, 0)])
    assert (none.cells_per_mm2.value, none.p) == (0.0, 1.0) and 0 < none.cells_per_mm2.high < 30


def test_without_controls_nothing_is_taken_off_and_no_organ_is_told():
    found = only([section("m1", "liver", 1, 20)], NONE)
    assert found.positive is None and math.isnan(found.p) and found.cells_per_mm2.value == pytest.approx(200)
    assert SectionFlag.ONE_SECTION in found.flags


def test_sections_that_differ_widen_the_interval_and_learn_from_all_organs():
    even = [section("m1", "liver", 1, 40), section("m1", "liver", 2, 41)]
    uneven = [section("m2", "liver", 1, 10), section("m2", "liver", 2, 90)]
    assert section_spread(even).relative_variance == 0.0
    alone = only(even).cells_per_mm2
    beside = organ_densities([*even, *uneven], CONTROLS)[0].cells_per_mm2
    assert beside.value == alone.value and beside.high - beside.low > 2 * (alone.high - alone.low)


def test_sections_left_out_are_named_and_an_organ_of_none_has_no_number():
    bad = section("m1", "liver", 1, 9, used=False, flags=("out of focus",))
    found = only([bad])
    assert math.isnan(found.cells_per_mm2.value) and found.positive is None
    assert set(found.flags) == {"out of focus", "no usable section"}
    (group,) = group_densities([found])
    assert group.design.n == (0,) and group.design.exclusions[0].unit == "m1"


def test_animals_are_what_is_replicated():
    rows = [section(f"m{k}", "liver", s, 20 + 10 * k + s) for k in range(4) for s in range(3)]
    (group,) = group_densities(organ_densities(rows, CONTROLS))
    assert group.design.n == (4,) and group.design.rows == 12 and "section" in group.design.nested
    means = [one.cells_per_mm2.value for one in organ_densities(rows, CONTROLS)]
    assert group.cells_per_mm2.value == pytest.approx(sum(means) / 4)
    # twice as many sections of the same animals are no more animals
    double = [*rows, *(replace(one, section=f"{one.section}b") for one in rows)]
    (again,) = group_densities(organ_densities(double, CONTROLS))
    assert again.cells_per_mm2.high == pytest.approx(group.cells_per_mm2.high)
    (single,) = group_densities(organ_densities(rows[:3], CONTROLS))
    assert (single.cells_per_mm2.low, single.cells_per_mm2.high) == (0.0, INF)


@pytest.mark.parametrize(
    ("values", "called", "reason"),
    [
        ({"by_day": 7.0}, True, ""),
        ({}, False, ""),
        ({"after_day": -INF}, None, NOT_SOUGHT),
        ({"limit_cells": NAN}, None, NO_LIMIT),
        ({"limit_cells": INF}, None, NO_LIMIT),
        ({"limit_cells": 5e4}, None, HIGH_LIMIT),
    ],
)
def test_an_organ_that_was_not_looked_at_is_no_negative(values, called, reason):
    usual = {"probability": 0.3, "after_day": 14.0, "by_day": INF, "limit_cells": 900.0, "highest_limit": 1e4}
    found = call_from_onset("m1", "liver", **(usual | values))
    assert (found.called, found.reason) == (called, reason)


def test_calls_are_joined_by_living_organ_and_judged_with_animals_as_clusters():
    rows, told = [], {}
    for k in range(6):
        animal = f"m{k}"
        rows += [section(animal, "liver", s, 40) for s in (1, 2)]
        rows += [section(animal, "left kidney", 1, 0), section(animal, "right kidney", 1, 30 if k == 0 else 0)]
        rows += [section(animal, "brain", 1, 0), section(animal, "spleen", 1, 0)]
        told[animal, "liver"] = OrganCall(animal, "liver", k != 5, 0.9 - 0.1 * k, None, "")
        told[animal, "kidneys"] = OrganCall(animal, "kidneys", k in (0, 1), 0.6 if k in (0, 1) else 0.1, None, "")
        told[animal, "spleen"] = OrganCall(animal, "spleen", None, NAN, None, NO_LIMIT)
    rows.append(section("c1", "liver", 1, 1, group="control"))
    rows.append(section("m0", "heart", 1, 0, used=False))
    told["m0", "heart"] = OrganCall("m0", "heart", False, 0.0, None, "")
    calls = match_calls(organ_densities(rows, CONTROLS), told, controls=frozenset(("control",)))
    assert len(calls) == 6 * 4 + 1 and not any(one.animal == "c1" for one in calls)
    accuracy = judge_calls(calls)
    assert accuracy.not_called == {NOT_IMAGED: 6, NO_LIMIT: 6, NO_TRUTH: 1}
    assert (accuracy.positives, accuracy.negatives) == (7, 5)
    assert accuracy.sensitivity.value == pytest.approx(6 / 7) and accuracy.specificity.value == pytest.approx(4 / 5)
    judged = [one for one in calls if not one.reason]
    plain = sensitivity_specificity(
        [one.called for one in judged], [one.truth for one in judged], cluster=[one.animal for one in judged]
    )
    assert (accuracy.sensitivity.low, accuracy.sensitivity.high) == (plain.sensitivity.low, plain.sensitivity.high)
    assert accuracy.area is not None and accuracy.curve[-1] == (1.0, 1.0) and accuracy.design.n == (6,)
    assert any("13 of 25 organs are not judged" in note for note in accuracy.notes)


def test_a_kidney_whose_sections_do_not_tell_leaves_both_kidneys_open():
    rows = [section("m1", "left kidney", 1, 0), section("m1", "right kidney", 1, 0, used=False)]
    told = {("m1", "kidneys"): OrganCall("m1", "kidneys", False, 0.1, None, "")}
    (one,) = match_calls(organ_densities(rows, CONTROLS), told)
    assert one.truth is None and one.reason == NO_TRUTH
    (one,) = match_calls(organ_densities([rows[1], section("m1", "left kidney", 1, 40)], CONTROLS), told)
    assert one.truth is True


def test_one_animal_is_not_judged():
    calls = [OrganCall("m1", organ, True, 0.9, True, "") for organ in ("liver", "lungs")]
    assert judge_calls(calls) is None
