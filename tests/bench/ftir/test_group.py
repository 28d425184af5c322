"""Infrared bands that are fitted together."""

import numpy as np
import pytest

from lampyris.bench.ftir.bands import band_area
from lampyris.bench.ftir.group import LEAN, LEVEL, RISE, each_with_share, predict_bands, slopes_of_group

X = np.linspace(0.0, 200.0, 401)
LINE = X / 200.0 - 0.5
# two bands, then share, lean, level and rise
GROUP = np.array([1.0, 80.3, np.log(20.0), 0.5, 120.7, np.log(30.0), 0.4, 0.15, 0.1, 0.05])


def absorbance(p):
    return predict_bands(X, each_with_share(p), lean=p[LEAN]) + p[LEVEL] + p[RISE] * LINE


def test_slopes_are_those_of_the_model():
    steps = 1e-5 * np.eye(GROUP.size)
    numeric = np.column_stack([(absorbance(GROUP + h) - absorbance(GROUP - h)) / 2e-5 for h in steps])
    # central differences: third derivatives of a band times the square of the step, and rounding over the step
    assert slopes_of_group(X, LINE)(GROUP) == pytest.approx(numeric, abs=1e-9)


@pytest.mark.parametrize("lean", [-0.3, 0.0, 0.2])
def test_a_lean_keeps_top_full_width_and_area(lean):
    x = np.linspace(-4000.0, 4000.0, 800_001)
    band = predict_bands(x, [1.0, 0.0, 20.0, 0.3], lean=lean)
    above = x[band >= 0.5]
    assert x[np.argmax(band)] == pytest.approx(0.0, abs=0.01)
    assert (above[0], above[-1]) == pytest.approx((-10.0 * (1.0 - lean), 10.0 * (1.0 + lean)), abs=0.02)
    # beyond the range lie 0.1 % of the Lorentzian's light
    assert np.trapezoid(band, x) == pytest.approx(band_area(1.0, 20.0, 0.3), rel=2e-3)
