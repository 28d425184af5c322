"""Methods checks in the course of a study: kept with its results, never in the way of the analysis, shown by the command line."""

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from cheap_step import cheap_follow, cheap_step
from faults import animals, edit, every, rewrite
from small_study import write_small_study

from lampyris.cli.command import main
from lampyris.core.checks import Outcome, Stated
from lampyris.study.assemble import load_results
from lampyris.study.check import check_study
from lampyris.study.checks.run import CHECKS
from lampyris.study.run import Analysis, run_study
from lampyris.virtual.design import default_design
from lampyris.virtual.simulate import simulate_study

ASKED = """
[reporting]
randomisation = "by weight"
blinding = "no: one person did all"
cell_line = "4T1"

[probes.qd.characterisation]
core_nm = 6.8
"""
A_CAGE_PER_ARM = every(animals("a2,targeted,c1", "a2,targeted,c0"), animals("b1,untargeted,c0", "b1,untargeted,c1"))


def fired(verdicts):
    return {verdict.check: verdict.severity for verdict in verdicts if verdict.outcome is Outcome.FIRED}


def never(*what):
    raise AssertionError(f"analysed again: {what[0]}")


@pytest.fixture(scope="module")
def _analysed_once(tmp_path_factory):
    study = write_small_study(tmp_path_factory.mktemp("analysed") / "study")
    run_study(study, workers=1, analysis=Analysis(cheap_step, cheap_follow))
    return study


@pytest.fixture
def analysed(_analysed_once, tmp_path):
    return Path(shutil.copytree(_analysed_once, tmp_path / "analysed"))


def test_results_keep_a_verdict_of_each_check_and_every_item(analysed):
    results = load_results(analysed / "results")
    assert [verdict.check for verdict in results.checks] == list(CHECKS)
    # two animals an arm, nothing stated of allocation and blinding, nor of the dot
    assert fired(results.checks) == {"L08": "warning", "L15": "warning", "L24": "note"}
    assert {item.state for item in results.reporting} == set(Stated) - {Stated.NOT_APPLICABLE}
    # they have their own section, and are not told twice
    assert not {finding.rule for finding in results.findings} & set(CHECKS)
    with (analysed / "results/tables/methods_checks.csv").open(newline="", encoding="utf-8") as stream:
        assert [row["check"] for row in csv.DictReader(stream)] == list(CHECKS)
    with (analysed / "results/tables/reporting_items.csv").open(newline="", encoding="utf-8") as stream:
        assert len(list(csv.DictReader(stream))) == len(results.reporting)


def test_what_is_only_reported_repeats_no_analysis(analysed, monkeypatch):
    edit("study.toml", "per_cell = 1e5\n", "per_cell = 1e5\n" + ASKED)(analysed)
    monkeypatch.setattr("cheap_step.view_result", never)
    monkeypatch.setattr("cheap_step.endpoints_of", never)
    run_study(analysed, workers=1, analysis=Analysis(cheap_step, cheap_follow))
    results = load_results(analysed / "results")
    assert "L15" not in fired(results.checks)
    assert {item.item: item.said for item in results.reporting if item.guideline == "ARRIVE 2.0"}["4a"] == "by weight"


def test_a_conclusion_that_does_not_hold_stops_no_analysis(small_study):
    A_CAGE_PER_ARM(small_study)
    checked = check_study(small_study)
    assert fired(checked.checks)["L17"] == "error"
    assert [finding.rule for finding in checked.errors] == ["L17"] and checked.sheet_errors == ()
    assert run_study(small_study, workers=1, analysis=Analysis(cheap_step, cheap_follow), only="a1").exit_code == 0
    assert fired(load_results(small_study / "results").checks)["L17"] == "error"


def test_the_command_line_lists_every_check(small_study, capsys):
    A_CAGE_PER_ARM(small_study)
    assert main(["check", str(small_study), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert [entry["check"] for entry in said["checks"]] == list(CHECKS)
    assert {"outcome", "severity", "message", "fix", "where", "why", "threshold", "basis", "source"} <= said["checks"][
        0
    ].keys()
    assert [entry["check"] for entry in said["errors"]] == ["L17"]
    assert main(["check", str(small_study)]) == 0
    last = capsys.readouterr().out.splitlines()[-1]
    assert last.startswith("methods checks: 21 of 25 passed or not applicable; fired: L08 Small n (warning)")


def test_a_dark_frame_brighter_than_its_images_is_seen_in_the_files(small_study):
    rewrite("raw/dark.ome.tif", values=np.arange(10) % 3 + 400)(small_study)
    (verdict,) = [one for one in check_study(small_study).checks if one.check == "L02"]
    assert (verdict.outcome, verdict.severity) == (Outcome.FIRED, "warning")
    assert "its dark frame at 401" in verdict.seen and verdict.where == "samplesheet.csv, row 2, column background"


def test_faulty_settings_leave_a_complete_list(small_study):
    edit("study.toml", "pixel_mm = 0.5", "pixel_um = 500")(small_study)
    checked = check_study(small_study)
    assert [verdict.check for verdict in checked.checks] == list(CHECKS)
    assert fired(checked.checks) == {}


def test_an_unknown_key_of_a_reported_table_is_placed_and_mended(small_study):
    edit("study.toml", "per_cell = 1e5\n", "per_cell = 1e5\n" + ASKED.replace("core_nm", "core_mm"))(small_study)
    (found,) = check_study(small_study, images=False).sheet_errors
    assert str(found.place) == "study.toml, row 49, probes.qd.characterisation.core_mm"
    assert "Did you mean core_nm" in found.mend


def test_a_virtual_study_passes_all_but_what_its_design_violates(tmp_path):
    """Of the default design only L24 fires: virtual dots have no chemistry. This one has too few animals besides: L08."""
    whole = default_design()
    design = whole.model_copy(
        update={
            "arms": {
                name: arm.model_copy(update={"animals": 1})
                for name, arm in whole.arms.items()
                if name in ("dye", "targeted")
            },
            "days": whole.days[:1],
            "views": ("dorsal",),
            "world": whole.world.model_copy(update={"voxel_mm": 1.2}),
        }
    )
    made = simulate_study(tmp_path / "study", seed=1, design=design)
    checked = check_study(made.study)
    assert fired(checked.checks) == {"L08": "warning", "L24": "note"}, [
        (verdict.check, verdict.seen) for verdict in checked.checks if verdict.outcome is Outcome.FIRED
    ]
    assert all(arm.animals >= 5 for arm in whole.arms.values() if arm.role == "labelled")
