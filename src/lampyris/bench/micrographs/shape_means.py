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

    Notes
    -----
    Next to its bound of 1 a circularity can be missed on one side alone, by an interval that ends below it: the lower end is that
    of two sides, seen from 1 where noise puts the mean above, and the upper that of one side, up to where both sides can miss. So
    no interval is empty, and each circularity is held as often as is said, as by the belt of Feldman and Cousins.

    References
    ----------
    Feldman and Cousins, Phys. Rev. D 57, 3873 (1998), DOI 10.1103/PhysRevD.57.3873.
    """
    values = np.concatenate([one.circularity for one in pictures])
    shared = [float(np.nansum(one.shared_sd)) for one in pictures]
    shared_sd = math.hypot(*shared) / max(values.size, 1)
    values = values[np.isfinite(values)]
    two_sides, one_side = (
        with_error(own, shared_sd, f"{own.method}, noise of outlines taken out")
        for own in (skewed_mean_interval(values, level=share) for share in (level, 2.0 * level - 1.0))
    )
    below = two_sides.value - two_sides.low
    value = min(two_sides.value, 1.0)
    high = min(one_side.high, 1.0)
    if 1.0 - high > below:
        high = min(two_sides.high, 1.0 - below)
    return Estimate(value, two_sides.sd, value - below, max(high, value), level, "1", two_sides.method)


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
        At least 1. The interval is from leaving out one particle at a time, with what is not known of each picture's noise and of the
        law; on a scale that is even through an aspect of 1 where noise hides shapes, and the aspect's own where it does not.

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
    # what noise scatters the square of what the aspect is above 1
    soft = 2.0 * float(np.mean(noise**2)) / math.sqrt(count)

    def scale(means: Array, number: int = count, lean: float = 0.0) -> Array:
        square = _square(means, number, lean=lean)
        return np.asarray(np.copysign(np.sqrt(np.abs(square) + soft) - math.sqrt(soft), square))

    terms = _terms(long, noise)
    mean = terms.mean(axis=0)
    middle = float(scale(mean))
    left = scale((terms.sum(axis=0) - terms) / (count - 1), count - 1)
    own = skewed_mean_interval(count * middle - (count - 1) * left, level=level)
    errors = [0.5 * float(scale(mean, lean=1.0) - scale(mean, lean=-1.0))]
    for number, one in enumerate(pictures):
        louder = np.where(picture == number, noise * math.sqrt(1.0 + one.noise_share), noise)
        errors.append(float(scale(_terms(long, louder).mean(axis=0))) - middle)
    whole = with_error(own, math.hypot(*errors), own.method)
    middle = max(middle, 0.0)
    places = np.maximum((middle - (whole.value - whole.low), middle, middle + (whole.high - whole.value)), 0.0)
    low, value, high = (1.0 + np.sqrt(places * (places + 2.0 * math.sqrt(soft)))).tolist()
    method = f"noise of shapes taken out; {count} particles left out one at a time, Hall's interval for skewed values"
    return Estimate(value, 0.5 * (high - low) / half_width(level), low, high, level, "1", method)


def _terms(long: Array, noise: Array) -> Array:
    """What the mean aspect is made of, dims (particle, 6): what the shape's square adds to it, the shape's length with noise, the
    noise's variance, second and fourth moment of the length without noise, and the square of that variance."""
    tilt, variance = 0.5 * (long - 1.0 / long), noise**2
    second = tilt**2 - 2.0 * variance
    fourth = tilt**4 - 8.0 * variance * second - 8.0 * variance**2
    return np.column_stack((np.sqrt(1.0 + tilt**2) - 1.0 - variance, tilt, variance, second, fourth, variance**2))


def _square(means: Array, count: int, /, *, lean: float = 0.0) -> Array:
    """Square of what the mean aspect is above 1, below 0 where the shapes are less than their noise; `lean` in standard errors of
    the law's variation."""
    from scipy.special import gammaln, hyp2f1

    extra, seen, variance, second, fourth, squared = np.moveaxis(means, -1, 0)
    # noise alone scatters the fourth moment by eight times the square of its variance
    doubt = 64.0 * squared**2 / count
    weight = np.maximum(second**4 + doubt, 1e-300)
    variation = ((fourth - second**2) * second**2 + _USUAL_VARIATION * doubt) / weight
    variation = np.clip(variation + lean * np.sqrt(doubt / weight), _LEAST_VARIATION, _MOST_VARIATION)
    shape = 1.0 / variation
    length = np.copysign(np.exp(gammaln(shape + 0.5) - gammaln(shape)) * np.sqrt(np.abs(second) / shape), second)
    # where noise is the less, the mean length as seen counts, and the law only for what noise adds to it
    own, noise = np.maximum(second, 0.0), np.maximum(variance, 1e-12)
    with_noise = np.sqrt(0.5 * np.pi * noise) * hyp2f1(-0.5, shape, 1.0, -0.5 * own / (noise * shape))
    above = extra + length + own / np.maximum(own + 2.0 * variance, 1e-300) * (seen - with_noise)
    return np.asarray(np.copysign(above**2, above))
