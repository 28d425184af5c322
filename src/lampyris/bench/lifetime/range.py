"""Which channels of a decay are fitted: those that were recorded, from before the pulse to where little light is left."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lampyris.bench.lifetime.response import Response

Array = NDArray[np.float64]
# channels before the rise without which the background must be found in the tail
FEWEST_BEFORE = 20
# chance that a run of empty channels at an end is counted by accident
_BY_CHANCE = 1e-6
# photons in the running mean that tells where the fit ends
_STEADY = 2000.0
# channels alike at the highest count that no light makes
_FLAT = 4
# share of the light that a response's own slow tail holds, in standard errors of all photons what of it may still come when a tail is
# fitted, rises after the peak at least, and the share of the peak that is too little to wait longer. The first is a choice: of a few
# per cent, as photomultipliers and hybrid detectors have it, falling about as fast as a decay behind such a response rises
_SLOW, _STILL, _RISES, _WEAK = 0.03, 0.25, 2.0, 0.1


@dataclass(frozen=True, slots=True)
class Range:
    """Channels of a decay.

    Parameters
    ----------
    first, last : int
        Recorded channels, `last` excluded: empty runs at the ends lie outside what the converter records.
    start, end : int
        Channels that are fitted.
    peak : int
    background : float
        Counts per channel before the rise; of the last channels where there are too few before.
    before : int
        Recorded channels before the rise.
    rise : int
        Channels from a tenth of the peak to the peak, which are about as many as the response is wide.
    """

    first: int
    last: int
    start: int
    end: int
    peak: int
    background: float
    before: int
    rise: int


def range_of(counts: Array, /, *, until: float = 0.05, tail: bool = False) -> Range:
    """Channels that are fitted.

    Parameters
    ----------
    counts : numpy.ndarray
        Dims (channel,).
    until : float
        Share of the peak, background removed, below which the fit ends; 0 for all recorded channels.
    tail : bool
        Start so late after the peak, for a decay without response, that what still comes of the response's own tail is little beside
        the noise of the photons: from two rises on the later the more photons there are, while more than a tenth of the peak is left.

    Returns
    -------
    Range
        All recorded channels where fewer than 20 lie before the rise: only the end then tells the background.

    Raises
    ------
    ValueError
        If there are too few photons.
    """
    if np.count_nonzero(counts) < 10 or counts.sum() < 100:
        raise ValueError(
            f"holds {counts.sum():.0f} photons in {np.count_nonzero(counts)} channels, which tell no lifetime"
        )
    width = max(1, counts.size // 200) | 1
    running = np.convolve(counts, np.full(width, 1.0 / width), mode="same")
    peak = int(running.argmax())
    first, last = _recorded(counts)
    rise = int(np.flatnonzero(running[: peak + 1] >= 0.02 * running[peak])[0])
    before = max(0, rise - width - first)
    early = counts[first : first + before]
    late = counts[max(peak + 1, last - max(10, (last - first) // 20)) : last]
    background = float(early.mean()) if before >= FEWEST_BEFORE else float(late.mean()) if late.size else 0.0
    level = background + until * (running[peak] - background)
    # so wide a mean that its noise does not end the fit early
    wide = min(max(width, int(np.ceil(_STEADY / max(level, 1e-3)))), max(1, counts.size // 8)) | 1
    steady = np.convolve(counts, np.full(wide, 1.0 / wide), mode="same")
    below = np.flatnonzero(steady[peak : last - wide // 2] < level)
    whole = until == 0.0 or (before < FEWEST_BEFORE and not tail) or not below.size
    end = last if whole or tail else min(last, peak + int(below[0]))
    steep = max(1, peak - int(np.flatnonzero(running[: peak + 1] >= 0.1 * running[peak])[0]))
    start = first
    if tail:
        weak = np.flatnonzero(running[peak:last] < background + _WEAK * (running[peak] - background))
        light = max(float((counts[first:last] - background).sum()), 1.0)
        wait = steep * math.log(_SLOW / _STILL * math.sqrt(light))
        start = min(peak + round(max(_RISES * steep, min(wait, int(weak[0]) if weak.size else last))), last - 10)
    return Range(first, last, start, max(end, start + 10), peak, background, before, steep)


def _recorded(counts: Array) -> tuple[int, int]:
    """Channels without the empty runs at both ends that the background would not leave by chance."""
    lit = np.flatnonzero(counts)
    low, high = int(lit[0]), int(lit[-1]) + 1
    share = max(1, (high - low) // 50)
    first = low if np.exp(-counts[low : low + share].mean() * low) < _BY_CHANCE else 0
    last = high if np.exp(-counts[high - share : high].mean() * (counts.size - high)) < _BY_CHANCE else counts.size
    return first, last


def saturated(counts: Array, /) -> bool:
    """Highest count in several channels that follow each other, as a full counter leaves it."""
    top = counts == counts.max()
    run = longest = 0
    for one in top.tolist():
        run = run + 1 if one else 0
        longest = max(longest, run)
    return longest >= _FLAT and counts.max() > 20


def pulse_at(channel: int, channels: int, /) -> Response:
    """Response that lasts no time, at a channel: what a tail is fitted with."""
    shape = np.zeros(channels)
    shape[channel] = 1.0
    return Response(shape, np.zeros(channels))
