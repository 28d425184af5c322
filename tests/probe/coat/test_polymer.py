"""PEG on a sphere: coil, brush, and their limits."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lampyris.core.errors import InputError
from lampyris.probe.coat.polymer import MONOMER_G_MOL, MONOMER_NM, brush_height_nm, flory_radius_nm, polymer_layer


def test_coil_grows_as_the_three_fifths_power():
    assert flory_radius_nm(4000) / flory_radius_nm(1000) == pytest.approx(4**0.6, rel=1e-12)


def test_brush_on_a_large_sphere_is_the_flat_brush():
    mass, density = 2000.0, 0.5
    flat = mass / MONOMER_G_MOL * MONOMER_NM * (density * MONOMER_NM**2) ** (1 / 3)
    # the curvature's correction is of order height over radius: 4 nm over 1e5 nm
    assert brush_height_nm(mass, grafting_per_nm2=density, radius_nm=1e5) == pytest.approx(flat, rel=1e-4)


def test_brush_meets_the_mushroom_where_chains_touch():
    mass = 5000.0
    touching = flory_radius_nm(mass) ** -2
    sparse = brush_height_nm(mass, grafting_per_nm2=touching / 100, radius_nm=1e5)
    assert sparse == pytest.approx(flory_radius_nm(mass), rel=1e-3)
    assert sparse == brush_height_nm(mass, grafting_per_nm2=touching * (1 - 1e-12), radius_nm=1e5)
    assert polymer_layer(mass, radius_nm=3.4, grafting_per_nm2=touching / 2).regime == "mushroom"


@given(st.floats(300, 10000), st.floats(0.01, 3), st.floats(1, 20))
def test_layer_is_between_dry_and_stretched(mass, density, radius):
    layer = polymer_layer(mass, radius_nm=radius, grafting_per_nm2=density)
    stretched = mass / MONOMER_G_MOL * MONOMER_NM
    assert 0 < layer.thickness_nm <= stretched and layer.thickness_sd_nm > 0
    assert layer.dry_nm > 0 and layer.chains == pytest.approx(density * 4 * math.pi * radius**2)


@pytest.mark.parametrize("mass, radius, density", [(50, 3, 0.2), (5e4, 3, 0.2), (2000, 3, 9.0), (2000, -1.0, 0.2)])
def test_outside_of_the_model_is_refused(mass, radius, density):
    with pytest.raises(InputError) as refused:
        polymer_layer(mass, radius_nm=radius, grafting_per_nm2=density)
    assert "between" in refused.value.findings[0].seen
