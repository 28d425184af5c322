"""What the readers of instruments' files give to the bench: axis and signal as stored, with what the file says of them.

A number that the file does not say is NaN, a word "". Nothing is guessed: what an axis might be is asked of the user.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lampyris.core.arrays import frozen_array

AXES = {
    "wavelength": "nm",
    "wavenumber": "1/cm",
    "photon_energy": "eV",
    "xray_energy": "keV",
    "two_theta": "deg",
    "time": "s",
    "raman_shift": "1/cm",
    "channel": "1",
    "unknown": "1",
}
"""Axes of a spectrum or trace, each with the unit it is stored in."""

SIGNALS = (
    "absorbance",
    "transmittance",
    "reflectance",
    "intensity",
    "counts",
    "count_rate",
    "photon_flux",
    "irradiance",
    "unknown",
)
"""What a spectrum's or trace's signal may be; transmittance and reflectance are shares of 1."""


def _frozen_words(words: Mapping[str, Any]) -> Mapping[str, Any]:
    return MappingProxyType(dict(words))


@dataclass(frozen=True, slots=True, eq=False)
class Spectrum:
    """A curve over one axis: absorption, emission, diffraction, infrared, X-ray energies, or a trace in time.

    Parameters
    ----------
    axis : numpy.ndarray
        Strictly rising, dims (point,), in the unit that `AXES` gives for `axis_name`; at least one point.
    signal : numpy.ndarray
        Finite or NaN where the instrument gave none, dims (point,).
    axis_name : str
        A key of `AXES`.
    signal_name : str
        One of `SIGNALS`.
    name : str
        As the file calls the sample or column.
    file : str
        As the user knows it.
    excitation_nm, integration_s, saturation : float
        Excitation wavelength, exposure, and signal at which the detector saturates; NaN where not said.
    words : mapping
        What else the file says, by its own names.

    Raises
    ------
    ValueError
        With every fault found.
    """

    axis: NDArray[np.float64]
    signal: NDArray[np.float64]
    axis_name: str
    signal_name: str
    name: str = ""
    file: str = ""
    excitation_nm: float = math.nan
    integration_s: float = math.nan
    saturation: float = math.nan
    words: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        axis = frozen_array("axis", self.axis, ("point",), np.float64)
        signal = frozen_array("signal", self.signal, ("point",), np.float64, axis.shape)
        faults = [
            f"axis_name is one of {', '.join(AXES)}, got {self.axis_name!r}" if self.axis_name not in AXES else "",
            f"signal_name is one of {', '.join(SIGNALS)}, got {self.signal_name!r}"
            if self.signal_name not in SIGNALS
            else "",
            "has no point" if not axis.size else "",
            "axis is not finite and strictly rising"
            if not (np.isfinite(axis).all() and (np.diff(axis) > 0).all())
            else "",
            "signal is infinite somewhere" if np.isinf(signal).any() else "",
        ]
        if any(faults):
            raise ValueError("spectrum: " + "; ".join(fault for fault in faults if fault))
        object.__setattr__(self, "axis", axis)
        object.__setattr__(self, "signal", signal)
        object.__setattr__(self, "words", _frozen_words(self.words))


@dataclass(frozen=True, slots=True, eq=False)
class Decay:
    """Photons counted over the time after a pulse.

    Parameters
    ----------
    counts : numpy.ndarray
        Photons per channel, dims (channel,), whole numbers from 0.
    channel_ns : float
        Width of a channel.
    name, file : str
        As `Spectrum`.
    repetition_mhz, emission_nm, excitation_nm, acquisition_s : float
        NaN where not said.
    words : mapping
        What else the file says.
    """

    counts: NDArray[np.float64]
    channel_ns: float
    name: str = ""
    file: str = ""
    repetition_mhz: float = math.nan
    emission_nm: float = math.nan
    excitation_nm: float = math.nan
    acquisition_s: float = math.nan
    words: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        counts = frozen_array("counts", self.counts, ("channel",), np.float64)
        if not (np.isfinite(counts).all() and (counts >= 0).all()):
            raise ValueError("decay: counts need finite numbers from 0")
        if not (math.isfinite(self.channel_ns) and self.channel_ns > 0):
            raise ValueError(f"decay: channel_ns needs a number above 0, got {self.channel_ns}")
        object.__setattr__(self, "counts", counts)
        object.__setattr__(self, "words", _frozen_words(self.words))


@dataclass(frozen=True, slots=True, eq=False)
class Correlogram:
    """Correlation of scattered light over lag times.

    Parameters
    ----------
    lag_s : numpy.ndarray
        Strictly rising and above 0, dims (lag,).
    correlation : numpy.ndarray
        g2 - 1, its intercept not normalised, dims (lag,).
    angle_deg, wavelength_nm, temperature_k, viscosity_mpa_s, refractive_index : float
        Scattering angle, vacuum wavelength, and of the medium temperature, viscosity and index; NaN where not said.
    count_rate_kcps, duration_s : float
        Mean count rate and time of the run.
    name, file : str
        As `Spectrum`.
    sd : numpy.ndarray or None
        Standard deviation per lag where the instrument gives it.
    vendor : mapping
        The vendor's own results by name, such as ``z_average_nm``, ``pdi``, ``intercept``; numbers or arrays.
    words : mapping
        What else the file says.
    """

    lag_s: NDArray[np.float64]
    correlation: NDArray[np.float64]
    angle_deg: float = math.nan
    wavelength_nm: float = math.nan
    temperature_k: float = math.nan
    viscosity_mpa_s: float = math.nan
    refractive_index: float = math.nan
    count_rate_kcps: float = math.nan
    duration_s: float = math.nan
    name: str = ""
    file: str = ""
    sd: NDArray[np.float64] | None = None
    vendor: Mapping[str, Any] = field(default_factory=dict)
    words: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        lag = frozen_array("lag_s", self.lag_s, ("lag",), np.float64)
        correlation = frozen_array("correlation", self.correlation, ("lag",), np.float64, lag.shape)
        if not (lag.size and (lag > 0).all() and np.isfinite(lag).all() and (np.diff(lag) > 0).all()):
            raise ValueError("correlogram: lag_s needs strictly rising numbers above 0")
        if not np.isfinite(correlation).all():
            raise ValueError("correlogram: correlation needs finite numbers")
        if self.sd is not None:
            object.__setattr__(self, "sd", frozen_array("sd", self.sd, ("lag",), np.float64, lag.shape))
        object.__setattr__(self, "lag_s", lag)
        object.__setattr__(self, "correlation", correlation)
        object.__setattr__(self, "vendor", _frozen_words(self.vendor))
        object.__setattr__(self, "words", _frozen_words(self.words))


@dataclass(frozen=True, slots=True, eq=False)
class Micrograph:
    """A picture of an electron microscope.

    Parameters
    ----------
    pixels : numpy.ndarray
        As stored, dims (y, x), unsigned or finite float.
    pixel_nm : float
        Side of a pixel; NaN where the file does not say.
    scale_source : str
        Where `pixel_nm` comes from: the tag or field of the file, "scale bar", "given", or "".
    bright_particles : bool or None
        Whether particles are brighter than what is between them (dark field, scanning); None where not said.
    name, file : str
        As `Spectrum`.
    words : mapping
        What else the file says.
    """

    pixels: NDArray[Any]
    pixel_nm: float = math.nan
    scale_source: str = ""
    bright_particles: bool | None = None
    name: str = ""
    file: str = ""
    words: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        pixels = frozen_array("pixels", self.pixels, ("y", "x"), None)
        if pixels.dtype.kind not in "uf" or not pixels.size:
            raise ValueError(f"micrograph: pixels need unsigned or float numbers, got {pixels.dtype} {pixels.shape}")
        if not (math.isnan(self.pixel_nm) or 0 < self.pixel_nm < math.inf):
            raise ValueError(f"micrograph: pixel_nm needs a number above 0, got {self.pixel_nm}")
        object.__setattr__(self, "pixels", pixels)
        object.__setattr__(self, "words", _frozen_words(self.words))
