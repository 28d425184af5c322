"""X-ray spectra from files: virtual dots, an independent program, and what goes wrong."""

import json
import warnings

import numpy as np
import pytest

from lampyris import cli
from lampyris.bench.eds import families, families_in, infer_composition, infer_lines, k_factor, quantified
from lampyris.core.bench import BenchSource
from lampyris.core.errors import LampyrisError
from lampyris.core.techniques.eds import Settings
from lampyris.io.instruments.spectra import read_spectra
from lampyris.study.bench import measure
from lampyris.virtual.instruments.eds import XrayTruth, write_virtual_xray


def written(path, seed=1, **truth):
    write_virtual_xray(path, XrayTruth(**truth), rng=np.random.default_rng(seed))
    return path


def measured(*files, **options):
    return measure("eds", [BenchSource(file, file.name) for file in files], settings=Settings(high_kev=14.0, **options))


def test_the_composition_comes_back(tmp_path):
    path = written(tmp_path / "a.msa", atoms={"Cd": 0.7, "Se": 0.3, "Te": 0.4})
    record = measured(path, element=("Cd", "Se", "Te", "S")).records[0]
    for element, share in (("Cd", 0.5), ("Se", 0.3 / 1.4), ("Te", 0.4 / 1.4)):
        one = record.values[f"atomic_percent_{element}"]
        assert one.low < 100.0 * share < one.high
    assert {"grid-metal", "not-found"} <= set(record.flags)
    sulphur = next(row for row in record.tables["detection_limits"] if row["element"] == "S")
    assert sulphur["found"] == "no" and 0.0 < sulphur["atomic_percent"] < 5.0


def test_elements_are_found_unasked(tmp_path):
    record = measured(written(tmp_path / "a.msa", counts=4e4)).records[0]
    assert record.words["elements"] == "Cd, Cu, Se"


def test_lead_and_sulphur_are_flagged(tmp_path):
    path = written(tmp_path / "a.msa", atoms={"Pb": 1.0, "S": 0.8})
    assert "overlap" in measured(path, element=("Pb", "S")).records[0].flags


def test_photons_that_escape_are_put_back(tmp_path):
    counts = 2e6
    means = write_virtual_xray(tmp_path / "a.msa", XrayTruth(counts=counts, escape=1.2), rng=np.random.default_rng(3))
    rows = {
        row["family"]: row["counts"]
        for row in measured(tmp_path / "a.msa", element=("Cd", "Se")).records[0].tables["lines"]
    }
    # a hundredth of Cd L is missing in its lines, ten times its error: three of these
    for name in ("Cd_L", "Se_K"):
        assert abs(rows[name].value - means[name]) < 3.0 * rows[name].sd
    assert 0.01 * means["Cd_L"] > 5.0 * rows["Cd_L"].sd


def test_given_factors_count(tmp_path):
    path = written(tmp_path / "a.msa", counts=1e5)
    options = {"element": ("Cd", "Se")}
    wide = measured(path, **options).records[0].values["atomic_percent_Cd"]
    factors = {name: k_factor(families()[name], 200.0)[0] for name in ("Cd_L", "Se_K")}
    given = tuple(f"{name}={value:.4f}:{0.01 * value:.4f}" for name, value in factors.items())
    narrow = measured(path, k_factor=given, **options).records[0].values["atomic_percent_Cd"]
    assert narrow.value == pytest.approx(wide.value, abs=0.01)
    assert narrow.sd < 0.3 * wide.sd
    # twice the factor of cadmium: twice its odds
    doubled = (f"Cd={2 * factors['Cd_L']:.4f}:0.1", given[1])
    odds = [
        one.value / (100.0 - one.value)
        for one in (narrow, measured(path, k_factor=doubled, **options).records[0].values["atomic_percent_Cd"])
    ]
    assert odds[1] / odds[0] == pytest.approx(2.0, rel=1e-3)


def test_a_file_that_is_no_spectrum_is_refused(tmp_path):
    (tmp_path / "a.msa").write_text("nothing")
    with pytest.raises(LampyrisError, match="lacks #FORMAT"):
        measured(tmp_path / "a.msa")


def test_energy_losses_are_no_x_rays(tmp_path):
    path = written(tmp_path / "a.msa", counts=1e3)
    path.write_text(path.read_text().replace("EDS", "ELS"))
    with pytest.raises(LampyrisError, match="SIGNALTYPE ELS, energy losses of electrons"):
        measured(path)


REFUSED = {
    "an element that is none": ({"element": ("Xx",)}, "'Xx' is not in the table"),
    "a factor that is none": ({"k_factor": ("Cd",)}, "'Cd' cannot be read"),
}


@pytest.mark.parametrize(("options", "seen"), REFUSED.values(), ids=REFUSED.keys())
def test_options_are_checked(tmp_path, options, seen):
    with pytest.raises(LampyrisError, match=seen):
        measured(written(tmp_path / "a.msa", counts=1e3), **options)


def test_a_text_needs_its_voltage(tmp_path):
    rows = "".join(f"{0.01 * k:.2f}\t{k % 7}\n" for k in range(1000))
    (tmp_path / "a.txt").write_text("Energy (keV)\tcounts\n" + rows)
    with pytest.raises(LampyrisError) as error:
        measured(tmp_path / "a.txt")
    assert "--beam-kv" in error.value.findings[0].mend


def test_command_line(tmp_path, capsys):
    path = written(tmp_path / "a.msa")
    words = [
        "bench",
        "eds",
        str(path),
        "--element",
        "Cd",
        "--element",
        "Se",
        "--high-kev",
        "14",
        "--json",
        "--plot",
        str(tmp_path / "a.svg"),
    ]
    assert cli.main(words) == 0
    document = json.loads(capsys.readouterr().out)
    assert {row["element"] for row in document["atomic_percent"]} == {"Cd", "Se"}


@pytest.fixture(scope="module")
def exspy():
    with warnings.catch_warnings():
        # hyperspy deprecates parts of itself while it is imported
        warnings.simplefilter("ignore")
        import exspy

        return exspy


def test_line_energies_agree_with_exspy(exspy):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        table = exspy.material.elements
    off = {}
    for one in families().values():
        lines = table[one.element]["Atomic_properties"]["Xray_lines"]
        line = f"{one.main}" if one.main in lines else ""
        if line and 1.0 <= one.main_kev <= 16.0:
            off[one.name] = one.main_kev - lines[line]["energy (keV)"]
    assert len(off) > 35
    # tables of transitions differ by some eV, far less than a channel of 10 eV
    assert max(abs(value) for value in off.values()) < 0.012, off


def test_composition_agrees_with_exspy(exspy, tmp_path):
    (one,) = read_spectra(written(tmp_path / "a.msa", atoms={"Cd": 0.7, "Se": 0.3, "Te": 0.4}, counts=1e5))
    keep = (one.axis > 0.8) & (one.axis < 14.0)
    tried = families_in(("Cd", "Se", "Te", "Cu"), low_kev=0.8, high_kev=14.0, beam_kv=200.0)
    found = infer_lines(one.axis[keep], one.signal[keep], tried, beam_kv=200.0)
    chosen = {e: f for e, f in quantified(found.families).items() if e != "Cu"}
    factors = {f.name: k_factor(f, 200.0) for f in chosen.values()}
    ours = infer_composition(found, chosen, factors)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        signal = exspy.signals.EDSTEMSpectrum(np.array(one.signal))
        signal.axes_manager[-1].scale, signal.axes_manager[-1].offset = 0.01, 0.0
        signal.axes_manager[-1].units = "keV"
        signal.set_microscope_parameters(beam_energy=200.0)
        elements = sorted(chosen)
        signal.set_elements(elements)
        signal.set_lines([f"{e}_{chosen[e].main}" for e in elements])
        intensities = signal.get_lines_intensity()
        for line in intensities:
            element = line.metadata.Sample.elements[0]
            line.data[...] = found.counts[chosen[element].name].value * chosen[element].main_share
        k = [factors[chosen[line.metadata.Sample.elements[0]].name][0] for line in intensities]
        theirs = signal.quantification(intensities, method="CL", factors=k, composition_units="atomic")
    for line in theirs:
        element = line.metadata.Sample.elements[0]
        assert ours.atomic_percent[element].value == pytest.approx(float(line.data[0]), abs=0.01)
