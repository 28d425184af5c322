"""Exchanged labels by the places of spots: closed cases on hand-made sessions."""

from types import SimpleNamespace

import numpy as np
import pytest

from lampyris.core.images import Pose
from lampyris.imaging.body.animal import stage_from_animal
from lampyris.imaging.body.view_labels import LEAST_LOG_ODDS, SPOT_APART_MM, SPOT_SD_MM, label_log_odds

MOST = 0.5 * (SPOT_APART_MM / SPOT_SD_MM) ** 2
POSES = {"dorsal": Pose(5.0, 22.0, 0.1, 1.05, 0.95), "ventral": Pose(4.0, 24.0, -0.05, 1.0, 1.0, mirrored=True)}


def view(label, right, true=None):
    """A view of label `label`, whose spots at (y, right) of the animal were seen from the side `true`."""
    poses = POSES[true or label], POSES[label]
    y, x = stage_from_animal(poses[0], np.array([30.0 + 10 * n for n in range(len(right))]), np.array(right, float))
    spots = tuple(SimpleNamespace(y_mm=float(a), x_mm=float(b)) for a, b in zip(y, x, strict=True))
    # the outline is nearly symmetric: under the wrong label the pose is the right one but for its mirror
    pose = Pose(poses[0].y_mm, poses[0].x_mm, poses[0].angle_rad, poses[0].scale_y, poses[0].scale_x, poses[1].mirrored)
    return SimpleNamespace(view=label, detections=spots, registration=SimpleNamespace(pose=pose))


def session(name, right, *, exchanged=False, ventral=None):
    sides = ("ventral", "dorsal") if exchanged else ("dorsal", "ventral")
    shown = {"dorsal": right, "ventral": right if ventral is None else ventral}
    views = tuple(view(label, shown[true], true) for label, true in zip(("dorsal", "ventral"), sides, strict=True))
    return SimpleNamespace(session=name, views=views)


def test_one_exchanged_session_of_three_stands_out():
    odds = label_log_odds([session("a", [9.0]), session("b", [9.0], exchanged=True), session("c", [9.0])])
    # two views and two other days each say the most; of the right ones, one day says as much against as the other for
    assert odds["b"] == pytest.approx(4 * MOST)
    assert odds["a"] == odds["c"] == pytest.approx(0.0)
    assert odds["b"] > LEAST_LOG_ODDS


def test_right_labels_are_sure():
    odds = label_log_odds([session(name, [9.0, -4.0]) for name in "abc"])
    assert all(value == pytest.approx(-8 * MOST) for value in odds.values())


def test_of_two_sessions_both_are_marked():
    odds = label_log_odds([session("a", [9.0]), session("b", [9.0], exchanged=True)])
    assert odds["a"] == odds["b"] == pytest.approx(2 * MOST)


@pytest.mark.parametrize("right", [[], [0.0]], ids=["nothing", "midline"])
def test_what_says_nothing(right):
    odds = label_log_odds([session("a", right), session("b", right, exchanged=True)])
    assert odds == pytest.approx({"a": 0.0, "b": 0.0})


def test_a_spot_that_others_do_not_show_says_nothing():
    odds = label_log_odds([session("a", [9.0]), session("b", []), session("c", [])])
    assert odds == pytest.approx({"a": 0.0, "b": 0.0, "c": 0.0})


def test_a_spot_of_one_view_is_sought_in_that_view():
    odds = label_log_odds([session(name, [9.0], ventral=[], exchanged=name == "b") for name in "abc"])
    assert odds["b"] == pytest.approx(2 * MOST)


def test_sessions_of_one_view_are_left_out():
    alone = SimpleNamespace(session="d", views=session("d", [9.0]).views[:1])
    assert set(label_log_odds([session("a", [9.0]), alone])) == {"a"}
    assert label_log_odds([alone]) == {}
