"""``study.toml`` read with every fault placed and mended, and written so that it reads back the same."""

import datetime
import json
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from lampyris.core.errors import InputError
from lampyris.core.finding import Finding, Place, Severity
from lampyris.core.settings import StudySettings
from lampyris.io.durable import write_text
from lampyris.io.mends import did_you_mean, unit_hint
from lampyris.io.toml import comment_text, toml_key, toml_value

MAX_BYTES = 1_000_000
"""A settings file above this is no settings file."""

_Loc = tuple[str | int, ...]
_Settings = TypeVar("_Settings", bound=BaseModel)
_AT_LINE = re.compile(r"\s*\(at (?:line (\d+), column \d+|end of document)\)")
UNFILLED = "?"
"""What a draft writes for a value that a person must fill in."""
_STUDY_MISSING = "A study needs {name} in its folder; `lampyris simulate` writes an example."
# a statement is looked for over at most this many lines
_STATEMENT_LINES = 400


def read_settings(path: Path, /) -> StudySettings:
    """Read and validate a study's settings.

    Parameters
    ----------
    path : Path
        ``study.toml``: UTF-8, with or without byte order mark.

    Returns
    -------
    StudySettings
        Complete with defaults.

    Raises
    ------
    InputError
        With one finding per fault: file, line, dotted key, what came and the mend.
    """
    return read_model(path, StudySettings, missing=_STUDY_MISSING)


def read_model(path: Path, kind: type[_Settings], /, *, missing: str = "") -> _Settings:
    """Read and validate a TOML file of any of the package's settings.

    Parameters
    ----------
    path : Path
        UTF-8, with or without byte order mark.
    kind : type
        Model of the whole file.
    missing : str
        What to do where the file cannot be read; may hold ``{name}``, the file's.

    Returns
    -------
    BaseModel
        Of that kind, complete with defaults.

    Raises
    ------
    InputError
        With one finding per fault: file, line, dotted key, what came and the mend.
    """
    path = Path(path)
    text = _text_of(path, missing)
    try:
        data = tomllib.loads(text)
        # by way of JSON: pydantic's strict mode then takes lists for tuples, but text for numbers never
        return kind.model_validate_json(json.dumps(data, default=_no_setting), strict=True)
    except ValidationError as error:
        lines = _lines_of_keys(text)
        faults = [_finding(path, data, lines, fault, kind) for fault in _own_faults(error.errors(include_url=False))]
    except (ValueError, RecursionError) as error:
        raise _refused(path, [_syntax_finding(path, text, error)]) from None
    faults.sort(key=lambda finding: (finding.place.row or 0, finding.place.column))
    raise _refused(path, faults)


def write_settings(path: Path, settings: StudySettings, /, *, header_comment: str = "") -> None:
    """Write settings as readable TOML, durably; `read_settings` returns them unchanged.

    Parameters
    ----------
    path : Path
        Final name.
    settings : StudySettings
        What to write; defaults are written out.
    header_comment : str
        Put before the settings, each line after ``#``.

    Raises
    ------
    LampyrisError
        If the file cannot be written.
    """
    write_text(path, settings_toml(settings, header_comment=header_comment))


def settings_toml(settings: StudySettings, /, *, header_comment: str = "") -> str:
    """Return the text that `write_settings` writes.

    Parameters
    ----------
    settings : StudySettings
        What to write.
    header_comment : str
        Put before the settings.

    Returns
    -------
    str
        TOML with the meaning of each key beside it.

    Examples
    --------
    >>> from lampyris.core.settings import Group
    >>> [line.split("  #")[0] for line in _table(Group(title="Targeted", probe="dot"), ("groups", "a b"))][:-1]
    ['', '[groups."a b"]', 'title = "Targeted"', 'role = "labelled"', 'probe = "dot"', 'label = "prelabelled"']
    """
    lines = [f"# {comment_text(line)}".rstrip() for line in header_comment.splitlines()]
    for name in type(settings).model_fields:
        value = getattr(settings, name)
        if isinstance(value, BaseModel):
            if value.model_dump(exclude_none=True):
                lines += _table(value, (name,))
        else:
            for key, entry in value.items():
                lines += _table(entry, (name, key))
    return "\n".join(lines).lstrip("\n") + "\n"


def _table(model: BaseModel, path: tuple[str, ...], *, array: bool = False) -> list[str]:
    """Lines of one table: its header, its plain keys, then its arrays of tables."""
    dotted = ".".join(toml_key(part) for part in path)
    lines = ["", f"[[{dotted}]]" if array else f"[{dotted}]"]
    below: list[str] = []
    for name, field in type(model).model_fields.items():
        value = getattr(model, name)
        if value is None:
            continue
        if isinstance(value, BaseModel):
            below += _table(value, (*path, name))
            continue
        if isinstance(value, tuple) and value and isinstance(value[0], BaseModel):
            for entry in value:
                below += _table(entry, (*path, name), array=True)
            continue
        meaning = f"  # {comment_text(field.description)}" if field.description else ""
        lines.append(f"{toml_key(name)} = {toml_value(value)}{meaning}")
    return lines + below


def _no_setting(value: object) -> dict[str, str]:
    """A TOML date or time, which no setting takes: the type error then names its key."""
    return {"date": str(value)}


def _text_of(path: Path, missing: str) -> str:
    """Content of a small UTF-8 file, or an error with its finding."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise _refused(path, [_fault(path, "settings.size", f"is larger than {MAX_BYTES} bytes.", "Is it TOML?")])
        data = path.read_bytes()
    except OSError as error:
        mend = missing.format(name=path.name)
        raise _refused(path, [_fault(path, "settings.missing", f"cannot be read: {error.strerror}.", mend)]) from None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        row = data.count(b"\n", 0, error.start) + 1
        seen = f"is not UTF-8: byte 0x{data[error.start]:02x}."
        raise _refused(path, [_fault(path, "settings.encoding", seen, "Save the file as UTF-8.", row)]) from None


def _refused(path: Path, findings: list[Finding]) -> InputError:
    return InputError(f"{path.name} has {len(findings)} fault{'s' * (len(findings) != 1)}.", findings)


def _fault(path: Path, rule: str, seen: str, mend: str, row: int | None = None, column: str = "") -> Finding:
    return Finding(rule, Severity.ERROR, Place(path.name, row, column), seen, mend)


def _syntax_finding(path: Path, text: str, error: Exception) -> Finding:
    """Place and mend of a fault in the TOML itself."""
    if isinstance(error, RecursionError):
        return _fault(path, "settings.syntax", "is nested too deeply.", "Settings need no more than two levels.")
    message = str(error)
    found = _AT_LINE.search(message)
    last = text.count("\n") + (not text.endswith("\n"))
    row = (int(found[1]) if found[1] else last) if found else None
    line = text.split("\n")[row - 1] if row else ""
    mend = "Text needs quotes, a key needs ' = ', a key or table stands once."
    if re.search(r"=\s*[+-]?\d+,\d+\s*(#.*)?$", line):
        mend = "Write the decimal point as '.', not ','."
    return _fault(path, "settings.syntax", f"is no valid TOML: {_AT_LINE.sub('', message)}.", mend, row)


def _own_faults(faults: list[ErrorDetails]) -> list[ErrorDetails]:
    """Faults less those that only follow from others: a list counts as too short when its entries are faulty."""
    places = [fault["loc"] for fault in faults]
    return [
        fault
        for fault in faults
        if fault["type"] != "too_short"
        or not any(place[: len(fault["loc"])] == fault["loc"] != place for place in places)
    ]


def _finding(
    path: Path, data: dict[str, Any], lines: Mapping[_Loc, int], fault: ErrorDetails, settings: type[BaseModel]
) -> Finding:
    """One fault of the schema, in the file's terms."""
    loc = tuple(part for part in fault["loc"] if part != "[key]")
    kind = fault["type"]
    name = str(loc[-1]) if loc else ""
    model = _model_at(settings, loc[:-1])
    row = next((lines[loc[:n]] for n in range(len(loc), 0, -1) if loc[:n] in lines), None)
    if kind == "missing":
        parent = _dotted(tuple(part for part in loc[:-1] if isinstance(part, str)))
        header = f"[[{parent}]]" if loc[:-1] and isinstance(loc[-2], int) else f"[{parent}]"
        seen = f"{name} is missing."
        mend = f"Add {name}{_meaning(model, name)} under {header}." if parent else _top_mend(model, name)
    elif kind == "extra_forbidden":
        known = sorted(model.model_fields) if model else []
        near = did_you_mean(name, known)
        seen = f"{name} is no known key."
        mend = f"Did you mean {near}?" if near else f"Remove it; known here: {', '.join(known)}."
    else:
        # what a model says of several keys together quotes them itself
        seen = f"{_requirement(fault)}." if kind == "value_error" else f"{_requirement(fault)}, got {_came(data, loc)}."
        key = next((str(part) for part in reversed(loc) if isinstance(part, str)), "the file")
        mend = _value_mend(data, loc, fault, settings) or f"Correct {key}{_meaning(model, name)}."
    return _fault(path, f"settings.{kind.replace('_', '-')}", seen, mend, row, _dotted(loc))


def _requirement(fault: ErrorDetails) -> str:
    """What the schema asks for, as a clause."""
    bounds = fault.get("ctx", {})
    kind = fault["type"]
    clauses = {
        "greater_than": "must be above {gt}",
        "greater_than_equal": "must be at least {ge}",
        "less_than": "must be below {lt}",
        "less_than_equal": "must be at most {le}",
        "literal_error": "must be one of {expected}",
        "string_too_short": "must not be empty",
        "string_too_long": "must have at most {max_length} characters",
        "string_pattern_mismatch": "must hold no control characters",
        "too_short": "must have at least {min_length} entry",
        "finite_number": "must be a finite number",
        "float_type": "must be a number",
        "int_type": "must be a whole number",
        "bool_type": "must be true or false",
        "string_type": "must be text in quotes",
        "tuple_type": "must be a list in [ ]",
        "dict_type": "must be a table",
        "model_type": "must be a table",
    }
    words = str(bounds["error"]) if kind == "value_error" and "error" in bounds else fault["msg"]
    return clauses[kind].format(**bounds) if kind in clauses else words[:1].lower() + words[1:]


def _top_mend(model: type[BaseModel] | None, name: str) -> str:
    """What to add where a key or table of the whole file is missing."""
    kind = model.model_fields[name].annotation if model else None
    if kind in (str, int, float, bool):
        return f"Add {name}{_meaning(model, name)} above the first table."
    if get_origin(kind) is tuple:
        return f"Add a table [[{name}]]{_meaning(model, name)}."
    return f"Add the table [{name}]."


def _value_mend(data: dict[str, Any], loc: _Loc, fault: ErrorDetails, settings: type[BaseModel]) -> str:
    """What to write instead of a value that the schema refuses; "" where it is not known."""
    bounds = fault.get("ctx", {})
    value, name = _at(data, loc), str(loc[-1]) if loc else ""
    if fault["type"] == "literal_error" and isinstance(value, str):
        near = did_you_mean(value, re.findall(r"'([^']*)'", str(bounds["expected"])))
        return f"Did you mean {near!r}?" if near else "Choose one of them."
    if isinstance(value, int | float) and not isinstance(value, bool):
        low, high = bounds.get("ge", bounds.get("gt")), bounds.get("le", bounds.get("lt"))
        return unit_hint(name, value, low=low, high=high) if low is not None or high is not None else ""
    if value == UNFILLED:
        return f"Fill in {name}{_meaning(_model_at(settings, loc[:-1]), name)}: it stands in no file."
    if fault["type"] in ("float_type", "int_type") and isinstance(value, str):
        return "Write the number without quotes and without its unit."
    return ""


def _model_at(settings: type[BaseModel], loc: _Loc) -> type[BaseModel] | None:
    """The schema of the table at a place; None where the place is no table."""
    model: Any = settings
    for part in loc:
        if isinstance(model, type) and issubclass(model, BaseModel):
            field = model.model_fields.get(str(part))
            model = _without_none(field.annotation) if field else None
        else:
            # an entry of dict[str, Model] or of tuple[Model, ...]
            model = next((entry for entry in get_args(model) if isinstance(entry, type) and entry is not str), None)
    return model if isinstance(model, type) and issubclass(model, BaseModel) else None


def _without_none(annotation: Any) -> Any:
    """The type of a key that may be left out."""
    kinds = [kind for kind in get_args(annotation) if kind is not type(None)]
    return kinds[0] if type(None) in get_args(annotation) and len(kinds) == 1 else annotation


def _meaning(model: type[BaseModel] | None, name: str) -> str:
    """Description of a key in brackets, or ""."""
    field = model.model_fields.get(name) if model else None
    return f" ({field.description})" if field and field.description else ""


def _at(data: Any, loc: _Loc) -> Any:
    """Value at a place of the file's data; None where there is none."""
    for part in loc:
        try:
            data = data[part]
        except (KeyError, IndexError, TypeError):
            return None
    return data


def _came(data: dict[str, Any], loc: _Loc) -> str:
    """What stands at a place, short."""
    value = _at(data, loc)
    if isinstance(value, dict | list):
        return f"a {'table' if isinstance(value, dict) else 'list'} with {len(value)} entries"
    text = {True: "true", False: "false"}[value] if isinstance(value, bool) else repr(value)
    if isinstance(value, datetime.date | datetime.time):
        text = f"the date or time {value}"
    return text if len(text) <= 80 else text[:77] + "..."


def _dotted(loc: _Loc) -> str:
    """Key as the file writes it; entries of a list are counted from 0."""
    text = ""
    for part in loc:
        text += f"[{part}]" if isinstance(part, int) else f"{'.' if text else ''}{toml_key(part)}"
    return text


def _lines_of_keys(text: str) -> dict[_Loc, int]:
    """Line of every key and table, found by reading the file statement by statement.

    A statement ends with the first line at which it parses by itself; its keys are then those of the parsed value.
    """
    lines = text.split("\n")
    places: dict[_Loc, int] = {}
    counts: dict[_Loc, int] = {}
    table: _Loc = ()
    start = 0
    while start < len(lines):
        stripped = lines[start].strip()
        statement, end = None, start + 1
        if stripped and not stripped.startswith("#"):
            statement, end = _statement(lines, start)
        if statement:
            if stripped.startswith("["):
                table = _header(statement, counts)
                places.setdefault(table, start + 1)
            else:
                _note(statement, table, start + 1, places)
        start = end
    return places


def _statement(lines: list[str], start: int) -> tuple[dict[str, Any] | None, int]:
    """Parsed statement that begins on a line, and the line after it."""
    for end in range(start + 1, min(start + _STATEMENT_LINES, len(lines)) + 1):
        try:
            return tomllib.loads("\n".join(lines[start:end])), end
        except tomllib.TOMLDecodeError:
            continue
    return None, start + 1


def _header(statement: dict[str, Any], counts: dict[_Loc, int]) -> _Loc:
    """Place that a parsed ``[table]`` or ``[[table]]`` header opens; `counts` numbers the entries of arrays."""
    loc: _Loc = ()
    inner: Any = statement
    while inner:
        if isinstance(inner, list):
            counts[loc] = counts.get(loc, -1) + 1
            loc, inner = (*loc, counts[loc]), inner[0]
        else:
            key, inner = next(iter(inner.items()))
            loc = (*loc, key)
            if loc in counts and isinstance(inner, dict):
                loc = (*loc, counts[loc])
    return loc


def _note(value: Any, loc: _Loc, row: int, places: dict[_Loc, int]) -> None:
    """Record the line of every key in a parsed value."""
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, entry in entries:
        places.setdefault((*loc, key), row)
        _note(entry, (*loc, key), row, places)
