"""What a dot of given layers is predicted to be: colour, width, light yield, size in water, and what is in it."""

import math
from dataclasses import dataclass

from lampyris.core.constants import EV_NM
from lampyris.core.errors import InputError
from lampyris.core.estimate import Estimate
from lampyris.probe.coat import CoatedSize, coated_size
from lampyris.probe.confinement import Transition, first_transition
from lampyris.probe.confinement.transition import solved_pair, wavelength_of
from lampyris.probe.design.batches import batch
from lampyris.probe.design.calibration import Calibrated, energy_by_size, leaning
from lampyris.probe.design.conditions import Conditions
from lampyris.probe.design.families import Family
from lampyris.probe.extinction import excitation_extinction
from lampyris.probe.materials import layer_material, pooled
from lampyris.probe.photophysics import brightness
from lampyris.probe.propagation import propagated
from lampyris.probe.refusals import fault
from lampyris.probe.spectra import LineWidth, line_shape, line_width, photophysical_constant
from lampyris.probe.structure import Structure
from lampyris.probe.tables import constant, table_rows
from lampyris.statistics.intervals import normal_interval


@dataclass(frozen=True, slots=True, eq=False)
class Prediction:
    """What is predicted of a dot.

    Parameters
    ----------
    structure : Structure
    bulk_gap_ev : float
        Of the core's material.
    transition : Transition
        First transition as the envelope equation has it, before any calibration.
    absorption_ev, absorption_nm : Estimate
        First exciton, calibrated.
    stokes_ev : Estimate
        From absorption down to emission.
    emission_nm : Estimate
    width : LineWidth
    core_sd_nm : float
        Spread behind the width.
    extinction : Estimate or None
        At the excitation wavelength, 1/(M cm); None where no source covers the dot.
    quantum_yield : Estimate
        Typical of such a dot in water.
    brightness : Estimate or None
        Their product.
    size : CoatedSize
        Diameter in water.
    metals : tuple of str
        Elements of concern in it.
    toxicity : str
        The worst class of its materials.
    calibrated : bool
        Whether a sample of the user's moved the colour.
    notes : tuple of str
        Why a value is missing, what was assumed.
    """

    structure: Structure
    bulk_gap_ev: float
    transition: Transition
    absorption_ev: Estimate
    absorption_nm: Estimate
    stokes_ev: Estimate
    emission_nm: Estimate
    width: LineWidth
    core_sd_nm: float
    extinction: Estimate | None
    quantum_yield: Estimate
    brightness: Estimate | None
    size: CoatedSize
    metals: tuple[str, ...]
    toxicity: str
    calibrated: bool
    notes: tuple[str, ...]


def predict(
    structure: Structure,
    around: Conditions,
    /,
    *,
    size_sd_nm: float,
    scaled: bool,
    aspect: float = 1.0,
    calibrated: Calibrated | None = None,
) -> Prediction:
    """Predict everything of a dot.

    Parameters
    ----------
    structure : Structure
    around : Conditions
        Medium, temperature, coat, excitation, calibrations.
    size_sd_nm : float
        Standard deviation of the diameter that varies.
    scaled : bool
        Whether all layers vary in proportion, or the core alone under the same shells.
    aspect : float
        Length over width.
    calibrated : Calibrated, optional
        The calibrations of `around`, where they were solved before.

    Returns
    -------
    Prediction
        What no source covers is None, with a note that says why.

    Raises
    ------
    InputError
        If a layer, the medium or the coat is unknown, or a size outside what the model holds for.
    """
    moved = calibrated or Calibrated(around)
    transition = first_transition(structure, temperature_k=around.temperature_k, medium=around.medium)
    pair = solved_pair(structure, temperature_k=around.temperature_k, medium=around.medium)
    (absorbed, absorbed_sd), (emitted, emitted_sd) = (
        moved(leaning(structure, pair, around, quantity=quantity)) for quantity in ("absorption", "emission")
    )
    if emitted < LEAST_EV:
        raise _no_emission(structure, emitted)
    core = layer_material(structure.layers[0])
    line = line_shape(core.name)
    defect = photophysical_constant(core.name, "defect_width").value / 1000.0
    of_size = energy_by_size(structure, around, moved, scaled=scaled)
    gap = core.gap(around.temperature_k).value
    dots = batch(structure, size_sd_nm, scaled=scaled, aspect=aspect, gap_ev=gap, defect_ev=defect)
    method = transition.energy_ev.method
    absorption = normal_interval(absorbed, absorbed_sd, unit="eV", method=method)
    emission = wavelength_of(normal_interval(emitted, emitted_sd, unit="eV", method=method))
    width = line_width(
        of_size,
        dots,
        line=line,
        temperature_k=around.temperature_k,
        at_nm=emission.value,
        size_sd_relative_sd=SPREAD_RELATIVE_SD,
    )
    extinction, note = _extinction(structure, around, absorbed, width)
    share = _yield(structure, transition.overlap)
    materials = [layer_material(layer) for layer in structure.layers]
    return Prediction(
        structure=structure,
        bulk_gap_ev=gap,
        transition=transition,
        absorption_ev=absorption,
        absorption_nm=wavelength_of(absorption),
        stokes_ev=normal_interval(
            line.stokes.value / 1000.0, line.stokes.sd / 1000.0, unit="eV", method=line.stokes.method
        ),
        emission_nm=emission,
        width=width,
        core_sd_nm=size_sd_nm,
        extinction=extinction,
        quantum_yield=share,
        brightness=brightness(extinction, share) if extinction else None,
        size=coated_size(structure.diameter_nm, around.coat, core_sd_nm=min(size_sd_nm, structure.diameter_nm / 2)),
        metals=tuple(dict.fromkeys(metal for one in materials for metal in one.metals_of_concern)),
        toxicity=max((one.toxicity for one in materials), key=TOXICITY.index),
        calibrated=bool(around.calibrations),
        notes=((note,) if note else ()) + tuple(finding.seen for finding in transition.findings),
    )


LEAST_EV = 0.1
"""Transitions below this, beyond 12 micrometres, are those of overlapping bands rather than of a dot that shines."""

SPREAD_RELATIVE_SD = 0.1
"""Uncertainty of a stated spread of sizes (assumed: some 100 dots were counted)."""

TOXICITY = ("low", "moderate", "restricted heavy element")
"""Classes of the table of materials, the worst last."""


def _no_emission(structure: Structure, energy_ev: float) -> InputError:
    seen = f"{structure.label} has its emission at {energy_ev:.2f} eV, below {LEAST_EV:g} eV: "
    seen += "the bands of its layers overlap, or nearly so."
    mend = "Choose a smaller core or other materials; `lampyris probe materials` lists their gaps."
    return InputError(f"{structure.label} does not shine", [fault("design.no-emission", "layers", seen, mend)])


def _extinction(
    structure: Structure, around: Conditions, first_ev: float, width: LineWidth
) -> tuple[Estimate | None, str]:
    """Extinction at the excitation wavelength from the core's published rule, or why there is none.

    The rule is taken at the diameter of the core: what shells of a similar gap absorb is left out.
    """
    if math.isnan(around.excitation_nm):
        return None, ""
    core = structure.layers[0].material
    half = max(width.total_ev.value / 2, 0.01)
    try:
        return excitation_extinction(core, structure.core_diameter_nm, around.excitation_nm, first_ev, hwhm_ev=half), ""
    except InputError as error:
        words = error.findings[0].seen if error.findings else str(error)
        return None, f"no extinction: {words}"


def _yield(structure: Structure, overlap: float) -> Estimate:
    """Quantum yield typical of the kind of dot, less what a smaller overlap of electron and hole costs.

    The typical yield is that of full overlap; the rates that give no light are taken as the same for all, so that the yield falls
    as the radiative rate does.
    """
    kind = "bare" if len(structure.layers) == 1 else "shelled"
    typical = pooled(constant(row) for row in table_rows("dot_yields.csv") if row["kind"] == kind)
    return propagated(
        lambda typical: 1.0 / (1.0 + (1.0 / min(max(typical, 0.01), 0.99) - 1.0) / max(overlap, 1e-6)),
        {"typical": typical},
        unit="1",
        method=f"typical of a {kind} dot in water, at an overlap of {overlap:.2f}",
        low=0.0,
        high=1.0,
    )


class Colour:
    """Emission wavelength of a family's structures, for the search: a millisecond each; NaN where the model refuses.

    Parameters
    ----------
    family : Family
    around : Conditions
    calibrated : Calibrated
        The calibrations of `around`.
    """

    def __init__(self, family: Family, around: Conditions, calibrated: Calibrated) -> None:
        self._around, self._calibrated = around, calibrated
        self.stokes_ev = line_shape(family.layers[0]).stokes.value / 1000.0
        self.evaluated = 0
        self.refused = ""

    def __call__(self, structure: Structure, /) -> float:
        self.evaluated += 1
        around = self._around
        try:
            pair = solved_pair(structure, temperature_k=around.temperature_k, medium=around.medium)
        except InputError as error:
            self.refused = error.findings[0].seen if error.findings else str(error)
            return math.nan
        energy, _ = self._calibrated(leaning(structure, pair, around, quantity="emission"))
        return EV_NM / energy if energy >= LEAST_EV else math.nan
