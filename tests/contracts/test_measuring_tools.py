"""`python -m speed` and `python -m accuracy`: their rows, their verdicts, and what they say of a missing peer."""

import dataclasses
import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
# as given beside the figures to beat; names are stable
ROWS = [
    "unmixing", "detection", "linking", "registration", "montecarlo", "diffusion", "live-small", "live-large", "session",
    "study", "cold-start", "mixed-model", "compare", "probe-design", "dls-inversion", "tcspc-fit",
    "micrograph",
]  # fmt: skip


def call(*words):
    done = subprocess.run([sys.executable, "-m", *words], cwd=ROOT, capture_output=True, text=True)
    return done.returncode, done.stdout, done.stderr


@pytest.fixture
def tools(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT))


def test_every_row_is_listed_and_what_does_not_run_says_why():
    code, out, _ = call("speed", "--list")
    assert code == 0
    listed = {line.split()[0]: line for line in out.splitlines()}
    assert sorted(listed) == sorted(ROWS)
    assert "not runnable yet" in listed["montecarlo"]
    assert listed["diffusion"] == "diffusion"


def test_a_row_that_does_not_run_is_said_in_json():
    code, out, _ = call("speed", "linking", "--json")
    assert code == 0
    (row,) = json.loads(out)["rows"]
    assert {"row", "peer", "ours_s", "peer_s", "ratio", "goal", "held", "answers_agree"} <= row.keys()
    assert row["held"] is None
    assert "not runnable yet" in row["note"]


@pytest.mark.parametrize("tool", ["speed", "accuracy"])
def test_an_unknown_name_is_wrong_usage(tool):
    code, out, err = call(tool, "no-such-name")
    assert (code, out) == (2, "")
    assert "no-such-name" in err


def test_a_missing_peer_is_said(tools, monkeypatch):
    from speed import diffusion

    monkeypatch.setitem(sys.modules, "pyamg", None)
    rows = diffusion.measure()
    assert {row.part for row in rows} == {"first source", "further source"}
    assert all("pyamg is not installed" in row.note and row.held is None and row.ours_s is None for row in rows)


def test_a_verdict_needs_speed_and_the_same_answer(tools):
    from speed.measurement import compared

    fast, slow = ([1.0, 1.0, 1.2], [3.0, 4.0, 3.0]), ([2.0, 2.0, 2.0], [3.0, 3.0, 3.0])
    assert compared("r", "p", "peer", fast, goal_ratio=2.5, agree=True).held is True
    assert compared("r", "p", "peer", fast, goal_ratio=2.5, agree=False).held is False
    assert compared("r", "p", "peer", slow, goal_ratio=2.5, agree=True).held is False
    found = compared("r", "p", "peer", fast, goal_ratio=2.5, agree=True)
    assert (found.ratio, found.ratio_low, found.ratio_high) == (3.0, 2.5, 4.0)


def test_unmixing_answers_are_really_compared(tools):
    from speed import unmixing

    mixing = np.array([[1.0, 0.2], [0.1, 1.0], [0.3, 0.4]])
    right = np.array([[1.0, 0.0], [0.5, 2.0]])
    data = right @ mixing.T
    assert unmixing._optimal(right, data, mixing)
    assert not unmixing._optimal(right * 1.001, data, mixing)
    assert unmixing._no_worse(right, right * 1.001, data, mixing)
    assert not unmixing._no_worse(right * 1.001, right, data, mixing)


def test_diffusion_answers_are_really_compared(tools):
    from speed import diffusion

    fluence = np.array([1.0, 0.5])
    assert diffusion._agree(fluence, fluence * (1 + 1e-6))
    assert not diffusion._agree(fluence, fluence * 1.01)


def test_a_sequences_answers_are_really_compared(tools, tmp_path, monkeypatch):
    """Whole numbers beside a pass over the file that was written; a frame lost or taken twice shows."""
    from lampyris.core.settings import Limits
    from lampyris.imaging.radiance.sequence import reduce_frames
    from lampyris.io.images.frames import open_frames
    from speed import session

    monkeypatch.setattr(session, "SIDE", 32)
    path = session._written(tmp_path, 40)
    found = reduce_frames(open_frames(path, Limits()))
    assert not [one for one in found.findings if one.rule == "sequence.duplicate"]
    rows = {"mean": found.mean[0, :: session.EVERY], "variance": found.variance[0, :: session.EVERY]}
    np.savez(tmp_path / "r.npz", **rows)
    assert session._is_right(tmp_path / "r.npz", 40)
    assert not session._is_right(tmp_path / "r.npz", 39)
    np.savez(tmp_path / "r.npz", mean=rows["mean"], variance=rows["variance"] * (1 + 1e-6))
    assert not session._is_right(tmp_path / "r.npz", 40)


def test_the_study_of_the_scaling_run_is_the_default_one_with_other_numbers(tools):
    import tomllib
    from importlib import resources

    from speed import study

    default = tomllib.loads(resources.files("lampyris.virtual").joinpath("data", "default.toml").read_text("utf-8"))
    found = tomllib.loads(study.design(study.ANIMALS[False], study.DAYS[False]))
    assert sum(arm["animals"] for arm in found["arms"].values()) == 40
    assert len(found["days"]) == 10
    found["days"] = default["days"]
    for name, arm in found["arms"].items():
        arm["animals"] = default["arms"][name]["animals"]
    assert found == default


def test_accuracy_lists_its_tables():
    code, out, _ = call("accuracy", "--list", "--json")
    assert code == 0
    from accuracy.__main__ import TABLES

    assert json.loads(out) == {"tables": list(TABLES)}
    # names are kept: others call them
    assert {
        "thread",
        "lesions",
        "kinds",
        "nulls",
        "relations",
        "fitting",
        "censoring",
        "mixed",
        "onset",
        "sizing",
        "bench-xrd",
        "bench-xrd-shapes",
        "fate",
        "release",
    } <= TABLES.keys()
    assert all(importlib.util.find_spec(module) for module in TABLES.values())


@pytest.mark.parametrize(
    ("value", "goal", "held"),
    [
        (0.96, {"at_least": 0.95}, True),
        (0.94, {"at_least": 0.95}, False),
        (0.995, {"at_least": 0.90, "at_most": 0.99}, False),
        (None, {"at_least": 0.95}, None),
        (0.5, {}, None),
    ],
)
def test_a_figure_is_judged_by_its_goal(tools, value, goal, held):
    from accuracy.figures import figure

    assert figure("thread", "matched", "m", value, None, 3, **goal).held is held


def test_the_matched_arm_departs_from_the_default_only_in_what_is_assumed(tools):
    from accuracy.animals.thread import matched_design
    from lampyris.virtual.design import default_design

    matched, drawn = matched_design(), default_design()
    assert matched.world.anatomy_spread == matched.world.optics_spread == matched.camera.band_mismatch == 0
    assert drawn.world.optics_spread > 0
    assert (matched.arms, matched.probes, matched.days) == (drawn.arms, drawn.probes, drawn.days)


def test_figures_of_a_score(tools):
    """Ten lesions, nine found, eight fluxes covered: counted by hand."""
    from accuracy.animals import thread
    from lampyris.trial.score import Call, LesionView, Score

    first = LesionView(
        study="s 1", animal="m0", session="d07", view="dorsal", lesion=1, organ="liver", cells=1e5, flux=2.0, limit=1.0,
        spot_y_mm=0.0, spot_x_mm=0.0, found=True, kind="lesion", error_mm=0.5, outline_flux=1.0, flux_value=1.1,
        flux_low=0.9, flux_high=1.3,
    )  # fmt: skip
    rows = [dataclasses.replace(first, animal=f"m{index}") for index in range(10)]
    rows[0] = dataclasses.replace(rows[0], found=False)
    rows[1] = dataclasses.replace(rows[1], flux_low=1.05)
    calls = tuple(Call("s 1", f"m{index}", index > 0, "") for index in range(10))
    score = Score(tuple(rows), len(rows), calls, 3, 0)
    figures = {one.measure: one for one in thread._figures("matched", score)}
    assert figures["recall_above_limit"].value == pytest.approx(0.9)
    assert figures["recall_above_limit"].held is False
    assert figures["precision"].value == pytest.approx(0.9)
    assert figures["interval_coverage"].value == pytest.approx(8 / 9)
    assert (figures["interval_coverage"].n, figures["interval_coverage"].held) == (9, False)
    assert figures["spot_rmse_mm"].value == pytest.approx(0.5)
    assert (figures["spot_rmse_mm"].low, figures["spot_rmse_mm"].high) == pytest.approx((0.5, 0.5))
    assert figures["flux_relative_error_median"].value == pytest.approx(0.1)
    assert figures["recall_above_limit"].low < 0.9 < figures["recall_above_limit"].high
