"""From uncertain inputs to an uncertain number: by slopes, or by draws where the function bends."""

import math
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from lampyris.core.estimate import Estimate
from lampyris.statistics.intervals import normal_interval

Uncertain = float | Estimate

# of an input's standard uncertainty: the step of the slopes
_STEP = 0.01


def value_of(given: Uncertain, /) -> float:
    """The number itself."""
    return given.value if isinstance(given, Estimate) else float(given)


def sd_of(given: Uncertain, /) -> float:
    """Its standard uncertainty; 0 for a bare number, from the interval's width where an estimate has only that."""
    if not isinstance(given, Estimate):
        return 0.0
    if math.isfinite(given.sd):
        return given.sd
    return (given.high - given.low) / (2.0 * float(ndtri(0.5 + given.level / 2)))


def propagated(
    of: Callable[..., float],
    inputs: Mapping[str, Uncertain],
    /,
    *,
    unit: str,
    method: str,
    level: float = 0.95,
    low: float = -math.inf,
    high: float = math.inf,
) -> Estimate:
    """A number that follows from independent uncertain ones, by the slopes at their values.

    Parameters
    ----------
    of : callable
        Takes the inputs by name.
    inputs : mapping of str to float or Estimate
        A bare float counts as known.
    unit, method : str
        Of the result.
    level : float
        Coverage of its interval, which is symmetric.
    low, high : float
        Bounds of what the number can be; the interval is cut there.

    Returns
    -------
    Estimate
        Holds where `of` is nearly straight within the uncertainty of each input; `sampled` asks no such thing.

    Examples
    --------
    >>> width = Estimate(10.0, 1.0, 8.0, 12.0, 0.95, "nm", "given")
    >>> found = propagated(lambda width: width**2, {"width": width}, unit="nm2", method="square")
    >>> found.value, round(found.sd, 6)
    (100.0, 20.0)
    """
    at = {name: value_of(one) for name, one in inputs.items()}
    value = float(of(**at))
    variance = 0.0
    for name, one in inputs.items():
        sd = sd_of(one)
        if sd > 0:
            up, down = at | {name: at[name] + _STEP * sd}, at | {name: at[name] - _STEP * sd}
            variance += ((float(of(**up)) - float(of(**down))) / (2 * _STEP)) ** 2
    words = f"{method}, linear propagation"
    return normal_interval(value, math.sqrt(variance), unit=unit, method=words, low=low, high=high, level=level)


def sampled(
    of: Callable[..., NDArray[np.float64]],
    inputs: Mapping[str, Uncertain],
    /,
    *,
    unit: str,
    method: str,
    seed: int,
    draws: int = 20_000,
    level: float = 0.95,
    positive: frozenset[str] = frozenset(),
) -> Estimate:
    """A number that follows from independent uncertain ones, by draws from them.

    Parameters
    ----------
    of : callable
        Takes the inputs by name as arrays, dims (draw,), and gives as many numbers; NaN ones are left out.
    inputs : mapping of str to float or Estimate
    unit, method : str
    seed : int
        Of the draws: the same seed gives the same numbers.
    draws : int
    level : float
        Share of the draws between the ends of the interval.
    positive : frozenset of str
        Inputs that cannot be negative: drawn log-normally, with their value as the median.

    Returns
    -------
    Estimate
        Its value is the function at the inputs' values (their medians), widened into the interval if it lies outside.

    Raises
    ------
    ValueError
        If every draw is NaN.
    """
    rng = np.random.default_rng(seed)
    at, drawn = {}, {}
    for name, one in inputs.items():
        value, sd = value_of(one), sd_of(one)
        standard = rng.standard_normal(draws)
        at[name] = np.array([value])
        if name in positive and value > 0:
            drawn[name] = value * np.exp(math.sqrt(math.log1p((sd / value) ** 2)) * standard)
        else:
            drawn[name] = value + sd * standard
    value = float(np.asarray(of(**at)).ravel()[0])
    results = np.asarray(of(**drawn), dtype=np.float64)
    results = results[~np.isnan(results)]
    if not results.size:
        raise ValueError(f"{method}: no draw gave a number")
    return of_draws(value, results, unit=unit, method=f"{method}, {draws} draws with seed {seed}", level=level)


def of_draws(value: float, draws: NDArray[np.float64], /, *, unit: str, method: str, level: float = 0.95) -> Estimate:
    """Estimate whose interval is between quantiles of draws, and holds the value."""
    low, high = np.quantile(draws, [0.5 - level / 2, 0.5 + level / 2])
    spread = float(draws.std(ddof=1)) if draws.size > 1 else math.nan
    return Estimate(value, spread, min(float(low), value), max(float(high), value), level, unit, method)
