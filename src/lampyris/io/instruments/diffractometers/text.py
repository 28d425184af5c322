"""Patterns of diffractometers as text: Rigaku ras, and columns of axis and signal."""

import math
import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lampyris.core.instruments import Spectrum
from lampyris.io.instruments.diffractometers.scans import scan_of, wavelength_words
from lampyris.io.instruments.files import content, refuse
from lampyris.io.instruments.numeric_text import NumericText, decoded, numeric_text

_Q = re.compile(r"\bq\b|4\s*(pi|π)\s*sin", re.IGNORECASE)
_PER_NM = re.compile(r"nm\s*\^?-\s*1|1\s*/\s*nm|nm⁻¹", re.IGNORECASE)
_D = re.compile(r"\bd\b\s*[\[(/]?\s*(Å|a\b|ang)|d[- ]?spacing", re.IGNORECASE)
_LEAST_LAST_DEG = 15.0
_THETA = re.compile(r"2\s*[- ]?\s*(theta|θ|th)|two\s*[- ]?theta|twotheta", re.IGNORECASE)
_ANODE = re.compile(r"(?:anode|target)[\s_a-z]*[\"':=\s]+(Cu|Co|Cr|Fe|Mo|Ag)\b", re.IGNORECASE)
_FIRST = re.compile(
    r"(?:k[- ]?alpha[- _]?1|kα1|wave_?length_?alpha1|wavelength|lambda|λ)[^\d\n]{0,25}(\d+[.,]\d+)", re.IGNORECASE
)
_SECOND = re.compile(r"(?:k[- ]?alpha[- _]?2|kα2|wave_?length_?alpha2)[^\d\n]{0,25}(\d+[.,]\d+)", re.IGNORECASE)


def read(path: Path, /, *, max_bytes: int, file: str, axis: str = "") -> tuple[Spectrum, ...]:
    """Read every pattern of a text.

    Parameters
    ----------
    path : Path
        The file.
    max_bytes : int
        Largest file that is opened.
    file : str
        As the user knows it.
    axis : str
        What the axis is where the text does not say, or says it wrongly, as for `diffractograms.read`.

    Returns
    -------
    tuple of Spectrum

    Raises
    ------
    ImageError
        If it is no such text, or its axis cannot be what it is called.
    """
    data = content(path, max_bytes=max_bytes, file=file)
    if data[:3] == b"RAW":
        seen = "is a binary RAW file of a diffractometer."
        refuse(file, "xrd.format", seen, "Export it as xy text, xrdml or brml.")
    text = decoded(data, file=file)
    if text.lstrip().startswith("*RAS_DATA_START"):
        return _ras(text, file)
    return _text(data, file, axis, path.stem)


def _ras(text: str, file: str) -> tuple[Spectrum, ...]:
    found: list[Spectrum] = []
    head: dict[str, str] = {}
    rows: list[tuple[float, float]] | None = None
    for number, line in enumerate(text.splitlines(), start=1):
        mark = line.strip()
        if mark == "*RAS_INT_START":
            rows = []
        elif mark == "*RAS_INT_END":
            if rows:
                found.append(_scan(head, rows, file, len(found)))
            rows = None
        elif mark == "*RAS_HEADER_START":
            head = {}
        elif rows is not None and mark:
            rows.append(_row(mark, file, number))
        elif mark.startswith("*") and " " in mark:
            key, _, value = mark[1:].partition(" ")
            head[key] = value.strip().strip('"')
    if rows is not None:
        refuse(file, "xrd.truncated", "ends within its data: *RAS_INT_END is missing.", "Export it again.")
    if not found:
        refuse(file, "xrd.no-data", "holds no *RAS_INT_START with rows.", "Export the measured scan.")
    return tuple(found)


def _row(line: str, file: str, number: int) -> tuple[float, float]:
    cells = line.split()
    try:
        values = [float(cell) for cell in cells]
    except ValueError:
        values = []
    if not 2 <= len(values) <= 3 or not all(math.isfinite(one) for one in values):
        refuse(file, "xrd.row", f"holds {line[:40]!r} among its data.", "Export it again.", row=number)
    return values[0], values[1] * (values[2] if len(values) == 3 else 1.0)


def _scan(head: dict[str, str], rows: list[tuple[float, float]], file: str, number: int) -> Spectrum:
    axis = head.get("MEAS_SCAN_AXIS_X", "TwoTheta")
    if "theta" not in axis.lower() or axis.lower() == "theta":
        refuse(file, "xrd.axis", f"is a scan over {axis[:30]!r}, not over 2 theta.", "Give a powder scan over 2 theta.")
    values = np.array(rows)
    words = wavelength_words(
        head.get("HW_XG_TARGET_NAME", ""),
        head.get("HW_XG_WAVE_LENGTH_ALPHA1", ""),
        head.get("HW_XG_WAVE_LENGTH_ALPHA2", ""),
    )
    name = head.get("FILE_SAMPLE", "") or Path(file).stem
    unit = head.get("MEAS_SCAN_UNIT_Y", "counts").lower()
    return scan_of(
        values[:, 0],
        values[:, 1],
        file=file,
        name=f"{name} {number + 1}" if number else name,
        words=words,
        signal_name="counts" if unit == "counts" else "count_rate",
    )


def _text(data: bytes, file: str, axis: str, stem: str) -> tuple[Spectrum, ...]:
    found = numeric_text(data, file=file)
    head = "\n".join(found.preamble)
    kind = axis or _kind(found, file)
    words = wavelength_words(*(match[1] if (match := one.search(head)) else "" for one in (_ANODE, _FIRST, _SECOND)))
    words |= found.remarks
    spectra = []
    for column in range(1, found.values.shape[1]):
        values = found.values[:, (0, column)]
        values = values[np.isfinite(values).all(axis=1)]
        if column > 1 and re.search(r"err|sigma|esd|back|calc|fit|diff", found.names[column], re.IGNORECASE):
            continue
        if values.shape[0] < 2:
            continue
        name = found.names[column] if found.values.shape[1] > 2 and found.names[column] else stem
        spectra.append(_placed(values, kind, file, name, words, int(found.rows[0])))
    if not spectra:
        refuse(file, "xrd.no-data", "has no row with both axis and signal.", "Export axis and signal.")
    return tuple(spectra)


def _kind(found: NumericText, file: str) -> str:
    """What the axis is, by the words above it; numbers that cannot be 2 theta alone are asked about."""
    head = found.names[0] or (found.preamble[-1] if found.preamble else "")
    if _THETA.search(head):
        return "two_theta"
    if _Q.search(head):
        return "q_nm" if _PER_NM.search(head) else "q"
    if _D.search(head):
        return "d"
    axis = found.values[:, 0]
    last = float(np.nanmax(axis)) if np.isfinite(axis).any() else math.nan
    if last < _LEAST_LAST_DEG:
        seen = f"has an axis to {last:g} only, which may be q in 1/A, a distance in A or an angle, and its name does not say."
        refuse(file, "xrd.axis", seen, "Say it with --axis two_theta, q, q_nm or d.", row=int(found.rows[0]))
    return "two_theta"


def _placed(values: NDArray[np.float64], kind: str, file: str, name: str, words: dict[str, str], row: int) -> Spectrum:
    axis, signal = values[:, 0], values[:, 1]
    whole = bool((signal >= 0).all() and (signal == np.round(signal)).all() and signal.max() > 0)
    signal_name = "counts" if whole else "unknown"
    if kind == "two_theta":
        return scan_of(axis, signal, file=file, name=name, words=words, signal_name=signal_name, row=row)
    if not (axis > 0).all():
        refuse(file, "xrd.axis", "has q or distances of 0 or below.", "Leave these rows out.", row=row)
    told = {**words, "axis": "d" if kind == "d" else "q"}
    return scan_of(
        axis * (0.1 if kind == "q_nm" else 1.0),
        signal,
        file=file,
        name=name,
        words=told,
        signal_name=signal_name,
        axis_name="unknown",
        row=row,
    )
