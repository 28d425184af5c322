"""The page's parts about arms: figures in the arms' colours, tables of every test, courses, onsets and relations."""

import dataclasses
import math
import re
from collections.abc import Callable

import pytest

from lampyris.core.comparison import Comparison, GroupSummary, PairDifference
from lampyris.core.estimate import Estimate
from lampyris.core.study import StudyResults
from lampyris.report.arms import arms_of
from lampyris.report.comparisons import section
from lampyris.report.comparisons.tables import family_table, group_table, onset_table, pair_table, relation_table
from lampyris.report.drawing.gallery import Gallery
from lampyris.report.drawing.scene import Disc, Label, Stroke
from lampyris.report.headline import headline
from lampyris.report.numbers import MISSING
from lampyris.report.render import render_report
from lampyris.study.statistics import study_statistics


def analysed(study: StudyResults) -> StudyResults:
    """A study with its analyses made."""
    weights = {one.animal: 18.0 + k % 5 for k, one in enumerate(study.outcomes)}
    comparisons, analyses = study_statistics(study.outcomes, study.groups, weights, study="made")
    return dataclasses.replace(study, comparisons=comparisons, analyses=analyses)


@pytest.fixture(scope="module")
def study(rich_study: StudyResults) -> StudyResults:
    return analysed(rich_study)


@pytest.fixture(scope="module")
def files(study: StudyResults) -> dict[str, bytes]:
    return render_report(study, image_budget_mb=0.3)


def test_every_analysis_has_its_figure_and_none_is_doubled(study: StudyResults, files: dict[str, bytes]) -> None:
    page = files["report.html"].decode()
    names = {name.split("/")[1].removesuffix(".svg") for name in files if name.endswith(".svg")}
    valued = {f"comparison-{k}" for k, one in enumerate(study.comparisons, 1) if any(g.values for g in one.groups)}
    assert len(valued) == 3 and valued | {"curves", "onset", "relations"} <= names
    assert page.count("<h3>Total lesion flux</h3>") == 1 and "Do the arms&#39; courses differ?" in page
    assert 'id="relations"' in page and 'href="#relations"' in page
    assert page.count('id="all-tests"') == 1 and page.count('id="onset-tests"') == 1
    for words in ("Tests and assumptions", "Experimental unit: animal", "known to be without it", "Hedges g"):
        assert words in page, words
    # the curves of what was reached stand in the analysis's, not beside it
    assert "reached / under observation" not in page
    assert len(re.findall(r'id="([^"]+)"', page)) == len(set(re.findall(r'id="([^"]+)"', page)))


def test_figures_use_the_arms_colours_and_titles(study: StudyResults) -> None:
    arms = arms_of(study)
    scene = section.comparison_scene(study.comparisons[0], arms, footed=True)
    drawn = [mark for mark in scene.marks if isinstance(mark, Disc | Stroke) and mark.note.words]
    for arm in arms.values():
        own = [mark for mark in drawn if mark.note.words.startswith(f"{arm.title}: m")]
        inks = {
            ink for mark in own for ink in (mark.pen.fill, mark.pen.stroke) if ink.startswith("#") and ink != "#fefefe"
        }
        assert inks - {"#010101"} == {arm.colour}, arm.title
    # of a page the test stands beside the figure, of a file below it
    bare = section.comparison_scene(study.comparisons[0], arms, footed=False)
    said = [[mark.text for mark in one.marks if isinstance(mark, Label)] for one in (scene, bare)]
    assert any("Welch" in line for line in said[0]) and not any("Welch" in line for line in said[1])
    course = section.course_scene(study.analyses.over_time[0], arms, footed=False)
    linked = [mark for mark in course.marks if isinstance(mark, Disc | Stroke) and mark.note.style == "point"]
    assert {dict(mark.note.data)["animal"] for mark in linked} == {
        one.animal for one in study.outcomes if one.status == "done"
    }


def test_two_arms_of_one_title_stay_apart(study: StudyResults) -> None:
    groups = {key: {**group, "title": "Dot"} for key, group in study.groups.items()}
    arms = arms_of(dataclasses.replace(study, groups=groups))
    assert section.titles_of(arms) == {key: key for key in groups}


def test_names_are_escaped(make_study: Callable[..., StudyResults]) -> None:
    made = make_study(arms={"targeted": 3, "untargeted": 3}, days=(0.0, 7.0), shape=(60, 60), with_faults=False,
                      label=lambda text: f"<i>{text}</i>&\u202e")  # fmt: skip
    page = render_report(analysed(made), image_budget_mb=0.2)["report.html"].decode()
    assert "<i>" not in re.sub(r"<script.*?</script>", "", page, flags=re.S) and "\u202e" not in page


def test_what_is_only_known_from_one_side_is_said(study: StudyResults) -> None:
    nan, unit = math.nan, "log10(ph s-1)"
    dark = Estimate(nan, nan, -math.inf, 5.2, 0.97, unit, "all below")
    seen = Estimate(6.4, 0.1, 6.2, 6.6, 0.95, unit, "mean")
    groups = (
        GroupSummary("targeted", 3, (6.3, 6.4, 6.5), (False,) * 3, seen, 0.1, ("a", "b", "c"), "a"),
        GroupSummary(
            "untargeted", 3, (5.0, 5.1, 5.2), (True,) * 3, dark, nan, ("d", "e", "f"), "b", (True, False, True)
        ),
    )
    pair = PairDifference("targeted", "untargeted", Estimate(nan, nan, 1.0, math.inf, 0.95, unit, "a bound"), 0.1)
    made = Comparison("log10 total lesion flux on day 7", unit, "animal", "a rank test", 2.0, 1.0, nan, 0.1, groups, (pair,),
                      "rank test", p_adjusted=0.2, adjustment="Holm over 2 endpoints")  # fmt: skip
    arms = arms_of(study)
    assert "below 5.20" in [row.cells[3].text for row in group_table(made, arms, 1).rows]
    table = pair_table(made, arms, 1)
    assert table is not None and table.rows[0].cells[2].text == "above 1.00"
    words = [one.text for one in headline(dataclasses.replace(study, comparisons=(made,)), arms)]
    told = next(one for one in words if one.startswith("Total lesion flux on day 7"))
    assert "Targeted dot more than 10 times Untargeted dot" in told and "adjusted p\u00a0=\u00a00.20" in told
    scene = section.comparison_scene(made, arms, footed=True)
    triangles = [mark for mark in scene.marks if isinstance(mark, Stroke) and "the limit of" in mark.note.words]
    ups = [mark.points[0][1] > mark.points[2][1] for mark in triangles]
    assert ups == [True, False, True] and "above the limit" in triangles[0].note.words


def test_tables_hold_every_answer(study: StudyResults) -> None:
    arms, found = arms_of(study), study.analyses
    listed = family_table(found.family)
    assert listed is not None and len(listed.rows) == len(found.family) and len(listed.columns) == 6
    stated = family_table([dataclasses.replace(found.family[0], primary=True), *found.family[1:]])
    assert stated is not None and stated.rows[0].cells[-1].text == "stated in advance"
    onsets = onset_table(found.onsets, arms)
    assert onsets is not None and len(onsets.rows) == len(found.onsets)
    # between sessions no day is known
    told = [cell.text for row in onsets.rows for cell in row.cells if "; median " in cell.text]
    assert told and all("; median between days " in text or "; median not reached" in text for text in told)
    related = relation_table(found.relations, arms)
    assert related is not None and {row.cells[2].text for row in related.rows} >= {"all, within arms"}
    assert {row.cells[6].text for row in related.rows if row.muted} <= {MISSING}
    assert family_table(()) is None and onset_table((), arms) is None and relation_table((), arms) is None


def test_without_a_model_the_panels_of_each_arm_stand(study: StudyResults) -> None:
    bare = tuple(
        dataclasses.replace(one, tests=(), means=(), notes=("No model was fitted: why.",))
        for one in study.analyses.over_time
    )
    thin = dataclasses.replace(study, analyses=dataclasses.replace(study.analyses, over_time=bare))
    context = section.groups_context(thin, arms_of(thin), Gallery())
    assert context["courses"] == [] and context["unfitted"] == ["No model was fitted: why."]


def test_what_limits_an_onset_is_said(study: StudyResults) -> None:
    context = section.groups_context(study, arms_of(study), Gallery())
    notes = context["onset_courses"]["notes"]
    assert any(note.startswith("Fewer than 5 units in ") for note in notes), notes
    # nothing of regressions, which are not shown
    assert not any("ratio" in note or "regression" in note for note in notes), notes


def test_an_older_study_has_no_analyses(rich_study: StudyResults) -> None:
    context = section.groups_context(rich_study, arms_of(rich_study), Gallery())
    assert (context["onset_courses"], context["relations"], context["family"], context["effects"]) == (None,) * 4
