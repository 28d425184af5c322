"""Endpoints: one number per animal, or the limit that it lies below or above.

The animal is the experimental unit: several lesions, views and days of one animal are not replicates.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from lampyris.core.images import FLUX_UNIT
from lampyris.core.study import AnimalOutcome

LEAST_ANIMALS = 3
Side = Literal["", "below", "above"]
WITHIN_ONE_VIEW = (
    "The ratio is taken within one view per animal: the view that is brightest on the first day (on the last, where nothing "
    "is found on the first), on both days; where nothing is found in that view, its limit stands for it, and the true ratio "
    "lies below (a limit on the last day) or above (on the first day) what stands there."
)
CELLS_UNIT = "log10(labelled-cell equivalents)"


@dataclass(frozen=True, slots=True)
class Reading:
    """One animal's value on an endpoint.

    Parameters
    ----------
    value : float
        Finite.
    limit : str
        ``below`` or ``above`` where the true value is only known to lie there; empty where it was measured.
    """

    value: float
    limit: Side = ""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """What is compared.

    Parameters
    ----------
    key : str
        ``flux``, ``ratio``, ``burden`` or ``persistence``.
    name, unit : str
        For a reader.
    readings : dict of str to tuple of (str, Reading or None)
        Per arm every animal that was analysed, by name; None where it has no value.
    remarks : tuple of str
        What a reader must know of it.
    """

    key: str
    name: str
    unit: str
    readings: dict[str, tuple[tuple[str, Reading | None], ...]]
    remarks: tuple[str, ...]


def labelled_arms(groups: Mapping[str, Mapping[str, str]], /) -> list[str]:
    """Arms that are compared; controls are described."""
    return [name for name, group in groups.items() if group["role"] == "labelled"]


def study_endpoints(
    outcomes: Sequence[AnimalOutcome], groups: Mapping[str, Mapping[str, str]], /
) -> tuple[Endpoint, ...]:
    """Endpoints of a study.

    The logarithm of the total lesion flux on the last day that the labelled arms share; of its ratio to the first such day,
    within one view; of the labelled cells outside the primary on that last day; and of the share of the primary's first
    signal that is left in the last session. The last two are there where a labelled animal has a value.

    Parameters
    ----------
    outcomes : sequence of AnimalOutcome
        All animals; those not done are named in the remarks.
    groups : mapping of str to mapping
        Per arm key ``role`` (``labelled`` or ``control``), in the order in which arms are shown.

    Returns
    -------
    tuple of Endpoint
        None where no animal was analysed.
    """
    arms = labelled_arms(groups)
    done = sorted((one for one in outcomes if one.status == "done"), key=lambda one: one.animal)
    days, remark = endpoint_days(done, arms)
    if not days:
        return ()
    first, last = days[0], days[-1]
    common = (*_left_out(outcomes), *remark)

    def endpoint(
        key: str, name: str, unit: str, read: Callable[[AnimalOutcome], Reading | None], remarks: Iterable[str]
    ) -> Endpoint:
        readings = {arm: tuple((one.animal, read(one)) for one in done if one.group == arm) for arm in groups}
        return Endpoint(key, name, unit, readings, (*common, *remarks))

    name = f"log10 total lesion flux on day {last:g}"
    made = [endpoint("flux", name, f"log10({FLUX_UNIT})", lambda one: flux_on(one, last), _no_flux(done, (last,)))]
    if first < last:
        name = f"log10 ratio of total lesion flux, day {last:g} to day {first:g}"
        remarks = (WITHIN_ONE_VIEW, *_no_flux(done, (first, last)))
        made.append(endpoint("ratio", name, "1", lambda one: _ratio(one, first, last), remarks))
    name = f"log10 labelled cells outside the primary on day {last:g}"
    made.append(endpoint("burden", name, CELLS_UNIT, lambda one: burden_on(one, last), ()))
    name = "log10 share of the primary's first signal that is left in the last session"
    made.append(endpoint("persistence", name, "1", persistence, ()))
    return tuple(one for one in made if one.key in ("flux", "ratio") or _has_values(one, arms))


def _has_values(endpoint: Endpoint, arms: Sequence[str]) -> bool:
    """Whether any labelled animal has a value that was measured: limits alone compare nothing."""
    return any(reading is not None and not reading.limit for arm in arms for _, reading in endpoint.readings[arm])


def endpoint_days(outcomes: Sequence[AnimalOutcome], arms: Sequence[str], /) -> tuple[list[float], list[str]]:
    """Days on which the arms are compared, and what to say of them.

    An arm too thin for a test does not decide which days are shared, unless all but one are too thin.
    """
    seen = {arm: Counter(day for one in outcomes if one.group == arm for day in set(one.days)) for arm in arms}
    for least in (LEAST_ANIMALS, 1):
        per_arm = {arm: {day for day, count in seen[arm].items() if count >= least} for arm in arms}
        days = [days for days in per_arm.values() if days]
        shared = sorted(set.intersection(*days)) if len(days) > 1 else []
        if shared:
            return shared, []
    remark = "The labelled arms share no day: the first and last day of any animal are described."
    some = sorted({day for days in seen.values() for day in days})
    if sum(bool(days) for days in seen.values()) < 2:
        remark = "Fewer than two labelled arms have results: the first and last day of any animal are described."
        some = some or sorted({day for outcome in outcomes for day in outcome.days})
    return some, [remark]


def flux_on(outcome: AnimalOutcome, day: float, /) -> Reading | None:
    """Logarithm of the total lesion flux on a day; None where the animal was not imaged or no limit is known."""
    if day not in outcome.days:
        return None
    place = outcome.days.index(day)
    return _logarithm(outcome.total_flux[place].value, "below" if outcome.below_limit[place] else "")


def burden_on(outcome: AnimalOutcome, day: float, /) -> Reading | None:
    """Logarithm of the labelled cells outside the primary on a day."""
    ends = outcome.endpoints
    if ends is None or day not in ends.days:
        return None
    place = ends.days.index(day)
    return _logarithm(ends.burden[place].value, "below" if ends.burden_below[place] else "")


def persistence(outcome: AnimalOutcome, /) -> Reading | None:
    """Logarithm of the share of the primary's first signal that is left."""
    if outcome.endpoints is None:
        return None
    share = outcome.endpoints.persistence
    # a share whose interval begins at 0 is the limit of a primary that was not seen any more
    return _logarithm(share.value, "below" if share.low == 0 else "")


def _logarithm(value: float, limit: Side) -> Reading | None:
    return Reading(math.log10(value), limit) if value > 0 and math.isfinite(value) else None


def _ratio(outcome: AnimalOutcome, first: float, last: float) -> Reading | None:
    views = dict(zip(outcome.days, outcome.views, strict=False))
    before, after = ({view.view: view for view in views.get(day, ())} for day in (first, last))
    both = sorted(before.keys() & after.keys())
    # the day that decides: the first, or the last where nothing is found on the first
    found = [before[view] for view in both if not before[view].below_limit]
    found = found or [after[view] for view in both if not after[view].below_limit]
    # a limit over a limit says nothing, in either direction
    if not found:
        return None
    view = max(found, key=lambda total: total.flux.value).view
    start, end = before[view], after[view]
    values = (start.flux.value, end.flux.value)
    if not all(value > 0 and math.isfinite(value) for value in values):
        return None
    return Reading(
        math.log10(values[1] / values[0]), "above" if start.below_limit else "below" if end.below_limit else ""
    )


def _no_flux(outcomes: Sequence[AnimalOutcome], days: Sequence[float]) -> list[str]:
    """Animals whose lesions sum to nothing on a day: not seen is another thing."""
    names = [
        f"{one.animal} ({one.group}) on day {day:g}"
        for one in sorted(outcomes, key=lambda one: (one.group, one.animal))
        for day, below, count in zip(one.days, one.below_limit, one.lesion_count, strict=True)
        if day in days and below and count
    ]
    if not names:
        return []
    return [
        f"Lesions were found whose flux, background and neighbours removed, sums to no more than 0: {', '.join(names)}. "
        "The animal's value lies below its detection limit."
    ]


def _left_out(outcomes: Sequence[AnimalOutcome]) -> list[str]:
    notes = []
    for status, words in (("excluded", "Excluded"), ("failed", "Not analysed")):
        names = sorted(f"{outcome.animal} ({outcome.group})" for outcome in outcomes if outcome.status == status)
        if names:
            notes.append(f"{words}: {', '.join(names)}.")
    return notes
