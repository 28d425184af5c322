"""The section of methods checks: what fired first, each with why, source and mend; completeness per guideline; all escaped."""

import re
from dataclasses import replace

from lampyris.core.checks import Basis, CheckVerdict, Outcome, ReportingItem, Stated
from lampyris.core.finding import Finding, Place, Severity
from lampyris.core.study import RunRecord, StudyResults
from lampyris.report.render import render_report
from lampyris.report.sections.checks import checks_section

EVIL = "<script>alert(1)</script>"
EMPTY = StudyResults("demo", "", False, {}, (), (), (), (), (), RunRecord("0.1.0", "", {}, {}, {}, "lampyris run ."))


def verdict(check, outcome=Outcome.PASSED, severity="", seen="seen"):
    return CheckVerdict(
        check, f"title {check}", outcome, severity, seen, "mend" if severity else "", "a.csv, row 2" if severity else "",
        "what", "above 3", Basis.CONVENTION, "why it matters", "A source, doi:10.1000/1",
    )  # fmt: skip


def item(guideline, number, state, said=""):
    return ReportingItem(guideline, number, "title", "asks", state, said, "key under [reporting]", "A source")


CHECKS = (
    verdict("L01"),
    verdict("L02", Outcome.FIRED, "note"),
    verdict("L03", Outcome.FIRED, "error", EVIL),
    verdict("L04", Outcome.NOT_APPLICABLE),
)
ITEMS = (
    item("ARRIVE 2.0", "1", Stated.YES, EVIL),
    item("ARRIVE 2.0", "2", Stated.NO),
    item("ARRIVE 2.0", "3", Stated.MANUSCRIPT),
    item("MIRIBEL", "M1", Stated.PARTLY, "said"),
)
STUDY = replace(EMPTY, checks=CHECKS, reporting=ITEMS)


def firsts(table):
    return [row.cells[0].text.split()[0] for row in table.rows]


def test_what_fired_comes_first_and_the_worst_of_it():
    section = checks_section(STUDY)
    assert section["sentence"].startswith("Of 4 methods checks 1 passed, 1 did not apply and 2 fired.")
    assert firsts(section["fired"]) == ["L03", "L02"]
    assert firsts(section["verdicts"]) == ["L03", "L02", "L01", "L04"]
    shown = [cell.text for cell in section["fired"].rows[1].cells]
    assert shown == ["L02 title L02", "note", "a.csv, row 2: seen", "mend", "why it matters", "A source, doi:10.1000/1"]
    assert section["verdicts"].rows[0].cells[4].text == "above 3 (convention)"


def test_completeness_counts_what_a_study_can_state():
    guidelines = checks_section(STUDY)["guidelines"]
    assert [part["sentence"] for part in guidelines] == [
        "ARRIVE 2.0: 1 of 2 stated, 1 missing",
        "MIRIBEL: 0 of 1 stated, 1 missing",
    ]
    assert firsts(guidelines[0]["table"]) == ["2", "1", "3"]


def test_the_page_shows_it_escaped():
    page = render_report(STUDY)["report.html"].decode()
    section = re.search(r'<section id="checks".*?</section>', page, re.DOTALL)[0]
    assert '<a href="#checks">Checks</a>' in page
    assert EVIL not in page and "&lt;script&gt;alert(1)" in section
    assert "Completeness by ARRIVE 2.0" in section and "2 fired" in section


def test_older_results_have_no_such_section():
    assert checks_section(EMPTY) is None
    assert "Methods checks" not in render_report(EMPTY)["report.html"].decode()


def test_each_place_is_listed_up_to_a_few():
    found = tuple(Finding("L02", Severity.WARNING, Place("a.csv", k), f"seen {k}.", "mend") for k in range(2, 9))
    fired = replace(CHECKS[1], findings=found)
    text = checks_section(replace(EMPTY, checks=(fired,)))["fired"].rows[0].cells[2].text
    assert text.startswith("a.csv, row 2: seen 2. a.csv, row 3: seen 3.") and text.endswith("seen 6. And 2 more.")


def test_a_source_that_all_items_share_stands_in_the_caption():
    tables = [part["table"] for part in checks_section(STUDY)["guidelines"]]
    assert tables[0].caption == "Completeness by ARRIVE 2.0, A source"
    assert "Source" not in [column.title for column in tables[0].columns]
    mixed = (ITEMS[0], replace(ITEMS[1], source="Another"))
    (part,) = checks_section(replace(EMPTY, checks=CHECKS, reporting=mixed))["guidelines"]
    assert [row.cells[5].text for row in part["table"].rows] == ["Another", "A source"]


def test_nothing_fired_is_said_in_words():
    section = checks_section(replace(EMPTY, checks=CHECKS[:1]))
    assert section["fired"] is None and "0 fired" in section["sentence"] and section["guidelines"] == []
