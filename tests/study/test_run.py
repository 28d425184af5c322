"""A whole run on the small study: the same bytes however it is run, faults that stop one animal, and what the files say."""

import json
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from cheap_step import broken_follow_for_a2, broken_for_a2, cheap_follow, cheap_step, slow_step
from small_study import counts_of, image
from stored_results import hashes, table

from lampyris.core.errors import InputError, LampyrisError, UsageError
from lampyris.io.durable import StudyLock, sha256_file
from lampyris.io.images.ome.tiff import write_ome_tiff
from lampyris.study.assemble import load_results
from lampyris.study.run import MANIFEST, Analysis, render_again, run_study


def manifest(study):
    return json.loads((study / "results" / MANIFEST).read_text())["files"]


@pytest.fixture(scope="module")
def whole(_written_study, tmp_path_factory):
    """An uninterrupted run with the slow step, its hashes, and how long its sessions and report took."""
    study = Path(shutil.copytree(_written_study, tmp_path_factory.mktemp("whole") / "study"))
    outcome = run_study(study, workers=1, analysis=Analysis(slow_step, cheap_follow))
    assert outcome.exit_code == 0
    return study, hashes(study), outcome.seconds["total"]


PART = ("a1", "a2")


@pytest.fixture(scope="module")
def part(_written_study, tmp_path_factory):
    """The same on one arm, which has no comparison to draw."""
    study = Path(shutil.copytree(_written_study, tmp_path_factory.mktemp("part") / "study"))
    outcome = run_study(study, workers=1, only=PART, analysis=Analysis(slow_step, cheap_follow))
    return study, hashes(study), outcome.seconds["total"]


def test_manifest_lists_every_file(whole):
    study, found, _ = whole
    listed = manifest(study)
    assert {name: entry["sha256"] for name, entry in listed.items()} | {MANIFEST: found[MANIFEST]} == found
    assert all(entry["bytes"] == (study / "results" / name).stat().st_size for name, entry in listed.items())


def test_raw_is_untouched(whole, _written_study):
    study, _, _ = whole
    for path in sorted(_written_study.rglob("*")):
        if path.is_file():
            assert sha256_file(path) == sha256_file(study / path.relative_to(_written_study))
    assert sorted(path.name for path in study.iterdir()) == sorted(
        [*(path.name for path in _written_study.iterdir()), "results"]
    )


def test_nothing_of_this_machine_or_moment_is_written(whole):
    study, found, _ = whole
    year = time.strftime("%Y-%m-%dT")
    for name in found:
        if name.endswith((".json", ".csv", ".svg", ".html")):
            text = (study / "results" / name).read_text(encoding="utf-8")
            assert str(study) not in text, name
            assert year not in text, name


def test_same_bytes_for_worker_processes(whole, small_study):
    run_study(small_study, workers=2, analysis=Analysis(slow_step, cheap_follow))
    assert hashes(small_study) == whole[1]


def test_same_bytes_for_threads(part, small_study):
    run_study(small_study, only=PART[::-1], analysis=Analysis(slow_step, cheap_follow))
    assert hashes(small_study) == part[1]


def test_same_bytes_for_shuffled_sheet(part, small_study):
    lines = (small_study / "samplesheet.csv").read_text().splitlines()
    rows = lines[1:]
    random.Random(1).shuffle(rows)
    (small_study / "samplesheet.csv").write_text("\n".join([lines[0], *rows]) + "\n")
    run_study(small_study, workers=1, only=PART, analysis=Analysis(slow_step, cheap_follow))
    expected, found = part[1], hashes(small_study)
    # what cites the sheet's own hash differs; no result does
    changed = {name for name in expected if found[name] != expected[name]}
    assert changed <= {"study.json", "record.json", "report.html", "ro-crate-metadata.json", MANIFEST}
    assert set(found) == set(expected)


def test_killed_runs_resume_to_the_same_bytes(part, small_study):
    """SIGKILL at five random moments, in one thread and with worker processes by turns."""
    _, expected, seconds = part
    rng = random.Random(7)
    script = str(Path(__file__).with_name("killed_run.py"))
    for workers in "12121":
        with subprocess.Popen([sys.executable, script, str(small_study), workers], stdout=subprocess.PIPE) as child:
            assert child.stdout.readline() == b"begun\n"
            time.sleep(rng.uniform(0.05, 0.8 * seconds))
            child.send_signal(signal.SIGKILL)
            child.wait()
        assert not (small_study / "results" / MANIFEST).exists() or hashes(small_study) == expected
    run_study(small_study, only=PART, analysis=Analysis(slow_step, cheap_follow))
    assert hashes(small_study) == expected


def test_second_run_does_nothing_again(whole):
    study, expected, _ = whole
    before = {path: path.stat().st_mtime_ns for path in (study / "results").rglob("*") if path.name != MANIFEST}

    def say(done, total, text):
        said.append((done, total, text))

    said = []
    run_study(study, workers=1, analysis=Analysis(slow_step, cheap_follow), progress=say)
    after = {path: path.stat().st_mtime_ns for path in (study / "results").rglob("*") if path.name != MANIFEST}
    # directories change with the manifest beside them
    assert {p: t for p, t in after.items() if p.is_file()} == {p: t for p, t in before.items() if p.is_file()}
    assert hashes(study) == expected
    # eight sessions, four animals and the report
    assert [done for done, _, _ in said] == list(range(1, 14))
    assert (said[0], said[8], said[-1]) == ((1, 13, "a1 d00"), (9, 13, "a1"), (13, 13, "report"))


def test_render_again_gives_the_same_bytes(part):
    study, expected, _ = part
    assert render_again(study) == study / "results/report.html"
    assert hashes(study) == expected


def test_what_the_tables_hold(whole):
    study, _, _ = whole
    outcomes = table(study, "outcomes")
    assert [(row["animal"], row["day"]) for row in outcomes] == [
        (animal, day) for animal in ("a1", "a2", "b1", "b2") for day in ("0.0", "7.0")
    ]
    assert all(float(row["total_flux_low"]) < float(row["total_flux"]) for row in outcomes)
    detections = table(study, "detections")
    assert len(detections) == 8
    assert {row["region"] for row in detections} == {"liver"}
    assert len(table(study, "limits")) == 16
    assert table(study, "pairs") == []
    assert {row["lesion"] for row in detections} == {"1"}
    assert [(row["animal"], row["lesion"], row["organ"]) for row in table(study, "lesions")] == [
        (animal, "1", "liver") for animal in ("a1", "a2", "b1", "b2")
    ]
    assert [row["session"] for row in table(study, "sightings")] == ["d00", "d07"] * 4
    assert len(table(study, "burden")) == 8
    assert {row["group"] for row in table(study, "comparisons")} == {"targeted", "untargeted"}


def test_crate_is_sound(whole):
    study, found, _ = whole
    crate = json.loads((study / "results/ro-crate-metadata.json").read_text())
    entities = {entity["@id"]: entity for entity in crate["@graph"]}
    assert len(entities) == len(crate["@graph"])
    assert entities["ro-crate-metadata.json"]["about"] == {"@id": "./"}
    root = entities["./"]
    assert root["datePublished"] == "2026-03-09"
    assert root["conformsTo"] == {"@id": "https://w3id.org/ro/wfrun/process/0.5"}
    action = entities["#analysis"]
    for reference in [*root["hasPart"], *action["object"], *action["result"], action["instrument"]]:
        assert reference["@id"] in entities
    for part in root["hasPart"]:
        path = study / "results" / part["@id"]
        assert path.is_dir() if part["@id"].endswith("/") else found[part["@id"]] == entities[part["@id"]]["sha256"]
    names = {entities[reference["@id"]]["name"] for reference in action["object"]}
    assert {"study.toml", "samplesheet.csv", "animals.csv", "raw/a1_d00.ome.tif", "raw/flat.ome.tif"} <= names
    assert "endTime" not in action


def test_record_and_methods(whole):
    study, _, _ = whole
    results = load_results(study / "results")
    assert results.record.inputs["raw/dark.ome.tif"] == sha256_file(study / "raw/dark.ome.tif")
    assert results.record.options["analysis"]["false_alarms_per_session"] == 0.02
    text = " ".join(results.methods)
    for part in ("0.02 false alarms", "Worsley 1996", "0.5 mm per pixel", "95 %"):
        assert part in text
    assert list(results.groups) == ["targeted", "untargeted"]
    assert [session.day for session in results.sessions] == [0.0, 7.0] * 4


def test_a_broken_image_stops_its_animal_only(part, small_study):
    _, expected, _ = part
    path = small_study / "raw/a2_d07.ome.tif"
    intact = path.read_bytes()
    path.write_bytes(intact[:200])
    outcome = run_study(small_study, workers=1, only=PART, analysis=Analysis(slow_step, cheap_follow))
    assert outcome.exit_code == 4
    assert [animal["status"] for animal in outcome.animals.values()] == ["done", "failed"]
    assert "d07" in outcome.animals["a2"]["reason"]
    assert {row["animal"] for row in table(small_study, "detections")} == {"a1"}
    assert [row["status"] for row in table(small_study, "outcomes") if row["animal"] == "a2"] == ["failed"]
    found = hashes(small_study)
    same = {name for name in expected if name.startswith(("sub-a1", "sub-a2/ses-d00"))}
    assert {name: found[name] for name in same} == {name: expected[name] for name in same}
    assert not (small_study / "results/sub-a2/ses-d07").exists()
    findings = load_results(small_study / "results").findings
    assert any(finding.rule == "animal.failed" and "a2, d07" in finding.seen for finding in findings)
    assert any(finding.rule.startswith("image.") and finding.place.file == "raw/a2_d07.ome.tif" for finding in findings)
    path.write_bytes(intact)
    assert run_study(small_study, workers=1, only=PART, analysis=Analysis(slow_step, cheap_follow)).exit_code == 0
    assert hashes(small_study) == expected


def test_an_image_that_breaks_later_leaves_no_old_result(part, tmp_path):
    study = Path(shutil.copytree(part[0], tmp_path / "study"))
    counts = np.full((2, 12, 10), 65535, np.uint16)
    counts[:, 0] = 20
    write_ome_tiff(study / "raw/a2_d00.ome.tif", image(0, counts=counts))
    outcome = run_study(study, workers=1, only=PART, analysis=Analysis(slow_step, cheap_follow))
    assert outcome.exit_code == 4
    assert outcome.animals["a2"]["reason"].startswith("d00: raw/a2_d00.ome.tif is saturated")
    assert not any(name.startswith("sub-a2/ses-d00") for name in hashes(study))
    assert "sub-a2/ses-d07/session.json" in manifest(study)
    assert {session.animal for session in load_results(study / "results").sessions} == {"a1"}


def test_any_error_of_the_step_stops_its_animal_only(small_study):
    outcome = run_study(small_study, workers=1, only=PART, analysis=Analysis(broken_for_a2, cheap_follow))
    assert outcome.exit_code == 4
    assert outcome.animals["a2"]["reason"].startswith("d00: RuntimeError: cannot read")
    assert outcome.animals["a1"]["status"] == "done"


def test_faults_of_sheets_stop_before_anything(small_study):
    text = (small_study / "samplesheet.csv").read_text()
    (small_study / "samplesheet.csv").write_text(text.replace(",b1,745", ",b3,745"))
    with pytest.raises(InputError, match="8 faults") as caught:
        run_study(small_study, analysis=Analysis(cheap_step, cheap_follow))
    assert caught.value.exit_code == 3
    assert len(caught.value.findings) == 8
    assert not (small_study / "results").exists()


def test_an_animal_that_cannot_be_followed_stops_only_itself(part, tmp_path):
    study = Path(shutil.copytree(part[0], tmp_path / "study"))
    outcome = run_study(study, workers=1, only=PART, analysis=Analysis(slow_step, broken_follow_for_a2))
    assert outcome.exit_code == 4
    assert [animal["status"] for animal in outcome.animals.values()] == ["done", "failed"]
    assert outcome.animals["a2"]["reason"] == "following: ValueError: cannot follow results/sub-a2/ses-d00"
    results = load_results(study / "results")
    assert {session.animal for session in results.sessions} == {"a1"}
    assert any(one.rule == "animal.failed" and "a2 could not be followed" in one.seen for one in results.findings)
    # its sessions wait for a later run
    assert "sub-a2/ses-d07/session.json" in manifest(study)
    assert run_study(study, workers=1, only=PART, analysis=Analysis(slow_step, cheap_follow)).exit_code == 0
    assert hashes(study) == part[1]


def test_animals_are_followed(whole):
    study, _, _ = whole
    results = load_results(study / "results")
    for outcome in results.outcomes:
        (lesion,) = outcome.lesions
        assert [one.session for one in lesion.sightings] == ["d00", "d07"]
        assert outcome.endpoints.days == outcome.days == (0.0, 7.0)
        assert [len(session) for session in outcome.registrations] == [1, 1]
    assert {one.group for one in results.reach} == {"targeted", "untargeted"}
    told = {one.seen for one in results.findings if one.rule == "follow.cheap"}
    # the peak of each photograph is 1; no arm is a control
    assert told == {
        f"{name}: brightest 1.00, 0 controls, c{place % 2}." for place, name in enumerate(("a1", "a2", "b1", "b2"))
    }


def test_controls_go_into_every_animal_but_themselves(small_study):
    def become_control(name, *changes):
        text = (small_study / name).read_text()
        for old, new in changes:
            text = text.replace(old, new)
        (small_study / name).write_text(text)

    become_control("study.toml", ('title = "Untargeted dot"\nprobe = "qd"', 'role = "control"'))
    lines = (small_study / "samplesheet.csv").read_text().splitlines()
    lines = [line.replace(",qd,L1", ",,") if line.startswith("b") else line for line in lines]
    (small_study / "samplesheet.csv").write_text("\n".join(lines) + "\n")
    run_study(small_study, workers=1, analysis=Analysis(cheap_step, cheap_follow))
    results = load_results(small_study / "results")
    told = sorted(one.seen.split(", ")[1] for one in results.findings if one.rule == "follow.cheap")
    # two controls of two sessions each: a labelled animal is given both, a control the other
    assert told == ["2 controls", "2 controls", "4 controls", "4 controls"]
    record = json.loads((small_study / "results/sub-a1/record.json").read_text())
    assert set(record["inputs"]) == {
        f"results/sub-{name}/ses-{session}/record.json" for name in ("a1", "b1", "b2") for session in ("d00", "d07")
    }
    before = hashes(small_study)
    # a control that changes is looked at again by all that it speaks for, and by nobody else's images
    path = small_study / "raw/b1_d00.ome.tif"
    write_ome_tiff(path, image(counts_of(2, 3)))
    run_study(small_study, workers=1, analysis=Analysis(cheap_step, cheap_follow))
    after = hashes(small_study)
    changed = {name for name in before if after[name] != before[name] and name.startswith("sub-")}
    records = {f"sub-{name}/record.json" for name in ("a1", "a2", "b1", "b2")}
    assert {name for name in changed if "ses-" not in name} - {"sub-b1/animal.json"} == records
    assert all(name.startswith("sub-b1/ses-d00") for name in changed if "ses-" in name)


def test_only_one_animal(part, tmp_path):
    study = Path(shutil.copytree(part[0], tmp_path / "study"))
    outcome = run_study(study, workers=1, only="a1", analysis=Analysis(slow_step, cheap_follow))
    assert list(outcome.animals) == ["a1"]
    assert {name.split("/")[0] for name in manifest(study) if name.startswith("sub-")} == {"sub-a1"}
    assert any(finding.rule == "run.only" for finding in load_results(study / "results").findings)
    assert json.loads((study / "results/study.json").read_text())["record"]["command"].endswith("--only a1")
    # the other's results wait on disk for the next run
    assert (study / "results/sub-a2/ses-d00/session.json").exists()


def test_only_an_unknown_animal(small_study):
    with pytest.raises(UsageError, match="has no animal zz"):
        run_study(small_study, only="zz", analysis=Analysis(cheap_step, cheap_follow))
    with pytest.raises(UsageError, match="at least 1"):
        run_study(small_study, workers=0, analysis=Analysis(cheap_step, cheap_follow))


def test_excluded_and_removed_animals_leave_the_results(part, tmp_path):
    study = Path(shutil.copytree(part[0], tmp_path / "study"))
    shutil.copytree(study / "results/sub-a2", study / "results/sub-gone")
    (study / "results/sub-a1/ses-d00/stray.txt").write_text("?")
    (study / "results/notes.txt").write_text("the reader's own")
    animals = (study / "animals.csv").read_text()
    (study / "animals.csv").write_text(
        animals.replace("a2,targeted,c1,tail vein,,,", "a2,targeted,c1,tail vein,yes,anaesthesia failed,R. Vet")
    )
    outcome = run_study(study, workers=1, only=PART, analysis=Analysis(slow_step, cheap_follow))
    assert outcome.exit_code == 0
    reason = "anaesthesia failed (R. Vet)"
    assert outcome.animals["a2"] == {"group": "targeted", "status": "excluded", "reason": reason}
    found = set(hashes(study))
    assert {name.split("/")[0] for name in found if name.startswith("sub-")} == {"sub-a1", "sub-a2"}
    assert {name for name in found if name.startswith("sub-a2")} == {"sub-a2/animal.json", "sub-a2/record.json"}
    assert "sub-a1/ses-d00/stray.txt" not in found
    # what Lampyris did not make is not its to remove
    assert "notes.txt" in found
    assert "notes.txt" not in manifest(study)


def test_force_makes_the_same_again(part, tmp_path):
    study = Path(shutil.copytree(part[0], tmp_path / "study"))
    path = study / "results/sub-a1/ses-d00/session.json"
    before = path.stat().st_mtime_ns
    run_study(study, workers=1, only=PART, analysis=Analysis(slow_step, cheap_follow), force=True)
    assert path.stat().st_mtime_ns > before
    assert hashes(study) == part[1]


def test_a_smaller_report_does_not_stay(part, tmp_path):
    study = Path(shutil.copytree(part[0], tmp_path / "study"))
    render_again(study, image_budget_mb=0.001)
    assert manifest(study)["report.html"]["sha256"] == sha256_file(study / "results/report.html")
    run_study(study, workers=1, only=PART, analysis=Analysis(slow_step, cheap_follow))
    assert hashes(study) == part[1]


def test_render_again_needs_complete_results(small_study):
    with pytest.raises(LampyrisError, match="no report can be rendered"):
        render_again(small_study)


def test_two_runs_do_not_meet(small_study):
    with StudyLock(small_study), pytest.raises(LampyrisError, match="in use"):
        run_study(small_study, analysis=Analysis(cheap_step, cheap_follow))


def test_a_growth_that_is_stated_later_reaches_the_animals_and_no_session(part, tmp_path):
    study = Path(shutil.copytree(part[0], tmp_path / "study"))
    with (study / "study.toml").open("a") as stream:
        stream.write('\n[growth]\nmodel = "exponential"\ndoubling_days = 2.5\ndoubling_log_sd = 0.3\n')
    run_study(study, workers=1, only=PART, analysis=Analysis(slow_step, cheap_follow))
    before, after = part[1], hashes(study)
    changed = {name for name in before if after[name] != before[name] and name.startswith("sub-")}
    assert changed == {"sub-a1/record.json", "sub-a2/record.json"}
