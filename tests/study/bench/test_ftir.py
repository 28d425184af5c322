"""Infrared spectra from files: virtual dots before and after an exchange of ligands, and what goes wrong."""

import json

import numpy as np
import pytest

from lampyris import cli
from lampyris.core.bench import BenchSource
from lampyris.core.errors import LampyrisError
from lampyris.core.techniques.ftir import Settings
from lampyris.io.instruments.spectra import read_spectra
from lampyris.study.bench import measure
from lampyris.virtual.instruments.ftir import OLEATE, PEG, InfraredTruth, write_virtual_infrared


def written(path, seed=1, *, transmittance=False, **truth):
    truth = InfraredTruth(**truth)
    write_virtual_infrared(path, truth, rng=np.random.default_rng(seed), step_cm=3.86, transmittance=transmittance)
    return path


def measured(*files, **options):
    sources = [file if isinstance(file, BenchSource) else BenchSource(file, file.name) for file in files]
    return measure("ftir", sources, settings=Settings(**options))


def test_an_exchange_is_told(tmp_path):
    before = BenchSource(written(tmp_path / "before.jdx"), "before.jdx", role="before")
    after = written(tmp_path / "after.jdx", 2, bands=PEG, transmittance=True)
    (record,) = measured(after, before).records
    fates = {round(row["centre_cm"].value): row for row in record.tables["exchange"]}
    oleate = min(fates, key=lambda c: abs(c - 1545))
    assert (fates[oleate]["fate"], "carboxylate" in fates[oleate]["assignment"]) == ("gone", True)
    assert fates[oleate]["ratio"].high < 0.1
    ether = min(fates, key=lambda c: abs(c - 1108))
    assert fates[ether]["fate"] == "new"
    # several assignments stay several
    assert "ether" in fates[ether]["assignment"] and "silica" in fates[ether]["assignment"]


def test_bands_and_binding_mode(tmp_path):
    (record,) = measured(written(tmp_path / "a.jdx")).records
    found = [row["centre_cm"] for row in record.tables["bands"]]
    for centre, _, _ in OLEATE:
        assert any(one.low < centre < one.high for one in found), centre
    splitting = record.values["carboxylate_splitting_cm"]
    assert splitting.low < 1545.0 - 1408.0 < splitting.high


def test_a_spectrum_that_is_no_sum_of_bands_is_flagged(tmp_path):
    assert "shape-misfit" not in measured(written(tmp_path / "a.jdx")).records[0].flags
    x = np.arange(1000.0, 3600.0, 4.0)
    # a vapour's branches, rounded to three decimals
    comb = np.exp(-(((x - 1400) / 150) ** 2)) * (np.sin(x / 9.0) > 0) * 0.6
    path = tmp_path / "vapour.csv"
    path.write_text("1/cm,absorbance\n" + "\n".join(f"{a:.0f},{b:.3f}" for a, b in zip(x, comb, strict=True)))
    record = measured(path).records[0]
    assert "shape-misfit" in record.flags


def test_noise_has_no_bands(tmp_path):
    record = measured(written(tmp_path / "a.jdx", bands=((2000.0, 20.0, 0.0),))).records[0]
    assert record.tables["bands"] == ()
    assert "no-band" in record.flags


def test_air_and_saturation_are_flagged(tmp_path):
    bands = ((1700.0, 30.0, 3.0), (2900.0, 40.0, 0.3))
    record = measured(written(tmp_path / "a.jdx", bands=bands, carbon_dioxide=0.05)).records[0]
    assert {"saturated", "carbon-dioxide"} <= set(record.flags)


def test_the_same_by_transmittance(tmp_path):
    bands = ((1108.0, 45.0, 0.3),)
    both = [
        measured(written(tmp_path / f"{k}.jdx", bands=bands, transmittance=k)).records[0].tables["bands"][0]
        for k in (False, True)
    ]
    assert both[0]["height"].low < both[1]["height"].value < both[0]["height"].high


def test_unknown_signal_is_asked_for(tmp_path):
    x = np.arange(600.0, 4000.0, 20.0)
    (tmp_path / "a.txt").write_text("cm-1\tvalue\n" + "".join(f"{a}\t{0.1 + a / 1e5}\n" for a in x))
    with pytest.raises(LampyrisError) as error:
        measured(tmp_path / "a.txt")
    assert "--signal" in error.value.findings[0].seen


def test_command_line(tmp_path, capsys):
    path = written(tmp_path / "a.jdx", bands=PEG[3:])
    assert cli.main(["bench", "ftir", str(path), "--json", "--plot", str(tmp_path / "a.svg")]) == 0
    document = json.loads(capsys.readouterr().out)
    (ether,) = (row for row in document["bands"] if row["centre_cm_low"] < PEG[3][0] < row["centre_cm_high"])
    # closer than the points lie
    assert ether["centre_cm_high"] - ether["centre_cm_low"] < 3.86
    assert (tmp_path / "a.svg").stat().st_size > 1000


def test_the_virtual_file_says_that_it_is_synthetic(tmp_path):
    (one,) = read_spectra(written(tmp_path / "a.jdx"))
    assert "synthetic" in one.name
