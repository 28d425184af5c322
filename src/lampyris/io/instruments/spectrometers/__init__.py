"""Spectra: absorption, emission, infrared and X-ray lines; what their axes say."""
