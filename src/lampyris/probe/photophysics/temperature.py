"""Temperature: the peak by Varshni's rule, the yield by Arrhenius quenching."""

import math
from collections.abc import Sequence

from lampyris.core.constants import BOLTZMANN_EV_PER_K, EV_NM
from lampyris.core.estimate import Estimate
from lampyris.probe.materials import layer_material, pooled
from lampyris.probe.propagation import Uncertain, propagated, value_of
from lampyris.probe.refusals import refusal, within
from lampyris.probe.structure import Layer
from lampyris.statistics.intervals import normal_interval

_UNKNOWN_SLOPE_EV_PER_K = 5e-4


def varshni_ev(gap_0_ev: float, slope_ev_per_k: float, temperature_scale_k: float, temperature_k: float, /) -> float:
    """Gap at a temperature, ``E(T) = E(0) - a T^2 / (T + b)``.

    Raises
    ------
    InputError
        If the temperature is not from 0 to 1000 K, or b is not above 0.

    References
    ----------
    Y. P. Varshni, Physica 34, 149 (1967), doi:10.1016/0031-8914(67)90062-6.

    Examples
    --------
    >>> round(varshni_ev(1.606, 3.5e-4, 110.0, 300.0), 4)
    1.5292
    """
    kelvin = within("temperature_k", temperature_k, 0.0, 1000.0, unit="K")
    within("temperature_scale_k", temperature_scale_k, 0.0, 5000.0, unit="K", open_low=True)
    return gap_0_ev - slope_ev_per_k * kelvin**2 / (kelvin + temperature_scale_k)


def peak_shift_ev(
    material: str, temperature_k: float, /, *, reference_k: float = 295.0, composition: float = math.nan
) -> Estimate:
    """Change of the transition energy from a reference temperature, by the bulk gap's rule.

    Confinement hardly depends on temperature (Valerini 2005), so a dot's peak follows its material's gap.

    Parameters
    ----------
    material : str
        Of the table of materials.
    temperature_k, reference_k : float
        Within 4 to 400 K, the range of the gaps' temperature laws.
    composition : float
        Of an alloy only.

    Returns
    -------
    Estimate
        In eV; its uncertainty is that of the law's slope, and 0.5 meV/K where no law is known.

    Raises
    ------
    InputError
        If the material is unknown or a temperature out of range.

    References
    ----------
    D. Valerini et al., Phys. Rev. B 71, 235409 (2005), doi:10.1103/PhysRevB.71.235409.

    Examples
    --------
    >>> warm = peak_shift_ev("CdTe", 310.0)
    >>> f"{1000 * warm.value:.1f} +- {1000 * warm.sd:.1f} meV"
    '-4.5 +- 0.9 meV'
    """
    own = layer_material(Layer(material, 1.0, composition))
    shift = own.gap(temperature_k).value - own.gap(reference_k).value
    law = own.values("varshni_alpha") or own.values("gap_slope")
    if law:
        slope = pooled(law)
        sd = abs(shift) * slope.sd / abs(slope.value)
    else:
        sd = _UNKNOWN_SLOPE_EV_PER_K * abs(temperature_k - reference_k)
    words = f"gap of {own.name}, {reference_k:g} to {temperature_k:g} K"
    return normal_interval(shift, sd, unit="eV", method=words)


def peak_at_nm(
    peak_nm: Uncertain,
    material: str,
    temperature_k: float,
    /,
    *,
    reference_k: float = 295.0,
    composition: float = math.nan,
) -> Estimate:
    """Emission peak at a temperature, of one measured at another.

    Raises
    ------
    InputError
        If a temperature or the peak is out of bounds.

    Examples
    --------
    >>> warm = peak_at_nm(810.0, "CdTe", 310.0)
    >>> f"{warm.value:.1f} +- {warm.sd:.1f} nm"
    '812.4 +- 0.5 nm'
    """
    within("peak_nm", value_of(peak_nm), 200.0, 5000.0, unit="nm")
    shift = peak_shift_ev(material, temperature_k, reference_k=reference_k, composition=composition)
    return propagated(
        lambda peak, shift: EV_NM / (EV_NM / peak + shift),
        {"peak": peak_nm, "shift": shift},
        unit="nm",
        method=shift.method,
        low=0.0,
    )


def quenched_yield(
    yield_cold: Uncertain,
    prefactors: Sequence[Uncertain],
    energies_ev: Sequence[Uncertain],
    temperature_k: float,
    /,
) -> Estimate:
    """Yield at a temperature with thermally activated losses, ``Q(T) = Q(0) / (1 + sum a exp(-E / kT))``.

    Parameters
    ----------
    yield_cold : float or Estimate
        At low temperature.
    prefactors : sequence of float or Estimate
        Ratio of each loss' attempt rate to the rate without it.
    energies_ev : sequence of float or Estimate
        Activation energy of each.
    temperature_k : float

    Raises
    ------
    InputError
        If a number is out of bounds, or prefactors and energies are not as many.

    Examples
    --------
    >>> quenched_yield(0.6, [10.0], [0.05], 0.0).value
    0.6
    """
    within("yield_cold", value_of(yield_cold), 0.0, 1.0)
    kelvin = within("temperature_k", temperature_k, 0.0, 1000.0, unit="K")
    if len(prefactors) != len(energies_ev):
        seen = f"{len(prefactors)} prefactors and {len(energies_ev)} activation energies."
        raise refusal("probe.no-quenching", "prefactors", seen, "Give one prefactor to each activation energy.")
    parts: dict[str, Uncertain] = {"cold": yield_cold}
    for number, (factor, energy) in enumerate(zip(prefactors, energies_ev, strict=True)):
        within("prefactors", value_of(factor), 0.0, 1e15)
        within("energies_ev", value_of(energy), 0.0, 5.0, unit="eV")
        parts |= {f"factor_{number}": factor, f"energy_{number}": energy}

    def left(cold: float, **them: float) -> float:
        thermal = BOLTZMANN_EV_PER_K * kelvin
        losses = (
            them[f"factor_{number}"] * (math.exp(-them[f"energy_{number}"] / thermal) if thermal > 0 else 0.0)
            for number in range(len(prefactors))
        )
        return cold / (1.0 + math.fsum(losses))

    return propagated(left, parts, unit="1", method=f"Arrhenius quenching at {kelvin:g} K", low=0.0, high=1.0)
