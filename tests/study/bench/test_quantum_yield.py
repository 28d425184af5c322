"""Quantum yield from files: virtual instruments with a known answer, a real sphere, and what goes wrong."""

import json
import os
import re
from pathlib import Path

import numpy as np
import pytest

from lampyris import cli
from lampyris.core.bench import BenchSource
from lampyris.core.errors import InputError, LampyrisError
from lampyris.core.techniques.quantum_yield import Settings
from lampyris.study.bench import measure
from lampyris.virtual.instruments.quantum_yield import YieldTruth, write_virtual_dilutions, write_virtual_sphere


def sphere(folder, truth=None, seed=1, **options):
    files = write_virtual_sphere(folder, truth or YieldTruth(), rng=np.random.default_rng(seed))
    return measure_files(files.items(), **options)


def measure_files(files, **options):
    sources = [BenchSource(path, path.name, role=role) for role, path in files]
    return measure("quantum-yield", sources, settings=Settings(**options))


def test_a_known_yield_comes_back_from_the_sphere(tmp_path):
    found = sphere(tmp_path, calibration_relative_sd=0.0)
    quantum_yield, absorptance = found.pooled.values["quantum_yield"], found.pooled.values["absorptance"]
    assert quantum_yield.low < 0.426 < quantum_yield.high
    assert absorptance.low < 0.35 < absorptance.high
    assert quantum_yield.sd < 0.01
    assert found.pooled.flags == ()


FAULTS = {
    "nothing absorbed": ({"empty": "direct", "direct": "empty"}, {}, "nothing was absorbed"),
    "beams exchanged": ({"indirect": "direct", "direct": "indirect"}, {}, "beam beside the sample"),
    "no such band": ({}, {"emission_low_nm": 1900.0, "emission_high_nm": 1999.0}, "fewer than two points"),
    "no direct": ({"direct": None}, {}, "is missing"),
}


@pytest.mark.parametrize(("roles", "options", "seen"), FAULTS.values(), ids=FAULTS.keys())
def test_faults_of_a_sphere_are_told(tmp_path, roles, options, seen):
    files = write_virtual_sphere(tmp_path, YieldTruth(), rng=np.random.default_rng(1))
    given = [(roles.get(role, role), path) for role, path in files.items() if roles.get(role, role)]
    with pytest.raises(LampyrisError, match=seen):
        measure_files(given, **options)


def test_a_replicate_that_fails_does_not_stop_the_others(tmp_path):
    sources = []
    for name in ("a", "b", "c"):
        (tmp_path / name).mkdir()
        files = write_virtual_sphere(tmp_path / name, YieldTruth(), rng=np.random.default_rng(ord(name)))
        sources += [
            BenchSource(path, f"{name}/{path.name}", role=role, replicate=name)
            for role, path in files.items()
            if role != "correction" or name == "a"
        ]
    broken = next(one for one in sources if one.replicate == "b" and one.role == "direct")
    broken.path.write_text("nothing")
    settings = Settings(calibration_relative_sd=0.0)
    found = measure("quantum-yield", sources, settings=settings)
    assert [one.name for one in found.records] == ["a", "c"]
    assert [one.place.file for one in found.findings if one.severity == "error"] == [broken.file]
    assert found.replicate == "2 measurements of three spectra"
    with pytest.raises(LampyrisError, match=re.escape(broken.file)):
        measure("quantum-yield", [one for one in sources if one.replicate == "b"], settings=settings)


def test_light_taken_up_again_is_told_from_the_emission_alone(tmp_path):
    truth = YieldTruth(reabsorbed=0.15)
    values = sphere(tmp_path, truth, calibration_relative_sd=0.0).pooled.values
    # Ahn and others 2007: of what is emitted anew
    seen = 0.426 * 0.85 / (1.0 - 0.15 * 0.426)
    for name, own in (("quantum_yield", 0.426), ("observed_yield", seen), ("reabsorbed_share", 0.15)):
        assert values[name].low < own < values[name].high
    assert values["quantum_yield"].sd < 0.02


def test_a_correction_that_is_too_short_is_refused(tmp_path):
    files = write_virtual_sphere(tmp_path, YieldTruth(), rng=np.random.default_rng(1))
    files["correction"].write_text("400\t1\n600\t1\n")
    with pytest.raises(InputError, match="reaches from 400 to 600 nm"):
        measure_files(files.items())


FLAGGED = {
    "saturated": (YieldTruth(), {"saturation": 1e5}),
    "weak-absorption": (YieldTruth(absorptance=0.02, peak_counts=4e7), {}),
    "above-one": (YieldTruth(quantum_yield=1.3), {"calibration_relative_sd": 0.0}),
}  # fmt: skip


@pytest.mark.parametrize(("flag", "case"), FLAGGED.items())
def test_doubts_are_flagged(tmp_path, flag, case):
    truth, options = case
    found = sphere(tmp_path, truth, **options)
    assert flag in found.pooled.flags
    assert any(flag in one.rule for one in found.findings)


def test_a_detector_that_is_full_without_saying_so_is_flagged(tmp_path):
    files = write_virtual_sphere(tmp_path, YieldTruth(), rng=np.random.default_rng(1))
    head, names, *rows = files["empty"].read_text().splitlines()
    parts = (row.split("\t") for row in rows)
    files["empty"].write_text("\n".join([head, names, *(f"{x}\t{min(float(y), 2.6e5)}" for x, y in parts)]))
    found = measure_files(files.items())
    assert "saturated" in found.pooled.flags
    assert any("empty.txt" in one.seen for one in found.findings if one.rule == "quantum-yield.saturated")


def edited(files, role, edit):
    """The sphere's files with the rows of one edited."""
    head, names, *rows = files[role].read_text().splitlines()
    kept = [made for row in rows if (made := edit(*map(float, row.split())))]
    files[role].write_text("\n".join([head, names, *(f"{x}\t{y}" for x, y in kept)]))
    return list(files.items())


CUT = {
    "ends early": ("direct", lambda x, y: (x, y) if x < 700 else None, "within the emission band"),
    "correction below 0": ("correction", lambda x, y: (x, -y), "not above 0"),
    "no light": ("direct", lambda x, y: (x, -y), "no excitation light"),
}


@pytest.mark.parametrize(("role", "edit", "seen"), CUT.values(), ids=CUT.keys())
def test_files_of_a_sphere_that_give_no_yield_are_refused(tmp_path, role, edit, seen):
    files = write_virtual_sphere(tmp_path, YieldTruth(), rng=np.random.default_rng(1))
    with pytest.raises(LampyrisError, match=seen):
        measure_files(edited(files, role, edit))


def test_light_that_was_not_counted_is_flagged(tmp_path):
    files = write_virtual_sphere(tmp_path, YieldTruth(), rng=np.random.default_rng(1))
    gap = edited(files, "direct", lambda x, y: None if 780 < x < 840 else (x, y))
    assert "gap" in measure_files(gap).pooled.flags
    assert "uncorrected" in measure_files([one for one in gap if one[0] != "correction"]).pooled.flags
    files = write_virtual_sphere(tmp_path, YieldTruth(), rng=np.random.default_rng(1))
    for role in ("indirect", "direct"):
        edited(files, role, lambda x, y: (x, y) if x < 820 else None)
    assert "emission-cut" in measure_files(files.items()).pooled.flags


def relative(folder, absorbances=(0.02, 0.04, 0.06, 0.08), **options):
    rng = np.random.default_rng(3)
    paths, read = write_virtual_dilutions(folder, YieldTruth(), absorbances, name="dots", rng=rng)
    dye = YieldTruth(quantum_yield=0.132, emission_nm=830.0, fwhm_nm=45.0)
    others, theirs = write_virtual_dilutions(
        folder, dye, (0.03, 0.05, 0.07), name="dye", rng=rng, refractive_index=1.3614
    )
    files = [("", path) for path in paths] + [("standard", path) for path in others]
    given = {
        "absorbance": tuple(read),
        "standard_absorbance": tuple(theirs),
        "standard_yield": 0.132,
        "standard_yield_sd": 0.003,
    }
    indices = {"refractive_index": 1.333, "standard_refractive_index": 1.3614}
    return measure_files(files, **given, **indices, **options)


def test_a_known_yield_comes_back_from_dilutions(tmp_path):
    found = relative(tmp_path)
    for curve in found.pooled.curves:
        # the line is drawn from the origin, where nothing was measured
        assert (curve.x[0], curve.fit[0]) == (0.0, 0.0) and np.isnan(curve.y[0])
        assert np.isfinite(curve.residual[1:]).all() and np.abs(curve.residual[1:]).max() < 5.0
    one = found.pooled.values["quantum_yield"]
    assert one.low < 0.426 < one.high
    assert one.sd / one.value < 0.05
    assert found.replicate == "4 and 3 dilutions"
    assert found.pooled.flags == ()
    # a band that ends at the top leaves half of the light out, of every dilution alike
    assert "emission-cut" in relative(tmp_path, emission_high_nm=810.0).pooled.flags


def test_strong_dilutions_are_left_out_and_said(tmp_path):
    found = relative(tmp_path, (0.04, 0.08, 0.3))
    assert "dilutions-left-out" in found.pooled.flags
    assert found.replicate == "2 and 3 dilutions"


@pytest.mark.parametrize("role", ["", "standard"])
def test_a_dilution_that_cannot_be_read_is_left_out_with_its_absorbance(tmp_path, role):
    rng = np.random.default_rng(3)
    dye = YieldTruth(quantum_yield=0.132, emission_nm=830.0, fwhm_nm=45.0)
    paths, read = write_virtual_dilutions(tmp_path, YieldTruth(), (0.02, 0.05, 0.08), name="dots", rng=rng)
    others, theirs = write_virtual_dilutions(tmp_path, dye, (0.03, 0.05, 0.07), name="dye", rng=rng)
    given = {"absorbance": tuple(read), "standard_absorbance": tuple(theirs), "standard_yield": 0.132}
    indices = {"refractive_index": 1.333, "standard_refractive_index": 1.333}
    files = [("", path) for path in paths] + [("standard", path) for path in others]
    broken = (others if role else paths)[1]
    broken.write_text("nothing")
    found = measure_files(files, **given, **indices)
    quantum_yield = found.pooled.values["quantum_yield"]
    assert quantum_yield.low < 0.426 < quantum_yield.high
    assert found.replicate == ("3 and 2 dilutions" if role else "2 and 3 dilutions")
    assert [one.place.file for one in found.findings if one.severity == "error"] == [broken.name]
    assert "dilutions-left-out" in found.pooled.flags
    for path in others if role else paths:
        path.write_text("nothing")
    with pytest.raises(LampyrisError, match="can be read"):
        measure_files(files, **given, **indices)


@pytest.mark.parametrize(
    ("options", "seen"),
    [
        ({"absorbance": (0.05,)}, "1 absorbances for 4"),
        ({"standard_yield": None}, "which dye"),
        ({"absorbance": ()}, "without the absorbance"),
    ],
)
def test_what_is_missing_is_named(tmp_path, options, seen):
    rng = np.random.default_rng(3)
    paths, read = write_virtual_dilutions(tmp_path, YieldTruth(), (0.02, 0.04, 0.06, 0.08), name="dots", rng=rng)
    files = [("", path) for path in paths] + [("standard", path) for path in paths]
    given = {"absorbance": tuple(read), "standard_absorbance": tuple(read), "standard_yield": 0.5} | options
    with pytest.raises(LampyrisError, match=seen):
        measure_files(files, **given)


def test_a_blank_as_strong_as_the_sample_gives_no_number(tmp_path):
    rng = np.random.default_rng(3)
    paths, read = write_virtual_dilutions(tmp_path, YieldTruth(), (0.05,), name="dots", rng=rng)
    with pytest.raises(LampyrisError, match="blank is as strong"):
        measure_files(
            [("", paths[0]), ("standard", paths[0]), ("blank", paths[0])],
            absorbance=tuple(read),
            standard_absorbance=tuple(read),
            standard_yield=0.5,
        )


def test_standards_come_from_their_table(tmp_path, capsys):
    rng = np.random.default_rng(3)
    paths, _ = write_virtual_dilutions(tmp_path, YieldTruth(), (0.05,), name="dots", rng=rng)
    words = [str(paths[0]), f"standard={paths[0]}", "--absorbance", "0.05", "--standard-absorbance", "0.05"]
    assert cli.main(["bench", "quantum-yield", *words, "--standard", "IR-125", "--solvent", "ethanol", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["quantum_yield"] == pytest.approx(0.132)
    assert document["standard"] == "IR-125 in ethanol"
    assert document["quantum_yield_low"] < 0.132 < document["quantum_yield_high"]


def test_the_real_sphere(capsys):
    folder = os.environ.get("LAMPYRIS_SAMPLES")
    if not folder or not Path(folder, "plqy").is_dir():
        pytest.skip("needs the folder of samples, named by LAMPYRIS_SAMPLES")
    at = Path(folder, "plqy")
    files = {"empty": ["A1"], "indirect": ["B1", "B2"], "direct": ["C1", "C2"]}
    words = [f"{role}={at / '1' / name}.txt" for role, names in files.items() for name in names]
    assert cli.main(["bench", "quantum-yield", *words, f"correction={at / 'CF.txt'}", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    # the authors' own program gave these from the same files
    assert document["quantum_yield"] == pytest.approx(0.93412, abs=0.002)
    assert document["absorptance"] == pytest.approx(0.64594, abs=0.0002)
