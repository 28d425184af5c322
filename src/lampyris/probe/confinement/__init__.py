"""Confinement: levels, envelopes and first transition of a layered dot."""

from lampyris.probe.confinement.bands import Bands, bands, surroundings
from lampyris.probe.confinement.transition import EV_NM, Transition, first_transition, first_transition_ev

__all__ = ["EV_NM", "Bands", "Transition", "bands", "first_transition", "first_transition_ev", "surroundings"]
