"""From sessions to what is compared: one number per animal and endpoint, and the comparison of the arms.

The animal is the experimental unit: several lesions, views and days of one animal are not replicates.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from lampyris.core.estimate import Estimate
from lampyris.core.flags import DetectionKind
from lampyris.core.images import FLUX_UNIT
from lampyris.core.results import Detection
from lampyris.core.study import (
    AnimalOutcome,
    Comparison,
    GroupSummary,
    PairDifference,
    SessionResult,
    ViewResult,
)
from lampyris.statistics.groups import games_howell, holm, welch_anova, why_no_test
from lampyris.statistics.intervals import t_interval

LEAST_ANIMALS = 3
# an endpoint's value and whether it is censored; None where the animal has none
Reading = tuple[float, bool] | None


def animal_outcome(sessions: Sequence[SessionResult], /) -> AnimalOutcome:
    """What one animal contributes: the lesions' total flux per session.

    Per session the lesions' fluxes are summed in each view (injection sites and halos left out) and the brighter view is
    kept: light of one lesion leaves through both sides, so the views must not be added. Where no view shows a lesion, the
    session's total is the limit: a lesion in a region is missed only if both views miss it, so a region's limit is the
    smaller of its views', and as the lesion could be anywhere, the largest over the regions is taken.

    Parameters
    ----------
    sessions : sequence of SessionResult
        All sessions of one animal, at least one.

    Returns
    -------
    AnimalOutcome
        Sorted by day; status ``done``.

    Raises
    ------
    ValueError
        If there is no session or they are not of one animal and group.
    """
    ordered = sorted(sessions, key=lambda session: (session.day, session.session))
    who = {(session.animal, session.group) for session in ordered}
    if len(who) != 1:
        raise ValueError(f"needs the sessions of one animal in one group, got {sorted(who)}")
    animal, group = who.pop()
    totals, below, counts = [], [], []
    for session in ordered:
        lesions = [lesions_of(view) for view in session.views]
        found = [sum_fluxes(view) for view in lesions if view]
        below.append(not found)
        counts.append(max((len(view) for view in lesions), default=0))
        totals.append(max(found, key=lambda total: total.value) if found else session_limit(session))
    days = tuple(session.day for session in ordered)
    return AnimalOutcome(animal, group, "done", "", days, tuple(totals), tuple(below), tuple(counts))


def lesions_of(view: ViewResult, /) -> tuple[Detection, ...]:
    """The view's detections that are taken for lesions."""
    return tuple(detection for detection in view.detections if detection.kind == DetectionKind.LESION)


def sum_fluxes(detections: Sequence[Detection], /) -> Estimate:
    """Total flux of the lesions of one view.

    A detection's `snr` is its flux over the part of its uncertainty that is its own. Those parts add in quadrature; what is
    left of the uncertainty (calibration, tissue colour) moves all lesions together and adds as it is. The two sides of the
    interval are combined likewise, so that one lesion keeps its own.

    Parameters
    ----------
    detections : sequence of Detection
        At least one.

    Returns
    -------
    Estimate
        In ph s-1.

    Raises
    ------
    ValueError
        If there is none.
    """
    if not detections:
        raise ValueError("there is no lesion to sum")
    fluxes = [detection.flux for detection in detections]
    if len(fluxes) == 1:
        return fluxes[0]
    shares = [_own_share(detection) for detection in detections]

    def combined(parts: list[float]) -> float:
        own = sum((part * share) ** 2 for part, share in zip(parts, shares, strict=True))
        shared = sum(part * math.sqrt(1 - share**2) for part, share in zip(parts, shares, strict=True))
        return math.sqrt(own + shared**2)

    value = sum(flux.value for flux in fluxes)
    sd = combined([flux.sd for flux in fluxes])
    low = value - combined([flux.value - flux.low for flux in fluxes])
    high = value + combined([flux.high - flux.value for flux in fluxes])
    level = min(flux.level for flux in fluxes)
    return Estimate(value, sd, low, high, level, fluxes[0].unit, f"sum of {len(fluxes)} lesions")


def session_limit(session: SessionResult, /) -> Estimate:
    """Total flux of a session in which nothing was found: at most its limit.

    Parameters
    ----------
    session : SessionResult
        One session.

    Returns
    -------
    Estimate
        Value and high are the limit, low is 0; NaN throughout where no region has a finite limit.
    """
    best: dict[str, float] = {}
    level = 0.95
    for view in session.views:
        for limit in view.limits:
            level = limit.power
            if math.isfinite(limit.flux.value):
                best[limit.region] = min(limit.flux.value, best.get(limit.region, math.inf))
    if not best:
        return Estimate(math.nan, math.nan, math.nan, math.nan, level, FLUX_UNIT, "nothing found, no limit known")
    region = max(sorted(best), key=lambda name: best[name])
    limit_value = best[region]
    return Estimate(limit_value, math.nan, 0.0, limit_value, level, FLUX_UNIT, f"nothing found: limit ({region})")


def compare_groups(
    outcomes: Sequence[AnimalOutcome], groups: Mapping[str, Mapping[str, str]], /, *, level: float = 0.95
) -> tuple[Comparison, ...]:
    """Compare the labelled arms on each endpoint, the animal being the unit.

    Endpoints: the logarithm of the total lesion flux on the last day that all labelled arms share, and the logarithm of its
    ratio to the first such day. Control arms are described, not tested. Welch's analysis of variance, then Games-Howell;
    Holm's adjustment over the endpoints is given in the notes.

    Parameters
    ----------
    outcomes : sequence of AnimalOutcome
        All animals; those not done are named in the notes.
    groups : mapping of str to mapping
        Per arm key ``role`` (``labelled`` or ``control``), in the order in which arms are shown.
    level : float
        Coverage of the intervals.

    Returns
    -------
    tuple of Comparison
        One per endpoint; none where no day is shared.
    """
    arms = [name for name, group in groups.items() if group["role"] == "labelled"]
    done = [outcome for outcome in outcomes if outcome.status == "done"]
    days = _shared_days(done, arms)
    if not days:
        return ()
    last, first = days[-1], days[0]
    endpoints: list[tuple[str, str, Callable[[AnimalOutcome], Reading]]] = [
        (f"log10 total lesion flux on day {last:g}", f"log10({FLUX_UNIT})", lambda outcome: _flux_on(outcome, last))
    ]
    if first < last:
        endpoints.append(
            (
                f"log10 ratio of total lesion flux, day {last:g} to day {first:g}",
                "1",
                lambda outcome: _ratio(outcome, first, last),
            )
        )
    left_out = _left_out(outcomes)
    made = [
        _comparison(name, unit, {arm: _readings(done, arm, read) for arm in groups}, arms, left_out, level)
        for name, unit, read in endpoints
    ]
    return _with_holm(made)


def _comparison(
    endpoint: str,
    unit: str,
    readings: dict[str, list[tuple[str, Reading]]],
    arms: list[str],
    left_out: list[str],
    level: float,
) -> Comparison:
    values = {arm: [reading for _, reading in rows if reading is not None] for arm, rows in readings.items()}
    summaries = tuple(
        GroupSummary(
            arm,
            len(rows),
            tuple(value for value, _ in rows),
            tuple(censored for _, censored in rows),
            t_interval([value for value, _ in rows], unit=unit, level=level),
        )
        for arm, rows in values.items()
    )
    samples = [[value for value, _ in values[arm]] for arm in arms]
    notes = [*left_out, *_missing(readings), *_censoring(values)]
    reason = why_no_test(samples, least=LEAST_ANIMALS)
    if reason:
        notes.insert(0, f"No test was made: {reason}.")
        nan = math.nan
        return Comparison(endpoint, unit, "animal", "", nan, nan, nan, nan, summaries, (), "", tuple(notes))
    test = welch_anova(samples, level=level)
    pairs = tuple(
        PairDifference(arms[pair.a], arms[pair.b], pair.difference, pair.p)
        for pair in games_howell(samples, unit=unit, level=level)
    )
    return Comparison(
        endpoint,
        unit,
        "animal",
        test.name,
        test.statistic,
        test.df1,
        test.df2,
        test.p,
        summaries,
        pairs,
        "Games-Howell",
        tuple(notes),
        test.effect_size,
    )


def _own_share(detection: Detection) -> float:
    """Share of the uncertainty that is the lesion's own, 0 to 1, in standard deviations."""
    flux = detection.flux
    if not (detection.snr > 0 and flux.sd > 0 and flux.value > 0):
        return 1.0
    return min(1.0, flux.value / detection.snr / flux.sd)


def _shared_days(outcomes: Sequence[AnimalOutcome], arms: Sequence[str]) -> list[float]:
    per_arm = [{day for outcome in outcomes if outcome.group == arm for day in outcome.days} for arm in arms]
    return sorted(set.intersection(*per_arm)) if per_arm else []


def _readings(
    outcomes: Sequence[AnimalOutcome], arm: str, read: Callable[[AnimalOutcome], Reading]
) -> list[tuple[str, Reading]]:
    mine = sorted((outcome for outcome in outcomes if outcome.group == arm), key=lambda outcome: outcome.animal)
    return [(outcome.animal, read(outcome)) for outcome in mine]


def _session_on(outcome: AnimalOutcome, day: float) -> tuple[float, bool] | None:
    if day not in outcome.days:
        return None
    place = outcome.days.index(day)
    value = outcome.total_flux[place].value
    return (value, outcome.below_limit[place]) if value > 0 and math.isfinite(value) else None


def _flux_on(outcome: AnimalOutcome, day: float) -> Reading:
    session = _session_on(outcome, day)
    return None if session is None else (math.log10(session[0]), session[1])


def _ratio(outcome: AnimalOutcome, first: float, last: float) -> Reading:
    before, after = _session_on(outcome, first), _session_on(outcome, last)
    # a limit over a limit says nothing, in either direction
    if before is None or after is None or (before[1] and after[1]):
        return None
    return math.log10(after[0] / before[0]), before[1] or after[1]


def _left_out(outcomes: Sequence[AnimalOutcome]) -> list[str]:
    notes = []
    for status, words in (("excluded", "Excluded"), ("failed", "Not analysed")):
        names = sorted(f"{outcome.animal} ({outcome.group})" for outcome in outcomes if outcome.status == status)
        if names:
            notes.append(f"{words}: {', '.join(names)}.")
    return notes


def _missing(readings: Mapping[str, list[tuple[str, Reading]]]) -> list[str]:
    names = [f"{animal} ({arm})" for arm, rows in readings.items() for animal, reading in rows if reading is None]
    if not names:
        return []
    return [f"Without a value on this endpoint (a day is missing, or nothing was found on either): {', '.join(names)}."]


def _censoring(values: Mapping[str, list[tuple[float, bool]]]) -> list[str]:
    counts = {arm: sum(censored for _, censored in rows) for arm, rows in values.items()}
    some = [f"{count} of {len(values[arm])} in {arm}" for arm, count in counts.items() if count]
    if not some:
        return []
    return [
        f"Animals in which nothing was found stand at their detection limit: {', '.join(some)}. A limit on the last day is "
        "above the true value, so their arm's mean is too high and its difference to a brighter arm too small; a limit on the "
        "first day makes a ratio too low. Equal limits also make the spread too small."
    ]


def _with_holm(comparisons: list[Comparison]) -> tuple[Comparison, ...]:
    tested = [comparison for comparison in comparisons if not math.isnan(comparison.p)]
    if len(tested) < 2:
        return tuple(comparisons)
    adjusted = holm([comparison.p for comparison in comparisons])
    return tuple(
        comparison
        if math.isnan(p)
        else replace(
            comparison,
            notes=(*comparison.notes, f"Holm-adjusted over {len(tested)} endpoints: p = {float(p):.3g}."),
        )
        for comparison, p in zip(comparisons, adjusted, strict=True)
    )
