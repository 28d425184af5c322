"""A draft from a bare folder of every kind: at most two fields filled by hand, and the check has no errors."""

import math
import os
import shutil
from dataclasses import replace

import numpy as np
import pytest
import tifffile
from bare_folders import (
    COLOURS,
    GAIN,
    READ_E,
    SHAPE,
    click,
    dark_frame,
    fill,
    frame,
    image,
    ome_tiff,
    ome_zarr,
    plain_tiff,
    sequence,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lampyris.core.errors import InputError, UsageError
from lampyris.core.schemas import ASSAYS, AssayRow
from lampyris.io.durable import sha256_tree
from lampyris.io.settings import read_settings
from lampyris.io.sheets import read_sheet
from lampyris.study.check import check_study
from lampyris.study.draft.begin import begin_study
from lampyris.study.draft.drafting import draft_study
from lampyris.study.draft.names import read_name
from lampyris.study.draft.scan import FoundImage, Scan, scan_folder

BANDS = (780, 810, 840)
LABELS = {"animal": "3", "group": "Kontrolle", "time_point": "Day 7", "view": "Dorsal", "reporter": "QD 800"}


def ome_tiffs(folder):
    """Three bands in a file, said in it; darks, a flat and photographs, one of which is missing."""
    for number, animal in enumerate(("Mouse 1", "MOUSE 2")):
        for day in (0, 7):
            ome_tiff(folder / "Treated" / animal / f"Day {day} DORSAL.ome.TIF", image(BANDS, seed=10 * number + day))
            if (number, day) != (1, 7):
                photo = image((780,), said=False, channels=("photo",))
                ome_tiff(folder / "Treated" / animal / f"Day {day} DORSAL Photo.ome.TIF", photo)
    ome_tiff(
        folder / "calibration/dark 2s.ome.tif", image((780,), said=False, counts=dark_frame()[None], channels=("d",))
    )


def plain_tiffs(folder):
    """A band in a file, nothing said but in names: German, spaces, umlauts, a decimal comma."""
    for arm, animals in (("Kontrolle", (1, 2)), ("Behandelt", (3, 4))):
        for animal in animals:
            for day in (0, 3):
                for band in (780, 810):
                    name = f"Maus {animal} Tag {day} Rücken {band}nm 0,5 s.tif"
                    plain_tiff(folder / arm / name, frame(seconds=0.5, seed=animal + day + band))


def cp1252_names(folder):
    """Names in the bytes of an old Windows code page, and one that is composed otherwise."""
    plain_tiff(os.fsdecode(os.fsencode(folder) + "/Mäuse/Maus 1 Rückenlage Tag 0.tif".encode("cp1252")), frame(seed=1))
    plain_tiff(folder / "Ma\u0308use" / "Maus 1 Ru\u0308ckenlage Tag 7.tif", frame(seed=2))


def zarrs(folder):
    """OME-Zarr folders: animals and days in their names."""
    for day in (0, 7):
        ome_zarr(folder / f"m01_d{day:02d}_ventral.ome.zarr", image(BANDS, seed=day))
    ome_tiff(folder / "dark_2s.ome.tif", image((780,), said=False, counts=dark_frame()[None], channels=("dark",)))


def clicks(folder):
    """IVIS clicks, one band each, with labels in cp1252, dark and coefficient; dates, no days; no photograph."""
    for number, when in enumerate(("2026-03-02T10:00:00", "2026-03-09T10:00:00")):
        labels = {"animal": "3", "group": "Bösartig", "view": "Dorsal", "sex": "F", "strain": "BALB/c"}
        made = image((780,), seed=number, acquired=when, dark=dark_frame()[None], labels=labels)
        made = replace(made, radiance_per_count_rate=(2.0e5,))
        click(folder, made, name=f"XY2026030{number}101010")


def sequences(folder):
    """IVIS sequences of three bands; utf-8; days in the label; a photograph."""
    photo = np.rint(4.0 * frame(seed=50)).astype(np.uint16)
    for day in (0, 7):
        labels = {**LABELS, "time_point": f"Day {day}", "group": "treated"}
        made = image(BANDS, seed=day, dark=np.stack([dark_frame(n) for n in range(3)]), labels=labels, photo=photo)
        made = replace(
            made, photo_pixel_mm=1.0, radiance_per_count_rate=(2.0e5,) * 3, acquired=f"2026-03-{2 + day:02d}T10:00:00"
        )
        sequence(folder, made, name=f"KL2026030{day}", encoding="utf-8")


# kind: how the folder is made, fields that a person fills, expected animals, days and arms
KINDS = {
    "ome-tiff": (ome_tiffs, ("emission_nm",), {"m01", "m02"}, {0, 7}, {"treated"}),
    "plain tiff": (
        plain_tiffs,
        ("pixel_mm", "emission_nm"),
        {"m01", "m02", "m03", "m04"},
        {0, 3},
        {"control", "behandelt"},
    ),
    "cp1252": (cp1252_names, ("pixel_mm",), {"m01"}, {0, 7}, {"all"}),
    "ome-zarr": (zarrs, ("emission_nm",), {"m01"}, {0, 7}, {"all"}),
    "ivis clicks": (clicks, (), {"m03"}, {0, 7}, {"Bösartig"}),
    "ivis sequences": (sequences, (), {"m03"}, {0, 7}, {"treated"}),
}
VALUES = {"pixel_mm": 1.0, "emission_nm": 800}


@pytest.mark.parametrize("kind", KINDS)
def test_two_fields_at_most_and_no_error(tmp_path, kind):
    make, wanted, animals, days, arms = KINDS[kind]
    folder, study = tmp_path / "Ordner mit Bildern", tmp_path / "study"
    make(folder)
    before = sha256_tree(folder)
    begun = begin_study(study, folder=folder)
    assert tuple(note.field.rsplit(".", 1)[-1] for note in begun.to_fill) == wanted
    assert len(begun.to_fill) <= 2
    assert fill(study, **VALUES) == len(wanted)
    checked = check_study(study)
    assert [str(finding) for finding in checked.errors] == []
    assert {row.animal for row in checked.samples} == animals
    assert {row.day for row in checked.samples} == days
    assert {row.group for row in checked.samples} == arms
    assert sha256_tree(folder) == before


@pytest.mark.parametrize("kind", ["ome-tiff", "ivis sequences"])
def test_in_place_nothing_is_copied(tmp_path, kind):
    KINDS[kind][0](tmp_path / "study")
    before = {path for path in (tmp_path / "study").rglob("*") if path.is_file()}
    begin_study(tmp_path / "study", folder=tmp_path / "study")
    fill(tmp_path / "study", **VALUES)
    new = {path.name for path in (tmp_path / "study").rglob("*") if path.is_file()} - {path.name for path in before}
    assert new == {"study.toml", "samplesheet.csv", "animals.csv", "draft.csv"}
    assert check_study(tmp_path / "study").errors == ()


def test_what_is_assumed_is_said_until_it_is_confirmed(tmp_path):
    study = tmp_path / "study"
    zarrs(tmp_path / "bare")
    begin_study(study, folder=tmp_path / "bare")
    fill(study, **VALUES)
    told = [finding for finding in check_study(study).warnings if finding.rule == "draft.assumed"]
    text = "\n".join(map(str, told))
    for field in ("excitation_mw_per_cm2", "per_cell", "quantum_yield", "radiance_per_rate", "samplesheet.csv group"):
        assert field in text
    # a value of one's own is no assumption any more
    toml = study / "study.toml"
    toml.write_text(toml.read_text().replace("excitation_mw_per_cm2 = 1.0", "excitation_mw_per_cm2 = 3.5"))
    text = "\n".join(str(finding) for finding in check_study(study).warnings)
    assert "excitation_mw_per_cm2" not in text
    assert "per_cell" in text
    sheet = study / "draft.csv"
    sheet.write_text(sheet.read_text().replace(",no\n", ",yes\n"))
    assert not [finding for finding in check_study(study).warnings if finding.rule == "draft.assumed"]


def test_every_drafted_number_has_its_source(tmp_path):
    ome_tiffs(tmp_path / "bare")
    begin_study(tmp_path / "study", folder=tmp_path / "bare")
    text = (tmp_path / "study/study.toml").read_text()
    guessed = [
        line
        for line in text.splitlines()
        if " = " in line and line.split(" = ")[1][0].isdigit() and "[metadata" not in line
    ]
    assert guessed
    assert all("[estimated" in line or "[assumed" in line or "[name" in line for line in guessed)


def test_gain_and_read_noise_are_seen_in_the_images(tmp_path):
    plain_tiffs(tmp_path / "bare")
    begin_study(tmp_path / "study", folder=tmp_path / "bare")
    fill(tmp_path / "study", **VALUES)
    instrument = read_settings(tmp_path / "study/study.toml").instrument
    # two of its own stated standard uncertainties, of about an eighth each
    assert instrument.gain_e_per_count == pytest.approx(GAIN, rel=0.25)
    assert instrument.read_noise_e == pytest.approx(READ_E, rel=0.25)


def test_a_sequence_is_drafted_as_the_mean_of_its_frames(tmp_path):
    """Its noise is told as that of one frame, from which gain and read noise follow."""
    frames = np.stack([frame(seed=number) for number in range(8)])
    metadata = {"axes": "TYX", "Plane": {"ExposureTime": [2.0] * 8}}
    tifffile.imwrite(tmp_path / "m1 d0.ome.tif", frames, metadata=metadata, photometric="minisblack")
    ome_tiff(tmp_path / "m2 d0.ome.tif", image(seed=0))
    scan = scan_folder(tmp_path)
    assert scan.findings == ()
    mean, single = scan.images
    assert (mean.image.frames, single.image.frames, mean.image.exposure_s) == (8, 1, (2.0,))
    assert mean.planes[0].median == pytest.approx(single.planes[0].median, rel=0.02)
    # a median over some hundred squares of 64 pixels, each of which tells a variance within a fifth
    expected = np.median(single.planes[0].noise.variance)
    assert np.median(mean.planes[0].noise.variance) == pytest.approx(expected, rel=0.15)


def test_vendor_coefficient_and_bodies(tmp_path):
    clicks(tmp_path / "bare")
    begin_study(tmp_path / "study", folder=tmp_path / "bare")
    instrument = read_settings(tmp_path / "study/study.toml").instrument
    # radiance = counts / s times the coefficient, and a count is `gain` electrons at the band's transmission
    back = instrument.radiance_per_rate * instrument.gain_e_per_count / instrument.bands[0].transmission
    assert back == pytest.approx(2.0e5, rel=1e-3)
    assert not (tmp_path / "study/drafted").exists()


def test_colour_of_tissue_is_seen_where_an_animal_fills_little_of_the_image(tmp_path):
    """A control alone on a stage for five: its colour, not that of the stage's noise."""
    folder = tmp_path / "images"
    made = image(BANDS)
    rng = np.random.default_rng(5)
    rates = np.array([20.0, 17.0, 15.6])[:, None, None] * np.ones((3, SHAPE[0], 6 * SHAPE[1]))
    empty = np.rint(200 + (rng.poisson(2 * rates) + rng.normal(0, READ_E, rates.shape)) / GAIN)
    made = replace(made, counts=np.concatenate([made.counts, empty.astype(np.uint16)], axis=2))
    ome_tiff(folder / "Control" / "Mouse 1 Day 0 DORSAL.ome.tif", made)
    ome_tiff(folder / "dark 2s.ome.tif", image((780,), said=False, counts=dark_frame()[None], channels=("dark",)))
    begin_study(tmp_path / "study", folder=folder)
    fill(tmp_path / "study", emission_nm=800)
    bands = read_settings(tmp_path / "study" / "study.toml").instrument.bands
    # the animal is made with these colours; the median over a smooth oval and the stage's light leave a few percent
    assert [band.autofluorescence for band in bands] == pytest.approx([1.0, 0.7, 0.5], abs=0.05)
    assert bands[1].leakage > 0


def test_a_film_is_drafted_as_its_mean(tmp_path):
    """The sheet takes an image of several times, so the draft does."""
    folder = tmp_path / "images"
    films = folder / "Mouse 1 Day 0 DORSAL.ome.tif"
    films.parent.mkdir()
    frames = np.stack([np.stack([frame(rate=600 * COLOURS[band], seed=seed) for band in BANDS]) for seed in range(3)])
    planes = {"ExposureTime": [2.0] * 9, "ExposureTimeUnit": ["s"] * 9}
    said = {"axes": "TCYX", "PhysicalSizeX": 1000.0, "PhysicalSizeY": 1000.0, "Plane": planes}
    tifffile.imwrite(films, frames, metadata={**said, "Channel": {"Name": [f"{band}" for band in BANDS]}}, ome=True)
    begun = begin_study(tmp_path / "study", folder=folder)
    assert begun.images == 1
    assert [finding.rule for finding in begun.findings] == []


def test_a_missing_dark_frame_is_made_and_said(tmp_path):
    plain_tiffs(tmp_path / "bare")
    begun = begin_study(tmp_path / "study", folder=tmp_path / "bare")
    assert any("constant one was made" in note.do for note in begun.to_confirm)
    made = list((tmp_path / "study/drafted").iterdir())
    assert [path.name for path in made] == ["dark_0.5s_112x80.ome.tiff"]


def test_one_broken_file_is_named_and_the_draft_goes_on(tmp_path):
    zarrs(tmp_path / "bare")
    (tmp_path / "bare/m02_d00.ome.tif").write_bytes(b"II*\0broken")
    (tmp_path / "bare/notes.docx").write_bytes(b"words")
    shutil.rmtree(tmp_path / "bare/m01_d07_ventral.ome.zarr/0")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "bare/linked").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    begun = begin_study(tmp_path / "study", folder=tmp_path / "bare")
    named = {finding.place.file for finding in begun.findings}
    assert {"m02_d00.ome.tif", "linked"} <= named
    assert "m01_d07_ventral.ome.zarr" in named
    assert begun.images == 1


def test_animals_of_one_number_in_two_arms_are_told_apart(tmp_path):
    for arm in ("control", "vehicle"):
        for day in (0, 7):
            ome_tiff(tmp_path / "bare" / arm / f"mouse1_d{day}.ome.tif", image(seed=day))
    begin_study(tmp_path / "study", folder=tmp_path / "bare")
    checked = check_study(tmp_path / "study")
    assert {(row.animal, row.group) for row in checked.animals} == {("m01", "control"), ("m02", "vehicle")}
    assert "numbered anew" in (tmp_path / "study/draft.csv").read_text()


def two_bodies(made):
    """The image twice, side by side: two animals on one stage."""
    pair = {name: np.concatenate([getattr(made, name)] * 2, axis=-1) for name in ("counts", "dark")}
    return replace(made, **pair)


def test_unlabelled_sequences_of_one_day_are_both_sides_of_the_same_animals(tmp_path):
    """The commonest folder: a folder per date, two sequences in it, and no word in any label."""
    for day, date in ((0, "2026-03-02"), (7, "2026-03-09")):
        for side in (0, 1):
            made = image(BANDS, seed=day + 3 * side, dark=np.stack([dark_frame(n) for n in range(3)]))
            made = replace(
                two_bodies(made), radiance_per_count_rate=(2.0e5,) * 3, acquired=f"{date}T10:{20 * side:02d}:00"
            )
            sequence(tmp_path / "bare" / date, made, name=f"KL202603{day:02d}{side}")
    begun = begin_study(tmp_path / "study", folder=tmp_path / "bare")
    rows = check_study(tmp_path / "study", images=False).samples
    assert {(row.animal, row.day, row.view, row.lane) for row in rows} == {
        (f"mouse-{lane}", day, view, lane) for lane in (1, 2) for day in (0, 7) for view in ("dorsal", "ventral")
    }
    # the earlier of a day is the dorsal one
    assert all(("0_SEQ" in row.image) == (row.view == "dorsal") for row in rows)
    said = (tmp_path / "study/draft.csv").read_text("utf-8")
    assert "the earlier was taken for dorsal" in said and "their place from the left" in said
    assert not [one for one in begun.findings if "a second time" in one.seen]


@pytest.mark.parametrize("case", ["another exposure", "the same time"])
def test_a_second_image_is_no_other_side_where_it_may_be_a_repeat(tmp_path, case):
    seconds, when = (4.0, "2026-03-02T10:20:00") if case == "another exposure" else (2.0, "2026-03-02T10:00:00")
    ome_tiff(tmp_path / "bare/m1_a.ome.tif", image(acquired="2026-03-02T10:00:00"))
    ome_tiff(tmp_path / "bare/m1_b.ome.tif", image(acquired=when, seconds=seconds, seed=5))
    begun = begin_study(tmp_path / "study", folder=tmp_path / "bare")
    assert {row.view for row in check_study(tmp_path / "study", images=False).samples} == {"dorsal"}
    assert [one for one in begun.findings if "a second time" in one.seen]


def test_images_that_fit_no_row_are_named(tmp_path):
    folder = tmp_path / "bare"
    for day in (0, 7):
        ome_tiff(folder / f"m1_d{day}.ome.tif", image(seed=day))
    ome_tiff(folder / "m1_d7_again.ome.tif", image(seed=9))
    ome_tiff(folder / "m1_d14.ome.tif", image(seed=3, pixel_mm=0.25))
    ome_tiff(folder / "phantom.ome.tif", image(seed=4))
    begun = begin_study(tmp_path / "study", folder=folder)
    told = {finding.place.file: finding.seen for finding in begun.findings}
    assert "a second time" in told["m1_d7_again.ome.tif"]
    assert "0.25 mm a pixel" in told["m1_d14.ome.tif"]
    assert "phantom" in told["phantom.ome.tif"]
    assert {row.day for row in check_study(tmp_path / "study").samples} == {0, 7}


def test_nothing_is_overwritten(tmp_path):
    zarrs(tmp_path / "bare")
    begin_study(tmp_path / "study", folder=tmp_path / "bare")
    before = sha256_tree(tmp_path / "study")
    with pytest.raises(UsageError, match="nothing is overwritten"):
        begin_study(tmp_path / "study", folder=tmp_path / "bare")
    assert sha256_tree(tmp_path / "study") == before


def test_a_folder_without_images_is_refused(tmp_path):
    (tmp_path / "bare").mkdir()
    (tmp_path / "bare/letter.txt").write_text("no image")
    with pytest.raises(InputError, match="no study can be drafted") as caught:
        begin_study(tmp_path / "study", folder=tmp_path / "bare")
    assert "1 files are of no known format" in str(caught.value)
    assert not (tmp_path / "study").exists()


def test_same_folder_same_bytes(tmp_path):
    plain_tiffs(tmp_path / "bare")
    for name in ("one", "two"):
        begin_study(tmp_path / name / "study", folder=tmp_path / "bare")
    assert sha256_tree(tmp_path / "one/study") == sha256_tree(tmp_path / "two/study")


NAMES = st.text(st.characters(exclude_characters="/\0"), min_size=1, max_size=12)
PARTS = (
    "m1",
    "Maus 2",
    "d07",
    "Tag 3",
    "dorsal",
    "Bauch",
    "780nm",
    "dark",
    "photo",
    "flat",
    "control",
    "2026-03-02",
    "5s",
)


@pytest.fixture(scope="module")
def looked(tmp_path_factory):
    folder = tmp_path_factory.mktemp("looked")
    plain_tiff(folder / "x.tif", frame())
    return scan_folder(folder).images[0]


@given(
    names=st.lists(st.lists(st.one_of(NAMES, st.sampled_from(PARTS)), min_size=1, max_size=4), min_size=1, max_size=6)
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_draft_crashes_on_no_name_and_guesses_nothing_silently(looked: FoundImage, names):
    paths = list(dict.fromkeys("/".join(parts) for parts in names))
    images = tuple(replace(looked, path=path, says=read_name(path)) for path in paths)
    try:
        draft = draft_study(Scan(images), {path: f"raw/{n}.tif" for n, path in enumerate(paths)}, name="any")
    except InputError as error:
        assert error.findings
        return
    noted = {note.field for note in draft.notes}
    for column in (
        "animal",
        "day",
        "group",
        "view",
        "channel",
        "emission_nm",
        "excitation_nm",
        "exposure_s",
        "background",
    ):
        assert f"samplesheet.csv {column}" in noted
    assert len(draft.to_fill) <= 2
    assert all(math.isfinite(row.day) and row.animal and row.group for row in draft.samples)


def test_trays_and_sections_beside_animals_are_drafted_as_assays(tmp_path):
    folder = tmp_path / "raw"
    zarrs(folder)
    ome_tiff(folder / "ex vivo" / "tray 1.ome.tif", image(BANDS, seed=3))
    ome_tiff(folder / "ex vivo" / "tray 1 photo.ome.tif", image((780,), said=False, channels=("photo",)))
    ome_tiff(folder / "histology" / "m01 liver 2.ome.tif", image((780, 810), said=False, channels=("QD", "DAPI")))
    begun = begin_study(tmp_path, folder=folder)
    rows, faults = read_sheet(tmp_path / "assays.csv", ASSAYS, AssayRow)
    assert not faults
    told = [
        (one.kind, one.file.rsplit("/", 1)[-1], one.animal, one.organ, one.section, one.channel, one.stain)
        for one in rows
    ]
    assert told == [
        ("exvivo", "tray 1.ome.tif", "", "", "", "", ""),
        ("histology", "m01 liver 2.ome.tif", "m01", "liver", "2", "DAPI", "nuclei"),
        ("histology", "m01 liver 2.ome.tif", "m01", "liver", "2", "QD", "label"),
    ]
    assert rows[0].photo.endswith("tray 1 photo.ome.tif")
    # none of them is taken for a living animal
    assert begun.images == 2 and not {"draft.trays", "draft.sections"} - {one.rule for one in begun.findings}
    # a folder of nothing else is drafted as animals, as before
    alone = tmp_path / "alone"
    ome_tiff(alone / "organs" / "m01_d00.ome.tif", image(BANDS))
    begin_study(tmp_path / "other", folder=alone)
    assert not (tmp_path / "other" / "assays.csv").exists()
