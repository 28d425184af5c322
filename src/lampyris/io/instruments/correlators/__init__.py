"""Correlograms of light scattering."""
