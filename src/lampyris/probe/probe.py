"""`Probe`: what a dot or dye absorbs and emits, and how much of it a labelled cell carries."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import erf

from lampyris.core.constants import AVOGADRO_PER_MOL, LIGHT_M_PER_S, PLANCK_J_S
from lampyris.core.settings import Band, ProbeSettings


@dataclass(frozen=True, slots=True)
class Probe:
    """A dot or dye.

    Parameters
    ----------
    name : str
        Key in study.toml.
    emission_nm, fwhm_nm : float
        Emission peak and full width, Gaussian in wavelength.
    cross_section_mm2 : float
        Absorption cross-section at the excitation wavelength.
    quantum_yield : float
        Photons out per photon absorbed.
    per_cell : float
        Probes per labelled cell at injection.
    brightness_relative_sd : float
        Spread of cross-section times yield times probes per cell.
    """

    name: str
    emission_nm: float
    fwhm_nm: float
    cross_section_mm2: float
    quantum_yield: float
    per_cell: float
    brightness_relative_sd: float

    @property
    def photons_per_cell_fluence_mm2(self) -> float:
        """Photons emitted per second by one labelled cell in a fluence rate of 1 photon per second and mm2."""
        return self.cross_section_mm2 * self.quantum_yield * self.per_cell


def cross_section_mm2(molar_extinction_per_m_cm: float, /) -> float:
    """Absorption cross-section from the molar extinction coefficient (decadic), sigma = 2303 epsilon / N_A in cm2.

    Examples
    --------
    >>> f"{cross_section_mm2(1e6):.3e}"
    '3.824e-13'
    """
    return 100.0 * 1000.0 * np.log(10.0) * molar_extinction_per_m_cm / AVOGADRO_PER_MOL


def photon_irradiance_per_mm2(milliwatt_per_cm2: float, wavelength_nm: float, /) -> float:
    """Photons per second and mm2 of a beam of the given power density.

    Examples
    --------
    >>> f"{photon_irradiance_per_mm2(1.0, 710.0):.3e}"
    '3.574e+13'
    """
    watt_per_mm2 = milliwatt_per_cm2 * 1e-3 / 100.0
    return watt_per_mm2 * wavelength_nm * 1e-9 / (PLANCK_J_S * LIGHT_M_PER_S)


def probe_from_settings(name: str, settings: ProbeSettings, /) -> Probe:
    """Probe of a ``[probes.NAME]`` section."""
    yield_sd = settings.quantum_yield_sd / settings.quantum_yield
    return Probe(
        name=name,
        emission_nm=settings.emission_nm,
        fwhm_nm=settings.fwhm_nm,
        cross_section_mm2=cross_section_mm2(settings.molar_extinction_per_m_cm),
        quantum_yield=settings.quantum_yield,
        per_cell=settings.per_cell,
        brightness_relative_sd=float(np.hypot(yield_sd, settings.per_cell_relative_sd)),
    )


def band_fractions(probe: Probe, bands: tuple[Band, ...], /) -> NDArray[np.float64]:
    """Share of the emitted photons whose wavelength lies in each band, dims (channel,).

    The emission is a Gaussian in wavelength, the bands are rectangles.
    """
    scale = probe.fwhm_nm / (2.0 * np.sqrt(np.log(2.0)))
    low = np.array([band.centre_nm - band.width_nm / 2 for band in bands])
    high = np.array([band.centre_nm + band.width_nm / 2 for band in bands])
    return 0.5 * (erf((high - probe.emission_nm) / scale) - erf((low - probe.emission_nm) / scale))
