"""Lines in photon energy and what a spectrometer sees of them per nm: shapes, sums over a baseline, and their fit."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lampyris.bench.shapes import LN2, gaussian, pseudo_voigt
from lampyris.core.constants import EV_NM
from lampyris.core.estimate import Estimate
from lampyris.probe.spectra.axes import measured_line, per_nm_from_per_ev
from lampyris.statistics.averaging import akaike_weights, averaged_estimate, following, widened, widening
from lampyris.statistics.fitting import DataSet, Fit, Parameter, derived, fit_least_squares

Profile = Literal["gaussian", "asymmetric", "voigt"]
Baseline = Literal["none", "constant", "linear"]
PROFILES: tuple[Profile, ...] = ("gaussian", "asymmetric", "voigt")
_EACH_LINE = 10.0
_SYMMETRIC = 1e-10
# places and weights that a triangle of full width 1 at half height has in common with its second and fourth moments
_SLIT = ((0.0, 0.4**0.5, -(0.4**0.5)), (7.0 / 12.0, 5.0 / 24.0, 5.0 / 24.0))
# of the best model: what weighs less says nothing
_LEAST_WEIGHT = 1e-3
_AVERAGED = ("peak_nm", "peak_per_ev_nm", "fwhm_nm", "fwhm_mev")
_SHAPES = {"gaussian": 0, "asymmetric": 1, "voigt": 1}


def predict_line(energy_ev: ArrayLike, profile: Profile, parameters: Sequence[float], /) -> NDArray[np.float64]:
    """A line of height 1 per eV.

    Parameters
    ----------
    energy_ev : array_like, dims (point,)
    profile : {"gaussian", "asymmetric", "voigt"}
    parameters : sequence of float
        Energy of the top, full width at half maximum, both in eV, and of ``asymmetric`` b, of ``voigt`` the Lorentzian share of
        the width.

    Returns
    -------
    numpy.ndarray, dims (point,)

    Notes
    -----
    ``asymmetric`` is the log-normal line of Fraser and Suzuki, exp(-ln 2 (ln(1 + 2 b x / w) / b)^2), which falls to half at
    x = w (exp(b) - 1) / 2b and -w (1 - exp(-b)) / 2b: its full width is w sinh(b) / b, and the width given here is that one.
    ``voigt`` is the pseudo-Voigt sum of both lines of one width.

    References
    ----------
    Fraser and Suzuki, Anal. Chem. 41, 37 (1969), DOI 10.1021/ac60270a007.
    """
    top, width, *shape = parameters
    x = np.asarray(energy_ev, np.float64) - top
    if profile == "voigt":
        return pseudo_voigt((x / width) ** 2, shape[0])
    b = shape[0] if profile == "asymmetric" else 0.0
    # so near to the symmetric line that a fit's steps lead out of it: where it has no slope, a fit is told no error of b
    if abs(b) < _SYMMETRIC:
        return gaussian((x / width) ** 2)
    lean = 2.0 * math.sinh(b) * x / width
    with np.errstate(divide="ignore", invalid="ignore"):
        line = np.exp(-LN2 * (np.log1p(np.maximum(lean, -1.0 + 1e-16)) / b) ** 2)
    return np.where(lean > -1.0, line, 0.0)


def predict_spectrum(
    wavelength_nm: NDArray[np.float64],
    profile: Profile,
    lines: int,
    baseline: Baseline,
    parameters: ArrayLike,
    /,
    *,
    bandpass_nm: float = 0.0,
) -> NDArray[np.float64]:
    """Signal per nm of lines over a baseline, through the slits of a monochromator.

    Parameters
    ----------
    wavelength_nm : numpy.ndarray, dims (point,)
    profile : str
    lines : int
    baseline : {"none", "constant", "linear"}
    parameters : array_like
        Per line its height per nm at its top, energy, width and shape; then the baseline's level in the middle and its rise over the
        whole range.
    bandpass_nm : float
        Full width at half height of what the monochromator lets through; 0 for the light as it is emitted.

    Returns
    -------
    numpy.ndarray, dims (point,)

    Notes
    -----
    Entrance and exit slit of one width let a triangle through. Its second and fourth moments, bandpass^2 / 6 and bandpass^4 / 15,
    are those of three places, at which the lines are summed: exact up to the sixth derivative of a line.
    """
    if bandpass_nm > 0.0:
        places, weights = np.array(_SLIT)
        seen = np.add.outer(places * bandpass_nm, wavelength_nm)
        total = weights @ _lines(seen.ravel(), profile, lines, parameters).reshape(seen.shape)
    else:
        total = _lines(wavelength_nm, profile, lines, parameters)
    rest = np.asarray(parameters, np.float64)[lines * (3 + _SHAPES[profile]) :].tolist()
    if baseline != "none":
        total = total + rest[0]
    if baseline == "linear":
        total = total + rest[1] * (wavelength_nm - wavelength_nm.mean()) / float(np.ptp(wavelength_nm))
    return total


def _lines(
    wavelength_nm: NDArray[np.float64], profile: Profile, lines: int, parameters: ArrayLike
) -> NDArray[np.float64]:
    """Lines as they are emitted, per nm."""
    values = np.asarray(parameters, np.float64).tolist()
    each = 3 + _SHAPES[profile]
    energy = EV_NM / wavelength_nm
    total = np.zeros_like(wavelength_nm)
    for k in range(lines):
        height, top, *rest = values[k * each : (k + 1) * each]
        line = per_nm_from_per_ev(predict_line(energy, profile, [top, *rest]), energy)
        total += height * line / (top**2 / EV_NM)
    return total


@dataclass(frozen=True, slots=True, eq=False)
class EmissionFit:
    """Lines fitted to an emission spectrum.

    Parameters
    ----------
    profile : str
    lines : int
    fit : Fit
    expected : numpy.ndarray, dims (point,)
    parts : tuple of numpy.ndarray, dims (point,)
        Each line, the one with the most light first.
    peak_nm, peak_per_ev_nm, fwhm_nm, fwhm_mev : Estimate
        Of the whole emission without its baseline: top per nm, top per eV told in nm, and full widths on both axes.
    peaks_nm : tuple of Estimate
        Of the lines, in the order of `parts`.
    misfit : float
        Lag-1 correlation of the residuals where it is above chance, else 0: the shape is not quite that of the lines, and standard
        errors are widened by ((1+r)/(1-r))^1/2.
    """

    profile: Profile
    lines: int
    fit: Fit
    expected: NDArray[np.float64]
    parts: tuple[NDArray[np.float64], ...]
    peak_nm: Estimate
    peak_per_ev_nm: Estimate
    fwhm_nm: Estimate
    fwhm_mev: Estimate
    peaks_nm: tuple[Estimate, ...]
    misfit: float


def infer_emission(
    wavelength_nm: NDArray[np.float64],
    signal: NDArray[np.float64],
    sd: NDArray[np.float64] | None,
    /,
    *,
    profiles: Sequence[Profile] = PROFILES,
    lines: Sequence[int] = (1,),
    baseline: Baseline = "constant",
    bandpass_nm: float = 0.0,
    level: float = 0.95,
) -> EmissionFit:
    """Lines of an emission spectrum, their number and shape by AICc.

    Parameters
    ----------
    wavelength_nm, signal : numpy.ndarray, dims (point,)
        Photons per nm, finite.
    sd : numpy.ndarray, dims (point,), optional
        Relative size of each point's error; the residuals give the common factor.
    profiles, lines
        Shapes and numbers of lines that are tried; a further line must lower AICc by 10.
    baseline : str
    bandpass_nm : float
        Of the monochromator, as of `predict_spectrum`: peaks and widths are those of the light before it; 0 leaves them as recorded.
    level : float

    Returns
    -------
    EmissionFit

    Raises
    ------
    ValueError
        If points are too few, or nothing stands above the baseline.
    """
    fewest = 3 + _SHAPES[profiles[0]] + {"none": 0, "constant": 1, "linear": 2}[baseline] + 3
    if wavelength_nm.size < fewest:
        raise ValueError(f"{wavelength_nm.size} points are too few; the least fit needs {fewest}")
    if not float(np.ptp(signal)) > 0:
        raise ValueError("nothing stands above the baseline")
    found: list[tuple[Profile, int, Fit]] = []
    for count in lines:
        for profile in profiles:
            # two Voigt lines fit anything, and their Lorentzian feet pass for a baseline
            if count > 1 and len(profiles) > 1 and profile == "voigt":
                continue
            parameters = _parameters(wavelength_nm, signal, profile, count, baseline)
            if wavelength_nm.size < len(parameters) + 3:
                continue
            data = DataSet(_model(wavelength_nm, profile, count, baseline, bandpass_nm), signal, sd=sd)
            found.append((profile, count, fit_least_squares(data, parameters, scatter="residual", level=level)))
    # a fit whose parameters are not told apart has an error without meaning
    height = float(np.ptp(signal))
    found = [one for one in found if one[2].trusted and _told_apart(one[2], height)] or found
    criteria = np.array([one[2].goodness.aicc for one in found])
    told = int(np.argmin(criteria + _EACH_LINE * np.array([one[1] for one in found])))
    # that a further line is not claimed lightly says nothing against the curve that it draws: tops and widths are those of the curve
    weights = akaike_weights(criteria)
    kept = np.flatnonzero((weights > _LEAST_WEIGHT * weights.max()) | (np.arange(weights.size) == told))
    described = [_described(wavelength_nm, *found[k][:2], baseline, found[k][2]) for k in kept]
    shares = weights[kept]
    best = described[int(np.flatnonzero(kept == told)[0])]
    averaged: dict[str, Any] = {
        name: averaged_estimate([getattr(one, name) for one in described], shares, least=0.0) for name in _AVERAGED
    }
    return replace(best, **averaged)


def _told_apart(fit: Fit, height: float) -> bool:
    """Whether each line's height is known to within that of the whole spectrum: of lines that lie upon each other it is not, and what
    the straight form of the errors then says of the curve is the rounding of its slopes."""
    heights = (one.sd for name, one in zip(fit.names, fit.estimates, strict=True) if name.startswith("height"))
    return not any(sd > height for sd in heights)


def _model(
    wavelength_nm: NDArray[np.float64], profile: Profile, lines: int, baseline: Baseline, bandpass_nm: float
) -> Callable[[NDArray[np.float64]], NDArray[np.float64]]:
    return lambda p: predict_spectrum(wavelength_nm, profile, lines, baseline, p, bandpass_nm=bandpass_nm)


def _parameters(
    wavelength_nm: NDArray[np.float64], signal: NDArray[np.float64], profile: Profile, lines: int, baseline: Baseline
) -> list[Parameter]:
    """Starts: the first line on the highest point, further ones beside it by a width."""
    floor = 0.0 if baseline == "none" else float(np.quantile(signal, 0.05))
    smooth = np.convolve(signal, np.ones(5) / 5, mode="same") if signal.size > 10 else signal
    top = int(np.argmax(smooth))
    height = max(float(smooth[top] - floor), 1e-12 * float(np.abs(signal).max()) or 1e-12)
    area = float(np.trapezoid(np.maximum(signal - floor, 0.0), wavelength_nm))
    width_nm = min(
        max(area / (1.0645 * height), 3.0 * float(np.median(np.diff(wavelength_nm)))), float(np.ptp(wavelength_nm))
    )
    centre = EV_NM / float(wavelength_nm[top])
    width = width_nm * centre**2 / EV_NM
    ends = EV_NM / float(wavelength_nm[-1]) - width, EV_NM / float(wavelength_nm[0]) + width
    narrow = 0.2 * float(np.median(np.diff(wavelength_nm))) * centre**2 / EV_NM
    parameters = []
    for k, shift in enumerate((0.0, -0.7, 0.7, -1.5)[:lines]):
        at = min(max(centre + shift * width, ends[0]), ends[1])
        start = width / (1.0 if lines == 1 else 1.3)
        parameters += [
            Parameter(f"height_{k}", height * (1.0 if k == 0 else 0.4), low=0.0, scale=0.01 * height),
            Parameter(f"energy_{k}", at, *ends, unit="eV", scale=0.01 * width),
            Parameter(f"width_{k}", start, narrow, 4.0 * (ends[1] - ends[0]), unit="eV", scale=0.01 * width),
        ]
        if profile == "asymmetric":
            parameters.append(Parameter(f"shape_{k}", 0.1, -1.5, 1.5, scale=0.02, grid=(-0.1,)))
        elif profile == "voigt":
            parameters.append(Parameter(f"shape_{k}", 0.2, 0.0, 1.0, scale=0.02))
    if baseline != "none":
        parameters.append(Parameter("level", floor, scale=0.01 * height))
    if baseline == "linear":
        parameters.append(Parameter("rise", 0.0, scale=0.01 * height))
    return parameters


def _described(
    wavelength_nm: NDArray[np.float64], profile: Profile, lines: int, baseline: Baseline, fit: Fit
) -> EmissionFit:
    each = 3 + _SHAPES[profile]
    fine = np.linspace(wavelength_nm[0], wavelength_nm[-1], 4001)

    def whole(p: NDArray[np.float64]) -> NDArray[np.float64]:
        return predict_spectrum(fine, profile, lines, "none", p[: lines * each])

    def per_nm(p: NDArray[np.float64]) -> tuple[float, float]:
        line = measured_line(fine, np.maximum(whole(p), 1e-300))
        return line.peak, line.fwhm

    def per_ev(p: NDArray[np.float64]) -> tuple[float, float]:
        line = measured_line((EV_NM / fine)[::-1], np.maximum(whole(p) * fine**2, 1e-300)[::-1])
        return EV_NM / line.peak, 1000.0 * line.fwhm

    def single(k: int, p: NDArray[np.float64]) -> NDArray[np.float64]:
        return predict_spectrum(wavelength_nm, profile, 1, "none", p[k * each : (k + 1) * each])

    def energy(k: int) -> Callable[[NDArray[np.float64]], float]:
        return lambda p: EV_NM / float(p[k * each + 1])

    values = fit.values
    misfit = following(fit.residuals[0])
    widen = widening(misfit)
    parts = [single(k, values) for k in range(lines)]
    order = sorted(range(lines), key=lambda k: -float(np.trapezoid(parts[k], wavelength_nm)))
    peaks = [widened(derived(fit, energy(k), unit="nm"), widen) for k in order]
    return EmissionFit(
        profile,
        lines,
        fit,
        np.asarray(fit.fitted[0]),
        tuple(parts[k] for k in order),
        widened(derived(fit, lambda p: per_nm(p)[0], unit="nm"), widen),
        widened(derived(fit, lambda p: per_ev(p)[0], unit="nm"), widen),
        widened(_width(fit, lambda p: per_nm(p)[1], "nm"), widen, least=0.0),
        widened(_width(fit, lambda p: per_ev(p)[1], "meV"), widen, least=0.0),
        tuple(peaks),
        misfit,
    )


def _width(fit: Fit, of: Callable[[NDArray[np.float64]], float], unit: str) -> Estimate:
    """Width, NaN where a half maximum lies outside what was recorded."""
    if math.isnan(of(fit.values)):
        return Estimate.unknown(fit.level, unit, "half maximum outside the spectrum")
    one = derived(fit, of, unit=unit)
    return replace(one, low=max(one.low, 0.0))


def variance_counts(expected: ArrayLike, /, *, read_variance: float, gain: float) -> NDArray[np.float64]:
    """Variance of a spectrum's points: reading, and photons in proportion to the signal.

    Parameters
    ----------
    expected : array_like, dims (point,)
    read_variance : float
    gain : float
        Signal per counted photon.

    Returns
    -------
    numpy.ndarray, dims (point,)
    """
    return read_variance + gain * np.maximum(np.asarray(expected, np.float64), 0.0)


def inner_filter(
    emission_nm: ArrayLike, absorption_nm: ArrayLike, absorbance: ArrayLike, excitation_nm: float, /
) -> NDArray[np.float64]:
    """Factor that gives back what a square cell absorbs on the way in and out, 10^((A_excitation + A_emission) / 2).

    Parameters
    ----------
    emission_nm : array_like, dims (point,)
    absorption_nm, absorbance : array_like, dims (place,)
        Over the cell's whole length; beyond its red end nothing is absorbed.
    excitation_nm : float

    Returns
    -------
    numpy.ndarray, dims (point,)

    Raises
    ------
    ValueError
        If the absorption does not reach the excitation, or absorbance there is above 0.7, where the rule fails.

    References
    ----------
    Lakowicz, Principles of Fluorescence Spectroscopy, 3rd ed., Springer 2006, DOI 10.1007/978-0-387-46312-4, section 2.8.
    """
    x, a = np.asarray(absorption_nm, np.float64), np.maximum(np.asarray(absorbance, np.float64), 0.0)
    if not x[0] <= excitation_nm <= x[-1]:
        raise ValueError(
            f"the absorption reaches from {x[0]:g} to {x[-1]:g} nm, not to the excitation at {excitation_nm:g} nm"
        )
    at = float(np.interp(excitation_nm, x, a))
    if at > 0.7:
        raise ValueError(f"the absorbance at the excitation is {at:.2f}, above 0.7: the rule of the inner filter fails")
    own = np.interp(np.asarray(emission_nm, np.float64), x, a, right=0.0)
    return 10.0 ** ((at + own) / 2.0)
