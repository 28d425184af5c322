"""What the methods checks read of a study's relations and courses."""

from collections.abc import Sequence

from lampyris.core.analyses import Relation
from lampyris.core.checks import CorrelationRecord
from lampyris.study.statistics.family import relation_name
from lampyris.study.statistics.relating import within_arms


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
        Over several arms with the arms' means removed, as r is.
    """
    records = []
    for one in related:
        x, y = one.x_values, one.y_values
        if not one.group:
            x, y = within_arms(x, one.groups), within_arms(y, one.groups)
        n, claimed = len(one.animals), one.p_adjusted < 1 - level
        records.append(
            CorrelationRecord(relation_name(one), one.r.value, one.r.low, one.r.high, n, n, x, y, claimed=claimed)
        )
    return tuple(records)
