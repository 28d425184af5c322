"""Calibration on samples of the user's own: what one measured dot says of the others.

Each prediction is uncertain by the same constants: a gap that is 20 meV off shifts every dot of that material. So a measured
dot moves the constants, and with them every other dot, each by how far it leans on the same ones. That is the conditional mean
and variance of jointly normal errors (kriging), with the sensitivities of the envelope equation as the shared part.
"""

import math
from collections.abc import Callable

import numpy as np

from lampyris.core.constants import EV_NM
from lampyris.core.dots import DotSettings
from lampyris.core.errors import InputError
from lampyris.probe.confinement import calibration as factor_calibration
from lampyris.probe.confinement.bands import CORE_DIAMETER_NM
from lampyris.probe.confinement.calibrate import DIAMETER_RELATIVE_SD, PEAK_SD_NM, Leaning
from lampyris.probe.confinement.calibrate import leaning as transition_leaning
from lampyris.probe.confinement.transition import Pair, solved_pair
from lampyris.probe.design.batches import resized, varied_nm
from lampyris.probe.design.conditions import Calibration, Conditions
from lampyris.probe.refusals import fault
from lampyris.probe.sizing import first_exciton_nm, sized_materials, sizing_curves
from lampyris.probe.spectra import line_shape
from lampyris.probe.structure import Layer, Structure, structure_from_settings

CURVE_PLACES = (0.2, 0.5, 0.8)
"""Where the published sizing curves are taken in: shares of the way between the ends of their range."""

CURVE_OWN = 0.1
"""Share of a sizing curve's variance in which its places differ; the rest they share, so that three places count as little more
than one (assumed)."""


def leaning(structure: Structure, pair: Pair, around: Conditions, /, *, quantity: str) -> Leaning:
    """How the absorption or emission of a structure leans on the constants."""
    own = transition_leaning(structure, pair, temperature_k=around.temperature_k, medium=around.medium)
    if quantity != "emission":
        return own
    core = structure.layers[0].material
    stokes = line_shape(core).stokes
    terms = own.terms | {"stokes shift " + core: stokes.sd / 1000.0}
    return Leaning(own.value_ev - stokes.value / 1000.0, terms, own.model)


class Calibrated:
    """Published sizing curves and samples of the user's, ready to move predictions.

    Parameters
    ----------
    around : Conditions
        With the user's samples.
    """

    def __init__(self, around: Conditions) -> None:
        self._around = around
        published = _published(around)
        samples = (*published, *around.calibrations)
        self._samples = tuple(self._leaning_of(one) for one in samples)
        noise = np.diag([one.sd_ev**2 for one in samples])
        for i, one in enumerate(published):
            for j, other in enumerate(published):
                if i != j and one.name == other.name:
                    noise[i, j] = (1.0 - CURVE_OWN) * one.sd_ev * other.sd_ev
        covariance = np.array([[a.covariance(b) for b in self._samples] for a in self._samples]) + noise
        off = [one.energy_ev - own.value_ev for one, own in zip(samples, self._samples, strict=True)]
        self._inverse = np.linalg.inv(covariance)
        self._weighted = self._inverse @ np.array(off)

    def _leaning_of(self, sample: Calibration) -> Leaning:
        around = self._around
        pair = solved_pair(sample.structure, temperature_k=around.temperature_k, medium=around.medium)
        return leaning(sample.structure, pair, around, quantity=sample.quantity)

    def __call__(self, found: Leaning, /) -> tuple[float, float]:
        """Energy in eV and its standard deviation, given the samples."""
        with_samples = np.array([found.covariance(one) for one in self._samples])
        left = found.covariance(found) - float(with_samples @ self._inverse @ with_samples)
        return found.value_ev + float(with_samples @ self._weighted), math.sqrt(max(left, 0.0))


def energy_by_size(
    structure: Structure, around: Conditions, calibrated: Calibrated, /, *, scaled: bool
) -> Callable[[float], float]:
    """First transition in eV as a function of the diameter that varies, each size moved by the samples on its own.

    Parameters
    ----------
    structure : Structure
        Whose layers vary.
    around : Conditions
    calibrated : Calibrated
        The samples of `around`.
    scaled : bool
        Whether all layers vary in proportion, or the core alone.
    """
    share = structure.core_diameter_nm / varied_nm(structure, scaled=scaled)
    low, high = CORE_DIAMETER_NM

    def energy(diameter_nm: float) -> float:
        # the tails of a batch hold few dots: those beyond the model's bounds count as the last within
        other = resized(structure, min(max(diameter_nm * share, low), high) / share, scaled=scaled)
        pair = solved_pair(other, temperature_k=around.temperature_k, medium=around.medium)
        return calibrated(leaning(other, pair, around, quantity="absorption"))[0]

    return energy


def _published(around: Conditions) -> tuple[Calibration, ...]:
    """The published sizing curves at three places of their range, with their scatter."""
    found = []
    for name in sized_materials():
        curves = sizing_curves(name)
        low, high = max(2.0, min(one.low_nm for one in curves)), max(one.high_nm for one in curves)
        for share in CURVE_PLACES:
            size = low + share * (high - low)
            peak = first_exciton_nm(name, size)
            energy = EV_NM / peak.value
            sd = energy * peak.sd / peak.value
            found.append(Calibration(Structure((Layer(name, size / 2),)), "absorption", energy, sd, f"curve of {name}"))
    return tuple(found)


def calibration_of(dot: DotSettings, /, *, around: Conditions) -> Calibration:
    """Calibration from a dot's sheet: its measured first absorption peak, or else its emission.

    Raises
    ------
    InputError
        If the sheet holds neither.
    """
    measured = dot.measured
    structure = structure_from_settings(dot)
    if measured.first_exciton_nm is not None:
        factor_calibration(
            structure, measured.first_exciton_nm, temperature_k=around.temperature_k, medium=around.medium
        )
        return _calibration(structure, "absorption", measured.first_exciton_nm, PEAK_SD_NM, around, name=dot.name)
    if measured.emission_nm is not None:
        sd = PEAK_SD_NM if measured.emission_sd_nm is None else max(measured.emission_sd_nm, 0.1)
        return _calibration(structure, "emission", measured.emission_nm, sd, around, name=dot.name)
    seen = f"the sheet of {dot.name} holds neither first_exciton_nm nor emission_nm under [measured]."
    mend = "Add the one that was measured."
    raise InputError(f"{dot.name} cannot calibrate", [fault("design.calibration", "measured", seen, mend)])


def core_calibration(material: str, diameter_nm: float, exciton_nm: float, /, *, around: Conditions) -> Calibration:
    """Calibration from a bare core's diameter and first absorption peak."""
    structure = Structure((Layer(material, diameter_nm / 2),))
    # refuses a peak that no such core can have
    factor_calibration(structure, exciton_nm, temperature_k=around.temperature_k, medium=around.medium)
    return _calibration(
        structure, "absorption", exciton_nm, PEAK_SD_NM, around, name=f"{material} of {diameter_nm:g} nm"
    )


def _calibration(
    structure: Structure, quantity: str, peak_nm: float, sd_nm: float, around: Conditions, *, name: str
) -> Calibration:
    """The measured energy, with what the uncertain diameter of the sample adds to its uncertainty."""
    energy = EV_NM / peak_nm
    size = structure.diameter_nm
    ends = [
        solved_pair(
            resized(structure, size * (1 + sign * DIAMETER_RELATIVE_SD), scaled=True),
            temperature_k=around.temperature_k,
            medium=around.medium,
        ).energy_ev
        for sign in (-1, 1)
    ]
    by_size = abs(ends[0] - ends[1]) / 2
    return Calibration(structure, quantity, energy, math.hypot(energy * sd_nm / peak_nm, by_size), name)
