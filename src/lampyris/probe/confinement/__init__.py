"""Confinement: levels, envelopes and first transition of a layered dot."""

from lampyris.probe.confinement.bands import Bands, bands, surroundings
from lampyris.probe.confinement.calibrate import Calibration, calibrated, calibration
from lampyris.probe.confinement.transition import (
    Pair,
    Transition,
    edge_ev,
    energy_terms,
    first_transition,
    first_transition_ev,
    solved_pair,
)

__all__ = [
    "Bands", "Calibration", "Pair", "Transition", "bands", "calibrated", "calibration", "edge_ev",
    "energy_terms", "first_transition", "first_transition_ev", "solved_pair", "surroundings",
]  # fmt: skip
