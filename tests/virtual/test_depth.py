"""Depth of a true lesion below the surface that a view sees."""

import math

import numpy as np
import pytest

from lampyris.tissue.anatomy import AnatomyParameters, build_anatomy
from lampyris.virtual.depth import true_depth_mm


@pytest.fixture(scope="module")
def fine():
    return build_anatomy(voxel_mm=0.25)


@pytest.mark.parametrize("voxel_mm", [0.5, 0.7, 1.0])
def test_depths_from_both_sides_add_up_to_the_thickness(fine, voxel_mm):
    """The body's height in a column, however fine the grid, as counted on a much finer one."""
    mouse = build_anatomy(voxel_mm=voxel_mm)
    for y_mm in (20.0, 45.0, 70.0):
        thickness = sum(true_depth_mm(mouse, (0.7, y_mm, 1.0), view=view) for view in ("dorsal", "ventral"))
        _, y, x = fine.coordinates()
        column = fine.inside[:, np.argmin(np.abs(y - y_mm)), np.argmin(np.abs(x - 1.0))]
        # the count is off by up to its voxel; smoothing leaves a quarter of a voxel to each face
        assert thickness == pytest.approx(column.sum() * 0.25, abs=0.25 + 0.5 * voxel_mm)


def test_deeper_by_what_it_is_moved():
    mouse = build_anatomy(AnatomyParameters(height_scale=1.1), voxel_mm=0.7)
    depths = [true_depth_mm(mouse, (z, 45.0, 3.0), view="dorsal") for z in (4.0, 2.5)]
    assert depths[1] - depths[0] == pytest.approx(1.5)
    assert true_depth_mm(mouse, (4.0, 45.0, 3.0), view="ventral") > depths[1]


def test_beside_the_animal_there_is_no_depth():
    assert math.isnan(true_depth_mm(build_anatomy(voxel_mm=1.0), (0.0, 45.0, 40.0), view="dorsal"))
