"""Turnbull's estimate of a course whose events lie between looks, with likelihood-ratio intervals.

The likelihood says on which intervals the events' shares lie, and not where within them. It is concave in the shares; it is
maximised by constrained Newton steps [2]_, which end in few steps where the classical self-consistency takes thousands.

Intervals at one day are by likelihood ratio: the shares before a day that are not refused at ``chi2(1)``. With looks on
common days, the rule in imaging, this has its nominal coverage in large samples; with looks on days of their own for each
animal the statistic is smaller than ``chi2(1)`` [3]_, and the interval errs on the wide side.

References
----------
.. [1] Turnbull 1976, J R Stat Soc B 38:290, doi:10.1111/j.2517-6161.1976.tb01597.x.
.. [2] Wang 2007, J R Stat Soc B 69:185, doi:10.1111/j.1467-9868.2007.00583.x.
.. [3] Banerjee & Wellner 2001, Ann Stat 29:1699, doi:10.1214/aos/1015345959.
"""

import itertools
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special

from lampyris.core.estimate import Estimate
from lampyris.statistics.onset.times import Floats, OnsetTimes

METHOD = "Turnbull, likelihood-ratio interval"
# of the log likelihood per animal
_GAP = 1e-10
_STEPS = 200


@dataclass(frozen=True, slots=True, eq=False)
class Turnbull:
    """Shares of the events on the intervals that the data can tell apart.

    Parameters
    ----------
    after, by : ndarray, dims (interval,)
        Intervals ``(after, by]`` in order, a day of its own where both are equal; the last ``by`` is inf where some events
        are still to come.
    share : ndarray, dims (interval,)
        Of the animals; sums to 1.
    log_likelihood : float
        At its maximum.
    members : ndarray of bool, dims (animal, interval)
        Which intervals lie in each animal's.
    rows, weight : ndarray, dims (row, interval) and (row,)
        Different rows of `members`, with their numbers of animals: looks on common days give few.
    """

    after: Floats
    by: Floats
    share: Floats
    log_likelihood: float
    members: NDArray[np.bool_]
    rows: Floats
    weight: Floats


def turnbull(times: OnsetTimes, /) -> Turnbull:
    """Maximum-likelihood course of interval-censored times.

    Parameters
    ----------
    times : OnsetTimes
        Of at least one animal; exact days, intervals and animals without the event in any mixture.

    Returns
    -------
    Turnbull

    Raises
    ------
    ValueError
        If there is no animal.

    Examples
    --------
    >>> fit = turnbull(OnsetTimes([0, 3, 7, 7], [7, 7, 14, float("inf")]))
    >>> [(float(a), float(b), round(float(s), 3)) for a, b, s in zip(fit.after, fit.by, fit.share)]
    [(3.0, 7.0, 0.5), (7.0, 14.0, 0.5)]
    """
    if not len(times):
        raise ValueError("Turnbull's estimate needs at least one animal")
    after, by = innermost_intervals(times)
    members = _members(times, after, by)
    rows, number = np.unique(members, axis=0, return_counts=True)
    plain, weight = rows.astype(np.float64), number.astype(np.float64)
    share = _maximised(plain, weight, np.zeros(after.size, dtype=np.intp), np.ones(1))
    return Turnbull(after, by, share, _log_likelihood(plain, share, weight), members, plain, weight)


def innermost_intervals(times: OnsetTimes, /) -> tuple[Floats, Floats]:
    """Intervals that begin with an animal's ``low`` and end with an animal's ``high``, with no other end between them."""
    # order on a day: ``high`` of (a, day] and the exact day come before the ``low`` of (day, b]; an exact day begins before it ends
    exact = times.exact
    starts = [(low, 0 if one else 2, 0) for low, one in zip(times.low, exact, strict=True)]
    ends = [(high, 1, 1) for high in times.high]
    marks = sorted({*starts, *ends})
    found = [(one[0], other[0]) for one, other in itertools.pairwise(marks) if (one[2], other[2]) == (0, 1)]
    return np.array([one[0] for one in found]), np.array([one[1] for one in found])


def _members(times: OnsetTimes, after: Floats, by: Floats) -> NDArray[np.bool_]:
    inside = (times.low[:, None] <= after) & (by <= times.high[:, None])
    # an exact day that is an animal's open low end lies outside it
    point = (after == by) & (after == times.low[:, None]) & ~times.exact[:, None]
    # and (low, high] never lies in the single day `low`
    wide = (after != by) & times.exact[:, None]
    return np.asarray(inside & ~point & ~wide)


def _log_likelihood(rows: Floats, share: Floats, weight: Floats) -> float:
    with np.errstate(divide="ignore"):
        return float(weight @ np.log(rows @ share))


def _maximised(rows: Floats, weight: Floats, block: NDArray[np.intp], totals: Floats) -> Floats:
    """Shares of highest likelihood where those of each block sum to its total.

    Ends where a bound on what any other shares could add, from the concavity of the likelihood, falls below rounding.
    """
    share = totals[block] / np.bincount(block, minlength=totals.size)[block]
    best = _log_likelihood(rows, share, weight)
    n = float(weight.sum())
    for _ in range(_STEPS):
        slope = rows.T @ (weight / np.maximum(rows @ share, 1e-300))
        # one and all of each block on its best interval adds at most this
        most = np.array([slope[block == b].max() for b in range(totals.size)])
        if float(totals @ most) - float(share @ slope) < _GAP * n:
            break
        target = _newton_target(rows, weight, share, block, totals)
        share, gain = _line_search(rows, weight, share, target, slope, best)
        # self-consistency where the quadratic model leads nowhere: it never falls
        step = share * (rows.T @ (weight / np.maximum(rows @ share, 1e-300)))
        sums = np.bincount(block, step, totals.size)
        step *= np.divide(totals, sums, out=np.zeros_like(totals), where=sums > 0)[block]
        after = _log_likelihood(rows, step, weight)
        if after > best + gain:
            share, gain = step, after - best
        best += gain
        if gain <= 1e-14 * max(abs(best), 1.0):
            break
    return share


def _newton_target(rows: Floats, weight: Floats, share: Floats, block: NDArray[np.intp], totals: Floats) -> Floats:
    """Shares that maximise the quadratic model of the likelihood, by non-negative least squares."""
    root = np.sqrt(weight)
    model = root[:, None] * rows / np.maximum(rows @ share, 1e-300)[:, None]
    # the constraint as rows of great weight; what is left of it is scaled away
    heavy = 1e4 * float(np.abs(model).max())
    constraint = heavy * (block[None, :] == np.arange(totals.size)[:, None])
    target, _ = optimize.nnls(
        np.vstack([model, constraint]), np.concatenate([2.0 * root, heavy * totals]), maxiter=1000
    )
    sums = np.bincount(block, target, totals.size)
    even = (totals / np.bincount(block, minlength=totals.size))[block]
    scale = np.divide(totals, sums, out=np.zeros_like(totals), where=sums > 0)[block]
    return np.where(sums[block] > 0, target * scale, even)


def _line_search(
    rows: Floats, weight: Floats, share: Floats, target: Floats, slope: Floats, best: float
) -> tuple[Floats, float]:
    rise = float(slope @ (target - share))
    length = 1.0
    for _ in range(40):
        trial = share + length * (target - share)
        gain = _log_likelihood(rows, trial, weight) - best
        if gain >= 0.3 * length * rise and gain >= 0:
            return trial, gain
        length *= 0.5
    return share, 0.0


def reached_by(fit: Turnbull, day: float, /) -> tuple[float, float]:
    """Least and most share of the animals in which the event came by a day: within an interval its day is not known."""
    certain = fit.by <= day
    return float(fit.share[certain].sum()), float(fit.share[certain | (fit.after < day)].sum())


def reached_interval(fit: Turnbull, day: float, /, *, level: float = 0.95) -> Estimate:
    """Share of the animals in which the event came by a day.

    Parameters
    ----------
    fit : Turnbull
        Of one group.
    day : float
        Any day; the value counts what came for certain, and within an interval of the estimate the upper end counts all of it.
    level : float
        Pointwise coverage.

    Returns
    -------
    Estimate
    """
    least, most = reached_by(fit, day)
    certain = fit.by <= day
    possible = certain | (fit.after < day)
    low = _end(fit, certain, least, level, up=False)
    high = _end(fit, possible, most, level, up=True)
    return Estimate(least, math.nan, min(low, least), max(high, least), level, "1", METHOD)


def profile_log_likelihood(fit: Turnbull, before: NDArray[np.bool_], share: float, /) -> float:
    """Highest log likelihood where the intervals `before` hold `share` of the animals."""
    totals = np.array([1.0 - share, share])
    # events may also lie where no animal's interval is, before all of them or after: it is what bounds a share of 0 or 1
    block = np.concatenate([before.astype(np.intp), [0, 1]])
    rows = np.column_stack([fit.rows, np.zeros((fit.weight.size, 2))])
    return _log_likelihood(rows, _maximised(rows, fit.weight, block, totals), fit.weight)


def _end(fit: Turnbull, before: NDArray[np.bool_], value: float, level: float, *, up: bool) -> float:
    """Where the likelihood ratio refuses more (or less) than `value` of the animals in the intervals `before`."""
    drop = 0.5 * float(special.chdtri(1, 1 - level))
    # a share of 0 or 1 is refused where an animal speaks against it
    limit = 1.0 - 1e-9 if up else 1e-9

    def excess(share: float) -> float:
        return fit.log_likelihood - drop - profile_log_likelihood(fit, before, share)

    if (up and value >= limit) or (not up and value <= limit) or excess(limit) <= 0:
        return 1.0 if up else 0.0
    return float(optimize.brentq(excess, value, limit, xtol=1e-6, rtol=1e-9))


def median_within(fit: Turnbull, /) -> tuple[float, float]:
    """Interval of the estimate over which the share passes one half: (after, by], with by inf where one half is not reached."""
    k = int(np.searchsorted(np.cumsum(fit.share), 0.5 - 1e-9))
    return float(fit.after[k]), float(fit.by[k])


def turnbull_median(fit: Turnbull, /, *, level: float = 0.95, unit: str = "d") -> Estimate:
    """Day by which the event came in half of the animals.

    It lies in the interval of the estimate over which the share passes one half; the value is where a straight line across
    that interval passes it. The ends are those of the days that a likelihood-ratio test of "half by this day" does not refuse.
    inf where one half is not reached.
    """
    reached = np.cumsum(fit.share)
    k = int(np.searchsorted(reached, 0.5 - 1e-9))
    before = float(reached[k] - fit.share[k])
    after, by = float(fit.after[k]), float(fit.by[k])
    value = by if by in (after, math.inf) else after + (by - after) * (0.5 - before) / float(fit.share[k])
    drop = 0.5 * float(special.chdtri(1, 1 - level))
    low, high = 0.0, math.inf
    places = np.arange(fit.after.size)
    for j in range(-1, places.size):
        # from the end of one interval to the beginning of the next the share is that of the first j + 1
        refused = fit.log_likelihood - profile_log_likelihood(fit, places <= j, 0.5) > drop
        if refused and (j < 0 or reached[j] < 0.5):
            low = float(fit.after[j + 1])
        elif refused:
            high = float(fit.by[j])
            break
    method = "Turnbull, straight within its interval; likelihood-ratio interval"
    return Estimate(value, math.nan, min(low, value), max(high, value), level, unit, method)
