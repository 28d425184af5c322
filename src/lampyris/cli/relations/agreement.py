"""Answers of `agree`."""

import argparse
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from lampyris.cli.entries import design_entry, estimate_entry, test_entry
from lampyris.cli.relations.columns import (
    Columns,
    are_numbers,
    asked_table,
    complete_rows,
    is_yes_or_no,
    refuse,
    refuse_few,
    refuse_not_above_zero,
    yes_or_no,
)
from lampyris.cli.relations.parts import (
    Answer,
    Rows,
    independent_note,
    line_entry,
    unit_of,
    warnings_of,
)
from lampyris.core.errors import UsageError
from lampyris.core.estimate import Estimate
from lampyris.report.drawing.scene import Scene
from lampyris.report.levels import level_text
from lampyris.report.numbers import p_text, value_interval
from lampyris.statistics.relations.bland_altman import Agreement, bland_altman
from lampyris.statistics.relations.calls import Calls, sensitivity_specificity
from lampyris.statistics.relations.concordance import MEANINGS, Intraclass, concordance, intraclass
from lampyris.statistics.relations.kappa import Kappa, cohen_kappa, fleiss_kappa
from lampyris.statistics.relations.regression import RelationLine, deming_line, passing_bablok_line
from lampyris.statistics.relations.roc import Roc, roc

# keys that every answer has, whatever was asked
_KEYS = (
    "bias", "bias_interval", "limits", "limits_intervals", "sd", "within_sd", "proportional", "ccc", "ccc_interval",
    "accuracy", "r", "kappa", "kappa_interval", "weights", "categories", "table", "icc", "sensitivity", "specificity",
    "auc",
)  # fmt: skip


def agreed(options: argparse.Namespace, /) -> Answer:
    """Answer of ``agree TABLE``.

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
    if options.truth:
        return _against_truth(options)
    if options.categories is not None:
        return _categories(options)
    table = asked_table(options)
    readers = (options.a, options.b, *options.also)
    if all(name in table.columns and not are_numbers(table, name) for name in readers) and len(table):
        seen = f"columns {', '.join(map(repr, readers))} hold no numbers."
        mend = "Add --categories where they hold categories (kappa), or choose columns of numbers."
        raise refuse(complete_rows(table, (), ()), "relation.no-numbers", seen, mend, options.a)
    return _numbers(options, complete_rows(table, readers, subject=options.subject))


# ---- numbers -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Measures:
    """Agreement of numbers, as far as each could be obtained."""

    limits: Agreement
    ccc: Any
    icc: Intraclass | None
    lines: tuple[RelationLine, ...]
    notes: tuple[str, ...]


def _numbers(options: argparse.Namespace, columns: Columns) -> Answer:
    unit = unit_of(options)
    subject = columns.words[options.subject] if options.subject else None
    units = len(set(subject)) if subject is not None else columns.rows.size
    refuse_few(columns, units, 3, unit)
    if options.ratio:
        refuse_not_above_zero(columns, (options.a, options.b))
    found = _measured(options, columns, subject, unit)
    document = {
        **dict.fromkeys(_KEYS),
        **_limits_entry(found.limits),
        "level": options.level,
        "icc": None if found.icc is None else {name: estimate_entry(e) for name, e in found.icc.forms.items()},
        "lines": [line_entry(line) for line in found.lines],
        "n": units,
    }
    if found.ccc is not None:
        e = found.ccc.ccc
        document |= {"ccc": e.value, "ccc_interval": [e.low, e.high], "accuracy": found.ccc.accuracy, "r": found.ccc.r}

    def draw(width: float) -> Scene:
        from lampyris.report.plots.relations import agreement_plot

        return agreement_plot(found.limits, names=(options.a, options.b), width_mm=width)

    return Answer(
        _limits_sentence(options, found),
        _number_rows(found),
        document,
        (*columns.notes, *independent_note(options), *found.limits.notes, *found.notes),
        warnings_of(columns, options, found.limits.warnings),
        draw,
    )


def _measured(options: argparse.Namespace, columns: Columns, subject: Sequence[str] | None, unit: str) -> _Measures:
    a, b = columns.values[options.a], columns.values[options.b]
    scale = "ratio" if options.ratio else "difference"
    try:
        limits = bland_altman(
            a, b,
            subject=subject, pairing=options.pairing, scale=scale, level=options.level, experimental_unit=unit,
        )  # fmt: skip
    except ValueError as error:
        mend = "Choose two columns that measure the same thing independently, in the same unit."
        raise refuse(columns, "relation.values", f"{error}.", mend) from error
    repeated = subject is not None and len(set(subject)) < len(subject)
    notes: list[str] = []
    ccc = _if_any(lambda: concordance(a, b, subject=subject, level=options.level, unit=unit), notes, "No concordance")
    icc = None
    lines: tuple[RelationLine, ...] = ()
    if repeated:
        notes.append(f"Intraclass correlation and lines need one row per {unit}: they were not obtained.")
    else:
        ratings = np.column_stack([columns.values[name] for name in (options.a, options.b, *options.also)])
        icc = _if_any(lambda: intraclass(ratings, level=options.level, unit=unit), notes, "No intraclass correlation")
        for line in (deming_line, passing_bablok_line):
            drawn = _if_any(partial(line, a, b, level=options.level), notes, "No line")
            lines += (drawn,) if drawn is not None else ()
    return _Measures(limits, ccc, icc, lines, tuple(notes))


def _if_any(obtain: Callable[[], Any], notes: list[str], what: str) -> Any:
    """A measure, or a note of why there is none."""
    try:
        return obtain()
    except ValueError as error:
        notes.append(f"{what}: {error}.")
        return None


def _limits_entry(found: Agreement) -> dict[str, Any]:
    return {
        "bias": found.bias.value,
        "bias_interval": [found.bias.low, found.bias.high],
        "limits": [found.lower.value, found.upper.value],
        "limits_intervals": [[found.lower.low, found.lower.high], [found.upper.low, found.upper.high]],
        "limits_method": found.lower.method,
        "sd": found.sd,
        "within_sd": found.within_sd,
        "scale": found.scale,
        "proportional": estimate_entry(found.proportional),
        "design": design_entry(found.design),
        "tests": [test_entry(test) for test in found.tests],
    }


def _limits_sentence(options: argparse.Namespace, found: _Measures) -> str:
    limits = found.limits
    what = f"{options.a} / {options.b}" if limits.scale == "ratio" else f"{options.a} - {options.b}"
    word = "ratio" if limits.scale == "ratio" else "difference"
    lower, upper, bias = (value_interval(e.value, e.low, e.high) for e in (limits.lower, limits.upper, limits.bias))
    ccc = ""
    if found.ccc is not None:
        e = found.ccc.ccc
        ccc = f" Lin's concordance {value_interval(e.value, e.low, e.high)}."
    return (
        f"{what}: mean {word} {bias}, 95 % limits of agreement {lower} to {upper} "
        f"({level_text([limits.bias])} intervals).{ccc} {limits.design.sentence()}"
    )


def _number_rows(found: _Measures) -> Rows:
    limits = found.limits
    rows: Rows = [("quantity", "value", "low", "high", "by")]
    for name, e in (("bias", limits.bias), ("lower limit", limits.lower), ("upper limit", limits.upper)):
        rows.append(_row(name, e))
    if limits.proportional is not None:
        rows.append(_row("bias per unit of mean", limits.proportional))
    rows += [(f"p of {test.name}", test.p, "", "", f"{test.symbol} = {test.statistic:.3g}") for test in limits.tests]
    if found.ccc is not None:
        rows.append(_row("concordance", found.ccc.ccc))
    if found.icc is not None:
        rows += [(name, e.value, e.low, e.high, MEANINGS[name]) for name, e in found.icc.forms.items()]
    for line in found.lines:
        rows.append(("slope", line.slope.value, line.slope.low, line.slope.high, line.method))
        rows.append(("intercept", line.intercept.value, line.intercept.low, line.intercept.high, line.method))
    return rows


def _row(name: str, e: Estimate) -> tuple[Any, ...]:
    return (name, e.value, e.low, e.high, e.method)


# ---- categories --------------------------------------------------------------------------------------------------


def _categories(options: argparse.Namespace) -> Answer:
    readers = (options.a, options.b, *options.also)
    if options.ratio:
        raise UsageError("--ratio is of numbers: it does not go with --categories.")
    columns = complete_rows(asked_table(options), (), readers, subject=options.subject)
    unit = unit_of(options)
    refuse_few(columns, columns.rows.size, 3, "row")
    order = [word.strip() for word in options.categories.split(",") if word.strip()] or None
    cells = [[_number_word(cell) for cell in columns.words[name]] for name in readers]
    subject = columns.words[options.subject] if options.subject else None
    try:
        if options.also:
            found, notes = _many_readers(cells, order, subject, options, unit)
        else:
            found = cohen_kappa(
                cells[0], cells[1],
                categories=order, weights=options.weights, cluster=subject, level=options.level, unit=unit,
            )  # fmt: skip
            notes = ()
    except ValueError as error:
        mend = "Name all categories from low to high, as in --categories none,few,many."
        raise refuse(columns, "relation.categories", f"{error}.", mend, options.a) from error
    e = found.kappa
    document = {
        **dict.fromkeys(_KEYS),
        "kappa": e.value,
        "kappa_interval": [e.low, e.high],
        "level": options.level,
        "weights": found.weights,
        "agreement": found.agreement,
        "expected": found.expected,
        "categories": found.categories,
        "table": found.table,
        "design": design_entry(found.design),
        "tests": [test_entry(found.test)],
        "lines": [],
        "n": found.design.n[0],
    }
    return Answer(
        _kappa_sentence(found, readers),
        _kappa_rows(found, many=bool(options.also)),
        document,
        (*columns.notes, *independent_note(options), *found.notes, *notes),
        warnings_of(columns, options, ()),
    )


def _number_word(cell: str) -> str:
    """1, 1.0 and 01 are one category."""
    try:
        value = float(cell)
    except ValueError:
        return cell
    return f"{value:g}" if math.isfinite(value) else cell


def _many_readers(
    cells: Sequence[Sequence[str]],
    order: Sequence[str] | None,
    subject: Sequence[str] | None,
    options: argparse.Namespace,
    unit: str,
) -> tuple[Kappa, tuple[str, ...]]:
    """Fleiss' kappa of three readers or more."""
    if options.weights != "none":
        raise UsageError("--weights are of two readers; Fleiss' kappa of several has none.")
    if subject is not None and len(set(subject)) < len(subject):
        raise ValueError(f"Fleiss' kappa needs one row per {unit}, got several")
    names = tuple(order or sorted({word for column in cells for word in column}))
    missing = sorted({word for column in cells for word in column} - set(names))
    if missing:
        raise ValueError(f"categories are {', '.join(names)}: {', '.join(missing)} not among them")
    counts = np.array([[sum(column[k] == name for column in cells) for name in names] for k in range(len(cells[0]))])
    found = fleiss_kappa(counts, level=options.level, unit=unit)
    return replace(found, categories=names), (f"Fleiss' kappa of {len(cells)} readers, who count as interchangeable.",)


def _kappa_sentence(found: Kappa, readers: Sequence[str]) -> str:
    e = found.kappa
    kind = f"{'Fleiss' if len(readers) > 2 else 'Cohen'}'{'' if len(readers) > 2 else 's'} kappa"
    weights = f", {found.weights} weights" if found.weights != "none" else ""
    return (
        f"{' and '.join(readers)}: {kind} = {value_interval(e.value, e.low, e.high)} ({level_text([e])} interval{weights}), "
        f"{p_text(found.test.p)} against chance, agreement {100 * found.agreement:.0f} %. {found.design.sentence()}"
    )


def _kappa_rows(found: Kappa, *, many: bool) -> Rows:
    rows: Rows = [("quantity", "value", "low", "high", "by"), _row("kappa", found.kappa)]
    rows.append(("agreement", found.agreement, "", "", f"by chance {found.expected:.3g}"))
    rows.append(("p", found.test.p, "", "", found.test.name))
    if not many:
        for name, line in zip(found.categories, found.table, strict=True):
            counts = ", ".join(f"{other} {count}" for other, count in zip(found.categories, line, strict=True))
            rows.append((f"rows called {name}", sum(line), "", "", f"by the other: {counts}"))
    return rows


# ---- against a truth ---------------------------------------------------------------------------------------------


def _against_truth(options: argparse.Namespace) -> Answer:
    table = asked_table(options)
    columns = complete_rows(table, (), (options.a, options.b), subject=options.subject)
    unit = unit_of(options)
    refuse_few(columns, columns.rows.size, 2, "row")
    truth = yes_or_no(columns, options.b)
    subject = columns.words[options.subject] if options.subject else None
    shared = {
        "cluster": subject,
        "level": options.level,
        "unit": unit if options.subject else "animal",
        "within": "row",
    }
    try:
        if is_yes_or_no(columns, options.a):
            return _called(options, columns, sensitivity_specificity(yes_or_no(columns, options.a), truth, **shared))
        scores = complete_rows(table, (options.a,), (options.b,), subject=options.subject)
        return _scored(options, columns, roc(scores.values[options.a], truth, **shared))
    except ValueError as error:
        mend = "A truth needs rows of both kinds, and an interval at least two subjects."
        raise refuse(columns, "relation.truth", f"{error}.", mend, options.b) from error


def _called(options: argparse.Namespace, columns: Columns, found: Calls) -> Answer:
    e, f = found.sensitivity, found.specificity
    sentence = (
        f"{options.a} against {options.b}: sensitivity {value_interval(e.value, e.low, e.high)}, specificity "
        f"{value_interval(f.value, f.low, f.high)} ({level_text([e])} intervals). {found.design.sentence()}"
    )
    document = {**_call_keys(options, found), "n": found.design.n[0]}
    return Answer(
        sentence, _call_rows(found), document, (*columns.notes, *found.notes), warnings_of(columns, options, ())
    )


def _scored(options: argparse.Namespace, columns: Columns, found: Roc) -> Answer:
    e = found.auc
    sentence = (
        f"{options.a} against {options.b}: area under the ROC curve {value_interval(e.value, e.low, e.high)} "
        f"({level_text([e])} interval), {p_text(found.test.p)} against 1/2. {found.design.sentence()}"
    )
    document = {
        **_call_keys(options, found.best),
        "auc": e.value,
        "auc_interval": [e.low, e.high],
        "best_threshold": found.best_threshold,
        "tests": [test_entry(found.test)],
        "n": found.design.n[0],
    }
    rows = _call_rows(found.best)
    rows[1:1] = [
        _row("area", e),
        ("best threshold", found.best_threshold, "", "", "largest Youden index; what follows is at it"),
    ]

    def draw(width: float) -> Scene:
        from lampyris.report.plots.relations import roc_plot

        return roc_plot(found, label=options.a, width_mm=width)

    notes = (*columns.notes, *found.notes)
    return Answer(sentence, rows, document, notes, warnings_of(columns, options, ()), draw)


def _call_keys(options: argparse.Namespace, found: Calls) -> dict[str, Any]:
    names = ("positive_predictive", "negative_predictive", "likelihood_positive", "likelihood_negative", "youden")
    return {
        **dict.fromkeys(_KEYS),
        "level": options.level,
        "sensitivity": found.sensitivity.value,
        "sensitivity_interval": [found.sensitivity.low, found.sensitivity.high],
        "specificity": found.specificity.value,
        "specificity_interval": [found.specificity.low, found.specificity.high],
        **{name: estimate_entry(getattr(found, name)) for name in names},
        "counts": {
            "true_positive": found.true_positive,
            "false_positive": found.false_positive,
            "true_negative": found.true_negative,
            "false_negative": found.false_negative,
        },
        "design": design_entry(found.design),
        "tests": [],
        "lines": [],
    }


def _call_rows(found: Calls) -> Rows:
    rows: Rows = [("quantity", "value", "low", "high", "by")]
    for name in (
        "sensitivity", "specificity", "positive_predictive", "negative_predictive", "likelihood_positive",
        "likelihood_negative", "youden",
    ):  # fmt: skip
        rows.append(_row(name.replace("_", " "), getattr(found, name)))
    return rows
