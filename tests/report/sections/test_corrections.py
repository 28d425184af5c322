"""Corrections by hand on the page: counts, who and why, and the automatic numbers beside the corrected ones."""

from dataclasses import replace

import pytest

from lampyris.core.study import Correction, Corrections
from lampyris.report.arms import arms_of
from lampyris.report.render import render_report
from lampyris.report.sections.corrections import correction_context, correction_sentences


def correction(animal, action, target="lesion 2", *, session="d1", reason="fur", author="R. Vet"):
    return Correction(animal, session, "dorsal", action, target, "1 detection left out", reason, author, "2026-03-20")


@pytest.fixture(scope="module")
def corrected(make_study):
    """The first animal with one lesion less than found automatically, the second left out."""
    study = make_study(with_faults=False, shape=(40, 40))
    first, second, *rest = study.outcomes
    now = replace(first, lesions=first.lesions[1:], total_flux=first.total_flux[::-1])
    gone = replace(second, status="excluded", reason="ulcer", days=(), total_flux=(), below_limit=(), lesion_count=(),
                   lesions=(), endpoints=None, registrations=())  # fmt: skip
    rows = (
        correction(first.animal, "reject", reason="<img src=x onerror=alert(1)>"),
        correction(first.animal, "reject", "detection 3"),
        correction(first.animal, "exclude image", "d1, dorsal", author="B. Iologist"),
        correction(second.animal, "exclude animal", "the animal", session=""),
    )
    found = Corrections(rows, (first, second), (), study.comparisons)
    comparison = replace(study.comparisons[0], p=0.5)
    return replace(
        study,
        outcomes=(now, gone, *rest),
        sessions=tuple(one for one in study.sessions if one.animal != second.animal),
        comparisons=(comparison,),
        corrections=found,
    )


def test_nothing_is_said_without_corrections(small_study):
    assert correction_sentences(small_study) == [] and correction_context(small_study, arms_of(small_study)) is None


def test_counts(corrected):
    (sentence,) = correction_sentences(corrected)
    animals = len(corrected.outcomes)
    assert sentence.text == (
        f"Corrected by hand in 2 of {animals} animals by B. Iologist and R. Vet: 2 reject; "
        "1 image and 1 animal left out."
    )


def test_both_results_stand_side_by_side(corrected):
    context = correction_context(corrected, arms_of(corrected))
    first = corrected.corrections.outcomes[0]
    table = context["animals"]
    rows = [row for row in table.rows if row.cells[0].text == first.animal]
    assert len(rows) == len(first.days)
    was, now = rows[0].cells[3].copied, rows[0].cells[5].copied
    assert was.startswith(f"{first.total_flux[0].value:.6g}") and now.startswith(f"{first.total_flux[-1].value:.6g}")
    # the lesion that was rejected is seen on the last day
    assert int(rows[-1].cells[4].text) == int(rows[-1].cells[6].text) + 1
    left = [row for row in table.rows if row.cells[0].text == corrected.corrections.outcomes[1].animal]
    assert {row.cells[-1].text for row in left} == {"excluded"}
    assert {row.cells[5].text for row in left} == {"n/a"}
    comparisons = context["comparisons"].rows
    assert {(row.cells[4].copied, row.cells[7].copied) for row in comparisons} == {("0.00051", "0.5")}


def test_the_page_tells_it_and_runs_nothing(corrected):
    page = render_report(corrected)["report.html"].decode()
    assert 'id="corrections"' in page and 'href="#corrections"' in page
    assert "<img src=x" not in page and "&lt;img src=x onerror=alert(1)&gt;" in page
    assert page == render_report(corrected)["report.html"].decode()
