"""The command line: what it prints where, and its exit codes."""

import csv
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
import webbrowser
from importlib import resources
from pathlib import Path

import numpy as np
import pytest

from lampyris import cli
from lampyris.cli import command, machine, output, trials
from lampyris.core.errors import ImageError, InputError, LampyrisError, MissingExtraError, UsageError
from lampyris.core.finding import Finding, Place, Severity
from lampyris.virtual.design import read_design

VERBS = (
    "demo",
    "simulate",
    "init",
    "freeze",
    "unblind",
    "check",
    "run",
    "report",
    "assay",
    "bench",
    "export",
    "compare",
    "correlate",
    "agree",
    "survival",
    "power",
    "probe",
    "catalogue",
    "doctor",
)

FINDINGS = [
    Finding(
        "sheet.value",
        Severity.ERROR,
        Place("samplesheet.csv", 4, "exposure_s"),
        "Needs a number, got 'two'.",
        "Write 2.",
    ),
    Finding(
        "settings.unknown-key",
        Severity.ERROR,
        Place("study.toml", None, "analysis.voxel"),
        "No such key.",
        "Say voxel_mm.",
    ),
]


def call(monkeypatch, error, *words):
    """Exit code of `lampyris doctor` where the doctor raises."""

    def fail(options):
        raise error

    monkeypatch.setattr(machine, "_doctor", fail)
    return cli.main(["doctor", *words])


@pytest.mark.parametrize("verb", VERBS)
def test_help_of_every_verb(capsys, verb):
    assert cli.main([verb, "--help"]) == 0
    printed = capsys.readouterr()
    assert printed.out.startswith(f"usage: lampyris {verb}")
    assert printed.err == ""


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "VERB"),
        (["analyse"], "invalid choice"),
        (["run"], "DIR"),
        (["run", "x", "--workers", "0"], "whole number from 1"),
        (["run", "x", "--workers", "two"], "whole number from 1, got 'two'"),
        (["run", "x", "--forced"], "Did you mean --force?"),
        (["run", "x", "--colour", "red"], "unrecognized arguments: --colour red."),
        (["simulate", "x", "--seed", "-1"], "whole number from 0"),
        (["simulate", "x", "--format", "dicom"], "ome-tiff"),
        (["simulate", "x", "--animals-per-image", "11"], "invalid choice: 11"),
        (["report", "x", "--image-budget", "nan"], "megabytes"),
        (["report", "x", "--image-budget", "much"], "megabytes"),
    ],
)
def test_wrong_usage_is_2_and_says_why(capsys, words, said):
    assert cli.main(words) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert said in printed.err
    assert "--help" in printed.err


def test_wrong_usage_in_json(capsys):
    assert cli.main(["run", "--json"]) == 2
    document = json.loads(capsys.readouterr().out)
    assert "DIR" in document["errors"][0]["message"]


@pytest.mark.parametrize(
    ("kind", "code"), [(LampyrisError, 1), (MissingExtraError, 1), (UsageError, 2), (InputError, 3), (ImageError, 4)]
)
def test_each_error_has_its_exit_code(monkeypatch, capsys, kind, code):
    assert call(monkeypatch, kind("It failed.", FINDINGS)) == code
    printed = capsys.readouterr()
    assert printed.out == ""
    for part in ("It failed.", "samplesheet.csv, row 4, column exposure_s", "got 'two'", "Write 2.", "analysis.voxel"):
        assert part in printed.err


def test_errors_in_json_hold_every_fault(monkeypatch, capsys):
    assert call(monkeypatch, InputError("Two faults.", FINDINGS), "--json") == 3
    document = json.loads(capsys.readouterr().out)
    assert [entry["check"] for entry in document["errors"]] == ["sheet.value", "settings.unknown-key"]
    assert document["errors"][0] == {
        "check": "sheet.value",
        "where": "samplesheet.csv, row 4, column exposure_s",
        "message": "Needs a number, got 'two'.",
        "fix": "Write 2.",
        "file": "samplesheet.csv",
        "row": 4,
        "column": "exposure_s",
    }


def test_an_unexpected_error_is_one_line(monkeypatch, capsys):
    assert call(monkeypatch, OSError("no space\nleft")) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err == "lampyris: OSError: no space left (--traceback shows where)\n"


def test_an_unexpected_error_shows_where_when_asked(monkeypatch, capsys):
    assert call(monkeypatch, OSError("no space left"), "--traceback", "--json") == 1
    printed = capsys.readouterr()
    assert "Traceback" in printed.err
    assert "in fail" in printed.err
    assert json.loads(printed.out)["errors"][0]["message"] == "OSError: no space left"


def test_an_interruption_is_told_in_one_line(monkeypatch, capsys):
    assert call(monkeypatch, KeyboardInterrupt()) == 1
    assert "interrupted" in capsys.readouterr().err


def test_a_reader_that_leaves_early_is_no_error():
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "-m", "lampyris", "--print-completion", "bash"]
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        process.stdout.close()
        stderr = process.stderr.read()
    assert process.returncode == 1
    assert stderr == ""


def test_doctor_in_json_is_one_document(capsys):
    assert cli.main(["doctor", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["packages"]["numpy"] == np.__version__


@pytest.mark.parametrize("shell", command.SHELLS)
def test_completion_knows_the_verbs(capsys, shell):
    assert cli.main(["--print-completion", shell]) == 0
    printed = capsys.readouterr().out
    for verb in VERBS:
        assert verb in printed
    assert "--image-budget" in printed


def test_bash_completes(tmp_path):
    """The script works in the shell it is for."""
    done = subprocess.run(
        [sys.executable, "-m", "lampyris", "--print-completion", "bash"], capture_output=True, text=True, check=True
    )
    script = tmp_path / "completion"
    script.write_text(done.stdout)
    body = f'source {script}; COMP_WORDS=(lampyris si); COMP_CWORD=1; _shtab_lampyris; echo "${{COMPREPLY[@]}}"'
    shell = subprocess.run(["bash", "-c", body], capture_output=True, text=True, check=True)
    assert shell.stdout.split() == ["simulate"]


def test_completion_of_a_figure_is_a_file(capsys):
    assert cli.main(["--print-completion", "bash"]) == 0
    assert "_shtab_lampyris_probe_fate___plot_COMPGEN=_shtab_compgen_files" in capsys.readouterr().out


def test_numbers_that_json_has_no_word_for_become_null(capsys):
    output.print_json({"a": float("nan"), "b": np.float64(2.5), "c": [np.inf, Path("x")], 3: np.bool_(True)})
    assert json.loads(capsys.readouterr().out) == {"a": None, "b": 2.5, "c": [None, "x"], "3": True}


def test_progress_without_a_terminal_is_plain_lines(capsys):
    with output.Progress() as progress:
        for done in range(1, 41):
            progress(done, 40, f"m{done:02}")
    printed = capsys.readouterr()
    assert printed.out == ""
    lines = printed.err.splitlines()
    assert lines[-1] == "[40/40] m40"
    assert 5 <= len(lines) <= 12
    assert "\r" not in printed.err


def test_progress_on_a_terminal_is_a_bar(monkeypatch, capsys):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    with output.Progress() as progress:
        progress(1, 2, "m01 d07")
        progress(2, 2, "m02 d07")
        progress(1, 3, "animals")
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "\r" in printed.err
    assert "animals" in printed.err


def test_a_name_that_the_terminal_cannot_show_is_escaped():
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(
        [sys.executable, "-m", "lampyris", "no-such-verb-\N{GREEK SMALL LETTER MU}"],
        env=environment, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 2
    assert "invalid choice" in done.stderr


# --- the commands on a real, small synthetic study -------------------------------------------------------------------


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """One labelled animal and one control, one day, one view; simulated by the command itself."""
    folder = tmp_path_factory.mktemp("cli")
    text = resources.files("lampyris.virtual").joinpath("data", "default.toml").read_text("utf-8")
    for arm in ("untargeted", "dye"):
        text = re.sub(rf"^\[arms\.{arm}\]\n(?:.+\n)+", "", text, flags=re.MULTILINE)
    for name in ("untargeted-dot", "dye"):
        text = re.sub(rf"^\[(?:probes|losses)\.{name}\]\n(?:.+\n)+", "", text, flags=re.MULTILINE)
    text = text.replace("animals = 5", "animals = 1").replace("animals = 3", "animals = 1")
    text = re.sub(r"^days = .*$", "days = [14]", text, flags=re.MULTILINE)
    text = re.sub(r"^views = .*$", 'views = ["ventral"]', text, flags=re.MULTILINE)
    assert tomllib.loads(text)["arms"].keys() == {"targeted", "control"}
    (folder / "design.toml").write_text(text, "utf-8")
    assert cli.main(["simulate", str(folder / "study"), "--design", str(folder / "design.toml"), "--seed", "3"]) == 0
    return folder / "study"


@pytest.fixture(scope="module")
def analysed(study, tmp_path_factory):
    """The same, analysed; a copy, so that other tests find the bare one."""
    copy = shutil.copytree(study, tmp_path_factory.mktemp("analysed") / "study")
    assert cli.main(["run", str(copy), "--workers", "1"]) == 0
    return copy


@pytest.fixture
def copy(study, tmp_path):
    return shutil.copytree(study, tmp_path / "study")


def document(capsys, *words):
    """Exit code and the one JSON document that a command prints."""
    capsys.readouterr()
    code = cli.main([*map(str, words), "--json"])
    return code, json.loads(capsys.readouterr().out)


def test_simulate_says_where_study_and_truth_are(study, tmp_path, capsys):
    code, said = document(capsys, "simulate", tmp_path / "s", "--design", study.parent / "design.toml")
    assert code == 0
    assert said == {"study": str(tmp_path / "s"), "truth": str(tmp_path / "s-truth")}
    assert (tmp_path / "s" / "samplesheet.csv").is_file()
    assert (tmp_path / "s-truth").is_dir()


def test_the_seed_changes_what_is_drawn(study, tmp_path):
    design = study.parent / "design.toml"
    for name, seed in (("a", 3), ("b", 4)):
        assert cli.main(["simulate", str(tmp_path / name), "--design", str(design), "--seed", str(seed)]) == 0
    image = next((study / "raw").glob("m*/*ventral.ome.tiff")).relative_to(study)
    assert (tmp_path / "a" / image).read_bytes() == (study / image).read_bytes()
    assert (tmp_path / "b" / image).read_bytes() != (study / image).read_bytes()


@pytest.mark.parametrize(
    ("words", "folder", "lane"),
    [
        (["--format", "ivis"], "raw/targeted-1/d14_ventral_SEQ", "1"),
        (["--format", "ivis", "--animals-per-image", "1"], "raw/m01/d14_ventral_SEQ", ""),
        (["--format", "ome-zarr"], "raw/m01/d14_ventral.ome.zarr", ""),
    ],
    ids=["clicks of five", "clicks of one", "ome-zarr"],
)
def test_simulate_writes_other_formats(study, tmp_path, capsys, words, folder, lane):
    design = study.parent / "design.toml"
    code, said = document(capsys, "simulate", tmp_path / "s", "--design", design, *words)
    assert code == 0
    with (tmp_path / "s" / "samplesheet.csv").open(newline="", encoding="utf-8") as stream:
        rows = [row for row in csv.DictReader(stream) if row["animal"] == "m01"]
    assert {(row["image"], row["lane"]) for row in rows} == {(folder, lane)}
    assert (tmp_path / "s" / folder).is_dir()
    code, said = document(capsys, "check", tmp_path / "s")
    assert (code, said["errors"]) == (0, [])


def test_an_invalid_design_is_3_with_its_key(tmp_path, capsys):
    design = tmp_path / "design.toml"
    design.write_text("name = 'x'\ndays = [-1]\nworlds = 1\n")
    code, said = document(capsys, "simulate", tmp_path / "s", "--design", design)
    assert code == 3
    assert {"days.0", "worlds"} <= {entry["column"] for entry in said["errors"]}
    assert not (tmp_path / "s").exists()


def test_check_of_a_good_study_is_0(study, capsys):
    code, said = document(capsys, "check", study)
    assert code == 0
    assert said["errors"] == []
    assert {"check", "where", "message", "fix"} <= said["warnings"][0].keys()
    assert not (study / "results").exists()


def test_an_unknown_key_stops_everything_with_3(copy, capsys):
    settings = copy / "study.toml"
    settings.write_text(settings.read_text("utf-8").replace("[analysis]", "[analysis]\nvoxel = 0.8"), "utf-8")
    for verb in ("check", "run"):
        code, said = document(capsys, verb, copy)
        assert code == 3
        entry = next(entry for entry in said["errors"] if entry["column"] == "analysis.voxel")
        assert entry["file"] == "study.toml"
        assert "voxel_mm" in entry["fix"]
    assert not (copy / "results").exists()


def test_a_truncated_image_stops_its_animal_only_with_4(copy, capsys):
    image = next((copy / "raw").glob("m01/*ventral.ome.tiff"))
    image.write_bytes(image.read_bytes()[:20000])
    code, said = document(capsys, "check", copy)
    assert code == 4
    assert [entry["file"] for entry in said["errors"]] == [image.relative_to(copy).as_posix()]
    code, said = document(capsys, "run", copy, "--workers", "1")
    assert code == 4
    assert {name: entry["status"] for name, entry in said["animals"].items()} == {"m01": "failed", "m02": "done"}
    assert image.name in said["animals"]["m01"]["reason"]
    assert Path(said["report"]).is_file()


def test_run_says_what_became_of_each_animal(analysed, capsys):
    code, said = document(capsys, "run", analysed, "--workers", "1")
    assert code == 0
    assert said.keys() == {"results", "report", "animals", "failed_assays", "seconds"}
    assert Path(said["report"]).is_relative_to(said["results"])
    assert {entry["status"] for entry in said["animals"].values()} == {"done"}
    assert all(seconds >= 0 for seconds in said["seconds"].values())


def test_run_in_words_is_data_on_stdout_and_progress_on_stderr(analysed, capsys):
    assert cli.main(["run", str(analysed), "--workers", "1"]) == 0
    printed = capsys.readouterr()
    assert f"report   {analysed / 'results' / 'report.html'}" in printed.out
    assert "m01" in printed.out
    assert "[" not in printed.out
    assert "report" in printed.err.splitlines()[-1]


def test_report_is_written_again(analysed, capsys):
    before = (analysed / "results" / "report.html").read_bytes()
    code, said = document(capsys, "report", analysed)
    assert code == 0
    assert Path(said["report"]).read_bytes() == before
    code, said = document(capsys, "report", analysed, "--image-budget", "0.2")
    assert code == 0
    assert len(Path(said["report"]).read_bytes()) < len(before)


def test_report_without_results_says_what_to_do(study, capsys):
    code, said = document(capsys, "report", study)
    assert code != 0
    assert "Run the analysis" in said["errors"][0]["fix"]


def test_only_an_animal_that_exists(study, capsys):
    code, said = document(capsys, "run", study, "--only", "m99")
    assert code == 2
    assert "m99" in json.dumps(said["errors"])


@pytest.fixture
def small_default(study, monkeypatch):
    """The demonstration on the small design: all its parts run, on fewer animals than the default has, in this process."""
    monkeypatch.setattr("lampyris.trial.demo.MOST_WORKERS", 1)
    monkeypatch.setattr("lampyris.virtual.simulate.default_design", lambda: read_design(study.parent / "design.toml"))


def test_demo_gives_study_report_accuracy_and_seconds(small_default, tmp_path, capsys):
    code, said = document(capsys, "demo", tmp_path / "demo", "--seed", "3", "--no-open")
    assert code == 0
    assert said.keys() == {"study", "report", "accuracy", "seconds"}
    assert Path(said["report"]).is_file()
    assert said["accuracy"]["lesions_true"] >= 1
    assert {"recall_above_limit", "precision", "spot_rmse_mm", "interval_coverage"} <= said["accuracy"].keys()
    assert said["seconds"]["total"] > 0


def test_demo_in_words_says_that_it_is_synthetic(small_default, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert cli.main(["demo"]) == 0
    printed = capsys.readouterr().out
    assert "synthetic" in printed
    assert str(Path("lampyris-demo", "results", "report.html")) in printed
    assert "lesions above the limit that were found" in printed
    # all figures are in the JSON; in words only those that a reader asks for first
    assert len(printed.splitlines()) < 30
    assert "recall_above_limit" not in printed


def test_no_browser_opens_without_a_terminal(monkeypatch, tmp_path):
    opened = []
    monkeypatch.setattr(webbrowser, "open", opened.append)
    trials._open(tmp_path / "report.html")
    assert opened == []
    for stream in (sys.stdout, sys.stderr):
        monkeypatch.setattr(stream, "isatty", lambda: True)
    trials._open(tmp_path / "report.html")
    assert opened == [(tmp_path / "report.html").as_uri()]
