"""The tasks coat, hazard and compare of the verb probe: what they print and refuse."""

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from lampyris import cli

DATA = Path(__file__).parents[2] / "docs" / "data"
DOT, OTHER = str(DATA / "study_dot.toml"), str(DATA / "study_dot_lot2.toml")


def answer(capsys, *words):
    assert cli.main(["probe", *words, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_coat_of_a_sheet(capsys):
    found = answer(capsys, "coat", DOT, "--kd", "5")
    assert found["structure"] == "CdTe/CdSe" and found["coat_a_side_nm"] == pytest.approx(5.8)
    assert found["stability"]["verdict"] == "stable" and found["stability"]["limits"]
    assert found["conjugation"]["ligand"] == "antibody" and found["conjugation"]["avidity"]["gain"] > 1
    assert found["fits"][0]["verdict"] == "fits"
    adds = {(one["ligand"], one["orientation"]): one for one in found["targeting"]}
    assert adds["scFv", "oriented"]["growth_nm"] < adds["antibody", "random"]["growth_nm"]
    assert adds["scFv", "oriented"]["without_active"]["value"] < adds["antibody", "random"]["without_active"]["value"]
    assert cli.main(["probe", "coat", DOT]) == 0 and "what targeting changes" in capsys.readouterr().out
    assert answer(capsys, "coat", DOT, "--kd", "5") == found


def test_coat_from_sizes_alone(capsys):
    words = ["coat", "--core", "6.8", "--core-sd", "0.9", "--hydrodynamic", "18.4", "--hydrodynamic-sd", "2.1"]
    found = answer(capsys, *words)
    verdicts = {fit["coat"]: fit["verdict"] for fit in found["fits"]}
    assert verdicts["PEG3400"] == "fits" and verdicts["cysteine"] == "too thin"
    assert cli.main(["probe", *words]) == 0
    assert "5.80 nm a side" in capsys.readouterr().out
    thinner = answer(capsys, *words, "--shell", "1.5")
    assert thinner["coat_a_side_nm"] == pytest.approx(4.3)


def test_coats_are_listed(capsys):
    found = answer(capsys, "coat", "--list")
    assert {"PEG5000", "silica"} <= {one["name"] for one in found["coats"]}
    assert cli.main(["probe", "coat", "--list"]) == 0 and "streptavidin" in capsys.readouterr().out


def test_hazard_of_a_dose(capsys):
    found = answer(capsys, "hazard", DOT, "--dose", "0.2", "--on-cells", "50")
    assert found["elements"][0]["element"] == "Cd" and found["elements"][0]["mark"] == "secondary"
    assert found["viability"] and found["not_known"] and found["alternatives"][0]["cadmium_free"]
    own = answer(capsys, "hazard", DOT, "--dose", "0.2", "--on-cells", "50", "--ec50", "50,2")
    assert own["viability_by_own_curve"] == pytest.approx(0.5)
    assert cli.main(["probe", "hazard", DOT, "--dose", "0.2", "--on-cells", "50"]) == 0
    assert "not known:" in capsys.readouterr().out


def test_lots_side_by_side(capsys):
    found = answer(capsys, "compare", DOT, OTHER, "--band", "810,40")
    assert found["verdict"] == "fail"
    row = next(row for row in found["rows"] if row["property"] == "emission_nm")
    assert row["verdict"] == "fail" and row["difference"]["value"] == pytest.approx(19.0)
    wide = answer(capsys, "compare", DOT, OTHER, "--margin", "emission_nm=30")
    assert next(row for row in wide["rows"] if row["property"] == "emission_nm")["verdict"] == "pass"
    assert cli.main(["probe", "compare", DOT, OTHER]) == 0
    assert "ask the supplier for:" in capsys.readouterr().out


def test_figures(capsys, tmp_path):
    energy, release = tmp_path / "energy.svg", tmp_path / "release.svg"
    answer(capsys, "coat", DOT, "--plot", str(energy))
    answer(capsys, "hazard", DOT, "--dose", "0.2", "--plot", str(release))
    for path, word in ((energy, "gap between the coats (nm)"), (release, "share in solution")):
        tree = ElementTree.fromstring(path.read_bytes())
        assert tree.attrib["width"] == "88mm" and word in "".join(tree.itertext())


@pytest.mark.parametrize(
    "words, code, said",
    [
        (["coat", "--core", "68"], 3, "ångström"),
        (["coat", "--core", "6.8nm"], 2, "without its unit"),
        (["coat", "--core", "6.8", "--coat", "PGE5000"], 3, "Did you mean PEG5000?"),
        (["coat", "--core", "6.8", "--hydrodynamic", "5"], 3, "not smaller than its crystal"),
        (["coat", "--core", "6.8", "--coat", "PEG2000", "--salt", "150"], 3, "mmol/l"),
        (["coat", DOT, "--plot", "energy.jpg"], 2, ".svg or .png"),
        (["coat"], 2, "a sheet or --core"),
        (["coat", DOT, "--ligands", "-3"], 3, "--ligands is between 0"),
        (["coat", "--core", "6.8", "--ligand", "scFv"], 2, "need a coat"),
        (["hazard", DOT, "--dose", "-1"], 3, "dose_nmol is between 0"),
        (["hazard", DOT], 2, "--dose in nmol or --volume"),
        (["hazard", DOT, "--volume", "0.1"], 2, "concentration_nmol_per_l"),
        (["hazard", DOT, "--dose", "1", "--species", "mose", "--ph", "1"], 3, "Did you mean mouse?"),
        (["hazard", DOT, "--dose", "1", "--ec50", "50,2"], 2, "--on-cells"),
        (["hazard", DOT, "--dose", "1", "--on-cells", "5", "--ec50=-50,2"], 3, "--ec50 is between"),
        (["compare", DOT, OTHER, "--margin", "emision_nm=5"], 3, "Did you mean emission_nm?"),
        (["compare", DOT, OTHER, "--margin", "emission_nm"], 2, "PROPERTY=X"),
        (["compare", DOT, OTHER, "--band", "810"], 2, "two numbers"),
    ],
)
def test_refusals(capsys, words, code, said):
    assert cli.main(["probe", *words]) == code
    assert said in capsys.readouterr().err
