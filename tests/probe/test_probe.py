"""The probe: cross-section, photon flux, shares of the emission."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad

from lampyris.core.settings import Band, ProbeSettings
from lampyris.probe.probe import (
    Probe,
    band_fractions,
    cross_section_mm2,
    photon_irradiance_per_mm2,
    probe_from_settings,
)

# exact SI values, written here once more on purpose
AVOGADRO, PLANCK, LIGHT = 6.02214076e23, 6.62607015e-34, 299792458.0


def probe(emission_nm=810.0, fwhm_nm=75.0):
    return Probe("dot", emission_nm, fwhm_nm, 1e-13, 0.4, 1e5, 0.2)


def band(centre, width):
    return Band(channel=f"{centre}", centre_nm=centre, width_nm=width, autofluorescence=1.0)


@pytest.mark.parametrize("epsilon", [1.0, 1e5, 2.5e6])
def test_cross_section_obeys_lambert_and_beer(epsilon):
    # a decadic absorbance of one over 1 cm at c mol/l: N sigma l = ln 10
    concentration = 1.0 / epsilon
    per_mm3 = concentration * AVOGADRO / 1e6
    assert per_mm3 * cross_section_mm2(epsilon) * 10.0 == pytest.approx(np.log(10.0), rel=1e-12)


def test_cross_section_as_printed():
    # sigma [cm2] = 2303 epsilon / N_A, the rounded constant in print: 2303 against 2302.585
    assert cross_section_mm2(1e5) / 100.0 == pytest.approx(2303.0 * 1e5 / AVOGADRO, rel=2e-4)


@pytest.mark.parametrize("wavelength_nm", [640.0, 745.0, 980.0])
def test_photon_irradiance_carries_the_power(wavelength_nm):
    photons = photon_irradiance_per_mm2(3.0, wavelength_nm)
    energy_j = PLANCK * LIGHT / (wavelength_nm * 1e-9)
    # 3 mW/cm2 are 3e-5 W/mm2
    assert photons * energy_j == pytest.approx(3e-5, rel=1e-12)


@pytest.mark.parametrize(
    ("emission_nm", "fwhm_nm", "centre", "width"),
    [(810, 75, 810, 20), (810, 75, 780, 20), (800, 55, 860, 40), (705, 30, 700, 80)],
    ids=["on the peak", "blue side", "red tail", "wider than the line"],
)
def test_band_fractions_equal_the_integral(emission_nm, fwhm_nm, centre, width):
    def spectrum(nm):
        # unit area, half the peak at half the full width
        return 2.0 ** -((2.0 * (nm - emission_nm) / fwhm_nm) ** 2) * 2.0 / fwhm_nm * np.sqrt(np.log(2.0) / np.pi)

    expected, _ = quad(spectrum, centre - width / 2, centre + width / 2, epsabs=1e-13)
    found = band_fractions(probe(emission_nm, fwhm_nm), (band(centre, width),))
    assert found == pytest.approx([expected], rel=1e-9)


@given(split=st.floats(700.0, 900.0))
def test_adjacent_bands_add_up(split):
    low, high = 650.0, 950.0
    parts = [(low, split), (split, high), (low, high)]
    bands = tuple(band((a + b) / 2, b - a) for a, b in parts)
    left, right, whole = band_fractions(probe(), bands)
    # rounding of band edges at 900 nm
    assert left + right == pytest.approx(whole, abs=1e-10)


def test_all_light_is_in_a_band_that_holds_it_all():
    assert band_fractions(probe(), (band(810, 600),)) == pytest.approx([1.0], abs=1e-12)
    assert band_fractions(probe(600.0, 10.0), (band(1000, 20),)) == pytest.approx([0.0], abs=1e-12)


def test_settings_become_a_probe():
    given_settings = ProbeSettings(
        emission_nm=810,
        fwhm_nm=75,
        molar_extinction_per_m_cm=2.5e5,
        quantum_yield=0.4,
        quantum_yield_sd=0.04,
        per_cell=1e5,
        per_cell_relative_sd=0.2,
    )
    dot = probe_from_settings("t", given_settings)
    # relative errors of a product add in squares
    assert dot.brightness_relative_sd == pytest.approx(np.sqrt(0.1**2 + 0.2**2))
    assert dot.photons_per_cell_fluence_mm2 == pytest.approx(cross_section_mm2(2.5e5) * 0.4 * 1e5)
    assert (dot.name, dot.emission_nm, dot.fwhm_nm) == ("t", 810, 75)


def test_a_cell_emits_what_it_absorbs_times_the_yield():
    # hand calculation: 1 mW/cm2 at 710 nm, 1e5 dots of 2.5e5 /M/cm, yield 0.4
    dot = probe_from_settings(
        "t",
        ProbeSettings(emission_nm=810, fwhm_nm=75, molar_extinction_per_m_cm=2.5e5, quantum_yield=0.4, per_cell=1e5),
    )
    photons = photon_irradiance_per_mm2(1.0, 710.0) * dot.photons_per_cell_fluence_mm2
    sigma_cm2 = 2302.585 * 2.5e5 / AVOGADRO
    photons_per_cm2 = 1e-3 * 710e-9 / (PLANCK * LIGHT)
    # six digits of ln 10 by hand
    assert photons == pytest.approx(photons_per_cm2 * sigma_cm2 * 0.4 * 1e5, rel=1e-6)
