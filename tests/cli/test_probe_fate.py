"""``probe fate``: what it prints, draws and refuses."""

import json
from xml.etree import ElementTree

import pytest

from lampyris import cli

SHEET = """name = "ours"
[[layers]]
material = "CdTe"
diameter_nm = 6.8
[coat]
kind = "mPEG5000"
thickness_nm = 5.8
"""


def answer(capsys, *words, code=0):
    assert cli.main(["probe", "fate", *words, "--json"]) == code
    return json.loads(capsys.readouterr().out)


def test_keys_and_numbers(capsys):
    found = answer(capsys, "--draws", "40", "--at", "4,24")
    assert {
        "organs",
        "half_life_h",
        "half_life_h_low",
        "half_life_h_high",
        "half_life_definition",
        "renal",
        "mass_balance_error",
    } <= found.keys()
    assert 29 / 1.5 < 60 * found["half_life_h"] < 29 * 1.5
    liver = next(one for one in found["organs"] if one["organ"] == "liver")
    assert (
        len(liver["hours"]) == len(liver["percent_injected_dose_per_gram"]) == len(liver["low"]) == len(liver["high"])
    )
    assert 4.0 in liver["hours"] and liver["hours"][-1] == 24.0
    assert all(
        low <= value <= high
        for low, value, high in zip(liver["low"], liver["percent_injected_dose_per_gram"], liver["high"], strict=True)
    )
    assert found["mass_balance_error"] < 1e-9
    assert answer(capsys, "--draws", "40", "--at", "4,24") == found


def test_a_sheet_and_what_is_said_beside_it(capsys, tmp_path):
    sheet = tmp_path / "dot.toml"
    sheet.write_text(SHEET, "utf-8")
    found = answer(capsys, str(sheet), "--draws", "2")
    assert (found["diameter_nm"], found["coat"]) == (18.4, "mPEG5000")
    found = answer(capsys, str(sheet), "--draws", "2", "--diameter", "12", "--coat", "zwitterion")
    assert (found["diameter_nm"], found["coat"]) == (12.0, "zwitterion")
    sheet.write_text(SHEET.replace("thickness_nm = 5.8", 'ligand = "antibody"'), "utf-8")
    assert cli.main(["probe", "fate", str(sheet)]) == 3
    assert "measured.hydrodynamic_nm" in capsys.readouterr().err
    found = answer(capsys, str(sheet), "--draws", "2", "--diameter", "20")
    assert "fate.ligand" in {one["check"] for one in found["warnings"]}


def test_cells_and_repeated_doses(capsys):
    words = [
        "--cells",
        "lung",
        "--cell-count",
        "1e6",
        "--dots-per-cell",
        "6.02214076e5",
        "--unit",
        "pmol",
        "--draws",
        "2",
    ]
    found = answer(capsys, *words, "--cell-half-life", "24")
    assert found["dose"]["amount"] == pytest.approx(1.0) and found["in_cells"] == pytest.approx(50.0)
    assert found["half_life_h"] is None
    found = answer(capsys, "--doses", "3", "--every", "12", "--infusion", "0.5", "--hours", "48", "--draws", "2")
    assert found["dose"]["doses"] == 3 and found["mass_balance_error"] < 1e-9


def test_table_and_drawing(capsys, tmp_path):
    assert cli.main(["probe", "fate", "--ligand", "RGD", "--draws", "20", "--plot", str(tmp_path / "fate.svg")]) == 0
    told = capsys.readouterr().out
    assert "half-life in plasma: 0.4" in told or "half-life in plasma: 0.5" in told
    assert "tumour" in told and "in urine after 24 h" in told
    drawn = ElementTree.fromstring((tmp_path / "fate.svg").read_bytes())
    assert drawn.attrib["width"] == "179mm"
    words = " ".join(text for text in drawn.itertext())
    assert "spleen" in words and "15.9 nm, PEG with RGD, in the mouse" in words


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["--dose", "-1"], 3, "a dose is above 0"),
        (["--diameter", "0.2"], 3, "1 to 200 nm"),
        (["--species", "dog"], 3, "mouse, rat, human"),
        (["--coat", "teflon"], 3, "teflon"),
        (["--plot", "fate.pdf"], 2, ".svg or .png"),
        (["--cell-count", "5"], 2, "--dots-per-cell"),
        (["no-such-sheet.toml"], 3, "no-such-sheet.toml"),
    ],
)
def test_what_is_refused(capsys, words, code, told):
    assert cli.main(["probe", "fate", *words]) == code
    assert told in capsys.readouterr().err
