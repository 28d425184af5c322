"""Ranks of values of which some lie below a limit: Peto and Peto's test, exact, by permutation, and asymptotic.

The public door is `lampyris.statistics.censored.rank_test_censored`, which checks what it is given.
"""

import itertools
import math
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import special

from lampyris.core.design import TestResult

Array = NDArray[np.float64]
Marks = NDArray[np.bool_]

# splits of the units into groups that are still counted one by one
MOST_SPLITS = {2: 200_000, 3: 50_000}
RANK = "Peto-Peto generalised Wilcoxon test of left-censored values"


def rank_tests(
    groups: Sequence[tuple[Array, Marks]],
    permutations: int,
    rng: np.random.Generator | None,
    /,
    *,
    exact: bool = True,
) -> list[TestResult]:
    """The test with the best p that can be had, then the asymptotic one where that is not it."""
    sizes = [x.size for x, _ in groups]
    x = np.concatenate([x for x, _ in groups])
    below = np.concatenate([below for _, below in groups])
    place = np.repeat(np.arange(len(groups)), sizes)
    if below.all() or (not below.any() and np.ptp(x) == 0):
        return []
    scores = _scores(x, below)
    if not np.ptp(scores) > 1e-12:
        return []
    statistic, p = _asymptotic(x, below, place)
    null = "all groups have one distribution"
    asymptotic = TestResult(f"{RANK}, asymptotic", "chi2", statistic, (float(len(groups) - 1),), p, null)
    splits = math.factorial(x.size)
    for size in sizes:
        splits //= math.factorial(size)
    observed = _between(scores, place, len(groups))
    if exact and splits <= MOST_SPLITS.get(len(groups), MOST_SPLITS[3]):
        sums = np.array(list(_split_sums(scores, sizes)))
        all_of_them = ((sums**2) / np.array(sizes)).sum(axis=1)
        p = float((all_of_them >= observed * (1 - 1e-9)).mean())
        name, note = f"{RANK}, exact", f"all {splits} splits counted"
    elif rng is not None:
        larger = sum(
            _between(scores, rng.permutation(place), len(groups)) >= observed * (1 - 1e-9) for _ in range(permutations)
        )
        p = (larger + 1) / (permutations + 1)
        name, note = f"{RANK}, by permutation", f"{permutations} random splits"
    else:
        return [asymptotic]
    variance = float((scores**2).sum()) / (x.size - 1)
    return [
        TestResult(name, "chi2", observed / variance, (float(len(groups) - 1),), p, null, "primary", note),
        asymptotic,
    ]


def risk_table(x: Array, below: Marks) -> tuple[Array, Array, Array, Array]:
    """Values seen, falling; those at or below each; how many are there; Peto's weight, the share of the distribution up to it."""
    seen = np.unique(x[~below])[::-1]
    at_risk = np.array([(x <= one).sum() for one in seen], dtype=np.float64)
    events = np.array([(x[~below] == one).sum() for one in seen], dtype=np.float64)
    weight = np.concatenate([[1.0], np.cumprod(1.0 - events / at_risk)[:-1]])
    return seen, at_risk, events, weight


def _scores(x: Array, below: Marks) -> Array:
    """Peto and Peto's score of each unit: positive for the largest values."""
    seen, at_risk, events, weight = risk_table(x, below)
    passed = np.array([(weight * events / at_risk)[seen >= one].sum() for one in x])
    own = np.array([0.0 if unseen else float(weight[seen == one][0]) for one, unseen in zip(x, below, strict=True)])
    return own - passed


def _asymptotic(x: Array, below: Marks, place: NDArray[np.intp]) -> tuple[float, float]:
    """Weighted log-rank statistic of the reversed values and its p."""
    count = int(place.max()) + 1
    seen, at_risk, events, weight = risk_table(x, below)
    total = np.zeros(count)
    variance = np.zeros((count, count))
    for value, risk, event, w in zip(seen, at_risk, events, weight, strict=True):
        share = np.bincount(place[x <= value], minlength=count) / risk
        total += w * (np.bincount(place[(x == value) & ~below], minlength=count) - event * share)
        if risk > 1:
            variance += w**2 * event * (risk - event) / (risk - 1) * (np.diag(share) - np.outer(share, share))
    statistic = float(total[:-1] @ np.linalg.pinv(variance[:-1, :-1]) @ total[:-1])
    return statistic, float(special.chdtrc(count - 1, statistic))


def _between(scores: Array, place: NDArray[np.intp], count: int) -> float:
    sums = np.bincount(place, scores, minlength=count)
    return float((sums**2 / np.bincount(place, minlength=count)).sum())


def _split_sums(scores: Array, sizes: Sequence[int]) -> Iterator[tuple[float, ...]]:
    """Sums of scores per group over all splits into groups of those sizes."""
    if len(sizes) == 1:
        yield (float(scores.sum()),)
        return
    chosen = np.array(list(itertools.combinations(range(scores.size), sizes[0])), dtype=np.intp)
    firsts = scores[chosen].sum(axis=1)
    if len(sizes) == 2:
        yield from zip(firsts.tolist(), (float(scores.sum()) - firsts).tolist(), strict=True)
        return
    for row, first in zip(chosen, firsts.tolist(), strict=True):
        yield from ((first, *rest) for rest in _split_sums(np.delete(scores, row), sizes[1:]))
