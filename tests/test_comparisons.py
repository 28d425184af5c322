"""`lampyris compare` on files: what it answers, against values that others printed, and what it refuses."""

import datetime
import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import openpyxl
import pytest

from lampyris import cli

DATA = Path(__file__).parent / "data" / "statistics"
PLANT, SPRAYS = DATA / "r_PlantGrowth.csv", DATA / "r_InsectSprays.csv"
PLANT_WORDS = (PLANT, "--value", "weight", "--group", "group")


def call(capsys, *words):
    """Exit code, what was printed, and what was said on stderr."""
    code = cli.main(["compare", *map(str, words)])
    printed = capsys.readouterr()
    return code, printed.out, printed.err


def answer(capsys, *words):
    code, out, err = call(capsys, *words, "--json")
    assert (code, err) == (0, ""), err
    return json.loads(out)


def refusal(capsys, *words):
    code, out, _ = call(capsys, *words, "--json")
    assert code == 3, out
    return json.loads(out)["errors"]


def write(path, text):
    path.write_text(text, "utf-8")
    return path


# ---- against printed values ------------------------------------------------------------------------------------------


def test_plant_growth_against_printed_values(capsys):
    """R: oneway.test(weight ~ group) gives F = 5.181, num df = 2.000, denom df = 17.128, p-value = 0.01739."""
    found = answer(capsys, *PLANT_WORDS)
    test = found["tests"][0]
    assert test["role"] == "primary"
    assert test["statistic"] == pytest.approx(5.181, abs=5e-4)
    assert test["df"] == pytest.approx([2.0, 17.128], abs=5e-4)
    assert test["p"] == pytest.approx(0.01739, abs=5e-6)
    assert found["design"]["n"] == [10, 10, 10]
    assert [(pair["a"], pair["b"]) for pair in found["pairs"]] == [("ctrl", "trt1"), ("ctrl", "trt2"), ("trt1", "trt2")]
    for key in ("design", "tests", "pairs", "warnings", "groups", "effect_size"):
        assert key in found
    assert {"name", "statistic", "df", "p"} <= test.keys()
    assert {"a", "b", "difference", "low", "high", "p", "method"} <= found["pairs"][0].keys()
    assert {"group", "n", "mean", "sd", "low", "high"} <= found["groups"][0].keys()


def test_plant_growth_by_tukey(capsys):
    """R: TukeyHSD(aov(weight ~ group)): trt1-ctrl -0.371 (-1.062, 0.320), p 0.391; trt2-trt1 0.865 (0.174, 1.556), p 0.012."""
    found = answer(capsys, *PLANT_WORDS, "--post-hoc", "tukey")
    assert found["tests"][0]["statistic"] == pytest.approx(4.846, abs=5e-4)
    pairs = {(one["a"], one["b"]): one for one in found["pairs"]}
    first, last = pairs["ctrl", "trt1"], pairs["trt1", "trt2"]
    assert [first[key] for key in ("difference", "low", "high", "p")] == pytest.approx(
        [0.371, -0.3202161, 1.0622161, 0.3908711], abs=1e-6
    )
    assert [last[key] for key in ("difference", "low", "high", "p")] == pytest.approx(
        [-0.865, -1.5562161, -0.1737839, 0.0120064], abs=1e-6
    )


def test_insect_sprays_against_printed_values(capsys):
    """R: kruskal.test(count ~ spray) gives chi-squared = 54.691, df = 5, p-value = 1.511e-10."""
    found = answer(capsys, SPRAYS, "--value", "count", "--group", "spray", "--post-hoc", "dunn")
    test = found["tests"][0]
    assert test["statistic"] == pytest.approx(54.691, abs=5e-4)
    assert test["df"] == [5]
    assert test["p"] == pytest.approx(1.511e-10, rel=5e-4)
    assert all("Dunn" in pair["method"] for pair in found["pairs"])
    assert len(found["pairs"]) == 15


def test_a_control_is_compared_with_each(capsys):
    found = answer(capsys, *PLANT_WORDS, "--control", "ctrl")
    assert sorted((pair["a"], pair["b"]) for pair in found["pairs"]) == [("trt1", "ctrl"), ("trt2", "ctrl")]


def test_the_sentence_is_ready_to_paste(capsys):
    code, out, _ = call(capsys, *PLANT_WORDS)
    assert code == 0
    sentence = out.splitlines()[1].strip()
    assert sentence.startswith("Welch's analysis of variance, F(2, 17.1) = 5.18, p = 0.0174; n = 10, 10, 10 ")
    assert "omega squared 0.22 (95 % 0.0085 to 0.48)" in sentence
    assert "for information (decides nothing):" in out


# ---- other forms of the same values ----------------------------------------------------------------------------------


def plant_rows():
    lines = PLANT.read_text("utf-8").splitlines()[1:]
    return [(line.split(",")[1], float(line.split(",")[0])) for line in lines]


def test_excel_and_wide_tables_answer_alike(capsys, tmp_path):
    wanted = answer(capsys, *PLANT_WORDS)
    groups = {name: [value for group, value in plant_rows() if group == name] for name in ("ctrl", "trt1", "trt2")}
    made = openpyxl.Workbook()
    made.active.append(list(groups))
    for row in zip(*groups.values(), strict=True):
        made.active.append(list(row))
    made.save(tmp_path / "t.xlsx")
    found = answer(capsys, tmp_path / "t.xlsx", "--wide")
    assert found["tests"] == wanted["tests"]
    assert any("wide table" in note for note in found["notes"])
    comma = "".join(f"{str(value).replace('.', ',')};{group}\n" for group, value in plant_rows())
    found = answer(capsys, write(tmp_path / "t.csv", "weight;group\n" + comma), "--value", "weight", "--group", "group")
    assert (found["tests"], found["pairs"], found["groups"]) == (wanted["tests"], wanted["pairs"], wanted["groups"])


def test_a_printed_table_answers_as_its_values(capsys, tmp_path):
    """Summary forms equal raw forms to rounding; a standard error is converted, and never taken for an SD."""
    wanted = answer(capsys, *PLANT_WORDS)
    rows = "".join(f"{one['group']},{one['mean']!r},{one['sd']!r},{one['n']}\n" for one in wanted["groups"])
    table = write(tmp_path / "s.csv", "arm,mean,SD,n\n" + rows)
    found = answer(capsys, "--summary", table)
    assert found["tests"][0]["p"] == pytest.approx(wanted["tests"][0]["p"], rel=1e-12)
    assert [one["p"] for one in found["pairs"]] == pytest.approx([one["p"] for one in wanted["pairs"]], rel=1e-9)
    errors = "".join(f"{one['group']},{one['mean']!r},{one['sd'] / 10**0.5!r},{one['n']}\n" for one in wanted["groups"])
    table = write(tmp_path / "e.csv", "arm,mean,SEM,n\n" + errors)
    assert "looks like a standard error" in refusal(capsys, "--summary", table)[0]["message"]
    assert "--sem" in refusal(capsys, "--summary", table, "--sd", "SEM")[0]["fix"]
    found = answer(capsys, "--summary", table, "--sem", "SEM")
    assert found["tests"][0]["p"] == pytest.approx(wanted["tests"][0]["p"], rel=1e-12)
    assert any("SD = SEM x sqrt(n)" in note for note in found["notes"])


NESTED = "mouse,arm,day,organ,signal\n" + "".join(
    f"{arm}{k},{arm},{day},{organ},{10 + 3 * (arm == 'dots') * day / 7 + k + bump + ((7 * k + 3 * day + bump) % 5) / 4}\n"
    for arm in ("PBS", "dots")
    for k in range(4)
    for day in (0, 7, 14)
    for bump, organ in enumerate(("liver", "lungs"))
)


def test_rows_of_one_animal_are_refused_with_the_ways_out(capsys, tmp_path):
    table = write(tmp_path / "t.csv", NESTED)
    words = (table, "--value", "signal", "--group", "arm", "--subject", "mouse", "--where", "day=14")
    (error,) = refusal(capsys, *words)
    assert error["check"] == "compare.pseudo-replication"
    assert "--average" in error["fix"]
    averaged = answer(capsys, *words, "--average")
    assert averaged["design"]["n"] == [4, 4]
    assert averaged["design"]["experimental_unit"] == "mouse"
    assert "16 of 48 rows are kept by --where day=14" in averaged["notes"]
    assert answer(capsys, *words, "--nested", "mean")["tests"] == averaged["tests"]
    modelled = answer(capsys, *words, "--nested", "organ", "--mixed")
    assert modelled["design"]["nested"] == ["organ"]
    assert "mixed model" in modelled["tests"][0]["name"]
    # balanced: the mixed model answers as the means of the animals do
    assert modelled["tests"][0]["p"] == pytest.approx(averaged["tests"][0]["p"], rel=1e-3)
    code, _, err = call(capsys, *words, "--nested", "organ")
    assert code == 2
    assert "--average or --mixed" in err


def test_groups_over_time(capsys, tmp_path):
    named = NESTED.replace(",7,", ",7dpi,").replace(",0,", ",0dpi,").replace(",14,", ",14dpi,")
    table = write(tmp_path / "t.csv", named)
    words = (table, "--value", "signal", "--group", "arm", "--subject", "mouse", "--within", "day")
    code, out, _ = call(capsys, *words, "--where", "organ=liver", "--plot", tmp_path / "days.svg")
    assert code == 0
    assert "arm x day" in out
    found = answer(capsys, *words, "--where", "organ=liver")
    assert found["design"]["within"] == ["day"]
    assert sorted({pair["day"] for pair in found["pairs"]}) == [0, 7, 14]
    assert "PBS" in (tmp_path / "days.svg").read_text("utf-8")


def test_pairs_and_equivalence(capsys, tmp_path):
    rows = [(k, 10 + k, 10.4 + k + (k % 3) / 10) for k in range(8)]
    wide = write(tmp_path / "w.csv", "animal,before,after\n" + "".join(f"m{k},{a},{b}\n" for k, a, b in rows))
    found = answer(capsys, wide, "--wide", "--subject", "animal", "--paired", "--equivalence", "1")
    assert "paired" in found["tests"][0]["name"].lower()
    assert found["pairs"][0]["difference"] == pytest.approx(-0.4875)
    assert found["equivalence"]["shown"] is True
    assert found["equivalence"]["margin"] == [-1, 1]
    alone = answer(capsys, wide, "--wide", "--subject", "animal", "--columns", "before,after", "--paired")
    assert alone["tests"] == [test for test in found["tests"] if "one-sided" not in test["name"]][: len(alone["tests"])]
    code, _, err = call(capsys, *PLANT_WORDS, "--equivalence", "1")
    assert code == 2
    assert "two groups" in err


def test_logarithms_give_ratios_and_refuse_zero(capsys, tmp_path):
    table = write(tmp_path / "t.csv", "g,x\n" + "".join(f"a,{10 * k}\nb,{20 * k}\n" for k in range(1, 6)))
    code, out, _ = call(capsys, table, "--value", "x", "--group", "g", "--log")
    assert code == 0
    assert "ratio" in out
    assert re.search(r"a - b .* 0\.50 \(", out)
    zero = write(tmp_path / "z.csv", "g,x\na,1\na,0\na,2\nb,1\nb,2\nb,-3\n")
    errors = refusal(capsys, zero, "--value", "x", "--group", "g", "--log")
    assert [(one["row"], one["column"]) for one in errors] == [(3, "x"), (7, "x")]


def limits_table(path):
    seen = {"dots": (900, 400, 700, 1200), "dye": (150, 310, 240, 800)}
    rows = [(f"{arm}{k}", arm, value) for arm, values in seen.items() for k, value in enumerate(values)]
    return write(path, "m,g,x,lod\n" + "".join(f"{m},{g},{x if x >= 200 else '<200'},{200}\n" for m, g, x in rows))


def test_values_below_a_limit_are_censored(capsys, tmp_path):
    table = limits_table(tmp_path / "t.csv")
    words = (table, "--value", "x", "--group", "g", "--subject", "m", "--log")
    found = answer(capsys, *words, "--limit", "cells")
    assert found["design"]["below_limit"] == [0, 1]
    assert [one["below_limit"] for one in found["groups"]] == [0, 1]
    assert found["pairs"][0]["p"] < 1
    assert answer(capsys, *words, "--limit", "lod")["tests"] == found["tests"]
    assert answer(capsys, *words, "--limit", "250")["design"]["below_limit"] == [0, 2]
    code, _, _ = call(capsys, *words, "--limit", "cells", "--plot", tmp_path / "t.svg")
    assert code == 0
    assert "Triangles:" in (tmp_path / "t.svg").read_text("utf-8")


def test_two_factors_and_blocks(capsys, tmp_path):
    rows = "".join(
        f"{probe}{sex}{k},{probe},{sex},c{k},{10 + 3 * (probe == 'dots') + (sex == 'm') + k + (k * 7 + len(probe)) % 3}\n"
        for probe in ("dots", "dye")
        for sex in "fm"
        for k in range(4)
    )
    words = (write(tmp_path / "t.csv", "m,g,sex,cage,x\n" + rows), "--value", "x", "--group", "g", "--subject", "m")
    found = answer(capsys, *words, "--two-way", "sex")
    assert [test["name"].partition(",")[0] for test in found["tests"][:3]] == ["g", "sex", "g x sex"]
    assert len(found["groups"]) == 4
    blocked = answer(capsys, *words, "--two-way", "sex", "--block", "cage")
    assert blocked["design"]["covariates"] == ["cage"]
    assert blocked["tests"][0]["p"] < found["tests"][0]["p"]
    assert call(capsys, *words, "--block", "cage", "--paired")[0] == 2


# ---- bad input -------------------------------------------------------------------------------------------------------

# name: table, further options, check, row, what is said
BAD = {
    "text in a number column": ("g,x\na,1\na,low\nb,2\nb,3\n", (), "table.no-number", 3, "'low' is no number"),
    "a unit in a cell": ("g,x\na,1\na,2 mm\nb,2\nb,3\n", (), "table.no-number", 3, "'2 mm'"),
    "infinity": ("g,x\na,1\na,inf\nb,2\nb,3\n", (), "table.no-number", 3, "'inf'"),
    "below a limit unasked": ("g,x\na,1\na,<0.5\nb,2\nb,3\n", (), "table.below-limit", 3, "--limit"),
    "one group": ("g,x\na,1\na,2\na,3\n", (), "compare.one-group", None, "two groups"),
    "no such column": ("g,y\na,1\nb,2\n", (), "table.no-column", None, "no column 'x'"),
    "a group without a name": ("g,x\na,1\n,2\nb,3\nb,4\n", (), "compare.no-name", 3, "empty"),
    "no such control": ("g,x\na,1\na,2\nb,3\nb,4\n", ("--control", "c"), "compare.no-group", None, "'c'"),
    "a subject in two groups": (
        "s,g,x\nm1,a,1\nm2,a,2\nm1,b,3\nm3,b,4\n", ("--subject", "s"), "compare.subject-in-two-groups", None, "'m1'",
    ),
    "no row left": ("g,x\na,1\nb,2\n", ("--where", "g=c"), "compare.no-rows", None, "no row is left"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_refused_with_its_place(capsys, tmp_path, case):
    text, options, check, row, said = BAD[case]
    errors = refusal(capsys, write(tmp_path / "t.csv", text), "--value", "x", "--group", "g", *options)
    error = next(one for one in errors if one["check"] == check)
    assert error["file"] == "t.csv"
    assert error["row"] == row
    assert said in f"{error['message']} {error['fix']}"
    assert error["fix"]


# name: table, what the answer says of it
HANDLED = {
    "n of 1": ("g,x\na,1\nb,2\nb,3\nb,5\n", "a"),
    "all values equal": ("g,x\na,2\na,2\na,2\nb,2\nb,2\nb,2\n", "differ"),
    "one group without spread": ("g,x\na,2\na,2\na,2\nb,1\nb,4\nb,3\n", "a"),
}


@pytest.mark.parametrize("case", HANDLED)
def test_what_cannot_be_tested_is_said_and_described(capsys, tmp_path, case):
    text, said = HANDLED[case]
    found = answer(capsys, write(tmp_path / "t.csv", text), "--value", "x", "--group", "g")
    assert not [test for test in found["tests"] if test["role"] == "primary" and test["p"] is not None]
    assert len(found["groups"]) == 2
    told = " ".join([*found["notes"], *(one["message"] for one in found["warnings"])])
    assert said in told


def test_empty_values_are_left_out_and_counted(capsys, tmp_path):
    table = write(tmp_path / "t.csv", "g,x\na,1\na,\na,2\na,4\nb,2\nb,NaN\nb,3\nb,7\n")
    found = answer(capsys, table, "--value", "x", "--group", "g")
    assert found["design"]["n"] == [3, 3]
    assert "Rows without a value were left out: 1 in a, 1 in b." in found["notes"]


def test_ties_and_integers_are_fine(capsys, tmp_path):
    table = write(tmp_path / "t.csv", "g,x\n" + "a,1\na,1\na,2\nb,2\nb,2\nb,3\n")
    found = answer(capsys, table, "--value", "x", "--group", "g", "--post-hoc", "dunn")
    assert any("tie" in test["note"] for test in found["tests"])


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), "--value and --group"),
        (("--value", "x"), "say --group"),
        (("--value", "x", "--group", "g", "--post-hoc", "dunnett"), "control"),
        (("--value", "x", "--group", "g", "--within", "d", "--summary"), "choose one"),
        (("--value", "x", "--group", "g", "--average", "--mixed"), "choose one"),
        (("--value", "x", "--group", "g", "--subject", "g", "--within", "d", "--post-hoc", "tukey"), "no meaning"),
        (("--value", "x", "--group", "g", "--limit", "1", "--average"), "no meaning"),
        (("--value", "x", "--group", "g", "--level", "95"), "0.95"),
        (("--value", "x", "--group", "g", "--plot", "a.pdf"), ".svg or .png"),
        (("--value", "x", "--group", "g", "--paired"), "--subject"),
        (("--value", "x", "--group", "g", "--where", "day"), "COLUMN=VALUE"),
    ],
)
def test_wrong_usage_says_what_to_say(capsys, tmp_path, options, said):
    code, out, err = call(capsys, write(tmp_path / "t.csv", "g,x,d\na,1,1\nb,2,1\n"), *options)
    assert (code, out) == (2, "")
    assert said in err


def test_names_that_differ_in_capitals_alone_are_doubted(capsys, tmp_path):
    table = write(
        tmp_path / "t.csv", "g,x\n" + "".join(f"{g},{k + len(g)}\n" for g in ("dots", "Dots", "dye") for k in range(3))
    )
    found = answer(capsys, table, "--value", "x", "--group", "g")
    assert [one["check"] for one in found["warnings"] if "'dots' and 'Dots'" in one["message"]] == ["compare.names"]


def test_names_that_excel_made_dates_are_doubted(capsys, tmp_path):
    made = openpyxl.Workbook()
    made.active.append(["animal", "g", "x"])
    for k in range(6):
        made.active.append([datetime.date(2026, 1, 1 + k), "ab"[k % 2], float(k * k)])
    made.save(tmp_path / "t.xlsx")
    found = answer(capsys, tmp_path / "t.xlsx", "--value", "x", "--group", "g", "--subject", "animal")
    assert "compare.dates" in [one["check"] for one in found["warnings"]]


# ---- plots -----------------------------------------------------------------------------------------------------------


def test_a_plot_is_written_and_the_same_each_time(capsys, tmp_path):
    for name in ("one.svg", "two.svg", "one.png"):
        code, _, err = call(capsys, *PLANT_WORDS, "--plot", tmp_path / name)
        assert code == 0
        assert name in err
    assert (tmp_path / "one.svg").read_bytes() == (tmp_path / "two.svg").read_bytes()
    assert (tmp_path / "one.png").read_bytes().startswith(b"\x89PNG")
    root = ET.fromstring((tmp_path / "one.svg").read_bytes())
    assert root.get("width") == "85mm"
    assert len(root.findall(".//{*}circle")) == 30
    assert root.find("{*}title").text == "weight by group"
    assert "p = 0.0174" in root.find("{*}desc").text


# ---- sheets as they come -------------------------------------------------------------------------------------------


def sheet(path, rows):
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    book.save(path)
    return path


DAYS = [
    ["Mouse", "Group", "Weight (g)", "Day 0", "Day 3", "Day 7"],
    ["m1", "PBS", 20, 1.0, 2.0, 3.0], ["m2", "PBS", 21, 1.1, 2.1, 3.6], ["m3", "PBS", 20, 1.0, 2.2, 3.3],
    ["m4", "QD", 22, 1.0, 1.2, 1.3], ["m5", "QD", 20, 1.1, 1.5, None], ["m6", "QD", 21, 1.0, 1.2, 1.1],
]  # fmt: skip


def test_a_column_per_day_is_read_as_days(capsys, tmp_path):
    path = sheet(tmp_path / "days.xlsx", DAYS)
    code, _, said = call(capsys, path)
    assert code == 2 and "say --wide --group COLUMN --subject COLUMN --within day" in said
    words = (path, "--wide", "--group", "Group", "--subject", "Mouse", "--within", "day")
    found = answer(capsys, *words)
    assert [one["day"] for one in found["groups"]] == [0, 3, 7] * 2
    assert [one["n"] for one in found["groups"]] == [3, 3, 3, 3, 3, 2]
    assert found["design"]["groups"] == ["PBS", "QD"] and found["design"]["rows"] == 17
    long = [["Mouse", "Group", "day", "value"]]
    long += [[row[0], row[1], day, row[k]] for row in DAYS[1:] for k, day in ((3, 0), (4, 3), (5, 7)) if row[k]]
    same = answer(
        capsys, sheet(tmp_path / "long.xlsx", long), "--value", "value", "--group", "Group", "--subject", "Mouse",
        "--within", "day",
    )  # fmt: skip
    assert same["tests"][0]["p"] == pytest.approx(found["tests"][0]["p"], rel=1e-6)
    fewer = answer(capsys, *words, "--columns", "Day 0,Day 7")
    assert {one["day"] for one in fewer["groups"]} == {0, 7}


def test_the_sentence_counts_those_that_were_tested(capsys, tmp_path):
    path = write(tmp_path / "t.csv", "g,v\na,1\na,2\na,3\nb,2\nb,4\nb,5\nc,7\n")
    _, out, _ = call(capsys, path, "--value", "v", "--group", "g")
    assert "n = 3, 3 units (a, b); not tested: c (n = 1);" in out


def test_words_for_not_seen_are_told_from_other_text(capsys, tmp_path):
    path = write(tmp_path / "t.csv", "g,v\na,n.d.\na,<LOD\na,bdl\nb,2\nb,text\n")
    fixes = [one["fix"] for one in refusal(capsys, path, "--value", "v", "--group", "g")]
    assert ["write <LIMIT" in fix for fix in fixes] == [True, True, True, False]


def test_a_difference_of_ranks_is_no_difference_of_logarithms(capsys):
    words = (*PLANT_WORDS, "--post-hoc", "dunn", "--log")
    _, out, _ = call(capsys, *words)
    assert "difference of mean ranks" in out
    assert "ratio (95" not in out
    assert {pair["unit"] for pair in answer(capsys, *words)["pairs"]} == {"ranks"}
    assert {pair["unit"] for pair in answer(capsys, *PLANT_WORDS, "--log")["pairs"]} == {"log10"}


def test_it_is_said_which_intervals_hold_for_all_pairs(capsys, tmp_path):
    assert any("for all 3 pairs together" in note for note in answer(capsys, *PLANT_WORDS)["notes"])
    path = sheet(tmp_path / "days.xlsx", DAYS)
    found = answer(capsys, path, "--wide", "--group", "Group", "--subject", "Mouse", "--within", "day")
    assert any("for one difference alone" in note for note in found["notes"])
    assert all(pair["p_alone"] <= pair["p"] for pair in [*found["pairs"], *found["changes"]])


def test_limits_in_one_group_alone_are_refused(capsys, tmp_path):
    path = write(tmp_path / "t.csv", "g,v\na,<1\na,2\na,3\nb,\nb,NA\n")
    (error,) = refusal(capsys, path, "--value", "v", "--group", "g", "--limit", "cells")
    assert error["check"] == "compare.one-group"


def test_one_number_written_twice_is_doubted(capsys, tmp_path):
    path = write(tmp_path / "t.csv", "g,m,v\na,1,1\na,1.0,2\na,2,3\nb,3,2\nb,4,4\nb,5,5\n")
    found = answer(capsys, path, "--value", "v", "--group", "g", "--subject", "m")
    (doubt,) = [one for one in found["warnings"] if one["check"] == "compare.names"]
    assert "'1' and '1.0'" in doubt["message"]


@pytest.mark.parametrize(("cell", "said"), [(">9", "above the range is not known"), ("<9", "no other verb can")])
def test_what_a_verb_cannot_take_is_not_advised(capsys, tmp_path, cell, said):
    path = write(tmp_path / "t.csv", f"x,y\n{cell},1\n2,2\n3,1\n4,5\n5,3\n")
    assert cli.main(["correlate", str(path), "--x", "x", "--y", "y"]) == 3
    assert said in capsys.readouterr().err


def test_only_the_pairs_of_days_say_how_they_were_adjusted(capsys, tmp_path):
    rows = "".join(
        f"{'ab'[k % 2]},m{k},{day},{k % 3 + 0.1 * day * (k % 2) + 0.3 * ((k * day) % 4)}\n"
        for k in range(8)
        for day in ((1, 3, 7, 9) if k < 3 else (2, 5, 8, 11))
    )
    path = write(tmp_path / "t.csv", f"g,m,day,v\n{rows}")
    _, out, _ = call(capsys, path, "--value", "v", "--group", "g", "--subject", "m", "--within", "day")
    (line,) = [one for one in out.splitlines() if one.startswith("differences on each day")]
    assert "holm over" in line
