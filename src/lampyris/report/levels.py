"""Coverage levels of intervals: the one that the analysis was run with, and those that estimates carry."""

from collections.abc import Iterable
from typing import Any

from lampyris.core.estimate import Estimate
from lampyris.core.study import StudyResults
from lampyris.report.numbers import percent_text

_DEFAULT = 0.95


def interval_level(results: StudyResults, /) -> float:
    """Level of the study's intervals, for those that the page itself derives from counts and stored values.

    Parameters
    ----------
    results : StudyResults
        Its record holds every setting.

    Returns
    -------
    float
        ``analysis.interval_level``; 0.95 where the record does not say.
    """
    analysis: Any = results.record.options.get("analysis")
    return float(analysis.get("interval_level", _DEFAULT)) if isinstance(analysis, dict) else _DEFAULT


def level_text(estimates: Iterable[Estimate], /) -> str:
    """Level of these estimates' intervals as per cent, all where they differ; empty where there is none.

    Examples
    --------
    >>> level_text([Estimate(1.0, 0.1, 0.8, 1.2, 0.9, "1", "normal")]).replace("\\u00a0", " ")
    '90 %'
    """
    return " and ".join(percent_text(level) for level in sorted({estimate.level for estimate in estimates}))


def with_level(title: str, estimates: Iterable[Estimate], /) -> str:
    """A column's head that names the level of the intervals below it."""
    level = level_text(estimates)
    return f"{title} ({level} interval)" if level else title
