"""Geometry of a scattering experiment, and from decay rates to hydrodynamic diameters and back."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lampyris.bench.tables import table_rows
from lampyris.core.constants import BOLTZMANN_J_PER_K
from lampyris.core.sourced import SourcedValue


def water_viscosity(temperature_k: float, /) -> SourcedValue:
    """Viscosity of water at atmospheric pressure.

    Parameters
    ----------
    temperature_k : float
        From 253.15 to 383.15 K.

    Returns
    -------
    SourcedValue
        In mPa s.

    Raises
    ------
    ValueError
        If the temperature is outside the range of the formula.

    References
    ----------
    Patek et al., J. Phys. Chem. Ref. Data 38, 21 (2009), DOI 10.1063/1.3043575, equation 8.

    Examples
    --------
    >>> round(water_viscosity(298.15).value, 4)
    0.89
    """
    rows = table_rows("water_viscosity.csv")
    low, high = float(rows[0]["low_k"]), float(rows[0]["high_k"])
    if not low <= temperature_k <= high:
        raise ValueError(f"the viscosity of water is known from {low:g} to {high:g} K, not at {temperature_k:g} K")
    value = 1e-3 * math.fsum(float(row["value"]) * (temperature_k / 300.0) ** float(row["power"]) for row in rows)
    sd = float(rows[0]["sd"]) * value
    return SourcedValue(value, sd, "mPa s", f"{temperature_k:g} K, 0.1 MPa", rows[0]["source"], rows[0]["mark"])


@dataclass(frozen=True, slots=True)
class Optics:
    """Geometry and medium of a measurement.

    Parameters
    ----------
    angle_deg : float
        Scattering angle within the medium.
    wavelength_nm : float
        Of the laser in vacuum.
    refractive_index : float
        Of the medium.
    temperature_k : float
    viscosity_mpa_s : float
        Of the medium.

    Raises
    ------
    ValueError
        With every number that cannot be.

    Examples
    --------
    >>> f"{Optics(90.0, 632.8, 1.33, 298.15, 0.89).vector_per_m:.4g}"
    '1.868e+07'
    """

    angle_deg: float
    wavelength_nm: float
    refractive_index: float
    temperature_k: float
    viscosity_mpa_s: float

    def __post_init__(self) -> None:
        limits = {
            "angle_deg": (0.5, 180.0), "wavelength_nm": (200.0, 2000.0), "refractive_index": (1.0, 3.0),
            "temperature_k": (150.0, 600.0), "viscosity_mpa_s": (0.01, 1e5),
        }  # fmt: skip
        faults = [
            f"{name} is {getattr(self, name):g}, not from {low:g} to {high:g}"
            for name, (low, high) in limits.items()
            if not low <= getattr(self, name) <= high
        ]
        if faults:
            raise ValueError("; ".join(faults))

    @property
    def vector_per_m(self) -> float:
        """Scattering vector."""
        wave = 4e9 * math.pi * self.refractive_index / self.wavelength_nm
        return wave * math.sin(math.radians(self.angle_deg) / 2.0)

    @property
    def rate_nm_per_s(self) -> float:
        """Decay rate of the field's correlation times the diameter in nm: by Stokes and Einstein the same for all sizes."""
        mobility = BOLTZMANN_J_PER_K * self.temperature_k / (3e-3 * math.pi * self.viscosity_mpa_s)
        return self.vector_per_m**2 * mobility * 1e9

    def rates_per_s(self, diameters_nm: ArrayLike, /) -> NDArray[np.float64]:
        """Decay rate of the field's correlation for each hydrodynamic diameter."""
        return self.rate_nm_per_s / np.asarray(diameters_nm, np.float64)
