"""ALV correlator files (``.ASC``): preamble, correlation, count rate, cumulant fits and standard deviation."""

import math
import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lampyris.core.instruments import Correlogram
from lampyris.io.instruments.files import content, refuse
from lampyris.io.instruments.numeric_text import NUMBER

MAX_LINES = 2_000_000
_SECTION = re.compile(r'\s*"([^"]*)"\s*')
_FIELDS = {
    "temperature_k": "Temperature [K]",
    "viscosity_mpa_s": "Viscosity [cp]",
    "refractive_index": "Refractive Index",
    "wavelength_nm": "Wavelength [nm]",
    "angle_deg": "Angle [",
    "duration_s": "Duration [s]",
}
_ANGLE = re.compile(r"Angle\s*[(\[]\s*(?:M-)?(\d+)\s*[)\]]")
_CUMULANTS = {
    "Cumulant 1.Order": "cumulant_1_nm",
    "Cumulant 2.Order": "cumulant_2_nm",
    "Cumulant 3.Order": "cumulant_3_nm",
}
_BROKEN = "Export the run again from the correlator's program."

Sections = dict[str, list[tuple[int, str]]]


def read(path: Path, /, *, max_bytes: int, file: str) -> tuple[Correlogram, ...]:
    """Read an ALV file.

    Parameters
    ----------
    path : Path
    max_bytes : int
        Largest file that is opened.
    file : str
        As the user knows it.

    Returns
    -------
    tuple of Correlogram
        One per angle. Of one angle it is the mean of the columns that hold something, which of cross-correlated pairs are the two
        orders of one light. Of several detectors each has its angle and its column, and its count rate is that of its own trace:
        the means in the preamble stand in another order in some files.
        `vendor` holds ``cumulant_1_nm`` to ``cumulant_3_nm`` (diameters; the file says radii), ``count_rate_times_s`` and
        ``count_rates_kcps``.

    Raises
    ------
    ImageError
        If a part is missing or a line cannot be read: the line is named.
    """
    text = content(Path(path), max_bytes=max_bytes, file=file).decode("latin-1")
    lines = text.splitlines()
    if not lines or not lines[0].startswith("ALV"):
        refuse(
            file, "alv.signature", "does not begin as an ALV file does.", "Give the .ASC file of the correlator.", row=1
        )
    if len(lines) > MAX_LINES:
        refuse(file, "alv.too-large", f"has more than {MAX_LINES} lines.", "Split the file.")
    sections = _sections(lines)
    if "Correlation" not in sections:
        refuse(file, "alv.correlation", "has no part named Correlation.", _BROKEN)
    if list(sections)[-1] == "Correlation" and not text.endswith("\n"):
        refuse(file, "alv.cut", "ends within its correlation: it is cut short.", _BROKEN, row=len(lines))
    table = _table(sections["Correlation"], file, "Correlation", least=2)
    lag, levels = table[:, 0] * 1e-3, table[:, 1:]
    used = [k for k in range(levels.shape[1]) if np.any(levels[:, k])]
    if not used:
        refuse(
            file,
            "alv.correlation",
            "has a correlation of zeros only.",
            "Check the detectors and the correlator's mode.",
        )
    if lag.size < 8 or not ((lag > 0).all() and (np.diff(lag) > 0).all()):
        refuse(file, "alv.lag", "has lag times that do not rise, or fewer than 8.", _BROKEN)
    head = _head(sections[""], file)
    vendor = _vendor(sections, file)
    angles = head["angles"]
    if len(angles) > 1:
        return tuple(
            _correlogram(lag, levels[:, k], {**head, "angle_deg": angle}, _of_detector(sections, k, file), file)
            for k, angle in _detectors(angles, used, file)
        )
    averaged = {"columns averaged": str(len(used))}
    sd = _deviation(sections, lag, file)
    return (_correlogram(lag, levels[:, used].mean(axis=1), head, vendor, file, sd=sd, words=averaged),)


def _correlogram(
    lag: NDArray[np.float64],
    level: NDArray[np.float64],
    head: dict[str, Any],
    vendor: dict[str, Any],
    file: str,
    *,
    sd: NDArray[np.float64] | None = None,
    words: dict[str, str] | None = None,
) -> Correlogram:
    return Correlogram(
        lag,
        level,
        **{name: head[name] for name in _FIELDS},
        count_rate_kcps=vendor.get("count_rate_kcps", head["count_rate_kcps"]),
        name=str(head["name"]),
        file=file,
        sd=sd,
        vendor={key: value for key, value in vendor.items() if key != "count_rate_kcps"},
        words={"mode": str(head["mode"]), "runs": str(head["runs"]), **(words or {})},
    )


def _detectors(angles: dict[int, float], used: list[int], file: str) -> list[tuple[int, float]]:
    """Column and angle of each detector that measured; an angle of 0 stands for one that is not there."""
    first = min(angles)
    found = [(k - first, angle) for k, angle in sorted(angles.items()) if angle > 0 and k - first in used]
    extra = [k for k in used if k not in [column for column, _ in found]]
    if extra or not found:
        seen = f"has {len(used)} columns that correlate and {len(found)} angles that belong to one of them."
        refuse(file, "alv.angles", seen, "Export one angle per file.")
    return found


def _of_detector(sections: Sections, column: int, file: str) -> dict[str, Any]:
    """What the file says of one detector: its trace, and no cumulant fits, which are of one that the file does not name."""
    if not sections.get("Count Rate"):
        return {}
    trace = _table(sections["Count Rate"], file, "Count Rate", least=2)
    if trace.shape[1] <= column + 1:
        return {}
    rates = trace[:, column + 1]
    told = {"count_rate_times_s": trace[:, 0], "count_rates_kcps": rates}
    return {**told, "count_rate_kcps": float(rates.mean())} if rates.mean() > 0 else told


def _sections(lines: list[str]) -> Sections:
    """Lines by the quoted name above them, each with its number; the preamble under no name."""
    found: Sections = {"": []}
    name = ""
    for number, line in enumerate(lines, start=1):
        match = _SECTION.fullmatch(line)
        if match is not None:
            name = match[1]
            found.setdefault(name, [])
        elif line.strip():
            found[name].append((number, line))
    return found


def _table(rows: list[tuple[int, str]], file: str, part: str, *, least: int) -> NDArray[np.float64]:
    """Numbers of a part; it ends where a line holds words, and must not lose a column within."""
    found: list[list[float]] = []
    for number, line in rows:
        cells = line.split()
        if not NUMBER.fullmatch(cells[0]):
            break
        if len(cells) < least or (found and len(cells) != len(found[0])):
            seen = f"has {len(cells)} numbers in {part} where others have {len(found[0]) if found else least}."
            refuse(file, "alv.row", seen, _BROKEN, row=number)
        if not all(NUMBER.fullmatch(cell) for cell in cells):
            refuse(file, "alv.number", f"holds a word among the numbers of {part}.", _BROKEN, row=number)
        values = [float(cell) for cell in cells]
        if not all(math.isfinite(value) for value in values):
            refuse(file, "alv.number", f"holds a number out of reach in {part}.", _BROKEN, row=number)
        found.append(values)
    if not found:
        refuse(file, "alv.row", f"has no numbers in {part}.", _BROKEN)
    return np.array(found)


def _head(rows: list[tuple[int, str]], file: str) -> dict[str, Any]:
    told: dict[str, str] = {}
    places: dict[str, int] = {}
    for number, line in rows:
        key, sign, value = line.partition(":")
        if sign:
            told[key.strip()] = value.strip().strip('"').strip()
            places[key.strip()] = number
    head: dict[str, Any] = {}
    for name, key in _FIELDS.items():
        own = next((one for one in told if one.startswith(key)), "")
        head[name] = _value(told.get(own, ""), file, own, places.get(own))
    rates = [_value(told[key], file, key, places[key]) for key in told if re.fullmatch(r"MeanCR\d+ \[kHz\]", key)]
    head["count_rate_kcps"] = next((rate for rate in rates if rate > 0), math.nan)
    angles = {int(m[1]): _value(told[key], file, key, places[key]) for key in told if (m := _ANGLE.match(key))}
    head["angles"] = {k: angle for k, angle in angles.items() if not math.isnan(angle)}
    head["name"] = told.get("Samplename", "")
    head["mode"] = told.get("Mode", "")
    head["runs"] = told.get("Runs", "")
    return head


def _value(text: str, file: str, key: str, row: int | None) -> float:
    """Number of a field of the preamble; NaN of an absent one, and of one that no instrument gives."""
    if not text:
        return math.nan
    if not NUMBER.fullmatch(text):
        refuse(file, "alv.field", f"says {text[:30]!r} where a number belongs.", _BROKEN, row=row, column=key)
    value = float(text)
    return value if math.isfinite(value) and value > 0 else math.nan


def _vendor(sections: Sections, file: str) -> dict[str, Any]:
    told: dict[str, Any] = {}
    for part, name in _CUMULANTS.items():
        for _, line in sections.get(part, []):
            match = re.match(r"\s*Hydrodyn\. Radius \[nm\]\s+(\S+)", line)
            if match and NUMBER.fullmatch(match[1]):
                told[name] = 2.0 * float(match[1])
    if sections.get("Count Rate"):
        trace = _table(sections["Count Rate"], file, "Count Rate", least=2)
        told["count_rate_times_s"] = trace[:, 0]
        told["count_rates_kcps"] = trace[:, 1]
    return told


def _deviation(sections: Sections, lag: NDArray[np.float64], file: str) -> NDArray[np.float64] | None:
    rows = sections.get("StandardDeviation")
    if not rows:
        return None
    table = _table(rows, file, "StandardDeviation", least=2)
    # the file may end before the last lags: then nothing is said of the deviation
    same = table.shape[0] == lag.size and np.allclose(table[:, 0] * 1e-3, lag, rtol=1e-4)
    return table[:, 1] if same and (table[:, 1] > 0).all() else None
