"""Ions over time: the shrinking core, layers in turn, coats that come off."""

import math

import numpy as np
import pytest

from lampyris.core.errors import InputError
from lampyris.probe.hazard import Conditions, bare_release, dissolution_law, released, shrinking_share
from lampyris.probe.structure import Layer, Structure

CORE = Structure((Layer("CdTe", 3.0),))


def test_shrinking_core_in_closed_form():
    hours = np.linspace(0, 40, 9)
    found = bare_release(hours, CORE, (0.1,))
    expected = shrinking_share(hours, radius_nm=3.0, speed_nm_per_h=0.1)
    assert found["Cd"] == pytest.approx(expected, abs=1e-14) and found["Te"] == pytest.approx(expected, abs=1e-14)
    assert expected[-1] == 1.0
    # Hixson and Crowell: the cube root of what is left falls along a line
    assert np.diff((1 - expected[:7]) ** (1 / 3)) == pytest.approx(np.full(6, -0.1 * 5 / 3.0))


def test_time_grows_with_size():
    small = shrinking_share(np.array([10.0]), radius_nm=2.0, speed_nm_per_h=0.05)
    assert shrinking_share(np.array([20.0]), radius_nm=4.0, speed_nm_per_h=0.05) == pytest.approx(small)


def test_shell_goes_before_the_core():
    dot = Structure((Layer("CdTe", 2.0), Layer("ZnS", 1.0)))
    found = bare_release(np.array([5.0, 10.0, 12.0, 30.0]), dot, (0.1, 0.1))
    assert found["Cd"][:2] == pytest.approx([0.0, 0.0]) and found["Zn"][1] == pytest.approx(1.0)
    assert found["Cd"][2] == pytest.approx(1 - 0.9**3) and found["Cd"][3] == pytest.approx(1.0)


def test_coat_that_comes_off_fast_is_no_coat_and_one_that_stays_keeps_all():
    hours = np.array([0.0, 24.0, 96.0])
    options = {"draws": 2, "rng": np.random.default_rng(1)}
    bare = released(CORE, hours, conditions=Conditions(coat_half_life_d=0.0), **options)
    fast = released(CORE, hours, conditions=Conditions(coat_half_life_d=1e-4), **options)
    kept = released(CORE, hours, conditions=Conditions(coat_half_life_d=1e5), **options)
    assert fast.share["Cd"] == pytest.approx(bare.share["Cd"], rel=1e-3)
    assert kept.share["Cd"].max() < 1e-4


def test_short_times_behind_a_coat_go_as_the_square():
    # coats off at a rate k, then 3 v t / r: together 3 k v t^2 / 2 r while both are small
    half_life_d, speed = 500.0, 1e-3
    hours = np.array([0.0, 40.0, 80.0])
    found = released(
        CORE,
        hours,
        conditions=Conditions(coat_half_life_d=half_life_d, speed_nm_per_h=speed),
        draws=2,
        rng=np.random.default_rng(1),
    )
    rate = math.log(2) / (24 * half_life_d)
    # 400 classes of dots leave a step of 1/400 in who is bare; 3 % of the curvature is left out
    assert found.share["Cd"][2] == pytest.approx(3 * rate * speed * 80.0**2 / (2 * 3.0), rel=0.1)


def test_interval_holds_the_middle_and_rises():
    found = released(CORE, np.array([0.0, 24.0, 168.0]), rng=np.random.default_rng(3), draws=50)
    for symbol, share in found.share.items():
        assert (found.low[symbol] <= share).all() and (share <= found.high[symbol]).all()
        assert (np.diff(share) >= 0).all() and share[0] == 0


def test_warmth_and_acid_speed_it_up():
    law = dissolution_law("CdTe")
    assert law.at(310.15, 7.4) == pytest.approx(law.speed_nm_per_h.value)
    # Arrhenius with 50 kJ/mol, from 37 to 25 C
    ratio = math.exp(-50e3 / 8.314462618 * (1 / 298.15 - 1 / 310.15))
    assert law.at(298.15, 7.4) / law.at(310.15, 7.4) == pytest.approx(ratio)
    assert law.at(310.15, 4.8) / law.at(310.15, 7.4) == pytest.approx(10 ** (0.3 * 2.6))


@pytest.mark.parametrize(
    "wrong", [{"temperature_k": 37.0}, {"ph": 0.5}, {"coat_half_life_d": -1.0}, {"speed_nm_per_h": -1.0}]
)
def test_numbers_outside_are_refused(wrong):
    with pytest.raises(InputError):
        released(CORE, np.array([0.0, 1.0]), conditions=Conditions(**wrong), rng=np.random.default_rng(1))


def test_negative_times_are_refused():
    with pytest.raises(InputError):
        released(CORE, np.array([-1.0, 1.0]), rng=np.random.default_rng(1))
