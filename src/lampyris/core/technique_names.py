"""Names of the bench's techniques: apart, so that the command line knows them before anything heavy is loaded."""

TECHNIQUES = {
    "absorption": "first exciton, size, concentration and band gap from absorption spectra",
    "photoluminescence": "peak and width of emission spectra",
    "quantum-yield": "relative against a standard, or absolute with an integrating sphere",
    "lifetime": "photon-counting decays with the instrument's response",
    "photostability": "signal left against time or light dose",
    "blinking": "on and off times of single dots",
    "tem": "particle sizes in transmission electron micrographs",
    "sem": "particle sizes in scanning electron micrographs",
    "xrd": "crystallite size, strain, lattice constant and phase from diffraction",
    "eds": "atomic composition from X-ray energies",
    "ftir": "bands of ligands in infrared spectra",
    "dls": "hydrodynamic size from correlograms",
    "stability": "size and emission over days of storage",
}
"""Techniques of the bench, each with what it gives."""
