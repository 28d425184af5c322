"""Share of time that one dot is on, with the interval that the laws of its stays give it."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lampyris.bench.blinking.laws import FEWEST, StayCounts, stay_counts
from lampyris.bench.blinking.stays import Stays
from lampyris.core.estimate import Estimate
from lampyris.probe.photophysics.blinking import upper_gamma
from lampyris.statistics.thresholds import half_width

Array = NDArray[np.float64]
_METHOD = "share of time of one dot, profile likelihood of its stays in a stationary record by the laws of both states"
# log likelihood below its best that no asked interval reaches: 4.2 standard deviations
_DEEP = 9.0
# points of the laws along either axis, of the surface drawn through them, and of the profile along the log mean
_COARSE, _FINE, _PLACES = 14, 160, 150
_ROUNDS = 4
# share of its box that a likelihood must fill for the box to be kept
_FILLED = 0.75
# exponents of the laws, off the ends that `upper_gamma` and the law have
_EXPONENTS = (0.02, 4.98)
# exponential cut-off in records, one over it, below which a record shows none
_LEAST_RATE = 1e-3
_LEAST = 1e-300


@dataclass(frozen=True, slots=True, eq=False)
class _State:
    """Stays of one state, lengths in bins.

    Parameters
    ----------
    counts : StayCounts
        Of the stays that a law is fitted to.
    first : float
        Length from which on they count.
    age : float
        What the record holds of the stay that it begins in; NaN where that is one of the other state.
    short, long : int
        Whole stays below and from `first` on.
    short_mean : float
        Mean of the short ones.
    """

    counts: StayCounts
    first: float
    age: float
    short: int
    long: int
    short_mean: float


def on_share(stays: Stays, /, *, shortest: int = 4, level: float = 0.95) -> Estimate:
    """Share of time on until the record's end or bleaching.

    Parameters
    ----------
    stays : Stays
    shortest : int
        Bins of the shortest stay that the laws hold for; shorter ones count as many as they are.
    level : float
        Of the interval.

    Returns
    -------
    Estimate
        The value is that of the record, the interval that of the dot's share in the long run, ``mean on / (mean on + mean off)``,
        by profile likelihood. From 0 to 1 where a state has fewer whole stays than a law needs.

    Notes
    -----
    Stays follow a power law that an exponential cuts off, so that a few long ones make most of the time. A record that holds few
    of them shows too small a variance: an interval from the scatter of its own cycles then is too narrow. The law says instead
    how long stays can be that did not come. It alone would allow means without end where no cut-off is seen; what forbids them is
    that the record is one of a dot that has blinked for long: the chance that it begins in a given state, so much before
    that stay's end, is the share of longer stays over the mean of a whole cycle.

    References
    ----------
    Cox 1962, Renewal Theory, chapters 5 and 7 (stationary alternating renewal process); Venzon & Moolgavkar 1988, Appl Stat
    37:87, doi:10.2307/2347496 (profile likelihood).

    Examples
    --------
    >>> from lampyris.bench.blinking import infer_stays
    >>> found = on_share(infer_stays(np.repeat([1.0, 40.0] * 20, 30)))
    >>> found.value
    0.5
    """
    value = stays.on_bins / max(stays.observed_bins, 1)
    states = [_state(stays, on, shortest) for on in (True, False)]
    if min(one.long for one in states) < FEWEST or not 0.0 < value < 1.0:
        return Estimate(value, math.nan, 0.0, 1.0, level, "1", "one dot, too few stays for an interval")
    low, high = _ends([_laws(one, stays.observed_bins) for one in states], half_width(level))
    low, high = min(low, value), max(high, value)
    return Estimate(value, (high - low) / (2.0 * half_width(level)), low, high, level, "1", _METHOD)


def _state(stays: Stays, on: bool, shortest: int) -> _State:
    bins, cut = stays.of(on=on)
    whole = bins[~cut]
    short = whole[whole < shortest]
    age = float(stays.bins[0]) if bool(stays.on[0]) == on else math.nan
    mean = float(short.mean()) if short.size else 0.0
    counts = stay_counts(bins, cut, shortest=shortest)
    return _State(counts, shortest - 0.5, age, short.size, whole.size - short.size, mean)


def _laws(state: _State, observed: int) -> tuple[Array, Array]:
    """Log mean stay and log likelihood of laws that are not far from the likeliest, dims (law,)."""
    from scipy.interpolate import RectBivariateSpline

    exponents, rates = _EXPONENTS, (math.log(_LEAST_RATE / observed), math.log(5.0 / state.first))
    for _ in range(_ROUNDS):
        across, along = np.linspace(*exponents, _COARSE), np.linspace(*rates, _COARSE)
        likelihood, mean = _surface(state, across, np.exp(along))
        near = likelihood > likelihood.max() - _DEEP
        inner, inner_rates = _about(across, near.any(axis=1)), _about(along, near.any(axis=0))
        filled = min(
            (inner[1] - inner[0]) / (exponents[1] - exponents[0]),
            (inner_rates[1] - inner_rates[0]) / (rates[1] - rates[0]),
        )
        if filled > _FILLED:
            break
        exponents, rates = inner, inner_rates
    fine = np.linspace(across[0], across[-1], _FINE), np.linspace(along[0], along[-1], _FINE)
    likelihood, mean = (RectBivariateSpline(across, along, one)(*fine) for one in (likelihood, mean))
    near = likelihood > likelihood.max() - _DEEP
    share, chance = _shares(state)
    whole = np.log(share * state.short_mean + (1.0 - share) * np.exp(mean[near])[:, None])
    return whole.ravel(), (likelihood[near][:, None] + chance).ravel()


def _about(axis: Array, inside: NDArray[np.bool_]) -> tuple[float, float]:
    """Ends of a stretch of points and one more to either side."""
    at = np.flatnonzero(inside)
    return float(axis[max(at[0] - 1, 0)]), float(axis[min(at[-1] + 1, axis.size - 1)])


def _surface(state: _State, exponents: Array, rates: Array) -> tuple[Array, Array]:
    """Log likelihood of the stays, and log mean stay in bins, dims (exponent, rate)."""
    counts = state.counts
    whole, cut = np.flatnonzero(counts.whole), np.flatnonzero(counts.cut)
    lengths, left = counts.bins[whole], counts.bins[cut].astype(np.float64)
    number = counts.cut[cut]
    if state.age >= state.first:
        left, number = np.append(left, state.age), np.append(number, 1.0)
    times = np.maximum(np.concatenate([[state.first], lengths - 0.5, lengths + 0.5, left]), state.first)
    likelihood, mean = (np.empty((exponents.size, rates.size)) for _ in range(2))
    for k, exponent in enumerate(exponents.tolist()):
        beyond = upper_gamma(1.0 - exponent, times * rates[:, None])
        longer = beyond / beyond[:, :1]
        size = 1 + whole.size
        inside = longer[:, 1:size] - longer[:, size : size + whole.size]
        logs = np.log(np.maximum(np.concatenate([inside, longer[:, size + whole.size :]], axis=1), _LEAST))
        likelihood[k] = logs @ np.concatenate([counts.whole[whole], number])
        mean[k] = np.log(upper_gamma(2.0 - exponent, state.first * rates) / beyond[:, 0] / rates)
    return likelihood, mean


def _shares(state: _State) -> tuple[Array, Array]:
    """Shares of short stays that are not far from the likeliest, and their log likelihood, dims (share,)."""
    if not state.short:
        return np.zeros(1), np.zeros(1)
    number = state.short + state.long
    share = state.short / number
    reach = math.sqrt(2.0 * _DEEP) * max(math.sqrt(share * (1.0 - share) / number), 0.5 / number)
    tried = np.clip(share + np.linspace(-reach, reach, 15), 1e-3 / number, 1.0 - 1e-3 / number)
    # a record that begins in a long stay says that there are long ones
    return tried, state.short * np.log(tried) + (state.long + (state.age >= state.first)) * np.log1p(-tried)


def _ends(laws: list[tuple[Array, Array]], quantile: float) -> tuple[float, float]:
    """Ends of the share by the profile of the log odds, which are the log mean on less the log mean off."""
    step = max(
        min(float(np.ptp(mean)) for mean, _ in laws) / _PLACES,
        max(float(np.ptp(mean)) for mean, _ in laws) / 2000.0,
        1e-9,
    )
    (first_on, on), (first_off, off) = (_profile(mean, likelihood, step) for mean, likelihood in laws)
    means_on, means_off = (step * (first + np.arange(own.size)) for first, own in ((first_on, on), (first_off, off)))
    best = np.full(on.size + off.size - 1, -np.inf)
    # odds rise where the mean off falls
    behind, behind_means = off[::-1], means_off[::-1]
    for k, (own, mean) in enumerate(zip(on.tolist(), means_on.tolist(), strict=True)):
        # a record that begins at any time: one over the mean cycle
        both = own + behind - np.logaddexp(mean, behind_means)
        np.maximum(best[k : k + off.size], both, out=best[k : k + off.size])
    odds = step * (first_on - first_off - (off.size - 1) + np.arange(best.size))
    root = np.sqrt(2.0 * (best.max() - best))
    inside = np.flatnonzero(root <= quantile)
    low, high = int(inside[0]), int(inside[-1])
    ends = []
    for last, beyond in ((low, low - 1), (high, high + 1)):
        if not 0 <= beyond < best.size:
            ends.append(math.copysign(math.inf, beyond - last))
            continue
        share = (quantile - root[last]) / (root[beyond] - root[last])
        ends.append(float(odds[last] + share * (odds[beyond] - odds[last])))
    low_end, high_end = (0.5 * (1.0 + math.tanh(0.5 * one)) for one in ends)
    return low_end, high_end


def _profile(mean: Array, likelihood: Array, step: float) -> tuple[int, Array]:
    """Highest log likelihood at multiples of `step` along the log mean, the first of them and dims (place,)."""
    place = np.round(mean / step).astype(np.intp)
    first = int(place.min())
    best = np.full(int(place.max()) - first + 1, -1, np.intp)
    rising = np.argsort(likelihood, kind="stable")
    best[place[rising] - first] = rising
    known = best[best >= 0]
    # the best about a place lies to the side of the likeliest mean
    places = step * (first + np.arange(best.size))
    return first, np.interp(places, mean[known], likelihood[known])
