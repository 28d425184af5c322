"""How much a measured correlogram scatters, and how lags scatter together.

Two causes: a run holds a finite number of speckles, which moves neighbouring lags together, and photons are few, which moves
each lag by itself. The first follows from the fourth moments of a Gaussian field of finite spatial coherence, integrated over
the run; the second from Poisson's law.
"""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

# steps per correlation time, and most steps, of the grid on which the moments are summed
_STEPS, _MOST = 16, 480
_LEFT = 2e-3


def bin_widths(lag_s: ArrayLike, /) -> NDArray[np.float64]:
    """Width of the counting interval behind each lag of a multi-tau correlator: the step between lags.

    Parameters
    ----------
    lag_s : array_like, dims (lag,)

    Returns
    -------
    numpy.ndarray, dims (lag,)
    """
    lag = np.asarray(lag_s, np.float64)
    steps = np.diff(lag)
    # the first step serves the first lag; a lag closes the step that leads to it
    return np.minimum(np.concatenate([steps[:1], steps]), lag) if lag.size > 1 else lag.copy()


def variance_correlogram(
    lag_s: ArrayLike, g1: ArrayLike, /, *, intercept: float, duration_s: float, count_rate_per_s: float
) -> NDArray[np.float64]:
    """Variance of g2 - 1 at each lag: the diagonal of `covariance_correlogram`.

    Parameters
    ----------
    lag_s, g1 : array_like, dims (lag,)
        Lags with their field correlation.
    intercept, duration_s, count_rate_per_s : float

    Returns
    -------
    numpy.ndarray, dims (lag,)
    """
    full = covariance_correlogram(
        lag_s, g1, intercept=intercept, duration_s=duration_s, count_rate_per_s=count_rate_per_s
    )
    return np.asarray(np.diag(full), np.float64)


def covariance_correlogram(
    lag_s: ArrayLike,
    g1: ArrayLike,
    /,
    *,
    intercept: float,
    duration_s: float,
    count_rate_per_s: float,
    widths_s: ArrayLike | None = None,
) -> NDArray[np.float64]:
    """Covariance of g2 - 1 over lags.

    Parameters
    ----------
    lag_s, g1 : array_like, dims (lag,)
        Lags with their field correlation.
    intercept : float
        Spatial coherence.
    duration_s : float
        Of the run.
    count_rate_per_s : float
        Photons per second.
    widths_s : array_like, dims (lag,), optional
        Counting time behind each point; by default that of a multi-tau correlator.

    Returns
    -------
    numpy.ndarray, dims (lag, lag)

    References
    ----------
    Schaetzel, Quantum Opt. 2, 287 (1990), DOI 10.1088/0954-8998/2/4/002, for the two causes; the sum over the nine pairings
    without fixed points of a Gaussian field's fourth moment is worked out here. Photon noise as Koppel, Phys. Rev. A 10, 1938
    (1974), DOI 10.1103/PhysRevA.10.1938.
    """
    lag, field = np.asarray(lag_s, np.float64), np.asarray(g1, np.float64)
    speckle = _speckle(lag, field, intercept) / duration_s
    width = bin_widths(lag) if widths_s is None else np.asarray(widths_s, np.float64)
    photons = np.maximum(count_rate_per_s, 1e-9) * width
    twice = np.interp(2.0 * lag, lag, field, right=0.0)
    own = (1.0 + intercept * field**2) / photons**2 + 2.0 * intercept * (1.0 + twice**2) / photons
    return speckle + np.diag(own * width / duration_s)


def _speckle(lag: NDArray[np.float64], field: NDArray[np.float64], intercept: float) -> NDArray[np.float64]:
    """Covariance times the duration of the run, on a grid of lags that is spread to those given."""
    known = np.concatenate([[0.0], lag])
    level = np.concatenate([[1.0], np.clip(field, 0.0, 1.0)])
    e_fold = float(np.interp(-math.exp(-1.0), -np.minimum.accumulate(level), known))
    gone = np.flatnonzero(level > math.sqrt(_LEFT))
    reach = float(known[min(int(gone[-1]) + 1, known.size - 1)])
    step = max(e_fold / _STEPS, reach / _MOST)
    count = math.ceil(reach / step) + 1
    places = np.minimum(np.rint(lag / step).astype(np.intp), 2 * count)
    used, inverse = np.unique(places, return_inverse=True)
    span = np.arange(6 * count + 1) * step
    table = np.interp(span, known, level, right=0.0)
    table[count + 1 :] = 0.0
    u = np.arange(-count, count + 1)

    def at(shift: NDArray[np.intp]) -> NDArray[np.float64]:
        return table[np.abs(shift)]

    zero = at(u)
    before = at(u[None] - used[:, None])
    # lags beyond what the grid holds reach only the first pairing
    own = at(used)
    summed = np.empty((used.size, used.size))
    mean_field = intercept * float((zero**2).sum())
    cross = 2.0 * intercept**2 * own * (before @ zero)
    for k, one in enumerate(used):
        # u runs over the second pair's start, against a first pair at 0 and `one`
        wide = np.arange(-3 * count, 3 * count + 1)
        g_u, g_u1 = at(wide), at(wide - one)
        g_v = at(wide[None] + used[:, None])
        g_v1 = at(wide[None] + used[:, None] - one)
        pairs = (g_v1**2) @ (g_u**2) + (g_v**2) @ (g_u1**2)
        rings = own[k] * own * (g_v @ g_u1 + g_v1 @ g_u) + (g_v * g_v1) @ (g_u * g_u1)
        summed[k] = intercept**2 * pairs + 2.0 * intercept**3 * rings
    height = intercept * own**2
    summed += (
        -2.0 * np.outer(cross, height) - 2.0 * np.outer(height, cross) + 4.0 * np.outer(height, height) * mean_field
    )
    whole = summed[np.ix_(inverse, inverse)]
    far = places == 2 * count
    if far.sum() > 1:
        # where nothing of the field is left only the first pairing is, and it fades with the distance between lags
        square = table[: count + 1] ** 2
        apart = np.abs(lag[far][:, None] - lag[far][None]) / step
        fading = np.array([float(square[: count + 1 - k] @ square[k:]) for k in range(count + 1)])
        fading = 2.0 * fading - square[0] * square
        whole[np.ix_(far, far)] = intercept**2 * np.interp(apart, np.arange(count + 1), fading, right=0.0)
    return step * whole
