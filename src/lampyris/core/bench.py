"""Results of the bench: numbers with their uncertainty, flags, and the curves that show how they came about."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lampyris.core.arrays import frozen_array
from lampyris.core.estimate import Estimate
from lampyris.core.finding import Finding

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


@dataclass(frozen=True, slots=True)
class BenchSource:
    """A file given to a technique.

    Parameters
    ----------
    path : Path
        Where it lies.
    file : str
        As the user knows it, for messages.
    role : str
        What it is to the technique, a key of the ``roles`` of its options, such as ``response`` of a lifetime; "" for what is measured.
    sample : str
        Which sample or lot it belongs to, "" where nothing was said.
    replicate : str
        Which replicate, "" where nothing was said.
    """

    path: Path
    file: str
    role: str = ""
    sample: str = ""
    replicate: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class BenchCurve:
    """A panel of a technique's figure: the raw points, the fit through them, and what is left.

    Parameters
    ----------
    title : str
        Of the panel.
    x_label, y_label : str
        With their units, such as "wavelength (nm)".
    x, y : numpy.ndarray
        Raw points, dims (point,).
    fit : numpy.ndarray or None
        Fit at `x`; NaN where nothing was fitted.
    parts : mapping
        Further curves at `x` by name, such as single peaks, background or instrument's response.
    residual : numpy.ndarray or None
        (Raw - fit) over its standard deviation, where that is known; drawn below.
    marks : tuple of (float, str)
        Places along x with their names.
    x_log, y_log, steps : bool
        Logarithmic axes; bars in place of points, for histograms.
    """

    title: str
    x_label: str
    y_label: str
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    fit: NDArray[np.float64] | None = None
    parts: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)
    residual: NDArray[np.float64] | None = None
    marks: tuple[tuple[float, str], ...] = ()
    x_log: bool = False
    y_log: bool = False
    steps: bool = False

    def __post_init__(self) -> None:
        x = frozen_array("x", self.x, ("point",), np.float64)
        object.__setattr__(self, "x", x)
        for name in ("y", "fit", "residual"):
            values = getattr(self, name)
            if values is not None:
                object.__setattr__(self, name, frozen_array(name, values, ("point",), np.float64, x.shape))
        parts = {
            name: frozen_array(name, values, ("point",), np.float64, x.shape) for name, values in self.parts.items()
        }
        object.__setattr__(self, "parts", MappingProxyType(parts))


@dataclass(frozen=True, slots=True, eq=False)
class BenchPicture:
    """A micrograph with what was found in it, to accept or mend.

    Parameters
    ----------
    pixels : numpy.ndarray
        8-bit grey, dims (y, x), reduced for showing.
    outlines : tuple of numpy.ndarray
        Each dims (point, 2), x and y in pixels of `pixels`.
    kinds : tuple of str
        Of each outline: "measured", "edge", "cluster" or "rejected".
    pixel_nm : float
        Of the shown pixels.
    title : str
    """

    pixels: NDArray[np.uint8]
    outlines: tuple[NDArray[np.float64], ...]
    kinds: tuple[str, ...]
    pixel_nm: float
    title: str


@dataclass(frozen=True, slots=True, eq=False)
class BenchRecord:
    """What one file, run or sample gave.

    Parameters
    ----------
    name, file : str
        Of the sample and its file as the user knows it.
    values : mapping
        Estimate by key, such as ``peak_nm``; keys that the contract of the command line names stay stable.
    lists : mapping
        Several estimates by key, such as ``peaks_nm``.
    words : mapping
        Words by key, such as ``phase`` or ``model``.
    tables : mapping
        Rows (a mapping each, of plain values or estimates) by key, such as ``bands``.
    flags : tuple of str
        Short stable names of what lowers trust, such as "saturated".
    curves : tuple of BenchCurve
    pictures : tuple of BenchPicture
    """

    name: str
    file: str
    values: Mapping[str, Estimate]
    lists: Mapping[str, tuple[Estimate, ...]] = field(default_factory=dict)
    words: Mapping[str, str] = field(default_factory=dict)
    tables: Mapping[str, tuple[Mapping[str, Any], ...]] = field(default_factory=dict)
    flags: tuple[str, ...] = ()
    curves: tuple[BenchCurve, ...] = ()
    pictures: tuple[BenchPicture, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class BenchResult:
    """Result of a technique over its files.

    Parameters
    ----------
    technique : str
        A key of `TECHNIQUES`.
    pooled : BenchRecord
        Over all records: what the technique reports; of a single record its own values. Its `curves` show what was pooled.
    records : tuple of BenchRecord
        One per file, run or sample.
    replicate : str
        What was replicated, so what the uncertainty of `pooled` speaks of, such as "particles in 3 images".
    findings : tuple of Finding
        What was remarked, with place and mend.
    notes : tuple of str
        How it was done, a sentence each, for the methods text.
    """

    technique: str
    pooled: BenchRecord
    records: tuple[BenchRecord, ...]
    replicate: str
    findings: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.technique not in TECHNIQUES:
            raise ValueError(f"technique is one of {', '.join(TECHNIQUES)}, got {self.technique!r}")
