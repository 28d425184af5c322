"""Assembles the comparison of a factorial or blocked design from a table's columns."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from lampyris.core.comparison import Comparison, GroupSummary, PairDifference
from lampyris.core.design import Design, Exclusion, TestResult
from lampyris.core.errors import InputError
from lampyris.core.estimate import Estimate
from lampyris.core.finding import Finding, Place, Severity
from lampyris.statistics.groups.answers import arms_of
from lampyris.statistics.groups.assumptions import MOST_RESIDUALS, levene, sd_ratio, shapiro_wilk
from lampyris.statistics.groups.factorial import FactorialAnova, FactorTerm, factorial_anova
from lampyris.statistics.groups.plan import ComparisonPlan, Source
from lampyris.statistics.groups.remarks import notes_of, warnings_of
from lampyris.statistics.groups.units import Units, listed, rows_of, units_of
from lampyris.statistics.intervals import t_interval

ROMAN = {2: "II", 3: "III"}


def compare_factorial(
    values: ArrayLike,
    factors: Mapping[str, Sequence[object]],
    subjects: Sequence[object] | None = None,
    /,
    *,
    blocks: Mapping[str, Sequence[object]] | None = None,
    ss_type: int = 3,
    source: Source = Source(),  # noqa: B008 - frozen
    plan: ComparisonPlan = ComparisonPlan(),  # noqa: B008 - frozen
) -> Comparison:
    """Compare the cells of one or two factors, with an additive block or without, the subject being the unit.

    Parameters
    ----------
    values : array_like, dims (row,)
        One per row; NaN where missing.
    factors : mapping of str to sequence, dims (row,)
        One factor, or two that may interact, by the name of the column.
    subjects : sequence, dims (row,), optional
        Experimental unit of each row; each is in one cell.
    blocks : mapping of str to sequence, dims (row,), optional
        One additive block by the name of its column, such as the cage or the day of imaging.
    ss_type : {2, 3}
        Type of the sums of squares.
    source : Source
        Name of the value's and the subject's column, unit, file and lines for messages.
    plan : ComparisonPlan
        What to do with several rows of a subject, level, experimental unit; its test and pairs do not apply.

    Returns
    -------
    Comparison
        Its groups are the cells; the tests begin with the factors and their interaction; pairs are the levels of the first
        factor at each level of the second, adjusted by Holm over all of them.

    Raises
    ------
    InputError
        If a subject has several rows and the plan does not average them, or is in several cells, if a cell is empty, a block
        cannot be told from a factor, or no degree of freedom is left; and on faults of the columns.
    ValueError
        If there are no factors, or more than two.

    Examples
    --------
    >>> factors = {"dose": ["0", "0", "1", "1"] * 2, "sex": ["f"] * 4 + ["m"] * 4}
    >>> found = compare_factorial([4.0, 5.0, 7.0, 8.0, 5.0, 4.0, 9.0, 12.0], factors, range(8))
    >>> found.test, round(found.p, 4), found.groups[0].group
    ('dose, two-way analysis of variance, type III', 0.0065, '0, f')
    """
    if not 1 <= len(factors) <= 2:
        raise ValueError(f"needs one or two factors, got {len(factors)}")
    crossed = _crossed(factors, source)
    cells = tuple(", ".join(names) for names in crossed)
    own = replace(source, group=" x ".join(factors))
    own_plan = replace(
        plan, control="", order=(), paired=False, nested="mean" if plan.nested == "mixed" else plan.nested
    )
    rows = rows_of(values, cells, subjects, source=own, plan=own_plan)
    units = units_of(rows, source=own, plan=own_plan)
    y = np.concatenate(units.values)
    unit_cells = [name for name, array in zip(units.groups, units.values, strict=True) for _ in array]
    levels = dict(zip(cells, crossed, strict=True))
    columns = {name: [levels[cell][k] for cell in unit_cells] for k, name in enumerate(factors)}
    block = _block(blocks, values, cells, subjects, units, own) if blocks else None
    try:
        found = factorial_anova(y, columns, block=block, ss_type=ss_type, unit=source.unit, level=plan.level)
    except ValueError as error:
        mend = "Leave the block or a factor out, or complete the design."
        place = Place(source.file, None, own.group)
        finding = Finding("compare.design", Severity.ERROR, place, f"{error}.", mend)
        raise InputError(
            f"{source.file + ': ' if source.file else ''}the design cannot be analysed", (finding,)
        ) from error
    return _assembled(found, units, bool(rows.subjects), tuple(factors), tuple(blocks or ()), own, own_plan)


def _crossed(factors: Mapping[str, Sequence[object]], source: Source) -> list[tuple[str, ...]]:
    columns = [tuple(str(cell).strip() for cell in column) for column in factors.values()]
    if len({len(column) for column in columns}) != 1:
        raise ValueError(f"factors need one length, got {[len(column) for column in columns]}")
    faults = []
    for name, column in zip(factors, columns, strict=True):
        empty = [k for k, cell in enumerate(column) if not cell]
        if empty:
            line = source.lines[empty[0]] if source.lines else empty[0] + 1
            place = Place(source.file, line, name)
            seen = f"the cell is empty ({len(empty)} such rows)."
            faults.append(Finding("compare.no-name", Severity.ERROR, place, seen, "Name it, or remove the row."))
        elif len(set(column)) < 2:
            seen = f"a factor needs two levels, and there is one: {column[0]!r}."
            place = Place(source.file, None, name)
            faults.append(
                Finding("compare.one-level", Severity.ERROR, place, seen, "Compare by the other factor alone.")
            )
    if faults:
        raise InputError(
            f"{source.file + ': ' if source.file else ''}cannot be compared: {len(faults)} fault{'s' if len(faults) > 1 else ''}",
            faults,
        )
    return list(zip(*columns, strict=True))


def _block(
    blocks: Mapping[str, Sequence[object]],
    values: ArrayLike,
    cells: Sequence[str],
    subjects: Sequence[object] | None,
    units: Units,
    source: Source,
) -> list[str]:
    """Block of every unit, in the order of the units."""
    if len(blocks) != 1:
        raise ValueError(f"needs one block, got {len(blocks)}")
    ((name, column),) = blocks.items()
    there = ~np.isnan(np.asarray(values, dtype=np.float64))
    kept = [k for k in range(len(cells)) if there[k]]
    if len(column) != len(cells):
        raise ValueError(f"the block needs {len(cells)} rows, got {len(column)}")
    if subjects is None:
        return [str(column[k]) for cell in units.groups for k in kept if cells[k] == cell]
    held: dict[tuple[str, str], set[str]] = {}
    for k in kept:
        held.setdefault((cells[k], str(subjects[k]).strip()), set()).add(str(column[k]).strip())
    several = [subject for (_, subject), own in held.items() if len(own) > 1]
    if several:
        seen = f"in more than one {name}: {listed(several)}."
        finding = Finding(
            "compare.block", Severity.ERROR, Place(source.file, None, name), seen,
            "A block holds whole subjects; a factor that changes within a subject, such as the day, needs a mixed model.",
        )  # fmt: skip
        raise InputError(f"{source.file + ': ' if source.file else ''}a subject is in several blocks", (finding,))
    return [
        next(iter(held[cell, subject]))
        for cell, names in zip(units.groups, units.names, strict=True)
        for subject in names
    ]


def _assembled(
    found: FactorialAnova,
    units: Units,
    named: bool,
    factors: tuple[str, ...],
    blocks: tuple[str, ...],
    source: Source,
    plan: ComparisonPlan,
) -> Comparison:
    way = {1: "one-way", 2: "two-way"}[len(factors)]
    kind = f"{way} analysis of variance" + (f", type {ROMAN[found.ss_type]}" if len(factors) > 1 or blocks else "")
    tests = tuple(_test(term, found, kind, factors, blocks) for term in found.terms)
    first = tests[0]
    arms = arms_of(units.groups, units.values)
    pairs = tuple(
        PairDifference(
            f"{one.a}, {one.within}" if one.within else one.a,
            f"{one.b}, {one.within}" if one.within else one.b,
            one.difference, one.p, "model means, Holm", one.statistic, one.df,
        )
        for one in found.simple_effects
    )  # fmt: skip
    held = "balanced" if found.balanced else "unbalanced"
    notes = (
        f"The design is {held}; sums of squares are of type {ROMAN[found.ss_type]}"
        + (f"; {blocks[0]} is an additive block." if blocks else "."),
        "The model takes the spread as equal in all cells.",
        *notes_of(units, named, plan),
    )
    effects = tuple(_partial(term, factors, blocks) for term in found.terms)
    return Comparison(
        source.value,
        source.unit,
        plan.experimental_unit,
        first.name,
        first.statistic,
        first.df[0],
        first.df[1],
        first.p,
        _cells(units, source, plan),
        pairs,
        "model means, Holm",
        notes,
        effects[0],
        _design(units, blocks, plan),
        (*tests, *_checks(found, units)),
        effects[1:],
        warnings=warnings_of(arms, units, source=source, plan=plan),
    )


def _term_name(term: FactorTerm, factors: tuple[str, ...], blocks: tuple[str, ...]) -> str:
    return blocks[0] if term.name == "block" and "block" not in factors and blocks else term.name


def _test(
    term: FactorTerm, found: FactorialAnova, kind: str, factors: tuple[str, ...], blocks: tuple[str, ...]
) -> TestResult:
    name = _term_name(term, factors, blocks)
    is_block = term.name == "block" and "block" not in factors
    null = f"{name} has no effect" if " x " not in name else "the effects of both factors add"
    df = (term.df, found.error_df)
    return TestResult(f"{name}, {kind}", "F", term.f, df, term.p, null, "beside" if is_block else "primary")


def _partial(term: FactorTerm, factors: tuple[str, ...], blocks: tuple[str, ...]) -> Estimate:
    name = _term_name(term, factors, blocks)
    return replace(term.omega_squared, method=f"partial omega squared of {name}, noncentral F interval")


def _cells(units: Units, source: Source, plan: ComparisonPlan) -> tuple[GroupSummary, ...]:
    return tuple(
        GroupSummary(
            name,
            array.size,
            tuple(map(float, array)),
            (False,) * array.size,
            t_interval(array, unit=source.unit, level=plan.level),
            float(array.std(ddof=1)) if array.size > 1 else math.nan,
            names,
        )
        for name, array, names in zip(units.groups, units.values, units.names, strict=True)
    )


def _design(units: Units, blocks: tuple[str, ...], plan: ComparisonPlan) -> Design:
    return Design(
        plan.experimental_unit,
        units.groups,
        tuple(array.size for array in units.values),
        rows=units.rows,
        nested=(plan.inside,) if units.averaged else (),
        covariates=blocks,
        exclusions=tuple(Exclusion(unit, group, "no value") for unit, group in units.without),
    )


def _checks(found: FactorialAnova, units: Units) -> tuple[TestResult, ...]:
    made = []
    arms = arms_of(units.groups, units.values)
    cells = [array for array in units.values if array.size > 1]
    if len(cells) == len(units.values):
        made.append(sd_ratio(arms.sds, arms.ns))
    if len(cells) >= 2 and any(np.ptp(array) > 0 for array in cells):
        made.append(levene(cells))
    if 3 <= found.residuals.size <= MOST_RESIDUALS:
        made.append(shapiro_wilk([found.residuals]))
    return tuple(made)
