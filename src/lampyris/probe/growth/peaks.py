"""First absorption peak of a growing batch, as aliquots in a spectrometer show it, by the sizing curves of the material."""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lampyris.core.errors import InputError
from lampyris.probe.sizing import first_exciton_nm, sized_materials


def first_peaks(
    material: str, diameter_nm: ArrayLike, low_nm: ArrayLike, high_nm: ArrayLike, /
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """First absorption peaks of mean diameters, with their band.

    Parameters
    ----------
    material : str
    diameter_nm, low_nm, high_nm : array_like, dims (time,)
        Mean diameter and its band; NaN where there are no dots.

    Returns
    -------
    ndarray, ndarray, ndarray, dims (time,)
        Peak, lower and upper end in nm: the band of the diameter and the scatter about the sizing curve, as independent. NaN
        where a diameter is outside of every curve, and throughout where the material has none.

    Examples
    --------
    >>> peak, low, high = first_peaks("CdSe", [4.0, 40.0], [3.8, 38.0], [4.2, 42.0])
    >>> bool(560 < low[0] < peak[0] < high[0] < 620), bool(np.isnan(peak[1]))
    (True, True)
    """
    sizes = np.asarray(diameter_nm, np.float64)
    peaks = np.full((3, sizes.size), np.nan)
    for k, ends in enumerate(zip(sizes, np.asarray(low_nm), np.asarray(high_nm), strict=True)):
        middle, scatter = _peak(material, float(ends[0]))
        peaks[:, k] = middle
        for row, end, sign in ((1, ends[1], -1.0), (2, ends[2], 1.0)):
            # beyond the curve the band is open
            peaks[row, k] += sign * math.hypot(_peak(material, float(end))[0] - middle, scatter)
    return peaks[0], peaks[1], peaks[2]


def _peak(material: str, diameter_nm: float) -> tuple[float, float]:
    """Peak and half of its 95 % band; NaN where no curve holds."""
    if material not in sized_materials() or not math.isfinite(diameter_nm):
        return math.nan, math.nan
    try:
        found = first_exciton_nm(material, diameter_nm)
    except InputError:
        return math.nan, math.nan
    return found.value, found.high - found.value
