"""JCAMP-DX 4 and 5: spectra in every numeric form of the standard, blocks of a compound file included.

References
----------
McDonald and Wilks, Appl. Spectrosc. 42, 151 (1988), DOI 10.1366/0003702884428734: labels, (X++(Y..Y)) and the forms AFFN, PAC,
SQZ, DIF and DUP.
"""

import math
import re
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lampyris.core.instruments import Spectrum
from lampyris.io.instruments.binary import MAX_POINTS
from lampyris.io.instruments.files import content, refuse
from lampyris.io.instruments.numeric_text import NUMBER, decoded, numbers_in
from lampyris.io.instruments.spectrometers.axes import as_share, placed, unit_named

_LABEL = re.compile(r"^\s*##\s*([^=]*)=(.*)$")
_AXES = {
    "1/CM": ("wavenumber", 1.0), "CM-1": ("wavenumber", 1.0), "NANOMETERS": ("wavelength", 1.0), "NM": ("wavelength", 1.0),
    "MICROMETERS": ("wavelength", 1000.0), "MICRONS": ("wavelength", 1000.0), "UM": ("wavelength", 1000.0),
    "ANGSTROMS": ("wavelength", 0.1), "SECONDS": ("time", 1.0), "EV": ("photon_energy", 1.0), "KEV": ("xray_energy", 1.0),
}  # fmt: skip
_SIGNALS = {
    "ABSORBANCE": "absorbance", "TRANSMITTANCE": "transmittance", "REFLECTANCE": "reflectance", "COUNTS": "counts",
    "INTENSITY": "intensity", "%TRANSMITTANCE": "transmittance", "PERCENT TRANSMITTANCE": "transmittance",
}  # fmt: skip
# digit with sign that begins a squeezed ordinate, a difference, or a count of repeats
_SQUEEZED = {c: k for k, c in enumerate("@ABCDEFGHI")} | {c: -k for k, c in enumerate("abcdefghi", start=1)}
_DIFFERENCE = {c: k for k, c in enumerate("%JKLMNOPQR")} | {c: -k for k, c in enumerate("jklmnopqr", start=1)}
_REPEATS = {c: k for k, c in enumerate("STUVWXYZs", start=1)}
_TOKEN = re.compile(r"([@A-Ia-i%J-Rj-rS-Zs])(\d*)|([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3}(?!\d))?)|(\?)|(\s+|,|;)")


@dataclass(slots=True)
class _Block:
    """Labels of a block with their texts, and its data lines with their places in the file."""

    row: int
    labels: dict[str, str] = field(default_factory=dict)
    kind: str = ""
    form: str = ""
    data: list[tuple[int, str]] = field(default_factory=list)

    def number(self, label: str, default: float, file: str) -> float:
        text = self.labels.get(label, "").replace(",", ".")
        if not text:
            return default
        if not NUMBER.fullmatch(text):
            refuse(file, "jcamp.label", f"says {label}= {text[:40]!r}, which is no number.", "Mend it.", row=self.row)
        return float(text)


def read(path: Path, /, *, max_bytes: int, file: str) -> tuple[Spectrum, ...]:
    """Read every block of a JCAMP-DX file that holds a curve.

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
        One per block, axis rising; transmittance and reflectance as shares of 1.

    Raises
    ------
    ImageError
        If it is no JCAMP-DX, a data line cannot be read, a check value of the standard fails, or points are missing.
    """
    text = decoded(content(Path(path), max_bytes=max_bytes, file=file), file=file)
    blocks = [block for block in _blocks(text, file) if block.kind]
    if not blocks:
        refuse(file, "jcamp.no-data", "holds no ##XYDATA, ##XYPOINTS or ##PEAK TABLE.", "Export the spectrum itself.")
    return tuple(_spectrum(block, file) for block in blocks)


def _blocks(text: str, file: str) -> list[_Block]:
    if not re.match(r"\s*(\$\$[^\n]*\n\s*)*##", text):
        refuse(file, "jcamp.format", "does not begin with a ## label.", "Export it as JCAMP-DX.")
    blocks: list[_Block] = []
    label = ""
    for row, raw in enumerate(text.splitlines(), start=1):
        line = raw.partition("$$")[0]
        match = _LABEL.match(line)
        if match:
            label = re.sub(r"[\s_/-]", "", match[1]).upper()
            value = match[2].strip()
            if label == "TITLE" or not blocks:
                blocks.append(_Block(row))
            if label in ("XYDATA", "XYPOINTS", "PEAKTABLE"):
                blocks[-1].kind, blocks[-1].form = label, value.split(")")[0].replace(" ", "").upper()
            elif label == "NTUPLES":
                seen = "holds ##NTUPLES, several variables in one block."
                refuse(file, "jcamp.ntuples", seen, "Export real spectra as ##XYDATA.", row=row)
            else:
                blocks[-1].labels.setdefault(label, value)
        elif blocks and label == blocks[-1].kind and line.strip():
            blocks[-1].data.append((row, line.strip()))
    return blocks


def _spectrum(block: _Block, file: str) -> Spectrum:
    if block.kind == "XYDATA" and "++" in block.form:
        x, y = _ordinates(block, file)
    else:
        x, y = _pairs(block, file)
    axis_name, factor = _axis(block.labels.get("XUNITS", "").strip())
    axis, signal, averaged = placed(x * factor, y, axis_name, file=file, row=block.row)
    said = block.labels.get("YUNITS", "").upper().strip()
    signal_name = _SIGNALS.get(said, "unknown")
    signal, scaled = as_share(signal, signal_name, percent="%" in said or "PERCENT" in said)
    kept = {key: block.labels[key] for key in ("DATATYPE", "ORIGIN", "XUNITS", "YUNITS") if block.labels.get(key)}
    words = {**kept, **averaged, **scaled}
    return Spectrum(axis, signal, axis_name, signal_name, name=block.labels.get("TITLE", ""), file=file, words=words)


def _axis(words: str) -> tuple[str, float]:
    """Axis and factor to its unit, by the standard's word or by what else a program writes, as in "Wavelength (nm)"."""
    found = _AXES.get(words.upper())
    if found is None and (unit := unit_named(words)) is not None:
        found = unit.axis, unit.factor
    return found or ("unknown", 1.0)


def _ordinates(block: _Block, file: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Evenly spaced points of (X++(Y..Y)); the abscissa of each line is a check."""
    count = block.number("NPOINTS", math.nan, file)
    first, last = block.number("FIRSTX", math.nan, file), block.number("LASTX", math.nan, file)
    if math.isnan(last):
        last = first + block.number("DELTAX", math.nan, file) * (count - 1)
    if not (1 <= count <= MAX_POINTS and count == int(count) and math.isfinite(first) and math.isfinite(last)):
        seen = f"says NPOINTS {count:g}, FIRSTX {first:g} and LASTX {last:g}."
        refuse(
            file,
            "jcamp.points",
            seen,
            f"All three are needed, or DELTAX for the last, with 1 to {MAX_POINTS} points.",
            row=block.row,
        )
    levels: list[float] = []
    step = (last - first) / (count - 1) if count > 1 else 1.0
    x_factor = block.number("XFACTOR", 1.0, file)
    carried = False
    for row, line in block.data:
        start, values, differs = _line(line, file, row, levels[-1] if carried and levels else None, int(count))
        if carried and levels:
            # after a line of differences the next begins with the last ordinate again, as a check
            if not values or values[0] != levels[-1]:
                came = f"{values[0]:g}" if values else "nothing"
                seen = f"begins with {came} where {levels[-1]:g}, the last ordinate of the line before, must stand."
                refuse(file, "jcamp.check", seen, "The file is damaged: export it again.", row=row)
            values = values[1:]
        expected = first + step * (len(levels) - (1 if carried and levels else 0))
        _check_abscissa(start * x_factor, expected, step, file, row)
        levels += values
        carried = differs
        if len(levels) > count + 1:
            break
    # a last line may repeat the final ordinate alone
    if len(levels) != int(count):
        seen = f"holds {len(levels)} ordinates, NPOINTS says {int(count)}."
        refuse(file, "jcamp.points", seen, "The file is cut short or damaged: export it again.", row=block.row)
    y = np.array(levels) * block.number("YFACTOR", 1.0, file)
    if not np.isfinite(y).all():
        refuse(file, "jcamp.number", "holds a number beyond what can be stored.", "Export it again.", row=block.row)
    if first == last and count > 1:
        refuse(file, "jcamp.points", f"says FIRSTX and LASTX both {first:g}.", "Export it again.", row=block.row)
    return np.linspace(first, last, int(count)), y


def _check_abscissa(came: float, expected: float, step: float, file: str, row: int) -> None:
    # abscissae are rounded, and some programs write that of the check value, others of the first new one
    if not abs(came - expected) <= 2.0 * abs(step) + 1e-4 * abs(expected):
        seen = f"begins at x = {came:g} where {expected:g} is due."
        refuse(file, "jcamp.check", seen, "A line is missing or damaged: export it again.", row=row)


def _line(line: str, file: str, row: int, carried: float | None, most: int) -> tuple[float, list[float], bool]:
    """Abscissa, ordinates, and whether the line ends with a difference."""
    match = re.match(r"\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]\d{1,3}(?!\d))?", line)
    if match is None:
        refuse(file, "jcamp.line", f"begins with {line[:20]!r}, not with a number.", "Export it again.", row=row)
    start, place = float(match[0]), match.end()
    values: list[float] = []
    last: tuple[str, float] = ("", 0.0)
    while place < len(line):
        token = _TOKEN.match(line, place)
        if token is None:
            refuse(
                file,
                "jcamp.line",
                f"holds {line[place : place + 10]!r}, no form of a number.",
                "Export it again.",
                row=row,
            )
        place = token.end()
        mark, digits, plain = token[1], token[2], token[3]
        if plain is not None:
            last = ("value", float(plain))
            values.append(last[1])
        elif token[4]:
            last = ("value", math.nan)
            values.append(math.nan)
        elif mark is not None:
            last = _squeezed(mark, digits, values, last, (file, row, most))
    return start, values, last[0] == "difference"


def _squeezed(
    mark: str, digits: str, values: list[float], last: tuple[str, float], place: tuple[str, int, int]
) -> tuple[str, float]:
    """Add what a squeezed ordinate, a difference or a count of repeats stands for."""
    file, row, most = place
    if mark in _SQUEEZED:
        values.append(_signed(_SQUEEZED[mark], digits, mark))
        return "value", values[-1]
    if mark in _DIFFERENCE:
        if not values:
            refuse(file, "jcamp.line", "begins with a difference.", "Export it again.", row=row)
        step = _signed(_DIFFERENCE[mark], digits, mark)
        values.append(values[-1] + step)
        return "difference", step
    repeats = int(f"{_REPEATS[mark]}{digits}"[:9]) - 1
    if not last[0] or len(values) + repeats > most + 1:
        refuse(
            file, "jcamp.line", f"repeats nothing, or beyond NPOINTS: {mark}{digits[:12]}.", "Export it again.", row=row
        )
    for _ in range(repeats):
        values.append(values[-1] + last[1] if last[0] == "difference" else last[1])
    return last


def _signed(lead: int, digits: str, mark: str) -> float:
    size = float(f"{abs(lead)}{digits[:300]}")
    return -size if lead < 0 or (lead == 0 and mark not in "@%") else size


def _pairs(block: _Block, file: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Points that stand as pairs."""
    numbers: list[float] = []
    for row, line in block.data:
        own, rest = numbers_in(line)
        if rest:
            refuse(file, "jcamp.line", f"holds {rest[:20]!r} between its pairs.", "Export it again.", row=row)
        if len(own) % 2:
            refuse(file, "jcamp.line", f"holds {len(own)} numbers, not pairs.", "Export it again.", row=row)
        numbers += own
    values = np.array(numbers).reshape(-1, 2)
    count = block.number("NPOINTS", float(len(values)), file)
    if not len(values) or count != len(values):
        seen = f"holds {len(values)} pairs, NPOINTS says {count:g}."
        refuse(file, "jcamp.points", seen, "The file is cut short or damaged: export it again.", row=block.row)
    scaled = values * (block.number("XFACTOR", 1.0, file), block.number("YFACTOR", 1.0, file))
    if not np.isfinite(scaled).all():
        refuse(file, "jcamp.number", "holds a number beyond what can be stored.", "Export it again.", row=block.row)
    return scaled[:, 0], scaled[:, 1]
