"""From bare images of a virtual study, sheets and truth thrown away, to a report: the real analysis, one field filled in."""

import shutil

import pytest
from bare_folders import fill

from lampyris.study.draft.begin import begin_study
from lampyris.study.run import run_study
from lampyris.virtual.design import default_design
from lampyris.virtual.simulate import simulate_study


def bare_images(folder, raw_format, *, per_image):
    design = default_design()
    arm = design.arms["targeted"].model_copy(update={"animals": 2})
    camera = design.camera.model_copy(update={"pixels": (240, 150), "animals_per_image": per_image})
    # whether there is a report does not hang on how finely the images were computed
    world = design.world.model_copy(update={"voxel_mm": 1.2})
    small = design.model_copy(
        update={"days": (0.0, 7.0), "views": ("dorsal",), "arms": {"targeted": arm}, "camera": camera, "world": world}
    )
    made = simulate_study(folder / "virtual", seed=5, design=small, raw_format=raw_format)
    bare = folder / "bare"
    shutil.move(made.study / "raw", bare)
    shutil.rmtree(made.study)
    shutil.rmtree(made.truth)
    return bare


@pytest.mark.parametrize(("raw_format", "per_image"), [("ome-tiff", 1), ("ivis", 2)])
def test_a_report_after_one_field(tmp_path, raw_format, per_image):
    study = tmp_path / "study"
    begun = begin_study(study, folder=bare_images(tmp_path, raw_format, per_image=per_image))
    assert fill(study, emission_nm=810) == len(begun.to_fill) == 1
    outcome = run_study(study, workers=1)
    assert {name: entry["status"] for name, entry in outcome.animals.items()} == {"m01": "done", "m02": "done"}
    report = outcome.report.read_text(encoding="utf-8")
    assert "was assumed" in report or "were assumed" in report
    assert "ynthetic" in report
