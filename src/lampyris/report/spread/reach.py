"""Shares of animals in which an organ was reached, in words and numbers, as the body map and the onset curves show them."""

import math
from bisect import bisect_right
from dataclasses import dataclass

from lampyris.core.estimate import Estimate
from lampyris.core.lesions import Reach
from lampyris.core.study import StudyResults
from lampyris.report.identities import animals_done
from lampyris.report.levels import level_text
from lampyris.report.numbers import day_text, share_text

ANY = "any"


@dataclass(frozen=True, slots=True)
class Course:
    """A row of `Reach` with the animals that each day's share is of.

    Parameters
    ----------
    row : Reach
        As stored.
    observed : tuple of int
        Per day: animals followed up to that day at least. Those that left earlier are in no later share.
    """

    row: Reach
    observed: tuple[int, ...]

    @property
    def last(self) -> Estimate:
        """Share on the last day."""
        return self.row.reached[-1]

    def count(self, k: int, /) -> int:
        """Animals behind the share of a day."""
        value = self.row.reached[k].value
        return round(value * self.observed[k]) if math.isfinite(value) else 0

    def possible(self, k: int, /) -> int:
        """Animals that may have been reached by a day."""
        value = self.row.possible[k]
        return round(value * self.observed[k]) if math.isfinite(value) else 0

    def at(self, day: float, /) -> int:
        """Index of the last day that is not after `day`; -1 before the first."""
        return bisect_right(self.row.days, day) - 1

    def final_day(self) -> float:
        """First day from which the last day's count holds."""
        days, k = self.row.days, len(self.row.days) - 1
        end = (self.count(k), self.observed[k])
        while k > 0 and (self.count(k - 1), self.observed[k - 1]) == end:
            k -= 1
        return days[k]


def organ_title(organ: str, /) -> str:
    """An organ as it is named to a reader."""
    return "any organ" if organ == ANY else organ


def _observed(results: StudyResults, row: Reach) -> tuple[int, ...]:
    """Animals that were followed up to each day and in which the organ was looked at."""
    ends = [outcome.endpoints for outcome in animals_done(results, row.group) if outcome.endpoints is not None]
    last = [
        max(end.days, default=-math.inf)
        for end in ends
        if row.organ == ANY or any(onset.organ == row.organ for onset in end.onsets)
    ]
    return tuple(sum(day_ >= day for day_ in last) or row.n for day in row.days)


def arm_reach(results: StudyResults, group: str, /) -> dict[str, Course]:
    """Rows of an arm by organ; empty where nothing was followed."""
    return {row.organ: Course(row, _observed(results, row)) for row in results.reach if row.group == group and row.days}


def interval_in_brackets(share: Estimate, /) -> str:
    """Level and ends of a share."""
    return f"({level_text([share])} {share.low:.2f}–{share.high:.2f})"


def reach_words(course: Course, arm: str, day: float, /) -> str:
    """A row on one day as a sentence: how many animals, with interval, and in how many it may have gone unseen."""
    k = course.at(day)
    head = f"{organ_title(course.row.organ)}, {arm}, day {day_text(day)}: "
    if k < 0:
        return f"{head}not looked at yet"
    seen, may, n = course.count(k), course.possible(k), course.observed[k]
    text = f"{head}reached in {share_text(seen, n)} animals {interval_in_brackets(course.row.reached[k])}"
    return text + (f"; may have been in {may} of {n}, not all of it seen yet" if may > seen else "")


def reached_text(course: Course, what: str = "", /) -> str:
    """In how many animals an organ was reached at last, by when, with the interval: ``3 of 5 by day 7 (95 % 0.15–0.95)``."""
    seen = share_text(course.count(-1), course.observed[-1])
    return f"{seen}{what} by day {day_text(course.final_day())} {interval_in_brackets(course.last)}"


def reached_organs(results: StudyResults, /) -> list[str]:
    """Organs that were reached in any animal, the most often reached first."""
    shares: dict[str, float] = {}
    for row in results.reach:
        most = max((share.value for share in row.reached), default=0.0)
        if row.organ != ANY and most > 0:
            shares[row.organ] = shares.get(row.organ, 0.0) + most
    return sorted(shares, key=lambda organ: (-shares[organ], organ))
