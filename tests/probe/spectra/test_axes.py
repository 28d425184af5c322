"""Axes: the Jacobian, peak and width on either, and what is no line."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lampyris.core.constants import EV_NM
from lampyris.core.errors import InputError
from lampyris.probe.spectra import energy_ev, measured_line, per_ev_from_per_nm, per_nm_from_per_ev, width_nm


def test_product_of_energy_and_wavelength_is_the_tabulated_one():
    # CODATA: h c / e = 1239.841984... eV nm, exact in the SI of 2019
    assert pytest.approx(1239.8419843320, rel=1e-11) == EV_NM


@given(st.floats(200.0, 2000.0))
def test_energy_of_wavelength_is_its_own_inverse(wavelength):
    assert float(energy_ev(energy_ev(wavelength))) == pytest.approx(wavelength, rel=1e-14)


def test_photons_are_the_same_on_either_axis():
    energy = np.linspace(1.2, 2.0, 20001)
    density = np.exp(-0.5 * ((energy - 1.53) / 0.05) ** 2) + 0.2
    wavelength = energy_ev(energy)
    per_nm = per_nm_from_per_ev(density, energy)
    # trapezoids on 20001 points: error below 1e-8
    assert abs(np.trapezoid(per_nm, wavelength)) == pytest.approx(np.trapezoid(density, energy), rel=1e-7)
    assert per_ev_from_per_nm(per_nm, wavelength) == pytest.approx(density, rel=1e-13)


def test_a_density_that_is_flat_in_wavelength_rises_with_its_square_in_energy():
    assert per_ev_from_per_nm([1.0], [810.0])[0] == pytest.approx(810.0**2 / EV_NM, rel=1e-14)


def test_peak_moves_between_the_axes_by_the_rule_for_a_narrow_line():
    energy = np.linspace(1.2, 1.9, 200001)
    sd = 0.03
    per_nm = per_nm_from_per_ev(np.exp(-0.5 * ((energy - 1.53) / sd) ** 2), energy)
    peak = measured_line(energy_ev(energy), per_nm).peak
    # d/dE of ln(E^2 g) = 0: E = (E0 + sqrt(E0^2 + 8 sd^2)) / 2, exactly
    assert EV_NM / peak == pytest.approx((1.53 + np.sqrt(1.53**2 + 8 * sd**2)) / 2, rel=1e-9)
    assert peak < EV_NM / 1.53


def test_width_in_nm_of_the_pinned_line():
    # 89 meV at 810 nm is 47 nm
    assert width_nm(0.089, 810.0) == pytest.approx(47.1, abs=0.05)


@pytest.mark.parametrize("direction", [1, -1], ids=["rising axis", "falling axis"])
def test_line_of_a_bell(direction):
    x = np.linspace(700.0, 900.0, 801)[::direction]
    line = measured_line(x, 3.0 * np.exp(-0.5 * ((x - 810.1) / 20.0) ** 2))
    # 0.25 nm between points: parabola and straight pieces miss by their square
    assert (line.peak, line.fwhm, line.height) == pytest.approx((810.1, 47.0964, 3.0), abs=2e-3)


def test_width_is_nan_where_half_is_never_reached():
    x = np.linspace(800.0, 820.0, 21)
    assert np.isnan(measured_line(x, np.exp(-0.5 * ((x - 810.0) / 20.0) ** 2)).fwhm)


@pytest.mark.parametrize(
    ("axis", "values"),
    [
        ([], []),
        ([1.0, 2.0], [1.0, 2.0]),
        ([1.0, 2.0, 3.0], [1.0, np.nan, 1.0]),
        ([1.0, 1.0, 2.0], [1.0, 2.0, 1.0]),
        ([1.0, 2.0, 3.0], [0.0, 0.0, 0.0]),
        ([1.0, 2.0, 3.0], [1.0, 2.0]),
    ],
    ids=["empty", "two points", "NaN", "axis stands still", "all zero", "unequal lengths"],
)
def test_what_is_no_line_is_refused(axis, values):
    with pytest.raises(InputError, match="a line needs"):
        measured_line(axis, values)
