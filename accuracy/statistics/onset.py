"""Onset: false alarms of its tests and coverage of its intervals on drawn animals, beside the naive reading of first sight as onset.

Everything is simulated: Weibull onsets of small groups, seen in sessions or on their day. False-positive rates are those of
tests at 0.05 where both groups are alike; coverage is that of 95 % intervals.
"""

import dataclasses
import math
from collections.abc import Callable

import numpy as np

from accuracy.figures import Figure, figure
from lampyris.statistics.intervals import clopper_pearson_interval
from lampyris.statistics.onset.cox import cox, cox_ratio
from lampyris.statistics.onset.kaplan_meier import free_estimates, kaplan_meier, median
from lampyris.statistics.onset.logrank import logrank
from lampyris.statistics.onset.parametric import hazard_ratio, onset_regression, quantile
from lampyris.statistics.onset.score_test import interval_score_test, large_sample_score_test
from lampyris.statistics.onset.times import OnsetTimes, times_of_events
from lampyris.statistics.onset.turnbull import reached_interval, turnbull, turnbull_median
from lampyris.statistics.power.onsets import OnsetPlan, drawn_onsets
from lampyris.statistics.power.pilot import Spread
from lampyris.statistics.power.planning import plan_power
from lampyris.statistics.power.question import PowerQuestion

TABLE = "onset"
SETS, QUICK_SETS = 5_000, 500
GROUP = 15
MEDIAN, SHAPE, RATIO = 10.0, 1.5, 0.5
DAYS = (3.0, 7.0, 10.0, 14.0, 21.0)
# every day against once a week
DENSE_DAYS, SPARSE_DAYS = tuple(float(day) for day in range(1, 22)), (7.0, 14.0, 21.0)
LOSS = 0.15
LABELS = ["a"] * GROUP + ["b"] * GROUP
_X = np.repeat([0.0, 1.0], GROUP)[:, None]
# what a rate may be; a coverage of steps may be more than it says, never less
RATE = {"at_least": 0.04, "at_most": 0.06}
COVER = {"at_least": 0.93, "at_most": 0.97}
COVER_STEPS = {"at_least": 0.93}
SEED = 20_260_301


def tables(*, quick: bool) -> list[Figure]:
    """Every measure; arms are ``interval``, ``right`` and ``naive``."""
    sets = QUICK_SETS if quick else SETS
    lines = [shown(arm, measure, sets, one, goal) for arm, measure, one, goal in MEASURES]
    return lines + power_lines(2_000 if quick else 20_000)


def shown(
    arm: str, measure: str, sets: int, one: Callable[[np.random.Generator], bool | None], goal: dict[str, float]
) -> Figure:
    """Share of data sets for which something is true; those for which it cannot be said are left out."""
    keyed = np.random.SeedSequence([SEED, *measure.encode(), *arm.encode()])
    found = [one(np.random.default_rng(seed)) for seed in keyed.spawn(sets)]
    said = [answer for answer in found if answer is not None]
    share = clopper_pearson_interval(sum(said), len(said))
    if sets < SETS:
        # fewer sets than the goals are made for: they get the room of three standard deviations of chance
        room = 3 * math.sqrt(0.05 * 0.95 / max(len(said), 1))
        goal = {end: value + (room if end == "at_most" else -room) for end, value in goal.items()}
    return figure(TABLE, arm, measure, share.value, (share.low, share.high), len(said), **goal)


# ---- drawn animals ----


def seen_in_sessions(rng: np.random.Generator, ratio: float = 1.0) -> OnsetTimes:
    return drawn_onsets((GROUP, GROUP), ratio, OnsetPlan(MEDIAN, DAYS, SHAPE, LOSS), rng)


def one_group(rng: np.random.Generator) -> OnsetTimes:
    return drawn_onsets((2 * GROUP, 0), 1.0, OnsetPlan(MEDIAN, DAYS, SHAPE, LOSS), rng)


def seen_unlike(rng: np.random.Generator) -> OnsetTimes:
    """Groups alike, one looked at in more sessions than the other."""
    one = drawn_onsets((GROUP, 0), 1.0, OnsetPlan(MEDIAN, DENSE_DAYS, SHAPE), rng)
    other = drawn_onsets((GROUP, 0), 1.0, OnsetPlan(MEDIAN, SPARSE_DAYS, SHAPE), rng)
    return OnsetTimes(np.concatenate([one.low, other.low]), np.concatenate([one.high, other.high]))


def seen_on_their_day(rng: np.random.Generator, ratio: float = 1.0, n: int = 2 * GROUP) -> OnsetTimes:
    """Onsets on their day, with animals lost at random days up to day 30."""
    ratios = np.where(np.arange(n) < n // 2, 1.0, ratio)
    onset = MEDIAN * (rng.exponential(size=n) / (math.log(2) * ratios)) ** (1 / SHAPE)
    last = rng.uniform(8.0, 30.0, n)
    return times_of_events(np.minimum(onset, last), onset <= last)


# ---- measures ----


def _rejects(p: float) -> bool | None:
    return None if math.isnan(p) else p <= 0.05


def _logrank_rejects(rng: np.random.Generator) -> bool | None:
    return _rejects(logrank(seen_on_their_day(rng), LABELS).p)


def _interval_rejects(rng: np.random.Generator) -> bool | None:
    return _rejects(
        interval_score_test(seen_in_sessions(rng), LABELS, permutations=399, seed=int(rng.integers(2**31)))[0].p
    )


def _interval_large_rejects(rng: np.random.Generator) -> bool | None:
    return _rejects(large_sample_score_test(seen_in_sessions(rng), LABELS).p)


def _unlike(rng: np.random.Generator) -> bool | None:
    return _rejects(large_sample_score_test(seen_unlike(rng), LABELS).p)


def _unlike_weibull(rng: np.random.Generator) -> bool | None:
    fit = onset_regression(seen_unlike(rng), _X)
    if fit.lost:
        return None
    null = onset_regression(fit.times)
    return bool(2 * (fit.log_likelihood - null.log_likelihood) > 3.841458820694124)


def _unlike_naive(rng: np.random.Generator) -> bool | None:
    return _rejects(logrank(seen_unlike(rng).as_first_sight(), LABELS).p)


def _median_km(rng: np.random.Generator) -> bool | None:
    found = median(kaplan_meier(seen_on_their_day(rng)))
    # half-open: the upper end is the day by which one half is refused
    return found.low <= MEDIAN < found.high


def _free_km(rng: np.random.Generator) -> bool | None:
    course = kaplan_meier(seen_on_their_day(rng))
    day = 8.0
    place = int(np.searchsorted(course.days, day, side="right")) - 1
    if place < 0:
        return None
    one = free_estimates(course)[place]
    return one.low <= _free(day) <= one.high


def _free(day: float) -> float:
    return 0.5 ** ((day / MEDIAN) ** SHAPE)


def _free_turnbull(rng: np.random.Generator) -> bool | None:
    one = reached_interval(turnbull(one_group(rng)), DAYS[2])
    return one.low <= 1 - _free(DAYS[2]) <= one.high


def _median_turnbull(rng: np.random.Generator) -> bool | None:
    found = turnbull_median(turnbull(one_group(rng)))
    return found.low <= MEDIAN <= found.high


def _median_weibull(rng: np.random.Generator) -> bool | None:
    found = quantile(onset_regression(one_group(rng)), 0.5)
    return found.low <= MEDIAN <= found.high


def _median_weibull_naive(rng: np.random.Generator) -> bool | None:
    found = quantile(onset_regression(one_group(rng).as_first_sight()), 0.5)
    return found.low <= MEDIAN <= found.high


def _median_weibull_right(rng: np.random.Generator) -> bool | None:
    found = quantile(onset_regression(seen_on_their_day(rng)), 0.5)
    return found.low <= MEDIAN <= found.high


def _ratio_weibull(rng: np.random.Generator) -> bool | None:
    fit = onset_regression(seen_in_sessions(rng, RATIO), _X)
    found, _ = hazard_ratio(fit, 0)
    return found.low <= RATIO <= found.high


def _ratio_cox(rng: np.random.Generator) -> bool | None:
    found, _ = cox_ratio(cox(seen_on_their_day(rng, RATIO), _X), 0)
    return found.low <= RATIO <= found.high


MEASURES: tuple[tuple[str, str, Callable[[np.random.Generator], bool | None], dict[str, float]], ...] = (
    ("right", "false_positive_logrank", _logrank_rejects, RATE),
    ("interval", "false_positive_permutation", _interval_rejects, RATE),
    ("interval", "false_positive_large_sample", _interval_large_rejects, RATE),
    ("interval", "false_positive_unlike_sessions", _unlike, {}),
    ("interval", "false_positive_unlike_sessions_weibull", _unlike_weibull, {}),
    ("naive", "false_positive_unlike_sessions", _unlike_naive, {}),
    ("right", "coverage_free_share", _free_km, COVER),
    ("right", "coverage_median_kaplan_meier", _median_km, COVER),
    ("right", "coverage_median_weibull", _median_weibull_right, COVER),
    ("right", "coverage_hazard_ratio_cox", _ratio_cox, COVER),
    ("interval", "coverage_reached_share_turnbull", _free_turnbull, COVER),
    ("interval", "coverage_median_turnbull", _median_turnbull, COVER_STEPS),
    ("interval", "coverage_median_weibull", _median_weibull, COVER),
    ("naive", "coverage_median_weibull", _median_weibull_naive, {}),
    ("interval", "coverage_hazard_ratio_weibull", _ratio_weibull, COVER),
)


# ---- power ----

_SD = Spread(1.0, math.inf, "given")
QUESTIONS = {
    "two_sample": PowerQuestion("two-sample", n=(8,), effect=1.5, spread=_SD),
    "welch_unequal": PowerQuestion("two-sample", n=(6, 12), effect=2.0, spread=_SD, second_sd=2.0),
    "paired": PowerQuestion("paired", n=(8,), effect=1.1, spread=_SD),
    "anova": PowerQuestion("anova", n=(8,), effect=1.4, spread=_SD, means=(0.0, 0.5, 1.0)),
    "kruskal": PowerQuestion("kruskal", n=(8,), effect=1.4, spread=_SD, means=(0.0, 0.5, 1.0)),
    "correlation": PowerQuestion("correlation", n=(12,), effect=0.7),
    "equivalence": PowerQuestion("equivalence", n=(12,), effect=1.2, spread=_SD),
    "fisher": PowerQuestion("shares", n=(10,), effect=0.3, control=0.9),
    "boschloo": PowerQuestion("shares", n=(10,), effect=0.3, control=0.9, test="boschloo"),
    "nested": PowerQuestion("nested", n=(6,), effect=1.6, spread=_SD, sd_within=1.5, inside=6),
    "auc": PowerQuestion("auc", n=(12,), effect=0.8),
}


def power_lines(simulations: int) -> list[Figure]:
    """How far each formula lies from simulation."""
    lines = []
    for name, question in QUESTIONS.items():
        found = plan_power(dataclasses.replace(question, simulations=simulations, seed=SEED % 1_000))
        check = found.simulated
        if check is None:
            raise RuntimeError(f"{name} was not simulated")
        gap = check.value - found.power
        ends = (check.low - found.power, check.high - found.power)
        # what the simulation itself may err, and two hundredths for the formulas that are approximate
        room = 0.02 + 3 * check.sd
        lines.append(
            figure(
                TABLE, "power", f"simulated_minus_formula_{name}", gap, ends, simulations, at_least=-room, at_most=room
            )
        )
    return lines
