"""Columns of a table that say when an event came: days with events, or looks without and with it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from lampyris.core.design import Exclusion
from lampyris.core.errors import InputError
from lampyris.core.finding import Finding, Place, Severity
from lampyris.io.data_tables import DataTable

# columns that name the experimental unit where none is chosen
SUBJECTS = ("animal", "subject", "mouse", "fish")
EVENTS = {"1": 1.0, "0": 0.0, "1.0": 1.0, "0.0": 0.0, "true": 1.0, "false": 0.0, "yes": 1.0, "no": 0.0}
_OPEN = ("inf", "+inf", "infinity", "∞")
ALL = "all"


@dataclass(frozen=True, slots=True)
class OnsetChoice:
    """Which columns of a table hold what.

    Parameters
    ----------
    time, event : str
        Day of the event or of the last look, and 1 or 0; "" where `low` and `high` are used.
    low, high : str
        Last look without the event and first with it; an empty high is "not by the last look".
    group, subject, strata : str
        "" where there is none; a column called as `SUBJECTS` is then taken for the subject.
    covariates : tuple of str
    where : tuple of (column, value)
        Rows that are kept.
    control : str
        Group that the others are compared with; by default the first in the table.
    first : bool
        A subject with several rows counts once, with the first of its events.
    """

    time: str = ""
    event: str = ""
    low: str = ""
    high: str = ""
    group: str = ""
    subject: str = ""
    strata: str = ""
    covariates: tuple[str, ...] = ()
    where: tuple[tuple[str, str], ...] = ()
    control: str = ""
    first: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class OnsetColumns:
    """What a table says, one entry per experimental unit.

    Parameters
    ----------
    low, high : ndarray
        The event came in (low, high], on the day where both are equal; high is inf where it had not come by low.
    groups, subjects : tuple of str
    unit : str
        What a subject is called: the name of its column, "row" where there is none.
    covariates : dict of str to tuple of float or of str
    strata : tuple of str or None
    exclusions : tuple of Exclusion
        Rows that say nothing, with the reason.
    notes : tuple of str
        What was taken for granted.
    rows : int
        Rows read, before any were put together.
    """

    low: NDArray[np.float64]
    high: NDArray[np.float64]
    groups: tuple[str, ...]
    subjects: tuple[str, ...]
    unit: str
    covariates: dict[str, tuple[float, ...] | tuple[str, ...]]
    strata: tuple[str, ...] | None
    exclusions: tuple[Exclusion, ...] = ()
    notes: tuple[str, ...] = ()
    rows: int = 0


@dataclass(slots=True)
class _Rows:
    """Rows as read, with their faults."""

    table: DataTable
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    faults: list[Finding] = field(default_factory=list)

    def fault(self, rule: str, row: int, column: str, seen: str, mend: str) -> None:
        place = Place(self.table.file, self.table.lines[row], column)
        self.faults.append(Finding(f"onset.{rule}", Severity.ERROR, place, seen, mend))


def onset_columns(table: DataTable, choice: OnsetChoice, /) -> OnsetColumns:
    """Read when an event came.

    Parameters
    ----------
    table : DataTable
        A row per subject, or per subject and site with ``choice.where`` or ``choice.first``.
    choice : OnsetChoice

    Returns
    -------
    OnsetColumns
        Groups in order, the control first. Rows without any day are left out and named.

    Raises
    ------
    InputError
        Every faulty row at once: text for numbers, negative days, low above high, events that are neither 0 nor 1, a
        subject in two groups or with several rows.
    """
    table = _kept(table, choice)
    subject = choice.subject or next((name for name in SUBJECTS if name in table.columns), "")
    rows = _times(table, choice)
    groups = table.words(choice.group) if choice.group else (ALL,) * len(table)
    subjects = table.words(subject) if subject else tuple(f"row {line}" for line in table.lines)
    for k, group in enumerate(groups):
        if not group:
            rows.fault("no-group", k, choice.group, "the group is empty.", "Write the group, or remove the row.")
    _check_days(rows, choice)
    if subject:
        _check_subjects(rows, choice, subjects, groups, subject)
    if rows.faults:
        raise InputError(f"{table.file} cannot be read as times of an event", rows.faults)
    return _gathered(rows, choice, subjects, groups, subject)


def _kept(table: DataTable, choice: OnsetChoice) -> DataTable:
    """Rows that fulfil every ``column=value``."""
    keep = list(range(len(table)))
    for column, value in choice.where:
        words = table.words(column)
        if value not in words:
            known = ", ".join(sorted(set(words))[:20])
            seen = f"no row has {value!r}."
            place = Place(table.file, None, column)
            raise InputError(
                f"{table.file}: {seen}",
                (Finding("onset.no-row", Severity.ERROR, place, seen, f"Values are: {known}."),),
            )
        keep = [k for k in keep if words[k] == value]
    if not keep:
        seen = "no row is left."
        place = Place(table.file)
        raise InputError(
            f"{table.file}: {seen}", (Finding("onset.no-row", Severity.ERROR, place, seen, "Choose other rows."),)
        )
    columns = {name: tuple(cells[k] for k in keep) for name, cells in table.columns.items()}
    return replace(table, columns=columns, lines=tuple(table.lines[k] for k in keep))


def _times(table: DataTable, choice: OnsetChoice) -> _Rows:
    if choice.time:
        time = table.numbers(choice.time)
        rows = _Rows(table, time, time.copy())
        for k, cell in enumerate(table.words(choice.event)):
            event = EVENTS.get(cell.lower())
            if event is None and cell:
                rows.fault(
                    "no-event",
                    k,
                    choice.event,
                    f"{cell!r} is neither 1 nor 0.",
                    "Write 1 where the event came, 0 where not.",
                )
            elif event == 0.0:
                rows.high[k] = math.inf
            elif event is None:
                rows.low[k] = rows.high[k] = math.nan
        return rows
    return _Rows(table, _looks(table, choice.low, "-inf"), _looks(table, choice.high, "inf"))


def _looks(table: DataTable, column: str, infinite: str) -> NDArray[np.float64]:
    """Days of looks; what is open is infinite, as the study's own tables write it."""
    words = table.words(column)
    sign = -math.inf if infinite == "-inf" else math.inf
    opened = [word.lower().lstrip("-") in _OPEN or not word for word in words]
    plain = tuple("" if one else word for one, word in zip(opened, words, strict=True))
    days = replace(table, columns={**table.columns, column: plain}).numbers(column)
    return np.where(opened, sign, days)


def _check_days(rows: _Rows, choice: OnsetChoice) -> None:
    columns = (choice.time, choice.time) if choice.time else (choice.low, choice.high)
    for k, (low, high) in enumerate(zip(rows.low, rows.high, strict=True)):
        for column, day in dict(zip(columns, (low, high), strict=True)).items():
            if -math.inf < day < 0:
                rows.fault("negative-day", k, column, f"day {day:g} is negative.", "Count days from the inoculation.")
        if low > high:
            seen = f"the last look without the event, day {low:g}, is after the first with it, day {high:g}."
            rows.fault("low-above-high", k, columns[0], seen, "Exchange the two, or mend the day that is wrong.")
        elif high == 0:
            mend = "An event that was there at the start is no onset: leave the subject out, or give the day a later start."
            rows.fault("day-zero", k, columns[1], "the event is on day 0.", mend)


def _check_subjects(
    rows: _Rows, choice: OnsetChoice, subjects: Sequence[str], groups: Sequence[str], column: str
) -> None:
    places: dict[str, list[int]] = {}
    for k, name in enumerate(subjects):
        if not name:
            rows.fault("no-subject", k, column, f"the {column} is empty.", f"Write the {column}, or remove the row.")
        else:
            places.setdefault(name, []).append(k)
    for name, own in places.items():
        named = sorted({groups[k] for k in own})
        if len(named) > 1:
            seen = f"{column} {name} is in {' and in '.join(named)}."
            rows.fault(
                "subject-in-two-groups", own[-1], choice.group, seen, f"A {column} has one group; mend the rows."
            )
    several = [name for name, own in places.items() if len(own) > 1]
    if several and not choice.first:
        own = places[several[0]]
        lines = ", ".join(str(rows.table.lines[k]) for k in own[:5])
        more = f"; so have {len(several) - 1} others" if len(several) > 1 else ""
        seen = f"{column} {several[0]} has {len(own)} rows ({lines}){more}. They are no replicates, and would make p too small."
        mend = f"Choose one row per {column}, e.g. --where organ=liver, or take the first event of each {column} with --first."
        rows.fault("subject-twice", own[1], column, seen, mend)


def _gathered(
    rows: _Rows, choice: OnsetChoice, subjects: Sequence[str], groups: Sequence[str], subject: str
) -> OnsetColumns:
    covariates = {name: _covariate(rows.table, name) for name in choice.covariates}
    strata = rows.table.words(choice.strata) if choice.strata else None
    unit = subject or "row"
    exclusions, keep, notes = [], [], []
    for k, name in enumerate(subjects):
        why = _why_left_out(rows, covariates, k)
        if why:
            exclusions.append(Exclusion(name, groups[k], why))
        else:
            keep.append(k)
    if not keep:
        seen = "no row holds a day."
        place = Place(rows.table.file)
        raise InputError(
            f"{rows.table.file}: {seen}", (Finding("onset.no-row", Severity.ERROR, place, seen, "Fill in the days."),)
        )
    low, high = rows.low.copy(), rows.high.copy()
    if choice.first:
        keep = _first_events(low, high, subjects, keep)
        notes.append(f"Each {unit} with several rows counts once, with the first of its events.")
    if np.isneginf(low[keep]).any():
        notes.append("Where nothing was looked at before the event was seen, it may have come at any time since day 0.")
    notes += _unit_notes(choice, subject)
    order = _order(groups, keep, choice, rows.table.file)
    return OnsetColumns(
        np.maximum(low[order], 0.0),
        high[order],
        tuple(groups[k] for k in order),
        tuple(subjects[k] for k in order),
        unit,
        {name: tuple(values[k] for k in order) for name, values in covariates.items()},  # type: ignore[misc]
        None if strata is None else tuple(strata[k] for k in order),
        tuple(exclusions),
        tuple(notes),
        len(rows.table),
    )


def _unit_notes(choice: OnsetChoice, subject: str) -> list[str]:
    if not subject:
        return ["Each row is taken for an experimental unit; name the column of the subject to have that checked."]
    return [] if choice.subject else [f"The column {subject!r} is taken for the experimental unit."]


def _covariate(table: DataTable, name: str) -> tuple[float, ...] | tuple[str, ...]:
    """Numbers, or words where no cell is a number."""
    words = table.words(name)
    try:
        return tuple(float(value) for value in table.numbers(name))
    except InputError as error:
        if len(error.findings) == sum(bool(word) for word in words):
            return words
        raise


def _why_left_out(rows: _Rows, covariates: dict[str, tuple[float, ...] | tuple[str, ...]], k: int) -> str:
    low, high = rows.low[k], rows.high[k]
    if math.isnan(low) or math.isnan(high):
        return "no day or no event is given"
    if math.isinf(low) and math.isinf(high):
        return "was never looked at"
    for name, values in covariates.items():
        value = values[k]
        if value == "" or value != value:
            return f"{name} is not given"
    return ""


def _first_events(
    low: NDArray[np.float64], high: NDArray[np.float64], subjects: Sequence[str], keep: list[int]
) -> list[int]:
    """One row per subject: the first of several events lies in (least low, least high]."""
    firsts: dict[str, int] = {}
    for k in keep:
        first = firsts.setdefault(subjects[k], k)
        low[first], high[first] = min(low[first], low[k]), min(high[first], high[k])
    return list(firsts.values())


def _order(groups: Sequence[str], keep: Sequence[int], choice: OnsetChoice, file: str) -> NDArray[np.intp]:
    names = list(dict.fromkeys(groups[k] for k in keep))
    if choice.control:
        if choice.control not in names:
            seen = f"there is no group {choice.control!r}."
            place = Place(file, None, choice.group)
            mend = f"Groups are: {', '.join(names)}."
            raise InputError(f"{file}: {seen}", (Finding("onset.no-control", Severity.ERROR, place, seen, mend),))
        names = [choice.control, *(name for name in names if name != choice.control)]
    return np.array(sorted(keep, key=lambda k: names.index(groups[k])), dtype=np.intp)
