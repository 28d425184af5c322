"""What is written of a technique's result reads back the same, with every kind of content; numbers over lots and beside the stated."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from lampyris.core.bench import BenchCurve, BenchPicture, BenchRecord, BenchResult
from lampyris.core.bench_study import POOLED, BenchNumber, StudyBench
from lampyris.core.estimate import Estimate
from lampyris.core.finding import Finding, Place, Severity
from lampyris.core.settings import StudySettings
from lampyris.study.dot.numbers import bench_numbers, over_lots, stated_beside
from lampyris.study.dot.stored import MOST_POINTS, StoredBench, bench_group, stored_bench
from lampyris.study.graph.codec import decode, encode
from lampyris.study.tables.bench import bench_tables

MEAN = Estimate(6.8, 0.1, 6.6, 7.0, 0.95, "nm", "made")
OPEN = Estimate(0.3, math.nan, 0.1, math.inf, 0.95, "1", "one-sided")


def record(name="a.tif", **changes):
    x = np.arange(5.0)
    curve = BenchCurve(
        "sizes", "diameter (nm)", "count", x, x**2, x**2 + 0.1, {"part": x}, x - 2, ((2.0, "mean"),), steps=True
    )
    pixels = np.arange(12, dtype=np.uint8).reshape(3, 4)
    picture = BenchPicture(pixels, (np.array([[0.0, 1.0], [1.0, 1.0], [1.0, 0.0]]),), ("measured",), 0.4, "found")
    fields = {
        "name": name, "file": f"bench/{name}", "values": {"sd_nm": OPEN, "diameter_nm": MEAN},
        "lists": {"peaks_nm": (MEAN, OPEN)}, "words": {"phase": "zinc blende"},
        "tables": {"bands": ({"bond": "C=O", "position_per_cm": MEAN, "n": np.int64(3), "df": [1, 2.5], "p": math.nan},)},
        "flags": ("edge",), "curves": (curve,), "pictures": (picture,),
    }  # fmt: skip
    return BenchRecord(**{**fields, **changes})


def again(result):
    text = json.dumps(encode(stored_bench(result, "qd", "L1", "tem-qd-L1")), sort_keys=True, allow_nan=False)
    return text, bench_group(decode(StoredBench, json.loads(text)))


@pytest.mark.parametrize("pooled", [None, record("(all)")], ids=["a record speaks for all", "pooled apart"])
def test_a_result_reads_back_the_same(pooled):
    one = record()
    finding = Finding("tem.edge", Severity.WARNING, Place("a.tif"), "cut.", "Crop.")
    result = BenchResult("tem", pooled or one, (one, record("b.tif")), "2 images", (finding,), ("Found.",))
    text, group = again(result)
    found = group.result
    assert again(found)[0] == text
    assert (found.pooled is found.records[0]) == (pooled is None)
    assert list(found.pooled.values) == ["sd_nm", "diameter_nm"]
    curve, picture = found.records[1].curves[0], found.records[1].pictures[0]
    np.testing.assert_array_equal(curve.residual, one.curves[0].residual)
    np.testing.assert_array_equal(picture.pixels, one.pictures[0].pixels)
    np.testing.assert_array_equal(picture.outlines[0], one.pictures[0].outlines[0])
    assert found.records[1].tables["bands"][0]["position_per_cm"] == MEAN
    assert (found.findings, found.notes, found.replicate) == (result.findings, result.notes, "2 images")


def test_long_curves_keep_what_a_figure_shows():
    x = np.arange(4096.0)
    long = record(curves=(BenchCurve("decay", "time (ns)", "counts", x, x),), pictures=())
    kept = again(BenchResult("lifetime", long, (long,), "1 decay"))[1].result.records[0].curves[0]
    assert kept.x.size <= MOST_POINTS and kept.x[0] == 0 and kept.x[-1] > 4090


def test_numbers_are_told_once_with_their_row():
    one = record()
    numbers = bench_numbers(BenchResult("tem", one, (one,), "particles in 1 image"), "qd", "L1")
    assert {number.sample for number in numbers} == {POOLED}
    told = {(number.quantity, number.number, number.label) for number in numbers}
    assert told == {
        ("sd_nm", 0, ""), ("diameter_nm", 0, ""), ("peaks_nm", 1, ""), ("peaks_nm", 2, ""),
        ("bands.position_per_cm", 1, "C=O"),
    }  # fmt: skip


def made(technique, quantity, value, lot, half=0.2, unit="nm"):
    estimate = Estimate(value, half / 1.96, value - half, value + half, 0.95, unit, "made")
    return BenchNumber(technique, "qd", lot, POOLED, "", quantity, 0, "", estimate, 1, "", ())


def test_over_lots_the_error_of_measuring_counts_as_shared():
    numbers = [made("tem", "diameter_nm", value, lot) for value, lot in ((6.0, "a"), (7.0, "b"), (8.0, "c"))]
    (one,) = over_lots(numbers)
    # Student's t of 2 degrees of freedom is 4.302653; chi squared of 2 are 7.377759 and 0.050636
    half = math.hypot(4.302653 / math.sqrt(3), 0.2)
    assert (one.lots, one.mean.value) == (3, pytest.approx(7.0))
    assert one.mean.high - one.mean.value == pytest.approx(half, rel=1e-6)
    assert (one.sd.value, one.sd.low, one.sd.high) == pytest.approx(
        (1.0, math.sqrt(2 / 7.377759), math.sqrt(2 / 0.050636)), rel=1e-4
    )
    # a polydispersity that no upper end is told of is not known better for that
    endless = [replace(one, estimate=replace(one.estimate, high=math.inf)) for one in numbers]
    (one,) = over_lots(endless)
    assert one.mean.high - one.mean.value == pytest.approx(half, rel=1e-3)
    assert over_lots(numbers[:1]) == () and over_lots([made("tem", "diameter_nm", 6.0, "")] * 2) == ()


def test_a_flagged_lot_is_in_its_mean_and_named():
    clean, dusty = (made("dls", "z_average_nm", value, lot) for value, lot in ((18.0, "a"), (24.0, "b")))
    (one,) = over_lots([clean, replace(dusty, flags=("dust",))])
    assert (one.mean.value, one.flagged) == (pytest.approx(21.0), ("b: dust",))
    assert "flagged lots in it: b: dust" in one.mean.method
    table = bench_tables(StudyBench((), (one,)))["bench_lots"]
    assert "b: dust" in str(table)
    assert over_lots([clean, dusty])[0].flagged == ()


SETTINGS = {
    "study": {"name": "s"},
    "instrument": {
        "pixel_mm": 0.5, "gain_e_per_count": 1, "read_noise_e": 2, "radiance_per_rate": 1, "excitation_nm": 745,
        "excitation_mw_per_cm2": 10, "bands": [{"channel": "b", "centre_nm": 800, "width_nm": 20}],
    },
    "groups": {"g": {"probe": "qd"}},
    "probes": {
        "qd": {
            "emission_nm": 800, "fwhm_nm": 45, "molar_extinction_per_m_cm": 1e6, "quantum_yield": 0.4, "quantum_yield_sd": 0.05,
            "per_cell": 1e5, "characterisation": {"core_nm": 6.8, "hydrodynamic_nm": 18.4},
            "photostability": {"retained_percent": 91.8, "minutes": 60},
        }
    },
}  # fmt: skip

BESIDE = {
    "stated inside": (made("tem", "diameter_nm", 6.9, "a"), "probes.qd.characterisation.core_nm", 0.1, True),
    "stated outside": (made("dls", "z_average_nm", 20.0, "a"), "probes.qd.characterisation.hydrodynamic_nm", 1.6, False),
    "its own uncertainty counts": (made("quantum-yield", "quantum_yield", 0.45, "", 0.01, "1"), "probes.qd.quantum_yield", 0.05, True),
    "percent as a share": (
        made("photostability", "retained_60min", 0.9, "", 0.01, "1"), "probes.qd.photostability.retained_percent", -0.018, False,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BESIDE)
def test_beside_what_is_stated(name):
    number, key, difference, inside = BESIDE[name]
    (one,) = stated_beside([number], (), StudySettings.model_validate(SETTINGS))
    assert (one.key, one.inside, one.lot) == (key, inside, number.lot)
    assert one.difference.value == pytest.approx(difference)


def test_what_is_not_stated_is_not_compared():
    settings = StudySettings.model_validate(SETTINGS)
    other = [made("dls", "pdi", 0.1, "", unit="1"), made("absorption", "first_exciton_nm", 775, "")]
    assert stated_beside(other, (), settings) == ()
    hour = StudySettings.model_validate({**SETTINGS, "bench": {"photostability": {"at_min": 30}}})
    assert stated_beside([made("photostability", "retained", 0.9, "")], (), hour) == ()
