"""Absorption: first exciton of a batch of dots, scattering beside it, and what Tauc's line can and cannot say."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lampyris.bench.photons import difference_sd, local_mean
from lampyris.core.constants import EV_NM, FWHM_PER_SD
from lampyris.core.estimate import Estimate
from lampyris.statistics.averaging import akaike_weights, averaged_estimate, following, widened, widening
from lampyris.statistics.fitting import DataSet, Fit, FitFlag, Parameter, derived, fit_least_squares

FEWEST_POINTS = 12
_WINDOWS = ((6.0, 2.6), (8.0, 3.0))
"""Reach of the fit below and above the exciton in its standard deviations; the first that has points enough answers, the wider one being
for coarse spectra: narrower ones do not tell a foot of further transitions from the flank of the next one, wider ones reach to where
neither shape holds."""
_TOLD = ("energy_ev", "first_exciton_nm", "fwhm_mev", "absorbance", "tauc_gap_ev")
_LEAST = {"fwhm_mev": 0.0, "absorbance": 0.0}
_FOOT_SCALES = (1.0, 1.5, 2.0, 3.0)
"""Energies over which the foot of further transitions grows e-fold, in standard deviations of the exciton; assumed, as those of a Gaussian
two to three and a half times as wide, four of its standard deviations up."""
_MOST_FOOT = 0.5
"""Highest foot at the exciton, over the exciton's height; assumed: what is higher is no foot."""
_EXPONENTS = (2.0, 4.0)
"""Of the wavelength in what is scattered: 4 of particles much smaller than it, less of larger ones and of clumps."""
_MOST_EXPONENTS = 5
_WEIGHED = (-0.5, 4.0)
"""Absorbances between which points are weighed by their photons; beyond, others than those limit them."""
_NONE = 1e-6
"""Share of the largest singular value below which the data see nothing."""
_STRAIGHT = 0.1
"""Typical steps of a parameter within which a number goes straight with it."""
_SAME = 0.01
"""Log likelihoods that differ by less are of the same fit."""
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
class Scattering:
    """Scattered light in an absorption spectrum by one power of the wavelength.

    Parameters
    ----------
    at_600, exponent, level : float
        Apparent absorbance at 600 nm, its exponent, and the level beneath.
    transparent_from_nm : float
        From here on the dots absorb nothing.
    """

    at_600: float
    exponent: float
    level: float
    transparent_from_nm: float

    def below(self, wavelength_nm: NDArray[np.float64], /) -> NDArray[np.float64]:
        """Apparent absorbance of light scattered, and level, dims (point,)."""
        return predict_scattering(wavelength_nm, self.at_600, self.exponent) + self.level


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
        The likeliest.
    inside : numpy.ndarray, dims (point,)
        Points that were fitted.
    expected : numpy.ndarray, dims (point,)
        Of the dots, and the level beneath; NaN outside.
    scattering : Scattering or None
        What was fitted beside the dots, by the likeliest exponent.
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
    scattering: Scattering | None


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
    scattered: Sequence[Scattering] = (),
    level: float = 0.95,
) -> ExcitonFit:
    """First exciton by the second derivative, then by a fit around it.

    What little a spectrum tells of three numbers is averaged over instead of fitted: how steep the foot of further transitions is, how
    high it is, and by which power light scatters. Each lies within known bounds, and a covariance, which knows none, makes errors several
    times too wide where the data hardly tell the number, and too narrow where it ends at its bound.

    Parameters
    ----------
    wavelength_nm, absorbance : numpy.ndarray, dims (point,)
        Rising wavelength, finite.
    near_nm : float, optional
        About where it lies; the transition nearest to it is taken, else the one of lowest energy.
    scattered : sequence of Scattering
        Powers of the wavelength that may lie beneath, as of `infer_scattering`, the likeliest first. Each is fitted together with the
        exciton to the points around it and where the dots are transparent, so that the errors are joint ones.
    level : float

    Returns
    -------
    ExcitonFit
        Means over what was fitted by its likelihood.

    Raises
    ------
    ValueError
        If points are too few, or no transition stands above the noise.
    """
    if wavelength_nm.size < FEWEST_POINTS:
        raise ValueError(f"{wavelength_nm.size} points are too few, {FEWEST_POINTS} are needed")
    clean = absorbance - scattered[0].below(wavelength_nm) if scattered else absorbance
    places = exciton_places(wavelength_nm, clean)
    if not places:
        raise ValueError("no transition stands above the noise: the curve has neither peak nor shoulder")
    first = min(places, key=lambda e: abs(e - EV_NM / near_nm)) if near_nm else places[0]
    energy = EV_NM / wavelength_nm
    sd = _width_of(energy, clean, first)
    windows = [(energy > first - below * sd) & (energy < first + above * sd) for below, above in _WINDOWS]
    windows = [inside for inside in windows if inside.sum() >= FEWEST_POINTS]
    if not windows:
        raise ValueError(f"fewer than {FEWEST_POINTS} points lie around the transition at {EV_NM / first:.0f} nm")
    inside = windows[0]
    if scattered:
        inside = inside | (wavelength_nm >= scattered[0].transparent_from_nm)
    x, y = energy[inside], absorbance[inside]
    # light that passes is limited by its photons: absorbance has more noise where there is more of it
    noise = np.sqrt(variance_absorbance(np.clip(local_mean(y), *_WEIGHED), at_zero=1.0))
    points = [_Points(x, y, noise, one) for one in scattered or (None,)]
    fits = _over_feet(points, _parameters(x, clean[inside], first, sd), sd, level)
    return _averaged(wavelength_nm, inside, fits, EV_NM / first)


@dataclass(frozen=True, slots=True, eq=False)
class _Points:
    """What is fitted: energy in eV, absorbance, its standard deviation up to a factor, dims (point,), and what may be scattered."""

    energy: NDArray[np.float64]
    absorbance: NDArray[np.float64]
    sd: NDArray[np.float64]
    scattering: Scattering | None

    def scattered(self) -> NDArray[np.float64]:
        """Shape of what is scattered, 1 at 600 nm; 0 without."""
        if self.scattering is None:
            return np.zeros(self.energy.size)
        return predict_scattering(EV_NM / self.energy, 1.0, self.scattering.exponent)

    def slopes(self) -> Callable[[NDArray[np.float64]], NDArray[np.float64]]:
        """Derivatives by the parameters of `predict_exciton`, the foot's included, and by what is scattered at 600 nm."""
        shape, of = self.scattered(), _slopes(self.energy)
        return lambda p: np.column_stack([of(p[:-1]), shape])

    def fitted(self, parameters: Sequence[Parameter], level: float) -> Fit:
        """Least squares of the exciton, the foot and what is scattered."""
        shape = self.scattered()
        data = DataSet(
            lambda p: predict_exciton(self.energy, p[:-1]) + p[-1] * shape,
            self.absorbance,
            sd=self.sd,
            jacobian=self.slopes(),
        )
        return fit_least_squares(data, parameters, scatter="residual", level=level)


def _over_feet(
    points: Sequence[_Points], parameters: Sequence[Parameter], sd: float, level: float
) -> list[tuple[_Points, Fit]]:
    """Fits over every power of scattering and steepness of the foot."""

    def beside(one: _Points, scale: float, foot: float) -> list[Parameter]:
        own = max(one.scattering.at_600, 0.0) if one.scattering else 0.0
        return [
            Parameter("foot", foot, low=0.0, scale=0.005 * tall, fixed=not foot),
            Parameter("foot_scale", scale * sd, unit="eV", fixed=True),
            Parameter("scattering", own, low=0.0, scale=0.1 * own, fixed=one.scattering is None),
        ]

    def from_where(fit: Fit, lower: float) -> list[Parameter]:
        ends = zip(parameters, fit.values[: len(parameters)].tolist(), strict=True)
        moved = [replace(one, start=value, grid=()) for one, value in ends]
        moved[3] = replace(moved[3], start=lower * moved[3].start)
        return moved

    tall = max(parameters[0].start, 1e-6)
    plain = points[0].fitted([*parameters, *beside(points[0], 1.0, 0.0)], level)
    found: list[tuple[_Points, Fit]] = []
    for scale in _FOOT_SCALES:
        tops: list[list[Fit]] = [[] for _ in points]
        # what a foot takes over leaves the next transition lower; the likelihood may have two tops of about one height, and both count
        for start in (from_where(plain, 0.7), list(parameters)):
            first = points[0].fitted([*start, *beside(points[0], scale, 0.02 * tall)], level)
            if _among(first, tops[0]):
                continue
            begun = from_where(first, 1.0)
            others = [one.fitted([*begun, *beside(one, scale, 0.02 * tall)], level) for one in points[1:]]
            for own, fit in zip(tops, (first, *others), strict=True):
                if not _among(fit, own):
                    own.append(fit)
        found += [(one, fit) for one, own in zip(points, tops, strict=True) for fit in own]
    ended = [one for one in found if FitFlag.NOT_CONVERGED not in one[1].flags]
    return ended or found


def _among(fit: Fit, others: Sequence[Fit]) -> bool:
    """Whether a fit has ended where another one did."""
    return any(abs(fit.goodness.log_likelihood - one.goodness.log_likelihood) <= _SAME for one in others)


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


def _averaged(
    wavelength_nm: NDArray[np.float64],
    inside: NDArray[np.bool_],
    fits: Sequence[tuple[_Points, Fit]],
    second_derivative_nm: float,
) -> ExcitonFit:
    """Mean of what fits say by their likelihoods; curve and fit are those of the likeliest.

    The foot of higher transitions and the flank of the next one look alike within a window, so that its size is hardly told; a fit
    without it claims to know that there is none, and its excitons come out too low and to the red. Every dot has further transitions,
    so no criterion chooses whether there is one.
    """
    likelihood = [one.goodness.log_likelihood for _, one in fits]
    weights = akaike_weights([-2.0 * one for one in likelihood])
    told = [_numbers(points, fit) for points, fit in fits]
    mean = {
        name: averaged_estimate([one[name] for one in told], weights, least=_LEAST.get(name, -math.inf))
        for name in _TOLD
    }
    points, fit = fits[int(np.argmax(weights))]
    dots, at_600 = fit.values[:-1], float(fit.values[-1])
    expected = np.full(wavelength_nm.size, math.nan)
    expected[inside] = predict_exciton(points.energy, dots)
    return ExcitonFit(
        **mean,
        second_derivative_nm=second_derivative_nm,
        highest_nm=_top_nm(dots, EV_NM / float(dots[1])),
        fit=fit,
        inside=inside,
        expected=expected,
        scattering=replace(points.scattering, at_600=at_600, level=float(dots[6])) if points.scattering else None,
    )


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


def _numbers(points: _Points, fit: Fit) -> dict[str, Estimate]:
    """What a fit says of the exciton, by the names of `ExcitonFit`."""
    widen = widening(following(fit.residuals[0]))
    known, step = _with_known_foot(points, fit)
    of: dict[str, tuple[Callable[[NDArray[np.float64]], float], str]] = {
        "energy_ev": (lambda p: float(p[1]), "eV"),
        "first_exciton_nm": (lambda p: EV_NM / float(p[1]), "nm"),
        "fwhm_mev": (lambda p: 1000.0 * FWHM_PER_SD * float(p[2]), "meV"),
        "absorbance": (lambda p: _read_at_exciton(p[:-1]), "1"),
        "tauc_gap_ev": (lambda p: tauc_gap(p[:-1]), "eV"),
    }
    return {
        name: widened(_moved(derived(known, own, unit=unit), own, fit, step), widen) for name, (own, unit) in of.items()
    }


def _moved(one: Estimate, of: Callable[[NDArray[np.float64]], float], fit: Fit, step: NDArray[np.float64]) -> Estimate:
    """A number of a fit whose parameters move by a step, along a straight line from the fit.

    What the data know well hardly changes along it, as parameters that move together make up for each other; at its end, where each is cut
    at its bounds, they would not.
    """
    scales = np.array([one.scale or math.inf for one in fit.objective.frame.parameters])
    share = _STRAIGHT / max(float(np.max(np.abs(step) / scales)), _STRAIGHT)
    by = (of(fit.values + share * step) - of(fit.values - share * step)) / (2.0 * share)
    return replace(one, value=one.value + by, low=one.low + by, high=one.high + by)


def _with_known_foot(points: _Points, fit: Fit) -> tuple[Fit, NDArray[np.float64]]:
    """Fit whose covariance knows that the foot lies between nothing and `_MOST_FOOT`, and the step of its parameters to their means.

    To first order parameters are normal about the values that the data want, which may be a negative foot. All within the bounds counts
    as equally likely before; mean and variance of the foot are those of the normal that they cut, and the other parameters follow it by
    regression, as those of a normal of several dimensions of which one is chosen upon (Pearson 1903, Philos Trans R Soc A 200, 1, DOI
    10.1098/rsta.1903.0001).
    """
    frame, values, place = fit.objective.frame, fit.values, fit.names.index("foot")
    none = np.zeros(values.size)
    moving = np.array([one for one in frame.free if one == place or fit.names[one] not in fit.at_bound])
    slopes = points.slopes()(values)[:, moving] / points.sd[:, None]
    size = np.linalg.norm(slopes, axis=0)
    seen = size * np.array([frame.parameters[one].scale for one in moving])
    # what the data do not see at all does not move the exciton either
    kept = seen > _NONE * seen.max()
    moving, slopes, size = moving[kept], slopes[:, kept], size[kept]
    inverse = np.linalg.pinv(slopes / size, rcond=_NONE) / size[:, None]
    own = fit.scatter**2 * inverse @ inverse.T
    k = int(np.argmax(moving == place))
    if moving[k] != place or not own[k, k] > 0:
        return fit, none
    wanted = float(values[place] + inverse[k] @ (fit.residuals[0] / points.sd))
    mean, left = _normal_within(wanted, math.sqrt(own[k, k]), _MOST_FOOT * float(values[0]))
    along = own[:, k] / own[k, k]
    step = none.copy()
    step[moving] = along * (mean - values[place])
    whole = np.zeros_like(fit.covariance)
    whole[np.ix_(moving, moving)] = own - np.outer(along, along) * (own[k, k] - left)
    return replace(fit, covariance=whole), step


def _normal_within(mean: float, sd: float, high: float) -> tuple[float, float]:
    """Mean and variance of a normal that is cut at 0 and at `high`, by its weights on a grid."""
    nearest = min(max(mean, 0.0), high)
    # beyond it the density is less than e^-18 of its highest
    reach = (6.0 * sd) ** 2 / (math.hypot(nearest - mean, 6.0 * sd) + abs(nearest - mean))
    low, high = max(nearest - reach, 0.0), min(nearest + reach, high)
    grid = low + (high - low) * (np.arange(400.0) + 0.5) / 400.0
    weight = np.exp(0.5 * ((nearest - mean) ** 2 - (grid - mean) ** 2) / sd**2)
    weight /= weight.sum()
    centre = float(weight @ grid)
    return centre, float(weight @ (grid - centre) ** 2)


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
    # middles of steps, so that the ends count for no more than the rest
    edge = low + (high - low) * (np.arange(41) + 0.5) / 41.0
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


def infer_scattering(
    wavelength_nm: NDArray[np.float64], absorbance: NDArray[np.float64], transparent_from_nm: float, /
) -> tuple[Scattering, ...]:
    """Powers of the wavelength that describe where dots are transparent, the likeliest first.

    Parameters
    ----------
    wavelength_nm, absorbance : numpy.ndarray, dims (point,)
    transparent_from_nm : float
        From here on the dots absorb nothing.

    Returns
    -------
    tuple of Scattering
        Five exponents, evenly over those from 2 to 4 that are at least a twentieth as likely as the likeliest; 4 is of particles much
        smaller than the wavelength, and less of larger ones (Bohren and Huffman, Absorption and Scattering of Light by Small Particles,
        Wiley 1983, DOI 10.1002/9783527618156, chapters 5 and 11). None with fewer than ten points there, or where the likeliest one's
        rise to the blue is no three of its standard errors: it is not told from noise.
    """
    red = wavelength_nm >= transparent_from_nm
    if red.sum() < 10:
        return ()
    x, y = wavelength_nm[red], absorbance[red]
    tried = np.linspace(*_EXPONENTS, 41)
    lines = [_over_level(predict_scattering(x, 1.0, one), y) for one in tried.tolist()]
    criteria = np.array([math.inf if one is None else one[2] for one in lines])
    best = lines[int(np.argmin(criteria))]
    if best is None or not best[0][0] > 3.0 * math.sqrt(best[1][0, 0]):
        return ()
    likely = tried[criteria <= criteria.min() - 2.0 * math.log(0.05)]
    found = []
    for exponent in np.unique(np.linspace(likely[0], likely[-1], _MOST_EXPONENTS)).tolist():
        line = _over_level(predict_scattering(x, 1.0, exponent), y)
        if line is not None:
            (at_600, level), _, criterion = line
            found.append((criterion, Scattering(float(at_600), exponent, float(level), transparent_from_nm)))
    return tuple(one for _, one in sorted(found, key=lambda pair: pair[0]))


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
