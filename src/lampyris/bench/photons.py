"""Spectra as photons, integrated over bands, with the noise that the spectrum itself shows."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lampyris.core.instruments import Spectrum


@dataclass(frozen=True, slots=True)
class PhotonSum:
    """Photons in a band, in the instrument's own unit.

    Parameters
    ----------
    value, sd : float
        Integral and the standard deviation that the noise of the points gives it.
    points : int
        Points in the band.
    """

    value: float
    sd: float
    points: int


def photon_weight(
    wavelength_nm: NDArray[np.float64], correction: Spectrum | None = None, /, *, signal_is: str = "energy"
) -> NDArray[np.float64]:
    """Factor from a signal per nm to photons per nm, dims (point,).

    Parameters
    ----------
    wavelength_nm : numpy.ndarray, dims (point,)
    correction : Spectrum, optional
        Factor of the instrument, interpolated.
    signal_is : {"energy", "photons"}
        What the corrected signal is proportional to; of energy a photon takes hc / wavelength.

    Raises
    ------
    ValueError
        If the correction does not reach over the wavelengths.
    """
    weight = np.ones_like(wavelength_nm) if signal_is == "photons" else wavelength_nm / 1000.0
    if correction is None:
        return weight
    low, high = float(correction.axis[0]), float(correction.axis[-1])
    if wavelength_nm[0] < low or wavelength_nm[-1] > high:
        raise ValueError(
            f"the correction reaches from {low:g} to {high:g} nm, the spectrum from "
            f"{wavelength_nm[0]:g} to {wavelength_nm[-1]:g} nm"
        )
    return weight * np.interp(wavelength_nm, correction.axis, correction.signal)


def local_mean(signal: NDArray[np.float64], /) -> NDArray[np.float64]:
    """Mean of each point and two neighbours on either side, the ends repeated; dims (point,): a level by which noise is told."""
    return np.convolve(np.pad(signal, 2, mode="edge"), np.ones(5) / 5.0, mode="valid")


def difference_sd(values: NDArray[np.float64], /) -> float:
    """Standard deviation of independent noise upon a smooth curve, by the median of its second differences.

    Parameters
    ----------
    values : numpy.ndarray, dims (point,)
        Three or more.

    Returns
    -------
    float
        The median of a normal deviate's size is 1 / 1.4826 of its standard deviation, and a second difference of independent noise
        has six times its variance.

    Examples
    --------
    >>> round(difference_sd(np.random.default_rng(1).normal(0.0, 2.0, 20000)), 1)
    2.0
    """
    return 1.4826 * float(np.median(np.abs(np.diff(values, 2)))) / math.sqrt(6.0)


def rounding_step(values: NDArray[np.float64], /) -> float:
    """Step in which a signal's numbers were written; 0 where they have none in common.

    Parameters
    ----------
    values : numpy.ndarray, dims (point,)

    Returns
    -------
    float
        Greatest distance of which all values lie whole multiples apart, by Euclid's rule.

    Examples
    --------
    >>> round(rounding_step(np.array([0.966, 0.961, 0.9705, 0.966])), 9), rounding_step(np.sqrt(np.arange(5.0)))
    (0.0005, 0.0)
    """
    known = np.unique(values[np.isfinite(values)])
    gaps = np.diff(known)
    # what binary numbers make of decimal ones
    least = 1e-9 * float(np.abs(known).max(initial=0.0))
    while gaps.size and (step := float(gaps.min())) > least:
        left = np.abs(gaps - step * np.round(gaps / step))
        left = left[left > 0.01 * step]
        if not left.size:
            return step
        gaps = np.append(left, step)
    return 0.0


def noise_line(spectra: tuple[Spectrum, ...], /) -> tuple[float, float]:
    """Variance of a point as ``a + b * signal``, from the second differences of smooth spectra.

    Parameters
    ----------
    spectra : tuple of Spectrum
        Recorded with one detector and exposure; the shape must change little over three points.

    Returns
    -------
    float, float
        Both at least 0.

    Notes
    -----
    A second difference of independent noise has six times its variance. Points are sorted by signal into ten groups, and
    the line goes through the groups' medians, so that a few steep places do not count.
    """
    levels, squares = [], []
    for spectrum in spectra:
        y = spectrum.signal[np.isfinite(spectrum.signal)]
        if y.size >= 5:
            levels.append(np.maximum(y[1:-1], 0.0))
            squares.append(np.diff(y, 2) ** 2 / 6.0)
    if not levels:
        return 0.0, 0.0
    level, square = np.concatenate(levels), np.concatenate(squares)
    order = np.argsort(level, kind="stable")
    groups = [group for group in np.array_split(order, 10) if group.size]
    # the median of a squared normal deviate is 0.4549 of its mean
    x = np.array([np.median(level[group]) for group in groups])
    v = np.array([np.median(square[group]) / 0.4549 for group in groups])
    scale = max(float(np.median(v)), 1e-300)
    from scipy.optimize import nnls

    weight = 1.0 / np.maximum(v, 0.05 * scale)
    design = np.column_stack([np.ones_like(x), x / max(float(x.max()), 1e-300)]) * weight[:, None]
    (a, b), _ = nnls(design, v * weight)
    return float(a), float(b / max(float(x.max()), 1e-300))


def band_photons(
    spectrum: Spectrum,
    band_nm: tuple[float, float],
    weight: NDArray[np.float64],
    /,
    *,
    noise: tuple[float, float] = (0.0, 0.0),
) -> PhotonSum:
    """Photons within a band by the trapezoid rule.

    Parameters
    ----------
    spectrum : Spectrum
        Over wavelength.
    band_nm : (float, float)
    weight : numpy.ndarray
        Of `photon_weight`, at the spectrum's own points.
    noise : (float, float)
        Of `noise_line`.

    Returns
    -------
    PhotonSum
        Of no points where the band holds fewer than two.
    """
    low, high = band_nm
    inside = (spectrum.axis >= low) & (spectrum.axis <= high) & np.isfinite(spectrum.signal)
    x, y, w = spectrum.axis[inside], spectrum.signal[inside], weight[inside]
    if x.size < 2:
        return PhotonSum(float("nan"), float("nan"), int(x.size))
    width = np.gradient(x)
    width[[0, -1]] /= 2.0
    variance = noise[0] + noise[1] * np.maximum(y, 0.0)
    return PhotonSum(float(np.trapezoid(y * w, x)), float(np.sqrt(np.sum(variance * (w * width) ** 2))), int(x.size))
