"""Where a virtual study is written, what it may replace, and the two kinds of arm."""

import json
from itertools import pairwise
from pathlib import Path

import pytest

from lampyris.core.errors import UsageError
from lampyris.virtual.design import Design, default_design, read_design
from lampyris.virtual.simulate import simulate_study
from lampyris.virtual.truth import lesion_image, read_truth

INJECTED = Path(__file__).parents[2] / "docs" / "designs" / "injected.toml"


def tiny(design: Design) -> Design:
    """One labelled animal, one day, one view."""
    name, arm = next(iter(design.arms.items()))
    return design.model_copy(
        update={
            "arms": {name: arm.model_copy(update={"animals": 1})},
            "days": design.days[:1],
            "views": ("ventral",),
            "world": design.world.model_copy(update={"voxel_mm": 1.2}),
        }
    )


def test_replaces_its_own_study_and_keeps_what_others_put_there(tmp_path: Path) -> None:
    design = tiny(default_design())
    made = simulate_study(tmp_path / "study", seed=1, design=design)
    note = made.study / "raw" / "m01" / "note.txt"
    note.write_text("mine", encoding="utf-8")
    before = (made.study / "raw" / "m01" / "d00_ventral.ome.tiff").read_bytes()
    simulate_study(tmp_path / "study", seed=2, design=design)
    assert note.read_text(encoding="utf-8") == "mine"
    assert (made.study / "raw" / "m01" / "d00_ventral.ome.tiff").read_bytes() != before


@pytest.mark.parametrize("where", ["study", "study-truth"])
def test_never_touches_what_it_did_not_write(tmp_path: Path, where: str) -> None:
    folder = tmp_path / where
    (folder / "raw").mkdir(parents=True)
    kept = folder / "raw" / "mouse.tif"
    kept.write_bytes(b"years of work")
    # a copied virtual settings file must not make a folder fair game
    (folder / "study.toml").write_text("# simulated by Lampyris\n[study]\nsynthetic = true\n", encoding="utf-8")
    with pytest.raises(UsageError, match="new folder"):
        simulate_study(tmp_path / "study", seed=1, design=tiny(default_design()))
    assert kept.read_bytes() == b"years of work"


def test_the_truth_lists_every_file_of_the_study(tmp_path: Path) -> None:
    made = simulate_study(tmp_path / "study", seed=1, design=tiny(default_design()))
    listed = set(json.loads((made.truth / "truth.json").read_text(encoding="utf-8"))["files"])
    written = {path.relative_to(made.study).as_posix() for path in made.study.rglob("*") if path.is_file()}
    # flats and darks of exposures that no image needed are written too
    assert {name for name in written - listed if not name.startswith("raw/calibration/")} == set()
    assert listed <= written


def test_an_injected_probe_follows_the_cells(tmp_path: Path) -> None:
    design = read_design(INJECTED)
    design = tiny(design).model_copy(update={"days": design.days})
    made = simulate_study(tmp_path / "study", seed=1, design=design)
    animal = read_truth(made.truth).animals[0]
    signal = [animal.lesions[0].cells[session] for session in ("d07", "d14", "d21")]
    # cells double every three days and the dose is renewed: a week is a factor of 2^(7/3)
    assert signal[1] / signal[0] == pytest.approx(2.0 ** (7 / 3))
    assert signal[2] / signal[1] == pytest.approx(2.0 ** (7 / 3))
    assert animal.sources["liver and spleen"]["d07"] > 0
    assert lesion_image(read_truth(made.truth), animal, 0, "d21", "ventral").max() > 0


def test_a_prelabelled_signal_is_only_lost(tmp_path: Path) -> None:
    design = tiny(default_design()).model_copy(update={"days": (0.0, 3.0, 7.0, 14.0)})
    made = simulate_study(tmp_path / "study", seed=1, design=design)
    cells = list(read_truth(made.truth).animals[0].lesions[0].cells.values())
    assert all(later < earlier for earlier, later in pairwise(cells))
