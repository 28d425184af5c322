"""`lampyris init`, `freeze` and `unblind` from the command line: documents, lines and exit codes."""

import json

import pytest
from bare_folders import dark_frame, fill, image, ome_tiff
from small_study import write_small_study

from lampyris import cli


@pytest.fixture
def bare(tmp_path):
    folder = tmp_path / "bare"
    for arm in ("sham", "vehicle"):
        for day in (0, 7):
            ome_tiff(folder / arm / f"Mouse {arm[0]}{day} M{len(arm)} d{day}.ome.tif", image((780, 810), seed=day))
    ome_tiff(folder / "dark 2s.ome.tif", image((780,), said=False, counts=dark_frame()[None], channels=("dark",)))
    return folder


def printed(capsys, *words, code=0):
    assert cli.main([*map(str, words)]) == code
    return capsys.readouterr()


def test_init_as_json(capsys, bare, tmp_path):
    document = json.loads(printed(capsys, "init", tmp_path / "study", "--from", bare, "--json").out)
    assert document["study"] == str(tmp_path / "study")
    assert document["images"] == 4
    assert [entry["field"] for entry in document["to_fill"]] == ["probes.probe.emission_nm"]
    assert {"field", "value", "source", "confidence", "do"} == set(document["to_confirm"][0])
    fill(tmp_path / "study", emission_nm=800)
    checked = json.loads(printed(capsys, "check", tmp_path / "study", "--json").out)
    assert checked["errors"] == []
    assert any(entry["check"] == "draft.assumed" for entry in checked["warnings"])


def test_init_in_words_is_a_short_list(capsys, bare, tmp_path):
    out = printed(capsys, "init", tmp_path / "study", "--from", bare).out
    assert "to fill in before `lampyris run`:\n  probes.probe.emission_nm" in out
    assert len(out.splitlines()) < 60


def test_init_twice_is_wrong_usage(capsys, bare, tmp_path):
    printed(capsys, "init", tmp_path / "study", "--from", bare)
    assert "nothing is overwritten" in printed(capsys, "init", tmp_path / "study", "--from", bare, code=2).err


def test_init_from_nowhere_is_invalid(capsys, tmp_path):
    assert "is no folder" in printed(capsys, "init", tmp_path / "study", "--from", tmp_path / "none", code=3).err


def test_template_and_allocation(capsys, tmp_path):
    out = printed(capsys, "init", tmp_path / "study", "--allocate", "A:2,B:2", "--seed", "5").out
    assert "seed 5" in out
    assert "needs two groups" in printed(capsys, "init", tmp_path / "other", "--allocate", "A", code=2).err


def test_blind_freeze_unblind(capsys, tmp_path):
    study = write_small_study(tmp_path / "study")
    out = printed(capsys, "init", study, "--blind").out
    assert "targeted" not in out
    assert "study-key" in out
    assert "is not frozen" in printed(capsys, "unblind", study, code=2).err
    assert "there are no complete results" in printed(capsys, "freeze", study, code=1).err
    assert "is not blinded" in printed(capsys, "unblind", tmp_path, code=2).err
