"""Why a family fails, in a sentence with its numbers."""

import math
from dataclasses import dataclass

from lampyris.core.constants import EV_NM
from lampyris.core.errors import InputError
from lampyris.probe.design.families import Family
from lampyris.probe.design.search import Emission, Reach, size_for
from lampyris.probe.design.targets import Targets
from lampyris.probe.materials import Material

READING_WORDS = {"particle": "all layers together", "core": "the core alone"}


@dataclass(frozen=True, slots=True)
class Limit:
    """Longest emission that a core material can have.

    Parameters
    ----------
    gap_ev : float
        Of the bulk.
    gap_nm : float
        The wavelength of that energy, infinite for an inverted gap.
    emission_nm : float
        With the Stokes shift.
    """

    gap_ev: float
    gap_nm: float
    emission_nm: float


def bulk_limit(material: Material, stokes_ev: float, temperature_k: float, /) -> Limit:
    """Longest emission of a material at any size: that of its bulk gap, less the Stokes shift."""
    gap = material.gap(temperature_k).value
    if gap <= stokes_ev:
        return Limit(gap, EV_NM / gap if gap > 0 else math.inf, math.inf)
    return Limit(gap, EV_NM / gap, EV_NM / (gap - stokes_ev))


def bare_reason(
    family: Family, size_nm: float, emission_nm: float, targets: Targets, limit: Limit, /, *, emission: Emission
) -> tuple[str, float]:
    """Why a bare dot of a size has not the wanted colour, and the size that it would need (NaN where there is none).

    Parameters
    ----------
    family : Family
    size_nm : float
    emission_nm : float
        Its emission at that size.
    targets : Targets
    limit : Limit
        Of its bulk.
    emission : callable
        Gives a structure's emission.
    """
    wanted, name = targets.emission_nm, family.layers[0]
    seen = f"bare {name} of {size_nm:g} nm emits at {emission_nm:.0f} nm"
    if wanted > limit.emission_nm:
        bulk = f"its bulk gap of {limit.gap_ev:.2f} eV ({limit.gap_nm:.0f} nm) lets no size of it emit beyond {limit.emission_nm:.0f} nm"
        return f"{seen}, and {bulk}, short of {wanted:g} nm.", math.nan
    needed = size_for(family, wanted, emission=emission)
    missed = f"{abs(emission_nm - wanted):.0f} nm too {'blue' if emission_nm < wanted else 'red'}"
    if math.isnan(needed):
        return f"{seen}, {missed}; no core from 1.6 to 20 nm has {wanted:g} nm.", needed
    direction = "larger" if needed > size_nm else "smaller"
    bulk = f", near its bulk limit of {limit.emission_nm:.0f} nm" if direction == "larger" else ""
    return f"{seen}, {missed}; {wanted:g} nm needs a {direction} core of {needed:.1f} nm{bulk}.", needed


def reach_reason(reaches: list[Reach], targets: Targets, /) -> str:
    """Why a family in which something is free has not the wanted colour at its sizes."""
    parts = []
    for one in reaches:
        low, high = one.wavelengths_nm
        words = f" ({READING_WORDS[one.reading]})" if one.reading else ""
        if math.isnan(low):
            parts.append(f"at {one.size_nm:g} nm{words} its shells leave no core that can be computed")
            continue
        free = [trial.free for trial in one.trials]
        unit = "nm of shell" if one.family.free == "shell" else "as composition"
        span = f"{min(free):.2g} to {max(free):.2g} {unit}"
        parts.append(f"at {one.size_nm:g} nm{words} it emits from {low:.0f} to {high:.0f} nm with {span}")
    wanted = targets.emission_nm
    return f"{'; '.join(parts)}; {wanted:g} nm is not among them." if parts else "no size of it could be computed."


def elements_reason(metals: tuple[str, ...], targets: Targets, /) -> str:
    """Which refused element a family holds, "" where it holds none."""
    refused = HEAVY if targets.heavy_metal_free else ("Cd",) if targets.cadmium_free else ()
    found = [metal for metal in dict.fromkeys(metals) if metal in refused]
    return f"it holds {' and '.join(found)}, which the targets refuse." if found else ""


HEAVY = ("Cd", "Hg", "Pb", "As")
"""Elements that `heavy_metal_free` refuses: restricted by Directive 2011/65/EU, or carcinogens of IARC's group 1."""


def refusal_words(error: InputError, /) -> str:
    """What an error said, as a reason."""
    return " ".join(f"{finding.seen} {finding.mend}".strip() for finding in error.findings) or str(error)
