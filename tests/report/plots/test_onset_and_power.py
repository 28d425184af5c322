"""Figures of an onset and of power: what is drawn where."""

import math

import pytest

from lampyris.core.power import PowerResult
from lampyris.report.drawing.scene import Disc, Label, Stroke
from lampyris.report.plots.onset import at_risk, onset_figure
from lampyris.report.plots.power import power_figure
from lampyris.statistics.onset import OnsetTimes, onset_analysis, times_of_events

INF = math.inf
RIGHT = onset_analysis(times_of_events([3, 5, 8, 9, 12, 15], [1, 0, 1, 1, 0, 1]), list("aaabbb"))
INTERVAL = onset_analysis(OnsetTimes([0, 3, 3, 7, 7, 14], [3, 7, 7, 14, INF, INF]), list("aaabbb"))
NONE = onset_analysis(OnsetTimes([7, 7], [INF, INF]), list("ab"))
UNSEEN = onset_analysis(OnsetTimes([0, 0], [INF, INF]), list("ab"))


def labels(scene):
    return [mark.text for mark in scene.marks if isinstance(mark, Label)]


@pytest.mark.parametrize("result", [RIGHT, INTERVAL, NONE, UNSEEN])
def test_every_mark_lies_on_the_sheet(result):
    scene = onset_figure(result)
    assert scene.width == 88
    for mark in scene.marks:
        points = mark.points if isinstance(mark, Stroke) else [(mark.x, mark.y)]
        assert all(0 <= x <= scene.width and 0 <= y <= scene.height for x, y in points)
        assert all(math.isfinite(x + y) for x, y in points)


def test_numbers_at_risk_stand_below():
    assert [at_risk(RIGHT.arms[0], day) for day in (0, 3, 4, 5, 6, 9)] == [3, 3, 2, 2, 1, 0]
    assert [at_risk(INTERVAL.arms[1], day) for day in (0, 7, 8, 14, 15)] == [3, 3, 1, 1, 0]
    texts = labels(onset_figure(RIGHT))
    assert "at risk" in texts and texts.count("3") >= 2
    assert "known to be without it" in labels(onset_figure(INTERVAL))


def test_what_is_between_looks_is_dashed_and_bars_stand_on_looks():
    scene = onset_figure(INTERVAL)
    dashed = [mark for mark in scene.marks if isinstance(mark, Stroke) and mark.pen.dashes]
    steps = sum(math.isfinite(by) for arm in INTERVAL.arms for _, by, _ in arm.steps)
    assert len(dashed) == steps
    assert sum(isinstance(mark, Disc) for mark in scene.marks) == sum(len(arm.days) for arm in INTERVAL.arms)


def test_the_test_is_named_with_its_p():
    texts = labels(onset_figure(RIGHT))
    assert "Log-rank test" in texts and any(text.startswith("χ²") and ", p" in text for text in texts)
    assert "no test: see the notes" in labels(onset_figure(NONE))


def test_power_curve():
    curve = ((4, 0.3), (8, 0.6), (12, 0.82))
    result = PowerResult(
        "two-sample",
        "t test",
        "n",
        ("a", "b"),
        (12, 12),
        (12, 12),
        0.82,
        (0.6, 0.95),
        1.0,
        "difference",
        0.05,
        (),
        "",
        curve,
    )
    scene = power_figure(result)
    assert sum(isinstance(mark, Disc) for mark in scene.marks) == 3
    assert "units per group" in labels(scene)
    with pytest.raises(ValueError, match="no power curve"):
        power_figure(PowerResult("s", "t", "n", ("a",), (3,), (3,), 0.8, (), 1.0, "e", 0.05, (), ""))
