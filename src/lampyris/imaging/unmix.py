"""Unmixing: how much probe, autofluorescence and leaked excitation each pixel holds.

Weighted least squares, unbiased and with covariance, serves detection and photometry: a negative abundance is an honest
measurement of nothing. The non-negative solution is for showing only.
"""

from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from lampyris.core.images import AbundanceMap, Radiance
from lampyris.core.settings import Instrument
from lampyris.probe.probe import Probe, band_fractions

COMPONENTS = ("probe", "autofluorescence", "leakage")


def mixing_matrix(instrument: Instrument, probe: Probe, /) -> NDArray[np.float64]:
    """Radiance of each band per unit of each component, dims (channel, component); columns sum to 1.

    A component's unit is therefore its radiance summed over the recorded bands. With fewer bands than three the
    last components are left out.

    Raises
    ------
    ValueError
        If two components have the same colour in these bands, so that they cannot be told apart, or if no band records
        the probe or the autofluorescence.
    """
    columns = [
        band_fractions(probe, instrument.bands),
        np.array([band.autofluorescence for band in instrument.bands]),
        np.array([band.leakage for band in instrument.bands]),
    ]
    for name, column in zip((f"the probe {probe.name!r}", "autofluorescence"), columns, strict=False):
        if not column.sum() > 0:
            raise ValueError(f"no band records any light of {name}: check the bands' centres, widths and colours")
    used = [column / column.sum() for column in columns[: len(instrument.bands)] if column.sum() > 0]
    matrix = np.stack(used, axis=1)
    if np.linalg.cond(matrix) > 1e4:
        raise ValueError("the bands cannot tell the components apart: choose bands in which their colours differ")
    return matrix


def unmix(
    radiance: Radiance, mixing: NDArray[np.float64], /, *, shown: NDArray[np.bool_] | None = None
) -> AbundanceMap:
    """Unmix every pixel.

    Parameters
    ----------
    radiance : Radiance
        Calibrated bands.
    mixing : ndarray, dims (channel, component)
        From `mixing_matrix`.
    shown : ndarray of bool, dims (y, x), optional
        Where the non-negative solution is wanted; everywhere by default, 0 elsewhere.

    Returns
    -------
    AbundanceMap
        Unbiased values with variance, and non-negative values for display.

    Raises
    ------
    ValueError
        If bands and matrix do not fit.
    """
    bands, height, width = radiance.values.shape
    if mixing.ndim != 2 or mixing.shape[0] != bands or mixing.shape[1] > bands:
        raise ValueError(f"the mixing matrix has shape {mixing.shape} for {bands} bands")
    data = radiance.values.reshape(bands, -1).T
    variance = radiance.variance.reshape(bands, -1).T
    values, spread = _weighted_least_squares(data, variance, mixing)
    shape = (mixing.shape[1], height, width)
    wanted = np.ones(data.shape[0], bool) if shown is None else shown.ravel()
    display = np.zeros_like(values)
    display[wanted] = _shown(data[wanted], values[wanted], mixing)
    return AbundanceMap(
        values=values.T.reshape(shape),
        variance=spread.T.reshape(shape),
        display=display.T.reshape(shape),
        flags=np.bitwise_or.reduce(radiance.flags, axis=0),
        components=COMPONENTS[: mixing.shape[1]],
        pixel_mm=radiance.pixel_mm,
    )


def non_negative(data: NDArray[np.float64], mixing: NDArray[np.float64], /) -> NDArray[np.float64]:
    """Least squares under non-negativity, exact, for a few components.

    Every set of components that may be present is solved at once for all pixels; the one that meets the optimality
    conditions (no negative abundance, no negative gradient of an absent component) is the answer.

    Parameters
    ----------
    data : ndarray, dims (pixel, channel)
        Radiance.
    mixing : ndarray, dims (channel, component)
        Full column rank, at most six components.

    Returns
    -------
    ndarray, dims (pixel, component)

    Examples
    --------
    >>> non_negative(np.array([[1.0, -1.0]]), np.eye(2)).tolist()
    [[1.0, 0.0]]
    """
    pixels, count = data.shape[0], mixing.shape[1]
    if count > 6:
        raise ValueError(f"at most six components, got {count}")
    best = np.zeros((pixels, count))
    best_residual = np.einsum("pb,pb->p", data, data)
    for size in range(1, count + 1):
        for active in combinations(range(count), size):
            part = mixing[:, active]
            solution = data @ np.linalg.pinv(part).T
            residual = np.einsum("pb,pb->p", *(2 * [data - solution @ part.T]))
            better = (solution >= 0).all(axis=1) & (residual < best_residual)
            best[better] = 0.0
            best[np.ix_(better, active)] = solution[better]
            best_residual[better] = residual[better]
    return best


def _shown(data: NDArray[np.float64], values: NDArray[np.float64], mixing: NDArray[np.float64]) -> NDArray[np.float64]:
    """Non-negative abundance; where no component came out negative the unbiased one is already it."""
    shown = values.copy()
    negative = (values < 0).any(axis=1)
    shown[negative] = non_negative(data[negative], mixing)
    return shown


def _weighted_least_squares(
    data: NDArray[np.float64], variance: NDArray[np.float64], mixing: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Abundance and its variance per pixel; dims (pixel, component)."""
    if mixing.shape[0] == mixing.shape[1]:
        # as many bands as components: the weights drop out
        inverse = np.linalg.inv(mixing)
        return data @ inverse.T, variance @ (inverse**2).T
    weight = 1.0 / np.maximum(variance, np.finfo(float).tiny)
    normal = np.einsum("bi,pb,bj->pij", mixing, weight, mixing)
    covariance = np.linalg.inv(normal)
    values = np.einsum("pij,bj,pb,pb->pi", covariance, mixing, weight, data)
    return values, np.einsum("pii->pi", covariance).copy()
