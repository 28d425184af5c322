"""Statistical plots: every point is drawn, nothing leaves the sheet, test and correction are named, labels find room."""

import importlib.util
import itertools
import math
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lampyris.core.analyses import DayMean
from lampyris.core.comparison import Comparison, GroupSummary, PairDifference
from lampyris.core.design import TestResult
from lampyris.core.estimate import Estimate
from lampyris.report.drawing.scene import Disc, Label, Stroke, file_svg, text_width_mm
from lampyris.report.plots.forest import Effect, forest_plot
from lampyris.report.plots.frame import GroupStyle, foot_lines, group_colours, names_in, swarm
from lampyris.report.plots.groups import groups_plot
from lampyris.report.plots.longitudinal import Course, longitudinal_plot
from lampyris.report.plots.paired import paired_plot

ROOT = Path(__file__).parents[3]
LONG = [
    "vehicle", "anti-EGFR dots 10 pmol", "anti-EGFR dots 100 pmol", "free dye", "Her2", "unconjugatedquantumdotsinbuffer", "x",
    "a name of a group that goes on and on and never ends",
]  # fmt: skip


def estimate(value, half=0.4):
    return Estimate(value, half / 2, value - half, value + half, 0.95, "mm", "t interval")


def comparison(names, n, *, letters=False, censored=False):
    """A synthetic comparison; its numbers need not be those of its values."""
    rng = np.random.default_rng(len(names) * 1000 + n)
    groups = []
    for k, name in enumerate(names):
        values = tuple(rng.normal(5 + 0.5 * k, 1.0, n))
        marks = tuple(censored and j < 2 for j in range(n))
        units = tuple(f"m{j}" for j in range(n))
        groups.append(
            GroupSummary(name, n, values, marks, estimate(5 + 0.5 * k), 1.0, units, "ab"[k % 2] if letters else "")
        )
    pairs = tuple(PairDifference(a, b, estimate(-0.5), 0.0321) for a, b in itertools.combinations(names, 2))
    test = TestResult("Welch's analysis of variance", "F", 5.18, (2.0, 17.1), 0.0174)
    return Comparison(
        "tumour signal", "mm", "animal", test.name, 5.18, 2.0, 17.1, 0.0174, tuple(groups), pairs, "Games-Howell", (),
        Estimate(0.2, math.nan, 0.01, 0.5, 0.95, "1", "omega squared, noncentral F interval"), None, (test,),
    )  # fmt: skip


def boxes(scene):
    """Outline of every mark: x and y from, to."""
    for mark in scene.marks:
        if isinstance(mark, Disc):
            yield mark, (mark.x - mark.radius, mark.y - mark.radius, mark.x + mark.radius, mark.y + mark.radius)
        elif isinstance(mark, Stroke):
            xs, ys = zip(*mark.points, strict=True)
            yield mark, (min(xs), min(ys), max(xs), max(ys))
        elif isinstance(mark, Label):
            yield mark, label_box(mark)


def label_box(mark):
    # type is drawn a little narrower than the room that is kept for it
    wide, high = 0.88 * text_width_mm(mark.text, mark.type.size), 0.26 * mark.type.size
    back = {"start": 0.0, "middle": 0.5, "end": 1.0}[mark.type.anchor] * wide
    if mark.type.upwards:
        return (mark.x - high, mark.y + back - wide, mark.x, mark.y + back)
    return (mark.x - back, mark.y - high, mark.x - back + wide, mark.y)


def assert_in_order(scene):
    """Nothing leaves the sheet, and no label lies on another."""
    for mark, (x0, y0, x1, y1) in boxes(scene):
        assert -0.01 <= x0 <= x1 <= scene.width + 0.01, mark
        assert -0.01 <= y0 <= y1 <= scene.height + 0.01, mark
    labels = [(mark, box) for mark, box in boxes(scene) if isinstance(mark, Label)]
    for (one, a), (other, b) in itertools.combinations(labels, 2):
        apart = a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1]
        assert apart, (one.text, other.text)


def discs(scene):
    return sum(isinstance(mark, Disc) for mark in scene.marks)


def words(scene):
    return " ".join(mark.text for mark in scene.marks if isinstance(mark, Label)).replace("\u00a0", " ")


@pytest.mark.parametrize("width", [85.0, 180.0])
@pytest.mark.parametrize("n", [3, 12, 200])
@pytest.mark.parametrize("names", [LONG[:2], LONG[:4], LONG], ids=len)
def test_groups_of_any_number_find_room(names, n, width):
    scene = groups_plot(
        comparison(names, n, letters=len(names) > 4), title="A title", style=GroupStyle(width, control=names[0])
    )
    assert scene.width == width
    assert_in_order(scene)
    assert discs(scene) == n * len(names)


def test_brackets_carry_exact_p_and_the_foot_names_test_and_correction():
    scene = groups_plot(comparison(["a", "b", "c"], 5))
    said = words(scene)
    assert said.count("0.0321") == 3
    for part in (
        "Welch's analysis of variance, F(2, 17.1) = 5.18, p = 0.0174",
        "Brackets: p, Games-Howell.",
        "n = 5",
        "95 %",
    ):
        assert part in said


def test_many_pairs_take_letters_where_there_are_some():
    scene = groups_plot(comparison(list("abcde"), 4, letters=True))
    assert "0.0321" not in words(scene)
    said = words(scene)
    # a difference that was not shown is not shown to be none
    assert "do not differ" not in said and "those with one were not told apart (Games-Howell)" in said
    bare = groups_plot(comparison(list("abcde"), 4))
    assert "letter" not in words(bare)
    assert "Brackets" not in words(bare)
    assert "Brackets" in words(groups_plot(comparison(list("abcd"), 4, letters=True), marks="brackets"))
    with pytest.raises(ValueError, match="brackets, letters or none"):
        groups_plot(comparison(["a", "b"], 4), marks="stars")


def test_censored_values_are_drawn_as_limits():
    scene = groups_plot(comparison(["a", "b"], 6, censored=True))
    assert discs(scene) == 8
    assert "below the detection limit" in words(scene)
    assert_in_order(scene)


def test_powers_are_drawn_on_a_logarithmic_axis():
    found = replace(comparison(["a", "b"], 6), endpoint="log10 flux")
    scene = groups_plot(found, powers=True, label="flux (ph s-1)")
    assert "geometric mean" in words(scene)
    assert "10⁵" in words(scene)
    assert "flux (ph s-1)" in words(scene)
    with pytest.raises(ValueError, match="above 0"):
        groups_plot(
            replace(found, groups=(replace(found.groups[0], values=(0.0,) * 6), found.groups[1])),
            style=GroupStyle(logarithmic=True),
        )


def test_a_printed_table_shows_means_alone():
    found = comparison(["a", "b"], 6)
    bare = tuple(replace(group, values=(), censored=(), units=()) for group in found.groups)
    scene = groups_plot(replace(found, groups=bare))
    assert discs(scene) == 0
    assert "Points" not in words(scene)


def test_pairs_are_joined_and_their_differences_drawn():
    found = comparison(["before", "after the treatment"], 12)
    found = replace(found, pairs=(PairDifference("before", "after the treatment", estimate(-0.6), 0.03),))
    scene = paired_plot(found)
    assert discs(scene) == 12 * 3
    assert "mean −0.600 (95 % −1.00 to −0.200), p = 0.0300" in words(scene)
    assert_in_order(scene)
    three = paired_plot(comparison(["base", "week 1", "week 2"], 8), width_mm=180.0)
    assert discs(three) == 24
    assert_in_order(three)
    unnamed = replace(found, groups=tuple(replace(group, units=()) for group in found.groups))
    with pytest.raises(ValueError, match="name of every unit"):
        paired_plot(unnamed)


def courses(groups, subjects, days, *, lost=0):
    rng = np.random.default_rng(4)
    made = []
    for group in groups:
        for k in range(subjects):
            seen = days[: len(days) - lost] if k == 0 else days
            made.append(Course(f"{group}{k}", group, tuple(seen), tuple(10 ** rng.normal(4, 0.2, len(seen)))))
    return made


def test_courses_show_every_subject_and_how_many_are_left():
    groups, days = ["PBS", "dots, targeted to the receptor", "dye"], (0.0, 3.0, 7.0, 14.0)
    means = [DayMean(group, day, 4, Estimate(1e4, 1e3, 8e3, 1.3e4, 0.95, "1", "m")) for group in groups for day in days]
    scene = longitudinal_plot(
        courses(groups, 4, days, lost=1), means, label="flux", notes=["A test."], style=GroupStyle(logarithmic=True)
    )
    assert discs(scene) == 3 * 4 * 4 - 3
    last = [mark for mark in scene.marks if isinstance(mark, Label) and mark.text == "3"]
    # the tick of day 3, and three counts of the last day
    assert len(last) == 4
    assert "A test." in words(scene)
    assert_in_order(scene)
    for width in (85.0, 180.0):
        apart = longitudinal_plot(courses(LONG, 3, days), [], label="flux", style=GroupStyle(width, logarithmic=True))
        assert discs(apart) == 8 * 3 * 4
        assert_in_order(apart)
    bare = longitudinal_plot(courses(["a"], 3, (1.0,)), [], label="flux")
    assert "Diamonds" not in words(bare)
    with pytest.raises(ValueError, match="at least one subject"):
        longitudinal_plot([], [], label="flux")
    with pytest.raises(ValueError, match="above 0"):
        longitudinal_plot([Course("m", "a", (1.0,), (0.0,))], [], label="flux", style=GroupStyle(logarithmic=True))


@pytest.mark.parametrize("width", [85.0, 180.0])
@pytest.mark.parametrize("count", [1, 12])
def test_effects_stand_one_below_the_other(count, width):
    effects = [Effect(f"organ {k}: dots − dye", estimate(0.3 * k - 1), 10.0**-k) for k in range(count)]
    scene = forest_plot(effects, label="difference of log10 flux", width_mm=width, notes=["Holm over organs."])
    assert_in_order(scene)
    assert "Holm over organs." in words(scene)
    assert "p = 1.00" in words(scene)


def test_ratios_stand_on_a_logarithmic_axis():
    ratio = Estimate(2.0, math.nan, 0.5, 8.0, 0.95, "1", "ratio")
    scene = forest_plot([Effect("liver", ratio)], label="ratio", null=1.0, logarithmic=True)
    assert_in_order(scene)
    with pytest.raises(ValueError, match="null above 0"):
        forest_plot([Effect("liver", ratio)], label="ratio", logarithmic=True)
    with pytest.raises(ValueError, match="at least one effect"):
        forest_plot([], label="ratio")


def test_a_file_of_a_plot_speaks_and_is_the_same_each_time():
    data = file_svg(groups_plot(comparison(['<a> & "b"', "c"], 3)))
    assert data == file_svg(groups_plot(comparison(['<a> & "b"', "c"], 3)))
    root = ET.fromstring(data)
    assert root.get("role") == "img"
    assert root.find("{*}title").text == "tumour signal by group"
    assert "mean 5.00" in root.find("{*}desc").text
    assert '<a> & "b"' in root.find("{*}desc").text


def test_swarms_do_not_hide_points_and_keep_their_room():
    rng = np.random.default_rng(1)
    heights = list(rng.normal(20, 4, 60))
    shifts = swarm(heights, 1.0, 30.0)
    places = np.array([shifts, heights]).T
    gaps = np.hypot(*(places[:, None] - places[None, :]).transpose(2, 0, 1)) + np.eye(60) * 9
    # rows are one diameter high: points of neighbouring rows may touch, those of one row do not
    assert np.median(gaps.min(axis=1)) > 0.6
    crowded = swarm([1.0] * 200, 1.0, 8.0)
    assert max(crowded) - min(crowded) == pytest.approx(8.0)
    assert swarm([], 1.0, 8.0) == []


def test_names_colours_and_the_foot():
    assert not names_in(["PBS", "free dye"], 20.0).upwards
    assert names_in(LONG, 9.0).upwards
    colours = group_colours(list("abcdefgh"), control="c")
    assert colours["c"] == "#7A7A7A"
    assert len({colours[name] for name in "abdefg"}) == 6
    lines = foot_lines(["one two three p = 0.05 four", ""], 14.0)
    assert any("p\u00a0=\u00a00.05" in line for line in lines)


def test_the_figures_of_the_documentation_are_those_of_the_code(tmp_path):
    spec = importlib.util.spec_from_file_location("comparisons", ROOT / "docs" / "comparisons.py")
    page = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(page)
    page.draw(tmp_path)
    for name in page.FIGURES:
        stored = (ROOT / "docs" / "images" / name).read_bytes()
        assert (tmp_path / name).read_bytes() == stored, "python docs/comparisons.py draws it anew"
