"""Lens, filters and sensor: expectation and variance of a frame."""
