"""From rows of a table to one value per experimental unit; pseudo-replication is refused here."""

import difflib
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lampyris.core.errors import InputError
from lampyris.core.finding import Finding, Place, Severity
from lampyris.statistics.groups.plan import ComparisonPlan, Source, plural

LAZIC = "Lazic et al. 2018, doi:10.1371/journal.pbio.2005282"
# more would bury the first ones; the message gives the number of all
MOST_NAMED = 10
# squares of larger values, and of the inverse, are no numbers of double precision once they are summed
LARGEST = 1e140


@dataclass(frozen=True, slots=True, eq=False)
class Units:
    """Values of experimental units by group.

    Parameters
    ----------
    groups : tuple of str
        Groups in their order.
    values : tuple of ndarray, dims (unit,)
        Per group.
    names : tuple of tuple of str
        Names of the units per group; empty where rows have none.
    rows : int
        Rows with a value.
    missing : tuple of int
        Rows without a value per group.
    averaged : int
        Rows that were averaged within a unit; 0 where every unit has one.
    without : tuple of (str, str)
        Units of which no row has a value: name and group.
    counts : tuple of int
        Rows per unit, in the order of groups and names; empty where rows have no names.
    """

    groups: tuple[str, ...]
    values: tuple[NDArray[np.float64], ...]
    names: tuple[tuple[str, ...], ...]
    rows: int
    missing: tuple[int, ...]
    averaged: int = 0
    without: tuple[tuple[str, str], ...] = ()
    counts: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Rows of a table that hold a value, with their places in it.

    Parameters
    ----------
    values : ndarray, dims (row,)
        Finite values.
    groups, subjects : tuple of str
        As `values`; subjects empty where rows have none.
    order : tuple of str
        Groups in their order.
    missing : tuple of int
        Rows without a value per group of `order`.
    without : tuple of (str, str)
        Subjects of which no row has a value: name and group.
    lines : tuple of int
        Line of each row in the file, as `values`; empty where there is none.
    """

    values: NDArray[np.float64]
    groups: tuple[str, ...]
    subjects: tuple[str, ...]
    order: tuple[str, ...]
    missing: tuple[int, ...]
    without: tuple[tuple[str, str], ...] = ()
    lines: tuple[int, ...] = ()


def rows_of(
    values: ArrayLike,
    groups: Sequence[object],
    subjects: Sequence[object] | None,
    /,
    *,
    source: Source,
    plan: ComparisonPlan,
) -> Rows:
    """Check the columns and leave out rows without a value.

    Parameters
    ----------
    values : array_like, dims (row,)
        NaN where a value is missing.
    groups, subjects : sequence, dims (row,)
        Names; numbers are taken as names.
    source : Source
        For messages.
    plan : ComparisonPlan
        Order of the groups and the control.

    Returns
    -------
    Rows

    Raises
    ------
    ValueError
        If the columns differ in length.
    InputError
        If a value is no finite number, a name is empty, there is one group only, or a group named by the plan is absent.
    """
    faults: list[Finding] = []
    numbers = _numbers(values, source, faults)
    named = _names(groups, source, source.group, faults)
    who = _names(subjects, source, source.subject, faults) if subjects is not None else ()
    lengths = {
        numbers.size,
        len(named),
        *([len(who)] if subjects is not None else []),
        *([len(source.lines)] if source.lines else []),
    }
    if len(lengths) != 1:
        raise ValueError(f"columns need one length, got {sorted(lengths)}")
    there = ~np.isnan(numbers)
    present = dict.fromkeys(group for group in named if group)
    faults += group_faults(list(present), source, plan)
    if faults:
        raise InputError(
            _message(source, f"cannot be compared: {len(faults)} fault{'s' if len(faults) > 1 else ''}"), faults
        )
    order = (*plan.order, *(group for group in present if group not in plan.order))
    lost = Counter(group for group, kept in zip(named, there, strict=True) if not kept)
    pairs = list(zip(who, named, strict=True)) if who else []
    seen = {pair for pair, kept in zip(pairs, there, strict=True) if kept} if pairs else set()
    return Rows(
        numbers[there],
        tuple(group for group, kept in zip(named, there, strict=True) if kept),
        tuple(one for one, kept in zip(who, there, strict=True) if kept) if who else (),
        order,
        tuple(lost[group] for group in order),
        tuple(pair for pair in dict.fromkeys(pairs) if pair not in seen),
        tuple(line for line, kept in zip(source.lines, there, strict=True) if kept) if source.lines else (),
    )


def units_of(rows: Rows, /, *, source: Source, plan: ComparisonPlan) -> Units:
    """One value per experimental unit and group.

    Parameters
    ----------
    rows : Rows
        Without subjects, each row is a unit.
    source : Source
        For messages.
    plan : ComparisonPlan
        Whether several rows of a subject are averaged, and whether subjects may be in two groups.

    Returns
    -------
    Units
        In the order of the rows.

    Raises
    ------
    InputError
        If a subject has several rows in one group and the plan does not average them, or is in several groups and the plan
        is not paired.
    """
    if not rows.subjects:
        values = tuple(rows.values[[k for k, group in enumerate(rows.groups) if group == name]] for name in rows.order)
        return Units(rows.order, values, ((),) * len(rows.order), rows.values.size, rows.missing)
    own: dict[tuple[str, str], list[float]] = {}
    for value, group, subject in zip(rows.values, rows.groups, rows.subjects, strict=True):
        own.setdefault((group, subject), []).append(float(value))
    faults = [] if plan.paired else _crossing_faults(own, source, plan)
    several = {key: len(held) for key, held in own.items() if len(held) > 1}
    if several and plan.nested == "refuse":
        faults += _replication_faults(several, source, plan)
    if faults:
        raise InputError(_why(faults, rows.values.size, len(own), source, plan), faults)
    names = tuple(tuple(subject for group, subject in own if group == name) for name in rows.order)
    values = tuple(
        np.array([_mean(own[name, subject]) for subject in those])
        for name, those in zip(rows.order, names, strict=True)
    )
    counts = tuple(len(own[name, subject]) for name, those in zip(rows.order, names, strict=True) for subject in those)
    averaged = sum(several.values())
    return Units(rows.order, values, names, rows.values.size, rows.missing, averaged, rows.without, counts)


def _mean(held: list[float]) -> float:
    """Mean of a unit's rows; it does not depend on their order, and equal means are equal in every digit, as ties must be."""
    return held[0] if len(held) == 1 else float(f"{math.fsum(held) / len(held):.15g}")


def _numbers(values: ArrayLike, source: Source, faults: list[Finding]) -> NDArray[np.float64]:
    try:
        numbers = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        numbers = np.full(len(np.asarray(values, dtype=object)), np.nan)
        for k, value in enumerate(np.asarray(values, dtype=object)):
            try:
                numbers[k] = math.nan if value is None else float(value)
            except (TypeError, ValueError):
                seen = f"{str(value)[:60]!r} is no number."
                mend = "Write a number, or leave it empty where there is no value."
                faults.append(_finding("compare.no-number", source, k, source.value, seen, mend))
    if numbers.ndim != 1:
        raise ValueError(f"values need one dimension, got shape {numbers.shape}")
    for place in np.flatnonzero(np.isinf(numbers)):
        seen = f"{numbers[place]} is not finite."
        mend = "Leave the cell empty if there is no value; a value below the detection limit is censored, not infinite."
        faults.append(_finding("compare.not-finite", source, int(place), source.value, seen, mend))
    size = np.abs(numbers[np.isfinite(numbers)])
    if size.size and (size.max() > LARGEST or 0 < size.max() < 1 / LARGEST):
        seen = f"the largest value is {size.max():g} in size: its square is beyond the numbers of a computer."
        mend = "Correct it, or give the values in another unit."
        faults.append(Finding("compare.range", Severity.ERROR, Place(source.file, None, source.value), seen, mend))
    return numbers


def _names(cells: Sequence[object], source: Source, column: str, faults: list[Finding]) -> tuple[str, ...]:
    names = tuple(str(cell).strip() for cell in cells)
    empty = [k for k, name in enumerate(names) if not name]
    for k in empty[:MOST_NAMED]:
        more = f" ({len(empty)} such rows)" if len(empty) > 1 else ""
        seen = f"the cell is empty{more}."
        faults.append(
            _finding(
                "compare.no-name",
                source,
                k,
                column,
                seen,
                f"Write it in every row (the {column} of one row says nothing of the next), or remove the row.",
            )
        )
    return names


def group_faults(present: list[str], source: Source, plan: ComparisonPlan, /) -> list[Finding]:
    """What is wrong with the groups that are there, as the plan names them."""
    faults = []
    place = Place(source.file, None, source.group)
    if len(present) < 2:
        seen = f"a comparison needs two groups, and there is {'one: ' + repr(present[0]) if present else 'none'}."
        mend = f"Name the column that holds the groups (now {source.group!r})."
        faults.append(Finding("compare.one-group", Severity.ERROR, place, seen, mend))
    elif plan.paired and len(present) > 2:
        seen = f"a paired comparison has two conditions, and there are {len(present)}: {', '.join(present)}."
        mend = "Keep two conditions, or use a mixed model with the condition within the subject."
        faults.append(Finding("compare.paired-groups", Severity.ERROR, place, seen, mend))
    asked = [plan.control] if plan.control else []
    for name in (*asked, *plan.order):
        if name not in present:
            near = difflib.get_close_matches(name, present, 1)
            mend = (f"Did you mean {near[0]!r}? " if near else "") + f"Groups are: {', '.join(present)}."
            seen = f"there is no group {name!r}."
            faults.append(Finding("compare.no-group", Severity.ERROR, place, seen, mend))
    return faults


def _crossing_faults(own: dict[tuple[str, str], list[float]], source: Source, plan: ComparisonPlan) -> list[Finding]:
    where: dict[str, list[str]] = {}
    for group, subject in own:
        where.setdefault(subject, []).append(group)
    crossing = [f"{subject!r} in {' and '.join(groups)}" for subject, groups in where.items() if len(groups) > 1]
    if not crossing:
        return []
    unit = plan.experimental_unit
    seen = f"{_count(len(crossing), unit)} in more than one group: {listed(crossing)}."
    mend = (
        f"If each {unit} was measured under both conditions, ask for a paired comparison (paired=True, --paired); under more, "
        f"for a mixed model with the condition within the {unit}. If names start again in each group, make them unique, as "
        "dots-1 and dye-1. Otherwise correct the group."
    )
    return [
        Finding("compare.subject-in-two-groups", Severity.ERROR, Place(source.file, None, source.subject), seen, mend)
    ]


def _replication_faults(several: dict[tuple[str, str], int], source: Source, plan: ComparisonPlan) -> list[Finding]:
    unit = plan.experimental_unit
    named = [f"{subject!r} has {count} in {group}" for (group, subject), count in several.items()]
    seen = f"{_count(len({subject for _, subject in several}), unit)} with several rows in one group: {listed(named)}."
    mend = (
        f"Average per {unit} (--average), or keep the rows and model them within the {unit} by a mixed model (--mixed); in "
        'Python nested="mean" or "mixed". Rows that differ in a factor, such as day, belong to a model with that factor.'
    )
    return [Finding("compare.pseudo-replication", Severity.ERROR, Place(source.file, None, source.subject), seen, mend)]


def _count(number: int, unit: str) -> str:
    return f"{number} {unit if number == 1 else plural(unit)}"


def listed(named: Sequence[str], /) -> str:
    """The first names, and how many more there are."""
    more = len(named) - MOST_NAMED
    return ", ".join(named[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


def _why(
    faults: list[Finding],
    rows: int,
    units: int,
    source: Source,
    plan: ComparisonPlan,
) -> str:
    unit = plan.experimental_unit
    if not any(fault.rule == "compare.pseudo-replication" for fault in faults):
        return _message(source, f"a {unit} can be in one group only, unless the comparison is paired")
    return _message(
        source,
        f"rows of one {unit} are no replicates. The experimental unit is the {unit}, so there are {units} independent "
        f"values and not {rows}; a test on the rows would find differences that are not there ({LAZIC})",
    )


def _message(source: Source, text: str) -> str:
    return f"{source.file}: {text}" if source.file else text


def _finding(rule: str, source: Source, k: int, column: str, seen: str, mend: str) -> Finding:
    line = source.lines[k] if source.lines else k + 1
    return Finding(rule, Severity.ERROR, Place(source.file, line, column), seen, mend)
