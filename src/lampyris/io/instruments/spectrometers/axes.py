"""What an axis of an export is, by the words above it and by the user's word; its points in order, if its numbers can be that."""

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lampyris.io.instruments.files import refuse


@dataclass(frozen=True, slots=True)
class AxisUnit:
    """A unit in which exports state an axis.

    Parameters
    ----------
    axis : str
        Key of `AXES`.
    name : str
        As the user says it.
    factor : float
        To the unit of `AXES`.
    words : pattern
        What names it in a header.
    """

    axis: str
    name: str
    factor: float
    words: re.Pattern[str]


def _unit(axis: str, name: str, factor: float, words: str) -> AxisUnit:
    return AxisUnit(axis, name, factor, re.compile(words, re.IGNORECASE))


UNITS = (
    _unit("wavenumber", "1/cm", 1.0, r"cm\s*\^?\s*[-−⁻]\s*[1¹]|1\s*/\s*cm|wave\s*number|wavenumber|kayser"),
    _unit("wavelength", "um", 1000.0, r"\b[uµμ]m\b|micromet|micron"),
    _unit("wavelength", "A", 0.1, r"\bÅ|angstr|\(A\)|\[A\]"),
    _unit("wavelength", "nm", 1.0, r"\bnm\b|nanomet|wave\s*length|λ|lambda|\bwl\b|\bx\s*\(nm\)"),
    _unit("xray_energy", "keV", 1.0, r"\bkev\b"),
    _unit("photon_energy", "eV", 1.0, r"\bev\b"),
    _unit("two_theta", "deg", 1.0, r"2\s*[- ]?\s*(theta|θ|th)|two\s*theta|°|\bdeg"),
    _unit("time", "ns", 1e-9, r"\bns\b|nanosec"),
    _unit("time", "us", 1e-6, r"\b[uµμ]s\b|microsec"),
    _unit("time", "ms", 1e-3, r"\bms\b|millisec"),
    _unit("time", "min", 60.0, r"\bmin(utes?)?\b"),
    _unit("time", "h", 3600.0, r"\bh(ours?|rs?)?\b"),
    _unit("time", "s", 1.0, r"\bs(ec(onds?)?)?\b"),
)
"""Units in the order in which a header is searched for them."""

PLAUSIBLE = {
    "wavelength": (150.0, 3500.0, "nm"),
    "wavenumber": (5.0, 60000.0, "1/cm"),
    "photon_energy": (0.02, 12.0, "eV"),
    "two_theta": (0.0, 180.0, "deg"),
    "xray_energy": (-2.0, 200.0, "keV"),
}
"""Ends between which the numbers of an axis must lie; outside, the unit is another."""


def unit_named(words: str, /) -> AxisUnit | None:
    """Unit that a header's words name, None where they name none.

    Examples
    --------
    >>> unit_named("Wavelength (nm)").name, unit_named("cm-1").axis, unit_named("Abs") is None
    ('nm', 'wavenumber', True)
    """
    return next((unit for unit in UNITS if unit.words.search(words)), None)


def unit_given(axis: str, name: str, /, *, file: str) -> AxisUnit:
    """Unit by the user's word.

    Raises
    ------
    ImageError
        If the axis has no such unit.
    """
    known = {unit.name: unit for unit in UNITS if unit.axis == axis}
    if name not in known:
        mend = f"Say one of {', '.join(known) or 'none: this axis has no unit'}."
        refuse(file, "instrument.axis-unit", f"has a {axis.replace('_', ' ')} axis, which has no unit {name!r}.", mend)
    return known[name]


def checked_axis(values: NDArray[np.float64], axis: str, /, *, file: str, row: int | None = None) -> None:
    """Refuse numbers that cannot be this axis, with the unit that they look like.

    Raises
    ------
    ImageError
        If a number lies outside `PLAUSIBLE`.
    """
    if axis not in PLAUSIBLE or not values.size:
        return
    low, high, unit = PLAUSIBLE[axis]
    first, last = float(values.min()), float(values.max())
    if low <= first and last <= high:
        return
    looks = _looks_like(first, last) if axis == "wavelength" else ""
    seen = (
        f"has a {axis.replace('_', ' ')} axis from {first:g} to {last:g}, which cannot be {unit} ({low:g} to {high:g})"
    )
    refuse(
        file,
        "instrument.axis-range",
        f"{seen}{f'; it looks like {looks}' if looks else ''}.",
        _MENDS.get(axis, f"Export the axis in {unit}, and check that this is a file of the technique."),
        row=row,
    )


_APART = 0.01
"""Share of a signal's range by which points at one place lie from their mean at most, as readings of one sample do."""
_MENDS = {
    "wavelength": "Say the unit with --axis-unit (or, of an emission over energy, --axis photon_energy), or export the axis in nm;"
    " check that this is a file of the technique.",
    "two_theta": "Say what the axis is, as with --axis q, or export 2 theta in deg; check that this is a diffractogram.",
}


def _looks_like(first: float, last: float) -> str:
    if first >= 0.15 and last <= 3.5:
        return "um (or eV)"
    if first >= 1500 and last <= 12000:
        return "angstrom (A), or 1/cm of an infrared spectrum"
    if first >= 0.2 and last <= 12:
        return "eV"
    return "1/cm" if first >= 3000 and last <= 60000 else ""


def rising(
    axis: NDArray[np.float64], signal: NDArray[np.float64], /
) -> tuple[NDArray[np.float64], NDArray[np.float64], int]:
    """Axis sorted upwards with its signal; points that stand at the same place are averaged, and counted.

    Examples
    --------
    >>> rising(np.array([3.0, 2.0, 2.0]), np.array([1.0, 4.0, 6.0]))
    (array([2., 3.]), array([5., 1.]), 1)
    """
    places, first, inverse, count = np.unique(axis, return_index=True, return_inverse=True, return_counts=True)
    if places.size == axis.size:
        return places, signal[first], 0
    return places, np.bincount(inverse.ravel(), weights=signal) / count, int(axis.size - places.size)


def placed(
    axis: NDArray[np.float64], signal: NDArray[np.float64], name: str, /, *, file: str, row: int | None = None
) -> tuple[NDArray[np.float64], NDArray[np.float64], dict[str, str]]:
    """Points over a plausible, rising axis, and what is to be told of them.

    Parameters
    ----------
    axis, signal : numpy.ndarray
        Dims (point,), in the order of the file.
    name : str
        What the axis is, a key of `AXES`.
    file : str
        As the user knows it.
    row : int, optional
        Line of the file at which they begin.

    Returns
    -------
    axis, signal : numpy.ndarray
        Dims (place,); see `rising`.
    words : dict of str to str
        How many points were averaged, where some were, and how far they lie from their means where that is no small part of the
        signal's range.

    Raises
    ------
    ImageError
        As `checked_axis`.
    """
    checked_axis(axis, name, file=file, row=row)
    places, levels, doubled = rising(axis, signal)
    if not doubled:
        return places, levels, {}
    words = {"points averaged": str(doubled)}
    apart = float(np.sqrt(np.mean((signal - levels[np.searchsorted(places, axis)]) ** 2)))
    if apart > _APART * float(np.ptp(levels)):
        words["points disagree"] = (
            f"{doubled} points lie {apart / float(np.ptp(signal)):.1%} of the range from their means"
        )
    return places, levels, words


def as_share(
    signal: NDArray[np.float64], name: str, /, *, percent: bool = False
) -> tuple[NDArray[np.float64], dict[str, str]]:
    """Transmittance and reflectance as shares of 1, and what is to be told of it; other signals as they are.

    Parameters
    ----------
    signal : numpy.ndarray
        Dims (point,).
    name : str
        What it is, one of `SIGNALS`.
    percent : bool
        Whether the file says percent; numbers above 2 say so themselves.

    Examples
    --------
    >>> as_share(np.array([50.0, 98.0]), "transmittance")
    (array([0.5 , 0.98]), {'percent': 'divided by 100'})
    >>> as_share(np.array([50.0, 98.0]), "absorbance")
    (array([50., 98.]), {})
    """
    if name not in ("transmittance", "reflectance") or not (percent or signal.max() > 2.0):
        return signal, {}
    return signal / 100.0, {"percent": "divided by 100"}
