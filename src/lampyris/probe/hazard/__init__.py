"""Hazard of a dot: what it is made of, how it dissolves, how a dose stands beside published limits.

`element_mass_ag` gives the metal of one dot, `released` the ions over time, `hazard_of_dose` all of it beside limits,
viability and cadmium-free families; each says what it does not know.
"""

from lampyris.probe.hazard.assessment import (
    Alternative,
    Dose,
    ElementDose,
    Hazard,
    LethalMargin,
    Viability,
    WholeDotViability,
    alternatives,
    hazard_index_per_dot,
    hazard_of_dose,
    human_equivalent,
    log_logistic,
    observed_doses,
    species_named,
)
from lampyris.probe.hazard.composition import (
    element,
    element_mass_ag,
    formula_counts,
    material_names,
    size_correction,
    substance,
)
from lampyris.probe.hazard.dissolution import (
    Conditions,
    Release,
    bare_release,
    dissolution_law,
    released,
    shrinking_share,
)

__all__ = [
    "Alternative",
    "Conditions",
    "Dose",
    "ElementDose",
    "Hazard",
    "LethalMargin",
    "Release",
    "Viability",
    "WholeDotViability",
    "alternatives",
    "bare_release",
    "dissolution_law",
    "element",
    "element_mass_ag",
    "formula_counts",
    "hazard_index_per_dot",
    "hazard_of_dose",
    "human_equivalent",
    "log_logistic",
    "material_names",
    "observed_doses",
    "released",
    "shrinking_share",
    "size_correction",
    "species_named",
    "substance",
]
