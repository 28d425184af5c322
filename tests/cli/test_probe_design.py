"""The tasks `probe design`, `probe show` and `probe materials`: what they print, write and refuse."""

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from lampyris import cli

SHEET = Path(__file__).parents[2] / "docs" / "designs" / "cdte-cdse-810.toml"


def answer(capsys, *words):
    assert cli.main([*words, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """One search for the study's dot with everything that it writes."""
    import contextlib
    import io

    folder = tmp_path_factory.mktemp("design")
    out = io.StringIO()
    files = [
        "--sheet",
        str(folder / "best.toml"),
        "--html",
        str(folder / "best.html"),
        "--plot",
        str(folder / "best.svg"),
    ]
    with contextlib.redirect_stdout(out):
        assert (
            cli.main(["probe", "design", "--emission", "810", "--core", "6.8", "--most", "60", *files, "--json"]) == 0
        )
    return folder, json.loads(out.getvalue())


def test_keys_of_the_search(written):
    _, found = written
    assert {"targets", "candidates", "families", "rejected", "line_width", "notes"} <= found.keys()
    stable = {"material", "structure", "emission_nm", "fwhm_nm", "uncertainty_nm"}
    assert all(stable <= one.keys() for one in found["candidates"])
    assert len(found["families"]) >= 3 and "CdTe/CdSe" in found["families"]
    reasons = {one["material"]: one["reason"] for one in found["rejected"]}
    assert {"CdTe", "CdSe", "PbS", "InAs", "Ag2S"} <= reasons.keys()
    widths = {one["structure"]: one for one in found["line_width"]}
    assert widths["CdTe"]["sd_nm"] == pytest.approx(0.9) and widths["CdTe"]["from_size_mev"] > 0


def test_what_the_search_writes_reads_back(written, capsys):
    folder, found = written
    best = found["candidates"][0]
    shown = answer(capsys, "probe", "show", str(folder / "best.toml"))
    assert shown["structure"] == best["structure"]
    emission = next(row for row in shown["rows"] if row["quantity"] == "emission_nm")
    # sizes are written to a tenth of a picometre
    assert emission["predicted"]["value"] == pytest.approx(best["emission_nm"], abs=0.5)
    ElementTree.fromstring((folder / "best.svg").read_bytes())
    assert "<script" not in (folder / "best.html").read_text("utf-8")


def test_show_compares_with_what_was_measured(capsys, tmp_path):
    found = answer(capsys, "probe", "show", str(SHEET), "--plot", str(tmp_path / "levels.png"))
    rows = {row["quantity"]: row for row in found["rows"]}
    assert rows["emission_nm"]["verdict"] == "agrees" and rows["fwhm_nm"]["verdict"] == "not measured"
    assert rows["hydrodynamic_nm"]["predicted"]["value"] == pytest.approx(18.4, abs=0.01)
    assert found["type"] in ("type II", "quasi-type II") and 0 < found["overlap"] < 1
    assert (tmp_path / "levels.png").read_bytes().startswith(b"\x89PNG")


def test_a_calibration_narrows_the_sheet(capsys):
    before = answer(capsys, "probe", "show", str(SHEET))
    after = answer(capsys, "probe", "show", str(SHEET), "--calibrate", str(SHEET))
    sds = [found["first_transition_ev"]["sd"] for found in (before, after)]
    assert sds[1] < 0.3 * sds[0] and after["calibrated"]


def test_tables_for_people(capsys):
    assert cli.main(["probe", "show", str(SHEET)]) == 0
    assert "emission peak" in capsys.readouterr().out
    words = ["probe", "design", "--emission", "1064", "--core", "5", "--heavy-metal-free", "--reading", "particle"]
    assert cli.main(words) == 0
    printed = capsys.readouterr().out
    assert "fails:" in printed and "which the targets refuse" in printed
    assert cli.main(["probe", "materials"]) == 0
    assert "CdTe" in capsys.readouterr().out


def test_constants_of_a_material_with_their_sources(capsys):
    found = answer(capsys, "probe", "materials", "CdTe")
    assert found["constants"] and all(row["source"] and row["mark"] and row["unit"] for row in found["constants"])
    assert {"materials", "alloys"} <= answer(capsys, "probe", "materials").keys()


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["design", "--emission", "0.81"], 3, "write 810"),
        (["design", "--emission", "810nm"], 2, "without its unit"),
        (["design"], 2, "--emission"),
        (["design", "--emission", "810", "--core", "-1"], 3, "between 1.5 and 20"),
        (["design", "--emission", "810", "--coat", "varnish"], 3, "table of coats"),
        (["design", "--emission", "810", "--medium", "beer"], 3, "Say one of water"),
        (["design", "--emission", "810", "--temperature", "-3"], 3, "4 to 400 K"),
        (["design", "--emission", "810", "--plot", "x.gif"], 2, ".svg"),
        (["design", "--emission", "810", "--calibrate-material", "CdTe:4.0"], 2, "MATERIAL:DIAMETER:EXCITON"),
        (["design", "--emission", "810", "--calibrate-material", "CdTe:4.0:900"], 3, "433 to 738 nm"),
        (["design", "--emission", "810", "--calibrate-material", "CdXe:4.0:600"], 3, "CdXe"),
        (["show", "none.toml"], 3, "cannot be read"),
        (["materials", "CdXe"], 3, "Say one of"),
    ],
)
def test_refusals(capsys, words, code, said):
    assert cli.main(["probe", *words]) == code
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("4.4", "0.5", "outside 1 to 40 nm"),
        ("1.2\n", "0.05\n", "outside 0.15 to 20 nm"),
        ('"CdSe"', '"CdXe"', "no material 'CdXe'"),
        ("core_sd_nm = 0.58", "core_sd_nm = 3.0", "more than a third"),
        ('"CdTe"\ndiameter_nm = 4.4', '"HgTe"\ndiameter_nm = 30', "the bands of its layers overlap"),
        ('"CdSe"', '"CdSeTe"', "share of its second end member"),
        ('kind = "amphiphilic polymer"', 'kind = "varnish"', "table of coats"),
    ],
)
def test_impossible_dots_are_refused_with_their_bounds(capsys, tmp_path, old, new, said):
    path = tmp_path / "dot.toml"
    path.write_text(SHEET.read_text("utf-8").replace(old, new), "utf-8")
    assert cli.main(["probe", "show", str(path)]) == 3
    assert said in capsys.readouterr().err
