"""Stays on and off from a trace, and the trace from stays."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lampyris.bench.blinking.changes import Levels, change_points, cluster_levels, default_penalty

Array = NDArray[np.float64]
# standard deviations by which the evidence for the shortest stay must exceed what its two change points cost
_SURE = 2.0
_MOST_SHORTEST = 1000
# share of a trace that a last dark stay fills when it looks like bleaching, and how much longer than any other
_BLEACHED_SHARE, _BLEACHED_TIMES = 0.15, 3.0
# change of the on level over a trace that is drift
_DRIFT = 0.15
# photons per bin below which a dark stay without any is not taken to be darker
_LEAST_RATE = 0.05
# searches of a level, which gain digits by squares, and the level that is none
_LEVEL_ROUNDS, _NO_LEVEL = 20, 1e-9


def predict_trace(on_share: Array, /, *, on: float, off: float) -> Array:
    """Mean photons per bin of a dot that is on for a share of each bin.

    Parameters
    ----------
    on_share : numpy.ndarray
        From 0 to 1, dims (bin,).
    on, off : float
        Photons per bin of either state.
    """
    return np.asarray(off + (on - off) * np.asarray(on_share, np.float64))


def variance_trace(expected: Array, /) -> Array:
    """Variance of the counts, which are Poisson's."""
    return np.asarray(expected, np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class Stays:
    """Stays of a dot in its two states.

    Parameters
    ----------
    starts : numpy.ndarray
        First bin of each stay, dims (stay,).
    bins : numpy.ndarray
        Length of each, dims (stay,).
    on : numpy.ndarray of bool
        State of each, dims (stay,).
    on_level, off_level : float
        Photons per bin.
    level_sds : (float, float)
        Standard errors of both.
    shortest : int
        Bins of the shortest stay that is surely seen in either state.
    levels : Levels
        Of the segments; more than two are joined to the nearer end.
    expected : numpy.ndarray
        Photons per bin of the segments, dims (bin,).
    drift : float
        Relative change of the on level over the trace; 0 where it is not clear.
    bleached : bool
        The last stay is dark and far longer than any other.
    """

    starts: NDArray[np.intp]
    bins: NDArray[np.intp]
    on: NDArray[np.bool_]
    on_level: float
    off_level: float
    level_sds: tuple[float, float]
    shortest: int
    levels: Levels
    expected: Array
    drift: float
    bleached: bool

    @property
    def one_state(self) -> bool:
        """No switch was found."""
        return self.bins.size < 2

    def of(self, *, on: bool) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
        """Bins of the stays of a state, and whether the record's end cuts each short.

        The stay in which the record begins is left out. How long it had lasted is not known, and chance meets long stays: what
        is left of it is neither a whole stay nor a stay that is longer than seen. The dark after bleaching is no stay, and the one
        before it would have lasted longer.
        """
        last = self.bins.size - 1 - self.bleached
        cut = np.arange(self.bins.size) == last
        chosen = (self.on == on) & (np.arange(self.bins.size) <= last)
        chosen[0] = False
        return self.bins[chosen], cut[chosen]

    @property
    def on_bins(self) -> int:
        """Bins that the dot is on; what follows bleaching does not count."""
        return int(self.bins[self.on].sum())

    @property
    def observed_bins(self) -> int:
        """Bins until the end, or until the dot bleached."""
        return int(self.bins[: self.bins.size - self.bleached].sum())


def infer_stays(counts: Array, /, *, penalty: float | None = None, most_levels: int = 4) -> Stays:
    """Stays from the change points of a trace.

    Parameters
    ----------
    counts : numpy.ndarray
        Photons per bin, dims (bin,).
    penalty : float, optional
        Of a change point.
    most_levels : int
        Most levels of brightness.

    Returns
    -------
    Stays
    """
    starts = change_points(counts, penalty=penalty)
    ends = np.append(starts[1:], counts.size)
    bins = ends - starts
    photons = np.add.reduceat(counts, starts)
    levels = cluster_levels(photons, bins.astype(np.float64), most=most_levels)
    rates = levels.rates
    middle = 0.5 * (rates[0] + rates[-1])
    on_segment = rates[levels.of_segment] > middle if rates.size > 1 else np.ones(bins.size, bool)
    own = default_penalty(counts.size) if penalty is None else penalty
    return _joined(counts, (starts, bins), on_segment, levels, own)


def _joined(
    counts: Array,
    segments: tuple[NDArray[np.intp], NDArray[np.intp]],
    on_segment: NDArray[np.bool_],
    levels: Levels,
    penalty: float,
) -> Stays:
    starts, bins = segments
    new = np.flatnonzero(np.diff(on_segment.astype(np.int8), prepend=2))
    stay_bins = np.add.reduceat(bins, new)
    on = on_segment[new]
    (on_level, on_sd), (off_level, off_sd) = _inner_levels(counts, stay_bins, on, two=levels.rates.size == 2)
    stay_starts = _halved(counts, starts[new], on, 0.5 * (on_level + off_level))
    stay_bins = np.diff(np.append(stay_starts, counts.size))
    rates = np.add.reduceat(counts, starts) / bins
    others = stay_bins[:-1]
    bleached = (
        stay_bins.size > 1
        and not on[-1]
        and stay_bins[-1] > _BLEACHED_SHARE * counts.size
        and stay_bins[-1] > _BLEACHED_TIMES * int(others[~on[:-1]].max(initial=1))
    )
    return Stays(
        stay_starts, stay_bins, on, on_level, off_level, (on_sd, off_sd), shortest_seen(on_level, off_level, penalty), levels,
        np.repeat(rates, bins), _drift(starts, bins, rates, on_segment), bool(bleached),
    )  # fmt: skip


def beyond_photons(counts: Array, stays: Stays, /) -> dict[bool, tuple[float, float]]:
    """How much more than photons the counts scatter within stays, on (True) and off (False).

    Switches shorter than a bin leave no change point, but make bins of any brightness in between.

    Parameters
    ----------
    counts : numpy.ndarray
        Photons per bin, dims (bin,).
    stays : Stays
        As `infer_stays` finds them.

    Returns
    -------
    dict of (float, float)
        Variance over that of photons, of the bins that lie within their segment, and by how many of its standard errors it is
        above 1; (1, 0) of a state that is not there.

    Examples
    --------
    >>> steady = np.random.default_rng(1).poisson(np.repeat([4.0, 40.0], 300)).astype(float)
    >>> flicker = steady - np.tile([0.0, 0.0, 0.0, 15.0], 150) * (steady > 20)
    >>> [round(beyond_photons(one, infer_stays(one))[True][0], 1) for one in (steady, flicker)]
    [1.0, 2.2]
    """
    inner = np.ones(counts.size, bool)
    new = np.flatnonzero(np.diff(stays.expected))
    inner[new], inner[new + 1] = False, False
    lit = np.repeat(stays.on, stays.bins)
    expected = np.maximum(stays.expected, _LEAST_RATE)
    found = {}
    for on in (True, False):
        own = inner & (lit == on)
        if not own.any():
            found[on] = (1.0, 0.0)
            continue
        ratio = float(((counts[own] - expected[own]) ** 2 / expected[own]).mean())
        # of Poisson counts the variance of (n - m)^2 / m is 2 + 1 / m
        found[on] = (ratio, (ratio - 1.0) / math.sqrt(float((2.0 + 1.0 / expected[own]).mean()) / own.sum()))
    return found


def _inner_levels(
    counts: Array, bins: NDArray[np.intp], on: NDArray[np.bool_], *, two: bool
) -> list[tuple[float, float]]:
    """Photons per bin on and off, each with its standard error: of bins within stays, as a stay's first and last bin are lit for
    a part of them.

    A stay too short to be seen leaves bins of the other state within one. Of two levels the bins beyond their middle are left
    out, and the level is that whose counts on its own side of the middle have the mean that is left. Of more levels, which
    are joined, all bins count.
    """
    lit = np.repeat(on, bins)
    ends = np.cumsum(bins)
    inner = np.ones(counts.size, bool)
    inner[ends[:-1]] = False
    inner[ends[:-1] - 1] = False
    kept = [counts[state & inner if (state & inner).any() else state] for state in (lit, ~lit)]
    means = [float(one.mean()) if one.size else math.nan for one in kept]
    if not two or not means[0] > means[1]:
        return [(mean, _mean_sd(mean, one.size)) for mean, one in zip(means, kept, strict=True)]
    last = math.floor(0.5 * (means[0] + means[1]))
    return [_level(kept[0][kept[0] > last], last, above=True), _level(kept[1][kept[1] <= last], last, above=False)]


def _mean_sd(mean: float, bins: int) -> float:
    """Standard error of a mean of Poisson counts; of none as if one had come."""
    return math.sqrt(max(mean, 1.0 / bins) / bins) if bins else math.nan


def _level(kept: Array, last: int, *, above: bool) -> tuple[float, float]:
    """Mean of Poisson counts of which those above `last`, or up to it, were kept, by likelihood, and its standard error."""
    from scipy.special import pdtr, pdtrc

    share = pdtrc if above else pdtr
    mean = float(kept.mean())
    level, width = mean, mean
    for _ in range(_LEVEL_ROUNDS):
        if not level > _NO_LEVEL:
            return mean, _mean_sd(mean, kept.size)
        # chances of the counts kept, and of those one and two below: their first two moments
        own, one, two = (float(share(last - k, level)) if last >= k else float(above) for k in range(3))
        expected = level * one / own
        width = level**2 * two / own + expected - expected**2
        level = max(level + (mean - expected) * level / width, 0.1 * level)
    return level, level / math.sqrt(kept.size * width)


def _halved(counts: Array, starts: NDArray[np.intp], on: NDArray[np.bool_], middle: float) -> NDArray[np.intp]:
    """First bins of the stays, where the bin in which a dot switches goes to the state that it was in for longer.

    The likelihood of two levels gives it to the brighter one from ``(on - off) / log(on / off)`` photons on, which is below
    their middle: a third of the bin is enough. On stays would come out a third of a bin too long, off stays too short.
    """
    moved = starts.copy()
    if not math.isfinite(middle):
        return moved
    ends = np.append(starts[1:], counts.size)
    for k in range(1, starts.size):
        at = int(starts[k])
        if on[k] and counts[at] < middle and ends[k] - at > 1:
            moved[k] = at + 1
        elif not on[k] and counts[at - 1] < middle and at - moved[k - 1] > 1:
            moved[k] = at - 1
    return moved


def shortest_seen(on: float, off: float, penalty: float, /) -> int:
    """Bins of the shortest stay, in either state, whose evidence exceeds what its two change points cost by two of its
    standard deviations.

    Examples
    --------
    >>> shortest_seen(60.0, 5.0, 27.0), shortest_seen(12.0, 6.0, 27.0)
    (1, 24)
    """
    if not (math.isfinite(on) and math.isfinite(off) and on > off):
        return 1
    low = max(off, 0.1)
    ratio = math.log(on / low)
    # twice the log likelihood ratio per bin, its mean and variance: a dark stay within light and light within dark
    sides = (
        (2.0 * (on - low - low * ratio), 4.0 * low * ratio**2),
        (2.0 * (on * ratio - (on - low)), 4.0 * on * ratio**2),
    )
    for bins in range(1, _MOST_SHORTEST):
        if all(mean * bins - _SURE * math.sqrt(spread * bins) > 2.0 * penalty for mean, spread in sides):
            return bins
    return _MOST_SHORTEST


def _drift(starts: NDArray[np.intp], bins: NDArray[np.intp], rates: Array, on: NDArray[np.bool_]) -> float:
    """Relative change of the on level from start to end by a weighted line, where it is clear."""
    if on.sum() < 5:
        return 0.0
    middle = (starts + bins / 2.0)[on]
    weight = bins[on] / np.maximum(rates[on], 1e-9)
    length = float(starts[-1] + bins[-1])
    centre = np.average(middle, weights=weight)
    level = np.average(rates[on], weights=weight)
    spread = float((weight * (middle - centre) ** 2).sum())
    slope = float((weight * (middle - centre) * (rates[on] - level)).sum()) / spread if spread else 0.0
    off = rates[on] - level - slope * (middle - centre)
    sd = math.sqrt(max(float((weight * off**2).sum()) / (on.sum() - 2), 1.0) / spread) if spread else math.inf
    change = slope * length / level
    return change if abs(change) > _DRIFT and abs(slope) > 3.0 * sd else 0.0


def stays_by_threshold(counts: Array, threshold: float, /) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """Bins and states of the stays that a fixed threshold makes: each bin above it is on.

    Every bin that noise lifts across the threshold cuts a long stay into short ones.

    Examples
    --------
    >>> bins, on = stays_by_threshold(np.array([1.0, 9.0, 8.0, 2.0, 1.0]), 5.0)
    >>> bins.tolist(), on.tolist()
    ([1, 2, 2], [False, True, False])
    """
    above = counts > threshold
    new = np.flatnonzero(np.diff(above.astype(np.int8), prepend=2))
    return np.diff(np.append(new, counts.size)), above[new]
