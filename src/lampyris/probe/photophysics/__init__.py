"""Photophysics of a dot: yield, brightness, lifetime, temperature, pH, blinking and bleaching with the dose of light."""

from lampyris.probe.photophysics.acidity import (
    AcidityResponse,
    fit_acidity_response,
    ph_from_signal,
    response,
    signal_at_ph,
)
from lampyris.probe.photophysics.bleaching import (
    Bleaching,
    BleachingRate,
    dose_j_per_cm2,
    gaussian_beam_retained,
    rate_from_retained,
    uneven_retained,
)
from lampyris.probe.photophysics.blinking import SojournTimes, on_fraction
from lampyris.probe.photophysics.brightness import (
    brightness,
    photons_per_pulse,
    photons_per_s,
    saturation_irradiance_mw_per_cm2,
)
from lampyris.probe.photophysics.lifetime import (
    decay,
    mean_lifetimes_ns,
    oscillator_strength,
    radiative_lifetime_ns,
    stretched_mean_ns,
)
from lampyris.probe.photophysics.local_field import local_field_rate, purcell_factor
from lampyris.probe.photophysics.quantum_yield import quantum_yield, rates_from_yield, yield_elsewhere
from lampyris.probe.photophysics.temperature import peak_at_nm, peak_shift_ev, quenched_yield, varshni_ev

__all__ = [
    "AcidityResponse",
    "Bleaching",
    "BleachingRate",
    "SojournTimes",
    "brightness",
    "decay",
    "dose_j_per_cm2",
    "fit_acidity_response",
    "gaussian_beam_retained",
    "local_field_rate",
    "mean_lifetimes_ns",
    "on_fraction",
    "oscillator_strength",
    "peak_at_nm",
    "peak_shift_ev",
    "ph_from_signal",
    "photons_per_pulse",
    "photons_per_s",
    "purcell_factor",
    "quantum_yield",
    "quenched_yield",
    "radiative_lifetime_ns",
    "rate_from_retained",
    "rates_from_yield",
    "response",
    "saturation_irradiance_mw_per_cm2",
    "signal_at_ph",
    "stretched_mean_ns",
    "uneven_retained",
    "varshni_ev",
    "yield_elsewhere",
]
