"""Animals drawn into groups on disk: what is written, what is recorded, what is refused."""

import json

import pytest
from cheap_step import cheap_follow, cheap_step
from small_study import write_small_study

from lampyris.core.errors import UsageError
from lampyris.io.settings import read_settings
from lampyris.study.assemble import load_results
from lampyris.study.check import check_study
from lampyris.study.draft.allocating import parse_groups
from lampyris.study.draft.begin import begin_study
from lampyris.study.run import Analysis, run_study

ANIMALS = "animal,weight_g,cage\n" + "".join(f"x{n},{20 + n % 5},c{n // 4}\n" for n in range(12))


def groups_of(study):
    lines = (study / "animals.csv").read_text().split()
    column = lines[0].split(",").index("group")
    return {line.split(",")[0]: line.split(",")[column] for line in lines[1:]}


def test_new_animals(tmp_path):
    begun = begin_study(tmp_path / "study", allocate="A:3,B:3,control:2")
    drawn = groups_of(tmp_path / "study")
    assert sorted(drawn) == [f"m{number:02d}" for number in range(1, 9)]
    assert sorted(drawn.values()) == ["A"] * 3 + ["B"] * 3 + ["control"] * 2
    record = json.loads((tmp_path / "study/allocation.json").read_text())
    assert record["animals"] == drawn
    assert (record["seed"], record["sizes"]) == (1, {"A": 3, "B": 3, "control": 2})
    assert any("seed 1" in line for line in begun.told)


def test_animals_of_the_sheet_are_balanced_and_their_columns_kept(tmp_path):
    study = tmp_path / "study"
    study.mkdir()
    (study / "animals.csv").write_text(ANIMALS)
    begin_study(study, allocate="A,B,C", seed=7)
    drawn = groups_of(study)
    assert sorted(drawn.values()) == ["A"] * 4 + ["B"] * 4 + ["C"] * 4
    record = json.loads((study / "allocation.json").read_text())
    assert record["seed"] == 7
    assert record["balance"]["weight_sd_between_groups"] < 0.3
    assert "body weight and cage" in record["method"]
    again = tmp_path / "again"
    again.mkdir()
    (again / "animals.csv").write_text(ANIMALS)
    begin_study(again, allocate="A,B,C", seed=7)
    assert groups_of(again) == drawn


def test_the_check_says_how_animals_were_drawn_and_what_was_changed(tmp_path):
    study = tmp_path / "study"
    begin_study(study, allocate="A:2,B:2")
    notes = [finding for finding in check_study(study).findings if finding.rule == "allocation.method"]
    assert "rerandomisation" in notes[0].seen
    sheet = study / "animals.csv"
    first = sheet.read_text().split()[1].split(",")[1]
    sheet.write_text(sheet.read_text().replace(f"m01,{first}", f"m01,{'B' if first == 'A' else 'A'}"))
    assert "allocation.changed" in {finding.rule for finding in check_study(study).warnings}


def test_a_second_draw_is_refused(tmp_path):
    begin_study(tmp_path / "study", allocate="A:2,B:2")
    with pytest.raises(UsageError, match="allocated before"):
        begin_study(tmp_path / "study", allocate="A:2,B:2", seed=2)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("A", "two groups or more"),
        ("A:2,B", "a size for every group"),
        ("A:0,B:2", "above 0 for A"),
        ("A:2,a:2", "names a twice"),
        ("A:2,,B:2", "names such as"),
        ("A:two,B:2", "above 0 for A, got 'two'"),
        ("A,B", "needs sizes"),
    ],
)
def test_impossible_wishes(tmp_path, text, said):
    with pytest.raises(UsageError, match=said):
        begin_study(tmp_path / "study", allocate=text)


def test_sizes_that_do_not_fit(tmp_path):
    study = tmp_path / "study"
    study.mkdir()
    (study / "animals.csv").write_text(ANIMALS)
    with pytest.raises(UsageError, match=r"the groups hold 8 animals, animals\.csv lists 12"):
        begin_study(study, allocate="A:4,B:4")


def test_parse():
    assert parse_groups("A:8, B:8") == {"A": 8, "B": 8}


def test_blinded_allocation_keeps_its_seed_with_the_key(tmp_path):
    study = tmp_path / "study"
    begin_study(study, allocate="verum:4,placebo:4", blind=True)
    assert not (study / "allocation.json").exists()
    assert not any(word in path.read_text() for path in study.iterdir() for word in ("verum", "placebo"))
    key = json.loads((tmp_path / "study-key/key.json").read_text())
    drawn = key["allocation"]["animals"]
    assert {animal: key["groups"][group] for animal, group in drawn.items()} == groups_of(study)
    assert key["allocation"]["seed"] > 10_000


def test_a_template_says_what_is_missing(tmp_path):
    study = tmp_path / "study"
    begun = begin_study(study)
    assert any("template" in line for line in begun.told)
    checked = check_study(study)
    open_keys = {finding.place.column for finding in checked.errors if finding.place.file == "study.toml"}
    assert {"instrument.pixel_mm", "instrument.radiance_per_rate", "probes.probe.per_cell"} <= open_keys
    text = (study / "study.toml").read_text().replace('"?"', "0.5")
    (study / "study.toml").write_text(text)
    assert sorted(read_settings(study / "study.toml").groups) == ["control", "treated"]
    rules = {finding.rule for finding in check_study(study).errors}
    # all that is left are the images of the example row
    assert rules == {"sheet.file-missing"}


def test_the_methods_tell_how_animals_were_allocated(tmp_path):
    study = write_small_study(tmp_path / "study")
    begin_study(study, allocate="targeted:2,untargeted:2", seed=3)
    run_study(study, workers=1, analysis=Analysis(cheap_step, cheap_follow))
    methods = load_results(study / "results", images=False).methods
    assert [text for text in methods if text.startswith("Allocation. ") and "seed 3" in text]
