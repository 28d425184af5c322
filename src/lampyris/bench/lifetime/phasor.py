"""A decay as one point in the plane of its first harmonic, without any law: single exponentials lie on a half circle."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lampyris.core.estimate import Estimate
from lampyris.statistics.intervals import normal_interval

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Phasor:
    """Coordinates of a decay and the lifetimes that a single exponential there would have.

    Parameters
    ----------
    g, s : Estimate
        Cosine and sine part of the decay over its area, the response divided out.
    phase_ns, modulation_ns : Estimate
        Lifetime by the angle and by the length; the same for a single exponential, the first one shorter for several.
    frequency_mhz : float
    """

    g: Estimate
    s: Estimate
    phase_ns: Estimate
    modulation_ns: Estimate
    frequency_mhz: float


def phasor_of(
    counts: Array,
    response: Array | None,
    /,
    *,
    channel_ns: float,
    frequency_mhz: float,
    background: tuple[float, float] = (0.0, 0.0),
    shift: tuple[float, float] = (0.0, 0.0),
    response_variance: Array | None = None,
    beyond: tuple[Array, Array] | None = None,
    level: float = 0.95,
) -> Phasor:
    """Phasor of a decay.

    Parameters
    ----------
    counts : numpy.ndarray
        Of the channels that are looked at, dims (channel,).
    response : numpy.ndarray or None
        Of the same channels, its sum 1; None for a pulse in the first channel.
    channel_ns, frequency_mhz : float
    background, shift : (float, float)
        Counts per channel, and how much later than the response in channels, each with its standard error.
    response_variance : numpy.ndarray, optional
        Of `response`.
    beyond : (numpy.ndarray, numpy.ndarray), optional
        Light of the channels that follow up to the next pulse or until it is gone, dims (channel,), and a root of its covariance,
        dims (channel, direction). A record that ends before lacks late light, and its phasor is that of a shorter decay.
    level : float

    Returns
    -------
    Phasor
        Intervals by the delta method from the counts, the background, the shift, the response and what lies beyond.

    Raises
    ------
    ValueError
        If no photon is left above the background.

    References
    ----------
    Digman et al. 2008, Biophys J 94:L14, doi:10.1529/biophysj.107.120154.

    Examples
    --------
    >>> t = np.arange(4000) + 0.5
    >>> found = phasor_of(1e4 * np.exp(-t / 200), None, channel_ns=0.02, frequency_mhz=40.0)
    >>> round(found.phase_ns.value, 2), round(found.modulation_ns.value, 2)
    (4.0, 4.0)
    """
    omega = 2.0 * math.pi * frequency_mhz * 1e-3 * channel_ns
    later = np.zeros(0) if beyond is None else beyond[0]
    every = np.exp(1j * omega * (np.arange(counts.size + later.size) + (0.5 if response is None else 0.0)))
    turn = every[: counts.size]
    total = float(counts.sum() - background[0] * counts.size + later.sum())
    if not total > 0:
        raise ValueError("no photon is left above the background")
    bare = complex(((counts - background[0]) * turn).sum() + (later * every[counts.size :]).sum()) / total
    reference = 1.0 + 0j if response is None else complex((response * turn).sum())
    found = bare / reference * complex(np.exp(-1j * omega * shift[0]))
    # each count moves the point by its own vector
    by_count = (turn / reference * np.exp(-1j * omega * shift[0]) - found) / total
    spread = _outer(by_count, counts)
    spread += _outer(np.array([-by_count.sum()]), np.array([background[1] ** 2]))
    spread += _outer(np.array([-1j * omega * found]), np.array([shift[1] ** 2]))
    if beyond is not None:
        by_later = (every[counts.size :] / reference * np.exp(-1j * omega * shift[0]) - found) / total
        spread += _outer(by_later @ beyond[1], np.ones(beyond[1].shape[1]))
    if response is not None and response_variance is not None:
        spread += _outer(-found * (turn / reference - 1.0), response_variance)
    return _phasor(found, spread, omega / channel_ns, frequency_mhz, level)


def _outer(vectors: NDArray[np.complex128], variance: Array) -> Array:
    both = np.stack([vectors.real, vectors.imag])
    return np.asarray((both * variance) @ both.T)


def _phasor(found: complex, spread: Array, omega: float, frequency: float, level: float) -> Phasor:
    g, s = found.real, found.imag
    square = abs(found) ** 2

    def told(value: float, slope: tuple[float, float], unit: str, method: str) -> Estimate:
        sd = math.sqrt(max(float(np.array(slope) @ spread @ np.array(slope)), 0.0))
        return normal_interval(value, sd, unit=unit, method=method, level=level)

    phase = s / g / omega if g > 0 else math.nan
    phase_slope = (-s / g**2 / omega, 1.0 / g / omega) if g > 0 else (math.nan, math.nan)
    inner = 1.0 / square - 1.0
    modulation = math.sqrt(inner) / omega if inner > 0 else math.nan
    lean = -1.0 / (square**2 * omega * math.sqrt(inner)) if inner > 0 else math.nan
    return Phasor(
        told(g, (1.0, 0.0), "1", "phasor of the response divided out, delta method"),
        told(s, (0.0, 1.0), "1", "phasor of the response divided out, delta method"),
        told(phase, phase_slope, "ns", "tan of the angle over the angular frequency"),
        told(modulation, (lean * g, lean * s), "ns", "from the length of the phasor"),
        frequency,
    )
