"""How well a number tells positives from negatives: the ROC curve, its area with interval, and two areas compared.

In the order of use: `roc`, `compare_auc`, `at_threshold`.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from lampyris.core.design import Design, TestResult
from lampyris.core.estimate import Estimate
from lampyris.statistics.relations.calls import Calls, sensitivity_specificity
from lampyris.statistics.relations.columns import finite_column

INTERVALS = ("logit", "plain")


@dataclass(frozen=True, slots=True, eq=False)
class Roc:
    """An ROC curve.

    Parameters
    ----------
    auc : Estimate
        Probability that a positive has the higher score than a negative, ties half.
    test : TestResult
        Of the area against 1/2.
    thresholds : tuple of float
        A row is called where its score reaches the threshold; the first is infinite, so nothing is called.
    false_positive_rate, sensitivity : tuple of float
        At each threshold, rising from 0 to 1.
    best : Calls
        At the threshold of the largest Youden index.
    best_threshold : float
    design : Design
    notes : tuple of str
    """

    auc: Estimate
    test: TestResult
    thresholds: tuple[float, ...]
    false_positive_rate: tuple[float, ...]
    sensitivity: tuple[float, ...]
    best: Calls
    best_threshold: float
    design: Design
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AucComparison:
    """Two areas from the same rows.

    Parameters
    ----------
    a, b : Estimate
        The areas.
    difference : Estimate
        a less b.
    test : TestResult
    correlation : float
        Of the two areas' errors; NaN where one has none.
    design : Design
    notes : tuple of str
    """

    a: Estimate
    b: Estimate
    difference: Estimate
    test: TestResult
    correlation: float
    design: Design
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class _Rows:
    """Rows sorted out: scores dims (score, row), truth and cluster dims (row,)."""

    scores: NDArray[np.float64]
    truth: NDArray[np.bool_]
    cluster: NDArray[np.intp]
    clustered: bool


def roc(
    score: ArrayLike,
    truth: ArrayLike,
    /,
    *,
    cluster: Sequence[Any] | NDArray[Any] | None = None,
    level: float = 0.95,
    interval: str = "logit",
    unit: str = "animal",
    within: str = "organ",
) -> Roc:
    """ROC curve and its area with DeLong's interval; with clusters that of Obuchowski.

    Parameters
    ----------
    score : array_like, dims (row,)
        Finite; higher speaks for positive.
    truth : array_like of bool, dims (row,)
    cluster : sequence, optional
        The animal of each row. Without it every row counts as an independent unit.
    level : float
        Coverage.
    interval : str
        "logit", which stays within 0 and 1 and covers better with few rows, or "plain".
    unit, within : str
        What a cluster is, and what lies inside it, for the design.

    Returns
    -------
    Roc

    Raises
    ------
    ValueError
        If lengths differ, a score is not finite, there is no positive or no negative, or only one cluster.

    References
    ----------
    DeLong, DeLong & Clarke-Pearson 1988, Biometrics 44:837, doi:10.2307/2531595; clusters: Obuchowski 1997, Biometrics
    53:567, doi:10.2307/2533958; an area of 1: Newcombe 2006, Stat Med 25:559, doi:10.1002/sim.2324, method 5.

    Examples
    --------
    >>> found = roc([1, 2, 3, 4, 5, 6], [0, 0, 1, 0, 1, 1])
    >>> f"{found.auc.value:.3f} ({found.auc.low:.2f} to {found.auc.high:.2f})"
    '0.889 (0.26 to 0.99)'
    """
    rows = _sorted_out([score], truth, cluster)
    if interval not in INTERVALS:
        raise ValueError(f"interval is one of {', '.join(INTERVALS)}, got {interval!r}")
    areas, covariance = _areas(rows)
    auc = _auc_interval(float(areas[0]), float(covariance[0, 0]), rows, level, interval)
    thresholds, false, true = _curve(rows.scores[0], rows.truth)
    best = int(np.argmax(true - false))
    calls = at_threshold(score, truth, float(thresholds[best]), cluster=cluster, level=level, unit=unit, within=within)
    null = "scores do not tell positives from negatives"
    return Roc(
        auc=auc,
        test=_z_test("area against 1/2", float(areas[0]) - 0.5, float(covariance[0, 0]), rows, null),
        thresholds=tuple(map(float, thresholds)),
        false_positive_rate=tuple(map(float, false)),
        sensitivity=tuple(map(float, true)),
        best=calls,
        best_threshold=float(thresholds[best]),
        design=calls.design,
        notes=(
            "The best threshold was chosen on these rows: its sensitivity and specificity flatter.",
            *_few(rows, unit),
        ),
    )


def compare_auc(
    a: ArrayLike,
    b: ArrayLike,
    truth: ArrayLike,
    /,
    *,
    cluster: Sequence[Any] | NDArray[Any] | None = None,
    level: float = 0.95,
    unit: str = "animal",
    within: str = "organ",
) -> AucComparison:
    """Two scores of the same rows compared by their areas.

    Parameters
    ----------
    a, b : array_like, dims (row,)
        Scores.
    truth, cluster, level, unit, within
        As of `roc`.

    Returns
    -------
    AucComparison

    Raises
    ------
    ValueError
        As `roc`.

    References
    ----------
    DeLong, DeLong & Clarke-Pearson 1988, Biometrics 44:837, doi:10.2307/2531595.

    Examples
    --------
    >>> found = compare_auc([1, 2, 3, 4, 5, 6], [2, 1, 6, 3, 4, 5], [0, 0, 1, 0, 1, 1])
    >>> f"{found.difference.value:.3f}, p = {found.test.p:.2f}"
    '-0.111, p = 0.48'
    """
    rows = _sorted_out([a, b], truth, cluster)
    areas, covariance = _areas(rows)
    variance = float(max(covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1], 0.0))
    difference, sd = float(areas[0] - areas[1]), math.sqrt(variance)
    half = _quantile(rows, level) * sd
    scale = math.sqrt(float(covariance[0, 0] * covariance[1, 1]))
    count = int(rows.cluster.max()) + 1
    design = (
        Design(unit, (), (count,), rows=rows.truth.size, nested=(within,))
        if rows.clustered
        else Design(within, (), (count,), rows=count)
    )
    notes = _few(rows, unit)
    if variance == 0:
        notes += ("The two scores order all rows alike, or part them wholly: nothing is left to test.",)
    first, second = (_auc_interval(float(areas[k]), float(covariance[k, k]), rows, level, "logit") for k in (0, 1))
    return AucComparison(
        a=first,
        b=second,
        difference=Estimate(
            difference, sd, difference - half, difference + half, level, "1", "difference of areas, DeLong"
        ),
        test=_z_test("DeLong's test of two areas", difference, variance, rows, "both scores have the same area"),
        correlation=float(covariance[0, 1]) / scale if scale > 0 else math.nan,
        design=design,
        notes=notes,
    )


def at_threshold(
    score: ArrayLike,
    truth: ArrayLike,
    threshold: float,
    /,
    *,
    cluster: Sequence[Any] | NDArray[Any] | None = None,
    level: float = 0.95,
    interval: str = "wilson",
    unit: str = "animal",
    within: str = "organ",
) -> Calls:
    """Sensitivity and specificity where scores that reach a threshold are called.

    Parameters
    ----------
    score, truth : array_like, dims (row,)
    threshold : float
    cluster, level, interval, unit, within
        As of `sensitivity_specificity`.

    Returns
    -------
    Calls
    """
    called = np.asarray(score, float) >= threshold
    return sensitivity_specificity(
        called, truth, cluster=cluster, level=level, interval=interval, unit=unit, within=within
    )


def _sorted_out(scores: Sequence[ArrayLike], truth: ArrayLike, cluster: Sequence[Any] | NDArray[Any] | None) -> _Rows:
    arrays = [finite_column(score, "the score") for score in scores]
    known = np.asarray(truth)
    sizes = {array.shape for array in arrays} | {known.shape}
    if len(sizes) > 1:
        raise ValueError(f"scores and truth need the same number of rows, got shapes {sorted(sizes)}")
    if not np.isin(np.asarray(known, float), (0.0, 1.0)).all():
        raise ValueError("truth must be true or false (1 or 0)")
    yes = np.asarray(known, float).astype(bool)
    if yes.all() or not yes.any():
        raise ValueError(
            f"an ROC curve needs positives and negatives, got {int(yes.sum())} positive of {yes.size} rows"
        )
    place = np.arange(yes.size)
    if cluster is not None:
        if len(cluster) != yes.size:
            raise ValueError(f"clusters and truth need the same number of rows, got {len(cluster)} and {yes.size}")
        names, place = np.unique(np.asarray(cluster), return_inverse=True)
        if names.size < 2:
            raise ValueError(f"an interval needs at least two clusters, got only {names[0]!r}")
    return _Rows(np.stack(arrays), yes, place, cluster is not None)


def _placements(
    score: NDArray[np.float64], truth: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Share of negatives below each positive, and of positives above each negative, ties half."""
    positive, negative = score[truth], score[~truth]

    def below(values: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.float64]:
        others = np.sort(others)
        return (np.searchsorted(others, values, "left") + np.searchsorted(others, values, "right")) / (2 * others.size)

    return below(positive, negative), 1 - below(negative, positive)


def _areas(rows: _Rows) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Areas, dims (score,), and their covariance, dims (score, score), with rows of a cluster taken together."""
    count = int(rows.cluster.max()) + 1
    at_positive, at_negative = rows.cluster[rows.truth], rows.cluster[~rows.truth]
    m, n = at_positive.size, at_negative.size
    areas, over_positive, over_negative = [], [], []
    for score in rows.scores:
        above, under = _placements(score, rows.truth)
        area = float(above.mean())
        areas.append(area)
        over_positive.append(np.bincount(at_positive, above - area, count) / m)
        over_negative.append(np.bincount(at_negative, under - area, count) / n)
    p, q = np.array(over_positive), np.array(over_negative)
    with_positive, with_negative = np.unique(at_positive).size, np.unique(at_negative).size

    def spread(sums: NDArray[np.float64], clusters: int) -> NDArray[np.float64]:
        # one cluster alone says nothing of the spread: its part is left out, which the notes tell
        return sums @ sums.T * (clusters / (clusters - 1) if clusters > 1 else 0.0)

    shared = p @ q.T * count / (count - 1)
    if not rows.clustered:
        shared = np.zeros_like(shared)
    return np.array(areas), spread(p, with_positive) + spread(q, with_negative) + shared + shared.T


def _quantile(rows: _Rows, level: float) -> float:
    """Of the normal distribution; of Student's where the variance was learnt from few clusters."""
    tail = 0.5 * (1 + level)
    return float(special.stdtrit(rows.cluster.max(), tail) if rows.clustered else special.ndtri(tail))


def _auc_interval(area: float, variance: float, rows: _Rows, level: float, interval: str) -> Estimate:
    name = "Obuchowski's clusters" if rows.clustered else "DeLong"
    sd, q = math.sqrt(max(variance, 0.0)), _quantile(rows, level)
    if sd == 0 or area in (0.0, 1.0):
        low, high = _without_spread(area, rows, q)
        return Estimate(area, sd, low, high, level, "1", "all rows told apart: Newcombe's method 5")
    if interval == "plain":
        return Estimate(area, sd, max(area - q * sd, 0.0), min(area + q * sd, 1.0), level, "1", name)
    logit, half = math.log(area / (1 - area)), q * sd / (area * (1 - area))
    low, high = (1 / (1 + math.exp(-end)) for end in (logit - half, logit + half))
    return Estimate(area, sd, low, high, level, "1", f"{name}, logit interval")


def _without_spread(area: float, rows: _Rows, z: float) -> tuple[float, float]:
    """Score interval with the variance that the area itself implies; a cluster counts once."""
    from scipy.optimize import brentq

    m, n = (np.unique(rows.cluster[where]).size for where in (rows.truth, ~rows.truth))
    mean = 0.5 * (m + n) - 1

    def excess(t: float) -> float:
        variance = t * (1 - t) * (1 + mean * (1 - t) / (2 - t) + mean * t / (1 + t)) / (m * n)
        return (area - t) ** 2 - z * z * variance

    ends = []
    for edge in (0.0, 1.0):
        near, far = area + 1e-9 * (edge - area), edge + 1e-9 * (area - edge)
        ends.append(
            edge if abs(area - edge) < 1e-9 or excess(far) * excess(near) > 0 else float(brentq(excess, far, near))
        )
    return min(ends[0], area), max(ends[1], area)


def _z_test(name: str, value: float, variance: float, rows: _Rows, null: str) -> TestResult:
    sd = math.sqrt(max(variance, 0.0))
    if sd == 0:
        p = 1.0 if value == 0 else math.nan
        return TestResult(name, "z", math.nan, (), p, null, note="no spread: no test")
    z = value / sd
    if rows.clustered:
        degrees = float(rows.cluster.max())
        return TestResult(name, "t", z, (degrees,), 2 * float(special.stdtr(degrees, -abs(z))), null)
    return TestResult(name, "z", z, (), 2 * float(special.ndtr(-abs(z))), null)


def _curve(
    score: NDArray[np.float64], truth: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    marks, place = np.unique(score, return_inverse=True)
    true = np.cumsum(np.bincount(place, truth, marks.size)[::-1]) / truth.sum()
    false = np.cumsum(np.bincount(place, ~truth, marks.size)[::-1]) / (~truth).sum()
    return np.r_[np.inf, marks[::-1]], np.r_[0.0, false], np.r_[0.0, true]


def _few(rows: _Rows, unit: str) -> tuple[str, ...]:
    notes = []
    if not rows.clustered:
        notes.append(f"Every row was taken for independent; where several rows come from one {unit}, name it.")
    for where, word in ((rows.truth, "positive"), (~rows.truth, "negative")):
        if np.unique(rows.cluster[where]).size < 2:
            notes.append(
                f"All {word} rows come from one {unit if rows.clustered else 'row'}: the interval is too narrow."
            )
    return tuple(notes)
