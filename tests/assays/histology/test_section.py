"""One section: labelled cells, tissue, focus, saturation; what is flagged, and what is refused."""

import numpy as np
import pytest

from lampyris.assays.histology.cells import LEAST_SCORE, SCORE_WITHOUT_CONTROLS, threshold_from_controls
from lampyris.assays.histology.section import analyse_section, call_section, called_cells
from lampyris.assays.histology.tissue import saturated_share
from lampyris.core.errors import ImageError
from lampyris.core.histology import SectionFlag
from lampyris.trial.score_histology import match_nuclei
from lampyris.virtual.design import SectionDraw
from lampyris.virtual.sections import draw_section

DRAW = SectionDraw(field_um=200.0)
WHOSE = {"whose": ("m01", "liver", "1"), "group": "dots", "file": "a.tif", "control": False}


def drawn(seed, density, **changes):
    return draw_section(DRAW.model_copy(update=changes), np.random.default_rng(seed), labelled_per_mm2=density)


def analysed(made, **options):
    return analyse_section(made.counts, pixel_um=made.pixel_um, file="a.tif", **options)


@pytest.fixture(scope="module")
def labelled():
    return drawn(11, 400.0)


@pytest.fixture(scope="module")
def measured(labelled):
    return analysed(labelled)


@pytest.fixture(scope="module")
def threshold():
    return threshold_from_controls([(f"c{seed}", analysed(drawn(seed, 0.0)).cells.score) for seed in (21, 22, 23)])


def test_labelled_cells_are_told_and_few_others(labelled, measured, threshold):
    cells, found, _ = match_nuclei(labelled.labels, measured.nuclei.labels)
    called = called_cells(measured, threshold)[found]
    true = labelled.labelled[cells]
    assert true.sum() >= 8
    # one or two cells of a field may hold next to no dots, or grains of a neighbour
    assert (called & true).sum() >= true.sum() - 2
    assert (called & ~true).sum() <= 2


def test_controls_set_the_threshold_and_what_is_taken_off(measured, threshold):
    assert threshold.sections == threshold.animals == 3 and threshold.score >= LEAST_SCORE
    assert 0 < threshold.false_positives < 0.03
    result = call_section(measured, threshold, **WHOSE)
    assert result.false_expected == pytest.approx(threshold.false_positives * result.nuclei)
    alone = threshold_from_controls([])
    assert alone.score == SCORE_WITHOUT_CONTROLS and np.isnan(alone.false_positives)
    assert SectionFlag.NO_CONTROLS in call_section(measured, alone, **WHOSE).flags


def test_each_place_of_the_field_counts_once(measured):
    labels = measured.nuclei.labels
    cut = np.union1d(labels[-1], labels[:, -1])
    assert not measured.counted[cut[cut > 0] - 1].any()
    assert measured.counted.sum() == measured.nuclei.count - (cut > 0).sum()


@pytest.mark.parametrize("glass", [0.0, 0.3])
def test_tissue_is_told_from_glass(glass):
    made = drawn(4, 0.0, glass_share=glass, vessels_per_mm2=0.0, nuclei_per_mm2=3500.0)
    found = analysed(made)
    assert found.tissue.by_glow == (glass > 0)
    assert (SectionFlag.TISSUE_BY_NUCLEI in found.flags) == (glass == 0)
    # without glass what lies far from every nucleus is lost: a few percent of the area
    assert found.tissue.area_mm2 == pytest.approx(made.tissue_mm2, rel=0.06)


def test_blur_is_measured_and_flagged():
    sharp, soft = analysed(drawn(4, 0.0)), analysed(drawn(4, 0.0, blur_um=3.0))
    assert sharp.blur_um < 1.3 and SectionFlag.OUT_OF_FOCUS not in sharp.flags and sharp.usable
    assert soft.blur_um > 2.0 and SectionFlag.OUT_OF_FOCUS in soft.flags and not soft.usable


def test_saturation_is_told_by_the_ceiling_also_of_a_12_bit_camera(labelled):
    cut = np.minimum(labelled.counts, np.array([4095, 300])[:, None, None]).astype(np.uint16)
    found = analyse_section(cut, pixel_um=labelled.pixel_um)
    assert SectionFlag.SATURATED in found.flags and found.usable
    assert saturated_share(labelled.counts[0], labelled.tissue) < 1e-3


@pytest.mark.parametrize(
    "counts",
    [
        np.full((2, 80, 80), 100, np.uint16),
        np.random.default_rng(3).normal(100.0, 4.0, (2, 120, 120)).round().astype(np.uint16),
    ],
    ids=["one value", "noise"],
)
def test_an_empty_field_is_flagged(counts):
    found = analyse_section(counts, pixel_um=0.65)
    assert {SectionFlag.EMPTY, SectionFlag.NO_NUCLEI} <= set(found.flags)
    assert not found.usable and found.tissue.area_mm2 == 0


def test_tissue_without_nuclei_is_never_counted():
    made = drawn(4, 0.0, nuclei_electrons=0.001, nuclei_per_mm2=300.0, crowded_share=0.0)
    found = analysed(made)
    # swells of the tissue's glow are no sharp nuclei
    assert not found.usable and {SectionFlag.NO_NUCLEI, SectionFlag.OUT_OF_FOCUS} & set(found.flags)


def test_exchanged_channels_are_refused_by_what_they_show_and_by_name(labelled):
    with pytest.raises(ImageError) as told:
        analyse_section(labelled.counts[::-1], pixel_um=labelled.pixel_um, file="a.tif")
    assert told.value.findings[0].rule == "histology.swapped" and "a.tif" in str(told.value)
    quiet = drawn(4, 0.0)
    with pytest.raises(ImageError, match="round bodies"):
        analyse_section(quiet.counts[::-1], pixel_um=quiet.pixel_um)
    with pytest.raises(ImageError, match="stain of nuclei"):
        analyse_section(labelled.counts, pixel_um=labelled.pixel_um, names=("705", "Hoechst 33342"))


@pytest.mark.parametrize(
    ("counts", "pixel_um", "rule"),
    [
        (np.zeros((2, 9, 9), bool), 0.65, "histology.type"),
        (np.zeros((2, 9, 9), complex), 0.65, "histology.type"),
        (np.zeros((3, 9, 9), np.uint8), 0.65, "histology.channels"),
        (np.zeros((2, 9, 9), np.uint16), np.nan, "histology.pixel-size"),
        (np.zeros((2, 9, 9), np.uint16), 6.5, "histology.pixel-size"),
    ],
)
def test_what_cannot_be_counted_is_refused(counts, pixel_um, rule):
    with pytest.raises(ImageError) as told:
        analyse_section(counts, pixel_um=pixel_um, file="a.tif")
    assert [one.rule for one in told.value.findings] == [rule] and told.value.findings[0].mend
