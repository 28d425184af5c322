"""The refractive step: Haskell's integral against independent quadratures and printed figures."""

import numpy as np
import pytest
from scipy.integrate import quad

from lampyris.tissue.boundary import effective_reflection, mismatch_factor, specular_reflection


def reflectance(angle, index):
    """Fresnel reflectance inside the medium, by sines and cosines of the angle."""
    sine = index * np.sin(angle)
    if sine >= 1.0:
        return 1.0
    inside, outside = np.cos(angle), np.sqrt(1.0 - sine**2)
    return 0.5 * (
        ((index * inside - outside) / (index * inside + outside)) ** 2
        + ((index * outside - inside) / (index * outside + inside)) ** 2
    )


def combined(fluence, flux):
    return (fluence + flux) / (2.0 - fluence + flux)


def fluence_part(angle, index):
    return 2.0 * np.sin(angle) * np.cos(angle) * reflectance(angle, index)


def flux_part(angle, index):
    return 3.0 * np.sin(angle) * np.cos(angle) ** 2 * reflectance(angle, index)


@pytest.mark.parametrize("index", [1.05, 1.33, 1.37, 1.4, 1.5])
def test_reflection_agrees_with_adaptive_quadrature(index):
    critical = np.arcsin(1.0 / index)
    moments = [
        sum(
            quad(part, *limits, args=(index,), epsabs=1e-12, limit=200)[0]
            for limits in ((0.0, critical), (critical, np.pi / 2))
        )
        for part in (fluence_part, flux_part)
    ]
    # the reference integrates in the angle, with an error of about 1e-11 at the square root of the critical angle
    assert effective_reflection(index) == pytest.approx(combined(*moments), abs=1e-9)


@pytest.mark.parametrize(("index", "printed"), [(1.37, 0.46795), (1.40, 0.49345)])
def test_printed_figures_are_a_coarse_rule_of_the_same_integral(index, printed):
    angle = np.linspace(0.0, np.pi / 2, 1001)
    moments = [np.trapezoid([part(value, index) for value in angle], angle) for part in (fluence_part, flux_part)]
    # printed to five digits
    assert combined(*moments) == pytest.approx(printed, abs=0.6e-5)
    # the kink at the critical angle costs a trapezoid of 1000 steps up to one step's share of the integrand, 1e-4
    assert effective_reflection(index) == pytest.approx(printed, abs=1e-4)


def test_matched_indices_reflect_nothing():
    assert effective_reflection(1.0) == pytest.approx(0.0, abs=1e-15)
    assert mismatch_factor(1.0) == pytest.approx(1.0, abs=1e-15)
    assert specular_reflection(1.0) == 0.0


def test_reflection_grows_with_the_index():
    values = [effective_reflection(index) for index in np.linspace(1.0, 2.0, 21)]
    assert np.all(np.diff(values) > 0.0)
    assert values[-1] < 1.0


def test_mismatch_follows_from_the_reflection():
    reflection = effective_reflection(1.37)
    assert mismatch_factor(1.37) == (1.0 + reflection) / (1.0 - reflection)


@pytest.mark.parametrize("function", [effective_reflection, mismatch_factor, specular_reflection])
@pytest.mark.parametrize("index", [0.99, -1.0, np.nan, np.inf])
def test_impossible_index_is_refused(function, index):
    with pytest.raises(ValueError, match="refractive_index must be finite and at least 1"):
        function(index)
