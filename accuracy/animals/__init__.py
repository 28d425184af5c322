"""Scores of virtual animals, organs on trays and sections against their truth."""
