"""Zarr arrays of both versions: folders, chunks and their codecs."""
