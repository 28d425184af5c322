"""Brightness: what a dot gives at an excitation, and where it saturates."""

import math

from lampyris.core.constants import LIGHT_M_PER_S, PLANCK_J_S
from lampyris.core.estimate import Estimate
from lampyris.probe.extinction import cross_section_cm2
from lampyris.probe.probe import photon_irradiance_per_mm2
from lampyris.probe.propagation import Uncertain, propagated, value_of
from lampyris.probe.refusals import within


def brightness(molar_extinction_per_m_cm: Uncertain, quantum_yield: Uncertain, /) -> Estimate:
    """Extinction at the excitation times quantum yield, in 1/(M cm): what compares dots and dyes.

    Raises
    ------
    InputError
        If the extinction is negative or the yield is not from 0 to 1.

    Examples
    --------
    >>> brightness(2e6, 0.4).value
    800000.0
    """
    _checked(molar_extinction_per_m_cm, quantum_yield)
    return propagated(
        lambda extinction, share: extinction * share,
        {"extinction": molar_extinction_per_m_cm, "share": quantum_yield},
        unit="1/(M cm)",
        method="extinction times yield",
        low=0.0,
    )


def photons_per_s(
    molar_extinction_per_m_cm: Uncertain,
    quantum_yield: Uncertain,
    irradiance_mw_per_cm2: Uncertain,
    wavelength_nm: float,
    /,
    *,
    lifetime_ns: Uncertain = 0.0,
) -> Estimate:
    """Photons that one dot emits per second in steady light, with saturation.

    A dot that holds an exciton gives no second photon (a second exciton loses its energy without light), so the rate is
    ``yield W / (1 + W tau)`` with W the rate of absorption.

    Parameters
    ----------
    molar_extinction_per_m_cm : float or Estimate
        At the excitation.
    quantum_yield : float or Estimate
    irradiance_mw_per_cm2 : float or Estimate
        At the dot; in tissue its fluence rate.
    wavelength_nm : float
        Of the excitation.
    lifetime_ns : float or Estimate
        Of the exciton; 0 leaves saturation out.

    Raises
    ------
    InputError
        If a number is out of bounds.

    Examples
    --------
    >>> weak = photons_per_s(2e6, 0.4, 10.0, 640.0, lifetime_ns=50.0)
    >>> f"{weak.value:.3g} {weak.unit}"
    '98.5 1/s'
    """
    _checked(molar_extinction_per_m_cm, quantum_yield)
    within("irradiance_mw_per_cm2", value_of(irradiance_mw_per_cm2), 0.0, math.inf, unit="mW/cm2")
    within("wavelength_nm", wavelength_nm, 200.0, 2000.0, unit="nm")
    within("lifetime_ns", value_of(lifetime_ns), 0.0, 1e9, unit="ns")
    per_mw_per_cm2 = 100.0 * float(photon_irradiance_per_mm2(1.0, wavelength_nm))
    area = cross_section_cm2(molar_extinction_per_m_cm)

    def emitted(area: float, share: float, irradiance: float, life: float) -> float:
        absorbed = area * irradiance * per_mw_per_cm2
        return share * absorbed / (1.0 + absorbed * life * 1e-9)

    parts = {"area": area, "share": quantum_yield, "irradiance": irradiance_mw_per_cm2, "life": lifetime_ns}
    return propagated(emitted, parts, unit="1/s", method=f"photons at {wavelength_nm:g} nm", low=0.0)


def photons_per_pulse(
    molar_extinction_per_m_cm: Uncertain,
    quantum_yield: Uncertain,
    fluence_mj_per_cm2: Uncertain,
    wavelength_nm: float,
    /,
) -> Estimate:
    """Photons that one dot emits after a pulse much shorter than its lifetime: ``yield (1 - exp(-sigma J))``.

    The number of excitons is Poisson's, and all but the last lose their energy without light.

    Raises
    ------
    InputError
        If a number is out of bounds.

    Examples
    --------
    >>> photons_per_pulse(2e6, 0.4, 1e6, 640.0).value
    0.4
    """
    _checked(molar_extinction_per_m_cm, quantum_yield)
    within("fluence_mj_per_cm2", value_of(fluence_mj_per_cm2), 0.0, math.inf, unit="mJ/cm2")
    within("wavelength_nm", wavelength_nm, 200.0, 2000.0, unit="nm")
    per_mj_per_cm2 = 100.0 * float(photon_irradiance_per_mm2(1.0, wavelength_nm))
    return propagated(
        lambda area, share, fluence: -share * math.expm1(-area * fluence * per_mj_per_cm2),
        {
            "area": cross_section_cm2(molar_extinction_per_m_cm),
            "share": quantum_yield,
            "fluence": fluence_mj_per_cm2,
        },
        unit="1",
        method=f"photons of a pulse at {wavelength_nm:g} nm",
        low=0.0,
        high=1.0,
    )


def saturation_irradiance_mw_per_cm2(
    molar_extinction_per_m_cm: Uncertain, lifetime_ns: Uncertain, wavelength_nm: float, /
) -> Estimate:
    """Irradiance at which a dot emits half of what it can at most: ``h nu / (sigma tau)``.

    Raises
    ------
    InputError
        If a number is out of bounds.

    Examples
    --------
    >>> f"{saturation_irradiance_mw_per_cm2(2e6, 50.0, 640.0).value:.2g}"
    '8.1e+05'
    """
    within("molar_extinction", value_of(molar_extinction_per_m_cm), 0.0, 1e12, unit="1/(M cm)", open_low=True)
    within("lifetime_ns", value_of(lifetime_ns), 0.0, 1e9, unit="ns", open_low=True)
    within("wavelength_nm", wavelength_nm, 200.0, 2000.0, unit="nm")
    photon_mj = 1e3 * PLANCK_J_S * LIGHT_M_PER_S / (wavelength_nm * 1e-9)
    return propagated(
        lambda area, life: photon_mj / (area * life * 1e-9),
        {"area": cross_section_cm2(molar_extinction_per_m_cm), "life": lifetime_ns},
        unit="mW/cm2",
        method="half of the most that a dot can emit",
        low=0.0,
    )


def _checked(molar_extinction_per_m_cm: Uncertain, quantum_yield: Uncertain) -> None:
    within("molar_extinction", value_of(molar_extinction_per_m_cm), 0.0, 1e12, unit="1/(M cm)")
    within("quantum_yield", value_of(quantum_yield), 0.0, 1.0)
