"""A virtual study of sections from raw files to densities and back to its truth, by the command too; what wrong sheets are told."""

import csv
import json
import math
import shutil
from pathlib import Path

import numpy as np
import pytest

from lampyris import cli
from lampyris.core.errors import InputError
from lampyris.core.histology import SectionFlag
from lampyris.core.images import RawImage
from lampyris.io.images.ome.tiff import write_ome_tiff
from lampyris.study.check import check_study
from lampyris.study.histology import CountingOptions, histology_files, histology_study
from lampyris.trial.score_histology import section_scores
from lampyris.virtual.design import Design, default_design
from lampyris.virtual.section_truth import read_section_truth
from lampyris.virtual.simulate import simulate_sections

FIELD_UM = 130.0
ONSETS = "animal,group,organ,probability,after_day,by_day,limit_cells"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Two animals and a control, a section of liver and one of lungs each."""
    design = default_design()
    arms = {
        "targeted": design.arms["targeted"].model_dump() | {"animals": 2},
        "control": design.arms["control"].model_dump() | {"animals": 1},
    }
    drawn = {
        "sections": 1,
        "organs": ["liver", "lungs"],
        "field_um": FIELD_UM,
        "enrichment": 600.0,
        "glass_share": 0.1,
        "landmark_sd_um": 5.0,
    }
    parts = {"name": "virtual-sections", "days": [14], "arms": arms, "histology": drawn}
    return simulate_sections(
        tmp_path_factory.mktemp("sections") / "study", seed=3, design=Design.model_validate(design.model_dump() | parts)
    )


@pytest.fixture(scope="module")
def found(made):
    return histology_study(made.study, options=CountingOptions(views=True))


@pytest.fixture
def copied(made, tmp_path):
    """The study anew, images linked: sheets may be written over."""
    folder = tmp_path / "study"
    shutil.copytree(made.study, folder, copy_function=lambda a, b: Path(b).hardlink_to(a))
    for name in ("assays.csv", "section_landmarks.csv"):
        data = (folder / name).read_bytes()
        (folder / name).unlink()
        (folder / name).write_bytes(data)
    return folder


def edit(path, change):
    with path.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    change(rows)
    with path.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def refused(folder, **options):
    with pytest.raises(InputError) as told:
        histology_study(folder, **options)
    return told.value.findings


def test_sections_are_counted_as_drawn(made, found):
    truth = read_section_truth(made.truth)
    scores = section_scores(found, truth)
    assert len(scores) == len(found.sections) == 6 and found.synthetic
    assert sum(one.matched for one in scores) / sum(one.nuclei for one in scores) > 0.93
    assert sum(one.matched for one in scores) / sum(one.found for one in scores) > 0.95
    assert np.median([abs(one.tissue_error) for one in scores]) < 0.05
    # landmarks are marked to 5 um; the middle of five is known to about half of that per axis
    assert np.median([one.place_error_mm for one in scores]) < 0.008
    assert found.controls[1:] == (2, 1) and found.false_positives > 0


def test_organs_that_hold_many_labelled_cells_are_positive(made, found):
    drawn = {(one.animal, one.organ): one.labelled.sum() for one in read_section_truth(made.truth)}
    assert max(drawn.values()) >= 8
    for organ in found.organs:
        if drawn[organ.animal, organ.organ] >= 8:
            assert organ.positive is True
            assert organ.cells_per_mm2.low > 0
        if organ.group == "control":
            assert organ.positive is False
    assert {one.group for one in found.groups} == {"targeted", "control"}
    assert all(one.design.experimental_unit == "animal" for one in found.groups)


def test_truth_is_not_needed_and_nothing_of_it_lies_in_the_study(made, found):
    names = {path.name for path in made.study.rglob("*")}
    assert "sections.json" not in names and (made.truth / "sections.json").exists()
    assert not any(
        "labelled" in path.read_text("utf-8") for path in made.study.glob("*.csv") if path.name != "animals.csv"
    )


def test_calls_of_the_studys_own_results_are_judged_and_gaps_are_no_negatives(copied):
    tables = copied / "results" / "tables"
    tables.mkdir(parents=True)
    rows = ["m01,targeted,liver,0.99,7,14,900", "m01,targeted,lungs,0.02,14,inf,800", "m02,targeted,liver,0,-inf,inf,"]
    (tables / "onsets.csv").write_text("\n".join([ONSETS, *rows]) + "\n")
    found = histology_study(copied)
    by = {(one.animal, one.organ): one for one in found.calls}
    assert set(by) == {("m01", "liver"), ("m01", "lungs"), ("m02", "liver"), ("m02", "lungs")}
    assert by["m01", "liver"].called is True and by["m01", "lungs"].called is False
    assert by["m02", "liver"].called is None and by["m02", "liver"].reason.startswith("never looked at")
    assert by["m02", "lungs"].reason == "never imaged"
    # one animal with calls alone has no interval over animals
    assert found.accuracy is None and any(one.rule == "histology.few-calls" for one in found.findings)


def test_the_verb_prints_draws_and_writes(capsys, made, tmp_path):
    table = tmp_path / "calls.csv"
    table.write_text("animal,organ,called,score\nm01,liver,yes,0.9\nm01,lung,no,0.1\nm02,liver,yes,0.8\nm02,lungs,,\n")
    words = ["assay", "histology", str(made.study), "--calls", str(table), "--plot", str(tmp_path / "d.svg")]
    words += ["--write-csv", str(tmp_path / "sections.csv"), "--json"]
    assert cli.main(words) == 0
    told = json.loads(capsys.readouterr().out)
    organ = told["organs"][0]
    assert {
        "animal",
        "organ",
        "sections",
        "nuclei",
        "labelled",
        "cells_per_mm2",
        "cells_per_mm2_low",
        "flags",
    } <= organ.keys()
    for name in ("sensitivity", "specificity"):
        assert told[name].keys() == {"value", "low", "high", "n"}
    assert told["not_called"] == {"no call given": 1} and len(told["calls"]) == 4
    assert b"SYNTHETIC" in (tmp_path / "d.svg").read_bytes()
    with (tmp_path / "sections.csv").open() as stream:
        assert [row["nuclei"] for row in csv.DictReader(stream)] == [str(one["nuclei"]) for one in told["sections"]]


def test_single_files_with_a_control(capsys, made, tmp_path):
    images = sorted((made.study / "raw" / "sections").glob("*.tiff"))
    labelled, control = images[0], images[-1]
    words = ["assay", "histology", str(labelled), "--control", str(control), "--label-channel", "dots"]
    assert cli.main([*words, "--overlays", str(tmp_path)]) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["m01_liver_1.png", "m03_lungs_1.png"]
    out = capsys.readouterr().out
    assert "Synthetic" in out and "controls:" in out and labelled.name.split(".")[0] in out


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["exvivo", "a", "b"], "one study"),
        (["histology", "{}", "--trays", "x"], "belong to exvivo"),
        (["histology", "nothing.tif"], "not there"),
        (["histology", "{}", "--write-csv", "a.xlsx"], "writes .csv"),
        (["histology", "{}", "--control", "a.tif"], "leave --control"),
    ],
)
def test_wrong_usage(capsys, made, words, says):
    assert cli.main(["assay", *(word.format(made.study) for word in words)]) == 2
    assert says in capsys.readouterr().err


def image_file(path, counts, channels, pixel_mm=math.nan):
    nan = (math.nan,) * len(channels)
    write_ome_tiff(path, RawImage(counts, channels, pixel_mm, nan, nan, nan))
    return path


@pytest.mark.parametrize(
    ("shape", "channels", "options", "rule"),
    [
        ((2, 30, 30), ("DAPI", "dots"), {}, "histology.pixel-size"),
        ((2, 30, 30), ("a", "b"), {"pixel_um": 0.5}, "histology.channels"),
        ((3, 30, 30), ("DAPI", "b", "c"), {"pixel_um": 0.5}, "histology.channels"),
        ((1, 30, 30), ("DAPI",), {"pixel_um": 0.5}, "histology.channels"),
    ],
)
def test_a_file_that_does_not_say_enough_is_left_out_with_its_mend(tmp_path, shape, channels, options, rule):
    path = image_file(tmp_path / "a.ome.tif", np.ones(shape, np.uint16), channels)
    found = histology_files([path], options=CountingOptions(**options))
    assert found.sections == () and [one.rule for one in found.findings] == [rule]
    assert found.findings[0].mend and found.findings[0].place.file == "a.ome.tif"


def test_a_channel_misnamed_offers_the_nearest(tmp_path):
    path = image_file(tmp_path / "a.ome.tif", np.ones((2, 30, 30), np.uint16), ("DAPI", "dots705"), 5e-4)
    (one,) = histology_files([path], nuclei="DAPI", label="dots750").findings
    assert "dots705" in one.mend


def test_one_failing_section_is_a_finding_and_the_rest_are_counted(copied):
    images = sorted((copied / "raw" / "sections").glob("*.tiff"))
    images[0].unlink()
    image_file(images[0], np.full((2, 60, 60), 100, np.uint16), ("DAPI", "dots"), 6.5e-4)
    images[2].unlink()
    images[2].write_bytes(b"no image at all")
    path = copied / "section_landmarks.csv"

    def slips(rows):
        # the second section keeps two landmarks, the fourth has one half a millimetre off
        rows[15]["organ_y_mm"] = str(float(rows[15]["organ_y_mm"]) + 0.5)
        del rows[7:10]

    edit(path, slips)
    edit(copied / "assays.csv", lambda rows: rows[9].update(channel="dot"))
    found = histology_study(copied)
    assert [one.file for one in found.sections] == [f"raw/sections/{images[k].name}" for k in (0, 1, 3, 5)]
    empty, second = found.sections[:2]
    assert {SectionFlag.EMPTY, SectionFlag.NO_NUCLEI} <= set(empty.flags) and not empty.used
    assert second.registration is None and SectionFlag.NOT_REGISTERED in second.flags
    assert any(one.place.file.endswith(images[2].name) for one in found.findings)
    (channel,) = [one for one in found.findings if one.rule == "histology.channel"]
    assert (channel.place.file, channel.place.row, channel.place.column) == ("assays.csv", 11, "channel")
    assert "dots" in channel.mend
    remarks = {(one.place.row, one.place.column) for one in found.findings if one.rule == "histology.landmarks"}
    assert {(7, "landmark"), (14, "organ_y_mm")} <= remarks


def test_landmarks_of_a_section_that_is_not_there_are_errors(copied):
    edit(copied / "section_landmarks.csv", lambda rows: rows[0].update(organ="livr"))
    assert any(one.rule == "histology.landmark-section" and "liver" in one.mend for one in refused(copied))
    assert any(one.rule == "histology.landmark-section" for one in check_study(copied, images=False).findings)


@pytest.mark.parametrize(
    ("change", "rule", "column"),
    [
        (lambda rows: rows[0].update(animal="m1"), "histology.animal", "animal"),
        (lambda rows: rows[0].update(organ="", animal="m01"), "histology.whose", "organ"),
        (lambda rows: rows[0].update(stain="label"), "histology.stain", "section"),
        (lambda rows: rows[0].update(stain=""), "histology.stain", "stain"),
        (lambda rows: rows[0].update(pixel_um="0,65"), "sheet.number", "pixel_um"),
        (lambda rows: rows[0].update(file="raw/none.tif"), "assays.missing-file", "file"),
    ],
)
def test_wrong_rows_of_assays_are_told_with_place_and_mend(copied, change, rule, column):
    edit(copied / "assays.csv", change)
    told = refused(copied)
    assert any(one.rule == rule and one.place.column == column and one.place.row and one.mend for one in told), told


@pytest.mark.parametrize(
    ("rows", "column", "words"),
    [
        ("m01,liver,maybe", "called", "neither"),
        ("m0l,liver,yes", "animal", "Did you mean m0"),
        ("m01,liver,yes\nm01,Liver,no", "organ", "twice"),
        ("m01,livr,yes", "organ", "Did you mean liver"),
    ],
)
def test_wrong_tables_of_calls_are_told(made, tmp_path, rows, column, words):
    table = tmp_path / "calls.csv"
    table.write_text(f"animal,organ,called\n{rows}\n")
    (one,) = refused(made.study, calls=table)
    assert one.place.column == column and words in f"{one.seen} {one.mend}"


def test_a_study_without_sections_says_what_to_write(copied):
    (copied / "assays.csv").unlink()
    (copied / "section_landmarks.csv").unlink()
    assert [one.rule for one in refused(copied)] == ["histology.missing"]


def test_files_of_one_name_are_not_one_animal_and_a_control_is_none_of_them(made, tmp_path):
    images = {path.name.split("_")[0]: path for path in (made.study / "raw" / "sections").glob("*liver*.tiff")}
    for folder, name, animal in (("a", "liver.1", "m01"), ("a", "liver.2", "m02"), ("b", "liver.1", "m03")):
        (tmp_path / folder).mkdir(exist_ok=True)
        shutil.copy(images[animal], tmp_path / folder / f"{name}.ome.tiff")
    files = [tmp_path / "a" / f"liver.{k}.ome.tiff" for k in (1, 2)]
    found = histology_files(files, controls=[tmp_path / "b" / "liver.1.ome.tiff"])
    assert [(one.animal, one.sections, one.group) for one in found.organs] == [
        ("a-liver.1", 1, ""), ("b-liver.1", 1, "control"), ("liver.2", 1, "")
    ]  # fmt: skip


def test_an_excluded_animal_is_counted_and_used_for_nothing(copied):
    data = (copied / "animals.csv").read_bytes()
    (copied / "animals.csv").unlink()
    (copied / "animals.csv").write_bytes(data)

    def out(rows):
        rows[0] |= {
            "excluded": "yes",
            "exclusion_reason": "sick",
            "exclusion_author": "A",
            "exclusion_time": "2026-03-01",
        }

    edit(copied / "animals.csv", out)
    table = copied / "calls.csv"
    table.write_text("animal,organ,called\nm01,liver,yes\nm01,lungs,no\nm02,liver,yes\nm02,lungs,no\n")
    found = histology_study(copied, calls=table)
    assert "m01" in {one.animal for one in found.sections}
    assert "m01" not in {one.animal for one in (*found.organs, *found.calls)}
    assert {one.design.n for one in found.groups if one.group == "targeted"} == {(1,)}
    assert found.accuracy is None and any("sick" in one.seen for one in found.findings)


def test_a_pixel_size_that_is_not_the_files_is_told(copied):
    def halve(rows):
        for row in rows[:2]:
            row["pixel_um"] = str(0.5 * float(row["pixel_um"]))

    edit(copied / "assays.csv", halve)
    (one,) = [one for one in histology_study(copied).findings if one.rule == "histology.pixel-differs"]
    assert one.place.column == "pixel_um" and "0.65" in one.seen and "0.25" in one.mend
