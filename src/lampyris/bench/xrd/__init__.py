"""X-ray diffraction of powders of dots: what a diffractometer records, and size, strain, lattice and phase from it."""
