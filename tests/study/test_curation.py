"""Corrections by hand: only what follows is made again, both results stand, and no row reaches another lesion."""

import csv
import json
import random
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from cheap_curation import correct_by_pixel, follow_by_number, slow_correct, slow_follow, slow_two_spots, two_spots_step
from stored_results import hashes, table

from lampyris.core.errors import ImageError
from lampyris.core.finding import Finding, Place, Severity
from lampyris.core.schemas import CURATION
from lampyris.io.images.ome.zarr import read_view
from lampyris.study.assemble import load_results
from lampyris.study.check import check_study
from lampyris.study.export.take import export_study
from lampyris.study.run import Analysis, render_again, run_study
from lampyris.study.tables.meanings import column_meaning
from lampyris.study.tables.study import study_tables

COLUMNS = [column.name for column in CURATION]
WHO = {"reason": "fur", "author": "R. Vet", "time": "2026-03-20"}
PART = ("a1", "a2")
TWO_SPOTS = Analysis(two_spots_step, follow_by_number, correct_by_pixel)
TWO = {"animal": "a1", "session": "d07", "view": "dorsal", "y_mm": 4.0, "x_mm": 3.0}


def curate(study, *rows):
    """Write curation.csv; who, why and when filled in."""
    with (study / "curation.csv").open("w", newline="") as stream:
        writer = csv.DictWriter(stream, COLUMNS)
        writer.writeheader()
        writer.writerows({**WHO, **row} for row in rows)


def run(study, **options):
    return run_study(study, **{"workers": 1, "analysis": TWO_SPOTS, **options})


def stamps(study):
    results = study / "results"
    return {p.relative_to(results).as_posix(): p.stat().st_mtime_ns for p in results.rglob("*") if p.is_file()}


@pytest.fixture(scope="module")
def automatic(_written_study, tmp_path_factory):
    study = Path(shutil.copytree(_written_study, tmp_path_factory.mktemp("automatic") / "study"))
    assert run(study).exit_code == 0
    return study, hashes(study)


@pytest.fixture
def study(automatic, tmp_path):
    return Path(shutil.copytree(automatic[0], tmp_path / "study"))


REJECT = {**TWO, "action": "reject", "lesion": 2}
MOVE = {
    "animal": "a1", "session": "d07", "view": "dorsal", "action": "move", "detection": 1,
    "target_y_mm": 1.0, "target_x_mm": 1.0, "y_mm": 1.5, "x_mm": 1.0, "reason": "lies lower", "author": "B. Iologist",
}  # fmt: skip


def test_reject_and_move_one_lesion(study, automatic):
    before = stamps(study)
    curate(study, REJECT, MOVE)
    assert run(study).exit_code == 0
    after, found = stamps(study), hashes(study)
    # automatic sessions and animals, of this and of all other animals: neither written nor changed
    untouched = [name for name in before if name.startswith("sub-")]
    assert len(untouched) > 20
    assert {name: after[name] for name in untouched} == {name: before[name] for name in untouched}
    assert {name: found[name] for name in untouched} == {name: automatic[1][name] for name in untouched}
    new = {name for name in after if name.startswith("sub-")} - set(untouched)
    assert {"/".join(name.split("/")[:3]) for name in new} == {
        "sub-a1/curated/animal.json", "sub-a1/curated/record.json", "sub-a1/curated/ses-d00", "sub-a1/curated/ses-d07"
    }  # fmt: skip
    results = load_results(study / "results")
    final = {one.animal: one for one in results.outcomes}
    (was,) = results.corrections.outcomes
    assert (was.animal, len(was.lesions), len(final["a1"].lesions), len(final["a2"].lesions)) == ("a1", 2, 1, 2)
    (moved,) = next(s for s in results.sessions if (s.animal, s.session) == ("a1", "d07")).views[0].detections
    view = next(s for s in results.sessions if (s.animal, s.session) == ("a1", "d07")).views[0]
    assert (moved.y_mm, moved.flux.value) == (1.5, pytest.approx(100 * view.probe[3, 2]))
    assert view.lesions[3, 2] == 1 and view.lesions[2, 2] == 0 and view.lesions[8, 6] == 0
    assert [one.number for one in view.rejected] == [2]
    assert [(row.action, row.target, row.author) for row in results.corrections.rows] == [
        ("move", "detection 1", "B. Iologist"), ("reject", "lesion 2", "R. Vet")
    ]  # fmt: skip
    assert {one.endpoint for one in results.corrections.comparisons} == {one.endpoint for one in results.comparisons}
    crate = json.loads((study / "results/ro-crate-metadata.json").read_text())
    names = {entity["@id"] for entity in crate["@graph"]}
    assert {"sub-a1/animal.json", "sub-a1/curated/animal.json", "sub-a1/ses-d07/dorsal.ome.zarr/"} <= names


def test_export_takes_the_corrected_outlines(study, tmp_path):
    curate(study, REJECT, MOVE)
    run(study)
    taken = export_study(study, to=tmp_path / "taken", what=("images",))
    labels = read_view(taken.folder / "images/sub-a1/ses-d07/dorsal.ome.zarr")[0]
    # where it was moved to, where it was found automatically, and the one that was rejected
    assert [int(labels["detections"][place]) for place in ((3, 2), (2, 2), (8, 6))] == [1, 0, 0]


def test_export_says_what_every_column_means(study, tmp_path):
    curate(study, REJECT, MOVE)
    run(study)
    tables = study_tables(load_results(study / "results"))
    assert "curation" in tables and "lesions_automatic" in tables
    unsaid = [f"{name}.{column}" for name, table in tables.items() for column in table[0]]
    unsaid = [one for one in unsaid if not column_meaning(*one.split(".", 1))]
    assert unsaid == []
    taken = export_study(study, to=tmp_path / "taken", what=("tables",))
    assert "lesions_automatic" in (taken.folder / "README.txt").read_text("utf-8")


def test_both_results_are_in_tables_and_report(study):
    curate(study, REJECT, MOVE)
    run(study)
    rows = table(study, "curation")
    assert [(row["action"], row["reason"], row["author"], row["time"]) for row in rows] == [
        ("move", "lies lower", "B. Iologist", "2026-03-20"), ("reject", "fur", "R. Vet", "2026-03-20")
    ]  # fmt: skip
    assert len(table(study, "lesions_automatic")) == len(table(study, "lesions")) + 1 == 8
    flux = {row["day"]: float(row["total_flux"]) for row in table(study, "outcomes") if row["animal"] == "a1"}
    was = {row["day"]: float(row["total_flux"]) for row in table(study, "outcomes_automatic") if row["animal"] == "a1"}
    assert flux["7.0"] != was["7.0"] and set(flux) == set(was)
    page = (study / "results/report.html").read_text()
    for part in (
        "Corrections by hand",
        "lies lower",
        "B. Iologist",
        "R. Vet",
        "2026-03-20",
        "Automatic",
        "With corrections",
    ):
        assert part in page, part
    assert render_again(study).read_text() == page


def test_without_the_sheet_the_automatic_bytes_come_back(study, automatic):
    curate(study, REJECT, MOVE)
    run(study)
    assert hashes(study) != automatic[1]
    (study / "curation.csv").unlink()
    run(study)
    assert hashes(study) == automatic[1]


def test_a_second_run_and_moved_rows_do_nothing_again(study):
    curate(study, REJECT, MOVE)
    run(study, only=PART)
    before = stamps(study)
    curate(study, MOVE, REJECT)
    run(study, only=PART)
    after = stamps(study)
    same = [name for name in before if name.startswith("sub-")]
    assert {name: after[name] for name in same} == {name: before[name] for name in same}


def test_a_dose_follows_no_animal_again(study):
    """What was injected is no input of following, corrected or not."""
    curate(study, REJECT)
    run(study, only=PART)
    before = stamps(study)
    head, *rows = (study / "animals.csv").read_text().splitlines()
    lines = [f"{head},labelled_cells,dose_tail_percent", *(f"{row},,5" for row in rows)]
    (study / "animals.csv").write_text("\n".join(lines) + "\n")
    run(study, only=PART)
    after = stamps(study)
    same = [name for name in before if name.startswith("sub-")]
    assert {name: after[name] for name in same} == {name: before[name] for name in same}


def test_workers_give_the_same_bytes(study, tmp_path):
    curate(study, REJECT, MOVE)
    other = Path(shutil.copytree(study, tmp_path / "other"))
    run(study, only=PART)
    run(other, only=PART, workers=2)
    assert hashes(other) == hashes(study)


def test_killed_runs_resume_to_the_same_bytes(_written_study, tmp_path):
    study, whole = (Path(shutil.copytree(_written_study, tmp_path / name)) for name in ("killed", "whole"))
    slow = {"analysis": Analysis(slow_two_spots, slow_follow, slow_correct), "only": PART}
    for one in (study, whole):
        curate(one, REJECT, MOVE)
    seconds = run(whole, **slow).seconds["total"]
    rng = random.Random(5)
    script = str(Path(__file__).with_name("killed_curated_run.py"))
    for workers in "12":
        with subprocess.Popen([sys.executable, script, str(study), workers], stdout=subprocess.PIPE) as child:
            assert child.stdout.readline() == b"begun\n"
            time.sleep(rng.uniform(0.2, 0.9) * seconds)
            child.send_signal(signal.SIGKILL)
            child.wait()
    run(study, **slow)
    assert hashes(study) == hashes(whole)


@pytest.mark.parametrize(
    ("row", "changed"),
    [
        ({"session": "d07", "view": "dorsal", "action": "add", "y_mm": 3.0, "x_mm": 2.0}, [1, 2, 3]),
        (
            {"session": "d07", "view": "dorsal", "action": "split", "detection": 1, "target_y_mm": 1.0,
             "target_x_mm": 1.0, "y_mm": 2.0, "x_mm": 1.0},
            [1, 2, 3],
        ),
        (
            {"session": "d07", "view": "dorsal", "action": "merge", "lesion": 2, "into": 1, "y_mm": 4.0, "x_mm": 3.0,
             "target_y_mm": 1.0, "target_x_mm": 1.0},
            [1],
        ),
        ({"session": "d07", "view": "dorsal", "action": "accept", "detection": 1, "y_mm": 1.0, "x_mm": 1.0}, [1, 2]),
    ],
    ids=["add", "split", "merge", "accept"],
)  # fmt: skip
def test_actions(study, row, changed):
    curate(study, {"animal": "a1", **row})
    assert run(study, only=PART).exit_code == 0
    outcome = next(one for one in load_results(study / "results").outcomes if one.animal == "a1")
    assert [one.number for one in outcome.lesions] == changed


def test_relabelled_counts_as_what_it_is(study):
    curate(study, {**TWO, "action": "relabel", "lesion": 2, "kind": "artefact", "organ": "spleen"})
    run(study, only=PART)
    results = load_results(study / "results")
    outcome = next(one for one in results.outcomes if one.animal == "a1")
    lesion = outcome.lesions[1]
    assert (lesion.kind, lesion.kinds, lesion.organ) == ("artefact", {"artefact": 1.0}, "spleen")
    assert lesion.reasons[0] == "by hand: fur (R. Vet)"
    assert outcome.lesion_count == (1, 1)
    assert outcome.endpoints.route[0].lesion == 1


def test_excluded_image_and_animal_are_counted(study):
    curate(
        study,
        {"animal": "a1", "session": "d00", "action": "exclude image", "reason": "moved during exposure"},
        {"animal": "b1", "action": "exclude animal", "reason": "ulcerated"},
    )
    assert run(study).animals["b1"]["status"] == "excluded"
    results = load_results(study / "results")
    outcomes = {one.animal: one for one in results.outcomes}
    assert outcomes["a1"].days == (7.0,)
    assert outcomes["b1"].reason == "ulcerated (R. Vet, 2026-03-20)"
    assert any(one.rule == "curation.image-left-out" for one in results.findings)
    page = (study / "results/report.html").read_text()
    assert "1 image and 1 animal left out" in page
    assert "moved during exposure" in page
    assert "Excluded: b1" in " ".join(note for one in results.comparisons for note in one.notes)


@pytest.mark.parametrize(
    ("row", "rule", "said"),
    [
        ({"lesion": 7}, "curation.rematched", "lesion 7"),
        ({"lesion": "", "detection": 9}, "curation.rematched", "detection 9"),
    ],
)
def test_another_number_at_the_place_is_matched_with_a_warning(study, row, rule, said):
    curate(study, {**REJECT, **row})
    assert run(study, only=PART).exit_code == 0
    found = [one for one in load_results(study / "results").findings if one.rule == rule]
    assert len(found) == 1 and said in found[0].seen


def test_nothing_at_the_place_is_refused_and_stops_its_animal_only(study):
    curate(study, {**REJECT, "y_mm": 2.6}, {**TWO, "animal": "a2", "action": "reject", "lesion": 2})
    outcome = run(study)
    assert outcome.exit_code == 4
    assert [one["status"] for one in outcome.animals.values()] == ["failed", "done", "done", "done"]
    finding = next(one for one in load_results(study / "results").findings if one.rule == "curation.target-gone")
    assert (finding.place.file, finding.place.row, finding.place.column) == ("curation.csv", 2, "lesion")
    assert "2 at y 4.0, x 3.0" in finding.mend
    curate(study, REJECT)
    assert run(study).exit_code == 0


def test_rows_of_two_names_for_one_thing_contradict(study):
    row = {**TWO, "action": "accept", "lesion": "", "detection": 2}
    curate(study, REJECT, row)
    outcome = run(study, only=PART)
    assert outcome.animals["a1"]["status"] == "failed"
    assert "row 2 would reject lesion 2" in outcome.animals["a1"]["reason"]


BAD = {
    "unknown animal": ({"animal": "a11"}, "curation.unknown-animal", "animal", "Write a1."),
    "unknown session": ({"session": "d70"}, "curation.unknown-session", "session", "Write d07."),
    "view not taken": ({"view": "ventral"}, "curation.unknown-view", "view", "dorsal"),
    "misspelt action": ({"action": "rejct"}, "sheet.choice", "action", "Did you mean reject?"),
    "action with underscore": (
        {"action": "exclude_image", "lesion": "", "y_mm": "", "x_mm": ""}, "sheet.choice", "action", "exclude image",
    ),
    "no reason": ({"reason": ""}, "sheet.empty-cell", "reason", "why"),
    "no author": ({"author": ""}, "sheet.empty-cell", "author", "who"),
    "no time": ({"time": ""}, "sheet.empty-cell", "time", "when"),
    "time in words": ({"time": "yesterday"}, "sheet.date", "time", "2025-03-09"),
    "no target": ({"lesion": ""}, "curation.no-target", "lesion", "number"),
    "no place": ({"y_mm": ""}, "curation.incomplete", "y_mm", "tables/detections.csv"),
    "nan place": ({"x_mm": "nan"}, "sheet.number", "x_mm", "empty"),
    "organ unknown": ({"action": "relabel", "organ": "livr"}, "curation.unknown-organ", "organ", "Write liver."),
    "relabel to nothing": ({"action": "relabel"}, "curation.incomplete", "kind", "one of them"),
    "into itself": (
        {"action": "merge", "into": 2, "target_y_mm": 1, "target_x_mm": 1}, "curation.into-itself", "into", "other",
    ),
    "spare cell": ({"kind": "artefact"}, "curation.no-use", "kind", "Empty"),
    "animal with a lesion": ({"action": "exclude animal"}, "curation.no-use", "session", "Empty"),
}  # fmt: skip


@pytest.mark.parametrize(("row", "rule", "column", "mend"), BAD.values(), ids=BAD)
def test_bad_rows_are_placed_and_mended(small_study, row, rule, column, mend):
    curate(small_study, {**REJECT, **row})
    found = [one for one in check_study(small_study, images=False).errors if one.rule == rule]
    assert len(found) == 1
    assert (found[0].place.file, found[0].place.row, found[0].place.column) == ("curation.csv", 2, column)
    assert mend in found[0].mend


PAIRS = {
    "reject and move": ({"action": "reject", **TWO, "detection": 2}, {**MOVE, "detection": 2}),
    "reject lesion and move it": ({"action": "reject", **TWO, "lesion": 2}, {**MOVE, "detection": "", "lesion": 2}),
    "two moves": (MOVE, {**MOVE, "y_mm": 2.0}),
    "reject and accept": (REJECT, {**REJECT, "action": "accept"}),
    "two kinds": (
        {**REJECT, "action": "relabel", "kind": "artefact"}, {**REJECT, "action": "relabel", "kind": "primary"},
    ),
    "merge into a rejected one": (
        REJECT,
        {**REJECT, "action": "merge", "lesion": 1, "into": 2, "y_mm": 1, "x_mm": 1, "target_y_mm": 4, "target_x_mm": 3},
    ),
    "animal excluded twice": ({"animal": "a1", "action": "exclude animal"}, {"animal": "a1", "action": "exclude animal"}),
}  # fmt: skip


@pytest.mark.parametrize("rows", PAIRS.values(), ids=PAIRS)
def test_contradictions_are_told_with_both_rows(small_study, rows):
    curate(small_study, *rows)
    (found,) = check_study(small_study, images=False).errors
    assert (found.rule, found.place.row) == ("curation.contradiction", 3)
    assert "row 2" in found.seen


def test_all_images_of_an_animal_one_by_one(small_study):
    image = {"animal": "a1", "action": "exclude image"}
    curate(small_study, {**image, "session": "d00", "view": "dorsal"}, {**image, "session": "d07"})
    (found,) = check_study(small_study, images=False).errors
    assert found.rule == "curation.nothing-left" and "exclude animal" in found.mend
    curate(small_study, {**image, "session": "d07"}, REJECT)
    (found,) = check_study(small_study, images=False).errors
    assert found.rule == "curation.image-excluded"


def test_future_times_and_a_bare_template_are_no_faults(small_study):
    curate(small_study, {**REJECT, "time": "2999-01-01T10:00"})
    assert not check_study(small_study, images=False).errors
    curate(small_study)
    checked = check_study(small_study, images=False)
    assert not checked.errors and checked.curation == ()


def refuse_added(session, corrections, settings):
    """As the real correction refuses a place off the animal."""
    if any(one.added for one in corrections):
        seen = f"nothing of the animal is there on {session.session}."
        finding = Finding("curation.off-body", Severity.ERROR, Place("curation.csv"), seen, "Correct y_mm and x_mm.")
        raise ImageError("a detection cannot be placed", [finding])
    return correct_by_pixel(session, corrections, settings)


def test_an_animal_that_fails_on_two_days_is_told_of_both_and_stops_alone(study):
    off = {"animal": "a1", "view": "dorsal", "action": "add", "kind": "lesion", "y_mm": 5.0, "x_mm": 4.0}
    curate(study, {**off, "session": "d00"}, {**off, "session": "d07"}, {**REJECT, "animal": "a2"})
    outcome = run(study, analysis=replace(TWO_SPOTS, correction=refuse_added))
    assert [one["status"] for one in outcome.animals.values()] == ["failed", "done", "done", "done"]
    told = outcome.animals["a1"]["reason"]
    assert "is there on d00" in told and "is there on d07" in told


def test_a_study_below_a_folder_called_curated(study, tmp_path):
    study = Path(shutil.move(study, tmp_path / "curated" / "study"))
    curate(study, REJECT)
    assert run(study).exit_code == 0
    sessions = load_results(study / "results").sessions
    assert all(view.probe.size for session in sessions for view in session.views)
    assert export_study(study, what=("images",)).files
