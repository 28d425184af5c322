"""Fits that have a closed form of their own stay where they are: here they meet the engine."""

import math

import numpy as np
import pytest

from lampyris.metastasis.kinetics import half_life
from lampyris.statistics.fitting import DataSet, Parameter, fit_least_squares
from lampyris.statistics.relations.lines import scatter_about_line, york_line


def test_york_line_is_at_the_engines_minimum():
    rng = np.random.default_rng(3)
    x = np.repeat([1.0, 2.0, 5.0, 10.0, 20.0], 3)
    sd_x, sd_y = 0.05 * x, rng.uniform(0.2, 0.6, x.size)
    y = 3.0 + 2.0 * x + rng.normal(0, np.hypot(sd_y, 2 * sd_x))
    distances = DataSet(lambda p: (p[0] + p[1] * x - y) / np.hypot(sd_y, p[1] * sd_x), np.zeros(x.size), sd=1.0)
    fit = fit_least_squares(distances, [Parameter("intercept", 1.0), Parameter("slope", 1.0)])
    line = york_line(x, y, sd_x, sd_y)
    assert [line.intercept, line.slope, line.chi2] == pytest.approx([*fit.values, fit.goodness.chi2], rel=1e-8)
    # York's errors are taken at the adjusted points, the engine's from the slopes of the distances: the same but for the residuals
    assert [line.intercept_variance, line.slope_variance] == pytest.approx(np.diag(fit.covariance), rel=0.05)


def test_half_life_is_that_of_the_engine():
    days, values, sds = np.array([0.0, 3.0, 7.0, 10.0]), np.array([4.1, 3.0, 1.5, 1.05]), np.full(4, 0.1)
    own = np.sqrt(np.log1p(sds**2))
    fit = fit_least_squares(
        DataSet(lambda p: p[0] - math.log(2.0) * days / p[1], np.log(values), sd=own),
        [Parameter("log_signal", 1.0), Parameter("half_life", 4.0, low=0.0)],
    )
    found = half_life(days, values, sds)
    assert [found.value, found.sd] == pytest.approx([fit["half_life"].value, fit["half_life"].sd], rel=1e-8)


def test_scatter_of_few_points_is_at_the_restricted_maximum():
    x, y = np.array([0.0, 1.0, 3.0, 10.0, 30.0]), np.array([2.1, 5.4, 10.2, 33.5, 90.0])
    absolute, relative = scatter_about_line(x, y, 0.0, 0.0, slope=3.0)
    assert absolute / relative == pytest.approx(0.1 * 90.0)

    def deviance(factor):
        variance = (factor * absolute) ** 2 + (factor * relative * 3.0 * x) ** 2
        weight = 1.0 / variance
        design = np.stack([np.ones(5), x], axis=1)
        information = (design.T * weight) @ design
        off = y - design @ np.linalg.solve(information, design.T @ (weight * y))
        return np.log(variance).sum() + np.linalg.slogdet(information)[1] + weight @ off**2

    # the minimum, to 0.1 % of the scatter
    assert deviance(1.0) < min(deviance(0.999), deviance(1.001))
