"""Measurement tables and drawn regions of Living Image, as they come out of the program and of spreadsheets."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lampyris.core.errors import ImageError, InputError
from lampyris.core.images import RawImage
from lampyris.core.regions import DrawnRegion
from lampyris.io.images.conformance import check_text_reader
from lampyris.io.images.ivis.writer import click_files
from lampyris.io.regions.living_image import read_drawn_regions, read_roi_table

HEADER = (
    "Image Number", "ROI", "Image Layer", "Total Flux [p/s]", "Avg Radiance [p/s/cm²/sr]", "Stdev Radiance",
    "Min Radiance", "Max Radiance", "ROI Label", "Experiment",
)  # fmt: skip
ROWS = (
    ("KQ20261125_001", "ROI 1", "Overlay", "1.25E+07", "3.5E+04", "120.5", "-10", "9.0E+04", "liver", "Größe 7"),
    ("KQ20261125_001", "ROI 2", "Overlay", "2.5E+06", "", "N/A", "0", "1", "", ""),
)


def table(separator: str = "\t", *, comma: bool = False, squared: str = "²", end: str = "\r\n") -> str:
    rows = [
        [cell.replace(".", ",") if comma and 3 <= number <= 7 else cell for number, cell in enumerate(row)]
        for row in ROWS
    ]
    header = [
        cell.replace("²", squared).replace("Stdev Radiance", f"Stdev Radiance [p/s/cm{squared}/sr]") for cell in HEADER
    ]
    return end.join(separator.join(row) for row in [header, *rows]) + end


def read(tmp_path: Path, text: str, encoding: str = "cp1252") -> Any:
    (tmp_path / "Measurements 1.txt").write_bytes(text.encode(encoding))
    return read_roi_table(tmp_path / "Measurements 1.txt")


@pytest.mark.parametrize("encoding", ["cp1252", "utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("squared", ["²", "?", "_", "2", "^2"])
@pytest.mark.parametrize(("separator", "comma"), [("\t", False), ("\t", True), (",", False), (";", True), (";", False)])
def test_every_guise_gives_the_same(tmp_path: Path, encoding: str, squared: str, separator: str, comma: bool) -> None:
    one, two = read(tmp_path, table(separator, comma=comma, squared=squared), encoding)
    assert (one.image, one.region, one.layer, one.label, one.experiment) == (
        "KQ20261125_001", "ROI 1", "Overlay", "liver", "Größe 7",
    )  # fmt: skip
    assert one.total_flux_4pi_ph_per_s == 1.25e7
    assert one.mean_radiance_ph_per_s_cm2_sr == 3.5e4
    assert one.sd_radiance_ph_per_s_cm2_sr == 120.5
    assert (one.min_radiance_ph_per_s_cm2_sr, one.max_radiance_ph_per_s_cm2_sr) == (-10, 9e4)
    assert math.isnan(two.mean_radiance_ph_per_s_cm2_sr)
    assert math.isnan(two.sd_radiance_ph_per_s_cm2_sr)


def test_the_lost_sign_may_be_one_replacement_character(tmp_path: Path) -> None:
    assert len(read(tmp_path, table(squared="�"), "utf-8")) == 2


def test_lines_before_the_header_and_empty_ones(tmp_path: Path) -> None:
    rows = read(tmp_path, "Living Image\r\n\r\n" + table() + "\r\n\t\t\r\n")
    assert [row.row for row in rows] == [4, 5]


def test_quoted_cells(tmp_path: Path) -> None:
    (row,) = read(tmp_path, '"ROI","Total Flux [p/s]","ROI Label"\n"ROI 1","5","left, hind"\n')
    assert (row.label, row.total_flux_4pi_ph_per_s) == ("left, hind", 5)


REFUSED: dict[str, tuple[str, list[tuple[str, int | None]]]] = {
    "empty": ("", [("table.header", None)]),
    "another table": ("a,b\n1,2\n", [("table.header", None)]),
    "counts": ("ROI\tTotal Flux [counts]\nROI 1\t5\n", [("table.unit", 1)]),
    "efficiency": ("ROI\tTotal Flux [p/s]\tAvg Radiance [p/s/sr]\nROI 1\t5\t6\n", [("table.unit", 1)]),
    "words": ("ROI\tTotal Flux [p/s]\nROI 1\tmany\nROI 2\t1.2.3\n", [("table.number", 2), ("table.number", 3)]),
    "too large": ("ROI\tTotal Flux [p/s]\nROI 1\t1e999\n", [("table.number", 2)]),
    "comma twice": ("ROI,Total Flux [p/s]\nROI 1,3,5E+04\n", [("table.cells", 2)]),
    "both signs": ("ROI\tTotal Flux [p/s]\nROI 1\t1,234\nROI 2\t1.5\n", [("table.decimal", 2)]),
}


@pytest.mark.parametrize("name", REFUSED)
def test_all_faults_are_told_at_once(tmp_path: Path, name: str) -> None:
    text, expected = REFUSED[name]
    with pytest.raises(InputError) as caught:
        read(tmp_path, text)
    assert [(finding.rule, finding.place.row) for finding in caught.value.findings] == expected
    assert all(finding.place.file == "Measurements 1.txt" and finding.mend for finding in caught.value.findings)


def test_a_table_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="cannot be opened"):
        read_roi_table(tmp_path / "gone.txt")


@pytest.mark.parametrize("text", [table(), table(";", comma=True)], ids=["tab", "semicolon"])
def test_the_table_reader_conforms(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.txt").write_bytes(text.encode("cp1252"))
    report = check_text_reader(read_roi_table, tmp_path / "a.txt", seed=1)
    assert report.passed, str(report)


# drawn regions

IMAGE = RawImage(np.ones((1, 8, 8), np.uint16), ("780",), 1.0, (1.0,), (675.0,), (780.0,), synthetic=True)
SQUARE = "ROI 1:zColorIndex=1;ROI Type=Measurement;Shape=Square;Xc=16;Yc=8;Width=8;Height=4;Angle=0;Label=liver;cm per pixel=0.01;"
CIRCLE = "ROI 2:Shape=Circle;Xc=16;Yc=16;Width=8;Height=8;Angle=30;Label=;"


def click(root: Path, *regions: str, binning: int = 4) -> Path:
    text = "\r\n".join(["*** ROIs:", *regions, "*** Other:", "Key:\tvalue", ""])
    for path, data in click_files(IMAGE, name="c", binning=binning).items():
        (root / path).parent.mkdir(exist_ok=True)
        (root / path).write_bytes(data)
    (root / "c" / "ANALYZEDClickInfo.txt").write_bytes(text.encode("cp1252"))
    return root / "c"


def test_square_in_binned_pixels(tmp_path: Path) -> None:
    (region,) = read_drawn_regions(click(tmp_path, SQUARE), file="raw/c")
    # from 6 to 10 unbinned rows, 12 to 20 columns; a binned pixel's centre is half a pixel from its edge
    corners = ((1.0, 2.5), (1.0, 4.5), (2.0, 4.5), (2.0, 2.5))
    assert region == DrawnRegion("ROI 1", "liver", "raw/c/luminescent.TIF", corners, "square")


def test_turned_square(tmp_path: Path) -> None:
    (region,) = read_drawn_regions(click(tmp_path, SQUARE.replace("Angle=0", "Angle=90"), binning=1))
    rows, columns = np.ptp(np.array(region.outline_px), axis=0)
    # rounding of a cosine of 90 degrees
    assert (rows, columns) == (pytest.approx(8, abs=1e-9), pytest.approx(4, abs=1e-9))


def test_circle_keeps_its_radius_when_turned(tmp_path: Path) -> None:
    _, region = read_drawn_regions(click(tmp_path, SQUARE, CIRCLE))
    assert region.kind == "ellipse"
    radii = np.hypot(*(np.array(region.outline_px) - (3.5, 3.5)).T)
    # rounding of sines
    np.testing.assert_allclose(radii, 1.0, rtol=1e-12)


def test_a_click_without_regions(tmp_path: Path) -> None:
    assert read_drawn_regions(click(tmp_path)) == ()
    (tmp_path / "c" / "ANALYZEDClickInfo.txt").unlink()
    assert read_drawn_regions(tmp_path / "c") == ()


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("Square", "Contour", "shape 'Contour'"),
        ("Shape=Square;", "", "shape ''"),
        ("Width=8", "Width=0", "'0' for width"),
        ("Xc=16", "Xc=1e9", "'1e9' for xc"),
        ("Xc=16;", "", "'' for xc"),
        ("Angle=0", "Angle=up", "'up' for angle"),
    ],
)
def test_shapes_that_cannot_be_drawn_are_told_at_once(tmp_path: Path, old: str, new: str, words: str) -> None:
    with pytest.raises(InputError) as caught:
        read_drawn_regions(click(tmp_path, SQUARE.replace(old, new), CIRCLE, "ROI 3:Shape=Grid"), file="raw/c")
    one, two = caught.value.findings
    assert words in one.seen
    assert (one.place.file, one.place.column) == ("raw/c/ANALYZEDClickInfo.txt", "ROI 1")
    assert "'Grid'" in two.seen


def test_the_region_reader_conforms(tmp_path: Path) -> None:
    report = check_text_reader(read_drawn_regions, click(tmp_path, SQUARE, CIRCLE), seed=1)
    assert report.passed, str(report)
