"""Refusals of numbers and names: each names the field, what came, its bounds, where these come from, and the mend.

A function that takes one number raises at the first that is off (`within`, `each_within`, `known`, `refusal`); one that is asked by
a sheet or the command line gathers every fault (`outside`, `unknown`, `fault`) and raises them at once (`refuse`).
"""

import difflib
import math
from collections.abc import Iterable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lampyris.core.errors import InputError
from lampyris.core.finding import Finding, Place, Severity


def fault(rule: str, field: str, seen: str, mend: str, /) -> Finding:
    """Error about one field, to be gathered."""
    return Finding(rule, Severity.ERROR, Place(column=field), seen, mend)


def refusal(rule: str, field: str, seen: str, mend: str, /) -> InputError:
    """Error about one field, ready to be raised."""
    return InputError(f"{field} cannot be used", (fault(rule, field, seen, mend),))


def refused(rule: str, field: str, seen: str, mend: str, /) -> InputError:
    """Error about one field whose first line says what came, `seen` without its full stop.

    Examples
    --------
    >>> str(refused("dot.size", "diameter_nm", "9 nm is outside 1 to 8 nm", "Give nm."))
    'diameter_nm: 9 nm is outside 1 to 8 nm\\n  diameter_nm: 9 nm is outside 1 to 8 nm. Give nm.'
    """
    return InputError(f"{field}: {seen}", (fault(rule, field, seen + ".", mend),))


def faulty(findings: Iterable[Finding], /, *, what: str) -> InputError:
    """Error of several faults, ready to be raised."""
    faults = tuple(findings)
    return InputError(f"{what}: {len(faults)} fault{'s' * (len(faults) != 1)}.", faults)


def refuse(findings: Iterable[Finding], /, *, what: str) -> None:
    """Raise all faults at once, if there are any.

    Raises
    ------
    InputError
        With every fault as its finding.
    """
    faults = tuple(findings)
    if faults:
        raise faulty(faults, what=what)


def within(
    field: str,
    value: float,
    low: float,
    high: float,
    /,
    *,
    unit: str = "1",
    because: str = "",
    open_low: bool = False,
) -> float:
    """The value as a float, where it lies within its bounds.

    Parameters
    ----------
    field : str
        Name of the argument or key, for the message.
    value, low, high : float
        Value and its bounds, which both belong to what is allowed.
    unit : str
        Unit of the three.
    because : str
        Where the bounds come from.
    open_low : bool
        The lower bound itself is not allowed.

    Raises
    ------
    InputError
        If the value is not finite or outside the bounds; the finding names field, bounds and their reason.

    Examples
    --------
    >>> within("diameter_nm", 4.0, 1.5, 8.0, unit="nm")
    4.0
    """
    number = float(value)
    if _inside(number, low, high) and not (open_low and number == low):
        return number
    left = "above" if open_low else "from"
    if math.isinf(high):
        bounds = f"{left} {low:g}"
    elif math.isinf(low):
        bounds = f"up to {high:g}"
    else:
        bounds = f"{left} {low:g} to {high:g}"
    words = _shown(unit)
    reason = f" ({because})" if because else ""
    seen = f"{field} must be {bounds}{words}{reason}, got {number:g}{words}."
    raise refusal("probe.out-of-range", field, seen, f"Give {field} {bounds}{words}.")


def each_within(field: str, values: ArrayLike, low: float, high: float, /, *, unit: str = "1") -> NDArray[np.float64]:
    """Values as an array of floats, where all are finite, there, and within their bounds.

    Raises
    ------
    InputError
        If there is no value, one is not finite, or one is outside the bounds.
    """
    array = np.atleast_1d(np.asarray(values, dtype=np.float64))
    if not array.size:
        raise refusal("probe.empty", field, f"{field} holds no value.", "Give at least one.")
    off = ~np.isfinite(array) | (array < low) | (array > high)
    if off.any():
        first = float(array[off][0])
        share = f"{int(off.sum())} of {array.size} values"
        seen = f"{share} of {field} are not within {low:g} to {high:g}{_shown(unit)}, first {first:g}."
        raise refusal("probe.out-of-range", field, seen, "Leave them out or mend their unit.")
    return array


def known(field: str, name: str, names: Iterable[str], /, *, rule: str = "probe.unknown-name") -> str:
    """The name as the table writes it, whatever its case.

    Raises
    ------
    InputError
        If no name of the table is meant; the finding lists those that are.
    """
    table = {one.lower(): one for one in names}
    found = table.get(name.strip().lower())
    if found is None:
        listed = ", ".join(sorted(table.values(), key=str.lower))
        raise refusal(rule, field, f"{name!r} is no {field} of the table.", f"Known are: {listed}.")
    return found


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
    if _inside(value, low, high):
        return ()
    seen = f"{field} is between {low:g} and {high:g}{_shown(unit)} ({basis}), got {value:g}."
    return (fault("probe.bounds", field, seen, _unit_mend(value, low, high, unit)),)


def unknown(field: str, name: str, known: Iterable[str], /, *, basis: str) -> Finding:
    """The fault of a name that no table has, with the nearest that one has."""
    names = tuple(known)
    near = difflib.get_close_matches(name.lower(), [one.lower() for one in names], n=1)
    meant = next((one for one in names if near and one.lower() == near[0]), "")
    mend = f"Did you mean {meant}?" if meant else f"Known are {', '.join(names)}."
    return fault("probe.unknown", field, f"{field} {name!r} is not in {basis}.", mend)


def _inside(value: float, low: float, high: float) -> bool:
    return math.isfinite(value) and low <= value <= high


def _shown(unit: str) -> str:
    return "" if unit == "1" else f" {unit}"


def _unit_mend(value: float, low: float, high: float, unit: str) -> str:
    """A likely slip of units: the factor that would bring the value inside."""
    slips = {"nm": ((0.1, "ångström"),), "nmol": ((1e-3, "pmol"),), "mol/l": ((1e-3, "mmol/l"),)}
    for factor, other in slips.get(unit, ()):
        if math.isfinite(value) and value > high and low <= value * factor <= high:
            return f"Is it in {other}? {value:g} {other} are {value * factor:g} {unit}."
    return f"Give {unit} within the bounds." if unit != "1" else "Give a number within the bounds."
