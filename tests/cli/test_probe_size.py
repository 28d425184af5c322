"""The task `probe size`: both ways, beside the model, and what it refuses."""

import json

import pytest

from lampyris import cli


def test_size_of_a_peak_and_back(capsys):
    assert cli.main(["probe", "size", "CdTe", "--first-exciton", "650", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["diameter_nm"]["low"] < 4.34 < found["diameter_nm"]["high"]
    assert found["curves"][0]["source"].startswith("Yu 2003")
    size = str(found["diameter_used_nm"])
    assert cli.main(["probe", "size", "CdTe", "--diameter", size, "--json"]) == 0
    back = json.loads(capsys.readouterr().out)
    assert back["first_exciton_nm"]["value"] == pytest.approx(650.0)
    model = back["model"]["first_exciton_nm"]
    assert model["low"] < 650 < model["high"]


def test_size_in_words(capsys):
    assert cli.main(["probe", "size", "PbS", "--diameter", "5"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("PbS: first absorption peak 1379 nm")
    assert "the confinement model says for 5 nm:" in out
    assert "2.5 to 10 nm" in out


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["CdTe", "--first-exciton", "900"], 3, "531.2 to 745.3 nm (Yu 2003"),
        (["CdTe", "--diameter", "-4"], 3, "-4 nm is outside"),
        (["ZnO", "--diameter", "4"], 3, "no sizing curve of 'ZnO'"),
        (["CdSe", "--diameter", "4", "--medium", "milk"], 3, "no medium 'milk'"),
        (["CdSe"], 2, "--first-exciton"),
        (["CdSe", "--diameter", "four"], 2, "four"),
        (["CdSe", "--diameter", "nan"], 2, "needs a number"),
        (["CdSe", "--first-exciton", "580,5"], 2, "the decimal point as '.'"),
    ],
)
def test_refusals(capsys, words, code, said):
    assert cli.main(["probe", "size", *words]) == code
    assert said in capsys.readouterr().err
