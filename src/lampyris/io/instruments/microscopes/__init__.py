"""Micrographs, their pages and pixels."""
