"""Laws of bleaching as they are fitted."""

import numpy as np
import pytest

from lampyris.bench.photostability import _slopes, predict_trace

PARAMETERS = {
    "single": (3.0, 0.02),
    "double": (3.0, 1.5, 4.2, 0.3),
    "stretched": (3.0, 3.1, 0.6),
    "power": (3.0, 3.1, -0.4),
}


@pytest.mark.parametrize("law", PARAMETERS)
def test_slopes_are_those_of_the_law(law):
    minutes = np.linspace(0.0, 60.0, 31)
    at = np.array(PARAMETERS[law])
    steps = 1e-5 * np.eye(at.size)
    numeric = [(predict_trace(law, minutes, at + h) - predict_trace(law, minutes, at - h)) / 2e-5 for h in steps]
    # central differences: third derivatives times the square of the step (start times minutes cubed at most)
    assert _slopes(law, minutes)(at) == pytest.approx(np.column_stack(numeric), abs=1e-5)
