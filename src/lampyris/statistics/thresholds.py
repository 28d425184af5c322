"""How high a peak must stand to be more than chance: false alarms of smooth random fields."""

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri, stdtrit


def expected_false_alarms(z: float, /, *, area_mm2: float, perimeter_mm: float, fwhm_mm: float) -> float:
    """Expected number of peaks above `z` in a smooth unit Gaussian field over a flat region.

    The expected Euler characteristic of the excursion set, which at high thresholds is the expected number of peaks.

    Parameters
    ----------
    z : float
        Threshold in standard deviations.
    area_mm2, perimeter_mm : float
        Of the search region.
    fwhm_mm : float
        Smoothness of the field: full width at half maximum of the kernel that would make it from white noise.

    Returns
    -------
    float

    References
    ----------
    Worsley et al. 1996, Hum Brain Mapp 4:58, doi:10.1002/(SICI)1097-0193(1996)4:1<58::AID-HBM4>3.0.CO;2-O.

    Examples
    --------
    >>> 0.0006 < expected_false_alarms(4.0, area_mm2=100.0, perimeter_mm=40.0, fwhm_mm=5.0) < 0.0025
    True
    """
    tail = np.exp(-0.5 * z * z)
    slope = 4.0 * np.log(2.0)
    points = ndtr(-z)
    lines = 0.5 * perimeter_mm / fwhm_mm * np.sqrt(slope) / (2.0 * np.pi) * tail
    planes = area_mm2 / fwhm_mm**2 * slope / (2.0 * np.pi) ** 1.5 * z * tail
    return float(points + lines + planes)


def peak_threshold(
    false_alarms: float, /, *, area_mm2: float, perimeter_mm: float, fwhm_mm: float, degrees_of_freedom: float
) -> float:
    """Threshold, in *estimated* standard deviations, that chance exceeds `false_alarms` times on average.

    The field's standard deviation is itself measured from few independent places; the Gaussian threshold is therefore
    widened to the value of Student's t with the same tail.

    Parameters
    ----------
    false_alarms : float
        Expected number over the region, above 0.
    area_mm2, perimeter_mm, fwhm_mm : float
        See `expected_false_alarms`.
    degrees_of_freedom : float
        Of the standard deviation's estimate.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If the false-alarm number or the degrees of freedom are not positive.
    """
    if false_alarms <= 0 or degrees_of_freedom <= 0:
        raise ValueError(
            f"false_alarms and degrees_of_freedom must be positive, got {false_alarms}, {degrees_of_freedom}"
        )

    # a quarter of a second that other callers of this file need not wait
    from scipy.optimize import brentq

    def excess(z: float) -> float:
        found = expected_false_alarms(z, area_mm2=area_mm2, perimeter_mm=perimeter_mm, fwhm_mm=fwhm_mm)
        return float(np.log(found) - np.log(false_alarms))

    if excess(1.0) <= 0:
        z = 1.0
    else:
        z = float(brentq(excess, 1.0, 37.0))
    return float(-stdtrit(degrees_of_freedom, ndtr(-z)))


def robust_sd(values: NDArray[np.float64], /) -> float:
    """Standard deviation from the median absolute deviation; NaN for fewer than two values.

    Examples
    --------
    >>> round(robust_sd(np.array([-1.0, 0.0, 1.0])), 4)
    1.4826
    """
    if values.size < 2:
        return float("nan")
    # sorting is several times as fast as NumPy's median
    return 1.4826 * _middle(np.abs(values - _middle(values)))


def _middle(values: NDArray[np.float64]) -> float:
    """Median, NaN if any value is."""
    ordered = np.sort(values, axis=None)
    half = ordered.size // 2
    middle = ordered[half] if ordered.size % 2 else 0.5 * (ordered[half - 1] + ordered[half])
    return float("nan") if np.isnan(ordered[-1]) else float(middle)


def power_margin(power: float, /) -> float:
    """Standard deviations above the threshold at which a signal is found with probability `power`.

    Examples
    --------
    >>> round(power_margin(0.95), 3)
    1.645
    """
    return float(ndtri(power))


def half_width(level: float, /) -> float:
    """Standard deviations on each side of the middle that hold a normal value with probability `level`.

    Examples
    --------
    >>> round(half_width(0.95), 3)
    1.96
    """
    return float(ndtri(0.5 * (1.0 + level)))
