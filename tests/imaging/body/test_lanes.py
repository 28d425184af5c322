"""Several animals in one image: found, counted, ordered, cut out, whatever else lies on the stage."""

import dataclasses

import numpy as np
import pytest
from scipy.ndimage import distance_transform_edt, gaussian_filter

from lampyris.core.errors import ImageError
from lampyris.core.images import Pose, RawImage
from lampyris.core.settings import Stage
from lampyris.imaging.body.animal import animal_from_stage, find_body
from lampyris.imaging.body.lanes import GUARD_MM, cut_view, find_bodies, find_lanes, strangers
from lampyris.imaging.inputs import ViewInput
from lampyris.imaging.radiance.turning import head_up
from lampyris.imaging.step import _against_others_mm
from lampyris.tissue.anatomy import build_anatomy

PIXEL = 0.9
HEIGHT, PITCH_MM, SIDE_MM = 128, 40.0, 8.0


@pytest.fixture(scope="module")
def mouse():
    return build_anatomy(voxel_mm=0.8)


def laid(mouse, pose, shape):
    flat = mouse.inside.any(axis=0)
    rows, columns = np.meshgrid(*(np.arange(count) * PIXEL for count in shape), indexing="ij")
    along, right = animal_from_stage(pose, rows, columns)
    _, y0, x0 = mouse.origin_mm
    i, j = np.rint((along - y0) / mouse.voxel_mm).astype(int), np.rint((-right - x0) / mouse.voxel_mm).astype(int)
    held = (i >= 0) & (i < flat.shape[0]) & (j >= 0) & (j < flat.shape[1])
    return held & flat[np.clip(i, 0, flat.shape[0] - 1), np.clip(j, 0, flat.shape[1] - 1)]


def poses_of(count, *, pitch=PITCH_MM, seed=0):
    rng = np.random.default_rng(seed)
    return [
        Pose(12.0 + rng.normal(0, 1.5), SIDE_MM + pitch * (lane + 0.5) + rng.normal(0, 1.0), rng.normal(0, 0.05))
        for lane in range(count)
    ]


def stage_photo(mouse, poses, *, width_mm, cones=(), seed=0):
    """Grey animals, darker at their flanks, on black paper, with bright discs, and where each animal is."""
    rng = np.random.default_rng(seed)
    shape = (HEIGHT, round(width_mm / PIXEL))
    image, masks = np.full(shape, 0.03), []
    for pose in poses:
        mask = laid(mouse, pose, shape)
        masks.append(mask)
        # where animals touch, one lies on the other
        image = np.maximum(image, 0.03 + 0.5 * gaussian_filter(mask.astype(float), 3.0) * mask)
    y, x = (np.arange(count) * PIXEL for count in shape)
    for y_mm, x_mm, radius, height in cones:
        image[(y[:, None] - y_mm) ** 2 + (x[None, :] - x_mm) ** 2 < radius**2] = height
    return image + rng.normal(0.0, 0.005, shape), masks


def width_of(count, pitch=PITCH_MM):
    return 2 * SIDE_MM + count * pitch


def overlap(lane, mask):
    whole = np.zeros(mask.shape, bool)
    whole[lane.place] = lane.own
    return (whole & mask).sum() / mask.sum()


CONES = tuple((6.0, SIDE_MM + PITCH_MM * (lane + 0.5), 7.0, 1.0) for lane in range(5))
TOUCHING = 27.0


@pytest.mark.parametrize(
    ("count", "pitch", "cones", "stage"),
    [
        (1, PITCH_MM, (), Stage()),
        (2, PITCH_MM, (), Stage()),
        (5, PITCH_MM, (), Stage()),
        (10, PITCH_MM, (), Stage()),
        (5, PITCH_MM, CONES, Stage(nose_cones_mm=13.0)),
        (5, TOUCHING, (), Stage()),
        (5, PITCH_MM, (), Stage(lane_edges_mm=tuple(SIDE_MM + PITCH_MM * k for k in range(6)))),
        (3, TOUCHING, (), Stage(lane_edges_mm=tuple(SIDE_MM + TOUCHING * k for k in range(4)))),
    ],
    ids=["one", "two", "five", "ten", "nose cones on noses", "touching", "drawn borders", "touching, drawn borders"],
)
def test_every_animal_gets_its_lane_and_its_own_pixels(mouse, count, pitch, cones, stage):
    photo, masks = stage_photo(mouse, poses_of(count, pitch=pitch), width_mm=width_of(count, pitch), cones=cones)
    found = find_lanes(photo, stage, pixel_mm=PIXEL, lanes=range(1, count + 1))
    assert sorted(found) == list(range(1, count + 1))
    strip = round(stage.nose_cones_mm / PIXEL)
    for number, lane in found.items():
        for other, mask in enumerate(masks, start=1):
            trunk = mask.copy()
            trunk[:strip] = False
            # animals lie over each other a little where they touch, and tails go where they like
            least, most = (0.85, 1.0) if other == number else (0.0, 0.12)
            assert least <= overlap(lane, trunk) <= most, (number, other)


@pytest.mark.parametrize("pitch", [24.0, 27.0, 30.0, 48.0])
@pytest.mark.parametrize("seed", range(3))
def test_animals_are_told_apart_however_they_lie(mouse, pitch, seed):
    """Bent, turned, pressed together to half over each other, or far apart and not to be cut in two."""
    rng = np.random.default_rng(seed)
    share = np.linspace(0.0, 1.0, 9)
    poses = [
        dataclasses.replace(
            pose,
            y_mm=pose.y_mm + rng.normal(0.0, 3.0),
            angle_rad=rng.normal(0.0, 0.07),
            bend_mm=tuple((rng.normal(0.0, 2.0) * 4.0 * share * (1.0 - share)).tolist()),
        )
        for pose in poses_of(5, pitch=pitch, seed=seed)
    ]
    photo, masks = stage_photo(mouse, poses, width_mm=width_of(5, pitch), seed=seed)
    bodies = find_bodies(photo, pixel_mm=PIXEL, stage=Stage())
    assert len(bodies.animals) == 5
    middles = [np.nonzero(mask)[1].mean() * PIXEL for mask in masks]
    # half over each other, an animal's visible part lies aside of its middle
    assert np.abs(np.subtract(bodies.middles_mm, middles)).max() < 5.0


def test_discs_off_the_noses_and_a_bar_at_the_heads_are_no_animals(mouse):
    cones = [(3.0, SIDE_MM + PITCH_MM * (lane + 0.5), 6.0, 0.9) for lane in range(3)]
    poses = [dataclasses.replace(pose, y_mm=pose.y_mm + 5.0) for pose in poses_of(3)]
    photo, masks = stage_photo(mouse, poses, width_mm=width_of(3), cones=cones)
    found = find_lanes(photo, Stage(), pixel_mm=PIXEL, lanes=(1, 2, 3))
    assert all(overlap(found[k + 1], masks[k]) > 0.85 for k in range(3))
    photo[: round(10.0 / PIXEL), 5:-5] = 0.9
    assert len(find_bodies(photo, pixel_mm=PIXEL, stage=Stage()).animals) == 3


@pytest.mark.parametrize(
    ("there", "named", "says"),
    [
        ((0, 1, 3, 4), 5, "4 animals are in the image, at"),
        ((0, 1, 2, 3, 4, 5), 5, "6 animals are in the image, at"),
        ((0,), 2, "1 animal is in the image, at"),
        ((), 2, "0 animals are in the image; the sheet names 2 lanes"),
    ],
    ids=["one missing", "six for five", "one for two", "none"],
)
def test_a_wrong_count_says_what_was_found_where_and_what_to_do(mouse, there, named, says):
    poses = [pose for lane, pose in enumerate(poses_of(6)) if lane in there]
    photo, _ = stage_photo(mouse, poses, width_mm=width_of(6))
    with pytest.raises(ImageError) as error:
        find_lanes(photo, Stage(), pixel_mm=PIXEL, lanes=range(1, named + 1), file="raw/c1/d00.ome.tiff")
    (finding,) = error.value.findings
    assert finding.rule == "image.lane-count"
    assert finding.place.file == "raw/c1/d00.ome.tiff"
    assert says in finding.seen and f"names {named} lanes" in finding.seen
    assert "lane_edges_mm" in finding.mend and "nose_cones_mm" in finding.mend
    for lane in there:
        middle = SIDE_MM + PITCH_MM * (lane + 0.5)
        assert any(f"{middle + off:.0f}" in finding.seen for off in range(-4, 5))


EDGES = Stage(lane_edges_mm=tuple(SIDE_MM + PITCH_MM * k for k in range(6)))


def test_drawn_lanes_may_be_empty_and_keep_their_numbers(mouse):
    poses = [pose for lane, pose in enumerate(poses_of(5)) if lane in (1, 3)]
    photo, masks = stage_photo(mouse, poses, width_mm=width_of(5))
    found = find_lanes(photo, EDGES, pixel_mm=PIXEL, lanes=(2, 4))
    assert overlap(found[2], masks[0]) > 0.85 and overlap(found[4], masks[1]) > 0.85
    bodies = find_bodies(photo, pixel_mm=PIXEL, stage=EDGES)
    assert strangers(bodies, EDGES, (2, 4)) == ()
    assert strangers(bodies, EDGES, (2,)) == (4,)
    assert strangers(bodies, Stage(), (2,)) == ()
    with pytest.raises(ImageError) as error:
        find_lanes(photo, EDGES, pixel_mm=PIXEL, lanes=(1, 2), photographed=False)
    (finding,) = error.value.findings
    assert "lane 1, from 8 to 48 mm, holds no animal" in finding.seen
    assert "own glow" in finding.seen


@pytest.mark.parametrize("head", ["up", "down", "left", "right"])
def test_heads_are_turned_up(head):
    upright = np.arange(12.0).reshape(1, 3, 4)
    # as a camera would see it whose upper side is where `head` is not
    seen = {"up": 0, "right": -1, "down": 2, "left": 1}[head]
    turned = np.rot90(upright, seen, axes=(1, 2))
    assert np.array_equal(head_up(turned, head), upright)


def view_of(photo, masks):
    counts = np.full((2, *photo.shape), 100, np.uint16)
    for lane, mask in enumerate(masks, start=1):
        counts[:, mask] = 1000 * lane
    flat = 1.0 + np.broadcast_to(np.linspace(0, 1, photo.shape[1]), counts.shape)
    names, exposure = ("a", "b"), (1.0, 1.0)
    image = RawImage(counts, names, PIXEL, exposure, (700.0,) * 2, (800.0, 820.0))
    marks = (("nose", 30.0, 60.0),)
    return ViewInput("dorsal", image, exposure, photo, np.full(counts.shape, 99.6), flat, "raw/c1.ome.tiff", marks)


def test_a_piece_holds_one_animal_and_no_other_s_light(mouse):
    photo, masks = stage_photo(mouse, poses_of(3, pitch=TOUCHING), width_mm=width_of(3, TOUCHING))
    view = view_of(photo, masks)
    lane = find_lanes(photo, Stage(), pixel_mm=PIXEL, lanes=(1, 2, 3))[2]
    piece = cut_view(view, lane, pixel_mm=PIXEL)
    assert piece.origin_px == lane.origin_px
    top, left = piece.origin_px
    height, width = lane.own.shape
    assert piece.image.counts.shape == piece.dark.shape == piece.flat.shape == (2, height, width)
    # the dark frame's own level, where others lie
    assert np.all(piece.image.counts[:, ~lane.own] == 100)
    assert np.array_equal(piece.image.counts[:, lane.own], view.image.counts[(slice(None), *lane.place)][:, lane.own])
    assert (piece.image.counts == 1000).sum() + (piece.image.counts == 3000).sum() < 0.1 * (
        piece.image.counts == 2000
    ).sum()
    # the flat is that of the whole image, whose middle the piece need not hold
    assert piece.flat_level == pytest.approx((1.5, 1.5), abs=0.02)
    ((name, y_mm, x_mm),) = piece.landmarks
    assert (name, y_mm, x_mm) == ("nose", pytest.approx(30 - top * PIXEL), pytest.approx(60 - left * PIXEL))
    body = find_body(piece.photo, pixel_mm=PIXEL)
    mine = masks[1][lane.place] & lane.own
    assert (body & mine).sum() > 0.95 * body.sum()


def test_a_seam_lies_between_animals_that_touch(mouse):
    photo, _ = stage_photo(mouse, poses_of(3, pitch=TOUCHING), width_mm=width_of(3, TOUCHING))
    lanes = find_lanes(photo, Stage(), pixel_mm=PIXEL, lanes=(1, 2, 3))
    bodies = find_bodies(photo, pixel_mm=PIXEL, stage=Stage())
    for number, lane in lanes.items():
        whole = np.zeros(photo.shape, bool)
        whole[lane.place] = lane.own
        others = (bodies.labels > 0) & (bodies.labels != bodies.animals[number - 1])
        assert distance_transform_edt(~others)[whole].min() * PIXEL > GUARD_MM


@pytest.mark.parametrize(("gap_mm", "most", "least"), [(0.9, 60.0, 40.0), (9.0, 0.0, 0.0)], ids=["against", "apart"])
def test_an_animal_against_another_is_told(gap_mm, most, least):
    body, other = np.zeros((100, 60), bool), np.zeros((100, 60), bool)
    body[20:75, 10:30] = True
    other[:, 30 + round(gap_mm / PIXEL) :] = True
    view = dataclasses.replace(view_of(np.ones((100, 60)), []), not_own=other)
    assert least <= _against_others_mm(view, body, PIXEL) <= most
    assert _against_others_mm(dataclasses.replace(view, not_own=None), body, PIXEL) == 0.0
