"""The table of relations: every measure can be drawn, and is judged by its arm. Its figures need `python -m accuracy relations`."""

from pathlib import Path

import pytest


@pytest.fixture
def table(monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parents[3]))
    from accuracy.statistics import relations

    return relations


def test_every_measure_can_be_drawn(table):
    trials = list(table.trials())
    assert len({(trial.arm, trial.measure) for trial in trials}) == len(trials)
    for trial in trials:
        line = table.scored(trial, 3)
        assert (line.table, line.arm, line.measure, line.n) == ("relations", trial.arm, trial.measure, 3)
        # what a method does not assume is shown, not judged
        assert (line.held is None) is (trial.arm == "mismatched")


def test_few_drawings_are_judged_with_what_chance_allows(table):
    def trial(arm, share):
        return table.Trial(arm, "m", lambda rng: rng.random() < share, table.COVERAGE)

    assert table.scored(trial("matched", 0.95), 5000).goal == ">= 0.93, <= 0.97"
    assert table.scored(trial("matched", 0.9), 5000).held is False
    assert table.scored(trial("matched", 0.93), 500).held is True


def test_a_measure_is_drawn_the_same_each_time(table):
    trial = next(iter(table.trials()))
    assert table.scored(trial, 50) == table.scored(trial, 50)
