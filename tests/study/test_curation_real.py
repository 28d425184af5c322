"""Corrections with the real analysis on a small virtual animal: measured again, followed again, and told beside the automatic."""

import csv

import pytest

from lampyris.core.flags import DetectionFlag
from lampyris.core.schemas import CURATION
from lampyris.study.assemble import load_results
from lampyris.study.run import run_study
from lampyris.virtual.design import default_design
from lampyris.virtual.simulate import simulate_study


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """One labelled animal on one day, analysed automatically."""
    plan = default_design()
    plan = plan.model_copy(
        update={
            "name": "tiny",
            "days": (7.0,),
            "arms": {"targeted": plan.arms["targeted"].model_copy(update={"animals": 1})},
            "instrument": plan.instrument.model_copy(update={"pixel_mm": 0.6}),
            "world": plan.world.model_copy(update={"voxel_mm": 1.0}),
            "camera": plan.camera.model_copy(update={"pixels": (192, 168)}),
        }
    )
    folder = simulate_study(tmp_path_factory.mktemp("virtual") / "tiny", seed=3, design=plan).study
    settings = (folder / "study.toml").read_text()
    assert "voxel_mm = 0.8 " in settings
    (folder / "study.toml").write_text(settings.replace("voxel_mm = 0.8 ", "voxel_mm = 1.2 "))
    assert run_study(folder, workers=1).exit_code == 0
    return folder


def test_move_reject_and_name_the_organ(study):
    automatic = load_results(study / "results")
    (before,) = automatic.outcomes
    (session,) = automatic.sessions
    spread = [one for one in before.lesions if one.kind == "lesion" and one.number > 1]
    others = [one for one in before.lesions if one.kind not in ("lesion", "primary")]
    named, rejected = spread[0], others[0]

    def row(lesion, action, **cells):
        view, number = lesion.sightings[0].detections[0]
        found = next(v for v in session.views if v.view == view).detections
        spot = next(one for one in found if one.number == number)
        who = {"reason": "by eye", "author": "B. Iologist", "time": "2026-03-20T10:00"}
        place = {"y_mm": round(spot.y_mm, 1), "x_mm": round(spot.x_mm, 1)}
        if action == "move":
            place |= {"target_y_mm": place["y_mm"], "target_x_mm": place["x_mm"], "y_mm": place["y_mm"] + 1.5}
        return {
            "animal": "m01", "session": session.session, "view": view, "action": action, "lesion": lesion.number,
            **place, **cells, **who,
        }  # fmt: skip

    rows = [row(named, "move"), row(named, "relabel", organ="lungs"), row(rejected, "reject")]
    with (study / "curation.csv").open("w", newline="") as stream:
        writer = csv.DictWriter(stream, [column.name for column in CURATION])
        writer.writeheader()
        writer.writerows(rows)
    assert run_study(study, workers=1).exit_code == 0
    results = load_results(study / "results")
    (after,) = results.outcomes
    # numbers are the automatic ones; the rejected one is gone, and stands apart
    assert {one.number for one in after.lesions} == {one.number for one in before.lesions} - {rejected.number}
    assert sum(len(view.rejected) for one in results.sessions for view in one.views) == len(
        rejected.sightings[0].detections
    )
    lesion = next(one for one in after.lesions if one.number == named.number)
    assert (lesion.organ, lesion.organs["lungs"]) == ("lungs", 1.0)
    # place and amount are those of that organ
    assert lesion.position_mm != named.position_mm
    assert lesion.sightings[0].cells.value != named.sightings[0].cells.value
    view, number = named.sightings[0].detections[0]
    spot = next(d for v in results.sessions[0].views if v.view == view for d in v.detections if d.number == number)
    assert spot.flags & DetectionFlag.PLACED_BY_HAND
    assert results.corrections.outcomes[0].lesions == before.lesions
    assert [one.animal for one in results.corrections.sessions] == ["m01"]
    assert "corrected by hand" in " ".join(results.methods)
