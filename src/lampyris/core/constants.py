"""Constants of nature, and what follows from them: exact by the definition of the units, or of CODATA 2022 where measured."""

import math

AVOGADRO_PER_MOL = 6.02214076e23
PLANCK_J_S = 6.62607015e-34
LIGHT_M_PER_S = 299792458.0
ELEMENTARY_CHARGE_C = 1.602176634e-19
BOLTZMANN_J_PER_K = 1.380649e-23
VACUUM_PERMITTIVITY_F_PER_M = 8.8541878188e-12
"""Measured, to 1.6e-10 of it."""
ELECTRON_MASS_KG = 9.1093837139e-31
"""Measured, to 3.1e-10 of it."""

BOLTZMANN_EV_PER_K = BOLTZMANN_J_PER_K / ELEMENTARY_CHARGE_C
GAS_J_PER_MOL_K = AVOGADRO_PER_MOL * BOLTZMANN_J_PER_K
HBAR_J_S = PLANCK_J_S / (2.0 * math.pi)
EV_NM = PLANCK_J_S * LIGHT_M_PER_S / ELEMENTARY_CHARGE_C * 1e9
"""Planck's constant times the speed of light: a photon's energy in eV times its wavelength in nm."""
HBAR2_PER_2M0_EV_NM2 = HBAR_J_S**2 / (2.0 * ELECTRON_MASS_KG) / ELEMENTARY_CHARGE_C * 1e18
"""hbar^2 / (2 m0) in eV nm2."""
E2_PER_4PI_EPS0_EV_NM = ELEMENTARY_CHARGE_C / (4.0 * math.pi * VACUUM_PERMITTIVITY_F_PER_M) * 1e9
"""e^2 / (4 pi eps0) in eV nm."""
AVOGADRO_PER_NM3 = AVOGADRO_PER_MOL * 1e-24
"""Particles per nm3 of a solution of 1 mol/l."""

FWHM_PER_SD = 2.0 * math.sqrt(2.0 * math.log(2.0))
"""Full width at half maximum of a Gaussian over its standard deviation."""
