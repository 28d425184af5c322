"""The whole analysis of one event: courses per group, the test between them, regressions, and what a reader must know."""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lampyris.core.design import Design, Exclusion, TestResult
from lampyris.core.estimate import Estimate
from lampyris.core.onset import OnsetArm, OnsetEffect, OnsetModel, OnsetResult
from lampyris.statistics.onset import cox as regression
from lampyris.statistics.onset import kaplan_meier as km
from lampyris.statistics.onset import parametric
from lampyris.statistics.onset.logrank import logrank
from lampyris.statistics.onset.score_test import interval_score_test
from lampyris.statistics.onset.times import Floats, OnsetTimes
from lampyris.statistics.onset.turnbull import median_within, reached_interval, turnbull, turnbull_median

# fewer events than this per term of a regression: a convention (Peduzzi et al. 1995, doi:10.1016/0895-4356(95)00048-8 says ten;
# Vittinghoff & McCulloch 2007, doi:10.1093/aje/kwk052 five to nine)
EVENTS_PER_TERM = 5
# below, a test of groups of this size can hardly come out, and large-sample intervals are guides
FEW = 5
# intervals this many times as wide on average are no longer taken for those of one plan of sessions: a convention of this package
_UNLIKE = 1.5


@dataclass(frozen=True, slots=True)
class OnsetOptions:
    """How an onset is analysed.

    Parameters
    ----------
    event : str
        What came, for a reader.
    unit : str
        Of the times.
    experimental_unit : str
        What was replicated.
    weights : str
        Of the log-rank test: key of `lampyris.statistics.onset.logrank.WEIGHTS`.
    law : str
        Of the parametric model: key of `lampyris.statistics.onset.parametric.LAWS`.
    horizon : float or None
        Day up to which the restricted mean is taken; the earliest of the groups' last days by default.
    permutations, seed : int
        Of the permutation test of intervals.
    least : int
        Groups of fewer units are described and take no part in tests and regressions.
    level : float
        Coverage of all intervals.
    """

    event: str = "event"
    unit: str = "d"
    experimental_unit: str = "animal"
    weights: str = "log-rank"
    law: str = "weibull"
    horizon: float | None = None
    permutations: int = 9_999
    seed: int = 1
    level: float = 0.95
    least: int = 1


def onset_analysis(
    times: OnsetTimes,
    groups: Sequence[str],
    /,
    *,
    covariates: Mapping[str, Sequence[float] | Sequence[str]] | None = None,
    strata: Sequence[str] | None = None,
    exclusions: Sequence[Exclusion] = (),
    options: OnsetOptions | None = None,
) -> OnsetResult:
    """Compare the onset of an event between groups.

    Times with intervals are analysed as such: Turnbull's estimate, a permutation test of log-rank scores and a parametric
    model. Right-censored times: Kaplan-Meier, log-rank, Cox's regression and the same parametric model. An animal that
    died or was removed before the event is right-censored at its last look; that is fair only where its removal says
    nothing of the event to come, which the notes say where it may matter.

    Parameters
    ----------
    times : OnsetTimes
        One per experimental unit.
    groups : sequence of str
        One per unit; the first group is what the others are compared with.
    covariates : mapping of str to sequence, optional
        Numbers, or words that become one term per level but the first.
    strata : sequence of str, optional
        Of the test and of Cox's regression, such as a cage.
    exclusions : sequence of Exclusion
        Units that were left out before.
    options : OnsetOptions, optional

    Returns
    -------
    OnsetResult
        Without tests or models, and with the reason among the notes, where there is nothing to compare.

    Raises
    ------
    ValueError
        If lengths differ or a covariate is not finite.

    Examples
    --------
    >>> found = onset_analysis(OnsetTimes([0, 0, 0, 7, 7, 14], [7, 7, 7, 14, float("inf"), float("inf")]), list("aaabbb"))
    >>> found.censoring, round(found.tests[0].p, 2), [arm.events for arm in found.arms]
    ('interval', 0.1, [3, 1])
    """
    options = options or OnsetOptions()
    names = tuple(dict.fromkeys(groups))
    if len(groups) != len(times) or (strata is not None and len(strata) != len(times)):
        raise ValueError(f"groups and strata need one entry for each of {len(times)} units")
    labels = np.array([names.index(group) for group in groups], dtype=np.intp)
    right = times.right_censored_only
    horizon = options.horizon if options.horizon is not None else _horizon(times, labels, len(names))
    arm_of = _right_arm if right else _interval_arm
    arms = tuple(arm_of(name, times.of(labels == k), horizon, options) for k, name in enumerate(names))
    given = covariates or {}
    for covariate, values in given.items():
        if len(values) != len(times):
            raise ValueError(f"covariate {covariate} needs one entry for each of {len(times)} units, got {len(values)}")
    compared = tuple(arm for arm in arms if arm.n >= options.least)
    kept = [k for k, label in enumerate(labels) if arms[label].n >= options.least]
    made = _Compared(
        times.of(np.array(kept, dtype=np.intp)),
        tuple(groups[k] for k in kept),
        {name: [values[k] for k in kept] for name, values in given.items()},  # type: ignore[misc]
        None if strata is None else tuple(strata[k] for k in kept),
    )
    tests, models, why = _answers(made, tuple(arm.group for arm in compared), right, options)
    notes = (*_described(arms, options), *_notes(compared, made.times, arms), *_unlike_looks(names, labels, times))
    # a test stands on the groups that it compared; the others are described
    stated = compared if tests or models else arms
    silent = {arm.group for arm in arms} - {arm.group for arm in stated}
    design = Design(
        options.experimental_unit,
        tuple(arm.group for arm in stated),
        tuple(arm.n for arm in stated),
        rows=sum(arm.n for arm in stated),
        covariates=tuple(given),
        exclusions=tuple(one for one in exclusions if one.group not in silent),
    )
    censoring = "right" if right else "interval"
    return OnsetResult(options.event, options.unit, censoring, arms, tests, models, design, notes=(*notes, *why))


@dataclass(frozen=True, slots=True)
class _Compared:
    """Units of the groups that are compared."""

    times: OnsetTimes
    groups: tuple[str, ...]
    covariates: Mapping[str, Sequence[float] | Sequence[str]]
    strata: tuple[str, ...] | None


def _answers(
    made: _Compared, names: tuple[str, ...], right: bool, options: OnsetOptions
) -> tuple[tuple[TestResult, ...], tuple[OnsetModel, ...], tuple[str, ...]]:
    """Tests, regressions, and why some are missing; none where no event was seen in these groups."""
    if not made.times.seen.any():
        return (), (), ()
    labels = np.array([names.index(group) for group in made.groups], dtype=np.intp)
    columns, terms = _terms(names, labels, made.covariates)
    tests = _tests(made.times, made.groups, made.strata, right, options) if len(names) > 1 else ()
    models, why = _models(made.times, columns, terms, made.strata, right, options)
    return tests, models, why


def _described(arms: Sequence[OnsetArm], options: OnsetOptions) -> tuple[str, ...]:
    """Which groups are too small for a test, and whether one could be made at all."""
    thin = [arm for arm in arms if arm.n < options.least]
    if not thin:
        return ()
    unit = options.experimental_unit
    said = [f"{arm.group} ({arm.n} {unit}{'' if arm.n == 1 else 's'}, {options.least} are the least)" for arm in thin]
    note = f"Described and not tested: {'; '.join(said)}."
    thick = [arm.group for arm in arms if arm not in thin]
    if len(thick) > 1:
        return (note,)
    left = f"{thick[0]} alone has them" if thick else "none has them"
    return (f"No test was made: two groups of {options.least} {unit}s are needed, and {left}.", note)


def _horizon(times: OnsetTimes, labels: NDArray[np.intp], k: int) -> float:
    """The earliest of the groups' last days: beyond it a curve would be carried on without animals."""
    ends = np.where(times.seen, times.high, times.low)
    return float(min(ends[labels == g].max() for g in range(k)))


def _right_arm(group: str, times: OnsetTimes, horizon: float, options: OnsetOptions) -> OnsetArm:
    course = km.kaplan_meier(times)
    seen = int(times.seen.sum())
    return OnsetArm(
        group,
        len(times),
        seen,
        len(times) - seen,
        tuple(map(float, course.days)),
        km.free_estimates(course, level=options.level),
        tuple(int(n) for n in course.at_risk),
        km.median(course, level=options.level, unit=options.unit),
        km.restricted_mean(course, horizon, level=options.level, unit=options.unit),
    )


def _interval_arm(group: str, times: OnsetTimes, horizon: float, options: OnsetOptions) -> OnsetArm:
    fit = turnbull(times)
    days = np.unique(np.concatenate([times.low, times.high[times.seen]]))
    days = days[days > 0]
    reached = [reached_interval(fit, float(day), level=options.level) for day in days]
    free = tuple(
        Estimate(1 - one.value, math.nan, 1 - one.high, 1 - one.low, one.level, "1", one.method) for one in reached
    )
    seen = int(times.seen.sum())
    nothing = Estimate.unknown(options.level, options.unit, "not given for intervals")
    steps = tuple(
        (float(a), float(b), float(s)) for a, b, s in zip(fit.after, fit.by, fit.share, strict=True) if s > 1e-9
    )
    return OnsetArm(
        group,
        len(times),
        seen,
        len(times) - seen,
        tuple(map(float, days)),
        free,
        tuple(int((times.low >= day).sum()) for day in days),
        turnbull_median(fit, level=options.level, unit=options.unit),
        nothing,
        steps,
        median_within(fit),
    )


def _terms(
    names: tuple[str, ...], labels: NDArray[np.intp], covariates: Mapping[str, Sequence[float] | Sequence[str]]
) -> tuple[Floats, tuple[str, ...]]:
    """Columns of the regressions, and their names."""
    columns: list[Floats] = [(labels == k).astype(np.float64) for k in range(1, len(names))]
    terms = [f"{name} against {names[0]}" for name in names[1:]]
    for covariate, values in covariates.items():
        if all(isinstance(value, str) for value in values):
            levels = tuple(dict.fromkeys(values))
            columns += [np.array([value == one for value in values], dtype=np.float64) for one in levels[1:]]
            terms += [f"{covariate} {one} against {levels[0]}" for one in levels[1:]]
        else:
            columns.append(np.asarray(values, dtype=np.float64))
            terms.append(covariate)
    x = np.column_stack(columns) if columns else np.zeros((labels.size, 0))
    if not np.isfinite(x).all():
        raise ValueError("a covariate holds values that are not finite")
    return x, tuple(terms)


def _tests(
    times: OnsetTimes, groups: Sequence[str], strata: Sequence[str] | None, right: bool, options: OnsetOptions
) -> tuple[TestResult, ...]:
    if right:
        kinds = [options.weights, *(kind for kind in ("log-rank", "peto") if kind != options.weights)]
        found = [logrank(times, groups, strata=strata, weights=kind) for kind in kinds]
    else:
        found = list(
            interval_score_test(times, groups, strata=strata, permutations=options.permutations, seed=options.seed)
        )
    return (found[0], *(dataclasses.replace(one, role="beside") for one in found[1:]))


def _models(
    times: OnsetTimes,
    x: Floats,
    terms: tuple[str, ...],
    strata: Sequence[str] | None,
    right: bool,
    options: OnsetOptions,
) -> tuple[tuple[OnsetModel, ...], tuple[str, ...]]:
    if terms and np.linalg.matrix_rank(np.column_stack([np.ones(len(times)), x])) < 1 + len(terms):
        return (), ("No regression: a covariate is constant or follows from the groups or the others.",)
    events = int(times.seen.sum())
    if events < len(terms) or (len(terms) > 1 and events <= len(terms)):
        return (), (f"No regression: {events} events cannot tell {len(terms)} terms apart.",)
    models: list[OnsetModel | None] = []
    why: tuple[str, ...] = ()
    if right and terms:
        model, why = _cox_model(times, x, terms, strata, options)
        models.append(model)
    model, more = _law_model(times, x, terms, options)
    models.append(model)
    why += more
    made = tuple(model for model in models if model is not None)
    if terms and events < EVENTS_PER_TERM * len(terms):
        head = f"{events} events for {len(terms)} term{'s' if len(terms) > 1 else ''} of the regression: by convention at least "
        why += (f"{head}{EVENTS_PER_TERM} events per term are wanted, so that its ratios are rough.",)
    return made, why


def _cox_model(
    times: OnsetTimes, x: Floats, terms: tuple[str, ...], strata: Sequence[str] | None, options: OnsetOptions
) -> tuple[OnsetModel | None, tuple[str, ...]]:
    try:
        fit = regression.cox(times, x, names=terms, strata=strata)
    except ValueError as error:
        return None, (f"No Cox model: {error}.",)
    effects = []
    for k, term in enumerate(terms):
        ratio, p = regression.cox_ratio(fit, k, level=options.level)
        effects.append(OnsetEffect(term, ratio, p))
    notes: tuple[str, ...] = ()
    if fit.penalised:
        notes = (
            "A term foretells the event perfectly, as where a group has none, so that its hazard ratio has no end: "
            "Firth's penalty was taken, and the ratios are drawn towards 1.",
        )
    checks = () if fit.penalised else regression.proportional_hazards(fit)
    tests = (regression.likelihood_ratio(fit), *checks)
    name = "Cox, Efron's ties" + (", Firth's penalty" if fit.penalised else "") + (", stratified" if strata else "")
    return OnsetModel(name, tuple(effects), fit.log_likelihood, tests=tests, notes=notes), ()


def _law_model(
    times: OnsetTimes, x: Floats, terms: tuple[str, ...], options: OnsetOptions
) -> tuple[OnsetModel | None, tuple[str, ...]]:
    fit = parametric.onset_regression(times, x if terms else None, law=options.law, names=terms)
    if fit.lost == "law":
        return None, (
            f"No {parametric.LAWS[options.law]} model: the days at hand do not say how steeply the event comes.",
        )
    effects = []
    proportional = options.law in ("weibull", "exponential")
    unknown = Estimate.unknown(options.level, "1", "this law has no one hazard ratio")
    for k, term in enumerate(terms):
        time, p_time = parametric.time_ratio(fit, k, level=options.level)
        ratio, p = parametric.hazard_ratio(fit, k, level=options.level) if proportional else (unknown, p_time)
        effects.append(OnsetEffect(term, ratio, p, time))
    notes: tuple[str, ...] = ()
    if fit.lost:
        notes = (
            "The data set no end to a term, as where a group has no event: its ratio is 0 or inf, with one finite end.",
        )
    kind = "right-censored" if times.right_censored_only else "interval-censored"
    shape = parametric.shape_estimate(fit, level=options.level)
    name = f"{parametric.LAWS[options.law]}, {kind}"
    return OnsetModel(name, tuple(effects), fit.log_likelihood, shape, notes=notes), ()


def _notes(arms: Sequence[OnsetArm], times: OnsetTimes, every: Sequence[OnsetArm]) -> tuple[str, ...]:
    """Of the groups that are compared, and of their times; `every` group was described."""
    notes = []
    if not any(arm.events for arm in every):
        notes.append("No event was seen in any group: nothing can be tested.")
    elif not times.seen.any():
        if arms:
            notes.append("No event was seen in the groups that could be compared: nothing can be tested.")
    elif len(every) < 2:
        notes.append("One group: its course is described, and nothing is compared.")
    if len(arms) > 2:
        notes.append(
            f"Each ratio compares one of {len(arms) - 1} groups with {arms[0].group} alone: its p and its interval are not "
            "adjusted for their number; the test over all groups comes first."
        )
    few = [f"{arm.group} ({arm.n})" for arm in arms if arm.n < FEW]
    if few:
        notes.append(
            f"Fewer than {FEW} units in {', '.join(few)}: intervals are rough, and a difference can hardly show."
        )
    none = [arm.group for arm in every if arm.events == 0]
    if none and len(none) < len(every):
        notes.append(f"No event in {', '.join(none)}.")
    if (times.low[~times.seen] < times.low.max(initial=0.0)).any():
        notes.append(
            "Units that were last looked at before others had the event count up to that day only; this is fair where "
            "they left for reasons that have nothing to do with the event."
        )
    if any(arm.median_within for arm in every):
        notes.append(
            "Days of onset are known between looks only, and are used as intervals; no day within one is assumed."
        )
    return tuple(notes)


def _unlike_looks(names: tuple[str, ...], labels: NDArray[np.intp], times: OnsetTimes) -> tuple[str, ...]:
    """Say where one group was looked at more often than another: permutations then compare what was not alike."""
    between = times.seen & ~times.exact
    gaps = {}
    for k, name in enumerate(names):
        own = between & (labels == k)
        if own.any():
            gaps[name] = float((times.high[own] - times.low[own]).mean())
    if len(gaps) < 2 or max(gaps.values()) < _UNLIKE * min(gaps.values()):
        return ()
    said = ", ".join(f"{name} {gap:.3g}" for name, gap in gaps.items())
    return (
        f"Looks were not as close in all groups (mean interval {said}): the permutation test takes them for alike; compare its p "
        "with that of the parametric model, which does not.",
    )
