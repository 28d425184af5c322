"""Log-rank tests of right-censored times: plain, stratified, and weighted.

References
----------
Mantel 1966, Cancer Chemother Rep 50:163.
Peto & Peto 1972, J R Stat Soc A 135:185, doi:10.2307/2344317.
Gehan 1965, Biometrika 52:203, doi:10.1093/biomet/52.1-2.203.
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import special

from lampyris.core.design import TestResult
from lampyris.statistics.onset.kaplan_meier import counts
from lampyris.statistics.onset.times import Floats, OnsetTimes

WEIGHTS = {"log-rank": "Log-rank test", "peto": "Peto-Peto test", "gehan": "Gehan-Breslow test"}
NULL = "the event comes alike in all groups"


def logrank(
    times: OnsetTimes,
    groups: Sequence[str],
    /,
    *,
    strata: Sequence[str] | None = None,
    weights: str = "log-rank",
) -> TestResult:
    """Whether the event comes at the same rate in all groups.

    Parameters
    ----------
    times : OnsetTimes
        Exact or right-censored.
    groups : sequence of str
        One per animal; at least two different ones.
    strata : sequence of str, optional
        Animals are compared within a stratum only, such as a cage or a batch.
    weights : {"log-rank", "peto", "gehan"}
        ``log-rank`` weighs all events alike, which serves best where hazards are proportional; ``peto`` weighs by the share
        still without the event and ``gehan`` by the number at risk, so that early differences count more.

    Returns
    -------
    TestResult
        chi2 with (groups - 1) degrees of freedom; NaN, with a note, where no event says anything.

    Raises
    ------
    ValueError
        If there are fewer than two groups, or events lie in intervals.

    Examples
    --------
    >>> from lampyris.statistics.onset.times import times_of_events
    >>> times = times_of_events([8, 12, 26, 14, 21, 27, 8, 32, 20, 40], [1] * 6 + [0] * 4)
    >>> test = logrank(times, ["a", "a", "b", "a", "b", "b", "a", "b", "a", "b"])
    >>> f"{test.statistic:.2f}, df {test.df[0]:.0f}"
    '4.91, df 1'
    """
    if weights not in WEIGHTS:
        raise ValueError(f"weights are one of {', '.join(WEIGHTS)}, got {weights!r}")
    names = list(dict.fromkeys(groups))
    if len(names) < 2:
        raise ValueError(f"a log-rank test needs two groups, got {len(names)}")
    if not times.right_censored_only:
        raise ValueError("events lie in intervals: use `interval_score_test`")
    label = np.array([names.index(group) for group in groups])
    layers = np.asarray(list(strata) if strata is not None else [""] * len(times))
    score, variance = np.zeros(len(names)), np.zeros((len(names), len(names)))
    for layer in np.unique(layers):
        chosen = layers == layer
        part, spread = _stratum(times.of(chosen), label[chosen], len(names), weights)
        score, variance = score + part, variance + spread
    name = WEIGHTS[weights] + (", stratified" if strata is not None else "")
    return chi_square(name, score, variance)


def _stratum(times: OnsetTimes, label: NDArray[np.intp], k: int, weights: str) -> tuple[Floats, Floats]:
    """Observed minus expected events per group, and the covariance."""
    days = np.unique(times.high[times.seen])
    if days.size == 0:
        return np.zeros(k), np.zeros((k, k))
    rows = [counts(times.of(label == g), days) for g in range(k)]
    at_risk, events = np.array([row[0] for row in rows]), np.array([row[1] for row in rows])
    n, d = at_risk.sum(axis=0), events.sum(axis=0)
    weight = _weights(weights, n, d)
    score = ((events - at_risk * d / n) * weight).sum(axis=1)
    share = at_risk / n
    # with one animal at risk nothing is left to chance
    spread = weight**2 * d * np.divide(n - d, n - 1, out=np.zeros_like(n), where=n > 1)
    variance = np.diag((spread * share).sum(axis=1)) - np.einsum("t,at,bt->ab", spread, share, share)
    return score, variance


def _weights(weights: str, n: Floats, d: Floats) -> Floats:
    if weights == "gehan":
        return n
    if weights == "peto":
        return np.asarray(np.cumprod(1.0 - d / (n + 1.0)), dtype=np.float64)
    return np.ones_like(n)


def chi_square(name: str, score: Floats, variance: Floats, /, *, null: str = NULL) -> TestResult:
    """Quadratic form of scores that sum to zero, with its chi-square tail.

    A group in which nothing could happen while others had events takes no part; the degrees of freedom are those of the rest.
    """
    values, vectors = np.linalg.eigh(variance)
    # the scores sum to zero, so that one direction at least has no variance; rounding leaves a little of it
    kept = values > 1e-9 * max(float(values.max(initial=0.0)), 1e-300)
    df = int(kept.sum())
    if df == 0 or float(values.max()) < 1e-300:
        note = "no event happened while two groups were under observation: there is nothing to test"
        return TestResult(name, "chi2", math.nan, (float(score.size - 1),), math.nan, null, note=note)
    statistic = float(((vectors[:, kept].T @ score) ** 2 / values[kept]).sum())
    note = "" if df == score.size - 1 else "a group was never at risk when an event came and takes no part"
    return TestResult(name, "chi2", statistic, (float(df),), float(special.chdtrc(df, statistic)), null, note=note)
