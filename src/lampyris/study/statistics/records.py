"""What the methods checks read of a study's relations and courses."""

import math
from collections.abc import Sequence

from lampyris.core.analyses import OverTime, Relation
from lampyris.core.checks import CorrelationRecord
from lampyris.core.comparison import Comparison, GroupSummary, PairDifference


def correlation_records(related: Sequence[Relation], /, *, level: float = 0.95) -> tuple[CorrelationRecord, ...]:
    """Relations as a reviewer reads them.

    Parameters
    ----------
    related : sequence of Relation
        One value per animal each.
    level : float
        One whose adjusted p lies below 1 less this is taken for claimed.

    Returns
    -------
    tuple of CorrelationRecord
        Over several arms with the arms named, whose means r has removed.
    """
    records = []
    for one in related:
        n, claimed = len(one.animals), one.p_adjusted < 1 - level
        records.append(
            CorrelationRecord(
                one.name, one.r.value, one.r.low, one.r.high, n, n, one.x_values, one.y_values,
                claimed=claimed, groups=() if one.group else one.groups,
            )
        )  # fmt: skip
    return tuple(records)


def course_comparisons(courses: Sequence[OverTime], /) -> tuple[Comparison, ...]:
    """Courses over days as comparisons, so that the same checks read them: the model's means on the last day, its differences.

    Parameters
    ----------
    courses : sequence of OverTime
        Those without a model are passed over.

    Returns
    -------
    tuple of Comparison
    """
    return tuple(_as_comparison(one) for one in courses if one.tests)


def _as_comparison(course: OverTime) -> Comparison:
    answer, design = course.tests[0], course.design
    last = {mean.group: mean.mean for mean in course.means}
    groups = tuple(
        GroupSummary(group, n, (), (), last[group])
        for group, n in zip(design.groups, design.n, strict=True)
        if group in last
    )
    pairs = tuple(PairDifference(one.a, one.b, one.difference, one.p, one.method) for one in course.differences)
    df = (*answer.df, math.nan, math.nan)
    return Comparison(
        course.endpoint, course.unit, design.experimental_unit, answer.name, answer.statistic, df[0], df[1], answer.p, groups, pairs,
        pairs[0].method if pairs else "", course.notes, None, design, course.tests,
        p_adjusted=course.p_adjusted, adjustment="Holm over the endpoints",
    )  # fmt: skip
