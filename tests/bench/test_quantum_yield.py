"""Quantum yield: the forward model and its inverse, limits, and the shares that bend it."""

import numpy as np
import pytest

from lampyris.bench.photons import PhotonSum, band_photons, noise_line, photon_weight
from lampyris.bench.quantum_yield import (
    Dilutions,
    SpherePhotons,
    infer_relative,
    infer_sphere,
    pooled_yield,
    predict_emission,
    predict_sphere,
    reabsorbed_share,
)
from lampyris.core.estimate import Estimate
from lampyris.core.instruments import Spectrum


def sums(*values, sd=0.0):
    return SpherePhotons(*(PhotonSum(value, sd, 9) for value in values))


@pytest.mark.parametrize("quantum_yield", [0.01, 0.426, 1.0])
@pytest.mark.parametrize("absorptance", [0.05, 0.6, 0.999])
@pytest.mark.parametrize("wall", [0.0, 0.2])
def test_the_inverse_undoes_the_forward_model(quantum_yield, absorptance, wall):
    parts = predict_sphere(quantum_yield, absorptance, 1e6, wall_share=wall, indirect_share=0.03)
    found = infer_sphere(sums(1e6, *parts))
    # both are closed forms: rounding only
    assert found.quantum_yield.value == pytest.approx(quantum_yield, rel=1e-9)
    assert found.absorptance.value == pytest.approx(absorptance, rel=1e-9)


def test_self_absorption_raises_the_yield_by_its_formula():
    parts = predict_sphere(0.3, 0.5, 1e6)
    found = infer_sphere(sums(1e6, *parts), reabsorbed=(0.2, 0.0))
    assert found.observed_yield.value == pytest.approx(0.3)
    assert found.quantum_yield.value == pytest.approx(0.3 / (1 - 0.2 + 0.2 * 0.3))


def test_nothing_absorbed_gives_no_number():
    found = infer_sphere(sums(1e6, 1e6, 1e6, 0.0, 0.0))
    assert np.isnan(found.quantum_yield.value)


def test_photons_not_energy():
    x = np.array([400.0, 800.0])
    np.testing.assert_allclose(photon_weight(x), [0.4, 0.8])
    np.testing.assert_array_equal(photon_weight(x, signal_is="photons"), [1, 1])
    short = Spectrum(np.array([500.0, 900.0]), np.ones(2), "wavelength", "unknown")
    with pytest.raises(ValueError, match="reaches from 500 to 900"):
        photon_weight(x, short)


def test_noise_is_read_from_the_points():
    rng = np.random.default_rng(4)
    x = np.arange(0.0, 3000.0)
    smooth = 2000.0 * np.exp(-(((x - 1500) / 500) ** 2))
    spectrum = Spectrum(x + 200, rng.poisson(smooth) + rng.normal(0, 5, x.size), "wavelength", "counts")
    a, b = noise_line((spectrum,))
    # 3000 points tell each coefficient to about a tenth
    assert a == pytest.approx(25.0, rel=0.35)
    assert b == pytest.approx(1.0, rel=0.2)
    total = band_photons(spectrum, (200.0, 3200.0), np.ones(x.size), noise=(a, b))
    assert total.sd == pytest.approx(np.sqrt(smooth.sum() + 25 * x.size), rel=0.1)


def dilutions(absorbance, slope, sd=0.0):
    photons = predict_emission(absorbance, slope)
    return Dilutions(np.array(absorbance), photons, np.full(photons.shape, sd))


def test_relative_yield_is_the_ratio_of_slopes():
    found = infer_relative(
        dilutions([0.02, 0.05, 0.08], 3e6, 1.0),
        dilutions([0.03, 0.06], 1e6, 1.0),
        standard_yield=(0.132, 0.0),
        refractive_indices=(1.333, 1.361),
        absorbance_sd=1e-6,
    )
    assert found.quantum_yield.value == pytest.approx(0.132 * 3 * (1.333 / 1.361) ** 2, rel=1e-6)
    assert not found.bent


def test_an_inner_filter_bends_the_line():
    absorbance = np.array([0.02, 0.05, 0.1, 0.2, 0.3])
    photons = predict_emission(absorbance, 1e6) * 10 ** (-absorbance)
    found = infer_relative(
        Dilutions(absorbance, photons, 0.002 * photons),
        dilutions([0.03, 0.06], 1e6, 10.0),
        standard_yield=(0.9, 0.01),
        refractive_indices=(1.0, 1.0),
        absorbance_sd=1e-4,
    )
    assert found.bent


def test_uncertainty_of_the_standard_is_carried():
    found = infer_relative(
        dilutions([0.05], 1e6),
        dilutions([0.05], 1e6),
        standard_yield=(0.5, 0.05),
        refractive_indices=(1.0, 1.0),
        absorbance_sd=1e-9,
    )
    assert found.quantum_yield.sd == pytest.approx(0.05, rel=1e-3)


def test_reabsorbed_share_from_the_blue_side():
    x = np.arange(500.0, 700.0)
    dilute = np.exp(-(((x - 600) / 30) ** 2))
    seen = 5.0 * dilute * np.where(x < 600, 0.5, 1.0)
    share, sd = reabsorbed_share(x, seen, dilute, tail_nm=605.0)
    assert share == pytest.approx(0.25, abs=0.01)
    assert sd == pytest.approx(0.0, abs=1e-12)
    with pytest.raises(ValueError, match="beyond 698"):
        reabsorbed_share(x, seen, dilute, tail_nm=698.0)


def test_repeats_share_one_correction():
    repeats = [Estimate(v, 0.01, v - 0.02, v + 0.02, 0.95, "1", "a") for v in (0.40, 0.42, 0.44)]
    found = pooled_yield(repeats, shared_relative_sd=0.03)
    assert found.value == pytest.approx(0.42)
    assert found.sd == pytest.approx(np.hypot(0.02 / np.sqrt(3), 0.03 * 0.42))
    with pytest.raises(ValueError, match="two repeats"):
        pooled_yield(repeats[:1], shared_relative_sd=0.03)
