"""Absorption: first exciton of a batch of dots, scattering beside it, and what Tauc's line can and cannot say."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lampyris.bench.photons import difference_sd, local_mean
from lampyris.core.constants import EV_NM, FWHM_PER_SD
from lampyris.core.estimate import Estimate
from lampyris.statistics.averaging import akaike_weights, averaged_estimate, following, widened, widening
from lampyris.statistics.fitting import DataSet, Fit, Parameter, derived, fit_least_squares

FEWEST_POINTS = 12
_WINDOWS = ((6.0, 2.6), (4.5, 2.0), (4.5, 1.4), (8.0, 3.0))
"""Reach of the fit below and above the exciton in its standard deviations; the first that has points answers: narrower ones do not tell
a foot of further transitions from the flank of the next one, wider ones reach to where neither shape holds."""
_TOLD = ("energy_ev", "first_exciton_nm", "fwhm_mev", "absorbance", "tauc_gap_ev")
_FOOT = (1.0, 3.0)
"""Least and largest energy over which the foot of further transitions grows e-fold, in standard deviations of the exciton; assumed, as
that of a Gaussian two to three and a half times as wide, four of its standard deviations up."""
_LIKELY = 0.05
"""Weight within its window from which a shape says how far windows differ."""
_WEIGHED = (-0.5, 4.0)
"""Absorbances between which points are weighed by their photons; beyond, others than those limit them."""
_SMOOTHING_EV = 0.06
"""Width over which the second derivative is taken: about half of the narrowest exciton of a batch."""


def predict_exciton(energy_ev: ArrayLike, parameters: ArrayLike, /) -> NDArray[np.float64]:
    """Absorbance around the first exciton.

    Parameters
    ----------
    energy_ev : array_like, dims (point,)
    parameters : array_like
        Height, energy and standard deviation of the first exciton; height, distance upwards and standard deviation of what follows;
        level; and, where further transitions reach down to it, their foot at the exciton and the energy over which it grows e-fold.

    Returns
    -------
    numpy.ndarray, dims (point,)
        A Gaussian, the rise to the next transition as another one, a level, and an exponential foot.
    """
    height, centre, sd, second, distance, second_sd, level, *foot = np.asarray(parameters, np.float64).tolist()
    x = np.asarray(energy_ev, np.float64)
    total = height * np.exp(-0.5 * ((x - centre) / sd) ** 2)
    total = total + second * np.exp(-0.5 * ((x - centre - distance) / second_sd) ** 2) + level
    return np.asarray(total + foot[0] * np.exp((x - centre) / foot[1])) if foot else np.asarray(total)


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


def _slopes(x: NDArray[np.float64]) -> Callable[[NDArray[np.float64]], NDArray[np.float64]]:
    """Derivatives of `predict_exciton` by its parameters, dims (point, parameter)."""

    def of(p: NDArray[np.float64]) -> NDArray[np.float64]:
        height, centre, sd, second, distance, second_sd, _, *foot = p.tolist()
        u, v = (x - centre) / sd, (x - centre - distance) / second_sd
        first, following = np.exp(-0.5 * u**2), np.exp(-0.5 * v**2)
        near, far = height * first * u / sd, second * following * v / second_sd
        columns = [first, near + far, near * u, following, far, far * v, np.ones(x.size)]
        if foot:
            grown = np.exp((x - centre) / foot[1])
            columns[1] = columns[1] - foot[0] * grown / foot[1]
            columns += [grown, -foot[0] * grown * (x - centre) / foot[1] ** 2]
        return np.column_stack(columns)

    return of


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
    tauc_gap_ev : Estimate
        By Tauc's line, as of `tauc_gap`.
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
    tauc_gap_ev: Estimate
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
    windows = [(energy > first - below * sd) & (energy < first + above * sd) for below, above in _WINDOWS]
    windows = [inside for inside in windows if inside.sum() >= FEWEST_POINTS]
    if not windows:
        raise ValueError(f"fewer than {FEWEST_POINTS} points lie around the transition at {EV_NM / first:.0f} nm")
    shapes = [_in_window(wavelength_nm, absorbance, inside, (first, sd), level) for inside in windows]
    others = [one for own in shapes[1:] for one, weight in zip(own, _weights(own), strict=True) if weight > _LIKELY]
    return _over_windows(averaged_exciton(shapes[0], _weights(shapes[0])), others)


def _fitted(x: NDArray[np.float64], y: NDArray[np.float64], parameters: Sequence[Parameter], level: float) -> Fit:
    # light that passes is limited by its photons: absorbance has more noise where there is more of it
    sd = np.sqrt(variance_absorbance(np.clip(local_mean(y), *_WEIGHED), at_zero=1.0))
    data = DataSet(lambda p: predict_exciton(x, p), y, sd=sd, jacobian=_slopes(x))
    return fit_least_squares(data, parameters, scatter="residual", level=level)


def _parameters(x: NDArray[np.float64], y: NDArray[np.float64], first: float, sd: float) -> list[Parameter]:
    floor = float(np.quantile(y, 0.05))
    height = max(float(np.interp(-first, -x, y)) - floor, 1e-6)
    return [
        Parameter("height", 0.7 * height, low=0.0, scale=0.01 * height),
        Parameter("energy", first, first - 2.0 * sd, first + 2.0 * sd, unit="eV", scale=0.01 * sd),
        Parameter("sd", sd, 0.25 * sd, 3.0 * sd, unit="eV", scale=0.01 * sd),
        Parameter("next_height", height, low=0.0, scale=0.02 * height, grid=(3.0 * height,)),
        Parameter("next_distance", 3.5 * sd, 1.5 * sd, 12.0 * sd, unit="eV", scale=0.05 * sd),
        Parameter("next_sd", 1.8 * sd, 0.5 * sd, 8.0 * sd, unit="eV", scale=0.05 * sd),
        Parameter("level", floor, scale=0.01 * height),
    ]


def _in_window(
    wavelength_nm: NDArray[np.float64],
    absorbance: NDArray[np.float64],
    inside: NDArray[np.bool_],
    start: tuple[float, float],
    level: float,
) -> list[ExcitonFit]:
    """Fits of a window by two shapes of the rise: what lies to the blue of the next transition leaves no foot, or one."""
    x, y = EV_NM / wavelength_nm[inside], absorbance[inside]
    parameters = _parameters(x, y, *start)
    plain = _fitted(x, y, parameters, level)
    # the second begins where the first ended, within the same bounds, with a small foot
    begun = [replace(one, start=value, grid=()) for one, value in zip(parameters, plain.values.tolist(), strict=True)]
    begun[3] = replace(begun[3], start=0.7 * begun[3].start)
    scale, tall = start[1], max(begun[0].start, 1e-6)
    begun += [
        Parameter("foot", 0.02 * tall, low=0.0, scale=0.005 * tall),
        Parameter("foot_scale", 1.4 * scale, _FOOT[0] * scale, _FOOT[1] * scale, unit="eV", scale=0.05 * scale),
    ]
    fits = (plain, _fitted(x, y, begun, level))
    return [_described(wavelength_nm, inside, fit, EV_NM / start[0]) for fit in fits]


def _weights(shapes: Sequence[ExcitonFit]) -> NDArray[np.float64]:
    """Weights of shapes of the rise by their likelihoods, dims (shape,).

    The foot of higher transitions and the flank of the next one look alike within a window, so that its size is hardly told; a fit
    without it claims to know that there is none, and its excitons come out too low and to the red. Every dot has further transitions,
    so the shape without them is not the likelier one for having fewer parameters, as a criterion would hold.
    """
    return akaike_weights([-2.0 * one.fit.goodness.log_likelihood for one in shapes])


def averaged_exciton(fits: Sequence[ExcitonFit], weights: ArrayLike, /) -> ExcitonFit:
    """Mean of what several fits say by their weights; curve and fit are those of the first."""
    changed: dict[str, Any] = {name: averaged_estimate([getattr(one, name) for one in fits], weights) for name in _TOLD}
    return replace(fits[0], **changed)


def _over_windows(first: ExcitonFit, others: Sequence[ExcitonFit]) -> ExcitonFit:
    """The first window's answer, its errors joined with how far others differ: what lies to the blue is of neither shape.

    How far shapes differ within the first window is in its mean already.

    Windows lie within each other, so noise makes their answers differ by the difference of their variances (Hausman 1978,
    Econometrica 46, 1251, DOI 10.2307/1913827); only what they differ by beyond that speaks of the shape.
    """
    changed: dict[str, Any] = {}
    for name in _TOLD:
        one = getattr(first, name)
        apart = [
            (other.value - one.value) ** 2 - abs(other.sd**2 - one.sd**2)
            for other in (getattr(each, name) for each in others)
            if math.isfinite(other.sd)
        ]
        beyond = max(apart, default=0.0)
        if math.isfinite(one.sd) and one.sd > 0 and beyond > 0:
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
        widened(derived(fit, tauc_gap, unit="eV"), widen),
        fit,
        inside,
        expected,
    )


def _read_at_exciton(parameters: NDArray[np.float64]) -> float:
    """Fitted absorbance at the exciton above the level."""
    return float(predict_exciton(parameters[1], parameters)) - float(parameters[6])


def tauc_gap(parameters: NDArray[np.float64], /) -> float:
    """Gap of a direct semiconductor by Tauc's line, (A E)^2 against E, on the red side of the fitted first exciton, in eV.

    Parameters
    ----------
    parameters : numpy.ndarray
        As of `predict_exciton`.

    Returns
    -------
    float
        Where the line between 20 and 80 % of the square at the exciton meets zero. The rule is of a bulk edge; a dot's exciton bends
        it, so that the answer lies below the exciton by about half of its width, whatever the material: a number for comparison with
        other papers only. It is of the fitted curve: an edge of a few points, chosen by their own noise, has no error to be told.

    References
    ----------
    Tauc, Grigorovici and Vancu, Phys. Status Solidi 15, 627 (1966), DOI 10.1002/pssb.19660150224.
    """
    centre, sd = float(parameters[1]), float(parameters[2])
    energy = centre - sd * np.linspace(4.0, 0.0, 201)
    square = ((predict_exciton(energy, parameters) - parameters[6]) * energy) ** 2
    # rising, so that the ends of the edge are told between points
    rising = np.maximum.accumulate(square)
    low, high = np.interp([0.2 * rising[-1], 0.8 * rising[-1]], rising, energy).tolist()
    edge = np.linspace(low, high, 41)
    height = np.interp(edge, energy, square)
    slope, level = np.polyfit(edge - centre, height, 1)
    return float(centre - level / slope) if slope > 0 else math.nan


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


@dataclass(frozen=True, slots=True, eq=False)
class Scattering:
    """Scattered light in an absorption spectrum by one power of the wavelength.

    Parameters
    ----------
    at_600, exponent, level : float
        Apparent absorbance at 600 nm, its exponent, and the level beneath.
    covariance : numpy.ndarray, dims (2, 2)
        Of `at_600` and `level`.
    weight : float
        Of this exponent among those that were tried.
    """

    at_600: float
    exponent: float
    level: float
    covariance: NDArray[np.float64]
    weight: float

    def below(self, wavelength_nm: NDArray[np.float64], /) -> NDArray[np.float64]:
        """Apparent absorbance of light scattered, and level, dims (point,)."""
        return predict_scattering(wavelength_nm, self.at_600, self.exponent) + self.level

    def sd_at(self, wavelength_nm: float, /) -> float:
        """Standard deviation of what is taken off at a wavelength."""
        row = np.array([float(predict_scattering(wavelength_nm, 1.0, self.exponent)), 1.0])
        return math.sqrt(max(float(row @ self.covariance @ row), 0.0))


def _over_level(
    shape: NDArray[np.float64], y: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], float] | None:
    """Height of a shape and level beneath by least squares, their covariance, and minus twice the log-likelihood up to a constant."""
    design = np.column_stack([shape, np.ones_like(shape)])
    solution, _, rank, _ = np.linalg.lstsq(design, y, rcond=None)
    left = float(np.sum((y - design @ solution) ** 2))
    if rank < 2 or not left > 0:
        return None
    spread = np.asarray(left / (y.size - 2) * np.linalg.inv(design.T @ design), np.float64)
    return np.asarray(solution, np.float64), spread, y.size * math.log(left)


def infer_scattering(
    wavelength_nm: NDArray[np.float64], absorbance: NDArray[np.float64], transparent_from_nm: float, /
) -> tuple[Scattering, ...]:
    """Powers of the wavelength that describe where dots are transparent, by their Akaike weights, the likeliest first.

    Parameters
    ----------
    wavelength_nm, absorbance : numpy.ndarray, dims (point,)
    transparent_from_nm : float
        From here on the dots absorb nothing.

    Returns
    -------
    tuple of Scattering
        Those that weigh at least a twentieth of the likeliest. None with fewer than ten points there, or where the likeliest one's
        rise to the blue is no three of its standard errors: it is not told from noise.
    """
    red = wavelength_nm >= transparent_from_nm
    if red.sum() < 10:
        return ()
    x, y = wavelength_nm[red], absorbance[red]
    found: list[Scattering] = []
    criteria: list[float] = []
    for exponent in (2.0, 3.0, 4.0):
        line = _over_level(predict_scattering(x, 1.0, exponent), y)
        if line is None:
            continue
        solution, spread, criterion = line
        found.append(Scattering(float(solution[0]), exponent, float(solution[1]), spread, 0.0))
        criteria.append(criterion)
    if not found:
        return ()
    weights = akaike_weights(criteria)
    told = [replace(one, weight=w) for one, w in zip(found, weights.tolist(), strict=True) if w > 0.05 * weights.max()]
    told.sort(key=lambda one: -one.weight)
    if not told[0].at_600 > 3.0 * math.sqrt(told[0].covariance[0, 0]):
        return ()
    return tuple(told)
