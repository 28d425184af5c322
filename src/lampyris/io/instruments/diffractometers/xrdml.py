"""PANalytical xrdml: one XML with scans of positions and counts."""

import xml.etree.ElementTree as ET
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lampyris.core.instruments import Spectrum
from lampyris.io.instruments.diffractometers.scans import MAX_POINTS, parsed_xml, scan_of, wavelength_words
from lampyris.io.instruments.files import content, refuse

_SCANS = ("Gonio", "2Theta", "2Theta-Omega", "Omega-2Theta")


def read(path: Path, /, *, max_bytes: int, file: str) -> tuple[Spectrum, ...]:
    """Read the scans over 2 theta of a file.

    Those that an instrument appended to each other with one step are joined by the user.

    Parameters
    ----------
    path : Path
        The file.
    max_bytes : int
        Largest file that is opened.
    file : str
        As the user knows it.

    Returns
    -------
    tuple of Spectrum

    Raises
    ------
    ImageError
        If it holds no scan over 2 theta, or numbers are missing.
    """
    root = parsed_xml(content(path, max_bytes=max_bytes, file=file), file=file)
    if root.tag != "xrdMeasurements":
        refuse(file, "xrd.format", f"is XML of another kind: {root.tag[:40]}.", "Give the .xrdml file.")
    name = _text(root.iter("name")) or _text(root.iter("id")) or Path(file).stem
    found: list[Spectrum] = []
    for measurement in root.iter("xrdMeasurement"):
        words = wavelength_words(
            _text(measurement.iter("anodeMaterial")),
            _text(measurement.iter("kAlpha1")),
            _text(measurement.iter("kAlpha2")),
            _text(measurement.iter("ratioKAlpha2KAlpha1")),
        )
        for scan in measurement.iter("scan"):
            if scan.get("scanAxis", "Gonio") in _SCANS:
                shown = f"{name} {len(found) + 1}" if found else name
                found += _scan(scan, file, shown, words)
    if not found:
        refuse(file, "xrd.no-data", "holds no scan over 2 theta.", "Give a powder scan over 2 theta.")
    return tuple(found)


def _text(elements: Iterable[ET.Element]) -> str:
    return next((one.text.strip() for one in elements if one.text and one.text.strip()), "")


def _numbers(text: str, file: str, what: str) -> NDArray[np.float64]:
    cells = text.split()
    if len(cells) > MAX_POINTS:
        refuse(file, "xrd.points", f"holds more than {MAX_POINTS} {what}.", "Split the scan.")
    try:
        return np.array([float(cell) for cell in cells])
    except ValueError as error:
        refuse(file, "xrd.points", f"holds {what} that are no numbers: {str(error)[:60]}.", "Export it again.")


def _scan(scan: ET.Element, file: str, name: str, words: dict[str, str]) -> list[Spectrum]:
    points = scan.find("dataPoints")
    if points is None:
        return []
    counts = points.find("counts")
    levels = counts if counts is not None else points.find("intensities")
    if levels is None or not levels.text:
        refuse(file, "xrd.no-data", "holds a scan without intensities.", "Export the measured scan.")
    signal = _numbers(levels.text, file, "intensities")
    factors = points.find("beamAttenuationFactors")
    if factors is not None and factors.text and counts is not None:
        factor = _numbers(factors.text, file, "attenuation factors")
        if factor.size != signal.size:
            refuse(file, "xrd.points", "holds more or fewer attenuation factors than counts.", "Export it again.")
        signal = signal * factor
    axis = _positions(points, signal.size, file)
    unit = (levels.get("unit") or "counts").lower()
    kind = "counts" if unit == "counts" else "count_rate"
    return [scan_of(axis, signal, file=file, name=name, words=words, signal_name=kind)]


def _positions(points: ET.Element, count: int, file: str) -> NDArray[np.float64]:
    for positions in points.iter("positions"):
        if positions.get("axis") != "2Theta":
            continue
        listed = positions.find("listPositions")
        if listed is not None and listed.text:
            return _numbers(listed.text, file, "positions")
        ends = [_numbers(_text(positions.iter(tag)), file, "positions") for tag in ("startPosition", "endPosition")]
        if all(one.size == 1 for one in ends):
            return np.linspace(float(ends[0][0]), float(ends[1][0]), count)
    seen = "holds a scan without positions of 2 theta."
    return refuse(file, "xrd.axis", seen, "Give a powder scan over 2 theta.")
