"""The course of the total lesion flux over days: arm by day in a mixed model with the animal as the unit."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

from lampyris.core.analyses import AnimalCourse, DayDifference, DayMean, OverTime
from lampyris.core.design import Design, Exclusion, TestResult
from lampyris.core.errors import InputError
from lampyris.core.images import FLUX_UNIT
from lampyris.core.study import AnimalOutcome
from lampyris.study.statistics.endpoints import LEAST_ANIMALS, flux_on, labelled_arms

# an arm with more limits than this has a course of its brighter animals only, which is not fitted: a convention of this package
MOST_LIMITS = 0.5
ENDPOINT = "log10 total lesion flux over days"
UNIT = f"log10({FLUX_UNIT})"


def course_over_time(
    outcomes: Sequence[AnimalOutcome], groups: Mapping[str, Mapping[str, str]], /, *, level: float = 0.95
) -> OverTime | None:
    """Compare the labelled arms over days.

    The model takes the logarithm of the total lesion flux of every animal and day on which it was measured. A day on which
    nothing was found is no value: it is left out, counted, and said; an arm of which more than half of the days are such
    limits is not fitted, because what is left of it are its brighter animals.

    Parameters
    ----------
    outcomes : sequence of AnimalOutcome
        All animals.
    groups : mapping of str to mapping
        Per arm key ``role``.
    level : float
        Coverage of the intervals.

    Returns
    -------
    OverTime or None
        With the reason among its notes where nothing could be fitted; None where no animal was seen on two days.
    """
    courses = _courses(outcomes, groups)
    if not any(len(one.days) > 1 for one in courses):
        return None
    arms = labelled_arms(groups)
    barred = {arm: why for arm in arms if (why := _why_not([one for one in courses if one.group == arm]))}
    fitted = [arm for arm in arms if arm not in barred]
    notes = _limits_told(courses, fitted)
    if barred:
        notes += (f"Not in the model: {'; '.join(f'{arm} ({why})' for arm, why in barred.items())}.",)
    rows = [
        (value, one.group, one.animal, day)
        for one in courses
        if one.group in fitted
        for day, value, below in zip(one.days, one.values, one.below, strict=True)
        if not below
    ]
    if len(fitted) < 2:
        why = f"No model was fitted: two labelled arms of {LEAST_ANIMALS} animals with measured values are needed."
        return OverTime(ENDPOINT, UNIT, "", _design(rows, fitted), courses=courses, notes=(why, *notes))
    return _fitted(rows, fitted, courses, notes, level)


def _fitted(
    rows: list[tuple[float, str, str, float]],
    arms: Sequence[str],
    courses: tuple[AnimalCourse, ...],
    notes: tuple[str, ...],
    level: float,
) -> OverTime:
    from lampyris.statistics.mixed import ColumnNames, compare_over_time

    # the model shows groups in the order in which they come
    rows = sorted(rows, key=lambda row: (arms.index(row[1]), row[2], row[3]))
    values, group, animal, day = (list(column) for column in zip(*rows, strict=True))
    names = ColumnNames("log10 flux", "arm", "animal", "day", endpoint=ENDPOINT, unit=UNIT)
    try:
        found = compare_over_time(values, group, animal, day, names=names, level=level)
    except InputError as error:
        why = f"No model was fitted: {error}."
        return OverTime(ENDPOINT, UNIT, "", _design(rows, arms), courses=courses, notes=(why, *notes))
    return OverTime(
        ENDPOINT,
        UNIT,
        found.model,
        _with_limits(found.design, courses),
        _roles(found.tests),
        tuple(DayMean(one.group, one.day, one.n, one.mean) for one in found.means),
        tuple(
            DayDifference(one.a, one.b, one.day, one.difference, one.p_alone, one.p, one.method) for one in found.pairs
        ),
        courses,
        # they are logarithms already
        notes=(*notes, *(note.replace("; try the logarithm", "") for note in found.notes)),
    )


def _roles(tests: tuple[TestResult, ...]) -> tuple[TestResult, ...]:
    """Whether courses differ is the answer; what arms and days do on average stands beside it."""
    first, *others = tests
    return (first, *(replace(one, role="beside") if one.role == "primary" else one for one in others))


def _courses(outcomes: Sequence[AnimalOutcome], groups: Mapping[str, Mapping[str, str]]) -> tuple[AnimalCourse, ...]:
    found = []
    done = sorted((one for one in outcomes if one.status == "done"), key=lambda one: one.animal)
    for arm in groups:
        for one in done:
            if one.group != arm:
                continue
            readings = [(day, flux_on(one, day)) for day in dict.fromkeys(one.days)]
            known = [(day, reading) for day, reading in readings if reading is not None]
            if known:
                days, values = zip(*((day, reading.value) for day, reading in known), strict=True)
                found.append(
                    AnimalCourse(one.animal, arm, days, values, tuple(bool(reading.limit) for _, reading in known))
                )
    return tuple(found)


def _why_not(courses: Sequence[AnimalCourse]) -> str:
    """Why an arm is not fitted; empty where it is."""
    seen = sum(not all(one.below) for one in courses)
    if seen < LEAST_ANIMALS:
        return f"{seen} animal{'' if seen == 1 else 's'} with measured values, {LEAST_ANIMALS} are the least"
    limits, values = sum(sum(one.below) for one in courses), sum(len(one.days) for one in courses)
    return f"{limits} of {values} values are limits" if limits > MOST_LIMITS * values else ""


def _limits_told(courses: Sequence[AnimalCourse], arms: Sequence[str]) -> tuple[str, ...]:
    counts = {
        arm: (
            sum(sum(one.below) for one in courses if one.group == arm),
            sum(len(one.days) for one in courses if one.group == arm),
        )
        for arm in arms
    }
    some = [f"{below} of {values} in {arm}" for arm, (below, values) in counts.items() if below]
    if not some:
        return ()
    return (
        f"Values that are detection limits are not in the model: {', '.join(some)}. It describes days on which the animal's flux was "
        "measured; where limits were left out the arm's mean is too high.",
    )


def _with_limits(design: Design, courses: Sequence[AnimalCourse]) -> Design:
    """The design with the values below the limit that the model does not have, and the animals that it has not at all."""
    below = tuple(sum(sum(one.below) for one in courses if one.group == group) for group in design.groups)
    lost = tuple(
        Exclusion(one.animal, one.group, "never above its limit")
        for one in courses
        if one.group in design.groups and all(one.below)
    )
    return Design(
        design.experimental_unit,
        design.groups,
        design.n,
        rows=design.rows,
        within=design.within,
        below_limit=below,
        exclusions=(*design.exclusions, *lost),
    )


def _design(rows: Sequence[tuple[float, str, str, float]], arms: Sequence[str]) -> Design:
    if not arms:
        return Design("animal", (), (0,), within=("day",))
    n = tuple(len({row[2] for row in rows if row[1] == arm}) for arm in arms)
    return Design("animal", tuple(arms), n, rows=len(rows), within=("day",))


def answer_p(course: OverTime, /) -> float:
    """p of the question whether the arms' courses differ; NaN where it was not asked."""
    return course.tests[0].p if course.tests else math.nan
