"""The animal's own frame: where a mesh puts a pixel, and that a lesion stays where it is when the day changes."""

import dataclasses

import numpy as np
import pytest

from lampyris.core.images import Pose, Registration
from lampyris.core.study import StudyResults
from lampyris.imaging.body.animal import stage_from_animal
from lampyris.report.pictures.packing import Frame
from lampyris.report.pictures.registered import (
    FIRST_MM,
    HALF_WIDTH_MM,
    LAST_MM,
    STATION_MM,
    mesh,
    nominal_pixels,
    stations_mm,
    study_poses,
)
from lampyris.report.pictures.survey import looks, survey

POSES = {
    "straight": Pose(10.0, 20.0),
    "turned": Pose(8.0, 25.0, 0.3, 0.9, 1.1),
    "ventral": Pose(8.0, 25.0, -0.2, 1.05, 0.95, mirrored=True),
}
FRAME = Frame(5, 7, 240, 160)


def through_mesh(nodes: list[int], x_mm: float, y_mm: float) -> tuple[float, float]:
    """What the page's script does: along the stations, then across between their two ends."""
    at = (y_mm - FIRST_MM) / STATION_MM
    k = min(len(nodes) // 4 - 2, int(at))
    ends = (1 - (at - k)) * np.array(nodes[4 * k : 4 * k + 4]) + (at - k) * np.array(nodes[4 * k + 4 : 4 * k + 8])
    u = (x_mm + HALF_WIDTH_MM) / (2 * HALF_WIDTH_MM)
    return tuple((ends[:2] + (ends[2:] - ends[:2]) * u) / 10)


def test_stations_span_the_frame() -> None:
    assert stations_mm()[0] == FIRST_MM and stations_mm()[-1] == LAST_MM


@pytest.mark.parametrize("name", POSES)
def test_mesh_lays_every_place_where_the_pose_does(name: str) -> None:
    pose, pixel = POSES[name], 0.45
    nodes = mesh(pose, FRAME, pixel)
    for across, along in [(0.0, 0.0), (9.3, 41.7), (-12.0, 88.0)]:
        y_mm, x_mm = stage_from_animal(pose, np.array(along), np.array(-across if pose.mirrored else across))
        expected = x_mm / pixel - FRAME.x + 0.5, y_mm / pixel - FRAME.y + 0.5
        # nodes are kept to a tenth of a pixel
        assert through_mesh(nodes, across, along) == pytest.approx(expected, abs=0.06)


@pytest.mark.parametrize("name", POSES)
def test_outlines_go_back_to_where_they_came_from(name: str) -> None:
    pose, pixel = POSES[name], 0.45
    across, along = 6.0, 30.0
    y_mm, x_mm = stage_from_animal(pose, np.array(along), np.array(-across if pose.mirrored else across))
    ((x, y),) = nominal_pixels(pose, [(float(y_mm), float(x_mm))], pixel)
    assert x * pixel - HALF_WIDTH_MM == pytest.approx(across, abs=1e-9)
    assert y * pixel + FIRST_MM == pytest.approx(along, abs=1e-9)
    assert nominal_pixels(pose, [], pixel) == []


def test_a_lesion_stays_at_its_place_over_days(small_study: StudyResults) -> None:
    poses, frames = study_poses(small_study), survey(looks(small_study.sessions)).frames
    own = [
        (s, session) for s, session in enumerate(small_study.sessions) if session.animal == "m000" and session.day > 0
    ]
    places, raw = [], []
    for s, session in own:
        view = session.views[0]
        spot = view.detections[0]
        places.append(nominal_pixels(poses[s, 0], [(spot.y_mm, spot.x_mm)], view.pixel_mm)[0])
        raw.append((spot.x_mm / view.pixel_mm - frames[s, 0].x, spot.y_mm / view.pixel_mm - frames[s, 0].y))
    assert np.ptp(places, axis=0).max() < 1e-6
    # the animal itself lies differently
    assert np.ptp(raw, axis=0).max() > 0.1


def test_following_s_own_registrations_come_before_the_picture_s(small_study: StudyResults) -> None:
    elsewhere = Registration(Pose(1.0, 2.0), 0.5, 0.9, "landmarks")
    outcomes = tuple(
        dataclasses.replace(o, registrations=((elsewhere, elsewhere),) * len(o.days)) if o.animal == "m000" else o
        for o in small_study.outcomes
    )
    poses = study_poses(dataclasses.replace(small_study, outcomes=outcomes))
    assert poses[0, 0] == elsewhere.pose
    short = tuple(dataclasses.replace(o, registrations=((elsewhere,),)) for o in small_study.outcomes)
    kept = study_poses(dataclasses.replace(small_study, outcomes=short))
    assert kept[0, 0] == small_study.sessions[0].views[0].registration.pose
