"""A virtual integrating sphere and a virtual fluorometer: their text exports for a known yield."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lampyris.bench.quantum_yield import predict_emission, predict_sphere
from lampyris.core.constants import EV_NM, FWHM_PER_SD
from lampyris.io.durable import write_text


@dataclass(frozen=True, slots=True)
class YieldTruth:
    """What the instruments are given.

    Parameters
    ----------
    quantum_yield, absorptance : float
    emission_nm, fwhm_nm : float
        Emission, Gaussian in photon energy.
    excitation_nm : float
    peak_counts : float
        Counts of the empty sphere's excitation in its brightest point.
    sensitivity_tilt : float
        Relative change of the true sensitivity over the whole range that the correction file does not know.
    reabsorbed : float
        Share of emitted photons that the sample takes up again in the sphere, from the blue side; each is emitted anew with the yield.
    """

    quantum_yield: float = 0.426
    absorptance: float = 0.35
    emission_nm: float = 810.0
    fwhm_nm: float = 60.0
    excitation_nm: float = 450.0
    peak_counts: float = 4e5
    sensitivity_tilt: float = 0.0
    reabsorbed: float = 0.0


def _sensitivity(wavelength_nm: NDArray[np.float64]) -> NDArray[np.float64]:
    """Counts per photon of a silicon detector behind a grating, in shape."""
    return np.exp(-(((wavelength_nm - 620.0) / 330.0) ** 2))


def _true_sensitivity(wavelength_nm: NDArray[np.float64], truth: YieldTruth) -> NDArray[np.float64]:
    span = (wavelength_nm - truth.excitation_nm) / 500.0
    return _sensitivity(wavelength_nm) * (1.0 + truth.sensitivity_tilt * span)


def _emission(wavelength_nm: NDArray[np.float64], truth: YieldTruth) -> NDArray[np.float64]:
    """Photons per nm of one emitted photon; energy times photons per nm keeps the area by the Jacobian."""
    energy, centre = EV_NM / wavelength_nm, EV_NM / truth.emission_nm
    width = centre * truth.fwhm_nm / truth.emission_nm / FWHM_PER_SD
    per_ev = np.exp(-0.5 * ((energy - centre) / width) ** 2) / (width * np.sqrt(2.0 * np.pi))
    return per_ev * energy / wavelength_nm


def _kept(wavelength_nm: NDArray[np.float64], truth: YieldTruth) -> NDArray[np.float64]:
    """Share of photons of each wavelength that leave a sample whose absorption ends on the red side of its emission's peak."""
    edge = truth.emission_nm - 0.3 * truth.fwhm_nm
    taken = 1.0 / (1.0 + np.exp((wavelength_nm - edge) / (0.05 * truth.fwhm_nm)))
    shape = _emission(wavelength_nm, truth)
    return 1.0 - taken * truth.reabsorbed * shape.sum() / float((shape * taken).sum())


def write_virtual_sphere(folder: Path, truth: YieldTruth, /, *, rng: np.random.Generator) -> dict[str, Path]:
    """Write the three measurements of a sphere and its correction as text.

    Parameters
    ----------
    folder : Path
    truth : YieldTruth
    rng : numpy.random.Generator

    Returns
    -------
    dict of str to Path
        File by role: empty, indirect, direct, correction, and dilute where light is taken up again. Each measurement reaches from
        below the excitation over the emission.
    """
    wavelength = np.arange(truth.excitation_nm - 20.0, truth.emission_nm + 2.5 * truth.fwhm_nm, 1.0)
    line = np.exp(-0.5 * ((wavelength - truth.excitation_nm) / 1.6) ** 2)
    line /= line.sum()
    # photons that are taken up again are emitted anew with the yield, and so on (Ahn and others 2007)
    seen = truth.quantum_yield * (1.0 - truth.reabsorbed) / (1.0 - truth.reabsorbed * truth.quantum_yield)
    wall, indirect_share = rng.uniform(0.02, 0.15), 0.3 * truth.absorptance * seen
    parts = predict_sphere(seen, truth.absorptance, 1.0, wall_share=wall, indirect_share=indirect_share * (1 - wall))
    indirect, direct, indirect_emission, direct_emission = parts
    scale = truth.peak_counts / (line * _true_sensitivity(wavelength, truth)).max()
    sensitivity = _true_sensitivity(wavelength, truth)
    shape = _emission(wavelength, truth) * _kept(wavelength, truth) / (1.0 - truth.reabsorbed)
    written = {}
    for role, excitation, emission in (
        ("empty", 1.0, 0.0),
        ("indirect", indirect, indirect_emission),
        ("direct", direct, direct_emission),
    ):
        expected = scale * sensitivity * (excitation * line + emission * shape)
        counts = rng.poisson(expected) + rng.normal(0.0, 3.0, wavelength.size)
        written[role] = _write(folder / f"{role}.txt", wavelength, counts, f"synthetic integrating sphere, {role}")
    if truth.reabsorbed:
        # a very dilute sample in the same instrument, through the same grating
        expected = truth.peak_counts * _emission(wavelength, truth) / _emission(wavelength, truth).max() * sensitivity
        counts = rng.poisson(expected) + rng.normal(0.0, 3.0, wavelength.size)
        written["dilute"] = _write(folder / "dilute.txt", wavelength, counts, "synthetic emission, very dilute")
    # the file knows the nominal sensitivity; it gives energy, a photon of which has hc over its wavelength
    correction = 1000.0 / (wavelength * _sensitivity(wavelength))
    written["correction"] = _write(folder / "correction.txt", wavelength, correction, "synthetic correction")
    return written


def write_virtual_dilutions(
    folder: Path,
    truth: YieldTruth,
    absorbances: tuple[float, ...],
    /,
    *,
    name: str,
    rng: np.random.Generator,
    absorbance_sd: float = 0.001,
    refractive_index: float = 1.333,
) -> tuple[list[Path], list[float]]:
    """Write the emission of dilutions of one substance as text, and the absorbances that a spectrometer read of them.

    Parameters
    ----------
    folder : Path
    truth : YieldTruth
        Of the substance.
    absorbances : tuple of float
        True absorbances.
    name : str
        Of the files.
    rng : numpy.random.Generator
    absorbance_sd : float
        Of the reading.
    refractive_index : float
        Of the solvent: light that leaves a cell falls with its square.

    Returns
    -------
    list of Path, list of float
    """
    wavelength = np.arange(truth.emission_nm - 2.5 * truth.fwhm_nm, truth.emission_nm + 2.5 * truth.fwhm_nm, 1.0)
    photons = predict_emission(np.array(absorbances), truth.quantum_yield * 3e7) / refractive_index**2
    shape = _emission(wavelength, truth)
    paths, read = [], []
    for number, (total, absorbance) in enumerate(zip(photons, absorbances, strict=True)):
        # photons to an energy-proportional signal
        expected = total * shape
        counts = rng.poisson(expected) * 1000.0 / wavelength
        path = folder / f"{name}-{number}.csv"
        paths.append(_write(path, wavelength, counts, f"synthetic emission, {name}", separator=","))
        read.append(float(max(absorbance + rng.normal(0.0, absorbance_sd), 1e-6)))
    return paths, read


def _write(path: Path, x: NDArray[np.float64], y: NDArray[np.float64], title: str, *, separator: str = "\t") -> Path:
    rows = "\n".join(f"{a:g}{separator}{b:.8g}" for a, b in zip(x.tolist(), y.tolist(), strict=True))
    write_text(path, f"{title}\nWavelength (nm){separator}Signal\n{rows}\n")
    return path
