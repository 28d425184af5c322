"""The table of sections: how its lines are scored and judged, and a short form of the intervals that it shows to hold."""

import math
from pathlib import Path

import numpy as np
import pytest

from lampyris.trial.score_histology import SectionScore, match_nuclei
from lampyris.virtual.design import default_design


@pytest.fixture
def table(monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2]))
    from accuracy.animals import histology

    return histology


def score(**changes):
    usual = {
        "nuclei": 100, "found": 98, "matched": 97, "crowded": 20, "crowded_matched": 18, "overlap": 0.9, "labelled": 10,
        "called": 10, "right": 9, "tissue_error": -0.01, "place_error_mm": 0.03, "place_sd_mm": 0.02,
    }  # fmt: skip
    return SectionScore(**(usual | changes))


def test_arms_differ_from_the_default_only_in_what_they_name(table):
    default = default_design().histology
    for arm, changes in table.ARMS.items():
        drawn = table.section_design(arm).histology
        changed = {name for name in type(default).model_fields if getattr(drawn, name) != getattr(default, name)}
        assert changed == {*changes, "sections", "organs", "field_um"}


def test_lines_are_judged(table):
    scores = [score() for _ in range(4)] + [score(matched=60, place_error_mm=math.nan)]
    lines = {line.measure: line for line in table.figures_of("matched", scores, [True] * 19 + [False])}
    assert lines["nuclei_recall"].value == pytest.approx(448 / 500) and lines["nuclei_recall"].held is False
    assert lines["labelled_recall"].value == 0.9 and lines["labelled_recall"].held is True
    assert lines["nuclei_count_error"].value == pytest.approx(0.02) and lines["nuclei_count_error"].held is True
    assert lines["density_coverage"].value == 0.95 and lines["place_error_mm"].n == 4
    assert {line.measure for line in table.figures_of("matched", [], [])} == set(lines)


def test_pairs_share_at_least_half():
    drawn, found = np.zeros((2, 12, 12), np.int32)
    drawn[2:6, 2:6], drawn[8:10, 8:10] = 1, 2
    found[2:6, 3:7], found[8:10, 9:11] = 2, 1
    a, b, overlap = match_nuclei(drawn, found)
    # 12 of 20 pixels; 2 of 6 are too few
    assert (a.tolist(), b.tolist(), overlap.tolist()) == ([0], [1], [0.6])


def test_intervals_hold_in_short(table):
    lines = {(line.arm, line.measure): line for line in table.interval_figures(250)}
    for (arm, measure), line in lines.items():
        if measure.endswith("naive"):
            # rows of one animal taken for animals: far too sure
            assert line.value < (0.91 if arm == "nested" else lines[arm, measure.removesuffix("_naive")].value)
        elif arm.endswith("animals"):
            # shares of few organs come in steps: intervals of them may be too wide
            assert line.value > 0.93 - 3 * math.sqrt(0.95 * 0.05 / line.n), measure
        else:
            # 250 to 750 cases: the bounds of the long form, 0.93 to 0.97, within three standard errors
            slack = 3 * math.sqrt(0.95 * 0.05 / line.n)
            assert 0.93 - slack < line.value < 0.97 + slack, (arm, measure)
