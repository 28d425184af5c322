"""Whether infrared bands have the shape that was fitted: what the fit leaves beside them, against what it leaves between them; and lean."""

import math

import numpy as np
from numpy.typing import NDArray

from lampyris.bench.ftir.bands import BandFit
from lampyris.core.estimate import Estimate

Array = NDArray[np.float64]
LEVEL = 0.01
"""Chance that a spectrum whose bands all have the fitted shape is called misshapen."""
_REACH = 1.5
_FREE = 2.5
_BLOCK = 0.25
_OWN = 4
_FEWEST = 10


def misshapen(wavenumber_cm: Array, signal: Array, fit: BandFit, /) -> tuple[float, float]:
    """Chance of what is left beside the worst band, and that band's centre.

    Parameters
    ----------
    wavenumber_cm, signal : numpy.ndarray, dims (point,)
    fit : BandFit

    Returns
    -------
    float, float
        Times the number of bands tried, at most 1; below `LEVEL` residuals run beside the band. 1 and NaN where nothing can be tried.

    Notes
    -----
    Residuals are averaged over blocks of a quarter of a band's width: those of a wrong shape keep their sign over so much, noise does
    not. Blocks within one and a half widths of the band are compared by an F test with blocks that no band is near, which hold
    whatever else makes neighbours alike, such as zero filling. Four of the near blocks' degrees are the band's own parameters.
    """
    from scipy.special import fdtrc

    # a detector's noise is more of the absorbance where less comes through
    left = (signal - fit.expected) / 10.0 ** np.clip(signal, 0.0, 4.0)
    step = float(np.median(np.diff(wavenumber_cm)))
    away = np.ones(wavenumber_cm.size, np.bool_)
    for band in fit.bands:
        away &= np.abs(wavenumber_cm - band.centre_cm.value) > _FREE * band.fwhm_cm.value
    worst, at, tried = 1.0, math.nan, 0
    for band in fit.bands:
        size = max(1, round(_BLOCK * band.fwhm_cm.value / step))
        near = _blocks(left, np.abs(wavenumber_cm - band.centre_cm.value) < _REACH * band.fwhm_cm.value, size)
        between = _blocks(left, away, size)
        degrees = near.size - _OWN
        noise = float(between @ between)
        if degrees < 2 or between.size < _FEWEST or not noise > 0:
            continue
        tried += 1
        chance = float(fdtrc(degrees, between.size, float(near @ near) / degrees / (noise / between.size)))
        if chance < worst:
            worst, at = chance, band.centre_cm.value
    return min(worst * max(tried, 1), 1.0), at


def lopsided(fit: BandFit, /) -> tuple[float, Estimate]:
    """Chance of the strongest lean of bands that have none, times the number of groups of bands, at most 1; and that lean.

    Parameters
    ----------
    fit : BandFit

    Returns
    -------
    float, Estimate
        1 and an unknown lean where no group's lean has an error.
    """
    from scipy.special import ndtr

    # an estimate is the same object for all bands of its group
    leans = list({id(band.lean): band.lean for band in fit.bands}.values())
    worst, strongest = 1.0, Estimate.unknown(0.95, "1", "no lean told")
    for one in leans:
        known = math.isfinite(one.sd) and one.sd > 0
        chance = 2.0 * float(ndtr(-abs(one.value) / one.sd)) * len(leans) if known else 1.0
        if chance < worst:
            worst, strongest = chance, one
    return worst, strongest


def _blocks(left: Array, where: NDArray[np.bool_], size: int) -> Array:
    """Means over runs of `size` points within each stretch that is asked for."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], where, [False]]).astype(np.int8))).reshape(-1, 2)
    parts = [left[a : a + (b - a) // size * size].reshape(-1, size).mean(axis=1) for a, b in edges if b - a >= size]
    return np.concatenate(parts) if parts else np.zeros(0)
