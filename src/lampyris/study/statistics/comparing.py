"""Arms compared on an endpoint: Welch's test where every value was measured, a censored likelihood where some are limits."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from lampyris.core.comparison import Comparison, GroupSummary, PairDifference
from lampyris.core.design import Design, Exclusion, TestResult
from lampyris.core.estimate import Estimate
from lampyris.core.seeds import seed_sequence
from lampyris.core.study import AnimalOutcome
from lampyris.statistics.groups import ComparisonPlan, compact_letters, welch_anova
from lampyris.statistics.groups.answers import answers, arms_of, checks, further_effects, letters_of, pair_differences
from lampyris.statistics.intervals import t_interval
from lampyris.study.statistics.designs import lost_animals
from lampyris.study.statistics.endpoints import LEAST_ANIMALS, Endpoint, Reading, labelled_arms, study_endpoints

NO_VALUE = "no value on this endpoint"
# what the censored comparison says of an arm of which nothing is seen, with the bound of its mean
_UNSEEN = re.compile(r"nothing was seen in any of (\d+): the mean lies below (\S+) as far")


def compare_arms(
    outcomes: Sequence[AnimalOutcome],
    groups: Mapping[str, Mapping[str, str]],
    /,
    *,
    level: float = 0.95,
    study: str = "",
) -> tuple[Comparison, ...]:
    """Compare the labelled arms on each endpoint, the animal being the unit.

    Arms with three values or more are tested; those left out are named in the notes. Every arm is described, controls and
    arms without any value included, whether a test was made or not. Where every value of the tested arms was measured the
    answer is Welch's analysis of variance, then Games-Howell, and arms need values that differ. Where any is a limit the
    values are censored: the answer is the likelihood ratio of censored normal means, or the rank test of Peto and Peto where
    too little was seen (`lampyris.statistics.censored`); a limit is never taken as a value.

    Parameters
    ----------
    outcomes : sequence of AnimalOutcome
        All animals; those not done are named in the notes and in the design.
    groups : mapping of str to mapping
        Per arm key ``role`` (``labelled`` or ``control``), in the order in which arms are shown.
    level : float
        Coverage of the intervals.
    study : str
        The study's name, from which the permutations of the rank test are drawn.

    Returns
    -------
    tuple of Comparison
        One per endpoint of `study_endpoints`, p not yet adjusted; none where no animal was analysed.
    """
    arms = labelled_arms(groups)
    lost = lost_animals(outcomes)
    return tuple(_compared(one, arms, lost, level, study) for one in study_endpoints(outcomes, groups))


def _compared(
    endpoint: Endpoint, arms: Sequence[str], lost: tuple[Exclusion, ...], level: float, study: str
) -> Comparison:
    values = {arm: [(who, one) for who, one in rows if one is not None] for arm, rows in endpoint.readings.items()}
    barred = {arm: why for arm in arms if (why := _why_left_out([one for _, one in values[arm]]))}
    tested = [arm for arm in arms if arm not in barred]
    limits = {one.limit for arm in tested for _, one in values[arm]} - {""}
    bare = Comparison(
        endpoint.name,
        endpoint.unit,
        "animal",
        "",
        math.nan,
        math.nan,
        math.nan,
        math.nan,
        groups=tuple(_summary(arm, rows, endpoint.unit, level) for arm, rows in values.items()),
        pairs=(),
        post_hoc="",
        notes=(*_untested(barred), *endpoint.remarks, *_missing(endpoint)),
        design=_design(endpoint, lost, tuple(values)),
    )
    if len(tested) < 2:
        left = f"{tested[0]} alone has them" if tested else "no arm has them"
        reason = f"two labelled arms with {LEAST_ANIMALS} values that differ are needed, and {left}"
        return replace(bare, notes=(f"No test was made: {reason}.", *bare.notes, *_limits_described(values)))
    if len(limits) > 1:
        reason = "some values are known only to lie below what stands there and others only above, which the test does not take"
        return replace(bare, notes=(f"No test was made: {reason}.", *bare.notes, *_limits_described(values)))
    own = {arm: [one for _, one in values[arm]] for arm in tested}
    made = _censored(bare, endpoint, own, level, study) if limits else _measured(bare, own, level)
    # a test stands on the arms that it compared; the others are described
    design = _design(endpoint, lost, tested) if made.test else made.design
    return replace(made, design=design, notes=(*made.notes, *_limits_told(values, tested)))


def _measured(bare: Comparison, own: Mapping[str, Sequence[Reading]], level: float) -> Comparison:
    """Every value was measured."""
    compared = arms_of(list(own), [np.array([one.value for one in rows]) for rows in own.values()])
    test = welch_anova(compared.arrays, level=level)
    pairs = pair_differences(compared, ComparisonPlan(level=level), unit=bare.unit)
    letters = letters_of(compared, pairs, 1 - level)
    answer = TestResult(test.name, "F", test.statistic, (test.df1, test.df2), test.p, "all means are equal")
    made = answers(compared, level=level)
    beside = tuple(replace(one.test, role="beside") for name, one in made.items() if name != "welch")
    return replace(
        bare,
        test=test.name,
        statistic=test.statistic,
        df1=test.df1,
        df2=test.df2,
        p=test.p,
        groups=_lettered(bare.groups, letters),
        pairs=pairs,
        post_hoc="Games-Howell",
        effect_size=test.effect_size,
        tests=(answer, *checks(compared), *beside),
        effects=further_effects(compared, made, "welch", level=level),
    )


def _censored(
    bare: Comparison, endpoint: Endpoint, own: Mapping[str, Sequence[Reading]], level: float, study: str
) -> Comparison:
    """Some values are limits, all to one side."""
    from lampyris.statistics.censored import compare_censored

    # what lies above a limit lies below it with its sign turned
    sign = -1.0 if any(one.limit == "above" for rows in own.values() for one in rows) else 1.0
    found = compare_censored(
        {arm: [sign * one.value for one in rows] for arm, rows in own.items()},
        {arm: [bool(one.limit) for one in rows] for arm, rows in own.items()},
        unit=bare.unit,
        level=level,
        rng=np.random.default_rng(seed_sequence("resampling", study, "comparison", endpoint.key)),
    )
    # how many values are limits is said of all arms together
    notes = (*bare.notes, *(_told(note, sign) for note in found.notes if not note.endswith("lie below their limit")))
    if not found.tests:
        return replace(bare, notes=("No test was made: nothing was seen, or all values are one.", *notes))
    tests = tuple(_named(test, sign) for test in found.tests)
    first = tests[0]
    pairs = tuple(_turned(pair, sign) for pair in found.pairs)
    return replace(
        bare,
        test=first.name,
        statistic=first.statistic,
        df1=(*first.df, math.nan)[0],
        df2=(*first.df, math.nan, math.nan)[1],
        p=first.p,
        groups=_lettered(bare.groups, _letters(bare.groups, pairs, 1 - level)),
        pairs=pairs,
        post_hoc=found.post_hoc,
        notes=notes,
        tests=tests,
    )


def _told(note: str, sign: float) -> str:
    """A note of the censored comparison, which speaks of values below limits."""
    if sign > 0:
        return note
    note = _UNSEEN.sub(
        lambda said: f"all {said[1]} values lie above their limits: the mean lies above {-float(said[2]):g} as far",
        note,
    )
    note = note.replace("values above the limit that differ", "measured values that differ")
    return note.replace("lie below their limit", "lie above their limit")


def _named(test: TestResult, sign: float) -> TestResult:
    """A test of the censored comparison under the name of what it was given: limits that lie above are on the right."""
    return test if sign > 0 else replace(test, name=test.name.replace("left-censored", "right-censored"))


def _turned(pair: PairDifference, sign: float) -> PairDifference:
    difference = pair.difference if sign > 0 else _negated(pair.difference)
    return replace(pair, difference=difference, method=difference.method)


def _negated(one: Estimate) -> Estimate:
    return replace(one, value=-one.value, low=-one.high, high=-one.low)


def _letters(groups: Sequence[GroupSummary], pairs: Sequence[PairDifference], bound: float) -> dict[str, str]:
    """Compact letters of the arms compared, "a" for the largest mean; an arm of which nothing is seen comes last."""
    compared = {name for pair in pairs for name in (pair.a, pair.b)}
    height = {one.group: one.mean.value if math.isfinite(one.mean.value) else -math.inf for one in groups}
    order = sorted(compared, key=lambda name: (-height[name], list(height).index(name)))
    apart = [(order.index(pair.a), order.index(pair.b)) for pair in pairs if pair.p < bound]
    return dict(zip(order, compact_letters(len(order), apart), strict=True))


def _lettered(groups: Sequence[GroupSummary], letters: Mapping[str, str]) -> tuple[GroupSummary, ...]:
    return tuple(replace(one, letters=letters.get(one.group, "")) for one in groups)


def _design(endpoint: Endpoint, lost: tuple[Exclusion, ...], arms: Sequence[str]) -> Design:
    values = [[one for _, one in endpoint.readings[arm] if one is not None] for arm in arms]
    without = [(who, arm) for arm in arms for who, one in endpoint.readings[arm] if one is None]
    return Design(
        "animal",
        tuple(arms),
        tuple(map(len, values)),
        rows=sum(map(len, values)),
        below_limit=tuple(sum(bool(one.limit) for one in rows) for rows in values),
        exclusions=(
            *(one for one in lost if one.group in arms),
            *(Exclusion(who, arm, NO_VALUE) for who, arm in without),
        ),
    )


def _summary(arm: str, rows: Sequence[tuple[str, Reading]], unit: str, level: float) -> GroupSummary:
    values = tuple(one.value for _, one in rows)
    marks = tuple(bool(one.limit) for _, one in rows)
    animals = tuple(who for who, _ in rows)
    sides = {one.limit for _, one in rows} - {""}
    above = tuple(one.limit == "above" for _, one in rows) if "above" in sides else ()
    if not sides:
        sd = float(np.std(values, ddof=1)) if len(values) > 1 else math.nan
        return GroupSummary(arm, len(rows), values, marks, t_interval(values, unit=unit, level=level), sd, animals)
    if len(sides) > 1:
        words = "limits to both sides: no mean"
        unknown = Estimate.unknown(level, unit, words)
        return GroupSummary(arm, len(rows), values, marks, unknown, math.nan, animals, above=above)
    from lampyris.statistics.censored import censored_summary

    sign = -1.0 if above else 1.0
    found = censored_summary([sign * value for value in values], marks, group=arm, unit=unit, level=level)
    mean = found.mean if sign > 0 else _negated(found.mean)
    return GroupSummary(arm, len(rows), values, marks, mean, found.sd.value, animals, above=above)


def _why_left_out(readings: Sequence[Reading]) -> str:
    """Why an arm cannot be tested; empty where it can."""
    if len(readings) < LEAST_ANIMALS:
        return f"{len(readings)} value{'' if len(readings) == 1 else 's'}, {LEAST_ANIMALS} are the least"
    if any(one.limit for one in readings):
        return ""
    # a test weighs each arm by its spread
    values = [one.value for one in readings]
    return "" if max(values) > min(values) else "its values do not differ, so their spread is unknown"


def _untested(barred: Mapping[str, str]) -> tuple[str, ...]:
    if not barred:
        return ()
    return (f"Left out of the test: {'; '.join(f'{arm} ({why})' for arm, why in barred.items())}.",)


def _missing(endpoint: Endpoint) -> tuple[str, ...]:
    names = [f"{who} ({arm})" for arm, rows in endpoint.readings.items() for who, one in rows if one is None]
    if not names:
        return ()
    why = {
        "flux": "the day is missing or no limit is known",
        "ratio": "a day is missing, no limit is known, or both values would be limits",
        "burden": "the day is missing, or neither cells nor a limit are known",
        "persistence": "no primary was followed, or it was not measured in the last session",
    }[endpoint.key]
    return (f"Without a value on this endpoint ({why}): {', '.join(names)}.",)


def _counts(values: Mapping[str, Sequence[tuple[str, Reading]]], arms: Sequence[str]) -> str:
    some = {arm: sum(bool(one.limit) for _, one in values[arm]) for arm in arms}
    return ", ".join(f"{count} of {len(values[arm])} in {arm}" for arm, count in some.items() if count)


def _limits_described(values: Mapping[str, Sequence[tuple[str, Reading]]]) -> tuple[str, ...]:
    counts = _counts(values, list(values))
    if not counts:
        return ()
    return (f"Values that are detection limits: {counts}. They are shown as limits; means take them as censored.",)


def _limits_told(values: Mapping[str, Sequence[tuple[str, Reading]]], tested: Sequence[str]) -> tuple[str, ...]:
    """How limits of the tested arms, and of those only described, were taken."""
    notes = []
    counts = _counts(values, tested)
    if counts:
        notes.append(
            f"Values that are detection limits: {counts}. They are taken as censored, known only to lie on one side of the limit: "
            "neither as zero, nor as the limit, nor as half of it. Means and differences come from a censored normal likelihood."
        )
    others = _counts(values, [arm for arm in values if arm not in tested])
    if others:
        notes.append(
            f"In arms that are described and not tested, limits are: {others}; their means take them as censored."
        )
    return tuple(notes)
