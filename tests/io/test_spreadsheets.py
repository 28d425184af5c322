"""CSV for Excel and Prism, read back as those programs read it: mark, separator, decimal sign, and nothing that runs."""

import csv
import io
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lampyris.io.spreadsheets import DIALECTS, rewritten_by_excel, spreadsheet_bytes


def opened(data, name):
    """Cells as a program of that locale takes them apart."""
    form = DIALECTS[name]
    text = data.decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=form.separator))


def number(cell, name):
    form = DIALECTS[name]
    # the other sign would be a thousands separator, or a date
    assert ("." if form.decimal == "," else ",") not in cell
    return float(cell.replace(form.decimal, "."))


@pytest.mark.parametrize("name", DIALECTS)
def test_numbers_come_back_to_the_last_digit(name):
    values = [1.5, -0.1, 1e-30, 123456789.123, 6.02214076e23, 0.0, -3.0, 1 / 3]
    cells = opened(spreadsheet_bytes({"x": values, "n": list(range(8))}, DIALECTS[name]), name)
    assert [number(row[0], name) for row in cells[1:]] == values
    assert [int(row[1]) for row in cells[1:]] == list(range(8))


@pytest.mark.parametrize("name", DIALECTS)
@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@sum", "\tx", "\rx", "=cmd|' /C calc'!A0"])
def test_text_that_would_run_does_not(name, text):
    data = spreadsheet_bytes({"animal": [text], text: [-2.5]}, DIALECTS[name])
    cells = opened(data, name)
    assert cells[1][0] == f"'{text}"
    assert cells[0][1] == f"'{text}"
    # a negative number is a number
    assert number(cells[1][1], name) == -2.5


@pytest.mark.parametrize("name", DIALECTS)
def test_nothing_is_zero_that_is_not(name):
    values = [math.nan, None, np.float64("nan")]
    cells = opened(spreadsheet_bytes({"x": values, "y": [1, 2, 3]}, DIALECTS[name]), name)
    assert [row[0] for row in cells[1:]] == ["", "", ""]


def test_infinity_and_flags():
    columns = {"x": [math.inf, -math.inf], "f": [True, np.False_]}
    assert opened(spreadsheet_bytes(columns, DIALECTS["excel-en"]), "excel-en")[1:] == [["∞", "yes"], ["−∞", "no"]]
    assert opened(spreadsheet_bytes(columns, DIALECTS["prism"]), "prism")[1:] == [["", "yes"], ["", "no"]]


def test_excel_is_told_the_encoding_and_prism_only_where_needed():
    mark = b"\xef\xbb\xbf"
    assert spreadsheet_bytes({"x": ["a"]}, DIALECTS["excel-en"]).startswith(mark)
    assert spreadsheet_bytes({"x": ["a"]}, DIALECTS["excel-de"]).startswith(mark)
    assert not spreadsheet_bytes({"x": ["a"]}, DIALECTS["prism"]).startswith(mark)
    assert spreadsheet_bytes({"x": ["Mäuse"]}, DIALECTS["prism"]).startswith(mark)


@given(st.lists(st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0\ufeff")), min_size=1))
@pytest.mark.parametrize("name", DIALECTS)
def test_any_text_comes_back(name, words):
    cells = opened(spreadsheet_bytes({"x": words, "n": [1] * len(words)}, DIALECTS[name]), name)
    assert [row[0].removeprefix("'") for row in cells[1:]] == [word.removeprefix("'") for word in words]


def test_names_that_excel_rewrites_are_known():
    safe = ["m01", "d07", "A-1", "targeted dot", "control", "x1e5"]
    assert rewritten_by_excel([*safe, "SEPT2", "1-2", "1E5", "007", "3.4", "Okt 3"]) == (
        "SEPT2", "1-2", "1E5", "007", "3.4", "Okt 3",
    )  # fmt: skip
