"""A virtual study whose organs lie on trays, from `run` to its report; the living animals are analysed by cheap steps."""

import csv
import json
import math
import shutil
import sys
from pathlib import Path

import pytest

from lampyris.study.assemble import load_results
from lampyris.study.check import check_study
from lampyris.study.export.take import export_study
from lampyris.study.exvivo.stored import LONGEST_SHOWN, read_tray
from lampyris.study.graph.tasks import hash_files
from lampyris.study.run import Analysis, render_again, run_study
from lampyris.virtual.design import read_design
from lampyris.virtual.simulate import simulate_study
from lampyris.virtual.truth import read_truth

# the cheap steps must be importable by name, in worker processes too
sys.path.insert(0, str(Path(__file__).parents[1]))

from cheap_step import cheap_follow, cheap_step

DESIGN = """\
name = "tiny"
days = [7]
views = ["dorsal"]

[arms.targeted]
title = "Targeted dot"
label = "injected"
probe = "targeted-dot"
animals = 2

[arms.control]
title = "Not injected"
role = "control"
animals = 1

[injections.targeted-dot]
dose_pmol = 20
blood_half_life_h = 10
washout_half_life_h = 200
lesion_percent_per_gram = 10
liver_spleen_percent = 30

[world]
voxel_mm = 1.6

[exvivo]
trays = true

[histology]
sections = 1
organs = ["liver"]
field_um = 130.0
enrichment = 600.0
glass_share = 0.1
"""
TARGETED, CONTROL = "results/assays/targeted-tray1_organs", "results/assays/control-tray1_organs"


def run(study, *, workers=1, **options):
    return run_study(study, workers=workers, analysis=Analysis(cheap_step, cheap_follow), **options)


def copied(study, folder):
    """The study anew, files linked; what is written over is put in place of its link."""
    return Path(shutil.copytree(study, folder, copy_function=lambda a, b: Path(b).hardlink_to(a)))


def replaced(path, data):
    path.unlink()
    path.write_bytes(data)


@pytest.fixture(scope="module")
def raw(tmp_path_factory):
    folder = tmp_path_factory.mktemp("exvivo-run")
    (folder / "tiny.toml").write_text(DESIGN, encoding="utf-8")
    return simulate_study(folder / "study", seed=3, design=read_design(folder / "tiny.toml"))


@pytest.fixture(scope="module")
def done(raw, tmp_path_factory):
    """The study, run; its truth is not there."""
    study = copied(raw.study, tmp_path_factory.mktemp("exvivo-done") / "study")
    assert run(study).exit_code == 0
    return study


@pytest.fixture(scope="module")
def results(done):
    return load_results(done / "results", images=False)


def test_the_answer_holds_the_truth(raw, results):
    true = {(one.animal, one.organ): one for tray in read_truth(raw.truth).trays for one in tray.organs}
    labelled = [one for one in results.exvivo.organs if one.probe]
    assert len(labelled) == 16 and len(results.exvivo.organs) == len(true)
    shares = [(one.percent_dose_per_gram, true[one.animal, one.organ].percent_dose_per_gram) for one in labelled]
    # of 16 intervals of 95 %, fewer than 12 hold with a chance of 1 in 10,000
    assert sum(share.low <= value <= share.high for share, value in shares) >= 12
    overall = next(one for one in results.exvivo.agreements if not one.organ and one.b == "icp-ms")
    assert (overall.animals, overall.pairs) == (2, 16) and overall.ratio.low < 1 < overall.ratio.high
    # one labelled arm alone is compared with none
    assert results.exvivo.comparisons == () and results.findings


def test_the_living_animal_is_laid_beside_its_organs(results):
    pairs = results.exvivo.pairs["in vivo"]
    assert {(pair.animal, pair.organ) for pair in pairs} == {("m01", "liver"), ("m02", "liver"), ("m03", "liver")}
    # every animal's glow is the cheap step's 50; the organs of the control show nothing and are bounds
    told = {pair.animal: pair for pair in pairs}
    assert told["m01"].a.value >= 50 and told["m01"].b.value > 1e6
    assert math.isnan(told["m03"].b.value) and told["m03"].b.high > 0


def test_sections_are_counted_and_judge_the_living_call(done, results):
    found = results.histology
    assert {(one.animal, one.control) for one in found.sections} == {("m01", False), ("m02", False), ("m03", True)}
    assert found.synthetic and found.controls[2] == 1
    calls = {one.animal: one for one in found.calls}
    # the cheap step's onset of the liver is a call where a lesion was seen; a control judges none
    assert set(calls) == {"m01", "m02"} and {one.organ for one in found.calls} == {"liver"}
    onsets = {one.animal: one.endpoints.onsets[0] for one in results.outcomes}
    for animal, call in calls.items():
        assert (call.called is True) == math.isfinite(onsets[animal].by_day)
    section = (done / "results/report.html").read_text(encoding="utf-8").partition('<section id="exvivo"')[2]
    assert "<h3>Sections</h3>" in section and (done / "results/tables/organ_calls.csv").is_file()


def test_the_report_and_the_tables_show_them(done):
    page = (done / "results/report.html").read_text(encoding="utf-8")
    section = page.partition('<section id="exvivo"')[2].partition("</section>")[0]
    assert "Light and mass spectrometry" in section and "In vivo and on the tray" in section
    assert section.count("data:image/png") == 4 and "Needs action" not in section
    assert "Excised organs: most per gram in the " in page and "organs of 2 animals" in page
    assert "Excised organs. Organs were imaged on 2 trays" in page
    for name in ("organs", "tray-1", "tray-2", "organs-icp-ms", "organs-agreement", "organs-in-vivo"):
        assert (done / f"results/figures/{name}.svg").is_file()
    with (done / "results/tables/organs.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 23
    # an organ without probe has no share: an empty cell, never 0
    assert {row["percent_dose_per_gram"] for row in rows if row["group"] == "control"} == {""}


def test_everything_is_listed_described_and_taken_along(done, tmp_path):
    listed = json.loads((done / "results/manifest.json").read_text(encoding="utf-8"))["files"]
    assert {
        "assays/targeted-tray1_organs/tray.json",
        "assays/sections/sections.json",
        "tables/organs.csv",
        "tables/mass_balance.parquet",
    } <= set(listed)
    crate = (done / "results/ro-crate-metadata.json").read_text(encoding="utf-8")
    assert "assays/control-tray1_organs/tray.ome.zarr" in crate and "assays/targeted-tray1_organs/tray.json" in crate
    inputs = json.loads((done / "results/study.json").read_text(encoding="utf-8"))["record"]["inputs"]
    assert {"assays.csv", "organs.csv", "exvivo/icp-ms.csv", "exvivo/raw/targeted-tray1_organs.ome.tiff"} <= set(inputs)
    taken = export_study(done, to=tmp_path / "taken", what=("tables",))
    assert {"tables/organs.csv", "tables/exvivo_agreement.csv", "tables/icp_ms.csv"} <= set(taken.files)
    note = (tmp_path / "taken/README.txt").read_text(encoding="utf-8")
    # every column of the new tables is explained
    told = note.partition("tables/organs:")[2].partition("tables/methods_checks:")[0]
    bare = [line for line in told.splitlines() if line.startswith("  ") and ": " not in line]
    assert told and not bare
    assert "Flags of organs" in note


def test_resumes_and_gives_the_same_bytes_with_two_workers(done, tmp_path):
    whole = hash_files(done, ["results"])
    study = copied(done, tmp_path / "study")
    # one tray is missing, the other half written, as a killed run leaves them; all else stays
    shutil.rmtree(study / CONTROL)
    replaced(study / TARGETED / "tray.json", b"{")
    kept = (study / "results/sub-m01/animal.json").stat().st_mtime_ns
    run(study, workers=2)
    assert hash_files(study, ["results"]) == whole
    assert (study / "results/sub-m01/animal.json").stat().st_mtime_ns == kept


def test_rendering_again_gives_the_same_bytes(done, tmp_path):
    study = copied(done, tmp_path / "study")
    render_again(study)
    assert hash_files(study, ["results"]) == hash_files(done, ["results"])


def test_a_faulty_file_stops_only_itself(done, tmp_path):
    study = copied(done, tmp_path / "study")
    image, table = study / "exvivo/raw/targeted-tray1_organs.ome.tiff", study / "exvivo/icp-ms.csv"
    replaced(image, image.read_bytes()[:5000])
    cut = study / "raw/sections/m02_liver_1.ome.tiff"
    replaced(cut, cut.read_bytes()[:300])
    lines = table.read_text(encoding="utf-8").splitlines()
    lines[2] = lines[2].replace(",10,", ",ten,", 1)
    replaced(table, "\n".join(lines).encode())
    check = check_study(study)
    assert not check.sheet_errors
    assert {one.rule.partition(".")[0] for one in check.image_errors} == {"image", "icp"}
    outcome = run(study)
    assert outcome.exit_code == 4 and len(outcome.failed_assays) == 3
    assert {one["status"] for one in outcome.animals.values()} == {"done"}
    left = load_results(outcome.results, images=False)
    assert {one.group for one in left.exvivo.organs} == {"control"} and not left.exvivo.references
    assert {one.animal for one in left.histology.sections} == {"m01", "m03"}
    told = [one for one in left.findings if one.rule == "exvivo.failed"]
    assert len(told) == 1 and "targeted-tray1" in told[0].place.file
    assert not (study / TARGETED / "tray.json").exists()
    assert "Needs action" in outcome.report.read_text(encoding="utf-8")


def test_excluded_animals_are_measured_and_left_out(done, tmp_path):
    study = copied(done, tmp_path / "study")
    sheet = study / "animals.csv"
    names, *lines = sheet.read_text(encoding="utf-8").splitlines()
    place = {name: k for k, name in enumerate(names.split(","))}
    cells = [line.split(",") for line in lines]
    for row in cells:
        if row[place["animal"]] == "m02":
            row[place["excluded"]], row[place["exclusion_reason"]] = "yes", "dose leaked"
            row[place["exclusion_author"]] = "AB"
    replaced(sheet, "\n".join([names, *(",".join(row) for row in cells)]).encode())
    before = (study / TARGETED / "record.json").stat().st_mtime_ns
    outcome = run(study)
    whole = load_results(outcome.results, images=False)
    found, sections = whole.exvivo, whole.histology
    assert len(sections.sections) == 3 and {one.animal for one in sections.organs} == {"m01", "m03"}
    assert {one.animal for one in found.organs} == {"m01", "m02", "m03"}
    assert {one.animal for one in found.balances} == {"m01"} and found.exclusions[0].reason == "dose leaked"
    # who is left out changes no measurement
    assert (study / TARGETED / "record.json").stat().st_mtime_ns == before
    assert "m02 (dose leaked)" in outcome.report.read_text(encoding="utf-8")


def test_a_study_without_assays_is_as_it_was(done, tmp_path):
    study = copied(done, tmp_path / "study")
    for name in ("assays.csv", "organs.csv", "section_landmarks.csv"):
        (study / name).unlink(missing_ok=True)
    outcome = run(study)
    found = load_results(outcome.results, images=False)
    assert outcome.exit_code == 0 and found.exvivo is None and found.histology is None
    assert not (outcome.results / "assays").exists() and not (outcome.results / "tables/organs.csv").exists()
    assert 'id="exvivo"' not in outcome.report.read_text(encoding="utf-8")


def test_pictures_are_made_smaller_and_outlines_stay_in_place(done):
    whole, small = read_tray(done / TARGETED), read_tray(done / TARGETED, longest=100)
    assert max(whole.photo.shape) <= LONGEST_SHOWN and whole.first_mm == 0.0
    count = round(small.pixel_mm / whole.pixel_mm)
    assert max(small.photo.shape) <= 100 and count > 1
    # the middle of the first pixel is that of those that were joined
    assert small.first_mm == pytest.approx(0.5 * (count - 1) * whole.pixel_mm)
    assert small.probe.sum() == pytest.approx(whole.probe.sum() / count**2, rel=0.05)
    assert small.organs == whole.organs
