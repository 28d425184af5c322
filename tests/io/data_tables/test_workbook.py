"""Workbooks: values, and what stands beside them - hidden rows, failed formulas, merged cells, several sheets."""

import csv
import datetime
import importlib.util
import io
import re
import zipfile
from pathlib import Path

import openpyxl
import pytest

from lampyris.core.errors import InputError
from lampyris.io.data_tables import read_table
from lampyris.io.data_tables import workbook as workbooks

HERE = Path(__file__).parent
spec = importlib.util.spec_from_file_location("table_files", HERE / "table_files.py")
files = importlib.util.module_from_spec(spec)
spec.loader.exec_module(files)

ROWS = [
    ["animal", "group", "w", "day"],
    ["m1", "dots", 1.5, datetime.date(2026, 3, 9)],
    ["m2", "dots", 2, datetime.datetime(2026, 3, 9, 14, 30)],
    ["m3", "dye", 0.25, None],
    ["m4", "dye", 3e-7, None],
]


def book(path, rows=ROWS, *, change=None, **sheets):
    made = openpyxl.Workbook()
    page = made.active
    page.title = "Data"
    for row in rows:
        page.append(row)
    for name, held in sheets.items():
        other = made.create_sheet(name)
        for row in held:
            other.append(row)
    if change:
        change(made, page)
    made.save(path)
    return path


def rewritten(path, pattern, new):
    """The file with a change to its first sheet, as a spreadsheet program stores what openpyxl cannot."""
    parts = {}
    with zipfile.ZipFile(path) as source:
        parts = {name: source.read(name) for name in source.namelist()}
    sheet = "xl/worksheets/sheet1.xml"
    changed, count = re.subn(pattern, new, parts[sheet])
    assert count == 1
    parts[sheet] = changed
    path.write_bytes(files.archive(parts))
    return path


def test_a_sheet_is_read_with_its_rows_and_dates(tmp_path):
    found = read_table(book(tmp_path / "t.xlsx", [["My study"], [], *ROWS]))
    assert found.lines == (4, 5, 6, 7)
    assert found.columns["w"] == ("1.5", "2", "0.25", "3e-07")
    assert found.numbers("w").tolist() == [1.5, 2.0, 0.25, 3e-7]
    assert found.columns["day"] == ("2026-03-09", "2026-03-09 14:30:00", "", "")
    assert found.letters == ("A", "B", "C", "D")
    assert "read from sheet 'Data'" in found.notes
    assert any("'My study'" in note for note in found.notes)


def test_the_sheet_is_asked_for_where_several_hold_something(tmp_path):
    path = book(tmp_path / "t.xlsx", Other=[["a", "b"], [1, 2]])
    with pytest.raises(InputError, match="'Data', 'Other'"):
        read_table(path)
    assert read_table(path, sheet="other").columns == {"a": ("1",), "b": ("2",)}
    with pytest.raises(InputError, match="no sheet 'Third'"):
        read_table(path, sheet="Third")


def test_an_empty_or_hidden_sheet_does_not_ask(tmp_path):
    def hide(made, page):
        made["Old"].sheet_state = "hidden"

    path = book(tmp_path / "t.xlsx", change=hide, Empty=[], Old=[["a"], [1]])
    assert len(read_table(path)) == 4
    assert read_table(path, sheet="Old").columns == {"a": ("1",)}


def test_hidden_rows_are_read_and_told(tmp_path):
    def hide(made, page):
        page.row_dimensions[3].hidden = True
        page.column_dimensions["B"].hidden = True

    found = read_table(book(tmp_path / "t.xlsx", change=hide))
    assert len(found) == 4
    assert any("1 hidden rows are read like all others (3)" in note for note in found.notes)
    assert any("hidden columns are read like all others: B" in note for note in found.notes)


@pytest.mark.parametrize(
    ("stored", "said"),
    [
        (b'<c r="C3" t="e"><f>1/0</f><v>#DIV/0!</v></c>', "#DIV/0!"),
        (b'<c r="C3" t="e"><v>#REF!</v></c>', "#REF!"),
        (b'<c r="C3"><f>SUM(A1:A2)</f></c>', "no result"),
    ],
)
def test_a_failed_formula_is_named_by_its_cell_where_it_is_needed(tmp_path, stored, said):
    path = rewritten(book(tmp_path / "t.xlsx"), rb'<c r="C3"[^>]*><v>2</v></c>', stored)
    found = read_table(path)
    assert found.words("group") == ("dots", "dots", "dye", "dye")
    with pytest.raises(InputError) as caught:
        found.numbers("w")
    (finding,) = caught.value.findings
    assert "cell C3" in finding.seen
    assert said in finding.seen
    assert (finding.place.row, finding.place.column) == (3, "w")


def test_a_stored_result_of_a_formula_is_read(tmp_path):
    path = rewritten(book(tmp_path / "t.xlsx"), rb'<c r="C3"[^>]*><v>2</v></c>', b'<c r="C3"><f>1+6</f><v>7</v></c>')
    assert read_table(path).numbers("w")[1] == 7


@pytest.mark.parametrize(("cells", "refused"), [("A1:B1", True), ("B2:B3", True), ("A1:D1", True)])
def test_merged_cells_of_header_and_rows_are_refused(tmp_path, cells, refused):
    with pytest.raises(InputError, match=f"cells {cells} are merged"):
        read_table(book(tmp_path / "t.xlsx", change=lambda made, page: page.merge_cells(cells)))


def test_a_merged_title_is_passed_over(tmp_path):
    path = book(tmp_path / "t.xlsx", [["My study"], *ROWS], change=lambda made, page: page.merge_cells("A1:D1"))
    assert len(read_table(path)) == 4


def test_open_document(tmp_path):
    rows = [["animal", "w"], ["m1", 1.5], ["m2", 2], ["m3", "#DIV/0!"]]
    (tmp_path / "t.ods").write_bytes(files.ods(rows, hidden=3))
    found = read_table(tmp_path / "t.ods")
    assert found.columns["animal"] == ("m1", "m2", "m3")
    assert found.columns["w"][:2] == ("1.5", "2")
    assert any("hidden rows" in note for note in found.notes)
    with pytest.raises(InputError, match="cell B4, '#DIV/0!'"):
        found.numbers("w")


def test_old_excel_against_its_csv():
    """A real .xls of another package beside the CSV that it publishes; the note tells what .xls hides."""
    package = importlib.util.find_spec("statsmodels")
    folder = Path(package.origin).parent / "datasets" / "macrodata"
    path = next((one for one in folder.rglob("macrodata.xls") if one.is_file()), None)
    if path is None:
        pytest.skip("this build of statsmodels holds no .xls")
    found = read_table(path, sheet="Quarterly")
    assert "xls" in " ".join(found.notes)
    with (folder / "macrodata.csv").open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    since = [k for k, date in enumerate(found.columns["DATE"]) if date >= "1959-01-01"][: len(rows)]
    # the spreadsheet holds one digit more than the CSV prints
    assert found.numbers("GDPC96")[since] == pytest.approx([float(row["realgdp"]) for row in rows], abs=5e-3)


def test_a_sheet_that_reaches_to_the_end_of_the_world_is_refused(tmp_path):
    path = rewritten(book(tmp_path / "t.xlsx"), rb'r="D3"', b'r="XFD1048576"')
    text = path.read_bytes()
    path.write_bytes(text)
    with zipfile.ZipFile(path) as source:
        parts = {name: source.read(name) for name in source.namelist()}
    parts["xl/worksheets/sheet1.xml"] = parts["xl/worksheets/sheet1.xml"].replace(b'<row r="3"', b'<row r="1048576"')
    path.write_bytes(files.archive(parts))
    with pytest.raises(InputError, match="more than"):
        read_table(path)


def test_a_bomb_is_not_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr(workbooks, "MAX_EXPANDED_BYTES", 1000)
    with pytest.raises(InputError, match="unpacks to"):
        read_table(book(tmp_path / "t.xlsx"))


def test_a_document_type_is_refused(tmp_path):
    with zipfile.ZipFile(io.BytesIO(book(tmp_path / "t.xlsx").read_bytes())) as source:
        parts = {name: source.read(name) for name in source.namelist()}
    sheet = parts["xl/worksheets/sheet1.xml"]
    parts["xl/worksheets/sheet1.xml"] = b'<!DOCTYPE a [<!ENTITY b "c">]>' + sheet
    (tmp_path / "t.xlsx").write_bytes(files.archive(parts))
    with pytest.raises(InputError, match="document type"):
        read_table(tmp_path / "t.xlsx")


def test_something_else_in_an_archive_is_refused(tmp_path):
    (tmp_path / "t.xlsx").write_bytes(files.archive({"a.txt": "hello"}))
    with pytest.raises(InputError, match="workbook"):
        read_table(tmp_path / "t.xlsx")
