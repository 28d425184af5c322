"""The page: its order, its policy, its honesty about what was not seen, and its bytes."""

import base64
import dataclasses
import hashlib
import json
import math
import multiprocessing
import re
import weakref
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from html.parser import HTMLParser
from typing import Any
from xml.etree import ElementTree

import matplotlib
import numpy as np
import pytest

from lampyris.core.study import SessionResult, StudyResults, ViewResult
from lampyris.report.arms import arms_of
from lampyris.report.curves import animal_curves, arm_means
from lampyris.report.headline import false_alarm_text, headline
from lampyris.report.render import content_policy, render_report

# elements and attributes by which a page reaches outside itself
LOADING = {"src", "href", "srcset", "data", "action", "formaction", "poster", "background", "ping", "manifest"}


class Page(HTMLParser):
    """Tags, attributes and the text of style and script elements, as a browser's parser would see them."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.inside: dict[str, list[str]] = {"style": [], "script": []}
        self.words: list[str] = []
        self.open: str | None = None
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self.open = tag if tag in self.inside else None
        if self.open:
            self.inside[tag].append("")

    def handle_endtag(self, tag: str) -> None:
        self.open = None

    def handle_data(self, data: str) -> None:
        if self.open:
            self.inside[self.open][-1] += data
        else:
            self.words.append(data)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", "".join(self.words))


@pytest.fixture(scope="module")
def files(small_study: StudyResults) -> dict[str, bytes]:
    return render_report(small_study)


@pytest.fixture(scope="module")
def page(files: dict[str, bytes]) -> Page:
    return Page(files["report.html"].decode())


def test_sections_stand_in_the_order_of_the_questions(page: Page) -> None:
    sections = [attrs["id"] for tag, attrs in page.tags if tag == "section"]
    assert sections == [
        "headline", "spread", "films", "lesions", "detections", "curves", "onset", "groups", "limits", "quality", "methods",
    ]  # fmt: skip


def test_a_study_in_which_nothing_was_followed_has_no_section_on_it(plain_study: StudyResults) -> None:
    files = render_report(plain_study)
    sections = [attrs["id"] for tag, attrs in Page(files["report.html"].decode()).tags if tag == "section"]
    assert sections == ["headline", "films", "detections", "curves", "groups", "limits", "quality", "methods"]
    assert not any("map" in name or "route" in name for name in files)


def test_identities_are_unique(page: Page) -> None:
    identities = [attrs["id"] for _, attrs in page.tags if attrs.get("id")]
    assert len(identities) == len(set(identities))


def test_every_reference_inside_the_page_exists(page: Page) -> None:
    identities = {attrs.get("id") for _, attrs in page.tags}
    targets = {attrs["href"] for tag, attrs in page.tags if tag in ("a", "use") and attrs.get("href")}
    targets |= {f"#{name}" for _, attrs in page.tags for name in re.findall(r"url\(#([^)]+)\)", str(attrs))}
    assert targets and {target[1:] for target in targets if target} <= identities


def test_nothing_is_loaded_from_outside(page: Page) -> None:
    for tag, attrs in page.tags:
        assert tag not in ("link", "iframe", "object", "embed", "base", "form")
        for name, value in attrs.items():
            if name in LOADING and tag != "g":
                assert value is not None and value.startswith(("#", "data:image/png;base64,")), (tag, name, value)
            assert name != "style" and not name.startswith("on"), (tag, name)
    assert not re.search(r"@import|url\(", page.inside["style"][0])
    assert not re.search(r"fetch\(|XMLHttpRequest|WebSocket|import\(|eval\(|innerHTML", page.inside["script"][-1])


def test_policy_names_exactly_the_style_and_the_script(page: Page) -> None:
    policy = next(attrs["content"] for tag, attrs in page.tags if attrs.get("http-equiv") == "Content-Security-Policy")
    assert policy == content_policy(page.inside["style"][0], page.inside["script"][-1])
    digest = base64.b64encode(hashlib.sha256(page.inside["script"][-1].encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in policy
    assert "unsafe" not in policy and policy.startswith("default-src 'none'")
    assert len(page.inside["style"]) == 1


def test_synthetic_is_said_before_anything_else(page: Page, small_study: StudyResults) -> None:
    assert page.text.index("SYNTHETIC") < page.text.index("Demonstration study", 60)
    bare = dataclasses.replace(small_study, synthetic=False, sessions=(), outcomes=(), comparisons=())
    assert "SYNTHETIC" not in render_report(bare)["report.html"].decode()


def test_failed_and_excluded_animals_are_told_with_their_reason(page: Page) -> None:
    assert "1 animal could not be analysed: m002" in page.text
    assert "truncated image" in page.text and "ulcerated, by AB on 2026-01-05" in page.text


def test_methods_parameters_and_hashes_are_complete(page: Page, small_study: StudyResults) -> None:
    assert all(paragraph in page.text for paragraph in small_study.methods)
    for words in ("analysis.template_depths_mm", "0.5, 2", "cd" * 32, "ab" * 32, "lampyris run study"):
        assert words in page.text


def test_every_picture_has_a_description(page: Page, small_study: StudyResults) -> None:
    pictures = sum(len(session.views) for session in small_study.sessions)
    assert sum(tag == "img" and bool(attrs.get("alt")) for tag, attrs in page.tags) == pictures
    assert "m000, day 21, dorsal: 2 lesions (L1, L2), 1 other signal" in {attrs.get("alt") for _, attrs in page.tags}


def test_shares_stand_with_the_exact_interval(plain_study: StudyResults) -> None:
    lines = [sentence.text for sentence in headline(plain_study, arms_of(plain_study))]
    # Clopper and Pearson: 2 of 2 has the lower end 0.025 ** (1 / 2), 0 of 2 the upper end 1 - 0.025 ** (1 / 2)
    assert any("2 of 2 animals by day 7" in line and f"{math.sqrt(0.025):.2f}–1.00" in line for line in lines)
    control = next(line for line in lines if "controls" in line and "none of 2" in line)
    assert f"0.00–{1 - math.sqrt(0.025):.2f}" in control and "limit on the last day" in control


def test_a_lesion_in_a_control_needs_action(small_study: StudyResults) -> None:
    outcomes = tuple(
        dataclasses.replace(o, lesion_count=(0, 0, 1)) if o.group == "control" else o for o in small_study.outcomes
    )
    sentences = headline(dataclasses.replace(small_study, outcomes=outcomes), arms_of(small_study))
    assert any(sentence.action and "false alarm" in sentence.text for sentence in sentences)


def test_false_alarm_budget_counts_animal_sessions(small_study: StudyResults) -> None:
    text = false_alarm_text(small_study, arms_of(small_study))
    # five animals on three days at 0.02 each
    assert "15 animal-sessions give 0.30 expected" in text and "Controls showed none in 6" in text


def test_false_alarms_in_controls_are_added_over_the_views(small_study: StudyResults) -> None:
    spot = next(d for s in small_study.sessions for view in s.views for d in view.detections if d.kind == "lesion")
    site = dataclasses.replace(spot, kind="injection site")
    k = next(k for k, session in enumerate(small_study.sessions) if session.group == "control")
    control = small_study.sessions[k]
    dorsal, ventral = control.views
    views = (
        dataclasses.replace(dorsal, detections=(spot, spot, site)),
        dataclasses.replace(ventral, detections=(spot,)),
    )
    sessions = list(small_study.sessions)
    sessions[k] = dataclasses.replace(control, views=views)
    text = false_alarm_text(dataclasses.replace(small_study, sessions=tuple(sessions)), arms_of(small_study))
    assert "Controls showed 3 in 6 animal-sessions" in text


def test_non_detects_are_limits_and_bound_the_mean(small_study: StudyResults) -> None:
    curves = animal_curves(small_study)
    assert all(value > 0 for arm in curves.values() for curve in arm for value in curve.values)
    means = arm_means(curves, "ph s-1", level=0.95)
    assert [mean.upper_bound for mean in means["control"]] == [True, True, True]
    assert [mean.upper_bound for mean in means["targeted"]] == [True, False, False]
    last = means["targeted"][-1]
    values = [curve.values[-1] for curve in curves["targeted"]]
    assert last.estimate.value == pytest.approx(math.exp(np.mean(np.log(values))), rel=1e-12)


def test_each_arm_has_its_own_colour_and_the_control_the_neutral(small_study: StudyResults) -> None:
    arms = arms_of(small_study)
    assert [arm.index for arm in arms.values()] == [0, 1, 6]
    assert len({arm.colour for arm in arms.values()}) == 3


def test_style_sheet_and_figures_share_the_arm_colours(page: Page, make_study: Callable[..., StudyResults]) -> None:
    many = make_study(arms={f"arm{k}": 1 for k in range(6)} | {"control": 1}, days=(0.0,), with_faults=False)
    for arm in arms_of(many).values():
        assert f".arm-{arm.index} {{ --arm: {arm.colour.lower()}; }}" in page.inside["style"][0]


def test_same_results_same_bytes_and_settings_left_alone(small_study: StudyResults, files: dict[str, bytes]) -> None:
    before = dict(matplotlib.rcParams)
    for engine in (ThreadPoolExecutor(3), ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn"))):
        with engine:
            assert render_report(small_study, engine=engine) == files
    assert dict(matplotlib.rcParams) == before


def test_files_hold_no_date_and_no_maker(files: dict[str, bytes]) -> None:
    names = {"curves", "comparison-1", "limits-1", "limits-2", "films-1", "films-2", "films-3"}
    names |= {"body-map", "route", "cells-burden", "cells-organs", "onset", "half-life", "persistence"}
    assert set(files) == {"report.html"} | {f"figures/{name}.{kind}" for name in names for kind in ("svg", "png")}
    for name, data in files.items():
        if name.endswith(".svg"):
            assert ElementTree.fromstring(data).tag.endswith("svg")
            assert b"metadata" not in data and b"Arial" in data
        elif name.endswith(".png"):
            assert not any(chunk in data for chunk in (b"tEXt", b"iTXt", b"tIME"))


def test_page_keeps_to_its_picture_budget(small_study: StudyResults, files: dict[str, bytes]) -> None:
    lean = render_report(dataclasses.replace(small_study, comparisons=(), outcomes=()), image_budget_mb=0.2)[
        "report.html"
    ]
    assert len(lean) < len(files["report.html"]) and len(lean) < 0.2e6 + 0.4e6
    with pytest.raises(ValueError, match="image_budget_mb"):
        render_report(small_study, image_budget_mb=0.0)


def test_a_study_of_many_days_and_arms_without_lesions(make_study: Callable[..., StudyResults]) -> None:
    study = make_study(arms={"control": 1}, days=tuple(float(d) for d in range(12)), with_faults=False, shape=(60, 60))
    page = Page(render_report(dataclasses.replace(study, comparisons=()))["report.html"].decode())
    assert "Nothing passed the threshold" in page.text and "Day 11" in page.text


def test_a_study_where_every_animal_failed(small_study: StudyResults) -> None:
    outcomes = tuple(o for o in small_study.outcomes if o.status == "failed")
    bare = dataclasses.replace(small_study, sessions=(), outcomes=outcomes, comparisons=(), findings=())
    page = Page(render_report(bare)["report.html"].decode())
    assert "1 animal could not be analysed" in page.text and "truncated image" in page.text


def test_pictures_full_of_nan_are_shown_as_nothing(make_study: Callable[..., StudyResults]) -> None:
    study = make_study(arms={"targeted": 1}, days=(7.0,), with_faults=False, shape=(60, 60))
    session = study.sessions[0]
    empty = np.full((60, 60), np.nan, np.float32)
    views = tuple(
        dataclasses.replace(
            view, photo=empty, probe=empty, display=empty, probe_variance=empty, total_variance=empty,
            autofluorescence=empty,
            radiance=np.stack([empty] * len(view.channels)), body=np.zeros((60, 60), bool),
        )
        for view in session.views
    )  # fmt: skip
    broken = dataclasses.replace(study, sessions=(dataclasses.replace(session, views=views),))
    data = Page(render_report(broken)["report.html"].decode()).inside["script"][-2]

    def refused(constant: str) -> float:
        raise AssertionError(f"{constant} is no JSON")

    assert json.loads(data, parse_constant=refused)["window"] == [1.0, 100.0]


def without_images(view: ViewResult) -> ViewResult:
    """The same view as a store gives it without its images."""
    none = np.zeros((0, 0))
    planes = (
        "photo",
        "probe",
        "probe_variance",
        "total_variance",
        "display",
        "autofluorescence",
        "flags",
        "body",
        "lesions",
    )
    return dataclasses.replace(view, radiance=np.zeros((len(view.channels), 0, 0)), **dict.fromkeys(planes, none))


class OneAtATime(Sequence[SessionResult]):
    """Sessions that are made anew each time and remember whether two were held at once."""

    def __init__(self, sessions: Sequence[SessionResult]) -> None:
        self.sessions, self.given, self.most = sessions, list[Any](), 0

    def __len__(self) -> int:
        return len(self.sessions)

    def __getitem__(self, place: Any) -> Any:
        # arrays can be referred to weakly, slotted nouns cannot: the first photograph stands for its session
        views = [dataclasses.replace(view, photo=view.photo.copy()) for view in self.sessions[place].views]
        self.given.append(weakref.ref(views[0].photo))
        self.most = max(self.most, sum(photo() is not None for photo in self.given))
        return dataclasses.replace(self.sessions[place], views=tuple(views))


def test_pictures_are_read_a_session_at_a_time(small_study: StudyResults, files: dict[str, bytes]) -> None:
    bare = tuple(
        dataclasses.replace(session, views=tuple(map(without_images, session.views)))
        for session in small_study.sessions
    )
    sessions = OneAtATime(small_study.sessions)
    rendered = render_report(dataclasses.replace(small_study, sessions=bare), sessions=sessions)
    assert rendered == files
    # one that is being read, and the one before until its name is given to the next
    assert sessions.most <= 2 < len(sessions)
