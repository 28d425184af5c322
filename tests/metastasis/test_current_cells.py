"""Current cell numbers of followed lesions: only under a stated prior, only where it says something."""

import math

import pytest
from pydantic import ValidationError

from lampyris.core.estimate import Estimate
from lampyris.core.lesions import Lesion, Sighting
from lampyris.core.settings import Group, Growth
from lampyris.metastasis.growth import GrowthPrior, current_cells, growth_prior, number_cells

NAN = math.nan
UNKNOWN = Estimate(NAN, NAN, NAN, NAN, 0.95, "mm", "not asked")
EXACT = GrowthPrior("exponential", 7.0, 0.0)


def amount(value):
    return Estimate(value, 0.1 * value, 0.8 * value, 1.25 * value, 0.95, "labelled-cell equivalents", "synthetic")


def lesion(*cells, kind="lesion", shared=()):
    """Sessions a week apart from day 7; 0 is not seen."""
    sightings = tuple(
        Sighting(
            session=f"d{7 * week}",
            day=7.0 * week,
            seen=value > 0,
            detections=(("ventral", 1),) if value > 0 else (),
            flux=amount(value),
            cells=amount(value),
            shared_with=(2,) if week in shared else (),
        )
        for week, value in enumerate(cells, start=1)
    )
    place = (UNKNOWN, UNKNOWN, UNKNOWN)
    return Lesion(
        number=1,
        kind=kind,
        kinds={kind: 1.0},
        reasons=(),
        organ="liver",
        organs={"liver": 1.0},
        position_mm=place,
        depth_mm=UNKNOWN,
        sightings=sightings,
        after_day=-math.inf,
        by_day=7.0,
        last_day=7.0 * len(cells),
        lost_by_day=math.inf,
        half_life_days=UNKNOWN,
    )


def numbers(*cells, prior=EXACT, injected=False, **other):
    (found,) = number_cells((lesion(*cells, **other),), prior, injected=injected)
    return [one.current_cells for one in found.sightings]


def test_growth_counts_from_day_0_and_label_from_its_first_sighting():
    # a doubling a week: label that fades afterwards takes no cells away
    found = numbers(0.0, 100.0, 50.0)
    assert math.isnan(found[0].value) and found[0].method == "not seen"
    # the median of 10000 even draws is good to a percent
    assert [one.value for one in found[1:]] == pytest.approx([400.0, 800.0], rel=0.01)
    assert "exponential growth assumed from day 0, label of day 14" in found[2].method
    assert found[2].unit == "cells"


def test_the_interval_holds_the_prior():
    narrow, wide = (numbers(100.0, prior=GrowthPrior("exponential", 7.0, sd))[0] for sd in (0.0, 0.5))
    assert wide.high / wide.low > 2.0 * narrow.high / narrow.low
    alone = current_cells(amount(100.0), 7.0, GrowthPrior("exponential", 7.0, 0.5)).cells
    assert (wide.value, wide.low, wide.high) == (alone.value, alone.low, alone.high)


def test_a_spot_of_its_own_tells_more_than_a_shared_one():
    assert numbers(500.0, 100.0, shared=(1,))[1].value == pytest.approx(400.0, rel=0.01)
    assert "one spot together" in numbers(500.0, shared=(1,))[0].method


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"injected": True}, "injected probe"),
        ({"kind": "artefact"}, "no tumour"),
        ({"prior": GrowthPrior("logistic", 7.0, 0.1, 90.0)}, "capacity is 90"),
        ({"prior": GrowthPrior("gompertz", 7.0, 0.1, 100.0)}, "capacity is 1e+02"),
    ],
)
def test_no_number_where_the_prior_says_nothing(options, why):
    (found,) = numbers(100.0, **options)
    assert math.isnan(found.value) and math.isnan(found.high)
    assert why in found.method


def test_settings_state_the_prior():
    assert growth_prior(Growth()) is None
    given = Growth(model="gompertz", doubling_days=3.0, doubling_log_sd=0.3, capacity_cells=1e9, capacity_log_sd=0.5)
    assert growth_prior(given) == GrowthPrior("gompertz", 3.0, 0.3, 1e9, 0.5)
    exponential = Growth(model="exponential", doubling_days=3.0, doubling_log_sd=0.3)
    assert growth_prior(exponential) == GrowthPrior("exponential", 3.0, 0.3)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"model": "exponential"}, "needs doubling_days and doubling_log_sd"),
        ({"model": "exponential", "doubling_days": 3.0}, "needs doubling_log_sd"),
        ({"model": "logistic", "doubling_days": 3.0, "doubling_log_sd": 0.3}, "needs capacity_cells"),
        ({"doubling_days": 3.0}, "none has no doubling_days"),
        (
            {"model": "exponential", "doubling_days": 3.0, "doubling_log_sd": 0.3, "capacity_cells": 1e9},
            "exponential has no capacity_cells",
        ),
        ({"model": "exponential", "doubling_days": 0.0, "doubling_log_sd": 0.3}, "greater than 0"),
    ],
)
def test_half_a_prior_is_none(values, words):
    with pytest.raises(ValidationError, match=words):
        Growth(**values)


def test_only_an_injected_probe_has_doses():
    assert Group(label="injected", injection_days=(1.0,)).injection_days == (1.0,)
    with pytest.raises(ValidationError, match="injection_days are those of an injected probe"):
        Group(injection_days=(1.0,))
