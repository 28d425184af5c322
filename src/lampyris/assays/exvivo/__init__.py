"""Organs on trays: a file per step, from outlines and light to amounts and agreement."""
