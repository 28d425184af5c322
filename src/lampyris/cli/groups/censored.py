"""Groups of which some values lie below the detection limit: censored, never zero and never the limit itself."""

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from lampyris.cli.groups.answers import Answer, interval_entry, of_comparison
from lampyris.cli.groups.columns import Asked
from lampyris.core.errors import InputError, UsageError
from lampyris.core.estimate import Estimate
from lampyris.report.levels import level_text
from lampyris.report.numbers import MISSING, number

if TYPE_CHECKING:
    from lampyris.statistics.censored import CensoredSummary


def censored_answer(question: Asked, limit: str, /) -> Answer:
    """Compare groups with values below a limit as what they are.

    Parameters
    ----------
    question : Asked
        With `below`.
    limit : str
        What the limit was said to be, for the notes.

    Returns
    -------
    Answer

    Raises
    ------
    UsageError
        If rows are to be averaged or modelled, or groups compared with one of them.
    InputError
        If a subject has several rows, groups are too small, or a likelihood cannot be found.
    """
    from lampyris.statistics.censored import as_comparison, compare_censored
    from lampyris.statistics.groups.units import group_faults, rows_of, units_of

    plan, source = question.plan, question.source
    if plan.nested != "refuse" or plan.control:
        raise UsageError(
            "values below a limit are compared one per subject and all pairs: no --average, --mixed, --control"
        )
    # the same refusals as of every comparison: several rows of one subject, a subject in two groups, one group
    rows = rows_of(question.values, question.groups, question.subjects, source=source, plan=plan)
    units = units_of(rows, source=source, plan=plan)
    held = [name for name, array in zip(units.groups, units.values, strict=True) if array.size]
    if len(held) < 2:
        faults = group_faults(held, source, replace(plan, order=()))
        raise InputError(f"{source.file}: values and limits stand in fewer than two groups", faults)
    there = np.isfinite(question.values)
    own = {
        name: [k for k, group in enumerate(question.groups) if group.strip() == name and there[k]]
        for name in units.groups
    }
    values = {name: question.values[places] for name, places in own.items() if places}
    below = {name: question.below[places] for name, places in own.items() if places}
    found = compare_censored(
        values, below, unit=source.unit, experimental_unit=plan.experimental_unit, level=plan.level
    )
    lost = sum(units.missing)
    notes = (
        f"{int(question.below.sum())} values lie below the limit ({limit}) and are taken as censored.",
        *((f"Rows without a value were left out: {lost}.",) if lost else ()),
        *found.notes,
    )
    comparison = replace(as_comparison(found, values, below, endpoint=source.value), notes=notes)
    answer = of_comparison(comparison, question, logarithmic=question.logarithmic)
    entries = [
        {**entry, "sd": one.sd.value, "below_limit": one.below, "median": interval_entry(one.median, "value")}
        for entry, one in zip(answer.document["groups"], found.groups, strict=True)
    ]
    tables = (("", _rows(found.groups)), *answer.tables[1:])
    return replace(answer, tables=tables, document={**answer.document, "groups": entries})


def _rows(groups: "tuple[CensoredSummary, ...]") -> list[tuple[str, ...]]:
    level = level_text([one.median for one in groups])
    head = ("group", "n", "below limit", f"mean ({level})", "SD", f"median ({level})")
    rows: list[tuple[str, ...]] = [head]
    rows += [
        (
            one.group,
            str(one.n),
            str(one.below),
            _bounded(one.mean),
            number(one.sd.value, digits=3),
            _bounded(one.median),
        )
        for one in groups
    ]
    return rows


def _bounded(one: Estimate) -> str:
    """An estimate that may have an upper end alone."""
    if math.isnan(one.value):
        return f"at most {number(one.high, digits=3)}" if math.isfinite(one.high) else MISSING
    return f"{number(one.value, digits=3)} ({number(one.low, digits=3)} to {number(one.high, digits=3)})"
