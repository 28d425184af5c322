"""Groups by their ranks: Kruskal-Wallis, Dunn with Holm, Mann-Whitney.

A rank test asks whether values of one group tend to be larger than those of another; it is a test of medians only where the
distributions have one shape.
"""

import itertools
import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from lampyris.core.design import TestResult
from lampyris.core.estimate import Estimate
from lampyris.statistics.explained import epsilon_squared
from lampyris.statistics.groups.samples import Floats, OmnibusTest, PairTest, checked_samples
from lampyris.statistics.multiplicity import holm

KRUSKAL = "Kruskal-Wallis"
DUNN = "Dunn, Holm"
# values over both groups up to which the distribution of the rank sum is counted out
MOST_COUNTED = 60


def kruskal_wallis(samples: Sequence[ArrayLike], /, *, level: float = 0.95) -> OmnibusTest:
    """Kruskal-Wallis test, corrected for ties.

    Parameters
    ----------
    samples : sequence of array_like, dims (animal,)
        Values per group; at least two groups of at least one value, not all equal.
    level : float
        Coverage of the interval of the effect size.

    Returns
    -------
    OmnibusTest
        Statistic H with p from the chi-squared distribution of `df1`; `df2` is NaN; the effect size is epsilon squared.

    Raises
    ------
    ValueError
        If a group is empty or holds a value that is not finite, or all values are equal.

    References
    ----------
    Kruskal & Wallis 1952, J Am Stat Assoc 47:583, doi:10.1080/01621459.1952.10483441.

    Examples
    --------
    >>> test = kruskal_wallis([[2.9, 3.0, 2.5, 2.6, 3.2], [3.8, 2.7, 4.0, 2.4], [2.8, 3.4, 3.7, 2.2, 2.0]])
    >>> f"H({test.df1:.0f}) = {test.statistic:.4f}, p = {test.p:.4f}"
    'H(2) = 0.7714, p = 0.6800'
    """
    ranks, ties = _ranks(_ranked_samples(samples))
    n = sum(one.size for one in ranks)
    between = sum(one.size * (float(one.mean()) - 0.5 * (n + 1)) ** 2 for one in ranks)
    h = 12 * between / (n * (n + 1)) / (1 - ties / (n**3 - n))
    df = float(len(ranks) - 1)
    effect = epsilon_squared(h, len(ranks), n, level=level) if n > len(ranks) else _no_effect(level)
    return OmnibusTest(KRUSKAL, h, df, math.nan, float(special.chdtrc(df, h)), effect)


def dunn(samples: Sequence[ArrayLike], /, *, control: int | None = None, level: float = 0.95) -> tuple[PairTest, ...]:
    """Dunn's comparison of mean ranks, p values adjusted by Holm.

    Parameters
    ----------
    samples : sequence of array_like, dims (animal,)
        Values per group.
    control : int, optional
        Place of a control: only the pairs with it are made, the other group first.
    level : float
        Simultaneous coverage of the intervals.

    Returns
    -------
    tuple of PairTest
        The difference is that of the mean ranks, in ranks, with Bonferroni's interval, which is a little wider than Holm's p
        value needs. `statistic` is z.

    Raises
    ------
    ValueError
        As `kruskal_wallis`.

    References
    ----------
    Dunn 1964, Technometrics 6:241, doi:10.1080/00401706.1964.10490181; Holm 1979, Scand J Stat 6:65.

    Examples
    --------
    >>> pair = dunn([[1, 2, 3, 4], [3, 5, 6, 8], [7, 9, 10, 12]])[1]
    >>> pair.difference.value, round(pair.statistic, 3), round(pair.p, 4)
    (-7.375, -2.898, 0.0113)
    """
    ranks, ties = _ranks(_ranked_samples(samples))
    n = sum(one.size for one in ranks)
    places = (
        list(itertools.combinations(range(len(ranks)), 2))
        if control is None
        else [(a, control) for a in range(len(ranks)) if a != control]
    )
    variance = n * (n + 1) / 12 - ties / (12 * (n - 1))
    values = np.array([ranks[a].mean() - ranks[b].mean() for a, b in places])
    errors = np.array([math.sqrt(variance * (1 / ranks[a].size + 1 / ranks[b].size)) for a, b in places])
    p = holm(2 * special.ndtr(-np.abs(values) / errors))
    half = float(special.ndtri(1 - 0.5 * (1 - level) / len(places))) * errors
    method = "difference of mean ranks, Bonferroni interval"
    return tuple(
        PairTest(
            a,
            b,
            Estimate(float(v), float(e), float(v - w), float(v + w), level, "ranks", method),
            float(q),
            float(v / e),
        )
        for (a, b), v, e, w, q in zip(places, values, errors, half, p, strict=True)
    )


def mann_whitney(a: ArrayLike, b: ArrayLike, /, *, method: str = "auto") -> TestResult:
    """Mann-Whitney test of two groups, two-sided.

    Parameters
    ----------
    a, b : array_like, dims (animal,)
        Values of two groups.
    method : {"auto", "exact", "normal"}
        ``exact`` counts all ways to deal the ranks, ties included; ``normal`` corrects for ties and continuity; ``auto`` is
        exact up to 60 values in all. The name of the result says which.

    Returns
    -------
    TestResult
        U of a: pairs in which a exceeds b, ties counted half.

    Raises
    ------
    ValueError
        If a group is empty or holds a value that is not finite, all values are equal, or the method is unknown.

    References
    ----------
    Mann & Whitney 1947, Ann Math Stat 18:50, doi:10.1214/aoms/1177730491; Streitberg & Roehmel 1986, Stat Softw Newsl 12:10.

    Examples
    --------
    >>> test = mann_whitney([1.1, 2.2, 3.3, 5.5], [4.4, 6.6, 7.7, 8.8])
    >>> test.statistic, round(test.p, 4)
    (1.0, 0.0571)
    """
    if method not in ("auto", "exact", "normal"):
        raise ValueError(f"method is auto, exact or normal, got {method!r}")
    ranks, ties = _ranks(_ranked_samples([a, b]))
    m, n = ranks[0].size, ranks[1].size
    u = float(ranks[0].sum()) - 0.5 * m * (m + 1)
    if method == "exact" or (method == "auto" and m + n <= MOST_COUNTED):
        p, how = _exact(np.concatenate(ranks), m, float(ranks[0].sum())), "exact"
    else:
        total = m + n
        variance = m * n / 12 * (total + 1 - ties / (total * (total - 1)))
        z = max(abs(u - 0.5 * m * n) - 0.5, 0.0) / math.sqrt(variance)
        p, how = min(1.0, 2 * float(special.ndtr(-z))), "normal approximation, corrected for ties and continuity"
    note = "values tie; the distribution is that of the ranks given the ties" if ties and how == "exact" else ""
    return TestResult(f"Mann-Whitney ({how})", "U", u, (), p, "neither group tends to larger values", note=note)


def _exact(ranks: Floats, m: int, observed: float) -> float:
    """Share of all choices of m ranks whose sum lies at least as far from its mean."""
    doubled = np.rint(2 * ranks).astype(np.int64)
    # choices[j, s]: share of all ways to take j ranks with doubled sum s, built rank by rank
    choices = np.zeros((m + 1, int(doubled.sum()) + 1))
    choices[0, 0] = 1.0
    for rank in doubled:
        choices[1:, rank:] += choices[:-1, : choices.shape[1] - rank].copy()
    ways = choices[m]
    centre = m * doubled.sum() / doubled.size
    far = np.abs(np.arange(ways.size) - centre) >= abs(2 * observed - centre) - 1e-9
    return min(1.0, float(ways[far].sum() / ways.sum()))


def _ranked_samples(samples: Sequence[ArrayLike]) -> list[Floats]:
    arrays = checked_samples(samples, spread=False, least=1, within=False)
    pooled = np.concatenate(arrays)
    if np.ptp(pooled) == 0:
        raise ValueError(f"all values are {pooled[0]}: ranks cannot differ")
    return arrays


def _ranks(arrays: list[Floats]) -> tuple[list[Floats], float]:
    """Mean ranks over all groups, and the sum of t^3 - t over the ties."""
    pooled = np.concatenate(arrays)
    _, place, counts = np.unique(pooled, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    ranks = (last - 0.5 * (counts - 1))[place]
    sizes = np.cumsum([array.size for array in arrays])[:-1]
    return np.split(ranks, sizes), float((counts.astype(np.float64) ** 3 - counts).sum())


def _no_effect(level: float) -> Estimate:
    return Estimate.unknown(level, "1", "epsilon squared needs more values than groups")
