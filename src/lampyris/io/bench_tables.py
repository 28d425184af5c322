"""The bench's numbers as one CSV table, and its curves as CSV and JCAMP-DX files."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from lampyris.core.bench import BenchCurve, BenchRecord, BenchResult
from lampyris.core.estimate import Estimate
from lampyris.io.durable import write_text
from lampyris.io.tables import csv_text

COLUMNS = (
    "technique",
    "sample",
    "file",
    "quantity",
    "number",
    "value",
    "sd",
    "low",
    "high",
    "level",
    "unit",
    "method",
    "flags",
)


FIT, RESIDUAL = "fit", "residual over its sd"
"""Heads of a curve's columns beside axis and measured signal, by which they are known again."""


def write_bench_values(path: Path, result: BenchResult, /) -> None:
    """Write every number of a technique's result, a row each, the pooled ones last with the sample "(pooled)"."""
    named = [*((record, record.name) for record in result.records), (result.pooled, "(pooled)")]
    rows = [
        (
            result.technique, name, record.file, key, number, one.value, one.sd, one.low, one.high, one.level, one.unit,
            one.method, " ".join(record.flags),
        )
        for record, name in named
        for key, number, one in _estimates(record)
    ]  # fmt: skip
    write_text(path, csv_text(COLUMNS, rows))


def _estimates(record: BenchRecord) -> Iterator[tuple[str, int | None, Estimate]]:
    for key, one in record.values.items():
        yield key, None, one
    for key, several in record.lists.items():
        for number, one in enumerate(several, start=1):
            yield key, number, one


def write_bench_curves(folder: Path, result: BenchResult, /) -> list[Path]:
    """Write each curve as ``NUMBER-TITLE.csv`` and its raw points as ``NUMBER-TITLE.jdx``; the paths written."""
    written: list[Path] = []
    records = result.records if result.pooled in result.records else (*result.records, result.pooled)
    titled = [(record, curve) for record in records for curve in record.curves]
    for number, (record, curve) in enumerate(titled, start=1):
        stem = f"{number:02d}-{_stem(record.name, curve.title)}"
        table, jcamp = folder / f"{stem}.csv", folder / f"{stem}.jdx"
        write_text(table, _curve_csv(curve))
        write_text(jcamp, jcamp_text(curve, title=f"{record.name} {curve.title}".strip()))
        written += [table, jcamp]
    return written


def _stem(*names: str) -> str:
    joined = "-".join(re.sub(r"[^A-Za-z0-9]+", "-", name).strip("-").lower() for name in names)
    return joined.strip("-")[:80] or "curve"


def _curve_csv(curve: BenchCurve) -> str:
    columns: dict[str, Any] = {curve.x_label: curve.x, curve.y_label: curve.y}
    if curve.fit is not None:
        columns[FIT] = curve.fit
    columns |= dict(curve.parts)
    if curve.residual is not None:
        columns[RESIDUAL] = curve.residual
    return csv_text(columns, zip(*(values.tolist() for values in columns.values()), strict=True))


# labels that are one of the standard's own units and kinds; others are written as they are
_JCAMP_UNITS = {
    "wavelength (nm)": "NANOMETERS",
    "wavenumber (1/cm)": "1/CM",
    "time (s)": "SECONDS",
    "energy (keV)": "KEV",
}
_JCAMP_KINDS = {"wavelength (nm)": "UV/VIS SPECTRUM", "wavenumber (1/cm)": "INFRARED SPECTRUM"}


def jcamp_text(curve: BenchCurve, /, *, title: str) -> str:
    """JCAMP-DX 4.24 text of a curve's raw points as pairs, exact to the last digit.

    Parameters
    ----------
    curve : BenchCurve
    title : str
        Of the block; line ends are taken out.

    Returns
    -------
    str
        Lines end with CR LF, as the standard's own files do.

    References
    ----------
    McDonald and Wilks, Appl. Spectrosc. 42, 151 (1988), DOI 10.1366/0003702884428734.
    """
    keep = np.isfinite(curve.x) & np.isfinite(curve.y)
    x, y = curve.x[keep], curve.y[keep]
    ends = (x[0], x[-1], y.max(), y.min()) if x.size else (0.0, 0.0, 0.0, 0.0)
    head = {
        "TITLE": " ".join(title.split()) or "curve",
        "JCAMP-DX": "4.24",
        "DATA TYPE": _JCAMP_KINDS.get(curve.x_label, "XYDATA"),
        "ORIGIN": "Lampyris",
        "OWNER": "",
        "XUNITS": _jcamp_unit(curve.x_label),
        "YUNITS": _jcamp_unit(curve.y_label),
        "FIRSTX": repr(float(ends[0])),
        "LASTX": repr(float(ends[1])),
        "MAXY": repr(float(ends[2])),
        "MINY": repr(float(ends[3])),
        "XFACTOR": "1",
        "YFACTOR": "1",
        "NPOINTS": str(x.size),
    }
    pairs = [f"{a!r}, {b!r}" for a, b in zip(x.tolist(), y.tolist(), strict=True)]
    lines = [*(f"##{key}= {value}" for key, value in head.items()), "##XYPOINTS= (XY..XY)", *pairs, "##END="]
    return "\r\n".join(lines) + "\r\n"


def _jcamp_unit(label: str) -> str:
    return _JCAMP_UNITS.get(label, " ".join(label.upper().split()) or "ARBITRARY UNITS")
