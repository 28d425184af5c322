"""The coat of a dot: what it adds to the size, how it is charged, what is bound to it, and whether it keeps dots apart.

`coated_size` and `hydrodynamic_diameter` add layers up, `fitting_coats` asks which coat a measured diameter means;
`conjugated`, `avidity` and `targeting_choices` count ligands and bonds; `colloidal_stability` gives barrier and well of two dots.
"""

from lampyris.probe.coat.conjugation import Avidity, Conjugation, avidity, conjugated
from lampyris.probe.coat.kinds import Layer, Ligand, coat_layers, coat_names, ligand_named, ligand_names
from lampyris.probe.coat.polymer import brush_height_nm, flory_radius_nm, polymer_layer
from lampyris.probe.coat.size import (
    RENAL_THRESHOLD_NM,
    CoatedSize,
    CoatFit,
    coated_size,
    fitting_coats,
    hydrodynamic_diameter,
)
from lampyris.probe.coat.stability import Medium, Stability, colloidal_stability, debye_length_nm
from lampyris.probe.coat.targeting import Targeting, targeting_choices

__all__ = [
    "RENAL_THRESHOLD_NM",
    "Avidity",
    "CoatFit",
    "CoatedSize",
    "Conjugation",
    "Layer",
    "Ligand",
    "Medium",
    "Stability",
    "Targeting",
    "avidity",
    "brush_height_nm",
    "coat_layers",
    "coat_names",
    "coated_size",
    "colloidal_stability",
    "conjugated",
    "debye_length_nm",
    "fitting_coats",
    "flory_radius_nm",
    "hydrodynamic_diameter",
    "ligand_named",
    "ligand_names",
    "polymer_layer",
    "targeting_choices",
]
