"""Photostability from files: known laws, arms with their test, and what goes wrong."""

import json

import numpy as np
import pytest

from lampyris import cli
from lampyris.bench.photostability import infer_trace
from lampyris.core.bench import BenchSource
from lampyris.core.errors import LampyrisError
from lampyris.core.techniques.photostability import Settings
from lampyris.probe.photophysics.bleaching import Bleaching
from lampyris.study.bench import measure
from lampyris.virtual.instruments.photostability import TraceTruth, write_virtual_traces

PAPER = Bleaching("single", 60.0 / -np.log(0.918))


def traces(path, arms, seed=5, **options):
    write_virtual_traces(path, arms, rng=np.random.default_rng(seed), **options)
    return BenchSource(path, path.name)


def test_the_papers_dot_comes_back(tmp_path):
    source = traces(tmp_path / "a.csv", {"dot": (TraceTruth(PAPER, electrons=1e6),)})
    found = measure("photostability", [source], settings=Settings(irradiance_mw_per_cm2=50.0)).pooled
    assert found.values["retained_60min"].low < 0.918 < found.values["retained_60min"].high
    # 91.8 % after 60 min is a rate of 1.43e-3 per minute
    assert found.values["rate_per_min"].value == pytest.approx(1.426e-3, rel=0.02)


def test_a_law_that_the_trace_does_not_bear_lends_it_no_error(tmp_path):
    source = traces(tmp_path / "a.csv", {"dot": (TraceTruth(PAPER),)})
    own = measure("photostability", [source], settings=Settings(law="single")).pooled.values
    mean = measure("photostability", [source], settings=Settings()).pooled.values
    for name in ("retained_60min", "rate_per_min"):
        # laws that hold the single one as their limit add little: twice its error is generous
        assert own[name].sd <= mean[name].sd < 2.0 * own[name].sd


LAWS = {
    "single": Bleaching("single", 40.0),
    "double": Bleaching("double", 4.0, dose_2=200.0, share=0.4),
    "stretched": Bleaching("stretched", 40.0, shape=0.5),
    "power": Bleaching("power", 10.0, shape=0.5),
}


@pytest.mark.parametrize(("law", "bleaching"), LAWS.items())
def test_the_law_is_found(tmp_path, law, bleaching):
    source = traces(tmp_path / "a.csv", {"dot": (TraceTruth(bleaching, electrons=1e7),)})
    found = measure("photostability", [source], settings=Settings())
    assert found.pooled.words["model"] == law
    assert found.pooled.values["retained_60min"].value == pytest.approx(float(bleaching.retained(60.0)), rel=0.01)


def test_a_quiet_end_lends_the_loud_start_no_certainty():
    at = np.arange(0.0, 60.0, 0.5)
    expected = 1e4 * np.exp(-at / 25.0)
    slopes = np.stack([expected, -at * expected], axis=1) / np.sqrt(expected)[:, None]
    information = slopes.T @ slopes
    # of the share that is left after an hour, from the rate's error
    known = 60.0 * np.exp(-60.0 / 25.0) * np.sqrt(np.linalg.inv(information)[1, 1])
    found = [
        infer_trace(at, np.random.default_rng(seed).poisson(expected), laws=("single",)).retained.sd
        for seed in range(8)
    ]
    # the scatter of 120 points is known to 7 %, of eight times as many to 2 %
    assert np.mean(found) == pytest.approx(known, rel=0.06)


def test_arms_are_compared_with_their_test(tmp_path, capsys):
    rng = np.random.default_rng(8)
    dots = tuple(TraceTruth(Bleaching("single", 60 / -np.log(share))) for share in rng.normal(0.918, 0.02, 4))
    dyes = tuple(TraceTruth(Bleaching("single", 60 / -np.log(share))) for share in rng.normal(0.35, 0.05, 4))
    source = traces(tmp_path / "a.csv", {"QD810": dots, "ICG": dyes})
    plot = tmp_path / "a.svg"
    words = ["bench", "photostability", str(source.path), "--control", "ICG", "--json", "--plot", str(plot)]
    assert cli.main(words) == 0
    document = json.loads(capsys.readouterr().out)
    assert [row["n"] for row in document["arms"]] == [4, 4]
    (pair,) = document["pairs"]
    assert {pair["a"], pair["b"]} == {"QD810", "ICG"}
    assert pair["p"] < 0.001
    # the arms side by side come first, each with its own line
    drawn = plot.read_text()
    assert drawn.index("arms side by side") < drawn.index("QD810 1")
    assert document["replicate"] == "traces: 4 of QD810, 4 of ICG"
    assert plot.read_bytes().startswith(b"<")


FLAGGED = {
    "extrapolated": ({"minutes": 30.0}, {}),
    "saturated": ({}, {"saturation": 900.0}),
    "drift": ({}, {}),
}


@pytest.mark.parametrize(("flag", "case"), FLAGGED.items())
def test_doubts_are_flagged(tmp_path, flag, case):
    virtual, options = case
    truth = TraceTruth(PAPER, lamp_drift=0.05 if flag == "drift" else 0.0)
    found = measure(
        "photostability", [traces(tmp_path / "a.csv", {"dot": (truth,)}, **virtual)], settings=Settings(**options)
    )
    assert flag in found.pooled.flags
    # what a clipped trace lost is not known
    assert np.isnan(found.pooled.values["retained_60min"].value) == (flag == "saturated")


def test_a_trace_that_is_dead_from_its_second_reading_is_flagged(tmp_path):
    (tmp_path / "a.csv").write_text("Time (min),a\n" + "\n".join(f"{x},{0 if x else 1000}" for x in range(0, 70, 5)))
    found = measure("photostability", [BenchSource(tmp_path / "a.csv", "a.csv")], settings=Settings())
    assert "gone-at-once" in found.pooled.flags
    (told,) = (one for one in found.findings if one.rule == "photostability.gone-at-once")
    assert "second reading" in told.seen
    # a dot that loses half of its signal between readings is seen to do so
    (tmp_path / "b.csv").write_text(
        "Time (min),b\n" + "\n".join(f"{x},{1000 * 0.5 ** (x / 5)}" for x in range(0, 70, 5))
    )
    fast = measure("photostability", [BenchSource(tmp_path / "b.csv", "b.csv")], settings=Settings())
    assert "gone-at-once" not in fast.pooled.flags


def test_a_detector_that_is_full_without_saying_so_is_flagged(tmp_path):
    def flags(most, digits):
        rows = (f"{x},{min(round(1000 * 0.92 ** (x / 60) - 0.37 * (x % 3), digits), most)}" for x in range(0, 62, 2))
        (tmp_path / "a.csv").write_text("Time (min),a\n" + "\n".join(rows))
        return measure("photostability", [BenchSource(tmp_path / "a.csv", "a.csv")], settings=Settings()).pooled.flags

    assert "saturated" in flags(960.0, 6)
    assert "saturated" not in flags(2000.0, 6)
    # numbers rounded to tens repeat everywhere, not at the top alone
    assert "saturated" not in flags(2000.0, -1)


REFUSED = {
    "no unit": ("Time,a\n0,5\n1,4\n2,3\n3,3\n4,2\n", "without a unit"),
    "a decay": ("Time (ns),a\n" + "".join(f"{k},{90 - k}\n" for k in range(30)), "times as long"),
    "too few": ("Time (min),a\n0,5\n10,4\n", "too few"),
    "no light": ("Time (min),a\n0,0\n10,0\n20,0\n30,0\n40,0\n50,0\n", "not above the dark"),
    "a spectrum": ("Wavelength (nm),a\n400,5\n401,4\n402,3\n403,1\n404,1\n", "not a time"),
}


@pytest.mark.parametrize(("text", "seen"), REFUSED.values(), ids=REFUSED.keys())
def test_refused_with_a_reason(tmp_path, text, seen):
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(LampyrisError, match=seen):
        measure("photostability", [BenchSource(tmp_path / "a.csv", "a.csv")], settings=Settings())


def test_a_control_that_is_no_arm_is_refused(tmp_path):
    source = traces(tmp_path / "a.csv", {"dot": (TraceTruth(PAPER),)})
    with pytest.raises(LampyrisError, match="there are dot"):
        measure("photostability", [source], settings=Settings(control="ICG"))


def test_one_file_that_fails_does_not_stop_the_other(tmp_path):
    (tmp_path / "b.csv").write_text("nothing")
    sources = [traces(tmp_path / "a.csv", {"dot": (TraceTruth(PAPER),)}), BenchSource(tmp_path / "b.csv", "b.csv")]
    found = measure("photostability", sources, settings=Settings())
    assert [one.place.file for one in found.findings if one.severity == "error"] == ["b.csv"]
    assert len(found.records) == 1
