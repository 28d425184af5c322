"""From sessions to what is compared: one number per animal and endpoint, and the comparison of the arms.

The animal is the experimental unit: several lesions, views and days of one animal are not replicates.
"""

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import replace

import numpy as np

from lampyris.core.comparison import Comparison, GroupSummary
from lampyris.core.design import Design, Exclusion, TestResult
from lampyris.core.estimate import Estimate
from lampyris.core.flags import TUMOUR_KINDS
from lampyris.core.images import FLUX_UNIT
from lampyris.core.lesions import Lesion
from lampyris.core.results import Detection, DetectionLimit
from lampyris.core.study import AnimalOutcome, SessionResult, ViewResult, ViewTotal
from lampyris.statistics.groups import ComparisonPlan, adjust_endpoints, welch_anova
from lampyris.statistics.groups.answers import answers, arms_of, checks, further_effects, letters_of, pair_differences
from lampyris.statistics.intervals import t_interval

LEAST_ANIMALS = 3
# standard deviations; thresholds of a search over a whole animal lie above it
LEAST_THRESHOLD = 2.0
# a detection by session, view and number
DetectionKey = tuple[str, str, int]
# an endpoint's value and whether it is censored; None where the animal has none
Reading = tuple[float, bool] | None


def animal_outcome(
    sessions: Sequence[SessionResult], /, *, lesions: Sequence[Lesion] = (), level: float = 0.95
) -> AnimalOutcome:
    """What one animal contributes: the lesions' total flux per session.

    Per session the fluxes of tumour (`lampyris.core.flags.TUMOUR_KINDS`) are summed in each view and the brighter view is
    kept: light of one lesion leaves through both sides, so the views must not be added. What a detection is, the lesion that
    owns it says; where none does, the detection itself. Where no view shows a lesion whose flux is above
    0, the session's total is the limit: a lesion in a region is missed only if both views miss it, so a region's limit is
    the smaller of its views', and as the lesion could be anywhere, the largest over the regions is taken.

    Parameters
    ----------
    sessions : sequence of SessionResult
        All sessions of one animal, at least one.
    lesions : sequence of Lesion
        Followed over these sessions; kept in the outcome.
    level : float
        Coverage of the interval of a limit; detected fluxes bring theirs.

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
    counted = tumour_detections(ordered, lesions)
    totals, below, counts, views = [], [], [], []
    for session in ordered:
        tumour = [_counted_in(session, view, counted) for view in session.views]
        each = tuple(_view_total(view, own, level) for view, own in zip(session.views, tumour, strict=True))
        found = [view.flux for view in each if not view.below_limit]
        below.append(not found)
        counts.append(max(map(len, tumour), default=0))
        totals.append(
            max(found, key=lambda total: total.value) if found else _limit(session.views, level, bool(counts[-1]))
        )
        views.append(each)
    days = tuple(session.day for session in ordered)
    return AnimalOutcome(
        animal,
        group,
        "done",
        "",
        days,
        tuple(totals),
        tuple(below),
        tuple(counts),
        tuple(views),
        tuple(sorted(lesions, key=lambda lesion: lesion.number)),
    )


def owners(lesions: Sequence[Lesion], /) -> dict[DetectionKey, tuple[Lesion, ...]]:
    """Which lesions show in each detection, by number; a detection may be shared."""
    found: dict[DetectionKey, list[Lesion]] = {}
    for lesion in sorted(lesions, key=lambda one: one.number):
        for sighting in lesion.sightings:
            for view, number in sighting.detections:
                found.setdefault((sighting.session, view, number), []).append(lesion)
    return {key: tuple(those) for key, those in found.items()}


def tumour_detections(sessions: Sequence[SessionResult], lesions: Sequence[Lesion], /) -> frozenset[DetectionKey]:
    """Detections of tumour: of a lesion of such a kind, or, owned by none, of such a kind themselves."""
    owned = owners(lesions)
    kinds = {
        key: [lesion.kind for lesion in owned[key]] if key in owned else [detection.kind]
        for session in sessions
        for view in session.views
        for detection in view.detections
        for key in [(session.session, view.view, detection.number)]
    }
    return frozenset(key for key, those in kinds.items() if not TUMOUR_KINDS.isdisjoint(those))


def _counted_in(session: SessionResult, view: ViewResult, counted: Set[DetectionKey]) -> tuple[Detection, ...]:
    return tuple(one for one in view.detections if (session.session, view.view, one.number) in counted)


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


def session_limit(session: SessionResult, /, *, level: float = 0.95) -> Estimate:
    """Total flux of a session in which nothing was found: at most its limit.

    Parameters
    ----------
    session : SessionResult
        One session.
    level : float
        Coverage of the interval.

    Returns
    -------
    Estimate
        The value is the limit, found with the study's detection power; low is 0. High is the flux that would have been
        missed with probability ``1 - level`` at most: the limit itself where the power is `level` or more, else above it.
        NaN throughout where no region has a finite limit.
    """
    return _limit(session.views, level, False)


def compare_groups(
    outcomes: Sequence[AnimalOutcome], groups: Mapping[str, Mapping[str, str]], /, *, level: float = 0.95
) -> tuple[Comparison, ...]:
    """Compare the labelled arms on each endpoint, the animal being the unit.

    Endpoints: the logarithm of the total lesion flux on the last day that the labelled arms share, and the logarithm of its
    ratio to the first such day, within one view. Arms with three values or more that differ are tested; those left out are
    named in the notes. Every arm is described, controls and arms without any value included, whether a test was made or
    not. Welch's analysis of variance, then Games-Howell; Holm's adjustment over the endpoints is given in the notes.

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
        One per endpoint; none where no animal was analysed.
    """
    arms = [name for name, group in groups.items() if group["role"] == "labelled"]
    done = [outcome for outcome in outcomes if outcome.status == "done"]
    days, remark = _endpoint_days(done, arms)
    if not days:
        return ()
    last, first = days[-1], days[0]
    common = [*_left_out(outcomes), *remark]
    made = [
        _comparison(
            f"log10 total lesion flux on day {last:g}",
            f"log10({FLUX_UNIT})",
            {arm: _readings(done, arm, lambda outcome: _flux_on(outcome, last)) for arm in groups},
            arms,
            [*common, *_no_flux(done, (last,))],
            level,
        )
    ]
    if first < last:
        made.append(
            _comparison(
                f"log10 ratio of total lesion flux, day {last:g} to day {first:g}",
                "1",
                {arm: _readings(done, arm, lambda outcome: _ratio(outcome, first, last)) for arm in groups},
                arms,
                [*common, WITHIN_ONE_VIEW, *_no_flux(done, (first, last))],
                level,
            )
        )
    return _with_holm(made)


WITHIN_ONE_VIEW = (
    "The ratio is taken within one view per animal: the view that is brightest on the first day (on the last, where nothing "
    "is found on the first), on both days; where nothing is found in that view, its limit stands for it."
)


def _comparison(
    endpoint: str,
    unit: str,
    readings: dict[str, list[tuple[str, Reading]]],
    arms: list[str],
    remarks: list[str],
    level: float,
) -> Comparison:
    values = {arm: [reading for _, reading in rows if reading is not None] for arm, rows in readings.items()}
    units = {arm: tuple(animal for animal, reading in rows if reading is not None) for arm, rows in readings.items()}
    design = _design(values, readings)
    samples = {arm: [value for value, _ in values[arm]] for arm in arms}
    barred = {arm: reason for arm in arms if (reason := _why_left_out(samples[arm]))}
    tested = [arm for arm in arms if arm not in barred]
    untested = (
        [f"Left out of the test: {'; '.join(f'{arm} ({why})' for arm, why in barred.items())}."] if barred else []
    )
    notes = [*untested, *remarks, *_missing(readings), *_censoring(values)]
    if len(tested) < 2:
        left = f"{tested[0]} alone has them" if tested else "no arm has them"
        reason = f"two labelled arms with {LEAST_ANIMALS} values that differ are needed, and {left}"
        notes.insert(0, f"No test was made: {reason}.")
        nan = math.nan
        summaries = tuple(_summary(arm, rows, units[arm], unit, level) for arm, rows in values.items())
        return Comparison(
            endpoint, unit, "animal", "", nan, nan, nan, nan, summaries, (), "", tuple(notes), design=design
        )
    compared = arms_of(tested, [np.array(samples[arm]) for arm in tested])
    test = welch_anova(compared.arrays, level=level)
    pairs = pair_differences(compared, ComparisonPlan(level=level), unit=unit)
    letters = letters_of(compared, pairs, 1 - level)
    summaries = tuple(
        replace(_summary(arm, rows, units[arm], unit, level), letters=letters.get(arm, ""))
        for arm, rows in values.items()
    )
    answer = TestResult(test.name, "F", test.statistic, (test.df1, test.df2), test.p, "all means are equal")
    made = answers(compared, level=level)
    beside = tuple(replace(one.test, role="beside") for name, one in made.items() if name != "welch")
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
        design,
        (answer, *checks(compared), *beside),
        further_effects(compared, made, "welch", level=level),
    )


def _design(
    values: Mapping[str, list[tuple[float, bool]]], readings: Mapping[str, list[tuple[str, Reading]]]
) -> Design:
    without = [(animal, arm) for arm, rows in readings.items() for animal, reading in rows if reading is None]
    return Design(
        "animal",
        tuple(values),
        tuple(len(rows) for rows in values.values()),
        rows=sum(len(rows) for rows in values.values()),
        below_limit=tuple(sum(censored for _, censored in rows) for rows in values.values()),
        exclusions=tuple(Exclusion(animal, arm, "no value on this endpoint") for animal, arm in without),
    )


def _summary(
    arm: str, rows: list[tuple[float, bool]], animals: tuple[str, ...], unit: str, level: float
) -> GroupSummary:
    values = tuple(value for value, _ in rows)
    mean = t_interval(values, unit=unit, level=level)
    sd = float(np.std(values, ddof=1)) if len(values) > 1 else math.nan
    return GroupSummary(arm, len(rows), values, tuple(censored for _, censored in rows), mean, sd, animals)


def _why_left_out(values: list[float]) -> str:
    """Why an arm cannot be tested; empty where it can."""
    if len(values) < LEAST_ANIMALS:
        return f"{len(values)} value{'' if len(values) == 1 else 's'}, {LEAST_ANIMALS} are the least"
    # a test weighs each arm by its spread
    return "" if max(values) > min(values) else "its values do not differ, so their spread is unknown"


def _view_total(view: ViewResult, tumour: tuple[Detection, ...], level: float) -> ViewTotal:
    if tumour:
        total = sum_fluxes(tumour)
        if total.value > 0:
            return ViewTotal(view.view, total, False)
    return ViewTotal(view.view, _limit((view,), level, bool(tumour)), True)


def _limit(views: Sequence[ViewResult], level: float, found: bool) -> Estimate:
    """Largest limit over the regions, of the view that sees each best."""
    what = "found without flux above 0" if found else "nothing found"
    best: dict[str, DetectionLimit] = {}
    for limit in (limit for view in views for limit in view.limits if math.isfinite(limit.flux.value)):
        known = best.get(limit.region)
        if known is None or limit.flux.value < known.flux.value:
            best[limit.region] = limit
    if not best:
        return Estimate(math.nan, math.nan, math.nan, math.nan, level, FLUX_UNIT, f"{what}, no limit known")
    region = max(sorted(best), key=lambda name: best[name].flux.value)
    value, power = best[region].flux.value, best[region].power
    method = f"{what}: limit ({region}, found with probability {power:g})"
    return Estimate(value, math.nan, 0.0, value * _widening(power, level), level, FLUX_UNIT, method)


def _widening(power: float, level: float) -> float:
    """How far above the limit of that power a flux may be and still have been missed with probability ``1 - level``.

    A limit is threshold plus margin of the power, in standard deviations, so the end moves by the difference of two margins.
    The threshold is not stored with the limit; the least that is ever set widens most.
    """
    if level <= power:
        return 1.0
    # SciPy takes a moment to import, which the usual case of equal levels does not need
    from lampyris.statistics.thresholds import power_margin

    return (LEAST_THRESHOLD + power_margin(level)) / max(LEAST_THRESHOLD + power_margin(power), 0.1)


def _own_share(detection: Detection) -> float:
    """Share of the uncertainty that is the lesion's own, 0 to 1, in standard deviations."""
    flux = detection.flux
    if not (detection.snr > 0 and flux.sd > 0 and flux.value > 0):
        return 1.0
    return min(1.0, flux.value / detection.snr / flux.sd)


def _endpoint_days(outcomes: Sequence[AnimalOutcome], arms: Sequence[str]) -> tuple[list[float], list[str]]:
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
    return math.log10(values[1] / values[0]), start.below_limit or end.below_limit


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
        "The animal stands at its detection limit."
    ]


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
    why = "a day is missing, no limit is known, or of a ratio both values would be limits"
    return [f"Without a value on this endpoint ({why}): {', '.join(names)}."]


def _censoring(values: Mapping[str, list[tuple[float, bool]]]) -> list[str]:
    counts = {arm: sum(censored for _, censored in rows) for arm, rows in values.items()}
    some = [f"{count} of {len(values[arm])} in {arm}" for arm, count in counts.items() if count]
    if not some:
        return []
    return [
        f"Animals in which no flux was found stand at their detection limit: {', '.join(some)}. A limit on the last day is "
        "above the true value, so their arm's mean is too high and its difference to a brighter arm too small; a limit on the "
        "first day makes a ratio too low. Equal limits also make the spread too small."
    ]


def _with_holm(comparisons: list[Comparison]) -> tuple[Comparison, ...]:
    tested = sum(not math.isnan(comparison.p) for comparison in comparisons)
    return tuple(
        comparison
        if math.isnan(comparison.p_adjusted)
        else replace(
            comparison,
            notes=(*comparison.notes, f"Holm-adjusted over {tested} endpoints: p = {comparison.p_adjusted:.3g}."),
        )
        for comparison in adjust_endpoints(comparisons)
    )
