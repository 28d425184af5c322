"""Assays of what was taken out of the animal, or never was in it: organs on trays, sections, cells. A file per assay."""
