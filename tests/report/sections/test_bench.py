"""The section of the dot: there where there is a bench, every name escaped, verdicts in words, figures foldable and small."""

import re
from dataclasses import replace

import numpy as np
import pytest

from lampyris.core.bench import BenchCurve, BenchRecord, BenchResult
from lampyris.core.bench_study import BenchGroup, BenchStated, StudyBench
from lampyris.core.estimate import Estimate
from lampyris.report.drawing.gallery import Gallery
from lampyris.report.render import render_report
from lampyris.report.sections.bench import bench_section, bench_sentences
from lampyris.study.dot.numbers import bench_numbers

EVIL = "<script>alert(1)</script>"


def around(value, half, unit="nm"):
    return Estimate(value, half / 1.96, value - half, value + half, 0.95, unit, "made for a test")


def group(technique, probe, lot, key, estimate, name=str, points=300):
    x = np.linspace(700, 900, points)
    curves = tuple(
        BenchCurve(name(f"run {k}"), "wavelength (nm)", "signal", x, np.sin(x), np.sin(x), residual=x - 800)
        for k in range(3)
    )
    one = BenchRecord(name("a"), name("bench/a.csv"), {key: estimate}, flags=("saturated",), curves=curves)
    other = replace(one, name=name("b"))
    pooled = BenchRecord(name("a"), "", {key: estimate}, flags=("saturated",))
    result = BenchResult(technique, pooled, (one, other), name("2 spectra of one sample"), (), (name("Done so."),))
    return BenchGroup(probe, lot, result, bench_numbers(result, probe, lot), f"{technique}-{lot}")


def bench_of(name=str):
    yielded, peak = around(0.426, 0.02, "1"), around(810.0, 1.0)
    groups = (
        group("photoluminescence", name("qd"), "L1", "peak_nm", peak, name),
        group("quantum-yield", name("qd"), "L1", "quantum_yield", yielded, name),
    )
    stated = (
        BenchStated(
            "photoluminescence", name("qd"), "L1", "peak_nm", "probes.qd.emission_nm", 800.0, 0.0, peak, around(10.0, 1.0), False,
        ),
        BenchStated(
            "quantum-yield", name("qd"), "L1", "quantum_yield", "probes.qd.quantum_yield",
            0.42, 0.03, yielded, around(0.006, 0.06, "1"), True,
        ),
    )  # fmt: skip
    return StudyBench(groups, (), stated, (), (name("tem of qd: No file can be read"),))


@pytest.fixture(scope="module")
def page(plain_study):
    files = render_report(replace(plain_study, bench=bench_of()))
    assert {"figures/bench/photoluminescence-L1.svg", "figures/bench/quantum-yield-L1.png"} <= set(files)
    return files["report.html"].decode()


def section(page):
    found = re.search(r'<section id="dot".*?</section>', page, re.DOTALL)
    return found.group(0) if found else ""


def test_a_study_without_has_no_section(plain_study):
    assert bench_section(plain_study, Gallery()) is None
    assert bench_sentences(plain_study) == []


def test_what_was_counted_keeps_its_digits_and_words_stand_with_the_numbers(plain_study):
    one = group("tem", "qd", "L1", "count", Estimate(208.0, 0.0, 208.0, 208.0, 0.95, "1", "counted"))
    told = replace(one.result, pooled=replace(one.result.pooled, words={"phase": "CdSe zinc blende"}))
    bench = replace(bench_of(), groups=(replace(one, result=told),))
    (probe,) = bench_section(replace(plain_study, bench=bench), Gallery())["probes"]
    rows = [[cell.text for cell in row.cells[:2]] for row in probe["table"].rows]
    assert rows == [["tem: count", "208"], ["tem: phase", "CdSe zinc blende"]]


def test_numbers_verdicts_and_flags_are_said(page):
    text = section(page)
    for words in (
        "810.0 (809.0–811.0)",
        "0.426 (0.406–0.446)",
        "0.4200 ± 0.030",
        "outside the interval",
        "inside the interval",
    ):
        assert words in text
    for words in (
        "2 spectra of one sample",
        "saturated",
        "Needs action",
        "tem of qd: No file can be read",
        "Intervals are 95",
    ):
        assert words in text
    assert 'href="#dot"' in page
    assert "The bench does not agree with study.toml: qd: peak 810.0 (809.0–811.0)\u00a0nm by photoluminescence" in page


def test_figures_fold_and_are_small(page):
    text = section(page)
    assert text.count("<summary>How it came about") == 2
    # six panels a technique of all points would take more
    assert len(text) < 400_000


def test_names_are_escaped(plain_study):
    bad = bench_of(lambda text: EVIL + text)
    text = section(render_report(replace(plain_study, bench=bad))["report.html"].decode())
    assert "alert(1)" in text and "<script" not in text


def test_a_synthetic_study_says_so_in_each_figure(plain_study):
    gallery = Gallery()
    shown = bench_section(replace(plain_study, synthetic=True, bench=bench_of()), gallery)
    assert shown["synthetic"] is True
    assert all(b"SYNTHETIC" in data for name, data in gallery.files.items() if name.endswith(".svg"))
