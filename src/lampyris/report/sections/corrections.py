"""What a person corrected, with who, why and when, and what the analysis had found by itself beside it."""

import math
from collections import Counter
from collections.abc import Iterator
from typing import Any

from lampyris.core.comparison import Comparison
from lampyris.core.estimate import Estimate
from lampyris.core.flags import TUMOUR_KINDS
from lampyris.core.study import AnimalOutcome, Correction, StudyResults
from lampyris.report.arms import Arm
from lampyris.report.headline import Sentence, joined
from lampyris.report.levels import with_level
from lampyris.report.numbers import MISSING, number
from lampyris.report.tables import Cell, Column, Row, Table, day_cell, estimate_cell, text_cell

EXCLUDE_IMAGE, EXCLUDE_ANIMAL = "exclude image", "exclude animal"


def correction_sentences(results: StudyResults, /) -> list[Sentence]:
    """A line of the headline where anything was corrected by hand; else none."""
    if not results.corrections.outcomes:
        return []
    return [Sentence(_counts(results), target="corrections")]


def correction_context(results: StudyResults, arms: dict[str, Arm], /) -> dict[str, Any] | None:
    """What the section on corrections prints; None where nothing was corrected.

    Parameters
    ----------
    results : StudyResults
        The study.
    arms : dict of str to Arm
        From `arms_of`.

    Returns
    -------
    dict or None
        ``sentence``, and the tables ``rows``, ``animals`` and ``comparisons``.
    """
    if not results.corrections.outcomes:
        return None
    return {
        "sentence": _counts(results),
        "rows": _rows_table(results.corrections.rows),
        "animals": _animals_table(results, arms),
        "comparisons": _comparisons_table(results, arms),
    }


def _counts(results: StudyResults) -> str:
    rows = results.corrections.rows
    counts = Counter(row.action for row in rows if row.action not in (EXCLUDE_IMAGE, EXCLUDE_ANIMAL))
    animals = len(results.corrections.outcomes)
    parts = [f"{count} {action}" for action, count in counts.items()]
    authors = joined(sorted({row.author for row in rows}))
    text = f"Corrected by hand in {animals} of {len(results.outcomes)} animals"
    text += f" by {authors}" if authors else ""
    text += f": {joined(parts)}" if parts else ""
    images = len({(row.animal, row.target) for row in rows if row.action == EXCLUDE_IMAGE})
    gone = sum(row.action == EXCLUDE_ANIMAL for row in rows)
    left = [_plural(images, "image")] if images else []
    left += [_plural(gone, "animal")] if gone else []
    if left:
        text += f"{';' if parts else ':'} {joined(left)} left out"
    failed = [one.animal for one in results.outcomes if one.status == "failed" and _is_corrected(results, one.animal)]
    if failed:
        text += f"; the rows of {joined(failed)} could not be applied"
    return f"{text}."


def _is_corrected(results: StudyResults, animal: str) -> bool:
    return any(one.animal == animal for one in results.corrections.outcomes)


def _plural(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def _rows_table(rows: tuple[Correction, ...]) -> Table:
    heads = ("Animal", "Session", "View", "Action", "Of", "What changed", "Reason", "Author", "Time")
    cells = (
        (row.animal, row.session, row.view, row.action, row.target, row.change, row.reason, row.author, row.time)
        for row in rows
    )
    caption = "Every correction, as it was applied to the automatic result"
    return Table("corrections", caption, tuple(map(Column, heads)), tuple(Row(tuple(map(Cell, row))) for row in cells))


def _animals_table(results: StudyResults, arms: dict[str, Arm]) -> Table:
    """Every corrected animal, automatic and corrected side by side on each of its days."""
    final = {one.animal: one for one in results.outcomes}
    rows, fluxes = [], []
    for before in results.corrections.outcomes:
        after = final[before.animal]
        was, now = _by_day(before), _by_day(after)
        for day in sorted({*was, *now}):
            pair = (was.get(day), now.get(day))
            fluxes += [one[0] for one in pair if one]
            cells = (
                text_cell(before.animal),
                text_cell(arms[before.group].title),
                day_cell(day),
                *(cell for one in pair for cell in _day_cells(one)),
                text_cell("" if after.status == "done" else after.status),
            )
            rows.append(Row(cells, arms[before.group].index))
    columns = (
        Column("Animal"),
        Column("Arm"),
        Column("Day", "number"),
        Column(with_level("Automatic: total flux", fluxes), "estimate", fluxes[0].unit if fluxes else ""),
        Column("Automatic: lesions", "number"),
        Column(with_level("With corrections: total flux", fluxes), "estimate", fluxes[0].unit if fluxes else ""),
        Column("With corrections: lesions", "number"),
        Column("Status"),
    )
    caption = "Corrected animals day by day: total lesion flux (a limit where none is seen) and lesions seen"
    return Table("corrections-animals", caption, columns, tuple(rows))


def _by_day(outcome: AnimalOutcome) -> dict[float, tuple[Estimate, int]]:
    """Total flux and number of tumour lesions seen, by day."""
    seen = {
        day: sum(
            lesion.kind in TUMOUR_KINDS and any(one.day == day and one.seen for one in lesion.sightings)
            for lesion in outcome.lesions
        )
        for day in outcome.days
    }
    return {day: (flux, seen[day]) for day, flux in zip(outcome.days, outcome.total_flux, strict=True)}


def _day_cells(one: tuple[Estimate, int] | None) -> tuple[Cell, Cell]:
    if one is None:
        return text_cell(MISSING), text_cell(MISSING)
    return estimate_cell(one[0]), Cell(str(one[1]), str(one[1]))


def _comparisons_table(results: StudyResults, arms: dict[str, Arm]) -> Table:
    """Each arm's mean and each comparison's p, automatic and corrected."""
    automatic = {one.endpoint: one for one in results.corrections.comparisons}
    rows = []
    for now in results.comparisons:
        was = automatic.get(now.endpoint)
        rows += [Row(cells, arm) for cells, arm in _arm_cells(was, now, arms)]
    # days that the arms share may have changed, and the endpoint with them
    rows += [
        Row(cells, arm)
        for was in results.corrections.comparisons
        if was.endpoint not in {one.endpoint for one in results.comparisons}
        for cells, arm in _arm_cells(was, None, arms)
    ]
    columns = (
        Column("Endpoint"),
        Column("Arm"),
        Column("Automatic: mean", "estimate"),
        Column("Automatic: n", "number"),
        Column("Automatic: p", "number"),
        Column("With corrections: mean", "estimate"),
        Column("With corrections: n", "number"),
        Column("With corrections: p", "number"),
    )
    return Table("corrections-comparisons", "Comparisons, automatic and corrected", columns, tuple(rows))


def _arm_cells(
    was: Comparison | None, now: Comparison | None, arms: dict[str, Arm]
) -> Iterator[tuple[tuple[Cell, ...], int]]:
    either = now or was
    for group in either.groups if either is not None else ():
        cells = [text_cell(either.endpoint if either is not None else ""), text_cell(arms[group.group].title)]
        for comparison in (was, now):
            own = next((one for one in comparison.groups if one.group == group.group), None) if comparison else None
            p = comparison.p if comparison is not None else math.nan
            cells.append(estimate_cell(own.mean) if own else text_cell(MISSING))
            cells.append(Cell(str(own.n), str(own.n)) if own else text_cell(MISSING))
            cells.append(Cell(number(p), "" if math.isnan(p) else f"{p:.6g}"))
        yield tuple(cells), arms[group.group].index
