"""Mass of elements in dots."""

import math

import pytest

from lampyris.core.errors import InputError
from lampyris.probe.hazard import element, element_mass_ag, formula_counts, material_names, size_correction, substance
from lampyris.probe.hazard.composition import dots_of_nmol, layer_volumes_nm3, material_faults
from lampyris.probe.materials import alloys
from lampyris.probe.structure import Layer, Structure


def test_mass_of_a_dot_in_closed_form():
    # 6.8 nm of CdTe: pi/6 d^3 x 5.86 g/cm3, of which 112.414 / (112.414 + 127.60) is cadmium
    found = element_mass_ag(Structure((Layer("CdTe", 3.4),)))
    volume = math.pi / 6 * 6.8**3
    # the density is pooled over sources that differ by 0.2 %
    assert found["Cd"].value == pytest.approx(volume * 5.86e-3 * 112.414 / 240.014, rel=3e-3)
    assert found["Cd"].value / found["Te"].value == pytest.approx(112.414 / 127.60)


def test_layers_fill_the_sphere():
    dot = Structure((Layer("CdTe", 2.2), Layer("CdSe", 1.2), Layer("ZnS", 0.6)))
    assert math.fsum(layer_volumes_nm3(dot)) == pytest.approx(4 / 3 * math.pi * 4.0**3)
    assert element_mass_ag(dot).keys() == {"Cd", "Te", "Se", "Zn", "S"}


def test_spread_of_sizes_makes_the_mean_dot_heavier():
    # mean of the cube of a normal diameter, exactly: d^3 + 3 d s^2
    assert size_correction(6.8, 0.9) == pytest.approx((6.8**3 + 3 * 6.8 * 0.9**2) / 6.8**3)
    assert dots_of_nmol(1.0) == pytest.approx(6.02214076e14)


@pytest.mark.parametrize("name", material_names())
def test_shares_of_every_material_add_up(name):
    share = 0.3 if any(name == alloy for alloy, _, _ in alloys()) else math.nan
    found = substance(name, composition=share)
    assert math.fsum(found.mass_share.values()) == pytest.approx(1.0)
    assert 1 < found.density_g_cm3 < 9


@pytest.mark.parametrize("alloy, first, second", alloys())
def test_alloys_end_in_their_members(alloy, first, second):
    for share, end in ((0.0, first), (1.0, second)):
        found, pure = substance(alloy, composition=share), substance(end)
        assert found.density_g_cm3 == pytest.approx(pure.density_g_cm3)
        for symbol, part in pure.mass_share.items():
            assert found.mass_share[symbol] == pytest.approx(part)


def test_formulae_are_read():
    assert formula_counts("CuInS2") == {"Cu": 1.0, "In": 1.0, "S": 2.0}
    assert element("Hg").permitted_ug_day.value == 3.0 and element("Te").permitted_ug_day is None


@pytest.mark.parametrize("call", [lambda: substance("CdTr"), lambda: substance("CdSeTe"), lambda: element("Xx")])
def test_unknown_materials_are_refused(call):
    with pytest.raises(InputError) as refused:
        call()
    assert refused.value.findings[0].mend


def test_every_faulty_layer_is_named():
    faults = material_faults(Structure((Layer("CdTr", 2.0), Layer("CdSe", 1.0), Layer("CdSeTe", 1.0, 1.5))))
    assert [fault.place.column for fault in faults] == ["layers[0].material", "layers[2].composition"]
