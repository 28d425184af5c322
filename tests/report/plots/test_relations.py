"""Plots of two measurements: every point is there, intervals lie where they should, and long names fit."""

import numpy as np
import pytest

from lampyris.report.drawing.scene import Disc, Label, Stroke, file_svg
from lampyris.report.plots.relations import agreement_plot, roc_plot, scatter_plot
from lampyris.statistics.relations.bland_altman import bland_altman
from lampyris.statistics.relations.correlation import correlate
from lampyris.statistics.relations.regression import deming_line
from lampyris.statistics.relations.roc import roc


@pytest.fixture
def pairs():
    rng = np.random.default_rng(1)
    x = rng.normal(10, 2, 20)
    return x, x + rng.normal(0, 1, 20)


def texts(scene):
    return [mark.text for mark in scene.marks if isinstance(mark, Label)]


def test_every_point_is_drawn_inside_the_panel(pairs):
    x, y = pairs
    scene = scatter_plot(x, y, correlate(x, y), labels=("flux (ph/s)", "cells"), line=deming_line(x, y))
    points = [mark for mark in scene.marks if isinstance(mark, Disc)]
    assert len(points) == 20
    assert all(0 < point.x < scene.width and 0 < point.y < scene.height for point in points)
    # x grows to the right and y upwards
    assert np.argsort([point.x for point in points]).tolist() == np.argsort(x).tolist()
    assert np.argsort([-point.y for point in points]).tolist() == np.argsort(y).tolist()
    assert {"flux (ph/s)", "cells"} <= set(texts(scene))
    assert any(text.startswith("r = ") and "n = 20" in text for text in texts(scene))


def test_each_subject_has_its_line():
    rng = np.random.default_rng(2)
    subject = np.repeat(["a", "b", "c"], 5)
    x = rng.normal(size=15)
    y = x + rng.normal(0, 0.1, 15)
    scene = scatter_plot(x, y, correlate(x, y, subject=subject), labels=("x", "y"), subject=subject.tolist())
    colours = {mark.pen.fill for mark in scene.marks if isinstance(mark, Disc)}
    lines = [mark for mark in scene.marks if isinstance(mark, Stroke) and mark.pen.stroke in colours]
    assert len(colours) == len(lines) == 3
    assert any("within" in text for text in texts(scene))


def test_limits_and_their_intervals_are_drawn(pairs):
    found = bland_altman(*pairs)
    scene = agreement_plot(found, names=("in vivo", "ex vivo"))
    boxes = [mark for mark in scene.marks if isinstance(mark, Stroke) and mark.closed]
    heights = sorted({abs(box.points[0][1] - box.points[2][1]) for box in boxes})
    widths = sorted([found.bias.high - found.bias.low, found.lower.high - found.lower.low])
    # the scale is linear: boxes are as high as their intervals
    assert heights[-1] / heights[0] == pytest.approx(widths[-1] / widths[0], rel=1e-6)
    assert "in vivo − ex vivo" in texts(scene)
    ratio = agreement_plot(bland_altman(*pairs, scale="ratio"), names=("in vivo", "ex vivo"))
    assert "in vivo / ex vivo" in texts(ratio)


def test_the_curve_goes_from_corner_to_corner():
    rng = np.random.default_rng(3)
    truth = rng.random(40) < 0.5
    scene = roc_plot(roc(rng.normal(size=40) + truth, truth), label="flux")
    curve = max((mark for mark in scene.marks if isinstance(mark, Stroke)), key=lambda mark: len(mark.points))
    (x0, y0), (x1, y1) = curve.points[0], curve.points[-1]
    assert x0 == min(x for x, _ in curve.points) and x1 == max(x for x, _ in curve.points)
    assert y0 == max(y for _, y in curve.points) and y1 == min(y for _, y in curve.points)
    assert any("chosen on these data" in text for text in texts(scene))


def test_long_and_hostile_names(pairs):
    x, y = pairs
    name = "<script>alert(1)</script> " + "very long " * 20
    scene = scatter_plot(x, y, correlate(x, y), labels=(name, name))
    svg = file_svg(scene).decode()
    assert "<script" not in svg
    assert file_svg(agreement_plot(bland_altman(x, y), names=(name, name))).decode().count("<script") == 0
