"""Confinement: levels, envelopes and first transition of a layered dot."""

from lampyris.probe.confinement.bands import Bands, bands, surroundings
from lampyris.probe.confinement.calibrate import Calibration, calibrated, calibrated_ev, calibration
from lampyris.probe.confinement.transition import EV_NM, Transition, edge_ev, first_transition, first_transition_ev

__all__ = [
    "EV_NM", "Bands", "Calibration", "Transition", "bands", "calibrated", "calibrated_ev", "calibration", "edge_ev",
    "first_transition", "first_transition_ev", "surroundings",
]  # fmt: skip
