"""Tests and pairs of a comparison, from values or from mean, standard deviation and n, as the plan asks."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from lampyris.core.comparison import PairDifference
from lampyris.core.design import TestResult
from lampyris.core.estimate import Estimate
from lampyris.statistics.explained import eta_squared
from lampyris.statistics.groups.assumptions import (
    MOST_RESIDUALS,
    bartlett_from_summary,
    levene,
    sd_ratio,
    shapiro_wilk,
)
from lampyris.statistics.groups.effects import hedges_g_from_summary, mean_ratio_from_summary
from lampyris.statistics.groups.equal import (
    DUNNETT,
    TUKEY_KRAMER,
    dunnett_from_summary,
    one_way_anova_from_summary,
    tukey_kramer_from_summary,
)
from lampyris.statistics.groups.overlap import superiority
from lampyris.statistics.groups.plan import ComparisonPlan
from lampyris.statistics.groups.ranks import DUNN, dunn, kruskal_wallis, mann_whitney
from lampyris.statistics.groups.samples import Floats, OmnibusTest, PairTest, has_no_spread
from lampyris.statistics.groups.unequal import (
    DUNNETT_UNEQUAL,
    GAMES_HOWELL,
    dunnett_unequal_from_summary,
    games_howell_from_summary,
    welch_anova_from_summary,
)
from lampyris.statistics.multiplicity import compact_letters

# fewer units tell nothing of the spread between them
LEAST = 3
# a ratio of means nearer to 0 than this many standard errors has no useful interval
_CLEAR_OF_ZERO = 3.0
MEANS = "all means are equal"
PROCEDURES = {
    "games-howell": GAMES_HOWELL,
    "tukey-kramer": TUKEY_KRAMER,
    "dunnett": DUNNETT,
    "dunnett-unequal": DUNNETT_UNEQUAL,
    "dunn": DUNN,
}


@dataclass(frozen=True, slots=True, eq=False)
class Arms:
    """Groups that are compared.

    Parameters
    ----------
    names : tuple of str
        Names.
    means, sds, ns : ndarray, dims (group,)
        Mean, standard deviation (NaN of one unit) and number of units.
    arrays : tuple of ndarray
        Values per group; empty where only the summary is known.
    """

    names: tuple[str, ...]
    means: Floats
    sds: Floats
    ns: Floats
    arrays: tuple[Floats, ...] = ()

    def those(self, places: Sequence[int], /) -> "Arms":
        """Some of the groups."""
        kept = list(places)
        return Arms(
            tuple(self.names[k] for k in kept),
            self.means[kept],
            self.sds[kept],
            self.ns[kept],
            tuple(self.arrays[k] for k in kept) if self.arrays else (),
        )

    def testable(self, /) -> "Arms":
        """Groups of enough units."""
        return self.those([k for k, n in enumerate(self.ns) if n >= LEAST])

    def spread(self, /) -> "Arms":
        """Groups of enough units whose values differ."""
        return self.those([k for k, (n, s) in enumerate(zip(self.ns, self.sds, strict=True)) if n >= LEAST and s > 0])


def arms_of(names: Sequence[str], values: Sequence[Floats], /) -> Arms:
    """Groups with their summaries, of values.

    Parameters
    ----------
    names : sequence of str
        Groups.
    values : sequence of ndarray, dims (unit,)
        Per group.

    Returns
    -------
    Arms
    """
    return Arms(
        tuple(names),
        np.array([array.mean() if array.size else math.nan for array in values]),
        np.array([_sd(array) for array in values]),
        np.array([float(array.size) for array in values]),
        tuple(values),
    )


def _sd(array: Floats) -> float:
    if array.size < 2:
        return math.nan
    # exactly 0 where all values are equal, which a sum of squares may miss by rounding
    return 0.0 if has_no_spread(array) else float(array.std(ddof=1))


@dataclass(frozen=True, slots=True)
class Answer:
    """A test with its effect size."""

    test: TestResult
    effect: Estimate


def answers(arms: Arms, /, *, level: float) -> dict[str, Answer]:
    """Every test over all groups that can be made, by its name in the plan.

    Parameters
    ----------
    arms : Arms
        All groups; those that cannot be tested are left out per test.
    level : float
        Coverage of the effect sizes.

    Returns
    -------
    dict of str to Answer
        Of two groups the tests are Welch's t, Student's t and Mann-Whitney.
    """
    made: dict[str, Answer] = {}
    spread, testable = arms.spread(), arms.testable()
    if len(spread.names) >= 2:
        made["welch"] = _mean_test(
            welch_anova_from_summary(spread.means, spread.sds, spread.ns, level=level), spread, "Welch's t test"
        )
    if len(testable.names) >= 2 and (testable.sds > 0).any():
        made["anova"] = _mean_test(
            one_way_anova_from_summary(testable.means, testable.sds, testable.ns, level=level),
            testable,
            "Student's t test",
        )
    if len(testable.arrays) >= 2 and np.ptp(np.concatenate(testable.arrays)) > 0:
        made["kruskal-wallis"] = _rank_test(testable, level)
    return made


def further_effects(arms: Arms, made: dict[str, Answer], primary: str, /, *, level: float) -> tuple[Estimate, ...]:
    """Effect sizes beside that of the answer: eta squared of the classic analysis, and those of the other tests."""
    effects = [one.effect for name, one in made.items() if name == "kruskal-wallis" and name != primary]
    if "anova" in made:
        testable = arms.testable()
        classic = one_way_anova_from_summary(testable.means, testable.sds, testable.ns, level=level)
        n = int(testable.ns.sum())
        effects.insert(0, eta_squared(classic.statistic, classic.df1, classic.df2, n, level=level))
    return tuple(effects)


def checks(arms: Arms, /) -> tuple[TestResult, ...]:
    """Checks of assumptions that can be made; none of them changes the answer.

    Parameters
    ----------
    arms : Arms
        All groups.

    Returns
    -------
    tuple of TestResult
        Role "assumption".
    """
    testable, spread = arms.testable(), arms.spread()
    made = []
    if len(testable.names) >= 2 and (testable.sds > 0).any():
        made.append(sd_ratio(testable.sds, testable.ns))
    if len(testable.arrays) >= 2 and (testable.sds > 0).any():
        made.append(levene(testable.arrays))
    if len(spread.names) >= 2:
        made.append(bartlett_from_summary(spread.sds, spread.ns))
    residuals = sum(array.size for array in testable.arrays)
    if testable.arrays and (testable.sds > 0).any() and 3 <= residuals <= MOST_RESIDUALS:
        made.append(shapiro_wilk(testable.arrays))
    return tuple(made)


def pair_differences(arms: Arms, plan: ComparisonPlan, /, *, unit: str) -> tuple[PairDifference, ...]:
    """Post hoc comparison that the plan asks for.

    Parameters
    ----------
    arms : Arms
        All groups; those that cannot be compared are left out.
    plan : ComparisonPlan
        Procedure, control and level.
    unit : str
        Unit of the values.

    Returns
    -------
    tuple of PairDifference
        Empty where fewer than two groups, or not the control, can be compared.
    """
    name = plan.post_hoc
    kept = arms.spread() if name in ("games-howell", "dunnett-unequal") else arms.testable()
    if len(kept.names) < 2 or not (kept.sds > 0).any() or (plan.control and plan.control not in kept.names):
        return ()
    # the mean of logarithms has no zero from which a ratio could be taken
    ratios = not unit.startswith("log")
    method = _method(name, kept)
    return tuple(_pair(kept, pair, method, plan.level, ratios) for pair in _procedure(kept, plan, unit))


def letters_of(arms: Arms, pairs: Sequence[PairDifference], bound: float, /) -> dict[str, str]:
    """Compact letters of the groups that were compared, "a" for the largest mean.

    Parameters
    ----------
    arms : Arms
        Groups with their means.
    pairs : sequence of PairDifference
        All pairs of the groups compared.
    bound : float
        Two groups differ where p lies below.

    Returns
    -------
    dict of str to str
        By group.
    """
    compared = {name for pair in pairs for name in (pair.a, pair.b)}
    mean = dict(zip(arms.names, arms.means, strict=True))
    order = sorted(compared, key=lambda name: (-mean[name], arms.names.index(name)))
    place = {name: k for k, name in enumerate(order)}
    apart = [(place[pair.a], place[pair.b]) for pair in pairs if pair.p < bound]
    return dict(zip(order, compact_letters(len(order), apart), strict=True))


def _procedure(arms: Arms, plan: ComparisonPlan, unit: str) -> tuple[PairTest, ...]:
    m, s, n, level = arms.means, arms.sds, arms.ns, plan.level
    control = arms.names.index(plan.control) if plan.control else None
    match plan.post_hoc:
        case "tukey-kramer":
            return tukey_kramer_from_summary(m, s, n, unit=unit, level=level)
        case "dunnett":
            return dunnett_from_summary(m, s, n, control=control or 0, unit=unit, level=level)
        case "dunnett-unequal":
            return dunnett_unequal_from_summary(m, s, n, control=control or 0, unit=unit, level=level)
        case "dunn":
            return dunn(arms.arrays, control=control, level=level)
    return games_howell_from_summary(m, s, n, unit=unit, level=level)


def _method(name: str, arms: Arms) -> str:
    """Of two groups the procedures are the plain tests."""
    if len(arms.names) > 2:
        return PROCEDURES[name]
    return {"games-howell": "Welch's t test", "dunnett-unequal": "Welch's t test", "dunn": "Dunn"}.get(
        name, "Student's t test"
    )


def _pair(arms: Arms, pair: PairTest, method: str, level: float, ratios: bool) -> PairDifference:
    both = [pair.a, pair.b]
    m, s, n = arms.means[both], arms.sds[both], arms.ns[both]
    effect = hedges_g_from_summary(m, s, n, level=level) if (s > 0).any() else None
    clear = bool((m > _CLEAR_OF_ZERO * s / np.sqrt(n)).all()) and bool((s > 0).any())
    return PairDifference(
        arms.names[pair.a],
        arms.names[pair.b],
        pair.difference,
        pair.p,
        method,
        pair.statistic,
        pair.df,
        effect,
        superiority(arms.arrays[pair.a], arms.arrays[pair.b], level=level) if arms.arrays else None,
        mean_ratio_from_summary(m, s, n, level=level) if ratios and clear else None,
    )


def _mean_test(found: OmnibusTest, arms: Arms, of_two: str) -> Answer:
    if len(arms.names) > 2:
        test = TestResult(found.name, "F", found.statistic, (found.df1, found.df2), found.p, MEANS)
    else:
        t = math.copysign(math.sqrt(found.statistic), arms.means[0] - arms.means[1])
        test = TestResult(of_two, "t", t, (found.df2,), found.p, "both means are equal")
    return Answer(test, found.effect_size)


def _rank_test(arms: Arms, level: float) -> Answer:
    found = kruskal_wallis(arms.arrays, level=level)
    if len(arms.names) == 2:
        test = mann_whitney(*arms.arrays)
    else:
        test = TestResult(found.name, "H", found.statistic, (found.df1,), found.p, "no group tends to larger values")
    pooled = np.concatenate(arms.arrays)
    tied = pooled.size - np.unique(pooled).size
    if tied and not test.note:
        test = replace(test, note=f"values tie: {pooled.size - tied} different ones among {pooled.size}; corrected for")
    return Answer(test, found.effect_size)
