"""Virtual trays: what was drawn adds up, and the default study is as it was without them."""

from pathlib import Path

import numpy as np
import pytest

from lampyris.imaging.radiance.calibrate import lambertian_flux
from lampyris.virtual.design import default_design, read_design
from lampyris.virtual.individual import draw_individual
from lampyris.virtual.organs import DENSITY_G_PER_ML, draw_organs
from lampyris.virtual.tray import lay_out

DESIGN = read_design(Path(__file__).parents[2] / "docs" / "designs" / "exvivo.toml")
AMOUNTS = {"lesion 1": 2e5, "halo": 1e4, "liver and spleen": 1e7, "blood": 2e7, "lungs": 1e6, "injection site": 1e4}


@pytest.fixture(scope="module")
def organs():
    who = draw_individual(DESIGN, "m01", "targeted", seed=1)
    return draw_organs(DESIGN, who, AMOUNTS, np.random.default_rng(1))


def test_the_default_design_has_no_trays():
    assert not default_design().exvivo.trays and DESIGN.exvivo.trays


def test_organs_hold_what_the_animal_holds(organs):
    by_name = {one.kind.organ: one for one in organs}
    liver, spleen = by_name["liver"], by_name["spleen"]
    # liver and spleen share what they take up by volume, and hold blood besides
    assert liver.cells + spleen.cells > AMOUNTS["liver and spleen"]
    assert liver.cells / spleen.cells == pytest.approx(liver.volume_mm3 / spleen.volume_mm3, rel=0.15)
    assert by_name["lungs"].cells > AMOUNTS["lungs"]
    assert by_name["tumour"].cells == pytest.approx(AMOUNTS["lesion 1"] + AMOUNTS["halo"])
    assert sum(one.cells for one in organs) < sum(AMOUNTS.values())
    assert 0.6 < liver.weight_g < 2.0 and 0.03 < spleen.weight_g < 0.3


def test_shapes_have_the_volume_of_their_weight_and_light_the_escape_of_its_sum(organs):
    for one in organs:
        step = 0.1
        axis = np.arange(-one.shape.reach_mm, one.shape.reach_mm, step)
        height = one.shape.height(one.shape.distance(*np.meshgrid(axis, axis, indexing="ij")))
        # midpoints at a tenth of a millimetre
        assert height.sum() * step**2 == pytest.approx(one.volume_mm3, rel=0.02)
        if one.kind.organ != "lungs":
            assert one.weight_g == pytest.approx(1e-3 * DENSITY_G_PER_ML * one.volume_mm3)
    kidney, liver = (next(one for one in organs if one.kind.organ == name) for name in ("left kidney", "liver"))
    assert 0.0 < liver.escape < kidney.escape < 2.0
    assert lambertian_flux(float(liver.probe.sum()), liver.pitch_mm) > 0


def test_organs_lie_in_rows_and_never_over_each_other(organs):
    # all on one tray, whatever touches
    eager = DESIGN.model_copy(update={"exvivo": DESIGN.exvivo.model_copy(update={"touch_probability": 1.0})})
    for design, some in ((eager, True), (DESIGN, False)):
        laid = lay_out(design, [organs], np.random.default_rng(5))
        assert len(laid) == len(organs)
        assert any(one.touching for one in laid) or not some
        y, x = (np.arange(count) * design.instrument.pixel_mm for count in design.camera.pixels)
        covered = sum(
            (one.organ.shape.distance(*np.meshgrid(y - one.y_mm, x - one.x_mm, indexing="ij")) <= 1.0).astype(int)
            for one in laid
        )
        # organs that touch share a pixel's width at most
        assert (covered > 1).sum() <= 0.01 * (covered > 0).sum()
    with pytest.raises(ValueError, match="fewer animals per tray"):
        lay_out(DESIGN, [organs] * 6, np.random.default_rng(5))
