"""A decay as one point in the plane of its first harmonic, without any law: single exponentials lie on a half circle."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lampyris.bench.lifetime.beside import Beside
from lampyris.core.estimate import Estimate
from lampyris.statistics.averaging import averaged_estimate
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
    response_variance: Array | None = None,
    beside: Beside | None = None,
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
    response_variance : numpy.ndarray, optional
        Of `response`.
    beside : Beside, optional
        Background, shift and the light of the channels that follow up to the next pulse or until it is gone, by a law that was fitted
        to the same counts. A record that ends before lacks late light, and its phasor is that of a shorter decay.
    level : float

    Returns
    -------
    Phasor
        Intervals by the delta method from the counts and the response, as they move the point and the law beside it together.

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
    background, shift, later = (
        (0.0, 0.0, np.zeros(0)) if beside is None else (beside.background, beside.shift, beside.later)
    )
    every = np.exp(1j * omega * (np.arange(counts.size + later.size) + (0.5 if response is None else 0.0)))
    turn = every[: counts.size]
    total = float(counts.sum() - background * counts.size + later.sum())
    if not total > 0:
        raise ValueError("no photon is left above the background")
    bare = complex(((counts - background) * turn).sum() + (later * every[counts.size :]).sum()) / total
    reference = 1.0 + 0j if response is None else complex((response * turn).sum())
    lag = complex(np.exp(-1j * omega * shift))
    found = bare / reference * lag
    # each count moves the point by its own vector, and through what it says of the law
    by_count = (turn / reference * lag - found) / total
    by_response = np.zeros_like(turn) if response is None else -found * (turn / reference - 1.0)
    spread, uneven = np.zeros((2, 2)), 0.0
    if beside is not None:
        by_later = (every[counts.size :] / reference * lag - found) / total
        moved = np.concatenate([[-by_count.sum(), -1j * omega * found], by_later])
        by_law = np.asarray(moved @ beside.slopes, np.complex128)
        by_count = by_count + by_law @ beside.by_count
        by_response = by_response + by_law @ beside.by_response
        spread += _outer(by_law @ beside.root, np.ones(beside.root.shape[1]))
        uneven = beside.unevenness
    spread += _outer(by_count, counts)
    if response is not None and response_variance is not None:
        spread += _outer(by_response, response_variance)
    if uneven:
        # the widths of the channels are the same in the decay and in its response
        together = by_count * counts + (by_response * response if response is not None else 0.0)
        spread += _outer(together, np.full(counts.size, uneven**2))
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


def averaged_phasor(phasors: Sequence[Phasor], weights: ArrayLike, /) -> Phasor:
    """Mean of what several laws leave of a decay by their weights; intervals hold how far the laws differ.

    Parameters
    ----------
    phasors : sequence of Phasor
        Of one decay at one frequency.
    weights : array_like, dims (law,)

    Returns
    -------
    Phasor
    """
    told = ("g", "s", "phase_ns", "modulation_ns")
    made = {name: averaged_estimate([getattr(one, name) for one in phasors], weights, same_data=True) for name in told}
    return Phasor(**made, frequency_mhz=phasors[0].frequency_mhz)
