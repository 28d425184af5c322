"""What ``bench`` prints and writes: a table or a JSON document, the figure, and the numbers and curves as files."""

import argparse
import sys
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from lampyris.cli.entries import flat_entry
from lampyris.cli.figures import save_scene
from lampyris.cli.output import exit_code, finding_entry, print_findings, print_json, print_table, print_written
from lampyris.core.bench import BenchRecord, BenchResult
from lampyris.core.estimate import Estimate

if TYPE_CHECKING:
    from pathlib import Path


def finish(result: BenchResult, options: argparse.Namespace, /) -> int:
    """Print a technique's result and write what was asked for.

    Parameters
    ----------
    result : BenchResult
    options : argparse.Namespace
        With ``json``, ``plot``, ``csv`` and ``curves``.

    Returns
    -------
    int
        Exit code: 4 where a file failed and others did not.
    """
    written = [*_draw(result, options), *_write(result, options)]
    if options.json:
        print_json({**document(result), "written": written})
    else:
        _print(result)
        print_written(written)
    return exit_code(result.findings)


def document(result: BenchResult, /) -> dict[str, Any]:
    """JSON document of a technique's result: the pooled values flat, then each record, flags and findings."""
    return {
        "technique": result.technique,
        **_entry(result.pooled),
        "records": [{"name": one.name, "file": one.file, **_entry(one)} for one in result.records],
        "replicate": result.replicate,
        "notes": list(result.notes),
        "findings": [finding_entry(one) for one in result.findings],
    }


def _entry(record: BenchRecord) -> dict[str, Any]:
    entry: dict[str, Any] = {}
    for key, estimate in record.values.items():
        entry.update(_parts(key, estimate))
    for key, estimates in record.lists.items():
        entry[key] = [one.value for one in estimates]
        for part in ("sd", "low", "high"):
            entry[f"{key}_{part}"] = [getattr(one, part) for one in estimates]
    entry.update(record.words)
    for key, rows in record.tables.items():
        entry[key] = [_row(row) for row in rows]
    entry["flags"] = list(record.flags)
    return entry


def _parts(key: str, estimate: Estimate) -> dict[str, Any]:
    return {**flat_entry(key, estimate), f"{key}_unit": estimate.unit, f"{key}_method": estimate.method}


def _row(row: Mapping[str, Any]) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in row.items():
        flat.update(_parts(key, value) if isinstance(value, Estimate) else {key: value})
    return flat


def _print(result: BenchResult) -> None:
    rows: list[tuple[Any, ...]] = [("quantity", "value", "sd", "low", "high", "unit")]
    several = len(result.records) > 1
    for record in (*result.records, *((result.pooled,) if several else ())):
        if several:
            rows.append(
                (f"-- {record.name or record.file}" if record is not result.pooled else "-- together", *[""] * 5)
            )
        rows += _rows(record)
    if not result.records:
        rows += _rows(result.pooled)
    print_table(rows)
    print(f"replicated: {result.replicate}")
    for note in result.notes:
        print(note)
    print_findings(result.findings, stream=sys.stderr)


def _rows(record: BenchRecord) -> Iterator[tuple[Any, ...]]:
    for key, one in record.values.items():
        yield (key, one.value, one.sd, one.low, one.high, one.unit)
    for key, several in record.lists.items():
        for number, one in enumerate(several, start=1):
            yield (f"{key} {number}", one.value, one.sd, one.low, one.high, one.unit)
    for key, word in record.words.items():
        yield (key, word, "", "", "", "")
    for key, rows in record.tables.items():
        for number, row in enumerate(rows, start=1):
            shown = ", ".join(f"{name} {_shown(value)}" for name, value in row.items() if value != "")
            yield (f"{key} {number}", shown, "", "", "", "")
    if record.flags:
        yield ("flags", ", ".join(record.flags), "", "", "", "")


def _shown(value: Any) -> str:
    if isinstance(value, Estimate):
        return f"{value.value:.4g} ({value.low:.4g} to {value.high:.4g}) {value.unit}"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _draw(result: BenchResult, options: argparse.Namespace) -> "list[Path]":
    if options.plot is None:
        return []
    from lampyris.report.plots.bench import bench_plot

    return [save_scene(bench_plot(result), options.plot)]


def _write(result: BenchResult, options: argparse.Namespace) -> "list[Path]":
    if options.csv is None and options.curves is None:
        return []
    from lampyris.io.bench_tables import write_bench_curves, write_bench_values

    written: list[Path] = []
    if options.csv is not None:
        write_bench_values(options.csv, result)
        written.append(options.csv)
    if options.curves is not None:
        written += write_bench_curves(options.curves, result)
    return written
