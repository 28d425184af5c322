"""Bounds of what the models of this room hold for: a number outside is refused with its field, bounds and where they come from."""

import difflib
import math
from collections.abc import Iterable

from lampyris.core.errors import InputError
from lampyris.core.finding import Finding, Place, Severity


def outside(field: str, value: float, /, *, low: float, high: float, unit: str, basis: str) -> tuple[Finding, ...]:
    """The fault of a number outside of its bounds, none where it is inside.

    Parameters
    ----------
    field : str
        Name of the number, as the sheet or option has it.
    value : float
        What came.
    low, high : float
        Bounds; both count as inside.
    unit : str
        Unit of all three, ``"1"`` for a pure number.
    basis : str
        Where the bounds come from.

    Examples
    --------
    >>> outside("core_nm", 6.8, low=1, high=20, unit="nm", basis="the model")
    ()
    >>> outside("dose_nmol", -1.0, low=0, high=1e6, unit="nmol", basis="a dose is an amount")[0].seen
    'dose_nmol is between 0 and 1e+06 nmol (a dose is an amount), got -1.'
    """
    if math.isfinite(value) and low <= value <= high:
        return ()
    shown = "" if unit == "1" else f" {unit}"
    seen = f"{field} is between {low:g} and {high:g}{shown} ({basis}), got {value:g}."
    return (Finding("probe.bounds", Severity.ERROR, Place(column=field), seen, _unit_mend(value, low, high, unit)),)


def unknown(field: str, name: str, known: Iterable[str], /, *, basis: str) -> Finding:
    """The fault of a name that no table has, with the nearest that one has."""
    names = tuple(known)
    near = difflib.get_close_matches(name.lower(), [one.lower() for one in names], n=1)
    meant = next((one for one in names if near and one.lower() == near[0]), "")
    mend = f"Did you mean {meant}?" if meant else f"Known are {', '.join(names)}."
    return Finding("probe.unknown", Severity.ERROR, Place(column=field), f"{field} {name!r} is not in {basis}.", mend)


def refuse(findings: Iterable[Finding], /, *, what: str) -> None:
    """Raise all faults at once, if there are any.

    Raises
    ------
    InputError
        With every fault as its finding.
    """
    faults = tuple(findings)
    if faults:
        raise InputError(f"{what}: {len(faults)} fault{'s' * (len(faults) != 1)}.", faults)


def _unit_mend(value: float, low: float, high: float, unit: str) -> str:
    """A likely slip of units: the factor that would bring the value inside."""
    slips = {"nm": ((0.1, "ångström"),), "nmol": ((1e-3, "pmol"),), "mol/l": ((1e-3, "mmol/l"),)}
    for factor, other in slips.get(unit, ()):
        if math.isfinite(value) and value > high and low <= value * factor <= high:
            return f"Is it in {other}? {value:g} {other} are {value * factor:g} {unit}."
    return f"Give {unit} within the bounds." if unit != "1" else "Give a number within the bounds."
