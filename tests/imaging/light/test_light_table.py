"""What the skin sees of every voxel, and how sure that is."""

import numpy as np
import pytest

from lampyris.imaging.forward import (
    SIDE_OF_VIEW,
    build_phantom,
    skin_sensitivity,
    surface_exitance,
    surface_grid,
    visible_share,
)
from lampyris.imaging.light.light_table import ELSEWHERE, VIEWS, light_table
from lampyris.probe.probe import probe_from_settings
from lampyris.tissue.anatomy import build_anatomy
from lampyris.virtual.design import default_design


@pytest.fixture(scope="module")
def coarse():
    return build_phantom(build_anatomy(voxel_mm=2.0), excitation_nm=710.0, emission_nm=(810.0,))


@pytest.fixture(scope="module")
def table():
    design = default_design()
    return light_table(design.instrument, probe_from_settings("targeted-dot", design.probes["targeted-dot"]))


@pytest.mark.parametrize("view", VIEWS)
def test_adjoint_fields_are_the_forward_solution(coarse, view):
    columns, seen = skin_sensitivity(coarse, 0, view=view)
    inside = coarse.anatomy.inside
    for place in (400, 900, 1500):
        source = np.zeros(inside.shape)
        source.ravel()[np.flatnonzero(inside.ravel())[place]] = coarse.anatomy.voxel_mm**-3
        forward = surface_exitance(coarse, 0, source[None], views=(view,))[0][columns[:, 0], columns[:, 1]]
        # the solver's tolerance is relative to the source, so far columns are known in part of it only
        assert seen[:, place] == pytest.approx(forward * coarse.anatomy.voxel_mm**2, rel=1e-3, abs=1e-6)


@pytest.mark.parametrize("view", VIEWS)
def test_all_columns_together_are_the_visible_share(coarse, view):
    _, seen = skin_sensitivity(coarse, 0, view=view)
    share = visible_share(coarse, 0, view=view)[coarse.anatomy.inside]
    # single precision of about a thousand columns
    assert seen.sum(axis=0) == pytest.approx(share, rel=1e-3, abs=1e-5)


def test_body_without_tail(table):
    assert table.points_mm[:, 1].max() < 93.0
    grid = surface_grid(build_anatomy(voxel_mm=table.pitch_mm))
    assert grid.pitch_mm == table.pitch_mm
    for view in SIDE_OF_VIEW:
        assert table.flux[view].shape == (len(table.columns_mm[view]), len(table.points_mm))
        # the outermost pixels are left out of images and table alike, so the columns hold a little less than the whole
        held = table.flux[view].sum(axis=0) / table.whole_flux[view]
        assert 0.9 < np.median(held) <= 1.0 + 1e-6


def test_a_view_sees_more_of_what_is_near_to_it(table):
    # in the trunk: thin edges send light round to both sides
    thick = table.depth_mm["dorsal"] + table.depth_mm["ventral"] > 15.0
    near = thick & (table.depth_mm["dorsal"] < 3.0)
    far = thick & (table.depth_mm["ventral"] < 3.0)
    ratio = np.log(table.whole_flux["dorsal"] / table.whole_flux["ventral"])
    assert ratio[near].min() > 0.0 > ratio[far].max()


def test_organ_probabilities(table):
    assert table.organs[0] == ELSEWHERE
    assert table.organ_probability.sum(axis=0) == pytest.approx(1.0)
    assert (table.organ_probability >= 0).all()
    volume = table.organ_probability.sum(axis=1) * table.pitch_mm**3
    nominal = build_anatomy(voxel_mm=table.pitch_mm)
    for organ in ("liver", "lungs", "brain", "kidneys"):
        # the mean over animals whose organs move at a spread of a millimetre and vary by a tenth in volume
        assert volume[table.organs.index(organ)] == pytest.approx(nominal.volume_mm3(organ), rel=0.08)
    # a small organ that moves by its own size is certain nowhere
    assert table.organ_probability[table.organs.index("axillary nodes")].max() < 0.9


def test_covariance_grows_with_depth(table):
    covariance = np.moveaxis(table.log_flux_covariance, -1, 0)
    assert np.linalg.eigvalsh(covariance).min() > -1e-12
    sd = np.sqrt(covariance[:, VIEWS.index("dorsal"), VIEWS.index("dorsal")])
    shallow, deep = table.depth_mm["dorsal"] < 2.0, table.depth_mm["dorsal"] > 8.0
    assert np.median(sd[shallow]) < 0.5 * np.median(sd[deep])
