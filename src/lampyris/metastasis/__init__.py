"""Seeding and label: which organs cells reach, and how their signal is lost."""
