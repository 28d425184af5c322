"""Assembles a comparison of groups from a table's columns: tests, pairs, effect sizes, checks and the design they stand on.

Nothing is decided here from the values: which test answers, the plan says beforehand; checks of assumptions inform.
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lampyris.core.comparison import Comparison, GroupSummary, PairDifference
from lampyris.core.design import Design, TestResult
from lampyris.statistics.groups.plan import ComparisonPlan, Source
from lampyris.statistics.groups.unequal import (
    games_howell,
    games_howell_from_summary,
    welch_anova,
    welch_anova_from_summary,
)
from lampyris.statistics.groups.units import Units, rows_of, units_of
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
    units = units_of(rows, source=source, plan=plan)
    arrays = units.values
    summaries = tuple(
        GroupSummary(
            name,
            array.size,
            tuple(map(float, array)),
            (False,) * array.size,
            t_interval(array, unit=source.unit, level=plan.level),
            _sd(array),
            named,
        )
        for name, array, named in zip(units.groups, arrays, units.names, strict=True)
    )
    test = welch_anova(arrays, level=plan.level)
    pairs = tuple(
        PairDifference(units.groups[p.a], units.groups[p.b], p.difference, p.p, "Games-Howell")
        for p in games_howell(arrays, unit=source.unit, level=plan.level)
    )
    tests = (TestResult(test.name, "F", test.statistic, (test.df1, test.df2), test.p, "all means are equal"),)
    return Comparison(
        source.value,
        source.unit,
        plan.experimental_unit,
        test.name,
        test.statistic,
        test.df1,
        test.df2,
        test.p,
        summaries,
        pairs,
        "Games-Howell",
        (),
        test.effect_size,
        _design(units, plan),
        tests,
    )


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
    names = tuple(str(group).strip() for group in groups)
    m, s, n = (np.asarray(column, dtype=np.float64) for column in (means, sds, ns))
    test = welch_anova_from_summary(m, s, n, level=plan.level)
    pairs = tuple(
        PairDifference(names[p.a], names[p.b], p.difference, p.p, "Games-Howell")
        for p in games_howell_from_summary(m, s, n, unit=source.unit, level=plan.level)
    )
    summaries = tuple(
        GroupSummary(
            name, int(k), (), (), t_interval_from_summary(a, b, int(k), unit=source.unit, level=plan.level), float(b)
        )
        for name, a, b, k in zip(names, m, s, n, strict=True)
    )
    return Comparison(
        source.value,
        source.unit,
        plan.experimental_unit,
        test.name,
        test.statistic,
        test.df1,
        test.df2,
        test.p,
        summaries,
        pairs,
        "Games-Howell",
        (),
        test.effect_size,
        Design(plan.experimental_unit, names, tuple(int(k) for k in n)),
        (TestResult(test.name, "F", test.statistic, (test.df1, test.df2), test.p, "all means are equal"),),
    )


def _sd(array: NDArray[np.float64]) -> float:
    return float(array.std(ddof=1)) if array.size > 1 else math.nan


def _design(units: Units, plan: ComparisonPlan) -> Design:
    return Design(plan.experimental_unit, units.groups, tuple(array.size for array in units.values), rows=units.rows)
