"""Bias and coverage of estimates whose truth is known."""

import math
from collections.abc import Mapping, Sequence

import numpy as np

from accuracy.figures import Figure, figure
from lampyris.core.estimate import Estimate
from lampyris.statistics.intervals import wilson_interval

COVERAGE = (0.92, 0.98)
"""Share of 95 % intervals that must hold the truth."""


def scored(
    table: str,
    arm: str,
    measure: str,
    pairs: Sequence[tuple[Estimate, float]],
    /,
    *,
    most_bias: float | None = None,
    judged: bool = True,
    relative: bool = True,
) -> list[Figure]:
    """Lines of a table for one number of one arm.

    Parameters
    ----------
    table, arm, measure : str
        The measure gets ``_bias`` and ``_coverage``.
    pairs : sequence of (Estimate, float)
        What was found, NaN where nothing was, and the truth.
    most_bias : float, optional
        Goal of the median bias.
    judged : bool
        Whether the coverage has a goal; an arm that shows a failure has none.
    relative : bool
        Whether the bias is relative to the truth, which may not be 0; in the number's own unit otherwise.

    Returns
    -------
    list of Figure
        Bias (median, interval by its order statistics), coverage (Wilson), and the share without a number if any.
    """
    # an infinite number, such as a cut-off that is not seen, has an interval as any other: a limit
    told = [(one, truth) for one, truth in pairs if not math.isnan(one.value)]
    lines: list[Figure] = []
    if len(told) < len(pairs):
        lines.append(share(table, arm, f"{measure}_without_number", len(pairs) - len(told), len(pairs)))
    if not told:
        return lines
    misses = np.sort([(one.value - truth) / (truth if relative else 1.0) for one, truth in told])
    reach = 0.98 * math.sqrt(misses.size)
    ends = (
        float(misses[max(0, math.floor(misses.size / 2 - reach))]),
        float(misses[min(misses.size - 1, math.ceil(misses.size / 2 + reach))]),
    )
    bias = float(np.median(misses))
    if most_bias is not None:
        goal, held = f"|.| <= {most_bias:g}", abs(bias) <= most_bias
        lines.append(Figure(table, arm, f"{measure}_bias", bias, *ends, misses.size, goal, held))
    elif np.isfinite([bias, *ends]).all():
        lines.append(figure(table, arm, f"{measure}_bias", bias, ends, misses.size))
    holding = sum(one.low <= truth <= one.high for one, truth in told)
    goals = {"at_least": COVERAGE[0], "at_most": COVERAGE[1]} if judged else {}
    return [*lines, share(table, arm, f"{measure}_coverage", holding, len(told), **goals)]


def covered_or_flagged(
    table: str, arm: str, measure: str, pairs: Sequence[tuple[Estimate, float]], flagged: Sequence[bool], /
) -> Figure:
    """How often an interval holds the truth, or its set was flagged by the program, or there is no number: what may not mislead.

    Parameters
    ----------
    table, arm, measure : str
        The measure gets ``_covered_or_flagged``.
    pairs : sequence of (Estimate, float)
    flagged : sequence of bool
        Of each pair.

    Returns
    -------
    Figure
        With the goal of coverages as its least.
    """
    told = sum(
        warned or math.isnan(one.value) or one.low <= truth <= one.high
        for (one, truth), warned in zip(pairs, flagged, strict=True)
    )
    return share(table, arm, f"{measure}_covered_or_flagged", told, len(pairs), at_least=COVERAGE[0])


def share(table: str, arm: str, measure: str, happened: int, of: int, /, **goals: float | None) -> Figure:
    """How often something happened, with Wilson's interval.

    Parameters
    ----------
    table, arm, measure : str
    happened, of : int
        How often, and of how many.
    **goals : float or None
        Of `figure`.

    Returns
    -------
    Figure
    """
    within = wilson_interval(happened, of)
    return figure(table, arm, measure, happened / of, (within.low, within.high), of, **goals)


def cells_told_off(
    table: str, arm: str, measure: str, cells: Mapping[str, Sequence[tuple[Estimate, float]]], /
) -> Figure:
    """How many cells of a grid are told to hold the truth too rarely or too often, none of which may be.

    A coverage over all cells hides one that misses among others that are too wide.

    Parameters
    ----------
    table, arm, measure : str
        The measure gets ``_cells_told_off``.
    cells : mapping of str to sequence of (Estimate, float)

    Returns
    -------
    Figure
        A cell is told off where its Wilson interval lies beyond the goal of coverages, at 0.95 over all cells together (Bonferroni).
        As in `scored`, an estimate without a number has no interval that could hold anything, nor has a cell of nothing else.
    """
    off = []
    for pairs in cells.values():
        told = [(one, truth) for one, truth in pairs if not math.isnan(one.value)]
        if not told:
            continue
        holding = sum(one.low <= truth <= one.high for one, truth in told)
        within = wilson_interval(holding, len(told), level=1.0 - 0.05 / len(cells))
        off.append(within.high < COVERAGE[0] or within.low > COVERAGE[1])
    return figure(table, arm, f"{measure}_cells_told_off", sum(off), None, len(off), at_most=0.0)
