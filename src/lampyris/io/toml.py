"""Readable TOML of plain values: exact numbers, a remark beside a key, the same text from the same values."""

import re
from collections.abc import Mapping
from typing import Any

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_SHORT_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r"}


def toml_text(document: Mapping[str, Any], /, *, remarks: Mapping[str, str] | None = None, header: str = "") -> str:
    """Return a document of tables as TOML.

    Parameters
    ----------
    document : mapping
        Tables by name; a table holds plain values, tables, and lists of tables.
    remarks : mapping of str to str, optional
        By dotted key, entries of lists counted from 0 as in ``instrument.bands[0].centre_nm``: written beside it after ``#``.
    header : str
        Put before everything, each line after ``#``.

    Returns
    -------
    str
        Text that `tomllib` reads back as the document.

    Examples
    --------
    >>> print(toml_text({"study": {"name": "a", "days": [1, 2.5]}}, remarks={"study.name": "short"}), end="")
    [study]
    name = "a"  # short
    days = [1, 2.5]
    """
    lines = [f"# {comment_text(line)}".rstrip() for line in header.splitlines()]
    plain = {key: value for key, value in document.items() if not _holds_tables(value)}
    lines += [_line(key, value, remarks or {}, key) for key, value in plain.items()]
    for key, value in document.items():
        if _holds_tables(value):
            lines += _tables(value, toml_key(key), key, remarks or {})
    return "\n".join(lines).lstrip("\n") + "\n"


def _tables(value: Any, header: str, path: str, remarks: Mapping[str, str]) -> list[str]:
    """Lines of a table, or of a list of tables."""
    if isinstance(value, (list, tuple)):
        lines: list[str] = []
        for number, entry in enumerate(value):
            lines += _body(entry, f"[[{header}]]", header, f"{path}[{number}]", remarks)
        return lines
    # a table that holds nothing but tables needs no header of its own
    bare = bool(value) and all(_holds_tables(entry) for entry in value.values())
    return _body(value, "" if bare else f"[{header}]", header, path, remarks)


def _body(table: Mapping[str, Any], title: str, header: str, path: str, remarks: Mapping[str, str]) -> list[str]:
    lines = ["", title] if title else []
    if title and path in remarks:
        lines[-1] += f"  # {comment_text(remarks[path])}"
    for key, value in table.items():
        if not _holds_tables(value):
            lines.append(_line(key, value, remarks, f"{path}.{key}"))
    for key, value in table.items():
        if _holds_tables(value):
            lines += _tables(value, f"{header}.{toml_key(key)}", f"{path}.{key}", remarks)
    return lines


def _holds_tables(value: Any) -> bool:
    if isinstance(value, Mapping):
        return True
    return isinstance(value, (list, tuple)) and bool(value) and isinstance(value[0], Mapping)


def _line(key: str, value: Any, remarks: Mapping[str, str], path: str) -> str:
    remark = f"  # {comment_text(remarks[path])}" if remarks.get(path) else ""
    return f"{toml_key(key)} = {toml_value(value)}{remark}"


def toml_value(value: object, /) -> str:
    """TOML of a plain value; ``repr`` of a float is exact and, but for nan and inf, TOML already."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, (tuple, list)):
        return "[" + ", ".join(toml_value(entry) for entry in value) + "]"
    return repr(value)


def quoted(text: str, /) -> str:
    """TOML string of a text."""
    letters = (_SHORT_ESCAPES.get(c) or (f"\\u{ord(c):04x}" if ord(c) < 32 or ord(c) == 127 else c) for c in text)
    return '"' + "".join(letters) + '"'


def toml_key(name: str, /) -> str:
    """A key, quoted where it must be."""
    return name if _BARE_KEY.fullmatch(name) else quoted(name)


def comment_text(text: str, /) -> str:
    """Text without the control characters that a TOML comment may not hold."""
    return "".join(letter if letter.isprintable() else " " for letter in text)
