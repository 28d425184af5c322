"""Limits: flux over all animals, cells by the probe that the animals carry, nothing in cells for controls."""

import dataclasses
import re

import pytest

from lampyris.core.estimate import Estimate
from lampyris.core.study import SessionResult, StudyResults
from lampyris.report.arms import arms_of
from lampyris.report.headline import headline
from lampyris.report.limits import limit_grids
from lampyris.report.sections.measured import limit_terms, limits_table

CELLS = {"targeted": 1e5, "untargeted": 7e5, "control": 9e9}


def with_cells(session: SessionResult) -> SessionResult:
    """The session with limits in cells that tell its arm; controls too, as an analysis may store them."""
    value = CELLS[session.group]
    cells = Estimate(value, value / 4, value / 2, 2 * value, 0.95, "1", "made for a test")
    views = tuple(
        dataclasses.replace(view, limits=tuple(dataclasses.replace(limit, cells=cells) for limit in view.limits))
        for view in session.views
    )
    return dataclasses.replace(session, views=views)


@pytest.fixture(scope="module")
def study(small_study: StudyResults) -> StudyResults:
    options = small_study.record.options | {"probes": {"targeted": {"title": "Dot 810"}, "untargeted": {"title": ""}}}
    record = dataclasses.replace(small_study.record, options=options)
    return dataclasses.replace(small_study, record=record, sessions=tuple(map(with_cells, small_study.sessions)))


def test_cells_are_kept_apart_by_probe_and_flux_is_over_all(study: StudyResults) -> None:
    grids = limit_grids(study)
    assert {grid.view for grid in grids} == {"dorsal", "ventral"}
    for grid in grids:
        assert grid.probes == {"targeted": "Dot 810", "untargeted": "untargeted"}
        for cell in grid.cells.values():
            assert cell.n == 5 and cell.outline_share == 0.6
            assert {probe: (own.estimate.value, own.n) for probe, own in cell.cells.items()} == {
                "targeted": (1e5, 2),
                "untargeted": (7e5, 1),
            }


def test_a_control_has_no_limit_in_cells_even_if_its_row_names_a_probe(study: StudyResults) -> None:
    named = tuple(dataclasses.replace(s, probe="targeted") if s.group == "control" else s for s in study.sessions)
    for grid in limit_grids(dataclasses.replace(study, sessions=named)):
        assert {cell.cells["targeted"].n for cell in grid.cells.values()} == {2}


def test_two_probes_of_one_title_are_told_apart(study: StudyResults) -> None:
    options = study.record.options | {"probes": {"targeted": {"title": "Dot"}, "untargeted": {"title": "Dot"}}}
    same = dataclasses.replace(study, record=dataclasses.replace(study.record, options=options))
    assert list(limit_grids(same)[0].probes.values()) == ["Dot (targeted)", "Dot (untargeted)"]


def test_table_has_a_column_group_per_probe(study: StudyResults) -> None:
    table = limits_table(limit_grids(study))
    assert table is not None
    titles = [column.title.replace("\u00a0", " ") for column in table.columns]
    # every row has the same animals per probe: their number stands in the head
    assert titles[4:] == [
        "Flux inside the outline",
        "Share in the outline",
        "Animals",
        "Cells labelled with Dot 810, n = 2",
        "Cells labelled with untargeted, n = 1",
    ]
    assert "median 95 % span" in table.caption.replace("\u00a0", " ")
    assert all(len(row.cells) == len(table.columns) for row in table.rows)
    assert [cell.text for cell in table.rows[0].cells[5:7]] == ["0.60", "5"]
    assert table.rows[0].cells[7].copied.startswith("100000\t") and table.rows[0].cells[8].copied.startswith("700000\t")


def test_animals_that_differ_between_rows_have_a_column_of_their_own(study: StudyResults) -> None:
    fewer = dataclasses.replace(study, sessions=study.sessions[1:])
    table = limits_table(limit_grids(fewer))
    assert table is not None
    heads = [column.title for column in table.columns]
    assert "Animals with Dot 810" in heads and "Cells labelled with Dot 810" in heads
    assert all(len(row.cells) == len(table.columns) for row in table.rows)


def test_a_study_of_controls_alone_has_limits_in_flux_only(study: StudyResults) -> None:
    alone = dataclasses.replace(study, sessions=tuple(s for s in study.sessions if s.group == "control"))
    table = limits_table(limit_grids(alone))
    assert table is not None and table.rows and len(table.columns) == 7


def test_the_controls_sentence_gives_flux_and_no_cells(study: StudyResults) -> None:
    lines = [sentence.text for sentence in headline(study, arms_of(study))]
    control = next(line for line in lines if line.startswith("Unlabelled controls"))
    assert re.search(r"limit on the last day was .* inside the outline, median and range over regions", control)
    assert "cells labelled with" not in control and "how many cells that is depends on the probe" in control


def test_a_labelled_arm_without_lesions_gives_cells_of_its_own_probe(study: StudyResults) -> None:
    dark = tuple(dataclasses.replace(o, lesion_count=(0,) * len(o.lesion_count)) for o in study.outcomes)
    nothing = dataclasses.replace(study, outcomes=dark, reach=())
    lines = [sentence.text for sentence in headline(nothing, arms_of(study))]
    targeted = next(line for line in lines if line.startswith("Targeted dot")).replace("\u202f", " ")
    assert "or 1.0 × 10⁵ cells labelled with Dot 810" in targeted


def test_terms_say_what_the_flux_is(study: StudyResults) -> None:
    terms = limit_terms(study).replace("\u00a0", " ")
    assert "flux inside the outline" in terms and "holds 60 % of a spot's flux" in terms
