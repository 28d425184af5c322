"""The detection limit: one function, used for upper limits where nothing was seen and for planning."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lampyris.statistics.thresholds import power_margin


def detection_limit(
    noise: ArrayLike, /, *, threshold: float, power: float, bias: ArrayLike = 0.0
) -> NDArray[np.float64]:
    """Weakest signal that is found with probability `power`.

    A signal is found when its estimate exceeds ``threshold * noise``; the estimate scatters around the truth by `noise`.

    Parameters
    ----------
    noise : array_like
        Standard deviation of the signal's estimate where nothing is, in the signal's unit: photon noise, background
        structure and model error together.
    threshold : float
        In standard deviations, set by the allowed number of false alarms (`lampyris.statistics.thresholds.peak_threshold`).
    power : float
        Detection probability at the limit, between 0 and 1.
    bias : array_like
        Largest signal that the error of subtracted neighbours may feign; a detection must exceed it besides.

    Returns
    -------
    ndarray
        In the unit of `noise`, of the common shape of `noise` and `bias`.

    Raises
    ------
    ValueError
        If the power is not between 0 and 1, or a noise or bias is negative.

    References
    ----------
    Currie 1968, Anal Chem 40:586, doi:10.1021/ac60259a007, eq. 6 with constant noise.

    Examples
    --------
    >>> round(float(detection_limit(2.0, threshold=5.0, power=0.95)), 2)
    13.29
    """
    if not 0 < power < 1:
        raise ValueError(f"power is a probability between 0 and 1, got {power}")
    sigma, feigned = np.asarray(noise, float), np.asarray(bias, float)
    if (sigma < 0).any() or (feigned < 0).any():
        raise ValueError("noise and bias are expected to be 0 or more")
    return np.asarray((threshold + power_margin(power)) * sigma + feigned)
