"""`correlate` and `agree`: keys of their JSON, what they print, and what they say of tables that do not fit."""

import csv
import json

import numpy as np
import pytest

from lampyris import cli


def write(path, header, rows):
    with path.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(header)
        writer.writerows(rows)
    return str(path)


@pytest.fixture
def peak(tmp_path, published):
    case = published["bland_altman_ccc"]
    rows = zip([f"s{k}" for k in range(17)], case["x"], case["y"], strict=True)
    return write(tmp_path / "peak.csv", ["subject", "wright", "mini"], rows)


@pytest.fixture
def repeats(tmp_path):
    """Six animals on four days each; cells follow flux within animals, and fall from animal to animal."""
    rng = np.random.default_rng(1)
    rows = []
    for k in range(6):
        for day in range(4):
            flux = 5 + 2 * k + day + rng.normal(0, 0.3)
            truth = int(flux + rng.normal(0, 2) > 10)
            rows.append(
                [f"m{k}", f"{flux:.3f}", f"{flux - 4 * k + rng.normal(0, 0.2):.3f}", int(flux > 10), truth, day]
            )
    return write(tmp_path / "repeats.csv", ["animal", "flux", "cells", "called", "truth", "day"], rows)


def ask(capsys, *words, code=0):
    assert cli.main([*words, "--json"]) == code
    return json.loads(capsys.readouterr().out)


def test_correlate_has_its_stable_keys(capsys, peak, published):
    found = ask(capsys, "correlate", peak, "--x", "wright", "--y", "mini", "--subject", "subject")
    assert {"r", "p", "low", "high", "n", "design", "method", "warnings", "slope"} <= found.keys()
    assert found["r"] == pytest.approx(published["bland_altman_ccc"]["computed_full"]["r"], abs=1e-12)
    assert (found["n"], found["method"], found["design"]["experimental_unit"]) == (17, "pearson", "subject")
    assert [line["method"].partition(",")[0] for line in found["lines"]] == [
        "ordinary least squares of y on x", "Deming", "Passing & Bablok",
    ]  # fmt: skip


def test_correlate_prints_a_sentence_and_a_table(capsys, peak):
    assert cli.main(["correlate", peak, "--x", "wright", "--y", "mini"]) == 0
    printed = capsys.readouterr().out
    assert "Pearson's r = 0.943 (0.846–0.980)" in printed
    assert "Experimental unit: row; n = 17" in printed
    assert "taken for an independent unit" in printed


@pytest.mark.parametrize("method", ["spearman", "kendall"])
def test_ranks(capsys, peak, method):
    found = ask(capsys, "correlate", peak, "--x", "wright", "--y", "mini", "--method", method)
    assert (found["method"], found["slope"], found["lines"]) == (method, None, [])


def test_a_printed_correlation(capsys):
    found = ask(capsys, "correlate", "--r", "0.5", "--n", "20")
    assert (round(found["low"], 3), round(found["high"], 3), found["n"]) == (0.074, 0.772, 20)
    assert round(found["p"], 4) == 0.0248


def test_repeated_rows_take_the_right_form(capsys, repeats):
    within = ask(capsys, "correlate", repeats, "--x", "flux", "--y", "cells", "--subject", "animal")
    assert (within["method"], within["n"], within["lines"]) == ("repeated", 6, [])
    assert within["r"] > 0.9
    assert within["slope"]["value"] == pytest.approx(1, abs=0.15)
    between = ask(capsys, "correlate", repeats, "--x", "flux", "--y", "cells", "--subject", "animal", "--means")
    assert (between["method"], between["n"]) == ("pearson", 6)
    assert between["r"] < -0.9
    assert len(between["lines"]) >= 2
    adjusted = ask(
        capsys, "correlate", repeats, "--x", "flux", "--y", "cells", "--subject", "animal", "--covariate", "day"
    )
    assert (adjusted["method"], adjusted["tests"][0]["df"]) == ("repeated", [24 - 6 - 1 - 1])
    assert adjusted["r"] < within["r"]


def test_repeated_rows_are_refused_where_a_plain_form_is_asked(capsys, repeats):
    words = ("correlate", repeats, "--x", "flux", "--y", "cells", "--subject", "animal", "--method", "pearson")
    error = ask(capsys, *words, code=3)["errors"][0]
    assert error["check"] == "relation.pseudo-replication"
    assert error["where"] == "repeats.csv, column animal"
    assert "24 rows come from 6 subjects" in error["message"]
    assert "--method repeated" in error["fix"]
    assert "--means" in error["fix"]


def test_a_line_through_repeated_rows_is_refused(capsys, repeats):
    words = ("correlate", repeats, "--x", "flux", "--y", "cells", "--subject", "animal", "--variance-ratio", "1")
    assert ask(capsys, *words, code=3)["errors"][0]["check"] == "relation.pseudo-replication"
    assert ask(capsys, *words, "--means")["lines"][0]["method"].startswith("Deming")


def test_a_column_that_looks_like_a_subject_is_not_passed_over(capsys, repeats):
    found = ask(capsys, "correlate", repeats, "--x", "flux", "--y", "cells")
    warned = {entry["check"]: entry for entry in found["warnings"]}
    assert "--subject 'animal'" in warned["relation.pseudo-replication"]["fix"]


def test_covariates_and_logarithms(capsys, tmp_path):
    rng = np.random.default_rng(2)
    weight = rng.uniform(20, 30, 15)
    x, y = 10 ** (weight / 10 + rng.normal(0, 0.05, 15)), 10 ** (weight / 10 + rng.normal(0, 0.05, 15))
    table = write(tmp_path / "t.csv", ["x", "y", "weight_g"], zip(x, y, weight, strict=True))
    plain = ask(capsys, "correlate", table, "--x", "x", "--y", "y", "--log", "both")
    adjusted = ask(capsys, "correlate", table, "--x", "x", "--y", "y", "--log", "both", "--covariate", "weight_g")
    assert plain["x"] == "log10 x"
    assert plain["r"] > 0.9
    assert abs(adjusted["r"]) < 0.6
    assert (adjusted["method"], adjusted["design"]["covariates"]) == ("partial", ["weight_g"])


def test_lines_with_errors_in_both(capsys, peak):
    words = ("correlate", peak, "--x", "wright", "--y", "mini")
    york = ask(capsys, *words, "--sd-x", "15", "--sd-y", "20")
    assert york["lines"][0]["method"] == "errors of known size in both columns (York)"
    assert york["slope"] == york["lines"][0]["slope"]
    assert any("as much as their errors allow" in entry["message"] for entry in york["warnings"])
    deming = ask(capsys, *words, "--variance-ratio", "2")
    assert deming["lines"][0]["method"].endswith("as 2 to 1")


def test_errors_from_a_column(capsys, tmp_path):
    rows = [[k, 2 * k + (-1) ** k, 0.5, 1 + k] for k in range(6)]
    table = write(tmp_path / "t.csv", ["x", "y", "sx", "sy"], rows)
    words = ("correlate", table, "--x", "x", "--y", "y")
    assert ask(capsys, *words, "--sd-x", "sx", "--sd-y", "sy")["slope"]["value"] == pytest.approx(2, abs=0.5)
    rows[3][2:] = [-0.5, 1]
    table = write(tmp_path / "t.csv", ["x", "y", "sx", "sy"], rows)
    error = ask(capsys, *words, "--sd-x", "sx", "--sd-y", "sy", code=3)["errors"][0]
    assert (error["row"], error["column"], error["check"]) == (5, "sx", "relation.no-error")


def test_agree_has_its_stable_keys(capsys, peak, published):
    found = ask(capsys, "agree", peak, "--a", "wright", "--b", "mini")
    full = published["bland_altman_ccc"]["computed_full"]
    assert found["bias"] == pytest.approx(full["mean_diff"])
    assert found["limits"] == pytest.approx(full["loa_1_96"], abs=2e-3)
    assert found["ccc"] == pytest.approx(full["ccc_lin_1_n"])
    assert found["kappa"] is None
    assert set(found["icc"]) == {"ICC(1,1)", "ICC(2,1)", "ICC(3,1)", "ICC(1,k)", "ICC(2,k)", "ICC(3,k)"}


def test_agree_of_repeats_and_of_ratios(capsys, repeats):
    found = ask(capsys, "agree", repeats, "--a", "flux", "--b", "cells", "--subject", "animal")
    assert (found["n"], found["design"]["rows"], found["icc"]) == (6, 24, None)
    assert "Zou" in found["limits_method"]
    naive = ask(capsys, "agree", repeats, "--a", "flux", "--b", "cells")
    width = found["bias_interval"][1] - found["bias_interval"][0]
    assert width > 1.5 * (naive["bias_interval"][1] - naive["bias_interval"][0])
    assert any(entry["check"] == "relation.pseudo-replication" for entry in naive["warnings"])


def test_agree_of_ratios(capsys, peak):
    found = ask(capsys, "agree", peak, "--a", "wright", "--b", "mini", "--ratio")
    assert found["scale"] == "ratio"
    assert 0.5 < found["limits"][0] < found["bias"] < found["limits"][1] < 2


def test_categories(capsys, tmp_path, published):
    case = published["kappa"]
    names = ("none", "few", "many")
    rows = [
        [names[i], names[j]]
        for i, line in enumerate(case["table"])
        for j, count in enumerate(line)
        for _ in range(count)
    ]
    table = write(tmp_path / "k.csv", ["a", "b"], rows)
    words = ("agree", table, "--a", "a", "--b", "b", "--categories")
    assert ask(capsys, *words)["kappa"] == pytest.approx(case["unweighted"]["k"], abs=5.1e-5)
    found = ask(capsys, *words, "none,few,many", "--weights", "linear")
    assert found["kappa"] == pytest.approx(case["linear"]["k"], abs=5.1e-5)
    assert found["kappa_interval"] == pytest.approx(case["linear"]["ci"], abs=5.1e-5)
    assert found["table"] == case["table"]
    error = ask(capsys, *words, "--weights", "linear", code=3)["errors"][0]
    assert "need the order" in error["message"]
    assert "from low to high" in error["fix"]


def test_three_readers(capsys, tmp_path):
    rows = [[k, k + 0.1 * (k % 3), k - 0.2, "abc"[k % 3], "abc"[k % 3], "aac"[k % 3]] for k in range(9)]
    table = write(tmp_path / "r.csv", ["a", "b", "c", "d", "e", "f"], rows)
    found = ask(capsys, "agree", table, "--a", "a", "--b", "b", "--also", "c")
    assert found["icc"]["ICC(2,1)"]["value"] > 0.98
    found = ask(capsys, "agree", table, "--a", "d", "--b", "e", "--also", "f", "--categories")
    assert 0.5 < found["kappa"] < 0.9
    assert "3 readers" in found["notes"][-1]


def test_a_truth(capsys, repeats):
    words = ("agree", repeats, "--b", "truth", "--truth", "--subject", "animal")
    calls = ask(capsys, *words, "--a", "called")
    assert calls["design"]["nested"] == ["row"]
    assert calls["n"] == 6
    assert 0 < calls["sensitivity_interval"][0] < calls["sensitivity"] <= 1
    curve = ask(capsys, *words, "--a", "flux")
    assert curve["auc_interval"][0] < curve["auc"] < curve["auc_interval"][1]
    assert curve["best_threshold"] > 5


FAULTS = {
    "text in a number column": (
        ["correlate", "--x", "flux", "--y", "cells"], {2: {"flux": "bright"}, 4: {"cells": "1,5x"}},
        [("table.no-number", 2, "flux"), ("table.no-number", 4, "cells")],
    ),
    "no such column": (["correlate", "--x", "flx", "--y", "cells"], {}, [("table.no-column", None, "flx")]),
    "all equal": (["correlate", "--x", "flux", "--y", "same"], {}, [("relation.all-equal", None, "same")]),
    "beyond any number": (
        ["correlate", "--x", "flux", "--y", "cells"], {3: {"flux": "1e999"}}, [("table.no-number", 3, "flux")],
    ),
    "zero has no logarithm": (
        ["correlate", "--x", "flux", "--y", "cells", "--log", "x"], {5: {"flux": "0"}},
        [("table.no-logarithm", 5, "flux")],
    ),
    "no subject": (
        ["correlate", "--x", "flux", "--y", "cells", "--subject", "animal"], {6: {"animal": ""}},
        [("relation.no-subject", 6, "animal")],
    ),
    "same difference throughout": (
        ["agree", "--a", "flux", "--b", "shifted"], {}, [("relation.values", None, "")],
    ),
    "words where numbers agree": (
        ["agree", "--a", "animal", "--b", "word"], {}, [("relation.no-numbers", None, "animal")],
    ),
    "neither yes nor no": (
        ["agree", "--a", "flux", "--b", "truth", "--truth"], {2: {"truth": "maybe"}},
        [("table.no-yes-or-no", 2, "truth")],
    ),
    "no positive": (["agree", "--a", "flux", "--b", "never", "--truth"], {}, [("relation.truth", None, "never")]),
    "one category": (
        ["agree", "--a", "word", "--b", "again", "--categories"], {}, [("relation.categories", None, "word")],
    ),
    "ratio of zero": (
        ["agree", "--a", "flux", "--b", "cells", "--ratio"], {2: {"cells": "0"}}, [("relation.no-ratio", 2, "cells")],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_a_table_that_does_not_fit(capsys, tmp_path, name):
    words, changes, faults = FAULTS[name]
    header = ["animal", "flux", "cells", "same", "shifted", "word", "again", "truth", "never"]
    rows = [[f"m{k}", k + 1, (k * 7) % 5 + 1, 4, k + 3, "x", "x", k % 2, 0] for k in range(8)]
    for line, cells in changes.items():
        for column, cell in cells.items():
            rows[line - 2][header.index(column)] = cell
    table = write(tmp_path / "t.csv", header, rows)
    found = ask(capsys, words[0], table, *words[1:], code=3)["errors"]
    assert [(entry["check"], entry["row"], entry["column"]) for entry in found] == faults
    assert all(entry["file"] == "t.csv" and entry["fix"] for entry in found)


@pytest.mark.parametrize("rows", [0, 1, 2, 3])
def test_too_few_rows(capsys, tmp_path, rows):
    table = write(tmp_path / "t.csv", ["x", "y"], [[k, k * k] for k in range(rows)])
    error = ask(capsys, "correlate", table, "--x", "x", "--y", "y", code=3)["errors"][0]
    assert error["check"] == ("relation.too-few" if rows else "table.empty")


def test_missing_values_are_left_out_and_said(capsys, tmp_path):
    rows = [[k, (3 * k) % 7] for k in range(8)]
    rows[1][0], rows[4][1] = "NA", ""
    table = write(tmp_path / "t.csv", ["x", "y"], rows)
    found = ask(capsys, "correlate", table, "--x", "x", "--y", "y")
    assert found["n"] == 6
    assert found["notes"][0] == "2 of 8 rows lack a value and were left out (row 3, 6)."


def test_whole_numbers_decimal_commas_and_ties(capsys, tmp_path):
    plain = write(tmp_path / "t.csv", ["x", "y"], [[k // 2, (3 * k) % 7] for k in range(10)])
    german = tmp_path / "g.csv"
    german.write_text("x;y\n" + "".join(f"{k // 2},0;{(3 * k) % 7},0\n" for k in range(10)))
    one, other = (
        ask(capsys, "correlate", table, "--x", "x", "--y", "y", "--method", "spearman")
        for table in (plain, str(german))
    )
    assert one["r"] == other["r"]
    assert any("share their mean rank" in note for note in one["notes"])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["correlate"], "needs a table"),
        (["correlate", "t.csv", "--x", "a"], "--x and --y"),
        (["correlate", "t.csv", "--x", "a", "--y", "a"], "correlates with itself"),
        (["correlate", "t.csv", "--x", "a", "--y", "b", "--sd-x", "1"], "belong together"),
        (["correlate", "t.csv", "--x", "a", "--y", "b", "--r", "0.5"], "in place of a table"),
        (["correlate", "--r", "0.5", "--n", "3"], "at least 4"),
        (["correlate", "--r", "1.5", "--n", "30"], "between -1 and 1"),
        (["correlate", "t.csv", "--x", "a", "--y", "b", "--means"], "need --subject"),
        (["correlate", "t.csv", "--x", "a", "--y", "b", "--method", "repeated"], "need --subject"),
        (
            ["correlate", "t.csv", "--x", "a", "--y", "b", "--subject", "c", "--means", "--method", "repeated"],
            "one or the other",
        ),
        (
            ["correlate", "t.csv", "--x", "a", "--y", "b", "--covariate", "c", "--variance-ratio", "1"],
            "independent rows",
        ),
        (["agree", "t.csv", "--a", "x", "--b", "x"], "agrees with itself"),
        (["agree", "t.csv", "--a", "x", "--b", "y", "--truth", "--ratio"], "stands alone"),
        (["agree", "t.csv", "--a", "x", "--b", "y", "--weights", "linear"], "belong to --categories"),
        (["agree", "t.csv", "--a", "x", "--b", "y", "--level", "95"], "between 0 and 1"),
    ],
)
def test_wrong_usage(capsys, words, said):
    assert cli.main(words) == 2
    assert said in capsys.readouterr().err


def test_a_workbook_of_several_sheets_is_read_as_compare_reads_it(capsys, tmp_path):
    import openpyxl

    book = openpyxl.Workbook()
    page = book.active
    page.title = "mice"
    page.append(["mouse", "day", "flux", "cells"])
    for k in range(8):
        page.append([f"m{k}", 7 if k % 2 else 14, 3.0 + k, 2.0 * k + (k % 3)])
    page.row_dimensions[3].hidden = True
    book.create_sheet("notes")["A1"] = "by hand"
    book.save(tmp_path / "two.xlsx")
    words = {"correlate": ["--x", "flux", "--y", "cells"], "agree": ["--a", "flux", "--b", "cells"]}
    for verb, columns in words.items():
        asked = [verb, str(tmp_path / "two.xlsx"), *columns]
        assert "Say --sheet" in str(ask(capsys, *asked, code=3)["errors"])
        found = ask(capsys, *asked, "--sheet", "mice")
        assert found["n"] == 8
        assert "1 hidden rows are read" in " ".join(found["notes"])
        assert ask(capsys, *asked, "--sheet", "mice", "--where", "day=7")["n"] == 4
        assert ask(capsys, *asked, "--sheet", "mice", "--where", "mouse!=m0")["n"] == 7
        assert "The column holds" in str(ask(capsys, *asked, "--sheet", "mice", "--where", "day=9", code=3)["errors"])


def test_what_has_no_ratio_is_named_by_row_and_column(capsys, tmp_path):
    path = write(tmp_path / "t.csv", ["a", "b"], [(-1, 1), (2, 2), (3, 0), (4, 5)])
    errors = ask(capsys, "agree", path, "--a", "a", "--b", "b", "--ratio", code=3)["errors"]
    assert [(one["row"], one["column"]) for one in errors] == [(2, "a"), (4, "b")]


def test_a_decimal_comma_can_be_said(capsys, tmp_path):
    (tmp_path / "t.csv").write_text("a;b\n1,234;1\n2,500;2\n3,125;4\n4,750;5\n", "utf-8")
    found = ask(capsys, "agree", str(tmp_path / "t.csv"), "--a", "a", "--b", "b", "--decimal", "comma")
    assert found["bias"] == pytest.approx((1.234 + 2.5 + 3.125 + 4.75 - 12) / 4)


def test_plots_are_written_and_the_same_each_time(capsys, tmp_path, peak, repeats):
    asked = {
        "line": ["correlate", peak, "--x", "wright", "--y", "mini", "--variance-ratio", "1"],
        "within": ["correlate", repeats, "--x", "flux", "--y", "cells", "--subject", "animal"],
        "means": ["correlate", repeats, "--x", "flux", "--y", "cells", "--subject", "animal", "--means"],
        "limits": ["agree", peak, "--a", "wright", "--b", "mini"],
        "roc": ["agree", repeats, "--a", "flux", "--b", "truth", "--truth", "--subject", "animal"],
    }
    for name, words in asked.items():
        files = [tmp_path / f"{name}-{k}.svg" for k in range(2)]
        for file in files:
            assert cli.main([*words, "--plot", str(file)]) == 0
        assert files[0].read_bytes() == files[1].read_bytes()
        assert files[0].read_text("utf-8").count("<circle") >= (17 if "peak" in words[1] else 1)
    capsys.readouterr()


def test_a_line_without_end_to_its_interval_is_drawn_without_band(capsys, tmp_path):
    points = [(0.06, 0), (0.56, 1), (0, 2), (0, 1), (0.4, 0.9), (0.3, 1.1), (0.9, 2.2), (1.1, 0.4)]
    path = write(tmp_path / "t.csv", ["x", "y"], points)
    words = ["correlate", path, "--x", "x", "--y", "y", "--sd-x", "1", "--sd-y", "1", "--plot", str(tmp_path / "p.svg")]
    found = ask(capsys, *words)
    assert found["lines"][0]["slope"]["low"] is None
    assert (tmp_path / "p.svg").is_file()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--a", "called", "--b", "truth", "--categories", "--plot", "x.svg"], "no plot of categories"),
        (["--a", "flux", "--b", "cells", "--plot", "x.pdf"], ".svg or .png"),
    ],
)
def test_no_such_plot(capsys, repeats, words, said):
    assert cli.main(["agree", repeats, *words]) == 2
    assert said in capsys.readouterr().err
