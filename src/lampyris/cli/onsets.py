"""Verb of the time to an event: survival."""

import argparse
import math
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lampyris.cli.arguments import AddVerb, above_zero, add_reading, figure_path, whole
from lampyris.cli.entries import design_entry, estimate_entry, test_entry
from lampyris.cli.figures import save_scene
from lampyris.cli.output import print_json, print_table
from lampyris.cli.tables import rows_where, table_read
from lampyris.core.errors import InputError, UsageError

if TYPE_CHECKING:
    from lampyris.core.estimate import Estimate
    from lampyris.core.onset import OnsetArm, OnsetModel, OnsetResult
    from lampyris.io.data_tables import DataTable
    from lampyris.io.onset_columns import OnsetChoice

# as lampyris.statistics.onset has them, which --help must not load
WEIGHTS = ("log-rank", "peto", "gehan")
LAWS = ("weibull", "exponential", "log-normal", "log-logistic")


def add_verbs(verb: AddVerb, /) -> None:
    """Add this module's verbs."""
    survival = verb("survival", _survival, "when an event came, by group: courses, test, hazard ratio")
    survival.add_argument("table", metavar="TABLE", type=Path, help="table with a row per animal")
    survival.add_argument("--time", metavar="T", help="column of the day of the event, or of the last day without it")
    survival.add_argument("--event", metavar="E", help="column with 1 where the event came and 0 where not")
    survival.add_argument("--low", metavar="L", help="column of the last look without the event")
    survival.add_argument("--high", metavar="H", help="column of the first look with it; empty: not by the last look")
    survival.add_argument("--group", metavar="G", default="", help="column of the group")
    survival.add_argument("--control", metavar="NAME", default="", help="group that the others are compared with")
    survival.add_argument(
        "--covariate", metavar="C", action="append", default=[], help="column to adjust for; repeatable"
    )
    survival.add_argument(
        "--strata", metavar="S", default="", help="column within which groups are compared, e.g. cage"
    )
    survival.add_argument(
        "--subject", metavar="S", default="", help="column of the animal (default: animal, if there is one)"
    )
    survival.add_argument(
        "--where",
        metavar="COLUMN=VALUE",
        action="append",
        default=[],
        type=_equals,
        help="keep rows where it holds (also !=); repeatable",
    )
    survival.add_argument(
        "--each", metavar="COLUMN", default="", help="one analysis per value, e.g. organ; p is adjusted"
    )
    survival.add_argument(
        "--first", action="store_true", help="an animal with several rows counts with its first event"
    )
    survival.add_argument("--weights", choices=WEIGHTS, default="log-rank", help="of the test (default: log-rank)")
    survival.add_argument("--law", choices=LAWS, default="weibull", help="of the parametric model (default: weibull)")
    survival.add_argument(
        "--horizon", metavar="DAY", type=above_zero, help="day up to which the restricted mean is taken"
    )
    survival.add_argument("--unit", metavar="U", default="d", help="unit of the times (default: d)")
    survival.add_argument(
        "--seed", type=whole, default=1, metavar="N", help="what permutations are drawn from (default: 1)"
    )
    add_reading(survival)
    survival.add_argument("--plot", type=figure_path, metavar="FILE", help="draw the courses: .svg or .png")


def _equals(text: str) -> tuple[str, str]:
    column, sign, value = text.partition("=")
    if not sign or not column.strip():
        raise argparse.ArgumentTypeError(f"needs COLUMN=VALUE, got {text!r}")
    return column.strip(), value.strip()


def _choice(options: argparse.Namespace) -> "OnsetChoice":
    from lampyris.io.onset_columns import OnsetChoice

    days, looks = (options.time, options.event), (options.low, options.high)
    if not ((all(days) and not any(looks)) or (all(looks) and not any(days))):
        raise UsageError("survival needs either --time and --event, or --low and --high.")
    return OnsetChoice(
        time=options.time or "",
        event=options.event or "",
        low=options.low or "",
        high=options.high or "",
        group=options.group,
        subject=options.subject,
        strata=options.strata,
        covariates=tuple(options.covariate),
        where=tuple(one for one in options.where if not one[0].endswith("!")),
        control=options.control,
        first=options.first,
    )


def _survival(options: argparse.Namespace) -> int:
    choice = _choice(options)
    results = _each(options, choice) if options.each else (_analysed(options, choice),)
    if options.plot:
        _draw(results, options.plot)
    if options.json:
        documents = [onset_document(result) for result in results]
        print_json({"events": documents} if options.each else documents[0])
    else:
        for number, result in enumerate(results):
            if options.each:
                print(f"{chr(10) if number else ''}{result.event}")
            _print(result)
    return 0


def _analysed(options: argparse.Namespace, choice: "OnsetChoice") -> "OnsetResult":
    from lampyris.io.onset_columns import onset_columns
    from lampyris.statistics.onset import OnsetOptions, OnsetTimes, onset_analysis

    table = _table(options)
    read = onset_columns(table, choice)
    where = ", ".join(f"{column} {value}" for column, value in choice.where)
    result = onset_analysis(
        OnsetTimes(read.low, read.high),
        read.groups,
        covariates=read.covariates,
        strata=read.strata,
        exclusions=read.exclusions,
        options=OnsetOptions(
            event=f"event in {where}" if where else "event",
            unit=options.unit,
            experimental_unit=read.unit,
            weights=options.weights,
            law=options.law,
            horizon=options.horizon,
            seed=options.seed,
        ),
    )
    return replace(
        result, notes=(*table.notes, *read.notes, *result.notes), design=replace(result.design, rows=read.rows)
    )


def _table(options: argparse.Namespace) -> "DataTable":
    table = table_read(options.table, options)
    for column, value in options.where:
        # COLUMN!=VALUE, parted at its "="
        if column.endswith("!"):
            table = rows_where(table, f"{column}={value}")
    return table


def _each(options: argparse.Namespace, choice: "OnsetChoice") -> "tuple[OnsetResult, ...]":
    """One analysis per value of a column, p adjusted over them; values without a day in any row are passed over."""
    from lampyris.statistics.multiplicity import holm

    found = []
    for value in sorted(set(_table(options).words(options.each))):
        try:
            found.append(_analysed(options, replace(choice, where=(*choice.where, (options.each, value)))))
        except InputError as error:
            if not all(finding.rule == "onset.no-row" for finding in error.findings):
                raise
            print(f"lampyris: {value}: {error.findings[0].seen}", file=sys.stderr)
    p = holm([one.tests[0].p if one.tests else math.nan for one in found])
    return tuple(replace(one, p_adjusted=float(adjusted)) for one, adjusted in zip(found, p, strict=True))


def _draw(results: "Sequence[OnsetResult]", path: Path) -> None:
    from lampyris.report.drawing.gallery import side_by_side
    from lampyris.report.plots.onset import onset_figure

    save_scene(side_by_side([onset_figure(result) for result in results], columns=2), path)


def onset_document(result: "OnsetResult", /) -> dict[str, Any]:
    """A result in JSON's terms."""
    first = result.tests[0] if result.tests else None
    cox = next((model for model in result.models if model.name.startswith("Cox")), None)
    law = next((model for model in result.models if model is not cox), None)
    model = cox or law
    return {
        "event": result.event,
        "censoring": result.censoring,
        "test": first.name if first else None,
        "chi2": first.statistic if first else None,
        "df": first.df[0] if first else None,
        "p": first.p if first else None,
        "p_adjusted": result.p_adjusted,
        "tests": [test_entry(test) for test in result.tests],
        "groups": [_arm(arm) for arm in result.arms],
        "hazard_ratio": _model(model)["effects"][0] if model and model.effects else None,
        "cox": _model(cox) if cox else None,
        "weibull": _model(law) if law else None,
        "design": design_entry(result.design),
        "warnings": list(result.notes),
    }


def _arm(arm: "OnsetArm") -> dict[str, Any]:
    return {
        "group": arm.group,
        "n": arm.n,
        "events": arm.events,
        "censored": arm.censored,
        "median": arm.median.value,
        "median_within": list(arm.median_within) if arm.median_within else None,
        "low": arm.median.low,
        "high": arm.median.high,
        "restricted_mean": estimate_entry(arm.restricted_mean),
        "days": list(arm.days),
        "free": [one.value for one in arm.free],
        "free_low": [one.low for one in arm.free],
        "free_high": [one.high for one in arm.free],
        "at_risk": list(arm.at_risk),
        "steps": [{"after": after, "by": by, "share": share} for after, by, share in arm.steps],
    }


def _model(model: "OnsetModel") -> dict[str, Any]:
    effects = [
        {
            "term": effect.term,
            **estimate_entry(effect.ratio),
            "p": effect.p,
            "time_ratio": estimate_entry(effect.time_ratio),
        }
        for effect in model.effects
    ]
    return {
        "name": model.name,
        "effects": effects,
        "log_likelihood": model.log_likelihood,
        "shape": estimate_entry(model.shape),
        "tests": [test_entry(test) for test in model.tests],
        "notes": list(model.notes),
    }


def _print(result: "OnsetResult") -> None:
    print(result.design.sentence())
    for one in result.design.exclusions:
        print(f"  left out: {one.unit} ({one.group}): {one.reason}")
    head: tuple[str, ...] = ("group", "n", "events", f"median, {result.unit}", "95 %")
    head += ("restricted mean", "95 %") if result.censoring == "right" else ()
    print_table([head, *(_arm_row(arm)[: len(head)] for arm in result.arms)])
    for test in result.tests:
        beside = " (beside)" if test.role == "beside" else ""
        note = f" ({test.note})" if test.note else ""
        print(f"{test.name}{beside}: chi2 = {test.statistic:.4g}, df {test.df[0]:g}, p = {test.p:.3g}{note}")
    if math.isfinite(result.p_adjusted):
        print(f"adjusted over all events by Holm's procedure: p = {result.p_adjusted:.3g}")
    for model in result.models:
        print(model.name + (f": shape {_text(model.shape)}" if model.shape else ""))
        for effect in model.effects:
            time = f"; time ratio {_text(effect.time_ratio)}" if effect.time_ratio else ""
            print(f"  {effect.term}: hazard ratio {_text(effect.ratio)}, p = {effect.p:.3g}{time}")
        for test in model.tests:
            print(f"  {test.name}: p = {test.p:.3g}" + (f" ({test.note})" if test.note else ""))
        for note in model.notes:
            print(f"  {note}")
    for note in result.notes:
        print(f"note: {note}")


def _arm_row(arm: "OnsetArm") -> tuple[Any, ...]:
    mean = arm.restricted_mean
    ends = (f"{arm.median.low:.3g} to {arm.median.high:.3g}", f"{mean.low:.3g} to {mean.high:.3g}")
    within = arm.median_within
    # between looks no day is known
    day = arm.median.value if within is None or within[0] == within[1] else f"{within[0]:g} to {within[1]:g}"
    return arm.group, arm.n, arm.events, day, ends[0], mean.value, ends[1]


def _text(one: "Estimate") -> str:
    return f"{one.value:.3g} ({one.low:.3g} to {one.high:.3g})"
