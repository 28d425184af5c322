"""The procedural mouse: published volumes, independence of the grid, individuals, depth."""

import csv
from importlib import resources

import numpy as np
import pytest

from lampyris.tissue.anatomy import (
    NOMINAL_LENGTH_MM,
    SKIN_MM,
    SPINE_RADIUS_MM,
    AnatomyParameters,
    build_anatomy,
    organ_names,
    organ_parts,
    surface_point_mm,
)
from lampyris.tissue.optics import tissue_names

DENSITY_G_PER_MM3 = 1.05e-3


@pytest.fixture(scope="module")
def fine():
    return build_anatomy(voxel_mm=0.4)


@pytest.fixture(scope="module")
def coarse():
    return build_anatomy(voxel_mm=0.8)


def tabulated():
    volumes = {}
    for part in organ_parts():
        volumes[part.organ] = volumes.get(part.organ, 0.0) + part.volume_mm3
    # the spine is a tube drawn along the back besides the skeleton's rows
    volumes["skeleton"] += np.pi * SPINE_RADIUS_MM**2 * (0.98 - 0.20) * NOMINAL_LENGTH_MM
    return volumes


def body_mass_g(anatomy):
    body = anatomy.inside & ~anatomy.region("tail")
    return np.count_nonzero(body) * anatomy.voxel_mm**3 * DENSITY_G_PER_MM3


def rows(name):
    text = (resources.files("lampyris.tissue") / "data" / name).read_text(encoding="utf-8")
    return list(csv.DictReader(line for line in text.splitlines() if not line.startswith("#")))


@pytest.mark.parametrize("organ", organ_names())
def test_organ_volumes_are_the_tabulated_ones(fine, organ):
    # 15 %: neighbours overlap a little and the later one takes the shared voxels
    assert fine.volume_mm3(organ) == pytest.approx(tabulated()[organ], rel=0.15)


def test_the_body_weighs_25_g(fine):
    # 3 %: the outline's profile was scaled by eye of the integral, and voxels round it
    assert body_mass_g(fine) == pytest.approx(25.0, rel=0.03)


def test_every_organ_lies_inside_the_body(fine):
    for part in organ_parts():
        reach = [
            np.abs(axis - centre) <= semi
            for axis, centre, semi in zip(fine.coordinates(), part.centre_mm, part.semi_axes_mm, strict=True)
        ]
        box = reach[0][:, None, None] & reach[1][None, :, None] & reach[2][None, None, :]
        assert (box & fine.region(part.organ)).any(), part
    skin, tail, inside = fine.region("skin"), fine.region("tail"), fine.inside
    # one voxel in from the air there is skin or tail everywhere, and no organ
    padded = np.pad(inside, 1)
    core = np.ones_like(inside)
    for axis in range(3):
        for step in (-1, 1):
            core &= np.roll(padded, step, axis)[1:-1, 1:-1, 1:-1]
    rim = inside & ~core
    assert (skin | tail)[rim].all()


@pytest.mark.parametrize("voxel_mm", [0.5, 0.7, 0.8, 1.0])
def test_skin_is_there_on_every_grid(voxel_mm):
    anatomy = build_anatomy(voxel_mm=voxel_mm)
    # an animal of this shape has 5300-6000 mm2 of skin; a grid may draw it up to a third thicker or thinner
    assert anatomy.volume_mm3("skin") == pytest.approx(5600.0 * SKIN_MM, rel=1 / 3)


@pytest.mark.parametrize("organ", ["brain", "lungs", "liver", "gut", "kidneys", "stomach"])
def test_volumes_do_not_depend_on_the_grid(fine, coarse, organ):
    # organs of at least 250 mm3 hold 500 voxels of 0.8 mm: rounding of their surfaces stays within a few per cent
    assert coarse.volume_mm3(organ) == pytest.approx(fine.volume_mm3(organ), rel=0.05)
    for grid, other in zip(centroid(coarse, organ), centroid(fine, organ), strict=True):
        assert grid == pytest.approx(other, abs=0.2)


def centroid(anatomy, organ):
    mask = anatomy.region(organ)
    axes = anatomy.coordinates()
    return [float((axis[index]).mean()) for axis, index in zip(axes, np.nonzero(mask), strict=True)]


def test_mass_error_falls_with_the_voxel():
    errors = [
        abs(body_mass_g(build_anatomy(voxel_mm=voxel)) / body_mass_g(build_anatomy(voxel_mm=0.4)) - 1.0)
        for voxel in (1.6, 0.6)
    ]
    assert errors[1] < max(errors[0], 0.003)
    assert errors[1] < 0.005


def test_the_animal_is_symmetric_in_outline_and_sided_in_organs(coarse):
    assert np.array_equal(coarse.inside, coarse.inside[:, :, ::-1])
    # x grows to the animal's left, where the spleen and most of the stomach lie; the back is up, where kidneys lie
    assert centroid(coarse, "spleen")[2] > 5.0
    assert centroid(coarse, "stomach")[2] > 3.0
    assert centroid(coarse, "kidneys")[0] > 2.0
    # and y runs from the nose
    order = [centroid(coarse, organ)[1] for organ in ("brain", "lungs", "liver", "gut", "bladder")]
    assert order == sorted(order)


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        (AnatomyParameters(weight_g=20.0), 0.8),
        (AnatomyParameters(weight_g=32.0), 1.28),
        (AnatomyParameters(length_scale=1.1), 1.1),
        (AnatomyParameters(width_scale=0.9, height_scale=1.05), 0.945),
    ],
    ids=["20 g", "32 g", "long", "narrow and high"],
)
def test_individuals_scale(coarse, parameters, expected):
    anatomy = build_anatomy(parameters, voxel_mm=0.8)
    # voxel rounding of two bodies
    assert body_mass_g(anatomy) / body_mass_g(coarse) == pytest.approx(expected, rel=0.01)
    assert anatomy.volume_mm3("liver") / coarse.volume_mm3("liver") == pytest.approx(expected, rel=0.04)


def test_lengths_go_with_the_cube_root_of_weight(coarse):
    heavy = build_anatomy(AnatomyParameters(weight_g=25.0 * 1.2**3), voxel_mm=0.8)
    spans = []
    for anatomy in (coarse, heavy):
        body = anatomy.inside & ~anatomy.region("tail")
        spans.append([np.ptp(np.nonzero(body)[axis]) * 0.8 for axis in range(3)])
    for small, large in zip(*spans, strict=True):
        # one voxel at either end
        assert large == pytest.approx(1.2 * small, abs=1.6)


def test_an_organ_moves_and_grows_on_request(coarse):
    moved = build_anatomy(
        AnatomyParameters(shift_mm={("heart", "1"): (0.0, 2.4, -1.6)}, volume_scale={"bladder": 2.0}), voxel_mm=0.8
    )
    shift = np.subtract(centroid(moved, "heart"), centroid(coarse, "heart"))
    # 0.3 mm: voxels, and the lungs next to it
    assert shift == pytest.approx([0.0, 2.4, -1.6], abs=0.3)
    assert moved.volume_mm3("bladder") / coarse.volume_mm3("bladder") == pytest.approx(2.0, rel=0.1)
    assert moved.volume_mm3("brain") == coarse.volume_mm3("brain")


def test_depth_counts_from_the_side_that_is_named(coarse):
    voxel = coarse.voxel_mm
    top, bottom = coarse.depth_mm(side="top"), coarse.depth_mm(side="bottom")
    column = (slice(None), coarse.labels.shape[1] // 2, coarse.labels.shape[2] // 2)
    filled = np.nonzero(coarse.inside[column])[0]
    assert top[column][filled[-1]] == pytest.approx(0.5 * voxel)
    assert bottom[column][filled[0]] == pytest.approx(0.5 * voxel)
    assert top[column][filled[0]] == pytest.approx((len(filled) - 0.5) * voxel)
    # in a column without holes the two depths add up to its height
    height = coarse.inside.sum(axis=0) * voxel
    total = (top + bottom)[coarse.inside]
    assert total == pytest.approx(np.broadcast_to(height, coarse.labels.shape)[coarse.inside])
    # kidneys lie near the back
    kidneys = coarse.region("kidneys")
    assert np.median(top[kidneys]) < np.median(bottom[kidneys])


def test_a_side_that_does_not_exist_is_refused(coarse):
    with pytest.raises(ValueError, match="top"):
        coarse.depth_mm(side="left")


def test_an_unknown_region_names_the_known_ones(coarse):
    with pytest.raises(KeyError, match="liver"):
        coarse.region("livr")
    with pytest.raises(KeyError, match="livr"):
        coarse.volume_mm3("livr")


@pytest.mark.parametrize("voxel_mm", [0.0, -0.8, 0.05, 3.5, float("nan")])
def test_a_voxel_out_of_range_is_refused(voxel_mm):
    with pytest.raises(ValueError, match="voxel_mm"):
        build_anatomy(voxel_mm=voxel_mm)


@pytest.mark.parametrize(
    "site", ["tail vein", "left flank", "right flank", "left mammary fat pad", "right mammary fat pad"]
)
def test_injection_sites_lie_on_the_named_side(coarse, site):
    z, y, x = surface_point_mm(site)
    if site.startswith("left"):
        assert x > 5.0
    elif site.startswith("right"):
        assert x < -5.0
    else:
        assert x == 0.0
        assert y > NOMINAL_LENGTH_MM
    axes = coarse.coordinates()
    distance = np.sqrt(
        sum(g**2 for g in np.meshgrid(*(a - v for a, v in zip(axes, (z, y, x), strict=True)), indexing="ij"))
    )
    # on the animal: one voxel's diagonal away at most
    assert distance[coarse.inside].min() < 0.8 * np.sqrt(3.0)


def test_an_unknown_site_is_refused():
    with pytest.raises(KeyError):
        surface_point_mm("left ear")


@pytest.mark.parametrize("name", ["organs.csv", "outline.csv"])
def test_every_row_is_cited_and_says_how_it_was_obtained(name):
    for number, row in enumerate(rows(name), start=1):
        assert row["citation"].strip(), f"{name} row {number}"
        assert row["status"] in {"certified", "printed", "computed", "secondary", "unseen", "assumed"}, (name, number)
        assert all(value not in (None, "") for value in row.values()), (name, number)


def test_every_region_has_optics(coarse):
    assert set(coarse.tissues) <= set(tissue_names())
    assert len(coarse.tissues) == len(coarse.names)
    assert coarse.labels.max() == len(coarse.names)
