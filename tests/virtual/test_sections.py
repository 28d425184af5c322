"""Drawn sections: counts as asked, the same for the same seed, controls empty, blur and light as stated, files that read back."""

import numpy as np
import pytest

from lampyris.virtual.design import SectionDraw
from lampyris.virtual.sections import FULL_COUNTS, OFFSET_COUNTS, draw_section

DRAW = SectionDraw(field_um=120.0)


def drawn(seed=1, density=300.0, **changes):
    return draw_section(DRAW.model_copy(update=changes), np.random.default_rng(seed), labelled_per_mm2=density)


def test_a_field_is_what_it_says():
    made = drawn()
    side = round(120.0 / 0.65)
    assert made.counts.shape == (2, side, side) and made.counts.dtype == np.uint16
    assert sorted(np.unique(made.labels)) == list(range(made.labelled.size + 1))
    assert made.y_um.size == made.radius_um.size == made.crowded.size == made.labelled.size
    assert 0 < made.tissue_mm2 <= (0.65e-3 * side) ** 2
    again = drawn()
    assert np.array_equal(made.counts, again.counts) and not np.array_equal(made.counts, drawn(seed=2).counts)


def test_labelled_cells_follow_the_density_and_controls_have_none():
    made = [drawn(seed, nuclei_per_mm2=3000.0) for seed in range(12)]
    count, area = sum(one.labelled.sum() for one in made), sum(one.tissue_mm2 for one in made)
    # about 45 cells: within 3 standard deviations of Poisson
    assert count == pytest.approx(300.0 * area, abs=3 * np.sqrt(300.0 * area))
    assert not drawn(density=0.0).labelled.any()


def test_labelled_cells_hold_more_label_and_blur_softens():
    made = drawn(density=1000.0)
    inside = made.labels > 0
    labelled = inside & np.r_[False, made.labelled][made.labels]
    assert made.counts[1][labelled].mean() > made.counts[1][inside & ~labelled].mean() + 10
    sharp, soft = (drawn(blur_um=blur).counts[0].astype(float) for blur in (0.3, 3.0))
    assert np.abs(np.diff(soft)).max() < 0.6 * np.abs(np.diff(sharp)).max()


def test_crowding_glass_and_light_are_as_asked():
    assert (
        drawn(crowded_share=0.6, nuclei_per_mm2=6000.0).crowded.mean()
        > drawn(crowded_share=0.0, nuclei_per_mm2=1500.0).crowded.mean()
    )
    assert drawn(glass_share=0.0, vessels_per_mm2=0.0).tissue.all()
    glass = drawn(glass_share=0.5)
    # far from the tissue's soft edge only the camera's offset is left
    assert np.median(glass.counts[0][~glass.tissue]) == pytest.approx(OFFSET_COUNTS, abs=12)
    assert drawn(nuclei_electrons=1e6).counts.max() == FULL_COUNTS
