"""Units of length as instruments write them."""

import math

_NM = {
    "pm": 1e-3, "nm": 1.0, "nanometer": 1.0, "nanometers": 1.0, "nanometre": 1.0, "um": 1e3, "µm": 1e3, "μm": 1e3,
    "micron": 1e3, "microns": 1e3, "\\u00b5m": 1e3, "mm": 1e6, "cm": 1e7, "m": 1e9, "å": 0.1, "a": 0.1, "angstrom": 0.1,
}  # fmt: skip
LEAST_PIXEL_NM, LARGEST_PIXEL_NM = 1e-4, 1e5
"""Pixels of electron micrographs: from 0.1 pm to 100 um."""


def length_nm(unit: str, /) -> float:
    """Nanometres of a unit of length; 0 where it is none.

    Examples
    --------
    >>> length_nm("um"), length_nm("\\\\u00B5m"), length_nm("1/nm"), length_nm("inch")
    (1000.0, 1000.0, 0.0, 0.0)
    """
    return _NM.get(unit.strip().lower(), 0.0)


def plausible_pixel(pixel_nm: float, /) -> bool:
    """Whether a number can be the side of a micrograph's pixel."""
    return math.isfinite(pixel_nm) and LEAST_PIXEL_NM <= pixel_nm <= LARGEST_PIXEL_NM
