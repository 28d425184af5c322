"""Frozen dataclasses to JSON and back, exactly.

JSON knows neither NaN nor infinity: they are written as the strings ``"NaN"``, ``"Infinity"`` and ``"-Infinity"``, and only
where a float is expected are they read back as numbers. Finite floats keep every bit (shortest text that reads back the same).
"""

import math
import types
import typing
from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import cache
from typing import Any

import numpy as np

_NAMES = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


def encode_rows(rows: Iterable[Any], /) -> list[dict[str, Any]]:
    """Rows of a sheet as JSON holds them, without the lines that they stand on: moving a row changes nothing of it."""
    return [{key: value for key, value in encode(row).items() if key != "row"} for row in rows]


def encode(value: Any, /) -> Any:
    """Turn a noun into what JSON can hold.

    Parameters
    ----------
    value : object
        Frozen dataclass, enumeration, mapping with string keys, sequence, number, string or None.

    Returns
    -------
    object
        Of dict, list, str, int, float (finite), bool and None.

    Raises
    ------
    TypeError
        For anything else, arrays included: those are stored as images.

    Examples
    --------
    >>> from lampyris.core.finding import Place
    >>> encode(Place("samplesheet.csv", 3, "image"))
    {'file': 'samplesheet.csv', 'row': 3, 'column': 'image'}
    >>> encode((1.5, float("nan"), float("-inf")))
    [1.5, 'NaN', '-Infinity']
    """
    if value is None or isinstance(value, bool | np.bool_):
        return None if value is None else bool(value)
    if isinstance(value, Enum):
        return encode(value.value)
    if isinstance(value, str):
        return str(value)
    if isinstance(value, int | np.integer):
        return int(value)
    if isinstance(value, float | np.floating):
        return _float_out(float(value))
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: encode(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): encode(entry) for key, entry in value.items()}
    if isinstance(value, tuple | list):
        return [encode(entry) for entry in value]
    raise TypeError(f"cannot be written as JSON: {type(value).__name__}")


def decode(kind: Any, data: Any, /) -> Any:
    """Rebuild a noun from what `encode` gave.

    Parameters
    ----------
    kind : type
        Annotation: a dataclass, ``tuple[X, ...]``, ``tuple[X, Y]``, ``dict[str, X]``, an enumeration, a scalar,
        ``X | None`` or ``Any``.
    data : object
        As read from JSON.

    Returns
    -------
    object
        Of that type.

    Raises
    ------
    ValueError
        If the data do not have the type's form.

    Examples
    --------
    >>> decode(tuple[float, ...], [1, "NaN"])
    (1.0, nan)
    """
    # scalars first: they are nearly all, and asking what kind of type they are costs more than reading them
    if kind is float:
        return _float_in(data)
    if kind is str or kind is int:
        return _expected(kind, data)
    origin, arguments = _form(kind)
    if kind is Any:
        return data
    if origin in (types.UnionType, typing.Union):
        if data is None and type(None) in arguments:
            return None
        return decode(next(argument for argument in arguments if argument is not type(None)), data)
    if origin is tuple:
        return _tuple_in(arguments, data)
    if origin is dict:
        return {key: decode(arguments[1], entry) for key, entry in _expected(dict, data).items()}
    if is_dataclass(kind):
        return _dataclass_in(kind, data)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind(data)
    return _expected(kind, data)


def _float_out(value: float) -> float | str:
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else ("Infinity" if value > 0 else "-Infinity")


def _float_in(data: Any) -> float:
    if isinstance(data, str) and data in _NAMES:
        return _NAMES[data]
    if isinstance(data, bool) or not isinstance(data, int | float):
        raise ValueError(f"expected a number, got {data!r}")
    return float(data)


def _tuple_in(arguments: tuple[Any, ...], data: Any) -> tuple[Any, ...]:
    entries = _expected(list, data)
    if len(arguments) == 2 and arguments[1] is Ellipsis:
        # nearly all that is stored are the places of outlines
        if arguments[0] is float and set(map(type, entries)) == {float}:
            return tuple(entries)
        return tuple(decode(arguments[0], entry) for entry in entries)
    if len(entries) != len(arguments):
        raise ValueError(f"expected {len(arguments)} entries, got {len(entries)}")
    if set(arguments) == set(map(type, entries)) == {float}:
        return tuple(entries)
    return tuple(decode(argument, entry) for argument, entry in zip(arguments, entries, strict=True))


def _dataclass_in(kind: Any, data: Any) -> Any:
    hints = _hints(kind)
    entries = _expected(dict, data)
    unknown = sorted(set(entries) - set(hints))
    if unknown:
        raise ValueError(f"{kind.__name__} has no {', '.join(unknown)}")
    try:
        return kind(**{name: decode(hints[name], entry) for name, entry in entries.items()})
    except TypeError as error:
        raise ValueError(f"{kind.__name__} cannot be rebuilt: {error}") from error


def _expected(kind: Any, data: Any) -> Any:
    if not isinstance(data, kind) or (kind is int and isinstance(data, bool)):
        raise ValueError(f"expected {kind.__name__}, got {data!r}")
    return data


@cache
def _form(kind: Any) -> tuple[Any, tuple[Any, ...]]:
    return typing.get_origin(kind), typing.get_args(kind)


@cache
def _hints(kind: Any) -> dict[str, Any]:
    return typing.get_type_hints(kind)
