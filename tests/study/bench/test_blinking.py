"""Traces of dots to laws: the truth of virtual dots, and what lowers trust."""

import numpy as np
import pytest

from lampyris.core.bench import BenchSource
from lampyris.core.errors import LampyrisError
from lampyris.core.techniques.blinking import Settings
from lampyris.probe.photophysics.blinking import SojournTimes
from lampyris.study.bench import measure
from lampyris.virtual.instruments.blinking import BlinkingTruth, write_virtual_blinking

ON, OFF = SojournTimes(1.5, 0.02, 5.0), SojournTimes(1.6, 0.02, 20.0)


def source(folder, dots, seed=1, seconds=30.0, **options):
    write_virtual_blinking(folder / "a.csv", dots, rng=np.random.default_rng(seed), seconds=seconds, **options)
    return [BenchSource(folder / "a.csv", "a.csv")]


def test_laws_of_virtual_dots_come_back(tmp_path):
    found = measure("blinking", source(tmp_path, (BlinkingTruth(ON, OFF),) * 3, seconds=40.0), settings=Settings())
    values = found.pooled.values
    for key, true in (("on_exponent", 1.5), ("off_exponent", 1.6)):
        # one draw of three dots, whose spread is itself hardly known: a wide net; accuracy/ has the intervals
        assert abs(values[key].value - true) < 0.4
        assert values[key].high > values[key].low
    assert len(found.records) == 3
    assert found.replicate.startswith("3 dots")
    assert 0.0 <= values["on_fraction"].low < values["on_fraction"].high <= 1.0


def test_one_dot_has_its_trace_and_its_laws(tmp_path):
    found = measure("blinking", source(tmp_path, (BlinkingTruth(ON, OFF),)), settings=Settings()).pooled
    assert [curve.title for curve in found.curves] == ["trace", "on times", "off times"]
    assert found.values["on_level"].value == pytest.approx(60.0, rel=0.05)
    # bins that a switch cuts in two are counted to either state
    assert found.values["off_level"].value == pytest.approx(6.0, rel=0.12)


LONG = SojournTimes(1.5, 100.0, 1000.0)
FLAGS = {
    "one-state": (BlinkingTruth(LONG, LONG), {}),
    "few-switches": (BlinkingTruth(SojournTimes(1.5, 3.0, 1000.0), SojournTimes(1.5, 3.0, 1000.0)), {"seconds": 40.0}),
    "bleached": (BlinkingTruth(ON, SojournTimes(1.6, 0.02, 1.0), bleaches_at_s=15.0), {}),
    "drift": (BlinkingTruth(ON, OFF, drift=-0.5), {}),
    "low-contrast": (BlinkingTruth(ON, OFF, on_rate_hz=1200.0), {}),
    "unresolved": (BlinkingTruth(SojournTimes(1.5, 0.002, 5.0), SojournTimes(1.6, 0.002, 5.0)), {}),
    "several-levels": (BlinkingTruth(SojournTimes(1.5, 0.3, 5.0), ON, grey_share=0.5), {}),
}


@pytest.mark.parametrize("flag", FLAGS)
def test_doubts_are_flagged(tmp_path, flag):
    truth, options = FLAGS[flag]
    found = measure("blinking", source(tmp_path, (truth,), **options), settings=Settings())
    assert flag in found.pooled.flags
    assert any(one.rule == f"blinking.{flag}" for one in found.findings)


BINS = "".join(f"{k / 100:g},{k % 7}\n" for k in range(100))
REFUSED = {
    "too short": ("time (s),counts\n0,1\n1,2\n", "2 bins"),
    "a spectrum": ("Wavelength (nm),counts\n" + "".join(f"{400 + k},{k}\n" for k in range(100)), "not a time"),
    "not counts": ("time (s),counts\n" + BINS.replace(",3\n", ",-3\n"), "no counts"),
    "uneven": ("time (s),counts\n" + BINS.replace("0.5,", "0.503,"), "bins from"),
    "dark": ("time (s),counts\n" + "".join(f"{k / 100:g},0\n" for k in range(100)), "no photon"),
}


@pytest.mark.parametrize(("text", "seen"), REFUSED.values(), ids=REFUSED.keys())
def test_refused_with_a_reason(tmp_path, text, seen):
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(LampyrisError) as caught:
        measure("blinking", [BenchSource(tmp_path / "a.csv", "a.csv")], settings=Settings())
    assert any(seen in one.seen for one in caught.value.findings)
