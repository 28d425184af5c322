"""What to propose when a word or a number looks wrong: shared by sheets and settings."""

import difflib
from collections.abc import Iterable

# a number written in the wrong unit, by the unit that the column's name ends with: factor to the right unit, and its name
_WRONG_UNITS: dict[str, tuple[tuple[float, str], ...]] = {
    "nm": ((1e3, "micrometres"), (0.1, "ångström"), (1e9, "metres")),
    "s": ((1e-3, "milliseconds"), (1e-6, "microseconds")),
    "mm": ((1e-3, "micrometres"), (1e3, "metres")),
    "g": ((1e3, "kilograms"), (1e-3, "milligrams")),
    "ml": ((1e3, "nmol per ml (µM)"), (1e-3, "pmol per l")),
}

LONG_EXPOSURE_S = 600.0
"""A single exposure above this is remarked on: small-animal imagers stop at five to ten minutes, while 1000 ms is common."""


def did_you_mean(word: str, known: Iterable[str], /) -> str:
    """Nearest known word, or "" where none is near.

    Parameters
    ----------
    word : str
        What was written.
    known : iterable of str
        What could have been meant.

    Returns
    -------
    str
        One of `known`, or "".

    Examples
    --------
    >>> did_you_mean("exposure_ms", ["exposure_s", "image"])
    'exposure_s'
    >>> did_you_mean("Animal ", ["animal"])
    'animal'
    """
    folded = {entry.casefold(): entry for entry in known}
    simple = word.strip().casefold().replace(" ", "_")
    near = difflib.get_close_matches(simple, list(folded), n=1, cutoff=0.6)
    return folded[near[0]] if near else ""


def unit_hint(name: str, value: float, /, *, low: float | None, high: float | None) -> str:
    """Say which unit a number out of bounds may have been written in.

    Parameters
    ----------
    name : str
        Column or key whose ending is its unit, e.g. ``emission_nm``.
    value : float
        What was written.
    low, high : float or None
        Bounds in the right unit.

    Returns
    -------
    str
        A sentence with the converted value, or "" where no common mistake explains the number.

    Examples
    --------
    >>> unit_hint("emission_nm", 0.81, low=200, high=2000)
    '0.81 looks like micrometres: write 810.'
    """
    if value <= 0 or "_" not in name:
        return ""
    for factor, unit in _WRONG_UNITS.get(name.rsplit("_", 1)[-1], ()):
        meant = value * factor
        if (low is None or meant >= low) and (high is None or meant <= high):
            return f"{value:.6g} looks like {unit}: write {meant:.6g}."
    return ""
