"""The analyses that a comparison may ask for, each called and put into the parts that are printed."""

import argparse
import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from lampyris.cli.entries import design_entry, test_entry
from lampyris.cli.groups.answers import Answer, axis_label, interval_entry, of_comparison
from lampyris.cli.groups.censored import censored_answer
from lampyris.cli.groups.columns import Asked, asked, asked_summary, days_of
from lampyris.core.comparison import Comparison
from lampyris.core.errors import UsageError
from lampyris.core.estimate import Estimate
from lampyris.report.drawing.scene import Scene
from lampyris.report.numbers import number, value_interval
from lampyris.report.sentences import p_words, plural, reported
from lampyris.statistics.groups import compare_factorial, compare_groups, compare_summary

if TYPE_CHECKING:
    from lampyris.statistics.mixed import ColumnNames, LongitudinalComparison
    from lampyris.statistics.relations.equivalence import Equivalence


def answered(options: argparse.Namespace, /) -> Answer:
    """The analysis that the options ask for."""
    if options.summary:
        summary = asked_summary(options)
        comparison = compare_summary(
            summary.groups, summary.means, summary.sds, summary.ns, source=summary.source, plan=summary.plan
        )
        answer = of_comparison(comparison, summary, logarithmic=False)
    else:
        question = asked(options)
        if options.within:
            return _over_time(options, question)
        if options.limit:
            return censored_answer(question, options.limit)
        comparison = _compared(options, question)
        answer = of_comparison(comparison, question, logarithmic=question.logarithmic)
    if options.equivalence is not None:
        return _with_equivalence(answer, comparison, options)
    return answer


def _compared(options: argparse.Namespace, question: Asked) -> Comparison:
    if question.plan.nested == "mixed" and question.plan.inside in question.table.columns:
        from lampyris.statistics.mixed import mixed_comparison

        _need_subject(question, "--mixed")
        return mixed_comparison(
            question.values,
            question.groups,
            question.subjects or (),
            nested=question.table.words(question.plan.inside),
            control=question.plan.control,
            names=_names(question, options),
            level=question.plan.level,
        ).comparison
    if options.two_way or options.block:
        return _factorial(options, question)
    return compare_groups(
        question.values, question.groups, question.subjects, source=question.source, plan=question.plan
    )


def _factorial(options: argparse.Namespace, question: Asked) -> Comparison:
    """One or two factors, with a block or without."""
    if question.plan.control or options.post_hoc or options.test:
        raise UsageError(
            "--control, --post-hoc and --test do not go with --two-way or --block: all levels are compared"
        )
    words = question.table.words
    factors = {question.source.group: question.groups}
    if options.two_way:
        factors[options.two_way] = words(options.two_way)
    blocks = {options.block: words(options.block)} if options.block else None
    return compare_factorial(
        question.values, factors, question.subjects, blocks=blocks, source=question.source, plan=question.plan
    )


def _need_subject(question: Asked, option: str) -> None:
    if question.subjects is None:
        raise UsageError(
            f"{option} needs --subject: the column of the animal (or other unit) that was measured repeatedly"
        )


def _names(question: Asked, options: argparse.Namespace) -> "ColumnNames":
    from lampyris.statistics.mixed import ColumnNames

    source = question.source
    return ColumnNames(
        value=source.value,
        group=source.group,
        subject=source.subject,
        day=options.within or "day",
        nested=question.plan.inside if question.plan.inside != "row" else "region",
        unit=source.unit,
        experimental_unit=question.plan.experimental_unit,
        file=source.file,
        lines=source.lines,
    )


# ---- over time ---------------------------------------------------------------------------------------------------


def _over_time(options: argparse.Namespace, question: Asked) -> Answer:
    """Groups over days by a mixed model: group x day with the subject as unit."""
    from lampyris.statistics.mixed import compare_over_time

    _need_subject(question, "--within")
    inside = question.plan.inside
    found = compare_over_time(
        question.values,
        question.groups,
        question.subjects or (),
        days_of(question.table, options.within),
        nested=question.table.words(inside) if inside in question.table.columns else None,
        control=question.plan.control,
        names=_names(question, options),
        level=question.plan.level,
    )
    n = ", ".join(map(str, found.design.n))
    unit = plural(found.design.experimental_unit)
    first = f"{reported(found.tests[0])}; n = {n} {unit} ({', '.join(found.design.groups)}); {found.model}."
    others = tuple(f"{reported(t)}." for t in found.tests[1:] if t.role == "primary")
    checks = tuple(f"{reported(t)}{f' ({t.note})' if t.note else ''}" for t in found.tests if t.role != "primary")
    return Answer(
        f"{found.endpoint} by {question.source.group} over {options.within}",
        (first, *others),
        _time_tables(found, options.within, logarithmic=question.logarithmic),
        checks,
        question.warnings,
        (*question.notes, *found.notes, 'Intervals are each for one difference alone, as "p alone" is; p is adjusted.'),
        _time_document(found),
        lambda width: _time_scene(found, options, question, width),
    )


def _time_document(found: "LongitudinalComparison") -> dict[str, Any]:
    """Stable keys of a comparison over time."""
    return {
        "endpoint": found.endpoint,
        "unit": found.unit,
        "design": design_entry(found.design),
        "model": found.model,
        "time": found.time,
        "tests": [test_entry(test) for test in found.tests],
        "pairs": [
            {
                "a": pair.a,
                "b": pair.b,
                "day": pair.day,
                **interval_entry(pair.difference, "difference"),
                "p": pair.p,
                "p_alone": pair.p_alone,
                "method": pair.method,
            }
            for pair in found.pairs
        ],
        "groups": [
            {"group": one.group, "day": one.day, "n": one.n, **interval_entry(one.mean, "mean")} for one in found.means
        ],
        "changes": [
            {
                "group": one.group,
                "from": one.day_from,
                "to": one.day_to,
                **interval_entry(one.difference, "difference"),
                "p": one.p,
                "p_alone": one.p_alone,
                "method": one.method,
            }
            for one in found.changes
        ],
        "slopes": [{"name": one.name, **interval_entry(one.estimate, "slope"), "p": one.p} for one in found.slopes],
        "effect_size": None,
    }


def _time_tables(
    found: "LongitudinalComparison", day: str, *, logarithmic: bool
) -> tuple[tuple[str, list[tuple[str, ...]]], ...]:
    means: list[tuple[str, ...]] = [("group", day, "n", "mean", "interval")]
    means += [(m.group, f"{m.day:g}", str(m.n), *_interval(m.mean, False)) for m in found.means]
    ratio = ("ratio",) if logarithmic else ()
    pairs: list[tuple[str, ...]] = [("pair", day, "difference", "interval", *ratio, "p", "p alone")]
    for pair in found.pairs:
        when = "slope" if math.isnan(pair.day) else f"{pair.day:g}"
        shown = _interval(pair.difference, logarithmic)
        pairs.append((f"{pair.a} - {pair.b}", when, *shown, _p(pair.p), _p(pair.p_alone)))
    # slopes are a family of their own: the days come after them
    method = found.pairs[-1].method if found.pairs else ""
    tables = [("means of the model", means), (f"differences on each {day} ({method})", pairs)]
    if found.changes:
        changes: list[tuple[str, ...]] = [("group", f"{day} from", "to", "change", "interval", *ratio, "p", "p alone")]
        for one in found.changes:
            shown = _interval(one.difference, logarithmic)
            changes.append((one.group, f"{one.day_from:g}", f"{one.day_to:g}", *shown, _p(one.p), _p(one.p_alone)))
        tables.append((f"changes within groups ({found.changes[0].method})", changes))
    if found.slopes:
        slopes: list[tuple[str, ...]] = [("group", f"slope per {day}", "interval", "p")]
        slopes += [(s.name.removeprefix("slope of "), *_interval(s.estimate, False), _p(s.p)) for s in found.slopes]
        tables.append(("slopes", slopes))
    return tuple(tables)


def _interval(one: Estimate, logarithmic: bool) -> tuple[str, ...]:
    """Value and interval; of a difference of log10 also the ratio."""
    shown = (number(one.value, digits=3), _ends(one.low, one.high))
    return (*shown, value_interval(10**one.value, 10**one.low, 10**one.high)) if logarithmic else shown


def _ends(low: float, high: float) -> str:
    return f"{number(low, digits=3)} to {number(high, digits=3)}"


def _p(p: float) -> str:
    return p_words(p)[2:].strip("= ")


def _time_scene(found: "LongitudinalComparison", options: argparse.Namespace, question: Asked, width: float) -> Scene:
    from lampyris.core.analyses import DayMean
    from lampyris.report.plots.frame import GroupStyle
    from lampyris.report.plots.longitudinal import Course, longitudinal_plot

    return longitudinal_plot(
        [Course(one.subject, one.group, one.days, one.values) for one in found.traces],
        [DayMean(one.group, one.day, one.n, one.mean) for one in found.means],
        label=axis_label(found.endpoint, found.unit),
        day_label=options.within,
        notes=[f"{reported(found.tests[0])}."],
        style=GroupStyle(width, control=question.plan.control),
    )


# ---- equivalence -------------------------------------------------------------------------------------------------


def _with_equivalence(answer: Answer, comparison: Comparison, options: argparse.Namespace) -> Answer:
    """The test of equivalence beside the comparison of two groups."""
    found = _equivalence(comparison, options)
    low, high = found.margin
    within = "lies inside" if found.shown else "reaches beyond"
    name = "ratio" if options.log else "difference"
    sentence = (
        f"Equivalence {'is' if found.shown else 'is not'} shown ({p_words(found.p)}, {found.tests[0].name}): the "
        f"{100 * (1 - 2 * found.alpha):g} % interval of the {name}, {_ends(found.effect.low, found.effect.high)}, {within} "
        f"the margin {_ends(low, high)}."
    )
    made = {
        "margin": found.margin,
        "alpha": found.alpha,
        "p": found.p,
        "shown": found.shown,
        **interval_entry(found.effect, "effect"),
    }
    tests = [*answer.document["tests"], *(test_entry(test) for test in found.tests)]
    return replace(
        answer,
        sentences=(*answer.sentences, sentence),
        notes=(*answer.notes, *found.notes),
        document={**answer.document, "tests": tests, "equivalence": made},
    )


def _equivalence(comparison: Comparison, options: argparse.Namespace) -> "Equivalence":
    from lampyris.statistics.relations.equivalence import (
        equivalence_from_summary,
        equivalence_paired,
        equivalence_welch,
    )

    if len(comparison.groups) != 2:
        raise UsageError(
            f"--equivalence compares two groups, and there are {len(comparison.groups)}: keep two with --where"
        )
    a, b = comparison.groups
    alpha = 1 - options.level
    unit = comparison.experimental_unit
    try:
        if options.paired:
            return equivalence_paired(
                a.values,
                b.values,
                margin=options.equivalence,
                alpha=alpha,
                unit=comparison.unit,
                experimental_unit=unit,
            )
        if not a.values:
            summaries = ((one.mean.value, one.sd, one.n) for one in (a, b))
            return equivalence_from_summary(
                *summaries,
                margin=options.equivalence,
                alpha=alpha,
                unit=comparison.unit,
                groups=(a.group, b.group),
                experimental_unit=unit,
            )
        back = [[10**value for value in one.values] if options.log else one.values for one in (a, b)]
        return equivalence_welch(
            *back,
            margin=options.equivalence,
            alpha=alpha,
            scale="geometric ratio" if options.log else "difference",
            unit=comparison.unit,
            groups=(a.group, b.group),
            experimental_unit=unit,
        )
    except ValueError as error:
        raise UsageError(f"--equivalence {options.equivalence:g}: {error}") from error
