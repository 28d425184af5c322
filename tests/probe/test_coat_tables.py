"""Tables of coat and hazard: every row has its source, its mark and numbers that can be."""

import pytest

from lampyris.core.sourced import MARKS
from lampyris.probe.tables import row_named, table_rows

TABLES = (
    "coats.csv", "ligands.csv", "hamaker.csv", "elements.csv", "compositions.csv", "dissolution.csv", "toxic_doses.csv",
    "dose_responses.csv", "dot_responses.csv", "observed_doses.csv", "species.csv", "alternatives.csv",
)  # fmt: skip


@pytest.mark.parametrize("name", TABLES)
def test_rows_have_source_and_mark(name):
    rows = table_rows(name)
    assert rows
    for row in rows:
        assert row["source"] and row["mark"] in MARKS, row
        assert None not in row and None not in row.values(), row


@pytest.mark.parametrize(
    "name, column", [("coats.csv", "name"), ("ligands.csv", "name"), ("compositions.csv", "material")]
)
def test_no_two_rows_share_a_name(name, column):
    rows = table_rows(name)
    assert len({row[column] for row in rows}) == len(rows)
    for row in rows:
        for word in (row[column], *filter(None, row.get("aliases", "").split(";"))):
            assert row_named(rows, word, column=column) is row, word


def test_bounds_of_active_shares_hold_the_middle():
    for row in table_rows("ligands.csv"):
        for kind in ("random", "oriented"):
            low, value, high = (float(row[f"active_{kind}{end}"]) for end in ("_low", "", "_high"))
            assert 0 <= low <= value <= high <= 1


def test_lethal_doses_and_responses_are_of_known_elements():
    known = {row["element"] for row in table_rows("elements.csv")}
    for name in ("toxic_doses.csv", "dose_responses.csv"):
        assert {row["element"] for row in table_rows(name)} <= known
