"""The share of labelled cells that is called: found from scores alone, and what it does to densities."""

import math

import numpy as np
import pytest
from scipy import special

from lampyris.assays.histology.cells import ScoreScale, Threshold, score_cells, widest_scale
from lampyris.assays.histology.density import organ_densities
from lampyris.assays.histology.detection import Detection, detection_share
from lampyris.assays.histology.nuclei import find_nuclei
from lampyris.assays.histology.tissue import find_tissue
from lampyris.core.estimate import Estimate
from lampyris.core.histology import SectionResult
from lampyris.virtual.design import SectionDraw
from lampyris.virtual.sections import draw_section

THRESHOLD = 7.0


def scores(rng, *, labelled, mean, spread, sections=12, cells=180):
    """Sections of cells without label, and of some with it whose scores are normal on a square root's scale."""

    def bare():
        # debris: a long tail
        return np.where(rng.random(cells) < 0.03, rng.gamma(1.5, 3.0, cells), rng.normal(0.0, 1.0, cells))

    controls = [bare() for _ in range(8)]
    held = [np.r_[bare(), np.square(np.maximum(rng.normal(mean, spread, labelled), 0.0))] for _ in range(sections)]
    return held, controls


@pytest.mark.parametrize(("mean", "spread"), [(3.9, 0.9), (3.0, 1.0), (2.5, 0.9)])
def test_the_share_called_is_found_from_scores(mean, spread):
    rng = np.random.default_rng(4)
    truth = float(special.ndtr((mean - math.sqrt(THRESHOLD)) / spread))
    held, biases = 0, []
    for _ in range(25):
        found = detection_share(*scores(rng, labelled=18, mean=mean, spread=spread), THRESHOLD)
        held += found.share.low <= truth <= found.share.high
        biases.append(found.share.value / truth - 1.0)
        assert found.cells == pytest.approx(12 * 18, rel=0.5)
    # of 25 intervals of 95 %, 20 or fewer hold with a chance of 1 in 100; the draws are always the same
    assert held >= 21
    assert abs(float(np.median(biases))) < 0.08


def test_where_nothing_tells_the_share_it_is_not_given():
    rng = np.random.default_rng(5)
    held, controls = scores(rng, labelled=18, mean=3.5, spread=0.9)
    assert detection_share(held, [], THRESHOLD) is None
    assert detection_share([], controls, THRESHOLD) is None
    assert detection_share(controls, controls, THRESHOLD) is None
    # nearly all lies below the threshold
    assert detection_share(held, controls, 60.0) is None
    with_gaps = [np.r_[one, math.nan] for one in held]
    assert detection_share(with_gaps, controls, THRESHOLD) == detection_share(held, controls, THRESHOLD)


def test_densities_are_of_all_labelled_cells():
    rows = [
        SectionResult("m", "liver", "dots", str(k), f"{k}", False, 0.65, 0.1, 400, n, 2.0, 4.0, 0.9, 0.0, None, True, ())
        for k, n in enumerate((20, 24))
    ]  # fmt: skip
    threshold = Threshold(4.0, 0.005, 4000, 8, 2)
    seen = Detection(Estimate(0.5, 0.05, 0.41, 0.61, 0.95, "1", "given"), 100.0)
    (bare,), (whole,) = organ_densities(rows, threshold), organ_densities(rows, threshold, detection=seen)
    for name in ("cells_per_mm2", "labelled_fraction"):
        a, b = getattr(bare, name), getattr(whole, name)
        assert b.value == pytest.approx(2 * a.value)
        # wider on the logarithm: what is known of the share joins
        assert math.log(b.high / b.value) == pytest.approx(math.hypot(math.log(a.high / a.value), 1.96 * 0.1), rel=1e-3)
        assert b.low < 2 * a.low and "0.5 of labelled cells" in b.method
    assert (whole.p, whole.positive, whole.labelled) == (bare.p, bare.positive, bare.labelled)
    none = [SectionResult("m", "liver", "dots", "1", "1", False, 0.65, 0.1, 400, 0, 2.0, 4.0, 0.9, 0.0, None, True, ())]
    (empty,) = organ_densities(none, threshold, detection=seen)
    assert (
        empty.cells_per_mm2.value == 0.0
        and empty.cells_per_mm2.high > 2 * organ_densities(none, threshold)[0].cells_per_mm2.high
    )


def test_a_section_full_of_label_is_scored_as_controls_are():
    draw = SectionDraw(field_um=150.0)

    def drawn(seed, per_mm2):
        made = draw_section(draw, np.random.default_rng(seed), labelled_per_mm2=per_mm2)
        nuclear, label = made.counts.astype(float)
        nuclei = find_nuclei(nuclear, pixel_um=made.pixel_um)
        tissue = find_tissue(made.counts.astype(float), nuclei, pixel_um=made.pixel_um).mask
        return lambda ceiling: score_cells(label, nuclear, nuclei, tissue, pixel_um=made.pixel_um, ceiling=ceiling)

    ceiling = widest_scale([drawn(seed, 0.0)(None).scale for seed in (0, 1)])
    section = drawn(12, 0.7 * draw.nuclei_per_mm2)
    own, within = section(None), section(ceiling)
    # more than half of the cells hold label and pass for the quiet ones: none stands out but by what controls are
    assert own.scale.exceeds(ceiling) and (own.score > THRESHOLD).mean() < 0.05
    assert (within.score > THRESHOLD).mean() > 0.5
    assert widest_scale([]) is None and widest_scale([ScoreScale(1.0, math.nan, math.nan)]) is None
