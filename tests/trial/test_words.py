"""Accuracy in words."""

import math

import pytest

from lampyris.trial.score import Score, accuracy
from lampyris.trial.words import FIGURES, NONE, accuracy_in_words

NOTHING = accuracy(Score((), 0, (), 0, 0))


def test_every_figure_and_every_count_is_one_of_the_score():
    keys = {one.key for one in FIGURES} | {one.cases for one in FIGURES if one.cases}
    assert keys <= NOTHING.keys()
    assert len(FIGURES) < 20


@pytest.mark.parametrize("figures", [{}, NOTHING], ids=["empty", "no cases"])
def test_figures_without_cases_say_so(figures):
    said = accuracy_in_words(figures)
    assert len(said) == 1 + len(FIGURES)
    assert {value for _, value in said[1:]} == {NONE}


@pytest.mark.parametrize(
    ("value", "interval", "said"),
    [
        (0.95, [0.9, 1.0], "95 % (90 to 100 %), n 40"),
        (0.99999, [0.9, 1.0], "99.9 % (90 to 100 %), n 40"),
        (0.29, None, "29 %, n 40"),
        (0.0, [0.0, 0.0512], "0 % (0 to 5.1 %), n 40"),
        (1.0, [math.nan, 1.0], "100 %, n 40"),
        (math.nan, [0.0, 1.0], NONE),
        (None, None, NONE),
    ],
)
def test_a_share_is_said_in_percent(value, interval, said):
    figures = {"precision": value, "precision_interval": interval, "detections": 40}
    assert dict(accuracy_in_words(figures))["spots called lesions that are lesions"] == said


def test_lengths_are_said_in_mm():
    figures = {"position_median_mm": 0.516, "position_median_mm_interval": [0.43, 0.589], "lesions_matched": 7}
    assert "0.52 mm (0.43 to 0.59 mm), n 7" in dict(accuracy_in_words(figures)).values()
