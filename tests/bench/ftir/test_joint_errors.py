"""Errors of bands that were fitted in turn with a baseline."""

import numpy as np

from lampyris.bench.ftir import infer_bands, predict_bands
from lampyris.bench.ftir.group import slopes_of_group
from lampyris.bench.ftir.joint_errors import joint_covariances
from lampyris.statistics.fitting import DataSet, Parameter, fit_least_squares

X = np.arange(1000.0, 1400.0, 2.0)
PLACE = slice(60, 140)


def alone(signal, sd):
    """Fit of a Gaussian band of known shape in a window, as `infer_bands` makes it."""
    own = X[PLACE]
    line = (own - 0.5 * (own[0] + own[-1])) / (own[-1] - own[0])
    names = ("height", "centre", "log_width", "share", "lean", "level", "rise")
    start = (1.0, 1200.0, np.log(30.0), 0.3, 0.0, 0.0, 0.0)
    parameters = [Parameter(n, s, fixed=n in ("share", "lean"), scale=0.01) for n, s in zip(names, start, strict=True)]

    def model(p):
        return predict_bands(own, [p[0], p[1], np.exp(p[2]), p[3]], lean=p[4]) + p[5] + p[6] * line

    data = DataSet(model, signal[PLACE], sd=sd[PLACE], jacobian=slopes_of_group(own, line))
    return fit_least_squares(data, parameters, scatter="residual")


def test_without_a_baseline_errors_are_those_of_the_fit():
    signal = predict_bands(X, [1.0, 1200.0, 30.0, 0.3]) + np.random.default_rng(1).normal(0.0, 0.01, X.size)
    fit = alone(signal, np.ones(X.size))
    (joint,) = joint_covariances(X, np.ones(X.size), [(PLACE, fit, 1)], reach_cm=0.0)
    np.testing.assert_allclose(joint, fit.covariance, rtol=1e-6, atol=1e-12)
    (with_baseline,) = joint_covariances(X, np.ones(X.size), [(PLACE, fit, 1)], reach_cm=300.0)
    assert (np.diag(with_baseline)[:3] > np.diag(joint)[:3]).all()


def test_areas_scatter_as_their_errors_say():
    truth = (0.2, 1200.0, 30.0, 0.3)
    clean = predict_bands(X, truth)
    areas = []
    for seed in range(40):
        seen = clean + np.random.default_rng(seed).normal(0.0, 0.002, X.size)
        (band,) = infer_bands(X, seen, baseline=np.zeros(X.size), reach_cm=300.0).bands
        areas.append((band.area.value, band.area.sd))
    values, sds = np.array(areas).T
    # the scatter of 40 is known to 11 %: three of them
    assert 0.66 < np.std(values, ddof=1) / np.median(sds) < 1.34
