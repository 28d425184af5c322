"""Lines of dots as transforms of their overlap: breadth, strain on either side of none, and a dot's size without a pseudo-Voigt's bias."""

import math

import numpy as np
import pytest

from lampyris.bench.xrd.crystals import anodes, inverse_lengths, phases
from lampyris.bench.xrd.dot_lines import DotLines, DotShape, predict_dot_lines
from lampyris.bench.xrd.infer import Recorded, infer_lines, sphere_nm
from lampyris.bench.xrd.match import match_phases
from lampyris.bench.xrd.pattern import Beam, Resolution, q_of
from lampyris.virtual.instruments.xrd import XrdTruth, expected_pattern

CU = anodes()["Cu"]
ONE = Beam((CU.alpha1.value,), (1.0,))
HKL = np.array([[2, 2, 0]])
FLAT = (np.array([0.0, 10.0]), np.ones(2))


def line(**shape):
    x = np.arange(5.0, 150.0, 0.05)
    shape = DotShape(**{"column_a": 30.0, "spread": 0.12, "form": 0.0, "facets": 0.0, "strain2": 0.0, **shape})
    inverse = inverse_lengths(HKL, phases()["CdSe zinc blende"].cell())
    lines = DotLines("CdSe zinc blende", HKL, np.ones((1, 1)), FLAT, 120.0)
    curve = predict_dot_lines(x, ONE, Resolution(), inverse, lines, shape)[:, 0]
    q = q_of(x, ONE.wavelengths_a[0])
    polarised = (1.0 + np.cos(np.radians(x)) ** 2) / 2.0
    # of unit area once the Lorentz factor is off
    return q, curve / polarised * q * inverse[0]


def test_the_integral_breadth_of_a_line_is_that_of_its_column():
    q, curve = line()
    # feet beyond the pattern hold a per cent
    assert np.trapezoid(curve, q) == pytest.approx(1.0, abs=0.015)
    assert 1.0 / curve.max() == pytest.approx(2.0 * math.pi / 30.0, rel=2e-3)


def test_a_cube_has_sharper_lines_along_its_edges_than_a_ball():
    # along {110} the columns of a cut cube are a per cent longer than their mean
    assert line(facets=0.2)[1].max() == pytest.approx(1.01 * line()[1].max(), rel=4e-3)


def test_a_strain_below_none_goes_on_as_it_came():
    low, none, high = (line(strain2=one)[1] for one in (-1e-6, 0.0, 1e-6))
    np.testing.assert_allclose(low - none, none - high, atol=2e-3 * np.abs(high - none).max())


def test_balls_are_as_large_by_their_lines_as_they_are():
    x = np.arange(18.0, 70.0, 0.1)
    truth = XrdTruth(phase="PbS rock salt", size_nm=2.4, spread=0.12, peak_counts=1e5, dots=16)
    seen = expected_pattern(x, truth, np.random.default_rng(3))
    beam = Beam((CU.alpha1.value, CU.alpha2.value), (1.0 / (1.0 + CU.ratio), CU.ratio / (1.0 + CU.ratio)))
    recorded = Recorded(x, seen, np.sqrt(seen), beam, Resolution(w=0.01, share=0.5), 0.05)
    (match,) = match_phases(x, seen, recorded.sd, beam, recorded.resolution, (truth.phase,))
    fit = infer_lines(recorded, match)
    # pseudo-Voigts took 4 per cent off, and a squared strain of 1e-4 more or less
    assert sphere_nm(fit.true_column_nm).value == pytest.approx(truth.size_nm, rel=0.01)
    assert fit.fit["strain2"].value == pytest.approx(0.0, abs=0.1)
