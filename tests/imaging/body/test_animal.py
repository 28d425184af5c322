"""The animal in the photograph, and how it lies."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter

from lampyris.core.errors import ImageError
from lampyris.core.images import POSE_REACH_MM, Pose
from lampyris.imaging.body.animal import (
    animal_from_stage,
    find_body,
    pose_from_body,
    silhouette,
    stage_from_animal,
)
from lampyris.imaging.light.nominal import _silhouette
from lampyris.tissue.anatomy import build_anatomy

PIXEL = 0.45
SHAPE = (256, 224)

poses = st.builds(
    Pose,
    y_mm=st.floats(-50, 50),
    x_mm=st.floats(-50, 50),
    angle_rad=st.floats(-1.5, 1.5),
    scale_y=st.floats(0.5, 2),
    scale_x=st.floats(0.5, 2),
    mirrored=st.booleans(),
)


@pytest.fixture(scope="module")
def mouse():
    return build_anatomy(voxel_mm=0.4)


@pytest.fixture(scope="module")
def nominal(mouse):
    return _silhouette(mouse)


def mask_at(mouse, pose, *, tail):
    """The animal's outline laid on the stage, by asking for every pixel where on the animal it is."""
    body = mouse.inside if tail else mouse.inside & ~mouse.region("tail")
    flat = body.any(axis=0)
    rows, columns = np.meshgrid(*(np.arange(count) * PIXEL for count in SHAPE), indexing="ij")
    along, right = animal_from_stage(pose, rows, columns)
    _, y0, x0 = mouse.origin_mm
    # x of the anatomy grows to the animal's left
    i = np.rint((along - y0) / mouse.voxel_mm).astype(int)
    j = np.rint((-right - x0) / mouse.voxel_mm).astype(int)
    held = (i >= 0) & (i < flat.shape[0]) & (j >= 0) & (j < flat.shape[1])
    return held & flat[np.clip(i, 0, flat.shape[0] - 1), np.clip(j, 0, flat.shape[1] - 1)]


def photo_of(mask, *, seed=0):
    """A grey animal on black paper: shading, blur, sensor noise, a dim ear tag."""
    rng = np.random.default_rng(seed)
    image = 0.03 + 0.5 * gaussian_filter(mask.astype(float), 1.0)
    image *= 1.0 + 0.15 * np.sin(np.arange(SHAPE[0]) / 30.0)[:, None]
    return image + rng.normal(0.0, 0.01, SHAPE)


POSES = {
    "as it should lie": Pose(9.0, 50.0),
    "turned left": Pose(8.0, 62.0, -0.2),
    "turned right": Pose(12.0, 38.0, 0.25),
    "small": Pose(18.0, 50.0, 0.05, 0.85, 0.9),
    "ventral": Pose(10.0, 51.0, 0.1, 1.0, 1.0, True),
}


@pytest.mark.parametrize("name", POSES)
def test_body_is_found_without_its_tail(mouse, name):
    pose = POSES[name]
    found = find_body(photo_of(mask_at(mouse, pose, tail=True)), pixel_mm=PIXEL)
    body, whole = (mask_at(mouse, pose, tail=part) for part in (False, True))
    tail = whole & ~body
    assert tail.sum() > 50
    # the tail's stump, where it is as wide as the rump, stays
    assert (found & tail).sum() < 0.1 * tail.sum()
    # Dice's overlap; the edge of a 2000 mm2 body is 200 mm, of which half a pixel is 2 %
    assert 2 * (found & body).sum() / (found.sum() + body.sum()) > 0.97


@pytest.mark.parametrize("name", POSES)
def test_pose_is_recovered_from_the_photograph(mouse, nominal, name):
    pose = POSES[name]
    body = find_body(photo_of(mask_at(mouse, pose, tail=True)), pixel_mm=PIXEL)
    found = pose_from_body(body, nominal, pixel_mm=PIXEL, mirrored=pose.mirrored)
    assert found.mirrored == pose.mirrored
    assert found.scale_y == pytest.approx(pose.scale_y, rel=0.01)
    assert found.scale_x == pytest.approx(pose.scale_x, rel=0.02)
    # what a pose is for: where a place on the animal lies on the stage. Half a millimetre is a pixel
    along = np.array([10.0, 30.0, 46.0, 70.0, 85.0])
    for right in (-6.0, 0.0, 6.0):
        there = np.array(stage_from_animal(pose, along, np.full(5, right)))
        seen = np.array(stage_from_animal(found, along, np.full(5, right)))
        assert np.hypot(*(there - seen)).max() < 0.5


@given(pose=poses, y=st.floats(-20, 120), right=st.floats(-20, 20))
def test_stage_and_animal_are_inverse(pose, y, right):
    back = animal_from_stage(pose, *stage_from_animal(pose, np.array(y), np.array(right)))
    # rounding of coordinates of 100 mm
    assert np.array(back) == pytest.approx([y, right], abs=1e-9)


def test_handedness():
    # head up, animal on its belly: its right is on the image's right; on its back: on the image's left
    point = (np.array(10.0), np.array(4.0))
    assert np.array(stage_from_animal(Pose(0.0, 50.0), *point)) == pytest.approx([10.0, 54.0])
    assert np.array(stage_from_animal(Pose(0.0, 50.0, mirrored=True), *point)) == pytest.approx([10.0, 46.0])
    # a positive turn carries the tail from +y towards +x
    assert np.array(stage_from_animal(Pose(0.0, 0.0, np.pi / 2), np.array(10.0), np.array(0.0))) == pytest.approx(
        [0, 10]
    )
    # and scales act along and across the animal before the turn
    scaled = stage_from_animal(Pose(0.0, 0.0, np.pi / 2, 2.0, 3.0), np.array(1.0), np.array(1.0))
    assert np.array(scaled) == pytest.approx([-3.0, 2.0])


# --- moments -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("angle", [-0.6, 0.0, 0.3])
def test_moments_of_an_ellipse(angle):
    y, x = (np.indices((300, 300)) - 150.0) * 0.2
    along, across = np.cos(angle) * y + np.sin(angle) * x, -np.sin(angle) * y + np.cos(angle) * x
    found = silhouette((along / 25.0) ** 2 + (across / 10.0) ** 2 <= 1.0, pixel_mm=0.2)
    # the standard deviation along a semi-axis of a uniform ellipse is half of it
    assert (found.along_mm, found.across_mm) == pytest.approx((12.5, 5.0), rel=5e-3)
    assert found.angle_rad == pytest.approx(angle, abs=2e-3)
    assert (found.y_mm, found.x_mm) == pytest.approx((30.0, 30.0), abs=0.02)
    assert found.skew == pytest.approx(0.0, abs=1e-3)


def test_skew_tells_head_from_tail(mouse):
    body = (mouse.inside & ~mouse.region("tail")).any(axis=0)
    up, down = (silhouette(one, pixel_mm=0.4) for one in (body, body[::-1]))
    assert up.skew * down.skew < 0
    assert up.skew == pytest.approx(-down.skew, rel=1e-6)


def test_the_nominal_silhouette_has_its_head_up(nominal):
    assert nominal.angle_rad == 0.0
    # a 92 mm animal's centroid lies behind its middle, the haunches being wider than the head
    assert 46.0 < nominal.y_mm < 60.0


# --- nothing to find ---------------------------------------------------------------------------------------------------


def empty_stage():
    return np.random.default_rng(1).normal(0.03, 0.01, SHAPE)


@pytest.mark.parametrize(
    "photo",
    [
        np.zeros(SHAPE),
        np.full(SHAPE, 7.0),
        np.full(SHAPE, np.nan),
        empty_stage(),
        np.where(np.hypot(*(np.indices(SHAPE) - 100.0)) < 15, 1.0, 0.03),
        np.where(np.arange(SHAPE[1]) % 20 < 2, 1.0, 0.03) * np.ones(SHAPE),
    ],
    ids=["zeros", "constant", "no number", "noise", "a coin", "stripes thinner than a tail"],
)
def test_no_animal_is_an_error_that_names_the_file(photo):
    with pytest.raises(ImageError) as error:
        find_body(photo, pixel_mm=PIXEL, file="raw/m01/photo.ome.tiff")
    (finding,) = error.value.findings
    assert finding.rule == "image.no-animal"
    assert finding.place.file == "raw/m01/photo.ome.tiff"
    assert finding.mend


def test_a_wrong_pixel_size_is_no_animal(mouse):
    photo = photo_of(mask_at(mouse, POSES["as it should lie"], tail=True))
    for pixel in (0.05, 4.5):
        with pytest.raises(ImageError, match="pixel_mm"):
            find_body(photo, pixel_mm=pixel)


def test_a_few_bad_pixels_do_not_matter(mouse):
    photo = photo_of(mask_at(mouse, POSES["as it should lie"], tail=True))
    clean = find_body(photo, pixel_mm=PIXEL)
    photo[120, 110] = np.nan
    photo[10, 10] = 3.0
    assert (find_body(photo, pixel_mm=PIXEL) ^ clean).sum() <= 4


def test_the_largest_of_two_objects_is_the_animal(mouse):
    mask = mask_at(mouse, Pose(9.0, 40.0), tail=True)
    mask[100:160, 190:215] = True
    found = find_body(photo_of(mask), pixel_mm=PIXEL)
    assert not found[130, 200]
    assert found[130, 90]


# --- bent and breathing animals ----------------------------------------------------------------------------------------

SHARES = np.linspace(0.0, 1.0, 9)
BENT = {
    "arc": Pose(5.0, 40.0, 0.1, bend_mm=tuple(6.0 * np.sin(np.pi * SHARES))),
    "arc, ventral and small": Pose(5.0, 40.0, -0.2, 0.8, 0.85, True, tuple(-5.0 * np.sin(np.pi * SHARES))),
    "S": Pose(5.0, 40.0, 0.0, 1.1, 1.0, False, tuple(2.0 * np.sin(2.0 * np.pi * SHARES))),
    "breath": Pose(5.0, 40.0, 0.3, girth=(1.0, 1.03, 1.05, 0.98, 1.0)),
    "all": Pose(5.0, 40.0, 0.3, 0.95, 1.05, True, (0.0, 2.0, 3.5, 2.0, -1.0), (0.97, 1.02, 1.0)),
    "one station": Pose(5.0, 40.0, 0.0, bend_mm=(2.0,), girth=(1.1,)),
    "two stations": Pose(5.0, 40.0, 0.0, bend_mm=(0.0, 4.0), girth=(1.1, 0.9)),
}


@pytest.mark.parametrize("name", BENT)
def test_bent_animals_are_inverted_over_the_body_and_the_tail(name):
    y, right = np.meshgrid(np.linspace(-5.0, 115.0, 121), np.linspace(-16.0, 16.0, 33))
    back = animal_from_stage(BENT[name], *stage_from_animal(BENT[name], y, right))
    # a millionth of a mm is asked; Newton's last step is 1e-10 mm
    assert np.abs(np.array(back) - [y, right]).max() < 1e-6


def test_an_empty_shape_is_the_straight_animal_to_the_bit():
    y, right = np.meshgrid(np.linspace(-5.0, 115.0, 30), np.linspace(-16.0, 16.0, 9))
    straight, flat = Pose(5.0, 40.0, 0.2, 1.1, 0.9, True), Pose(5.0, 40.0, 0.2, 1.1, 0.9, True, (0.0,) * 5, (1.0,) * 4)
    there = stage_from_animal(straight, y, right)
    cos, sin = np.cos(0.2), np.sin(0.2)
    assert (there[0] == 5.0 + cos * (1.1 * y) - sin * (0.9 * right * -1.0)).all()
    assert np.array(stage_from_animal(flat, y, right)) == pytest.approx(np.array(there), abs=1e-12)
    assert np.array(animal_from_stage(flat, *there)) == pytest.approx(np.array([y, right]), abs=1e-9)


def test_the_midline_passes_through_its_stations_and_goes_on_straight():
    bend = (1.0, 3.0, 2.0, -1.0, 0.5)
    pose = Pose(0.0, 0.0, bend_mm=bend, scale_y=1.2)
    stations = np.linspace(0.0, POSE_REACH_MM, 5)
    y, x = stage_from_animal(pose, stations, np.zeros(5))
    assert y == pytest.approx(1.2 * stations)
    assert x == pytest.approx(bend)
    for end, way in ((0.0, -1.0), (POSE_REACH_MM, 1.0)):
        along = end + way * np.array([0.0, 5.0, 10.0, 20.0])
        _, x = stage_from_animal(pose, along, np.zeros(4))
        slopes = np.diff(x) / np.diff(along)
        assert slopes == pytest.approx(slopes[0])


def test_width_is_laid_along_the_normal_and_girth_is_held_beyond_the_ends():
    pose = Pose(0.0, 0.0, 0.1, 1.0, 1.1, False, tuple(5.0 * np.sin(np.pi * SHARES)), (1.05, 1.0, 0.9))
    along = np.linspace(-4.0, 108.0, 29)
    middle, side, further = (np.array(stage_from_animal(pose, along, np.full(29, wide))) for wide in (0.0, 4.0, 8.0))
    out = side - middle
    assert further - middle == pytest.approx(2.0 * out)
    ahead = np.array(stage_from_animal(pose, along + 1e-5, np.zeros(29))) - middle
    # normal to the midline, to the step of the difference
    assert (ahead * out).sum(axis=0) / (1e-5 * np.hypot(*out)) == pytest.approx(0.0, abs=1e-4)
    width = np.hypot(*out) / (4.0 * 1.1)
    assert width[along <= 0.0] == pytest.approx(1.05)
    assert width[along >= POSE_REACH_MM] == pytest.approx(0.9)


def test_a_mirrored_animal_bends_to_the_same_side_of_the_stage():
    bend = tuple(4.0 * np.sin(np.pi * SHARES))
    for mirrored in (False, True):
        _, x = stage_from_animal(Pose(0.0, 0.0, mirrored=mirrored, bend_mm=bend), np.array(46.0), np.array(0.0))
        assert float(x) == pytest.approx(4.0)


def test_places_far_from_a_bent_animal_stay_far():
    pose = BENT["arc"]
    y, x = np.meshgrid(np.linspace(-60.0, 180.0, 80), np.linspace(-80.0, 160.0, 80))
    along, right = animal_from_stage(pose, y, x)
    body = np.array(stage_from_animal(pose, np.linspace(0.0, 110.0, 400), np.zeros(400)))
    away = np.hypot(y[..., None] - body[0], x[..., None] - body[1]).min(axis=-1)
    assert np.isfinite(along).all() and np.isfinite(right).all()
    taken = (np.abs(right) < 14.0) & (along > 0.0) & (along < 110.0)
    # what is taken for the body lies within its half width of the midline
    assert away[taken].max() < 14.5
