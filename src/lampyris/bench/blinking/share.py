"""Share of time that one dot is on, with what its own cycles tell of its uncertainty."""

import math

import numpy as np
from numpy.typing import NDArray

from lampyris.bench.blinking.stays import Stays
from lampyris.core.estimate import Estimate

Array = NDArray[np.float64]
FEWEST_CYCLES = 5
"""Cycles of on and off without which the share has no interval."""
_METHOD = "share of time over cycles of one dot, delta method in the log odds, Satterthwaite's degrees of freedom"


def on_share(stays: Stays, /, *, level: float = 0.95) -> Estimate:
    """Share of time on until the record's end or bleaching.

    Parameters
    ----------
    stays : Stays
    level : float
        Of the interval.

    Returns
    -------
    Estimate
        By the delta method over cycles of on and off, in the log odds. Of stays whose lengths span decades a few long ones make
        most of the variance, so that it is itself known from a few: Student's quantile is taken at as many degrees of freedom as
        `degrees_of_variance` finds. From 0 to 1 where there are fewer than `FEWEST_CYCLES` cycles, or one state only.

    Examples
    --------
    >>> from lampyris.bench.blinking import infer_stays
    >>> found = on_share(infer_stays(np.repeat([1.0, 40.0] * 20, 30)))
    >>> found.value
    0.5
    """
    from scipy.special import stdtrit

    value = stays.on_bins / max(stays.observed_bins, 1)
    cycles = stays.bins.size // 2
    if cycles < FEWEST_CYCLES or not 0.0 < value < 1.0:
        return Estimate(value, math.nan, 0.0, 1.0, level, "1", "one dot, too few switches for an interval")
    pairs = stays.bins[: 2 * cycles].reshape(cycles, 2).astype(np.float64)
    total = pairs.sum(axis=1)
    beyond = pairs[:, 0 if stays.on[0] else 1] - value * total
    sd = math.sqrt(float(beyond @ beyond) * cycles / (cycles - 1)) / float(total.sum())
    odds, reach = math.log(value / (1.0 - value)), sd / (value * (1.0 - value))
    reach *= float(stdtrit(degrees_of_variance(beyond), 0.5 * (1.0 + level)))
    low, high = (1.0 / (1.0 + math.exp(-one)) for one in (odds - reach, odds + reach))
    return Estimate(value, sd, low, high, level, "1", _METHOD)


def degrees_of_variance(deviations: Array, /) -> float:
    """Degrees of freedom of a chi-squared variable that varies as much as the mean square of these deviations, from 1 on.

    With kurtosis k of n deviations the mean square has a relative variance of (k - 1) / n, a chi-squared variable of f degrees
    one of 2 / f.

    References
    ----------
    Satterthwaite 1946, Biometrics Bull 2:110, doi:10.2307/3002019.

    Examples
    --------
    >>> degrees_of_variance(np.array([1.0, -1.0, 1.0, -1.0, 0.0, 0.0])), degrees_of_variance(np.array([0.0] * 9 + [5.0]))
    (5.0, 2.2222222222222223)
    """
    size = deviations.size
    square = float(np.mean(deviations**2))
    kurtosis = float(np.mean(deviations**4)) / square**2 if square > 0.0 else 1.0
    return max(1.0, min(size - 1.0, 2.0 * size / max(kurtosis - 1.0, 1e-9)))
