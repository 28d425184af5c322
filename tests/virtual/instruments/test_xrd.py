"""Powders atom by atom against the mean over every place of their middle, and columns of shapes against closed forms."""

import numpy as np
import pytest

from lampyris.bench.xrd.debye import pair_shells, predict_debye
from lampyris.virtual.instruments.xrd import SHAPES, XrdTruth, _column, dot_scattering


def test_many_dots_scatter_as_their_mean():
    q = np.arange(1.0, 5.0, 0.02)
    truth = XrdTruth(phase="CdSe wurtzite", size_nm=2.0, spread=0.0, strain=0.005, dots=24)
    seen = dot_scattering(q, truth, np.random.default_rng(1))
    expected = predict_debye(q, pair_shells(truth.phase, 20.0), np.array([20.0]), np.ones(1), strain=truth.strain)
    # per atom here and per cell there; dots at 95 places vary about their mean
    assert 4.0 * seen == pytest.approx(expected, abs=3e-3 * expected.max())


@pytest.mark.parametrize("shape", ["long", "flat"])
def test_the_column_of_an_ellipsoid(shape):
    height = (np.arange(4000) + 0.5) / 4000
    along = 1.5 / np.sqrt(1.0 - height**2 + (height / SHAPES[shape][1]) ** 2)
    assert _column(shape) == pytest.approx(along.mean(), rel=1e-3)
