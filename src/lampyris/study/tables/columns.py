"""Rows of named cells to columns with units and types: what every table of results is laid out with."""

from collections.abc import Iterable
from typing import Any

from lampyris.core.estimate import Estimate
from lampyris.io.tables import ColumnType

# name, unit, value
Cell = tuple[str, str, Any]
Table = tuple[dict[str, list[Any]], dict[str, str], dict[str, ColumnType]]

_TYPES: dict[type, ColumnType] = {str: "text", float: "number", int: "integer", bool: "flag"}


def columns(rows: Iterable[list[Cell]], template: list[Cell], /) -> Table:
    """Turn rows into columns; the template gives names, units and, where there is no row, types."""
    values: dict[str, list[Any]] = {name: [] for name, _, _ in template}
    for cells in rows:
        for name, _, value in cells:
            values[name].append(value)
    units = {name: unit for name, unit, _ in template if unit}
    return values, units, {name: _TYPES[type(value)] for name, _, value in template}


def estimate_cells(name: str, unit: str, estimate: Estimate | None, /) -> list[Cell]:
    """A value with its uncertainty: four cells, NaN where there is none."""
    parts = ("value", "sd", "low", "high")
    return [
        (name if part == "value" else f"{name}_{part}", unit, getattr(estimate, part) if estimate else float("nan"))
        for part in parts
    ]
