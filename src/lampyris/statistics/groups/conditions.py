"""Comparison of two conditions within the same experimental units."""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from lampyris.core.comparison import Comparison, GroupSummary, PairDifference
from lampyris.core.design import Design, Exclusion
from lampyris.core.errors import InputError
from lampyris.core.finding import Finding, Place, Severity
from lampyris.statistics.groups.answers import LEAST
from lampyris.statistics.groups.assumptions import MOST_RESIDUALS, shapiro_wilk
from lampyris.statistics.groups.paired import paired_t, rounded_differences, wilcoxon_signed_rank
from lampyris.statistics.groups.plan import ComparisonPlan, Source, plural
from lampyris.statistics.groups.remarks import FEW, notes_of
from lampyris.statistics.groups.samples import Floats
from lampyris.statistics.groups.units import Units, listed
from lampyris.statistics.intervals import t_interval


def compare_paired(units: Units, /, *, source: Source, plan: ComparisonPlan) -> Comparison:
    """Compare two conditions within units: paired t, or Wilcoxon's signed ranks where the plan asks for ranks.

    Parameters
    ----------
    units : Units
        Values of two groups with names; a unit seen under one condition only is left out and named.
    source : Source
        Names of the columns and unit of the values.
    plan : ComparisonPlan
        Test and level.

    Returns
    -------
    Comparison
        One pair; the design names the condition as a factor within the unit.

    Raises
    ------
    InputError
        If rows name no unit, or too few units are seen under both conditions.
    """
    if not any(units.names):
        seen = f"a paired comparison needs the {plan.experimental_unit} of each row, and no column names it."
        mend = "Name its column (--subject COLUMN)."
        raise _refused(Finding("compare.paired-subject", Severity.ERROR, _place(source), seen, mend), source)
    first, second = (
        dict(zip(names, values, strict=True)) for names, values in zip(units.names, units.values, strict=True)
    )
    both = tuple(name for name in first if name in second)
    values = [np.array([own[name] for name in both]) for own in (first, second)]
    _check(values[0], values[1], source, plan)
    a, b = units.groups
    paired = paired_t(*values, unit=source.unit, level=plan.level)
    ranks = wilcoxon_signed_rank(*values)
    by_rank = plan.test == "kruskal-wallis"
    test, beside = (ranks, paired.test) if by_rank else (paired.test, ranks)
    df = test.df[0] if test.df else math.nan
    pair = PairDifference(a, b, paired.difference, test.p, test.name, test.statistic, df, paired.effect_size)
    alone = [
        (name, group)
        for group, own, other in ((a, first, second), (b, second, first))
        for name in own
        if name not in other
    ]
    one_only = tuple(Exclusion(name, group, "seen under one condition only") for name, group in alone)
    return Comparison(
        source.value,
        source.unit,
        plan.experimental_unit,
        test.name,
        test.statistic,
        df,
        math.nan,
        test.p,
        tuple(_summary(group, both, own, source, plan) for group, own in zip(units.groups, values, strict=True)),
        (pair,),
        test.name,
        (*_alone_note(alone, plan), *notes_of(units, True, plan)),
        paired.effect_size,
        Design(
            plan.experimental_unit,
            units.groups,
            (len(both), len(both)),
            rows=units.rows,
            within=(source.group,),
            nested=(plan.inside,) if units.averaged else (),
            exclusions=(*one_only, *(Exclusion(unit, group, "no value") for unit, group in units.without)),
        ),
        (test, *_checks(rounded_differences(values[0], values[1])), replace(beside, role="beside")),
        warnings=_warnings(len(both), source, plan),
    )


def _check(first: Floats, second: Floats, source: Source, plan: ComparisonPlan) -> None:
    unit = plan.experimental_unit
    if first.size < LEAST:
        seen = f"{first.size} {plural(unit)} are seen under both conditions, and {LEAST} are the least."
        mend = f"Check that a {unit} has one name under both conditions."
        raise _refused(Finding("compare.paired-few", Severity.ERROR, _place(source), seen, mend), source)
    differences = rounded_differences(first, second)
    if np.ptp(differences) == 0:
        seen = f"all differences between the conditions are {differences[0]:g}: their spread is unknown."
        mend = "Check whether one column is a copy of the other, or values lie at a detection limit."
        raise _refused(Finding("compare.paired-spread", Severity.ERROR, _place(source), seen, mend), source)


def _place(source: Source) -> Place:
    return Place(source.file, None, source.subject)


def _refused(finding: Finding, source: Source) -> InputError:
    return InputError(f"{source.file + ': ' if source.file else ''}no paired comparison can be made", (finding,))


def _summary(group: str, names: tuple[str, ...], values: Floats, source: Source, plan: ComparisonPlan) -> GroupSummary:
    mean = t_interval(values, unit=source.unit, level=plan.level)
    held = tuple(map(float, values))
    return GroupSummary(group, len(held), held, (False,) * len(held), mean, float(values.std(ddof=1)), names)


def _checks(differences: Floats) -> tuple:
    if differences.size > MOST_RESIDUALS:
        return ()
    check = shapiro_wilk([differences])
    return (replace(check, name="Shapiro-Wilk of the differences", null="differences are normal"),)


def _alone_note(alone: Sequence[tuple[str, str]], plan: ComparisonPlan) -> tuple[str, ...]:
    if not alone:
        return ()
    named = listed([f"{name} ({group})" for name, group in alone])
    return (f"Seen under one condition only, and left out: {named}. A mixed model would use them.",)


def _warnings(count: int, source: Source, plan: ComparisonPlan) -> tuple[Finding, ...]:
    if count >= FEW:
        return ()
    seen = f"fewer than {FEW} {plural(plan.experimental_unit)} (a convention): {count} pairs."
    mend = "Show every pair, give the interval of the difference, and plan the number of units by the power wanted."
    return (Finding("compare.few-units", Severity.WARNING, Place(source.file, None, source.group), seen, mend),)
