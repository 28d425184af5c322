"""The page's parts about arms: comparisons, courses over days, onsets, relations, and the list of all tests."""

import dataclasses
import math
import re
from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from lampyris.core.analyses import DayMean, OverTime, Relation
from lampyris.core.comparison import Comparison
from lampyris.core.onset import OnsetResult
from lampyris.core.study import StudyResults
from lampyris.report.arms import Arm
from lampyris.report.comparisons.relation_figure import relation_scene
from lampyris.report.comparisons.tables import (
    course_table,
    family_table,
    group_table,
    onset_table,
    pair_table,
    relation_table,
    tests_table,
)
from lampyris.report.drawing.gallery import Gallery, side_by_side
from lampyris.report.drawing.scene import Scene
from lampyris.report.headline import comparison_text
from lampyris.report.numbers import p_text, unit_text
from lampyris.report.plots.forest import Effect, forest_plot
from lampyris.report.plots.frame import GroupStyle
from lampyris.report.plots.groups import groups_plot, power_unit
from lampyris.report.plots.longitudinal import Course, longitudinal_plot
from lampyris.report.plots.onset import onset_figure
from lampyris.report.sentences import reported

_LOG = "log10 "
# further organs stand in the table
MOST_ONSETS = 9
_NOT_SHOWN = re.compile(r"^No event in|^No \w+( \w+)? model|regression|^Each ratio compares")
_WIDE_MM, _FOREST_MM = 130.0, 180.0


def titles_of(arms: Mapping[str, Arm], /) -> dict[str, str]:
    """Titles of the arms for a figure; of two with one title the keys."""
    titles = [arm.title for arm in arms.values()]
    return {key: arm.title if titles.count(arm.title) == 1 else key for key, arm in arms.items()}


def colours_of(arms: Mapping[str, Arm], /) -> dict[str, str]:
    """The arms' colours by their titles."""
    titles = titles_of(arms)
    return {titles[key]: arm.colour for key, arm in arms.items()}


def titled(comparison: Comparison, arms: Mapping[str, Arm], /) -> Comparison:
    """A comparison whose arms bear their titles."""
    names = titles_of(arms)
    return dataclasses.replace(
        comparison,
        groups=tuple(dataclasses.replace(one, group=names[one.group]) for one in comparison.groups),
        pairs=tuple(dataclasses.replace(one, a=names[one.a], b=names[one.b]) for one in comparison.pairs),
    )


def _label(endpoint: str, unit: str) -> str:
    """What the numbers of an axis are; the endpoint itself stands above the figure."""
    shown = unit_text(power_unit(unit))
    if shown:
        return f"total lesion flux ({shown})" if "flux" in endpoint else shown
    return "share left" if "share" in endpoint else "ratio"


def comparison_scene(comparison: Comparison, arms: Mapping[str, Arm], /, *, footed: bool) -> Scene:
    """Every animal as a point per arm, with mean, interval and exact p of the pairs.

    Parameters
    ----------
    comparison : Comparison
        Logarithms are drawn as their powers.
    arms : mapping of str to Arm
        Colours and titles.
    footed : bool
        With the test below, for a file that stands alone.

    Returns
    -------
    Scene
    """
    powers = comparison.endpoint.startswith(_LOG)
    return groups_plot(
        titled(comparison, arms),
        powers=powers,
        title=_brief(comparison.endpoint)[:1].upper() + _brief(comparison.endpoint)[1:],
        label=_label(comparison.endpoint, comparison.unit) if powers else "",
        style=GroupStyle(colours=colours_of(arms), footed=footed),
    )


def comparison_parts(results: StudyResults, arms: dict[str, Arm], gallery: Gallery, /) -> list[dict[str, Any]]:
    """Each comparison with its figure, sentence, tables and notes."""
    parts = []
    for k, comparison in enumerate(results.comparisons, start=1):
        figure = None
        if any(math.isfinite(value) for group in comparison.groups for value in group.values):
            gallery.keep(f"comparison-{k}", comparison_scene(comparison, arms, footed=True))
            label = f"{comparison.endpoint}: every animal as a point, with mean and interval per arm"
            figure = gallery.show(comparison_scene(comparison, arms, footed=False), label)
        caption = f"{comparison.endpoint}: every test that was made"
        parts.append(
            {
                "figure": figure,
                "sentence": _compared(comparison),
                "design": comparison.design.sentence() if comparison.design is not None else "",
                "groups": group_table(comparison, arms, k),
                "pairs": pair_table(comparison, arms, k),
                "tests": tests_table(comparison.tests, f"tests-{k}", caption),
                "notes": comparison.notes,
            }
        )
    return parts


def _compared(comparison: Comparison) -> str:
    adjusted = ""
    if math.isfinite(comparison.p_adjusted):
        adjusted = f"; {p_text(comparison.p_adjusted)} adjusted ({comparison.adjustment})"
    return f"{comparison_text(comparison)}{adjusted}."


def effects_part(results: StudyResults, arms: dict[str, Arm], gallery: Gallery, /) -> Markup | None:
    """Differences of the arms on all endpoints as ratios, one below the other; None for fewer than two endpoints."""
    names = titles_of(arms)
    shown = [one for one in results.comparisons if one.endpoint.startswith(_LOG) and one.pairs]
    effects = []
    for comparison in shown:
        for pair in comparison.pairs:
            d = pair.difference
            if math.isfinite(d.value):
                ratio = dataclasses.replace(d, value=10**d.value, low=10**d.low, high=10**d.high, unit="1")
                name = f"{_brief(comparison.endpoint)}: {names[pair.a]} / {names[pair.b]}"
                effects.append(Effect(name, ratio, pair.p))
    if len(shown) < 2 or not effects:
        return None
    label = "ratio of geometric means, first arm to second"
    notes = ["p and intervals as each comparison's post hoc procedure gives them."]
    gallery.keep(
        "effects", forest_plot(effects, label=label, null=1.0, logarithmic=True, width_mm=_FOREST_MM, notes=notes)
    )
    scene = forest_plot(effects, label=label, null=1.0, logarithmic=True, width_mm=_FOREST_MM)
    return gallery.show(scene, "Ratios of the arms' geometric means on every endpoint, with intervals and p")


def _brief(endpoint: str) -> str:
    """An endpoint in few words."""
    name = endpoint.removeprefix(_LOG)
    for long, short in (
        ("total lesion flux on", "lesion flux,"),
        ("ratio of total lesion flux, ", "lesion flux, "),
        ("labelled cells outside the primary on", "cells outside the primary,"),
        ("share of the primary's first signal that is left in the last session", "primary's signal left"),
    ):
        name = name.replace(long, short)
    return name


def course_scene(course: OverTime, arms: Mapping[str, Arm], /, *, footed: bool) -> Scene:
    """Every animal's flux over days with the model's means, in the arms' colours, on a logarithmic axis."""
    names = titles_of(arms)
    courses = [
        Course(one.animal, names[one.group], one.days, tuple(10**v for v in one.values), one.below, one.animal)
        for one in course.courses
    ]
    means = [
        DayMean(
            names[one.group],
            one.day,
            one.n,
            dataclasses.replace(one.mean, value=10**one.mean.value, low=10**one.mean.low, high=10**one.mean.high),
        )
        for one in course.means
    ]
    return longitudinal_plot(
        courses,
        means,
        label=_label(course.endpoint, course.unit),
        day_label="days since inoculation",
        notes=[f"{reported(course.tests[0])}."] if course.tests else [],
        style=GroupStyle(_WIDE_MM, logarithmic=True, colours=colours_of(arms), footed=footed),
    )


def course_parts(results: StudyResults, arms: dict[str, Arm], gallery: Gallery, /) -> list[dict[str, Any]]:
    """Courses over days: figure, test, table of differences and notes; none without a fitted model."""
    parts = []
    for k, course in enumerate((one for one in results.analyses.over_time if one.tests), start=1):
        gallery.keep("curves" if k == 1 else f"curves-{k}", course_scene(course, arms, footed=True))
        label = f"{course.endpoint}: each animal over days, with the model's mean per arm"
        adjusted = (
            f"; adjusted over the endpoints {p_text(course.p_adjusted)}" if math.isfinite(course.p_adjusted) else ""
        )
        parts.append(
            {
                "figure": gallery.show(course_scene(course, arms, footed=False), label),
                "sentence": f"Do the arms' courses differ? {_sentence(reported(course.tests[0]))}{adjusted}.",
                "design": course.design.sentence(),
                "model": course.model,
                "table": course_table(course, arms, k),
                "tests": tests_table(course.tests, f"course-tests-{k}", f"{course.endpoint}: every test that was made"),
                "notes": course.notes,
            }
        )
    return parts


def _sentence(text: str) -> str:
    """Begun with a capital, and no number torn from its sign."""
    return (text[:1].upper() + text[1:]).replace(" = ", "\u00a0=\u00a0")


def unfitted_notes(results: StudyResults, /) -> list[str]:
    """Why a course over days has no model."""
    return [note for one in results.analyses.over_time if not one.tests for note in one.notes]


def _shown_onsets(results: StudyResults) -> list[OnsetResult]:
    """Any organ first, then those reached most often."""
    first, *organs = results.analyses.onsets
    organs.sort(key=lambda one: (-sum(arm.events for arm in one.arms), one.event))
    return [first, *organs][:MOST_ONSETS]


def onset_parts(results: StudyResults, arms: dict[str, Arm], gallery: Gallery, /) -> dict[str, Any] | None:
    """Onset curves with numbers at risk, and the table of their tests; None where none was analysed."""
    if not results.analyses.onsets:
        return None
    names = titles_of(arms)
    figures, scenes = [], []
    for one in _shown_onsets(results):
        colours = tuple(arms[arm.group].colour for arm in one.arms)
        own = tuple(dataclasses.replace(arm, group=names[arm.group]) for arm in one.arms)
        scene = onset_figure(dataclasses.replace(one, arms=own), colours=colours)
        scenes.append(scene)
        reached = ", ".join(f"{arm.group} {arm.events} of {arm.n}" for arm in own)
        figures.append(gallery.show(scene, f"{one.event}: share of animals without it over days; it came in {reached}"))
    gallery.keep("onset", side_by_side(scenes, columns=2))
    # regressions are not shown, and of organs without an event the table says in which arm
    notes = dict.fromkeys(note for one in results.analyses.onsets for note in one.notes if not _NOT_SHOWN.search(note))
    name = next((one.tests[0].name for one in results.analyses.onsets if one.tests), "")
    return {
        "figures": figures,
        "table": onset_table(results.analyses.onsets, arms),
        "test": name,
        "design": results.analyses.onsets[0].design.sentence(),
        "notes": list(notes),
    }


def relation_parts(results: StudyResults, arms: dict[str, Arm], gallery: Gallery, /) -> dict[str, Any] | None:
    """Relations: a figure for each that was tested, and the table of all; None where there are none."""
    related = results.analyses.relations
    if not related:
        return None
    asked = [one for one in related if one.tests[0].role == "primary"]
    scenes = [relation_scene(one, arms) for one in asked]
    gallery.keep("relations", side_by_side(scenes, columns=min(len(scenes), 3)))
    return {
        "figures": [gallery.show(scene, _relation_label(one)) for one, scene in zip(asked, scenes, strict=True)],
        "table": relation_table(related, arms),
        "notes": list(dict.fromkeys(note for one in asked for note in one.notes)),
    }


def _relation_label(one: Relation) -> str:
    return f"{one.name}: each animal as a point, r {one.r.value:.2f}, n = {len(one.animals)}"


def groups_context(results: StudyResults, arms: dict[str, Arm], gallery: Gallery, /) -> dict[str, Any]:
    """Everything that the template shows of comparisons and analyses.

    Parameters
    ----------
    results : StudyResults
        The study.
    arms : dict of str to Arm
        From `arms_of`.
    gallery : Gallery
        Takes the figures.

    Returns
    -------
    dict
        For the template.
    """
    return {
        "comparisons": comparison_parts(results, arms, gallery),
        "effects": effects_part(results, arms, gallery),
        "courses": course_parts(results, arms, gallery),
        "unfitted": unfitted_notes(results),
        "onset_courses": onset_parts(results, arms, gallery),
        "relations": relation_parts(results, arms, gallery),
        "family": family_table(results.analyses.family),
    }
