"""The plot of release curves: every point, a line per curve, and words for those who hear it."""

import numpy as np
import pytest

from lampyris.probe.release import ReleaseProfile, fit_release
from lampyris.report.drawing.scene import Disc, Label, Stroke, file_svg
from lampyris.report.plots.release import release_plot

HOURS = np.array([0.5, 1.0, 2.0, 4.0, 8.0, 24.0])


def fitted(name, rate, *, vessels=2):
    rows = np.concatenate([100 * (1 - np.exp(-rate * HOURS)) + k for k in range(vessels)])
    names = tuple(str(k) for k in range(vessels) for _ in HOURS)
    return fit_release(ReleaseProfile(name, np.tile(HOURS, vessels), rows, names))


def test_points_lines_and_words():
    scene = release_plot([fitted("dots <A>", 0.1), fitted("dots & B", 0.4)], notes=["Synthetic."])
    assert sum(isinstance(mark, Disc) for mark in scene.marks) == 2 * 2 * HOURS.size
    texts = [mark.text for mark in scene.marks if isinstance(mark, Label)]
    assert {"released (%)", "time (h)"} <= set(texts)
    assert any(text.startswith("dots <A>, n = 2") for text in texts)
    assert any("Synthetic." in text for text in texts)
    assert "after 24 h, n = 2" in scene.description
    svg = file_svg(scene).decode()
    assert "dots &lt;A&gt;" in svg
    assert "<A>" not in svg


def test_lines_stay_in_the_panel():
    scene = release_plot([fitted("slow", 0.01, vessels=1), fitted("quick", 3.0, vessels=1)])
    places = [point for mark in scene.marks if isinstance(mark, Stroke) for point in mark.points]
    assert all(0 <= x <= scene.width and 0 <= y <= scene.height for x, y in places)
    assert not any("Diamonds" in mark.text for mark in scene.marks if isinstance(mark, Label))


def test_no_curve():
    with pytest.raises(ValueError, match="at least one curve"):
        release_plot([])
