"""Places of a view in its file and back: past the crop of an animal, and past the turn that put its head up."""

from types import SimpleNamespace

import numpy as np
import pytest

from lampyris.imaging.radiance.turning import file_corners, head_up, view_corners

HEADS = ("up", "down", "left", "right")


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("place", [(3, 2), (1, 1), (3, 5)])
def test_a_pixel_is_found_again_both_ways(head, place):
    """One bright pixel of a file, turned and cropped as the analysis does, is at its own row and column."""
    file = np.zeros((5, 7))
    file[place] = 1.0
    view = SimpleNamespace(origin_px=(1, 1), file_shape=file.shape)
    ((y, x),) = np.argwhere(head_up(file, head)[1:, 1:])
    assert view_corners((place,), view, head) == ((y, x),)
    assert file_corners(((y, x),), view, head) == (place,)


@pytest.mark.parametrize("head", HEADS[1:])
@pytest.mark.parametrize("corners", [view_corners, file_corners])
def test_a_turned_image_needs_its_shape(head, corners):
    view = SimpleNamespace(origin_px=(0, 0), file_shape=(0, 0))
    assert corners(((1.0, 2.0),), view, "up") == ((1.0, 2.0),)
    with pytest.raises(ValueError, match="shape of its file is needed"):
        corners(((1.0, 2.0),), view, head)
