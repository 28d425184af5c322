"""Tables as Prism wants them: a column per arm with animals as rows, and days as rows with animals side by side."""

import math
from collections.abc import Iterator
from typing import Any

from lampyris.core.comparison import Comparison
from lampyris.core.estimate import Estimate
from lampyris.core.study import AnimalOutcome, StudyResults

Columns = dict[str, list[Any]]


def prism_tables(results: StudyResults, /) -> dict[str, Columns]:
    """Column tables of every comparison, and grouped tables of flux and burden over days.

    A value below its limit is the limit, never zero, and a second column says so with 1.

    Parameters
    ----------
    results : StudyResults

    Returns
    -------
    dict of str to dict
        Per file stem the columns.
    """
    tables = {f"comparison-{k}": _columns_of(results, one) for k, one in enumerate(results.comparisons, start=1)}
    done = [outcome for outcome in results.outcomes if outcome.status == "done"]
    tables["total-flux-over-days"] = _over_days(results, [(one, list(_flux(one))) for one in done])
    tables["burden-over-days"] = _over_days(results, [(one, list(_burden(one))) for one in done])
    return tables


def _title(results: StudyResults, group: str) -> str:
    return results.groups.get(group, {}).get("title") or group


def _columns_of(results: StudyResults, comparison: Comparison) -> Columns:
    longest = max((len(group.values) for group in comparison.groups), default=0)
    columns: Columns = {}
    for group in comparison.groups:
        columns[_free(columns, _title(results, group.group))] = _filled(list(group.values), longest)
    for group in comparison.groups:
        above = group.above or (False,) * len(group.censored)
        below = [mark and not up for mark, up in zip(group.censored, above, strict=True)]
        for side, marks in (("below", below), ("above", above)):
            if any(marks):
                name = _free(columns, f"{_title(results, group.group)} {side} limit")
                columns[name] = _filled([int(one) for one in marks], longest)
    return columns


def _filled(values: list[Any], length: int) -> list[Any]:
    return [*values, *[None] * (length - len(values))]


def _free(columns: Columns, name: str) -> str:
    """The name, or with a number where two arms share a title."""
    return (
        name if name not in columns else next(f"{name} ({k})" for k in range(2, 1000) if f"{name} ({k})" not in columns)
    )


def _flux(outcome: AnimalOutcome) -> Iterator[tuple[float, Estimate, bool]]:
    yield from zip(outcome.days, outcome.total_flux, outcome.below_limit, strict=True)


def _burden(outcome: AnimalOutcome) -> Iterator[tuple[float, Estimate, bool]]:
    if outcome.endpoints is not None:
        found = outcome.endpoints
        yield from zip(found.days, found.burden, found.burden_below, strict=True)


def _over_days(
    results: StudyResults, animals: list[tuple[AnimalOutcome, list[tuple[float, Estimate, bool]]]]
) -> Columns:
    days = sorted({day for _, rows in animals for day, _, _ in rows})
    columns: Columns = {"day": days}
    limited: Columns = {}
    for outcome, rows in animals:
        # of two sessions on a day the first counts, as in the comparisons
        by_day = {day: (estimate.value, below) for day, estimate, below in reversed(rows)}
        name = _free(columns, f"{_title(results, outcome.group)}: {outcome.animal}")
        known = [by_day.get(day, (math.nan, None)) for day in days]
        columns[name] = [value for value, _ in known]
        limited[f"{name} below limit"] = [None if below is None else int(below) for _, below in known]
    return columns | limited
