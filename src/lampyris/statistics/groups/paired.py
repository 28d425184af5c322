"""Two conditions within the same units: paired t and Wilcoxon's signed ranks."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from lampyris.core.design import TestResult
from lampyris.core.estimate import Estimate
from lampyris.statistics.groups.effects import noncentral_shift
from lampyris.statistics.groups.samples import ROUNDING, Floats

# differences up to which the distribution of the signed ranks is counted out
MOST_COUNTED = 50


@dataclass(frozen=True, slots=True)
class PairedTest:
    """How two conditions differ within units.

    Parameters
    ----------
    test : TestResult
        Paired t test.
    difference : Estimate
        Mean of a minus b with its t interval.
    effect_size : Estimate
        Mean difference over the standard deviation of the differences, corrected for small samples.
    """

    test: TestResult
    difference: Estimate
    effect_size: Estimate


def paired_t(a: ArrayLike, b: ArrayLike, /, *, unit: str = "1", level: float = 0.95) -> PairedTest:
    """Paired t test with the interval of the mean difference.

    Parameters
    ----------
    a, b : array_like, dims (animal,)
        Values under two conditions, in the same order of units.
    unit : str
        Unit of the values.
    level : float
        Coverage of the intervals.

    Returns
    -------
    PairedTest

    Raises
    ------
    ValueError
        If there are fewer than two pairs, a value is not finite, or all differences are equal.

    Examples
    --------
    >>> paired = paired_t([5.1, 4.8, 6.0, 5.5], [4.0, 4.6, 4.1, 5.0])
    >>> f"t({paired.test.df[0]:.0f}) = {paired.test.statistic:.2f}, p = {paired.test.p:.3f}"
    't(3) = 2.47, p = 0.090'
    """
    d = _differences(a, b)
    if d.size < 2 or np.ptp(d) == 0:
        raise ValueError(f"a paired test needs at least two differences that are not all equal, got {d}")
    df, value, sd = float(d.size - 1), float(d.mean()), float(d.std(ddof=1))
    error = sd / math.sqrt(d.size)
    t = value / error
    half = float(special.stdtrit(df, 0.5 * (1 + level))) * error
    p = 2 * float(special.stdtr(df, -abs(t)))
    test = TestResult("paired t test", "t", t, (df,), p, "the mean difference within a unit is 0")
    difference = Estimate(value, error, value - half, value + half, level, unit, "mean of the differences, t interval")
    return PairedTest(test, difference, _standardised(t, d.size, level))


def wilcoxon_signed_rank(a: ArrayLike, b: ArrayLike, /, *, method: str = "auto") -> TestResult:
    """Wilcoxon's signed-rank test of paired values, two-sided.

    Parameters
    ----------
    a, b : array_like, dims (animal,)
        Values under two conditions, in the same order of units.
    method : {"auto", "exact", "normal"}
        ``exact`` counts all signs, ties included; ``normal`` corrects for ties and continuity; ``auto`` is exact up to 50
        differences. The name of the result says which.

    Returns
    -------
    TestResult
        W, the sum of the ranks of the positive differences; differences of 0 are left out and counted in the note.

    Raises
    ------
    ValueError
        If all differences are 0, a value is not finite, or the method is unknown.

    References
    ----------
    Wilcoxon 1945, Biometrics Bull 1:80, doi:10.2307/3001968.

    Examples
    --------
    >>> test = wilcoxon_signed_rank([5.1, 4.8, 6.0, 5.5, 4.9], [4.0, 4.6, 4.1, 5.0, 5.2])
    >>> test.statistic, test.p
    (13.0, 0.1875)
    """
    if method not in ("auto", "exact", "normal"):
        raise ValueError(f"method is auto, exact or normal, got {method!r}")
    d = _differences(a, b)
    left = d[d != 0]
    if left.size == 0:
        raise ValueError("all differences are 0: no sign can be ranked")
    _, place, counts = np.unique(np.abs(left), return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - 0.5 * (counts - 1))[place]
    w, n = float(ranks[left > 0].sum()), left.size
    if method == "exact" or (method == "auto" and n <= MOST_COUNTED):
        p, how = _exact(ranks, w), "exact"
    else:
        variance = n * (n + 1) * (2 * n + 1) / 24 - float((counts.astype(np.float64) ** 3 - counts).sum()) / 48
        z = max(abs(w - 0.25 * n * (n + 1)) - 0.5, 0.0) / math.sqrt(variance)
        p, how = min(1.0, 2 * float(special.ndtr(-z))), "normal approximation, corrected for ties and continuity"
    zero = d.size - n
    note = f"{zero} difference{'' if zero == 1 else 's'} of 0 left out" if zero else ""
    null = "differences are symmetric about 0"
    return TestResult(f"Wilcoxon signed-rank ({how})", "W", w, (), p, null, note=note)


def _differences(a: ArrayLike, b: ArrayLike) -> Floats:
    x, y = (np.asarray(values, dtype=np.float64) for values in (a, b))
    if x.ndim != 1 or x.shape != y.shape or not np.isfinite(x - y).all():
        raise ValueError(f"paired values need one length and finite numbers, got shapes {x.shape} and {y.shape}")
    return rounded_differences(x, y)


def rounded_differences(a: Floats, b: Floats, /) -> Floats:
    """Differences of which those that rounding alone tells apart are equal: 0.5 - 0.4 and 0.4 - 0.3.

    Parameters
    ----------
    a, b : ndarray, dims (animal,)
        Values under two conditions.

    Returns
    -------
    ndarray
        As `a`.
    """
    d = a - b
    grain = ROUNDING * float(np.abs([a, b]).max(initial=0.0))
    size = np.abs(d)
    order = np.argsort(size, kind="stable")
    # neighbours nearer than the grain are one run, and take its least size; what is below the grain is 0
    size = size[order]
    first = np.concatenate([[True], np.diff(size) > grain]) if size.size else np.zeros(0, bool)
    size = np.where(size <= grain, 0.0, size[np.maximum.accumulate(np.where(first, np.arange(size.size), 0))])
    equal = np.empty_like(d)
    equal[order] = size
    return np.copysign(equal, d)


def _exact(ranks: Floats, observed: float) -> float:
    """Share of all signs whose positive ranks sum at least as far from the mean."""
    doubled = np.rint(2 * ranks).astype(np.int64)
    ways = np.zeros(int(doubled.sum()) + 1)
    ways[0] = 1.0
    for rank in doubled:
        ways[rank:] += ways[: ways.size - rank].copy()
    centre = 0.5 * doubled.sum()
    far = np.abs(np.arange(ways.size) - centre) >= abs(2 * observed - centre) - 1e-9
    return min(1.0, float(ways[far].sum() / ways.sum()))


def _standardised(t: float, n: int, level: float) -> Estimate:
    df, scale = float(n - 1), 1 / math.sqrt(n)
    correction = math.exp(math.lgamma(0.5 * df) - math.lgamma(0.5 * (df - 1))) / math.sqrt(0.5 * df) if df > 1 else 1.0
    tail = 0.5 * (1 - level)
    low, high = (noncentral_shift(t, df, p) * scale for p in (1 - tail, tail))
    value = t * scale * correction
    error = math.sqrt(1 / n + value**2 / (2 * n))
    return Estimate(
        value,
        error,
        min(low, value),
        max(high, value),
        level,
        "1",
        "Hedges g of the differences, noncentral t interval",
    )
