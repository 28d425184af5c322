"""Absorption: first exciton of a batch of dots, scattering beside it, and what Tauc's line can and cannot say."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lampyris.bench.photons import difference_sd
from lampyris.core.constants import EV_NM, FWHM_PER_SD
from lampyris.core.estimate import Estimate
from lampyris.statistics.averaging import following, widened, widening
from lampyris.statistics.fitting import DataSet, Fit, Parameter, derived, fit_least_squares

FEWEST_POINTS = 12
_WINDOWS = ((4.5, 2.0), (4.5, 1.4), (6.0, 2.6), (8.0, 3.0))
"""Reach of the fit below and above the exciton in its standard deviations; the first that has points answers."""
_SMOOTHING_EV = 0.06
"""Width over which the second derivative is taken: about half of the narrowest exciton of a batch."""


def predict_exciton(energy_ev: ArrayLike, parameters: ArrayLike, /) -> NDArray[np.float64]:
    """Absorbance around the first exciton.

    Parameters
    ----------
    energy_ev : array_like, dims (point,)
    parameters : array_like
        Height, energy and standard deviation of the first exciton; height, distance upwards and standard deviation of what follows;
        level.

    Returns
    -------
    numpy.ndarray, dims (point,)
        A Gaussian, the rise to the next transition as another one, and a level.
    """
    height, centre, sd, second, distance, second_sd, level = np.asarray(parameters, np.float64).tolist()
    x = np.asarray(energy_ev, np.float64)
    first = height * np.exp(-0.5 * ((x - centre) / sd) ** 2)
    return first + second * np.exp(-0.5 * ((x - centre - distance) / second_sd) ** 2) + level


def predict_scattering(wavelength_nm: ArrayLike, at_600: float, exponent: float, /) -> NDArray[np.float64]:
    """Apparent absorbance of scattered light, a power of the wavelength; the exponent is 4 of small particles.

    Parameters
    ----------
    wavelength_nm : array_like, dims (point,)
    at_600 : float
        At 600 nm.
    exponent : float

    Returns
    -------
    numpy.ndarray, dims (point,)
    """
    return at_600 * (np.asarray(wavelength_nm, np.float64) / 600.0) ** -exponent


def variance_absorbance(absorbance: ArrayLike, /, *, at_zero: float) -> NDArray[np.float64]:
    """Variance of an absorbance where the light that passes is limited by its photons.

    Parameters
    ----------
    absorbance : array_like, dims (point,)
    at_zero : float
        Variance at absorbance 0.

    Returns
    -------
    numpy.ndarray, dims (point,)
        Half comes from the sample's light, which falls tenfold per unit, and half from the reference's.
    """
    return 0.5 * at_zero * (1.0 + 10.0 ** np.asarray(absorbance, np.float64))


@dataclass(frozen=True, slots=True, eq=False)
class ExcitonFit:
    """First exciton of a spectrum.

    Parameters
    ----------
    energy_ev, first_exciton_nm : Estimate
        Centre of the fitted exciton.
    second_derivative_nm : float
        Where the second derivative is least: what a reader of the curve takes for the peak.
    highest_nm : float
        Where the fitted absorbance is highest near it: the rise to the next transition moves that to the blue. NaN of a shoulder.
    fwhm_mev : Estimate
    absorbance : Estimate
        Read at the exciton, above where the dots are transparent: what published extinctions are of. The height of the Gaussian alone
        is less, and hangs on which shape is taken for the rise beside it.
    fit : Fit
    inside : numpy.ndarray, dims (point,)
        Points that were fitted.
    expected : numpy.ndarray, dims (point,)
        NaN outside.
    """

    energy_ev: Estimate
    first_exciton_nm: Estimate
    second_derivative_nm: float
    highest_nm: float
    fwhm_mev: Estimate
    absorbance: Estimate
    fit: Fit
    inside: NDArray[np.bool_]
    expected: NDArray[np.float64]


def exciton_places(wavelength_nm: NDArray[np.float64], absorbance: NDArray[np.float64], /) -> list[float]:
    """Energies at which a batch of dots may have transitions: minima of the second derivative, lowest energy first.

    Parameters
    ----------
    wavelength_nm, absorbance : numpy.ndarray, dims (point,)
        Rising wavelength.

    Returns
    -------
    list of float
        In eV; those whose bend stands four times above what the noise of the points makes.
    """
    from scipy.signal import savgol_coeffs, savgol_filter

    energy = EV_NM / wavelength_nm[::-1]
    step = (energy[-1] - energy[0]) / max(energy.size, 100)
    grid = np.arange(energy[0], energy[-1], step)
    level = np.interp(grid, energy, absorbance[::-1])
    window = max(7, 2 * round(_SMOOTHING_EV / step / 2) + 1)
    if grid.size <= window + 2:
        return []
    bend = savgol_filter(level, window, 3, deriv=2, delta=step)
    # what the noise of the points makes of the derivative, from their own second differences
    scatter = difference_sd(absorbance) * float(np.linalg.norm(savgol_coeffs(window, 3, deriv=2, delta=step)))
    # numerical noise of a clean curve is no transition
    floor = max(4.0 * scatter, 0.02 * float(np.abs(bend[window // 2 : -(window // 2)]).max()))
    return [
        float(grid[k])
        for k in range(window // 2, grid.size - window // 2)
        if bend[k] < -floor and bend[k] <= bend[k - 1] and bend[k] < bend[k + 1]
    ]


def infer_exciton(
    wavelength_nm: NDArray[np.float64],
    absorbance: NDArray[np.float64],
    /,
    *,
    near_nm: float | None = None,
    level: float = 0.95,
) -> ExcitonFit:
    """First exciton by the second derivative, then by a fit around it.

    Parameters
    ----------
    wavelength_nm, absorbance : numpy.ndarray, dims (point,)
        Rising wavelength, finite.
    near_nm : float, optional
        About where it lies; the transition nearest to it is taken, else the one of lowest energy.
    level : float

    Returns
    -------
    ExcitonFit

    Raises
    ------
    ValueError
        If points are too few, or no transition stands above the noise.
    """
    if wavelength_nm.size < FEWEST_POINTS:
        raise ValueError(f"{wavelength_nm.size} points are too few, {FEWEST_POINTS} are needed")
    places = exciton_places(wavelength_nm, absorbance)
    if not places:
        raise ValueError("no transition stands above the noise: the curve has neither peak nor shoulder")
    first = min(places, key=lambda e: abs(e - EV_NM / near_nm)) if near_nm else places[0]
    energy = EV_NM / wavelength_nm
    sd = _width_of(energy, absorbance, first)
    fits = []
    for below, above in _WINDOWS:
        inside = (energy > first - below * sd) & (energy < first + above * sd)
        if inside.sum() >= FEWEST_POINTS:
            fit = _fitted(energy[inside], absorbance[inside], first, sd, level)
            fits.append(_described(wavelength_nm, inside, fit, EV_NM / first))
    if not fits:
        raise ValueError(f"fewer than {FEWEST_POINTS} points lie around the transition at {EV_NM / first:.0f} nm")
    return _over_windows(fits)


def _fitted(x: NDArray[np.float64], y: NDArray[np.float64], first: float, sd: float, level: float) -> Fit:
    floor = float(np.quantile(y, 0.05))
    height = max(float(np.interp(-first, -x, y)) - floor, 1e-6)
    parameters = [
        Parameter("height", 0.7 * height, low=0.0, scale=0.01 * height),
        Parameter("energy", first, first - 2.0 * sd, first + 2.0 * sd, unit="eV", scale=0.01 * sd),
        Parameter("sd", sd, 0.25 * sd, 3.0 * sd, unit="eV", scale=0.01 * sd),
        Parameter("next_height", height, low=0.0, scale=0.02 * height, grid=(3.0 * height,)),
        Parameter("next_distance", 3.5 * sd, 1.5 * sd, 12.0 * sd, unit="eV", scale=0.05 * sd),
        Parameter("next_sd", 1.8 * sd, 0.5 * sd, 8.0 * sd, unit="eV", scale=0.05 * sd),
        Parameter("level", floor, scale=0.01 * height),
    ]
    return fit_least_squares(DataSet(lambda p: predict_exciton(x, p), y), parameters, scatter="residual", level=level)


def _over_windows(fits: Sequence[ExcitonFit]) -> ExcitonFit:
    """The first window's fit, its errors joined with how far the windows differ: what lies to the blue is not quite a Gaussian.

    Windows lie within each other, so noise makes their answers differ by the difference of their variances (Hausman 1978,
    Econometrica 46, 1251, DOI 10.2307/1913827); only what they differ by beyond that speaks of the shape.
    """
    first = fits[0]
    changed: dict[str, Any] = {}
    for name in ("energy_ev", "first_exciton_nm", "fwhm_mev", "absorbance"):
        one = getattr(first, name)
        others = [getattr(other, name) for other in fits]
        beyond = max((other.value - one.value) ** 2 - abs(other.sd**2 - one.sd**2) for other in others)
        if math.isfinite(one.sd) and one.sd > 0 and math.isfinite(beyond):
            factor = math.hypot(one.sd, math.sqrt(beyond / 3.0)) / one.sd
            changed[name] = widened(one, factor, why="widened by how far windows differ")
    return replace(first, **changed)


def _width_of(energy: NDArray[np.float64], absorbance: NDArray[np.float64], first: float) -> float:
    """Standard deviation of the exciton by its red side: where the absorbance falls to 0.6 of that at the transition."""
    red = energy <= first
    order = np.argsort(-energy[red])
    e, a = energy[red][order], absorbance[red][order]
    floor = float(np.quantile(a, 0.1)) if a.size else 0.0
    if a.size < 3 or not a[0] > floor:
        return 0.06
    below = np.flatnonzero(a < floor + 0.6065 * (a[0] - floor))
    reach = first - float(e[below[0]]) if below.size else 0.06
    return min(max(reach, 0.015), 0.25)


def _described(
    wavelength_nm: NDArray[np.float64], inside: NDArray[np.bool_], fit: Fit, second_derivative_nm: float
) -> ExcitonFit:
    widen = widening(following(fit.residuals[0]))
    expected = np.full(wavelength_nm.size, math.nan)
    expected[inside] = predict_exciton(EV_NM / wavelength_nm[inside], fit.values)
    centre = EV_NM / fit["energy"].value
    return ExcitonFit(
        widened(derived(fit, lambda p: float(p[1]), unit="eV"), widen),
        widened(derived(fit, lambda p: EV_NM / float(p[1]), unit="nm"), widen),
        second_derivative_nm,
        _top_nm(fit.values, centre),
        widened(derived(fit, lambda p: 1000.0 * FWHM_PER_SD * float(p[2]), unit="meV"), widen),
        widened(derived(fit, _read_at_exciton), widen, least=0.0),
        fit,
        inside,
        expected,
    )


def _read_at_exciton(parameters: NDArray[np.float64]) -> float:
    """Fitted absorbance at the exciton above the level."""
    return float(predict_exciton(parameters[1], parameters) - parameters[6])


def _top_nm(parameters: NDArray[np.float64], centre_nm: float) -> float:
    """Wavelength at which the fitted absorbance has its maximum near the exciton; NaN of a shoulder."""
    energy, sd = EV_NM / centre_nm, float(parameters[2])
    fine = np.linspace(energy - 2.0 * sd, energy + 2.0 * sd, 801)
    level = predict_exciton(fine, parameters)
    tops = np.flatnonzero((level[1:-1] > level[:-2]) & (level[1:-1] >= level[2:])) + 1
    if not tops.size:
        return math.nan
    k = int(tops[0])
    below, at, above = level[k - 1 : k + 2]
    return EV_NM / float(fine[k] + 0.5 * (fine[1] - fine[0]) * (below - above) / (below - 2.0 * at + above))


@dataclass(frozen=True, slots=True)
class Scattering:
    """Scattered light in an absorption spectrum: apparent absorbance at 600 nm, its exponent, and the level beneath."""

    at_600: float
    exponent: float
    level: float


def infer_scattering(
    wavelength_nm: NDArray[np.float64], absorbance: NDArray[np.float64], transparent_from_nm: float, /
) -> Scattering | None:
    """Power of the wavelength that describes where dots are transparent; None where it is not told from noise.

    Parameters
    ----------
    wavelength_nm, absorbance : numpy.ndarray, dims (point,)
    transparent_from_nm : float
        From here on the dots absorb nothing.

    Returns
    -------
    Scattering or None
        None with fewer than ten points there, or where the rise to the blue is no three of its standard errors.
    """
    red = wavelength_nm >= transparent_from_nm
    if red.sum() < 10:
        return None
    x, y = wavelength_nm[red], absorbance[red]
    best: tuple[float, Scattering] | None = None
    for exponent in (2.0, 3.0, 4.0):
        design = np.column_stack([predict_scattering(x, 1.0, exponent), np.ones_like(x)])
        solution, rest, rank, _ = np.linalg.lstsq(design, y, rcond=None)
        if rank < 2:
            continue
        left = float(rest[0]) if rest.size else float(np.sum((y - design @ solution) ** 2))
        spread = left / (x.size - 2) * np.linalg.inv(design.T @ design)[0, 0]
        if solution[0] > 3.0 * math.sqrt(max(spread, 0.0)) and solution[0] > 0 and (best is None or left < best[0]):
            best = left, Scattering(float(solution[0]), exponent, float(solution[1]))
    return best[1] if best else None


def tauc_gap(
    wavelength_nm: NDArray[np.float64],
    absorbance: NDArray[np.float64],
    first_exciton_ev: float,
    /,
    *,
    level: float = 0.95,
) -> Estimate:
    """Gap of a direct semiconductor by Tauc's line, (A E)^2 against E, on the red side of the first exciton.

    Parameters
    ----------
    wavelength_nm, absorbance : numpy.ndarray, dims (point,)
    first_exciton_ev : float
    level : float

    Returns
    -------
    Estimate
        NaN where the edge has fewer than four points. The rule is of a bulk edge; a dot's exciton bends it, so that the answer lies
        below the exciton by about half of its width, whatever the material: a number for comparison with other papers only.

    References
    ----------
    Tauc, Grigorovici and Vancu, Phys. Status Solidi 15, 627 (1966), DOI 10.1002/pssb.19660150224.
    """
    energy = EV_NM / wavelength_nm
    y = (np.maximum(absorbance, 0.0) * energy) ** 2
    top = float(np.interp(-first_exciton_ev, -energy, y))
    edge = (energy < first_exciton_ev) & (y > 0.2 * top) & (y < 0.8 * top)
    method = "line through the edge between 20 and 80 % of the exciton"
    if edge.sum() < 4:
        return Estimate(math.nan, math.nan, math.nan, math.nan, level, "eV", method)
    x, v = energy[edge], y[edge]
    line = fit_least_squares(
        DataSet(lambda p: p[0] * (x - p[1]), v),
        [
            Parameter("slope", float(np.ptp(v) / max(np.ptp(x), 1e-6)), low=0.0),
            Parameter("gap", float(x.min()), float(x.min()) - 1.0, float(x.max()), unit="eV", scale=0.001),
        ],
        scatter="residual",
        level=level,
    )
    return replace(line["gap"], method=method)
