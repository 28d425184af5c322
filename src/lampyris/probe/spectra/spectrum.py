"""Absorption and emission of a batch of dots, and the width of its line."""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import erf

from lampyris.core.constants import EV_NM, FWHM_PER_SD
from lampyris.core.estimate import Estimate
from lampyris.probe.materials import pooled
from lampyris.probe.propagation import Uncertain, propagated, value_of
from lampyris.probe.refusals import each_within, refusal, within
from lampyris.probe.spectra.axes import Line, energy_ev, measured_line, per_nm_from_per_ev, width_nm
from lampyris.probe.spectra.ensemble import Ensemble, Transitions, energies, weighted_energies
from lampyris.probe.spectra.lineshape import (
    ANY,
    LineShape,
    homogeneous_width_mev,
    photophysical_values,
    replica_weights,
)
from lampyris.statistics.intervals import normal_interval

Profile = Literal["gaussian", "lorentzian"]
# of the narrowest line: the step of the energy grid
_STEP = 0.05
_MOST_POINTS = 40_000
# a line without width would fall between the points of any grid
_NARROWEST_EV = 1e-3


@dataclass(frozen=True, slots=True, eq=False)
class Spectrum:
    """A spectrum on wavelengths, with its line on both axes.

    Parameters
    ----------
    wavelengths_nm : array, dims (wavelength,)
    values : array, dims (wavelength,)
        Emission: photons per nm, of unit area over all wavelengths. Absorption: relative to the first exciton's peak, or the
        molar extinction where that was given.
    peak_nm, fwhm_nm : float
        Of `values` on wavelengths, whatever points were asked for.
    peak_ev, fwhm_ev : float
        On energies. Of an emission they are those of photons per eV, so that ``peak_ev`` is not ``hc / peak_nm``.
    unit : str
    """

    wavelengths_nm: NDArray[np.float64]
    values: NDArray[np.float64]
    peak_nm: float
    fwhm_nm: float
    peak_ev: float
    fwhm_ev: float
    unit: str

    def __post_init__(self) -> None:
        for array in (self.wavelengths_nm, self.values):
            array.flags.writeable = False


@dataclass(frozen=True, slots=True)
class Continuum:
    """Higher transitions as one smooth rise: ``height exp(growth (E - E1 - onset))`` beyond a soft onset.

    Parameters
    ----------
    onset_ev : float
        From the first exciton.
    smoothing_ev : float
        Width of the onset.
    height : float
        At the onset, in units of the first exciton's peak.
    growth_per_ev : float
        Logarithmic, upwards.
    """

    onset_ev: float
    smoothing_ev: float
    height: float
    growth_per_ev: float

    def __call__(self, above_first_ev: ArrayLike, /) -> NDArray[np.float64]:
        """Absorption relative to the first exciton's peak, so many eV above it."""
        above = np.asarray(above_first_ev, dtype=np.float64) - self.onset_ev
        return self.height * np.exp(self.growth_per_ev * above) * 0.5 * (1.0 + erf(above / self.smoothing_ev))


def assumed_continuum() -> Continuum:
    """The continuum of the table: assumed, the same for all materials."""

    def of(quantity: str) -> float:
        return pooled(photophysical_values(ANY, quantity)).value

    return Continuum(
        onset_ev=of("continuum_onset"),
        smoothing_ev=of("continuum_smoothing"),
        height=of("continuum_height"),
        growth_per_ev=of("continuum_growth"),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Lines:
    """A batch's spectrum on an even grid of energies, dims (energy,)."""

    energy: NDArray[np.float64]
    density: NDArray[np.float64]


def emission_spectrum(
    transitions: Transitions,
    ensemble: Ensemble,
    wavelengths_nm: ArrayLike,
    /,
    *,
    line: LineShape,
    temperature_k: float = 295.0,
    size_power: float = 3.0,
    profile: Profile = "gaussian",
    in_power: bool = False,
) -> Spectrum:
    """Emission of a batch: every dot's line, moved down by the Stokes shift, with its replicas.

    Parameters
    ----------
    transitions : callable or pair of arrays
        Diameter in nm to absorption energy in eV, or arrays of both.
    ensemble : Ensemble
    wavelengths_nm : array_like, dims (wavelength,)
        Where the spectrum is wanted.
    line : LineShape
    temperature_k : float
        Of the width and replicas; the transitions are the caller's at that temperature.
    size_power : float
        Weight of a dot by its diameter: 3 for excitation far above the gap, where absorption goes as volume.
    profile : str
        ``gaussian`` or ``lorentzian``.
    in_power : bool
        Watts instead of photons.

    Returns
    -------
    Spectrum
        In 1/nm. Every dot is as bright as the next for what it absorbs, and none absorbs another's light.

    Raises
    ------
    InputError
        If a number is out of bounds or `transitions` does not cover the batch.

    Examples
    --------
    >>> from lampyris.probe.spectra import SizeSpread, line_shape
    >>> batch = Ensemble(SizeSpread(5.0, 0.25))
    >>> light = emission_spectrum(lambda d: 1.5 + 10.0 / d**2, batch, np.arange(600, 800.0), line=line_shape("CdTe"))
    >>> f"{light.peak_nm:.0f} nm, {light.fwhm_nm:.0f} nm wide"
    '682 nm, 38 nm wide'
    """
    wanted = each_within("wavelengths_nm", wavelengths_nm, 50.0, 20_000.0, unit="nm")
    lines = _broadened(
        *weighted_energies(transitions, ensemble, size_power=size_power, finest_ev=_finest(line, temperature_k)),
        ensemble=ensemble,
        line=line,
        temperature_k=temperature_k,
        profile=profile,
        direction=-1,
    )
    density = lines.density * lines.energy if in_power else lines.density
    density = density / _area(lines.energy, density)
    on_energy = measured_line(lines.energy, density)
    per_nm = per_nm_from_per_ev(density, lines.energy)
    on_wavelength = measured_line(energy_ev(lines.energy), per_nm)
    values = np.interp(energy_ev(wanted), lines.energy, per_nm, left=0.0, right=0.0)
    return _spectrum(wanted, values, on_wavelength, on_energy, "1/nm")


def absorption_spectrum(
    transitions: Transitions,
    ensemble: Ensemble,
    wavelengths_nm: ArrayLike,
    /,
    *,
    line: LineShape,
    temperature_k: float = 295.0,
    size_power: float = 0.0,
    continuum: Continuum | None = None,
    molar_extinction_per_m_cm: float | None = None,
) -> Spectrum:
    """Absorption of a batch: the first exciton, and higher transitions as one smooth rise.

    Parameters
    ----------
    transitions, ensemble, wavelengths_nm, line, temperature_k
        As of `emission_spectrum`.
    size_power : float
        Weight of a dot by its diameter; 0 for an oscillator strength that is the same at all sizes.
    continuum : Continuum, optional
        Higher transitions; the assumed ones of the table otherwise.
    molar_extinction_per_m_cm : float, optional
        At the first exciton's peak: the spectrum is given in these units.

    Returns
    -------
    Spectrum
        A ratio of light, not a density, so no Jacobian applies. Peak and width are the first exciton's alone: on top of the
        rise a peak is a little bluer, and broad ones are shoulders.

    Raises
    ------
    InputError
        If a number is out of bounds or `transitions` does not cover the batch.
    """
    wanted = each_within("wavelengths_nm", wavelengths_nm, 50.0, 20_000.0, unit="nm")
    scale = 1.0
    if molar_extinction_per_m_cm is not None:
        scale = within(
            "molar_extinction_per_m_cm", molar_extinction_per_m_cm, 0.0, 1e10, unit="1/(M cm)", open_low=True
        )
    finest = _finest(line, temperature_k)
    energy, weight = weighted_energies(transitions, ensemble, size_power=size_power, finest_ev=finest)
    lines = _broadened(
        energy,
        weight,
        ensemble=ensemble,
        line=line,
        temperature_k=temperature_k,
        profile="gaussian",
        direction=1,
    )
    exciton = lines.density / lines.density.max()
    at = energy_ev(wanted)
    rise = continuum or assumed_continuum()
    # the rise is smooth beside the spread of sizes, so a handful of sizes carry it
    coarse, share = _coarse(energy, weight)
    higher = share @ rise(at[None, :] - coarse[:, None])
    values = scale * (np.interp(at, lines.energy, exciton, left=0.0, right=0.0) + higher)
    on_wavelength = measured_line(energy_ev(lines.energy), exciton)
    unit = "1" if molar_extinction_per_m_cm is None else "1/(M cm)"
    return _spectrum(wanted, values, on_wavelength, measured_line(lines.energy, exciton), unit)


@dataclass(frozen=True, slots=True)
class LineWidth:
    """Width of a batch's emission and what it is made of, full widths at half maximum.

    Parameters
    ----------
    size_ev : Estimate
        By the spread of sizes alone.
    homogeneous_ev : Estimate
        Of one dot.
    other_ev : float
        By composition and defects.
    total_ev, total_nm : Estimate
        All together, on either axis.
    size_nm : Estimate
        `size_ev` on wavelengths.
    at_nm : float
        Wavelength at which the widths in nm are taken.
    """

    size_ev: Estimate
    homogeneous_ev: Estimate
    other_ev: float
    total_ev: Estimate
    total_nm: Estimate
    size_nm: Estimate
    at_nm: float


def emission_peak_nm(first_exciton_ev: Uncertain, line: LineShape, /) -> Estimate:
    """Emission peak of a dot from its transition energy, with the uncertainty of both energy and Stokes shift.

    Parameters
    ----------
    first_exciton_ev : float or Estimate
        Absorption energy, such as `Transition.energy_ev`.
    line : LineShape

    Returns
    -------
    Estimate
        In nm, of one mean dot: a batch weighed by volume shines a little redder.

    Raises
    ------
    InputError
        If the energy less the shift is not above 0.05 eV.

    Examples
    --------
    >>> from lampyris.probe.spectra import line_shape
    >>> peak = emission_peak_nm(Estimate(1.60, 0.02, 1.56, 1.64, 0.95, "eV", "given"), line_shape("CdTe"))
    >>> f"{peak.value:.0f} +- {peak.sd:.0f} nm"
    '813 +- 13 nm'
    """
    within("first_exciton_ev", value_of(first_exciton_ev) - line.stokes.value / 1000.0, 0.05, 20.0, unit="eV")
    return propagated(
        lambda energy, stokes: EV_NM / (energy - stokes / 1000.0),
        {"energy": first_exciton_ev, "stokes": line.stokes},
        unit="nm",
        method="transition less the Stokes shift",
        low=0.0,
    )


def line_width(
    transitions: Transitions,
    ensemble: Ensemble,
    /,
    *,
    line: LineShape,
    temperature_k: float = 295.0,
    at_nm: float | None = None,
    size_sd_relative_sd: float = 0.0,
) -> LineWidth:
    """Width of the emission without its whole spectrum: three transition energies, widths added in squares.

    Parameters
    ----------
    transitions : callable or pair of arrays
        Diameter in nm to energy in eV.
    ensemble : Ensemble
        Shape is left out here: `emission_spectrum` counts it.
    line : LineShape
    temperature_k : float
    at_nm : float, optional
        Emission peak, at which widths in nm are taken; the transition less the Stokes shift otherwise.
    size_sd_relative_sd : float
        Relative uncertainty of the size spread itself.

    Returns
    -------
    LineWidth

    Raises
    ------
    InputError
        If a number is out of bounds or `transitions` does not cover the batch.

    Examples
    --------
    >>> from lampyris.probe.spectra import SizeSpread, line_shape
    >>> batch = Ensemble(SizeSpread(5.0, 0.25))
    >>> width = line_width(lambda d: 1.5 + 10.0 / d**2, batch, line=line_shape("CdTe"))
    >>> f"{1000 * width.size_ev.value:.0f} meV by size, {1000 * width.total_ev.value:.0f} meV in all"
    '95 meV by size, 104 meV in all'
    """
    spread = ensemble.size
    within("size_sd_relative_sd", size_sd_relative_sd, 0.0, 1.0)
    if spread.sd_nm > 0:
        small, large = spread.at_half_maximum()
        blue, middle, red = energies(transitions, [small, spread.mean_nm, large])
    else:
        blue = middle = red = energies(transitions, [spread.mean_nm])[0]
    if at_nm is None:
        at_nm = EV_NM / (middle - line.stokes.value / 1000.0)
    at_nm = within("at_nm", at_nm, 50.0, 20_000.0, unit="nm")
    size = _given(abs(float(blue - red)), size_sd_relative_sd, "spread of sizes")
    one = homogeneous_width_mev(line, temperature_k=temperature_k)
    homogeneous = propagated(lambda width: width / 1000.0, {"width": one}, unit="eV", method=one.method, low=0.0)
    other = ensemble.added_sd_ev * FWHM_PER_SD
    parts = {"size": size, "homogeneous": homogeneous}

    def total(size: float, homogeneous: float) -> float:
        return math.sqrt(size**2 + homogeneous**2 + other**2)

    return LineWidth(
        size_ev=size,
        homogeneous_ev=homogeneous,
        other_ev=other,
        total_ev=propagated(total, parts, unit="eV", method="widths in squares", low=0.0),
        total_nm=propagated(
            lambda **them: width_nm(total(**them), at_nm), parts, unit="nm", method=f"at {at_nm:.1f} nm", low=0.0
        ),
        size_nm=propagated(
            lambda size: width_nm(size, at_nm), {"size": size}, unit="nm", method=f"at {at_nm:.1f} nm", low=0.0
        ),
        at_nm=at_nm,
    )


def _given(value: float, relative_sd: float, method: str) -> Estimate:
    factor = normal_interval(1.0, relative_sd, unit="1", method="given")
    return propagated(lambda factor: value * factor, {"factor": factor}, unit="eV", method=method, low=0.0)


def _spectrum(
    wavelengths: NDArray[np.float64], values: NDArray[np.float64], on_wavelength: Line, on_energy: Line, unit: str
) -> Spectrum:
    return Spectrum(
        wavelengths_nm=wavelengths.copy(),
        values=np.asarray(values),
        peak_nm=on_wavelength.peak,
        fwhm_nm=on_wavelength.fwhm,
        peak_ev=on_energy.peak,
        fwhm_ev=on_energy.fwhm,
        unit=unit,
    )


def _broadened(
    energy: NDArray[np.float64],
    weight: NDArray[np.float64],
    *,
    ensemble: Ensemble,
    line: LineShape,
    temperature_k: float,
    profile: Profile,
    direction: int,
) -> _Lines:
    """The dots' energies with replicas, on an even grid, convolved with one dot's profile and the spread that has no size."""
    if profile not in ("gaussian", "lorentzian"):
        raise refusal("probe.unknown-name", "profile", f"{profile!r} is no profile.", "Say gaussian or lorentzian.")
    phonon = line.phonon.value / 1000.0
    phonons, share = replica_weights(line.huang_rhys.value, line.phonon.value, temperature_k)
    homogeneous = 2.0 * _finest(line, temperature_k)
    moved = energy + (-line.stokes.value / 1000.0 if direction < 0 else 0.0)
    at = (moved[:, None] + direction * phonon * phonons).ravel()
    weights = (weight[:, None] * share).ravel()
    reach = (40.0 if profile == "lorentzian" else 3.0) * homogeneous + 6.0 * ensemble.added_sd_ev
    low, high = max(float(at.min()) - reach, 0.01), float(at.max()) + reach
    step = max(homogeneous * _STEP, (high - low) / _MOST_POINTS)
    count = math.ceil((high - low) / step) + 1
    grid = low + step * np.arange(count, dtype=np.float64)
    return _Lines(
        grid, _convolved(_deposited(at, weights, grid, step), grid, homogeneous, ensemble.added_sd_ev, profile)
    )


def _finest(line: LineShape, temperature_k: float) -> float:
    """Distance of energies that one dot's line smooths over: half of its width."""
    return max(homogeneous_width_mev(line, temperature_k=temperature_k).value / 1000.0, _NARROWEST_EV) / 2.0


def _deposited(
    at: NDArray[np.float64], weights: NDArray[np.float64], grid: NDArray[np.float64], step: float
) -> NDArray[np.float64]:
    """Weights shared between the two nearest points of the grid, which keeps their sum and mean."""
    place = np.clip((at - grid[0]) / step, 0.0, grid.size - 1.001)
    left = place.astype(np.int64)
    share = place - left
    density = np.zeros(grid.size)
    np.add.at(density, left, weights * (1.0 - share))
    np.add.at(density, left + 1, weights * share)
    return density


def _convolved(
    lines: NDArray[np.float64], grid: NDArray[np.float64], fwhm: float, added_sd: float, profile: Profile
) -> NDArray[np.float64]:
    """Exact product in the Fourier domain, padded so that no tail comes round."""
    step = float(grid[1] - grid[0])
    size = 1 << (2 * grid.size - 1).bit_length()
    frequency = 2.0 * np.pi * np.fft.rfftfreq(size, step)
    if profile == "gaussian":
        kernel = np.exp(-0.5 * frequency**2 * ((fwhm / FWHM_PER_SD) ** 2 + added_sd**2))
    else:
        kernel = np.exp(-0.5 * fwhm * frequency - 0.5 * (frequency * added_sd) ** 2)
    found = np.fft.irfft(np.fft.rfft(lines, size) * kernel, size)[: grid.size] / step
    return np.maximum(found, 0.0)


def _coarse(
    energy: NDArray[np.float64], weight: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """A batch's energies in 33 bins, each at its mean."""
    edges = np.linspace(float(energy.min()), float(energy.max()) + 1e-12, 34)
    place = np.clip(np.digitize(energy, edges) - 1, 0, 32)
    total, mean = np.zeros(33), np.zeros(33)
    np.add.at(total, place, weight)
    np.add.at(mean, place, weight * energy)
    held = total > 0
    return mean[held] / total[held], total[held]


def _area(energy: NDArray[np.float64], density: NDArray[np.float64]) -> float:
    return float(density.sum() * (energy[1] - energy[0]))
