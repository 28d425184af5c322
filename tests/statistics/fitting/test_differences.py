"""Numeric derivatives: their error falls at the stated rate, and they never leave the bounds."""

import math

import numpy as np
import pytest

from lampyris.statistics.fitting.differences import curvatures, slopes

FREE = np.array([-math.inf]), np.array([math.inf])
AT = np.array([0.7])


def wave(p):
    return np.array([math.exp(p[0]), math.sin(p[0])])


def error(step, order, bounds=FREE):
    found = slopes(wave, AT, np.array([step]), *bounds, order=order)[:, 0]
    return np.abs(found - [math.exp(0.7), math.cos(0.7)]).max()


@pytest.mark.parametrize("order", [1, 2, 4])
@pytest.mark.parametrize("edge", ["free", "lower", "upper"])
def test_slopes_converge_at_their_order(order, edge):
    bounds = {"free": FREE, "lower": (AT, FREE[1]), "upper": (FREE[0], AT)}[edge]
    rate = math.log2(error(0.1, order, bounds) / error(0.05, order, bounds))
    # halving the step again and again comes to the order itself
    assert rate == pytest.approx(order, abs=0.4)


@pytest.mark.parametrize("order", [2, 4])
def test_second_derivatives_converge_at_their_order(order):
    def shape(p):
        return np.array([math.exp(p[0] * p[1])])

    at, free = np.array([0.4, 0.9]), np.full(2, math.inf)
    e = math.exp(0.36)
    truth = np.array([[0.81 * e, (1 + 0.36) * e], [(1 + 0.36) * e, 0.16 * e]])
    errors = [
        np.abs(curvatures(shape, at, np.full(2, step), -free, free, order=order)[..., 0] - truth).max()
        for step in (0.2, 0.1)
    ]
    assert math.log2(errors[0] / errors[1]) == pytest.approx(order, abs=0.4)


@pytest.mark.parametrize("at", [0.0, 1e-9, 0.5, 1.0])
def test_bounds_are_kept(at):
    low, high = np.array([0.0]), np.array([1.0])
    asked = []

    def watched(p):
        asked.append(float(p[0]))
        return np.array([p[0] ** 2])

    for order in (1, 2, 4):
        # a square has no error of second order and above
        found = slopes(watched, np.array([at]), np.array([0.4]), low, high, order=order)
        if order > 1:
            assert found[0, 0] == pytest.approx(2 * at, abs=1e-6)
    assert curvatures(watched, np.array([at]), np.array([0.4]), low, high)[0, 0, 0] == pytest.approx(2.0, abs=1e-9)
    assert min(asked) >= 0.0
    assert max(asked) <= 1.0 + 1e-15
