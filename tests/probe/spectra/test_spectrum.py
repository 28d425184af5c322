"""Spectra of a batch: closed forms, conservation, and the pinned line width."""

import numpy as np
import pytest

from lampyris.core.constants import EV_NM, FWHM_PER_SD
from lampyris.core.errors import InputError
from lampyris.core.estimate import Estimate
from lampyris.probe.spectra import (
    Continuum,
    Ensemble,
    LineShape,
    SizeSpread,
    absorption_spectrum,
    emission_peak_nm,
    emission_spectrum,
    exactly,
    line_shape,
    line_width,
    measured_line,
    per_ev_from_per_nm,
    width_nm,
)

WAVELENGTHS = np.arange(500.0, 1000.0, 0.25)


def shape(width=20.0, huang_rhys=0.0, stokes=0.0, phonon=25.0):
    """A line whose width is the same at all temperatures."""
    zero = exactly(0.0, "meV")
    return LineShape(
        exactly(width, "meV"),
        exactly(0.0, "meV/K"),
        zero,
        exactly(phonon, "meV"),
        exactly(huang_rhys, "1"),
        exactly(stokes, "meV"),
    )


def straight(diameter):
    return 1.6 - 0.05 * (diameter - 6.0)


def yu_cdte_energy(diameter):
    # Yu 2003: D = 9.8127e-7 L^3 - 1.7147e-3 L^2 + 1.0064 L - 194.84, inverted where it rises
    roots = np.roots([9.8127e-7, -1.7147e-3, 1.0064, -194.84 - diameter])
    return EV_NM / float(roots[np.abs(roots.imag) < 1e-9].real[0])


def test_pinned_line_width_of_cdte():
    # the study's spread of 0.9 nm on 6.8 nm: 89 meV, which is 47 nm at the study's 810 nm
    found = line_width(yu_cdte_energy, Ensemble(SizeSpread(6.8, 0.9)), line=line_shape("CdTe"), at_nm=810.0)
    # half maxima of the curved sizing function against its slope at 6.8 nm (88.6 meV)
    assert 1000 * found.size_ev.value == pytest.approx(89.0, abs=3.0)
    assert found.size_nm.value == pytest.approx(47.0, abs=1.5)
    assert found.total_nm.value > found.size_nm.value
    assert found.total_nm.low < found.total_nm.value < found.total_nm.high


def test_one_size_shows_one_dots_line():
    found = emission_spectrum(straight, Ensemble(SizeSpread(6.0, 0.0)), WAVELENGTHS, line=shape(30.0, stokes=50.0))
    # lines are shared between grid points 1/20 of the width apart
    assert found.peak_ev == pytest.approx(1.55, abs=1e-5)
    assert found.fwhm_ev == pytest.approx(0.030, rel=2e-3)
    assert found.fwhm_nm == pytest.approx(width_nm(0.030, EV_NM / 1.55), rel=5e-3)


@pytest.mark.parametrize("homogeneous", [1.0, 20.0, 80.0])
def test_bells_add_in_squares(homogeneous):
    found = emission_spectrum(
        straight, Ensemble(SizeSpread(6.0, 0.5)), WAVELENGTHS, line=shape(homogeneous), size_power=0.0
    )
    expected = np.hypot(0.05 * 0.5 * FWHM_PER_SD, homogeneous / 1000.0)
    assert found.peak_ev == pytest.approx(1.6, abs=2e-5)
    assert found.fwhm_ev == pytest.approx(expected, rel=2e-3)
    quick = line_width(straight, Ensemble(SizeSpread(6.0, 0.5)), line=shape(homogeneous))
    assert quick.total_ev.value == pytest.approx(found.fwhm_ev, rel=2e-3)
    assert quick.total_nm.value == pytest.approx(found.fwhm_nm, rel=0.02)


def test_composition_and_defects_widen_too():
    ensemble = Ensemble(SizeSpread(6.0, 0.5), composition_sd=0.05, composition_slope_ev=0.6, defect_fwhm_ev=0.04)
    found = emission_spectrum(straight, ensemble, WAVELENGTHS, line=shape(), size_power=0.0)
    parts = [0.05 * 0.5 * FWHM_PER_SD, 0.020, 0.03 * FWHM_PER_SD, 0.04]
    assert found.fwhm_ev == pytest.approx(np.sqrt(np.sum(np.square(parts))), rel=2e-3)


def test_lorentzian_line_of_one_size():
    wide = np.arange(400.0, 3000.0, 0.5)
    found = emission_spectrum(straight, Ensemble(SizeSpread(6.0, 0.0)), wide, line=shape(30.0), profile="lorentzian")
    assert found.fwhm_ev == pytest.approx(0.030, rel=5e-3)


def test_photons_are_all_there_and_the_axes_agree():
    found = emission_spectrum(straight, Ensemble(SizeSpread(6.0, 0.5)), WAVELENGTHS, line=shape())
    assert np.trapezoid(found.values, WAVELENGTHS) == pytest.approx(1.0, rel=1e-4)
    on_energy = measured_line(EV_NM / WAVELENGTHS, per_ev_from_per_nm(found.values, WAVELENGTHS))
    # read back from points 0.25 nm apart
    assert on_energy.peak == pytest.approx(found.peak_ev, abs=2e-4)
    assert on_energy.fwhm == pytest.approx(found.fwhm_ev, rel=2e-3)
    assert found.peak_nm < EV_NM / found.peak_ev


def test_watts_peak_bluer_than_photons():
    ensemble = Ensemble(SizeSpread(6.0, 0.5))
    photons = emission_spectrum(straight, ensemble, WAVELENGTHS, line=shape())
    watts = emission_spectrum(straight, ensemble, WAVELENGTHS, line=shape(), in_power=True)
    assert watts.peak_nm < photons.peak_nm


def test_replicas_move_the_mean_by_the_coupling():
    ensemble = Ensemble(SizeSpread(6.0, 0.0))
    bare = emission_spectrum(straight, ensemble, WAVELENGTHS, line=shape(5.0), temperature_k=4.0)
    with_phonons = emission_spectrum(
        straight, ensemble, WAVELENGTHS, line=shape(5.0, huang_rhys=0.5), temperature_k=4.0
    )

    def mean_ev(light):
        return np.trapezoid(light.values * EV_NM / WAVELENGTHS, WAVELENGTHS)

    # the mean moves by S phonons; 0.25 nm between points
    assert mean_ev(bare) - mean_ev(with_phonons) == pytest.approx(0.5 * 0.025, rel=0.01)
    # the line without phonons stays the highest
    assert with_phonons.peak_ev == pytest.approx(1.6, abs=1e-4)


def test_absorption_peak_is_one_and_the_rise_is_added():
    rise = Continuum(0.3, 0.05, 0.8, 1.0)
    found = absorption_spectrum(straight, Ensemble(SizeSpread(6.0, 0.2)), WAVELENGTHS, line=shape(), continuum=rise)
    assert found.peak_ev == pytest.approx(1.6, abs=1e-4)
    assert np.interp(EV_NM / 1.6, WAVELENGTHS, found.values) == pytest.approx(1.0, abs=1e-3)
    far = 2.4
    # half an onset's width away from everything else the rise stands alone; the batch's spread moves it by its square
    assert np.interp(EV_NM / far, WAVELENGTHS, found.values) == pytest.approx(0.8 * np.exp(far - 1.6 - 0.3), rel=1e-3)
    assert found.values[WAVELENGTHS > 900].max() < 1e-6


def test_molar_extinction_sets_the_scale():
    ensemble = Ensemble(SizeSpread(6.0, 0.2))
    relative = absorption_spectrum(straight, ensemble, WAVELENGTHS, line=shape())
    molar = absorption_spectrum(straight, ensemble, WAVELENGTHS, line=shape(), molar_extinction_per_m_cm=3e5)
    assert molar.values == pytest.approx(3e5 * relative.values)
    assert molar.unit == "1/(M cm)"


def test_uncertain_spread_widens_the_width():
    ensemble = Ensemble(SizeSpread(6.0, 0.5))
    known = line_width(straight, ensemble, line=shape())
    doubted = line_width(straight, ensemble, line=shape(), size_sd_relative_sd=0.2)
    assert known.size_ev.sd == 0.0
    assert doubted.size_ev.sd == pytest.approx(0.2 * doubted.size_ev.value, rel=1e-9)


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"wavelengths": []}, "wavelengths_nm"),
        ({"wavelengths": [800.0, np.nan]}, "wavelengths_nm"),
        ({"wavelengths": [-1.0]}, "wavelengths_nm"),
        ({"temperature_k": -3.0}, "temperature_k"),
        ({"profile": "box"}, "profile"),
    ],
)
def test_what_cannot_be_is_refused(options, field):
    wavelengths = options.pop("wavelengths", WAVELENGTHS)
    with pytest.raises(InputError) as refused:
        emission_spectrum(straight, Ensemble(SizeSpread(6.0, 0.5)), wavelengths, **{"line": shape(), **options})
    assert refused.value.findings[0].place.column == field


def test_spectra_are_read_only():
    found = emission_spectrum(straight, Ensemble(SizeSpread(6.0, 0.5)), WAVELENGTHS, line=shape())
    with pytest.raises(ValueError, match="read-only"):
        found.values[0] = 1.0


def test_peak_of_one_dot_carries_energy_and_stokes_shift():
    energy = Estimate(1.6, 0.02, 1.56, 1.64, 0.95, "eV", "given")
    found = emission_peak_nm(energy, line_shape("CdTe"))
    assert found.value == pytest.approx(EV_NM / (1.6 - 0.075), rel=1e-12)
    assert found.sd == pytest.approx(found.value**2 / EV_NM * np.hypot(0.02, 0.015), rel=1e-3)
    with pytest.raises(InputError, match="first_exciton_ev"):
        emission_peak_nm(0.08, line_shape("CdTe"))
