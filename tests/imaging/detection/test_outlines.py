"""Outlines: closed along pixel edges, of the right area, the largest piece only."""

import numpy as np
import pytest
from scipy.ndimage import binary_fill_holes, gaussian_filter, label

from lampyris.imaging.detection.outlines import closed_outline


def area(corners):
    y, x = np.array(corners).T
    return 0.5 * abs(np.sum(y * np.roll(x, -1) - x * np.roll(y, -1)))


def test_a_rectangle():
    mask = np.zeros((5, 6), bool)
    mask[1:3, 2:5] = True
    corners = closed_outline(mask, pixel_mm=2.0)
    # pixel (1, 2) spans 0.5 to 1.5 by 1.5 to 2.5
    assert set(corners) == {(1.0, 3.0), (1.0, 9.0), (5.0, 9.0), (5.0, 3.0)}
    assert len(corners) == 4


@pytest.mark.parametrize("seed", range(8))
def test_area_of_blobs(seed):
    rng = np.random.default_rng(seed)
    mask = gaussian_filter(rng.normal(size=(40, 40)), 3.0) > 0.02
    pieces, _ = label(mask)
    largest = pieces == 1 + np.argmax(np.bincount(pieces.ravel())[1:])
    corners = closed_outline(mask, pixel_mm=0.5)
    # the outer outline: holes are inside it
    expected = binary_fill_holes(largest, structure=np.ones((3, 3), bool)).sum() * 0.25
    filled = binary_fill_holes(largest).sum() * 0.25
    # a hole open through a corner only may count either way
    assert min(expected, filled) - 1e-9 <= area(corners) <= max(expected, filled) + 1e-9
    # every side runs along a pixel edge
    steps = np.diff(np.array([*corners, corners[0]]), axis=0)
    assert ((steps == 0).sum(axis=1) == 1).all()


def test_pixels_that_touch_at_a_corner_are_two_pieces():
    mask = np.array([[1, 0, 0], [0, 1, 1], [0, 0, 0]], bool)
    assert area(closed_outline(mask, pixel_mm=1.0)) == pytest.approx(2.0)


def test_a_pinch_is_walked_through_once():
    # a ring broken at a corner only
    mask = np.array([[1, 1, 1], [1, 0, 1], [1, 1, 0]], bool)
    assert area(closed_outline(mask, pixel_mm=1.0)) in (7.0, 8.0)


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (4, 3)])
def test_a_full_frame(shape):
    corners = closed_outline(np.ones(shape, bool), pixel_mm=1.0)
    assert area(corners) == pytest.approx(shape[0] * shape[1])


def test_nothing_has_no_outline():
    assert closed_outline(np.zeros((4, 4), bool), pixel_mm=1.0) == ()
