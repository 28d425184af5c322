"""The verbs survival and power: what they print, draw and refuse."""

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from lampyris import cli

DATA = Path(__file__).parents[2] / "docs" / "data"
ONSETS, DEATHS = DATA / "synthetic_onsets.csv", DATA / "synthetic_survival.csv"
LUNG = [str(ONSETS), "--low", "after_day", "--high", "by_day", "--group", "group", "--where", "organ=lung"]
DAYS = [str(DEATHS), "--time", "day", "--event", "death", "--group", "group"]


def answer(capsys, *words):
    assert cli.main([*words, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_survival_of_intervals(capsys):
    found = answer(capsys, "survival", *LUNG, "--control", "untreated")
    assert {"chi2", "p", "df", "groups", "hazard_ratio", "cox", "weibull", "design", "warnings"} <= found.keys()
    assert found["censoring"] == "interval" and found["cox"] is None
    assert [group["group"] for group in found["groups"]] == ["untreated", "treated"]
    assert found["groups"][0]["n"] == 8 and 0 < found["p"] < 1
    assert found["design"]["experimental_unit"] == "animal"
    assert found["hazard_ratio"]["low"] < found["hazard_ratio"]["value"] < found["hazard_ratio"]["high"]
    assert answer(capsys, "survival", *LUNG, "--control", "untreated") == found


def test_rows_can_be_left_out(capsys):
    kept = answer(capsys, "survival", *DAYS, "--where", "group!=treated", "--where", "cage!=nowhere")
    assert [group["group"] for group in kept["groups"]] == ["untreated"]
    spread = [
        "power",
        "two-sample",
        "--effect",
        "2",
        "--pilot",
        str(DEATHS),
        "--value",
        "weight_g",
        "--subject",
        "animal",
    ]
    one = answer(capsys, *spread, "--where", "group=treated")
    assert "9 of 18 rows are kept by --where group=treated" in one["warnings"]


def test_survival_of_each_organ(capsys, tmp_path):
    words = ["survival", str(ONSETS), "--low", "after_day", "--high", "by_day", "--group", "group", "--each", "organ"]
    found = answer(capsys, *words, "--plot", str(tmp_path / "organs.svg"))["events"]
    assert [one["event"] for one in found] == ["event in organ liver", "event in organ lung"]
    smaller, larger = sorted(one["p"] for one in found)
    assert sorted(one["p_adjusted"] for one in found) == pytest.approx([2 * smaller, max(2 * smaller, larger)])
    assert ElementTree.fromstring((tmp_path / "organs.svg").read_bytes()).attrib["width"] == "179mm"
    assert cli.main(words) == 0
    assert "by Holm's procedure: p = " in capsys.readouterr().out


def test_values_without_a_day_are_passed_over(capsys, tmp_path):
    path = tmp_path / "onsets.csv"
    path.write_text(
        "animal,group,organ,low,high\nm1,a,bone,-inf,inf\nm2,b,bone,-inf,inf\nm1,a,liver,0,3\nm2,b,liver,3,7\n", "utf-8"
    )
    assert (
        cli.main(["survival", str(path), "--low", "low", "--high", "high", "--group", "group", "--each", "organ"]) == 0
    )
    printed = capsys.readouterr()
    assert "bone: no row holds a day." in printed.err and "event in organ liver" in printed.out


def test_survival_of_days(capsys):
    found = answer(capsys, "survival", *DAYS, "--covariate", "weight_g", "--strata", "cage")
    assert found["censoring"] == "right" and found["test"] == "Log-rank test, stratified"
    assert [effect["term"] for effect in found["cox"]["effects"]] == ["treated against untreated", "weight_g"]
    assert found["weibull"]["effects"][0]["time_ratio"]["value"] > 0


def test_survival_in_words_says_what_it_stands_on(capsys):
    assert cli.main(["survival", *DAYS, "--law", "log-normal", "--weights", "peto"]) == 0
    out = capsys.readouterr().out
    for part in (
        "Experimental unit: animal; untreated n = 9, treated n = 9",
        "Peto-Peto test: chi2",
        "log-normal",
        "median, d",
    ):
        assert part in out


PILOT = ("--pilot", str(DEATHS), "--value", "weight_g", "--group", "group")
DRAWN = [
    ("survival", *LUNG),
    ("survival", *DAYS),
    ("power", "two-sample", "--effect", "1", "--sd", "0.8"),
    ("power", "two-sample", "--effect", "2", *PILOT),
]


@pytest.mark.parametrize("words", DRAWN)
def test_figures(words, tmp_path, capsys):
    assert cli.main([*words, "--plot", str(tmp_path / "one.svg")]) == 0
    assert cli.main([*words, "--plot", str(tmp_path / "two.svg")]) == 0
    first = (tmp_path / "one.svg").read_bytes()
    assert first == (tmp_path / "two.svg").read_bytes()
    root = ElementTree.fromstring(first)
    assert root.attrib["width"] == "88mm"
    text = "".join(root.itertext())
    assert ("p = " in text.replace("\u00a0", " ") and "8" in text) if words[0] == "survival" else "power" in text


def test_a_png(tmp_path, capsys):
    path = tmp_path / "onset.png"
    assert cli.main(["survival", *LUNG, "--plot", str(path)]) == 0
    assert path.read_bytes()[:4] == b"\x89PNG"


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["survival", str(DEATHS), "--time", "day"], 2, "either --time and --event"),
        (["survival", *DAYS, "--low", "day", "--high", "day"], 2, "either --time and --event"),
        (["survival", *DAYS, "--where", "cage"], 2, "COLUMN=VALUE"),
        (["survival", *DAYS, "--horizon", "0"], 2, "above 0"),
        (["survival", *DAYS, "--plot", "x.pdf"], 2, ".svg or .png"),
        (["survival", str(ONSETS), "--low", "after_day", "--high", "by_day", "--group", "group"], 3, "no replicates"),
        (["survival", str(DEATHS), "--time", "days", "--event", "death"], 3, "Did you mean 'day'"),
        (["survival", "none.csv", "--time", "day", "--event", "death"], 3, "cannot be read"),
        (["power", "best", "--effect", "1"], 2, "invalid choice"),
        (["power", "two-sample", "--effect", "1"], 2, "needs a spread"),
        (["power", "two-sample", "--effect", "x", "--sd", "1"], 2, "needs a number"),
        (["power", "two-sample", "--effect", "1", "--sd", "1", "--pilot", "x.csv"], 2, "one place"),
        (["power", "two-sample", "--effect", "1", "--pilot", str(DEATHS)], 2, "--value"),
        (["power", "two-sample", "--effect", "1", "--pilot", str(DEATHS), "--value", "group"], 3, "holds text"),
        (["power", "two-sample", "--effect", "1", "--sd", "1", "--confidence", "1"], 2, "--confidence"),
        (["power", "sensitivity", "--effect", "0.9"], 2, "--width"),
        (["power", "sensitivity", "--effect", "0.9", "--width", "0.2", "--plot", "x.svg"], 2, "no power curve"),
        (["power", "two-sample", "--effect", "1", "--sd", "1", "--plot", "x.jpg"], 2, ".svg or .png"),
        (["power", "two-sample", "--n", "0", "--sd", "1"], 2, "whole number from 1"),
    ],
)  # fmt: skip
def test_wrong_calls_say_what_to_do(words, code, said, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert cli.main(words) == code
    printed = capsys.readouterr()
    assert printed.out == "" and said in printed.err


def test_power_keys(capsys):
    found = answer(capsys, "power", "shares", "--control", "0.9", "--effect", "0.3", "--attrition", "0.1")
    assert (
        found["n"] == 12
        and found["n_by_group"] == [12, 12]
        and found["allocated"] == [14, 14]
        and found["power"] >= 0.8
    )
    assert found["n_total"] == 24 and found["curve"] and found["meaning"].startswith("With 12 units")
    assert found["power_low"] is None and found["simulated"] is None
    check = answer(capsys, "power", "paired", "--n", "6", "--effect", "1.4", "--sd", "1", "--simulate", "400")
    assert check["simulated"]["low"] < check["power"] < check["simulated"]["high"]
    width = answer(capsys, "power", "sensitivity", "--effect", "0.9", "--width", "0.2")
    assert width["power"] is None and width["n"] == 35


def test_power_in_words(capsys):
    words = [
        "power",
        "two-sample",
        "--effect",
        "2",
        "--pilot",
        str(DEATHS),
        "--value",
        "weight_g",
        "--group",
        "group",
        "--subject",
        "animal",
    ]
    assert cli.main(words) == 0
    out = capsys.readouterr().out
    assert "The pilot knows the spread only roughly" in out and "upper 80 % limit" in out


def test_a_sheet_of_a_workbook(tmp_path, capsys):
    from openpyxl import Workbook

    book = Workbook()
    book.active.append(["nothing"])
    sheet = book.create_sheet("onsets")
    for row in (
        ["animal", "group", "low", "high"],
        ["m1", "a", 0, 3],
        ["m2", "a", 3, 7],
        ["m3", "b", 7, None],
        ["m4", "b", 3, 7],
    ):
        sheet.append(row)
    book.save(tmp_path / "onsets.xlsx")
    words = ["survival", str(tmp_path / "onsets.xlsx"), "--low", "low", "--high", "high", "--group", "group"]
    found = answer(capsys, *words, "--sheet", "onsets")
    assert [group["events"] for group in found["groups"]] == [2, 1]
