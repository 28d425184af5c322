"""What the medium around a dot does to its emission rate."""

import math
from typing import Literal

from lampyris.probe.refusals import refusal, within

FieldModel = Literal["microscopic", "empty cavity", "virtual cavity", "dielectric sphere"]


def local_field_rate(
    refractive_index: float,
    /,
    *,
    model: FieldModel = "microscopic",
    permittivity_inside: float | None = None,
) -> float:
    """Radiative rate in a medium over that in vacuum.

    Parameters
    ----------
    refractive_index : float
        Of the medium, 1 to 4.
    model : str
        ``microscopic``: ``(n^2 + 2)/3``, which dots of CdSe and CdTe follow between n of 1.37 and 1.50.
        ``empty cavity``: ``n (3n^2/(2n^2 + 1))^2``. ``virtual cavity``: ``n ((n^2 + 2)/3)^2``.
        ``dielectric sphere``: ``n (3n^2/(2n^2 + e))^2`` with the dot's own permittivity e at optical frequency; its value in vacuum
        is ``(3/(2 + e))^2``, so compare media by its ratios.
    permittivity_inside : float, optional
        Of the dot; of the last model only.

    Raises
    ------
    InputError
        If the index is out of bounds, the model unknown, or the sphere's permittivity missing.

    References
    ----------
    S. F. Wuister, C. de Mello Donega and A. Meijerink, J. Chem. Phys. 121, 4310 (2004), doi:10.1063/1.1773154.

    Examples
    --------
    >>> round(local_field_rate(1.33), 3), local_field_rate(1.0, model="empty cavity")
    (1.256, 1.0)
    """
    index = within("refractive_index", refractive_index, 1.0, 4.0)
    square = index**2
    match model:
        case "microscopic":
            return (square + 2.0) / 3.0
        case "virtual cavity":
            return index * ((square + 2.0) / 3.0) ** 2
        case "empty cavity":
            return index * (3.0 * square / (2.0 * square + 1.0)) ** 2
        case "dielectric sphere":
            inside = math.nan if permittivity_inside is None else permittivity_inside
            inside = within("permittivity_inside", inside, 1.0, 100.0, because="needed by the dielectric sphere")
            return index * (3.0 * square / (2.0 * square + inside)) ** 2
    models = "microscopic, empty cavity, virtual cavity, dielectric sphere"
    raise refusal("probe.unknown-name", "model", f"{model!r} is no model of the local field.", f"Known are: {models}.")


def purcell_factor(quality: float, mode_volume_um3: float, wavelength_nm: float, refractive_index: float, /) -> float:
    """Radiative rate in a resonator over that in its own material, on resonance and at the field's maximum.

    ``F = 3/(4 pi^2) (wavelength / n)^3 Q / V``.

    Raises
    ------
    InputError
        If a number is out of bounds.

    References
    ----------
    E. M. Purcell, Phys. Rev. 69, 681 (1946), doi:10.1103/PhysRev.69.674.2.

    Examples
    --------
    >>> round(purcell_factor(1000.0, 1.0, 810.0, 1.33), 1)
    17.2
    """
    within("quality", quality, 0.0, 1e12, open_low=True)
    within("mode_volume_um3", mode_volume_um3, 0.0, 1e12, unit="um3", open_low=True)
    within("wavelength_nm", wavelength_nm, 50.0, 20_000.0, unit="nm")
    within("refractive_index", refractive_index, 1.0, 5.0)
    return 3.0 / (4.0 * math.pi**2) * (wavelength_nm / 1000.0 / refractive_index) ** 3 * quality / mode_volume_um3
