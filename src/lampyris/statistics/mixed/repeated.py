"""Repeated-measures analysis of variance: one or two factors within subjects, and one between beside them.

Every subject must have every cell. Where one is missing, the linear mixed model uses what was seen of it.
"""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from lampyris.core.design import Design, TestResult
from lampyris.core.errors import InputError
from lampyris.core.finding import Finding, Place, Severity
from lampyris.statistics.mixed.results import PLAIN, ColumnNames

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class RepeatedEffect:
    """An effect of a repeated-measures analysis.

    Parameters
    ----------
    name : str
        "day", "group", "group x day".
    within : bool
        Whether it changes within a subject.
    statistic, df1, df2, p : float
        F, degrees of freedom, and p if the covariance is spherical.
    sum_of_squares, error : float
        Of the effect and of its error.
    greenhouse_geisser, huynh_feldt : float
        Epsilon by which the degrees of freedom are multiplied (Huynh-Feldt's is used up to 1); 1 where there is one contrast,
        NaN of an effect between subjects.
    p_greenhouse_geisser, p_huynh_feldt : float
        p with the corrected degrees of freedom.
    mauchly, mauchly_p : float
        Mauchly's W and p; NaN where sphericity is no question or subjects are too few.
    partial_eta_squared, generalised_eta_squared : float
        Effect sizes.
    """

    name: str
    within: bool
    statistic: float
    df1: float
    df2: float
    p: float
    sum_of_squares: float
    error: float
    greenhouse_geisser: float
    huynh_feldt: float
    p_greenhouse_geisser: float
    p_huynh_feldt: float
    mauchly: float
    mauchly_p: float
    partial_eta_squared: float
    generalised_eta_squared: float


@dataclass(frozen=True, slots=True)
class RepeatedMeasures:
    """A repeated-measures analysis of variance with its design.

    Parameters
    ----------
    design : Design
        What it stands on.
    effects : tuple of RepeatedEffect
        Between effects first.
    friedman : TestResult or None
        Friedman's test beside, for one factor within and none between.
    notes : tuple of str
        What a reader must know.
    """

    design: Design
    effects: tuple[RepeatedEffect, ...]
    friedman: TestResult | None
    notes: tuple[str, ...]

    def tests(self) -> tuple[TestResult, ...]:
        """Every test: effects with Greenhouse and Geisser's correction, sphericity, Friedman's test."""
        found = []
        for effect in self.effects:
            epsilon = effect.greenhouse_geisser if effect.within else 1.0
            name = f"repeated measures, {effect.name}" + (" (Greenhouse-Geisser)" if effect.within else "")
            df = (effect.df1 * epsilon, effect.df2 * epsilon)
            p = effect.p_greenhouse_geisser if effect.within else effect.p
            note = ""
            if effect.within and effect.df1 > 1:
                note = (
                    f"epsilon {effect.greenhouse_geisser:.3f} (Huynh-Feldt {effect.huynh_feldt:.3f}, p "
                    f"{effect.p_huynh_feldt:.3g}; spherical p {effect.p:.3g})"
                )
            found.append(TestResult(name, "F", effect.statistic, df, p, f"no effect of {effect.name}", note=note))
        found += [
            TestResult(
                f"Mauchly, {e.name}", "W", e.mauchly, (), e.mauchly_p, "the covariance is spherical", "assumption"
            )
            for e in self.effects
            if math.isfinite(e.mauchly)
        ]
        return (*found, self.friedman) if self.friedman else tuple(found)


def repeated_measures(
    values: ArrayLike,
    subjects: Sequence[str],
    within: Mapping[str, Sequence[str]],
    /,
    *,
    between: Sequence[str] | None = None,
    sums: str = "II",
    names: ColumnNames = PLAIN,
) -> RepeatedMeasures:
    """Analyse repeated measures.

    Parameters
    ----------
    values : array_like, dims (row,)
        Numbers. Several of one cell of a subject are averaged.
    subjects : sequence of str, dims (row,)
        Subject of each row.
    within : mapping of str to sequence of str, dims (row,)
        One or two factors that change within a subject, by name.
    between : sequence of str, dims (row,)
        Group of each row; None where subjects are of one kind.
    sums : str
        "II": with unequal groups, factors within are tested on the mean over subjects; "III": on the mean over groups.
    names : ColumnNames
        How columns and file are called.

    Returns
    -------
    RepeatedMeasures

    Raises
    ------
    InputError
        If a subject lacks a cell or is in two groups, a group has fewer than two subjects, a factor has one level, or
        nothing differs.
    ValueError
        If columns differ in length or there are not one or two factors.

    References
    ----------
    Greenhouse & Geisser 1959, Psychometrika 24:95, doi:10.1007/BF02289823; Huynh & Feldt 1976, J Educ Stat 1:69,
    doi:10.3102/10769986001001069, with the correction of Lecoutre 1991, J Educ Stat 16:371, doi:10.3102/10769986016004371;
    Mauchly 1940, Ann Math Stat 11:204, doi:10.1214/aoms/1177731915; Olejnik & Algina 2003, Psychol Methods 8:434,
    doi:10.1037/1082-989X.8.4.434.

    Examples
    --------
    >>> found = repeated_measures(
    ...     [7, 8, 9, 3, 5, 6, 6, 6, 9, 6, 9, 10], [s for s in "ABCD" for _ in range(3)], {"day": ["0", "7", "14"] * 4}
    ... )
    >>> effect = found.effects[0]
    >>> f"F({effect.df1:.0f}, {effect.df2:.0f}) = {effect.statistic:.2f}, epsilon {effect.greenhouse_geisser:.3f}"
    'F(2, 6) = 16.20, epsilon 0.781'
    """
    y = np.asarray(values, dtype=np.float64)
    lengths = {len(column) for column in (subjects, *within.values(), *([between] if between is not None else []))}
    if lengths != {y.size} or not 1 <= len(within) <= 2 or sums not in ("II", "III"):
        raise ValueError(
            f"needs one or two factors of {y.size} rows and sums 'II' or 'III', got {list(within)}, {sums!r}"
        )
    cells, groups, levels = _cells(y, subjects, within, between, names)
    _refuse_few(cells, groups, within, levels, names)
    rows = cells.reshape(len(cells), -1)
    labels = tuple(dict.fromkeys(groups)) if between is not None else ()
    member = np.array([[group == label for label in labels] for group in groups], dtype=np.float64)
    effects = _effects(rows, member if labels else np.ones((len(rows), 1)), within, levels, names, sums)
    counts = tuple(int(n) for n in member.sum(axis=0)) if labels else (len(rows),)
    design = Design(names.experimental_unit, labels, counts, rows=int(np.isfinite(y).sum()), within=tuple(within))
    notes = _notes(y, rows, effects, labels, counts, sums)
    return RepeatedMeasures(design, effects, _friedman(rows, within, labels), notes)


def _cells(
    y: Array,
    subjects: Sequence[str],
    within: Mapping[str, Sequence[str]],
    between: Sequence[str] | None,
    names: ColumnNames,
) -> tuple[Array, list[str], list[tuple[str, ...]]]:
    """Mean of each cell, dims (subject, level of the first factor[, of the second]); groups; levels."""
    levels = [tuple(dict.fromkeys(column)) for column in within.values()]
    place = [{level: k for k, level in enumerate(own)} for own in levels]
    people = {subject: k for k, subject in enumerate(dict.fromkeys(subjects))}
    shape = (len(people), *(len(own) for own in levels))
    total, count = np.zeros(shape), np.zeros(shape)
    groups: dict[str, str] = {}
    moved: dict[str, int] = {}
    for k, value in enumerate(y):
        at = (people[subjects[k]], *(place[f][column[k]] for f, column in enumerate(within.values())))
        if np.isfinite(value):
            total[at] += value
            count[at] += 1
        if between is not None and groups.setdefault(subjects[k], between[k]) != between[k]:
            moved.setdefault(subjects[k], k)
    faults = []
    for subject, k in moved.items():
        line = names.lines[k] if names.lines else k + 2
        seen = f"{names.subject} {subject!r} is in {groups[subject]!r} above and in {between[k]!r} here."  # type: ignore[index]
        mend = "Mend the group, or name it as a factor within subjects."
        faults.append(Finding("compare.two-groups", Severity.ERROR, Place(names.file, line, names.group), seen, mend))
    faults += _missing(count, list(people), levels, names)
    if faults:
        raise InputError("repeated measures need every subject in one group and in every cell", faults)
    return total / count, [groups.get(subject, "") for subject in people], levels


def _missing(
    count: Array, people: Sequence[str], levels: Sequence[tuple[str, ...]], names: ColumnNames
) -> list[Finding]:
    gaps: dict[str, list[str]] = defaultdict(list)
    for at in np.argwhere(count == 0):
        gaps[people[at[0]]].append(", ".join(own[k] for own, k in zip(levels, at[1:], strict=True)))
    mend = (
        "The mixed model uses incomplete subjects (compare_over_time, or `lampyris compare` with --within): use it, or leave "
        "the subject out."
    )
    return [
        Finding(
            "repeated.incomplete",
            Severity.ERROR,
            Place(names.file, None, names.subject),
            f"{names.subject} {subject!r} has no value at {'; '.join(where)}.",
            mend,
        )
        for subject, where in gaps.items()
    ]


def _refuse_few(
    cells: Array,
    groups: Sequence[str],
    within: Mapping[str, Sequence[str]],
    levels: Sequence[tuple[str, ...]],
    names: ColumnNames,
) -> None:
    faults = []
    for factor, own in zip(within, levels, strict=True):
        if len(own) < 2:
            seen, mend = f"there is one level only, {own[0]!r}.", "Name the column that changes within a subject."
            faults.append(Finding("repeated.one-level", Severity.ERROR, Place(names.file, None, factor), seen, mend))
    for group in dict.fromkeys(groups):
        if groups.count(group) < 2:
            seen = f"group {group!r} has one {names.subject}." if group else f"there is one {names.subject}."
            place = Place(names.file, None, names.subject)
            faults.append(
                Finding("compare.one-subject", Severity.ERROR, place, seen, "Its spread is unknown: add subjects.")
            )
    if np.ptp(cells) == 0:
        place = Place(names.file, None, names.value)
        seen = f"all values are {cells.flat[0]:g}."
        faults.append(Finding("compare.no-spread", Severity.ERROR, place, seen, "Is it the right column?"))
    if faults:
        raise InputError("these repeated measures cannot be analysed", faults)


def _contrasts(levels: int) -> Array:
    """Orthonormal contrasts, dims (level, contrast)."""
    basis, _ = np.linalg.qr(np.column_stack([np.ones(levels), np.eye(levels)[:, 1:]]))
    return np.asarray(basis[:, 1:], dtype=np.float64)


def _strata(within: Mapping[str, Sequence[str]], levels: Sequence[tuple[str, ...]]) -> list[tuple[str, Array]]:
    """Orthonormal columns of each stratum: between subjects, each factor, their product."""
    mean = [np.full((len(own), 1), 1 / math.sqrt(len(own))) for own in levels]
    differ = [_contrasts(len(own)) for own in levels]
    named = list(within)
    if len(levels) == 1:
        return [("", mean[0]), (named[0], differ[0])]
    return [
        ("", np.kron(mean[0], mean[1])),
        (named[0], np.kron(differ[0], mean[1])),
        (named[1], np.kron(mean[0], differ[1])),
        (f"{named[0]} x {named[1]}", np.kron(differ[0], differ[1])),
    ]


def _effects(
    rows: Array,
    member: Array,
    within: Mapping[str, Sequence[str]],
    levels: Sequence[tuple[str, ...]],
    names: ColumnNames,
    sums: str,
) -> tuple[RepeatedEffect, ...]:
    counts = member.sum(axis=0)
    free = len(rows) - len(counts)
    parts = []
    for name, basis in _strata(within, levels):
        scores = rows @ basis
        means = (member.T @ scores) / counts[:, None]
        left = scores - member @ means
        overall = scores.mean(axis=0)
        group_sum = float((counts[:, None] * (means - overall) ** 2).sum())
        centre, weight = (
            (overall, counts.sum()) if sums == "II" else (means.mean(axis=0), len(counts) ** 2 / (1 / counts).sum())
        )
        parts.append((name, basis.shape[1], float(weight * (centre**2).sum()), group_sum, left.T @ left))
    errors = sum(float(np.trace(error)) for *_, error in parts)
    found = []
    for name, d, own_sum, group_sum, error in parts:
        if name:
            found.append(_effect(name, True, own_sum, d, error, free, errors))
        if len(counts) > 1:
            label = f"{names.group} x {name}" if name else names.group
            found.append(_effect(label, bool(name), group_sum, d * (len(counts) - 1), error, free, errors))
    return tuple(sorted(found, key=lambda effect: effect.within))


def _effect(name: str, within: bool, total: float, df1: int, error: Array, free: int, errors: float) -> RepeatedEffect:
    d = error.shape[0]
    rest = float(np.trace(error))
    df2 = free * d
    f = (total / df1) / (rest / df2) if rest > 0 else math.inf
    gg, hf = _epsilons(error, free) if within else (math.nan, math.nan)
    w, w_p = _mauchly(error, free) if within else (math.nan, math.nan)

    def tail(epsilon: float) -> float:
        return float(special.fdtrc(df1 * epsilon, df2 * epsilon, f)) if math.isfinite(epsilon) else math.nan

    return RepeatedEffect(
        name, within, f, float(df1), float(df2), tail(1.0), total, rest, gg, hf, tail(gg), tail(min(hf, 1.0)), w, w_p,
        total / (total + rest), total / (total + errors),
    )  # fmt: skip


def _epsilons(error: Array, free: int) -> tuple[float, float]:
    d = error.shape[0]
    if d == 1 or np.trace(error) <= 0:
        return 1.0, 1.0
    gg = float(np.trace(error) ** 2 / (d * (error**2).sum()))
    below = d * (free - d * gg)
    # with very few subjects the estimate leaves its range; it counts as 1 there, as any value above
    return gg, ((free + 1) * d * gg - 2) / below if below > 0 else 1.0


def _mauchly(error: Array, free: int) -> tuple[float, float]:
    """Mauchly's W and p with the second-order term."""
    d = error.shape[0]
    if d < 2 or free < d or np.trace(error) <= 0:
        return math.nan, math.nan
    sign, size = np.linalg.slogdet(error)
    log_w = size - d * math.log(np.trace(error) / d) if sign > 0 else -math.inf
    rho = 1 - (2 * d * d + d + 2) / (6 * free * d)
    second = (d + 2) * (d - 1) * (d - 2) * (2 * d**3 + 6 * d * d + 3 * d + 2) / (288 * (free * d * rho) ** 2)
    chi2, df = -free * rho * log_w, d * (d + 1) / 2 - 1
    first, next_one = float(special.chdtrc(df, chi2)), float(special.chdtrc(df + 4, chi2))
    return math.exp(log_w), min(max(first + second * (next_one - first), 0.0), 1.0)


def _friedman(rows: Array, within: Mapping[str, Sequence[str]], labels: Sequence[str]) -> TestResult | None:
    if len(within) > 1 or labels or rows.shape[1] < 3:
        return None
    from scipy import stats  # takes more than half a second to import

    if all(np.ptp(row) == 0 for row in rows):
        return None
    answer = stats.friedmanchisquare(*rows.T)
    n, k = rows.shape
    note = f"Kendall's W {answer.statistic / (n * (k - 1)):.3f}; ties averaged"
    name = f"Friedman, {next(iter(within))}"
    return TestResult(
        name, "chi2", float(answer.statistic), (float(k - 1),), float(answer.pvalue),
        "no level is larger than another", "beside", note,
    )  # fmt: skip


def _notes(
    y: Array, rows: Array, effects: Sequence[RepeatedEffect], labels: Sequence[str], counts: Sequence[int], sums: str
) -> tuple[str, ...]:
    notes = []
    if np.isfinite(y).sum() > rows.size:
        notes.append("Several values of one cell of a subject were averaged.")
    if any(effect.within and effect.df1 > 1 for effect in effects):
        notes.append(
            "Factors within subjects: p with Greenhouse and Geisser's correction, whether or not Mauchly's test is small."
        )
    if any(effect.within and effect.df1 > 1 and math.isnan(effect.mauchly) for effect in effects):
        notes.append("Too few subjects for Mauchly's test.")
    if len(set(counts)) > 1:
        over = "subjects" if sums == "II" else "groups"
        notes.append(f"Groups differ in size; factors within are tested on the mean over {over} (type {sums}).")
    return tuple(notes)
