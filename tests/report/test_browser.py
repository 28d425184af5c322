"""The page in a real browser, with the network cut: the script runs, nothing is refused, no name executes."""

import html
import json
import re
import subprocess
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest
from chromium import BROWSER, Browser
from relabel import relabelled

from lampyris.core.study import StudyResults
from lampyris.report.render import render_report

needs_browser = pytest.mark.skipif(BROWSER is None, reason="needs Chromium, which is not installed")

# each would set the title or write "pwned" into the page if it ran
PAYLOADS = (
    "<script>document.title='pwned'</script>",
    "</script><script>document.title='pwned'</script>",
    "</title><script>document.title='pwned'</script>",
    "</style><script>document.title='pwned'</script>",
    "<img src=x onerror=\"document.title='pwned'\">",
    '"><img src=x onerror="document.title=\'pwned\'">',
    "'><svg onload=\"document.title='pwned'\">",
    "<svg><script>document.title='pwned'</script></svg>",
    "<svg/onload=document.title='pwned'>",
    "<iframe src=\"javascript:parent.document.title='pwned'\"></iframe>",
    "<a href=\"javascript:document.title='pwned'\" autofocus>x</a>",
    "<body onload=document.title='pwned'>",
    "<input autofocus onfocus=document.title='pwned'>",
    "<details open ontoggle=document.title='pwned'>",
    "<math><mtext><style><img src=x onerror=document.title='pwned'></style></mtext></math>",
    "<!--<img src='--><img src=x onerror=document.title=\"pwned\">'>",
    "<![CDATA[<script>document.title='pwned'</script>]]>",
    "{{ 7*7 }}{% for x in ().__class__.__base__.__subclasses__() %}{{ x }}{% endfor %}",
    "${document.title='pwned'}`+(document.title='pwned')+`",
    "\\u003cscript\\u003edocument.title='pwned'\\u003c/script\\u003e",
    "\"-(document.title='pwned')-\"",
    "';document.title='pwned';//",
    "\u2028document.title='pwned'\u2029//",
    "<meta http-equiv=refresh content=\"0;url=javascript:document.title='pwned'\">",
    "$\\frac{1}{0}$ \x00\x1b[31m\ud800 \u202eright to left\n<style>*{display:none}</style>",
)


def dumped(page: Path, profile: Path, fragment: str = "") -> tuple[str, str]:
    """What the browser made of the page, and its log."""
    assert BROWSER is not None
    command = [
        BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
        "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
        f"--user-data-dir={profile}", "--host-resolver-rules=MAP * ~NOTFOUND", "--enable-logging=stderr",
        "--window-size=390,844", "--virtual-time-budget=8000", "--dump-dom", page.as_uri() + fragment,
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, timeout=120, check=True)
    return done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")


def page_log(log: str) -> list[str]:
    """Lines that the page itself caused."""
    return [line for line in log.splitlines() if "CONSOLE" in line or "Content Security Policy" in line]


@needs_browser
def test_viewer_opens_and_draws_with_the_network_cut(small_study: StudyResults, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    page.write_bytes(render_report(small_study)["report.html"])
    dom, log = dumped(page, tmp_path / "profile", "#picture-5")
    assert page_log(log) == []
    root = re.search(r"<html[^>]*>", dom)
    assert root is not None and 'data-ready="yes"' in root[0] and 'data-viewer="5/probe"' in root[0]
    assert re.search(r'<dialog id="viewer"[^>]* open', dom)
    assert re.search(r'id="viewer-title"[^>]*>m000 · Targeted dot · day 21 · ventral<', dom)
    overlay = dom[dom.index('<svg id="overlay"') :]
    assert len(re.findall(r'<g class="mark ', overlay[: overlay.index("</svg>")])) == 3
    assert dom.count("Copy as TSV") > 5


# plays a reader: keys in the viewer, a sort, the page's width; writes what it saw onto the root element
READER = """
(async () => {
  const root = document.documentElement, $ = (id) => document.getElementById(id), saw = {};
  const wait = () => new Promise((done) => setTimeout(done, 150));
  const press = async (key, more = {}) => {
    $("viewer-title").dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true, ...more }));
    await wait();
  };
  await wait();
  saw.wide = root.scrollWidth > root.clientWidth;
  document.querySelector("#picture-4").click();
  await wait();
  saw.opened = root.dataset.viewer;
  saw.focus = document.activeElement.id;
  await press("ArrowLeft");
  saw.earlier = root.dataset.viewer;
  await press("l");
  await press("o");
  saw.boxes = [$("log").checked, $("shown").checked].join();
  await press("ArrowDown", { shiftKey: true });
  saw.pixel = $("readout").textContent;
  $("layer").value = "1";
  $("layer").dispatchEvent(new Event("input"));
  await wait();
  saw.layer = root.dataset.viewer;
  await press("r");
  saw.lay = root.dataset.lay;
  saw.crosses = document.querySelectorAll("#overlay .place").length;
  const place = () => document.querySelector('#overlay [data-key="L1"] path').getAttribute("d");
  const [before, slider] = [place(), $("day-slider")];
  slider.value = 2;
  slider.dispatchEvent(new Event("input"));
  await wait();
  saw.later = root.dataset.viewer;
  const numbersOf = (path) => path.match(/[0-9.]+/g).map(Number);
  const mean = (values) => values.reduce((a, b) => a + b) / values.length;
  const centre = (path) => [0, 1].map((k) => mean(numbersOf(path).filter((_, i) => i % 2 === k)));
  saw.still = centre(before).every((v, k) => Math.abs(v - centre(place())[k]) < 0.2);
  await press("ArrowDown", { shiftKey: true });
  saw.nominal = $("readout").textContent;
  $("viewer-close").click();
  await wait();
  const map = $("map-slider"), lungs = document.querySelector('#maps .tint[data-organ="lungs"]');
  const tints = [lungs.getAttribute("opacity")];
  map.value = 0;
  map.dispatchEvent(new Event("input"));
  saw.tints = [...tints, lungs.getAttribute("opacity")].join();
  lungs.dispatchEvent(new Event("pointerover", { bubbles: true }));
  saw.words = $("map-words").textContent;
  $("map-arm").value = "1";
  $("map-arm").dispatchEvent(new Event("input"));
  saw.maps = [...document.querySelectorAll("#maps figure")].filter((figure) => !figure.hidden).length;
  saw.back = document.activeElement.id;
  const table = document.querySelector("#detections-1");
  const numbers = () => [...table.tBodies[0].rows].map((r) => parseFloat(r.cells[6].dataset.copy));
  const button = table.tHead.rows[0].cells[6].querySelector("button");
  button.click();
  saw.rising = numbers().every((v, k, all) => !k || all[k - 1] <= v);
  button.click();
  saw.falling = numbers().every((v, k, all) => !k || all[k - 1] >= v);
  root.dataset.saw = JSON.stringify(saw);
})();
"""


@needs_browser
def test_reader_works_the_viewer_and_the_tables(small_study: StudyResults, tmp_path: Path) -> None:
    text = render_report(small_study)["report.html"].decode()
    # the policy would refuse the player's script, as it should: this copy goes without
    text = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", text)
    page = tmp_path / "report.html"
    page.write_text(text.replace("</body>", f"<script>{READER}</script></body>"), encoding="utf-8")
    dom, log = dumped(page, tmp_path / "profile")
    assert page_log(log) == []
    found = re.search(r'data-saw="([^"]*)"', dom)
    assert found is not None
    saw = json.loads(html.unescape(found[1]))
    pixel = saw.pop("pixel")
    assert re.match(r"x [0-9.]+ mm, y [0-9.]+ mm: .* ± .* ph s⁻¹ cm⁻² sr⁻¹ ", pixel.replace("\u00a0", " ")), pixel
    nominal = saw.pop("nominal").replace("\u00a0", " ")
    assert re.match(r"[0-9.]+ mm from the nose, [0-9.]+ mm to its (left|right): ", nominal), nominal
    words = saw.pop("words").replace("\u00a0", " ")
    assert words.startswith("lungs, Targeted dot, day 0: reached in none of 2 animals (95 % 0.00–0.84)"), words
    assert saw == {
        "lay": "registered", "crosses": 3, "later": "4/1", "still": True, "tints": "0.9,0", "maps": 1,
        "wide": False, "opened": "4/probe", "focus": "viewer-title", "earlier": "2/probe", "boxes": "false,false",
        "layer": "2/1", "back": "picture-4", "rising": True, "falling": True,
    }  # fmt: skip


def in_turn() -> Callable[[str], str]:
    """Each name its own payload; the same name stays the same."""
    names: dict[str, str] = {}
    return lambda text: names.setdefault(text, f"{text}{PAYLOADS[len(names) % len(PAYLOADS)]}")


def tag_names(page: str) -> list[str]:
    """Every tag of the page in order, by the rules of HTML: a name that broke out would add one."""
    found: list[str] = []
    parser = HTMLParser()
    parser.handle_starttag = lambda tag, attrs: found.append(" ".join([tag, *sorted(key for key, _ in attrs)]))  # type: ignore[method-assign]
    parser.handle_comment = lambda data: found.append("comment")  # type: ignore[method-assign]
    parser.feed(page)
    return found


LABELS = {
    "in turn": in_turn(),
    "all at once": lambda text: text + "".join(PAYLOADS),
    "all at once, last first": lambda text: text + "".join(reversed(PAYLOADS)),
}


@pytest.fixture(scope="module")
def tame_and_hostile(make_study: Callable[..., StudyResults]) -> dict[str, bytes]:
    """The same study with tame and with hostile texts in every field that may be a user's."""
    study = make_study(arms={"targeted": 2, "control": 1}, days=(0.0, 7.0), shape=(40, 40))
    labels = {"tame": lambda text: text + " t", **LABELS}
    return {name: render_report(relabelled(study, label))["report.html"] for name, label in labels.items()}


def test_every_field_is_hostile(make_study: Callable[..., StudyResults]) -> None:
    study = relabelled(
        make_study(arms={"targeted": 2, "control": 1}, days=(0.0, 7.0), shape=(40, 40)), lambda text: "<b>" + text
    )
    session, outcome = study.sessions[-1], study.outcomes[-1]
    view = next(v for s in study.sessions for v in s.views if v.detections)
    lesion = next(lesion for o in study.outcomes for lesion in o.lesions)
    texts = [
        study.name, study.title, session.animal, session.session, session.group, session.probe, outcome.animal, outcome.group, view.file,
        *view.channels, view.detections[0].region, view.limits[0].region, view.organ_signals[0].organ, *view.quality, lesion.organ,
        *lesion.organs, *lesion.reasons, *study.methods, study.record.command, *study.record.inputs, study.findings[0].seen,
        study.findings[0].mend, study.findings[0].rule, study.findings[0].place.file, *(o.reason for o in study.outcomes if o.reason),
        *(group["title"] for group in study.groups.values()), *study.comparisons[0].notes, study.comparisons[0].endpoint,
    ]  # fmt: skip
    assert len(texts) > 30 and [text for text in texts if not text.startswith("<b>")] == []


@pytest.mark.parametrize("names", LABELS)
def test_hostile_names_add_no_tag_and_no_attribute(names: str, tame_and_hostile: dict[str, bytes]) -> None:
    assert len(PAYLOADS) == 25
    tame, hostile = (tag_names(tame_and_hostile[key].decode()) for key in ("tame", names))
    # wrapped tick labels of the figures may take more lines, nothing else may differ
    lines = ("tspan", "text")
    assert sorted(t for t in hostile if t.split()[0] not in lines) == sorted(
        t for t in tame if t.split()[0] not in lines
    )


# touches everything that shows a name: hover words, links, sorting, copying, every layer, the list of corrections
TOUCH = """(async () => {
  const wait = () => new Promise((done) => setTimeout(done, 30)), $ = (id) => document.getElementById(id);
  navigator.clipboard.writeText = () => Promise.resolve();
  for (const element of [...document.querySelectorAll("main [data-words], main [data-animal]")].slice(0, 400)) {
    element.dispatchEvent(new PointerEvent("pointerover", { bubbles: true, pointerType: "mouse" }));
  }
  for (const button of document.querySelectorAll("th button, .copy")) button.click();
  for (const detail of document.querySelectorAll("details")) detail.open = true;
  for (let k = 0; k < 6; k++) {
    $("sheet").dispatchEvent(new KeyboardEvent("keydown", { key: k % 2 ? "z" : "b", bubbles: true }));
    await wait();
  }
  for (const mark of document.querySelectorAll("#overlay .mark")) {
    mark.dispatchEvent(new PointerEvent("pointermove", { bubbles: true, pointerType: "mouse" }));
  }
  const found = document.querySelector("#found button");
  if (found) found.click();
  $("fix-reason").value = $("fix-author").value = document.querySelector("h1").textContent;
  $("fix-add").click();
  $("fix-all").click();
  await wait();
  return [$("viewer-title").textContent, $("tip").textContent, $("fix-rows").textContent, document.title, typeof window.pwned];
})()"""


@needs_browser
def test_no_name_executes(tame_and_hostile: dict[str, bytes], tmp_path: Path) -> None:
    with Browser(tmp_path / "profile") as browser:
        for width, height, touch in ((1280, 800, False), (390, 844, True)):
            browser.size(width, height, touch=touch)
            for names in LABELS:
                page = tmp_path / "report.html"
                page.write_bytes(tame_and_hostile[names])
                browser.events.clear()
                browser.open(page, "#picture-2")
                browser.until("document.documentElement.dataset.viewer")
                title, tip, rows, document_title, pwned = browser.evaluate(TOUCH)
                assert browser.complaints == [] and browser.requests == [], names
                assert pwned == "undefined" and document_title.startswith("Demonstration study"), names
                # the names themselves are shown, as text
                assert "document.title" in title + tip and "accept" in rows, names
                assert (
                    browser.evaluate("document.querySelectorAll('iframe, object, embed, form, base, link').length") == 0
                )
                assert browser.evaluate("document.documentElement.dataset.viewer") != "2/probe"
