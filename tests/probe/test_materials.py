"""Materials: every row with its source, the spread between sources, temperature, alloys, refusals."""

import csv
import math
from importlib import resources

import pytest

from lampyris.core.errors import InputError
from lampyris.core.sourced import MARKS, SourcedValue
from lampyris.probe.materials import UNITS, alloy, alloys, layer_material, material, materials, pooled
from lampyris.probe.structure import Layer

TABLES = ("materials.csv", "alloys.csv", "sizing_curves.csv", "media.csv")
# what the confinement and the hazard of a dot cannot do without
NEEDED = (
    "gap", "electron_mass", "hole_mass", "permittivity_static", "permittivity_optical", "valence_edge", "lattice_constant",
    "kane_energy", "spin_orbit", "optical_phonon", "density", "molar_mass",
)  # fmt: skip


def rows(name):
    text = resources.files("lampyris.probe").joinpath("data", name).read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


@pytest.mark.parametrize("name", TABLES)
def test_every_row_has_its_citation_unit_spread_and_mark(name):
    for row in rows(name):
        assert row["source"].strip() and row["unit"].strip(), row
        assert row["mark"] in MARKS, row
        assert float(row["sd"]) > 0, row
        if row["mark"] == "unseen":
            assert "not read" in row["source"] or "no source read" in row["source"], row


def test_a_row_without_source_or_unit_is_refused():
    for missing in ({"source": ""}, {"unit": ""}, {"mark": "guess"}, {"value": math.nan}, {"sd": -1.0}):
        given = {
            "value": 1.0,
            "sd": 0.1,
            "unit": "eV",
            "conditions": "",
            "source": "a handbook",
            "mark": "printed",
        } | missing
        with pytest.raises(ValueError, match=r"needs|mark is one of"):
            SourcedValue(**given)


def test_rows_are_of_known_materials_in_the_quantity_s_unit():
    names = {one.name for one in materials()}
    for row in rows("materials.csv"):
        assert row["material"] in names
        assert row["unit"] == UNITS[row["quantity"]], row
    assert {row[end] for row in rows("alloys.csv") for end in ("first", "second")} <= names


@pytest.mark.parametrize("one", materials(), ids=lambda one: one.name)
def test_each_material_has_what_a_dot_needs(one):
    for quantity in NEEDED:
        estimate = one.estimate(quantity)
        assert estimate.low < estimate.value < estimate.high
        assert estimate.unit == UNITS[quantity]


def test_sources_that_disagree_are_kept_and_widen_the_estimate():
    gaps = [row.value for row in material("CdS").values("gap")]
    assert {2.2, 2.42, 2.45} <= set(gaps)
    estimate = material("CdS").estimate("gap")
    assert 2.40 < estimate.value < 2.45  # the two that agree weigh most
    assert estimate.sd > 0.02  # wider than the narrowest source's 0.01


def test_a_mixture_never_narrows_with_copies():
    one = SourcedValue(1.0, 0.1, "eV", "", "a handbook", "printed")
    assert pooled([one] * 9).sd == pytest.approx(0.1)


def test_gaps_follow_temperature():
    # Varshni's law of InP, 1.4236 eV at 0 K, gives 1.353 eV at 300 K (Vurgaftman 2001); most gaps fall with heat, those of lead
    # salts and of mercury telluride rise
    at_300 = 1.4236 - 0.363e-3 * 300**2 / (300 + 162)
    assert material("InP").gap(300.0).value == pytest.approx(at_300, abs=0.015)  # other sources say 1.34 eV
    for name, sign in (("CdSe", -1), ("CdTe", -1), ("Si", -1), ("PbS", 1), ("PbSe", 1), ("HgTe", 1)):
        assert sign * (material(name).gap(310.0).value - material(name).gap(290.0).value) > 0, name


def test_alloys_end_in_their_members_and_bow_between():
    for name, first, second in alloys():
        for share, end in ((0.0, first), (1.0, second)):
            assert alloy(name, share).estimate("gap").value == pytest.approx(
                material(end).estimate("gap").value, abs=1e-12
            )
        middle = (material(first).estimate("gap").value + material(second).estimate("gap").value) / 2
        assert alloy(name, 0.5).estimate("gap").value <= middle + 1e-12
    assert "Te" not in alloy("CdSeTe", 0.0).metals_of_concern
    assert alloy("ZnCdSe", 0.5).toxicity == "restricted heavy element"


def test_a_layer_finds_its_material():
    assert layer_material(Layer("CdTe", 2.0)).name == "CdTe"
    assert layer_material(Layer("CdSeTe", 2.0, 0.3)).composition == 0.3


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: material("CdX"), ("material", "'CdX'", "CdSe")),
        (lambda: material("CdSeTe"), ("composition", "from 0 to 1")),
        (lambda: alloy("CdSe", 0.5), ("no alloy 'CdSe'", "CdSeTe")),
        (lambda: alloy("CdSeTe", 1.2), ("1.2", "outside 0 to 1", "share of CdTe")),
        (lambda: material("CdSe").values("colour"), ("no quantity 'colour'", "gap")),
        (lambda: material("CdSe").estimate("hole_kane_energy"), ("no hole_kane_energy of CdSe",)),
        (lambda: material("CdSe").gap(900.0), ("temperature_k", "900 K", "4 to 400 K")),
        (lambda: material("CdSe").gap(math.nan), ("temperature_k", "nan")),
    ],
)
def test_refusals_name_field_bounds_and_mend(call, words):
    with pytest.raises(InputError) as caught:
        call()
    for word in words:
        assert word in str(caught.value)
    assert caught.value.findings[0].mend
