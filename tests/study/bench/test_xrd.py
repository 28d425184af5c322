"""Diffractograms to phase, size, strain and lattice: virtual powders, real ones, and what goes wrong."""

import json
import os
from pathlib import Path

import numpy as np
import pytest

from lampyris import cli
from lampyris.core.bench import BenchSource
from lampyris.core.errors import LampyrisError
from lampyris.core.techniques.xrd import Settings
from lampyris.study.bench import measure
from lampyris.virtual.instruments.xrd import XrdTruth, write_virtual_xrd

CDSE = 6.052


def measured(*files, **options):
    sources = [file if isinstance(file, BenchSource) else BenchSource(file, file.name) for file in files]
    return measure("xrd", sources, settings=Settings(**options))


def powder(tmp_path, name="a.xrdml", seed=1, step=0.15, **truth):
    truth = {"size_nm": 3.0, "dots": 10, "peak_counts": 3000.0, **truth}
    write_virtual_xrd(tmp_path / name, XrdTruth(**truth), rng=np.random.default_rng(seed), step_deg=step)
    return tmp_path / name


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return powder(tmp_path_factory.mktemp("xrd"))


def test_a_dot_comes_back(small, capsys):
    assert cli.main(["bench", "xrd", str(small), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["size_nm_low"] < 3.0 < told["size_nm_high"]
    assert told["lattice_A_low"] < CDSE < told["lattice_A_high"]
    assert told["strain_low"] == 0.0
    # InAs has the same crystal and nearly the same lattice: it cannot be told, and that is said
    assert {"CdSe zinc blende", "InAs zinc blende"} <= set(told["possible_phases"].split(", "))
    assert {"phase-ambiguous", "size-by-whole-pattern"} <= set(told["flags"])
    assert told["reflections"][0]["hkl"] == "111"


def test_a_named_phase_is_not_ambiguous_and_both_ways_to_a_size_agree(small):
    found = measured(small, phase=("CdSe zinc blende",)).pooled
    assert found.words["phase"] == "CdSe zinc blende"
    assert "phase-ambiguous" not in found.flags
    lines, whole = found.values["size_lines_nm"], found.values["size_nm"]
    assert abs(lines.value - whole.value) < 2.0 * np.hypot(lines.sd, whole.sd)


def test_columns_and_shifts_hold_what_shapes_do_to_lines(tmp_path):
    # at ten thousand counts the noise of a shift is a quarter of what a cube's facets do, that of a column as large
    path = powder(tmp_path, size_nm=3.0, shape="rounded cube", shift_deg=0.05, peak_counts=10_000.0)
    found = measured(path, phase=("CdSe zinc blende",), method="lines").pooled.values
    column, size, shift = (found[key] for key in ("column_nm", "size_nm", "shift_deg"))
    assert column.value == pytest.approx(0.75 * size.value) and column.low < 0.75 * 3.0 < column.high
    assert shift.low < 0.05 < shift.high
    assert "shape of the dots" in column.method and "shape of the dots" in shift.method


@pytest.mark.parametrize("phase", ["PbS rock salt", "CdSe wurtzite"])
def test_strain_and_size_are_told_apart(tmp_path, phase):
    path = powder(tmp_path, size_nm=5.0, phase=phase, strain=0.008, peak_counts=8000.0)
    record = measured(path, phase=(phase,), method="lines").pooled
    assert record.words["size_method"] == "lines of dots"
    found = record.values
    assert found["strain"].low < 0.008 < found["strain"].high
    assert found["size_nm"].low < 5.0 < found["size_nm"].high
    # lines one by one scatter about what all together have: the joint fit is their mean, so its noise is theirs over some lines
    halls = record.curves[1:]
    assert len(halls) == (phase == "PbS rock salt"), "of wurtzite no two lines stand apart"
    for hall in halls:
        assert np.median(hall.y / hall.fit) == pytest.approx(1.0, abs=0.06)


def test_scherrer_with_a_shape_factor_of_ones_own(small):
    # on full widths 1.1084 gives the diameter of a sphere, 0.89 less in proportion
    sphere = measured(small, phase=("CdSe zinc blende",), shape_factor=1.1084).pooled.values["size_nm"]
    widths = measured(small, phase=("CdSe zinc blende",), shape_factor=0.89).pooled.values["size_nm"]
    assert widths.value / sphere.value == pytest.approx(0.89 / 1.1084, rel=1e-6)
    assert sphere.value == pytest.approx(
        measured(small, phase=("CdSe zinc blende",), method="lines").pooled.values["size_nm"].value, rel=0.01
    )


def axis_as(path, kind):
    from lampyris.io.instruments.diffractograms import read

    (one,) = read(path, max_bytes=10**7, file="a")
    q = 4 * np.pi * np.sin(np.radians(one.axis) / 2) / 1.5418
    axis = {"q": q, "d": 2 * np.pi / q}[kind]
    rows = "\n".join(f"{x:.6f} {y:.0f}" for x, y in zip(axis, one.signal, strict=True))
    return {"q": "q (1/A) counts\n", "d": "d (A) counts\n"}[kind] + rows


@pytest.mark.parametrize("kind", ["q", "d"])
def test_other_axes_give_the_same_dot(small, tmp_path, kind):
    (tmp_path / "a.txt").write_text(axis_as(small, kind))
    found = measured(tmp_path / "a.txt", phase=("CdSe zinc blende",), wavelength_A=1.5418, method="lines").pooled.values
    assert found["size_nm"].low < 3.0 < found["size_nm"].high
    assert found["lattice_A"].value == pytest.approx(CDSE, rel=0.002)


REFUSED = {
    "no wavelength": (lambda text: text.split("\n", 1)[1], {}, "say the wavelength"),
    "an axis that does not say what it is": (lambda text: "0.5 1\n1.0 5\n2.0 3\n", {}, "may be q"),
    "a window without points": (lambda text: text, {"low_deg": 100.0}, "points are left"),
    "a phase that is not in the table": (lambda text: text, {"phase": ("unobtainium",)}, "unobtainium"),
    "a flat line": (lambda text: "Anode: Cu\n" + "\n".join(f"{20 + k / 10} 7" for k in range(200)), {}, "same everywhere"),
}  # fmt: skip


@pytest.mark.parametrize(("change", "options", "seen"), REFUSED.values(), ids=REFUSED.keys())
def test_what_cannot_be_used_is_asked_about(tmp_path, change, options, seen):
    path = powder(tmp_path, "a.xy", size_nm=1.5, dots=2)
    path.write_text(change(path.read_text()))
    with pytest.raises(LampyrisError, match=seen):
        measured(path, **options)


FLAGGED = {
    "saturated": {"dead_time_counts": 2600.0},
    "sample-displaced": {"shift_deg": 0.3, "size_nm": 5.0, "phase": "PbS rock salt", "peak_counts": 8000.0},
    "amorphous-hump": {"hump_counts": 1500.0},
    "lattice-off": {"lattice_scale": 1.015},
    "weak": {"peak_counts": 12.0, "background_counts": 400.0},
}


@pytest.mark.parametrize(("flag", "truth"), FLAGGED.items())
def test_doubts_are_flagged(tmp_path, flag, truth):
    path = powder(tmp_path, **truth)
    assert flag in measured(path, phase=(truth.get("phase", "CdSe zinc blende"),), method="lines").pooled.flags


def test_a_pattern_of_no_phase_gives_no_lattice(tmp_path):
    x = np.arange(15.0, 80.0, 0.1)
    lines = sum(800 * np.exp(-0.5 * ((x - at) / 0.6) ** 2) for at in (18.0, 33.0, 71.0))
    counts = np.random.default_rng(1).poisson(100 + lines)
    rows = "\n".join(f"{a:.2f} {b}" for a, b in zip(x, counts, strict=True))
    (tmp_path / "a.xy").write_text(f"Anode: Cu\n{rows}\n")
    found = measured(tmp_path / "a.xy").pooled
    assert "phase-unknown" in found.flags
    assert found.words["phase"] == ""
    assert np.isnan(found.values["lattice_A"].value)
    # Scherrer of a Gaussian of 0.6 deg about 33 deg, as a sphere
    assert found.values["size_nm"].low < 4 / 3 * 7.5 < found.values["size_nm"].high


def test_a_standard_gives_the_instruments_width(tmp_path, small):
    x = np.arange(18.0, 82.0, 0.03)
    from lampyris.bench.xrd.crystals import reflections
    from lampyris.bench.xrd.pattern import two_theta_of

    own = reflections("LaB6 powder", 5.5)
    counts = np.full(x.size, 50.0)
    for q, strength in zip(own.inverse, own.strength / own.strength.max(), strict=True):
        for line, weight in ((1.54059292, 1.0), (1.544414, 0.5)):
            at = float(two_theta_of(q, line))
            counts += 5000 * strength * weight * np.exp(-4 * np.log(2) * ((x - at) / 0.15) ** 2)
    seen = np.random.default_rng(1).poisson(counts)
    rows = "\n".join(f"{a:.3f} {b}" for a, b in zip(x, seen, strict=True))
    (tmp_path / "lab6.xy").write_text(f"Anode: Cu\n{rows}\n")
    standard = BenchSource(tmp_path / "lab6.xy", "lab6.xy", role="standard")
    found = measured(small, standard, phase=("CdSe zinc blende",), method="lines")
    assert "from the standard LaB6" in " ".join(found.notes)
    assert found.pooled.values["size_nm"].low < 3.0 < found.pooled.values["size_nm"].high


def test_one_bad_file_does_not_stop_the_others(small, tmp_path):
    (tmp_path / "bad.xrdml").write_text("<xrdMeasurements>")
    found = measured(small, tmp_path / "bad.xrdml", phase=("CdSe zinc blende",), method="lines")
    assert len(found.records) == 1
    assert [one.rule for one in found.findings if one.severity == "error"] == ["xrd.xml"]


@pytest.fixture
def samples():
    folder = os.environ.get("LAMPYRIS_SAMPLES")
    if not folder or not Path(folder, "xrd").is_dir():
        pytest.skip("needs the folder of samples, named by LAMPYRIS_SAMPLES")
    return Path(folder, "xrd")


def test_cuprous_oxide_is_found_with_its_lattice(samples):
    found = measured(samples / "cheminfo_Cu2O_28_bg_subtracted.xy", low_deg=26.0, high_deg=65.0).pooled
    assert found.words["phase"] == found.words["possible_phases"] == "Cu2O cuprite"
    # the shoulder at 35.5 and the line at 38.7 deg are those of CuO
    assert found.words["second_phase"] == "CuO tenorite"
    assert found.values["lattice_A"].value == pytest.approx(4.2696, abs=0.004)
    assert 10 < found.values["size_nm"].value < 40


def test_an_instruments_own_archive_is_read_and_matched(samples):
    found = measured(samples / "cheminfo_test.brml", low_deg=28.0, high_deg=64.0).pooled
    # this file of the same makers holds cupric oxide: 32.5, 35.6, 38.8 and 48.8 deg
    assert found.words["phase"] == found.words["possible_phases"] == "CuO tenorite"
    assert found.values["lattice_A"].value == pytest.approx(4.684, abs=0.03)
