"""The table of kinds: what its arm draws, and how its lines are judged."""

from pathlib import Path

import pytest

from lampyris.trial.score_kinds import TRUE_KINDS, KindCase
from lampyris.virtual.design import World, default_design


@pytest.fixture
def table(monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2]))
    from accuracy.animals import kinds

    return kinds


def test_the_arm_differs_from_the_default_only_in_what_strays(table):
    design, default = table.stray_design((2, 3, 1)), default_design()
    changed = {name for name in World.model_fields if getattr(design.world, name) != getattr(default.world, name)}
    assert changed == set(table.STRAYS)
    assert {name: arm.animals for name, arm in design.arms.items()} == {"targeted": 2, "dye": 3, "control": 1}
    assert design.days == (0.0, 3.0, 7.0, 14.0, 21.0)


def test_every_measure_has_its_line(table):
    lines = table.figures_of(())
    assert [line.measure for line in lines] == list(table.MEASURES)
    assert {line.value for line in lines} == {line.held for line in lines} == {None}
    assert set(table.GOALS) <= set(table.MEASURES)
    assert all(f"named_{kind}" in table.MEASURES for kind in TRUE_KINDS)


def test_lines_are_judged(table):
    """Ten sources called lesions at 0.9: nine are, so that the gap is none."""
    cases = tuple(
        KindCase("s", f"m{index}", 1, "", "lesion" if index else "gut", {"lesion": 0.9, "artefact": 0.1}, 2, 1)
        for index in range(10)
    )
    lines = {line.measure: line for line in table.figures_of(cases)}
    assert (lines["kind_confidence_gap"].value, lines["kind_confidence_gap"].held) == (pytest.approx(0.0), True)
    assert (lines["tumour_precision"].value, lines["tumour_precision"].n) == (pytest.approx(0.9), 10)
    assert (lines["spots_gut"].value, lines["spots_gut"].n) == (pytest.approx(0.1), 20)
    worse = table.figures_of(tuple(case for case in cases if case.true == "gut"))
    assert next(line for line in worse if line.measure == "kind_confidence_gap").held is False
