"""Answers of `correlate`."""

import argparse
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lampyris.cli.entries import design_entry, estimate_entry, test_entry
from lampyris.cli.relations.columns import (
    Columns,
    asked_table,
    complete_rows,
    logarithms,
    refuse,
    refuse_equal,
    refuse_few,
)
from lampyris.cli.relations.parts import (
    Answer,
    Rows,
    independent_note,
    line_entry,
    unit_of,
    warnings_of,
)
from lampyris.core.errors import InputError, UsageError
from lampyris.core.finding import Finding, Place, Severity
from lampyris.report.drawing.scene import Scene
from lampyris.report.levels import level_text
from lampyris.report.numbers import p_text, value_interval
from lampyris.statistics.relations.coefficient import LEAST, Correlation, PseudoReplicationError
from lampyris.statistics.relations.correlation import correlate, correlation_from_summary, partial_correlation
from lampyris.statistics.relations.regression import RelationLine, deming_line, lines_beside, york_relation
from lampyris.statistics.relations.repeated import repeated_correlation


@dataclass(frozen=True, slots=True, eq=False)
class _Pairs:
    """What is correlated: columns after logarithms and averaging."""

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    labels: tuple[str, str]
    subject: tuple[str, ...] | None
    covariates: NDArray[np.float64]
    unit: str


def correlated(options: argparse.Namespace, /) -> Answer:
    """Answer of ``correlate TABLE``.

    Parameters
    ----------
    options : Namespace
        As `lampyris.cli.relations.verbs` parses them.

    Returns
    -------
    Answer

    Raises
    ------
    InputError
        If the table does not hold what is asked for.
    UsageError
        If options contradict each other.
    """
    sds = [text for text in (options.sd_x, options.sd_y) if text and _scalar(text) is None]
    table = asked_table(options)
    columns = complete_rows(table, [options.x, options.y, *options.covariate, *sds], subject=options.subject)
    unit = unit_of(options)
    refuse_few(columns, columns.rows.size, LEAST, unit if options.subject else "row")
    refuse_equal(columns, (options.x, options.y, *options.covariate))
    pairs = _pairs(columns, options, unit)
    repeated = pairs.subject is not None and len(set(pairs.subject)) < len(pairs.subject) and not options.means
    if repeated and (options.sd_x or options.variance_ratio):
        seen = "rows of one subject are alike: a line with errors in both columns needs one row per subject."
        raise _pseudo_replication(columns, options, seen)
    found = _asked(columns, pairs, options)
    lines = () if repeated or options.covariate else _lines(columns, pairs, options, found.method)
    line = lines[0] if lines else None
    warnings = warnings_of(columns, options, (*found.warnings, *(w for each in lines for w in each.warnings)))
    document = {
        **_correlation_entry(found),
        "x": pairs.labels[0],
        "y": pairs.labels[1],
        "slope": estimate_entry(line.slope if line else found.slope),
        "lines": [line_entry(each) for each in lines],
    }
    notes = (*columns.notes, *independent_note(options), *found.notes, *(n for each in lines[:1] for n in each.notes))
    draw = None if options.covariate else _scatter(pairs, found, line)
    return Answer(_sentence(found, pairs.labels), _correlation_rows(found, lines), document, notes, warnings, draw)


def correlated_from_summary(options: argparse.Namespace, /) -> Answer:
    """Answer of ``correlate --r R --n N``.

    Raises
    ------
    UsageError
        If the numbers are none of a correlation.
    """
    try:
        found = correlation_from_summary(options.r, options.n, level=options.level)
    except ValueError as error:
        raise UsageError(f"--r and --n: {error}.") from error
    document = {**_correlation_entry(found), "slope": None, "lines": []}
    return Answer(_sentence(found, ("x", "y")), _correlation_rows(found, ()), document, found.notes)


def _pairs(columns: Columns, options: argparse.Namespace, unit: str) -> _Pairs:
    x, y = columns.values[options.x], columns.values[options.y]
    labels = [options.x, options.y]
    if options.log and (options.sd_x or options.sd_y):
        raise UsageError("--sd-x and --sd-y are of the values as they are, not of their logarithms: leave out --log.")
    if options.log in ("x", "both"):
        x, labels[0] = logarithms(columns, options.x), f"log10 {options.x}"
    if options.log in ("y", "both"):
        y, labels[1] = logarithms(columns, options.y), f"log10 {options.y}"
    subject = columns.words[options.subject] if options.subject else None
    z = [columns.values[name] for name in options.covariate]
    if options.means and subject is not None and options.covariate:
        names, place = np.unique(np.array(subject), return_inverse=True)
        x, y, *z = (np.bincount(place, column) / np.bincount(place) for column in (x, y, *z))
        subject = tuple(map(str, names))
    covariates = np.column_stack(z) if z else np.empty((x.size, 0))
    return _Pairs(x, y, (labels[0], labels[1]), subject, covariates, unit)


def _asked(columns: Columns, pairs: _Pairs, options: argparse.Namespace) -> Correlation:
    try:
        if options.covariate:
            return _adjusted(pairs, options)
        return correlate(
            pairs.x, pairs.y,
            subject=pairs.subject, method=options.method, of_means=options.means, level=options.level, unit=pairs.unit,
        )  # fmt: skip
    except PseudoReplicationError as error:
        raise _pseudo_replication(columns, options, error.seen) from error
    except ValueError as error:
        mend = "Look at the columns, or choose another form: lampyris correlate --help."
        raise refuse(columns, "relation.values", f"{error}.", mend) from error


def _adjusted(pairs: _Pairs, options: argparse.Namespace) -> Correlation:
    """Adjusted for covariates, within subjects where they have several rows."""
    shared = {"level": options.level, "unit": pairs.unit}
    subject = pairs.subject or ()
    repeated = len(set(subject)) < len(subject)
    if options.method not in (None, "repeated" if repeated else "pearson"):
        raise UsageError("--covariate adjusts Pearson's correlation, or that within subjects: leave out --method.")
    if repeated:
        found = repeated_correlation(pairs.x, pairs.y, subject, covariates=pairs.covariates, **shared)
    else:
        found = partial_correlation(pairs.x, pairs.y, pairs.covariates, **shared)
    return replace(found, design=replace(found.design, covariates=tuple(options.covariate)))


def _pseudo_replication(columns: Columns, options: argparse.Namespace, seen: str) -> InputError:
    name = options.subject
    mend = (
        f"Ask within (--method repeated, or leave out --method): do {options.x} and {options.y} change together in each {name}? "
        f"Or between (--means): does the {name} with the higher {options.x} have the higher {options.y}?"
    )
    return refuse(columns, "relation.pseudo-replication", seen, mend, name)


def _lines(columns: Columns, pairs: _Pairs, options: argparse.Namespace, method: str) -> tuple[RelationLine, ...]:
    """The line that was asked for first, then those beside it."""
    x, y = pairs.x, pairs.y
    if options.means and pairs.subject is not None and len(set(pairs.subject)) < len(pairs.subject):
        place = np.unique(np.array(pairs.subject), return_inverse=True)[1]
        x, y = (np.bincount(place, column) / np.bincount(place) for column in (x, y))
    shared = {"level": options.level, "unit": pairs.labels[1], "experimental_unit": pairs.unit}
    asked: list[RelationLine] = []
    try:
        if options.sd_x:
            if x.size < pairs.x.size:
                raise UsageError("--sd-x and --sd-y are those of rows: they do not go with means of several rows.")
            sds = [_sd(columns, text) for text in (options.sd_x, options.sd_y)]
            _refuse_exact(columns, options, sds)
            asked.append(york_relation(x, y, *sds, **shared))
        if options.variance_ratio:
            asked.append(deming_line(x, y, variance_ratio=options.variance_ratio, **shared))
        beside = lines_beside(x, y, **shared) if method == "pearson" else ()
    except ValueError as error:
        raise refuse(columns, "relation.line", f"{error}.", "Look at the plot: is there a line at all?") from error
    names = {line.method for line in asked}
    return (*asked, *(line for line in beside if line.method not in names))


def _scalar(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _sd(columns: Columns, text: str) -> NDArray[np.float64]:
    value = _scalar(text)
    if value is not None:
        if not (math.isfinite(value) and value >= 0):
            raise UsageError(f"a standard deviation is a number of at least 0 or a column, got {text!r}.")
        return np.full(columns.rows.size, value)
    return columns.values[text]


def _refuse_exact(columns: Columns, options: argparse.Namespace, sds: Sequence[NDArray[np.float64]]) -> None:
    faults = []
    for k, line in enumerate(columns.lines()):
        pair = tuple(float(sd[k]) for sd in sds)
        if min(pair) < 0 or max(pair) == 0:
            seen = f"standard deviations {pair[0]:g} and {pair[1]:g}: none may be below 0, and one must be above."
            place = Place(columns.table.file, line, options.sd_x if pair[0] <= 0 else options.sd_y)
            faults.append(Finding("relation.no-error", Severity.ERROR, place, seen, "Give each point an error."))
    if faults:
        raise InputError(f"{columns.table.file}: standard deviations that make no weight", faults)


def _scatter(pairs: _Pairs, found: Correlation, line: RelationLine | None) -> Callable[[float], Scene]:
    def draw(width: float) -> Scene:
        from lampyris.report.plots.relations import scatter_plot

        x, y, subject = pairs.x, pairs.y, pairs.subject
        if subject is not None and found.method != "repeated" and len(set(subject)) < len(subject):
            names, place = np.unique(np.array(subject), return_inverse=True)
            x, y = (np.bincount(place, column) / np.bincount(place) for column in (x, y))
            subject = tuple(map(str, names))
        return scatter_plot(
            x.tolist(), y.tolist(), found, labels=pairs.labels, line=line, subject=subject, width_mm=width
        )

    return draw


def _sentence(found: Correlation, labels: tuple[str, str]) -> str:
    e = found.r
    name = {
        "pearson": "Pearson's r",
        "spearman": "Spearman's rho",
        "kendall": "Kendall's tau",
        "repeated": "repeated-measures r",
        "partial": "partial r",
    }[found.method]
    name += f" adjusted for {', '.join(found.design.covariates)}" if found.design.covariates else ""
    test = found.tests[0]
    df = f", df = {test.df[0]:g}" if test.df else ""
    return (
        f"{labels[1]} against {labels[0]}: {name} = {value_interval(e.value, e.low, e.high)} ({level_text([e])} interval), "
        f"{p_text(found.p)}{df}, n = {found.n}. {found.design.sentence()}"
    )


def _correlation_rows(found: Correlation, lines: Sequence[RelationLine]) -> Rows:
    rows: Rows = [("quantity", "value", "low", "high", "by")]
    rows.append(("correlation", found.r.value, found.r.low, found.r.high, found.r.method))
    for test in found.tests:
        words = f"{test.name}{f', {test.note}' if test.note else ''}"
        rows.append(("p" if test.role == "primary" else "p beside", test.p, "", "", words))
    if found.slope is not None:
        rows.append(("slope", found.slope.value, found.slope.low, found.slope.high, found.slope.method))
    for line in lines:
        rows.append(("slope", line.slope.value, line.slope.low, line.slope.high, line.method))
        rows.append(("intercept", line.intercept.value, line.intercept.low, line.intercept.high, line.method))
    if found.influence is not None:
        one = found.influence
        rows.append((f"r without {one.unit}", one.r, "", "", f"the most influential; {p_text(one.p)}"))
    if found.needed is not None:
        rows.append(("n for power 0.8", found.needed, "", "", "for a true correlation of the observed size"))
    return rows


def _correlation_entry(found: Correlation) -> dict[str, Any]:
    one = found.influence
    return {
        "r": found.r.value,
        "p": found.p,
        "low": found.r.low,
        "high": found.r.high,
        "n": found.n,
        "level": found.r.level,
        "method": found.method,
        "interval": found.r.method,
        "design": design_entry(found.design),
        "tests": [test_entry(test) for test in found.tests],
        "n_needed": found.needed,
        "influence": None
        if one is None
        else {
            "unit": one.unit,
            "r": one.r,
            "p": one.p,
            "sign_flips": one.sign_flips,
            "significance_flips": one.significance_flips,
        },
    }
