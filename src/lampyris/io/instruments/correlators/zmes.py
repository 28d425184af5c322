"""Malvern ``.zmes``: a SQLite database of ZS XPLORER with correlograms, settings and the vendor's own results.

The bytes are read once and opened as a database in memory, so nothing else on the disk is touched; only reading its tables is
allowed, and a query that does not end is stopped.
"""

import math
import sqlite3
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lampyris.core.instruments import Correlogram
from lampyris.io.instruments.files import content, refuse

MAX_ROWS = 500_000
MAX_RECORDS = 5_000
_LONGEST = 64_000_000
_DEEPEST = 40
_MOST_STEPS = 400
_TABLES = ("RecordParameterData", "RecordParameterTypes", "RecordParameterTreeNodes", "StandardRecords")
# a serialised array: each number stands behind these bytes, and 0x0001, 0x0000 mark one without
_ENTRY = bytes((6, 1, 1, 1, 2, 1))
_STRIDE = len(_ENTRY) + 8
_BROKEN = "Export the measurement again from ZS XPLORER."
_RESULT = "SizeMeasurementResult.SizeAnalysisResult"
_UNFILTERED = "SizeMeasurementResult.UnfilteredSizeAnalysisResult"

Value = float | str | bytes


@dataclass(frozen=True, slots=True)
class _Cell:
    """One parameter of a record: where it hangs, in which order, and what it holds."""

    path: tuple[str, ...]
    order: int
    value: Value


@dataclass(frozen=True, slots=True)
class ZetaRecord:
    """Zeta potential as the instrument's program gives it.

    Parameters
    ----------
    name : str
        Of the sample.
    zeta_mv, sd_mv : float
        Mean, and the standard deviation that the program states; NaN where it does not.
    """

    name: str
    zeta_mv: float
    sd_mv: float


def read(path: Path, /, *, max_bytes: int, file: str) -> tuple[Correlogram, ...]:
    """Read every size record of a ``.zmes`` file.

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
        `vendor` holds ``z_average_nm``, ``pdi``, ``intercept``, ``baseline``, ``fitted_times_s``, ``peaks_nm``,
        ``peak_areas_percent``, ``sizes_nm``, ``intensities``, ``volumes``, ``numbers``, ``run_retention_percent`` and, where
        runs were rejected, ``unfiltered_z_average_nm`` and ``transient``: the correlogram of those runs.

    Raises
    ------
    ImageError
        If it is no such database, is damaged, or holds no correlogram.
    """
    records = _records(content(Path(path), max_bytes=max_bytes, file=file), file)
    found = [one for cells in records if (one := _correlogram(cells, file)) is not None]
    if not found:
        refuse(
            file, "zmes.no-size", "holds no record with a correlogram.", "Export size measurements, with their data."
        )
    return tuple(found)


def read_zeta(path: Path, /, *, max_bytes: int, file: str) -> tuple[ZetaRecord, ...]:
    """Zeta potentials of a ``.zmes`` file, by the names of their parameters; none where it holds none.

    Raises
    ------
    ImageError
        If it is no such database, or is damaged.
    """
    found = []
    for cells in _records(content(Path(path), max_bytes=max_bytes, file=file), file):
        zeta = [
            one
            for one in cells
            if one.path[-1].rpartition(".")[2] in ("ZetaPotential", "ZetaPotentialMean", "MeanZetaPotential")
        ]
        told = [one.value for one in zeta if isinstance(one.value, float)]
        if told:
            sd = _number(cells, "ZetaPotentialStandardDeviation")
            found.append(ZetaRecord(_text(cells, "Measurement.Sample.Name"), told[0], sd))
    return tuple(found)


def _records(data: bytes, file: str) -> list[list[_Cell]]:
    if not data.startswith(b"SQLite format 3\0"):
        refuse(file, "zmes.signature", "is no SQLite database.", "Give the .zmes file itself, not an export of it.")
    try:
        return _queried(data, file)
    except (sqlite3.Error, UnicodeDecodeError, OverflowError) as error:
        refuse(file, "zmes.damaged", f"is damaged: {str(error)[:120]}.", _BROKEN)


def _queried(data: bytes, file: str) -> list[list[_Cell]]:
    base = sqlite3.connect(":memory:")
    try:
        base.deserialize(data)
        steps = iter(range(_MOST_STEPS))
        base.set_progress_handler(lambda: next(steps, None) is None, 100_000)
        base.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LONGEST)
        base.execute("PRAGMA trusted_schema=OFF")
        base.execute("PRAGMA temp_store=MEMORY")
        base.set_authorizer(_allowed)
        kept = {str(name) for kind, name in base.execute("SELECT type, name FROM sqlite_master") if kind == "table"}
        missing = [name for name in _TABLES if name not in kept]
        if missing:
            refuse(
                file, "zmes.tables", f"is a database without {', '.join(missing)}.", "Give a .zmes file of ZS XPLORER."
            )
        return _cells(base, file)
    finally:
        base.close()


def _allowed(action: int, first: str | None, _second: str | None, _base: str | None, _by: str | None) -> int:
    """Reading of the known tables; no function, attachment, view's content or change."""
    if action == sqlite3.SQLITE_SELECT:
        return sqlite3.SQLITE_OK
    known = first in (*_TABLES, "sqlite_master", "sqlite_schema")
    return sqlite3.SQLITE_OK if action == sqlite3.SQLITE_READ and known else sqlite3.SQLITE_DENY


def _cells(base: sqlite3.Connection, file: str) -> list[list[_Cell]]:
    """Cells of each record, in the order in which records were made."""
    order = [row[0] for row in base.execute("SELECT Id FROM StandardRecords ORDER BY Id LIMIT ?", (MAX_RECORDS + 1,))]
    types = {
        row[0]: str(row[1]).rpartition(":")[2]
        for row in base.execute("SELECT Id, UniformResourceName FROM RecordParameterTypes LIMIT ?", (MAX_ROWS,))
    }
    nodes = {
        row[0]: (row[1], row[2])
        for row in base.execute(
            "SELECT Id, ParameterTypeId, ParentNodeId FROM RecordParameterTreeNodes LIMIT ?", (MAX_ROWS,)
        )
    }
    found: dict[Any, list[_Cell]] = defaultdict(list)
    query = (
        'SELECT RecordId, ParameterTreeNodeId, "Index", Data_Blob, Data_Double, Data_Single, Data_Int32, Data_Int64,'
        " Data_Text FROM RecordParameterData LIMIT ?"
    )
    for count, (record, node, place, *values) in enumerate(base.execute(query, (MAX_ROWS + 1,))):
        if count == MAX_ROWS:
            refuse(file, "zmes.too-large", f"holds more than {MAX_ROWS} parameters.", "Export fewer records at a time.")
        value = next((one for one in values if one is not None), None)
        if isinstance(value, int | float):
            value = float(value)
        if isinstance(value, float | str | bytes):
            found[record].append(_Cell(_path(node, nodes, types), place if isinstance(place, int) else 0, value))
    if len(order) > MAX_RECORDS:
        refuse(file, "zmes.too-large", f"holds more than {MAX_RECORDS} records.", "Export fewer records at a time.")
    return [sorted(found[record], key=lambda one: one.order) for record in order if record in found]


def _path(node: Any, nodes: Mapping[Any, tuple[Any, Any]], types: Mapping[Any, str]) -> tuple[str, ...]:
    """Names from the root to a node; ends where parents go round in a ring."""
    names: list[str] = []
    while node in nodes and len(names) < _DEEPEST:
        kind, node = nodes[node]
        names.append(types.get(kind, ""))
    return tuple(reversed(names)) or ("",)


def _correlogram(cells: list[_Cell], file: str) -> Correlogram | None:
    lags = _array(cells, "SizeData.CorrelationLagTimes", file)
    levels = _array(cells, "SizeRunSummaryInformation.AverageNormalisedCorrelationFunction", file)
    if lags is None or levels is None:
        return None
    lag, correlation = _curve(lags, levels, file)
    runs, run = (
        _number(cells, "ActualInstrumentSettings.NumberOfRuns"),
        _number(cells, "ActualInstrumentSettings.RunDuration"),
    )
    kept = _number(cells, "SizeRunSummaryInformation.RunRetention")
    angle = _number(cells, "ActualInstrumentSettings.ScatteringCollectionAngle")
    return Correlogram(
        lag,
        correlation,
        angle_deg=angle if math.isfinite(angle) else _number(cells, "ActualInstrumentSettings.DetectorAngle"),
        wavelength_nm=_number(cells, "ActualInstrumentSettings.Wavelength"),
        temperature_k=_number(cells, "ActualInstrumentSettings.Temperature") + 273.15,
        viscosity_mpa_s=_number(cells, "ActualInstrumentSettings.DispersantViscosity"),
        refractive_index=_number(cells, "ActualInstrumentSettings.DispersantRI"),
        count_rate_kcps=_number(cells, "SizeRunSummaryInformation.MeanCountRateInKcps"),
        # stored in milliseconds, whatever its label says: 20 runs of 1680 take the 48 s between its two clock times
        duration_s=runs * run / 1000.0 * (kept / 100.0 if 0 < kept <= 100 else 1.0),
        name=_text(cells, "Measurement.Sample.Name"),
        file=file,
        vendor=_vendor(cells, lag, lags, file),
        words=_words(cells),
    )


def _curve(
    lags: NDArray[np.float64], levels: NDArray[np.float64], file: str
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Lags in seconds and g2 - 1, without the zeros behind the last lag that the run could hold."""
    if lags.size != levels.size:
        refuse(file, "zmes.arrays", f"has {lags.size} lag times and {levels.size} coefficients.", _BROKEN)
    filled = np.flatnonzero(levels)
    end = int(filled[-1]) + 1 if filled.size else 0
    lag, correlation = lags[:end] * 1e-6, levels[:end]
    if end < 8 or not (
        np.isfinite(lag).all() and np.isfinite(correlation).all() and (lag > 0).all() and (np.diff(lag) > 0).all()
    ):
        refuse(file, "zmes.arrays", "has lag times that do not rise, or coefficients that are no numbers.", _BROKEN)
    return lag, correlation


def _vendor(cells: list[_Cell], lag: NDArray[np.float64], lags: NDArray[np.float64], file: str) -> dict[str, Any]:
    told: dict[str, Any] = {
        name: _number(cells, f"CumulantsResult.{key}", _RESULT)
        for name, key in (
            ("z_average_nm", "ZAverageMean"), ("pdi", "Polydispersity"), ("intercept", "Intercept"), ("baseline", "MeasuredBaseline"),
        )
    }  # fmt: skip
    times = _array(cells, "CumulantsResult.FittedTimes", file, _RESULT)
    if times is not None:
        told["fitted_times_s"] = times * 1e-6
    told["peaks_nm"] = _numbers(cells, "SizePeak.Mean", "SizeAnalysisResult.IntensityPeaks")
    told["peak_areas_percent"] = _numbers(cells, "SizePeak.Area", "SizeAnalysisResult.IntensityPeaks")
    for name, key in (
        ("sizes_nm", "Sizes"),
        ("intensities", "Intensities"),
        ("volumes", "Volumes"),
        ("numbers", "Numbers"),
    ):
        values = _array(cells, f"SizeAnalysisResult.{key}", file, _RESULT)
        if values is not None:
            told[name] = values
    told["run_retention_percent"] = _number(cells, "SizeRunSummaryInformation.RunRetention")
    told["unfiltered_z_average_nm"] = _number(cells, "CumulantsResult.ZAverageMean", _UNFILTERED)
    transient = _array(cells, "SizeRunSummaryInformation.AveragedTransientAcfData", file)
    if transient is not None and transient.size == lags.size:
        told["transient"] = transient[: lag.size]
    return told


def _words(cells: list[_Cell]) -> dict[str, str]:
    told = {
        "dispersant": _text(cells, "DispersantSettings.Name"),
        "material": _text(cells, "MaterialSettings.Name"),
        "vendor's advice": _text(cells, "DataQualityResult.Issue"),
        "software": _text(cells, "Result.SoftwareVersion"),
    }
    return {key: value for key, value in told.items() if value}


def _under(cells: list[_Cell], name: str, within: str) -> list[_Cell]:
    return [one for one in cells if one.path[-1] == name and (not within or any(part == within for part in one.path))]


def _number(cells: list[_Cell], name: str, within: str = "") -> float:
    whole = (
        [one for one in cells if one.path[-1] == name or one.path[-1].endswith(f".{name}")] if "." not in name else []
    )
    told = [one.value for one in (*_under(cells, name, within), *whole) if isinstance(one.value, float)]
    return told[0] if told and math.isfinite(told[0]) else math.nan


def _numbers(cells: list[_Cell], name: str, within: str) -> tuple[float, ...]:
    """Of a list that hangs under the filtered result."""
    told = [one for one in _under(cells, name, within) if _RESULT in one.path]
    return tuple(one.value for one in told if isinstance(one.value, float))


def _text(cells: list[_Cell], name: str) -> str:
    told = [one.value for one in _under(cells, name, "") if isinstance(one.value, str)]
    return told[0][:300] if told else ""


def _array(cells: list[_Cell], name: str, file: str, within: str = "") -> NDArray[np.float64] | None:
    for one in _under(cells, name, within):
        if isinstance(one.value, bytes):
            return _decoded(one.value, name, file)
    return None


def _decoded(blob: bytes, name: str, file: str) -> NDArray[np.float64] | None:
    """Numbers of a serialised array, each behind its mark; None of an empty one."""
    start = blob.find(_ENTRY)
    if start < 0:
        return None
    body = np.frombuffer(blob, np.uint8, offset=start)
    count = body.size // _STRIDE
    rows = body[: count * _STRIDE].reshape(count, _STRIDE)
    marked = (rows[:, : len(_ENTRY)] == np.frombuffer(_ENTRY, np.uint8)).all(axis=1)
    if not marked.all() or body.size - count * _STRIDE > 8:
        refuse(file, "zmes.arrays", f"holds an array {name} that breaks off or is damaged.", _BROKEN)
    return rows[:, len(_ENTRY) :].copy().view("<f8").ravel().astype(np.float64)
