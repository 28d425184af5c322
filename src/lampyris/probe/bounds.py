"""Refusals of numbers and names: the field, what came, its bounds, and where the bounds come from."""

import math
from collections.abc import Iterable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lampyris.core.errors import InputError
from lampyris.core.finding import Finding, Place, Severity


def refusal(rule: str, field: str, seen: str, mend: str, /) -> InputError:
    """Error about one field, ready to be raised."""
    finding = Finding(rule, Severity.ERROR, Place(column=field), seen, mend)
    return InputError(f"{field} cannot be used", (finding,))


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
    if math.isfinite(number) and low <= number <= high and not (open_low and number == low):
        return number
    left = "above" if open_low else "from"
    if math.isinf(high):
        bounds = f"{left} {low:g}"
    elif math.isinf(low):
        bounds = f"up to {high:g}"
    else:
        bounds = f"{left} {low:g} to {high:g}"
    words = "" if unit == "1" else f" {unit}"
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
        words = "" if unit == "1" else f" {unit}"
        seen = f"{int(off.sum())} of {array.size} values of {field} are not within {low:g} to {high:g}{words}, first {first:g}."
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
