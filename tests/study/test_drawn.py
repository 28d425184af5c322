"""Regions drawn by hand in a study: tied to views by sheet, property, file name or image; measured; in table and report."""

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from cheap_curation import correct_by_pixel, follow_by_number, two_spots_step

from lampyris.core.images import RawImage
from lampyris.core.regions import DrawnRegion, TiedRegion
from lampyris.core.schemas import RegionRow, SampleRow
from lampyris.io.durable import sha256_file
from lampyris.io.images.ivis_writer import click_files
from lampyris.io.regions.geojson import geojson_text, read_geojson
from lampyris.study.assemble import load_results
from lampyris.study.check import check_study
from lampyris.study.drawn.gather import DrawnOn, gather_regions
from lampyris.study.drawn.task import measured_on, on_view
from lampyris.study.rules import Sheets
from lampyris.study.run import run_study

BOX = ((1.5, 1.5), (1.5, 4.5), (5.5, 4.5), (5.5, 1.5))


def region(name="ROI 1", outline=BOX, image="", **ties):
    return TiedRegion(DrawnRegion(name, "", image, outline, "polygon"), **ties)


def draw(study, *regions, file="regions/drawn.geojson"):
    path = study / file
    path.parent.mkdir(exist_ok=True)
    path.write_text(geojson_text(regions))


def sheet(study, *rows):
    lines = ["animal,session,view,file,name,meaning", *rows]
    (study / "regions.csv").write_text("\n".join(lines) + "\n")


def run(study, **options):
    steps = {"step": two_spots_step, "follow": follow_by_number, "correct": correct_by_pixel, "only": ("a1", "a2")}
    return run_study(study, workers=1, **{**steps, **options})


def hashes(study):
    results = study / "results"
    return {p.relative_to(results).as_posix(): sha256_file(p) for p in sorted(results.rglob("*")) if p.is_file()}


def table(study, name):
    with (study / "results/tables" / f"{name}.csv").open(newline="") as stream:
        return list(csv.DictReader(stream))


def test_measured_beside_what_was_detected(small_study):
    run(small_study)
    before = hashes(small_study)
    draw(small_study, region(animal="a1", session="d07", view="dorsal", meaning="tumour"))
    assert run(small_study).exit_code == 0
    (row,) = table(small_study, "regions")
    view = next(
        s for s in load_results(small_study / "results").sessions if (s.animal, s.session) == ("a1", "d07")
    ).views[0]
    light = view.radiance[:, 2:6, 2:5].astype(float).sum()
    assert (row["pixels"], row["meaning"], row["detections"], row["lesions"]) == ("12", "tumour", "1", "1")
    assert float(row["radiance"]) == pytest.approx(light / 12)
    # the detection's outline is one of the region's twelve pixels
    assert float(row["overlap"]) == pytest.approx(1 / 12)
    page = (small_study / "results/report.html").read_text()
    assert "Regions drawn by hand" in page and "tumour" in page
    (kept,) = read_geojson(small_study / "results/regions/regions.geojson")
    assert (kept.region.outline_px, kept.animal) == (BOX, "a1")
    crate = json.loads((small_study / "results/ro-crate-metadata.json").read_text())
    assert "regions/regions.geojson" in {entity["@id"] for entity in crate["@graph"]}
    (small_study / "regions/drawn.geojson").unlink()
    run(small_study)
    assert hashes(small_study) == before


def test_other_ways_to_say_the_view(small_study):
    draw(small_study, region(), file="regions/A1 d07-dorsal.geojson")
    draw(small_study, region(image="C:\\lab\\a2_d00.ome.tif"), file="regions/by-image.geojson")
    draw(small_study, region("one"), region("two"), file="regions/by-sheet.geojson")
    sheet(small_study, "a2,d07,dorsal,regions/by-sheet.geojson,two,liver")
    run(small_study)
    rows = [(row["animal"], row["session"], row["region"], row["meaning"]) for row in table(small_study, "regions")]
    assert sorted(rows) == [("a1", "d07", "ROI 1", ""), ("a2", "d00", "ROI 1", ""), ("a2", "d07", "two", "liver")]


def test_corrected_sessions_are_what_regions_are_compared_with(small_study):
    draw(small_study, region(animal="a1", session="d07", view="dorsal"))
    head = "animal,session,view,action,detection,y_mm,x_mm,reason,author,time"
    (small_study / "curation.csv").write_text(f"{head}\na1,d07,dorsal,reject,1,1,1,fur,B,2026-03-20\n")
    run(small_study)
    (row,) = table(small_study, "regions")
    assert (row["detections"], row["overlap"]) == ("", "0.0")


def test_turned_images():
    corner = ((1.0, 2.0),)
    shape = (5, 9)
    assert on_view(corner, "up", shape, (0, 1)) == ((1.0, 1.0),)
    assert on_view(corner, "down", shape, (0, 0)) == ((3.0, 6.0),)
    assert on_view(corner, "left", shape, (0, 0)) == ((2.0, 3.0),)
    assert on_view(corner, "right", shape, (0, 0)) == ((6.0, 1.0),)


def findings(study):
    return [one for one in check_study(study, images=False).findings if one.rule.startswith(("regions", "path"))]


BAD = {
    "unknown view in the sheet": (
        lambda s: (draw(s, region()), sheet(s, "a1,d70,dorsal,regions/drawn.geojson,,")), "regions.unknown-view", "a1, d07",
    ),
    "unknown region in the sheet": (
        lambda s: (draw(s, region("liver")), sheet(s, "a1,d07,dorsal,regions/drawn.geojson,livr,")),
        "regions.no-such-region", "liver",
    ),
    "file that is not there": (lambda s: sheet(s, "a1,d07,dorsal,regions/none.roi,,"), "regions.unreadable", "copy"),
    "path out of the study": (lambda s: sheet(s, "a1,d07,dorsal,../x.roi,,"), "path.refused", "relative"),
    "unknown view in the properties": (
        lambda s: draw(s, region(animal="a1", session="d01", view="dorsal")), "regions.unknown-view", "stand there",
    ),
    "tied to nothing": (lambda s: draw(s, region()), "regions.no-view", "regions.csv"),
    "broken file": (
        lambda s: ((s / "regions").mkdir(), (s / "regions/a.zip").write_bytes(b"PK")), "regions.no-roi", "ROI Manager",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("make", "rule", "mend"), BAD.values(), ids=BAD)
def test_bad_regions_are_told_before_anything_runs(small_study, make, rule, mend):
    make(small_study)
    (found,) = findings(small_study)
    assert found.rule == rule and mend in found.mend


def test_a_region_off_its_image_is_told_and_the_others_measured(small_study):
    far = tuple((y + 500, x) for y, x in BOX)
    named = {"animal": "a1", "session": "d07", "view": "dorsal"}
    draw(small_study, region("far", far, **named), region("near", **named))
    assert run(small_study).exit_code == 0
    assert [row["region"] for row in table(small_study, "regions")] == ["near"]
    (told,) = [one for one in load_results(small_study / "results").findings if one.rule == "regions.off-image"]
    assert "'far'" in told.seen and "12 x 10 pixels" in told.seen


def test_names_do_not_become_markup(small_study):
    named = {"animal": "a1", "session": "d07", "view": "dorsal"}
    draw(small_study, replace(region("<script>alert(1)</script>", **named), meaning="=1+1"))
    run(small_study)
    page = (small_study / "results/report.html").read_text()
    assert "<script>alert(1)" not in page
    assert "'=1+1" in (small_study / "results/tables/regions.csv").read_text()
    assert Path(small_study / "results/tables/regions.parquet").is_file()


def test_regions_of_living_image_belong_to_every_animal_of_their_image(tmp_path):
    image = RawImage(np.ones((1, 8, 8), np.uint16), ("780",), 1.0, (1.0,), (675.0,), (780.0,), synthetic=True)
    for path, data in click_files(image, name="c", binning=4).items():
        (tmp_path / "raw" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "raw" / path).write_bytes(data)
    text = "*** ROIs:\r\nROI 1:Shape=Square;Xc=16;Yc=8;Width=8;Height=4;Angle=0;Label=liver;\r\n*** Other:\r\n"
    click = tmp_path / "raw/c/AnalyzedClickInfo.txt"
    click.write_text(text)
    first = SampleRow(2, "m01", "d07", 7.0, "", "g", "dorsal", "780", 675.0, 780.0, 1.0, "raw/c", "", "", "qd", "", 1)
    sheets = Sheets(tmp_path, None, (first, replace(first, row=3, animal="m02", lane=2)), (), True)
    (found,), told = gather_regions(sheets)
    assert told == ()
    assert [(one.animal, one.region.label, one.file) for one in found.candidates] == [
        ("m01", "liver", "raw/c"), ("m02", "liver", "raw/c")
    ]  # fmt: skip
    # a sheet may say whose it is
    row = RegionRow(2, "m02", "d07", "dorsal", "raw/c", "ROI 1", "tumour")
    (found,), told = gather_regions(replace(sheets, regions=(row,)))
    assert [(one.animal, one.meaning) for one in found.candidates] == [("m02", "tumour")]
    # what cannot be read in a vendor's folder stops nothing
    click.write_text(text.replace("Square", "Star"))
    found, (finding,) = gather_regions(sheets)
    assert (found, finding.severity) == ((), "warning")


def test_an_image_of_several_animals_gives_the_region_to_the_one_it_lies_on(small_study):
    """Two candidates of one image: the second animal's view begins six rows down, so the region lies off it."""
    text = (small_study / "samplesheet.csv").read_text()
    assert "raw/a2_d07" in text
    draw(small_study, region(image="raw/a1_d07.ome.tif"))
    run(small_study)
    sessions = {(s.animal, s.session): s for s in load_results(small_study / "results").sessions}
    settings = check_study(small_study, images=False).settings
    moved = sessions["a2", "d07"]
    moved = replace(moved, views=(replace(moved.views[0], origin_px=(6, 0)),))
    both = DrawnOn(
        (region(animal="a2", session="d07", view="dorsal"), region(animal="a1", session="d07", view="dorsal"))
    )
    opened = {("a1", "d07"): sessions["a1", "d07"], ("a2", "d07"): moved}
    (one,), told = measured_on(both, opened, settings, small_study)
    assert (one.tied.animal, told) == ("a1", ())
