"""Light scattering from files: the vendor's own numbers, known dots, dust, and runs that differ."""

import json
import math
import os
from pathlib import Path

import numpy as np
import pytest

from lampyris import cli
from lampyris.bench.dls.quality import dust_in
from lampyris.bench.dls.recording import prepared
from lampyris.core.bench import BenchSource
from lampyris.core.errors import LampyrisError
from lampyris.core.techniques.dls import Settings
from lampyris.study.bench import measure
from lampyris.virtual.instruments.dls import (
    CorrelogramTruth,
    Population,
    multi_tau_lags,
    virtual_correlogram,
    write_virtual_alv,
    write_virtual_zmes,
)


def samples():
    folder = os.environ.get("LAMPYRIS_SAMPLES")
    if not folder:
        pytest.skip("needs the folder of samples, named by LAMPYRIS_SAMPLES")
    return Path(folder) / "dls"


def sized(tmp_path, truth, seed=4, **settings):
    path = tmp_path / "run.ASC"
    write_virtual_alv(path, truth, rng=np.random.default_rng(seed))
    return measure("dls", [BenchSource(path, path.name)], settings=Settings(**settings))


@pytest.fixture(scope="module")
def zetasizer():
    path = samples() / "2peaks.zmes"
    return measure("dls", [BenchSource(path, path.name)], settings=Settings())


def test_the_vendors_numbers_come_out_of_the_raw_correlogram(zetasizer):
    assert len(zetasizer.records) == 3
    for record in zetasizer.records:
        (vendor,) = record.tables["vendor"]
        assert record.values["z_average_nm"].value == pytest.approx(vendor["z_average_nm"], abs=0.01)
        for key in ("pdi", "intercept"):
            assert round(record.values[key].value, 4) == round(vendor[key], 4)


def test_its_populations_lie_where_the_vendor_has_them(zetasizer):
    # 206.7, 212.5, 192.8 nm and 0.84, 0.85, 0.74 nm by the vendor's inversion, whose weights are others: within a tenth
    for record, (large, small) in zip(zetasizer.records, [(206.7, 0.837), (212.5, 0.851), (192.8, 0.735)], strict=True):
        found = np.array([one.value for one in record.lists["peaks_nm"]])
        assert np.min(abs(found / large - 1)) < 0.1
        assert np.min(abs(found / small - 1)) < 0.1


def test_its_records_differ_and_it_is_said(zetasizer):
    assert {"records-differ", "runs-rejected", "slow-tail"} <= set(zetasizer.pooled.flags)
    assert any(one.rule == "dls.records-differ" for one in zetasizer.findings)


def test_alv_runs_of_large_particles_are_flagged():
    sources = [BenchSource(path, path.name) for path in sorted((samples() / "alv_cgs3").glob("*.ASC"))]
    found = measure("dls", sources, settings=Settings())
    # its intercepts stand at 2.6 to 2.9: no number without a flag
    assert all("intercept-above-one" in record.flags for record in found.records)
    # its count rate swings by 44, 26, 16 and 14 % at the four angles, where speckles of 240 nm make 50, 29, 16 and 15 %
    assert "dust" not in found.pooled.flags
    # the third file's own quadratic cumulants say a radius of 114.49 nm
    assert found.records[2].values["z_average_nm"].value == pytest.approx(2 * 114.49, rel=0.01)
    assert "z_average_q0_nm" in found.pooled.values
    assert len(found.pooled.tables["angles"]) == 4


def test_a_known_dot_comes_back(tmp_path):
    found = sized(tmp_path, CorrelogramTruth((Population(18.4, 0.05),), duration_s=3.0))
    values = found.pooled.values
    assert values["z_average_nm"].low < 18.4 < values["z_average_nm"].high
    assert values["pdi"].low < 0.05 < values["pdi"].high
    (peak,) = found.pooled.lists["peaks_nm"]
    assert peak.low < 18.4 < peak.high
    assert found.pooled.flags == ()


def test_a_lone_peak_is_as_well_known_as_the_mean_size(tmp_path):
    # of the drawn distribution the peak of large dots in short runs lies 4 % high and scatters more than the Z-average
    errors = []
    for seed in range(12):
        truth = CorrelogramTruth((Population(200.0, 0.02),), duration_s=2.0, count_rate_kcps=300.0)
        pooled = sized(tmp_path, truth, seed=seed).pooled
        (peak,) = pooled.lists["peaks_nm"]
        size = pooled.values["z_average_nm"]
        assert (peak.low, peak.high) == (size.low, size.high) and peak.low < peak.value < peak.high
        errors.append(peak.value / 200.0 - 1.0)
    # such a run tells its size to 5 %
    assert abs(np.mean(errors)) < 2.0 * 0.05 / math.sqrt(12)


def test_a_mean_that_hangs_on_the_law_of_its_sizes_is_said(tmp_path):
    broad = sized(tmp_path, CorrelogramTruth((Population(60.0, 0.25),), duration_s=5.0))
    assert "number-mean-by-law" in broad.pooled.flags
    said = next(one for one in broad.findings if one.rule == "dls.number-mean-by-law")
    assert "lognormal" in said.seen and "evenly" in said.seen
    assert (
        "number-mean-by-law"
        not in sized(tmp_path, CorrelogramTruth((Population(60.0, 0.02),), duration_s=5.0)).pooled.flags
    )


FAULTS = {
    "dust": (CorrelogramTruth((Population(100.0),), duration_s=3.0, dust=0.6), {"dust"}),
    "a baseline": (CorrelogramTruth((Population(100.0),), duration_s=3.0, baseline=0.08), {"baseline"}),
    "stray light": (CorrelogramTruth((Population(100.0),), duration_s=3.0, intercept=0.15), {"low-intercept"}),
    "little light": (CorrelogramTruth((Population(100.0),), duration_s=3.0, count_rate_kcps=3.0), {"few-counts"}),
}


@pytest.mark.parametrize(("truth", "flags"), FAULTS.values(), ids=FAULTS.keys())
def test_what_is_wrong_with_a_run_is_said(tmp_path, truth, flags):
    found = sized(tmp_path, truth)
    assert flags <= set(found.pooled.flags)
    assert {f"dls.{flag}" for flag in flags} <= {one.rule for one in found.findings}


def test_speckles_of_short_runs_are_no_dust():
    """Each interval of two seconds holds few decays of 250 nm: its light swings by 40 %."""
    truth = CorrelogramTruth((Population(250.0),), duration_s=2.0)
    dusty = 0
    for number in range(30):
        lag = multi_tau_lags(2e-7, 0.25)
        seen, times, rates = virtual_correlogram(truth, lag, rng=np.random.default_rng([5, number]))
        recording = prepared(lag, seen, duration_s=2.0, count_rate_per_s=2e5)
        dusty += dust_in(rates, float(np.diff(times)[0]), recording, pdi=0.05) is not None
    # the stated rate is 0.01 at most: three of thirty have a chance of 0.003
    assert dusty < 3


def test_a_database_and_the_command_line(tmp_path, capsys):
    path = tmp_path / "runs.zmes"
    truth = CorrelogramTruth((Population(60.0, 0.05),), duration_s=2.0)
    write_virtual_zmes(path, [truth, truth], rng=np.random.default_rng(8))
    plot = tmp_path / "a.svg"
    words = [
        "bench",
        "dls",
        str(path),
        "--json",
        "--plot",
        str(plot),
        "--expected-nm",
        "18.4",
        "--expected-sd-nm",
        "2.1",
    ]
    assert cli.main(words) == 0
    document = json.loads(capsys.readouterr().out)
    assert {"z_average_nm", "pdi", "intercept", "peaks_nm"} <= document["records"][0].keys()
    assert document["z_average_nm"] == pytest.approx(60.0, rel=0.08)
    assert any("Which deviation is meant" in note for note in document["notes"])
    assert plot.stat().st_size > 1000
    # the same bytes give the same numbers
    assert cli.main(words) == 0
    assert json.loads(capsys.readouterr().out)["records"] == document["records"]


def test_a_text_without_geometry_asks_for_it(tmp_path):
    lag = np.geomspace(1e-6, 1e-2, 100)
    rows = "\n".join(f"{a:.6g}\t{0.9 * np.exp(-2e4 * a):.6g}" for a in lag)
    path = tmp_path / "a.txt"
    path.write_text(f"lag (s)\tg2-1\n{rows}\n")
    source = [BenchSource(path, path.name)]
    with pytest.raises(LampyrisError) as caught:
        measure("dls", source, settings=Settings())
    assert "--angle-deg" in caught.value.findings[0].mend
    found = measure("dls", source, settings=Settings(angle_deg=90, wavelength_nm=632.8, temperature_c=25))
    # rate 1e4 per s in water
    assert found.pooled.values["z_average_nm"].value == pytest.approx(17.2, rel=0.02)
    assert "noise-from-scatter" in found.pooled.flags
    assert any("water" in note for note in found.notes)


def test_one_bad_file_does_not_stop_the_others(tmp_path):
    good, bad = tmp_path / "run.ASC", tmp_path / "bad.ASC"
    write_virtual_alv(good, CorrelogramTruth((Population(60.0),), duration_s=2.0), rng=np.random.default_rng(1))
    bad.write_bytes(good.read_bytes()[:300])
    found = measure("dls", [BenchSource(bad, "bad.ASC"), BenchSource(good, "run.ASC")], settings=Settings())
    assert len(found.records) == 1
    assert found.findings[0].place.file == "bad.ASC"


def test_zeta_potentials_are_told_and_flagged(tmp_path):
    path = tmp_path / "zeta.csv"
    path.write_text("Sample,Zeta Potential (mV)\na,-8.1\na,-9.0\na,-8.4\n")
    found = measure("dls", [BenchSource(path, path.name, role="zeta")], settings=Settings())
    assert found.pooled.values["zeta_mv"].value == pytest.approx(-8.5)
    assert found.pooled.flags == ("near-zero",)


def test_intervals_hold_the_truth(tmp_path):
    # the short form of the score table: of 16 runs chance leaves 4 or more out in 1 of 100
    held = {"z_average_nm": 0, "pdi": 0}
    for seed in range(16):
        values = sized(tmp_path, CorrelogramTruth((Population(150.0, 0.1),), duration_s=2.0), seed=seed).pooled.values
        held["z_average_nm"] += values["z_average_nm"].low <= 150.0 <= values["z_average_nm"].high
        held["pdi"] += values["pdi"].low <= 0.1 <= values["pdi"].high
    assert min(held.values()) >= 13
