"""A technique's result to JSON and back, exactly but for points that no figure shows."""

import base64
import math
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lampyris.core.bench import BenchCurve, BenchPicture, BenchRecord, BenchResult
from lampyris.core.bench_study import BenchGroup
from lampyris.core.estimate import Estimate
from lampyris.core.finding import Finding
from lampyris.study.dot.numbers import bench_numbers

MOST_POINTS = 1500
"""Points of a curve that are kept: as many as a figure shows."""

Line = tuple[float, ...]


@dataclass(frozen=True, slots=True)
class StoredCurve:
    """A `BenchCurve`, every k-th of very many points."""

    title: str
    x_label: str
    y_label: str
    x: Line
    y: Line
    fit: Line | None
    parts: tuple[tuple[str, Line], ...]
    residual: Line | None
    marks: tuple[tuple[float, str], ...]
    x_log: bool
    y_log: bool
    steps: bool


@dataclass(frozen=True, slots=True)
class StoredPicture:
    """A `BenchPicture`; pixels deflated, in base 64."""

    size: tuple[int, int]
    pixels: str
    outlines: tuple[tuple[tuple[float, float], ...], ...]
    kinds: tuple[str, ...]
    pixel_nm: float
    title: str


@dataclass(frozen=True, slots=True)
class StoredCell:
    """A cell of a record's table."""

    column: str
    value: Any
    estimate: Estimate | None


@dataclass(frozen=True, slots=True)
class StoredRecord:
    """A `BenchRecord`; pairs keep the order that a JSON object does not."""

    name: str
    file: str
    values: tuple[tuple[str, Estimate], ...]
    lists: tuple[tuple[str, tuple[Estimate, ...]], ...]
    words: tuple[tuple[str, str], ...]
    tables: tuple[tuple[str, tuple[tuple[StoredCell, ...], ...]], ...]
    flags: tuple[str, ...]
    curves: tuple[StoredCurve, ...]
    pictures: tuple[StoredPicture, ...]


@dataclass(frozen=True, slots=True)
class StoredBench:
    """What bench.json holds: a `BenchGroup`. `pooled` is None where the record numbered `pooled_is` speaks for all."""

    technique: str
    probe: str
    lot: str
    stem: str
    pooled: StoredRecord | None
    pooled_is: int
    records: tuple[StoredRecord, ...]
    replicate: str
    findings: tuple[Finding, ...]
    notes: tuple[str, ...]


def stored_bench(result: BenchResult, probe: str, lot: str, stem: str, /) -> StoredBench:
    """What is written of a result."""
    # the technique says by identity that a single record speaks for all
    which = next((k for k, one in enumerate(result.records) if one is result.pooled), -1)
    return StoredBench(
        result.technique,
        probe,
        lot,
        stem,
        None if which >= 0 else _record_out(result.pooled),
        which,
        tuple(map(_record_out, result.records)),
        result.replicate,
        result.findings,
        result.notes,
    )


def bench_group(stored: StoredBench, /) -> BenchGroup:
    """The group that was written."""
    records = tuple(map(_record_in, stored.records))
    pooled = records[stored.pooled_is] if stored.pooled is None else _record_in(stored.pooled)
    result = BenchResult(stored.technique, pooled, records, stored.replicate, stored.findings, stored.notes)
    return BenchGroup(stored.probe, stored.lot, result, bench_numbers(result, stored.probe, stored.lot), stored.stem)


def _record_out(one: BenchRecord) -> StoredRecord:
    return StoredRecord(
        one.name,
        one.file,
        tuple(one.values.items()),
        tuple((key, tuple(several)) for key, several in one.lists.items()),
        tuple(one.words.items()),
        tuple((key, tuple(map(_cells_out, rows))) for key, rows in one.tables.items()),
        tuple(one.flags),
        tuple(map(_curve_out, one.curves)),
        tuple(map(_picture_out, one.pictures)),
    )


def _record_in(one: StoredRecord) -> BenchRecord:
    return BenchRecord(
        one.name,
        one.file,
        dict(one.values),
        dict(one.lists),
        dict(one.words),
        {key: tuple(map(_cells_in, rows)) for key, rows in one.tables},
        one.flags,
        tuple(map(_curve_in, one.curves)),
        tuple(map(_picture_in, one.pictures)),
    )


def _cells_out(row: Mapping[str, Any]) -> tuple[StoredCell, ...]:
    return tuple(
        StoredCell(name, None, value) if isinstance(value, Estimate) else StoredCell(name, _plain(value), None)
        for name, value in row.items()
    )


def _plain(value: Any) -> Any:
    """Numbers of numpy as Python's own; what else there may be as JSON has it."""
    if isinstance(value, np.ndarray):
        return [_plain(entry) for entry in value.tolist()]
    if isinstance(value, np.generic):
        return value.item()
    return value


def _cells_in(row: Sequence[StoredCell]) -> dict[str, Any]:
    return {cell.column: cell.value if cell.estimate is None else cell.estimate for cell in row}


def _curve_out(one: BenchCurve) -> StoredCurve:
    step = max(1, math.ceil(one.x.size / MOST_POINTS))

    def line(values: NDArray[np.float64]) -> Line:
        return tuple(values[::step].tolist())

    return StoredCurve(
        one.title,
        one.x_label,
        one.y_label,
        line(one.x),
        line(one.y),
        None if one.fit is None else line(one.fit),
        tuple((name, line(values)) for name, values in one.parts.items()),
        None if one.residual is None else line(one.residual),
        tuple((float(place), words) for place, words in one.marks),
        one.x_log,
        one.y_log,
        one.steps,
    )


def _curve_in(one: StoredCurve) -> BenchCurve:
    return BenchCurve(
        one.title,
        one.x_label,
        one.y_label,
        np.array(one.x),
        np.array(one.y),
        None if one.fit is None else np.array(one.fit),
        {name: np.array(values) for name, values in one.parts},
        None if one.residual is None else np.array(one.residual),
        one.marks,
        one.x_log,
        one.y_log,
        one.steps,
    )


def _picture_out(one: BenchPicture) -> StoredPicture:
    rows, columns = one.pixels.shape
    packed = zlib.compress(np.ascontiguousarray(one.pixels, np.uint8).tobytes(), 9)
    outlines = tuple(tuple((float(x), float(y)) for x, y in outline) for outline in one.outlines)
    text = base64.b64encode(packed).decode("ascii")
    return StoredPicture((int(rows), int(columns)), text, outlines, tuple(one.kinds), float(one.pixel_nm), one.title)


def _picture_in(one: StoredPicture) -> BenchPicture:
    data = zlib.decompress(base64.b64decode(one.pixels))
    pixels = np.frombuffer(data, np.uint8).reshape(one.size)
    outlines = tuple(np.array(outline, np.float64).reshape(-1, 2) for outline in one.outlines)
    return BenchPicture(pixels, outlines, one.kinds, one.pixel_nm, one.title)
