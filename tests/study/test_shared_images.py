"""Images that several animals share, that are turned, or that bring dark frame, photograph and coefficients along."""

import csv
import dataclasses
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from cheap_step import cheap_follow, cheap_step
from small_study import SHAPE, image

from lampyris.core.errors import ImageError
from lampyris.imaging.body.animal import find_body, silhouette
from lampyris.imaging.radiance.calibrate import radiance_from_counts
from lampyris.io.images.ome.tiff import read_ome_tiff, write_ome_tiff
from lampyris.io.settings import read_settings
from lampyris.study.check import check_study
from lampyris.study.graph.steps import session_task
from lampyris.study.graph.tasks import RECORD
from lampyris.study.opening.views import SessionRows, lanes_named, open_session, session_files
from lampyris.study.run import Analysis, run_study
from lampyris.virtual.design import default_design, with_animals_per_image
from lampyris.virtual.simulate import simulate_study
from lampyris.virtual.truth import read_truth

CAPS = {"max_pixels": 10**8, "max_pages": 10, "max_bytes": 10**8}


def three_on_a_stage():
    plan = with_animals_per_image(default_design(), 3)
    arms = {"targeted": plan.arms["targeted"].model_copy(update={"animals": 3})}
    world = plan.world.model_copy(update={"voxel_mm": 1.2})
    return plan.model_copy(update={"arms": arms, "days": (0.0, 7.0), "world": world})


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return simulate_study(tmp_path_factory.mktemp("lanes") / "study", seed=5, design=three_on_a_stage())


@pytest.fixture
def study(made, tmp_path):
    return Path(shutil.copytree(made.study, tmp_path / "study"))


def rows_of(study):
    with (study / "samplesheet.csv").open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def write_rows(study, rows):
    with (study / "samplesheet.csv").open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def change(study, where, **values):
    """Set columns of the rows for which `where` holds, or drop them where no column is given."""
    rows = rows_of(study)
    assert any(where(row) for row in rows)
    changed = [{**row, **(values if where(row) else {})} for row in rows]
    write_rows(study, changed if values else [row for row in rows if not where(row)])


def stage(study, *lines):
    """Change lines of [stage] in the settings."""
    settings = study / "study.toml"
    text = settings.read_text("utf-8")
    for line in lines:
        text, count = re.subn(rf"(?m)^{line.split(' = ')[0]} = .*$", line, text)
        assert count == 1
    settings.write_text(text, "utf-8")


def session_of(study, animal, session="d00"):
    check = check_study(study, images=False)
    rows = tuple(row for row in check.samples if (row.animal, row.session) == (animal, session))
    marks = tuple(mark for mark in check.landmarks if (mark.animal, mark.session) == (animal, session))
    lanes = lanes_named(check.samples)
    shared = tuple((name, lanes[name]) for name in sorted({row.image for row in rows}) if name in lanes)
    return SessionRows(rows, None, marks, shared), check.settings


def opened(study, animal, session="d00"):
    rows, settings = session_of(study, animal, session)
    return {view.view: view for view in open_session(study, rows, settings).views}


def is_m02(row):
    return row["animal"] == "m02"


# --- what is cut out ---------------------------------------------------------------------------------------------------


def test_each_animal_is_cut_out_where_it_was_laid_in_either_order(made):
    """Seen from below the tray was turned over: the first lane is the last animal's."""
    truth, pixel = read_truth(made.truth), 0.45
    lanes = {(row["animal"], row["view"]): int(row["lane"]) for row in rows_of(made.study)}
    assert lanes["m01", "dorsal"] == lanes["m03", "ventral"] == 1
    assert lanes["m03", "dorsal"] == lanes["m01", "ventral"] == 3
    for one in truth.animals:
        for name, view in opened(made.study, one.animal).items():
            body = find_body(view.photo, pixel_mm=pixel)
            pose = one.poses["d00"][name]
            top, left = view.origin_px
            nose = np.argwhere(body)[0] + [top, left]
            assert np.hypot(*(nose * pixel - [pose.y_mm, pose.x_mm])) < 3.0
            assert 24.0 < 4.0 * silhouette(body, pixel_mm=pixel).across_mm < 40.0
            # the margins hold the whole trunk
            assert not body[0].any() and not body[:, [0, -1]].any()


def test_the_flat_is_that_of_the_whole_image(made):
    rows, settings = session_of(made.study, "m01")
    whole = dataclasses.replace(rows, lanes=())
    full = open_session(made.study, whole, settings).views[0]
    piece = open_session(made.study, rows, settings).views[0]
    (top, left), (height, width) = piece.origin_px, piece.image.counts.shape[1:]
    place = (slice(None), slice(top, top + height), slice(left, left + width))
    own = ~piece.not_own
    parts = (radiance_from_counts(view, settings.instrument).values for view in (piece, full))
    one, other = next(parts), next(parts)[place]
    # but for pixels that are mended by neighbours, which may be another's
    same = np.isclose(one, other, rtol=1e-9, atol=1.0)
    assert same[:, own].mean() > 0.998


def test_landmarks_are_moved_into_the_piece(study):
    lines = ["animal,session,view,landmark,y_mm,x_mm", "m02,d00,dorsal,nose,12,66", "m02,d00,dorsal,tail base,96,66"]
    (study / "landmarks.csv").write_text("\n".join(lines) + "\n")
    assert check_study(study).errors == ()
    view = opened(study, "m02")["dorsal"]
    top, left = (start * 0.45 for start in view.origin_px)
    assert {name: (y + top, x + left) for name, y, x in view.landmarks} == {
        "nose": (pytest.approx(12), pytest.approx(66)),
        "tail base": (pytest.approx(96), pytest.approx(66)),
    }


def test_without_photographs_animals_are_found_by_their_glow(study):
    with_photo = opened(study, "m02")["dorsal"]
    change(study, lambda row: True, photo="")
    view = opened(study, "m02")["dorsal"]
    assert view.photo is None
    assert np.abs(np.subtract(view.origin_px, with_photo.origin_px)).max() <= 6
    assert check_study(study).errors == ()


# --- counted against the sheet -----------------------------------------------------------------------------------------


def test_a_sound_study_has_nothing_to_say_of_lanes(made):
    assert check_study(made.study).errors == ()


SHEET_CASES = {
    "one animal in two lanes": (
        lambda row: is_m02(row) and row["channel"] == "810" and row["view"] == "dorsal",
        {"lane": "3"},
        "sheet.two-lanes",
        "m02, d00, dorsal is in lane 3 here and in lane 2 on row",
    ),
    "two animals in one lane": (is_m02, {"lane": "1"}, "sheet.lane-taken", "in lane 1 as well"),
    "a shared image without lanes": (is_m02, {"lane": ""}, "sheet.image-reused", "is the image of m01, d00, dorsal"),
    "one animal in two views of an image": (
        lambda row: is_m02(row) and row["view"] == "ventral" and row["session"] == "d00",
        {"image": "raw/targeted-1/d00_dorsal.ome.tiff"},
        "sheet.image-reused",
        "is the image of m02, d00, dorsal",
    ),
    "a gap": (lambda row: row["lane"] == "3", {"lane": "5"}, "sheet.lane-gap", "none in lane 3, 4"),
    "rows that are missing": (is_m02, {}, "sheet.lane-gap", "none in lane 2"),
    "no dark frame": (is_m02, {"background": ""}, "header.no-dark", "brings none along"),
}


@pytest.mark.parametrize("name", SHEET_CASES)
def test_lanes_of_the_sheet(study, name):
    where, values, rule, says = SHEET_CASES[name]
    change(study, where, **values)
    found = [finding for finding in check_study(study).sheet_errors if finding.rule == rule]
    assert found, check_study(study).findings
    assert says in found[0].seen and found[0].mend
    assert found[0].place.file == "samplesheet.csv" and found[0].place.row


def test_faults_of_rows_are_told_for_each_animal_and_of_the_image_once(study):
    change(study, lambda row: row["channel"] == "810" and row["session"] == "d00", exposure_s="33")
    blank = study / "raw/targeted-1/d07_dorsal.ome.tiff"
    one = read_ome_tiff(blank, **CAPS)
    write_ome_tiff(blank, dataclasses.replace(one, counts=np.full_like(one.counts, 300)))
    found = check_study(study).errors
    assert len([finding for finding in found if finding.rule == "header.exposure"]) == 6
    assert sorted(finding.place.column for finding in found if finding.rule == "image.constant") == [
        "780",
        "810",
        "840",
    ]


@pytest.mark.parametrize(
    ("text", "rule", "says"),
    [
        ("lane_edges_mm = [8, 48]", "sheet.lane-outside", "has 1 lanes between the borders"),
        ("lane_edges_mm = [8, 48, 40]", "settings.lane-edges", "is 8, 48, 40"),
        ("lane_edges_mm = [8]", "settings.lane-edges", "is 8."),
    ],
)
def test_borders_that_cannot_be(study, text, rule, says):
    stage(study, text)
    (finding, *_) = [one for one in check_study(study).sheet_errors if one.rule == rule]
    assert says in finding.seen and finding.mend


def last_is_not_named(row):
    return row["lane"] == "3"


def test_check_says_how_many_animals_were_found_and_where(study):
    # two rows of names for three animals in each image
    change(study, last_is_not_named)
    errors = check_study(study).image_errors
    images = {f"raw/targeted-1/{day}_{view}.ome.tiff" for day in ("d00", "d07") for view in ("dorsal", "ventral")}
    assert {finding.place.file for finding in errors if finding.rule == "image.lane-count"} == images
    assert all("3 animals are in the image, at" in finding.seen and "2 lanes" in finding.seen for finding in errors)
    with pytest.raises(ImageError, match="do not agree"):
        opened(study, "m01")
    # borders, and an animal that the sheet does not know, who is only told of
    stage(study, "lane_edges_mm = [8, 48, 88, 128]")
    result = check_study(study)
    assert result.errors == ()
    warned = [finding for finding in result.warnings if finding.rule == "image.lane-unnamed"]
    assert {finding.place.file for finding in warned} == images
    assert opened(study, "m01")["dorsal"].origin_px[1] < 60


def test_a_wrong_count_stops_the_animals_of_that_image_only(study):
    change(study, lambda row: row["lane"] == "3" and row["session"] == "d07")
    outcome = run_study(study, workers=1, analysis=Analysis(cheap_step, cheap_follow))
    assert outcome.exit_code == 4
    assert {name: row["status"] for name, row in outcome.animals.items()} == {
        "m01": "failed", "m02": "failed", "m03": "failed",
    }  # fmt: skip
    assert "3 animals are in the image" in outcome.animals["m02"]["reason"]
    assert (study / "results/sub-m02/ses-d00" / RECORD).is_file()


# --- what a task depends on --------------------------------------------------------------------------------------------


def test_another_animal_s_row_in_the_same_image_counts_and_order_does_not(study):
    def options():
        rows, settings = session_of(study, "m01")
        return session_task(study, rows, settings, cheap_step).options

    before = options()
    write_rows(study, rows_of(study)[::-1])
    assert options() == before
    change(study, last_is_not_named)
    assert options() != before


def test_a_run_from_shared_images_is_the_same_in_any_order(made, tmp_path):
    def results(folder, shuffle):
        copy = Path(shutil.copytree(made.study, tmp_path / folder))
        rows = rows_of(copy)
        write_rows(copy, [rows[k] for k in shuffle(len(rows))])
        run_study(copy, workers=1, analysis=Analysis(cheap_step, cheap_follow), only=["m02"])
        return (copy / "results/sub-m02/ses-d07/session.json").read_bytes()

    assert results("one", range) == results("other", np.random.default_rng(1).permutation)


# --- turned images -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("head", "turns"), [("left", 1), ("right", -1), ("down", 2)])
def test_turned_images_give_what_upright_ones_give(study, head, turns):
    upright = opened(study, "m02")
    for path in study.rglob("*.ome.tiff"):
        one = read_ome_tiff(path, **CAPS)
        write_ome_tiff(path, dataclasses.replace(one, counts=np.rot90(one.counts, turns, axes=(1, 2))))
    stage(study, f'head = "{head}"')
    assert check_study(study).errors == ()
    for name, view in opened(study, "m02").items():
        assert view.origin_px == upright[name].origin_px
        assert np.array_equal(view.image.counts, upright[name].image.counts)
        assert np.array_equal(view.dark, upright[name].dark) and np.array_equal(view.flat, upright[name].flat)
        assert view.photo == pytest.approx(upright[name].photo)


# --- what images bring along -------------------------------------------------------------------------------------------


def as_clicks(study, **changes):
    """The small study's a1 on day 0 as a sequence folder with dark, a photograph of 3 times the pixels, coefficients."""
    from lampyris.io.images.ivis.writer import sequence_files

    counts = image(np.arange(10) + 120).counts
    photo = np.kron(np.arange(120, dtype=np.uint16).reshape(SHAPE) * 9, np.ones((3, 3), np.uint16))
    fields = {
        "counts": counts,
        "channels": ("780", "820"),
        "dark": np.full_like(counts, 20),
        "photo": photo,
        "photo_pixel_mm": 0.5 / 3,
        "radiance_per_count_rate": (3.0e5, 4.0e5),
    }
    made = dataclasses.replace(image(0), **{**fields, **changes})
    for name, data in sequence_files(made, name="a1_d00").items():
        path = study / "raw" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    for old, new in (("b1", "780"), ("b2", "820")):
        text = (study / "samplesheet.csv").read_text()
        text = re.sub(
            f"(?m)^(a1,d00,.*,){old}(,.*,)raw/a1_d00.ome.tif,,raw/dark.ome.tif",
            rf"\g<1>{new}\g<2>raw/a1_d00_SEQ,,",
            text,
        )
        # the other images' only difference is the name of their band
        (study / "samplesheet.csv").write_text(text.replace(f",{old},", f",{new},"))
        settings = (study / "study.toml").read_text()
        (study / "study.toml").write_text(settings.replace(f'"{old}"', f'"{new}"'))
    for path in study.glob("raw/*.ome.tif"):
        one = read_ome_tiff(path, **CAPS)
        names = tuple({"b1": "780", "b2": "820"}[name] for name in one.channels)
        write_ome_tiff(path, dataclasses.replace(one, channels=names))


def test_a_folder_brings_dark_photograph_and_coefficients(small_study):
    as_clicks(small_study)
    result = check_study(small_study)
    assert result.errors == ()
    assert result.photographed == {"raw/a1_d00_SEQ"}
    rows, settings = session_of(small_study, "a1")
    (view,) = open_session(small_study, rows, settings).views
    assert np.array_equal(view.dark, np.full((2, *SHAPE), 20.0))
    assert view.photo == pytest.approx(np.arange(120.0).reshape(SHAPE) * 9)
    assert view.radiance_per_count_rate == (3.0e5, 4.0e5)
    # the file's own coefficient, not the settings', and not divided by the filter's transmission; the flat is divided
    found = radiance_from_counts(view, settings.instrument)
    flat = view.flat[0] / np.median(view.flat[0, 4:8, 4:7])
    expected = (view.image.counts[0] - 20.0) * 3.0e5 / 2.0 / flat
    assert found.values[0] == pytest.approx(expected, rel=1e-9)
    other = radiance_from_counts(dataclasses.replace(view, radiance_per_count_rate=()), settings.instrument)
    gain, band = settings.instrument.gain_e_per_count, settings.instrument.bands[0]
    scale = 3.0e5 / (settings.instrument.radiance_per_rate * gain / band.transmission)
    assert found.values[0] == pytest.approx(other.values[0] * scale, rel=1e-9)
    # noise goes with it
    assert found.variance[0] == pytest.approx(other.variance[0] * scale**2, rel=1e-9)


def test_the_sheet_s_own_dark_frame_goes_first(small_study):
    as_clicks(small_study)
    text = (small_study / "samplesheet.csv").read_text()
    (small_study / "samplesheet.csv").write_text(text.replace("raw/a1_d00_SEQ,,,", "raw/a1_d00_SEQ,,raw/dark.ome.tif,"))
    rows, settings = session_of(small_study, "a1")
    (view,) = open_session(small_study, rows, settings).views
    assert view.dark[0, 0].tolist() == [20, 21, 22, 20, 21, 22, 20, 21, 22, 20]


def test_every_file_of_a_folder_is_hashed(small_study):
    as_clicks(small_study)
    rows, settings = session_of(small_study, "a1")
    inside = {
        path.relative_to(small_study).as_posix()
        for path in (small_study / "raw/a1_d00_SEQ").rglob("*")
        if path.is_file()
    }
    assert inside <= set(session_files(small_study, rows, settings))
    assert len(inside) == 6
    outcome = run_study(small_study, workers=1, analysis=Analysis(cheap_step, cheap_follow))
    assert outcome.exit_code == 0
    record = small_study / "results/sub-a1/ses-d00" / RECORD
    before = record.read_bytes()
    click = small_study / "raw/a1_d00_SEQ/a1_d00_002/ClickInfo.txt"
    click.write_bytes(click.read_bytes() + b"\r\n")
    run_study(small_study, workers=1, analysis=Analysis(cheap_step, cheap_follow))
    assert record.read_bytes() != before


def test_neither_dark_is_a_fault_of_the_sheet(small_study):
    as_clicks(small_study, dark=None)
    found = [finding for finding in check_study(small_study).sheet_errors if finding.rule == "header.no-dark"]
    assert [finding.place.row for finding in found] == [2, 3]
    assert "raw/a1_d00_SEQ brings none along" in found[0].seen
    rows, settings = session_of(small_study, "a1")
    with pytest.raises(ImageError, match="no dark frame"):
        open_session(small_study, rows, settings)


def test_a_photograph_of_other_sides_is_a_fault_of_the_sheet(small_study):
    write_ome_tiff(
        small_study / "raw/photo.ome.tif",
        image(
            0,
            channels=("r", "g", "b"),
            counts=np.arange(3 * 24 * 30, dtype=np.uint16).reshape(3, 24, 30),
            pixel_mm=np.nan,
        ),
    )
    text = (small_study / "samplesheet.csv").read_text()
    (small_study / "samplesheet.csv").write_text(
        text.replace("raw/a1_d00.ome.tif,,", "raw/a1_d00.ome.tif,raw/photo.ome.tif,")
    )
    (finding, *_) = [one for one in check_study(small_study).sheet_errors if one.rule == "header.shape"]
    assert "has 24 x 30 pixels, the image 12 x 10: their sides have another ratio" in finding.seen
    assert "pixel size" in finding.mend


def test_a_colour_photograph_of_twice_the_pixels_is_laid_on_the_image(small_study):
    colours = np.stack([np.kron(np.arange(120).reshape(SHAPE) * k, np.ones((2, 2))) for k in (10, 20, 30)])
    photo = image(0, channels=("r", "g", "b"), counts=colours.astype(np.uint16), pixel_mm=np.nan)
    write_ome_tiff(small_study / "raw/photo.ome.tif", photo)
    text = (small_study / "samplesheet.csv").read_text()
    (small_study / "samplesheet.csv").write_text(
        text.replace("raw/a1_d00.ome.tif,,", "raw/a1_d00.ome.tif,raw/photo.ome.tif,")
    )
    assert check_study(small_study).errors == ()
    (view,) = opened(small_study, "a1").values()
    assert view.photo == pytest.approx(np.arange(120.0).reshape(SHAPE) * 20)


def test_settings_of_the_stage_are_read(study):
    stage(study, 'head = "left"', "nose_cones_mm = 12", "lane_edges_mm = [0, 40]")
    settings = read_settings(study / "study.toml")
    assert (settings.stage.head, settings.stage.nose_cones_mm) == ("left", 12.0)
