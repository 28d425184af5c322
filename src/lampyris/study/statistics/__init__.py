"""The study's own statistics: endpoints, arms compared, courses over days, onsets, relations, and all p together.

The animal is the experimental unit throughout.
"""

from collections.abc import Mapping, Sequence

from lampyris.core.analyses import Analyses
from lampyris.core.comparison import Comparison
from lampyris.core.study import AnimalOutcome
from lampyris.study.statistics.comparing import compare_arms
from lampyris.study.statistics.courses import course_over_time
from lampyris.study.statistics.designs import lost_animals, lots_by_arm, told_in_full
from lampyris.study.statistics.endpoints import LEAST_ANIMALS, study_endpoints
from lampyris.study.statistics.family import adjusted
from lampyris.study.statistics.onsets import onsets_by_organ
from lampyris.study.statistics.relating import relations

__all__ = [
    "LEAST_ANIMALS",
    "compare_arms",
    "course_over_time",
    "onsets_by_organ",
    "relations",
    "study_endpoints",
    "study_statistics",
]


def study_statistics(
    outcomes: Sequence[AnimalOutcome],
    groups: Mapping[str, Mapping[str, str]],
    weights: Mapping[str, float] | None = None,
    /,
    *,
    level: float = 0.95,
    study: str = "",
    primary: str = "",
    lots: Mapping[str, Sequence[str]] | None = None,
) -> tuple[tuple[Comparison, ...], Analyses]:
    """Every analysis of a study, with p adjusted.

    Parameters
    ----------
    outcomes : sequence of AnimalOutcome
        All animals.
    groups : mapping of str to mapping
        Per arm key ``role``, in the order in which arms are shown.
    weights : mapping of str to float, optional
        Weight of each animal in g.
    level : float
        Coverage of the intervals.
    study : str
        The study's name: permutations are drawn from it.
    primary : str
        Key of the endpoint stated in advance; "" for none.
    lots : mapping of str to sequence of str, optional
        Lots of the probe that each animal was given, for the designs.

    Returns
    -------
    (tuple of Comparison, Analyses)
        The same for the same animals in any order.
    """
    keys = [one.key for one in study_endpoints(outcomes, groups)]
    compared = compare_arms(outcomes, groups, level=level, study=study)
    course = course_over_time(outcomes, groups, level=level)
    onset = onsets_by_organ(outcomes, groups, level=level, study=study)
    related = relations(outcomes, groups, weights, level=level)
    made, course, family = adjusted(tuple(zip(keys, compared, strict=True)), course, onset, related, primary=primary)
    lost, given = lost_animals(outcomes), lots_by_arm(outcomes, lots or {})
    found = Analyses(
        (told_in_full(course, lost, given),) if course is not None else (),
        tuple(told_in_full(one, lost, given) for one in onset),
        tuple(told_in_full(one, lost, given) for one in related),
        family,
    )
    return tuple(told_in_full(one, lost, given) for one in made), found
