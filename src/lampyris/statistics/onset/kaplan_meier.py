"""Kaplan-Meier courses of right-censored times, their medians and restricted means.

References
----------
Kaplan & Meier 1958, J Am Stat Assoc 53:457, doi:10.1080/01621459.1958.10501452.
Brookmeyer & Crowley 1982, Biometrics 38:29, doi:10.2307/2530286: interval of the median.
Kalbfleisch & Prentice 2002, The Statistical Analysis of Failure Time Data, doi:10.1002/9781118032985: log-log interval.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lampyris.core.estimate import Estimate
from lampyris.statistics.onset.times import Floats, OnsetTimes
from lampyris.statistics.thresholds import half_width

METHOD = "Kaplan-Meier, log-log interval"


@dataclass(frozen=True, slots=True, eq=False)
class Course:
    """A Kaplan-Meier estimate at the days on which anything happened.

    Parameters
    ----------
    days : ndarray, dims (day,)
        Distinct times, events and last looks, in order.
    at_risk, events : ndarray, dims (day,)
        Animals just before each day, and events on it.
    free : ndarray, dims (day,)
        Share without the event after the day.
    greenwood : ndarray, dims (day,)
        Greenwood's sum; variance of `free` over its square.
    """

    days: Floats
    at_risk: Floats
    events: Floats
    free: Floats
    greenwood: Floats


def counts(times: OnsetTimes, days: Floats, /) -> tuple[Floats, Floats]:
    """Animals at risk just before each day, and events on it; who is last looked at on a day is still at risk on it."""
    ends = np.where(times.seen, times.high, times.low)
    at_risk = ends.size - np.searchsorted(np.sort(ends), days, side="left")
    on = np.sort(times.high[times.seen])
    events = np.searchsorted(on, days, side="right") - np.searchsorted(on, days, side="left")
    return at_risk.astype(np.float64), events.astype(np.float64)


def kaplan_meier(times: OnsetTimes, /) -> Course:
    """Kaplan-Meier estimate of the share without the event.

    Parameters
    ----------
    times : OnsetTimes
        Exact or right-censored; of at least one animal.

    Returns
    -------
    Course

    Raises
    ------
    ValueError
        If there is no animal, or an event lies in an interval.

    Examples
    --------
    >>> from lampyris.statistics.onset.times import times_of_events
    >>> [round(float(value), 2) for value in kaplan_meier(times_of_events([6, 7, 10, 15], [1, 0, 1, 1])).free]
    [0.75, 0.75, 0.38, 0.0]
    """
    if not len(times):
        raise ValueError("a Kaplan-Meier estimate needs at least one animal")
    if not times.right_censored_only:
        raise ValueError("events lie in intervals: Kaplan-Meier needs their days; use `turnbull`")
    days = np.unique(np.where(times.seen, times.high, times.low))
    at_risk, events = counts(times, days)
    free = np.asarray(np.cumprod(1.0 - events / at_risk), dtype=np.float64)
    left = at_risk - events
    # where the last animal has its event the sum is infinite, and the interval is not given
    terms = np.divide(events, at_risk * left, out=np.where(events > 0, math.inf, 0.0), where=left > 0)
    return Course(days, at_risk, events, free, np.cumsum(terms))


def log_log_interval(free: Floats, greenwood: Floats, level: float) -> tuple[Floats, Floats]:
    """Pointwise ends on the scale of ``log(-log)``; 1 and 1 before the first event, 0 to NaN-free ends where all had it."""
    half = half_width(level)
    with np.errstate(divide="ignore", invalid="ignore"):
        log = np.log(free)
        power = np.exp(half * np.sqrt(greenwood) / np.abs(log))
        low, high = free**power, free ** (1.0 / power)
    return np.where(free >= 1, 1.0, np.where(free <= 0, 0.0, low)), np.where(
        free >= 1, 1.0, np.where(free <= 0, 0.0, high)
    )


def course_at(course: Course, day: float, /) -> int:
    """Index of the last day of a course that is not after `day`; -1 before the first."""
    return int(np.searchsorted(course.days, day, side="right")) - 1


def free_estimates(course: Course, /, *, level: float = 0.95) -> tuple[Estimate, ...]:
    """Share without the event after each day, with its pointwise log-log interval.

    Where nothing has come yet, or the last animal had its event, Greenwood's variance is 0 or not given, and most programs
    print an interval of no width. Here the low end of a share of 1 is the exact binomial one of the animals that were
    looked at up to that day, and the high end of a share of 0 is that of the day before, below which no share can rise.
    """
    low, high = log_log_interval(course.free, course.greenwood, level)
    none_yet = course.free >= 1
    low = np.where(none_yet, (0.5 * (1 - level)) ** (1 / course.at_risk), low)
    before = np.concatenate([[1.0], high[:-1]])
    high = np.where(course.free <= 0, before, high)
    sd = course.free * np.sqrt(np.where(np.isfinite(course.greenwood), course.greenwood, 0.0))
    rows = zip(course.free, sd, low, high, strict=True)
    return tuple(
        Estimate(float(v), float(s), min(float(a), float(v)), max(float(b), float(v)), level, "1", METHOD)
        for v, s, a, b in rows
    )


def median(course: Course, /, *, level: float = 0.95, unit: str = "d") -> Estimate:
    """Day by which the event came in half of the animals.

    The first day on which the share without it is at most one half, inf where that is not reached; its interval holds the days
    on which the interval of that share holds one half. As in `free_estimates` a share of 1 or 0 has an exact end, so that five
    animals or fewer leave the interval open on either side, and a low end is never later than the last day.
    """
    low, high = log_log_interval(course.free, course.greenwood, level)
    tail = 0.5 * (1 - level)
    low = np.where(course.free >= 1, tail ** (1 / course.at_risk), low)
    had = course.events.sum()
    if had and course.free[-1] <= 0:
        # of all animals that had the event at least these were looked at to their end
        end = 1 - tail ** (1 / had)
        high = np.where(course.free <= 0, min(end, high[-2] if high.size > 1 else 1.0), high)
    value, first, last = (_first(course.days, curve <= 0.5 + 1e-12) for curve in (course.free, low, high))
    first = 0.0 if tail ** (1 / course.at_risk[0]) <= 0.5 else min(first, float(course.days[-1]))
    return Estimate(
        value, math.nan, min(first, value), max(last, value), level, unit, "Kaplan-Meier, Brookmeyer-Crowley log-log"
    )


def _first(days: Floats, where: NDArray[np.bool_]) -> float:
    return float(days[np.argmax(where)]) if where.any() else math.inf


def restricted_mean(course: Course, horizon: float, /, *, level: float = 0.95, unit: str = "d") -> Estimate:
    """Mean event-free time up to a horizon: the area under the curve.

    Parameters
    ----------
    course : Course
        Of one group.
    horizon : float
        Day; beyond the last day the curve is carried on, which is right only where the last animal had its event.
    level : float
        Coverage of the normal interval.
    unit : str
        Of the days.

    Returns
    -------
    Estimate

    References
    ----------
    Royston & Parmar 2013, BMC Med Res Methodol 13:152, doi:10.1186/1471-2288-13-152.

    Examples
    --------
    >>> from lampyris.statistics.onset.times import times_of_events
    >>> round(restricted_mean(kaplan_meier(times_of_events([2, 4, 6], [1, 1, 1])), 6.0).value, 6)
    4.0
    """
    inside = course.days < horizon
    days = course.days[inside]
    edges = np.concatenate([[0.0], days, [horizon]])
    areas = np.concatenate([[1.0], course.free[inside]]) * np.diff(edges)
    value = float(areas.sum())
    beyond = value - np.cumsum(areas)[:-1]
    left = (course.at_risk - course.events)[inside]
    d, n = course.events[inside], course.at_risk[inside]
    terms = np.divide(beyond**2 * d, n * left, out=np.zeros_like(beyond), where=left > 0)
    sd = math.sqrt(float(terms.sum()))
    half = half_width(level) * sd
    method = f"restricted mean up to {horizon:g}, normal interval"
    if sd == 0:
        # no event before the horizon, or all on one day: the exact bound of the share that is left
        left_at_risk = float(course.at_risk[max(course_at(course, horizon), 0)])
        bound = value * (0.5 * (1 - level)) ** (1 / max(left_at_risk, 1.0))
        return Estimate(
            value, math.nan, bound, max(value, horizon), level, unit, f"restricted mean up to {horizon:g}, exact bound"
        )
    return Estimate(value, sd, value - half, value + half, level, unit, method)
