"""Files of decays to lifetimes: a real dye on DNA, virtual counters, and what lowers trust."""

import os
from pathlib import Path

import numpy as np
import pytest

from lampyris.core.bench import BenchSource
from lampyris.core.errors import LampyrisError
from lampyris.core.techniques.lifetime import Settings
from lampyris.study.bench import measure
from lampyris.virtual.instruments.lifetime import Counter, LifetimeTruth, das_text, write_virtual_decay

SMALL = Counter(channels=1024, channel_ns=0.1, fwhm_ns=0.7, repetition_mhz=9.0)
TWO = LifetimeTruth((1.5, 6.0), (0.4, 0.6), photons=5e5)


def sources(folder, truth=TWO, counter=SMALL, seed=1, form="text"):
    decay, response = write_virtual_decay(folder, truth, counter, rng=np.random.default_rng(seed), form=form)
    return [BenchSource(decay, decay.name), BenchSource(response, response.name, role="response")]


@pytest.fixture
def sample():
    folder = os.environ.get("LAMPYRIS_SAMPLES")
    if not folder or not (Path(folder) / "tcspc").is_dir():
        pytest.skip("needs the folder of samples, named by LAMPYRIS_SAMPLES")
    return Path(folder) / "tcspc"


def test_a_dye_on_dna(sample):
    decay, response = sample / "lifetime" / "Atto550_DNA.txt", sample / "IRF" / "irf.txt"
    found = measure(
        "lifetime",
        [BenchSource(decay, decay.name), BenchSource(response, response.name, role="response")],
        settings=Settings(),
    ).pooled
    # what the program that comes with the files prints
    assert [one.value for one in found.lists["lifetimes_ns"]] == pytest.approx([1.01, 3.89], rel=0.03)
    assert [one.value for one in found.lists["amplitudes"]] == pytest.approx([0.29, 0.71], abs=0.01)
    assert found.values["intensity_mean_ns"].value == pytest.approx(3.61, rel=0.02)
    assert found.values["reduced_chi2"].value < 1.2
    # over every channel the tail asks for more than this law
    assert "range-dependent" in found.flags


@pytest.mark.parametrize("form", ["text", "csv", "phu", "ptu"])
def test_every_format_gives_the_same(tmp_path, form):
    settings = Settings(components=2, repetition_mhz=9.0)
    found = measure("lifetime", sources(tmp_path, form=form), settings=settings).pooled
    for one, true in zip(found.lists["lifetimes_ns"], TWO.lifetimes_ns, strict=True):
        assert abs(one.value - true) < 4.0 * one.sd
    for key, true in (
        ("amplitude_mean_ns", TWO.law.amplitude_mean_ns),
        ("intensity_mean_ns", TWO.law.intensity_mean_ns),
    ):
        assert abs(found.values[key].value - true) < 4.0 * found.values[key].sd
    assert {"phasor_g", "phasor_s", "reduced_chi2"} <= found.values.keys()
    assert [curve.title.split(" ")[0] for curve in found.curves] == ["decay", "autocorrelation", "phasor"]


def test_without_response_the_tail_is_fitted(tmp_path):
    one = sources(tmp_path, LifetimeTruth((6.0,), (1.0,)))[:1]
    found = measure("lifetime", one, settings=Settings(components=1)).pooled
    assert "tail-fit" in found.flags
    lifetime = found.lists["lifetimes_ns"][0]
    assert abs(lifetime.value - 6.0) < 4.0 * lifetime.sd


def test_replicates_are_pooled(tmp_path):
    given = []
    for seed in (1, 2, 3):
        (tmp_path / str(seed)).mkdir()
        given += sources(tmp_path / str(seed), seed=seed)
    found = measure("lifetime", given, settings=Settings(components=2))
    assert found.replicate == "3 decays"
    assert len(found.records) == 3
    assert found.pooled.lists["lifetimes_ns"][1].value == pytest.approx(6.0, rel=0.02)


def clipped(counts):
    return np.minimum(counts, 2000.0)


FLAGS = {
    "pile-up": ({"photons": 3e7}, {}, None),
    "saturated": ({}, {}, clipped),
    "few-photons": ({"photons": 3e3, "background": 0.05}, {}, None),
    "cut-short": ({"lifetimes_ns": (60.0,), "amplitudes": (1.0,)}, {}, None),
    "response-noisy": ({}, {"response_photons": 3e3, "response_background": 0.01}, None),
    "response-narrow": ({}, {"fwhm_ns": 0.2}, None),
    "shifted": ({}, {"colour_shift_ns": 1.5}, None),
    "misfit": ({"lifetimes_ns": (2.0, 10.0), "amplitudes": (0.5, 0.5)}, {}, None),
    "uneven-channels": ({"photons": 3e6}, {"unevenness": 0.01}, None),
    "afterpulses-possible": ({"background": 0.05}, {"afterpulse_share": 0.02}, None),
    "not-counts": ({}, {}, lambda counts: counts * 0.5 + 0.25),
}


@pytest.mark.parametrize("flag", FLAGS)
def test_doubts_are_flagged(tmp_path, flag):
    changed, counter, recounted = FLAGS[flag]
    truth = LifetimeTruth(**{"lifetimes_ns": (6.0,), "amplitudes": (1.0,), "photons": 3e5, **changed})
    own = Counter(**{"channels": 1024, "channel_ns": 0.1, "fwhm_ns": 0.7, "repetition_mhz": 9.0, **counter})
    given = sources(tmp_path, truth, own)
    if recounted is not None:
        from lampyris.io.instruments.decays import read_decays

        counts = recounted(read_decays(given[0].path)[0].counts)
        text = das_text(counts, 0.1, "a", 9.0).split("Chan\tData\n")[0] + "Chan\tData\n"
        given[0].path.write_text(text + "".join(f"{k}\t{n:g}\n" for k, n in enumerate(counts, start=1)))
    found = measure("lifetime", given, settings=Settings(components=1))
    assert flag in found.pooled.flags
    assert any(one.rule == f"lifetime.{flag}" for one in found.findings)


def test_channels_of_different_width_are_refused(tmp_path):
    given = sources(tmp_path)
    given[1].path.write_text(given[1].path.read_text().replace("1.000000E-01ns/ch", "2.000000E-01ns/ch"))
    with pytest.raises(LampyrisError) as caught:
        measure("lifetime", given, settings=Settings())
    assert "0.2 ns" in caught.value.findings[-1].seen


def test_nothing_in_it_is_refused(tmp_path):
    (tmp_path / "a.txt").write_text(das_text(np.zeros(64), 0.1, "a"))
    with pytest.raises(LampyrisError) as caught:
        measure("lifetime", [BenchSource(tmp_path / "a.txt", "a.txt")], settings=Settings())
    assert "0 photons" in caught.value.findings[-1].seen


def test_contradicting_options_are_refused(tmp_path):
    with pytest.raises(LampyrisError, match="one component"):
        measure("lifetime", sources(tmp_path), settings=Settings(law="stretched", components=2))


NO_DECAY = {
    "a trace": "time (s),counts\n" + "".join(f"{0.01 * k:g},{40 + k % 7}\n" for k in range(200)),
    "level": "time (ns),counts\n" + "".join(f"{0.1 * k:g},{40 + k % 7}\n" for k in range(200)),
}


@pytest.mark.parametrize(("case", "word"), [("a trace", "no decay of a dot"), ("level", "level background")])
def test_what_is_no_decay_is_refused(tmp_path, case, word):
    (tmp_path / "a.csv").write_text(NO_DECAY[case])
    with pytest.raises(LampyrisError, match=word):
        measure("lifetime", [BenchSource(tmp_path / "a.csv", "a.csv")], settings=Settings())


def test_a_mean_of_a_lifetime_at_its_bound_has_no_error(tmp_path):
    decay, _ = sources(tmp_path)
    own = BenchSource(decay.path, "own.txt", role="response")
    found = measure("lifetime", [decay, own], settings=Settings(components=1)).pooled
    mean = found.values["intensity_mean_ns"]
    assert "fit-at-a-bound" in found.flags
    assert np.isnan(mean.sd) and mean.high > 10.0 * mean.value
