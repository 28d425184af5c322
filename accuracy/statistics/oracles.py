"""Comparisons of groups beside independent packages, over random data sets: unequal n and spread, ties, integers, long tails.

Each figure is the largest deviation over all data sets, of the statistic (relative) or of p. Packages: statsmodels, pingouin,
scikit-posthocs and SciPy; none of them is used by the analysis of the kind it checks here.
"""

import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from accuracy.figures import Figure, figure
from lampyris.statistics import groups as ours

TABLE = "oracles"
ARM = "random sets"
SETS = 500
CENTERS = ("median", "mean", "trimmed")
SEED = 20_260_511
Samples = tuple[NDArray[Any], ...]
# why each bound: exact formulas differ by rounding; SciPy's and pingouin's studentised range is integrated to 1e-6 or so, SciPy's
# Dunnett by random numbers to 1e-3; pingouin corrects Hedges g by an approximation of the factor
BOUNDS = {
    "anova_statsmodels": 1e-9,
    "welch_statsmodels": 1e-9,
    "welch_pingouin": 1e-9,
    "kruskal_wallis_pingouin": 1e-9,
    "levene_median_scipy": 1e-9,
    "levene_mean_scipy": 1e-9,
    "levene_trimmed_scipy": 1e-9,
    "bartlett_scipy": 1e-9,
    "shapiro_wilk_scipy": 1e-6,
    "kruskal_wallis_scipy": 1e-9,
    "mann_whitney_normal_scipy": 1e-9,
    "superiority_pingouin": 1e-9,
    "hedges_g_pingouin": 0.02,
    "wilcoxon_normal_scipy": 1e-9,
    "paired_t_pingouin": 1e-9,
    "games_howell_pingouin": 1e-5,
    "tukey_kramer_pingouin": 1e-5,
    "dunn_scikit_posthocs": 1e-9,
    "dunnett_scipy": 3e-3,
    "two_way_statsmodels": 1e-7,
    "blocked_statsmodels": 1e-7,
}


@dataclass(frozen=True, slots=True)
class Packages:
    """The packages, imported once."""

    np: Any
    pd: Any
    pg: Any
    posthocs: Any
    oneway: Callable[..., Any]
    ols: Callable[..., Any]
    anova_lm: Callable[..., Any]
    stats: Any


def tables(*, quick: bool) -> list[Figure]:
    """Deviations over all sets; with ``--quick`` each set is asked for one of the middles of Levene's test in place of all."""
    return figures_of(quick=quick)


def figures_of(*, quick: bool, part: slice = slice(None)) -> list[Figure]:
    """Largest deviation per kind of test, over all sets or a part of them."""
    worst: dict[str, float] = {}
    count: dict[str, int] = {}
    with warnings.catch_warnings():
        # the packages warn of small samples, of their own deprecations and of ties, none of which concerns the answer
        warnings.simplefilter("ignore")
        packages = load()
        for k, samples in list(enumerate(random_sets()))[part]:
            centers = (CENTERS[k % len(CENTERS)],) if quick else CENTERS
            for name, deviation in deviations(samples, packages, centers=centers):
                worst[name] = max(worst.get(name, 0.0), deviation)
                count[name] = count.get(name, 0) + 1
    return [figure(TABLE, ARM, name, worst[name], None, count[name], at_most=BOUNDS[name]) for name in worst]


def load() -> Packages:
    """Import the packages; they belong to the group ``test`` of dependencies."""
    import pandas
    import pingouin
    import scikit_posthocs
    from scipy import stats
    from statsmodels.formula.api import ols
    from statsmodels.stats.anova import anova_lm
    from statsmodels.stats.oneway import anova_oneway

    return Packages(np, pandas, pingouin, scikit_posthocs, anova_oneway, ols, anova_lm, stats)


def random_sets(count: int = SETS, /, *, seed: int = SEED) -> Iterator[Samples]:
    """Data sets of 2 to 5 groups of 3 to 15 values: normal, integers with ties, counts, long tails, far from 0."""
    rng = np.random.default_rng(seed)
    made = 0
    while made < count:
        kind = made % 5
        size = int(rng.integers(2, 6))
        ns, sds = rng.integers(3, 16, size), np.exp(rng.normal(0, 0.7, size))
        means = rng.normal(0, 0.7, size)
        samples: Samples = tuple(rng.normal(m, s, n) for m, s, n in zip(means, sds, ns, strict=True))
        if kind == 1:
            samples = tuple(np.rint(3 * x).astype(np.int64) for x in samples)
        elif kind == 2:
            samples = tuple(rng.poisson(np.exp(1 + 0.5 * m), n) for m, n in zip(means, ns, strict=True))
        elif kind == 3:
            samples = tuple(m + s * rng.standard_t(3, n) for m, s, n in zip(means, sds, ns, strict=True))
        elif kind == 4:
            samples = tuple(1e4 + x for x in samples)
        # Welch's test needs a spread in every group
        if all(np.ptp(x) > 0 for x in samples):
            made += 1
            yield samples


def deviations(samples: Samples, packages: Packages, /, *, centers: tuple[str, ...]) -> Iterator[tuple[str, float]]:
    """Deviation of each kind of test on one data set."""
    yield from _omnibus(samples, packages)
    yield from _assumptions(samples, packages, centers)
    yield from _two_samples(samples, packages)
    yield from _pingouin(samples, packages)
    yield from _pairs(samples, packages)
    yield from _designs(samples, packages)
    yield from _dunn(samples, packages)


def _table(samples: Samples, packages: Packages) -> Any:
    group = np.repeat(np.arange(len(samples)), [x.size for x in samples])
    return packages.pd.DataFrame({"value": np.concatenate(samples).astype(float), "group": group})


def _omnibus(samples: Samples, packages: Packages) -> Iterator[tuple[str, float]]:
    for name, mine, variances in (("anova", ours.one_way_anova, "equal"), ("welch", ours.welch_anova, "unequal")):
        theirs = packages.oneway(samples, use_var=variances)
        found = mine(samples)
        yield f"{name}_statsmodels", _apart((found.statistic, found.p), (theirs.statistic, theirs.pvalue))
    found = ours.kruskal_wallis(samples)
    yield "kruskal_wallis_scipy", _apart((found.statistic, found.p), packages.stats.kruskal(*samples))


def _pingouin(samples: Samples, packages: Packages) -> Iterator[tuple[str, float]]:
    table = _table(samples, packages)
    row = packages.pg.welch_anova(table, dv="value", between="group").iloc[0]
    found = ours.welch_anova(samples)
    yield "welch_pingouin", _apart((found.statistic, found.df2, found.p), (row["F"], row["ddof2"], row["p_unc"]))
    row = packages.pg.kruskal(table, dv="value", between="group").iloc[0]
    found = ours.kruskal_wallis(samples)
    yield "kruskal_wallis_pingouin", _apart((found.statistic, found.p), (row["H"], row["p_unc"]))
    n = min(samples[0].size, samples[1].size)
    x, y = (one[:n].astype(float) for one in samples[:2])
    if np.ptp(x - y) > 0:
        row = packages.pg.ttest(x, y, paired=True).iloc[0]
        test = ours.paired_t(x, y).test
        yield "paired_t_pingouin", _apart((test.statistic, test.p), (row["T"], row["p_val"]))


def _assumptions(samples: Samples, packages: Packages, centers: tuple[str, ...]) -> Iterator[tuple[str, float]]:
    values = [x.astype(float) for x in samples]
    for center in centers:
        theirs = packages.stats.levene(*values, center=center, proportiontocut=0.25)
        found = ours.levene(samples, center=center)
        # two values lie equally far from their centre: without spread of the deviations SciPy divides by rounding
        if np.isfinite(found.statistic) and theirs.statistic < 1e9:
            yield f"levene_{center}_scipy", _apart((found.statistic, found.p), theirs)
    found = ours.bartlett(samples)
    yield "bartlett_scipy", _apart((found.statistic, found.p), packages.stats.bartlett(*values))
    residuals = np.concatenate([x - x.mean() for x in values])
    found = ours.shapiro_wilk(samples)
    yield "shapiro_wilk_scipy", _apart((found.statistic, found.p), packages.stats.shapiro(residuals))


def _two_samples(samples: Samples, packages: Packages) -> Iterator[tuple[str, float]]:
    a, b = (x.astype(float) for x in samples[:2])
    if np.ptp(np.concatenate([a, b])) > 0:
        theirs = packages.stats.mannwhitneyu(a, b, method="asymptotic")
        test = ours.mann_whitney(a, b, method="normal")
        yield "mann_whitney_normal_scipy", _apart((test.statistic, test.p), theirs)
    share = packages.pg.compute_effsize(a, b, eftype="CLES")
    yield "superiority_pingouin", abs(ours.superiority(a, b).value - share)
    theirs = packages.pg.compute_effsize(a, b, eftype="hedges")
    yield "hedges_g_pingouin", _apart((ours.hedges_g(a, b).value,), (theirs,))
    n = min(a.size, b.size)
    difference = a[:n] - b[:n]
    if np.abs(difference).min() > 0:
        theirs = packages.stats.wilcoxon(difference, method="approx", correction=True)
        test = ours.wilcoxon_signed_rank(difference, np.zeros(n), method="normal")
        yield "wilcoxon_normal_scipy", abs(test.p - float(theirs.pvalue))


def _pairs(samples: Samples, packages: Packages) -> Iterator[tuple[str, float]]:
    table = _table(samples, packages)
    rows = packages.pg.pairwise_gameshowell(table, dv="value", between="group")
    found = ours.games_howell(samples)
    yield "games_howell_pingouin", _apart([one.p for one in found], rows["pval"])
    rows = packages.pg.pairwise_tukey(table, dv="value", between="group")
    yield "tukey_kramer_pingouin", _apart([one.p for one in ours.tukey_kramer(samples)], rows["p_tukey"])
    control, *others = (x.astype(float) for x in samples)
    theirs = packages.stats.dunnett(*others, control=control, rng=np.random.default_rng(1))
    yield "dunnett_scipy", float(np.abs(np.array([one.p for one in ours.dunnett(samples)]) - theirs.pvalue).max())


def _dunn(samples: Samples, packages: Packages) -> Iterator[tuple[str, float]]:
    # adjusted by pingouin: statsmodels, to which scikit-posthocs leaves it, collects garbage each time, which takes a fifth of a second
    bare = packages.posthocs.posthoc_dunn([list(x) for x in samples], p_adjust=None).to_numpy()
    pairs = np.triu_indices(len(samples), 1)
    matrix = np.ones_like(bare)
    matrix[pairs] = matrix.T[pairs] = packages.pg.multicomp(bare[pairs], method="holm")[1]
    found = ours.dunn(samples)
    yield "dunn_scikit_posthocs", _apart([one.p for one in found], [matrix[one.a, one.b] for one in found])


def _designs(samples: Samples, packages: Packages) -> Iterator[tuple[str, float]]:
    """Groups crossed with a second factor, and with a block of three, dealt in turn."""
    table = _table(samples, packages)
    table = table.assign(
        second=[k % 2 for x in samples for k in range(x.size)], block=[k % 3 for k in range(len(table))]
    )
    factors = {"group": list(map(str, table["group"])), "second": list(map(str, table["second"]))}
    terms = "C(group, Sum) * C(second, Sum)"
    worst = 0.0
    for kind in (2, 3):
        if len(table) <= 2 * len(samples):
            return
        found = ours.factorial_anova(table["value"], factors, ss_type=kind)
        theirs = packages.anova_lm(packages.ols(f"value ~ {terms}", table).fit(), typ=kind)
        kept = theirs.drop(index=["Residual", "Intercept"], errors="ignore")
        worst = max(worst, _apart([one.f for one in found.terms], kept["F"]))
    yield "two_way_statsmodels", worst
    found = ours.factorial_anova(table["value"], {"group": factors["group"]}, block=list(map(str, table["block"])))
    theirs = packages.anova_lm(packages.ols("value ~ C(group, Sum) + C(block, Sum)", table).fit(), typ=3)
    yield "blocked_statsmodels", _apart([one.f for one in found.terms], theirs["F"].iloc[1:3])


def _apart(mine: Any, theirs: Any) -> float:
    """Largest deviation, relative where the number is above 1."""
    a, b = np.asarray(tuple(mine), dtype=float), np.asarray(tuple(theirs), dtype=float)
    return float((np.abs(a - b) / np.maximum(np.abs(b), 1.0)).max())
