"""Particles in electron micrographs: their contrast and blur, how they are found, and what their sizes say."""
