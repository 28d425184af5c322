"""A column per group becomes a row per value."""

import pytest

from lampyris.core.errors import InputError
from lampyris.io.data_tables import DataTable, long_form


def wide(lines=(2, 3), **columns):
    cells = {name.replace("_", " "): tuple(held) for name, held in columns.items()}
    return DataTable("w.csv", cells, tuple(lines), titles=tuple(cells))


def test_empty_cells_make_no_row_and_are_counted():
    found = long_form(wide(control=("1", "2"), dots=("3", "")))
    assert found.columns == {"group": ("control", "control", "dots"), "value": ("1", "2", "3")}
    assert found.lines == (2, 3, 2)
    assert any("1 empty cells" in note for note in found.notes)


def test_subjects_of_rows_are_kept():
    found = long_form(wide(animal=("m1", "m2"), before=("1", "2"), after=("3", "4")), keep=("animal",))
    assert found.columns["animal"] == ("m1", "m2", "m1", "m2")


def test_columns_of_one_title_are_one_group():
    table = DataTable("w.csv", {"A": ("1",), "A (2)": ("2",), "B": ("3",)}, (2,), titles=("A", "A", "B"))
    assert long_form(table).columns["group"] == ("A", "A", "B")
    assert long_form(table, columns=("A", "B")).columns["value"] == ("1", "2", "3")


def test_columns_that_are_no_groups_are_told():
    found = long_form(wide(comment=("ok", "late"), a=("1", "2"), b=("<0.5", "4")))
    assert found.columns["value"] == ("1", "2", "<0.5", "4")
    assert any("left out" in note and "comment" in note for note in found.notes)


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"a": ("1", "2"), "b": ("x", "y")}, "1 of its columns"),
        ({"a": ("1", "2"), "b": ("3", "4"), "animal": ("1", "2")}, "looks like the number of an animal"),
        (
            {"a": ("5", "2", "1", "1"), "b": ("3", "4", "1", "1"), "plate": ("1", "2", "3", "4")},
            "looks like the number",
        ),
    ],
)
def test_what_is_not_wide_is_refused(columns, said):
    with pytest.raises(InputError, match=said):
        long_form(wide(tuple(range(2, 2 + len(columns["a"]))), **columns))


def test_text_among_numbers_is_refused_by_cell():
    with pytest.raises(InputError) as caught:
        long_form(wide((2, 3, 4), a=("1", "2", "3"), b=("4", "low", "5")))
    assert [(one.place.row, one.place.column) for one in caught.value.findings] == [(3, "b")]


def test_numbers_without_a_name_are_refused():
    table = DataTable("w.csv", {"A": ("1",), "column B": ("2",), "C": ("3",)}, (2,), titles=("A", "", "C"))
    with pytest.raises(InputError, match="has no name"):
        long_form(table)
    assert long_form(table, columns=("A", "C")).columns["group"] == ("A", "C")
