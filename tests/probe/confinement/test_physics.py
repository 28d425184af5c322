"""Coulomb energy, polarisation and strain against closed forms."""

import numpy as np
import pytest

from lampyris.core.constants import E2_PER_4PI_EPS0_EV_NM
from lampyris.probe.confinement.coulomb import (
    BRUS_COEFFICIENT,
    coulomb_energy,
    enclosed_charge,
    polarisation_energy,
    potential_of,
)
from lampyris.probe.confinement.radial import lowest_level, radial_grid
from lampyris.probe.confinement.strain import hydrostatic_strain


@pytest.fixture(scope="module")
def walled():
    grid = radial_grid((2.5,), per_layer=8, outside_nm=())
    return grid, lowest_level(grid, np.zeros(2), np.array([1 / 0.13, 1.0])).density


def test_brus_coefficient(walled):
    grid, density = walled
    found = coulomb_energy(grid, density, density, np.array([9.0, 9.0]))
    brus = -BRUS_COEFFICIENT * E2_PER_4PI_EPS0_EV_NM / (9.0 * 2.5)
    # the coefficient itself is rounded to four digits
    assert found == pytest.approx(brus, rel=5e-4)


def test_a_uniform_ball_has_six_fifths(walled):
    grid, _ = walled
    density = np.full_like(grid.radius_nm, 3 / 2.5**3)
    assert coulomb_energy(grid, density, density, np.array([1.0, 1.0])) == pytest.approx(
        -1.2 * E2_PER_4PI_EPS0_EV_NM / 2.5, rel=1e-9
    )
    # the charge within r goes as r^3
    assert enclosed_charge(grid, density) == pytest.approx((grid.radius_nm / 2.5) ** 3, abs=1e-12)


def test_energy_and_potential_agree_across_permittivities():
    grid = radial_grid((1.5, 1.0))
    e = lowest_level(grid, np.array([-4.6, -4.95, 0.0]), np.array([10.0, 8.0, 1.0])).density
    h = lowest_level(grid, np.array([6.1, 6.7, 9.0]), np.array([2.5, 2.2, 1.0])).density
    permittivity = np.array([10.0, 6.0, 2.0])
    energy = coulomb_energy(grid, e, h, permittivity)
    for one, other in ((e, h), (h, e)):
        # two ways to the same integral: by charges within, by the potential; both quadratures hold it to 1e-6
        assert float(np.sum(grid.weight * one * potential_of(grid, other, permittivity))) == pytest.approx(
            energy, rel=1e-6
        )


def test_polarisation_vanishes_without_contrast_and_falls_as_one_over_r():
    def at(radius, inside, outside):
        grid = radial_grid((radius,), per_layer=8, outside_nm=())
        density = lowest_level(grid, np.zeros(2), np.array([1 / 0.13, 1.0])).density
        return polarisation_energy(grid, density, density, radius, inside, outside)

    assert at(2.5, 6.0, 6.0) == 0.0
    assert at(2.5, 6.0, 2.0) > 0 > at(2.5, 2.0, 6.0)
    # far from the surface layer the law is exact; it is a tenth of a nanometre here
    assert at(20.0, 6.0, 2.0) == pytest.approx(at(10.0, 6.0, 2.0) / 2, rel=0.02)


def test_strain_of_two_layers_is_the_closed_form():
    # a misfitting ball in a free shell of the same elastic constants: the pressure on the ball is
    # p = 3 K d (4 mu)(1 - c)/(3 K + 4 mu), c the share of the core's volume, d the misfit
    radius, shell, misfit, c11, c12 = 2.0, 1.0, -0.05, 60.0, 40.0
    found = hydrostatic_strain(
        np.array([radius, shell]), np.array([0.6, 0.6 * (1 + misfit)]), np.full(2, c11), np.full(2, c12)
    )
    bulk3, shear4, share = c11 + 2 * c12, 2 * (c11 - c12), (radius / (radius + shell)) ** 3
    pressure = bulk3 * -misfit * shear4 * (1 - share) / (bulk3 + shear4)
    assert found[0] == pytest.approx(-3 * pressure / bulk3, rel=1e-10)
    # equal constants: the mean change of volume over the sphere is none
    assert share * found[0] + (1 - share) * found[1] == pytest.approx(0.0, abs=1e-12)


def test_no_misfit_no_strain():
    same = np.full(3, 0.6)
    assert hydrostatic_strain(
        np.array([2.0, 0.5, 0.5]), same, np.array([60.0, 70, 80]), np.full(3, 40.0)
    ) == pytest.approx(0.0, abs=1e-15)
