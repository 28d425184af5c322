"""A virtual spectrometer: absorption and emission of a batch of dots as text exports."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lampyris.bench.absorption import predict_scattering, variance_absorbance
from lampyris.bench.lines import variance_counts
from lampyris.core.constants import EV_NM, FWHM_PER_SD
from lampyris.io.durable import write_text

_BANDPASS_NM = 2.0


@dataclass(frozen=True, slots=True)
class SpectrumTruth:
    """A batch of dots.

    Parameters
    ----------
    emission_nm : float
        Middle of the emission in photon energy, told in nm.
    exciton_nm : float
        First exciton.
    fwhm_mev : float
        Of both.
    skew : float
        Tail of the emission to low energy: mean of an exponential in units of the line's standard deviation.
    trap_nm, trap_share : float
        Middle and height per eV, relative to the emission, of a second line: light from the surface.
    trap_fwhm_mev : float
        Its width.
    peak_counts : float
        Of the emission.
    absorbance : float
        Height of the first exciton, without what overlaps it.
    absorbance_sd : float
        Noise of the absorption at absorbance 0.
    scattering : float
        Apparent absorbance at 600 nm.
    exponent : float
        Of the wavelength in what is scattered: 4 of small particles, less of larger ones and of clumps.
    scale_shift_nm : float
        By which the instrument's wavelengths are too long: its scale was calibrated no better.
    """

    emission_nm: float = 810.0
    exciton_nm: float = 775.0
    fwhm_mev: float = 100.0
    skew: float = 0.0
    trap_nm: float = 900.0
    trap_share: float = 0.0
    trap_fwhm_mev: float = 150.0
    peak_counts: float = 2e4
    absorbance: float = 0.2
    absorbance_sd: float = 5e-4
    scattering: float = 0.0
    exponent: float = 4.0
    scale_shift_nm: float = 0.0


def write_virtual_emission(
    path: Path, truth: SpectrumTruth, /, *, rng: np.random.Generator, step_nm: float = 1.0
) -> None:
    """Write an emission spectrum in counts per nm: a Gaussian in energy, or with a tail, over a dark level.

    Each point sees a triangle of 2 nm at half height, which is what two equal slits let through; the file says so.
    """
    sd = truth.fwhm_mev / 1000.0 / FWHM_PER_SD
    centre = EV_NM / truth.emission_nm
    reach = 4.5 * truth.fwhm_mev / 1000.0 * truth.emission_nm**2 / EV_NM
    wide = 2.0 * truth.trap_fwhm_mev / 1000.0 * truth.trap_nm**2 / EV_NM
    last = max(truth.emission_nm + reach, truth.trap_nm + wide if truth.trap_share else 0.0)
    wavelength = np.arange(truth.emission_nm - 0.8 * reach, last, step_nm)
    fine = np.arange(wavelength[0] - 5.0, wavelength[-1] + 5.0, 0.1)
    energy = EV_NM / fine
    tails = np.linspace(0.0, 6.0, 121) if truth.skew else np.zeros(1)
    weights = np.exp(-tails) / np.exp(-tails).sum()
    per_ev = sum(
        w * np.exp(-0.5 * ((energy - centre + tail * truth.skew * sd) / sd) ** 2)
        for w, tail in zip(weights, tails, strict=True)
    )
    trap_sd = truth.trap_fwhm_mev / 1000.0 / FWHM_PER_SD
    per_ev = per_ev + truth.trap_share * np.exp(-0.5 * ((energy - EV_NM / truth.trap_nm) / trap_sd) ** 2)
    per_nm = np.asarray(per_ev) * energy**2
    # an odd number of places: an even one would move the line by half a step
    triangle = np.maximum(1.0 - np.abs(np.arange(-20, 21)) * 0.1 / _BANDPASS_NM, 0.0)
    slit = np.convolve(per_nm, triangle / triangle.sum(), mode="same")
    expected = truth.peak_counts * np.interp(wavelength, fine, slit) / slit.max() + 40.0
    counts = rng.poisson(expected) + rng.normal(
        0.0, np.sqrt(variance_counts(0.0, read_variance=9.0, gain=1.0)), wavelength.size
    )
    _write(path, wavelength + truth.scale_shift_nm, counts, f"synthetic emission (slit {_BANDPASS_NM:g} nm)", "Counts")


def predict_dots(wavelength_nm: NDArray[np.float64], truth: SpectrumTruth, /) -> NDArray[np.float64]:
    """Absorbance of the dots alone: Gaussian excitons at ratios of energy as those of a sphere, and a continuum, dims (point,)."""
    centre = EV_NM / truth.exciton_nm
    sd = truth.fwhm_mev / 1000.0 / FWHM_PER_SD
    energy = EV_NM / wavelength_nm
    total = np.zeros(energy.size)
    # distances of the next transitions in units of the width, wider and stronger upwards, then the continuum of the bulk
    for distance, height, width in ((0.0, 1.0, 1.0), (3.3, 1.1, 1.7), (6.0, 1.9, 2.4)):
        total += height * np.exp(-0.5 * ((energy - centre - distance * sd) / (width * sd)) ** 2)
    total += 3.0 / (1.0 + np.exp(-(energy - centre - 9.0 * sd) / (1.6 * sd)))
    return truth.absorbance * total


def write_virtual_absorption(
    path: Path, truth: SpectrumTruth, /, *, rng: np.random.Generator, step_nm: float = 1.0
) -> None:
    """Write an absorption spectrum: the dots as of `predict_dots`, and scattering."""
    centre = EV_NM / truth.exciton_nm
    wavelength = np.arange(max(EV_NM / (centre + 1.0), 300.0), EV_NM / (centre - 0.42), step_nm)
    expected = predict_dots(wavelength, truth) + predict_scattering(wavelength, truth.scattering, truth.exponent)
    noise = np.sqrt(variance_absorbance(expected, at_zero=truth.absorbance_sd**2))
    _write(path, wavelength + truth.scale_shift_nm, expected + rng.normal(0.0, noise), "synthetic absorption", "Abs")


def _write(path: Path, x: np.ndarray, y: np.ndarray, title: str, signal: str) -> None:  # type: ignore[type-arg]
    rows = "\n".join(f"{a:.4f},{b:.8g}" for a, b in zip(x.tolist(), y.tolist(), strict=True))
    write_text(path, f"{title}\nWavelength (nm),{signal}\n{rows}\n")
