"""What a squared strain becomes as a strain."""

import pytest

from lampyris.bench.xrd.infer import strain_of
from lampyris.core.estimate import Estimate


def square(value, reach):
    return Estimate(value, reach / 1.96, value - reach, value + reach, 0.95, "1", "fit")


def test_strain_is_the_root_of_its_square():
    found = strain_of(square(4.0, 2.0))
    # squares are in units of 1e-4
    assert (found.low, found.value, found.high) == pytest.approx((2**0.5 * 1e-2, 2e-2, 6**0.5 * 1e-2))


@pytest.mark.parametrize("value", [0.0, -0.49, -1.0, -5.0])
def test_no_strain_is_never_certain(value):
    found = strain_of(square(value, 0.5))
    # what the square's noise would have hidden is the upper end, however far below 0 it fell
    assert (found.low, found.value) == (0.0, 0.0)
    assert found.high == pytest.approx(0.5**0.5 * 1e-2)
