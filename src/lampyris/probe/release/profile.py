"""A release curve as measured: vessels over time, their means, and what follows from the curve without a model."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lampyris.core.arrays import frozen_array
from lampyris.core.estimate import Estimate
from lampyris.statistics.intervals import t_interval

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class ReleaseProfile:
    """Release of one formulation under one condition.

    Parameters
    ----------
    name : str
    time_h : ndarray, dims (point,)
        Hours, from 0.
    released : ndarray, dims (point,)
        Percent of the drug that was put in.
    vessel : tuple of str
        Of each point, the unit of replication; "" throughout where it is not known.

    Raises
    ------
    ValueError
        If lengths differ, a number is not finite, a time is negative, or a vessel has two values at one time.
    """

    name: str
    time_h: Array
    released: Array
    vessel: tuple[str, ...]

    def __post_init__(self) -> None:
        points = len(self.vessel)
        time = np.asarray(self.time_h, dtype=np.float64)
        released = np.asarray(self.released, dtype=np.float64)
        object.__setattr__(self, "time_h", frozen_array("time_h", time, ("point",), np.float64, (points,)))
        object.__setattr__(self, "released", frozen_array("released", released, ("point",), np.float64, (points,)))
        if not points or not (np.isfinite(time).all() and np.isfinite(released).all()):
            raise ValueError(f"{self.name}: times and percent released must be there and finite")
        if time.min() < 0:
            raise ValueError(f"{self.name}: times count from 0, got {time.min():g} h")
        keys = [key for key in zip(self.vessel, time.tolist(), strict=True) if key[0]]
        if len(set(keys)) < len(keys):
            twice = next(key for key in keys if keys.count(key) > 1)
            raise ValueError(f"{self.name}: vessel {twice[0]} has two values at {twice[1]:g} h")

    @property
    def vessels(self) -> tuple[str, ...]:
        """Names of the vessels, in their order; empty where they are not known."""
        return tuple(dict.fromkeys(one for one in self.vessel if one))

    def of_vessel(self, name: str, /) -> "ReleaseProfile":
        """Points of one vessel."""
        return self.kept(np.array([one == name for one in self.vessel]))

    def kept(self, keep: NDArray[np.bool_], /) -> "ReleaseProfile":
        """Some of the points."""
        chosen = tuple(one for one, held in zip(self.vessel, keep, strict=True) if held)
        return ReleaseProfile(self.name, self.time_h[keep], self.released[keep], chosen)


@dataclass(frozen=True, slots=True)
class TimeMean:
    """Mean over the vessels at one time.

    Parameters
    ----------
    time_h : float
    n : int
    mean, sd : float
        In percent; the standard deviation is NaN for one value.
    """

    time_h: float
    n: int
    mean: float
    sd: float


def time_means(profile: ReleaseProfile, /) -> tuple[TimeMean, ...]:
    """Means over the vessels, in the order of time."""
    found = []
    for time in np.unique(profile.time_h):
        values = profile.released[profile.time_h == time]
        sd = float(values.std(ddof=1)) if values.size > 1 else math.nan
        found.append(TimeMean(float(time), int(values.size), float(values.mean()), sd))
    return tuple(found)


def early_part(profile: ReleaseProfile, percent: float, /) -> ReleaseProfile | None:
    """Points before the mean first passes a share; None where none are left.

    Whole times are kept or left out by their mean: points chosen by their own noisy value would bend the curve.
    """
    past = [one.time_h for one in time_means(profile) if one.mean > percent]
    keep = (profile.time_h < past[0]) & (profile.time_h > 0) if past else profile.time_h > 0
    return profile.kept(keep) if keep.any() else None


def mean_dissolution_time(profile: ReleaseProfile, /, *, level: float = 0.95) -> Estimate:
    """Mean time after which a molecule is out, of what came out while it was measured.

    Parameters
    ----------
    profile : ReleaseProfile
    level : float

    Returns
    -------
    Estimate
        In h; the interval is Student's over the vessels. NaN where nothing came out.

    References
    ----------
    Tanigawara et al. 1982, J Pharm Sci 71:1129, doi:10.1002/jps.2600711014.
    """
    return _over_vessels(profile, _mean_time, "h", level)


def release_efficiency(profile: ReleaseProfile, /, *, level: float = 0.95) -> Estimate:
    """Area below the curve as percent of that of an instant and complete release.

    References
    ----------
    Khan 1975, J Pharm Pharmacol 27:48, doi:10.1111/j.2042-7158.1975.tb09378.x.
    """
    return _over_vessels(profile, lambda t, f: float(np.trapezoid(f, t) / t[-1]), "%", level)


def half_release_time(profile: ReleaseProfile, /, *, percent: float = 50.0, level: float = 0.95) -> Estimate:
    """Time at which a share is out, by straight lines between the points.

    Returns
    -------
    Estimate
        In h; NaN where a vessel did not come so far while it was measured: nothing is extrapolated.
    """
    return _over_vessels(profile, lambda t, f: _crossing(t, f, percent), "h", level)


def _over_vessels(profile: ReleaseProfile, of: Callable[[Array, Array], float], unit: str, level: float) -> Estimate:
    values = np.array([of(*curve) for curve in _curves(profile)])
    if not np.isfinite(values).all():
        return Estimate.unknown(level, unit, "not reached while it was measured")
    return t_interval(values, unit=unit, level=level)


def _curves(profile: ReleaseProfile) -> list[tuple[Array, Array]]:
    """Curve of each vessel from the origin, or the mean curve where vessels are not known."""
    if profile.vessels:
        found = []
        for name in profile.vessels:
            own = profile.of_vessel(name)
            order = np.argsort(own.time_h)
            found.append(_from_origin(own.time_h[order], own.released[order]))
        return found
    means = time_means(profile)
    return [_from_origin(np.array([one.time_h for one in means]), np.array([one.mean for one in means]))]


def _from_origin(time: Array, released: Array) -> tuple[Array, Array]:
    later = time > 0
    return np.concatenate([[0.0], time[later]]), np.concatenate([[0.0], released[later]])


def _mean_time(time: Array, released: Array) -> float:
    out = float(released[-1])
    return math.nan if out <= 0 else float((np.diff(released) * (time[1:] + time[:-1]) / 2).sum() / out)


def _crossing(time: Array, released: Array, percent: float) -> float:
    past = np.flatnonzero(released >= percent)
    if not past.size:
        return math.nan
    k = int(past[0])
    rise = released[k] - released[k - 1]
    return float(time[k - 1] + (percent - released[k - 1]) / rise * (time[k] - time[k - 1]))
