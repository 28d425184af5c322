"""Hydrodynamic diameters, and which coats fit a measured one."""

import pytest

from lampyris.core.dots import CoatSettings
from lampyris.core.errors import InputError
from lampyris.probe.coat import coat_layers, coat_names, coated_size, fitting_coats, hydrodynamic_diameter, ligand_named
from lampyris.probe.structure import Layer, Structure


def test_coat_adds_on_both_sides():
    bare, coated = coated_size(6.8, None), coated_size(6.8, "amphiphilic polymer")
    assert coated.diameter.value - bare.diameter.value == pytest.approx(2 * coated.layers[0].thickness.value)
    assert hydrodynamic_diameter(Structure((Layer("CdTe", 2.2), Layer("CdSe", 1.2))), None).value == pytest.approx(6.8)


def test_measured_thickness_replaces_the_table():
    size = coated_size(6.8, CoatSettings(kind="amphiphilic polymer + PEG2000", thickness_nm=5.8))
    assert size.diameter.value == pytest.approx(18.4)


def test_study_dot_has_a_polymer_coat():
    # Traore et al. 2025, Table 1: 6.8 +- 0.9 nm and 18.4 +- 2.1 nm, which is 5.8 nm a side
    fits = {fit.coat: fit for fit in fitting_coats(6.8, 18.4, core_sd_nm=0.9, hydrodynamic_sd_nm=2.1)}
    fitting = [name for name, fit in fits.items() if fit.verdict == "fits"]
    assert {"PEG3400", "PEG5000", "amphiphilic polymer + PEG750"} <= set(fitting)
    for small in (
        "cysteine",
        "mercaptopropionic acid",
        "dihydrolipoic acid",
        "zwitterionic dihydrolipoic acid",
        "PEG350",
    ):
        assert fits[small].verdict == "too thin"
    assert fits["amphiphilic polymer + PEG5000"].verdict == "too thick"
    # silica could have any thickness, so it explains nothing: it fits but ranks behind
    assert fitting.index("silica") > fitting.index("PEG3400")


@pytest.mark.parametrize("name", coat_names())
def test_every_coat_is_found_again(name):
    hydrodynamic = coated_size(6.8, name).diameter.value
    assert fitting_coats(6.8, hydrodynamic, names=[name])[0].verdict == "fits"


def test_cysteine_on_a_small_dot_passes_the_kidney_and_a_polymer_does_not():
    # Choi et al. 2007: zwitterionic dots below 5.5 nm leave by the kidney
    assert coated_size(2.9, "cysteine").below_renal_threshold > 0.9
    assert coated_size(2.9, "amphiphilic polymer").below_renal_threshold < 0.01


def test_ligands_add_between_equal_volume_and_a_full_layer():
    bare = coated_size(6.8, "amphiphilic polymer").diameter.value
    sizes = [
        coated_size(6.8, CoatSettings(kind="polymer", ligand="IgG", ligands_per_particle=n)).diameter.value
        for n in (0, 1, 3, 10, 22)
    ]
    assert sizes == sorted(sizes) and sizes[0] == pytest.approx(bare)
    assert sizes[-1] <= bare + 4 * ligand_named("IgG").radius_nm + 1e-9


def test_single_chains_add_less_than_whole_antibodies():
    sizes = {
        name: coated_size(6.8, CoatSettings(kind="polymer", ligand=name, ligands_per_particle=4)).diameter.value
        for name in ("antibody", "scFv", "RGD")
    }
    assert sizes["antibody"] > sizes["scFv"] > sizes["RGD"]


def test_protein_sizes_are_those_of_the_literature():
    # IgG 5.3-5.5 nm, albumin-sized proteins 3-4 nm, single chains 2.3-2.6 nm: Stokes radii in common use
    assert ligand_named("IgG").radius_nm == pytest.approx(5.4, rel=0.05)
    assert ligand_named("scFv").radius_nm == pytest.approx(2.45, rel=0.07)


@pytest.mark.parametrize(
    "call, field",
    [
        (lambda: coated_size(68.0, "PEG2000"), "layers: inorganic diameter"),
        (lambda: coated_size(6.8, "PGE2000"), "coat.kind"),
        (lambda: coated_size(6.8, CoatSettings(kind="polymer", ligand="antibdy")), "coat.ligand"),
        (
            lambda: coated_size(6.8, CoatSettings(kind="polymer", ligand="IgG", ligands_per_particle=500)),
            "coat.ligands_per_particle",
        ),
        (lambda: coated_size(6.8, CoatSettings(kind="polymer", thickness_nm=500)), "coat.thickness_nm"),
        (lambda: fitting_coats(6.8, 5.0), "hydrodynamic_nm"),
        (lambda: fitting_coats(-6.8, 5.0), "core_nm"),
    ],
)
def test_impossible_dots_are_refused(call, field):
    with pytest.raises(InputError) as refused:
        call()
    assert [finding.place.column for finding in refused.value.findings] == [field]


def test_all_faults_are_told_at_once():
    with pytest.raises(InputError) as refused:
        fitting_coats(100.0, 18.4, core_sd_nm=-1.0, shell_nm=-2.0)
    assert len(refused.value.findings) == 3


def test_angstrom_are_recognised():
    with pytest.raises(InputError) as refused:
        coated_size(68.0, None)
    assert "ångström" in refused.value.findings[0].mend


def test_a_layer_says_where_it_comes_from():
    for name in coat_names():
        layer = coat_layers(name, radius_nm=3.4)[0]
        assert layer.source and layer.mark and layer.hard_nm <= layer.thickness.value
