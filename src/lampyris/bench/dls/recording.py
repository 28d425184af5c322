"""A correlogram made ready: lags grouped, baseline taken off, and what noise each group has."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lampyris.bench.dls.noise import bin_widths, covariance_correlogram

PER_OCTAVE = 6
"""Groups of lags per doubling."""
# what is assumed of a run whose duration or count rate is not said, before its scatter corrects it
_DURATION_S = 30.0
# photon noise of g2 - 1 above which leading lags are left out
_BLIND = 0.3
# share of the correlation that is taken for specks where it is left after ten decays
_SLOW = 0.03
# decays behind which what is left is the baseline
_TAIL = 40.0


@dataclass(frozen=True, slots=True, eq=False)
class Recording:
    """Grouped lags of a correlogram.

    Parameters
    ----------
    lag_s, level : numpy.ndarray, dims (group,)
        Mean lag, and g2 - 1 with its baseline taken off.
    covariance : numpy.ndarray, dims (group, group)
        Of `level`.
    baseline, baseline_sd : float
        What was taken off; 0 where the run ends before its tail.
    intercept : float
        First guess of `level` at lag 0.
    told : bool
        Whether the run says its duration and count rate; otherwise `covariance` holds up to a factor.
    """

    lag_s: NDArray[np.float64]
    level: NDArray[np.float64]
    covariance: NDArray[np.float64]
    baseline: float
    baseline_sd: float
    intercept: float
    told: bool


def prepared(
    lag_s: ArrayLike,
    correlation: ArrayLike,
    /,
    *,
    duration_s: float = math.nan,
    count_rate_per_s: float = math.nan,
    first_lag_s: float = 1e-6,
    baseline: float | None = None,
) -> Recording:
    """Group lags, take off the baseline, and work out the noise.

    Parameters
    ----------
    lag_s, correlation : array_like, dims (lag,)
        g2 - 1 as measured.
    duration_s, count_rate_per_s : float
        NaN where not known: the photon noise is then estimated from how short lags scatter.
    first_lag_s : float
        Lags below are left out: detectors answer twice there.
    baseline : float, optional
        To take off; by default the mean behind 40 decays, where the run has it.

    Returns
    -------
    Recording

    Raises
    ------
    ValueError
        If fewer than 12 groups are left, or the correlation does not stand above zero.
    """
    lag, level = np.asarray(lag_s, np.float64), np.asarray(correlation, np.float64)
    keep = lag >= first_lag_s * (1.0 - 1e-9)
    lag, level, width = lag[keep], level[keep], bin_widths(lag)[keep]
    if math.isfinite(duration_s) and math.isfinite(count_rate_per_s):
        # where hardly a photon falls into a counting interval a lag says nothing
        dark = (count_rate_per_s * np.sqrt(width * duration_s)) ** -1.0 > _BLIND
        first = int(np.argmin(dark)) if not dark.all() else lag.size
        lag, level, width = lag[first:], level[first:], width[first:]
    if lag.size < 12:
        raise ValueError(
            f"only {lag.size} lags lie above {first_lag_s * 1e6:g} us and see enough photons: 12 are needed"
        )
    head = float(np.median(level[:8]))
    if not head > 0:
        raise ValueError(f"the correlation begins at {head:.3g}, not above zero: nothing correlates")
    rate = count_rate_per_s if math.isfinite(count_rate_per_s) else _rate_of_scatter(lag, level, width, head)
    run = duration_s if math.isfinite(duration_s) else _DURATION_S
    groups = _groups(lag)
    count = np.bincount(groups)
    grouped_lag, grouped = np.bincount(groups, lag) / count, np.bincount(groups, level) / count
    square = np.bincount(groups, lag**2) / count - grouped_lag**2
    grouped = grouped - 0.5 * np.maximum(square, 0.0) * _curvature(grouped_lag, grouped)
    if grouped.size < 12:
        raise ValueError(f"only {grouped.size} groups of lags: 12 are needed")
    tail = grouped_lag > _TAIL * _half_time(grouped_lag, grouped, head)
    # a first guess of the tail, else a bad normalisation would pass for slow particles in the noise
    rough = max(float(np.median(grouped[tail])) if tail.sum() >= 3 else 0.0, _slow(grouped_lag, grouped, head))
    field = _first_field(grouped - rough, head - rough)
    sums = covariance_correlogram(
        grouped_lag,
        field,
        intercept=min(head, 1.0),
        duration_s=run,
        count_rate_per_s=rate,
        widths_s=np.bincount(groups, width),
    )
    left, sd = 0.0, 0.0
    if baseline is not None:
        left = baseline
    elif tail.sum() >= 3:
        weight = 1.0 / np.diag(sums)[tail]
        left = float(weight @ grouped[tail] / weight.sum())
        sd = math.sqrt(float(weight @ sums[np.ix_(tail, tail)] @ weight)) / float(weight.sum())
    told = math.isfinite(duration_s) and math.isfinite(count_rate_per_s)
    return Recording(grouped_lag, grouped - left, sums + sd**2, left, sd, head - left, told)


def _groups(lag: NDArray[np.float64]) -> NDArray[np.intp]:
    """Number of the group of each lag, without gaps."""
    place = np.floor(np.log2(lag / lag[0]) * PER_OCTAVE + 1e-9)
    return np.unique(place, return_inverse=True)[1]


def _curvature(lag: NDArray[np.float64], level: NDArray[np.float64]) -> NDArray[np.float64]:
    """Second derivative from neighbours: what a mean over lags differs by from the value at the mean lag."""
    bent = np.zeros(lag.size)
    if lag.size > 2:
        before, after = lag[1:-1] - lag[:-2], lag[2:] - lag[1:-1]
        bent[1:-1] = 2.0 * ((level[2:] - level[1:-1]) / after - (level[1:-1] - level[:-2]) / before) / (before + after)
    return bent


def _slow(lag: NDArray[np.float64], level: NDArray[np.float64], head: float) -> float:
    """What specks leave ten decays on: their few passages are no Gaussian field, whose noise would hide the dots'."""
    later = np.flatnonzero(lag > 10.0 * _half_time(lag, level, head))[:4]
    left = float(level[later].mean()) if later.size else 0.0
    return left if left > _SLOW * head else 0.0


def _first_field(level: NDArray[np.float64], head: float) -> NDArray[np.float64]:
    return np.sqrt(np.clip(np.minimum.accumulate(np.maximum(level, 0.0)) / head, 0.0, 1.0))


def _half_time(lag: NDArray[np.float64], level: NDArray[np.float64], head: float) -> float:
    """Lag at which the correlation has fallen to its e-th part."""
    below = np.flatnonzero(level < head * math.exp(-1.0))
    return float(lag[below[0]]) if below.size else float(lag[-1])


def _rate_of_scatter(
    lag: NDArray[np.float64], level: NDArray[np.float64], width: NDArray[np.float64], head: float
) -> float:
    """Count rate that gives the scatter of neighbouring short lags, by the median of third differences."""
    short = lag < 0.2 * _half_time(lag, level, head)
    use = short if short.sum() >= 8 else np.ones_like(short)
    steps = np.diff(level[use], 3)
    variance = (1.4826 * float(np.median(np.abs(steps)))) ** 2 / 20.0
    typical = float(np.median(width[use][: steps.size]))
    return math.sqrt((1.0 + head) / (max(variance, 1e-14) * typical * _DURATION_S))
