"""Cumulants: the mean decay rate and its spread, from the logarithm of the field's correlation."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lampyris.bench.dls.light import Optics
from lampyris.bench.dls.recording import Recording
from lampyris.core.estimate import Estimate

CUTOFF = 0.1
"""Share of the intercept of g2 - 1 down to which lags are fitted."""
_FEWEST = 6


@dataclass(frozen=True, slots=True, eq=False)
class Cumulants:
    """Result of the quadratic cumulant fit.

    Parameters
    ----------
    z_average_nm, pdi, intercept : Estimate
        Hydrodynamic diameter of the mean decay rate; polydispersity, twice the second cumulant over the square of the first;
        amplitude of the field's correlation at lag 0, whose square is the intercept of g2 - 1.
    z_noise_nm : float
        Standard deviation of the diameter by the noise of the run alone.
    z_cubic_nm : float
        The same diameter with a cubic term: how far the order of the fit matters.
    lag_s, level, fitted : numpy.ndarray, dims (lag,)
        Fitted lags, g2 - 1 there with the baseline taken off, and the fit.
    residual : numpy.ndarray, dims (lag,)
        In standard deviations.
    """

    z_average_nm: Estimate
    pdi: Estimate
    intercept: Estimate
    z_noise_nm: float
    z_cubic_nm: float
    lag_s: NDArray[np.float64]
    level: NDArray[np.float64]
    fitted: NDArray[np.float64]
    residual: NDArray[np.float64]


def cumulant_coefficients(lag_s: ArrayLike, field: ArrayLike, /, *, order: int = 2) -> NDArray[np.float64]:
    """Coefficients of the logarithm of the field's correlation, the constant first, weighted by the square of the field.

    Parameters
    ----------
    lag_s, field : array_like, dims (lag,)
        The field above 0.
    order : int
        Of the polynomial.

    Returns
    -------
    numpy.ndarray, dims (order + 1,)
    """
    return _solver(np.asarray(lag_s, np.float64), np.asarray(field, np.float64), order) @ np.log(
        np.asarray(field, np.float64)
    )


def _solver(lag: NDArray[np.float64], field: NDArray[np.float64], order: int) -> NDArray[np.float64]:
    """Matrix that makes coefficients of logarithms."""
    unit = lag[-1]
    weight = field**2
    design = np.vander(lag / unit, order + 1, increasing=True)
    made = np.linalg.pinv(design * weight[:, None]) * weight
    return np.asarray(made / (unit ** np.arange(order + 1))[:, None], np.float64)


def infer_cumulants(
    recording: Recording, optics: Optics, /, *, cutoff: float = CUTOFF, level: float = 0.95
) -> Cumulants:
    """Mean size and polydispersity.

    Parameters
    ----------
    recording : Recording
        Grouped lags with their covariance.
    optics : Optics
    cutoff : float
        Share of the intercept of g2 - 1 down to which lags are fitted.
    level : float
        Of the intervals.

    Returns
    -------
    Cumulants
        The intervals hold the noise of the run, of photons and speckles, and how far the order of the fit moves the answer.

    Raises
    ------
    ValueError
        If fewer than 6 lags stand above the cutoff, or the correlation does not decay.

    References
    ----------
    Koppel, J. Chem. Phys. 57, 4814 (1972), DOI 10.1063/1.1678153; ISO 22412:2017 for what is reported.
    """
    below = np.flatnonzero(recording.level < max(cutoff, 0.02) * recording.intercept)
    end = int(below[0]) if below.size else recording.level.size
    if end < _FEWEST:
        raise ValueError(f"only {end} groups of lags stand above {cutoff:g} of the intercept: {_FEWEST} are needed")
    lag, seen = recording.lag_s[:end], recording.level[:end]
    return _fitted(lag, seen, recording.covariance[:end, :end], optics, level)


def infer_cumulants_at(
    lag_s: ArrayLike, correlation: ArrayLike, covariance: ArrayLike, optics: Optics, /, *, level: float = 0.95
) -> Cumulants:
    """As `infer_cumulants`, at the lags that the instrument's own program fitted.

    Parameters
    ----------
    lag_s, correlation : array_like, dims (lag,)
        g2 - 1 there, its baseline taken off.
    covariance : array_like, dims (lag, lag)
    optics : Optics
    level : float

    Returns
    -------
    Cumulants

    Raises
    ------
    ValueError
        If a value is not above 0, they are fewer than 6, or the correlation does not decay.
    """
    lag, seen = np.asarray(lag_s, np.float64), np.asarray(correlation, np.float64)
    if lag.size < _FEWEST or not (seen > 0).all():
        raise ValueError(f"the {lag.size} lags to fit are fewer than {_FEWEST}, or their correlation is not above 0")
    return _fitted(lag, seen, np.asarray(covariance, np.float64), optics, level)


def _fitted(
    lag: NDArray[np.float64], seen: NDArray[np.float64], covariance: NDArray[np.float64], optics: Optics, level: float
) -> Cumulants:
    field = np.sqrt(seen)
    solve = _solver(lag, field, 2)
    constant, slope, bend = (solve @ np.log(field)).tolist()
    if not slope < 0:
        raise ValueError("the correlation does not decay over the fitted lags")
    cubic = cumulant_coefficients(lag, field, order=3)
    z = optics.rate_nm_per_s / -slope
    z_cubic = optics.rate_nm_per_s / -float(cubic[1]) if cubic[1] < 0 else math.inf
    pdi, pdi_cubic = 2.0 * bend / slope**2, 2.0 * float(cubic[2]) / float(cubic[1]) ** 2
    own = solve @ (covariance / np.outer(2.0 * seen, 2.0 * seen)) @ solve.T
    half = -slope
    slopes = np.array(
        [[0.0, z / half, 0.0], [0.0, 4.0 * bend / half**3, 2.0 / slope**2], [math.exp(constant), 0.0, 0.0]]
    )
    sds = np.sqrt(np.maximum(np.einsum("ij,jk,ik->i", slopes, own, slopes), 0.0))
    cubic_sd = _cubic_sd(lag, field, covariance, seen, optics)
    z_shift, pdi_shift, steep = _order_shift(lag, pdi, -slope, optics)
    z_own = (_beyond(z_cubic - z, 3.0 * cubic_sd[0]), z_shift * z, 1.0)
    pdi_own = (_beyond(pdi_cubic - pdi, 3.0 * cubic_sd[1]), pdi_shift, steep)
    fit = np.exp(2.0 * (constant + slope * lag + bend * lag**2))
    return Cumulants(
        _estimate(z, float(sds[0]), z_own, "nm", level),
        _estimate(pdi, float(sds[1]), pdi_own, "1", level),
        _estimate(math.exp(constant), float(sds[2]), (0.0, 0.0, 1.0), "1", level),
        float(sds[0]),
        z_cubic,
        lag,
        seen,
        fit,
        (seen - fit) / np.sqrt(np.diag(covariance)),
    )


def _cubic_sd(
    lag: NDArray[np.float64],
    field: NDArray[np.float64],
    covariance: NDArray[np.float64],
    seen: NDArray[np.float64],
    optics: Optics,
) -> tuple[float, float]:
    """Standard deviations of how the answers move from the quadratic to the cubic fit, by noise alone."""
    logs = covariance / np.outer(2.0 * seen, 2.0 * seen)
    two, three = _solver(lag, field, 2), _solver(lag, field, 3)
    b = cumulant_coefficients(lag, field)
    scale = abs(float(b[1]))
    moved = three[:3] - two
    spread = moved @ logs @ moved.T
    z_sd = optics.rate_nm_per_s / scale**2 * math.sqrt(max(float(spread[1, 1]), 0.0))
    row = np.array([0.0, 4.0 * float(b[2]) / scale**3, 2.0 / scale**2])
    return z_sd, math.sqrt(max(float(row @ spread @ row), 0.0))


def _beyond(moved: float, noise: float) -> float:
    """What of a move is more than noise makes."""
    return math.sqrt(max(moved**2 - noise**2, 0.0)) if math.isfinite(moved) else math.inf


def _order_shift(lag: NDArray[np.float64], pdi: float, rate: float, optics: Optics) -> tuple[float, float, float]:
    """How far a quadratic fit to a lognormal distribution of the observed polydispersity misses it.

    Returns
    -------
    float
        Relative shift of the mean size from fit to truth.
    float
        Shift of the polydispersity.
    float
        How steeply the true polydispersity goes with the fitted one.
    """
    true = np.linspace(0.0, 1.2, 25)
    nodes = np.linspace(-4.0, 4.0, 41)
    weight = np.exp(-0.5 * nodes**2) / np.exp(-0.5 * nodes**2).sum()
    fitted_pdi, fitted_z = np.empty(true.size), np.empty(true.size)
    for k, one in enumerate(true):
        s = math.sqrt(math.log1p(one))
        rates = rate * np.exp(-0.5 * s * s - s * nodes)
        b = cumulant_coefficients(lag, np.exp(-np.multiply.outer(lag, rates)) @ weight)
        fitted_pdi[k], fitted_z[k] = 2.0 * b[2] / b[1] ** 2, -rate / b[1]
    order = np.maximum.accumulate(fitted_pdi) + 1e-9 * np.arange(true.size)
    seen = min(max(pdi, float(order[0])), float(order[-1]))
    at = float(np.interp(seen, order, true))
    ahead = float(np.interp(min(seen + 0.02, float(order[-1])), order, true))
    steep = max((ahead - at) / 0.02, 1.0)
    return 1.0 / float(np.interp(at, true, fitted_z)) - 1.0, at - seen, min(steep, 5.0)


def _estimate(value: float, noise: float, order: tuple[float, float, float], unit: str, level: float) -> Estimate:
    """Estimate whose interval lies about what the order of the fit would make of a lognormal distribution."""
    from scipy.special import ndtri

    beyond, shift, steep = order
    sd = math.sqrt((noise * steep) ** 2 + beyond**2 + (0.3 * shift) ** 2)
    half = float(ndtri(0.5 * (1.0 + level))) * sd
    low, high = min(value, value + shift - half), max(value, value + shift + half)
    words = "quadratic cumulants; noise of photons and speckles, and what the order of the fit leaves out"
    return Estimate(value, math.hypot(sd, shift), low, high, level, unit, words)
