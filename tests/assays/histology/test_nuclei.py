"""Nuclei found in drawn micrographs by crowding, in analytic ones, and in a real one."""

import os
from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage

from lampyris.assays.histology.nuclei import background, find_nuclei, noise_sd, roundness
from lampyris.assays.histology.section import analyse_section
from lampyris.core.errors import ImageError
from lampyris.trial.score_histology import match_nuclei
from lampyris.virtual.design import SectionDraw
from lampyris.virtual.sections import draw_section

PIXEL_UM = 0.65
SAMPLES = os.environ.get("LAMPYRIS_SAMPLES", "")
LIGHTSHEET = Path(SAMPLES) / "tumour_lightsheet" / "merck_tumor_7IV_z0701-0715_step2_uint16.npz"


def disc_image(places, *, size=120, radius=5.4, level=400.0, ground=100.0, noise=0.0, seed=1):
    rows, columns = np.mgrid[:size, :size]
    image = np.full((size, size), ground)
    for y, x, factor in places:
        image[np.hypot(rows - y, columns - x) < radius] += factor * level
    image = ndimage.gaussian_filter(image, 0.9)
    return image + np.random.default_rng(seed).normal(0.0, noise, image.shape)


@pytest.mark.parametrize(
    ("name", "changes", "least_recall", "least_precision"),
    [
        # over many fields it is 0.98 and more, 0.94 among crowded ones; slivers cut off by the edge are lost
        ("free", {"crowded_share": 0.0, "nuclei_per_mm2": 1800.0}, 0.95, 0.97),
        ("usual", {}, 0.93, 0.95),
        ("packed", {"crowded_share": 0.5, "nuclei_per_mm2": 7000.0}, 0.9, 0.93),
        ("faint and uneven", {"nuclei_electrons": 100.0, "illumination_fall": 0.6}, 0.92, 0.9),
    ],
)
def test_drawn_nuclei_are_found_by_crowding(name, changes, least_recall, least_precision):
    made = draw_section(SectionDraw(field_um=180.0, **changes), np.random.default_rng(5), labelled_per_mm2=100.0)
    found = find_nuclei(made.counts[0].astype(float), pixel_um=PIXEL_UM)
    drawn, _, overlap = match_nuclei(made.labels, found.labels)
    assert drawn.size / made.labelled.size >= least_recall, name
    assert drawn.size / found.count >= least_precision, name
    assert overlap.mean() > 0.85


def test_touching_nuclei_part_and_a_faint_one_beside_a_bright_one_keeps_its_size():
    # 9.4 px apart, radii 5.4: they overlap by a fifth of a radius
    found = find_nuclei(
        disc_image([(40, 40, 1.0), (40, 49.4, 1.0), (80, 80, 1.0), (80, 93, 0.3)], noise=4.0), pixel_um=PIXEL_UM
    )
    assert found.count == 4
    whole = np.pi * 5.4**2
    # an edge at half height keeps the area of a blurred disc to about a twentieth
    assert found.area_px[2:] == pytest.approx([whole, whole], rel=0.12)


def test_one_nucleus_stays_one_whatever_its_size():
    for radius in (3.2, 5.4, 9.0):
        found = find_nuclei(disc_image([(60, 60, 1.0)], radius=radius, noise=3.0), pixel_um=PIXEL_UM)
        assert found.count == 1
        assert (found.y_px[0], found.x_px[0]) == pytest.approx((60, 60), abs=0.3)


def test_result_does_not_depend_on_gain_and_offset():
    image = disc_image([(30, 30, 1.0), (30, 42, 0.5), (80, 60, 2.0)], noise=2.0)
    first, second = find_nuclei(image, pixel_um=PIXEL_UM), find_nuclei(7.0 * image + 900.0, pixel_um=PIXEL_UM)
    assert np.array_equal(first.labels, second.labels)


def test_noise_alone_and_a_flat_image_hold_none():
    noise = np.random.default_rng(2).normal(100.0, 5.0, (150, 150))
    assert find_nuclei(noise, pixel_um=PIXEL_UM).count == 0
    assert find_nuclei(np.full((40, 40), 7.0), pixel_um=PIXEL_UM).count == 0


def test_background_keeps_to_flat_ground_under_noise_and_nuclei():
    image = disc_image([(30, 30, 1.0), (60, 60, 1.0)], noise=6.0)
    level = background(image, pixel_um=PIXEL_UM, radius_um=10.0)
    # within half of the noise of one pixel
    assert np.abs(level - 100.0).max() < 4.0
    assert noise_sd(image) == pytest.approx(6.0, rel=0.1)


def test_nuclei_are_round_and_labels_are_whole():
    found = find_nuclei(disc_image([(30, 30, 1.0), (80, 60, 1.0)], noise=2.0), pixel_um=PIXEL_UM)
    assert (roundness(found) > 0.9).all()
    for number in range(1, found.count + 1):
        assert ndimage.label(found.labels == number)[1] == 1


@pytest.mark.skipif(not LIGHTSHEET.is_file(), reason="LAMPYRIS_SAMPLES names no folder with the light-sheet tumour")
def test_real_light_sheet_nuclei_are_refused_at_their_stated_scale_and_run_as_bodies():
    with np.load(LIGHTSHEET) as planes:
        image = planes["tumor_Ch2"][4][200:460, 200:460]
        label = planes["virus_Ch1"][4][200:460, 200:460]
    # 4 um to a pixel: a nucleus covers two of them, which nobody can count
    with pytest.raises(ImageError, match=r"covers 1\.8 of them"):
        analyse_section(np.stack([image, label]), pixel_um=4.0)
    # clusters of nuclei of about five pixels are told; there is no truth, only that they lie in bright tissue and leave room
    found = find_nuclei(image.astype(float), pixel_um=4.0, nucleus_um=20.0)
    assert 20 < found.count < 2000
    inside = image[found.y_px.astype(int), found.x_px.astype(int)]
    assert (inside > np.median(image)).mean() > 0.6
    assert (found.labels > 0).mean() < 0.5
