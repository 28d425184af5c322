"""From the options of a comparison to the columns of its table: values, groups, subjects and what else was named."""

import argparse
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lampyris.cli.tables import rows_where, table_read
from lampyris.core.errors import InputError, UsageError
from lampyris.core.finding import Finding, Place, Severity
from lampyris.io.data_tables import DataTable, long_form
from lampyris.io.data_tables.table import NUMBER
from lampyris.statistics.groups import ComparisonPlan, Source

_POST_HOC = {"tukey": "tukey-kramer"}
_TESTS = {"tukey": "anova", "dunn": "kruskal-wallis"}
_MEANS = ("mean", "average", "avg", "means")
_SDS = ("sd", "s.d.", "stdev", "std", "std dev", "std. dev.", "std.dev.", "standard deviation", "stddev")
_SEMS = ("sem", "s.e.m.", "se", "s.e.", "std error", "std. error", "standard error", "stderr")
_NS = ("n", "count", "number", "size", "animals", "replicates")

_DATE = re.compile(r"\d{4}-\d\d-\d\d( .*)?", re.ASCII)
_DAY = re.compile(
    r"(?P<word>d|day|week|w|dpi|t)[ _-]?(?P<day>\d+(\.\d+)?)|(?P<after>\d+(\.\d+)?)[ _-]?(?P<unit>d|days?|weeks?|w|dpi|h)",
    re.IGNORECASE | re.ASCII,
)


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """What a comparison is made of.

    Parameters
    ----------
    table : DataTable
        Rows that are compared.
    values : ndarray, dims (row,)
        Of the endpoint, as logarithms where asked for.
    groups : tuple of str
        Group per row.
    subjects : tuple of str or None
        Experimental unit per row; None where the table names none.
    source : Source
    plan : ComparisonPlan
    notes : tuple of str
        What was found, left out or converted while reading.
    logarithmic : bool
        Whether values are log10.
    below : ndarray, dims (row,), bool
        Whether a value is a limit that the true one lies below.
    unit : str
        Unit of the values as they stand in the table.
    warnings : tuple of Finding
        Names that look as if they were mistyped or rewritten.
    """

    table: DataTable
    values: NDArray[np.float64]
    groups: tuple[str, ...]
    subjects: tuple[str, ...] | None
    source: Source
    plan: ComparisonPlan
    notes: tuple[str, ...]
    logarithmic: bool
    below: NDArray[np.bool_]
    unit: str
    warnings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class AskedSummary:
    """A printed table of mean, standard deviation and n.

    Parameters
    ----------
    groups : tuple of str
    means, sds, ns : ndarray, dims (group,)
    source : Source
    plan : ComparisonPlan
    notes : tuple of str
    warnings : tuple of Finding
        Names that look as if they were mistyped or rewritten.
    """

    groups: tuple[str, ...]
    means: NDArray[np.float64]
    sds: NDArray[np.float64]
    ns: NDArray[np.float64]
    source: Source
    plan: ComparisonPlan
    notes: tuple[str, ...]
    warnings: tuple[Finding, ...] = ()

    @property
    def unit(self) -> str:
        """Unit of the means."""
        return self.source.unit


def table_asked(options: argparse.Namespace, /) -> DataTable:
    """The table that the options name: read, turned long where it is wide, and filtered.

    Raises
    ------
    InputError
        If it cannot be read, or no row is left.
    """
    table = table_read(options.table, options)
    if options.wide or options.columns or (table.wide and not options.value and not options.group):
        # where the columns are days the group stands in a column of its own
        days = bool(options.within) and options.within not in table.columns and options.group in table.columns
        keep = [name for name in (options.subject, options.within, options.block, options.two_way) if name]
        keep = [options.group, *(name for name in keep if name != options.within)] if days else keep
        conditions = [condition.partition("!=" if "!=" in condition else "=")[0] for condition in options.where]
        keep = list(dict.fromkeys([*keep, *(name for name in conditions if name in table.columns)]))
        table = long_form(
            table,
            columns=_listed(options.columns) or (_day_columns(table) if days else ()),
            keep=keep,
            group=options.within if days else options.group or "group",
            value=options.value or "value",
        )
        options.group, options.value = options.group or "group", options.value or "value"
    for condition in options.where:
        table = rows_where(table, condition)
    return table


def asked(options: argparse.Namespace, /) -> Asked:
    """Columns of a comparison.

    Parameters
    ----------
    options : Namespace
        As `lampyris.cli.groups.verbs` parses them.

    Returns
    -------
    Asked

    Raises
    ------
    UsageError
        If no column is named.
    InputError
        If a column is missing, or holds what it may not.
    """
    table = table_asked(options)
    _refuse_unnamed(table, options)
    groups = table.words(options.group)
    subjects = table.words(options.subject) if options.subject else None
    notes = list(table.notes)
    if options.paired and subjects is None:
        if not _was_wide(table):
            raise UsageError("--paired needs --subject: the column that says which values belong together")
        subjects = tuple(f"row {line}" for line in table.lines)
        notes.append("values of one row belong together (--paired without --subject)")
    if options.limit:
        values, below = _limited(table, options.value, options.limit)
    else:
        values, below = table.numbers(options.value), np.zeros(len(table), np.bool_)
    if options.log:
        values = _logarithms(table, options.value, values)
    unit = "log10" if options.log else options.unit
    name = f"log10 {options.value}" if options.log else options.value
    source = Source(name, options.group, options.subject, unit, table.file, table.lines)
    plan = plan_asked(options)
    return Asked(
        table,
        values,
        groups,
        subjects,
        source,
        plan,
        tuple(notes),
        options.log,
        below,
        options.unit,
        _doubts(table, options),
    )


def plan_asked(options: argparse.Namespace, /) -> ComparisonPlan:
    """The plan that the options state before values are seen."""
    nested = "mean" if options.average or options.nested == "mean" else "refuse"
    nested = "mixed" if options.mixed or options.nested == "mixed" else nested
    inside = options.nested if options.nested not in ("", "mean", "mixed") else "row"
    chosen = options.post_hoc or ""
    unit = options.unit_of_replication or _unit_of(options.subject)
    return ComparisonPlan(
        test=options.test or _TESTS.get(chosen, "welch"),  # type: ignore[arg-type]
        pairs=_POST_HOC.get(chosen, chosen),  # type: ignore[arg-type]
        control=options.control,
        nested=nested,  # type: ignore[arg-type]
        paired=options.paired,
        level=options.level,
        experimental_unit=unit,
        order=_listed(options.order),
        inside=inside,
    )


def asked_summary(options: argparse.Namespace, /) -> AskedSummary:
    """Mean, standard deviation and n of a printed table, by name or found.

    Raises
    ------
    InputError
        If a column is not found, or holds what it may not; a standard error is never taken for a standard deviation.
    """
    table = table_asked(options)
    notes = list(table.notes)
    mean = _found(table, options.mean, _MEANS, "--mean", "the means")
    n = _found(table, options.n, _NS, "--n", "the numbers of units")
    sem = options.sem
    sd = "" if sem else _spread(table, options.sd)
    group = options.group or next((name for name in table.columns if not table.is_numeric(name)), "")
    if not group:
        raise table.refusal("compare.no-groups", None, "", "no column names the groups.", "Say --group COLUMN.")
    means, ns, spread = table.numbers(mean), table.numbers(n), table.numbers(sem or sd)
    sds = spread
    if sem:
        sds = spread * np.sqrt(ns)
        notes.append(f"standard deviations were computed from the standard errors in {sem!r}: SD = SEM x sqrt(n)")
    if options.log:
        raise UsageError("--log needs the values: a logarithm of a mean is no mean of logarithms")
    # "mean" says nothing of what was measured
    name = options.value or ("value" if mean.strip().casefold() in _MEANS else mean)
    source = Source(name, group, n, options.unit, table.file, table.lines)
    return AskedSummary(table.words(group), means, sds, ns, source, plan_asked(options), tuple(notes))


def days_of(table: DataTable, name: str, /) -> NDArray[np.float64]:
    """Days as numbers; "d07", "day 7" and "7dpi" are read too.

    Raises
    ------
    InputError
        If a cell is no day, or empty.
    """
    cells = table.words(name)
    found = [_DAY.fullmatch(cell) for cell in cells]
    words = {(match["word"] or match["unit"]).casefold() for match in found if match}
    if all(found) and len(words) == 1:
        return np.array([float(match["day"] or match["after"]) for match in found if match])
    days = table.numbers(name)
    empty = [table.lines[k] for k in np.flatnonzero(np.isnan(days))]
    if empty:
        raise table.refusal("compare.no-day", empty[0], name, f"{len(empty)} rows have no day.", "Fill in the day.")
    return days


def _day_columns(table: DataTable) -> tuple[str, ...]:
    """Columns that are called as days, such as "Day 7" or "d07"."""
    return tuple(name for name in table.columns if _DAY.fullmatch(name.strip()))


def _refuse_unnamed(table: DataTable, options: argparse.Namespace) -> None:
    missing = [name for name, given in (("--value", options.value), ("--group", options.group)) if not given]
    if not missing:
        return
    numeric = [name for name in table.columns if table.is_numeric(name)]
    hint = " If each column of numbers is a group, say --wide." if len(numeric) > 1 else ""
    if len(_day_columns(table)) > 1:
        hint = " Its columns are days: say --wide --group COLUMN --subject COLUMN --within day; for one day, --value with its name."
    raise UsageError(f"say {' and '.join(missing)}: columns of {table.file} are {', '.join(table.columns)}.{hint}")


def _doubts(table: DataTable, options: argparse.Namespace) -> tuple[Finding, ...]:
    """Names of groups and subjects that differ in capitals alone, or that a spreadsheet program made dates of."""
    found = []
    for column in dict.fromkeys(name for name in (options.group, options.subject) if name):
        names = dict.fromkeys(table.words(column))
        alike: dict[str, list[str]] = {}
        for name in names:
            alike.setdefault(_plain_name(name), []).append(name)
        twice = [" and ".join(map(repr, same)) for same in alike.values() if len(same) > 1]
        place = Place(table.file, None, column)
        if twice:
            seen = f"names differ in capitals, blanks or the writing of a number alone, and count as different: {', '.join(twice[:5])}."
            mend = "Write each name in one way."
            found.append(Finding("compare.names", Severity.WARNING, place, seen, mend))
        dates = [name for name in names if _DATE.fullmatch(name)]
        if dates and table.letters:
            seen = f"names are dates, such as {dates[0]}: a spreadsheet program may have made them of names like 1-2 or MAR1."
            mend = "Look at them in the program; write such names as text."
            found.append(Finding("compare.dates", Severity.WARNING, place, seen, mend))
    return tuple(found)


def _plain_name(name: str) -> str:
    """A name without what a hand writes now so, now so: "PBS " is "pbs", and "1.0" is "1"."""
    plain = " ".join(name.casefold().split())
    return f"{float(plain):g}" if NUMBER.fullmatch(plain) else plain


def _was_wide(table: DataTable) -> bool:
    return any(note.startswith("read as a wide table") for note in table.notes)


def _unit_of(subject: str) -> str:
    """What a subject is, from the name of its column: "animal_id" is an animal."""
    name = subject.strip().casefold()
    for ending in ("_id", " id", "-id", "_name", " name", "_no", " no", " number"):
        name = name.removesuffix(ending)
    return name or "unit"


def _listed(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(word.strip() for word in text.split(",") if word.strip()))


def _logarithms(table: DataTable, name: str, values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Base 10; a value of 0 or below has none and is refused, never moved."""
    faults = []
    for k in np.flatnonzero(values <= 0):
        seen = f"{values[k]:g} has no logarithm."
        mend = "A value below the detection limit is given as <LIMIT with --limit; adding a constant would change the result."
        faults.append(
            Finding("compare.no-logarithm", Severity.ERROR, Place(table.file, table.lines[k], name), seen, mend)
        )
    if faults:
        raise InputError(f"{table.file}: {len(faults)} values of {name!r} are not above 0", faults)
    return np.log10(values)


def _limited(table: DataTable, name: str, limit: str) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Values, and which of them are limits: cells such as <0.5, and what lies below a number or a column of limits."""
    values, below = table.limited_numbers(name)
    if limit == "cells":
        return values, below
    if limit in table.columns:
        limits = table.numbers(limit)
        empty = [table.lines[k] for k in np.flatnonzero(np.isnan(limits) & np.isfinite(values))]
        if empty:
            mend = "Fill in the limit of every value."
            raise table.refusal("compare.no-limit", empty[0], limit, f"{len(empty)} rows have no limit.", mend)
    else:
        try:
            limits = np.full(values.size, float(limit))
        except ValueError:
            table.words(limit)
    under = (values < limits) & ~below
    return np.where(under, limits, values), below | under


def _found(table: DataTable, given: str, known: Sequence[str], option: str, what: str) -> str:
    if given:
        return given
    found = [name for name in table.columns if name.strip().casefold() in known]
    if len(found) == 1:
        return found[0]
    seen = f"{'no column' if not found else 'more than one column'} is called as {what} usually are."
    raise table.refusal("compare.summary", None, "", seen, f"Say {option} with one of: {', '.join(table.columns)}.")


def _spread(table: DataTable, given: str) -> str:
    if given:
        if given.strip().casefold() in _SEMS:
            seen = f"{given!r} is how a standard error is called, and --sd takes a standard deviation."
            raise table.refusal("compare.sem", None, given, seen, f"Say --sem {given!r}, and it is converted with n.")
        return given
    found = [name for name in table.columns if name.strip().casefold() in _SDS]
    errors = [name for name in table.columns if name.strip().casefold() in _SEMS]
    if not found and errors:
        seen = f"there is no standard deviation; {errors[0]!r} looks like a standard error."
        raise table.refusal(
            "compare.sem", None, errors[0], seen, f"Say --sem {errors[0]!r}, and it is converted with n."
        )
    return _found(table, "", _SDS, "--sd", "standard deviations")
