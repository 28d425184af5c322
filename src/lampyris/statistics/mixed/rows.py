"""Rows as they come from a table, checked for what a mixed model needs; what is left out is named."""

import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lampyris.core.design import Exclusion
from lampyris.core.errors import InputError
from lampyris.core.finding import Finding, Place, Severity
from lampyris.statistics.mixed.results import ColumnNames, Trace

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Rows that can be used.

    Parameters
    ----------
    values : ndarray, dims (row,)
        Finite values.
    groups, subjects, nested : tuple of str, dims (row,)
        Labels; `nested` is empty where nothing is.
    days : ndarray, dims (row,)
        Days; empty where there are none.
    levels : tuple of str
        Groups in the order of their first row.
    n : tuple of int
        Subjects per group.
    exclusions : tuple of Exclusion
        Subjects that have no value.
    missing : int
        Rows without a value.
    """

    values: Array
    groups: tuple[str, ...]
    subjects: tuple[str, ...]
    nested: tuple[str, ...]
    days: Array
    levels: tuple[str, ...]
    n: tuple[int, ...]
    exclusions: tuple[Exclusion, ...]
    missing: int

    def subjects_of(self, group: str, /) -> list[str]:
        """Subjects of a group, in the order of their first row."""
        return list(dict.fromkeys(s for s, g in zip(self.subjects, self.groups, strict=True) if g == group))

    def missing_note(self) -> tuple[str, ...]:
        """What a reader must know of rows without a value."""
        if not self.missing:
            return ()
        left = f"; {len(self.exclusions)} subjects have none at all and are left out" if self.exclusions else ""
        return (
            f"{self.missing} rows hold no value{left}; the others of the same subject are used, which is right only if "
            "what is missing does not depend on what would have been seen.",
        )

    def traces(self) -> tuple[Trace, ...]:
        """Mean per subject and day."""
        cells: dict[tuple[str, str], dict[float, list[float]]] = defaultdict(lambda: defaultdict(list))
        for value, group, subject, day in zip(self.values, self.groups, self.subjects, self.days, strict=True):
            cells[subject, group][float(day)].append(float(value))
        return tuple(
            Trace(subject, group, tuple(sorted(own)), tuple(math.fsum(own[d]) / len(own[d]) for d in sorted(own)))
            for (subject, group), own in cells.items()
        )


def checked_rows(
    values: ArrayLike,
    groups: Sequence[str],
    subjects: Sequence[str],
    days: ArrayLike | None,
    nested: Sequence[str] | None,
    names: ColumnNames,
    /,
) -> Rows:
    """Check columns and leave out rows without a value.

    Parameters
    ----------
    values : array_like, dims (row,)
        Numbers; NaN where there is none.
    groups, subjects : sequence of str, dims (row,)
        Labels.
    days : array_like or None, dims (row,)
        Numbers.
    nested : sequence of str or None, dims (row,)
        Labels inside the subject.
    names : ColumnNames
        How the columns are called.

    Returns
    -------
    Rows

    Raises
    ------
    InputError
        With every fault: empty labels, values or days that are not finite, a subject in two groups, one group, a group with
        one subject, values that do not differ.
    ValueError
        If columns differ in length.
    """
    y = np.asarray(values, dtype=np.float64)
    d = None if days is None else np.asarray(days, dtype=np.float64)
    lengths = {names.value: y.size, names.group: len(groups), names.subject: len(subjects)}
    lengths |= {} if d is None else {names.day: d.size}
    lengths |= {} if nested is None else {names.nested: len(nested)}
    if len(set(lengths.values())) > 1 or y.ndim != 1:
        raise ValueError(f"columns differ in length: {lengths}")
    faults = _cell_faults(y, groups, subjects, d, nested, names) + _two_groups(groups, subjects, names)
    seen = np.isfinite(y)
    levels = tuple(dict.fromkeys(g for g, ok in zip(groups, seen, strict=True) if ok and g.strip()))
    counts = tuple(
        len({s for s, g, ok in zip(subjects, groups, seen, strict=True) if ok and g == level}) for level in levels
    )
    faults += _group_faults(y[seen], levels, counts, names)
    refuse_rows(faults, names)
    kept = np.flatnonzero(seen).tolist()
    used = {subjects[k] for k in kept}
    lost = dict.fromkeys((s, g) for s, g in zip(subjects, groups, strict=True) if s not in used)
    return Rows(
        values=y[kept],
        groups=tuple(groups[k] for k in kept),
        subjects=tuple(subjects[k] for k in kept),
        nested=() if nested is None else tuple(nested[k] for k in kept),
        days=np.zeros(0) if d is None else d[kept],
        levels=levels,
        n=counts,
        exclusions=tuple(Exclusion(s, g, "no value") for s, g in lost),
        missing=int((~seen).sum()),
    )


def refuse_rows(faults: Sequence[Finding], names: ColumnNames, /) -> None:
    """Raise an error that holds every fault; nothing where there is none."""
    if faults:
        where = f"{names.file}: " if names.file else ""
        count = "1 fault" if len(faults) == 1 else f"{len(faults)} faults"
        raise InputError(f"{where}{count} in the columns to compare", faults)


def _cell_faults(
    y: Array,
    groups: Sequence[str],
    subjects: Sequence[str],
    days: Array | None,
    nested: Sequence[str] | None,
    names: ColumnNames,
) -> list[Finding]:
    faults = []
    for k in np.flatnonzero(np.isinf(y)).tolist():
        seen, mend = f"{y[k]} is no finite number.", "Mend the number, or leave the cell empty."
        faults.append(_at(names, k, names.value, "compare.infinite", seen, mend))
    if days is not None:
        for k in np.flatnonzero(~np.isfinite(days)).tolist():
            seen, mend = "there is no day.", "Write the day as a number, or take the row out."
            faults.append(_at(names, k, names.day, "compare.no-day", seen, mend))
    columns = [(names.group, groups), (names.subject, subjects)]
    columns += [] if nested is None else [(names.nested, nested)]
    for column, labels in columns:
        for k, label in enumerate(labels):
            if not str(label).strip():
                faults.append(
                    _at(names, k, column, "compare.no-label", "the cell is empty.", f"Name the {column} of this row.")
                )
    return faults


def _two_groups(groups: Sequence[str], subjects: Sequence[str], names: ColumnNames) -> list[Finding]:
    first: dict[str, str] = {}
    faults = []
    told = set()
    for k, (subject, group) in enumerate(zip(subjects, groups, strict=True)):
        if not subject.strip() or not group.strip():
            continue
        if first.setdefault(subject, group) != group and subject not in told:
            told.add(subject)
            seen = f"{names.subject} {subject!r} is in {first[subject]!r} above and in {group!r} here."
            mend = (
                "Give two animals two names, or mend the group. Where each subject really had every treatment, the "
                "treatment is a factor within subjects: use repeated measures."
            )
            faults.append(_at(names, k, names.group, "compare.two-groups", seen, mend))
    return faults


def _group_faults(y: Array, levels: Sequence[str], counts: Sequence[int], names: ColumnNames) -> list[Finding]:
    def fault(rule: str, column: str, seen: str, mend: str) -> Finding:
        return Finding(rule, Severity.ERROR, Place(names.file, None, column), seen, mend)

    if not y.size:
        return [fault("compare.no-value", names.value, "there is no value.", "Name the column that holds the numbers.")]
    faults = []
    if len(levels) < 2:
        seen = f"there is one group only, {levels[0]!r}." if levels else "there is no group."
        faults.append(fault("compare.one-group", names.group, seen, "Name the column that tells the groups apart."))
    for level, count in zip(levels, counts, strict=True):
        if count < 2:
            seen = f"group {level!r} has one {names.experimental_unit}."
            mend = "Its spread is unknown, whatever the number of rows: add animals, or leave the group out."
            faults.append(fault("compare.one-subject", names.group, seen, mend))
    if np.ptp(y) == 0:
        seen = f"all values are {y[0]:g}."
        faults.append(
            fault("compare.no-spread", names.value, seen, "There is nothing to compare; is it the right column?")
        )
    return faults


def _at(names: ColumnNames, row: int, column: str, rule: str, seen: str, mend: str) -> Finding:
    line = names.lines[row] if names.lines else row + 2
    return Finding(rule, Severity.ERROR, Place(names.file, line, column), seen, mend)


def rows_per_subject(rows: Rows, /) -> int:
    """Most rows of a subject."""
    return max(Counter(rows.subjects).values())


def shared_labels(rows: Rows, /, *, share: float = 0.8, most: int = 20) -> bool:
    """Whether the nested labels name the same things in all subjects, as organs do.

    Parameters
    ----------
    rows : Rows
        With nested labels.
    share : float
        Every label must be found in this share of the subjects.
    most : int
        Labels beyond this number are no list of organs.
    """
    subjects = len(set(rows.subjects))
    holders: dict[str, set[str]] = defaultdict(set)
    for label, subject in zip(rows.nested, rows.subjects, strict=True):
        holders[label].add(subject)
    return 1 < len(holders) <= most and all(len(own) >= share * subjects for own in holders.values())
