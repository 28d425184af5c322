"""The table of excised organs: what its arms draw, and how its lines are judged."""

import math
from pathlib import Path

import pytest

from lampyris.core.estimate import Estimate
from lampyris.trial.score_exvivo import OrganCase
from lampyris.virtual.design import default_design


@pytest.fixture
def table(monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2]))
    from accuracy.animals import exvivo

    return exvivo


def case(*, overlap=0.97, touching=False, low=0.5, true=1.0):
    share = Estimate(0.9, 0.2, low, 1.6, 0.95, "%ID/g", "given")
    return OrganCase("m01", "liver", overlap, True, touching, True, False, False, 1.02, share, share, true, true, 2.7)


def test_arms_differ_from_the_default_only_in_what_they_name(table):
    default = default_design().exvivo
    for arm, changes in table.ARMS.items():
        drawn = table.tray_design(arm, animals=3)
        changed = {name for name in type(default).model_fields if getattr(drawn.exvivo, name) != getattr(default, name)}
        assert changed == {*changes, "trays", "icp"}
        assert sum(one.animals for one in drawn.arms.values()) == 3


def test_lines_are_judged(table):
    cases = (*(case() for _ in range(19)), case(low=0.85, true=0.8), case(touching=True, overlap=0.85))
    lines = {line.measure: line for line in table.figures_of("matched", cases, (1, 20))}
    assert (lines["outline_share"].value, lines["outline_share"].held) == (1.0, True)
    assert (lines["outline_share_touching"].value, lines["outline_share_touching"].held) == (0.0, False)
    assert lines["coverage"].value == pytest.approx(20 / 21) and lines["coverage"].held
    assert lines["outline_least"].value == 0.85 and lines["uncorrected_ratio"].value == pytest.approx(2.7)
    assert (lines["trays_refused"].value, lines["trays_refused"].held) == (0.05, True)
    assert {line.measure for line in table.figures_of("mismatched", (), (0, 0))} == set(lines)


def test_bounds_without_a_value_count_for_coverage(table):
    bound = Estimate(math.nan, math.nan, 0.0, 2.0, 0.95, "%ID/g", "bound")
    faint = OrganCase("m01", "brain", 0.95, True, False, True, False, True, 0.5, bound, bound, 1.0, 1.0, math.nan)
    lines = {line.measure: line for line in table.figures_of("matched", (faint,), (0, 1))}
    assert (lines["coverage"].value, lines["coverage"].n, lines["flux_ratio"].n) == (1.0, 1, 0)
