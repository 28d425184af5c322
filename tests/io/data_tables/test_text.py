"""Tables as text: what is read, what is told in notes, and what is refused with its place."""

import numpy as np
import pytest

from lampyris.core.errors import InputError
from lampyris.io.data_tables import read_table


def table(tmp_path, content, *, name="t.csv", **options):
    data = content if isinstance(content, bytes) else content.encode()
    (tmp_path / name).write_bytes(data)
    return read_table(tmp_path / name, **options)


# name: content, columns that come out, decimal mark
READ = {
    "comma": ("animal,w\nm1,1.5\nm2,2\n", {"animal": ("m1", "m2"), "w": ("1.5", "2")}, "."),
    "semicolon with decimal comma": (
        "animal;w\nm1;1,5\nm2;2,25\n",
        {"animal": ("m1", "m2"), "w": ("1,5", "2,25")},
        ",",
    ),
    "semicolon with decimal point": ("animal;w\nm1;1.5\n", {"animal": ("m1",), "w": ("1.5",)}, "."),
    "tab with decimal comma": ("animal\tw\nm1\t0,15\n", {"animal": ("m1",), "w": ("0,15",)}, ","),
    "one column": ("w\n1\n2\n", {"w": ("1", "2")}, "."),
    "windows line ends": ("a,b\r\n1,2\r\n", {"a": ("1",), "b": ("2",)}, "."),
    "quoted cells": ('a,b\n"x, y","say ""hi"""\n', {"a": ("x, y",), "b": ('say "hi"',)}, "."),
    "blanks after separators": ('a, "b, c"\n1, 2\n', {"a": ("1",), "b, c": ("2",)}, "."),
    "old line ends": ("a;b\r1;2\r", {"a": ("1",), "b": ("2",)}, "."),
    "a name over two lines": ('"w\n(g)",b\n1,2\n', {"w (g)": ("1",), "b": ("2",)}, "."),
    "mark of the separator": ("sep=;\na;b\n1;2\n", {"a": ("1",), "b": ("2",)}, "."),
    "byte order mark": (b"\xef\xbb\xbfa,b\n1,2\n", {"a": ("1",), "b": ("2",)}, "."),
    "utf-16": ("größe,x\n1,2\n".encode("utf-16"), {"größe": ("1",), "x": ("2",)}, "."),
    "windows-1252": ("größe,x\n1,2\n".encode("cp1252"), {"größe": ("1",), "x": ("2",)}, "."),
    "short rows": ("a,b,c\n1,2,3\n4\n", {"a": ("1", "4"), "b": ("2", ""), "c": ("3", "")}, "."),
    "row names without a header": (",x\nr1,1\nr2,2\n", {"column A": ("r1", "r2"), "x": ("1", "2")}, "."),
    "a name twice": ("a,b,a\n1,2,3\n", {"a": ("1",), "b": ("2",), "a (2)": ("3",)}, "."),
    "empty columns at the end": ("a,b,,\n1,2,,\n", {"a": ("1",), "b": ("2",)}, "."),
    "protected text": ("a,b\n'=1+1,2\n", {"a": ("=1+1",), "b": ("2",)}, "."),
    "days as names": ("animal,0,7\nm1,1,2\n", {"animal": ("m1",), "0": ("1",), "7": ("2",)}, "."),
}


@pytest.mark.parametrize("case", READ)
def test_text_is_read(tmp_path, case):
    content, columns, decimal = READ[case]
    found = table(tmp_path, content)
    assert found.columns == columns
    assert found.decimal == decimal


def test_rows_keep_their_lines_and_nothing_is_left_out_in_silence(tmp_path):
    found = table(tmp_path, 'Plate 7\n\n# made by hand\nw,g\n1,"a\nb"\n\n2,c\nMean,\n')
    assert found.lines == (5, 8, 9)
    assert found.columns["g"] == ("a\nb", "c", "")
    notes = " | ".join(found.notes)
    for part in (
        "row 1 stands above the header",
        "'Plate 7'",
        "row 3 begins with #",
        "row 7 is empty",
        "row 9 begins like a summary",
    ):
        assert part in notes


def test_windows_letters_are_told(tmp_path):
    assert "Windows-1252" in table(tmp_path, "größe\n1\n".encode("cp1252")).notes[0]


# name: content, rule, row, what is said
REFUSED = {
    "nothing": ("", "table.empty", None, "no rows"),
    "header only": ("a,b\n", "table.empty", 1, "nothing stands below"),
    "no header": ("1,2\n3,4\n", "table.no-header", 1, "no header"),
    "decimal comma between commas": ("w,g\n1,5,a\n2,5,b\n", "table.ragged", 2, "decimal comma"),
    "more cells than the header": ("a,b\nx,y\nx,y\nx,y,z\n", "table.ragged", 4, "more filled cells"),
    "a cell without a header far below": (
        "a,b\n" + "x,1\n" * 80 + "x,1,late\n",
        "table.ragged",
        82,
        "more cells than the header",
    ),
    "open quote": ('a,b\n1,"2\n3,4\n', "table.quotes", 2, "quote"),
    "thousands or fractions": ("g\tw\na\t1,234\nb\t2,345\n", "table.decimal", 2, "--decimal"),
    "binary": (b"a,b\n\x00\x01\x02", "table.unreadable", None, "binary"),
    "half of utf-16": (b"\xff\xfea\x00b", "table.encoding", None, "breaks off"),
    "no encoding": (b"a,b\n\x81\x8d,2\n", "table.encoding", None, "neither UTF-8"),
    "a web page as .xls": ("<html><table><tr><td>1</td></tr></table>", "table.unreadable", None, "HTML"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_table_is_refused_with_its_place(tmp_path, case):
    content, rule, row, said = REFUSED[case]
    with pytest.raises(InputError) as caught:
        table(tmp_path, content)
    finding = next(one for one in caught.value.findings if one.rule == rule)
    assert finding.place.row == row
    assert finding.place.file == "t.csv"
    assert said in f"{finding.seen} {finding.mend}"
    assert finding.mend


def test_the_decimal_mark_can_be_said(tmp_path):
    content = "g\tw\na\t1,234\nb\t2,345\n"
    assert table(tmp_path, content, decimal=",").numbers("w").tolist() == [1.234, 2.345]
    with pytest.raises(InputError, match="thousand"):
        table(tmp_path, content, decimal=".").numbers("w")


@pytest.mark.parametrize(
    ("cell", "decimal", "said"),
    [
        ("low", ".", "Write a number with a decimal point"),
        ("1,5", ".", "decimal mark is the point"),
        ("1.5", ",", "decimal mark is the comma"),
        ('"1,234.5"', ".", "without thousands separators"),
        ("1'234", ".", "without thousands separators"),
        ("5 mm", ".", "unit goes into the column's name"),
        ("inf", ".", "Leave the cell empty"),
        ("1e999", ".", "no number"),
        ("#DIV/0!", ".", "Mend the formula"),
        ("<0.5", ".", "--limit"),
        ("١٢", ".", "no number"),
    ],
)
def test_a_cell_that_is_no_number_is_named_by_row_and_column(tmp_path, cell, decimal, said):
    separator = ";" if decimal == "," else ","
    cell = cell if separator == ";" or cell.startswith('"') or "," not in cell else f'"{cell}"'
    found = table(tmp_path, f"animal{separator}w\nm1{separator}1\nm2{separator}{cell}\n", decimal=decimal)
    with pytest.raises(InputError) as caught:
        found.numbers("w")
    (finding,) = caught.value.findings
    assert (finding.place.file, finding.place.row, finding.place.column) == ("t.csv", 3, "w")
    assert said in f"{finding.seen} {finding.mend}"


def test_a_column_of_text_is_not_listed_cell_by_cell(tmp_path):
    with pytest.raises(InputError, match="text in 500 of 500 rows; the first 20 are listed") as caught:
        table(tmp_path, "w\n" + "low\n" * 500).numbers("w")
    assert [one.place.row for one in caught.value.findings] == list(range(2, 22))


def test_missing_and_limited_cells(tmp_path):
    found = table(tmp_path, "w\n1\n\nNA\nn/a\n-2e3\n<0.5\n≤ 4\n−3\n")
    values, below = found.limited_numbers("w")
    np.testing.assert_array_equal(values, [1.0, np.nan, np.nan, -2000.0, 0.5, 4.0, -3.0])
    assert below.tolist() == [False, False, False, False, True, True, False]


def test_a_column_that_is_not_there_is_told_with_the_nearest(tmp_path):
    found = table(tmp_path, "Weight_g,group\n1,a\n")
    with pytest.raises(InputError, match="Did you mean 'Weight_g'"):
        found.words("weight_G2")
    with pytest.raises(InputError, match="two columns"):
        table(tmp_path, "a,a\n1,2\n").words("a")


def test_no_file_and_a_folder(tmp_path):
    with pytest.raises(InputError, match="there is no file"):
        read_table(tmp_path / "none.csv")
    with pytest.raises(InputError, match="folder"):
        read_table(tmp_path)


def test_a_table_beyond_the_caps_is_refused(tmp_path, monkeypatch):
    from lampyris.io.data_tables import reading, text

    monkeypatch.setattr(text, "MAX_CELLS", 5)
    with pytest.raises(InputError, match="more than 5 cells"):
        table(tmp_path, "a,b\n1,2\n3,4\n")
    monkeypatch.setattr(reading, "MAX_BYTES", 4)
    with pytest.raises(InputError, match="at most"):
        table(tmp_path, "a,b\n1,2\n")
