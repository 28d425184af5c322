"""Drug loading: closed forms, how uncertainty is carried on, and masses that cannot be."""

import math

import numpy as np
import pytest

from lampyris.probe.release import drug_loading


def loaded(*masses):
    return drug_loading(*masses, rng=np.random.default_rng(1))


def test_closed_forms():
    found = loaded((5.0, 0.05), (1.0, 0.05), (16.0, 0.2))
    assert found.encapsulation.value == pytest.approx(80)
    assert found.content.value == pytest.approx(20)
    assert found.held_mg.value == pytest.approx(4)
    # delta method: free/added = 0.2 with relative parts 0.01 and 0.05
    sd = 100 * 0.2 * math.hypot(0.01, 0.05)
    # 200,000 draws give the standard deviation to 0.2 %, the delta method neglects about as much
    assert found.encapsulation.sd == pytest.approx(sd, rel=0.01)
    assert found.held_mg.sd == pytest.approx(math.hypot(0.05, 0.05), rel=0.01)
    assert found.notes == ()


def test_without_uncertainty_there_is_no_width():
    found = loaded((5.0, 0.0), (1.0, 0.0), (16.0, 0.0))
    assert found.encapsulation.low == pytest.approx(found.encapsulation.high)


def test_an_interval_beyond_what_can_be_is_said():
    found = loaded((5.0, 0.3), (4.9, 0.3), (16.0, 0.2))
    assert found.encapsulation.low < 0
    assert "not told apart" in found.notes[0]


@pytest.mark.parametrize(
    ("masses", "said"),
    [
        (((-5.0, 0.1), (1.0, 0.1), (16.0, 0.1)), "drug added needs a mass from 0"),
        (((5.0, 0.1), (1.0, -0.1), (16.0, math.inf)), "free drug needs .*carrier needs"),
        (((0.0, 0.0), (0.0, 0.0), (16.0, 0.1)), "drug added is 0 mg"),
        (((5.0, 0.1), (6.0, 0.1), (16.0, 0.1)), "6 mg are free of 5 mg added"),
    ],
)
def test_masses_that_cannot_be(masses, said):
    with pytest.raises(ValueError, match=said):
        loaded(*masses)
