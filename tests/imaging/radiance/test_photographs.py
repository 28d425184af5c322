"""Photographs of other scales on the image's grid."""

import numpy as np
import pytest

from lampyris.core.errors import ImageError
from lampyris.imaging.radiance.photographs import photograph_on_grid


@pytest.fixture
def picture():
    return np.random.default_rng(1).integers(0, 60000, (24, 20)).astype(float)


@pytest.mark.parametrize("factor", [1, 2, 3, 4])
@pytest.mark.parametrize("known", [True, False])
def test_a_whole_factor_gives_the_means_of_its_blocks(picture, factor, known):
    fine = np.kron(picture, np.ones((factor, factor)))
    if factor % 2 == 0:
        # detail that a block's mean does not show
        fine += np.tile([5.0, -5.0], 10 * factor)
    back = photograph_on_grid(fine, (24, 20), pixel_mm=0.4, photo_pixel_mm=0.4 / factor if known else np.nan)
    assert back == pytest.approx(picture, abs=1e-6)


def test_any_factor_keeps_the_light(picture):
    """The mean of a photograph of the same field does not depend on the grid."""
    back = photograph_on_grid(picture, (18, 15), pixel_mm=1.0)
    assert back.mean() == pytest.approx(picture.mean())


def test_a_wider_photograph_is_cut_about_its_middle(picture):
    wide = np.pad(picture, ((6, 6), (4, 4)))
    assert np.array_equal(photograph_on_grid(wide, (24, 20), pixel_mm=0.5, photo_pixel_mm=0.5), picture)


def test_a_narrower_photograph_goes_on_as_it_ends(picture):
    back = photograph_on_grid(picture[2:-2], (24, 20), pixel_mm=0.5, photo_pixel_mm=0.5)
    assert np.array_equal(back[2:-2], picture[2:-2])
    assert np.array_equal(back[:2], picture[[2, 2]]) and np.array_equal(back[-2:], picture[[-3, -3]])


@pytest.mark.parametrize(
    ("shape", "photo_pixel_mm", "rule", "says"),
    [
        ((20, 24), np.nan, "image.photo-field", "20 x 24 pixels, the image 24 x 20: their sides"),
        ((24, 20), 0.1, "image.photo-field", "shows 20 % of the image's field only"),
    ],
    ids=["turned", "another field"],
)
def test_what_does_not_fit_is_refused(shape, photo_pixel_mm, rule, says):
    with pytest.raises(ImageError) as error:
        photograph_on_grid(np.ones(shape), (24, 20), pixel_mm=0.5, photo_pixel_mm=photo_pixel_mm, file="raw/photo.tif")
    (finding,) = error.value.findings
    assert (finding.rule, finding.place.file) == (rule, "raw/photo.tif")
    assert says in finding.seen and finding.mend
