"""The figure of a technique of the bench."""

import xml.etree.ElementTree as ET
from dataclasses import replace

import numpy as np
import pytest

from lampyris.core.bench import BenchCurve, BenchPicture, BenchRecord, BenchResult
from lampyris.core.estimate import Estimate
from lampyris.report.drawing.scene import PAPER, Label, Stroke, file_svg, text_width_mm
from lampyris.report.plots.bench import MOST_CURVES, bench_plot, curve_panel

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
        "data",
        "fit",
        "peak_nm 810",
        "1 spectrum",
        "measured 1",
        "nm",
    ):
        assert word in words


def test_numbers_without_ends_keep_their_unit():
    values = {
        "gap_nm": Estimate(4.0, 0.0, 4.0, 4.0, 0.95, "nm", "given"),
        "count": Estimate(10_412, 0.0, 10_412, 10_412, 0.95, "1", "counted"),
        "pdi": Estimate(0.4, 0.1, 0.1, np.inf, 0.95, "1", "fit"),
    }
    record = BenchRecord("A", "a.csv", values, curves=(CURVE,))
    scene = bench_plot(BenchResult("dls", record, (record,), "1 run"))
    words = "".join(ET.fromstring(file_svg(scene)).itertext()).replace("\N{NO-BREAK SPACE}", " ")
    assert "gap_nm 4 nm" in words
    assert "count 10412" in words
    assert "0.10–∞" in words


def test_panels_beyond_what_is_read_are_counted():
    words = "".join(ET.fromstring(file_svg(bench_plot(result((CURVE,) * (MOST_CURVES + 2))))).itertext())
    assert "2 further panels are not shown" in words


@pytest.mark.parametrize("y", [np.full(60, np.nan), np.zeros(60), np.full(60, 1e9)])
@pytest.mark.parametrize("log", [False, True])
def test_degenerate_curves_are_drawn(y, log):
    curve = BenchCurve("odd", "x", "y", X, y, y, y_log=log, x_log=log, steps=not log)
    file_svg(bench_plot(result((curve,))))


def strokes(scene, **wanted):
    """Point lists of the strokes whose pen has these attributes."""
    found = [mark for mark in scene.marks if isinstance(mark, Stroke)]
    return [mark.points for mark in found if all(getattr(mark.pen, name) == value for name, value in wanted.items())]


def test_bars_stand_on_zero():
    counts = np.array([0.0, 1.0, 0.0, 4.0])
    panel = curve_panel(BenchCurve("sizes", "diameter (nm)", "dots", np.arange(4.0), counts, steps=True))
    heights = [np.ptp([y for _, y in points]) for points in strokes(panel, fill="#0072B2")]
    assert heights == pytest.approx(counts / 4.0 * heights[-1], abs=1e-9)


def test_shares_of_a_distribution_are_drawn_where_they_are():
    sizes = np.geomspace(0.4, 4000.0, 40)
    number = np.where(np.arange(40) == 3, 1.0, 0.0)
    curve = BenchCurve("sizes", "nm", "share", sizes, number[::-1], parts={"number": number}, x_log=True, steps=True)
    strokes = [one for one in curve_panel(curve).marks if isinstance(one, Stroke) and one.pen.dashes]
    line = max(strokes, key=lambda one: len(one.points))
    assert len(line.points) == 40  # no rounding between sizes a decade apart
    assert max(line.points, key=lambda point: -point[1]) == line.points[3]


def test_lines_are_told_apart_without_colour_and_units_are_printed_as_in_print():
    parts = {name: X * 0 + k for k, name in enumerate(("QD810", "ICG", "Cy7"))}
    panel = curve_panel(BenchCurve("arms", "lag (us)", "share", X, np.full(X.size, np.nan), parts=parts))
    dashes = {one.pen.dashes for one in panel.marks if isinstance(one, Stroke) and len(one.points) == X.size}
    words = [one.text for one in panel.marks if isinstance(one, Label)]
    assert len(dashes) == 3
    assert "lag (\u00b5s)" in words and "data" not in words


def test_wavenumbers_fall_to_the_right():
    def place(x_label):
        panel = curve_panel(replace(CURVE, x_label=x_label))
        return next(one for one in panel.marks if isinstance(one, Stroke) and len(one.points) == X.size).points[0][0]

    # the same points from the other side
    assert place("wavenumber (1/cm)") > 50.0 > place("wavelength (nm)")


def test_a_long_title_takes_a_second_line_instead_of_losing_its_end():
    panel = curve_panel(replace(CURVE, title="size by scattered light"), name="SICPA-DNA FN232.A.a ker 1")
    words = [one.text for one in panel.marks if isinstance(one, Label)]
    assert " ".join(words[:2]).endswith("scattered light")


def test_names_of_close_marks_neither_touch_nor_are_crossed_out():
    marks = tuple((float(place), f"line {place}") for place in (720, 800, 804, 812, 895, 898))
    panel = curve_panel(BenchCurve("lines", "wavelength (nm)", "counts", X, X, marks=marks))
    names = [mark for mark in panel.marks if isinstance(mark, Label) and mark.text.startswith("line ")]
    assert len(names) == len(strokes(panel, dashes=(1.5, 1.5))) == len(marks)
    for one in names:
        right = one.x + text_width_mm(one.text, one.type.size)
        assert right < 85.0
        for other in names:
            assert other is one or abs(other.y - one.y) > 2.0 or other.x > right or one.x > other.x
    last_line = max(
        k for k, mark in enumerate(panel.marks) if isinstance(mark, Stroke) and mark.pen.dashes == (1.5, 1.5)
    )
    for k, mark in enumerate(panel.marks):
        if mark in names:
            behind = panel.marks[k - 1]
            assert k - 1 > last_line and behind.pen.fill == PAPER
            assert behind.points[0][0] < mark.x < behind.points[1][0]


def test_a_lone_panel_takes_the_width():
    def ends(curves):
        base = [points for points in strokes(bench_plot(result(curves), width_mm=180.0)) if len(points) == 2]
        return {round(max(x for x, _ in points), 3) for points in base if points[0][1] == points[1][1]}

    assert max(ends((CURVE,))) == max(ends((CURVE, CURVE))) == 178.0
    assert 86.0 in ends((CURVE, CURVE)) and 86.0 not in ends((CURVE,))
