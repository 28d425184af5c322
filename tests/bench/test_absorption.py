"""First exciton beside what a window hardly tells: a foot of further transitions, and scattered light."""

import math

import numpy as np
import pytest

from lampyris.bench.absorption import (
    _normal_within,
    infer_exciton,
    infer_scattering,
    predict_scattering,
    tauc_gap,
    variance_absorbance,
)
from lampyris.core.constants import EV_NM, FWHM_PER_SD
from lampyris.virtual.instruments.spectra import SpectrumTruth, predict_dots


def spectrum(truth, rng):
    """Wavelengths, and absorbances with the noise of their photons."""
    centre = EV_NM / truth.exciton_nm
    wavelength = np.arange(EV_NM / (centre + 0.8), EV_NM / (centre - 0.42))
    expected = predict_dots(wavelength, truth) + predict_scattering(wavelength, truth.scattering, truth.exponent)
    noise = np.sqrt(variance_absorbance(expected, at_zero=truth.absorbance_sd**2))
    return wavelength, expected + rng.normal(0.0, noise)


@pytest.mark.parametrize("sd", [0.5, 2.0])
def test_a_normal_cut_at_zero_has_the_moments_that_are_known(sd):
    # half of a normal: mean (2 / pi)^1/2 and variance 1 - 2 / pi of its own
    mean, variance = _normal_within(0.0, sd, math.inf)
    assert mean == pytest.approx(sd * math.sqrt(2.0 / math.pi), rel=1e-3)
    assert variance == pytest.approx(sd**2 * (1.0 - 2.0 / math.pi), rel=1e-3)
    # far below what is allowed an exponential is left, to a few over the square of the distance
    mean, variance = _normal_within(-30.0 * sd, sd, math.inf)
    assert mean == pytest.approx(sd / 30.0, rel=0.01)
    assert variance == pytest.approx(mean**2, rel=0.01)
    # between narrow bounds all is as likely
    mean, variance = _normal_within(0.1 * sd, 30.0 * sd, sd)
    assert mean == pytest.approx(0.5 * sd, rel=0.01)
    assert variance == pytest.approx(sd**2 / 12.0, rel=0.02)


@pytest.mark.parametrize("scattering", [0.0, 0.03])
def test_errors_of_the_exciton_are_as_large_as_is_said(scattering):
    truth = SpectrumTruth(
        exciton_nm=600.0, fwhm_mev=130.0, absorbance=0.2, absorbance_sd=1e-3, scattering=scattering, exponent=3.4
    )
    edge = EV_NM / (EV_NM / 600.0 - 0.25)
    found = []
    for number in range(8):
        wavelength, absorbance = spectrum(truth, np.random.default_rng(number))
        scattered = infer_scattering(wavelength, absorbance, edge) if scattering else ()
        found.append(infer_exciton(wavelength, absorbance, scattered=scattered).first_exciton_nm)
    sd = np.array([one.sd for one in found])
    off = (np.array([one.value for one in found]) - 600.0) / sd
    # 1 of honest errors over all spectra, of one kind and in 8 cases within a factor of three below and of 1.6 above
    assert 0.33 < math.sqrt(np.mean(off**2)) < 1.6
    # the covariance of a foot that is fitted like any other number says 1.1 nm and more
    assert np.median(sd) < 0.9


def two_transitions(wavelength, second):
    """Absorbance of an exciton 0.2 high at 600 nm, 100 meV wide, and another transition 0.3 eV above it."""
    x, centre = EV_NM / wavelength, EV_NM / 600.0
    first = 0.2 * np.exp(-0.5 * ((x - centre) / (0.1 / FWHM_PER_SD)) ** 2)
    return first + second * np.exp(-0.5 * ((x - centre - 0.3) / 0.13) ** 2)


@pytest.mark.parametrize("second", [0.0, 0.5])
def test_no_number_of_a_clear_exciton_has_an_error_out_of_all_proportion(second):
    # a next transition that the foot takes over leaves parameters that nothing tells
    wavelength = np.arange(400.0, 851.0)
    clean = two_transitions(wavelength, second)
    there = float(np.interp(600.0, wavelength, clean))
    for number in range(3):
        noisy = clean + np.random.default_rng(number).normal(0.0, 1e-3, wavelength.size)
        found = infer_exciton(wavelength, noisy)
        assert found.absorbance.value == pytest.approx(there, abs=5.0 * found.absorbance.sd)
        assert 0.0 < found.absorbance.sd < 0.02 * there
        assert found.fwhm_mev.sd < 5.0 and found.first_exciton_nm.sd < 1.0 and found.tauc_gap_ev.sd < 0.01


def test_a_clean_exciton_is_found_to_rounding():
    wavelength = np.arange(400.0, 851.0)
    found = infer_exciton(wavelength, two_transitions(wavelength, 0.0))
    assert found.first_exciton_nm.value == pytest.approx(600.0, rel=1e-9)
    assert found.absorbance.value == pytest.approx(0.2, rel=1e-6) and found.absorbance.low >= 0.0


def test_taucs_line_is_that_of_the_whole_edge():
    centre, sd = 2.066, 0.1 / FWHM_PER_SD
    energy = np.linspace(centre - 5.0 * sd, centre, 40_001)
    square = (0.2 * np.exp(-0.5 * ((energy - centre) / sd) ** 2) * energy) ** 2
    edge = (square > 0.2 * square[-1]) & (square < 0.8 * square[-1])
    slope, level = np.polyfit(energy[edge] - centre, square[edge], 1)
    # a tenth of the error of a good spectrum; ends that weigh double move it by that error
    found = tauc_gap(np.array([0.2, centre, sd, 0.0, 0.3, 0.1, 0.0]))
    assert found == pytest.approx(centre - level / slope, abs=1e-5)


def test_powers_of_scattering_span_what_the_red_end_leaves_open():
    rng = np.random.default_rng(1)
    for scattering, widest in ((0.03, 2.0), (0.3, 0.5)):
        truth = SpectrumTruth(exciton_nm=500.0, absorbance_sd=1e-4, scattering=scattering, exponent=3.4)
        wavelength, absorbance = spectrum(truth, rng)
        found = infer_scattering(wavelength, absorbance, 560.0)
        exponents = sorted(one.exponent for one in found)
        assert len(exponents) == 5
        assert exponents[0] < 3.4 < exponents[-1]
        assert exponents[-1] - exponents[0] <= widest


def test_scattering_that_is_fitted_beside_the_exciton_is_what_was_there():
    truth = SpectrumTruth(exciton_nm=600.0, fwhm_mev=90.0, absorbance_sd=2e-4, scattering=0.1, exponent=3.4)
    wavelength, absorbance = spectrum(truth, np.random.default_rng(3))
    edge = EV_NM / (EV_NM / 600.0 - max(0.25, 4.5 * 0.09 / FWHM_PER_SD))
    found = infer_exciton(wavelength, absorbance, scattered=infer_scattering(wavelength, absorbance, edge))
    # how much is scattered goes with its exponent and the level; what bends between exciton and red end does not
    at = np.array([600.0, 700.0])
    taken = np.diff(found.scattering.below(at))[0]
    assert taken == pytest.approx(np.diff(predict_scattering(at, 0.1, 3.4))[0], rel=0.1)
    assert infer_exciton(wavelength, absorbance).scattering is None
