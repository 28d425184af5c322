"""Gain and read noise from ordinary images: photon transfer from the noise of smooth places.

Photon noise has as many electrons of variance as there are electrons of signal, so that the variance of the counts grows with
their mean by one over the gain, from the read noise's variance on. In an image that nobody took for the purpose, what differs
between neighbours is noise where the light is smooth: a mask that is blind to planes takes the rest away.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from lampyris.core.estimate import Estimate

BLOCK_PX = 8
"""Side of the squares within which mean and variance are taken."""
EDGE_SHARE = 0.3
"""A square in which light varies by more than this share of it lies across an edge."""
LEAST_BLOCKS = 40
"""Fewer squares give no line."""
_MASK_NORM = 36.0
# between the first and the ninth tenth of a normal distribution
_TENTHS_SDS = 2.563
# median absolute deviation to standard deviation of a normal distribution
_MAD_TO_SD = 1.4826
_Z = 1.959963984540054
# converters round: a uniform error of one count
_ROUNDING = 1.0 / 12.0
_PASSES = 25
_BINS = 40
_LEAST_IN_BIN = 6
_LEAST_FOR_CURVE = 8
# of the quartile over squares, relative, for one square
_QUARTILE_ERROR = 0.5
# of a bin's variance from what structure is left in its squares, relative
_STRUCTURE_ERROR = 0.1


@dataclass(frozen=True, slots=True, eq=False)
class NoiseSamples:
    """Mean and noise variance of an image's squares.

    Parameters
    ----------
    mean, variance : ndarray, dims (block,)
        In counts and counts squared.
    """

    mean: NDArray[np.float64]
    variance: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class SensorNoise:
    """What photon transfer gives.

    Parameters
    ----------
    gain_e_per_count : Estimate
        Electrons per count.
    read_noise_e : Estimate
        Electrons; its lower end may be 0.
    blocks : int
        Squares that the line was laid through.
    """

    gain_e_per_count: Estimate
    read_noise_e: Estimate
    blocks: int


def noise_samples(plane: NDArray[np.generic], /, *, highest: float = math.inf) -> NoiseSamples:
    """Mean and noise variance of the squares of one plane.

    Parameters
    ----------
    plane : ndarray, dims (y, x)
        Counts, the dark level included.
    highest : float
        Squares with a pixel at or above this count are left out: a saturated pixel has no noise.

    Returns
    -------
    NoiseSamples
        Empty where the plane is smaller than a square.

    References
    ----------
    Immerkaer J (1996) Comput Vis Image Underst 64:300. doi:10.1006/cviu.1996.0060 (the mask that is blind to planes).
    """
    values = np.asarray(plane, np.float64)
    # the mask takes a pixel at every side
    rows, columns = (max(0, (size - 2) // BLOCK_PX) for size in values.shape)
    if not rows or not columns:
        return NoiseSamples(np.empty(0), np.empty(0))
    across = values[:, :-2] - 2.0 * values[:, 1:-1] + values[:, 2:]
    residual = across[:-2] - 2.0 * across[1:-1] + across[2:]
    blocks = _blocks(residual, rows, columns)
    inner = _blocks(values[1:-1, 1:-1], rows, columns)
    # a single hot pixel or cosmic ray spoils nine residuals of 64, which the median bears
    spread = _MAD_TO_SD * np.median(np.abs(blocks), axis=1)
    noise = spread / math.sqrt(_MASK_NORM)
    middle = np.median(inner, axis=1)
    low, high = np.quantile(inner, (0.1, 0.9), axis=1)
    # a square across an edge has neither one signal nor one noise
    edge = high - low - _TENTHS_SDS * noise > EDGE_SHARE * (middle - np.quantile(values, 0.01))
    smooth = (inner.max(axis=1) < highest) & ~edge
    return NoiseSamples(middle[smooth], noise[smooth] ** 2)


def _blocks(plane: NDArray[np.float64], rows: int, columns: int) -> NDArray[np.float64]:
    cut = plane[: rows * BLOCK_PX, : columns * BLOCK_PX]
    return cut.reshape(rows, BLOCK_PX, columns, BLOCK_PX).swapaxes(1, 2).reshape(rows * columns, -1)


def sensor_noise(
    samples: Sequence[NoiseSamples], /, *, offset_counts: float, dark: Sequence[NoiseSamples] = ()
) -> SensorNoise | None:
    """Gain and read noise from the squares of one camera's images.

    Parameters
    ----------
    samples : sequence of NoiseSamples
        Of images of one camera setting.
    offset_counts : float
        Mean of the dark frames: where signal is nothing.
    dark : sequence of NoiseSamples
        Of single dark frames, where there are any. Averaged ones are quieter than a frame: the larger of both is taken.

    Returns
    -------
    SensorNoise or None
        None where the images do not show it: too few squares, too little range, or a variance that does not grow.

    Notes
    -----
    The variance is fitted as ``read^2 / gain^2 + signal / gain + s signal^2`` (s: what pixels' gains differ by, at least 0)
    through the lower half of the squares in bins of signal: whatever structure light has makes a square look noisier, never
    quieter. The stated uncertainty holds the fit's and, in quadrature, 10 % for structure that is left.

    References
    ----------
    Janesick, Photon Transfer, SPIE Press 2007, doi:10.1117/3.725073.
    """
    signal = np.concatenate([one.mean for one in samples] or [np.empty(0)]) - offset_counts
    variance = np.concatenate([one.variance for one in samples] or [np.empty(0)]) - _ROUNDING
    used = np.isfinite(signal) & np.isfinite(variance) & (variance > 0)
    signal, variance = np.maximum(signal[used], 0.0), variance[used]
    if signal.size < LEAST_BLOCKS:
        return None
    mean, level, error = _binned(signal, variance)
    fit = _fitted(mean, level, error)
    if fit is None:
        return None
    (read, slope, _), covariance = fit[0].tolist(), fit[1]
    slope_sd = math.hypot(math.sqrt(max(covariance[1, 1], 0.0)), 0.1 * slope)
    gain, gain_sd = float(1.0 / slope), float(slope_sd / slope**2)
    darkest = max((float(np.median(one.variance)) - _ROUNDING for one in dark if one.variance.size), default=0.0)
    read_sd = math.sqrt(max(covariance[0, 0], 0.0))
    # the line's foot is uncertain by its own error; a dark frame shows no less than what it scatters by
    floor = max(read, darkest, 0.0)
    electrons = gain * math.sqrt(floor)
    high, low = gain * math.sqrt(floor + _Z * read_sd), gain * math.sqrt(max(floor - _Z * read_sd, 0.0))
    electrons_sd = math.hypot((high - low) / (2.0 * _Z), 0.1 * electrons)
    method = "photon transfer of smooth places"
    return SensorNoise(
        gain_e_per_count=Estimate(
            gain, gain_sd, max(gain - _Z * gain_sd, 0.0), gain + _Z * gain_sd, 0.95, "e/count", method
        ),
        read_noise_e=Estimate(
            electrons,
            electrons_sd,
            max(electrons - _Z * electrons_sd, 0.0),
            electrons + _Z * electrons_sd,
            0.95,
            "e",
            method,
        ),
        blocks=int(signal.size),
    )


def _binned(
    signal: NDArray[np.float64], variance: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Signal, noise variance and its error in bins of equal steps of photon noise: narrow, as the quartile of a wide one
    would be its darkest squares'."""
    steps = np.sqrt(signal)
    width = max(float(np.ptp(steps)) / _BINS, 1e-12)
    number = np.minimum(((steps - steps.min()) / width).astype(int), _BINS - 1)
    parts = [part for part in (np.flatnonzero(number == one) for one in range(_BINS)) if part.size >= _LEAST_IN_BIN]
    mean = np.array([signal[part].mean() for part in parts])
    # of squares without structure, half lie below their median: the quartile says where that is, whatever lies above
    low = np.array([np.quantile(variance[part], 0.25) for part in parts])
    level = low / _quartile_of_squares()
    error = np.hypot(_QUARTILE_ERROR / np.sqrt([part.size for part in parts]), _STRUCTURE_ERROR) * level
    return mean, level, np.maximum(error, 1e-12)


@cache
def _quartile_of_squares() -> float:
    """Lower quartile, relative to the true variance, of what a square of white noise gives: of 3600 squares, to 1 %."""
    flat = np.random.default_rng(64).normal(0.0, 1.0, (482, 482))
    return float(np.quantile(noise_samples(flat).variance, 0.25))


def _fitted(
    mean: NDArray[np.float64], level: NDArray[np.float64], error: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """Coefficients of 1, signal and its square, weighted, with outlying bins weighed down; None where nothing grows."""
    if mean.size < 3 or np.ptp(mean) <= 0:
        return None
    for columns in (3, 2) if mean.size >= _LEAST_FOR_CURVE else (2,):
        powers = np.stack([mean**power for power in range(columns)], axis=1)
        weight = 1.0 / error**2
        for _ in range(_PASSES):
            normal = powers.T @ (powers * weight[:, None])
            if not np.isfinite(normal).all() or np.linalg.cond(normal) > 1e18:
                return None
            covariance = np.linalg.inv(normal)
            found = covariance @ (powers.T @ (weight * level))
            off = (level - powers @ found) / error
            scale = max(1.0, _MAD_TO_SD * float(np.median(np.abs(off))))
            weight = np.minimum(1.0, 2.0 * scale / np.maximum(np.abs(off), 1e-12)) / (error * scale) ** 2
        if columns == 2 or (found[2] >= 0 and found[1] > 0):
            break
    sd = math.sqrt(max(covariance[1, 1], 0.0))
    # a slope that its own error could make is none
    if not (found[1] > 0 and found[1] > 2.0 * sd):
        return None
    out, spread = np.zeros(3), np.zeros((3, 3))
    out[: found.size], spread[: found.size, : found.size] = found, covariance
    return out, spread
