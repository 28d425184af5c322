"""Prism's projects, in XML and as an archive."""

import importlib.util
from pathlib import Path

import pytest

from lampyris.core.errors import InputError
from lampyris.io.data_tables import long_form, read_table

spec = importlib.util.spec_from_file_location("table_files", Path(__file__).parent / "table_files.py")
files = importlib.util.module_from_spec(spec)
spec.loader.exec_module(files)


def project(tmp_path, data, name="p.pzfx"):
    (tmp_path / name).write_bytes(data)
    return tmp_path / name


def test_a_column_table_is_wide_and_its_exclusions_are_told(tmp_path):
    found = read_table(project(tmp_path, files.pzfx(files.column_table())))
    assert found.columns == {"control": ("1.5", "2", "1.75"), "quantum dots": ("3.25", "", "")}
    assert found.wide
    assert "1 values excluded in Prism are left out: quantum dots row 2" in found.notes
    assert long_form(found).columns["group"] == ("control", "control", "control", "quantum dots")


def test_the_table_is_asked_for_where_there_are_several(tmp_path):
    path = project(tmp_path, files.pzfx(files.column_table(), files.summary_table()))
    with pytest.raises(InputError, match="--table with one of: 'Weights', 'Printed'"):
        read_table(path)
    assert read_table(path, table="weights").wide
    printed = read_table(path, table="Printed")
    assert printed.columns == {"A mean": ("10",), "A SD": ("2",), "A n": ("5",)}
    assert not printed.wide
    with pytest.raises(InputError, match="has no table 'Third'"):
        read_table(path, table="Third")


def test_replicates_share_a_title(tmp_path):
    found = read_table(project(tmp_path, files.pzfx(files.grouped_table())))
    assert found.columns == {"row": ("liver", "lungs"), "dots": ("1", "2"), "dots (2)": ("3", "4"), "dye": ("5", "6")}
    assert found.titles == ("row", "dots", "dots", "dye")
    assert not found.wide


def test_a_decimal_comma_is_found(tmp_path):
    data = files.pzfx(files.column_table()).replace(b"1.75", b"1,75").replace(b"1.5", b"1,5")
    found = read_table(project(tmp_path, data))
    assert found.decimal == ","


def test_an_archive(tmp_path):
    found = read_table(project(tmp_path, files.prism(), "p.prism"))
    assert found.columns == {"control": ("1.5", "2", "1.75"), "quantum dots": ("3.25", "2.5", "")}
    assert found.wide
    twice = read_table(project(tmp_path, files.prism(replicates=2), "p.prism"))
    assert twice.titles == ("control", "control", "quantum dots")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b'<?xml version="1.0"?><!DOCTYPE x><GraphPadPrismFile></GraphPadPrismFile>', "document type"),
        (b"<GraphPadPrismFile><Table>", "broken"),
        (b'<?xml version="1.0" encoding="UzF-8"?><GraphPadPrismFile></GraphPadPrismFile>', "broken"),
        (b"<GraphPadPrismFile></GraphPadPrismFile>", "no table with values"),
        (b"PCFFGRA4 binary", "old binary Prism file"),
        (files.prism(extra=",9"), "built otherwise than expected"),
        (files.archive({"document.json": "{}"}), "built otherwise than expected"),
        (files.archive({"document.json": "[" * 100_000}), "built otherwise than expected"),
    ],
)
def test_what_cannot_be_read_says_how_to_export(tmp_path, data, said):
    with pytest.raises(InputError, match=said) as caught:
        read_table(project(tmp_path, data))
    assert "CSV" in caught.value.findings[0].mend
