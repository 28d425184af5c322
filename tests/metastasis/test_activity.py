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


def test_the_view_that_sees_more_counts():
    one = Followed(1, "lesion", (sighting("d07", 7.0, (("dorsal", 1), ("ventral", 1))), sighting("d14", 14.0, ())))
    food = Followed(2, "gut and food", (sighting("d07", 7.0, (("ventral", 2),)), sighting("d14", 14.0, ())))
    rows = activities((SECOND, FIRST), (food, one))
    assert [(row.organ, row.day, row.flux.value) for row in rows] == [
        ("liver", 7.0, 90.0),
        ("lesion 1", 7.0, 50.0),
        ("liver", 14.0, 20.0),
        # the most that it may have had
        ("lesion 1", 14.0, 7.0),
    ]
    assert rows[1].ratio_to_background == ratio(5.0)
    assert all(math.isnan(row.ratio_to_background.value) for row in (rows[0], rows[2], rows[3]))


def test_nothing_in_nothing_out():
    assert activities((), ()) == ()
    assert washout_half_life(()) == {}


def test_washout():
    sessions = [Session(f"d{d}", float(d), (View("dorsal", liver(1e6 * 0.5 ** (d / 5)), ()),)) for d in (1, 6, 11)]
    found = washout_half_life(activities(sessions))
    assert list(found) == ["liver"]
    # uncertainties of a millionth: the floor of 3 % decides the interval, not the value
    assert found["liver"].value == pytest.approx(5.0)


def test_limits_and_what_is_not_above_nothing_are_no_points():
    one = Followed(1, "lesion", tuple(sighting(f"d{d}", float(d), ()) for d in (1, 6, 11)))
    sessions = [Session(f"d{d}", float(d), (View("dorsal", liver(-5.0), ()),)) for d in (1, 6, 11)]
    found = washout_half_life(activities(sessions, (one,)))
    assert {name: math.isnan(value.value) for name, value in found.items()} == {"lesion 1": True, "liver": True}
    assert all("has 0" in value.method for value in found.values())
