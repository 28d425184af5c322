"""Lines with errors in both variables: published fits, exact lines, and intervals that hold the truth as often as they say."""

import math

import numpy as np
import pytest

from lampyris.statistics.intervals import wilson_interval
from lampyris.statistics.relations.lines import (
    inverse_prediction,
    lack_of_fit,
    line_with_scatter,
    quadratic_term,
    ratio_interval,
    response_sd,
    scatter_about_line,
    scatter_degrees,
    york_line,
)

# Pearson's data with York's weights, as printed in York et al. 2004, Am J Phys 72:367, table II
PEARSON_X = (0.0, 0.9, 1.8, 2.6, 3.3, 4.4, 5.2, 6.1, 6.5, 7.4)
PEARSON_Y = (5.9, 5.4, 4.4, 4.6, 3.5, 3.7, 2.8, 2.8, 2.4, 1.5)
WEIGHT_X = (1000.0, 1000.0, 500.0, 800.0, 200.0, 80.0, 60.0, 20.0, 1.8, 1.0)
WEIGHT_Y = (1.0, 1.8, 4.0, 8.0, 20.0, 20.0, 70.0, 70.0, 100.0, 500.0)


def test_pearsons_data_with_yorks_weights():
    fit = york_line(PEARSON_X, PEARSON_Y, np.array(WEIGHT_X) ** -0.5, np.array(WEIGHT_Y) ** -0.5)
    assert fit.slope == pytest.approx(-0.48053340745, abs=1e-9)
    assert fit.intercept == pytest.approx(5.47991022403, abs=1e-9)
    assert math.sqrt(fit.slope_variance) == pytest.approx(0.057985, abs=5e-7)
    assert math.sqrt(fit.intercept_variance) == pytest.approx(0.29497, abs=5e-6)


def test_without_errors_in_x_it_is_weighted_least_squares():
    rng = np.random.default_rng(1)
    x, sd = np.arange(8.0), rng.uniform(0.5, 2.0, 8)
    y = 3.0 - 2.0 * x + rng.normal(0, sd)
    design = np.stack([np.ones(8), x], axis=1) / sd[:, None]
    covariance = np.linalg.inv(design.T @ design)
    expected = covariance @ design.T @ (y / sd)
    fit = york_line(x, y, 0.0, sd)
    assert [fit.intercept, fit.slope] == pytest.approx(expected, rel=1e-12)
    assert [fit.intercept_variance, fit.slope_variance, fit.covariance] == pytest.approx(
        [covariance[0, 0], covariance[1, 1], covariance[0, 1]], rel=1e-12
    )


def test_units_do_not_matter():
    x, y = np.array([0.0, 1.0, 3.0, 7.0, 12.0]), np.array([0.1, 2.0, 6.3, 13.6, 24.5])
    plain = york_line(x, y, 0.1, 0.3)
    other = york_line(1000 * x, 1e6 * y, 100.0, 3e5)
    assert other.slope == pytest.approx(1000 * plain.slope, rel=1e-12)
    assert other.slope_variance == pytest.approx(1e6 * plain.slope_variance, rel=1e-11)


@pytest.mark.parametrize(
    ("x", "sd_x", "sd_y", "said"),
    [([1.0, 1.0], 0.0, 1.0, "two different amounts"), ([1.0, 2.0], 0.0, 0.0, "standard deviation above 0")],
)
def test_what_makes_no_line_is_refused(x, sd_x, sd_y, said):
    with pytest.raises(ValueError, match=said):
        york_line(x, [1.0, 2.0], sd_x, sd_y)


def test_scatter_is_recovered_from_many_points():
    rng = np.random.default_rng(2)
    x = np.repeat([0.0, 1.0, 3.0, 10.0, 30.0, 100.0], 60)
    y = 5 + 4 * x + rng.normal(0, np.hypot(3.0, 0.05 * 4 * x))
    absolute, relative = scatter_about_line(x, y, 0.0, 0.0)
    # 360 points: relative standard error of a standard deviation about 0.08 for each part
    assert absolute == pytest.approx(3.0, rel=0.25)
    assert relative == pytest.approx(0.05, rel=0.25)


def test_no_response_has_no_scatter():
    assert scatter_about_line([0, 1, 2, 3], [0, 0, 0, 0], 0.0, 0.0, slope=0.0) == (0.0, 0.0)


SERIES = {
    "seven amounts in triplicate": np.repeat([0, 1, 2, 5, 10, 20, 50.0], 3),
    "six in duplicate": np.repeat([0, 2, 5, 10, 20, 50.0], 2),
}


@pytest.mark.parametrize("absolute,relative,sd_x", [(2.0, 0.04, 0.0), (0.5, 0.05, 0.03)], ids=["pipette", "both"])
@pytest.mark.parametrize("name", SERIES)
def test_inverse_prediction_holds_the_truth_as_often_as_it_says(name, absolute, relative, sd_x):
    """Wells drawn from a known line; a new well's amount is in its 95 % interval 93 to 97 times of 100."""
    x, held, rounds = SERIES[name], 0, 400
    for k in range(rounds):
        rng = np.random.default_rng([k, len(x)])
        own = x * (1 + rng.normal(0, sd_x, x.size))
        y = 5 + 3 * own + rng.normal(0, np.hypot(absolute, relative * 3 * own))
        true = rng.uniform(2, 45)
        new = 5 + 3 * true + rng.normal(0, math.hypot(absolute, relative * 3 * true))
        fit, s, r = line_with_scatter(x, y, sd_x * x, 0.0)
        known = fit.slope * sd_x * x
        found = inverse_prediction(
            fit,
            new,
            float(response_sd(true, 0.0, fit.slope, s, r)),
            unit="pmol",
            response_degrees=scatter_degrees(x, known, fit.slope, s, r, at=true),
        )
        held += found.low <= true <= found.high
    share = wilson_interval(held, rounds)
    # the band that is promised, within what 400 rounds can tell; twelve wells with two unknown scatters lean to its wide side
    assert share.high > 0.93
    assert share.low < 0.97
    assert 0.92 < share.value < 0.985


def test_a_slope_that_is_not_told_from_zero_leaves_the_amount_unbounded():
    fit = york_line([0.0, 1.0, 2.0], [1.0, 1.1, 0.9], 0.0, 1.0)
    found = inverse_prediction(fit, 1.0, 0.1, unit="pmol")
    assert (found.low, found.high) == (-math.inf, math.inf)


def test_fiellers_ratio_by_its_definition():
    """At either end of the interval, numerator less ratio times denominator is t standard deviations from 0."""
    found = ratio_interval((3.0, 0.3), (5.0, 0.4), level=0.95)
    for end in (found.low, found.high):
        assert abs(3.0 - end * 5.0) / math.hypot(0.3, end * 0.4) == pytest.approx(1.959964, abs=1e-6)


def test_lack_of_fit_in_closed_form():
    """Duplicates at three amounts: both sums of squares by hand, F(1, 3)."""
    x, y = np.array([0, 0, 1, 1, 2, 2.0]), np.array([-1, 1, 2, 4, 3, 5.0])
    fit = york_line(x, y, 0.0, 1.0)
    # means 0, 3, 4; line 1/3 + 2x; residuals -1/3, 2/3, -1/3: lack 2 (1 + 4 + 1) / 9; pure error 6
    assert (fit.intercept, fit.slope) == pytest.approx((1 / 3, 2.0))
    ratio = (12 / 9) / (6 / 3)
    from scipy import stats

    assert lack_of_fit(x, y, np.ones(6), fit) == pytest.approx(stats.f.sf(ratio, 1, 3))
    assert math.isnan(lack_of_fit(x[::2], y[::2], np.ones(3), fit))


def test_a_bend_is_seen_and_a_line_is_not():
    rng = np.random.default_rng(5)
    x = np.repeat(np.arange(6.0), 3)
    noise = rng.normal(0, 0.2, x.size)
    assert quadratic_term(x, 2 * x + noise, np.ones(x.size)) > 0.05
    assert quadratic_term(x, 2 * x - 0.2 * x**2 + noise, np.ones(x.size)) < 1e-4
    assert math.isnan(quadratic_term(x[:3], x[:3], np.ones(3)))
