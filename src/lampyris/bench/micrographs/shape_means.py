"""Mean aspect and mean circularity of particles, without what noise adds, and how far they are known."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lampyris.core.estimate import Estimate
from lampyris.statistics.intervals import skewed_mean_interval, t_interval, with_error
from lampyris.statistics.thresholds import half_width

Array = NDArray[np.float64]
# squared variation (variance over squared mean) of the square of a shape's length: none where all are alike, 1 where its two numbers
# are independent and normal, 2 where the logarithm of the aspect is; those that noise leaves open are taken for 1 +- 1
_USUAL_VARIATION, _LEAST_VARIATION, _MOST_VARIATION = 1.0, 1e-3, 10.0 / 3.0


@dataclass(frozen=True, slots=True, eq=False)
class Shapes:
    """Shapes of particles of one picture, dims (particle,).

    Parameters
    ----------
    circularity, aspect : numpy.ndarray
        As of `roundness.Roundness` and `shapes.aspect`: noise is taken off the former and not off the latter.
    tilt_sd : numpy.ndarray
        Noise of either number of a shape.
    shared_sd : numpy.ndarray
        Error of each circularity from not knowing the picture's noise, which goes the same way in all.
    noise_share : float
        Relative standard error of the variance of that noise in the shapes' numbers.
    """

    circularity: Array
    aspect: Array
    tilt_sd: Array
    shared_sd: Array
    noise_share: float = 0.0


def mean_circularity(pictures: Sequence[Shapes], /, *, level: float = 0.95) -> Estimate:
    """Mean circularity of particles.

    Parameters
    ----------
    pictures : sequence of Shapes
    level : float

    Returns
    -------
    Estimate
        At most 1. A few long particles take most off 1, so that values are skewed and the interval is uneven
        (`skewed_mean_interval`); it holds what is not known of each picture's noise.
    """
    values = np.concatenate([one.circularity for one in pictures])
    own = skewed_mean_interval(values[np.isfinite(values)], level=level)
    shared = [float(np.nansum(one.shared_sd)) for one in pictures]
    one = with_error(own, math.hypot(*shared) / max(values.size, 1), f"{own.method}, noise of outlines taken out")
    # noise is taken off each, which is right in the mean alone; a mean above 1 is as wide as one at 1
    below = max(one.value - 1.0, 0.0)
    return Estimate(
        one.value - below, one.sd, one.low - below, min(one.high - below, 1.0), one.level, one.unit, one.method
    )


def mean_aspect(pictures: Sequence[Shapes], /, *, level: float = 0.95) -> Estimate:
    """Mean aspect of particles without what noise adds.

    Parameters
    ----------
    pictures : sequence of Shapes
        Aspects are at least 1, so noise makes each too large.
    level : float

    Returns
    -------
    Estimate
        At least 1. The interval is that of the square of what the aspect is above 1, which is even through 0 where noise is as large
        as the shapes; from leaving out one particle at a time, with what is not known of each picture's noise and of the law.

    Notes
    -----
    The length of the two numbers of a shape is taken to follow Nakagami's law (which holds the normal, Rayleigh's, and one length
    for all), its two parameters from the second and fourth moments, which noise shifts by what is known. Where noise hides the
    fourth, Rayleigh's is the law, and the interval holds the others.

    References
    ----------
    Nakagami, in Statistical Methods in Radio Wave Propagation (Pergamon 1960), 3, DOI 10.1016/B978-0-08-009306-2.50005-4.
    """
    long = np.concatenate([one.aspect for one in pictures])
    noise = np.concatenate([one.tilt_sd for one in pictures])
    picture = np.repeat(np.arange(len(pictures)), [one.aspect.size for one in pictures])
    known = np.isfinite(long) & np.isfinite(noise)
    long, noise, picture = long[known], noise[known], picture[known]
    count = long.size
    if count < 2:
        return t_interval(long, level=level)
    terms = _terms(long, noise)
    square = float(_square(terms.mean(axis=0), count))
    left = _square((terms.sum(axis=0) - terms) / (count - 1), count - 1)
    own = skewed_mean_interval(count * square - (count - 1) * left, level=level)
    errors = [0.5 * float(_square(terms.mean(axis=0), count, lean=1.0) - _square(terms.mean(axis=0), count, lean=-1.0))]
    for number, one in enumerate(pictures):
        louder = np.where(picture == number, noise * math.sqrt(1.0 + one.noise_share), noise)
        errors.append(float(_square(_terms(long, louder).mean(axis=0), count)) - square)
    whole = with_error(own, math.hypot(*errors), own.method)
    middle = max(square, 0.0)
    low, high = middle - (whole.value - whole.low), middle + (whole.high - whole.value)
    ends = (1.0 + math.sqrt(max(low, 0.0)), 1.0 + math.sqrt(max(high, 0.0)))
    method = f"noise of shapes taken out; {count} particles left out one at a time, Hall's interval for skewed values"
    sd = 0.5 * (ends[1] - ends[0]) / half_width(level)
    return Estimate(1.0 + math.sqrt(middle), sd, *ends, level, "1", method)


def _terms(long: Array, noise: Array) -> Array:
    """What the mean aspect is made of, dims (particle, 4): what the shape's square adds to it, second and fourth moment of the
    shape's length without noise, and the square of the noise's variance."""
    tilt, variance = 0.5 * (long - 1.0 / long), noise**2
    second = tilt**2 - 2.0 * variance
    return np.column_stack(
        (
            np.sqrt(1.0 + tilt**2) - 1.0 - variance,
            second,
            tilt**4 - 8.0 * variance * second - 8.0 * variance**2,
            variance**2,
        )
    )


def _square(means: Array, count: int, /, *, lean: float = 0.0) -> Array:
    """Square of what the mean aspect is above 1, below 0 where the shapes are less than their noise; `lean` in standard errors of
    the law's variation."""
    from scipy.special import gammaln

    extra, second, fourth, squared = np.moveaxis(means, -1, 0)
    # noise alone scatters the fourth moment by eight times the square of its variance
    doubt = 64.0 * squared**2 / count
    weight = np.maximum(second**4 + doubt, 1e-300)
    variation = ((fourth - second**2) * second**2 + _USUAL_VARIATION * doubt) / weight
    variation = np.clip(variation + lean * np.sqrt(doubt / weight), _LEAST_VARIATION, _MOST_VARIATION)
    shape = 1.0 / variation
    length = np.exp(gammaln(shape + 0.5) - gammaln(shape)) * np.sqrt(np.abs(second) / shape)
    above = extra + np.copysign(length, second)
    return np.asarray(np.copysign(above**2, above))
