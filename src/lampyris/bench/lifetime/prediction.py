"""Counts per channel that a decay law makes behind the instrument's response, and their slopes.

Light that falls anywhere in a channel and comes out anywhere in a later one: with the response even within a channel and
``x`` lifetimes per channel the share of an exponential that comes m channels later is ``(1 - e^-x)^2 / x e^-(m-1)x``, and
``1 - (1 - e^-x) / x`` in the same channel, which together are 1. Sums over channels are recursions, so nothing is truncated.
What an even response within each channel widens is taken off the response first (`sharpened`).
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg.blas import dtbsv
from scipy.special import gammaln

from lampyris.bench.lifetime.response import Response, sharpened, shifted_response
from lampyris.bench.lifetime.stretched import Stretched

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class DecayLaw:
    """What a decay is made of.

    Parameters
    ----------
    lifetimes_ns : tuple of float
        One per component; of a stretched decay its time constant.
    photons : tuple of float
        Of each component after one pulse, however long it lasts.
    stretch : float
        Exponent of a stretched decay of one component; 1 for exponentials.
    background : float
        Counts per channel.
    scatter : float
        Photons of the exciting pulse itself.
    shift_channels : float
        How much later the decay's axis is than the response's.

    Examples
    --------
    >>> law = DecayLaw((1.0, 4.0), (100.0, 400.0))
    >>> law.amplitudes, law.amplitude_mean_ns, round(law.intensity_mean_ns, 6)
    ((0.5, 0.5), 2.5, 3.4)
    """

    lifetimes_ns: tuple[float, ...]
    photons: tuple[float, ...]
    stretch: float = 1.0
    background: float = 0.0
    scatter: float = 0.0
    shift_channels: float = 0.0

    def __post_init__(self) -> None:
        faults = [
            "needs as many photon numbers as lifetimes, at least one"
            if not self.lifetimes_ns or len(self.lifetimes_ns) != len(self.photons)
            else "",
            "lifetimes are above 0" if not all(one > 0 for one in self.lifetimes_ns) else "",
            "photons, background and scatter are from 0"
            if not all(one >= 0 for one in (*self.photons, self.background, self.scatter))
            else "",
            "the stretch is above 0 and at most 1" if not 0 < self.stretch <= 1 else "",
            "only one component can be stretched" if self.stretch < 1 and len(self.lifetimes_ns) > 1 else "",
        ]
        if any(faults):
            raise ValueError("decay law: " + "; ".join(fault for fault in faults if fault))

    @property
    def amplitudes(self) -> tuple[float, ...]:
        """Share of each component in the height at time 0."""
        heights = [n / tau for n, tau in zip(self.photons, self.lifetimes_ns, strict=True)]
        total = sum(heights)
        return tuple(one / total if total else math.nan for one in heights)

    @property
    def amplitude_mean_ns(self) -> float:
        """Area under the decay over its height at time 0: what a quantum yield is proportional to."""
        return amplitude_mean(self.lifetimes_ns, self.photons, self.stretch)

    @property
    def intensity_mean_ns(self) -> float:
        """Mean time after the pulse at which a photon comes."""
        return intensity_mean(self.lifetimes_ns, self.photons, self.stretch)


def amplitude_mean(
    lifetimes: "tuple[float, ...] | Array", photons: "tuple[float, ...] | Array", stretch: float
) -> float:
    """Area over height; of a stretched decay ``tau / beta Gamma(1 / beta)``."""
    if stretch < 1.0:
        return float(lifetimes[0] / stretch * math.exp(gammaln(1.0 / stretch)))
    heights = np.asarray(photons) / np.asarray(lifetimes)
    return float(np.sum(photons) / heights.sum()) if heights.sum() > 0 else math.nan


def intensity_mean(
    lifetimes: "tuple[float, ...] | Array", photons: "tuple[float, ...] | Array", stretch: float
) -> float:
    """Mean arrival; of a stretched decay ``tau Gamma(2 / beta) / Gamma(1 / beta)``."""
    if stretch < 1.0:
        return float(lifetimes[0] * math.exp(gammaln(2.0 / stretch) - gammaln(1.0 / stretch)))
    total = float(np.sum(photons))
    return float(np.dot(lifetimes, photons) / total) if total > 0 else math.nan


def predict_decay(law: DecayLaw, response: Response, /, *, channel_ns: float, period_ns: float = math.inf) -> Array:
    """Mean counts per channel.

    Parameters
    ----------
    law : DecayLaw
    response : Response
        Over the channels of the decay.
    channel_ns : float
        Width of a channel.
    period_ns : float
        Time between pulses: light of earlier pulses adds; infinity for pulses far apart.

    Returns
    -------
    numpy.ndarray
        Dims (channel,).

    Examples
    --------
    >>> pulse = Response(np.array([0.0, 0.25, 0.5, 0.25, 0.0, 0.0]), np.zeros(6))
    >>> predict_decay(DecayLaw((1.0,), (100.0,)), pulse, channel_ns=1.0).round(2).tolist()
    [0.0, 8.43, 29.08, 33.44, 18.36, 6.75]
    """
    period = period_ns / channel_ns
    moved, _ = shifted_response(response.shape, law.shift_channels)
    expected = law.background + law.scatter * moved
    moved = sharpened(moved)
    if law.stretch < 1.0:
        through = Stretched(law.lifetimes_ns[0] / channel_ns, law.stretch, period, moved.size).through(moved)
        return np.maximum(expected + law.photons[0] * through, 0.0)
    for lifetime, photons in zip(law.lifetimes_ns, law.photons, strict=True):
        expected = expected + photons * Exponential(lifetime / channel_ns, period, moved.size).through(moved)
    return np.maximum(expected, 0.0)


def variance_decay(expected: Array, /) -> Array:
    """Variance of the counts: photons that are counted one by one come as Poisson's law has it."""
    return np.asarray(expected, np.float64)


class Exponential:
    """One exponential of unit area behind a response; lengths in channels.

    Parameters
    ----------
    lifetime, period : float
    size : int
        Channels of the window.
    """

    def __init__(self, lifetime: float, period: float, size: int, /) -> None:
        self.lifetime, self.period, self.size = lifetime, period, size
        x = 1.0 / lifetime
        lost = -math.expm1(-x)
        self.decay = math.exp(-x)
        # share that comes in the same channel, and in the next; and their slopes by x
        self.same, self.next = 1.0 - lost / x, lost * lost / x
        self.same_slope = lost / x**2 - self.decay / x
        self.next_slope = (2.0 * lost * self.decay - lost * lost / x) / x
        self._band = np.empty((2, size), order="F")
        self._band[0], self._band[1] = 1.0, -self.decay
        # what light of earlier pulses leaves in the first channel by the channel of its pulse, and how that goes on
        self._tail: Array = np.zeros(0)
        self._before: Array | None = None
        if math.isfinite(period):
            self._tail = np.exp(-x * np.arange(size))
            later = period - 1.0 - np.arange(min(size, math.floor(period)))
            self._before = self.next * np.exp(-x * later) / -math.expm1(-x * period)

    def through(self, response: Array, /) -> Array:
        """Counts per channel behind a response, dims (channel,)."""
        source = self.same * response
        source[1:] += (self.next - self.decay * self.same) * response[:-1]
        found: Array = dtbsv(1, self._band, source, lower=1)
        if self._before is not None:
            found += float(response[: self._before.size] @ self._before) * self._tail
        return found

    def slopes(self, response: Array, through: Array, /) -> tuple[Array]:
        """Slope of `through` by the lifetime."""
        by_x = self.same_slope * response
        by_x[1:] += (self.next_slope - self.decay * self.same_slope + self.decay * self.same) * response[:-1]
        alone, before = through, self._before
        if before is not None:
            each = response[: before.size] * before
            carried = float(each.sum())
            alone = through - carried * self._tail
        by_x[1:] -= self.decay * alone[:-1]
        found: Array = dtbsv(1, self._band, by_x, lower=1)
        if before is not None:
            x, period = 1.0 / self.lifetime, self.period
            repeat = period * math.exp(-x * period) / -math.expm1(-x * period)
            by_pulse = self.next_slope / self.next - (period - 1.0) - repeat
            slope = by_pulse * carried + float(each @ np.arange(before.size))
            found += (slope - carried * np.arange(self.size)) * self._tail
        return (found * -(self.lifetime**-2),)

    def back(self, weights: Array, /) -> Array:
        """Sum over later channels of weight by share: the transpose of `through`, dims (channel,)."""
        run: Array = dtbsv(1, self._band, np.array(weights), lower=1, trans=1)
        found = self.same * run
        found[:-1] += (self.next - self.decay * self.same) * run[1:]
        if self._before is not None:
            found[: self._before.size] += float(weights @ self._tail) * self._before
        return found
