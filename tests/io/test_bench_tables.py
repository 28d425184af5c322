"""The bench's numbers and curves as files."""

import csv

import numpy as np
import pytest

from lampyris.core.bench import BenchCurve, BenchRecord, BenchResult
from lampyris.core.estimate import Estimate
from lampyris.io.bench_tables import jcamp_text, write_bench_curves, write_bench_values
from lampyris.io.instruments.spectra import read_spectra

ONE = Estimate(1 / 3, 0.1, 0.1, 0.6, 0.95, "nm", "fit")
CURVE = BenchCurve(
    "a/b", "wavelength (nm)", "absorbance", np.array([1.0, 2.0]), np.array([0.1, np.nan]), np.array([1, 2.0])
)


@pytest.fixture
def result():
    record = BenchRecord(
        "=lot", "a.csv", {"peak_nm": ONE}, {"peaks_nm": (ONE, ONE)}, flags=("saturated",), curves=(CURVE,)
    )
    return BenchResult("dls", record, (record,), "2 runs")


def test_values_come_back_exactly(tmp_path, result):
    write_bench_values(tmp_path / "a.csv", result)
    rows = list(csv.DictReader((tmp_path / "a.csv").read_text().splitlines()))
    assert [row["sample"] for row in rows] == ["'=lot"] * 3 + ["(pooled)"] * 3
    assert {float(row["value"]) for row in rows} == {1 / 3}
    assert {row["flags"] for row in rows} == {"saturated"}


def test_curves_are_named_by_place_sample_and_title(tmp_path, result):
    written = write_bench_curves(tmp_path, result)
    assert [path.name for path in written] == ["01-lot-a-b.csv", "01-lot-a-b.jdx"]
    assert written[0].read_text().splitlines() == ["wavelength (nm),absorbance,fit", "1.0,0.1,1.0", "2.0,nan,2.0"]


AXES = {
    "wavelength (nm)": ("wavelength", 1.0),
    "wavenumber (1/cm)": ("wavenumber", 1.0),
    "energy (keV)": ("xray_energy", 1.0),
    "time (s)": ("time", 1.0),
    # the standard has no nanoseconds, and a reader must not take them for seconds
    "time (ns)": ("time", 1e-9),
    "lag (us)": ("time", 1e-6),
}


@pytest.mark.parametrize(("label", "axis", "factor"), [(label, *found) for label, found in AXES.items()])
def test_jcamp_reads_back_with_its_axis(tmp_path, label, axis, factor):
    x, y = np.array([170.0, 180.1]), np.array([1 / 3, -2.0])
    (tmp_path / "a.jdx").write_text(jcamp_text(BenchCurve("a", label, "absorbance", x, y), title="a"), newline="")
    (one,) = read_spectra(tmp_path / "a.jdx")
    np.testing.assert_array_equal([one.axis, one.signal], [x * factor, y])
    assert (one.axis_name, one.signal_name, one.name) == (axis, "absorbance", "a")


def test_jcamp_holds_the_points_that_have_a_value():
    text = jcamp_text(CURVE, title="two\nlines")
    assert text.startswith("##TITLE= two lines\r\n")
    assert "##NPOINTS= 1\r\n" in text and "\r\n1.0, 0.1\r\n" in text and text.endswith("##END=\r\n")
