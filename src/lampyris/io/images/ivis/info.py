"""The text files of a Living Image click: ``ClickInfo.txt``, ``AnalyzedClickInfo.txt``, ``SequenceInfo.txt``.

Sections begin with ``*** Name:<TAB>file``, lines are ``Key:<TAB>value``, comments and banners begin with ``#``, and a value
may wrap onto the next line. Nothing here opens a file, and no text makes it fail: what cannot be understood is left out,
and the reader of the folder says what it lacks.
"""

import datetime as dt
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass

MAX_TEXT_BYTES = 4_000_000
"""Longer text files are refused; that of a click takes about thirty thousand."""

MAX_KEY = 200
"""Longer keys are none, but a sentence with a colon."""

_NUMBER = re.compile(r"\s*([+-]?\d+(?:[.,]\d+)?(?:[eE][+-]?\d+)?)(?![\w.,])", re.ASCII)
_UNIT = re.compile(r"(?P<stem>.*?)\s*\((?P<unit>[^()]*)\)")
_COEFFICIENT = re.compile(
    r"coef c-ccd at fov\s*(?P<fov>\d+(?:[.,]\d+)?)\s*,\s*f\s*/?\s*(?P<stop>\d+(?:[.,]\d+)?)", re.ASCII
)
_WAVELENGTH = re.compile(r"\s*(\d{3,4}(?:[.,]\d+)?)\s*(?:nm)?\s*", re.ASCII | re.IGNORECASE)
_REGION = re.compile(r"ROI \d+:", re.ASCII | re.IGNORECASE)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DATE = re.compile(r"(?:[^\W\d]+,?\s+)?(?P<month>[A-Za-z]{3,9})\.?\s+(?P<day>\d{1,2}),?\s+(?P<year>\d{4})", re.ASCII)
_ISO_DATE = re.compile(r"(?P<year>\d{4})-(?P<month>\d\d)-(?P<day>\d\d)", re.ASCII)
_TIME = re.compile(r"(?P<hour>\d{1,2}):(?P<minute>\d\d)(?::(?P<second>\d\d))?\s*(?P<half>[AaPp]\.?[Mm]\.?)?", re.ASCII)
_CENTIMETRES = {"": 1.0, "cm": 1.0, "mm": 0.1}
_SECONDS = {"": 1.0, "s": 1.0, "sec": 1.0, "second": 1.0, "seconds": 1.0, "ms": 1e-3, "min": 60.0, "minutes": 60.0}
UNITS = {"cm": _CENTIMETRES, "s": _SECONDS, "": {"": 1.0}}
"""Units that a key may carry in parentheses, by the unit that is asked for."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One ``Key:<TAB>value``: the key in lower case without its unit, the unit, and the text."""

    key: str
    unit: str
    value: str


@dataclass(frozen=True, slots=True)
class Section:
    """What stands below one ``*** Name:<TAB>file``: the name in lower case, the file, the entries in order."""

    name: str
    file: str
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class InfoText:
    """A text file taken apart.

    Parameters
    ----------
    sections : tuple of Section
        In order; what stands before the first is a section without a name.
    comments : tuple of str
        Lines that begin with ``#``, without it.
    """

    sections: tuple[Section, ...]
    comments: tuple[str, ...] = ()

    def named(self, *starts: str) -> tuple[Section, ...]:
        """Sections whose name begins with one of `starts`."""
        return tuple(section for section in self.sections if section.name.startswith(starts))

    def entries(self) -> Iterator[Entry]:
        """All entries in order."""
        for section in self.sections:
            yield from section.entries

    def __add__(self, other: "InfoText") -> "InfoText":
        return InfoText(self.sections + other.sections, self.comments + other.comments)


def decoded(data: bytes, /) -> str:
    """Text of a file as Windows programs write it: UTF-8 with or without mark, UTF-16 with its mark, else cp1252.

    Parameters
    ----------
    data : bytes
        Content.

    Returns
    -------
    str
        Line ends are ``\\n``; bytes without meaning become U+FFFD.

    Examples
    --------
    >>> decoded("37 °C".encode("cp1252")), decoded("37 °C".encode("utf-8-sig"))
    ('37 °C', '37 °C')
    """
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        text = data.decode("utf-16", "replace")
    else:
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = data.decode("cp1252", "replace")
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")


def parsed(text: str, /) -> InfoText:
    """Take a text apart.

    Parameters
    ----------
    text : str
        From `decoded`.

    Returns
    -------
    InfoText
        Never fails.

    Examples
    --------
    >>> text = "*** luminescent image:\\tluminescent.TIF\\nSystem Configuration:\\tIVIS 200\\n Spectrum\\n"
    >>> parsed(text).named("luminescent")[0].entries[0].value
    'IVIS 200 Spectrum'
    """
    # where an editor has turned tabs into spaces, a colon and a space must do
    separator = ":\t" if ":\t" in text else ": "
    sections: list[tuple[str, str, list[tuple[str, list[str]]]]] = [("", "", [])]
    comments: list[str] = []
    for line in text.split("\n"):
        bare = line.strip()
        if bare.startswith("#"):
            comments.append(bare.strip("# \t"))
        elif bare.startswith("***"):
            name, _, file = bare.lstrip("* \t").partition(":")
            sections.append((_plain(name).lower(), file.strip(), []))
        elif bare:
            key, found, value = _split(line, separator)
            entries = sections[-1][2]
            if found:
                entries.append((key, [value]))
            elif entries:
                entries[-1][1].append(bare)
    return InfoText(
        tuple(Section(name, file, tuple(_entry(*entry) for entry in entries)) for name, file, entries in sections),
        tuple(comments),
    )


def _split(line: str, separator: str) -> tuple[str, bool, str]:
    """Key, whether the line has one, and value."""
    if _REGION.match(line):
        key, _, value = line.partition(":")
        return key, True, value.strip()
    # an indented line goes on with the value before
    if line[:1] in (" ", "\t"):
        return "", False, ""
    key, found, value = line.partition(separator)
    if not found and line.rstrip().endswith(":"):
        return line.rstrip()[:-1], len(line) <= MAX_KEY, ""
    return key, bool(found) and len(key) <= MAX_KEY, value.strip()


def _entry(key: str, values: list[str]) -> Entry:
    match = _UNIT.fullmatch(key.strip())
    stem, unit = (match["stem"], match["unit"]) if match else (key, "")
    return Entry(_plain(stem).lower(), unit.strip().lower(), " ".join(value for value in values if value))


def _plain(text: str) -> str:
    """Text with single blanks."""
    return " ".join(text.split())


def number(text: str, /) -> float:
    """The number that a value begins with; NaN where it is none. A comma may stand for the decimal point.

    Parameters
    ----------
    text : str
        Such as ``2.213E+07`` or ``12,5``; a comment behind ``#`` does not count.

    Returns
    -------
    float
        Finite or NaN.
    """
    match = _NUMBER.match(text.partition("#")[0])
    value = float(match[1].replace(",", ".")) if match else math.nan
    return value if math.isfinite(value) else math.nan


def wavelength_nm(text: str, /) -> float:
    """Centre of a filter that is called by it, such as ``780``; NaN for ``Open``, ``Block`` or ``ICG``.

    Parameters
    ----------
    text : str
        Name of the filter.

    Returns
    -------
    float
        nm.
    """
    match = _WAVELENGTH.fullmatch(text.partition("#")[0])
    value = float(match[1].replace(",", ".")) if match else math.nan
    return value if 200 <= value <= 2000 else math.nan


def coefficients(text: InfoText, /) -> dict[tuple[float, float], float]:
    """C_ccd by field of view in cm and f number, as far as they are positive numbers.

    Parameters
    ----------
    text : InfoText
        Of a click.

    Returns
    -------
    dict
        Radiance, ph s-1 cm-2 sr-1, of one count per second and unbinned pixel.
    """
    found: dict[tuple[float, float], float] = {}
    for entry in text.entries():
        match = _COEFFICIENT.fullmatch(entry.key)
        value = number(entry.value) if match else math.nan
        if match and value > 0:
            found.setdefault((number(match["fov"]), number(match["stop"])), value)
    return found


def iso_time(date: str, time: str, /) -> str:
    """ISO 8601 time from ``Wednesday, March 5, 2025`` and ``14:05:09``, whatever the machine's language.

    Parameters
    ----------
    date, time : str
        As Living Image writes them.

    Returns
    -------
    str
        The date alone where the time is not understood, "" where the date is not.

    Examples
    --------
    >>> iso_time("Wednesday, March 5, 2025", "14:05:09"), iso_time("5/3/2025", "14:05:09")
    ('2025-03-05T14:05:09', '')
    """
    match = _ISO_DATE.fullmatch(date.strip()) or _DATE.fullmatch(date.strip())
    if not match:
        return ""
    month = match["month"]
    if not month.isdigit():
        short = month.lower()[:3]
        month = str(_MONTHS.index(short) + 1) if short in _MONTHS else "0"
    try:
        day = dt.date(int(match["year"]), int(month), int(match["day"]))
    except ValueError:
        return ""
    clock = _TIME.fullmatch(time.strip())
    if not clock:
        return day.isoformat()
    hour = int(clock["hour"])
    if clock["half"]:
        hour = hour % 12 + (12 if clock["half"][0] in "Pp" else 0)
    try:
        return f"{day.isoformat()}T{dt.time(hour, int(clock['minute']), int(clock['second'] or 0)).isoformat()}"
    except ValueError:
        return day.isoformat()
