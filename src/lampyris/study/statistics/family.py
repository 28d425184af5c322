"""All answers of a study in one list, each with its exact p and with p adjusted for what was asked together."""

import math
from collections.abc import Sequence
from dataclasses import replace

from lampyris.core.analyses import OverTime, Relation, StudyTest
from lampyris.core.comparison import Comparison
from lampyris.core.onset import OnsetResult
from lampyris.statistics.multiplicity import holm
from lampyris.study.statistics import courses, onsets
from lampyris.study.statistics.relating import is_answer

ENDPOINTS, ORGANS, RELATIONS = "endpoints", "organs", "relations"


def adjusted_family(p_values: Sequence[float], primary: int | None, /) -> tuple[float, ...]:
    """p adjusted over endpoints.

    Parameters
    ----------
    p_values : sequence of float
        NaN where no test was made.
    primary : int or None
        Place of the endpoint that was stated in advance; None where none was.

    Returns
    -------
    tuple of float
        Holm's adjustment of all. With a primary endpoint that one alone stands as it is, and the others are Holm-adjusted
        among themselves and never below it: they are asked after it (serial gatekeeping), so that the chance of any false
        finding stays at the level.

    References
    ----------
    Holm 1979, Scand J Stat 6:65; Dmitrienko & Tamhane 2007, Pharm Stat 6:171, doi:10.1002/pst.291.

    Examples
    --------
    >>> adjusted_family([0.01, 0.04, 0.02], None)
    (0.03, 0.04, 0.04)
    >>> adjusted_family([0.03, 0.04, 0.01], 0)
    (0.03, 0.04, 0.03)
    """
    if primary is None or math.isnan(p_values[primary]):
        return tuple(float(p) for p in holm(p_values))
    gate = p_values[primary]
    rest = holm([p for k, p in enumerate(p_values) if k != primary])
    later = iter(float(p) if math.isnan(p) else max(float(p), gate) for p in rest)
    return tuple(gate if k == primary else next(later) for k in range(len(p_values)))


def adjusted(
    comparisons: Sequence[tuple[str, Comparison]],
    course: OverTime | None,
    onset: Sequence[OnsetResult],
    related: Sequence[Relation],
    /,
    *,
    primary: str = "",
) -> tuple[tuple[Comparison, ...], OverTime | None, tuple[StudyTest, ...]]:
    """Adjust p over the endpoints and list every answer.

    Parameters
    ----------
    comparisons : sequence of (str, Comparison)
        With the key of the endpoint.
    course : OverTime or None
    onset : sequence of OnsetResult
        Any organ first; the organs are a family of their own.
    related : sequence of Relation
        A family of their own.
    primary : str
        Key of the endpoint that was stated in advance: one of the comparisons', ``course`` or ``onset``; "" for none.

    Returns
    -------
    (tuple of Comparison, OverTime or None, tuple of StudyTest)
        With their adjusted p; the list holds tests that were made.
    """
    spread = [one for one in onset if one.event.endswith(onsets.ANY)]
    asked = [(key, one.endpoint, one.test, one.p) for key, one in comparisons]
    if course is not None:
        name = course.tests[0].name if course.tests else ""
        asked.append(("course", f"{course.endpoint}: arm by day", name, courses.answer_p(course)))
    asked += [
        ("onset", f"onset of {one.event}", one.tests[0].name if one.tests else "", onsets.answer_p(one))
        for one in spread
    ]
    keys = [key for key, *_ in asked]
    place = keys.index(primary) if primary in keys else None
    p = adjusted_family([one[3] for one in asked], place)
    count = sum(not math.isnan(one[3]) for one in asked)
    method = _method(count, asked[place][1] if place is not None and not math.isnan(asked[place][3]) else "")
    untested = primary if primary and (place is None or math.isnan(asked[place][3])) else ""
    made = tuple(
        _told(one, value, method, k == place, untested)
        for k, ((_, one), value) in enumerate(zip(comparisons, p, strict=False))
    )
    if course is not None:
        course = replace(course, p_adjusted=p[len(made)])
    rows = [
        StudyTest(ENDPOINTS, q, test, own, value, math.nan, key == primary)
        for (key, q, test, own), value in zip(asked, p, strict=True)
    ]
    rows += [
        StudyTest(ORGANS, f"onset of {one.event}", one.tests[0].name, onsets.answer_p(one), one.p_adjusted, math.nan)
        for one in onset
        if one not in spread and one.tests
    ]
    rows += [
        StudyTest(RELATIONS, one.name, one.tests[0].name, one.tests[0].p, one.p_adjusted, math.nan)
        for one in related
        if is_answer(one)
    ]
    rows = [one for one in rows if not math.isnan(one.p)]
    every = holm([one.p for one in rows])
    return made, course, tuple(replace(one, p_all=float(value)) for one, value in zip(rows, every, strict=True))


def _method(count: int, primary: str) -> str:
    if primary:
        return f"primary endpoint {primary}, then Holm over {count - 1} others"
    return f"Holm over {count} endpoint{'' if count == 1 else 's'}"


def _told(comparison: Comparison, p: float, method: str, primary: bool, untested: str) -> Comparison:
    if math.isnan(p):
        return comparison
    notes = comparison.notes
    if primary:
        stated = f"Stated in advance as the primary endpoint: p = {p:.3g} is not adjusted for the others ({method})."
        notes = (*notes, stated)
    if untested:
        notes = (
            *notes,
            f"The endpoint stated in advance as primary ({untested}) was not tested: p is adjusted over all ({method}).",
        )
    return replace(comparison, p_adjusted=p, adjustment=method, notes=notes)
