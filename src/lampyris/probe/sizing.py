"""Sizing curves: diameter of a bare dot from its first absorption peak, and back, within the range that each curve states.

The curves are fits to electron microscopy; they hold for bare, roughly spherical dots, and for absorption, not emission.
"""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from lampyris.core.constants import EV_NM
from lampyris.core.errors import InputError
from lampyris.core.estimate import Estimate
from lampyris.probe.refusals import refused
from lampyris.probe.tables import table_rows
from lampyris.statistics.intervals import normal_interval

FORMS = ("polynomial in wavelength", "gap plus inverse quadratic", "gap plus power")


@dataclass(frozen=True, slots=True)
class SizingCurve:
    """One published curve.

    Parameters
    ----------
    material : str
        Formula.
    form : str
        One of `FORMS`: ``D = sum c_i lambda^i`` (highest power first), ``E = E0 + 1/(a D^2 + b D + c)`` or ``E = E0 + A/D^n``;
        D and lambda in nm, E in eV.
    coefficients : tuple of float
        Of the form, in this order.
    low_nm, high_nm : float
        Diameters between which it holds.
    relative_sd : float
        Scatter of diameters about it, as a share.
    source, mark : str
        Citation, and how it was read.
    """

    material: str
    form: str
    coefficients: tuple[float, ...]
    low_nm: float
    high_nm: float
    relative_sd: float
    source: str
    mark: str

    @property
    def wavelengths_nm(self) -> tuple[float, float]:
        """First absorption peaks of its smallest and its largest dot."""
        return self.wavelength_nm(self.low_nm), self.wavelength_nm(self.high_nm)

    def wavelength_nm(self, diameter_nm: float, /) -> float:
        """First absorption peak of a diameter within the range, in nm.

        Raises
        ------
        InputError
            Outside `low_nm` to `high_nm`.
        """
        if not self.low_nm <= diameter_nm <= self.high_nm:
            raise _outside("diameter_nm", diameter_nm, (self,), lengths=True)
        if self.form != FORMS[0]:
            return EV_NM / self._energy_ev(diameter_nm)
        from scipy.optimize import brentq

        low, high = self._branch()
        return float(brentq(lambda x: float(np.polyval(self.coefficients, x)) - diameter_nm, low, high, xtol=1e-10))

    def diameter_nm(self, first_exciton_nm: float, /) -> float:
        """Diameter of a first absorption peak, in nm.

        Raises
        ------
        InputError
            If the diameter falls outside the range.
        """
        low, high = self.wavelengths_nm
        # the ends themselves lie within, whatever the last digit of the root
        if not low - 1e-6 <= first_exciton_nm <= high + 1e-6:
            raise _outside("first_exciton_nm", first_exciton_nm, (self,), lengths=False)
        wavelength = min(max(first_exciton_nm, low), high)
        if self.form == FORMS[0]:
            return float(np.polyval(self.coefficients, wavelength))
        from scipy.optimize import brentq

        energy = EV_NM / wavelength
        if wavelength in (low, high):
            return self.low_nm if wavelength == low else self.high_nm
        return float(brentq(lambda d: self._energy_ev(d) - energy, self.low_nm, self.high_nm, xtol=1e-12))

    def _energy_ev(self, diameter_nm: float) -> float:
        if self.form == FORMS[1]:
            gap, a, b, c = self.coefficients
            return gap + 1.0 / (a * diameter_nm**2 + b * diameter_nm + c)
        gap, scale, power = self.coefficients
        return gap + scale / diameter_nm**power

    def _branch(self) -> tuple[float, float]:
        """Wavelengths between which a polynomial rises through its range: a polynomial may turn below it."""
        turning = [
            x.real for x in np.roots(np.polyder(self.coefficients)) if abs(x.imag) < 1e-9 and 100 < x.real < 3000
        ]
        below = [x for x in turning if float(np.polyval(self.coefficients, x)) <= self.low_nm]
        low = max(below, default=150.0)
        above = [x for x in turning if x > low]
        return low, min(above, default=4000.0)


@lru_cache(maxsize=1)
def _curves() -> tuple[SizingCurve, ...]:
    return tuple(
        SizingCurve(
            row["material"], row["form"], tuple(float(word) for word in row["coefficients"].split()), float(row["low_nm"]),
            float(row["high_nm"]), float(row["sd"]) / 100.0, row["source"], row["mark"],
        )
        for row in table_rows("sizing_curves.csv")
    )  # fmt: skip


def sized_materials() -> tuple[str, ...]:
    """Materials that have a curve."""
    return tuple(dict.fromkeys(curve.material for curve in _curves()))


def sizing_curves(material: str, /) -> tuple[SizingCurve, ...]:
    """Published curves of a material.

    Raises
    ------
    InputError
        If there is none.

    Examples
    --------
    >>> len(sizing_curves("CdSe"))
    2
    """
    found = tuple(curve for curve in _curves() if curve.material == material)
    if not found:
        names = ", ".join(sized_materials())
        mend = f"Curves are of {names}; for others use the confinement model."
        raise refused("sizing.no-curve", "material", f"no sizing curve of {material!r}", mend)
    return found


def diameter_nm(material: str, first_exciton_nm: float, /) -> Estimate:
    """Diameter of a bare dot from its first absorption peak.

    Where several curves hold, their mean with the spread between them.

    Raises
    ------
    InputError
        If there is no curve, or the peak lies outside the range of all.

    Examples
    --------
    >>> found = diameter_nm("PbS", 1200.0)
    >>> 3.5 < found.low < 4.1 < found.value < 4.3 < found.high < 5.0
    True
    """
    curves = sizing_curves(material)
    held = [one for one in curves if one.wavelengths_nm[0] <= first_exciton_nm <= one.wavelengths_nm[1]]
    if not held:
        raise _outside("first_exciton_nm", first_exciton_nm, curves, lengths=False)
    values = [one.diameter_nm(first_exciton_nm) for one in held]
    return _joined(values, [one.relative_sd * value for one, value in zip(held, values, strict=True)], held)


def first_exciton_nm(material: str, diameter_nm: float, /) -> Estimate:
    """First absorption peak of a bare dot of a diameter.

    Raises
    ------
    InputError
        If there is no curve, or the diameter lies outside the range of all.
    """
    curves = sizing_curves(material)
    held = [one for one in curves if one.low_nm <= diameter_nm <= one.high_nm]
    if not held:
        raise _outside("diameter_nm", diameter_nm, curves, lengths=True)
    values = [one.wavelength_nm(diameter_nm) for one in held]
    return _joined(values, [_wavelength_sd(one, diameter_nm) for one in held], held)


def _wavelength_sd(curve: SizingCurve, diameter_nm: float) -> float:
    """Scatter of diameters, as wavelengths."""
    low, high = (min(max(diameter_nm * factor, curve.low_nm), curve.high_nm) for factor in (0.98, 1.02))
    slope = (curve.wavelength_nm(high) - curve.wavelength_nm(low)) / (high - low)
    return abs(slope) * curve.relative_sd * diameter_nm


def _joined(values: list[float], sds: list[float], curves: list[SizingCurve]) -> Estimate:
    mean = math.fsum(values) / len(values)
    variance = math.fsum(sd**2 + (value - mean) ** 2 for value, sd in zip(values, sds, strict=True)) / len(values)
    sd = math.sqrt(variance)
    cited = "; ".join(f"{one.source} ({one.mark})" for one in curves)
    return normal_interval(mean, sd, unit="nm", method=f"sizing curve: {cited}")


def _outside(field: str, value: float, curves: tuple[SizingCurve, ...], *, lengths: bool) -> InputError:
    bounds = []
    for one in curves:
        low, high = (one.low_nm, one.high_nm) if lengths else one.wavelengths_nm
        bounds.append(f"{low:.4g} to {high:.4g} nm ({one.source})")
    seen = f"{value:g} nm is outside the range of each sizing curve of {curves[0].material}: {'; '.join(bounds)}"
    mend = "Take a size within the range, or the confinement model, which says how far it is to be trusted there."
    return refused("sizing.range", field, seen, mend)
