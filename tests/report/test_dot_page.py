"""The page of a dot: it loads nothing, escapes every name, and its figures keep to their sheet."""

import base64
import hashlib
import math
import re
from pathlib import Path

import pytest

from lampyris.core.dots import DotSettings
from lampyris.io.dots import read_dot
from lampyris.probe.design import dot_sheet
from lampyris.probe.fate import FateQuestion, predict_fate
from lampyris.report.dot_page import levels_scene, render_dot, spectra_scene
from lampyris.report.drawing.scene import Disc, Label, Stroke

SHEET = Path(__file__).parents[2] / "docs" / "designs" / "cdte-cdse-810.toml"


@pytest.fixture(scope="module")
def sheet():
    dot = read_dot(SHEET)
    return dot_sheet(
        DotSettings.model_validate(dot.model_dump() | {"name": "<b>dot</b> & \u202eco", "supplier": "<i>us</i>"})
    )


@pytest.fixture(scope="module")
def fate():
    return predict_fate(FateQuestion(diameter_nm=18.4, coat="short PEG", draws=8))


def test_the_page_loads_nothing_and_runs_nothing(sheet):
    page = render_dot(sheet)
    assert "<script" not in page and not re.search(r"""(?:src|href)=["'](?!#|data:)""", page) and "url(" not in page
    style = re.search(r"<style>(.*?)</style>", page, re.DOTALL)[1]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert "default-src &#39;none&#39;" in page or "default-src 'none'" in page
    assert f"sha256-{digest}" in page
    assert " style=" not in page


def test_names_are_text(sheet):
    page = render_dot(sheet)
    assert "<b>dot</b>" not in page and "&lt;b&gt;dot&lt;/b&gt;" in page and "<i>us</i>" not in page


def test_the_same_dot_gives_the_same_page(sheet):
    assert render_dot(sheet) == render_dot(sheet)


def test_courses_stand_on_the_page_only_where_given(sheet, fate):
    assert 'id="fate"' not in render_dot(sheet)
    page = render_dot(sheet, fate=fate)
    assert 'id="fate"' in page and "1 nmol into the blood of a mouse" in page and "18.4 nm" in page


@pytest.mark.parametrize("scene", [levels_scene, spectra_scene])
def test_every_mark_lies_on_its_sheet(sheet, scene):
    drawn = scene(sheet)
    for mark in drawn.marks:
        places = mark.points if isinstance(mark, Stroke) else [(mark.x, mark.y)]
        assert all(math.isfinite(x + y) for x, y in places)
        assert all(-0.01 <= x <= drawn.width + 0.01 and -0.01 <= y <= drawn.height + 0.01 for x, y in places)
    assert any(isinstance(mark, Stroke | Disc) for mark in drawn.marks)


def test_levels_are_named(sheet):
    texts = [mark.text for mark in levels_scene(sheet).marks if isinstance(mark, Label)]
    assert "CdTe" in texts and "CdSe" in texts
    assert any(text.startswith("electron") for text in texts) and any(text.startswith("hole") for text in texts)
