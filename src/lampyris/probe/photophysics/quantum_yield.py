"""Quantum yield from what competes: the radiative rate, with overlap and medium, and the rates that give no light."""

import math

from lampyris.core.estimate import Estimate
from lampyris.probe.photophysics.local_field import FieldModel, local_field_rate
from lampyris.probe.propagation import Uncertain, propagated, value_of
from lampyris.probe.refusals import within


def quantum_yield(radiative_ns: Uncertain, nonradiative_ns: Uncertain, /, *, dark_share: Uncertain = 0.0) -> Estimate:
    """Photons out per photon absorbed, ``(1 - dark) k_r / (k_r + k_nr)``.

    Parameters
    ----------
    radiative_ns : float or Estimate
        Radiative lifetime, 1/k_r.
    nonradiative_ns : float or Estimate
        1/k_nr; infinity where nothing competes.
    dark_share : float or Estimate
        Share of dots that absorb and never emit, or of time that a dot is off.

    Raises
    ------
    InputError
        If a lifetime is not above 0 or the share is not from 0 to 1.

    Examples
    --------
    >>> quantum_yield(30.0, 30.0).value, quantum_yield(30.0, float("inf")).value
    (0.5, 1.0)
    """
    within("radiative_ns", value_of(radiative_ns), 0.0, 1e12, unit="ns", open_low=True)
    if value_of(nonradiative_ns) != math.inf:
        within("nonradiative_ns", value_of(nonradiative_ns), 0.0, 1e300, unit="ns", open_low=True)
    within("dark_share", value_of(dark_share), 0.0, 1.0)
    return propagated(
        lambda radiative, nonradiative, dark: (1.0 - dark) / (1.0 + radiative / nonradiative),
        {"radiative": radiative_ns, "nonradiative": nonradiative_ns, "dark": dark_share},
        unit="1",
        method="yield from rates",
        low=0.0,
        high=1.0,
    )


def rates_from_yield(quantum_yield: Uncertain, lifetime_ns: Uncertain, /) -> tuple[Estimate, Estimate]:
    """Radiative and nonradiative rates in 1/ns of a measured yield and amplitude-weighted mean lifetime.

    Raises
    ------
    InputError
        If the yield is not from 0 to 1 or the lifetime not above 0.

    Examples
    --------
    >>> radiative, other = rates_from_yield(0.4, 40.0)
    >>> radiative.value, round(other.value, 6)
    (0.01, 0.015)
    """
    within("quantum_yield", value_of(quantum_yield), 0.0, 1.0)
    within("lifetime_ns", value_of(lifetime_ns), 0.0, 1e12, unit="ns", open_low=True)
    parts = {"share": quantum_yield, "life": lifetime_ns}
    words = "rates from yield and lifetime"
    radiative = propagated(lambda share, life: share / life, parts, unit="1/ns", method=words, low=0.0)
    return radiative, propagated(lambda share, life: (1.0 - share) / life, parts, unit="1/ns", method=words, low=0.0)


def yield_elsewhere(
    quantum_yield: Uncertain,
    /,
    *,
    overlap_from: float = 1.0,
    overlap_to: float = 1.0,
    index_from: float = 1.33,
    index_to: float = 1.33,
    model: FieldModel = "microscopic",
) -> Estimate:
    """Yield of a dot in another medium, or with another overlap of electron and hole, all else as it was.

    The radiative rate goes as the overlap and with the medium's local field; the rates without light are taken to stay.

    Parameters
    ----------
    quantum_yield : float or Estimate
        Where it was measured.
    overlap_from, overlap_to : float
        Squared integral of electron and hole functions, above 0 to 1, as `confinement.Transition.overlap`.
    index_from, index_to : float
        Refractive indices of the media.
    model : str
        As of `local_field_rate`.

    Raises
    ------
    InputError
        If a number is out of bounds.

    Examples
    --------
    >>> round(yield_elsewhere(0.5, overlap_to=0.25).value, 6)
    0.2
    """
    within("quantum_yield", value_of(quantum_yield), 0.0, 1.0)
    for name, overlap in (("overlap_from", overlap_from), ("overlap_to", overlap_to)):
        within(name, overlap, 0.0, 1.0, open_low=True)
    faster = overlap_to / overlap_from
    faster *= local_field_rate(index_to, model=model) / local_field_rate(index_from, model=model)
    return propagated(
        lambda share: faster * share / (faster * share + (1.0 - share)),
        {"share": quantum_yield},
        unit="1",
        method=f"yield at {faster:.3g} times the radiative rate",
        low=0.0,
        high=1.0,
    )
