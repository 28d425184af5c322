"""The page on confidence shows what the code computes."""

import importlib.util
import json
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(scope="module")
def figures():
    spec = importlib.util.spec_from_file_location("docs_figures_tested", DOCS / "figures.py")
    module = sys.modules["docs_figures_tested"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def description(path):
    """What the figure says of its own marks."""
    root = ElementTree.parse(path).getroot()
    return json.loads(root.find(".//{http://purl.org/dc/elements/1.1/}description").text)


def test_the_first_figure_shows_the_computed_places(figures):
    shown, computed = description(figures.BRIGHTEST), json.loads(figures.drawn_places())
    assert [row[0] for row in shown] == [row[0] for row in computed]
    # places are voxel centres; one whose skin is equally bright at two may turn to the other on another machine
    apart = [row for row, other in zip(shown, computed, strict=True) if row[1:] != pytest.approx(other[1:], abs=0.011)]
    assert len(apart) <= 2


def test_depth_makes_the_brightest_point_stray(figures):
    sources = figures.shown_sources()
    shallow = [one.apart_mm for one in sources if one.depth_mm <= 3.0]
    deep = [one.apart_mm for one in sources if one.depth_mm > 8.0]
    # a point under 3 mm of tissue is seen above itself to within a few voxels of 0.8 mm, a deep one is not
    assert max(shallow) < 2.5 < sum(deep) / len(deep)


def test_what_the_page_says_of_nodes_beside_the_lung(figures):
    nodes = [one for one in figures.shown_sources() if one.organ == "axillary nodes"]
    assert {one.nearest for one in nodes} == {"lungs"}


def test_sources_lie_in_the_organs_that_they_name(figures):
    counts = {}
    for one in figures.shown_sources():
        counts[one.organ] = counts.get(one.organ, 0) + 1
    assert set(counts.values()) == {figures.PLACES_PER_ORGAN}
    assert set(counts) == set(figures.COLOURS)


def test_both_figures_can_be_drawn(figures, tmp_path):
    figures.draw_brightest(tmp_path / "a.svg")
    figures.draw_confidence(tmp_path / "b.svg")
    assert description(tmp_path / "a.svg") == description(figures.BRIGHTEST)
    assert description(tmp_path / "b.svg") == description(figures.CALIBRATION)
    assert description(figures.CALIBRATION) == figures.stored_results()["bins"]


def test_the_second_figure_says_that_it_is_synthetic(figures):
    stored = figures.stored_results()
    assert stored["synthetic"] is True
    assert sum(one["n"] for one in stored["bins"]) == stored["lesions"]
