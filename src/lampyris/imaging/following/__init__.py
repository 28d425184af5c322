"""Spots of all days and views become lesions: linked, placed, named by kind, weighed in cells."""
