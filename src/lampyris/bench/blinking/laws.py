"""Law of the stays in one state: a power law that an exponential cuts off, by maximum likelihood of lengths in whole bins."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from lampyris.core.errors import InputError
from lampyris.core.estimate import Estimate
from lampyris.probe.photophysics.blinking import SojournTimes
from lampyris.statistics.fitting import Fit, LogLikelihood, Parameter, fit_likelihood, profile_interval

Array = NDArray[np.float64]
FEWEST = 5
"""Whole stays of a state without which no law is fitted."""
MOST_GROUPS = 40
"""Groups of dots of which one at a time is left out."""
_IMPOSSIBLE = -1e6
_LEAST = 1e-300
# bins from which on, and cut-offs per bin below which, a stay's density is so smooth over a bin that three terms tell its mean
_SMOOTH, _SLOW = 16, 0.25


@dataclass(frozen=True, slots=True, eq=False)
class StayCounts:
    """How many stays there are of each length, in one dot.

    Parameters
    ----------
    bins : numpy.ndarray
        Lengths, dims (length,).
    whole, cut : numpy.ndarray
        Stays of that length that were seen from start to end, and that start or end of the record cuts short, dims (length,).
    """

    bins: NDArray[np.intp]
    whole: Array
    cut: Array


def stay_counts(bins: NDArray[np.intp], cut: NDArray[np.bool_], /, *, shortest: int) -> StayCounts:
    """Numbers of stays by length, those shorter than `shortest` left out."""
    kept = bins >= shortest
    lengths, place = np.unique(bins[kept], return_inverse=True)
    own = cut[kept]
    whole, short = (np.bincount(place, one, minlength=lengths.size).astype(np.float64) for one in (~own, own))
    return StayCounts(lengths, whole, short)


@dataclass(frozen=True, slots=True, eq=False)
class StayLaw:
    """Law of the stays in one state.

    Parameters
    ----------
    exponent, cutoff_s : Estimate
        The cut-off is infinite where the stays show none.
    law : SojournTimes
        At the estimates.
    whole : int
        Stays that were seen from start to end.
    shortest_s : float
        From which on they count.
    fit : Fit
    """

    exponent: Estimate
    cutoff_s: Estimate
    law: SojournTimes
    whole: int
    shortest_s: float
    fit: Fit


def log_likelihood(exponent: float, rate: float, shortest: int, bin_s: float, stays: StayCounts, /) -> Array:
    """Log likelihood of each length: of the interval half a bin to either side, or of longer stays where it was cut short.

    Parameters
    ----------
    exponent, rate : float
        Power, and one over the cut-off in 1/s.
    shortest : int
        Bins of the shortest stay that counts.
    bin_s : float
    stays : StayCounts
    """
    first = (shortest - 0.5) * bin_s
    try:
        law = SojournTimes(exponent, first, 1.0 / rate if rate > 1e-9 else math.inf)
    except InputError:
        return np.full(stays.bins.size, _IMPOSSIBLE)
    whole, cut = np.flatnonzero(stays.whole), np.flatnonzero(stays.cut)
    found = np.zeros(stays.bins.size)
    # lengths rise
    few = int(np.searchsorted(stays.bins[whole], _SMOOTH)) if rate * bin_s < _SLOW else whole.size
    short, long = whole[:few], whole[few:]
    lengths = stays.bins[short]
    left = law.survival(np.concatenate([lengths - 0.5, lengths + 0.5, stays.bins[cut]]) * bin_s)
    inside = left[:few] - left[few : 2 * few]
    found[short] = stays.whole[short] * np.log(np.maximum(inside, _LEAST))
    found[cut] += stays.cut[cut] * np.log(np.maximum(left[2 * few :], _LEAST))
    if long.size:
        found[long] += stays.whole[long] * _log_within(law, np.asarray(stays.bins[long] * bin_s, np.float64), bin_s)
    return np.where(np.isfinite(found), found, _IMPOSSIBLE)


def _log_within(law: SojournTimes, time: Array, bin_s: float) -> Array:
    """Log chance of a bin about each time by the density there, a 24th of its second and a 1920th of its fourth derivative by bins."""
    m, v = law.exponent, time / law.cutoff_s
    square = (bin_s / time) ** 2
    second = m * (m + 1.0) + v * (2.0 * m + v)
    fourth = m * (m + 1.0) * (m + 2.0) * (m + 3.0 + 4.0 * v) + v**2 * (6.0 * m * (m + 1.0) + v * (4.0 * m + v))
    return np.asarray(
        law.log_density(time) + np.log(bin_s) + np.log1p(square * (second / 24.0 + square * fourth / 1920.0))
    )


def infer_law(
    dots: Sequence[StayCounts],
    /,
    *,
    shortest: int,
    bin_s: float,
    level: float = 0.95,
    profile: bool = True,
) -> StayLaw:
    """Law of the stays of one or several dots.

    Parameters
    ----------
    dots : sequence of StayCounts
        One per dot; they share the law.
    shortest : int
        Bins of the shortest stay that counts, the same for all.
    bin_s : float
        Length of a bin.
    level : float
    profile : bool
        Ask for profile intervals of one dot; symmetric ones otherwise.

    Returns
    -------
    StayLaw
        Intervals of one dot by profile likelihood: its stays are what was replicated. Of several dots by
        leaving out whole dots (jackknife), with Student's quantile for their number; dots that agree better than their stays let
        expect count as one more that does not.

    Raises
    ------
    ValueError
        If there are fewer than `FEWEST` whole stays.
    """
    whole = sum(float(one.whole.sum()) for one in dots)
    if whole < FEWEST:
        raise ValueError(f"{whole:.0f} stays from start to end, and {FEWEST} are the fewest for a law")
    fit = _fitted(_together(dots, np.ones(len(dots))), shortest, bin_s, level)
    if len(dots) > 1:
        exponent, rate = _jackknifed(dots, fit, (shortest, bin_s), level)
    elif profile:
        exponent, rate = profile_interval(fit, "exponent"), profile_interval(fit, "rate")
    else:
        exponent, rate = fit["exponent"], fit["rate"]
    value = max(rate.value, 1e-9)
    law = SojournTimes(exponent.value, (shortest - 0.5) * bin_s, 1.0 / rate.value if rate.value > 1e-9 else math.inf)
    cutoff = Estimate(
        1.0 / value if rate.value > 1e-9 else math.inf,
        rate.sd / value**2 if rate.value > 1e-9 else math.nan,
        1.0 / rate.high if rate.high > 0 else math.inf,
        1.0 / rate.low if rate.low > 1e-9 else math.inf,
        level,
        "s",
        rate.method + ", of one over it",
    )
    return StayLaw(exponent, cutoff, law, round(whole), (shortest - 0.5) * bin_s, fit)


def _together(dots: Sequence[StayCounts], weights: Array) -> StayCounts:
    """Stays of all dots, each dot as often as its weight says."""
    lengths = np.concatenate([one.bins for one in dots])
    bins, place = np.unique(lengths, return_inverse=True)
    whole = np.concatenate([weight * one.whole for one, weight in zip(dots, weights, strict=True)])
    cut = np.concatenate([weight * one.cut for one, weight in zip(dots, weights, strict=True)])
    total = (np.bincount(place, one, minlength=bins.size).astype(np.float64) for one in (whole, cut))
    return StayCounts(bins, *total)


def _fitted(stays: StayCounts, shortest: int, bin_s: float, level: float, start: Array | None = None) -> Fit:
    first = (shortest - 0.5) * bin_s
    longest = float(stays.bins.max(initial=1)) * bin_s
    exponent, rate = (1.5, 2.0 / longest) if start is None else (float(start[0]), max(float(start[1]), 1e-3 / longest))
    most = 50.0 / first
    parameters = [
        Parameter(
            "exponent",
            min(max(exponent, 0.05), 4.9),
            low=0.0,
            high=5.0,
            scale=0.05,
        ),
        Parameter(
            "rate", min(rate, 0.9 * most), low=0.0, high=most, unit="1/s", scale=max(0.05 / longest, 0.05 * rate)
        ),
    ]
    terms = LogLikelihood(lambda p: log_likelihood(float(p[0]), float(p[1]), shortest, bin_s, stays))
    return fit_likelihood(terms, parameters, level=level)


def _jackknifed(
    dots: Sequence[StayCounts], fit: Fit, about: tuple[int, float], level: float
) -> tuple[Estimate, Estimate]:
    """Estimates with the spread that leaving out each dot in turn, or each of `MOST_GROUPS` groups of dots, makes."""
    groups = min(len(dots), MOST_GROUPS)
    drawn = []
    for left_out in range(groups):
        weights = (np.arange(len(dots)) % groups != left_out).astype(np.float64)
        if sum(float(one.whole.sum()) for one, weight in zip(dots, weights, strict=True) if weight) >= FEWEST:
            drawn.append(_fitted(_together(dots, weights), *about, level, start=fit.values).values)
    count = len(drawn)
    values = np.array(drawn).reshape(-1, 2)
    sds = np.std(values, axis=0) * math.sqrt(count - 1.0) if count > 1 else np.full(2, math.nan)
    method = f"likelihood, jackknife over {len(dots)} dots, Student's t"
    made = []
    for name, among, most in (("exponent", float(sds[0]), 5.0), ("rate", float(sds[1]), math.inf)):
        one = fit[name]
        sd, half = _reach(among, one.sd, count, level)
        known = math.isfinite(half)
        low, high = (max(one.value - half, 0.0), min(one.value + half, most)) if known else (0.0, most)
        made.append(replace(one, sd=sd, low=low, high=high, method=method))
    return made[0], made[1]


def _reach(among: float, within: float, count: int, level: float) -> tuple[float, float]:
    """Standard error and half of the interval, from the spread among so many dots and from what the stays say of it.

    Few dots may agree by chance, and are then worth less than they show: what the stays say counts as one dot more, where it widens
    the interval.
    """
    from scipy.special import stdtrit

    upper = 0.5 * (1.0 + level)
    alone = float(stdtrit(max(count - 1, 1), upper)) * among
    if not math.isfinite(within) or not math.isfinite(among):
        return among, alone
    joint = math.sqrt(((count - 1) * among**2 + within**2) / count)
    return max(among, joint), max(alone, float(stdtrit(count, upper)) * joint)
