"""Where probe, tissue and camera meet: reciprocity, linearity, where a map lands, the expected frame."""

import dataclasses

import numpy as np
import pytest

from lampyris.camera.camera import nominal_camera
from lampyris.core.images import Pose
from lampyris.imaging.body.animal import stage_from_animal
from lampyris.imaging.forward import (
    SurfaceGrid,
    build_phantom,
    expected_frame,
    project,
    radiance_from_exitance,
    surface_exitance,
    surface_grid,
    visible_share,
)
from lampyris.tissue.anatomy import build_anatomy

VOXEL = 1.6


@pytest.fixture(scope="module")
def phantom():
    return build_phantom(build_anatomy(voxel_mm=VOXEL), excitation_nm=710.0, emission_nm=(780.0, 840.0))


def organ_voxel(anatomy, organ):
    voxels = np.argwhere(anatomy.region(organ))
    return tuple(voxels[len(voxels) // 2])


# --- light -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("view", ["dorsal", "ventral"])
@pytest.mark.parametrize("band", [0, 1])
def test_the_adjoint_solve_equals_the_direct_one(phantom, view, band):
    share = visible_share(phantom, band, view=view)
    anatomy = phantom.anatomy
    places = [organ_voxel(anatomy, organ) for organ in ("liver", "lungs", "brain", "kidneys", "bladder", "skin")]
    sources = np.zeros((len(places), *anatomy.labels.shape))
    for index, place in enumerate(places):
        # one photon per second in the whole voxel
        sources[(index, *place)] = 1.0 / VOXEL**3
    maps = surface_exitance(phantom, band, sources, views=(view,) * len(places))
    direct = maps.sum(axis=(1, 2)) * VOXEL**2
    adjoint = np.array([share[place] for place in places])
    # the solver stops at 1e-7 of each source, of which a fraction leaves
    assert np.abs(direct - adjoint).max() < 1e-5 * direct.max()
    assert (direct > 0).all()


def test_shares_are_shares(phantom):
    shares = [visible_share(phantom, 0, view=view) for view in ("dorsal", "ventral")]
    inside = phantom.anatomy.inside
    for share in shares:
        assert share[inside].min() > -1e-7
        assert (share[~inside] == 0).all()
    # what leaves through both sides cannot exceed what was sent; flat columns of voxels see a little of the flanks twice
    assert (shares[0] + shares[1]).max() < 1.05
    # near the back the dorsal view sees more, and the other way round
    kidney, bladder = (organ_voxel(phantom.anatomy, organ) for organ in ("kidneys", "bladder"))
    assert shares[0][kidney] > shares[1][kidney]
    assert shares[0][bladder] < shares[1][bladder]


def test_exitance_is_linear_in_its_sources(phantom):
    shape = phantom.anatomy.labels.shape
    rng = np.random.default_rng(1)
    one, two = rng.random((2, *shape)) * phantom.anatomy.inside
    maps = surface_exitance(phantom, 0, np.stack([one, two, 3.0 * one + 0.5 * two]), views=("dorsal",) * 3)
    # three solves, each to 1e-7
    assert maps[2] == pytest.approx(3.0 * maps[0] + 0.5 * maps[1], rel=1e-4, abs=1e-6 * maps[2].max())
    assert (maps >= -1e-7 * maps.max()).all()


def test_a_source_lights_the_skin_above_it(phantom):
    anatomy = phantom.anatomy
    place = organ_voxel(anatomy, "kidneys")
    source = np.zeros((1, *anatomy.labels.shape))
    source[(0, *place)] = 1.0
    (image,) = surface_exitance(phantom, 1, source, views=("dorsal",))
    peak = np.unravel_index(image.argmax(), image.shape)
    # one or two voxels: the back slopes away sideways
    assert np.hypot(peak[0] - place[1], peak[1] - place[2]) <= 2.5


def test_both_views_are_lit_from_their_own_side(phantom):
    spine, belly = organ_voxel(phantom.anatomy, "kidneys"), organ_voxel(phantom.anatomy, "bladder")
    dorsal, ventral = phantom.excitation_fluence["dorsal"], phantom.excitation_fluence["ventral"]
    assert dorsal[spine] > ventral[spine]
    assert dorsal[belly] < ventral[belly]
    assert (dorsal[~phantom.anatomy.inside] == 0).all()
    # light scattered back adds to the beam: up to about five times its fluence rate under the skin, never much more
    assert 1.0 < dorsal.max() < 6.0


def test_more_absorption_lets_less_light_out(phantom):
    anatomy = phantom.anatomy
    dark = build_phantom(
        anatomy,
        excitation_nm=710.0,
        emission_nm=(780.0,),
        optics_scale={name: (2.0, 1.0) for name in set(anatomy.tissues)},
    )
    liver = anatomy.region("liver")
    assert (visible_share(dark, 0, view="ventral")[liver] < visible_share(phantom, 0, view="ventral")[liver]).all()
    assert (dark.excitation_fluence["ventral"][liver] < phantom.excitation_fluence["ventral"][liver]).all()


def test_one_tissue_s_optics_can_be_changed_alone(phantom):
    anatomy = phantom.anatomy
    other = build_phantom(anatomy, excitation_nm=710.0, emission_nm=(780.0,), optics_scale={"brain": (3.0, 1.0)})
    brain, bladder = organ_voxel(anatomy, "brain"), organ_voxel(anatomy, "bladder")
    assert other.excitation_fluence["dorsal"][brain] < 0.9 * phantom.excitation_fluence["dorsal"][brain]
    # 60 mm away nothing changes, to what the solver leaves
    assert other.excitation_fluence["dorsal"][bladder] == pytest.approx(
        phantom.excitation_fluence["dorsal"][bladder], rel=1e-3
    )


def test_radiance_of_a_lambertian_surface():
    # exitance integrates radiance over the hemisphere with the cosine: pi; and a cm2 holds 100 mm2
    assert radiance_from_exitance(np.array([0.0, 2.0])) == pytest.approx([0.0, 200.0 / np.pi])


# --- laying maps on the stage ------------------------------------------------------------------------------------------

GRID = SurfaceGrid(y_mm=-2.0, x_mm=-15.0, pitch_mm=0.5)
SHAPE = (240, 160)
PIXEL = 0.4


def blob_map(along_mm, left_mm, sigma=1.0):
    y = GRID.y_mm + 0.5 * np.arange(200)[:, None]
    x = GRID.x_mm + 0.5 * np.arange(61)[None]
    return np.exp(-0.5 * ((y - along_mm) ** 2 + (x - left_mm) ** 2) / sigma**2)


def centroid_mm(image):
    rows, columns = np.indices(image.shape)
    return np.array([(image * rows).sum(), (image * columns).sum()]) / image.sum() * PIXEL


@pytest.mark.parametrize(
    ("pose", "expected"),
    [
        # dorsal, head up, belly down: the animal's left is on the image's left
        (Pose(5.0, 30.0), (35.0, 24.0)),
        # ventral: its left is on the image's right
        (Pose(5.0, 30.0, mirrored=True), (35.0, 36.0)),
        # a turn carries the tail from +y towards +x
        (Pose(5.0, 10.0, np.pi / 6), None),
        (Pose(3.0, 30.0, -0.2, 1.1, 0.9, True), None),
    ],
    ids=["dorsal", "ventral", "turned", "turned, scaled and ventral"],
)
def test_a_map_lands_where_the_pose_says(pose, expected):
    image = project(blob_map(30.0, 6.0), GRID, pose, shape=SHAPE, pixel_mm=PIXEL)
    if expected is None:
        # 6 mm to the left is -6 mm to the right
        expected = stage_from_animal(pose, np.array(30.0), np.array(-6.0))
    # linear interpolation of a smooth blob
    assert centroid_mm(image) == pytest.approx(expected, abs=0.02)
    # radiance is a density: its integral goes with the scales
    total = image.sum() * PIXEL**2 / (pose.scale_y * pose.scale_x)
    assert total == pytest.approx(2 * np.pi, rel=0.01)


def test_anatomy_lands_on_the_side_that_the_pose_states():
    anatomy = build_anatomy(voxel_mm=1.0)
    spleen = anatomy.region("spleen").any(axis=0).astype(float)
    for mirrored in (False, True):
        pose = Pose(2.0, 32.0, 0.0, 1.0, 1.0, mirrored)
        y, x = centroid_mm(project(spleen, surface_grid(anatomy), pose, shape=SHAPE, pixel_mm=PIXEL))
        # the spleen is on the left: image left from above, image right from below; behind the middle
        assert (x > 32.0 + 5) if mirrored else (x < 32.0 - 5)
        assert 50.0 < y < 64.0


def test_maps_keep_their_leading_dimensions_and_are_zero_off_the_map():
    maps = np.stack([np.full((2, 200, 61), 1.0), np.full((2, 200, 61), 2.0)])
    laid = project(maps, GRID, Pose(5.0, 30.0), shape=SHAPE, pixel_mm=PIXEL)
    assert laid.shape == (2, 2, *SHAPE)
    assert laid[0, 0].max() == 1.0
    assert laid[1, 1].max() == 2.0
    assert (laid[..., :5, :] == 0).all()


@pytest.mark.parametrize("mirrored", [False, True])
def test_a_map_lands_on_a_bent_and_breathing_animal(mirrored):
    bend, girth = tuple(6.0 * np.sin(np.pi * np.linspace(0.0, 1.0, 7))), (1.0, 1.05, 1.0)
    pose = Pose(3.0, 30.0, 0.1, 1.0, 1.0, mirrored, bend, girth)
    for along, left in ((20.0, 6.0), (50.0, -8.0), (80.0, 0.0)):
        image = project(blob_map(along, left), GRID, pose, shape=SHAPE, pixel_mm=PIXEL)
        expected = stage_from_animal(pose, np.array(along), np.array(-left))
        # the blob is 1 mm wide and the midline's radius 140 mm: its centroid moves by some hundredths of a mm
        assert centroid_mm(image) == pytest.approx(expected, abs=0.04)


def test_many_maps_share_one_bent_way_back():
    pose = Pose(3.0, 30.0, 0.1, bend_mm=(0.0, 3.0, 4.0, 3.0, 0.0))
    maps = np.stack([blob_map(30.0, 0.0), blob_map(60.0, 4.0)])
    both = project(maps, GRID, pose, shape=SHAPE, pixel_mm=PIXEL)
    alone = [project(one, GRID, pose, shape=SHAPE, pixel_mm=PIXEL) for one in maps]
    assert (both == np.stack(alone)).all()


# --- the expected frame ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def camera(instrument):
    plain = nominal_camera(instrument, (20, 20))
    return dataclasses.replace(plain, offset_counts=300.0, dark_e_per_s=np.full((20, 20), 2.0))


def test_expected_frame_of_an_even_field(camera):
    expected = expected_frame(camera, np.full((3, 20, 20), 1.2e8), exposure_s=np.array([1.0, 2.0, 4.0]))
    counts, variance = expected.counts, expected.variance
    for band, (seconds, transmission) in enumerate(((1.0, 0.9), (2.0, 0.9), (4.0, 0.6))):
        electrons = (1000.0 * transmission + 2.0) * seconds
        assert counts[band] == pytest.approx(300.0 + electrons / 1.2, rel=1e-12)
        assert variance[band] == pytest.approx((electrons + 25.0) / 1.44 + 1 / 12, rel=1e-12)


def test_expected_frame_is_the_mean_and_variance_of_drawn_ones(camera):
    from lampyris.virtual.frames import draw_counts

    rng = np.random.default_rng(4)
    radiance = np.full((3, 20, 20), 2e7) * np.linspace(0.5, 2.0, 20)
    seconds = np.array([1.0, 1.0, 3.0])
    expected = expected_frame(camera, radiance, exposure_s=seconds)
    counts, variance = expected.counts, expected.variance
    drawn = np.stack([draw_counts(camera, radiance, seconds, rng, cosmic_per_s=0.0) for _ in range(400)]).astype(float)
    pull = (drawn.mean(axis=0) - counts) / np.sqrt(variance / 400)
    # 1200 pixels: mean of the pulls to 0.03, their sd to 2 %
    assert abs(pull.mean()) < 0.12
    assert pull.std() == pytest.approx(1.0, abs=0.08)
    assert (drawn.var(axis=0, ddof=1) / variance).mean() == pytest.approx(1.0, abs=0.02)


def test_a_full_pixel_stays_at_full_scale(camera):
    expected = expected_frame(camera, np.full((3, 20, 20), 1e12), exposure_s=np.ones(3))
    counts, variance = expected.counts, expected.variance
    assert (counts == 65535.0).all()
    assert np.isfinite(variance).all()
