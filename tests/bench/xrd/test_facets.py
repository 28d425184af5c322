"""Overlaps of cut spheres with themselves against closed forms, and facets that come back from a pattern."""

import numpy as np
import pytest

from lampyris.bench.xrd.crystals import anodes
from lampyris.bench.xrd.debye import sphere_overlap
from lampyris.bench.xrd.facets import FAR, MOST_CUT, cubic_terms, cut_sphere_overlaps, uniaxial_terms
from lampyris.bench.xrd.infer import Recorded
from lampyris.bench.xrd.match import match_phases
from lampyris.bench.xrd.pattern import Beam, Resolution
from lampyris.bench.xrd.whole import infer_whole
from lampyris.virtual.instruments.xrd import XrdTruth, expected_pattern


@pytest.mark.parametrize("cubic", [True, False])
def test_without_facets_all_directions_overlap_as_a_sphere(cubic):
    terms = cut_sphere_overlaps(cubic=cubic)(0.0)
    # rays stand for cells of a grid of 28 by 28
    assert terms[0] == pytest.approx(sphere_overlap(FAR, 1.0), abs=0.002)
    assert np.abs(terms[1:]).max() < 1e-12


def test_a_cube_overlaps_along_its_edges_as_a_cube():
    # planes at 1 / sqrt(3) of the radius leave nothing of the sphere
    cube = cut_sphere_overlaps(cubic=True)(((1.0 - 1.0 / np.sqrt(3.0)) / MOST_CUT) ** 2)
    along = cubic_terms(np.array([[1.0, 0.0, 0.0]])) @ cube
    # the mean column of a cube of edge 1 is 0.897; functions of the twelfth degree round its corners off
    assert along[0] == pytest.approx(np.maximum(1.0 - FAR * 0.8971 / 0.75, 0.0), abs=0.04)


def test_a_cut_dot_has_the_mean_column_of_its_sphere():
    height = (np.arange(400) + 0.5) / 400
    for facets in (-0.3, 0.3):
        overlap = uniaxial_terms(height**2 - 1.0 / 3.0) @ cut_sphere_overlaps(cubic=False)(facets)
        column = 2.0 * np.trapezoid(overlap.mean(axis=0), FAR)
        # between nodes, and of 80 directions
        assert column == pytest.approx(0.75, rel=0.01)


def test_facets_of_a_cubic_dot_are_found_and_move_neither_size_nor_lattice():
    x = np.arange(18.0, 75.0, 0.2)
    truth = XrdTruth(phase="CdTe zinc blende", size_nm=3.2, spread=0.12, shape="rounded cube", peak_counts=1e5, dots=6)
    seen = expected_pattern(x, truth, np.random.default_rng(3))
    cu = anodes()["Cu"]
    beam = Beam((cu.alpha1.value, cu.alpha2.value), (1.0 / (1.0 + cu.ratio), cu.ratio / (1.0 + cu.ratio)))
    recorded = Recorded(x, seen, np.sqrt(seen), beam, Resolution(w=0.01, share=0.5), 0.05)
    (match,) = match_phases(x, seen, recorded.sd, beam, recorded.resolution, (truth.phase,))
    fit = infer_whole(recorded, match)
    assert 0.1 < fit.fit["facets"].value < 0.3
    # spheres took the cube's lattice for 0.1 per cent smaller; few dots are off their law by a per cent or so
    assert fit.size_nm.value == pytest.approx(truth.size_nm, rel=0.02)
    assert fit.lattice_a.value == pytest.approx(6.482, rel=3e-4)
