"""What a squared strain becomes as a strain, when a best fit is certain, and how often noise is taken for a misfit."""

import numpy as np
import pytest

from lampyris.bench.xrd.infer import MISFIT_CHANCE, fitted_twice, misfit_of, strain_of
from lampyris.core.estimate import Estimate
from lampyris.statistics.fitting import DataSet, Parameter


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


def test_a_strain_that_is_hardly_seen_is_held_from_none_on_by_the_one_sided_quantile():
    # a square 1.8 standard deviations above 0 was central before, and its interval could miss at the top alone
    found = strain_of(square(1.8, 1.96))
    assert found.low == pytest.approx((0.155e-4) ** 0.5, rel=0.01)
    assert found.high == pytest.approx((3.76e-4) ** 0.5)


def bent(wave, known):
    """A line that bends, whose slope is known beforehand and whose derivatives are a little off, as finite steps make them."""
    x = np.linspace(0.0, 1.0, 60)
    data = DataSet(
        lambda p: p[0] * x + wave * np.sin(15.0 * p[0]),
        2.0 * x + 0.4 * np.sin(9.0 * x),
        sd=np.full(60, 0.02),
        jacobian=lambda p: 1.05 * x[:, None],
        parameters=("slope",),
    )
    before = DataSet(lambda p: p, known[:1], sd=known[1:], parameters=("slope",), name="slope")
    return fitted_twice(data, [before], [Parameter("slope", 1.0, scale=0.1)], told=("slope",))


def test_what_wider_noise_moves_is_no_doubt():
    found = bent(0.02, [1.8, 0.01])
    # the misfit widens noise, and what is known besides then pulls the slope to itself
    assert found.widening > 10.0
    assert found.fit["slope"].value == pytest.approx(1.8, abs=0.01)
    assert found.settled


def test_a_search_that_ends_elsewhere_from_its_other_side_is_doubtful():
    assert not bent(0.2, [1.5, 0.1]).settled


def test_noise_is_taken_for_a_misfit_no_more_often_than_is_said():
    rng = np.random.default_rng(4)
    alarms = np.mean([misfit_of(rng.normal(0.0, 5.0, 420), np.full(420, 5.0), 100.0) > 0 for _ in range(2000)])
    # twice the root of 0.01 * 0.99 / 2000
    assert alarms == pytest.approx(MISFIT_CHANCE, abs=0.0045)
    wave = 4.0 * np.sin(np.arange(420) / 15.0)
    # the root mean square of a sine of 4 over 100
    assert misfit_of(rng.normal(0.0, 5.0, 420) + wave, np.full(420, 5.0), 100.0) == pytest.approx(0.028, rel=0.2)
