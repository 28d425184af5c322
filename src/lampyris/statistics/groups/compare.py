"""Assembles a comparison of groups from a table's columns: tests, pairs, effect sizes, checks and the design they stand on.

Nothing is decided here from the values: which test answers, the plan says beforehand; checks of assumptions inform.
"""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from lampyris.core.comparison import Comparison, GroupSummary, PairDifference
from lampyris.core.design import Design, Exclusion
from lampyris.core.errors import InputError, UsageError
from lampyris.core.finding import Finding, Place, Severity
from lampyris.statistics.groups.answers import (
    Arms,
    answers,
    arms_of,
    checks,
    further_effects,
    letters_of,
    pair_differences,
)
from lampyris.statistics.groups.assumptions import MOST_RESIDUALS
from lampyris.statistics.groups.conditions import compare_paired
from lampyris.statistics.groups.plan import ComparisonPlan, Source
from lampyris.statistics.groups.remarks import left_out, notes_of, warnings_of
from lampyris.statistics.groups.units import LARGEST, Rows, Units, group_faults, rows_of, units_of
from lampyris.statistics.intervals import t_interval, t_interval_from_summary


def compare_groups(
    values: ArrayLike,
    groups: Sequence[object],
    subjects: Sequence[object] | None = None,
    /,
    *,
    source: Source = Source(),  # noqa: B008 - frozen
    plan: ComparisonPlan = ComparisonPlan(),  # noqa: B008 - frozen
) -> Comparison:
    """Compare groups on one column of a table, the subject being the experimental unit.

    Parameters
    ----------
    values : array_like, dims (row,)
        One per row; NaN where missing.
    groups : sequence, dims (row,)
        Group of each row.
    subjects : sequence, dims (row,), optional
        Experimental unit of each row; without it every row is taken as one, and the notes say so.
    source : Source
        Names of the columns, unit of the values, file and lines for messages.
    plan : ComparisonPlan
        Test, pairs, control, what to do with several rows of a subject.

    Returns
    -------
    Comparison
        With design, tests, pairs, effect sizes, warnings and notes.

    Raises
    ------
    InputError
        If a subject has several rows in one group and the plan does not say what to do with them, if a subject is in two
        groups without a paired plan, and on faults of the columns (`rows_of`).
    """
    rows = rows_of(values, groups, subjects, source=source, plan=plan)
    if plan.nested == "mixed":
        return _mixed(rows, source, plan)
    units = units_of(rows, source=source, plan=plan)
    if plan.paired:
        return compare_paired(units, source=source, plan=plan)
    arms = arms_of(units.groups, units.values)
    notes = notes_of(units, bool(rows.subjects), plan)
    return _assembled(arms, units, notes, source, plan)


def compare_summary(
    groups: Sequence[object],
    means: ArrayLike,
    sds: ArrayLike,
    ns: ArrayLike,
    /,
    *,
    source: Source = Source(),  # noqa: B008 - frozen
    plan: ComparisonPlan = ComparisonPlan(),  # noqa: B008 - frozen
) -> Comparison:
    """Compare groups from a printed table of mean, standard deviation and n.

    Parameters
    ----------
    groups : sequence, dims (group,)
        Names.
    means, sds, ns : array_like, dims (group,)
        Mean, standard deviation (divisor n - 1, no standard error) and number of experimental units.
    source : Source
        Names of the columns for messages.
    plan : ComparisonPlan
        Test, pairs and control; what needs the values (ranks, nested rows, paired) is refused.

    Returns
    -------
    Comparison
        As `compare_groups` of the values behind the table, without what needs them.

    Raises
    ------
    InputError
        If a row of the table cannot be used; every one is named.
    """
    arms = _printed(groups, means, sds, ns, source, plan)
    notes = ("From mean, standard deviation and n: ranks and outliers cannot be seen.",)
    return _assembled(arms, None, notes, source, plan)


def _assembled(
    arms: Arms, units: Units | None, notes: tuple[str, ...], source: Source, plan: ComparisonPlan
) -> Comparison:
    made = answers(arms, level=plan.level)
    pairs = pair_differences(arms, plan, unit=source.unit)
    primary = made.get(plan.test)
    barred = left_out(arms, spread=plan.test == "welch")
    if barred:
        notes = (f"Left out of the test: {'; '.join(barred)}.", *notes)
    if primary is None:
        notes = ("No test was made: fewer than two groups have enough units with values that differ.", *notes)
    elif plan.control and not pairs:
        notes = (f"No pairs were made: the control {plan.control} cannot be compared.", *notes)
    if arms.arrays and sum(array.size for array in arms.arrays) > MOST_RESIDUALS:
        notes = (
            *notes,
            f"More than {MOST_RESIDUALS} values: no test of normal residuals was made, any departure would be found.",
        )
    test = primary.test if primary else None
    df = (*(test.df if test else ()), math.nan, math.nan)
    beside = tuple(replace(one.test, role="beside") for name, one in made.items() if name != plan.test)
    return Comparison(
        source.value,
        source.unit,
        plan.experimental_unit,
        test.name if test else "",
        test.statistic if test else math.nan,
        df[0],
        df[1],
        test.p if test else math.nan,
        _summaries(arms, units, pairs, source, plan),
        pairs,
        pairs[0].method if pairs else "",
        notes,
        primary.effect if primary else None,
        _design(arms, units, plan),
        (*((test,) if test else ()), *checks(arms), *beside),
        further_effects(arms, made, plan.test, level=plan.level),
        warnings=warnings_of(arms, units, source=source, plan=plan),
    )


def _summaries(
    arms: Arms, units: Units | None, pairs: tuple[PairDifference, ...], source: Source, plan: ComparisonPlan
) -> tuple[GroupSummary, ...]:
    letters = {} if plan.control else letters_of(arms, pairs, 1 - plan.level)
    summaries = []
    for k, name in enumerate(arms.names):
        n, sd = int(arms.ns[k]), float(arms.sds[k])
        values = tuple(map(float, arms.arrays[k])) if arms.arrays else ()
        mean = (
            t_interval(values, unit=source.unit, level=plan.level)
            if arms.arrays
            else t_interval_from_summary(float(arms.means[k]), sd, n, unit=source.unit, level=plan.level)
        )
        names = units.names[k] if units else ()
        summaries.append(GroupSummary(name, n, values, (False,) * len(values), mean, sd, names, letters.get(name, "")))
    return tuple(summaries)


def _design(arms: Arms, units: Units | None, plan: ComparisonPlan) -> Design:
    n = tuple(int(one) for one in arms.ns)
    if units is None:
        return Design(plan.experimental_unit, arms.names, n)
    return Design(
        plan.experimental_unit,
        arms.names,
        n,
        rows=units.rows,
        nested=(plan.inside,) if units.averaged else (),
        exclusions=tuple(Exclusion(unit, group, "no value") for unit, group in units.without),
    )


def _mixed(rows: Rows, source: Source, plan: ComparisonPlan) -> Comparison:
    from lampyris.statistics.mixed import ColumnNames, mixed_comparison  # needed here only, and slow to import

    if not rows.subjects:
        raise UsageError(f"a mixed model needs the {plan.experimental_unit} of each row: name its column (--subject)")
    # refuses a subject in two groups
    units = units_of(rows, source=source, plan=replace(plan, nested="mean"))
    # the model shows groups as they come
    place = {name: k for k, name in enumerate(rows.order)}
    order = sorted(range(len(rows.groups)), key=lambda k: place[rows.groups[k]])
    names = ColumnNames(
        value=source.value,
        group=source.group,
        subject=source.subject,
        nested=plan.inside,
        unit=source.unit,
        experimental_unit=plan.experimental_unit,
        file=source.file,
        lines=tuple(rows.lines[k] for k in order) if rows.lines else (),
    )
    found = mixed_comparison(
        rows.values[order],
        [rows.groups[k] for k in order],
        [rows.subjects[k] for k in order],
        control=plan.control,
        names=names,
        level=plan.level,
    ).comparison
    return replace(found, notes=(*found.notes, *notes_of(replace(units, averaged=0), True, plan)))


def _printed(
    groups: Sequence[object], means: ArrayLike, sds: ArrayLike, ns: ArrayLike, source: Source, plan: ComparisonPlan
) -> Arms:
    """Rows of a printed table, checked."""
    needs = {"kruskal-wallis": plan.test, "dunn": plan.post_hoc, "mean": plan.nested, "mixed": plan.nested}
    asked = [word for word, chosen in needs.items() if word == chosen] + (["paired"] if plan.paired else [])
    if asked:
        raise UsageError(f"{' and '.join(asked)} cannot be made from mean, SD and n: give the values")
    names = tuple(str(group).strip() for group in groups)
    m, s, n = (np.asarray(column, dtype=np.float64) for column in (means, sds, ns))
    if not m.shape == s.shape == n.shape == (len(names),):
        raise ValueError(f"columns need one length, got {len(names)}, {m.shape}, {s.shape}, {n.shape}")
    faults = [fault for k in range(len(names)) for fault in _row_faults(k, names, m[k], s[k], n[k], source)]
    faults += group_faults(list(dict.fromkeys(names)), source, plan)
    if faults:
        table = f"{source.file}: " if source.file else ""
        raise InputError(f"{table}cannot be compared: {len(faults)} fault{'s' if len(faults) > 1 else ''}", faults)
    order = (*plan.order, *(name for name in names if name not in plan.order))
    return Arms(names, m, np.where(n > 1, s, math.nan), n).those([names.index(name) for name in order])


def _row_faults(k: int, names: tuple[str, ...], m: float, s: float, n: float, source: Source) -> list[Finding]:
    where = {"mean": m, "SD": s, "n": n}
    faults = []

    def fault(column: str, seen: str, mend: str) -> None:
        line = source.lines[k] if source.lines else k + 1
        place = Place(source.file, line, column)
        faults.append(Finding("compare.summary", Severity.ERROR, place, f"group {names[k]!r}: {seen}", mend))

    if not names[k]:
        fault(source.group, "it has no name.", "Name the group.")
    if names[k] in names[:k]:
        fault(source.group, "it stands twice.", "Give one row per group.")
    if not (math.isfinite(n) and n >= 1 and n == int(n)):
        fault("n", f"n is a whole number of experimental units, got {n:g}.", "Write the number of units.")
    for name in ("mean",) if n == 1 else ("mean", "SD"):
        if not math.isfinite(where[name]):
            fault(name, f"{name} is missing or no finite number.", f"Write its {name}.")
    if max(abs(m), abs(s)) > LARGEST:
        fault("mean", f"{m:g} with SD {s:g} is beyond what can be squared.", "Correct it, or give another unit.")
    if s < 0:
        fault(
            "SD",
            f"a standard deviation is not negative, got {s:g}.",
            "Write the SD; from a standard error, SE x sqrt(n).",
        )
    return faults
