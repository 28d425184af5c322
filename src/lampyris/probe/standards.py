"""Standards that a measurement of light leans on: quantum yields of dyes and refractive indices of solvents."""

import math

from lampyris.core.sourced import SourcedValue
from lampyris.probe.refusals import known, within
from lampyris.probe.tables import constant, table_rows


def quantum_yield_standards() -> tuple[tuple[str, str, SourcedValue], ...]:
    """All standards: dye, solvent and quantum yield."""
    return tuple((row["dye"], row["solvent"], constant(row)) for row in table_rows("qy_standards.csv"))


def quantum_yield_standard(dye: str, solvent: str, /) -> SourcedValue:
    """Quantum yield of a dye in a solvent, for relative measurements.

    Parameters
    ----------
    dye, solvent : str
        As the table writes them, in any case.

    Raises
    ------
    InputError
        If the dye is not in the table, or not in this solvent; the finding lists what is.

    References
    ----------
    K. Rurack and M. Spieles, Anal. Chem. 83, 1232 (2011), doi:10.1021/ac101329h.

    Examples
    --------
    >>> quantum_yield_standard("IR-125", "ethanol").value, quantum_yield_standard("ICG", "ethanol").value
    (0.132, 0.132)
    """
    rows = table_rows("qy_standards.csv")
    name = known("dye", dye, {name for row in rows for name in (row["dye"], row["also"]) if name})
    own = {row["solvent"]: row for row in rows if name in (row["dye"], row["also"])}
    return constant(own[known("solvent", solvent, own)])


def solvents() -> tuple[str, ...]:
    """Names of the solvents with a refractive index."""
    return tuple(row["solvent"] for row in table_rows("solvents.csv"))


def refractive_index(solvent: str, /, *, wavelength_nm: float = 589.3) -> SourcedValue:
    """Refractive index of a solvent from its dispersion formula.

    Parameters
    ----------
    solvent : str
        Name or usual short name, such as DMSO or THF.
    wavelength_nm : float
        Within the range of the formula.

    Raises
    ------
    InputError
        If the solvent is not in the table, or the wavelength is outside the measured range.

    Examples
    --------
    >>> round(refractive_index("water").value, 4), round(refractive_index("toluene", wavelength_nm=810).value, 3)
    (1.3333, 1.486)
    """
    rows = table_rows("solvents.csv")
    names = {short: row for row in rows for short in (row["solvent"], row["also"]) if short}
    row = names[known("solvent", solvent, names)]
    because = f"range of {row['source']}"
    within("wavelength_nm", wavelength_nm, float(row["low_nm"]), float(row["high_nm"]), unit="nm", because=because)
    index = _index(row["form"], tuple(float(one) for one in row["coefficients"].split()), wavelength_nm / 1000.0)
    conditions = f"{wavelength_nm:g} nm, {row['conditions']}"
    return SourcedValue(index, float(row["sd"]), row["unit"], conditions, row["source"], row["mark"])


def _index(form: str, coefficients: tuple[float, ...], wavelength_um: float) -> float:
    square = wavelength_um**2
    if form == "cauchy":
        return math.fsum(one * square**-power for power, one in enumerate(coefficients))
    power = 2 if form == "sellmeier-squared" else 1
    poles = zip(coefficients[::2], coefficients[1::2], strict=True)
    return math.sqrt(1.0 + math.fsum(strength * square / (square - pole**power) for strength, pole in poles))
