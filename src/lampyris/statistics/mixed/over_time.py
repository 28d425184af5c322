"""Groups compared over time by a mixed model: days as a factor where they are shared, as a straight line where not."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lampyris.core.design import Design, TestResult
from lampyris.core.finding import Finding, Place, Severity
from lampyris.statistics.mixed.compare import difference_row, fitted, lone_tests, model_notes, nested_term
from lampyris.statistics.mixed.fixed import Covariate, Factor, FixedPart, Variable, fixed_part
from lampyris.statistics.mixed.marginal import ADJUSTMENTS, adjusted_p, pairs_of
from lampyris.statistics.mixed.model import (
    MixedModel,
    fit_mixed_model,
    intraclass_correlations,
    random_term_tests,
)
from lampyris.statistics.mixed.profiles import profile_intervals
from lampyris.statistics.mixed.residuals import residual_checks, spread_ratio
from lampyris.statistics.mixed.results import (
    PLAIN,
    Change,
    CoefficientTest,
    ColumnNames,
    DayContrast,
    LongitudinalComparison,
    MarginalMean,
)
from lampyris.statistics.mixed.rows import Rows, checked_rows, refuse_rows, shared_labels
from lampyris.statistics.mixed.structure import RandomTerm, nested_labels

Array = NDArray[np.float64]

TIMES = ("auto", "factor", "covariate")
# a day is shared where this share of the subjects, and two of each group, were measured on it
SHARED = 0.5
# days beyond this number are a curve, not a list
MOST_DAYS = 15
# distinct days that a subject must have for a slope of its own
SLOPE_DAYS = 3
# places on a straight line at which marginal means are given
PLACES = 5


@dataclass(frozen=True, slots=True)
class Plan:
    """What was decided from the data.

    Parameters
    ----------
    time : str
        "factor" or "covariate".
    slope : bool
        Whether each subject has a slope in time.
    session : bool
        Whether each day of a subject has an effect of its own.
    regions : bool
        Whether regions are a fixed effect.
    notes : tuple of str
        The same in words.
    """

    time: str
    slope: bool
    session: bool
    regions: bool
    notes: tuple[str, ...]


def compare_over_time(
    values: ArrayLike,
    groups: Sequence[str],
    subjects: Sequence[str],
    days: ArrayLike,
    /,
    *,
    nested: Sequence[str] | None = None,
    control: str = "",
    time: str = "auto",
    adjust: str = "holm",
    names: ColumnNames = PLAIN,
    level: float = 0.95,
) -> LongitudinalComparison:
    """Compare groups over time, with the subject as unit.

    Fixed part: group x day (+ region, where all subjects have the same). Random part: subject (with a slope in time where
    subjects were seen on three days or more), subject:day where a day gave several values, subject:region where a region was
    seen on several days. Tests are Kenward and Roger's.

    Parameters
    ----------
    values : array_like, dims (row,)
        Numbers; rows with NaN are left out and counted.
    groups, subjects : sequence of str, dims (row,)
        Group and subject of each row.
    days : array_like, dims (row,)
        Days, as numbers.
    nested : sequence of str, dims (row,)
        Region or organ inside the subject; None where there is none.
    control : str
        Group that each other is compared with; all pairs where empty.
    time : str
        "factor": days one by one; "covariate": a straight line; "auto": a factor where days are shared.
    adjust : str
        "holm", "multivariate t" or "none", over all contrasts of groups on all days.
    names : ColumnNames
        How columns, unit and file are called.
    level : float
        Coverage of intervals.

    Returns
    -------
    LongitudinalComparison

    Raises
    ------
    InputError
        With every fault of the columns, one day only, or one value per subject.
    ValueError
        If an option is unknown.

    References
    ----------
    Kenward & Roger 1997, Biometrics 53:983, doi:10.2307/2533558; Holm 1979, Scand J Stat 6:65.

    Examples
    --------
    >>> found = compare_over_time(
    ...     [1.0, 1.5, 2.2, 1.2, 1.6, 2.1, 0.9, 2.5, 3.6, 1.3, 2.6, 4.2],
    ...     ["dye"] * 6 + ["dots"] * 6, [s for s in "ABCD" for _ in range(3)], [0, 7, 14] * 4,
    ... )
    >>> found.time, len(found.means), found.pairs[-1].day
    ('factor', 6, 14.0)
    """
    if time not in TIMES or adjust not in ADJUSTMENTS:
        raise ValueError(f"time is one of {TIMES}, adjust one of {ADJUSTMENTS}; got {time!r} and {adjust!r}")
    rows = checked_rows(values, groups, subjects, days, nested, names)
    _check_days(rows, control, names)
    model, plan = time_model(rows, time=time, names=names, level=level)
    notes = [*rows.missing_note(), *plan.notes, *model_notes(model, rows.groups)]
    tests = [model.term_test((names.group, names.day)), model.term_test((names.group,)), model.term_test((names.day,))]
    if plan.time == "covariate":
        bend = _bend(rows, plan, names)
        tests += [bend] if bend else []
        if bend and bend.p < 0.05:
            notes.append(f"A straight line in {names.day} does not describe the data (see the test of a bend).")
    else:
        ratio = spread_ratio(model, [float(d) for d in rows.days])
        if ratio > 3:
            notes.append(
                f"Residuals spread {ratio:.1f} times as widely on one {names.day} as on another; try the logarithm."
            )
    return LongitudinalComparison(
        endpoint=names.endpoint or names.value,
        unit=names.unit,
        design=_design(rows, names),
        time=plan.time,
        model=_words(model, names),
        tests=(*tests, *lone_tests(random_term_tests(rows.values, model)), *residual_checks(model)),
        means=_means(model, rows, plan, names),
        pairs=_pairs(model, rows, plan, control, adjust, names),
        changes=_changes(model, rows, adjust, names) if plan.time == "factor" else (),
        slopes=_slopes(model, rows, names) if plan.time == "covariate" else (),
        components=profile_intervals(model),
        icc=intraclass_correlations(model),
        traces=rows.traces(),
        notes=tuple(notes),
    )


def time_model(
    rows: Rows, /, *, time: str = "auto", names: ColumnNames = PLAIN, level: float = 0.95
) -> tuple[MixedModel, Plan]:
    """The model of `compare_over_time`, with what was decided about it.

    Parameters
    ----------
    rows : Rows
        Checked columns.
    time, names, level
        As there.

    Returns
    -------
    tuple of MixedModel and Plan
    """
    plan = _plan(rows, time, names)
    fixed = _fixed(rows, plan, names)
    return fitted(rows, fixed, _terms(rows, plan, names), names, level), plan


def _check_days(rows: Rows, control: str, names: ColumnNames) -> None:
    faults = []
    place = Place(names.file, None, names.day)
    if len(np.unique(rows.days)) < 2:
        seen = f"all values are of {names.day} {rows.days[0]:g}."
        faults.append(Finding("compare.one-day", Severity.ERROR, place, seen, "Compare the groups without days."))
    elif max(len(set(trace.days)) for trace in rows.traces()) < 2:
        seen = f"no {names.subject} was seen on two days."
        mend = f"Days are different {names.subject}s here: compare groups and days as two factors between subjects."
        faults.append(Finding("compare.no-repeat", Severity.ERROR, place, seen, mend))
    if control and control not in rows.levels:
        seen, mend = f"there is no group {control!r}.", f"Groups are: {', '.join(rows.levels)}."
        faults.append(Finding("compare.no-control", Severity.ERROR, Place(names.file, None, names.group), seen, mend))
    refuse_rows(faults, names)


def _plan(rows: Rows, time: str, names: ColumnNames) -> Plan:
    traces = rows.traces()
    days = sorted({day for trace in traces for day in trace.days})
    holders = {day: [trace for trace in traces if day in trace.days] for day in days}
    unshared = [
        day
        for day in days
        if len(holders[day]) < SHARED * len(traces)
        or any(sum(trace.group == level for trace in holders[day]) < 2 for level in rows.levels)
    ]
    notes = []
    if time == "auto":
        time = "covariate" if unshared or len(days) > MOST_DAYS else "factor"
        if unshared:
            notes.append(
                f"{len(unshared)} of {len(days)} days were not measured in all groups and half of the subjects, so "
                f"{names.day} is a straight line; groups are compared by their slopes."
            )
        elif time == "covariate":
            notes.append(f"There are {len(days)} days, so {names.day} is a straight line.")
        else:
            notes.append(f"{names.day} is a factor: each of {len(days)} days has a mean of its own in each group.")
    uneven = sum(len(trace.days) < len(days) for trace in traces)
    if uneven and time == "factor":
        notes.append(f"{uneven} of {len(traces)} subjects miss a {names.day}; what was seen of them is used.")
    slope = float(np.median([len(trace.days) for trace in traces])) >= SLOPE_DAYS
    cells = nested_labels(rows.subjects, [f"{day:g}" for day in rows.days])
    distinct = len(set(cells))
    session = len(set(rows.subjects)) < distinct and len(cells) > 1.2 * distinct
    return Plan(time, slope, session, bool(rows.nested) and shared_labels(rows), tuple(notes))


def _fixed(rows: Rows, plan: Plan, names: ColumnNames, *, bend: bool = False) -> FixedPart:
    group = Factor(names.group, rows.groups, rows.levels)
    terms = [(names.group,), (names.day,), (names.group, names.day)]
    variables: list[Variable] = [group, _day(rows, plan, names)]
    if plan.regions:
        variables.append(Factor(names.nested, rows.nested))
        terms.append((names.nested,))
    if bend:
        centre = float(rows.days.mean())
        variables.append(Covariate("bend", (rows.days - centre) ** 2))
        terms += [("bend",), (names.group, "bend")]
    return fixed_part(variables, terms)


def _day(rows: Rows, plan: Plan, names: ColumnNames) -> Variable:
    if plan.time == "covariate":
        return Covariate(names.day, rows.days)
    levels = tuple(_label(day) for day in np.unique(rows.days))
    return Factor(names.day, tuple(_label(day) for day in rows.days), levels)


def _label(day: float) -> str:
    return repr(float(day))


def _terms(rows: Rows, plan: Plan, names: ColumnNames) -> list[RandomTerm]:
    if plan.slope:
        terms = [RandomTerm(names.subject, rows.subjects, names.day, rows.days)]
    else:
        terms = [RandomTerm(names.subject, rows.subjects)]
    if plan.session:
        cells = nested_labels(rows.subjects, [_label(day) for day in rows.days])
        terms.append(RandomTerm(f"{names.subject}:{names.day}", cells))
    return terms + nested_term(rows, names)


def _bend(rows: Rows, plan: Plan, names: ColumnNames) -> TestResult | None:
    """Whether parabolas describe the data better than straight lines."""
    fixed = _fixed(rows, plan, names, bend=True)
    if len(np.unique(rows.days)) < 3 or len(fixed.kept) >= len(rows.values) - 2:
        return None
    model = fit_mixed_model(rows.values, fixed, _terms(rows, plan, names), unit=names.unit)
    columns = [k for k, place in enumerate(fixed.term_of) if "bend" in fixed.terms[place]]
    found = model.joint(np.eye(len(fixed.names))[columns])
    return TestResult(
        f"bend of {names.day} (Kenward-Roger F of parabolas)", "F", found.statistic, (found.df1, found.df2), found.p,
        "straight lines describe the means", "assumption",
    )  # fmt: skip


def _design(rows: Rows, names: ColumnNames) -> Design:
    return Design(
        names.experimental_unit, rows.levels, rows.n, rows=len(rows.values), within=(names.day,),
        nested=(names.nested,) if rows.nested else (), exclusions=rows.exclusions,
    )  # fmt: skip


def _words(model: MixedModel, names: ColumnNames) -> str:
    fixed = " + ".join(" x ".join(term) for term in model.fixed.terms if term)
    random = " + ".join(
        f"({'intercept and slope in ' + term.slope_name if term.slope is not None else 'intercept'} | {term.name})"
        for term in model.terms
    )
    return f"{names.value} = {fixed} + {random}, REML, Kenward-Roger"


def _places(rows: Rows, plan: Plan, group: str | None = None) -> list[float]:
    """Days at which means are given: all of a factor; of a line some, inside what the group (or all groups) was seen at."""
    every = np.unique(rows.days)
    if plan.time == "factor":
        return [float(day) for day in every]
    own = np.asarray(rows.groups, dtype=object)
    seen = [rows.days[own == level] for level in rows.levels if group in (None, level)]
    low, high = max(float(d.min()) for d in seen), min(float(d.max()) for d in seen)
    inside = [float(day) for day in every if low <= day <= high]
    if len(inside) <= PLACES:
        return inside
    return [float(day) for day in np.linspace(low, high, PLACES)]


def _at_day(day: float, plan: Plan) -> str | float:
    return _label(day) if plan.time == "factor" else day


def _means(model: MixedModel, rows: Rows, plan: Plan, names: ColumnNames) -> tuple[MarginalMean, ...]:
    traces = rows.traces()
    found = []
    for group, count in zip(rows.levels, rows.n, strict=True):
        for day in _places(rows, plan, group):
            n = sum(t.group == group and day in t.days for t in traces) if plan.time == "factor" else count
            row = model.fixed.row({names.group: group, names.day: _at_day(day, plan)})
            test = model.contrast(f"{group}, {names.day} {day:g}", row)
            found.append(MarginalMean(group, day, n, test.estimate, test.df))
    return tuple(found)


def _slopes(model: MixedModel, rows: Rows, names: ColumnNames) -> tuple[CoefficientTest, ...]:
    return tuple(
        model.contrast(f"slope of {group}", model.fixed.row({names.group: group}, slope=names.day))
        for group in rows.levels
    )


def _changes(model: MixedModel, rows: Rows, adjust: str, names: ColumnNames) -> tuple[Change, ...]:
    first, *later = (float(day) for day in np.unique(rows.days))
    cells = [(group, first, day) for group in rows.levels for day in later]
    lines = [difference_row(model.fixed, names.day, _label(b), _label(a), **{names.group: g}) for g, a, b in cells]
    return tuple(
        Change(*cell, test.estimate, test.statistic, test.df, test.p, p, method)
        for cell, (test, p, method) in zip(cells, _adjusted(model, lines, adjust), strict=True)
    )


def _pairs(
    model: MixedModel, rows: Rows, plan: Plan, control: str, adjust: str, names: ColumnNames
) -> tuple[DayContrast, ...]:
    pairs = pairs_of(rows.levels, control)
    fixed = model.fixed
    cells = [(a, b, day) for day in _places(rows, plan) for a, b in pairs]
    lines = [difference_row(fixed, names.group, a, b, **{names.day: _at_day(day, plan)}) for a, b, day in cells]
    family = _family(model, cells, lines, adjust)
    if plan.time == "factor":
        return family
    ends = [(a, b, math.nan) for a, b in pairs]
    tilts = [
        fixed.row({names.group: a}, slope=names.day) - fixed.row({names.group: b}, slope=names.day) for a, b, _ in ends
    ]
    return (*_family(model, ends, tilts, adjust), *family)


def _family(
    model: MixedModel, cells: Sequence[tuple[str, str, float]], lines: Sequence[Array], adjust: str
) -> tuple[DayContrast, ...]:
    return tuple(
        DayContrast(*cell, test.estimate, test.statistic, test.df, test.p, p, method)
        for cell, (test, p, method) in zip(cells, _adjusted(model, lines, adjust), strict=True)
    )


def _adjusted(model: MixedModel, lines: Sequence[Array], adjust: str) -> list[tuple[CoefficientTest, float, str]]:
    """Tests of a family of contrasts, each with adjusted p and how."""
    if not lines:
        return []
    tests = [model.contrast("", line) for line in lines]
    adjusted = adjusted_p(model, tests, np.array(lines), adjust)
    method = "not adjusted" if adjust == "none" or len(tests) == 1 else f"{adjust} over {len(tests)} contrasts"
    return [(test, float(p), method) for test, p in zip(tests, adjusted, strict=True)]
