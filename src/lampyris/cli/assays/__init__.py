"""Verb ``assay``: organs on trays, sections, release, a module per kind."""
