"""Which dots of a family have the wanted colour at a size: what is free is scanned, then refined."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

from lampyris.probe.design.families import Family
from lampyris.probe.structure import Structure

Emission = Callable[[Structure], float]
"""Emission wavelength of a structure in nm; NaN where the model does not hold for it."""

_SCANNED = 9
_CLOSE_NM = 0.25
_MOST_STEPS = 12


@dataclass(frozen=True, slots=True)
class Trial:
    """A structure whose colour was computed.

    Parameters
    ----------
    structure : Structure
    free : float
        Shell thickness in nm or composition, as the family says.
    emission_nm : float
    """

    structure: Structure
    free: float
    emission_nm: float


@dataclass(frozen=True, slots=True)
class Reach:
    """What a family reaches at a size.

    Parameters
    ----------
    family : Family
    size_nm : float
    reading : str
        Whether the size is of all layers or of the core alone.
    trials : tuple of Trial
        Every structure that was computed, in the order of what is free; empty where no shell fits.
    hits : tuple of Trial
        Those of the wanted colour, refined; one for each side where the colour turns back.
    """

    family: Family
    size_nm: float
    reading: str
    trials: tuple[Trial, ...]
    hits: tuple[Trial, ...]

    @property
    def wavelengths_nm(self) -> tuple[float, float]:
        """Shortest and longest emission; NaN where nothing was computed."""
        known = [trial.emission_nm for trial in self.trials]
        return (min(known), max(known)) if known else (math.nan, math.nan)

    def nearest(self, emission_nm: float, /) -> Trial | None:
        """Trial whose colour is closest to a wavelength."""
        return min(self.trials, key=lambda trial: abs(trial.emission_nm - emission_nm), default=None)


def reach(
    family: Family, size_nm: float, /, *, reading: str, emission_nm: float, emission: Emission, refine: bool = True
) -> Reach:
    """Scan what is free in a family at a size, and refine where the wanted colour lies between two trials.

    Parameters
    ----------
    family : Family
    size_nm : float
        Diameter of all layers or of the core, as `reading` says.
    reading : str
        ``particle`` or ``core``.
    emission_nm : float
        Wanted colour.
    emission : callable
        Gives a structure's emission in nm.
    refine : bool
        Whether to refine, or to leave the nearest trials as they are.

    Returns
    -------
    Reach
    """

    def trial(free: float) -> Trial | None:
        structure = family.structure(size_nm, free, reading=reading)
        found = emission(structure) if structure is not None else math.nan
        return Trial(structure, free, found) if structure is not None and math.isfinite(found) else None

    low, high = family.ends(size_nm, reading=reading)
    if high < low:
        return Reach(family, size_nm, reading, (), ())
    steps = [low + (high - low) * k / (_SCANNED - 1) for k in range(_SCANNED)] if high > low else [low]
    trials = [one for one in map(trial, steps) if one is not None]
    hits = []
    for before, after in pairwise(trials):
        if refine and (before.emission_nm - emission_nm) * (after.emission_nm - emission_nm) < 0:
            hits.append(_refined(before, after, emission_nm, trial))
    exact = [one for one in trials if abs(one.emission_nm - emission_nm) < _CLOSE_NM]
    return Reach(family, size_nm, reading, tuple(trials), (*hits, *exact))


def _refined(low: Trial, high: Trial, wanted: float, trial: Callable[[float], Trial | None]) -> Trial:
    """Where the colour is the wanted one between two trials: false position, kept from creeping by halving (Illinois)."""
    a, b, fa, fb = low, high, low.emission_nm - wanted, high.emission_nm - wanted
    best = min(a, b, key=lambda one: abs(one.emission_nm - wanted))
    for _ in range(_MOST_STEPS):
        middle = trial((a.free * fb - b.free * fa) / (fb - fa))
        if middle is None:
            return best
        found = middle.emission_nm - wanted
        best = min(best, middle, key=lambda one: abs(one.emission_nm - wanted))
        if abs(found) < _CLOSE_NM:
            return middle
        if found * fb < 0:
            a, fa = b, fb
        else:
            fa /= 2
        b, fb = middle, found
    return best


def size_for(
    family: Family,
    emission_nm: float,
    /,
    *,
    emission: Emission,
    sizes_nm: tuple[float, ...] = (1.6, 2.2, 3.0, 4.0, 5.5, 7.5, 10.0, 14.0, 20.0),
) -> float:
    """Diameter at which a bare dot of a family has a colour; NaN where none of the sizes on either side has.

    Parameters
    ----------
    family : Family
        One in which nothing is free.
    emission_nm : float
    emission : callable
    sizes_nm : tuple of float
        Increasing diameters between which to look.

    Returns
    -------
    float
        In nm.
    """

    def trial(size: float) -> Trial | None:
        structure = family.structure(size, 0.0, reading="core")
        found = emission(structure) if structure is not None else math.nan
        return Trial(structure, size, found) if structure is not None and math.isfinite(found) else None

    trials = [one for one in map(trial, sizes_nm) if one is not None]
    for before, after in pairwise(trials):
        if (before.emission_nm - emission_nm) * (
            after.emission_nm - emission_nm
        ) <= 0 and before.emission_nm != after.emission_nm:
            return _refined(before, after, emission_nm, trial).free
    return math.nan
