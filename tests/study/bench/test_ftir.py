"""Infrared spectra from files: virtual dots before and after an exchange of ligands, and what goes wrong."""

import json

import numpy as np
import pytest

from lampyris import cli
from lampyris.bench.ftir import infer_bands, penalised_baseline
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
    assert [curve.title.partition(":")[0] for curve in record.curves] == ["before", "after"]
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
    assert not {"shape-misfit", "noise-unseen"} & set(measured(written(tmp_path / "a.jdx")).records[0].flags)
    x = np.arange(1000.0, 3600.0, 4.0)
    # a vapour's branches, rounded to three decimals
    comb = np.exp(-(((x - 1400) / 150) ** 2)) * (np.sin(x / 9.0) > 0) * 0.6
    path = tmp_path / "vapour.csv"
    path.write_text("1/cm,absorbance\n" + "\n".join(f"{a:.0f},{b:.3f}" for a, b in zip(x, comb, strict=True)))
    record = measured(path).records[0]
    assert {"shape-misfit", "noise-unseen"} <= set(record.flags)


def test_bands_with_a_tail_are_told_with_it_and_flagged(tmp_path):
    records = [
        measured(written(tmp_path / "a.jdx", seed=3, bands=PEG, tail=tail), calibration_cm=0.0).records[0]
        for tail in (0.0, 0.2)
    ]
    assert ["lopsided" in one.flags for one in records] == [False, True]
    rows = [row["centre_cm"] for row in records[1].tables["bands"]]
    # four standard errors: five bands, of which none may be a share of its width to the side
    assert all(min(abs(row.value - centre) / row.sd for row in rows) < 4.0 for centre, _, _ in PEG)


def test_beside_its_bands_a_spectrum_is_fitted_to_its_noise(tmp_path):
    # the last round moves the group of CH: beside it the baseline of the round before is off by nine standard deviations
    write_virtual_infrared(tmp_path / "a.jdx", InfraredTruth(tail=0.15), rng=np.random.default_rng(3))
    (curve,) = measured(tmp_path / "a.jdx").records[0].curves
    # far tails of the stretches of CH, where no window is
    beside = ((curve.x > 2600.0) & (curve.x < 2760.0)) | ((curve.x > 3080.0) & (curve.x < 3240.0))
    # of 160 points and of all a mean square is known to a tenth; the line between them is fitted
    assert np.mean(curve.residual[beside] ** 2) < 1.4 * np.mean(curve.residual**2)


def test_places_of_bands_beyond_those_fitted_are_told(tmp_path, monkeypatch):
    path = written(tmp_path / "a.jdx")
    assert "bands-untried" not in measured(path).records[0].flags
    monkeypatch.setattr("lampyris.bench.ftir.bands.MOST_CANDIDATES", 4)
    assert "bands-untried" in measured(path).records[0].flags


def test_linear_algebra_of_an_instrument_keeps_to_one_thread(monkeypatch):
    from threadpoolctl import threadpool_info

    def threads(sources, settings):
        return [one["num_threads"] for one in threadpool_info() if one["user_api"] == "blas"]

    monkeypatch.setattr("lampyris.study.bench.ftir.measure", threads)
    assert set(measure("ftir", (), settings=Settings())) == {1}


def test_a_noiseless_vapour_is_fitted_alike_whatever_is_rounded():
    """Rotational lines of three vibrations that hardly stand apart, as a drawing of three decimals has them."""
    x = np.arange(1000.0, 2200.0, 2.0)
    turns = np.arange(30)
    seen = 0.2 * np.exp(-4.0 * np.log(2.0) * ((x - 1900.0) / 30.0) ** 2)
    for centre, height, constant in ((1250.0, 0.3, 0.9), (1450.0, 0.3, 0.9), (1750.0, 0.2, 1.2)):
        filled = (2 * turns + 1) * np.exp(-constant * turns * (turns + 1) / 209.0)
        for branch in (-2.0, 2.0):
            away = x[:, None] - centre - branch * constant * (turns + 1)
            seen += (height * filled / filled.max() / (1.0 + 4.0 * (away / 3.0) ** 2)).sum(axis=1)
    drawn = -np.log10(np.round(10.0**-seen, 3))
    fits = []
    for rounded in (0.0, 1e-15):
        # what another order of sums would make of the numbers
        signal = drawn * (1.0 + rounded * np.random.default_rng(1).standard_normal(x.size))
        base = penalised_baseline(x, signal, reach_cm=600.0)
        fits.append(infer_bands(x, signal, baseline=base, reach_cm=600.0, rounding=1.25e-4, significance=4.0))
    one = fits[0]
    assert len(one.bands) > 3 and one.unseen and one.noise == 1.25e-4
    # a search ends within a ten-thousandth of a standard error
    both = np.array([[band.centre_cm.value for band in fit.bands] for fit in fits])
    assert np.abs(both[0] - both[1]).max() < 1e-4 * min(band.centre_cm.sd for band in one.bands)


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
    assert "--signal" in error.value.findings[0].mend


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


def test_a_spectrum_of_visible_light_holds_no_bands(tmp_path):
    rows = "".join(f"{400 + k},{0.1 + 0.1 * (k % 5)}\n" for k in range(100))
    (tmp_path / "a.csv").write_text(f"Wavelength (nm),Absorbance\n{rows}")
    with pytest.raises(LampyrisError, match="beyond the infrared"):
        measured(BenchSource(tmp_path / "a.csv", "a.csv"))
