"""Shares of an arm's animals in which an organ was reached, with short follow-up and censored arrivals."""

import math
from dataclasses import replace

import pytest

from lampyris.core.lesions import OrganOnset
from lampyris.core.study import AnimalOutcome
from lampyris.metastasis.spread import endpoints, reach
from lampyris.statistics.intervals import clopper_pearson_interval

GROUPS = {"targeted": {"title": "Targeted"}, "control": {"title": "Control"}}


def animal(name, days, liver, *, group="targeted", first=None, status="done"):
    """An animal with its days and the interval in which its liver was reached."""
    found = endpoints((), days=days, limits={"liver": (1e4,) * len(days)})
    found = replace(found, onsets=(OrganOnset("liver", 1.0, *liver, 1e4),), first_spread=first or liver)
    none = (found.burden[0],) * len(days)
    return AnimalOutcome(
        name,
        group,
        status,
        "",
        days,
        none,
        (True,) * len(days),
        (0,) * len(days),
        endpoints=found if status == "done" else None,
    )


def of(rows, organ, group="targeted"):
    return next(row for row in rows if (row.group, row.organ) == (group, organ))


NEVER = (21.0, math.inf)


def test_shares_by_day():
    days = (0.0, 7.0, 14.0, 21.0)
    animals = [animal("m01", days, (0.0, 7.0)), animal("m02", days, (7.0, 14.0)), animal("m03", days, NEVER)]
    rows = reach([*animals, animal("m09", days, NEVER, group="control")], GROUPS)
    assert [(row.group, row.organ, row.n) for row in rows] == [
        ("targeted", "any", 3),
        ("targeted", "liver", 3),
        ("control", "any", 1),
        ("control", "liver", 1),
    ]
    liver = of(rows, "liver")
    assert liver.days == days
    assert liver.reached == tuple(clopper_pearson_interval(count, 3) for count in (0, 1, 2, 2))
    # after day 0 the first may have been reached, after day 7 the second
    assert liver.possible == (0.0, 1 / 3, 2 / 3, 2 / 3)
    assert all(one.value == 0.0 for one in of(rows, "any", "control").reached)


def test_the_union_of_days_counts_only_those_that_are_left():
    early, late = (0.0, 7.0), (0.0, 5.0, 14.0)
    rows = reach(
        [animal("m01", early, (0.0, 7.0)), animal("m02", late, (5.0, 14.0)), animal("m03", late, (14.0, math.inf))],
        GROUPS,
    )
    liver = of(rows, "liver")
    assert liver.days == (0.0, 5.0, 7.0, 14.0)
    # by day 14 only two are left, one of which is reached
    assert [one.method for one in liver.reached] == [
        "0 of 3, Clopper-Pearson",
        "0 of 3, Clopper-Pearson",
        "1 of 3, Clopper-Pearson",
        "1 of 2, Clopper-Pearson",
    ]
    assert liver.possible == (0.0, 1 / 3, 2 / 3, 1 / 2)
    assert liver.n == 3


def test_seen_is_never_more_than_possible():
    days = (0.0, 7.0, 14.0)
    intervals = [(-math.inf, 0.0), (0.0, 7.0), (-math.inf, math.inf), (14.0, math.inf)]
    rows = reach([animal(f"m{n:02d}", days, one) for n, one in enumerate(intervals)], GROUPS)
    for row in rows:
        assert all(seen.value <= may for seen, may in zip(row.reached, row.possible, strict=True))
    # never looked at: possible from the first day
    assert of(rows, "liver").possible == (0.5, 0.75, 0.75)


def test_any_organ_is_the_first_spread_and_not_an_organ_s():
    days = (0.0, 7.0)
    rows = reach([animal("m01", days, (7.0, math.inf), first=(0.0, 7.0))], GROUPS)
    assert of(rows, "any").reached[1].value == 1.0
    assert of(rows, "liver").reached[1].value == 0.0


def test_only_finished_animals_count():
    days = (0.0, 7.0)
    rows = reach([animal("m01", days, (0.0, 7.0)), animal("m02", days, (0.0, 7.0), status="failed")], GROUPS)
    assert of(rows, "any").n == 1
    assert reach([animal("m02", days, (0.0, 7.0), status="excluded")], GROUPS) == ()
    assert reach([], GROUPS) == ()


def test_an_organ_that_was_never_looked_at_is_left_out():
    days = (0.0, 7.0)
    blind = animal("m02", (0.0, 9.0), (0.0, 7.0))
    blind = replace(blind, endpoints=replace(blind.endpoints, onsets=()))
    rows = reach([animal("m01", days, (0.0, 7.0)), blind], GROUPS)
    assert of(rows, "any").n == 2
    assert (of(rows, "liver").n, of(rows, "liver").days) == (1, days)


@pytest.mark.parametrize("level", [0.8, 0.95])
def test_the_level_is_carried(level):
    rows = reach([animal("m01", (0.0,), (-math.inf, 0.0))], GROUPS, level=level)
    assert rows[0].reached[0].level == level
