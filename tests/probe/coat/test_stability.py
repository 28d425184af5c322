"""DLVO with a steric term: closed forms, limits and verdicts."""

import math

import numpy as np
import pytest
from scipy.integrate import quad

from lampyris.core.errors import InputError
from lampyris.probe.coat import Medium, coat_layers, colloidal_stability, debye_length_nm
from lampyris.probe.coat.stability import (
    brush_repulsion_kt,
    charge_of_zeta_e,
    charge_repulsion_kt,
    sphere_attraction_kt,
    water_permittivity,
)

KT = 1.380649e-23 * 298.15


def test_debye_length_in_closed_form():
    # 0.304 nm / sqrt(I) at 25 C, the textbook's rounded form
    for salt in (0.001, 0.01, 0.1, 0.15):
        assert debye_length_nm(salt) == pytest.approx(0.304 / math.sqrt(salt), rel=2e-3)
    assert debye_length_nm(0.0) == math.inf
    assert water_permittivity(298.15) == pytest.approx(78.30, abs=0.01)


def test_attraction_of_near_and_far_spheres():
    radius, hamaker = 3.4, 50.0
    near = sphere_attraction_kt(np.array([1e-4]), radius_nm=radius, hamaker_zj=hamaker, temperature_k=298.15)
    # A R / 12 h for a gap far below the radius; the next term is of order h/R ln(h/R)
    assert near[0] == pytest.approx(-hamaker * 1e-21 * radius / (12 * 1e-4) / KT, rel=2e-3)
    far = sphere_attraction_kt(np.array([1e3]), radius_nm=radius, hamaker_zj=hamaker, temperature_k=298.15)
    # 16 A R^6 / 9 r^6, London's law for points; the next term is of order (R/r)^2
    assert far[0] == pytest.approx(-16 / 9 * hamaker * 1e-21 * radius**6 / (1e3 + 6.8) ** 6 / KT, rel=1e-3)


def test_charge_decays_over_the_debye_length():
    gaps = np.array([5.0, 6.0])
    energy = charge_repulsion_kt(gaps, radius_nm=1e4, zeta_mv=-30, debye_nm=1.0, temperature_k=298.15)
    assert energy[0] / energy[1] == pytest.approx(math.e, rel=1e-3)
    assert (charge_repulsion_kt(gaps, radius_nm=5, zeta_mv=0, debye_nm=1.0, temperature_k=298.15) == 0).all()


def test_charge_of_a_lone_sphere_is_coulombs():
    # without salt, zeta = q / 4 pi eps r: 1.44 nm V per charge over the permittivity
    charge = charge_of_zeta_e(-30.0, radius_nm=5.0, debye_nm=math.inf)
    assert charge == pytest.approx(-0.030 * 5.0 * water_permittivity(298.15) / 1.4399645, rel=1e-6)


def test_brush_integral_is_that_of_the_pressure():
    radius, height, density = 20.0, 4.0, 0.3

    def pressure(gap):
        return density**1.5 * ((2 * height / gap) ** 2.25 - (gap / (2 * height)) ** 0.75)

    def plates(gap):
        return quad(pressure, gap, 2 * height)[0]

    for gap in (2.0, 5.0, 7.5):
        by_hand = math.pi * radius * quad(plates, gap, 2 * height)[0]
        found = brush_repulsion_kt(np.array([gap]), radius_nm=radius, height_nm=height, grafting_per_nm2=density)
        assert found[0] == pytest.approx(by_hand, rel=1e-8)
    beyond = brush_repulsion_kt(np.array([8.0, 20.0]), radius_nm=radius, height_nm=height, grafting_per_nm2=density)
    assert beyond == pytest.approx([0.0, 0.0], abs=1e-12)


def stable(kind, **options):
    layers = coat_layers(kind, radius_nm=3.4) if kind else ()
    return colloidal_stability(
        layers, inorganic_nm=6.8, material="CdTe", medium=Medium(**options), rng=np.random.default_rng(1)
    )


def test_bare_dots_cluster_and_polymer_keeps_them_apart():
    assert stable("").verdict == "unstable"
    coated = stable("PEG5000")
    assert coated.verdict == "stable" and coated.barrier.value > 50 and coated.well.high < 0.1


def test_salt_takes_the_barrier_of_a_charged_coat():
    fresh, salty = (stable("mercaptopropionic acid", ionic_strength_m=salt) for salt in (0.001, 1.0))
    assert fresh.barrier.value > salty.barrier.value and fresh.debye_nm > salty.debye_nm
    assert "small molecules stay on" in fresh.reason


def test_large_bare_charged_dots_fall_as_textbooks_say():
    # 30 nm, a charged thin coat: salt turns them from held apart to sticking
    layers = coat_layers("mercaptopropionic acid", radius_nm=15)
    held, falls = (
        colloidal_stability(layers, inorganic_nm=30.0, material="CdS", medium=medium, rng=np.random.default_rng(1))
        for medium in (Medium(0.001, zeta_mv=-45.0), Medium(3.0, zeta_mv=-5.0))
    )
    assert held.barrier.low > 15 and held.verdict == "stable"
    assert falls.verdict in ("unstable", "slow clustering")


def test_same_seed_same_interval_and_limits_are_said():
    assert stable("cysteine").well == stable("cysteine").well
    assert len(stable("cysteine").limits) >= 3


@pytest.mark.parametrize(
    "wrong", [{"ionic_strength_m": 150.0}, {"temperature_k": 25.0}, {"zeta_mv": -900.0}, {"hamaker_zj": 5e4}]
)
def test_wrong_units_are_refused(wrong):
    with pytest.raises(InputError):
        stable("cysteine", **wrong)
