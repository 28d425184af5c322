"""The score tables of fitting and censoring: their lines and goals, on a few draws."""

from pathlib import Path

import pytest


@pytest.fixture
def tables(monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2]))
    from accuracy.statistics import censoring, fitting

    monkeypatch.setattr(censoring, "QUICK_DRAWS", 6)
    monkeypatch.setattr(fitting, "QUICK_DRAWS", 4)
    return censoring, fitting


def test_every_profile_has_a_goal_and_the_symmetric_interval_stands_beside_it(tables):
    lines = tables[1].tables(quick=True)
    assert {line.measure for line in lines if line.goal} == {"profile_coverage_height", "profile_coverage_life"}
    assert {line.arm for line in lines} == {"squares", "counts"}
    assert {line.n for line in lines} == {4}


def test_substitution_stands_beside_the_likelihood(tables):
    lines = {(line.arm, line.measure): line for line in tables[0].tables(quick=True)}
    for name in ("likelihood", "zero", "half_limit", "limit"):
        assert ("normal", f"bias_of_mean_{name}") in lines
    assert lines["normal", "bias_of_mean_zero"].value < lines["normal", "bias_of_mean_half_limit"].value
    assert lines["normal", "bias_of_mean_half_limit"].value < lines["normal", "bias_of_mean_limit"].value
    assert lines["unequal spread", "false_positives_likelihood"].goal == "<= 0.06"
    assert lines["unequal spread", "false_positives_naive_limit"].goal == ""
