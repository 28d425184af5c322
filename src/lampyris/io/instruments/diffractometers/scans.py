"""What all readers of diffractograms share: a scan as a spectrum, and XML that declares nothing."""

import xml.etree.ElementTree as ET

import numpy as np
from numpy.typing import NDArray

from lampyris.core.errors import UnsafeFileError
from lampyris.core.instruments import Spectrum
from lampyris.io.instruments.files import refuse
from lampyris.io.instruments.spectrometers.axes import placed
from lampyris.io.safe_xml import DeclarationError, xml_root

MAX_POINTS = 2_000_000
"""Points of one scan; more are refused."""


def parsed_xml(data: bytes, /, *, file: str) -> ET.Element:
    """Root of an XML text without document type and entities, its names without namespaces.

    Raises
    ------
    ImageError
        If it is not well-formed.
    UnsafeFileError
        If it declares a document type or entities.
    """
    try:
        return xml_root(data)
    except DeclarationError:
        seen = "declares a document type or entity, or is UTF-16, which a diffractometer's file does not."
        refuse(file, "xrd.xml", seen, "Export it again from the instrument's software.", kind=UnsafeFileError)
    except ValueError as error:
        refuse(file, "xrd.xml", f"is XML that cannot be read: {error}.", "Export it again; it may be truncated.")


def wavelength_words(anode: str, first: str, second: str, ratio: str = "", /) -> dict[str, str]:
    """What a file says of its source, under the names that the bench knows; empty words are left out."""
    told = {"anode": anode, "alpha1_A": first, "alpha2_A": second, "alpha_ratio": ratio}
    return {key: value.strip().replace(",", ".") for key, value in told.items() if value and value.strip()}


def scan_of(
    axis: NDArray[np.float64],
    signal: NDArray[np.float64],
    /,
    *,
    file: str,
    name: str,
    words: dict[str, str],
    signal_name: str = "unknown",
    axis_name: str = "two_theta",
    row: int | None = None,
) -> Spectrum:
    """Scan as a spectrum, its axis rising.

    Raises
    ------
    ImageError
        If points are too few, not finite, or cannot be 2 theta.
    """
    if axis.size < 2 or axis.size != signal.size:
        seen = f"holds {axis.size} angles and {signal.size} signals."
        refuse(file, "xrd.points", seen, "Export the whole scan; the file may be truncated.")
    if not (np.isfinite(axis).all() and np.isfinite(signal).all()):
        refuse(file, "xrd.points", "holds numbers that are not finite.", "Export it again.", row=row)
    places, levels, averaged = placed(axis, signal, axis_name, file=file, row=row)
    if places.size < 2:
        refuse(file, "xrd.points", "is a scan that stands still.", "Give a scan over 2 theta.")
    return Spectrum(places, levels, axis_name, signal_name, name=name, file=file, words={**words, **averaged})
