"""Spectra of a layered dot with this package's own confinement: what `probe design` and `probe show` ask for."""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from lampyris.core.constants import EV_NM
from lampyris.core.errors import InputError
from lampyris.probe.refusals import refusal, within
from lampyris.probe.spectra.ensemble import EnergyOfSize, Ensemble, SizeSpread
from lampyris.probe.spectra.lineshape import LineShape, line_shape, photophysical_constant
from lampyris.probe.spectra.spectrum import LineWidth, Spectrum, absorption_spectrum, emission_spectrum, line_width
from lampyris.probe.structure import Structure

Grows = Literal["core", "whole"]


def resized(structure: Structure, diameter_nm: float, /, *, grows: Grows = "core") -> Structure:
    """The same dot at another size.

    Parameters
    ----------
    structure : Structure
    diameter_nm : float
        Of the core, or of the whole.
    grows : str
        ``core``: the core has this diameter and shells keep their thickness. ``whole``: all layers grow alike, to this diameter.

    Raises
    ------
    InputError
        If the diameter is not above 0 or `grows` is neither.

    Examples
    --------
    >>> from lampyris.probe.structure import Layer
    >>> dot = Structure((Layer("CdTe", 2.2), Layer("CdSe", 1.2)))
    >>> round(resized(dot, 5.0).diameter_nm, 9), round(resized(dot, 5.0, grows="whole").core_diameter_nm, 6)
    (7.4, 3.235294)
    """
    within("diameter_nm", diameter_nm, 0.0, 1000.0, unit="nm", open_low=True)
    core, *shells = structure.layers
    if grows == "core":
        return Structure((replace(core, thickness_nm=diameter_nm / 2), *shells))
    if grows == "whole":
        factor = diameter_nm / structure.diameter_nm
        return Structure(tuple(replace(one, thickness_nm=factor * one.thickness_nm) for one in structure.layers))
    raise refusal("probe.unknown-name", "grows", f"{grows!r} is no part of a dot that grows.", "Say core or whole.")


def energy_by_size(
    structure: Structure,
    /,
    *,
    grows: Grows = "core",
    temperature_k: float = 295.0,
    medium: str = "water",
    offset_ev: float = 0.0,
) -> EnergyOfSize:
    """Transition energy of a dot as a function of its size, by `confinement.first_transition_ev`.

    Parameters
    ----------
    structure : Structure
    grows : str
        As of `resized`: what the diameter is.
    temperature_k, medium
        As of `first_transition_ev`.
    offset_ev : float
        Added to every energy: what a calibration on the user's own sample says.

    Returns
    -------
    callable
        Diameter in nm to energy in eV, a millisecond or more a call.
    """
    from lampyris.probe.confinement import first_transition_ev

    def energy(diameter_nm: float) -> float:
        dot = resized(structure, diameter_nm, grows=grows)
        return first_transition_ev(dot, temperature_k=temperature_k, medium=medium) + offset_ev

    return energy


def energy_by_sizing_curve(material: str, /) -> EnergyOfSize:
    """Transition energy of a bare dot as a function of its diameter, by the published sizing curves, within their range.

    Prefer it for the width of a bare dot's line where a curve covers the sizes: a width goes with the slope, in which curves and
    confinement differ more than in the energy itself (CdTe of 6.8 nm: energies within 1 %, slopes by 40 %).

    Raises
    ------
    InputError
        On a call: if no curve is of the material or covers the diameter.

    Examples
    --------
    >>> round(energy_by_sizing_curve("CdTe")(6.8), 3)
    1.735
    """
    from lampyris.probe.sizing import first_exciton_nm

    return lambda diameter_nm: EV_NM / first_exciton_nm(material, diameter_nm).value


@dataclass(frozen=True, slots=True, eq=False)
class StructureLight:
    """What a batch of dots of one structure shows.

    Parameters
    ----------
    absorption, emission : Spectrum
    width : LineWidth
        Of the emission, with what it is made of.
    first_exciton_nm : float
        Absorption peak of the mean dot, without the batch.
    line : LineShape
        One dot's line as it was used.
    """

    absorption: Spectrum
    emission: Spectrum
    width: LineWidth
    first_exciton_nm: float
    line: LineShape


def structure_light(
    structure: Structure,
    wavelengths_nm: ArrayLike,
    /,
    *,
    size_sd_nm: float,
    grows: Grows = "core",
    temperature_k: float = 295.0,
    medium: str = "water",
    offset_ev: float = 0.0,
    molar_extinction_per_m_cm: float | None = None,
) -> StructureLight:
    """Absorption, emission and width of a batch of dots of one structure.

    Parameters
    ----------
    structure : Structure
        The mean dot.
    wavelengths_nm : array_like, dims (wavelength,)
    size_sd_nm : float
        Standard deviation of the diameter (of the core, or of the whole: see `grows`); above a fifth of it a lognormal batch.
    grows, temperature_k, medium, offset_ev
        As of `energy_by_size`.
    molar_extinction_per_m_cm : float, optional
        At the first exciton.

    Raises
    ------
    InputError
        If a number is out of bounds or a material is unknown.

    Examples
    --------
    >>> from lampyris.probe.structure import Layer
    >>> dot = Structure((Layer("CdTe", 2.2), Layer("CdSe", 1.2)))
    >>> light = structure_light(dot, np.arange(600.0, 1000.0), size_sd_nm=0.3)
    >>> light.emission.peak_nm > light.first_exciton_nm
    True
    """
    energy = energy_by_size(structure, grows=grows, temperature_k=temperature_k, medium=medium, offset_ev=offset_ev)
    mean = structure.core_diameter_nm if grows == "core" else structure.diameter_nm
    spread = SizeSpread(mean, size_sd_nm, "lognormal" if size_sd_nm > 0.2 * mean else "normal")
    core = structure.layers[0].material
    ensemble = Ensemble(spread, defect_fwhm_ev=photophysical_constant(core, "defect_width").value / 1000.0)
    line = line_shape(core)
    # one curve of few calls serves all three
    curve = _sampled(energy, spread)
    first = energy(mean)
    return StructureLight(
        absorption=absorption_spectrum(
            curve,
            ensemble,
            wavelengths_nm,
            line=line,
            temperature_k=temperature_k,
            molar_extinction_per_m_cm=molar_extinction_per_m_cm,
        ),
        emission=emission_spectrum(curve, ensemble, wavelengths_nm, line=line, temperature_k=temperature_k),
        width=line_width(curve, ensemble, line=line, temperature_k=temperature_k),
        first_exciton_nm=EV_NM / first,
        line=line,
    )


def _sampled(energy: EnergyOfSize, spread: SizeSpread) -> EnergyOfSize:
    """The energy as a polynomial through 13 sizes of the batch."""
    from numpy.polynomial import chebyshev

    diameter, _ = spread.nodes()
    low, high = float(diameter[0]), float(diameter[-1])
    if low == high:
        return energy
    nodes = np.cos(np.pi * (np.arange(13) + 0.5) / 13)
    try:
        values = [energy(0.5 * (high + low) + 0.5 * (high - low) * float(one)) for one in nodes]
    except InputError as refused:
        seen = f"the batch reaches from {low:.2g} to {high:.2g} nm, where the confinement has no answer: {refused}"
        raise refusal("probe.spread-too-wide", "size_sd_nm", seen, "Give a narrower spread.") from refused
    curve = chebyshev.chebfit(nodes, values, 12)
    return lambda size: float(chebyshev.chebval((2.0 * size - high - low) / (high - low), curve))
