"""Lifetimes: radiative from oscillator strength and overlap, means of a decay with several components."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lampyris.core.constants import (
    ELECTRON_MASS_KG,
    ELEMENTARY_CHARGE_C,
    HBAR_J_S,
    LIGHT_M_PER_S,
    VACUUM_PERMITTIVITY_F_PER_M,
)
from lampyris.core.estimate import Estimate
from lampyris.probe.photophysics.local_field import FieldModel, local_field_rate
from lampyris.probe.propagation import Uncertain, propagated, value_of
from lampyris.probe.refusals import each_within, refusal, within


def oscillator_strength(kane_ev: Uncertain, energy_ev: Uncertain, /, *, overlap: Uncertain = 1.0) -> Estimate:
    """Oscillator strength of a dot's lowest exciton, its eight states evenly mixed: ``f = E_P overlap / (2 E)``.

    Two electron spins and four states of the J = 3/2 hole share ``4 E_P overlap / E``, summed over the directions. Below room
    temperature the states that emit least hold the exciton longer: say so by `bright_share` of `radiative_lifetime_ns`.

    Parameters
    ----------
    kane_ev : float or Estimate
        Kane energy E_P, 15 to 25 eV.
    energy_ev : float or Estimate
        Of the transition.
    overlap : float or Estimate
        Squared integral of electron and hole functions, 0 to 1, as `confinement.Transition.overlap`: near 1 in type I, small in
        type II.

    Raises
    ------
    InputError
        If a number is out of bounds.

    Examples
    --------
    >>> oscillator_strength(20.0, 2.0).value
    5.0
    """
    within("kane_ev", value_of(kane_ev), 0.0, 50.0, unit="eV", open_low=True)
    within("energy_ev", value_of(energy_ev), 0.05, 10.0, unit="eV")
    within("overlap", value_of(overlap), 0.0, 1.0)
    return propagated(
        lambda kane, energy, overlap: kane * overlap / (2.0 * energy),
        {"kane": kane_ev, "energy": energy_ev, "overlap": overlap},
        unit="1",
        method="oscillator strength from Kane energy and overlap",
        low=0.0,
    )


def radiative_lifetime_ns(
    strength: Uncertain,
    energy_ev: Uncertain,
    /,
    *,
    refractive_index: float = 1.33,
    model: FieldModel = "microscopic",
    permittivity_inside: float | None = None,
    bright_share: float = 1.0,
) -> Estimate:
    """Radiative lifetime of an emitter of a given oscillator strength.

    ``1/tau = F e^2 w^2 f / (6 pi e0 m0 c^3)`` with the local-field factor F of `local_field_rate`.

    Parameters
    ----------
    strength : float or Estimate
        Oscillator strength of the state that emits, ``2 m0 w |x|^2 / hbar``.
    energy_ev : float or Estimate
    refractive_index, model, permittivity_inside
        Of the medium and the dot.
    bright_share : float
        Emission by the states' real population over that of the even mixture (or over that of one bright state).

    Returns
    -------
    Estimate
        In ns.

    Raises
    ------
    InputError
        If a number is out of bounds; an oscillator strength of 0 never emits.

    Examples
    --------
    >>> round(radiative_lifetime_ns(1.0, 1.5307, refractive_index=1.0).value, 1)
    29.5
    """
    within("oscillator strength", value_of(strength), 0.0, 1e4, open_low=True, because="0 never emits")
    within("energy_ev", value_of(energy_ev), 0.05, 10.0, unit="eV")
    within("bright_share", bright_share, 0.0, 1.0, open_low=True)
    factor = local_field_rate(refractive_index, model=model, permittivity_inside=permittivity_inside) * bright_share
    classical = ELEMENTARY_CHARGE_C**2 / (
        6.0 * math.pi * VACUUM_PERMITTIVITY_F_PER_M * ELECTRON_MASS_KG * LIGHT_M_PER_S**3
    )

    def lifetime(strength: float, energy: float) -> float:
        circular = energy * ELEMENTARY_CHARGE_C / HBAR_J_S
        return 1e9 / (classical * circular**2 * strength * factor)

    parts = {"strength": strength, "energy": energy_ev}
    return propagated(lifetime, parts, unit="ns", method=f"oscillator strength, {model} local field", low=0.0)


def decay(time_ns: ArrayLike, amplitudes: ArrayLike, lifetimes_ns: ArrayLike, /) -> NDArray[np.float64]:
    """Sum of exponentials, dims (time,): intensity from time 0 on.

    Raises
    ------
    InputError
        If a number is not finite, a lifetime is not above 0, or amplitudes and lifetimes are not as many.
    """
    time = each_within("time_ns", time_ns, 0.0, math.inf, unit="ns")
    weight, life = _components(amplitudes, lifetimes_ns)
    return np.exp(-time[:, None] / life) @ weight


def mean_lifetimes_ns(amplitudes: ArrayLike, lifetimes_ns: ArrayLike, /) -> tuple[float, float]:
    """Amplitude-weighted and intensity-weighted mean lifetimes of a decay with several components.

    The first, ``sum a t / sum a``, goes with the quantum yield; the second, ``sum a t^2 / sum a t``, is the mean time of a photon's
    arrival. They are equal for one component, and the second is never shorter.

    Parameters
    ----------
    amplitudes : array_like, dims (component,)
        Heights at time 0, of any scale, not negative.
    lifetimes_ns : array_like, dims (component,)

    Raises
    ------
    InputError
        If a number is not finite, an amplitude is negative or all are 0, a lifetime is not above 0, or they are not as many.

    Examples
    --------
    >>> mean_lifetimes_ns([1.0, 1.0], [10.0, 30.0])
    (20.0, 25.0)
    """
    weight, life = _components(amplitudes, lifetimes_ns)
    first = float(weight @ life)
    return first / float(weight.sum()), float(weight @ life**2) / first


def mean_lifetime_estimates_ns(
    amplitudes: Sequence[Uncertain], lifetimes_ns: Sequence[Uncertain], /
) -> tuple[Estimate, Estimate]:
    """The same means with their uncertainty, from components whose errors are independent.

    Components of one fit are not independent: take `statistics.fitting.derived` there, which knows their covariance.

    Raises
    ------
    InputError
        As `mean_lifetimes_ns`.

    Examples
    --------
    >>> by_amplitude, by_intensity = mean_lifetime_estimates_ns([1.0, 1.0], [10.0, 30.0])
    >>> by_amplitude.value, by_intensity.value
    (20.0, 25.0)
    """
    mean_lifetimes_ns([value_of(one) for one in amplitudes], [value_of(one) for one in lifetimes_ns])
    count = len(amplitudes)
    parts = {f"a{n}": one for n, one in enumerate(amplitudes)} | {f"t{n}": one for n, one in enumerate(lifetimes_ns)}

    def moment(power: int, them: dict[str, float]) -> float:
        return math.fsum(them[f"a{n}"] * them[f"t{n}"] ** power for n in range(count))

    by_amplitude = propagated(
        lambda **them: moment(1, them) / moment(0, them), parts, unit="ns", method="mean by amplitude", low=0.0
    )
    by_intensity = propagated(
        lambda **them: moment(2, them) / moment(1, them), parts, unit="ns", method="mean by intensity", low=0.0
    )
    return by_amplitude, by_intensity


def stretched_mean_ns(lifetime_ns: float, stretch: float, /) -> float:
    """Mean lifetime of ``exp(-(t/tau)^beta)``: ``tau/beta Gamma(1/beta)``.

    Raises
    ------
    InputError
        If the lifetime is not above 0 or beta is not above 0 and up to 1.

    Examples
    --------
    >>> stretched_mean_ns(20.0, 1.0), stretched_mean_ns(20.0, 0.5)
    (20.0, 40.0)
    """
    within("lifetime_ns", lifetime_ns, 0.0, math.inf, unit="ns", open_low=True)
    within("stretch", stretch, 0.05, 1.0)
    return lifetime_ns / stretch * math.gamma(1.0 / stretch)


def _components(amplitudes: ArrayLike, lifetimes_ns: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    weight = each_within("amplitudes", amplitudes, 0.0, 1e300)
    life = each_within("lifetimes_ns", lifetimes_ns, 1e-6, 1e12, unit="ns")
    if weight.shape != life.shape or not weight.sum() > 0:
        seen = f"{weight.size} amplitudes with sum {weight.sum():g} and {life.size} lifetimes."
        raise refusal("probe.no-decay", "amplitudes", seen, "Give one amplitude to each lifetime, one of them above 0.")
    return weight, life
