"""Scores of the dot: its energies, growth, fate in the body and release."""
