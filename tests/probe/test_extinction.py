"""Extinction: the published rules, their ranges, and concentrations."""

import math

import numpy as np
import pytest

from lampyris.core.errors import InputError
from lampyris.core.estimate import Estimate
from lampyris.core.sourced import MARKS
from lampyris.probe.extinction import (
    concentration_m,
    cross_section_cm2,
    excitation_extinction,
    extinction_sources,
    molar_extinction,
)

AVOGADRO = 6.02214076e23


def number(value, sd):
    return Estimate(value, sd, value - 2 * sd, value + 2 * sd, 0.95, "1", "given")


@pytest.mark.parametrize(
    ("material", "diameter", "options", "expected"),
    [
        ("CdTe", 4.0, {}, 10043 * 4.0**2.12),
        ("CdS", 4.0, {}, 21536 * 4.0**2.3),
        ("CdSe", 4.0, {}, 5857 * 4.0**2.65),
        ("CuInS2", 4.0, {}, 5208 * 4.0**2.45),
        ("PbS", 5.0, {"wavelength_nm": 400.0}, 0.0233e6 * 5.0**3),
        ("PbSe", 5.0, {"wavelength_nm": 400.0}, 0.0277e6 * 5.0**3),
        ("CdSe", 4.0, {"wavelength_nm": 350.0}, 5.501e5 * (2.0e-7) ** 3 * AVOGADRO / (1000 * math.log(10))),
        ("InAs", 4.0, {"wavelength_nm": 449.0}, 6.2e-16 * 2.0**3 * AVOGADRO / (1000 * math.log(10))),
        ("InAs", 4.0, {}, 3.15e-16 * 2.0**1.28 * AVOGADRO / (1000 * math.log(10))),
    ],
    ids=lambda one: str(one)[:12],
)
def test_rules_as_published(material, diameter, options, expected):
    assert molar_extinction(material, diameter, **options).value == pytest.approx(expected, rel=1e-12)


def test_two_rules_for_cdse_are_pooled_and_widened():
    yu = 5857 * 4.0**2.65
    jasieniak = (155507 + 6.67054e13 * math.exp(-2.09 / 0.10551)) * 0.06 / 0.05
    found = molar_extinction("CdSe", 4.0, first_exciton_ev=2.09, hwhm_ev=0.05)
    assert found.value == pytest.approx((yu + jasieniak) / 2, rel=1e-12)
    assert found.sd > abs(yu - jasieniak) / 2
    assert "2 sources" in found.method


@pytest.mark.parametrize(
    "one", extinction_sources(), ids=lambda one: f"{one.material}-{one.wavelength_nm:g}-{one.mark}"
)
def test_nothing_is_extrapolated(one):
    assert one.mark in MARKS
    options = {} if math.isnan(one.wavelength_nm) else {"wavelength_nm": one.wavelength_nm}
    own = [
        other
        for other in extinction_sources(one.material)
        if math.isnan(other.wavelength_nm) == math.isnan(one.wavelength_nm)
    ]
    low, high = min(other.low_nm for other in own), max(other.high_nm for other in own)
    for size in (low, (low + high) / 2, high):
        assert molar_extinction(one.material, size, **options).value > 0
    for size in (low * 0.99, high * 1.01, 0.0, -1.0, math.nan, math.inf):
        with pytest.raises(InputError, match=r"diameter_nm must be from .* \(range of"):
            molar_extinction(one.material, size, **options)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: molar_extinction("Unobtainium", 4.0), "Known are: CdS, CdSe, CdTe"),
        (lambda: molar_extinction("CdTe", 4.0, wavelength_nm=400.0), "Sources have it at the first exciton"),
        (lambda: molar_extinction("PbS", 5.0), "Sources have it at 400 nm"),
        (lambda: molar_extinction("CdSe", 4.0, hwhm_ev=0.0), "hwhm_ev must be"),
        (lambda: molar_extinction("CdSe", 4.0, first_exciton_ev=5.0), "first_exciton_ev must be"),
        (lambda: concentration_m(-0.1, 1.0, "CdTe", 4.0), "absorbance must be"),
        (lambda: concentration_m(math.nan, 1.0, "CdTe", 4.0), "absorbance must be"),
        (lambda: concentration_m(0.1, 0.0, "CdTe", 4.0), "path_cm must be above 0"),
    ],
)
def test_refusals_name_the_field_and_the_mend(call, words):
    with pytest.raises(InputError, match=words):
        call()


def test_case_of_a_material_does_not_matter():
    assert molar_extinction("cdte", 4.0).value == molar_extinction("CdTe", 4.0).value


def test_cross_section_is_the_rounded_rule_in_print():
    assert cross_section_cm2(1e6).value == pytest.approx(2303.0 * 1e6 / AVOGADRO, rel=2e-4)


def test_concentration_is_that_of_lambert_and_beer():
    extinction = molar_extinction("CdTe", 4.0)
    found = concentration_m(number(0.2, 0.01), number(1.0, 0.01), "CdTe", 4.0)
    assert found.value == pytest.approx(0.2 / extinction.value, rel=1e-12)
    relative = np.sqrt(0.05**2 + 0.01**2 + (extinction.sd / extinction.value) ** 2)
    # slopes at 1 % of the uncertainties: the bend of 1/x is left out
    assert found.sd / found.value == pytest.approx(relative, rel=1e-3)
    assert concentration_m(0.0, 1.0, "CdTe", 4.0).value == 0.0


def test_excitation_lies_between_what_sources_give():
    first, blue = (
        molar_extinction("CdSe", 4.0, first_exciton_ev=2.09),
        molar_extinction("CdSe", 4.0, wavelength_nm=350.0),
    )
    assert excitation_extinction("CdSe", 4.0, 350.0, 2.09).value == blue.value
    at_peak = excitation_extinction("CdSe", 4.0, 1239.84 / 2.09, 2.09)
    # the rise adds a little at the first exciton, whose peak was measured with it
    assert at_peak.value == pytest.approx(first.value, rel=0.05)
    near_blue = excitation_extinction("CdSe", 4.0, 355.0, 2.09)
    assert near_blue.value == pytest.approx(blue.value, rel=0.1)
    values = [excitation_extinction("CdSe", 4.0, nm, 2.09).value for nm in (360.0, 405.0, 450.0, 488.0)]
    assert values == sorted(values, reverse=True)


def test_excitation_far_from_a_source_is_said_to_be_unsure():
    near, far = (excitation_extinction("CdTe", 4.0, nm, 2.0) for nm in (610.0, 405.0))
    assert far.sd / far.value > near.sd / near.value
    assert excitation_extinction("CdTe", 4.0, 900.0, 2.0).value < 1e-6 * near.value


def test_lead_salts_come_down_from_the_blue():
    found = excitation_extinction("PbS", 5.0, 640.0, 1.1)
    assert 0 < found.value < molar_extinction("PbS", 5.0, wavelength_nm=400.0).value
