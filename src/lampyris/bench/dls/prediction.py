"""What a correlator records of a size distribution."""

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lampyris.bench.dls.light import Optics
from lampyris.bench.dls.scattering import scattered_intensity

Weighting = Literal["intensity", "volume", "number"]


def intensity_weights(
    diameters_nm: ArrayLike,
    weights: ArrayLike,
    optics: Optics,
    /,
    *,
    weighting: Weighting = "intensity",
    particle_index: complex | None = None,
) -> NDArray[np.float64]:
    """Shares of the scattered light, of shares by intensity, volume or number.

    Parameters
    ----------
    diameters_nm, weights : array_like, dims (size,)
    optics : Optics
    weighting : str
        What `weights` count.
    particle_index : complex, optional
        As of `scattered_intensity`.

    Returns
    -------
    numpy.ndarray, dims (size,)
        Sums to 1.
    """
    sizes, share = np.asarray(diameters_nm, np.float64), np.asarray(weights, np.float64)
    if weighting != "intensity":
        share = share * scattered_intensity(sizes, optics, particle_index=particle_index)
        if weighting == "volume":
            share = share / sizes**3
    return share / share.sum()


def field_correlation(
    lag_s: ArrayLike, diameters_nm: ArrayLike, intensities: ArrayLike, optics: Optics, /
) -> NDArray[np.float64]:
    """Normalised correlation g1 of the scattered field.

    Parameters
    ----------
    lag_s : array_like, dims (lag,)
    diameters_nm, intensities : array_like, dims (size,)
        Hydrodynamic diameters, and each one's share of the scattered light.
    optics : Optics

    Returns
    -------
    numpy.ndarray, dims (lag,)
    """
    share = np.asarray(intensities, np.float64)
    decay = np.exp(-np.multiply.outer(np.asarray(lag_s, np.float64), optics.rates_per_s(diameters_nm)))
    return np.asarray(decay @ (share / share.sum()), np.float64)


def predict_correlogram(
    lag_s: ArrayLike,
    diameters_nm: ArrayLike,
    intensities: ArrayLike,
    optics: Optics,
    /,
    *,
    intercept: float = 0.95,
    baseline: float = 0.0,
) -> NDArray[np.float64]:
    """Expected g2 - 1, by Siegert's relation.

    Parameters
    ----------
    lag_s, diameters_nm, intensities, optics
        As of `field_correlation`.
    intercept : float
        Spatial coherence: the value at lag 0 above the baseline.
    baseline : float
        What is left at long lags.

    Returns
    -------
    numpy.ndarray, dims (lag,)
    """
    return intercept * field_correlation(lag_s, diameters_nm, intensities, optics) ** 2 + baseline
