"""EMSA/MAS spectra (ISO 22029): X-ray spectra of electron microscopes as text with labels.

References
----------
Egerton, Fiori, Hunt, Isaacson, Kirkland and Zaluzec, EMSA/MAS standard file format for spectral data exchange, 1991; ISO 22029.
"""

import math
import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lampyris.core.instruments import Spectrum
from lampyris.io.instruments.binary import MAX_POINTS
from lampyris.io.instruments.files import content, refuse
from lampyris.io.instruments.numeric_text import NUMBER, decoded, numbers_in
from lampyris.io.instruments.spectrometers.axes import checked_axis

_LABEL = re.compile(r"^\s*#\s*([A-Za-z0-9-]+)\s*(?:-[^:]*)?:?\s*(.*)$")
_UNIT = re.compile(r"(?<![A-Za-z])(k?eV)(?![A-Za-z])", re.IGNORECASE)
_UNITS = {"EV": 1e-3, "KEV": 1.0}
_WORDS = ("BEAMKV", "LIVETIME", "REALTIME", "ELEVANGLE", "AZIMANGLE", "THICKNESS", "SIGNALTYPE", "COMMENT", "OWNER")


def read(path: Path, /, *, max_bytes: int, file: str) -> tuple[Spectrum, ...]:
    """Read the spectrum of an EMSA/MAS file.

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
        One, over keV where its unit is eV or keV; `words` has the beam's kV and the times under the labels of the standard.

    Raises
    ------
    ImageError
        If labels or numbers are missing or damaged.
    """
    text = decoded(content(Path(path), max_bytes=max_bytes, file=file), file=file)
    labels, numbers = _parts(text, file)
    x, y = _points(labels, np.array(numbers), file)
    # the standard of 2022 has words about it, as in "Energy Loss (eV)"
    found = _UNIT.search(labels.get("XUNITS", ""))
    if found is None:
        seen = f"says XUNITS {labels.get('XUNITS') or 'nothing'!r}."
        refuse(file, "emsa.unit", seen, "The axis must be in eV or keV: write the right XUNITS.")
    axis = x * _UNITS[found[1].upper()]
    if not (np.isfinite(axis).all() and np.isfinite(y).all() and (np.diff(axis) > 0).all()):
        refuse(file, "emsa.axis", "has an axis that does not rise, or numbers too large.", "Export it again.")
    checked_axis(axis, "xray_energy", file=file)
    words = {key: labels[key] for key in _WORDS if labels.get(key)}
    seconds = _number(labels, "LIVETIME", math.nan, file)
    return (
        Spectrum(
            axis,
            y,
            "xray_energy",
            "counts",
            name=labels.get("TITLE", ""),
            file=file,
            integration_s=seconds,
            words=words,
        ),
    )


def _parts(text: str, file: str) -> tuple[dict[str, str], list[float]]:
    """Labels, and the numbers between #SPECTRUM and #ENDOFDATA."""
    labels: dict[str, str] = {}
    numbers: list[float] = []
    state = "labels"
    for row, line in enumerate(text.splitlines(), start=1):
        if line.lstrip().startswith("#"):
            match = _LABEL.match(line)
            label = match[1].upper() if match else ""
            if label == "ENDOFDATA":
                state = "ended"
                break
            if label == "SPECTRUM":
                state = "numbers"
            elif match is not None:
                labels.setdefault(label, match[2].strip())
        elif state == "numbers" and line.strip():
            own, rest = numbers_in(line)
            if rest:
                seen = f"holds {rest[:20]!r} between its numbers."
                refuse(file, "emsa.number", seen, "Export it again, with decimal points.", row=row)
            numbers += own
            if len(numbers) > 2 * MAX_POINTS:
                refuse(file, "emsa.points", f"holds more than {MAX_POINTS} points.", "Export one spectrum.", row=row)
    if "FORMAT" not in labels or state == "labels":
        refuse(file, "emsa.format", "lacks #FORMAT or #SPECTRUM.", "Export it as EMSA/MAS (.msa).")
    if state != "ended":
        refuse(file, "instrument.truncated", "ends before #ENDOFDATA.", "It is cut short: export it again.")
    return labels, numbers


def _points(
    labels: dict[str, str], numbers: NDArray[np.float64], file: str
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    count = _number(labels, "NPOINTS", math.nan, file)
    paired = labels.get("DATATYPE", "Y").upper().strip() == "XY"
    if not numbers.size or numbers.size != count * (2 if paired else 1):
        seen = f"holds {numbers.size // (2 if paired else 1)} points, NPOINTS says {count:g}."
        refuse(file, "emsa.points", seen, "The file is cut short or damaged: export it again.")
    if paired:
        return numbers[::2], numbers[1::2]
    step, start = _number(labels, "XPERCHAN", math.nan, file), _number(labels, "OFFSET", math.nan, file)
    if not (step > 0 and math.isfinite(start)):
        seen = f"says XPERCHAN {step:g} and OFFSET {start:g}."
        refuse(file, "emsa.axis", seen, "Both are needed, the first above 0.")
    return start + step * np.arange(numbers.size, dtype=np.float64), numbers


def _number(labels: dict[str, str], label: str, default: float, file: str) -> float:
    text = labels.get(label, "")
    if not text:
        return default
    match = NUMBER.match(text)
    if match is None:
        refuse(file, "emsa.label", f"says #{label} {text[:40]!r}, which is no number.", "Mend it.")
    return float(match[0])
