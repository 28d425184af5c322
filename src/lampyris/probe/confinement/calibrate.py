"""One-point calibration: one measured first exciton of one's own sample corrects the model for similar dots.

Every prediction is uncertain by the same things: gap, masses, barrier of the ligand, and what the model itself leaves out, which
stays alike over similar sizes. A measured dot tells of them all at once, and each other dot moves by how far it leans on the
same ones: the conditional mean and variance of jointly normal errors (kriging), with the sensitivities of the envelope equation
as the shared part. No factor is fitted, and far from the sample the prediction returns to the uncalibrated one.
"""

import math
from dataclasses import dataclass, replace

from lampyris.core.constants import EV_NM
from lampyris.core.finding import Finding, Place, Severity
from lampyris.probe.confinement.transition import (
    CALIBRATED_CONFINEMENT_SD,
    MODEL_CONFINEMENT_SD,
    Pair,
    Transition,
    edge_ev,
    energy_terms,
    first_transition,
    solved_pair,
)
from lampyris.probe.refusals import refused
from lampyris.probe.structure import Structure
from lampyris.statistics.intervals import normal_interval

DIAMETER_RELATIVE_SD = 0.03
"""Uncertainty of a sample's mean diameter where none is stated (assumed: counting 200 dots, and the microscope's scale)."""

PEAK_SD_NM = 2.0
"""Uncertainty of a peak read from a spectrum where none is stated (assumed)."""

FACTORS = (0.3, 2.5)
"""Measured over predicted energy above the edge: beyond these the sample is not the structure that was said."""

MODEL_RANGE = MODEL_CONFINEMENT_SD / CALIBRATED_CONFINEMENT_SD
"""Logarithm of the ratio of two diameters over which the model's own error stays alike."""


@dataclass(frozen=True, slots=True, eq=False)
class Leaning:
    """How one predicted energy leans on what is uncertain.

    Parameters
    ----------
    value_ev : float
        The prediction itself.
    terms : dict of str to float
        Change in eV by one standard deviation of each constant.
    model : tuple of str, float, float
        Materials of the layers, diameter of all of them in nm, and the model's own error in eV.
    """

    value_ev: float
    terms: dict[str, float]
    model: tuple[str, float, float]

    def covariance(self, other: "Leaning", /) -> float:
        """Covariance of two predictions' errors in eV2."""
        shared = math.fsum(value * other.terms[key] for key, value in self.terms.items() if key in other.terms)
        (own, size, error), (its, its_size, its_error) = self.model, other.model
        if own != its:
            return shared
        return shared + error * its_error * math.exp(-0.5 * (math.log(size / its_size) / MODEL_RANGE) ** 2)


def leaning(
    structure: Structure, pair: Pair, /, *, temperature_k: float = 295.0, medium: str = "water", coherence: float = 0.5
) -> Leaning:
    """How the first transition of a structure leans on the constants.

    Parameters
    ----------
    structure : Structure
        Layers from the core outwards.
    pair : Pair
        Its levels.
    temperature_k, medium, coherence
        Those that the pair was solved with.
    """
    terms = energy_terms(structure, pair, temperature_k=temperature_k, medium=medium, coherence=coherence)
    model = terms.pop("model")
    # the model's own error is that of one sequence of layers: nothing says that a shell leaves it as it is
    return Leaning(pair.energy_ev, terms, (_sequence(structure), structure.diameter_nm, model))


@dataclass(frozen=True, slots=True)
class Calibration:
    """Outcome of a calibration.

    Parameters
    ----------
    label : str
        Structure on which it was made.
    diameter_nm : float
        Its diameter.
    measured_ev, measured_sd_ev : float
        Its first transition, with the uncertainty that its peak and its size leave.
    leaning : Leaning
        What the model said of it, and on what that hangs.
    """

    label: str
    diameter_nm: float
    measured_ev: float
    measured_sd_ev: float
    leaning: Leaning


def calibration(
    structure: Structure, first_exciton_nm: float, /, *, sd_nm: float = PEAK_SD_NM, size_relative_sd: float = DIAMETER_RELATIVE_SD,
    temperature_k: float = 295.0, medium: str = "water", coherence: float = 0.5,
) -> Calibration:  # fmt: skip
    """Calibration on one sample.

    Parameters
    ----------
    structure : Structure
        The sample's layers as measured.
    first_exciton_nm : float
        Its first absorption peak.
    sd_nm, size_relative_sd : float
        Uncertainty of the peak in nm, and of the diameter as a share.
    temperature_k, medium, coherence
        As of `first_transition`.

    Raises
    ------
    InputError
        If the peak is beyond the bulk edge, or so far from the model that the sample cannot be this structure.
    """
    pair = solved_pair(structure, temperature_k=temperature_k, medium=medium, coherence=coherence)
    edge, predicted = edge_ev(pair.bands), pair.energy_ev
    measured = EV_NM / first_exciton_nm if first_exciton_nm > 0 else math.nan
    factor = (measured - edge) / (predicted - edge)
    low, high = FACTORS
    if not low <= factor <= high:
        ends = [EV_NM / (edge + bound * (predicted - edge)) for bound in (high, low)]
        seen = (
            f"{first_exciton_nm:g} nm is outside {ends[0]:.0f} to {ends[1]:.0f} nm: the model says {EV_NM / predicted:.0f} nm for "
            f"{structure.label} of {structure.diameter_nm:g} nm, its bulk edge is at {EV_NM / edge:.0f} nm"
        )
        mend = "Check sizes, materials and that the peak is of absorption."
        raise refused("calibration.range", "first_exciton_nm", seen, mend)
    # confinement goes about as size to the power -1.5, between the parabolic -2 and the narrow gap's -1
    sd = math.hypot(measured * sd_nm / first_exciton_nm, 1.5 * size_relative_sd * (measured - edge))
    own = leaning(structure, pair, temperature_k=temperature_k, medium=medium, coherence=coherence)
    return Calibration(structure.label, structure.diameter_nm, measured, sd, own)


def calibrated(
    structure: Structure,
    made: Calibration,
    /,
    *,
    temperature_k: float = 295.0,
    medium: str = "water",
    coherence: float = 0.5,
) -> Transition:
    """First transition with a calibration: the same as `first_transition`, its energy corrected and its uncertainty narrowed.

    The further the size is from the sample's, the less the sample says; for another sequence of materials only the constants
    that both share tell anything, and a finding says so.
    """
    found = first_transition(structure, temperature_k=temperature_k, medium=medium, coherence=coherence)
    pair = solved_pair(structure, temperature_k=temperature_k, medium=medium, coherence=coherence)
    own = leaning(structure, pair, temperature_k=temperature_k, medium=medium, coherence=coherence)
    shared = own.covariance(made.leaning)
    gain = shared / (made.leaning.covariance(made.leaning) + made.measured_sd_ev**2)
    moved = gain * (made.measured_ev - made.leaning.value_ev)
    findings = found.findings
    if own.model[0] != made.leaning.model[0]:
        seen = f"The calibration was made on {made.label}, the dot is {structure.label}."
        mend = "Calibrate on a sample of the same materials."
        findings += (Finding("calibration.other-materials", Severity.WARNING, Place(column="layers"), seen, mend),)
    sd = math.sqrt(max(own.covariance(own) - gain * shared, 0.0))
    method = f"radial envelopes, moved {1000 * moved:+.0f} meV by one sample of {made.diameter_nm:g} nm; normal"
    estimate = normal_interval(own.value_ev + moved, sd, unit="eV", method=method)
    return replace(found, energy_ev=estimate, findings=findings)


def _sequence(structure: Structure) -> str:
    return "/".join(layer.material for layer in structure.layers)
