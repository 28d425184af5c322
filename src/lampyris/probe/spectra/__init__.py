"""Spectra of a batch of dots: absorption, emission, peak and width, from sizes, shapes, compositions and phonons.

In the order of use: `SizeSpread` and `Ensemble` say how dots vary; `line_shape` what one dot's line is;
`emission_spectrum`, `absorption_spectrum` and `line_width` give what a spectrometer sees. Transition energies are a function
of the diameter, or arrays: `energy_by_size` makes one of a structure with this package's own confinement.
"""

from lampyris.probe.spectra.axes import Line, energy_ev, measured_line, per_ev_from_per_nm, per_nm_from_per_ev, width_nm
from lampyris.probe.spectra.ensemble import Ensemble, SizeSpread, Transitions, energies, shape_factor, weighted_energies
from lampyris.probe.spectra.lineshape import (
    LineShape,
    exactly,
    homogeneous_width_mev,
    line_shape,
    phonon_number,
    photophysical_constant,
    photophysical_values,
    replica_weights,
)
from lampyris.probe.spectra.spectrum import (
    Continuum,
    LineWidth,
    Spectrum,
    absorption_spectrum,
    assumed_continuum,
    emission_peak_nm,
    emission_spectrum,
    line_width,
)
from lampyris.probe.spectra.structures import (
    StructureLight,
    energy_by_size,
    energy_by_sizing_curve,
    resized,
    structure_light,
)

__all__ = [
    "Continuum",
    "Ensemble",
    "Line",
    "LineShape",
    "LineWidth",
    "SizeSpread",
    "Spectrum",
    "StructureLight",
    "Transitions",
    "absorption_spectrum",
    "assumed_continuum",
    "emission_peak_nm",
    "emission_spectrum",
    "energies",
    "energy_by_size",
    "energy_by_sizing_curve",
    "energy_ev",
    "exactly",
    "homogeneous_width_mev",
    "line_shape",
    "line_width",
    "measured_line",
    "per_ev_from_per_nm",
    "per_nm_from_per_ev",
    "phonon_number",
    "photophysical_constant",
    "photophysical_values",
    "replica_weights",
    "resized",
    "shape_factor",
    "structure_light",
    "weighted_energies",
    "width_nm",
]
