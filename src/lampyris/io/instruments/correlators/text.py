"""Correlograms as columns of text or of a workbook: lag times, then g2 - 1, g2 or g1, and its standard deviation if there."""

import math
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lampyris.core.instruments import Correlogram
from lampyris.io.instruments.files import content, refuse
from lampyris.io.instruments.numeric_text import numeric_text

KINDS = ("g2-1", "g2", "g1")
"""What a column of correlation may hold."""
LAG_UNITS = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}

_UNIT_WORDS = (
    ("ns", re.compile(r"\bns\b|nanosec", re.I)), ("us", re.compile(r"[uµμ]s\b|\busec|microsec|\[us\]", re.I)),
    ("ms", re.compile(r"\bms\b|\bmsec|millisec", re.I)), ("s", re.compile(r"\bs\b|\bsec(onds?)?\b", re.I)),
)  # fmt: skip
_KIND_WORDS = (
    (
        "g2-1",
        re.compile(
            r"g\W{0,2}2\W{0,3}(\(\s*\w*\s*\)|tau|t)?\W*[-\u2212\u2013]\s*1"
            r"|g1\W{0,2}(\^|²)|correlation coeff|correlation data|\bicf\b|intercept",
            re.I,
        ),
    ),
    ("g1", re.compile(r"\bg\W{0,2}1\b|field", re.I)),
    ("g2", re.compile(r"\bg\W{0,2}2\b", re.I)),
)  # fmt: skip
_SD_WORDS = re.compile(r"\b(sd|std|stdev|sigma|error|deviation)\b", re.I)
_SAID = {
    "angle_deg": re.compile(r"angle[^\d\r\n]{0,30}(\d+(?:[.,]\d+)?)", re.I),
    "wavelength_nm": re.compile(r"(?:wavelength|laser)[^\d\r\n]{0,30}(\d+(?:[.,]\d+)?)", re.I),
    "viscosity_mpa_s": re.compile(r"viscosity[^\d\r\n]{0,30}(\d+(?:[.,]\d+)?)", re.I),
    "refractive_index": re.compile(r"(?:refractive index|\bri\b)[^\d\r\n]{0,30}(\d+(?:[.,]\d+)?)", re.I),
    "count_rate_kcps": re.compile(r"count rate[^\d\r\n]{0,30}(\d+(?:[.,]\d+)?)", re.I),
    "duration_s": re.compile(r"(?:duration|measurement time|run time)[^\d\r\n]{0,30}(\d+(?:[.,]\d+)?)", re.I),
}
_TEMPERATURE = re.compile(r"temperature[^\d\r\n]{0,30}?(-?\d+(?:[.,]\d+)?)\s*(°?\s*C|K)?", re.I)


@dataclass(frozen=True, slots=True, eq=False)
class _Columns:
    values: NDArray[np.float64]
    names: tuple[str, ...]
    preamble: str
    hidden: str


def read(
    path: Path, /, *, max_bytes: int, file: str, lag_unit: str = "", correlation: str = ""
) -> tuple[Correlogram, ...]:
    """Read every correlogram of a text or workbook.

    Parameters
    ----------
    path : Path
    max_bytes : int
        Largest file that is opened.
    file : str
        As the user knows it.
    lag_unit : str
        A key of `LAG_UNITS`, where the lag column's name does not say it, or says it wrongly.
    correlation : str
        One of `KINDS`, likewise.

    Returns
    -------
    tuple of Correlogram
        One per column of correlation. g1 is squared; its intercept is then what the file made of it.

    Raises
    ------
    ImageError
        If there are no columns, or the unit of the lags or the kind of correlation is not said.
    """
    data = content(Path(path), max_bytes=max_bytes, file=file)
    columns = _text(data, file)
    if columns.values.shape[1] < 2:
        refuse(file, "correlogram.columns", "has one column only.", "Export lag time and correlation.")
    factor = _lag_factor(columns, lag_unit, file)
    found: list[Correlogram] = []
    for place in range(1, columns.values.shape[1]):
        name = columns.names[place]
        if _SD_WORDS.search(name):
            continue
        after = place + 1
        has_sd = after < columns.values.shape[1] and bool(_SD_WORDS.search(columns.names[after]))
        sd = columns.values[:, after] if has_sd else None
        found.append(_one(columns, place, (factor, correlation), sd, file))
    if not found:
        refuse(file, "correlogram.columns", "has no column of correlation.", "Export lag time and g2 - 1.")
    return tuple(found)


def _text(data: bytes, file: str) -> _Columns:
    found = numeric_text(data, file=file)
    return _Columns(found.values, found.names, "\n".join(found.preamble), found.hidden)


def _lag_factor(columns: _Columns, given: str, file: str) -> float:
    if given:
        if given not in LAG_UNITS:
            refuse(
                file,
                "correlogram.lag-unit",
                f"is said to have lags in {given!r}.",
                f"Say one of {', '.join(LAG_UNITS)}.",
            )
        return LAG_UNITS[given]
    said = next((unit for unit, words in _UNIT_WORDS if words.search(columns.names[0])), "")
    if not said:
        seen = f"has lag times{f' called {columns.names[0]!r}' if columns.names[0] else ''} without a unit."
        refuse(file, "correlogram.lag-unit", seen, "Write the unit into its name, as in 'lag (us)', or say --lag-unit.")
    return LAG_UNITS[said]


def _kind(name: str, given: str, file: str) -> str:
    if given:
        if given not in KINDS:
            refuse(file, "correlogram.kind", f"is said to hold {given!r}.", f"Say one of {', '.join(KINDS)}.")
        return given
    said = next((kind for kind, words in _KIND_WORDS if words.search(name)), "")
    if not said:
        seen = (
            f"has a column {name!r} that does not say whether it is g2 - 1, g2 or g1."
            if name
            else "does not say what it holds."
        )
        refuse(
            file,
            "correlogram.kind",
            seen,
            "Write it into the column's name, as in 'g2-1', or say --correlation.",
            column=name,
        )
    return said


def _one(
    columns: _Columns, place: int, said: tuple[float, str], sd: NDArray[np.float64] | None, file: str
) -> Correlogram:
    factor, given = said
    name = columns.names[place]
    kind = _kind(name, given, file)
    lag, level = columns.values[:, 0] * factor, columns.values[:, place]
    keep = np.isfinite(lag) & np.isfinite(level) & (lag > 0)
    lag, level = lag[keep], level[keep]
    spread = sd[keep] if sd is not None else None
    order = np.argsort(lag, kind="stable")
    lag, level = lag[order], level[order]
    if lag.size < 8 or not (np.diff(lag) > 0).all():
        refuse(
            file,
            "correlogram.lag",
            f"has {lag.size} lag times above 0, or some twice.",
            "Export at least 8, each once.",
            column=name,
        )
    if kind == "g1":
        slope = 2.0 * np.abs(level)
        level = np.sign(level) * level**2
    else:
        slope = np.ones_like(level)
        level = level - 1.0 if kind == "g2" else level
    if np.abs(level).max() > 1e3:
        seen = f"reaches {np.abs(level).max():.3g}, which no correlation does."
        refuse(file, "correlogram.range", seen, "Check the columns: lag first, then correlation.", column=name)
    told = _said(columns.preamble)
    own = spread[order] * slope if spread is not None else None
    good = own is not None and bool(np.isfinite(own).all() and (own > 0).all())
    plain = columns.values.shape[1] == 2 or any(words.fullmatch(name.strip()) for _, words in _KIND_WORDS)
    return Correlogram(
        lag,
        level,
        angle_deg=told["angle_deg"],
        wavelength_nm=told["wavelength_nm"],
        temperature_k=told["temperature_k"],
        viscosity_mpa_s=told["viscosity_mpa_s"],
        refractive_index=told["refractive_index"],
        count_rate_kcps=told["count_rate_kcps"],
        duration_s=told["duration_s"],
        name=Path(file).stem if plain else name,
        file=file,
        sd=own if good else None,
        # a size distribution that is exported beside stands apart by right
        words={"kind": kind, **({"hidden cells": columns.hidden} if columns.hidden else {})},
    )


def _said(text: str) -> dict[str, float]:
    told = {name: _number(match[1]) if (match := words.search(text)) else math.nan for name, words in _SAID.items()}
    match = _TEMPERATURE.search(text)
    told["temperature_k"] = math.nan
    if match is not None:
        value = _number(match[1])
        kelvin = (match[2] or "").strip().upper() == "K" or (not match[2] and value > 200)
        told["temperature_k"] = value if kelvin else value + 273.15
    return told


def _number(text: str) -> float:
    value = float(text.replace(",", "."))
    return value if math.isfinite(value) else math.nan
