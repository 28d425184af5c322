"""Debye's sum of dots that are longer along one axis, against single dots atom by atom."""

import math

import numpy as np
import pytest

from lampyris.bench.xrd.crystals import anodes, extent_of, phases
from lampyris.bench.xrd.debye import pair_shells
from lampyris.bench.xrd.infer import Recorded
from lampyris.bench.xrd.match import match_phases
from lampyris.bench.xrd.pattern import Beam, Resolution
from lampyris.bench.xrd.whole import infer_whole
from lampyris.virtual.instruments.xrd import SHAPES, XrdTruth, expected_pattern


def test_extents_have_a_mean_of_one_and_the_ratio_of_the_axes():
    cosine = (np.arange(2000) + 0.5) / 2000
    across = np.sqrt(1.0 - cosine**2)
    directions = np.column_stack([across, np.zeros(cosine.size), cosine])
    harmonic = phases()["CdSe wurtzite"].harmonic(directions)
    # the mean is taken to second order: the third is form^3 / 6 times the harmonic's mean cube of 16 / 945
    assert extent_of(harmonic, 0.3).mean() == pytest.approx(1.0, abs=2 * 0.3**3 / 6 * 16 / 945)
    assert extent_of(harmonic[[-1]], 0.3) / extent_of(harmonic[[0]], 0.3) == pytest.approx(math.exp(0.3), rel=1e-3)
    assert not phases()["PbS rock salt"].harmonic(directions).any()


def test_directions_of_a_shell_share_its_pairs():
    shells = pair_shells("CdSe wurtzite", 12.0)
    for shell, share, distance in zip(shells.shell, shells.share, shells.distance_a, strict=True):
        assert np.bincount(shell, share, minlength=distance.size) == pytest.approx(np.ones(distance.size))


def test_a_long_dot_is_no_larger_or_smaller_for_it():
    x = np.arange(18.0, 58.0, 0.1)
    truth = XrdTruth(phase="CdSe wurtzite", size_nm=2.6, spread=0.12, shape="long", peak_counts=1e5, dots=12)
    seen = expected_pattern(x, truth, np.random.default_rng(3))
    cu = anodes()["Cu"]
    beam = Beam((cu.alpha1.value, cu.alpha2.value), (1.0 / (1.0 + cu.ratio), cu.ratio / (1.0 + cu.ratio)))
    recorded = Recorded(x, seen, np.sqrt(seen), beam, Resolution(w=0.01, share=0.5), 0.05)
    (match,) = match_phases(x, seen, recorded.sd, beam, recorded.resolution, (truth.phase,))
    fit = infer_whole(recorded, match)
    # as spheres it came out a tenth too small; few dots are off by a per cent or two from their law
    assert fit.size_nm.value == pytest.approx(truth.size_nm, rel=0.03)
    assert fit.fit["form"].value == pytest.approx(math.log(SHAPES["long"][1]), abs=0.04)
