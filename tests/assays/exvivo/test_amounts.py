"""Sums of shares of the dose: what organs share in error is not averaged away, bounds stay bounds."""

import math

import pytest

from lampyris.assays.exvivo.amounts import total
from lampyris.core.estimate import Estimate


def share(value, sd, high=math.nan):
    return Estimate(value, sd, value - 1.96 * sd, value + 1.96 * sd if math.isnan(high) else high, 0.95, "%ID", "given")


@pytest.mark.parametrize(
    ("common", "kinds", "variance"),
    [
        (0.0, (), 2.0),
        (0.1, (), 4.0),
        # a tenth of each alike in both, nothing else
        (0.0, (("kidneys", 0.1), ("kidneys", 0.1)), 4.0),
        (0.0, (("kidneys", 0.1), ("liver", 0.1)), 2.0),
        (0.0, (("", 0.1), ("", 0.1)), 2.0),
    ],
)
def test_what_organs_share_in_error_adds_up(common, kinds, variance):
    found = total([share(10.0, 1.0), share(10.0, 1.0)], common, 0.95, kinds=kinds)
    assert found.value == 20.0 and found.sd == pytest.approx(math.sqrt(variance))
    assert found.low < 20.0 < found.high


def test_a_sum_with_a_lower_bound_is_one():
    found = total([share(10.0, 1.0), share(5.0, 0.5, math.inf)], 0.0, 0.95)
    assert found.high == math.inf and found.low < 15.0


def test_a_sum_that_is_not_told_from_nothing_has_an_interval_about_zero():
    found = total([share(0.002, 0.02)], 0.0, 0.95)
    assert found.low < 0 and found.high == pytest.approx(0.002 + 1.96 * 0.02, rel=1e-4)
