"""Power to compare two shares of animals, and how narrow the interval of one share, or of an AUC, will be.

References
----------
Fisher 1935, J R Stat Soc 98:39, doi:10.2307/2342435.
Boschloo 1970, Stat Neerl 24:1, doi:10.1111/j.1467-9574.1970.tb00104.x: unconditional test.
Hanley & McNeil 1982, Radiology 143:29, doi:10.1148/radiology.143.1.7063747: variance of an AUC.
"""

import math

import numpy as np
from numpy.typing import NDArray
from scipy import special

from lampyris.statistics.thresholds import half_width

Floats = NDArray[np.float64]
# nuisance shares over which the unconditional test takes its worst case
_GRID = np.linspace(0.005, 0.995, 199)


def _log_choose(n: int) -> Floats:
    k = np.arange(n + 1)
    return np.asarray(special.gammaln(n + 1) - special.gammaln(k + 1) - special.gammaln(n - k + 1))


def _binomial(n: int, share: float) -> Floats:
    k = np.arange(n + 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        log = _log_choose(n) + special.xlogy(k, share) + special.xlog1py(n - k, -share)
    return np.exp(log)


def fisher_p(n: tuple[int, int], /) -> Floats:
    """Two-sided p of Fisher's exact test for every outcome.

    Parameters
    ----------
    n : (int, int)
        Animals per group.

    Returns
    -------
    ndarray, dims (first, second)
        p of ``first`` and ``second`` animals with the event.

    Examples
    --------
    >>> round(float(fisher_p((5, 5))[5, 1]), 4)
    0.0476
    """
    logs = _log_choose(n[0])[:, None] + _log_choose(n[1])[None, :]
    total = np.add.outer(np.arange(n[0] + 1), np.arange(n[1] + 1))
    p = np.empty_like(logs)
    for m in range(n[0] + n[1] + 1):
        on = total == m
        chance = np.exp(logs[on] - special.logsumexp(logs[on]))
        # outcomes as likely as this one or less; equal ones may differ by rounding
        p[on] = [float(chance[chance <= one * (1 + 1e-7)].sum()) for one in chance]
    return np.minimum(p, 1.0)


def boschloo_p(n: tuple[int, int], /) -> Floats:
    """Two-sided p of Boschloo's unconditional test for every outcome: Fisher's p as the order, its worst case over the share.

    It is never less powerful than Fisher's test, which at the sizes of animal groups wastes much of its alpha.
    """
    order = fisher_p(n)
    values = np.unique(np.round(order.ravel(), 12))
    place = np.searchsorted(values, np.round(order, 12))
    worst = np.zeros(values.size)
    for share in _GRID:
        chance = np.outer(_binomial(n[0], share), _binomial(n[1], share))
        worst = np.maximum(worst, np.cumsum(np.bincount(place.ravel(), chance.ravel(), values.size)))
    return np.minimum(worst[place], 1.0)


def shares_power(
    n: tuple[int, int], shares: tuple[float, float], /, *, alpha: float = 0.05, test: str = "fisher"
) -> float:
    """Exact power to find that two shares of animals differ.

    Parameters
    ----------
    n : (int, int)
        Animals per group.
    shares : (float, float)
        True shares.
    alpha : float
    test : {"fisher", "boschloo"}

    Returns
    -------
    float
        Over every outcome. It does not rise evenly with n.

    Raises
    ------
    ValueError
        If the test is neither.

    Examples
    --------
    >>> round(shares_power((10, 10), (0.9, 0.3)), 3), round(shares_power((10, 10), (0.9, 0.3), test="boschloo"), 3)
    (0.667, 0.824)
    """
    if test not in ("fisher", "boschloo"):
        raise ValueError(f"test is fisher or boschloo, got {test!r}")
    p = fisher_p(n) if test == "fisher" else boschloo_p(n)
    chance = np.outer(_binomial(n[0], shares[0]), _binomial(n[1], shares[1]))
    return float(chance[p <= alpha * (1 + 1e-9)].sum())


def share_width(n: int, share: float, /, *, level: float = 0.95) -> float:
    """Expected width of Wilson's interval of a share, such as a sensitivity.

    Examples
    --------
    >>> round(share_width(20, 0.9), 2)
    0.26
    """
    k = np.arange(n + 1)
    z = half_width(level)
    estimate = k / n
    half = z / (1 + z * z / n) * np.sqrt(estimate * (1 - estimate) / n + z * z / (4 * n * n))
    return float(_binomial(n, share) @ (2 * half))


def auc_error(n: tuple[float, float], auc: float, /) -> float:
    """Standard error of an area under the ROC curve, by Hanley and McNeil's formula.

    Parameters
    ----------
    n : (float, float)
        Units with and without the condition.
    auc : float

    Returns
    -------
    float

    Examples
    --------
    >>> round(auc_error((51, 58), 0.893), 3)
    0.033
    """
    q1, q2 = auc / (2 - auc), 2 * auc**2 / (1 + auc)
    variance = auc * (1 - auc) + (n[0] - 1) * (q1 - auc**2) + (n[1] - 1) * (q2 - auc**2)
    return math.sqrt(variance / (n[0] * n[1]))


def auc_power(n: tuple[float, float], auc: float, /, *, alpha: float = 0.05) -> float:
    """Power of a two-sided test that the area is 0.5, the error under chance that of the rank-sum test."""
    chance = math.sqrt((n[0] + n[1] + 1) / (12 * n[0] * n[1]))
    z = float(special.ndtri(1 - alpha / 2))
    shift = abs(auc - 0.5)
    return float(special.ndtr((shift - z * chance) / auc_error(n, max(auc, 1 - auc))))
