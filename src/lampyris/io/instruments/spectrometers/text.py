"""Spectra, diffractograms and traces as text: an axis and one or more signals, as CSV or as any instrument writes them."""

import math
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lampyris.core.instruments import SIGNALS, Spectrum
from lampyris.io.bench_tables import FIT, RESIDUAL
from lampyris.io.instruments.files import content, refuse
from lampyris.io.instruments.numeric_text import NumericText, numeric_text
from lampyris.io.instruments.spectrometers.axes import AxisUnit, as_share, placed, unit_given, unit_named

_SIGNAL_WORDS = (
    ("transmittance", re.compile(r"transmi|%\s*t\b|^t\s*[%\[(]", re.IGNORECASE)),
    ("reflectance", re.compile(r"reflect|%\s*r\b", re.IGNORECASE)),
    (
        "absorbance",
        re.compile(r"absorb|\babs\b|\bm(?:AU|OD)\b|\bod\b(?![\s_=:]*\d)|\ba\.?u\.?\b.*abs|extinction", re.IGNORECASE),
    ),
    ("count_rate", re.compile(r"\bcps\b|counts?\s*/\s*s|count\s*rate", re.IGNORECASE)),
    ("counts", re.compile(r"count|\bphotons\b", re.IGNORECASE)),
    ("intensity", re.compile(r"intens|\bint\b|emission|fluor|\bpl\b|signal|\bs1", re.IGNORECASE)),
)
_MILLI = re.compile(r"\bm\.?(?:AU|OD|Abs|A\.U\.)(?![a-z])")
_PERCENT = re.compile(r"%|percent", re.IGNORECASE)
_EXCITATION = re.compile(r"(?:excitation|\bex|λex)[^\d\r\n]{0,30}(\d{3,4}(?:[.,]\d+)?)\s*(?:nm)?", re.IGNORECASE)
_INTEGRATION = re.compile(
    r"integration[^\d\r\n]{0,40}(\d+(?:[.,]\d+)?(?:e[+-]?\d{1,3})?)\s*(ms|s|us|µs)?\b", re.IGNORECASE
)
_BRACKETED = re.compile(r"[(\[]\s*(ms|msec|s|sec|us|usec|µs)\s*[)\]]", re.IGNORECASE)
_BANDPASS = re.compile(r"(?:slit|band\s?pass|band\s?width)[^\d\r\n]{0,30}(\d{1,2}(?:[.,]\d+)?)", re.IGNORECASE)
_MM = re.compile(r"(?:\d|\b)mm\b", re.IGNORECASE)
_BEFORE_EMISSION = re.compile(r".*\bex.*?(?=\bem)|.*\bex.*", re.IGNORECASE)
_FEWEST_STEPS, _MOST_TURNS = 8, 0.2
"""Steps of a column by which its way is told, and turns per step of one that still is an axis: noise turns two times in three."""
_SECONDS = {"": 1.0, "s": 1.0, "sec": 1.0, "ms": 1e-3, "msec": 1e-3, "us": 1e-6, "usec": 1e-6, "µs": 1e-6}


def read(
    path: Path, /, *, max_bytes: int, file: str, axis: str = "wavelength", axis_unit: str = "", signal: str = ""
) -> tuple[Spectrum, ...]:
    """Read every signal column of a text.

    Parameters
    ----------
    path : Path
        The file.
    max_bytes : int
        Largest file that is opened.
    file : str
        As the user knows it.
    axis : str
        What the axis is where the file does not say.
    axis_unit : str
        Its unit where the file does not say, or says it wrongly.
    signal : str
        What the signals are where the file does not say.

    Returns
    -------
    tuple of Spectrum
        One per signal column with a number in it.

    Raises
    ------
    ImageError
        If there is no block of numbers, or its axis cannot be what it is called.
    """
    found = numeric_text(content(Path(path), max_bytes=max_bytes, file=file), file=file)
    pairs = _pairs(found)
    own = _of_own_curve(found)
    if own:
        pairs = [(0, 1)]
    if not pairs:
        refuse(file, "spectrum.columns", "holds an axis but no signal column.", "Export axis and signal.")
    _refuse_swapped(found, file)
    spectra = []
    for at, column in pairs:
        values = found.values[:, (at, column)]
        keep = np.isfinite(values).all(axis=1)
        if keep.any():
            unit = _axis_unit(found.names[at], axis, axis_unit, found.preamble, file)
            one = _spectrum(found, values[keep], column, (unit, signal), file, int(found.rows[keep][0]))
            spectra.append(replace(one, words={**one.words, "columns computed": own}) if own else one)
    if not spectra:
        refuse(file, "spectrum.columns", "has no row with both axis and signal.", "Export axis and signal.")
    return tuple(spectra)


def _pairs(found: NumericText) -> list[tuple[int, int]]:
    """Column of the axis and of the signal of each spectrum: an axis serves the signals until its name comes again."""
    heads = [name.casefold() for name in found.names]
    axes = [k for k, name in enumerate(heads) if k == 0 or (name and name == heads[0])]
    return [(max(axis for axis in axes if axis < k), k) for k in range(1, len(heads)) if k not in axes]


def _of_own_curve(found: NumericText) -> str:
    """Columns beside the measured one of a curve that this program wrote, or of any table that ends with a fit: they are computed."""
    rest = found.names[2:]
    if rest and (rest[-1] == RESIDUAL or [name.casefold() for name in rest] == [FIT]):
        return ", ".join(rest)
    return ""


def _refuse_swapped(found: NumericText, file: str) -> None:
    """Refuse a signal that stands where the axis belongs: its name says so, or it goes to and fro beside a column that runs one way."""
    first, *others = found.names
    named = next((k for k, name in enumerate(others, start=2) if name and unit_named(name) is not None), 0)
    if named and unit_named(first) is None and any(words.search(first) for _, words in _SIGNAL_WORDS):
        seen = f"begins with the signal {first!r}, and has its axis, {found.names[named - 1]!r}, in column {named}."
    elif found.values.shape[1] == 2 and not _runs(found.values[:, 0]) and _runs(found.values[:, 1], strictly=True):
        seen = "goes to and fro in column 1, where the axis belongs, and runs one way in column 2: they look swapped."
    else:
        return
    refuse(file, "spectrum.columns-swapped", seen, "Put the axis into the first column.", row=int(found.rows[0]))


def _runs(values: NDArray[np.float64], *, strictly: bool = False) -> bool:
    """Whether a column runs one way: strictly, or but for a few turns, as of scans one after the other."""
    steps = np.diff(values[np.isfinite(values)])
    if steps.size < _FEWEST_STEPS:
        return not strictly
    if strictly:
        return bool((steps > 0).all() or (steps < 0).all())
    signs = np.sign(steps[steps != 0])
    return bool(np.sum(signs[1:] != signs[:-1]) <= _MOST_TURNS * signs.size)


def _axis_unit(name: str, axis: str, axis_unit: str, preamble: tuple[str, ...], file: str) -> AxisUnit | str:
    """Unit of an axis: by the user's word, by its own name, or the unit in which such an axis is kept."""
    said = unit_named(name) if name else None
    if said is None and not name:
        # a line of units may stand apart from the columns, as in "XUNITS=nm"
        said = next(
            (u for line in preamble if re.match(r"\W*x\W?(units?|axis)", line, re.I) and (u := unit_named(line))), None
        )
    if axis_unit:
        return unit_given(said.axis if said is not None and said.axis != axis else axis, axis_unit, file=file)
    if said is None and axis == "time":
        seen = f"has a time axis{f' called {name!r}' if name else ''} without a unit."
        refuse(
            file,
            "instrument.axis-unit",
            seen,
            "Write the unit into its name, as in 'Time (min)', or say it as an option.",
        )
    return said if said is not None else axis


def _spectrum(
    found: NumericText, values: NDArray[np.float64], column: int, said: tuple[AxisUnit | str, str], file: str, row: int
) -> Spectrum:
    unit, signal = said
    axis_name, factor = (unit, 1.0) if isinstance(unit, str) else (unit.axis, unit.factor)
    axis, levels, averaged = placed(values[:, 0] * factor, values[:, 1], axis_name, file=file, row=row)
    heads = f"{found.names[column]} {found.samples[column]}".strip()
    signal_name = _signal_name(heads, signal)
    if signal_name == "absorbance" and _MILLI.search(heads):
        levels = levels / 1000.0
    levels, scaled = as_share(levels, signal_name, percent=bool(_PERCENT.search(heads)))
    text = "\n".join(found.preamble)
    words = {"decimal mark": found.decimal, **found.remarks, **averaged, **scaled}
    if bandpass := _bandpass(found.preamble):
        words["bandpass_nm"] = bandpass
    if found.footer:
        words["text after the numbers"] = "yes"
    return Spectrum(
        axis,
        levels,
        axis_name,
        signal_name,
        name=_name(found, column, Path(file).stem),
        file=file,
        excitation_nm=_excitation(text),
        integration_s=_integration(text),
        words=words,
    )


def _signal_name(heads: str, given: str) -> str:
    """Kind of a signal: by the words above it, else what is expected of the file."""
    kind = next((name for name, words in _SIGNAL_WORDS if words.search(heads)), given)
    return kind if kind in SIGNALS else "unknown"


def _name(found: NumericText, column: int, stem: str) -> str:
    sample, name = found.samples[column], found.names[column]
    before = found.samples[column - 1] if column else ""
    kind = any(words.search(name) for _, words in _SIGNAL_WORDS)
    if kind and (sample or before):
        return sample or before
    return name if name and not (kind and found.values.shape[1] == 2) else stem


def _excitation(text: str) -> float:
    match = _EXCITATION.search(text)
    value = float(match[1].replace(",", ".")) if match else math.nan
    return value if 150 <= value <= 3000 else math.nan


def _integration(text: str) -> float:
    match = _INTEGRATION.search(text)
    if match is None:
        return math.nan
    # a unit may stand in brackets before the number, as in "Integration Time (usec): 50000"
    before = _BRACKETED.search(match[0])
    unit = match[2] or (before[1] if before else "")
    return float(match[1].replace(",", ".")) * _SECONDS[unit.lower()]


def _bandpass(preamble: tuple[str, ...]) -> str:
    """Bandpass of the emission slits in nm as a line says it; "" of a slit in mm, and of the excitation's alone."""
    for line in preamble:
        own = _BEFORE_EMISSION.sub("", line)
        match = _BANDPASS.search(own)
        if (
            match
            and re.search(r"\bnm\b", own)
            and not _MM.search(own)
            and 0.0 < float(match[1].replace(",", ".")) <= 50.0
        ):
            return match[1].replace(",", ".")
    return ""
