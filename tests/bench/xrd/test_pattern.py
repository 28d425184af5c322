"""Lines against closed forms: Bragg's law, Scherrer's equation, convolutions of Voigt's kind, and the breadth of a sphere."""

import math

import numpy as np
import pytest
from scipy.special import voigt_profile

from lampyris.bench.xrd.debye import sphere_overlap
from lampyris.bench.xrd.infer import SPHERE, SPHERE_SHARE
from lampyris.bench.xrd.pattern import (
    Beam,
    Resolution,
    breadth_over_width,
    line_widths,
    predict_lines,
    predict_polarisation,
    pseudo_voigt,
    pseudo_voigt_of,
    q_of,
    scherrer_nm,
    two_theta_of,
    voigt_parts,
)

CU = Beam((1.5405929,), (1.0,))


def test_bragg():
    # silicon 111 with Cu K alpha 1: 28.44 deg
    assert float(two_theta_of(2 * math.pi * math.sqrt(3) / 5.43095, 1.5405929)) == pytest.approx(28.443, abs=0.002)
    angles = np.array([20.0, 60.0, 120.0])
    np.testing.assert_allclose(two_theta_of(q_of(angles, 1.2), 1.2), angles, rtol=1e-12)
    # a shift by the height of the sample moves lines by it times cos(theta)
    moved = two_theta_of(q_of(angles, 1.2, shift_deg=0.1), 1.2)
    np.testing.assert_allclose(angles - moved, 0.1 * np.cos(np.radians(angles / 2)), rtol=1e-3)


def test_pseudo_voigts_stand_for_convolutions():
    x = np.linspace(-6, 6, 4001)
    for gauss, lorentz in ((1.0, 0.2), (1.0, 1.0), (0.3, 1.0)):
        exact = voigt_profile(x, gauss / 2.35482, lorentz / 2)
        width, share = pseudo_voigt_of(gauss, lorentz)
        ours = pseudo_voigt((x / width) ** 2, share) / width
        # the sum is known to differ from the convolution by about a hundredth of its top
        assert np.abs(ours - exact).max() < 0.013 * exact.max()
        back = voigt_parts(width, share)
        assert back[0] == pytest.approx(gauss, rel=0.03)
        assert back[1] == pytest.approx(lorentz, rel=0.02)


def test_breadth_of_pure_lines():
    assert float(breadth_over_width(0.0)) == pytest.approx(0.5 * math.sqrt(math.pi / math.log(2)), rel=1e-12)
    assert float(breadth_over_width(1.0)) == pytest.approx(math.pi / 2, rel=1e-12)


def test_a_spheres_line_has_the_breadth_and_width_that_are_taken():
    # line of a sphere of diameter 1: transform of its overlap with itself
    t = np.linspace(0.0, 1.0, 801)
    overlap = sphere_overlap(t, 1.0)
    s = np.linspace(0.0, 1.0, 801)
    line = 2.0 * np.trapezoid(overlap * np.cos(2 * math.pi * np.outer(s, t)), t, axis=1)
    assert 1.0 / line[0] == pytest.approx(SPHERE, rel=1e-5)
    width = 2.0 * float(np.interp(-0.5 * line[0], -line, s))
    # Langford and Wilson 1978: 1.1084 in diameters
    assert width == pytest.approx(1.1084, abs=2e-3)
    assert float(breadth_over_width(SPHERE_SHARE)) == pytest.approx(SPHERE / width, rel=2e-3)


def test_scherrer_and_lines_agree():
    column = 50.0
    for q in (1.8, 3.0, 4.5):
        width, share = line_widths(np.array([q]), CU, Resolution(), column_a=column, share=0.3, strain2=0.0)
        angle = float(two_theta_of(q, CU.mean_a))
        per_deg = 2 * math.pi / CU.mean_a * math.cos(math.radians(angle / 2)) * math.radians(1)
        breadth_deg = float(width[0] * breadth_over_width(share)[0]) / per_deg
        size = float(scherrer_nm(CU.mean_a, breadth_deg, angle, shape_factor=1.0))
        # the way to two widths and back holds a thousandth
        assert size == pytest.approx(column / 10, rel=2e-3)


def test_strain_widens_in_proportion_to_q():
    q = np.array([1.5, 3.0, 4.5])
    width, share = line_widths(q, CU, Resolution(), column_a=1e7, share=0.0, strain2=1e-4)
    np.testing.assert_allclose(width, 2.35482 * 0.01 * q, rtol=1e-4)
    np.testing.assert_allclose(share, 0.0, atol=1e-3)


def test_both_lines_of_the_tube_keep_their_ratio():
    beam = Beam((1.5405929, 1.5444140), (2 / 3, 1 / 3))
    x = np.linspace(79.0, 81.5, 2501)
    q = np.array([float(q_of(80.0, 1.5405929))])
    narrow = (np.array([0.002]), np.array([0.0]))
    seen = predict_lines(x, beam, q, narrow)[:, 0]
    first, second = seen[x < 80.12].max(), seen[x > 80.12].max()
    # the second lies at a larger angle, where q and polarisation differ a little
    assert second / first == pytest.approx(0.5, rel=0.01)
    assert x[np.argmax(np.where(x > 80.12, seen, 0))] == pytest.approx(float(two_theta_of(q, 1.5444140)[0]), abs=2e-3)


def test_polarisation_and_instrument():
    assert float(predict_polarisation(90.0)) == pytest.approx(0.5)
    assert float(predict_polarisation(60.0, 90.0)) == pytest.approx(1.0)
    assert float(Resolution(u=0.02, v=-0.01, w=0.01).width_deg(90.0)) == pytest.approx(math.sqrt(0.02))


def test_a_mean_over_a_window_widens_lines_by_its_variance():
    q = np.array([3.0])
    (sharp, _), (mean, _) = (
        line_widths(q, CU, Resolution(w=0.01, window_deg=window), column_a=40.0, share=0.0, strain2=0.0)
        for window in (0.0, 1.0)
    )
    angle = float(two_theta_of(3.0, CU.mean_a))
    per_deg = 2 * math.pi / CU.mean_a * math.cos(math.radians(angle / 2)) * math.radians(1)
    # variances add up: that of a window is a twelfth of its square
    assert (mean**2 - sharp**2)[0] / 2.35482**2 == pytest.approx(per_deg**2 / 12.0, rel=1e-3)
