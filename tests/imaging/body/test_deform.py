"""One image bent onto another: kernels against their plain twins, known fields, what cannot be done."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter, map_coordinates

from lampyris.imaging.body.deform import (
    BLOCK,
    Deformation,
    basis_matrix,
    block_sums,
    block_sums_plain,
    register_images,
    spline_system,
    spline_system_plain,
)

SIZE = 256


def animal(seed=0):
    """An oval with a pattern, brighter than its stage."""
    y, x = np.indices((SIZE, SIZE), dtype=float)
    oval = ((y - 128) / 95) ** 2 + ((x - 128) / (32 + 8 * (y - 128) / 95)) ** 2 <= 1
    skin = gaussian_filter(np.random.default_rng(seed).standard_normal((SIZE, SIZE)), 3.0)
    return gaussian_filter(np.where(oval, 0.5 + 0.08 * skin / skin.std(), 0.03), 1.0), oval


def warped(image, field):
    """The image whose pixel p + field[p] of it is p of the result."""
    return map_coordinates(image, np.indices(image.shape) + field, order=3, mode="nearest")


def turned(angle, scale=1.0, shift=(0.0, 0.0)):
    offsets = np.indices((SIZE, SIZE), dtype=float) - 127.5
    matrix = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return np.einsum("ab,byx->ayx", matrix - np.eye(2), offsets) + np.reshape(shift, (2, 1, 1))


def arched(height):
    y = np.indices((SIZE, SIZE), dtype=float)[0]
    return np.stack([np.zeros((SIZE, SIZE)), height * (1.0 - ((y - 128) / 95) ** 2)])


FIELDS = {
    "nothing": turned(0.0),
    "shift": turned(0.0, 1.0, (3.3, -2.6)),
    "turn and scale": turned(0.2, 1.05, (2.0, 1.0)),
    "arch": arched(8.0),
    "turn and arch": turned(-0.1) + arched(-7.0),
}


@pytest.mark.parametrize("name", FIELDS)
def test_a_known_field_is_found(name):
    moving, oval = animal()
    field = FIELDS[name]
    rng = np.random.default_rng(1)
    fixed = warped(moving, field) + rng.normal(0.0, 0.005, moving.shape)
    found = register_images(fixed, moving)
    inside = warped(oval.astype(float), field) > 0.5
    error = np.hypot(*(found.displacement_px - field))[inside]
    # a pixel here is four of the megapixel's: measured 0.02 to 0.15
    assert error.mean() < 0.25
    assert found.correlation > 0.98


@pytest.mark.parametrize(("angle", "scale"), [(0.2, 1.05), (-0.4, 0.9)])
def test_the_similarity_is_that_of_the_field(angle, scale):
    moving, _ = animal()
    found = register_images(warped(moving, turned(angle, scale)), moving)
    # a hundredth of a radian is a pixel at the oval's end
    assert found.angle_rad == pytest.approx(angle, abs=0.01)
    assert found.scale == pytest.approx(scale, rel=0.01)


def test_an_animal_the_other_way_round_is_turned():
    moving, oval = animal()
    found = register_images(moving[::-1, ::-1].copy(), moving)
    assert abs(found.angle_rad) == pytest.approx(np.pi, abs=0.01)
    field = turned(np.pi)
    inside = oval[::-1, ::-1]
    assert np.hypot(*(found.displacement_px - field))[inside].mean() < 0.25


def test_brightness_and_contrast_do_not_matter():
    moving, oval = animal()
    field = arched(5.0)
    fixed = warped(moving, field)
    plain, other = register_images(fixed, moving), register_images(3.0 * fixed + 0.4, moving)
    assert np.abs(plain.displacement_px - other.displacement_px)[:, oval].max() < 0.05


def test_registration_is_the_same_every_time():
    moving, _ = animal()
    fixed = warped(moving, arched(4.0))
    one, two = register_images(fixed, moving), register_images(fixed, moving)
    assert one.displacement_px.tobytes() == two.displacement_px.tobytes()
    assert isinstance(one, Deformation)
    assert not one.displacement_px.flags.writeable


def test_missing_pixels_count_as_stage():
    moving, oval = animal()
    fixed = warped(moving, arched(4.0))
    fixed[100:104, 120:124] = np.nan
    found = register_images(fixed, moving)
    assert np.isfinite(found.displacement_px).all()
    assert np.hypot(*(found.displacement_px - arched(4.0)))[oval].mean() < 0.3


@pytest.mark.parametrize(
    ("fixed", "moving", "words"),
    [
        (np.zeros((128, 128)), np.zeros((128, 100)), "one shape"),
        (np.zeros((20, 20)), np.zeros((20, 20)), "pixels or more"),
        (np.zeros((128, 128)), animal()[0][:128, :128], "even"),
        (animal()[0], np.full((SIZE, SIZE), 0.3), "even"),
    ],
    ids=["shapes", "small", "nothing fixed", "nothing moving"],
)
def test_what_cannot_be_registered_is_refused(fixed, moving, words):
    with pytest.raises(ValueError, match=words):
        register_images(fixed, moving)


# --- kernels -----------------------------------------------------------------------------------------------------------


def sums_case(seed):
    rng = np.random.default_rng(seed)
    fixed, moving = (gaussian_filter(rng.random((48, 40)), 1.5).astype(np.float32) for _ in range(2))
    # some places fall off the moving image
    lattice = rng.normal(0.0, 6.0, (2, 48 // BLOCK + 1, 40 // BLOCK + 1))
    blocks = np.argwhere(rng.random((48 // BLOCK, 40 // BLOCK)) < 0.7)
    return fixed, moving, lattice, blocks


@pytest.mark.parametrize("limit", [np.inf, 0.05])
@pytest.mark.parametrize("factor", [1, 4])
def test_block_sums_equal_their_plain_twin(factor, limit):
    case = sums_case(factor)
    fast, slow = (one(*case, factor, 1.3, -0.1, limit) for one in (block_sums, block_sums_plain))
    for own, other in zip(fast, slow, strict=True):
        # the kernel's differences of neighbours are of single precision
        assert own == pytest.approx(other, rel=1e-4, abs=1e-6 * np.abs(other).max())


def test_the_spline_system_equals_its_plain_twin():
    rng = np.random.default_rng(3)
    sums, where = rng.random((60, 5)), rng.uniform(0.0, 6.0, (60, 2))
    # blocks at the grid's ends touch fewer nodes
    where[:4] = [[0.0, 0.0], [6.0, 6.0], [0.2, 5.9], [3.0, 3.0]]
    for own, other in zip(spline_system(sums, where, (7, 7)), spline_system_plain(sums, where, (7, 7)), strict=True):
        assert own == pytest.approx(other, rel=1e-10, abs=1e-12)


def test_splines_sum_to_one_and_keep_straight_lines():
    at = np.linspace(1.0, 6.0, 41)
    basis = basis_matrix(at, 8)
    assert basis.sum(axis=1) == pytest.approx(1.0)
    assert basis @ np.arange(8.0) == pytest.approx(at)
