"""A stretched exponential of unit area behind a response, with its slopes; lengths in channels.

Light that falls anywhere in a channel comes out in one m channels later with the second difference of the twice integrated decay.
Near the pulse that is two incomplete gamma functions. Farther out the decay p is smooth over a channel, and its mean weighed by a
triangle of two channels is ``p + p'' / 12 + p'''' / 360``, which is far less work; the next term is below 1e-9 of the whole there.
"""

import math

import numpy as np
from numpy.typing import NDArray
from scipy.special import digamma, gammainc, gammaln

Array = NDArray[np.float64]
# channels after a pulse from which on the series holds
_SMOOTH = 24.0
# periods that are folded into one window end where less than this share is left
_LEFT = 1e-5
_MOST_PERIODS = 200
# relative step of the exponent for slopes near the pulse
_STEP = 1e-3


class Stretched:
    """A stretched exponential behind a response.

    Parameters
    ----------
    lifetime, stretch : float
        Time constant in channels, and exponent.
    period : float
        Channels between pulses, infinity for pulses far apart.
    size : int
        Channels of the window.
    """

    def __init__(self, lifetime: float, stretch: float, period: float, size: int, /) -> None:
        self.lifetime, self.stretch, self.period, self.size = lifetime, stretch, period, size
        self._length = 1 << (2 * size - 2).bit_length()
        self._lags = self._lags_of_periods()
        own, earlier = (self._sum(part)[0] for part in self._lags)
        self._own, self._all = self._turned(own), self._turned(own, earlier)

    def through(self, response: Array, /) -> Array:
        """Counts per channel behind a response, dims (channel,)."""
        return self._through(response, self._own, self._all)

    def slopes(self, response: Array, through: Array, /) -> tuple[Array, Array]:
        """Slopes of `through` by the lifetime and by the exponent."""
        own, earlier = (self._sum(part, slopes=True) for part in self._lags)
        by_lifetime, by_stretch = (
            self._through(response, self._turned(own[k]), self._turned(own[k], earlier[k])) for k in (1, 2)
        )
        return by_lifetime, by_stretch

    def back(self, weights: Array, /) -> Array:
        """Sum over later channels of weight by share: the transpose of `through`, dims (channel,)."""
        turned = np.fft.rfft(weights, self._length)
        found = np.fft.irfft(np.conj(self._all) * turned, self._length)[: self.size]
        if (beyond := self._first) < self.size:
            found[beyond:] = np.fft.irfft(np.conj(self._own) * turned, self._length)[beyond : self.size]
        return np.asarray(found)

    @property
    def _first(self) -> int:
        """Channels of the first period, whose light of earlier pulses comes round."""
        return min(self.size, math.floor(self.period)) if math.isfinite(self.period) else self.size

    def _through(self, response: Array, own: Array, whole: Array) -> Array:
        beyond = self._first
        if beyond == self.size or not response[beyond:].any():
            return np.asarray(np.fft.irfft(whole * np.fft.rfft(response, self._length), self._length)[: self.size])
        first = np.fft.rfft(response[:beyond], self._length)
        rest = np.fft.rfft(response, self._length) - first
        return np.asarray(np.fft.irfft(whole * first + own * rest, self._length)[: self.size])

    def _lags_of_periods(self) -> tuple[list[Array], list[Array]]:
        """How much later light comes: of its own pulse, and of earlier ones until little is left."""
        own = [np.arange(self.size, dtype=np.float64)]
        earlier: list[Array] = []
        if math.isfinite(self.period):
            lags = np.arange(1.0 - self.size, self.size)
            for number in range(1, _MOST_PERIODS):
                earlier.append(lags + number * self.period)
                if math.exp(-((number * self.period / self.lifetime) ** self.stretch)) < _LEFT:
                    break
        return own, earlier

    def _sum(self, parts: list[Array], *, slopes: bool = False) -> tuple[Array, ...]:
        every = [shares(part, self.lifetime, self.stretch, slopes=slopes) for part in parts]
        return tuple(np.sum(one, axis=0) for one in zip(*every, strict=True)) if every else (np.zeros(0),) * 3

    def _turned(self, own: Array, earlier: Array | None = None) -> Array:
        """Transform of a kernel of lags from 0 on, and of one of lags from ``1 - size`` on, round the transform's length."""
        kernel = np.zeros(self._length)
        kernel[: self.size] = own
        if earlier is not None and earlier.size:
            kernel[: self.size] += earlier[self.size - 1 :]
            kernel[self._length - self.size + 1 :] += earlier[: self.size - 1]
        return np.asarray(np.fft.rfft(kernel))


def shares(lag: Array, lifetime: float, stretch: float, /, *, slopes: bool = False) -> tuple[Array, ...]:
    """Share of a stretched decay of unit area that comes so many channels later, lags rising by 1.

    Parameters
    ----------
    lag : numpy.ndarray
        Dims (lag,).
    lifetime, stretch : float
    slopes : bool
        Give the slopes by the lifetime and by the exponent as well.

    Returns
    -------
    tuple of numpy.ndarray
        The share, and the slopes if asked for.

    Raises
    ------
    ValueError
        If the decay has no area.
    """
    cut = int(np.searchsorted(lag, _SMOOTH))
    with np.errstate(under="ignore"):
        near = _near(lag[:cut], lifetime, stretch, slopes)
        far = _far(lag[cut:], lifetime, stretch, slopes)
    return tuple(np.concatenate(both) for both in zip(near, far, strict=True))


def _near(lag: Array, lifetime: float, stretch: float, slopes: bool) -> tuple[Array, ...]:
    if not lag.size:
        return (lag,) * (3 if slopes else 1)
    found, late = exact_shares(lag, lifetime, stretch)
    if not slopes:
        return (found,)
    # central differences of fourth order by the exponent; the lifetime only stretches the axis
    step = _STEP * stretch
    ends = [exact_shares(lag, lifetime, stretch + k * step)[0] for k in (-2, -1, 1, 2)]
    by_stretch = (8.0 * (ends[2] - ends[1]) - (ends[3] - ends[0])) / (12.0 * step)
    return found, late / -lifetime, by_stretch


def exact_shares(lag: Array, lifetime: float, stretch: float, /) -> tuple[Array, Array]:
    """Shares by incomplete gamma functions, and of the mean arrival as such shares are of the area, dims (lag,).

    Raises
    ------
    ValueError
        If the decay has no area.
    """
    unit = lifetime / stretch * math.exp(gammaln(1.0 / stretch))
    mean = lifetime * math.exp(gammaln(2.0 / stretch) - gammaln(1.0 / stretch))
    if not unit > 0:
        raise ValueError("a decay needs an area")
    # neighbours share their integrals
    at = np.maximum(np.concatenate([[lag[0] - 1.0], lag, [lag[-1] + 1.0]]), 0.0)
    u = (at / lifetime) ** stretch
    arrived = mean * gammainc(2.0 / stretch, u)
    return np.maximum(np.diff(at * gammainc(1.0 / stretch, u) - arrived, n=2), 0.0), np.diff(arrived, n=2)


def _far(lag: Array, lifetime: float, stretch: float, slopes: bool) -> tuple[Array, ...]:
    """By the series: with ``v = stretch (t / lifetime)^stretch`` the n-th derivative is p times a polynomial of v over t^n."""
    log = np.log(lag / lifetime)
    u = np.exp(stretch * log)
    v = stretch * u
    p = np.exp(-u - gammaln(1.0 / stretch)) * (stretch / lifetime)
    second, fourth = 1.0 / (12.0 * lag**2), 1.0 / (360.0 * lag**4)
    one, two, three = 1.0 - stretch, 11.0 - 7.0 * stretch, (2.0 - stretch) * (3.0 - stretch)
    a = v * (v + one)
    b = v * (v**2 * (v + 6.0 * one) + one * (two * v + three))
    whole = 1.0 + a * second + b * fourth
    if not slopes:
        return (p * whole,)
    by_v = (2.0 * v + one) * second + (v**2 * (4.0 * v + 18.0 * one) + one * (2.0 * two * v + three)) * fourth
    by_lifetime = p * ((v - 1.0) * whole - stretch * v * by_v) / lifetime
    cubic = (14.0 * stretch - 18.0) * v - 3.0 * stretch**2 + 12.0 * stretch - 11.0
    bent = -v * second + v * (-6.0 * v**2 + cubic) * fourth
    unit = digamma(1.0 / stretch) / stretch**2 + 1.0 / stretch
    by_stretch = p * ((unit - u * log) * whole + (u + v * log) * by_v + bent)
    return p * whole, by_lifetime, by_stretch
