"""The tables of what was followed over days: lesions, sightings, onsets, burden, route, activities, reach."""

import math
from collections.abc import Callable, Iterator
from typing import Any

from lampyris.core.estimate import Estimate
from lampyris.core.images import FLUX_UNIT
from lampyris.core.lesions import (
    Endpoints,
    Lesion,
    OrganActivity,
    OrganOnset,
    Passage,
    Sighting,
)
from lampyris.core.study import AnimalOutcome, StudyResults
from lampyris.study.tables.columns import Cell, Table, columns, estimate_cells

CELLS_UNIT = "labelled-cell equivalents at injection"


def spread_tables(results: StudyResults, /) -> dict[str, Table]:
    """Lay out what was followed over days, with the columns and units of `lampyris.study.tables.study.study_tables`."""
    return {
        "lesions": columns(_per_animal(results, lambda one: one.lesions, _lesion), _sample(_lesion(_SOURCE))),
        "sightings": columns(
            _per_animal(results, _sightings, lambda pair: _sighting(*pair)), _sample(_sighting(_SOURCE, _SEEN))
        ),
        "endpoints": columns(_per_animal(results, _endpoints, _summary), _sample(_summary(_NOTHING))),
        "onsets": columns(_per_animal(results, _of_spread("onsets"), _onset), _sample(_onset(_ONSET))),
        "burden": columns(_burdens(results), _sample(_burden("", 0.0, _UNKNOWN, False, _UNKNOWN, 0))),
        "route": columns(_per_animal(results, _of_spread("route"), _passage), _sample(_passage(_PASSAGE))),
        "activities": columns(_per_animal(results, _of_spread("activities"), _activity), _sample(_activity(_ACTIVITY))),
        "washout": columns(
            _per_animal(results, _washouts, lambda pair: _washout(*pair)), _sample(_washout("", _UNKNOWN))
        ),
        "reach": columns(_reached(results), _reach("", "", 0, 0.0, _UNKNOWN, 0.0)),
    }


def _sample(cells: list[Cell]) -> list[Cell]:
    return [*_who("", ""), *cells]


def _who(animal: str, group: str) -> list[Cell]:
    return [("animal", "", animal), ("group", "", group)]


def _per_animal(
    results: StudyResults, entries: Callable[[AnimalOutcome], Any], describe: Callable[[Any], list[Cell]]
) -> Iterator[list[Cell]]:
    for outcome in results.outcomes:
        for entry in entries(outcome):
            yield [*_who(outcome.animal, outcome.group), *describe(entry)]


def _of_spread(name: str) -> Callable[[AnimalOutcome], Any]:
    return lambda outcome: () if outcome.endpoints is None else getattr(outcome.endpoints, name)


def _endpoints(outcome: AnimalOutcome) -> tuple[Endpoints, ...]:
    return () if outcome.endpoints is None else (outcome.endpoints,)


def _sightings(outcome: AnimalOutcome) -> list[tuple[Lesion, Sighting]]:
    return [(lesion, sighting) for lesion in outcome.lesions for sighting in lesion.sightings]


def _washouts(outcome: AnimalOutcome) -> list[tuple[str, Estimate]]:
    return [] if outcome.endpoints is None else sorted(outcome.endpoints.washout_half_life.items())


def _interval(after_day: float, by_day: float) -> list[Cell]:
    return [("after_day", "d", after_day), ("by_day", "d", by_day)]


def _lesion(lesion: Lesion) -> list[Cell]:
    z_mm, y_mm, x_mm = lesion.position_mm
    # the next likely by probability, then by name
    others = sorted((-value, name) for name, value in lesion.organs.items() if name != lesion.organ)
    second, probability = (others[0][1], -others[0][0]) if others else ("", math.nan)
    return [
        ("lesion", "", lesion.number),
        ("kind", "", str(lesion.kind)),
        ("kind_probability", "1", lesion.kinds.get(lesion.kind, math.nan)),
        ("organ", "", lesion.organ),
        ("organ_probability", "1", lesion.organs.get(lesion.organ, math.nan)),
        ("second_organ", "", second),
        ("second_organ_probability", "1", probability),
        *estimate_cells("z_mm", "mm", z_mm),
        *estimate_cells("y_mm", "mm", y_mm),
        *estimate_cells("x_mm", "mm", x_mm),
        *estimate_cells("depth_mm", "mm", lesion.depth_mm),
        *_interval(lesion.after_day, lesion.by_day),
        ("last_day", "d", lesion.last_day),
        ("lost_by_day", "d", lesion.lost_by_day),
        *estimate_cells("half_life_days", "d", lesion.half_life_days),
        ("split_from", "", lesion.split_from or None),
        ("merged_into", "", lesion.merged_into or None),
        ("reasons", "", "; ".join(lesion.reasons)),
    ]


def _sighting(lesion: Lesion, sighting: Sighting) -> list[Cell]:
    return [
        ("lesion", "", lesion.number),
        ("kind", "", str(lesion.kind)),
        ("organ", "", lesion.organ),
        ("session", "", sighting.session),
        ("day", "d", sighting.day),
        ("seen", "", sighting.seen),
        *estimate_cells("flux", FLUX_UNIT, sighting.flux),
        *estimate_cells("cells", CELLS_UNIT, sighting.cells),
        ("detections", "", ", ".join(f"{view} {number}" for view, number in sighting.detections)),
        ("shared_with", "", ", ".join(str(number) for number in sighting.shared_with)),
        *estimate_cells("current_cells", "cells under the growth prior given", sighting.current_cells),
    ]


def _summary(found: Endpoints) -> list[Cell]:
    after_day, by_day = found.first_spread
    return [
        *_interval(after_day, by_day),
        ("sites", "1", found.sites[-1] if found.sites else 0),
        *estimate_cells("farthest_mm", "mm", found.farthest_mm),
        *estimate_cells("burden_area", "labelled-cell equivalent days", found.burden_area),
        *estimate_cells("half_life_days", "d", found.half_life_days),
        *estimate_cells("persistence", "1", found.persistence),
    ]


def _onset(onset: OrganOnset) -> list[Cell]:
    return [
        ("organ", "", onset.organ),
        ("probability", "1", onset.probability),
        *_interval(onset.after_day, onset.by_day),
        ("limit_cells", CELLS_UNIT, onset.limit_cells),
    ]


def _burdens(results: StudyResults) -> Iterator[list[Cell]]:
    names: dict[str, list[str]] = {}
    for session in sorted(results.sessions, key=lambda one: (one.day, one.session)):
        names.setdefault(session.animal, []).append(session.session)
    for outcome in results.outcomes:
        found = outcome.endpoints
        if found is not None:
            rows = zip(
                names[outcome.animal],
                found.days,
                found.burden,
                found.burden_below,
                found.primary,
                found.sites,
                strict=True,
            )
            for row in rows:
                yield [*_who(outcome.animal, outcome.group), *_burden(*row)]


def _burden(session: str, day: float, burden: Estimate, below: bool, primary: Estimate, sites: int) -> list[Cell]:
    return [
        ("session", "", session),
        ("day", "d", day),
        *estimate_cells("burden", CELLS_UNIT, burden),
        ("burden_below", "", below),
        *estimate_cells("primary", CELLS_UNIT, primary),
        ("sites", "1", sites),
    ]


def _passage(passage: Passage) -> list[Cell]:
    return [
        ("source", "", passage.source),
        ("target", "", passage.target),
        ("lesion", "", passage.lesion),
        ("probability", "1", passage.probability),
        *_interval(passage.after_day, passage.by_day),
        *estimate_cells("distance_mm", "mm", passage.distance_mm),
    ]


def _activity(activity: OrganActivity) -> list[Cell]:
    return [
        ("organ", "", activity.organ),
        ("day", "d", activity.day),
        *estimate_cells("flux", FLUX_UNIT, activity.flux),
        *estimate_cells("ratio_to_background", "1", activity.ratio_to_background),
    ]


def _washout(organ: str, half_life: Estimate) -> list[Cell]:
    return [("organ", "", organ), *estimate_cells("half_life_days", "d", half_life)]


def _reached(results: StudyResults) -> Iterator[list[Cell]]:
    for one in results.reach:
        for day, reached, possible in zip(one.days, one.reached, one.possible, strict=True):
            yield _reach(one.group, one.organ, one.n, day, reached, possible)


def _reach(group: str, organ: str, n: int, day: float, reached: Estimate, possible: float) -> list[Cell]:
    return [
        ("group", "", group),
        ("organ", "", organ),
        ("n", "", n),
        ("day", "d", day),
        *estimate_cells("reached", "1", reached),
        ("possible", "1", possible),
    ]


# one of each, to know the columns of a table without rows
_NAN = math.nan
_UNKNOWN = Estimate.unknown(0.95, "1", "")
_SEEN = Sighting("", _NAN, False, (), _UNKNOWN, _UNKNOWN)
_SOURCE = Lesion(
    number=0,
    kind="",
    kinds={},
    reasons=(),
    organ="",
    organs={},
    position_mm=(_UNKNOWN, _UNKNOWN, _UNKNOWN),
    depth_mm=_UNKNOWN,
    sightings=(),
    after_day=_NAN,
    by_day=_NAN,
    last_day=_NAN,
    lost_by_day=_NAN,
    half_life_days=_UNKNOWN,
    split_from=1,
    merged_into=1,
)
_ONSET = OrganOnset("", _NAN, _NAN, _NAN, _NAN)
_PASSAGE = Passage("", "", 0, _NAN, _NAN, _NAN, _UNKNOWN)
_ACTIVITY = OrganActivity("", _NAN, _UNKNOWN, _UNKNOWN)
_NOTHING = Endpoints(
    days=(),
    onsets=(),
    burden=(),
    burden_below=(),
    primary=(),
    sites=(),
    burden_area=_UNKNOWN,
    half_life_days=_UNKNOWN,
    persistence=_UNKNOWN,
    first_spread=(_NAN, _NAN),
    farthest_mm=_UNKNOWN,
    route=(),
    activities=(),
    washout_half_life={},
)
