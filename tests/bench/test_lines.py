"""Lines in photon energy: shapes, the Jacobian, the fit and an independent one."""

import math

import numpy as np
import pytest

from lampyris.bench.lines import PROFILES, infer_emission, inner_filter, predict_line, predict_spectrum
from lampyris.core.constants import EV_NM, FWHM_PER_SD
from lampyris.probe.spectra.axes import measured_line

X = np.arange(700.0, 930.0, 1.0)


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("shape", [0.02, 0.5])
def test_full_width_is_what_it_is_called(profile, shape):
    energy = np.linspace(1.0, 2.1, 20001)
    line = measured_line(
        energy, predict_line(energy, profile, [1.53, 0.1, *([] if profile == "gaussian" else [shape])])
    )
    assert line.peak == pytest.approx(1.53, abs=1e-4)
    # half maxima between points of a grid of 0.05 meV
    assert line.fwhm == pytest.approx(0.1, rel=1e-3)


def test_the_jacobian_moves_the_peak():
    per_nm = predict_spectrum(X, "gaussian", 1, "none", [1.0, EV_NM / 810.0, 0.2])
    # a Gaussian of standard deviation s in energy: per nm the top lies at (E + sqrt(E^2 + 8 s^2)) / 2
    energy, sd = EV_NM / 810.0, 0.2 / FWHM_PER_SD
    assert measured_line(X, per_nm).peak == pytest.approx(
        EV_NM / ((energy + np.sqrt(energy**2 + 8 * sd**2)) / 2), abs=0.02
    )


@pytest.mark.parametrize("profile", PROFILES)
def test_the_fit_undoes_the_model(profile):
    truth = [900.0, 1.53, 0.1, *([] if profile == "gaussian" else [0.35]), 25.0]
    rng = np.random.default_rng(2)
    signal = predict_spectrum(X, profile, 1, "constant", truth) + rng.normal(0, 2.0, X.size)
    found = infer_emission(X, signal, None, profiles=(profile,))
    # one draw: four standard errors, which are themselves small
    errors = found.fit.sds[:3]
    assert (np.abs(found.fit.values[:3] - truth[:3]) < 4.0 * errors).all()
    assert (errors < 0.01 * np.array(truth[:3])).all()
    clean = predict_spectrum(X, profile, 1, "none", truth[:-1])
    assert found.peak_nm.low < measured_line(X, clean).peak < found.peak_nm.high
    assert found.fwhm_nm.low < measured_line(X, clean).fwhm < found.fwhm_nm.high


def test_two_lines_are_told_from_one():
    rng = np.random.default_rng(2)
    two = [900.0, 1.53, 0.08, 300.0, 1.38, 0.12, 10.0]
    signal = predict_spectrum(X, "gaussian", 2, "constant", two) + rng.normal(0, 5.0, X.size)
    found = infer_emission(X, signal, None, lines=(1, 2))
    assert found.lines == 2
    for one, energy in zip(found.peaks_nm, (1.53, 1.38), strict=True):
        assert abs(one.value - EV_NM / energy) < 4.0 * one.sd < 0.02 * one.value
    one = predict_spectrum(X, "gaussian", 1, "constant", [900.0, 1.53, 0.08, 10.0]) + rng.normal(0, 5.0, X.size)
    assert infer_emission(X, one, None, lines=(1, 2)).lines == 1


def test_an_independent_fit_agrees():
    lmfit = pytest.importorskip("lmfit")
    rng = np.random.default_rng(5)
    signal = predict_spectrum(X, "gaussian", 1, "constant", [900.0, 1.53, 0.1, 25.0]) + rng.normal(0, 9.0, X.size)
    ours = infer_emission(X, signal, None, profiles=("gaussian",)).fit

    def gaussian(x, height, energy, width, level):
        e = EV_NM / x
        return height * (e / energy) ** 2 * np.exp(-4 * np.log(2) * ((e - energy) / width) ** 2) + level

    theirs = lmfit.Model(gaussian).fit(signal, x=X, height=800, energy=1.5, width=0.12, level=0)
    np.testing.assert_allclose(ours.values, [one.value for one in theirs.params.values()], rtol=1e-4)
    # both scale by the residual variance
    np.testing.assert_allclose(ours.sds, [one.stderr for one in theirs.params.values()], rtol=1e-2)


def test_inner_filter():
    factor = inner_filter([500.0, 900.0], [400.0, 600.0], [0.2, 0.1], 400.0)
    np.testing.assert_allclose(factor, [10 ** ((0.2 + 0.15) / 2), 10**0.1])
    with pytest.raises(ValueError, match="not to the excitation at 350"):
        inner_filter([500.0], [400.0, 600.0], [0.2, 0.1], 350.0)
    with pytest.raises(ValueError, match=r"above 0\.7"):
        inner_filter([500.0], [400.0, 600.0], [0.9, 0.1], 400.0)


@pytest.mark.filterwarnings("ignore::hyperspy.exceptions.VisibleDeprecationWarning")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_an_independent_jacobian_agrees():
    pytest.importorskip("lumispy")
    from lumispy.utils.axes import nm2eV

    from lampyris.probe.spectra.axes import energy_ev, per_ev_from_per_nm

    wavelength = np.linspace(400.0, 1000.0, 601)
    theirs = nm2eV(wavelength)
    # they take wavelengths as those in air, ours are those in vacuum: 1.0003
    np.testing.assert_allclose(energy_ev(wavelength), theirs, rtol=3.2e-4)
    area = -np.trapezoid(per_ev_from_per_nm(np.ones(601), wavelength), theirs)
    assert area == pytest.approx(600.0, rel=4e-4)


def test_slits_widen_a_line_and_the_fit_takes_that_off_again():
    rng = np.random.default_rng(2)
    truth = [9000.0, 1.53, 0.02, 25.0]
    fine = np.arange(690.0, 940.0, 0.01)
    triangle = np.maximum(1.0 - np.abs(np.arange(-400, 401)) * 0.01 / 4.0, 0.0)
    clean = predict_spectrum(fine, "gaussian", 1, "constant", truth)
    seen = np.interp(X, fine, np.convolve(clean, triangle / triangle.sum(), mode="same"))
    # three places have the triangle's moments up to the fifth: of a line of 10 nm a slit of 4 nm leaves less than a thousandth
    through = predict_spectrum(X, "gaussian", 1, "constant", truth, bandpass_nm=4.0)
    np.testing.assert_allclose(through, seen, atol=1e-3 * 9000.0)
    signal = seen + rng.normal(0.0, 20.0, X.size)
    width = measured_line(fine, clean - truth[-1]).fwhm
    found = infer_emission(X, signal, None, profiles=("gaussian",), bandpass_nm=4.0).fwhm_nm
    assert found.low < width < found.high
    assert infer_emission(X, signal, None, profiles=("gaussian",)).fwhm_nm.low > width


def test_a_skew_of_none_has_a_slope():
    # where the line had none, a fit that ended there was told a skew, and so a top, of no end
    energy = np.array([1.48, 1.53, 1.58])
    skewed, even = (predict_line(energy, "asymmetric", (1.53, 0.1, b)) for b in (1e-6, 0.0))
    np.testing.assert_allclose((skewed - even) / 1e-6, [-0.5 * math.log(2), 0.0, 0.5 * math.log(2)], atol=1e-5)
