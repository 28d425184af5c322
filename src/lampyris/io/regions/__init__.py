"""Regions that people drew in other programs, and what those programs measured in them, a module per format."""
