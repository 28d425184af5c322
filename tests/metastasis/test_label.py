"""Label loss: a lesion's signal is only ever lost."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lampyris.metastasis.label import LabelLoss, label_retention

LOSS = LabelLoss(early_share=0.3, early_half_life_days=1.0, late_half_life_days=14.0, bleaching_per_j_cm2=0.4)
times = st.floats(0.0, 200.0)


def test_nothing_is_lost_at_once():
    assert float(label_retention(0.0, LOSS)) == 1.0


@pytest.mark.parametrize(
    ("days", "dose", "expected"),
    [
        (1.0, 0.0, 0.3 * 0.5 + 0.7 * 0.5 ** (1 / 14)),
        (14.0, 0.0, 0.3 * 0.5**14 + 0.35),
        (0.0, 1.0 / 0.4, np.exp(-1.0)),
        (14.0, 5.0, (0.3 * 0.5**14 + 0.35) * np.exp(-2.0)),
    ],
    ids=["a day", "late half-life", "bleaching alone", "both"],
)
def test_closed_forms(days, dose, expected):
    assert float(label_retention(days, LOSS, dose_j_cm2=dose)) == pytest.approx(expected, rel=1e-12)


@given(first=times, second=times, dose=times)
def test_it_only_falls(first, second, dose):
    low, high = sorted((first, second))
    early, late = label_retention([low, high], LOSS, dose_j_cm2=dose)
    assert 0.0 <= late <= early <= 1.0


@given(one=st.floats(0, 20), two=st.floats(0, 20))
def test_bleaching_goes_with_the_sum_of_doses_and_not_with_time(one, two):
    # given in two portions or at once, early or late
    only_light = LabelLoss(0.0, 1.0, 1e12, 0.1)
    parts = label_retention(5.0, only_light, dose_j_cm2=one) * label_retention(40.0, only_light, dose_j_cm2=two)
    assert float(label_retention(9.0, only_light, dose_j_cm2=one + two)) == pytest.approx(float(parts), rel=1e-9)


def test_days_and_doses_are_broadcast():
    days, dose = np.array([0.0, 7.0, 14.0])[:, None], np.array([0.0, 1.0])[None]
    together = label_retention(days, LOSS, dose_j_cm2=dose)
    assert together.shape == (3, 2)
    assert together[2, 1] == pytest.approx(float(label_retention(14.0, LOSS, dose_j_cm2=1.0)))


@pytest.mark.parametrize(("days", "dose"), [(-0.1, 0.0), (1.0, -1.0), ([1.0, -2.0], 0.0)])
def test_negative_days_and_doses_are_refused(days, dose):
    with pytest.raises(ValueError, match="0 or more"):
        label_retention(days, LOSS, dose_j_cm2=dose)


def test_nothing_in_nothing_out():
    assert label_retention([], LOSS).shape == (0,)
