"""Outlines of drawn discs and ellipses: found, parted where they touch, refused where that is not clear."""

import numpy as np
import pytest
from scipy.ndimage import distance_transform_edt

from lampyris.assays.exvivo.outlines import Segment, find_organs, tray_contrast, with_drawn
from lampyris.core.errors import ImageError

PIXEL = 0.45
SHAPE = (110, 150)


def tray(*organs, light=100.0, tilt=0.0, seed=1):
    """A photograph with ellipses (y, x, half height, half width, brightness) on an even or tilted tray, and their masks."""
    y, x = (np.arange(n) for n in SHAPE)
    picture = light * (1.0 + tilt * (x / SHAPE[1] - 0.5)) * np.ones((SHAPE[0], 1))
    masks = []
    for at_y, at_x, height, width, level in organs:
        mask = ((y[:, None] - at_y) / height) ** 2 + ((x[None, :] - at_x) / width) ** 2 <= 1.0
        picture = np.where(mask, level, picture)
        masks.append(mask)
    return picture + np.random.default_rng(seed).normal(0.0, 0.01 * light, SHAPE), masks


def overlap(a, b):
    return (a & b).sum() / (a | b).sum()


CASES = {
    "apart": ([(30, 30, 12, 15, 400.0), (70, 90, 10, 18, 300.0)], {}),
    "darker than a white tray": ([(30, 30, 12, 15, 400.0), (70, 90, 10, 18, 700.0)], {"light": 2000.0}),
    "on a tilted tray": ([(30, 30, 12, 15, 250.0), (70, 110, 10, 18, 250.0)], {"tilt": 0.4}),
    "touching, alike": ([(40, 40, 12, 14, 400.0), (42, 66, 10, 13, 400.0)], {}),
    "touching, of two shades": ([(40, 40, 12, 14, 300.0), (44, 64, 18, 11, 600.0)], {}),
    "three in a row": ([(40, 30, 12, 12, 400.0), (41, 53, 10, 12, 350.0), (40, 78, 12, 14, 420.0)], {}),
}


@pytest.mark.parametrize("case", CASES)
def test_organs_are_outlined(case):
    organs, options = CASES[case]
    picture, masks = tray(*organs, **options)
    found = find_organs(picture, pixel_mm=PIXEL, count=len(organs))
    assert len(found) == len(organs)
    # a rim of half a pixel around a disc of 12 pixels is 8 % of its area: 0.9 leaves room for no more
    assert min(max(overlap(mask, one.mask) for one in found) for mask in masks) >= 0.9
    assert all(one.touching for one in found) == ("touching" in case or case == "three in a row")


def test_the_glow_parts_what_looks_alike():
    """Two halves of one ellipse, alike in the photograph and not in their light."""
    picture, (whole,) = tray((50, 60, 20, 34, 400.0))
    left = whole & (np.arange(SHAPE[1]) < 60)[None, :]
    with pytest.raises(ImageError, match="cannot be outlined"):
        find_organs(picture, pixel_mm=PIXEL, count=2)
    glow = np.where(left, 900.0, np.where(whole, 150.0, 10.0))
    found = find_organs(picture, pixel_mm=PIXEL, count=2, glow=glow)
    assert max(overlap(left, one.mask) for one in found) >= 0.9


REFUSED = {
    "more objects than organs": ([(30, 30, 12, 15, 400.0), (70, 90, 10, 18, 300.0)], 1),
    "fewer than organs": ([(30, 30, 12, 12, 400.0)], 3),
    "a single round one that is to be two": ([(50, 60, 25, 25, 400.0)], 2),
    "an empty tray": ([], 1),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_not_clear_is_refused_with_what_was_found(case):
    organs, count = REFUSED[case]
    picture, _ = tray(*organs)
    with pytest.raises(ImageError) as refused:
        find_organs(picture, pixel_mm=PIXEL, count=count, file="tray.tif")
    (finding,) = refused.value.findings
    assert finding.place.file == "tray.tif" and "outlines" in finding.mend
    assert ("mm2 at y" in finding.seen) == bool(organs)


def test_the_tray_is_level_after_its_tilt_is_taken_off():
    picture, (mask,) = tray((50, 60, 20, 20, 400.0), tilt=0.5)
    contrast = tray_contrast(picture)
    # noise is 1 % of the tray's 100
    assert np.median(contrast[~mask]) < 2.0
    assert np.median(contrast[mask]) == pytest.approx(300.0, abs=10.0)


def test_a_persons_outline_takes_the_place_of_the_automatic_one():
    _, (one, other) = tray((40, 40, 12, 14, 400.0), (42, 66, 10, 13, 400.0))
    by_hand = Segment(one | (other & (np.arange(SHAPE[1]) < 60)[None, :]), drawn=True, label="m01 liver")
    kept = with_drawn([Segment(one), Segment(other)], [by_hand])
    assert [segment.drawn for segment in kept] == [True, False]
    assert not (kept[1].mask & by_hand.mask).any()


def test_a_long_organ_ends_where_it_meets_a_large_one():
    """A spleen with a waist, its tip against a liver: the narrowest place is inside it, and the dark seam tells."""
    y, x = (np.arange(n) for n in SHAPE)
    large = ((y[:, None] - 50) / 28.0) ** 2 + ((x[None, :] - 45) / 28.0) ** 2 <= 1.0
    along = (x[None, :] - 80) * np.cos(0.6) + (y[:, None] - 50) * np.sin(0.6)
    across = (y[:, None] - 50) * np.cos(0.6) - (x[None, :] - 80) * np.sin(0.6)
    half = 4.5 * (1.0 - 0.35 * np.exp(-(((along + 5.0) / 2.5) ** 2)))
    long = ((along / 11.0) ** 6 + (across / half) ** 2 <= 1.0) & ~large
    picture = np.where(large, 420.0, np.where(long, 400.0, 100.0))
    # organs are rounded: their rims look away from the lamp
    for mask in (large, long):
        rim = mask & (distance_transform_edt(mask) <= 1.5)
        picture = np.where(rim, 0.8 * (picture - 100.0) + 100.0, picture)
    picture += np.random.default_rng(2).normal(0.0, 1.0, SHAPE)
    found = find_organs(picture, pixel_mm=PIXEL, count=2)
    # the border at the waist leaves 0.82 of the long one
    assert min(max(overlap(mask, one.mask) for one in found) for mask in (large, long)) >= 0.93
