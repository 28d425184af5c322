"""`assay release`: keys of its JSON, what it prints and draws, and what it says of tables that do not fit."""

import csv
import json

import numpy as np
import pytest

from lampyris import cli

HOURS = (0, 0.5, 1, 2, 4, 6, 8, 12, 24)
HEADER = ("formulation", "pH", "vessel", "time_h", "released_percent")


def write(path, header, rows):
    with path.open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows([header, *rows])
    return str(path)


def rows_of(vessels=3, conditions=(("7.4", 0.02), ("5.0", 0.12))):
    rng = np.random.default_rng(2)
    return [
        ["dots-dox", ph, k, t, round(100 * (1 - np.exp(-rate * t)) + (rng.normal() if t else 0), 2)]
        for ph, rate in conditions
        for k in range(vessels)
        for t in HOURS
    ]


@pytest.fixture
def table(tmp_path):
    return write(tmp_path / "release.csv", HEADER, rows_of())


def ask(capsys, *words, code=0):
    assert cli.main(["assay", "release", *words, "--json"]) == code
    return json.loads(capsys.readouterr().out)


def test_stable_keys(capsys, table):
    found = ask(capsys, table)
    assert {"model", "parameters", "f1", "f2"} <= found.keys()
    assert found["reference"] == "dots-dox, pH 7.4"
    assert found["model"] == "first-order"
    k = found["parameters"][0]
    assert (k["name"], k["unit"]) == ("k", "1/h")
    assert k["low"] < 0.02 < k["high"]
    assert found["f2_low"] <= found["f2"] <= found["f2_high"] < 50
    acid = found["profiles"][1]
    assert acid["name"] == "dots-dox, pH 5.0"
    assert sum(one["weight"] or 0 for one in acid["models"]) == pytest.approx(1)
    assert acid["t50_h"]["value"] == pytest.approx(np.log(2) / 0.12, rel=0.1)
    trigger = found["triggers"][0]
    assert (trigger["resting"], trigger["triggered"], trigger["verdict"]) == (
        "dots-dox, pH 7.4",
        "dots-dox, pH 5.0",
        "more",
    )


def test_it_prints_models_similarity_and_the_trigger(capsys, table):
    words = ["--at", "6", "--added", "5.0+-0.1", "--free", "1.0±0.05 mg", "--carrier", "20"]
    assert cli.main(["assay", "release", table, "--shape", "film", *words]) == 0
    printed = capsys.readouterr().out
    for part in (
        "encapsulation, %",
        "80 (",
        "first order",
        "delta AICc",
        "f1 ",
        "different",
        "released: more",
        "at 6 h",
        "n = 3",
    ):
        assert part in printed


@pytest.mark.parametrize("name", ["release.svg", "release.png"])
def test_the_plot(capsys, table, tmp_path, name):
    found = ask(capsys, table, "--plot", str(tmp_path / name))
    assert [str(tmp_path / name)] == found["written"]
    data = (tmp_path / name).read_bytes()
    if name.endswith("svg"):
        assert "dots-dox, pH 5.0, n = 3: first order" in data.decode()
    else:
        assert data.startswith(b"\x89PNG")


def test_a_file_per_formulation_in_minutes_and_fractions(capsys, tmp_path):
    hours = [0.5, 1, 2, 4, 8, 12]
    paths = [
        write(
            tmp_path / f"{name}.csv",
            ("time_min", "released_fraction"),
            [[60 * t, round(1 - np.exp(-rate * t), 4)] for t in hours],
        )
        for name, rate in (("lot-a", 0.2), ("lot-b", 0.21))
    ]
    found = ask(capsys, *paths, "--reference", "lot-b")
    assert found["reference"] == "lot-b"
    assert found["parameters"][0]["value"] == pytest.approx(0.21, rel=1e-3)
    assert found["f2"] > 50
    assert found["f2_low"] is None
    assert any("turned into hours" in note for note in found["notes"])


@pytest.mark.parametrize(
    ("row", "check", "where"),
    [
        (["dots-dox", "7.4", "0", "0.5", "1"], "release.vessel-twice", "row 29, column vessel"),
        (["dots-dox", "7.4", "0", "-1", "1"], "release.time", "row 29, column time_h"),
        (["dots-dox", "7.4", "0", "48", "211"], "release.range", "row 29, column released_percent"),
        (["dots-dox", "7.4", "0", "48", "all"], "table.no-number", "row 29, column released_percent"),
        (["dots-dox", "7.4", "", "48", "90"], "relation.no-subject", "row 29, column vessel"),
        (["dots-dox", "5.0", "0", "2", "9"], "release.too-few", "release.csv, column time_h"),
    ],
)
def test_faults_have_their_place(capsys, tmp_path, row, check, where):
    path = write(tmp_path / "release.csv", HEADER, [*rows_of(conditions=(("7.4", 0.02),)), row])
    errors = ask(capsys, path, code=3)["errors"]
    assert [(one["check"], where in one["where"]) for one in errors] == [(check, True)]
    assert errors[0]["fix"]


def test_all_faults_at_once(capsys, tmp_path):
    rows = [*rows_of(), ["dots-dox", "7.4", "0", "-2", "500"], ["dots-dox", "7.4", "0", "0.5", "1"]]
    path = write(tmp_path / "release.csv", HEADER, rows)
    other = write(tmp_path / "flat.csv", ("time_h", "released_percent"), [[t, 7] for t in HOURS])
    found = {one["check"] for one in ask(capsys, path, other, code=3)["errors"]}
    assert found == {"release.time", "release.range", "release.vessel-twice", "release.all-equal"}


@pytest.mark.parametrize(
    ("header", "options", "check"),
    [
        (("when", "released_percent"), (), "release.no-column"),
        (("time_h", "released_percent"), ("--time", "tme_h"), "table.no-column"),
        (("time_h", "released_percent"), ("--reference", "lot-c"), "release.no-reference"),
    ],
)
def test_columns_and_curves_that_are_not_there(capsys, tmp_path, header, options, check):
    path = write(tmp_path / "lot.csv", header, [[t, 3 * t] for t in HOURS])
    assert ask(capsys, path, *options, code=3)["errors"][0]["check"] == check


def test_what_may_be_wrong_is_a_warning(capsys, tmp_path):
    rows = [[0, 4], [1, 30], [2, 60], [4, 101.5], [6, 90], [8, -1], ["", 50], [12, ""]]
    path = write(tmp_path / "lot.csv", ("time_h", "released_percent", "vessel"), [[*row, "a"] for row in rows])
    found = ask(capsys, path)
    assert {one["check"] for one in found["findings"]} == {"release.beyond", "release.falls", "release.start"}
    assert any("2" in note and "left out" in note for note in found["notes"])


def test_shares_in_a_column_of_percent_are_a_warning(capsys, tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("time_h,released_percent\n" + "".join(f"{t},{1 - 0.9**t:.3f}\n" for t in (1, 2, 4, 8, 16)))
    cli.main(["assay", "release", str(path), "--json"])
    assert "release.fraction" in {one["check"] for one in json.loads(capsys.readouterr().out)["findings"]}


def test_a_condition_at_a_time_that_was_not_measured(capsys, table):
    error = ask(capsys, table, "--at", "5", code=3)["errors"][0]
    assert error["check"] == "release.no-shared-time"
    assert "times of both in h: 0.5, 1, 2" in error["message"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["release", "t.csv", "--added", "five"], "needs a mass in mg"),
        (["release", "t.csv", "--added", "5"], "all of --added, --free and --carrier"),
        (["release", "t.csv", "--added", "5", "--free", "9", "--carrier", "1"], "more than there was"),
        (["release", "t.csv", "--at", "-1"], "hours above 0"),
        (["release", "t.csv", "--shape", "rod"], "invalid choice"),
        (["release", "t.csv", "--plot", "t.pdf"], ".svg or .png"),
        (["release", "t.csv", "--overlays", "x"], "do not belong to release"),
        (["exvivo", "study", "--plateau", "--at", "3"], "--at, --plateau belong to assay release, not to exvivo"),
        (["histology", "study", "--table", "x"], "--table belongs to assay release"),
    ],
)
def test_wrong_usage(capsys, words, said):
    assert cli.main(["assay", *words]) == 2
    assert said in capsys.readouterr().err


def test_too_few_points_for_the_total(capsys, tmp_path):
    path = write(tmp_path / "lot.csv", ("time_h", "released_percent"), [[t, 3 * t] for t in (1, 2, 4, 9)])
    assert ask(capsys, path)["model"] == "zero-order"
    error = ask(capsys, path, "--plateau", code=3)["errors"][0]
    assert (error["check"], error["where"]) == ("release.too-few", "lot.csv")


def test_one_condition_has_nothing_to_compare_at(capsys, tmp_path):
    path = write(tmp_path / "lot.csv", ("time_h", "released_percent"), [[t, 3 * t] for t in HOURS])
    assert cli.main(["assay", "release", path, "--at", "4"]) == 2
    assert "no formulation has two" in capsys.readouterr().err
