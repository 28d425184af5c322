"""One dot's line: its width with temperature, its phonon replicas and the way from absorption to emission."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ive

from lampyris.core.constants import BOLTZMANN_EV_PER_K
from lampyris.core.estimate import Estimate
from lampyris.core.sourced import SourcedValue
from lampyris.probe.materials import material as material_of
from lampyris.probe.materials import materials, pooled
from lampyris.probe.propagation import propagated
from lampyris.probe.refusals import known, refusal, within
from lampyris.probe.tables import constant, table_rows

ANY = "any"
"""Rows that serve a material without its own."""


def photophysical_values(material: str, quantity: str, /) -> tuple[SourcedValue, ...]:
    """Constants of light emission of a material as each source gives them; those of ``any`` where it has none.

    Raises
    ------
    InputError
        If the quantity is not in the table at all, or neither the material nor ``any`` has it.

    Examples
    --------
    >>> [one.value for one in photophysical_values("CdTe", "acoustic_broadening")]
    [0.051, 0.067]
    """
    rows = table_rows("photophysics.csv")
    name = known("quantity", quantity, {row["quantity"] for row in rows})
    for whose in (material, ANY):
        own = tuple(constant(row) for row in rows if row["quantity"] == name and row["material"] == whose)
        if own:
            return own
    listed = ", ".join(sorted({row["material"] for row in rows if row["quantity"] == name}))
    seen = f"no source of the table gives {name} of {material}."
    raise refusal("probe.no-constant", "material", seen, f"Give it yourself; known of: {listed}.")


def photophysical_constant(material: str, quantity: str, /) -> Estimate:
    """The same, pooled over the sources."""
    return pooled(photophysical_values(material, quantity))


@dataclass(frozen=True, slots=True)
class LineShape:
    """What makes one dot's line.

    Parameters
    ----------
    width_0 : Estimate
        Full width at zero temperature, meV.
    acoustic : Estimate
        Broadening by acoustic phonons, meV/K.
    optical : Estimate
        Broadening by longitudinal optical phonons, meV.
    phonon : Estimate
        Energy of that phonon, meV.
    huang_rhys : Estimate
        Mean number of phonons that come with a transition at zero temperature; 0 leaves the replicas out.
    stokes : Estimate
        From the absorption's first peak down to the emission's, meV, apart from what replicas add.
    """

    width_0: Estimate
    acoustic: Estimate
    optical: Estimate
    phonon: Estimate
    huang_rhys: Estimate
    stokes: Estimate


def exactly(value: float, unit: str, /) -> Estimate:
    """A number without uncertainty."""
    return Estimate(value, 0.0, value, value, 0.95, unit, "given")


def line_shape(material: str, /, *, replicas: bool = False) -> LineShape:
    """Line of a dot of a material from the table; what it lacks is that of ``any``, which is assumed and uncertain.

    Parameters
    ----------
    material : str
        Of the core.
    replicas : bool
        Phonon replicas in the spectrum. At room temperature the broadening by optical phonons holds their effect already, so
        they are left out unless asked for; use them at low temperature.
    """

    def of(quantity: str) -> Estimate:
        return photophysical_constant(material, quantity)

    return LineShape(
        width_0=of("width_0"),
        acoustic=of("acoustic_broadening"),
        optical=of("lo_broadening"),
        phonon=_optical_phonon(material),
        huang_rhys=of("huang_rhys") if replicas else exactly(0.0, "1"),
        stokes=of("stokes_shift"),
    )


def _optical_phonon(material: str) -> Estimate:
    """Of the table of light where a source speaks of broadening, else of the table of materials, else assumed."""
    own = any(row["material"] == material and row["quantity"] == "lo_phonon" for row in table_rows("photophysics.csv"))
    if not own and material in {one.name for one in materials()} and material_of(material).values("optical_phonon"):
        return material_of(material).estimate("optical_phonon")
    return photophysical_constant(material, "lo_phonon")


def phonon_number(phonon_mev: float, temperature_k: float, /) -> float:
    """Mean number of phonons of an energy, Bose and Einstein's.

    Examples
    --------
    >>> round(phonon_number(26.0, 295.0), 3), phonon_number(26.0, 0.0)
    (0.562, 0.0)
    """
    ratio = phonon_mev / 1000.0 / (BOLTZMANN_EV_PER_K * temperature_k) if temperature_k > 0 else math.inf
    return 1.0 / math.expm1(ratio) if ratio < 700.0 else 0.0


def homogeneous_width_mev(shape: LineShape, /, *, temperature_k: float = 295.0) -> Estimate:
    """Full width of one dot's line, ``Gamma_0 + sigma T + Gamma_LO n(T)``.

    Raises
    ------
    InputError
        If the temperature is not from 0 to 1000 K.

    References
    ----------
    S. Rudin, T. L. Reinecke and B. Segall, Phys. Rev. B 42, 11218 (1990), doi:10.1103/PhysRevB.42.11218.

    Examples
    --------
    >>> width = homogeneous_width_mev(line_shape("CdSe"))
    >>> f"{width.value:.0f} +- {width.sd:.0f} {width.unit}"
    '43 +- 12 meV'
    """
    kelvin = within("temperature_k", temperature_k, 0.0, 1000.0, unit="K")

    def width(zero: float, acoustic: float, optical: float, phonon: float) -> float:
        return zero + acoustic * kelvin + optical * phonon_number(phonon, kelvin)

    parts = {"zero": shape.width_0, "acoustic": shape.acoustic, "optical": shape.optical, "phonon": shape.phonon}
    return propagated(width, parts, unit="meV", method=f"exciton-phonon width at {kelvin:g} K", low=0.0)


def replica_weights(
    huang_rhys: float, phonon_mev: float, temperature_k: float, /
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Phonons emitted (negative: taken up) with a transition, and the share of transitions that do so.

    Pekar's distribution, ``exp(-S(2n+1)) ((n+1)/n)^(p/2) I_p(2S sqrt(n(n+1)))``, which is Poisson's at zero temperature. Its mean
    is S at every temperature, its variance S(2n+1).

    Raises
    ------
    InputError
        If a number is out of bounds.

    Examples
    --------
    >>> phonons, share = replica_weights(0.5, 26.0, 0.0)
    >>> phonons[:3].tolist(), share[:3].round(4).tolist()
    ([0, 1, 2], [0.6065, 0.3033, 0.0758])
    """
    strength = within("huang_rhys", huang_rhys, 0.0, 20.0)
    within("phonon_mev", phonon_mev, 0.0, 500.0, unit="meV", open_low=True)
    number = phonon_number(phonon_mev, within("temperature_k", temperature_k, 0.0, 1000.0, unit="K"))
    if strength == 0:
        return np.zeros(1, dtype=np.int64), np.ones(1)
    reach = math.ceil(strength + 8.0 * math.sqrt(strength * (2.0 * number + 1.0)) + 4.0)
    if number == 0:
        phonons = np.arange(0, reach + 1)
        logs = phonons * math.log(strength) - strength - np.array([math.lgamma(one + 1.0) for one in phonons])
        return phonons, np.exp(logs) / np.exp(logs).sum()
    phonons = np.arange(-reach, reach + 1)
    argument = 2.0 * strength * math.sqrt(number * (number + 1.0))
    bessel = ive(np.abs(phonons), argument)
    scale = argument - strength * (2.0 * number + 1.0) + 0.5 * phonons * math.log((number + 1.0) / number)
    share = bessel * np.exp(scale)
    kept = share > 1e-12
    return phonons[kept], share[kept] / share[kept].sum()
