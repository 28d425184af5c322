"""Means of what was counted, beside printed tables and by exact coverage."""

import numpy as np
import pytest
from scipy.stats import poisson

from lampyris.statistics.counting import counted_interval, counting_factors

# Feldman and Cousins 1998, tables IV and VI, two decimals
PRINTED = {
    (0, 0.0, 0.95): (0.0, 3.09), (1, 0.0, 0.95): (0.05, 5.14), (2, 0.0, 0.95): (0.36, 6.72), (3, 0.0, 0.95): (0.82, 8.25),
    (0, 0.0, 0.90): (0.0, 2.44), (1, 0.0, 0.90): (0.11, 4.36), (3, 3.0, 0.90): (0.0, 4.42),
}  # fmt: skip


@pytest.mark.parametrize(("case", "printed"), PRINTED.items())
def test_as_printed(case, printed):
    counted, background, level = case
    # a rounding, and the grid on which the printed ones were found
    assert counted_interval(counted, background, level=level) == pytest.approx(printed, abs=0.011)


def test_no_mean_is_held_less_often_than_said():
    ends = np.array([counted_interval(n) for n in range(30)])
    for mean in (0.3, 1.0, 2.5, 3.0, 6.0, 9.5):
        held = (ends[:, 0] <= mean) & (mean <= ends[:, 1])
        assert poisson.pmf(np.arange(30), mean)[held].sum() >= 0.95 - 1e-9


def test_factors_fall_to_one():
    factors = [counting_factors(n)[1] for n in (0.0, 0.5, 1.0, 4.0, 50.0)]
    assert factors == sorted(factors, reverse=True)
    assert factors[0] == pytest.approx(3.0925 / (0.5 * 1.95996**2), rel=1e-3)
    assert factors[-1] == pytest.approx(1.0, abs=0.03)
