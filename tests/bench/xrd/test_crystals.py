"""Cells, structure factors and Debye's sum against an independent program and against atoms counted one by one."""

import math
import warnings

import numpy as np
import pytest

from lampyris.bench.xrd.crystals import DEBYE_WALLER_A2, anodes, form_factor, inverse_lengths, phases, reflections
from lampyris.bench.xrd.debye import pair_shells, predict_debye, sphere_atoms

TWINS = {
    "CdSe zinc blende": "CdSe_ZB",
    "InP zinc blende": "InP",
    "InP wurtzite": "InPWZ",
    "PbSe rock salt": "PbSe",
    "LaB6 powder": "LaB6",
    "Si powder": "Si",
}


@pytest.fixture(scope="module")
def peer():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pytest.importorskip("xrayutilities").materials


@pytest.mark.parametrize("name", TWINS)
def test_places_and_strengths_are_those_of_xrayutilities(peer, name):
    own, twin = reflections(name, 6.0), getattr(peer, TWINS[name])
    phase = phases()[name]
    scale = twin.a / phase.lengths_a[0]
    places = np.array([np.linalg.norm(twin.Q(*hkl)) for hkl in own.hkl.tolist()]) * scale
    # cubic cells that differ between sources are scaled; the hexagonal one is the same
    np.testing.assert_allclose(own.inverse, places, rtol=1e-12)
    clear = [hkl for hkl in own.hkl.tolist()[:8] if _alone(hkl, phase.cell())]
    assert len(clear) >= 5
    # the program adds anomalous terms and takes other form factors: 5 per cent, most of it common to all lines
    theirs = np.array(
        [abs(twin.StructureFactor(twin.Q(*hkl), en=60000.0)) ** 2 * _multiplicity(hkl, phase.cell()) for hkl in clear]
    )
    place = [own.hkl.tolist().index(hkl) for hkl in clear]
    damping = np.exp(-2.0 * DEBYE_WALLER_A2 * (own.inverse[place] / (4 * math.pi)) ** 2)
    ours = own.strength[place] * np.linalg.det(phase.cell()) ** 2 / damping
    np.testing.assert_allclose(ours / theirs, 1.0, atol=0.05)
    np.testing.assert_allclose(ours / theirs / np.median(ours / theirs), 1.0, atol=0.03)


def _same_length(hkl, cell):
    grid = np.stack(np.meshgrid(*[np.arange(-6, 7)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    length = inverse_lengths(np.array([hkl]), cell)[0]
    return grid[np.abs(inverse_lengths(grid, cell) - length) < 1e-6]


def _multiplicity(hkl, cell):
    return len(_same_length(hkl, cell))


def _alone(hkl, cell):
    """Whether all reflections of that length are permutations of one index, so have one structure factor."""
    family = {tuple(sorted(abs(one).tolist())) for one in _same_length(hkl, cell)}
    return len(family) == 1 or abs(cell[1, 0]) > 1e-6


def test_form_factors_begin_at_the_atomic_number():
    for element, z in {"O": 8, "Zn": 30, "Cd": 48, "Te": 52, "Hg": 80, "Pb": 82}.items():
        # heavy atoms scatter a little less than their number: Kissel's factors hold the relativistic term (z / 82.5)^2.37
        assert float(form_factor(element, np.zeros(1))[0]) == pytest.approx(z - (z / 82.5) ** 2.37, abs=0.1)


def test_every_phase_can_be_used():
    for name, phase in phases().items():
        own = reflections(name, 4.5)
        assert own.inverse.size and (np.diff(own.inverse) > 0).all(), name
        assert phase.source and phase.mark in ("secondary", "quoted", "unseen"), name
        distances = np.concatenate(pair_shells(name, 12.0).distance_a)
        # no two atoms nearer than the shortest bond of boron in LaB6
        assert distances.min() > 1.6, name
    assert anodes()["Cu"].alpha1.value == pytest.approx(1.540593, abs=1e-6)


def test_spheres_about_every_centre_are_the_mean_of_single_spheres():
    name, diameter = "CdSe zinc blende", 16.0
    q = np.linspace(1.0, 6.0, 60)
    rng = np.random.default_rng(1)
    total, atoms = np.zeros(q.size), 0
    for _ in range(24):
        places, elements = sphere_atoms(phases()[name], diameter, rng.random(3))
        factor = np.array([form_factor(one, q) for one in elements])
        first, second = np.triu_indices(len(elements), 1)
        distance = np.linalg.norm(places[first] - places[second], axis=1)
        damping = np.exp(-2.0 * (q / (4 * math.pi)) ** 2)
        waves = np.sinc(np.outer(distance, q) / math.pi) * factor[first] * factor[second]
        total += (factor**2).sum(axis=0) + 2.0 * damping * waves.sum(axis=0)
        atoms += len(elements)
    each = total / atoms * len(phases()[name].elements)
    ours = predict_debye(q, pair_shells(name, diameter), np.array([diameter]), np.ones(1))
    # two dozen centres leave about a per cent of the strongest line
    assert np.abs(ours - each).max() < 0.02 * each.max()


def test_a_monoclinic_and_a_hexagonal_cell_have_their_reciprocals():
    cell = phases()["CuO tenorite"].cell()
    a, b, c = phases()["CuO tenorite"].lengths_a
    sine = math.sin(math.radians(phases()["CuO tenorite"].beta_deg))
    lengths = inverse_lengths(np.eye(3, dtype=np.int64), cell) / (2 * math.pi)
    np.testing.assert_allclose(lengths, [1 / (a * sine), 1 / b, 1 / (c * sine)], rtol=1e-12)
    hexagonal = phases()["CdSe wurtzite"].cell()
    a = phases()["CdSe wurtzite"].lengths_a[0]
    assert inverse_lengths(np.array([[1, 0, 0]]), hexagonal)[0] == pytest.approx(4 * math.pi / (math.sqrt(3) * a))
