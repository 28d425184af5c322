"""Decays of counted photons."""
