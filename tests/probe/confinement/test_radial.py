"""Radial levels: closed forms, exact core and shell levels, convergence at the expected order, masses that go with energy."""

from itertools import pairwise

import numpy as np
import pytest
from scipy.optimize import brentq

from lampyris.core.constants import HBAR2_PER_2M0_EV_NM2
from lampyris.core.errors import LampyrisError
from lampyris.probe.confinement.radial import lowest_level, radial_grid


def exact_level(layers_nm, potential_ev, masses, near_ev):
    """Lowest s level of piecewise constant edges and masses, by carrying ``R`` and ``(1/m) R'`` outwards through each layer."""

    def mismatch(energy):
        radius, value, flux = 0.0, 1.0, 0.0
        for thickness, edge, mass in zip(layers_nm, potential_ev, masses, strict=False):
            k = np.sqrt(complex(mass * (energy - edge) / HBAR2_PER_2M0_EV_NM2))
            outer = radius + thickness
            # u = r R obeys the plane equation; sin(kr)/k is real on both sides of the edge
            u0, du0 = (0.0, 1.0) if radius == 0 else (radius * value, value + radius * mass * flux)
            across, along = (np.sin(k * thickness) / k).real, np.cos(k * thickness).real
            u, du = u0 * along + du0 * across, du0 * along - u0 * (k * k).real * across
            radius, value, flux = outer, u / outer, (du / outer - u / outer**2) / mass
        kappa = np.sqrt(masses[-1] * (potential_ev[-1] - energy) / HBAR2_PER_2M0_EV_NM2)
        return flux + value * (kappa + 1 / radius) / masses[-1]

    return brentq(mismatch, near_ev - 5e-3, near_ev + 5e-3, xtol=1e-13)


@pytest.mark.parametrize("radius", [1.0, 2.0, 5.0])
@pytest.mark.parametrize("mass", [0.03, 0.13, 0.8])
def test_an_infinite_barrier_gives_the_closed_form(radius, mass):
    grid = radial_grid((radius,), per_layer=8, outside_nm=())
    found = lowest_level(grid, np.array([0.0, 0.0]), np.array([1 / mass, 1.0]))
    closed = HBAR2_PER_2M0_EV_NM2 * np.pi**2 / (mass * radius**2)
    # cubic elements, eight of them: error below 1e-8 of the energy
    assert found.energy_ev == pytest.approx(closed, rel=1e-8)
    assert found.energy_ev >= closed * (1 - 1e-12)


CASES = {
    "core in a barrier": ((2.0,), (-4.9, 0.0), (0.13, 1.0)),
    "type I": ((2.0, 0.6), (-4.95, -3.7, 0.0), (0.13, 0.28, 1.0)),
    "shell holds the electron": ((2.2, 1.2), (-4.6, -4.95, 0.0), (0.096, 0.125, 1.0)),
    "two shells": ((1.5, 0.5, 0.6), (-4.9, -4.3, -4.05, 0.0), (0.025, 0.08, 0.154, 1.0)),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_interfaces_are_those_of_bendaniel_and_duke(case):
    layers, edges, masses = case
    found = lowest_level(radial_grid(layers), np.array(edges), 1 / np.array(masses))
    exact = exact_level(layers, edges, masses, found.energy_ev)
    # the default grid: 0.1 meV, a hundredth of what the constants leave open
    assert found.energy_ev == pytest.approx(exact, abs=1e-4)
    assert found.share.sum() == pytest.approx(1.0)
    # the kinetic energy is what the edges leave
    assert found.kinetic_ev.sum() + found.share @ np.array(edges) == pytest.approx(found.energy_ev, abs=1e-10)


@pytest.mark.parametrize(("degree", "counts"), [(1, (16, 32, 64)), (2, (8, 16, 32)), (3, (4, 8, 16))])
def test_energies_fall_with_refinement_at_the_expected_order(degree, counts):
    layers, edges, masses = CASES["shell holds the electron"]
    errors = []
    for count in counts:
        # the outside is refined with the rest
        outside = tuple(np.repeat(1.2 / count, count))
        grid = radial_grid(layers, per_layer=count, degree=degree, outside_nm=outside)
        found = lowest_level(grid, np.array(edges), 1 / np.array(masses))
        errors.append(found.energy_ev - exact_level(layers, edges, masses, found.energy_ev))
    assert all(coarse > fine > 0 for coarse, fine in pairwise(errors))
    rates = [np.log2(coarse / fine) for coarse, fine in pairwise(errors)]
    # h^(2p); the last halving is within a tenth of it
    assert rates[-1] == pytest.approx(2 * degree, rel=0.1)


def test_a_mass_that_goes_with_energy_is_solved_to_its_own_energy():
    grid = radial_grid((1.8,))
    edges = np.array([-4.9, 0.0])

    def inverse(energy):
        above = energy + 4.9
        return np.array([20.0 / (0.4 + above), 1.0]), np.array([-20.0 / (0.4 + above) ** 2, 0.0])

    found = lowest_level(grid, edges, inverse)
    held = lowest_level(grid, edges, inverse(found.energy_ev)[0])
    assert found.energy_ev == pytest.approx(held.energy_ev, abs=1e-8)
    # another way to the same root
    root = brentq(lambda e: lowest_level(grid, edges, inverse(e)[0]).energy_ev - e, -4.9, -1.0, xtol=1e-12)
    assert found.energy_ev == pytest.approx(root, abs=1e-8)
    # sensitivity by the Hellmann-Feynman theorem against a step of the edge: only the outside moves, the mass law stays
    step = 1e-4
    moved = lowest_level(grid, edges + np.array([0.0, step]), inverse)
    assert (moved.energy_ev - found.energy_ev) / step == pytest.approx(found.share[1] / (1 - found.slope), rel=1e-2)


def test_a_mass_law_without_a_root_is_refused():
    grid = radial_grid((1.0,))

    def flips(energy):
        return np.array([5.0 if energy < -4.5 else 0.01, 1.0]), np.zeros(2)

    with pytest.raises(LampyrisError, match="did not settle"):
        lowest_level(grid, np.array([-4.9, 0.0]), flips)
