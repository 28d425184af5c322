"""Draws animals, lesions and noise, and writes them as raw files. All of it is synthetic and says so."""
