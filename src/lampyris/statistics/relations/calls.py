"""Yes-or-no calls against a truth: sensitivity, specificity and what follows from them, also where units share an animal.

In the order of use: `sensitivity_specificity`, `clustered_share`.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from lampyris.core.design import Design
from lampyris.core.estimate import Estimate
from lampyris.statistics.intervals import clopper_pearson_interval, wilson_interval
from lampyris.statistics.thresholds import half_width

INTERVALS = ("wilson", "clopper-pearson")


@dataclass(frozen=True, slots=True)
class Calls:
    """Calls counted against the truth.

    Parameters
    ----------
    true_positive, false_positive, true_negative, false_negative : int
        Counts of rows.
    sensitivity, specificity : Estimate
        Share of the truly positive that was called, and of the truly negative that was not; NaN within 0 to 1 where
        there is no such row.
    positive_predictive, negative_predictive : Estimate
        At the share of positives in this very set.
    likelihood_positive, likelihood_negative : Estimate
        How much more often a call (its absence) is seen in positives than in negatives.
    youden : Estimate
        Sensitivity + specificity - 1.
    design : Design
    notes : tuple of str
        What a reader must know.
    """

    true_positive: int
    false_positive: int
    true_negative: int
    false_negative: int
    sensitivity: Estimate
    specificity: Estimate
    positive_predictive: Estimate
    negative_predictive: Estimate
    likelihood_positive: Estimate
    likelihood_negative: Estimate
    youden: Estimate
    design: Design
    notes: tuple[str, ...] = ()


def sensitivity_specificity(
    called: ArrayLike,
    truth: ArrayLike,
    /,
    *,
    cluster: Sequence[Any] | NDArray[Any] | None = None,
    level: float = 0.95,
    interval: str = "wilson",
    unit: str = "animal",
    within: str = "organ",
) -> Calls:
    """Sensitivity and specificity with intervals; organs of one animal are not taken for independent.

    Parameters
    ----------
    called, truth : array_like of bool, dims (row,)
        The call and what is known to be so; 0 and 1 will do.
    cluster : sequence, optional
        The animal of each row. Without it every row counts as an independent unit.
    level : float
        Coverage.
    interval : str
        "wilson" or "clopper-pearson"; with clusters on the effective number of rows.
    unit, within : str
        What a cluster is, and what lies inside it, for the design.

    Returns
    -------
    Calls

    Raises
    ------
    ValueError
        If there are no rows, lengths differ, a value is neither true nor false, or there are fewer than two clusters.

    References
    ----------
    Shares within clusters: Rao & Scott 1992, Biometrics 48:577, doi:10.2307/2532311, and Korn & Graubard 1998, Survey
    Methodology 24:193. Ratio and difference of two shares: Donner & Zou 2012, Stat Methods Med Res 21:347,
    doi:10.1177/0962280210376188.

    Examples
    --------
    >>> found = sensitivity_specificity([1, 1, 1, 0, 0, 0], [1, 1, 0, 0, 0, 1])
    >>> f"{found.sensitivity.value:.2f} ({found.sensitivity.low:.2f} to {found.sensitivity.high:.2f})"
    '0.67 (0.21 to 0.94)'
    """
    called, truth = _booleans(called, "called"), _booleans(truth, "truth")
    groups = _clusters(cluster, called.size, truth.size)
    if interval not in INTERVALS:
        raise ValueError(f"interval is one of {', '.join(INTERVALS)}, got {interval!r}")

    def share(of: NDArray[np.bool_], where: NDArray[np.bool_]) -> Estimate:
        if cluster is None:
            return _plain_share(int((of & where).sum()), int(where.sum()), level, interval)
        return clustered_share(of[where], groups[where], level=level, interval=interval)

    sensitivity, specificity = share(called, truth), share(~called, ~truth)
    correlation = 0.0 if cluster is None else _shared_error(called, truth, groups)
    missed, false = _complement(sensitivity), _complement(specificity)
    return Calls(
        true_positive=int((called & truth).sum()),
        false_positive=int((called & ~truth).sum()),
        true_negative=int((~called & ~truth).sum()),
        false_negative=int((~called & truth).sum()),
        sensitivity=sensitivity,
        specificity=specificity,
        positive_predictive=share(truth, called),
        negative_predictive=share(~truth, ~called),
        likelihood_positive=_ratio(sensitivity, false, -correlation),
        likelihood_negative=_ratio(missed, specificity, -correlation),
        youden=_youden(sensitivity, specificity, correlation),
        design=_design(called.size, groups, clustered=cluster is not None, unit=unit, within=within),
        notes=_notes(truth, groups, clustered=cluster is not None, unit=unit),
    )


def clustered_share(
    success: ArrayLike, cluster: Sequence[Any] | NDArray[Any], /, *, level: float = 0.95, interval: str = "wilson"
) -> Estimate:
    """Share of successes where rows of one cluster are alike.

    The number of rows is replaced by the effective one: divided by the design effect, which is the variance between
    clusters over that of independent rows and never below 1, and shrunk for the few clusters that it was learnt from.

    Parameters
    ----------
    success : array_like of bool, dims (row,)
    cluster : sequence, dims (row,)
    level : float
        Coverage.
    interval : str
        "wilson" or "clopper-pearson".

    Returns
    -------
    Estimate
        Where all rows agree nothing says how alike clusters are within: each cluster then counts once.

    References
    ----------
    Korn & Graubard 1998, Survey Methodology 24:193.

    Examples
    --------
    >>> e = clustered_share([1, 1, 1, 0, 0, 0, 1, 1], ["a", "a", "b", "b", "c", "c", "d", "d"])
    >>> f"{e.value:.3f} ({e.low:.2f} to {e.high:.2f})"
    '0.625 (0.12 to 0.95)'
    """
    hit = _booleans(success, "success")
    names, place = np.unique(np.asarray(cluster), return_inverse=True)
    rows, clusters = hit.size, names.size
    if rows == 0:
        return _unknown(level)
    share = float(hit.mean())
    if clusters < 2:
        return Estimate(share, math.nan, 0.0, 1.0, level, "1", "one cluster: no interval")
    if 0 < share < 1:
        size = np.bincount(place)
        rest = np.bincount(place, hit) - share * size
        variance = clusters / (clusters - 1) * float((rest**2).sum()) / rows**2
        effect = max(variance / (share * (1 - share) / rows), 1.0)
    else:
        effect = rows / clusters
    tail = 0.5 * (1 + level)
    shrunk = (float(special.ndtri(tail)) / float(special.stdtrit(clusters - 1, tail))) ** 2
    effective = rows / effect * shrunk
    low, high = _share_ends(share, effective, level, interval)
    sd = math.sqrt(share * (1 - share) * effect / rows)
    method = f"{int(hit.sum())} of {rows} in {clusters} clusters, design effect {effect:.2g}, {interval}"
    return Estimate(share, sd, low, high, level, "1", method)


def _share_ends(share: float, n: float, level: float, interval: str) -> tuple[float, float]:
    """Ends of the interval of a share of `n` rows, which need not be whole."""
    if interval == "clopper-pearson":
        tail, hits = 0.5 * (1 - level), share * n
        low = 0.0 if share == 0 else float(special.betaincinv(hits, n - hits + 1, tail))
        high = 1.0 if share == 1 else float(special.betaincinv(hits + 1, n - hits, 1 - tail))
        return low, high
    z = half_width(level)
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return (0.0 if share == 0 else centre - half), (1.0 if share == 1 else centre + half)


def _plain_share(hits: int, rows: int, level: float, interval: str) -> Estimate:
    if rows == 0:
        return _unknown(level)
    return (wilson_interval if interval == "wilson" else clopper_pearson_interval)(hits, rows, level=level)


def _unknown(level: float) -> Estimate:
    return Estimate(math.nan, math.nan, 0.0, 1.0, level, "1", "no row: unknown")


def _complement(share: Estimate) -> Estimate:
    return Estimate(1 - share.value, share.sd, 1 - share.high, 1 - share.low, share.level, "1", share.method)


def _shared_error(called: NDArray[np.bool_], truth: NDArray[np.bool_], groups: NDArray[np.intp]) -> float:
    """Correlation of the errors of sensitivity and specificity over clusters."""
    rest = []
    for hit, where in ((called, truth), (~called, ~truth)):
        size, hits = np.bincount(groups, where), np.bincount(groups, hit & where)
        rest.append(hits - size * hits.sum() / max(size.sum(), 1))
    scale = math.sqrt(float((rest[0] ** 2).sum() * (rest[1] ** 2).sum()))
    return float(rest[0] @ rest[1]) / scale if scale > 0 else 0.0


def _ratio(top: Estimate, bottom: Estimate, correlation: float) -> Estimate:
    """Ratio of two shares from their own intervals (variances recovered)."""
    method = "ratio of shares, variances recovered from their intervals"
    p, q = top.value, bottom.value
    if math.isnan(p) or math.isnan(q) or p == q == 0:
        return Estimate(math.nan, math.nan, 0.0, math.inf, top.level, "1", "unknown: no such rows")
    value = p / q if q > 0 else math.inf
    return Estimate(
        value,
        math.nan,
        min(max(_ratio_end(p, top.low, q, bottom.high, correlation, -1), 0.0), value),
        max(_ratio_end(p, top.high, q, bottom.low, correlation, 1), value),
        top.level,
        "1",
        method,
    )


def _ratio_end(p: float, p_end: float, q: float, q_end: float, correlation: float, sign: int) -> float:
    shared = correlation * (p - p_end) * (q_end - q)
    under = (p * q - shared) ** 2 - p_end * q_end * (2 * p - p_end) * (2 * q - q_end)
    bottom = q_end * (2 * q - q_end)
    if q_end <= 0:
        return math.inf
    if abs(bottom) < 1e-12:
        # the quadratic is a line there
        return p_end * (2 * p - p_end) / (2 * (p * q - shared)) if p * q != shared else math.inf
    return (p * q - shared + sign * math.sqrt(max(under, 0.0))) / bottom


def _youden(sensitivity: Estimate, specificity: Estimate, correlation: float) -> Estimate:
    a, b = sensitivity, specificity
    value = a.value + b.value - 1
    if math.isnan(value):
        return Estimate(math.nan, math.nan, -1.0, 1.0, a.level, "1", "unknown: no such rows")

    def reach(one: float, other: float) -> float:
        return math.sqrt(max(one**2 + other**2 + 2 * correlation * one * other, 0.0))

    low = value - reach(a.value - a.low, b.value - b.low)
    high = value + reach(a.high - a.value, b.high - b.value)
    sd = reach(a.sd, b.sd)
    return Estimate(value, sd, low, high, a.level, "1", "sum of shares, variances recovered from their intervals")


def _booleans(values: ArrayLike, name: str) -> NDArray[np.bool_]:
    array = np.asarray(values)
    if array.ndim != 1:
        raise ValueError(f"{name} must be one-dimensional, got shape {array.shape}")
    if array.dtype != bool:
        try:
            known = np.isin(np.asarray(array, float), (0.0, 1.0))
        except (TypeError, ValueError):
            known = np.zeros(array.shape, bool)
        if not known.all():
            raise ValueError(f"{name} must be true or false (1 or 0), got {array[~known][0]!r}")
    return np.asarray(array, float).astype(bool)


def _clusters(cluster: Sequence[Any] | NDArray[Any] | None, rows: int, others: int) -> NDArray[np.intp]:
    if rows != others or rows == 0 or (cluster is not None and len(cluster) != rows):
        found = "" if cluster is None else f", {len(cluster)} clusters"
        raise ValueError(f"calls, truth and clusters need the same number of rows, at least 1: {rows}, {others}{found}")
    if cluster is None:
        return np.arange(rows)
    names, place = np.unique(np.asarray(cluster), return_inverse=True)
    if names.size < 2:
        raise ValueError(f"an interval needs at least two clusters, got only {names[0]!r}")
    return place


def _design(rows: int, groups: NDArray[np.intp], *, clustered: bool, unit: str, within: str) -> Design:
    if not clustered:
        return Design(within, (), (rows,), rows=rows)
    return Design(unit, (), (int(groups.max()) + 1,), rows=rows, nested=(within,))


def _notes(truth: NDArray[np.bool_], groups: NDArray[np.intp], *, clustered: bool, unit: str) -> tuple[str, ...]:
    notes = ["Predictive values hold for the share of positives in this set only."]
    if truth.all() or not truth.any():
        kind = "negative" if truth.all() else "positive"
        notes.append(f"No row is truly {kind}: what rests on such rows is unknown.")
    if not clustered:
        notes.append(f"Every row was taken for independent; where several rows come from one {unit}, name it.")
    elif groups.max() + 1 < 10:
        notes.append(f"Only {groups.max() + 1} clusters ({unit}): how alike their rows are is itself little known.")
    return tuple(notes)
