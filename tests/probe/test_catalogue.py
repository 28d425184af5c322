"""The catalogue: all five tables of the review, a citation per row, honest marks, and what a search says when it finds no such name."""

import csv
import math
from importlib import resources

import pytest

from lampyris.core.errors import UsageError
from lampyris.core.sourced import MARKS
from lampyris.probe import catalogue
from lampyris.probe.catalogue import Entry, cancers, entries, search, targets

# rows of the review's tables, counted in its text
ROWS = {1: 3, 2: 3, 3: 2, 4: 1, 5: 10}
PATENTS = (
    ("US 4637988", 1987), ("US 6114038", 2000), ("US 6274323", 2001), ("US 7181266", 2007), ("CN 200810041133", 2009),
    ("CN 201010185953", 2012), ("CN 201410239033", 2014), ("EP 3073728A1", 2016), ("EP 2603935B1", 2018), ("US 10630927B2", 2021),
)  # fmt: skip


@pytest.mark.parametrize(("table", "rows"), ROWS.items())
def test_each_table_of_the_review_is_whole(table, rows):
    found = search(table=table)
    assert len(found) == rows
    assert all(f"table {table}, its reference" in entry.citation for entry in found)


@pytest.mark.parametrize(
    ("table", "dots", "cells", "references"),
    [
        (1, ("QD605", "silk fibroin", "CdSe/ZnSe/ZnS"), ("", "HEYA8", "SKOV-3"), ("45", "46, 47", "48, 49")),
        (2, ("QD-HER2", "mTOR", "QDs-IHC"), ("MCF-7", "BT474", ""), ("56", "56, 57", "24")),
        (3, ("CdSe/CdS/ZnS", "InP/ZnS"), ("", ""), ("62", "63, 64")),
        (4, ("scFv",), ("",), ("74",)),
    ],
)
def test_rows_hold_what_the_review_prints(table, dots, cells, references):
    for entry, dot, cell, reference in zip(search(table=table), dots, cells, references, strict=True):
        assert dot in entry.dot
        assert ", ".join(entry.cell_lines) == cell
        assert f"reference {reference}" in entry.citation
        assert entry.mark == "quoted"


def test_patents_are_as_printed():
    assert [(entry.patent, entry.year) for entry in search(kind="patent")] == list(PATENTS)
    assert all(entry.assignee and entry.table == 5 for entry in search(kind="patent"))


@pytest.mark.parametrize("name", catalogue.FILES)
def test_every_row_has_its_citation_and_a_mark(name):
    text = resources.files("lampyris.probe").joinpath("data", "catalogue", f"{name}.csv").read_text("utf-8")
    rows = list(csv.DictReader(line for line in text.splitlines() if not line.startswith("#")))
    assert rows
    for row in rows:
        assert None not in row, row
        assert len(row["citation"]) > 8
        assert row["mark"] in MARKS
        # a number without any source is never more than unverified
        assert ("no source was read" in row["citation"]) == (row["mark"] == "unseen")


def test_dyes_for_comparison_are_there():
    names = " ".join(entry.dot for entry in search(kind="dye"))
    assert all(dye in names for dye in ("ICG", "IRDye 800CW", "Cy5.5", "Cy7", "Alexa Fluor 750"))
    icg = [entry for entry in search(kind="dye", text="IR-125") if entry.quantum_yield > 0]
    # Rurack & Spieles 2011
    assert [(entry.quantum_yield, entry.mark) for entry in icg] == [(0.132, "abstract")]


def test_the_first_paper_has_its_dot_and_dye_arms():
    found = search(text="traore")
    assert {entry.kind for entry in found} == {"dot", "dye", "finding"}
    assert [entry.quantum_yield for entry in found if entry.emission_nm == 810] == [0.426]


@pytest.mark.parametrize(
    ("conditions", "dots"),
    [
        ({"cancer": "Breast Cancer", "table": 2, "target": "mtor"}, ["QD-mTOR"]),
        ({"cancer": "colon"}, ["multiplexed dots"]),
        ({"target": "c-erbB-2", "table": 2, "text": "SIMPLE automated"}, ["antibody-conjugated dots on tissue (QDs-IHC)"]),
        ({"band_nm": (600, 610), "table": 1}, ["QD605"]),
        ({"band_nm": (605, 605), "kind": "dot", "cancer": "ovarian"}, ["QD605"]),
        ({"cancer": "prostate", "kind": "dye"}, []),
        ({"text": "InAs", "target": "RGD"}, ["QD800-RGD (InAs/InP/ZnSe)"]),
    ],
)  # fmt: skip
def test_search(conditions, dots):
    assert [entry.dot for entry in search(**conditions)] == dots


def test_without_conditions_everything_is_found():
    assert search() == entries()
    assert search(band_nm=(200, 2000)) == tuple(one for one in entries() if not math.isnan(one.emission_nm))


@pytest.mark.parametrize(
    ("conditions", "said"),
    [
        ({"cancer": "brest"}, ["--cancer", "brest", "Did you mean breast?", *cancers()]),
        ({"cancer": "lung"}, ["There are: breast", "prostate"]),
        ({"target": "HER3"}, ["Did you mean HER2", *targets()]),
        ({"table": 6}, ["--table", "no table 6", "5, patents"]),
        ({"kind": "probe"}, ["--kind", "dot, assay, patent, dye, finding"]),
        ({"band_nm": (900, 700)}, ["--band", "900 to 700", "700-900"]),
        ({"band_nm": (math.nan, 700)}, ["--band"]),
        ({"cancer": "lungs", "target": "HER9", "kind": "x"}, ["lungs", "HER9", "'x'"]),
    ],
)
def test_names_that_are_not_there(conditions, said):
    with pytest.raises(UsageError) as caught:
        search(**conditions)
    assert all(part in str(caught.value) for part in said)


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "thing"},
        {"table": 7},
        {"mark": "sure"},
        {"citation": ""},
        {"emission_nm": 8.1},
        {"quantum_yield": 42.6},
    ],
)
def test_an_entry_is_checked(change):
    first = entries()[0]
    fields = {name: getattr(first, name) for name in Entry.__slots__} | change
    with pytest.raises(ValueError, match=r"got|needs"):
        Entry(**fields)
