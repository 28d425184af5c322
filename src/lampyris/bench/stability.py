"""Stability on storage: how size and emission go with the days, and whether they stay within a margin."""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lampyris.core.estimate import Estimate
from lampyris.statistics.fitting import DataSet, Fit, Parameter, derived, fit_least_squares

Verdict = Literal["yes", "no", "undecided"]


def predict_line(days: ArrayLike, at_start: float, slope: float, /) -> NDArray[np.float64]:
    """Value expected on each day.

    Parameters
    ----------
    days : array_like, dims (day,)
    at_start, slope : float
        Value on day 0, and change per day.

    Returns
    -------
    numpy.ndarray, dims (day,)
    """
    return at_start + slope * np.asarray(days, np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class Trend:
    """A line through readings over days.

    Parameters
    ----------
    start, slope, change : Estimate
        Value at the first day, change per day, and over the storage.
    stable : str
        "yes" where the 90 % interval of the change lies within the margin (two one-sided tests at 5 %), "no" where the 95 %
        interval lies outside, "undecided" otherwise.
    margin : float
    bends : bool
        Whether a parabola fits better than chance lets it (F test at 1 %).
    fitted : numpy.ndarray, dims (reading,)
    sd : float
        Of readings about the line.
    """

    start: Estimate
    slope: Estimate
    change: Estimate
    stable: Verdict
    margin: float
    bends: bool
    fitted: NDArray[np.float64]
    sd: float


def infer_trend(
    days: ArrayLike, values: ArrayLike, /, *, margin: float, unit: str = "nm", level: float = 0.95
) -> Trend:
    """Line through readings, and whether they stay.

    Parameters
    ----------
    days, values : array_like, dims (reading,)
        Readings of one day are averaged first: they share their sample's day.
    margin : float
        Largest change over the storage that counts as stable.
    unit : str
    level : float

    Returns
    -------
    Trend

    Raises
    ------
    ValueError
        If there are fewer than 3 days, or a reading is not finite.

    References
    ----------
    Schuirmann, J. Pharmacokinet. Biopharm. 15, 657 (1987), DOI 10.1007/BF01068419, for the two one-sided tests.

    Examples
    --------
    >>> trend = infer_trend([0, 7, 14, 21, 28], [18.4, 18.5, 18.4, 18.6, 18.5], margin=1.8)
    >>> trend.stable, round(trend.slope.value, 4)
    ('yes', 0.0043)
    """
    at, seen = np.asarray(days, np.float64), np.asarray(values, np.float64)
    if not (np.isfinite(at).all() and np.isfinite(seen).all()):
        raise ValueError("days and values need finite numbers")
    own, place = np.unique(at, return_inverse=True)
    if own.size < 3:
        raise ValueError(f"{own.size} days are too few for a slope: 3 are needed")
    count = np.bincount(place)
    mean = np.bincount(place, seen) / count
    span, first = float(own[-1] - own[0]), float(own[0])
    fit = _line(own - first, mean, level)
    change = derived(fit, lambda p: p[1] * span, unit=unit)
    narrow = derived(fit, lambda p: p[1] * span, unit=unit, level=0.90)
    if narrow.low >= -margin and narrow.high <= margin:
        stable: Verdict = "yes"
    elif change.low > margin or change.high < -margin:
        stable = "no"
    else:
        stable = "undecided"
    return Trend(
        derived(fit, lambda p: p[0], unit=unit),
        derived(fit, lambda p: p[1], unit=f"{unit}/d"),
        change,
        stable,
        margin,
        _bends(own - first, mean),
        predict_line(at - first, *fit.values.tolist()),
        fit.goodness.residual_sd,
    )


def _line(at: NDArray[np.float64], mean: NDArray[np.float64], level: float) -> Fit:
    span = float(at[-1])
    slope = float(mean[-1] - mean[0]) / span
    scale = max(float(np.ptp(mean)), 1e-6 * abs(float(mean.mean())), 1e-9)
    return fit_least_squares(
        DataSet(lambda p: predict_line(at, p[0], p[1]), mean),
        [Parameter("start", float(mean[0]), scale=scale), Parameter("slope", slope, scale=scale / span)],
        scatter="residual",
        level=level,
    )


def _bends(at: NDArray[np.float64], mean: NDArray[np.float64]) -> bool:
    from scipy.special import fdtrc

    if at.size < 5:
        return False
    squares = [float(np.sum((mean - np.polyval(np.polyfit(at, mean, order), at)) ** 2)) for order in (1, 2)]
    degrees = at.size - 3
    if not squares[1] > 1e-12 * float(np.sum(mean**2)):
        return squares[0] > 1e-10 * float(np.sum(mean**2))
    return float(fdtrc(1, degrees, (squares[0] - squares[1]) / (squares[1] / degrees))) < 0.01


def aggregates(days: ArrayLike, sizes: ArrayLike, trend: Trend, /) -> bool:
    """Whether dots clump: sizes grow beyond the margin, or one day's mean stands at half as much again as the first's.

    Parameters
    ----------
    days, sizes : array_like, dims (reading,)
    trend : Trend

    Returns
    -------
    bool
    """
    at, seen = np.asarray(days, np.float64), np.asarray(sizes, np.float64)
    first = float(seen[at == at.min()].mean())
    most = max(float(seen[at == one].mean()) for one in np.unique(at))
    return most > 1.5 * first or (trend.slope.low > 0.0 and trend.change.value > trend.margin) or math.isinf(most)
