"""The viewer under real keys, mouse and fingers, at the size of a desk and of a phone, with the network cut."""

import csv
import dataclasses
import io
import json
import math
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from chromium import BROWSER, Browser

from lampyris.core.study import StudyResults
from lampyris.report.render import render_report

pytestmark = pytest.mark.skipif(BROWSER is None, reason="needs Chromium, which is not installed")
DESK, PHONE = (1280, 800, False), (390, 844, True)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with Browser(tmp_path_factory.mktemp("profile")) as one:
        yield one


@pytest.fixture(scope="module")
def page(small_study: StudyResults, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_bytes(render_report(small_study)["report.html"])
    return path


def root(browser: Browser, key: str) -> str:
    """What the script says of itself on the root element."""
    return str(browser.evaluate(f"document.documentElement.dataset.{key}"))


def text(browser: Browser, selector: str) -> str:
    """Text of an element, with plain blanks."""
    words = browser.evaluate(f"document.querySelector({json.dumps(selector)}).textContent")
    return str(words).replace("\u00a0", " ")


def place_mm(browser: Browser) -> list[float]:
    """Place (x, y) that the read-out names."""
    return [float(n) for n in re.findall(r"[0-9.]+", text(browser, "#readout-value"))[:2]]


def shown(browser: Browser, page: Path, size: tuple[int, int, bool], picture: int) -> None:
    """Open the page at a size, with a picture in the viewer."""
    width, height, touch = size
    browser.events.clear()
    browser.size(width, height, touch=touch)
    browser.open(page, f"#picture-{picture}")
    browser.until("document.documentElement.dataset.viewer")
    browser.settle()


def quiet(browser: Browser) -> None:
    """Nothing was refused, nothing failed, nothing was asked of the network."""
    assert browser.complaints == [] and browser.requests == []


def slide(browser: Browser, selector: str, share: float) -> None:
    """Press a slider at a share of its length."""
    x, y = browser.middle(selector)
    width = browser.evaluate(f"document.querySelector({json.dumps(selector)}).getBoundingClientRect().width")
    browser.click(x + (share - 0.5) * (width - 16), y)


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_day_slider_window_and_hover(browser: Browser, page: Path, size: tuple[int, int, bool]) -> None:
    shown(browser, page, size, 5)
    assert text(browser, "#viewer-title") == "m000 · Targeted dot · day 21 · ventral"
    place = browser.middle("#overlay .mark.lesion path:nth-child(2)")
    if size[2]:
        browser.tap(*place)
    else:
        browser.hover(*place)
    assert " ± " in text(browser, "#readout-value") and text(browser, "#readout-value").endswith("ph s⁻¹ cm⁻² sr⁻¹")
    assert "of raw/day 21 ventral.tif" in text(browser, "#readout-more")
    # numbers of the lesion: beside the mouse, and for a finger in the list
    told = text(browser, "#found button[aria-pressed='true']") if size[2] else text(browser, "#tip")
    assert told.startswith("L") and "organ: " in told and "labelled-cell equivalents" in told and "threshold" in told
    assert browser.evaluate("tip.hidden") == size[2]
    before = browser.evaluate("canvas.toDataURL()")
    slide(browser, "#low", 0.95)
    assert browser.evaluate("canvas.toDataURL()") != before
    assert "range set by hand" in text(browser, "#bar-unit")
    assert math.isfinite(float(root(browser, "redrawMs")))
    browser.click(*browser.middle("#reset"))
    assert "shared range" in text(browser, "#bar-unit") and browser.evaluate("canvas.toDataURL()") == before
    slide(browser, "#day-slider", 0.0)
    assert (
        text(browser, "#viewer-title") == "m000 · Targeted dot · day 0 · ventral"
        and root(browser, "viewer") == "1/probe"
    )
    quiet(browser)


def test_read_out_names_the_pixel_of_the_image_file(browser: Browser, page: Path) -> None:
    shown(browser, page, DESK, 4)
    x, y = browser.middle("#sheet")
    browser.hover(x, y)
    row, column = (int(n) for n in re.findall(r"\d+", text(browser, "#readout-more"))[:2])
    x_mm, y_mm = place_mm(browser)
    # the made views begin at row 3 and column 200 of their images; places are printed to a tenth of a millimetre
    assert (row - 3) * 0.45 == pytest.approx(y_mm, abs=0.06) and (column - 200) * 0.45 == pytest.approx(x_mm, abs=0.06)


def test_keys(browser: Browser, page: Path) -> None:
    shown(browser, page, DESK, 4)
    seen = []
    for key in ("ArrowLeft", "v", "b", "ArrowDown", "a", "z", "ArrowUp", "l", "o", "x", "r", "+", "-"):
        browser.press(key)
        boxes = browser.evaluate("[log.checked, shown.checked, outlines.checked].map(Number).join('')")
        seen.append((key, root(browser, "viewer"), boxes, root(browser, "lay")[0], float(root(browser, "zoom"))))
    assert seen == [
        ("ArrowLeft", "2/probe", "111", "p", 1.0),
        ("v", "3/probe", "111", "p", 1.0),
        ("b", "3/0", "111", "p", 1.0),
        ("ArrowDown", "9/0", "111", "p", 1.0),
        ("a", "3/0", "111", "p", 1.0),
        ("z", "9/0", "111", "p", 1.0),
        ("ArrowUp", "3/0", "111", "p", 1.0),
        ("l", "3/0", "011", "p", 1.0),
        ("o", "3/0", "001", "p", 1.0),
        ("x", "3/0", "000", "p", 1.0),
        ("r", "3/0", "000", "r", 1.0),
        ("+", "3/0", "000", "r", 1.5),
        ("-", "3/0", "000", "r", 1.0),
    ]
    browser.press("?")
    assert browser.evaluate("keys.open")
    browser.press("Escape")
    assert browser.evaluate("[keys.open, viewer.open].join()") == "false,true"
    browser.press("Escape")
    assert browser.evaluate("[viewer.open, document.activeElement.id].join()") == "false,picture-4"
    quiet(browser)


def test_the_other_layers_say_their_noise(browser: Browser, page: Path) -> None:
    shown(browser, page, DESK, 4)
    browser.press("b")
    assert text(browser, "#bar-unit").startswith("autofluorescence, ph s")
    browser.press("b")
    browser.hover(*browser.middle("#sheet"))
    assert " ± " in text(browser, "#readout-value") and "(typical pixel noise)" in text(browser, "#readout-value")
    assert text(browser, "#bar-unit").startswith("band780, ph s")


def test_wheel_drag_and_double_click(browser: Browser, page: Path) -> None:
    shown(browser, page, DESK, 4)
    x, y = browser.middle("#sheet")
    browser.hover(x, y + 20)
    under = place_mm(browser)
    browser.mouse("mouseWheel", x, y + 20, deltaX=0, deltaY=-300)
    browser.settle()
    browser.hover(x, y + 40)
    browser.hover(x, y + 20)
    assert float(root(browser, "zoom")) == pytest.approx(math.exp(240 / 320), abs=0.01)
    # the place under the pointer stays there, within a pixel of 0.45 mm
    assert place_mm(browser) == pytest.approx(under, abs=0.46)
    # the picture is still narrower than its pane: it moves up, not to the side
    browser.drag((x, y), (x - 60, y - 50))
    browser.hover(x, y - 30)
    assert place_mm(browser) == pytest.approx(under, abs=0.46)
    for _ in range(2):
        browser.click(x, y)
    assert float(root(browser, "zoom")) > 3
    assert float(browser.evaluate("parseFloat(rule.style.width)")) > 10 and text(browser, "#rule-text").endswith(" mm")
    browser.press("0")
    assert root(browser, "zoom") == "1.00"
    quiet(browser)


def test_two_fingers_and_a_double_tap(browser: Browser, page: Path) -> None:
    shown(browser, page, PHONE, 4)
    x, y = browser.middle("#sheet")
    browser.touch("touchStart", (x - 20, y), (x + 20, y))
    for k in range(1, 5):
        browser.touch("touchMove", (x - 20 - 10 * k, y), (x + 20 + 10 * k, y))
    browser.touch("touchEnd")
    browser.settle()
    # fingers went from 40 to 120 pixels apart
    assert float(root(browser, "zoom")) == pytest.approx(3.0, rel=0.05)
    for _ in range(2):
        browser.touch("touchStart", (x, y))
        browser.touch("touchEnd")
    browser.settle()
    assert root(browser, "zoom") == "1.00"
    quiet(browser)


def test_targets_for_fingers_and_no_sideways_page(browser: Browser, page: Path) -> None:
    shown(browser, page, PHONE, 4)
    small = """[...document.querySelectorAll("#viewer button, #viewer select, #viewer label, #viewer summary")].filter((e) => {
        const b = e.getBoundingClientRect();
        return b.width > 0 && b.height < 43.5 && !e.closest("[disabled]"); }).map((e) => e.outerHTML.slice(0, 80))"""
    assert browser.evaluate(small) == []
    browser.evaluate("viewer.close()")
    browser.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
    wide = """[...document.querySelectorAll("main *, header *")].filter((e) => !e.closest(".scroll, nav, pre, svg") &&
        e.getBoundingClientRect().right > innerWidth + 1).map((e) => e.outerHTML.slice(0, 80))"""
    assert browser.evaluate(wide) == []
    assert browser.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_colours_and_range_warn(browser: Browser, page: Path) -> None:
    shown(browser, page, DESK, 4)
    assert browser.evaluate("[...colours.options].map((o) => o.value).join()") == "inferno,viridis,cividis,grey,rainbow"
    pictures = set()
    for name in ("inferno", "viridis", "cividis", "grey", "rainbow"):
        browser.evaluate(f"colours.value = '{name}'; colours.dispatchEvent(new Event('input'))")
        browser.settle()
        pictures.add(browser.evaluate("canvas.toDataURL()"))
        assert browser.evaluate("caution.hidden") == (name != "rainbow")
    assert len(pictures) == 5 and "Use it only to compare" in text(browser, "#caution")
    browser.evaluate("range.value = 'own'; range.dispatchEvent(new Event('input'))")
    browser.settle()
    assert "Compare numbers, not colours" in text(browser, "#caution") and "own range" in text(browser, "#bar-unit")


def test_a_row_a_point_and_a_dot_open_their_lesion(browser: Browser, page: Path) -> None:
    shown(browser, page, DESK, 4)
    browser.press("Escape")
    browser.hover(*browser.middle("#calls tbody tr:nth-child(2) td:nth-child(3)"))
    assert root(browser, "linked") == "m000 2"
    sort = 'e.matches("tr") ? "row" : e.matches(".picture") ? "picture" : e.matches(".dot") ? "dot" : e.matches(".course") ? "curve" : ""'
    kinds = browser.evaluate(
        f"[...new Set([...document.querySelectorAll('.linked')].map((e) => {sort}))].sort().join()"
    )
    assert kinds == ",curve,dot,picture,row"
    browser.click(*browser.middle("#calls tbody tr:nth-child(2) td:nth-child(3)"))
    browser.until("document.documentElement.dataset.chosen === 'L2'")
    assert text(browser, "#viewer-title").startswith("m000 · ") and browser.evaluate("viewer.open")
    browser.press("Escape")
    assert browser.evaluate("document.activeElement.className") == "row-open"
    # a point of a curve: the day before the last of that lesion
    browser.evaluate(
        """document.querySelector('#curves .point[data-lesion="1"][data-day="7"]').scrollIntoView({block: "center"})"""
    )
    browser.settle()
    browser.click(*browser.middle('#curves .point[data-lesion="1"][data-day="7"]'))
    browser.until("viewer.open && document.documentElement.dataset.chosen === 'L1'")
    assert " · day 7 · " in text(browser, "#viewer-title")
    quiet(browser)


def corrections(browser: Browser) -> list[dict[str, str]]:
    """What the button for all rows copies."""
    browser.evaluate("navigator.clipboard.writeText = (words) => { window.copied = words; return Promise.resolve(); }")
    browser.click(*browser.middle("#fix-all"))
    return list(csv.DictReader(io.StringIO(browser.evaluate("window.copied"))))


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_corrections_are_collected_as_rows(browser: Browser, page: Path, size: tuple[int, int, bool]) -> None:
    shown(browser, page, size, 4)
    press: Callable[[float, float], None] = browser.tap if size[2] else browser.click
    press(*browser.middle("#overlay .mark.lesion[data-lesion='2'] path:nth-child(2)"))
    assert root(browser, "chosen") == "L2"
    press(*browser.middle("#fix summary"))
    press(*browser.middle("#fix-add"))
    assert text(browser, "#fix-missing") == "Give a reason."
    browser.type("#fix-reason", '=fur, "wet"')
    browser.type("#fix-author", "A. B.")
    browser.evaluate("document.getElementById('fix-action').value = 'reject'")
    press(*browser.middle("#fix-add"))
    browser.evaluate(
        "const a = document.getElementById('fix-action'); a.value = 'move'; a.dispatchEvent(new Event('input'))"
    )
    press(*browser.middle("#fix-add"))
    assert text(browser, "#fix-missing") == "Click the new place in the picture first."
    x, y = browser.middle("#sheet")
    press(x + 20, y + 30)
    x_mm, y_mm = place_mm(browser)
    press(*browser.middle("#fix-add"))
    assert text(browser, "#fix-all") == "2 corrections: copy all"
    first, second = corrections(browser)
    assert (first["animal"], first["session"], first["view"], first["action"], first["lesion"]) == (
        "m000",
        "d2",
        "dorsal",
        "reject",
        "2",
    )
    assert first["reason"] == '\'=fur, "wet"' and first["author"] == "A. B."
    assert (
        first["detection"] == ""
        and int(second["detection"]) > 0
        and second["action"] == "move"
        and second["lesion"] == ""
    )
    # where it lies in the automatic result ties a row to it
    assert (second["target_y_mm"], second["target_x_mm"]) == (first["y_mm"], first["x_mm"]) and first[
        "target_y_mm"
    ] == ""
    # the read-out prints the middle of the pixel to a tenth of a millimetre, the row the place itself; pixels are 0.45 mm
    assert float(second["x_mm"]) == pytest.approx(x_mm, abs=0.3)
    assert float(second["y_mm"]) == pytest.approx(y_mm, abs=0.3)
    quiet(browser)


@pytest.fixture(scope="module")
def shared_page(small_study: StudyResults, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Lesion 3 of the first animal is shown by the outline of lesion 2 on every day, and by none of its own."""
    first = small_study.outcomes[0]
    by_number = {one.number: one for one in first.lesions}
    seen = {one.session: one for one in by_number[2].sightings}
    sightings = tuple(
        dataclasses.replace(one, detections=seen[one.session].detections, shared_with=(2,))
        for one in by_number[3].sightings
    )
    third = dataclasses.replace(by_number[3], sightings=sightings)
    lesions = tuple(third if one.number == 3 else one for one in first.lesions)
    outcomes = (dataclasses.replace(first, lesions=lesions), *small_study.outcomes[1:])
    path = tmp_path_factory.mktemp("shared") / "report.html"
    path.write_bytes(render_report(dataclasses.replace(small_study, outcomes=outcomes))["report.html"])
    return path


def choose(browser: Browser, select: str, value: str) -> None:
    browser.evaluate(f"""(() => {{ const s = document.getElementById("{select}"); s.value = {json.dumps(value)};
        s.dispatchEvent(new Event("input")); }})()""")


def test_a_row_speaks_of_either_lesion_that_shares_an_outline(browser: Browser, shared_page: Path) -> None:
    shown(browser, shared_page, DESK, 4)
    browser.click(*browser.middle("#overlay .mark.lesion[data-lesion='2 3'] path:nth-child(2)"))
    browser.evaluate("""(() => { const $ = (id) => document.getElementById(id); $("fix").open = true;
        $("fix-reason").value = "seen"; $("fix-author").value = "A. B."; })()""")
    choose(browser, "fix-action", "reject")
    offered = browser.evaluate("[...document.getElementById('fix-scope').options].map((one) => one.text)")
    assert [words.partition(",")[0] for words in offered] == ["L2", "L3", "this outline only"]
    for scope in ("2", "3", "detection"):
        choose(browser, "fix-scope", scope)
        browser.click(*browser.middle("#fix-add"))
    # another outline is merged into either
    browser.evaluate("document.getElementById('fix').open = false")
    browser.click(*browser.middle("#overlay .mark.lesion[data-lesion='1'] path:nth-child(2)"))
    browser.evaluate("document.getElementById('fix').open = true")
    choose(browser, "fix-action", "merge")
    choose(browser, "fix-scope", "1")
    for into in ("L2+3 2", "L2+3 3"):
        choose(browser, "fix-into", into)
        browser.click(*browser.middle("#fix-add"))
        assert text(browser, "#fix-missing") == ""
    rows = corrections(browser)
    assert [row["lesion"] for row in rows] == ["2", "3", "", "1", "1"]
    assert int(rows[2]["detection"]) > 0
    assert [row["into"] for row in rows] == ["", "", "", "2", "3"]
    assert len({(row["y_mm"], row["x_mm"]) for row in rows[:3]}) == 1
    quiet(browser)


def test_rows_of_every_action_fill_what_it_needs_and_no_more(browser: Browser, page: Path) -> None:
    shown(browser, page, DESK, 4)
    browser.click(*browser.middle("#overlay .mark.lesion[data-lesion='2'] path:nth-child(2)"))
    browser.evaluate("""(() => { const $ = (id) => document.getElementById(id); $("fix").open = true;
        $("fix-reason").value = "seen"; $("fix-author").value = "A. B."; })()""")
    for action in ("accept", "reject", "move", "split", "merge", "relabel", "add", "exclude image", "exclude animal"):
        browser.evaluate(f"""(() => {{ const a = document.getElementById("fix-action"); a.value = "{action}";
            a.dispatchEvent(new Event("input")); document.getElementById("fix-kind").value = "artefact"; }})()""")
        if action in ("move", "split", "add"):
            x, y = browser.middle("#sheet")
            browser.click(x + 20, y + 30)
        browser.click(*browser.middle("#fix-add"))
        assert text(browser, "#fix-missing") == "", action
    rows = corrections(browser)
    always = {"animal", "action", "reason", "author", "time"}
    image, place, target = {"session", "view"}, {"y_mm", "x_mm"}, {"target_y_mm", "target_x_mm"}
    assert {row["action"]: {key for key, value in row.items() if value} - always for row in rows} == {
        "accept": image | place | {"lesion"},
        "reject": image | place | {"lesion"},
        "move": image | place | target | {"detection"},
        "split": image | place | target | {"detection"},
        "merge": image | place | target | {"lesion", "into"},
        "relabel": image | place | {"lesion", "kind"},
        "add": image | place | {"kind"},
        "exclude image": image,
        "exclude animal": set(),
    }
    quiet(browser)


def test_without_scripts_pictures_and_tables_tell_the_story(browser: Browser, page: Path) -> None:
    browser.events.clear()
    browser.size(1280, 800)
    browser.open(page, scripts=False)
    count = """(s) => [...document.querySelectorAll(s)].filter((e) => e.getBoundingClientRect().width > 0).length"""
    parts = ["table.films .picture img", "#spread .static-only svg", "#calls tbody tr", ".script-only", "dialog"]
    seen = browser.evaluate(f"{json.dumps(parts)}.map({count})")
    pictures, by_day, rows, scripted, dialogs = seen
    assert pictures == 30 and by_day >= 2 and rows >= 9 and scripted == 0 and dialogs == 0
    assert browser.complaints == []


def test_paper_shows_every_table_and_says_synthetic(browser: Browser, page: Path) -> None:
    browser.size(1280, 800)
    browser.open(page)
    browser.until("document.documentElement.dataset.ready")
    browser.call("Emulation.setEmulatedMedia", media="print")
    seen = browser.evaluate("""(() => { const shown = (e) => e.getBoundingClientRect().height > 0;
        return { hidden: [...document.querySelectorAll("table.data tbody tr")].filter((e) => !shown(e)).length,
            controls: [...document.querySelectorAll("nav, .copy, .map-controls, dialog")].filter(shown).length,
            days: [...document.querySelectorAll(".static-only svg")].filter(shown).length }; })()""")
    style = browser.evaluate("document.querySelector('style').textContent")
    browser.call("Emulation.setEmulatedMedia", media="")
    assert seen["hidden"] == 0 and seen["controls"] == 0 and seen["days"] >= 2
    assert '@top-center { content: "SYNTHETIC' in style
