"""Values below a detection limit: they are known to lie below it, and are neither zero nor the limit nor half of it.

In the order of use: `censored_summary` (mean and spread by maximum likelihood), `censored_quantile` (no distribution assumed),
`compare_censored` (groups), `as_comparison` (for the report), `rank_test_censored` (its rank test alone).
A value that is censored stands at its limit; limits may differ from value to value.
"""

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from lampyris.core.comparison import Comparison, GroupSummary, PairDifference
from lampyris.core.design import Design, Exclusion, TestResult
from lampyris.core.estimate import Estimate
from lampyris.statistics.censored_means import (
    FAR,
    WIDEST,
    detected,
    difference_of_means,
    mean_of,
    normal_term,
    ratio_test,
    spread_of,
    spreadless,
    standardised,
)
from lampyris.statistics.censored_ranks import rank_tests, risk_table
from lampyris.statistics.fitting import fit_likelihood, profile_interval
from lampyris.statistics.multiplicity import holm

Array = NDArray[np.float64]
Marks = NDArray[np.bool_]
Distribution = Literal["normal", "lognormal"]

MEAN_METHOD = "censored normal likelihood, profile interval that is Student's where nothing is censored"
SD_METHOD = "censored normal likelihood, profile interval that is exact where nothing is censored"


@dataclass(frozen=True, slots=True)
class CensoredSummary:
    """What is known of one group's values.

    Parameters
    ----------
    group : str
        Its name.
    n, below : int
        Values, and those below their limit.
    mean, sd : Estimate
        Of the normal distribution, in the unit of the values; of a log-normal one the geometric mean and the standard deviation
        of the natural logarithm. Where nothing is above its limit, `mean` has no value, and `high` bounds the median.
    median : Estimate
        Distribution-free, see `censored_quantile`.
    note : str
        What a reader must know; empty where nothing.
    """

    group: str
    n: int
    below: int
    mean: Estimate
    sd: Estimate
    median: Estimate
    note: str = ""


@dataclass(frozen=True, slots=True)
class CensoredComparison:
    """Groups compared with values below the limit as what they are.

    Parameters
    ----------
    design : Design
        Experimental unit, numbers, and values below the limit per group.
    unit : str
        Of the values.
    groups : tuple of CensoredSummary
    tests : tuple of TestResult
        The answer first; empty where nothing can be tested, which `notes` explain.
    pairs : tuple of PairDifference
        Mean of `a` less mean of `b` by likelihood, and Holm-adjusted p. An end that the data do not close is infinite; a value
        that they do not give (a group of which nothing is seen) is NaN.
    post_hoc : str
        How pairs were compared.
    notes : tuple of str
    """

    design: Design
    unit: str
    groups: tuple[CensoredSummary, ...]
    tests: tuple[TestResult, ...]
    pairs: tuple[PairDifference, ...]
    post_hoc: str
    notes: tuple[str, ...]


def censored_summary(
    values: ArrayLike,
    censored: ArrayLike,
    /,
    *,
    distribution: Distribution = "normal",
    group: str = "",
    unit: str = "1",
    level: float = 0.95,
) -> CensoredSummary:
    """Mean and standard deviation of values of which some are only known to lie below a limit, by maximum likelihood.

    Parameters
    ----------
    values : array_like, dims (unit,)
        One per experimental unit; where `censored`, the limit. Integers are taken as numbers.
    censored : array_like of bool, dims (unit,)
        Where the value lies below what stands there.
    distribution : str
        ``normal``, or ``lognormal`` for positive values, whose geometric mean is given.
    group, unit : str
    level : float
        Coverage of the intervals.

    Returns
    -------
    CensoredSummary
        The standard deviation has divisor n - 1 in effect; where nothing is censored all is as from the usual formulas.

    Raises
    ------
    ValueError
        If lengths differ, a value is not finite, or of a log-normal distribution not positive.

    Notes
    -----
    The rise of the likelihood at the interval's ends is not that of chi-squared, which covers 0.90 with five values, but
    ``n log(1 + t^2 / (n - 1))``: exact where nothing is censored, and 0.94 to 0.97 in simulation where up to 60 % are.

    References
    ----------
    Tobin 1958, Econometrica 26:24, doi:10.2307/1907382; Helsel 2006, Chemosphere 65:2434, doi:10.1016/j.chemosphere.2006.04.051
    (why no substitution).

    Examples
    --------
    >>> found = censored_summary([2.0, 2.0, 3.1, 4.2, 5.0], [True, True, False, False, False])
    >>> f"{found.mean.value:.2f} ({found.mean.low:.2f} to {found.mean.high:.2f}), sd {found.sd.value:.2f}"
    '2.77 (-2.52 to 5.53), sd 2.06'
    >>> censored_summary([2.0, 2.0, 3.0], [True, True, True]).mean.high
    3.0
    """
    x, below = _checked(values, censored, group)
    if distribution not in ("normal", "lognormal"):
        raise ValueError(f"distribution is 'normal' or 'lognormal', got {distribution!r}")
    median = censored_quantile(x, below, unit=unit, level=level)
    if distribution == "lognormal":
        if not (x > 0).all():
            raise ValueError(
                f"{group or 'values'}: a log-normal distribution needs positive values and limits, got {x.min()}"
            )
        plain = _normal_summary(np.log(x), below, group, unit, level, median)
        return replace(plain, mean=_exponential(plain.mean, unit), sd=replace(plain.sd, unit="1"))
    return _normal_summary(x, below, group, unit, level, median)


def censored_quantile(
    values: ArrayLike, censored: ArrayLike, /, *, probability: float = 0.5, unit: str = "1", level: float = 0.95
) -> Estimate:
    """A quantile of values of which some lie below a limit, by the Kaplan-Meier estimate read from above.

    Parameters
    ----------
    values, censored : array_like, dims (unit,)
        As of `censored_summary`.
    probability : float
        0.5 for the median.
    unit : str
    level : float
        Coverage of the interval, at least: Clopper and Pearson's of the distribution at the estimate's effective number, which
        without censoring gives the interval of order statistics.

    Returns
    -------
    Estimate
        Without a value, and `high` the largest limit that may hold it, where the quantile lies among values not seen. No `sd`.

    Raises
    ------
    ValueError
        As `censored_summary`, or if the probability is not between 0 and 1.

    References
    ----------
    Kaplan & Meier 1958, J Am Stat Assoc 53:457, doi:10.1080/01621459.1958.10501452; Helsel 2012, Statistics for Censored
    Environmental Data, doi:10.1002/9781118162729, chapter 6; Dorey & Korn 1987, Stat Med 6:679, doi:10.1002/sim.4780060605.

    Examples
    --------
    >>> found = censored_quantile([1.0, 1.0, 2.0, 3.0, 4.0, 6.0, 7.0], [True, True, False, False, False, False, False])
    >>> found.value, found.low, found.high
    (3.0, -inf, 7.0)
    """
    x, below = _checked(values, censored, "values")
    if not 0 < probability < 1:
        raise ValueError(f"probability must lie between 0 and 1, got {probability}")
    nan = math.nan
    if not x.size:
        return Estimate(nan, nan, nan, nan, level, unit, "no value")
    words = f"quantile {probability:g} of the reversed Kaplan-Meier estimate"
    if below.all():
        return _all_below(x, probability, unit)
    seen, share, number = _distribution(x, below)
    under = np.append(share[1:], _unseen_share(x, below))
    high_end = special.betaincinv(share * number + 1e-300, (1 - share) * number + 1.0, 0.5 * (1 - level))
    low_end = special.betaincinv(under * number + 1.0, (1 - under) * number + 1e-300, 0.5 * (1 + level))
    low = float(seen[low_end < probability].max(initial=-math.inf))
    high = float(seen[high_end > probability].min(initial=math.inf))
    if probability <= under[-1] * (1 + 1e-12):
        limit = float(x[below & (x <= seen[-1])].max())
        return Estimate(
            nan, nan, -math.inf, max(high, limit) if high < math.inf else high, level, unit, f"{words}: below {limit:g}"
        )
    place = int(np.flatnonzero(share >= probability * (1 - 1e-12))[-1])
    value = float(seen[place])
    # a flat stretch at the probability itself: its middle, as of the median of an even number
    if place and abs(share[place] - probability) <= 1e-12:
        value = 0.5 * (value + float(seen[place - 1]))
    return Estimate(value, nan, min(low, value), max(high, value), level, unit, words)


def compare_censored(
    values: Mapping[str, ArrayLike],
    censored: Mapping[str, ArrayLike],
    /,
    *,
    unit: str = "1",
    experimental_unit: str = "animal",
    exclusions: Sequence[Exclusion] = (),
    level: float = 0.95,
    permutations: int = 9999,
    rng: np.random.Generator | None = None,
) -> CensoredComparison:
    """Compare groups in which some values are only known to lie below a limit.

    The answer is the likelihood ratio test of the means of censored normal distributions, each group with its own spread (give
    logarithms of what is log-normal, such as fluxes); beside it stands the rank test of Peto and Peto, which assumes no
    distribution but asks whether groups differ at all, spread included. Which of them answers does not depend on how much
    a group happened to show. A group of one value, or of values that are all one, has no spread at all: then the rank test is the
    answer, also of its pairs, and the likelihood stands beside it with one spread for all. A group of which nothing is seen gives an
    upper bound and not an error.

    Parameters
    ----------
    values, censored : mapping of str to array_like, dims (unit,)
        Per group, in the order shown, as of `censored_summary`: one value per experimental unit.
    unit : str
        Of the values.
    experimental_unit : str
        What was replicated.
    exclusions : sequence of Exclusion
        Units left out, for the design.
    level : float
        Coverage of the intervals, each pair's by itself.
    permutations : int
        Random splits of the rank test, where an `rng` is given and the splits are too many to be counted.
    rng : numpy.random.Generator, optional
        Without it the rank test's p is exact where the splits can be counted (two groups of ten) and asymptotic otherwise.

    Returns
    -------
    CensoredComparison

    Raises
    ------
    ValueError
        With every fault: groups of the two mappings differ, lengths differ, a value is not finite, a group is empty, fewer
        than two groups.

    Notes
    -----
    Values that are only known to lie *above* what stands there (a ratio to a day on which nothing was seen) are given with
    their sign turned, all of them; values of both kinds in one comparison are not taken.

    The likelihood ratio L of groups of n units is referred to F: ``F = v (exp(L / m) - 1) / (g - 1)`` with g - 1 and v degrees of
    freedom, g groups, v Welch's from the fitted spreads and ``m = v sum(s^2 / (n - 1)) / sum(s^2 / n)``, which is the t or F test
    where nothing is censored and spreads are one, and the t test of one group where it has all the spread. Chi-squared would
    find 10 % where 5 % are meant with groups of five. This stays at or below 6 % with groups of four to eighteen and spreads up to
    threefold apart, and falls far below 5 % where half the values are censored (the accuracy table "censoring").

    Of a group that shows fewer than two values that differ, v and m take the spread to be as wide as can be, as nothing seen
    speaks against that: then v is n - 1 and m is n of that group. Of four animals of which none is seen, against any others, p is
    0.058, of five 0.026: animals that spread widely about the others' mean all lie on one side of it once in 2^(n - 1) times.

    A rank test in its place, where a group shows fewer than three values, would find too much. A group comes to that by lying low
    in this draw, so that of such draws it calls 9 to 10 % different even where groups are alike in all (five and six animals, a
    third below the limit), and up to 30 % where spreads differ threefold and the limit lies above the mean, since it asks whether groups
    differ at all. The likelihood calls at most 6 % of the same draws different. Ranks studentised by each group's own spread, and
    splits counted only among those that show as little, were tried in its place: the first find little of what is there, the
    second too much of a small group that spreads widely.

    References
    ----------
    Peto & Peto 1972, J R Stat Soc A 135:185, doi:10.2307/2344317; Harrington & Fleming 1982, Biometrika 69:553,
    doi:10.1093/biomet/69.3.553 (variance); Welch 1951, Biometrika 38:330, doi:10.1093/biomet/38.3-4.330; Helsel 2012,
    doi:10.1002/9781118162729, chapters 9 and 10.

    Examples
    --------
    >>> found = compare_censored(
    ...     {"dots": [6.1, 6.4, 5.9, 6.8, 6.3], "dye": [5.0, 5.0, 5.4, 5.2, 5.7]},
    ...     {"dots": [False] * 5, "dye": [True, True, False, False, False]},
    ...     unit="log10(ph s-1)",
    ... )
    >>> pair = found.pairs[0]
    >>> f"{pair.difference.value:.2f} ({pair.difference.low:.2f} to {pair.difference.high:.2f}), p = {pair.p:.3f}"
    '1.15 (0.53 to 2.26), p = 0.010'
    >>> found.tests[1].name, round(found.tests[1].p, 4)
    ('Peto-Peto generalised Wilcoxon test of left-censored values, exact', 0.0079)
    """
    samples = _samples(values, censored)
    names = tuple(samples)
    summaries = tuple(
        censored_summary(x, below, group=name, unit=unit, level=level) for name, (x, below) in samples.items()
    )
    design = Design(
        experimental_unit,
        names,
        tuple(one.n for one in summaries),
        rows=sum(one.n for one in summaries),
        below_limit=tuple(one.below for one in summaries),
        exclusions=tuple(exclusions),
    )
    groups = list(samples.values())
    notes = [f"{one.group}: {one.note}" for one in summaries if one.note]
    ratio, remark = ratio_test(groups, names)
    ranks = rank_tests(groups, permutations, rng)
    notes += [remark] if remark else []
    ordered = [ratio, *ranks] if ratio and not spreadless(groups) else [*ranks, *([ratio] if ratio else [])]
    tests = tuple(replace(one, role="beside" if place else "primary") for place, one in enumerate(ordered))
    if not tests:
        notes.append("No test was made: nothing was seen in any group, or all values are one.")
    pairs = _pairs(groups, names, unit, level, permutations, rng)
    post_hoc = "likelihood ratio of censored normal means per pair, Holm"
    if spreadless(groups):
        post_hoc += "; rank test where a group has no spread of its own"
    return CensoredComparison(design, unit, summaries, tests, pairs, post_hoc, tuple(notes))


def as_comparison(
    found: CensoredComparison,
    values: Mapping[str, ArrayLike],
    censored: Mapping[str, ArrayLike],
    /,
    *,
    endpoint: str,
) -> Comparison:
    """The comparison as the report's noun, with the values that it was made from.

    Parameters
    ----------
    found : CensoredComparison
    values, censored : mapping of str to array_like, dims (unit,)
        As given to `compare_censored`.
    endpoint : str
        What was compared.

    Returns
    -------
    Comparison
        Where no test could be made its name is empty and its numbers are NaN, as everywhere.
    """
    first = found.tests[0] if found.tests else TestResult("", "", math.nan, (math.nan, math.nan), math.nan)
    degrees = (*first.df, math.nan, math.nan)
    groups = tuple(
        GroupSummary(
            one.group,
            one.n,
            tuple(np.asarray(values[one.group], dtype=np.float64).tolist()),
            tuple(np.asarray(censored[one.group]).astype(bool).tolist()),
            one.mean,
        )
        for one in found.groups
    )
    return Comparison(
        endpoint,
        found.unit,
        found.design.experimental_unit,
        first.name,
        first.statistic,
        degrees[0],
        degrees[1],
        first.p,
        groups,
        found.pairs,
        found.post_hoc,
        found.notes,
        None,
        found.design,
        found.tests,
    )


def rank_test_censored(
    values: Mapping[str, ArrayLike],
    censored: Mapping[str, ArrayLike],
    /,
    *,
    exact: bool = True,
    permutations: int = 9999,
    rng: np.random.Generator | None = None,
) -> tuple[TestResult, ...]:
    """Peto and Peto's rank test of groups with values below a limit; without limits it is Kruskal and Wallis' or Wilcoxon's.

    Parameters
    ----------
    values, censored : mapping of str to array_like, dims (unit,)
        As of `compare_censored`.
    exact : bool
        Count all splits of the units where they are few enough.
    permutations, rng
        As of `compare_censored`.

    Returns
    -------
    tuple of TestResult
        The best p that can be had (exact, by permutation, asymptotic), then the asymptotic one where that is not it; empty where
        nothing is seen or all values are one.

    Raises
    ------
    ValueError
        As `compare_censored`.

    Examples
    --------
    >>> test = rank_test_censored({"a": [1, 1, 2, 3], "b": [4, 5, 6, 7]}, {"a": [1, 1, 0, 0], "b": [0, 0, 0, 0]})[0]
    >>> round(test.p, 4), test.note
    (0.0286, 'all 70 splits counted')
    """
    groups = list(_samples(values, censored).values())
    return tuple(rank_tests(groups, permutations, rng, exact=exact))


def _checked(values: ArrayLike, censored: ArrayLike, group: str) -> tuple[Array, Marks]:
    x, marks = np.asarray(values, dtype=np.float64), np.asarray(censored)
    name = group or "values"
    if x.ndim != 1 or marks.shape != x.shape:
        raise ValueError(f"{name}: values and censored must be of one length, got shapes {x.shape} and {marks.shape}")
    if not np.isin(marks, (0, 1)).all():
        raise ValueError(f"{name}: censored is true or false, got {np.unique(marks)[:5].tolist()}")
    if not np.isfinite(x).all():
        places = np.flatnonzero(~np.isfinite(x))[:5].tolist()
        raise ValueError(f"{name}: values at places {places} are not finite: a value not seen stands at its limit")
    return x, marks.astype(bool)


def _samples(values: Mapping[str, ArrayLike], censored: Mapping[str, ArrayLike]) -> dict[str, tuple[Array, Marks]]:
    faults = [] if len(values) >= 2 else [f"a comparison needs two groups, got {len(values)}"]
    odd = sorted(set(values) ^ set(censored))
    if odd:
        faults.append(f"groups with values or marks alone: {', '.join(odd)}")
    samples = {}
    for name in values:
        if name not in censored:
            continue
        try:
            samples[name] = _checked(values[name], censored[name], name)
        except ValueError as fault:
            faults.append(str(fault))
            continue
        if not samples[name][0].size:
            faults.append(f"{name} has no value: leave the group out")
    if faults:
        raise ValueError("; ".join(faults))
    return samples


def _all_below(x: Array, probability: float, unit: str) -> Estimate:
    """Nothing is seen: the largest limit bounds the quantile, with the confidence that so many values below it give."""
    # a quantile at or above the limit would leave all below it with probability p^n at most
    level = min(1.0 - probability**x.size, 1.0 - 1e-12)
    words = f"all {x.size} values lie below their limits: quantile {probability:g} is below the largest"
    return Estimate(math.nan, math.nan, -math.inf, float(x.max()), level, unit, words)


def _distribution(x: Array, below: Marks) -> tuple[Array, Array, Array]:
    """Values seen, falling, with the share of the distribution up to each, and the number of units that this is worth."""
    seen, at_risk, events, _ = risk_table(x, below)
    left = np.cumprod(1.0 - events / at_risk)
    share = np.concatenate([[1.0], left[:-1]])
    with np.errstate(divide="ignore", invalid="ignore"):
        greenwood = np.cumsum(events / (at_risk * (at_risk - events)))
        worth = (1.0 - left) / (left * greenwood)
    worth = np.where(np.isfinite(worth), worth, x.size)
    # at the largest value nothing is estimated yet
    return seen, share, np.concatenate([[float(x.size)], worth[:-1]])


def _unseen_share(x: Array, below: Marks) -> float:
    """Share of the distribution below all that is seen."""
    _, at_risk, events, _ = risk_table(x, below)
    return float(np.prod(1.0 - events / at_risk))


def _normal_summary(x: Array, below: Marks, group: str, unit: str, level: float, median: Estimate) -> CensoredSummary:
    n, unseen = x.size, int(below.sum())
    nan = math.nan
    unknown = Estimate(nan, nan, 0.0 if n else nan, math.inf if n else nan, level, unit, "spread not known")
    if n and below.all():
        bound = _all_below(x, 0.5, unit)
        note = (
            f"nothing was seen in any of {n}: the mean lies below {bound.high:.6g} as far as mean and median are one, "
            f"with confidence {bound.level:.3g}"
        )
        return CensoredSummary(group, n, unseen, bound, unknown, median, note)
    if detected(x, below) < 2:
        words = "no value" if not n else "fewer than two values that differ were seen: no interval"
        value = float(x[0]) if n and not unseen else nan
        ends = (-math.inf, math.inf) if n else (nan, nan)
        return CensoredSummary(
            group, n, unseen, Estimate(value, nan, *ends, level, unit, words), unknown, median, words if n else ""
        )
    [(z, marks)], middle, scale = standardised([(x, below)])
    fit = fit_likelihood(
        normal_term(z, marks, names=("mean", "log_sd"), of=lambda p: p),
        [mean_of("mean", z, marks), spread_of("log_sd", (z, marks))],
    )
    t = float(special.stdtrit(n - 1, 0.5 * (1 + level)))
    mean = profile_interval(fit, "mean", level=level, rise=n * math.log1p(t * t / (n - 1)), method=MEAN_METHOD)
    spread = profile_interval(fit, "log_sd", level=level, rise=_spread_rise(n, level), method=SD_METHOD)
    # the likelihood's own spread is too small by what the mean took
    more = math.sqrt(n / (n - 1))
    value = scale * math.exp(spread.value) * more
    sd = Estimate(
        value,
        value * spread.sd,
        min(scale * math.exp(spread.low), value),
        max(scale * math.exp(min(spread.high, 700.0)), value) if spread.high < WIDEST else math.inf,
        level,
        unit,
        SD_METHOD,
    )
    mean = _moved(replace(mean, sd=mean.sd * more), middle, scale, unit, floor=float(z.min()) - FAR)
    note = "" if not unseen else f"{unseen} of {n} values lie below their limit"
    note += "; more than half: the mean rests on the assumed distribution" if 2 * unseen > n else ""
    return CensoredSummary(group, n, unseen, mean, sd, median, note)


def _moved(one: Estimate, middle: float, scale: float, unit: str, *, floor: float = -math.inf) -> Estimate:
    """From standard to own units; an end at the floor is none."""
    low = -math.inf if one.low <= floor else middle + scale * one.low
    value = middle + scale * one.value
    return Estimate(value, scale * one.sd, min(low, value), middle + scale * one.high, one.level, unit, one.method)


def _exponential(one: Estimate, unit: str) -> Estimate:
    value = math.exp(one.value) if math.isfinite(one.value) else math.nan
    low, high = (math.exp(end) if end < 700 else math.inf for end in (one.low, one.high))
    words = one.method if "censored normal" not in one.method else f"geometric mean, {one.method}"
    return Estimate(value, value * one.sd, low, high, one.level, unit, words)


def _spread_rise(n: int, level: float) -> float:
    """Rise of the deviance within which the standard deviation of n uncensored normal values lies with that probability."""
    from scipy.optimize import brentq

    def excess(rise: float) -> float:
        at = -math.exp(-1.0 - rise / n)
        low, high = -float(special.lambertw(at, 0).real), -float(special.lambertw(at, -1).real)
        return float(special.chdtr(n - 1, n * high) - special.chdtr(n - 1, n * low)) - level

    return float(brentq(excess, 1e-6, 300.0, xtol=1e-9))


def _pairs(
    groups: Sequence[tuple[Array, Marks]],
    names: Sequence[str],
    unit: str,
    level: float,
    permutations: int,
    rng: np.random.Generator | None,
) -> tuple[PairDifference, ...]:
    places = list(itertools.combinations(range(len(groups)), 2))
    found = []
    for a, b in places:
        two = (groups[a], groups[b])
        difference, p = difference_of_means(*two, unit, level)
        if spreadless(two):
            ranks = rank_tests(two, permutations, rng)
            p = ranks[0].p if ranks else math.nan
            difference = replace(difference, method=f"{difference.method}, one spread assumed; p of the rank test")
        found.append((difference, p))
    adjusted = holm([p for _, p in found])
    return tuple(
        PairDifference(names[a], names[b], difference, float(p))
        for (a, b), (difference, _), p in zip(places, found, adjusted, strict=True)
    )
