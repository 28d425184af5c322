"""Regions drawn by hand with other programs: a module per format, and the list of them in `readers`."""
