"""Tables: exact in CSV, typed with units in Parquet, safe in a spreadsheet."""

import csv
import math
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from lampyris.io.durable import sha256_tree
from lampyris.io.tables import write_table

COLUMNS = {
    "animal": ["m01", "=cmd()", None, 'a "b", c'],
    "flux": np.array([1.5e9, np.nan, 0.1, np.inf]),
    "count": [1, 2, None, -4],
    "censored": np.array([True, False, True, False]),
}
UNITS = {"flux": "ph s-1"}


def cells(path: Path) -> list[list[str]]:
    return list(csv.reader(path.read_text("utf-8").splitlines(), strict=True))


def test_both_files_hold_the_table(tmp_path: Path) -> None:
    assert write_table(tmp_path, "lesions", COLUMNS, units=UNITS) == ("lesions.csv", "lesions.parquet")
    assert cells(tmp_path / "lesions.csv") == [
        ["animal", "flux", "count", "censored"],
        ["m01", "1500000000.0", "1", "true"],
        ["'=cmd()", "", "2", "false"],
        ["", "0.1", "", "true"],
        ['a "b", c', "inf", "-4", "false"],
    ]
    table = pq.read_table(tmp_path / "lesions.parquet")
    assert table.column("animal").to_pylist() == COLUMNS["animal"]
    assert table.column("flux").to_pylist() == [1.5e9, None, 0.1, math.inf]
    assert [str(field.type) for field in table.schema] == ["string", "double", "int64", "bool"]
    assert table.schema.field("flux").metadata == {b"unit": b"ph s-1"}
    assert table.schema.field("count").metadata is None


def test_csv_follows_rfc_4180(tmp_path: Path) -> None:
    write_table(tmp_path, "t", {"a": ["x,y", "µ"]}, units={})
    assert (tmp_path / "t.csv").read_bytes() == 'a\r\n"x,y"\r\nµ\r\n'.encode()


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_text_that_looks_like_a_formula_is_quoted_and_numbers_are_not(tmp_path: Path, start: str) -> None:
    write_table(tmp_path, "t", {"text": [f"{start}1"], "number": [-1.5]}, units={})
    with (tmp_path / "t.csv").open(newline="") as stream:
        assert list(csv.reader(stream))[1] == [f"'{start}1", "-1.5"]
    assert pq.read_table(tmp_path / "t.parquet").column("text").to_pylist() == [f"{start}1"]


def test_numbers_are_exact(tmp_path: Path) -> None:
    values = np.random.default_rng(1).normal(size=50) * 10.0 ** np.arange(-25, 25)
    write_table(tmp_path, "t", {"x": values}, units={})
    assert [float(row[0]) for row in cells(tmp_path / "t.csv")[1:]] == values.tolist()


def test_same_table_same_bytes(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        write_table(tmp_path / folder, "t", COLUMNS, units=UNITS)
    assert sha256_tree(tmp_path / "one") == sha256_tree(tmp_path / "two")


def test_empty_table_keeps_columns_and_types(tmp_path: Path) -> None:
    write_table(tmp_path, "t", {"animal": [], "flux": []}, units=UNITS, types={"animal": "text"})
    assert (tmp_path / "t.csv").read_bytes() == b"animal,flux\r\n"
    schema = pq.read_schema(tmp_path / "t.parquet")
    assert [str(field.type) for field in schema] == ["string", "double"]
    assert schema.field("flux").metadata == {b"unit": b"ph s-1"}


@pytest.mark.parametrize(
    ("columns", "types", "words"),
    [
        ({"a": [1], "b": [1, 2]}, {}, "differ in length"),
        ({"a": ["x", 1]}, {}, "'a' of type text holds 1"),
        ({"a": [1.5]}, {"a": "integer"}, "holds 1.5"),
        ({"a": [True, 1.0]}, {}, "holds True"),
        ({"a": [1]}, {"b": "text"}, "types names no column 'b'"),
    ],
)
def test_faults_of_a_table(tmp_path: Path, columns: dict, types: dict, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        write_table(tmp_path, "t", columns, units={}, types=types)
    assert list(tmp_path.iterdir()) == []
