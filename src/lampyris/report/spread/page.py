"""The page's parts about what was followed over days; every part is empty where nothing was followed."""

import math
from typing import Any

from markupsafe import Markup

from lampyris.core.estimate import Estimate
from lampyris.core.study import StudyResults
from lampyris.report.arms import Arm
from lampyris.report.curves import AnimalCurve, arm_means, burden_curves, lesion_curves
from lampyris.report.drawing.gallery import Gallery, side_by_side
from lampyris.report.figures import curves_figure
from lampyris.report.identities import CELLS_UNIT, animals_done, followed
from lampyris.report.levels import interval_level, level_text
from lampyris.report.numbers import day_text, unit_text
from lampyris.report.spread import tables
from lampyris.report.spread.bodymap import legend_scene, map_data, map_scene
from lampyris.report.spread.figures import (
    MOST_ORGANS,
    lasting_figure,
    onset_figure,
    onset_label,
    onset_organs,
    organ_curves_figure,
    reach_figure,
)
from lampyris.report.spread.reach import ANY, arm_reach, reach_words
from lampyris.report.spread.route import animal_route, arm_route, arm_rows, route_label

_BURDEN = "labelled cells outside the primary"


def _columns(count: int) -> int:
    return 2 if count in (2, 4) else min(3, count)


def map_part(results: StudyResults, arms: list[Arm], gallery: Gallery, /) -> dict[str, Any] | None:
    """The body map of every arm with its slider's data; None where nothing was followed.

    Parameters
    ----------
    results : StudyResults
        The study.
    arms : list of Arm
        Those with animals.
    gallery : Gallery
        Takes the figure.

    Returns
    -------
    dict or None
        For the template.
    """
    shown = [
        arm for arm in arms if arm_reach(results, arm.key) or any(o.lesions for o in animals_done(results, arm.key))
    ]
    days = sorted({day for outcome in results.outcomes for day in outcome.days})
    if not shown or not days or not (followed(results) or results.reach):
        return None
    last = days[-1]
    gallery.keep("body-map", side_by_side([map_scene(results, arm, last) for arm in shown], columns=4))
    maps = []
    for arm in shown:
        course = arm_reach(results, arm.key).get(ANY)
        label = f"{arm.title}: mouse from the back and from the belly, organs tinted by the share of animals reached"
        scene = map_scene(results, arm, last, later=True)
        words = reach_words(course, arm.title, last) if course is not None else ""
        maps.append({"arm": arm, "figure": gallery.show(scene, label, style="figure map"), "any": words})
    return {
        "maps": maps,
        "days": days,
        "last": day_text(last),
        "legend": gallery.show(legend_scene(), "Tints for the share of animals reached, and marks of lesions"),
        "data": map_data(results, shown, days),
    }


def reach_part(results: StudyResults, arms: list[Arm], gallery: Gallery, /) -> list[Markup]:
    """Organs reached by day, for paper and for readers without scripts: what the body map's slider shows on the screen."""
    scenes = [(arm, reach_figure(results, arm)) for arm in arms]
    return [
        gallery.show(scene, f"{arm.title}: animals in which each organ was reached, by day")
        for arm, scene in scenes
        if scene is not None
    ]


def route_part(results: StudyResults, arms: list[Arm], gallery: Gallery, /) -> list[Markup]:
    """Route of spread of every arm that has one."""
    figures, scenes = [], []
    for arm in arms:
        scene = arm_route(results, arm)
        if scene is not None:
            animals = animals_done(results, arm.key)
            scenes.append(scene)
            figures.append(gallery.show(scene, route_label(arm.title, arm_rows(animals, len(animals)))))
    if scenes:
        gallery.keep("route", side_by_side(scenes, columns=1))
    return figures


def animal_routes(results: StudyResults, arms: dict[str, Arm], gallery: Gallery, /) -> dict[str, Markup]:
    """Small route of each animal that has one."""
    figures = {}
    for outcome in results.outcomes:
        scene = animal_route(outcome, arms[outcome.group])
        if scene is not None:
            figures[outcome.animal] = gallery.show(scene, f"{outcome.animal}: route of spread, lesion by lesion")
    return figures


def cell_part(results: StudyResults, arms: dict[str, Arm], gallery: Gallery, /) -> dict[str, Any]:
    """Curves of labelled-cell equivalents: per arm outside the primary, and per organ lesion by lesion."""
    burden = burden_curves(results)
    means = arm_means(burden, "1", level=interval_level(results))
    shown = [arm for arm in arms.values() if arm.key in burden]
    panels = [curves_figure(arm, burden, means, CELLS_UNIT, label=_BURDEN) for arm in shown]
    organs = lesion_curves(results)
    every: list[AnimalCurve] = [curve for own in organs.values() for _, curve in own]
    named = list(organs)[:MOST_ORGANS]
    lesions = [organ_curves_figure(organ, [(arms[g], c) for g, c in organs[organ]], every) for organ in named]
    if panels:
        gallery.keep("cells-burden", side_by_side(panels, columns=_columns(len(panels))))
    if lesions:
        gallery.keep("cells-organs", side_by_side(lesions, columns=_columns(len(lesions))))
    label = "labelled-cell equivalents outside the primary of each animal over days, with the arm's geometric mean"
    return {
        "burden": [gallery.show(scene, f"{arm.title}: {label}") for arm, scene in zip(shown, panels, strict=True)],
        "burden_level": level_text(day.estimate for days in means.values() for day in days),
        "organs": [
            gallery.show(scene, f"{organ}: labelled-cell equivalents of each lesion over days")
            for organ, scene in zip(named, lesions, strict=True)
        ],
        "organs_left_out": len(organs) - len(named),
    }


def onset_part(results: StudyResults, arms: list[Arm], gallery: Gallery, /) -> list[Markup]:
    """Onset curves of any organ and of those reached most often."""
    figures, scenes = [], []
    for organ in onset_organs(results):
        scene = onset_figure(results, arms, organ)
        if scene is not None:
            scenes.append(scene)
            figures.append(gallery.show(scene, onset_label(results, arms, organ)))
    if scenes:
        gallery.keep("onset", side_by_side(scenes, columns=2))
    return figures


def lasting_part(results: StudyResults, arms: dict[str, Arm], gallery: Gallery, /) -> dict[str, Any] | None:
    """How long signal lasts: figures per animal, and tables; None where nothing was followed."""
    table = tables.lasting_table(results, arms)
    if table is None:
        return None
    figures = []
    for name, title, values, logarithmic in _lasting_values(results):
        scene = lasting_figure(results, list(arms.values()), title, values, logarithmic=logarithmic)
        if scene is not None:
            gallery.keep(name, scene)
            figures.append(gallery.show(scene, f"{title}: a value per animal with its interval"))
    return {"figures": figures, "table": table, "arms": tables.arm_lasting_table(results, arms)}


def _lasting_values(results: StudyResults) -> list[tuple[str, str, dict[str, Estimate], bool]]:
    ends = {o.animal: o.endpoints for o in results.outcomes if o.endpoints is not None}
    half_lives = {animal: end.half_life_days for animal, end in ends.items()}
    units = {value.unit for value in half_lives.values() if math.isfinite(value.value)}
    unit = f" ({unit_text(min(units))})" if units else ""
    return [
        ("half-life", f"half-life of the primary's signal{unit}", half_lives, True),
        ("persistence", "share of the primary's first signal left", {a: e.persistence for a, e in ends.items()}, False),
    ]


def spread_context(results: StudyResults, arms: dict[str, Arm], gallery: Gallery, /) -> dict[str, Any]:
    """Everything that the template shows of what was followed.

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
    with_animals = [arm for arm in arms.values() if animals_done(results, arm.key)]
    return {
        "body_map": map_part(results, with_animals, gallery),
        "reached_by_day": reach_part(results, with_animals, gallery),
        "routes": route_part(results, with_animals, gallery),
        "animal_routes": animal_routes(results, arms, gallery),
        "reach_table": tables.reach_table(results, arms),
        "calls": tables.calls_table(results, arms),
        "places": tables.places_table(results, arms),
        "activities": tables.activity_table(results, arms),
        "cells": cell_part(results, arms, gallery),
        # with an analysis of the onsets its curves stand in their place
        "onsets": [] if results.analyses.onsets else onset_part(results, with_animals, gallery),
        "lasting": lasting_part(results, arms, gallery),
    }
