"""Regions drawn by hand in a study: tied to views by sheet, property, file name or image; measured; in table and report."""

import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tifffile
from cheap_curation import correct_by_pixel, follow_by_number, two_spots_step
from small_study import counts_of
from stored_results import hashes, table

from lampyris.core.images import RawImage
from lampyris.core.regions import DrawnRegion, TiedRegion
from lampyris.core.schemas import RegionRow, SampleRow
from lampyris.io.images.ivis.writer import click_files
from lampyris.io.regions.geojson import geojson_text, read_geojson
from lampyris.study.assemble import load_results
from lampyris.study.check import check_study
from lampyris.study.drawn.gather import DrawnOn, gather_regions
from lampyris.study.drawn.task import measured_on
from lampyris.study.export.take import export_study
from lampyris.study.rules.sheets import Sheets
from lampyris.study.run import Analysis, run_study

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
    analysis = Analysis(two_spots_step, follow_by_number, correct_by_pixel)
    return run_study(study, workers=1, **{"analysis": analysis, "only": ("a1", "a2"), **options})


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
    (one,), told = measured_on(both, opened, settings)
    assert (one.tied.animal, told) == ("a1", ())


def test_on_turned_images_and_sequences(small_study):
    """Drawn in the pixels of the file, whose heads point left and which holds several frames; taken back there."""
    frames = np.random.default_rng(1).poisson(counts_of(0, 7), (5, 2, 12, 10)).astype(np.uint16)
    metadata = {"axes": "TCYX", "Channel": {"Name": ["b1", "b2"]}, "Plane": {"ExposureTime": [2.0] * 10}}
    tifffile.imwrite(small_study / "raw/a1_d07.ome.tif", frames, metadata=metadata, photometric="minisblack")
    settings = small_study / "study.toml"
    settings.write_text(settings.read_text() + '\n[stage]\nhead = "left"\n')
    draw(small_study, region(animal="a1", session="d07", view="dorsal"))
    assert run(small_study).exit_code == 0
    session = next(s for s in load_results(small_study / "results").sessions if (s.animal, s.session) == ("a1", "d07"))
    (view,) = session.views
    (row,) = table(small_study, "regions")
    # turned back as it lies in the file
    light = np.rot90(view.radiance, 1, axes=(1, 2))[:, 2:6, 2:5].astype(float).sum()
    assert (row["pixels"], float(row["radiance"])) == ("12", pytest.approx(light / 12))
    taken = export_study(small_study, what=("regions",))
    data = json.loads((taken.folder / "regions/sub-a1_ses-d07_dorsal.geojson").read_text())
    corner = data["features"][0]["geometry"]["coordinates"][0][0]
    y, x = (place / 0.5 for place in view.detections[0].outline_mm[0])
    assert corner == [y + 0.5, 12 - 1 - x + 0.5]


def two_days_of_one_name(study):
    first = SampleRow(
        2, "m01", "d07", 7.0, "", "g", "dorsal", "780", 675.0, 780.0, 1.0, "raw/d07/m01.tif", "", "", "qd", ""
    )
    second = replace(first, row=3, session="d14", day=14.0, image="raw/d14/m01.tif")
    return Sheets(study, None, (first, second), (), True)


IMAGES = {
    "a name that two files have": ("m01.tif", ()),
    "another folder": ("C:\\scans\\m01.tif", ()),
    "its path": ("raw/d14/m01.tif", ("d14",)),
    "its path on another machine": ("C:\\lab\\raw\\d14\\m01.tif", ("d14",)),
}


@pytest.mark.parametrize(("image", "sessions"), IMAGES.values(), ids=IMAGES)
def test_a_name_that_two_images_have_ties_to_none(tmp_path, image, sessions):
    draw(tmp_path, region(image=image))
    found, told = gather_regions(two_days_of_one_name(tmp_path))
    assert [one.candidates[0].session for one in found] == list(sessions)
    assert [one.rule for one in told] == ([] if sessions else ["regions.no-view"])


def two_in_one_image(study):
    run(study)
    sessions = {(s.animal, s.session): s for s in load_results(study / "results").sessions}
    named = {"session": "d07", "view": "dorsal"}
    return sessions, DrawnOn((region(animal="a2", **named), region(animal="a1", **named)))


def with_body(session, body):
    return replace(session, views=(replace(session.views[0], body=body),))


def test_a_region_on_a_mouse_without_result_is_not_its_neighbours(small_study):
    """The owner failed or was left out; its neighbour's piece of the image reaches over it, with a little of the neighbour."""
    sessions, both = two_in_one_image(small_study)
    settings = check_study(small_study, images=False).settings
    body = np.zeros((12, 10), bool)
    body[:3] = True
    beside = {("a2", "d07"): with_body(sessions["a2", "d07"], body)}
    found, (told,) = measured_on(both, beside, settings)
    assert (found, told.rule) == ([], "regions.no-result")
    assert "a1, d07, dorsal is not in the results" in told.seen
    # one that plainly lies on the neighbour is the neighbour's
    body[:] = True
    (one,), told = measured_on(both, {("a2", "d07"): with_body(sessions["a2", "d07"], body)}, settings)
    assert (one.tied.animal, told) == ("a2", ())


def test_a_region_on_the_stage_between_animals_is_nobodys(small_study):
    sessions, both = two_in_one_image(small_study)
    settings = check_study(small_study, images=False).settings
    off = np.zeros((12, 10), bool)
    off[8:] = True
    opened = {key: with_body(sessions[key], off) for key in (("a1", "d07"), ("a2", "d07"))}
    found, (told,) = measured_on(both, opened, settings)
    assert (found, told.rule) == ([], "regions.off-animal")
    assert "a1, a2" in told.seen and "regions.csv" in told.mend
    # a row in the sheet says whose background it is
    own = DrawnOn(both.candidates[1:])
    (one,), told = measured_on(own, opened, settings)
    assert (one.tied.animal, one.on_body_share, told) == ("a1", 0.0, ())


def test_links_and_pipes_are_no_files_of_regions(small_study, tmp_path):
    secret = tmp_path / "elsewhere.geojson"
    secret.write_text(geojson_text([region("secret", animal="a1", session="d07", view="dorsal")]))
    (small_study / "regions").mkdir()
    (small_study / "regions/link.geojson").symlink_to(secret)
    os.mkfifo(small_study / "regions/pipe.json")
    found = {one.place.file: one for one in findings(small_study)}
    assert set(found) == {"regions/link.geojson", "regions/pipe.json"}
    assert (found["regions/link.geojson"].rule, found["regions/link.geojson"].severity) == ("regions.link", "warning")
    assert found["regions/pipe.json"].rule == "regions.unreadable"
    assert gather_regions(two_days_of_one_name(small_study))[0] == ()
