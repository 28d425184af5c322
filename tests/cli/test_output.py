"""The tables that verbs print."""

import sys

from lampyris.cli.output import MOST_ALIKE, print_findings, print_table
from lampyris.core.finding import Finding, Place, Severity


def test_a_sentence_widens_no_column_of_numbers(capsys):
    print_table(
        [
            ("quantity", "value", "unit"),
            ("size_nm", 1.5, "nm"),
            ("bands 1", "a long list " * 9, ""),
            ("sd", float("nan"), ""),
        ]
    )
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == ["quantity  value  unit", "size_nm   1.5    nm"]
    assert lines[2].startswith("bands 1   a long list")
    assert lines[3] == "sd        -"


def test_many_findings_of_one_kind_are_told_by_the_first_and_where_the_others_are(capsys):
    def fault(column, rule="a"):
        return Finding(rule, Severity.ERROR, Place("t.csv", None, column), f"{column} is empty.", "Fill it.")

    print_findings([fault("x", "b"), *(fault(f"c{k}") for k in range(20))], stream=sys.stdout)
    printed = capsys.readouterr().out
    assert printed.count("is empty.") == 1 + MOST_ALIKE - 1
    assert "and 15 more of this kind: c5, c6," in printed
    assert printed.count("-> Fill it.") == 2


def test_a_few_findings_keep_their_mend_each(capsys):
    faults = [Finding("a", Severity.ERROR, Place("t.csv", k), "is empty.", "Fill it.") for k in range(MOST_ALIKE)]
    print_findings(faults, stream=sys.stdout)
    assert capsys.readouterr().out.count("-> Fill it.") == MOST_ALIKE
