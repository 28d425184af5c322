"""Uncertainty: by slopes and by draws."""

import math

import numpy as np
import pytest

from lampyris.core.estimate import Estimate
from lampyris.probe.propagation import propagated, sampled, sd_of, value_of


def number(value, sd):
    return Estimate(value, sd, value - 1.959964 * sd, value + 1.959964 * sd, 0.95, "1", "given")


def test_slopes_of_a_straight_function_are_exact():
    found = propagated(lambda a, b: 2 * a - 3 * b, {"a": number(5.0, 0.3), "b": number(1.0, 0.4)}, unit="1", method="m")
    assert (found.value, found.sd) == pytest.approx((7.0, math.hypot(0.6, 1.2)), rel=1e-9)
    assert found.high - found.low == pytest.approx(2 * 1.959964 * found.sd, rel=1e-6)


def test_bare_numbers_are_known():
    found = propagated(lambda a: a, {"a": 4.0}, unit="1", method="m")
    assert (found.value, found.sd, found.low, found.high) == (4.0, 0.0, 4.0, 4.0)


def test_intervals_are_cut_at_what_can_be():
    found = propagated(lambda a: a, {"a": number(0.9, 0.2)}, unit="1", method="m", low=0.0, high=1.0)
    assert found.high == 1.0


def test_an_estimate_with_an_interval_alone_has_its_width():
    only = Estimate(5.0, math.nan, 3.0, 7.0, 0.95, "1", "given")
    assert sd_of(only) == pytest.approx(2.0 / 1.959964, rel=1e-6)
    assert value_of(only) == 5.0


def test_draws_agree_with_slopes_where_straight_and_repeat():
    inputs = {"a": number(5.0, 0.3), "b": number(1.0, 0.4)}
    drawn = sampled(lambda a, b: 2 * a - 3 * b, inputs, unit="1", method="m", seed=1)
    # 20000 draws: a standard deviation to 0.5 %, three of them
    assert drawn.sd == pytest.approx(math.hypot(0.6, 1.2), rel=0.015)
    again = sampled(lambda a, b: 2 * a - 3 * b, inputs, unit="1", method="m", seed=1)
    assert drawn == again
    assert drawn != sampled(lambda a, b: 2 * a - 3 * b, inputs, unit="1", method="m", seed=2)


def test_positive_inputs_stay_positive():
    drawn = sampled(
        lambda a: np.where(a > 0, a, -1e9),
        {"a": number(1.0, 0.8)},
        unit="1",
        method="m",
        seed=3,
        positive=frozenset("a"),
    )
    assert drawn.low > 0


def test_draws_without_a_number_are_refused():
    with pytest.raises(ValueError, match="no draw gave a number"):
        sampled(lambda a: a * np.nan, {"a": 1.0}, unit="1", method="m", seed=0, draws=10)
