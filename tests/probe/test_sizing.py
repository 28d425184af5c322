"""Sizing curves: published points, the way back, ranges."""

import math

import numpy as np
import pytest

from lampyris.core.errors import InputError
from lampyris.probe.sizing import diameter_nm, first_exciton_nm, sized_materials, sizing_curves

CURVES = [curve for name in sized_materials() for curve in sizing_curves(name)]


@pytest.mark.parametrize("curve", CURVES, ids=lambda one: f"{one.material} {one.source[:4]}{one.form[:4]}")
def test_the_way_back_is_the_way_there(curve):
    sizes = np.linspace(curve.low_nm, curve.high_nm, 41)
    peaks = [curve.wavelength_nm(size) for size in sizes]
    assert np.all(np.diff(peaks) > 0)  # one size to a peak, over the whole range
    assert [curve.diameter_nm(peak) for peak in peaks] == pytest.approx(sizes, abs=1e-7)


@pytest.mark.parametrize(
    ("name", "size", "peak"),
    [
        # by hand from the printed formulas
        ("PbS", 4.0, 1239.841984 / (0.41 + 1 / (0.0252 * 16 + 0.283 * 4))),
        ("CdTe", 9.8127e-7 * 650**3 - 1.7147e-3 * 650**2 + 1.0064 * 650 - 194.84, 650.0),
        ("CdS", -6.6521e-8 * 400**3 + 1.9557e-4 * 400**2 - 9.2352e-2 * 400 + 13.29, 400.0),
        ("Si", 3.0, 1239.841984 / (1.12 + 3.73 / 3**1.39)),
    ],
)
def test_published_points(name, size, peak):
    assert first_exciton_nm(name, size).value == pytest.approx(peak, abs=1e-6)
    assert diameter_nm(name, peak).value == pytest.approx(size, abs=1e-6)


def test_curves_that_disagree_widen_the_estimate():
    one = diameter_nm("CdSe", 580.0)
    sizes = [curve.diameter_nm(580.0) for curve in sizing_curves("CdSe")]
    assert min(sizes) < one.value < max(sizes)
    assert one.sd > 0.04 * one.value
    assert "Yu 2003" in one.method and "Jasieniak 2009" in one.method
    small = diameter_nm("CdSe", sizing_curves("CdSe")[0].wavelength_nm(1.6))
    assert "Jasieniak" not in small.method  # outside that curve's range


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: diameter_nm("CdTe", 900.0), ("first_exciton_nm", "900 nm", "CdTe", "Yu 2003")),
        (lambda: first_exciton_nm("CdSe", 12.0), ("diameter_nm", "12 nm", "1.5 to 8 nm", "Jasieniak 2009")),
        (lambda: first_exciton_nm("CdSe", -1.0), ("diameter_nm", "-1 nm")),
        (lambda: diameter_nm("CdSe", math.nan), ("first_exciton_nm", "nan")),
        (lambda: diameter_nm("ZnO", 350.0), ("material", "'ZnO'", "CdSe, CdTe")),
        (lambda: sizing_curves("PbS")[0].diameter_nm(400.0), ("first_exciton_nm", "400 nm", "Moreels 2009")),
        (lambda: sizing_curves("PbS")[0].wavelength_nm(1.0), ("diameter_nm", "1 nm", "2.5 to 10 nm")),
    ],
)
def test_refusals_name_field_bounds_and_source(call, words):
    with pytest.raises(InputError) as caught:
        call()
    for word in words:
        assert word in str(caught.value)
