"""One-point calibration: one measured first exciton of one's own sample corrects the model for similar dots.

The model's error lies in the confinement, not in the bulk edges: a factor on the energy above the edge takes up what masses,
barrier and shape of the sample do. It is one number for a material pair and a synthesis, and holds near the calibrated size.
"""

import math
from dataclasses import dataclass, replace

from lampyris.core.constants import EV_NM
from lampyris.core.finding import Finding, Place, Severity
from lampyris.probe.confinement.transition import (
    CALIBRATED_CONFINEMENT_SD,
    Transition,
    edge_ev,
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
"""Beyond these the sample is not the structure that was said."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """Outcome of a calibration.

    Parameters
    ----------
    label : str
        Structure on which it was made.
    diameter_nm : float
        Its diameter.
    measured_ev, predicted_ev, edge_ev : float
        Its first transition, what the model said, and the bulk edge from which confinement is counted.
    factor, factor_sd : float
        On the energy above the edge, with the uncertainty that peak and size of the sample leave.
    """

    label: str
    diameter_nm: float
    measured_ev: float
    predicted_ev: float
    edge_ev: float
    factor: float
    factor_sd: float


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
    peak_sd = measured * sd_nm / first_exciton_nm / (predicted - edge)
    # confinement goes about as size to the power -1.5, between the parabolic -2 and the narrow gap's -1
    return Calibration(
        structure.label,
        structure.diameter_nm,
        measured,
        predicted,
        edge,
        factor,
        math.hypot(peak_sd, 1.5 * size_relative_sd * factor),
    )


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

    Between the sample and the dot at hand the uncertainty grows with the difference of their sizes; for another pair of
    materials the factor says little, and a finding says so.
    """
    found = first_transition(structure, temperature_k=temperature_k, medium=medium, coherence=coherence)
    pair = solved_pair(structure, temperature_k=temperature_k, medium=medium, coherence=coherence)
    edge = edge_ev(pair.bands)
    above = pair.energy_ev - edge
    energy = edge + made.factor * above
    away = abs(math.log(structure.diameter_nm / made.diameter_nm))
    relative = math.hypot(made.factor_sd, CALIBRATED_CONFINEMENT_SD * min(away, 1.0))
    findings = found.findings
    if _names(structure.label) != _names(made.label):
        # nothing was measured of this pair: the model's own spread stays
        relative = math.hypot(relative, found.energy_ev.sd / above if above > 0 else 1.0)
        seen = f"The calibration was made on {made.label}, the dot is {structure.label}."
        mend = "Calibrate on a sample of the same materials."
        findings += (Finding("calibration.other-materials", Severity.WARNING, Place(column="layers"), seen, mend),)
    sd = relative * abs(above)
    method = f"radial envelopes, confinement times {made.factor:.3f} by one sample of {made.diameter_nm:g} nm; normal"
    estimate = normal_interval(energy, sd, unit="eV", method=method)
    return replace(found, energy_ev=estimate, findings=findings)


def _names(label: str) -> tuple[str, ...]:
    return tuple(part.split("(")[0] for part in label.split("/"))
