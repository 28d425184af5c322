"""Answers of comparisons in the parts that are printed, and the stable keys of their JSON."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from lampyris.cli.entries import design_entry, test_entry
from lampyris.cli.groups.columns import Asked, AskedSummary
from lampyris.core.comparison import Comparison
from lampyris.core.estimate import Estimate
from lampyris.core.finding import Finding
from lampyris.report.drawing.scene import Scene
from lampyris.report.numbers import unit_text
from lampyris.report.sentences import comparison_sentence, group_rows, pair_rows, reported

Rows = list[tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Answer:
    """An analysis in the parts that are printed.

    Parameters
    ----------
    title : str
    sentences : tuple of str
        To paste.
    tables : tuple of (str, rows)
        Heading and rows, the first of which is the header.
    checks : tuple of str
        What informs and decides nothing.
    warnings : tuple of Finding
    notes : tuple of str
    document : dict
        Stable keys of ``--json``.
    draw : callable
        From a width in mm to the plot.
    """

    title: str
    sentences: tuple[str, ...]
    tables: tuple[tuple[str, Rows], ...]
    checks: tuple[str, ...]
    warnings: tuple[Finding, ...]
    notes: tuple[str, ...]
    document: dict[str, Any]
    draw: Callable[[float], Scene] | None = field(default=None)


def of_comparison(comparison: Comparison, question: Asked | AskedSummary, /, *, logarithmic: bool) -> Answer:
    """A comparison of groups as it is printed."""
    pairs = pair_rows(comparison.pairs, logarithmic=logarithmic)
    tables = [("", group_rows(comparison.groups, comparison.unit, logarithmic=logarithmic))]
    if comparison.pairs:
        tables.append((comparison.post_hoc, pairs))
    primary = [test for test in comparison.tests if test.role == "primary"]
    beside = tuple(f"{reported(t)}{f' ({t.note})' if t.note else ''}" for t in comparison.tests if t.role != "primary")
    notes = (*question.notes, *comparison.notes, *_of_all_pairs(comparison))
    document = {
        "endpoint": comparison.endpoint,
        "unit": comparison.unit,
        "design": design_entry(comparison.design),
        "tests": [test_entry(test) for test in comparison.tests],
        "pairs": [
            {
                "a": pair.a,
                "b": pair.b,
                **interval_entry(pair.difference, "difference"),
                "unit": pair.difference.unit,
                "p": pair.p,
                "method": pair.method or comparison.post_hoc,
                "effect_size": None if pair.effect_size is None else interval_entry(pair.effect_size, "value"),
            }
            for pair in comparison.pairs
        ],
        "groups": [
            {"group": one.group, "n": one.n, **interval_entry(one.mean, "mean"), "sd": one.sd, "letters": one.letters}
            for one in comparison.groups
        ],
        "effect_size": effect_entry(comparison.effect_size),
        "effects": [effect_entry(effect) for effect in comparison.effects],
    }
    return Answer(
        f"{comparison.endpoint} by {question.source.group}",
        (comparison_sentence(comparison), *(f"{reported(test)}." for test in primary[1:])),
        tuple(tables),
        beside,
        (*question.warnings, *comparison.warnings),
        notes,
        document,
        lambda width: _groups_scene(comparison, width, question, powers=logarithmic),
    )


def _of_all_pairs(comparison: Comparison) -> tuple[str, ...]:
    """Which intervals hold for all pairs together."""
    count = len(comparison.pairs)
    if count < 2:
        return ()
    if "likelihood" in comparison.post_hoc:
        return (f"p is for all {count} pairs together; the interval of a difference is for that pair alone.",)
    return (
        f"p and intervals of the differences are for all {count} pairs together; those of ratios and effect sizes for one pair "
        "alone.",
    )


def _groups_scene(comparison: Comparison, width: float, question: Asked | AskedSummary, *, powers: bool) -> Scene:
    from lampyris.report.plots.frame import GroupStyle
    from lampyris.report.plots.groups import groups_plot
    from lampyris.report.plots.paired import paired_plot

    if question.plan.paired:
        return paired_plot(comparison, width_mm=width)
    label = axis_label(comparison.endpoint.removeprefix("log10 "), question.unit) if powers else ""
    return groups_plot(comparison, label=label, powers=powers, style=GroupStyle(width, control=question.plan.control))


def axis_label(name: str, unit: str, /) -> str:
    """What stands beside an axis: a name, and its unit where the name does not hold it."""
    shown = unit_text(unit)
    return f"{name} ({shown})" if shown and shown not in name and unit not in name else name


# ---- stable keys -------------------------------------------------------------------------------------------------


def interval_entry(estimate: Estimate, name: str, /) -> dict[str, Any]:
    """A value under its name, with its interval."""
    return {name: estimate.value, "low": estimate.low, "high": estimate.high, "level": estimate.level}


def effect_entry(estimate: Estimate | None, /) -> dict[str, Any] | None:
    """An effect size with how it was found; None where there is none."""
    return None if estimate is None else {**interval_entry(estimate, "value"), "method": estimate.method}
