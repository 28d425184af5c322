"""Cuts that weights decide: a chain of pieces of which some are lobes of one organ."""

import math

import numpy as np

from lampyris.assays.exvivo.names import sizes_judge
from lampyris.assays.exvivo.outlines import find_organs
from lampyris.assays.exvivo.partings import Lump, judged_cuts
from lampyris.core.schemas import ORGANS, OrganRow

EMPTY = {column.name: math.nan if column.kind in ("number", "integer") else "" for column in ORGANS}
# four pieces side by side of 100, 100, 25 and 40 mm2
WIDTHS, PIXEL = (20, 20, 5, 8), 1.0


def pieces():
    return np.repeat(np.arange(1, 5, dtype=np.int32), WIDTHS)[None, :].repeat(5, axis=0)


def rows(*weights):
    return [OrganRow(**{**EMPTY, "row": n, "animal": "m01", "organ": f"o{n}", "weight_g": w, "place": n})
            for n, w in enumerate(weights, start=1)]  # fmt: skip


def weight_of(area):
    """Of an organ that lies as organs do: its mean height is 0.65 of the cube root of its volume."""
    return 1.05e-3 * (0.65 * area) ** 1.5


CUTS = {(1, 2): 0.4, (2, 3): 0.2, (3, 4): 0.2}


def test_the_cut_that_fits_the_weights_is_made():
    for areas, cut in (((100, 165), (1, 2)), ((200, 65), (2, 3)), ((225, 40), (3, 4))):
        judge = sizes_judge(rows(*map(weight_of, areas)), pixel_mm=PIXEL)
        parting = judged_cuts(pieces(), CUTS, count=2, judge=judge)
        assert parting.cuts == (cut,)


def test_a_sliver_that_may_be_either_organs_is_in_dispute():
    judge = sizes_judge(rows(*map(weight_of, (212, 52))), pixel_mm=PIXEL)
    parting = judged_cuts(pieces(), CUTS, count=2, judge=judge)
    assert {3} in [set(its) for _, its in parting.disputed] and not parting.unsure


def test_weights_that_no_way_fits_decide_nothing():
    judge = sizes_judge(rows(30.0, 0.001), pixel_mm=PIXEL)
    assert judged_cuts(pieces(), CUTS, count=2, judge=judge) is None
    assert sizes_judge(rows(1.0, math.nan), pixel_mm=PIXEL) is None
    assert judge([Lump(100.0, 0.0, 9.0, 5.0, 5.0), Lump(100.0, 6.0, 15.0, 10.0, 20.0)]) is None


def test_more_pieces_than_organs_cannot_be_cut():
    apart = np.array([[1, 0, 2]], np.int32)
    assert judged_cuts(apart, {}, count=1, judge=lambda _: (0.0, [0])) is None


def test_an_organ_that_another_way_puts_elsewhere_is_marked_on_the_tray():
    """Two pairs of discs, one of which is two organs: the second place is the half of one pair or the other pair."""
    y, x = np.arange(110)[:, None], np.arange(150)[None, :]
    discs = [
        (y - b) ** 2 + (x - a) ** 2 <= 121
        for b, a in ((30, 22), (30, 39), (30, 80), (30, 97), (85, 30), (85, 75), (85, 120))
    ]
    photo = np.where(np.any(discs, axis=0), 400.0, 100.0) + np.random.default_rng(1).normal(0.0, 1.0, (110, 150))
    pixel_mm = 0.45
    one, two = (pixel_mm**2 * float(mask.sum()) for mask in (discs[4], discs[0] | discs[1]))
    # the middle of the areas of one disc and of two fits either as well
    areas = (math.sqrt(one * two), one, math.sqrt(one * two), one, one, one)
    judge = sizes_judge(rows(*map(weight_of, areas)), pixel_mm=pixel_mm)
    found = find_organs(photo, pixel_mm=pixel_mm, count=6, judge=judge)
    assert [segment.unsure for segment in found] == [False, True, False, False, False, False]
    assert [segment.disputed is not None for segment in found] == [True, False, True, False, False, False]
