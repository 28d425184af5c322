"""What was followed: names that stay, calls that say how sure they are, organs and days with their intervals."""

import dataclasses
import json
import math
import re

import pytest

from lampyris.core.estimate import Estimate
from lampyris.core.flags import DetectionKind
from lampyris.core.lesions import Endpoints, OrganActivity, OrganOnset, Reach
from lampyris.core.study import StudyResults
from lampyris.report.arms import arms_of
from lampyris.report.curves import burden_curves, lesion_curves
from lampyris.report.drawing.scene import Disc, Stroke, page_svg
from lampyris.report.headline import headline
from lampyris.report.identities import (
    Identity,
    arrival_text,
    call_text,
    identities_of,
    interval_text,
    is_tumour,
    lesion_lines,
    share,
)
from lampyris.report.pictures.films import mark
from lampyris.report.pictures.packing import Frame
from lampyris.report.render import render_report
from lampyris.report.spread.bodymap import map_data, map_scene, tint
from lampyris.report.spread.figures import lasting_figure, onset_figure, onset_organs
from lampyris.report.spread.mouse import VIEWS, across_picture, body_outline, organ_shapes, organs_facing
from lampyris.report.spread.reach import Course, arm_reach, reach_words, reached_organs
from lampyris.report.spread.route import arm_rows, route_label
from lampyris.report.spread.tables import (
    activity_table,
    arm_lasting_table,
    calls_table,
    lasting_table,
    places_table,
    reach_table,
)
from lampyris.report.tables import Cell, Column, Row, Table
from lampyris.tissue.anatomy import NOMINAL_LENGTH_MM, organ_names


def refused(constant: str) -> float:
    raise AssertionError(f"{constant} is no JSON")


def course(values: list[float], possible: list[float]) -> Course:
    shares = tuple(Estimate(v, 0.1, max(v - 0.3, 0.0), min(v + 0.3, 1.0), 0.95, "1", "exact") for v in values)
    row = Reach("targeted", "liver", 5, tuple(7.0 * k for k in range(len(values))), shares, tuple(possible))
    return Course(row, (5,) * len(values))


def test_a_lesion_has_one_name_on_every_day_and_view(rich_study: StudyResults) -> None:
    names = identities_of(rich_study)
    by_name: dict[tuple[str, str], set[str]] = {}
    for session in rich_study.sessions:
        for view in session.views:
            for detection in view.detections:
                identity = names.of(session.animal, session.session, view.view, detection)
                by_name.setdefault((session.animal, identity.name), set()).add(detection.region)
    assert by_name and all(len(regions) == 1 for regions in by_name.values())
    assert {name for _, name in by_name} <= {"L1", "L2", "L3", "L4", "L5"}


def test_a_spot_of_two_lesions_bears_both_names(small_study: StudyResults) -> None:
    outcome = small_study.outcomes[0]
    first, second = outcome.lesions[:2]
    shared = dataclasses.replace(
        second,
        sightings=tuple(dataclasses.replace(s, detections=f.detections, shared_with=(1,))
                        for s, f in zip(second.sightings, first.sightings, strict=True)),
    )  # fmt: skip
    own = dataclasses.replace(outcome, lesions=(first, shared))
    study = dataclasses.replace(small_study, outcomes=(own, *small_study.outcomes[1:]))
    session = small_study.sessions[1]
    identity = identities_of(study).of(outcome.animal, session.session, "dorsal", session.views[0].detections[0])
    assert identity.name == "L1+L2" and identity.tumour and identity.kind == "primary"


@pytest.mark.parametrize(
    ("organs", "words"),
    [
        ({"liver": 0.83, "stomach": 0.12, "gut": 0.05}, "liver 0.83, stomach 0.12"),
        ({"liver": 0.79, "stomach": 0.21}, "not sure: liver 0.79, stomach 0.21"),
        ({"liver": 0.998, "stomach": 0.002}, "liver >0.99"),
        ({"liver": 1.0}, "liver 1"),
        ({}, "not sure: liver n/a"),
    ],
)
def test_calls_say_how_sure_they_are(organs: dict[str, float], words: str) -> None:
    assert call_text("liver", organs) == words


@pytest.mark.parametrize(
    ("days", "words"),
    [
        ((7.0, 14.0), "after day 7, by day 14"),
        ((-math.inf, 3.0), "by day 3"),
        ((21.0, math.inf), "not by day 21"),
        ((-math.inf, math.inf), "not seen"),
    ],
)
def test_arrivals_are_intervals(days: tuple[float, float], words: str) -> None:
    assert arrival_text(*days) == words


def test_unknown_numbers_are_said_to_be_unknown() -> None:
    nothing = Estimate.unknown(0.95, "mm", "none")
    assert interval_text(nothing, "mm") == "unknown" and share(math.nan) == "n/a"
    assert (
        interval_text(Estimate(2.0, 0.5, 1.0, 3.0, 0.9, "mm", "fit"), "mm").replace("\u00a0", " ")
        == "2.0 (90 % 1.0–3.0) mm"
    )


def test_a_half_life_of_which_only_the_least_is_known_is_a_bound(rich_study: StudyResults) -> None:
    least = Estimate(math.nan, math.nan, 40.0, math.inf, 0.95, "days", "no decay seen")
    assert interval_text(least, "days").replace("\u00a0", " ") == "at least 40 days (95 %)"
    outcomes = tuple(
        dataclasses.replace(o, endpoints=dataclasses.replace(o.endpoints, half_life_days=least)) if o.endpoints else o
        for o in rich_study.outcomes
    )
    study = dataclasses.replace(rich_study, outcomes=outcomes)
    table = lasting_table(study, arms_of(study))
    assert table is not None and table.rows[0].cells[2].text == "≥ 40"
    values = {o.animal: o.endpoints.half_life_days for o in outcomes if o.endpoints}
    scene = lasting_figure(study, list(arms_of(study).values()), "half-life", values, logarithmic=True)
    assert scene is not None and any("at least 40" in m.note.words for m in scene.marks if isinstance(m, Stroke))


def test_hover_words_hold_kind_organ_depth_days_and_cells(rich_study: StudyResults, rich_page: str) -> None:
    outcome = next(o for o in rich_study.outcomes if any(lesion.organ == "liver" for lesion in o.lesions))
    lesion = next(lesion for lesion in outcome.lesions if lesion.organ == "liver")
    text = "\n".join(lesion_lines(lesion)).replace("\u00a0", " ")
    assert f"L{lesion.number} · lesion 0.93" in text and "not sure: liver 0.62, stomach 0.30" in text
    assert "depth 3.2 (95 % 2.1–4.4) mm" in text and "appeared after day 0, by day 7" in text
    titles = re.findall(r'<g class="mark [^>]*><title>([^<]*)', rich_page)
    assert any("not sure: liver" in title and "labelled-cell equivalents" in title for title in titles)


def test_the_mouse_is_symmetric_as_long_as_the_nominal_one_and_holds_its_organs() -> None:
    outline = body_outline()
    assert sorted(outline) == sorted((-x, y) for x, y in outline)
    assert max(y for _, y in outline) > NOMINAL_LENGTH_MM and min(y for _, y in outline) >= 0
    # the widest of the nominal outline is 14 mm, drawn from voxels of 0.5 mm
    assert max(x for x, _ in outline) == pytest.approx(14.0, abs=0.4)
    assert {shape.organ for shape in organ_shapes()} == set(organ_names())
    for shape in organ_shapes():
        assert abs(shape.left_mm) + shape.across_semi < 15.0 and 0 < shape.along_mm < NOMINAL_LENGTH_MM


def test_left_is_left_from_the_back_and_right_from_the_belly() -> None:
    assert across_picture(3.0, "dorsal") == -3.0 and across_picture(3.0, "ventral") == 3.0
    assert [s.height_mm for s in organs_facing("dorsal")] == sorted(s.height_mm for s in organ_shapes())
    assert organs_facing("ventral") == organs_facing("dorsal")[::-1]


def test_organs_are_tinted_by_the_share_reached_and_later_dots_wait(rich_study: StudyResults) -> None:
    arm = arms_of(rich_study)["targeted"]
    early, late = (map_scene(rich_study, arm, day, later=True) for day in (0.0, 14.0))
    tints = [
        {m.note.data[0][1]: m.pen.opacity for m in scene.marks if isinstance(m, Stroke) and m.note.style == "tint"}
        for scene in (early, late)
    ]
    row = next(r for r in rich_study.reach if r.group == "targeted" and r.organ == "lungs")
    assert tints[0]["lungs"] == 0.0 and tints[1]["lungs"] == tint(row.reached[-1].value) > 0.8
    waiting = [m for m in early.marks if isinstance(m, Disc) and "later" in m.note.style]
    assert waiting and not any("later" in m.note.style for m in late.marks if isinstance(m, Disc))
    # one place to stop per organ, over both views
    focused = [m.note.data[0][1] for m in late.marks if isinstance(m, Stroke) and m.note.focus]
    assert len(focused) == len(set(focused)) > 10
    assert 'tabindex="0"' in page_svg(late, "map")


def test_map_data_hold_a_word_and_a_tint_for_every_day(rich_study: StudyResults) -> None:
    arms = list(arms_of(rich_study).values())
    data = json.loads(json.dumps(map_data(rich_study, arms, [0.0, 7.0, 14.0])))
    for arm in arms:
        for organ, entry in data["arms"][str(arm.index)].items():
            assert len(entry["tint"]) == len(entry["words"]) == 3, organ
    assert len(VIEWS) == 2


def test_words_of_a_share_tell_what_may_have_gone_unseen() -> None:
    row = course([0.0, 0.4, 0.8], [0.2, 0.8, 0.8])
    assert "none of 5" in reach_words(row, "Targeted", 0.0) and "may have been in 1 of 5" in reach_words(
        row, "Targeted", 0.0
    )
    assert "2 of 5" in reach_words(row, "Targeted", 9.0) and "may have been in 4 of 5" in reach_words(
        row, "Targeted", 9.0
    )
    assert "may" not in reach_words(row, "Targeted", 14.0)
    assert reach_words(row, "Targeted", -1.0).endswith("not looked at yet")
    assert row.final_day() == 14.0 and course([0.4, 0.4], [0.4, 0.4]).final_day() == 0.0


def test_route_counts_animals_and_keeps_each_arrival(rich_study: StudyResults) -> None:
    animals = [o for o in rich_study.outcomes if o.group == "targeted"]
    rows = arm_rows(animals, len(animals))
    lungs = next(row for row in rows if row.target == "lungs")
    assert lungs.source == "left flank" and lungs.count == "3 of 3" and lungs.weight == 1.0
    assert [(span.after_day, span.by_day) for span in lungs.spans] == [(0.0, 7.0)] * 3
    liver = next(row for row in rows if row.target == "liver")
    assert all("not sure" in span.words for span in liver.spans)
    assert "left flank to lungs in 3 of 3 by day 7" in route_label("Targeted", rows)
    assert arm_rows([o for o in rich_study.outcomes if o.group == "control"], 2) == []


def test_curves_of_cells_hold_limits_and_never_zero(rich_study: StudyResults) -> None:
    curves = [curve for own in burden_curves(rich_study).values() for curve in own]
    curves += [curve for own in lesion_curves(rich_study).values() for _, curve in own]
    assert curves and all(value > 0 for curve in curves for value in curve.values)
    control = burden_curves(rich_study)["control"]
    assert all(all(curve.limited) for curve in control)
    organs = list(lesion_curves(rich_study))
    assert "left flank, primary" in organs and "subcutis" not in organs and "spleen" not in organs


def test_onset_has_numbers_under_observation(rich_study: StudyResults) -> None:
    spread = arm_reach(rich_study, "targeted")["any"]
    assert [(spread.count(k), spread.observed[k]) for k in range(3)] == [(0, 3), (3, 3), (3, 3)]
    # an animal that left early is in no later share: two thirds of three, then one half of two
    first = rich_study.outcomes[0]
    assert first.endpoints is not None
    left = dataclasses.replace(first, endpoints=dataclasses.replace(first.endpoints, days=(0.0, 7.0)))
    shares = tuple(dataclasses.replace(share, value=v, low=0.0, high=1.0)
                   for share, v in zip(spread.row.reached, (0.0, 2 / 3, 0.5), strict=True))  # fmt: skip
    row = dataclasses.replace(spread.row, reached=shares, possible=(0.0, 2 / 3, 0.5))
    study = dataclasses.replace(rich_study, outcomes=(left, *rich_study.outcomes[1:]), reach=(row,))
    course = arm_reach(study, "targeted")["any"]
    assert [(course.count(k), course.observed[k]) for k in range(3)] == [(0, 3), (2, 3), (1, 2)]
    assert course.final_day() == 14.0
    assert onset_organs(rich_study)[:2] == ["any", "lungs"] and set(reached_organs(rich_study)) < set(organ_names())
    assert onset_figure(rich_study, list(arms_of(rich_study).values()), "tongue") is None


def test_calls_table_is_numeric_where_it_sorts_and_unsure_in_words(rich_study: StudyResults) -> None:
    table = calls_table(rich_study, arms_of(rich_study))
    assert table is not None
    assert len(table.rows) == sum(len(o.lesions) for o in rich_study.outcomes)
    for row in table.rows:
        organ, probability = row.cells[2].text, float(row.cells[3].copied)
        assert organ.startswith("not sure: ") == (probability < 0.8)
        assert row.muted == (row.cells[5].text in ("injection site", "circulating uptake"))
    assert all(len(row.cells) == len(table.columns) for row in table.rows)


def test_lasting_tables_give_intervals_and_n(rich_study: StudyResults) -> None:
    arms = arms_of(rich_study)
    per_animal, per_arm = lasting_table(rich_study, arms), arm_lasting_table(rich_study, arms)
    assert per_animal is not None and per_arm is not None
    assert len(per_animal.rows) == 8 and per_animal.rows[0].cells[2].text == "9.1 (6.2–13.0)"
    # controls have no primary, and so no row
    assert [row.cells[1].text for row in per_arm.rows] == ["3", "3"]
    table = reach_table(rich_study, arms)
    assert table is not None
    liver = [r for r in table.rows if r.cells[1].text == "liver" and r.cells[0].text == "Targeted dot"]
    assert [cell.text for cell in liver[-1].cells[2:5]] == ["14", "2", "3"]


def test_activities_of_injected_probes_have_a_table_of_their_own(small_study: StudyResults) -> None:
    arms = arms_of(small_study)
    assert activity_table(small_study, arms) is None
    outcome = small_study.outcomes[0]
    assert outcome.endpoints is not None
    flux = Estimate(2e6, 1e5, 1.8e6, 2.2e6, 0.95, "ph s-1", "sum")
    ratio, half = Estimate(3.0, 0.1, 2.8, 3.2, 0.95, "1", "ratio"), Estimate(1.5, 0.2, 1.1, 1.9, 0.95, "d", "fit")
    end = dataclasses.replace(
        outcome.endpoints, activities=(OrganActivity("liver", 1.0, flux, ratio), OrganActivity("lesion 2", 1.0, flux, ratio)),
        washout_half_life={"liver": half},
    )  # fmt: skip
    study = dataclasses.replace(
        small_study, outcomes=(dataclasses.replace(outcome, endpoints=end), *small_study.outcomes[1:])
    )
    table = activity_table(study, arms)
    assert table is not None and [row.cells[-1].text for row in table.rows] == ["1.5 (1.1–1.9)", "–"]
    assert 'id="activities"' in render_report(study)["report.html"].decode()


def test_headline_names_organs_days_intervals_controls_and_limits(rich_study: StudyResults) -> None:
    line = next(s for s in headline(rich_study, arms_of(rich_study)) if s.text.startswith("Targeted dot"))
    items = [item.replace("\u00a0", " ") for item in line.items]
    # Clopper and Pearson: 3 of 3 has the lower end 0.025 ** (1 / 3)
    low = 0.025 ** (1 / 3)
    assert f"lungs 3 of 3 by day 7 (95 % {low:.2f}–1.00)" in items
    assert f"in 3 of 3 animals by day 7 (95\u00a0% {low:.2f}–1.00); none of 2 in Unlabelled controls." in line.text
    assert re.search(r"limit on the last day was 2\.1\s×\s10⁵ labelled cells, median of the animals", line.rest)


def test_headline_names_the_organs_of_the_least_and_the_highest_limit(rich_study: StudyResults) -> None:
    cells = {"spleen": 900.0, "gut": 6.2e4, "subcutis": 40.0}

    def limited(end: Endpoints | None) -> Endpoints | None:
        if end is None:
            return None
        onsets = tuple(dataclasses.replace(o, limit_cells=cells.get(o.organ, math.nan)) for o in end.onsets)
        known = {onset.organ for onset in onsets}
        more = tuple(OrganOnset(organ, 0.0, 14.0, math.inf, cells[organ]) for organ in cells if organ not in known)
        return dataclasses.replace(end, onsets=onsets + more)

    outcomes = tuple(dataclasses.replace(o, endpoints=limited(o.endpoints)) for o in rich_study.outcomes)
    study = dataclasses.replace(rich_study, outcomes=outcomes)
    line = next(s for s in headline(study, arms_of(study)) if s.text.startswith("Targeted dot"))
    # what lies right under the skin is no organ
    assert "900 (spleen) to 6.2\u202f×\u202f10⁴ (gut) labelled cells" in line.rest and "subcutis" not in line.rest


@pytest.mark.parametrize(("text", "style"), [("lungs", "brief"), ("x" * 30, "words"), ("long " * 20, "prose")])
def test_words_get_a_column_wide_enough(text: str, style: str) -> None:
    columns = (Column("Organ"), Column("p", "number"))
    assert Table("t", "", columns, (Row((Cell(text), Cell("0.5"))),)).styles == (style, "number")


def test_reasons_stand_with_the_place_of_their_lesion(rich_study: StudyResults) -> None:
    calls, places = calls_table(rich_study, arms_of(rich_study)), places_table(rich_study, arms_of(rich_study))
    assert calls is not None and places is not None
    assert [row.cells[:2] for row in calls.rows] == [row.cells[:2] for row in places.rows]
    reasons = {"; ".join(lesion.reasons) for o in rich_study.outcomes for lesion in o.lesions}
    assert {row.cells[-1].text for row in places.rows} == reasons


@pytest.mark.parametrize("place", [0.02, 0.5, 0.98])
@pytest.mark.parametrize("kind", [DetectionKind.LESION, DetectionKind.INJECTION_SITE])
def test_names_stay_inside_the_picture_and_beside_their_outline(
    rich_study: StudyResults, place: float, kind: DetectionKind
) -> None:
    view = next(view for session in rich_study.sessions for view in session.views if view.detections)
    frame, pixel = Frame(0, 0, 200, 100), view.pixel_mm
    x = place * 100 * pixel
    ring = tuple((50 * pixel + 2 * pixel * math.sin(k), x + 2 * pixel * math.cos(k)) for k in range(6))
    spot = dataclasses.replace(view.detections[0], x_mm=x, y_mm=50 * pixel, outline_mm=ring)
    drawn = mark(spot, Identity("L3", kind, is_tumour(kind)), "", frame, pixel)
    assert drawn.label == ("L3" if is_tumour(kind) else "(L3)")
    # bold type is no wider than 0.68 of its height a letter; the still's type is 0.115 of the picture's width
    width = 0.68 * 11.5 * len(drawn.label)
    assert drawn.label_x >= 0 and drawn.label_x + width <= 100
    left, right = min(x for _, x in ring) / pixel + 0.5, max(x for _, x in ring) / pixel + 0.5
    assert drawn.label_x >= right or drawn.label_x + width <= left


def test_lesions_without_place_or_day_break_nothing(rich_study: StudyResults) -> None:
    nothing = Estimate.unknown(0.95, "mm", "none")

    def lost(lesion):  # type: ignore[no-untyped-def]
        return dataclasses.replace(
            lesion, position_mm=(nothing,) * 3, depth_mm=nothing, by_day=math.inf, organs={}, kinds={}, sightings=()
        )

    outcomes = tuple(
        dataclasses.replace(o, lesions=tuple(map(lost, o.lesions)), endpoints=None) for o in rich_study.outcomes
    )
    page = render_report(dataclasses.replace(rich_study, outcomes=outcomes, reach=()))["report.html"].decode()
    assert "not sure: liver" in page
    for text in re.findall(r'<script type="application/json"[^>]*>(.*?)</script>', page, re.DOTALL):
        assert json.loads(text, parse_constant=refused)
