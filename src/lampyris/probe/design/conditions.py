"""What a dot is in, and what it is predicted for."""

import math
from dataclasses import dataclass

from lampyris.core.dots import CoatSettings
from lampyris.probe.structure import Structure

WATER_FREEZES_K = 273.15


@dataclass(frozen=True, slots=True)
class Calibration:
    """What was measured of one sample of the user's: it narrows the prediction of dots that share its materials.

    Parameters
    ----------
    structure : Structure
    quantity : str
        ``absorption`` or ``emission``.
    energy_ev, sd_ev : float
        What was measured, and its uncertainty with that of the sample's size.
    name : str
        For messages.
    """

    structure: Structure
    quantity: str
    energy_ev: float
    sd_ev: float
    name: str


@dataclass(frozen=True, slots=True)
class Conditions:
    """What a dot is in, and what it is predicted for.

    Parameters
    ----------
    temperature_k : float
    medium : str
    coat : CoatSettings or None
        None for a bare dot.
    excitation_nm : float
        NaN where extinction and brightness are not asked for.
    calibrations : tuple of Calibration
        What was measured of the user's own samples.
    """

    temperature_k: float = 295.0
    medium: str = "water"
    coat: CoatSettings | None = None
    excitation_nm: float = math.nan
    calibrations: tuple[Calibration, ...] = ()


def temperature_notes(around: Conditions, /) -> tuple[str, ...]:
    """A word on a temperature that looks like degrees Celsius."""
    if not WATER_FREEZES_K - 270.0 < around.temperature_k < 100.0 or around.medium not in ("water", "buffer"):
        return ()
    meant = around.temperature_k + WATER_FREEZES_K
    return (f"at {around.temperature_k:g} K {around.medium} is ice: for {around.temperature_k:g} °C write {meant:g}",)
