"""Unmixing: how much probe, autofluorescence and leaked excitation each pixel holds.

Weighted least squares, unbiased and with covariance, serves detection and photometry: a negative abundance is an honest
measurement of nothing. The non-negative solution is for showing only.
"""

import numpy as np
from numpy.typing import NDArray

from lampyris.core.images import AbundanceMap, Radiance
from lampyris.core.settings import Instrument
from lampyris.imaging.radiance.active_sets import exchange_sets, set_responses, try_every_set
from lampyris.probe.probe import Probe, band_fractions

COMPONENTS = ("probe", "autofluorescence", "leakage")
# below so many pixels NumPy is done before the compiled code is loaded
_COMPILED_FROM = 200_000
# pixels whose coordinates stay in a core's cache
_BLOCK = 4096


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
    data = radiance.values.reshape(bands, -1)
    values, spread = _weighted_least_squares(data, radiance.variance.reshape(bands, -1), mixing)
    shape = (mixing.shape[1], height, width)
    display = _shown(data, values, mixing, None if shown is None else shown.ravel())
    return AbundanceMap(
        values=values.reshape(shape),
        variance=spread.reshape(shape),
        display=display.reshape(shape),
        flags=np.bitwise_or.reduce(radiance.flags, axis=0),
        components=COMPONENTS[: mixing.shape[1]],
        pixel_mm=radiance.pixel_mm,
    )


def non_negative(data: NDArray[np.float64], mixing: NDArray[np.float64], /) -> NDArray[np.float64]:
    """Least squares under non-negativity, exact, for a few components.

    Of every set of components that may be present, the one that meets the optimality conditions (no negative abundance, no
    gain from an absent component) is the answer; see `lampyris.imaging.radiance.active_sets`.

    Parameters
    ----------
    data : ndarray, dims (pixel, channel)
        Radiance.
    mixing : ndarray, dims (channel, component)
        Full column rank, at most six components.

    Returns
    -------
    ndarray, dims (pixel, component)

    Raises
    ------
    ValueError
        If there are more than six components.

    Examples
    --------
    >>> non_negative(np.array([[1.0, -1.0]]), np.eye(2)).tolist()
    [[1.0, 0.0]]
    """
    if mixing.shape[1] > 6:
        raise ValueError(f"at most six components, got {mixing.shape[1]}")
    responses = set_responses(mixing)
    if len(data) < _COMPILED_FROM:
        return try_every_set(data @ responses.basis, responses)
    found = np.empty((len(data), mixing.shape[1]))
    reduced = np.empty((_BLOCK, mixing.shape[1]))
    for start in range(0, len(data), _BLOCK):
        block, out = data[start : start + _BLOCK], found[start : start + _BLOCK]
        coordinates = np.matmul(block, responses.basis, out=reduced[: len(block)])
        if exchange_sets(coordinates, responses.matrix, responses.floor, out):
            left = np.isnan(out).any(axis=1)
            out[left] = try_every_set(coordinates[left], responses)
    return found


def _shown(
    data: NDArray[np.float64], values: NDArray[np.float64], mixing: NDArray[np.float64], shown: NDArray[np.bool_] | None
) -> NDArray[np.float64]:
    """Non-negative abundance, dims (component, pixel); where nothing came out negative the unbiased one is already it."""
    negative = np.logical_or.reduce(values < 0, axis=0)
    display = values.copy()
    if shown is not None:
        negative &= shown
        display[:, ~shown] = 0.0
    display[:, negative] = non_negative(data[:, negative].T, mixing).T
    return display


def _weighted_least_squares(
    data: NDArray[np.float64], variance: NDArray[np.float64], mixing: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Abundance and its variance per pixel, dims (component, pixel), from bands, dims (channel, pixel)."""
    bands, count = mixing.shape
    if bands == count:
        # as many bands as components: the weights drop out
        inverse = np.linalg.inv(mixing)
        return inverse @ data, (inverse**2) @ variance
    weight = 1.0 / np.maximum(variance, np.finfo(float).tiny)
    products = (mixing[:, :, None] * mixing[:, None, :]).reshape(bands, -1)
    covariance = np.linalg.inv((weight.T @ products).reshape(-1, count, count))
    values = np.einsum("pij,jp->ip", covariance, mixing.T @ (weight * data))
    return values, np.ascontiguousarray(np.einsum("pii->ip", covariance))
