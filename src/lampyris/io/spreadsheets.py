"""Tables for Excel and Prism: CSV in the form that each program opens rightly without being asked anything."""

import csv
import io
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

# a spreadsheet takes text that begins so for a formula
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_BOM = "\ufeff"
# what Excel turns into a date or a power of ten when it opens a CSV: MAR1, 1-2, 3/4, 2E5
_REWRITTEN = re.compile(
    r"\d+\s*[-/.]\s*\d+(\s*[-/.]\s*\d+)?|\d+[eE]\d+|0\d+"
    r"|(jan|feb|mar|apr|may|mai|jun|jul|aug|sep|sept|oct|okt|nov|dec|dez)[a-z]*[- .]?\d+",
    re.IGNORECASE | re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a program wants its CSV.

    Parameters
    ----------
    separator, decimal : str
        Between cells, and in numbers.
    marked : bool
        Begins with the UTF-8 mark, without which Excel garbles letters beyond ASCII; else only where there are such letters.
    text : bool
        Words may stand in columns of numbers (infinity); else they are left empty.
    """

    separator: str
    decimal: str
    marked: bool
    text: bool


DIALECTS: dict[str, Dialect] = {
    "excel-en": Dialect(",", ".", True, True),
    "excel-de": Dialect(";", ",", True, True),
    "prism": Dialect(",", ".", False, False),
}


def spreadsheet_bytes(columns: Mapping[str, Sequence[Any]], dialect: Dialect, /) -> bytes:
    """A table as CSV in UTF-8.

    Parameters
    ----------
    columns : mapping of str to sequence
        Columns of equal length. None and NaN are empty cells; true and false become yes and no; infinity is the sign
        ∞ or −∞, which no program takes for a formula, or empty.
    dialect : Dialect

    Returns
    -------
    bytes
        Numbers keep every digit. Text that a spreadsheet would run gets an apostrophe before it.

    Examples
    --------
    >>> spreadsheet_bytes({"animal": ["=1+1", "m02"], "flux": [1.5e9, -0.25]}, DIALECTS["excel-de"]).decode("utf-8-sig")
    "animal;flux\\r\\n'=1+1;1500000000,0\\r\\nm02;-0,25\\r\\n"
    """
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, delimiter=dialect.separator)
    writer.writerow([_cell(name, dialect) for name in columns])
    writer.writerows([_cell(value, dialect) for value in row] for row in zip(*columns.values(), strict=True))
    text = stream.getvalue()
    return ((_BOM if dialect.marked or not text.isascii() else "") + text).encode("utf-8")


def rewritten_by_excel(words: Sequence[str], /) -> tuple[str, ...]:
    """Names that Excel takes for dates or numbers when it opens a CSV, and shows as something else.

    Examples
    --------
    >>> rewritten_by_excel(["m01", "MAR1", "1-2", "3E5", "d07", "007"])
    ('MAR1', '1-2', '3E5', '007')
    """
    return tuple(word for word in dict.fromkeys(words) if _REWRITTEN.fullmatch(word.strip()))


def _cell(value: Any, dialect: Dialect) -> str:
    if hasattr(value, "item"):
        value = value.item()
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return f"'{value}" if value.startswith(_FORMULA) else str(value)
    if isinstance(value, float) and math.isinf(value):
        return ("∞" if value > 0 else "−∞") if dialect.text else ""
    return repr(value).replace(".", dialect.decimal)
