"""Sheets: each fault with its row, column and mend, all at once; written sheets read back the same."""

import math
from dataclasses import asdict, astuple, replace
from pathlib import Path

import pytest

from lampyris.core.errors import InputError
from lampyris.core.finding import Finding, Severity
from lampyris.core.schemas import ANIMALS, SAMPLESHEET, AnimalRow, SampleRow
from lampyris.io.sheets import raise_errors, read_sheet, write_sheet

HEADER = (
    "animal,session,day,date,group,view,channel,excitation_nm,emission_nm,exposure_s,image,photo,background,probe,lot"
)
ROW = "m01,d07,7,2025-03-09,targeted,dorsal,800,660,800,0.5,raw/a.tif,,raw/dark.tif,dot,L1"
SHEET = f"{HEADER}\n{ROW}\n"


def sample(tmp_path: Path, text: str | bytes) -> tuple[tuple[SampleRow, ...], tuple[Finding, ...]]:
    path = tmp_path / "samplesheet.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_sheet(path, SAMPLESHEET, SampleRow)


def with_cell(column: str, value: str, separator: str = ",") -> str:
    cells = ROW.split(",")
    cells[HEADER.split(",").index(column)] = value
    return HEADER.replace(",", separator) + "\n" + separator.join(cells) + "\n"


EXPECTED = SampleRow(
    2, "m01", "d07", 7.0, "2025-03-09", "targeted", "dorsal", "800", 660.0, 800.0, 0.5, "raw/a.tif", "", "raw/dark.tif",
    "dot", "L1",
)  # fmt: skip

GOOD: dict[str, str | bytes] = {
    "comma": SHEET,
    "tab": SHEET.replace(",", "\t"),
    "semicolon with decimal comma": SHEET.replace(",", ";").replace("0.5", "0,5"),
    "semicolon with decimal point": SHEET.replace(",", ";"),
    "byte order mark": b"\xef\xbb\xbf" + SHEET.encode(),
    "windows line ends": SHEET.replace("\n", "\r\n"),
    "old mac line ends": SHEET.replace("\n", "\r"),
    "no last line end": SHEET.rstrip(),
    "quoted": SHEET.replace("targeted", '"targeted"').replace("animal", '"animal"'),
    "spaces": SHEET.replace(",", " , "),
    "empty columns at the end": SHEET.replace("\n", ",,\n"),
    "blank lines at the end": SHEET + "\n,,,,\n",
}


@pytest.mark.parametrize("text", GOOD.values(), ids=GOOD.keys())
def test_every_common_form_reads_the_same(tmp_path: Path, text: str | bytes) -> None:
    rows, findings = sample(tmp_path, text)
    assert findings == ()
    assert rows == (EXPECTED,)


def test_separator_line_shifts_rows(tmp_path: Path) -> None:
    rows, findings = sample(tmp_path, "sep=;\n" + SHEET.replace(",", ";"))
    assert findings == ()
    assert rows == (replace(EXPECTED, row=3),)


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be"])
def test_utf16_is_read_with_a_warning(tmp_path: Path, codec: str) -> None:
    text = SHEET.replace("targeted", "Grün")
    rows, (finding,) = sample(tmp_path, ("\ufeff" + text).encode(codec))
    assert rows[0].group == "Grün"
    assert finding.severity is Severity.WARNING
    assert "UTF-16" in finding.seen


def test_other_encodings_are_named_with_their_row(tmp_path: Path) -> None:
    _, (finding,) = sample(tmp_path, SHEET.replace("targeted", "Grün").encode("cp1252"))
    assert (finding.place.row, finding.severity) == (2, Severity.ERROR)
    assert "Windows-1252" in finding.seen
    assert "Grün" in finding.seen
    _, (finding,) = sample(tmp_path, SHEET.encode() + b"\x81\n")
    assert finding.rule == "sheet.encoding"
    _, (finding,) = sample(tmp_path, SHEET.encode("utf-16-le"))
    assert finding.rule == "sheet.encoding"
    _, (finding,) = sample(tmp_path, b"\xff\xfea")
    assert finding.rule == "sheet.encoding"


# column, cell, rule, words of the message
CELLS = {
    "empty": ("animal", " ", "sheet.empty-cell", "Fill in animal"),
    "word": ("day", "seven", "sheet.number", "12.5"),
    "unit in cell": ("exposure_s", "5 s", "sheet.number", "number alone"),
    "decimal comma": ("exposure_s", '"12,5"', "sheet.number", "12.5"),
    "thousands": ("excitation_nm", '"1,660.5"', "sheet.number", "thousands"),
    "not available": ("day", "n/a", "sheet.number", "Fill in"),
    "nan": ("day", "nan", "sheet.number", "no number"),
    "infinite": ("day", "1e999", "sheet.number", "no number"),
    "underscore": ("day", "1_0", "sheet.number", "no number"),
    "other digits": ("day", "٣", "sheet.number", "no number"),
    "hexadecimal": ("day", "0x10", "sheet.number", "no number"),
    "micrometres": ("emission_nm", "0.81", "sheet.out-of-bounds", "micrometres: write 810"),
    "ångström": ("emission_nm", "8100", "sheet.out-of-bounds", "write 810"),
    "metres": ("emission_nm", "8.1e-7", "sheet.out-of-bounds", "metres: write 810"),
    "microseconds": ("exposure_s", "500000", "sheet.out-of-bounds", "write 500"),
    "negative": ("day", "-1", "sheet.out-of-bounds", "0 to 10000"),
    "choice": ("view", "Dorsal", "sheet.choice", "Did you mean dorsal?"),
    "far choice": ("view", "left", "sheet.choice", "dorsal, ventral"),
    "day first": ("date", "09/03/2025", "sheet.date", "2025-03-09"),
    "no such day": ("date", "2025-02-30", "sheet.date", "no date"),
    "week date": ("date", "2025-W10-1", "sheet.date", "no date"),
    "slash in name": ("animal", "a/b", "sheet.name", "slash"),
    "dots as name": ("session", "..", "sheet.name", "own name"),
    "hidden mark": ("animal", "m01\u202e", "sheet.name", "invisible"),
    "long name": ("animal", "ä" * 101, "sheet.name", "200 bytes"),
    "NUL": ("lot", "a\0b", "sheet.control-character", "U+0000"),
    "line end in cell": ("lot", '"a\nb"', "sheet.control-character", "U+000A"),
    "path out": ("image", "../a.tif", "path.refused", "climbs out"),
    "absolute path": ("background", "/dark.tif", "path.refused", "absolute"),
    "backslash": ("photo", "raw\\photo.tif", "path.refused", "backslash"),
}


@pytest.mark.parametrize(("column", "cell", "rule", "words"), CELLS.values(), ids=CELLS.keys())
def test_faulty_cell_has_place_and_mend(tmp_path: Path, column: str, cell: str, rule: str, words: str) -> None:
    rows, (finding,) = sample(tmp_path, with_cell(column, cell))
    assert rows == ()
    assert (finding.rule, finding.severity) == (rule, Severity.ERROR)
    assert (finding.place.file, finding.place.row, finding.place.column) == ("samplesheet.csv", 2, column)
    assert words in str(finding)
    assert finding.mend


@pytest.mark.parametrize("date", ["2025-03-09", "2025-03-09T14:30", "2025-03-09 14:30:15", "2025-03-09T14:30:15.5+01:00", ""])  # fmt: skip
def test_dates_are_kept_as_written(tmp_path: Path, date: str) -> None:
    (row,), findings = sample(tmp_path, with_cell("date", date))
    assert (row.date, findings) == (date, ())


def test_very_long_exposure_is_taken_for_milliseconds(tmp_path: Path) -> None:
    (row,), (finding,) = sample(tmp_path, with_cell("exposure_s", "5000"))
    assert row.exposure_s == 5000.0
    assert (finding.severity, finding.place.column) == (Severity.WARNING, "exposure_s")
    assert "milliseconds" in finding.seen
    assert "Write 5 " in finding.mend


def test_points_beside_decimal_commas_are_refused(tmp_path: Path) -> None:
    text = with_cell("exposure_s", "0,5", ";") + ROW.replace(",", ";").replace("0.5", "1.500") + "\n"
    _, (finding,) = sample(tmp_path, text)
    assert (finding.rule, finding.place.row, finding.place.column) == ("sheet.mixed-decimals", 3, "exposure_s")


def header_faults(tmp_path: Path, old: str, new: str) -> dict[str, Finding]:
    _, findings = sample(tmp_path, SHEET.replace(old, new))
    assert {finding.place.row for finding in findings} == {1}
    return {finding.rule: finding for finding in findings}


def test_unknown_and_missing_columns(tmp_path: Path) -> None:
    found = header_faults(tmp_path, "exposure_s", "exposure_ms")
    assert set(found) == {"sheet.unknown-column", "sheet.missing-column"}
    assert found["sheet.unknown-column"].mend == "Did you mean exposure_s?"
    assert found["sheet.missing-column"].place.column == "exposure_s"
    found = header_faults(tmp_path, "lot\n", "zzz\n")
    assert "known are animal, session" in found["sheet.unknown-column"].mend


def test_doubled_column(tmp_path: Path) -> None:
    found = header_faults(tmp_path, "lot\n", "probe\n")
    assert found["sheet.doubled-column"].place.column == "probe"


def test_optional_column_may_be_absent(tmp_path: Path) -> None:
    (row,), findings = sample(tmp_path, SHEET.replace(",lot\n", "\n").replace(",L1\n", "\n"))
    assert (row.lot, findings) == ("", ())


def test_headless_sheet_says_so(tmp_path: Path) -> None:
    rows, (finding,) = sample(tmp_path, ROW + "\n" + ROW + "\n")
    assert (rows, finding.rule, finding.place.row) == ((), "sheet.header", 1)


def test_ragged_rows(tmp_path: Path) -> None:
    text = SHEET + "m02,d07\n" + ROW + ",extra\n" + ROW + ",,\n"
    rows, findings = sample(tmp_path, text)
    assert [row.row for row in rows] == [2, 5]
    assert [(finding.rule, finding.place.row) for finding in findings] == [("sheet.ragged", 3), ("sheet.ragged", 4)]
    assert "'extra'" in findings[1].seen


@pytest.mark.parametrize("text", ["", "\n\n", HEADER, b"\xef\xbb\xbf"])
def test_empty_sheet(tmp_path: Path, text: str | bytes) -> None:
    rows, (finding,) = sample(tmp_path, text)
    assert (rows, finding.rule) == ((), "sheet.empty")


def test_open_quote(tmp_path: Path) -> None:
    rows, findings = sample(tmp_path, SHEET + ROW.replace("L1", '"L1'))
    assert len(rows) == 1
    assert [(finding.rule, finding.place.row) for finding in findings] == [("sheet.quotes", 3)]


def test_missing_sheet(tmp_path: Path) -> None:
    rows, (finding,) = read_sheet(tmp_path / "samplesheet.csv", SAMPLESHEET, SampleRow)
    assert (rows, finding.rule, finding.place.file) == ((), "sheet.missing", "samplesheet.csv")


def test_rows_are_lines_of_an_editor(tmp_path: Path) -> None:
    text = SHEET + "\n" + ROW.replace("L1", '"a\nb"') + "\n" + ROW.replace("dorsal", "above") + "\n"
    _, findings = sample(tmp_path, text)
    assert [finding.place.row for finding in findings] == [4, 6]


def test_all_faults_come_at_once(tmp_path: Path) -> None:
    bad = "m01/,d07,x,2025,targeted,top,800,0.66,800,,,,/dark.tif,dot,L1\n"
    rows, findings = sample(tmp_path, SHEET + bad + ROW.replace("m01", "") + "\n")
    assert len(rows) == 1
    assert [(finding.place.row, finding.place.column) for finding in findings] == [
        (3, column)
        for column in ["animal", "day", "date", "view", "excitation_nm", "exposure_s", "image", "background"]
    ] + [(4, "animal")]
    with pytest.raises(InputError) as caught:
        raise_errors(findings, error=InputError, message="samplesheet.csv has faults.")
    assert caught.value.findings == findings


def test_warnings_raise_nothing(tmp_path: Path) -> None:
    _, findings = sample(tmp_path, with_cell("exposure_s", "5000"))
    assert len(findings) == 1
    raise_errors(findings, error=InputError, message="")


ANIMAL = AnimalRow(
    2, "m01", "targeted", "=1+1", "female", 24.5, "'-c", "tail vein", "", 1e6, True, "died, early", "A. B.", "2025-03-09"
)  # fmt: skip


def test_animals_sheet_reads_back_what_was_written(tmp_path: Path) -> None:
    other = replace(
        ANIMAL, row=3, animal="µ@", strain="@x", weight_g=math.nan, labelled_cells=0.1 + 0.2, excluded=False
    )
    write_sheet(tmp_path / "animals.csv", ANIMALS, [ANIMAL, other])
    text = (tmp_path / "animals.csv").read_bytes().decode()
    assert "'=1+1" in text
    assert ",1000000," in text
    assert "0.30000000000000004" in text
    rows, findings = read_sheet(tmp_path / "animals.csv", ANIMALS, AnimalRow)
    assert findings == ()
    assert rows[0] == ANIMAL
    # NaN differs from itself; its text does not
    assert repr(astuple(rows[1])) == repr(astuple(other))


def test_samplesheet_reads_back_what_was_written(tmp_path: Path) -> None:
    write_sheet(tmp_path / "samplesheet.csv", SAMPLESHEET, [EXPECTED])
    assert read_sheet(tmp_path / "samplesheet.csv", SAMPLESHEET, SampleRow) == ((EXPECTED,), ())
    assert asdict(EXPECTED)["row"] == 2


@pytest.mark.parametrize(
    ("column", "value", "rule"),
    [("weight_g", "0.0245", "sheet.out-of-bounds"), ("excluded", "1", "sheet.flag"), ("inoculation", "tail_vein", "sheet.choice")],
)  # fmt: skip
def test_animal_faults(tmp_path: Path, column: str, value: str, rule: str) -> None:
    (tmp_path / "animals.csv").write_text(f"animal,group,{column}\nm01,a,{value}\n")
    _, (finding,) = read_sheet(tmp_path / "animals.csv", ANIMALS, AnimalRow)
    assert (finding.rule, finding.place.row, finding.place.column) == (rule, 2, column)
    expected = {"weight_g": "24.5", "excluded": "yes or no", "inoculation": "Did you mean tail vein?"}
    assert expected[column] in finding.mend
