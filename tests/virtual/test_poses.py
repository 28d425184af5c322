"""How drawn animals lie: bent, breathing, differently in every image, and the same for one seed."""

import json
from dataclasses import asdict

import numpy as np
import pytest

from lampyris.core.images import Pose
from lampyris.imaging.body.animal import animal_from_stage, stage_from_animal
from lampyris.tissue.anatomy import NOMINAL_LENGTH_MM, AnatomyParameters
from lampyris.virtual.design import default_design
from lampyris.virtual.simulate import CHEST_SHARE, _draw_pose
from lampyris.virtual.truth import _pose


class _Who:
    parameters = AnatomyParameters()


def plan_with(**world):
    plan = default_design()
    return plan.model_copy(update={"world": plan.world.model_copy(update=world)})


def poses_of(plan, count=400, view="dorsal"):
    rng = np.random.default_rng(1)
    return [_draw_pose(plan, _Who(), view, rng) for _ in range(count)]


def test_bends_sways_and_breaths_have_the_stated_spread():
    plan = plan_with(bend_mm=2.0, sway_mm=0.8, breathing=0.02)
    poses = poses_of(plan)
    bends = np.array([pose.bend_mm for pose in poses])
    middle = bends.shape[1] // 2
    # 400 draws: 3.5 % standard error of a standard deviation
    assert bends[:, middle].std() == pytest.approx(2.0, rel=0.12)
    quarter = bends.shape[1] // 4
    assert ((bends[:, quarter] - bends[:, -1 - quarter]) / 2.0).std() == pytest.approx(0.8, rel=0.12)
    assert bends[:, [0, -1]] == pytest.approx(0.0, abs=1e-12)
    girth = np.array([pose.girth for pose in poses])
    chest = round(CHEST_SHARE * (girth.shape[1] - 1))
    assert girth[:, chest].std() == pytest.approx(0.02, rel=0.12)
    # a breath widens the chest, not the rump
    assert np.abs(girth[:, -1] - 1.0).max() < 1e-4


def test_the_middle_of_the_animal_lies_near_the_middle_of_the_stage():
    plan = plan_with(pose_shift_mm=0.0)
    middle = np.array(plan.camera.pixels) * plan.instrument.pixel_mm / 2.0
    for pose in poses_of(plan, 20, "ventral"):
        there = stage_from_animal(pose, np.array(NOMINAL_LENGTH_MM / 2.0), np.array(0.0))
        assert np.array(there) == pytest.approx(middle, abs=1e-9)
        assert pose.mirrored


def test_an_animal_can_be_laid_straight():
    plan = plan_with(bend_mm=0.0, sway_mm=0.0, breathing=0.0, pose_shift_mm=0.0, pose_turn_deg=0.0)
    (pose,) = poses_of(plan, 1)
    straight = Pose(pose.y_mm, pose.x_mm)
    y, right = np.meshgrid(np.linspace(-5.0, 110.0, 20), np.linspace(-14.0, 14.0, 9))
    assert np.array(stage_from_animal(pose, y, right)) == pytest.approx(
        np.array(stage_from_animal(straight, y, right)), abs=1e-9
    )


def test_poses_differ_between_images_and_repeat_with_the_generator():
    plan = default_design()
    one, two = poses_of(plan, 4), poses_of(plan, 4)
    assert one == two
    assert len(set(one)) == 4


def test_drawn_poses_are_inverted_over_the_body():
    y, right = np.meshgrid(np.linspace(0.0, 110.0, 60), np.linspace(-15.0, 15.0, 31))
    for pose in poses_of(default_design(), 30):
        back = animal_from_stage(pose, *stage_from_animal(pose, y, right))
        # a millionth of a mm, asked of realistic bends
        assert np.abs(np.array(back) - [y, right]).max() < 1e-6


def test_a_pose_comes_back_from_the_truth_s_file():
    (pose,) = poses_of(default_design(), 1)
    again = _pose(json.loads(json.dumps(asdict(pose))))
    assert again == pose
    assert hash(again) == hash(pose)


@pytest.mark.parametrize("key", ["bend_mm", "sway_mm", "breathing"])
def test_a_spread_below_zero_is_refused(key):
    plan = default_design()
    with pytest.raises(ValueError, match=key):
        type(plan.world).model_validate({**plan.world.model_dump(), key: -1.0})
