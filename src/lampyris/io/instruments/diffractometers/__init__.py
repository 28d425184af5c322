"""Diffraction patterns."""
