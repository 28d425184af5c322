"""Outcomes of spread: closed forms, censoring, coverage of sums on simulated truth."""

import math
from dataclasses import replace

import numpy as np
import pytest

from lampyris.core.estimate import Estimate
from lampyris.core.lesions import Lesion, OrganActivity, Sighting
from lampyris.metastasis.spread import endpoints, total_cells
from lampyris.statistics.thresholds import half_width

DAYS = (0.0, 3.0, 7.0, 14.0, 21.0)
Z = half_width(0.95)
NAN = math.nan
LIMITS = {"liver": (2e4,) * 5, "lungs": (5e4,) * 5, "subcutis": (1e4,) * 5}


def amount(value, log_sd=0.3, unit="labelled-cell equivalents"):
    factor = math.exp(Z * log_sd)
    return Estimate(value, value * log_sd, value / factor, value * factor, 0.95, unit, "synthetic")


def limit(value):
    return Estimate(value, NAN, 0.0, value, 0.95, "labelled-cell equivalents", "detection limit")


def length(value, sd=1.0):
    return Estimate(value, sd, value - Z * sd, value + Z * sd, 0.95, "mm", "synthetic")


def lesion(
    number, cells, *, kind="lesion", kinds=None, organs=None, after=None, position=(0.0, 0.0, 0.0), days=DAYS, **other
):
    """A lesion from its cells per session; a negative number is the limit of a session that does not show it."""
    organs = organs or {"liver": 1.0}
    sightings = tuple(
        Sighting(f"d{day:02.0f}", day, True, (("ventral", number),), amount(one, 0.1, "ph s-1"), amount(one))
        if one > 0
        else Sighting(f"d{day:02.0f}", day, False, (), limit(-one), limit(-one))
        for day, one in zip(days, cells, strict=True)
    )
    seen = [day for day, one in zip(days, cells, strict=True) if one > 0]
    earlier = [day for day in days if day < seen[0]]
    later = [day for day in days if day > seen[-1]]
    made = Lesion(
        number=number,
        kind=kind,
        kinds=kinds or {kind: 1.0},
        reasons=(),
        organ=max(organs, key=lambda name: organs[name]),
        organs=organs,
        position_mm=tuple(length(one) for one in position),
        depth_mm=length(2.0),
        sightings=sightings,
        after_day=after if after is not None else max(earlier, default=-math.inf),
        by_day=seen[0],
        last_day=seen[-1],
        lost_by_day=min(later, default=math.inf),
        half_life_days=Estimate(NAN, NAN, NAN, NAN, 0.95, "days", "not asked"),
    )
    return replace(made, **other)


def primary(cells=(1e6, 8e5, 6e5, 4e5, 2e5), **other):
    return lesion(1, cells, kind="primary", organs={"subcutis": 1.0}, position=(-8.0, 40.0, 9.0), **other)


def outcome(*lesions, days=DAYS, limits=LIMITS, **options):
    return endpoints(lesions, days=days, limits=limits, **options)


def onset(found, organ):
    return next(one for one in found.onsets if one.organ == organ)


def test_an_animal_without_anything():
    found = endpoints((), days=(), limits={})
    assert (found.days, found.onsets, found.burden, found.sites, found.route) == ((), (), (), (), ())
    assert found.first_spread == (-math.inf, math.inf)
    units = [
        (found.burden_area, "labelled-cell equivalent days"),
        (found.half_life_days, "days"),
        (found.persistence, "1"),
        (found.farthest_mm, "mm"),
    ]
    for one, unit in units:
        assert math.isnan(one.value)
        assert one.unit == unit
        assert one.method


def test_an_animal_in_which_nothing_is_found_has_limits():
    found = outcome()
    assert [one.by_day for one in found.onsets] == [math.inf] * 3
    assert [one.after_day for one in found.onsets] == [21.0] * 3
    assert onset(found, "lungs").limit_cells == 5e4
    # it could lie anywhere: the worst organ
    assert [(one.value, one.low, one.high) for one in found.burden] == [(5e4, 0.0, 5e4)] * 5
    assert found.burden_below == (True,) * 5
    assert found.first_spread == (21.0, math.inf)
    area = found.burden_area
    assert (area.value, area.low, area.high) == (5e4 * 21.0, 0.0, 5e4 * 21.0)
    assert all(math.isnan(one.value) for one in found.primary)


def test_where_no_limit_is_known_nothing_is_said():
    found = outcome(limits={"liver": (NAN,) * 5, "lungs": (5e4, NAN, 4e4, math.inf, NAN)})
    assert onset(found, "liver").after_day == -math.inf
    assert math.isnan(onset(found, "lungs").limit_cells)
    assert onset(found, "lungs").after_day == 7.0
    assert math.isnan(found.burden[1].value)
    assert found.burden[2].high == 4e4
    # a lesion in the liver would never have been seen
    assert found.first_spread == (-math.inf, math.inf)
    assert "days 0 to 7" in found.burden_area.method


ONE = {"liver": 1.0}


@pytest.mark.parametrize(
    ("lesions", "probability", "interval"),
    [
        ([(7, 3, 1.0, ONE)], 1.0, (3, 7)),
        # halves do not make a whole
        ([(7, 3, 0.5, ONE)], 0.5, (21, math.inf)),
        ([(7, 3, 1.0, {"liver": 0.4, "lungs": 0.6})], 0.4, (21, math.inf)),
        # but two of them do, once the second is there
        ([(7, 3, 1.0, {"liver": 0.4, "lungs": 0.6}), (14, 7, 1.0, {"liver": 0.4, "lungs": 0.6})], 0.64, (3, 14)),
        ([(7, 3, 1.0, {"liver": 0.4, "lungs": 0.6}), (14, 7, 1.0, ONE)], 1.0, (3, 14)),
        ([(7, 3, 1.0, ONE), (14, 7, 1.0, ONE)], 1.0, (3, 7)),
        # seen late, but it may have come first
        ([(7, 3, 1.0, ONE), (14, -math.inf, 0.9, ONE)], 1.0, (-math.inf, 7)),
        # too unlikely to count
        ([(7, 3, 1.0, ONE), (14, -math.inf, 1.0, {"liver": 0.02, "lungs": 0.98})], 1.0, (3, 7)),
        # came after the first was there
        ([(3, 0, 1.0, ONE), (14, 7, 1.0, ONE)], 1.0, (0, 3)),
    ],
    ids=[
        "one", "a half", "elsewhere", "two unlikely", "an unlikely one first", "two", "hidden before", "negligible", "later"
    ],
)  # fmt: skip
def test_onset(lesions, probability, interval):
    made = []
    for number, (by, after, kind, organs) in enumerate(lesions, start=2):
        cells = [1e5 if day >= by else -1e4 for day in DAYS]
        made.append(
            lesion(number, cells, kinds={"lesion": kind, "halo of the primary": 1 - kind}, organs=organs, after=after)
        )
    found = onset(outcome(primary(), *made), "liver")
    assert found.probability == pytest.approx(probability)
    assert (found.after_day, found.by_day) == interval


def test_signals_that_are_no_lesion_count_for_nothing():
    other = [
        lesion(number, (1e5,) * 5, kind=kind)
        for number, kind in enumerate(
            ["halo of the primary", "injection site", "circulating uptake", "lung trapping", "gut and food", "bladder"],
            start=2,
        )
    ]
    assert outcome(primary(), *other) == outcome(primary())


def test_burden_of_one_lesion_is_the_lesion_s():
    met = lesion(2, (-1e4, -1e4, 3e5, 2e5, -1e4))
    found = outcome(primary(), met)
    assert found.burden[2] == met.sightings[2].cells
    assert found.burden_below == (True, True, False, False, True)
    assert found.burden[4].high == 5e4
    assert found.sites == (0, 0, 1, 1, 1)
    assert [one.value for one in found.primary] == [1e6, 8e5, 6e5, 4e5, 2e5]
    assert found.first_spread == (3.0, 7.0)


def test_a_lesion_that_is_not_seen_adds_its_limit_to_the_upper_end():
    seen = lesion(2, (3e5,) * 5)
    faded = lesion(3, (-2e4, -2e4, 1e5, -3e4, -4e4))
    found = outcome(seen, faded)
    # up to after_day it would have been seen: it was not there
    assert found.burden[1] == seen.sightings[1].cells
    assert found.burden[3].value == 3e5
    assert found.burden[3].high == pytest.approx(seen.sightings[3].cells.high + 3e4)
    # nothing seen on any day but its own: its limit, where that is more than the organs'
    lost = outcome(replace(faded, sightings=(*faded.sightings[:4], replace(faded.sightings[4], cells=limit(9e4)))))
    assert (lost.burden[4].low, lost.burden[4].high) == (0.0, 9e4)


def test_lesions_that_are_one_spot_are_counted_once():
    two = lesion(2, (3e5,) * 5)
    three = lesion(3, (3e5,) * 5)
    shared = [
        replace(one, sightings=tuple(replace(s, shared_with=(other,)) for s in one.sightings))
        for one, other in ((two, 3), (three, 2))
    ]
    assert outcome(*shared).burden[1] == two.sightings[1].cells
    assert outcome(two, three).burden[1].value > 5.5e5
    # a chain of sharing that only one side names
    four = replace(shared[0], number=4, sightings=tuple(replace(s, shared_with=(3,)) for s in two.sightings))
    assert outcome(*shared, four).burden[1] == two.sightings[1].cells


def test_one_spot_with_the_primary_is_the_primary_s():
    met = lesion(2, (3e5,) * 5)
    met = replace(met, sightings=tuple(replace(s, shared_with=(1,)) for s in met.sightings))
    found = outcome(primary((3e5,) * 5), met)
    assert found.burden_below == (True,) * 5
    assert found.burden[0].low == 0.0
    assert found.burden[0].high == pytest.approx(met.sightings[0].cells.high)
    assert found.sites == (1,) * 5


def test_a_lesion_whose_amount_is_not_known_leaves_the_burden_unknown():
    met = lesion(2, (3e5,) * 5)
    unknown = Estimate(NAN, NAN, NAN, NAN, 0.95, "labelled-cell equivalents", "no light table")
    met = replace(met, sightings=tuple(replace(s, cells=unknown) for s in met.sightings))
    found = outcome(met, lesion(3, (1e5,) * 5))
    assert all(math.isnan(one.value) for one in found.burden)
    assert found.burden_below == (False,) * 5


def test_area_of_censored_ends():
    met = lesion(2, (-1e4, -1e4, 3e5, 3e5, -1e4))
    found = outcome(met, limits={"liver": (2e4,) * 5}).burden_area
    # trapezoids over 3, 4, 7 and 7 days; limits as their middle, as 0, and as they are
    middle = 1e4 * 3 + (1e4 + 3e5) / 2 * 4 + 3e5 * 7 + (3e5 + 1e4) / 2 * 7
    low, high = (met.sightings[2].cells.low, met.sightings[2].cells.high)
    assert found.value == pytest.approx(middle)
    assert found.low == pytest.approx(low * (2 + 7 + 3.5))
    assert found.high == pytest.approx(2e4 * 3 + (2e4 + high) / 2 * 4 + high * 7 + (high + 2e4) / 2 * 7)


def test_area_needs_two_sessions():
    assert math.isnan(outcome(lesion(2, (1e5,), days=(7.0,)), days=(7.0,), limits={}).burden_area.value)


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_sums_cover_the_truth(share):
    """Measured amounts scatter about the truth with errors of which a share is common."""
    rng = np.random.default_rng(5)
    truth, sds = np.array([3e5, 1e5, 5e4]), np.array([0.5, 0.6, 0.7])
    held = 0
    for _ in range(1000):
        error = math.sqrt(share) * rng.normal() + math.sqrt(1 - share) * rng.normal(size=3)
        found = total_cells(
            [amount(t * math.exp(s * e), s) for t, s, e in zip(truth, sds, error, strict=True)], shared_share=share
        )
        held += found.low <= truth.sum() <= found.high
    # 1000 draws know 0.95 to 0.007: four of those; a sum of log-normal values is log-normal only nearly, which costs as much again
    assert held / 1000 == pytest.approx(0.95, abs=0.05)


def test_a_burden_with_the_stated_share_of_common_error_covers_the_truth():
    rng = np.random.default_rng(6)
    truth, sd = np.array([3e5, 2e5]), 0.6
    held = areas = 0
    for _ in range(300):
        error = sd * (math.sqrt(0.5) * rng.normal() + math.sqrt(0.5) * rng.normal(size=2))
        mets = []
        for number, one in enumerate(truth * np.exp(error), start=2):
            made = lesion(number, (one,) * 5)
            mets.append(replace(made, sightings=tuple(replace(s, cells=amount(one, sd)) for s in made.sightings)))
        found = outcome(*mets)
        held += found.burden[2].low <= truth.sum() <= found.burden[2].high
        areas += found.burden_area.low <= 21.0 * truth.sum() <= found.burden_area.high
    # 300 draws know 0.95 to 0.0126: four of those
    assert held / 300 >= 0.90
    assert areas / 300 >= 0.90


def test_total_refuses_nothing_and_what_is_not_positive():
    for amounts in ([], [limit(1e4), replace(limit(1e4), value=0.0)]):
        with pytest.raises(ValueError, match="above 0"):
            total_cells(amounts)


def test_persistence_of_the_primary():
    found = outcome(primary()).persistence
    assert found.value == pytest.approx(0.2)
    # fluxes scatter by 10 % each, the amounts' 30 % are the same on all days
    assert math.log(found.high / found.value) == pytest.approx(Z * 0.1 * math.sqrt(2), rel=0.01)
    gone = outcome(primary((1e6, 8e5, 6e5, 4e5, -2e4))).persistence
    assert (gone.value, gone.low) == (pytest.approx(0.02), 0.0)
    assert gone.high > gone.value
    assert math.isnan(outcome(primary((-1e4, -1e4, -1e4, -1e4, 2e5))).persistence.value)


def test_half_life_of_the_primary():
    known = Estimate(9.0, 1.0, 7.5, 11.5, 0.95, "days", "log-linear fit")
    # one number in two places
    assert outcome(primary(half_life_days=known)).half_life_days == known
    # in two pieces: of their sum
    pieces = [
        replace(primary([one * 0.5 ** (day / 6.0) for day in DAYS]), number=number)
        for number, one in ((1, 8e5), (2, 2e5))
    ]
    found = outcome(*pieces).half_life_days
    # the weight of the pieces' common errors is the same on all days, so that the slope is exact
    assert found.value == pytest.approx(6.0, rel=1e-6)
    assert found.low < 6.0 < found.high


def test_route():
    liver = lesion(3, (-1e4, -1e4, 3e5, 3e5, 3e5), position=(-8.0, 43.0, 13.0))
    lungs = lesion(2, (-1e4, -1e4, -1e4, 3e5, 3e5), organs={"lungs": 0.7, "liver": 0.3}, position=(-8.0, 20.0, 9.0))
    found = outcome(primary(), lungs, liver)
    assert [(one.source, one.target, one.lesion, one.probability) for one in found.route] == [
        ("subcutis", "liver", 3, 1.0),
        ("subcutis", "lungs", 2, 0.7),
    ]
    near, far = (one.distance_mm for one in found.route)
    # (0, 3, 4) from the primary, each place known to 1 mm
    assert (near.value, near.sd) == (pytest.approx(5.0), pytest.approx(math.sqrt(2.0)))
    assert (far.value, found.farthest_mm) == (pytest.approx(20.0), far)
    alone = outcome(liver)
    assert alone.route[0].source == "inoculation"
    assert math.isnan(alone.farthest_mm.value)


def test_distance_of_what_coincides_and_of_places_without_uncertainty():
    same = lesion(2, (1e5,) * 5, position=(-8.0, 40.0, 9.0))
    found = outcome(primary(), same).farthest_mm
    assert (found.value, found.low) == (0.0, 0.0)
    assert found.sd == pytest.approx(math.sqrt(2.0))
    bare = Estimate(0.0, NAN, 0.0, 0.0, 0.95, "mm", "")
    found = outcome(primary(), replace(same, position_mm=(bare, bare, bare))).farthest_mm
    assert (found.low, found.high) == (0.0, math.inf)
    lost = Estimate(NAN, NAN, NAN, NAN, 0.95, "mm", "")
    assert math.isnan(outcome(primary(), replace(same, position_mm=(lost, lost, lost))).farthest_mm.value)


def test_injected_probes_bring_their_washout():
    flux = [amount(1e9 * 0.5 ** (day / 4.0), 0.1, "ph s-1") for day in DAYS]
    ratio = amount(3.0, 0.1, "1")
    rows = [OrganActivity("liver", day, one, ratio) for day, one in zip(DAYS, flux, strict=True)]
    found = outcome(activities=rows, injection_days=(0.0,))
    assert found.activities == tuple(rows)
    assert found.washout_half_life["liver"].value == pytest.approx(4.0)
    # a template's error is the same on all days and widens nothing
    wide = [replace(row, flux=amount(row.flux.value, 0.5, "ph s-1")) for row in rows]
    loose, tight = (
        outcome(activities=wide, injection_days=(0.0,), organ_model_error=e).washout_half_life["liver"]
        for e in (0.0, 0.49)
    )
    assert tight.high - tight.low < 0.5 * (loose.high - loose.low)


@pytest.mark.parametrize(
    ("days", "limits", "words"),
    [
        ((3.0, 0.0), {}, "in order"),
        ((0.0, 3.0), {"liver": (1e4,)}, "liver"),
        ((0.0, 4.0), {}, "lesion 2"),
    ],
)
def test_misfits_are_refused(days, limits, words):
    with pytest.raises(ValueError, match=words):
        endpoints([lesion(2, (1e5, 1e5), days=(0.0, 3.0))], days=days, limits=limits)


def test_an_injected_probe_bounds_nothing_from_below():
    seen = lesion(2, (-1e4, -1e4, -1e4, 3e4, 9e4), after=-math.inf)
    activity = OrganActivity("liver", 7.0, amount(10.0), amount(2.0))
    found = outcome(primary((1e4, 2e4, 4e4, 8e4, 2e5)), seen, injection_days=(), activities=(activity,))
    # small growths may be anywhere, from the first day
    assert (onset(found, "lungs").after_day, onset(found, "lungs").by_day) == (-math.inf, math.inf)
    assert onset(found, "lungs").limit_cells == 5e4
    assert (onset(found, "liver").after_day, onset(found, "liver").by_day) == (-math.inf, 14.0)
    assert math.isnan(found.half_life_days.value) and math.isnan(found.persistence.value)
    assert "follows its doses" in found.half_life_days.method
    assert found.washout_half_life["liver"].method == "each session has a dose of its own"
    assert outcome(injection_days=()).first_spread == (-math.inf, math.inf)
