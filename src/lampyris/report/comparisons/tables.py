"""Tables of comparisons, courses, onsets and relations, and the list of all answers."""

import math
from collections.abc import Sequence

from lampyris.core.analyses import OverTime, Relation, StudyTest
from lampyris.core.comparison import Comparison
from lampyris.core.design import TestResult
from lampyris.core.estimate import Estimate
from lampyris.core.onset import OnsetArm, OnsetResult
from lampyris.report.arms import Arm
from lampyris.report.levels import level_text, with_level
from lampyris.report.numbers import MISSING, day_text, number
from lampyris.report.sentences import SYMBOLS, df_text
from lampyris.report.tables import (
    Cell,
    Column,
    Row,
    Table,
    day_cell,
    estimate_cell,
    integer_cell,
    number_cell,
    text_cell,
)

_ROLES = {"primary": "answer", "assumption": "check of an assumption", "beside": "beside it"}
_FAMILIES = {"endpoints": "endpoints", "organs": "organs", "relations": "relations"}


def _mean_cell(mean: Estimate) -> Cell:
    """A mean, or the end that is known of it."""
    if math.isnan(mean.value) and math.isfinite(mean.high):
        return Cell(f"below {number(mean.high, digits=3)}", f"\t\t{mean.high:.6g}")
    if math.isnan(mean.value) and math.isfinite(mean.low):
        return Cell(f"above {number(mean.low, digits=3)}", f"\t{mean.low:.6g}\t")
    return estimate_cell(mean)


def _maybe(estimate: Estimate | None) -> Cell:
    return Cell("", "\t\t") if estimate is None else _mean_cell(estimate)


def _p_cell(p: float) -> Cell:
    return Cell("", "") if math.isnan(p) else number_cell(p)


def group_table(comparison: Comparison, arms: dict[str, Arm], index: int, /) -> Table:
    """Mean, spread and letters per arm of one comparison."""
    lettered = any(group.letters for group in comparison.groups)
    rows = []
    for group in comparison.groups:
        arm = arms[group.group]
        cells = [
            text_cell(arm.title),
            integer_cell(group.n),
            integer_cell(sum(group.censored)),
            _mean_cell(group.mean),
            Cell("") if math.isnan(group.sd) else number_cell(group.sd),
        ]
        cells += [text_cell(group.letters)] if lettered else []
        rows.append(Row(tuple(cells), arm.index))
    known = [group.mean for group in comparison.groups if math.isfinite(group.mean.value)]
    columns = [
        Column("Arm"),
        Column(f"n ({comparison.experimental_unit})", "number"),
        Column("At a limit", "number"),
        Column(with_level("Mean", known), "estimate", comparison.unit),
        Column("SD", "number"),
    ]
    columns += [Column("Letters")] if lettered else []
    caption = f"{comparison.endpoint}, per arm"
    caption += "; arms without a common letter differ, those with one were not told apart" if lettered else ""
    return Table(f"groups-{index}", caption, tuple(columns), tuple(rows))


def pair_table(comparison: Comparison, arms: dict[str, Arm], index: int, /) -> Table | None:
    """Differences between arms with interval, exact p and effect sizes; None where there are no pairs."""
    pairs = comparison.pairs
    if not pairs:
        return None
    sized = [pair.effect_size for pair in pairs if pair.effect_size is not None]
    rows = []
    for pair in pairs:
        cells = [
            text_cell(arms[pair.a].title),
            text_cell(arms[pair.b].title),
            _mean_cell(pair.difference),
            number_cell(pair.p),
        ]
        cells += [_maybe(pair.effect_size)] if sized else []
        rows.append(Row(tuple(cells)))
    differences = [pair.difference for pair in pairs]
    columns = [
        Column("Arm"),
        Column("minus"),
        Column(with_level("Difference", differences), "estimate", differences[0].unit),
        Column("p", "number"),
    ]
    columns += [Column(with_level(sized[0].method.partition(",")[0], sized), "estimate")] if sized else []
    caption = f"{comparison.endpoint}, differences" + (f" by {comparison.post_hoc}" if comparison.post_hoc else "")
    return Table(f"pairs-{index}", caption, tuple(columns), tuple(rows))


def tests_table(tests: Sequence[TestResult], name: str, caption: str, /) -> Table | None:
    """The answer, the checks of its assumptions and what stands beside it; None where no test was made."""
    if not tests:
        return None
    rows = tuple(
        Row(
            (
                text_cell(_ROLES.get(test.role, test.role)),
                text_cell(test.name),
                text_cell(_statistic(test)),
                _p_cell(test.p),
                text_cell(test.null),
                text_cell(test.note),
            ),
            muted=test.role != "primary",
        )
        for test in tests
    )
    columns = (
        Column("Is"),
        Column("Test"),
        Column("Statistic"),
        Column("p", "number"),
        Column("Asks whether"),
        Column("Note"),
    )
    return Table(name, caption, columns, rows)


def _statistic(test: TestResult) -> str:
    inside = f"({', '.join(df_text(one) for one in test.df if not math.isnan(one))})" if test.df else ""
    return f"{SYMBOLS.get(test.symbol, test.symbol)}{inside} = {number(test.statistic, digits=3)}"


def family_table(family: Sequence[StudyTest], /) -> Table | None:
    """Every answer of the study with its adjusted p; None where there is none."""
    if not family:
        return None
    stated = any(one.primary for one in family)
    rows = []
    for one in family:
        cells = [text_cell(one.question), text_cell(_FAMILIES.get(one.family, one.family)), text_cell(one.test)]
        cells += [number_cell(one.p), _p_cell(one.p_family), _p_cell(one.p_all)]
        cells += [text_cell("stated in advance" if one.primary else "")] if stated else []
        rows.append(Row(tuple(cells)))
    columns = [
        Column("Question"),
        Column("Asked with"),
        Column("Test"),
        Column("p", "number"),
        Column("p, adjusted", "number"),
        Column("p, over all", "number"),
    ]
    columns += [Column("Primary")] if stated else []
    caption = "Every test that answers a question: exact p, p adjusted for the questions asked together (Holm), and over all of the list"
    return Table("all-tests", caption, tuple(columns), tuple(rows))


def course_table(course: OverTime, arms: dict[str, Arm], index: int, /) -> Table | None:
    """Differences of arms by day; None where no model was fitted."""
    if not course.differences:
        return None
    rows = tuple(
        Row(
            (
                text_cell(arms[one.a].title),
                text_cell(arms[one.b].title),
                text_cell("slope") if math.isnan(one.day) else day_cell(one.day),
                _mean_cell(one.difference),
                number_cell(one.p_alone),
                number_cell(one.p),
            )
        )
        for one in course.differences
    )
    differences = [one.difference for one in course.differences]
    columns = (
        Column("Arm"),
        Column("minus"),
        Column("Day", "number"),
        Column(with_level("Difference", differences), "estimate", course.unit),
        Column("p alone", "number"),
        Column("p, adjusted", "number"),
    )
    caption = f"{course.endpoint}, differences of arms by day ({course.differences[0].method})"
    return Table(f"course-{index}", caption, columns, rows)


def onset_table(onsets: Sequence[OnsetResult], arms: dict[str, Arm], /) -> Table | None:
    """Animals reached, median onset and test per organ; None where nothing was analysed."""
    if not onsets:
        return None
    names = list(dict.fromkeys(arm.group for one in onsets for arm in one.arms))
    rows = []
    for one in onsets:
        own = {arm.group: arm for arm in one.arms}
        cells = [text_cell(one.event)]
        cells += [text_cell(_reached(own[name]) if name in own else "") for name in names]
        test = one.tests[0] if one.tests else None
        cells += [
            text_cell(_statistic(test) if test else ""),
            _p_cell(test.p if test else math.nan),
            _p_cell(one.p_adjusted),
        ]
        rows.append(Row(tuple(cells)))
    columns = (
        Column("Event"),
        *(Column(arms[name].title) for name in names),
        Column("Statistic"),
        Column("p", "number"),
        Column("p over organs (Holm)", "number"),
    )
    caption = (
        "Onset per organ: animals in which it came, the days between which half were reached, and the test of the arms"
    )
    return Table("onset-tests", caption, columns, tuple(rows))


def _reached(arm: OnsetArm) -> str:
    """Animals, and the median day with its interval, or the day after which it lies; between looks the two days it lies between."""
    median, text = arm.median, f"{arm.events} of {arm.n}"
    if not math.isfinite(median.value):
        low = f" ({level_text([median])} after day {_day(median.low)})" if median.low > 0 else ""
        return f"{text}; median not reached{low}"
    ends = f"{_day(median.low)} to {_day(median.high)}"
    within = arm.median_within
    if within is not None and within[0] < within[1]:
        day = f"between days {_day(within[0])} and {_day(within[1])}"
    else:
        day = f"day {_day(median.value)}"
    return f"{text}; median {day} ({level_text([median])} {ends})"


def _day(day: float) -> str:
    return number(day) if math.isinf(day) else day_text(round(day, 1))


def relation_table(relations: Sequence[Relation], arms: dict[str, Arm], /) -> Table | None:
    """Correlations with interval, exact p and what one animal does; None where there are none."""
    if not relations:
        return None
    rows = []
    for one in relations:
        test = one.tests[0]
        answer = test.role == "primary"
        cells = (
            text_cell(one.y),
            text_cell(one.x),
            text_cell(arms[one.group].title if one.group else "all, within arms"),
            integer_cell(len(one.animals)),
            integer_cell(sum(one.design.below_limit)),
            estimate_cell(one.r),
            number_cell(test.p) if answer else text_cell(MISSING),
            _p_cell(one.p_adjusted) if answer else Cell("described", ""),
            text_cell(one.influence or MISSING),
        )
        rows.append(Row(cells, arms[one.group].index if one.group else -1, muted=not answer))
    columns = (
        Column("Of"),
        Column("with"),
        Column("Animals"),
        Column("n", "number"),
        Column("At a limit", "number"),
        Column(with_level("r", [one.r for one in relations]), "estimate"),
        Column("p", "number"),
        Column("p, adjusted", "number"),
        Column("Leaving one out"),
    )
    caption = (
        "Correlations between endpoints of the same animals (Pearson's r, Fisher's interval); the animal is the unit"
    )
    return Table("relations-table", caption, columns, tuple(rows))
