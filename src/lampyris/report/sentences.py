"""A comparison in words: one sentence to paste into a manuscript, and the tables that stand below it.

Numbers are those of the comparison; nothing is computed here but a ratio from a difference of logarithms.
"""

import math
from collections.abc import Sequence

from lampyris.core.comparison import Comparison, GroupSummary, PairDifference
from lampyris.core.design import TestResult
from lampyris.core.estimate import Estimate
from lampyris.report.levels import level_text
from lampyris.report.numbers import MISSING, number, unit_text, value_interval

SYMBOLS = {"chi2": "χ²", "rho": "ρ", "tau": "τ"}
"""Letters of statistics as they are printed."""
# a p below this is rounding of the distribution's tail
_LEAST_P = 1e-15


def p_words(p: float, /) -> str:
    """An exact p in three digits, for a manuscript; the page shows the two of `lampyris.report.numbers.p_text`.

    Examples
    --------
    >>> p_words(0.01739), p_words(0.9999), p_words(float("nan"))
    ('p = 0.0174', 'p = 1.00', 'p not obtained')
    >>> p_words(1.2e-9).replace("\\u202f", " ")
    'p = 1.20 × 10⁻⁹'
    """
    if math.isnan(p):
        return "p not obtained"
    return f"p < {number(_LEAST_P, digits=1)}" if p < _LEAST_P else f"p = {number(p, digits=3)}"


def df_text(df: float, /) -> str:
    """Degrees of freedom: whole where they are, else in three digits.

    Examples
    --------
    >>> df_text(2.0), df_text(17.128), df_text(3.468)
    ('2', '17.1', '3.47')
    """
    return f"{df:.0f}" if float(df).is_integer() else f"{df:.3g}"


def reported(test: TestResult, /) -> str:
    """A test as it is reported.

    Examples
    --------
    >>> reported(TestResult("Welch's analysis of variance", "F", 5.1810, (2.0, 17.128), 0.01739))
    "Welch's analysis of variance, F(2, 17.1) = 5.18, p = 0.0174"
    """
    inside = f"({', '.join(df_text(one) for one in test.df)})" if test.df else ""
    shown = number(test.statistic, digits=3)
    # a check such as a ratio of spreads has no p
    p = "" if math.isnan(test.p) and not test.df else f", {p_words(test.p)}"
    return f"{test.name}, {SYMBOLS.get(test.symbol, test.symbol)}{inside} = {shown}{p}"


def effect_text(effect: Estimate, /) -> str:
    """An effect size with its name and interval."""
    name = effect.method.partition(",")[0]
    if math.isnan(effect.value):
        return f"{name} {MISSING}"
    ends = f"{number(effect.low)} to {number(effect.high)}"
    return f"{name} {number(effect.value)} ({level_text([effect])} {ends})"


def comparison_sentence(comparison: Comparison, /, *, counts: bool = True) -> str:
    """One sentence with the test, its statistic, exact p, units per group (where `counts`) and effect size."""
    primary = [test for test in comparison.tests if test.role == "primary"]
    parts = [reported(primary[0])] if primary else [comparison.test or "no test"]
    unit = comparison.experimental_unit
    described = _described_only(comparison)
    tested = [group for group in comparison.groups if group not in described]
    if counts:
        parts.append(f"n = {_counted(tested or comparison.groups, plural(unit))}")
    if counts and tested and described:
        parts.append(f"not tested: {', '.join(f'{group.group} (n = {group.n})' for group in described)}")
    if comparison.effect_size is not None:
        parts.append(effect_text(comparison.effect_size))
    return "; ".join(parts) + "."


def _described_only(comparison: Comparison) -> list[GroupSummary]:
    """Groups that took no part in the test: in none of its pairs, or left out as the notes say."""
    paired = {name for pair in comparison.pairs for name in (pair.a, pair.b)}
    opening = "Left out of the test: "
    named = [one for note in comparison.notes if note.startswith(opening) for one in note[len(opening) :].split("; ")]
    return [
        group
        for group in comparison.groups
        if (paired and group.group not in paired)
        or any(one.startswith((f"{group.group} (n = ", f"{group.group} (all ")) for one in named)
    ]


def _counted(groups: Sequence[GroupSummary], units: str) -> str:
    between = "; " if any("," in group.group for group in groups) else ", "
    return f"{', '.join(str(group.n) for group in groups)} {units} ({between.join(group.group for group in groups)})"


def plural(unit: str, /) -> str:
    """Several of a unit.

    Examples
    --------
    >>> plural("animal"), plural("mouse"), plural("fish")
    ('animals', 'mice', 'fish')
    """
    if unit in ("fish", "mice", "animals"):
        return unit
    if unit.endswith("mouse"):
        return f"{unit[:-5]}mice"
    return unit if unit.endswith("s") else f"{unit}s"


def group_rows(groups: Sequence[GroupSummary], unit: str, /, *, logarithmic: bool = False) -> list[tuple[str, ...]]:
    """A table of groups: n, mean, standard deviation and interval; geometric mean of logarithms, letters where obtained."""
    lettered = any(group.letters for group in groups)
    shown = unit_text(unit)
    head: tuple[str, ...] = (
        "group",
        "n",
        f"mean{f' ({shown})' if shown else ''}",
        "SD",
        f"{level_text([g.mean for g in groups])} interval",
    )
    head += ("geometric mean",) if logarithmic else ()
    rows = [head + (("letters",) if lettered else ())]
    for group in groups:
        mean = group.mean
        row: tuple[str, ...] = (group.group, str(group.n), _shown(mean.value), _shown(group.sd), _ends(mean))
        row += (value_interval(10**mean.value, 10**mean.low, 10**mean.high),) if logarithmic else ()
        rows.append(row + ((group.letters,) if lettered else ()))
    return rows


def pair_rows(pairs: Sequence[PairDifference], /, *, logarithmic: bool = False) -> list[tuple[str, ...]]:
    """A table of pairs: difference with interval, exact p, and effect size where obtained.

    Parameters
    ----------
    pairs : sequence of PairDifference
    logarithmic : bool
        The values are log10: the ratio stands beside the difference.

    Returns
    -------
    list of tuple of str
        The first is the header.
    """
    level = level_text([pair.difference for pair in pairs])
    sized = any(pair.effect_size is not None for pair in pairs)
    ranks = any(pair.difference.unit == "ranks" for pair in pairs)
    # ten to the power of a difference of ranks is no ratio
    logarithmic = logarithmic and not ranks
    ratio = logarithmic or any(pair.ratio is not None for pair in pairs)
    head = ["pair", "difference of mean ranks" if ranks else "difference", f"{level} interval", "p"]
    head += [f"ratio ({level})"] if ratio else []
    named = next((pair.effect_size.method.partition(",")[0] for pair in pairs if pair.effect_size is not None), "")
    head += [f"{named} ({level})"] if sized else []
    rows = [tuple(head)]
    for pair in pairs:
        row = [
            f"{pair.a} - {pair.b}",
            _shown(pair.difference.value),
            _ends(pair.difference),
            p_words(pair.p)[2:].strip("= "),
        ]
        row += [_ratio(pair) if logarithmic else _interval(pair.ratio)] if ratio else []
        row += [_interval(pair.effect_size)] if sized else []
        rows.append(tuple(row))
    return rows


def _ratio(pair: PairDifference) -> str:
    d = pair.difference
    return value_interval(10**d.value, 10**d.low, 10**d.high)


def _interval(estimate: Estimate | None) -> str:
    return "" if estimate is None else value_interval(estimate.value, estimate.low, estimate.high)


def _shown(value: float) -> str:
    return number(value, digits=3)


def _ends(estimate: Estimate) -> str:
    if math.isnan(estimate.low) or math.isnan(estimate.high):
        return MISSING
    return f"{_shown(estimate.low)} to {_shown(estimate.high)}"
