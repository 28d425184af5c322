"""What is asked of a dot, and the bounds within which the question makes sense."""

import math
from dataclasses import dataclass, fields

from lampyris.core.constants import EV_NM
from lampyris.core.errors import InputError
from lampyris.core.finding import Finding
from lampyris.probe.refusals import fault

# the spread of the first paper's dot, 0.9 nm at 6.8 nm: taken for a core whose spread nobody stated
USUAL_RELATIVE_SD = 0.9 / 6.8

READINGS = ("particle", "core")
"""What a stated core diameter may mean: all inorganic layers together, or the first layer alone."""

_Bound = tuple[float, float, str]
_BOUNDS: dict[str, _Bound] = {
    "emission_nm": (350.0, 2000.0, "the gaps in the table of materials lie between; wavelengths are in nm"),
    "tolerance_nm": (
        1.0,
        200.0,
        "a narrower one is below what spectrometers resolve, a wider one tells no colours apart",
    ),
    "core_nm": (1.5, 20.0, "smaller ones are clusters without bands, larger ones do not confine; diameters are in nm"),
    "core_sd_nm": (0.0, 6.0, "a spread is at most a third of its diameter, or the sample holds no one kind of dot"),
    "fwhm_nm": (5.0, 400.0, "at room temperature a single dot alone is wider than 5 nm"),
    "hydrodynamic_nm": (2.0, 200.0, "a dot with its coat"),
    "total_nm": (1.5, 50.0, "all inorganic layers"),
    "brightness_per_m_cm": (0.0, 1e8, "extinction times quantum yield in 1/(M cm)"),
    "excitation_nm": (250.0, 1500.0, "light that a dot absorbs before it emits"),
}


@dataclass(frozen=True, slots=True)
class Targets:
    """What is asked of a dot.

    Parameters
    ----------
    emission_nm, tolerance_nm : float
        Wanted emission peak, and how far a dot may miss it.
    core_nm : float
        Wanted core diameter, NaN where any will do.
    core_sd_nm : float
        Standard deviation of the diameter over the sample; NaN: 13 % of it, as of the first paper's dot.
    reading : str
        What the core diameter means: ``particle`` (all inorganic layers), ``core`` (the first alone) or "" for both.
    fwhm_nm : float
        Greatest full width at half maximum of the emission, NaN for any.
    total_nm, hydrodynamic_nm : float
        Greatest diameter of all inorganic layers, and with the coat in water; NaN for any.
    brightness_per_m_cm : float
        Least extinction times quantum yield at `excitation_nm`, NaN for any.
    excitation_nm : float
        Excitation wavelength; NaN where brightness is not asked for.
    cadmium_free : bool
        Whether dots with cadmium are refused.
    heavy_metal_free : bool
        Whether dots with cadmium, mercury, lead or arsenic are refused.
    renal : bool
        Whether the kidney must clear it.
    coat : str
        Name of the coat; "" for the table's first.
    """

    emission_nm: float
    tolerance_nm: float = 20.0
    core_nm: float = math.nan
    core_sd_nm: float = math.nan
    reading: str = ""
    fwhm_nm: float = math.nan
    total_nm: float = math.nan
    hydrodynamic_nm: float = math.nan
    brightness_per_m_cm: float = math.nan
    excitation_nm: float = math.nan
    cadmium_free: bool = False
    heavy_metal_free: bool = False
    renal: bool = False
    coat: str = ""

    def spread_nm(self, core_nm: float, /) -> float:
        """Standard deviation of a core's diameter in this sample."""
        return USUAL_RELATIVE_SD * core_nm if math.isnan(self.core_sd_nm) else self.core_sd_nm

    @property
    def readings(self) -> tuple[str, ...]:
        """Readings of the core diameter that are searched."""
        return (self.reading,) if self.reading else READINGS


def check_targets(targets: Targets, /) -> None:
    """Refuse targets that no dot can meet or that are in the wrong unit, all faults at once.

    Parameters
    ----------
    targets : Targets
        What is asked.

    Raises
    ------
    InputError
        With a finding per field: its bounds, where they come from, and what was meant where a wrong unit explains it.

    Examples
    --------
    >>> check_targets(Targets(emission_nm=810.0, core_nm=6.8))
    """
    faults = [one for field in fields(targets) for one in _bound_faults(field.name, getattr(targets, field.name))]
    if targets.reading not in ("", *READINGS):
        faults.append(_fault("reading", f"reading is one of {', '.join(READINGS)}, got {targets.reading!r}.", ""))
    if not faults:
        faults = _joint_faults(targets)
    if faults:
        raise InputError(f"the targets have {len(faults)} fault{'s' * (len(faults) != 1)}.", faults)


def _bound_faults(name: str, value: object) -> list[Finding]:
    if name not in _BOUNDS or not isinstance(value, float | int):
        return []
    low, high, why = _BOUNDS[name]
    if math.isnan(value) and name not in ("emission_nm", "tolerance_nm"):
        return []
    if math.isfinite(value) and low <= value <= high:
        return []
    seen = f"{name} lies between {low:g} and {high:g}, got {value:g}: {why}."
    return [_fault(name, seen, _meant(name, float(value), low, high))]


def _meant(name: str, value: float, low: float, high: float) -> str:
    """What a value in another unit would be, or the bounds."""
    if name.endswith("_nm") and math.isfinite(value) and value > 0:
        units = ((1e3, "micrometres"), (0.1, "ångström"), (1e9, "metres"))
        meant = [f"{unit}: write {value * factor:g}" for factor, unit in units if low <= value * factor <= high]
        if name in ("emission_nm", "excitation_nm") and low <= EV_NM / value <= high:
            meant.append(f"electronvolts: write {EV_NM / value:.0f}")
        if meant:
            return f"{value:g} looks like {', or like '.join(meant)}."
    return f"Give a value between {low:g} and {high:g}."


def _joint_faults(targets: Targets) -> list[Finding]:
    """Fields that contradict each other."""
    faults = []
    core = targets.core_nm
    if targets.core_sd_nm > core / 3:
        seen = f"core_sd_nm of {targets.core_sd_nm:g} is more than a third of core_nm, {core:g}: {_BOUNDS['core_sd_nm'][2]}."
        faults.append(_fault("core_sd_nm", seen, "Give the standard deviation of the diameter, not its range."))
    for name in ("total_nm", "hydrodynamic_nm"):
        if getattr(targets, name) < core:
            seen = f"{name} of {getattr(targets, name):g} is below core_nm, {core:g}: a shell or coat adds to the core."
            faults.append(_fault(name, seen, f"Give {name} of at least {core:g}, or a smaller core."))
    if math.isfinite(targets.brightness_per_m_cm) and math.isnan(targets.excitation_nm):
        seen = "brightness_per_m_cm holds at one excitation wavelength, and none is given."
        faults.append(_fault("excitation_nm", seen, "Add --excitation NM."))
    if targets.excitation_nm >= targets.emission_nm:
        seen = f"excitation_nm of {targets.excitation_nm:g} is not below the emission, {targets.emission_nm:g}."
        faults.append(_fault("excitation_nm", seen, "Light excites at a shorter wavelength than it is emitted."))
    return faults


def _fault(name: str, seen: str, mend: str) -> Finding:
    return fault("design.target", name, seen, mend)
