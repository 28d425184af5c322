"""Test of groups whose events lie between looks: a log-rank score by permutation.

Each animal gets the score of a proportional-hazards model for intervals [1]_, from Turnbull's estimate of all animals
together; a group's scores sum to its events minus those expected. The test asks how often chance alone, which would have
put the animals into other groups, gives sums as far from zero [2]_. It needs no large sample, and holds where the
groups were looked at on alike days; where one group is looked at more often, it does not.

References
----------
.. [1] Finkelstein 1986, Biometrics 42:845, doi:10.2307/2530698.
.. [2] Fay 1996, Biometrics 52:811, doi:10.2307/2533044; Fay & Shaw 2010, J Stat Softw 36:i02, doi:10.18637/jss.v036.i02.
"""

import dataclasses
import itertools
import math
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from lampyris.core.design import TestResult
from lampyris.statistics.onset.logrank import NULL, chi_square
from lampyris.statistics.onset.times import Floats, OnsetTimes
from lampyris.statistics.onset.turnbull import turnbull

NAME = "Interval-censored log-rank test (Finkelstein's score)"
# up to here every arrangement is looked at
MOST_ARRANGEMENTS = 5_000
_BATCH = 4_096


def log_rank_scores(times: OnsetTimes, /) -> Floats:
    """Score of each animal: positive where its event came sooner than that of most.

    Parameters
    ----------
    times : OnsetTimes
        Of all groups together.

    Returns
    -------
    ndarray, dims (animal,)
        Sums to zero.

    Examples
    --------
    >>> scores = log_rank_scores(OnsetTimes([0, 0, 7, 7], [7, 7, float("inf"), float("inf")]))
    >>> scores.round(3)
    array([ 0.693,  0.693, -0.693, -0.693])
    """
    fit = turnbull(times)
    free = np.maximum(1.0 - np.concatenate([[0.0], np.cumsum(fit.share)]), 0.0)
    free[-1] = 0.0
    # the animal's intervals are neighbours: free share before its first and after its last
    first = fit.members.argmax(axis=1)
    last = fit.members.shape[1] - fit.members[:, ::-1].argmax(axis=1)
    before, after = free[first], free[last]
    return np.asarray((_entropy(before) - _entropy(after)) / (before - after))


def _entropy(share: Floats) -> Floats:
    """s log s, 0 at 0."""
    return share * np.log(np.where(share > 0, share, 1.0))


def interval_score_test(
    times: OnsetTimes,
    groups: Sequence[str],
    /,
    *,
    strata: Sequence[str] | None = None,
    permutations: int = 9_999,
    seed: int = 1,
) -> tuple[TestResult, TestResult]:
    """Whether the event comes alike in all groups, where its day is known between looks only.

    Parameters
    ----------
    times : OnsetTimes
        Exact days, intervals and animals without the event in any mixture.
    groups : sequence of str
        One per animal; at least two different ones.
    strata : sequence of str, optional
        Animals change places within a stratum only, such as a cage or a batch.
    permutations : int
        Drawn where there are more than `MOST_ARRANGEMENTS`; below, every arrangement is looked at and nothing is drawn.
    seed : int
        What they are drawn from.

    Returns
    -------
    (TestResult, TestResult)
        By permutation, and the same statistic with its chi-square tail, which needs larger groups.

    Raises
    ------
    ValueError
        If there are fewer than two groups.

    Examples
    --------
    >>> times = OnsetTimes([0, 0, 0, 7, 7, 14], [7, 7, 7, 14, float("inf"), float("inf")])
    >>> exact, large = interval_score_test(times, list("aaabbb"))
    >>> round(exact.p, 3), exact.note
    (0.1, 'all 20 arrangements')
    """
    large, label, layers, scores, variance = _judged(times, groups, strata)
    name = large.name.replace("large-sample", "permutation")
    if math.isnan(large.statistic):
        return dataclasses.replace(large, name=name), large
    p, note = _permutation_p(scores, label, layers, variance, large.statistic, permutations, seed)
    return TestResult(name, "chi2", large.statistic, large.df, p, NULL, note=note), large


def large_sample_score_test(
    times: OnsetTimes, groups: Sequence[str], /, *, strata: Sequence[str] | None = None
) -> TestResult:
    """The second answer of `interval_score_test` alone, for many simulated experiments: it looks at no arrangement.

    Parameters
    ----------
    times, groups, strata
        As there.

    Returns
    -------
    TestResult

    Raises
    ------
    ValueError
        If there are fewer than two groups.
    """
    return _judged(times, groups, strata)[0]


def _judged(
    times: OnsetTimes, groups: Sequence[str], strata: Sequence[str] | None
) -> tuple[TestResult, NDArray[np.intp], NDArray[np.intp], Floats, Floats]:
    """The test by the chi-square tail, with labels, strata, scores and the covariance of the groups' sums."""
    names = list(dict.fromkeys(groups))
    if len(names) < 2:
        raise ValueError(f"a test needs two groups, got {len(names)}")
    label = np.array([names.index(group) for group in groups])
    layers = np.unique(np.asarray(list(strata) if strata is not None else [""] * len(times)), return_inverse=True)[1]
    scores = np.zeros(len(times))
    variance = np.zeros((len(names), len(names)))
    for layer in range(layers.max() + 1):
        chosen = layers == layer
        scores[chosen] = log_rank_scores(times.of(chosen))
        variance += _permutation_variance(scores[chosen], label[chosen], len(names))
    scores[np.abs(scores) < 1e-12] = 0.0
    sums: Floats = np.bincount(label, scores, len(names)).astype(np.float64)
    name = NAME + (", stratified" if strata is not None else "")
    return chi_square(f"{name}, large-sample", sums, variance), label, layers, scores, variance


def _permutation_variance(scores: Floats, label: NDArray[np.intp], k: int) -> Floats:
    """Covariance of the groups' sums over all arrangements."""
    n = scores.size
    if n < 2:
        return np.zeros((k, k))
    sizes = np.bincount(label, minlength=k).astype(np.float64)
    spread = float((scores - scores.mean()) @ (scores - scores.mean())) / (n - 1)
    return spread * (np.diag(sizes) - np.outer(sizes, sizes) / n)


def _permutation_p(
    scores: Floats,
    label: NDArray[np.intp],
    layers: NDArray[np.intp],
    variance: Floats,
    statistic: float,
    permutations: int,
    seed: int,
) -> tuple[float, str]:
    k = variance.shape[0]
    inverse = np.linalg.pinv(variance, rcond=1e-9, hermitian=True)
    bound = statistic * (1 - 1e-9)

    def reached(labels: NDArray[np.intp]) -> int:
        # one row per arrangement
        sums = np.stack([np.where(labels == g, scores, 0.0).sum(axis=1) for g in range(k)], axis=1)
        return int((np.einsum("pa,ab,pb->p", sums, inverse, sums) >= bound).sum())

    number = math.prod(_arrangements(label[layers == layer]) for layer in range(layers.max() + 1))
    if number <= MOST_ARRANGEMENTS:
        every = _every_labelling(label, layers)
        found = sum(reached(np.array(batch)) for batch in iter(lambda: list(itertools.islice(every, _BATCH)), []))
        return found / number, f"all {number} arrangements"
    rng = np.random.default_rng(seed)
    found, left = 0, permutations
    while left:
        many = min(left, _BATCH)
        found += reached(_drawn_labels(label, layers, many, rng))
        left -= many
    # the arrangement at hand is one of those that chance could have given
    return (found + 1) / (permutations + 1), f"{permutations} arrangements drawn from seed {seed}"


def _arrangements(label: NDArray[np.intp]) -> int:
    sizes = np.bincount(label)
    return math.factorial(int(label.size)) // math.prod(math.factorial(int(one)) for one in sizes)


def _drawn_labels(
    label: NDArray[np.intp], layers: NDArray[np.intp], many: int, rng: np.random.Generator
) -> NDArray[np.intp]:
    labels = np.repeat(label[None], many, axis=0)
    for layer in range(layers.max() + 1):
        places = np.flatnonzero(layers == layer)
        labels[:, places] = rng.permuted(labels[:, places], axis=1)
    return labels


def _every_labelling(label: NDArray[np.intp], layers: NDArray[np.intp]) -> Iterator[NDArray[np.intp]]:
    """Every different way to put the animals of each stratum into groups of the same sizes."""
    places = [np.flatnonzero(layers == layer) for layer in range(layers.max() + 1)]
    sizes = [np.bincount(label[there], minlength=label.max() + 1) for there in places]
    for choice in itertools.product(
        *(_multiset(tuple(range(n.size)), tuple(m)) for n, m in zip(places, sizes, strict=True))
    ):
        labels = np.empty(label.size, dtype=np.intp)
        for there, one in zip(places, choice, strict=True):
            labels[there] = one
        yield labels


def _multiset(places: tuple[int, ...], sizes: tuple[int, ...]) -> list[NDArray[np.intp]]:
    """Every labelling of some places with the given number of each label."""

    def fill(free: tuple[int, ...], g: int, labels: NDArray[np.intp]) -> Iterator[NDArray[np.intp]]:
        if g == len(sizes):
            yield labels.copy()
            return
        for taken in itertools.combinations(free, int(sizes[g])):
            labels[list(taken)] = g
            yield from fill(tuple(one for one in free if one not in taken), g + 1, labels)

    return list(fill(places, 0, np.zeros(len(places), dtype=np.intp)))
