"""Laws of bleaching as they are fitted."""

import numpy as np
import pytest

from lampyris.bench.photostability import _slopes, infer_trace, predict_trace
from lampyris.probe.photophysics.bleaching import Bleaching

AT_MIN = 40.0
PARAMETERS = {
    "single": (3.0, 0.02),
    "double": (3.0, 0.02, 0.6, -2.0),
    "stretched": (3.0, 0.02, 0.6),
    "power": (3.0, 0.02, -0.4),
}
# rates of the double law are 0.4 x 0.02 and 0.02 + exp(-2); its share makes the mean rate 0.02 over 40 min
_FAST, _SLOW = np.exp(-AT_MIN * (0.02 + np.exp(-2.0))), np.exp(-AT_MIN * 0.008)
_SHAPE = float(np.exp(-0.4))
KNOWN = {
    "single": Bleaching("single", 50.0),
    "double": Bleaching(
        "double",
        1.0 / (0.02 + np.exp(-2.0)),
        dose_2=125.0,
        share=(_SLOW - np.exp(-AT_MIN * 0.02)) / (_SLOW - _FAST),
    ),
    "stretched": Bleaching("stretched", AT_MIN / (AT_MIN * 0.02) ** (1.0 / 0.6), shape=0.6),
    "power": Bleaching("power", AT_MIN / _SHAPE / np.expm1(AT_MIN * 0.02 / _SHAPE), shape=_SHAPE),
}


@pytest.mark.parametrize("law", PARAMETERS)
def test_the_laws_are_those_of_the_probe_told_by_their_mean_rate(law):
    minutes = np.linspace(0.0, 60.0, 31)
    found = predict_trace(law, minutes, PARAMETERS[law], at_min=AT_MIN)
    assert found == pytest.approx(3.0 * KNOWN[law].retained(minutes), rel=1e-12)
    assert predict_trace(law, [AT_MIN], PARAMETERS[law], at_min=AT_MIN)[0] == pytest.approx(3.0 * np.exp(-0.8))


@pytest.mark.parametrize("law", PARAMETERS)
def test_slopes_are_those_of_the_law(law):
    minutes = np.linspace(0.0, 60.0, 31)
    at = np.array(PARAMETERS[law])
    steps = 1e-5 * np.eye(at.size)
    numeric = [
        (predict_trace(law, minutes, at + h, at_min=AT_MIN) - predict_trace(law, minutes, at - h, at_min=AT_MIN)) / 2e-5
        for h in steps
    ]
    # central differences: third derivatives times the square of the step (start times minutes cubed at most)
    assert _slopes(law, minutes, AT_MIN)(at) == pytest.approx(np.column_stack(numeric), abs=1e-5)


@pytest.mark.parametrize("law", PARAMETERS)
def test_a_law_bears_a_signal_that_is_gone(law):
    minutes = np.linspace(0.0, 60.0, 31)
    gone = np.array(PARAMETERS[law])
    # e^-2000 is left after 40 min: no number of a computer is as small
    gone[1] = 50.0
    assert np.isfinite(predict_trace(law, minutes, gone, at_min=AT_MIN)).all()
    assert np.isfinite(_slopes(law, minutes, AT_MIN)(gone)).all()


def test_a_law_that_fits_nearly_as_well_takes_no_truth_from_the_interval():
    truth = Bleaching("double", 87.5, dose_2=2800.0, share=0.3)
    minutes, left = np.arange(0.0, 60.25, 0.5), float(truth.retained(60.0))
    expected = 7e5 * truth.retained(minutes)
    holding, laws = 0, set()
    for seed in range(30, 60):
        signal = np.random.default_rng(seed).normal(expected, np.sqrt(expected))
        found = infer_trace(minutes, signal, laws=("double", "power"))
        holding += found.retained.low <= left <= found.retained.high
        laws.add(found.fits[0].law)
    # a power law is often the best of such a trace, and off by twice its own error
    assert laws == {"double", "power"}
    # 28.5 are expected at 95 %; means of laws with one standard error for each held 26 of these
    assert holding >= 28


def test_intervals_of_share_and_rate_are_those_of_one_number():
    minutes = np.arange(0.0, 60.25, 0.5)
    expected = 1e4 * np.exp(-minutes / 100.0)
    found = infer_trace(minutes, np.random.default_rng(4).normal(expected, np.sqrt(expected)), at_min=300.0)
    left, rate = found.retained, found.rate_per_min
    assert [left.low, left.high] == pytest.approx(np.exp(-300.0 * np.array([rate.high, rate.low])))
    # beyond the trace laws part: what levels off leaves more, and nothing leaves less than a single exponential
    assert left.high - left.value > 2.0 * (left.value - left.low)
