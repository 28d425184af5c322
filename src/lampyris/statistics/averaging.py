"""What several models, or residuals that follow each other, make of an `Estimate`."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lampyris.core.estimate import Estimate
from lampyris.statistics.thresholds import half_width

FOLLOWING = "widened for residuals that follow each other"
"""What `widened` says by default."""
_MOST_FOLLOWING = 0.95


def akaike_weights(criteria: ArrayLike, /) -> NDArray[np.float64]:
    """Weights of models by a criterion such as AICc, which sum to 1.

    Parameters
    ----------
    criteria : array_like, dims (model,)
        A model without a finite one weighs nothing, unless none has one: then all weigh the same.

    Returns
    -------
    numpy.ndarray, dims (model,)

    References
    ----------
    Burnham and Anderson, Model Selection and Multimodel Inference, 2nd ed., Springer 2002, DOI 10.1007/b97636, section 2.9.

    Examples
    --------
    >>> akaike_weights([10.0, 10.0, math.nan]).tolist()
    [0.5, 0.5, 0.0]
    """
    own = np.asarray(criteria, np.float64)
    known = np.where(np.isfinite(own), own, np.inf)
    least = float(known.min())
    weights = np.exp(-0.5 * (known - least)) if math.isfinite(least) else np.ones(own.size)
    return np.asarray(weights / weights.sum())


def averaged_estimate(
    estimates: Sequence[Estimate],
    weights: ArrayLike,
    /,
    *,
    least: float = -math.inf,
    uneven: bool = False,
    same_data: bool = False,
) -> Estimate:
    """Mean of what several models say by their weights; the interval holds each one's error and how far they differ.

    Parameters
    ----------
    estimates : sequence of Estimate
    weights : array_like, dims (model,)
        Such as `akaike_weights`; models whose error is unknown are left out unless that is all of the weightiest.
    least : float
        Least value that the number can have: the interval is cut there.
    uneven : bool
        Average the distances to the lower and to the upper end each for themselves, as of profile intervals and limits.
    same_data : bool
        The models are fitted to the same data and hold each other's cases. A freer one then differs from the surest by chance, with
        the variance that it has more, and that is in its own error: only how far they differ beyond it is added.

    Returns
    -------
    Estimate

    References
    ----------
    Burnham and Anderson, Model Selection and Multimodel Inference, 2nd ed., Springer 2002, DOI 10.1007/b97636, section 4.3; Hausman,
    Econometrica 46, 1251 (1978), DOI 10.2307/1913827 (the variance of a difference from an efficient estimate).

    Examples
    --------
    >>> two = [Estimate(v, 1.0, v - 2.0, v + 2.0, 0.95, "nm", "fit") for v in (10.0, 12.0)]
    >>> one = averaged_estimate(two, [0.5, 0.5])
    >>> one.value, round(one.sd, 3)
    (11.0, 1.414)
    """
    share = np.asarray(weights, np.float64)
    best = estimates[int(np.argmax(share))]
    known = [k for k, one in enumerate(estimates) if math.isfinite(one.value) and math.isfinite(one.sd)]
    if not (math.isfinite(best.value) and math.isfinite(best.sd)) or len(known) < 2:
        return best
    w = share[known] / share[known].sum()
    values = np.array([estimates[k].value for k in known])
    mean = float(w @ values)
    own = np.array([estimates[k].sd for k in known]) ** 2
    off = _beyond_chance(values, own) if same_data else values
    off = off - float(w @ off)
    sd = math.sqrt(float(w @ (own + off**2)))
    quantile = (best.high - best.low) / (2.0 * best.sd) if best.sd > 0 else 0.0
    below = above = quantile * sd
    if uneven:
        apart = (half_width(best.level) * off) ** 2
        lows, highs = (np.array([getattr(estimates[k], end) for k in known]) for end in ("low", "high"))
        below, above = (math.sqrt(float(w @ (reach**2 + apart))) for reach in (values - lows, highs - values))
    method = f"{best.method}, mean of {len(known)} models by Akaike weights"
    return Estimate(mean, sd, min(mean, max(mean - below, least)), mean + above, best.level, best.unit, method)


def _beyond_chance(values: NDArray[np.float64], variances: NDArray[np.float64]) -> NDArray[np.float64]:
    """Values as far from the surest as its and their variances do not explain, dims (model,)."""
    surest = int(np.argmin(variances))
    off = values - values[surest]
    return np.asarray(np.sign(off) * np.sqrt(np.maximum(off**2 - (variances - variances[surest]), 0.0)))


def following(residuals: ArrayLike, /) -> float:
    """Lag-1 correlation of residuals where it is above chance, else 0; at most 0.95.

    Parameters
    ----------
    residuals : array_like, dims (point,)
        In the order of the points.

    Returns
    -------
    float

    Notes
    -----
    Chance makes a standard deviation of 1 / n^1/2; two of them count as above it.
    """
    own = np.asarray(residuals, np.float64)
    total = float(np.sum(own**2))
    r = float(np.sum(own[1:] * own[:-1]) / total) if total > 0 else 0.0
    return min(r, _MOST_FOLLOWING) if r > 2.0 / math.sqrt(own.size) else 0.0


def widening(correlation: float, /) -> float:
    """By how much a standard error grows where residuals have a lag-1 correlation r: ((1 + r) / (1 - r))^1/2.

    Examples
    --------
    >>> widening(0.0), widening(0.6)
    (1.0, 2.0)
    """
    return math.sqrt((1.0 + correlation) / (1.0 - correlation))


def widened(one: Estimate, factor: float, /, *, why: str = FOLLOWING, least: float = -math.inf) -> Estimate:
    """Estimate with its interval stretched about its value.

    Parameters
    ----------
    one : Estimate
    factor : float
    why : str
        What the method says of it.
    least : float
        Least value that the number can have: the interval is cut there.

    Returns
    -------
    Estimate

    Examples
    --------
    >>> wide = widened(Estimate(5.0, 1.0, 3.0, 8.0, 0.95, "nm", "fit"), 2.0)
    >>> wide.sd, wide.low, wide.high
    (2.0, 1.0, 11.0)
    """
    if factor == 1.0 or math.isnan(one.value):
        return one
    low, high = one.value - factor * (one.value - one.low), one.value + factor * (one.high - one.value)
    low = min(one.value, max(low, least))
    return Estimate(one.value, factor * one.sd, low, high, one.level, one.unit, f"{one.method}, {why}")
