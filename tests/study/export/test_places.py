"""Corners of a view back in its file: past the crop and past the turn."""

from types import SimpleNamespace

import numpy as np
import pytest

from lampyris.study.export.places import file_corners

TURNS = {"up": 0, "right": 1, "down": 2, "left": 3}


@pytest.mark.parametrize("head", TURNS)
def test_a_pixel_is_found_again_in_its_file(head):
    """One bright pixel of a file, turned and cropped as the analysis does, is at its own row and column."""
    file = np.zeros((5, 7))
    file[3, 2] = 1.0
    turned = np.rot90(file, TURNS[head])
    origin = (1, 1)
    y, x = (int(place[0]) for place in np.nonzero(turned[origin[0] :, origin[1] :]))
    view = SimpleNamespace(pixel_mm=0.25, origin_px=origin)
    assert file_corners(view, ((0.25 * y, 0.25 * x),), head=head, shape=file.shape) == ((3.0, 2.0),)


def test_a_turned_image_needs_its_shape():
    with pytest.raises(ValueError, match="its shape is needed"):
        file_corners(SimpleNamespace(pixel_mm=1.0, origin_px=(0, 0)), ((0.0, 0.0),), head="down")
