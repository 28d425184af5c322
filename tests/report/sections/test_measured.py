"""Tables of the page: kinds and flags of detections, every picture's whole flux, findings with their places."""

import dataclasses
import html

import pytest

from lampyris.core.finding import Finding, Place, Severity
from lampyris.core.flags import DETECTION_FLAG_MEANING, DetectionFlag, DetectionKind
from lampyris.core.study import StudyResults
from lampyris.report.arms import arms_of
from lampyris.report.numbers import estimate_text
from lampyris.report.pictures.films import flag_words
from lampyris.report.render import render_report
from lampyris.report.sections.measured import detection_tables, findings_table, quality_tables


def test_every_flag_is_told_in_words() -> None:
    for flag, meaning in DETECTION_FLAG_MEANING.items():
        assert flag_words(int(flag)) == meaning
    both = flag_words(int(DetectionFlag.FAINT_AFTER_FIT | DetectionFlag.EDGE), short=True)
    assert both.startswith("its outline touches the animal's edge; its flux is less than two standard deviations")


def test_tables_and_page_know_the_kinds_that_are_assigned_and_no_other(small_study: StudyResults) -> None:
    kinds = {row.cells[4].text for table in detection_tables(small_study).values() for row in table.rows}
    assert kinds == {DetectionKind.PRIMARY, DetectionKind.LESION, DetectionKind.INJECTION_SITE}
    page = render_report(small_study)["report.html"].decode()
    legend = page[page.index("Names are lesions") : page.index("Open a picture")]
    assert (
        "Solid outlines are lesions and primaries, dashed grey ones with the name in brackets other signals" in legend
    )
    assert page.count('class="mark ') == page.count('class="mark lesion"') + page.count('class="mark other"') > 0


def test_without_lesions_a_detection_keeps_its_own_kind_and_number(plain_study: StudyResults) -> None:
    rows = [row for table in detection_tables(plain_study).values() for row in table.rows]
    assert {row.cells[4].text for row in rows} == {DetectionKind.LESION, DetectionKind.INJECTION_SITE}
    assert {row.cells[3].text for row in rows} == {"–"}


def test_every_picture_shows_the_flux_of_the_whole_animal(small_study: StudyResults) -> None:
    tables = quality_tables(small_study, arms_of(small_study))
    assert tables is not None
    column, flux = tables[1].columns[3], small_study.sessions[0].views[0].body_flux
    assert column.title == "Probe flux of the whole animal (95\u00a0% interval)" and column.unit == "ph s-1"
    assert {row.cells[3].text for row in tables[1].rows} == {estimate_text(flux, unit=False)}
    assert len(tables[1].rows) == sum(len(session.views) for session in small_study.sessions)


def test_pictures_without_quality_numbers_still_show_their_flux(small_study: StudyResults) -> None:
    session = small_study.sessions[0]
    views = tuple(dataclasses.replace(view, quality={}) for view in session.views)
    bare = dataclasses.replace(small_study, sessions=(dataclasses.replace(session, views=views),))
    tables = quality_tables(bare, arms_of(bare))
    assert tables is not None and not tables[0].rows and len(tables[1].rows) == 2
    page = render_report(bare)["report.html"].decode()
    assert 'id="quality-full"' in page and 'id="quality-summary"' not in page


@pytest.mark.parametrize("rule", ["image.search-limit", "image.size"])
def test_findings_of_sessions_stand_in_quality_with_their_places(small_study: StudyResults, rule: str) -> None:
    found = Finding(rule, Severity.WARNING, Place("raw/d7.tif"), "40 spots were found.", "Look at the picture.")
    k = 4
    session = dataclasses.replace(small_study.sessions[k], findings=(found,))
    sessions = (*small_study.sessions[:k], session, *small_study.sessions[k + 1 :])
    study = dataclasses.replace(small_study, sessions=sessions)
    table = findings_table(study)
    assert table is not None
    row = next(row for row in table.rows if row.cells[4].text == rule)
    assert [cell.text for cell in row.cells[:4]] == [
        "warning", f"{session.animal}, day {session.day:g}; raw/d7.tif", found.seen, found.mend,
    ]  # fmt: skip
    quality = render_report(study)["report.html"].decode().partition('<section id="quality"')[2]
    assert html.escape(row.cells[1].text) in quality and rule in quality
