"""Probe in organs and lesions over the days, for injected probes."""

import math
from dataclasses import dataclass

import pytest

from lampyris.core.estimate import Estimate
from lampyris.core.lesions import Sighting
from lampyris.core.results import OrganSignal
from lampyris.metastasis.activity import activities, washout_half_life


@dataclass
class Spot:
    number: int
    flux: Estimate
    tumour_to_background: Estimate


@dataclass
class View:
    view: str
    organ_signals: tuple
    detections: tuple


@dataclass
class Session:
    session: str
    day: float
    views: tuple


@dataclass
class Followed:
    number: int
    kind: str
    sightings: tuple


def flux(value, sd=1.0):
    return Estimate(value, sd, value - 2 * sd, value + 2 * sd, 0.95, "ph s-1", "synthetic")


def ratio(value):
    return Estimate(value, 0.1, value - 0.2, value + 0.2, 0.95, "1", "synthetic")


def liver(value, sd=1.0):
    return (OrganSignal("liver", flux(value, sd)),)


NONE = Estimate(7.0, math.nan, 0.0, 7.0, 0.95, "ph s-1", "detection limit")


def sighting(name, day, detections):
    return Sighting(name, day, bool(detections), detections, NONE, NONE)


DORSAL = View("dorsal", liver(40.0), (Spot(1, flux(20.0), ratio(2.0)),))
VENTRAL = View("ventral", liver(90.0), (Spot(1, flux(50.0), ratio(5.0)), Spot(2, flux(80.0), ratio(8.0))))
FIRST = Session("d07", 7.0, (DORSAL, VENTRAL))
SECOND = Session("d14", 14.0, (View("dorsal", liver(20.0), ()), View("ventral", liver(-3.0), ())))


def test_one_view_counts_on_all_days():
    one = Followed(1, "lesion", (sighting("d07", 7.0, (("dorsal", 1), ("ventral", 1))), sighting("d14", 14.0, ())))
    food = Followed(2, "gut and food", (sighting("d07", 7.0, (("ventral", 2),)), sighting("d14", 14.0, ())))
    rows = activities((SECOND, FIRST), (food, one))
    assert [(row.organ, row.day, row.flux.value) for row in rows] == [
        ("liver", 7.0, 90.0),
        ("lesion 1", 7.0, 50.0),
        # of the view that saw more on both days together
        ("liver", 14.0, -3.0),
        # the most that it may have had
        ("lesion 1", 14.0, 7.0),
    ]
    assert rows[1].ratio_to_background == ratio(5.0)
    assert all(math.isnan(row.ratio_to_background.value) for row in (rows[0], rows[2], rows[3]))


def test_a_day_that_another_view_alone_shows_has_no_flux():
    late = Session("d21", 21.0, (View("dorsal", (), (Spot(4, flux(9.0), ratio(1.5)),)), View("ventral", (), ())))
    one = Followed(1, "lesion", (sighting("d07", 7.0, (("ventral", 1),)), sighting("d21", 21.0, (("dorsal", 4),))))
    first, last = (row for row in activities((FIRST, late), (one,)) if row.organ == "lesion 1")
    assert first.flux.value == 50.0
    assert math.isnan(last.flux.value) and math.isnan(last.ratio_to_background.value)
    assert last.flux.method == last.ratio_to_background.method == "seen in the other view alone"


def test_nothing_in_nothing_out():
    assert activities((), ()) == ()
    assert washout_half_life(()) == {}


def test_washout():
    sessions = [Session(f"d{d}", float(d), (View("dorsal", liver(1e6 * 0.5 ** (d / 5)), ()),)) for d in (1, 6, 11)]
    rows = activities(sessions)
    found = washout_half_life(rows, injection_days=(0.0,))
    assert list(found) == ["liver"]
    assert "after the dose of day 0" in found["liver"].method
    # where each session has a dose of its own the same fall is none of a dose
    own = washout_half_life(rows)["liver"]
    assert math.isnan(own.value) and math.isnan(own.low) and own.method == "each session has a dose of its own"
    # uncertainties of a millionth: the floor of 3 % decides the interval, not the value
    assert found["liver"].value == pytest.approx(5.0)


def test_washout_is_that_of_the_dose_with_most_sessions():
    # a dose on day 2 is seen once, that on day 10 halves every 2 days, that on day 30 once again
    days = {3.0: 8.0, 11.0: 64.0, 13.0: 32.0, 15.0: 16.0, 31.0: 64.0}
    sessions = [Session(f"d{d}", d, (View("dorsal", liver(v, 1e-6), ()),)) for d, v in days.items()]
    found = washout_half_life(activities(sessions), injection_days=(30.0, 10.0, 2.0))["liver"]
    assert found.value == pytest.approx(2.0)
    assert "3 sessions, after the dose of day 10" in found.method
    # what was imaged before the first dose is of none
    assert "has 0" in washout_half_life(activities(sessions), injection_days=(40.0,))["liver"].method


def test_limits_and_what_is_not_above_nothing_are_no_points():
    one = Followed(1, "lesion", tuple(sighting(f"d{d}", float(d), ()) for d in (1, 6, 11)))
    sessions = [Session(f"d{d}", float(d), (View("dorsal", liver(-5.0), ()),)) for d in (1, 6, 11)]
    found = washout_half_life(activities(sessions, (one,)), injection_days=(0.0,))
    assert {name: math.isnan(value.value) for name, value in found.items()} == {"lesion 1": True, "liver": True}
    assert all("has 0" in value.method for value in found.values())
