"""A dose beside published limits, viability, and alternatives."""

import numpy as np
import pytest

from lampyris.core.errors import InputError
from lampyris.probe.hazard import (
    Conditions,
    Dose,
    alternatives,
    hazard_index_per_dot,
    hazard_of_dose,
    human_equivalent,
    log_logistic,
    species_named,
)
from lampyris.probe.structure import Layer, Structure

STUDY = Structure((Layer("CdTe", 2.2), Layer("CdSe", 1.2)))


def hazard(structure=STUDY, dose=None, **options):
    return hazard_of_dose(structure, dose or Dose(0.2), rng=np.random.default_rng(1), **options)


def test_dose_scales_with_amount_and_body():
    one, two = hazard(), hazard(dose=Dose(0.4))
    assert two.elements[0].total_ug.value == pytest.approx(2 * one.elements[0].total_ug.value)
    heavier = hazard(dose=Dose(0.2, body_g=40.0))
    assert heavier.elements[0].per_kg.value == pytest.approx(one.elements[0].per_kg.value / 2)
    assert one.elements[0].symbol == "Cd" and one.elements[-1].permitted_ug_day is None


def test_no_dose_has_no_metal_and_no_end_of_margin():
    none = hazard(dose=Dose(0.0))
    assert none.elements[0].total_ug.value == 0 and none.lethal[0].margin_all.value == np.inf


def test_human_equivalent_dose_as_printed():
    # FDA 2005 as quoted: a mouse's dose in mg/kg over 12.3, a rat's over 6.2
    assert 1 / human_equivalent(1.0, species_named("mouse")) == pytest.approx(12.3, rel=5e-3)
    assert 1 / human_equivalent(1.0, species_named("rat")) == pytest.approx(6.2, rel=6e-3)


def test_margins_are_lethal_dose_over_dose():
    found = hazard()
    cadmium = found.elements[0].per_kg.value
    for margin in found.lethal:
        assert margin.margin_all.value == pytest.approx(1000 * margin.ld50_mg_kg.value / cadmium)
        assert margin.margin_released.value >= margin.margin_all.value
    # CdCl2, 5.98 mg/kg of the salt, of which 112.414 / 183.31 is cadmium
    assert found.lethal[0].ld50_mg_kg.value == pytest.approx(5.98 * 112.414 / 183.31, rel=2e-3)


def test_viability_falls_with_concentration_and_says_its_source():
    bare = Conditions(coat_half_life_d=0.0, speed_nm_per_h=1e-2)
    few, many = (hazard(concentration_nmol_l=c, conditions=bare).viability for c in (1.0, 1000.0))
    assert few[0].viability.value > 0.99 > many[0].viability.value
    assert all(one.source and one.mark for one in many)


@pytest.mark.parametrize("concentration, viability", [(25.0, 0.6227), (100.0, 0.0029)])
def test_log_logistic_meets_the_two_published_points(concentration, viability):
    # Vet Med (Czech) 1998;43:365, rat liver cells: EC50 27.9 umol/l, slope 4.6 solved from these two
    assert log_logistic(concentration, 27.9, 4.6) == pytest.approx(viability, abs=0.005)


def test_whole_dots_of_the_same_core_meet_the_published_point():
    bare = Structure((Layer("CdTe", 2.0),))
    per_nmol = hazard(bare, concentration_nmol_l=1.0).whole_dots[0].dots_ug_ml
    # mass of a sphere of 4 nm of 5.86 g/cm3, 6.022e14 of them in a litre; the density is pooled to 0.2 %
    assert per_nmol == pytest.approx(4 / 3 * np.pi * 8 * 5.86e-21 * 6.02214076e14 * 1e3, rel=3e-3)
    found = hazard(bare, concentration_nmol_l=20.0 / per_nmol).whole_dots[0]
    assert found.viability.value == pytest.approx(0.526, abs=0.002)
    assert "shell, which spares" in hazard(concentration_nmol_l=1.0).whole_dots[0].caution
    assert not hazard(Structure((Layer("InP", 2.0),)), concentration_nmol_l=1.0).whole_dots


def test_no_dose_response_is_said():
    found = hazard(Structure((Layer("InP", 2.0), Layer("ZnS", 0.6))), concentration_nmol_l=10.0)
    assert not found.viability and any("viability cannot be told" in text for text in found.unknown)
    assert any("published for In" in text for text in found.unknown)


def test_cadmium_free_families_rank_before_the_dot():
    ranked = [one for one in alternatives(STUDY, emission_nm=810.0) if one.reaches]
    own = next(one for one in ranked if one.family == "CdTe/CdSe")
    assert own.index == pytest.approx(1.0)
    assert ranked[0].cadmium_free and ranked.index(own) > 3
    assert all(one.worst >= one.index for one in ranked)
    assert not next(one for one in alternatives(STUDY, emission_nm=810.0) if one.family == "InP/ZnS").reaches


def test_index_counts_unknown_elements_only_when_asked():
    dot = Structure((Layer("InP", 2.0),))
    assert hazard_index_per_dot(dot) == 0 < hazard_index_per_dot(dot, unknown_limit_ug_day=2.0)


def test_all_faults_of_a_dose_are_told_at_once():
    with pytest.raises(InputError) as refused:
        hazard_of_dose(
            Structure((Layer("CdTr", 2.0),)),
            Dose(-1.0, "mose", 0.0),
            conditions=Conditions(ph=1.0),
            rng=np.random.default_rng(1),
        )
    fields = {finding.place.column for finding in refused.value.findings}
    assert fields == {"dose_nmol", "species", "body_g", "ph", "layers[0].material"}
