"""How much drug a carrier holds: encapsulation efficiency and loading content, with their uncertainty."""

import math
from dataclasses import dataclass

import numpy as np

from lampyris.core.estimate import Estimate
from lampyris.probe.propagation import of_draws


@dataclass(frozen=True, slots=True)
class Loading:
    """Drug in a carrier.

    Parameters
    ----------
    encapsulation : Estimate
        Percent of the drug that was added and is held.
    content : Estimate
        Percent of the loaded carrier's mass that is drug.
    held_mg : Estimate
    notes : tuple of str
    """

    encapsulation: Estimate
    content: Estimate
    held_mg: Estimate
    notes: tuple[str, ...]


def drug_loading(
    added_mg: tuple[float, float],
    free_mg: tuple[float, float],
    carrier_mg: tuple[float, float],
    /,
    *,
    rng: np.random.Generator,
    draws: int = 200_000,
    level: float = 0.95,
) -> Loading:
    """Encapsulation and loading from what was added, what stayed free and the empty carrier's mass.

    Parameters
    ----------
    added_mg, free_mg, carrier_mg : (float, float)
        Value and standard uncertainty. Free drug is all that is not held, such as of the filtrate and all washes together.
    rng : numpy.random.Generator
    draws : int
        Of the Monte Carlo by which uncertainties are carried on: ratios near 0 or 100 % are not normal.
    level : float

    Returns
    -------
    Loading
        Intervals are central ones of the draws and may reach below 0 or above 100 %, which then says that free and added
        drug are not told apart.

    Raises
    ------
    ValueError
        If a mass or its uncertainty is negative or not finite, added drug or carrier is 0, or more is free than was added
        beyond its uncertainty.

    References
    ----------
    JCGM 101:2008, Propagation of distributions using a Monte Carlo method, doi:10.59161/JCGM101-2008.

    Examples
    --------
    >>> found = drug_loading((5.0, 0.05), (1.0, 0.05), (16.0, 0.2), rng=np.random.default_rng(1))
    >>> f"{found.encapsulation.value:.0f} {found.content.value:.0f} {found.encapsulation.sd:.1f}"
    '80 20 1.0'
    """
    names = ("drug added", "free drug", "carrier")
    given = (added_mg, free_mg, carrier_mg)
    faults = [
        f"{name} needs a mass from 0 with an uncertainty from 0, got {value:g} and {sd:g} mg"
        for name, (value, sd) in zip(names, given, strict=True)
        if not (math.isfinite(value) and math.isfinite(sd) and value >= 0 and sd >= 0)
    ]
    if not faults:
        faults += [
            f"{name} is 0 mg"
            for name, (value, _) in zip(names, given, strict=True)
            if value == 0 and name != "free drug"
        ]
        excess, doubt = free_mg[0] - added_mg[0], math.hypot(added_mg[1], free_mg[1])
        if excess > 0 and excess > 2.0 * doubt:
            faults.append(f"{free_mg[0]:g} mg are free of {added_mg[0]:g} mg added: more than there was")
    if faults:
        raise ValueError("; ".join(faults))
    added, free, carrier = (value + sd * rng.standard_normal(draws) for value, sd in given)
    held = added - free
    value = added_mg[0] - free_mg[0]
    words = f"Monte Carlo, {draws} draws of the three masses"
    notes = []
    encapsulation = of_draws(100.0 * value / added_mg[0], 100.0 * held / added, unit="%", method=words, level=level)
    if encapsulation.low < 0 or encapsulation.high > 100:
        notes.append("the interval leaves 0 to 100 %: free and added drug are not told apart well enough.")
    content = of_draws(
        100.0 * value / (carrier_mg[0] + value), 100.0 * held / (carrier + held), unit="%", method=words, level=level
    )
    return Loading(encapsulation, content, of_draws(value, held, unit="mg", method=words, level=level), tuple(notes))
