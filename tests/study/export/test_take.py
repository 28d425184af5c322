"""What is taken away opens elsewhere, says what the results say, is the same each time, and harms nothing that lies there."""

import csv
import io
import json
import math
import shutil
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from cheap_step import cheap_follow, cheap_step

from lampyris.cli import main
from lampyris.core.errors import LampyrisError, UsageError
from lampyris.io import durable
from lampyris.io.durable import sha256_file
from lampyris.study.assemble import load_results
from lampyris.study.export.take import export_study
from lampyris.study.outcomes import owners
from lampyris.study.run import Analysis, run_study
from lampyris.study.tables.study import study_tables


@pytest.fixture(scope="module")
def analysed(_written_study, tmp_path_factory):
    study = Path(shutil.copytree(_written_study, tmp_path_factory.mktemp("export") / "study"))
    run_study(study, workers=1, analysis=Analysis(cheap_step, cheap_follow))
    return study


@pytest.fixture
def study(analysed, tmp_path):
    return Path(shutil.copytree(analysed, tmp_path / "study"))


@pytest.fixture(scope="module")
def taken(analysed, tmp_path_factory):
    return export_study(analysed, to=tmp_path_factory.mktemp("out") / "for prism", dialect="prism")


def hashes(folder):
    return {path.relative_to(folder).as_posix(): sha256_file(path) for path in folder.rglob("*") if path.is_file()}


def rows(path, separator=","):
    return list(csv.DictReader(io.StringIO(path.read_text("utf-8-sig"), newline=""), delimiter=separator))


def test_the_list_is_what_lies_there(taken):
    listed = json.loads((taken.folder / "export.json").read_text())["files"]
    assert hashes(taken.folder) == {**listed, "export.json": sha256_file(taken.folder / "export.json")}
    assert sorted([*listed, "export.json"]) == list(taken.files)


def test_the_same_bytes_each_time(analysed, taken, tmp_path):
    again = export_study(analysed, to=tmp_path / "again", dialect="prism")
    assert hashes(again.folder) == hashes(taken.folder)


def test_an_export_replaces_an_export(study):
    export_study(study)
    export_study(study, what=("tables",), dialect="excel-de")
    files = hashes(study / "export")
    assert not any(name.startswith("images/") for name in files)
    assert "tables/detections.csv" in files


@pytest.mark.parametrize("harm", ["a note", "a change", "no list", "a damaged list", "a list of another"])
def test_foreign_files_are_left_alone(study, harm):
    folder = study / "export"
    export_study(study, what=("tables",))
    if harm == "a note":
        (folder / "tables/my notes.txt").write_text("keep me")
    elif harm == "a change":
        with (folder / "tables/detections.csv").open("a") as stream:
            stream.write("my own row\n")
    elif harm == "no list":
        (folder / "export.json").unlink()
    elif harm == "a damaged list":
        (folder / "export.json").write_text("{")
    else:
        (folder / "export.json").write_text('{"format": "other", "files": {}}')
    before = hashes(folder)
    with pytest.raises(LampyrisError) as raised:
        export_study(study, what=("tables",))
    assert [finding.rule for finding in raised.value.findings] == ["export.foreign"]
    assert hashes(folder) == before


def test_a_kill_leaves_the_old_export(study, monkeypatch):
    export_study(study, what=("regions",))
    before = hashes(study / "export")

    def stop(point):
        if point == "synced":
            raise KeyboardInterrupt

    monkeypatch.setattr(durable, "reach", stop)
    with pytest.raises(KeyboardInterrupt):
        export_study(study, what=("tables",))
    monkeypatch.undo()
    assert hashes(study / "export") == before
    export_study(study, what=("tables",))
    assert (study / "export/tables/detections.csv").exists()


@pytest.mark.parametrize("place", [".", "..", "results", "results/here", "raw/out"])
def test_the_study_itself_is_no_place(study, place):
    with pytest.raises(UsageError, match="name another folder"):
        export_study(study, to=study / place)


@pytest.mark.parametrize(
    ("options", "said"), [({"what": ("films",)}, "films"), ({"what": ()}, "nothing"), ({"dialect": "ods"}, "ods")]
)
def test_unknown_wishes_are_refused(study, options, said):
    with pytest.raises(UsageError, match=said):
        export_study(study, **options)


def test_unfinished_results_are_refused(study):
    (study / "results/manifest.json").unlink()
    with pytest.raises(LampyrisError) as raised:
        export_study(study)
    assert raised.value.findings[0].rule == "results.incomplete"


def test_results_and_sheets_are_untouched(study):
    before = hashes(study)
    export_study(study, to=study.parent / "out")
    lock = {".lampyris.lock"}
    assert {k: v for k, v in hashes(study).items() if k not in lock} == {
        k: v for k, v in before.items() if k not in lock
    }


# ---- images ------------------------------------------------------------------------------------------------------


def stores(taken):
    return sorted((taken.folder / "images").rglob("*.ome.zarr"))


def test_images_are_valid_ome_zarr(analysed, taken):
    yaozarrs = pytest.importorskip("yaozarrs")
    results = sorted((analysed / "results").rglob("*.ome.zarr"))
    assert len(stores(taken)) == len(results) == 8
    for store in [*stores(taken), *results]:
        yaozarrs.validate_zarr_store(str(store))


def test_metadata_come_back_through_another_library(analysed, taken):
    import zarr

    results = load_results(analysed / "results")
    for session in results.sessions:
        view = session.views[0]
        group = zarr.open_group(
            taken.folder / f"images/sub-{session.animal}/ses-{session.session}/dorsal.ome.zarr", mode="r"
        )
        ome = group.attrs["ome"]
        (image,) = ome["multiscales"]
        assert ome["version"] == "0.5"
        assert image["axes"] == [
            {"name": "c", "type": "channel"},
            {"name": "y", "type": "space", "unit": "millimeter"},
            {"name": "x", "type": "space", "unit": "millimeter"},
        ]
        (level,) = image["datasets"]
        assert level["coordinateTransformations"] == [{"type": "scale", "scale": [1.0, view.pixel_mm, view.pixel_mm]}]
        names = [channel["label"] for channel in ome["omero"]["channels"]]
        assert names[: len(view.channels) + 1] == [*(f"radiance:{band}" for band in view.channels), "probe"]
        pixels = group["0"][:]
        assert np.array_equal(pixels[names.index("probe")], view.probe)
        assert group.attrs["lampyris"]["units"][0] == "ph s-1 cm-2 sr-1"
        for channel, plane in zip(ome["omero"]["channels"], pixels, strict=True):
            window = channel["window"]
            assert window["min"] <= window["start"] < window["end"] <= window["max"]
            assert window["end"] >= np.nanmax(plane) or np.nanmax(plane) == np.nanmin(plane)


def test_labels_bear_colours_and_the_lesions_names(analysed, taken):
    import zarr

    results = load_results(analysed / "results")
    outcomes = {outcome.animal: outcome for outcome in results.outcomes}
    seen = 0
    for session in results.sessions:
        view = session.views[0]
        group = zarr.open_group(
            taken.folder / f"images/sub-{session.animal}/ses-{session.session}/dorsal.ome.zarr", mode="r"
        )
        assert sorted(group["labels"].attrs["ome"]["labels"]) == ["body", "detections", "flags", "lesions"]
        assert np.array_equal(group["labels/body/0"][:], view.body)
        assert np.array_equal(group["labels/detections/0"][:], view.lesions)
        label = group["labels/lesions"].attrs["ome"]["image-label"]
        owned = owners(outcomes[session.animal].lesions)
        expected = [owned[session.session, view.view, one.number][0] for one in view.detections]
        found = {entry["label-value"]: entry for entry in label.get("properties", [])}
        assert set(found) == {lesion.number for lesion in expected}
        assert set(np.unique(group["labels/lesions/0"][:])) - {0} == set(found)
        for lesion in expected:
            seen += 1
            sighting = next(one for one in lesion.sightings if one.session == session.session)
            assert found[lesion.number]["organ"] == lesion.organ
            assert found[lesion.number]["flux"] == sighting.flux.value
            (colour,) = [entry["rgba"] for entry in label["colors"] if entry["label-value"] == lesion.number]
            assert len(colour) == 4
    assert seen


# ---- tables ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("dialect", "separator", "decimal"), [("excel-en", ",", "."), ("excel-de", ";", ","), ("prism", ",", ".")]
)
def test_tables_say_what_the_results_say(study, dialect, separator, decimal):
    export_study(study, what=("tables",), dialect=dialect)
    tables = study_tables(load_results(study / "results", images=False))
    for stem, (columns, units, _) in tables.items():
        cells = rows(study / f"export/tables/{stem}.csv", separator)
        parquet = pq.read_table(study / f"export/tables/{stem}.parquet")
        assert parquet.column_names == list(columns)
        for name, values in columns.items():
            assert (parquet.schema.field(name).metadata or {}).get(b"unit", b"").decode() == units.get(name, "")
            for row, value in zip(cells, values, strict=True):
                if isinstance(value, float) and math.isfinite(value):
                    assert float(row[name].replace(decimal, ".")) == value
                elif value is None or (isinstance(value, float) and math.isnan(value)):
                    assert row[name] == ""
    note = (study / "export/README.txt").read_text("utf-8")
    for stem, (columns, _, _) in tables.items():
        block = note.split(f"tables/{stem}: ")[1].split("\n\n")[0]
        assert [line.split(":")[0].split(" [")[0].strip() for line in block.splitlines()[1:]] == list(columns)
        # every column is explained
        assert all(": " in line for line in block.splitlines()[1:])


def test_prism_gets_a_column_per_arm(analysed, taken):
    results = load_results(analysed / "results")
    for k, comparison in enumerate(results.comparisons, start=1):
        cells = rows(taken.folder / f"tables/prism/comparison-{k}.csv")
        for group in comparison.groups:
            title = results.groups[group.group]["title"]
            column = [row[title] for row in cells][: len(group.values)]
            assert [float(cell) if cell else math.nan for cell in column] == pytest.approx(
                list(group.values), nan_ok=True
            )
            if any(group.censored):
                flags = [row[f"{title} below limit"] for row in cells][: len(group.values)]
                assert flags == [str(int(one)) for one in group.censored]


def test_prism_gets_days_as_rows(analysed, taken):
    results = load_results(analysed / "results")
    cells = rows(taken.folder / "tables/prism/total-flux-over-days.csv")
    assert [float(row["day"]) for row in cells] == [0.0, 7.0]
    for outcome in results.outcomes:
        name = f"{results.groups[outcome.group]['title']}: {outcome.animal}"
        assert [float(row[name]) for row in cells] == [estimate.value for estimate in outcome.total_flux]
        assert [row[f"{name} below limit"] for row in cells] == [str(int(below)) for below in outcome.below_limit]


# ---- regions and crate -------------------------------------------------------------------------------------------


def test_outlines_lie_on_the_pixels_of_the_file(analysed, taken):
    results = load_results(analysed / "results")
    for session in results.sessions:
        view = session.views[0]
        path = taken.folder / f"regions/sub-{session.animal}_ses-{session.session}_dorsal.geojson"
        data = json.loads(path.read_text("utf-8"))
        assert len(data["features"]) == len(view.detections)
        assert data["synthetic"] is False
        for feature, detection in zip(data["features"], view.detections, strict=True):
            ring = feature["geometry"]["coordinates"][0]
            assert ring[0] == ring[-1]
            expected = [[x / view.pixel_mm + 0.5, y / view.pixel_mm + 0.5] for y, x in detection.outline_mm]
            assert ring == expected
            properties = feature["properties"]
            assert properties["flux"] == detection.flux.value
            assert (properties["animal"], properties["session"]) == (session.animal, session.session)
            assert properties["classification"]["name"] == properties["kind"]


def test_the_crate_is_a_process_run_crate(taken):
    """The musts of RO-Crate 1.1 and of Process Run Crate 0.5, on the folder that was taken away."""
    crate = json.loads((taken.folder / "ro-crate-metadata.json").read_text())
    assert crate["@context"] == [
        "https://w3id.org/ro/crate/1.1/context",
        "https://w3id.org/ro/terms/workflow-run/context",
    ]
    entities = {entity["@id"]: entity for entity in crate["@graph"]}
    assert len(entities) == len(crate["@graph"])
    descriptor, root = entities["ro-crate-metadata.json"], entities["./"]
    assert descriptor["conformsTo"] == {"@id": "https://w3id.org/ro/crate/1.1"}
    assert all(root[name] for name in ("name", "description", "datePublished", "license"))
    profile = entities[root["conformsTo"]["@id"]]
    assert profile["@type"] == "CreativeWork"
    assert profile["@id"].startswith("https://w3id.org/ro/wfrun/process/")
    action = entities[root["mentions"]["@id"]]
    assert action["@type"] == "CreateAction"
    software = entities[action["instrument"]["@id"]]
    assert software["@type"] == "SoftwareApplication"
    assert software["name"]
    assert ("softwareVersion" in software) != ("version" in software)
    assert not {"endTime", "startTime"} & set(action)
    parts = {part["@id"] for part in root["hasPart"]}
    for entity in entities.values():
        # data entities are the root's parts and lie in the folder
        if entity["@type"] in ("File", "Dataset") and entity is not root:
            assert entity["@id"] in parts
            path = taken.folder / entity["@id"].replace("%20", " ")
            assert path.is_dir() if entity["@id"].endswith("/") else sha256_file(path) == entity["sha256"]
    for reference in [*action["object"], *action["result"]]:
        assert entities[reference["@id"]]["@type"] in ("File", "Dataset", "CreativeWork")
    described = {entity["@id"].rstrip("/") for entity in entities.values() if entity["@id"] in parts}
    inside = {name for name in taken.files if not name.startswith("images/")} - {
        "ro-crate-metadata.json",
        "export.json",
    }
    assert inside <= described


def test_a_synthetic_study_says_so_in_every_note(study):
    settings = study / "study.toml"
    settings.write_text(settings.read_text().replace('name = "small"', 'name = "small"\nsynthetic = true'))
    run_study(study, workers=1, analysis=Analysis(cheap_step, cheap_follow))
    made = export_study(study)
    assert "SYNTHETIC" in (made.folder / "README.txt").read_text("utf-8")
    assert all(json.loads(path.read_text("utf-8"))["synthetic"] for path in made.folder.rglob("*.geojson"))
    for store in made.folder.rglob("*.ome.zarr"):
        assert (
            json.loads((store / "zarr.json").read_text())["attributes"]["lampyris"]["attributes"]["synthetic"] is True
        )


def test_hostile_names_stay_names(study):
    """Names of a sheet that a spreadsheet would run, or that markup and JSON would."""
    for sheet in ("samplesheet.csv", "animals.csv"):
        path = study / sheet
        path.write_text(path.read_text().replace("a1,", '"=HYPERLINK(""x"")",'))
    shutil.rmtree(study / "results")
    run_study(study, workers=1, analysis=Analysis(cheap_step, cheap_follow))
    made = export_study(study, what=("tables", "regions"))
    animals = {row["animal"] for row in rows(made.folder / "tables/detections.csv")}
    assert '\'=HYPERLINK("x")' in animals


# ---- command -----------------------------------------------------------------------------------------------------


def test_the_command_prints_what_it_made(study, tmp_path, capsys):
    words = [
        "export",
        str(study),
        "--to",
        str(tmp_path / "out"),
        "--what",
        "tables,regions",
        "--csv-dialect",
        "excel-de",
        "--json",
    ]
    assert main(words) == 0
    printed = json.loads(capsys.readouterr().out)
    assert list(printed) == ["folder", "files"]
    assert printed["folder"] == str(tmp_path / "out")
    assert printed["files"] == sorted(hashes(tmp_path / "out"))
    assert main(["export", str(study), "--to", str(tmp_path / "out"), "--what", "films"]) == 2


def test_the_words_of_the_command_are_those_of_the_export():
    from lampyris.cli import takeaway
    from lampyris.io.spreadsheets import DIALECTS
    from lampyris.study.export.take import WHAT

    assert takeaway.WHAT == WHAT
    assert tuple(DIALECTS) == takeaway.DIALECTS
