"""Tables of what was followed: calls of each lesion, organs reached per arm, how long signal lasts, probe in organs."""

import math
import statistics
from collections.abc import Iterator

from lampyris.core.estimate import Estimate
from lampyris.core.lesions import Endpoints, Lesion
from lampyris.core.study import AnimalOutcome, StudyResults
from lampyris.report.arms import Arm
from lampyris.report.identities import SURE, animals_done, is_lower_bound, is_tumour, ranked, share, short_name
from lampyris.report.levels import level_text, with_level
from lampyris.report.links import Link
from lampyris.report.numbers import median_range_text, number
from lampyris.report.spread.reach import arm_reach, organ_title
from lampyris.report.tables import (
    Cell,
    Column,
    Row,
    Table,
    day_cell,
    estimate_cell,
    integer_cell,
    number_cell,
    text_cell,
)


def _probability_cell(probability: float) -> Cell:
    return Cell(share(probability), f"{probability:.4g}" if math.isfinite(probability) else "")


def _day_cell(day: float) -> Cell:
    """A day that bounds an event; an open end is a dash."""
    return day_cell(day) if math.isfinite(day) else Cell("–")


def _sure(name: str, probability: float) -> Cell:
    """A call; one that is not sure says so before its name."""
    return text_cell(name if probability >= SURE else f"not sure: {name}")


def _last_seen(lesion: Lesion) -> Estimate:
    seen = [sighting.cells for sighting in lesion.sightings if sighting.seen]
    return seen[-1] if seen else Estimate.unknown(0.95, "1", "never seen")


def _call_row(outcome: AnimalOutcome, lesion: Lesion, arm: Arm) -> Row:
    second = next((item for item in ranked(lesion.organs) if item[0] != lesion.organ), None)
    runner_up = f"{second[0]} {share(second[1])}" if second and second[1] >= 0.01 else "–"
    organ, kind = lesion.organs.get(lesion.organ, math.nan), lesion.kinds.get(lesion.kind, math.nan)
    cells = (
        text_cell(outcome.animal),
        text_cell(short_name(lesion)),
        _sure(lesion.organ, organ),
        _probability_cell(organ),
        text_cell(runner_up),
        _sure(lesion.kind, kind),
        _probability_cell(kind),
        estimate_cell(_last_seen(lesion)),
        _day_cell(lesion.after_day),
        _day_cell(lesion.by_day),
        _day_cell(lesion.lost_by_day),
        _half_life_cell(lesion.half_life_days),
    )
    link = Link(outcome.animal, (lesion.number,))
    return Row(cells, arm.index, muted=not is_tumour(lesion.kind), link=link)


def _place_row(outcome: AnimalOutcome, lesion: Lesion, arm: Arm) -> Row:
    z, y, x = lesion.position_mm
    cells = (
        text_cell(outcome.animal),
        text_cell(short_name(lesion)),
        *(estimate_cell(value) for value in (lesion.depth_mm, y, x, z)),
        text_cell("; ".join(lesion.reasons)),
    )
    link = Link(outcome.animal, (lesion.number,))
    return Row(cells, arm.index, muted=not is_tumour(lesion.kind), link=link)


def _outcomes_by_arm(results: StudyResults, arms: dict[str, Arm]) -> Iterator[tuple[AnimalOutcome, Arm]]:
    """Outcomes in the order of the films: arm by arm."""
    return ((outcome, arm) for key, arm in arms.items() for outcome in results.outcomes if outcome.group == key)


def calls_table(results: StudyResults, arms: dict[str, Arm], /) -> Table | None:
    """Every lesion with its organ, kind, amount and days; None where nothing was followed.

    Parameters
    ----------
    results : StudyResults
        The study.
    arms : dict of str to Arm
        From `arms_of`.

    Returns
    -------
    Table or None
        Rows by arm, animal and number; kinds that are no tumour in grey.
    """
    found = [(outcome, lesion, arm) for outcome, arm in _outcomes_by_arm(results, arms) for lesion in outcome.lesions]
    if not found:
        return None
    columns = (
        Column("Animal"),
        Column("Lesion"),
        Column("Organ"),
        Column("p", "number"),
        Column("Runner-up"),
        Column("Kind"),
        Column("p", "number"),
        Column("Cells, last seen", "estimate"),
        Column("Not by day", "number"),
        Column("By day", "number"),
        Column("Gone by", "number"),
        Column("Half-life", "estimate", "days"),
    )
    level = level_text([value for _, lesion, _ in found for value in (_last_seen(lesion), lesion.half_life_days)])
    caption = f"Lesions of each animal: where, what and how much, with {level} intervals"
    return Table("calls", caption, columns, tuple(_call_row(*item) for item in found))


def places_table(results: StudyResults, arms: dict[str, Arm], /) -> Table | None:
    """Where each lesion lies in the nominal animal, and what spoke for its calls; None where nothing was followed."""
    found = [(outcome, lesion, arm) for outcome, arm in _outcomes_by_arm(results, arms) for lesion in outcome.lesions]
    if not found:
        return None
    columns = (
        Column("Animal"),
        Column("Lesion"),
        Column("Depth", "estimate", "mm"),
        Column("From the nose", "estimate", "mm"),
        Column("To the left", "estimate", "mm"),
        Column("Towards the back", "estimate", "mm"),
        Column("What spoke for it"),
    )
    level = level_text([value for _, lesion, _ in found for value in (lesion.depth_mm, *lesion.position_mm)])
    caption = f"Place of each lesion in the nominal animal, with {level} intervals, and what spoke for its calls"
    return Table("places", caption, columns, tuple(_place_row(*item) for item in found))


def reach_table(results: StudyResults, arms: dict[str, Arm], /) -> Table | None:
    """Animals reached per arm, organ and day with the exact interval; organs that no arm reached are named once."""
    rows, shares = [], []
    for key, arm in arms.items():
        for organ, course in arm_reach(results, key).items():
            row = course.row
            for k, day in enumerate(row.days):
                reached = row.reached[k]
                if k < len(row.days) - 1 and reached.value == 0:
                    # before anything was seen the last day's limit says it all
                    continue
                shares.append(reached)
                cells = (
                    text_cell(arm.title),
                    text_cell(organ_title(organ)),
                    day_cell(day),
                    integer_cell(course.count(k)),
                    integer_cell(course.observed[k]),
                    estimate_cell(reached),
                    number_cell(row.possible[k]),
                )
                rows.append(Row(cells, arm.index, muted=reached.value == 0))
    columns = (
        Column("Arm"),
        Column("Organ"),
        Column("By day", "number"),
        Column("Animals reached", "number"),
        Column("of those followed", "number"),
        Column(with_level("Share", shares), "estimate"),
        Column("Share possible, unseen included", "number"),
    )
    return Table("reach", "Organs reached by day", columns, tuple(rows)) if rows else None


def _lasting_row(outcome: AnimalOutcome, end: Endpoints, arm: Arm) -> Row:
    cells = (
        text_cell(outcome.animal),
        text_cell(arm.title),
        _half_life_cell(end.half_life_days),
        estimate_cell(end.persistence),
        _day_cell(end.first_spread[0]),
        _day_cell(end.first_spread[1]),
        integer_cell(end.sites[-1] if end.sites else 0),
        estimate_cell(end.farthest_mm),
        estimate_cell(end.burden_area),
    )
    return Row(cells, arm.index, link=Link(outcome.animal))


def lasting_table(results: StudyResults, arms: dict[str, Arm], /) -> Table | None:
    """Per animal: how long its primary's signal lasts, and what its spread amounts to; None where nothing was followed."""
    found = [(o, o.endpoints, arm) for o, arm in _outcomes_by_arm(results, arms) if o.endpoints is not None]
    if not found:
        return None
    ends = [end for _, end, _ in found]
    columns = (
        Column("Animal"),
        Column("Arm"),
        Column(
            with_level("Half-life of the primary's signal", [end.half_life_days for end in ends]), "estimate", "days"
        ),
        Column(with_level("Share left on the last day", [end.persistence for end in ends]), "estimate"),
        Column("No spread by day", "number"),
        Column("Spread by day", "number"),
        Column("Sites", "number"),
        Column(with_level("Farthest", [end.farthest_mm for end in ends]), "estimate", "mm"),
        Column(with_level("Area under the burden", [end.burden_area for end in ends]), "estimate", "cell days"),
    )
    caption = "Persistence and spread of each animal"
    return Table("lasting", caption, columns, tuple(_lasting_row(*item) for item in found))


def _half_life_cell(estimate: Estimate) -> Cell:
    """A half-life, or the least that it can be."""
    if is_lower_bound(estimate):
        return Cell(f"≥ {number(estimate.low)}", f"\t{estimate.low:.6g}\t")
    return estimate_cell(estimate)


def _middle(values: list[Estimate]) -> list[Cell]:
    known = [value.value for value in values if math.isfinite(value.value)]
    if not known:
        return [integer_cell(0), Cell("n/a")]
    copied = f"{statistics.median(known):.6g}\t{min(known):.6g}\t{max(known):.6g}"
    return [integer_cell(len(known)), Cell(median_range_text(known), copied)]


def arm_lasting_table(results: StudyResults, arms: dict[str, Arm], /) -> Table | None:
    """Per arm: median and range over animals of half-life and persistence; None where no animal has either."""
    rows = []
    for key, arm in arms.items():
        ends = [o.endpoints for o in animals_done(results, key) if o.endpoints is not None]
        known = [e for end in ends for e in (end.half_life_days, end.persistence) if math.isfinite(e.value)]
        if known:
            cells = [text_cell(arm.title), *_middle([end.half_life_days for end in ends])]
            rows.append(Row((*cells, *_middle([end.persistence for end in ends])), arm.index))
    columns = (
        Column("Arm"),
        Column("n", "number"),
        Column("Half-life, median (range)", "estimate", "days"),
        Column("n", "number"),
        Column("Share left on the last day, median (range)", "estimate"),
    )
    return (
        Table("lasting-arms", "How long the signal of the primary lasts, per arm", columns, tuple(rows))
        if rows
        else None
    )


def activity_table(results: StudyResults, arms: dict[str, Arm], /) -> Table | None:
    """Injected probe in organs and lesions over days with its washout; None where cells were labelled before."""
    rows, fluxes = [], []
    for outcome, arm in _outcomes_by_arm(results, arms):
        end = outcome.endpoints
        for activity in end.activities if end is not None else ():
            fluxes.append(activity.flux)
            half_life = end.washout_half_life.get(activity.organ) if end is not None else None
            cells = (
                text_cell(outcome.animal),
                text_cell(activity.organ),
                day_cell(activity.day),
                estimate_cell(activity.flux),
                estimate_cell(activity.ratio_to_background),
                _half_life_cell(half_life) if half_life is not None else Cell("–"),
            )
            rows.append(Row(cells, arm.index, link=Link(outcome.animal, (), activity.day)))
    columns = (
        Column("Animal"),
        Column("Organ or lesion"),
        Column("Day", "number"),
        Column(with_level("Flux", fluxes), "estimate", fluxes[0].unit if fluxes else ""),
        Column("Over the skin around it", "estimate"),
        Column("Washout half-life", "estimate", "days"),
    )
    return Table("activities", "Injected probe in organs and lesions", columns, tuple(rows)) if rows else None
