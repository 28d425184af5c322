"""The figure of a technique of the bench."""

import xml.etree.ElementTree as ET

import numpy as np
import pytest

from lampyris.core.bench import BenchCurve, BenchPicture, BenchRecord, BenchResult
from lampyris.core.estimate import Estimate
from lampyris.report.plots.bench import MOST_CURVES, bench_plot
from lampyris.report.scene import file_svg

X = np.linspace(700.0, 900.0, 60)
CURVE = BenchCurve(
    "lot A", "wavelength (nm)", "counts", X, X - 690, X - 691, {"background": X * 0}, X * 0, ((810, "peak"),)
)
PICTURE = BenchPicture(
    np.zeros((20, 30), np.uint8), (np.array([[1, 1], [9, 1], [9, 9.0]]),), ("measured",), 0.5, "image"
)


def result(curves=(), pictures=()):
    values = {"peak_nm": Estimate(810.0, 1.0, 808.0, 812.0, 0.95, "nm", "fit")}
    record = BenchRecord("A", "a.csv", values, curves=curves, pictures=pictures)
    return BenchResult("photoluminescence", record, (record,), "1 spectrum", notes=("Fitted per eV.",))


@pytest.mark.parametrize("width", [85.0, 180.0])
def test_figure_is_whole_and_says_its_numbers(width):
    svg = file_svg(bench_plot(result((CURVE,), (PICTURE,)), width_mm=width))
    words = "".join(ET.fromstring(svg).itertext())
    for word in (
        "lot A",
        "wavelength (nm)",
        "residual / sd",
        "background",
        "peak_nm 810",
        "1 spectrum",
        "measured 1",
        "nm",
    ):
        assert word in words


def test_panels_beyond_what_is_read_are_counted():
    words = "".join(ET.fromstring(file_svg(bench_plot(result((CURVE,) * (MOST_CURVES + 2))))).itertext())
    assert "2 further panels are not shown" in words


@pytest.mark.parametrize("y", [np.full(60, np.nan), np.zeros(60), np.full(60, 1e9)])
@pytest.mark.parametrize("log", [False, True])
def test_degenerate_curves_are_drawn(y, log):
    curve = BenchCurve("odd", "x", "y", X, y, y, y_log=log, x_log=log, steps=not log)
    file_svg(bench_plot(result((curve,))))
