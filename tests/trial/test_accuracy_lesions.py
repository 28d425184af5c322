"""The table of lesions: what its arms draw, and how its lines are judged."""

from dataclasses import replace
from pathlib import Path

import pytest
from synthetic_nouns import estimate

from lampyris.trial.score import Score
from lampyris.trial.score_lesions import Amount, Followed, FollowedLesion
from lampyris.virtual.design import World, default_design


@pytest.fixture
def table(monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2]))
    from accuracy.animals import lesions

    return lesions


def differing(one: World, other: World) -> set[str]:
    return {name for name in World.model_fields if getattr(one, name) != getattr(other, name)}


def test_arms_differ_only_in_what_the_analysis_assumes(table):
    matched, astray, known = (table.lesion_design(arm) for arm in table.ARMS)
    default = default_design()
    assert matched.world.anatomy_spread == matched.world.optics_spread == 1.0
    assert differing(matched.world, default.world) == {
        "secondary_sites", "secondary_cells", "site_distance_mm", "brightness_spread",
    }  # fmt: skip
    assert matched.camera == default.camera == known.camera
    assert differing(known.world, matched.world) == set(table.NOMINAL)
    assert differing(astray.world, matched.world) == {*table.ASTRAY, "brightness_spread"}
    assert astray.world.optics_spread == 1.5 * matched.world.optics_spread
    assert astray.world.voxel_mm < matched.world.voxel_mm
    assert astray.camera.band_mismatch == 0.01
    assert {design.days for design in (matched, astray, known)} == {(0.0, 7.0, 14.0)}


def test_an_arm_holds_five_hundred_lesions(table):
    design = table.lesion_design("matched")
    animals = len(table.SEEDS) * sum(arm.animals for arm in design.arms.values())
    low, high = design.world.secondary_sites
    assert animals * (1 + (low + high) / 2) >= 500


def test_every_goal_has_its_line(table):
    assert set(table.GOALS) <= set(table.MEASURES)
    assert {arm for goals in table.GOALS.values() for arm in goals} == set(table.ARMS)


def test_an_empty_score_is_no_verdict(table):
    lines = table.figures_of("matched", Score((), 0, (), 0, 0))
    assert [line.measure for line in lines] == list(table.MEASURES)
    assert {line.value for line in lines} == {line.held for line in lines} == {None}


def test_lines_are_judged_by_their_arm(table):
    """Twenty lesions in as many animals: 19 intervals of place and 17 amounts hold the truth, all organs are right at 90 %."""
    row = FollowedLesion(
        study="s", animal="m", number=1, lesion=1, kind="lesion", right_kind=True, primary=False, organ="liver",
        true_organ="liver", organ_probability=0.9, right_organ=True, apart_mm=1.0, inside=(True, True, True),
        depth=estimate(2.4), true_depth_mm=2.0, arrival_day=0.5, after_day=0.0, by_day=1.0,
    )  # fmt: skip
    rows = [replace(row, animal=f"m{index}") for index in range(20)]
    rows[0] = replace(rows[0], inside=(False, False, False))
    amounts = [Amount("s", f"m{index}", True, estimate(10.0), 10.0 if index < 17 else 20.0) for index in range(20)]
    score = Score((), 0, (), 0, 0, followed=Followed(tuple(rows), tuple(amounts)))
    by_arm = {arm: {line.measure: line for line in table.figures_of(arm, score)} for arm in table.ARMS}
    matched = by_arm["matched"]
    assert (matched["position_coverage"].value, matched["position_coverage"].n) == (pytest.approx(0.95), 60)
    assert matched["position_coverage"].held is True
    assert matched["cells_coverage"].held is by_arm["mismatched"]["cells_coverage"].held is False
    assert matched["organ_confidence_gap"].value == pytest.approx(0.1)
    assert matched["organ_confidence_gap"].held is False
    # depths are judged where the optics are known
    assert matched["depth_error_median_mm_to_2mm"].goal == ""
    assert by_arm["known optics"]["depth_error_median_mm_to_2mm"].held is True
    assert by_arm["known optics"]["position_coverage"].goal == ""
