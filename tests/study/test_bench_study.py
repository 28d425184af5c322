"""The bench of a study: bench.csv to tables, figures and the report, with a technique that fails, resumed, and its faults placed."""

import json

import numpy as np
import pytest
from cheap_step import cheap_follow, cheap_step
from small_study import write_small_study
from stored_results import hashes, table

from lampyris.core.schemas import BenchRow
from lampyris.probe.photophysics.bleaching import Bleaching
from lampyris.study.assemble import load_results
from lampyris.study.check import check_study
from lampyris.study.dot.groups import file_groups
from lampyris.study.run import Analysis, render_again, run_study
from lampyris.study.tables.bench import bench_tables
from lampyris.study.tables.meanings import column_meaning
from lampyris.virtual.instruments.photostability import TraceTruth, write_virtual_traces
from lampyris.virtual.instruments.spectra import SpectrumTruth, write_virtual_emission

SHEET = """\
technique,file,probe,lot,replicate,role,sample
photoluminescence,bench/pl1.csv,,L1,1,,dot
photoluminescence,bench/pl2.csv,,L1,2,,dot
photoluminescence,bench/pl3.csv,,L2,,,dot
photostability,bench/light.csv,qd,L1,,,
absorption,bench/broken.csv,qd,L1,,,
"""
OPTIONS = """
[bench.photoluminescence]
profile = "gaussian"
calibration_nm = 0.2

[probes.qd.photostability]
retained_percent = 50
minutes = 60
"""


def write_bench(study):
    """Two lots of an 810 nm dot in a study that says 800 nm; a file that is no spectrum."""
    rng = np.random.default_rng(7)
    (study / "bench").mkdir()
    for number, nm in enumerate((810.0, 810.0, 812.0), start=1):
        write_virtual_emission(study / f"bench/pl{number}.csv", SpectrumTruth(emission_nm=nm), rng=rng)
    truth = TraceTruth(Bleaching("single", 700.0))
    write_virtual_traces(study / "bench/light.csv", {"dot": (truth, truth)}, rng=rng, every_min=2.0)
    (study / "bench/broken.csv").write_text("nothing of use\n")
    (study / "bench.csv").write_text(SHEET)
    settings = study / "study.toml"
    settings.write_text(settings.read_text() + OPTIONS)
    return study


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    study = write_bench(write_small_study(tmp_path_factory.mktemp("bench") / "study"))
    outcome = run_study(study, workers=1, analysis=Analysis(cheap_step, cheap_follow))
    return study, outcome


def test_one_that_fails_stops_no_other(done):
    study, outcome = done
    assert outcome.exit_code == 4 and len(outcome.failed_assays) == 1
    assert outcome.failed_assays[0].startswith("absorption of qd, lot L1:")
    results = load_results(study / "results", images=False)
    told = [one for one in results.findings if one.rule == "bench.failed"]
    assert [(one.place.file, one.place.row) for one in told] == [("bench.csv", 6)]
    assert any(one.place.file == "bench/broken.csv" for one in results.findings)
    assert {row["technique"] for row in table(study, "bench")} == {"photoluminescence", "photostability"}


def test_numbers_come_with_interval_unit_and_what_was_replicated(done):
    rows = {(row["lot"], row["quantity"]): row for row in table(done[0], "bench") if row["sample"] == "(pooled)"}
    first, second = rows["L1", "peak_nm"], rows["L2", "peak_nm"]
    # per nm the maximum lies 1.25 nm below the middle in photon energy: twice the variance over the energy
    assert float(first["value"]) == pytest.approx(808.75, abs=0.3)
    assert float(first["low"]) < float(first["value"]) < float(first["high"])
    assert (first["unit"], first["n"], first["replicate"]) == ("nm", "2", "2 spectra of one sample")
    assert (second["n"], second["replicate"]) == ("1", "spectra: 1")
    light = rows["L1", "retained_60min"]
    assert float(light["low"]) < np.exp(-60 / 700) < float(light["high"])


def test_lots_are_averaged_and_laid_beside_what_is_stated(done):
    study = done[0]
    lots = {row["quantity"]: row for row in table(study, "bench_lots")}
    assert lots["peak_nm"]["lots"] == "2"
    assert float(lots["peak_nm"]["mean"]) == pytest.approx(809.75, abs=0.3)
    stated = {row["key"]: row for row in table(study, "bench_stated")}
    assert float(stated["probes.qd.emission_nm"]["difference"]) == pytest.approx(9.75, abs=0.3)
    # two lots that differ by 2 nm: Student's interval with one degree of freedom reaches 12.7 nm either way
    assert stated["probes.qd.emission_nm"]["inside"] == "yes"
    assert stated["probes.qd.photostability.retained_percent"]["inside"] == "no"


def test_figures_and_page(done):
    study = done[0]
    figures = {path.name for path in (study / "results/figures/bench").iterdir()}
    assert {"photoluminescence-qd-L1.svg", "photoluminescence-qd-L2.svg", "photostability-qd-L1.svg"} <= figures
    page = (study / "results/report.html").read_text()
    section = page[page.index('<section id="dot"') :]
    section = section[: section.index("</section>")]
    for words in (
        "2 spectra of one sample", "outside the interval", "Needs action", "How it came about", "photoluminescence: peak per eV",
        "photostability: model",
    ):  # fmt: skip
        assert words in section
    assert any("characterised from the instruments" in one for one in load_results(study / "results").methods)


def test_the_bench_stands_in_record_crate_and_manifest(done):
    results = done[0] / "results"
    crate = (results / "ro-crate-metadata.json").read_text()
    listed = json.loads((results / "manifest.json").read_text())["files"]
    for name in ("bench/photoluminescence-qd-L1/bench.json", "tables/bench.csv", "tables/bench.parquet"):
        assert name in listed
    assert "bench/photoluminescence-qd-L1/bench.json" in crate
    inputs = load_results(results, images=False).record.inputs
    assert {"bench.csv", "bench/pl1.csv", "bench/light.csv"} <= set(inputs)


def test_run_again_measures_nothing_and_rendering_gives_the_same_bytes(done, monkeypatch):
    study = done[0]
    before = hashes(study)
    monkeypatch.setattr("lampyris.study.dot.task.stored_bench", lambda *_: pytest.fail("measured again"))
    run_study(study, workers=1, analysis=Analysis(cheap_step, cheap_follow))
    assert hashes(study) == before
    render_again(study)
    assert hashes(study) == before


def _row(line, technique="dls", probe="", lot="", role=""):
    return BenchRow(line, technique, f"f{line}", probe, lot, "", role, "")


GROUPS = {
    "one probe is meant where none is named": ([_row(2), _row(3, probe="qd")], ("qd",), {("qd", ""): [2, 3]}),
    "lots apart": ([_row(2, lot="a"), _row(3, lot="b")], ("qd",), {("qd", "a"): [2], ("qd", "b"): [3]}),
    "a role without lot is of all lots": (
        [_row(2, role="response"), _row(3, lot="a"), _row(4, lot="b")],
        ("qd",),
        {("qd", "a"): [2, 3], ("qd", "b"): [2, 4]},
    ),
    "a role of one lot": (
        [_row(2, role="response", lot="a"), _row(3, lot="a"), _row(4, lot="b")],
        ("qd",),
        {("qd", "a"): [2, 3], ("qd", "b"): [4]},
    ),
    "files that all have roles": ([_row(2, role="empty"), _row(3, role="direct")], ("qd",), {("qd", ""): [2, 3]}),
    "a role of no probe is of every one": (
        [_row(2, role="correction"), _row(3, role="direct", probe="a"), _row(4, probe="b")],
        ("a", "b"),
        {("a", ""): [2, 3], ("b", ""): [2, 4]},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", GROUPS)
def test_files_are_measured_together(name):
    rows, probes, expected = GROUPS[name]
    found = {(one.probe, one.lot): [row.row for row in one.rows] for one in file_groups(rows, probes)}
    assert found == expected


FAULTS = {
    "unknown technique": ("photoluminescens,bench/a.csv,,,,,", "technique", "Did you mean"),
    "unknown role": ("photoluminescence,bench/a.csv,,,,blnk,", "role", "Write blank."),
    "a role where there is none": ("photostability,bench/a.csv,,,,blnk,", "role", "empty"),
    "unknown probe": ("absorption,bench/a.csv,qdd,,,,", "probe", "Write qd."),
    "file outside the study": ("absorption,../a.csv,,,,,", "file", ""),
    "missing file": ("absorption,bench/b.csv,,,,,", "file", "Correct the path."),
}


@pytest.mark.parametrize("name", FAULTS)
def test_faults_are_placed(name, tmp_path):
    line, column, mend = FAULTS[name]
    study = write_small_study(tmp_path / "study")
    (study / "bench").mkdir()
    (study / "bench/a.csv").write_text("x")
    (study / "bench.csv").write_text(f"technique,file,probe,lot,replicate,role,sample\n{line}\n")
    errors = [one for one in check_study(study, images=False).sheet_errors if one.place.file == "bench.csv"]
    assert [(one.place.row, one.place.column) for one in errors] == [(2, column)]
    assert mend in errors[0].mend


def test_one_file_twice_and_unknown_options_are_errors(tmp_path):
    study = write_small_study(tmp_path / "study")
    (study / "a.csv").write_text("x")
    row = "absorption,a.csv,,,,,\n"
    (study / "bench.csv").write_text("technique,file,probe,lot,replicate,role,sample\n" + row + row)
    errors = check_study(study, images=False).sheet_errors
    assert [(one.rule, one.place.row) for one in errors] == [("bench.duplicate", 3)]
    settings = study / "study.toml"
    settings.write_text(settings.read_text() + '\n[bench.photoluminescence]\nprofil = "voigt"\n[bench.quantum-yield]\n')
    errors = check_study(study, images=False).sheet_errors
    errors = [one for one in errors if one.place.file == "study.toml"]
    assert [one.place.column for one in errors] == ["bench.photoluminescence.profil"]
    assert errors[0].mend == "Did you mean profile?"


def test_every_column_says_what_it_means(done):
    tables = bench_tables(load_results(done[0] / "results", images=False).bench)
    unsaid = [f"{name}.{column}" for name, (columns, _, _) in tables.items() for column in columns]
    assert sorted(tables) == ["bench", "bench_lots", "bench_stated"]
    assert [one for one in unsaid if not column_meaning(*one.split(".", 1))] == []
