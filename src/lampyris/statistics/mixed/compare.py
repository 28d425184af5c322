"""Groups compared by a mixed model: regions and days inside a subject are modelled, never counted as replicates."""

from collections.abc import Sequence

from numpy.typing import ArrayLike

from lampyris.statistics.mixed.results import PLAIN, ColumnNames, LongitudinalComparison, MixedComparison


def mixed_comparison(
    values: ArrayLike,
    groups: Sequence[str],
    subjects: Sequence[str],
    /,
    *,
    nested: Sequence[str] | None = None,
    control: str = "",
    names: ColumnNames = PLAIN,
    level: float = 0.95,
) -> MixedComparison:
    """Compare groups with the subject as unit, regions nested inside it."""
    raise NotImplementedError


def compare_over_time(
    values: ArrayLike,
    groups: Sequence[str],
    subjects: Sequence[str],
    days: ArrayLike,
    /,
    *,
    nested: Sequence[str] | None = None,
    time: str = "auto",
    adjust: str = "holm",
    names: ColumnNames = PLAIN,
    level: float = 0.95,
) -> LongitudinalComparison:
    """Compare groups over time, group x day, with the subject as unit."""
    raise NotImplementedError
