"""Energy and wavelength: what an axis means, the Jacobian of a density, and the peak and width of a line on either."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lampyris.core.constants import EV_NM
from lampyris.probe.refusals import refusal


def energy_ev(wavelength_nm: ArrayLike, /) -> NDArray[np.float64]:
    """Photon energy in eV of a vacuum wavelength in nm, and the other way round: the rule is its own inverse.

    Examples
    --------
    >>> round(float(energy_ev(810.0)), 4)
    1.5307
    """
    return EV_NM / np.asarray(wavelength_nm, dtype=np.float64)


def per_nm_from_per_ev(density_per_ev: ArrayLike, energy: ArrayLike, /) -> NDArray[np.float64]:
    """Density per nm of a density per eV at the same photons, `energy` in eV.

    The same photons lie in dE and in dL, so the density is multiplied by ``|dE/dL| = E^2 / hc``.
    """
    return np.asarray(density_per_ev, dtype=np.float64) * np.asarray(energy, dtype=np.float64) ** 2 / EV_NM


def per_ev_from_per_nm(density_per_nm: ArrayLike, wavelength_nm: ArrayLike, /) -> NDArray[np.float64]:
    """Density per eV of a density per nm at the same photons: multiplied by ``L^2 / hc``.

    Examples
    --------
    >>> flat = per_ev_from_per_nm([1.0, 1.0], [500.0, 1000.0])
    >>> float(flat[1] / flat[0])
    4.0
    """
    return np.asarray(density_per_nm, dtype=np.float64) * np.asarray(wavelength_nm, dtype=np.float64) ** 2 / EV_NM


def width_nm(fwhm_ev: float, peak_nm: float, /) -> float:
    """Width in nm of a line of `fwhm_ev` around `peak_nm`, exactly: between the wavelengths of its two half maxima.

    Examples
    --------
    >>> round(width_nm(0.089, 810.0), 1)
    47.1
    """
    middle = EV_NM / peak_nm
    return EV_NM / (middle - fwhm_ev / 2) - EV_NM / (middle + fwhm_ev / 2)


@dataclass(frozen=True, slots=True)
class Line:
    """Peak and width of a line.

    Parameters
    ----------
    peak : float
        Where it is highest, in the axis' unit.
    fwhm : float
        Full width at half maximum; NaN where a half maximum is outside the axis.
    height : float
        Of the highest point.
    """

    peak: float
    fwhm: float
    height: float


def measured_line(axis: ArrayLike, values: ArrayLike, /) -> Line:
    """Peak (parabola through the highest point and its neighbours) and full width (straight between points).

    Parameters
    ----------
    axis : array_like, dims (point,)
        Wavelength or energy, rising or falling.
    values : array_like, dims (point,)
        Finite, with a point above 0.

    Raises
    ------
    InputError
        If there are fewer than three points, one is not finite, the axis does not run one way, or nothing is above 0.

    Examples
    --------
    >>> x = np.linspace(700.0, 900.0, 401)
    >>> line = measured_line(x, np.exp(-0.5 * ((x - 810.0) / 20.0) ** 2))
    >>> round(line.peak, 3), round(line.fwhm, 2)
    (810.0, 47.1)
    """
    x, y = np.asarray(axis, dtype=np.float64), np.asarray(values, dtype=np.float64)
    if x.ndim != 1 or x.shape != y.shape or x.size < 3 or not (np.isfinite(x).all() and np.isfinite(y).all()):
        seen = f"a line needs three finite points or more, got shapes {x.shape} and {y.shape}."
        raise refusal("probe.no-line", "spectrum", seen, "Leave out points that are not finite.")
    if x[0] > x[-1]:
        x, y = x[::-1], y[::-1]
    if not (np.diff(x) > 0).all() or not y.max() > 0:
        seen = f"a line needs an axis that runs one way and a point above 0, highest is {y.max():g}."
        raise refusal("probe.no-line", "spectrum", seen, "Sort the points and take off the background.")
    at = int(np.argmax(y))
    peak, height = float(x[at]), float(y[at])
    if 0 < at < x.size - 1:
        peak, height = _vertex(x[at - 1 : at + 2], y[at - 1 : at + 2])
    left, right = _crossing(x[: at + 1][::-1], y[: at + 1][::-1], height / 2), _crossing(x[at:], y[at:], height / 2)
    return Line(peak, right - left, height)


def _vertex(x: NDArray[np.float64], y: NDArray[np.float64]) -> tuple[float, float]:
    """Top of the parabola through three points."""
    first, second = (y[1] - y[0]) / (x[1] - x[0]), (y[2] - y[1]) / (x[2] - x[1])
    bend = (second - first) / (x[2] - x[0])
    if bend >= 0:
        return float(x[1]), float(y[1])
    peak = 0.5 * (x[0] + x[1]) - first / (2 * bend)
    return float(peak), float(y[0] + first * (peak - x[0]) + bend * (peak - x[0]) * (peak - x[1]))


def _crossing(x: NDArray[np.float64], y: NDArray[np.float64], level: float) -> float:
    """Where the values first fall below the level, going along; NaN where they do not."""
    below = np.flatnonzero(y < level)
    if not below.size:
        return math.nan
    end = int(below[0])
    share = (y[end - 1] - level) / (y[end - 1] - y[end])
    return float(x[end - 1] + share * (x[end] - x[end - 1]))
