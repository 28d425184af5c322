"""Lines with errors in one column or both against SciPy, closed forms, and the truth they were drawn from."""

import math

import numpy as np
import pytest
from scipy import optimize, stats

from lampyris.statistics.relations.lines import york_line
from lampyris.statistics.relations.regression import (
    deming_line,
    lines_beside,
    ordinary_line,
    passing_bablok_line,
    york_relation,
)


def drawn(rng, n=20, slope=1.3, error=0.4, ratio=1.0):
    truth = 3 + rng.normal(size=n)
    return truth + rng.normal(0, error, n), 1 + slope * truth + rng.normal(0, error * math.sqrt(ratio), n)


def test_forty_ordinary_lines_agree_with_scipy():
    rng = np.random.default_rng(1)
    for _ in range(40):
        x, y = drawn(rng, n=int(rng.integers(3, 30)))
        expected, found = stats.linregress(x, y), ordinary_line(x, y)
        assert [found.slope.value, found.slope.sd] == pytest.approx([expected.slope, expected.stderr], rel=1e-10)
        assert [found.intercept.value, found.intercept.sd] == pytest.approx(
            [expected.intercept, expected.intercept_stderr], rel=1e-9
        )


def test_the_band_is_the_interval_of_the_mean():
    x, y = [1.0, 2, 3, 4, 6], [1.2, 1.9, 3.3, 3.8, 6.1]
    found = ordinary_line(x, y)
    low, high = found.band([0.0, float(np.mean(x))])
    assert [low[0], high[0]] == pytest.approx([found.intercept.low, found.intercept.high])
    spread = math.sqrt(np.sum((y - found.at(x)) ** 2) / 3 / 5)
    assert high[1] - low[1] == pytest.approx(2 * stats.t.ppf(0.975, 3) * spread)


def test_thirty_deming_lines_are_nearest_to_their_points():
    """The distance with errors scaled alike, minimised numerically."""
    rng = np.random.default_rng(2)
    for k in range(30):
        ratio = (1.0, 0.25, 4.0)[k % 3]
        x, y = drawn(rng, ratio=ratio)

        def distance(line, x=x, y=y, ratio=ratio):
            return (y - line[0] - line[1] * x) / math.sqrt(ratio + line[1] ** 2)

        expected = optimize.least_squares(distance, [1.0, 1.3], xtol=1e-14, ftol=1e-14, gtol=1e-14).x
        found = deming_line(x, y, variance_ratio=ratio)
        assert [found.intercept.value, found.slope.value] == pytest.approx(list(expected), rel=1e-6)


def test_deming_turned_round_is_the_same_line():
    rng = np.random.default_rng(3)
    x, y = drawn(rng)
    one, other = deming_line(x, y, variance_ratio=2.0), deming_line(y, x, variance_ratio=0.5)
    assert other.slope.value == pytest.approx(1 / one.slope.value, rel=1e-12)
    assert [other.slope.low, other.slope.high] == pytest.approx([1 / one.slope.high, 1 / one.slope.low], rel=1e-10)


def test_creasys_ends_leave_uncorrelated_coordinates_at_the_level():
    """At an end of the interval residual and place along the line correlate with p = 0.05."""
    rng = np.random.default_rng(4)
    x, y = drawn(rng, n=12)
    found = deming_line(x, y, variance_ratio=2.0)
    for slope in (found.slope.low, found.slope.high):
        assert stats.pearsonr(y - slope * x, x + slope * y / 2.0).pvalue == pytest.approx(0.05, abs=1e-9)


def test_hardly_related_columns_have_no_bounded_slope():
    rng = np.random.default_rng(5)
    found = deming_line(rng.normal(size=8), rng.normal(size=8))
    assert (found.slope.low, found.slope.high) == (-math.inf, math.inf)
    assert math.isfinite(found.slope.value)


def test_errors_in_x_flatten_only_the_ordinary_line():
    rng = np.random.default_rng(6)
    x, y = drawn(rng, n=4000, error=0.7)
    lines = {line.method.partition(",")[0]: line.slope.value for line in (ordinary_line(x, y), deming_line(x, y))}
    assert lines["ordinary least squares of y on x"] == pytest.approx(1.3 / 1.49, abs=0.06)
    assert lines["Deming"] == pytest.approx(1.3, abs=0.08)


def test_york_is_the_published_line_with_wider_doubt():
    rng = np.random.default_rng(7)
    x, y = drawn(rng)
    sd = np.full(20, 0.4)
    plain, found = york_line(x, y, sd, sd), york_relation(x, y, sd, sd)
    assert (found.slope.value, found.intercept.value) == (plain.slope, plain.intercept)
    assert found.slope.sd > math.sqrt(plain.slope_variance)
    exact_x = york_relation(x, y, 0.0, 2.0)
    assert exact_x.slope.sd == pytest.approx(math.sqrt(york_line(x, y, 0.0, 2.0).slope_variance), rel=1e-12)
    assert deming_line(x, y).slope.value == pytest.approx(found.slope.value, rel=1e-9)


def test_scatter_beyond_the_errors_widens_and_is_said():
    rng = np.random.default_rng(8)
    x, y = drawn(rng, error=0.5)
    found = york_relation(x, y, 0.1, 0.1)
    assert "times as much as their errors allow" in found.warnings[0]
    assert found.degrees == 18
    assert found.slope.high - found.slope.low > 3 * (2 * 1.96 * math.sqrt(york_line(x, y, 0.1, 0.1).slope_variance))


def test_passing_bablok_by_brute_force():
    rng = np.random.default_rng(9)
    for _ in range(20):
        x, y = np.round(drawn(rng, n=15, slope=1.0, error=0.2), 1)
        slopes = sorted(
            s
            for i in range(15)
            for j in range(i + 1, 15)
            for s in [slope(x, y, i, j)]
            if s is not None and abs(s + 1) > 1e-12
        )
        k = sum(s < -1 for s in slopes)
        n = len(slopes)
        middle = slopes[(n + 1) // 2 + k - 1] if n % 2 else 0.5 * (slopes[n // 2 + k - 1] + slopes[n // 2 + k])
        found = passing_bablok_line(x, y)
        assert found.slope.value == pytest.approx(middle, rel=1e-12)
        assert found.intercept.value == pytest.approx(np.median(y - middle * x))


def slope(x, y, i, j):
    dx, dy = x[j] - x[i], y[j] - y[i]
    if dx == 0:
        return None if dy == 0 else math.copysign(math.inf, dy)
    return dy / dx


def test_passing_bablok_turned_round_and_outliers():
    rng = np.random.default_rng(10)
    x, y = drawn(rng, n=41, slope=1.0, error=0.05)
    one, other = passing_bablok_line(x, y), passing_bablok_line(y, x)
    # of an even number of slopes the two middle ones are averaged, which is not the same for their inverses
    assert other.slope.value == pytest.approx(1 / one.slope.value, rel=1e-5)
    y[:3] += 50
    assert passing_bablok_line(x, y).slope.value == pytest.approx(1.0, abs=0.15)
    assert abs(ordinary_line(x, y).slope.value - 1.0) > 0.3


@pytest.mark.parametrize(
    ("line", "x", "y", "said"),
    [
        (ordinary_line, [1, 2], [1, 2], "at least three pairs"),
        (ordinary_line, [2, 2, 2], [1, 2, 3], "all x are 2"),
        (ordinary_line, [1, 2, math.nan], [1, 2, 3], "finite"),
        (deming_line, [1, 2, 3], [4, 4, 4], "do not vary together"),
        (passing_bablok_line, [1, 2, 3, 4], [4, 3, 2, 1], "rise together"),
    ],
)
def test_what_makes_no_line_is_refused(line, x, y, said):
    with pytest.raises(ValueError, match=said):
        line(x, y)


def test_a_ratio_of_error_variances_must_make_sense():
    with pytest.raises(ValueError, match="above 0"):
        deming_line([1, 2, 3], [1, 2, 4], variance_ratio=0.0)


def test_lines_beside_leave_out_what_does_not_apply():
    rng = np.random.default_rng(11)
    x, y = drawn(rng)
    assert len(lines_beside(x, y)) == 3
    assert len(lines_beside(x, -y)) == 2


def test_slopes_hold_the_truth():
    """400 sets: standard error 0.011."""
    rng = np.random.default_rng(12)
    inside = np.zeros(3)
    for _ in range(400):
        x, y = drawn(rng, n=12)
        lines = (deming_line(x, y), york_relation(x, y, 0.4, 0.4), deming_line(x, y, interval="jackknife"))
        inside += [line.slope.low <= 1.3 <= line.slope.high for line in lines]
    assert inside / 400 == pytest.approx(0.95, abs=0.03)
