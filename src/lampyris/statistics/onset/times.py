"""Times of an event as intervals: exact, between two looks, or not by the last one."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class OnsetTimes:
    """When the event came in each animal: in ``(low, high]``, on the day itself where both are equal.

    Parameters
    ----------
    low, high : ndarray, dims (animal,)
        Days. ``high`` is inf where the event had not come by ``low``, the last look.

    Raises
    ------
    ValueError
        If lengths differ, a time is NaN or negative, or low exceeds high.

    Examples
    --------
    >>> OnsetTimes([3, 7], [7, float("inf")]).seen
    array([ True, False])
    """

    low: Floats
    high: Floats

    def __post_init__(self) -> None:
        low, high = (np.array(values, dtype=np.float64) for values in (self.low, self.high))
        if low.ndim != 1 or low.shape != high.shape:
            raise ValueError(f"low and high need one length in one dimension, got {low.shape} and {high.shape}")
        faults = [f"animal {k}: low is {low[k]}" for k in np.flatnonzero(~np.isfinite(low))]
        faults += [f"animal {k}: high is not a number" for k in np.flatnonzero(np.isnan(high))]
        faults += [f"animal {k}: low {low[k]:g} is negative" for k in np.flatnonzero(low < 0)]
        faults += [f"animal {k}: low {low[k]:g} is above high {high[k]:g}" for k in np.flatnonzero(low > high)]
        # on day 0 itself a positive time cannot lie
        faults += [f"animal {k}: the event is on day 0" for k in np.flatnonzero(high == 0)]
        if faults:
            raise ValueError("; ".join(faults))
        for name, values in (("low", low), ("high", high)):
            values.setflags(write=False)
            object.__setattr__(self, name, values)

    def __len__(self) -> int:
        return int(self.low.size)

    @property
    def seen(self) -> NDArray[np.bool_]:
        """Whether the event came while the animal was looked at."""
        return np.isfinite(self.high)

    @property
    def exact(self) -> NDArray[np.bool_]:
        """Whether its day is known."""
        return np.asarray(self.low == self.high)

    @property
    def right_censored_only(self) -> bool:
        """Whether every event that came has a day of its own."""
        return bool((self.exact | ~self.seen).all())

    def of(self, chosen: NDArray[np.bool_] | NDArray[np.intp]) -> "OnsetTimes":
        """Those of some animals."""
        return OnsetTimes(self.low[chosen], self.high[chosen])

    def as_first_sight(self) -> "OnsetTimes":
        """The naive reading: the day of first sight taken for the onset. For comparison only: it is late by up to a gap."""
        return OnsetTimes(np.where(self.seen, self.high, self.low), self.high)


def times_of_events(time: ArrayLike, event: ArrayLike, /) -> OnsetTimes:
    """Times that are exact where the event came, and a last look where it did not.

    Parameters
    ----------
    time : array_like, dims (animal,)
        Day of the event, or the last day without it.
    event : array_like, dims (animal,)
        1 where it came, 0 where not.

    Returns
    -------
    OnsetTimes

    Raises
    ------
    ValueError
        If an event is neither 0 nor 1, or as `OnsetTimes`.

    Examples
    --------
    >>> times_of_events([5, 9], [1, 0]).high
    array([ 5., inf])
    """
    t = np.asarray(time, dtype=np.float64)
    e = np.asarray(event, dtype=np.float64)
    wrong = [f"animal {k}: event is {e[k]:g}" for k in np.flatnonzero(~np.isin(e, (0.0, 1.0)))] if e.ndim == 1 else []
    if wrong or e.shape != t.shape:
        raise ValueError("; ".join(wrong) or f"time and event need one length, got {t.shape} and {e.shape}")
    return OnsetTimes(t, np.where(e == 1.0, t, np.inf))
