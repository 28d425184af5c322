"""`catalogue`: keys of its JSON, what it prints, and what it says of a name that it does not know."""

import json

import pytest

from lampyris import cli


def ask(capsys, *words, code=0):
    assert cli.main(["catalogue", *words, "--json"]) == code
    return json.loads(capsys.readouterr().out)


def test_breast_has_the_rows_of_the_review_each_with_its_citation(capsys):
    found = ask(capsys, "--cancer", "breast")["entries"]
    keys = {"table", "cancer", "target", "dot", "emission_nm", "finding", "citation", "mark"}
    assert all(keys <= entry.keys() and entry["citation"] for entry in found)
    table = [entry for entry in found if entry["table"] == 2]
    assert [entry["cell_line"] for entry in table] == ["MCF-7", "BT474", ""]
    assert {entry["cancer"] for entry in found} == {"breast"}


def test_the_band_keeps_what_has_a_peak_in_it(capsys):
    found = ask(capsys, "--band", "780-850")["entries"]
    assert found
    assert all(780 <= entry["emission_nm"] <= 850 for entry in found)


def test_what_is_not_known_is_null(capsys):
    patent = ask(capsys, "--table", "5")["entries"][0]
    assert (patent["emission_nm"], patent["table"], patent["year"]) == (None, 5, 1987)


def test_it_prints_entries_with_their_marks(capsys):
    assert cli.main(["catalogue", "--target", "PSMA"]) == 0
    printed = capsys.readouterr().out
    assert "its reference 69" in printed
    assert "1 of " in printed
    assert "quoted: read in a text that quotes the publication" in printed


def test_nothing_found_is_no_error(capsys):
    assert ask(capsys, "--cancer", "prostate", "--kind", "dye")["entries"] == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--cancer", "brest"], "Did you mean breast?"),
        (["--band", "900"], "700-900"),
        (["--band", "900-700"], "lowest and a highest"),
        (["--table", "0"], "whole number from 1"),
        (["--kind", "drug"], "invalid choice"),
    ],
)
def test_wrong_usage(capsys, words, said):
    assert cli.main(["catalogue", *words]) == 2
    assert said in capsys.readouterr().err
