"""Two coupled bands: the dispersion and its inverse."""

import math

import numpy as np
import pytest

from lampyris.probe.confinement.coupled import FLATTEST, coupled_bands

PAIRS = {
    "bent": coupled_bands(0.28, 2.46, masses=(0.075, 0.07), far_limits_ev=(0.42, 0.89)),
    "soon bent": coupled_bands(0.31, 4.2, masses=(0.05, 0.059), far_limits_ev=(0.07, 0.043)),
    "not bent": coupled_bands(0.41, 2.1, masses=(0.117, 0.113), far_limits_ev=(math.inf, math.inf)),
}


@pytest.mark.parametrize("pair", PAIRS.values(), ids=PAIRS.keys())
def test_energy_and_square_are_each_other_s_inverse(pair):
    electron, hole = pair
    for band in pair:
        for q in (1e-6, 1e-3, 0.05, 0.2):
            above, slope = band.above(q)
            assert band.square(above) == pytest.approx(q, rel=1e-9)
            # central difference over 1e-3 of q: its third derivative leaves 1e-6
            ends = [band.above(q * way)[0] for way in (0.999, 1.001)]
            assert slope == pytest.approx((ends[1] - ends[0]) / (0.002 * q), rel=1e-5)
            assert band.inverse_mass(band.gap_ev + above)[0] == pytest.approx(above / q, rel=1e-9)
    # both are roots of one determinant
    q = 0.1
    (e, _), (h, _) = electron.above(q), hole.above(q)
    x, y = electron.own.at(q)[0] * q, hole.own.at(q)[0] * q
    assert (e - x) * (e + electron.gap_ev + y) == pytest.approx(electron.kane_ev * q)
    assert (h - y) * (h + hole.gap_ev + x) == pytest.approx(hole.kane_ev * q)


@pytest.mark.parametrize("pair", PAIRS.values(), ids=PAIRS.keys())
def test_mass_goes_on_through_the_edge_and_beyond_the_top(pair):
    for band in pair:
        energies = np.linspace(-1.0, 9.0, 2001)
        found = np.array([band.inverse_mass(float(energy)) for energy in energies])
        assert np.isfinite(found).all() and (found[:, 0] > 0).all()
        # no step: a band's inverse mass falls with its energy, at most by its slope
        rows = energies[:-1] > 0.15
        steps = np.diff(found[:, 0])[rows] / np.diff(energies)[rows]
        assert np.all(np.abs(steps) <= 1.02 * np.maximum(np.abs(found[:-1, 1]), np.abs(found[1:, 1]))[rows] + 0.02)
        # beyond the top the energy goes on straight
        far = band.square(60.0) - band.square(50.0)
        assert 10.0 / far >= FLATTEST * (1 - 1e-9)
